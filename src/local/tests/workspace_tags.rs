use super::Bench;

const TAGS: &str = "/api/2.0/entity-tag-assignments";

fn space(bench: &Bench) -> String {
    let body = r#"{"title":"t","warehouse_id":"w","serialized_space":"{\"version\":2}"}"#;
    bench.good("POST /api/2.0/genie/spaces", body).text("space_id")
}

fn tag(id: &str, key: &str, value: &str) -> String {
    format!(r#"{{"entity_type":"geniespaces","entity_id":"{id}","tag_key":"{key}","tag_value":"{value}"}}"#)
}

#[test]
fn tags_are_made_changed_listed_in_pages_and_deleted() {
    let bench = Bench::new();
    let (space, other) = (space(&bench), space(&bench));
    for (key, value) in [("team", "sales"), ("gold", ""), ("a", "1"), ("b", "2")] {
        bench.good(&format!("POST {TAGS}"), &tag(&space, key, value));
    }
    bench.good(&format!("POST {TAGS}"), &tag(&other, "team", "other"));
    let place = format!("{TAGS}/geniespaces/{space}/tags");
    let first = bench.good(&format!("GET {place}"), "");
    assert_eq!((first.text("tag_assignments[0].tag_key"), first.text("next_page_token")), ("a".to_owned(), "p3".to_owned()));
    assert_eq!((first.text("tag_assignments[2].tag_key"), first.at("tag_assignments[2].tag_value")), ("gold".to_owned(), "-".to_owned()));
    let second = bench.good(&format!("GET {place}?page_token=p3"), "");
    assert_eq!((second.text("tag_assignments[0].tag_value"), second.at("next_page_token")), ("sales".to_owned(), "-".to_owned()));
    bench.good(&format!("PATCH {place}/team?update_mask=tag_value"), &tag(&space, "team", "ops"));
    assert_eq!(bench.good(&format!("GET {place}/team"), "").text("tag_value"), "ops");
    bench.good(&format!("DELETE {place}/team"), "");
    bench.refused(&format!("GET {place}/team"), "", "404 RESOURCE_DOES_NOT_EXIST Tag assignment with key 'team'");
    // They go with the space.
    bench.good(&format!("DELETE /api/2.0/genie/spaces/{space}"), "");
    bench.refused(&format!("GET {place}"), "", "404 RESOURCE_DOES_NOT_EXIST Unable to get space");
    assert!(!format!("{:?}", bench.workspace.dump()).contains(&format!("geniespaces/{space}/")));
}

#[test]
fn refusals() {
    let bench = Bench::new();
    let space = space(&bench);
    bench.good(&format!("POST {TAGS}"), &tag(&space, "team", "sales"));
    let place = format!("{TAGS}/geniespaces/{space}/tags");
    let of_jobs = r#"{"entity_type":"jobs","entity_id":"1","tag_key":"a"}"#.to_owned();
    for (line, body, expected) in [
        (format!("POST {TAGS}"), tag(&space, "team", "x"), "409 ALREADY_EXISTS"),
        (format!("POST {TAGS}"), tag(&space, "cost-center", "x"), "400 INVALID_PARAMETER_VALUE Invalid tag key 'cost-center'"),
        (format!("POST {TAGS}"), tag("none", "a", "x"), "404 RESOURCE_DOES_NOT_EXIST Unable to get space [none]"),
        (format!("POST {TAGS}"), of_jobs, "400 INVALID_PARAMETER_VALUE Invalid entity_type: 'jobs'"),
        (format!("PATCH {place}/nobody?update_mask=tag_value"), tag(&space, "nobody", "x"), "404 RESOURCE_DOES_NOT_EXIST"),
        (format!("PATCH {place}/team?update_mask=tag_key"), tag(&space, "team", "x"), "400 INVALID_PARAMETER_VALUE Invalid update_mask"),
        (format!("PATCH {place}/team"), tag(&space, "team", "x"), "400 INVALID_PARAMETER_VALUE"),
        (format!("DELETE {place}/nobody"), String::new(), "404 RESOURCE_DOES_NOT_EXIST"),
    ] {
        bench.refused(&line, &body, expected);
    }
    let bench = Bench::rival("tags-of-absent-empty");
    assert_eq!(bench.good(&format!("GET {TAGS}/geniespaces/none/tags"), "").at("tag_assignments"), "-");
}
