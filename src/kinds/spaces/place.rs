//! Where a path of YAML's form stands in the serialised space.

use super::form::{Form, SECTIONS, Shape, Wire};
use crate::model::{Path, Step};

/// The same place in the serialised space: `tables[1].columns[0].name` is `data_sources.tables[1].column_configs[0].column_name`.
/// What has no other name stays as it is; inside a part, what is not known ends at the part.
pub(super) fn wire_path(path: &Path) -> Path {
    let steps = path.steps();
    if let Some((Step::Field(first), rest)) = steps.split_first()
        && first == "serialized_space"
    {
        return Path::from(rest.to_vec());
    }
    let fields = |words: &[&str]| words.iter().map(|w| Step::Field((*w).into())).collect::<Vec<_>>();
    for section in SECTIONS {
        let at = fields(section.at);
        if let Some(rest) = steps.strip_prefix(at.as_slice()) {
            let mut found = fields(section.given());
            inside(section.form, rest, &mut found);
            return Path::from(found);
        }
    }
    if steps.starts_with(&fields(&["instructions", "text"])) {
        return Path::from([fields(&["instructions", "text_instructions"]), vec![Step::Index(0)], fields(&["content"])].concat());
    }
    path.clone()
}

fn inside(form: &Form, steps: &[Step], found: &mut Vec<Step>) {
    let Some((first, rest)) = steps.split_first() else { return };
    let Step::Field(name) = first else {
        found.push(first.clone());
        return inside(form, rest, found);
    };
    let Some(member) = form.members.iter().find(|m| m.name == name.as_str()) else { return };
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
            ("title", "title"),
            ("serialized_space.version", "version"),
        ] {
            assert_eq!(wire_path(&yaml.parse().expect("a path")).to_string(), wire);
        }
    }
}
