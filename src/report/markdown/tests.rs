//! Comments as a whole: what stands in them, what cannot, and how much they hold.

use super::{Came, LIMIT, One, environments, plan};
use crate::diff::Reason;
use crate::plan::{Action, Block, Plan, Step};
use crate::report::about::About;
use crate::report::outcome::{Applied, Tally};
use crate::report::samples;

const ABOUT: About<'_> = About {
    command: "brickform plan --env prod",
    digest: "0123456789abcdef",
    commit: Some("aaaabbbbccccdddd"),
    result: None,
    run: None,
    sorts: None,
    drift: false,
    held: None,
    needs: &[],
};

fn said(text: &str) -> Applied<'_> {
    Applied { tally: Tally::of(&samples::half(), false), text }
}

/// A comment of an apply says what came of it, and what failed is open.
#[test]
fn what_failed_is_in_the_heading_and_open() {
    let of = samples::plan(vec![samples::step("jobs.a", Action::Update, "a")]);
    let words = "applied in part, 1 of 4 steps failed, 1 skipped (1 added, 1 changed)";
    let text = plan(&of, &About { result: Some(said("it broke")), ..ABOUT });
    assert!(text.contains(&format!("## Brickform · prod: {words}\n")), "{text}");
    let mut done = samples::half();
    done.results.retain(|result| result.outcome == crate::apply::Outcome::Done);
    let done = Applied { tally: Tally::of(&done, false), text: "all is well" };
    let mut none = samples::half();
    none.results.truncate(1);
    let none = Applied { tally: Tally::of(&none, false), text: "nothing went" };
    let wrong = [("a.yaml:3:1".to_owned(), "unknown field `x`\ndid you mean `y`?".to_owned())];
    let all = [
        One { name: "dev", came: Came::Plan(&of, Some(done)), sorts: None },
        One { name: "staging", came: Came::Plan(&of, Some(said("it broke"))), sorts: None },
        One { name: "test", came: Came::Plan(&of, Some(none)), sorts: None },
        One { name: "odd", came: Came::Wrong("the project has mistakes", &wrong), sorts: None },
        One { name: "prod", came: Came::NotTried, sorts: None },
    ];
    let text = environments("plan", "shop", &all, "brickform apply");
    for want in [
        "## Brickform · 5 environments: 2 failed, 1 applied in part, 1 applied, 1 not tried\n",
        "| **dev** | applied: 1 added, 1 changed |  |",
        "| **test** | not applied, 1 of 1 step failed | **failed** |",
        "| **odd** | the project has mistakes | **failed** |",
        "### odd: no plan\n\n- `a.yaml:3:1`: unknown field",
        "  - did you mean",
        "### staging\n\n```\nit broke",
        "<details><summary>dev</summary>",
        "### dev, staging, test: planned: 1 to change",
    ] {
        assert!(text.contains(want), "{want}\n{text}");
    }
    assert!(text.contains(&format!("| **staging** | {words} | **in part** |")), "{text}");
    assert!(!text.contains("<summary>staging"), "{text}");
}

#[test]
fn a_comment_with_everything() {
    insta::assert_snapshot!(plan(&samples::everything(), &ABOUT));
}

#[test]
fn it_is_there_when_nothing_changes() {
    let text = plan(&samples::plan(vec![samples::step("jobs.a", Action::None, "a")]), &ABOUT);
    assert!(text.starts_with("<!-- brickform:plan:platform:prod -->\n## Brickform · prod: no changes\n"), "{text}");
    assert!(text.contains("brickform plan --env prod") && text.contains("`0123456789ab`") && text.contains("`aaaabbbbcccc`"));
}

#[test]
fn names_cannot_break_the_page() {
    for name in ["a`b", "```", "<script>alert(1)</script>", "@everyone", "a|b", "</details>", "x\ny", "-->", "[a](http://b)", "\\`"] {
        let mut one = samples::step("jobs.old", Action::Delete, name);
        one.loses = Some(name.to_owned());
        one.changes = vec![samples::change("name", "", &serde_json::to_string(name).unwrap(), Reason::Changed)];
        let mut of = samples::plan(vec![one]);
        of.warnings = vec![Block { guard: "policy", reason: name.to_owned(), remedy: vec![], place: None }];
        let all =
            [One { name, came: Came::Plan(&of, Some(said(name))), sorts: None }, One { name: "b", came: Came::Failed(name), sorts: None }];
        for text in [plan(&of, &ABOUT), environments("plan", name, &all, name)] {
            let outside = without_code(&text);
            for bad in ["<script", "@everyone", "alert(1)</", "[a]("] {
                assert!(!outside.contains(bad), "{name}: {outside}");
            }
            assert_eq!(outside.matches("<details>").count(), outside.matches("</details>").count(), "{name}: {text}");
        }
    }
}

/// What a reader of Markdown does not take as code.
fn without_code(text: &str) -> String {
    let (mut out, mut fence) = (String::new(), String::new());
    for line in text.lines() {
        let run: String = line.chars().take_while(|c| *c == '`').collect();
        if fence.is_empty() && run.len() >= 3 && !line[run.len()..].contains('`') {
            fence = run;
        } else if !fence.is_empty() {
            if run.len() >= fence.len() && line[run.len()..].trim().is_empty() {
                fence.clear();
            }
        } else {
            out.push_str(&without_spans(line));
            out.push('\n');
        }
    }
    out
}

fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let mark: String = rest[at..].chars().take_while(|c| *c == '`').collect();
        let after = &rest[at + mark.len()..];
        let mut from = 0;
        let close = loop {
            let Some(found) = after[from..].find(&mark).map(|f| f + from) else { break None };
            let run = after[found..].chars().take_while(|c| *c == '`').count();
            if run == mark.len() {
                break Some(found + run);
            }
            from = found + run;
        };
        rest = close.map_or("", |end| &after[end..]);
    }
    out.push_str(rest);
    out
}

fn steps(kind: &str, action: Action, count: usize, text: &str) -> Vec<Step> {
    let one = |i: usize| {
        let mut one = samples::step(&format!("{kind}.{kind}_number_{i:04}"), action, &format!("The one with the number {i}"));
        let value = serde_json::to_string(&format!("{text}{i}")).unwrap();
        one.changes = vec![samples::change("description", "\"a\"", &value, Reason::Changed)];
        one
    };
    (0..count).map(one).collect()
}

/// Everything that is only counted, only named, or shown in full is said, and sums up.
#[test]
fn two_thousand_changes_are_told_in_one_comment() {
    let mut all = steps("jobs", Action::Create, 1300, "a text of some length ");
    all.extend(steps("queries", Action::Update, 600, "SELECT a FROM b WHERE c = "));
    all.extend(steps("warehouses", Action::Update, 6, "small "));
    all.extend(steps("schemas", Action::Delete, 94, ""));
    all.last_mut().unwrap().loses = Some("every table in it".to_owned());
    let text = plan(&samples::plan(all), &ABOUT);
    assert!(text.len() <= LIMIT && text.len() > LIMIT * 8 / 10, "{}", text.len());
    for want in [
        "## Brickform · prod: 1,300 to add, 606 to change, 94 to delete",
        "| jobs | 1,300 |  |  |",
        "| schemas |  |  | 94 |",
        "### Deleted or replaced (94)",
        // A small kind is there in full beside the large ones.
        "<details><summary><b>warehouses</b>: 6 to change</summary>\n\n- `~` `warehouses.warehouses_number_0000` `The one with the number 0`\n\n```diff",
        "only in the counts): a comment holds 65,535 characters.",
        "`brickform plan --env prod --target 'jobs.*'`",
        "```sh\nbrickform plan --env prod\n```",
    ] {
        assert!(text.contains(want), "{want}\n{text}");
    }
    let first = text.find("schemas.schemas_number_0093").unwrap();
    assert!(first < text.find("schemas.schemas_number_0000").unwrap(), "what loses data comes before what is deleted");
    assert!(first < text.find("<details>").unwrap(), "what is deleted is open");
    for n in 0..94 {
        assert!(text.contains(&format!("schemas.schemas_number_{n:04}")), "each that is deleted has its name: {n}");
    }
    // What is shown in full, by name and in counts is everything.
    let shown = text.matches("`jobs.").count() + text.matches("`queries.").count() + text.matches("`warehouses.").count();
    let more: usize = text
        .lines()
        .filter_map(|l| l.strip_prefix("- **and ")?.split_once(" more").map(|(n, _)| n.replace(',', "").parse::<usize>().unwrap()))
        .sum();
    assert_eq!((shown + more, more > 0), (1906, true), "{shown} shown, {more} counted");
    let counted = text.split(" only in the counts").next().and_then(|t| t.rsplit(['(', ' ']).next()).map(|n| n.replace(',', ""));
    assert_eq!(counted.and_then(|n| n.parse().ok()), Some(more), "{text}");
}

#[test]
fn a_comment_never_holds_too_much_and_says_what_it_leaves_out() {
    let long = "<&|é".repeat(300);
    for (action, count, want) in [
        (Action::Delete, 2000, "more that are deleted or replaced**"),
        (Action::Update, 2000, "**Cut short.** Changes are not shown in full"),
        (Action::Delete, 3, "jobs_number_0002"),
    ] {
        let mut steps = steps("jobs", action, count, &long);
        for step in &mut steps {
            step.name.clone_from(&long);
            step.blocks = vec![Block { guard: "policy", reason: long.clone(), remedy: vec![format!("--{long}")], place: None }];
        }
        let mut of = samples::plan(steps);
        of.warnings = (0..50).map(|_| Block { guard: "policy", reason: long.clone(), remedy: vec![], place: None }).collect();
        of.environment.clone_from(&long);
        let all: Vec<One<'_>> = (0..60).map(|_| One { name: &long, came: Came::Plan(&of, Some(said(&long))), sorts: None }).collect();
        let about = About { command: &long, result: Some(said(&long)), ..ABOUT };
        let text = plan(&of, &about);
        assert!(text.len() <= LIMIT, "{} {action:?}", text.len());
        assert!(text.contains(want), "{action:?}");
        assert!(text.ends_with("</sub>\n"));
        let text = environments("apply", &long, &all, &long);
        assert!(text.len() <= LIMIT, "{} {action:?}", text.len());
        assert!(text.ends_with("```\n\n"), "the command is there");
    }
}

#[test]
fn guards_that_say_the_same_of_many_are_counted() {
    let mut steps = steps("schemas", Action::Delete, 15, "");
    for step in &mut steps {
        step.blocks =
            vec![Block { guard: "data_loss", reason: format!("{} holds data", step.address), remedy: vec!["--x".to_owned()], place: None }];
    }
    let mut of = samples::plan(steps);
    of.blocks = vec![Block { guard: "max_deletes", reason: "too many".to_owned(), remedy: vec![], place: None }];
    let text = plan(&of, &ABOUT);
    assert!(text.contains("### Blocked by 16 guards") && text.contains("- **max deletes**: too many\n"), "{text}");
    assert_eq!(text.matches("- **data loss**: ").count(), 5, "{text}");
    assert!(text.contains("- **and 10 more** (data loss: 15 in all)\n"), "{text}");
}

/// Fifty environments in one comment: a row for each, the same change told once, what is lost in front.
#[test]
fn fifty_environments_are_told_in_one_comment() {
    let with = |environment: &str, steps: Vec<Step>| Plan { environment: environment.to_owned(), ..samples::plan(steps) };
    let names: Vec<String> = (0..50).map(|n| format!("prod-{n:02}")).collect();
    let plans: Vec<Plan> = names
        .iter()
        .enumerate()
        .map(|(n, name)| match n {
            7 => {
                let mut lost = steps("catalogs", Action::Delete, 1, "");
                lost[0].loses = Some("every table in it".to_owned());
                lost[0].blocks = vec![Block { guard: "data_loss", reason: "it holds data".to_owned(), remedy: vec![], place: None }];
                with(name, lost)
            }
            8..=19 => with(name, vec![]),
            _ => with(name, steps("jobs", Action::Update, 40, "one and the same ")),
        })
        .collect();
    let mut all: Vec<One<'_>> =
        names.iter().zip(&plans).map(|(name, plan)| One { name, came: Came::Plan(plan, None), sorts: None }).collect();
    all[48].came = Came::Failed("the workspace does not answer\nand more");
    all[49].came = Came::NotTried;
    let text = environments("plan", "shop", &all, "brickform plan --env 'prod-*'");
    assert!(text.len() <= LIMIT, "{}", text.len());
    for want in [
        "<!-- brickform:plan:shop:all -->\n## Brickform · 50 environments: 1 failed, 1 blocked, 35 with changes, 12 without changes, 1 not tried\n",
        "| **prod-07** | 1 to delete | **loses data (1)**, **blocked by 1 guard** |",
        "| **prod-08** | no changes |  |",
        "| **prod-48** | the workspace does not answer | **failed** |",
        "| **prod-49** | not tried |  |",
        "- prod-07: `-` `catalogs.catalogs_number_0000`",
        "### prod-00, prod-01, prod-02, prod-03, prod-04 and 30 more: 40 to change",
        "```sh\nbrickform plan --env 'prod-*'\n```",
    ] {
        assert!(text.contains(want), "{want}\n{text}");
    }
    assert_eq!(text.matches("`jobs.jobs_number_0039`").count(), 1, "the same is told once");
    assert!(text.find("### Deleted or replaced").unwrap() < text.find("### prod-00").unwrap());
    // Each of fifty has something else: every one has its place.
    let plans: Vec<Plan> =
        names.iter().enumerate().map(|(n, name)| with(name, steps("jobs", Action::Update, 40, &format!("own {n} ")))).collect();
    let all: Vec<One<'_>> = names.iter().zip(&plans).map(|(name, plan)| One { name, came: Came::Plan(plan, None), sorts: None }).collect();
    let text = environments("plan", "shop", &all, "brickform plan --env 'prod-*'");
    assert!(text.len() <= LIMIT, "{}", text.len());
    for name in &names {
        assert!(text.contains(&format!("### {name}: 40 to change")), "{name}\n{text}");
    }
    assert!(text.contains("**Cut short.**"));
}

#[test]
fn what_was_deleted_in_the_workspace_is_told_and_drift_puts_nothing_back() {
    let mut step = samples::step("jobs.nightly", Action::Create, "nightly");
    step.because = Some(crate::plan::DELETED.to_owned());
    let gone = samples::plan(vec![step]);
    let told = "`+` `jobs.nightly`: deleted in the workspace";
    let text = plan(&gone, &ABOUT);
    assert!(text.contains(told) && text.contains("put back by this plan"), "{text}");
    let text = plan(&gone, &About { drift: true, ..ABOUT });
    assert!(text.contains(told) && text.contains(": 1 drifted\n"), "{text}");
    assert!(!text.contains("put back by this plan") && !text.contains("to add"), "{text}");
}

#[test]
fn what_messages_quote_is_code_and_breaks_nothing() {
    for (text, want) in [
        ("policy `a_b` does not hold", "policy `a_b` does not hold"),
        ("`x` and `@y`", "`x` and `@y`"),
        ("one ` alone_", "one \\` alone\\_"),
        ("empty `` ones", "empty \\`\\` ones"),
        ("<b> `<b>`", "&lt;b&gt; `<b>`"),
    ] {
        assert_eq!(super::words::prose(text), want);
    }
}

/// Objects are counted, in the headings too: their parts belong to them.
#[test]
fn parts_are_counted_with_their_objects() {
    let step = |address: &str, action| {
        let mut step = samples::step("jobs.a", action, "");
        step.address = address.parse().unwrap();
        step.changes = vec![samples::change("x", "1", "2", Reason::Changed)];
        step
    };
    for (steps, wanted) in [
        (vec![step("jobs.a", Action::Update), step("jobs.a/permissions", Action::Update), step("jobs.b", Action::Update)], "2 to change"),
        (
            vec![step("jobs.a", Action::None), step("jobs.a/permissions", Action::Create), step("jobs.b", Action::Create)],
            "1 to change, 1 to add",
        ),
        (vec![step("jobs.a", Action::Create), step("jobs.a/permissions", Action::Create)], "1 to add"),
    ] {
        let text = plan(&samples::plan(steps), &ABOUT);
        assert!(text.contains(&format!("<b>jobs</b>: {wanted}</summary>")), "{wanted}: {text}");
    }
}
