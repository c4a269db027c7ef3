//! `brickform state rebuild`: a state from what the workspace holds, where the state is lost. Sends only reads.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;

use super::adopt;
use super::carry::{self, Consent};
use super::session::{Online, Session, given, somebody};
use super::{Exit, Failure, Format, Run, runtime};
use crate::kinds::{Kind, Lifetime};
use crate::model::{Address, Value};
use crate::plan::{self, owner_of};
use crate::refresh;
use crate::report::answers::{common, shell_word};
use crate::report::text::plural;
use crate::state::{Document, Entry, Note, StateError, new_document, new_lineage};

/// Arguments of `state rebuild`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is declared is looked for by `import:`, by its ownership tag, and by its name. A state that can be read is kept as a\n\
version; what it alone knows (objects that nothing declares any more) is told, and managed no longer."
)]
pub struct Arguments {
    /// Show, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// What was found, and what was not.
#[derive(Default)]
struct Findings {
    entries: BTreeMap<Address, Entry>,
    /// By what each was found: `ownership tag`.
    by: BTreeMap<Address, &'static str>,
    /// Why it cannot be said which object it is, or what is in the way.
    unclear: BTreeMap<Address, String>,
    missing: BTreeSet<Address>,
    /// What only the old state knew.
    forgotten: Vec<(Address, String)>,
}

/// Rebuilds the state.
pub fn rebuild(arguments: &Arguments, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    session.lock(run, "state rebuild")?;
    let done = runtime().and_then(|runtime| runtime.block_on(rebuilt(arguments, session, run)));
    session.store.unlock();
    done
}

async fn rebuilt(arguments: &Arguments, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    let remains = session.store.remains()?;
    if let Some(moved) = remains.moved {
        let (place, to, by, at) = (session.state_place.clone(), moved.to, moved.by, moved.at);
        return Err(StateError::Moved { place, to, by, at }.into());
    }
    for trouble in &remains.troubles {
        run.screen.note(&format!("warning: {trouble}"));
    }
    let empty = new_document(&session.project.name, session.environment());
    let connection = super::connect::connect(run, &session.project).await?;
    let mut online = session.answered(run, connection, &empty).await?;
    let old = remains.current();
    let mut findings = Findings::default();
    let tagged = by_tag(session, run, &mut online, &mut findings).await?;
    let takers = plan::Takers::of(&online.connection.caller, old.as_ref(), &session.registry);
    let options = plan::Options { adopt: true, keep_seen: true, takers, ..plan::Options::default() };
    let (plan, _) = session.plan(run, &online, &empty, &options).await?;
    sort_out(session, &online, plan, &tagged, &mut findings);
    let known = |address: &Address| findings.entries.contains_key(address);
    let ids: BTreeSet<(&str, &str)> = findings.entries.values().map(|entry| (entry.kind.as_str(), entry.id.as_str())).collect();
    let lost = old.iter().flat_map(|document| &document.resources);
    let lost =
        lost.filter(|(address, entry)| !known(address) && !address.is_facet() && !ids.contains(&(entry.kind.as_str(), entry.id.as_str())));
    findings.forgotten = lost.map(|(address, entry)| (address.clone(), entry.id.clone())).collect();
    tell(run, &findings);
    if arguments.dry_run {
        run.screen.note("Only shown (--dry-run): nothing was written.");
        return Ok(Exit::Done);
    }
    let question = format!(
        "Make this the state of {}: {}? Only `yes` does it: ",
        session.environment(),
        plural(findings.entries.len() as u64, "address", "addresses")
    );
    carry::consent(run, &Consent { given: arguments.yes, question: &question, answer: "yes", command: "state rebuild" })?;
    let lineage = old.map(|document| document.lineage).filter(|lineage| !lineage.is_empty()).unwrap_or_else(|| new_lineage(run.outside));
    let unclear = findings.unclear.len();
    let document = Document {
        lineage,
        serial: remains.serial + 1,
        workspace: Some(online.connection.identity.clone()),
        resources: findings.entries,
        ..empty
    };
    session.store.annotate(Note { who: somebody(run), link: super::pipeline::link(run.outside), ..Note::default() });
    session.store.replace(&document, "state rebuild")?;
    if run.screen.format == Format::Text {
        run.screen.result(&format!(
            "Rebuilt: serial {}, {}. Nothing was sent.\nNext: brickform plan {}\n",
            document.serial,
            plural(document.resources.len() as u64, "address", "addresses"),
            common(session.environment(), given(run.options))
        ));
    }
    Ok(if unclear > 0 { Exit::Failed } else { Exit::Done })
}

/// Finds what carries the tag of a declared address, also under another name than YAML's: it is imported by its id. Gives the
/// addresses that were found so.
async fn by_tag(session: &Session, run: &Run<'_>, online: &mut Online, findings: &mut Findings) -> Result<BTreeSet<Address>, Failure> {
    let mut kinds: BTreeMap<&str, (&'static Kind, Vec<Address>)> = BTreeMap::new();
    for (address, resource) in &online.desired.resources {
        if resource.kind.tag.is_some() && resource.kind.lifetime == Lifetime::Own && !online.desired.imports.contains_key(address) {
            kinds.entry(resource.kind.name).or_insert_with(|| (resource.kind, vec![])).1.push(address.clone());
        }
    }
    let mut found = BTreeSet::new();
    for (kind, addresses) in kinds.into_values() {
        let objects = refresh::tagged(&online.connection.client, kind)
            .await
            .map_err(|error| Failure::api(format!("{} cannot be listed", kind.many()), error))?;
        for address in addresses {
            let owner = format!("{}-", owner_of(&session.project.name, session.environment(), &address));
            let ours: Vec<&str> = objects.iter().filter(|(_, tag)| tag.starts_with(&owner)).map(|(id, _)| id.as_str()).collect();
            match ours.as_slice() {
                [] => {}
                [id] => {
                    run.screen.detail(&format!("{address} is {id} by its ownership tag"));
                    let span = online.desired.resources[&address].span.clone();
                    online.desired.imports.insert(address.clone(), ((*id).to_owned(), span));
                    found.insert(address);
                }
                several => {
                    findings.unclear.insert(address, format!("several carry its ownership tag: {}", several.join(", ")));
                }
            }
        }
    }
    Ok(found)
}

/// Entries of what the plan saw, and why there is none of the rest.
fn sort_out(session: &Session, online: &Online, plan: plan::Plan, tagged: &BTreeSet<Address>, findings: &mut Findings) {
    findings.unclear.extend(adopt::of_several(&plan.steps, &session.registry));
    for mut step in plan.steps {
        let address = step.address.clone();
        if findings.unclear.contains_key(&address.parent()) {
            continue;
        }
        let own = online.desired.resources.get(&address).is_some_and(|resource| resource.kind.lifetime == Lifetime::Own);
        let live = step.seen.as_ref().map(|seen| seen.live.clone());
        match (live, step.blocks.first()) {
            (None, Some(block)) => {
                findings.unclear.insert(address, block.reason.clone());
            }
            (None, None) if own && !address.is_facet() => {
                findings.missing.insert(address);
            }
            (None, None) => {}
            (Some(live), _) => {
                let by = match () {
                    () if tagged.contains(&address) => "ownership tag",
                    () if online.desired.imports.contains_key(&address) => "import",
                    () => "name",
                };
                let Some(mut entry) = adopt::taken(&mut step) else { continue };
                let owner = format!("{}-", owner_of(&session.project.name, session.environment(), &address));
                if let Some(tag) = tag_of(session, &step.kind, &live).filter(|tag| tag.starts_with(&owner)) {
                    // Made here: it goes with its YAML, as before the state was lost.
                    (entry.adopted, entry.tag) = (false, Some(tag));
                }
                findings.by.insert(address.clone(), by);
                findings.entries.insert(address, entry);
            }
        }
    }
}

fn tag_of(session: &Session, kind: &str, live: &Value) -> Option<String> {
    refresh::tag_of(session.registry.get(kind)?, live).map(str::to_owned)
}

fn tell(run: &Run<'_>, findings: &Findings) {
    if run.screen.format == Format::Json {
        let found: Vec<_> = findings
            .entries
            .iter()
            .map(|(address, entry)| serde_json::json!({ "address": address, "id": entry.id, "by": findings.by.get(address) }))
            .collect();
        let unclear: Vec<_> = findings.unclear.iter().map(|(address, why)| serde_json::json!({ "address": address, "why": why })).collect();
        let forgotten: Vec<_> =
            findings.forgotten.iter().map(|(address, id)| serde_json::json!({ "address": address, "id": id })).collect();
        let all = serde_json::json!({ "format": "brickform.state-rebuild/1", "found": found, "unclear": unclear, "missing": findings.missing, "forgotten": forgotten });
        run.screen.result(&format!("{all:#}\n"));
        return;
    }
    let mut text = String::new();
    for (address, entry) in &findings.entries {
        let by = findings.by.get(address).copied().unwrap_or_default();
        text.push_str(&format!("  + {address}    id {}, by {by}\n", entry.id));
    }
    for address in &findings.missing {
        text.push_str(&format!("  . {address}    not in the workspace: the next plan creates it\n"));
    }
    for (address, why) in &findings.unclear {
        let word = shell_word(&address.to_string());
        text.push_str(&format!("  ! {address}    {why}\n      = say which one: `brickform adopt {word} --id ID`\n"));
    }
    for (address, id) in &findings.forgotten {
        text.push_str(&format!("  x {address}    id {id}: only the old state knows it, nothing declares it; it is left as it is\n"));
    }
    run.screen.result(&text);
}
