//! What a handler sees: the request taken apart, who calls, the time, the store.

use std::collections::{BTreeMap, BTreeSet};

use crate::local::answer::Refusal;
use crate::local::federation::FederationPolicy;
use crate::local::services::Rival;
use crate::local::store::Transaction;
use crate::model::{Map, Value};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// User name, or application id.
    pub name: String,
    /// Which of the two.
    pub sort: Principal,
}

/// A sort of principal.
#[expect(clippy::enum_variant_names, reason = "service principal is one word of the field")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// `user_name`.
    User,
    /// `group_name`.
    Group,
    /// `service_principal_name`.
    ServicePrincipal,
}

impl Principal {
    /// All sorts.
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::ServicePrincipal];

    /// The field that names such a principal in access lists.
    pub const fn field(self) -> &'static str {
        match self {
            Self::User => "user_name",
            Self::Group => "group_name",
            Self::ServicePrincipal => "service_principal_name",
        }
    }
}

impl Caller {
    /// A caller by name: what looks like an application id is a service principal.
    pub fn named(name: &str) -> Self {
        let id = name.len() == 36 && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        Self { name: name.to_owned(), sort: if id { Principal::ServicePrincipal } else { Principal::User } }
    }
}

/// What holds for every request of a workspace.
#[derive(Debug)]
pub struct Setting {
    /// Its id.
    pub workspace_id: u64,
    /// Rival habits switched on.
    pub rivals: BTreeSet<Rival>,
    /// Rival habits that would have made a difference so far, on or off: a bit each, in the order of their declaration.
    pub met: std::sync::atomic::AtomicU64,
    /// Schemas that were asked about, where a rival does not see them at first.
    pub seen: std::sync::Mutex<BTreeSet<String>>,
    /// How long asynchronous states take, in milliseconds.
    pub settle_ms: i64,
    /// How long OAuth tokens hold, in seconds.
    pub token_seconds: u64,
    /// Whose ID tokens are exchanged.
    pub federation: Vec<FederationPolicy>,
}

impl Setting {
    /// Whether a rival habit is on. That it was asked is remembered.
    pub fn does(&self, rival: Rival) -> bool {
        self.met.fetch_or(1 << (rival as u8), std::sync::atomic::Ordering::Relaxed);
        self.rivals.contains(&rival)
    }
}

/// One request and what it may use.
pub struct Exchange<'a, 's> {
    /// The store.
    pub objects: &'a mut Transaction<'s>,
    /// Path parameters, decoded.
    pub parameters: BTreeMap<String, String>,
    /// Query pairs, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// Form fields, if the body was a form.
    pub form: Vec<(String, String)>,
    /// The JSON body: known members only, nulls dropped.
    pub body: Map,
    /// Members of it that the operation does not know, by path.
    pub unknown: Vec<String>,
    /// The body as it came, where the operation takes bytes.
    pub raw: Vec<u8>,
    /// `2.0` of `/api/2.0/jobs/get`.
    pub version: String,
    /// Who calls.
    pub caller: Caller,
    /// Milliseconds since 1970.
    pub now: i64,
    /// What holds for every request.
    pub setting: &'a Setting,
}

impl Exchange<'_, '_> {
    /// A path parameter; the template has it.
    pub fn parameter(&self, name: &str) -> String {
        self.parameters.get(name).cloned().unwrap_or_default()
    }

    /// A query parameter; an empty one counts as absent.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// A boolean query parameter; clients also write `True`.
    pub fn flag(&self, name: &str) -> bool {
        self.asked(name).is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    /// A whole number of the query.
    ///
    /// # Errors
    /// 400 if it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.asked(name)
            .map(|text| text.parse().map_err(|_| Refusal::invalid(format!("Parameter {name} must be a whole number, not '{text}'."))))
            .transpose()
    }

    /// A text member of the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// Whether a rival habit is on.
    pub fn rival(&self, rival: Rival) -> bool {
        self.setting.does(rival)
    }

    /// A new id: hexadecimal digits, never given out before in this database.
    pub fn hex_id(&mut self, collection: &str, digits: usize) -> String {
        let n = self.objects.next(collection);
        digest(collection, n).chars().take(digits).collect()
    }

    /// A new id in the form of a UUID.
    pub fn uuid(&mut self, collection: &str) -> String {
        let n = self.objects.next(collection);
        uuid_of(&digest(collection, n))
    }
}

/// Hexadecimal digits that follow from a name and a number.
pub fn digest(name: &str, n: u64) -> String {
    use sha2::{Digest, Sha256};
    hexadecimal(&Sha256::digest(format!("{name}/{n}")))
}

/// Bytes as hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// The first 32 digits in the form of a UUID (version 4).
pub fn uuid_of(hex: &str) -> String {
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
