//! What is others' in something that goes, and on something that is replaced.

use super::guards::{deleting, no_answer};
use super::{World, at, found, value, verdict};
use crate::plan::unread;

#[test]
fn what_others_keep_in_a_catalog_or_a_schema_is_named_and_goes_only_where_that_is_allowed() {
    let mut world = deleting("catalogs.c", "lake", r#"{"name":"lake"}"#);
    world.hold("schemas.bronze", "lake.bronze", r#"{"catalog_name":"lake","name":"bronze"}"#).dependencies = vec![at("catalogs.c")];
    world.see("schemas.bronze", found("lake.bronze", r#"{"catalog_name":"lake","name":"bronze"}"#));
    let names = |all: &[&str]| Ok(all.iter().map(ToString::to_string).collect());
    // Names are blind to case, and our own is no leftover.
    world.live.within.insert(at("catalogs.c"), names(&["LAKE.bronze", "lake.default.notes", "lake.theirs"]));
    world.live.within.insert(at("schemas.bronze"), names(&["lake.bronze.events"]));
    let blocks = world.step("catalogs.c").blocks;
    assert_eq!(blocks.len(), 1, "what is lost is said once: {blocks:?}");
    assert_eq!(blocks[0].reason, "catalogs.c would be deleted with what is left in lake: lake.default.notes, lake.theirs");
    assert_eq!((blocks[0].guard, blocks[0].remedy[0].as_str()), ("data_loss", "--allow-delete catalogs"));
    let blocks = world.step("schemas.bronze").blocks;
    assert_eq!(blocks[0].reason, "schemas.bronze would be deleted with what is left in lake.bronze: lake.bronze.events");
    world.options.allow_delete = ["catalogs", "schemas"].map(str::to_owned).into();
    let plan = world.plan();
    for (address, along) in [("catalogs.c", "lake.default.notes, lake.theirs"), ("schemas.bronze", "lake.bronze.events")] {
        let step = super::step(&plan, address);
        assert!(step.blocks.is_empty() && step.takes.contains(&format!("takes along what is in it: {along}")), "{step:?}");
        // Deleting only what is empty would be in the way.
        let forced: Vec<bool> = step.calls.iter().map(|call| call.query.get("force") == Some(&crate::model::Value::Bool(true))).collect();
        assert_eq!(forced, [true], "{address}");
    }
    // Where there is nothing of others nothing is forced.
    world.live.within.insert(at("catalogs.c"), names(&["lake.bronze"]));
    let calls = world.step("catalogs.c").calls;
    assert!(calls.len() == 2 && calls.iter().all(|call| call.query.is_empty()), "{calls:?}");
    // What nobody could look into is not taken away.
    world.live.within.insert(at("catalogs.c"), Err(no_answer()));
    assert_eq!(verdict(&world.step("catalogs.c")).1, ["unreadable"]);
}

#[test]
fn what_others_set_on_an_object_that_is_replaced_is_named() {
    const SPACE: &str = r#"{"title":"Sales","warehouse_id":"w"}"#;
    const ACL: &str = r#"{"object_type":"geniespaces","object_id":"s1","mode":"additive","entries":[{"user_name":"ana@x","permission_level":"CAN_RUN"}]}"#;
    let list = |names: &[&str]| {
        let one =
            |name: &&str| format!(r#"{{"user_name":"{name}","all_permissions":[{{"permission_level":"CAN_RUN","inherited":false}}]}}"#);
        let all: Vec<String> = names.iter().map(one).collect();
        format!(r#"{{"object_type":"geniespaces","object_id":"s1","access_control_list":[{}]}}"#, all.join(","))
    };
    let tags = |tags: &str| Ok(Some(value(&format!(r#"{{"entity_type":"geniespaces","entity_id":"s1","tags":{tags}}}"#))));
    let mut world = World::new();
    world.options.allow_delete = vec!["spaces".to_owned()];
    world.options.replace = vec![at("spaces.s")];
    world.steady("spaces.s", "s1", SPACE);
    world.want("spaces.s/permissions", ACL);
    world.hold("spaces.s/permissions", "geniespaces/s1", ACL);
    world.see("spaces.s/permissions", found("geniespaces/s1", &list(&["ana@x", "bob@x", "eve@x"])));
    // What YAML does not declare has to be read.
    let asked: Vec<String> =
        unread(&world.plan(), &world.registry, &world.live).iter().map(|p| format!("{} {}", p.address, p.kind.name)).collect();
    assert_eq!(asked, ["spaces.s/tags workspace_tags"]);
    world.live.parts.insert(at("spaces.s/tags"), tags(r#"{"certified":""}"#));
    let notes = world.step("spaces.s").takes;
    assert!(notes.contains(&"2 permissions and 1 tag that others set are lost: bob@x, eve@x, certified".to_owned()), "{notes:?}");
    // What is ours comes again.
    world.see("spaces.s/permissions", found("geniespaces/s1", &list(&["ana@x"])));
    let notes = world.step("spaces.s").takes;
    assert!(notes.contains(&"1 tag that others set is lost: certified".to_owned()), "{notes:?}");
    world.live.parts.insert(at("spaces.s/tags"), tags("{}"));
    let notes = world.step("spaces.s").takes;
    assert!(!notes.iter().any(|note| note.contains("others set")), "{notes:?}");
    // Nothing of what stays is read.
    world.options.replace.clear();
    assert!(unread(&world.plan(), &world.registry, &world.live).is_empty());
}
