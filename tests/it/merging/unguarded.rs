//! What no etag covers: somebody edits a space's title, description or tags while Brickform applies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use brickform::apply::Outcome;
use brickform::client::{BoxFuture, Client, Options as Limits, Request, RequestBody, Response, Transport, TransportError};
use brickform::local::LocalWorkspace;
use brickform::model::{Address, Value};
use brickform::plan::Options;

use super::{APIS, environment, space, spaces};
use crate::world::{Ran, World};

/// When the person edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// With the first write of all, which is of another object.
    FirstWrite,
    /// With the first update of the space, which does not arrive.
    LostUpdate,
    /// Never; the answer to the first update, which arrives, is lost.
    LostAnswer,
}

struct Person {
    workspace: LocalWorkspace,
    edit: Request,
    moment: Moment,
    is_done: AtomicBool,
    updates: Mutex<usize>,
}

impl Transport for Person {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let is_update = request.method == "PATCH";
            if is_update {
                *self.updates.lock().expect("no panics") += 1;
            }
            let is_it = if self.moment == Moment::FirstWrite { request.method != "GET" } else { is_update };
            if is_it && !self.is_done.swap(true, Ordering::Relaxed) {
                if self.moment != Moment::LostAnswer {
                    let answer = self.workspace.handle(self.edit.clone()).await?;
                    assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
                }
                if self.moment == Moment::LostAnswer {
                    self.workspace.handle(request.clone()).await?;
                }
                if self.moment != Moment::FirstWrite {
                    return Ok(Response { status: 503, headers: vec![], body: b"{}".to_vec() });
                }
            }
            self.workspace.handle(request).await
        })
    }

    fn host(&self) -> &'static str {
        "local"
    }
}

async fn applied(world: &World, moment: Moment, edit: Request, options: &Options) -> (Ran, usize) {
    let limits = Limits { parallelism: 1, timeout_seconds: 5, retry_seconds: 1, first_wait_millis: 1 };
    let line =
        Arc::new(Person { workspace: world.workspace.clone(), edit, moment, is_done: AtomicBool::new(false), updates: Mutex::default() });
    let client = Client::new(Arc::<Person>::clone(&line), None, &world.outside, limits);
    let mut ran = Ran { plan: None, planning: vec![], applying: vec![], report: None, trouble: None };
    world.through(&client, &world.store(), 1, options, &mut ran, Vec::new).await.expect("it comes to its end");
    let updates = *line.updates.lock().expect("no panics");
    (ran, updates)
}

fn failure(ran: &Ran) -> Option<String> {
    let results = &ran.report.as_ref().expect("a report").results;
    results.iter().find_map(|r| if let Outcome::Failed(failure) = &r.outcome { Some(failure.message.clone()) } else { None })
}

fn request(path: &str, body: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    Request { method: "PATCH".to_owned(), path: path.to_owned(), query, headers: vec![], body: RequestBody::Json(body.to_owned()) }
}

#[tokio::test]
async fn what_no_etag_covers_is_not_overwritten_either() {
    let conf = |size: &str, title: &str, more: &str| {
        let conf = space("SELECT 1", "a", &format!("{more}    tags: {{ t: a }}\n"));
        conf.replace("Small", size).replace("title: S\n", &format!("title: {title}\n"))
    };
    for (api, _) in APIS {
        for (field, moment) in [
            ("title", Moment::FirstWrite),
            ("description", Moment::FirstWrite),
            ("title", Moment::LostUpdate),
            ("description", Moment::LostUpdate),
            ("description", Moment::LostAnswer),
        ] {
            let world = World::new(&[]);
            environment(&world, api);
            world.write("conf/a.yaml", &conf("Small", "S", "    description: one\n"));
            let ran = world.run(&Options::default()).await;
            assert!(ran.is_done(), "{}", ran.told());
            let (id, _) = spaces(&world.workspace).pop().expect("a space");
            let edit = request(&format!("/api/2.0/genie/spaces/{id}"), &format!(r#"{{"{field}":"PERSON"}}"#));
            let size = if moment == Moment::FirstWrite { "Medium" } else { "Small" };
            let (title, described) = if field == "title" { ("YAML", "one") } else { ("S", "YAML") };
            world.write("conf/a.yaml", &conf(size, title, &format!("    description: {described}\n")));
            let (ran, updates) = applied(&world, moment, edit, &Options::default()).await;
            let (_, now) = spaces(&world.workspace).pop().expect("a space");
            let is = now.get(field).and_then(Value::as_str);
            if moment == Moment::LostAnswer {
                assert!(failure(&ran).is_none() && updates == 1, "{api} {field} {moment:?} {updates} {:?}", failure(&ran));
                assert_eq!(is, Some("YAML"), "{api} {field} {moment:?}");
                assert!(world.run(&Options::default()).await.is_empty());
                continue;
            }
            let told = failure(&ran).unwrap_or_default();
            assert!(
                told.contains("spaces.s was not updated") && told.contains(field) && told.contains("nothing was overwritten"),
                "{api} {field} {moment:?}: {told}"
            );
            assert_eq!(is, Some("PERSON"), "{api} {field} {moment:?}");
            assert_eq!(updates, usize::from(moment == Moment::LostUpdate), "{api} {field} {moment:?}");
            let ran = world.run(&Options::default()).await;
            assert!(ran.told().contains("PERSON"), "{api} {field} {moment:?} {}", ran.told());
        }
    }
}

#[tokio::test]
async fn nor_is_a_tag() {
    let conf = |title: &str, tag: &str| {
        space("SELECT 1", "a", &format!("    tags: {{ t: {tag} }}\n")).replace("title: S\n", &format!("title: {title}\n"))
    };
    let world = World::new(&[]);
    world.write("conf/a.yaml", &conf("S", "a"));
    assert!(world.run(&Options::default()).await.is_done());
    let (id, _) = spaces(&world.workspace).pop().expect("a space");
    let edit = request(
        &format!("/api/2.0/entity-tag-assignments/geniespaces/{id}/tags/t?update_mask=tag_value"),
        &format!(r#"{{"entity_type":"geniespaces","entity_id":"{id}","tag_key":"t","tag_value":"PERSON"}}"#),
    );
    world.write("conf/a.yaml", &conf("T", "yaml"));
    let (ran, updates) = applied(&world, Moment::FirstWrite, edit, &Options::default()).await;
    let told = failure(&ran).unwrap_or_default();
    assert!(told.contains("spaces.s/tags was not updated") && told.contains("tags.t"), "{told}");
    // That of the space alone.
    assert_eq!(updates, 1, "{told}");
    let ran = world.run(&Options::default()).await;
    assert!(ran.told().contains("PERSON"), "{}", ran.told());
}

/// Somebody edits a space while a step before its delete is carried out.
#[tokio::test]
async fn what_goes_is_read_again_before_it_goes() {
    let may = Options { allow_delete: vec!["spaces".to_owned()], ..Options::default() };
    let replaced = Options { replace: vec![Address::new("spaces", "s")], ..may.clone() };
    let catalog = "catalogs: { c: { name: c } }\n";
    for (api, _) in APIS {
        for (conf, options, done) in [("{}\n", &may, "deleted"), (&space("SELECT 1", "a", ""), &replaced, "replaced")] {
            let world = World::new(&[]);
            environment(&world, api);
            world.write("conf/a.yaml", &space("SELECT 1", "a", ""));
            assert!(world.run(&Options::default()).await.is_done());
            let (id, content) = spaces(&world.workspace).pop().expect("a space");
            let content = content.get("serialized_space").cloned().expect("its content");
            world.write("conf/a.yaml", conf);
            world.write("conf/c.yaml", catalog);
            let edit = super::patch(&id, &super::edited(&content, "SELECT 1", "SELECT 9"));
            let (ran, _) = applied(&world, Moment::FirstWrite, edit, options).await;
            let told = failure(&ran).unwrap_or_default();
            let words = format!("spaces.s was not {done}: it was changed in the workspace since the plan");
            assert!(told.starts_with(&words) && told.ends_with("and nothing was deleted"), "{api} {done}: {told}");
            assert!(told.contains("instructions.example_sql"), "{told}");
            let there = spaces(&world.workspace);
            assert!(there.len() == 1 && there[0].0 == id && there[0].1.get("trashed").is_none(), "{api} {done}: {there:?}");
            // Who sees it may do it.
            let ran = world.run(options).await;
            assert!(ran.is_done() && ran.told().contains("goes with it"), "{api} {done}: {}", ran.told());
        }
    }
}

/// Whether somebody changed what holds a secret nobody can tell: it goes when it is to go.
#[tokio::test]
async fn what_holds_a_secret_can_go() {
    let may = Options { allow_delete: vec!["spaces".to_owned()], ..Options::default() };
    let replaced = Options { replace: vec![Address::new("spaces", "s")], ..may.clone() };
    let secret = space("SELECT 1", "key ${secret('LAWS_SECRET')} here", "    description: \"is ${secret('LAWS_SECRET')}\"\n");
    for (api, _) in APIS {
        for (conf, options, left) in [("{}\n", &may, 0), (&*secret, &replaced, 1)] {
            let world = World::new(&[]);
            environment(&world, api);
            world.write("conf/a.yaml", &secret);
            let ran = world.run(&Options::default()).await;
            assert!(ran.is_done(), "{}", ran.told());
            world.write("conf/a.yaml", conf);
            let ran = world.run(options).await;
            assert!(ran.is_done(), "{api} {left}: {}", ran.told());
            let there = spaces(&world.workspace).into_iter().filter(|(_, space)| space.get("trashed").is_none()).count();
            assert_eq!(there, left, "{api}");
        }
    }
}
