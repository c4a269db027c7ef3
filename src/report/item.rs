//! Items inside an object as a person calls them: the table, the column, the question, not the path of lists to it.

use super::style::visible;
use super::value::inline;
use crate::kinds::space_lists;
use crate::model::{Path, Step, Value};

/// What an item of a list is called, by the list and what its items are known by.
const WORDS: &[(&str, &[&str], &str)] = &[
    ("tables", &["identifier"], "table"),
    ("metric_views", &["identifier"], "metric view"),
    ("volumes", &["path"], "volume"),
    ("mcp_connections", &["mcp_connection"], "MCP connection"),
    ("columns", &["name"], "column"),
    ("functions", &["identifier"], "function"),
    ("filters", &["name"], "filter"),
    ("expressions", &["name"], "expression"),
    ("measures", &["name"], "measure"),
    ("parameters", &["name"], "parameter"),
    ("joins", &["left", "left_alias", "right", "right_alias"], "join"),
    ("example_sql", &["question"], "example question"),
    ("sample_questions", &["question"], "sample question"),
    ("benchmarks", &["question"], "benchmark"),
];

/// An item by its name, with the field of it: `example question "Top customers"` and `sql`, `table main.sales.orders column id` and
/// `description`; the field is empty where it is the whole item. None for any other path.
#[must_use]
pub fn place(path: &Path) -> Option<(String, String)> {
    let mut steps = path.steps().iter().peekable();
    let mut outer = Vec::new();
    while let Some(Step::Field(name)) = steps.peek() {
        outer.push(name.as_str());
        steps.next();
    }
    if !space_lists().any(|list| list.at == outer) || steps.peek().is_none() {
        return None;
    }
    let mut words = Vec::new();
    let mut list = *outer.last()?;
    loop {
        let Step::Key(pairs, nth) = steps.next()? else { return None };
        words.push(named(list, pairs, *nth)?);
        let inner = steps.clone().collect::<Vec<_>>();
        match inner.as_slice() {
            [Step::Field(name), Step::Key(..), ..] if WORDS.iter().any(|(word, ..)| word == name) => {
                list = name;
                steps.next();
            }
            rest => {
                let mut field = Path::root();
                for step in rest {
                    field.push((*step).clone());
                }
                return Some((words.join(" "), field.to_string()));
            }
        }
    }
}

fn named(list: &str, pairs: &[(String, String)], nth: u32) -> Option<String> {
    let (_, by, word) = WORDS.iter().find(|(name, ..)| *name == list)?;
    if !pairs.iter().all(|(name, _)| by.contains(&name.as_str())) {
        return None;
    }
    let again = if nth == 0 { String::new() } else { format!(" #{}", nth + 1) };
    let told = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str());
    let name = if list == "joins" {
        let side = |side: &str| {
            let alias = told(&format!("{side}_alias")).map(|alias| format!(" as {}", visible(alias))).unwrap_or_default();
            told(side).map(|table| format!("{}{alias}", visible(table)))
        };
        format!("{} with {}", side("left")?, side("right")?)
    } else {
        let (_, text) = pairs.first()?;
        // Names of tables and functions read as one word, as long as they stay on one line.
        let is_word = matches!(by[0], "identifier" | "path") || list == "columns" || list == "parameters";
        if is_word && *visible(text) == **text { text.clone() } else { inline(&Value::text(text.as_str())) }
    };
    Some(format!("{word} {name}{again}"))
}

/// A path as a person says it.
#[must_use]
pub fn said(path: &Path) -> String {
    match place(path) {
        Some((item, field)) if field.is_empty() => item,
        Some((item, field)) => format!("{item} {field}"),
        None => path.to_string(),
    }
}

/// What an item holds besides what it is known by; none for a path that is no item of these.
#[must_use]
pub fn held(path: &Path, item: &Value) -> Option<Value> {
    let (Some(Step::Key(pairs, _)), Some((_, field))) = (path.steps().last(), place(path)) else { return None };
    let known = |name: &String| name == "id" || pairs.iter().any(|(key, _)| key == name);
    let map = item.as_map().filter(|_| field.is_empty())?;
    Some(Value::Map(map.iter().filter(|(name, _)| !known(name)).map(|(name, v)| (name.clone(), v.clone())).collect()))
}

#[cfg(test)]
mod tests {
    use super::{WORDS, held, place, said};
    use crate::kinds::space_lists;
    use crate::model::json;

    #[test]
    fn items_are_called_by_their_names() {
        for (path, want) in [
            (r#"instructions.example_sql[question="Top customers"].sql"#, r#"example question "Top customers" sql"#),
            (
                r#"instructions.example_sql[question="Top"].parameters[name=from].default_value.values"#,
                r#"example question "Top" parameter from default_value.values"#,
            ),
            ("tables[identifier=\"a.b.c\"]", "table a.b.c"),
            ("tables[identifier=\"a.b.c\"].columns[name=id].synonyms", "table a.b.c column id synonyms"),
            ("metric_views[identifier=\"a.b.v\"].description", "metric view a.b.v description"),
            ("volumes[path=\"/Volumes/a/b/c\"].description", "volume /Volumes/a/b/c description"),
            ("mcp_connections[mcp_connection=github]", "MCP connection \"github\""),
            ("instructions.functions[identifier=\"a.b.f\"]", "function a.b.f"),
            ("instructions.joins[left=\"a.b.c\",right=\"a.b.d\"].condition", "join a.b.c with a.b.d condition"),
            ("instructions.joins[left=\"a.b.c\",left_alias=x,right=\"a.b.d\"]", "join a.b.c as x with a.b.d"),
            ("instructions.snippets.filters[name=\"paid by card\"].sql", "filter \"paid by card\" sql"),
            ("instructions.snippets.expressions[name=week]", "expression \"week\""),
            ("instructions.snippets.measures[name=revenue].display_name", "measure \"revenue\" display_name"),
            ("sample_questions[question=\"Who?\"]", "sample question \"Who?\""),
            ("benchmarks[question=\"Who?\"].sql", "benchmark \"Who?\" sql"),
            ("instructions.text", "instructions.text"),
            // Not ours.
            ("parameters[name=x].default", "parameters[name=x].default"),
            ("tasks[task_key=a].x", "tasks[task_key=a].x"),
            ("tables", "tables"),
        ] {
            assert_eq!(said(&path.parse().expect("a path")), want, "{path}");
        }
        assert_eq!(place(&"title".parse().expect("a path")), None);
    }

    #[test]
    fn every_list_of_a_space_has_a_word() {
        for list in space_lists() {
            let last = list.at.last().expect("a name");
            let known = WORDS.iter().find(|(name, ..)| name == last).map(|(_, by, _)| *by);
            assert_eq!(known, Some(list.by), "{:?}", list.at);
        }
    }

    #[test]
    fn an_item_holds_what_it_is_not_called_by() {
        let item = json::parse(br#"{"question":"Who?","id":"1","sql":"SELECT 1"}"#).expect("JSON");
        let path = "benchmarks[question=\"Who?\"]".parse().expect("a path");
        assert_eq!(held(&path, &item), json::parse(br#"{"sql":"SELECT 1"}"#).ok());
        assert_eq!(held(&"tasks[task_key=a]".parse().expect("a path"), &item), None);
    }
}
