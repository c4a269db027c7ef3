//! One value for desired, applied and live.
//!
//! Absent, null, false, zero and empty are five different things: absent is the lack of a map entry, the others are
//! values. Where a value came from is kept beside it, in the source tree it was resolved from (`project::Resource::node`),
//! so equality never sees it.

use std::sync::Arc;

use super::{Deferred, Map, Path, Step};

/// A value of YAML, of JSON on the wire, or of the state.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// An explicit null.
    Null,
    /// true or false.
    Bool(bool),
    /// A whole number that fits 64 signed bits.
    Int(i64),
    /// A whole number above `i64::MAX`; never used for smaller ones.
    UInt(u64),
    /// A number written with a point or an exponent.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(Map),
    /// Known only after something has been read or created.
    Unknown(Arc<Deferred>),
    /// Never shown, stored or compared by value; read at the moment of sending.
    Secret(Arc<Deferred>),
}

impl Value {
    /// Text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A map of the given entries.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(entries.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(t) = self { Some(t) } else { None }
    }

    /// The whole number, if it is one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(l) = self { Some(l) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(m) = self { Some(m) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Self::Map(m) = self { Some(m) } else { None }
    }

    /// The member of a map; none where this is no map or lacks it.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.as_map().and_then(|m| m.get(field))
    }

    /// The value at a path; none where something on the way is absent. `Inside` steps do not parse: JSON inside text
    /// is held parsed by whoever compares it.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.steps().iter().try_fold(self, |value, step| value.step(step))
    }

    /// One step down.
    #[must_use]
    pub fn step(&self, step: &Step) -> Option<&Value> {
        match step {
            Step::Field(name) => self.get(name),
            Step::Index(i) => self.as_list().and_then(|l| l.get(*i)),
            Step::Key(pairs, nth) => self.as_list().and_then(|l| {
                l.iter().filter(|item| pairs.iter().all(|(k, v)| item.get(k).is_some_and(|x| x.key_text() == *v))).nth(*nth as usize)
            }),
            Step::Inside => Some(self),
        }
    }

    /// The text by which a keyed list recognises this value: plain text as it is, others as JSON.
    #[must_use]
    pub fn key_text(&self) -> String {
        match self {
            Self::Text(t) => t.clone(),
            other => super::json::display(other),
        }
    }

    /// Whether anything inside is unknown.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.any(&|v| matches!(v, Self::Unknown(_)))
    }

    /// Whether anything inside is secret.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.any(&|v| matches!(v, Self::Secret(_)))
    }

    /// Whether the test holds for this value or any below it.
    pub fn any(&self, test: &dyn Fn(&Value) -> bool) -> bool {
        test(self)
            || match self {
                Self::List(l) => l.iter().any(|v| v.any(test)),
                Self::Map(m) => m.values().any(|v| v.any(test)),
                _ => false,
            }
    }

    /// Calls the function for every deferred value inside, with its path.
    pub fn each_deferred<'a>(&'a self, path: &mut Path, found: &mut dyn FnMut(&Path, &'a Arc<Deferred>)) {
        match self {
            Self::Unknown(d) | Self::Secret(d) => found(path, d),
            Self::List(l) => {
                for (i, v) in l.iter().enumerate() {
                    path.push(Step::Index(i));
                    v.each_deferred(path, found);
                    path.pop();
                }
            }
            Self::Map(m) => {
                for (k, v) in m {
                    path.push(Step::Field(k.clone()));
                    v.each_deferred(path, found);
                    path.pop();
                }
            }
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::UInt(_) | Self::Float(_) | Self::Text(_) => {}
        }
    }

    /// What servers leave out of replies: false, zero, empty text, list or map, null.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) | Self::Int(0) | Self::UInt(0) => true,
            Self::Float(f) => *f == 0.0,
            Self::Text(t) => t.is_empty(),
            Self::List(l) => l.is_empty(),
            Self::Map(m) => m.is_empty(),
            Self::Bool(true) | Self::Int(_) | Self::UInt(_) | Self::Unknown(_) | Self::Secret(_) => false,
        }
    }

    /// The sort of value, as messages name it.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::UInt(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Unknown(_) => "a value known after apply",
            Self::Secret(_) => "a secret",
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&super::json::display(self))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or(Self::UInt(n), Self::Int)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Self::List(list)
    }
}
