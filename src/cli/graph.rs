//! `brickform graph [ADDRESS]`: what depends on what, and why. Makes no calls.

use clap::Args;

use super::naming;
use super::planning::address;
use super::session::Session;
use super::{Exit, Failure, Form, Run};
use crate::project::{Answers, Desired, Project, Why};
use crate::report::graph::{self, Edge, Graph};
use crate::report::style::Paint;

/// Arguments of `graph`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform graph\n  brickform graph jobs.nightly\n  brickform graph -o mermaid > graph.mmd\n  brickform graph -o dot | dot -Tsvg > graph.svg"
)]
pub struct Arguments {
    /// Only this resource: what it needs, and what needs it
    #[arg(value_name = "ADDRESS")]
    address: Option<String>,
}

/// Draws the graph of the environment, lookups unanswered.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let desired = session.project.resolve(&Answers::new()).map_err(Failure::mistakes)?;
    let whole = made(&session.project, &desired);
    let paint = Paint { colour: run.screen.out_colour };
    let only = match &arguments.address {
        None => None,
        Some(text) => {
            let address = address(text, &session.registry)?;
            if !whole.nodes.contains_key(&address) {
                let place = format!("the YAML of {}", session.environment());
                return Err(naming::unknown(&address, &place, whole.nodes.keys()));
            }
            Some(address)
        }
    };
    let shown = only.as_ref().map_or_else(|| whole.clone(), |address| whole.around(address));
    run.screen.result(&match (run.screen.form, &only) {
        (Form::Json, _) => graph::json(session.environment(), &shown),
        (Form::Mermaid, _) => graph::mermaid(&shown),
        (Form::Dot, _) => graph::dot(&shown),
        (_, Some(address)) => graph::neighbours(&whole, address, paint),
        (_, None) => graph::text(&shown, paint),
    });
    Ok(Exit::Done)
}

/// The graph of everything desired.
pub fn made(project: &Project, desired: &Desired) -> Graph {
    let nodes =
        desired.resources.iter().map(|(a, r)| (a.clone(), if a.is_facet() { String::new() } else { r.natural.join(".") })).collect();
    let mut edges: Vec<Edge> = vec![];
    for resource in desired.resources.values() {
        for reason in project.reasons(desired, resource) {
            let edge = Edge { from: resource.address.clone(), to: reason.on, why: why(&reason.why), place: reason.span.cite() };
            if !edges.contains(&edge) && desired.resources.contains_key(&edge.to) {
                edges.push(edge);
            }
        }
    }
    edges.sort();
    Graph { nodes, edges }
}

/// A reason in a few words.
pub fn why(why: &Why) -> String {
    match why {
        Why::Reference(text) => text.clone(),
        Why::Literal(field) => format!("`{field}` is its name"),
        Why::Explicit => "depends_on".to_owned(),
        Why::Part => "it is a part of it".to_owned(),
        Why::Indirect => "through a variable or `for_each`".to_owned(),
    }
}
