//! Users, groups and service principals as access lists and grants name them.

use std::sync::Arc;

use crate::local::exchange::Principal;
use crate::local::store::Transaction;
use crate::model::Value;

/// The collection and the member by which a sort of principal is named.
pub const fn place(sort: Principal) -> (&'static str, &'static str) {
    match sort {
        Principal::User => ("users", "userName"),
        Principal::Group => ("groups", "displayName"),
        Principal::ServicePrincipal => ("service_principals", "applicationId"),
    }
}

/// The principal of this name.
pub fn find(objects: &Transaction<'_>, sort: Principal, name: &str) -> Option<Arc<Value>> {
    let (collection, member) = place(sort);
    objects.all(collection).find(|(_, v)| v.get(member).and_then(Value::as_str) == Some(name)).map(|(_, v)| Arc::clone(v))
}

/// Whether there is a principal of this name, in any case.
pub fn is_one(objects: &Transaction<'_>, sort: Principal, name: &str) -> bool {
    let (collection, member) = place(sort);
    let is = |text: &str| text.eq_ignore_ascii_case(name);
    sort == Principal::Group && is(EVERYBODY) || objects.all(collection).any(|(_, v)| v.get(member).and_then(Value::as_str).is_some_and(is))
}

/// The group of the account that everybody is in.
const EVERYBODY: &str = "account users";

/// Whether any sort of principal has this name.
pub fn known(objects: &Transaction<'_>, name: &str) -> bool {
    Principal::ALL.iter().any(|sort| is_one(objects, *sort, name))
}

/// How messages name a sort.
pub const fn word(sort: Principal) -> &'static str {
    match sort {
        Principal::User => "UserName",
        Principal::Group => "GroupName",
        Principal::ServicePrincipal => "ServicePrincipalName",
    }
}

/// What a sort is called.
pub const fn noun(sort: Principal) -> &'static str {
    match sort {
        Principal::User => "User",
        Principal::Group => "Group",
        Principal::ServicePrincipal => "Service principal",
    }
}
