//! `brickform output [NAME|ADDRESS[.path]]`: declared outputs, and ids and links of everything. From the state;
//! `--live` also asks the workspace.

use std::io::Write as _;

use clap::Args;

use super::session::Session;
use super::{Exit, Failure, Form, Run, applied, connect, naming};
use crate::diagnostic::suggest;
use crate::kinds::Schema;
use crate::model::{Address, Path, Value, Variable};
use crate::project::{Answers, expression};
use crate::refresh;
use crate::report::json;
use crate::report::outputs::{self, Declared, Outputs};
use crate::state::Document;

/// Arguments of `output`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform output --env prod\n  brickform output warehouse_id\n  brickform output jobs.nightly.id\n  brickform output -o github          # id: jobs_nightly_id=991, into $GITHUB_OUTPUT where it is set"
)]
pub struct Arguments {
    /// A declared output, an address (then its id), or a field of one: `jobs.nightly.name`
    #[arg(value_name = "NAME|ADDRESS")]
    name: Option<String>,
    /// Ask the workspace for what the state does not know: lookups and computed fields
    #[arg(long, env = "BRICKFORM_LIVE", value_parser = clap::builder::BoolishValueParser::new())]
    live: bool,
}

/// Hands on what was applied.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let document = session.state()?;
    let source = Source { session: &session, document: &document, run, live: arguments.live };
    let Some(name) = &arguments.name else {
        let all = source.all()?;
        match run.screen.form {
            Form::Json => run.screen.result(&outputs::json(session.environment(), &all)),
            Form::Github => hand_on(run, &outputs::github(&all))?,
            _ => {
                run.screen.result(&outputs::text(&all));
                if all.objects.is_empty() {
                    run.screen.note(&format!("{}: nothing was applied yet ({})", session.environment(), session.state_place));
                }
            }
        }
        return Ok(Exit::Done);
    };
    let value = source.one(name)?;
    match run.screen.form {
        Form::Json => run.screen.result(&format!("{:#}\n", json::value(&value))),
        Form::Github => hand_on(run, &outputs::pair(&outputs::safe(name), &outputs::raw(&value)))?,
        _ => run.screen.result(&format!("{}\n", outputs::raw(&value))),
    }
    Ok(Exit::Done)
}

/// Adds lines to the file that `GITHUB_OUTPUT` names, or prints them where there is none.
fn hand_on(run: &Run<'_>, lines: &str) -> Result<(), Failure> {
    let Some(file) = run.outside.variable("GITHUB_OUTPUT") else {
        run.screen.result(lines);
        return Ok(());
    };
    let path = run.outside.path(file);
    let lines = run.screen.hidden(lines, Form::Github);
    let written = std::fs::OpenOptions::new().append(true).create(true).open(&path).and_then(|mut f| f.write_all(lines.as_bytes()));
    written.map_err(|error| Failure::Machine {
        message: format!("outputs cannot be added to {}: {error}", path.display()),
        help: vec!["GITHUB_OUTPUT names that file; without the variable they are printed".to_owned()],
    })
}

struct Source<'a> {
    session: &'a Session,
    document: &'a Document,
    run: &'a Run<'a>,
    live: bool,
}

impl Source<'_> {
    fn all(&self) -> Result<Outputs, Failure> {
        let registry = &self.session.registry;
        let host = applied::link_host(self.document);
        let whole = self.document.resources.iter().filter(|(a, _)| !a.is_facet());
        let objects = whole.filter_map(|(a, e)| Some((a.clone(), applied::object(&host, registry.get(&e.kind)?, e)))).collect();
        Ok(Outputs { declared: self.declared(None)?, objects })
    }

    /// Declared outputs, or only one of them, evaluated.
    fn declared(&self, only: Option<&str>) -> Result<Vec<Declared>, Failure> {
        let declared = self.session.project.outputs(&Answers::new()).map_err(Failure::mistakes)?;
        let mut made = vec![];
        for output in declared.into_iter().filter(|o| only.is_none_or(|name| o.name == name)) {
            let value = self.known(&output.value, &format!("output `{}` ({})", output.name, output.span.cite()))?;
            made.push(Declared { name: output.name, description: output.description, value });
        }
        Ok(made)
    }

    /// Filled in from the state and, if asked for, from the workspace.
    fn known(&self, value: &Value, what: &str) -> Result<Value, Failure> {
        let fail = |why: String| Failure::machine(format!("{what}: {why}"));
        let value = applied::filled(value, &self.session.registry, self.document).map_err(fail)?;
        if !self.live || !value.has_unknown() {
            return Ok(value);
        }
        super::runtime()?.block_on(self.asked_of_the_workspace(value)).map_err(|failure| match failure {
            Failure::Machine { message, help } => Failure::Machine { message: format!("{what}: {message}"), help },
            other => other,
        })
    }

    async fn asked_of_the_workspace(&self, value: Value) -> Result<Value, Failure> {
        let registry = &self.session.registry;
        let connection = connect::connect(self.run, &self.session.project).await?;
        let mut lookups = vec![];
        let mut objects = std::collections::BTreeSet::new();
        value.each_deferred(&mut Path::root(), &mut |_, deferred| {
            for wait in &deferred.waits {
                match wait {
                    Variable::Lookup(lookup) => lookups.push(lookup.clone()),
                    Variable::Reference(reference) => drop(objects.insert(reference.address.clone())),
                    Variable::Secret(_) => {}
                }
            }
        });
        let answers = refresh::lookups(&connection.client, registry, &lookups)
            .await
            .map_err(|error| Failure::api("lookups cannot be answered", error))?;
        let mut read = std::collections::BTreeMap::new();
        for address in objects {
            let Some(entry) = self.document.resources.get(&address) else { continue };
            let Some(kind) = registry.get(&entry.kind) else { continue };
            let body = refresh::object(&connection.client, kind, &entry.id, &entry.applied)
                .await
                .map_err(|error| Failure::api(format!("{address} cannot be read"), error))?;
            read.extend(body.map(|body| (address, body)));
        }
        let answer = |variable: &Variable| match variable {
            Variable::Lookup(lookup) => match answers.get(lookup) {
                Some(crate::project::Answer::Found(value)) => Some(value.clone()),
                _ => None,
            },
            Variable::Reference(reference) => {
                let entry = self.document.resources.get(&reference.address)?;
                let live = read.get(&reference.address)?;
                crate::plan::recorded(registry.get(&entry.kind)?, &entry.id, &entry.applied, Some(live), &reference.path)
            }
            Variable::Secret(_) => None,
        };
        expression::fill(&value, &answer).map_err(Failure::machine)
    }

    /// One declared output, id or field.
    fn one(&self, name: &str) -> Result<Value, Failure> {
        let declared = self.declared(Some(name))?;
        if let Some(found) = declared.into_iter().next() {
            return self.complete(found.value, name);
        }
        if !name.contains(['.', '[', '/']) {
            let all = self.session.project.outputs(&Answers::new()).map_err(Failure::mistakes)?;
            let near = suggest::nearest(name, all.iter().map(|o| o.name.as_str()));
            let help = match (near, all.is_empty()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, true) => {
                    "none is declared: `outputs:` in conf/project.yaml; ids need no declaration: `brickform output jobs.nightly`".to_owned()
                }
                (None, false) => "`brickform output` shows all".to_owned(),
            };
            return Err(Failure::Usage { message: format!("there is no output `{name}`"), help: vec![help] });
        }
        let (address, path) = naming::place(name, &self.session.registry)?;
        let Some(entry) = self.document.resources.get(&address) else {
            let place = format!("the state of {}", self.session.environment());
            return Err(naming::unknown(&address, &place, self.document.resources.keys()));
        };
        let path = if path.is_root() { Path::field("id") } else { path };
        if path.to_string() == "link" {
            let kind = self.session.registry.get(&entry.kind);
            let link = kind.and_then(|k| applied::link(&applied::link_host(self.document), k, entry));
            return link.map(Value::text).ok_or_else(|| Failure::usage(format!("`{address}` has no page in this workspace"), &[]));
        }
        self.field(&address, &path, name)
    }

    fn field(&self, address: &Address, path: &Path, name: &str) -> Result<Value, Failure> {
        if let Some(kind) = self.session.registry.get(&address.kind)
            && let Some(first) = path.first_field().filter(|first| *first != "id")
        {
            let root = Schema::of(kind).root();
            let parts = kind.facets.iter().map(|facet| facet.name);
            if root.field(kind.field_named(first)).is_none() && !parts.clone().any(|part| part == first) {
                let members = root.members();
                let names = members.iter().map(|(name, _)| *name).chain(["id", "link"]).chain(parts);
                let help = match suggest::nearest(first, names) {
                    Some(near) => format!("did you mean `{address}.{near}`?"),
                    None => format!("`brickform explain {}` lists the fields; `id` and `link` are known of everything", kind.name),
                };
                return Err(Failure::Usage { message: format!("{} has no field `{first}`", kind.one()), help: vec![help] });
            }
        }
        let reference = crate::model::Reference { address: address.clone(), path: path.clone() };
        let waiting = Value::Unknown(std::sync::Arc::new(crate::model::Deferred::of(reference)));
        let value = self.known(&waiting, name)?;
        if value.any(&|v| v.as_map().is_some_and(crate::report::value::is_recorded_secret)) {
            return Err(Failure::usage(format!("`{name}` holds a secret, which is never handed on"), &["read it where it comes from"]));
        }
        self.complete(value, name)
    }

    /// What is still unknown cannot be handed on.
    fn complete(&self, value: Value, name: &str) -> Result<Value, Failure> {
        if !value.has_unknown() {
            return Ok(value);
        }
        let help = if self.live {
            "the workspace does not know it either: is it applied, and is the field spelt as the API has it?"
        } else {
            "the state knows ids and what was applied; `--live` asks the workspace for the rest"
        };
        Err(Failure::Machine { message: format!("`{name}` is not known in {}", self.session.environment()), help: vec![help.to_owned()] })
    }
}
