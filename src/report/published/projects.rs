//! What files, environments, kinds and the machine are found to be.

use serde_json::Value as Json;

use super::shape::{Member, any, count, either, flag, list, map, maybe, object, of, only, open_word, text, with, word};
use crate::report::{diagnostics as mistakes, difference as differences, environment as environments_of, graph as graphs, origin};
use crate::report::{render as rendered, schema as known_kinds};

pub fn definition(name: &str) -> Option<Json> {
    Some(match name {
        "diagnostic" => object(with(
            vec![
                ("code", text(), "`brickform explain CODE` says more"),
                ("severity", word(&["error", "warning"]), ""),
                ("message", text(), ""),
            ],
            with(
                place(true),
                vec![
                    ("labels", list(object(with(place(false), vec![("text", text(), "")]))), "The first is the place of the diagnostic"),
                    ("help", list(text()), ""),
                    (
                        "patches",
                        list(object(with(
                            place(false),
                            vec![
                                ("start", count(), "The first byte that is replaced"),
                                ("end", count(), "The first byte that stays"),
                                ("text", text(), "What is put there"),
                            ],
                        ))),
                        "What would mend it",
                    ),
                ],
            ),
        )),
        "field" => object(field()),
        _ => return None,
    })
}

/// Lines and columns from 1, columns in characters, ends exclusive. `open`: null where there is no place.
fn place(open: bool) -> Vec<Member> {
    let null = |shape: Json| if open { maybe(shape) } else { shape };
    vec![
        ("file", null(text()), ""),
        ("line", null(count()), "From 1"),
        ("column", null(count()), "From 1, in characters"),
        ("end_line", null(count()), ""),
        ("end_column", null(count()), "The first that is not part of it"),
    ]
}

fn field() -> Vec<Member> {
    vec![
        ("type", text(), "In words"),
        ("required?", flag(), "Only where it holds, as the next ones"),
        ("computed?", flag(), "Filled in by the workspace"),
        ("immutable?", flag(), ""),
        ("secret?", flag(), ""),
        ("input_only?", flag(), "Never read back"),
        ("nullable?", flag(), ""),
        ("set?", flag(), "A list whose order means nothing"),
        ("keyed_by?", list(text()), "By what items of a list are told apart"),
        ("values?", list(text()), "Of an enumeration"),
        ("default?", any(), "`{\"$field\": NAME}`: that of another field; `{\"$workspace\": true}`: picked by the workspace"),
    ]
}

pub fn diagnostics() -> Json {
    object(vec![
        ("format", only(mistakes::DIAGNOSTICS_FORMAT), ""),
        ("errors", count(), ""),
        ("warnings", count(), ""),
        ("diagnostics", list(of("diagnostic")), "By file, errors before warnings, by place"),
    ])
}

pub fn environments() -> Json {
    let row = object(vec![("name", text(), ""), ("workspace", text(), "In a few words")]);
    object(vec![("format", only("brickform.environments/1"), ""), ("environments", list(row), "")])
}

pub fn environment() -> Json {
    let attribute = object(vec![("value", text(), ""), ("place", maybe(text()), "Where that stands")]);
    let guards = object(vec![
        ("max_deletes?", count(), ""),
        ("max_change_percent?", count(), ""),
        ("protect?", list(text()), ""),
        ("on_conflict?", word(&["block"]), ""),
        ("require_clean_git?", flag(), ""),
        ("ancestry?", flag(), ""),
        ("preflight?", flag(), ""),
    ]);
    object(vec![
        ("format", only(environments_of::FORMAT), ""),
        ("environment", text(), ""),
        ("workspace", either(vec![only("local"), map(attribute)]), "The embedded one, or attributes by name"),
        ("apis", map(word(&["auto", "spaces", "agents"])), "By which of two APIs kinds are asked that have two, by setting: `genie_api`"),
        ("deployer", maybe(text()), ""),
        (
            "files",
            list(object(vec![("environment", text(), ""), ("file", text(), "")])),
            "What it extends, the furthest first, and itself last",
        ),
        ("state", object(vec![("place", text(), ""), ("keyed", flag(), "Whether fingerprints of secrets are keyed")]), ""),
        ("guards", guards, "Those that are set"),
        ("presets", map(object(vec![("value", any(), ""), ("place", text(), "")])), ""),
        ("variables", map(object(vec![("value", any(), ""), ("origin", text(), "")])), ""),
        ("lookups", count(), "Questions to the workspace"),
    ])
}

pub fn difference() -> Json {
    let named = || list(object(vec![("address", text(), ""), ("name", text(), "")]));
    let field =
        object(vec![("path", text(), ""), ("place", maybe(text()), ""), ("from?", any(), "Missing: absent there"), ("to?", any(), "")]);
    object(vec![
        ("format", only(differences::FORMAT), ""),
        ("from", text(), ""),
        ("to", text(), ""),
        ("same", count(), "Addresses that are the same"),
        ("added", named(), ""),
        ("removed", named(), ""),
        ("changed", list(object(vec![("address", text(), ""), ("fields", list(field), "")])), ""),
    ])
}

pub fn auth() -> Json {
    let attribute = object(vec![
        ("name", text(), ""),
        ("value", text(), "Masked where it is a secret"),
        ("source", text(), "Where it comes from"),
        ("used", flag(), "Whether a more explicit way leaves it aside"),
    ]);
    object(vec![
        ("format", only("brickform.auth/1"), ""),
        ("host", maybe(text()), "`local`: the embedded workspace; null: it cannot be told"),
        ("auth_type", maybe(text()), ""),
        ("otherwise?", maybe(text()), "What is tried where that way gives no token"),
        ("error?", text(), "Why it cannot be told"),
        ("attributes", list(attribute), ""),
    ])
}

pub fn auth_check() -> Json {
    let check = object(vec![
        ("about", text(), ""),
        ("needs", text(), ""),
        ("verdict", word(&["ok", "lacks", "unknown"]), ""),
        ("found", text(), ""),
        ("addresses", list(text()), "What needs it"),
        ("then", maybe(text()), "What to do"),
    ]);
    let refused = object(vec![
        ("format", only("brickform.auth-check/1"), ""),
        ("authenticated", only(false), ""),
        ("error", text(), ""),
        ("help", list(text()), ""),
        ("checks", list(any()), "None was made"),
    ]);
    let checked = object(vec![
        ("format", only("brickform.auth-check/1"), ""),
        ("environment", text(), ""),
        ("authenticated", only(true), ""),
        ("host", maybe(text()), "Null: the embedded workspace"),
        ("auth_type", maybe(text()), ""),
        ("caller", text(), ""),
        ("admin", flag(), ""),
        ("lacks", count(), "Rights that are missing"),
        ("unknown", count(), "Rights that could not be told"),
        ("checks", list(check), ""),
    ]);
    either(vec![checked, refused])
}

pub fn graph() -> Json {
    object(vec![
        ("format", only(graphs::FORMAT), ""),
        ("environment", text(), ""),
        ("nodes", list(object(vec![("address", text(), ""), ("kind", text(), ""), ("name", maybe(text()), "")])), ""),
        (
            "edges",
            list(object(vec![
                ("from", text(), "What needs"),
                ("to", text(), "What is needed"),
                ("why", text(), "`${warehouses.bi.id}`, `depends_on`"),
                ("place", text(), "Where that stands"),
            ])),
            "",
        ),
    ])
}

pub fn render() -> Json {
    let resource = object(vec![
        ("kind", text(), ""),
        ("name", any(), "The natural key"),
        ("lifetime", word(&["own", "attached", "setting"]), ""),
        ("declared", text(), "`conf/jobs.yaml:3`"),
        ("depends_on", list(text()), ""),
        ("body", any(), ""),
    ]);
    object(vec![("format", only(rendered::FORMAT), ""), ("environment", text(), ""), ("resources", map(resource), "By address")])
}

pub fn explain() -> Json {
    let head = |members: Vec<Member>| object(with(vec![("format", only(origin::FORMAT), "")], members));
    let step = object(vec![
        ("depth", count(), ""),
        (
            "sort",
            open_word(&["each", "environment", "file", "given", "lookup", "overlay", "project", "reference", "secret", "variable"]),
            "",
        ),
        ("text", text(), ""),
        ("place", maybe(text()), ""),
        ("value", any(), "Null: it is not known"),
        ("overridden", flag(), ""),
    ]);
    either(vec![
        head(vec![("code", text(), ""), ("title", text(), ""), ("explain", text(), "")]),
        head(vec![("kind", text(), ""), ("path", text(), ""), ("type", text(), ""), ("words", text(), "")]),
        head(with(field(), vec![("kind", text(), ""), ("path", text(), ""), ("fields", map(of("field")), "Its members")])),
        head(vec![
            ("what", text(), ""),
            ("environment", text(), ""),
            ("set", flag(), ""),
            ("value", any(), ""),
            ("facts", list(text()), ""),
            ("origin", list(step), "Each step of where it comes from"),
            ("applied", any(), "What the last apply sent"),
            ("live?", any(), "Only with `--live`"),
        ]),
        head(vec![
            ("address", text(), ""),
            ("environment", text(), ""),
            ("kind", text(), ""),
            ("name", text(), ""),
            ("about", map(list(text())), ""),
            ("fields", list(object(vec![("path", text(), ""), ("value", any(), ""), ("place", text(), "")])), ""),
        ]),
    ])
}

pub fn kinds() -> Json {
    let identity = either(vec![
        object(vec![("assigned", text(), "The field of the id that the workspace picks")]),
        object(vec![("named", list(text()), "Fields that make it"), ("join", text(), "")]),
        object(vec![("single", text(), "There is one")]),
    ]);
    let request = object(vec![
        ("for", open_word(&["create", "read", "list", "update", "delete"]), ""),
        ("operation", text(), ""),
        ("method", text(), ""),
        ("path", text(), ""),
    ]);
    let kind = object(vec![
        ("kind", text(), ""),
        ("singular", text(), ""),
        ("aliases", list(text()), ""),
        ("about", maybe(text()), ""),
        ("example", maybe(text()), "YAML"),
        ("identity", identity, ""),
        ("natural_key", object(vec![("fields", list(text()), ""), ("unique", flag(), "")]), ""),
        ("lifetime", word(&["own", "attached", "setting"]), ""),
        ("deleting_loses", object(vec![("what", word(&["nothing", "history", "data"]), ""), ("words", maybe(text()), "")]), ""),
        ("parts", list(object(vec![("name", text(), ""), ("kind", text(), "")])), ""),
        ("page", maybe(text()), "Of an object, with marks for what is known of it"),
        ("requests", list(request), ""),
        ("fields", map(of("field")), ""),
    ]);
    object(vec![("format", only(known_kinds::FORMAT), ""), ("kinds", list(kind), "")])
}

pub fn init() -> Json {
    object(vec![
        ("format", only("brickform.init/1"), ""),
        ("written", list(text()), "Names of files"),
        ("kept", list(text()), "Those that were there already"),
    ])
}

pub fn doctor() -> Json {
    let check = object(vec![
        ("check", text(), ""),
        ("verdict", word(&["ok", "warn", "fail"]), ""),
        ("found", text(), ""),
        ("help", any(), "What to do; null or empty: nothing"),
    ]);
    object(vec![("format", only("brickform.doctor/1"), ""), ("checks", list(check), "")])
}

pub fn local_serve() -> Json {
    object(vec![
        ("format", only("brickform.local-serve/1"), ""),
        ("host", text(), "A URL"),
        ("workspace_id", text(), ""),
        ("file", text(), "Where it is kept"),
    ])
}

pub fn local_coverage() -> Json {
    let operation = object(vec![("operation", text(), ""), ("method", text(), ""), ("path", text(), "")]);
    let rival = object(vec![("name", text(), ""), ("what", text(), "")]);
    object(vec![
        ("format", only("brickform.local-coverage/1"), ""),
        ("operations", list(operation), "Anything else answers 501"),
        ("rivals", list(rival), "Habits of which the evidence says two things"),
    ])
}

pub fn version() -> Json {
    object(vec![
        ("format", only("brickform.version/1"), ""),
        ("version", text(), ""),
        ("api_data", text(), "The release of the Python SDK that the API data comes from"),
        ("state_format", count(), ""),
    ])
}
