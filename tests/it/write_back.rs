//! Drift of every registered kind, written back into its file. The documents of the laws make the drift: the next one is
//! applied, then the state and the YAML are set back, so that the workspace alone has moved on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use brickform::export::edited;
use brickform::export::write::{Ask, Conflicts, Into, Written, is_drift, write_back};
use brickform::plan::{DELETED, Options, Plan, Step};
use brickform::project::{self, Answers};
use brickform::state::Store;

use super::laws::{done, each, plain, prepared};
use super::world::World;

/// A document with remarks, as people write them; inside texts of several lines there are none.
fn remarked(document: &str) -> String {
    let kind = document.lines().next().unwrap_or_default();
    format!("# ours\n{kind} # the kind\n{}\n# the end\n", document.lines().skip(1).collect::<Vec<_>>().join("\n"))
}

fn all_files(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()) {
        if entry.is_dir() {
            all_files(&entry, found);
        } else if let Ok(bytes) = std::fs::read(&entry) {
            found.insert(entry, bytes);
        }
    }
}

/// Whether a volume became one of another type, which no volume can.
fn recreated(before: &str, after: &str) -> bool {
    let is_external = |document: &str| document.contains("volume_type: EXTERNAL");
    is_external(before) != is_external(after)
}

fn state_folder(world: &World) -> PathBuf {
    Path::new(&Store::place(&world.store())).parent().expect("a folder").to_owned()
}

fn drifted(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|s| s.because.as_deref() == Some(DELETED) || s.changes.iter().any(is_drift)).collect()
}

/// What `adopt --write --all-drift --deletions` does to the files.
async fn written(world: &World) -> (Written, usize) {
    let ran = world.run(&Options { drift_only: true, keep_seen: true, destroy: false, ..Options::default() }).await;
    let plan = ran.plan.as_ref().unwrap_or_else(|| panic!("{}", ran.told()));
    let project = project::load(&world.outside, &world.ask(), &brickform::kinds::Registry::standard()).expect("it loads");
    let desired = project.resolve(&Answers::new()).expect("it resolves");
    let steps = drifted(plan);
    let ids = BTreeMap::new();
    let (into, conflicts) = (Into::Source, Conflicts::Told);
    let ask = Ask { project: &project, desired: &desired, steps: &steps, ids: &ids, into, deletions: true, conflicts };
    (write_back(&ask), steps.len())
}

#[test]
fn drift_of_every_kind_goes_back_into_its_file() {
    each(|case| async move {
        let mut drifts = 0;
        for pair in case.transitions.windows(2) {
            let what = &case.kind;
            let world = prepared(&case, &[]).await;
            let ours = remarked(&pair[0].document);
            world.write("conf/case.yaml", &ours);
            done(&world.run(&plain(&case)).await, what);
            let mut before = BTreeMap::new();
            all_files(&state_folder(&world), &mut before);
            world.write("conf/case.yaml", &pair[1].document);
            done(&world.run(&plain(&case)).await, what);
            std::fs::remove_dir_all(state_folder(&world)).expect("it goes");
            for (path, bytes) in &before {
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                std::fs::write(path, bytes).expect("a file");
            }
            world.write("conf/case.yaml", &ours);
            let (written, steps) = written(&world).await;
            if written.refused.is_empty() && recreated(&pair[0].document, &pair[1].document) {
                continue; // somebody deleted it and made another: what YAML must say of that one is not in the drift
            }
            if steps == 0 {
                continue; // what differs is not seen there (secrets), or nothing declared it before
            }
            drifts += 1;
            assert!(written.refused.is_empty(), "{what}: {:#?}", written.refused);
            assert!(!written.files.is_empty(), "{what}: nothing is written");
            edited::write(&written.files).expect("it is written");
            let now: String = written.files.iter().map(|f| String::from_utf8_lossy(&f.after).into_owned()).collect();
            for remark in ["# ours\n", "# the end\n"] {
                assert!(now.contains(remark), "{what}: {remark}\n{now}");
            }
            let ran = world.run(&Options { drift_only: true, ..Options::default() }).await;
            assert!(ran.is_empty(), "{what}: still drifts\n{}\n{now}", ran.told());
        }
        assert!(drifts > 0 || case.transitions.len() < 2 || case.secret, "{}: no document drifts from the one before", case.kind);
    });
}
