//! What YAML and the workspace both changed since the last apply, where `adopt --write` leaves YAML as it is.

use super::answers::shell_word;
use super::change::{Row, Style, lay, row};
use super::style::{Label, Paint, quoted};
use super::text::plural;
use crate::diff::FieldChange;
use crate::model::Address;

/// The conflicts of one object.
#[derive(Debug, Clone, Copy)]
pub struct Conflict<'c> {
    /// Whose.
    pub address: &'c Address,
    /// The object's name.
    pub name: &'c str,
    /// What both changed: live, YAML, and what was applied last.
    pub changes: &'c [FieldChange],
}

/// All of them, with what to type; empty without any. `common`: what each command says of environment, project and state.
#[must_use]
pub fn section(conflicts: &[Conflict<'_>], common: &str, paint: Paint, width: usize) -> String {
    if conflicts.is_empty() {
        return String::new();
    }
    let count = plural(conflicts.iter().map(|c| c.changes.len() as u64).sum(), "conflict", "conflicts");
    let head = format!("error: {count}: YAML and the workspace both changed this since the last apply; the YAML is left as it is there");
    let mut out = format!("{}\n", paint.label(Label::Heading, &head));
    for Conflict { address, name, changes } in conflicts {
        let name = if name.is_empty() || *name == address.key { String::new() } else { format!("  {}", quoted(name)) };
        out.push_str(&format!("    {}{name}\n", paint.label(Label::Heading, &address.to_string())));
        let style = Style { paint, room: width.saturating_sub(6 + 26), fresh: false };
        let rows: Vec<Row> = changes.iter().map(|change| row(change, false, &style)).collect();
        out.push_str(&lay(&rows, 6, width));
        let word = shell_word(&address.to_string());
        for line in [
            format!("take the workspace's (-): brickform adopt {common} --write {word} --theirs"),
            format!("keep the YAML's (+):      brickform apply {common} --target {word}"),
            "or write both into the YAML by hand, then apply".to_owned(),
        ] {
            out.push_str(&format!("      {}\n", paint.label(Label::Dim, &line)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples::change;
    use super::{Conflict, section};
    use crate::diff::Reason;
    use crate::model::Address;
    use crate::report::style::Paint;

    #[test]
    fn both_sides_are_told_and_what_to_type() {
        let address = Address::new("spaces", "sales");
        let mut both = change("description", "\"by hand\"", "\"yaml\"", Reason::Conflict);
        both.applied = Some("first".into());
        let all = [Conflict { address: &address, name: "Bakery sales", changes: &[both] }];
        let shown = section(&all, "--env prod --state /x/s", Paint { colour: false }, 110);
        for part in [
            "error: 1 conflict: YAML and the workspace both changed this since the last apply",
            "    spaces.sales  \"Bakery sales\"\n",
            "\"by hand\" → \"yaml\"",
            "last applied \"first\"",
            "take the workspace's (-): brickform adopt --env prod --state /x/s --write spaces.sales --theirs\n",
            "keep the YAML's (+):      brickform apply --env prod --state /x/s --target spaces.sales\n",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert_eq!(section(&[], "--env prod", Paint { colour: false }, 110), "");
    }
}
