//! The published schemas (JSON Schema 2020-12) of what Brickform writes as JSON, one for each format.
//!
//! They are written by hand beside nothing that writes: tests validate every document that any test, any case of the corpus
//! and any page of the documentation produces against them, and refuse members that no schema names.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

mod plans;
mod projects;
mod shape;
mod states;

/// One schema.
pub struct Published {
    /// Its name on the command line, and of its file: `plan`.
    pub name: &'static str,
    /// Other names for it: the commands that write it.
    pub aliases: &'static [&'static str],
    /// The format that documents name: `brickform.plan/1`.
    pub format: &'static str,
    /// What writes it.
    pub written_by: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    shape: fn() -> Json,
}

/// All of them, in the order of the reference.
pub const ALL: &[Published] = &[
    Published {
        name: "plan",
        aliases: &["drift"],
        format: crate::report::json::PLAN_FORMAT,
        written_by: "`plan`, `drift`, `show FILE`; `apply`, `destroy` and `rollback` where nothing is to do or a guard blocks",
        about: "What an apply would do",
        shape: plans::plan,
    },
    Published {
        name: "result",
        aliases: &["apply", "destroy", "rollback"],
        format: crate::report::json::RESULT_FORMAT,
        written_by: "`apply`, `destroy`, `rollback`",
        about: "What became of each step, and the plan that was carried out",
        shape: plans::result,
    },
    Published {
        name: "events",
        aliases: &[],
        format: "brickform.events/1",
        written_by: "`--json`, an object a line",
        about: "One line of what happens, in time order",
        shape: plans::event,
    },
    Published {
        name: "diff",
        aliases: &[],
        format: crate::report::between::FORMAT,
        written_by: "`diff`",
        about: "What a change of the files does in each environment",
        shape: plans::diff,
    },
    Published {
        name: "environments-run",
        aliases: &[],
        format: "brickform.environments-run/1",
        written_by: "`plan`, `apply`, `drift` and `status` over several environments",
        about: "What one command came to in each environment",
        shape: plans::environments_run,
    },
    Published {
        name: "diagnostics",
        aliases: &["validate"],
        format: crate::report::diagnostics::DIAGNOSTICS_FORMAT,
        written_by: "`validate`, and every command that finds mistakes in the files",
        about: "Mistakes and warnings, with their places",
        shape: projects::diagnostics,
    },
    Published {
        name: "show",
        aliases: &[],
        format: crate::report::shown::FORMAT,
        written_by: "`show`, `show ADDRESS`",
        about: "What is managed",
        shape: states::show,
    },
    Published {
        name: "status",
        aliases: &[],
        format: crate::report::overview::STATUS_FORMAT,
        written_by: "`status`",
        about: "What a state says of its environment",
        shape: states::status,
    },
    Published {
        name: "output",
        aliases: &["outputs"],
        format: crate::report::outputs::FORMAT,
        written_by: "`output`",
        about: "Ids, links and declared outputs to hand on",
        shape: states::outputs,
    },
    Published {
        name: "state-list",
        aliases: &[],
        format: crate::report::overview::LIST_FORMAT,
        written_by: "`state list`",
        about: "The entries of a state",
        shape: states::entries,
    },
    Published {
        name: "state-show",
        aliases: &[],
        format: crate::report::overview::ENTRY_FORMAT,
        written_by: "`state show`",
        about: "One entry of a state",
        shape: states::entry,
    },
    Published {
        name: "state-history",
        aliases: &[],
        format: crate::report::history::FORMAT,
        written_by: "`state history`",
        about: "The versions of a state that are kept, and the applies that made them",
        shape: states::history,
    },
    Published {
        name: "state-init",
        aliases: &[],
        format: "brickform.state-init/1",
        written_by: "`state init`",
        about: "Whether a store can keep a state that is shared",
        shape: states::init,
    },
    Published {
        name: "state-push",
        aliases: &[],
        format: "brickform.state-push/1",
        written_by: "`state push`",
        about: "What a pushed document changed",
        shape: states::push,
    },
    Published {
        name: "state-migrate",
        aliases: &[],
        format: "brickform.state-migrate/1",
        written_by: "`state migrate`",
        about: "Where a state went",
        shape: states::migrate,
    },
    Published {
        name: "state-rebuild",
        aliases: &[],
        format: "brickform.state-rebuild/1",
        written_by: "`state rebuild`",
        about: "What a lost state was found again with",
        shape: states::rebuild,
    },
    Published {
        name: "state-import",
        aliases: &[],
        format: "brickform.state-import/1",
        written_by: "`state import-genie-forge`",
        about: "Which spaces of a state of Genie-Forge were taken over",
        shape: states::import,
    },
    Published {
        name: "env-list",
        aliases: &["environments"],
        format: "brickform.environments/1",
        written_by: "`env list`",
        about: "The environments of a project",
        shape: projects::environments,
    },
    Published {
        name: "env-show",
        aliases: &["environment"],
        format: crate::report::environment::FORMAT,
        written_by: "`env show`",
        about: "One environment with all that it inherits",
        shape: projects::environment,
    },
    Published {
        name: "env-diff",
        aliases: &[],
        format: crate::report::difference::FORMAT,
        written_by: "`env diff`",
        about: "In what two environments differ",
        shape: projects::difference,
    },
    Published {
        name: "auth-describe",
        aliases: &[],
        format: "brickform.auth/1",
        written_by: "`auth describe`",
        about: "How a workspace is reached, and where each value comes from",
        shape: projects::auth,
    },
    Published {
        name: "auth-check",
        aliases: &[],
        format: "brickform.auth-check/1",
        written_by: "`auth check`",
        about: "Which rights a plan and an apply would need, and which of them are there",
        shape: projects::auth_check,
    },
    Published {
        name: "graph",
        aliases: &[],
        format: crate::report::graph::FORMAT,
        written_by: "`graph`",
        about: "What needs what",
        shape: projects::graph,
    },
    Published {
        name: "render",
        aliases: &[],
        format: crate::report::render::FORMAT,
        written_by: "`render`",
        about: "What the files say once everything is resolved",
        shape: projects::render,
    },
    Published {
        name: "explain",
        aliases: &[],
        format: crate::report::origin::FORMAT,
        written_by: "`explain` of a code, a field, a value or an object",
        about: "What something is, or where a value comes from",
        shape: projects::explain,
    },
    Published {
        name: "kinds",
        aliases: &[],
        format: crate::report::schema::FORMAT,
        written_by: "`schema kinds`, `explain KIND`",
        about: "Kinds with their fields and requests",
        shape: projects::kinds,
    },
    Published {
        name: "init",
        aliases: &[],
        format: "brickform.init/1",
        written_by: "`init`",
        about: "The files that were written",
        shape: projects::init,
    },
    Published {
        name: "doctor",
        aliases: &[],
        format: "brickform.doctor/1",
        written_by: "`doctor`",
        about: "What was checked of the machine and the project",
        shape: projects::doctor,
    },
    Published {
        name: "run",
        aliases: &[],
        format: crate::report::job_run::FORMAT,
        written_by: "`run`",
        about: "A run of a job",
        shape: states::job_run,
    },
    Published {
        name: "genie-bench",
        aliases: &["benchmarks"],
        format: crate::report::benchmarks::FORMAT,
        written_by: "`genie bench`",
        about: "Runs of the benchmarks of Genie spaces, and what they are worth",
        shape: states::genie_bench,
    },
    Published {
        name: "local-serve",
        aliases: &[],
        format: "brickform.local-serve/1",
        written_by: "`local serve`, its first line",
        about: "Where the embedded workspace is served",
        shape: projects::local_serve,
    },
    Published {
        name: "local-coverage",
        aliases: &[],
        format: "brickform.local-coverage/1",
        written_by: "`local coverage`",
        about: "What the embedded workspace answers",
        shape: projects::local_coverage,
    },
    Published {
        name: "version",
        aliases: &[],
        format: "brickform.version/1",
        written_by: "`version`",
        about: "Which Brickform this is",
        shape: projects::version,
    },
];

/// The schema of this name, alias or format.
#[must_use]
pub fn find(name: &str) -> Option<&'static Published> {
    ALL.iter().find(|p| p.name == name || p.format == name || p.aliases.contains(&name))
}

impl Published {
    /// The schema as it is published.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = Map::new();
        out.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        out.insert("$id".to_owned(), json!(format!("urn:{}", self.format.replace(['.', '/'], ":"))));
        out.insert("title".to_owned(), json!(self.format));
        let about = format!("{}. Written by {}.", self.about, self.written_by);
        out.insert("description".to_owned(), json!(about));
        if let Json::Object(shape) = (self.shape)() {
            out.extend(shape);
        }
        let mut needed = BTreeSet::new();
        gather(&Json::Object(out.clone()), &mut needed);
        if !needed.is_empty() {
            let definitions: Map<String, Json> = needed.iter().map(|name| (name.clone(), definition(name))).collect();
            out.insert("$defs".to_owned(), Json::Object(definitions));
        }
        format!("{:#}\n", Json::Object(out))
    }
}

/// The names that are referred to, and those that they refer to.
fn gather(shape: &Json, into: &mut BTreeSet<String>) {
    match shape {
        Json::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix("#/$defs/"))
                && into.insert(name.to_owned())
            {
                gather(&definition(name), into);
            }
            members.values().for_each(|member| gather(member, into));
        }
        Json::Array(list) => list.iter().for_each(|item| gather(item, into)),
        _ => {}
    }
}

/// A shape that several schemas have.
fn definition(name: &str) -> Json {
    let found = plans::definition(name).or_else(|| states::definition(name)).or_else(|| projects::definition(name));
    found.expect("a schema refers to what is defined")
}

/// The table of the reference page: command, format, schema.
#[must_use]
pub fn table() -> String {
    let mut out = String::from("| schema | format | written by |\n| --- | --- | --- |\n");
    for Published { name, format, written_by, about, .. } in ALL {
        out.push_str(&format!("| [{name}](schemas/{name}.json): {} | `{format}` | {written_by} |\n", lower(about)));
    }
    out
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, find};

    #[test]
    fn each_name_means_one_schema_and_each_schema_names_its_format() {
        let mut names = BTreeSet::new();
        for published in ALL {
            for name in published.aliases.iter().chain([&published.name, &published.format]) {
                assert!(names.insert(*name), "{name}");
                assert!(find(name).is_some_and(|found| found.name == published.name), "{name}");
            }
            let schema: serde_json::Value = serde_json::from_str(&published.json()).unwrap();
            assert_eq!(schema["title"], published.format);
            assert!(schema["$id"].as_str().unwrap().ends_with(":1"), "{}", schema["$id"]);
            let named = published.name == "events" || published.json().contains(&format!("\"const\": \"{}\"", published.format));
            assert!(named, "{}: documents name their format", published.name);
        }
        assert!(find("nothing").is_none());
    }
}
