//! Changes and the requests they become, for each kind. Bodies are written out as they must be on the wire.

use super::{CASE, Case, kind, line, lines, value};
use crate::kinds::{Call, Lifetime, Registry, Repeat, delete_calls, lacking, list_call, read_call};
use crate::model::{Map, Value};

#[test]
fn creates() {
    for (case, calls) in [
        (
            // Computed fields are never sent; what the API gained yesterday is.
            Case { kind: "jobs", desired: r#"{"name":"n","job_id":7,"format":"MULTI_TASK","brand_new":1,"schedule":null}"#, ..CASE },
            vec![r#"POST /api/2.2/jobs/create {"name": "n", "brand_new": 1}"#],
        ),
        (
            Case { kind: "warehouses", desired: r#"{"name":"bi","cluster_size":"Small","state":"RUNNING"}"#, ..CASE },
            vec![r#"POST /api/2.0/sql/warehouses {"name": "bi", "cluster_size": "Small"}"#],
        ),
        (
            // What only the update takes follows in the same step; the id is the name.
            Case { kind: "catalogs", desired: r#"{"name":"main","comment":"c","owner":"admins","isolation_mode":"ISOLATED"}"#, ..CASE },
            vec![
                r#"POST /api/2.1/unity-catalog/catalogs {"name": "main", "comment": "c"}"#,
                r#"PATCH /api/2.1/unity-catalog/catalogs/main {"owner": "admins", "isolation_mode": "ISOLATED"}"#,
            ],
        ),
        (
            Case { kind: "schemas", desired: r#"{"catalog_name":"main","name":"raw","owner":"etl"}"#, ..CASE },
            vec![
                r#"POST /api/2.1/unity-catalog/schemas {"catalog_name": "main", "name": "raw"}"#,
                r#"PATCH /api/2.1/unity-catalog/schemas/main.raw {"owner": "etl"}"#,
            ],
        ),
        (
            Case { kind: "alerts", desired: r#"{"display_name":"a","evaluation":{"source":{"name":"n"},"state":"OK"}}"#, ..CASE },
            vec![r#"POST /api/2.0/alerts {"display_name": "a", "evaluation": {"source": {"name": "n"}}}"#],
        ),
        (
            Case { kind: "serving_endpoints", desired: r#"{"name":"e","config":{"name":"e","served_entities":[]}}"#, ..CASE },
            vec![r#"POST /api/2.0/serving-endpoints {"name": "e", "config": {"served_entities": []}}"#],
        ),
    ] {
        assert_eq!(case.creates(), calls, "{}", case.kind);
    }
}

/// A kind whose follow-up update goes by an id that the server picks.
#[test]
fn a_follow_up_waits_for_the_id() {
    use crate::kinds::{Change, Context, Identity, Kind, Read, Request, Update, create_calls};
    static MADE: Kind = Kind {
        name: "made",
        singular: "made thing",
        create: Some(Request::bare("catalog.catalogs.create")),
        read: Read::plain("catalog.catalogs.get"),
        update: Update::Patch(Request::bare("catalog.catalogs.update")),
        identity: Identity::Assigned("metastore_id"),
        ..Kind::PLAIN
    };
    let (address, desired) = ("made.x".parse().unwrap(), value(r#"{"name":"n","owner":"o"}"#));
    let change = Change {
        address: &address,
        id: &Value::Null,
        applied: None,
        live: None,
        desired: &desired,
        paths: &[],
        context: Context::default(),
    };
    let calls = create_calls(&MADE, &change).unwrap();
    assert_eq!(calls.iter().map(|c| c.repeat).collect::<Vec<_>>(), [Repeat::AfterLookup, Repeat::Safe]);
    let Value::Unknown(id) = &calls[1].path["name"] else { panic!("{:?}", calls[1]) };
    assert_eq!(id.references().map(|r| format!("{}.{}", r.address, r.path)).collect::<Vec<_>>(), ["made.x.id"]);
}

#[test]
fn whole_updates_keep_what_nobody_here_manages() {
    let live = r#"{"job_id":12,"created_time":1,"creator_user_name":"me","format":"MULTI_TASK","name":"old","max_concurrent_runs":3,
        "description":"by hand","tags":{"a":"1","b":"2"},"schedule":{"quartz_cron_expression":"q","timezone_id":"UTC","pause_status":"PAUSED"},
        "tasks":[{"task_key":"b","timeout_seconds":60,"run_if":"ALL_SUCCESS","notebook_task":{"notebook_path":"/b","source":"WORKSPACE"}},
                 {"task_key":"a","max_retries":2},{"task_key":"gone"}]}"#;
    let reset = |settings: &str| vec![format!(r#"POST /api/2.2/jobs/reset {{"job_id": 12, "new_settings": {settings}}}"#)];
    for (desired, paths, settings) in [
        (
            // A field changes; what is not named survives; computed fields are left out.
            r#"{"name":"new","tasks":[{"task_key":"a"},{"task_key":"b","run_if":"ALL_DONE","notebook_task":{"notebook_path":"/c"}}]}"#,
            vec!["name", "tasks[task_key=b].run_if", "tasks[task_key=b].notebook_task.notebook_path", "tasks[task_key=gone]"],
            concat!(
                r#"{"name": "new", "tasks": [{"task_key": "a", "max_retries": 2}, {"task_key": "b", "run_if": "ALL_DONE", "#,
                r#""notebook_task": {"notebook_path": "/c", "source": "WORKSPACE"}, "timeout_seconds": 60}], "#,
                r#""max_concurrent_runs": 3, "description": "by hand", "tags": {"a": "1", "b": "2"}, "#,
                r#""schedule": {"quartz_cron_expression": "q", "timezone_id": "UTC", "pause_status": "PAUSED"}}"#
            ),
        ),
        (
            // Removed fields are left out, at the top and below; a free map is replaced.
            r#"{"name":"old","tags":{"a":"9"},"schedule":{"quartz_cron_expression":"q","timezone_id":"UTC"},"tasks":[{"task_key":"a"}]}"#,
            vec!["description", "schedule.pause_status", "tags.a", "tags.b", "tasks[task_key=a].max_retries", "max_concurrent_runs"],
            concat!(
                r#"{"name": "old", "tags": {"a": "9"}, "schedule": {"quartz_cron_expression": "q", "timezone_id": "UTC"}, "#,
                r#""tasks": [{"task_key": "a"}]}"#
            ),
        ),
        (
            // An explicit null leaves the field out, too.
            r#"{"name":"old","tags":null,"schedule":null,"tasks":[],"description":"x"}"#,
            vec!["tags", "schedule", "tasks", "description"],
            r#"{"name": "old", "tasks": [], "description": "x", "max_concurrent_runs": 3}"#,
        ),
    ] {
        let case = Case { kind: "jobs", id: "12", live, desired, paths: &paths, ..CASE };
        assert_eq!(case.updates(), reset(settings), "{desired}");
    }
}

#[test]
fn whole_updates_by_path() {
    let live = r#"{"id":"w1","name":"bi","cluster_size":"Small","auto_stop_mins":30,"state":"RUNNING","creator_name":"me","num_clusters":1,
        "jdbc_url":"j","odbc_params":{"hostname":"h"},"health":{},"tags":{"custom_tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}}"#;
    let desired = r#"{"name":"bi","cluster_size":"Large","tags":{"custom_tags":[{"key":"b","value":"3"}]}}"#;
    let case = Case { kind: "warehouses", id: "w1", live, desired, paths: &["cluster_size", "tags.custom_tags[key=b].value"], ..CASE };
    assert_eq!(
        case.updates(),
        [concat!(
            r#"POST /api/2.0/sql/warehouses/w1/edit {"name": "bi", "cluster_size": "Large", "#,
            r#""tags": {"custom_tags": [{"key": "b", "value": "3"}]}, "auto_stop_mins": 30}"#
        )]
    );
}

#[test]
fn patches() {
    let live = r#"{"name":"main","comment":"old","owner":"me","isolation_mode":"ISOLATED","storage_root":"s3://x",
        "properties":{"a":"1","unity.catalog.managed.x":"kept"}}"#;
    let patch = |body: &str| Ok(vec![format!("PATCH /api/2.1/unity-catalog/catalogs/main {body}")]);
    for (desired, paths, calls) in [
        (r#"{"name":"main","comment":"new","owner":"me"}"#, vec!["comment"], patch(r#"{"comment": "new"}"#)),
        // Maps go whole, with the keys that the server keeps there.
        (
            r#"{"name":"main","properties":{"b":"2"}}"#,
            vec!["properties.a", "properties.b"],
            patch(r#"{"properties": {"b": "2", "unity.catalog.managed.x": "kept"}}"#),
        ),
        // Removed: the default, or the empty map.
        (r#"{"name":"main"}"#, vec!["comment"], patch(r#"{"comment": ""}"#)),
        (r#"{"name":"main"}"#, vec!["isolation_mode", "properties"], patch(r#"{"isolation_mode": "OPEN", "properties": {}}"#)),
        (r#"{"name":"main","comment":null}"#, vec!["comment"], patch(r#"{"comment": ""}"#)),
        // The name goes under another member, to the object that still has the old one.
        (r#"{"name":"lake","comment":"new"}"#, vec!["name", "comment"], patch(r#"{"new_name": "lake", "comment": "new"}"#)),
        (
            r#"{"name":"main"}"#,
            vec!["owner"],
            Err("owner: `owner` cannot be unset, because the workspace chooses its default only when the object is created: write the value you want"
                .to_owned()),
        ),
        (
            r#"{"name":"main","storage_root":"s3://y"}"#,
            vec!["storage_root"],
            Err("storage_root: `storage_root` cannot be changed once the object is there".to_owned()),
        ),
    ] {
        let case = Case { kind: "catalogs", id: "main", live, desired, paths: &paths, ..CASE };
        assert_eq!(case.run(false), calls, "{desired}");
    }
    let schema = Case { kind: "schemas", id: "main.raw", desired: r#"{"catalog_name":"main","name":"bronze"}"#, paths: &["name"], ..CASE };
    assert_eq!(schema.updates(), [r#"PATCH /api/2.1/unity-catalog/schemas/main.raw {"new_name": "bronze"}"#]);
}

#[test]
fn masks() {
    let live = r#"{"id":"a1","display_name":"old","custom_summary":"s","evaluation":{"source":{"name":"n"},"state":"OK",
        "notification":{"notify_on_ok":true}}}"#;
    let patch = |rest: &str| Ok(vec![format!("PATCH /api/2.0/alerts/a1?update_mask={rest}")]);
    for (desired, paths, calls) in [
        (
            r#"{"display_name":"new","evaluation":{"source":{"name":"m"}}}"#,
            vec!["display_name", "evaluation.source.name"],
            patch(concat!(
                r#"display_name,evaluation {"display_name": "new", "evaluation": {"source": {"name": "m"}, "#,
                r#""notification": {"notify_on_ok": true}}}"#
            )),
        ),
        (
            r#"{"display_name":"old","evaluation":{"source":{"name":"n"}}}"#,
            vec!["custom_summary", "evaluation.notification"],
            patch(r#"custom_summary,evaluation {"custom_summary": "", "evaluation": {"source": {"name": "n"}}}"#),
        ),
    ] {
        let case = Case { kind: "alerts", id: "a1", live, desired, paths: &paths, ..CASE };
        assert_eq!(case.run(false), calls, "{desired}");
    }
}

#[test]
fn routed_updates() {
    let entity = r#"{"name":"m-1","entity_name":"m","entity_version":"1","creator":"me"}"#;
    let live = format!(
        r#"{{"name":"e","id":"0f","state":{{"ready":"READY"}},"config":{{"config_version":3,"served_entities":[{entity}],"served_models":[{entity}],
        "traffic_config":{{"routes":[{{"served_entity_name":"m-1","traffic_percentage":100}}]}}}},
        "ai_gateway":{{"usage_tracking_config":{{"enabled":true}}}},"tags":[{{"key":"a","value":"1"}},{{"key":"b","value":"2"}}]}}"#
    );
    let base = "/api/2.0/serving-endpoints/e";
    for (desired, paths, calls) in [
        (
            // Live traffic goes along while it fits, and not when the entities are others.
            r#"{"name":"e","config":{"served_entities":[{"name":"m-1","entity_name":"m","entity_version":"2"}]}}"#,
            vec!["config.served_entities"],
            Ok(vec![format!(
                concat!(
                    r#"PUT {}/config {{"served_entities": [{{"name": "m-1", "entity_name": "m", "entity_version": "2"}}], "#,
                    r#""traffic_config": {{"routes": [{{"served_entity_name": "m-1", "traffic_percentage": 100}}]}}}}"#
                ),
                base
            )]),
        ),
        (
            r#"{"name":"e","config":{"served_entities":[{"entity_name":"m","entity_version":"2"}]}}"#,
            vec!["config.served_entities"],
            Ok(vec![format!(r#"PUT {base}/config {{"served_entities": [{{"entity_name": "m", "entity_version": "2"}}]}}"#)]),
        ),
        (
            // Several groups: in the kind's order, whatever the order of the change.
            r#"{"name":"e","tags":[{"key":"a","value":"9"},{"key":"c","value":"3"}],"email_notifications":{"on_update_failure":["x@y"]}}"#,
            vec!["email_notifications.on_update_failure", "tags", "ai_gateway"],
            Ok(vec![
                format!("PUT {base}/ai-gateway {{}}"),
                format!(
                    r#"PATCH {base}/tags {{"add_tags": [{{"key": "a", "value": "9"}}, {{"key": "c", "value": "3"}}], "delete_tags": ["b"]}}"#
                ),
                format!(r#"PATCH {base}/notifications {{"email_notifications": {{"on_update_failure": ["x@y"]}}}}"#),
            ]),
        ),
        (
            r#"{"name":"e","ai_gateway":{"rate_limits":[]}}"#,
            vec!["ai_gateway.rate_limits"],
            Ok(vec![format!(r#"PUT {base}/ai-gateway {{"rate_limits": [], "usage_tracking_config": {{"enabled": true}}}}"#)]),
        ),
        (r#"{"name":"e"}"#, vec!["config"], Err("config: an endpoint cannot be without a configuration".to_owned())),
        (
            r#"{"name":"e","description":"d"}"#,
            vec!["description"],
            Err("description: `description` cannot be changed once the object is there".to_owned()),
        ),
    ] {
        let case = Case { kind: "serving_endpoints", id: "e", live: &live, desired, paths: &paths, ..CASE };
        assert_eq!(case.run(false), calls, "{desired}");
    }
}

#[test]
fn settings() {
    let normal = kind("workspace_conf").hooks.normal.unwrap();
    let body = normal(value(r#"{"enableTokensConfig":true,"maxTokenLifetimeDays":90,"enableX":"false"}"#));
    assert_eq!(body, value(r#"{"enableTokensConfig":"true","maxTokenLifetimeDays":"90","enableX":"false"}"#));
    let case = Case {
        kind: "workspace_conf",
        id: "workspace_conf",
        live: r#"{"enableTokensConfig":"false","maxTokenLifetimeDays":null}"#,
        desired: r#"{"enableTokensConfig":"true","maxTokenLifetimeDays":"90"}"#,
        paths: &["enableTokensConfig"],
        ..CASE
    };
    assert_eq!(case.updates(), [r#"PATCH /api/2.0/workspace-conf {"enableTokensConfig": "true"}"#]);
    // Nobody had set it before: there is no unset.
    let put_back = Case {
        desired: r#"{"enableTokensConfig":null,"maxTokenLifetimeDays":null}"#,
        live: r#"{"enableTokensConfig":"true","maxTokenLifetimeDays":"90"}"#,
        paths: &["enableTokensConfig", "maxTokenLifetimeDays"],
        ..CASE
    };
    let put_back = Case { kind: "workspace_conf", ..put_back };
    assert_eq!(put_back.updates(), [r#"PATCH /api/2.0/workspace-conf {"enableTokensConfig": "false", "maxTokenLifetimeDays": ""}"#]);
    let removed = Case { desired: "{}", ..case };
    assert!(removed.run(false).unwrap_err().contains("cannot be unset"), "a setting has no empty value: what it held must be put back");
}

#[test]
fn deletes_and_reads() {
    for (of, id, body, names, delete, read) in [
        ("jobs", "12", "{}", &[][..], r#"POST /api/2.2/jobs/delete {"job_id": 12}"#, "GET /api/2.2/jobs/get?job_id=12"),
        ("warehouses", "w", "{}", &[], "DELETE /api/2.0/sql/warehouses/w", "GET /api/2.0/sql/warehouses/w"),
        ("alerts", "a", "{}", &[], "DELETE /api/2.0/alerts/a", "GET /api/2.0/alerts/a"),
        (
            "catalogs",
            "c",
            "{}",
            &[],
            "DELETE /api/2.1/unity-catalog/schemas/c.default;DELETE /api/2.1/unity-catalog/catalogs/c",
            "GET /api/2.1/unity-catalog/catalogs/c",
        ),
        ("schemas", "c.s", "{}", &[], "DELETE /api/2.1/unity-catalog/schemas/c.s", "GET /api/2.1/unity-catalog/schemas/c.s"),
        (
            "directories",
            "/Workspace/a",
            "{}",
            &[],
            r#"POST /api/2.0/workspace/delete {"path": "/Workspace/a"}"#,
            "GET /api/2.0/workspace/get-status?path=/Workspace/a",
        ),
        ("volumes", "c.s.v", "{}", &[], "DELETE /api/2.1/unity-catalog/volumes/c.s.v", "GET /api/2.1/unity-catalog/volumes/c.s.v"),
        ("secret_scopes", "s", "{}", &[], r#"POST /api/2.0/secrets/scopes/delete {"scope": "s"}"#, ""),
        ("secret_acls", "s", "{}", &[], "", "GET /api/2.0/secrets/acls/list?scope=s"),
        ("serving_endpoints", "e", "{}", &[], "DELETE /api/2.0/serving-endpoints/e", "GET /api/2.0/serving-endpoints/e"),
        (
            "grants",
            "schema/c.s",
            r#"{"securable_type":"schema","full_name":"c.s"}"#,
            &[],
            "",
            "GET /api/2.1/unity-catalog/permissions/schema/c.s",
        ),
        ("workspace_tags", "geniespaces/1f", "{}", &[], "", "GET /api/2.0/entity-tag-assignments/geniespaces/1f/tags"),
        ("permissions", "jobs/12", "{}", &[], "", "GET /api/2.0/permissions/jobs/12"),
        ("permissions", "", r#"{"object_type":"warehouses","object_id":"w"}"#, &[], "", "GET /api/2.0/permissions/warehouses/w"),
        ("workspace_conf", "workspace_conf", "{}", &["a", "b"], "", "GET /api/2.0/workspace-conf?keys=a,b"),
        ("workspace_conf", "workspace_conf", "{}", &[], "", ""),
    ] {
        let (kind, id) = (kind(of), if id.is_empty() { Value::Null } else { Value::from(id) });
        assert_eq!(lines(&delete_calls(kind, &id)).join(";"), delete, "{of}");
        let call = read_call(kind, &id, &value(body), names);
        assert_eq!(call.as_ref().map(line).unwrap_or_default(), read, "{of}");
        assert!(call.is_none_or(|c| c.repeat == Repeat::Safe && c.body.is_none()));
        assert_eq!(delete.is_empty(), kind.lifetime != Lifetime::Own, "{of}");
    }
}

#[test]
fn lists() {
    for kind in Registry::standard().iter() {
        let calls = [None, Some("p")].map(|parent| list_call(kind, parent).as_ref().map(line).unwrap_or_default());
        let both = |text: &str| [text.to_owned(), text.to_owned()];
        let expected = match kind.name {
            "jobs" => both("GET /api/2.2/jobs/list?expand_tasks=true&limit=100"),
            "clusters" => both("GET /api/2.1/clusters/list?filter_by.cluster_sources=UI&filter_by.cluster_sources=API&page_size=100"),
            "warehouses" => both("GET /api/2.0/sql/warehouses"),
            "alerts" => both("GET /api/2.0/alerts"),
            "queries" => both("GET /api/2.0/sql/queries"),
            "instance_pools" => both("GET /api/2.0/instance-pools/list"),
            "cluster_policies" => both("GET /api/2.0/policies/clusters/list"),
            "catalogs" => both("GET /api/2.1/unity-catalog/catalogs?max_results=0"),
            "schemas" => [String::new(), "GET /api/2.1/unity-catalog/schemas?max_results=0&catalog_name=p".to_owned()],
            "spaces" => both("GET /api/2.0/genie/spaces"),
            "volumes" => [String::new(), String::new()],
            "secrets" => [String::new(), "GET /api/2.0/secrets/list?scope=p".to_owned()],
            "secret_scopes" => both("GET /api/2.0/secrets/scopes/list"),
            "serving_endpoints" => both("GET /api/2.0/serving-endpoints"),
            "users" => both("GET /api/2.0/preview/scim/v2/Users"),
            "groups" => both("GET /api/2.0/preview/scim/v2/Groups?excludedAttributes=members"),
            "service_principals" => both("GET /api/2.0/preview/scim/v2/ServicePrincipals"),
            _ => both(""),
        };
        assert_eq!(calls, expected, "{}", kind.name);
    }
}

/// Where a list asks for several parents, they come joined, and all of them must be there.
#[test]
fn a_list_under_two_parents() {
    let listed = |parent| list_call(kind("volumes"), parent).as_ref().map(line);
    let all = "GET /api/2.1/unity-catalog/volumes?max_results=0&catalog_name=main&schema_name=raw";
    assert_eq!(listed(Some("main.raw")).as_deref(), Some(all));
    assert_eq!((listed(Some("main")), listed(None)), (None, None));
}

/// What was unknown when the plan was made gets its type when it is filled in.
#[test]
fn filled_in_values_conform() {
    let mut call = Call {
        op: "jobs.jobs.create",
        path: Map::new(),
        query: Map::new(),
        body: Some(value(
            r#"{"name":5,"timeout_seconds":"60","tags":{"n":7},"tasks":[{"task_key":"a","run_job_task":{"job_id":"123"}}],"brand_new":"5"}"#,
        )),
        why: "create",
        repeat: Repeat::Safe,
    };
    call.conform();
    let expected =
        r#"{"name":"5","timeout_seconds":60,"tags":{"n":"7"},"tasks":[{"task_key":"a","run_job_task":{"job_id":123}}],"brand_new":"5"}"#;
    assert_eq!(call.body, Some(value(expected)));
}

#[test]
fn an_answer_that_tells_nothing_of_the_object_is_not_an_empty_one() {
    for (of, reply, want) in [
        ("jobs", r#"{"job_id":7}"#, ""),
        ("jobs", "{}", "the answer holds nothing of a job"),
        ("jobs", "[]", "the answer is a list, not an object"),
        ("permissions", r#"{"object_id":"/jobs/7"}"#, ""),
        ("permissions", r#"{"access_control_list":[]}"#, "the answer lacks `object_id`: it is not that of a permission set"),
        ("permissions", "{}", "the answer lacks `object_id`: it is not that of a permission set"),
        // The server omits an empty list, and grants have nothing else.
        ("grants", "{}", ""),
        ("grants", "[]", "the answer is a list, not an object"),
        ("spaces", r#"{"space_id":"1f","serialized_space":"{\"version\":2}"}"#, ""),
        ("spaces", "{}", "the answer lacks a readable `serialized_space`: whoever reads a Genie space needs the right to edit it"),
    ] {
        let reply = crate::model::json::parse(reply.as_bytes()).expect("JSON");
        assert_eq!(lacking(kind(of), &reply).unwrap_or_default(), want, "{of} {reply:?}");
    }
}
