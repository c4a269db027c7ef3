//! Where values come from: one value with every step, or an object with the place of each of its fields.

use serde_json::{Value as Json, json};

use super::json::value as json_value;
use super::style::{Label, Paint, columns, pad};
use super::value::{body, inline, masked_in};
use crate::model::Value;
use crate::project::Trace;

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.explain/1";

/// A value as JSON, its URLs without credentials.
fn json_of(value: &Value) -> Json {
    json_value(&masked_in(value))
}

/// A value with its origin.
pub struct Told<'a> {
    /// `jobs.nightly.name`, `var.catalog`.
    pub what: String,
    /// The environment.
    pub environment: &'a str,
    /// The value; none: YAML does not set it.
    pub value: Option<Value>,
    /// Where it comes from.
    pub steps: Vec<Trace>,
    /// What is known of the field: `required`, `default 10`.
    pub facts: Vec<String>,
    /// What the last apply sent.
    pub applied: Option<Value>,
    /// What the workspace has; none: it was not asked, or does not have it.
    pub live: Option<Value>,
}

/// One value for a person.
#[must_use]
pub fn text(told: &Told<'_>, paint: Paint, width: usize) -> String {
    let mut out = paint.label(Label::Heading, &told.what);
    out.push_str(&format!("  in {}\n", told.environment));
    match &told.value {
        None => out.push_str("  is not set in YAML\n"),
        Some(value) => {
            let line = inline(&masked_in(value));
            if columns(&line) + 4 <= width {
                out.push_str(&format!("  = {line}\n"));
            } else {
                out.push_str("  =\n");
                for line in body(&masked_in(value), width.saturating_sub(4)) {
                    out.push_str(format!("    {line}").trim_end());
                    out.push('\n');
                }
            }
        }
    }
    if !told.facts.is_empty() {
        out.push_str(&format!("  {}\n", paint.label(Label::Dim, &told.facts.join("; "))));
    }
    if !told.steps.is_empty() {
        out.push_str("\nwhere it comes from:\n");
        for step in &told.steps {
            out.push_str(&line(step, paint, width));
        }
    }
    for (name, value) in [("applied", &told.applied), ("live", &told.live)] {
        if let Some(value) = value {
            out.push_str(&format!("\n{name}: {}\n", inline(&masked_in(value))));
        }
    }
    out
}

fn line(step: &Trace, paint: Paint, width: usize) -> String {
    let mut left = format!("{}{}", "  ".repeat(step.depth + 1), step.text);
    if let Some(value) = &step.value {
        left.push_str(&format!(" = {}", shortened(&inline(&masked_in(value)), width / 2)));
    }
    if step.overridden {
        left.push_str("   (overridden below)");
    }
    let place = step.place.clone().unwrap_or_default();
    let spread = super::style::spread(&left, &paint.label(Label::Dim, &place), width, 2 * step.depth + 4);
    format!("{}\n", spread.trim_end())
}

fn shortened(text: &str, most: usize) -> String {
    if columns(text) <= most { text.to_owned() } else { format!("{}...", text.chars().take(most.saturating_sub(3)).collect::<String>()) }
}

/// One value for a program.
#[must_use]
pub fn json(told: &Told<'_>) -> String {
    let steps: Vec<Json> = told
        .steps
        .iter()
        .map(|s| {
            json!({
                "depth": s.depth, "sort": s.sort, "text": s.text, "place": s.place,
                "value": s.value.as_ref().map(json_of), "overridden": s.overridden,
            })
        })
        .collect();
    let mut out = json!({
        "format": FORMAT,
        "what": told.what,
        "environment": told.environment,
        "set": told.value.is_some(),
        "value": told.value.as_ref().map(json_of),
        "facts": told.facts,
        "origin": steps,
        "applied": told.applied.as_ref().map(json_of),
    });
    if let Some(live) = &told.live {
        out["live"] = json_of(live);
    }
    format!("{out:#}\n")
}

/// An object: where it is declared, what it has to do with others, and each field with its place.
pub struct Summary<'a> {
    /// Its address.
    pub address: String,
    /// The environment.
    pub environment: &'a str,
    /// `job`.
    pub kind: &'a str,
    /// What a person calls it.
    pub name: String,
    /// Rows of a table: what, and what is known.
    pub rows: Vec<(&'static str, Vec<String>)>,
    /// Fields: path, value, place.
    pub fields: Vec<(String, Value, String)>,
}

/// An object for a person.
#[must_use]
pub fn summary_text(summary: &Summary<'_>, paint: Paint, width: usize) -> String {
    let mut out = paint.label(Label::Heading, &summary.address);
    let name = if summary.name.is_empty() { String::new() } else { format!(" \"{}\"", summary.name) };
    out.push_str(&format!("  {}{name} in {}\n", summary.kind, summary.environment));
    for (what, lines) in &summary.rows {
        for (i, line) in lines.iter().enumerate() {
            out.push_str(&format!("  {} {line}\n", pad(if i == 0 { what } else { "" }, 12)));
        }
    }
    if summary.fields.is_empty() {
        return out;
    }
    out.push_str("\nfields:\n");
    let wide = summary.fields.iter().map(|(p, _, _)| columns(p)).max().unwrap_or(0).min(width / 2);
    let place_wide = summary.fields.iter().map(|(_, _, p)| columns(p)).max().unwrap_or(0);
    let room = width.saturating_sub(wide + place_wide + 8).max(12);
    for (path, value, place) in &summary.fields {
        let value = pad(&shortened(&inline(&masked_in(value)).replace('\n', " "), room), room);
        out.push_str(format!("  {}  {value}  {}", pad(path, wide), paint.label(Label::Dim, place)).trim_end());
        out.push('\n');
    }
    out
}

/// An object for a program.
#[must_use]
pub fn summary_json(summary: &Summary<'_>) -> String {
    let rows: serde_json::Map<String, Json> = summary.rows.iter().map(|(what, lines)| (what.replace(' ', "_"), json!(lines))).collect();
    let fields: Vec<Json> =
        summary.fields.iter().map(|(path, value, place)| json!({ "path": path, "value": json_of(value), "place": place })).collect();
    format!(
        "{:#}\n",
        json!({
            "format": FORMAT, "address": summary.address, "environment": summary.environment, "kind": summary.kind, "name": summary.name,
            "about": rows, "fields": fields,
        })
    )
}

#[cfg(test)]
mod tests {
    use super::{Summary, Told, json, summary_text, text};
    use crate::model::Value;
    use crate::project::Trace;
    use crate::report::style::Paint;

    fn step(depth: usize, sort: &'static str, text: &str, place: &str, value: Option<&str>, overridden: bool) -> Trace {
        Trace { depth, sort, text: text.to_owned(), place: Some(place.to_owned()), value: value.map(Value::text), overridden }
    }

    fn told() -> Told<'static> {
        Told {
            what: "jobs.nightly.name".into(),
            environment: "prod",
            value: Some(Value::text("nightly-main")),
            steps: vec![
                step(0, "file", "nightly", "conf/jobs.yaml:4", None, true),
                step(0, "overlay", "\"nightly-${catalog}\"   (overlay of environment prod)", "environments/prod.yaml:9", None, false),
                step(1, "variable", "variable `catalog`", "conf/project.yaml:3", Some("main"), false),
                step(2, "given", "default: dev", "conf/project.yaml:3", None, true),
                step(2, "given", "environment prod: main", "environments/prod.yaml:3", None, false),
            ],
            facts: vec!["required".into()],
            applied: Some(Value::text("nightly-old")),
            live: None,
        }
    }

    #[test]
    fn one_value() {
        insta::assert_snapshot!(text(&told(), Paint { colour: false }, 100));
        let value: serde_json::Value = serde_json::from_str(&json(&told())).unwrap();
        assert_eq!(value["origin"][0]["overridden"], true);
        assert_eq!(value["value"], "nightly-main");
    }

    #[test]
    fn a_narrow_screen_loses_nothing() {
        for width in [60, 80, 200] {
            let text = text(&told(), Paint { colour: false }, width);
            for place in ["conf/jobs.yaml:4", "environments/prod.yaml:9", "environments/prod.yaml:3"] {
                assert!(text.contains(place), "{width}: {text}");
            }
        }
    }

    #[test]
    fn an_object() {
        let summary = Summary {
            address: "jobs.nightly".into(),
            environment: "prod",
            kind: "job",
            name: "nightly".into(),
            rows: vec![("declared", vec!["conf/jobs.yaml:3".into()]), ("needs", vec!["a".into(), "b".into()])],
            fields: vec![("name".into(), Value::text("nightly"), "conf/jobs.yaml:4".into())],
        };
        insta::assert_snapshot!(summary_text(&summary, Paint { colour: false }, 80));
    }
}
