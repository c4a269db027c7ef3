//! What states say, and what was run.

use serde_json::Value as Json;

use super::shape::{Member, any, count, either, flag, list, map, maybe, number, object, of, only, open_word, text, time, with, word};
use crate::report::{benchmarks, history as versions, job_run as runs, outputs as handed_on, overview, shown};

const STATUSES: &[&str] = &["ok", "incomplete", "tainted", "unmade"];
/// As tables say it.
const STATUS_WORDS: &[&str] = &["ok", "incomplete", "tainted", "its deletion was begun"];

pub fn definition(name: &str) -> Option<Json> {
    Some(match name {
        "entry" => object(entry_members()),
        "version" => object(vec![
            ("serial", count(), ""),
            ("at", text(), "RFC 3339; empty where nobody knows"),
            ("by", text(), "What wrote it: `apply`, `state mv`"),
            ("commit", maybe(text()), "The commit that was applied"),
            ("subject", maybe(text()), "The first line of its message, where Git knows it"),
            ("resources", count(), "Addresses"),
            ("apply", maybe(note()), "Who applied it and what was waived; null where nothing was applied"),
        ]),
        _ => return None,
    })
}

fn note() -> Json {
    object(vec![
        ("who", text(), "As the workspace knows them"),
        ("overrides", list(text()), "Guards that were lifted, as they were given"),
        ("counts", map(count()), "What was planned; `failed`, `half_done`, `skipped`: steps that were not done"),
        ("plan", text(), "Its digest"),
        ("link?", text(), "The page of the pipeline's run"),
        ("dirty?", flag(), "The working tree had changes that were not committed"),
        ("files?", list(text()), "Files of the project that `adopt --write` wrote, which the commit does not hold so"),
        ("forgotten?", list(text()), "Addresses that it dropped from the state without deleting what they were"),
    ])
}

fn entry_members() -> Vec<Member> {
    vec![
        ("address", text(), ""),
        ("kind", text(), ""),
        ("id", text(), ""),
        ("status", word(STATUSES), ""),
        ("applied", any(), "What the last apply sent"),
        ("former", any(), "What it held before the first touch; null: nothing is known"),
        ("etag", maybe(text()), ""),
        ("protected", flag(), "`lifecycle.prevent_destroy`"),
        ("adopted", flag(), "Taken over, not made here"),
        ("dependencies", list(text()), ""),
        ("tag", maybe(text()), "By which it is found again"),
        ("deposed", list(text()), "Ids of objects that it replaced and that are still to be deleted"),
    ]
}

pub fn show() -> Json {
    let row = object(vec![
        ("address", text(), ""),
        ("kind", text(), ""),
        ("id", text(), ""),
        ("name", maybe(text()), ""),
        ("link", maybe(text()), ""),
        ("status", word(STATUS_WORDS), ""),
        ("adopted", flag(), ""),
    ]);
    let every = object(vec![
        ("format", only(shown::FORMAT), ""),
        ("environment", text(), ""),
        ("serial", count(), ""),
        ("resources", list(row), ""),
    ]);
    let one = object(with(
        entry_members(),
        vec![
            ("format", only(shown::FORMAT), ""),
            ("name", maybe(text()), ""),
            ("link", maybe(text()), "Its page in the workspace"),
            ("needed_by", list(text()), ""),
            ("parts", list(of("entry")), "Permissions, grants and the like"),
            ("last_write", maybe(of("version")), ""),
            ("live?", any(), "Only with `--live`: what the workspace has; null: it is gone"),
        ],
    ));
    either(vec![every, one])
}

pub fn status() -> Json {
    let pin = object(vec![("to", text(), ""), ("from?", text(), ""), ("since", text(), ""), ("by", text(), "")]);
    let state = object(vec![
        ("serial", count(), ""),
        ("lineage", text(), ""),
        ("workspace", maybe(object(vec![("host", text(), ""), ("id", text(), "")])), ""),
        ("commit", maybe(text()), "The commit that was applied last"),
        ("pinned", maybe(pin), "What a rollback left"),
        ("resources", count(), "Addresses"),
        ("kinds", map(count()), "Addresses of each kind"),
        ("unfinished", list(object(vec![("address", text(), ""), ("status", word(STATUS_WORDS), "")])), ""),
        ("open_intents", list(text()), "Addresses whose creation was interrupted; the next plan settles them"),
    ]);
    let holder = object(vec![
        ("holder", text(), ""),
        ("operation", text(), ""),
        ("since", text(), ""),
        ("link?", text(), "The page of the pipeline's run"),
        ("commit?", text(), ""),
    ]);
    object(vec![
        ("format", only(overview::STATUS_FORMAT), ""),
        ("environment", text(), ""),
        ("place", text(), "Where the state is"),
        ("state", maybe(state), "Null before the first apply"),
        ("last_write", maybe(of("version")), ""),
        ("locked_by", maybe(holder), ""),
    ])
}

pub fn outputs() -> Json {
    let resource = object(vec![("kind", text(), ""), ("id", text(), ""), ("link", maybe(text()), ""), ("name", maybe(text()), "")]);
    object(vec![
        ("format", only(handed_on::FORMAT), ""),
        ("environment", text(), ""),
        ("outputs", map(any()), "Declared ones; null: not known yet"),
        ("resources", map(resource), "By address"),
    ])
}

pub fn entries() -> Json {
    let row = object(vec![("address", text(), ""), ("kind", text(), ""), ("id", text(), ""), ("status", word(STATUSES), "")]);
    object(vec![
        ("format", only(overview::LIST_FORMAT), ""),
        ("environment", text(), ""),
        ("serial", count(), ""),
        ("resources", list(row), ""),
    ])
}

pub fn entry() -> Json {
    object(with(vec![("format", only(overview::ENTRY_FORMAT), "")], entry_members()))
}

pub fn history() -> Json {
    object(vec![("format", only(versions::FORMAT), ""), ("environment", text(), ""), ("versions", list(of("version")), "The newest first")])
}

pub fn init() -> Json {
    object(vec![
        ("format", only("brickform.state-init/1"), ""),
        ("place", text(), ""),
        ("fit", flag(), "Whether it can keep a state that is shared"),
        ("credentials", maybe(text()), "By which it was reached"),
        ("tries", list(object(vec![("tried", text(), ""), ("trouble", maybe(text()), "Null: it went well")])), ""),
    ])
}

pub fn push() -> Json {
    let change = object(vec![("address", text(), ""), ("change", word(&["added", "changed", "removed"]), ""), ("what", text(), "")]);
    object(vec![
        ("format", only("brickform.state-push/1"), ""),
        ("serial", count(), ""),
        ("resources", count(), ""),
        ("changes", list(change), ""),
    ])
}

pub fn migrate() -> Json {
    object(vec![
        ("format", only("brickform.state-migrate/1"), ""),
        ("from", text(), ""),
        ("to", text(), ""),
        ("serial", count(), ""),
        ("resources", count(), ""),
        ("versions", count(), "Earlier versions that went along"),
    ])
}

pub fn rebuild() -> Json {
    object(vec![
        ("format", only("brickform.state-rebuild/1"), ""),
        ("found", list(object(vec![("address", text(), ""), ("id", text(), ""), ("by", maybe(text()), "By what it was known")])), ""),
        ("unclear", list(object(vec![("address", text(), ""), ("why", text(), "")])), ""),
        ("missing", list(text()), "Not in the workspace: the next plan creates them"),
        ("forgotten", list(object(vec![("address", text(), ""), ("id", text(), "")])), "Only the old state knew them"),
    ])
}

pub fn import() -> Json {
    let known = |more: Vec<Member>| list(object(with(vec![("address", text(), ""), ("id", text(), "")], more)));
    let missing = object(vec![("address", text(), ""), ("id", maybe(text()), "Null: the file has none"), ("title", text(), "")]);
    object(vec![
        ("format", only("brickform.state-import/1"), ""),
        ("environment", text(), ""),
        ("file", text(), ""),
        ("from", text(), "The environment in the file"),
        ("written", flag(), "Whether the state was written"),
        ("taken", known(vec![("by", word(&["id", "title"]), "By what it was known"), ("notes", list(text()), "")]), ""),
        ("managed", known(vec![]), "In the state already"),
        ("missing", list(missing), "Not in the workspace: the next plan creates them"),
        ("undeclared", list(object(vec![("name", text(), ""), ("id", maybe(text()), "")])), "Nothing declares them; they are left alone"),
        ("unclear", list(object(vec![("address", text(), ""), ("why", text(), ""), ("help", list(text()), "")])), ""),
        ("other_environments", list(text()), "Further ones in the file"),
    ])
}

pub fn job_run() -> Json {
    let task = object(vec![
        ("task_key", text(), ""),
        ("run_id", maybe(text()), ""),
        ("state", text(), ""),
        ("message", text(), ""),
        ("error", maybe(text()), ""),
    ]);
    object(vec![
        ("format", only(runs::FORMAT), ""),
        ("address", text(), ""),
        ("job_id", text(), ""),
        ("run_id", text(), ""),
        ("link", maybe(text()), ""),
        ("state?", text(), "Where it was waited for"),
        ("message?", text(), ""),
        ("tasks?", list(task), ""),
    ])
}

pub fn genie_bench() -> Json {
    let verdict = || word(&["good", "needs_review", "bad", "none"]);
    let reasons: Vec<&str> = benchmarks::REASONS.iter().map(|(word, _)| *word).collect();
    let state = || open_word(&["NOT_STARTED", "RUNNING", "DONE", "EVALUATION_FAILED", "EVALUATION_CANCELLED", "EVALUATION_TIMEOUT", ""]);
    let score = || {
        maybe(object(vec![
            ("correct", count(), ""),
            ("of", count(), "Questions that count"),
            ("percent", maybe(number()), "None where no question counts"),
        ]))
    };
    let result = object(vec![
        ("id", text(), "The benchmark's id"),
        ("question", text(), ""),
        ("expected", text(), "The answer that is right; empty where there is none"),
        ("got", text(), "What Genie answered; empty where it did not"),
        ("verdict", verdict(), ""),
        ("reasons", list(open_word(&reasons)), "In the API's words"),
        ("why", list(text()), "The same in plain words"),
        ("by_hand", flag(), "Whether a person gave the verdict"),
        ("status", state(), "The API's word for where it is"),
        ("before", maybe(verdict()), "The verdict of the run that this one is compared with"),
    ]);
    let before = object(vec![
        ("from", text(), "Which run it is"),
        ("needs_review", maybe(word(&["fail", "pass", "ignore"])), "What that counted where it was told of; none where it was not"),
        ("score", score(), "Counted as the score above, however it was counted then"),
        ("worse", list(text()), "Questions"),
        ("better", list(text()), "Questions"),
        ("only_now", list(text()), "Questions that the earlier run was not asked: the two scores are not of the same questions"),
        ("only_before", list(text()), "Questions that only the earlier run was asked"),
    ]);
    let space = object(vec![
        ("address", maybe(text()), "None where the space is named by its id and not managed here"),
        ("space_id", text(), ""),
        ("title", text(), ""),
        ("link", maybe(text()), ""),
        ("notes", list(text()), "Such as that it differs from YAML"),
        ("problem", maybe(text()), "Why there is no result, or only a part of one"),
        ("run_id", maybe(text()), ""),
        ("status", maybe(state()), "The API's word for where the run is"),
        ("created", maybe(time()), "When the run was started"),
        ("questions", count(), ""),
        ("score", score(), ""),
        ("reached", maybe(flag()), "Whether it reaches `min_score`; none without one"),
        ("before", maybe(before), ""),
        ("unasked", list(text()), "Benchmarks of the space that this run did not ask: it reaches no mark"),
        ("results", list(result), "By question"),
    ]);
    object(vec![
        ("format", only(benchmarks::FORMAT), ""),
        ("environment", maybe(text()), ""),
        ("host", text(), ""),
        ("min_score", maybe(number()), "Percent"),
        ("needs_review", word(&["fail", "pass", "ignore"]), "What a question counts that needs review"),
        ("passed", maybe(flag()), "Whether each space reaches `min_score`; none without one"),
        ("spaces", list(space), ""),
    ])
}
