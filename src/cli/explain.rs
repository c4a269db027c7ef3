//! `brickform explain`: what a code means, what a kind's field takes, or where a value comes from.

use clap::Args;

use super::session::Session;
use super::{Exit, Failure, Format, Run, explain_value};
use crate::diagnostic::{codes, suggest};
use crate::kinds::{Field, Kind, Registry, Schema};
use crate::model::{Path, Step};
use crate::report::origin::FORMAT;
use crate::report::schema;

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform explain jobs.nightly.name --env prod   # the value and every step of its origin\n  brickform explain jobs.nightly --env prod        # where it is declared, what it needs, each field with its place\n  brickform explain var.catalog --env prod         # who gives a variable\n  brickform explain jobs.tasks.run_if              # what a kind's field takes\n  brickform explain E0107                          # what a diagnostic code means"
)]
pub struct Arguments {
    /// An address, a field of one, `var.NAME`, a kind, a kind's field, or a code
    #[arg(value_name = "WHAT")]
    what: String,
    /// Ask the workspace too
    #[arg(long, env = "BRICKFORM_LIVE", value_parser = clap::builder::BoolishValueParser::new())]
    live: bool,
}

/// Explains.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let what = arguments.what.trim();
    if is_code(what) {
        return code(what, run);
    }
    let registry = Registry::standard();
    let (word, rest) = what.split_once(['.', '[']).unwrap_or((what, ""));
    if word == "var" && !rest.is_empty() {
        return explain_value::variable(&Session::open(run)?, rest, run);
    }
    let Some(kind) = registry.get(word) else {
        let is_variable = Session::open(run).is_ok_and(|session| session.project.variables().contains_key(what));
        return Err(if is_variable {
            Failure::usage(format!("`{what}` is a variable here"), &[&format!("say so: `brickform explain var.{what}`")])
        } else {
            nothing(what, word, &registry)
        });
    };
    if rest.is_empty() {
        tell_kind(kind, run);
        return Ok(Exit::Done);
    }
    // A field of the kind, unless the project has a resource of this key.
    if let Some((path, field)) = field_of(kind, rest) {
        let declared = Session::open(run).ok().filter(|session| explain_value::is_declared(session, what));
        return if let Some(session) = declared {
            explain_value::value(&session, what, arguments.live, run)
        } else {
            tell_field(kind, &path, field, run);
            Ok(Exit::Done)
        };
    }
    if kind.encode.iter().any(|(at, _)| *at == rest) {
        tell_packed(kind, rest, run);
        return Ok(Exit::Done);
    }
    let session = match Session::open(run) {
        Ok(session) => session,
        Err(Failure::Project(failed)) if failed.usage => return Err(no_field(kind, rest)),
        Err(other) => return Err(other),
    };
    explain_value::value(&session, what, arguments.live, run)
}

/// `E0107`, `w0313`, and what was meant to be one.
fn is_code(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| matches!(c, 'E' | 'e' | 'W' | 'w')) && text.len() > 1 && chars.all(|c| c.is_ascii_digit())
}

fn code(given: &str, run: &Run<'_>) -> Result<Exit, Failure> {
    let wanted = given.to_uppercase();
    let Some(row) = codes::ALL.iter().find(|c| c.code == wanted) else {
        let near = suggest::nearest(&wanted, codes::ALL.iter().map(|c| c.code));
        let help = near.map(|c| format!("did you mean `{c}`?"));
        return Err(Failure::Usage {
            message: format!("there is no diagnostic code `{given}`"),
            help: help.into_iter().chain(["all of them: docs/reference/diagnostics.md".to_owned()]).collect(),
        });
    };
    match run.screen.format {
        Format::Json => {
            run.screen.result(&format!(
                "{}\n",
                serde_json::json!({ "format": FORMAT, "code": row.code, "title": row.title, "explain": row.explain })
            ));
        }
        Format::Text => run.screen.result(&format!("{}: {}\n\n{}\n", row.code, row.title, row.explain)),
    }
    Ok(Exit::Done)
}

fn nothing(what: &str, word: &str, registry: &Registry) -> Failure {
    let names = registry.iter().flat_map(|k| k.aliases.iter().copied().chain([k.name]));
    let mut help: Vec<String> =
        suggest::nearest(word, names).map(|near| format!("did you mean `{}`?", what.replacen(word, near, 1))).into_iter().collect();
    if help.is_empty() {
        help.push(
            "an address (`jobs.nightly.name`), a variable (`var.catalog`), a kind (`jobs`), its field (`jobs.tasks`) or a code (`E0107`)"
                .to_owned(),
        );
        help.push("`brickform schema kinds` lists the kinds".to_owned());
    }
    Failure::Usage { message: format!("`{what}` is nothing that can be explained: there is no kind `{word}`"), help }
}

/// A field by its path; lists and maps on the way need no index.
fn field_of(kind: &'static Kind, rest: &str) -> Option<(Path, Field<'static>)> {
    let path: Path = rest.parse().ok()?;
    let mut field = Schema::of(kind).root();
    if let Some(facet) = path.first_field().and_then(|name| kind.facets.iter().find(|f| f.name == name)) {
        field = Schema::of(facet.kind).root();
        let below = Path::from(path.steps()[1..].to_vec());
        return walked(field, &below).map(|f| (path, f));
    }
    field = walked(field, &path)?;
    Some((path, field))
}

fn walked(mut field: Field<'static>, path: &Path) -> Option<Field<'static>> {
    for step in path.steps() {
        field = match step {
            Step::Field(name) => {
                let mut here = field;
                loop {
                    if let Some(found) = here.field(name) {
                        break found;
                    }
                    here = here.item()?;
                }
            }
            Step::Index(_) | Step::Key(..) => field.item()?,
            Step::Inside => field.inside(),
        };
    }
    Some(field)
}

fn no_field(kind: &'static Kind, rest: &str) -> Failure {
    let word = rest.split(['.', '[']).next().unwrap_or(rest);
    let root = Schema::of(kind).root();
    let near = suggest::nearest(word, root.members().iter().map(|(name, _)| *name));
    let help = match near {
        Some(near) => format!("did you mean `{}.{near}`?", kind.name),
        None => format!("`brickform explain {}` lists the fields; for a resource, go into its project", kind.name),
    };
    Failure::Usage { message: format!("{} has no field `{word}`, and there is no project here", kind.one()), help: vec![help] }
}

fn tell_kind(kind: &'static Kind, run: &Run<'_>) {
    run.screen.result(&match run.screen.format {
        Format::Json => schema::kinds_json(&[kind]),
        Format::Text => schema::kind_text(kind),
    });
}

/// A field of the API that nobody writes: it is made of the other fields.
fn tell_packed(kind: &'static Kind, name: &str, run: &Run<'_>) {
    let words = format!(
        "made of the other fields of {} when it is sent: the API takes them packed into this one. In YAML they stand as fields of \
         their own; a pasted `{name}` is read too and taken apart.",
        kind.one()
    );
    run.screen.result(&match run.screen.format {
        Format::Json => {
            format!("{:#}\n", serde_json::json!({ "format": FORMAT, "kind": kind.name, "path": name, "type": "text", "words": words }))
        }
        Format::Text => {
            format!("{}.{name}: text\n  {words}\n\n`brickform explain {}` lists the fields.\n", kind.name, kind.name)
        }
    });
}

fn tell_field(kind: &'static Kind, path: &Path, field: Field<'static>, run: &Run<'_>) {
    run.screen.result(&match run.screen.format {
        Format::Json => {
            let mut told = schema::field_json(&field);
            told["format"] = FORMAT.into();
            told["kind"] = kind.name.into();
            told["path"] = path.to_string().into();
            told["fields"] = schema::fields_json(schema::inner(field));
            format!("{told:#}\n")
        }
        Format::Text => schema::field_text(kind, path, field),
    });
}

/// What a kind and the declared resources would have been, for a field that is neither.
pub fn meant(kind: &'static Kind, rest: &str, known: Failure) -> Failure {
    let Failure::Usage { message, mut help } = known else { return known };
    let word = rest.split(['.', '[', '/']).next().unwrap_or(rest);
    let root = Schema::of(kind).root();
    if let Some(near) = suggest::nearest(word, root.members().iter().map(|(name, _)| *name)) {
        help.push(format!("or the field of {}: `{}.{near}`?", kind.one(), kind.name));
    }
    Failure::Usage { message, help }
}

#[cfg(test)]
mod tests {
    use super::{field_of, is_code};
    use crate::kinds::Registry;

    #[test]
    fn codes_are_told_from_kinds() {
        for (text, code) in [("E0107", true), ("w0313", true), ("e", false), ("experiments", false), ("E01x", false), ("jobs", false)] {
            assert_eq!(is_code(text), code, "{text}");
        }
    }

    #[test]
    fn fields_need_no_index() {
        let jobs = Registry::standard().get("jobs").unwrap();
        for (path, there) in [
            ("tasks", true),
            ("tasks.run_if", true),
            ("tasks[0].run_if", true),
            ("permissions", true),
            ("permissions.entries", true),
            ("nope", false),
        ] {
            assert_eq!(field_of(jobs, path).is_some(), there, "{path}");
        }
    }
}
