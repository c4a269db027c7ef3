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
