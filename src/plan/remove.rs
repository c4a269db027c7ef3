//! Steps of addresses that the state knows and nobody wants: deleted, forgotten, or put back as they were.

use super::make::Maker;
use super::moves::is_forgotten;
use super::step::{block, guard_of, kept_live, paths_of, refused, unreadable};
use super::{Action, Step, body, change};
use crate::diff::{Compare, FieldChange, compare};
use crate::kinds::{self, Change, Context, Identity, Kind, Lifetime, View};
use crate::model::{Address, Value};
use crate::refresh::Live;
use crate::state::Entry;

/// What becomes of an object at a destroy that was there before this project.
const ADOPTED: &str = "adopted, not made here: it stays, with every value that an apply changed in it; --include-adopted deletes it";

impl<'a> Maker<'a> {
    /// One address that is in the state and not desired, or everything at a destroy.
    pub(super) fn unwanted(&mut self, address: &'a Address, entry: &'a Entry) {
        let step = if let Some(kind) = self.inputs.registry.get(&entry.kind) {
            self.removed(kind, address, entry)
        } else {
            let mut step = Step { kind: entry.kind.clone(), name: address.key.clone(), ..Step::bare(address.clone(), Action::None) };
            let reason = format!("{address} is of the kind `{}`, which this Brickform does not know", entry.kind);
            step.blocks.push(block(
                "refused",
                reason,
                vec!["use the Brickform that wrote the state, or forget it by `state rm`".to_owned()],
            ));
            step
        };
        self.add(step);
    }

    fn removed(&self, kind: &'static Kind, address: &'a Address, entry: &'a Entry) -> Step {
        let destroy = self.inputs.options.destroy;
        let live = self.live(address);
        let found = match live {
            Some(Live::Found { body, .. } | Live::Settled { body, .. }) => Some(body),
            _ => None,
        };
        let bodies: Vec<&Value> = [found, Some(&entry.applied)].into_iter().flatten().collect();
        let mut step = Step {
            kind: kind.name.to_owned(),
            name: body::name_of(kind, &bodies).unwrap_or_else(|| address.key.clone()),
            id: Some(entry.id.clone()).filter(|id| !id.is_empty()),
            link: body::link(kind, self.inputs.host, &entry.id, &bodies),
            ..Step::bare(address.clone(), Action::Forget)
        };
        let forget = |mut step: Step, because: String| {
            step.because = Some(because);
            step
        };
        if !destroy && is_forgotten(self.inputs.desired, address) {
            return forget(step, "asked for by forget:".to_owned());
        }
        if let Some(parent) = self.leaving_parent(address) {
            return forget(step, format!("goes with {parent}"));
        }
        match live {
            // What it is a part of is not there any more: an apply that was interrupted deleted that, and not yet its record.
            Some(Live::Gone | Live::Absent | Live::Waits) => return forget(step, "already gone".to_owned()),
            Some(Live::Failed(error)) => {
                step.action = Action::None;
                step.blocks.push(unreadable(address, error));
                return step;
            }
            _ => {}
        }
        match kind.lifetime {
            Lifetime::Own if destroy && entry.adopted && !self.inputs.options.include_adopted => forget(step, ADOPTED.to_owned()),
            Lifetime::Own if kind.hooks.standing.is_some_and(|standing| standing(found.unwrap_or(&entry.applied))) => {
                forget(step, "every workspace has it: it stays".to_owned())
            }
            Lifetime::Own => match found.and_then(kind.hooks.lasting.unwrap_or(|_| None)) {
                Some(why) if destroy => forget(step, format!("{why}: it stays")),
                Some(why) => {
                    let mut step = self.delete(kind, entry, live, step);
                    let remedy = vec![format!("forget: ['{address}']    # in the project: it stays as it is, and is managed here no more")];
                    step.blocks.push(block("refused", format!("{address} cannot be deleted from here: {why}"), remedy));
                    step
                }
                None => self.delete(kind, entry, live, step),
            },
            Lifetime::Attached if !destroy => forget(step, "not in YAML; left as it is".to_owned()),
            Lifetime::Attached | Lifetime::Setting => self.restore(kind, entry, found, step),
        }
    }

    /// The parent of a facet, if the whole object goes.
    fn leaving_parent(&self, address: &Address) -> Option<Address> {
        let parent = address.is_facet().then(|| address.parent())?;
        let step = self.steps.get(&parent)?;
        let leaves = match step.action {
            Action::Delete | Action::Replace | Action::ReplaceNewFirst | Action::Create => true,
            Action::Forget => step.because.as_deref() == Some("already gone"),
            Action::None | Action::Update | Action::Adopt | Action::Move => false,
        };
        leaves.then_some(parent)
    }

    fn delete(&self, kind: &'static Kind, entry: &Entry, answered: Option<&Live>, mut step: Step) -> Step {
        let (settled, found) = match answered {
            Some(Live::Settled { id, body }) => (Some(id).filter(|id| **id != entry.id), Some(body)),
            Some(Live::Found { body, .. }) => (None, Some(body)),
            _ => (None, None),
        };
        // What an interrupted apply renamed, or made in its place, is under another id than the state says. A name that was
        // left is nothing's; an id that the server gave may still be there beside the new one.
        let left = settled.is_some() && matches!(kind.identity, Identity::Named { .. });
        step.action = Action::Delete;
        step.id = settled.cloned().or(step.id);
        let because = match self.inputs.options.destroy {
            true => "destroy",
            false if self.inputs.desired.off.contains(&step.address) => "its `when` is false",
            false => "not in YAML",
        };
        step.because = Some(because.to_owned());
        let ids = settled.into_iter().chain(Some(&entry.id).filter(|_| !left)).chain(&entry.deposed);
        step.calls = ids.flat_map(|id| kinds::delete_calls(kind, &Value::text(id.as_str()))).collect();
        step.live = found.map(|live| kept_live(live, &entry.applied, Some(&entry.applied)));
        if let Some(live) = found {
            let begun = self.inputs.state.open_intents.get(&step.address).filter(|_| matches!(answered, Some(Live::Settled { .. })));
            let sent = begun.and_then(|intent| intent.applied.as_ref()).unwrap_or(&entry.applied);
            self.goes_with(kind, entry, sent, live, &mut step);
        }
        step
    }

    /// Puts back what was there before first touch.
    fn restore(&self, kind: &'static Kind, entry: &Entry, found: Option<&Value>, mut step: Step) -> Step {
        let Some(former) = &entry.former else {
            step.because = Some("nothing is known of what it held before; left as it is".to_owned());
            return step;
        };
        let context: Context<'_> = self.context(&step.address, false);
        let view =
            found.map(|live| change::view(kind, &View { live, desired: former, applied: Some(&entry.applied), context: &context }, live));
        let mut changes = compare(&Compare {
            applied: Some(&entry.applied),
            live: view.as_deref(),
            secrets: self.inputs.secrets,
            ..Compare::of(kind, former)
        })
        .changes;
        if kind.lifetime == Lifetime::Setting {
            // What nobody saw before the first touch cannot be put back, and holds up nothing else.
            let is_known = |change: &FieldChange| change.path.first_field().is_none_or(|name| former.get(name).is_some());
            let unknown: Vec<String> = changes.iter().filter(|c| !is_known(c)).map(|c| c.path.to_string()).collect();
            changes.retain(is_known);
            if !unknown.is_empty() {
                let left = format!("what {} held before is not known; left as it is", unknown.join(", "));
                if changes.is_empty() {
                    step.because = Some(left);
                    return step;
                }
                step.notes.push(left);
            }
        }
        if changes.is_empty() {
            step.because = Some("holds what it held before".to_owned());
            return step;
        }
        let (id, paths) = (Value::text(entry.id.as_str()), paths_of(&changes));
        let change = Change {
            address: &step.address,
            id: &id,
            applied: Some(&entry.applied),
            live: found.or(Some(&entry.applied)),
            desired: former,
            paths: &paths,
            context,
        };
        if found.is_none() && kind.lifetime == Lifetime::Attached {
            let reason = format!("{} would be put back as it was before, but what else it holds was not read", step.address);
            step.blocks.push(block("refused", reason, vec!["plan it without --refresh=false".to_owned()]));
        } else {
            match kinds::update_calls(kind, &change) {
                Ok(calls) => step.calls = calls,
                Err(refusal) => step.blocks.push(refused(&step.address, &refusal, guard_of(&refusal, &changes))),
            }
        }
        step.action = Action::Update;
        step.because = Some("put back as it was before".to_owned());
        step.live = found.map(|live| kept_live(live, former, Some(&entry.applied)));
        step.desired = Some(former.clone());
        step.changes = changes;
        step
    }
}
