//! No arrow runs up: every `crate::` path of every source file, wherever it stands, leads to the same floor or a lower one.

use std::path::Path;

use crate::rust_source::{Word, files, words};

/// The floors, from the bottom.
const FLOORS: &[&str] = &[
    "diagnostic",
    "model",
    "yaml",
    "catalogue",
    "kinds",
    "diff",
    "project",
    "client",
    "local",
    "state",
    "refresh",
    "plan",
    "apply",
    "export",
    "report",
    "cli",
];

/// What the embedded workspace may know: the API's data and the client's words, never what Brickform believes or wants.
const LOCAL_KNOWS: &[&str] = &["diagnostic", "model", "yaml", "catalogue", "client"];

/// Who may know the embedded workspace; tests may too.
const KNOW_LOCAL: &[&str] = &["cli"];

/// A path from one floor to another.
#[derive(Debug, PartialEq, Eq)]
struct Arrow {
    from: String,
    to: String,
    line: usize,
    in_tests: bool,
}

impl Arrow {
    /// Why it must not be.
    fn wrong(&self) -> Option<String> {
        let Self { from, to, .. } = self;
        if from == to {
            return None;
        }
        let floor = |name: &str| FLOORS.iter().position(|f| *f == name);
        let Some(to_floor) = floor(to) else { return Some(format!("`{to}` is no floor of the house")) };
        let from_floor = floor(from)?;
        if to_floor > from_floor {
            return Some(format!("`{from}` knows nothing of `{to}`, which is above it"));
        }
        if from == "local" && !LOCAL_KNOWS.contains(&to.as_str()) {
            return Some(format!("the embedded workspace knows nothing of `{to}`"));
        }
        if to == "local" && !KNOW_LOCAL.contains(&from.as_str()) && !self.in_tests {
            return Some(format!("`{from}` knows nothing of the embedded workspace"));
        }
        None
    }
}

/// All arrows of a file; `file` is its path below `src`, with `/`.
fn arrows(file: &str, source: &str) -> Vec<Arrow> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    let Some(floor) = module.first().filter(|_| file.contains('/')).cloned() else { return Vec::new() };
    let words = words(source);
    let mut found = Vec::new();
    let mut inline: Vec<usize> = Vec::new(); // depth of braces at which each inline module was opened
    let mut depth = 0;
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).map(|w| w.text.as_str());
        match word.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inline.last() == Some(&depth) {
                    inline.pop();
                    module.pop();
                }
            }
            "mod" if words.get(i + 2).is_some_and(|w| w.text == "{") => {
                inline.push(depth);
                module.extend(next.map(str::to_owned));
            }
            "crate" | "brickform" | "super" | "self" if next == Some("::") && (i == 0 || words[i - 1].text != "::") => {
                let in_tests = module.iter().any(|m| m == "tests");
                for (to, line) in targets(&words, i, Some(&module)).0 {
                    found.push(Arrow { from: floor.clone(), to, line, in_tests });
                }
            }
            _ => {}
        }
    }
    found
}

/// The floors that the path at `at` leads to, and where the path ends. `base`: the module that it starts from; none where
/// it leads nowhere near the root.
fn targets(words: &[Word], at: usize, base: Option<&[String]>) -> (Vec<(String, usize)>, usize) {
    let Some(word) = words.get(at) else { return (Vec::new(), at) };
    let continues = words.get(at + 1).is_some_and(|w| w.text == "::");
    let base: Option<Vec<String>> = match (word.text.as_str(), base) {
        ("crate" | "brickform", _) => Some(Vec::new()),
        ("super", Some(base)) => base.split_last().map(|(_, above)| above.to_vec()),
        ("self", Some(base)) => Some(base.to_vec()),
        ("{", base) => {
            let mut found = Vec::new();
            let mut at = at + 1;
            while words.get(at).is_some_and(|w| w.text != "}") {
                let (more, end) = targets(words, at, base);
                found.extend(more);
                at = end.max(at + 1);
                while words.get(at).is_some_and(|w| !matches!(w.text.as_str(), "," | "}")) {
                    at += 1; // `as name`
                }
                at += usize::from(words.get(at).is_some_and(|w| w.text == ","));
            }
            return (found, at + 1);
        }
        (name, Some([])) => {
            // `crate::Name` of the root and `crate::*` would hide where they lead: `wrong` refuses what is no floor.
            let found = vec![(name.to_owned(), word.line)];
            return (found, if continues { targets(words, at + 2, None).1 } else { at + 1 });
        }
        (_, _) => None,
    };
    if continues { targets(words, at + 2, base.as_deref()) } else { (Vec::new(), at + 1) }
}

fn wrong(file: &str, source: &str) -> Vec<String> {
    arrows(file, source).iter().filter_map(|a| a.wrong().map(|why| format!("src/{file}:{}: {why}", a.line))).collect()
}

#[test]
fn no_arrow_runs_up() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let empty: Vec<&&str> = FLOORS.iter().filter(|floor| !source.join(floor).is_dir()).collect();
    assert!(empty.is_empty(), "floors without a folder: {empty:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    let mut seen = 0;
    for path in files(&root) {
        let file = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        let source = std::fs::read_to_string(&path).expect("a source file");
        seen += arrows(&file, &source).len();
        all.extend(wrong(&file, &source));
        let floor = file.split('/').next().unwrap_or_default();
        assert!(!file.contains('/') || FLOORS.contains(&floor), "src/{floor} is no floor: add it to the list, in its place");
    }
    assert!(seen > 100, "only {seen} arrows were seen: the check sees nothing");
    assert!(all.is_empty(), "arrows run up:\n{}", all.join("\n"));
}

#[test]
fn planted_arrows_are_found() {
    for (file, source, want) in [
        ("model/value.rs", "use crate::plan::Plan;", &["`plan`"][..]),
        ("model/value.rs", "fn f() { let x: crate::apply::Step = y; }", &["`apply`"]),
        ("model/value.rs", "use crate::{diagnostic, kinds::{Kind, Call}};", &["`kinds`"]),
        ("model/value.rs", "use crate::{\n    diagnostic,\n    kinds as k,\n    client,\n};", &["`kinds`", "`client`"]),
        ("model/value.rs", "use super::super::plan::Plan;", &["`plan`"]),
        ("model/mod.rs", "pub use super::plan::Plan;", &["`plan`"]),
        ("model/mod.rs", "use super::{plan, diagnostic};", &["`plan`"]),
        ("model/value.rs", "mod tests { use super::super::super::plan; }", &["`plan`"]),
        ("model/value.rs", "mod a { fn f() {} mod b {} } use super::super::plan;", &["`plan`"]),
        ("model/value.rs", "use super::{super::plan::{self, Plan}, Path};", &["`plan`"]),
        ("model/value.rs", "use crate::*;", &["`*` is no floor"]),
        ("model/value.rs", "pub(in crate::plan) fn f() {}", &["`plan`"]),
        ("model/value.rs", "use brickform::cli;", &["`cli`"]),
        ("local/store.rs", "use crate::kinds::Kind;", &["embedded workspace knows nothing of `kinds`"]),
        ("local/services/jobs.rs", "fn f() { crate::diff::x() }", &["nothing of `diff`"]),
        ("local/store.rs", "use crate::state;", &["`state`, which is above"]),
        ("refresh/read.rs", "use crate::local::Workspace;", &["nothing of the embedded workspace"]),
    ] {
        let found = wrong(file, source);
        assert_eq!(found.len(), want.len(), "{source:?}: {found:?}");
        for (found, want) in found.iter().zip(want) {
            assert!(found.contains(want), "{source:?}: {found:?}");
        }
    }
}

#[test]
fn arrows_that_run_down_pass() {
    for (file, source) in [
        ("cli/mod.rs", "use crate::{local, apply::run}; use crate::model::Outside;"),
        ("model/value.rs", "use super::{Deferred, Path}; use crate::diagnostic::Span; use self::x::y;"),
        ("model/value.rs", "// use crate::plan;\nconst X: &str = \"crate::plan\"; /// [`crate::plan`]\nfn f() {}"),
        ("refresh/read.rs", "mod tests { use crate::local::Workspace; }"),
        ("refresh/tests.rs", "use crate::local::Workspace;"),
        ("local/serve.rs", "use crate::client::Request; use crate::catalogue; use super::store;"),
        ("main.rs", "use brickform::cli;"),
    ] {
        assert_eq!(wrong(file, source), Vec::<String>::new(), "{source:?}");
    }
}
