//! Plans from hand-made worlds: what is desired, what the state holds, what the workspace answers.

mod between;
mod goes;
mod guards;
mod lockout;
mod merge;
mod order;
mod others;
mod policies;
mod references;
mod still_used;
mod table;
mod taken;
mod taken_back;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::client::{ApiError, ApiErrorKind};
use crate::diagnostic::{Source, Span};
use crate::kinds::Registry;
use crate::model::{Address, Value, json};
use crate::plan::{Action, Inputs, Options, Plan, Step, make};
use crate::project::{Desired, Environment, Guards, Lifecycle, Resource, StateSettings, Workspace};
use crate::refresh::{Candidate, Live, Snapshot};
use crate::state::{Document, Entry, Status, WorkspaceIdentity};
use crate::yaml::{Data, Node, Scalar, Style};

pub fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

pub fn at(text: &str) -> Address {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

pub fn span() -> Span {
    Span::new(&Arc::new(Source { name: "conf/x.yaml".to_owned(), text: "x\n".to_owned() }), 0, 1)
}

/// Everything that a plan is made from.
pub struct World {
    pub desired: Desired,
    pub state: Document,
    pub state_place: String,
    pub live: Snapshot,
    pub environment: Environment,
    pub options: Options,
    pub secrets: BTreeMap<String, Value>,
    pub caller: Option<crate::client::Me>,
    pub policies: Vec<crate::project::Policy>,
    pub registry: Registry,
}

impl World {
    pub fn new() -> Self {
        let identity = WorkspaceIdentity { host: "w.example".to_owned(), id: "7".to_owned() };
        Self {
            desired: Desired {
                resources: BTreeMap::new(),
                imports: BTreeMap::new(),
                moves: BTreeMap::new(),
                forgets: vec![],
                off: BTreeSet::new(),
                files: BTreeMap::new(),
                sources: BTreeMap::new(),
                deployer: None,
                warnings: vec![],
            },
            state: Document {
                lineage: "line".to_owned(),
                serial: 4,
                project: "p".to_owned(),
                environment: "dev".to_owned(),
                workspace: Some(identity),
                commit: None,
                known_commit: None,
                pinned: None,
                resources: BTreeMap::new(),
                open_intents: BTreeMap::new(),
            },
            state_place: ".brickform/state/dev.json".to_owned(),
            live: Snapshot { requests: 3, ..Snapshot::default() },
            environment: Environment {
                name: "dev".to_owned(),
                workspace: Workspace::Local,
                deployer: None,
                state: StateSettings::default(),
                guards: Guards::default(),
                ownership_tag: true,
                span: None,
                added: BTreeMap::new(),
            },
            options: Options::default(),
            secrets: BTreeMap::new(),
            caller: None,
            policies: vec![],
            registry: Registry::standard(),
        }
    }

    /// Wants this body.
    pub fn want(&mut self, address: &str, body: &str) -> &mut Resource {
        self.want_value(address, value(body))
    }

    pub fn want_value(&mut self, address: &str, body: Value) -> &mut Resource {
        let address = at(address);
        let kind = self.registry.get(address.facet.as_deref().unwrap_or(&address.kind)).expect("a kind");
        let natural = kind.natural.fields.iter().filter_map(|f| body.get(f)).map(Value::key_text).collect();
        let scalar = Scalar { text: String::new(), style: Style::Plain, forced_text: false };
        let resource = Resource {
            address: address.clone(),
            kind,
            body,
            node: Arc::new(Node { span: span(), data: Data::Scalar(scalar) }),
            span: span(),
            presets: vec![],
            lifecycle: Lifecycle::default(),
            depends_on: if address.is_facet() { vec![address.parent()] } else { vec![] },
            natural,
        };
        self.desired.resources.insert(address.clone(), resource);
        self.desired.resources.get_mut(&address).expect("just put there")
    }

    /// The state holds it.
    pub fn hold(&mut self, address: &str, id: &str, applied: &str) -> &mut Entry {
        let address = at(address);
        let kind = address.facet.clone().unwrap_or_else(|| address.kind.clone());
        let dependencies = if address.is_facet() { vec![address.parent()] } else { vec![] };
        let entry = Entry {
            kind,
            id: id.to_owned(),
            status: Status::Ok,
            applied: value(applied),
            former: None,
            etag: None,
            protected: false,
            adopted: false,
            dependencies,
            tag: None,
            deposed: vec![],
            made_by: None,
            called: None,
            before: None,
        };
        self.state.resources.insert(address.clone(), entry);
        self.state.resources.get_mut(&address).expect("just put there")
    }

    /// The workspace has it.
    pub fn see(&mut self, address: &str, live: Live) {
        self.live.objects.insert(at(address), live);
    }

    /// Wanted, applied and live with the same body.
    pub fn steady(&mut self, address: &str, id: &str, body: &str) {
        self.want(address, body);
        self.hold(address, id, body);
        self.see(address, found(id, body));
    }

    pub fn plan(&self) -> Plan {
        make(&Inputs {
            desired: &self.desired,
            state: &self.state,
            state_place: self.state_place.clone(),
            live: (!self.options.no_refresh).then_some(&self.live),
            preflight: None,
            environment: &self.environment,
            project: "p",
            workspace: WorkspaceIdentity { host: "w.example".to_owned(), id: "7".to_owned() },
            host: "https://w.example",
            registry: &self.registry,
            options: &self.options,
            policies: &self.policies,
            secrets: &self.secrets,
            caller: self.caller.as_ref(),
            known: None,
        })
    }

    pub fn step(&self, address: &str) -> Step {
        step(&self.plan(), address)
    }
}

pub fn step(plan: &Plan, address: &str) -> Step {
    plan.steps.iter().find(|s| s.address == at(address)).unwrap_or_else(|| panic!("{address} is not in the plan")).clone()
}

pub fn found(id: &str, body: &str) -> Live {
    Live::Found { id: id.to_owned(), body: value(body) }
}

pub fn candidate(id: &str, body: &str) -> Candidate {
    Candidate { id: id.to_owned(), body: value(body) }
}

pub fn failed() -> Live {
    Live::Failed(ApiError {
        kind: ApiErrorKind::Forbidden,
        status: Some(403),
        code: "PERMISSION_DENIED".to_owned(),
        message: "no".to_owned(),
        request: "GET /api/2.2/jobs/get".to_owned(),
        request_id: Some("r1".to_owned()),
        tries: 1,
        may_have_happened: false,
    })
}

/// Action, and the guards that block it.
pub fn verdict(step: &Step) -> (Action, Vec<&'static str>) {
    (step.action, step.blocks.iter().map(|b| b.guard).collect())
}

pub fn ops(step: &Step) -> Vec<&'static str> {
    step.calls.iter().map(|c| c.op).collect()
}

pub fn paths(step: &Step) -> Vec<String> {
    step.changes.iter().map(|c| c.path.to_string()).collect()
}
