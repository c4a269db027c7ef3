//! Objects of one kind (under one parent, where the list asks for one) that are read together: by list, by get, or by
//! list until get is cheaper.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::object::{folded, get, id_of, is_trashed, is_whole, natural_of, read_of, same_id, unmarked};
use super::settle;
use super::{Address, ApiError, Candidate, Client, Intent, Kind, Live, Settlement, Value};
use crate::client::ApiErrorKind;
use crate::diff::{Compare, compare};
use crate::kinds::{Call, Context, Identity, Rows, View, from_row, list_call};

/// What is asked about one address.
pub struct Want {
    pub address: Address,
    pub known: Known,
    /// Where it may be if some of what its name hangs on was renamed and the state does not know that yet.
    pub followed: Vec<Identified>,
    /// What an unfinished apply began to make under another name than the one that YAML gives now, which is its id.
    pub begun: Option<Identified>,
    /// The natural key, for finding those that are there already.
    pub natural: Vec<String>,
    /// Whether YAML wants it.
    pub is_desired: bool,
    pub intent: Option<Intent>,
    /// What the last apply left there, where that was moments ago and came to its end.
    pub left: Option<Value>,
}

/// How the object is known.
pub enum Known {
    /// By the state's id.
    State(Identified),
    /// By a declared `import:`.
    Import(Identified),
    /// By its name, which is its id; it is not in the state.
    Name(Identified),
    /// Not at all: it is to be created, and the server picks the id.
    Not,
}

/// An id and the call that reads it; none where only the list shows it.
pub struct Identified {
    pub id: String,
    pub call: Option<Call>,
}

impl Known {
    fn identified(&self) -> Option<&Identified> {
        match self {
            Self::State(identified) | Self::Import(identified) | Self::Name(identified) => Some(identified),
            Self::Not => None,
        }
    }
}

/// Objects that are read together.
pub struct Group {
    pub kind: &'static Kind,
    /// What the list is asked for: a catalog's name.
    pub parent: Option<String>,
    /// Ids that the state holds for this kind: never candidates for a create.
    pub managed: BTreeSet<String>,
    pub wants: Vec<Want>,
    /// Reads may lag behind the state.
    pub recent: bool,
}

/// How often something that should be there is looked for again, with longer and longer pauses.
const LOOKS: u32 = 3;
/// The same for something that is there and is not as it was left: most often somebody changed it in the meantime.
const LOOKS_AT_CONTENT: u32 = 2;

/// What the workspace says of an id.
type Answer = Result<Option<Value>, ApiError>;

/// What the list showed.
#[derive(Default)]
struct Listed {
    /// Whole objects by id, of those asked for.
    whole: BTreeMap<String, Value>,
    /// Objects that have a wanted natural key, or may be the result of an open intent.
    others: Vec<Candidate>,
    /// Why there is no list.
    failed: Option<ApiError>,
}

/// Reads a group.
pub async fn read(client: Client, group: Group) -> Vec<(Address, Live)> {
    let asked = group.wants.iter().flat_map(|want| want.known.identified().into_iter().chain(&want.begun));
    let ids: BTreeMap<&str, Option<&Call>> = asked.map(|known| (known.id.as_str(), known.call.as_ref())).collect();
    let mut listed = list(&client, &group, &ids, &needs_list).await;
    let mut answers: BTreeMap<String, Answer> =
        std::mem::take(&mut listed.whole).into_iter().map(|(id, body)| (id, Ok(Some(body)))).collect();
    let mut gets = Vec::new();
    for (id, call) in &ids {
        if answers.contains_key(*id) {
            continue;
        }
        match call {
            // Also where a whole list does not show it: only a read tells gone from hidden.
            Some(call) => gets.push(((*id).to_owned(), (*call).clone())),
            None => drop(answers.insert((*id).to_owned(), listed.failed.clone().map_or(Ok(None), Err))),
        }
    }
    answers.extend(get_all(&client, group.kind, gets).await);
    look_again(&client, &group, &ids, &mut answers, &mut listed).await;
    let is_gone = |want: &&Want| want.known.identified().is_some_and(|known| matches!(answers.get(&known.id), Some(Ok(None))));
    let elsewhere = group.wants.iter().filter(is_gone).flat_map(|want| &want.followed);
    let gets = elsewhere.filter_map(|known| Some((known.id.clone(), known.call.clone()?))).collect();
    answers.extend(get_all(&client, group.kind, gets).await);
    let gone = |want: &Want| !needs_list(want) && is_created_again(group.kind, want, &answers);
    if group.wants.iter().any(gone) {
        let again = list(&client, &group, &BTreeMap::new(), &gone).await;
        listed.others.extend(again.others);
        listed.failed = listed.failed.or(again.failed);
    }
    let others = complete(&client, group.kind, std::mem::take(&mut listed.others)).await;
    let Group { kind, managed, wants, .. } = group;
    let whole = Whole { kind, managed, answers, others, failed: listed.failed };
    wants.into_iter().map(|want| (want.address.clone(), whole.live(&want))).collect()
}

/// What should be there and is not to be seen may only not be to be seen yet: objects of a state that was written moments
/// ago, and results of creates that were sent moments ago. Nor may what was written into them: an update that is made from
/// an object as it was before the last one would put back what that took away.
async fn look_again(
    client: &Client,
    group: &Group,
    ids: &BTreeMap<&str, Option<&Call>>,
    answers: &mut BTreeMap<String, Answer>,
    listed: &mut Listed,
) {
    let sent_moments_ago = |want: &Want| {
        let sent = want.intent.as_ref().and_then(|intent| intent.server_seconds);
        sent.zip(client.server_seconds()).is_some_and(|(sent, now)| now - sent < super::LAG_SECONDS)
    };
    for look in 0..LOOKS {
        let is_gone = |want: &&Want| {
            let kept = matches!(want.known, Known::State(_)) && group.recent;
            let begun = matches!(want.known, Known::Name(_)) && sent_moments_ago(want);
            (kept || begun) && want.known.identified().is_some_and(|known| matches!(answers.get(&known.id), Some(Ok(None))))
        };
        let mut gone: BTreeSet<&str> = group.wants.iter().filter(is_gone).filter_map(|w| Some(w.known.identified()?.id.as_str())).collect();
        let begun = group.wants.iter().filter(|want| sent_moments_ago(want)).filter_map(|want| want.begun.as_ref());
        gone.extend(begun.map(|begun| begun.id.as_str()).filter(|id| matches!(answers.get(*id), Some(Ok(None)))));
        let lost = |want: &Want| {
            let seen = |intent| settle::among(group.kind, intent, &group.managed, listed.others.clone()) != Settlement::Absent;
            sent_moments_ago(want) && !matches!(want.known, Known::Name(_)) && !want.intent.as_ref().is_some_and(seen)
        };
        let lost: Vec<&Want> = group.wants.iter().filter(|want| lost(want)).collect();
        if look < LOOKS_AT_CONTENT {
            let seen = |want: &Want| answers.get(&want.known.identified()?.id)?.as_ref().ok()?.as_ref();
            let behind = group.wants.iter().filter(|want| seen(want).is_some_and(|body| is_behind(group.kind, want, body)));
            gone.extend(behind.filter_map(|want| Some(want.known.identified()?.id.as_str())));
        }
        if gone.is_empty() && lost.is_empty() {
            return;
        }
        client.pause(look).await;
        let gets = gone.iter().filter_map(|id| Some(((*id).to_owned(), (*ids.get(id)?)?.clone()))).collect();
        let by_list = ids.iter().any(|(id, call)| call.is_none() && gone.contains(id));
        answers.extend(get_all(client, group.kind, gets).await);
        if by_list || !lost.is_empty() {
            let again = list(client, group, ids, &needs_list).await;
            answers.extend(again.whole.into_iter().map(|(id, body)| (id, Ok(Some(body)))));
            let again_others: BTreeSet<&str> = again.others.iter().map(|candidate| candidate.id.as_str()).collect();
            listed.others.retain(|candidate| !again_others.contains(candidate.id.as_str()));
            listed.others.extend(again.others.iter().cloned());
            listed.failed = listed.failed.take().or(again.failed);
        }
    }
}

/// Whether an object is not as the last apply left it.
fn is_behind(kind: &'static Kind, want: &Want, body: &Value) -> bool {
    let Some(left) = &want.left else { return false };
    let context = Context::default();
    let view = View { live: body, desired: left, applied: Some(left), context: &context };
    let seen = kind.hooks.view.map_or(Cow::Borrowed(body), |hook| Cow::Owned(hook(&view)));
    !compare(&Compare { applied: Some(left), live: Some(&seen), ..Compare::of(kind, left) }).changes.is_empty()
}

/// Lists as far as the list helps; those that are `wanted` need all of it.
async fn list(client: &Client, group: &Group, ids: &BTreeMap<&str, Option<&Call>>, wanted: &impl Fn(&Want) -> bool) -> Listed {
    let mut listed = Listed::default();
    let kind = group.kind;
    let trusted = matches!(kind.list.map(|list| list.rows), Some(Rows::Whole | Rows::WholeUnless(_)));
    let needed = group.wants.iter().any(wanted) || ids.values().any(Option::is_none);
    if !needed && (!trusted || ids.len() < 2) {
        return listed;
    }
    let Some(call) = list_call(kind, group.parent.as_deref()) else { return listed };
    // What was begun has the name that YAML gave it then.
    let names = |want: &Want| [Some(folded(kind, &want.natural)), want.intent.as_ref().map(|intent| folded(kind, &intent.natural))];
    let naturals: BTreeSet<Vec<String>> = group.wants.iter().filter(|want| wanted(want)).flat_map(names).flatten().collect();
    let tags: BTreeSet<&str> = group.wants.iter().filter_map(|want| want.intent.as_ref()?.tag.as_deref()).collect();
    let mut missing: BTreeMap<String, &str> = ids.keys().map(|id| (same_id(kind, id), *id)).collect();
    let mut pages = match client.pages(&call) {
        Ok(pages) => pages,
        Err(error) => return Listed { failed: Some(error), ..listed },
    };
    let mut taken = 0;
    loop {
        // The list is no longer worth it where the rest could be read one by one for what it has cost already.
        if !needed && (missing.is_empty() || taken >= missing.len()) {
            return listed;
        }
        let page = match pages.next().await {
            Ok(Some(page)) => page,
            Ok(None) => return listed,
            Err(error) => {
                // A parent that is not there has no children.
                let failed = Some(error).filter(|error| !super::object::is_gone(kind, error));
                return Listed { failed, ..listed };
            }
        };
        taken += 1;
        for row in page {
            let body = from_row(kind, group.parent.as_deref(), row);
            let Some(id) = id_of(kind, &body) else { continue };
            let asked = missing.remove(&same_id(kind, &id));
            if is_trashed(kind, &body) {
                continue;
            }
            let tagged = settle::mark_of(kind, &id, &body).is_some_and(|tag| tags.contains(tag));
            if tagged || naturals.contains(&folded(kind, &natural_of(kind, &body))) {
                listed.others.push(Candidate { id: id.clone(), body: body.clone() });
            }
            if let Some(asked) = asked.filter(|_| is_whole(kind, &body)) {
                listed.whole.insert(asked.to_owned(), unmarked(kind, body));
            }
        }
    }
}

fn needs_list(want: &Want) -> bool {
    match want.known {
        Known::Not => !want.natural.is_empty() || want.intent.is_some(),
        // A new one that was begun while the old one is still there.
        Known::State(_) => want.intent.is_some(),
        Known::Import(_) | Known::Name(_) => false,
    }
}

/// Whether the state's object is gone, so that a new one would be made: somebody may have made one of that name already.
fn is_created_again(kind: &Kind, want: &Want, answers: &BTreeMap<String, Answer>) -> bool {
    let Known::State(known) = &want.known else { return false };
    let picked = matches!(kind.identity, Identity::Assigned(_)) && want.is_desired && !want.natural.is_empty();
    picked && matches!(answers.get(&known.id), Some(Ok(None)))
}

/// Reads many at once; the client bounds how many are in flight.
pub async fn get_all(client: &Client, kind: &'static Kind, calls: Vec<(String, Call)>) -> BTreeMap<String, Answer> {
    let mut tasks = JoinSet::new();
    for (id, call) in calls {
        let client = client.clone();
        tasks.spawn(async move { (id, get(&client, kind, &call).await) });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Candidates whole: those of which the list gives less are read.
async fn complete(client: &Client, kind: &'static Kind, candidates: Vec<Candidate>) -> Vec<(Candidate, Option<ApiError>)> {
    let part = |candidate: &&Candidate| !is_whole(kind, &candidate.body);
    let calls = candidates.iter().filter(part).filter_map(|c| Some((c.id.clone(), read_of(kind, &c.id, &c.body, &[])?))).collect();
    let mut answers = get_all(client, kind, calls).await;
    let whole = candidates.into_iter().filter_map(|candidate| match answers.remove(&candidate.id) {
        None => Some((Candidate { id: candidate.id, body: unmarked(kind, candidate.body) }, None)),
        Some(Ok(Some(body))) => Some((Candidate { id: candidate.id, body }, None)),
        Some(Ok(None)) => None,
        Some(Err(error)) => Some((candidate, Some(error))),
    });
    whole.collect()
}

/// Everything that was read of a group.
struct Whole {
    kind: &'static Kind,
    managed: BTreeSet<String>,
    answers: BTreeMap<String, Answer>,
    others: Vec<(Candidate, Option<ApiError>)>,
    failed: Option<ApiError>,
}

impl Whole {
    fn live(&self, want: &Want) -> Live {
        match &want.known {
            Known::State(known) => self.settled(want).or_else(|| self.begun_anew(known, want)).unwrap_or_else(|| {
                let followed = || want.followed.iter().map(|f| self.of_state(f)).find(|live| *live != Live::Gone);
                match self.of_state(known) {
                    Live::Gone => followed().unwrap_or_else(|| self.of_state_or_name(known, want)),
                    _ => self.of_state_or_name(known, want),
                }
            }),
            Known::Import(known) => self.of_import(known),
            Known::Name(known) => self.of_name(known, want),
            Known::Not => self.settled(want).unwrap_or_else(|| self.candidates(want)),
        }
    }

    /// The state's object is gone, and what an unfinished apply began in its place has another name: it is there.
    fn begun_anew(&self, known: &Identified, want: &Want) -> Option<Live> {
        let begun = want.begun.as_ref().filter(|begun| !self.managed.contains(&begun.id))?;
        match (self.of_state(known), self.of_state(begun)) {
            (Live::Gone, Live::Found { id, body }) => Some(Live::Settled { id, body }),
            (Live::Gone, failed @ Live::Failed(_)) => Some(failed),
            _ => None,
        }
    }

    fn of_state(&self, known: &Identified) -> Live {
        match self.answers.get(&known.id) {
            Some(Ok(Some(body))) => Live::Found { id: known.id.clone(), body: body.clone() },
            Some(Ok(None)) | None => Live::Gone,
            Some(Err(error)) => Live::Failed(error.clone()),
        }
    }

    /// The state's object; where it is gone and would be made again, others that have its name.
    fn of_state_or_name(&self, known: &Identified, want: &Want) -> Live {
        match self.of_state(known) {
            Live::Gone if is_created_again(self.kind, want, &self.answers) => match self.candidates(want) {
                Live::Absent => Live::Gone,
                found => found,
            },
            live => live,
        }
    }

    fn of_import(&self, known: &Identified) -> Live {
        match self.of_state(known) {
            Live::Gone => Live::Failed(self.not_there(&known.id)),
            live => live,
        }
    }

    fn of_name(&self, known: &Identified, want: &Want) -> Live {
        if let Some(begun) = want.begun.as_ref().filter(|begun| !self.managed.contains(&begun.id)) {
            match self.of_state(begun) {
                Live::Found { id, body } => return Live::Settled { id, body },
                Live::Failed(error) => return Live::Failed(error),
                _ => {}
            }
        }
        match self.of_state(known) {
            // What was begun under another name is no proof that this one is ours.
            Live::Found { id, body } if want.intent.is_some() && want.begun.is_none() => Live::Settled { id, body },
            Live::Found { id, body } => Live::Exists(vec![Candidate { id, body }]),
            Live::Gone => Live::Absent,
            live => live,
        }
    }

    /// The result of an open intent, if there is one.
    fn settled(&self, want: &Want) -> Option<Live> {
        let intent = want.intent.as_ref()?;
        if let Some(error) = &self.failed {
            return Some(Live::Failed(error.clone()));
        }
        let objects = self.others.iter().map(|(candidate, _)| candidate.clone()).collect();
        match settle::among(self.kind, intent, &self.managed, objects) {
            Settlement::Found(Candidate { id, body }) => Some(Live::Settled { id, body }),
            Settlement::Several(candidates) => Some(Live::Exists(candidates)),
            Settlement::Absent => None,
        }
    }

    /// Objects with the natural key of what is to be created.
    fn candidates(&self, want: &Want) -> Live {
        if want.natural.is_empty() {
            return Live::Absent;
        }
        if let Some(error) = &self.failed {
            return Live::Failed(error.clone());
        }
        let natural = folded(self.kind, &want.natural);
        let is_old = |id: &String| want.intent.as_ref().is_some_and(|intent| settle::is_old(self.kind, intent, id));
        let has_key = |candidate: &Candidate| {
            !self.managed.contains(&candidate.id)
                && !is_old(&candidate.id)
                && folded(self.kind, &natural_of(self.kind, &candidate.body)) == natural
        };
        let found: Vec<&(Candidate, Option<ApiError>)> = self.others.iter().filter(|(candidate, _)| has_key(candidate)).collect();
        match found.iter().find_map(|(_, error)| error.as_ref()) {
            Some(error) => Live::Failed(error.clone()),
            None if found.is_empty() => Live::Absent,
            None => Live::Exists(found.into_iter().map(|(candidate, _)| candidate.clone()).collect()),
        }
    }

    fn not_there(&self, id: &str) -> ApiError {
        ApiError {
            kind: ApiErrorKind::NotFound,
            status: None,
            code: String::new(),
            message: format!("there is no {} with id `{id}` to import", self.kind.singular),
            request: self.kind.read.op.to_owned(),
            request_id: None,
            tries: 1,
            may_have_happened: false,
        }
    }
}
