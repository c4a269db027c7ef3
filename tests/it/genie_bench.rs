//! `genie bench`: benchmarks of Genie spaces run in the embedded workspace, as a gate.

use brickform::local::{Fault, LocalOptions};

use super::cli::{Project, Ran};
use super::walk::Served;

const SALES: &str = r"
spaces:
  sales:
    title: Sales
    warehouse_id: 475b94ddc7cd5211
    parent_path: /Workspace/Shared
    tables: [samples.tpch.orders]
    instructions:
      example_sql:
        - { question: How many orders?, sql: SELECT count(*) FROM samples.tpch.orders }
        - { question: Which month was best?, sql: SELECT 1 }
    benchmarks:
      - { question: how many orders?, sql: SELECT count(*) FROM samples.tpch.orders }
      - { question: Which month was best?, sql: SELECT 2 }
      - { question: Who buys most?, sql: SELECT 3 }
      - { question: Why?, sql: SELECT 4, evaluation_note: 'local: GOOD' }
";
const TRIPS: &str = r"
spaces:
  trips: { title: Trips, warehouse_id: 475b94ddc7cd5211, parent_path: /Workspace/Shared, tables: [samples.nyctaxi.trips] }
";

fn project() -> Project {
    let files = [("conf/project.yaml", "name: shop\n"), ("environments/dev.yaml", "workspace: local\n"), ("spaces/sales.yaml", SALES)];
    let project = Project::new(&files);
    project.write("spaces/trips.yaml", TRIPS);
    project.run("apply --env dev --yes").ended(0);
    project
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.out).expect("JSON")
}

#[test]
fn the_score_beside_the_mark_is_the_exit_code() {
    let project = project();
    let ran = project.run("genie bench --env dev").ended(0);
    assert!(ran.out.contains("50 % (2 of 4 correct, 1 needs review: counted as not correct)"), "{}", ran.out);
    assert!(ran.out.contains("Who buys most?         SELECT 3"), "{}", ran.out);
    assert!(ran.out.contains("      nothing came back"), "{}", ran.out);
    for said in [
        "without benchmarks, left out: spaces.trips",
        "spaces.sales \"Sales\": 4 benchmarks, on warehouse 475b94ddc7cd5211",
        "this starts the warehouses where stopped",
        "Ctrl-C stops waiting, not the run",
        "spaces.sales  0 of 4 answered",
    ] {
        assert!(ran.err.contains(said), "{said}\n{}", ran.err);
    }
    for (line, code) in [
        ("genie bench --env dev --min-score 50", 0),
        ("genie bench --env dev --min-score 50.1", 6),
        ("genie bench spaces.sales --env dev --min-score 75 --needs-review pass", 0),
        ("genie bench sales --env dev --min-score 66% --needs-review ignore", 0),
        ("genie bench s* --env dev --min-score 67 --needs-review ignore", 6),
        ("genie bench genie_spaces.sales --env dev --min-score 100 --question Why?", 0),
        ("genie bench sales --env dev --min-score 100 --question w* -o json", 6),
        ("genie bench sales --env dev --min-score 80 --last --timeout 0s", 6),
    ] {
        project.run(line).ended(code);
    }
}

#[test]
fn questions_are_picked_and_only_those_are_sent() {
    let project = project();
    let all = json(&project.run("genie bench --env dev -o json").ended(0));
    let id = all["spaces"][0]["results"][0]["id"].as_str().expect("an id");
    let one = json(&project.run(&format!("genie bench --env dev -o json --question {id}")).ended(0));
    assert_eq!(one["spaces"][0]["results"].as_array().expect("a list").len(), 1);
    assert_eq!(one["spaces"][0]["results"][0]["question"], "Which month was best?");
    // By the space's own id it is the same space.
    let space = all["spaces"][0]["space_id"].as_str().expect("an id");
    let by_id = json(&project.run(&format!("genie bench {space} --env dev -o json")).ended(0));
    assert_eq!(by_id["spaces"][0]["address"], "spaces.sales");
}

#[test]
fn the_newest_run_is_shown_again_and_compared_with_others() {
    let project = project();
    let never = project.run("genie bench sales --env dev --last").ended(1);
    assert!(never.out.contains("no result: its benchmarks have never been run"), "{}", never.out);
    let first = project.run("genie bench --env dev --report json=first.json -o json").ended(0);
    let first = json(&first)["spaces"][0]["run_id"].clone();
    let last = json(&project.run("genie bench sales --env dev --last -o json").ended(0));
    assert_eq!(last["spaces"][0]["run_id"], first);

    project.edit("spaces/sales.yaml", "local: GOOD", "local: BAD LLM_JUDGE_WRONG_FILTER");
    project.edit("spaces/sales.yaml", "sql: SELECT 1", "sql: select  2;");
    project.run("apply --env dev --yes").ended(0);
    let ran = project.run("genie bench --env dev --baseline first.json").ended(0);
    for said in ["was 50 % (first.json), is 50 %", "worse: \"Why?\"  good -> bad", "1 question is better", "it filters other rows"] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
    let ran = json(&project.run("genie bench --env dev --last --baseline last -o json").ended(0));
    assert_eq!(ran["spaces"][0]["before"]["worse"], serde_json::json!(["Why?"]));
    assert!(ran["spaces"][0]["before"]["from"].as_str().expect("text").contains(first.as_str().expect("an id")), "{ran}");
}

#[test]
fn a_run_of_some_questions_opens_no_gate() {
    let project = project();
    project.run("genie bench --env dev --report json=all.json").ended(0);
    project.run("genie bench --env dev --min-score 80 --question how*").ended(0);
    let ran = project.run("genie bench --env dev --last --min-score 80 --strict").ended(6);
    assert!(ran.out.contains("3 of 4 were not asked by this run, which so reaches no mark"), "{}", ran.out);
    let ran = json(&project.run("genie bench --env dev --last --min-score 80 -o json").ended(6));
    assert_eq!(ran["spaces"][0]["unasked"].as_array().expect("a list").len(), 3, "{ran}");
    for line in ["genie bench --env dev --last --baseline all.json", "genie bench --env dev --last --baseline last"] {
        let ran = project.run(line).ended(0);
        assert!(ran.out.contains("the two were not asked the same, so their scores do not compare: 3 questions only then"), "{}", ran.out);
    }
}

#[test]
fn what_is_judged_is_told_where_it_is_not_what_the_files_say() {
    let project = project();
    project.edit("spaces/sales.yaml", "SELECT 3", "SELECT 33");
    let ran = project.run("genie bench --env dev").ended(0);
    let said = "its benchmarks in YAML are not applied yet: those of the workspace are run (`brickform apply --target spaces.sales`)";
    let noted = said.replace("apply --target", "apply --env dev --target");
    assert!(ran.err.contains(&noted) && ran.out.contains(said), "{}\n{}", ran.out, ran.err);
    let strict = project.run("genie bench --env dev --strict").ended(1);
    assert!(strict.err.contains("what would be judged is not what the files say") && !strict.err.contains("has started"), "{}", strict.err);
    project.edit("spaces/sales.yaml", "SELECT 33", "SELECT 3");
    project.edit("spaces/sales.yaml", "title: Sales", "title: Sales of the shop");
    let ran = project.run("genie bench --env dev").ended(0);
    assert!(ran.err.contains("what changed in YAML is not applied yet"), "{}", ran.err);
}

#[test]
fn a_run_that_breaks_off_or_does_not_end_is_no_score() {
    let project = project();
    let ran = project.run("genie bench --env dev --timeout 0s --min-score 1").ended(1);
    let said = "has not ended (0 of 4 answered); it goes on in the workspace, `brickform genie bench spaces.sales --last` shows it";
    assert!(ran.out.contains(said), "{}", ran.out);
    // Whoever comes back for it waits for its end.
    project.run("genie bench --env dev --last --min-score 50").ended(0);
    project.edit("spaces/sales.yaml", "local: GOOD", "local: EVALUATION_FAILED");
    project.run("apply --env dev --yes").ended(0);
    let ran = project.run("genie bench --env dev --min-score 1").ended(1);
    assert!(ran.out.contains("ended as EVALUATION_FAILED; so far 25 %"), "{}", ran.out);
}

/// A state that came after this release is told at once, and waited out like one that goes on: never a score.
#[test]
fn a_state_that_nobody_knows_is_told_before_it_is_waited_for() {
    let project = project();
    project.edit("spaces/sales.yaml", "local: GOOD", "local: EVALUATION_PAUSED");
    project.run("apply --env dev --yes").ended(0);
    let ran = project.run("genie bench --env dev --min-score 1 --timeout 2s").ended(1);
    let met = "its state is `EVALUATION_PAUSED`, which this Brickform does not know: it is waited for as one that goes on";
    assert_eq!(ran.err.matches(met).count(), 1, "{}", ran.err);
    let ended =
        "has not ended after 2 s (3 of 4 answered), and its state is `EVALUATION_PAUSED`, which this Brickform does not know; it goes on";
    assert!(ran.out.contains(ended), "{}", ran.out);
    // With everything answered there is nothing left to wait for, and no score either.
    project.edit("spaces/sales.yaml", "local: EVALUATION_PAUSED", "local: EVALUATION_SIGNED ALL");
    project.run("apply --env dev --yes").ended(0);
    let asked = std::time::Instant::now();
    let ran = project.run("genie bench --env dev --min-score 1 --timeout 600s").ended(1);
    let ended =
        "has answered all, and its state is `EVALUATION_SIGNED`, which this Brickform does not know: whether its verdicts are final";
    assert!(ran.out.contains(ended), "{}", ran.out);
    assert!(asked.elapsed().as_secs() < 120, "{:?}", asked.elapsed());
}

#[test]
fn nothing_is_sent_before_it_is_said_and_somebody_is_asked_where_one_is_there() {
    let project = project();
    let dry = project.run("genie bench --env dev --dry-run").ended(0);
    assert!(dry.err.contains("4 benchmarks") && dry.out.is_empty(), "{}{}", dry.out, dry.err);
    let no = project.with("genie bench --env dev", &[], Some("n\n")).ended(1);
    assert!(no.err.contains("nothing was run"), "{}", no.err);
    let never = project.run("genie bench sales --env dev --last").ended(1);
    assert!(never.out.contains("never been run"), "{}", never.out);
    project.with("genie bench --env dev", &[], Some("y\n")).ended(0);
    project.with("genie bench --env dev --yes", &[], Some("")).ended(0);
}

#[test]
fn reports_are_written_and_several_environments_are_told_of() {
    let project = project();
    project.write("environments/far.yaml", "workspace: local\n");
    project.run("apply --env far --yes").ended(0);
    let ran =
        project.run("genie bench --env dev,far --min-score 60 --report junit={env}.xml --report markdown={env}.md --report csv={env}.csv");
    let ran = ran.ended(6);
    assert!(ran.out.contains("far  1 space: 1 under the mark of 60 %  exit code 6"), "{}", ran.out);
    let read = |name: &str| std::fs::read_to_string(project.folder.path().join(name)).expect("it was written");
    assert!(read("far.xml").contains("failures=\"3\""), "{}", read("far.xml"));
    assert!(read("dev.md").starts_with("<!-- brickform:genie-bench:shop:dev -->"), "{}", read("dev.md"));
    assert_eq!(read("dev.csv").lines().count(), 5);
    let both = json(&project.run("genie bench --env dev,far -o json").ended(0));
    assert_eq!(both["environments"][1]["result"]["format"], "brickform.genie-bench/1");
    project.run("genie bench --env dev,far -o junit").ended(64);
    project.run("genie bench --env dev,far --report junit=all.xml").ended(64);
}

/// A project of a workspace that is served beside it.
fn served(options: LocalOptions) -> (Served, Project) {
    let served = Served::with(options);
    let project = Project::new(&[
        (".databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url)),
        ("environments/dev.yaml", "workspace: { profile: DEV }\n"),
        ("conf/project.yaml", "name: shop\n"),
        ("spaces/sales.yaml", SALES),
    ]);
    (served, project)
}

fn typed(project: &Project, script: &str) -> (Option<i32>, String) {
    let folder = project.folder.path();
    let script = format!("export HOME='{}' NO_COLOR=1 B='{}'\n{script}", folder.display(), env!("CARGO_BIN_EXE_brickform"));
    let ran = project.outside(&[]).system.run("sh", &["-c", &format!("({script}) 2>&1")], folder).expect("there is a shell");
    (ran.code, String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[test]
fn whoever_stops_waiting_is_told_that_the_run_goes_on() {
    let (_served, project) = served(LocalOptions { settle_ms: Some(60_000), ..LocalOptions::default() });
    let (code, said) = typed(
        &project,
        "\"$B\" apply --yes >/dev/null
\"$B\" genie bench --min-score 80 >said 2>&1 & p=$!
for i in $(seq 200); do grep -q 'has started' said && break; sleep 0.05; done
kill -TERM $p; wait $p; echo \"ended with $?\"; cat said",
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ended with 130"), "{said}");
    assert!(said.contains("spaces.sales: not waited for any longer; run ") && said.contains("goes on in the workspace"), "{said}");
    assert!(said.contains("brickform genie bench spaces.sales --last"), "{said}");
    let (code, said) = typed(&project, "\"$B\" genie bench spaces.sales --last --timeout 0s");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("has not ended (0 of 4 answered)"), "{said}");
}

/// A workspace that is asked too much says so, and is asked again; answers that cannot be read are no score.
#[test]
fn a_workspace_that_refuses_for_a_while_is_waited_for() {
    let fault = |text: &str| text.parse::<Fault>().expect("a fault");
    let (_served, project) = served(LocalOptions {
        faults: vec![
            fault("before:POST:/api/2.0/genie/spaces/*/eval-runs:times=2:status=429"),
            fault("before:GET:/api/2.0/genie/spaces/*/results/*:skip=4:times=0:status=403"),
        ],
        ..LocalOptions::default()
    });
    let (code, said) = typed(&project, "\"$B\" apply --yes >/dev/null; \"$B\" genie bench --min-score 50");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = typed(&project, "\"$B\" genie bench --min-score 50");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no result: the answers cannot be read: 403") && said.contains("`--last` shows it"), "{said}");
}

/// A space that no project manages, by its id or its title.
#[test]
fn a_space_is_benched_without_a_project() {
    let (served, project) = served(LocalOptions::default());
    typed(&project, "\"$B\" apply --yes");
    let alone = Project::new(&[(".databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url))]);
    let (code, said) = typed(&alone, "\"$B\" genie bench Sales --profile DEV --min-score 60");
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("50 % (2 of 4 correct") && said.contains("/genie/rooms/"), "{said}");
    let (code, said) = typed(&alone, "\"$B\" genie bench --profile DEV");
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("no space is named"), "{said}");
    let (code, said) = typed(&alone, "\"$B\" genie bench Sails --profile DEV");
    assert_eq!(code, Some(64), "{said}");
}
