//! The page as text: what stands in it, what cannot, how large it is.

use super::{MOST, SCRIPT, STYLE, plan};
use crate::diff::Reason;
use crate::plan::Action;
use crate::report::about::About;
use crate::report::samples;

const ABOUT: About<'_> = About {
    command: "brickform plan --env prod",
    digest: "0123456789abcdef",
    commit: Some("aaaabbbbccccdddd"),
    run: Some("https://github.com/acme/data/actions/runs/7"),
    result: None,
    sorts: None,
    drift: false,
    held: Some(("2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z")),
    needs: &[],
};

/// What the script reads.
fn data(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("class=\"plan\" data-env=\"prod\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn one_file_with_everything_in_it() {
    let page = plan(&samples::everything(), &ABOUT);
    let head = page.split("<style>").next().unwrap().to_owned() + page.split("</style>").nth(1).unwrap().split("<main>").next().unwrap();
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
        let (before, rest) = page.split_once("class=\"plan\" data-env=\"prod\">").unwrap();
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
                let each =
                    |f: &&str| samples::change(f, "", &serde_json::to_string(&format!("{f} of {i} {}", of(f))).unwrap(), Reason::Changed);
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
