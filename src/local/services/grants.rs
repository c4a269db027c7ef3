//! Grants on securables of Unity Catalog.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{self, TypeDef};
use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::Core;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, catalogs, habit, principals, schemas, unity, volumes};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &[
        "/api/2.1/unity-catalog/permissions/",
        "/api/2.1/unity-catalog/effective-permissions/",
        "/api/2.1/unity-catalog/privilege-assignments/",
        "/api/2.1/unity-catalog/effective-privilege-assignments/",
    ],
    &[
        (Catalogue("catalog.grants.get"), get),
        (Catalogue("catalog.grants.list"), list),
        (Catalogue("catalog.grants.get_effective"), get_effective),
        (Catalogue("catalog.grants.list_effective"), list_effective),
        (Catalogue("catalog.grants.update"), update),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("grants", "lists direct grants only, without the owner, in an order that is not stable", Evidence::Sdk),
    habit("grants", "gives privileges as a sorted set with underscores; reads them with spaces too", Evidence::Sdk),
    habit("grants", "refuses a privilege in both add and remove of one principal with 400", Evidence::Cli),
    habit("grants", "forgets the grants of a securable with it", Evidence::Docs),
    habit("grants", "counts what catalog and schema grant among the effective privileges of what is in them", Evidence::Docs),
    // databricks/terraform-provider-databricks issues 1773, 4680, 5045.
    habit("grants", "refuses a principal that nobody is with 404 PRINCIPAL_DOES_NOT_EXIST", Evidence::Issue),
];

type Direct = BTreeMap<String, BTreeSet<String>>;

/// The securable of a request: its type and full name, as it is stored.
fn securable(exchange: &Exchange<'_, '_>) -> Result<(String, String), Refusal> {
    let given = exchange.parameter("securable_type");
    let known = match catalogue::type_named("catalog.SecurableType") {
        Some(TypeDef::Enum(values)) => values.iter().any(|v| v.eq_ignore_ascii_case(&given)),
        _ => true,
    };
    if !known {
        return Err(Refusal::invalid(format!("SECURABLE_TYPE '{given}' is not a valid securable type.")));
    }
    let (kind, name) = (given.to_lowercase(), exchange.parameter("full_name").to_lowercase());
    match kind.as_str() {
        "catalog" => catalogs::stored(exchange, &name).map(|_| ())?,
        "schema" => schemas::stored(exchange, &name).map(|_| ())?,
        "volume" => volumes::stored(exchange, &name).map(|_| ())?,
        "metastore" if name == Core::metastore_id(exchange.setting.workspace_id) => {}
        other => {
            let word = format!("{}{}", other[..1].to_uppercase(), other[1..].replace('_', " "));
            return Err(Refusal::new(404, &format!("{}_DOES_NOT_EXIST", other.to_uppercase()), format!("{word} '{name}' does not exist.")));
        }
    }
    Ok((kind, name))
}

fn direct(exchange: &Exchange<'_, '_>, place: &str) -> Direct {
    let stored = exchange.objects.get(unity::GRANTS, place);
    let of = stored.as_deref().and_then(Value::as_map).into_iter().flatten();
    of.map(|(who, list)| (who.clone(), list.as_list().unwrap_or_default().iter().map(Value::key_text).collect())).collect()
}

/// Assignments as replies show them. Their order changes from one request to the next.
fn assignments(exchange: &Exchange<'_, '_>, grants: &Direct) -> Vec<Value> {
    let asked = exchange.asked("principal");
    let mut all: Vec<Value> = grants
        .iter()
        .filter(|(who, _)| asked.is_none_or(|p| p == *who))
        .map(|(who, privileges)| {
            let privileges = privileges.iter().map(|p| p.as_str().into()).collect();
            Value::map([("principal", Value::text(who)), ("privileges", Value::List(privileges))])
        })
        .collect();
    // Pages must not shift under the reader, so only whole answers vary.
    if exchange.now % 2 == 0 && ["page_token", "max_results", "page_size"].iter().all(|p| exchange.asked(p).is_none()) {
        all.reverse();
    }
    all
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (kind, name) = securable(exchange)?;
    let grants = direct(exchange, &format!("{kind}/{name}"));
    unity::list(exchange, "privilege_assignments", "max_results", &assignments(exchange, &grants))
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (kind, name) = securable(exchange)?;
    let grants = direct(exchange, &format!("{kind}/{name}"));
    unity::list(exchange, "privilege_assignments", "page_size", &assignments(exchange, &grants))
}

fn effective(exchange: &Exchange<'_, '_>) -> Result<Vec<Value>, Refusal> {
    let (kind, name) = securable(exchange)?;
    let mut sources = vec![("metastore".to_owned(), Core::metastore_id(exchange.setting.workspace_id))];
    let parts: Vec<&str> = name.splitn(3, '.').collect();
    if let (true, [catalog, _, ..]) = (kind != "metastore", parts.as_slice()) {
        sources.push(("catalog".to_owned(), (*catalog).to_owned()));
    }
    if let [catalog, schema, _] = parts.as_slice() {
        sources.push(("schema".to_owned(), format!("{catalog}.{schema}")));
    }
    if kind != "metastore" {
        sources.push((kind.clone(), name.clone()));
    }
    let asked = exchange.asked("principal");
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (source, source_name) in sources {
        for (who, privileges) in direct(exchange, &format!("{source}/{source_name}")) {
            if asked.is_some_and(|p| p != who) {
                continue;
            }
            for privilege in privileges {
                let mut one = Map::new();
                one.insert("privilege".to_owned(), Value::Text(privilege));
                if source != kind {
                    one.insert("inherited_from_type".to_owned(), Value::Text(source.to_uppercase()));
                    one.insert("inherited_from_name".to_owned(), Value::text(&source_name));
                }
                all.entry(who.clone()).or_default().push(Value::Map(one));
            }
        }
    }
    let shown = |(who, privileges)| Value::map([("principal", Value::Text(who)), ("privileges", Value::List(privileges))]);
    Ok(all.into_iter().map(shown).collect())
}

fn get_effective(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all = effective(exchange)?;
    unity::list(exchange, "privilege_assignments", "max_results", &all)
}

fn list_effective(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all = effective(exchange)?;
    unity::list(exchange, "effective_privilege_assignments", "page_size", &all)
}

/// The privileges of a list in a change.
fn privileges(change: &Value, list: &str) -> Result<BTreeSet<String>, Refusal> {
    let given = change.get(list).and_then(Value::as_list).unwrap_or_default();
    given
        .iter()
        .map(|privilege| {
            let name = privilege.key_text().trim().to_uppercase().replace(' ', "_");
            match catalogue::type_named("catalog.Privilege") {
                Some(TypeDef::Enum(values)) if !values.contains(&name) => {
                    Err(Refusal::invalid(format!("PRIVILEGE '{name}' is not a valid privilege.")))
                }
                _ => Ok(name),
            }
        })
        .collect()
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (kind, name) = securable(exchange)?;
    let place = format!("{kind}/{name}");
    let mut grants = direct(exchange, &place);
    let changes = exchange.body.get("changes").and_then(Value::as_list).unwrap_or_default().to_vec();
    for change in &changes {
        let who = change.get("principal").and_then(Value::as_str).unwrap_or_default().to_owned();
        if who.is_empty() {
            return Err(Refusal::invalid("Missing required field: changes.principal"));
        }
        let (add, remove) = (privileges(change, "add")?, privileges(change, "remove")?);
        if let Some(both) = add.intersection(&remove).next() {
            return Err(Refusal::invalid(format!("Privilege {both} of principal {who} cannot be both added and removed.")));
        }
        // What somebody who is gone was granted can still be taken away.
        let adds = !add.is_empty() && !exchange.rival(Rival::GrantsOfAccount);
        if adds && !principals::known(exchange.objects, &who) {
            return Err(Refusal::new(404, "PRINCIPAL_DOES_NOT_EXIST", format!("Could not find principal with name {who}")));
        }
        let of = grants.entry(who).or_default();
        of.extend(add);
        of.retain(|p| !remove.contains(p));
    }
    grants.retain(|_, privileges| !privileges.is_empty());
    if grants.is_empty() {
        exchange.objects.remove(unity::GRANTS, &place);
    } else {
        let stored = grants.iter().map(|(who, of)| (who.clone(), Value::List(of.iter().map(|p| p.as_str().into()).collect()))).collect();
        exchange.objects.put(unity::GRANTS, &place, Value::Map(stored));
    }
    if exchange.body.get("omit_permissions_in_response").and_then(Value::as_bool) == Some(true) {
        return Ok(Answer::empty());
    }
    unity::list(exchange, "privilege_assignments", "max_results", &assignments(exchange, &grants))
}
