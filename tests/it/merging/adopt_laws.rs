//! Laws of `adopt --write`: random edits of YAML that were not applied, random edits in the UI. Nobody's edit is lost, unless it is
//! told; remarks and variables stay; the second time there is nothing to do.

use brickform::model::{Map, Value, json};
use brickform::yaml::emit;

use super::edits::{Edit, Form, beside, by_hand, edits, made, space};
use super::laws::seeds;
use super::{content_of, spaces};
use crate::adoption::Desk;
use crate::simulation::random::Random;

/// How many seeds are tried unless something else is said: each is a dozen commands.
const SEEDS: u64 = 12;

/// How a space is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Fields,
    File,
    Map,
    Text,
}

const WAREHOUSE: &str = "# ours\nwarehouses:\n  w: { name: w, cluster_size: Small } # small\nspaces:\n  s: # the space\n";

/// Tables under a variable: `main` is what it gives.
fn with_variables(text: &str) -> String {
    let line = |line: &str| match line.split_once("identifier: main.s.") {
        Some((before, name)) => format!("{before}identifier: \"${{catalog}}.s.{name}\" # a table\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// The files of a project with this space, and what it holds as the API gives it.
fn files(written: Written, space: &Value, definition: &Value, merge: bool) -> Vec<(&'static str, String)> {
    let merge = if merge { "    lifecycle: { merge: true } # both\n" } else { "" };
    let plain = |name: &str| space.get(name).cloned().map(|value| (name.to_owned(), value));
    let beside = Value::Map(["title", "description", "warehouse_id"].into_iter().filter_map(plain).collect::<Map>());
    let pretty = || json::write_pretty(definition).expect("JSON").replace("\"main.s.x", "\"${catalog}.s.x");
    let deeper = |text: &str| text.lines().map(|line| format!("      {line}\n")).collect::<Vec<_>>().concat();
    let body = match written {
        Written::Fields => with_variables(&emit(space, 4)),
        Written::File => format!("{}    serialized_space: {{ file: conf/s.json }} # pasted\n", emit(&beside, 4)),
        Written::Map => {
            format!("{}    serialized_space: # pasted\n{}", emit(&beside, 4), with_variables(&emit(definition, 6)))
        }
        Written::Text => format!("{}    serialized_space: | # pasted\n{}", emit(&beside, 4), deeper(&pretty())),
    };
    let mut all = vec![("conf/a.yaml", format!("{WAREHOUSE}{body}{merge}# the end\n"))];
    if written == Written::File {
        all.push(("conf/s.json", format!("{}\n", pretty())));
    }
    all
}

/// Edits of YAML in the API's form: the description stands beside.
fn pasted(space: &Value, definition: &Value, edits: &[Edit], random: &mut Random) -> (Value, Value) {
    let (mut space, mut definition) = (space.clone(), definition.clone());
    for edit in edits {
        match edit {
            Edit::Beside(..) => edit.make(&mut space, Form::Yaml, random),
            edit => edit.make(&mut definition, Form::Api, random),
        }
    }
    (space, definition)
}

fn write(desk: &Desk, files: &[(&'static str, String)]) {
    for (name, text) in files {
        desk.write(name, text);
    }
}

fn read(desk: &Desk) -> String {
    ["conf/a.yaml", "conf/s.json", "environments/local.yaml"].map(|name| desk.read(name)).concat()
}

fn in_the_ui(desk: &Desk, edits: &[Edit], random: &mut Random) {
    let workspace = desk.workspace();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(by_hand(&workspace, edits, random));
}

/// A space that nobody has touched, as the API gives it.
fn definition_of(space: &Value) -> Value {
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\nvariables: { catalog: { default: main } }\n");
    write(&desk, &files(Written::Fields, space, &Value::Null, false));
    desk.done(&["apply", "--yes"], "the space");
    content_of(&desk.workspace()).1
}

fn law(seed: u64, written: Written, tight: bool) {
    let mut random = Random::of(seed + 30_000);
    let base = space(&mut random);
    let merge = random.chance(500);
    let ours = edits(&base, "yaml", &[], tight, &mut random);
    let theirs = edits(&base, "ui", if tight { &[] } else { &ours }, tight, &mut random);
    let what = format!("seed {seed}, {written:?}, merge {merge}: {ours:?} {theirs:?}");
    let definition = if written == Written::Fields { Value::Null } else { definition_of(&base) };
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\nvariables: { catalog: { default: main } }\n");
    write(&desk, &files(written, &base, &definition, merge));
    desk.done(&["apply", "--yes"], &what);
    in_the_ui(&desk, &theirs, &mut random);
    let (now, content) = match written {
        Written::Fields => (made(&base, &ours, &mut random), Value::Null),
        _ => pasted(&base, &definition, &ours, &mut random),
    };
    write(&desk, &files(written, &now, &content, merge));
    let before = read(&desk);
    let (exit, said) = desk.run(&["adopt", "--write", "--all-drift", "--yes"]);
    let after = read(&desk);
    let told = format!("{what}\n{said}\n{after}");
    assert!(exit == 0 || (exit == 1 && said.contains("conflict")), "{told}");
    assert!(tight || exit == 0, "edits of different places are no conflict: {told}");
    for remark in ["# ours\n", "# small\n", "# the space\n", "# the end\n"] {
        assert!(after.contains(remark), "{remark}: {told}");
    }
    let variables = |text: &str| text.matches("${catalog}.s.x").count();
    let gone = theirs.iter().filter(|edit| matches!(edit, Edit::Remove(2, _))).count();
    assert!(variables(&after) + gone >= variables(&before), "{told}");
    // The second time there is nothing to do.
    let (again, more) = desk.run(&["adopt", "--write", "--all-drift", "--yes"]);
    assert_eq!(read(&desk), after, "{told}\n{more}");
    assert_eq!(again, exit, "{told}\n{more}");
    // YAML wins where both changed the same.
    let (exit, applied) = desk.run(&["apply", "--yes"]);
    assert_eq!(exit, 0, "{told}\n{applied}");
    let workspace = desk.workspace();
    assert_eq!(spaces(&workspace).len(), 1);
    let (_, there) = content_of(&workspace);
    let beside = beside(&workspace);
    drop(workspace);
    for edit in &ours {
        assert!(edit.holds(&there, &beside), "{edit:?} of YAML is lost: {told}\n{applied}");
    }
    for edit in &theirs {
        assert!(edit.holds(&there, &beside) || said.contains(edit.word()), "{edit:?} of the UI is lost: {told}\n{applied}");
    }
    desk.done(&["plan", "--detailed-exitcode"], &told);
}

#[test]
fn no_edit_of_anybody_is_lost_when_drift_is_written() {
    for seed in seeds(SEEDS) {
        law(seed, Written::Fields, seed % 2 == 0);
    }
}

#[test]
fn nor_in_a_definition_that_was_pasted() {
    for seed in seeds(SEEDS) {
        let written = [Written::File, Written::Map, Written::Text][usize::try_from(seed % 3).expect("small")];
        law(seed, written, seed % 2 == 0);
    }
}
