//! Every JSON document fits its published schema: what the tests print (`cli`), the corpus and the pages of the documentation
//! come by here. Readers of schemas are told to expect members that they do not know; here each member has to be named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use brickform::model::Outside;
use brickform::report::published;
use serde_json::Value as Json;

use super::cli::Project;

/// Commands whose JSON is no document of ours: a value, a state, a reply of the API, a schema.
const OTHERS: &[&str] = &["output ", "state pull", "space-", "schema json"];

/// Checks what a command printed, as far as it is JSON; gives the formats.
#[track_caller]
pub(super) fn hold(line: &str, printed: &str) -> Vec<String> {
    let mut seen = vec![];
    if !printed.starts_with('{') {
        return seen;
    }
    let other = OTHERS.iter().any(|other| line.contains(other));
    for document in serde_json::Deserializer::from_str(printed).into_iter::<Json>() {
        let Ok(document) = document else { break };
        let sarif = document["version"] == "2.1.0" && document.get("runs").is_some();
        if sarif || (other && !document["format"].as_str().is_some_and(|format| format.starts_with("brickform."))) {
            continue; // these have schemas of their own, or none
        }
        match fits(&document) {
            Ok(format) => seen.push(format),
            Err(why) => panic!("`{line}` writes what its schema does not say: {why}\n(src/report/published/)\n{document:#}"),
        }
    }
    seen
}

/// The format of a document, if it fits the schema of that.
fn fits(document: &Json) -> Result<String, String> {
    let format = match (document["format"].as_str(), document.get("event")) {
        (_, Some(_)) => "brickform.events/1",
        (Some(format), _) => format,
        (None, None) => return Err("it names no `format`".to_owned()),
    };
    let published = published::find(format).ok_or_else(|| format!("there is no schema of `{format}`"))?;
    let schema: Json = serde_json::from_str(&published.json()).expect("JSON");
    Checker { schema: &schema }.check(&schema, document, "$")?;
    // A document of one environment inside that of all.
    for environment in document["environments"].as_array().into_iter().flatten() {
        if environment["result"]["format"].is_string() {
            fits(&environment["result"])?;
        }
    }
    Ok(format.to_owned())
}

/// The part of JSON Schema that the published ones are written in; any other word of it is an error.
struct Checker<'a> {
    schema: &'a Json,
}

impl Checker<'_> {
    fn check(&self, shape: &Json, value: &Json, at: &str) -> Result<(), String> {
        let members = shape.as_object().ok_or("a shape is an object")?;
        for (word, said) in members {
            match word.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" | "required" => {}
                "$ref" => self.check(self.referred(said)?, value, at)?,
                "type" => has_type(said, value).then_some(()).ok_or_else(|| format!("{at} is {value}, not {said}"))?,
                "const" => (said == value).then_some(()).ok_or_else(|| format!("{at} is {value}, not {said}"))?,
                // Words that may grow are all named, too.
                "enum" | "examples" => {
                    let known = said.as_array().is_some_and(|all| all.contains(value)) || value.is_null();
                    known.then_some(()).ok_or_else(|| format!("{at} is {value}, which is none of {said}"))?;
                }
                "format" => {
                    let read = value.as_str().is_none_or(|text| text.parse::<jiff::Timestamp>().is_ok());
                    read.then_some(()).ok_or_else(|| format!("{at} is {value}, which is no time"))?;
                }
                "minimum" => {
                    let small = value.as_f64().is_some_and(|n| n < said.as_f64().unwrap_or(0.0));
                    (!small).then_some(()).ok_or_else(|| format!("{at} is {value}, less than {said}"))?;
                }
                "items" => {
                    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(said, item, &format!("{at}[{i}]"))?;
                    }
                }
                "properties" => self.members(said, shape, value, at)?,
                "additionalProperties" => {
                    for (name, member) in value.as_object().into_iter().flatten() {
                        self.check(said, member, &format!("{at}.{name}"))?;
                    }
                }
                "anyOf" => self.any(said, value, at)?,
                other => return Err(format!("the schema says `{other}`, which this test does not know")),
            }
        }
        Ok(())
    }

    fn members(&self, said: &Json, shape: &Json, value: &Json, at: &str) -> Result<(), String> {
        let Some(object) = value.as_object() else { return Ok(()) };
        for name in shape["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            object.get(name).ok_or_else(|| format!("{at}.{name} is missing"))?;
        }
        for (name, member) in object {
            let shape = said.get(name).ok_or_else(|| format!("{at}.{name} is in no schema"))?;
            self.check(shape, member, &format!("{at}.{name}"))?;
        }
        Ok(())
    }

    /// The complaint that is deepest says most.
    fn any(&self, said: &Json, value: &Json, at: &str) -> Result<(), String> {
        let mut wrong: Vec<String> = vec![];
        for shape in said.as_array().into_iter().flatten() {
            // What stands for what is not known yet takes everything.
            if shape["title"] == "an event that is not known yet" {
                continue;
            }
            match self.check(shape, value, at) {
                Ok(()) => return Ok(()),
                Err(why) => wrong.push(why),
            }
        }
        wrong.sort_by_key(|why| {
            std::cmp::Reverse((why.split(' ').next().unwrap_or_default().matches(['.', '[']).count(), why.contains("no schema")))
        });
        Err(wrong.into_iter().next().unwrap_or_else(|| "a choice of nothing".to_owned()))
    }

    fn referred(&self, said: &Json) -> Result<&Json, String> {
        let name = said.as_str().and_then(|r| r.strip_prefix("#/$defs/")).ok_or("a reference into $defs")?;
        self.schema["$defs"].get(name).ok_or_else(|| format!("$defs has no `{name}`"))
    }
}

fn has_type(said: &Json, value: &Json) -> bool {
    match said {
        Json::Array(all) => all.iter().any(|one| has_type(one, value)),
        one => match one.as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            Some("null") => value.is_null(),
            _ => false,
        },
    }
}

/// `BRICKFORM_BLESS=1 cargo test --test it schemas` writes them. What a format says may only grow: what was there stays, as it was.
#[test]
fn the_files_are_what_the_program_says_and_formats_only_grow() {
    let bless = Outside::real().expect("a folder").variable("BRICKFORM_BLESS").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/schemas");
    let mut names = BTreeSet::new();
    for schema in published::ALL {
        let file = folder.join(format!("{}.json", schema.name));
        names.insert(format!("{}.json", schema.name));
        let (now, was) = (schema.json(), fs::read_to_string(&file).unwrap_or_default());
        if let Ok(before) = serde_json::from_str::<Json>(&was) {
            let after: Json = serde_json::from_str(&now).expect("JSON");
            if before["$id"] == after["$id"] {
                let shrunk = shrunk(&before, &after, "$");
                assert!(shrunk.is_empty(), "readers of {} would be misled; give it another number: {shrunk:#?}", schema.format);
            }
        }
        if bless {
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(&file, &now).expect("a file");
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(found == now, "{} is out of date: BRICKFORM_BLESS=1 cargo test --test it schemas", file.display());
    }
    let there: BTreeSet<String> =
        fs::read_dir(&folder).expect("the folder").map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, names, "a file for each schema, and none besides");
    // The table of the page about them.
    let page = folder.join("../json.md");
    let text = fs::read_to_string(&page).expect("the page");
    let (before, rest) = text.split_once("| schema |").expect("the table");
    let (_, after) = rest.split_once("\n\n").expect("its end");
    let wanted = format!("{before}{}\n{after}", published::table());
    if bless {
        fs::write(&page, &wanted).expect("a file");
    }
    let found = fs::read_to_string(&page).expect("the page");
    assert!(found == wanted, "docs/reference/json.md is out of date: BRICKFORM_BLESS=1 cargo test --test it schemas");
}

/// What a reader of the old schema could count on and no longer can.
fn shrunk(before: &Json, after: &Json, at: &str) -> Vec<String> {
    let mut wrong = vec![];
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return wrong };
    let list = |of: &serde_json::Map<String, Json>, word: &str| -> BTreeSet<String> {
        match of.get(word) {
            Some(Json::Array(all)) => all.iter().map(ToString::to_string).collect(),
            Some(one) => [one.to_string()].into(),
            None => BTreeSet::new(),
        }
    };
    for word in ["type", "enum", "const", "$ref"] {
        if old.contains_key(word) && !(new.contains_key(word) && list(new, word).is_subset(&list(old, word))) {
            wrong.push(format!("{at}: {word} was {}, is {}", before[word], after[word]));
        }
    }
    if !list(old, "required").is_subset(&list(new, "required")) {
        wrong.push(format!("{at}: {} are no longer always there", before["required"]));
    }
    for (word, into) in [("properties", true), ("$defs", true), ("items", false), ("additionalProperties", false)] {
        let Some(said) = old.get(word) else { continue };
        let now = new.get(word).unwrap_or(&Json::Null);
        if !into {
            wrong.extend(shrunk(said, now, &format!("{at}.{word}")));
            continue;
        }
        for (name, shape) in said.as_object().into_iter().flatten() {
            match now.get(name) {
                Some(now) => wrong.extend(shrunk(shape, now, &format!("{at}.{name}"))),
                None => wrong.push(format!("{at}.{name} is gone")),
            }
        }
    }
    wrong
}

#[test]
fn what_shrinks_is_seen() {
    let schema = |text: &str| serde_json::from_str::<Json>(text).expect("JSON");
    let old = r#"{"type":"object","required":["a"],"properties":{"a":{"type":["string","null"]},"b":{"enum":[1,2]}}}"#;
    for (new, seen) in [
        (old, 0),
        (r#"{"type":"object","required":["a","c"],"properties":{"a":{"type":"string"},"b":{"enum":[1]},"c":{}}}"#, 0),
        (r#"{"type":"object","required":[],"properties":{"a":{"type":["string","null"]},"b":{"enum":[1,2]}}}"#, 1),
        (r#"{"type":"object","required":["a"],"properties":{"a":{"type":["string","null"]}}}"#, 1),
        (r#"{"type":"object","required":["a"],"properties":{"a":{"type":"integer"},"b":{"enum":[1,2,3]}}}"#, 2),
    ] {
        assert_eq!(shrunk(&schema(old), &schema(new), "$").len(), seen, "{new}");
    }
}

/// Nothing passes that should not.
#[test]
fn a_document_that_does_not_fit_is_told() {
    let good: Json = serde_json::json!({ "format": "brickform.environments/1", "environments": [{ "name": "dev", "workspace": "local" }] });
    assert_eq!(fits(&good).as_deref(), Ok("brickform.environments/1"));
    for (change, want) in [
        (serde_json::json!({ "more": 1 }), "$.more is in no schema"),
        (serde_json::json!({ "environments": [{ "name": "dev" }] }), "$.environments[0].workspace is missing"),
        (serde_json::json!({ "environments": [{ "name": 1, "workspace": "local" }] }), "$.environments[0].name is 1"),
        (serde_json::json!({ "format": "brickform.nothing/1" }), "there is no schema"),
        (serde_json::json!({ "format": null }), "names no `format`"),
    ] {
        let mut bad = good.clone();
        bad.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        let why = fits(&bad).expect_err(want);
        assert!(why.contains(want), "{why}");
    }
    let event = serde_json::json!({ "event": "started", "at": "2026-01-01T00:00:00.000Z", "format": "brickform.events/1", "environment": "dev", "operation": "plan" });
    assert_eq!(fits(&event).as_deref(), Ok("brickform.events/1"));
    for (name, value) in [("at", "yesterday"), ("event", "sneezed"), ("operation", "juggle")] {
        let mut bad = event.clone();
        bad[name] = value.into();
        assert!(fits(&bad).is_err(), "{name}");
    }
}

const FILES: &[(&str, &str)] = &[
    ("conf/project.yaml", "name: shop\noutputs: { raw: { value: \"${directories.raw.path}\", description: where } }\n"),
    (
        "conf/all.yaml",
        "directories: { raw: { path: /Shared/raw } }\n\
         warehouses: { bi: { name: bi, cluster_size: Small, auto_stop_mins: 10, permissions: [{ group_name: users, permission_level: CAN_USE }] } }\n\
         jobs: { nightly: { name: nightly, tasks: [] } }\n\
         spaces: { sales: { title: Sales, warehouse_id: abc, tables: [samples.tpch.orders], benchmarks: [{ question: Why?, sql: SELECT 1 }] } }\n",
    ),
    ("environments/dev.yaml", "workspace: local\nguards: { max_deletes: 5, protect: [catalogs] }\npresets: { name_prefix: \"dev \" }\n"),
    ("environments/prod.yaml", "workspace: { host: \"https://adb-1.azuredatabricks.net\" }\n"),
    ("environments/far.yaml", "workspace: local\nstate: { backend: \"workspace:/Shared/state\" }\n"),
    (".gitignore", ".brickform/\n"),
    (
        ".genie-forge.json",
        "{\"version\": \"1.0\", \"environments\": {\"far\": {\"spaces\": {\"a\": {\"databricks_space_id\": null, \"title\": \"A\"}}}}}\n",
    ),
];

/// Each format is written by a command here, so that no schema is about nothing.
#[test]
fn every_format_is_written_and_fits_its_schema() {
    let project = Project::new(FILES);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut run = |line: &str, wanted: u8| {
        let ran = project.with(line, &[("DATABRICKS_TOKEN", "planted")], None).ended(wanted);
        let formats = hold(line, &ran.out);
        assert!(!formats.is_empty() || !line.contains("json"), "`{line}` writes no JSON:\n{}{}", ran.out, ran.err);
        seen.extend(formats);
        ran.out
    };
    for (line, code) in [
        ("validate -o json", 0),
        ("env list -o json", 0),
        ("env show --env dev -o json", 0),
        ("env show --env prod -o json", 0),
        ("env diff dev prod -o json", 0),
        ("auth describe --env dev -o json", 0),
        ("auth describe --env prod -o json", 0),
        ("auth check --env dev -o json", 0),
        ("plan --env dev -o json --unmanaged", 0),
        ("plan --env dev --json", 0),
        ("apply --env dev --yes --json", 0),
        ("status --env dev -o json", 0),
        ("show --env dev -o json", 0),
        ("show warehouses.bi --env dev --live -o json", 0),
        ("output --env dev -o json", 0),
        ("render --env dev -o json", 0),
        ("graph --env dev -o json", 0),
        ("explain warehouses.bi --env dev -o json", 0),
        ("explain warehouses.bi.cluster_size --env dev --live -o json", 0),
        ("explain warehouses.cluster_size -o json", 0),
        ("explain E0107 -o json", 0),
        ("explain spaces.serialized_space -o json", 0),
        ("explain jobs -o json", 0),
        ("schema kinds -o json", 0),
        ("doctor --env dev -o json", 0),
        ("version -o json", 0),
        ("local coverage -o json", 0),
        ("state list --env dev -o json", 0),
        ("state show warehouses.bi --env dev -o json", 0),
        ("state history --env dev -o json", 0),
        ("status --env dev,far -o json", 0),
        ("plan --env dev,far -o json", 0),
        ("apply --env far --yes -o json", 0),
        ("state init --env far -o json", 0),
        ("plan --env dev --destroy --allow-delete spaces -o json", 0),
        ("destroy --env dev --yes --allow-delete spaces -o json", 0),
        ("run jobs.nightly --env far -o json", 0),
        ("genie bench --env far -o json", 0),
        ("init sub -o json", 0),
    ] {
        run(line, code);
    }
    let pulled = run("state pull --env far", 0);
    project.write("pulled.out", &pulled);
    run("state push pulled.out --env far --yes -o json", 0);
    run("state rebuild --env far --yes -o json", 0);
    run("state import-genie-forge --env far --yes -o json", 0);
    run("state migrate --env far --to .brickform/other.json --yes -o json", 0);
    let missing: Vec<&str> = published::ALL.iter().map(|p| p.format).filter(|f| !seen.contains(*f)).collect();
    // `diff` needs a repository (`review`), `local serve` goes on until it is stopped (the corpus and the pages serve).
    assert_eq!(missing, ["brickform.diff/1", "brickform.local-serve/1"]);
}

#[test]
fn schemas_are_printed_by_their_names() {
    let project = Project::new(&[]);
    let printed = project.run("schema json drift").ended(0).out;
    assert_eq!(printed, published::find("plan").expect("it is there").json());
    for (line, want) in [("schema json plam", "did you mean `plan`?"), ("schema json plan --file project", "cannot be used with")] {
        let ran = project.run(line).ended(64);
        assert!(ran.err.contains(want), "{}", ran.err);
    }
}
