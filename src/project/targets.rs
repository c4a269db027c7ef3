//! The top-level `import:`, `moved:` and `forget:`.

use std::collections::BTreeMap;

use super::Resource;
use super::findings::{Findings, known_keys};
use super::load::Inner;
use super::meta::address;
use super::scope::{In, Resolver, is_poison, tree};
use super::{Answers, expression};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Address, Value};
use crate::yaml::Node;

/// What was read.
#[derive(Debug, Default)]
pub struct Targets {
    /// `import:` by target.
    pub imports: BTreeMap<Address, (String, Span)>,
    /// `moved:` from → to.
    pub moves: BTreeMap<Address, Address>,
    /// `forget:`.
    pub forgets: Vec<Address>,
}

/// Reads and checks all three.
pub fn read(inner: &Inner, answers: &Answers, resources: &BTreeMap<Address, Resource>, findings: &mut Findings) -> Targets {
    let mut targets = Targets::default();
    for node in &inner.imports {
        import(node, inner, answers, resources, &mut targets, findings);
    }
    for node in &inner.moves {
        moved(node, inner, resources, &mut targets, findings);
    }
    for node in &inner.moves {
        moved_nowhere(node, inner, &targets, findings);
    }
    for node in &inner.forgets {
        let Some(address) = address(node, &inner.registry, findings) else { continue };
        if resources.contains_key(&address) {
            findings.add(
                Diagnostic::error("E0125", format!("{address} is declared and forgotten at once"))
                    .at(&node.span, "forgotten here")
                    .at(&resources[&address].span, "declared here"),
            );
        }
        targets.forgets.push(address);
    }
    targets.forgets.sort();
    targets.forgets.dedup();
    targets
}

/// The two members of an item, both required.
fn pair<'a>(node: &'a Node, names: [&str; 2], what: &str, findings: &mut Findings) -> Option<(&'a Node, &'a Node)> {
    known_keys(node, &names, &format!("an item of `{what}`"), "E0125", findings);
    let both = node.get(names[0]).zip(node.get(names[1]));
    if both.is_none() {
        let message = format!("an item of `{what}` needs `{}` and `{}`", names[0], names[1]);
        findings.add(Diagnostic::error("E0125", message).at(&node.span, ""));
    }
    both
}

fn import(
    node: &Node,
    inner: &Inner,
    answers: &Answers,
    resources: &BTreeMap<Address, Resource>,
    targets: &mut Targets,
    findings: &mut Findings,
) {
    let Some((to, id)) = pair(node, ["to", "id"], "import", findings) else { return };
    let Some(address) = address(to, &inner.registry, findings) else { return };
    if !resources.contains_key(&address) {
        if inner.find(&address.kind, &address.key).is_none() && !inner.incomplete {
            let keys = inner.prepared.iter().filter(|p| p.kind.name == address.kind).map(|p| p.key.as_str());
            let found = Diagnostic::error("E0125", format!("there is no {address} to import to")).at(&to.span, "");
            findings.add(match crate::diagnostic::suggest::nearest(&address.key, keys) {
                Some(near) => found.help(format!("did you mean `{}`?", Address::new(&address.kind, near))),
                None => found.help("declare it: an import takes an existing object under a resource of the project"),
            });
        }
        return; // its `when` is false: nothing to take
    }
    let resolver = Resolver::new(inner, answers);
    let scope = In { resolver: &resolver, each: None, with_resources: false };
    let value = tree(id, &scope);
    findings.extend(resolver.findings.take().sorted(false));
    let text = match &value {
        Value::Text(text) if !text.is_empty() => text.clone(),
        Value::Int(_) | Value::UInt(_) if id.text().is_some_and(|t| !expression::is_template(t)) => {
            id.text().unwrap_or_default().to_owned()
        }
        Value::Int(_) | Value::UInt(_) => value.key_text(),
        _ if value.any(&is_poison) => return,
        other => {
            findings.add(Diagnostic::error("E0125", format!("the id of an import is text, not {}", other.sort())).at(&id.span, ""));
            return;
        }
    };
    if let Some((_, first)) = targets.imports.get(&address) {
        findings.add(Diagnostic::error("E0125", format!("{address} is imported twice")).at(&to.span, "again here").at(first, "first here"));
        return;
    }
    targets.imports.insert(address, (text, to.span.clone()));
}

fn moved(node: &Node, inner: &Inner, resources: &BTreeMap<Address, Resource>, targets: &mut Targets, findings: &mut Findings) {
    let Some((from_node, to_node)) = pair(node, ["from", "to"], "moved", findings) else { return };
    let (from, to) = (address(from_node, &inner.registry, findings), address(to_node, &inner.registry, findings));
    let (Some(from), Some(to)) = (from, to) else { return };
    if from.kind != to.kind || from.facet != to.facet {
        findings.add(Diagnostic::error("E0125", format!("{from} cannot move to {to}: they are different kinds")).at(&to_node.span, ""));
        return;
    }
    if let Some(still) = resources.get(&from) {
        findings.add(
            Diagnostic::error("E0125", format!("{from} is moved away and still declared"))
                .at(&from_node.span, "moved away here")
                .at(&still.span, "declared here"),
        );
        return;
    }
    if targets.moves.values().any(|other| *other == to) {
        findings.add(Diagnostic::error("E0125", format!("two addresses move to {to}")).at(&to_node.span, ""));
        return;
    }
    targets.moves.insert(from, to);
}

/// A move to what nobody declares moves nothing: what it leaves behind is deleted like all that went missing.
fn moved_nowhere(node: &Node, inner: &Inner, targets: &Targets, findings: &mut Findings) {
    let Some(to) = node.get("to") else { return };
    let Some(address) = to.text().and_then(|text| text.parse::<Address>().ok()) else { return };
    let goes_on = targets.moves.keys().any(|from| *from == address);
    if !targets.moves.values().any(|other| *other == address)
        || goes_on
        || inner.incomplete
        || inner.find(&address.kind, &address.key).is_some()
    {
        return;
    }
    let found = Diagnostic::warning("W0128", format!("there is no {address} to move to: this moves nothing")).at(&to.span, "");
    let keys = inner.prepared.iter().filter(|p| p.kind.name == address.kind).map(|p| p.key.as_str());
    findings.add(match crate::diagnostic::suggest::nearest(&address.key, keys) {
        Some(near) => found.help(format!("did you mean `{}`?", Address::new(&address.kind, near))),
        None => found.help("declare it, or take the item away; what is moved nowhere is planned as a delete"),
    });
}
