//! A deferred expression written out again: what it waits for by its present name, what was known as literals.

use super::lexer::{Word, literal, tokens};
use crate::model::{Address, Deferred, Path, Piece, SecretFrom, SecretSource, Step, Value, Variable};

/// The scalar that gives this value again in a project where resources are called otherwise (`name`), variables are not
/// there and no `for_each` is.
#[must_use]
pub fn spelled(deferred: &Deferred, name: &dyn Fn(&Address) -> Address) -> String {
    let pieces = deferred.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.replace("${", "$${"),
        Piece::Expression(expression) => format!("${{{}}}", named(expression, deferred, name)),
    });
    pieces.collect()
}

/// An expression with names in the place of numbers.
fn named(expression: &str, deferred: &Deferred, name: &dyn Fn(&Address) -> Address) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut at = 0;
    let words = tokens(expression);
    for (nth, token) in words.iter().enumerate() {
        let spelling = token.spelling(expression);
        if token.word != Word::Name || !spelling.starts_with("__") {
            continue;
        }
        let word = match spelling[2..].parse::<usize>() {
            Ok(index) => deferred.waits.get(index).map(|wait| waiting(wait, name)),
            Err(_) => deferred.bound.get(spelling).map(known),
        };
        if let Some(word) = word {
            // What was put into brackets only to be asked for a member stands by itself.
            let is_alone = nth > 0
                && words[nth - 1].is(expression, "(")
                && words.get(nth + 1).is_some_and(|t| t.is(expression, ")"))
                && (nth == 1 || !matches!(words[nth - 2].word, Word::Name));
            let (from, to) = if is_alone { (words[nth - 1].from, words[nth + 1].to) } else { (token.from, token.to) };
            out.push_str(&expression[at..from]);
            out.push_str(&word);
            at = to;
        }
    }
    out.push_str(&expression[at..]);
    out
}

/// What an expression waits for, as a user writes it.
fn waiting(wait: &Variable, name: &dyn Fn(&Address) -> Address) -> String {
    match wait {
        Variable::Reference(reference) => format!("{}{}", name(&reference.address), members(&reference.path)),
        Variable::Lookup(lookup) => format!("lookup({}, {})", literal(&lookup.kind), literal(&lookup.name)),
        Variable::Secret(secret) => match variable_of(secret) {
            Some(variable) => format!("var.{variable}"),
            None => format!("secret({})", literal(&secret.name)),
        },
    }
}

/// The sensitive variable that a secret is the value of; none: `secret()` names it.
#[must_use]
pub fn variable_of(secret: &SecretSource) -> Option<&str> {
    let variable = secret.name.strip_prefix("var.")?;
    let is_given = match &secret.from {
        SecretFrom::Given(_) => true,
        SecretFrom::Environment(of) => of.strip_prefix(crate::project::variables::PREFIX) == Some(variable),
        SecretFrom::File(_) | SecretFrom::Command { .. } => false,
    };
    is_given.then_some(variable)
}

fn members(path: &Path) -> String {
    let is_word = |name: &str| tokens(name).as_slice().iter().map(|t| (&t.word, t.to)).eq([(&Word::Name, name.len())]);
    path.steps()
        .iter()
        .map(|step| match step {
            Step::Field(name) if is_word(name) => format!(".{name}"),
            Step::Field(name) => format!("[{}]", literal(name)),
            Step::Index(at) => format!("[{at}]"),
            Step::Key(..) | Step::Inside => String::new(),
        })
        .collect()
}

/// A known value as a literal of the grammar.
fn known(value: &Value) -> String {
    match value {
        Value::Bool(is) => is.to_string(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(x) => format!("{x:?}"),
        Value::Text(text) => literal(text),
        Value::List(items) => format!("[{}]", items.iter().map(known).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let members: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", literal(k), known(v))).collect();
            format!("{{{}}}", members.join(", "))
        }
        // Unknown and secret ones are never bound: they are what the expression waits for.
        Value::Null | Value::Unknown(_) | Value::Secret(_) => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::spelled;
    use crate::model::{Address, Deferred, Held, Lookup, Path, Piece, Reference, SecretFrom, SecretSource, Value, Variable};

    #[test]
    fn expressions_are_written_by_present_names() {
        let waits = vec![
            Variable::Reference(Reference { address: "jobs.a[\"eu\"]".parse().unwrap(), path: Path::field("id") }),
            Variable::Lookup(Lookup { kind: "groups".into(), name: "the \"ones\"".into() }),
            Variable::Secret(SecretSource::environment("TOKEN")),
            Variable::Secret(SecretSource { name: "var.t".into(), from: SecretFrom::Given(Held::new("planted")) }),
            Variable::Secret(SecretSource { name: "var.u".into(), from: SecretFrom::Environment("BRICKFORM_VAR_u".into()) }),
        ];
        let bound = [("__k0".to_owned(), Value::map([("a", Value::List(vec![Value::Int(1), Value::text("x")]))]))].into_iter().collect();
        let name = |a: &Address| Address { instance: None, key: format!("{}_eu", a.key), ..a.clone() };
        for (pieces, want) in [
            (vec![Piece::Expression("__0".into())], "${jobs.a_eu.id}"),
            (vec![Piece::Text("a ${x} ".into()), Piece::Expression("__0 ~ 'b'".into())], "a $${x} ${jobs.a_eu.id ~ 'b'}"),
            (vec![Piece::Expression("__1.id".into())], "${lookup(\"groups\", \"the \\\"ones\\\"\").id}"),
            (vec![Piece::Expression("(__1)[\"name\"]".into())], "${lookup(\"groups\", \"the \\\"ones\\\"\")[\"name\"]}"),
            (vec![Piece::Expression("f(__2)".into())], "${f(secret(\"TOKEN\"))}"),
            (vec![Piece::Expression("__3 ~ __4".into())], "${var.t ~ var.u}"),
            (vec![Piece::Expression("__k0.a[0] + __0".into())], "${{\"a\": [1, \"x\"]}.a[0] + jobs.a_eu.id}"),
        ] {
            let deferred = Deferred { source: String::new(), pieces, waits: waits.clone(), bound: Clone::clone(&bound) };
            assert_eq!(spelled(&deferred, &name), want);
        }
    }
}
