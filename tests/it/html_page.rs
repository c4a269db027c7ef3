//! The page of a plan, as a reader meets it: written by the program, opened in a headless Chromium where there is one. Without
//! one the structure alone is checked, and the test says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cli::Project;

const CONF: &str = "warehouses:
  bi: { name: bi, cluster_size: 2X-Small, auto_stop_mins: 10 }
  etl: { name: '</script><img src=x onerror=alert(1)>', cluster_size: 2X-Small }
queries:
  orders:
    display_name: Orders
    warehouse_id: '${warehouses.bi.id}'
    query_text: |
      SELECT 1
      FROM orders
jobs:
  nightly: { name: nightly, tags: { token: '${secret(\"TOKEN\")}' } }
";

fn project() -> Project {
    Project::new(&[("conf/project.yaml", "name: shop\n"), ("environments/local.yaml", "workspace: local\n"), ("conf/a.yaml", CONF)])
}

/// The first browser on the path.
#[expect(clippy::disallowed_methods, reason = "it is about a real browser")]
fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()))
}

/// The page after its script has run, and what the browser's console said.
#[expect(clippy::disallowed_methods, reason = "it is about a real browser")]
fn opened(browser: &str, page: &Path, place: &str) -> (String, String) {
    let home = tempfile::tempdir().expect("a folder");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(format!("file://{}{place}", page.display()))
        .output()
        .expect("it can be started");
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn written(project: &Project) -> PathBuf {
    let ran = project.with("plan --env local --report html=plan.html", &[("TOKEN", "planted-secret-77")], None);
    assert_eq!(ran.code, 0, "{}", ran.err);
    project.folder.path().join("plan.html")
}

#[test]
fn it_opens_filters_and_links_without_an_error() {
    let project = project();
    let page = written(&project);
    let text = std::fs::read_to_string(&page).expect("it is written");
    assert!(!text.contains("planted-secret-77"), "a secret's value");
    assert!(text.contains("4 to add") && text.contains("Content-Security-Policy"), "{}", &text[..2000]);
    let Some(browser) = browser() else {
        eprintln!("there is no Chromium here: the page was not opened, only its structure was looked at");
        return;
    };
    for (place, count, shown, hidden) in [
        ("", "4 changes", "warehouses.bi", "nothing of this name"),
        ("#?q=select", "1 of 4 changes match", "queries.orders", "nightly"),
        ("#?kind=jobs", "1 of 4 changes match", "jobs.nightly", "queries.orders"),
        ("#?q=no-such-thing", "0 of 4 changes match", "Nothing matches", "nightly"),
    ] {
        let (dom, said) = opened(browser, &page, place);
        assert!(dom.contains("data-ready="), "{place}: it came to its end\n{said}");
        assert!(!dom.contains("data-error=") && !said.contains("CONSOLE"), "{place}: {said}");
        let list = dom.split_once("id=\"count\"").map(|(_, rest)| rest.split("<footer").next().unwrap_or_default()).expect("a list");
        assert!(list.contains(count), "{place}: {count}: {list}");
        assert!(list.contains(shown) && !list.contains(hidden), "{place}: {list}");
        assert!(!dom.contains("<img"), "a name is text");
    }
    // An object's own address opens it, with what it needs.
    let (dom, _) = opened(browser, &page, "#queries.orders");
    assert!(dom.contains("aria-expanded=\"true\"") && dom.contains("FROM orders") && dom.contains("Needs"), "it is open");
    assert!(dom.contains("<svg") && dom.contains("aria-label=\"queries.orders: create; needs 1, needed by 0\""), "the graph is drawn");
}

#[test]
fn a_saved_plan_and_an_apply_have_their_page_too() {
    let project = project();
    let token = [("TOKEN", "planted-secret-77")];
    assert_eq!(project.with("plan --env local --out plan.json --report html=a.html", &token, None).code, 0);
    let ran = project.run("show plan.json -o html");
    assert!(ran.code == 0 && ran.out.starts_with("<!DOCTYPE html>") && ran.out.contains("Holds until"), "{}", ran.err);
    let again = project.run("show plan.json -o html");
    assert_eq!(ran.out, again.out, "the same plan, the same bytes");
    let ran = project.with("apply plan.json --yes --report html=done.html", &token, None);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let done = std::fs::read_to_string(project.folder.path().join("done.html")).expect("it is written");
    assert!(done.contains("Applied 4 steps") && !done.contains("planted-secret-77"), "what it did stands in it");
    let ran = project.with("plan --env local -o html", &token, None);
    assert!(ran.out.contains("No changes: 4 resources are as the configuration says"), "{}", &ran.out[..1500]);
}
