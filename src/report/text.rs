//! A plan as text: what will happen, why, what is lost, what to type next.
//!
//! The same plan gives the same bytes, but for the time, which the caller adds on a terminal only.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{Given, answers, common};
use super::change::{Style, lay, row};
use super::kept;
use super::step;
use super::style::{Label, Paint, columns, spread, wrap};
use super::untold;
use super::value::inline;
use crate::diagnostic::Span;
use crate::diff::Reason;
use crate::model::Address;
use crate::plan::between::{Sort, Sorted, Sorts};
use crate::plan::{Action, Block, Counts, DELETED, Pinning, Plan, Step, short};

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// With colour.
    pub colour: bool,
    /// Columns.
    pub width: usize,
    /// List unmanaged fields too.
    pub unmanaged: bool,
    /// List the requests of each step.
    pub requests: bool,
    /// Only what changed behind its back is of interest (`drift`).
    pub drift: bool,
    /// It comes from a file: what was read then is not said.
    pub saved: bool,
    /// How long reading took, in milliseconds; none: not said.
    pub millis: Option<u64>,
    /// Whose each change is, where a base was named.
    pub sorts: Option<&'a Sorts>,
    /// What chooses project and state, for every command that is printed.
    pub given: Given<'a>,
}

impl Look<'_> {
    fn paint(&self) -> Paint {
        Paint { colour: self.colour }
    }
}

/// The steps of a plan that files alone made, as a plan shows them; nothing where there are none.
#[must_use]
pub fn steps(plan: &Plan, look: &Look<'_>) -> String {
    let sections = Sections::of(plan);
    let mut out = String::new();
    for step in &sections.yaml {
        let nested = sections.nested.get(&step.address).map_or(&[][..], Vec::as_slice);
        one(step, nested, plan, look, &mut out);
        out.push('\n');
    }
    out.push_str(&legend(&sections, look));
    out
}

/// The plan for a person.
#[must_use]
pub fn plan(plan: &Plan, look: &Look<'_>) -> String {
    let counts = plan.counts();
    let mut out = String::new();
    if plan.is_empty() {
        out.push_str(&nothing(plan, &counts, look));
        uncompared(plan, look, &mut out);
        if counts.kept > 0 {
            out.push('\n');
            out.push_str(kept::section(plan, look).trim_end());
            out.push('\n');
        }
        unmanaged(plan, look, &mut out);
        warnings(plan, look, &mut out);
        return out;
    }
    header(plan, &counts, look, &mut out);
    let sections = Sections::of(plan);
    sections.write(plan, look, &mut out);
    if !look.drift {
        out.push_str(&kept::section(plan, look));
    }
    unmanaged(plan, look, &mut out);
    out.push_str(&legend(&sections, look));
    if look.drift {
        let (n, all) = (counts.drifted, plan.steps.len());
        out.push_str(&format!("Drift: {n} of {all} addresses differ from what was applied last. Nothing was changed.\n"));
        if counts.kept > 0 {
            out.push_str(&format!("An apply keeps {} as the workspace has them (lifecycle.merge).\n", kept::counted(plan)));
        }
    } else {
        out.push_str(&totals(plan, &counts));
    }
    uncompared(plan, look, &mut out);
    out.push_str(&look.sorts.map(whose).unwrap_or_default());
    warnings(plan, look, &mut out);
    out.push_str(&told(plan));
    blocks(plan, look, &mut out);
    out
}

/// Whose the changes are, counted by address.
fn whose(sorts: &Sorts) -> String {
    let words: Vec<String> = Sort::ALL.iter().map(|sort| format!("{} {}", sorts.count(*sort), sort.words())).collect();
    format!("Beside {} ({}): {}.\n", sorts.base, sorts.commit.get(..12).unwrap_or(&sorts.commit), words.join("; "))
}

/// What was waived for this plan, and what becomes of the pin: a line each.
fn told(plan: &Plan) -> String {
    let mut out = String::new();
    if !plan.lifted.is_empty() {
        out.push_str(&format!("Guards lifted: {}\n", plan.lifted.iter().cloned().collect::<Vec<_>>().join(" ")));
    }
    if let Some(line) = pinning(plan) {
        out.push_str(&format!("{line}\n"));
    }
    out
}

/// What becomes of the environment's pin, a sentence; none where it stays.
#[must_use]
pub fn pinning(plan: &Plan) -> Option<String> {
    match &plan.pinning {
        Pinning::Stays => None,
        Pinning::Set(pin) => Some(format!(
            "Pins {} to commit {}: what was rolled back is refused until Git takes it back too (or `--unpin`).",
            plan.environment,
            short(&pin.to)
        )),
        Pinning::Lifted => Some(format!("Unpins {}: commits are applied again as they come.", plan.environment)),
    }
}

/// Secrets of which nothing is known.
fn uncompared(plan: &Plan, look: &Look<'_>, out: &mut String) {
    for line in untold::lines(plan) {
        for (i, line) in wrap(&format!("Not compared: {line}"), look.width.saturating_sub(2)).iter().enumerate() {
            out.push_str(&format!("{}{line}\n", if i == 0 { "" } else { "  " }));
        }
    }
}

/// What policies and the order of commits warn of.
fn warnings(plan: &Plan, look: &Look<'_>, out: &mut String) {
    let paint = look.paint();
    for warning in &plan.warnings {
        let flag = warning.remedy.first().filter(|remedy| remedy.starts_with("--")).map(|flag| format!(" ({flag})")).unwrap_or_default();
        for (i, line) in wrap(&format!("{}{flag}", warning.reason), look.width.saturating_sub(9)).iter().enumerate() {
            let start = if i == 0 { paint.label(Label::Drift, "warning:") } else { "        ".to_owned() };
            out.push_str(&format!("{start} {line}\n"));
        }
    }
}

fn reads(plan: &Plan, look: &Look<'_>) -> String {
    if look.saved {
        return "from a file".to_owned();
    }
    if !plan.refreshed {
        return "nothing was read: --refresh=false".to_owned();
    }
    let time = look.millis.map(|m| format!(" in {}", super::outcome::seconds(m))).unwrap_or_default();
    let ahead = plan.looked_ahead.map(|n| format!(", {} looked for", plural(n, "name", "names"))).unwrap_or_default();
    format!("{}{ahead}{time}", plural(plan.requests, "read", "reads"))
}

fn nothing(plan: &Plan, counts: &Counts, look: &Look<'_>) -> String {
    let what = if look.drift {
        "no drift"
    } else if plan.destroy {
        "nothing to destroy"
    } else {
        "no changes"
    };
    let unmanaged = match counts.unmanaged {
        0 => String::new(),
        _ if look.unmanaged => String::new(),
        n => format!(" {} (--unmanaged).", plural(n as u64, "unmanaged field", "unmanaged fields")),
    };
    let kept = if counts.kept > 0 { format!(" Kept from the workspace: {}.", kept::counted(plan)) } else { String::new() };
    format!(
        "{}: {what}. {} ({}).{kept}{unmanaged}{}\n",
        plan.environment,
        if counts.total == 1 { "1 resource matches".to_owned() } else { format!("{} resources match", counts.total) },
        reads(plan, look),
        left_out(plan)
    )
}

fn left_out(plan: &Plan) -> String {
    match plan.left_out {
        0 => String::new(),
        n => format!(" {} left out (--target, --exclude).", plural(n as u64, "address", "addresses")),
    }
}

fn header(plan: &Plan, counts: &Counts, look: &Look<'_>, out: &mut String) {
    let paint = look.paint();
    out.push_str(&format!(
        "{} · {} · state serial {} · {}, {}\n",
        paint.label(Label::Heading, &plan.environment),
        plan.workspace.host,
        plan.serial,
        plural(counts.total as u64, "resource", "resources"),
        reads(plan, look)
    ));
    out.push_str(&paint.label(Label::Dim, &format!("state: {}", plan.state_place)));
    out.push_str("\n\n");
}

/// Steps by section; facets of new parents are shown inside them.
struct Sections<'a> {
    drift: Vec<&'a Step>,
    yaml: Vec<&'a Step>,
    nested: BTreeMap<Address, Vec<&'a Step>>,
}

impl<'a> Sections<'a> {
    fn of(plan: &'a Plan) -> Self {
        let parents = |action: Action| -> BTreeSet<&Address> {
            plan.steps.iter().filter(|s| s.action == action && !s.address.is_facet()).map(|s| &s.address).collect()
        };
        let (fresh, deleted, moved) = (parents(Action::Create), parents(Action::Delete), parents(Action::Move));
        let mut sections = Self { drift: vec![], yaml: vec![], nested: BTreeMap::new() };
        for step in plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()) {
            let parent = step.address.parent();
            let with_parent = match step.action {
                Action::Create => fresh.contains(&parent),
                Action::Forget => deleted.contains(&parent),
                Action::Move => moved.contains(&parent),
                _ => false,
            };
            if step.address.is_facet() && with_parent && step.blocks.is_empty() {
                sections.nested.entry(parent).or_default().push(step);
            } else if behind_its_back(step) {
                sections.drift.push(step);
            } else {
                sections.yaml.push(step);
            }
        }
        sections
    }

    fn write(&self, plan: &Plan, look: &Look<'_>, out: &mut String) {
        let back = if look.drift { "" } else { ", put back by this plan" };
        let heading = if plan.destroy { "To be destroyed" } else { "Changed in YAML" };
        self.section(&format!("Changed behind its back ({}){back}", self.drift.len()), &self.drift, plan, look, out);
        self.section(&format!("{heading} ({})", self.yaml.len()), &self.yaml, plan, look, out);
    }

    fn section(&self, title: &str, steps: &[&Step], plan: &Plan, look: &Look<'_>, out: &mut String) {
        if steps.is_empty() {
            return;
        }
        out.push_str(&look.paint().label(Label::Heading, title));
        out.push('\n');
        for step in steps {
            let nested = self.nested.get(&step.address).map_or(&[][..], Vec::as_slice);
            one(step, nested, plan, look, out);
            out.push('\n');
        }
    }
}

/// Whether everything in a step comes from the workspace, nothing from YAML.
pub(super) fn behind_its_back(step: &Step) -> bool {
    let drifted = !step.changes.is_empty() && step.changes.iter().all(|c| c.reason == Reason::Drift);
    drifted || step.because.as_deref() == Some(DELETED)
}

pub(super) fn one(step: &Step, nested: &[&Step], plan: &Plan, look: &Look<'_>, out: &mut String) {
    let paint = look.paint();
    let sorted = look.sorts.and_then(|sorts| sorts.steps.get(&step.address));
    out.push_str(&step::heading(step, sorted.map(Sorted::words).as_deref(), paint, look.width));
    let style = Style { paint, room: look.width.saturating_sub(6 + 26), fresh: step.action == Action::Create };
    let mut rows: Vec<_> = step.changes.iter().map(|c| row(c, step.forces.contains(&c.path), &style)).collect();
    if look.drift {
        for (row, _) in rows.iter_mut().zip(&step.changes).filter(|(_, c)| step.kept.iter().any(|k| k.path == c.path)) {
            row.note.push_str(", kept");
        }
    }
    // Said once where all are of one sort.
    if let Some(sorted) = sorted.filter(|s| s.changes.iter().any(|sort| *sort != s.step)) {
        for (row, sort) in rows.iter_mut().zip(&sorted.changes).filter(|(_, sort)| **sort != Sort::Drift) {
            let words = paint.label(Label::Dim, sort.words());
            row.note = if row.note.is_empty() { words } else { format!("{}  {words}", row.note) };
        }
    }
    rows.extend(nested.iter().filter(|f| f.action != Action::Move).map(|facet| step::facet_row(facet, &style)));
    out.push_str(&lay(&rows, 6, look.width));
    let unchanged = step::unchanged(step);
    if unchanged > 0 {
        let text = format!("({} unchanged)", plural(unchanged as u64, "field", "fields"));
        out.push_str(&format!("      {}\n", paint.label(Label::Dim, &text)));
    }
    // The guard that stands in the way says what is lost.
    let said = |loses: &str| step.blocks.iter().any(|b| b.reason.contains(loses));
    if let Some(loses) = step.loses.as_ref().filter(|l| !said(l)) {
        out.push_str(&format!("      {}\n", paint.label(Label::Remove, &format!("lost with it: {loses}"))));
    }
    // What an apply would do besides is of no interest where only drift is asked for.
    for note in step.told().filter(|_| !look.drift) {
        for (i, line) in wrap(note, look.width.saturating_sub(8)).iter().enumerate() {
            out.push_str(&format!("      {}{}\n", if i == 0 { "" } else { "  " }, paint.label(Label::Dim, line)));
        }
    }
    let firm = step.blocks.iter().any(|b| !is_lifted_by_flag(b));
    for block in &step.blocks {
        blocked(block, firm && is_lifted_by_flag(block), look, out);
    }
    if !plan.destroy {
        for line in answers(step, &common(&plan.environment, look.given)) {
            out.push_str(&format!("      {}\n", paint.label(Label::Dim, &line)));
        }
    }
    if look.requests {
        let mut lines: Vec<String> = std::iter::once(&step).chain(nested).flat_map(|s| step::requests(s)).collect();
        if lines.is_empty() {
            lines.push("sends nothing".to_owned());
        }
        lines.extend(nested.iter().flat_map(|facet| facet.told().cloned()));
        for line in lines {
            out.push_str(&format!("      {}\n", paint.label(Label::Dim, &line)));
        }
    }
}

/// `besides`: another guard stands on the same step, which no flag lifts.
fn blocked(block: &Block, besides: bool, look: &Look<'_>, out: &mut String) {
    let paint = look.paint();
    // On a wide screen the word stays beside what is blocked.
    let width = look.width.min(super::step::WIDEST);
    let lines = wrap(&block.reason, width.saturating_sub(8 + 2 + 7));
    for (i, line) in lines.iter().enumerate() {
        let sign = if i == 0 { "! " } else { "  " };
        let text = format!("      {}", paint.label(Label::Blocked, &format!("{sign}{line}")));
        let right = if i + 1 == lines.len() { paint.label(Label::Blocked, "BLOCKED") } else { String::new() };
        out.push_str(&spread(&text, &right, width, 8));
        out.push('\n');
    }
    if let Some(place) = block.place.as_ref().map(Span::cite).filter(|place| !block.reason.contains(place)) {
        out.push_str(&format!("        --> {place}\n"));
    }
    for line in block.remedy.iter().flat_map(|r| r.lines()) {
        let then = if besides && line.starts_with("--") { "then also " } else { "" };
        out.push_str(&format!("        {then}{line}\n"));
    }
}

fn unmanaged(plan: &Plan, look: &Look<'_>, out: &mut String) {
    let with: Vec<&Step> = plan.steps.iter().filter(|s| !s.unmanaged.is_empty()).collect();
    if !look.unmanaged || with.is_empty() {
        return;
    }
    let paint = look.paint();
    let count: usize = with.iter().map(|s| s.unmanaged.len()).sum();
    out.push_str(&paint.label(Label::Heading, &format!("Unmanaged ({count}): set in the workspace, never in YAML; left as it is")));
    out.push('\n');
    for step in with {
        out.push_str(&format!("    {}\n", step.address));
        let rows: Vec<_> = step
            .unmanaged
            .iter()
            .map(|(path, value)| super::change::Row { path: path.to_string(), value: inline(value), below: vec![], note: String::new() })
            .collect();
        out.push_str(&lay(&rows, 6, look.width));
    }
    out.push('\n');
}

/// The symbols in use that do not speak for themselves, in one line; nothing where there are none.
fn legend(sections: &Sections<'_>, look: &Look<'_>) -> String {
    let paint = look.paint();
    let mut parts = vec![];
    for (action, word) in step::LEGEND {
        if sections.drift.iter().chain(&sections.yaml).any(|s| s.action == *action) {
            let (symbol, label) = step::symbol(*action);
            parts.push(format!("{} {word}", paint.label(label, symbol)));
        }
    }
    if parts.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    let mut taken = 0;
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            let fits = taken + 3 + columns(part) <= look.width;
            out.push_str(if fits { "   " } else { "\n" });
            taken = if fits { taken + 3 } else { 0 };
        }
        out.push_str(part);
        taken += columns(part);
    }
    out.push('\n');
    out
}

fn totals(plan: &Plan, counts: &Counts) -> String {
    let mut first = vec![format!("{} to add", counts.add), format!("{} to change", counts.change)];
    if counts.replace > 0 {
        first.push(format!("{} to replace", counts.replace));
    }
    first.push(format!("{} to delete", counts.delete));
    let mut groups = vec![first.join(", ")];
    let records: Vec<String> = [(counts.moved, "moved"), (counts.adopt, "adopted"), (counts.forget, "forgotten")]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    groups.extend((!records.is_empty()).then(|| records.join(", ")));
    groups.extend((counts.drifted > 0).then(|| format!("{} drifted, put back", counts.drifted)));
    groups.extend((counts.kept > 0).then(|| format!("{} kept from the workspace", counts.kept)));
    groups.extend((counts.blocked > 0).then(|| format!("{} blocked", counts.blocked)));
    groups.extend(
        (counts.unmanaged > 0).then(|| format!("{} (--unmanaged)", plural(counts.unmanaged as u64, "unmanaged field", "unmanaged fields"))),
    );
    format!("Plan: {}.{}\n", groups.join("; "), left_out(plan))
}

fn blocks(plan: &Plan, look: &Look<'_>, out: &mut String) {
    if !plan.is_blocked() {
        return;
    }
    for block in &plan.blocks {
        blocked(block, false, look, out);
    }
    let resources = plan.steps.iter().filter(|s| !s.blocks.is_empty()).count();
    let count = plan.blocks.len() + plan.steps.iter().map(|s| s.blocks.len()).sum::<usize>();
    let on = if count == resources { String::new() } else { on(plan.blocks.len(), resources) };
    let text = format!("Blocked by {}{on}: nothing will be sent. Exit code 6.", plural(count as u64, "guard", "guards"));
    out.push_str(&look.paint().label(Label::Blocked, &text));
    out.push('\n');
    let flags = flags(plan);
    let firm = plan.steps.iter().flat_map(|s| &s.blocks).chain(&plan.blocks).filter(|b| !is_lifted_by_flag(b)).count();
    match (flags.is_empty(), firm) {
        (true, _) => {}
        (false, 0) => out.push_str(&format!("If that is what you want, add: {}\n", flags.join(" "))),
        (false, n) => out.push_str(&format!(
            "No flag lifts {}; for the rest, if that is what you want, add: {}\n",
            plural(n as u64, "of them: do first what stands below it", "of them: do first what stands below each"),
            flags.join(" ")
        )),
    }
}

/// ` on 1 resource`, where guards and resources are not the same number.
fn on(whole: usize, resources: usize) -> String {
    let some = plural(resources as u64, "resource", "resources");
    match (whole, resources) {
        (_, 0) => " on the whole plan".to_owned(),
        (0, _) => format!(" on {some}"),
        _ => format!(" on {some} and the whole plan"),
    }
}

/// Whether a flag lifts the guard.
fn is_lifted_by_flag(block: &Block) -> bool {
    block.remedy.iter().any(|remedy| remedy.starts_with("--"))
}

/// The flags that lift guards, each once, in the order of the plan.
fn flags(plan: &Plan) -> Vec<&str> {
    let blocks = plan.steps.iter().flat_map(|s| &s.blocks).chain(&plan.blocks);
    let mut flags = vec![];
    for remedy in blocks.flat_map(|b| &b.remedy).filter(|r| r.starts_with("--")) {
        if !flags.contains(&remedy.as_str()) {
            flags.push(remedy.as_str());
        }
    }
    flags
}

/// `1 read`, `2 reads`.
#[must_use]
pub fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
