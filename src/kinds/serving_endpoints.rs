//! Model serving endpoints.

use super::call;
use super::permissions::PERMISSIONS;
use super::{
    After, Blocks, Calls, Change, Facet, Fact, From, Identity, Kind, List, Lit, Natural, Path, Read, Refusal, Rename, Request, Route, Rows,
    Schema, Unique, Update, Value, Wait,
};

/// Endpoints: each part has a call of its own. A configuration is refused while another is being rolled out, so updates
/// wait for the one before; permissions go by the hex `id`, not by the name.
pub static SERVING_ENDPOINTS: Kind = Kind {
    name: "serving_endpoints",
    singular: "serving endpoint",
    aliases: &["model_serving_endpoints"],
    create: Some(Request::bare("serving.serving_endpoints.create")),
    read: Read::plain("serving.serving_endpoints.get"),
    // Rows lack the configuration's details.
    list: Some(List { op: "serving.serving_endpoints.list", query: &[], rows: Rows::Names }),
    update: Update::Routed(&[
        Route { fields: &["config"], request: CONFIG, custom: Some(config) },
        Route::plain(&["ai_gateway"], Request::inner("serving.serving_endpoints.put_ai_gateway", "ai_gateway")),
        Route { fields: &["tags"], request: Request::bare("serving.serving_endpoints.patch"), custom: Some(tags) },
        Route::plain(&["email_notifications"], Request::bare("serving.serving_endpoints.update_notifications")),
        Route::plain(&["telemetry_config"], Request::bare("serving.serving_endpoints.patch_telemetry_config")),
    ]),
    delete: Some(Request::bare("serving.serving_endpoints.delete")),
    identity: Identity::Named { parts: &["name"], join: ".", rename: Rename::Replaces },
    natural: Natural { fields: &["name"], unique: Unique::Yes },
    facts: &[
        // The SDK's type is shared with the update, whose path has the name.
        ("config.name", Fact::Computed),
        // Names are given by the server where none is sent, so they are no key.
        ("config.served_entities", Fact::Keyed(&["entity_name"])),
        ("config.traffic_config", Fact::Default(Lit::Backend)),
        ("config.auto_capture_config.enabled", Fact::Default(Lit::Backend)),
        ("route_optimized", Fact::Default(Lit::Bool(false))),
        ("ai_gateway", Fact::Nullable),
        ("ai_gateway.inference_table_config.enabled", Fact::Default(Lit::Bool(false))),
        ("email_notifications.*", Fact::Set),
        ("telemetry_config", Fact::Default(Lit::Backend)),
        ("tags", Fact::Keyed(&["key"])),
    ],
    waits: &[
        Wait { after: After::Create, waiter: "serving.serving_endpoints.create", blocks: Blocks::Always },
        Wait { after: After::Update, waiter: "serving.serving_endpoints.update_config", blocks: Blocks::Always },
    ],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("serving-endpoints")), ("object_id", From::Field("id"))],
        body: "entries",
    }],
    link: Some("/ml/endpoints/{name}"),
    ..Kind::PLAIN
};

const CONFIG: Request = Request::inner("serving.serving_endpoints.update_config", "config");

/// The configuration whole. Entities' names that the server made up say which version they were made for, so they do not
/// go along; live traffic that nobody here set does while it fits the entities that are sent; the older word for the
/// entities, which replies repeat, never does.
fn config(change: &Change<'_>) -> Calls {
    let Some(wanted) = change.desired.get("config") else {
        let reason = "an endpoint cannot be without a configuration".to_owned();
        return Err(Refusal { path: Path::field("config"), reason });
    };
    let field = Schema::of(&SERVING_ENDPOINTS).root().field("config");
    let mut body = call::overlay(field, change.live.and_then(|l| l.get("config")), wanted);
    if let Some(map) = body.as_map_mut() {
        if wanted.get("served_models").is_none() {
            map.shift_remove("served_models");
        }
        let given = wanted.get("served_entities").and_then(Value::as_list).unwrap_or_default();
        if let Some(Value::List(sent)) = map.get_mut("served_entities") {
            for (entity, _) in sent.iter_mut().zip(given).filter(|(_, given)| given.get("name").is_none()) {
                entity.as_map_mut().map(|e| e.shift_remove("name"));
            }
        }
        let entities = map.get("served_entities").and_then(Value::as_list).unwrap_or_default();
        let sent = |route: &Value| entities.iter().any(|e| e.get("name").is_some() && e.get("name") == route.get("served_entity_name"));
        let routes = map.get("traffic_config").and_then(|t| t.get("routes")).and_then(Value::as_list).unwrap_or_default();
        if wanted.get("traffic_config").is_none() && !routes.iter().all(sent) {
            map.shift_remove("traffic_config");
        }
    }
    Ok(vec![call::with_id(&SERVING_ENDPOINTS, &CONFIG, change, body, "update config")])
}

/// Tags by what to add and which keys to delete.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
fn tags(change: &Change<'_>) -> Calls {
    let list = |body: Option<&Value>| body.and_then(|b| b.get("tags")).and_then(Value::as_list).unwrap_or_default().to_vec();
    let (wanted, live) = (list(Some(change.desired)), list(change.live));
    let add: Vec<Value> = wanted.iter().filter(|t| !live.contains(t)).cloned().collect();
    let keys = |list: &[Value]| list.iter().filter_map(|t| t.get("key").cloned()).collect::<Vec<_>>();
    let delete: Vec<Value> = keys(&live).into_iter().filter(|k| !keys(&wanted).contains(k)).collect();
    let parts = [("add_tags", add), ("delete_tags", delete)];
    let body = Value::map(parts.into_iter().filter(|(_, l)| !l.is_empty()).map(|(n, l)| (n, Value::List(l))));
    let request = Request::bare("serving.serving_endpoints.patch");
    Ok(vec![call::with_id(&SERVING_ENDPOINTS, &request, change, body, "update tags")])
}
