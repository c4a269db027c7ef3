//! Plans, results, events, comparisons of revisions, and runs over several environments.

use serde_json::{Value as Json, json};

use super::shape::{Member, any, count, either, flag, list, map, maybe, object, of, only, open_word, text, time, whole, with, word};
use crate::report::between;
use crate::report::json::{PLAN_FORMAT, RESULT_FORMAT};

/// Guards, and what else may stand as one: policies and secrets that could not be read among the warnings.
const GUARDS: &[&str] = &[
    "ancestry",
    "cannot_unset",
    "conflict",
    "data_loss",
    "dirty_tree",
    "diverged_commit",
    "exists",
    "max_change_percent",
    "max_deletes",
    "older_commit",
    "overlay",
    "pinned",
    "policy",
    "preflight",
    "prevent_destroy",
    "protected_kind",
    "refused",
    "self_lockout",
    "state",
    "unknown_ancestry",
    "unreadable",
    "workspace",
];

const ACTIONS: &[&str] = &["none", "create", "update", "replace", "replace_new_first", "delete", "adopt", "move", "forget"];
const HALVES: &[&str] = &["deleted", "made"];
const SORTS: &[&str] = &["yours", "merged", "drift"];

pub fn definition(name: &str) -> Option<Json> {
    Some(match name {
        "counts" => counts(),
        "block" => object(vec![
            ("guard", open_word(GUARDS), "A stable word"),
            ("reason", text(), "Why, in a sentence"),
            ("remedy", list(text()), "Flags or lines of YAML, ready to paste"),
        ]),
        "pinning" => maybe(either(vec![
            object(vec![
                ("becomes", only("set"), ""),
                ("to", text(), "The commit that it is rolled back to"),
                ("from", maybe(text()), "The newest commit that was applied before"),
            ]),
            object(vec![("becomes", only("lifted"), "")]),
        ])),
        "step" => object(step()),
        "change" => change(),
        "call" => object(vec![
            ("operation", text(), "As the official SDK calls it"),
            ("method", word(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]), ""),
            ("path", text(), ""),
            ("body", any(), "What is sent; null: nothing"),
            ("why", maybe(text()), "Where it is not plain"),
            ("repeat", word(&["safe", "after_lookup", "until"]), "When it may be sent again"),
        ]),
        "answers" => object(vec![
            ("revert", maybe(text()), "The command that puts it back"),
            ("accept", maybe(text()), "The command that writes it into the files"),
            ("ignore", maybe(text()), "What to write so that it is left alone"),
        ]),
        "step_result" => either(outcomes(&[])),
        "outcomes" => object(vec![
            ("done", count(), ""),
            ("failed", count(), ""),
            ("halfway?", count(), "Only where there are such: of a replacement one half was done"),
            ("skipped", count(), ""),
        ]),
        "api_error" => object(vec![
            ("status", count(), "Of the answer; 0: there was none"),
            ("code", text(), "As the API names it"),
            ("message", text(), ""),
            ("request", text(), "Method and path"),
            ("request_id", maybe(text()), ""),
            ("tries", count(), ""),
        ]),
        "plan" => plan(),
        _ => return None,
    })
}

fn counts() -> Json {
    object(vec![
        ("add", count(), ""),
        ("change", count(), ""),
        ("replace", count(), ""),
        ("delete", count(), ""),
        ("adopt", count(), ""),
        ("moved", count(), ""),
        ("forget", count(), ""),
        ("drifted", count(), "Addresses of which a field drifted"),
        ("kept", count(), "Fields and items that stay as they were changed in the workspace (`lifecycle.merge`)"),
        ("blocked", count(), "Addresses that a guard blocks"),
        ("unmanaged", count(), "Fields that the files never set"),
        ("total", count(), "All addresses"),
    ])
}

/// A step without what only a workspace gives it.
fn step_offline() -> Vec<Member> {
    vec![
        ("address", text(), "`jobs.nightly`, `jobs.nightly/permissions`"),
        ("kind", text(), ""),
        ("action", word(ACTIONS), ""),
        ("symbol", text(), "As in the text: `+ ~ - -/+ +/- < > x`, a space where nothing happens"),
        ("because", maybe(text()), "Where the action is not plain from the changes"),
        ("id", maybe(text()), "Of the object; null: there is none yet"),
        ("name", text(), "What a person calls it"),
        ("moved_from", maybe(text()), "The old address of a move"),
        ("changes", list(of("change")), "Fields that differ"),
        ("loses", maybe(text()), "What is lost with it"),
        ("notes", list(text()), "Things worth knowing"),
    ]
}

fn step() -> Vec<Member> {
    with(
        step_offline(),
        vec![
            ("link", maybe(text()), "Its page in the workspace"),
            ("calls", list(of("call")), "The requests, in order"),
            ("delete_calls", list(of("call")), "Those that delete the old object of a replacement"),
            ("waits", flag(), "Whether it waits after its calls (`lifecycle.wait`)"),
            ("after", list(text()), "Addresses whose steps come first"),
            (
                "delete_after?",
                list(text()),
                "Addresses that come before the old object of a replacement is deleted, where that has a time of its own",
            ),
            ("blocks", list(of("block")), "Guards that stand in the way of this step"),
            ("answers?", of("answers"), "Only where something drifted"),
            (
                "kept?",
                list(object(vec![
                    ("path", text(), ""),
                    ("workspace?", any(), "As the workspace will have it; missing: absent there"),
                    ("yaml?", any(), "As the files say; missing: they do not"),
                    ("applied?", any(), "What the last apply sent"),
                ])),
                "Only with `lifecycle.merge`: what stays as it was changed in the workspace. Such a step is listed although nothing happens to it",
            ),
            (
                "unmanaged?",
                list(object(vec![("path", text(), ""), ("value", any(), "")])),
                "Only with `--unmanaged`: live fields that the files never set",
            ),
            ("sort?", word(SORTS), "Only with `--base`: whose the step is"),
        ],
    )
}

fn change() -> Json {
    object(vec![
        ("path", text(), ""),
        ("old?", any(), "Live; missing: absent there. A null is a null"),
        ("new?", any(), "Desired"),
        ("applied?", any(), "What the last apply sent"),
        ("reason", word(&["changed", "drift", "conflict", "removed"]), ""),
        ("forces_replacement", flag(), ""),
        ("sort?", word(SORTS), "Only with `--base`: whose the change is"),
    ])
}

pub fn plan() -> Json {
    object(vec![
        ("format", only(PLAN_FORMAT), ""),
        ("project", text(), ""),
        ("environment", text(), ""),
        ("workspace", object(vec![("host", text(), "`local`: the embedded one"), ("id", text(), "")]), "The workspace that answered"),
        (
            "state",
            object(vec![("place", text(), ""), ("lineage", text(), ""), ("serial", count(), "")]),
            "The state that the plan starts from",
        ),
        ("destroy", flag(), "Whether it takes everything away"),
        ("refreshed", flag(), "Whether the workspace was read"),
        ("empty", flag(), "Whether applying it would do nothing"),
        ("blocked", flag(), "Whether a guard stands in the way: nothing can be applied"),
        ("left_out", count(), "Addresses that `--target` and `--exclude` leave out"),
        ("looked_ahead", maybe(count()), "How many names `--preflight` asked for; null: nobody wanted it"),
        ("counts", of("counts"), ""),
        ("blocks", list(of("block")), "Guards of the plan as a whole"),
        ("warnings", list(of("block")), ""),
        ("lifted", list(text()), "What waived a guard that would have blocked"),
        ("pinning", of("pinning"), "What becomes of the pin of a rollback; null: it stays"),
        ("steps", list(of("step")), "What happens, in the order of the addresses"),
        (
            "uncompared?",
            list(object(vec![
                ("address", text(), ""),
                ("path", text(), ""),
                (
                    "why",
                    open_word(&["no_state_key", "no_fingerprint", "not_told"]),
                    "`not_told`: unchanged in the files, and the workspace does not tell its value; else a changed value is not seen",
                ),
            ])),
            "Only where there are any: secrets of objects that stay, which were not compared with those in the workspace",
        ),
        (
            "base?",
            object(vec![
                ("revision", text(), "As it was named"),
                ("commit", text(), ""),
                ("counts", map(count()), "Steps by whose they are: `yours`, `merged`, `drift`"),
            ]),
            "Only with `--base`",
        ),
    ])
}

/// A result of a step: done, skipped, half done or failed.
fn outcomes(more: &[Member]) -> Vec<Json> {
    let common = |outcome: &str| {
        let members: Vec<Member> =
            vec![("address", text(), ""), ("action", word(ACTIONS), ""), ("id", maybe(text()), ""), ("outcome", only(outcome), "")];
        with(members, more.to_vec())
    };
    vec![
        object(common("done")),
        object(with(common("skipped"), vec![("because", text(), "")])),
        object(with(
            common("halfway"),
            vec![
                ("half", word(HALVES), "What was done of a replacement: the old object is deleted, or the new one made"),
                ("because", text(), "Why the rest was not tried"),
            ],
        )),
        object(with(
            common("failed"),
            vec![
                ("message", text(), ""),
                ("help", list(text()), "What to do next"),
                ("half?", word(HALVES), "What was done of a replacement before it failed"),
                ("error?", of("api_error"), "What the API said"),
            ],
        )),
    ]
}

pub fn result() -> Json {
    object(vec![
        ("format", only(RESULT_FORMAT), ""),
        ("environment", text(), ""),
        ("operation", word(&["apply", "destroy"]), ""),
        ("serial", count(), "Of the state that was saved"),
        ("interrupted", flag(), "Whether it was stopped"),
        ("counts", of("outcomes"), ""),
        ("results", list(of("step_result")), "In the order of the addresses"),
        ("plan", of("plan"), "The plan that was carried out"),
    ])
}

/// A line. The last alternative stands for events that are not known yet.
pub fn event() -> Json {
    let operations = ["plan", "apply", "rollback", "destroy", "drift", "show", "refresh", "adopt"];
    let known: Vec<(&'static str, Vec<Vec<Member>>)> = vec![
        (
            "started",
            vec![vec![("format", only("brickform.events/1"), ""), ("environment", text(), ""), ("operation", open_word(&operations), "")]],
        ),
        ("refreshed", vec![vec![("requests", count(), ""), ("millis", count(), ""), ("refreshed", flag(), "`--refresh=false`: no")]]),
        ("step_planned", vec![step()]),
        (
            "planned",
            vec![vec![
                ("serial", count(), ""),
                ("digest", text(), ""),
                ("empty", flag(), ""),
                ("blocked", flag(), ""),
                ("counts", of("counts"), ""),
                ("blocks", list(of("block")), ""),
                ("warnings", list(of("block")), ""),
                ("lifted", list(text()), ""),
                ("pinning", of("pinning"), ""),
            ]],
        ),
        ("step_started", vec![vec![("address", text(), ""), ("action", word(ACTIONS), "")]]),
        ("step_waiting", vec![vec![("address", text(), ""), ("state", text(), "What is waited out")]]),
        (
            "summary",
            vec![vec![
                ("exit_code", count(), "Of the process"),
                ("serial?", count(), "Of an apply"),
                ("interrupted?", flag(), ""),
                ("counts?", of("outcomes"), ""),
                ("requests?", count(), ""),
                ("millis?", count(), ""),
            ]],
        ),
        (
            "failed",
            vec![vec![
                ("exit_code", count(), ""),
                ("message", text(), ""),
                ("help", list(text()), ""),
                ("diagnostics?", list(of("diagnostic")), "Where the project has mistakes"),
            ]],
        ),
    ];
    let head = |event: &str| -> Vec<Member> { vec![("event", only(event), ""), ("at", time(), "To the millisecond, UTC")] };
    let mut lines: Vec<Json> = vec![];
    let mut names: Vec<&str> = vec!["step_ended"];
    for (name, forms) in known {
        names.push(name);
        lines.extend(forms.into_iter().map(|members| object(with(head(name), members))));
    }
    let ended = with(head("step_ended"), vec![("millis", count(), ""), ("requests", count(), "")]);
    lines.extend(outcomes(&ended));
    lines.push(json!({
        "title": "an event that is not known yet",
        "type": "object", "required": ["event", "at"], "properties": { "event": { "not": { "enum": names } } },
    }));
    either(lines)
}

pub fn diff() -> Json {
    let side =
        || object(vec![("revision", text(), "As it was named; `the working tree`"), ("commit", maybe(text()), "Null: the working tree")]);
    let step = object(with(step_offline(), vec![("answers?", of("answers"), "")]));
    let environment = object(vec![
        ("environment", text(), ""),
        ("status", word(&["changed", "unchanged", "added", "removed", "old_broken", "new_broken"]), ""),
        ("same_as", maybe(text()), "The first environment in which the same happens"),
        ("counts", maybe(of("counts")), "Null where there is nothing to compare"),
        ("steps", list(step), "As plans have them, without what only a workspace gives"),
        ("diagnostics", list(of("diagnostic")), "Mistakes of the side that has them"),
    ]);
    object(vec![
        ("format", only(between::FORMAT), ""),
        ("project", text(), ""),
        ("from", side(), ""),
        ("to", side(), ""),
        ("empty", flag(), "Whether nothing changes anywhere"),
        ("environments", list(environment), "In the order in which they were asked for; those of a pattern by name"),
    ])
}

pub fn environments_run() -> Json {
    let environment = object(vec![
        ("environment", text(), ""),
        ("tried", flag(), "Whether it was begun: one that failed stops an apply"),
        ("exit_code", maybe(whole()), "Null: it was not tried"),
        ("summary", text(), "In a few words"),
        ("messages", list(text()), "What was said beside the result, a line each"),
        ("result", any(), "The document that the command writes for one environment; null where there is none"),
    ]);
    object(vec![
        ("format", only("brickform.environments-run/1"), ""),
        ("exit_code", count(), "The worst"),
        ("environments", list(environment), "In the order in which they were asked for; those of a pattern by name"),
    ])
}
