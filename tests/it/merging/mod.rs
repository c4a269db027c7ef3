//! What others do to a space between two applies, or in the middle of one: etags, and the merge of their edits with YAML's.

use std::sync::{Arc, Mutex};

use brickform::apply::Outcome;
use brickform::client::{BoxFuture, Client, Options as Limits, Request, RequestBody, Response, Transport, TransportError};
use brickform::local::LocalWorkspace;
use brickform::model::{Value, json};
use brickform::plan::Options;

use super::genie_forms::environment;
use super::world::{Ran, World};

mod adopt;
mod adopt_laws;
mod cut;
mod edits;
mod identity;
mod laws;
mod overlay;
mod trash;
mod unguarded;
mod write;

/// A space, with what is given for its example's SQL and its text.
pub fn space(sql: &str, text: &str, rest: &str) -> String {
    format!(
        "warehouses: {{ w: {{ name: w, cluster_size: Small }} }}\nspaces:\n  s:\n    title: S\n    warehouse_id: \"${{warehouses.w.id}}\"\n    \
         tables: [samples.nyctaxi.trips]\n    instructions:\n      text: \"{text}\"\n      example_sql: [{{ question: Top, sql: \"{sql}\" }}]\n{rest}"
    )
}

/// Every space of the workspace, its content parsed, by id.
pub fn spaces(workspace: &LocalWorkspace) -> Vec<(String, Value)> {
    let all = workspace.dump();
    all.into_iter().filter_map(|(place, value)| Some((place.strip_prefix("genie_spaces/")?.to_owned(), value))).collect()
}

/// The request that gives a space this content.
pub fn patch(id: &str, content: &Value) -> Request {
    let text = json::write(content).expect("JSON");
    let body = json::write(&Value::map([("serialized_space", Value::Text(text))])).expect("JSON");
    let path = format!("/api/2.0/genie/spaces/{id}");
    Request { method: "PATCH".to_owned(), path, query: vec![], headers: vec![], body: RequestBody::Json(body) }
}

/// The content of the only space.
pub fn content(world: &World) -> (String, Value) {
    content_of(&world.workspace)
}

/// The content of the only space of a workspace.
pub fn content_of(workspace: &LocalWorkspace) -> (String, Value) {
    let (id, space) = spaces(workspace).pop().expect("there is a space");
    (id, space.get("serialized_space").cloned().expect("its content"))
}

/// The SQL of the first example.
fn sql(content: &Value) -> String {
    let examples = content.get("instructions").and_then(|i| i.get("example_question_sqls")).and_then(Value::as_list).expect("examples");
    let parts = examples[0].get("sql").and_then(Value::as_list).expect("SQL");
    parts.iter().filter_map(Value::as_str).collect()
}

/// The same content with another text where this one stands.
fn edited(content: &Value, from: &str, to: &str) -> Value {
    let text = json::write(content).expect("JSON").replace(from, to);
    json::parse(text.as_bytes()).expect("JSON")
}

fn writes(ran: &Ran) -> Vec<Option<u16>> {
    ran.applying.iter().filter(|s| s.is_write()).map(|s| s.status).collect()
}

/// What somebody does to the only space.
#[derive(Clone, Copy)]
pub enum Meddling {
    /// Another text where this one stands.
    Edit(&'static str, &'static str),
    /// It is read, by the API of spaces.
    Read,
    /// It goes into the trash.
    Trash,
}

/// A line on which somebody meddles with the space just before the first update of it arrives.
pub struct Meddler {
    workspace: LocalWorkspace,
    meddling: Mutex<Option<Meddling>>,
    /// The writes with their answers' statuses.
    pub writes: Mutex<Vec<String>>,
}

impl Meddler {
    pub fn of(world: &World, meddling: Meddling) -> Arc<Self> {
        Arc::new(Self { workspace: world.workspace.clone(), meddling: Mutex::new(Some(meddling)), writes: Mutex::default() })
    }

    /// Plans and applies over this line.
    pub async fn run(self: &Arc<Self>, world: &World) -> Ran {
        let limits = Limits { parallelism: 1, timeout_seconds: 5, retry_seconds: 1, first_wait_millis: 1 };
        let client = Client::new(Arc::<Self>::clone(self), None, &world.outside, limits);
        let mut ran = Ran { plan: None, planning: vec![], applying: vec![], report: None, trouble: None };
        world.through(&client, &world.store(), 1, &Options::default(), &mut ran, Vec::new).await.expect("it comes to its end");
        ran
    }

    fn request(&self, meddling: Meddling) -> Request {
        let (id, space) = spaces(&self.workspace).pop().expect("a space");
        let (method, query) = match meddling {
            Meddling::Edit(from, to) => return patch(&id, &edited(space.get("serialized_space").expect("content"), from, to)),
            Meddling::Read => ("GET", vec![("include_serialized_space".to_owned(), "true".to_owned())]),
            Meddling::Trash => ("DELETE", vec![]),
        };
        let path = format!("/api/2.0/genie/spaces/{id}");
        Request { method: method.to_owned(), path, query, headers: vec![], body: RequestBody::Empty }
    }
}

impl Transport for Meddler {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            if request.method == "PATCH" {
                let meddling = self.meddling.lock().expect("no panics").take();
                if let Some(meddling) = meddling {
                    let answer = self.workspace.handle(self.request(meddling)).await?;
                    assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
                }
            }
            let line = request.to_string();
            let answer = self.workspace.handle(request).await?;
            if !line.starts_with("GET") {
                self.writes.lock().expect("no panics").push(format!("{line} {}", answer.status));
            }
            Ok(answer)
        })
    }

    fn host(&self) -> &'static str {
        "local"
    }
}

/// Both APIs of spaces, as environments name them, and where their updates go.
const APIS: [(&str, &str); 2] = [("spaces", "PATCH /api/2.0/genie/spaces/"), ("agents", "PATCH /api/2.0/genie/agents/")];

#[tokio::test]
async fn an_etag_that_the_server_moves_by_itself_is_no_conflict() {
    let world = World::new(&["genie-etag-moves"]);
    world.write("conf/a.yaml", &space("SELECT 1", "a", ""));
    assert!(world.run(&Options::default()).await.is_done());
    world.write("conf/a.yaml", &space("SELECT 2", "a", ""));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_done(), "{}", ran.told());
    assert_eq!(writes(&ran), [Some(409), Some(200)], "{}", ran.told());
    assert_eq!(sql(&content(&world).1), "SELECT 2");
    assert!(world.run(&Options::default()).await.is_empty());
}

/// Somebody reads a space by the spaces API, where the server migrates it, between our read and our write by the typed one.
#[tokio::test]
async fn an_etag_that_moves_without_content_is_no_conflict_for_the_typed_api_either() {
    let world = World::new(&["genie-etag-moves"]);
    environment(&world, "agents");
    world.write("conf/a.yaml", &space("SELECT 1", "a", ""));
    assert!(world.run(&Options::default()).await.is_done());
    world.write("conf/a.yaml", &space("SELECT 2", "a", ""));
    let line = Meddler::of(&world, Meddling::Read);
    let ran = line.run(&world).await;
    assert!(ran.is_done(), "{}", ran.told());
    let sent = line.writes.lock().expect("no panics").clone();
    let statuses: Vec<&str> = sent.iter().map(|line| line.rsplit_once(' ').expect("a status").1).collect();
    assert_eq!(statuses, ["409", "200"], "{sent:?}");
    assert_eq!(sql(&content(&world).1), "SELECT 2");
    assert!(world.run(&Options::default()).await.is_empty());
}

#[tokio::test]
async fn what_somebody_edits_between_plan_and_update_is_not_overwritten() {
    let rivals = [&[][..], &["genie-etag-moves", "genie-splits-lines"]];
    for (rivals, (api, path)) in rivals.into_iter().flat_map(|rivals| APIS.map(|api| (rivals, api))) {
        let world = World::new(rivals);
        environment(&world, api);
        world.write("conf/a.yaml", &space("SELECT 1", "a", ""));
        assert!(world.run(&Options::default()).await.is_done());
        world.write("conf/a.yaml", &space("SELECT 2", "a", ""));
        let line = Meddler::of(&world, Meddling::Edit("SELECT 1", "SELECT 9"));
        let ran = line.run(&world).await;
        let report = ran.report.expect("a report");
        let failure = report.results.iter().find_map(|r| if let Outcome::Failed(failure) = &r.outcome { Some(failure) } else { None });
        let failure = failure.expect("the update fails");
        let told = &failure.message;
        for part in ["spaces.s was not updated", "instructions.example_sql[question=Top].sql", "nothing was overwritten", " at 20"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(failure.help, ["see what changed, and apply that plan: brickform plan --env test --target 'spaces.s'"]);
        assert_eq!(sql(&content(&world).1), "SELECT 9");
        let sent = line.writes.lock().expect("no panics").clone();
        assert!(sent.len() == 1 && sent[0].starts_with(path) && sent[0].ends_with("409"), "{sent:?}");
        // The next plan tells it as what it is.
        let ran = world.run(&Options::default()).await;
        assert!(ran.told().contains("conflict"), "{}", ran.told());
    }
}

#[tokio::test]
async fn edits_of_both_sides_are_there_after_an_apply() {
    let merges = "    lifecycle: { merge: true }\n";
    let world = World::new(&["genie-splits-lines"]);
    world.write("conf/a.yaml", &space("SELECT 1", "one\\ntwo\\nthree", merges));
    assert!(world.run(&Options::default()).await.is_done());
    let (id, before) = content(&world);
    let by_hand = edited(&edited(&before, "SELECT 1", "SELECT 9"), "three", "THREE");
    assert!(world.workspace.handle(patch(&id, &by_hand)).await.expect("an answer").status < 300);
    // Nothing in YAML changed: nothing is to be done.
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
    assert!(ran.told().contains("Kept from the workspace: 2 edits of 1 address"), "{}", ran.told());
    // YAML changes another line of the text, and another field.
    world.write("conf/a.yaml", &space("SELECT 1", "ONE\\ntwo\\nthree", &format!("    description: d\n{merges}")));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_done(), "{}", ran.told());
    let (_, after) = content(&world);
    let text = json::write(&after).expect("JSON");
    assert_eq!(sql(&after), "SELECT 9");
    assert!(text.contains("ONE") && text.contains("THREE"), "{text}");
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty() && ran.plan.as_ref().is_some_and(|p| p.counts().kept == 2), "{}", ran.told());
    // Without it YAML wins.
    world.write("conf/a.yaml", &space("SELECT 1", "ONE\\ntwo\\nthree", "    description: d\n"));
    assert!(world.run(&Options::default()).await.is_done());
    assert_eq!(sql(&content(&world).1), "SELECT 1");
    assert!(world.run(&Options::default()).await.is_empty());
}
