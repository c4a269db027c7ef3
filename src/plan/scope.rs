//! Which addresses a plan is about: `--target` and `--exclude`.

use std::collections::{BTreeSet, HashMap};

use super::{Options, moves::Moves};
use crate::model::{Address, Pattern};
use crate::project::Desired;
use crate::state::Document;

/// The addresses that are planned. Refresh reads only these.
#[derive(Debug, Clone)]
pub struct Scope {
    kept: Option<BTreeSet<Address>>,
    left_out: usize,
}

impl Scope {
    /// What the options leave. A target takes along what it needs and its facets; a deleted one what must be deleted before
    /// it. An excluded address takes along everything that needs it.
    #[must_use]
    pub fn of(desired: &Desired, state: &Document, options: &Options) -> Self {
        if options.targets.is_empty() && options.excludes.is_empty() {
            return Self { kept: None, left_out: 0 };
        }
        let moves = Moves::of(desired, state, options, None);
        let graph = Graph::of(desired, state, options, &moves);
        let all: BTreeSet<&Address> = graph.needs.keys().copied().collect();
        let named = |list: &[Pattern]| all.iter().copied().filter(|a| list.iter().any(|t| t.covers(a))).collect::<Vec<_>>();
        let mut kept: BTreeSet<&Address> =
            if options.targets.is_empty() { all.clone() } else { closure(named(&options.targets), &graph.needs) };
        // What is brought along and is not there yet comes with its parts: nothing is made that nobody may use.
        loop {
            let fresh = |a: &&Address| a.is_facet() && kept.contains(&a.parent()) && !state.resources.contains_key(&a.parent());
            let parts: Vec<&Address> = all.iter().copied().filter(|a| fresh(a) && !kept.contains(*a)).collect();
            if parts.is_empty() {
                break;
            }
            kept.extend(closure(parts, &graph.needs));
        }
        for excluded in closure(named(&options.excludes), &graph.needed_by) {
            kept.remove(excluded);
        }
        let left_out = all.len() - kept.len();
        // The old address of a move belongs to the new one: its object is what is read.
        let old = kept.iter().filter_map(|a| moves.old(a)).cloned().collect::<Vec<_>>();
        Self { kept: Some(kept.into_iter().cloned().chain(old).collect()), left_out }
    }

    /// Whether this address is planned.
    #[must_use]
    pub fn holds(&self, address: &Address) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.contains(address))
    }

    /// How many addresses are not.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

/// Whether an address given on the command line means this one: itself, its instances, its facets.
pub(super) fn covers(given: &Address, address: &Address) -> bool {
    given.kind == address.kind
        && given.key == address.key
        && (given.instance.is_none() || given.instance == address.instance)
        && (given.facet.is_none() || given.facet == address.facet)
}

struct Graph<'a> {
    needs: HashMap<&'a Address, Vec<&'a Address>>,
    needed_by: HashMap<&'a Address, Vec<&'a Address>>,
}

impl<'a> Graph<'a> {
    fn of(desired: &'a Desired, state: &'a Document, options: &Options, moves: &'a Moves) -> Self {
        let mut graph = Self { needs: HashMap::new(), needed_by: HashMap::new() };
        if !options.destroy {
            for (address, resource) in &desired.resources {
                graph.needs.entry(address).or_default();
                for needed in &resource.depends_on {
                    graph.edge(address, needed);
                }
            }
        }
        for (address, entry) in &state.resources {
            if moves.now(address).is_some() || graph.needs.contains_key(address) {
                continue;
            }
            graph.needs.entry(address).or_default();
            // It is deleted: before what it depended on.
            for dependency in entry.dependencies.iter().filter(|d| !desired.resources.contains_key(*d) || options.destroy) {
                graph.edge(dependency, address);
            }
        }
        graph
    }

    fn edge(&mut self, from: &'a Address, to: &'a Address) {
        self.needs.entry(from).or_default().push(to);
        self.needed_by.entry(to).or_default().push(from);
    }
}

fn closure<'a>(start: Vec<&'a Address>, edges: &HashMap<&'a Address, Vec<&'a Address>>) -> BTreeSet<&'a Address> {
    let mut seen: BTreeSet<&Address> = BTreeSet::new();
    let mut open = start;
    while let Some(address) = open.pop() {
        if seen.insert(address) {
            open.extend(edges.get(address).into_iter().flatten().copied());
        }
    }
    seen
}
