//! Findings as SARIF 2.1.0, for pages that show them beside the code.
//!
//! Places are relative to the top of the repository; columns are counted in characters. A fingerprint is made from the rule, the
//! file, the address and the text of the line, so that it stays while lines move.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::findings::{Finding, Level, about};
use crate::diagnostic::Span;
use crate::model::Fingerprint;

/// Where the run belongs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// What was done: `plan`, `validate`.
    pub operation: &'a str,
    /// The environment; empty: several or none.
    pub environment: &'a str,
    /// The project's folder from the top of the repository: empty or ends with `/`.
    pub prefix: &'a str,
    /// The file that is named where no line of the user's says it.
    pub fallback: &'a str,
}

/// The document of one run.
#[must_use]
pub fn sarif(findings: &[Finding], frame: &Frame<'_>) -> String {
    document(&[run(findings, frame)])
}

/// The most runs that GitHub takes in one file.
const MOST_RUNS: usize = 20;

/// The document of several runs, an environment each. GitHub refuses a file of more than twenty: the last one then holds what
/// all that remain found.
#[must_use]
pub fn document(runs: &[Json]) -> String {
    let mut runs = runs.to_vec();
    if runs.len() > MOST_RUNS {
        let rest = runs.split_off(MOST_RUNS - 1);
        runs.push(merged(&rest));
    }
    let document = json!({ "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": runs });
    format!("{document:#}\n")
}

/// One run.
#[must_use]
pub fn run(findings: &[Finding], frame: &Frame<'_>) -> Json {
    let mut rules: Vec<&str> = findings.iter().map(|f| f.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let described: Vec<Json> = rules.iter().map(|rule| described(rule, findings)).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let results: Vec<Json> = findings
        .iter()
        .map(|finding| {
            let mark = fingerprint(finding, frame, &mut seen);
            let mut text = finding.message.clone();
            for help in &finding.help {
                text.push('\n');
                text.push_str(help);
            }
            json!({
                "ruleId": finding.rule,
                "ruleIndex": rules.binary_search(&finding.rule.as_str()).unwrap_or(0),
                "level": finding.level.word(),
                "message": { "text": text },
                "locations": [location(finding, frame)],
                "partialFingerprints": { "brickform/v1": mark },
            })
        })
        .collect();
    let id = ["brickform", frame.operation, frame.environment].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("/");
    json!({
        "tool": { "driver": { "name": "Brickform", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": described } },
        "automationDetails": { "id": format!("{id}/") },
        "columnKind": "unicodeCodePoints",
        "results": results,
    })
}

/// Several runs as one: the rules of all, each once, and the results of all.
fn merged(runs: &[Json]) -> Json {
    let each = |run: &Json, pointer: &str| run.pointer(pointer).and_then(Json::as_array).cloned().unwrap_or_default();
    let id = |of: &Json, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let mut rules: BTreeMap<String, Json> = BTreeMap::new();
    for rule in runs.iter().flat_map(|run| each(run, "/tool/driver/rules")) {
        rules.entry(id(&rule, "id")).or_insert(rule);
    }
    let names: Vec<&String> = rules.keys().collect();
    let mut results: Vec<Json> = runs.iter().flat_map(|run| each(run, "/results")).collect();
    for result in &mut results {
        let at = names.binary_search(&&id(result, "ruleId")).unwrap_or(0);
        result["ruleIndex"] = json!(at);
    }
    let mut one = runs.first().cloned().unwrap_or_default();
    let first = one["automationDetails"]["id"].as_str().unwrap_or_default();
    let operation: Vec<&str> = first.split('/').take(2).collect();
    one["automationDetails"]["id"] = json!(format!("{}/and-others/", operation.join("/")));
    one["tool"]["driver"]["rules"] = rules.into_values().collect();
    one["results"] = json!(results);
    one
}

fn described(rule: &str, findings: &[Finding]) -> Json {
    let worst = findings.iter().filter(|f| f.rule == rule).map(|f| f.level).min().unwrap_or(Level::Warning);
    let words = about(rule);
    json!({
        "id": rule,
        "shortDescription": { "text": words },
        "help": { "text": if rule.starts_with(['E', 'W']) { format!("brickform explain {rule}") } else { words.clone() } },
        "defaultConfiguration": { "level": worst.word() },
    })
}

fn location(finding: &Finding, frame: &Frame<'_>) -> Json {
    let (file, region) = match &finding.span {
        Some(span) => (span.source.name.as_str(), region(span)),
        None => (frame.fallback, json!({ "startLine": 1 })),
    };
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&format!("{}{file}", frame.prefix)), "uriBaseId": "%SRCROOT%" },
            "region": region,
        },
    });
    if let Some(address) = &finding.address {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": address, "kind": "resource" }]);
    }
    location
}

fn region(span: &Span) -> Json {
    let (line, column) = span.line_column();
    let end = Span { start: span.end, ..span.clone() };
    let (end_line, end_column) = end.line_column();
    // A place of no length is the character there.
    let end_column = if (line, column) == (end_line, end_column) { end_column + 1 } else { end_column };
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// The text of the line that a span begins on, without what is around it.
fn line(span: &Span) -> &str {
    let (line, _) = span.line_column();
    span.source.text.lines().nth(line - 1).unwrap_or_default().trim()
}

fn fingerprint(finding: &Finding, frame: &Frame<'_>, seen: &mut BTreeMap<String, usize>) -> String {
    let (file, text) = finding.span.as_ref().map_or((frame.fallback, ""), |span| (span.source.name.as_str(), line(span)));
    let same = [&finding.rule, frame.environment, file, finding.address.as_deref().unwrap_or_default(), text].join("\0");
    let nth = seen.entry(same.clone()).and_modify(|n| *n += 1).or_insert(0);
    Fingerprint::of(format!("{same}\0{nth}").as_bytes()).0
}

/// A path as a part of a URI.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use serde_json::Value as Json;

    use super::{Frame, document, run, sarif, uri};
    use crate::diagnostic::{Diagnostic, Source, Span};
    use crate::report::answers::Given;
    use crate::report::findings::{Places, of_diagnostics, of_plan};
    use crate::report::samples;

    const FRAME: Frame<'_> = Frame { operation: "plan", environment: "prod", prefix: "data/", fallback: "conf/project.yaml" };

    fn marks(text: &str) -> Vec<String> {
        let document: Json = serde_json::from_str(text).unwrap();
        document["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["partialFingerprints"]["brickform/v1"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_mistake_stands_at_its_line_and_is_known_again_when_lines_move() {
        let found = |before: &str| {
            let text = format!("{before}jobs:\n  é: {{ nme: x }}\n  b: {{ nme: x }}\n");
            let source = Arc::new(Source { name: "conf/a b.yaml".to_owned(), text: text.clone() });
            let at = text.find("nme").unwrap();
            let again = text.rfind("nme").unwrap();
            let one = |at| Diagnostic::error("E0107", "unknown field `nme`").at(&Span::new(&source, at, at + 3), "").help("`name`?");
            sarif(&of_diagnostics(&[one(at), one(again)]), &FRAME)
        };
        let (first, moved) = (found(""), found("# more\n\n"));
        let document: Json = serde_json::from_str(&first).unwrap();
        let result = &document["runs"][0]["results"][0];
        assert_eq!(document["version"], "2.1.0");
        assert_eq!(result["ruleId"], "E0107");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "data/conf/a%20b.yaml");
        assert_eq!(place["region"], serde_json::json!({ "startLine": 2, "startColumn": 8, "endLine": 2, "endColumn": 11 }));
        assert_eq!(marks(&first), marks(&moved), "lines moved, nothing else");
        assert_ne!(marks(&first)[0], marks(&first)[1], "two places are two");
    }

    #[test]
    fn every_result_names_a_rule_and_a_place() {
        let plan = samples::everything();
        let document: Json = serde_json::from_str(&sarif(&of_plan(&plan, &Places::default(), Given::Nothing), &FRAME)).unwrap();
        let run = &document["runs"][0];
        let rules: Vec<&str> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect();
        assert_eq!(rules, ["conflict", "drift", "guard/data_loss"]);
        for result in run["results"].as_array().unwrap() {
            let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(result["ruleId"].as_str(), Some(rules[at]));
            assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
            assert!(result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap() > 0);
        }
        let marks = marks(&sarif(&of_plan(&plan, &Places::default(), Given::Nothing), &FRAME));
        assert_eq!(run["results"].as_array().unwrap().len(), marks.iter().collect::<BTreeSet<_>>().len(), "each has a mark of its own");
    }

    #[test]
    fn what_more_than_twenty_environments_found_is_in_twenty_runs() {
        let found = of_plan(&samples::everything(), &Places::default(), Given::Nothing);
        let names: Vec<String> = (0..23).map(|n| format!("prod-{n:02}")).collect();
        let of = |(n, environment): (usize, &String)| run(&found[..(n % 2) * found.len()], &Frame { environment, ..FRAME });
        let runs: Vec<Json> = names.iter().enumerate().map(of).collect();
        let whole: Json = serde_json::from_str(&document(&runs)).unwrap();
        let told = whole["runs"].as_array().unwrap();
        assert_eq!(told.len(), 20);
        assert_eq!(told[18]["automationDetails"]["id"], "brickform/plan/prod-18/");
        let last = &told[19];
        assert_eq!(last["automationDetails"]["id"], "brickform/plan/and-others/");
        let results = last["results"].as_array().unwrap();
        assert_eq!(results.len(), 2 * found.len(), "prod-19 and prod-21");
        for result in results {
            let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(last["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
        }
    }

    #[test]
    fn paths_are_parts_of_uris() {
        assert_eq!(uri("a b/ü#?.yaml"), "a%20b/%C3%BC%23%3F.yaml");
    }
}
