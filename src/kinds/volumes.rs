//! Unity Catalog's volumes.

use super::grants::GRANTS;
use super::{
    Facet, Fact, From, Hooks, Identity, Kind, List, Lit, Loss, Natural, Parent, Path, Read, Refusal, Rename, Request, Rows, Unique, Update,
    Value,
};

/// Volumes: like schemas. Only the comment, the owner and the name change; anything else is another volume, with other
/// files in it.
pub static VOLUMES: Kind = Kind {
    name: "volumes",
    singular: "volume",
    create: Some(Request::bare("catalog.volumes.create")),
    read: Read::plain("catalog.volumes.read"),
    list: Some(List { op: "catalog.volumes.list", query: &[("max_results", "0")], rows: Rows::Whole }),
    update: Update::Patch(Request::bare("catalog.volumes.update")),
    delete: Some(Request::bare("catalog.volumes.delete")),
    identity: Identity::Named { parts: &["catalog_name", "schema_name", "name"], join: ".", rename: Rename::By("new_name") },
    natural: Natural { fields: &["catalog_name", "schema_name", "name"], unique: Unique::Yes },
    facts: &[
        ("name", Fact::CaseBlind),
        ("catalog_name", Fact::CaseBlind),
        ("catalog_name", Fact::Refers("catalogs")),
        ("schema_name", Fact::CaseBlind),
        ("comment", Fact::Default(Lit::Text(""))),
        ("owner", Fact::Default(Lit::Backend)),
        ("volume_type", Fact::Immutable),
        ("storage_location", Fact::Immutable),
        ("storage_location", Fact::Slashless),
        // A managed volume's is the metastore's affair.
        ("storage_location", Fact::Default(Lit::Backend)),
    ],
    loss: Loss::Data("every file in it"),
    facets: &[Facet {
        name: "grants",
        kind: &GRANTS,
        bind: &[("securable_type", From::Text("volume")), ("full_name", From::Id)],
        body: "entries",
    }],
    parents: &[
        Parent { field: "catalog_name", kind: "catalogs", listed_by: true },
        Parent { field: "schema_name", kind: "schemas", listed_by: true },
    ],
    link: Some("/explore/data/volumes/{catalog_name}/{schema_name}/{name}"),
    id_fields: &["full_name"],
    hooks: Hooks { check: Some(check), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// An external volume says where its files are, a managed one does not (the API refuses either mistake with 400).
fn check(body: &Value) -> Vec<Refusal> {
    let mut found = super::limits::catalog_object(body);
    let location = body.get("storage_location").filter(|v| **v != Value::Null);
    match (body.get("volume_type").and_then(Value::as_str), location) {
        (Some("EXTERNAL"), None) => found.push(Refusal {
            path: Path::field("volume_type"),
            reason: "an external volume needs `storage_location`, the folder that its files are in".to_owned(),
        }),
        (Some("MANAGED"), Some(_)) => found.push(Refusal {
            path: Path::field("storage_location"),
            reason: "a managed volume has no `storage_location`: the catalog decides where its files are; take it away, or write \
                     `volume_type: EXTERNAL`"
                .to_owned(),
        }),
        _ => {}
    }
    found
}
