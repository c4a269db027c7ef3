//! A plan for a file: no text of it holds the value of a secret, wherever in the workspace somebody put it.
//!
//! What is sent is never taken from the file, so that nothing is lost; both sides of a comparison are hidden alike.

use crate::diff::FieldChange;
use crate::kinds::Call;
use crate::model::{Known, Map, Path, Step as Part, Value, Written};
use crate::plan::{Block, Plan, Step};

/// The plan without what is known.
pub fn without(known: &Known, mut plan: Plan) -> Plan {
    let hide = Hide(known);
    plan.steps.iter_mut().for_each(|step| hide.step(step));
    plan.warnings.iter_mut().chain(&mut plan.blocks).for_each(|block| hide.block(block));
    plan
}

struct Hide<'k>(&'k Known);

impl Hide<'_> {
    fn step(&self, step: &mut Step) {
        let changes = step.changes.iter_mut().chain(&mut step.kept);
        changes.for_each(|change| self.change(change));
        step.forces.iter_mut().for_each(|path| self.path(path));
        step.unmanaged.iter_mut().for_each(|(path, value)| {
            self.path(path);
            *value = self.0.hide_in(value);
        });
        step.uncompared.iter_mut().for_each(|one| self.path(&mut one.path));
        step.calls.iter_mut().chain(&mut step.delete_calls).for_each(|call| self.call(call));
        step.blocks.iter_mut().for_each(|block| self.block(block));
        let texts = step.notes.iter_mut().chain(&mut step.takes).chain(&mut step.because).chain([&mut step.name]);
        texts.for_each(|text| self.text(text));
        step.goes = std::mem::take(&mut step.goes)
            .into_iter()
            .map(|(mut place, print)| {
                self.text(&mut place);
                (place, print)
            })
            .collect();
        step.desired = step.desired.take().map(|desired| self.0.hide_in(&desired));
    }

    fn change(&self, change: &mut FieldChange) {
        self.path(&mut change.path);
        for side in [&mut change.old, &mut change.new, &mut change.applied] {
            *side = side.take().map(|value| self.0.hide_in(&value));
        }
    }

    fn call(&self, call: &mut Call) {
        for part in [&mut call.path, &mut call.query] {
            let hidden: Map = part.iter().map(|(name, value)| (name.clone(), self.0.hide_in(value))).collect();
            *part = hidden;
        }
        call.body = call.body.take().map(|body| self.0.hide_in(&body));
    }

    fn block(&self, block: &mut Block) {
        self.text(&mut block.reason);
        block.remedy.iter_mut().for_each(|line| self.text(line));
    }

    /// Items are known by what stands in them.
    fn path(&self, path: &mut Path) {
        let is_in = |text: &String| self.0.is_in(&Value::text(text.as_str()));
        let holds = path.steps().iter().any(|step| match step {
            Part::Field(name) => is_in(name),
            Part::Key(pairs, _) => pairs.iter().any(|(_, text)| is_in(text)),
            Part::Index(_) | Part::Inside => false,
        });
        if !holds {
            return;
        }
        let mut hidden = Path::root();
        for step in path.steps() {
            let mut step = step.clone();
            match &mut step {
                Part::Field(name) => self.text(name),
                Part::Key(pairs, _) => pairs.iter_mut().for_each(|(_, text)| self.text(text)),
                Part::Index(_) | Part::Inside => {}
            }
            hidden.push(step);
        }
        *path = hidden;
    }

    fn text(&self, text: &mut String) {
        if let std::borrow::Cow::Owned(hidden) = self.0.hide(text, Written::Plain) {
            *text = hidden;
        }
    }
}
