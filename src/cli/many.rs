//! `--env 'prod-*'`: one command over several environments, each a run of its own.
//!
//! Commands that only read run several at once and are shown whole, in the order of the names; `apply` goes one by one and
//! stops at the first that fails. One summary and one exit code at the end, also where somebody asks to stop: then each
//! environment is named with what became of it.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use serde_json::{Value as Json, json};

use super::findings::output_word;
use super::options::{Form, Options};
use super::parts::{self, Ended};
use super::planning;
use super::screen::{Screen, Streams};
use super::{Exit, Failure, Run, signals};
use crate::diagnostic::suggest;
use crate::model::fits;
use crate::project;
use crate::report::style::{Label, Paint, columns, pad};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.environments-run/1";
/// How many environments are read at once unless told otherwise.
const AT_ONCE: u16 = 4;

/// Whether `--env` names several, or a pattern.
pub fn is_asked(options: &Options) -> bool {
    options.environments.len() > 1 || options.environments.iter().any(|name| name.contains('*'))
}

/// The environments that names and patterns mean, in the order in which they were given; those of a pattern, and all where
/// none was given, by name.
///
/// # Errors
/// One means none.
pub fn chosen(asked: &[String], known: &[String]) -> Result<Vec<String>, Failure> {
    let mut picked: Vec<String> = vec![];
    for pattern in asked {
        let found: Vec<&String> = known.iter().filter(|name| fits(pattern, name)).collect();
        if found.is_empty() {
            return Err(none(pattern, known));
        }
        let mut found: Vec<&String> = found.into_iter().filter(|name| !picked.contains(name)).collect();
        found.sort();
        picked.extend(found.into_iter().cloned());
    }
    if asked.is_empty() {
        picked = known.to_vec();
        picked.sort();
    }
    Ok(picked)
}

fn none(pattern: &str, known: &[String]) -> Failure {
    let names = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = if pattern.starts_with('_') && !pattern.contains('*') {
        format!("`{pattern}` is a base for other environments: it cannot be chosen")
    } else if pattern.contains('*') {
        format!("no environment looks like `{pattern}`")
    } else {
        format!("there is no environment `{pattern}`")
    };
    let near = suggest::nearest(pattern, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
    let all = if known.is_empty() { "the project has none".to_owned() } else { format!("there is {names}") };
    Failure::Usage { message, help: near.into_iter().chain([all]).collect() }
}

/// The same for the project that a command line means.
///
/// # Errors
/// There is no project, or a name means nothing in it.
pub fn names(run: &Run<'_>) -> Result<Vec<String>, Failure> {
    let ask = run.options.ask(run.outside)?;
    let known = project::environments(run.outside, &ask).map_err(Failure::Project)?;
    chosen(&run.options.environments, &known)
}

/// How environments follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Several at once: nothing is changed.
    Together,
    /// One by one, and none after one that failed.
    InTurn,
}

/// Runs a command over environments, and writes the reports of which there is one for all.
/// What goes wrong in one is told, and in the exit code.
///
/// # Errors
/// A report cannot be written.
pub fn run(
    run: &Run<'_>,
    names: &[String],
    order: Order,
    reports: &[(Form, String)],
    one: &(dyn Fn(&Run<'_>) -> Result<Exit, Failure> + Sync),
) -> Result<Exit, Failure> {
    let (told, words) = mpsc::channel();
    let stop = told.clone();
    // Nobody listens any more once all have ended.
    run.screen.stopping.tells(Box::new(move |carrying| drop(stop.send(Word::Stop(carrying)))));
    let all = All { run, names, reports, one, told, words };
    let ended = match order {
        Order::Together => all.together(),
        Order::InTurn => all.in_turn(),
    };
    run.screen.stopping.tells_nobody();
    all.tell(&ended)
}

/// One thread does the work of an environment; this one waits for it, and for whoever asks to stop.
enum Word {
    /// That of this number has ended.
    Ended(usize, Box<Ended>),
    /// Somebody asked to stop; whether a plan is being carried out, which then ends by itself.
    Stop(bool),
}

/// All environments of a command.
struct All<'a> {
    run: &'a Run<'a>,
    names: &'a [String],
    reports: &'a [(Form, String)],
    one: &'a (dyn Fn(&Run<'_>) -> Result<Exit, Failure> + Sync),
    told: mpsc::Sender<Word>,
    words: mpsc::Receiver<Word>,
}

impl All<'_> {
    fn together(&self) -> Vec<Option<Ended>> {
        let All { run, names, one, .. } = *self;
        let workers = usize::from(run.options.at_once.unwrap_or(AT_ONCE)).min(names.len());
        let next = AtomicUsize::new(0);
        let mut ended: Vec<Option<Ended>> = names.iter().map(|_| None).collect();
        std::thread::scope(|scope| {
            for told in (0..workers).map(|_| self.told.clone()) {
                let next = &next;
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::SeqCst);
                        let Some(name) = names.get(at) else { return };
                        let came = guarded(&|| captured(run, names, name, one));
                        if told.send(Word::Ended(at, Box::new(came))).is_err() {
                            return;
                        }
                    }
                });
            }
            let mut shown = 0;
            while let Some(name) = names.get(shown) {
                match &ended[shown] {
                    Some(came) => {
                        show(run, name, came);
                        shown += 1;
                    }
                    None => match self.word() {
                        Word::Ended(at, came) => ended[at] = Some(*came),
                        Word::Stop(_) => {
                            let begun = next.load(Ordering::SeqCst).min(names.len());
                            for came in ended[..begun].iter_mut().filter(|came| came.is_none()) {
                                *came = Some(interrupted("interrupted: nothing was changed"));
                            }
                            self.end(&ended);
                        }
                    },
                }
            }
        });
        ended
    }

    fn in_turn(&self) -> Vec<Option<Ended>> {
        let stopping = &self.run.screen.stopping;
        let mut all: Vec<Option<Ended>> = vec![];
        for name in self.names {
            let failed = all.iter().any(|e| e.as_ref().is_none_or(|e| e.exit != Exit::Done));
            if failed || stopping.asked() {
                all.push(None);
                continue;
            }
            stopping.begins();
            let ended = self.alone(name, &mut all);
            all.push(Some(ended));
        }
        all
    }

    /// Runs one while no other does; `before`: what those before it came to.
    fn alone(&self, name: &str, before: &mut Vec<Option<Ended>>) -> Ended {
        let All { run, names, one, .. } = *self;
        // Somebody may be asked, and progress is drawn: it has the screen to itself.
        let is_seen = run.screen.form == Form::Text && !run.screen.events;
        if is_seen {
            run.screen.result(&heading(name, run.screen.out_colour));
        }
        let told = self.told.clone();
        let ended = std::thread::scope(|scope| {
            scope.spawn(move || {
                let came = guarded(&|| if is_seen { directly(run, names, name, one) } else { captured(run, names, name, one) });
                // Whoever started this waits for it.
                let _ = told.send(Word::Ended(0, Box::new(came)));
            });
            loop {
                match self.word() {
                    Word::Ended(_, came) => return *came,
                    Word::Stop(true) if is_seen => {}
                    Word::Stop(true) => {
                        run.screen.raw(&format!("\nStopping {name}: what is in flight is finished and saved. Ctrl-C again stops now.\n"));
                    }
                    Word::Stop(false) => {
                        let words = if run.screen.stopping.has_carried() {
                            format!("interrupted while its result was written: `brickform status --env {name}` says what was done")
                        } else {
                            "interrupted before anything was changed".to_owned()
                        };
                        before.push(Some(interrupted(&words)));
                        before.resize_with(names.len(), || None);
                        self.end(before);
                    }
                }
            }
        });
        if is_seen {
            run.screen.result("\n");
        } else {
            show(run, name, &ended);
        }
        ended
    }

    fn word(&self) -> Word {
        self.words.recv().expect("a sender is held here")
    }

    /// The summary of all, and the reports of which there is one for all.
    fn tell(&self, ended: &[Option<Ended>]) -> Result<Exit, Failure> {
        let All { run, names, .. } = *self;
        let left = run.screen.stopping.asked() && ended.iter().any(Option::is_none);
        let exit = if left { Exit::Interrupted } else { worst(ended.iter().flatten().map(|e| e.exit)) };
        if run.screen.form == Form::Json && !run.screen.events {
            run.screen.result(&document(names, ended, exit));
        } else {
            let table = table(names, ended, run.screen.out_colour);
            match run.screen.form {
                Form::Text if !run.screen.events => run.screen.result(&table),
                form => {
                    if parts::is_together(form) && !run.screen.events {
                        run.screen.result(&parts::document(form, run, names, ended));
                    }
                    run.screen.raw(&table);
                }
            }
        }
        let all: Vec<(Form, String)> = self.reports.iter().filter(|(_, file)| !file.contains("{env}")).cloned().collect();
        planning::put(run, &all, &|form| parts::document(form, run, names, ended))?;
        Ok(exit)
    }

    /// Says what each came to and ends the process: those that are still at it only read.
    fn end(&self, ended: &[Option<Ended>]) -> ! {
        self.run.screen.raw("\n");
        if let Err(failure) = self.tell(ended) {
            self.run.screen.failure(&failure);
        }
        signals::end()
    }
}

fn interrupted(words: &str) -> Ended {
    let (words, why) = (words.to_owned(), Some(words.to_owned()));
    Ended { exit: Exit::Interrupted, words, why, err: String::new(), out: String::new(), part: None, mistakes: vec![] }
}

/// What came of it, also where it breaks off by a mistake of the program: whoever waits for it would wait for ever.
fn guarded(one: &dyn Fn() -> Ended) -> Ended {
    catch_unwind(AssertUnwindSafe(one)).unwrap_or_else(|thrown| {
        let said = thrown.downcast_ref::<String>().map(String::as_str).or_else(|| thrown.downcast_ref::<&str>().copied());
        let words = format!("stopped by a mistake of brickform itself: {}", said.unwrap_or("it says no more"));
        let err = format!("error: {words}\n");
        Ended { exit: Exit::Failed, why: Some(words.clone()), words, err, out: String::new(), part: None, mistakes: vec![] }
    })
}

/// The options of one environment.
fn options(run: &Run<'_>, names: &[String], name: &str) -> Options {
    let namesakes = names.iter().take_while(|other| *other != name).filter(|other| output_word(other) == output_word(name)).count();
    let environment = Some(name.to_owned());
    Options { environment, environments: vec![name.to_owned()], one_of_many: true, namesakes, ..run.options.clone() }
}

fn directly(run: &Run<'_>, names: &[String], name: &str, one: &(dyn Fn(&Run<'_>) -> Result<Exit, Failure> + Sync)) -> Ended {
    let options = options(run, names, name);
    let outside = &run.outside.remembering();
    done(&Run { options: &options, outside, screen: run.screen }, one)
}

fn captured(run: &Run<'_>, names: &[String], name: &str, one: &(dyn Fn(&Run<'_>) -> Result<Exit, Failure> + Sync)) -> Ended {
    let options = options(run, names, name);
    let (out, err) = (Kept::default(), Kept::default());
    let streams = Streams {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        input: Box::new(io::empty()),
        out_terminal: run.screen.out_terminal,
        err_terminal: false,
        in_terminal: false,
        columns: Some(run.screen.width),
    };
    let outside = &run.outside.remembering();
    let mut screen = Screen::new(streams, &options, outside);
    screen.err_colour = run.screen.err_colour;
    screen.out_colour = run.screen.out_colour;
    screen.width = run.screen.width;
    screen.events = run.screen.events;
    screen.stopping = run.screen.stopping.same();
    let ended = done(&Run { options: &options, outside, screen: &screen }, one);
    Ended { out: out.text(), err: err.text(), ..ended }
}

/// Runs it and tells its failure; the exit, a few words, and its part of the document of all.
fn done(run: &Run<'_>, one: &(dyn Fn(&Run<'_>) -> Result<Exit, Failure> + Sync)) -> Ended {
    let nothing =
        Ended { exit: Exit::Done, words: String::new(), out: String::new(), err: String::new(), part: None, why: None, mistakes: vec![] };
    match one(run) {
        Ok(exit) => {
            let words = run.screen.summary().unwrap_or_else(|| if exit == Exit::Done { "done".to_owned() } else { "failed".to_owned() });
            Ended { exit, words, part: run.screen.kept(), ..nothing }
        }
        Err(failure) => {
            run.screen.failure(&failure);
            // What was planned before it failed is not what came of it.
            drop((run.screen.kept(), run.screen.summary()));
            let words = failure.to_string().lines().next().unwrap_or_default().to_owned();
            let mistakes = if let Failure::Project(failed) = &failure { failed.diagnostics.clone() } else { vec![] };
            Ended { exit: failure.exit(), words, why: Some(parts::why(&failure)), mistakes, ..nothing }
        }
    }
}

fn heading(name: &str, colour: bool) -> String {
    format!("{}\n", Paint { colour }.label(Label::Heading, &format!("== {name}")))
}

fn show(run: &Run<'_>, name: &str, ended: &Ended) {
    let text = run.screen.form == Form::Text && !run.screen.events;
    if text {
        run.screen.result(&heading(name, run.screen.out_colour));
    } else if !ended.err.is_empty() {
        run.screen.raw(&heading(name, run.screen.err_colour));
    }
    run.screen.passed_aside(&ended.err);
    // Some results come as one document at the end.
    if run.screen.events || !(run.screen.form == Form::Json || parts::is_together(run.screen.form)) {
        run.screen.passed_on(&ended.out);
    }
    if text {
        run.screen.result("\n");
    }
}

fn table(names: &[String], ended: &[Option<Ended>], colour: bool) -> String {
    let wide = names.iter().map(|n| columns(n)).max().unwrap_or(0);
    let mut out = format!("{}\n", Paint { colour }.label(Label::Heading, &format!("Environments ({})", names.len())));
    for (name, ended) in names.iter().zip(ended) {
        let (words, code) = match ended {
            Some(ended) => (ended.words.as_str(), format!("exit code {}", ended.exit.code())),
            None => ("not tried", String::new()),
        };
        out.push_str(format!("  {}  {words}  {code}", pad(name, wide)).trim_end());
        out.push('\n');
    }
    out
}

fn document(names: &[String], ended: &[Option<Ended>], exit: Exit) -> String {
    let environments: Vec<Json> = names
        .iter()
        .zip(ended)
        .map(|(name, ended)| match ended {
            None => {
                json!({ "environment": name, "tried": false, "exit_code": null, "summary": "not tried", "messages": [], "result": null })
            }
            Some(ended) => {
                let messages: Vec<&str> = ended.err.lines().filter(|l| !l.is_empty()).collect();
                let result: Json = serde_json::from_str(&ended.out).unwrap_or(Json::Null);
                json!({
                    "environment": name, "tried": true, "exit_code": ended.exit.code(), "summary": ended.words,
                    "messages": messages, "result": result,
                })
            }
        })
        .collect();
    format!("{:#}\n", json!({ "format": FORMAT, "exit_code": exit.code(), "environments": environments }))
}

/// The code of several runs: what was interrupted, then what was half done, then what went wrong, then guards, then changes.
pub fn worst(exits: impl Iterator<Item = Exit>) -> Exit {
    const ORDER: &[Exit] = &[
        Exit::Interrupted,
        Exit::Partial,
        Exit::Failed,
        Exit::Usage,
        Exit::Credentials,
        Exit::Locked,
        Exit::Stale,
        Exit::Guarded,
        Exit::Changes,
        Exit::Done,
    ];
    let all: Vec<Exit> = exits.collect();
    ORDER.iter().copied().find(|exit| all.contains(exit)).unwrap_or(Exit::Done)
}

/// What is written, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{chosen, guarded, worst};
    use crate::cli::{Exit, Failure};

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_and_patterns_mean_environments() {
        let known = list(&["dev", "prod-eu", "prod-us", "staging"]);
        for (asked, want) in [
            (&[][..], Some(&["dev", "prod-eu", "prod-us", "staging"][..])),
            (&["prod-*"][..], Some(&["prod-eu", "prod-us"][..])),
            (&["staging", "dev", "dev"][..], Some(&["staging", "dev"][..])),
            (&["staging", "prod-*", "dev"][..], Some(&["staging", "prod-eu", "prod-us", "dev"][..])),
            (&["*"][..], Some(&["dev", "prod-eu", "prod-us", "staging"][..])),
            (&["prod-*", "prod-eu"][..], Some(&["prod-eu", "prod-us"][..])),
            (&["qa-*"][..], None),
            (&["dev", "prd"][..], None),
            (&["_base"][..], None),
        ] {
            match (chosen(&list(asked), &known), want) {
                (Ok(found), Some(want)) => assert_eq!(found, want, "{asked:?}"),
                (Err(Failure::Usage { .. }), None) => {}
                (other, _) => panic!("{asked:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn one_that_breaks_off_is_one_that_failed() {
        let ended = guarded(&|| panic!("no such {}", "thing"));
        assert_eq!(ended.exit, Exit::Failed);
        assert_eq!(ended.words, "stopped by a mistake of brickform itself: no such thing");
        assert!(ended.why.is_some() && ended.err.starts_with("error: stopped"));
    }

    #[test]
    fn one_code_stands_for_all() {
        for (exits, want) in [
            (&[][..], Exit::Done),
            (&[Exit::Done, Exit::Changes][..], Exit::Changes),
            (&[Exit::Changes, Exit::Guarded][..], Exit::Guarded),
            (&[Exit::Guarded, Exit::Failed][..], Exit::Failed),
            (&[Exit::Failed, Exit::Partial][..], Exit::Partial),
            (&[Exit::Partial, Exit::Interrupted][..], Exit::Interrupted),
        ] {
            assert_eq!(worst(exits.iter().copied()), want, "{exits:?}");
        }
    }
}
