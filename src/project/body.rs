//! A body against what is known of its kind: types, enums, unknown and missing fields, null, secrets, computed fields.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::expression::is_template;
use super::findings::{Findings, span_text};
use super::scope::is_poison;
use super::slips::{self, Cut};
use crate::catalogue::Type;
use crate::diagnostic::{Diagnostic, Span, suggest, unseen};
use crate::kinds::{Fact, Field, Kind, Schema};
use crate::model::{Address, Map, Path, Step, Value};
use crate::yaml::{Node, Style};

/// Whose body it is.
pub struct Subject<'a> {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its address.
    pub address: &'a Address,
    /// Its source tree.
    pub node: &'a Node,
    /// Where it is declared.
    pub span: &'a Span,
    /// Fields that need not be written: a facet's bound ones are there already.
    pub meta: &'a [&'static str],
}

/// Fields that were written and are left out, by code and file: the first place and all names.
pub type Computed = BTreeMap<(&'static str, String), (Span, BTreeSet<String>)>;

/// Checks an evaluated body and gives it the types that the catalogue wants.
pub fn check(subject: &Subject<'_>, value: Value, findings: &mut Findings, computed: &mut Computed) -> Value {
    let cut: Vec<Cut> = slips::cut_texts(subject.node);
    for text in &cut {
        findings.add(text.diagnostic());
    }
    for text in slips::misread_texts(subject.node) {
        findings.add(text);
    }
    let mut walk = Walk { subject, path: Path::root(), findings, computed, cut };
    let root = Schema::of(subject.kind).root();
    walk.value(value, Some(subject.node), root).unwrap_or(Value::Map(Map::new()))
}

/// A referred value as its own field would hold it: a number in a text field keeps its spelling.
pub fn as_text_field(value: Value, node: &Node, kind: &'static Kind, path: &Path) -> Value {
    if !matches!(value, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_)) {
        return value;
    }
    let field = path.steps().iter().try_fold(Schema::of(kind).root(), |field, step| match step {
        Step::Field(name) => field.field(name),
        Step::Index(_) | Step::Key(..) => field.item(),
        Step::Inside => Some(field.inside()),
    });
    match (field.map(|f| is_text(&f)), spelled(&value, Some(node))) {
        (Some(true), Some(text)) => Value::Text(text),
        _ => value,
    }
}

/// The source spelling of a plain scalar that holds exactly this value.
fn spelled(value: &Value, node: Option<&Node>) -> Option<String> {
    let scalar = node?.scalar()?;
    (scalar.style == Style::Plain && !is_template(&scalar.text) && scalar.value() == *value).then(|| scalar.text.clone())
}

fn is_text(field: &Field<'_>) -> bool {
    match field.ty() {
        Type::Text | Type::Timestamp | Type::Duration | Type::FieldMask | Type::Binary => true,
        Type::Named(_) => !field.is_struct(),
        Type::Int | Type::Int64 | Type::Number | Type::Bool | Type::Any | Type::Object | Type::None | Type::List(_) | Type::Map(_) => false,
    }
}

struct Walk<'a> {
    subject: &'a Subject<'a>,
    path: Path,
    findings: &'a mut Findings,
    computed: &'a mut Computed,
    /// Texts that a comma has cut.
    cut: Vec<Cut>,
}

impl Walk<'_> {
    fn span(&self, node: Option<&Node>) -> Span {
        node.map_or_else(|| self.span_inside(&self.path), |n| n.span.clone())
    }

    /// The place of a path that no node has: in a pasted text, else the nearest above it.
    fn span_inside(&self, path: &Path) -> Span {
        let packed =
            self.subject.kind.packed.and_then(|(field, inside)| super::packed::place(self.subject.node, field, path, &inside(path)));
        packed.unwrap_or_else(|| self.subject.node.nearest(path).span.clone())
    }

    fn name(&self) -> String {
        if self.path.is_root() {
            return self.subject.address.to_string();
        }
        format!("`{}`", super::making::written(self.subject.address, self.subject.node, &self.as_spelt()).1)
    }

    fn is_item(&self) -> bool {
        matches!(self.path.steps().last(), Some(Step::Index(_) | Step::Key(..)))
    }

    /// The path with its first field as the file spells it.
    fn as_spelt(&self) -> Path {
        let other = || {
            let span = &self.subject.node.entry(self.path.first_field()?)?.key_span;
            let word = span.source.text.get(span.start as usize..span.end as usize)?;
            self.subject.kind.spellings.iter().find(|(other, _)| *other == word).map(|(other, _)| *other)
        };
        match other() {
            Some(word) => self.path.steps().iter().skip(1).fold(Path::field(word), |path, step| path.join(step.clone())),
            None => self.path.clone(),
        }
    }

    /// The value in its type; none: it is left out.
    fn value(&mut self, value: Value, node: Option<&Node>, field: Field<'_>) -> Option<Value> {
        if field.secret() {
            return Some(self.secret(value, node));
        }
        match value {
            Value::Unknown(_) | Value::Secret(_) => Some(value),
            Value::Null => self.null(node, &field),
            Value::Map(map) if field.is_struct() => Some(Value::Map(self.members(map, node, field))),
            Value::Map(map) if accepts_map(&field) => Some(Value::Map(self.free_map(map, node, field))),
            Value::List(items) if accepts_list(&field) => Some(Value::List(self.items(items, node, field))),
            Value::Map(_) | Value::List(_) => {
                self.wrong_type(&value, node, &field);
                None
            }
            scalar => Some(self.scalar(scalar, node, &field)),
        }
    }

    fn null(&mut self, node: Option<&Node>, field: &Field<'_>) -> Option<Value> {
        if field.facts().any(|f| matches!(f, Fact::Nullable)) || matches!(field.ty(), Type::Any) {
            return Some(Value::Null);
        }
        let span = self.span(node);
        let is_name =
            self.path.steps().len() == 1 && self.path.first_field().is_some_and(|name| self.subject.kind.natural.fields.contains(&name));
        if self.is_item() || field.required() || is_name {
            let (what, help) = if self.is_item() {
                ("is an empty item", "take the line away, or write what it is")
            } else {
                ("is required, and has no value", "write its value")
            };
            self.findings.add(Diagnostic::error("E0110", format!("{} {what}", self.name())).at(&span, "").help(help));
            return None;
        }
        let found =
            Diagnostic::error("E0110", format!("{} cannot be null: the API has no explicit unset for it", self.name())).at(&span, "");
        self.findings.add(if span.source == self.subject.span.source {
            found.help("leave the field out; removing a field that was applied before unsets it")
        } else {
            found.help("to take away what the resource itself says, write `{ $delete: true }` in its place")
        });
        None
    }

    fn secret(&mut self, value: Value, node: Option<&Node>) -> Value {
        let refused = match &value {
            Value::Unknown(_) | Value::Secret(_) | Value::Null => false,
            Value::Text(text) => !text.trim_start().starts_with("{{secrets/"),
            _ => true,
        };
        if refused {
            let span = self.span(node);
            // `VALUE` would say nothing: a secret is then called as the resource is.
            let spelt = self.as_spelt();
            let word = spelt.last_field().filter(|word| *word != "value").unwrap_or(&self.subject.address.key);
            let example: String = word.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
            self.findings.add(
                Diagnostic::error("E0113", format!("{} is a secret and cannot be written out", self.name()))
                    .at(&span, "a literal")
                    .conceal(&span)
                    .help(format!("write `${{secret(\"{example}\")}}`: it is read from the process environment, a file or a command")),
            );
        }
        value
    }

    fn members(&mut self, map: Map, node: Option<&Node>, field: Field<'_>) -> Map {
        let mut out = Map::with_capacity(map.len());
        let at_root = self.path.is_root();
        if let Some(found) = node.filter(|_| self.is_item()).and_then(|node| slips::split_text(node, &map, &field)) {
            self.findings.add(found.says("E0106", |required| format!("{} of {} has no `{required}`", self.name(), self.subject.address)));
            return out;
        }
        self.missing(&map, node, &field);
        for (name, value) in map {
            let entry = node.and_then(|n| n.entry(&name));
            let Some(member) = field.field(&name) else {
                if let Some(value) = self.unknown_field(&name, value, node, &field) {
                    out.insert(name, value);
                }
                continue;
            };
            if member.computed() {
                let span = entry.map_or_else(|| self.span(node), |e| e.key_span.clone());
                let noted = self.computed.entry(("W0112", span.source.name.clone())).or_insert_with(|| (span, BTreeSet::new()));
                noted.1.insert(name);
                continue;
            }
            self.path.push(Step::Field(name.clone()));
            let checked = self.value(value, entry.map(|e| &e.value), member);
            self.path.pop();
            if let Some(value) = checked {
                out.insert(name, value);
            }
        }
        debug_assert!(at_root == self.path.is_root());
        out
    }

    fn missing(&mut self, map: &Map, node: Option<&Node>, field: &Field<'_>) {
        // What `unknown_field` takes for a slip of the pen is there, if under a wrong name.
        let members = field.members();
        let names = || members.iter().map(|(name, _)| *name);
        let misspelt: Vec<&str> =
            map.keys().filter(|key| field.field(key).is_none()).filter_map(|key| suggest::nearest(key, names())).collect();
        for (name, member) in field.members() {
            if !member.required() || member.computed() || map.contains_key(name) || misspelt.contains(&name) {
                continue;
            }
            let message = if self.path.is_root() {
                format!("{} has no `{name}`", self.subject.address)
            } else {
                format!("{} of {} has no `{name}`", self.name(), self.subject.address)
            };
            let span = if self.path.is_root() {
                self.subject.span.clone()
            } else {
                node.and_then(|n| n.entries().first()).map_or_else(|| self.span(node), |e| e.key_span.clone())
            };
            self.findings.add(Diagnostic::error("E0106", message).at(&span, format!("`{name}` is required")));
        }
    }

    fn unknown_field(&mut self, name: &str, value: Value, node: Option<&Node>, field: &Field<'_>) -> Option<Value> {
        let span = match node.and_then(|n| n.entry(name)) {
            Some(entry) => entry.key_span.clone(),
            None if node.is_some() => self.span(node),
            // Written with the API's names: beside the other members there, where what is set aside has its place too.
            None => self.span_inside(&self.path.join(Step::Field("more".to_owned())).join(Step::Field(name.to_owned()))),
        };
        if self.cut.iter().any(|cut| cut.holds(&span)) {
            return None;
        }
        if let Some(found) = node.and_then(|node| slips::of_key(node, name, field)) {
            self.findings.add(found.diagnostic());
            self.cut.extend(found.cut());
            return None;
        }
        let (whose, what) = if self.path.is_root() {
            (self.subject.address.to_string(), format!("{} has no such field", self.subject.kind.one()))
        } else {
            (format!("{} of {}", self.name(), self.subject.address), "there is no such field here".to_owned())
        };
        let members = field.members();
        let own: &[&str] = if self.path.is_root() { self.subject.meta } else { &[] };
        let names = members.iter().filter(|(_, f)| !f.computed()).map(|(n, _)| *n).chain(own.iter().copied());
        if let Some(near) = suggest::nearest(name, names) {
            let found = Diagnostic::error("E0107", format!("unknown field `{name}` in {whose}"))
                .at(&span, what)
                .help(format!("did you mean `{near}`?"));
            let quoted = span_text(&span) != name;
            self.findings.add(if quoted { found } else { found.patch(&span, near) });
            return None;
        }
        self.findings.add(
            Diagnostic::warning("W0108", format!("unknown field `{name}` in {whose}"))
                .at(&span, what)
                .help("it is sent as it is, in case the API has gained it; `--strict` refuses it"),
        );
        Some(value)
    }

    fn free_map(&mut self, map: Map, node: Option<&Node>, field: Field<'_>) -> Map {
        let mut out = Map::with_capacity(map.len());
        for (name, value) in map {
            let child = node.and_then(|n| n.get(&name));
            let value = match field.field(&name) {
                Some(member) => {
                    self.path.push(Step::Field(name.clone()));
                    let checked = self.value(value, child, member);
                    self.path.pop();
                    checked
                }
                None => Some(value),
            };
            if let Some(value) = value {
                out.insert(name, value);
            }
        }
        out
    }

    fn items(&mut self, items: Vec<Value>, node: Option<&Node>, field: Field<'_>) -> Vec<Value> {
        if let Some(keys) = field.keyed() {
            let all: Vec<&str> = keys.iter().chain(field.apart()).copied().collect();
            let is_told = self.twice(&items, node, &all, field.item());
            // The name that an item has for its id is nobody else's.
            let own = field.item().into_iter().flat_map(|item| item.members()).map(|(name, _)| name).filter(|name| name.starts_with('$'));
            for name in own.filter(|_| !is_told).collect::<Vec<_>>() {
                self.twice(&items, node, &[name], field.item());
            }
        }
        let slips = node.map(crate::yaml::slips::dashes).unwrap_or_default();
        if !slips.is_empty() {
            for slip in slips {
                self.findings.add(slip);
            }
            return items;
        }
        let Some(item) = field.item() else { return items };
        let by_name = node.map(Node::entries).filter(|entries| entries.len() == items.len());
        let mut out = Vec::with_capacity(items.len());
        for (i, value) in items.into_iter().enumerate() {
            self.path.push(Step::Index(i));
            let own = node.and_then(|n| n.items().get(i)).or(by_name.and_then(|entries| entries.get(i)).map(|entry| &entry.value));
            out.extend(self.value(value, own, item));
            self.path.pop();
        }
        out
    }

    /// Two items of a keyed list with one key; where case makes no difference, in whatever case. Whether there are any.
    fn twice(&mut self, items: &[Value], node: Option<&Node>, keys: &[&str], of: Option<Field<'_>>) -> bool {
        let mut is_found = false;
        let is_blind = |key: &&str| {
            let field = of.and_then(|item| item.field(key));
            field.is_some_and(|field| field.facts().any(|fact| matches!(fact, Fact::CaseBlind)))
        };
        let blind: Vec<bool> = keys.iter().map(is_blind).collect();
        let mut seen: HashMap<Vec<Option<String>>, usize> = HashMap::new();
        for (i, item) in items.iter().enumerate() {
            let written = |item: &Value| -> Vec<Option<String>> {
                let known = |value: &&Value| !matches!(value, Value::Unknown(_) | Value::Secret(_));
                keys.iter().map(|k| item.get(k).filter(known).map(Value::key_text)).collect()
            };
            let key = written(item);
            if key.iter().all(Option::is_none) {
                continue;
            }
            let fold = |(word, blind): (&Option<String>, &bool)| word.as_ref().map(|w| if *blind { w.to_lowercase() } else { w.clone() });
            let Some(first) = seen.insert(key.iter().zip(&blind).map(fold).collect(), i) else { continue };
            is_found = true;
            let other = items.get(first).map(written).filter(|other| *other != key);
            let shown: Vec<String> = keys.iter().zip(&key).filter_map(|(k, v)| v.as_ref().map(|v| format!("`{k}: {v}`"))).collect();
            let place = |at: usize| {
                // A list that is written as a map by name.
                if let Some(entry) = node.and_then(|n| n.entries().get(at)) {
                    return entry.key_span.clone();
                }
                let item = node.and_then(|n| n.items().get(at));
                let key = item.and_then(|n| keys.iter().find_map(|k| n.get(k)));
                key.or(item).map_or_else(|| self.span_inside(&self.path.join(Step::Index(at))), |n| n.span.clone())
            };
            let diagnostic =
                Diagnostic::error("E0122", format!("{} of {} has {} twice", self.name(), self.subject.address, shown.join(", ")))
                    .at(&place(i), "again here")
                    .at(&place(first), "first here");
            let own = of.iter().flat_map(Field::members).map(|(name, _)| name).find(|name| *name == "$key" && item.get(name).is_none());
            self.findings.add(match other {
                Some(other) => {
                    let words = |key: &[Option<String>]| key.iter().flatten().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
                    diagnostic.help(format!("case makes no difference: {} is {}", words(&key), words(&other)))
                }
                None => match own {
                    Some(own) => {
                        diagnostic.help(format!("take one away; where both are meant, tell them apart by a `{own}: NAME` in each"))
                    }
                    None => diagnostic,
                },
            });
        }
        is_found
    }

    fn scalar(&mut self, value: Value, node: Option<&Node>, field: &Field<'_>) -> Value {
        let fits = match (field.ty(), &value) {
            (Type::Any | Type::None, _)
            | (Type::Bool, Value::Bool(_))
            | (Type::Int | Type::Int64 | Type::Number, Value::Int(_) | Value::UInt(_))
            | (Type::Number, Value::Float(_)) => true,
            (Type::Int64, Value::Text(text)) => {
                if let Ok(number) = text.parse::<i64>() {
                    return Value::Int(number);
                }
                false
            }
            _ if is_text(field) => return self.text(value, node, field),
            _ => false,
        };
        if !fits {
            self.wrong_type(&value, node, field);
        }
        value
    }

    fn text(&mut self, value: Value, node: Option<&Node>, field: &Field<'_>) -> Value {
        let text = match (&value, spelled(&value, node)) {
            (Value::Text(_), _) => value,
            (_, Some(spelling)) => {
                let span = self.span(node);
                self.findings.add(
                    Diagnostic::warning("W0111", format!("{} is text, and this is {}", self.name(), value.sort()))
                        .at(&span, format!("taken as the text `{spelling}`"))
                        .help("quote it")
                        .patch(&span, format!("\"{spelling}\"")),
                );
                Value::Text(spelling)
            }
            (_, None) => Value::Text(value.key_text()),
        };
        self.unseen(&text, node);
        if let (Some(values), Value::Text(given)) = (field.values(), &text)
            && !values.is_empty()
            && !field.facts().any(|fact| matches!(fact, Fact::Checked))
            && !values.contains(given)
        {
            let span = self.span(node);
            let found = Diagnostic::error("E0109", format!("{} cannot be `{given}`", self.name())).at(&span, "");
            self.findings.add(super::findings::meant(found, given, values.iter().map(String::as_str), &span));
        }
        text
    }

    /// A sign at the end of a text, or in a name, that nobody sees and the workspace minds. What is written as `\u00a0` is meant.
    fn unseen(&mut self, text: &Value, node: Option<&Node>) {
        let Some(text) = text.as_str() else { return };
        let Some((sign, called)) = unseen::stray(text).and_then(|sign| Some((sign, unseen::called(sign)?))) else { return };
        let span = self.span(node);
        if span_text(&span).contains(text) {
            let message = format!("{} of {} has {called} in it", self.name(), self.subject.address);
            self.findings.add(
                Diagnostic::warning("W0135", message).at(&span, "it is sent as it is").help(format!(
                    "type the text anew; where the sign is meant, write it as `\\u{:04x}` in double quotes",
                    u32::from(sign)
                )),
            );
        }
    }

    fn wrong_type(&mut self, value: &Value, node: Option<&Node>, field: &Field<'_>) {
        if is_poison(value) {
            return;
        }
        let span = self.span(node);
        let wants = wanted(field);
        let given = if let Value::Float(number) = value { format!("{number:?}") } else { value.sort().to_owned() };
        let mut found =
            Diagnostic::error("E0105", format!("{} must be {wants}, not {given}", self.name())).at(&span, format!("this is {given}"));
        if matches!(value, Value::Float(_)) && span_text(&span).contains('/') {
            found = found.help("`/` gives a number with a point; `//` divides to a whole number");
        }
        if let Some(node) = node {
            let slips = match field.ty() {
                Type::List(_) => crate::yaml::slips::dashes(node),
                _ if field.is_struct() => crate::yaml::slips::colons(node),
                _ => Vec::new(),
            };
            if !slips.is_empty() {
                for slip in slips {
                    self.findings.add(slip);
                }
                return;
            }
            if matches!(field.ty(), Type::List(_)) {
                found = slips::as_list(found, node, field);
            } else if matches!(field.ty(), Type::Text) {
                found = slips::as_text(found, value, node);
            } else if self.is_item() && slips::is_short_form(self.subject.kind, &self.path) {
                found = slips::as_quoted(found, node);
            }
        }
        let unquoted = node.and_then(Node::scalar).filter(|s| s.style != Style::Plain).map(|s| crate::yaml::plain(&s.text));
        let fits = unquoted.is_some_and(|plain| match field.ty() {
            Type::Int | Type::Int64 => matches!(plain, Value::Int(_) | Value::UInt(_)),
            Type::Number => matches!(plain, Value::Int(_) | Value::UInt(_) | Value::Float(_)),
            Type::Bool => matches!(plain, Value::Bool(_)),
            _ => false,
        });
        self.findings.add(match node.and_then(Node::text) {
            Some(text) if fits => found.help("take the quotes away").patch(&span, text),
            _ => found,
        });
    }
}

fn accepts_map(field: &Field<'_>) -> bool {
    field.is_free_map()
        || matches!(field.ty(), Type::Any | Type::Object | Type::Map(_))
        || field.facts().any(|f| matches!(f, Fact::JsonText))
}

fn accepts_list(field: &Field<'_>) -> bool {
    matches!(field.ty(), Type::List(_) | Type::Any) || field.facts().any(|f| matches!(f, Fact::JsonText))
}

/// The type in words.
fn wanted(field: &Field<'_>) -> &'static str {
    match field.ty() {
        Type::Int | Type::Int64 => "a whole number",
        Type::Number => "a number",
        Type::Bool => "true or false",
        Type::List(_) => "a list",
        Type::Map(_) | Type::Object => "a map",
        Type::Named(_) if field.is_struct() => "a map",
        Type::Text | Type::Timestamp | Type::Duration | Type::FieldMask | Type::Binary | Type::Named(_) => "text",
        Type::Any | Type::None => "a value",
    }
}
