//! One applied object, or a table of all: id, page, what was applied, its parts, who needs it, and what is live.

use serde_json::{Value as Json, json};

use super::history;
use super::json::value;
use super::overview::{entry_json, word};
use super::style::{columns, pad, quoted, visible};
use super::value::body;
use crate::model::{Address, Value};
use crate::state::{Entry, Status, Version};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.show/1";

/// What is shown of one address.
pub struct Shown<'a> {
    /// Whose.
    pub address: &'a Address,
    /// What the state holds.
    pub entry: &'a Entry,
    /// Its page.
    pub link: Option<String>,
    /// What a person calls it.
    pub name: Option<String>,
    /// Its parts.
    pub parts: Vec<(&'a Address, &'a Entry)>,
    /// What depended on it at the last apply.
    pub needed_by: Vec<&'a Address>,
    /// What the workspace has; none: it was not asked.
    pub live: Option<Live>,
    /// What wrote the state last.
    pub last: Option<&'a Version>,
    /// The first line of that commit's message, where Git knows it.
    pub subject: Option<String>,
}

/// What the workspace has.
#[derive(Debug, Clone)]
pub enum Live {
    /// The object.
    Found(Value),
    /// Nothing.
    Gone,
}

/// One object for a person.
#[must_use]
pub fn text(shown: &Shown<'_>, width: usize) -> String {
    let Shown { address, entry, .. } = shown;
    let mut out = address.to_string();
    out.push_str(&shown.name.as_ref().map(|n| format!("  {}", quoted(n))).unwrap_or_default());
    out.push('\n');
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            out.push_str(&format!("  {name:12} {}\n", visible(text)));
        }
    };
    let list = |all: &[&Address]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    row("id", &entry.id);
    row("page", shown.link.as_deref().unwrap_or_default());
    row("status", word(entry.status));
    row("adopted", if entry.adopted { "taken over, not made here: destroy forgets it" } else { "" });
    row("protected", if entry.protected { "prevent_destroy" } else { "" });
    row("tag", entry.tag.as_deref().unwrap_or_default());
    row("deposed", &entry.deposed.join(", "));
    row("needs", &list(&entry.dependencies.iter().collect::<Vec<_>>()));
    row("needed by", &list(&shown.needed_by));
    if let Some(last) = shown.last {
        row("last write", &format!("{} (serial {})", history::last(last, shown.subject.as_deref()), last.serial));
    }
    section("applied", &entry.applied, width, &mut out);
    if let Some(former) = &entry.former {
        section("before the first touch", former, width, &mut out);
    }
    for (part, held) in &shown.parts {
        section(&part.facet.clone().unwrap_or_default(), &held.applied, width, &mut out);
    }
    match &shown.live {
        None => {}
        Some(Live::Gone) => out.push_str("  live: gone, the workspace does not have it (`brickform plan` would create it)\n"),
        Some(Live::Found(live)) => section("live", live, width, &mut out),
    }
    out
}

fn section(title: &str, held: &Value, width: usize, out: &mut String) {
    out.push_str(&format!("  {title}\n"));
    for line in body(held, width.saturating_sub(4)) {
        out.push_str(format!("    {line}").trim_end());
        out.push('\n');
    }
}

/// One object for a program.
#[must_use]
pub fn json(shown: &Shown<'_>) -> Json {
    let mut out = entry_json(shown.address, shown.entry);
    out["format"] = json!(FORMAT);
    out["name"] = json!(shown.name);
    out["link"] = json!(shown.link);
    out["needed_by"] = json!(shown.needed_by);
    out["parts"] = shown.parts.iter().map(|(a, e)| entry_json(a, e)).collect();
    out["last_write"] = json!(shown.last.map(|v| history::json(v, shown.subject.as_deref())));
    match &shown.live {
        None => {}
        Some(Live::Gone) => out["live"] = Json::Null,
        Some(Live::Found(live)) => out["live"] = value(live),
    }
    out
}

/// All objects for a person; parts are counted at their object.
#[must_use]
pub fn table(rows: &[Shown<'_>]) -> String {
    let whole: Vec<&Shown<'_>> = rows.iter().filter(|r| !r.address.is_facet()).collect();
    let cells: Vec<[String; 4]> = whole
        .iter()
        .map(|r| {
            let parts: Vec<&str> = r.parts.iter().filter_map(|(a, _)| a.facet.as_deref()).collect();
            let state = if r.entry.status == Status::Ok { "" } else { word(r.entry.status) };
            let last = [r.link.clone().unwrap_or_default(), state.to_owned(), parts.join(", ")];
            let last = last.into_iter().filter(|c| !c.is_empty()).collect::<Vec<_>>().join("  ");
            [r.address.to_string(), r.name.clone().unwrap_or_default(), r.entry.id.clone(), last].map(|cell| visible(&cell).into_owned())
        })
        .collect();
    let head = ["ADDRESS", "NAME", "ID", "PAGE, STATUS, PARTS"].map(str::to_owned);
    let wide = |i: usize| cells.iter().chain([&head]).map(|c| columns(&c[i])).max().unwrap_or(0);
    let widths = [wide(0), wide(1), wide(2)];
    let mut out = String::new();
    for row in [&head].into_iter().chain(&cells) {
        let line: Vec<String> = row.iter().enumerate().map(|(i, c)| widths.get(i).map_or_else(|| c.clone(), |w| pad(c, *w))).collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// All objects for a program.
#[must_use]
pub fn table_json(environment: &str, serial: u64, rows: &[Shown<'_>]) -> String {
    let list: Vec<Json> = rows
        .iter()
        .map(|r| {
            json!({
                "address": r.address, "kind": r.entry.kind, "id": r.entry.id, "name": r.name, "link": r.link,
                "status": word(r.entry.status), "adopted": r.entry.adopted,
            })
        })
        .collect();
    format!("{:#}\n", json!({ "format": FORMAT, "environment": environment, "serial": serial, "resources": list }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json as parse;

    fn entry(kind: &str, id: &str, applied: &str) -> Entry {
        Entry {
            kind: kind.to_owned(),
            id: id.to_owned(),
            status: Status::Ok,
            applied: parse::parse(applied.as_bytes()).expect("JSON"),
            former: None,
            etag: None,
            protected: false,
            adopted: false,
            dependencies: vec![],
            tag: None,
            deposed: vec![],
            made_by: None,
            called: None,
            before: None,
        }
    }

    fn shown<'a>(address: &'a Address, entry: &'a Entry) -> Shown<'a> {
        let name = Some("nightly".to_owned());
        Shown { address, entry, link: None, name, parts: vec![], needed_by: vec![], live: None, last: None, subject: None }
    }

    #[test]
    fn a_row_for_all_that_there_is() {
        let (address, warehouse, user) = (Address::new("jobs", "a"), Address::new("warehouses", "w"), Address::new("jobs", "b"));
        let mut held = entry("jobs", "9", r#"{"name":"nightly","token":{"$secret":"${secret('T')}","fingerprint":"f"}}"#);
        held.former = Some(parse::parse(br#"{"name":"before"}"#).expect("JSON"));
        (held.adopted, held.protected, held.status) = (true, true, Status::Tainted);
        (held.tag, held.deposed, held.dependencies) = (Some("tag-1".to_owned()), vec!["7".to_owned(), "8".to_owned()], vec![warehouse]);
        let (part, part_held) = (address.facet("permissions"), entry("permissions", "jobs/9", r#"{"entries":[]}"#));
        let version =
            Version { serial: 4, at: "2026-01-02T03:04:05Z".to_owned(), by: "apply".to_owned(), commit: None, resources: 1, note: None };
        let mut all = shown(&address, &held);
        (all.link, all.parts, all.needed_by) = (Some("https://x/jobs/9".to_owned()), vec![(&part, &part_held)], vec![&user]);
        all.last = Some(&version);
        let told = text(&all, 100);
        for line in [
            "jobs.a  \"nightly\"\n",
            "  id           9\n",
            "  page         https://x/jobs/9\n",
            "  status       tainted\n",
            "  adopted      taken over, not made here: destroy forgets it\n",
            "  protected    prevent_destroy\n",
            "  tag          tag-1\n",
            "  deposed      7, 8\n",
            "  needs        warehouses.w\n",
            "  needed by    jobs.b\n",
            "(serial 4)\n",
            "  applied\n",
            "  before the first touch\n",
            "  permissions\n",
            "(sensitive)",
        ] {
            assert!(told.contains(line), "{line:?}:\n{told}");
        }
        assert!(!told.contains("live"), "it was not asked:\n{told}");
        let program = json(&all);
        assert_eq!((&program["format"], &program["needed_by"]), (&serde_json::json!(FORMAT), &serde_json::json!(["jobs.b"])));
        assert_eq!(program["parts"][0]["address"], serde_json::json!("jobs.a/permissions"));
        assert!(program.get("live").is_none());
    }

    #[test]
    fn live_beside_it() {
        let (address, held) = (Address::new("jobs", "a"), entry("jobs", "9", "{}"));
        for (live, line, program) in [
            (Live::Gone, "live: gone", Json::Null),
            (Live::Found(Value::map([("name", Value::text("n"))])), "name: \"n\"", serde_json::json!({ "name": "n" })),
        ] {
            let one = Shown { live: Some(live), ..shown(&address, &held) };
            let told = text(&one, 100);
            assert!(told.contains(line), "{told}");
            assert_eq!(super::json(&one)["live"], program);
        }
    }

    #[test]
    fn a_table_of_all_counts_parts_at_their_object() {
        let addresses = [Address::new("jobs", "a"), Address::new("jobs", "a").facet("permissions"), Address::new("warehouses", "long_key")];
        let held = [entry("jobs", "9", "{}"), entry("permissions", "jobs/9", "{}"), entry("warehouses", "w", "{}")];
        let mut rows: Vec<Shown<'_>> = addresses.iter().zip(&held).map(|(a, e)| shown(a, e)).collect();
        rows[0].parts = vec![(&addresses[1], &held[1])];
        let tainted = Entry { status: Status::Tainted, ..held[2].clone() };
        rows[2].entry = &tainted;
        rows[2].name = Some("two\nlines".to_owned());
        let told = table(&rows);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 3, "{told}");
        assert!(lines[0].starts_with("ADDRESS") && lines[1].starts_with("jobs.a") && lines[1].ends_with("permissions"), "{told}");
        assert!(lines[2].starts_with("warehouses.long_key") && lines[2].ends_with("tainted") && !lines[2].contains("two\n"), "{told}");
        let program: Json = serde_json::from_str(&table_json("prod", 3, &rows)).expect("JSON");
        assert_eq!(program["resources"].as_array().map(Vec::len), Some(3));
        assert_eq!((&program["environment"], &program["serial"]), (&serde_json::json!("prod"), &serde_json::json!(3)));
    }
}
