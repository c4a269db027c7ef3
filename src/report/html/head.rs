//! The head of a page: where, what happens in a sentence, what stands around; once for each environment, and the list of them.

use std::fmt::Write as _;

use super::{One, escape, escaped_lines};
use crate::plan::Plan;
use crate::report::about::{About, counted, losing_data, thousands};
use crate::report::text::{self, plural};
use crate::report::untold;

/// What is said of an environment at first.
pub struct Head {
    /// In one sentence.
    pub verdict: String,
    /// How it is told: `good`, `bad`, `go`.
    pub tone: &'static str,
    /// How many steps lose data.
    loses: usize,
    /// An apply that did not do everything.
    missed: bool,
    /// An apply that did.
    applied: bool,
}

/// The head of one.
pub fn of(one: &One<'_>) -> Head {
    match &one.told {
        Ok((plan, about)) => {
            let (verdict, tone) = verdict(plan, about);
            let whole = about.result.map(|result| result.tally.is_whole());
            Head { verdict, tone, loses: losing_data(plan), missed: whole == Some(false), applied: whole == Some(true) }
        }
        Err(why) => Head {
            verdict: format!("No plan: {}", why.lines().next().unwrap_or_default()),
            tone: "bad",
            loses: 0,
            missed: false,
            applied: false,
        },
    }
}

/// `3 environments: 1 needs a look, 2 with changes`.
pub fn together(heads: &[Head]) -> String {
    let count = |tone: &str| heads.iter().filter(|head| head.tone == tone && !head.missed && !head.applied).count();
    let parts = [
        (heads.iter().filter(|head| head.missed).count(), "not wholly applied"),
        (heads.iter().filter(|head| head.applied).count(), "applied"),
        (count("bad"), "blocked or without a plan"),
        (count("go"), "with changes"),
        (count("good"), "without changes"),
    ];
    let words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    format!("{}: {}", plural(heads.len() as u64, "environment", "environments"), words.join(", "))
}

/// The list of environments, where there are several; the script marks the one that is shown.
pub fn nav(all: &[One<'_>], heads: &[Head]) -> String {
    if all.len() < 2 {
        return String::new();
    }
    let mut out = format!("<nav class=\"environments\" aria-label=\"Environments\"><p class=\"over\">{}</p><ul>", escape(&together(heads)));
    for (one, head) in all.iter().zip(heads) {
        let name = escape(one.environment);
        let lost =
            if head.loses == 0 { String::new() } else { format!("<span class=\"flag gone\">⚠ loses data ({})</span>", head.loses) };
        let _ = write!(
            out,
            "<li><a href=\"#@{name}\" class=\"{0}\" data-env=\"{name}\"><strong>{name}</strong> <span class=\"verdict {0}\">{1}</span>{lost}</a></li>",
            head.tone,
            escape(&head.verdict)
        );
    }
    out.push_str("</ul></nav>");
    out
}

/// Name, sentence and facts of each; the first is the one that is shown unless the address says another.
pub fn heads(project: &str, all: &[One<'_>], heads: &[Head]) -> String {
    let mut out = String::new();
    for (i, (one, head)) in all.iter().zip(heads).enumerate() {
        let hidden = if i == 0 { "" } else { " hidden" };
        let facts = one.told.as_ref().map(|(plan, about)| facts(plan, about)).unwrap_or_default();
        let title = escape(&format!("{} · {} · {project}", one.environment, head.verdict));
        let _ = write!(
            out,
            "<div class=\"head\" data-env=\"{0}\" data-title=\"{title}\"{hidden}><div class=\"name\"><p class=\"over\">Brickform plan · \
             {1}</p><h1>{0}</h1><p class=\"verdict {2}\">{3}</p></div><dl class=\"facts\">{facts}</dl></div>",
            escape(one.environment),
            escape(project),
            head.tone,
            escape(&head.verdict),
        );
    }
    out
}

/// What applies said at their ends, and why there is no plan.
pub fn results(all: &[One<'_>]) -> String {
    let mut out = String::new();
    for (i, one) in all.iter().enumerate() {
        let told = match &one.told {
            Ok((_, about)) => about.result.map(|result| result.text),
            Err(why) => Some(*why),
        };
        let Some(told) = told else { continue };
        let hidden = if i == 0 { "" } else { " hidden" };
        let name = escape(one.environment);
        let text = escaped_lines(told);
        let _ =
            write!(out, "<pre class=\"result\" data-env=\"{name}\" tabindex=\"0\" aria-label=\"Result in {name}\"{hidden}>{text}</pre>");
    }
    out
}

/// The command and the digest of each.
pub fn feet(all: &[One<'_>]) -> String {
    let mut out = String::new();
    for (i, one) in all.iter().enumerate() {
        let Ok((_, about)) = &one.told else { continue };
        let hidden = if i == 0 { "" } else { " hidden" };
        let digest = if about.digest.is_empty() { String::new() } else { format!("Digest <code>{}</code>. ", escape(about.digest)) };
        let _ = write!(
            out,
            "<div data-env=\"{}\"{hidden}><p>To make this plan again: <code>{}</code></p><p class=\"quiet\">{digest}This file needs no \
             network and holds no secret.</p></div>",
            escape(one.environment),
            escape(about.command)
        );
    }
    out
}

/// One sentence, and how it is told: `good`, `bad`, `go`.
fn verdict(plan: &Plan, about: &About<'_>) -> (String, &'static str) {
    if let Some(result) = about.result {
        let words = result.tally.words();
        let mut signs = words.chars();
        let first = signs.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        return (format!("{first}{}", signs.as_str()), if result.tally.is_whole() { "go" } else { "bad" });
    }
    let counts = plan.counts();
    let words = counted(&counts);
    let guards = plan.blocks.len() + plan.steps.iter().map(|s| s.blocks.len()).sum::<usize>();
    if guards > 0 {
        let what = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
        return (format!("Blocked by {}, nothing can be applied{what}", plural(guards as u64, "guard", "guards")), "bad");
    }
    if plan.is_empty() {
        let (what, says) = if about.drift { ("No drift", "it was applied") } else { ("No changes", "the configuration says") };
        let resources = plural(counts.total as u64, "resource is", "resources are");
        let untold = untold::counted(plan).map(|secrets| format!("; {secrets}")).unwrap_or_default();
        return (format!("{what}: {resources} as {says}{untold}"), "good");
    }
    (words.join(", "), "go")
}

fn facts(plan: &Plan, about: &About<'_>) -> String {
    let mut out = String::new();
    let mut put = |term: &str, value: String| {
        let _ = write!(out, "<div><dt>{term}</dt><dd>{value}</dd></div>");
    };
    put("Workspace", linked(&format!("https://{}", plan.workspace.host), &plan.workspace.host));
    if let Some(commit) = about.commit {
        put("Commit", format!("<code>{}</code>", escape(commit.get(..12).unwrap_or(commit))));
    }
    if let Some(run) = about.run {
        put("Pipeline", linked(run, "open the run"));
    }
    put("State", format!("serial {} · <code>{}</code>", plan.serial, escape(&plan.state_place)));
    if let Some((made, until)) = about.held {
        put("Planned", format!("<time datetime=\"{0}\">{0}</time>", escape(made)));
        put("Holds until", format!("<time datetime=\"{0}\">{0}</time>", escape(until)));
    }
    let left = match plan.left_out {
        0 => String::new(),
        n => format!("; {n} left out by --target or --exclude"),
    };
    let read = if plan.refreshed { "" } else { "; the workspace was not read" };
    put("Resources", format!("{}{left}{read}", thousands(plan.counts().total)));
    for line in untold::lines(plan) {
        put("Not compared", escape(&line));
    }
    if let Some(sorts) = about.sorts {
        let commit = sorts.commit.get(..12).unwrap_or(&sorts.commit);
        put("Beside", format!("<code>{}</code> ({})", escape(&sorts.base), escape(commit)));
    }
    if !plan.lifted.is_empty() {
        let flags: Vec<String> = plan.lifted.iter().map(|flag| format!("<code>{}</code>", escape(flag))).collect();
        put("Guards lifted", flags.join(" "));
    }
    if let Some(line) = text::pinning(plan) {
        put("Rollback", escape(&line));
    }
    if plan.destroy {
        put("Kind of plan", "destroys everything that is managed".to_owned());
    }
    out
}

/// A link where it leads to a page of the web, else text.
fn linked(to: &str, words: &str) -> String {
    let leads = to.starts_with("https://") && to.contains('.') && !to.contains([' ', '"', '\'', '<', '>', '\\']);
    if leads { format!("<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>", escape(to), escape(words)) } else { escape(words) }
}
