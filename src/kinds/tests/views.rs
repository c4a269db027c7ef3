//! Permission sets and grants: what of them is compared, what is sent, what is refused.

use super::{CASE, Case, kind, value};
use crate::kinds::{Context, View};
use crate::model::Value;

fn view(of: &str, live: &str, desired: &str, applied: &str, context: Context<'_>) -> Value {
    let (live, desired) = (value(live), value(desired));
    let applied = (!applied.is_empty()).then(|| value(applied));
    let view = View { live: &live, desired: &desired, applied: applied.as_ref(), context: &context };
    kind(of).hooks.view.unwrap()(&view)
}

fn entries(body: &Value) -> Value {
    body.get("entries").unwrap().clone()
}

/// A job's permissions as a server answers them: the owner, an inherited group, somebody's direct level, the deployer.
const JOB: &str = r#"{"object_id":"/jobs/12","object_type":"job","access_control_list":[
    {"user_name":"Boss@x.com","display_name":"Boss","all_permissions":[{"permission_level":"IS_OWNER","inherited":false}]},
    {"group_name":"admins","all_permissions":[{"permission_level":"CAN_MANAGE","inherited":true,"inherited_from_object":["/jobs/"]}]},
    {"group_name":"data-eng","all_permissions":[{"permission_level":"CAN_VIEW","inherited":false},
                                               {"permission_level":"CAN_MANAGE","inherited":true}]},
    {"service_principal_name":"sp-1","all_permissions":[{"permission_level":"CAN_MANAGE","inherited":false}]}]}"#;

fn job(entries: &str, mode: &str) -> String {
    format!(r#"{{"object_type":"jobs","object_id":12{mode},"entries":{entries}}}"#)
}

const BOSS: Context<'static> = Context { deployer: Some("boss@x.com"), parent: None, maker: None, exclusive: false, called: None };
const SP: Context<'static> = Context { deployer: Some("SP-1"), parent: None, maker: None, exclusive: false, called: None };

#[test]
fn permissions_that_are_compared() {
    let data_eng = r#"{"group_name":"data-eng","permission_level":"CAN_VIEW"}"#;
    let sp = r#"{"service_principal_name":"sp-1","permission_level":"CAN_MANAGE"}"#;
    let boss = r#"{"user_name":"boss@x.com","permission_level":"IS_OWNER"}"#;
    let new_owner = r#"{"user_name":"ana@x.com","permission_level":"IS_OWNER"}"#;
    for (listed, mode, context, seen) in [
        // Inherited entries and an owner that nobody lists are not there; others are, as drift.
        (String::from("[]"), "", Context::default(), format!("[{data_eng},{sp}]")),
        // The deployer's entry is nobody's business unless it is listed.
        (String::from("[]"), "", SP, format!("[{data_eng}]")),
        (format!("[{sp}]"), "", SP, format!("[{sp},{data_eng}]")),
        // A listed owner is compared, in the spelling of the list.
        (format!("[{boss}]"), "", SP, format!("[{boss},{data_eng}]")),
        // One who loses the ownership is seen, be it the deployer, be it additive.
        (format!("[{new_owner}]"), "", BOSS, format!(r#"[{data_eng},{sp},{{"user_name":"Boss@x.com","permission_level":"IS_OWNER"}}]"#)),
        (
            format!("[{new_owner}]"),
            r#","mode":"additive""#,
            BOSS,
            String::from(r#"[{"user_name":"Boss@x.com","permission_level":"IS_OWNER"}]"#),
        ),
        // The owner with a lower level listed has it already.
        (
            String::from(r#"[{"user_name":"boss@x.com","permission_level":"CAN_VIEW"}]"#),
            "",
            SP,
            format!(r#"[{{"user_name":"boss@x.com","permission_level":"CAN_VIEW"}},{data_eng}]"#),
        ),
        // Additive: only those that are listed.
        (String::from(r#"[{"group_name":"DATA-ENG","permission_level":"CAN_MANAGE"}]"#), r#","mode":"additive""#, SP, {
            String::from(r#"[{"group_name":"DATA-ENG","permission_level":"CAN_VIEW"}]"#)
        }),
    ] {
        let seen_now = view("permissions", JOB, &job(&listed, mode), "", context);
        assert_eq!(entries(&seen_now), value(&seen), "{listed} {mode}");
        assert_eq!(seen_now.get("object_id"), Some(&Value::Int(12)), "what is bound is the same on both sides");
    }
}

#[test]
fn who_made_the_parent_counts_as_the_deployer() {
    for (parent, dropped) in
        [(r#"{"creator_user_name":"sp-1"}"#, true), (r#"{"owner":"SP-1"}"#, true), (r#"{"creator_name":"other"}"#, false), ("{}", false)]
    {
        let parent = value(parent);
        let context = Context { deployer: None, parent: Some(&parent), maker: None, exclusive: false, called: None };
        let seen = view("permissions", JOB, &job("[]", ""), "", context);
        let there = entries(&seen).as_list().unwrap().iter().any(|e| e.get("service_principal_name").is_some());
        assert_eq!(there, !dropped, "{parent:?}");
    }
    // Where replies name nobody, who is on record as its maker.
    let context = Context { maker: Some("SP-1"), parent: Some(&value("{}")), ..Context::default() };
    let seen = view("permissions", JOB, &job("[]", ""), "", context);
    assert!(entries(&seen).as_list().unwrap().iter().all(|e| e.get("service_principal_name").is_none()));
    // A named deployer is the only one.
    let parent = value(r#"{"owner":"sp-1"}"#);
    let seen = view(
        "permissions",
        JOB,
        &job("[]", ""),
        "",
        Context { deployer: Some("ci"), parent: Some(&parent), maker: None, exclusive: false, called: None },
    );
    assert_eq!(entries(&seen).as_list().unwrap().len(), 2);
}

#[test]
fn permissions_that_are_sent() {
    let ops = |deployer: &str, owner: &str, listed: &str| {
        format!(r#"PUT /api/2.0/permissions/jobs/12 {{"access_control_list": [{listed}{owner}{deployer}]}}"#)
    };
    let kept_owner = r#", {"user_name": "Boss@x.com", "permission_level": "IS_OWNER"}"#;
    let kept_sp = r#", {"service_principal_name": "sp-1", "permission_level": "CAN_MANAGE"}"#;
    let ana = r#"{"user_name": "ana@x.com", "permission_level": "CAN_VIEW"}"#;
    let new_owner = r#"{"user_name": "ana@x.com", "permission_level": "IS_OWNER"}"#;
    for (live, listed, mode, context, calls) in [
        (JOB, format!("[{ana}]"), "", SP, vec![ops(kept_sp, kept_owner, ana)]),
        (JOB, format!("[{ana}]"), "", Context::default(), vec![ops("", kept_owner, ana)]),
        // A new owner is listed: the old one is not sent back.
        (JOB, format!("[{new_owner}]"), "", SP, vec![ops(kept_sp, "", new_owner)]),
        (JOB, format!("[{new_owner}]"), "", BOSS, vec![ops("", "", new_owner)]),
        // Nobody: the owner's alone.
        (JOB, "[]".into(), "", Context::default(), vec![ops("", kept_owner.trim_start_matches(", "), "")]),
        // An owner who is listed lower stays the owner.
        (
            JOB,
            r#"[{"user_name":"boss@x.com","permission_level":"CAN_VIEW"}]"#.into(),
            "",
            Context::default(),
            vec![ops("", kept_owner.trim_start_matches(", "), "")],
        ),
        // Additive, and objects that are not there yet: only added to.
        (
            JOB,
            format!("[{ana}]"),
            r#","mode":"additive""#,
            SP,
            vec![format!(r#"PATCH /api/2.0/permissions/jobs/12 {{"access_control_list": [{ana}]}}"#)],
        ),
        ("", format!("[{ana}]"), "", SP, vec![format!(r#"PATCH /api/2.0/permissions/jobs/12 {{"access_control_list": [{ana}]}}"#)]),
        ("", "[]".into(), "", SP, vec![]),
        // The owner is not lowered by an update either: with nothing else to say, nothing is sent.
        (
            JOB,
            format!(r#"[{{"user_name":"boss@x.com","permission_level":"CAN_MANAGE"}},{ana}]"#),
            r#","mode":"additive""#,
            SP,
            vec![format!(r#"PATCH /api/2.0/permissions/jobs/12 {{"access_control_list": [{ana}]}}"#)],
        ),
        (JOB, r#"[{"user_name":"boss@x.com","permission_level":"CAN_MANAGE"}]"#.into(), r#","mode":"additive""#, SP, vec![]),
    ] {
        let desired = job(&listed, mode);
        let case = Case { kind: "permissions", id: "jobs/12", live, desired: &desired, paths: &["entries"], context, ..CASE };
        assert_eq!(case.updates(), calls, "{listed} {mode}");
    }
}

#[test]
fn a_list_without_any_owner_is_refused_where_there_must_be_one() {
    let orphan = |ty: &str| {
        format!(
            r#"{{"object_type":"{ty}","access_control_list":[{{"group_name":"g","all_permissions":[{{"permission_level":"CAN_VIEW","inherited":false}}]}}]}}"#
        )
    };
    let body = |ty: &str, level: &str| {
        format!(r#"{{"object_type":"{ty}","object_id":"12","entries":[{{"user_name":"ana@x.com","permission_level":"{level}"}}]}}"#)
    };
    for (ty, level, refused) in [
        ("jobs", "CAN_VIEW", true),
        ("pipelines", "CAN_MANAGE", true),
        ("warehouses", "CAN_USE", true),
        ("jobs", "IS_OWNER", false),
        ("clusters", "CAN_RESTART", false),
        ("cluster-policies", "CAN_USE", false),
    ] {
        let (live, desired) = (orphan(ty), body(ty, level));
        let case = Case { kind: "permissions", id: "x/12", live: &live, desired: &desired, paths: &["entries"], ..CASE };
        let sent = case.run(false);
        let told = sent.as_ref().is_err_and(|refusal| refusal.contains("nobody is shown to own the object"));
        assert_eq!(told, refused, "{ty} {level}: {sent:?}");
    }
}

#[test]
fn who_makes_an_object_is_not_lowered_by_their_own_list() {
    use crate::kinds::{Call, Repeat};
    let hook = kind("permissions").hooks.of_maker.unwrap();
    let (me, other, group) = (
        r#"{"user_name":"Ana@x.com","permission_level":"CAN_MANAGE"}"#,
        r#"{"user_name":"bo@x.com","permission_level":"CAN_VIEW"}"#,
        r#"{"group_name":"ana@x.com","permission_level":"CAN_VIEW"}"#,
    );
    let owner = r#"{"user_name":"bo@x.com","permission_level":"IS_OWNER"}"#;
    for (ty, listed, sent) in [
        ("jobs", vec![me, other], Some(vec![other])),
        ("warehouses", vec![me], None),
        ("jobs", vec![other, group], Some(vec![other, group])),
        // Who gives it away at once keeps what the list says.
        ("jobs", vec![me, owner], Some(vec![me, owner])),
        ("clusters", vec![me], Some(vec![me])),
    ] {
        let list = |items: &[&str]| value(&format!(r#"{{"access_control_list":[{}]}}"#, items.join(",")));
        let path = [("request_object_type".to_owned(), Value::from(ty))].into_iter().collect();
        let call = Call {
            op: "iam.permissions.update",
            path,
            query: crate::model::Map::new(),
            body: Some(list(&listed)),
            why: "add permissions",
            repeat: Repeat::Safe,
        };
        assert_eq!(hook(call, "ana@x.com").map(|c| c.body.unwrap()), sent.map(|s| list(&s)), "{ty} {listed:?}");
    }
}

#[test]
fn permissions_in_other_spellings() {
    let normal = kind("permissions").hooks.normal.unwrap();
    let body = normal(value(r#"{"object_type":"sql/warehouses","object_id":"w","entries":[{"level":"CAN_USE","group_name":"g"}]}"#));
    let plain = r#"{"object_type":"warehouses","object_id":"w","entries":[{"group_name":"g","permission_level":"CAN_USE"}]}"#;
    assert_eq!(body, value(plain));
}

#[test]
fn permissions_that_are_refused() {
    let check = kind("permissions").hooks.check.unwrap();
    for (entries, refusals) in [
        (r#"[{"user_name":"a","permission_level":"CAN_VIEW"},{"group_name":"a","permission_level":"CAN_MANAGE"}]"#, vec![]),
        (r#"[{"user_name":"a","group_name":"g","permission_level":"CAN_VIEW"}]"#, vec!["entries[0]: the entry names 2 principals"]),
        (r#"[{"permission_level":"CAN_VIEW"}]"#, vec!["entries[0]: the entry names nobody"]),
        (r#"[{"user_name":"a"}]"#, vec!["entries[0]: the entry has no level"]),
        (
            r#"[{"user_name":"a","permission_level":"CAN_RESTART"}]"#,
            vec![
                "entries[0].permission_level: there is no level `CAN_RESTART` here: levels are CAN_VIEW, CAN_MANAGE_RUN, IS_OWNER, CAN_MANAGE",
            ],
        ),
        (
            r#"[{"user_name":"a","permission_level":"CAN_VIEW"},{"user_name":"A","permission_level":"CAN_MANAGE"}]"#,
            vec!["entries[1]: A has several levels"],
        ),
        (
            r#"[{"user_name":"a","permission_level":"IS_OWNER"},{"user_name":"b","permission_level":"IS_OWNER"}]"#,
            vec!["entries[1].permission_level: there is only one owner"],
        ),
        (r#"[{"group_name":"g","permission_level":"IS_OWNER"}]"#, vec!["entries[0].permission_level: a group cannot own it"]),
    ] {
        let found: Vec<String> = check(&value(&job(entries, ""))).iter().map(|r| format!("{}: {}", r.path, r.reason)).collect();
        assert_eq!(found.len(), refusals.len(), "{entries}: {found:?}");
        assert!(found.iter().zip(&refusals).all(|(f, r)| f.starts_with(r)), "{entries}: {found:?}");
    }
    assert_eq!(check(&value(&job("[]", r#","mode":"strict""#))).len(), 1);
}

const MAIN: &str = r#"{"privilege_assignments":[
    {"principal":"Analysts","privileges":["USE_CATALOG","SELECT"]},
    {"principal":"bob","privileges":["ALL_PRIVILEGES","SELECT","MANAGE"]},
    {"principal":"old","privileges":["USE CATALOG"]}]}"#;

fn grants(entries: &str) -> String {
    format!(r#"{{"securable_type":"catalog","full_name":"main","entries":{entries}}}"#)
}

const EXCLUSIVE: Context<'static> = Context { deployer: None, parent: None, maker: None, exclusive: true, called: None };

#[test]
fn grants_that_are_compared() {
    let analysts = r#"{"principal":"analysts","privileges":["SELECT","USE_CATALOG"]}"#;
    let bob = r#"{"principal":"bob","privileges":["ALL_PRIVILEGES","MANAGE"]}"#;
    let old = r#"{"principal":"old","privileges":["USE_CATALOG"]}"#;
    let named = r#"[{"principal":"analysts","privileges":["SELECT"]}]"#;
    for (listed, applied, context, seen) in [
        // Only those who are named, in the spelling of the list; others' grants are their own.
        (named, "", Context::default(), format!("[{analysts}]")),
        // Named before and no more: seen, so that it is taken away.
        (named, r#"[{"principal":"OLD","privileges":["USE_CATALOG"]}]"#, Context::default(), format!("[{analysts},{old}]")),
        // Everything includes the rest, but not MANAGE.
        (r#"[{"principal":"bob","privileges":["ALL_PRIVILEGES"]}]"#, "", Context::default(), format!("[{bob}]")),
        (named, "", EXCLUSIVE, format!("[{analysts},{bob},{old}]")),
    ] {
        let applied = if applied.is_empty() { String::new() } else { grants(applied) };
        let seen_now = view("grants", MAIN, &grants(listed), &applied, context);
        assert_eq!(entries(&seen_now), value(&seen), "{listed} {applied}");
    }
}

#[test]
fn grants_that_are_sent() {
    let patch = |changes: &str| vec![format!(r#"PATCH /api/2.1/unity-catalog/permissions/catalog/main {{"changes": [{changes}]}}"#)];
    for (live, listed, applied, context, calls) in [
        (
            MAIN,
            r#"[{"principal":"analysts","privileges":["SELECT","MODIFY"]}]"#,
            "",
            Context::default(),
            patch(r#"{"principal": "analysts", "add": ["MODIFY"], "remove": ["USE_CATALOG"]}"#),
        ),
        (MAIN, r#"[{"principal":"ANALYSTS","privileges":["SELECT","USE_CATALOG"]}]"#, "", Context::default(), vec![]),
        // Named before and no more, next to somebody new.
        (
            MAIN,
            r#"[{"principal":"new","privileges":["BROWSE"]}]"#,
            r#"[{"principal":"old","privileges":["USE_CATALOG"]}]"#,
            Context::default(),
            patch(r#"{"principal": "new", "add": ["BROWSE"]}, {"principal": "old", "remove": ["USE_CATALOG"]}"#),
        ),
        // Taking everything away takes the rest, too: what stays is granted again.
        (
            MAIN,
            r#"[{"principal":"bob","privileges":["SELECT"]}]"#,
            "",
            Context::default(),
            patch(r#"{"principal": "bob", "add": ["SELECT"], "remove": ["ALL_PRIVILEGES", "MANAGE"]}"#),
        ),
        // Everything is granted: what it includes is not taken away, what it does not include is.
        (MAIN, r#"[{"principal":"bob","privileges":["ALL_PRIVILEGES"]}]"#, "", Context::default(), {
            patch(r#"{"principal": "bob", "remove": ["MANAGE"]}"#)
        }),
        (MAIN, r#"[{"principal":"bob","privileges":["ALL_PRIVILEGES","MANAGE"]}]"#, "", EXCLUSIVE, {
            patch(r#"{"principal": "Analysts", "remove": ["SELECT", "USE_CATALOG"]}, {"principal": "old", "remove": ["USE_CATALOG"]}"#)
        }),
        // A securable that is not there yet.
        ("", r#"[{"principal":"a","privileges":["SELECT"]}]"#, "", Context::default(), {
            patch(r#"{"principal": "a", "add": ["SELECT"]}"#)
        }),
    ] {
        let (desired, applied) = (grants(listed), if applied.is_empty() { String::new() } else { grants(applied) });
        let case = Case { kind: "grants", id: "catalog/main", live, desired: &desired, applied: &applied, paths: &["entries"], context };
        assert_eq!(case.updates(), calls, "{listed}");
    }
}

/// What held before first touch comes back, and what we gave goes.
#[test]
fn grants_put_back() {
    let former = r#"{"securable_type":"catalog","full_name":"main","entries":[{"principal":"analysts","privileges":["SELECT"]}]}"#;
    let applied =
        grants(r#"[{"principal":"analysts","privileges":["USE_CATALOG","SELECT"]},{"principal":"old","privileges":["USE_CATALOG"]}]"#);
    let case = Case { kind: "grants", id: "catalog/main", live: MAIN, desired: former, applied: &applied, paths: &["entries"], ..CASE };
    assert_eq!(
        case.updates(),
        [concat!(
            r#"PATCH /api/2.1/unity-catalog/permissions/catalog/main {"changes": [{"principal": "analysts", "remove": ["USE_CATALOG"]}, "#,
            r#"{"principal": "old", "remove": ["USE_CATALOG"]}]}"#
        )]
    );
}

#[test]
fn grants_in_other_spellings_and_refused() {
    let normal = kind("grants").hooks.normal.unwrap();
    let body = normal(value(
        r#"{"securable_type":"CATALOG","full_name":"main","entries":[{"principal":"a","privileges":["use catalog","select","ALL PRIVILEGES","Manage"]}]}"#,
    ));
    assert_eq!(body, value(&grants(r#"[{"principal":"a","privileges":["ALL_PRIVILEGES","MANAGE"]}]"#)));
    let check = kind("grants").hooks.check.unwrap();
    for (entries, refusals) in [
        (r#"[{"principal":"a","privileges":["SELECT"]},{"principal":"b","privileges":[]}]"#, 0),
        (r#"[{"principal":"a","privileges":["SELECT"]},{"principal":"A","privileges":["MODIFY"]}]"#, 1),
        (r#"[{"privileges":["SELECT"]}]"#, 1),
    ] {
        assert_eq!(check(&value(&grants(entries))).len(), refusals, "{entries}");
    }
}
