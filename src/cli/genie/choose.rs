//! Which spaces and which of their benchmarks are meant, and what to know of them before they are run. Sends only reads.

use std::collections::BTreeMap;

use super::super::planning::address;
use super::super::session::{Online, Session};
use super::super::{Failure, Run};
use crate::client::{ApiError, ApiErrorKind, Client};
use crate::diagnostic::suggest;
use crate::diff::Reason;
use crate::kinds::{Kind, Registry, from_reply, lacking, list_call, read_call};
use crate::model::{Address, Path, Pattern, Scrubber, Value, fits};
use crate::plan::{self, Action, Step};
use crate::project;
use crate::state::Document;

/// A space whose benchmarks are run.
pub struct Chosen {
    /// Its address; none where it is not managed here.
    pub address: Option<Address>,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The warehouse that its SQL runs on.
    pub warehouse: String,
    /// Its benchmarks in the workspace: questions by id.
    pub benchmarks: BTreeMap<String, String>,
    /// What to know of it.
    pub notes: Vec<String>,
}

impl Chosen {
    /// What messages call it.
    pub fn name(&self) -> String {
        self.address.as_ref().map_or_else(|| self.id.clone(), ToString::to_string)
    }
}

/// A space by its address or its id.
struct Named {
    address: Option<Address>,
    id: String,
}

fn text(body: &Value, name: &str) -> String {
    body.get(name).map(Value::key_text).unwrap_or_default()
}

/// Spaces by the spaces API, below which their runs of benchmarks are.
fn kind() -> Result<&'static Kind, Failure> {
    Registry::standard().get("spaces").ok_or_else(|| Failure::machine("the kind `spaces` is not registered"))
}

/// A space in YAML's form.
async fn read(client: &Client, kind: &'static Kind, id: &str) -> Result<Value, ApiError> {
    let Some(call) = read_call(kind, &Value::text(id), &Value::Null, &[]) else { return Ok(Value::Null) };
    let reply = client.call(&call).await?.body;
    match lacking(kind, &reply) {
        Some(why) => Err(crate::refresh::in_part(why, &call)),
        None => Ok(from_reply(kind, reply)),
    }
}

/// The id of the only space of this title.
async fn by_title(client: &Client, title: &str) -> Result<String, Failure> {
    let listed = match list_call(kind()?, None) {
        Some(call) => client.list(&call).await.map_err(|error| Failure::api("the spaces cannot be listed", error))?,
        None => vec![],
    };
    let found: Vec<String> = listed.iter().filter(|row| text(row, "title") == title).map(|row| text(row, "space_id")).collect();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::Usage {
            message: format!("there is no space called `{title}`"),
            help: vec!["`brickform space-list` shows them all".to_owned()],
        }),
        several => Err(Failure::Usage {
            message: format!("{} spaces are called `{title}`: {}", several.len(), several.join(", ")),
            help: vec!["name one of them by its id".to_owned()],
        }),
    }
}

fn is_space(address: &Address) -> bool {
    address.kind == "spaces" && address.facet.is_none()
}

fn is_id(word: &str) -> bool {
    word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What the spaces of a project hold that nobody may read in a report.
///
/// # Errors
/// A secret cannot be read: what is not known cannot be kept out.
pub fn secrets(run: &Run<'_>, online: &Online) -> Result<Scrubber, Failure> {
    let mut scrubber = Scrubber::default();
    for (address, resource) in online.desired.resources.iter().filter(|(address, _)| is_space(address)) {
        let mut unread = None;
        resource.body.each_deferred(&mut Path::root(), &mut |_, deferred| {
            for source in deferred.secrets() {
                match project::read_secret(run.outside, source) {
                    Ok(value) => scrubber.learn(&value),
                    Err(why) => unread = Some(why),
                }
            }
        });
        if let Some(why) = unread {
            return Err(Failure::Machine {
                message: format!("{address}: {why}"),
                help: vec!["it is needed to keep it out of what is printed: the workspace shows it in the space".to_owned()],
            });
        }
    }
    Ok(scrubber)
}

/// The spaces of an environment. `given`: addresses, keys, ids and patterns; none: all that are declared.
pub async fn of_project(
    run: &Run<'_>,
    session: &Session,
    online: &Online,
    document: &Document,
    given: &[String],
) -> Result<Vec<Chosen>, Failure> {
    let declared: Vec<&Address> = online.desired.resources.keys().filter(|a| is_space(a)).collect();
    let known: Vec<&Address> = declared.iter().copied().chain(document.resources.keys().filter(|a| is_space(a))).collect();
    let mut named: Vec<Named> = Vec::new();
    let mut waiting: Vec<&Address> = Vec::new();
    if declared.is_empty() && given.is_empty() {
        return Err(Failure::usage(
            format!("{} declares no Genie space", session.environment()),
            &["name one by its id to run the benchmarks of a space that is not managed here"],
        ));
    }
    let every = ["spaces.*".to_owned()];
    for word in if given.is_empty() { &every[..] } else { given } {
        let owner = |(address, entry): (&Address, &crate::state::Entry)| (is_space(address) && entry.id == *word).then(|| address.clone());
        if is_id(word) && !known.iter().any(|address| address.key == *word) {
            let address = document.resources.iter().find_map(owner);
            named.push(Named { address, id: word.clone() });
            continue;
        }
        let pattern = pattern(word, session)?;
        let found: Vec<&Address> =
            if given.is_empty() { declared.clone() } else { known.iter().copied().filter(|a| pattern.covers(a)).collect() };
        if found.is_empty() {
            return Err(unknown(word, session.environment(), &known));
        }
        for address in found {
            match document.resources.get(address).filter(|entry| !entry.id.is_empty()) {
                Some(entry) => named.push(Named { address: Some(address.clone()), id: entry.id.clone() }),
                None => waiting.push(address),
            }
        }
    }
    if let Some(first) = waiting.first() {
        let names: Vec<String> = waiting.iter().map(|a| format!("`{a}`")).collect();
        let verb = if waiting.len() == 1 { "has" } else { "have" };
        return Err(Failure::usage(
            format!("{} {verb} not been applied to {}: there is nothing to run", names.join(", "), session.environment()),
            &[&format!(
                "the benchmarks of a space are run as they are in the workspace: `brickform apply --env {} --target '{first}'` first",
                session.environment()
            )],
        ));
    }
    named.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| a.id.cmp(&b.id)));
    named.dedup_by(|a, b| a.id == b.id);
    let notes = differences(run, session, online, document, &named).await?;
    let mut chosen = Vec::new();
    for one in &named {
        let mut space = looked_at(&online.connection.client, one.address.clone(), &one.id).await?;
        space.notes.extend(one.address.as_ref().and_then(|address| notes.get(address).cloned()));
        chosen.push(space);
    }
    Ok(chosen)
}

/// Spaces of a workspace without a project: by id or title.
pub async fn of_workspace(client: &Client, given: &[String]) -> Result<Vec<Chosen>, Failure> {
    if given.is_empty() {
        return Err(Failure::usage(
            "no space is named, and there is no project that says which ones there are",
            &["give the id or the title of a space; `brickform space-list` shows them"],
        ));
    }
    let mut chosen = Vec::new();
    for word in given {
        let id = if is_id(word) { word.clone() } else { by_title(client, word).await? };
        chosen.push(looked_at(client, None, &id).await?);
    }
    chosen.sort_by(|a, b| a.id.cmp(&b.id));
    chosen.dedup_by(|a, b| a.id == b.id);
    Ok(chosen)
}

/// `spaces.sales`, `sales`, `genie_spaces.s*`.
fn pattern(word: &str, session: &Session) -> Result<Pattern, Failure> {
    let whole = if word.contains('.') { word.to_owned() } else { format!("spaces.{word}") };
    if !whole.contains('*') {
        let found = address(&whole, &session.registry)?;
        if !is_space(&found) {
            return Err(Failure::usage(
                format!("only Genie spaces have benchmarks, and `{found}` is none"),
                &["give the address of a space, such as `brickform genie bench spaces.sales`; `brickform state list spaces` shows them"],
            ));
        }
        return Ok(found.into());
    }
    let pattern: Pattern = whole.parse().map_err(|error: crate::model::AddressError| Failure::usage(error.to_string(), &[]))?;
    Ok(match session.registry.get(&pattern.kind) {
        Some(kind) => pattern.of_kind(kind.name),
        None => pattern,
    })
}

fn unknown(word: &str, environment: &str, known: &[&Address]) -> Failure {
    let names: Vec<String> = known.iter().flat_map(|a| [a.to_string(), a.key.clone()]).collect();
    let near = suggest::nearest(word, names.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
    let mut all: Vec<String> = known.iter().map(|a| format!("`{a}`")).collect();
    all.sort();
    all.dedup();
    let there = if all.is_empty() { "there is no Genie space at all".to_owned() } else { format!("there is {}", all.join(", ")) };
    Failure::Usage {
        message: format!("there is no Genie space `{word}` in {environment}"),
        help: near.into_iter().chain([there]).collect(),
    }
}

/// What the plan says of each of these spaces: where live is not what the files say, that is told.
async fn differences(
    run: &Run<'_>,
    session: &Session,
    online: &Online,
    document: &Document,
    named: &[Named],
) -> Result<BTreeMap<Address, String>, Failure> {
    let ours: Vec<Pattern> = named.iter().filter_map(|one| one.address.clone()).map(Pattern::from).collect();
    if ours.is_empty() {
        return Ok(BTreeMap::new());
    }
    let options = plan::Options { targets: ours, ..plan::Options::default() };
    let (plan, _) = session.plan(run, online, document, &options).await?;
    let told = |step: &Step| Some((step.address.clone(), difference(step)?));
    Ok(plan.steps.iter().filter(|step| is_space(&step.address)).filter_map(told).collect())
}

fn difference(step: &Step) -> Option<String> {
    let here = |reasons: &[Reason], benchmarks: bool| {
        let is_there = |change: &crate::diff::FieldChange| (change.path.first_field() == Some("benchmarks")) == benchmarks;
        step.changes.iter().any(|change| reasons.contains(&change.reason) && is_there(change))
    };
    let (yaml, workspace) = (&[Reason::Changed, Reason::Removed, Reason::Conflict][..], &[Reason::Drift, Reason::Conflict][..]);
    let address = &step.address;
    match step.action {
        Action::None | Action::Adopt | Action::Move => None,
        Action::Delete | Action::Forget => Some("it is no longer in YAML".to_owned()),
        _ if here(workspace, true) => Some(format!(
            "its benchmarks were changed in the workspace since the last apply: those are run, not the ones of YAML (`brickform drift --target {address}`)"
        )),
        _ if here(yaml, true) => Some(format!(
            "its benchmarks in YAML are not applied yet: those of the workspace are run (`brickform apply --target {address}`)"
        )),
        _ if here(workspace, false) => Some(format!(
            "it was changed in the workspace since the last apply: that is what is judged, not YAML (`brickform drift --target {address}`)"
        )),
        _ if here(yaml, false) => Some(format!(
            "what changed in YAML is not applied yet: the space is judged as it is in the workspace (`brickform apply --target {address}`)"
        )),
        _ => None,
    }
}

/// Whether an error says that the workspace has no such API at all.
pub fn is_unknown(error: &ApiError) -> bool {
    error.code == "ENDPOINT_NOT_FOUND" || error.status == Some(501)
}

/// A space as it is in the workspace.
async fn looked_at(client: &Client, address: Option<Address>, id: &str) -> Result<Chosen, Failure> {
    let body = match read(client, kind()?, id).await {
        Ok(body) => body,
        Err(error) if is_unknown(&error) => {
            return Err(Failure::Machine {
                message: format!("this workspace has no spaces API, below which runs of benchmarks are: {error}"),
                help: vec!["they can be run on the space's page".to_owned()],
            });
        }
        Err(error) if error.kind == ApiErrorKind::NotFound => {
            let help = match &address {
                Some(address) => vec![format!("`brickform apply --target {address}` makes it again; its id and its runs will be new")],
                None => vec!["`brickform space-list` shows the spaces that there are".to_owned()],
            };
            let name = address.map_or_else(|| format!("the space {id}"), |address| format!("`{address}` (space {id})"));
            return Err(Failure::Machine { message: format!("{name} is not in the workspace: there is nothing to run"), help });
        }
        Err(error) => return Err(Failure::api(format!("the space {id} cannot be read"), error)),
    };
    let all = body.get("benchmarks").and_then(Value::as_list).unwrap_or_default();
    let benchmarks = all.iter().map(|benchmark| (text(benchmark, "id"), text(benchmark, "question"))).collect();
    let (title, warehouse) = (text(&body, "title"), text(&body, "warehouse_id"));
    Ok(Chosen { address, id: id.to_owned(), title, warehouse, benchmarks, notes: vec![] })
}

/// Leaves only the benchmarks that are asked for: by id, by their words, or by what they look like (`*` is anything; case makes no
/// difference). Spaces that have none of them are left out.
pub fn picked(chosen: &mut Vec<Chosen>, questions: &[String]) -> Result<(), Failure> {
    let is_meant =
        |wanted: &str, id: &str, question: &str| id == wanted || fits(&wanted.trim().to_lowercase(), &question.trim().to_lowercase());
    let every: Vec<(String, String)> = chosen.iter().flat_map(|space| space.benchmarks.clone()).collect();
    for wanted in questions {
        if every.iter().any(|(id, question)| is_meant(wanted, id, question)) {
            continue;
        }
        let near = suggest::nearest(wanted, every.iter().map(|(_, question)| question.as_str()));
        let help = near.map_or_else(
            || "`brickform space-get ID -o yaml` shows the benchmarks of a space".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::Usage { message: format!("no benchmark asks `{wanted}`"), help: vec![help] });
    }
    for space in chosen.iter_mut() {
        space.benchmarks.retain(|id, question| questions.is_empty() || questions.iter().any(|wanted| is_meant(wanted, id, question)));
    }
    if !questions.is_empty() {
        chosen.retain(|space| !space.benchmarks.is_empty());
    }
    Ok(())
}

/// Spaces that have benchmarks. One without is an error where it was named, and left out where all are meant.
pub fn with_benchmarks(run: &Run<'_>, chosen: &mut Vec<Chosen>, named: bool) -> Result<(), Failure> {
    let (with, without): (Vec<Chosen>, Vec<Chosen>) = std::mem::take(chosen).into_iter().partition(|space| !space.benchmarks.is_empty());
    let names: Vec<String> = without.iter().map(Chosen::name).collect();
    let help = "write `benchmarks: [{ question: ..., sql: ... }]` into the space and apply it";
    if named && !names.is_empty() {
        let (verb, it) = if names.len() == 1 { ("has", "it") } else { ("have", "them") };
        return Err(Failure::Machine {
            message: format!("{} {verb} no benchmarks in the workspace: there is nothing to judge {it} by", names.join(", ")),
            help: vec![help.to_owned()],
        });
    }
    if with.is_empty() {
        return Err(Failure::Machine {
            message: "no Genie space of this environment has benchmarks in the workspace: there is nothing to run".to_owned(),
            help: vec![help.to_owned()],
        });
    }
    if !names.is_empty() {
        run.screen.note(&format!("without benchmarks, left out: {}", names.join(", ")));
    }
    *chosen = with;
    Ok(())
}
