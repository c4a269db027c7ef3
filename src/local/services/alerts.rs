//! Alerts (the second API).

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::{Exchange, Principal};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::filling::{default, timestamp};
use crate::local::services::{Evidence, Habit, Rival, habit, mask, paging, permissions, tree};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/alerts"],
    &[
        (Catalogue("sql.alerts_v2.create_alert"), create),
        (Catalogue("sql.alerts_v2.get_alert"), get),
        (Catalogue("sql.alerts_v2.list_alerts"), list),
        (Catalogue("sql.alerts_v2.update_alert"), update),
        (Catalogue("sql.alerts_v2.trash_alert"), trash),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("alerts", "needs update_mask in the query; takes the masked members only, maps and lists whole", Evidence::Sdk),
    habit("alerts", "keeps a trashed alert: get answers with lifecycle_state DELETED, lists leave it out", Evidence::Cli),
    habit("alerts", "fills in pause_status UNPAUSED and the caller's home as parent_path", Evidence::Sdk),
    habit("alerts", "refuses a parent_path that is no folder: 404 RESOURCE_DOES_NOT_EXIST", Evidence::Unverified),
    habit("alerts", "refuses a name that is taken in its folder", Evidence::Cli),
    habit("alerts", "a trashed alert does not hold its name", Evidence::Unverified),
    habit("alerts", "answers 404 RESOURCE_DOES_NOT_EXIST for an absent one", Evidence::Unverified),
];

/// What a mask may name.
const UPDATABLE: [&str; 11] = [
    "display_name",
    "query_text",
    "warehouse_id",
    "evaluation",
    "schedule",
    "custom_description",
    "custom_summary",
    "custom_template_format",
    "parameters",
    "run_as",
    "run_as_user_name",
];
/// What must be there after an update, too.
const REQUIRED: [&str; 5] = ["display_name", "query_text", "warehouse_id", "evaluation", "schedule"];
/// What only the server fills in.
const OUTPUT: [&str; 6] = ["id", "create_time", "update_time", "lifecycle_state", "owner_user_name", "effective_run_as"];

fn filled(exchange: &Exchange<'_, '_>, alert: &mut Map) {
    if let Some(schedule) = alert.get_mut("schedule").and_then(Value::as_map_mut) {
        default(schedule, "pause_status", "UNPAUSED");
    }
    if let Some(evaluation) = alert.get_mut("evaluation").and_then(Value::as_map_mut) {
        default(evaluation, "empty_result_state", "UNKNOWN");
        evaluation.insert("state".to_owned(), "UNKNOWN".into());
    }
    let owner = alert.get("owner_user_name").cloned().unwrap_or(Value::Null);
    let named = alert.get("run_as").filter(|r| !r.is_zero()).cloned();
    let by_name = alert.get("run_as_user_name").cloned().map(|name| Value::map([("user_name", name)]));
    let field = if exchange.caller.sort == Principal::ServicePrincipal { "service_principal_name" } else { "user_name" };
    alert.insert("effective_run_as".to_owned(), named.or(by_name).unwrap_or_else(|| Value::map([(field, owner)])));
    alert.insert("update_time".to_owned(), timestamp(exchange.now));
}

fn is_active(alert: &Value) -> bool {
    alert.get("lifecycle_state").and_then(Value::as_str) == Some("ACTIVE")
}

fn free(exchange: &Exchange<'_, '_>, alert: &Map, but: Option<&str>) -> Result<(), Refusal> {
    let same = |other: &Value, member: &str| other.get(member) == alert.get(member);
    let taken = exchange
        .objects
        .all("alerts")
        .any(|(id, other)| Some(id) != but && is_active(other) && same(other, "display_name") && same(other, "parent_path"));
    if !taken {
        return Ok(());
    }
    let name = alert.get("display_name").map(Value::key_text).unwrap_or_default();
    Err(Refusal::new(400, "RESOURCE_ALREADY_EXISTS", format!("Node named '{name}' already exists")))
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut alert = std::mem::take(&mut exchange.body);
    for name in OUTPUT {
        alert.shift_remove(name);
    }
    default(&mut alert, "parent_path", format!("/Workspace/Users/{}", exchange.caller.name));
    tree::needs_folder(exchange, alert.get("parent_path").and_then(Value::as_str).unwrap_or_default())?;
    free(exchange, &alert, None)?;
    let id = exchange.uuid("alerts");
    alert.insert("id".to_owned(), Value::text(&id));
    alert.insert("owner_user_name".to_owned(), Value::text(&exchange.caller.name));
    alert.insert("lifecycle_state".to_owned(), "ACTIVE".into());
    alert.insert("create_time".to_owned(), timestamp(exchange.now));
    filled(exchange, &mut alert);
    exchange.objects.put("alerts", &id, Value::Map(alert.clone()));
    permissions::born(exchange, "alertsv2", &id);
    Ok(Answer::ok(alert))
}

fn absent(id: &str) -> Refusal {
    Refusal::absent(format!("Alert {id} does not exist."))
}

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let found = exchange.objects.get("alerts", id).filter(|a| is_active(a) || !exchange.rival(Rival::TrashGone));
    found.and_then(|a| a.as_map().cloned()).ok_or_else(|| absent(id))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, &exchange.parameter("id")).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all = exchange.objects.all("alerts").filter(|(_, a)| is_active(a)).map(|(_, a)| a).collect();
    let size = paging::size(exchange, "page_size", 20, 100)?;
    Ok(Answer::ok(paging::reply("alerts", paging::page(all, size, exchange.asked("page_token"))?.shown(|a| visible(a)))))
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    let mut alert = stored(exchange, &id)?;
    if alert.get("lifecycle_state").and_then(Value::as_str) == Some("DELETED") {
        return Err(Refusal::new(400, "INVALID_STATE", format!("Alert {id} is in the trash and cannot be updated.")));
    }
    let update_mask = exchange.asked("update_mask").unwrap_or_default().to_owned();
    mask::apply(&mut alert, &exchange.body, &update_mask, &UPDATABLE)?;
    if let Some(name) = REQUIRED.iter().find(|name| alert.get(**name).is_none_or(Value::is_zero)) {
        return Err(Refusal::invalid(format!("Missing required field: {name}")));
    }
    free(exchange, &alert, Some(&id))?;
    filled(exchange, &mut alert);
    exchange.objects.put("alerts", &id, Value::Map(alert.clone()));
    Ok(Answer::ok(alert))
}

fn trash(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    let mut alert = stored(exchange, &id)?;
    if exchange.flag("purge") {
        exchange.objects.remove("alerts", &id);
        permissions::died(exchange, "alertsv2", &id);
        return Ok(Answer::empty());
    }
    if alert.get("lifecycle_state").and_then(Value::as_str) == Some("DELETED") {
        return Err(absent(&id));
    }
    alert.insert("lifecycle_state".to_owned(), "DELETED".into());
    alert.insert("update_time".to_owned(), timestamp(exchange.now));
    exchange.objects.put("alerts", &id, Value::Map(alert));
    Ok(Answer::empty())
}
