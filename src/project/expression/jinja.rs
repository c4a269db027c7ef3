//! The border to minijinja: values both ways, one environment for all, errors in our words.

use std::sync::LazyLock;

use minijinja::value::{Value as Jinja, ValueKind};
use minijinja::{Environment, Error, UndefinedBehavior};

use super::words::Wrong;
use super::{meter, words};
use crate::model::{Map, Value};

/// Steps an evaluation may take.
const FUEL: u64 = 200_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.remove_global("debug");
    environment.remove_global("namespace");
    // They make text of any width out of a short one, which no fuel counts.
    environment.remove_filter("format");
    environment.remove_filter("indent");
    environment.remove_filter("safe");
    environment.remove_filter("escape");
    environment.remove_filter("e");
    meter::install(&mut environment);
    environment
});

/// The longest expression that is read, in bytes.
const LONGEST: usize = 4096;

/// Evaluates an expression with these names.
///
/// # Errors
/// It does not parse, fails, gives nothing, or too much.
pub fn evaluate(expression: &str, names: &Map) -> Result<Value, Wrong> {
    short(expression)?;
    let compiled = ENVIRONMENT.compile_expression(expression).map_err(|e| describe(&e))?;
    let context = Jinja::from_pairs(names.iter().map(|(k, v)| (Jinja::from(k.as_str()), to_jinja(v))));
    meter::begin();
    let result = compiled.eval(context).map_err(|e| describe(&e))?;
    meter::begin();
    from_jinja(&result)
}

/// Whether an expression parses.
///
/// # Errors
/// What is wrong with it, and where, in bytes of the expression.
pub fn check(expression: &str) -> Result<(), (String, Option<std::ops::Range<usize>>)> {
    short(expression).map_err(|why| (why, None))?;
    match ENVIRONMENT.compile_expression(expression) {
        Ok(_) => Ok(()),
        Err(error) => Err((describe(&error).why, error.range())),
    }
}

/// The parser goes a level deeper with each operator of a chain: what would need more stack than there is is refused.
fn short(expression: &str) -> Result<(), String> {
    if expression.len() <= LONGEST {
        return Ok(());
    }
    Err(format!("it is {} bytes long, and at most {LONGEST} are read: take parts of it out into variables", expression.len()))
}

fn describe(error: &Error) -> Wrong {
    words::of(error, FUEL)
}

fn to_jinja(value: &Value) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(b) => Jinja::from(*b),
        Value::Int(n) => Jinja::from(*n),
        Value::UInt(n) => Jinja::from(*n),
        Value::Float(x) => Jinja::from(*x),
        Value::Text(t) => Jinja::from(t.as_str()),
        Value::List(list) => list.iter().map(to_jinja).collect(),
        Value::Map(map) => Jinja::from_pairs(map.iter().map(|(k, v)| (Jinja::from(k.as_str()), to_jinja(v)))),
        // Callers never pass what is deferred: an expression that mentions it is not evaluated.
        Value::Unknown(_) | Value::Secret(_) => Jinja::UNDEFINED,
    }
}

fn from_jinja(value: &Jinja) -> Result<Value, Wrong> {
    meter::charge(meter::size(value)).map_err(|e| describe(&e))?;
    Ok(match value.kind() {
        ValueKind::Undefined => return Err("it gives nothing: a field that is not there was asked for".to_owned().into()),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => {
            if let Ok(n) = i64::try_from(value.clone()) {
                Value::Int(n)
            } else if let Ok(n) = u64::try_from(value.clone()) {
                Value::from(n)
            } else {
                return Err(format!("{value} does not fit 64 bits").into());
            }
        }
        ValueKind::Number => {
            let number = f64::try_from(value.clone()).map_err(|e| describe(&e))?;
            if !number.is_finite() {
                return Err("the result is not a finite number".to_owned().into());
            }
            Value::Float(number)
        }
        ValueKind::String => Value::text(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            Value::List(value.try_iter().map_err(|e| describe(&e))?.map(|item| from_jinja(&item)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter().map_err(|e| describe(&e))? {
                let member = value.get_item(&key).map_err(|e| describe(&e))?;
                map.insert(key.as_str().map_or_else(|| key.to_string(), str::to_owned), from_jinja(&member)?);
            }
            Value::Map(map)
        }
        _ => return Err(format!("it gives {}, which is no value of YAML", value.kind()).into()),
    })
}

/// A value inside longer text.
///
/// # Errors
/// Null, a list or a map has no place in text: what it is.
pub fn as_text(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::Text(t) => Ok(t.clone()),
        Value::Bool(b) => Ok(b.to_string()), // as YAML and JSON write it, not as Python does
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => Ok(to_jinja(value).to_string()),
        other => Err(other.sort()),
    }
}

#[cfg(test)]
mod tests {
    use super::{as_text, evaluate};
    use crate::model::{Map, Value, json};

    #[test]
    fn types_and_arithmetic_are_kept() {
        let names: Map = [
            ("n".to_owned(), Value::Int(4)),
            ("big".to_owned(), Value::Int(9_007_199_254_740_993)),
            ("u".to_owned(), Value::UInt(u64::MAX)),
            ("m".to_owned(), Value::map([("b", Value::Int(1)), ("a", Value::Null)])),
            ("l".to_owned(), Value::List(vec![Value::from("x"), Value::Bool(true)])),
        ]
        .into_iter()
        .collect();
        for (expression, want) in [
            ("n * 2", "8"),
            ("10 / 4", "2.5"),
            ("10 // 4", "2"),
            ("n / 2", "2.0"),
            ("big", "9007199254740993"),
            ("u", "18446744073709551615"),
            ("m", r#"{"b": 1, "a": null}"#),
            ("l + [1]", r#"["x", true, 1]"#),
            ("m.b == 1 and n > 3", "true"),
            ("none", "null"),
            ("'a' ~ n", r#""a4""#),
            ("m.c | default('z')", r#""z""#),
            ("l | join(',')", r#""x,True""#),
            ("l | map('string') | map('upper') | list", r#"["X", "TRUE"]"#),
            ("m | tojson", r#""{\"b\": 1, \"a\": null}""#),
            ("('ab' * 3) | replace('b', 'c') | list | batch(2) | list | length", "3"),
            ("range(100000) | join('-') | length", "588889"),
            ("'<&>' | upper", r#""<&>""#),
        ] {
            assert_eq!(
                evaluate(expression, &names).map(|v| json::display(&v)).map_err(|wrong| wrong.to_string()).as_deref(),
                Ok(want),
                "{expression}"
            );
        }
        for expression in [
            "m.c",
            "m.c.d",
            "1 +",
            "range(10000000)",
            "n.x.y",
            "l | nofilter",
            "'%09999999999d' | format(1)",
            "'a' | indent(99999999999)",
            "1 // 0",
            "u * u * u",
            "'a' * 99999999",
            "('a' * 99999999) | upper",
            "[0] * 99999999",
            "range(100000) | join('x' * 1000)",
            "range(100000) | map('string') | map('replace', '1', 'x' * 10000) | list",
            "['x' * 10000] * 100000 | map('upper') | list",
            "('x' * 1000000) | replace('x', 'y' * 1000000)",
            "('x' * 1000000) | replace('', 'y' * 100)",
            "[1] | batch(999999999, 0) | list",
            "[1] | slice(999999999) | list",
            "[l * 1000] * 1000 | map('list') | list",
            "m | tojson(indent=1000000000)",
        ] {
            assert!(evaluate(expression, &names).is_err(), "{expression}");
        }
    }

    #[test]
    fn text_takes_scalars_only() {
        for (value, want) in [
            (Value::from("x"), Ok("x")),
            (Value::Bool(true), Ok("true")),
            (Value::Float(1.0), Ok("1.0")),
            (Value::Null, Err("null")),
            (Value::List(vec![]), Err("a list")),
        ] {
            assert_eq!(as_text(&value).as_deref().map_err(|e| *e), want);
        }
    }
}
