//! The two output streams and the keyboard: the only place that prints and prompts.
//!
//! Results go to standard output, everything else to standard error. A closed pipe is no error.

use std::borrow::Cow;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::exit::Failure;
use super::options::{Form, Format, Options, When};
use super::parts::Part;
use super::signals::Stopping;
use crate::diagnostic::Diagnostic;
use crate::model::url::masked;
use crate::model::{Known, Outside, Written};
use crate::report;
use crate::report::style::{Label, Paint, columns, escaped, fold, steerless, wrap};

/// Where a run reads from and writes to; tests pass their own.
pub struct Streams {
    /// Results.
    pub out: Box<dyn Write + Send>,
    /// Everything else.
    pub err: Box<dyn Write + Send>,
    /// Answers to prompts.
    pub input: Box<dyn BufRead + Send>,
    /// Whether results go to a terminal.
    pub out_terminal: bool,
    /// Whether everything else goes to a terminal.
    pub err_terminal: bool,
    /// Whether somebody can answer.
    pub in_terminal: bool,
    /// Columns; none where there is no terminal.
    pub columns: Option<usize>,
}

impl Streams {
    /// The process's own.
    #[must_use]
    pub fn real() -> Self {
        let columns =
            console::Term::stdout().size_checked().or_else(|| console::Term::stderr().size_checked()).map(|(_, c)| usize::from(c));
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Box::new(io::BufReader::new(io::stdin())),
            out_terminal: io::stdout().is_terminal(),
            err_terminal: io::stderr().is_terminal(),
            in_terminal: io::stdin().is_terminal(),
            columns,
        }
    }

    /// Writes to standard error before there is a [`Screen`].
    pub fn complain(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    /// Writes to standard output before there is a [`Screen`].
    pub fn say(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

struct Stream {
    writer: Box<dyn Write + Send>,
    closed: bool,
}

impl Stream {
    fn write(&mut self, text: &str) {
        if !self.closed && self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush()).is_err() {
            self.closed = true;
        }
    }
}

/// What the user sees.
pub struct Screen {
    out: Mutex<Stream>,
    err: Mutex<Stream>,
    input: Mutex<Box<dyn BufRead + Send>>,
    /// Whether results go to a terminal.
    pub out_terminal: bool,
    /// Whether messages go to a terminal.
    pub err_terminal: bool,
    in_terminal: bool,
    /// Columns, 60 to 200.
    pub width: usize,
    /// Colour of results.
    pub out_colour: bool,
    /// Colour of messages.
    pub err_colour: bool,
    /// For whom results are written.
    pub format: Format,
    /// The form of results.
    pub form: Form,
    /// Whether events are written instead of a result.
    pub events: bool,
    /// The one environment that was named.
    environment: Option<String>,
    /// The options that choose project and state, as a command has them.
    given: String,
    quiet: bool,
    verbose: u8,
    /// Whether GitHub reads along and is told by annotations, and the project's folder from the top of the repository.
    annotate: Option<String>,
    /// Whether a pipeline's runner reads along and takes some lines for commands.
    runner: bool,
    /// What a request to stop meets.
    pub stopping: Stopping,
    summary: Mutex<Option<String>>,
    part: Mutex<Option<Part>>,
    /// Secrets, wherever they stand.
    known: Arc<Known>,
}

impl Screen {
    /// From what was asked for and what there is.
    #[must_use]
    pub fn new(streams: Streams, options: &Options, outside: &Outside) -> Self {
        let width = outside.variable("COLUMNS").and_then(|c| c.parse().ok()).or(streams.columns).unwrap_or(120);
        Self {
            out_colour: colour(options.color, streams.out_terminal, outside),
            err_colour: colour(options.color, streams.err_terminal, outside),
            out: Mutex::new(Stream { writer: streams.out, closed: false }),
            err: Mutex::new(Stream { writer: streams.err, closed: false }),
            input: Mutex::new(streams.input),
            out_terminal: streams.out_terminal,
            err_terminal: streams.err_terminal,
            in_terminal: streams.in_terminal,
            width: width.clamp(60, 200),
            format: options.output.format(),
            form: options.output,
            events: false,
            stopping: Stopping::default(),
            summary: Mutex::default(),
            part: Mutex::default(),
            known: outside.known(),
            environment: options.environments.first().filter(|name| options.environments.len() == 1 && !name.contains('*')).cloned(),
            given: super::session::given(options).words().join(" "),
            quiet: options.quiet,
            verbose: options.verbose,
            runner: outside.variable("GITHUB_ACTIONS") == Some("true") || outside.variable("TF_BUILD").is_some(),
            // `-o github` writes them as its result.
            annotate: (outside.variable("GITHUB_ACTIONS") == Some("true") && options.output != Form::Github && !options.one_of_many)
                .then(|| super::findings::prefix_of(options, outside)),
        }
    }

    /// A result: standard output. Names that come from a workspace cannot steer the terminal, and no secret is among them.
    pub fn result(&self, text: &str) {
        let form = if self.events { Form::Json } else { self.form };
        let text = self.hidden(text, form);
        let is_json = matches!(form, Form::Json | Form::Sarif);
        let text = if is_json { escaped(&text) } else { steerless(&text, self.out_colour && form == Form::Text) };
        self.out.lock().unwrap_or_else(PoisonError::into_inner).write(&self.unheard(&text, self.form));
    }

    /// What another screen has written already, for this one's standard output.
    pub fn passed_on(&self, text: &str) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).write(text);
    }

    /// The same for standard error.
    pub fn passed_aside(&self, text: &str) {
        self.err.lock().unwrap_or_else(PoisonError::into_inner).write(text);
    }

    /// A text of this form as it may leave the program: without the value of any secret that is known. Whatever is written to
    /// a stream goes through here; so must what is written to a file for somebody to read.
    pub fn hidden<'t>(&self, text: &'t str, form: Form) -> Cow<'t, str> {
        let written = match form {
            Form::Json | Form::Sarif => Written::Json,
            Form::Html | Form::Junit => Written::Markup,
            _ => Written::Plain,
        };
        self.known.hide(text, written)
    }

    /// A text that a pipeline's runner takes no command from: what somebody wrote into a name or a description is shown, and
    /// never obeyed. GitHub's runner obeys lines that begin with `::`, it and Azure's what follows `##[` and `##vso[`.
    fn unheard<'a>(&self, text: &'a str, form: Form) -> Cow<'a, str> {
        // What a program reads on (`space-get -o yaml > FILE`) is not changed.
        if matches!(form, Form::Github | Form::Yaml | Form::Csv | Form::Dot | Form::Mermaid) {
            return Cow::Borrowed(text);
        }
        self.unobeyed(text, form)
    }

    fn unobeyed<'a>(&self, text: &'a str, form: Form) -> Cow<'a, str> {
        if !self.runner {
            return Cow::Borrowed(text);
        }
        let sign = match form {
            _ if self.events => "\\u0023#",
            Form::Json | Form::Sarif => "\\u0023#",
            Form::Html | Form::Junit => "&#35;#",
            _ => "#\u{200b}#",
        };
        let mut out = Cow::Borrowed(text);
        for word in ["##[", "##vso["] {
            if out.contains(word) {
                out = Cow::Owned(out.replace(word, &word.replacen("##", sign, 1)));
            }
        }
        if out.lines().any(|line| line.trim_start().starts_with("::")) {
            let heard = |line: &str| line.trim_start().starts_with("::");
            let mend = |line: &str| if heard(line) { line.replacen("::", ":\u{200b}:", 1) } else { line.to_owned() };
            out = Cow::Owned(out.split('\n').map(mend).collect::<Vec<_>>().join("\n"));
        }
        out
    }

    /// What a run came to, in a few words, for the table where it is one of several.
    pub fn summarize(&self, words: impl Into<String>) {
        *self.summary.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.into());
    }

    /// What was summarised last; taken, so that the next run starts without.
    pub fn summary(&self) -> Option<String> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What one of several environments came to, kept for the document of all.
    pub fn keep(&self, part: Part) {
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
    }

    /// What was kept last; taken, so that the next run starts without.
    pub fn kept(&self) -> Option<Part> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Standard error. What comes from a workspace cannot steer the terminal.
    pub fn raw(&self, text: &str) {
        self.drawn("", text);
    }

    /// Standard error: what moves the cursor as it is, then a text that does not.
    pub fn drawn(&self, moves: &str, text: &str) {
        let text = self.known.hide(text, Written::Plain);
        let text = steerless(&text, self.err_colour);
        let text = self.unobeyed(&text, Form::Text);
        self.err.lock().unwrap_or_else(PoisonError::into_inner).write(&format!("{moves}{text}"));
    }

    /// Standard error: lines that a pipeline's runner is to obey.
    fn command(&self, text: &str) {
        let text = steerless(text, false);
        self.err.lock().unwrap_or_else(PoisonError::into_inner).write(&text);
    }

    /// A remark: standard error, unless quiet.
    pub fn note(&self, text: &str) {
        if self.quiet {
            return;
        }
        // Before a line is broken in the middle of one.
        let text = self.known.hide(text, Written::Plain);
        let text = &text.lines().map(|line| self.in_environment(line)).collect::<Vec<_>>().join("\n");
        let long = self.err_terminal && text.lines().any(|line| columns(line) > self.width);
        let text = if long { text.lines().flat_map(|l| wrap(l, self.width)).collect::<Vec<_>>().join("\n") } else { text.to_owned() };
        self.raw(&format!("{}\n", self.unheard(&text, Form::Text)));
    }

    /// A remark that only `-v` asks for.
    pub fn detail(&self, text: &str) {
        if self.verbose > 0 {
            self.note(text);
        }
    }

    /// Whether remarks are wanted.
    pub fn talks(&self) -> bool {
        !self.quiet
    }

    /// Diagnostics: as text to standard error, also as annotations where GitHub reads along.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        self.raw(&self.unheard(&report::diagnostics::text(diagnostics, self.err_colour, self.width), Form::Text));
        if let Some(prefix) = &self.annotate {
            self.command(&super::github::commands(&report::findings::of_diagnostics(diagnostics), prefix));
        }
    }

    /// Why a command failed: what, and what to do next.
    pub fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Project(failed) => {
                let diagnostics = &failed.diagnostics;
                self.diagnostics(diagnostics);
                if self.format == Format::Json {
                    self.result(&report::diagnostics::json(diagnostics));
                }
            }
            other => {
                let paint = Paint { colour: self.err_colour };
                let mut text = self.hung(&paint.label(Label::Bad, "error:"), &masked(&other.to_string()));
                for line in other.help().iter().map(|line| self.in_environment(line)) {
                    text.push_str(&self.hung(&format!("  {}", paint.label(Label::Dim, "=")), &masked(&line)));
                }
                self.raw(&self.unheard(&text, Form::Text));
                if self.annotate.is_some() {
                    self.command(&format!("::error::{}\n", super::github::escape(&masked(&other.to_string()))));
                }
            }
        }
    }

    /// A line of advice whose commands name the environment, the project and the state, as far as the command line did.
    pub fn in_environment(&self, line: &str) -> String {
        report::answers::in_place(line, self.environment.as_deref(), report::answers::Given::Command(&self.given))
    }

    /// Text for a person: on a terminal no line is wider than the window.
    pub fn folded(&self, text: &str) -> String {
        let text = self.hidden(text, Form::Text);
        if self.out_terminal { fold(&text, self.width) } else { text.into_owned() }
    }

    /// A sign and text beside it: on a terminal broken between words, so that the lines that follow stand below the text.
    fn hung(&self, sign: &str, text: &str) -> String {
        let text = self.known.hide(text, Written::Plain);
        if !self.err_terminal {
            return format!("{sign} {text}\n");
        }
        let indent = columns(sign) + 1;
        let lines = text.lines().flat_map(|line| wrap(line, self.width.saturating_sub(indent)));
        format!("{sign} {}\n", lines.collect::<Vec<_>>().join(&format!("\n{}", " ".repeat(indent))))
    }

    /// Whether somebody can be asked: both ends are a terminal.
    pub fn can_ask(&self) -> bool {
        self.in_terminal && self.err_terminal
    }

    /// Asks and gives the answer, trimmed; none at the end of the input.
    pub fn ask(&self, question: &str) -> Option<String> {
        self.raw(question);
        let mut line = String::new();
        let read = self.input.lock().unwrap_or_else(PoisonError::into_inner).read_line(&mut line);
        read.ok().filter(|n| *n > 0).map(|_| line.trim().to_owned())
    }
}

/// `--color`, then `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal.
fn colour(when: When, terminal: bool, outside: &Outside) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if outside.variable("NO_COLOR").is_some() => false,
        When::Auto if outside.variable("CLICOLOR_FORCE").is_some_and(|v| v != "0") => true,
        When::Auto => terminal && outside.variable("TERM") != Some("dumb"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::{When, colour};
    use crate::model::Outside;

    #[test]
    fn colour_is_decided_in_this_order() {
        let table = [
            (When::Auto, true, &[][..], true),
            (When::Auto, false, &[][..], false),
            (When::Auto, true, &[("NO_COLOR", "1")][..], false),
            (When::Auto, true, &[("NO_COLOR", "")][..], true),
            (When::Auto, false, &[("CLICOLOR_FORCE", "1")][..], true),
            (When::Auto, false, &[("CLICOLOR_FORCE", "0")][..], false),
            (When::Auto, false, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")][..], false),
            (When::Auto, true, &[("TERM", "dumb")][..], false),
            (When::Always, false, &[("NO_COLOR", "1")][..], true),
            (When::Never, true, &[("CLICOLOR_FORCE", "1")][..], false),
        ];
        let real = Outside::real().unwrap();
        for (when, terminal, variables, want) in table {
            let variables: BTreeMap<String, String> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let outside = Outside { variables: Arc::new(variables), ..real.clone() };
            assert_eq!(colour(when, terminal, &outside), want, "{when:?} {terminal} {:?}", outside.variables);
        }
    }
}
