//! `--json`: an event a line on standard output, in time order (`docs/reference/events.md`).

use serde_json::{Map, Value as Json, json};

use super::Run;
use super::session::given;
use crate::apply::{Event, Report};
use crate::plan::Plan;
use crate::report::json;

/// The format that the first event names.
pub const FORMAT: &str = "brickform.events/1";

/// Writes events, or nothing where nobody asked for them.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    run: &'a Run<'a>,
    wanted: bool,
}

impl<'a> Events<'a> {
    /// Events of this run.
    pub fn new(run: &'a Run<'a>, wanted: bool) -> Self {
        Self { run, wanted }
    }

    /// Whether they are written: then no other result is.
    pub fn wanted(self) -> bool {
        self.wanted
    }

    fn say(self, event: &str, members: Json) {
        if !self.wanted {
            return;
        }
        let mut line = Map::from_iter([
            ("event".to_owned(), json!(event)),
            ("at".to_owned(), json!(self.run.outside.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())),
        ]);
        if let Json::Object(more) = members {
            line.extend(more);
        }
        self.run.screen.result(&format!("{}\n", Json::Object(line)));
    }

    /// The command begins.
    pub fn started(self, environment: &str, operation: &str) {
        self.say("started", json!({ "format": FORMAT, "environment": environment, "operation": operation }));
    }

    /// Live was read.
    pub fn refreshed(self, plan: &Plan, millis: u64) {
        self.say("refreshed", json!({ "requests": plan.requests, "millis": millis, "refreshed": plan.refreshed }));
    }

    /// The plan stands.
    pub fn planned(self, plan: &Plan, digest: &str) {
        for line in json::steps(plan, given(self.run.options)) {
            self.say("step_planned", line);
        }
        let members = json!({
            "serial": plan.serial, "digest": digest, "empty": plan.is_empty(), "blocked": plan.is_blocked(), "counts": plan.counts(),
            "blocks": json::blocks(&plan.blocks), "warnings": json::blocks(&plan.warnings),
            "lifted": plan.lifted, "pinning": json::pinning(plan),
        });
        self.say("planned", members);
    }

    /// Something happened to a step.
    pub fn step(self, event: &Event) {
        match event {
            Event::Started { address, action } => self.say("step_started", json!({ "address": address, "action": action })),
            Event::Waiting { address, state } => self.say("step_waiting", json!({ "address": address, "state": state })),
            Event::Ended(result) => {
                let mut members = json::step_result(result);
                members["millis"] = json!(result.millis);
                members["requests"] = json!(result.requests);
                self.say("step_ended", members);
            }
        }
    }

    /// It ends by a failure: nothing more was sent.
    pub fn failed(self, failure: &super::Failure) {
        let exit = failure.exit().code();
        let mut members = json!({ "exit_code": exit, "message": failure.to_string(), "help": failure.help() });
        if let super::Failure::Project(failed) = failure {
            members["diagnostics"] = crate::report::diagnostics::list(&failed.diagnostics);
        }
        self.say("failed", members);
    }

    /// The command ends; `report`: of an apply.
    pub fn ended(self, report: Option<&Report>, exit: super::Exit) {
        let mut members = json!({ "exit_code": exit.code() });
        if let Some(report) = report {
            members["serial"] = json!(report.state.serial);
            members["interrupted"] = json!(report.interrupted);
            members["counts"] = json::outcomes(report);
            members["requests"] = json!(report.requests);
            members["millis"] = json!(report.millis);
        }
        self.say("summary", members);
    }
}
