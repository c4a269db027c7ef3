//! What `lifecycle.merge` keeps as the workspace has it: shown beside a plan, never as something that it does.

use super::answers::{common, shell_word};
use super::change::{Row, Style, lay, row};
use super::item::said;
use super::style::{Label, Paint, quoted};
use super::text::{Look, plural};
use crate::diff::{FieldChange, Reason};
use crate::plan::{Plan, Step};

/// What happened in the workspace, in a few words.
#[must_use]
pub fn how(change: &FieldChange) -> &'static str {
    match (&change.old, &change.new) {
        (_, None) => "added in the workspace",
        (None, _) => "removed in the workspace",
        _ => "set in the workspace",
    }
}

/// A kept field or item as a line: where it is, and what happened to it.
#[must_use]
pub fn line(change: &FieldChange) -> String {
    format!("{}: {}", said(&change.path), how(change))
}

/// The command that takes what is kept into YAML; none where no file can say it by itself. `common`: as [`common`] gives it.
#[must_use]
pub fn command(step: &Step, common: &str) -> Option<String> {
    let word = shell_word(&step.address.to_string());
    step.address.instance.is_none().then(|| format!("brickform adopt {common} --write {word}"))
}

/// The steps that keep something.
pub fn steps(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(|step| !step.kept.is_empty())
}

/// How many fields are kept, and of how many addresses.
#[must_use]
pub fn counted(plan: &Plan) -> String {
    let (fields, addresses) = (steps(plan).map(|s| s.kept.len()).sum::<usize>(), steps(plan).count());
    format!("{} of {}", plural(fields as u64, "edit", "edits"), plural(addresses as u64, "address", "addresses"))
}

/// The section of a plan; empty where nothing is kept.
#[must_use]
pub fn section(plan: &Plan, look: &Look<'_>) -> String {
    if steps(plan).next().is_none() {
        return String::new();
    }
    let paint = Paint { colour: look.colour };
    let common = common(&plan.environment, look.given);
    let mut out = format!("{}\n", paint.label(Label::Heading, &format!("Kept from the workspace: {} (lifecycle.merge)", counted(plan))));
    for step in steps(plan) {
        let name = if step.name.is_empty() || step.name == step.address.key { String::new() } else { format!("  {}", quoted(&step.name)) };
        out.push_str(&format!("    {}{name}\n", paint.label(Label::Heading, &step.address.to_string())));
        let style = Style { paint, room: look.width.saturating_sub(6 + 26), fresh: false };
        let rows: Vec<Row> = step.kept.iter().map(|change| kept_row(change, &style)).collect();
        out.push_str(&lay(&rows, 6, look.width));
        let accept = command(step, &common).map(|command| format!("into YAML: {command}"));
        let back = "put back:  take `merge: true` out of its lifecycle, then apply".to_owned();
        for line in accept.into_iter().chain([back]) {
            out.push_str(&format!("      {}\n", paint.label(Label::Dim, &line)));
        }
        out.push('\n');
    }
    out
}

/// From what YAML says to what the workspace has.
fn kept_row(change: &FieldChange, style: &Style) -> Row {
    let turned = FieldChange { old: change.new.clone(), new: change.old.clone(), reason: Reason::Changed, ..change.clone() };
    let mut row = row(&turned, false, style);
    row.note = style.paint.label(Label::Drift, &format!("kept: {}", how(change)));
    row
}

#[cfg(test)]
mod tests {
    use super::super::samples::{change, step};
    use super::{line, section};
    use crate::diff::Reason;
    use crate::plan::Action;
    use crate::report::answers::Given;
    use crate::report::samples;
    use crate::report::text::Look;

    #[test]
    fn what_is_kept_reads_from_yaml_to_the_workspace() {
        let mut kept = step("spaces.sales", Action::None, "Bakery sales");
        kept.kept = vec![
            change("description", "\"by hand\"", "\"yaml\"", Reason::Drift),
            change(r#"sample_questions[question="Who?"]"#, r#"{"question":"Who?"}"#, "", Reason::Drift),
            change(r#"instructions.example_sql[question="Top"].sql"#, "", "\"SELECT 1\"", Reason::Drift),
        ];
        let plan = samples::plan(vec![kept.clone()]);
        let look = Look {
            colour: false,
            width: 110,
            unmanaged: false,
            requests: false,
            drift: false,
            saved: false,
            millis: None,
            sorts: None,
            given: Given::Nothing,
        };
        let shown = section(&plan, &look);
        for part in [
            "Kept from the workspace: 3 edits of 1 address (lifecycle.merge)\n",
            "    spaces.sales  \"Bakery sales\"\n",
            "\"yaml\" → \"by hand\"",
            "kept: set in the workspace",
            "sample question \"Who?\"",
            "kept: added in the workspace",
            "kept: removed in the workspace",
            "into YAML: brickform adopt --env prod --write spaces.sales\n",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert_eq!(line(&kept.kept[2]), "example question \"Top\" sql: removed in the workspace");
        assert_eq!(section(&samples::plan(vec![]), &look), "");
        let elsewhere = section(&plan, &Look { given: Given::Command("brickform plan --state /x/s"), ..look });
        assert!(elsewhere.contains("into YAML: brickform adopt --env prod --state /x/s --write spaces.sales\n"), "{elsewhere}");
    }
}
