//! What stands around a plan wherever it is told (a comment, a page), and how what it does is counted in words.

use super::outcome::Applied;
use crate::kinds::{Loss, Registry};
use crate::model::Address;
use crate::plan::between::Sorts;
use crate::plan::{Action, Counts, Plan, Step};

/// What stands around a plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The command that gives this plan again.
    pub command: &'a str,
    /// The digest of the plan.
    pub digest: &'a str,
    /// The commit that was planned.
    pub commit: Option<&'a str>,
    /// What an apply came to.
    pub result: Option<Applied<'a>>,
    /// The page of the pipeline's run.
    pub run: Option<&'a str>,
    /// Whose each change is, where a base was named.
    pub sorts: Option<&'a Sorts>,
    /// Only what changed behind its back was asked for.
    pub drift: bool,
    /// When a plan in a file was made, and until when it holds.
    pub held: Option<(&'a str, &'a str)>,
    /// What needs what, for what does not change but stands beside what does: (needs, needed).
    pub needs: &'a [(Address, Address)],
}

/// Counts in words, those that are not zero, in the order in which they are told everywhere: `2 to add`, `1 moved`.
#[must_use]
pub fn counted(counts: &Counts) -> Vec<String> {
    let all = [
        (counts.add, "to add"),
        (counts.change, "to change"),
        (counts.replace, "to replace"),
        (counts.delete, "to delete"),
        (counts.adopt, "adopted"),
        (counts.moved, "moved"),
        (counts.forget, "forgotten"),
    ];
    all.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", thousands(*n))).collect()
}

/// What a plan does, in a line: `1 to add, 2 to change`.
#[must_use]
pub fn counts(plan: &Plan) -> String {
    let words = counted(&plan.counts());
    if words.is_empty() { "no changes".to_owned() } else { words.join(", ") }
}

/// What will happen to a step, in words that follow a number.
#[must_use]
pub fn to_do(action: Action) -> &'static str {
    match action {
        Action::None => "blocked",
        Action::Create => "to add",
        Action::Update => "to change",
        Action::Replace | Action::ReplaceNewFirst => "to replace",
        Action::Delete => "to delete",
        Action::Adopt => "adopted",
        Action::Move => "moved",
        Action::Forget => "forgotten",
    }
}

/// What is counted for a step, which comes behind these: nothing for a part of an object that is counted by itself.
fn word_of(step: &Step, before: &[&Step], plan: &Plan) -> Option<&'static str> {
    if !step.address.is_facet() {
        return Some(to_do(step.action));
    }
    let owner = step.address.parent();
    let stays = |action| matches!(action, Action::None | Action::Adopt | Action::Move | Action::Forget);
    // Steps are in address order: parts follow their object.
    let own = plan.steps.binary_search_by(|s| s.address.cmp(&owner)).map_or(Action::None, |at| plan.steps[at].action);
    let mut beside = before.iter().rev().take_while(|s| s.address.parent() == owner);
    let is_first = before.last().is_none_or(|s| s.address.parent() != owner);
    let is_counted = beside.any(|s| s.address.is_facet() && !stays(s.action));
    if is_counted || !stays(own) {
        return None;
    }
    if !stays(step.action) {
        return Some(to_do(Action::Update));
    }
    (own == Action::None && is_first).then(|| to_do(step.action))
}

/// `3 to add, 1 to delete`, in the order of the first of each: of objects, as [`counts`] has them. `steps` are some of the plan's.
#[must_use]
pub fn actions(steps: &[&Step], plan: &Plan) -> String {
    let mut words: Vec<(&str, usize)> = vec![];
    for (place, step) in steps.iter().enumerate() {
        let Some(word) = word_of(step, &steps[..place], plan) else { continue };
        match words.iter_mut().find(|(w, _)| *w == word) {
            Some((_, n)) => *n += 1,
            None => words.push((word, 1)),
        }
    }
    words.iter().map(|(word, n)| format!("{} {word}", thousands(*n))).collect::<Vec<_>>().join(", ")
}

/// Something goes away.
#[must_use]
pub fn is_grave(step: &Step) -> bool {
    matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst) || step.loses.is_some()
}

/// How many steps of a plan lose data. A history that goes is no data: nothing asks for a flag.
#[must_use]
pub fn losing_data(plan: &Plan) -> usize {
    let registry = Registry::standard();
    let holds_data = |step: &&Step| registry.get(&step.kind).is_some_and(|kind| matches!(kind.loss, Loss::Data(_)));
    plan.steps.iter().filter(|step| step.loses.is_some()).filter(holds_data).count()
}

/// `2,000`.
#[must_use]
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{counts, losing_data, thousands};
    use crate::plan::Action;
    use crate::report::samples;

    #[test]
    fn a_history_is_no_data() {
        for (address, what, want) in [("jobs.a", "its run history", 0), ("catalogs.a", "every schema and table in it", 1)] {
            let mut step = samples::step(address, Action::Delete, "a");
            step.loses = Some(what.to_owned());
            assert_eq!(losing_data(&samples::plan(vec![step])), want, "{address}");
        }
    }

    #[test]
    fn counts_read_as_words() {
        let step = |at: &str, action| samples::step(at, action, "x");
        assert_eq!(counts(&samples::plan(vec![])), "no changes");
        assert_eq!(counts(&samples::plan(vec![step("jobs.a", Action::Delete), step("jobs.b", Action::Create)])), "1 to add, 1 to delete");
        for (number, want) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), want);
        }
    }
}
