//! Members that no form knows: a slip of the pen in what was pasted or is in a file, or what the API has gained.

use indexmap::IndexMap;

use super::super::check::{items, place, refusal};
use super::super::form::{Form, SECTIONS, Section, Shape, Wire};
use super::super::place::LEVELS;
use super::super::read::Origin;
use super::super::write;
use crate::diagnostic::suggest;
use crate::kinds::Refusal;
use crate::model::{Map, Path, Step, Value};

/// What no form knows of a desired body: it stands in `more`, and is sent as it is.
#[derive(Default)]
pub struct Strays {
    /// What is nearly called as something that is known there: a slip of the pen, which the API would refuse.
    pub slips: Vec<Refusal>,
    /// What the API may have gained, by its name and what has it: the first place, and how many there are. A newer server may give it
    /// in every column.
    gained: IndexMap<(String, &'static str), (Path, usize)>,
    /// What is known, and is written under another name too.
    twice: Vec<Refusal>,
}

impl Strays {
    /// Everything of a body.
    pub fn of(body: &Value) -> Self {
        let mut found = Self::default();
        let top: (&[&str], &[&str]) = (&[], &[]);
        for (ours, theirs) in std::iter::once(top).chain(LEVELS) {
            let at = [ours, &["more"]].concat();
            if let Some(Value::Map(more)) = write::at(body, &at) {
                found.level(more, theirs, &place(&at));
            }
        }
        for section in SECTIONS {
            for (i, item) in items(body, section.at).iter().enumerate() {
                found.item(Sort::of(section), item, &place(section.at).join(Step::Index(i)));
            }
        }
        found
    }

    /// What is told and not refused.
    pub fn told(self) -> Vec<Refusal> {
        let mut told = self.twice;
        for ((name, word), (path, count)) in self.gained {
            let others = match count {
                1 => String::new(),
                2 => "; so is one more like it".to_owned(),
                many => format!("; so are {} more like it", many - 1),
            };
            let reason = format!("no reference names `{name}` in {word}: it is sent as it is, in case the API has gained it{others}");
            told.push(refusal(path, reason));
        }
        told
    }

    /// What is left of the structure that the API has, at one of its levels.
    fn level<'a>(&mut self, map: &'a Map, at: &[&'a str], path: &Path) {
        let known = names_at(at);
        for (name, value) in map {
            let path = path.join(Step::Field(name.clone()));
            if !known.contains(&name.as_str()) {
                self.tell(name, path, level_word(at), &known);
                continue;
            }
            let here = [at, &[name.as_str()]].concat();
            match value {
                Value::Map(below) if !names_at(&here).is_empty() => self.level(below, &here, &path),
                Value::List(_) if here == ["instructions", "text_instructions"] => self.inner("a text", TEXT, value, &path),
                // Items that YAML's lists cannot name are here as the API has them.
                Value::List(items) => {
                    let Some(section) = SECTIONS.iter().find(|section| section.given() == here.as_slice()) else { continue };
                    for (i, item) in items.iter().enumerate() {
                        if let Value::Map(item) = item {
                            self.members(Sort::of(section), item, &path.join(Step::Index(i)), Members::All);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// What is left of an item, and of the items in it.
    fn item(&mut self, sort: Sort, item: &Value, path: &Path) {
        if let Some(Value::Map(more)) = item.get("more") {
            self.members(sort, more, &path.join(Step::Field("more".to_owned())), Members::Left);
        }
        for (name, below) in sort.lists() {
            let path = path.join(Step::Field(name.to_owned()));
            for (i, part) in item.get(name).and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
                self.item(below, part, &path.join(Step::Index(i)));
            }
        }
    }

    fn members(&mut self, sort: Sort, map: &Map, path: &Path, which: Members) {
        let known = sort.known();
        for (name, value) in map {
            let path = path.join(Step::Field(name.clone()));
            if !known.contains(&name.as_str()) {
                self.tell(name, path, sort.word, &known);
            } else if let Some((word, inner)) = structure(name) {
                self.inner(word, inner, value, &path);
            } else if which == Members::Left {
                let reason = format!("`{name}` is sent as it is, beside what else is known of {}: say it once, under one name", sort.word);
                self.twice.push(refusal(path, reason));
            } else if let (Some(below), Value::List(items)) = (sort.list(name), value) {
                for (i, item) in items.iter().enumerate() {
                    if let Value::Map(item) = item {
                        self.members(below, item, &path.join(Step::Index(i)), which);
                    }
                }
            }
        }
    }

    /// Members of a structure that has no form, or of each in a list of such.
    fn inner(&mut self, word: &'static str, known: &[&'static str], value: &Value, path: &Path) {
        match value {
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.inner(word, known, item, &path.join(Step::Index(i)));
                }
            }
            Value::Map(map) => {
                for (name, value) in map {
                    let path = path.join(Step::Field(name.clone()));
                    if !known.contains(&name.as_str()) {
                        self.tell(name, path, word, known);
                    } else if let Some((word, inner)) = structure(name) {
                        self.inner(word, inner, value, &path);
                    }
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, name: &str, path: Path, word: &'static str, known: &[&'static str]) {
        match suggest::nearest(name, known.iter().copied()) {
            Some(near) => self.slips.push(refusal(path, format!("there is no `{name}` in {word}: did you mean `{near}`?"))),
            None => self.gained.entry((name.to_owned(), word)).or_insert((path, 0)).1 += 1,
        }
    }
}

/// Which members of an item are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    /// All that it has.
    All,
    /// What was left when those that are known had been taken.
    Left,
}

/// What messages call a member that is a structure without a form, and what it has.
fn structure(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    let known: (&'static str, &'static [&'static str]) = match name {
        "left" | "right" => ("a side of a join", &["identifier", "alias"]),
        "answer" => ("an answer", &["format", "content"]),
        "default_value" => ("a default", &["values", "value", "value_range"]),
        "value_range" => ("a range", &["min", "max"]),
        _ => return None,
    };
    Some(known)
}

/// What an item of the general instruction has.
const TEXT: &[&str] = &["id", "content", "text"];

/// What the structure of the API has at a level; at the top, what is written there to name a file instead.
fn names_at(at: &[&str]) -> Vec<&'static str> {
    const OTHERS: [&[&str]; 3] = [&["version"], &["file"], &["instructions", "text_instructions"]];
    let lists = SECTIONS.iter().flat_map(|section| [section.wire(Wire::Serialised), section.wire(Wire::Typed)]);
    lists.chain(OTHERS).filter(|list| list.starts_with(at)).filter_map(|list| list.get(at.len()).copied()).collect()
}

fn level_word(at: &[&str]) -> &'static str {
    match at {
        [] => "a definition",
        ["instructions"] => "`instructions`",
        ["config"] => "`config`",
        ["data_sources"] => "`data_sources`",
        ["benchmarks"] => "`benchmarks`",
        _ => "`sql_snippets`",
    }
}

/// A sort of item.
#[derive(Clone, Copy)]
struct Sort {
    form: &'static Form,
    /// What messages call one.
    word: &'static str,
    /// Names that the API has and the form leaves to code that takes them apart.
    apart: &'static [&'static str],
}

impl Sort {
    fn of(section: &Section) -> Self {
        let (word, apart): (&'static str, &'static [&'static str]) = match section.at {
            ["tables"] => ("a table", &[]),
            ["metric_views"] => ("a metric view", &[]),
            ["volumes"] => ("a volume", &[]),
            ["mcp_connections"] => ("an MCP connection", &[]),
            ["sample_questions"] => ("a sample question", &[]),
            ["benchmarks"] => ("a benchmark", &["answer"]),
            [_, "example_sql"] => ("an example", &[]),
            [_, "functions"] => ("a function", &[]),
            [_, "joins"] => ("a join", &["sql", "relationship_type", "description"]),
            [_, _, "filters"] => ("a filter", &[]),
            [_, _, "expressions"] => ("an expression", &[]),
            [_, _, "measures"] => ("a measure", &[]),
            _ => ("an item", &[]),
        };
        Self { form: section.form, word, apart }
    }

    /// What an item may have, by whichever name it is read. The name that YAML gives an item for its id is not the API's.
    fn known(self) -> Vec<&'static str> {
        let members = self.form.members.iter().filter(|member| !matches!(member.shape, Shape::Local));
        members.flat_map(|member| member.names(Origin::Api)).chain(self.apart.iter().copied()).collect()
    }

    /// The lists of items in it.
    fn lists(self) -> impl Iterator<Item = (&'static str, Self)> {
        self.form.members.iter().filter_map(|member| {
            let Shape::Parts(form) = member.shape else { return None };
            let word = if member.name == "columns" { "a column" } else { "a parameter" };
            Some((member.name, Self { form, word, apart: &[] }))
        })
    }

    /// The list that has this name in the API.
    fn list(self, name: &str) -> Option<Self> {
        let member = self.form.members.iter().find(|member| member.names(Origin::Api).any(|own| own == name))?;
        self.lists().find(|(own, _)| *own == member.name).map(|(_, sort)| sort)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::read;
    use super::*;
    use crate::model::json;

    fn strays(body: &str) -> Strays {
        Strays::of(&read::normal(json::parse(body.as_bytes()).expect("JSON")))
    }

    /// Whether exactly these are told, each by a part of its words, and nothing is refused.
    fn case(body: &str, wanted: &[&str]) {
        let strays = strays(body);
        assert_eq!(strays.slips, vec![], "{body}");
        let told: Vec<String> = strays.told().into_iter().map(|found| format!("{}: {}", found.path, found.reason)).collect();
        let fits = told.len() == wanted.len() && told.iter().zip(wanted).all(|(told, wanted)| told.contains(wanted));
        assert!(fits, "{body}\n{told:#?}\n{wanted:#?}");
    }

    fn pasted(definition: &str) -> String {
        format!(r#"{{"serialized_space": {definition}}}"#)
    }

    #[test]
    fn what_no_form_knows_is_told_as_sent() {
        case(
            &pasted(
                r#"{"future": 1, "config": {"greeting": "Hi"}, "data_sources": {"tables": [
                    {"identifier": "a.b.c", "owner": "bob", "column_configs": [{"column_name": "x", "colour": 1}, {"column_name": "y", "colour": 2}]}]},
                    "benchmarks": {"questions": [{"question": ["q"], "answer": [{"format": "SQL", "content": ["s"], "speed": 1}]}]}}"#,
            ),
            &[
                "more.config.greeting: no reference names `greeting` in `config`: it is sent as it is, in case the API has gained it",
                "more.future: no reference names `future` in a definition",
                "tables[0].more.owner: no reference names `owner` in a table",
                "tables[0].columns[0].more.colour: no reference names `colour` in a column: it is sent as it is, in case the API has gained it; so is one more like it",
                "benchmarks[0].more.answer[0].speed: no reference names `speed` in an answer",
            ],
        );
        // Of what YAML's own fields take apart, too.
        case(
            r#"{"tables": ["a.b.c", "a.b.d"], "instructions": {"text_instructions": [{"content": "Hi", "tone": "brief"}], "joins": [
                {"left": "a.b.c", "right": {"identifier": "a.b.d", "shape": "round"}, "condition": "c.x = d.y", "relationship": "ONE_TO_ONE"}]}}"#,
            &["text_instructions[0].tone: no reference names `tone` in a text", "joins[0].more.right.shape: no reference names `shape`"],
        );
        case(
            r#"{"benchmarks": [{"question": "q", "answer": [{"format": "SQL", "content": ["s"], "speed": 1}]}]}"#,
            &["benchmarks[0].more.answer[0].speed"],
        );
        // Another answer is known, and so is what one says under two names.
        case(
            &pasted(
                r#"{"benchmarks": {"questions": [{"question": ["q"], "answer": [{"format": "SQL", "content": ["s"]}, {"format": "TEXT", "content": ["t"]}]}]}}"#,
            ),
            &[],
        );
        case(
            &pasted(r#"{"data_sources": {"tables": [{"identifier": "a.b.c", "column_configs": [{"column_name": "x", "name": "y"}]}]}}"#),
            &["columns[0].more.name: `name` is sent as it is, beside what else is known of a column"],
        );
    }

    #[test]
    fn what_is_nearly_known_is_a_slip() {
        for (definition, wanted) in [
            (
                r#"{"data_source": {"tables": []}}"#,
                "more.data_source: there is no `data_source` in a definition: did you mean `data_sources`?",
            ),
            (r#"{"fil": "x.json"}"#, "more.fil: there is no `fil` in a definition: did you mean `file`?"),
            (r#"{"instructions": {"join_spec": [1]}}"#, "more.instructions.join_spec: there is no `join_spec` in `instructions`"),
            (
                r#"{"instructions": {"text_instructions": [{"contents": ["hi"]}]}}"#,
                "more.instructions.text_instructions[0].contents: there is no `contents` in a text: did you mean `content`?",
            ),
            (
                r#"{"data_sources": {"tables": [{"identifier": "a.b.c", "desciption": ["x"]}]}}"#,
                "tables[0].more.desciption: there is no `desciption` in a table: did you mean `description`?",
            ),
            (
                r#"{"data_sources": {"tables": [{"identifer": "a.b.c"}]}}"#,
                "more.data_sources.tables[0].identifer: there is no `identifer` in a table: did you mean `identifier`?",
            ),
            (
                r#"{"benchmarks": {"questions": [{"question": ["q"], "anwser": [{"format": "SQL", "content": ["s"]}]}]}}"#,
                "more.benchmarks.questions[0].anwser: there is no `anwser` in a benchmark: did you mean `answer`?",
            ),
            (
                r#"{"benchmarks": {"questions": [{"question": ["q"], "answer": [{"format": "SQL", "contnet": ["s"]}]}]}}"#,
                "in an answer: did you mean `content`?",
            ),
            (
                r#"{"instructions": {"join_specs": [{"left": {"identifier": "a.b.c", "alais": "c"}, "right": {"identifier": "a.b.d"}, "sql": ["c.x = d.y"]}]}}"#,
                "instructions.joins[0].more.left.alais: there is no `alais` in a side of a join: did you mean `alias`?",
            ),
        ] {
            let slips = strays(&pasted(definition)).slips.into_iter();
            let found: Vec<String> = slips.map(|slip| format!("{}: {}", slip.path, slip.reason)).collect();
            assert!(found.len() == 1 && found[0].contains(wanted), "{definition}\n{found:#?}");
        }
    }
}
