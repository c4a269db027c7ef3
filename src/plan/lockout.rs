//! `self_lockout`: a plan that takes from its caller what lets them manage an object, or makes them no admin any more.
//!
//! The answer depends on who plans, so it is a verdict beside a plan in a file, and asked again at apply. A pure function of
//! the plan, what the workspace answered and the caller's groups. Workspace admins manage every object of the workspace and
//! every secret scope, whatever its list says; securables of Unity Catalog they do not, so grants count for them too.
//! Groups within groups are followed as far as the plan has read them, and so are the catalog and schema of a securable: who
//! owns or manages those manages what is in them.

use super::guards::{Lifted, overridden, unless};
use super::step::block;
use super::{Action, Block, Inputs, Plan, Step};
use crate::client::{Me, Membership};
use crate::model::Value;
use crate::refresh::Live;

mod held;
mod securables;

use held::{Held, Sort};
use securables::Securables;

/// Whoever is in it manages every object of the workspace.
const ADMINS: &str = "admins";

/// Groups that everyone is in, and that no list of groups has to name.
const EVERYONE: [&str; 2] = ["users", "account users"];

/// What lifts it.
const FLAG: &str = "--allow-self-lockout";

/// The caller, with the groups they are in at one moment.
struct Who<'a> {
    me: &'a Me,
    groups: Vec<Membership>,
}

impl Who<'_> {
    fn in_group(&self, name: &str) -> bool {
        EVERYONE.iter().any(|g| g.eq_ignore_ascii_case(name)) || self.groups.iter().any(|g| g.name.eq_ignore_ascii_case(name))
    }

    /// Whether an entry that names this principal is the caller's. `by` is empty where one field names users and groups.
    fn is(&self, by: &str, name: &str) -> bool {
        let me = by != "group_name" && self.me.name.eq_ignore_ascii_case(name);
        me || (matches!(by, "" | "group_name") && self.in_group(name))
    }

    fn manages(&self, sort: Sort, held: &[Held]) -> bool {
        (sort != Sort::Grants && self.in_group(ADMINS)) || self.by(held).is_some()
    }

    /// The first entry that lets the caller manage the object.
    fn by<'h>(&self, held: &'h [Held]) -> Option<&'h Held> {
        held.iter().find(|h| self.is(h.by, &h.name))
    }
}

/// A group whose members the plan changes.
struct Change {
    step: usize,
    group: Membership,
    /// Ids of its members afterwards; none at all of a group that is deleted.
    members: Vec<String>,
}

pub(super) fn check(plan: &mut Plan, inputs: &Inputs<'_>, lifted: &mut Lifted) {
    let Some(me) = inputs.caller else { return };
    let changes = changes(plan, inputs);
    let before = Who { me, groups: me.groups.clone() };
    let after = Who { me, groups: groups_after(me, &changes) };
    let allowed = overridden("self_lockout", inputs);
    let securables = Securables::of(plan, inputs);
    let mut found: Vec<(usize, Block)> = Vec::new();
    let mut through_groups: Vec<String> = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        found.extend(own_account(step, me).map(|b| (index, b)));
        let Some(object) = object(&securables, inputs, step) else { continue };
        if !before.manages(object.sort, &object.before) || after.manages(object.sort, &object.after) {
            continue;
        }
        if before.manages(object.sort, &object.after) {
            through_groups.push(step.address.parent().to_string());
        } else if object.changes {
            found.push((index, lost(step, &object, &before)));
        }
        // Else what it is in changes hands: told there.
    }
    for change in changes.iter().filter(|c| before.in_group(&c.group.name) && !after.in_group(&c.group.name)) {
        found.extend(left(&plan.steps[change.step], change, me, &through_groups).map(|b| (change.step, b)));
    }
    for (index, found) in found {
        plan.steps[index].blocks.extend(unless(allowed, found, lifted));
    }
}

/// What the workspace answered for a step.
fn live<'a>(inputs: &Inputs<'a>, step: &Step) -> Option<&'a Value> {
    let objects = &inputs.live?.objects;
    match objects.get(&step.address).or_else(|| objects.get(step.moved_from.as_ref()?))? {
        Live::Found { body, .. } | Live::Settled { body, .. } => Some(body),
        _ => None,
    }
}

/// An access list of the plan, or a securable whose owner changes.
struct Object {
    sort: Sort,
    before: Vec<Held>,
    after: Vec<Held>,
    /// Whether the step itself changes it.
    changes: bool,
}

fn object(securables: &Securables, inputs: &Inputs<'_>, step: &Step) -> Option<Object> {
    if let Some(object) = securables.object(step) {
        return Some(object);
    }
    let sort = Sort::of(&step.kind).filter(|sort| *sort != Sort::Grants)?;
    let reply = live(inputs, step)?;
    let calls = || step.calls.iter().chain(&step.delete_calls);
    Some(Object { sort, before: held::now(sort, reply), after: held::later(sort, reply, calls()), changes: calls().next().is_some() })
}

fn lost(step: &Step, object: &Object, before: &Who<'_>) -> Block {
    let me = before.me;
    let of = if step.address.is_facet() { step.address.parent().to_string() } else { step.id.clone().unwrap_or_else(|| step.name.clone()) };
    let through = before.by(&object.before).map(|held| format!(" (now: {})", held.shown())).unwrap_or_default();
    let reason = format!("{} would leave {}, who calls, without {} on {of}{through}", step.address, me.name, object.sort.level());
    let mut remedy = vec![FLAG.to_owned(), format!("or list who calls: {}", object.sort.entry(me))];
    if object.sort != Sort::Grants {
        remedy.push(format!("or name who deploys, who stays: deployer: {}    # in `workspace:` of the environment", me.name));
    }
    block("self_lockout", reason, remedy)
}

/// Who calls leaves a group: `admins`, or one through which they manage something that the plan has read.
fn left(step: &Step, change: &Change, me: &Me, objects: &[String]) -> Option<Block> {
    let group = &change.group.name;
    let is_admins = group.eq_ignore_ascii_case(ADMINS);
    if !is_admins && objects.is_empty() {
        return None;
    }
    let loses = if is_admins {
        "they would manage only what they are listed for".to_owned()
    } else {
        format!("they could not manage {} any more", objects.join(", "))
    };
    let reason = format!("{} would take {}, who calls, out of the group {group}: {loses}", step.address, me.name);
    Some(block("self_lockout", reason, vec![FLAG.to_owned(), format!("or list who calls as a member: {{ {}: {} }}", me.field(), me.name)]))
}

/// Who calls deletes or deactivates themselves.
fn own_account(step: &Step, me: &Me) -> Option<Block> {
    let is_me = matches!(step.kind.as_str(), "users" | "service_principals") && !me.id.is_empty() && step.id.as_deref() == Some(&me.id);
    let deactivates = || step.changes.iter().any(|c| c.path.to_string() == "active" && c.new == Some(Value::Bool(false)));
    let (deletes, changes) = (held::goes(step), step.action == Action::Update);
    (is_me && (deletes || changes && deactivates())).then(|| {
        let verb = if deletes { "deleted" } else { "deactivated" };
        let reason = format!("{} is {}, who calls, and would be {verb}", step.address, me.name);
        block("self_lockout", reason, vec![FLAG.to_owned(), format!("or leave it alone: forget: ['{}']", step.address)])
    })
}

fn changes(plan: &Plan, inputs: &Inputs<'_>) -> Vec<Change> {
    let name_of = |step: &Step, body: Option<&Value>| {
        let parent = plan.steps.iter().find(|s| s.address == step.address.parent());
        let recorded = inputs.state.resources.get(step.moved_from.as_ref().unwrap_or(&step.address)).map(|entry| &entry.applied);
        let shown = body.and_then(|b| b.get("displayName")).or_else(|| parent?.desired.as_ref()?.get("displayName"));
        shown.or_else(|| recorded?.get("displayName")).and_then(Value::as_str).map(str::to_owned)
    };
    let mut found = Vec::new();
    for (step_index, step) in plan.steps.iter().enumerate() {
        let body = live(inputs, step);
        let deleted = step.kind == "groups" && held::goes(step);
        if !deleted && (step.kind != "group_members" || step.calls.is_empty()) {
            continue;
        }
        let Some(name) = name_of(step, body) else { continue };
        let id = body.and_then(|b| b.get("id")).map(Value::key_text).unwrap_or_default();
        let members = if deleted { vec![] } else { held::members_after(body, &step.calls) };
        found.push(Change { step: step_index, group: Membership { id, name }, members });
    }
    found
}

/// The caller's groups when the plan is through: a group leads into the groups that it is in.
fn groups_after(me: &Me, changes: &[Change]) -> Vec<Membership> {
    let mut groups = me.groups.clone();
    for _ in 0..=changes.len() {
        for change in changes {
            let inside = change.members.iter().any(|m| *m == me.id || groups.iter().any(|g| !g.id.is_empty() && g.id == *m));
            let at = groups.iter().position(|g| g.name.eq_ignore_ascii_case(&change.group.name));
            match (inside, at) {
                (true, None) => groups.push(change.group.clone()),
                (false, Some(at)) => _ = groups.remove(at),
                _ => {}
            }
        }
    }
    groups
}
