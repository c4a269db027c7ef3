//! Updates of which nobody learns whether they arrived, of objects whose edits are merged.

use std::sync::Arc;

use brickform::client::{BoxFuture, Client, Options as Limits, Request, Response, Transport, TransportError};
use brickform::diff::Reason;
use brickform::local::LocalWorkspace;
use brickform::model::{Value, json};
use brickform::plan::Options;

use super::{content, edited, patch, space};
use crate::world::{Ran, World};

/// A line on which every update is answered by 503, after it arrived or without.
struct Cut {
    workspace: LocalWorkspace,
    arrives: bool,
}

impl Transport for Cut {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let cut = request.method == "PATCH";
            if cut && !self.arrives {
                return Ok(Response { status: 503, headers: vec![], body: b"{}".to_vec() });
            }
            let answer = self.workspace.handle(request).await?;
            Ok(if cut { Response { status: 503, headers: vec![], body: b"{}".to_vec() } } else { answer })
        })
    }

    fn host(&self) -> &'static str {
        "local"
    }
}

async fn cut(world: &World, arrives: bool) {
    let limits = Limits { parallelism: 1, timeout_seconds: 5, retry_seconds: 1, first_wait_millis: 1 };
    let line = Arc::new(Cut { workspace: world.workspace.clone(), arrives });
    let client = Client::new(line, None, &world.outside, limits);
    let mut ran = Ran { plan: None, planning: vec![], applying: vec![], report: None, trouble: None };
    world.through(&client, &world.store(), 1, &Options::default(), &mut ran, Vec::new).await.expect("it comes to its end");
    // One that arrived may be seen to have.
    assert!(arrives || !ran.is_done(), "{}", ran.told());
}

/// Without a merge YAML wins, and what the UI edited after the answer was lost is drift, as it would be after any apply.
#[tokio::test]
async fn edits_after_an_update_that_was_cut_are_drift() {
    for (arrives, times) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
        let world = World::new(&[]);
        world.write("conf/a.yaml", &space("SELECT 1", "one", ""));
        assert!(world.run(&Options::default()).await.is_done());
        world.write("conf/a.yaml", &space("SELECT 1", "two", ""));
        for _ in 0..times {
            cut(&world, arrives).await;
        }
        let (id, before) = content(&world);
        let by_hand = edited(&before, "SELECT 1", "SELECT 9");
        assert!(world.workspace.handle(patch(&id, &by_hand)).await.expect("an answer").status < 300);
        let ran = world.run(&Options::default()).await;
        let plan = ran.plan.as_ref().expect("a plan");
        let step = plan.steps.iter().find(|step| step.address.to_string() == "spaces.s").expect("it is in the plan");
        let found: Vec<(String, Reason)> = step.changes.iter().map(|change| (change.path.to_string(), change.reason)).collect();
        let ours = ("instructions.text".to_owned(), Reason::Changed);
        let theirs = ("instructions.example_sql[question=Top].sql".to_owned(), Reason::Drift);
        let wanted = if arrives { vec![theirs] } else { vec![ours, theirs] };
        assert_eq!(found, wanted, "{arrives} {times} {}", ran.told());
        assert!(ran.is_done(), "{arrives} {times} {}", ran.told());
        assert!(world.run(&Options::default()).await.is_empty(), "{arrives} {times}");
    }
}

/// The UI puts a line on top and edits the example; YAML changes the last line and the description.
#[tokio::test]
async fn edits_of_both_sides_are_there_after_an_update_that_was_cut() {
    let merges = "    lifecycle: { merge: true }\n";
    for (arrives, times) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
        let world = World::new(&[]);
        world.write("conf/a.yaml", &space("SELECT 1", "one\\ntwo\\nthree", merges));
        assert!(world.run(&Options::default()).await.is_done());
        let (id, before) = content(&world);
        let by_hand = edited(&edited(&before, "SELECT 1", "SELECT 9"), "one", "ui one");
        assert!(world.workspace.handle(patch(&id, &by_hand)).await.expect("an answer").status < 300);
        world.write("conf/a.yaml", &space("SELECT 1", "one\\ntwo\\nYAML", &format!("    description: d\n{merges}")));
        cut(&world, arrives).await;
        if times == 2 {
            // YAML goes on before the next try, which is cut, too.
            world.write("conf/a.yaml", &space("SELECT 1", "one\\ntwo\\nYAML", &format!("    description: e\n{merges}")));
            cut(&world, arrives).await;
        }
        let ran = world.run(&Options::default()).await;
        assert!(ran.is_done(), "{arrives} {times} {}", ran.told());
        let (_, after) = content(&world);
        let text = json::write(&after).expect("JSON");
        for part in ["SELECT 9", "ui one", "YAML"] {
            assert!(text.contains(part), "{arrives} {times} {part}: {text}");
        }
        assert!(!text.contains("three") && !text.contains("SELECT 1"), "{arrives} {times} {text}");
        let (_, space) = super::spaces(&world.workspace).pop().expect("a space");
        assert_eq!(space.get("description").and_then(Value::as_str), Some(if times == 2 { "e" } else { "d" }), "{arrives} {times}");
        let ran = world.run(&Options::default()).await;
        assert!(ran.is_empty() && ran.plan.as_ref().is_some_and(|p| p.counts().kept == 2), "{arrives} {times} {}", ran.told());
    }
}
