//! Against scripted servers that count, and against the embedded workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::client::Live as Host;
use crate::client::auth;
use crate::client::testing::{self, Answer as Reply, Scripted};
use crate::client::{ApiErrorKind, Options, Request, SharedTransport};
use crate::diagnostic::{Source, Span};
use crate::kinds::{Call, Repeat};
use crate::local::{LocalOptions, LocalWorkspace};
use crate::model::{Deferred, Map, Path, Reference, json};
use crate::project::{Answer, Lifecycle, Resource};
use crate::state::{Entry, Status};
use crate::yaml::{Data, Node};

mod embedded;
mod principals;
mod settled;
mod unsettled;

fn address(text: &str) -> Address {
    text.parse().expect(text)
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).expect(text)
}

fn client(transport: SharedTransport) -> Client {
    let options = Options { first_wait_millis: 1, retry_seconds: 1, ..Options::default() };
    Client::new(transport, None, &testing::outside(&[]), options)
}

fn of(server: &Arc<Scripted>) -> Client {
    client(Arc::<Scripted>::clone(server) as SharedTransport)
}

/// A project and a state in a few lines.
struct World {
    registry: Registry,
    desired: Desired,
    state: Document,
}

impl World {
    fn new() -> Self {
        let desired = Desired {
            resources: BTreeMap::new(),
            imports: BTreeMap::new(),
            moves: BTreeMap::new(),
            forgets: vec![],
            off: BTreeSet::new(),
            files: BTreeMap::new(),
            sources: BTreeMap::new(),
            deployer: None,
            warnings: vec![],
        };
        let state = Document {
            lineage: "l".into(),
            serial: 1,
            project: "p".into(),
            environment: "e".into(),
            workspace: None,
            commit: None,
            known_commit: None,
            pinned: None,
            resources: BTreeMap::new(),
            open_intents: BTreeMap::new(),
        };
        Self { registry: Registry::standard(), desired, state }
    }

    /// Declares a resource; its kind is the facet's name or the address's kind.
    fn want(&mut self, at: &str, body: Value) {
        let address = address(at);
        let kind = self.registry.get(address.facet.as_deref().unwrap_or(&address.kind)).expect("a kind");
        let source = Arc::new(Source { name: "conf/a.yaml".into(), text: String::new() });
        let span = Span::new(&source, 0, 0);
        let natural = kind.natural.fields.iter().map(|field| body.get(field).map_or(String::new(), Value::key_text)).collect();
        let depends_on = if address.is_facet() { vec![address.parent()] } else { vec![] };
        let node = Arc::new(Node { span: span.clone(), data: Data::Map(vec![]) });
        let resource = Resource {
            address: address.clone(),
            kind,
            body,
            node,
            span,
            lifecycle: Lifecycle::default(),
            presets: vec![],
            depends_on,
            natural,
        };
        self.desired.resources.insert(address, resource);
    }

    /// Puts an object into the state.
    fn has(&mut self, at: &str, id: &str, applied: Value) {
        let address = address(at);
        let kind = self.registry.get(address.facet.as_deref().unwrap_or(&address.kind)).expect("a kind");
        let entry = Entry {
            kind: kind.name.to_owned(),
            id: id.to_owned(),
            status: Status::Ok,
            applied,
            former: None,
            etag: None,
            protected: false,
            adopted: false,
            dependencies: vec![],
            tag: None,
            deposed: vec![],
            made_by: None,
            called: None,
            before: None,
        };
        self.state.resources.insert(address, entry);
    }

    async fn read(&self, client: &Client) -> Snapshot {
        read(
            client,
            &Ask { desired: &self.desired, state: &self.state, registry: &self.registry, only: None, recent: false, destroy: false },
        )
        .await
    }
}

fn named(name: &str) -> Value {
    Value::map([("name", Value::text(name))])
}

fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
}

/// A workspace with `count` jobs named `job-N` with id N, a hundred a page.
fn jobs(count: usize) -> Arc<Scripted> {
    let job =
        |n: usize| format!(r#"{{"job_id":{n},"creator_user_name":"a@b.c","created_time":{},"settings":{{"name":"job-{n}"}}}}"#, n * 1000);
    Scripted::by(move |request| -> Reply {
        match request.path.as_str() {
            "/api/2.2/jobs/list" => {
                let from: usize = query(request, "page_token").map_or(0, |token| token.parse().expect("a token"));
                let to = (from + 100).min(count);
                let rows: Vec<String> = (from..to).map(job).collect();
                let next = if to < count { format!(r#","next_page_token":"{to}""#) } else { String::new() };
                testing::json(200, &format!(r#"{{"jobs":[{}],"has_more":{}{next}}}"#, rows.join(","), to < count))
            }
            "/api/2.2/jobs/get" => match query(request, "job_id").and_then(|id| id.parse::<usize>().ok()) {
                Some(id) if id < count => testing::json(200, &job(id)),
                Some(4003) => testing::json(403, r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#),
                _ => testing::json(400, r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"Job 1 does not exist."}"#),
            },
            _ => testing::json(404, r#"{"error_code":"ENDPOINT_NOT_FOUND","message":"no such path"}"#),
        }
    })
}

#[tokio::test]
async fn a_thousand_jobs_are_ten_lists() {
    let server = jobs(1000);
    let mut world = World::new();
    for n in 0..1000 {
        world.want(&format!("jobs.j{n}"), named(&format!("job-{n}")));
        world.has(&format!("jobs.j{n}"), &n.to_string(), named(&format!("job-{n}")));
    }
    let snapshot = world.read(&of(&server)).await;
    assert_eq!(snapshot.requests, 10);
    assert!(server.lines().iter().all(|line| line.starts_with("GET /api/2.2/jobs/list")));
    let Live::Found { id, body } = &snapshot.objects[&address("jobs.j7")] else { panic!("{snapshot:?}") };
    assert_eq!((id.as_str(), body), ("7", &value(r#"{"name":"job-7","job_id":7,"creator_user_name":"a@b.c","created_time":7000}"#)));
    assert_eq!(snapshot.objects.len(), 1000);
}

#[tokio::test]
async fn few_of_many_are_read_one_by_one() {
    let server = jobs(5000);
    let mut world = World::new();
    for n in [7, 4000, 4001] {
        world.has(&format!("jobs.j{n}"), &n.to_string(), named("x"));
    }
    let snapshot = world.read(&of(&server)).await;
    assert!(snapshot.objects.values().all(|live| matches!(live, Live::Found { .. })), "{snapshot:?}");
    assert!(snapshot.requests <= 5, "{:?}", server.lines());
}

#[tokio::test]
async fn gone_forbidden_and_absent_are_three_things() {
    let server = jobs(3);
    let mut world = World::new();
    for (at, id) in [("jobs.there", "1"), ("jobs.gone", "99"), ("jobs.hidden", "4003")] {
        world.has(at, id, named("x"));
    }
    for (at, name) in [("jobs.there", "x"), ("jobs.new", "nobody has this"), ("jobs.taken", "job-2"), ("jobs.mine", "job-1")] {
        world.want(at, named(name));
    }
    let snapshot = world.read(&of(&server)).await;
    let live = |at: &str| &snapshot.objects[&address(at)];
    assert!(matches!(live("jobs.there"), Live::Found { id, .. } if id == "1"));
    assert_eq!(live("jobs.gone"), &Live::Gone);
    assert!(matches!(live("jobs.hidden"), Live::Failed(error) if error.kind == ApiErrorKind::Forbidden));
    assert_eq!(live("jobs.new"), &Live::Absent);
    assert!(matches!(live("jobs.taken"), Live::Exists(candidates) if candidates.len() == 1 && candidates[0].id == "2"));
    assert_eq!(live("jobs.mine"), &Live::Absent, "what another address manages is no candidate");
}

#[tokio::test]
async fn what_is_gone_may_have_been_made_again_by_somebody_else() {
    for (name, taken, desired) in [("job-2", true, true), ("nobody has this", false, true), ("job-1", false, true), ("job-2", false, false)]
    {
        let mut world = World::new();
        world.has("jobs.gone", "99", named(name));
        world.has("jobs.other", "1", named("job-1"));
        if desired {
            world.want("jobs.gone", named(name));
        }
        let live = &world.read(&of(&jobs(3))).await.objects[&address("jobs.gone")];
        match live {
            Live::Exists(candidates) if taken => assert_eq!(candidates[0].id, "2"),
            _ => assert!(!taken && *live == Live::Gone, "{name}: {live:?}"),
        }
    }
}

#[tokio::test]
async fn imports_and_moves_are_found() {
    let server = jobs(3);
    let mut world = World::new();
    world.want("jobs.a", named("a"));
    world.want("jobs.b", named("b"));
    world.want("jobs.moved", named("job-0"));
    world.has("jobs.old", "0", named("job-0"));
    let span = world.desired.resources[&address("jobs.a")].span.clone();
    world.desired.imports.insert(address("jobs.a"), ("1".into(), span.clone()));
    world.desired.imports.insert(address("jobs.b"), ("77".into(), span));
    world.desired.moves.insert(address("jobs.old"), address("jobs.moved"));
    let snapshot = world.read(&of(&server)).await;
    let live = |at: &str| &snapshot.objects[&address(at)];
    assert!(matches!(live("jobs.a"), Live::Found { id, .. } if id == "1"));
    assert!(matches!(live("jobs.b"), Live::Failed(error) if error.message.contains("`77`")), "{:?}", live("jobs.b"));
    assert!(matches!(live("jobs.moved"), Live::Found { id, .. } if id == "0"));
    assert!(matches!(live("jobs.old"), Live::Found { id, .. } if id == "0"));
}

#[tokio::test]
async fn only_what_is_asked_for() {
    let server = jobs(3);
    let mut world = World::new();
    world.has("jobs.a", "1", named("x"));
    world.has("jobs.b", "2", named("x"));
    let only = |at: &Address| at.key == "a";
    let ask =
        Ask { desired: &world.desired, state: &world.state, registry: &world.registry, only: Some(&only), recent: false, destroy: false };
    let snapshot = read(&of(&server), &ask).await;
    assert_eq!((snapshot.objects.len(), snapshot.requests), (1, 1));
}

fn intent(name: &str, tag: Option<&str>, seconds: i64, caller: &str) -> Intent {
    Intent {
        kind: "jobs".into(),
        natural: vec![name.into()],
        tag: tag.map(str::to_owned),
        replaces: vec![],
        server_seconds: Some(seconds),
        caller: caller.into(),
        applied: None,
    }
}

#[tokio::test]
async fn what_is_gone_and_what_is_not() {
    let kind = Registry::standard().get("jobs").expect("jobs");
    for (status, code, message, want) in [
        (404, "RESOURCE_DOES_NOT_EXIST", "x", true),
        (400, "INVALID_PARAMETER_VALUE", "Job 7 does not exist.", true),
        (400, "INVALID_PARAMETER_VALUE", "something else", false),
        (404, "ENDPOINT_NOT_FOUND", "x", false),
        (403, "PERMISSION_DENIED", "Job 7 does not exist or you have no permission", false),
        (500, "INTERNAL_ERROR", "does not exist", false),
    ] {
        let server = Scripted::by(move |_| testing::json(status, &format!(r#"{{"error_code":"{code}","message":"{message}"}}"#)));
        let result = object(&of(&server), kind, "7", &Value::Null).await;
        assert_eq!(matches!(result, Ok(None)), want, "{status} {code}");
        assert_eq!(result.is_err(), !want, "{status} {code}");
    }
}

#[tokio::test]
async fn one_unknown_setting_does_not_fail_the_others() {
    let server = Scripted::by(|request| {
        let keys = query(request, "keys").expect("keys");
        if keys.split(',').any(|key| key == "nope") {
            return testing::json(400, r#"{"error_code":"BAD_REQUEST","message":"Invalid keys"}"#);
        }
        let pairs: Vec<String> = keys.split(',').map(|key| format!(r#""{key}":"true""#)).collect();
        testing::json(200, &format!("{{{}}}", pairs.join(",")))
    });
    let mut world = World::new();
    world.want("workspace_conf.a", Value::map([("enableX", Value::text("true"))]));
    world.want("workspace_conf.b", Value::map([("nope", Value::text("true"))]));
    world.has("workspace_conf.a", "workspace_conf", Value::map([("enableY", Value::text("true"))]));
    let snapshot = world.read(&of(&server)).await;
    let Live::Found { body, .. } = &snapshot.objects[&address("workspace_conf.a")] else { panic!("{snapshot:?}") };
    assert_eq!(body, &value(r#"{"enableX":"true","enableY":"true"}"#));
    assert!(matches!(&snapshot.objects[&address("workspace_conf.b")], Live::Failed(error) if error.message == "`nope`: Invalid keys"));

    world.desired.resources.remove(&address("workspace_conf.b"));
    assert_eq!(world.read(&of(&server)).await.requests, 1);
}
