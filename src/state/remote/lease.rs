//! Who may write: a lease that its holder renews, and that anybody may take once it is no longer renewed.
//!
//! Clocks of different machines are never compared to decide who holds it: a lease counts as left only after it was
//! watched, on the watcher's own clock, and did not move. That the one who lost it writes nothing more is not the lease's
//! work but the journal's (each of its segments is created, never replaced).

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::cell::{Cell, Mark};
use super::objects::{ObjectError, Objects};
use crate::model::Outside;
use crate::state::{LockInfo, new_lineage};

const CELL: Cell = Cell("lease");
/// How often somebody who waits looks.
const LOOK: Duration = Duration::from_secs(1);
/// How many tries in a row may fail.
const FAILURES: u32 = 5;

/// What stands in the store.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Paper {
    #[serde(flatten)]
    info: LockInfo,
    /// Tells this lease from every other; what `state unlock` asks for.
    id: String,
    /// How often it was renewed; makes each writing of it unlike the last.
    beat: u64,
    /// When it was renewed last, by its holder's clock, RFC 3339: for people.
    renewed: String,
    /// Seconds without renewal after which it may be taken over.
    seconds: u64,
    /// Given back by its holder, or taken from it by `state unlock`: who, then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    released: Option<String>,
}

/// Taking the lease did not work.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Somebody holds it.
    Held(Box<LockInfo>),
    /// The store.
    Store(ObjectError),
}

impl From<ObjectError> for Refusal {
    fn from(error: ObjectError) -> Self {
        Self::Store(error)
    }
}

/// How to wait for it.
pub(super) struct Patience<'a> {
    /// How long somebody who is there is waited for.
    pub(super) wait: Duration,
    /// Told what is waited for, a sentence at a time.
    pub(super) say: &'a (dyn Fn(String) + Send + Sync),
}

/// What was seen of a lease that somebody else holds.
#[derive(Default)]
struct Watch {
    /// The mark at the last look, and since when it is that.
    seen: Option<(Mark, Instant)>,
    /// It was renewed while we looked: what its clock or ours says does not matter any more.
    moved: bool,
    /// Of whose lease something was said.
    said: Option<String>,
    /// Whom it is about to be taken over from.
    over: Option<LockInfo>,
}

impl Watch {
    /// Takes a look. Gives whether it never moved so far.
    fn look(&mut self, mark: &Mark) -> bool {
        match &self.seen {
            Some((seen, _)) if seen == mark => {}
            seen => {
                self.moved |= seen.is_some();
                self.seen = Some((mark.clone(), Instant::now()));
            }
        }
        !self.moved
    }

    /// How long it did not move.
    fn unmoved(&self) -> Duration {
        self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }
}

/// The lease as this process knows it.
pub(super) struct Lease {
    outside: Outside,
    seconds: u64,
    held: tokio::sync::Mutex<Option<Held>>,
    /// None where none is held.
    renewed: Mutex<Option<Renewed>>,
    lost: Mutex<Option<String>>,
    /// Held by whoever deletes on the strength of it: it is not given back meanwhile.
    deleting: tokio::sync::Mutex<()>,
}

struct Held {
    paper: Paper,
    mark: Mark,
}

/// When the store was last asked for it and then said that it is ours: by the clock that never jumps, and by the one that
/// goes on in sleep. Never when it answered: others count from what we wrote, and that is as old as the asking.
#[derive(Clone, Copy)]
struct Renewed {
    steady: Instant,
    wall: jiff::Timestamp,
}

impl Lease {
    /// None is held. `seconds`: how long one stands without being renewed.
    pub(super) fn new(outside: &Outside, seconds: u64) -> Self {
        Self {
            outside: outside.clone(),
            seconds: seconds.max(2),
            held: tokio::sync::Mutex::default(),
            renewed: Mutex::default(),
            lost: Mutex::default(),
            deleting: tokio::sync::Mutex::default(),
        }
    }

    /// How often it has to be renewed.
    pub(super) fn period(&self) -> Duration {
        Duration::from_secs(self.seconds) / 4
    }

    /// Takes it: at once where it is free, else within the given patience, or once its holder is gone. Gives whom it was
    /// taken over from.
    pub(super) async fn take(&self, objects: &dyn Objects, info: &LockInfo, patience: Patience<'_>) -> Result<Option<LockInfo>, Refusal> {
        let begun = Instant::now();
        let mut watch = Watch::default();
        // Written without an answer: if one of these stands there at a later look, it is ours.
        let mut offered: Vec<(Paper, Renewed)> = vec![];
        let mut failures = 0;
        loop {
            let found = match read(objects).await {
                Ok(found) => found,
                Err(error) => {
                    tolerate(&mut failures, error).await?;
                    continue;
                }
            };
            let mark = found.as_ref().map(|(_, mark)| mark.clone());
            if let Some((there, mark)) = found.as_ref().filter(|(paper, _)| paper.released.is_none())
                && let Some((ours, asked)) = offered.iter().find(|(ours, _)| ours.id == there.id)
            {
                self.hold(ours.clone(), mark.clone(), *asked).await;
                return Ok(watch.over);
            }
            if let Some((paper, mark)) = found.filter(|(paper, _)| paper.released.is_none()) {
                let doubtful = watch.look(&mark) && self.looks_left(&paper);
                if !is_left(&paper, watch.unmoved(), doubtful) {
                    failures = 0;
                    if begun.elapsed() >= patience.wait && !doubtful {
                        return Err(Refusal::Held(Box::new(known(&paper))));
                    }
                    if watch.said.as_ref() != Some(&paper.id) {
                        (patience.say)(self.waiting_for(&paper));
                        watch.said = Some(paper.id.clone());
                    }
                    tokio::time::sleep(LOOK.min(Duration::from_secs(self.seconds) / 8)).await;
                    continue;
                }
                watch.over = Some(known(&paper));
            } else {
                watch.over = None;
            }
            let asked = self.now();
            let paper = self.paper(info, asked);
            match CELL.write(objects, &bytes(&paper), mark.as_ref()).await {
                Ok(Some(mark)) => {
                    self.hold(paper, mark, asked).await;
                    return Ok(watch.over);
                }
                // Somebody was faster: the next look shows who. A store that refuses although nobody is there ends here too.
                Ok(None) => tolerate(&mut failures, ObjectError::new("the store refuses the lease although nobody holds it")).await?,
                Err(error) => {
                    offered.push((paper, asked));
                    tolerate(&mut failures, error).await?;
                }
            }
        }
    }

    fn now(&self) -> Renewed {
        Renewed { steady: Instant::now(), wall: self.outside.now() }
    }

    fn paper(&self, info: &LockInfo, asked: Renewed) -> Paper {
        Paper {
            info: info.clone(),
            id: new_lineage(&self.outside)[..8].to_owned(),
            beat: 0,
            renewed: stamp(asked.wall),
            seconds: self.seconds,
            released: None,
        }
    }

    /// `asked`: when the paper was sent.
    async fn hold(&self, paper: Paper, mark: Mark, asked: Renewed) {
        *self.lost() = None;
        let mut held = self.held.lock().await;
        *self.renewed() = Some(asked);
        *held = Some(Held { paper, mark });
    }

    fn renewed(&self) -> std::sync::MutexGuard<'_, Option<Renewed>> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether by its own words it should have been renewed by now. Clocks differ, so this alone proves nothing.
    fn looks_left(&self, paper: &Paper) -> bool {
        let Ok(renewed) = paper.renewed.parse::<jiff::Timestamp>() else { return false };
        let age = self.outside.now().duration_since(renewed).as_secs_f64();
        age > f64::from(u32::try_from(paper.seconds).unwrap_or(u32::MAX))
    }

    fn waiting_for(&self, paper: &Paper) -> String {
        let info = known(paper);
        if self.looks_left(paper) {
            format!(
                "the lease of {info} was not renewed since {}: watching it for {} s before it is taken over",
                paper.renewed,
                paper.seconds / 3 + 1
            )
        } else {
            format!("waiting for {info}")
        }
    }

    /// Renews it. Gives whether the store said that it is ours; what goes wrong is remembered: [`Lease::standing`].
    pub(super) async fn renew(&self, objects: &dyn Objects) -> bool {
        match self.held.lock().await.as_mut() {
            Some(held) => self.renew_held(objects, held).await,
            None => false,
        }
    }

    async fn renew_held(&self, objects: &dyn Objects, held: &mut Held) -> bool {
        for _ in 0..2 {
            let now = self.now();
            let paper = Paper { beat: held.paper.beat + 1, renewed: stamp(now.wall), ..held.paper.clone() };
            let written = self.in_time(CELL.write(objects, &bytes(&paper), Some(&held.mark))).await;
            let why = match written {
                Ok(Some(mark)) => {
                    *held = Held { paper, mark };
                    *self.renewed() = Some(now);
                    return true;
                }
                Ok(None) => match self.in_time(read(objects)).await {
                    // An earlier renewal of ours arrived although its answer did not.
                    Ok(Some((there, mark))) if there.id == paper.id && there.released.is_none() => {
                        held.mark = mark;
                        held.paper.beat = there.beat;
                        continue;
                    }
                    Ok(there) => {
                        self.lose(taken(there.map(|(paper, _)| paper), &paper.id));
                        return false;
                    }
                    Err(error) => error.why,
                },
                Err(error) => error.why,
            };
            if self.unrenewed().is_none_or(|age| age >= Duration::from_secs(self.seconds)) {
                self.lose(format!("it could not be renewed for {} seconds ({why})", self.seconds));
            }
            return false;
        }
        false
    }

    /// A request that is given up before the next renewal is due.
    async fn in_time<T>(&self, request: impl Future<Output = Result<T, ObjectError>>) -> Result<T, ObjectError> {
        let answer = tokio::time::timeout(self.period(), request).await;
        answer.unwrap_or_else(|_| Err(ObjectError::new("the store does not answer")))
    }

    /// How long ago the store last said that it is ours, by whichever clock says more: one stands still while the machine
    /// sleeps. None where none is held.
    fn unrenewed(&self) -> Option<Duration> {
        let last = (*self.renewed())?;
        let wall = Duration::try_from(self.outside.now().duration_since(last.wall)).unwrap_or_default();
        Some(last.steady.elapsed().max(wall))
    }

    /// Whether it is surely ours, without asking the store: nobody takes it over who has not watched it for a third of its
    /// term. None where the store has to be asked: this process slept, or the store did not answer for a while.
    pub(super) fn surely(&self) -> Option<Result<(), String>> {
        if let Err(why) = self.standing() {
            return Some(Err(why));
        }
        match self.unrenewed() {
            None => Some(Err("no lease is held".to_owned())),
            Some(age) => (age < Duration::from_secs(self.seconds) / 3).then_some(Ok(())),
        }
    }

    /// The id of the lease once it is surely ours. Asks the store until it answers or the lease has run out.
    pub(super) async fn ensure(&self, objects: &dyn Objects) -> Result<String, String> {
        loop {
            let mut held = self.held.lock().await;
            if let Some(known) = self.surely() {
                known?;
                return held.as_ref().map(|held| held.paper.id.clone()).ok_or_else(|| "no lease is held".to_owned());
            }
            let renewed = match held.as_mut() {
                Some(held) => self.renew_held(objects, held).await,
                None => false,
            };
            drop(held);
            if !renewed {
                self.standing()?;
                tokio::time::sleep(LOOK / 4).await;
            }
        }
    }

    /// Whether one was taken and not given back.
    pub(super) fn is_held(&self) -> bool {
        self.renewed().is_some()
    }

    /// Whether nothing is known to be wrong with it.
    pub(super) fn standing(&self) -> Result<(), String> {
        self.lost().clone().map_or(Ok(()), Err)
    }

    /// It is no longer ours: why.
    pub(super) fn lose(&self, why: String) {
        self.lost().get_or_insert(why);
    }

    fn lost(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// While the answer is kept, the lease is not given back: for what nobody else may do meanwhile.
    pub(super) async fn deleting(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.deleting.lock().await
    }

    /// Gives it back. A store that cannot be reached keeps it until it runs out.
    pub(super) async fn release(&self, objects: &dyn Objects) {
        let _deleting = self.deleting.lock().await;
        let Some(held) = self.held.lock().await.take() else { return };
        *self.renewed() = None;
        let mut mark = held.mark;
        for _ in 0..2 {
            let paper = Paper { released: Some(held.paper.info.holder.clone()), beat: held.paper.beat + 1, ..held.paper.clone() };
            match CELL.write(objects, &bytes(&paper), Some(&mark)).await {
                Ok(None) => match read(objects).await {
                    Ok(Some((there, now))) if there.id == held.paper.id && there.released.is_none() => mark = now,
                    _ => return,
                },
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }

    /// Who holds it.
    pub(super) async fn holder(&self, objects: &dyn Objects) -> Result<Option<LockInfo>, ObjectError> {
        let found = read(objects).await?;
        Ok(found.filter(|(paper, _)| paper.released.is_none()).map(|(paper, _)| known(&paper)))
    }

    /// Takes it from its holder, whose id has to be named. Gives who held it; none where nobody holds one of that id.
    pub(super) async fn free(&self, objects: &dyn Objects, id: &str, by: &str) -> Result<Option<LockInfo>, ObjectError> {
        // The holder renews it meanwhile: a few tries are enough, since it does so every few seconds.
        for _ in 0..5 {
            let Some((paper, mark)) = read(objects).await?.filter(|(paper, _)| paper.released.is_none() && paper.id == id) else {
                return Ok(None);
            };
            let gone = Paper { released: Some(by.to_owned()), beat: paper.beat + 1, ..paper.clone() };
            if CELL.write(objects, &bytes(&gone), Some(&mark)).await?.is_some() {
                return Ok(Some(known(&paper)));
            }
        }
        Err(ObjectError::new("its holder renews it again and again"))
    }
}

/// Waits a moment after a failure; gives up after some of them, and at once where somebody has to mend something first.
async fn tolerate(failures: &mut u32, error: ObjectError) -> Result<(), Refusal> {
    *failures += 1;
    if *failures > FAILURES || error.is_for_a_person() {
        return Err(Refusal::Store(error));
    }
    tokio::time::sleep(LOOK / 4 * *failures).await;
    Ok(())
}

/// Whether its holder was watched long enough to be called gone: a whole term, or a third of one if by its own words it
/// should have been renewed before we came.
fn is_left(paper: &Paper, unmoved: Duration, doubtful: bool) -> bool {
    let whole = Duration::from_secs(paper.seconds);
    unmoved >= whole || (doubtful && unmoved >= whole / 3 + Duration::from_millis(250))
}

async fn read(objects: &dyn Objects) -> Result<Option<(Paper, Mark)>, ObjectError> {
    let Some((bytes, mark)) = CELL.read(objects).await? else { return Ok(None) };
    let paper = serde_json::from_slice(&bytes).map_err(|e| ObjectError {
        why: format!("the lease `{}` is damaged: {e}", CELL.0),
        help: vec!["look at it; delete it if nobody applies".to_owned()],
        ..Default::default()
    })?;
    Ok(Some((paper, mark)))
}

fn bytes(paper: &Paper) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(paper).expect("text and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

/// What a person is told of it.
fn known(paper: &Paper) -> LockInfo {
    LockInfo { id: Some(paper.id.clone()), renewed: Some(paper.renewed.clone()), ..paper.info.clone() }
}

/// What became of the lease that had this id.
fn taken(paper: Option<Paper>, ours: &str) -> String {
    match paper {
        Some(Paper { released: Some(by), id, .. }) if id == ours => format!("{by} unlocked it"),
        Some(paper) => format!("{} took it over", paper.info.holder),
        None => "it was deleted".to_owned(),
    }
}

fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
