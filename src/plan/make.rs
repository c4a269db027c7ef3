//! The making of a plan: every address once, needs before users, then order, guards and what was asked for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::follow::Renamings;
use super::known::{Known, Object};
use super::moves::Moves;
use super::step::{Subject, block, start};
use super::{
    Action, Block, Inputs, Plan, Scope, Step, guards, inside, leftover, narrow, order, orphans, policies, preflight, still_used, typed,
};
use crate::diff::Reason;
use crate::kinds::{self, Context, Kind, Schema};
use crate::model::{Address, Value, Variable};
use crate::project::{Resource, expression};
use crate::refresh::Live;
use crate::state::Entry;

pub(super) fn make(inputs: &Inputs<'_>) -> Plan {
    let moves = Moves::of(inputs.desired, inputs.state, inputs.options, Some(inputs.registry));
    let scope = Scope::of(inputs.desired, inputs.state, inputs.options);
    let known = orphans::known(inputs);
    let deployer = deployer(inputs);
    let mut maker = Maker {
        inputs,
        deployer: deployer.as_deref(),
        moves: &moves,
        claims: orphans::claims(inputs),
        known: Known::default(),
        renamings: Renamings::default(),
        steps: BTreeMap::new(),
    };
    if !inputs.options.destroy {
        for address in order::topological(inputs.desired).into_iter().filter(|a| scope.holds(a)) {
            if let Some(resource) = inputs.desired.resources.get(address) {
                maker.wanted(address, resource);
            }
        }
    }
    for (address, entry) in &known.resources {
        let wanted = !inputs.options.destroy && inputs.desired.resources.contains_key(address);
        if !wanted && scope.holds(address) && moves.now(address).is_none_or(|new| !inputs.desired.resources.contains_key(new)) {
            maker.unwanted(address, entry);
        }
    }
    let first = maker.before_renames();
    if !inputs.options.drift_only {
        maker.tell_what_is_lost();
    }
    let mut steps = maker.steps;
    let old = |a: &Address| moves.old(a).unwrap_or(a).clone();
    let now = |a: &Address| moves.now(a).unwrap_or(a).clone();
    let inner = inside::apart(&mut steps, inputs, &old, &now);
    let mut lifted = BTreeSet::new();
    if !inputs.options.drift_only {
        inside::check(&mut steps, inputs, &known, &old);
        lifted.extend(leftover::check(&mut steps, inputs, &known, &old));
    }
    // Folders that are there and nobody declares are nobody's business.
    steps.retain(|address, step| {
        let there = step.action == Action::None && step.id.is_none() && step.blocks.is_empty();
        !there || !inputs.desired.resources.get(address).is_some_and(Resource::is_implied)
    });
    let state = orphans::with_begun(inputs, known);
    order::link(&mut steps, &order::Ties { desired: inputs.desired, state: &state, old: &old, now: &now, first: &first, inner: &inner });
    if let Some(circle) = order::circle(&steps)
        && let Some(step) = circle.first().and_then(|first| steps.get_mut(first))
    {
        let each: Vec<String> = circle.iter().map(ToString::to_string).collect();
        let reason = format!("{} would wait for each other: nothing of them could begin", each.join(", "));
        let remedy = vec![format!("make the change in two applies: first without what changes at {}", each[0])];
        step.blocks.push(super::step::block("refused", reason, remedy));
    }
    let mut plan = Plan {
        environment: inputs.environment.name.clone(),
        project: inputs.project.to_owned(),
        workspace: inputs.workspace.clone(),
        lineage: inputs.state.lineage.clone(),
        serial: inputs.state.serial,
        state_place: inputs.state_place.clone(),
        destroy: inputs.options.destroy,
        steps: steps.into_values().map(|step| *step).collect(),
        blocks: vec![],
        warnings: warnings(inputs, &scope),
        requests: inputs.live.map_or(0, |l| l.requests) + inputs.preflight.map_or(0, |p| p.requests),
        looked_ahead: inputs.preflight.map(|p| p.asked),
        refreshed: inputs.live.is_some(),
        left_out: scope.left_out(),
        lifted,
        pinning: super::Pinning::Stays,
    };
    plan.warnings.extend(super::beyond::told(inputs, &scope));
    if let Some(only) = &inputs.options.only {
        plan.steps.iter_mut().filter(|s| !only.contains(&s.address)).for_each(leave);
    }
    narrow::only_what_was_asked_for(&mut plan, &inputs.options.targets);
    if inputs.options.drift_only {
        only_drift(&mut plan);
        plan.blocks.extend(guards::workspace(inputs));
    } else {
        narrow::overlays_without_a_base(&mut plan, inputs, &scope);
        still_used::check(&mut plan, inputs);
        preflight::check(&mut plan, inputs);
        guards::check(&mut plan, inputs);
        policies::check(&mut plan, inputs);
        plan.warnings.extend(without_a_state(&plan, inputs));
    }
    plan.steps.iter_mut().for_each(|step| refused_where(step, inputs));
    plan
}

/// Refusals are told at their line, where files say something of what is refused.
fn refused_where(step: &mut Step, inputs: &Inputs<'_>) {
    let declared = |address: &Address| inputs.desired.resources.get(address);
    let Some(resource) = declared(&step.address).or_else(|| declared(&step.address.parent())) else { return };
    let place = step.cause().map_or(&resource.span, |path| &resource.node.nearest(path).span);
    for block in step.blocks.iter_mut().filter(|block| REFUSALS.contains(&block.guard) && block.place.is_none()) {
        block.place = Some(place.clone());
    }
}

/// Guards that refuse what stands in a file, whatever is allowed.
const REFUSALS: [&str; 3] = ["refused", "cannot_unset", "unreadable"];

/// From how many objects that are there already on an empty state looks like one that was lost.
const ENOUGH_TO_BE_LOST: usize = 2;

/// Several objects that are to be made are there already, and the state knows nothing: what takes all of them over.
fn without_a_state(plan: &Plan, inputs: &Inputs<'_>) -> Option<Block> {
    let there = plan.steps.iter().filter(|step| step.blocks.iter().any(|b| b.guard == "exists")).count();
    if there < ENOUGH_TO_BE_LOST || !inputs.state.resources.is_empty() {
        return None;
    }
    let reason = format!(
        "the state of {name} is empty, and {there} objects that are to be created exist already: `brickform adopt --env {name} --all` takes \
         over what exists under its name; where the state was lost, `brickform state rebuild --env {name}` also finds objects by their \
         ownership tag",
        name = inputs.environment.name
    );
    Some(block("state", reason, vec![]))
}

/// What the user should know of objects as they are, whether or not this plan changes them.
fn warnings(inputs: &Inputs<'_>, scope: &Scope) -> Vec<Block> {
    let Some(live) = inputs.live.filter(|_| !inputs.options.destroy) else { return vec![] };
    let told = |(address, resource): (&Address, &Resource)| {
        let hook = resource.kind.hooks.warn.filter(|_| scope.holds(address))?;
        match live.objects.get(address)? {
            Live::Found { body, .. } | Live::Settled { body, .. } => {
                let called = inputs.state.resources.get(address).and_then(|entry| entry.called.as_deref());
                Some((address.clone(), hook(body, &resource.body, called)))
            }
            _ => None,
        }
    };
    let all = inputs.desired.resources.iter().filter_map(told);
    all.flat_map(|(address, told)| told.into_iter().map(move |reason| block("state", format!("{address}: {reason}"), vec![]))).collect()
}

/// Everything a step is made from.
pub(super) struct Maker<'a> {
    pub inputs: &'a Inputs<'a>,
    /// As access lists carry it.
    pub deployer: Option<&'a str>,
    pub moves: &'a Moves,
    /// What an unfinished apply began under another address, by the one that it has now.
    pub claims: BTreeMap<&'a Address, &'a Address>,
    pub known: Known<'a>,
    pub renamings: Renamings<'a>,
    /// Boxed: a step is large, and nodes of a map that grows in order stay half empty.
    pub steps: BTreeMap<Address, Box<Step>>,
}

impl<'a> Maker<'a> {
    /// One desired address.
    fn wanted(&mut self, address: &'a Address, resource: &'a Resource) {
        let entry = self.moves.entry(self.inputs.state, address);
        let subject = |body| Subject {
            address,
            resource,
            kind: self.inputs.registry.current(resource.kind),
            body,
            entry,
            moved_from: self.moves.old(address).or_else(|| self.claims.get(address).copied()),
            live: self.live(address),
            context: self.context(address, resource.lifecycle.exclusive),
        };
        let (step, object) = match self.filled(resource.kind, &resource.body, entry) {
            Ok(body) => {
                let subject = subject(body);
                let (step, object) = self.decide(&subject);
                let object = object.or_else(|| Object::made(&subject, &step));
                if matches!(step.action, Action::Update | Action::Move)
                    && let Some(old) = was(&subject)
                {
                    self.renamings.note(address, resource.kind, old, &subject.body);
                }
                (step, object)
            }
            Err(why) => {
                let mut step = start(&subject(Cow::Borrowed(&resource.body)), Action::None);
                step.blocks.push(block("refused", format!("{address} cannot be evaluated: {why}"), vec![]));
                (step, None)
            }
        };
        if let Some(object) = object {
            self.known.insert(address, object);
        }
        self.add(step);
    }

    /// A part is called as what it is a part of.
    pub fn add(&mut self, mut step: Step) {
        if step.address.is_facet()
            && let Some(parent) = self.steps.get(&step.address.parent())
        {
            step.name.clone_from(&parent.name);
            step.link.clone_from(&parent.link);
        }
        self.steps.insert(step.address.clone(), Box::new(step));
    }

    /// The body with references to existing objects filled in.
    fn filled(&self, kind: &'static Kind, body: &'a Value, entry: Option<&Entry>) -> Result<Cow<'a, Value>, String> {
        if !body.has_unknown() {
            return Ok(Cow::Borrowed(body));
        }
        let mut filled = expression::fill(body, &|variable| self.known.value(variable))?;
        if let Some(entry) = entry.filter(|_| self.inputs.live.is_none()) {
            self.known.keep(&mut filled, &entry.applied);
        }
        Ok(Cow::Owned(typed(filled, Schema::of(kind).root())))
    }

    /// What was read under this address, or under the one it had before.
    pub fn live(&self, address: &Address) -> Option<&'a Live> {
        let objects = &self.inputs.live?.objects;
        self.moves.old(address).and_then(|old| objects.get(old)).or_else(|| objects.get(address))
    }

    /// Who deploys, and for a facet the live parent and who made it.
    pub fn context(&self, address: &Address, exclusive: bool) -> Context<'a> {
        let parent = address.is_facet().then(|| self.live(&address.parent())).flatten();
        let parent = match parent {
            Some(Live::Found { body, .. } | Live::Settled { body, .. }) => Some(body),
            _ => None,
        };
        let recorded = address.is_facet().then(|| self.moves.entry(self.inputs.state, &address.parent())).flatten();
        let maker = match recorded {
            Some(entry) => entry.made_by.as_deref(),
            None if address.is_facet() => self.taker(&address.parent()),
            None => None,
        };
        let called = self.moves.entry(self.inputs.state, address).and_then(|entry| entry.called.as_deref());
        Context { deployer: self.deployer, parent, maker, exclusive, called }
    }

    /// Who counts as the maker of an object that is taken over.
    pub fn taker(&self, address: &Address) -> Option<&'a str> {
        let takers = &self.inputs.options.takers;
        let (id, body) = match self.live(address)? {
            Live::Found { id, body } => (id, body),
            Live::Exists(candidates) => candidates.first().filter(|_| candidates.len() == 1).map(|one| (&one.id, &one.body))?,
            _ => return None,
        };
        let id = kinds::plain_id(self.inputs.registry.get(&address.kind)?, id);
        if let Some(who) = takers.known.get(&(address.kind.clone(), id.to_owned())) {
            return Some(who);
        }
        let caller = takers.caller.as_deref().filter(|_| !kinds::names_maker(body))?;
        let list = Address { facet: Some("permissions".to_owned()), ..address.clone() };
        match self.live(&list)? {
            Live::Found { body, .. } => Some(caller).filter(|caller| kinds::is_listed(body, caller)),
            _ => None,
        }
    }

    fn decide(&self, subject: &Subject<'a>) -> (Step, Option<Object<'a>>) {
        if self.parent_is_new(subject.address) {
            return (self.create(subject, None), None);
        }
        match subject.entry {
            Some(entry) => self.managed(subject, entry),
            None => self.first(subject),
        }
    }

    /// Whether this is a facet of something that this plan makes.
    fn parent_is_new(&self, address: &Address) -> bool {
        let parent = || self.steps.get(&address.parent());
        address.is_facet() && parent().is_some_and(|p| matches!(p.action, Action::Create | Action::Replace | Action::ReplaceNewFirst))
    }
}

/// The environment's deployer as access lists carry it. One that this plan makes is in no list yet: nobody is meant.
fn deployer(inputs: &Inputs<'_>) -> Option<String> {
    let Some(named) = &inputs.desired.deployer else { return inputs.environment.deployer.clone() };
    let live = |address: &Address| match inputs.live?.objects.get(address)? {
        Live::Found { body, .. } | Live::Settled { body, .. } => Some(body),
        _ => None,
    };
    let applied = |address: &Address| inputs.state.resources.get(address).map(|entry| &entry.applied);
    let known = |variable: &Variable| {
        let Variable::Reference(reference) = variable else { return None };
        live(&reference.address).or_else(|| applied(&reference.address))?.at(&reference.path).cloned()
    };
    let named = expression::fill(named, &known).ok()?;
    Some(named.as_str().unwrap_or_default().to_owned())
}

/// The body under whose name an object is found until this plan is carried out.
fn was<'a>(subject: &Subject<'a>) -> Option<&'a Value> {
    match subject.live {
        Some(Live::Found { body, .. } | Live::Settled { body, .. }) => Some(body),
        _ => subject.entry.map(|e| &e.applied),
    }
}

/// The object is left as it is, whatever was to happen to it.
pub(super) fn leave(step: &mut Step) {
    step.action = Action::None;
    (step.because, step.loses, step.moved_from, step.entry) = (None, None, None, None);
    step.changes.clear();
    step.kept.clear();
    step.uncompared.clear();
    step.forces.clear();
    step.calls.clear();
    step.delete_calls.clear();
    step.blocks.clear();
    step.notes.clear();
    step.takes.clear();
    step.goes.clear();
}

/// `--drift`: what changed behind our back, and nothing else.
fn only_drift(plan: &mut Plan) {
    let drifted = |r: Reason| matches!(r, Reason::Drift | Reason::Conflict);
    for step in &mut plan.steps {
        let gone = step.because.as_deref() == Some(super::step::DELETED);
        step.blocks.retain(|b: &Block| b.guard == "unreadable");
        step.calls.clear();
        step.delete_calls.clear();
        step.after.clear();
        step.delete_after.clear();
        step.halves = super::Halves::Together;
        step.forces.clear();
        step.goes.clear();
        step.entry = None;
        if !gone {
            step.changes.retain(|c| drifted(c.reason));
        }
        if !gone && step.changes.is_empty() {
            step.action = Action::None;
            (step.because, step.loses, step.desired, step.live) = (None, None, None, None);
        } else if !gone {
            step.action = Action::Update;
        }
    }
}
