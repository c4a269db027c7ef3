//! Secret scopes.

use super::secret_acls::SECRET_ACLS;
use super::{
    Contents, Facet, Fact, From, Hooks, Identity, Kind, List, Lit, Loss, Natural, Path, Read, Refusal, Rename, Request, Rows, Unique,
    Value, Within,
};

/// Scopes: made whole, never changed, and only found in the list, whose rows name the fields in another way than the create.
pub static SECRET_SCOPES: Kind = Kind {
    name: "secret_scopes",
    singular: "secret scope",
    create: Some(Request::bare("workspace.secrets.create_scope")),
    read: Read::plain(""),
    list: Some(List { op: "workspace.secrets.list_scopes", query: &[], rows: Rows::Whole }),
    delete: Some(Request::bare("workspace.secrets.delete_scope")),
    identity: Identity::Named { parts: &["scope"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["scope"], unique: Unique::Yes },
    // Bundles' words; here, so that references and the parts of a scope know them too.
    spellings: &[("name", "scope"), ("backend_type", "scope_backend_type"), ("keyvault_metadata", "backend_azure_keyvault")],
    facts: &[
        ("scope", Fact::CaseBlind),
        ("scope_backend_type", Fact::Default(Lit::Text("DATABRICKS"))),
        ("initial_manage_principal", Fact::InputOnly),
    ],
    loss: Loss::Data("every secret in it"),
    within: Some(Within {
        lists: &[Contents { list: "workspace.secrets.list_secrets", bind: &[("scope", From::Id)], name: "key", own: &[] }],
        all: None,
    }),
    facets: &[Facet { name: "permissions", kind: &SECRET_ACLS, bind: &[("scope", From::Id)], body: "entries" }],
    hooks: Hooks { normal: Some(spelt), reply: Some(spelt), check: Some(check), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// The create's words for what the list, and bundles, call otherwise.
fn spelt(body: Value) -> Value {
    const WORDS: &[(&str, &str)] =
        &[("name", "scope"), ("backend_type", "scope_backend_type"), ("keyvault_metadata", "backend_azure_keyvault")];
    super::names::renamed(body, WORDS)
}

/// The reference's limits on names; a vault for scopes that lie in one.
fn check(body: &Value) -> Vec<Refusal> {
    let mut found: Vec<Refusal> = super::limits::secret_name(body, "scope").into_iter().collect();
    let (backend, vault) = (body.get("scope_backend_type").and_then(Value::as_str), body.get("backend_azure_keyvault"));
    match (backend, vault) {
        (Some("AZURE_KEYVAULT"), None) => {
            let reason = "a scope in Azure Key Vault needs `backend_azure_keyvault` with `resource_id` and `dns_name`".to_owned();
            found.push(Refusal { path: Path::field("scope_backend_type"), reason });
        }
        (None | Some("DATABRICKS"), Some(_)) => {
            let reason = "only a scope of `scope_backend_type: AZURE_KEYVAULT` has a vault".to_owned();
            found.push(Refusal { path: Path::field("backend_azure_keyvault"), reason });
        }
        _ => {}
    }
    found
}
