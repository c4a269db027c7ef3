//! A kind's page of the reference, in Markdown: what it is, an example, what it is known by, every field, its parts, its requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::schema::{self, type_words};
use crate::catalogue::{self, Type};
use crate::kinds::{Field, From, Identity, Kind, Lifetime, Loss, Preset, Registry, Rename, Schema, Unique, Update, levels, told};

/// The index: a line for each kind.
#[must_use]
pub fn index(registry: &Registry) -> String {
    let mut out = String::from(
        "# Kinds\n\nWhat can stand at the top of a YAML file, a page each: an example, every field, what deleting it loses, how an existing one is\n\
         taken over. Bodies have the field names of the REST API. `brickform explain KIND` says the same on the command line.\n\n\
         | kind | what it is | known by | deleting it loses |\n| --- | --- | --- | --- |\n",
    );
    for kind in registry.iter() {
        let about = told(kind.name).map_or("", |t| t.about);
        let about = about.split_once(". ").map_or(about.trim_end_matches('.'), |(first, _)| first);
        let loses = match (kind.loss, kind.lifetime) {
            (Loss::Nothing, Lifetime::Own) => String::new(),
            (Loss::Nothing, _) => "nothing: it is put back as it was".to_owned(),
            (Loss::History(what), _) => what.to_owned(),
            (Loss::Data(what), _) => format!("**{what}**"),
        };
        let _ = writeln!(out, "| [`{0}`](kinds/{0}.md) | {about} | {1} | {loses} |", kind.name, keys(kind));
    }
    out.push_str(
        "\nWhat stands in **bold** is data: deleting or replacing one is blocked until it is allowed by name (`--allow-delete KIND`).\n\
         Beside its fields every resource takes `lifecycle`, `depends_on`, `when` and `for_each`: [the YAML language](yaml.md#meta-fields).\n",
    );
    out
}

/// The page of one kind.
#[must_use]
pub fn page(kind: &'static Kind) -> String {
    let mut out = format!("# {}\n\n", kind.name);
    if let Some(told) = told(kind.name) {
        let _ = write!(out, "{}\n\n```yaml apply\n{}```\n\n", told.about, told.example);
    }
    out.push_str("| | |\n| --- | --- |\n");
    for (name, text) in rows(kind) {
        let _ = writeln!(out, "| {name} | {text} |");
    }
    if let Some(told) = told(kind.name) {
        let _ = write!(out, "\n## Worth knowing\n\n{}\n", told.notes);
    }
    out.push_str(&parts(kind));
    out.push_str(&adopting(kind));
    out.push_str(&fields(kind));
    out.push_str(&requests(kind));
    out
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes(list: &[&str]) -> String {
    list.iter().map(|w| code(w)).collect::<Vec<_>>().join(", ")
}

fn keys(kind: &Kind) -> String {
    match kind.identity {
        Identity::Single(_) => "there is one".to_owned(),
        _ => codes(&kind.natural.fields.iter().map(|field| spelled(kind, field)).collect::<Vec<_>>()),
    }
}

/// A field as people write it: `display_name`, where the API has `displayName`.
fn spelled(kind: &Kind, field: &'static str) -> &'static str {
    let snake = kind.spellings.iter().find(|(_, own)| *own == field && field.contains(char::is_uppercase));
    snake.map_or(field, |(other, _)| *other)
}

fn rows(kind: &Kind) -> Vec<(&'static str, String)> {
    let mut rows = vec![];
    if !kind.aliases.is_empty() {
        rows.push(("also written", codes(kind.aliases)));
    }
    rows.push((
        "known by",
        match (kind.identity, kind.natural.unique) {
            (Identity::Single(_), _) => "there is one in a workspace".to_owned(),
            (_, Unique::Yes) => format!("{}, unique in a workspace", keys(kind)),
            (_, Unique::No) => format!("{}, which several may have: the id in the state says which one is meant", keys(kind)),
        },
    ));
    rows.push((
        "`.id`",
        match kind.identity {
            Identity::Assigned(field) => format!("`{field}`, picked by the workspace"),
            Identity::Named { parts, join, rename } => format!(
                "{}; another one {}",
                code(&parts.join(join)),
                match rename {
                    Rename::Replaces => "is another object",
                    Rename::By(_) => "renames it",
                }
            ),
            Identity::Single(word) => code(word),
        },
    ));
    rows.push((
        "changed by",
        match kind.update {
            Update::Never => "replacing it, whatever changes",
            Update::Whole(_) => "sending the whole object: what is there, with what YAML says laid over it",
            Update::Patch(_) => "sending what changed",
            Update::Mask(..) => "sending what changed, with a mask that names it",
            Update::Routed(_) => "a call for each group of fields",
            Update::Custom(_) => "calls of its own, which the plan lists",
        }
        .to_owned(),
    ));
    let deleting = match (kind.lifetime, kind.loss) {
        (Lifetime::Own, Loss::Nothing) => "loses nothing that applying again does not bring back".to_owned(),
        (Lifetime::Own, Loss::History(what)) => format!("loses {what}"),
        (Lifetime::Own, Loss::Data(what)) => format!("loses **{what}**: blocked without `--allow-delete {}`", kind.name),
        (Lifetime::Attached, _) => {
            "it is always there: a removed block is forgotten, `destroy` puts back what it held before the first touch".to_owned()
        }
        (Lifetime::Setting, _) => {
            "it is always there: a removed field, a removed block and `destroy` put back what it held before the first touch".to_owned()
        }
    };
    rows.push(("deleting", deleting));
    let presets = presets(kind);
    if !presets.is_empty() {
        rows.push(("[presets](../yaml.md#presets)", presets));
    }
    rows
}

fn presets(kind: &Kind) -> String {
    let mut words: Vec<&str> = kind
        .presets
        .iter()
        .map(|preset| match preset {
            Preset::Prefixed(_) => "name_prefix",
            Preset::TagMap(_) | Preset::TagPairs(_) => "tags",
            Preset::Paused(..) => "pause_schedules",
            Preset::ConcurrentRuns(_) => "max_concurrent_runs",
            Preset::RunAs(_) => "run_as",
            Preset::Locked(..) => "lock_jobs_ui",
            Preset::Standby(..) => "standby",
        })
        .collect();
    words.dedup();
    codes(&words)
}

fn parts(kind: &Kind) -> String {
    if kind.facets.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n## Parts\n\nThey stand in the same block and have an address, a step and a state of their own.\n\n");
    for facet in kind.facets {
        let _ = write!(out, "- `{0}:` ([{1}]({1}.md), address `{2}.KEY/{0}`)", facet.name, facet.kind.name, kind.name);
        let object = facet.bind.iter().find_map(|(field, from)| match from {
            From::Text(text) if *field == "object_type" => Some(*text),
            _ => None,
        });
        let known = object.map(levels).unwrap_or_default();
        if !known.is_empty() {
            let _ = write!(out, ": {}", codes(known));
        }
        out.push('\n');
    }
    out
}

fn adopting(kind: &Kind) -> String {
    if kind.lifetime != Lifetime::Own {
        return String::new();
    }
    let id = match kind.identity {
        Identity::Assigned(field) => format!("`ID` is its `{field}`"),
        Identity::Named { parts, join, .. } => format!("`ID` is {}", code(&parts.join(join))),
        Identity::Single(word) => format!("`ID` is `{word}`"),
    };
    let name = kind.name;
    let mut out = String::from("\n## Taking over one that is there\n\n| there is | type |\n| --- | --- |\n");
    let _ = writeln!(out, "| YAML, and an object of the same name | `brickform adopt {name}.KEY` |");
    let _ = writeln!(out, "| YAML, and an object of another name | `brickform adopt {name}.KEY --id ID` |");
    let _ = writeln!(out, "| an object only; this writes the YAML | `brickform adopt {name} --id ID --key KEY --to conf/{name}.yaml` |");
    let _ = writeln!(out, "| YAML, and it should be a step of a reviewed plan | `import: [{{ to: {name}.KEY, id: \"ID\" }}]` beside it |");
    let _ = writeln!(out, "\n{id}. Nothing is changed by it; the next plan shows what differs.");
    out
}

/// The tables of a kind's types, each once.
struct Tables<'k> {
    kind: &'k Kind,
    /// The section of each place of the schema.
    sections: BTreeMap<usize, String>,
    open: Vec<(String, Field<'static>)>,
}

fn fields(kind: &'static Kind) -> String {
    let root = Schema::of(kind).root();
    let mut tables = Tables { kind, sections: BTreeMap::new(), open: vec![] };
    let mut out = String::from("\n## Fields\n\n");
    let members = root.members();
    if members.is_empty() {
        out.push_str("Any: they are sent as they are written.\n");
        return out;
    }
    if kind.lifetime == Lifetime::Own && members.iter().any(|(_, f)| f.immutable() && !f.computed()) {
        out.push_str("All change in place, but for those that *replace* the object.\n\n");
    }
    out.push_str(&tables.table(root, true));
    let computed: Vec<String> = members.iter().filter(|(_, f)| f.computed()).map(|(n, _)| code(n)).collect();
    if !computed.is_empty() {
        let _ = write!(out, "\nThe workspace fills {}; they are never sent, and others may refer to them.\n", computed.join(", "));
    }
    let mut at = 0;
    while let Some((title, field)) = tables.open.get(at).cloned() {
        let table = tables.table(field, false);
        let _ = write!(out, "\n### {title}\n\n{table}");
        at += 1;
    }
    out
}

impl Tables<'_> {
    fn table(&mut self, field: Field<'static>, top: bool) -> String {
        let mut members: Vec<_> = field.members().into_iter().filter(|(_, f)| !f.computed()).collect();
        members.sort_by_key(|(name, f)| (!f.required(), *name));
        let mut out = String::from("| field | type | |\n| --- | --- | --- |\n");
        for (name, member) in members {
            let shown = if member.required() { format!("**`{name}`**") } else { code(name) };
            let _ = writeln!(out, "| {shown} | {} | {} |", self.linked(member), self.facts(name, &member, top));
        }
        out
    }

    /// The type, a link where it has a table.
    fn linked(&mut self, field: Field<'static>) -> String {
        let words = type_words(&field);
        let inner = schema::inner(field);
        let Type::Named(name) = inner.ty() else { return words };
        if inner.members().iter().all(|(_, f)| f.computed()) {
            // What an enum is called helps nobody; its values stand beside it.
            return words.split_once("enum ").map_or(words.clone(), |(before, _)| format!("{before}enum"));
        }
        let short = name.split_once('.').map_or(name.as_str(), |(_, rest)| rest);
        let same = || self.open.iter().find(|(title, other)| title.split(' ').next() == Some(short) && alike(*other, inner));
        let title = if let Some(title) = self.sections.get(&inner.place()).or_else(|| same().map(|(title, _)| title)) {
            title.clone()
        } else {
            // The same type may be known better at one place than at another.
            let before = self.open.iter().filter(|(title, _)| title.split(' ').next() == Some(short)).count();
            let title = if before == 0 { short.to_owned() } else { format!("{short} {}", before + 1) };
            self.sections.insert(inner.place(), title.clone());
            self.open.push((title.clone(), inner));
            title
        };
        let anchor = title.to_lowercase().replace(' ', "-");
        words.replace(short, &format!("[{short}](#{anchor})"))
    }

    fn facts(&self, name: &str, field: &Field<'static>, top: bool) -> String {
        let named = matches!(self.kind.identity, Identity::Named { parts, rename: Rename::Replaces, .. } if parts.contains(&name));
        let mut facts: Vec<String> = vec![];
        let others: Vec<&str> = self.kind.spellings.iter().filter(|(_, own)| top && *own == name).map(|(other, _)| *other).collect();
        if !others.is_empty() {
            facts.push(format!("also written {}", codes(&others)));
        }
        for fact in schema::facts(field) {
            facts.push(match fact.as_str() {
                "immutable: a change replaces" if self.kind.lifetime == Lifetime::Own => "*replaces*".to_owned(),
                "immutable: a change replaces" => "another one is another object".to_owned(),
                _ => fact,
            });
        }
        if top && named && self.kind.lifetime == Lifetime::Own && !facts.iter().any(|f| f == "*replaces*") {
            facts.push("*replaces*".to_owned());
        }
        if let Some(values) = field.values().or_else(|| schema::inner(*field).values()) {
            facts.push(format!("one of {}", values.iter().map(|v| code(v)).collect::<Vec<_>>().join(", ")));
        }
        facts.join("; ").replace('|', "\\|")
    }
}

/// Whether the same is known of two structs.
fn alike(one: Field<'_>, other: Field<'_>) -> bool {
    let told = |field: Field<'_>| -> Vec<(String, String, Vec<String>)> {
        field.members().iter().map(|(name, f)| ((*name).to_owned(), type_words(f), schema::facts(f))).collect()
    };
    told(one) == told(other)
}

fn requests(kind: &Kind) -> String {
    let mut out = String::new();
    for (name, op) in schema::operations(kind) {
        if let Some(operation) = catalogue::operation(op) {
            let _ = writeln!(out, "| {name} | `{} {}` |", operation.method, operation.path);
        }
    }
    if out.is_empty() { out } else { format!("\n## Requests\n\n| | |\n| --- | --- |\n{out}") }
}
