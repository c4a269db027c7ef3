//! The place of a field in a body: `tasks[task_key=load].notebook_task.path`. One type, one printer, one parser, for
//! diff, overlays, `ignore_changes`, masks and messages.

use std::fmt;
use std::str::FromStr;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A member of a map.
    Field(String),
    /// An item of a keyed list: the fields that are its key, and which one of several that share it (from 0).
    Key(Vec<(String, String)>, u32),
    /// An item of a list by place.
    Index(usize),
    /// Into the structure of JSON text: printed `!`.
    Inside,
}

impl Step {
    /// Whether the other is this step, or says more of the same item.
    fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key(pairs, 0), Self::Key(more, 0)) => pairs.iter().all(|pair| more.contains(pair)),
            _ => self == other,
        }
    }
}

/// The place of a field. Empty is the whole body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path: {why} (a path looks like `schedule.pause_status` or `tasks[task_key=load].run_if`)")]
pub struct PathError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Path {
    /// The whole body.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// One field of the body.
    #[must_use]
    pub fn field(name: impl Into<String>) -> Self {
        Self(vec![Step::Field(name.into())])
    }

    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Goes one step down.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Goes one step up.
    pub fn pop(&mut self) -> Option<Step> {
        self.0.pop()
    }

    /// This path with one step more.
    #[must_use]
    pub fn join(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Whether the other lies at or below this one.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.len() >= self.0.len() && self.0.iter().zip(&other.0).all(|(step, other)| step.holds(other))
    }

    /// The first field: `schedule` of `schedule.pause_status`.
    #[must_use]
    pub fn first_field(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// The last field on the way.
    #[must_use]
    pub fn last_field(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|s| if let Step::Field(name) = s { Some(name.as_str()) } else { None })
    }

    /// Whether it is the whole body.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Step>> for Path {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

fn plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$' | b'/' | b':') || b >= 0x80)
}

fn quoted(text: &str) -> String {
    if plain(text) { text.to_owned() } else { serde_json::to_string(text).unwrap_or_default() }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if plain(name) => write!(f, "{}{name}", if i == 0 || self.0[i - 1] == Step::Inside { "" } else { "." })?,
                Step::Field(name) => write!(f, "[{}]", serde_json::to_string(name).unwrap_or_default())?,
                Step::Index(n) => write!(f, "[{n}]")?,
                Step::Inside => f.write_str("!")?,
                Step::Key(pairs, nth) => {
                    f.write_str("[")?;
                    for (j, (k, v)) in pairs.iter().enumerate() {
                        write!(f, "{}{}={}", if j == 0 { "" } else { "," }, quoted(k), quoted(v))?;
                    }
                    if *nth > 0 {
                        write!(f, "#{nth}")?;
                    }
                    f.write_str("]")?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let fail = |why| PathError { text: text.to_owned(), why };
        let mut steps = Vec::new();
        let mut rest = text;
        let mut fresh = true; // a field may stand here without a dot
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('!') {
                steps.push(Step::Inside);
                (rest, fresh) = (after, true);
            } else if let Some(after) = rest.strip_prefix('[') {
                let (step, after) =
                    in_brackets(after).ok_or_else(|| fail("a `[` is not closed or holds neither a number, a name nor key=value"))?;
                steps.push(step);
                (rest, fresh) = (after, false);
            } else {
                let body = if fresh { rest } else { rest.strip_prefix('.').ok_or_else(|| fail("a `.` is missing"))? };
                let end = body.find(|c: char| !plain(&c.to_string())).unwrap_or(body.len());
                if end == 0 {
                    return Err(fail("a name is missing"));
                }
                steps.push(Step::Field(body[..end].to_owned()));
                (rest, fresh) = (&body[end..], false);
            }
        }
        Ok(Self(steps))
    }
}

/// One word: quoted as JSON, or plain.
fn word(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let value = stream.next()?.ok()?;
        return Some((value, text.get(stream.byte_offset()..)?));
    }
    let end = text.find(|c: char| !plain(&c.to_string())).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

fn in_brackets(text: &str) -> Option<(Step, &str)> {
    if let Some((digits, after)) = text.split_once(']')
        && let Ok(n) = digits.parse::<usize>()
    {
        return Some((Step::Index(n), after));
    }
    let mut pairs = Vec::new();
    let mut rest = text;
    loop {
        let (key, after) = word(rest)?;
        if pairs.is_empty()
            && let Some(after) = after.strip_prefix(']')
        {
            return Some((Step::Field(key), after));
        }
        let (value, after) = word(after.strip_prefix('=')?)?;
        pairs.push((key, value));
        if let Some(after) = after.strip_prefix(',') {
            rest = after;
            continue;
        }
        if let Some(after) = after.strip_prefix(']') {
            return Some((Step::Key(pairs, 0), after));
        }
        let (nth, after) = after.strip_prefix('#')?.split_once(']')?;
        return Some((Step::Key(pairs, nth.parse().ok()?), after));
    }
}

impl serde::Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn prints_what_it_parses() {
        for text in [
            "",
            "name",
            "schedule.pause_status",
            "tasks[task_key=load].run_if",
            r#"tasks[task_key="a b"].x"#,
            "tasks[2]",
            r#"spark_conf["spark.sql.x"]"#,
            "definition!rules.x",
            "entries[user_name=\"a@b.c\"#1]",
            "x[a=1,b=2].c",
        ] {
            let path: Path = text.parse().expect(text);
            assert_eq!(path.to_string(), text, "{path:?}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["a..b", "a[", "a[]", "[x=]", "a]", "a[x=1", "a b"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
