//! Plans and results as a person and a program see them.

use super::about::About;
use super::answers::Given;
use super::outcome::{ResultLook, progress, result};
use super::style::{Paint, columns, fold};
use super::text::{self, Look};
use super::{html, json, markdown, samples};
use crate::diff::{Uncompared, Untold};
use crate::plan::{Action, Block};

const LOOK: Look<'static> = Look {
    colour: false,
    width: 110,
    unmanaged: false,
    requests: false,
    drift: false,
    saved: false,
    millis: None,
    sorts: None,
    given: Given::Nothing,
};

#[test]
fn a_plan_with_everything() {
    insta::assert_snapshot!(text::plan(&samples::everything(), &LOOK));
}

#[test]
fn a_plan_with_requests_and_unmanaged_fields_in_a_narrow_window() {
    let look = Look { width: 70, unmanaged: true, requests: true, ..LOOK };
    insta::assert_snapshot!(text::plan(&samples::everything(), &look));
}

/// The commands under drift are about the project and the state that were asked, in every form.
#[test]
fn commands_name_the_state_that_was_asked() {
    let plan = samples::everything();
    let command = "brickform plan --env prod --config conf/spaces --state /x/s --target 'jobs.*'";
    let given = Given::Command(command);
    let about = About { command, ..About::default() };
    let options = "--env prod --config conf/spaces --state /x/s";
    for told in [
        text::plan(&plan, &Look { width: 200, given, ..LOOK }),
        json::beside(&plan, false, None, given),
        markdown::plan(&plan, &about),
        html::plan(&plan, &about),
    ] {
        for command in
            [format!("brickform apply {options} --target jobs.nightly"), format!("brickform adopt {options} --write jobs.nightly")]
        {
            assert!(told.contains(&command), "{command}\n{told}");
        }
        assert!(!told.contains("brickform adopt --env prod --write"), "{told}");
    }
}

#[test]
fn a_plan_in_colour_says_the_same() {
    let plan = samples::everything();
    let colour = text::plan(&plan, &Look { colour: true, ..LOOK });
    assert!(colour.contains('\u{1b}'));
    assert_eq!(console::strip_ansi_codes(&colour), text::plan(&plan, &LOOK));
}

#[test]
fn lines_keep_to_the_width() {
    for width in [80, 120, 200] {
        let text = text::plan(&samples::everything(), &Look { width, requests: true, ..LOOK });
        let body = text.lines().filter(|l| l.starts_with(' ') && !l.contains("keep:"));
        let long: Vec<&str> = body.filter(|l| columns(l) > width).collect();
        assert!(long.is_empty(), "{width}: {long:#?}");
    }
}

#[test]
fn nothing_to_do() {
    let mut plan = samples::plan(vec![samples::step("jobs.a", Action::None, "a"), samples::step("jobs.b", Action::None, "b")]);
    assert_eq!(text::plan(&plan, &LOOK), "prod: no changes. 2 resources match (231 reads).\n");
    assert_eq!(text::plan(&plan, &Look { millis: Some(1_934), ..LOOK }), "prod: no changes. 2 resources match (231 reads in 1.9 s).\n");
    assert_eq!(text::plan(&plan, &Look { drift: true, ..LOOK }), "prod: no drift. 2 resources match (231 reads).\n");
    plan.refreshed = false;
    assert_eq!(text::plan(&plan, &LOOK), "prod: no changes. 2 resources match (nothing was read: --refresh=false).\n");
}

/// Where nothing differs, that is not said of secrets which nobody could compare.
#[test]
fn secrets_of_which_nothing_is_known_are_told_beside_nothing_to_do() {
    let secret = |path: &str, why| Uncompared { path: path.parse().unwrap(), why };
    let mut plan = samples::plan(vec![samples::step("jobs.a", Action::None, "a"), samples::step("spaces.b", Action::None, "b")]);
    plan.steps[0].uncompared = vec![secret("tags.k", Untold::NotTold)];
    // How secrets are is no news, but for readers of JSON.
    assert_eq!(text::plan(&plan, &LOOK), "prod: no changes. 2 resources match (231 reads).\n");
    let told = |plan: &crate::plan::Plan| {
        let about = About::default();
        let page = html::plan(plan, &about);
        [json::plan(plan, false), markdown::plan(plan, &about), page]
    };
    let [document, comment, page] = told(&plan);
    assert!(document.contains("\"why\": \"not_told\""), "{document}");
    assert!(!comment.contains("ot compared") && !page.contains("ot compared"), "{comment}");

    plan.steps[1].uncompared = vec![secret("instructions.text", Untold::NoStateKey), secret("title", Untold::NoStateKey)];
    let line = "2 secrets (spaces.b instructions.text, spaces.b title): the environment has no state key";
    let text = text::plan(&plan, &Look { width: 300, ..LOOK });
    assert!(text.starts_with("prod: no changes. 2 resources match (231 reads).\n"), "{text}");
    assert!(text.contains(&format!("\nNot compared: {line} (`state.key`), so a changed value is not seen.\n")), "{text}");
    let [document, comment, page] = told(&plan);
    assert!(document.contains("\"why\": \"no_state_key\""), "{document}");
    assert!(
        comment.contains("prod: no changes; 2 secrets not compared\n") && comment.contains(&format!("Not compared: {line}")),
        "{comment}"
    );
    assert!(page.contains("as the configuration says; 2 secrets not compared") && page.contains(line), "{page}");
    // Beside changes, too; and of many the first are named.
    plan.steps[0].action = Action::Delete;
    plan.steps[1].uncompared = (0..5).map(|n| secret(&format!("more.m{n}"), Untold::NoFingerprint)).collect();
    let text = text::plan(&plan, &Look { width: 300, ..LOOK });
    assert!(
        text.contains("\nNot compared: 5 secrets (spaces.b more.m0, spaces.b more.m1, spaces.b more.m2, 2 more): the value is known"),
        "{text}"
    );
}

#[test]
fn drift_alone_gives_the_answers() {
    let mut plan = samples::everything();
    plan.steps.retain(|s| s.address.to_string() == "jobs.nightly");
    insta::assert_snapshot!(text::plan(&plan, &Look { drift: true, ..LOOK }));
}

#[test]
fn a_block_of_the_whole_plan() {
    let mut plan = samples::plan(vec![samples::step("jobs.old", Action::Delete, "old")]);
    plan.blocks = vec![Block {
        guard: "max_deletes",
        reason: "6 deletes, at most 5 are allowed".to_owned(),
        remedy: vec!["--allow-max-deletes".to_owned()],
        place: None,
    }];
    insta::assert_snapshot!(text::plan(&plan, &LOOK));
}

#[test]
fn a_plan_as_json() {
    let text = json::plan(&samples::everything(), true);
    assert_eq!(text, json::plan(&samples::everything(), true));
    insta::assert_snapshot!(text);
}

#[test]
fn an_apply_that_went_half_wrong() {
    let look = ResultLook { colour: false, width: 100, successes: true, times: false, again: "brickform apply --env prod", destroy: false };
    insta::assert_snapshot!(result(&samples::everything(), &samples::half(), &look));
    let brief = result(&samples::everything(), &samples::half(), &ResultLook { successes: false, ..look });
    assert!(!brief.contains("schemas.silver") && brief.contains("alerts.orders"), "{brief}");
    let report = samples::half();
    let lines: Vec<String> = report.results.iter().enumerate().map(|(i, r)| progress(r, i + 1, 4, Paint { colour: false })).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_was_half_done_is_not_called_skipped() {
    use super::outcome::{Ending, ending};
    use crate::apply::{Half, Outcome};
    let look = ResultLook { colour: false, width: 100, successes: true, times: false, again: "brickform apply", destroy: false };
    let mut report = samples::half();
    report.results.truncate(2);
    assert_eq!(ending(&report), Ending::Nothing);
    let because = "needs catalogs.lake".to_owned();
    for (done, word, left) in [(Half::Deleted, "deleted", "not made again"), (Half::Made, "made", "the old one is still there")] {
        report.results[1].outcome = Outcome::Halfway { done, because: because.clone() };
        let text = result(&samples::everything(), &report, &look);
        assert!(text.contains(&format!("{left}: needs catalogs.lake")) && text.contains("1 failed, 1 half done"), "{text}");
        assert!(text.contains("exit code 3") && !text.contains("skipped"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&json::result(&samples::everything(), &report, false, Given::Nothing)).unwrap();
        assert_eq!((&json["results"][1]["outcome"], &json["results"][1]["half"]), (&"halfway".into(), &word.into()));
    }
    // A failure after half of it was done is no failure that changed nothing.
    report.results.truncate(1);
    report.results[0].half = Some(Half::Deleted);
    assert_eq!(ending(&report), Ending::Partial);
}

#[test]
fn a_long_name_gives_way_to_the_time() {
    let mut plan = samples::everything();
    plan.steps.iter_mut().for_each(|step| step.name = "é".repeat(90));
    let look = ResultLook { colour: false, width: 200, successes: true, times: true, again: "", destroy: false };
    let text = result(&plan, &samples::half(), &look);
    let done: Vec<&str> = text.lines().filter(|line| line.contains('✓')).collect();
    assert!(!done.is_empty() && done.iter().all(|l| l.contains("é…") && l.ends_with(" s") && columns(l) <= 100), "{text}");
}

#[test]
fn a_result_as_json() {
    let mut plan = samples::everything();
    plan.steps.clear();
    insta::assert_snapshot!(json::result(&plan, &samples::half(), false, Given::Nothing));
}

/// Names of every width: CJK, combining marks, an emoji of several, right to left.
const NAMES: [&str; 5] =
    ["夜間バッチ 処理の全量データ", "cafe\u{301} du matin", "👩\u{200d}👩\u{200d}👧 family", "مهمة ليلية كاملة", "ночная задача"];

fn wide() -> crate::plan::Plan {
    let mut plan = samples::everything();
    for (i, name) in NAMES.iter().enumerate() {
        let mut one = samples::step(&format!("jobs.{}", ["night", "cafe", "a", "task", "nacht"][i]), Action::Update, name);
        let quoted = format!("\"{name}\"");
        one.changes = vec![
            samples::change("name", &quoted, &format!("\"{name} {name}\""), crate::diff::Reason::Changed),
            samples::change("description", "", &format!("\"{}\"", [*name; 6].join(" ")), crate::diff::Reason::Changed),
            samples::change("schedule.pause_status", "\"PAUSED\"", &quoted, crate::diff::Reason::Drift),
        ];
        plan.steps.push(one);
    }
    plan
}

#[test]
fn every_line_fits_the_window_unless_it_is_one_word() {
    let plan = wide();
    for width in [60, 100, 200] {
        let look = Look { width, requests: true, unmanaged: true, ..LOOK };
        let again = "brickform apply --env prod --target jobs.nightly --allow-delete schemas,volumes,catalogs";
        let end = ResultLook { colour: false, width, successes: true, times: true, again, destroy: false };
        let texts = [
            text::plan(&plan, &look),
            text::plan(&plan, &Look { colour: true, ..look }),
            text::plan(&plan, &Look { drift: true, ..look }),
            result(&plan, &samples::half(), &end),
        ];
        for text in &texts {
            let folded = fold(text, width);
            let words = |text: &str| {
                let plain = console::strip_ansi_codes(text).replace(" \\\n", "\n");
                plain.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(words(&folded), words(text), "nothing is lost");
            for line in folded.lines() {
                let plain = console::strip_ansi_codes(line);
                assert!(columns(line) <= width || plain.split_whitespace().filter(|w| *w != "\\").count() <= 2, "{width}: {line}");
            }
        }
        insta::assert_snapshot!(format!("wide_names_plan_{width}"), fold(&texts[0], width));
        insta::assert_snapshot!(format!("wide_names_drift_{width}"), fold(&texts[2], width));
        insta::assert_snapshot!(format!("wide_names_apply_{width}"), fold(&texts[3], width));
    }
}
