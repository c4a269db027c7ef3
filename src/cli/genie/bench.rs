//! `brickform genie bench`: runs the benchmarks of Genie spaces in their workspace, shows what was answered, and is a gate.
//!
//! It is no plan and no apply: it says what it sends, starts runs, and waits for their ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use super::super::connect::{self, Connection};
use super::super::options::{Form, Seconds};
use super::super::session::{Session, same_workspace};
use super::super::{Exit, Failure, Run, planning, runtime, signals};
use super::choose::{self, Chosen};
use super::runs::{self, Broken, Came, Event, Task, Which};
use crate::client::ApiErrorKind;
use crate::model::{Scrubber, Value, bounded, json};
use crate::report::benchmarks::{self, Report, Review, Space, Standing};
use crate::report::style::quoted;
use crate::report::text::plural;

/// Arguments of `genie bench`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform genie bench --env staging --min-score 80\n  brickform genie bench spaces.sales --question 'How many orders*'\n  brickform genie bench sales --last -o markdown\n  brickform genie bench --env staging --min-score 80 --report junit=bench.xml --report json=bench.json"
)]
pub struct Arguments {
    /// The spaces: addresses, keys (`*` stands for any text) or ids; without any, all of the environment that have benchmarks
    #[arg(value_name = "ADDRESS|KEY|ID")]
    spaces: Vec<String>,
    /// Fails (exit code 6) where less than so many percent of a space's questions are answered right
    #[arg(long, value_name = "PERCENT", value_parser = mark)]
    min_score: Option<f64>,
    /// Only the benchmarks that ask this, or have this id; `*` stands for any text (any number of times)
    #[arg(long = "question", value_name = "TEXT|ID", conflicts_with = "last")]
    questions: Vec<String>,
    /// What a question counts that nobody could judge: it fails, it passes, it is ignored
    #[arg(long, value_name = "HOW", default_value = "fail")]
    needs_review: Counts,
    /// How long the end of each run is waited for: `90s`, `30m`, `2h`. The run goes on afterwards
    #[arg(long, value_name = "TIME", default_value = "1h")]
    timeout: Seconds,
    /// Starts nothing: shows the newest run of each space, and waits for its end
    #[arg(long)]
    last: bool,
    /// Compares with the JSON report of an earlier run, or with the run before (`last`)
    #[arg(long, value_name = "FILE|last")]
    baseline: Option<String>,
    /// Starts the runs without asking
    #[arg(long, short)]
    yes: bool,
    /// Says what would be sent, and sends nothing
    #[arg(long, conflicts_with = "last")]
    dry_run: bool,
    /// Also write a report: `text`, `json`, `markdown`, `junit` or `csv`, any number of times; `{env}` in the file is the environment
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    reports: Vec<(Form, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Counts {
    Fail,
    Pass,
    Ignore,
}

impl Arguments {
    /// The reports that are asked for.
    pub fn reports(&self) -> &[(Form, String)] {
        &self.reports
    }

    fn review(&self) -> Review {
        match self.needs_review {
            Counts::Fail => Review::Fail,
            Counts::Pass => Review::Pass,
            Counts::Ignore => Review::Ignore,
        }
    }
}

/// A percentage: `80`, `92.5`, `80%`.
fn mark(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end().parse::<f64>().ok();
    number.filter(|mark| (0.0..=100.0).contains(mark)).ok_or_else(|| "a percentage from 0 to 100 is needed, such as 80 or 92.5".to_owned())
}

/// `junit=bench.xml`.
fn report(text: &str) -> Result<(Form, String), String> {
    let known = "`text`, `json`, `markdown`, `junit` and `csv`";
    let (form, file) = text.split_once('=').ok_or_else(|| format!("give FORMAT=FILE; formats are {known}"))?;
    match (super::FORMS.iter().find(|known| known.word() == form), file) {
        (None, _) => Err(format!("there is no report `{form}`; formats are {known}")),
        (_, "") => Err("the file has no name".to_owned()),
        (Some(found), file) => Ok((*found, file.to_owned())),
    }
}

/// Spaces whose benchmarks run at once unless `--parallelism` says less: a workspace answers about five questions a minute.
const AT_ONCE: usize = 4;

/// Runs benchmarks.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let earlier = match arguments.baseline.as_deref() {
        None | Some("last") => None,
        Some(file) => Some((file, baseline(run, file)?)),
    };
    let in_project = run.options.environment.is_some() || run.options.config.is_some() || run.options.project_dir.is_some();
    let found = run.outside.folder.ancestors().any(|folder| folder.join("conf").join("project.yaml").is_file());
    let session = if (in_project || found) && (run.options.profile.is_none() || run.options.environment.is_some()) {
        Some(Session::open(run)?)
    } else {
        None
    };
    runtime()?.block_on(async {
        let (connection, mut chosen, secrets) = if let Some(session) = &session {
            let (online, document) = session.online(run).await?;
            same_workspace(&document, &online.connection.identity, session.environment())?;
            let chosen = choose::of_project(run, session, &online, &document, &arguments.spaces).await?;
            let secrets = choose::secrets(run, &online)?;
            (online.connection, chosen, secrets)
        } else {
            let connection = connect::by_profile(run, run.options.profile.as_deref()).await?;
            let chosen = choose::of_workspace(&connection.client, &arguments.spaces).await?;
            (connection, chosen, Scrubber::default())
        };
        for space in &mut chosen {
            space.title = secrets.scrub(std::mem::take(&mut space.title));
            space.warehouse = secrets.scrub(std::mem::take(&mut space.warehouse));
        }
        choose::picked(&mut chosen, &arguments.questions)?;
        let named = !arguments.spaces.is_empty();
        // A space that is named may have had benchmarks when they were run.
        if !(arguments.last && named) {
            choose::with_benchmarks(run, &mut chosen, named)?;
        }
        told(run, &chosen)?;
        let bench = Bench { arguments, run, connection: &connection, chosen: &chosen, secrets: &secrets };
        if !arguments.last && !bench.consent()? {
            return Ok(Exit::Done);
        }
        let Some(came) = bench.carried_out().await? else { return Ok(Exit::Interrupted) };
        let environment = session.as_ref().map(|session| session.environment().to_owned());
        let project = session.as_ref().map(|session| session.project.name.clone()).unwrap_or_default();
        let mut report = bench.report(came, environment);
        if let Some((file, earlier)) = &earlier {
            for space in &mut report.spaces {
                space.before = benchmarks::before(earlier, space.address.as_deref(), &space.id, file);
            }
        }
        bench.show(&report, &project)
    })
}

/// The report of an earlier run.
fn baseline(run: &Run<'_>, file: &str) -> Result<Value, Failure> {
    let refused = |why: String| Failure::Usage {
        message: format!("`--baseline {file}`: {why}"),
        help: vec!["give the file of an earlier `--report json=FILE`, or `last` for the run before".to_owned()],
    };
    let bytes = bounded::read(&run.outside.path(file), 64 << 20).map_err(|error| refused(error.to_string()))?;
    let read = json::parse(&bytes).map_err(|error| refused(format!("it is no JSON: {error}")))?;
    if read.get("format").and_then(Value::as_str) != Some(benchmarks::FORMAT) {
        return Err(refused(format!("it is no report of `genie bench` (`{}`)", benchmarks::FORMAT)));
    }
    Ok(read)
}

/// What to know of the spaces, before anything is sent; errors under `--strict`.
fn told(run: &Run<'_>, chosen: &[Chosen]) -> Result<(), Failure> {
    let notes: Vec<String> = chosen.iter().flat_map(|space| space.notes.iter().map(|note| format!("{}: {note}", space.name()))).collect();
    if run.options.strict && !notes.is_empty() {
        return Err(Failure::Machine {
            message: format!("what would be judged is not what the files say: {}", notes.join("; ")),
            help: vec!["apply or adopt it first; without `--strict` this is a note".to_owned()],
        });
    }
    for note in &notes {
        run.screen.note(&format!("note: {note}"));
    }
    Ok(())
}

struct Bench<'a> {
    arguments: &'a Arguments,
    run: &'a Run<'a>,
    connection: &'a Connection,
    chosen: &'a [Chosen],
    secrets: &'a Scrubber,
}

impl Bench<'_> {
    /// Says what is sent and what it starts, and asks where somebody can be asked.
    fn consent(&self) -> Result<bool, Failure> {
        let screen = self.run.screen;
        let questions: usize = self.chosen.iter().map(|space| space.benchmarks.len()).sum();
        for space in self.chosen {
            let count = plural(space.benchmarks.len() as u64, "benchmark", "benchmarks");
            let title = if space.address.is_some() { format!(" {}", quoted(&space.title)) } else { format!("  {}", quoted(&space.title)) };
            screen.note(&format!("{}{title}: {count}, on warehouse {}", space.name(), space.warehouse));
            screen.detail(&format!("  POST /api/2.0/genie/spaces/{}/eval-runs", space.id));
        }
        let (it, warehouse) = if questions == 1 { ("It is", "the warehouse") } else { ("They are", "the warehouses") };
        screen.note(&format!(
            "{it} asked in {}: this starts {warehouse} where stopped, and runs SQL there. Genie answers about five questions a minute.",
            self.connection.identity.host
        ));
        if self.arguments.dry_run {
            return Ok(false);
        }
        if self.arguments.yes || !screen.can_ask() {
            return Ok(true);
        }
        match screen.ask("Run them? [y/N] ").as_deref() {
            Some("y" | "yes") => Ok(true),
            _ => Err(Failure::machine("nothing was run")),
        }
    }

    fn task(&self, space: &Chosen) -> Task {
        let ids = if self.arguments.questions.is_empty() { vec![] } else { space.benchmarks.keys().cloned().collect() };
        Task {
            client: self.connection.client.clone(),
            space: space.id.clone(),
            name: space.name(),
            which: if self.arguments.last { Which::Newest } else { Which::New(ids) },
            compare: self.arguments.baseline.as_deref() == Some("last"),
            timeout: Duration::from_secs(self.arguments.timeout.0),
            asked: space.benchmarks.clone(),
        }
    }

    /// Runs of all spaces, some at once; none where it was interrupted.
    async fn carried_out(&self) -> Result<Option<Vec<Result<Came, Broken>>>, Failure> {
        let (tell, mut heard) = unbounded_channel();
        let at_once = AT_ONCE.min(connect::parallelism(self.run)).max(1);
        let room = Arc::new(Semaphore::new(at_once));
        let mut tasks = JoinSet::new();
        for (at, space) in self.chosen.iter().enumerate() {
            let (task, tell, room) = (self.task(space), tell.clone(), Arc::clone(&room));
            tasks.spawn(async move {
                let _turn = room.acquire_owned().await;
                (at, task.carried_out(&tell).await)
            });
        }
        drop(tell);
        let begun: Mutex<Vec<(String, String)>> = Mutex::default();
        let all = async {
            let (mut came, ()) = tokio::join!(tasks.join_all(), self.listen(&mut heard, &begun));
            came.sort_by_key(|(at, _)| *at);
            came.into_iter().map(|(_, came)| came).collect::<Vec<_>>()
        };
        tokio::select! {
            came = all => Ok(Some(came)),
            () = signals::first() => {
                self.left(&begun.lock().unwrap_or_else(PoisonError::into_inner));
                Ok(None)
            }
        }
    }

    async fn listen(&self, heard: &mut UnboundedReceiver<Event>, begun: &Mutex<Vec<(String, String)>>) {
        while let Some(event) = heard.recv().await {
            match event {
                Event::Found(name, run) => {
                    let word = if self.arguments.last { "is looked at" } else { "has started; Ctrl-C stops waiting, not the run" };
                    self.run.screen.note(&format!("{name}: run {run} {word}"));
                    begun.lock().unwrap_or_else(PoisonError::into_inner).push((name, run));
                }
                Event::Odd(name, run, status) => self.run.screen.note(&format!(
                    "{name}: run {run}: {}: it is waited for as one that goes on, until all is answered or `--timeout` is over",
                    runs::odd(&status)
                )),
                Event::Progress(name, done, of) => self.run.screen.note(&benchmarks::progress(&name, done, of)),
            }
        }
    }

    /// What goes on in the workspace after Ctrl-C.
    fn left(&self, begun: &[(String, String)]) {
        if self.arguments.last || begun.is_empty() {
            self.run.screen.note("Not waited for any longer; nothing was started.");
            return;
        }
        let environment = self.run.options.environment.as_ref().map(|name| format!(" --env {name}")).unwrap_or_default();
        for (name, run) in begun {
            self.run.screen.note(&format!(
                "{name}: not waited for any longer; run {run} goes on in the workspace: `brickform genie bench {name}{environment} --last` shows it"
            ));
        }
    }

    fn report(&self, came: Vec<Result<Came, Broken>>, environment: Option<String>) -> Report {
        let host = self.connection.link_host.trim_end_matches('/');
        let one = |(space, came): (&Chosen, Result<Came, Broken>)| {
            let mut came = came.unwrap_or_else(|broken| Came { problem: Some(why(&broken, space)), ..Came::default() });
            came.problem = came.problem.map(|problem| self.secrets.scrub(problem));
            // What a run asks that is started here was asked for here.
            let mut unasked =
                came.run.as_ref().filter(|_| self.arguments.last).map(|run| run.unasked(&space.benchmarks)).unwrap_or_default();
            for question in &mut unasked {
                *question = self.secrets.scrub(std::mem::take(question));
            }
            if let Some(run) = &mut came.run {
                run.reworded(&|text| self.secrets.scrub(text));
            }
            for (_, question, _) in came.before.iter_mut().flat_map(|before| &mut before.verdicts) {
                *question = self.secrets.scrub(std::mem::take(question));
            }
            Space {
                address: space.address.as_ref().map(ToString::to_string),
                id: space.id.clone(),
                title: space.title.clone(),
                link: (!host.is_empty()).then(|| format!("{host}/genie/rooms/{}", space.id)),
                notes: space.notes.clone(),
                run: came.run,
                unasked,
                before: came.before,
                problem: came.problem,
            }
        };
        Report {
            environment,
            host: self.connection.identity.host.clone(),
            mark: self.arguments.min_score,
            review: self.arguments.review(),
            spaces: self.chosen.iter().zip(came).map(one).collect(),
        }
    }

    fn show(&self, report: &Report, project: &str) -> Result<Exit, Failure> {
        let screen = self.run.screen;
        let written = |form: Form, colour: bool| match form {
            Form::Json => benchmarks::json(report),
            Form::Markdown => benchmarks::markdown(report, project),
            Form::Junit => benchmarks::junit(report),
            Form::Csv => benchmarks::csv(report),
            _ => benchmarks::text(report, colour, screen.width),
        };
        screen.result(&written(screen.form, screen.out_colour));
        if screen.form != Form::Text {
            screen.note(&report.summary());
        }
        screen.summarize(report.summary());
        planning::put(self.run, &self.arguments.reports, &|form| written(form, false))?;
        Ok(if report.count(Standing::Broken) > 0 {
            Exit::Failed
        } else if report.count(Standing::Under) > 0 {
            Exit::Guarded
        } else {
            Exit::Done
        })
    }
}

/// Why a run came to nothing, and what goes on.
fn why(broken: &Broken, space: &Chosen) -> String {
    if choose::is_unknown(&broken.error) {
        return "this workspace has no runs of benchmarks by the API (POST /api/2.0/genie/spaces/{id}/eval-runs is not there); \
                they can be run on the space's page"
            .to_owned();
    }
    let doing = broken.doing.strip_prefix(&format!("{}: ", space.name())).unwrap_or(&broken.doing);
    let mut text = format!("{doing}: {}", broken.error);
    if broken.error.kind == ApiErrorKind::Throttled {
        text.push_str(" (a workspace answers about five questions a minute: try again later, or fewer with `--question`)");
    }
    if let Some(run) = &broken.run {
        text.push_str(&format!("; run {run} goes on in the workspace, `--last` shows it"));
    } else if broken.error.may_have_happened {
        text.push_str("; it may have started all the same: `--last` shows it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Form, mark, report};

    #[test]
    fn marks_are_percentages() {
        for (text, want) in [("80", Some(80.0)), ("92.5", Some(92.5)), ("80%", Some(80.0)), ("0", Some(0.0)), ("100", Some(100.0))] {
            assert_eq!(mark(text).ok(), want, "{text}");
        }
        for text in ["", "x", "101", "-1", "NaN", "inf", "0.8.1"] {
            assert!(mark(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reports_have_a_form_and_a_file() {
        assert_eq!(report("junit=a.xml"), Ok((Form::Junit, "a.xml".to_owned())));
        for text in ["junit", "html=a.html", "csv="] {
            assert!(report(text).is_err(), "{text}");
        }
    }
}
