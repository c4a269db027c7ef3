//! `brickform diff [REV..REV]`: what a change of the files does in every environment. No network, no credentials, no state.

use std::collections::BTreeSet;

use clap::Args;

use super::many;
use super::planning::Showing;
use super::repository::{Checkout, Filters, Repository, short};
use super::{Exit, Failure, Form, Run, findings, planning};
use crate::diagnostic::Diagnostic;
use crate::kinds::Registry;
use crate::model::Outside;
use crate::plan::between::{Frame, between};
use crate::project::{self, Answers, Ask, Desired, Failed};
use crate::report::answers::shell_word;
use crate::report::between::{self as report, Compared, Found, Side};

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Lookups are not answered, references are shown as they are written; environments in which the same happens stand together.\n\n\
Examples:\n  brickform diff main..HEAD\n  brickform diff origin/main...HEAD --env 'prod-*' -o markdown\n  brickform diff HEAD          # what is not committed yet"
)]
pub struct Arguments {
    /// `OLD..NEW`; `OLD...NEW` from where they parted; `OLD` alone compares with the working tree
    #[arg(value_name = "REVISIONS", default_value = "HEAD")]
    revisions: String,
    #[command(flatten)]
    pub(super) showing: Showing,
    /// Exit with 2 if there are differences
    #[arg(long, env = "BRICKFORM_DETAILED_EXITCODE", value_parser = clap::builder::BoolishValueParser::new())]
    detailed_exitcode: bool,
}

/// Compares two revisions, or one with the working tree.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    if arguments.showing.has(Form::Html) {
        return Err(Failure::usage("a comparison is written as no page", &["`--report markdown=FILE`, or `plan --report html=FILE`"]));
    }
    let registry = Registry::standard();
    let repository = Repository::here(run)?;
    let (from, to) = sides(&arguments.revisions, &repository)?;
    let old = Tree::of(&repository, run, &from)?;
    let new = Tree::of(&repository, run, &to)?;
    let there = new.environments()?;
    // What the old tree cannot tell is told for each environment.
    let before = old.environments().unwrap_or_default();
    let every: Vec<String> = before.iter().chain(&there).cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let names = many::chosen(&run.options.environments, &every)?;
    // A project without environment files has one that says nothing.
    let pending: Vec<Option<String>> = if every.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
    let mut compared = Compared { project: String::new(), from, to, environments: vec![], command: command(arguments, run) };
    for name in pending {
        let is_there = |list: &[String]| name.as_ref().is_none_or(|name| list.contains(name));
        let one = One { name: name.clone(), before: is_there(&before) || old.is_broken(), after: is_there(&there) };
        let (found, project) = one.compare(&old, &new, &registry);
        if let Some(project) = project {
            compared.project = project;
        }
        compared.environments.push((name.unwrap_or_else(|| "default".to_owned()), found));
    }
    if compared.project.is_empty() {
        compared.project = new.name().or_else(|| old.name()).unwrap_or_default();
    }
    tell(&compared, run);
    let written = |form: Form| match form {
        Form::Json => report::json(&compared),
        Form::Markdown => report::markdown(&compared),
        Form::Junit | Form::Sarif | Form::Github => {
            let (valid, mistakes) = checked(&compared);
            findings::of_diagnostics(form, "diff", &valid, &mistakes, &findings::prefix_here(run))
        }
        _ => report::text(&compared, false, run.screen.width),
    };
    run.screen.result(&match run.screen.form {
        Form::Text => run.screen.folded(&report::text(&compared, run.screen.out_colour, run.screen.width)),
        form => written(form),
    });
    planning::write(run, &arguments.showing, &written)?;
    Ok(match (compared.is_broken(), arguments.detailed_exitcode && !compared.is_empty()) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    })
}

fn command(arguments: &Arguments, run: &Run<'_>) -> String {
    let environments = run.options.environments.iter().map(|name| format!(" --env {}", shell_word(name)));
    format!("brickform diff {}{}", shell_word(&arguments.revisions), environments.collect::<String>())
}

/// What is compared with what.
fn sides(revisions: &str, repository: &Repository<'_>) -> Result<(Side, Side), Failure> {
    let side = |name: &str| -> Result<Side, Failure> {
        let name = if name.is_empty() { "HEAD" } else { name };
        Ok(Side { name: name.to_owned(), commit: Some(repository.commit(name)?) })
    };
    if let Some((old, new)) = revisions.split_once("...") {
        let (old, new) = (side(old)?, side(new)?);
        let commits = [&old, &new].map(|s| s.commit.clone().unwrap_or_default());
        let parting = repository.parting(&commits[0], &commits[1])?;
        return Ok((Side { commit: Some(parting), ..old }, new));
    }
    if let Some((old, new)) = revisions.split_once("..") {
        return Ok((side(old)?, side(new)?));
    }
    if !repository.has_tree {
        return Err(Failure::usage(
            "this repository is bare: there is no working tree to compare with",
            &["name both: `brickform diff OLD..NEW`"],
        ));
    }
    Ok((side(revisions)?, Side { name: "the working tree".to_owned(), commit: None }))
}

/// One environment, and where it is.
struct One {
    name: Option<String>,
    before: bool,
    after: bool,
}

impl One {
    fn compare(&self, old: &Tree, new: &Tree, registry: &Registry) -> (Found, Option<String>) {
        if !self.after {
            return (Found::Removed, None);
        }
        let (project, desired) = match new.desired(self.name.as_deref(), registry) {
            Ok(found) => found,
            Err(failed) => return (Found::NewBroken(failed.diagnostics), None),
        };
        let name = self.name.as_deref().unwrap_or("default");
        let frame = Frame { project: &project, environment: name, registry };
        let found = if !self.before || !old.has_project() {
            Found::Added(between(None, &desired, &frame))
        } else {
            match old.desired(self.name.as_deref(), registry) {
                Ok((_, before)) => Found::Changed(between(Some(&before), &desired, &frame)),
                Err(failed) => Found::OldBroken(failed.diagnostics, desired.resources.keys().filter(|a| !a.is_facet()).count()),
            }
        };
        (found, Some(project))
    }
}

/// The environments of the new side that are valid, and the mistakes in the others.
fn checked(compared: &Compared) -> (Vec<String>, Vec<Diagnostic>) {
    let (mut valid, mut mistakes): (Vec<String>, Vec<Diagnostic>) = (vec![], vec![]);
    for (name, found) in &compared.environments {
        match found {
            // Most mistakes are the same in every environment.
            Found::NewBroken(all) => {
                for mistake in all {
                    if !mistakes.contains(mistake) {
                        mistakes.push(mistake.clone());
                    }
                }
            }
            _ => valid.push(name.clone()),
        }
    }
    (valid, mistakes)
}

/// Mistakes, each under the revision that has them, once.
fn tell(compared: &Compared, run: &Run<'_>) {
    for (side, is_new) in [(&compared.from, false), (&compared.to, true)] {
        let mut all: Vec<Diagnostic> = vec![];
        for (_, found) in &compared.environments {
            let ((Found::OldBroken(found, _), false) | (Found::NewBroken(found), true)) = (found, is_new) else { continue };
            for diagnostic in found {
                if !all.contains(diagnostic) {
                    all.push(diagnostic.clone());
                }
            }
        }
        if !all.is_empty() {
            run.screen.raw(&format!("In {}:\n", side.words()));
            run.screen.diagnostics(&all);
        }
    }
}

/// The files of one side: of a commit in a folder of their own, or of the working tree.
pub struct Tree {
    /// The files of a commit, which go away with it, and what they are called: `1a2b3c4d5e6f`.
    files: Option<(Checkout, String)>,
    outside: Outside,
    ask: Ask,
}

impl Tree {
    /// Those of a side.
    ///
    /// # Errors
    /// Git cannot read them.
    pub fn of(repository: &Repository<'_>, run: &Run<'_>, side: &Side) -> Result<Self, Failure> {
        let ask = Ask { environment: None, ..run.options.ask(run.outside)? };
        let Some(commit) = &side.commit else {
            return Ok(Self { files: None, outside: run.outside.clone(), ask });
        };
        let checkout = repository.checkout(commit, "", Filters::Off)?;
        let moved = |path: Option<std::path::PathBuf>, given: Option<&String>| match (path, given) {
            (Some(path), _) if repository.has_tree => Some(repository.inside(&checkout, &path)),
            (Some(_), Some(given)) => Some(checkout.top().join(given)),
            (path, _) => path,
        };
        let ask = Ask {
            folder: moved(ask.folder.clone(), run.options.project_dir.as_ref()),
            config: moved(ask.config.clone(), run.options.config.as_ref()),
            ..ask
        };
        let outside = Outside { folder: repository.current(&checkout), ..run.outside.clone() };
        Ok(Self { files: Some((checkout, short(commit).to_owned())), outside, ask })
    }

    /// The names of its environments.
    ///
    /// # Errors
    /// There is no project, or a file cannot be read.
    pub fn environments(&self) -> Result<Vec<String>, Failure> {
        project::environments(&self.outside, &self.ask).map_err(|failed| Failure::Project(self.placed(failed)))
    }

    /// Mistakes with the places of a commit (`1a2b3c4d5e6f:conf`) for those of the folder in which its files are for now.
    fn placed(&self, mut failed: Failed) -> Failed {
        let Some((checkout, commit)) = &self.files else { return failed };
        let top = checkout.top();
        let tops = [top.canonicalize().unwrap_or_else(|_| top.clone()), top].map(|top| top.to_string_lossy().into_owned());
        let place = |text: &mut String| {
            for top in &tops {
                let whole = text.replace(&format!("{top}/ "), &format!("{commit} "));
                *text = whole.replace(&format!("{top}/"), &format!("{commit}:")).replace(top.as_str(), commit);
            }
        };
        for diagnostic in &mut failed.diagnostics {
            place(&mut diagnostic.message);
            diagnostic.help.iter_mut().for_each(&place);
        }
        failed
    }

    /// The project's name, also where its files have mistakes; none where there is no project.
    fn name(&self) -> Option<String> {
        project::name(&self.outside, &self.ask)
    }

    /// Whether the names of environments cannot be read.
    fn is_broken(&self) -> bool {
        self.has_project() && project::environments(&self.outside, &self.ask).is_err()
    }

    /// Whether there is a project at all: a first commit has none before it.
    pub fn has_project(&self) -> bool {
        match project::environments(&self.outside, &self.ask) {
            Ok(_) => true,
            Err(failed) => !failed.diagnostics.iter().any(|d| d.code == "E0301"),
        }
    }

    /// The project's name, and what it desires in an environment.
    ///
    /// # Errors
    /// All diagnostics.
    pub fn desired(&self, environment: Option<&str>, registry: &Registry) -> Result<(String, Desired), Failed> {
        self.answered(environment, registry, &Answers::new())
    }

    /// The same with answers to lookups, as far as they answer what is asked here.
    ///
    /// # Errors
    /// All diagnostics.
    pub fn answered(&self, environment: Option<&str>, registry: &Registry, answers: &Answers) -> Result<(String, Desired), Failed> {
        let ask = Ask { environment: environment.map(str::to_owned), ..self.ask.clone() };
        let project = project::load(&self.outside, &ask, registry).map_err(|failed| self.placed(failed))?;
        let desired = project.resolve(answers).map_err(|diagnostics| Failed { diagnostics, usage: false })?;
        Ok((project.name.clone(), desired))
    }
}
