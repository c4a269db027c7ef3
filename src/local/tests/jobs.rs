use super::Bench;

const CREATE: &str = "POST /api/2.2/jobs/create";

fn get(bench: &Bench, id: &str) -> super::Reply {
    bench.good(&format!("GET /api/2.2/jobs/get?job_id={id}"), "")
}

#[test]
fn an_empty_job_is_filled_in() {
    let bench = Bench::new();
    let id = bench.good(CREATE, "{}").text("job_id");
    let job = get(&bench, &id);
    for (path, expected) in [
        ("settings.name", "\"Untitled\""),
        ("settings.format", "\"MULTI_TASK\""),
        ("settings.max_concurrent_runs", "1"),
        ("settings.timeout_seconds", "0"),
        ("settings.email_notifications", "{}"),
        ("settings.webhook_notifications", "{}"),
        ("settings.queue", "-"),
        ("settings.run_as", "-"),
        ("creator_user_name", "\"admin@brickform.local\""),
        ("run_as_user_name", "\"admin@brickform.local\""),
        ("created_time", "1700000000001"),
        ("next_page_token", "-"),
        ("$serial", "-"),
    ] {
        assert_eq!(job.at(path), expected, "{path}");
    }
}

#[test]
fn tasks_are_completed_and_reordered() {
    let bench = Bench::new();
    let body = r#"{"tasks": [
        {"task_key": "a", "notebook_task": {"notebook_path": "/x"}, "new_cluster": {"num_workers": 1}},
        {"task_key": "b"},
        {"task_key": "c", "depends_on": [{"task_key": "b"}, {"task_key": "a"}],
         "for_each_task": {"inputs": "[1]", "task": {"task_key": "inner"}}}],
        "schedule": {"quartz_cron_expression": "0 0 0 * * ?", "timezone_id": "UTC"}}"#;
    let id = bench.good(CREATE, body).text("job_id");
    let job = get(&bench, &id);
    for (path, expected) in [
        ("settings.tasks[0].task_key", "\"b\""),
        ("settings.tasks[2].task_key", "\"a\""),
        ("settings.tasks[task_key=c].depends_on", r#"[{"task_key":"a"},{"task_key":"b"}]"#),
        ("settings.tasks[task_key=b].run_if", "\"ALL_SUCCESS\""),
        ("settings.tasks[task_key=b].timeout_seconds", "0"),
        ("settings.tasks[task_key=b].email_notifications", "{}"),
        ("settings.tasks[task_key=a].notebook_task.source", "\"WORKSPACE\""),
        ("settings.tasks[task_key=a].new_cluster.data_security_mode", "\"SINGLE_USER\""),
        ("settings.tasks[task_key=a].new_cluster.azure_attributes.first_on_demand", "1"),
        ("settings.tasks[task_key=c].for_each_task.task.timeout_seconds", "0"),
        ("settings.schedule.pause_status", "\"UNPAUSED\""),
    ] {
        assert_eq!(job.at(path), expected, "{path}");
    }
}

#[test]
fn reset_replaces_all_but_run_as() {
    let bench = Bench::new();
    let id = bench.good(CREATE, r#"{"name": "n", "run_as": {"user_name": "ada@brickform.local"}, "tags": {"a": "b"}}"#).text("job_id");
    bench.good("POST /api/2.2/jobs/reset", &format!(r#"{{"job_id": {id}, "new_settings": {{"name": "m"}}}}"#));
    let job = get(&bench, &id);
    assert_eq!(
        (job.at("settings.name"), job.at("settings.tags"), job.at("run_as_user_name")),
        ("\"m\"".into(), "-".into(), "\"ada@brickform.local\"".into())
    );
}

#[test]
fn update_merges_tasks_and_removes_fields() {
    let bench = Bench::new();
    let body = r#"{"name": "n", "description": "d", "tasks": [{"task_key": "a", "description": "old"}, {"task_key": "b"}]}"#;
    let id = bench.good(CREATE, body).text("job_id");
    let body = format!(
        r#"{{"job_id": {id}, "new_settings": {{"name": "m", "tasks": [{{"task_key": "a"}}, {{"task_key": "c"}}]}},
            "fields_to_remove": ["description", "tasks/b"]}}"#
    );
    bench.good("POST /api/2.2/jobs/update", &body);
    let job = get(&bench, &id);
    assert_eq!((job.at("settings.name"), job.at("settings.description")), ("\"m\"".into(), "-".into()));
    assert_eq!(job.at("settings.tasks[task_key=a].description"), "-");
    assert_eq!(job.at("settings.tasks[task_key=b]"), "-");
    assert_eq!(job.at("settings.tasks[task_key=c].task_key"), "\"c\"");
}

#[test]
fn an_absent_job_is_400_or_404() {
    let expected = "INVALID_PARAMETER_VALUE Job 7 does not exist.";
    let bench = Bench::new();
    for (line, body) in [
        ("GET /api/2.2/jobs/get?job_id=7", ""),
        ("POST /api/2.2/jobs/delete", r#"{"job_id": 7}"#),
        ("POST /api/2.2/jobs/reset", r#"{"job_id": 7, "new_settings": {}}"#),
        ("POST /api/2.2/jobs/update", r#"{"job_id": "7", "new_settings": {}}"#),
        ("POST /api/2.2/jobs/run-now", r#"{"job_id": 7}"#),
    ] {
        bench.refused(line, body, &format!("400 {expected}"));
    }
    Bench::rival("job-gone-404").refused("GET /api/2.2/jobs/get?job_id=7", "", "404 RESOURCE_DOES_NOT_EXIST Job 7 does not exist.");
}

#[test]
fn refusals() {
    let bench = Bench::new();
    for (body, expected) in [
        (r#"{"git_source": {"git_url": "x"}}"#, "400 INVALID_PARAMETER_VALUE"),
        (r#"{"tasks": [{"task_key": "a"}, {"task_key": "a"}]}"#, "400 INVALID_PARAMETER_VALUE Duplicate task key 'a'"),
        (
            r#"{"tasks": [{"task_key": "a", "depends_on": [{"task_key": "z"}]}]}"#,
            "400 INVALID_PARAMETER_VALUE Task 'a' depends on task 'z'",
        ),
        (r#"{"tasks": [{"task_key": "a", "job_cluster_key": "z"}]}"#, "400 INVALID_PARAMETER_VALUE Job cluster 'z' is not defined"),
        (
            r#"{"schedule": {"quartz_cron_expression": "0 30 2,7,11,15 * * *", "timezone_id": "UTC"}}"#,
            "400 INVALID_PARAMETER_VALUE Invalid quartz_cron_expression: 0 30 2,7,11,15 * * *. Databricks uses Quartz cron syntax",
        ),
        (
            r#"{"schedule": {"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "Mars/Phobos"}}"#,
            "400 INVALID_PARAMETER_VALUE Invalid timezone_id: Mars/Phobos.",
        ),
        (r#"{"tasks": [{}]}"#, "400 INVALID_PARAMETER_VALUE Missing required field: tasks[0].task_key"),
        (r#"{"name": 1}"#, "400 MALFORMED_REQUEST Could not parse request object: expected text, found a whole number at name"),
        (r#"{"tasks": {}}"#, "400 MALFORMED_REQUEST Could not parse request object: expected a list, found a map at tasks"),
        (r#"{"tasks": [{"task_key": "a", "run_if": "NEVER"}]}"#, "400 INVALID_PARAMETER_VALUE Invalid value 'NEVER' for tasks[0].run_if"),
        ("{", "400 MALFORMED_REQUEST Could not parse request object: the body is not JSON"),
        ("[]", "400 MALFORMED_REQUEST"),
    ] {
        bench.refused(CREATE, body, expected);
    }
    bench.refused("GET /api/2.2/jobs/get", "", "400 INVALID_PARAMETER_VALUE Missing required field: job_id");
    bench.refused("GET /api/2.2/jobs/get?job_id=x", "", "400 INVALID_PARAMETER_VALUE Parameter job_id");
    bench.refused("GET /api/2.2/jobs/list?limit=101", "", "400 INVALID_PARAMETER_VALUE Invalid limit: 101");
    bench.refused("GET /api/2.2/jobs/list?page_token=zz", "", "400 INVALID_PARAMETER_VALUE Invalid page token");
}

#[test]
fn lists_newest_first_in_pages_without_tasks() {
    let bench = Bench::new();
    for n in 0..25 {
        bench.good(CREATE, &format!(r#"{{"name": "job-{n}", "tasks": [{{"task_key": "a"}}]}}"#));
    }
    let first = bench.good("GET /api/2.2/jobs/list", "");
    assert_eq!(first.body.get("jobs").unwrap().as_list().unwrap().len(), 20);
    assert_eq!((first.at("jobs[0].settings.name"), first.at("has_more")), ("\"job-24\"".into(), "true".into()));
    assert_eq!((first.at("jobs[0].settings.tasks"), first.at("jobs[0].$serial")), ("-".into(), "-".into()));
    let second = bench.good(&format!("GET /api/2.2/jobs/list?page_token={}", first.text("next_page_token")), "");
    assert_eq!(second.body.get("jobs").unwrap().as_list().unwrap().len(), 5);
    assert_eq!((second.at("has_more"), second.at("next_page_token")), ("false".into(), "-".into()));
    let named = bench.good("GET /api/2.1/jobs/list?name=JOB-7&expand_tasks=true", "");
    assert_eq!(named.body.get("jobs").unwrap().as_list().unwrap().len(), 1);
    assert_eq!(named.at("jobs[0].settings.tasks[0].task_key"), "\"a\"");
    assert_eq!(Bench::new().good("GET /api/2.2/jobs/list", "").at("jobs"), "-");
}

#[test]
fn a_long_job_comes_in_pages() {
    let bench = Bench::new();
    let tasks: Vec<String> = (0..250).map(|n| format!(r#"{{"task_key": "t{n:03}"}}"#)).collect();
    let body = format!(r#"{{"tasks": [{}], "parameters": [{{"name": "p", "default": "1"}}]}}"#, tasks.join(","));
    let id = bench.good(CREATE, &body).text("job_id");
    let (mut token, mut seen, mut sizes) = (String::new(), std::collections::BTreeSet::new(), Vec::new());
    loop {
        let page = bench.good(&format!("GET /api/2.2/jobs/get?job_id={id}&page_token={token}"), "");
        let tasks = page.body.get("settings").unwrap().get("tasks").unwrap().as_list().unwrap();
        sizes.push((tasks.len(), page.at("settings.parameters[0].name")));
        seen.extend(tasks.iter().map(|t| t.get("task_key").unwrap().key_text()));
        token = page.text("next_page_token");
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 250);
    assert_eq!(sizes, [(100, "\"p\"".to_owned()), (100, "-".to_owned()), (50, "-".to_owned())]);
    let old = bench.good(&format!("GET /api/2.1/jobs/get?job_id={id}"), "");
    assert_eq!(old.body.get("settings").unwrap().get("tasks").unwrap().as_list().unwrap().len(), 250);
    let listed = bench.good("GET /api/2.2/jobs/list?expand_tasks=True", "");
    assert_eq!((listed.at("jobs[0].has_more"), listed.at("jobs[0].settings.tasks[100]")), ("true".into(), "-".into()));
}

#[test]
fn an_access_list_at_creation_is_honoured() {
    let bench = Bench::new();
    let body = r#"{"access_control_list": [{"group_name": "analysts", "permission_level": "CAN_VIEW"},
        {"user_name": "ada@brickform.local", "permission_level": "IS_OWNER"}]}"#;
    let id = bench.good(CREATE, body).text("job_id");
    assert_eq!(get(&bench, &id).at("settings.access_control_list"), "-");
    let list = bench.good(&format!("GET /api/2.0/permissions/jobs/{id}"), "");
    assert_eq!(
        list.at("access_control_list[user_name=\"ada@brickform.local\"].all_permissions"),
        r#"[{"permission_level":"IS_OWNER","inherited":false}]"#
    );
    assert_eq!(list.at("access_control_list[user_name=\"admin@brickform.local\"]"), "-");
    bench.refused(
        CREATE,
        r#"{"access_control_list": [{"group_name": "g", "permission_level": "CAN_DANCE"}]}"#,
        "400 INVALID_PARAMETER_VALUE",
    );
}

#[test]
fn deleting_takes_the_permissions_along() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let id = bench.good(CREATE, "{}").text("job_id");
    bench.good("POST /api/2.2/jobs/delete", &format!(r#"{{"job_id": {id}}}"#));
    assert_eq!(bench.workspace.dump(), before);
    let again = bench.good(CREATE, "{}").text("job_id");
    assert_ne!(again, id, "ids are never given twice");
}

#[test]
fn rivals_change_the_reply() {
    let bench = Bench::rival("omit-zeros");
    let id = bench.good(CREATE, r#"{"tags": {"a": ""}, "tasks": [{"task_key": "a"}]}"#).text("job_id");
    let job = get(&bench, &id);
    assert_eq!((job.at("settings.timeout_seconds"), job.at("settings.email_notifications")), ("-".into(), "-".into()));
    assert_eq!(job.at("settings.tasks[0].timeout_seconds"), "-");
    assert_eq!(job.at("settings.tags"), r#"{"a":""}"#, "a free map keeps its entries");
    let bench = Bench::rival("queue-enabled");
    let id = bench.good(CREATE, "{}").text("job_id");
    assert_eq!(get(&bench, &id).at("settings.queue"), r#"{"enabled":true}"#);
}

#[test]
fn runs_are_accepted_and_idempotent() {
    let bench = Bench::new();
    let id = bench.good(CREATE, "{}").text("job_id");
    let ask = |token: &str| {
        bench.good("POST /api/2.2/jobs/run-now", &format!(r#"{{"job_id": {id}, "idempotency_token": "{token}"}}"#)).text("run_id")
    };
    let (first, again, other) = (ask("a"), ask("a"), ask("b"));
    assert!(first == again && first != other);
    assert_eq!(bench.good(&format!("GET /api/2.2/jobs/runs/get?run_id={first}"), "").at("state.result_state"), "\"SUCCESS\"");
    bench.refused(
        "POST /api/2.2/jobs/run-now",
        &format!(r#"{{"job_id": {id}, "job_parameters": {{"day": "1"}}}}"#),
        "400 INVALID_PARAMETER_VALUE Job parameter 'day' is not defined",
    );
    assert_eq!(bench.good(&format!("GET /api/2.2/jobs/runs/list?job_id={id}"), "").body.get("runs").unwrap().as_list().unwrap().len(), 2);
    bench.refused("GET /api/2.2/jobs/runs/get?run_id=1", "", "400 INVALID_PARAMETER_VALUE Run 1 does not exist");
}

#[test]
fn a_run_goes_through_its_tasks() {
    let bench = Bench::new();
    let settings = r#"{"parameters": [{"name": "day", "default": "today"}], "tasks": [
        {"task_key": "b", "depends_on": [{"task_key": "a"}], "notebook_task": {"notebook_path": "/missing/b"}},
        {"task_key": "a", "notebook_task": {"notebook_path": "/a"}},
        {"task_key": "c", "depends_on": [{"task_key": "b"}], "notebook_task": {"notebook_path": "/c"}},
        {"task_key": "mail", "depends_on": [{"task_key": "c"}], "run_if": "ALL_DONE", "notebook_task": {"notebook_path": "/m"}}]}"#;
    let id = bench.good(CREATE, settings).text("job_id");
    let start = || {
        let body = format!(r#"{{"job_id": {id}, "job_parameters": {{"day": "monday"}}}}"#);
        bench.good("POST /api/2.2/jobs/run-now", &body).text("run_id")
    };
    let see = |run: &str| {
        let got = bench.good(&format!("GET /api/2.2/jobs/runs/get?run_id={run}"), "");
        let state = |at: &str| {
            let result = got.text(&format!("{at}state.result_state"));
            if result.is_empty() { got.text(&format!("{at}state.life_cycle_state")) } else { result }
        };
        (state(""), [1, 0, 2, 3].map(|n| state(&format!("tasks[{n}]."))).join(" "))
    };
    let run = start();
    for (pass, whole, tasks) in [
        (0, "RUNNING", "RUNNING BLOCKED BLOCKED BLOCKED"),
        (150, "RUNNING", "SUCCESS RUNNING BLOCKED BLOCKED"),
        (150, "RUNNING", "SUCCESS FAILED UPSTREAM_FAILED RUNNING"),
        (150, "SUCCESS_WITH_FAILURES", "SUCCESS FAILED UPSTREAM_FAILED SUCCESS"),
    ] {
        bench.clock.pass(pass);
        assert_eq!(see(&run), (whole.to_owned(), tasks.to_owned()));
    }
    let got = bench.good(&format!("GET /api/2.2/jobs/runs/get?run_id={run}"), "");
    assert_eq!((got.at("job_parameters[0].value"), got.at("$plan")), ("\"monday\"".to_owned(), "-".to_owned()));
    let output = bench.good(&format!("GET /api/2.2/jobs/runs/get-output?run_id={}", got.text("tasks[0].run_id")), "");
    assert!(output.text("error").contains("/missing/b"), "{output:?}");
    let second = start();
    bench.refused("POST /api/2.2/jobs/runs/delete", &format!(r#"{{"run_id": {second}}}"#), "400 INVALID_STATE");
    bench.good("POST /api/2.2/jobs/runs/cancel", &format!(r#"{{"run_id": {second}}}"#));
    assert_eq!(see(&second), ("CANCELED".to_owned(), "CANCELED CANCELED CANCELED CANCELED".to_owned()));
    let active = bench.good(&format!("GET /api/2.2/jobs/runs/list?job_id={id}&active_only=true"), "");
    assert_eq!(active.at("runs"), "-");
    bench.good("POST /api/2.2/jobs/runs/delete", &format!(r#"{{"run_id": {second}}}"#));
}
