//! `state pull|push|history|unlock|migrate|rebuild` of a shared state, each with what it refuses.

use super::{Shared, says};

#[test]
fn a_document_goes_out_and_a_mended_one_comes_in() {
    let shared = Shared::new();
    says(&shared.run("state pull").ended(1), &["dev has no state yet (gs://acme/bf/dev)"]);
    shared.run("apply --yes").ended(0);
    let older = shared.run("state pull").ended(0).out;
    shared.project.write("older.json", &older);
    shared.minutes(20);
    shared.run("apply --yes").ended(0);
    says(&shared.run("state pull --serial 9").ended(64), &["no version of serial 9 is kept", "state history"]);
    assert_eq!(shared.run("state pull --serial 1").ended(0).out, older);

    // What is refused changes nothing.
    let before = shared.bucket.text("bf/dev/state.json");
    says(&shared.run("state push nowhere.json").ended(1), &["nowhere.json cannot be read", "state pull --env dev > FILE"]);
    shared.project.write("cut.json", &older[..older.len() / 2]);
    says(&shared.run("state push cut.json --yes").ended(1), &["cut.json is damaged: it is cut short"]);
    shared.project.write("other.json", &older.replace("\"environment\": \"dev\"", "\"environment\": \"prod\""));
    says(&shared.run("state push other.json --yes").ended(1), &["belongs to environment `prod`, not `dev`"]);
    let lineage = older.split("\"lineage\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a lineage").to_owned();
    shared.project.write("anew.json", &older.replace(&lineage, "00000000"));
    says(&shared.run("state push anew.json --yes").ended(64), &["has lineage 00000000", "one of them was begun anew", "`--force`"]);
    says(
        &shared.run("state push older.json --yes").ended(6),
        &[
            "older.json was pulled at serial 1, and the state of dev is at serial 2 now",
            "pull again",
            "state push --env dev --serial 1",
            "`--force`",
        ],
    );
    says(&shared.run("state push older.json --force").ended(64), &["nobody can answer here: nothing was written", "--yes"]);
    let bob = shared.somebody("gs://acme/bf");
    says(&shared.run("state push older.json --yes").ended(5), &["is locked by bob@ci-7"]);
    drop(bob);
    assert_eq!(shared.bucket.text("bf/dev/state.json"), before);

    // An older one is the next one: every other runner notices.
    let pushed = shared.run("state push older.json --yes --force").ended(0);
    says(&pushed, &["~ warehouses.bi applied: auto_stop_mins differ", "older.json is the state of dev now: serial 3, 1 resource"]);
    says(&shared.run("state push --serial 2 --yes").ended(0), &["the version of serial 2 is the state of dev now: serial 4"]);
    shared.run("plan --detailed-exitcode").ended(0);
    says(&shared.run("state push anew.json --yes --force").ended(0), &["serial 5"]);
}

#[test]
fn history_tells_who_did_what() {
    let shared = Shared::new();
    assert_eq!(shared.run("state history").ended(0).out, "");
    shared.run("apply --yes").ended(0);
    shared.run("state push --serial 1 --yes").ended(0);
    let told = shared.run("state history").ended(0);
    says(&told, &["2 ", "state push 1 address by ada@", "1 ", "apply 1 address", "1 add plan "]);
    assert!(!told.out.contains("plan \n") && !told.out.contains(": \n"), "{}", told.out);
    let json: serde_json::Value = serde_json::from_str(&shared.run("state history -o json").ended(0).out).expect("JSON");
    let serials: Vec<u64> = json["versions"].as_array().expect("a list").iter().filter_map(|v| v["serial"].as_u64()).collect();
    assert_eq!(serials, [2, 1], "nothing was written as serial 0");
}

#[test]
fn only_who_names_the_lease_takes_it() {
    let shared = Shared::new();
    shared.run("apply --yes").ended(0);
    says(&shared.run("state unlock 12345678").ended(64), &["nobody holds gs://acme/bf/dev"]);
    let bob = shared.somebody("gs://acme/bf");
    let id = bob.held().expect("it answers").and_then(|holder| holder.id).expect("an id");
    let wrong = shared.run("state unlock 12345678").ended(64);
    says(&wrong, &["has not the id `12345678`", "held by bob@ci-7", &format!("brickform state unlock --env dev {id}")]);
    shared.run("apply --yes").ended(5);
    says(&shared.run(&format!("state unlock {id}")).ended(0), &["Unlocked: bob@ci-7", "looks up first what it had begun"]);
    shared.run("apply --yes").ended(0);
    shared.at(".brickform/state/dev.json");
    says(&shared.run("state unlock 12345678").ended(64), &["is a file of this machine: the operating system lets go of its lock"]);
}

#[test]
fn a_state_moves_there_and_back_and_the_old_place_says_where_it_is() {
    let shared = Shared::new();
    let (file, bucket) = (".brickform/state/dev.json", "gs://acme/bf");
    shared.at(file);
    says(&shared.run(&format!("state migrate --to {bucket} --yes")).ended(1), &["dev has no state yet: there is nothing to move"]);
    shared.run("apply --yes").ended(0);
    says(&shared.run(&format!("state migrate --to {file} --yes")).ended(64), &["already"]);
    says(&shared.run("state migrate --to s4://x --yes").ended(64), &["`--to`"]);
    says(&shared.run(&format!("state migrate --to {bucket}")).ended(64), &["nobody can answer here"]);

    says(&shared.run(&format!("state migrate --to {bucket} --yes")).ended(0), &["is at gs://acme/bf/dev now: serial 2, 1 resource"]);
    for command in ["plan", "apply --yes", "state list"] {
        says(&shared.run(command).ended(1), &["is at gs://acme/bf now", "set `state: { backend: \"gs://acme/bf\" }`"]);
    }
    shared.at(bucket);
    shared.run("plan --detailed-exitcode").ended(0);
    says(&shared.run("state history").ended(0), &["state migrate", "apply"]);
    shared.minutes(20);
    shared.run("apply --yes").ended(0);

    // The place that is printed has the environment's folder in it already.
    says(
        &shared.run("state migrate --to gs://acme/bf/dev --yes").ended(64),
        &["the state of dev is at gs://acme/bf/dev already", "that place is called `gs://acme/bf` here"],
    );
    // Back again: over what was left there.
    says(&shared.run(&format!("state migrate --to {file} --yes")).ended(0), &["serial 4"]);
    says(&shared.run("plan").ended(1), &[&format!("is at {file} now")]);
    shared.at(file);
    shared.run("plan --detailed-exitcode").ended(0);
}

#[test]
fn a_move_that_was_cut_off_is_done_again_and_another_state_is_never_written_over() {
    let shared = Shared::new();
    shared.run("apply --yes").ended(0);
    // Cut off: the document is there, the old place was not told.
    shared.run("state migrate --to gs://acme/new --yes").ended(0);
    shared.bucket.delete("bf/dev/moved.json");
    shared.bucket.delete("new/dev/versions/");
    shared.run("plan --detailed-exitcode").ended(0);
    says(&shared.run("state migrate --to gs://acme/new --yes").ended(0), &["is at gs://acme/new/dev now: serial 3"]);
    shared.at("gs://acme/new");
    shared.run("plan --detailed-exitcode").ended(0);
    // While somebody works there.
    let bob = shared.somebody("gs://acme/bf");
    says(&shared.run("state migrate --to gs://acme/bf --yes").ended(5), &["gs://acme/bf/dev is locked by bob@ci-7"]);
    drop(bob);
    // Another state.
    let other = shared.bucket.text("bf/dev/state.json");
    let lineage = other.split("\"lineage\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a lineage").to_owned();
    for name in shared.bucket.names("new/dev/") {
        let text = shared.bucket.text(&name);
        shared.bucket.write(&name.replace("new/", "other/"), &text.replace(&lineage, "00000000"));
    }
    let refused = shared.run("state migrate --to gs://acme/other --yes").ended(1);
    says(&refused, &["holds another state (lineage 00000000"]);
    // A place where one was deleted.
    shared.bucket.delete("bf/dev/state.json");
    shared.bucket.delete("bf/dev/moved.json");
    says(&shared.run("state migrate --to gs://acme/bf --yes").ended(1), &["no document: another state was deleted here"]);
}

#[test]
fn a_state_that_is_gone_is_made_of_what_the_workspace_holds() {
    let shared = Shared::new();
    shared.run("apply --yes").ended(0);
    shared.bucket.delete("bf/dev/state.json");
    says(&shared.run("plan").ended(1), &["the document itself is missing", "`brickform state rebuild --env dev`"]);
    says(&shared.run("state rebuild").ended(64), &["+ warehouses.bi", "nobody can answer here: nothing was written"]);
    says(&shared.run("state rebuild --dry-run").ended(0), &["nothing was written"]);
    says(&shared.run("plan").ended(1), &["the document itself is missing"]);
    let bob = shared.somebody("gs://acme/bf");
    says(&shared.run("state rebuild --yes").ended(5), &["is locked by bob@ci-7"]);
    drop(bob);
    says(&shared.run("state rebuild --yes").ended(0), &["+ warehouses.bi", "by name", "Rebuilt: serial 2, 1 address"]);
    shared.run("plan --detailed-exitcode").ended(0);
    // With nothing left at all, an apply would make everything anew: here too it is found.
    shared.bucket.delete("bf/");
    says(&shared.run("state rebuild --yes").ended(0), &["Rebuilt: serial 1, 1 address"]);
    shared.run("plan --detailed-exitcode").ended(0);
}
