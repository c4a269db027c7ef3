//! What each of several environments came to, kept so that one comment, page or file of findings tells of all.

use super::findings::{self, Spot};
use super::options::Form;
use super::planning::{Around, Shown};
use super::{Exit, Failure, Run};
use crate::diagnostic::Diagnostic;
use crate::model::Address;
use crate::model::url::masked;
use crate::plan::Plan;
use crate::plan::between::Sorts;
use crate::report::about::About;
use crate::report::answers::shell_word;
use crate::report::findings::Finding;
use crate::report::html;
use crate::report::markdown::{self, Came};
use crate::report::outcome::{Applied, Tally};

/// A plan with what stands around it.
#[derive(Debug, Clone)]
pub struct Part {
    plan: Plan,
    command: String,
    digest: String,
    commit: Option<String>,
    result: Option<(Tally, String)>,
    run: Option<String>,
    sorts: Option<Sorts>,
    drift: bool,
    held: Option<(String, String)>,
    needs: Vec<(Address, Address)>,
    /// Where things stand in the files.
    pub spot: Spot,
    /// What stands in the way or went wrong.
    pub found: Vec<Finding>,
    /// What was done: `plan`, `apply`.
    pub operation: &'static str,
}

impl Part {
    /// What is shown of one environment.
    pub fn of(shown: &Shown<'_>) -> Self {
        let Around { held, needs, spot } = &shown.around;
        let operation = findings::operation(shown.plan, shown.about.drift, shown.about.result.is_some());
        Self {
            held: held.clone(),
            needs: needs.clone(),
            ..Self::with(shown.plan, &shown.about, spot, findings::found(shown.plan, None, spot), operation)
        }
    }

    /// The same where something was done.
    pub fn with(plan: &Plan, about: &About<'_>, spot: &Spot, found: Vec<Finding>, operation: &'static str) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            plan: plan.clone(),
            command: about.command.to_owned(),
            digest: about.digest.to_owned(),
            commit: owned(about.commit),
            result: about.result.map(|result| (result.tally, result.text.to_owned())),
            run: owned(about.run),
            sorts: about.sorts.cloned(),
            drift: about.drift,
            held: about.held.map(|(from, to)| (from.to_owned(), to.to_owned())),
            needs: about.needs.to_vec(),
            spot: spot.clone(),
            found,
            operation,
        }
    }

    fn about(&self) -> About<'_> {
        About {
            command: &self.command,
            digest: &self.digest,
            commit: self.commit.as_deref(),
            result: self.applied(),
            run: self.run.as_deref(),
            sorts: self.sorts.as_ref(),
            drift: self.drift,
            held: self.held.as_ref().map(|(from, to)| (from.as_str(), to.as_str())),
            needs: &self.needs,
        }
    }

    fn applied(&self) -> Option<Applied<'_>> {
        self.result.as_ref().map(|(tally, text)| Applied { tally: *tally, text })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// What one of several environments came to.
pub struct Ended {
    /// Its exit.
    pub exit: Exit,
    /// In a few words, for the table.
    pub words: String,
    /// What it wrote.
    pub out: String,
    /// What it said beside that.
    pub err: String,
    /// Its plan, where it got that far.
    pub part: Option<Part>,
    /// Why it failed, and what to do.
    pub why: Option<String>,
    /// Mistakes in its files.
    pub mistakes: Vec<Diagnostic>,
}

/// Why something failed, as lines.
pub fn why(failure: &Failure) -> String {
    let text = std::iter::once(failure.to_string()).chain(failure.help()).collect::<Vec<_>>().join("\n");
    masked(&text).into_owned()
}

/// Whether all environments are told of in one document of this form.
pub fn is_together(form: Form) -> bool {
    matches!(form, Form::Markdown | Form::Html | Form::Junit | Form::Sarif | Form::Github)
}

/// The document of all.
pub fn document(form: Form, run: &Run<'_>, names: &[String], ended: &[Option<Ended>]) -> String {
    let all: Vec<(&str, Option<&Ended>)> = names.iter().map(String::as_str).zip(ended.iter().map(Option::as_ref)).collect();
    let parts = || all.iter().filter_map(|(_, ended)| ended.as_ref()?.part.as_ref());
    let named = run.options.ask(run.outside).ok().and_then(|ask| crate::project::name(run.outside, &ask));
    let project = parts().next().map(|part| part.plan.project.clone()).or(named).unwrap_or_default();
    let operation = parts().next().map_or("plan", |part| part.operation);
    let command = again(operation, run, parts().next());
    match form {
        Form::Markdown => comment(operation, &project, &command, &all, &findings::prefix_here(run)),
        Form::Html => page(&project, &command, &all),
        _ => findings::together(form, operation, &all, &findings::prefix_here(run)),
    }
}

/// The command over all of them, with the options that each was given.
fn again(operation: &str, run: &Run<'_>, one: Option<&Part>) -> String {
    let environments = run.options.environments.iter().map(|name| format!(" --env {}", shell_word(name)));
    let own = one.and_then(|part| part.command.split_once(&format!(" --env {}", part.plan.environment)));
    let rest = own.map(|(_, rest)| rest).unwrap_or_default();
    format!("brickform {operation}{}{rest}", environments.collect::<String>())
}

fn comment(operation: &str, project: &str, command: &str, all: &[(&str, Option<&Ended>)], prefix: &str) -> String {
    let wrong: Vec<Vec<(String, String)>> = all
        .iter()
        .map(|(_, ended)| ended.map(|ended| findings::places(&findings::of_mistakes(&ended.mistakes), prefix)).unwrap_or_default())
        .collect();
    let told: Vec<markdown::One<'_>> = all
        .iter()
        .zip(&wrong)
        .map(|((name, ended), wrong)| {
            let came = match ended {
                None => Came::NotTried,
                Some(Ended { part: Some(part), .. }) => Came::Plan(&part.plan, part.applied()),
                Some(ended) if !wrong.is_empty() => Came::Wrong(&ended.words, wrong),
                Some(ended) => Came::Failed(ended.why.as_deref().unwrap_or(&ended.words)),
            };
            let part = ended.as_ref().and_then(|ended| ended.part.as_ref());
            markdown::One { name, came, sorts: part.and_then(|part| part.sorts.as_ref()) }
        })
        .collect();
    // The comment of an apply is found where that of its plan was.
    let what = if operation == "drift" { "drift" } else { "plan" };
    markdown::environments(what, project, &told, command)
}

fn page(project: &str, command: &str, all: &[(&str, Option<&Ended>)]) -> String {
    let told: Vec<html::One<'_>> = all
        .iter()
        .map(|(name, ended)| {
            let told = match ended {
                None => Err("not tried: one before it failed"),
                Some(Ended { part: Some(part), .. }) => Ok((&part.plan, part.about())),
                Some(ended) => Err(ended.why.as_deref().unwrap_or(&ended.words)),
            };
            html::One { environment: name, told }
        })
        .collect();
    html::several(project, command, &told)
}
