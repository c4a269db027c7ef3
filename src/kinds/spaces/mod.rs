//! Genie spaces.
//!
//! One model, the form that YAML has, and adapters (`read`, `write`) to what two APIs of the same objects take and give: the
//! serialised space of the spaces API, the typed definition of the agents API. Each is a column of `form`; which of the two a
//! workspace is asked by is the session's choice ([`Otherwise`](super::Otherwise)).

mod advice;
mod carry;
mod check;
mod columns;
mod facts;
mod form;
mod ids;
mod join;
mod name;
mod place;
#[cfg(test)]
mod random;
mod read;
mod repack;
#[cfg(test)]
mod round;
mod sql;
#[cfg(test)]
mod tests;
mod update;
mod write;

use super::permissions::PERMISSIONS;
use super::workspace_tags::WORKSPACE_TAGS;
use super::{
    Change, Encoding, Etag, Facet, From, Hooks, Identity, Kind, List, Loss, Natural, Objects, Otherwise, Parent, Path, Read, Request, Rows,
    Sort, Unique, Update, Value, Verdict, View, Whole,
};
use crate::model::Step;

/// Genie spaces by the spaces API: everything about a space's knowledge is one text of JSON to it, replaced whole.
pub static SPACES: Kind = Kind {
    create: Some(Request::bare("dashboards.genie.create_space")),
    read: Read {
        query: &[("include_serialized_space", "true")],
        whole: Whole::Definition("serialized_space"),
        ..Read::plain("dashboards.genie.get_space")
    },
    // Rows lack the serialised space.
    list: Some(List { op: "dashboards.genie.list_spaces", query: &[], rows: Rows::Names }),
    update: Update::Custom(update::serialised),
    delete: Some(Request::bare("dashboards.genie.trash_space")),
    otherwise: Some(Otherwise { kind: &AGENTS, setting: "genie_api", words: ["spaces", "agents"] }),
    hooks: Hooks { wire: Some(write::serialised), carries: Some(carry::serialised), notes: Some(update::lost), ..HOOKS },
    ..SPACE
};

/// The same by the agents API: a typed object, replaced whole too. Whoever makes one picks its id.
static AGENTS: Kind = Kind {
    create: Some(Request::bare("genieagents.genie_agents.create_genie_agent")),
    read: Read { whole: Whole::Definition("definition"), ..Read::plain("extra.genie_agents.get") },
    // The FULL view has definitions, of everybody's spaces: many megabytes for the few that are managed.
    list: Some(List { op: "genieagents.genie_agents.list_genie_agents", query: &[("page_size", "100")], rows: Rows::Names }),
    update: Update::Custom(update::typed),
    delete: Some(Request::bare("extra.genie_agents.delete")),
    unique_in: Some("parent_path"),
    chosen_id: Some("genie_agent_id"),
    hooks: Hooks { wire: Some(write::typed), carries: Some(carry::typed), notes: Some(update::left_out), ..HOOKS },
    ..SPACE
};

/// What holds for both: here a space is fields, each compared and changed by itself. Titles are not unique; tags stand beside a
/// space and say nothing of who made it.
const SPACE: Kind = Kind {
    name: "spaces",
    singular: "Genie space",
    aliases: &["genie_spaces", "genie_agents"],
    list_keys: &["space_id", "genie_agent_id"],
    identity: Identity::Assigned("space_id"),
    natural: Natural { fields: &["title"], unique: Unique::No },
    fields: &[
        ("title", "text!"),
        ("description", "text"),
        ("warehouse_id", "text!"),
        ("parent_path", "text"),
        ("tables", "[forms.SpaceTable]"),
        ("metric_views", "[forms.SpaceTable]"),
        ("volumes", "[forms.SpaceVolume]"),
        ("mcp_connections", "[forms.SpaceMcpConnection]"),
        ("instructions", "forms.SpaceInstructions"),
        ("sample_questions", "[forms.SpaceQuestion]"),
        ("benchmarks", "[forms.SpaceBenchmark]"),
        ("more", "any"),
        ("space_id", "text out"),
        ("etag", "text out"),
        ("create_time", "time out"),
        ("update_time", "time out"),
    ],
    facts: facts::FACTS,
    loss: Loss::Data("its conversations"),
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
    names_objects: NAMED,
    // Seen right after a table was made.
    passing: &["Failed to retrieve schema from unity catalog"],
    link: Some("/genie/rooms/{space_id}"),
    etag: Some(Etag { member: "etag", time: "update_time", by: "" }),
    // A saved plan may hold requests of either API, whichever is used when it is carried out.
    encode: &[("serialized_space", Encoding::JsonText)],
    spellings: &[("display_name", "title")],
    // The etag covers the definition only.
    unguarded: Some(read::is_beside),
    unsent: read::UNSENT,
    packed: Some(("serialized_space", place::wire_path)),
    ..Kind::PLAIN
};

const HOOKS: Hooks = Hooks {
    normal: Some(read::normal),
    laid: Some(read::normal),
    reply: Some(read::reply),
    complete: Some(ids::complete),
    recognise: Some(ids::recognise),
    repack: Some(repack::repack),
    view: Some(view),
    check: Some(check::check),
    advise: Some(advice::advise),
    columns: Some(columns::named),
    judge: Some(judge),
    warn: Some(warn),
    ..Hooks::NONE
};

/// A list of a space, as people write it.
#[derive(Debug, Clone, Copy)]
pub struct SpaceList {
    /// Where it stands.
    pub at: &'static [&'static str],
    /// What its items are known by.
    pub by: &'static [&'static str],
    /// The member that text alone stands for; empty: none.
    pub short: &'static str,
}

/// All lists of a space, in the order in which a person reads it.
pub fn space_lists() -> impl Iterator<Item = SpaceList> {
    form::SECTIONS.iter().map(|section| SpaceList {
        at: section.at,
        by: section.ids.map_or(section.form.sorted, |ids| ids.by),
        short: section.form.short,
    })
}

/// What a space names in Unity Catalog.
const NAMED: &[Objects] = &[
    Objects { list: &["tables"], member: "identifier", sort: Sort::Table, columns: Some(("columns", "name")) },
    Objects { list: &["metric_views"], member: "identifier", sort: Sort::MetricView, columns: Some(("columns", "name")) },
    Objects { list: &["instructions", "functions"], member: "identifier", sort: Sort::Function, columns: None },
];

/// Live with each metric view in the list in which YAML has it: the API may give metric views among the tables (a public
/// bundle that was written from one holds them there).
fn aligned(live: &Value, desired: &Value) -> Value {
    let mut live = live.clone();
    if let Some(live) = live.as_map_mut() {
        read::together(live);
    }
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

/// A title that was taken: the workspace gave it another one.
fn warn(live: &Value, desired: &Value, called: Option<&str>) -> Vec<String> {
    let title = |body: &Value| body.get("title").and_then(Value::as_str).map(str::to_owned);
    let (Some(live), Some(wanted)) = (title(live), title(desired)) else { return vec![] };
    let told = || format!("the workspace calls it `{live}`, since another space has the title `{wanted}`: give one of them another title");
    (live != wanted && called == Some(live.as_str())).then(told).into_iter().collect()
}

/// What is no change after all: an id that YAML leaves to the workspace, and the title that the workspace itself gave instead of
/// one which is taken. The same title given by somebody else is a change.
fn judge(path: &Path, change: &Change<'_>) -> Option<Verdict> {
    let text = |body: Option<&Value>| body.and_then(|b| b.get("title")).and_then(Value::as_str).map(str::to_owned);
    match path.steps() {
        [Step::Field(name)] if name == "title" => {
            let (live, wanted) = (text(change.live)?, text(Some(change.desired))?);
            (change.context.called == Some(live.as_str()) && text(change.applied) == Some(wanted)).then_some(Verdict::Same)
        }
        // The workspace knows no keys: what an item is called here is for the record alone.
        [.., Step::Field(name)] if name == form::KEY => Some(Verdict::Same),
        [.., Step::Field(name)] if (name == "id" || name == "text_id") && change.desired.at(path).is_none() => Some(Verdict::Same),
        _ => None,
    }
}
