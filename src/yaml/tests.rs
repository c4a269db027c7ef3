//! Texts and what they are read as.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Data, Node, Style, parse};
use crate::diagnostic::{Diagnostic, Source};
use crate::model::Value;

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() })
}

fn read(text: &str) -> Vec<Value> {
    parse(&source(text)).unwrap_or_else(|e| panic!("{text:?}: {}", brief(&e))).iter().map(Node::value).collect()
}

fn refused(text: &str) -> Vec<Diagnostic> {
    parse(&source(text)).expect_err(text)
}

/// `CODE line:column «text under the primary label» message` and the patched text, a line each.
fn brief(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let span = &d.labels[0].span;
        let (line, column) = span.line_column();
        let _ = write!(out, "{} {line}:{column} «{}»", d.code, &span.source.text[span.start as usize..span.end as usize]);
        for patch in &d.patches {
            let _ = write!(out, " → {}", patch.text);
        }
        out.push('\n');
    }
    out
}

/// The text with all patches done.
fn patched(text: &str) -> String {
    let mut patches: Vec<_> = refused(text).into_iter().flat_map(|d| d.patches).collect();
    patches.sort_by_key(|p| std::cmp::Reverse(p.span.start));
    let mut text = text.to_owned();
    for patch in patches {
        text.replace_range(patch.span.start as usize..patch.span.end as usize, &patch.text);
    }
    text
}

#[test]
fn reads_values_as_json() {
    for (text, json) in [
        ("", ""),
        ("# nothing\n", ""),
        ("---\n# nothing\n---\na: 1\n", r#"{"a":1}"#),
        ("a: 1\n---\nb: [x, 'y', \"z\\n\"]\n", r#"{"a":1} {"b":["x","y","z\n"]}"#),
        ("a:\nb: ~\nc: ''\nd: 0\ne: false\nf: []\ng: {}\n", r#"{"a":null,"b":null,"c":"","d":0,"e":false,"f":[],"g":{}}"#),
        (
            "a: yes\nb: on\nc: 1.10\nd: 0x1f\ne: 9007199254740993\nf: 2024-01-01\n",
            r#"{"a":"yes","b":"on","c":1.1,"d":31,"e":9007199254740993,"f":"2024-01-01"}"#,
        ),
        ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", r#"{"a":"x\ny\n","b":"x y"}"#),
        ("a: !!str 5\nb: !!int 7\nc: ! 5\n", r#"{"a":"5","b":7,"c":"5"}"#),
        ("{\n\t\"a\": [1,\n\t\t2],\n\t\"b\": \"\\ud83d\\ude00\"}", r#"{"a":[1,2],"b":"😀"}"#),
        ("name: ${catalog}-x\nq: \"{{job.id}}\"\n", r#"{"name":"${catalog}-x","q":"{{job.id}}"}"#),
        ("a: &x {k: 1}\nb: *x\nc: [*x, *x]\n", r#"{"a":{"k":1},"b":{"k":1},"c":[{"k":1},{"k":1}]}"#),
        ("b: &b {x: 1, y: 1}\nc:\n  first: 0\n  <<: *b\n  y: 2\n", r#"{"b":{"x":1,"y":1},"c":{"first":0,"x":1,"y":2}}"#),
        ("b: &b {x: 1}\nc: &c {x: 2, z: 3}\nd:\n  <<: [*b, *c]\n", r#"{"b":{"x":1},"c":{"x":2,"z":3},"d":{"x":1,"z":3}}"#),
        ("a:\n  \"<<\": 1\n", r#"{"a":{"<<":1}}"#),
        ("1: a\ntrue: b\n", r#"{"1":"a","true":"b"}"#),
        ("a: &x 1\n---\na: &x 2\nb: *x\n", r#"{"a":1} {"a":2,"b":2}"#),
    ] {
        let found: Vec<String> = read(text).iter().map(crate::model::json::display).collect();
        assert_eq!(found.join(" ").replace("\": ", "\":").replace(", ", ","), json, "{text:?}");
    }
}

#[test]
fn refuses_with_a_place() {
    for (text, want) in [
        ("a: 1\nb: 2\na: 3\nb: 4\n", "E0003 3:1 «a»\nE0003 4:1 «b»\n"),
        ("a:\n  x: 1\n  x: 2\nb: {y: 1, \"y\": 2}\n", "E0003 3:3 «x»\nE0003 4:11 «\"y\"»\n"),
        ("a: &a {}\nb:\n  <<: *a\n  <<: *a\n", "E0003 4:3 «<<»\n"),
        ("a: 1\na: 2\nb: [\n", "E0003 2:1 «a»\nE0013 3:4 «[»\n"),
        ("a:\n\tb: 1\n", "E0002 2:1 «\t» →   \n"),
        ("a:\n  b: 1\n\tc: 2\n", "E0002 3:1 «\t» →   \n"),
        // As deep as the lines around it want.
        ("a:\n  b:\n\tc: 1\n    d: 2\n", "E0002 3:1 «\t» →     \n"),
        ("a:\n    b: 1\n    c:\n\td: 1\n", "E0002 4:1 «\t» →         \n"),
        ("a:\n  - b: 1\n\tc: 2\n", "E0002 3:1 «\t» →     \n"),
        ("a:\n  - b\n\t- c\n", "E0002 3:1 «\t» →   \n"),
        ("a: *no\n", "E0006 1:4 «*no»\n"),
        ("base: &base {}\na: *bsae\n", "E0006 2:4 «*bsae» → *base\n"),
        ("a: &r [*r]\n", "E0006 1:8 «*r»\n"),
        ("a: !foo 1\n", "E0007 1:4 «!foo»\n"),
        ("a: !vault {b: 1}\n", "E0007 1:4 «!vault»\n"),
        ("a: !!int x\n", "E0007 1:10 «x»\n"),
        ("a: !!binary aGk=\n", "E0007 1:4 «!!binary»\n"),
        ("a:\n  <<: 1\n", "E0008 2:7 «1»\n"),
        ("b: &b {}\na:\n  <<: [*b, 2]\n", "E0008 3:12 «2»\n"),
        ("? [a]\n: b\n", "E0010 1:3 «[a]»\n"),
        (": b\n", "E0010 1:1 «»\n"),
        ("a: \"x\nb: 1\n", "E0011 1:4 «\"»\n"),
        ("a:\n  n: 'x\n  b: 1\n", "E0011 2:6 «'»\n"),
        ("a: 'x' y\n", "E0011 1:8 «y»\n"),
        ("a: \"C:\\data\"\n", "E0011 1:7 «\\d»\n"),
        ("a: [1, 2\nb: 3\n", "E0013 2:2 «:»\n"),
        ("a: {b: 1\nc: 3\n", "E0013 2:2 «:»\n"),
        ("a: [é: 1 b: 2\n", "E0013 1:11 «:»\n"),
        ("a: ]\n", "E0013 1:4 «]»\n"),
        // A conflict is told alone, once each, at its first marker.
        ("a: 1\n<<<<<<< HEAD\nb: [\n=======\nb: 2\n>>>>>>> other\n", "E0014 2:1 «<<<<<<< HEAD»\n"),
        ("<<<<<<< ours\r\na: 1\r\n||||||| base\r\na: 0\r\n=======\r\na: 2\r\n>>>>>>> b\r\na: 1\r\n", "E0014 1:1 «<<<<<<< ours»\n"),
        (
            "<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n<<<<<<< a\n=======\ny: 1\n>>>>>>> b\n",
            "E0014 1:1 «<<<<<<< a»\nE0014 6:1 «<<<<<<< a»\n",
        ),
        ("a: @x # c\n", "E0001 1:4 «@x» → \"@x\"\n"),
        ("a: %x\n", "E0001 1:4 «%x» → \"%x\"\n"),
        ("a: b: c\n", "E0012 1:5 «:» → \"b: c\"\n"),
        ("a:\n  b: 1\n   c: 2\n", "E0012 3:4 «c»\n"),
        ("a:\n  b: 1\n c: 2\n", "E0012 3:2 «c: 2»\n"),
        ("a: x\n- b\n", "E0012 2:1 «- b»\n"),
        ("- a\nb: c\n", "E0012 2:1 «b: c»\n"),
        ("jobs:\n  nightly\n    name: x\n", "E0012 3:5 «name»\n"),
        ("jobs:\n  nightly:\n    name x\n    other: y\n", "E0012 4:5 «other»\n"),
    ] {
        assert_eq!(brief(&refused(text)), want, "{text:?}");
    }
}

#[test]
fn slips_of_the_pen_are_mended() {
    for (text, want, mended) in [
        // A colon without its blank, or none at all.
        ("a:\n  b:c\n  d: e\n", "E0012 2:3 «b:» → : \n", "a:\n  b: c\n  d: e\n"),
        ("a:\n  b: c\n  d:e\n  f: g\n", "E0012 3:3 «d:» → : \n", "a:\n  b: c\n  d: e\n  f: g\n"),
        ("- a:b\n  c:d\n  e: f\n", "E0012 1:3 «a:» → : \nE0012 2:3 «c:» → : \n", "- a: b\n  c: d\n  e: f\n"),
        ("a:\n  b= c\n  d: e\n", "E0012 2:4 «=» → : \n", "a:\n  b: c\n  d: e\n"),
        ("a:\n  b\u{ff1a}c\n  d: e\n", "E0012 2:4 «\u{ff1a}» → : \n", "a:\n  b: c\n  d: e\n"),
        // Signs that look like blanks.
        ("a:\n  b:\u{a0}c\n  d: e\n", "E0012 2:5 «\u{a0}» → : \n", "a:\n  b: c\n  d: e\n"),
        ("a:\n  b: c\n \u{a0}d: e\n", "E0012 3:2 «\u{a0}» →  \n", "a:\n  b: c\n  d: e\n"),
        ("a:\n  - b\n  -\u{a0}c\n", "E0012 3:4 «\u{a0}» →  \n", "a:\n  - b\n  - c\n"),
        // Dashes.
        ("a:\n  - b\n  -c.d\n  - e\n", "E0012 3:3 «-» → - \n", "a:\n  - b\n  - c.d\n  - e\n"),
        ("a:\n  - b\n  – c?\n  — d\n", "E0012 3:3 «–» → - \nE0012 4:3 «—» → - \n", "a:\n  - b\n  - c?\n  - d\n"),
        ("a:\n  - b\n  * c\n", "E0012 3:3 «*» → - \n", "a:\n  - b\n  - c\n"),
        // Brackets and signs at the beginning.
        ("a:\n  - [EU] which?\n", "E0012 2:10 «w» → \"[EU] which?\"\n", "a:\n  - \"[EU] which?\"\n"),
        ("a:\n  - b\n  - {EU} which?\n", "E0012 3:10 «w» → \"{EU} which?\"\n", "a:\n  - b\n  - \"{EU} which?\"\n"),
        ("a: [Note] Round # c\nb: 1\n", "E0012 1:11 «R» → \"[Note] Round\"\n", "a: \"[Note] Round\" # c\nb: 1\n"),
        ("a:\n  - !Which one?\n", "E0007 2:5 «!Which» → \"!Which one?\"\n", "a:\n  - \"!Which one?\"\n"),
        // Texts in braces.
        (
            "a: [{b: c, d: x IN ('e', 'f')}]\n",
            "E0009 1:15 «x IN ('e', 'f')» → \"x IN ('e', 'f')\"\n",
            "a: [{b: c, d: \"x IN ('e', 'f')\"}]\n",
        ),
        ("- { d: x[0], b: c }\n", "E0009 1:8 «x[0]» → \"x[0]\"\n", "- { d: \"x[0]\", b: c }\n"),
        // Text beside its key.
        (
            "a:\n  b: |\n  One two.\n\n  Three.\n  c: d\n",
            "E0012 3:3 «One two.» →     One two.\n\n    Three.\n",
            "a:\n  b: |\n    One two.\n\n    Three.\n  c: d\n",
        ),
        (
            "a:\n  b: >-\n  - One.\n  - Two.\nc: d\n",
            "E0012 3:3 «- One.» →     - One.\n    - Two.\n",
            "a:\n  b: >-\n    - One.\n    - Two.\nc: d\n",
        ),
        (
            "- a: b\n  sql: SELECT 1\n  FROM c\n  WHERE d\n  e: f\n",
            "E0012 3:3 «FROM c» → |\n    SELECT 1\n    FROM c\n    WHERE d\n",
            "- a: b\n  sql: |\n    SELECT 1\n    FROM c\n    WHERE d\n  e: f\n",
        ),
    ] {
        assert_eq!(brief(&refused(text)), want, "{text:?}");
        assert_eq!(patched(text), mended, "{text:?}");
        assert!(parse(&source(mended)).is_ok(), "{mended:?}");
    }
}

#[test]
fn says_quote_this_where_braces_broke_it() {
    for (text, want, mended) in [
        ("a: {x: ${b}}\n", "E0009 1:8 «${b}» → \"${b}\"\n", "a: {x: \"${b}\"}\n"),
        ("a: [${b}, ${c}-d]\n", "E0009 1:5 «${b}» → \"${b}\"\nE0009 1:11 «${c}-d» → \"${c}-d\"\n", "a: [\"${b}\", \"${c}-d\"]\n"),
        ("a: {{job.id}}\n", "E0009 1:4 «{{job.id}}» → \"{{job.id}}\"\n", "a: \"{{job.id}}\"\n"),
        ("a: {{job.id}}-x # c\n", "E0009 1:4 «{{job.id}}-x» → \"{{job.id}}-x\"\n", "a: \"{{job.id}}-x\" # c\n"),
        ("- {{secrets/scope/key}}\n", "E0009 1:3 «{{secrets/scope/key}}» → \"{{secrets/scope/key}}\"\n", "- \"{{secrets/scope/key}}\"\n"),
        ("a: {b: {{x}}}\n", "E0009 1:8 «{{x}}» → \"{{x}}\"\n", "a: {b: \"{{x}}\"}\n"),
        ("a: ${ {\"k\": 1}.k }\n", "E0009 1:4 «${ {\"k\": 1}.k }» → '${ {\"k\": 1}.k }'\n", "a: '${ {\"k\": 1}.k }'\n"),
        ("a: ${x # y}\n", "E0009 1:4 «${x # y}» → \"${x # y}\"\n", "a: \"${x # y}\"\n"),
        ("a: \"${f(\"x\")}\"\n", "E0009 1:4 «\"${f(\"x\")}\"» → '${f(\"x\")}'\n", "a: '${f(\"x\")}'\n"),
        (
            "a: {\n  b: ${x},\n  c: 1\n}\nd: [${y}]\n",
            "E0009 2:6 «${x}» → \"${x}\"\nE0009 5:5 «${y}» → \"${y}\"\n",
            "a: {\n  b: \"${x}\",\n  c: 1\n}\nd: [\"${y}\"]\n",
        ),
        (
            "a: [\"${f(\"x\")}\", ${b}]\n",
            "E0009 1:5 «\"${f(\"x\")}\"» → '${f(\"x\")}'\nE0009 1:18 «${b}» → \"${b}\"\n",
            "a: ['${f(\"x\")}', \"${b}\"]\n",
        ),
    ] {
        assert_eq!(brief(&refused(text)), want, "{text:?}");
        assert_eq!(patched(text), mended, "{text:?}");
        assert!(parse(&source(mended)).is_ok(), "{mended:?}");
    }
}

#[test]
fn a_patch_of_braces_is_offered_only_where_it_mends() {
    assert_eq!(brief(&refused("a: [1\nb: ${x}\nc: 1\n")).lines().next(), Some("E0013 2:2 «:»"));
    assert_eq!(brief(&refused("n: \"${x}\nb: 2\n")), "E0011 1:4 «\"»\n");
}

#[test]
fn bombs_and_wells_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..30 {
        let _ = writeln!(bomb, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 10].join(", "));
    }
    assert_eq!(refused(&bomb)[0].code, "E0004");

    let long = format!("t: &t \"{}\"\nl: [{}]\n", "x".repeat(100_000), vec!["*t"; 2_000].join(", "));
    assert_eq!(refused(&long)[0].code, "E0004", "long text counts for more");

    for text in ["[".repeat(200), "- ".repeat(200), "{a: ".repeat(5_000), (0..300).fold(String::new(), |t, i| t + &" ".repeat(i) + "a:\n")]
    {
        assert_eq!(refused(&text)[0].code, "E0005", "{text:.20}");
    }
    let nested = format!("a: &a {}1{}\nb: &b {}*a{}\n", "[".repeat(100), "]".repeat(100), "[".repeat(100), "]".repeat(100));
    assert_eq!(refused(&nested)[0].code, "E0005", "depth by alias counts");
}

#[test]
fn spans_of_everything() {
    let text = "a: &x\n  b: |\n    one\n    two\n\n  # c\n  c: [1, {d: e}]\nf: *x\ng:\n- h\n";
    let documents = parse(&source(text)).expect("reads");
    let cut = |n: &Node| &text[n.span.start as usize..n.span.end as usize];
    let a = documents[0].get("a").expect("a");
    assert_eq!(cut(a), "b: |\n    one\n    two\n\n  # c\n  c: [1, {d: e}]");
    assert_eq!(cut(a.get("b").expect("b")), "one\n    two");
    assert_eq!(cut(a.get("c").expect("c")), "[1, {d: e}]");
    assert_eq!(cut(documents[0].get("g").expect("g")), "- h");
    assert_eq!(documents[0].get("f").map(cut), Some(cut(a)), "an alias has the span of its anchor");
    assert_eq!(documents[0].entry("f").map(|e| e.key_span.line_column()), Some((8, 1)));
}

/// Every node and key lies within the text, inside its parent, and a plain scalar of one line spells its text.
fn check(node: &Node, text: &str) -> Result<(), TestCaseError> {
    let raw = text.get(node.span.start as usize..node.span.end as usize);
    prop_assert!(raw.is_some(), "{:?}", node.span);
    match &node.data {
        Data::Scalar(s) => {
            if s.style == Style::Plain && !s.forced_text && raw.is_some_and(|r| !r.contains('\n') && !r.contains('\r')) {
                let raw = raw.unwrap_or_default();
                prop_assert!(raw == s.text || raw.starts_with(['"', '\'']), "{raw:?} {:?}", s.text);
            }
        }
        Data::List(items) => items.iter().try_for_each(|n| check(n, text))?,
        Data::Map(entries) => {
            let mut keys: Vec<_> = entries.iter().map(|e| &e.key).collect();
            keys.sort();
            keys.dedup();
            prop_assert_eq!(keys.len(), entries.len());
            for entry in entries {
                prop_assert!(text.get(entry.key_span.start as usize..entry.key_span.end as usize).is_some());
                check(&entry.value, text)?;
            }
        }
    }
    Ok(())
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    match parse(&source(text)) {
        Ok(documents) => documents.iter().try_for_each(|n| check(n, text)),
        Err(diagnostics) => {
            prop_assert!(!diagnostics.is_empty());
            for d in &diagnostics {
                prop_assert!(!d.labels.is_empty(), "{d:?}");
                for span in d.labels.iter().map(|l| &l.span).chain(d.patches.iter().map(|p| &p.span)) {
                    prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{} {span:?}", d.code);
                }
            }
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        holds(&text)?;
    }

    #[test]
    fn any_soup_of_yaml_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "a", "b", "é", "name", ":", ": ", "- ", "-", "\n", "\n  ", "\n    ", " ", "\t", "[", "]", "{", "}", ",", ", ", "\"", "'", "|\n", ">-\n",
            "${", "}", "{{", "}}", "${x}", "{{y}}", "&a ", "*a", "<<: ", "!!str ", "!x ", "# c", "---\n", "...\n", "%", "@", "\\", "1", "null", "? ", "\r\n",
        ]), 0..40)
    ) {
        holds(&words.concat())?;
    }
}
