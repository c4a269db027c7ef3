//! Finishing what was deferred, once what it waits for is known.

use super::defer::value_waits;
use super::jinja;
use crate::model::{Deferred, Map, Piece, Value, Variable};

/// Finishes a deferred expression. `known` gives the value of what it waits for; none: still unknown.
///
/// Returns none while something is still unknown.
///
/// # Errors
/// The expression fails on the values it got: a sentence. It never holds the value of a secret.
pub fn finish(deferred: &Deferred, known: &dyn Fn(&Variable) -> Option<Value>) -> Result<Option<Value>, String> {
    let mut names: Map = deferred.bound.clone();
    let mut secret = false;
    for (index, wait) in deferred.waits.iter().enumerate() {
        secret |= matches!(wait, Variable::Secret(_));
        match known(wait) {
            Some(value) if !value_waits(&value) => names.insert(format!("__{index}"), value),
            _ => return Ok(None),
        };
    }
    // What an evaluation complains about may quote its operands.
    let fail = |why: String| if secret { "it fails on the value of a secret".to_owned() } else { why };
    if let [Piece::Expression(expression)] = deferred.pieces.as_slice() {
        return evaluate(expression, &names).map(Some).map_err(|why| format!("`{}`: {}", deferred.source, fail(why)));
    }
    let mut text = String::new();
    for piece in &deferred.pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Expression(expression) => {
                let value = evaluate(expression, &names).map_err(|why| format!("`{}`: {}", deferred.source, fail(why)))?;
                let part = jinja::as_text(&value)
                    .map_err(|sort| format!("`{}`: a part of it is {sort}, which has no place inside text", deferred.source))?;
                text.push_str(&part);
            }
        }
    }
    Ok(Some(Value::Text(text)))
}

/// A bare placeholder needs no machine.
fn evaluate(expression: &str, names: &Map) -> Result<Value, String> {
    match names.get(expression) {
        Some(value) => Ok(value.clone()),
        None => jinja::evaluate(expression, names).map_err(|wrong| wrong.to_string()),
    }
}

/// Finishes everything unknown inside a value as far as `known` allows; secrets stay unless `known` gives them.
///
/// # Errors
/// An expression fails: a sentence with its source.
pub fn fill(value: &Value, known: &dyn Fn(&Variable) -> Option<Value>) -> Result<Value, String> {
    Ok(match value {
        Value::Unknown(deferred) | Value::Secret(deferred) => finish(deferred, known)?.unwrap_or_else(|| value.clone()),
        Value::List(items) => Value::List(items.iter().map(|item| fill(item, known)).collect::<Result<_, _>>()?),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| Ok((k.clone(), fill(v, known)?))).collect::<Result<Map, String>>()?),
        known => known.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::{fill, finish};
    use crate::model::{Deferred, Map, Path, Piece, Reference, SecretSource, Value, Variable};

    fn id_of(address: &str) -> Variable {
        Variable::Reference(Reference { address: address.parse().unwrap(), path: Path::field("id") })
    }

    fn deferred(pieces: &[Piece], waits: Vec<Variable>) -> Deferred {
        Deferred {
            source: "${..}".to_owned(),
            pieces: pieces.to_vec(),
            waits,
            bound: [("__k0".to_owned(), Value::Int(2))].into_iter().collect(),
        }
    }

    #[test]
    fn finishes_when_all_is_known() {
        let expression = |text: &str| Piece::Expression(text.to_owned());
        let known = |_: &Variable| Some(Value::Int(7));
        for (pieces, want) in [
            (vec![expression("__0")], Value::Int(7)),
            (vec![expression("__0 * __k0")], Value::Int(14)),
            (vec![Piece::Text("wh-".to_owned()), expression("__0")], Value::from("wh-7")),
        ] {
            assert_eq!(finish(&deferred(&pieces, vec![id_of("jobs.a")]), &known), Ok(Some(want)));
        }
        let waiting = deferred(&[expression("__0")], vec![id_of("jobs.a")]);
        assert_eq!(finish(&waiting, &|_| None), Ok(None));
        let bad = deferred(&[Piece::Text("x".to_owned()), expression("[__0]")], vec![id_of("jobs.a")]);
        assert!(finish(&bad, &known).unwrap_err().contains("a list"));
    }

    #[test]
    fn fills_what_it_can() {
        let reference = Value::Unknown(std::sync::Arc::new(deferred(&[Piece::Expression("__0".to_owned())], vec![id_of("jobs.a")])));
        let secret = Value::Secret(std::sync::Arc::new(deferred(
            &[Piece::Expression("__0".to_owned())],
            vec![Variable::Secret(SecretSource::environment("X"))],
        )));
        let body = Value::Map([("a".to_owned(), reference), ("b".to_owned(), secret.clone())].into_iter().collect::<Map>());
        let filled = fill(&body, &|v| matches!(v, Variable::Reference(_)).then(|| Value::from("1"))).unwrap();
        assert_eq!(filled, Value::map([("a", Value::from("1")), ("b", secret)]));
    }

    #[test]
    fn a_failure_never_quotes_a_secret() {
        let secret = deferred(&[Piece::Expression("__0 + 1".to_owned())], vec![Variable::Secret(SecretSource::environment("X"))]);
        let why = finish(&secret, &|_| Some(Value::from("hunter2"))).unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
    }
}
