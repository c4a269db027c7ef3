//! Free maps, lists, JSON inside text.

use super::{CASE, Case, check};

#[test]
fn free_maps_are_owned_whole() {
    check(
        &[
            Case {
                what: "items by key, the ownership tag never",
                desired: r#"{"tags":{"a":"1","b":"2","d":"4"}}"#,
                applied: r#"{"tags":{"a":"1","c":"3","d":"4"}}"#,
                live: r#"{"tags":{"a":"9","c":"3","x":"y","brickform":"tag"}}"#,
                changes: &[
                    r#"tags.a drift "9" → "1""#,
                    r#"tags.b changed - → "2""#,
                    r#"tags.d drift - → "4""#,
                    r#"tags.c removed "3" → -"#,
                    r#"tags.x drift "y" → -"#,
                ],
                ..CASE
            },
            Case { what: "the tag alone does not make tags anything", applied: "{}", live: r#"{"tags":{"brickform":"tag"}}"#, ..CASE },
            Case {
                what: "never written: unmanaged",
                applied: "{}",
                live: r#"{"tags":{"brickform":"tag","x":"y"}}"#,
                unmanaged: &[r#"tags={"x": "y"}"#],
                ..CASE
            },
            Case {
                what: "written for the first time: others go",
                desired: r#"{"tags":{"a":"1"}}"#,
                applied: "{}",
                live: r#"{"tags":{"a":"1","x":"y"}}"#,
                changes: &[r#"tags.x changed "y" → -"#],
                ..CASE
            },
            Case {
                what: "the whole map removed",
                applied: r#"{"tags":{"a":"1"}}"#,
                live: r#"{"tags":{"a":"1","x":"y","brickform":"tag"}}"#,
                changes: &[r#"tags.a removed "1" → -"#, r#"tags.x removed "y" → -"#],
                ..CASE
            },
            Case {
                what: "keys of the server",
                desired: r#"{"tasks":[{"task_key":"t","new_cluster":{"spark_conf":{"a":"1"}}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","new_cluster":{"spark_conf":{"a":"1"}}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","new_cluster":{"spark_conf":{"a":"1","b":"2","spark.databricks.x":"y"}}}]}"#,
                changes: &[r#"tasks[task_key=t].new_cluster.spark_conf.b drift "2" → -"#],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn keyed_lists_and_their_items() {
    check(
        &[
            Case {
                what: "order is nothing, items field by field",
                desired: r#"{"tasks":[{"task_key":"a","run_if":"ALL_DONE"},{"task_key":"b"}]}"#,
                applied: r#"{"tasks":[{"task_key":"a","run_if":"AT_LEAST_ONE_SUCCESS"},{"task_key":"b"}]}"#,
                live: r#"{"tasks":[{"task_key":"b","run_if":"ALL_SUCCESS","timeout_seconds":0,"description":"by hand"},{"task_key":"a","run_if":"AT_LEAST_ONE_SUCCESS"}]}"#,
                changes: &[r#"tasks[task_key=a].run_if changed "AT_LEAST_ONE_SUCCESS" → "ALL_DONE""#],
                unmanaged: &[r#"tasks[task_key=b].description="by hand""#],
            },
            Case {
                what: "items come and go",
                desired: r#"{"tasks":[{"task_key":"new"},{"task_key":"lost"},{"task_key":"kept"}]}"#,
                applied: r#"{"tasks":[{"task_key":"old"},{"task_key":"lost"},{"task_key":"kept"}]}"#,
                live: r#"{"tasks":[{"task_key":"old"},{"task_key":"extra"},{"task_key":"kept"}]}"#,
                changes: &[
                    r#"tasks[task_key=new] changed - → {"task_key": "new"}"#,
                    r#"tasks[task_key=lost] drift - → {"task_key": "lost"}"#,
                    r#"tasks[task_key=old] removed {"task_key": "old"} → -"#,
                    r#"tasks[task_key=extra] drift {"task_key": "extra"} → -"#,
                ],
                ..CASE
            },
            Case {
                what: "twins by place",
                desired: r#"{"tasks":[{"task_key":"a"},{"task_key":"a","run_if":"ALL_DONE"}]}"#,
                applied: r#"{"tasks":[{"task_key":"a"},{"task_key":"a"}]}"#,
                live: r#"{"tasks":[{"task_key":"a"},{"task_key":"a"}]}"#,
                changes: &[r#"tasks[task_key=a#1].run_if changed - → "ALL_DONE""#],
                ..CASE
            },
            Case {
                what: "the whole list removed",
                applied: r#"{"tasks":[{"task_key":"a"}]}"#,
                live: r#"{"tasks":[{"task_key":"a"},{"task_key":"b"}]}"#,
                changes: &[r#"tasks[task_key=a] removed {"task_key": "a"} → -"#, r#"tasks[task_key=b] removed {"task_key": "b"} → -"#],
                ..CASE
            },
            Case {
                what: "deleted behind our back and changed in YAML",
                desired: r#"{"tasks":[{"task_key":"a","run_if":"ALL_DONE"}]}"#,
                applied: r#"{"tasks":[{"task_key":"a"}]}"#,
                live: r#"{"tasks":[]}"#,
                changes: &[r#"tasks[task_key=a] conflict - → {"task_key": "a", "run_if": "ALL_DONE"}"#],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn sets_and_plain_lists() {
    check(
        &[
            Case {
                what: "a set has no order",
                desired: r#"{"email_notifications":{"on_failure":["a","b"]}}"#,
                applied: r#"{"email_notifications":{"on_failure":["a","b"]}}"#,
                live: r#"{"email_notifications":{"on_failure":["b","a"]}}"#,
                ..CASE
            },
            Case {
                what: "a set names its items",
                desired: r#"{"email_notifications":{"on_failure":["a","b","n"]}}"#,
                applied: r#"{"email_notifications":{"on_failure":["a","b","o"]}}"#,
                live: r#"{"email_notifications":{"on_failure":["x","a","o"]}}"#,
                changes: &[
                    r#"email_notifications.on_failure drift - → "b""#,
                    r#"email_notifications.on_failure changed - → "n""#,
                    r#"email_notifications.on_failure drift "x" → -"#,
                    r#"email_notifications.on_failure removed "o" → -"#,
                ],
                ..CASE
            },
            Case {
                what: "a plain list has order",
                desired: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["b","a"]}}]}"#,
                changes: &[r#"tasks[task_key=t].spark_jar_task.parameters drift ["b", "a"] → ["a", "b"]"#],
                ..CASE
            },
            Case {
                what: "a plain list names its items",
                desired: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","c"]}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                changes: &[
                    r#"tasks[task_key=t].spark_jar_task.parameters changed - → "c""#,
                    r#"tasks[task_key=t].spark_jar_task.parameters removed "b" → -"#,
                ],
                ..CASE
            },
            Case {
                what: "both changed a plain list",
                desired: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["c"]}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["b"]}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["x"]}}]}"#,
                changes: &[
                    r#"tasks[task_key=t].spark_jar_task.parameters conflict - → "c""#,
                    r#"tasks[task_key=t].spark_jar_task.parameters conflict "x" → -"#,
                ],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn json_inside_text() {
    check(
        &[
            Case {
                what: "spelling is nothing",
                desired: r#"{"description":"{\"a\": 1, \"rules\": [{\"id\": 1}, {\"id\": 2}]}"}"#,
                applied: r#"{"description":{"a":1,"rules":[{"id":1},{"id":2}]}}"#,
                live: r#"{"description":"{\"rules\":[{\"id\":2},{\"id\":1,\"x\":null}],\"a\":1.0}"}"#,
                ..CASE
            },
            Case {
                what: "paths inside, owned whole",
                desired: r#"{"description":"{\"a\":2,\"rules\":[{\"id\":1,\"v\":\"n\"}]}"}"#,
                applied: r#"{"description":"{\"a\":1,\"rules\":[{\"id\":1,\"v\":\"o\"}]}"}"#,
                live: r#"{"description":"{\"a\":1,\"rules\":[{\"id\":1,\"v\":\"o\",\"w\":1}],\"b\":3}"}"#,
                changes: &[
                    "description!a changed 1 → 2",
                    r#"description!rules[id=1].v changed "o" → "n""#,
                    "description!rules[id=1].w drift 1 → -",
                    "description!b drift 3 → -",
                ],
                ..CASE
            },
            Case {
                what: "not JSON: plain text",
                desired: r#"{"description":"now {x"}"#,
                applied: r#"{"description":"was {x"}"#,
                live: r#"{"description":"was {x"}"#,
                changes: &[r#"description changed "was {x" → "now {x""#],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn a_long_set_is_the_same_in_any_order() {
    let list = |names: &mut dyn Iterator<Item = String>| {
        let items: Vec<String> = names.map(|n| format!("{n:?}")).collect();
        super::value(&format!(r#"{{"email_notifications":{{"on_failure":[{}]}}}}"#, items.join(",")))
    };
    let desired = list(&mut (0..3000).map(|i| format!("p{i}@b.example")));
    let live = list(&mut (1..=3000).rev().map(|i| format!("p{i}@b.example")));
    let found = super::compare(&super::Compare { live: Some(&live), ..super::Compare::of(&super::SAMPLE, &desired) });
    assert_eq!(found.changes.len(), 2);
    let shown = super::lines(&found).join("\n");
    assert!(shown.contains("p0@b.example") && shown.contains("p3000@b.example"), "{shown}");
}
