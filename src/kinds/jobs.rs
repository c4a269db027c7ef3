//! Jobs.

use super::limits;
use super::permissions::PERMISSIONS;
use super::{
    Facet, Fact, From, Gone, Identity, Kind, List, Lit, Loss, Natural, Path, Preset, Read, Refusal, Request, Rows, Tag, Unique, Update,
    Value,
};

/// Jobs: created bare, replaced whole under `new_settings`. Terraform and bundles both use `reset`, never `update`.
pub static JOBS: Kind = Kind {
    name: "jobs",
    singular: "job",
    create: Some(Request::bare("jobs.jobs.create")),
    // 100 tasks, clusters, environments and parameters a page.
    read: Read { reply: "settings", pages: "page_token", ..Read::plain("jobs.jobs.get") },
    list: Some(List { op: "jobs.jobs.list", query: &[("expand_tasks", "true"), ("limit", "100")], rows: Rows::WholeUnless("has_more") }),
    update: Update::Whole(Request::wrapped("jobs.jobs.reset", "new_settings")),
    delete: Some(Request::bare("jobs.jobs.delete")),
    identity: Identity::Assigned("job_id"),
    natural: Natural { fields: &["name"], unique: Unique::No },
    facts: &[
        ("name", Fact::Default(Lit::Text("Untitled"))),
        ("max_concurrent_runs", Fact::Default(Lit::Int(1))),
        ("timeout_seconds", Fact::Default(Lit::Int(0))),
        ("format", Fact::Computed),
        ("edit_mode", Fact::Default(Lit::Text("EDITABLE"))),
        // Leaving run_as out of a reset keeps it: it can be set, not unset.
        ("run_as", Fact::Default(Lit::Backend)),
        ("queue", Fact::Default(Lit::Backend)),
        ("performance_target", Fact::Default(Lit::Backend)),
        ("budget_policy_id", Fact::Default(Lit::Backend)),
        ("usage_policy_id", Fact::Default(Lit::Backend)),
        ("deployment.version_id", Fact::Computed),
        ("access_control_list", Fact::Computed),
        ("tasks", Fact::Keyed(&["task_key"])),
        ("job_clusters", Fact::Keyed(&["job_cluster_key"])),
        ("environments", Fact::Keyed(&["environment_key"])),
        ("environment_variables", Fact::Keyed(&["environment_variables_key"])),
        ("parameters", Fact::Keyed(&["name"])),
        ("parent_path", Fact::WorkspacePath),
    ],
    // Older servers answer 400 with these words, newer ones 404; the SDKs map both to "not found".
    gone: &[Gone::Text(400, "does not exist")],
    loss: Loss::History("its run history"),
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("jobs")), ("object_id", From::Id)],
        body: "entries",
    }],
    presets: &[
        Preset::Prefixed("name"),
        Preset::TagMap("tags"),
        Preset::Paused("schedule", "pause_status", Lit::Text("PAUSED")),
        Preset::Paused("trigger", "pause_status", Lit::Text("PAUSED")),
        Preset::Paused("continuous", "pause_status", Lit::Text("PAUSED")),
        Preset::ConcurrentRuns("max_concurrent_runs"),
        Preset::RunAs("run_as"),
        // The mode alone locks the page; `deployment` would say that a bundle made the job, and where its files are.
        Preset::Locked("edit_mode", Lit::Text("UI_LOCKED")),
    ],
    tag: Some(Tag::Map("tags")),
    link: Some("/jobs/{job_id}"),
    hooks: super::Hooks { check: Some(check), ..super::Hooks::NONE },
    ..Kind::PLAIN
};

/// Permissions go into their own block: the list in the body is taken by creates only.
fn check(body: &Value) -> Vec<Refusal> {
    let listed = body.get("access_control_list").map(|_| Refusal {
        path: Path::field("access_control_list"),
        reason: "a job takes this list only when it is created; write it as `permissions:`".to_owned(),
    });
    listed.into_iter().chain(limits::job(body)).collect()
}
