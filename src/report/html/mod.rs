//! A plan as one HTML file that needs nothing else: no network, no server, no framework.
//!
//! The header is written here; everything else is one block of JSON that a script of ours draws. Whatever users wrote
//! reaches the page as text only: escaped in the header, as JSON without `<` in the block, by `textContent` in the script;
//! a content security policy with the digests of our own script and style stops anything else from running.

use std::fmt::Write as _;

use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::style::visible;
use super::text::plural;
use crate::model::Address;
use crate::plan::Plan;

mod data;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// Read in this order; one function around all.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("diff.js"),
    include_str!("graph.js"),
    include_str!("list.js"),
    include_str!("script.js"),
    "})();\n"
);

/// The most bytes of a page, as far as that is possible by showing less of long values.
const MOST: usize = 4_800_000;
/// The longest value that is shown whole, in bytes; where the page grows too large, a quarter of it, and so on.
const LONGEST: usize = 65_536;
/// Values are never cut shorter than this.
const SHORTEST: usize = 64;
/// Where values have to be cut shorter than this, requests are left out too.
const REQUESTS: usize = 1024;

/// What stands around the plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The command that gives this plan again.
    pub command: &'a str,
    /// The digest of the plan.
    pub digest: &'a str,
    /// The commit that was planned.
    pub commit: Option<&'a str>,
    /// What an apply said at its end, as text.
    pub result: Option<&'a str>,
    /// The page of the pipeline that made it.
    pub run: Option<&'a str>,
    /// When a plan in a file was made, and until when it holds.
    pub held: Option<(&'a str, &'a str)>,
    /// What needs what, for what does not change but stands beside what does: (needs, needed).
    pub needs: &'a [(Address, Address)],
}

/// The page. The same plan and surroundings give the same bytes.
#[must_use]
pub fn plan(plan: &Plan, about: &About<'_>) -> String {
    let lengths = data::lengths(plan);
    let mut longest = LONGEST;
    // What surely does not fit is not tried.
    while longest > SHORTEST && lengths.iter().map(|length| length.min(&longest)).sum::<usize>() > MOST {
        longest /= 4;
    }
    loop {
        let page = page(plan, about, longest);
        if page.len() <= MOST || longest <= SHORTEST {
            return page;
        }
        longest /= 4;
    }
}

fn page(plan: &Plan, about: &About<'_>, longest: usize) -> String {
    let (verdict, tone) = verdict(plan);
    filled(
        PAGE,
        &[
            ("version", env!("CARGO_PKG_VERSION")),
            ("title", &escape(&format!("{} · {verdict} · {}", plan.environment, plan.project))),
            ("project", &escape(&plan.project)),
            ("environment", &escape(&plan.environment)),
            ("verdict", &escape(&verdict)),
            ("tone", tone),
            ("facts", &facts(plan, about)),
            (
                "result",
                &about
                    .result
                    .map(|told| format!("<pre class=\"result\" tabindex=\"0\" aria-label=\"Result\">{}</pre>", escaped_lines(told)))
                    .unwrap_or_default(),
            ),
            ("command", &escape(about.command)),
            ("digest", &escape(about.digest)),
            ("style", STYLE),
            ("style-hash", &hash(STYLE)),
            ("script", SCRIPT),
            ("script-hash", &hash(SCRIPT)),
            ("data", &inert(&data::of(plan, about.needs, longest).to_string())),
        ],
    )
}

/// One sentence, and how it is told: `good`, `bad`, `go`.
fn verdict(plan: &Plan) -> (String, &'static str) {
    let counts = plan.counts();
    let words: Vec<String> = [
        (counts.add, "to add"),
        (counts.change, "to change"),
        (counts.replace, "to replace"),
        (counts.delete, "to delete"),
        (counts.adopt, "to adopt"),
        (counts.moved, "moved"),
        (counts.forget, "to forget"),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}"))
    .collect();
    let guards = plan.blocks.len() + plan.steps.iter().map(|s| s.blocks.len()).sum::<usize>();
    if guards > 0 {
        let what = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
        return (format!("Blocked by {}, nothing can be applied{what}", plural(guards as u64, "guard", "guards")), "bad");
    }
    if plan.is_empty() {
        return (format!("No changes: {} as the configuration says", plural(counts.total as u64, "resource is", "resources are")), "good");
    }
    (words.join(", "), "go")
}

fn facts(plan: &Plan, about: &About<'_>) -> String {
    let mut out = String::new();
    let mut put = |term: &str, value: String| {
        let _ = write!(out, "<div><dt>{term}</dt><dd>{value}</dd></div>");
    };
    put("Workspace", linked(&format!("https://{}", plan.workspace.host), &plan.workspace.host));
    if let Some(commit) = about.commit {
        put("Commit", format!("<code>{}</code>", escape(commit.get(..12).unwrap_or(commit))));
    }
    if let Some(run) = about.run {
        put("Pipeline", linked(run, "open the run"));
    }
    put("State", format!("serial {} · <code>{}</code>", plan.serial, escape(&plan.state_place)));
    if let Some((made, until)) = about.held {
        put("Planned", format!("<time datetime=\"{0}\">{0}</time>", escape(made)));
        put("Holds until", format!("<time datetime=\"{0}\">{0}</time>", escape(until)));
    }
    let left = match plan.left_out {
        0 => String::new(),
        n => format!("; {n} left out by --target or --exclude"),
    };
    let read = if plan.refreshed { "" } else { "; the workspace was not read" };
    put("Resources", format!("{}{left}{read}", plan.counts().total));
    if plan.destroy {
        put("Kind of plan", "destroys everything that is managed".to_owned());
    }
    out
}

/// A link where it leads to a page of the web, else text.
fn linked(to: &str, words: &str) -> String {
    let leads = to.starts_with("https://") && to.contains('.') && !to.contains([' ', '"', '\'', '<', '>', '\\']);
    if leads { format!("<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>", escape(to), escape(words)) } else { escape(words) }
}

/// Text that is read as text and nothing else, also between quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The same line by line.
fn escaped_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// JSON that no reader of HTML takes for anything else: `</script` and `<!--` cannot occur in it.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// As a content security policy names a script.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// The template with its marks replaced, in one go: what is put in is never looked through for marks.
fn filled(template: &str, marks: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, tail) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(marks.iter().find(|(mark, _)| *mark == name).map_or("", |(_, text)| text));
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{About, MOST, SCRIPT, STYLE, plan};
    use crate::diff::Reason;
    use crate::plan::Action;
    use crate::report::samples;

    const ABOUT: About<'_> = About {
        command: "brickform plan --env prod",
        digest: "0123456789abcdef",
        commit: Some("aaaabbbbccccdddd"),
        run: Some("https://github.com/acme/data/actions/runs/7"),
        result: None,
        held: Some(("2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z")),
        needs: &[],
    };

    /// What the script reads.
    fn data(page: &str) -> serde_json::Value {
        let (_, rest) = page.split_once("id=\"plan\">").unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn one_file_with_everything_in_it() {
        let page = plan(&samples::everything(), &ABOUT);
        let head =
            page.split("<style>").next().unwrap().to_owned() + page.split("</style>").nth(1).unwrap().split("<main>").next().unwrap();
        for want in ["<h1>prod</h1>", "Blocked by 1 guard", "aaaabbbbcccc", "actions/runs/7", "2026-11-22T12:00:00Z", "adb-1234"] {
            assert!(head.contains(want), "{want}: {head}");
        }
        // Nothing is fetched: every address that stands in it is a link.
        for fetched in ["src=", "@import", "url(h", "url(\"", "fetch(", "XMLHttpRequest", "import("] {
            assert!(!STYLE.contains(fetched) && !SCRIPT.contains(fetched) && !head.contains(fetched), "{fetched}");
        }
        assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval("), "text only");
        assert!(!STYLE.contains("{{") && !SCRIPT.contains("</"), "neither is taken for the template, or ends itself");
        assert_eq!(page, plan(&samples::everything(), &ABOUT), "the same bytes");
        let data = data(&page);
        assert_eq!(data["steps"].as_array().unwrap().len(), 11);
    }

    #[test]
    fn no_name_can_inject() {
        for name in [
            "</script><script>alert(1)</script>",
            "<!--<script>",
            "<img src=x onerror=alert(1)>",
            "\"><b>x",
            "' onload='x",
            "{{script}}",
            "a\u{2028}b",
            "\u{202e}gpj",
        ] {
            let mut one = samples::step("jobs.old", Action::Delete, name);
            one.loses = Some(name.to_owned());
            one.link = Some(format!("javascript:{name}"));
            one.changes = vec![samples::change("name", "", &serde_json::to_string(name).unwrap(), Reason::Changed)];
            let mut of = samples::plan(vec![one]);
            of.project = name.to_owned();
            of.workspace.host = name.to_owned();
            of.state_place = name.to_owned();
            let page = plan(&of, &About { command: name, digest: name, commit: Some(name), run: Some(name), ..ABOUT });
            assert_eq!(page.matches("<script").count(), 2, "{name}");
            assert_eq!(page.matches("</script").count(), 2, "{name}");
            assert_eq!(page.matches("<!--").count(), 0, "{name}");
            let (before, rest) = page.split_once("id=\"plan\">").unwrap();
            let (block, after) = rest.split_once("</script>").unwrap();
            assert!(!block.contains(['<', '>', '&', '\u{2028}']), "{name}: nothing that HTML knows");
            let outside = format!("{before}{after}").replace(SCRIPT, "").replace(STYLE, "");
            for bad in ["<img", "<b>", "' onload", "\u{2028}", "javascript:<", "href=\"javascript"] {
                assert!(!outside.contains(bad), "{name}: {bad}");
            }
            let data = data(&page);
            let words = data["words"].as_array().unwrap();
            assert!(words.iter().any(|w| w == name), "{name} arrives whole");
            assert!(!words.iter().any(|w| w.as_str().unwrap().starts_with("javascript")), "no such link");
        }
    }

    #[test]
    fn no_secret_is_in_it() {
        let mut one = samples::step("secrets.a", Action::Update, "a");
        one.changes = vec![samples::change(
            "string_value",
            r#"{"$secret":"${secret('X')}","fingerprint":"planted-1"}"#,
            r#"{"$secret":"${secret('X')}","fingerprint":"planted-2"}"#,
            Reason::Changed,
        )];
        one.live = Some(samples::value("\"planted-3\""));
        one.unmanaged = vec![("token".parse().unwrap(), samples::value("\"planted-4\""))];
        let page = plan(&samples::plan(vec![one]), &ABOUT);
        assert!(!page.contains("planted"), "a secret's value or digest");
        assert!(page.contains("(sensitive)"));
    }

    #[test]
    fn ten_thousand_resources_stay_below_five_megabytes() {
        let fields = ["name", "schedule.cron", "tags.team", "tasks", "timeout_seconds", "max_concurrent_runs", "description", "format"];
        let long = "SELECT customer_id, sum(net_amount) FROM main.silver.orders GROUP BY ALL\n".repeat(40);
        let many = |text: &str| {
            let of = |field: &str| if field == "description" { text } else { "" };
            (0..10_000)
                .map(|i| {
                    let mut one = samples::step(&format!("jobs.job_{i:05}"), Action::Create, &format!("Job number {i}"));
                    let each = |f: &&str| {
                        samples::change(f, "", &serde_json::to_string(&format!("{f} of {i} {}", of(f))).unwrap(), Reason::Changed)
                    };
                    one.changes = fields.iter().map(each).collect();
                    one
                })
                .collect()
        };
        let page = plan(&samples::plan(many("")), &ABOUT);
        assert!(page.len() < MOST, "{}", page.len());
        let page = plan(&samples::plan(many(&long)), &ABOUT);
        assert!(page.len() < 5_000_000, "{}", page.len());
        assert_eq!(data(&page)["cut"], 64, "it says that values were cut");
    }
}
