use super::{folder, shown};
use crate::model::{Lookup, Value, json};
use crate::project::{Answer, Answers, Resource};

fn ask(kind: &str, name: &str) -> Lookup {
    Lookup { kind: kind.to_owned(), name: name.to_owned() }
}

fn found(text: &str) -> Answer {
    Answer::Found(json::parse(text.as_bytes()).unwrap())
}

fn waits(resource: &Resource) -> String {
    resource.depends_on.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

const PEOPLE: &str = "
users: { ana: { user_name: Ana@x } }
service_principals:
  loader: { display_name: loader }
  fixed: { display_name: fixed, application_id: 00000000-0000-4000-a000-000000000001 }
groups: { team: { display_name: team } }
";

#[test]
fn declared_names_are_dependencies_and_others_are_asked_for() {
    let f = folder(&[
        ("conf/people.yaml", PEOPLE),
        (
            "conf/b.yaml",
            "
catalogs:
  c:
    name: c
    grants:
      - { principal: team, privileges: [USE_CATALOG] }
      - { principal: fixed, privileges: [USE_CATALOG] }
      - { principal: stranger, privileges: [USE_CATALOG] }
      - { principal: bo@x, privileges: [USE_CATALOG] }
      - { principal: account users, privileges: [USE_CATALOG] }
jobs:
  j:
    name: j
    permissions:
      - { user_name: ANA@x, permission_level: CAN_VIEW }
      - { group_name: team, permission_level: CAN_VIEW }
      - { group_name: strangers, permission_level: CAN_VIEW }
      - { service_principal_name: fixed, permission_level: CAN_VIEW }
      - { service_principal_name: release, permission_level: CAN_MANAGE }
      - { service_principal_name: 00000000-0000-4000-a000-000000000002, permission_level: CAN_VIEW }
",
        ),
    ]);
    let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
    assert_eq!(project.lookups, [ask("service_principals", "release")]);
    let checks: Vec<String> = project.checks.iter().map(|(asked, check)| format!("{} {} {check:?}", asked.kind, asked.name)).collect();
    let wanted = [
        "groups stranger Known",
        "groups strangers Known",
        "service_principals 00000000-0000-4000-a000-000000000002 Known",
        "service_principals stranger Whose",
        "users bo@x Known",
    ];
    assert_eq!(checks, wanted);
    let release = found(r#"{"id":"9","displayName":"release","applicationId":"app-9"}"#);
    let mut answers: Answers =
        [(ask("service_principals", "release"), release), (ask("service_principals", "stranger"), Answer::Missing(vec![]))].into();
    let desired = project.resolve(&answers).map_err(|e| shown(&e)).unwrap();
    let grants = &desired.resources[&"catalogs.c/grants".parse().unwrap()];
    let names: Vec<String> =
        grants.body.get("entries").and_then(Value::as_list).unwrap().iter().map(|e| e.get("principal").unwrap().key_text()).collect();
    assert_eq!(names, ["team", "00000000-0000-4000-a000-000000000001", "stranger", "bo@x", "account users"]);
    assert_eq!(waits(grants), "catalogs.c groups.team service_principals.fixed");
    let permissions = &desired.resources[&"jobs.j/permissions".parse().unwrap()];
    let names: Vec<String> = permissions
        .body
        .get("entries")
        .and_then(Value::as_list)
        .unwrap()
        .iter()
        .filter_map(|e| Some(e.get("service_principal_name")?.key_text()))
        .collect();
    assert_eq!(names, ["00000000-0000-4000-a000-000000000001", "app-9", "00000000-0000-4000-a000-000000000002"]);
    assert_eq!(waits(permissions), "groups.team jobs.j service_principals.fixed users.ana");
    let twins = |ids: [&str; 2]| {
        let one = |id: &str| Value::map([("id", Value::from(id)), ("applicationId", Value::Text(format!("app-{id}")))]);
        Answer::Several(ids.map(one).to_vec())
    };
    answers.insert(ask("service_principals", "release"), twins(["9", "10"]));
    answers.insert(ask("service_principals", "stranger"), twins(["7", "8"]));
    let wrong = shown(&project.resolve(&answers).unwrap_err());
    assert!(
        wrong.contains("E0211 conf/b.yaml:8:22")
            && wrong.contains("their application ids are app-7, app-8; write the application id itself"),
        "{wrong}"
    );
    assert!(wrong.contains("E0211 conf/b.yaml:19:35") && wrong.contains("their application ids are app-9, app-10;"), "{wrong}");
}

#[test]
fn who_nobody_is_gets_a_warning_with_who_may_be_meant() {
    let f = folder(&[(
        "conf/b.yaml",
        "
catalogs:
  c: { name: c, grants: [{ principal: analyst, privileges: [BROWSE] }, { principal: Team, privileges: [BROWSE] }] }
jobs:
  j: { name: j, permissions: [{ user_name: adda@x, permission_level: CAN_VIEW }, { group_name: users, permission_level: CAN_VIEW }] }
secret_scopes:
  s: { scope: s, permissions: [{ group_name: zebra, permission_level: READ }] }
",
    )]);
    let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
    let missing = |near: &[&str]| Answer::Missing(near.iter().map(|n| (*n).to_owned()).collect());
    let mut answers: Answers = [
        (ask("groups", "analyst"), missing(&["analysts"])),
        (ask("service_principals", "analyst"), missing(&[])),
        (ask("groups", "Team"), missing(&["team"])),
        (ask("service_principals", "Team"), missing(&[])),
        (ask("users", "adda@x"), missing(&["ada@x"])),
        (ask("groups", "zebra"), missing(&[])),
    ]
    .into();
    assert_eq!(project.checks.keys().collect::<Vec<_>>(), answers.keys().collect::<Vec<_>>());
    let told = |answers: &Answers| shown(&project.resolve(answers).map_err(|e| shown(&e)).unwrap().warnings);
    let found = told(&answers);
    let lines: Vec<&str> = found.lines().filter_map(|line| line.split(" [").next()).collect();
    assert_eq!(
        lines,
        [
            "W0131 conf/b.yaml:3:39 the workspace knows no group or service principal called `analyst`",
            "W0131 conf/b.yaml:5:44 the workspace knows no user called `adda@x`",
            "W0131 conf/b.yaml:7:46 the workspace knows no group called `zebra`",
        ],
        "{found}"
    );
    assert!(found.contains("did you mean `analysts`?") && found.contains("did you mean `ada@x`?"), "{found}");
    // One of the sorts that it may be is enough, and whoever was not asked for is nobody's business.
    answers.insert(ask("service_principals", "analyst"), found_one());
    answers.remove(&ask("users", "adda@x"));
    answers.remove(&ask("groups", "zebra"));
    assert_eq!(told(&answers), "");
}

fn found_one() -> Answer {
    found(r#"{"id":"9","displayName":"analyst","applicationId":"app-9"}"#)
}

#[test]
fn members_are_ids_by_any_name() {
    let f = folder(&[
        ("conf/people.yaml", PEOPLE),
        (
            "conf/g.yaml",
            "groups:\n  g: { display_name: g, members: [{ user_name: ana@X }, { group_name: there }, 12, \"${service_principals.loader.id}\"] }\n",
        ),
    ]);
    let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
    assert_eq!(project.lookups, [ask("groups", "there")]);
    let answers = [(ask("groups", "there"), found(r#"{"id":"77","displayName":"there"}"#))].into();
    let desired = project.resolve(&answers).map_err(|e| shown(&e)).unwrap();
    let members = &desired.resources[&"groups.g/members".parse().unwrap()];
    assert_eq!(members.kind.name, "group_members");
    assert_eq!(waits(members), "groups.g service_principals.loader users.ana");
    let entries = members.body.get("entries").and_then(Value::as_list).unwrap();
    assert!(entries[0].get("value").is_some_and(Value::has_unknown) && entries[3].get("value").is_some_and(Value::has_unknown));
    assert_eq!(json::display(&entries[1]), r#"{"value": "77", "display": "there"}"#);
    assert_eq!(json::display(&entries[2]), r#"{"value": "12"}"#);
}

#[test]
fn who_deploys_may_be_named_as_people_do() {
    let job = "jobs: { j: { name: j, permissions: [{ group_name: g, permission_level: CAN_VIEW }] } }\n";
    for (deployer, lookups, value) in [
        ("release", 1, "app-9"),
        ("fixed", 0, "00000000-0000-4000-a000-000000000001"),
        ("\"${service_principals.fixed.application_id}\"", 0, "00000000-0000-4000-a000-000000000001"),
        ("00000000-0000-4000-a000-000000000007", 0, "00000000-0000-4000-a000-000000000007"),
        ("ana@x", 0, "ana@x"),
    ] {
        let environment = format!("workspace: {{ host: \"https://x.example\", deployer: {deployer} }}\n");
        let f = folder(&[("conf/people.yaml", PEOPLE), ("conf/j.yaml", job), ("environments/dev.yaml", &environment)]);
        let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
        assert_eq!(project.lookups.len(), lookups, "{deployer}");
        let answers =
            [(ask("service_principals", "release"), found(r#"{"id":"9","displayName":"release","applicationId":"app-9"}"#))].into();
        let desired = project.resolve(&answers).map_err(|e| shown(&e)).unwrap();
        assert_eq!(desired.deployer.as_ref().map(Value::key_text).as_deref(), Some(value), "{deployer}");
    }
    // Nothing here has an access list: nobody is asked.
    let environment = "workspace: { host: \"https://x.example\", deployer: release }\n";
    let f = folder(&[("conf/people.yaml", PEOPLE), ("environments/dev.yaml", environment)]);
    let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
    assert!(project.lookups.is_empty() && project.resolve(&Answers::new()).unwrap().deployer.is_none());
}

#[test]
fn other_spellings_are_the_fields_themselves() {
    let f = folder(&[
        (
            "conf/u.yaml",
            "users: { a: { user_name: a@x, displayName: A, lifecycle: { ignore_changes: [display_name] } } }\njobs: { j: { name: j, description: \"${users.a.user_name} ${users.a.displayName}\" } }\n",
        ),
        ("environments/dev.yaml", "workspace: local\nresources: { users: { a: { display_name: B } } }\n"),
    ]);
    let desired = f.resolve().unwrap();
    let user = &desired.resources[&"users.a".parse().unwrap()];
    assert_eq!(json::display(&user.body), r#"{"userName": "a@x", "displayName": "B"}"#);
    assert_eq!(user.lifecycle.ignore_changes[0].to_string(), "displayName");
    assert_eq!(f.body("jobs.j"), r#"{"name": "j", "description": "a@x B"}"#);
}
