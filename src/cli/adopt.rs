//! `brickform adopt`: what is in the workspace goes into the state, and where nothing declares it, into a file. With `--write`
//! drift goes into the files (see `adopt_write`). Sends only reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;

use super::adopt_write::{self, contents, shared, show};
use super::carry::{self, Consent};
use super::events::Events;
use super::planning::{self, Showing, address};
use super::session::{Online, Session};
use super::{Exit, Failure, Run, runtime, saving};
use crate::diagnostic::{Source, Span};
use crate::export::accept::{accepted, can_be_read};
use crate::export::edited::{self, Edited};
use crate::export::write::environment_file;
use crate::export::{facets, object};
use crate::kinds::{self, Identity, Kind, Lifetime, Registry};
use crate::model::{Address, Lookup, Path, Step as Part, Value};
use crate::plan::{self, Action, Plan, Step};
use crate::project::Answer;
use crate::refresh;
use crate::state::{Document, Entry};
use crate::yaml::Data;
use crate::yaml::splice::{Edit, splice};

/// Arguments of `adopt`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform adopt jobs.nightly --id 123\n  brickform adopt 'jobs.*'                   all declared jobs that exist under their names\n  \
brickform adopt jobs --id 123 --key nightly  writes YAML for it and takes it over\n  brickform adopt --write jobs.nightly         the drift of it goes into the YAML\n  \
brickform adopt --write --all-drift --dry-run"
)]
pub struct Arguments {
    /// `jobs.nightly`, `'jobs.*'`, or a kind with `--id`
    #[arg(value_name = "ADDRESS")]
    pub what: Vec<String>,
    /// The object's id
    #[arg(long, value_name = "ID", conflicts_with = "name")]
    id: Option<String>,
    /// The object's name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Every declared address that exists under its natural key and is not in the state
    #[arg(long, conflicts_with_all = ["id", "name", "write"])]
    all: bool,
    /// The key of an object that nothing declares yet
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The file that gets the YAML of an object that nothing declares yet
    #[arg(long = "to", value_name = "FILE")]
    to: Option<String>,
    /// Write what drifted into the YAML
    #[arg(long, conflicts_with_all = ["id", "name"])]
    pub write: bool,
    /// With `--write`: everything that drifted
    #[arg(long, requires = "write")]
    pub all_drift: bool,
    /// Into the environment's file, so that other environments keep what they have: drift with `--write`, or the YAML of an
    /// object that nothing declares yet
    #[arg(long, conflicts_with_all = ["all", "to"])]
    pub overlay: bool,
    /// With `--write`: what was deleted in the workspace goes from the YAML
    #[arg(long, requires = "write")]
    pub deletions: bool,
    /// With `--write`: also what the workspace has and the YAML does not set
    #[arg(long, requires = "write")]
    pub all_fields: bool,
    /// With `--write`: where the YAML changed since the last apply what the workspace changed too, the workspace's goes into the YAML
    #[arg(long, requires = "write")]
    pub theirs: bool,
    /// Show, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    pub yes: bool,
    #[command(flatten)]
    showing: Showing,
}

impl Arguments {
    /// Whether events are asked for.
    pub fn json(&self) -> bool {
        self.showing.json
    }
}

/// Adopts.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    session.lock(run, "adopt")?;
    let done = runtime().and_then(|runtime| {
        runtime.block_on(async {
            if arguments.write { adopt_write::write(&session, arguments, run).await } else { adopt(&session, arguments, run).await }
        })
    });
    session.store.unlock();
    done
}

async fn adopt(session: &Session, arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let (online, document) = session.online(run).await?;
    let named = arguments.id.is_some() || arguments.name.is_some();
    match arguments.what.as_slice() {
        [] if arguments.all => many(session, &online, document, &[], arguments, run).await,
        [] => Err(Failure::usage(
            "`adopt` wants an address",
            &["`brickform adopt jobs.nightly --id 123`, or `--all` for everything declared that exists"],
        )),
        [kind, id] if session.registry.get(kind).is_some() && !id.contains('.') && !named => {
            one(session, online, document, kind, Some(id), arguments, run).await
        }
        [one_of] if named => {
            let id = match (&arguments.id, &arguments.name) {
                (None, Some(name)) => Some(by_name(session, &online, kind_of(session, one_of)?, name).await?),
                (id, _) => id.clone(),
            };
            one(session, online, document, one_of, id.as_deref(), arguments, run).await
        }
        _ if named => Err(Failure::usage("`--id` and `--name` take one address", &[])),
        given => {
            only_where_written(arguments, &given.join(", "))?;
            let given = given.to_vec();
            many(session, &online, document, &given, arguments, run).await
        }
    }
}

/// `--overlay` says into which file YAML goes: of what is declared none is written.
fn only_where_written(arguments: &Arguments, what: &str) -> Result<(), Failure> {
    if !arguments.overlay {
        return Ok(());
    }
    Err(Failure::usage(
        format!("`--overlay` says where YAML is written, and {what} is declared already: nothing would be"),
        &["leave it out; with `--write` it is where drift goes"],
    ))
}

/// The kind of an address or of a kind's name.
fn kind_of(session: &Session, text: &str) -> Result<&'static Kind, Failure> {
    if let Some(kind) = session.registry.get(text) {
        return Ok(kind);
    }
    let address = address(text, &session.registry)?;
    session.registry.get(&address.kind).ok_or_else(|| Failure::usage(format!("there is no kind `{}`", address.kind), &[]))
}

/// The id of the only object with this name.
async fn by_name(session: &Session, online: &Online, kind: &'static Kind, name: &str) -> Result<String, Failure> {
    let lookup = Lookup { kind: kind.name.to_owned(), name: name.to_owned() };
    let mut answers = refresh::lookups(&online.connection.client, &session.registry, std::slice::from_ref(&lookup))
        .await
        .map_err(|error| Failure::api(format!("{} named `{name}` cannot be looked for", kind.one()), error))?;
    match answers.remove(&lookup) {
        Some(Answer::Found(object)) => id_of(kind, &object).ok_or_else(|| Failure::machine(format!("{} `{name}` has no id", kind.one()))),
        Some(Answer::Several(all)) => Err(Failure::Usage {
            message: format!("the workspace has {} named `{name}`", kind.count(all.len())),
            help: all.iter().filter_map(|one| id_of(kind, one)).map(|id| format!("say which one: `--id {id}`")).collect(),
        }),
        Some(Answer::Missing(names)) => {
            let near = crate::diagnostic::suggest::nearest(name, names.iter().map(String::as_str));
            Err(Failure::Usage {
                message: format!("the workspace has no {} named `{name}`", kind.singular),
                help: vec![near.map_or_else(
                    || format!("none of the {} that the caller may see has a name like it; `--id ID` takes its id", kind.many()),
                    |n| format!("did you mean `{n}`?"),
                )],
            })
        }
        None => Err(Failure::machine(format!("{} are not looked up by name", kind.many()))),
    }
}

fn id_of(kind: &Kind, object: &Value) -> Option<String> {
    match kind.identity {
        Identity::Assigned(field) => object.get(field).or_else(|| object.get("id")).map(Value::key_text),
        Identity::Named { parts, join, .. } => {
            let parts: Option<Vec<String>> = parts.iter().map(|p| object.get(p).map(Value::key_text)).collect();
            parts.map(|p| p.join(join))
        }
        Identity::Single(word) => Some(word.to_owned()),
    }
}

/// One object: of a declared address, or of a kind, which is then written down.
async fn one(
    session: &Session,
    online: Online,
    document: Document,
    text: &str,
    id: Option<&str>,
    arguments: &Arguments,
    run: &Run<'_>,
) -> Result<Exit, Failure> {
    let kind = kind_of(session, text)?;
    let declared = if session.registry.get(text).is_some() { None } else { Some(address(text, &session.registry)?) };
    let id = id.unwrap_or_default();
    let other = document.resources.iter().find(|(a, e)| !a.is_facet() && e.kind == kind.name && e.id == id && declared.as_ref() != Some(a));
    if let Some((other, _)) = other {
        return Err(Failure::Usage {
            message: format!("{} {id} is managed already, as {other}", kind.singular),
            help: vec![format!(
                "rename it with `moved:` or `brickform state mv {other} NEW`, or forget it first: `brickform forget {other}`"
            )],
        });
    }
    if let Some(declared) = &declared
        && let Some(entry) = document.resources.get(declared)
    {
        if entry.id == id {
            run.screen.result(&format!("{declared} is managed already, as id {id}: nothing to do.\n"));
            return Ok(Exit::Done);
        }
        return Err(Failure::Usage {
            message: format!("{declared} is managed already, as id {}", entry.id),
            help: vec![format!("forget that one first: `brickform forget {declared}`")],
        });
    }
    match declared {
        Some(declared) if online.desired.resources.contains_key(&declared) => {
            only_where_written(arguments, &declared.to_string())?;
            take(session, online, document, (&declared, id), &[], arguments, run).await
        }
        declared => undeclared(session, online, document, (kind, id, declared), arguments, run).await,
    }
}

/// An object that nothing declares: its YAML is written, then it is taken over.
async fn undeclared(
    session: &Session,
    online: Online,
    document: Document,
    (kind, id, declared): (&'static Kind, &str, Option<Address>),
    arguments: &Arguments,
    run: &Run<'_>,
) -> Result<Exit, Failure> {
    let live = refresh::object(&online.connection.client, kind, id, &named_fields(kind, id))
        .await
        .map_err(|error| Failure::api(format!("{} {id} cannot be read", kind.singular), error))?
        .ok_or_else(|| absent(kind, id))?;
    let taken = |key: &str| online.desired.resources.keys().any(|a| a.kind == kind.name && a.key == key);
    let key = declared.map(|a| a.key).or_else(|| arguments.key.clone()).unwrap_or_else(|| object::key_for(kind, &live, id, &taken));
    if !crate::model::is_key(&key) {
        return Err(Failure::usage(format!("`{key}` is no key"), &["keys are letters, digits, `_` and `-`: `--key nightly`"]));
    }
    let address = Address::new(kind.name, &key);
    if taken(&key) {
        return Err(Failure::Usage {
            message: format!("{address} is declared already"),
            help: vec![format!("take the object into it: `brickform adopt {address} --id {id}`, or choose another `--key`")],
        });
    }
    let ids = object::ids(&document, &online.desired.resources);
    let mut body = object::whole(kind, &live, &ids);
    if let Some(map) = body.as_map_mut() {
        for (name, entries) in parts(&online, kind, id, &live, run).await {
            map.insert(name.to_owned(), object::referred(&entries, &ids));
        }
    }
    let edit = if arguments.overlay {
        let file = environment_file(&session.project).ok_or_else(|| no_file(session))?;
        declaration(session, &address, &body, Some(&file), &Path::field("resources"))?
    } else {
        declaration(session, &address, &body, arguments.to.as_deref(), &Path::root())?
    };
    let edited = Session::with(run, contents(std::slice::from_ref(&edit)))?;
    let online = edited.again(online)?;
    take(&edited, online, document, (&address, id), &[edit], arguments, run).await
}

/// The parts of an object, as its YAML would say them: without what whoever makes one has by that. What cannot be read is left
/// out, with a warning.
async fn parts(online: &Online, kind: &'static Kind, id: &str, live: &Value, run: &Run<'_>) -> Vec<(&'static str, Value)> {
    let named = online.desired.deployer.as_ref().and_then(Value::as_str);
    let deployer = named.or(Some(online.connection.caller.as_str()).filter(|_| !kinds::names_maker(live)));
    let mut found = vec![];
    for facet in kind.facets {
        let bound = facets::bound(facet, id, live);
        let Some(part) = facets::id_of(facet, &bound) else { continue };
        match refresh::object(&online.connection.client, facet.kind, &part, &bound).await {
            Ok(Some(seen)) => found.extend(facets::entries(facet, &bound, &seen, live, deployer).map(|entries| (facet.name, entries))),
            Ok(None) => {}
            Err(error) => run.screen.raw(&format!("warning: its {} cannot be read and are not written: {error}\n", facet.name)),
        }
    }
    found
}

/// The fields that a name that is an id is made of.
fn named_fields(kind: &Kind, id: &str) -> Value {
    match kind.identity {
        Identity::Named { parts, join, .. } if parts.len() > 1 => {
            Value::map(parts.iter().zip(id.splitn(parts.len(), join)).map(|(p, v)| (*p, Value::text(v))))
        }
        Identity::Named { parts, .. } => Value::map(parts.iter().map(|p| (*p, Value::text(id)))),
        Identity::Assigned(_) | Identity::Single(_) => Value::map([("id", Value::text(id))]),
    }
}

fn absent(kind: &Kind, id: &str) -> Failure {
    Failure::Usage {
        message: format!("the workspace has no {} with id `{id}`", kind.singular),
        help: vec!["ids are what the workspace shows in an object's page and URL".to_owned()],
    }
}

/// Where `--overlay` finds no file to write into.
fn no_file(session: &Session) -> Failure {
    Failure::Usage {
        message: format!("{} has no file of its own that `--overlay` could write into", session.environment()),
        help: vec![format!("write `environments/{}.yaml` (`workspace: ..`), or leave `--overlay` out", session.environment())],
    }
}

/// The file that gains a resource, with it; `within` is where resources stand in it.
fn declaration(session: &Session, address: &Address, body: &Value, to: Option<&str>, within: &Path) -> Result<Edited, Failure> {
    let project = &session.project;
    let name = to.map(str::to_owned).or_else(|| project.files_of(&address.kind).into_iter().find(|f| !project.is_environment_file(f)));
    let name = name.unwrap_or_else(|| format!("conf/{}.yaml", address.kind));
    let path = project.folder.join(&name);
    let before = std::fs::read_to_string(&path).ok();
    let source = Arc::new(Source { name: name.clone(), text: before.clone().unwrap_or_default() });
    let documents = crate::yaml::parse(&source).map_err(Failure::mistakes)?;
    let of_kind = |key: &str| session.registry.get(key).is_some_and(|k| k.name == address.kind);
    let kinds = documents.first().and_then(|d| if within.is_root() { Some(d) } else { d.get(within.first_field()?) });
    let spelled = kinds.and_then(|d| d.entries().iter().find(|e| of_kind(&e.key))).map_or(address.kind.clone(), |e| e.key.clone());
    let section = within.join(Part::Field(spelled.clone()));
    let at = section.join(Part::Field(address.key.clone()));
    let items = kinds.and_then(|d| d.get(&spelled)).and_then(|n| if let Data::List(items) = &n.data { Some(items.len()) } else { None });
    let edit = match items {
        // The list form: each item says its key itself.
        Some(items) => {
            let fields = body.as_map().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone()));
            let keyed = std::iter::once(("$key".to_owned(), Value::text(&address.key))).chain(fields);
            Edit::Insert(section, items, Value::map(keyed))
        }
        None => Edit::Set(at, body.clone()),
    };
    let after = splice(&source, 0, &[edit]).map_err(|refusal| Failure::Machine {
        message: format!("{address} cannot be written into `{name}`: {refusal}"),
        help: vec!["name another file: `--to conf/more.yaml`".to_owned()],
    })?;
    Ok(Edited { name, path, before: before.map(String::into_bytes), after: after.into_bytes() })
}

/// Takes one object into the state under a declared address.
async fn take(
    session: &Session,
    mut online: Online,
    document: Document,
    (address, id): (&Address, &str),
    edits: &[Edited],
    arguments: &Arguments,
    run: &Run<'_>,
) -> Result<Exit, Failure> {
    let Some(resource) = online.desired.resources.get(address) else { return Err(unread(address, edits)) };
    let (kind, span): (_, Span) = (resource.kind, resource.span.clone());
    online.desired.imports.insert(address.clone(), (id.to_owned(), span));
    let takers = plan::Takers::of(&online.connection.caller, None, &session.registry);
    let options = plan::Options { keep_seen: true, targets: vec![address.clone().into()], takers, ..plan::Options::default() };
    let (mut plan, millis) = session.plan(run, &online, &document, &options).await?;
    plan.steps.retain(|s| s.address.parent() == *address);
    if plan.steps.iter().any(|s| s.address == *address && s.seen.is_none()) {
        return Err(absent(kind, id));
    }
    plan.steps.retain(|s| s.seen.is_some());
    finish(session, &online, document, (plan, millis), edits, arguments, run)
}

/// A file was chosen that the project would not read: what is written there would be declared nowhere.
fn unread(address: &Address, edits: &[Edited]) -> Failure {
    let file = edits.first().map_or("that file", |edit| edit.name.as_str());
    Failure::Usage {
        message: format!("the project would not read {address} from `{file}`, and nothing was written"),
        help: vec![format!(
            "name a file of YAML that it reads: `--to conf/{}.yaml` (`includes:` of conf/project.yaml says which others)",
            address.kind
        )],
    }
}

/// Every declared address that exists under its natural key.
async fn many(
    session: &Session,
    online: &Online,
    document: Document,
    given: &[String],
    arguments: &Arguments,
    run: &Run<'_>,
) -> Result<Exit, Failure> {
    let mut wanted: Vec<Address> = vec![];
    let open =
        |a: &&Address| !a.is_facet() && !document.resources.contains_key(*a) && online.desired.resources[*a].kind.lifetime == Lifetime::Own;
    for text in given {
        let before = wanted.len();
        if let Some((kind, start)) = text.strip_suffix('*').and_then(|t| t.split_once('.')) {
            let kind = kind_of(session, kind)?;
            wanted
                .extend(online.desired.resources.keys().filter(|a| a.kind == kind.name && a.key.starts_with(start)).filter(open).cloned());
            continue;
        }
        let one = address(text, &session.registry)?;
        if let Some(entry) = document.resources.get(&one) {
            run.screen.note(&format!("{one} is managed already, as id {}", entry.id));
            continue;
        }
        wanted.extend(
            online
                .desired
                .resources
                .keys()
                .filter(|a| **a == one || (a.kind == one.kind && a.key == one.key && one.instance.is_none()))
                .filter(open)
                .cloned(),
        );
        if let Some(always) = online.desired.resources.get(&one).filter(|r| !one.is_facet() && r.kind.lifetime != Lifetime::Own) {
            let thing = always.kind.singular;
            run.screen
                .note(&format!("{one}: this {thing} is always there, so there is nothing to adopt; the first apply keeps what it held"));
            continue;
        }
        if wanted.len() == before {
            return Err(super::naming::unknown(&one, "the YAML", online.desired.resources.keys()));
        }
    }
    if given.is_empty() {
        wanted = online.desired.resources.keys().filter(open).cloned().collect();
    }
    if wanted.is_empty() {
        let all = if given.is_empty() { "Everything that is declared is managed already: nothing" } else { "Nothing" };
        run.screen.result(&format!("{all} to adopt.\n"));
        return Ok(Exit::Done);
    }
    let options = plan::Options {
        adopt: true,
        keep_seen: true,
        targets: wanted.iter().cloned().map(Into::into).collect(),
        takers: plan::Takers::of(&online.connection.caller, None, &session.registry),
        ..plan::Options::default()
    };
    let (mut plan, millis) = session.plan(run, online, &document, &options).await?;
    plan.steps.retain(|s| wanted.contains(&s.address.parent()));
    let several = of_several(&plan.steps, &session.registry);
    let clear = |s: &Step| s.seen.is_some() && !several.contains_key(&s.address.parent());
    let (found, rest): (Vec<Step>, Vec<Step>) = std::mem::take(&mut plan.steps).into_iter().partition(clear);
    let mut unclear = 0;
    for step in &rest {
        if several.contains_key(&step.address.parent()) {
            if let Some(why) = several.get(&step.address) {
                unclear += 1;
                run.screen.raw(&format!("error: {}: {why}\n", step.address));
                let line =
                    format!("say which one: `brickform adopt {} --id ID`", crate::report::answers::shell_word(&step.address.to_string()));
                run.screen.raw(&format!("  = {}\n", run.screen.in_environment(&line)));
            }
            continue;
        }
        if step.blocks.is_empty() && !step.address.is_facet() {
            run.screen.note(&format!("{}: the workspace has none of this name", step.address));
        }
        for block in &step.blocks {
            unclear += 1;
            run.screen.raw(&format!("error: {}\n", block.reason));
            block.remedy.iter().for_each(|line| run.screen.raw(&format!("  = {}\n", run.screen.in_environment(line))));
        }
    }
    plan.steps = found;
    if plan.steps.is_empty() {
        run.screen.result("Nothing to adopt.\n");
        return Ok(if unclear > 0 { Exit::Failed } else { Exit::Done });
    }
    let exit = finish(session, online, document, (plan, millis), &[], arguments, run)?;
    Ok(if unclear > 0 { Exit::Failed } else { exit })
}

/// Addresses that would be taken for one and the same object, each with why nobody can say which of them it is.
pub(super) fn of_several(steps: &[Step], registry: &Registry) -> BTreeMap<Address, String> {
    let own = |s: &&Step| s.seen.is_some() && !s.address.is_facet() && registry.get(&s.kind).is_some_and(|k| k.lifetime == Lifetime::Own);
    let mut holders: BTreeMap<(&str, &str), Vec<&Address>> = BTreeMap::new();
    for step in steps.iter().filter(own) {
        if let Some(id) = &step.id {
            holders.entry((step.kind.as_str(), id.as_str())).or_default().push(&step.address);
        }
    }
    let mut found = BTreeMap::new();
    for ((kind, id), addresses) in holders.into_iter().filter(|(_, addresses)| addresses.len() > 1) {
        let word = registry.get(kind).map_or(kind, |k| k.singular);
        for address in &addresses {
            let others: Vec<String> = addresses.iter().filter(|a| *a != address).map(ToString::to_string).collect();
            let why = format!("the {word} {id} has its name, and that of {} too: nothing says whose it is", others.join(", "));
            found.insert((*address).clone(), why);
        }
    }
    found
}

/// Shows, asks, writes and records. Nothing is sent: where YAML says otherwise, the next plan says so.
fn finish(
    session: &Session,
    online: &Online,
    mut document: Document,
    (mut plan, millis): (Plan, u64),
    edits: &[Edited],
    arguments: &Arguments,
    run: &Run<'_>,
) -> Result<Exit, Failure> {
    adopt_write::without_secrets(run, edits)?;
    let mut entries: BTreeMap<Address, Entry> = plan.steps.iter_mut().filter_map(|s| Some((s.address.clone(), taken(s)?))).collect();
    for entry in entries.values_mut() {
        entry.applied = run.outside.known().hide_in(&entry.applied);
    }
    plan.blocks.clear();
    let events = Events::new(run, arguments.showing.json);
    if !arguments.showing.json {
        show(run, edits);
        shared(session, run, edits);
    }
    events.started(session.environment(), "adopt");
    events.refreshed(&plan, millis);
    let look = planning::look(run, &arguments.showing, millis);
    let about = crate::report::about::About::default();
    planning::show(run, &arguments.showing, &planning::Shown { plan: &plan, look, about, around: planning::Around::default() })?;
    if events.wanted() {
        events.planned(&plan, &saving::bound(run, session, online, &plan, &plan::Options::default())?.digest().0);
    }
    if plan.is_blocked() {
        events.ended(None, Exit::Guarded);
        return Ok(Exit::Guarded);
    }
    if arguments.dry_run {
        events.ended(None, Exit::Done);
        run.screen.note("Only shown (--dry-run): nothing was written.");
        return Ok(Exit::Done);
    }
    let question = format!("Take this over in {}? Only `yes` does it: ", session.environment());
    carry::consent(run, &Consent { given: arguments.yes, question: &question, answer: "yes", command: "adopt" })?;
    edited::write(edits).map_err(|error| Failure::machine(error.to_string()))?;
    let parts = entries.keys().filter(|a| a.is_facet()).count();
    let count = crate::report::text::plural((entries.len() - parts) as u64, "object", "objects");
    let parts = if parts == 0 { String::new() } else { format!(" with {}", crate::report::text::plural(parts as u64, "part", "parts")) };
    document.resources.extend(entries);
    session.record(run, online, document, "adopt")?;
    events.ended(None, Exit::Done);
    if !arguments.showing.json {
        run.screen.result(&format!("Adopted: {count}{parts}. Nothing was sent.\n"));
    }
    Ok(Exit::Done)
}

/// The entry of an object as it is; the step becomes one that sends nothing.
pub(super) fn taken(step: &mut Step) -> Option<Entry> {
    let (seen, kind) = (step.seen.clone()?, crate::kinds::Registry::standard().get(&step.kind)?);
    let mut entry = step.entry.clone()?;
    let changes: Vec<_> = step.changes.iter().collect();
    entry.applied = accepted(kind, &entry.applied, &changes, &seen.live);
    // The id as the server spells it, not as it was typed: paths have several spellings.
    let own = (kind.lifetime == Lifetime::Own).then(|| crate::kinds::id_of(kind, &seen.live).map(|id| id.key_text())).flatten();
    (entry.adopted, entry.id) = (true, own.or_else(|| step.id.clone()).unwrap_or(entry.id));
    let live_tag = kind
        .tag
        .and_then(|crate::kinds::Tag::Map(field)| seen.live.get(field)?.get(crate::diff::OWNERSHIP_TAG)?.as_str().map(str::to_owned));
    entry.tag = entry.tag.filter(|tag| live_tag.as_ref() == Some(tag));
    let mut fields: Vec<String> = step.changes.iter().filter(|c| can_be_read(kind, c)).map(|c| c.path.to_string()).collect();
    fields.dedup();
    if !fields.is_empty() {
        step.notes.push(format!("differs from the YAML in {}: the next plan shows it", fields.join(", ")));
    }
    step.blocks.retain(|b| b.guard == "unreadable" || b.guard == "exists");
    step.action = Action::Adopt;
    (step.changes, step.forces, step.calls, step.delete_calls) = (vec![], vec![], vec![], vec![]);
    (step.after, step.delete_after, step.loses) = (vec![], vec![], None);
    Some(entry)
}
