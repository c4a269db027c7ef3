//! Genie spaces by the typed API, beside the spaces API.

use super::Bench;

const AGENTS: &str = "/api/2.0/genie/agents";
const SPACES: &str = "/api/2.0/genie/spaces";
const ID: &str = "0000000000000000000000000000000a";

fn create(bench: &Bench, id: &str, body: &str) {
    bench.good(&format!("POST {AGENTS}?genie_agent_id={id}"), body);
}

fn body(name: &str, definition: &str) -> String {
    format!(r#"{{"display_name":"{name}","warehouse_id":"w","definition":{definition}}}"#)
}

#[test]
fn a_definition_comes_back_as_it_was_sent() {
    let bench = Bench::new();
    let definition = r#"{"data_sources":{"tables":[{"identifier":"c.s.b","column_configs":[{"column":"x","display_name":"X"}]},{"identifier":"c.s.a"}],"volumes":[{"path":"/Volumes/c/s/v"}]},"benchmarks":{"questions":[{"id":"0000000000000000000000000000000b","question":"two","answer":[{"format":"GENIE_AGENT_BENCHMARK_ANSWER_FORMAT_SQL","content":"select 2"}]},{"id":"0000000000000000000000000000000a","question":"one"}]}}"#;
    let made = bench.good(
        &format!("POST {AGENTS}?genie_agent_id={ID}"),
        &format!(r#"{{"display_name":"a","warehouse_id":"w","parent_path":"/Workspace/Shared","definition":{definition}}}"#),
    );
    for (path, expected) in [
        ("name", format!("\"agents/{ID}\"")),
        ("definition", definition.to_owned()),
        ("parent_path", "\"/Workspace/Shared\"".to_owned()),
        ("effective_parent_path", "\"/Shared\"".to_owned()),
    ] {
        assert_eq!(made.at(path), expected, "{path}");
    }
    assert_eq!(bench.good(&format!("GET {AGENTS}/{ID}"), "").at("definition"), definition);
    // The spaces API shows the same without what it has no word for.
    let space = bench.good(&format!("GET {SPACES}/{ID}?include_serialized_space=true"), "");
    assert_eq!((space.text("title"), space.text("parent_path")), ("a".to_owned(), "/Shared".to_owned()));
    let text = space.text("serialized_space");
    assert!(text.contains(r#""tables":[{"identifier":"c.s.a"},{"identifier":"c.s.b","column_configs":[{"column_name":"x"}]}]"#), "{text}");
    assert!(!text.contains("volumes") && text.contains(r#"{"format":"SQL","content":["select 2"]}"#), "{text}");
}

#[test]
fn a_space_of_the_spaces_api_is_an_agent() {
    let bench = Bench::new();
    let export = r#"{\"version\":2,\"data_sources\":{\"tables\":[{\"identifier\":\"c.s.t\",\"description\":[\"one \",\"row\"],\"column_configs\":[{\"column_name\":\"x\"}]}],\"metric_views\":[{\"identifier\":\"c.s.m\"}]},\"instructions\":{\"join_specs\":[{\"id\":\"00000000000000000000000000000001\",\"left\":{\"identifier\":\"c.s.t\",\"alias\":\"t\"},\"right\":{\"identifier\":\"c.s.u\",\"alias\":\"u\"},\"sql\":[\"`t`.`x` = `u`.`x`\",\"--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--\"]}]}}"#;
    let id = bench
        .good(&format!("POST {SPACES}"), &format!(r#"{{"title":"s","warehouse_id":"w","serialized_space":"{export}"}}"#))
        .text("space_id");
    let agent = bench.good(&format!("GET {AGENTS}/{id}"), "");
    assert_eq!(agent.text("display_name"), "s");
    assert_eq!(
        agent.at("definition.data_sources.tables"),
        r#"[{"identifier":"c.s.t","description":"one row","column_configs":[{"column":"x"}]},{"identifier":"c.s.m"}]"#
    );
    assert_eq!(agent.text("definition.instructions.join_specs[0].sql"), "`t`.`x` = `u`.`x`");
    assert_eq!(agent.text("definition.instructions.join_specs[0].relationship_type"), "GENIE_AGENT_JOIN_RELATIONSHIP_TYPE_MANY_TO_ONE");
    // Changed there, it is what it is there.
    create(&bench, ID, &body("mine", r#"{"data_sources":{"volumes":[{"path":"/Volumes/c/s/v"}]}}"#));
    bench.good(&format!("PATCH {SPACES}/{ID}"), r#"{"serialized_space":"{\"version\":2}"}"#);
    assert_eq!(bench.good(&format!("GET {AGENTS}/{ID}"), "").at("definition"), r#"{"data_sources":{}}"#);
}

#[test]
fn lists_have_two_views_and_pages_of_twenty() {
    let bench = Bench::new();
    for n in 0..22 {
        create(&bench, &format!("{n:032x}"), &body(&format!("a{n}"), "{}"));
    }
    let first = bench.good(&format!("GET {AGENTS}"), "");
    assert_eq!((first.at("genie_agents[19].name"), first.at("genie_agents[20]")), (format!("\"agents/{:032x}\"", 19), "-".to_owned()));
    assert_eq!((first.at("genie_agents[0].definition"), first.at("genie_agents[0].etag")), ("-".to_owned(), "-".to_owned()));
    let all = bench.good(&format!("GET {AGENTS}?page_size=100&view=GENIE_AGENT_VIEW_FULL"), "");
    assert_eq!((all.at("genie_agents[21].definition"), all.at("next_page_token")), ("{}".to_owned(), "-".to_owned()));
    assert!(bench.ask(&format!("GET {AGENTS}?page_size=101"), "").refusal().starts_with("400 INVALID_PARAMETER_VALUE"));
}

#[test]
fn updates_go_by_mask_and_etag() {
    let bench = Bench::new();
    create(&bench, ID, &body("a", "{}"));
    let etag = || bench.good(&format!("GET {AGENTS}/{ID}"), "").text("etag");
    let first = etag();
    // Only what the mask names; the etag is that of the definition.
    let got = bench.good(&format!("PATCH {AGENTS}/{ID}?update_mask=description"), r#"{"display_name":"b","description":"d"}"#);
    assert_eq!((got.text("display_name"), got.text("description")), ("a".to_owned(), "d".to_owned()));
    assert_eq!(etag(), first);
    let patch = |etag: &str| format!("PATCH {AGENTS}/{ID}?update_mask=definition&etag={etag}");
    bench.good(&patch(&first), r#"{"definition":{"config":{}}}"#);
    assert_ne!(etag(), first);
    assert!(bench.ask(&patch(&first), r#"{"definition":{}}"#).refusal().starts_with("409 ABORTED"));
    assert!(bench.ask(&format!("DELETE {AGENTS}/{ID}?etag={first}"), "").refusal().starts_with("409 ABORTED"));
    bench.good(&format!("DELETE {AGENTS}/{ID}?etag={}", etag()), "");
    assert!(bench.ask(&format!("GET {AGENTS}/{ID}"), "").refusal().starts_with("404 RESOURCE_DOES_NOT_EXIST"));
}

#[test]
fn what_is_refused() {
    let bench = Bench::new();
    create(&bench, ID, &body("taken", "{}"));
    let a = "0000000000000000000000000000000b";
    let long = "x".repeat(64);
    let questions = |first: &str, second: &str| format!(r#"[{{"id":"{first}","question":"q"}},{{"id":"{second}","question":"r"}}]"#);
    let sorted = |list: &str| body("n", &format!(r#"{{"config":{{"sample_questions":{list}}}}}"#));
    let benchmarks = |list: &str| body("n", &format!(r#"{{"benchmarks":{{"questions":{list}}}}}"#));
    let columns = r#"{"data_sources":{"tables":[{"identifier":"c.s.t","column_configs":[{"column":"b"},{"column":"a"}]}]}}"#;
    for (id, body, expected) in [
        (ID, body("n", "{}"), format!("409 ALREADY_EXISTS agents/{ID} already exists.")),
        (a, body("taken", "{}"), "409 ALREADY_EXISTS An agent with display_name 'taken'".to_owned()),
        ("X", body("n", "{}"), "400 INVALID_PARAMETER_VALUE Invalid genie_agent_id".to_owned()),
        (a, body(&long, "{}"), "400 INVALID_PARAMETER_VALUE display_name must have at most 63".to_owned()),
        (a, body("n", r#"{"color":"red"}"#), "400 INVALID_PARAMETER_VALUE Cannot find field: definition.color".to_owned()),
        (a, body("n", columns), "400 INVALID_PARAMETER_VALUE Invalid definition: data_sources.table(c.s.t).column_configs".to_owned()),
        (a, sorted(&questions(a, ID)), "400 INVALID_PARAMETER_VALUE Invalid definition: config.sample_questions must be".to_owned()),
        (a, sorted(&questions(a, a)), "400 INVALID_PARAMETER_VALUE Invalid definition: ids of questions must be unique".to_owned()),
        (
            a,
            sorted(&questions(ID, "x")),
            "400 INVALID_PARAMETER_VALUE Invalid definition: config.sample_questions: 'x' is no id".to_owned(),
        ),
        (a, benchmarks(&questions(ID, a)), "400 INVALID_PARAMETER_VALUE Invalid definition: benchmarks.questions must be".to_owned()),
        (a, r#"{"display_name":"n","warehouse_id":"w"}"#.to_owned(), "400 INVALID_PARAMETER_VALUE Missing required field".to_owned()),
    ] {
        let got = bench.ask(&format!("POST {AGENTS}?genie_agent_id={id}"), &body).refusal();
        assert!(got.starts_with(&expected), "{body}: {got}");
    }
    assert!(bench.ask(&format!("PATCH {AGENTS}/{ID}"), "{}").refusal().contains("update_mask"));
    assert!(bench.ask(&format!("PATCH {AGENTS}/{ID}?update_mask=name"), "{}").refusal().contains("Invalid update_mask"));
}

#[test]
fn a_workspace_may_have_one_of_the_two_only() {
    for (rival, absent, there) in [("genie-spaces-absent", SPACES, AGENTS), ("genie-agents-absent", AGENTS, SPACES)] {
        let bench = Bench::rival(rival);
        bench.good(&format!("GET {there}"), "");
        assert!(bench.ask(&format!("GET {absent}"), "").refusal().starts_with("404 ENDPOINT_NOT_FOUND"), "{rival}");
        assert!(bench.ask(&format!("GET {absent}/{ID}"), "").refusal().starts_with("404 ENDPOINT_NOT_FOUND"), "{rival}");
    }
}
