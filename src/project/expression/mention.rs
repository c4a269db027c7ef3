//! What an expression mentions: variables, fields of resources, calls; found by our own lexer before evaluation.

use super::lexer::{Token, Word, tokens};
use crate::model::{Path, Step};

/// What is declared, as far as the lexer must know it to tell names apart.
pub trait Names {
    /// The kind of this name or alias.
    fn kind(&self, word: &str) -> Option<&'static str>;
    /// Whether this key is declared below the kind: `my-job` is then one word.
    fn is_key(&self, kind: &str, key: &str) -> bool;
    /// Whether the resource has instances (`for_each`), so that `["eu"]` after it names one.
    fn has_instances(&self, kind: &str, key: &str) -> bool;
}

/// A function that reaches out of the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `file("sql/x.sql")`
    File,
    /// `lookup("warehouses", "Shared BI")`
    Lookup,
    /// `secret("NAME")`
    Secret,
    /// `template("sql/x.sql.hbs", table="t")`
    Template,
}

/// One mention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// `catalog`, `var.catalog`
    Variable(String),
    /// `env.name`, `bundle.target`: the member.
    Environment(String),
    /// The project's name: `bundle.name`.
    Project,
    /// `each`: the map of key and value.
    Each,
    /// A field of a resource.
    Resource {
        /// The kind's name.
        kind: &'static str,
        /// Its key.
        key: String,
        /// Where the key stands.
        key_place: (usize, usize),
        /// The instance of a `for_each`.
        instance: Option<String>,
        /// The field below it; empty: none was named.
        path: Path,
    },
    /// A call; its arguments are expressions of their own.
    Call(Function, Vec<(usize, usize)>),
}

/// A mention and the bytes of the expression that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub mention: Mention,
    /// First byte.
    pub from: usize,
    /// One past the last byte.
    pub to: usize,
}

/// What cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The code of the diagnostic.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// First byte.
    pub from: usize,
    /// One past the last byte.
    pub to: usize,
}

const KEYWORDS: &[&str] = &["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"];

/// Functions of the grammar itself.
const OWN_FUNCTIONS: &[&str] = &["range", "dict"];

/// All mentions of an expression, in order, and what could not be understood.
pub fn find(text: &str, names: &dyn Names) -> (Vec<Found>, Vec<Misread>) {
    let tokens = tokens(text);
    let mut reader = Reader { text, tokens: &tokens, at: 0, names, found: Vec::new(), misread: Vec::new() };
    while reader.at < tokens.len() {
        reader.next();
    }
    (reader.found, reader.misread)
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    names: &'a dyn Names,
    found: Vec<Found>,
    misread: Vec<Misread>,
}

impl<'a> Reader<'a> {
    fn spelling(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |t| t.spelling(self.text))
    }

    fn is(&self, index: usize, sign: &str) -> bool {
        self.tokens.get(index).is_some_and(|t| t.is(self.text, sign))
    }

    fn is_name(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|t| t.word == Word::Name)
    }

    /// Reads one word, or a whole chain that begins with it.
    fn next(&mut self) {
        let at = self.at;
        let word = self.spelling(at);
        if !self.is_name(at) || KEYWORDS.contains(&word) || self.is_grammar(at) {
            self.at += 1;
            return;
        }
        if self.is(at + 1, "(") {
            return self.call(word);
        }
        match word {
            "var" => self.variable(),
            "env" => self.member_of("env", &["name", "host"]),
            "bundle" => self.member_of("bundle", &["target", "environment", "name"]),
            "workspace" if self.is(at + 1, ".") => self.member_of("workspace", &["host"]),
            "each" => self.push(Mention::Each, at, at + 1),
            "resources" if self.is(at + 1, ".") && self.is_name(at + 2) => match self.names.kind(self.spelling(at + 2)) {
                Some(kind) => self.resource(kind, at, at + 3),
                None => self.wrong("E0205", format!("there is no kind `{}`", self.spelling(at + 2)), None, at + 2, at + 3),
            },
            _ => match self.names.kind(word) {
                Some(kind) => self.resource(kind, at, at + 1),
                None => self.push(Mention::Variable(word.to_owned()), at, at + 1),
            },
        }
    }

    /// A name that the grammar owns: an attribute, a filter, a test, the name of an argument.
    fn is_grammar(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        self.is(before, ".")
            || self.is(before, "|")
            || self.spelling(before) == "is"
            || (self.spelling(before) == "not" && before > 0 && self.spelling(before - 1) == "is")
            || (self.is(at + 1, "=") && (self.is(before, "(") || self.is(before, ",")))
    }

    /// Keeps a mention of the tokens `first..end` and goes on behind it.
    fn push(&mut self, mention: Mention, first: usize, end: usize) {
        let to = self.tokens[end - 1].to;
        self.found.push(Found { mention, from: self.tokens[first].from, to });
        self.at = end;
    }

    fn wrong(&mut self, code: &'static str, message: String, help: Option<String>, first: usize, end: usize) {
        let last = end.min(self.tokens.len()).max(first + 1) - 1;
        self.misread.push(Misread { code, message, help, from: self.tokens[first].from, to: self.tokens[last].to });
        self.at = end.max(first + 1);
    }

    /// `.name` or `["name"]` at this place: the name and the place behind it.
    fn member(&self, at: usize) -> Option<(String, usize)> {
        if self.is(at, ".") && self.is_name(at + 1) {
            return Some((self.spelling(at + 1).to_owned(), at + 2));
        }
        match self.tokens.get(at + 1).map(|t| &t.word) {
            Some(Word::Text(name)) if self.is(at, "[") && self.is(at + 2, "]") => Some((name.clone(), at + 3)),
            _ => None,
        }
    }

    fn variable(&mut self) {
        let at = self.at;
        match self.member(at + 1) {
            Some((name, end)) => self.push(Mention::Variable(name), at, end),
            None => self.wrong("E0201", "`var` needs the name of a variable".to_owned(), Some("write `var.NAME`".to_owned()), at, at + 1),
        }
    }

    fn member_of(&mut self, root: &str, members: &[&str]) {
        let at = self.at;
        match self.member(at + 1) {
            Some((name, end)) if members.contains(&name.as_str()) => {
                let mention = match (root, name.as_str()) {
                    ("bundle", "name") => Mention::Project,
                    ("bundle", _) => Mention::Environment("name".to_owned()),
                    _ => Mention::Environment(name),
                };
                self.push(mention, at, end);
            }
            Some((name, end)) => {
                let all: Vec<String> = members.iter().map(|m| format!("`{root}.{m}`")).collect();
                self.wrong("E0204", format!("`{root}.{name}` is not defined"), Some(format!("there is {}", all.join(" and "))), at, end);
            }
            None => self.wrong("E0201", format!("`{root}` needs a member"), Some(format!("write `{root}.{}`", members[0])), at, at + 1),
        }
    }

    fn resource(&mut self, kind: &'static str, first: usize, at: usize) {
        let Some((key, key_place, mut at)) = self.key(kind, at) else {
            let help = format!("write `{kind}.KEY.FIELD`");
            return self.wrong("E0205", format!("`{kind}` is a kind, not a value"), Some(help), first, at);
        };
        let mut instance = None;
        if self.names.has_instances(kind, &key)
            && self.is(at, "[")
            && let Some((name, end)) = self.member(at)
        {
            (instance, at) = (Some(name), end);
        }
        let mut path = Path::root();
        let mut last = at;
        loop {
            let step = if let Some((name, end)) = self.member(at) {
                Some((Step::Field(name), end))
            } else {
                self.index(at).map(|(n, end)| (Step::Index(n), end))
            };
            let Some((step, end)) = step else { break };
            path.push(step);
            (last, at) = (at, end);
        }
        if self.is(at, "(") && !path.is_root() {
            path.pop(); // a method of the value: the grammar's business
            at = last;
        }
        let from = self.tokens[first].from;
        let to = self.tokens[at - 1].to;
        self.found.push(Found { mention: Mention::Resource { kind, key, key_place, instance, path }, from, to });
        self.at = at;
    }

    fn index(&self, at: usize) -> Option<(usize, usize)> {
        if !self.is(at, "[") || !self.is(at + 2, "]") || self.tokens.get(at + 1)?.word != Word::Number {
            return None;
        }
        Some((self.spelling(at + 1).parse().ok()?, at + 3))
    }

    /// The key behind a kind, its place, and the place behind it. A run of letters, digits and dashes is one key as far
    /// as such a key is declared.
    fn key(&self, kind: &str, at: usize) -> Option<(String, (usize, usize), usize)> {
        if self.is(at, "[") {
            let (name, end) = self.member(at)?;
            return Some((name, (self.tokens[at + 1].from, self.tokens[at + 1].to), end));
        }
        if !self.is(at, ".") || !self.is_name(at + 1) {
            return None;
        }
        let from = self.tokens[at + 1].from;
        let rest = &self.text[from..];
        let run = &rest[..rest.find(|c: char| !(c == '_' || c == '-' || c.is_ascii_alphanumeric())).unwrap_or(rest.len())];
        let mut key = run.trim_end_matches('-');
        let mut shorter = key;
        while !self.names.is_key(kind, shorter) {
            match shorter.rfind('-') {
                Some(dash) => shorter = &shorter[..dash],
                None => break,
            }
        }
        if self.names.is_key(kind, shorter) {
            key = shorter;
        }
        let to = from + key.len();
        let behind = self.tokens.iter().position(|t| t.from >= to).unwrap_or(self.tokens.len());
        Some((key.to_owned(), (from, to), behind))
    }

    fn call(&mut self, name: &str) {
        let at = self.at;
        let function = match name {
            "file" => Function::File,
            "lookup" => Function::Lookup,
            "secret" => Function::Secret,
            "template" => Function::Template,
            _ if OWN_FUNCTIONS.contains(&name) => {
                self.at += 1;
                return;
            }
            _ => {
                let help = crate::diagnostic::suggest::nearest(name, ["file", "template", "lookup", "secret", "range", "dict"])
                    .map_or_else(
                        || {
                            "there is `file`, `template`, `lookup`, `secret`, `range` and `dict`; filters are written `value | filter`"
                                .to_owned()
                        },
                        |near| format!("did you mean `{near}`?"),
                    );
                return self.wrong("E0204", format!("there is no function `{name}`"), Some(help), at, at + 1);
            }
        };
        let Some((arguments, end)) = self.arguments(at + 1) else {
            self.at += 1; // not closed: the parser says so
            return;
        };
        self.push(Mention::Call(function, arguments), at, end);
    }

    /// The arguments between brackets as byte ranges, and the place behind the closing one.
    fn arguments(&self, open: usize) -> Option<(Vec<(usize, usize)>, usize)> {
        let mut depth = 0_usize;
        let mut arguments = Vec::new();
        let mut from = self.tokens[open].to;
        for (index, token) in self.tokens.iter().enumerate().skip(open) {
            if token.word != Word::Sign {
                continue;
            }
            match token.spelling(self.text) {
                "(" | "[" | "{" => depth += 1,
                "," if depth == 1 => {
                    arguments.push((from, token.from));
                    from = token.to;
                }
                ")" | "]" | "}" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        if !self.text[from..token.from].trim().is_empty() {
                            arguments.push((from, token.from));
                        }
                        return Some((arguments, index + 1));
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Mention, Names, find};

    struct Declared;

    impl Names for Declared {
        fn kind(&self, word: &str) -> Option<&'static str> {
            match word {
                "jobs" => Some("jobs"),
                "warehouses" | "sql_warehouses" => Some("warehouses"),
                _ => None,
            }
        }
        fn is_key(&self, kind: &str, key: &str) -> bool {
            kind == "jobs" && ["nightly", "my-job", "a", "my job", "ingest"].contains(&key)
        }
        fn has_instances(&self, _: &str, key: &str) -> bool {
            key == "ingest"
        }
    }

    fn shown(text: &str) -> String {
        let (found, misread) = find(text, &Declared);
        let mut out: Vec<String> = found
            .iter()
            .map(|f| {
                let place = &text[f.from..f.to];
                match &f.mention {
                    Mention::Variable(name) => format!("{place}=var:{name}"),
                    Mention::Environment(name) => format!("{place}=env:{name}"),
                    Mention::Project => format!("{place}=project"),
                    Mention::Each => format!("{place}=each"),
                    Mention::Resource { kind, key, instance, path, .. } => {
                        format!("{place}={kind}/{key}{}/{path}", instance.as_ref().map(|i| format!("[{i}]")).unwrap_or_default())
                    }
                    Mention::Call(function, arguments) => {
                        format!("{place}={function:?}{:?}", arguments.iter().map(|(a, b)| text[*a..*b].trim()).collect::<Vec<_>>())
                    }
                }
            })
            .collect();
        out.extend(misread.iter().map(|m| format!("{}!{}", m.code, m.message)));
        out.join(" ; ")
    }

    #[test]
    fn mentions() {
        for (text, want) in [
            ("catalog", "catalog=var:catalog"),
            ("var.catalog ~ 'x'", "var.catalog=var:catalog"),
            ("env.name", "env.name=env:name"),
            ("bundle.target", "bundle.target=env:name"),
            ("jobs.nightly.id", "jobs.nightly.id=jobs/nightly/id"),
            ("resources.jobs.nightly.id", "resources.jobs.nightly.id=jobs/nightly/id"),
            ("sql_warehouses.bi.id", "sql_warehouses.bi.id=warehouses/bi/id"),
            ("jobs.my-job.id", "jobs.my-job.id=jobs/my-job/id"),
            ("jobs.a-1", "jobs.a=jobs/a/"),
            ("jobs.unknown-one.id", "jobs.unknown-one.id=jobs/unknown-one/id"),
            (r#"jobs["my job"].id"#, r#"jobs["my job"].id=jobs/my job/id"#),
            (r#"jobs.ingest["eu"].id"#, r#"jobs.ingest["eu"].id=jobs/ingest[eu]/id"#),
            (r#"jobs.a.tags["x y"][0].b"#, r#"jobs.a.tags["x y"][0].b=jobs/a/tags["x y"][0].b"#),
            ("jobs.a.name.upper()", "jobs.a.name=jobs/a/name"),
            ("workers * 2 if env.name == 'prod' else small", "workers=var:workers ; env.name=env:name ; small=var:small"),
            ("x | default('y', boolean=true) is not none", "x=var:x"),
            ("x.y.z[jobs.a.id]", "x=var:x ; jobs.a.id=jobs/a/id"),
            ("range(3)", ""),
            (r#"lookup("warehouses", "b" ~ c).id"#, r#"lookup("warehouses", "b" ~ c)=Lookup["\"warehouses\"", "\"b\" ~ c"]"#),
            ("secret('X')", "secret('X')=Secret[\"'X'\"]"),
            ("'jobs.a.id'", ""),
            ("jobs", "E0205!`jobs` is a kind, not a value"),
            ("secert('X')", "E0204!there is no function `secert`"),
            ("env.nmae", "E0204!`env.nmae` is not defined"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }
}
