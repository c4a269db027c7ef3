//! Hand-made plans and results for the tests of this floor.

use crate::apply::{Failure, Outcome, Report, StepResult};
use crate::client::{ApiError, ApiErrorKind};
use crate::diff::{FieldChange, Reason};
use crate::kinds::{Call, Repeat};
use crate::model::{Address, Deferred, Map, Path, Reference, Value, json};
use crate::plan::{Action, Block, Plan, Step};
use crate::state::{Document, WorkspaceIdentity};

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

pub fn change(path: &str, old: &str, new: &str, reason: Reason) -> FieldChange {
    let side = |text: &str| (!text.is_empty()).then(|| value(text));
    FieldChange { path: path.parse().unwrap(), old: side(old), new: side(new), applied: None, reason }
}

pub fn step(at: &str, action: Action, name: &str) -> Step {
    let address = address(at);
    Step { kind: address.kind.clone(), name: name.to_owned(), ..Step::bare(address, action) }
}

pub fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        environment: "prod".to_owned(),
        project: "platform".to_owned(),
        workspace: WorkspaceIdentity { host: "adb-1234.azuredatabricks.net".to_owned(), id: "1234".to_owned() },
        lineage: "0f0e".to_owned(),
        serial: 41,
        state_place: ".brickform/state/prod.json".to_owned(),
        destroy: false,
        steps,
        blocks: vec![],
        warnings: vec![],
        requests: 231,
        looked_ahead: None,
        refreshed: true,
        left_out: 0,
        lifted: std::collections::BTreeSet::new(),
        pinning: crate::plan::Pinning::Stays,
    }
}

fn unknown(address_of: &str) -> Value {
    Value::Unknown(std::sync::Arc::new(Deferred::of(Reference { address: address(address_of), path: Path::field("id") })))
}

/// One of everything.
pub fn everything() -> Plan {
    let mut drifted = step("jobs.nightly", Action::Update, "nightly");
    drifted.link = Some("https://adb-1234.azuredatabricks.net/jobs/991".to_owned());
    drifted.id = Some("991".to_owned());
    drifted.desired = Some(value(r#"{"name":"nightly","max_concurrent_runs":1,"schedule":{},"tags":{}}"#));
    drifted.changes = vec![
        change("schedule.pause_status", "\"PAUSED\"", "\"UNPAUSED\"", Reason::Drift),
        change("tags", r#"{"owner":"ana","team":"x"}"#, r#"{"team":"x"}"#, Reason::Drift),
    ];
    drifted.unmanaged = vec![(Path::field("email_notifications"), value("{}"))];

    let mut created = step("schemas.silver", Action::Create, "main.silver");
    created.changes = vec![
        change("name", "", "\"silver\"", Reason::Changed),
        FieldChange {
            path: Path::field("catalog_name"),
            old: None,
            new: Some(unknown("catalogs.main")),
            applied: None,
            reason: Reason::Changed,
        },
        change("comment", "", "\"Cleaned events\"", Reason::Changed),
    ];
    created.calls = vec![Call {
        op: "catalog.schemas.create",
        path: Map::new(),
        query: Map::new(),
        body: Some(value(r#"{"name":"silver"}"#)),
        why: "create",
        repeat: Repeat::AfterLookup,
    }];
    let mut granted = step("schemas.silver/grants", Action::Create, "main.silver");
    granted.kind = "grants".to_owned();
    granted.changes = vec![
        change("full_name", "", "\"main.silver\"", Reason::Changed),
        change("entries", "", r#"[{"principal":"analysts","privileges":["SELECT","USE_SCHEMA"]}]"#, Reason::Changed),
    ];

    let mut query = step("alerts.orders", Action::Update, "Too few orders");
    query.changes = vec![
        change(
            "query_text",
            r#""SELECT customer, sum(amount)\nFROM main.silver.orders\n""#,
            r#""SELECT customer_id, sum(net)\nFROM main.silver.orders\n""#,
            Reason::Changed,
        ),
        FieldChange { applied: Some(value("5")), ..change("evaluation.threshold", "7", "9", Reason::Conflict) },
    ];

    let mut access = step("warehouses.shared/permissions", Action::Update, "shared");
    access.kind = "permissions".to_owned();
    access.changes = vec![
        change(r#"entries[group_name="contractors"]"#, r#"{"group_name":"contractors","permission_level":"CAN_USE"}"#, "", Reason::Removed),
        change(r#"entries[group_name="analysts"]"#, "", r#"{"group_name":"analysts","permission_level":"CAN_USE"}"#, Reason::Changed),
    ];

    let mut replaced = step("catalogs.landing", Action::Replace, "landing");
    replaced.changes = vec![change("storage_root", "\"s3://a\"", "\"s3://b\"", Reason::Changed)];
    replaced.forces = vec![Path::field("storage_root")];
    replaced.loses = Some("every schema and table in it".to_owned());
    replaced.blocks = vec![Block {
        guard: "data_loss",
        reason: "every schema and table in it is deleted".to_owned(),
        remedy: vec!["--allow-delete catalogs".to_owned()],
        place: None,
    }];

    let mut moved = step("jobs.ingest_orders", Action::Move, "ingest");
    moved.moved_from = Some(address("jobs.ingest"));
    let mut adopted = step("warehouses.bi", Action::Adopt, "Shared BI");
    adopted.id = Some("8f3c".to_owned());
    let mut gone = step("jobs.report", Action::Create, "report");
    gone.because = Some("deleted in the workspace".to_owned());
    let mut steps = vec![
        replaced,
        moved,
        drifted,
        gone,
        step("jobs.old", Action::Delete, "old"),
        step("jobs.kept", Action::None, "kept"),
        step("jobs.left", Action::Forget, "left"),
        created,
        granted,
        query,
        adopted,
        access,
    ];
    steps.sort_by(|a, b| a.address.cmp(&b.address));
    plan(steps)
}

/// An apply that went half wrong.
pub fn half() -> Report {
    let one =
        |at: &str, action, outcome| StepResult { address: address(at), action, id: None, outcome, millis: 412, requests: 1, half: None };
    let error = ApiError {
        kind: ApiErrorKind::Invalid,
        status: Some(400),
        code: "INVALID_PARAMETER_VALUE".to_owned(),
        message: "Table 'main.silver.returns' does not exist.".to_owned(),
        request: "POST /api/2.0/alerts".to_owned(),
        request_id: Some("5f2c".to_owned()),
        tries: 3,
        may_have_happened: false,
    };
    Report {
        results: vec![
            one(
                "alerts.orders",
                Action::Update,
                Outcome::Failed(Failure {
                    error: Some(error),
                    message: "the alert was not changed".to_owned(),
                    help: vec!["mend the query and apply again".to_owned()],
                }),
            ),
            one("jobs.report", Action::Create, Outcome::Skipped { because: "needs alerts.orders".to_owned() }),
            one("schemas.silver", Action::Create, Outcome::Done),
            one("warehouses.shared/permissions", Action::Update, Outcome::Done),
        ],
        state: Document {
            lineage: "0f0e".to_owned(),
            serial: 42,
            project: "platform".to_owned(),
            environment: "prod".to_owned(),
            workspace: None,
            commit: None,
            known_commit: None,
            pinned: None,
            resources: std::collections::BTreeMap::new(),
            open_intents: std::collections::BTreeMap::new(),
        },
        interrupted: false,
        requests: 9,
        millis: 3_456,
    }
}
