//! Options of the commands that make a plan, and how a plan is shown.

use clap::{ArgAction, Args};

use super::findings::{self, Spot};
use super::options::Form;
use super::parts::{self, Part};
use super::session::given;
use super::{Failure, Run, saving};
use crate::diagnostic::suggest;
use crate::kinds::Registry;
use crate::model::{Address, Pattern};
use crate::plan::{self, Plan};
use crate::report::about::About;
use crate::report::answers::shell_word;
use crate::report::text::Look;
use crate::report::{html, json, markdown, text};

/// What narrows a plan.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Narrowing")]
pub struct Narrowing {
    /// Only these addresses, and what they need where YAML asks for it; `*` stands for any text: 'jobs.*', 'jobs.ingest[*]'
    #[arg(long = "target", value_name = "ADDRESS")]
    targets: Vec<String>,
    /// Not these addresses, nor what needs them; takes `*` too
    #[arg(long = "exclude", value_name = "ADDRESS")]
    excludes: Vec<String>,
    /// `--refresh=false` compares with the state only
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", env = "BRICKFORM_REFRESH")]
    refresh: bool,
}

/// What narrows or loosens a plan.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Planning")]
pub struct Planning {
    #[command(flatten)]
    narrowing: Narrowing,
    /// Replace this object although nothing forces it
    #[arg(long = "replace", value_name = "ADDRESS")]
    replace: Vec<String>,
    /// Take over objects that already exist under the same name
    #[arg(long, env = "BRICKFORM_ADOPT", value_parser = clap::builder::BoolishValueParser::new())]
    adopt: bool,
    /// Ask the workspace whether the tables, columns, functions, warehouses and principals that the files name are there
    #[arg(long, env = "BRICKFORM_PREFLIGHT", value_parser = clap::builder::BoolishValueParser::new())]
    preflight: bool,
    /// Allow names that the workspace does not have (`--preflight`, `guards.preflight`)
    #[arg(long)]
    allow_missing: bool,
    /// Let YAML win where it and the workspace changed the same field (`on_conflict: block`)
    #[arg(long = "accept-conflict", value_name = "ADDRESS")]
    accept_conflicts: Vec<String>,
    /// Allow deleting or replacing objects of this kind although they hold data
    #[arg(long = "allow-delete", value_name = "KIND", value_delimiter = ',')]
    allow_delete: Vec<String>,
    /// Allow more deletes than `guards.max_deletes`
    #[arg(long)]
    allow_max_deletes: bool,
    /// Allow changing more than `guards.max_change_percent`
    #[arg(long)]
    allow_max_change_percent: bool,
    /// Allow deleting kinds that `guards.protect` names
    #[arg(long)]
    allow_protected_kind: bool,
    /// Let a policy of this name pass
    #[arg(long = "allow-policy", value_name = "NAME", value_delimiter = ',')]
    allow_policies: Vec<String>,
    /// Allow taking from yourself what lets you manage an object, or what makes you an admin
    #[arg(long)]
    allow_self_lockout: bool,
    /// Allow a working tree with uncommitted changes (`guards.require_clean_git`)
    #[arg(long, visible_alias = "allow-dirty")]
    allow_dirty_tree: bool,
    /// Allow a commit that is older than the one that is applied (`guards.ancestry`)
    #[arg(long)]
    allow_older_commit: bool,
    /// Allow a commit beside the one that is applied: neither descends from the other (`guards.ancestry`)
    #[arg(long)]
    allow_diverged_commit: bool,
    /// Allow a commit of which Git cannot tell whether it is newer (`guards.ancestry`)
    #[arg(long)]
    allow_unknown_ancestry: bool,
    /// Allow what would bring back what was rolled back, and end the pin that `rollback` set
    #[arg(long)]
    unpin: bool,
}

/// How a plan is shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Showing")]
pub struct Showing {
    /// List fields that YAML never set
    #[arg(long, env = "BRICKFORM_UNMANAGED", value_parser = clap::builder::BoolishValueParser::new())]
    unmanaged: bool,
    /// List the requests of each step
    #[arg(long, env = "BRICKFORM_REQUESTS", value_parser = clap::builder::BoolishValueParser::new())]
    requests: bool,
    /// An event a line on standard output instead of a result
    #[arg(long, env = "BRICKFORM_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,
    /// Also write a report: `text`, `json`, `markdown`, `html`, `junit` or `sarif`, any number of times; `{env}` in the file is the environment; without it the last four are one file for all environments
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    reports: Vec<(Form, String)>,
}

/// `markdown=plan.md`.
pub fn report(text: &str) -> Result<(Form, String), String> {
    let known = "`text`, `json`, `markdown`, `html`, `junit` and `sarif`";
    let (form, file) = text.split_once('=').ok_or_else(|| format!("give FORMAT=FILE; formats are {known}"))?;
    let found = [Form::Text, Form::Json, Form::Markdown, Form::Html, Form::Junit, Form::Sarif].into_iter().find(|f| f.word() == form);
    match (found, file) {
        (None, _) => Err(format!("there is no report `{form}`; formats are {known}")),
        (_, "") => Err("the file has no name".to_owned()),
        (Some(found), file) => Ok((found, file.to_owned())),
    }
}

impl Showing {
    /// Whether a report of this form is asked for.
    pub fn has(&self, form: Form) -> bool {
        self.reports.iter().any(|(asked, _)| *asked == form)
    }

    /// The reports: form and file.
    pub fn reports(&self) -> &[(Form, String)] {
        &self.reports
    }
}

impl Narrowing {
    /// As the plan floor takes it.
    ///
    /// # Errors
    /// An address or kind that is none.
    pub fn options(&self, registry: &Registry) -> Result<plan::Options, Failure> {
        Ok(plan::Options {
            targets: patterns(&self.targets, registry)?,
            excludes: patterns(&self.excludes, registry)?,
            no_refresh: !self.refresh,
            ..plan::Options::default()
        })
    }
}

impl Planning {
    /// The flags as they were given, so that a command can be repeated.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![];
        for (flag, values) in [
            ("--target", &self.narrowing.targets),
            ("--exclude", &self.narrowing.excludes),
            ("--replace", &self.replace),
            ("--accept-conflict", &self.accept_conflicts),
            ("--allow-delete", &self.allow_delete),
            ("--allow-policy", &self.allow_policies),
        ] {
            words.extend(values.iter().map(|value| format!("{flag} {}", shell_word(value))));
        }
        for (given, flag) in [
            (self.adopt, "--adopt"),
            (self.preflight, "--preflight"),
            (self.allow_missing, "--allow-missing"),
            (!self.narrowing.refresh, "--refresh=false"),
            (self.allow_max_deletes, "--allow-max-deletes"),
            (self.allow_max_change_percent, "--allow-max-change-percent"),
            (self.allow_protected_kind, "--allow-protected-kind"),
            (self.allow_self_lockout, "--allow-self-lockout"),
            (self.allow_dirty_tree, "--allow-dirty-tree"),
            (self.allow_older_commit, "--allow-older-commit"),
            (self.allow_diverged_commit, "--allow-diverged-commit"),
            (self.allow_unknown_ancestry, "--allow-unknown-ancestry"),
            (self.unpin, "--unpin"),
        ] {
            words.extend(given.then(|| flag.to_owned()));
        }
        words
    }

    /// What may loosen a plan in a file; what would make it another plan is refused.
    ///
    /// # Errors
    /// A flag that narrows or changes the plan.
    pub fn loosening(&self, registry: &Registry) -> Result<plan::Options, Failure> {
        let Narrowing { targets, excludes, refresh } = &self.narrowing;
        for (given, flag) in [
            (!targets.is_empty(), "--target"),
            (!excludes.is_empty(), "--exclude"),
            (!refresh, "--refresh=false"),
            (!self.replace.is_empty(), "--replace"),
            (self.adopt, "--adopt"),
        ] {
            if given {
                return Err(Failure::usage(
                    format!("`{flag}` makes another plan, and the plan in the file is carried out as it is"),
                    &[
                        "give it to `brickform plan --out FILE`; guards may be lifted here: `--allow-delete`, the other `--allow-...`, `--unpin`",
                    ],
                ));
            }
        }
        self.options(registry)
    }

    /// As the plan floor takes it.
    ///
    /// # Errors
    /// An address or kind that is none.
    pub fn options(&self, registry: &Registry) -> Result<plan::Options, Failure> {
        let mut overrides = vec![];
        for (given, guard) in [
            (self.allow_max_deletes, "max_deletes"),
            (self.allow_max_change_percent, "max_change_percent"),
            (self.allow_protected_kind, "protected_kind"),
            (self.allow_self_lockout, "self_lockout"),
            (self.allow_dirty_tree, "dirty_tree"),
            (self.allow_older_commit, "older_commit"),
            (self.allow_diverged_commit, "diverged_commit"),
            (self.allow_unknown_ancestry, "unknown_ancestry"),
            (self.unpin, "pinned"),
            (self.allow_missing, "preflight"),
        ] {
            overrides.extend(given.then(|| guard.to_owned()));
        }
        Ok(plan::Options {
            replace: addresses(&self.replace, registry)?,
            adopt: self.adopt,
            preflight: self.preflight,
            allow_delete: self.allow_delete.iter().map(|k| kind(k, registry)).collect::<Result<_, _>>()?,
            accept_conflicts: addresses(&self.accept_conflicts, registry)?,
            overrides,
            allow_policies: self.allow_policies.clone(),
            ..self.narrowing.options(registry)?
        })
    }
}

/// Addresses as they are typed, each with `*` for any text in it.
///
/// # Errors
/// One is none, or of no known kind.
pub fn patterns(list: &[String], registry: &Registry) -> Result<Vec<Pattern>, Failure> {
    list.iter().map(|text| pattern(text, registry)).collect()
}

/// What `--target` takes: an address, or `*` for any text in one.
fn pattern(text: &str, registry: &Registry) -> Result<Pattern, Failure> {
    let pattern: Pattern = text.parse().map_err(|error: crate::model::AddressError| {
        let all = registry.get(text).map(|_| format!("all {text}: `--target '{text}.*'`"));
        Failure::Usage { message: error.to_string(), help: all.into_iter().collect() }
    })?;
    if pattern.kind.contains('*') {
        return Ok(pattern);
    }
    let kind = kind(&pattern.kind, registry)?;
    Ok(pattern.of_kind(&kind))
}

fn addresses(list: &[String], registry: &Registry) -> Result<Vec<Address>, Failure> {
    list.iter().map(|text| address(text, registry)).collect()
}

/// An address as it is typed; aliases of kinds are understood.
///
/// # Errors
/// It is none, or of no known kind.
pub fn address(text: &str, registry: &Registry) -> Result<Address, Failure> {
    let mut address: Address = text.parse().map_err(|error: crate::model::AddressError| Failure::usage(error.to_string(), &[]))?;
    address.kind = kind(&address.kind, registry)?;
    Ok(address)
}

fn kind(text: &str, registry: &Registry) -> Result<String, Failure> {
    if let Some(kind) = registry.get(text) {
        return Ok(kind.name.to_owned());
    }
    let near = suggest::nearest(text, registry.iter().map(|k| k.name));
    Err(Failure::Usage {
        message: format!("there is no kind `{text}`"),
        help: near.map(|n| format!("did you mean `{n}`?")).into_iter().collect(),
    })
}

/// The look of a plan on this screen.
pub fn look<'r>(run: &Run<'r>, showing: &Showing, millis: u64) -> Look<'r> {
    Look {
        colour: run.screen.out_colour,
        width: run.screen.width,
        unmanaged: showing.unmanaged,
        requests: showing.requests,
        drift: false,
        saved: false,
        millis: run.screen.out_terminal.then_some(millis),
        sorts: None,
        given: given(run.options),
    }
}

/// A plan, and what stands around it in a comment.
pub struct Shown<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// How it looks.
    pub look: Look<'a>,
    /// Command, digest, commit.
    pub about: About<'a>,
    /// What only a page shows.
    pub around: Around,
}

/// What a page shows besides the plan.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// When a plan in a file was made, and until when it holds.
    pub held: Option<(String, String)>,
    /// What needs what, as far as the project is known.
    pub needs: Vec<(Address, Address)>,
    /// Where things are declared.
    pub spot: Spot,
}

impl Around {
    /// Around a plan of what is desired.
    pub fn of(desired: &crate::project::Desired) -> Self {
        let needs = desired.resources.iter().flat_map(|(address, r)| r.depends_on.iter().map(|needed| (address.clone(), needed.clone())));
        Self { held: None, needs: needs.collect(), spot: Spot::default() }
    }
}

/// Prints a plan as a result, and writes the reports that were asked for.
///
/// # Errors
/// A report cannot be written.
pub fn show(run: &Run<'_>, showing: &Showing, shown: &Shown<'_>) -> Result<(), Failure> {
    let together = run.options.one_of_many && parts::is_together(run.screen.form);
    if run.options.one_of_many {
        run.screen.keep(Part::of(shown));
    }
    if !showing.json && !together {
        let text = written(run, shown, run.screen.form);
        run.screen.result(&if run.screen.form == Form::Text { run.screen.folded(&text) } else { text });
    }
    if run.screen.form == Form::Github {
        findings::to_runner(run, shown.plan, shown.about.digest, &markdown::plan(shown.plan, &shown.about))?;
    }
    // A file is no terminal.
    let plain = Shown { look: Look { colour: false, ..shown.look }, around: shown.around.clone(), ..*shown };
    write(run, showing, &|form| written(run, &plain, form))
}

/// Writes the reports that were asked for.
///
/// # Errors
/// One cannot be written.
pub fn write(run: &Run<'_>, showing: &Showing, text: &dyn Fn(Form) -> String) -> Result<(), Failure> {
    // What has one file for all environments is written when all are done.
    let own: Vec<(Form, String)> =
        showing.reports.iter().filter(|(_, file)| !run.options.one_of_many || file.contains("{env}")).cloned().collect();
    put(run, &own, text)
}

/// The same for commands that show no plan.
///
/// # Errors
/// One cannot be written.
pub fn put(run: &Run<'_>, reports: &[(Form, String)], text: &dyn Fn(Form) -> String) -> Result<(), Failure> {
    for (form, file) in reports {
        let file = &saving::named(file, run.options.environment.as_deref());
        if is_something_else(&run.outside.path(file), *form) {
            return Err(Failure::Machine {
                message: format!("the report is not written to {file}: there is a file that is no such report"),
                help: vec![format!("give it another name, or delete the file if nobody needs it: `--report {}=FILE`", form.word())],
            });
        }
        let path = run.outside.path(file);
        saving::put(&path, &run.screen.hidden(&text(*form), *form)).map_err(|error| Failure::Machine {
            message: format!("the report cannot be written to {file}: {}", saving::unwritable(&path, &error)),
            help: vec!["check that its folder is there and can be written".to_owned()],
        })?;
    }
    Ok(())
}

/// Before anything is sent: that there is a folder for each report.
///
/// # Errors
/// There is none.
pub fn can_be_put(run: &Run<'_>, reports: &[(Form, String)]) -> Result<(), Failure> {
    for (form, file) in reports {
        let file = &saving::named(file, run.options.environment.as_deref());
        let path = run.outside.path(file);
        if path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Failure::usage(
                format!("the report cannot be written to {file}: {}; nothing was sent", saving::unwritable(&path, &missing)),
                &[&format!("make the folder, or name another file: `--report {}=FILE`", form.word())],
            ));
        }
    }
    Ok(())
}

/// Whether a file is there that no report of this form was written to: somebody's YAML is not written over.
fn is_something_else(path: &std::path::Path, form: Form) -> bool {
    use std::io::Read as _;
    let mut start = vec![];
    // What is no file (a pipe, `/dev/stdout`) is written to as ever.
    if path.is_file() {
        let _ = std::fs::File::open(path).and_then(|file| file.take(512).read_to_end(&mut start));
    }
    let start = start.trim_ascii_start();
    let opens = |with: &[u8]| start.first().is_some_and(|first| with.contains(first));
    let is_source = path.extension().and_then(|end| end.to_str()).is_some_and(|end| matches!(end, "yaml" | "yml" | "hbs" | "sql" | "py"));
    !start.is_empty()
        && match form {
            Form::Html | Form::Junit => !opens(b"<"),
            Form::Json | Form::Sarif => is_source || !opens(b"{["),
            _ => is_source,
        }
}

fn written(run: &Run<'_>, shown: &Shown<'_>, form: Form) -> String {
    match form {
        Form::Json => json::beside(shown.plan, shown.look.unmanaged, shown.look.sorts, shown.look.given),
        Form::Markdown => markdown::plan(shown.plan, &shown.about),
        Form::Html => page(run, shown.plan, &shown.about, &shown.around),
        Form::Junit | Form::Sarif | Form::Github => findings::of_plan(form, shown.plan, shown.about.drift, None, &shown.around.spot),
        _ => text::plan(shown.plan, &shown.look),
    }
}

/// A plan as a page.
pub fn page(run: &Run<'_>, plan: &Plan, about: &About<'_>, around: &Around) -> String {
    let link = super::pipeline::link(run.outside);
    let held = around.held.as_ref().map(|(made, until)| (made.as_str(), until.as_str()));
    html::plan(plan, &About { run: link.as_deref(), held, needs: &around.needs, ..*about })
}

#[cfg(test)]
mod tests {
    use super::{Form, is_something_else};

    #[test]
    fn a_report_is_not_written_over_a_file_of_another_sort() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, form, want) in [
            ("dev.yaml", "workspace: local\n", Form::Html, true),
            ("dev.yaml", "# x\n", Form::Markdown, true),
            ("dev.json", "{\"workspace\": 1}", Form::Html, true),
            ("a.html", "<!doctype html>", Form::Html, false),
            ("a.html", "", Form::Html, false),
            ("a.md", "# Plan\n", Form::Markdown, false),
            ("a.json", "{}", Form::Json, false),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
            assert_eq!(is_something_else(&folder.path().join(name), form), want, "{name} {text}");
        }
        assert!(!is_something_else(&folder.path().join("new.html"), Form::Html));
    }
}
