//! What names in expressions stand for: variables, the environment, resources, calls.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::expression::{self, Found, Function, Mention, Names, Part, Place, Scope};
use super::findings::{Findings, Reported};
use super::load::Inner;
use super::meta::Prepared;
use super::{Answers, Check, files};
use crate::diagnostic::{Diagnostic, Source, Span, suggest};
use crate::model::{Address, Deferred, Fingerprint, Lookup, Map, Path, Piece, SecretFrom, SecretSource, Value, Variable};
use crate::yaml::{Data, Entry, Node};

/// Files that the configuration reads, by their path in the project.
pub type Files = BTreeMap<String, Fingerprint>;

/// How deep references may lead from one to the next.
const DEEPEST: usize = 150;

/// One resource or one instance of a `for_each`.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its place in `Inner::prepared`.
    pub of: usize,
    /// Its address.
    pub address: Address,
    /// `each.key` and `each.value`.
    pub each: Option<Value>,
    /// Where `when` is false.
    pub off: Option<Span>,
}

/// A value in the making or made.
#[derive(Debug, Clone)]
pub enum Memo {
    /// Being evaluated: meeting it again is a cycle.
    Open,
    /// Done, with the items it refers to.
    Done(Result<Value, Reported>, BTreeSet<usize>),
}

/// What is being evaluated, for the message about a cycle.
pub struct Frame {
    /// `jobs.a.name`, `var.x`.
    pub what: String,
    /// The place that refers to it.
    pub span: Span,
}

/// Evaluates values of a loaded project.
pub struct Resolver<'a> {
    /// The project.
    pub inner: &'a Inner,
    /// What the workspace answered.
    pub answers: &'a Answers,
    /// All items; filled by the driver.
    pub items: Vec<Item>,
    /// Places in `items` by place in `prepared` and instance.
    pub places: HashMap<(usize, Option<String>), usize>,
    /// What is wrong.
    pub findings: RefCell<Findings>,
    /// Questions to the workspace, with the places that ask.
    pub lookups: RefCell<Vec<(Lookup, Span)>>,
    /// Names that stand as they are, to be looked for: nothing waits for the answer.
    pub checks: RefCell<BTreeMap<Lookup, Check>>,
    /// Items referred to, a set for each evaluation in progress.
    pub refers: RefCell<Vec<BTreeSet<usize>>>,
    /// Fields of items.
    pub fields: RefCell<HashMap<(usize, Path), Memo>>,
    /// Variables, and `env.host`.
    pub variables: RefCell<HashMap<String, Memo>>,
    /// Items by kind, field and what people call them there.
    pub named: RefCell<HashMap<(&'static str, &'static str), super::names::Index>>,
    /// Files that were read.
    pub files: RefCell<Files>,
    /// Files that are the content of a resource, as `source:` names them.
    pub sources: RefCell<BTreeMap<Address, String>>,
    stack: RefCell<Vec<Frame>>,
    /// While `for_each` is being expanded, resources that have one cannot be asked.
    pub expanding: Cell<bool>,
    /// Settings, templates and presets are evaluated while no resource is at hand: nothing can refer to one, through a
    /// variable neither.
    pub before_resources: bool,
}

impl<'a> Resolver<'a> {
    /// A resolver without items.
    pub fn new(inner: &'a Inner, answers: &'a Answers) -> Self {
        Self {
            inner,
            answers,
            items: Vec::new(),
            places: HashMap::new(),
            findings: RefCell::default(),
            lookups: RefCell::default(),
            checks: RefCell::default(),
            refers: RefCell::new(vec![BTreeSet::new()]),
            fields: RefCell::default(),
            variables: RefCell::default(),
            named: RefCell::default(),
            files: RefCell::new(inner.opened.clone()),
            sources: RefCell::default(),
            stack: RefCell::default(),
            expanding: Cell::new(false),
            before_resources: true,
        }
    }

    /// Keeps a diagnostic.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.findings.borrow_mut().add(diagnostic);
    }

    /// Keeps a diagnostic and fails.
    pub fn refuse<T>(&self, diagnostic: Diagnostic) -> Result<T, Reported> {
        self.report(diagnostic);
        Err(Reported)
    }

    /// The resource that an item is made from.
    pub fn prepared(&self, item: usize) -> &'a Prepared {
        &self.inner.prepared[self.items[item].of]
    }

    /// Evaluates something once; meeting it again while it is open is a cycle.
    pub fn once<K: std::hash::Hash + Eq + Clone>(
        &self,
        memos: &RefCell<HashMap<K, Memo>>,
        key: &K,
        frame: impl FnOnce() -> Frame,
        make: impl FnOnce() -> Result<Value, Reported>,
    ) -> Result<Value, Reported> {
        let known = memos.borrow().get(key).cloned();
        match known {
            Some(Memo::Done(result, refers)) => {
                self.add_refers(&refers);
                return result;
            }
            Some(Memo::Open) => return self.refuse(self.cycle(&frame())),
            None => {}
        }
        let frame = frame();
        if self.stack.borrow().len() >= DEEPEST {
            let message = format!("references lead from one to the next more than {DEEPEST} times");
            return self.refuse(Diagnostic::error("E0207", message).at(&frame.span, "here it goes on"));
        }
        memos.borrow_mut().insert(key.clone(), Memo::Open);
        self.stack.borrow_mut().push(frame);
        self.refers.borrow_mut().push(BTreeSet::new());
        let result = make();
        let refers = self.refers.borrow_mut().pop().unwrap_or_default();
        self.stack.borrow_mut().pop();
        self.add_refers(&refers);
        memos.borrow_mut().insert(key.clone(), Memo::Done(result.clone(), refers));
        result
    }

    fn add_refers(&self, more: &BTreeSet<usize>) {
        if let Some(top) = self.refers.borrow_mut().last_mut() {
            top.extend(more);
        }
    }

    fn cycle(&self, again: &Frame) -> Diagnostic {
        let stack = self.stack.borrow();
        let begin = stack.iter().position(|f| f.what == again.what).unwrap_or_default();
        let names: Vec<&str> = stack[begin..].iter().map(|f| f.what.as_str()).chain([again.what.as_str()]).collect();
        let message = format!("values refer to one another in a circle: {}", names.join(" → "));
        let places = stack[begin + 1..].iter().chain([again]);
        places.fold(Diagnostic::error("E0207", message), |d, frame| d.at(&frame.span, format!("needs `{}`", frame.what)))
    }

    fn call(
        &self,
        function: Function,
        arguments: &[(usize, usize)],
        place: &Place<'_>,
        whole: &Span,
        scope: &In<'_, '_>,
    ) -> Result<Value, Reported> {
        let wanted: &[&str] = match function {
            Function::File => &["a path"],
            Function::Lookup => &["a kind", "a name"],
            Function::Secret => &["a name"],
            Function::Template => return self.template(arguments, place, whole, scope),
        };
        if arguments.len() != wanted.len() {
            let message = format!("this takes {}, and {} are given", wanted.join(" and "), arguments.len());
            return self.refuse(Diagnostic::error("E0203", message).at(whole, ""));
        }
        let mut texts = Vec::new();
        for (from, to) in arguments {
            let part = place.part(*from, *to);
            match expression::argument(&part, scope)? {
                Value::Text(text) => texts.push((text, part.whole())),
                other => {
                    let message = format!("an argument must be text that is known, not {}", other.sort());
                    return self.refuse(Diagnostic::error("E0203", message).at(&part.whole(), ""));
                }
            }
        }
        match (function, texts.as_slice()) {
            (Function::Lookup, [(kind, kind_span), (name, _)]) => self.lookup(kind, name.clone(), kind_span, whole),
            (Function::Secret, [(name, _)]) => {
                let from = self.inner.secrets.get(name).cloned().unwrap_or_else(|| SecretFrom::Environment(name.clone()));
                let source = format!("${{secret({})}}", quoted(name));
                let secret = secret_of(SecretSource { name: name.clone(), from }, source);
                self.inner.learn(&secret);
                Ok(secret)
            }
            (Function::File, [(path, _)]) if self.inner.contents.contains_key(&self.inner.folder.join(path)) => {
                let bytes = &self.inner.contents[&self.inner.folder.join(path)];
                self.literal(path, String::from_utf8_lossy(bytes).into_owned())
            }
            (Function::File, [(path, span)]) => match files::text_of(&self.inner.folder, path) {
                Ok(text) => {
                    self.files.borrow_mut().insert(path.clone(), Fingerprint::of(text.as_bytes()));
                    self.literal(path, text)
                }
                Err(why) => self.refuse(super::templating::no_file("file()", &self.inner.folder, path, &why, span)),
            },
            _ => Err(Reported),
        }
    }

    /// What `file()` gives: the text as it is. What looks like a place for a value of this project in it is told,
    /// since nothing puts one in.
    fn literal(&self, name: &str, text: String) -> Result<Value, Reported> {
        let text = self.merged(name, text)?;
        let source = Arc::new(Source { name: name.to_owned(), text });
        self.left_in(&source, super::unrendered::Reader::File, &[]);
        Ok(Value::Text(source.text.clone()))
    }

    /// The text of a file in which Git has left no conflict.
    pub(super) fn merged(&self, name: &str, text: String) -> Result<String, Reported> {
        let source = Arc::new(Source { name: name.to_owned(), text });
        let conflicts = crate::yaml::conflicts(&source);
        if conflicts.is_empty() {
            return Ok(Arc::into_inner(source).map(|source| source.text).unwrap_or_default());
        }
        self.findings.borrow_mut().extend(conflicts);
        Err(Reported)
    }

    pub(super) fn environment(&self, member: &str, found: &Span) -> Result<Value, Reported> {
        if member == "name" {
            return Ok(Value::text(self.inner.environment.as_str()));
        }
        if self.inner.local {
            return Ok(Value::text("local"));
        }
        let Some(host) = &self.inner.host else {
            let message = format!("`env.host` is not known in environment {}: its files name no host", self.inner.environment);
            return self.refuse(
                Diagnostic::error("E0204", message)
                    .at(found, "")
                    .help("write `workspace: { host: https://.. }` in the environment's file; a `profile` may stand beside it")
                    .help("what a profile holds is read when the workspace is asked, and is another thing on another machine"),
            );
        };
        let frame = || Frame { what: "env.host".to_owned(), span: found.clone() };
        self.once(&self.variables, &"env.host".to_owned(), frame, || {
            whole_tree(host, &In { resolver: self, each: None, with_resources: false })
        })
    }
}

/// A scope: all names, with or without `each`.
pub struct In<'r, 'a> {
    /// Whose.
    pub resolver: &'r Resolver<'a>,
    /// `each`, inside a `for_each`.
    pub each: Option<&'r Value>,
    /// Whether resources may be referred to; settings of an environment may not.
    pub with_resources: bool,
}

impl Names for In<'_, '_> {
    fn kind(&self, word: &str) -> Option<&'static str> {
        self.resolver.inner.kind_names.get(word).copied()
    }

    fn is_key(&self, kind: &str, key: &str) -> bool {
        self.resolver.inner.find(kind, key).is_some()
    }

    fn has_instances(&self, kind: &str, key: &str) -> bool {
        let inner = self.resolver.inner;
        inner.find(kind, key).is_some_and(|at| inner.prepared[at].for_each.is_some())
    }
}

impl Scope for In<'_, '_> {
    fn value(&self, found: &Found, place: &Place<'_>) -> Result<Value, Reported> {
        let resolver = self.resolver;
        let span = place.span(found.from, found.to);
        match &found.mention {
            Mention::Variable(name) => match resolver.inner.variables.get(name) {
                Some(defined) => resolver.variable(name, defined, &span),
                None if resolver.inner.unread_variables.contains(name) => Err(Reported),
                None => resolver.refuse(self.undefined(name, &span)),
            },
            Mention::Environment(member) => resolver.environment(member, &span),
            Mention::Project => Ok(Value::text(resolver.inner.name.as_str())),
            Mention::Each => match self.each {
                Some(each) => Ok(each.clone()),
                None => {
                    resolver.refuse(Diagnostic::error("E0215", "`each` has a meaning only inside a resource with `for_each`").at(&span, ""))
                }
            },
            Mention::Call(function, arguments) => resolver.call(*function, arguments, place, &span, self),
            Mention::Resource { .. } if !self.with_resources => resolver.refuse(
                Diagnostic::error("E0206", "settings of an environment cannot refer to resources")
                    .at(&span, "")
                    .help("in scope here are variables and `env.name`"),
            ),
            Mention::Resource { .. } if resolver.before_resources => resolver.refuse(
                Diagnostic::error("E0206", "settings, presets and templates are read before resources are, and this refers to one")
                    .at(&span, "")
                    .help("use the reference in resources only; in a `*.yaml.hbs` write it as an expression, which stays as it is"),
            ),
            Mention::Resource { kind, key, key_place, instance, path } => {
                let target = super::references::Target { kind, key, instance: instance.as_deref(), path };
                resolver.reference(&target, &place.span(key_place.0, key_place.1), &span)
            }
        }
    }

    fn plain(&self, place: &Place<'_>) -> Option<Value> {
        let inner = self.resolver.inner;
        let name = place.text.trim();
        let is_name =
            name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
        if !is_name || !inner.forge.contains(&place.node.span.source.name) || inner.variables.contains_key(name) {
            return None;
        }
        if name == "env" {
            return Some(Value::text(inner.environment.as_str()));
        }
        inner.process.get(name).map(|value| Value::text(value.as_str()))
    }

    fn report(&self, diagnostic: Diagnostic) {
        self.resolver.report(diagnostic);
    }
}

impl In<'_, '_> {
    fn undefined(&self, name: &str, span: &Span) -> Diagnostic {
        let inner = self.resolver.inner;
        let found =
            Diagnostic::error("E0204", format!("`{name}` is not defined")).at(span, format!("in environment {}", inner.environment));
        // The words before a `.` are meant only where a `.` follows.
        let dotted = span.source.text.get(span.end as usize..).is_some_and(|rest| rest.starts_with('.'));
        let roots = inner.registry.iter().map(|k| k.name).chain(["env", "var", "each"]).filter(|_| dotted);
        let names = inner.variables.keys().map(String::as_str).chain(roots);
        match suggest::nearest(name, names) {
            Some(near) => match inner.variables.get(near).and_then(|v| v.given.as_ref()) {
                Some(given) => found.help(format!("there is a variable `{near}` ({})", given.origin())),
                None => found.help(format!("did you mean `{near}`?")),
            }
            .patch(span, near),
            None if inner.forge.contains(&span.source.name) => match suggest::nearest(name, inner.process.keys().map(String::as_str)) {
                Some(near) => found.help(format!("the process environment has `{near}`")).patch(span, near),
                None => found.help("it is no variable of the environment's file, and the process environment has none of this name"),
            },
            None if inner.variables.is_empty() => found.help("no variables are declared; text in an expression needs quotes"),
            None => {
                let names: Vec<&str> = inner.variables.keys().take(10).map(String::as_str).collect();
                found.help(format!("variables here: {}", super::findings::list_of(&names)))
            }
        }
    }
}

/// A tree with its expressions evaluated. What failed has been reported, and stands as [`poison`].
pub fn tree(node: &Node, scope: &dyn Scope) -> Value {
    match &node.data {
        Data::Scalar(_) => expression::scalar(node, scope).unwrap_or_else(|Reported| poison()),
        Data::List(items) => Value::List(items.iter().map(|item| tree(item, scope)).collect()),
        Data::Map(entries) => Value::Map(entries.iter().map(|e| (key(e, scope), tree(&e.value, scope))).collect()),
    }
}

/// A key as it is sent: keys are no expressions, and what looks like one is never sent as it stands.
fn key(entry: &Entry, scope: &dyn Scope) -> String {
    if !expression::is_template(&entry.key) {
        return entry.key.clone();
    }
    if let Ok([Part::Text(text)]) = expression::scan(&entry.key).as_deref() {
        return text.clone();
    }
    let found = Diagnostic::error("E0209", format!("`{}` is a key, and keys are not evaluated", entry.key));
    scope.report(found.at(&entry.key_span, "").help("write the key as it shall be; a literal `${` is written `$${`"));
    entry.key.clone()
}

/// A tree with its expressions evaluated, all of it or nothing.
pub fn whole_tree(node: &Node, scope: &dyn Scope) -> Result<Value, Reported> {
    let value = tree(node, scope);
    if value.any(&is_poison) { Err(Reported) } else { Ok(value) }
}

/// What stands in the place of a value that failed and was reported.
pub fn poison() -> Value {
    Value::Unknown(Arc::new(Deferred { source: String::new(), pieces: vec![], waits: vec![], bound: Map::new() }))
}

/// Whether a value failed and was reported.
pub fn is_poison(value: &Value) -> bool {
    matches!(value, Value::Unknown(deferred) if deferred.pieces.is_empty())
}

pub(super) fn secret_of(secret: SecretSource, source: String) -> Value {
    let pieces = vec![Piece::Expression("__0".to_owned())];
    Value::Secret(Arc::new(Deferred { source, pieces, waits: vec![Variable::Secret(secret)], bound: Map::new() }))
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
