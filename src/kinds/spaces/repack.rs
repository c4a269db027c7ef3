//! A definition that somebody pasted as the API gives it, with what changed in the space since: names, order, fragments and
//! expressions stay as they are written, and only what changed is another one.

use super::form::{Form, SECTIONS, Shape, Wire};
use super::read::{Origin, part as read_part, prose};
use super::write::{at, part as write_part};
use crate::kinds::{Refusal, Spell};
use crate::model::{Map, Path, Step, Value};

/// What is written (`raw`) so that it says `target` where it said `base`; both are normal bodies. `spell` gives a text with its
/// expressions, from how it is written, what that gave, and what it is to give.
///
/// # Errors
/// What cannot be said there.
pub(super) fn repack(raw: &Value, base: &Value, target: &Value, spell: &Spell<'_>) -> Result<Value, Refusal> {
    let root = Path::root();
    let Value::Map(mut out) = raw.clone() else { return Err(Refusal { path: root, reason: "it is no map".to_owned() }) };
    let pen = Pen { spell, wire: wire_of(raw) };
    for section in SECTIONS {
        let [old, new] = [base, target].map(|body| at(body, section.at).and_then(Value::as_list).unwrap_or_default());
        if old == new {
            continue;
        }
        let path = section.at.iter().fold(Path::root(), |path, name| path.join(Step::Field((*name).to_owned())));
        let places = [section.wire(pen.wire), section.given(), section.at];
        let found = places.into_iter().find(|place| !place.is_empty() && matches!(at(raw, place), Some(Value::List(_))));
        let Some(place) = found.or(Some(section.wire(pen.wire))).filter(|place| !place.is_empty()) else {
            let reason = format!("{} has no place for it", pen.wire.api());
            return Err(Refusal { path, reason });
        };
        let there = at(&Value::Map(out.clone()), place).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
        let by: &[&str] = section.ids.as_ref().map_or(std::slice::from_ref(&section.form.short), |ids| ids.by);
        let items = pen.items(section.form, by, &there, (old, new), &path)?;
        put(&mut out, place, items);
    }
    pen.instruction(&mut out, base, target)?;
    let none = Map::new();
    let [old, new] = [base, target].map(|body| body.get("more").and_then(Value::as_map).unwrap_or(&none));
    pen.map(None, &mut out, (old, new), &Path::field("more"))?;
    Ok(Value::Map(out))
}

/// Which of the two wire forms it is: only the typed one has plain texts.
fn wire_of(raw: &Value) -> Wire {
    let lists = [&["instructions", "text_instructions"][..], &["instructions", "example_question_sqls"], &["config", "sample_questions"]];
    let mut items = lists.iter().filter_map(|place| at(raw, place)?.as_list()).flatten();
    let is_plain = |item: &Value| ["content", "question"].iter().any(|name| matches!(item.get(name), Some(Value::Text(_))));
    if raw.get("version").is_none() && items.any(is_plain) { Wire::Typed } else { Wire::Serialised }
}

/// A list in nested maps; an empty one goes.
fn put(body: &mut Map, place: &[&str], items: Vec<Value>) {
    let Some((first, rest)) = place.split_first() else { return };
    if rest.is_empty() {
        if items.is_empty() {
            body.shift_remove(*first);
        } else {
            body.insert((*first).to_owned(), Value::List(items));
        }
        return;
    }
    if let Value::Map(below) = body.entry((*first).to_owned()).or_insert_with(|| Value::Map(Map::new())) {
        put(below, rest, items);
    }
}

/// What writes.
struct Pen<'s> {
    spell: &'s Spell<'s>,
    wire: Wire,
}

impl Pen<'_> {
    /// The items of a list: those that are there stay where they are, new ones come where the list is sorted.
    fn items(&self, form: &Form, by: &[&str], raw: &[Value], (old, new): (&[Value], &[Value]), path: &Path) -> Result<Vec<Value>, Refusal> {
        let read: Vec<Value> = raw.iter().map(|item| read_part(form, item.clone(), Origin::Api)).collect();
        let written = pairs(by, old, &read);
        let again = pairs(by, old, new);
        let mut out = Vec::with_capacity(new.len());
        for (j, item) in raw.iter().enumerate() {
            let Some(i) = written.iter().position(|place| *place == Some(j)) else {
                out.push(item.clone());
                continue;
            };
            if let Some(k) = again[i] {
                let step = by.iter().filter_map(|name| Some(((*name).to_owned(), old[i].get(name)?.key_text()))).collect();
                out.push(self.item(form, item, (&old[i], &new[k]), &path.join(Step::Key(step, 0)))?);
            }
        }
        let order = |item: &Value| {
            let item = read_part(form, item.clone(), Origin::Api);
            form.sorted.iter().map(|name| item.get(name).map(Value::key_text)).collect::<Vec<_>>()
        };
        for item in (0..new.len()).filter(|k| !again.contains(&Some(*k))).map(|k| &new[k]) {
            let item = self.literal(&write_part(form, item, self.wire));
            let keys: Vec<_> = out.iter().map(order).collect();
            let own = order(&item);
            let place = match form.sorted {
                [] => out.len(),
                _ if keys.is_sorted() => keys.partition_point(|key| *key <= own),
                _ if keys.iter().rev().is_sorted() => keys.partition_point(|key| *key >= own),
                _ => out.len(),
            };
            out.insert(place, item);
        }
        Ok(out)
    }

    fn item(&self, form: &Form, raw: &Value, (old, new): (&Value, &Value), path: &Path) -> Result<Value, Refusal> {
        if old == new {
            return Ok(raw.clone());
        }
        let short = form.members.iter().find(|member| member.name == form.short);
        let mut out = match (raw, short) {
            (Value::Map(map), _) => map.clone(),
            // A text alone stands for one member.
            (text, Some(short)) => std::iter::once((short.sent(self.wire).to_owned(), text.clone())).collect(),
            (other, None) => return Err(Refusal { path: path.clone(), reason: format!("{} stands there", other.sort()) }),
        };
        let mut sides = [old, new].map(|side| side.as_map().cloned().unwrap_or_default());
        for member in form.members {
            let Shape::Parts(below) = member.shape else { continue };
            let [old, new] = sides.each_mut().map(|side| side.shift_remove(member.name));
            if old == new {
                continue;
            }
            let name = member.names(Origin::Api).find(|name| out.contains_key(*name)).unwrap_or(member.sent(self.wire)).to_owned();
            let lists = [&old, &new].map(|list| list.as_ref().and_then(Value::as_list).unwrap_or_default());
            let there = out.get(&name).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
            let below_path = path.join(Step::Field(member.name.to_owned()));
            let items = self.items(below, &[below.short], &there, (lists[0], lists[1]), &below_path)?;
            put(&mut out, &[&name], items);
        }
        let [old, new] = sides.map(|side| write_part(form, &Value::Map(side), self.wire));
        if let (Value::Map(old), Value::Map(new)) = (old, new) {
            self.map(Some(form), &mut out, (&old, &new), path)?;
        }
        Ok(Value::Map(out))
    }

    /// Members by name, under the name by which they are written.
    fn map(&self, form: Option<&Form>, out: &mut Map, (old, new): (&Map, &Map), path: &Path) -> Result<(), Refusal> {
        let spelt = |out: &Map, name: &str| {
            let member = form.and_then(|form| form.members.iter().find(|member| member.sent(self.wire) == name));
            let other =
                member.filter(|_| !out.contains_key(name)).and_then(|member| member.names(Origin::Api).find(|n| out.contains_key(*n)));
            other.unwrap_or(name).to_owned()
        };
        for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(*value)) {
            let there = spelt(out, name);
            let now = match (out.get(&there), old.get(name)) {
                (Some(raw), Some(old)) => self.value(raw, (old, value), &path.join(Step::Field(name.clone())))?,
                _ => self.literal(value),
            };
            out.insert(there, now);
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            let there = spelt(out, name);
            out.shift_remove(&there);
        }
        Ok(())
    }

    fn value(&self, raw: &Value, (old, new): (&Value, &Value), path: &Path) -> Result<Value, Refusal> {
        if old == new {
            return Ok(raw.clone());
        }
        if raw == old {
            return Ok(self.literal(new));
        }
        match (raw, old, new) {
            (Value::Map(raw), Value::Map(old), Value::Map(new)) => {
                let mut out = raw.clone();
                self.map(None, &mut out, (old, new), path)?;
                Ok(Value::Map(out))
            }
            // Fragments of one text.
            (Value::Text(_) | Value::List(_), _, _) if [old, new].iter().all(|side| is_prose(side)) => self.prose(raw, (old, new), path),
            (Value::List(raw), Value::List(old), Value::List(new)) if raw.len() == old.len() => {
                let known =
                    |i: usize, value: &Value| (old.get(i) == Some(value)).then_some(i).or_else(|| old.iter().position(|o| o == value));
                let all = new.iter().enumerate().map(|(i, value)| match known(i, value) {
                    Some(place) => Ok(raw[place].clone()),
                    None if new.len() == raw.len() => self.value(&raw[i], (&old[i], value), path),
                    None => Ok(self.literal(value)),
                });
                Ok(Value::List(all.collect::<Result<_, _>>()?))
            }
            (Value::Text(raw), Value::Text(old), Value::Text(new)) => self.text(raw, (old, new), path).map(Value::Text),
            _ => Ok(self.literal(new)),
        }
    }

    /// A text in as many fragments as it was: in one, or in lines.
    fn prose(&self, raw: &Value, (old, new): (&Value, &Value), path: &Path) -> Result<Value, Refusal> {
        let [old, new] = [old, new].map(|value| match prose(value.clone()) {
            Value::Text(text) => text,
            _ => String::new(),
        });
        let written = match raw {
            Value::List(parts) => parts.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let now = self.text(&written, (&old, &new), path)?;
        Ok(match raw {
            Value::List(parts) if parts.len() > 1 => Value::List(now.split_inclusive('\n').map(Value::from).collect()),
            Value::List(_) => Value::List(vec![Value::Text(now)]),
            _ => Value::Text(now),
        })
    }

    fn text(&self, written: &str, (old, new): (&str, &str), path: &Path) -> Result<String, Refusal> {
        if !written.contains("${") {
            return Ok(self.plain(new));
        }
        let written = if old.contains("\r\n") { written.to_owned() } else { written.replace("\r\n", "\n") };
        let refusal = || Refusal { path: path.clone(), reason: "an expression gives what changed".to_owned() };
        (self.spell)(&written, old, new).ok_or_else(refusal)
    }

    /// A text without expressions.
    fn plain(&self, text: &str) -> String {
        let escaped = text.contains("${").then(|| (self.spell)("", "", text)).flatten();
        escaped.unwrap_or_else(|| text.to_owned())
    }

    fn literal(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.plain(text)),
            Value::List(items) => Value::List(items.iter().map(|item| self.literal(item)).collect()),
            Value::Map(map) => Value::Map(map.iter().map(|(name, value)| (name.clone(), self.literal(value))).collect()),
            other => other.clone(),
        }
    }

    /// The general instruction: one text, whatever it was in.
    fn instruction(&self, out: &mut Map, base: &Value, target: &Value) -> Result<(), Refusal> {
        const PLACE: [&str; 2] = ["instructions", "text_instructions"];
        let [old, new] = [base, target].map(|body| at(body, &["instructions", "text"]));
        if old == new {
            return Ok(());
        }
        let path = Path::field("instructions").join(Step::Field("text".to_owned()));
        let content = |text: &Value| if self.wire == Wire::Typed { text.clone() } else { Value::List(vec![text.clone()]) };
        let there = at(&Value::Map(out.clone()), &PLACE).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
        let first = there.first().and_then(Value::as_map);
        let items = match (new, old, first) {
            (None, ..) => vec![],
            (Some(new), Some(old), Some(first)) => {
                let name = if first.contains_key("text") { "text" } else { "content" };
                let mut item = first.clone();
                let now = match (item.get(name), there.len()) {
                    (Some(raw), 1) => self.value(raw, (&content(old), &content(new)), &path)?,
                    // Several of them are one text.
                    _ => self.literal(&content(new)),
                };
                item.insert(name.to_owned(), now);
                vec![Value::Map(item)]
            }
            (Some(new), ..) => {
                let id = at(target, &["instructions", "text_id"]).map(|id| ("id".to_owned(), id.clone()));
                let said = [("content".to_owned(), self.literal(&content(new)))];
                vec![Value::Map(id.into_iter().chain(said).collect())]
            }
        };
        put(out, &PLACE, items);
        Ok(())
    }
}

/// Whether a value is a text, or the one fragment of one.
fn is_prose(value: &Value) -> bool {
    match value {
        Value::Text(_) => true,
        Value::List(items) => matches!(items.as_slice(), [Value::Text(_)]),
        _ => false,
    }
}

/// For each item of a list the place of the same one in another: by name and id, by its place where an expression stands in the
/// name there, by name, by id.
fn pairs(by: &[&str], these: &[Value], others: &[Value]) -> Vec<Option<usize>> {
    let name = |item: &Value| by.iter().map(|name| item.get(name).map(Value::key_text)).collect::<Vec<_>>();
    let id = |item: &Value| item.get("id").filter(|id| !id.is_zero()).map(Value::key_text);
    let (names, theirs): (Vec<_>, Vec<_>) = (these.iter().map(name).collect(), others.iter().map(name).collect());
    let is_expression = |j: usize| theirs[j].iter().flatten().any(|text| text.contains("${"));
    let same_id = |i: usize, j: usize| id(&these[i]).is_some() && id(&these[i]) == id(&others[j]);
    let mut found = vec![None; these.len()];
    let rules: [&dyn Fn(usize, usize) -> bool; 4] = [
        &|i, j| names[i] == theirs[j] && same_id(i, j),
        &|i, j| i == j && these.len() == others.len() && is_expression(j),
        &|i, j| names[i] == theirs[j],
        &same_id,
    ];
    for rule in rules {
        for i in 0..these.len() {
            if found[i].is_none() {
                found[i] = (0..others.len()).find(|j| !found.contains(&Some(*j)) && rule(i, *j));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::repack;
    use crate::kinds::spaces::{read, write};
    use crate::model::{Value, json};

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).expect("JSON")
    }

    /// `${catalog}` gives `main`.
    fn spell(written: &str, old: &str, new: &str) -> Option<String> {
        assert_eq!(written.replace("${catalog}", "main"), old);
        let kept = !written.contains("${catalog}") || new.contains("main");
        kept.then(|| new.replace("${", "$${").replace("main", if written.is_empty() { "main" } else { "${catalog}" }))
    }

    /// What a definition becomes when something of the space does.
    fn becomes(raw: &str, edit: &dyn Fn(&str) -> String) -> Result<Value, String> {
        let evaluated = raw.replace("${catalog}", "main");
        let body = |text: &str| read::normal(Value::map([("serialized_space", value(text))]));
        let base = body(&evaluated);
        let target = body(&edit(&evaluated));
        assert_ne!(base, target);
        let now = repack(&value(raw), &base, &target, &spell).map_err(|refusal| format!("{}: {}", refusal.path, refusal.reason))?;
        let read = value(&json::write(&now).expect("JSON").replace("${catalog}", "main").replace("$${", "${"));
        let sent = |body: &Value| write::serialised(body).get("serialized_space").cloned();
        assert_eq!(sent(&read::normal(Value::map([("serialized_space", read)]))), sent(&target), "it says what the space is to be");
        Ok(now)
    }

    #[test]
    fn only_what_changed_is_written() {
        let raw = r#"{"version":2,"config":{"sample_questions":[{"id":"b0000000000000000000000000000001","question":["Who?"]}]},
            "data_sources":{"tables":[{"identifier":"${catalog}.s.a","column_configs":[{"column_name":"x","get_example_values":true}]},
            {"identifier":"${catalog}.s.b"}]},
            "instructions":{"text_instructions":[{"id":"a0000000000000000000000000000001","content":["one\n","of ${catalog}\n","three\n"]}],
            "example_question_sqls":[{"id":"a0000000000000000000000000000003","question":["Top"],"sql":["SELECT 1\n","FROM ${catalog}.s.a"]}]}}"#;
        for (from, to, want) in [
            ("three", "THREE", vec![(r#""three\n""#, r#""THREE\n""#)]),
            ("SELECT 1", "SELECT 2", vec![(r#""SELECT 1\n""#, r#""SELECT 2\n""#)]),
            (r#""Top""#, r#""Best""#, vec![(r#""Top""#, r#""Best""#)]),
            (
                r#"{"identifier":"main.s.b"}"#,
                r#"{"identifier":"main.s.b","description":["ours"]}"#,
                vec![(r#".s.b"}"#, r#".s.b","description":["ours"]}"#)],
            ),
            (
                r#""get_example_values":true"#,
                r#""get_example_values":true,"description":["${x}"]"#,
                vec![(":true", r#":true,"description":["$${x}"]"#)],
            ),
            (",\n            {\"identifier\":\"main.s.b\"}", "", vec![(",\n            {\"identifier\":\"${catalog}.s.b\"}", "")]),
            // New items come where the list is sorted.
            (
                r#"{"id":"b0000000000000000000000000000001","question":["Who?"]}"#,
                r#"{"id":"b0000000000000000000000000000001","question":["Who?"]},{"id":"a0000000000000000000000000000009","question":["Why?"]}"#,
                vec![(
                    r#"{"id":"b0000000000000000000000000000001","#,
                    r#"{"id":"a0000000000000000000000000000009","question":["Why?"]},{"id":"b0000000000000000000000000000001","#,
                )],
            ),
        ] {
            let mut wanted = raw.to_owned();
            for (from, to) in want {
                assert!(wanted.contains(from), "{from}");
                wanted = wanted.replacen(from, to, 1);
            }
            assert!(raw.replace("${catalog}", "main").contains(from), "{from}");
            let found = becomes(raw, &|text| text.replacen(from, to, 1)).expect("it can be said");
            assert_eq!(json::write(&found).unwrap(), json::write(&value(&wanted)).unwrap(), "{from}");
        }
        let refused = becomes(raw, &|text| text.replace("main.s.a\"]", "other.s.a\"]"));
        assert_eq!(refused, Err("instructions.example_sql[question=Top].sql: an expression gives what changed".to_owned()));
    }
}
