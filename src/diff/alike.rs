//! Where in a long list without order the partner of an item probably is, so that pairing does not compare all with all.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt::Write as _;

use super::same;
use crate::kinds::Field;
use crate::model::Value;

/// Lists shorter than this are compared item by item.
const LONG: usize = 16;

/// The items of a long list by what they look like. Items that look alike need not be the same, nor the other way round:
/// it says where to look first.
#[derive(Default)]
pub(super) struct Alike {
    places: Option<HashMap<String, VecDeque<usize>>>,
}

impl Alike {
    pub fn of(item: Option<Field<'_>>, ours: &[Value], other: &[Value]) -> Self {
        if ours.len().min(other.len()) < LONG {
            return Self::default();
        }
        let mut places: HashMap<String, VecDeque<usize>> = HashMap::with_capacity(other.len());
        for (j, value) in other.iter().enumerate() {
            places.entry(look(item, value)).or_default().push_back(j);
        }
        Self { places: Some(places) }
    }

    /// The first place that is still free and holds something that looks like this.
    pub fn find(&mut self, item: Option<Field<'_>>, value: &Value, taken: &[bool]) -> Option<usize> {
        let places = self.places.as_mut()?.get_mut(&look(item, value))?;
        while places.front().is_some_and(|j| taken[*j]) {
            places.pop_front();
        }
        places.front().copied()
    }
}

/// What a value looks like: members in the order of their names, without those that say no more than a missing one.
fn look(field: Option<Field<'_>>, value: &Value) -> String {
    let mut out = String::new();
    write(field, value, &mut out);
    out
}

fn write(field: Option<Field<'_>>, value: &Value, out: &mut String) {
    match value {
        Value::Map(map) => {
            let below = |name: &str| field.and_then(|f| f.field(name));
            let says = |name: &str, v: &Value| {
                let field = below(name);
                let seen = field.is_none_or(|f| !f.computed() && !f.input_only() && !f.secret());
                seen && !same::is_picked(field, v, same::Around::default())
            };
            let mut members: Vec<(&String, &Value)> = map.iter().filter(|(name, v)| says(name, v)).collect();
            members.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, v) in members {
                let _ = write!(out, "{name:?}:");
                write(below(name), v, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::List(list) => {
            let item = field.and_then(|f| f.item());
            out.push('[');
            for v in list {
                write(item, v, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Text(text) => {
            let _ = write!(out, "{:?}", same::text(field, text));
        }
        Value::Secret(_) | Value::Unknown(_) => out.push('?'),
        // Numbers may travel as text.
        scalar => {
            let _ = write!(out, "{:?}", scalar.key_text());
        }
    }
}
