//! Resolving: every resource evaluated, checked and tied to what it depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use indexmap::IndexMap;

use super::body::Computed;
use super::findings::{Findings, sorted};
use super::items::expand;
use super::load::Inner;
use super::making::resource;
use super::same::{explicit, managed_lookups, same_object};
use super::scope::Resolver;
use super::{Answers, Check, Desired, Resource, graph, implied, names, targets};
use crate::diagnostic::Diagnostic;
use crate::model::{Address, Lookup, Value};

/// See [`super::Project::resolve`].
pub fn resolve(inner: &Inner, answers: &Answers, earlier: &[Diagnostic]) -> Result<Desired, Vec<Diagnostic>> {
    resolve_made(inner, answers, earlier, everything(inner, answers, None))
}

/// The same of what was evaluated already with the same answers.
pub fn resolve_made(inner: &Inner, answers: &Answers, earlier: &[Diagnostic], made: Made) -> Result<Desired, Vec<Diagnostic>> {
    let Made { mut resources, off, mut findings, files, sources, deployer } = made;
    implied::folders_above(&mut resources, &inner.registry);
    graph::literals(&mut resources, &inner.registry);
    explicit(inner, &mut resources, &mut findings);
    same_object(&resources, &mut findings);
    graph::nesting(&resources, &mut findings);
    if !findings.any_error() {
        graph::cycles(&resources, &mut findings);
    }
    if inner.incomplete {
        // What an overlay seems to lack may stand in the file that could not be read.
        let in_overlay = |d: &Diagnostic| d.labels.first().is_some_and(|l| inner.environment_files.contains(&l.span.source.name));
        findings.retain(|d| d.code != "E0106" || !in_overlay(d));
    }
    let targets = targets::read(inner, answers, &resources, &mut findings);
    let failed = findings.any_error() || inner.strict && findings.any();
    let mut all = findings.sorted(inner.strict);
    all.extend(earlier.iter().cloned());
    let all = sorted(all, inner.strict);
    if failed {
        return Err(all);
    }
    Ok(Desired {
        resources,
        imports: targets.imports,
        moves: targets.moves,
        forgets: targets.forgets,
        off,
        files,
        sources,
        deployer,
        warnings: all,
    })
}

/// Every question that resolving asks; what is wrong is said later.
#[derive(Debug, Default)]
pub struct Questions {
    /// Those whose answers are needed, each once.
    pub lookups: Vec<Lookup>,
    /// Names that stand as they are, and may be nobody's.
    pub checks: BTreeMap<Lookup, Check>,
}

/// What was evaluated without an answer while questions were looked for. Whoever resolves without one takes it from here: it is
/// not made again.
pub struct Unanswered {
    made: Mutex<Option<Made>>,
    apis: Vec<(&'static str, &'static str)>,
}

impl Unanswered {
    /// What was made, once, as long as the same is chosen among the APIs of kinds.
    pub fn take(&self, inner: &Inner) -> Option<Made> {
        let is_same = inner.registry.apis() == self.apis;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).take().filter(|_| is_same)
    }
}

/// Every question that resolving asks.
pub fn questions(inner: &Inner) -> (Questions, Unanswered) {
    let answers = Answers::new();
    let mut asked = Questions::default();
    let apis = inner.registry.apis();
    let made = everything(inner, &answers, Some(&mut asked));
    asked.lookups.sort();
    asked.lookups.dedup();
    (asked, Unanswered { made: Mutex::new(Some(made)), apis })
}

/// The values of all variables with the places they come from; those that fail are left out.
pub fn variables(inner: &Inner) -> IndexMap<String, (Value, String)> {
    let answers = Answers::new();
    let mut resolver = Resolver::new(inner, &answers);
    resolver.before_resources = false;
    expand(&mut resolver);
    let mut all = IndexMap::new();
    for (name, defined) in &inner.variables {
        let Some(given) = &defined.given else { continue };
        if let Ok(value) = resolver.variable(name, defined, &given.span()) {
            all.insert(name.clone(), (value, given.origin()));
        }
    }
    all
}

/// A resolver whose variables are evaluated and whose items are there.
pub fn ready<'a>(inner: &'a Inner, answers: &'a Answers) -> Resolver<'a> {
    let mut resolver = Resolver::new(inner, answers);
    resolver.before_resources = false;
    expand(&mut resolver);
    for (name, defined) in &inner.variables {
        let span =
            defined.given.as_ref().map(super::variables::Given::span).or_else(|| defined.declaration.as_ref().map(|d| d.span.clone()));
        if let Some(span) = span {
            let _ = resolver.variable(name, defined, &span); // an error has been reported
        }
    }
    resolver
}

/// Everything evaluated and checked, each by itself.
pub struct Made {
    resources: BTreeMap<Address, Resource>,
    off: BTreeSet<Address>,
    findings: Findings,
    files: super::scope::Files,
    sources: BTreeMap<Address, String>,
    deployer: Option<Value>,
}

/// Evaluates and checks everything, each by itself.
fn everything(inner: &Inner, answers: &Answers, asked: Option<&mut Questions>) -> Made {
    let resolver = ready(inner, answers);
    let mut resources = BTreeMap::new();
    let mut off = BTreeSet::new();
    let mut computed = Computed::new();
    for item in 0..resolver.items.len() {
        if resolver.items[item].off.is_some() {
            off.insert(resolver.items[item].address.clone());
        } else {
            resource(&resolver, item, &mut resources, &mut computed);
        }
    }
    let mut of_outputs = Findings::default();
    super::outputs::all(&resolver, &mut of_outputs);
    let deployer = names::deployer(&resolver);
    let lookups = std::mem::take(&mut *resolver.lookups.borrow_mut());
    let mut checks = resolver.checks.take();
    let mut findings = resolver.findings.take();
    findings.absorb(of_outputs);
    managed_lookups(&lookups, &resources, &mut findings);
    for ((code, _), (span, names)) in computed {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let what = if code == "W0129" { "fields that the API does not have" } else { "fields that only the workspace fills" };
        let message = format!("{what} are left out: {}", super::findings::list_of(&names));
        findings.add(Diagnostic::warning(code, message).at(&span, "the first of this file"));
    }
    if let Some(asked) = asked {
        asked.lookups.extend(lookups.into_iter().map(|(lookup, _)| lookup));
        asked.checks.append(&mut checks);
    }
    let (files, sources) = (resolver.files.take(), resolver.sources.take());
    // Made at once, its nodes are full.
    Made { resources: resources.into_iter().collect(), off, findings, files, sources, deployer }
}

impl Findings {
    /// Takes over the diagnostics of another.
    pub fn absorb(&mut self, other: Self) {
        self.usage |= other.usage;
        self.extend(other.sorted(false));
    }
}
