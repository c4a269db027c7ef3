//! Meta fields of a resource, which are never sent: `lifecycle`, `depends_on`, `when`, `for_each`, and its facets.

use std::sync::Arc;

use super::collect::Raw;
use super::findings::{Findings, Reported, known_keys, list_of, meant};
use super::{FromPreset, Lifecycle};
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Facet, Kind, Registry, Schema};
use crate::model::{Address, Path, Value};
use crate::yaml::{Data, Entry, Node};

/// A resource with its meta fields taken apart.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its key.
    pub key: String,
    /// Where the key stands.
    pub span: Span,
    /// Its body without meta fields.
    pub body: Arc<Node>,
    /// Fields that presets set.
    pub presets: Vec<FromPreset>,
    /// `lifecycle`.
    pub lifecycle: Option<Node>,
    /// `depends_on`.
    pub depends_on: Vec<(Address, Span)>,
    /// `when`.
    pub when: Option<Node>,
    /// `for_each`.
    pub for_each: Option<Node>,
    /// Facets that are written.
    pub facets: Vec<(FacetOf, Span, Node)>,
}

/// A facet by reference, printable.
#[derive(Clone, Copy)]
pub struct FacetOf(pub &'static Facet);

impl std::fmt::Debug for FacetOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

const META: &[&str] = &["lifecycle", "depends_on", "when", "for_each"];

/// Whether a member of a body is ours and never sent.
pub fn is_meta(kind: &Kind, name: &str) -> bool {
    META.contains(&name) || kind.facets.iter().any(|f| f.name == name)
}

/// Takes the meta fields out.
pub fn prepare(raw: Raw, registry: &Registry, findings: &mut Findings) -> Prepared {
    let Raw { kind, key, span, mut node } = raw;
    let mut made = Prepared {
        kind,
        key,
        span,
        body: Arc::new(Node { span: node.span.clone(), data: Data::Map(Vec::new()) }),
        presets: Vec::new(),
        lifecycle: None,
        depends_on: Vec::new(),
        when: None,
        for_each: None,
        facets: Vec::new(),
    };
    if let Data::Map(entries) = &mut node.data
        && entries.iter().any(|e| is_meta(kind, &e.key) || e.key == "permissions" || e.key == "grants")
    {
        let all = std::mem::take(entries);
        for entry in all {
            if let Some(rest) = take(entry, &mut made, registry, findings) {
                entries.push(rest);
            }
        }
    }
    made.body = Arc::new(node);
    made
}

/// Keeps a meta field; gives back what is none.
fn take(entry: Entry, made: &mut Prepared, registry: &Registry, findings: &mut Findings) -> Option<Entry> {
    let kind = made.kind;
    if let Some(facet) = kind.facets.iter().find(|f| f.name == entry.key) {
        made.facets.push((FacetOf(facet), entry.key_span, entry.value));
        return None;
    }
    match entry.key.as_str() {
        "lifecycle" => made.lifecycle = Some(entry.value).filter(|n| !n.is_null()),
        "when" => made.when = Some(entry.value),
        "for_each" => made.for_each = Some(entry.value),
        "depends_on" => made.depends_on = addresses(&entry.value, registry, findings),
        "permissions" | "grants" if Schema::of(kind).root().field(&entry.key).is_none() => {
            let takes: Vec<&str> = kind.facets.iter().map(|f| f.name).collect();
            let found = Diagnostic::error("E0126", format!("{} takes no `{}`", kind.one(), entry.key)).at(&entry.key_span, "");
            findings.add(if takes.is_empty() { found } else { found.help(format!("it takes {}", list_of(&takes))) });
        }
        _ => return Some(entry),
    }
    None
}

/// A list of addresses, aliases of kinds and bundles' `resources.` understood.
pub fn addresses(node: &Node, registry: &Registry, findings: &mut Findings) -> Vec<(Address, Span)> {
    let slips = crate::yaml::slips::dashes(node);
    if !slips.is_empty() {
        for slip in slips {
            findings.add(slip);
        }
        return Vec::new();
    }
    let items = match &node.data {
        Data::List(items) => items.as_slice(),
        Data::Scalar(_) if !node.is_null() => std::slice::from_ref(node),
        Data::Scalar(_) => return Vec::new(),
        Data::Map(_) => {
            findings.add(Diagnostic::error("E0118", "a list of addresses is wanted, not a map").at(&node.span, ""));
            return Vec::new();
        }
    };
    items.iter().filter_map(|item| address(item, registry, findings).map(|a| (a, item.span.clone()))).collect()
}

/// One address.
pub fn address(node: &Node, registry: &Registry, findings: &mut Findings) -> Option<Address> {
    let Some(text) = node.text() else {
        findings.add(Diagnostic::error("E0118", format!("an address is wanted, not {}", node.sort())).at(&node.span, "write `kind.key`"));
        return None;
    };
    let plain = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).unwrap_or(text).trim();
    let plain = plain.strip_prefix("resources.").unwrap_or(plain);
    match plain.parse::<Address>() {
        Ok(mut address) => {
            let Some(kind) = registry.get(&address.kind) else {
                let found = Diagnostic::error("E0118", format!("`{}` is not a kind of resource", address.kind)).at(&node.span, "");
                findings.add(meant(found, &address.kind, registry.iter().map(|k| k.name), &node.span));
                return None;
            };
            kind.name.clone_into(&mut address.kind);
            Some(address)
        }
        Err(error) => {
            findings.add(Diagnostic::error("E0118", error.to_string()).at(&node.span, ""));
            None
        }
    }
}

const LIFECYCLE: &[&str] =
    &["prevent_destroy", "ignore_changes", "create_before_destroy", "adopt", "allow_duplicate_name", "exclusive", "wait", "merge"];

/// Reads `lifecycle:`; `evaluate` gives the value of a scalar.
pub fn lifecycle(node: &Node, evaluate: &dyn Fn(&Node) -> Result<Value, Reported>, findings: &mut Findings) -> Lifecycle {
    let mut lifecycle = Lifecycle::default();
    if !matches!(node.data, Data::Map(_)) {
        findings.add(Diagnostic::error("E0118", format!("`lifecycle` is a map, not {}", node.sort())).at(&node.span, ""));
        return lifecycle;
    }
    known_keys(node, LIFECYCLE, "`lifecycle`", "E0118", findings);
    for entry in node.entries() {
        let mut flag = || flag(entry, evaluate, findings);
        match entry.key.as_str() {
            "prevent_destroy" => lifecycle.prevent_destroy = flag(),
            "create_before_destroy" => lifecycle.create_before_destroy = flag().unwrap_or_default(),
            "allow_duplicate_name" => lifecycle.allow_duplicate_name = flag().unwrap_or_default(),
            "exclusive" => lifecycle.exclusive = flag().unwrap_or_default(),
            "merge" => lifecycle.merge = flag().unwrap_or_default(),
            "adopt" => match entry.value.text() {
                Some("by_name") => lifecycle.adopt_by_name = true,
                Some("never" | "false") => lifecycle.adopt_by_name = false,
                _ => findings.add(one_of(entry, "`by_name` or `never`")),
            },
            "wait" => match entry.value.text() {
                Some("running") => lifecycle.wait = true,
                Some("accepted" | "false") => lifecycle.wait = false,
                _ => findings.add(one_of(entry, "`running` or `accepted`")),
            },
            "ignore_changes" => lifecycle.ignore_changes = paths(&entry.value, findings),
            _ => {}
        }
    }
    if let (true, true, Some(merge)) = (lifecycle.exclusive, lifecycle.merge, node.entry("merge")) {
        let found = Diagnostic::error("E0118", "`lifecycle.merge` and `lifecycle.exclusive` contradict each other");
        let help = "`exclusive` removes what others set, `merge` keeps it: write one of them";
        findings.add(found.at(&merge.key_span, "").help(help));
    }
    lifecycle
}

fn one_of(entry: &Entry, wants: &str) -> Diagnostic {
    Diagnostic::error("E0118", format!("`lifecycle.{}` is {wants}", entry.key)).at(&entry.value.span, "")
}

fn flag(entry: &Entry, evaluate: &dyn Fn(&Node) -> Result<Value, Reported>, findings: &mut Findings) -> Option<bool> {
    let value = evaluate(&entry.value).ok()?;
    if value.as_bool().is_none() {
        findings.add(
            Diagnostic::error("E0118", format!("`lifecycle.{}` must be true or false, not {}", entry.key, value.sort()))
                .at(&entry.value.span, ""),
        );
    }
    value.as_bool()
}

fn paths(node: &Node, findings: &mut Findings) -> Vec<Path> {
    let mut found = Vec::new();
    let items = if matches!(node.data, Data::List(_)) { node.items() } else { std::slice::from_ref(node) };
    for item in items {
        match item.text().map(str::parse::<Path>) {
            Some(Ok(path)) => found.push(path),
            Some(Err(error)) => findings.add(Diagnostic::error("E0118", error.to_string()).at(&item.span, "")),
            None => findings.add(Diagnostic::error("E0118", format!("a path is wanted, not {}", item.sort())).at(&item.span, "")),
        }
    }
    found
}
