use super::Bench;
use crate::local::LocalOptions;

#[test]
fn me_is_the_caller() {
    let bench = Bench::new();
    let me = bench.good("GET /api/2.0/preview/scim/v2/Me", "");
    assert_eq!((me.at("userName"), me.at("groups[0].display")), ("\"admin@brickform.local\"".into(), "\"admins\"".into()));
    assert_eq!(me.raw.header("x-databricks-org-id"), Some(bench.workspace.workspace_id().to_string().as_str()));
    let bench = Bench::with(LocalOptions { caller: Some("0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e".into()), ..LocalOptions::default() });
    assert_eq!(bench.good("GET /api/2.0/preview/scim/v2/Me", "").at("userName"), "\"0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e\"");
    let id = bench.good("POST /api/2.2/jobs/create", "{}").text("job_id");
    let acl = bench.good(&format!("GET /api/2.0/permissions/jobs/{id}"), "");
    assert_eq!(acl.at("access_control_list[0].service_principal_name"), "\"0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e\"");
}

#[test]
fn lists_filter_and_page() {
    let bench = Bench::new();
    let list = |query: &str| bench.good(&format!("GET /api/2.0/preview/scim/v2/{query}"), "");
    let groups = list("Groups?startIndex=1&count=3");
    assert_eq!(
        (groups.at("totalResults"), groups.at("itemsPerPage"), groups.at("Resources[0].displayName")),
        ("5".into(), "3".into(), "\"admins\"".into())
    );
    assert_eq!(list("Groups?startIndex=6&count=3").at("Resources"), "-");
    let one = list("Users?filter=userName eq \"ada@brickform.local\"");
    assert_eq!((one.at("totalResults"), one.at("Resources[0].displayName")), ("1".into(), "\"Ada Lovelace\"".into()));
    let id = one.text("Resources[0].id");
    assert_eq!(list(&format!("Users/{id}")).at("userName"), "\"ada@brickform.local\"");
    assert_eq!(list("ServicePrincipals").at("Resources[0].displayName"), "\"sp-release\"");
}

#[test]
fn errors_have_the_shape_of_scim() {
    let bench = Bench::new();
    let gone = bench.ask("GET /api/2.0/preview/scim/v2/Groups/7", "");
    assert_eq!((gone.status, gone.at("status"), gone.at("detail")), (404, "\"404\"".into(), "\"Group with id 7 not found.\"".into()));
    assert_eq!(bench.ask("GET /api/2.0/preview/scim/v2/Users?filter=userName is \"a\"", "").status, 400);
    let nameless = bench.ask("POST /api/2.0/preview/scim/v2/Users", "{}");
    assert_eq!((nameless.status, nameless.at("detail")), (400, "\"userName is required.\"".into()));
}

const SCIM: &str = "/api/2.0/preview/scim/v2";

fn refusal(bench: &Bench, line: &str, body: &str) -> (u16, String) {
    let before = bench.workspace.dump();
    let reply = bench.ask(line, body);
    assert_eq!(bench.workspace.dump(), before, "{line} changed something");
    (reply.status, reply.text("detail"))
}

#[test]
fn users_are_made_changed_and_deleted() {
    let bench = Bench::new();
    let made = bench.good(&format!("POST {SCIM}/Users"), r#"{"userName":"Ana@X.example","entitlements":[{"value":"workspace-access"}]}"#);
    assert_eq!(
        (made.raw.status, made.at("userName"), made.at("displayName")),
        (201, "\"ana@x.example\"".into(), "\"ana@x.example\"".into())
    );
    let id = made.text("id");
    assert!(id.bytes().all(|b| b.is_ascii_digit()) && made.at("groups[0].display") == "\"users\"", "{id}");
    let taken = refusal(&bench, &format!("POST {SCIM}/Users"), r#"{"userName":"ANA@x.example"}"#);
    assert_eq!(taken, (409, "User with username ana@x.example already exists.".into()));
    let patch = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"Ana"},{"op":"remove","path":"entitlements[value eq \"workspace-access\"]"}]}"#;
    assert_eq!(bench.good(&format!("PATCH {SCIM}/Users/{id}"), patch).raw.status, 204);
    let user = bench.good(&format!("GET {SCIM}/Users/{id}"), "");
    assert_eq!((user.at("displayName"), user.at("entitlements")), ("\"Ana\"".into(), "-".into()));
    let renamed = r#"{"Operations":[{"op":"replace","path":"userName","value":"bo@x.example"}]}"#;
    assert_eq!(refusal(&bench, &format!("PATCH {SCIM}/Users/{id}"), renamed), (400, "userName cannot be changed.".into()));
    bench.good(&format!("PUT {SCIM}/Users/{id}"), r#"{"userName":"ana@x.example","active":false}"#);
    let user = bench.good(&format!("GET {SCIM}/Users/{id}?attributes=displayName,active"), "");
    assert_eq!((user.at("displayName"), user.at("active"), user.at("userName")), ("\"ana@x.example\"".into(), "false".into(), "-".into()));
    assert_eq!(bench.good(&format!("DELETE {SCIM}/Users/{id}"), "").raw.status, 204);
    assert_eq!(bench.ask(&format!("GET {SCIM}/Users/{id}"), "").status, 404);
}

#[test]
fn groups_hold_members_by_id() {
    let bench = Bench::new();
    let group = |name: &str| bench.good(&format!("POST {SCIM}/Groups"), &format!(r#"{{"displayName":"{name}"}}"#)).text("id");
    let (a, b) = (group("a"), group("b"));
    let patch =
        |id: &str, operations: &str| bench.ask(&format!("PATCH {SCIM}/Groups/{id}"), &format!(r#"{{"Operations":[{operations}]}}"#));
    let add = |id: &str, member: &str| patch(id, &format!(r#"{{"op":"add","path":"members","value":[{{"value":"{member}"}}]}}"#));
    let ada = "2000000000002";
    assert_eq!((add(&a, &b).status, add(&b, ada).status, add(&b, ada).status), (204, 204, 204));
    let shown = bench.good(&format!("GET {SCIM}/Groups/{b}"), "");
    assert_eq!((shown.at("members[0].display"), shown.text("members[0].$ref")), ("\"Ada Lovelace\"".into(), format!("Users/{ada}")));
    assert_eq!(
        (shown.at("members[1]"), shown.text("groups[0].value"), shown.at("meta.resourceType")),
        ("-".into(), a.clone(), "\"WorkspaceGroup\"".into())
    );
    let user = bench.good(&format!("GET {SCIM}/Users/{ada}"), "");
    let types: Vec<String> =
        (0..3).map(|i| user.text(&format!("groups[{i}].display")) + " " + &user.text(&format!("groups[{i}].type"))).collect();
    assert_eq!(types, ["users direct", "a indirect", "b direct"]);
    assert_eq!(add(&b, &a).text("detail"), format!("Group with id {a} cannot be a member of group {b}: they would contain each other."));
    assert_eq!((add(&b, "7").status, add(&b, "7").text("detail")), (400, "Member with id 7 does not exist.".into()));
    assert_eq!(patch(&b, r#"{"op":"remove","path":"members[value eq \"9\"]"}"#).status, 204);
    assert_eq!(patch(&b, r#"{"op":"replace","path":"displayName","value":"a"}"#).text("detail"), "Group with name a already exists.");
    bench.good(&format!("DELETE {SCIM}/Users/{ada}"), "");
    assert_eq!(bench.good(&format!("GET {SCIM}/Groups/{b}"), "").at("members"), "-");
}

#[test]
fn some_groups_stay_as_they_are() {
    let bench = Bench::new();
    let (admins, users, account) = ("1000000000001", "1000000000002", "1000000000005");
    let everyone = bench.good(&format!("GET {SCIM}/Groups/{users}"), "");
    assert_eq!((everyone.text("members[0].value"), everyone.at("members[4].display")), ("2000000000001".into(), "\"sp-jobs\"".into()));
    let rename = r#"{"Operations":[{"op":"replace","path":"displayName","value":"x"}]}"#;
    let join = r#"{"Operations":[{"op":"add","path":"members","value":[{"value":"2000000000002"}]}]}"#;
    for (line, body, status, detail) in [
        (format!("DELETE {SCIM}/Groups/{admins}"), "", 400, "Group admins is built in and cannot be deleted."),
        (format!("PATCH {SCIM}/Groups/{admins}"), rename, 400, "Group admins is built in and cannot be renamed."),
        (format!("PATCH {SCIM}/Groups/{users}"), join, 400, "Members of group users cannot be changed."),
        (
            format!("PATCH {SCIM}/Groups/{account}"),
            join,
            403,
            "Group account-readers is an account group and cannot be changed in a workspace.",
        ),
        (format!("POST {SCIM}/Groups"), r#"{"displayName":"admins"}"#, 409, "Group with name admins already exists."),
    ] {
        assert_eq!(refusal(&bench, &line, body), (status, detail.to_owned()), "{line}");
    }
}

#[test]
fn what_groups_lend_is_shown_where_that_is_believed() {
    for (bench, entitlement) in [(Bench::new(), "-"), (Bench::rival("entitlements-inherited"), "\"indirect\"")] {
        let ada = bench.good(&format!("GET {SCIM}/Users/2000000000002"), "");
        assert_eq!(ada.at("entitlements[0].type"), entitlement);
    }
}
