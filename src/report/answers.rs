//! The three answers to drift: put it back, keep it in YAML, ignore it.

use super::value::inline;
use crate::diff::{FieldChange, Reason};
use crate::model::{Path, Step as Part, Value};
use crate::plan::{DELETED, Step};

/// The answers to what changed in the workspace, each as a command to paste or as words to write. Empty without drift.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Puts it back; none where applying does more than that.
    pub revert: Option<String>,
    /// Writes it into the YAML; none where no file can say it by itself (one instance of a `for_each`).
    pub accept: Option<String>,
    /// What to write so that it is left alone.
    pub ignore: Option<String>,
}

/// The options of a command that choose project, state and workspace. A printed command that leaves one out is about another
/// state: it succeeds, and the object is managed from there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Given<'a> {
    /// None was given.
    #[default]
    Nothing,
    /// As they were given.
    Options {
        /// `--project-dir`.
        project_dir: Option<&'a str>,
        /// `--config`.
        config: Option<&'a str>,
        /// `--state`.
        state: Option<&'a str>,
        /// `--profile`.
        profile: Option<&'a str>,
        /// `--var-file`, each.
        variable_files: &'a [String],
    },
    /// Those of a command that was printed with them.
    Command(&'a str),
}

impl Given<'_> {
    const FLAGS: [&'static str; 5] = ["--project-dir", "--config", "--state", "--profile", "--var-file"];

    /// Each with its value, as it can stand on a command line.
    #[must_use]
    pub fn words(self) -> Vec<String> {
        match self {
            Self::Nothing => vec![],
            Self::Options { project_dir, config, state, profile, variable_files } => {
                let single = [project_dir, config, state, profile];
                let files = variable_files.iter().map(|file| ("--var-file", file.as_str()));
                let all = Self::FLAGS.into_iter().zip(single).filter_map(|(flag, value)| Some((flag, value?))).chain(files);
                all.map(|(flag, value)| format!("{flag} {}", shell_word(value))).collect()
            }
            Self::Command(command) => {
                let words = shell_words(command);
                let pairs = words.windows(2).filter(|pair| Self::FLAGS.contains(&pair[0]));
                pairs.map(|pair| format!("{} {}", pair[0], pair[1])).collect()
            }
        }
    }
}

/// What every printed command says so that it is about the same environment, project and state:
/// `--env prod --config conf --state FILE`.
#[must_use]
pub fn common(environment: &str, given: Given<'_>) -> String {
    let mut words = vec![format!("--env {}", shell_word(environment))];
    words.extend(given.words());
    words.join(" ")
}

/// The answers to the drift of a step. `common`: as [`common`] gives it.
#[must_use]
pub fn of(step: &Step, common: &str) -> Answers {
    let word = shell_word(&step.address.to_string());
    // Where conflicts wait to be accepted, putting back means accepting it.
    let waits = if step.blocks.iter().any(|b| b.guard == "conflict") { format!(" --accept-conflict {word}") } else { String::new() };
    let revert = Some(format!("brickform apply {common} --target {word}{waits}"));
    let accept = |flag: &str| step.address.instance.is_none().then(|| format!("brickform adopt {common} --write {word}{flag}"));
    if step.because.as_deref() == Some(DELETED) {
        // What nobody declares is in no file that it could go from.
        let is_declared = !crate::project::is_implied(&step.address, &step.name);
        return Answers { revert, accept: accept(" --deletions").filter(|_| is_declared), ignore: None };
    }
    let drifted: Vec<&FieldChange> = step.changes.iter().filter(|c| matches!(c.reason, Reason::Drift | Reason::Conflict)).collect();
    if drifted.is_empty() {
        return Answers::default();
    }
    let kept = |c: &&FieldChange| step.kept.iter().any(|k| k.path == c.path);
    // Where YAML changed other fields too, applying does more than putting back.
    let only = drifted.len() == step.changes.len() && !drifted.iter().any(kept);
    let can_accept = drifted.iter().any(|c| !step.templated.contains(&c.path));
    let both = drifted.iter().any(|c| c.reason == Reason::Conflict);
    Answers {
        revert: revert.filter(|_| only),
        accept: accept(if both { " --theirs" } else { "" }).filter(|_| can_accept),
        ignore: ignore(&drifted, step.address.facet.as_deref()),
    }
}

/// Commands that work with one environment; what else there is takes none.
const OF_ONE: [&str; 14] =
    ["adopt", "apply", "auth", "destroy", "drift", "forget", "output", "plan", "refresh", "rollback", "run", "show", "state", "status"];

/// A sentence whose commands (`` `brickform state history` ``) name the environment that they are about, and whatever else
/// chooses project and state, where they do not yet.
#[must_use]
pub fn in_place(text: &str, environment: Option<&str>, given: Given<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("brickform ") {
        let (before, from) = rest.split_at(at);
        // A command ends where its quotes do, or the line.
        let quoted = before.ends_with('`');
        let end = from.find(if quoted { &['`', '\n'][..] } else { &['\n'][..] }).unwrap_or(from.len());
        let (command, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(&named(command, environment, given).unwrap_or_else(|| command.to_owned()));
        rest = after;
    }
    out + rest
}

/// A command with the options that it lacks; none where it lacks none.
fn named(command: &str, environment: Option<&str>, given: Given<'_>) -> Option<String> {
    let words: Vec<&str> = command.split(' ').collect();
    let word = *words.get(1).filter(|word| OF_ONE.contains(*word))?;
    let is_bare = words.get(2).is_some_and(|next| !next.is_empty() && !next.starts_with('-'));
    let mut lacks: Vec<String> = vec![];
    let at = if let Some(flag) = command.find(" --env ") {
        // Behind the environment's name.
        behind_word(command, flag + " --env".len())
    } else {
        // A plan in a file knows its environment.
        let of_file = word == "apply" && is_bare;
        let is_known = words.contains(&"--env") || of_file;
        lacks.extend(environment.filter(|_| !is_known).map(|name| format!("--env {}", shell_word(name))));
        let first = if is_bare && matches!(word, "state" | "auth") { 3 } else { 2 };
        let end = words[..first].join(" ").len();
        if of_file { behind_word(command, end) } else { end }
    };
    let has = |option: &String| option.split(' ').next().is_some_and(|flag| words.contains(&flag));
    lacks.extend(given.words().into_iter().filter(|option| !has(option)));
    let (before, after) = command.split_at(at);
    (!lacks.is_empty()).then(|| format!("{before} {}{after}", lacks.join(" ")))
}

/// Where the word ends that follows this place of a command.
fn behind_word(command: &str, at: usize) -> usize {
    let rest = command[at..].trim_start_matches(' ');
    command.len() - rest.len() + shell_words(rest).first().map_or(0, |word| word.len())
}

/// The words of a command as they stand there, quotes and all.
fn shell_words(command: &str) -> Vec<&str> {
    let mut words = vec![];
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, c) in command.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if !is_quoted => is_escaped = true,
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => {
                words.push(&command[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&command[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// The answers as lines. `common`: as [`common`] gives it.
#[must_use]
pub fn answers(step: &Step, common: &str) -> Vec<String> {
    let Answers { revert, accept, ignore } = of(step, common);
    // A template makes it: only who writes the template knows what would give the same.
    let is_made = |c: &&FieldChange| matches!(c.reason, Reason::Drift | Reason::Conflict) && step.templated.contains(&c.path);
    let made: Vec<String> = step.changes.iter().filter(is_made).map(|c| c.path.to_string()).collect();
    let by_hand = (!made.is_empty()).then(|| format!("keep:     by hand, in the template that makes {}", made.join(", ")));
    let lines = [
        revert.map(|c| format!("put back: {c}")),
        accept.map(|c| format!("keep:     {c}")),
        by_hand,
        ignore.map(|c| format!("ignore:   {c}")),
    ];
    lines.into_iter().flatten().collect()
}

/// How drift of these fields is left alone; entries of access lists have no such thing, but a permission list may be additive.
fn ignore(drifted: &[&FieldChange], facet: Option<&str>) -> Option<String> {
    let added = || drifted.iter().all(|c| c.new.is_none());
    match facet {
        Some("permissions") if added() => Some("permissions: { mode: additive, entries: [...] } leaves what others add".to_owned()),
        Some(_) => None,
        None => {
            // A place in a list says nothing tomorrow: the list is named.
            let named = |path: &Path| {
                Path::from(path.steps().iter().take_while(|step| !matches!(step, Part::Index(_))).cloned().collect::<Vec<_>>())
            };
            let mut paths: Vec<String> = vec![];
            // What came and what went of a set have one path.
            for path in drifted.iter().map(|c| yaml_word(&named(&c.path).to_string())) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
            Some(format!("lifecycle: {{ ignore_changes: [{}] }}", paths.join(", ")))
        }
    }
}

/// An entry of an access list by who it is about: `group "ops"`, `analysts`; none for any other path.
#[must_use]
pub fn principal(path: &Path) -> Option<String> {
    let [Part::Field(entries), Part::Key(pairs, _), Part::Field(_)] = path.steps() else { return None };
    let [(field, name)] = pairs.as_slice() else { return None };
    if entries != "entries" {
        return None;
    }
    let name = inline(&Value::text(name.as_str()));
    match field.as_str() {
        "principal" => Some(name.trim_matches('"').to_owned()),
        "user_name" => Some(format!("user {name}")),
        "group_name" => Some(format!("group {name}")),
        "service_principal_name" => Some(format!("service principal {name}")),
        _ => None,
    }
}

/// An address as it can stand on a command line.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '=' | ',' | '@' | '%' | '+' | '^' | '~');
    let bare = !text.is_empty() && !text.starts_with('~') && text.chars().all(plain);
    if bare { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A path as it can stand in a YAML flow list.
fn yaml_word(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{change, step};
    use super::{Given, Reason, answers, common, in_place};
    use crate::plan::Action;

    #[test]
    fn each_sort_of_drift_has_its_commands() {
        let table: [(&str, Vec<_>, &[&str]); 7] = [
            (
                "jobs.a",
                vec![change("timeout_seconds", "60", "7200", Reason::Drift), change("tags.owner", "\"ana\"", "", Reason::Drift)],
                &[
                    "put back: brickform apply --env prod --target jobs.a",
                    "keep:     brickform adopt --env prod --write jobs.a",
                    "ignore:   lifecycle: { ignore_changes: [timeout_seconds, tags.owner] }",
                ],
            ),
            (
                "jobs.a/permissions",
                vec![change(r#"entries[group_name="x"]"#, r#"{"group_name":"x","permission_level":"CAN_VIEW"}"#, "", Reason::Drift)],
                &[
                    "put back: brickform apply --env prod --target jobs.a/permissions",
                    "keep:     brickform adopt --env prod --write jobs.a/permissions",
                    "ignore:   permissions: { mode: additive, entries: [...] } leaves what others add",
                ],
            ),
            (
                "schemas.a/grants",
                vec![change(r#"entries[principal="x"].privileges"#, "", "\"SELECT\"", Reason::Drift)],
                &[
                    "put back: brickform apply --env prod --target schemas.a/grants",
                    "keep:     brickform adopt --env prod --write schemas.a/grants",
                ],
            ),
            (
                "jobs.a[\"e'u\"]",
                vec![change("y", "1", "2", Reason::Drift)],
                &[r#"put back: brickform apply --env prod --target 'jobs.a["e'\''u"]'"#, "ignore:   lifecycle: { ignore_changes: [y] }"],
            ),
            (
                "jobs.a",
                vec![change("x", "1", "2", Reason::Changed), change("y", "1", "2", Reason::Drift)],
                &["keep:     brickform adopt --env prod --write jobs.a", "ignore:   lifecycle: { ignore_changes: [y] }"],
            ),
            ("jobs.a", vec![change("x", "1", "2", Reason::Changed)], &[]),
            // What came into a set, and what went.
            (
                "jobs.a",
                vec![change("y", "\"m\"", "", Reason::Drift), change("y", "", "\"n\"", Reason::Drift)],
                &[
                    "put back: brickform apply --env prod --target jobs.a",
                    "keep:     brickform adopt --env prod --write jobs.a",
                    "ignore:   lifecycle: { ignore_changes: [y] }",
                ],
            ),
        ];
        for (at, changes, want) in table {
            let mut given = step("jobs.a", Action::Update, "a");
            given.address = at.parse().unwrap();
            given.changes = changes;
            assert_eq!(answers(&given, "--env prod"), want, "{at}");
        }
    }

    #[test]
    fn what_a_template_makes_is_kept_by_hand() {
        let mut given = step("jobs.a", Action::Update, "a");
        given.changes = vec![change("y", "1", "2", Reason::Drift)];
        given.templated = vec!["y".parse().unwrap()];
        let by_hand = "keep:     by hand, in the template that makes y";
        let ignored = "ignore:   lifecycle: { ignore_changes: [y] }";
        assert_eq!(answers(&given, "--env prod"), ["put back: brickform apply --env prod --target jobs.a", by_hand, ignored]);
        given.changes.push(change("z", "1", "2", Reason::Drift));
        assert_eq!(answers(&given, "--env prod")[1..3], ["keep:     brickform adopt --env prod --write jobs.a", by_hand]);
    }

    #[test]
    fn what_was_deleted_can_stay_deleted() {
        let mut given = step("schemas.a", Action::Create, "a");
        given.because = Some("deleted in the workspace".to_owned());
        given.changes = vec![change("name", "", "\"a\"", Reason::Changed)];
        assert_eq!(
            answers(&given, "--env prod"),
            [
                "put back: brickform apply --env prod --target schemas.a",
                "keep:     brickform adopt --env prod --write schemas.a --deletions"
            ]
        );
    }

    #[test]
    fn commands_name_their_environment() {
        for (text, want) in [
            (
                "`brickform state history` lists them; `brickform state push --serial N` goes back",
                "`brickform state history --env prod` lists them; `brickform state push --env prod --serial N` goes back",
            ),
            ("`brickform auth describe` says which", "`brickform auth describe --env prod` says which"),
            ("look: `brickform state unlock a1`", "look: `brickform state unlock --env prod a1`"),
            ("`brickform plan --env dev` shows", "`brickform plan --env dev` shows"),
            ("then: brickform apply plan.json", "then: brickform apply plan.json"),
            ("first `brickform apply`", "first `brickform apply --env prod`"),
            ("`brickform explain E0305` says more", "`brickform explain E0305` says more"),
            ("brickform adopt jobs.a    # takes it over", "brickform adopt --env prod jobs.a    # takes it over"),
            ("no command", "no command"),
        ] {
            assert_eq!(in_place(text, Some("prod"), Given::Nothing), want);
        }
    }

    const GIVEN: Given<'_> =
        Given::Options { project_dir: None, config: Some("conf/spaces"), state: Some("/x/it's"), profile: None, variable_files: &[] };

    #[test]
    fn answers_are_about_the_state_that_was_asked() {
        let mut given = step("jobs.a", Action::Update, "a");
        given.changes = vec![change("y", "1", "2", Reason::Drift)];
        assert_eq!(
            answers(&given, &common("prod", GIVEN))[..2],
            [
                r"put back: brickform apply --env prod --config conf/spaces --state '/x/it'\''s' --target jobs.a",
                r"keep:     brickform adopt --env prod --config conf/spaces --state '/x/it'\''s' --write jobs.a",
            ]
        );
        assert_eq!(common("prod", Given::Nothing), "--env prod");
    }

    #[test]
    fn the_options_of_a_printed_command_are_those_that_it_was_given() {
        let files = ["a.yaml".to_owned(), "b c.yaml".to_owned()];
        let all = Given::Options {
            project_dir: Some("shop"),
            config: Some("conf/spaces"),
            state: Some("/x/it's here"),
            profile: Some("P"),
            variable_files: &files,
        };
        let command = format!("brickform plan {} --target 'jobs.*' --allow-delete schemas", common("my env", all));
        assert_eq!(Given::Command(&command).words(), all.words());
        assert_eq!(all.words().len(), 6);
        assert_eq!(Given::Command("").words(), Vec::<String>::new());
    }

    #[test]
    fn commands_in_sentences_name_project_and_state() {
        let put = r"--config conf/spaces --state '/x/it'\''s'";
        for (text, want) in [
            (
                "brickform adopt --env dev spaces.js    # takes it over",
                format!("brickform adopt --env dev {put} spaces.js    # takes it over"),
            ),
            ("`brickform adopt --env 'a b' --all` takes all", format!("`brickform adopt --env 'a b' {put} --all` takes all")),
            ("the state: brickform state rm 'jobs.a'", format!("the state: brickform state rm --env prod {put} 'jobs.a'")),
            ("then: brickform apply plan.json", format!("then: brickform apply plan.json {put}")),
            ("brickform plan --env dev --state /y --config c", "brickform plan --env dev --state /y --config c".to_owned()),
            ("`brickform explain E0305` says more", "`brickform explain E0305` says more".to_owned()),
            ("brickform plan --env  é", format!("brickform plan --env  é {put}")),
            ("brickform apply  é", format!("brickform apply --env prod {put}  é")),
        ] {
            let told = in_place(text, Some("prod"), GIVEN);
            assert_eq!(told, want);
            assert_eq!(in_place(&told, Some("prod"), GIVEN), want, "twice");
        }
        assert_eq!(in_place("`brickform plan`", None, Given::Nothing), "`brickform plan`");
    }
}
