//! `brickform rollback --to SERIAL|COMMIT`: plans the tree of an earlier commit from Git, shows what cannot come back, asks,
//! carries it out, and pins the environment so that the next pipeline does not bring back what was rolled back.

use clap::Args;

use super::apply::again;
use super::carry::{self, Consent, Consented, Way};
use super::connect::Connection;
use super::events::Events;
use super::git::Git;
use super::planning::{Planning, Showing};
use super::repository::{Filters, Repository};
use super::session::{Online, Session};
use super::{Exit, Failure, Run, adopt_write, connect, runtime, saving};
use crate::export::write::environment_file;
use crate::kinds::{Gone, Identity, Kind, Lifetime, Loss};
use crate::plan::{self, Action, Pinning, Plan, is_commit, short};
use crate::project::Ask;
use crate::state::{Document, Pin, Version};

/// The shortest name of a commit that is all digits: what is shorter is a serial.
const SHORTEST: usize = 7;

/// Arguments of `rollback`.
#[derive(Debug, Args)]
#[command(
    after_help = "The commit's files are read from Git; nothing is checked out. Variables, credentials, guards and the state are those of today.\n\
Afterwards the environment is pinned: a commit that would bring back what was rolled back is refused (6) until the revert is in Git too,\n\
or `apply --unpin`. The rule, with examples: docs/decisions/rollback.md\n\n\
Examples:\n  brickform rollback --to 41 --env prod --dry-run\n  brickform rollback --to a1b2c3d --env prod"
)]
pub struct Arguments {
    /// A serial of `state history`, or a commit, a branch or a tag
    #[arg(long, value_name = "SERIAL|COMMIT")]
    to: String,
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    pub(super) showing: Showing,
    /// Show the plan and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask. Waives no guard
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// What is gone back to.
struct Target {
    /// The commit.
    commit: String,
    /// Whether it was applied before, as far as versions are kept.
    applied: bool,
    /// The state as it was then, where that version is kept.
    then: Option<Document>,
}

/// Plans an earlier commit, asks, applies it, pins.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let options = arguments.planning.options(&session.registry)?;
    if session.document()?.is_none() {
        return Err(Failure::machine(format!("{} has no state yet: there is nothing to go back from", session.environment())));
    }
    let git = Git::at(run.outside, &session.project.folder);
    let target = target(&git, run, &session, &arguments.to)?;
    run.screen.note(&format!("Commit {}: its files are read from Git.", git.name(&target.commit)));
    let repository = Repository::around(run, &session.project.folder)?;
    whole(&repository, &session, &target.commit)?;
    let files = repository.checkout(&target.commit, "", Filters::On)?;
    let again = again(&format!("rollback --to {}", arguments.to), run, &session, &arguments.planning);
    let today = session.project.folder.clone();
    runtime()?.block_on(async {
        let connection = connect::connect(run, &session.project).await?;
        let session = at_commit(run, session, |path| repository.inside(&files, path), &target.commit)?;
        if !arguments.dry_run {
            session.lock(run, "rollback")?;
        }
        let back = Back { arguments, options: &options, again: &again, target: &target, git: Git::at(run.outside, &today) };
        let exit = back.through(run, &session, connection).await;
        session.store.unlock();
        exit
    })
}

/// The commit that is meant: of a serial, or by its name.
fn target(git: &Git<'_>, run: &Run<'_>, session: &Session, to: &str) -> Result<Target, Failure> {
    let history = session.store.history()?;
    let of_serial = to.parse::<u64>().ok().and_then(|serial| history.iter().find(|version| version.serial == serial));
    if let Some(version) = of_serial {
        let serial = version.serial;
        let Some(commit) = version.commit.clone() else {
            return Err(Failure::Usage {
                message: format!("serial {serial} of {} came from no commit: Git cannot give its files", session.environment()),
                help: vec!["`brickform state history` shows which serials have a commit".to_owned()],
            });
        };
        if let Some(words) = uncommitted(version, &commit) {
            run.screen.note(&words);
        }
        return held(git, commit, "from which that serial came").map(|commit| Target {
            commit,
            applied: true,
            then: session.store.kept(serial).ok().flatten(),
        });
    }
    // Git takes four digits for a commit, too: of another serial than was meant, one never heard of.
    if to.len() < SHORTEST && to.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Usage {
            message: format!("serial {to} of {} is not kept, or never was", session.environment()),
            help: vec![
                newest(&history),
                format!("a commit whose name begins so takes at least {SHORTEST} digits; a branch or a tag: refs/tags/{to}"),
            ],
        });
    }
    let Some(commit) = git.commit(to) else {
        return Err(Failure::Usage {
            message: format!("`{to}` is neither a serial that is kept nor a commit that Git knows here"),
            help: vec![newest(&history), "a commit of another branch has to be fetched first: git fetch origin".to_owned()],
        });
    };
    if let Some(words) = beside(&history, &commit) {
        run.screen.note(&words);
    }
    let same = history.iter().find(|version| version.commit.as_deref() == Some(&commit)).map(|version| version.serial);
    let then = same.and_then(|serial| session.store.kept(serial).ok().flatten());
    Ok(Target { commit, applied: same.is_some(), then })
}

/// What serials of a commit had and the commit does not hold. What was accepted from the workspace goes before what was applied
/// with uncommitted changes: nobody wants to lose it.
fn beside(history: &[Version], commit: &str) -> Option<String> {
    let of_commit = || history.iter().filter(|version| version.commit.as_deref() == Some(commit));
    let accepted = of_commit().filter(|version| version.by == adopt_write::BY);
    accepted.chain(of_commit()).find_map(|version| uncommitted(version, commit))
}

/// What that serial had and its commit does not hold, a line; none where the commit holds all of it.
fn uncommitted(version: &Version, commit: &str) -> Option<String> {
    let (serial, commit) = (version.serial, short(commit));
    if version.by == adopt_write::BY {
        let files = version.note.as_ref().map(|note| note.files.join(", ")).filter(|files| !files.is_empty());
        return Some(format!(
            "warning: serial {serial} was written by `adopt --write`, whose edits of {} commit {commit} does not hold: what comes back \
             is what that commit holds, and what was accepted from the workspace then is taken away. To keep it, go back to a serial or \
             a commit that holds these edits",
            files.as_deref().unwrap_or("the project's files")
        ));
    }
    let dirty = version.note.as_ref().is_some_and(|note| note.dirty);
    dirty.then(|| format!("note: serial {serial} was applied with uncommitted changes; what comes back is what commit {commit} holds"))
}

fn newest(history: &[Version]) -> String {
    let serials: Vec<String> = history.iter().take(5).map(|version| version.serial.to_string()).collect();
    format!("the newest serials are {}; `brickform state history` shows all", serials.join(", "))
}

/// A commit that the state names, where the clone holds it.
fn held(git: &Git<'_>, commit: String, which: &str) -> Result<String, Failure> {
    if git.holds(&commit) {
        return Ok(commit);
    }
    if !is_commit(&commit) {
        return Err(Failure::machine(format!("the state names `{commit}` as a commit, which is none")));
    }
    let message = format!("this clone does not hold commit {}, {which}", short(&commit));
    Err(Failure::Machine { message, help: vec![format!("fetch it: git fetch --unshallow, or git fetch origin {commit}")] })
}

/// The newest commit that was applied, as far as is known: what came before a rollback stays what is rolled back.
fn before(document: &Document) -> Option<&str> {
    let applied = document.commit.as_deref().or(document.known_commit.as_deref());
    document.pinned.as_ref().map_or(applied, |pin| pin.from.as_deref())
}

/// Refuses what is no way back, and what nobody can tell of; what was applied before is always one.
fn backwards(git: &Git<'_>, target: &Target, document: &Document, environment: &str) -> Result<(), Failure> {
    let to = target.commit.as_str();
    let same = document.pinned.is_none() && document.commit.as_deref() == Some(to);
    let newer = match before(document).filter(|from| *from != to) {
        Some(from) if git.holds(from) => git.is_ancestor(from, to).map_err(Failure::machine)?,
        Some(from) if !target.applied => {
            held(git, from.to_owned(), "which is applied: whether that is a way back is undecidable")?;
            false
        }
        _ => false,
    };
    if !same && !newer {
        return Ok(());
    }
    let what = if same { "is what is applied already" } else { "is newer than what is applied" };
    let help = vec![
        format!("to apply it: check it out, then brickform apply --env {environment}"),
        "`brickform state history` shows what was applied before".to_owned(),
    ];
    Err(Failure::Usage { message: format!("commit {} {what}: that is no way back", git.name(to)), help })
}

/// Refuses where Git does not hold all that the project is made of today: what is missing would look deleted.
fn whole(repository: &Repository<'_>, session: &Session, commit: &str) -> Result<(), Failure> {
    let environment = session.environment();
    // Wherever it stands and however it ends; outside of the project's folder this repository says nothing of it.
    let own = environment_file(&session.project).filter(|name| !name.starts_with(['/', '.']));
    let read: Vec<&str> = ["conf", "spaces"].into_iter().chain(own.as_deref()).collect();
    let lacking = repository.lacking(commit, &read)?;
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage {
        message: format!(
            "Git cannot give the whole project as it was at commit {}: it does not hold {}",
            short(commit),
            lacking.join("; ")
        ),
        help: vec![format!(
            "check that commit out in a folder where these are as they were, then: brickform apply --env {environment} --allow-older-commit"
        )],
    })
}

/// The session with the project as it was: its files from then; the workspace, the state and the guards of today.
fn at_commit(
    run: &Run<'_>,
    session: Session,
    inside: impl Fn(&std::path::Path) -> std::path::PathBuf,
    commit: &str,
) -> Result<Session, Failure> {
    let today = session.project;
    let asked = run.options.ask(run.outside)?;
    let ask = Ask {
        folder: Some(inside(&today.folder)),
        config: asked.config.as_deref().map(&inside),
        environment: Some(today.environment.name.clone()),
        ..asked
    };
    let loaded = super::load(run, &ask, &session.registry).inspect_err(|_| {
        run.screen.note(&format!("commit {}: its files do not make a project of {} today:", short(commit), today.environment.name));
    });
    let mut project = loaded?;
    project.name = today.name;
    project.environment.workspace = today.environment.workspace;
    project.environment.state = today.environment.state;
    project.environment.guards = today.environment.guards;
    project.environment.deployer = today.environment.deployer;
    Ok(Session { project, commit: Some(commit.to_owned()), ..session })
}

/// A rollback under way.
struct Back<'a> {
    arguments: &'a Arguments,
    options: &'a plan::Options,
    again: &'a str,
    target: &'a Target,
    git: Git<'a>,
}

impl Back<'_> {
    async fn through(&self, run: &Run<'_>, session: &Session, connection: Connection) -> Result<Exit, Failure> {
        let document = session.state()?;
        backwards(&self.git, self.target, &document, session.environment())?;
        let online = &session.answered(run, connection, &document).await?;
        let showing = &self.arguments.showing;
        let events = Events::new(run, showing.json);
        events.started(session.environment(), "rollback");
        let options = carry::applying(self.options);
        let (plan, millis) = self.plan(run, session, online, &document, &options).await?;
        events.refreshed(&plan, millis);
        let digest = saving::bound(run, session, online, &plan, &options)?.digest();
        let way = Way { options: &options, showing, operation: "rollback", again: self.again };
        if let Some(exit) = carry::shown(run, session, &way, &plan, &digest, millis)? {
            return Ok(exit);
        }
        if self.arguments.dry_run {
            run.screen.note("Nothing was sent: --dry-run.");
            return Ok(Exit::Done);
        }
        super::secrets::ready(run, &plan)?;
        let question = format!("Roll {} back to commit {}? Only `yes` does it: ", session.environment(), short(&self.target.commit));
        let consent = Consent { given: self.arguments.yes, question: &question, answer: "yes", command: "rollback" };
        if carry::consent(run, &consent)? == Consented::Asked {
            carry::unmoved(&plan, &self.plan(run, session, online, &document, &options).await?.0)?;
        }
        carry::out(run, session, online, &plan, document, &way, &digest).await
    }

    async fn plan(
        &self,
        run: &Run<'_>,
        session: &Session,
        online: &Online,
        document: &Document,
        options: &plan::Options,
    ) -> Result<(Plan, u64), Failure> {
        let (mut plan, millis) = session.plan(run, online, document, options).await?;
        for step in &mut plan.steps {
            let Some(kind) = session.registry.get(&step.kind) else { continue };
            let old = self.target.then.as_ref().and_then(|then| then.resources.get(&step.address)).map(|entry| entry.id.as_str());
            step.notes.extend(lost(kind, step, old));
        }
        plan.pinning = self.pinning(run, online, document);
        Ok((plan, millis))
    }

    /// Back at the newest commit that was applied, nothing is rolled back any more.
    fn pinning(&self, run: &Run<'_>, online: &Online, document: &Document) -> Pinning {
        let to = self.target.commit.clone();
        match (&document.pinned, before(document)) {
            (Some(_), Some(from)) if from == to => Pinning::Lifted,
            (Some(pin), _) if pin.to == to => Pinning::Stays,
            (_, from) => {
                let since = run.outside.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                Pinning::Set(Pin { to, from: from.map(str::to_owned), since, by: online.connection.caller.clone() })
            }
        }
    }
}

/// What going back does not bring back of an object that has to be made again, each a line.
fn lost(kind: &Kind, step: &plan::Step, old: Option<&str>) -> Vec<String> {
    let made = matches!(step.action, Action::Create | Action::Replace | Action::ReplaceNewFirst);
    if !made || step.address.is_facet() || kind.lifetime != Lifetime::Own {
        return vec![];
    }
    let mut out = vec![];
    if matches!(kind.identity, Identity::Assigned(_)) {
        let was = old.or(step.id.as_deref()).map(|id| format!(" (it was {id})")).unwrap_or_default();
        out.push(format!("cannot come back: its id{was}; it gets a new one, and links to the old one lead nowhere"));
    }
    match kind.loss {
        Loss::Nothing => {}
        Loss::History(what) | Loss::Data(what) => out.push(format!("cannot come back: {what}, if it was deleted since")),
    }
    if goes_to_trash(kind) && step.action == Action::Create {
        let import = old.map(|id| format!(", then `import: [{{ to: {}, id: \"{id}\" }}]` keeps its id", step.address)).unwrap_or_default();
        out.push(format!("the old one may still be in the workspace's trash: no request restores it, a person can{import}"));
    }
    out
}

fn goes_to_trash(kind: &Kind) -> bool {
    let field = kind.gone.iter().any(|gone| matches!(gone, Gone::Field(_, "TRASHED")));
    field || kind.delete.as_ref().is_some_and(|request| request.op.contains("trash"))
}

#[cfg(test)]
mod tests {
    use super::{beside, uncommitted};
    use crate::state::{Note, Version};

    #[test]
    fn by_the_name_of_a_commit_the_same_is_said() {
        let version = |serial: u64, by: &str, commit: &str, dirty: bool| Version {
            by: by.to_owned(),
            commit: Some(commit.to_owned()),
            note: Some(Note { dirty, ..Note::default() }),
            ..Version { serial, at: String::new(), by: String::new(), commit: None, resources: 1, note: None }
        };
        let history = [
            version(6, "apply", "def", false),
            version(5, "apply", "abc", true),
            version(4, "adopt --write", "abc", true),
            version(3, "apply", "abc", false),
            version(2, "adopt --write", "other", true),
            version(1, "apply", "dirty", true),
        ];
        for (commit, wanted) in [
            ("abc", Some("serial 4 was written by `adopt --write`")),
            ("dirty", Some("serial 1 was applied with uncommitted changes")),
            ("def", None),
            ("never", None),
        ] {
            let said = beside(&history, commit);
            assert!(wanted.is_none_or(|wanted| said.as_ref().is_some_and(|said| said.contains(wanted))), "{said:?}");
            assert_eq!(said.is_some(), wanted.is_some(), "{commit}");
        }
    }

    #[test]
    fn what_the_commit_of_a_serial_does_not_hold_is_said() {
        let version = |by: &str, note: Option<Note>| Version {
            serial: 7,
            at: String::new(),
            by: by.to_owned(),
            commit: Some("abc1234def".to_owned()),
            resources: 1,
            note,
        };
        let dirty = Note { dirty: true, ..Note::default() };
        let adopted = Note { files: vec!["spaces/a.yaml".to_owned(), "spaces/b.yaml".to_owned()], ..dirty.clone() };
        for (by, note, wanted) in [
            ("apply", None, None),
            ("apply", Some(Note::default()), None),
            ("apply", Some(dirty), Some("note: serial 7 was applied with uncommitted changes")),
            ("adopt --write", Some(adopted), Some("edits of spaces/a.yaml, spaces/b.yaml commit abc1234 does not hold")),
            // Written before the files were recorded.
            ("adopt --write", None, Some("edits of the project's files commit abc1234 does not hold")),
        ] {
            let said = uncommitted(&version(by, note), "abc1234def");
            match (wanted, said) {
                (Some(wanted), Some(said)) => assert!(said.contains(wanted), "{said}"),
                (wanted, said) => assert_eq!(wanted, said.as_deref(), "{by}"),
            }
        }
    }
}
