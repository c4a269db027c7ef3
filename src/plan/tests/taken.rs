//! Objects that are taken over: what cannot be seen of them is no reason to replace them.

use std::sync::Arc;

use super::{World, at, found, paths, span, value, verdict};
use crate::kinds::{Fact, Identity, Kind, Natural, Registry, Request, Unique, Update};
use crate::model::{Address, Deferred, Path, Reference, SecretSource, Value, Variable};
use crate::plan::Action;
use crate::refresh::Live;

/// A pool whose images are a list without keys, fixed at birth, with a secret inside; its tags hold one that can change.
static POOLS: Kind = Kind {
    name: "pools",
    singular: "pool",
    create: Some(Request::bare("compute.instance_pools.create")),
    update: Update::Whole(Request::bare("compute.instance_pools.edit")),
    identity: Identity::Assigned("instance_pool_id"),
    natural: Natural { fields: &["instance_pool_name"], unique: Unique::Yes },
    fields: &[
        ("instance_pool_id", "text"),
        ("instance_pool_name", "text!"),
        ("preloaded_docker_images", "[compute.DockerImage]"),
        ("custom_tags", "{text}"),
    ],
    facts: &[
        ("instance_pool_id", Fact::Computed),
        ("custom_tags", Fact::Settable),
        ("preloaded_docker_images", Fact::Immutable),
        ("preloaded_docker_images[].basic_auth.password", Fact::Secret),
    ],
    ..Kind::PLAIN
};

fn secret() -> Value {
    let reference = Reference { address: Address::new("jobs", "a"), path: Path::field("id") };
    let waits = vec![Variable::Secret(SecretSource::environment("PASSWORD"))];
    Value::Secret(Arc::new(Deferred { source: "${secret('PASSWORD')}".to_owned(), waits, ..Deferred::of(reference) }))
}

fn body(url: &str) -> Value {
    let basic_auth = Value::map([("username", Value::from("u")), ("password", secret())]);
    let image = Value::map([("url", Value::from(url)), ("basic_auth", basic_auth)]);
    Value::map([
        ("instance_pool_name", Value::from("p")),
        ("preloaded_docker_images", Value::List(vec![image])),
        ("custom_tags", Value::map([("token", secret())])),
    ])
}

#[test]
fn a_secret_in_what_is_fixed_at_birth_counts_as_sent() {
    let live = r#"{"instance_pool_id":"9","instance_pool_name":"p","custom_tags":{"token":"t"},
        "preloaded_docker_images":[{"url":"x/y","basic_auth":{"username":"u"}}]}"#;
    let settled = || Live::Settled { id: "9".to_owned(), body: value(live) };
    for (url, live, import, want, changed) in [
        ("x/y", settled(), false, (Action::Update, vec![]), vec!["custom_tags.token"]),
        ("x/y", found("9", live), true, (Action::Update, vec![]), vec!["custom_tags.token"]),
        // What is seen to differ is another matter: what an interrupted apply of ours made may go, somebody else's may not.
        ("x/z", settled(), false, (Action::Replace, vec![]), vec![]),
        ("x/z", found("9", live), true, (Action::Replace, vec!["refused"]), vec![]),
    ] {
        let mut world = World::new();
        world.registry = Registry::standard().with(&POOLS);
        world.want_value("pools.p", body(url));
        if import {
            world.desired.imports.insert(at("pools.p"), ("9".to_owned(), span()));
        }
        world.see("pools.p", live);
        let step = world.step("pools.p");
        assert_eq!(verdict(&step), want, "{url} {import} {:?}", step.blocks);
        if want.0 == Action::Update {
            assert_eq!(paths(&step), changed);
        }
    }
}
