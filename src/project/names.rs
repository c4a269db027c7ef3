//! Names of principals in lists: those that this project declares become references, others are looked up where the API wants
//! another word than the name.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::Answer;
use super::findings::Reported;
use super::load::Inner;
use super::scope::{In, Resolver, is_poison, poison, tree};
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Fact, Gives, Kind, Name};
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
    let asks = |kind: &'static Kind| kind.names.iter().any(|n| n.gives != Gives::Itself);
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

/// One entry: the first rule that knows its name decides.
fn entry(resolver: &Resolver<'_>, kind: &'static Kind, list: &str, node: &Node, item: &mut Value) {
    let mut done: Vec<&str> = Vec::new();
    for rule in kind.names.iter().filter(|n| n.list == list) {
        if done.contains(&rule.field) {
            continue;
        }
        let Some(Value::Text(name)) = item.get(rule.field) else { continue };
        let written = Written { name, span: &node.get(rule.field).unwrap_or(node).span };
        let Some(value) = one(resolver, rule, &written) else { continue };
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
            if written.name.contains('@') || written.name.is_empty() || COMMON.contains(&written.name) {
                return None;
            }
            let lookup = Lookup { kind: kind.name.to_owned(), name: written.name.to_owned() };
            match resolver.answers.get(&lookup) {
                Some(Answer::Found(_) | Answer::Several(_)) => Some(asked(resolver, kind, field, written)),
                Some(Answer::Missing(_)) | None => {
                    resolver.lookups.borrow_mut().push((lookup, written.span.clone()));
                    None
                }
            }
        }
    }
}

/// Groups that every workspace or account has: nobody needs to ask whether the name is another's.
const COMMON: &[&str] = &["account users", "users", "admins", "_workspace_users_workspace"];

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

/// Whether a name is an application id already.
pub fn is_application_id(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    parts.len() == 5
        && [8, 4, 4, 4, 12].iter().zip(&parts).all(|(length, part)| part.len() == *length && part.bytes().all(|b| b.is_ascii_hexdigit()))
}
