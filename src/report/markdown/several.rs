//! Several environments in one comment: a table of all, what is lost in any of them, then the changes, once for environments in
//! which the same happens.

use super::words::{escape, fence, marker, span};
use super::{END, LIMIT, Left, Page, again, guards, said, steps};
use crate::plan::between::{Sort, Sorts};
use crate::plan::{Action, Plan, Step};
use crate::report::about::{actions, is_grave, losing_data, thousands};
use crate::report::outcome::{Applied, Tally};
use crate::report::text::plural;

/// What happens in one environment, or in several in which the same happens.
pub struct Section<'a> {
    /// Their names.
    pub title: String,
    /// What happens, in a line.
    pub said: String,
    /// The steps.
    pub plan: Option<&'a Plan>,
    /// The mistakes that stand in the way of steps: `FILE:LINE:COLUMN` (or nothing), and what is wrong.
    pub wrong: &'a [(String, String)],
}

/// A comment that compares revisions: a folded section for each group of environments, what is lost first and open.
#[must_use]
pub fn sections(project: &str, title: &str, sections: &[Section<'_>], command: &str) -> String {
    let mut out = format!("{}## Brickform · {}\n\n", marker("diff", &[project]), escape(title));
    let most = LIMIT / 3;
    for (i, section) in sections.iter().enumerate() {
        let line = format!("- **{}**: {}\n", escape(&section.title), escape(&section.said));
        if out.len() + line.len() > most {
            out.push_str(&format!("- and {} more\n", thousands(sections.len() - i)));
            break;
        }
        out.push_str(&line);
        for (i, (place, text)) in section.wrong.iter().enumerate() {
            let place = if place.is_empty() { String::new() } else { format!("{}: ", span(place)) };
            let line = format!("  - {place}{}\n", escape(text));
            if out.len() + line.len() > most {
                out.push_str(&format!("  - and {} more\n", thousands(section.wrong.len() - i)));
                break;
            }
            out.push_str(&line);
        }
    }
    out.push('\n');
    let told = sections.iter().filter_map(|s| {
        let plan = s.plan.filter(|plan| !plan.is_empty())?;
        Some(Told { title: s.title.clone(), plan, sorts: None, planned: false, command })
    });
    let left = changes(&told.collect::<Vec<_>>(), false, &mut out);
    out.push_str(&left.words(LIMIT));
    out.push_str(&again(command));
    out
}

/// One environment of a command over several.
pub struct One<'a> {
    /// Its name.
    pub name: &'a str,
    /// What became of it.
    pub came: Came<'a>,
    /// Whose each change of its plan is, where that was asked.
    pub sorts: Option<&'a Sorts>,
}

/// What became of an environment.
pub enum Came<'a> {
    /// Its plan; what an apply made of it.
    Plan(&'a Plan, Option<Applied<'a>>),
    /// It failed, and said this.
    Failed(&'a str),
    /// Its files are wrong: `FILE:LINE` (or nothing), and what is wrong there, with what helps below.
    Wrong(&'a str, &'a [(String, String)]),
    /// One before it failed.
    NotTried,
}

/// A comment about all of them.
#[must_use]
pub fn environments(what: &str, project: &str, all: &[One<'_>], command: &str) -> String {
    let drift = what == "drift";
    let mut out = format!("{}## Brickform · {}\n\n", marker(what, &[project, "all"]), headline(all, drift));
    out.push_str(&beside(all));
    out.push_str("| environment | what happens | |\n| --- | --- | --- |\n");
    let room = LIMIT / 3;
    for (i, one) in all.iter().enumerate() {
        let (words, mark) = row(one, drift);
        let line = format!("| **{}** | {} | {} |\n", escape(one.name), words, mark);
        if out.len() + line.len() > room {
            out.push_str(&format!("| and {} more | | |\n", thousands(all.len() - i)));
            break;
        }
        out.push_str(&line);
    }
    out.push('\n');
    mistakes(all, room, &mut out);
    results(all, room * 2, &mut out);
    let mut groups: Vec<(Vec<&str>, Told<'_>)> = vec![];
    for one in all {
        let Came::Plan(plan, _) = one.came else { continue };
        if plan.is_empty() {
            continue;
        }
        let planned = matches!(one.came, Came::Plan(_, Some(_)));
        let told = Told { title: String::new(), plan, sorts: one.sorts, planned, command };
        match groups.iter_mut().find(|(_, other)| is_same(other, &told)) {
            Some((names, _)) => names.push(one.name),
            None => groups.push((vec![one.name], told)),
        }
    }
    let told: Vec<Told<'_>> = groups.into_iter().map(|(names, told)| Told { title: listed(&names), ..told }).collect();
    let left = changes(&told, drift, &mut out);
    out.push_str(&left.words(LIMIT));
    out.push_str(&again(command));
    out
}

/// What is wrong in files, each at its line; the same in several environments once.
fn mistakes(all: &[One<'_>], room: usize, out: &mut String) {
    type Wrong<'w> = &'w [(String, String)];
    let mut once: Vec<(Vec<&str>, Wrong<'_>)> = vec![];
    for one in all {
        let Came::Wrong(_, wrong) = one.came else { continue };
        match once.iter_mut().find(|(_, other)| *other == wrong) {
            Some((names, _)) => names.push(one.name),
            None => once.push((vec![one.name], wrong)),
        }
    }
    for (names, wrong) in once {
        let title = format!("### {}: no plan\n\n", escape(&listed(&names)));
        if out.len() + title.len() > room * 2 {
            return;
        }
        out.push_str(&title);
        out.push_str(&super::wrong_list(wrong, room * 2));
        out.push('\n');
    }
}

/// What applies said at their ends: open where something failed, else folded.
fn results(all: &[One<'_>], room: usize, out: &mut String) {
    let of = |whole: bool| {
        all.iter().filter_map(move |one| match one.came {
            Came::Plan(_, Some(result)) if result.tally.is_whole() == whole => Some((one.name, result.text)),
            _ => None,
        })
    };
    for (name, text) in of(false) {
        let text = format!("### {}\n\n{}", escape(name), fence("", &super::cut(text, 3_000)));
        if out.len() + text.len() < room {
            out.push_str(&text);
        }
    }
    for (name, text) in of(true) {
        if out.len() < room {
            let text = fence("", &super::cut(text, 1_500));
            out.push_str(&format!("<details><summary>{}</summary>\n\n{text}</details>\n\n", escape(name)));
        }
    }
}

/// `50 environments: 3 blocked, 1 failed, 12 change, 34 as they should be`.
fn headline(all: &[One<'_>], drift: bool) -> String {
    let count = |holds: &dyn Fn(&Came<'_>) -> bool| all.iter().filter(|one| holds(&one.came)).count();
    let applied = |holds: &dyn Fn(&Tally) -> bool| count(&|c| matches!(c, Came::Plan(_, Some(result)) if holds(&result.tally)));
    let parts = [
        (count(&|c| matches!(c, Came::Failed(_) | Came::Wrong(..))) + applied(&|t| !t.is_whole() && t.is_nothing()), "failed"),
        (applied(&|t| !t.is_whole() && !t.is_nothing()), "applied in part"),
        (applied(&Tally::is_whole), "applied"),
        (count(&|c| matches!(c, Came::Plan(plan, None) if plan.is_blocked())), "blocked"),
        (
            count(&|c| matches!(c, Came::Plan(plan, None) if !plan.is_blocked() && !plan.is_empty())),
            if drift { "with drift" } else { "with changes" },
        ),
        (count(&|c| matches!(c, Came::Plan(plan, None) if plan.is_empty())), if drift { "without drift" } else { "without changes" }),
        (count(&|c| matches!(c, Came::NotTried)), "not tried"),
    ];
    let words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    format!("{}: {}", plural(all.len() as u64, "environment", "environments"), words.join(", "))
}

/// What happens, and what somebody should look at.
fn row(one: &One<'_>, drift: bool) -> (String, String) {
    match one.came {
        Came::NotTried => ("not tried".to_owned(), String::new()),
        Came::Failed(why) | Came::Wrong(why, _) => {
            (escape(&super::cut(why.lines().next().unwrap_or_default(), 200)), "**failed**".to_owned())
        }
        Came::Plan(_, Some(result)) => {
            let mark = match (result.tally.is_whole(), result.tally.is_nothing()) {
                (true, _) => "",
                (false, true) => "**failed**",
                (false, false) => "**in part**",
            };
            (escape(&result.tally.words()), mark.to_owned())
        }
        Came::Plan(plan, None) => {
            let lost = losing_data(plan);
            let mut marks = vec![];
            if lost > 0 {
                marks.push(format!("**loses data ({})**", thousands(lost)));
            }
            let guards = guards(plan).len();
            if guards > 0 {
                marks.push(format!("**blocked by {}**", plural(guards as u64, "guard", "guards")));
            }
            (format!("{}{}", said(plan, drift), one.sorts.map(shares).unwrap_or_default()), marks.join(", "))
        }
    }
}

/// Whose the changes of all are, in a line; empty where nobody asked.
fn beside(all: &[One<'_>]) -> String {
    let told: Vec<&Sorts> = all.iter().filter_map(|one| one.sorts).collect();
    let Some(first) = told.first() else { return String::new() };
    super::beside(first, |sort| told.iter().map(|sorts| sorts.count(sort)).sum())
}

/// `: 1 yours, 2 merged, not applied`, those that there are.
fn shares(sorts: &Sorts) -> String {
    let words = Sort::ALL.iter().map(|sort| (sorts.count(*sort), sort.words())).filter(|(count, _)| *count > 0);
    let words: Vec<String> = words.map(|(count, word)| format!("{} {word}", thousands(count))).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}

/// The first names, the others counted.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 6;
    if names.len() <= MOST {
        return names.join(", ");
    }
    format!("{} and {} more", names[..MOST - 1].join(", "), names.len() - (MOST - 1))
}

fn done(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()).collect()
}

/// What is told under one heading.
struct Told<'a> {
    title: String,
    plan: &'a Plan,
    sorts: Option<&'a Sorts>,
    /// It was applied since: what came of it is said above.
    planned: bool,
    /// The command over all.
    command: &'a str,
}

impl Told<'_> {
    fn page(&self, drift: bool) -> Page<'_> {
        Page { plan: self.plan, sorts: self.sorts, of: None, again: None, command: self.command, drift }
    }
}

/// Whether the same happens in both, and is the same one's doing, but for what objects are called.
fn is_same(one: &Told<'_>, other: &Told<'_>) -> bool {
    let sorts = |told: &Told<'_>| told.sorts.map(|sorts| sorts.steps.clone());
    let whose = sorts(one) == sorts(other);
    let (one, other) = (done(one.plan), done(other.plan));
    whose
        && one.len() == other.len()
        && one.iter().zip(&other).all(|(a, b)| {
            (&a.address, a.action, &a.changes, &a.forces, &a.loses, &a.moved_from, &a.because, &a.blocks)
                == (&b.address, b.action, &b.changes, &b.forces, &b.loses, &b.moved_from, &b.because, &b.blocks)
        })
}

/// What is lost anywhere, then a heading for each, with its changes by kind; all share the room.
fn changes(told: &[Told<'_>], drift: bool, out: &mut String) -> Left {
    let several = told.len() > 1;
    let pages: Vec<Page<'_>> = told.iter().map(|told| Page { of: several.then_some(told.title.as_str()), ..told.page(drift) }).collect();
    let mut room = LIMIT.saturating_sub(END + out.len());
    let mut left = steps::losses(&pages, &mut room, out);
    let pages: Vec<Page<'_>> = told.iter().map(|told| told.page(drift)).collect();
    let wants: Vec<(String, Vec<steps::Group<'_>>)> = told
        .iter()
        .zip(&pages)
        .map(|(Told { title, plan, planned, .. }, page)| {
            let done: Vec<&Step> = plan.steps.iter().filter(|s| s.action != Action::None && !is_grave(s)).collect();
            let what = match (done.is_empty(), drift) {
                (true, _) => String::new(),
                (false, true) => format!(": {} drifted", thousands(done.len())),
                (false, false) => format!(": {}{}", if *planned { "planned: " } else { "" }, actions(&done, plan)),
            };
            (format!("### {}{what}\n\n", escape(title)), steps::groups(page))
        })
        .collect();
    // Titles first: groups share what is left.
    let titles: usize = wants.iter().map(|(title, _)| title.len()).sum();
    let most = room.saturating_sub(titles);
    let sizes: Vec<usize> = wants.iter().map(|(_, groups)| steps::wanted(groups)).collect();
    for ((title, groups), share) in wants.iter().zip(steps::shares(&sizes, most)) {
        if groups.is_empty() {
            continue;
        }
        if title.len() + share > room {
            left.counted += groups.iter().map(steps::Group::len).sum::<usize>();
            continue;
        }
        out.push_str(title);
        let before = out.len();
        left.add(steps::put(groups, share, out));
        room = room.saturating_sub(title.len() + out.len() - before);
    }
    left
}
