//! Who calls, as the workspace says it.

use crate::model::Value;

/// The caller. Nothing of it is a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Me {
    /// The workspace's id.
    pub workspace: String,
    /// The caller's id in SCIM; empty where the answer has none.
    pub id: String,
    /// User name, or a service principal's application id.
    pub name: String,
    /// The groups that they are in, directly or through others.
    pub groups: Vec<Membership>,
}

/// A group that the caller is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// Its id; empty where the answer has none.
    pub id: String,
    /// Its display name.
    pub name: String,
}

impl Me {
    /// From the answer of SCIM's `Me`.
    pub(super) fn of(workspace: &str, name: &str, body: &Value) -> Self {
        let text = |of: &Value, field: &str| of.get(field).map(Value::key_text).unwrap_or_default();
        let groups = body.get("groups").and_then(Value::as_list).unwrap_or_default();
        Self {
            workspace: workspace.to_owned(),
            id: text(body, "id"),
            name: name.to_owned(),
            groups: groups.iter().map(|g| Membership { id: text(g, "value"), name: text(g, "display") }).collect(),
        }
    }

    /// The field of an entry that names callers of this sort: application ids hold no `@`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        if self.name.contains('@') { "user_name" } else { "service_principal_name" }
    }
}
