//! Splices: a table of edits, and random trees with comments under random edits.

#![expect(clippy::format_push_string, reason = "a test writes as it reads best")]

use std::sync::Arc;

use proptest::prelude::*;

use super::splice::{Edit, Refusal, edits_to, splice};
use super::{Node, parse};
use crate::diagnostic::Source;
use crate::model::{Path, Step, Value};

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() })
}

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn value(text: &str) -> Value {
    parse(&source(text)).unwrap().first().map_or(Value::Null, Node::value)
}

fn set(at: &str, to: &str) -> Edit {
    Edit::Set(path(at), value(to))
}

fn remove(at: &str) -> Edit {
    Edit::Remove(path(at))
}

fn insert(at: &str, nth: usize, item: &str) -> Edit {
    Edit::Insert(path(at), nth, value(item))
}

#[test]
fn edits_leave_the_rest_as_it_is() {
    let table: Vec<(&str, Edit, &str)> = vec![
        ("a: 1 # one\nb: 2\n", set("a", "3"), "a: 3 # one\nb: 2\n"),
        ("a: 'x' # one\n", set("a", "y"), "a: 'y' # one\n"),
        ("a: \"x\"\n", set("a", "y"), "a: \"y\"\n"),
        ("a: x\n", set("a", "\"yes\""), "a: \"yes\"\n"),
        ("a: |-\n  x\n  y \nb: 1\n", set("a", "\"z\\ny \""), "a: |-\n  z\n  y \nb: 1\n"),
        ("a: |-\r\n  x\r\n  y \r\nb: 1\r\n", set("a", "\"z\\ny \""), "a: |-\r\n  z\r\n  y \r\nb: 1\r\n"),
        ("a: x\r\nb: 1\r\n", set("c", "2"), "a: x\r\nb: 1\r\nc: 2\r\n"),
        ("a:\n  b: 1\n  # end of a\nc: 1\n", set("a.d", "2"), "a:\n  b: 1\n  d: 2\n  # end of a\nc: 1\n"),
        ("a:\n    b: 1\n", set("a.d", "{x: [1]}"), "a:\n    b: 1\n    d:\n      x:\n        - 1\n"),
        ("a: { b: 1 }\n", set("a.c", "2"), "a: { b: 1, c: 2 }\n"),
        ("a: {}\n", set("a.c", "2"), "a: { c: 2 }\n"),
        ("a:\nb: 1\n", set("a", "2"), "a: 2\nb: 1\n"),
        ("a:\nb: 1\n", set("a.c", "2"), "a:\n  c: 2\nb: 1\n"),
        ("a: [1, 2]\n", insert("a", 1, "9"), "a: [1, 9, 2]\n"),
        ("a: [1, 2]\n", remove("a[0]"), "a: [2]\n"),
        ("a: [1, 2]\n", remove("a[1]"), "a: [1]\n"),
        ("a: [1]\n", remove("a[0]"), "a: []\n"),
        ("a:\n  - x: 1 # first\n    y: 2\n  # second\n  - x: 2\n", remove("a[0]"), "a:\n  # second\n  - x: 2\n"),
        ("a:\n  - x: 1\n    y: 2\n", remove("a[0].x"), "a:\n  - y: 2\n"),
        ("a:\n- 1\n- 2\n", insert("a", 2, "3"), "a:\n- 1\n- 2\n- 3\n"),
        ("a:\n- 1 # c\n- 2\n", insert("a", 0, "{b: 3}"), "a:\n- b: 3\n- 1 # c\n- 2\n"),
        ("a:\n  - { a: x, b: z } # c\n", insert("a", 1, "{a: z, b: z}"), "a:\n  - { a: x, b: z } # c\n  - { a: z, b: z }\n"),
        ("a: |\n  one\n  two\nb: 1\n", set("a", "\"one\\nthree\\n\""), "a: |\n  one\n  three\nb: 1\n"),
        ("a: x\nb: 1\n", set("a", "\"one\\ntwo\\n\""), "a: |\n  one\n  two\nb: 1\n"),
        ("a: x # c\nb: 1\n", set("a", "\"one\\ntwo\\n\""), "a: \"one\\ntwo\\n\" # c\nb: 1\n"),
        ("a:\n  b: 1\n  c: 2\n", set("a", "5"), "a: 5\n"),
        ("a: 1\n", set("b", "1"), "a: 1\nb: 1\n"),
        ("a: 1", set("b", "1"), "a: 1\nb: 1"),
        ("# only a comment\n", set("b.c", "1"), "# only a comment\nb:\n  c: 1\n"),
        ("", set("b", "1"), "b: 1\n"),
        ("a: 1\nb: 2\n", remove("b"), "a: 1\n"),
        ("a: &x { b: 1 }\nc: *x\n", set("c.b", "2"), "a: &x { b: 1 }\nc:\n  b: 2\n"),
        ("a: &x\n  b: 1\nc:\n  <<: *x\n  d: 1\n", set("c.b", "2"), "a: &x\n  b: 1\nc:\n  <<: *x\n  d: 1\n  b: 2\n"),
        ("a: &x\n  b: 1\nc:\n  <<: *x\n", set("c.b", "2"), "a: &x\n  b: 1\nc:\n  <<: *x\n  b: 2\n"),
        ("a:\n  b:\n    - 1\n", remove("a.b[0]"), "a:\n  b: []\n"),
        ("a:\n  b: 1\n", remove("a.b"), "a: {}\n"),
        ("{}\n", set("a", "1"), "{ a: 1 }\n"),
        ("a: ${x}\n", set("a", "'${y}'"), "a: \"${y}\"\n"),
    ];
    for (before, edit, after) in table {
        assert_eq!(splice(&source(before), 0, std::slice::from_ref(&edit)).as_deref(), Ok(after), "{before}{edit:?}");
    }
}

#[test]
fn json_stays_json() {
    let source = Source { name: "a.json".to_owned(), text: "{\n  \"a\": {\n    \"b\": \"x\"\n  }\n}\n".to_owned() };
    let edits = [set("a.c", "y"), set("a.b", "z"), set("d", "[1, {e: f}]")];
    let text = splice(&source, 0, &edits).unwrap();
    assert_eq!(text, "{\n  \"a\": {\n    \"b\": \"z\",\n    \"c\": \"y\"\n  },\n  \"d\": [1, { \"e\": \"f\" }]\n}\n");
}

#[test]
fn what_others_share_is_not_changed_for_them() {
    let text = "a: &x { b: 1 }\nc: [*x]\n";
    assert!(matches!(splice(&source(text), 0, &[set("c[0].b", "2")]), Err(Refusal::Shared(_) | Refusal::Misread(_))));
    assert_eq!(splice(&source(text), 0, &[remove("q")]), Err(Refusal::Missing(path("q"))));
    let shared = splice(&source(text), 0, &[set("a.b", "2")]).expect_err("c would change too");
    assert!(matches!(&shared, Refusal::Anchored { name, line: 1, .. } if text.contains(&format!("&{name}"))), "{shared}");
}

#[test]
fn a_new_value_is_reached_by_small_edits() {
    let text = "tasks:\n  # first\n  - task_key: a\n    x: 1\n  # second\n  - task_key: b # bee\n    x: 1\ntags: { q: 1 }\n";
    let source = source(text);
    let new = value("tasks: [{task_key: b, x: 2}, {task_key: c}]\ntags: {q: 1, r: 2}\n");
    let edits = edits_to(&source, 0, &Path::root(), &new).unwrap();
    let spliced = splice(&source, 0, &edits).unwrap();
    assert_eq!(spliced, "tasks:\n  # first\n  # second\n  - task_key: b # bee\n    x: 2\n  - task_key: c\ntags: { q: 1, r: 2 }\n");
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (-99..99_i64).prop_map(Value::Int),
        Just(Value::Null),
        "[a-z ${}:#,'\"é-]{0,12}".prop_map(Value::Text),
        prop::sample::select(vec!["yes", "1.10", "a\nb\n", "select 1\n\nfrom x", "2024-01-01", "x: y", "- a", " lead\nx\n", "\n"])
            .prop_map(Value::text),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(("[a-d]|yes|x y", inner), 0..4).prop_map(Value::map),
        ]
    })
}

/// A tree as a person might have written it: comments, blank lines, braces here and there.
fn written(value: &Value, column: usize, dice: &mut impl FnMut() -> u32, out: &mut String) {
    let pad = " ".repeat(column);
    let remark = |dice: &mut dyn FnMut() -> u32, out: &mut String| match dice() % 4 {
        0 => out.push_str(&format!("{pad}# remark {}\n", dice() % 1000)),
        1 => out.push('\n'),
        _ => {}
    };
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (key, below) in map {
                remark(dice, out);
                out.push_str(&format!("{pad}{}", super::spell::key(key, super::spell::Dialect::Yaml)));
                child(below, column, dice, out);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for item in items {
                remark(dice, out);
                out.push_str(&format!("{pad}-"));
                child(item, column, dice, out);
            }
        }
        other => out.push_str(&format!("{pad}{}\n", super::spell::flow(other, super::spell::Dialect::Yaml))),
    }
}

fn child(value: &Value, column: usize, dice: &mut impl FnMut() -> u32, out: &mut String) {
    let nested = matches!(value, Value::Map(m) if !m.is_empty()) || matches!(value, Value::List(l) if !l.is_empty());
    if nested && !dice().is_multiple_of(3) {
        out.push_str(if dice().is_multiple_of(3) { " # here\n" } else { "\n" });
        let deeper = column + [2, 2, 4][dice() as usize % 3];
        written(value, deeper, dice, out);
    } else if let (Value::Text(text), true) = (value, dice().is_multiple_of(2))
        && super::spell::is_block_text(text)
    {
        out.push_str(&format!(" {}\n", super::spell::block_text(text, column + 3)));
    } else {
        let remark = if dice().is_multiple_of(3) { " # beside" } else { "" };
        out.push_str(&format!(" {}{remark}\n", super::spell::flow(value, super::spell::Dialect::Yaml)));
    }
}

/// Every place of a tree.
fn places(value: &Value, path: &Path, found: &mut Vec<Path>) {
    found.push(path.clone());
    match value {
        Value::Map(map) => map.iter().for_each(|(k, v)| places(v, &path.join(Step::Field(k.clone())), found)),
        Value::List(items) => items.iter().enumerate().for_each(|(i, v)| places(v, &path.join(Step::Index(i)), found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_edits_read_back_and_touch_nothing_else(
        map in prop::collection::vec(("[a-d]", tree()), 1..4), seed in any::<u32>(), at in any::<prop::sample::Index>(), new in tree(), sort in 0..3_u8,
    ) {
        let tree = Value::map(map);
        let mut state = seed | 1;
        let mut dice = || { state ^= state << 13; state ^= state >> 17; state ^= state << 5; state };
        let mut text = String::new();
        written(&tree, 0, &mut dice, &mut text);
        let read = parse(&source(&text)).map_err(|d| TestCaseError::fail(format!("{d:?}\n{text}")))?;
        prop_assert_eq!(read.first().map(Node::value), Some(tree.clone()), "{}", text);
        let mut all = vec![];
        places(&tree, &Path::root(), &mut all);
        let at = all[at.index(all.len())].clone();
        let edit = match (sort, tree.at(&at)) {
            (0, Some(Value::List(items))) => Edit::Insert(at, seed as usize % (items.len() + 1), new),
            (0, Some(Value::Map(_))) => Edit::Set(at.join(Step::Field("zz".to_owned())), new),
            (1, _) if !at.is_root() => Edit::Remove(at),
            _ if at.is_root() => Edit::Set(Path::field("zz"), new),
            _ => Edit::Set(at, new),
        };
        // It checks by itself that what is read is what is meant; here: that it is done at all, and what else is touched.
        let after = splice(&source(&text), 0, std::slice::from_ref(&edit))
            .map_err(|refusal| TestCaseError::fail(format!("{refusal}\n{edit:?}\n{text}")))?;
        let same_start = text.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
        let same_end = text.bytes().rev().zip(after.bytes().rev()).take_while(|(a, b)| a == b).count();
        let holder = match &edit { Edit::Insert(path, ..) => path.clone(), Edit::Set(path, _) | Edit::Remove(path) => { let mut p = path.clone(); p.pop(); p } };
        let root = &read[0];
        if let super::place::Found::Node(seat) = super::place::find(root, &holder) {
            let start = text[..seat.node.span.start as usize].rfind('\n').map_or(0, |n| n + 1);
            let key_line = text[..start.saturating_sub(1)].rfind('\n').map_or(0, |n| n + 1);
            prop_assert!(same_start >= key_line.min(same_start + 1).min(text.len()) || same_start >= start || seat.node.items().len() + seat.node.entries().len() <= 1, "before {edit:?}\n{text}\n=>\n{after}");
            let end = seat.node.span.end as usize;
            let line_end = text[end..].find('\n').map_or(text.len(), |n| end + n);
            prop_assert!(text.len() - same_end <= line_end + 1, "behind {edit:?}\n{text}\n=>\n{after}");
        }
    }
}
