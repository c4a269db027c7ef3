//! One file a command: arguments in, one call down, result out. The only place that prints, prompts and wires things
//! together.

#![expect(clippy::format_push_string, reason = "`write!` to text cannot fail but gives a result that would have to be thrown away")]

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::model::Outside;

mod adopt;
mod adopt_write;
mod applied;
mod apply;
mod auth;
mod auth_check;
mod auth_rights;
mod backend;
mod base;
mod carry;
mod completions;
mod connect;
mod destroy;
mod diff;
mod docs;
mod doctor;
mod drift;
mod env;
mod events;
mod exit;
mod explain;
mod explain_value;
mod findings;
mod fmt;
mod forget;
mod genie;
mod git;
mod github;
mod graph;
mod history;
mod init;
mod local;
mod local_place;
mod logging;
mod many;
mod naming;
mod options;
mod output;
mod parts;
mod pin;
mod pipeline;
mod plan;
mod planning;
mod progress;
mod provenance;
pub mod reference;
mod refresh;
mod render;
mod repository;
mod restored;
mod rollback;
mod run_job;
mod saving;
mod schema;
mod screen;
mod secrets;
mod session;
mod show;
mod show_plan;
mod signals;
mod spaces;
mod state;
mod state_import;
mod state_move;
mod state_push;
mod state_rebuild;
mod state_shared;
mod status;
mod tar;
mod validate;
mod version;

pub use exit::{Exit, Failure};
pub use options::{Form, Format, Options, When};
pub use screen::{Screen, Streams};

/// Keeps Databricks workspaces the way Git says: YAML, plan, apply, no changes.
#[derive(Debug, Parser)]
#[command(name = "brickform", version, about, max_term_width = 120, arg_required_else_help = true)]
#[command(
    after_help = "Options are environment variables too: `--env` is BRICKFORM_ENV, `--var-file` BRICKFORM_VARIABLE_FILES; a variable of the\nproject is BRICKFORM_VAR_name. All of them: docs/reference/commands.md.\n\nExit codes: 0 done, 1 failure, 2 changes (--detailed-exitcode), 3 applied in part, 4 authentication, 5 locked, 6 guard, 7 stale plan, 64 usage, 130 interrupted."
)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin a project, or write its pipelines (`--ci`); never writes over a file
    Init(init::Arguments),
    /// Check the project: every mistake of every file, without asking a workspace
    Validate(validate::Arguments),
    /// What an apply would do; sends only reads
    Plan(Box<plan::Arguments>),
    /// Show the plan, ask, and carry it out
    Apply(Box<apply::Arguments>),
    /// Go back to an earlier commit, and stay there until Git goes back too
    Rollback(Box<rollback::Arguments>),
    /// Take away what was made, put back what was touched, forget what was adopted
    Destroy(Box<destroy::Arguments>),
    /// What the state says; makes no calls
    Status(status::Arguments),
    /// Take what is in the workspace into the state, or into the YAML (`--write`); sends only reads
    Adopt(Box<adopt::Arguments>),
    /// Accept what is live into the state; the YAML stays
    Refresh(refresh::Arguments),
    /// Drop objects from the state and leave them alone
    Forget(forget::Arguments),
    /// Lay out the project's YAML files; changes no meaning
    Fmt(fmt::Arguments),
    /// What changed behind its back; sends only reads
    Drift(Box<drift::Arguments>),
    /// What a change of the files does in every environment: two revisions, no network, no credentials
    Diff(diff::Arguments),
    /// What the state holds of one object, or everything; `--live` reads it from the workspace
    Show(show::Arguments),
    /// Ids, links and declared outputs, for programs and the next step of a pipeline
    Output(output::Arguments),
    /// What depends on what
    Graph(graph::Arguments),
    /// Everything resolved: YAML that reads back, or JSON
    Render(render::Arguments),
    /// Look at and mend what was recorded
    State(state::Arguments),
    /// Run a job that was applied, and wait for it
    Run(run_job::Arguments),
    /// Environments of the project
    Env(env::Arguments),
    /// The embedded workspace: serve it, empty it, what it can do
    Local(local::Arguments),
    /// Genie spaces: run their benchmarks
    Genie(genie::Arguments),
    /// Genie spaces of a workspace
    #[command(alias = "list-spaces")]
    SpaceList(spaces::ListArguments),
    /// One Genie space with everything in it
    SpaceGet(spaces::GetArguments),
    /// Genie spaces whose titles look so
    SpaceFind(spaces::FindArguments),
    /// Genie spaces as files, one each, as a person would write them
    SpaceExport(spaces::ExportArguments),
    /// A Genie space again: as a file, or in this or another workspace
    SpaceClone(spaces::CloneArguments),
    /// Authentication: what is used, and where it came from
    Auth(auth::Arguments),
    /// Every kind with its fields, facets and requests; schemas for editors
    Schema(schema::Arguments),
    /// What stands in the way on this machine and in this project, with what to do
    Doctor(doctor::Arguments),
    /// A script that completes commands and options in a shell
    Completions(completions::Arguments),
    /// What scripts of `completions` ask for
    #[command(name = "__complete", hide = true)]
    Complete(completions::Asked),
    /// Where a value comes from; what a kind, a field or a code is
    Explain(explain::Arguments),
    /// Version and build
    Version(version::Arguments),
    /// Reference pages, written from the code
    #[command(hide = true)]
    Docs(docs::Arguments),
}

/// The command line as clap knows it, for completions and the reference.
#[must_use]
pub fn definition() -> clap::Command {
    // What is deleted takes along what needs it, not what it needs.
    let destroyed = |argument: clap::Arg| argument.help("Only these addresses, and what needs them; `*` stands for any text: 'jobs.*'");
    let kept = |argument: clap::Arg| argument.help("Not these addresses, nor what they need: that is still in use");
    plain(Cli::command()).mut_subcommand("destroy", |destroy| destroy.mut_arg("targets", destroyed).mut_arg("excludes", kept))
}

/// Help says once that options have variables; a line for each would bury what the options do.
fn plain(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| argument.hide_env(true)).mut_subcommands(plain)
}

/// What a command gets.
pub struct Run<'a> {
    /// Options of every command.
    pub options: &'a Options,
    /// The world outside.
    pub outside: &'a Outside,
    /// What the user sees.
    pub screen: &'a Screen,
}

/// Runs one command line to its end.
pub fn run(arguments: impl IntoIterator<Item = OsString>, outside: &Outside, mut streams: Streams) -> Exit {
    let parsed = definition().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let mut cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return refused(&error, &mut streams),
    };
    if !many::is_asked(&cli.options) {
        cli.options.environment = cli.options.environments.first().cloned();
    }
    let outside = &if cli.options.no_commands { outside.without_commands().remembering() } else { outside.remembering() };
    let mut screen = Screen::new(streams, &cli.options, outside);
    screen.events = cli.command.tells_events();
    logging::start(&cli.options, &screen, outside);
    let run = Run { options: &cli.options, outside, screen: &screen };
    match cli.command.takes(cli.options.output).and_then(|()| started(&cli.command, &run)) {
        Ok(exit) => exit,
        Err(failure) => {
            events::Events::new(&run, cli.command.tells_events()).failed(&failure);
            screen.failure(&failure);
            cli.command.failed(&run, &failure);
            failure.exit()
        }
    }
}

impl Command {
    /// The forms of results that it knows.
    fn forms(&self) -> &'static [Form] {
        match self {
            Self::Graph(_) => &[Form::Text, Form::Json, Form::Mermaid, Form::Dot],
            Self::Render(_) => &[Form::Text, Form::Yaml, Form::Json],
            Self::Validate(_) => &[Form::Text, Form::Json, Form::Junit, Form::Sarif, Form::Github],
            Self::Diff(_) => &[Form::Text, Form::Json, Form::Markdown, Form::Junit, Form::Sarif, Form::Github],
            Self::Plan(_) | Self::Apply(_) | Self::Rollback(_) | Self::Destroy(_) | Self::Drift(_) | Self::Show(_) => {
                &[Form::Text, Form::Json, Form::Markdown, Form::Html, Form::Junit, Form::Sarif, Form::Github]
            }
            Self::Output(_) => &[Form::Text, Form::Json, Form::Github],
            Self::Genie(_) => genie::FORMS,
            Self::SpaceList(_) | Self::SpaceFind(_) | Self::SpaceGet(_) | Self::SpaceExport(_) | Self::SpaceClone(_) => spaces::FORMS,
            _ => Form::COMMON,
        }
    }

    /// Whether it writes events instead of a result (`--json`).
    fn tells_events(&self) -> bool {
        match self {
            Self::Plan(arguments) => arguments.showing.json,
            Self::Apply(arguments) => arguments.showing.json,
            Self::Rollback(arguments) => arguments.showing.json,
            Self::Destroy(arguments) => arguments.showing.json,
            Self::Drift(arguments) => arguments.showing.json,
            Self::Show(arguments) => arguments.showing.json,
            _ => false,
        }
    }

    /// The reports that it writes besides its result, of those that show a plan.
    fn reports(&self) -> Option<(&'static str, &[(Form, String)])> {
        match self {
            Self::Plan(arguments) => Some(("plan", arguments.showing.reports())),
            Self::Apply(arguments) => Some(("apply", arguments.showing.reports())),
            Self::Drift(arguments) => Some(("drift", arguments.showing.reports())),
            Self::Rollback(arguments) => Some(("rollback", arguments.showing.reports())),
            Self::Destroy(arguments) => Some(("destroy", arguments.showing.reports())),
            _ => None,
        }
    }

    /// What finds its way to a page of findings or a comment is told of failures too: what stood there before would stay.
    fn failed(&self, run: &Run<'_>, failure: &Failure) {
        let Some((operation, reports)) = self.reports().filter(|_| failure.exit() != Exit::Usage && !run.screen.events) else { return };
        let several = run.options.one_of_many;
        let shown = Some(run.screen.form).filter(|form| !(several && parts::is_together(*form)));
        if let Some(text) = shown.and_then(|form| findings::of_failure(form, operation, run, failure)) {
            run.screen.result(&text);
        }
        for (form, file) in reports.iter().filter(|(_, file)| !several || file.contains("{env}")) {
            let Some(text) = findings::of_failure(*form, operation, run, failure) else { continue };
            if let Err(failure) = planning::put(run, &[(*form, file.clone())], &|_| text.clone()) {
                run.screen.failure(&failure);
            }
        }
    }

    /// Where a file would be written by each of several environments anew.
    fn overwritten(&self) -> Option<String> {
        let out = if let Self::Plan(arguments) = self { arguments.out.clone() } else { None };
        let reports = self.reports().map(|(_, reports)| reports).unwrap_or_default();
        if let Self::Genie(arguments) = self {
            // There is no document of several environments.
            return arguments.reports().iter().map(|(_, file)| file.clone()).find(|file| !file.contains("{env}"));
        }
        let own = reports.iter().filter(|(form, _)| !parts::is_together(*form)).map(|(_, file)| file.clone());
        out.into_iter().chain(own).find(|file| !file.contains("{env}"))
    }

    /// Refuses a form that the command does not know.
    fn takes(&self, form: Form) -> Result<(), Failure> {
        let forms = self.forms();
        if forms.contains(&form) {
            return Ok(());
        }
        let known: Vec<String> = forms.iter().map(|f| format!("`{}`", f.word())).collect();
        let message = format!("this command does not write `{}`; it knows {}", form.word(), known.join(", "));
        Err(Failure::usage(message, &["`-o` or BRICKFORM_OUTPUT says which"]))
    }
}

/// Help and version are results; anything else that the parser says is wrong usage.
fn refused(error: &clap::Error, streams: &mut Streams) -> Exit {
    use clap::error::ErrorKind;
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            streams.say(&if streams.out_terminal { text.ansi().to_string() } else { text.to_string() });
            Exit::Done
        }
        _ => {
            streams.complain(&if streams.err_terminal { text.ansi().to_string() } else { text.to_string() });
            Exit::Usage
        }
    }
}

/// One run, or one for each environment that `--env` names.
fn started(command: &Command, run: &Run<'_>) -> Result<Exit, Failure> {
    if !many::is_asked(run.options) {
        return dispatch(command, run);
    }
    let order = match command {
        // They look at several by themselves.
        Command::Validate(_) | Command::Diff(_) => return dispatch(command, run),
        Command::Plan(_) | Command::Drift(_) | Command::Status(_) => many::Order::Together,
        Command::Genie(_) if matches!(run.options.output, Form::Text | Form::Json) => many::Order::Together,
        Command::Genie(_) => {
            return Err(Failure::usage(
                format!("`genie bench` writes `{}` for one environment at a time", run.options.output.word()),
                &["`--report FORMAT=FILE-{env}` writes one for each; `-o json` has them all"],
            ));
        }
        Command::Apply(_) => many::Order::InTurn,
        _ => {
            return Err(Failure::usage(
                format!("`--env {}` names several environments, and this command works with one", run.options.environments.join(",")),
                &["`validate`, `plan`, `apply`, `drift`, `diff`, `status` and `genie bench` take several"],
            ));
        }
    };
    if let Some(file) = command.overwritten() {
        return Err(Failure::usage(
            format!("`{file}` would be written by each environment anew"),
            &["put the environment's name into it: `--report markdown=plan-{env}.md`"],
        ));
    }
    if let Command::Apply(arguments) = command
        && arguments.plan.as_ref().is_some_and(|file| !file.contains("{env}"))
    {
        return Err(Failure::usage(
            "a plan in a file is of one environment",
            &["put the environment's name into it: `brickform apply --env 'prod-*' '{env}.plan.json'`, or apply each by its own file"],
        ));
    }
    let names = many::names(run)?;
    let reports = command.reports().map(|(_, reports)| reports).unwrap_or_default();
    many::run(run, &names, order, reports, &|run| dispatch(command, run).inspect_err(|failure| command.failed(run, failure)))
}

fn dispatch(command: &Command, run: &Run<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Genie(arguments) => planning::can_be_put(run, arguments.reports())?,
        // What only looks tells what it saw first.
        Command::Apply(_) | Command::Rollback(_) | Command::Destroy(_) => {
            planning::can_be_put(run, command.reports().map(|(_, reports)| reports).unwrap_or_default())?;
        }
        _ => {}
    }
    match command {
        Command::Init(arguments) => init::run(arguments, run),
        Command::Validate(arguments) => validate::run(arguments, run),
        Command::Plan(arguments) => plan::run(arguments, run),
        Command::Apply(arguments) => apply::run(arguments, run),
        Command::Rollback(arguments) => rollback::run(arguments, run),
        Command::Destroy(arguments) => destroy::run(arguments, run),
        Command::Status(arguments) => status::run(arguments, run),
        Command::Adopt(arguments) => adopt::run(arguments, run),
        Command::Refresh(arguments) => refresh::run(arguments, run),
        Command::Forget(arguments) => forget::run(arguments, run),
        Command::Fmt(arguments) => fmt::run(arguments, run),
        Command::Drift(arguments) => drift::run(arguments, run),
        Command::Diff(arguments) => diff::run(arguments, run),
        Command::Show(arguments) => show::run(arguments, run),
        Command::Output(arguments) => output::run(arguments, run),
        Command::Render(arguments) => render::run(arguments, run),
        Command::Graph(arguments) => graph::run(arguments, run),
        Command::Doctor(arguments) => doctor::run(arguments, run),
        Command::Schema(arguments) => schema::run(arguments, run),
        Command::Completions(arguments) => Ok(completions::run(arguments, run)),
        Command::Complete(asked) => Ok(completions::answer(asked, run)),
        Command::State(arguments) => state::run(arguments, run),
        Command::Run(arguments) => run_job::run(arguments, run),
        Command::Auth(arguments) => auth::run(arguments, run),
        Command::Genie(arguments) => genie::run(arguments, run),
        Command::SpaceList(arguments) => spaces::list(arguments, run),
        Command::SpaceGet(arguments) => spaces::get(arguments, run),
        Command::SpaceFind(arguments) => spaces::find(arguments, run),
        Command::SpaceExport(arguments) => spaces::export(arguments, run),
        Command::SpaceClone(arguments) => spaces::clone(arguments, run),
        Command::Env(arguments) => env::run(arguments, run),
        Command::Local(arguments) => local::run(arguments, run),
        Command::Explain(arguments) => explain::run(arguments, run),
        Command::Version(arguments) => Ok(version::run(arguments, run)),
        Command::Docs(arguments) => docs::run(arguments, run),
    }
}

/// A runtime for the commands that talk to a workspace.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::machine(format!("the asynchronous runtime cannot be started: {error}")))
}

/// Loads the project.
pub(crate) fn load(
    run: &Run<'_>,
    ask: &crate::project::Ask,
    registry: &crate::kinds::Registry,
) -> Result<crate::project::Project, Failure> {
    crate::project::load(run.outside, ask, registry).map_err(Failure::Project)
}
