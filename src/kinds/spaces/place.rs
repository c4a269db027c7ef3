//! Where a path of YAML's form stands in the serialised space.

use super::form::{Form, SECTIONS, Shape, Wire};
use crate::model::{Path, Step};

/// The same place in the serialised space: `tables[1].columns[0].name` is `data_sources.tables[1].column_configs[0].column_name`.
/// What has no other name stays as it is, and what stands in `more` has its place beside the other members.
pub(super) fn wire_path(path: &Path) -> Path {
    let steps = path.steps();
    if let Some((Step::Field(first), rest)) = steps.split_first()
        && first == "serialized_space"
    {
        return Path::from(rest.to_vec());
    }
    for section in SECTIONS {
        if let Some(rest) = steps.strip_prefix(fields(section.at).as_slice()) {
            let mut found = fields(section.given());
            match rest.split_first() {
                Some((item, below)) if !matches!(item, Step::Field(_)) => {
                    found.push(item.clone());
                    match taken_apart(section.at, below) {
                        Some(theirs) => found.extend(theirs),
                        None => inside(section.form, below, &mut found),
                    }
                }
                _ => found.extend(rest.iter().cloned()),
            }
            return Path::from(found);
        }
    }
    for (ours, theirs) in [("text", "content"), ("text_id", "id")] {
        if steps.starts_with(&fields(&["instructions", ours])) {
            let first = [fields(&["instructions", "text_instructions"]), vec![Step::Index(0)]].concat();
            return Path::from(first).join(Step::Field(theirs.to_owned()));
        }
    }
    for (ours, theirs) in LEVELS {
        if let Some(rest) = steps.strip_prefix(fields(ours).as_slice()) {
            return Path::from([fields(theirs).as_slice(), beside(rest)].concat());
        }
    }
    Path::from(beside(steps).to_vec())
}

/// Levels that are no parts, and where they stand in the serialised space: the deeper one first.
pub(super) const LEVELS: [(&[&str], &[&str]); 2] =
    [(&["instructions", "snippets"], &["instructions", "sql_snippets"]), (&["instructions"], &["instructions"])];

/// What stands in `more`, without it.
fn beside(steps: &[Step]) -> &[Step] {
    match steps.split_first() {
        Some((Step::Field(name), rest)) if name == "more" => rest,
        _ => steps,
    }
}

fn fields(words: &[&str]) -> Vec<Step> {
    words.iter().map(|word| Step::Field((*word).to_owned())).collect()
}

/// The place of what an item of the API holds in a structure: the sides and the SQL of a join, the answer of a benchmark.
fn taken_apart(list: &[&str], steps: &[Step]) -> Option<Vec<Step>> {
    let (Step::Field(name), rest) = steps.split_first()? else { return None };
    let (member, below) = match (list, name.as_str()) {
        (["instructions", "joins"], "condition") => ("sql", vec![Step::Index(0)]),
        (["instructions", "joins"], "relationship") => ("sql", vec![Step::Index(1)]),
        (["instructions", "joins"], "left_alias") => ("left", fields(&["alias"])),
        (["instructions", "joins"], "right_alias") => ("right", fields(&["alias"])),
        (["instructions", "joins"], side @ ("left" | "right")) => (side, fields(&["identifier"])),
        (["benchmarks"], "sql") => ("answer", vec![Step::Index(0), Step::Field("content".to_owned())]),
        _ => return None,
    };
    Some([fields(&[member]), below, rest.to_vec()].concat())
}

fn inside(form: &Form, steps: &[Step], found: &mut Vec<Step>) {
    let Some((first, rest)) = steps.split_first() else { return };
    let Step::Field(name) = first else {
        found.push(first.clone());
        return inside(form, rest, found);
    };
    if name == "more" {
        found.extend(rest.iter().cloned());
        return;
    }
    let Some(member) = form.members.iter().find(|m| m.name == name.as_str()) else {
        found.extend(steps.iter().cloned());
        return;
    };
    let wire = if member.wire(Wire::Serialised).is_empty() { member.name } else { member.wire(Wire::Serialised) };
    found.push(Step::Field(wire.into()));
    match member.shape {
        Shape::Parts(below) => inside(below, rest, found),
        Shape::Same | Shape::Prose | Shape::Line | Shape::Words | Shape::Initial | Shape::Local => found.extend(rest.iter().cloned()),
    }
}

#[cfg(test)]
mod tests {
    use super::wire_path;

    #[test]
    fn names_are_those_of_the_api() {
        for (yaml, wire) in [
            ("tables[1]", "data_sources.tables[1]"),
            ("tables[1].columns[0].name", "data_sources.tables[1].column_configs[0].column_name"),
            ("instructions.example_sql[2].question", "instructions.example_question_sqls[2].question"),
            ("instructions.functions[0].identifier", "instructions.sql_functions[0].identifier"),
            ("instructions.text", "instructions.text_instructions[0].content"),
            ("instructions.text_id", "instructions.text_instructions[0].id"),
            ("title", "title"),
            ("serialized_space.version", "version"),
        ] {
            assert_eq!(wire_path(&yaml.parse().expect("a path")).to_string(), wire);
        }
    }

    #[test]
    fn what_is_unknown_is_beside_what_is_known() {
        for (yaml, wire) in [
            ("tables[1].desciption", "data_sources.tables[1].desciption"),
            ("tables[1].columns[0].colour.hue", "data_sources.tables[1].column_configs[0].colour.hue"),
            ("tables[1].more.desciption", "data_sources.tables[1].desciption"),
            ("benchmarks[0].more.answer[1].speed", "benchmarks.questions[0].answer[1].speed"),
            ("instructions.joins[0].more.right.shape", "instructions.join_specs[0].right.shape"),
            ("more.data_source", "data_source"),
            ("more.benchmarks.questions[0].anwser", "benchmarks.questions[0].anwser"),
            ("instructions.more.tone", "instructions.tone"),
            ("instructions.snippets.more.order", "instructions.sql_snippets.order"),
            ("instructions.snippets.dimensions[0]", "instructions.sql_snippets.dimensions[0]"),
        ] {
            assert_eq!(wire_path(&yaml.parse().expect("a path")).to_string(), wire);
        }
    }

    #[test]
    fn what_the_api_has_in_structures_is_there() {
        for (yaml, wire) in [
            ("instructions.joins[2].relationship", "instructions.join_specs[2].sql[1]"),
            ("instructions.joins[2].condition", "instructions.join_specs[2].sql[0]"),
            ("instructions.joins[2].left", "instructions.join_specs[2].left.identifier"),
            ("instructions.joins[2].right_alias", "instructions.join_specs[2].right.alias"),
            ("instructions.joins[2].comment", "instructions.join_specs[2].comment"),
            ("benchmarks[0].sql", "benchmarks.questions[0].answer[0].content"),
            ("benchmarks[0].question", "benchmarks.questions[0].question"),
        ] {
            assert_eq!(wire_path(&yaml.parse().expect("a path")).to_string(), wire);
        }
    }
}
