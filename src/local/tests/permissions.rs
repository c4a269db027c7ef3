use super::Bench;

fn job(bench: &Bench) -> String {
    bench.good("POST /api/2.2/jobs/create", "{}").text("job_id")
}

fn entries(reply: &super::Reply) -> Vec<String> {
    let list = reply.body.get("access_control_list").and_then(|l| l.as_list()).unwrap_or_default();
    list.iter()
        .map(|e| {
            let who = ["user_name", "group_name", "service_principal_name"].iter().find_map(|f| e.get(f)).unwrap().key_text();
            let rights = e.get("all_permissions").unwrap().as_list().unwrap().iter().map(|r| {
                let mark = if r.get("inherited").unwrap().as_bool() == Some(true) { "^" } else { "" };
                format!("{mark}{}", r.get("permission_level").unwrap().key_text())
            });
            format!("{who} {}", rights.collect::<Vec<_>>().join("+"))
        })
        .collect()
}

#[test]
fn a_new_object_has_its_creator_and_the_admins() {
    let bench = Bench::new();
    let id = job(&bench);
    let got = bench.good(&format!("GET /api/2.0/permissions/jobs/{id}"), "");
    assert_eq!(entries(&got), ["admin@brickform.local IS_OWNER", "admins ^CAN_MANAGE"]);
    assert_eq!((got.text("object_id"), got.text("object_type")), (format!("/jobs/{id}"), "job".into()));
    assert_eq!(got.at("access_control_list[0].display_name"), "\"Administrator\"");
    assert_eq!(got.at("access_control_list[1].all_permissions[0].inherited_from_object"), r#"["/jobs/"]"#);
    let wh = bench.good("POST /api/2.0/sql/warehouses", r#"{"name": "w"}"#).text("id");
    let short = bench.good(&format!("GET /api/2.0/permissions/warehouses/{wh}"), "");
    let long = bench.good(&format!("GET /api/2.0/permissions/sql/warehouses/{wh}"), "");
    assert_eq!(short.body, long.body);
    assert_eq!(entries(&short), ["admin@brickform.local IS_OWNER", "admins ^CAN_MANAGE"]);
    let levels = bench.good(&format!("GET /api/2.0/permissions/sql/warehouses/{wh}/permissionLevels"), "");
    assert_eq!(levels.at("permission_levels[0].permission_level"), "\"CAN_VIEW\"");
}

#[test]
fn put_replaces_and_patch_upserts() {
    let bench = Bench::new();
    let id = job(&bench);
    let line = |method: &str| format!("{method} /api/2.0/permissions/jobs/{id}");
    let put = r#"{"access_control_list": [{"user_name": "ada@brickform.local", "permission_level": "IS_OWNER"},
        {"group_name": "analysts", "permission_level": "CAN_VIEW"}, {"group_name": "admins", "permission_level": "CAN_VIEW"}]}"#;
    assert_eq!(
        entries(&bench.good(&line("PUT"), put)),
        ["analysts CAN_VIEW", "ada@brickform.local IS_OWNER", "admins CAN_VIEW+^CAN_MANAGE"]
    );
    let robot = r#"{"displayName": "robot", "applicationId": "00000000-0000-0000-0000-000000000000"}"#;
    bench.good("POST /api/2.0/preview/scim/v2/ServicePrincipals", robot);
    let patch = r#"{"access_control_list": [{"group_name": "analysts", "permission_level": "CAN_MANAGE"},
        {"service_principal_name": "00000000-0000-0000-0000-000000000000", "permission_level": "IS_OWNER"}]}"#;
    bench.good(&line("PATCH"), patch);
    assert_eq!(
        entries(&bench.good(&line("GET"), "")),
        ["analysts CAN_MANAGE", "00000000-0000-0000-0000-000000000000 IS_OWNER", "admins CAN_VIEW+^CAN_MANAGE"]
    );
}

#[test]
fn an_update_leaves_an_owner() {
    let lower = r#"{"access_control_list": [{"user_name": "admin@brickform.local", "permission_level": "CAN_MANAGE"}]}"#;
    let bench = Bench::new();
    let id = job(&bench);
    bench.refused(
        &format!("PATCH /api/2.0/permissions/jobs/{id}"),
        lower,
        "400 INVALID_PARAMETER_VALUE The job must have exactly one owner.",
    );
    let rival = Bench::rival("owner-readded");
    let id = job(&rival);
    let got = rival.good(&format!("PATCH /api/2.0/permissions/jobs/{id}"), lower);
    assert_eq!(entries(&got), ["admin@brickform.local IS_OWNER", "admins ^CAN_MANAGE"]);
}

#[test]
fn nobody_manages_what_has_no_such_level() {
    let bench = Bench::rival("caller-readded");
    let policy = bench.good("POST /api/2.0/policies/clusters/create", r#"{"name": "p", "definition": "{}"}"#).text("policy_id");
    let list = r#"{"access_control_list": [{"group_name": "analysts", "permission_level": "CAN_USE"}]}"#;
    let got = bench.good(&format!("PUT /api/2.0/permissions/cluster-policies/{policy}"), list);
    assert_eq!(entries(&got), ["analysts CAN_USE", "admins ^CAN_USE"]);
}

#[test]
fn refusals() {
    let bench = Bench::new();
    let id = job(&bench);
    for (body, expected) in [
        (r#"{"access_control_list": []}"#, "400 INVALID_PARAMETER_VALUE The job must have exactly one owner."),
        (
            r#"{"access_control_list": [{"user_name": "ada@brickform.local", "permission_level": "IS_OWNER"}, {"user_name": "grace@brickform.local", "permission_level": "IS_OWNER"}]}"#,
            "400 INVALID_PARAMETER_VALUE The job must have exactly one owner.",
        ),
        (
            r#"{"access_control_list": [{"user_name": "a", "permission_level": "CAN_USE"}]}"#,
            "400 INVALID_PARAMETER_VALUE Permission level 'CAN_USE' is not valid for jobs.",
        ),
        (
            r#"{"access_control_list": [{"user_name": "a", "permission_level": "DANCE"}]}"#,
            "400 INVALID_PARAMETER_VALUE Invalid value 'DANCE'",
        ),
        (r#"{"access_control_list": [{"permission_level": "CAN_VIEW"}]}"#, "400 INVALID_PARAMETER_VALUE Exactly one of"),
        (
            r#"{"access_control_list": [{"group_name": "a", "permission_level": "IS_OWNER"}]}"#,
            "400 INVALID_PARAMETER_VALUE Groups cannot be owners",
        ),
        (
            r#"{"access_control_list": [{"user_name": "adda@brickform.local", "permission_level": "CAN_VIEW"}]}"#,
            "404 RESOURCE_DOES_NOT_EXIST Principal: UserName(adda@brickform.local) does not exist",
        ),
        (
            r#"{"access_control_list": [{"group_name": "analyst", "permission_level": "CAN_VIEW"}]}"#,
            "404 RESOURCE_DOES_NOT_EXIST Principal: GroupName(analyst) does not exist",
        ),
    ] {
        bench.refused(&format!("PUT /api/2.0/permissions/jobs/{id}"), body, expected);
    }
    bench.refused("GET /api/2.0/permissions/jobs/7", "", "404 RESOURCE_DOES_NOT_EXIST Job 7 does not exist.");
    bench.refused("GET /api/2.0/permissions/clusters/7", "", "404 RESOURCE_DOES_NOT_EXIST Cluster 7 does not exist.");
    bench.refused("GET /api/2.0/permissions/dances/7", "", "400 INVALID_PARAMETER_VALUE 'dances' is not a supported object type.");
}

#[test]
fn rivals() {
    let none = r#"{"access_control_list": []}"#;
    for (rival, expected) in [("owner-readded", vec!["admin@brickform.local IS_OWNER", "admins ^CAN_MANAGE"]), ("omit-zeros", vec![])] {
        let bench = Bench::rival(rival);
        let id = job(&bench);
        let reply = bench.ask(&format!("PUT /api/2.0/permissions/jobs/{id}"), none);
        assert_eq!(entries(&reply), expected, "{rival}");
    }
    let bench = Bench::rival("caller-readded");
    let id = job(&bench);
    let body = r#"{"access_control_list": [{"user_name": "ada@brickform.local", "permission_level": "IS_OWNER"}]}"#;
    let reply = bench.good(&format!("PUT /api/2.0/permissions/jobs/{id}"), body);
    assert_eq!(entries(&reply), ["ada@brickform.local IS_OWNER", "admin@brickform.local CAN_MANAGE", "admins ^CAN_MANAGE"]);
    let bench = Bench::rival("unknown-principal-400");
    let id = job(&bench);
    let line = format!("PUT /api/2.0/permissions/jobs/{id}");
    let nobody = r#"{"access_control_list": [{"user_name": "a", "permission_level": "IS_OWNER"}]}"#;
    bench.refused(&line, nobody, "400 BAD_REQUEST Principal: UserName(a) does not exist");
    let bench = Bench::rival("permissions-of-absent-empty");
    assert_eq!(bench.good("GET /api/2.0/permissions/jobs/7", "").at("access_control_list"), "-");
}

#[test]
fn a_warehouse_keeps_its_owner() {
    let bench = Bench::new();
    let id = bench.good("POST /api/2.0/sql/warehouses", r#"{"name": "w"}"#).text("id");
    let before = bench.workspace.dump();
    let body = r#"{"access_control_list": [{"group_name": "users", "permission_level": "CAN_USE"}]}"#;
    let reply = bench.good(&format!("PUT /api/2.0/permissions/warehouses/{id}"), body);
    assert_eq!(entries(&reply), ["users CAN_USE", "admin@brickform.local IS_OWNER", "admins ^CAN_MANAGE"]);
    bench.good(&format!("PUT /api/2.0/permissions/warehouses/{id}"), r#"{"access_control_list": []}"#);
    assert_eq!(bench.workspace.dump(), before);
}
