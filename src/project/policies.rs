//! `policies:` of `conf/project.yaml`: what every step of a plan must satisfy. Read and checked here, held against a plan
//! by the plan's own floor.

use std::collections::BTreeSet;

use super::expression::{self, Found, Mention, Names, find};
use super::findings::{Findings, known_keys, list_of, meant, no_choice, text, texts, wrong_sort};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::Registry;
use crate::model::{Map, Value};
use crate::yaml::{Data, Entry, Node};

/// The names that the expression of a policy may begin with: the step at hand (`step.action`, `step.kind`,
/// `step.address`, `step.body.*`), the environment (`env.name`), the counts of the plan (`changes.delete`), and the
/// project (`project.name`).
pub const POLICY_NAMES: &[&str] = &["step", "env", "changes", "project"];

/// What happens where a policy does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PolicyLevel {
    /// The plan is blocked.
    #[default]
    Deny,
    /// It is said, and the run goes on.
    Warn,
}

/// One policy: for every step of a plan that it speaks of, `expression` must give true.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name, unique in the project.
    pub name: String,
    /// What must hold: an expression in Jinja's grammar over [`POLICY_NAMES`]; it parses.
    pub expression: String,
    /// Which steps it speaks of; none: all of them.
    pub condition: Option<String>,
    /// The kinds whose steps it speaks of, by their own names; empty: all.
    pub kinds: Vec<&'static str>,
    /// Deny or warn.
    pub level: PolicyLevel,
    /// Deny or warn where it cannot be decided before apply (`unknown:`); without the word: as `level`.
    pub undecided: PolicyLevel,
    /// What to say where it does not hold; none: the name and the expression say it.
    pub message: Option<String>,
    /// Where its expression stands.
    pub span: Span,
}

impl Policy {
    /// Whether the policy speaks of this step. `names` holds what [`POLICY_NAMES`] stand for.
    ///
    /// # Errors
    /// A sentence: the condition could not be evaluated, or gives neither true nor false.
    pub fn speaks_of(&self, kind: &str, names: &Map) -> Result<bool, String> {
        if !self.kinds.is_empty() && !self.kinds.contains(&kind) {
            return Ok(false);
        }
        self.condition.as_ref().map_or(Ok(true), |condition| truth(condition, names))
    }

    /// Whether the policy holds. `names` holds what [`POLICY_NAMES`] stand for; a value that waits for the workspace must
    /// have been left out by the caller or replaced.
    ///
    /// # Errors
    /// A sentence: the expression could not be evaluated (a field that is not there), or gives neither true nor false.
    pub fn holds(&self, names: &Map) -> Result<bool, String> {
        truth(&self.expression, names)
    }
}

impl Policy {
    /// Whether it looks at the plan as a whole: it mentions no `step`.
    #[must_use]
    pub fn is_about_plan(&self) -> bool {
        self.kinds.is_empty() && !self.texts().any(|text| words(text).any(|(word, _)| word == "step"))
    }

    /// Whether this word stands in it.
    #[must_use]
    pub fn mentions(&self, wanted: &str) -> bool {
        self.texts().any(|text| words(text).any(|(word, _)| word == wanted))
    }

    /// The fields of `step.body` that its `where` mentions, each as names from the top; an empty one is all of the body.
    #[must_use]
    pub fn condition_paths(&self) -> Vec<Vec<String>> {
        self.condition.as_deref().map(paths_below_body).unwrap_or_default()
    }

    /// The fields of `step.body` that its expression mentions.
    #[must_use]
    pub fn body_paths(&self) -> Vec<Vec<String>> {
        paths_below_body(&self.expression)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.expression.as_str()).chain(self.condition.as_deref())
    }
}

/// Names in an expression, with what follows each. Words of quoted text are among them: whoever asks errs on the safe side.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        let from = rest.find(is_part)?;
        let word = &rest[from..];
        let end = word.find(|c: char| !is_part(c)).unwrap_or(word.len());
        rest = &word[end..];
        Some((&word[..end], rest))
    })
}

/// `step.body.a.b` gives `[a, b]`; `step` without a field, or with one in brackets, may be anything: `[]`.
fn paths_below_body(text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (_, mut rest) in words(text).filter(|(word, _)| *word == "step") {
        let mut names = Vec::new();
        while let Some((word, after)) = rest.strip_prefix('.').and_then(|r| words(r).next().filter(|(w, _)| r.starts_with(w))) {
            names.push(word.to_owned());
            rest = after;
        }
        match names.first().map(String::as_str) {
            Some("body") => all.push(names.split_off(1)),
            None => all.push(Vec::new()),
            Some(_) => {}
        }
    }
    all
}

fn truth(expression: &str, names: &Map) -> Result<bool, String> {
    match expression::evaluate_plain(expression, names).map_err(|wrong| wrong.to_string())? {
        Value::Bool(holds) => Ok(holds),
        other => Err(format!("it gives {}, not true or false", other.sort())),
    }
}

const KEYS: &[&str] = &["name", "expression", "where", "kinds", "level", "unknown", "message", "description"];

/// Reads `policies:`: a list whose items have a `name`, or a map by name.
pub fn read(node: &Node, registry: &Registry, findings: &mut Findings) -> Vec<Policy> {
    let mut policies = Vec::new();
    let mut seen: Vec<(String, Span)> = Vec::new();
    let mut keep = |name: String, span: &Span, body: &Node, findings: &mut Findings| {
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == name) {
            let twice = Diagnostic::error("E0315", format!("policy `{name}` is written twice"));
            return findings.add(twice.at(span, "again here").at(first, "first here"));
        }
        seen.push((name.clone(), span.clone()));
        policies.extend(policy(name, span, body, registry, findings));
    };
    match &node.data {
        Data::Map(entries) => entries.iter().for_each(|e| keep(e.key.clone(), &e.key_span, &e.value, findings)),
        Data::List(items) => {
            for item in items {
                match item.get("name").and_then(|n| Some((n.text()?.to_owned(), n.span.clone()))) {
                    Some((name, span)) => keep(name, &span, item, findings),
                    None => findings.add(Diagnostic::error("E0315", "a policy has no `name`").at(&item.span, "")),
                }
            }
        }
        Data::Scalar(_) => findings.add(wrong_sort(node, "`policies`", "a list of policies, or a map by name")),
    }
    policies
}

fn policy(name: String, span: &Span, body: &Node, registry: &Registry, findings: &mut Findings) -> Option<Policy> {
    // `name: "expression"` alone is a policy that denies.
    let entries: &[Entry] = match &body.data {
        Data::Map(entries) => entries,
        Data::Scalar(_) if !body.is_null() => {
            let expression = compiled(body, &name, findings)?;
            let span = body.span.clone();
            let level = PolicyLevel::Deny;
            return Some(Policy { name, expression, condition: None, kinds: Vec::new(), level, undecided: level, message: None, span });
        }
        _ => {
            findings.add(wrong_sort(body, &format!("policy `{name}`"), "a map with `expression`"));
            return None;
        }
    };
    known_keys(body, KEYS, &format!("policy `{name}`"), "E0315", findings);
    let Some(rule) = body.get("expression") else {
        let missing = Diagnostic::error("E0315", format!("policy `{name}` has no `expression`")).at(span, "");
        findings.add(missing.help("`expression` is what must hold for every step: `expression: \"step.action != 'delete'\"`"));
        return None;
    };
    let expression = compiled(rule, &name, findings);
    let mut made = Policy {
        name,
        expression: String::new(),
        condition: None,
        kinds: Vec::new(),
        level: PolicyLevel::Deny,
        undecided: PolicyLevel::Deny,
        message: None,
        span: rule.span.clone(),
    };
    let mut undecided = None;
    for entry in entries {
        match entry.key.as_str() {
            "where" => made.condition = compiled(&entry.value, &made.name, findings),
            "kinds" => made.kinds = kinds(&entry.value, registry, findings),
            "level" => made.level = level(&entry.value, "level", findings).unwrap_or_default(),
            "unknown" => undecided = level(&entry.value, "unknown", findings),
            "message" => made.message = text(&entry.value, "`message`", findings),
            _ => {}
        }
    }
    Some(Policy { expression: expression?, undecided: undecided.unwrap_or(made.level), ..made })
}

fn level(node: &Node, name: &str, findings: &mut Findings) -> Option<PolicyLevel> {
    match node.text() {
        Some("deny") => Some(PolicyLevel::Deny),
        Some("warn") => Some(PolicyLevel::Warn),
        _ => {
            findings.add(no_choice(node, &format!("`{name}`"), ["deny", "warn"], "E0315"));
            None
        }
    }
}

fn kinds(node: &Node, registry: &Registry, findings: &mut Findings) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    for (name, span) in texts(node, "`kinds`", findings) {
        if let Some(kind) = registry.get(&name) {
            kinds.push(kind.name);
        } else {
            let wrong = Diagnostic::error("E0315", format!("`{name}` is not a kind of resource")).at(&span, "");
            findings.add(meant(wrong, &name, registry.iter().map(|k| k.name), &span));
        }
    }
    kinds
}

/// Nothing but [`POLICY_NAMES`] is declared where policies are written.
struct Nothing;

impl Names for Nothing {
    fn kind(&self, _: &str) -> Option<&'static str> {
        None
    }
    fn is_key(&self, _: &str, _: &str) -> bool {
        false
    }
    fn has_instances(&self, _: &str, _: &str) -> bool {
        false
    }
}

/// The expression of a scalar, with or without `${...}` around it, if it parses and its names are known.
fn compiled(node: &Node, name: &str, findings: &mut Findings) -> Option<String> {
    let Some(written) = node.text().filter(|_| !node.is_null()) else {
        findings.add(wrong_sort(node, &format!("the expression of policy `{name}`"), "text"));
        return None;
    };
    let inner = written.trim().strip_prefix("${").and_then(|t| t.strip_suffix('}')).unwrap_or(written).trim();
    let offset = written.find(inner).unwrap_or_default();
    let place = |from: usize, to: usize| node.span_in(offset + from, offset + to);
    if let Err((why, range)) = expression::syntax_of(inner) {
        let why = if inner.is_empty() { "it is empty".to_owned() } else { why };
        let at = range.filter(|r| r.start < r.end).map_or_else(|| place(0, inner.len()), |r| place(r.start, r.end));
        findings.add(
            Diagnostic::error("E0315", format!("policy `{name}` is not an expression: {why}"))
                .at(&at, "")
                .help("policies are written in Jinja's grammar: `step.action != 'delete' or env.name != 'prod'`"),
        );
        return None;
    }
    let (found, misread) = find(inner, &Nothing);
    let mut wrong = Vec::new();
    for one in misread {
        wrong.push((one.from, one.to, one.message));
    }
    let mut said = BTreeSet::new();
    for one in &found {
        if let Some(message) = unknown(one)
            && said.insert(message.clone())
        {
            wrong.push((one.from, one.to, message));
        }
    }
    let any = !wrong.is_empty();
    for (from, to, message) in wrong {
        let span = place(from, to);
        let word = inner.get(from..to).unwrap_or_default();
        let found = Diagnostic::error("E0315", format!("policy `{name}`: {message}")).at(&span, "");
        findings.add(match suggest::nearest(word, POLICY_NAMES.iter().copied()) {
            Some(near) => found.help(format!("did you mean `{near}`?")).patch(&span, near),
            None => found.help(format!("in scope are {}", list_of(POLICY_NAMES))),
        });
    }
    (!any).then(|| inner.to_owned())
}

/// What is wrong with a mention.
fn unknown(found: &Found) -> Option<String> {
    match &found.mention {
        Mention::Variable(name) if POLICY_NAMES.contains(&name.as_str()) => None,
        Mention::Environment(_) => None,
        Mention::Variable(name) => Some(format!("`{name}` is not defined here")),
        Mention::Project => Some("`bundle.name` is not defined here".to_owned()),
        Mention::Each => Some("`each` is not defined here".to_owned()),
        Mention::Resource { .. } | Mention::Call(..) => {
            Some("a policy looks at the plan alone: it cannot ask for anything else".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, PolicyLevel, read};
    use crate::diagnostic::Source;
    use crate::kinds::Registry;
    use crate::model::{Map, Value};
    use crate::project::findings::Findings;
    use std::sync::Arc;

    fn policies(yaml: &str) -> (Vec<Policy>, String) {
        let source = Arc::new(Source { name: "p.yaml".to_owned(), text: yaml.to_owned() });
        let node = crate::yaml::parse(&source).unwrap().remove(0);
        let mut findings = Findings::default();
        let read = read(&node, &Registry::standard(), &mut findings);
        (read, crate::project::tests::shown(&findings.sorted(false)))
    }

    #[test]
    fn both_forms_are_read() {
        let (list, wrong) = policies("- name: a\n  expression: \"step.action != 'delete'\"\n  level: warn\n  kinds: [sql_warehouses]\n");
        assert_eq!(wrong, "");
        assert_eq!((list[0].level, list[0].kinds.as_slice()), (PolicyLevel::Warn, ["warehouses"].as_slice()));
        let (map, wrong) = policies("short: \"${changes.delete < 3}\"\nlong: { expression: \"true\", where: \"env.name == 'prod'\" }\n");
        assert_eq!(wrong, "");
        assert_eq!((map[0].expression.as_str(), map[1].condition.as_deref()), ("changes.delete < 3", Some("env.name == 'prod'")));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place() {
        for (yaml, want) in [
            ("- expression: 'true'\n", "E0315 p.yaml:1:3 a policy has no `name`"),
            ("a: { level: deny }\n", "E0315 p.yaml:1:1 policy `a` has no `expression`"),
            ("a: \"stp.action == 'x'\"\n", "E0315 p.yaml:1:5 policy `a`: `stp` is not defined here [did you mean `step`?]"),
            ("a: \"file('x') == 'x'\"\n", "E0315 p.yaml:1:5 policy `a`: a policy looks at the plan alone"),
            ("a: \"step.action ==\"\n", "E0315 p.yaml:1:"),
            ("a: { expression: 'true', level: denied }\n", "E0315 p.yaml:1:33 `level` is `denied`, and may only be `deny` or `warn`"),
            ("a: { expression: 'true', kinds: [job] }\n", "E0315 p.yaml:1:34 `job` is not a kind of resource [did you mean `jobs`?]"),
        ] {
            let (_, wrong) = policies(yaml);
            assert!(wrong.contains(want), "{yaml}: {wrong}");
        }
    }

    #[test]
    fn what_a_policy_mentions() {
        for (expression, about_plan, paths) in [
            ("changes.delete < 3", true, vec![]),
            ("step.action != 'delete'", false, vec![]),
            ("step.body.tags.owner is defined", false, vec![vec!["tags", "owner"]]),
            ("'owner' in (step.body.tags | default({}))", false, vec![vec!["tags"]]),
            ("step.body | length > 1 or step['body'].x", false, vec![vec![], vec![]]),
            ("step.body.tasks[0].x == 1", false, vec![vec!["tasks"]]),
        ] {
            let (list, wrong) = policies(&format!("a: \"{expression}\"\n"));
            assert_eq!(wrong, "", "{expression}");
            assert_eq!(
                (list[0].is_about_plan(), list[0].body_paths()),
                (about_plan, paths.into_iter().map(|p| p.into_iter().map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()),
                "{expression}"
            );
        }
    }

    #[test]
    fn truth_is_true_or_false() {
        let (list, _) =
            policies("a: { expression: \"step.body.size in ['Small']\", where: \"step.action == 'create'\", kinds: [warehouses] }\n");
        let step = |size: &str| {
            let body = Value::map([("size", Value::from(size))]);
            let step = Value::map([("action", Value::from("create")), ("body", body)]);
            [("step".to_owned(), step)].into_iter().collect::<Map>()
        };
        assert_eq!(list[0].speaks_of("warehouses", &step("Small")), Ok(true));
        assert_eq!(list[0].speaks_of("jobs", &step("Small")), Ok(false));
        assert_eq!(list[0].holds(&step("Small")), Ok(true));
        assert_eq!(list[0].holds(&step("Large")), Ok(false));
        assert!(policies("a: \"step.body.size\"\n").0[0].holds(&step("x")).is_err());
        assert!(policies("a: \"step.body.other == 1\"\n").0[0].holds(&step("x")).is_err());
    }
}
