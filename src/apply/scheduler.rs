//! Which act is next: a pure state machine over the plan's graph ([`crate::plan::acts`]). Knows no time, no requests, no state.
//!
//! Acts become ready when everything that they come after is done, are admitted in sets (so that one flush of the journal
//! covers a set), are cleared once what has to be on record before them is, and start in their order, which is that of the
//! addresses, as far as the limit of acts in flight allows.

use std::collections::BTreeSet;

/// The index of an act, in address order.
pub type Index = usize;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What comes after it may go on.
    Done,
    /// What comes after it is skipped.
    Failed,
}

/// A step that will not be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Which.
    pub index: Index,
    /// The failed step that it needs, at any distance; none where the run was stopped first.
    pub needs: Option<Index>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Comes after so many that are not done.
    Waits(usize),
    /// May be admitted.
    Ready,
    /// Something has to be on record before it starts.
    Admitted,
    /// May start.
    Cleared,
    Running,
    Over,
}

/// The machine.
#[derive(Debug)]
pub struct Scheduler {
    states: Vec<State>,
    followers: Vec<Vec<Index>>,
    ready: BTreeSet<Index>,
    cleared: BTreeSet<Index>,
    running: usize,
    over: usize,
    limit: usize,
    stopped: bool,
}

impl Scheduler {
    /// A machine over acts, each with those that it comes after. At most `limit` acts are in flight.
    #[must_use]
    pub fn new<'a>(acts: impl ExactSizeIterator<Item = &'a BTreeSet<Index>>, limit: usize) -> Self {
        let mut followers = vec![Vec::new(); acts.len()];
        let mut states = Vec::with_capacity(acts.len());
        for (i, needed) in acts.enumerate() {
            states.push(if needed.is_empty() { State::Ready } else { State::Waits(needed.len()) });
            for n in needed {
                followers[*n].push(i);
            }
        }
        let ready = states.iter().enumerate().filter(|(_, s)| **s == State::Ready).map(|(i, _)| i).collect();
        Self { states, followers, ready, cleared: BTreeSet::new(), running: 0, over: 0, limit: limit.max(1), stopped: false }
    }

    /// The steps that became ready since the last call: what they need to have on record before they start is recorded
    /// for all of them at once, then they are cleared.
    pub fn admit(&mut self) -> Vec<Index> {
        if self.stopped {
            return vec![];
        }
        let set: Vec<Index> = std::mem::take(&mut self.ready).into_iter().collect();
        for i in &set {
            self.states[*i] = State::Admitted;
        }
        set
    }

    /// What has to be on record before these steps is: they may start. Those that were skipped meanwhile stay so.
    pub fn clear(&mut self, set: &[Index]) {
        for i in set {
            if self.states[*i] == State::Admitted {
                self.states[*i] = State::Cleared;
                self.cleared.insert(*i);
            }
        }
    }

    /// The next cleared step, in address order; none while the limit is reached or nothing is ready.
    pub fn start(&mut self) -> Option<Index> {
        if self.stopped || self.running >= self.limit {
            return None;
        }
        let next = self.cleared.pop_first()?;
        self.states[next] = State::Running;
        self.running += 1;
        Some(next)
    }

    /// A running step ended. Gives what is skipped because of it, in address order.
    pub fn finish(&mut self, index: Index, end: End) -> Vec<Skip> {
        debug_assert_eq!(self.states[index], State::Running, "only what runs can end");
        self.states[index] = State::Over;
        self.running -= 1;
        self.over += 1;
        match end {
            End::Done => {
                for i in std::mem::take(&mut self.followers[index]) {
                    self.release(i);
                }
                vec![]
            }
            End::Failed => self.skip_followers(index),
        }
    }

    /// Starts nothing more. Gives everything that was not started, in address order.
    pub fn stop(&mut self) -> Vec<Skip> {
        self.stopped = true;
        self.skip_where(|state| !matches!(state, State::Running | State::Over))
    }

    /// What can never start although nothing runs: steps that come after one another in a circle. The plan refuses
    /// circles, so this is empty unless a plan was made by hand.
    pub fn stuck(&mut self) -> Vec<Skip> {
        if self.running > 0 || !self.ready.is_empty() || !self.cleared.is_empty() || self.states.contains(&State::Admitted) {
            return vec![];
        }
        self.skip_where(|state| matches!(state, State::Waits(_)))
    }

    /// Whether every step has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over == self.states.len()
    }

    /// How many steps are in flight.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    fn release(&mut self, index: Index) {
        if let State::Waits(left) = self.states[index] {
            self.states[index] = if left == 1 { State::Ready } else { State::Waits(left - 1) };
            if left == 1 {
                self.ready.insert(index);
            }
        }
    }

    fn skip_followers(&mut self, failed: Index) -> Vec<Skip> {
        let mut open = std::mem::take(&mut self.followers[failed]);
        let mut skipped = BTreeSet::new();
        while let Some(i) = open.pop() {
            if matches!(self.states[i], State::Waits(_)) {
                self.states[i] = State::Over;
                skipped.insert(i);
                open.extend(std::mem::take(&mut self.followers[i]));
            }
        }
        self.over += skipped.len();
        skipped.into_iter().map(|index| Skip { index, needs: Some(failed) }).collect()
    }

    fn skip_where(&mut self, test: impl Fn(State) -> bool) -> Vec<Skip> {
        let skipped: Vec<Skip> =
            self.states.iter().enumerate().filter(|(_, s)| test(**s)).map(|(index, _)| Skip { index, needs: None }).collect();
        for skip in &skipped {
            self.states[skip.index] = State::Over;
        }
        self.over += skipped.len();
        self.ready.clear();
        self.cleared.clear();
        skipped
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{End, Index, Scheduler, Skip};

    /// Edges as (act, what it comes after).
    fn machine(count: usize, edges: &[(Index, Index)], limit: usize) -> Scheduler {
        let after: Vec<BTreeSet<Index>> =
            (0..count).map(|i| edges.iter().filter(|(from, _)| *from == i).map(|(_, to)| *to).collect()).collect();
        Scheduler::new(after.iter(), limit)
    }

    /// Admits what is ready and clears it at once.
    fn admit(machine: &mut Scheduler) -> Vec<Index> {
        let set = machine.admit();
        machine.clear(&set);
        set
    }

    #[test]
    fn sets_are_admitted_whole_and_started_in_address_order() {
        let mut machine = machine(5, &[(1, 0), (3, 0), (3, 2)], 2);
        assert_eq!(admit(&mut machine), [0, 2, 4]);
        assert_eq!((machine.start(), machine.start(), machine.start()), (Some(0), Some(2), None));
        assert_eq!(machine.finish(0, End::Done), []);
        assert_eq!((admit(&mut machine), machine.start()), (vec![1], Some(1)));
        assert_eq!(machine.finish(2, End::Failed), [Skip { index: 3, needs: Some(2) }]);
        assert_eq!((machine.start(), machine.start()), (Some(4), None));
        machine.finish(1, End::Done);
        assert!(!machine.is_over());
        machine.finish(4, End::Done);
        assert!(machine.is_over());
    }

    #[test]
    fn what_is_not_on_record_yet_keeps_nothing_else_from_starting() {
        let mut machine = machine(4, &[(3, 0)], 4);
        assert_eq!(machine.admit(), [0, 1, 2]);
        machine.clear(&[1]);
        assert_eq!((machine.start(), machine.start()), (Some(1), None));
        machine.finish(1, End::Done);
        assert_eq!(machine.stuck(), [], "two wait for the journal");
        machine.clear(&[0, 2]);
        assert_eq!((machine.start(), machine.start()), (Some(0), Some(2)));
        machine.finish(0, End::Done);
        assert_eq!(machine.admit(), [3]);
        assert_eq!(machine.stop(), [Skip { index: 3, needs: None }]);
        machine.clear(&[3]);
        assert_eq!(machine.start(), None, "it was skipped before it was cleared");
        machine.finish(2, End::Done);
        assert!(machine.is_over());
    }

    #[test]
    fn stopping_skips_what_has_not_started() {
        let mut machine = machine(4, &[(3, 0)], 1);
        admit(&mut machine);
        assert_eq!(machine.start(), Some(0));
        assert_eq!(machine.stop().iter().map(|s| s.index).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((admit(&mut machine), machine.start(), machine.is_over()), (vec![], None, false));
        assert_eq!(machine.finish(0, End::Done), []);
        assert!(machine.is_over());
    }

    #[test]
    fn a_circle_is_skipped_instead_of_waited_for() {
        let mut machine = machine(3, &[(0, 1), (1, 0)], 1);
        assert_eq!(admit(&mut machine), [2]);
        assert_eq!(machine.stuck(), []);
        machine.start();
        machine.finish(2, End::Done);
        assert_eq!(machine.stuck().len(), 2);
        assert!(machine.is_over());
    }

    proptest! {
        /// Every step ends exactly once; nothing starts before what it needs is done; a failure skips exactly what
        /// depends on it; the limit holds; stopping starts nothing more.
        #[test]
        fn any_graph_any_order_any_failure(
            count in 1..14usize,
            raw in proptest::collection::vec((0..14usize, 0..14usize), 0..40),
            order in Just((0..14usize).collect::<Vec<_>>()).prop_shuffle(),
            limit in 1..5usize,
            fails in proptest::collection::vec(proptest::bool::weighted(0.2), 14),
            picks in proptest::collection::vec(any::<prop::sample::Index>(), 64),
            stop_at in proptest::option::weighted(0.2, 0..14usize),
        ) {
            // Edges go down in a shuffled order, so the graph has no circle but any shape over addresses.
            let edges: Vec<(Index, Index)> = raw.iter().copied()
                .filter(|(a, b)| *a < count && *b < count && order[*a] > order[*b]).collect();
            let mut machine = machine(count, &edges, limit);
            let (mut done, mut failed, mut skipped) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            let (mut admitted, mut running, mut stopped) = (BTreeSet::new(), Vec::new(), false);
            let mut picks = picks.iter();
            loop {
                for i in admit(&mut machine) {
                    prop_assert!(edges.iter().all(|(from, to)| *from != i || done.contains(to)), "{i} before what it needs");
                    prop_assert!(admitted.insert(i), "{i} admitted twice");
                }
                while let Some(i) = machine.start() {
                    prop_assert!(admitted.contains(&i) && !stopped);
                    running.push(i);
                }
                prop_assert!(running.len() <= limit && running.len() == machine.running());
                if running.is_empty() {
                    prop_assert_eq!(machine.stuck(), vec![]);
                    break;
                }
                let i = running.remove(picks.next().unwrap().index(running.len()));
                let end = if fails[i] { End::Failed } else { End::Done };
                let fresh = match end { End::Done => done.insert(i), End::Failed => failed.insert(i) };
                prop_assert!(fresh && !skipped.contains(&i));
                for skip in machine.finish(i, end) {
                    prop_assert_eq!(skip.needs, Some(i));
                    prop_assert!(skipped.insert(skip.index) && !done.contains(&skip.index) && !failed.contains(&skip.index));
                }
                if stop_at == Some(done.len() + failed.len()) && !stopped {
                    stopped = true;
                    for skip in machine.stop() {
                        prop_assert!(skipped.insert(skip.index));
                    }
                }
            }
            prop_assert!(machine.is_over());
            prop_assert_eq!(done.len() + failed.len() + skipped.len(), count);
            if !stopped {
                // Skipped is exactly what depends on something failed or skipped.
                for i in 0..count {
                    let needs_lost = edges.iter().any(|(from, to)| *from == i && (failed.contains(to) || skipped.contains(to)));
                    prop_assert_eq!(skipped.contains(&i), needs_lost, "{}", i);
                }
            }
        }
    }
}
