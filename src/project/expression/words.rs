//! What goes wrong in an evaluation, in YAML's words instead of the evaluator's, with what to write instead.

use minijinja::{Error, ErrorKind};

use crate::diagnostic::suggest;

/// Why an expression fails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wrong {
    /// The reason, a sentence without its point.
    pub why: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The word that is not known, and the one that may be meant.
    pub word: Option<(String, Option<&'static str>)>,
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self { why, ..Self::default() }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.help {
            Some(help) => write!(f, "{} ({help})", self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// The filters that expressions have, the most used ones first.
const FILTERS: &[&str] = &[
    "upper",
    "lower",
    "replace",
    "join",
    "default",
    "int",
    "float",
    "length",
    "trim",
    "split",
    "tojson",
    "string",
    "title",
    "capitalize",
    "first",
    "last",
    "list",
    "map",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "sort",
    "unique",
    "sum",
    "min",
    "max",
    "round",
    "abs",
    "items",
    "dictsort",
    "groupby",
    "batch",
    "slice",
    "zip",
    "chain",
    "reverse",
    "lines",
    "attr",
    "bool",
    "count",
    "d",
    "pprint",
];

/// The tests that expressions have (`is defined`).
const TESTS: &[&str] = &[
    "defined",
    "undefined",
    "none",
    "string",
    "number",
    "integer",
    "float",
    "boolean",
    "mapping",
    "sequence",
    "iterable",
    "odd",
    "even",
    "startingwith",
    "endingwith",
    "lower",
    "upper",
    "in",
    "sameas",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "true",
    "false",
];

/// How many names are offered where none is near.
const OFFERED: usize = 8;

/// An error of the evaluator that took at most so many steps.
pub(super) fn of(error: &Error, fuel: u64) -> Wrong {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::UndefinedError if detail.is_empty() => "a field that is not there is used".to_owned().into(),
        ErrorKind::UndefinedError => format!("a field that is not there is used ({})", plain(detail)).into(),
        ErrorKind::OutOfFuel => format!("it takes more than {fuel} steps").into(),
        ErrorKind::UnknownFilter => unknown("filter", detail, FILTERS),
        ErrorKind::UnknownTest => unknown("test", detail, TESTS),
        ErrorKind::SyntaxError => detail.to_owned().into(),
        _ if detail.is_empty() => error.kind().to_string().into(),
        _ => operation(detail),
    }
}

/// `filter uper is unknown`.
fn unknown(what: &str, detail: &str, known: &[&'static str]) -> Wrong {
    let word = detail.strip_prefix(what).and_then(|rest| rest.strip_suffix("is unknown")).map_or(detail, str::trim);
    let near = suggest::nearest(word, known.iter().copied()).and_then(|near| known.iter().copied().find(|name| *name == near));
    let help = near.map_or_else(
        || {
            let some: Vec<String> = known[..OFFERED].iter().map(|name| format!("`{name}`")).collect();
            format!("there are {} of them, among them {}", known.len(), some.join(", "))
        },
        |near| format!("did you mean `{near}`?"),
    );
    Wrong { why: format!("there is no {what} `{word}`"), help: Some(help), word: Some((word.to_owned(), near)) }
}

/// An operation that does not go with its operands, or a filter with what it is given.
fn operation(detail: &str) -> Wrong {
    if let Some((operator, left, right)) = operands(detail) {
        let (left, right) = (sort(left), sort(right));
        let takes = if operator == "+" { "two numbers, two texts or two lists" } else { "two numbers" };
        let why = format!("`{operator}` takes {takes}, and this is {left} and {right}");
        let has_text = left == "text" || right == "text";
        let help = match (operator, has_text) {
            (_, false) => None,
            ("+", true) => Some("`~` joins anything into text: `a ~ 1`; a text that holds a number becomes one with `| int`".to_owned()),
            (_, true) => Some("a text that holds a number becomes one with `| int` or `| float`".to_owned()),
        };
        return Wrong { why, help, word: None };
    }
    if let Some(calculation) = detail.strip_prefix("unable to calculate ") {
        let divides = calculation.rsplit_once(' ').is_some_and(|(before, by)| by.parse() == Ok(0.0) && before.ends_with(['/', '%']));
        return if divides { format!("{calculation} divides by zero") } else { format!("{calculation} is too large a number") }.into();
    }
    plain(detail).into()
}

/// `tried to use + operator on unsupported types string and number`.
fn operands(detail: &str) -> Option<(&str, &str, &str)> {
    let (operator, sorts) = detail.strip_prefix("tried to use ")?.split_once(" operator on unsupported types ")?;
    let (left, right) = sorts.split_once(" and ")?;
    Some((operator, left, right))
}

/// The evaluator's name of a type as YAML's readers call it.
fn sort(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "sequence" | "iterable" => "a list",
        "map" => "a map",
        "number" => "a number",
        "bool" => "true or false",
        "none" => "null",
        "undefined" => "nothing",
        other => other,
    }
}

/// Sentences of the evaluator that name types at their end or begin.
fn plain(detail: &str) -> String {
    const BEFORE: &[(&str, &str)] = &[
        ("can only sum numbers, got ", "`sum` takes numbers, and there is "),
        ("cannot calculate length of value of type ", "`length` takes text, a list or a map, and this is "),
        ("cannot join value of type ", "`join` takes a list, and this is "),
        ("cannot reverse values of type ", "`reverse` takes text or a list, and this is "),
        ("zip filter argument must be iterable, got ", "`zip` takes lists, and this is "),
    ];
    const WHOLE: &[(&str, &str)] = &[
        ("value is not a string", "it takes text, and this is none"),
        ("invalid float literal", "the text holds no number"),
        ("invalid digit found in string", "the text holds no number"),
        ("cannot convert value to list", "`list` takes text, a list or a map"),
        ("cannot get first item from value", "`first` takes text or a list"),
        ("cannot get last item from value", "`last` takes a list"),
        ("cannot get absolute value", "`abs` takes a number"),
        ("cannot convert value into pairs", "`items` takes a map"),
        ("cannot convert value into pair list", "`dictsort` takes a map"),
        ("strings can only be multiplied with integers", "text can only be repeated by a whole number"),
        ("sequences and iterables can only be multiplied with integers", "a list can only be repeated by a whole number"),
        ("cannot perform a containment check on this value", "`in` looks into text, a list or a map, and this is none"),
    ];
    if let Some((_, ours)) = WHOLE.iter().find(|(theirs, _)| *theirs == detail) {
        return (*ours).to_owned();
    }
    if let Some((ours, kind)) = BEFORE.iter().find_map(|(theirs, ours)| Some((ours, detail.strip_prefix(theirs)?))) {
        return format!("{ours}{}", sort(kind));
    }
    if let Some(kind) = detail.strip_suffix(" is not iterable") {
        return format!("a list is wanted, and this is {}", sort(kind));
    }
    if let Some((from, to)) = detail.strip_prefix("cannot convert ").and_then(|rest| rest.split_once(" to ")) {
        return format!("{} does not become {}", sort(from), if to == "integer" { "a whole number" } else { to });
    }
    detail.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::jinja::evaluate;
    use super::{FILTERS, TESTS, Wrong};
    use crate::model::{Map, Value};

    fn wrong(expression: &str) -> Wrong {
        let names: Map = [("text".to_owned(), Value::from("main")), ("n".to_owned(), Value::Int(3))].into_iter().collect();
        evaluate(expression, &names).expect_err(expression)
    }

    #[test]
    fn what_fails_is_said_in_plain_words() {
        for (expression, why, help) in [
            ("text | uper", "there is no filter `uper`", "did you mean `upper`?"),
            ("text | zzzzzz", "there is no filter `zzzzzz`", "among them `upper`, `lower`"),
            ("text is defind", "there is no test `defind`", "did you mean `defined`?"),
            ("text / 2", "`/` takes two numbers, and this is text and a number", "becomes one with `| int` or `| float`"),
            ("text + 1", "`+` takes two numbers, two texts or two lists, and this is text and a number", "`~` joins anything into text"),
            ("[1] - {}", "`-` takes two numbers, and this is a list and a map", ""),
            ("n // 0", "3 // 0 divides by zero", ""),
            ("n / 0", "3 / 0 divides by zero", ""),
            ("9 ** 9 ** 9", "is too large a number", ""),
            ("n | length", "`length` takes text, a list or a map, and this is a number", ""),
            ("n | join", "`join` takes a list, and this is a number", ""),
            ("n | list", "`list` takes text, a list or a map", ""),
            ("text | int", "the text holds no number", ""),
            ("n | first", "`first` takes text or a list", ""),
        ] {
            let found = wrong(expression);
            assert!(found.why.contains(why), "{expression}: {found:?}");
            assert!(found.help.as_deref().unwrap_or_default().contains(help), "{expression}: {found:?}");
            for theirs in ["string", "sequence", "unsupported", "iterable", "integer"] {
                assert!(!found.to_string().contains(theirs) || found.word.is_some(), "{expression}: {found}");
            }
        }
    }

    #[test]
    fn what_is_offered_is_there() {
        let is_known = |text: &str, what: &str| {
            let failed = evaluate(text, &Map::new()).err();
            assert!(failed.is_none_or(|wrong| wrong.word.is_none()), "{what}");
        };
        for name in FILTERS {
            is_known(&format!("'a' | {name}"), name);
        }
        for name in TESTS {
            is_known(&format!("'a' is {name}"), name);
        }
    }
}
