//! Every diagnostic code that the source uses stands in the table, and the table holds no other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use brickform::diagnostic::codes;

use crate::rust_source::files;

/// Codes in quotes (`"E0107"`), with a place where each is used. Tests make up their own, so they are left out.
fn used() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    for path in files(&root) {
        let file = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        if file == "diagnostic/codes.rs" || file.ends_with("tests.rs") || file.contains("/tests/") {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a source file");
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            for word in code.split('"') {
                let digits = word.strip_prefix(['E', 'W']).unwrap_or_default();
                if digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) {
                    found.entry(word.to_owned()).or_insert_with(|| format!("src/{file}:{}", number + 1));
                }
            }
        }
    }
    found
}

#[test]
fn the_table_is_complete() {
    let used = used();
    let table: BTreeSet<&str> = codes::ALL.iter().map(|c| c.code).collect();
    let missing: Vec<_> = used.iter().filter(|(code, _)| !table.contains(code.as_str())).collect();
    let unused: Vec<_> = table.iter().filter(|code| !used.contains_key(**code)).collect();
    assert!(missing.is_empty(), "used and not explained: {missing:#?}");
    assert!(unused.is_empty(), "explained and never used: {unused:?}");
}

#[test]
fn the_table_reads_well() {
    let codes: Vec<&str> = codes::ALL.iter().map(|c| c.code).collect();
    let mut sorted = codes.clone();
    sorted.sort_by_key(|c| (&c[1..], &c[..1]));
    sorted.dedup();
    assert_eq!(codes, sorted, "sorted by number, each once");
    for code in codes::ALL {
        assert!(!code.title.is_empty() && !code.title.ends_with('.'), "{}: a title is no sentence", code.code);
        assert!(code.explain.len() > 60 && code.explain.ends_with(['.', '`']), "{}: say why and what to do", code.code);
        assert!(code.explain.matches('`').count() >= 2, "{}: show what is meant by an example, `as it is written`", code.code);
    }
}
