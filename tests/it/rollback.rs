//! Going back to an earlier commit, the pin that keeps an environment there, and what ends it: a real Git repository.

use super::ancestry::{Repository, says};

const JOB: &str = "jobs: { nightly: { name: nightly } }\n";

/// Three commits, all applied: ten minutes; a job; thirty minutes.
fn applied() -> (Repository, [String; 3]) {
    let repository = Repository::new("workspace: local\n");
    let first = repository.git("rev-parse HEAD");
    repository.apply("").ended(0);
    repository.project.write("conf/b.yaml", JOB);
    let second = repository.commit("Job");
    repository.apply("").ended(0);
    let third = repository.minutes(30, "Thirty");
    repository.apply("").ended(0);
    (repository, [first, second, third])
}

fn status(repository: &Repository) -> String {
    repository.project.run("status --env dev").ended(0).out
}

#[test]
fn a_rollback_pins_until_the_revert_is_in_git_too() {
    let (repository, [first, second, third]) = applied();
    let run = |line: &str| repository.project.run(line);
    let (one, two, three) = (&first[..7], &second[..7], &third[..7]);

    let dry = run("rollback --to 1 --env dev --dry-run").ended(0);
    says(&dry, &["30 → 10", "- jobs.nightly", "lost with it: its run history", &format!("Pins dev to commit {one}")]);
    assert!(!status(&repository).contains("pinned"));
    run("plan --env dev --detailed-exitcode").ended(0);
    run("rollback --to 1 --env dev").ended(64);

    let json: serde_json::Value =
        serde_json::from_str(&run(&format!("rollback --to {first} --env dev --yes -o json")).ended(0).out).expect("JSON");
    assert_eq!(json["plan"]["pinning"]["becomes"], "set");
    let told = status(&repository);
    assert!(told.contains(&format!("pinned       to commit {one} from {three} since")), "{told}");
    assert!(told.contains(&format!("by rollback (admin@brickform.local), commit {one} \"First\"")), "{told}");

    // The pipeline of the commit that was rolled back, and of one on top of it.
    let plan = run("plan --env dev").ended(0);
    says(&plan, &["warning: an apply from here would be blocked: dev was rolled back to", "(--unpin)"]);
    let held = repository.apply("").ended(6);
    let names = format!("brings back what was rolled back, and takes none of it back: {three} \"Thirty\", {two} \"Job\"");
    says(&held, &[&names, &format!("git revert {three} {two}")]);
    repository.apply("--allow-older-commit --allow-diverged-commit --allow-unknown-ancestry").ended(6);
    repository.commit("Empty");
    repository.apply("").ended(6);
    // One of the two taken back is not enough; both are.
    repository.git(&format!("revert --no-edit {third}"));
    says(&repository.apply("").ended(6), &[&format!("takes none of it back: {two} \"Job\""), &format!("git revert {two}")]);
    repository.git(&format!("revert --no-edit {second}"));
    says(&repository.apply("").ended(0), &["Unpins dev"]);
    assert!(!status(&repository).contains("pinned"));
    repository.minutes(40, "Forty");
    repository.apply("").ended(0);
}

#[test]
fn a_merge_is_taken_back_as_it_is_said() {
    let repository = Repository::new("workspace: local\n");
    let first = repository.git("rev-parse HEAD");
    repository.apply("").ended(0);
    repository.git("checkout -q -b side");
    repository.project.write("conf/b.yaml", JOB);
    let side = repository.commit("Job");
    repository.git("checkout -q main");
    let own = repository.minutes(30, "Thirty");
    repository.git("merge -q --no-ff -m Merge side");
    repository.apply("").ended(0);
    repository.project.run(&format!("rollback --to {first} --env dev --yes")).ended(0);
    repository.git("revert --no-edit -m 1 HEAD");
    let left = repository.apply("").ended(6);
    says(&left, &[&format!("--unpin or take it back in Git too: git revert {}", &own[..7])]);
    assert!(!left.out.contains(&side[..7]), "that one is taken back already: {}", left.out);
    repository.git(&format!("revert --no-edit {}", &own[..7]));
    says(&repository.apply("").ended(0), &["Unpins dev"]);
}

#[test]
fn a_revert_is_known_by_what_it_holds_and_may_itself_be_taken_back() {
    let (repository, [first, ..]) = applied();
    repository.project.run("rollback --to 1 --env dev --yes").ended(0);
    // As a squashed pull request does it: no word of what it takes back.
    repository.git(&format!("checkout -q {first} -- conf"));
    repository.git("rm -q conf/b.yaml");
    repository.commit("Undone");
    repository.project.write("conf/b.yaml", JOB);
    repository.commit("Again");
    says(&repository.apply("").ended(0), &["+ jobs.nightly", "Unpins dev"]);
}

#[test]
fn what_holds_nothing_of_it_passes_and_unpin_ends_it() {
    let (repository, [first, second, third]) = applied();
    let run = |line: &str| repository.project.run(line);
    run(&format!("rollback --to {second} --env dev --yes")).ended(0);
    // Further back: what was applied before the first rollback stays what is rolled back.
    run(&format!("rollback --to {first} --env dev --yes")).ended(0);
    let pinned = format!("to commit {} from {}", &first[..7], &third[..7]);
    assert!(status(&repository).contains(&pinned), "{}", status(&repository));

    repository.git(&format!("checkout -q -b hotfix {first}"));
    repository.apply("").ended(0);
    repository.minutes(15, "Fifteen");
    says(&repository.apply("").ended(0), &["10 → 15"]);
    assert!(status(&repository).contains(&pinned));
    repository.git("checkout -q main");
    repository.apply("").ended(6);
    let unpinned = repository.apply("--unpin").ended(0);
    says(&unpinned, &["Guards lifted: --unpin", "Unpins dev"]);
    assert!(!status(&repository).contains("pinned"));

    // There and back: at the newest commit nothing is rolled back any more.
    run(&format!("rollback --to {first} --env dev --yes")).ended(0);
    says(&run(&format!("rollback --to {third} --env dev --yes")).ended(0), &["Unpins dev"]);
    repository.apply("").ended(0);
}

#[cfg(unix)]
#[test]
fn files_that_are_links_come_back_and_what_git_does_not_hold_is_not_taken_for_deleted() {
    let (repository, _) = applied();
    let run = |line: &str| repository.project.run(line);
    repository.project.write("shared/linked.yaml", "jobs: { linked: { name: linked } }\n");
    let link = repository.project.folder.path().join("conf/linked.yaml");
    std::os::unix::fs::symlink("../shared/linked.yaml", link).expect("a link can be made");
    repository.commit("Linked");
    repository.apply("").ended(0);
    repository.minutes(50, "Fifty");
    repository.apply("").ended(0);
    let dry = run("rollback --to HEAD~1 --env dev --dry-run").ended(0);
    says(&dry, &["50 → 30", "0 to add, 1 to change, 0 to delete"]);

    repository.project.write(".gitignore", ".brickform/\nconf/made.yaml\n");
    repository.project.write("conf/made.yaml", "jobs: { made: { name: made } }\n");
    repository.commit("Made");
    repository.apply("").ended(0);
    let refused = run("rollback --to HEAD~1 --env dev --yes").ended(64);
    assert!(refused.err.contains("it does not hold conf/made.yaml, which Git ignores"), "{}", refused.err);
}

#[test]
fn what_git_cannot_tell_neither_passes_nor_lifts_a_pin() {
    let (repository, [.., third]) = applied();
    // The clone lacks what is applied: what was applied before it is a way back, anything else may be a way forward.
    repository.minutes(60, "Sixty");
    repository.apply("").ended(0);
    repository.git(&format!("reset -q --hard {third}"));
    repository.git("reflog expire --expire=now --all");
    repository.git("gc -q --prune=now");
    repository.minutes(70, "Seventy");
    let forward = repository.project.run("rollback --to HEAD --env dev --yes").ended(1);
    assert!(forward.err.contains("which is applied: whether that is a way back is undecidable"), "{}", forward.err);
    repository.project.run(&format!("rollback --to {third} --env dev --dry-run")).ended(0);

    let (repository, [first, second, _]) = applied();
    repository.project.run(&format!("rollback --to {first} --env dev --yes")).ended(0);
    let tree = repository.git(&format!("rev-parse {second}^{{tree}}"));
    let object = repository.project.folder.path().join(format!(".git/objects/{}/{}", &tree[..2], &tree[2..]));
    std::fs::remove_file(object).expect("it is there");
    says(&repository.apply("").ended(6), &["whether this brings it back is undecidable: `git rev-list` failed:", "--unpin"]);
}

#[test]
fn what_is_no_way_back_is_said() {
    let (repository, [_, second, third]) = applied();
    let run = |line: &str| repository.project.run(line);
    let err = |line: &str, code: u8, words: &str| {
        let ran = run(line).ended(code);
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    };
    err("rollback --to 99 --env dev --yes", 64, "serial 99 of dev is not kept, or never was");
    err("rollback --to --output=x --env dev --yes", 64, "");
    err("rollback --to nowhere --env dev --yes", 64, "the newest serials are 3, 2, 1");
    err(&format!("rollback --to {third} --env dev --yes"), 64, "is what is applied already");
    repository.minutes(50, "Fifty");
    err("rollback --to HEAD --env dev --yes", 64, "is newer than what is applied");
    // Gone from the workspace since: what comes back is another object.
    repository.git("rm -q conf/b.yaml");
    repository.commit("Without");
    repository.apply("").ended(0);
    let dry = run(&format!("rollback --to {second} --env dev --dry-run")).ended(0);
    says(&dry, &["+ jobs.nightly", "cannot come back: its id (it was ", "cannot come back: its run history"]);
    std::fs::remove_dir_all(repository.project.folder.path().join(".git")).expect("it can be removed");
    err("rollback --to 1 --env dev --yes", 1, "this clone does not hold commit");
}

/// A commit and its revert between the two: neither brings anything, and the revert is not to be reverted.
#[test]
fn what_was_taken_back_before_the_rollback_stays_taken_back() {
    let repository = Repository::new("workspace: local\n");
    repository.apply("").ended(0);
    let thirty = repository.minutes(30, "Thirty");
    repository.git(&format!("revert --no-edit {thirty}"));
    repository.project.write("conf/b.yaml", JOB);
    let job = repository.commit("Job");
    repository.apply("").ended(0);
    repository.project.run("rollback --to 1 --env dev --yes").ended(0);
    let held = repository.apply("").ended(6);
    says(&held, &[&format!("takes none of it back: {} \"Job\"", &job[..7]), &format!("git revert {}", &job[..7])]);
    assert!(!held.err.contains(&thirty[..7]), "{}", held.err);
    repository.git(&format!("revert --no-edit {job}"));
    says(&repository.apply("").ended(0), &["Unpins dev"]);
}
