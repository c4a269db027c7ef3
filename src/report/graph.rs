//! A dependency graph as a tree for people, as JSON, and as diagrams (Mermaid, Graphviz).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::style::{Label, Paint, columns, pad};
use super::text::plural;
use crate::model::Address;

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.graph/1";

/// What depends on what.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Everything, facets included, with what a person calls it.
    pub nodes: BTreeMap<Address, String>,
    /// From what needs to what is needed, sorted.
    pub edges: Vec<Edge>,
}

/// One needs another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// What needs.
    pub from: Address,
    /// What is needed.
    pub to: Address,
    /// Why, in a few words: `${warehouses.bi.id}`, `depends_on`.
    pub why: String,
    /// Where that stands: `conf/jobs.yaml:7`.
    pub place: String,
}

impl Graph {
    /// Parts drawn as one with the object that they belong to.
    fn folded(&self) -> BTreeMap<Address, BTreeSet<Address>> {
        let mut needs: BTreeMap<Address, BTreeSet<Address>> = self.nodes.keys().map(|a| (a.parent(), BTreeSet::new())).collect();
        for edge in &self.edges {
            let (from, to) = (edge.from.parent(), edge.to.parent());
            if from != to {
                needs.entry(from).or_default().insert(to);
            }
        }
        needs
    }

    /// The parts of an object: `permissions`.
    fn parts(&self, address: &Address) -> Vec<&str> {
        self.nodes.keys().filter(|a| a.is_facet() && a.parent() == *address).filter_map(|a| a.facet.as_deref()).collect()
    }

    fn label(&self, address: &Address) -> String {
        let parts = self.parts(address);
        if parts.is_empty() { address.to_string() } else { format!("{address} (+ {})", parts.join(", ")) }
    }

    /// An address with everything around it: what it needs, and what needs it.
    #[must_use]
    pub fn around(&self, address: &Address) -> Self {
        let touches = |e: &&Edge| [&e.from, &e.to].into_iter().any(|a| a == address || (a.parent() == *address && !address.is_facet()));
        let edges: Vec<Edge> = self.edges.iter().filter(touches).cloned().collect();
        let mut kept: BTreeSet<&Address> = edges.iter().flat_map(|e| [&e.from, &e.to]).collect();
        kept.extend(self.nodes.keys().filter(|a| *a == address || a.parent() == *address && !address.is_facet()));
        let nodes = self.nodes.iter().filter(|(a, _)| kept.contains(a)).map(|(a, n)| (a.clone(), n.clone())).collect();
        Self { nodes, edges }
    }
}

/// A tree: what nothing needs stands at the left, below each what it needs.
#[must_use]
pub fn text(graph: &Graph, paint: Paint) -> String {
    let needs = graph.folded();
    let needed: BTreeSet<&Address> = needs.values().flatten().collect();
    let count: usize = needs.values().map(BTreeSet::len).sum();
    let mut out = format!(
        "{}, {}; below each what it needs\n",
        plural(needs.len() as u64, "resource", "resources"),
        plural(count as u64, "dependency", "dependencies")
    );
    let mut drawn = BTreeSet::new();
    let (alone, roots): (Vec<&Address>, Vec<&Address>) =
        needs.keys().filter(|a| !needed.contains(a)).partition(|a| needs.get(a).is_some_and(BTreeSet::is_empty));
    for root in roots {
        out.push('\n');
        out.push_str(&paint.label(Label::Heading, &graph.label(root)));
        out.push('\n');
        drawn.insert(root.clone());
        branches(graph, &needs, root, "", &mut drawn, &mut out, paint);
    }
    if !alone.is_empty() {
        out.push_str("\nneeds nothing, and nothing needs it:\n");
        for address in alone {
            out.push_str(&format!("  {}\n", graph.label(address)));
        }
    }
    out
}

fn branches(
    graph: &Graph,
    needs: &BTreeMap<Address, BTreeSet<Address>>,
    of: &Address,
    indent: &str,
    drawn: &mut BTreeSet<Address>,
    out: &mut String,
    paint: Paint,
) {
    let Some(below) = needs.get(of) else { return };
    for (i, address) in below.iter().enumerate() {
        let last = i + 1 == below.len();
        let has_more = needs.get(address).is_some_and(|n| !n.is_empty());
        let again = !drawn.insert(address.clone()) && has_more;
        out.push_str(&format!("{indent}{} {}", if last { "└─" } else { "├─" }, graph.label(address)));
        if again {
            out.push_str(&paint.label(Label::Dim, "  (above)"));
        }
        out.push('\n');
        if !again {
            branches(graph, needs, address, &format!("{indent}{}", if last { "   " } else { "│  " }), drawn, out, paint);
        }
    }
}

/// One address with its neighbours, and why.
#[must_use]
pub fn neighbours(graph: &Graph, address: &Address, paint: Paint) -> String {
    let name = graph.nodes.get(address).map(String::as_str).unwrap_or_default();
    let mut out = paint.label(Label::Heading, &address.to_string());
    if !name.is_empty() {
        out.push_str(&format!("  \"{name}\""));
    }
    out.push('\n');
    let own = |a: &Address| a == address || (!address.is_facet() && a.parent() == *address);
    let (needs, needed): (Vec<&Edge>, Vec<&Edge>) = graph.edges.iter().filter(|e| own(&e.from) != own(&e.to)).partition(|e| own(&e.from));
    section("needs", &needs, |e| &e.to, |e| (e.from != *address).then(|| e.from.facet.clone()).flatten(), &mut out, paint);
    section("is needed by", &needed, |e| &e.from, |_| None, &mut out, paint);
    let parts = graph.parts(address);
    if !parts.is_empty() {
        out.push_str(&format!("\nparts: {}\n", parts.join(", ")));
    }
    out
}

fn section(
    title: &str,
    edges: &[&Edge],
    other: impl Fn(&Edge) -> &Address,
    part: impl Fn(&Edge) -> Option<String>,
    out: &mut String,
    paint: Paint,
) {
    if edges.is_empty() {
        out.push_str(&format!("\n{title}: nothing\n"));
        return;
    }
    out.push_str(&format!("\n{title}:\n"));
    let wide = edges.iter().map(|e| columns(&other(e).to_string())).max().unwrap_or(0);
    let why_wide = edges.iter().map(|e| columns(&e.why)).max().unwrap_or(0).min(48);
    for edge in edges {
        let through = part(edge).map(|p| format!(" (its {p})")).unwrap_or_default();
        out.push_str(&format!(
            "  {}  {}  {}{through}\n",
            pad(&other(edge).to_string(), wide),
            pad(&edge.why, why_wide),
            paint.label(Label::Dim, &edge.place)
        ));
    }
}

/// For programs: every node, parts included, and every edge with its reason.
#[must_use]
pub fn json(environment: &str, graph: &Graph) -> String {
    let nodes: Vec<_> = graph.nodes.iter().map(|(a, n)| json!({ "address": a, "kind": a.kind, "name": n })).collect();
    let edges: Vec<_> = graph.edges.iter().map(|e| json!({ "from": e.from, "to": e.to, "why": e.why, "place": e.place })).collect();
    format!("{:#}\n", json!({ "format": FORMAT, "environment": environment, "nodes": nodes, "edges": edges }))
}

/// A Mermaid flowchart.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let needs = graph.folded();
    let ids: BTreeMap<&Address, String> = needs.keys().enumerate().map(|(i, a)| (a, format!("n{i}"))).collect();
    let mut out = String::from("flowchart LR\n");
    for (address, id) in &ids {
        out.push_str(&format!("  {id}[\"{}\"]\n", graph.label(address).replace('"', "#quot;")));
    }
    for (from, below) in &needs {
        for to in below {
            if let (Some(from), Some(to)) = (ids.get(from), ids.get(to)) {
                out.push_str(&format!("  {from} --> {to}\n"));
            }
        }
    }
    out
}

/// A Graphviz digraph.
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph brickform {\n  rankdir = LR;\n  node [shape = box];\n");
    let needs = graph.folded();
    for address in needs.keys() {
        out.push_str(&format!("  {} [label = {}];\n", quoted(&address.to_string()), quoted(&graph.label(address))));
    }
    for (from, below) in &needs {
        for to in below {
            out.push_str(&format!("  {} -> {};\n", quoted(&from.to_string()), quoted(&to.to_string())));
        }
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::{Edge, Graph, dot, json, mermaid, neighbours, text};
    use crate::report::style::Paint;

    const PLAIN: Paint = Paint { colour: false };

    fn graph() -> Graph {
        let nodes = ["jobs.a", "jobs.a/permissions", "jobs.b", r#"jobs.c["e u"]"#, "warehouses.bi", "queries.q", "catalogs.x"];
        let edges = [
            ("jobs.a", "queries.q", "${queries.q.id}"),
            ("jobs.a/permissions", "jobs.a", "a part of it"),
            ("jobs.b", "queries.q", "depends_on"),
            ("jobs.b", "warehouses.bi", "${warehouses.bi.id}"),
            (r#"jobs.c["e u"]"#, "warehouses.bi", "warehouse_id"),
            ("queries.q", "warehouses.bi", "${warehouses.bi.id}"),
        ];
        Graph {
            nodes: nodes.iter().map(|a| (a.parse().unwrap(), String::new())).collect(),
            edges: edges
                .iter()
                .map(|(from, to, why)| Edge {
                    from: from.parse().unwrap(),
                    to: to.parse().unwrap(),
                    why: (*why).to_owned(),
                    place: "conf/x.yaml:1".to_owned(),
                })
                .collect(),
        }
    }

    #[test]
    fn as_a_tree() {
        insta::assert_snapshot!(text(&graph(), PLAIN));
    }

    #[test]
    fn as_neighbours() {
        let address = "queries.q".parse().unwrap();
        insta::assert_snapshot!(neighbours(&graph(), &address, PLAIN));
        let around = graph().around(&address);
        assert_eq!(around.nodes.keys().map(ToString::to_string).collect::<Vec<_>>(), ["jobs.a", "jobs.b", "queries.q", "warehouses.bi"]);
    }

    #[test]
    fn as_diagrams() {
        insta::assert_snapshot!(format!("{}{}", mermaid(&graph()), dot(&graph())));
    }

    #[test]
    fn every_edge_is_in_the_json() {
        let value: serde_json::Value = serde_json::from_str(&json("dev", &graph())).unwrap();
        assert_eq!(value["edges"].as_array().unwrap().len(), 6);
        assert_eq!(value["nodes"].as_array().unwrap().len(), 7);
    }
}
