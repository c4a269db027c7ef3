//! Building a deferred expression: known operands are bound, waits numbered, deferred operands written out in place.

use super::lexer::{Word, literal, tokens};
use crate::model::{Deferred, Map, Piece, Value, Variable};

/// A deferred expression in the making.
#[derive(Default)]
pub struct Builder {
    waits: Vec<Variable>,
    bound: Map,
}

impl Builder {
    /// The value as an operand of an expression: the name of a bound value, or what it waits for, written out.
    pub fn operand(&mut self, value: &Value) -> String {
        match value {
            Value::Unknown(inner) | Value::Secret(inner) => format!("({})", self.expression(inner)),
            Value::List(items) if value_waits(value) => {
                let items: Vec<String> = items.iter().map(|item| self.operand(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Map(map) if value_waits(value) => {
                let members: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", literal(k), self.operand(v))).collect();
                format!("{{{}}}", members.join(", "))
            }
            known => self.bind(known.clone()),
        }
    }

    fn bind(&mut self, value: Value) -> String {
        let name = format!("__k{}", self.bound.len());
        self.bound.insert(name.clone(), value);
        name
    }

    fn wait(&mut self, variable: &Variable) -> String {
        let index = self.waits.iter().position(|w| w == variable).unwrap_or_else(|| {
            self.waits.push(variable.clone());
            self.waits.len() - 1
        });
        format!("__{index}")
    }

    /// A deferred value as one expression, its pieces joined as text.
    fn expression(&mut self, inner: &Deferred) -> String {
        let pieces: Vec<String> = inner
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => literal(text),
                Piece::Expression(expression) if inner.pieces.len() == 1 => self.renamed(expression, inner),
                Piece::Expression(expression) => format!("({})", self.renamed(expression, inner)),
            })
            .collect();
        pieces.join(" ~ ")
    }

    /// The pieces of a deferred value, renumbered for this one.
    pub fn pieces(&mut self, inner: &Deferred) -> Vec<Piece> {
        inner
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Piece::Text(text.clone()),
                Piece::Expression(expression) => Piece::Expression(self.renamed(expression, inner)),
            })
            .collect()
    }

    /// An expression of another deferred value with its placeholders renumbered for this one.
    fn renamed(&mut self, expression: &str, inner: &Deferred) -> String {
        let mut out = String::with_capacity(expression.len());
        let mut at = 0;
        for token in tokens(expression) {
            let spelling = token.spelling(expression);
            if token.word != Word::Name || !spelling.starts_with("__") {
                continue;
            }
            let name = match spelling[2..].parse::<usize>() {
                Ok(index) => inner.waits.get(index).map(|wait| self.wait(wait)),
                Err(_) => inner.bound.get(spelling).map(|value| self.bind(value.clone())),
            };
            if let Some(name) = name {
                out.push_str(&expression[at..token.from]);
                out.push_str(&name);
                at = token.to;
            }
        }
        out.push_str(&expression[at..]);
        out
    }

    /// The finished value: secret if anything it waits for is, else unknown.
    pub fn build(self, source: &str, pieces: Vec<Piece>) -> Value {
        let secret = self.waits.iter().any(|w| matches!(w, Variable::Secret(_)));
        let deferred = std::sync::Arc::new(Deferred { source: source.to_owned(), pieces, waits: self.waits, bound: self.bound });
        if secret { Value::Secret(deferred) } else { Value::Unknown(deferred) }
    }
}

/// Whether anything inside is unknown or secret.
pub fn value_waits(value: &Value) -> bool {
    value.any(&|v| matches!(v, Value::Unknown(_) | Value::Secret(_)))
}
