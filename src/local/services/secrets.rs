//! Secret scopes, their access lists and their secrets.
//!
//! Values are kept where no listing shows them: under a member of the server's own.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, habit};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/secrets/"],
    &[
        (Catalogue("workspace.secrets.create_scope"), create_scope),
        (Catalogue("workspace.secrets.list_scopes"), list_scopes),
        (Catalogue("workspace.secrets.delete_scope"), delete_scope),
        (Catalogue("workspace.secrets.put_acl"), put_acl),
        (Catalogue("workspace.secrets.get_acl"), get_acl),
        (Catalogue("workspace.secrets.list_acls"), list_acls),
        (Catalogue("workspace.secrets.delete_acl"), delete_acl),
        (Catalogue("workspace.secrets.put_secret"), put_secret),
        (Catalogue("workspace.secrets.list_secrets"), list_secrets),
        (Catalogue("workspace.secrets.get_secret"), get_secret),
        (Catalogue("workspace.secrets.delete_secret"), delete_secret),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("secrets", "refuses a scope whose name is taken, in any case, with 400 RESOURCE_ALREADY_EXISTS", Evidence::Cli),
    habit("secrets", "answers 404 RESOURCE_DOES_NOT_EXIST for an absent scope, secret or entry", Evidence::Cli),
    habit("secrets", "gives whoever makes a scope MANAGE", Evidence::Cli),
    habit("secrets", "initial_manage_principal gets MANAGE too; only `users` is taken", Evidence::Docs),
    habit("secrets", "deletes a scope with its secrets and entries", Evidence::Docs),
    habit("secrets", "a put overwrites, also one that changes nothing, and notes the time", Evidence::Sdk),
    habit("secrets", "refuses values above 128 KB and more than 1000 secrets in a scope", Evidence::Docs),
    habit("secrets", "leaves out empty lists", Evidence::Sdk),
    habit("secrets", "refuses an entry for a principal that nobody is with 404 RESOURCE_DOES_NOT_EXIST", Evidence::Unverified),
];

const MOST_BYTES: usize = 128 * 1024;
const MOST_SECRETS: usize = 1000;

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
}

fn create_scope(exchange: &mut Exchange<'_, '_>) -> Handled {
    let name = exchange.text("scope").unwrap_or_default().to_owned();
    if !is_name(&name) {
        return Err(Refusal::invalid(format!(
            "Scope name '{name}' is invalid: it has 1 to 128 letters, digits, dashes, underscores, @ and periods."
        )));
    }
    if exchange.objects.all("secret_scopes").any(|(id, _)| id.eq_ignore_ascii_case(&name)) {
        return Err(Refusal::new(400, "RESOURCE_ALREADY_EXISTS", format!("Scope {name} already exists!")));
    }
    let backend = exchange.text("scope_backend_type").unwrap_or("DATABRICKS").to_owned();
    let mut scope: Map = [("name", Value::text(&name)), ("backend_type", Value::text(&backend))].map(|(k, v)| (k.to_owned(), v)).into();
    match (backend.as_str(), exchange.body.shift_remove("backend_azure_keyvault")) {
        ("AZURE_KEYVAULT", Some(vault)) => drop(scope.insert("keyvault_metadata".to_owned(), vault)),
        ("AZURE_KEYVAULT", None) => return Err(Refusal::invalid("backend_azure_keyvault is required for this backend type.")),
        _ => {}
    }
    let initial = match exchange.text("initial_manage_principal") {
        None | Some("") => None,
        Some("users") => Some("users".to_owned()),
        Some(other) => return Err(Refusal::invalid(format!("initial_manage_principal '{other}' is not supported; use users."))),
    };
    exchange.objects.put("secret_scopes", &name, Value::Map(scope));
    let caller = exchange.caller.name.clone();
    for principal in std::iter::once(caller).chain(initial) {
        put_entry(exchange, &name, &principal, "MANAGE");
    }
    Ok(Answer::empty())
}

fn list_scopes(exchange: &mut Exchange<'_, '_>) -> Handled {
    Ok(listed("scopes", exchange.objects.all("secret_scopes").map(|(_, s)| visible(s)).collect()))
}

/// A list; an empty one is left out.
fn listed(key: &str, items: Vec<Value>) -> Answer {
    if items.is_empty() { Answer::empty() } else { Answer::ok(Value::map([(key, Value::List(items))])) }
}

/// The scope that a request names, as it was spelt when it was made.
fn scope(exchange: &Exchange<'_, '_>, name: &str) -> Result<String, Refusal> {
    let found = exchange.objects.all("secret_scopes").find(|(id, _)| id.eq_ignore_ascii_case(name)).map(|(id, _)| id.to_owned());
    found.ok_or_else(|| Refusal::absent(format!("Scope {name} does not exist!")))
}

fn given_scope(exchange: &Exchange<'_, '_>) -> Result<String, Refusal> {
    scope(exchange, exchange.text("scope").unwrap_or_default())
}

fn asked_scope(exchange: &Exchange<'_, '_>) -> Result<String, Refusal> {
    scope(exchange, exchange.asked("scope").unwrap_or_default())
}

fn delete_scope(exchange: &mut Exchange<'_, '_>) -> Handled {
    let name = given_scope(exchange)?;
    for collection in ["secrets", "secret_acls"] {
        for (id, _) in exchange.objects.below(collection, &format!("{name}\t")) {
            exchange.objects.remove(collection, &id);
        }
    }
    exchange.objects.remove("secret_scopes", &name);
    Ok(Answer::empty())
}

fn put_entry(exchange: &mut Exchange<'_, '_>, scope: &str, principal: &str, permission: &str) {
    let entry = Value::map([("principal", Value::text(principal)), ("permission", Value::text(permission))]);
    exchange.objects.put("secret_acls", &format!("{scope}\t{principal}"), entry);
}

fn put_acl(exchange: &mut Exchange<'_, '_>) -> Handled {
    let scope = given_scope(exchange)?;
    let principal = exchange.text("principal").unwrap_or_default().to_owned();
    let permission = exchange.text("permission").unwrap_or_default().to_owned();
    if !super::principals::known(exchange.objects, &principal) {
        let message = format!("User or Group {principal} does not exist.");
        let old = exchange.rival(Rival::UnknownPrincipal400);
        return Err(if old { Refusal::new(400, "BAD_REQUEST", message) } else { Refusal::absent(message) });
    }
    put_entry(exchange, &scope, &principal, &permission);
    Ok(Answer::empty())
}

fn absent_entry(scope: &str, principal: &str) -> Refusal {
    Refusal::absent(format!("Failed to get secret acl for principal {principal} for scope {scope}."))
}

fn get_acl(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (scope, principal) = (asked_scope(exchange)?, exchange.asked("principal").unwrap_or_default().to_owned());
    let entry = exchange.objects.get("secret_acls", &format!("{scope}\t{principal}"));
    entry.map(|entry| Answer::ok((*entry).clone())).ok_or_else(|| absent_entry(&scope, &principal))
}

fn list_acls(exchange: &mut Exchange<'_, '_>) -> Handled {
    let scope = asked_scope(exchange)?;
    Ok(listed("items", exchange.objects.below("secret_acls", &format!("{scope}\t")).iter().map(|(_, e)| visible(e)).collect()))
}

fn delete_acl(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (scope, principal) = (given_scope(exchange)?, exchange.text("principal").unwrap_or_default().to_owned());
    let id = format!("{scope}\t{principal}");
    if !exchange.objects.has("secret_acls", &id) {
        return Err(absent_entry(&scope, &principal));
    }
    exchange.objects.remove("secret_acls", &id);
    Ok(Answer::empty())
}

fn put_secret(exchange: &mut Exchange<'_, '_>) -> Handled {
    let scope = given_scope(exchange)?;
    let key = exchange.text("key").unwrap_or_default().to_owned();
    if !is_name(&key) {
        return Err(Refusal::invalid(format!(
            "Secret key '{key}' is invalid: it has 1 to 128 letters, digits, dashes, underscores and periods."
        )));
    }
    let (text, bytes) = (exchange.body.shift_remove("string_value"), exchange.body.shift_remove("bytes_value"));
    let ((Some(value), None) | (None, Some(value))) = (text, bytes) else {
        return Err(Refusal::invalid("Exactly one of string_value and bytes_value must be set."));
    };
    if value.as_str().map_or(0, str::len) > MOST_BYTES {
        return Err(Refusal::new(400, "RESOURCE_LIMIT_EXCEEDED", "The secret is larger than 128 KB."));
    }
    let id = format!("{scope}\t{key}");
    if !exchange.objects.has("secrets", &id) && exchange.objects.below("secrets", &format!("{scope}\t")).len() >= MOST_SECRETS {
        return Err(Refusal::new(400, "RESOURCE_LIMIT_EXCEEDED", format!("Scope {scope} has 1000 secrets already.")));
    }
    let secret = Value::map([("key", Value::text(&key)), ("last_updated_timestamp", Value::Int(exchange.now)), ("$value", value)]);
    exchange.objects.put("secrets", &id, secret);
    Ok(Answer::empty())
}

fn list_secrets(exchange: &mut Exchange<'_, '_>) -> Handled {
    let scope = asked_scope(exchange)?;
    Ok(listed("secrets", exchange.objects.below("secrets", &format!("{scope}\t")).iter().map(|(_, s)| visible(s)).collect()))
}

fn absent_secret(scope: &str, key: &str) -> Refusal {
    Refusal::absent(format!("Secret does not exist with scope: {scope} and key: {key}."))
}

/// Values are given out inside of clusters only.
fn get_secret(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (scope, key) = (asked_scope(exchange)?, exchange.asked("key").unwrap_or_default().to_owned());
    if !exchange.objects.has("secrets", &format!("{scope}\t{key}")) {
        return Err(absent_secret(&scope, &key));
    }
    Err(Refusal::new(403, "PERMISSION_DENIED", "Secret values are given to clusters only."))
}

fn delete_secret(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (scope, key) = (given_scope(exchange)?, exchange.text("key").unwrap_or_default().to_owned());
    let id = format!("{scope}\t{key}");
    if !exchange.objects.has("secrets", &id) {
        return Err(absent_secret(&scope, &key));
    }
    exchange.objects.remove("secrets", &id);
    Ok(Answer::empty())
}
