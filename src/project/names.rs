//! Names of principals in lists: those that this project declares become references, others are looked up where the API wants
//! another word than the name.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::findings::Reported;
use super::load::Inner;
use super::scope::{In, Resolver, is_poison, poison, tree};
use super::{Answer, Check};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Fact, Gives, Kind, Name, is_application_id};
use crate::model::{Deferred, Lookup, Path, Piece, Value};
use crate::yaml::Node;

/// Items of a kind by what people call them.
pub type Index = Rc<HashMap<String, Vec<usize>>>;

/// A name at its place.
struct Written<'n> {
    name: &'n str,
    span: &'n Span,
}

/// Puts what the API wants into the place of names. What is declared becomes a dependency.
pub fn resolve(resolver: &Resolver<'_>, kind: &'static Kind, node: &Node, body: &mut Value) {
    let mut lists: Vec<&str> = kind.names.iter().map(|n| n.list).collect();
    lists.dedup();
    for list in lists {
        let nodes = node.get(list);
        let Some(Value::List(items)) = body.as_map_mut().and_then(|m| m.get_mut(list)) else { continue };
        for (i, item) in items.iter_mut().enumerate() {
            let place = nodes.and_then(|n| n.items().get(i)).unwrap_or(node);
            entry(resolver, kind, list, place, item);
        }
    }
}

/// Whether anything here may have to be looked up by its name.
pub fn may_ask(inner: &Inner) -> bool {
    let asks = |kind: &'static Kind| !kind.names.is_empty();
    inner.prepared.iter().any(|p| asks(p.kind) || p.facets.iter().any(|(facet, ..)| asks(facet.0.kind)))
}

/// Whether a setting is a reference to a principal of this project: `${service_principals.release.application_id}`.
pub fn refers(node: &Node) -> bool {
    let inside = node.text().and_then(|t| t.trim().strip_prefix("${")).map(str::trim_start);
    inside.is_some_and(|t| {
        ["service_principals.", "service_principals[", "users.", "users["].iter().any(|k| t.trim_start_matches("resources.").starts_with(k))
    })
}

/// The environment's deployer as access lists carry it, where something here has one.
pub fn deployer(resolver: &Resolver<'_>) -> Option<Value> {
    let listed = |kind: &'static Kind| kind.names.iter().find(|n| matches!(n.gives, Gives::Field(_)));
    let node = resolver.inner.deployer.as_ref()?;
    let rule =
        resolver.inner.prepared.iter().find_map(|p| listed(p.kind).or_else(|| p.facets.iter().find_map(|(f, ..)| listed(f.0.kind))))?;
    let value = tree(node, &In { resolver, each: None, with_resources: true });
    match &value {
        Value::Text(name) if !name.contains('@') => Some(one(resolver, rule, &Written { name, span: &node.span }).unwrap_or(value)),
        Value::Text(_) | Value::Unknown(_) => Some(value),
        _ => None,
    }
}

/// One entry: the first rule that knows its name decides. A name that none knows stands as it is, and is looked for.
fn entry(resolver: &Resolver<'_>, kind: &'static Kind, list: &str, node: &Node, item: &mut Value) {
    let mut done: Vec<&str> = Vec::new();
    let rules: Vec<&Name> = kind.names.iter().filter(|n| n.list == list).collect();
    for (at, rule) in rules.iter().enumerate() {
        if done.contains(&rule.field) {
            continue;
        }
        let Some(Value::Text(name)) = item.get(rule.field) else { continue };
        let written = Written { name, span: &node.get(rule.field).unwrap_or(node).span };
        let Some(value) = one(resolver, rule, &written) else {
            if !rules[at + 1..].iter().any(|later| later.field == rule.field) {
                let of_field: Vec<&Name> = rules.iter().copied().filter(|n| n.field == rule.field).collect();
                look(resolver, &of_field, &written);
            }
            continue;
        };
        done.push(rule.field);
        let name = name.clone();
        let Some(map) = item.as_map_mut() else { continue };
        match rule.gives {
            Gives::Itself => {}
            Gives::Field(_) | Gives::FieldIfAny(_) => drop(map.insert(rule.field.to_owned(), value)),
            Gives::Id(member) => {
                map.shift_remove(rule.field);
                map.insert(member.to_owned(), value);
                map.insert("display".to_owned(), Value::Text(name));
            }
        }
    }
}

/// What takes the place of a name; none where this rule does not know it.
fn one(resolver: &Resolver<'_>, rule: &Name, written: &Written<'_>) -> Option<Value> {
    let kind = resolver.inner.registry.get(rule.kind)?;
    if let Some(found) = declared(resolver, kind, rule, rule.by, written) {
        let item = match found {
            Ok(item) => item,
            Err(Reported) => return Some(poison()),
        };
        refer(resolver, item);
        return Some(match rule.gives {
            Gives::Itself => Value::text(written.name),
            Gives::Field(field) | Gives::FieldIfAny(field) => {
                resolver.field(item, &Path::field(field), written.span).unwrap_or_else(|Reported| poison())
            }
            Gives::Id(_) => resolver.id(item, written.span).unwrap_or_else(|Reported| poison()),
        });
    }
    match rule.gives {
        Gives::Itself => None,
        Gives::Field(field) | Gives::FieldIfAny(field) if is_application_id(written.name) => {
            let known = declared(resolver, kind, rule, field, written)?.ok()?;
            refer(resolver, known);
            Some(Value::text(written.name))
        }
        Gives::Field(field) => Some(asked(resolver, kind, field, written)),
        Gives::Id(_) => Some(asked(resolver, kind, "id", written)),
        Gives::FieldIfAny(field) => {
            if written.name.contains('@') || written.name.is_empty() || is_common(written.name) {
                return None;
            }
            let lookup = Lookup { kind: kind.name.to_owned(), name: written.name.to_owned() };
            match resolver.answers.get(&lookup) {
                Some(Answer::Found(_) | Answer::Several(_)) => Some(asked(resolver, kind, field, written)),
                Some(Answer::Missing(_)) | None => {
                    resolver.checks.borrow_mut().insert(lookup, Check::Whose);
                    None
                }
            }
        }
    }
}

/// Groups that every workspace or account has: nobody needs to ask whether the name is another's.
const COMMON: &[&str] = &["account users", "users", "admins", "_workspace_users_workspace"];

fn is_common(name: &str) -> bool {
    COMMON.iter().any(|common| common.eq_ignore_ascii_case(name))
}

/// Looks whether anybody is called so, among all that the rules of one field allow. Nobody is a warning, no error: the
/// account may have principals that its workspaces do not list.
fn look(resolver: &Resolver<'_>, rules: &[&Name], written: &Written<'_>) {
    if written.name.is_empty() || is_common(written.name) {
        return;
    }
    let mut near: Vec<&str> = Vec::new();
    let mut sorts: Vec<&'static str> = Vec::new();
    let mut answered = true;
    for rule in rules {
        let Some(kind) = resolver.inner.registry.get(rule.kind).filter(|_| rules.len() == 1 || may_be(rule, written.name)) else {
            continue;
        };
        let lookup = Lookup { kind: kind.name.to_owned(), name: written.name.to_owned() };
        sorts.push(kind.singular);
        match resolver.answers.get(&lookup) {
            Some(Answer::Found(_) | Answer::Several(_)) => return,
            Some(Answer::Missing(names)) => near.extend(names.iter().map(String::as_str)),
            None => {
                answered = false;
                resolver.checks.borrow_mut().entry(lookup).or_insert(Check::Known);
            }
        }
    }
    // The server takes any case.
    if !answered || sorts.is_empty() || near.iter().any(|name| name.eq_ignore_ascii_case(written.name)) {
        return;
    }
    let found = Diagnostic::warning("W0131", format!("the workspace knows no {} called `{}`", sorts.join(" or "), written.name))
        .at(written.span, "named here");
    let nearest = suggest::nearest(written.name, near.iter().copied()).or(near.first().copied());
    let found = match nearest {
        Some(near) if super::findings::span_text(written.span) == written.name => {
            found.help(format!("did you mean `{near}`?")).patch(written.span, near)
        }
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found,
    };
    resolver.report(
        found.help("where only the account knows the name it may be right; otherwise the server refuses the list when it is applied"),
    );
}

/// Whether a principal of the rule's kind can be called so, where one field takes several sorts.
fn may_be(rule: &Name, name: &str) -> bool {
    match (name.contains('@'), is_application_id(name)) {
        (true, _) => rule.kind == "users",
        (false, true) => rule.kind == "service_principals",
        (false, false) => rule.kind != "users",
    }
}

fn refer(resolver: &Resolver<'_>, item: usize) {
    if let Some(top) = resolver.refers.borrow_mut().last_mut() {
        top.insert(item);
    }
}

/// The resource of this project that has this name; several are an error.
fn declared(
    resolver: &Resolver<'_>,
    kind: &'static Kind,
    rule: &Name,
    by: &'static str,
    written: &Written<'_>,
) -> Option<Result<usize, Reported>> {
    let index = index(resolver, kind, by);
    let found = index.get(&folded(kind, by, written.name))?;
    let [item] = found.as_slice() else {
        let field = match rule.gives {
            Gives::Itself => by,
            Gives::Field(field) | Gives::FieldIfAny(field) => field,
            Gives::Id(_) => "id",
        };
        let names: Vec<String> = found.iter().map(|item| format!("`${{{}.{field}}}`", resolver.items[*item].address)).collect();
        let wrong = Diagnostic::error("E0211", format!("{} {} of this project are called `{}`", found.len(), kind.name, written.name))
            .at(written.span, "")
            .help(format!("write which one: {}", names.join(" or ")));
        return Some(resolver.refuse(wrong));
    };
    Some(Ok(*item))
}

/// A name as the server compares it.
fn folded(kind: &Kind, by: &str, name: &str) -> String {
    let blind = kind.facts.iter().any(|(at, fact)| *at == by && matches!(fact, Fact::CaseBlind));
    if blind { name.to_lowercase() } else { name.to_owned() }
}

/// The items of a kind by a field that YAML sets; those of which it is not known are left out.
fn index(resolver: &Resolver<'_>, kind: &'static Kind, by: &'static str) -> Index {
    if let Some(known) = resolver.named.borrow().get(&(kind.name, by)) {
        return Rc::clone(known);
    }
    let mut made: HashMap<String, Vec<usize>> = HashMap::new();
    for (item, of) in resolver.items.iter().enumerate() {
        if of.address.kind != kind.name || of.off.is_some() || resolver.prepared(item).body.get(by).is_none() {
            continue;
        }
        let span = &resolver.prepared(item).span;
        if let Ok(Value::Text(name)) = resolver.field(item, &Path::field(by), span) {
            made.entry(folded(kind, by, &name)).or_default().push(item);
        }
    }
    let made = Rc::new(made);
    resolver.named.borrow_mut().insert((kind.name, by), Rc::clone(&made));
    made
}

/// A field of the object that the workspace knows by this name; it waits while nobody answered.
fn asked(resolver: &Resolver<'_>, kind: &'static Kind, field: &str, written: &Written<'_>) -> Value {
    let Ok(object) = resolver.lookup_for(kind.name, written.name.to_owned(), field, written.span, written.span) else { return poison() };
    match object {
        Value::Unknown(deferred) if !is_poison(&Value::Unknown(Arc::clone(&deferred))) => {
            let pieces = vec![Piece::Expression(format!("__0.{field}"))];
            Value::Unknown(Arc::new(Deferred { pieces, ..Deferred::clone(&deferred) }))
        }
        known => known.get(field).cloned().unwrap_or_else(poison),
    }
}
