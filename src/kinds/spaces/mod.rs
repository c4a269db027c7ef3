//! Genie spaces.
//!
//! One model, the form that YAML has, and adapters to what the API takes and gives. The serialised space of the spaces API is
//! the one adapter there is (`read`, `write`); the typed definition of the agents API would be a second column of `form`.

mod check;
mod form;
mod ids;
mod join;
mod place;
mod read;
#[cfg(test)]
mod tests;
mod write;

use super::call::{changed_fields, merged, with_id};
use super::permissions::PERMISSIONS;
use super::workspace_tags::WORKSPACE_TAGS;
use super::{
    Calls, Change, Encoding, Etag, Facet, Fact, From, Hooks, Identity, Kind, List, Lit, Loss, Natural, Parent, Path, Read, Request, Rows,
    Unique, Update, Value, Verdict, View,
};
use crate::model::Step;

const UPDATE: Request = Request::bare("dashboards.genie.update_space");

/// Genie spaces: everything about a space's knowledge is one text of JSON to the API, replaced whole; here it is fields,
/// each compared and changed by itself. Titles are not unique; tags stand beside a space and
/// say nothing of who made it.
pub static SPACES: Kind = Kind {
    name: "spaces",
    singular: "Genie space",
    aliases: &["genie_spaces", "genie_agents"],
    list_key: "space_id",
    create: Some(Request::bare("dashboards.genie.create_space")),
    read: Read { query: &[("include_serialized_space", "true")], ..Read::plain("dashboards.genie.get_space") },
    // Rows lack the serialised space.
    list: Some(List { op: "dashboards.genie.list_spaces", query: &[], rows: Rows::Names }),
    update: Update::Custom(update),
    delete: Some(Request::bare("dashboards.genie.trash_space")),
    identity: Identity::Assigned("space_id"),
    natural: Natural { fields: &["title"], unique: Unique::No },
    fields: &[
        ("title", "text!"),
        ("description", "text"),
        ("warehouse_id", "text!"),
        ("parent_path", "text"),
        ("tables", "[forms.SpaceTable]"),
        ("metric_views", "[forms.SpaceTable]"),
        ("instructions", "forms.SpaceInstructions"),
        ("sample_questions", "[forms.SpaceQuestion]"),
        ("benchmarks", "[forms.SpaceBenchmark]"),
        ("more", "any"),
        ("space_id", "text out"),
        ("etag", "text out"),
        ("create_time", "time out"),
        ("update_time", "time out"),
    ],
    facts: FACTS,
    loss: Loss::History("its conversations"),
    facets: &[
        Facet {
            name: "permissions",
            kind: &PERMISSIONS,
            bind: &[("object_type", From::Text("genie")), ("object_id", From::Id)],
            body: "entries",
        },
        Facet {
            name: "tags",
            kind: &WORKSPACE_TAGS,
            bind: &[("entity_type", From::Text("geniespaces")), ("entity_id", From::Id)],
            body: "tags",
        },
    ],
    parents: &[Parent { field: "parent_path", kind: "directories", listed_by: false }],
    names_objects: &[("tables", "identifier"), ("metric_views", "identifier")],
    link: Some("/genie/rooms/{space_id}"),
    etag: Some(Etag { member: "etag", time: "update_time", by: "" }),
    encode: &[("serialized_space", Encoding::JsonText)],
    unsent: &["author"],
    packed: Some(("serialized_space", place::wire_path)),
    hooks: Hooks {
        normal: Some(read::normal),
        reply: Some(read::reply),
        wire: Some(write::wire),
        complete: Some(ids::complete),
        view: Some(view),
        check: Some(check::check),
        judge: Some(judge),
        ..Hooks::NONE
    },
    ..Kind::PLAIN
};

const BACKEND: Fact = Fact::Default(Lit::Backend);

const FACTS: &[(super::At, Fact)] = &[
    ("description", Fact::Default(Lit::Text(""))),
    ("warehouse_id", Fact::Refers("warehouses")),
    // The caller's home; an update moves the space.
    ("parent_path", BACKEND),
    ("parent_path", Fact::WorkspacePath),
    ("tables", Fact::Keyed(&["identifier"])),
    ("metric_views", Fact::Keyed(&["identifier"])),
    ("sample_questions", Fact::Keyed(&["question"])),
    ("benchmarks", Fact::Keyed(&["question"])),
    ("@forms.SpaceTable.identifier", Fact::CaseBlind),
    ("@forms.SpaceTable.columns", Fact::Keyed(&["name"])),
    ("@forms.SpaceColumn.name", Fact::CaseBlind),
    ("@forms.SpaceColumn.synonyms", Fact::Set),
    ("@forms.SpaceInstructions.text_id", BACKEND),
    ("@forms.SpaceInstructions.example_sql", Fact::Keyed(&["question"])),
    ("@forms.SpaceInstructions.functions", Fact::Keyed(&["identifier"])),
    ("@forms.SpaceInstructions.joins", Fact::Keyed(&["left", "left_alias", "right", "right_alias"])),
    ("@forms.SpaceSnippets.filters", Fact::Keyed(&["name"])),
    ("@forms.SpaceSnippets.expressions", Fact::Keyed(&["name"])),
    ("@forms.SpaceSnippets.measures", Fact::Keyed(&["name"])),
    ("@forms.SpaceExample.parameters", Fact::Keyed(&["name"])),
    ("@forms.SpaceSnippet.synonyms", Fact::Set),
    ("@forms.SpaceExample.id", BACKEND),
    ("@forms.SpaceFunction.id", BACKEND),
    ("@forms.SpaceJoin.id", BACKEND),
    ("@forms.SpaceSnippet.id", BACKEND),
    ("@forms.SpaceQuestion.id", BACKEND),
    ("@forms.SpaceBenchmark.id", BACKEND),
    ("@forms.SpaceExample.$key", Fact::InputOnly),
    ("@forms.SpaceFunction.$key", Fact::InputOnly),
    ("@forms.SpaceJoin.$key", Fact::InputOnly),
    ("@forms.SpaceSnippet.$key", Fact::InputOnly),
    ("@forms.SpaceQuestion.$key", Fact::InputOnly),
    ("@forms.SpaceBenchmark.$key", Fact::InputOnly),
];

/// Live with each metric view in the list in which YAML has it: the API may give metric views among the tables (a public
/// bundle that was written from one holds them there).
fn aligned(live: &Value, desired: &Value) -> Value {
    let mut live = live.clone();
    let listed = |body: &Value, list: &str, identifier: &str| {
        let items = body.get(list).and_then(Value::as_list).unwrap_or_default();
        items.iter().filter_map(|item| item.get("identifier")?.as_str()).any(|i| i.eq_ignore_ascii_case(identifier))
    };
    for (from, to) in [("tables", "metric_views"), ("metric_views", "tables")] {
        let Some(Value::List(items)) = live.as_map_mut().and_then(|map| map.get_mut(from)) else { continue };
        let elsewhere = |item: &Value| {
            let identifier = item.get("identifier").and_then(Value::as_str).unwrap_or_default();
            !listed(desired, from, identifier) && listed(desired, to, identifier)
        };
        let (moved, stay): (Vec<Value>, Vec<Value>) = std::mem::take(items).into_iter().partition(elsewhere);
        *items = stay;
        let empty = items.is_empty();
        let Some(map) = live.as_map_mut() else { continue };
        if empty {
            map.shift_remove(from);
        }
        if !moved.is_empty()
            && let Value::List(list) = map.entry(to.to_owned()).or_insert_with(|| Value::List(vec![]))
        {
            list.extend(moved);
        }
    }
    live
}

fn view(view: &View<'_>) -> Value {
    aligned(view.live, view.desired)
}

/// What is no change after all: an id that YAML leaves to the workspace, and the number that the workspace adds to a title
/// which is taken.
fn judge(path: &Path, change: &Change<'_>) -> Option<Verdict> {
    let text = |body: Option<&Value>| body.and_then(|b| b.get("title")).and_then(Value::as_str).map(str::to_owned);
    match path.steps() {
        [Step::Field(name)] if name == "title" => {
            let (live, wanted) = (text(change.live)?, text(Some(change.desired))?);
            let number = live.strip_prefix(&wanted)?.strip_prefix(" (")?.strip_suffix(')')?;
            let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            (numbered && text(change.applied) == Some(wanted)).then_some(Verdict::Same)
        }
        [.., Step::Field(name)] if (name == "id" || name == "text_id") && change.desired.at(path).is_none() => Some(Verdict::Same),
        _ => None,
    }
}

/// One request: the plain fields that differ, and the whole serialised space where anything in it does. With it goes the
/// etag that was read, so that what somebody changed in the meantime is not overwritten unseen (409).
fn update(change: &Change<'_>) -> Calls {
    let live = change.live.map(|live| aligned(live, change.desired));
    let change = Change { live: live.as_ref(), ..*change };
    let plain = |path: &Path| path.first_field().filter(|name| read::PLAIN.contains(name)).map(str::to_owned);
    let mut names: Vec<String> = change.paths.iter().filter_map(plain).collect();
    let everything = change.paths.iter().any(Path::is_root);
    if everything {
        names = read::PLAIN.iter().filter(|name| change.desired.get(name).is_some()).map(|n| (*n).to_owned()).collect();
    }
    names.dedup();
    let mut fields = changed_fields(&SPACES, &change, &UPDATE, &names)?;
    if everything || change.paths.iter().any(|path| plain(path).is_none()) {
        let whole = ids::complete(change.address, merged(&SPACES, &change));
        fields.insert("serialized_space".to_owned(), write::definition(&whole));
        let etag = change.live.and_then(|live| live.get("etag")).filter(|etag| !etag.is_zero());
        fields.extend(etag.map(|etag| ("etag".to_owned(), etag.clone())));
    }
    Ok(vec![with_id(&SPACES, &UPDATE, &change, Value::Map(fields), "update")])
}
