//! Where a value comes from: `explain jobs.nightly.name`, `explain jobs.nightly`, `explain var.catalog`.

use super::graph::why;
use super::session::Session;
use super::{Exit, Failure, Format, Run, applied, connect, explain, naming};
use crate::diagnostic::suggest;
use crate::kinds::{Field, Schema};
use crate::model::{Address, Path, Step, Value};
use crate::project::{self, Answers, Desired, Layers, Resource};
use crate::report::difference::leaves;
use crate::report::origin::{self, Summary, Told};
use crate::report::schema;
use crate::report::style::Paint;
use crate::state::Entry;

/// Whether the project declares the resource that a text begins with.
pub fn is_declared(session: &Session, what: &str) -> bool {
    let Ok((address, _)) = naming::place(what, &session.registry) else { return false };
    let Ok(desired) = session.project.resolve(&Answers::new()) else { return false };
    desired.resources.keys().any(|a| a.kind == address.kind && a.key == address.key)
}

/// Tells of a resource or of a field of one.
pub fn value(session: &Session, what: &str, live: bool, run: &Run<'_>) -> Result<Exit, Failure> {
    let (address, path) = naming::place(what, &session.registry)?;
    let desired = session.project.resolve(&Answers::new()).map_err(Failure::mistakes)?;
    let Some(resource) = desired.resources.get(&address) else {
        let place = format!("the YAML of {}", session.environment());
        let failure = naming::unknown(&address, &place, desired.resources.keys());
        let rest = what.split_once('.').map_or("", |(_, rest)| rest);
        return Err(match session.registry.get(&address.kind) {
            Some(kind) => explain::meant(kind, rest, failure),
            None => failure,
        });
    };
    // `permissions` of a body is the part of that name.
    if let Some(facet) = path.first_field().and_then(|name| resource.kind.facets.iter().find(|f| f.name == name)) {
        let part = address.facet(facet.name);
        let mut below = Path::from(path.steps()[1..].to_vec());
        if facet.is_map() && !below.is_root() {
            // A map has no long form: what is written below its name is in the field of the part that takes it.
            below = below.steps().iter().fold(Path::field(facet.body), |path, step| path.join(step.clone()));
        }
        let text = if below.is_root() { part.to_string() } else { format!("{part}.{below}") };
        if desired.resources.contains_key(&part) {
            return value(session, &text, live, run);
        }
    }
    let layers =
        project::layers(run.outside, &run.options.ask(run.outside)?, &session.project, &session.registry).map_err(Failure::Project)?;
    let document = session.document()?;
    let entry = document.as_ref().and_then(|d| d.resources.get(&address));
    let read = if live { read(session, run, &address, entry)? } else { None };
    let paint = Paint { colour: run.screen.out_colour };
    if path.is_root() {
        let host = document.as_ref().map(applied::link_host).unwrap_or_default();
        let summary = summary(session, &desired, resource, entry, &host, read.as_ref());
        run.screen.result(&match run.screen.format {
            Format::Json => origin::summary_json(&summary),
            Format::Text => origin::summary_text(&summary, paint, run.screen.width),
        });
        return Ok(Exit::Done);
    }
    let told = told(session, &layers, &desired, resource, &path, entry, read.as_ref())?;
    show(&told, run);
    Ok(Exit::Done)
}

fn show(told: &Told<'_>, run: &Run<'_>) {
    let paint = Paint { colour: run.screen.out_colour };
    run.screen.result(&match run.screen.format {
        Format::Json => origin::json(told),
        Format::Text => origin::text(told, paint, run.screen.width),
    });
}

fn told<'a>(
    session: &'a Session,
    layers: &Layers,
    desired: &Desired,
    resource: &Resource,
    path: &Path,
    entry: Option<&Entry>,
    live: Option<&Value>,
) -> Result<Told<'a>, Failure> {
    let value = resource.body.at(path).cloned();
    let field = Schema::of(resource.kind).at(path);
    let steps = session.project.origin(layers, desired, resource, path);
    let applied = entry.and_then(|e| applied::field(&session.registry, e, path));
    if value.is_none() && steps.is_empty() && field.is_none() && applied.is_none() && path.to_string() != "id" {
        return Err(no_field(resource, path));
    }
    let mut facts: Vec<String> = field.as_ref().map(facts).unwrap_or_default();
    if value.is_none() && field.is_some_and(|f| f.computed()) && live.is_none() && entry.is_some() {
        facts.push("`--live` reads it".to_owned());
    }
    let live = live.and_then(|l| l.at(path)).cloned();
    if resource.lifecycle.merge && live.is_some() && live != value && applied.is_some() && applied == value {
        facts.push("kept as the workspace has it (lifecycle.merge)".to_owned());
    }
    Ok(Told { what: format!("{}.{path}", resource.address), environment: session.environment(), value, steps, facts, applied, live })
}

fn facts(field: &Field<'_>) -> Vec<String> {
    let mut all = vec![schema::type_words(field)];
    all.extend(schema::facts(field));
    all
}

/// A path that leads nowhere, with the nearest field at the step that fails.
fn no_field(resource: &Resource, path: &Path) -> Failure {
    let mut body = &resource.body;
    let mut field = Some(Schema::of(resource.kind).root());
    let mut above = Path::root();
    for step in path.steps() {
        let Some(next) = body.step(step) else {
            let known = field.map(|f| f.members()).unwrap_or_default();
            let set = body.as_map().map(|m| m.keys().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default();
            let names = known.iter().map(|(n, _)| *n).chain(set.iter().copied());
            let shown = Path::from(vec![step.clone()]);
            let near = if let Step::Field(name) = step { suggest::nearest(name, names) } else { None };
            let prefix = if above.is_root() { resource.address.to_string() } else { format!("{}.{above}", resource.address) };
            let help = match (near, body.as_list()) {
                (Some(near), _) => format!("did you mean `{prefix}.{near}`?"),
                (None, Some(list)) => format!("it is a list of {}: `{prefix}[0]`, or `[key=value]` for an item with a key", list.len()),
                (None, None) => format!("`brickform explain {}` lists its fields", resource.address),
            };
            return Failure::Usage { message: format!("`{prefix}` has no `{shown}`"), help: vec![help] };
        };
        body = next;
        field = field.and_then(|f| match step {
            Step::Field(name) => f.field(name),
            Step::Index(_) | Step::Key(..) => f.item(),
            Step::Inside => Some(f.inside()),
        });
        above.push(step.clone());
    }
    Failure::usage(format!("`{}` has no `{path}`", resource.address), &[])
}

fn read(session: &Session, run: &Run<'_>, address: &Address, entry: Option<&Entry>) -> Result<Option<Value>, Failure> {
    let Some((entry, kind)) = entry.and_then(|e| session.registry.get(&e.kind).map(|k| (e, k))) else {
        run.screen.note(&format!("{address} was not applied yet: there is nothing to read"));
        return Ok(None);
    };
    super::runtime()?.block_on(async {
        let connection = connect::connect(run, &session.project).await?;
        crate::refresh::object(&connection.client, kind, &entry.id, &entry.applied)
            .await
            .map_err(|error| Failure::api(format!("{address} cannot be read"), error))
    })
}

fn summary<'a>(
    session: &'a Session,
    desired: &Desired,
    resource: &'a Resource,
    entry: Option<&Entry>,
    host: &str,
    live: Option<&Value>,
) -> Summary<'a> {
    let address = &resource.address;
    let parts: Vec<String> = desired
        .resources
        .keys()
        .filter(|a| a.is_facet() && !address.is_facet() && a.parent() == *address)
        .map(ToString::to_string)
        .collect();
    let needs = |of: &Resource, only: Option<&Address>| -> Vec<String> {
        let reasons = session.project.reasons(desired, of);
        let kept = reasons.into_iter().filter(|r| only.is_none_or(|on| r.on == *on));
        kept.map(|r| format!("{}  {}  {}", if only.is_some() { &of.address } else { &r.on }, why(&r.why), r.span.cite())).collect()
    };
    let needed_by: Vec<String> = desired
        .resources
        .values()
        .filter(|other| other.address.parent() != *address && other.depends_on.contains(address))
        .flat_map(|other| needs(other, Some(address)))
        .collect();
    let mut rows = vec![("declared", vec![resource.span.cite()])];
    rows.push(("parts", parts));
    rows.push(("lifecycle", lifecycle(resource)));
    rows.push(("needs", needs(resource, None)));
    rows.push(("needed by", needed_by));
    rows.push(("state", entry.map_or_else(|| vec!["not applied yet".to_owned()], |e| vec![format!("id {}", e.id)])));
    rows.push(("page", entry.and_then(|e| applied::link(host, resource.kind, e)).into_iter().collect()));
    rows.retain(|(_, lines)| !lines.is_empty());
    let mut fields = vec![];
    leaves(&resource.body, Some(Schema::of(resource.kind).root()), &mut Path::root(), &mut |path, value| {
        fields.push((path.to_string(), value.clone(), resource.node.nearest(path).span.cite()));
    });
    if let Some(Value::Map(map)) = live {
        let unset = map.iter().filter(|(name, _)| resource.body.get(name).is_none());
        fields.extend(unset.map(|(name, value)| (name.clone(), value.clone(), "live".to_owned())));
    }
    Summary {
        address: address.to_string(),
        environment: session.environment(),
        kind: resource.kind.singular,
        name: if address.is_facet() { String::new() } else { resource.natural.join(".") },
        rows,
        fields,
    }
}

fn lifecycle(resource: &Resource) -> Vec<String> {
    let l = &resource.lifecycle;
    let mut lines = vec![];
    for (holds, text) in [
        (l.prevent_destroy == Some(true), "prevent_destroy: never deleted or replaced"),
        (l.create_before_destroy, "create_before_destroy: the new one first"),
        (l.adopt_by_name, "adopt: by_name"),
        (l.allow_duplicate_name, "allow_duplicate_name"),
        (l.exclusive, "exclusive: owns the whole object"),
        (l.wait, "wait: running"),
        (l.merge, "merge: what others change in the workspace, and YAML does not say, stays"),
    ] {
        if holds {
            lines.push(text.to_owned());
        }
    }
    if !l.ignore_changes.is_empty() {
        lines.push(format!("ignore_changes: {}", l.ignore_changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    lines
}

/// Tells who gives a variable.
pub fn variable(session: &Session, name: &str, run: &Run<'_>) -> Result<Exit, Failure> {
    let values = session.project.variables();
    let desired = session.project.resolve(&Answers::new()).map_err(Failure::mistakes)?;
    let layers =
        project::layers(run.outside, &run.options.ask(run.outside)?, &session.project, &session.registry).map_err(Failure::Project)?;
    let Some((value, _)) = values.get(name) else {
        let near = suggest::nearest(name, values.keys().map(String::as_str));
        let help = near.map_or_else(
            || "`brickform env show` lists all variables with their values".to_owned(),
            |near| format!("did you mean `var.{near}`?"),
        );
        return Err(Failure::Usage { message: format!("there is no variable `{name}` in {}", session.environment()), help: vec![help] });
    };
    let told = Told {
        what: format!("var.{name}"),
        environment: session.environment(),
        value: Some(value.clone()),
        steps: session.project.origin_of_variable(&layers, &desired, name),
        facts: vec![],
        applied: None,
        live: None,
    };
    show(&told, run);
    Ok(Exit::Done)
}
