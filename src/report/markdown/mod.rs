//! A plan as a comment on a pull request: what is lost first and open, the rest folded by kind, how to repeat it at the end.
//!
//! What users wrote stands in code (spans, fences) or is escaped, so that no name can break the page or call somebody. The
//! whole never exceeds what a comment may hold; what is left out is counted.

use std::collections::BTreeMap;

use super::about::{About, counted, thousands, to_do};
use super::answers::{Given, common};
use super::kept;
use super::text::{self, plural};
use super::untold;
use crate::diff::FieldChange;
use crate::plan::between::{Sort, Sorts};
use crate::plan::{Action, Block, Plan, Step};

mod several;
mod steps;
#[cfg(test)]
mod tests;
pub(super) mod words;

pub use several::{Came, One, Section, environments, sections};
pub use words::marker;

use steps::{Left, Page};
use words::{cut, escape, fence, link, plain, prose, span};

/// The most bytes of a comment. GitHub's limit is told in characters, 65,536 of them, and no text has more characters than
/// bytes; GitLab and Azure DevOps take more.
pub const LIMIT: usize = 65_535;
/// What is kept for the end: command, digest, commit, what was left out.
const END: usize = 3_000;
/// The longest text of an apply's end.
const RESULT: usize = 6_000;
/// The most bytes of a list of guards or warnings.
const GUARDS: usize = 6_000;
/// Where to find what a comment leaves out.
const LEFT_OUT: &str = "The command below shows all of it, `--report html=FILE` as a page.";

/// The comment.
#[must_use]
pub fn plan(plan: &Plan, about: &About<'_>) -> String {
    let mut out = head(plan, about);
    if let Some(result) = about.result {
        out.push_str(&fence("", &cut(result.text, RESULT)));
    }
    out.push_str(&blocked(plan));
    if let Some(sorts) = about.sorts {
        out.push_str(&whose(sorts));
    }
    if !about.drift {
        out.push_str(&by_kinds(plan));
        out.push_str(&kept_list(plan, about.command));
    }
    let mut room = LIMIT.saturating_sub(END + out.len());
    let again = Some(about.command).filter(|command| !command.is_empty());
    let page = Page { plan, sorts: about.sorts, of: None, again, command: about.command, drift: about.drift };
    let mut left = steps::losses(&[page], &mut room, &mut out);
    let page = Page { plan, sorts: about.sorts, of: None, again, command: about.command, drift: about.drift };
    left.add(steps::put(&steps::groups(&page), room, &mut out));
    out.push_str(&left.words(LIMIT));
    out.push_str(&end(plan, about));
    out
}

/// A comment where there is no plan: what is wrong, and where. `names`: project and environment, as [`plan`] has them.
#[must_use]
pub fn failed(what: &str, names: &[&str], wrong: &[(String, String)], run: Option<&str>) -> String {
    let environment = names.last().copied().unwrap_or_default();
    let mut out = marker(what, names);
    out.push_str(&format!("## Brickform · {}: no plan\n\n", escape(environment)));
    let list = wrong_list(wrong, (LIMIT - END).saturating_sub(out.len()));
    out.push_str(&list);
    out.push('\n');
    if let Some(link) = run.and_then(link) {
        out.push_str(&format!("<sub>[pipeline]({link})</sub>\n"));
    }
    out
}

/// What is wrong, each at its place, in at most so many bytes; the others counted.
fn wrong_list(wrong: &[(String, String)], most: usize) -> String {
    let mut out = String::new();
    for (i, (place, text)) in wrong.iter().enumerate() {
        let place = if place.is_empty() { String::new() } else { format!("{}: ", span(place)) };
        let mut lines = text.lines();
        let mut item = format!("- {place}{}\n", escape(lines.next().unwrap_or_default()));
        for line in lines {
            item.push_str(&format!("  - {}\n", escape(line)));
        }
        if out.len() + item.len() > most {
            out.push_str(&format!("- and {} more\n", thousands(wrong.len() - i)));
            break;
        }
        out.push_str(&item);
    }
    out
}

/// Whose the changes are, in a line.
fn whose(sorts: &Sorts) -> String {
    beside(sorts, |sort| sorts.count(sort))
}

fn beside(sorts: &Sorts, count: impl Fn(Sort) -> usize) -> String {
    let words: Vec<String> = Sort::ALL.iter().map(|sort| format!("{} {}", thousands(count(*sort)), sort.words())).collect();
    format!("Beside {} ({}): **{}**.\n\n", span(&sorts.base), span(sorts.commit.get(..12).unwrap_or(&sorts.commit)), words.join(" · "))
}

/// What `lifecycle.merge` keeps, folded.
fn kept_list(plan: &Plan, command: &str) -> String {
    const MOST: usize = 30;
    if kept::steps(plan).next().is_none() {
        return String::new();
    }
    let mut out = format!("<details><summary>Kept from the workspace: {} (lifecycle.merge)</summary>\n\n", kept::counted(plan));
    let all: Vec<(&Step, &FieldChange)> = kept::steps(plan).flat_map(|step| step.kept.iter().map(move |c| (step, c))).collect();
    for (step, change) in all.iter().take(MOST) {
        out.push_str(&format!("- {} {}\n", span(&step.address.to_string()), escape(&kept::line(change))));
    }
    if all.len() > MOST {
        out.push_str(&format!("- and {} more\n", thousands(all.len() - MOST)));
    }
    let common = common(&plan.environment, Given::Command(command));
    out.push_str(&format!("\n{} takes it into YAML.\n\n</details>\n\n", span(&format!("brickform adopt {common} --write ADDRESS"))));
    out
}

/// How many steps of each kind, where there are too many to see it at a glance.
fn by_kinds(plan: &Plan) -> String {
    const MANY: usize = 20;
    const COLUMNS: [&str; 4] = ["to add", "to change", "to replace", "to delete"];
    let mut kinds: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let done: Vec<&Step> = plan.steps.iter().filter(|s| s.action != Action::None).collect();
    if done.len() < MANY {
        return String::new();
    }
    for step in done {
        *kinds.entry(step.address.kind.as_str()).or_default().entry(to_do(step.action)).or_default() += 1;
    }
    let mut columns: Vec<&str> = COLUMNS.into_iter().filter(|word| kinds.values().any(|counts| counts.contains_key(word))).collect();
    let others = ["adopted", "moved", "forgotten"];
    columns.extend(others.into_iter().filter(|word| kinds.values().any(|counts| counts.contains_key(word))));
    let mut out = format!("| kind | {} |\n| --- |{}\n", columns.join(" | "), " ---: |".repeat(columns.len()));
    for (kind, counts) in kinds {
        let cells: Vec<String> = columns.iter().map(|word| counts.get(word).map_or(String::new(), |n| thousands(*n))).collect();
        out.push_str(&format!("| {} | {} |\n", plain(kind), cells.join(" | ")));
    }
    out.push('\n');
    out
}

fn head(plan: &Plan, about: &About<'_>) -> String {
    let mut out = marker(if about.drift { "drift" } else { "plan" }, &[&plan.project, &plan.environment]);
    out.push_str(&format!(
        "## Brickform · {}: {}\n\n",
        escape(&plan.environment),
        about.result.map_or_else(|| said(plan, about.drift), |r| r.tally.words())
    ));
    if plan.is_empty() {
        let all = plan.counts().total;
        let resources = if all == 1 { "1 resource is".to_owned() } else { format!("{} resources are", thousands(all)) };
        out.push_str(&format!("{resources} as the configuration says.\n\n"));
    }
    for line in untold::lines(plan) {
        out.push_str(&format!("Not compared: {}\n\n", prose(&line)));
    }
    out
}

/// What a plan does, in a line.
fn said(plan: &Plan, drift: bool) -> String {
    if plan.is_empty() {
        let nothing = if drift { "no drift" } else { "no changes" };
        return untold::counted(plan).map_or(nothing.to_owned(), |secrets| format!("{nothing}; {secrets}"));
    }
    let counts = plan.counts();
    // What an apply would do about it is no part of it: a deleted object is not one "to add".
    let mut words = if drift { vec![] } else { counted(&counts) };
    words.extend((counts.drifted > 0).then(|| format!("{} drifted", thousands(counts.drifted))));
    if words.is_empty() { "blocked".to_owned() } else { words.join(", ") }
}

/// Every guard in the way, the plan's own first.
fn guards(plan: &Plan) -> Vec<Block> {
    plan.blocks.iter().cloned().chain(plan.steps.iter().flat_map(|step| step.blocks.clone())).collect()
}

fn blocked(plan: &Plan) -> String {
    let all = guards(plan);
    let mut out = String::new();
    if !all.is_empty() {
        out.push_str(&format!("### Blocked by {}: nothing can be applied\n\n", plural(all.len() as u64, "guard", "guards")));
        out.push_str(&listed(&all));
    }
    if !plan.lifted.is_empty() {
        let flags: Vec<String> = plan.lifted.iter().map(|flag| span(flag)).collect();
        out.push_str(&format!("**Guards lifted:** {}\n\n", flags.join(" ")));
    }
    if let Some(line) = text::pinning(plan) {
        out.push_str(&format!("{}\n\n", prose(&line)));
    }
    if !plan.warnings.is_empty() {
        out.push_str(&format!("### {}\n\n{}", plural(plan.warnings.len() as u64, "Warning", "Warnings"), listed(&plan.warnings)));
    }
    out
}

/// The first; of many that say the same of different things the first few; the others counted.
fn listed(blocks: &[Block]) -> String {
    const MOST: usize = 30;
    const ALIKE: usize = 5;
    let mut alike: BTreeMap<(&str, &[String]), usize> = BTreeMap::new();
    let mut out = String::new();
    let mut shown = 0;
    for block in blocks {
        let nth = alike.entry((block.guard, &block.remedy)).and_modify(|n| *n += 1).or_insert(1);
        if *nth > ALIKE || shown == MOST {
            continue;
        }
        let flags: Vec<String> = block.remedy.iter().filter(|r| r.starts_with("--")).map(|r| span(r)).collect();
        let lift = if flags.is_empty() { String::new() } else { format!(" (allow with {})", flags.join(", ")) };
        let line = format!("- **{}**: {}{lift}\n", block.guard.replace('_', " "), prose(&block.reason));
        if shown > 0 && out.len() + line.len() > GUARDS {
            continue;
        }
        out.push_str(&line);
        shown += 1;
    }
    if blocks.len() > shown {
        let words: Vec<String> = alike
            .iter()
            .filter(|(_, n)| **n > ALIKE)
            .take(6)
            .map(|((guard, _), n)| format!("{}: {} in all", guard.replace('_', " "), thousands(*n)))
            .collect();
        let of = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
        out.push_str(&format!("- **and {} more**{of}\n", thousands(blocks.len() - shown)));
    }
    out.push('\n');
    out
}

fn end(plan: &Plan, about: &About<'_>) -> String {
    let mut out = again(about.command);
    let mut parts = vec![format!("workspace {}", span(&plan.workspace.host)), format!("state serial {}", plan.serial)];
    parts.extend((!about.digest.is_empty()).then(|| format!("plan {}", span(about.digest.get(..12).unwrap_or(about.digest)))));
    parts.extend(about.commit.map(|c| format!("commit {}", span(c.get(..12).unwrap_or(c)))));
    parts.extend(about.run.and_then(link).map(|link| format!("[pipeline]({link})")));
    out.push_str(&format!("<sub>{}</sub>\n", parts.join(" · ")));
    out
}

/// The command that gives the same again.
fn again(command: &str) -> String {
    if command.is_empty() { String::new() } else { format!("Again:\n\n{}", fence("sh", &cut(command, 1_000))) }
}
