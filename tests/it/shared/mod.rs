//! A state that many share, through the command line: what goes wrong with it, what is said then, and how it is mended.
//!
//! What a release meets, and the test of it:
//!
//! | what happens | tests |
//! |---|---|
//! | two applies at once | `two_at_once_are_kept_apart_and_a_plan_says_so`; 32 of them on S3, Azure, Google: `scripts/shared_state.py` (crowd) |
//! | a plan during an apply | `two_at_once_are_kept_apart_and_a_plan_says_so` |
//! | the state deleted, edited by hand, restored from yesterday, a text of it lost | `a_state_that_was_tampered_with_is_never_taken_for_an_empty_one`; of a file: corpus `state-edited` |
//! | a store without conditional writes | `a_store_that_cannot_keep_two_apart_is_refused` |
//! | clock skew | `state::remote::tests` (leases, hours off both ways), `scripts/shared_state.py` (clocks) |
//! | Ctrl-C, with several environments | `interrupted` |
//! | an object that would fill the memory | `what_would_fill_the_memory_is_not_read` |
//! | credentials of the store that run out in mid-apply | `credentials_of_the_store_that_run_out_end_the_apply_and_nothing_is_made_twice` |
//! | credentials of the workspace that run out | `client::auth` |
//! | a runner that is killed, suspended or stopped | `scripts/shared_state.py` (killed, asleep, stopped), `tests/it/simulation` |
//! | a comment that would be too long | `report::markdown` (`LIMIT`), `tests/it/review.rs` |
//! | a fork without credentials | `scripts/pipelines.py` |
//! | a commit that is older, beside, unknown; a dirty tree; a pin | `tests/it/ancestry.rs`, `tests/it/rollback.rs`, corpus `commit-*` |

mod bucket;
#[cfg(unix)]
mod interrupted;
mod mended;

use std::sync::Arc;
use std::time::Duration;

use brickform::state::remote::{Open, Place, Remote, Settings, open};
use brickform::state::{LockInfo, Store as _, Waiting};

use super::cli::{Project, Ran};
use bucket::Bucket;

const WAREHOUSE: &str = "warehouses: { bi: { name: bi, cluster_size: Small, auto_stop_mins: 10 } }\n";

/// A project whose state is in a bucket on loopback.
struct Shared {
    project: Project,
    bucket: Bucket,
}

impl Shared {
    fn new() -> Self {
        let shared =
            Self { project: Project::new(&[("conf/project.yaml", "name: shop\n"), ("conf/a.yaml", WAREHOUSE)]), bucket: Bucket::new() };
        shared.at("gs://acme/bf");
        shared
    }

    /// Names the state's place.
    fn at(&self, place: &str) {
        self.project.write("environments/dev.yaml", &format!("workspace: local\nstate: {{ backend: \"{place}\", lease_seconds: 5 }}\n"));
    }

    fn run(&self, line: &str) -> Ran {
        self.project.with(&format!("{line} --env dev"), &[("STORAGE_EMULATOR_HOST", &self.bucket.host), ("USER", "ada")], None)
    }

    /// Sets the warehouse's minutes.
    fn minutes(&self, minutes: u32) {
        self.project.write("conf/a.yaml", &WAREHOUSE.replace("auto_stop_mins: 10", &format!("auto_stop_mins: {minutes}")));
    }

    /// Somebody else, who holds the lease until this is dropped.
    fn somebody(&self, place: &str) -> Remote {
        let outside = self.project.outside(&[("STORAGE_EMULATOR_HOST", &self.bucket.host)]);
        let objects = open(&place.parse::<Place>().expect("a place"), "dev", &outside).expect("it opens").expect("a bucket");
        let settings = Settings { project: "shop".to_owned(), environment: "dev".to_owned(), lease_seconds: 60, versions: 20 };
        let remote = Remote::new(Arc::new(Open(objects)), settings, &outside).expect("a thread");
        let info = LockInfo {
            holder: "bob@ci-7 (process 4242)".to_owned(),
            operation: "apply".to_owned(),
            since: "2026-01-01T00:00:00Z".to_owned(),
            link: Some("https://ci.example/7".to_owned()),
            commit: Some("abc1234def".to_owned()),
            ..LockInfo::default()
        };
        remote.lock(&info, Waiting { wait: Duration::ZERO, say: &|_| {} }).expect("it is free");
        remote
    }
}

/// What was said holds these words, however lines are broken.
#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    let flat = format!("{} {}", ran.out, ran.err).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(flat.contains(words), "{words}\n--- out\n{}\n--- err\n{}", ran.out, ran.err);
    }
}

#[test]
fn two_at_once_are_kept_apart_and_a_plan_says_so() {
    let shared = Shared::new();
    shared.run("apply --yes").ended(0);
    let bob = shared.somebody("gs://acme/bf");
    let named = "bob@ci-7 (process 4242), apply since 2026-01-01T00:00:00Z, commit abc1234 (https://ci.example/7)";
    shared.minutes(20);
    for command in ["apply --yes", "destroy --yes", "state rm warehouses.bi", "state push --serial 1 --yes", "state rebuild --yes"] {
        says(&shared.run(command).ended(5), &["is locked by", named, "`--lock-timeout 10m` waits", "brickform state unlock"]);
    }
    let plan = shared.run("plan").ended(0);
    says(&plan, &[&format!("the environment is locked by {named}; this plan may be out of date soon"), "10 → 20"]);
    says(&plan, &["state: gs://acme/bf/dev"]);
    let waited = shared.run("apply --yes --lock-timeout 1s").ended(5);
    says(&waited, &[&format!("waiting for {named}"), "is locked by"]);
    bob.unlock();
    shared.run("apply --yes").ended(0);
}

#[test]
fn a_plan_names_the_place_of_its_state_wherever_that_is() {
    let shared = Shared::new();
    shared
        .project
        .write("conf/b.yaml", "volumes: { state: { catalog_name: main, schema_name: default, name: state, volume_type: MANAGED } }\n");
    shared.at("workspace:/Shared/bf");
    says(&shared.run("plan").ended(0), &["state: workspace:/Shared/bf/dev"]);
    shared.run("apply --yes").ended(0);
    shared.minutes(20);
    says(&shared.run("plan").ended(0), &["state: workspace:/Shared/bf/dev", "state serial 1"]);
    shared.at("volume:/main/default/state/bf");
    says(&shared.run("plan").ended(6), &["state: volume:/Volumes/main/default/state/bf/dev", "state serial 0"]);
    shared.at("gs://acme/bf");
    let json: serde_json::Value = serde_json::from_str(&shared.run("plan -o json").ended(6).out).expect("JSON");
    assert_eq!(json["state"]["place"], "gs://acme/bf/dev");
}

#[test]
fn a_store_is_tried_before_it_is_trusted() {
    let shared = Shared::new();
    let fit = shared.run("state init").ended(0);
    says(&fit, &["✓ creates an object only once", "✓ replaces no other version", "gs://acme/bf/dev can keep the state of dev"]);
    assert_eq!(shared.bucket.names(""), Vec::<String>::new(), "nothing is left of the tries");
    shared.run("apply --yes").ended(0);
    says(&shared.run("state init").ended(0), &["holds a state already (serial 1)"]);
    shared.bucket.held().deny = Some((403, "AccessDenied", "DELETE", ""));
    says(&shared.run("state init").ended(1), &["✗ deletes it: AccessDenied", "cannot keep a state that is shared"]);
    shared.at(".brickform/state/dev.json");
    says(&shared.run("state init").ended(0), &["a file of this machine; there is nothing to try"]);
}

#[test]
fn a_store_that_cannot_keep_two_apart_is_refused() {
    let shared = Shared::new();
    shared.bucket.held().careless = true;
    let tried = shared.run("state init").ended(1);
    says(&tried, &["✗ creates an object only once: it was written again", "✗ replaces no other version", "two runners could write"]);
    let refused = shared.run("apply --yes").ended(1);
    says(&refused, &["it cannot keep two runners apart", "take another place for the state", "state init"]);
    shared.bucket.held().careless = false;
    says(&shared.run("plan").ended(0), &["1 to add"]);
}

#[test]
fn credentials_of_the_store_that_run_out_end_the_apply_and_nothing_is_made_twice() {
    let shared = Shared::new();
    let jobs = (0..12).map(|n| format!("  j{n}: {{ name: job {n} }}\n")).collect::<Vec<_>>().concat();
    shared.project.write("conf/jobs.yaml", &format!("jobs:\n{jobs}"));
    // A moment: it is tried again, and nobody notices.
    {
        let mut held = shared.bucket.held();
        (held.deny, held.from, held.times) = (Some((401, "AuthenticationRequired", "", "")), 1, Some(3));
    }
    shared.minutes(15);
    shared.run("apply --yes").ended(0);
    // For good: after the first words of the journal nothing is written any more.
    shared.project.write("conf/jobs.yaml", &format!("jobs:\n{}", jobs.replace("job ", "work ")));
    {
        let mut held = shared.bucket.held();
        (held.from, held.times) = (0, None);
        held.deny = Some((401, "AuthenticationRequired", "PUT", "/journal/"));
    }
    let ended = shared.run("apply --yes").ended(5);
    says(&ended, &["the lease of the state at gs://acme/bf/dev is lost", "for 5 seconds", "AuthenticationRequired", "apply again"]);
    shared.bucket.held().deny = None;
    shared.run("apply --yes --lock-timeout 30s").ended(0);
    shared.run("plan --detailed-exitcode").ended(0);
    let held: serde_json::Value = serde_json::from_str(&shared.run("state list -o json").ended(0).out).expect("JSON");
    assert_eq!(held["resources"].as_array().map(Vec::len), Some(13), "{held}");
}

#[test]
fn what_would_fill_the_memory_is_not_read() {
    let shared = Shared::new();
    shared.run("apply --yes").ended(0);
    let huge = |part| shared.bucket.held().huge = Some(part);
    let too_large = |name: &str, most: &str| format!("{name} is too large: 10240.0 MiB of at most {most} MiB");
    for (part, command, name, most) in [
        ("dev/state.json", "plan", "state.json", "1024.0"),
        ("dev/journal/", "plan", "journal/00000001/00000001.log", "1024.0"),
        ("versions/00000001.json", "state pull --serial 1", "versions/00000001.json", "1024.0"),
    ] {
        if part == "dev/journal/" {
            shared.bucket.write("bf/dev/journal/00000001/00000001.log", "");
        }
        huge(part);
        says(&shared.run(command).ended(1), &[&too_large(name, most), "with the store's own tools"]);
        shared.bucket.delete("journal/00000001/");
    }
    huge("dev/lease");
    shared.minutes(20);
    shared.bucket.write("bf/dev/lease.json", "{}");
    says(
        &shared.run("apply --yes").ended(1),
        &[&too_large("lease.json", "1.0"), "delete it with the store's own tools once nobody applies"],
    );
    // What is said there helps.
    shared.bucket.delete("lease.json");
    shared.bucket.held().huge = None;
    shared.run("apply --yes").ended(0);
}

#[test]
fn a_state_that_was_tampered_with_is_never_taken_for_an_empty_one() {
    let shared = Shared::new();
    shared
        .project
        .write("conf/q.yaml", &format!("queries: {{ q: {{ display_name: q, query_text: \"{}\" }} }}\n", "SELECT 1; ".repeat(600)));
    shared.run("apply --yes").ended(0);
    let document = "bf/dev/state.json";
    let the_day_before = shared.bucket.text(document);
    shared.minutes(20);
    shared.run("apply --yes").ended(0);
    let yesterday = shared.bucket.text(document);
    shared.minutes(30);
    shared.run("apply --yes").ended(0);
    let good = shared.bucket.text(document);
    // The journal of yesterday's document says what came after it: with it, nothing is lost.
    shared.bucket.write(document, &yesterday);
    shared.run("plan --detailed-exitcode").ended(0);
    let refused = |words: &[&str]| {
        for command in ["plan", "apply --yes", "destroy --yes", "state list"] {
            says(&shared.run(command).ended(1), words);
        }
    };
    shared.bucket.delete(document);
    refused(&[
        "the document itself is missing, but a kept version is there (serial 3)",
        "`brickform state push --env dev --serial N` goes back",
    ]);
    shared.bucket.write(document, &the_day_before);
    refused(&["it has serial 2, but the version of serial 3 was kept after it: an older one was put in its place"]);
    shared.bucket.write(document, &good.replace("\"auto_stop_mins\": 30", "\"auto_stop_mins\": 99"));
    refused(&["changed by hand or damaged", "state push --env dev FILE"]);
    shared.bucket.write(document, &good[..good.len() / 2]);
    refused(&["is damaged: it is cut short"]);
    shared.bucket.write(document, &good);
    let blobs = shared.bucket.names("bf/dev/blobs/");
    let (name, text) = (blobs[0].clone(), shared.bucket.text(&blobs[0]));
    shared.bucket.delete(&name);
    refused(&["its text", "is missing"]);
    shared.bucket.write(&name, "other text");
    refused(&["its text", "is damaged"]);
    shared.bucket.write(&name, &text);
    shared.run("plan --detailed-exitcode").ended(0);
}
