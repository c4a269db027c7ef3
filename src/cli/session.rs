//! From a command line to a plan: project, workspace, lookups, state, live. Wires the floors below; decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::backend::{self, Backend};
use super::connect::{self, Connection};
use super::git::Git;
use super::options::Options;
use super::{Failure, Run};
use crate::diagnostic::{Diagnostic, Severity, suggest};
use crate::kinds::{Api, Identity, Registry};
use crate::model::{Address, Pattern, bounded};
use crate::plan::{self, Plan};
use crate::project::{Answers, Check, Desired, Project};
use crate::refresh;
use crate::report::answers::{self, Given};
use crate::state::remote::Remote;
use crate::state::{self, Document, LockInfo, Mend, Waiting, WorkspaceIdentity};

/// What a command of one environment works with.
pub struct Session {
    /// Kinds.
    pub registry: Registry,
    /// The project, its environment chosen.
    pub project: Project,
    /// The state's place.
    pub store: Box<dyn Mend>,
    /// The state's file as plans name it: relative to the project's folder where it is below it.
    pub state_place: String,
    /// The state's store where it is one that many reach.
    pub remote: Option<Arc<Remote>>,
    /// Whether it was said that commits are not compared.
    pub told: AtomicBool,
    /// The commit that the project's files were read from, where they are not those that are checked out.
    pub commit: Option<String>,
}

/// A session with a workspace that answered.
pub struct Online {
    /// The workspace.
    pub connection: Connection,
    /// Everything desired.
    pub desired: Desired,
    /// What the workspace answered to lookups.
    pub answers: Answers,
}

impl Session {
    /// Loads the project and finds the state. Asks no workspace.
    pub fn open(run: &Run<'_>) -> Result<Self, Failure> {
        Self::with(run, BTreeMap::new())
    }

    /// The same with bytes that stand in for those of files: the project as it would be after an edit.
    pub fn with(run: &Run<'_>, contents: BTreeMap<PathBuf, Vec<u8>>) -> Result<Self, Failure> {
        let registry = Registry::standard();
        let ask = crate::project::Ask { contents, ..run.options.ask(run.outside)? };
        let project = super::load(run, &ask, &registry)?;
        let Backend { store, place, remote, file: _ } = backend::of(run, &project)?;
        let registry = project.registry().clone();
        Ok(Self { registry, project, store, state_place: place, remote, told: AtomicBool::new(false), commit: None })
    }

    /// The environment's name.
    pub fn environment(&self) -> &str {
        &self.project.environment.name
    }

    /// The commit that the project's files are of, if they are in a Git repository.
    pub fn commit(&self, run: &Run<'_>) -> Option<String> {
        self.commit.clone().or_else(|| Git::at(run.outside, &self.project.folder).head().ok())
    }

    /// The state as it is; none before the first apply.
    pub fn document(&self) -> Result<Option<Document>, Failure> {
        Ok(self.store.load()?)
    }

    /// Takes the lock of the environment.
    pub fn lock(&self, run: &Run<'_>, operation: &str) -> Result<(), Failure> {
        lock(run, self.commit(run), &*self.store, operation)?;
        if let Some(remote) = &self.remote {
            run.screen.stopping.gives_back(remote);
        }
        Ok(())
    }

    /// The state, or an empty one where nothing was applied yet.
    pub fn state(&self) -> Result<Document, Failure> {
        Ok(self.document()?.unwrap_or_else(|| state::new_document(&self.project.name, self.environment())))
    }

    /// Connects, loads the state, answers lookups and resolves what is desired. Warnings are shown.
    pub async fn online(&self, run: &Run<'_>) -> Result<(Online, Document), Failure> {
        let connection = connect::connect(run, &self.project).await?;
        let document = self.state()?;
        Ok((self.answered(run, connection, &document).await?, document))
    }

    /// Answers lookups over a connection and resolves what is desired. What the state names is not asked for.
    pub async fn answered(&self, run: &Run<'_>, connection: Connection, state: &Document) -> Result<Online, Failure> {
        let project = &self.project;
        let asked = refresh::questions(&connection.client, &self.registry, project, state).await;
        let mut answers = asked.map_err(|error| Failure::api("lookups cannot be answered", error))?;
        let desired = project.resolve(&answers).map_err(Failure::mistakes)?;
        // Which of two APIs it is shows below: then it is told exactly.
        let sure: Vec<Diagnostic> = desired.warnings.iter().filter(|warning| warning.code != "W0133").cloned().collect();
        run.screen.diagnostics(&sure);
        // A plan is bound to what lookups gave; whom somebody only may be called gave a warning.
        answers.retain(|asked, _| project.checks.get(asked) != Some(&Check::Known) || project.lookups.contains(asked));
        Ok(Online { connection, desired, answers })
    }

    /// The same workspace for a project that was edited: what it desires now.
    pub fn again(&self, online: Online) -> Result<Online, Failure> {
        let desired = self.project.resolve(&online.answers).map_err(Failure::mistakes)?;
        Ok(Online { desired, ..online })
    }

    /// Changes the state by hand, under the lock that is held: the next serial, saved.
    pub fn record(&self, run: &Run<'_>, online: &Online, mut document: Document, by: &str) -> Result<(), Failure> {
        if document.lineage.is_empty() {
            document.lineage = state::new_lineage(run.outside);
        }
        document.workspace.get_or_insert_with(|| online.connection.identity.clone());
        document.serial += 1;
        Ok(self.store.save(&document, by)?)
    }

    /// Reads live and makes the plan. Gives the plan and the milliseconds that reading took.
    pub async fn plan(&self, run: &Run<'_>, online: &Online, document: &Document, options: &plan::Options) -> Result<(Plan, u64), Failure> {
        same_workspace(document, &online.connection.identity, self.environment())?;
        self.known(options, &online.desired, document)?;
        imported(run, &online.desired, document)?;
        let provenance = if options.drift_only || self.commit.is_some() {
            plan::Provenance { applies: options.provenance.applies, ..plan::Provenance::default() }
        } else {
            super::provenance::of(run, self, &online.desired, document, options.provenance.applies)
        };
        // Whoever takes something over stays in its list of permissions, by whichever way it is taken over.
        let takers = match &options.takers.caller {
            Some(_) => options.takers.clone(),
            None => {
                plan::Takers { caller: plan::Takers::of(&online.connection.caller, None, &self.registry).caller, ..options.takers.clone() }
            }
        };
        let options = &plan::Options { provenance, takers, ..options.clone() };
        let since = |begun| u64::try_from(run.outside.now().duration_since(begun).as_millis()).unwrap_or(0);
        let begun = run.outside.now();
        let mut live = if options.no_refresh { None } else { Some(self.read(run, online, document, options).await) };
        let mut millis = since(begun);
        let begun = run.outside.now();
        let ahead = self.look_ahead(online, document, options, live.as_ref()).await;
        millis += since(begun);
        let passed = live.as_mut().map(|live| super::restored::let_pass(self, document, run.outside.now(), live)).unwrap_or_default();
        let renewed = self.by_chosen_apis(online)?;
        let desired = renewed.as_ref().unwrap_or(&online.desired);
        let secrets = super::secrets::recorded(run, self.project.environment.state.key.as_ref(), desired)?;
        let known = run.outside.known();
        let make = |live: Option<&refresh::Snapshot>| {
            plan::make(&plan::Inputs {
                preflight: ahead.as_ref(),
                desired,
                state: document,
                state_place: self.state_place.clone(),
                live,
                environment: &self.project.environment,
                project: &self.project.name,
                workspace: online.connection.identity.clone(),
                host: &online.connection.link_host,
                registry: &self.registry,
                options,
                policies: &self.project.policies,
                secrets: &secrets,
                caller: Some(&online.connection.me),
                known: Some(&known),
            })
        };
        let mut plan = make(live.as_ref());
        if let Some(live) = &mut live {
            let unopened = plan::unopened(&plan, &self.registry, live);
            let unread: Vec<_> =
                plan::unread(&plan, &self.registry, live).into_iter().map(|part| (part.address, part.kind, part.body)).collect();
            if !unopened.is_empty() || !unread.is_empty() {
                let begun = run.outside.now();
                refresh::look_inside(&online.connection.client, live, &unopened).await;
                refresh::look_at_parts(&online.connection.client, live, unread).await;
                millis += since(begun);
                plan = make(Some(live));
            }
        }
        super::restored::tell(self, document, &passed, &mut plan);
        self.placed(given(run.options), &mut plan);
        Ok((plan, millis))
    }

    /// Lets the commands that a plan advises be about this project and this state: without its options a command succeeds
    /// against another one.
    fn placed(&self, given: Given<'_>, plan: &mut Plan) {
        let mut lines: Vec<&mut String> = vec![];
        let mut blocks: Vec<&mut plan::Block> = plan.blocks.iter_mut().chain(&mut plan.warnings).collect();
        for step in &mut plan.steps {
            lines.extend(step.notes.iter_mut().chain(&mut step.takes));
            blocks.extend(&mut step.blocks);
        }
        let mut remedies: Vec<&mut String> = vec![];
        for plan::Block { reason, remedy, .. } in blocks {
            lines.push(reason);
            remedies.extend(remedy);
        }
        // A sentence may be somebody's own: only what it marks as a command is one.
        lines.retain(|line| line.contains("`brickform "));
        lines.extend(remedies);
        for line in lines {
            *line = answers::in_place(line, Some(self.environment()), given);
        }
    }

    /// What is desired, held against the APIs that the workspace turned out to have; none where nothing of it is another.
    fn by_chosen_apis(&self, online: &Online) -> Result<Option<Desired>, Failure> {
        let mut is_other = false;
        for resource in online.desired.resources.values().filter(|resource| resource.kind.otherwise.is_some()) {
            if self.registry.chosen(resource.kind).is_none() {
                // The first of the two answered, or nobody was asked.
                if resource.kind.hooks.carries.is_some_and(|carries| !carries(&resource.body).is_empty()) {
                    self.registry.choose(resource.kind, Api::First);
                    is_other = true;
                }
            } else if !std::ptr::eq(self.registry.current(resource.kind), resource.kind) {
                is_other = true;
            }
        }
        if !is_other {
            return Ok(None);
        }
        self.project.resolve(&online.answers).map(Some).map_err(Failure::mistakes)
    }

    /// Asks whether what the files name is there, where the command or the environment wants that.
    async fn look_ahead(
        &self,
        online: &Online,
        document: &Document,
        options: &plan::Options,
        live: Option<&refresh::Snapshot>,
    ) -> Option<refresh::Preflight> {
        let wanted = options.preflight || self.project.environment.guards.preflight;
        if !wanted || options.destroy || options.drift_only {
            return None;
        }
        let scope = plan::Scope::of(&online.desired, document, options);
        let only = |address: &Address| scope.holds(address);
        let ask = refresh::Ask {
            desired: &online.desired,
            state: document,
            registry: &self.registry,
            only: Some(&only),
            recent: false,
            destroy: false,
        };
        Some(refresh::look_ahead(&online.connection.client, &ask, live, Some(&online.connection.me)).await)
    }

    async fn read(&self, run: &Run<'_>, online: &Online, document: &Document, options: &plan::Options) -> refresh::Snapshot {
        let scope = plan::Scope::of(&online.desired, document, options);
        let only = |address: &Address| scope.holds(address);
        let age = self.store.written().map(|at| run.outside.now().duration_since(at).as_secs());
        let recent = age.is_some_and(|seconds| seconds < refresh::LAG_SECONDS);
        let ask = refresh::Ask {
            desired: &online.desired,
            state: document,
            registry: &self.registry,
            only: Some(&only),
            recent,
            destroy: options.destroy,
        };
        refresh::read(&online.connection.client, &ask).await
    }

    /// Addresses given on the command line must name something.
    fn known(&self, options: &plan::Options, desired: &Desired, document: &Document) -> Result<(), Failure> {
        let exact = options.replace.iter().chain(&options.accept_conflicts).cloned().map(Pattern::from);
        let given = options.targets.iter().chain(&options.excludes).cloned().chain(exact);
        let known = || desired.resources.keys().chain(document.resources.keys());
        for pattern in given {
            if known().any(|address| pattern.covers(address)) {
                continue;
            }
            let message = if pattern.is_open() {
                format!("nothing in YAML or in the state of {} matches `{pattern}`", self.environment())
            } else {
                format!("`{pattern}` is neither in YAML nor in the state of {}", self.environment())
            };
            let names: Vec<String> = known().map(ToString::to_string).collect();
            let near = suggest::nearest(&pattern.to_string(), names.iter().map(String::as_str));
            let help = near.map_or_else(|| there_is(&pattern, &known().collect()), |near| format!("did you mean `{near}`?"));
            return Err(Failure::Usage { message, help: vec![help] });
        }
        Ok(())
    }
}

/// What there is of the kind that was asked for; of anything, where there is nothing of it.
fn there_is(pattern: &Pattern, known: &BTreeSet<&Address>) -> String {
    const TOLD: usize = 8;
    let whole = || known.iter().filter(|a| !a.is_facet());
    let same: Vec<String> = whole().filter(|a| a.kind == pattern.kind).map(|a| format!("`{a}`")).collect();
    if same.is_empty() {
        let kinds: BTreeSet<&str> = whole().map(|a| a.kind.as_str()).collect();
        let kinds: Vec<String> = kinds.into_iter().map(|kind| format!("`{kind}.*`")).collect();
        return if kinds.is_empty() { "there is nothing yet".to_owned() } else { format!("there is {}", kinds.join(", ")) };
    }
    let more = if same.len() > TOLD { format!(" and {} more", same.len() - TOLD) } else { String::new() };
    format!("there is {}{more}", same[..same.len().min(TOLD)].join(", "))
}

/// The options of this run that choose project, state and workspace, for every command that is printed.
pub fn given(options: &Options) -> Given<'_> {
    Given::Options {
        project_dir: options.project_dir.as_deref(),
        config: options.config.as_deref(),
        state: options.state.as_deref(),
        profile: options.profile.as_deref(),
        variable_files: &options.variable_files,
    }
}

/// Takes the lock of a state, for this commit.
pub fn lock(run: &Run<'_>, commit: Option<String>, store: &dyn Mend, operation: &str) -> Result<(), Failure> {
    let wait = std::time::Duration::from_secs(run.options.lock_timeout.map_or(0, |limit| limit.0));
    let waiting = Waiting { wait, say: &|text| run.screen.note(&text) };
    if let Some(before) = store.lock(&holder(run, operation, commit), waiting)? {
        run.screen.note(&format!("taken over from {before}: its lease ran out. What it had begun is looked up first."));
    }
    Ok(())
}

/// Imports that do nothing, since the state holds another object under their address. Only of kinds whose ids the
/// workspace makes up: names have several spellings.
fn imported(run: &Run<'_>, desired: &Desired, document: &Document) -> Result<(), Failure> {
    let made_up = |address: &Address| desired.resources.get(address).is_some_and(|r| matches!(r.kind.identity, Identity::Assigned(_)));
    let idle = desired.imports.iter().filter_map(|(address, (id, span))| {
        let held = &document.resources.get(address).filter(|entry| made_up(address) && entry.id != *id && !entry.id.is_empty())?.id;
        let found =
            Diagnostic::warning("W0130", format!("{address} is managed already, as id {held}: this import does nothing")).at(span, "");
        let help = format!("take it away; to manage {id} instead: `brickform forget {address}` first");
        Some(found.help(answers::in_place(&help, None, given(run.options))))
    });
    let mut idle: Vec<Diagnostic> = idle.collect();
    if run.options.strict && !idle.is_empty() {
        for found in &mut idle {
            found.severity = Severity::Error;
        }
        return Err(Failure::mistakes(idle));
    }
    run.screen.diagnostics(&idle);
    Ok(())
}

/// A state belongs to one workspace for ever.
pub(super) fn same_workspace(document: &Document, answered: &WorkspaceIdentity, environment: &str) -> Result<(), Failure> {
    match &document.workspace {
        Some(known) if known.id != answered.id => Err(Failure::Guard {
            message: format!(
                "the state of {environment} belongs to workspace {} ({}), but {} ({}) answered: nothing was sent",
                known.id, known.host, answered.id, answered.host
            ),
            help: vec![
                "check the environment's `workspace:` and `--profile`".to_owned(),
                "for another workspace take another environment, or another state: `--state FILE`".to_owned(),
            ],
        }),
        _ => Ok(()),
    }
}

/// Who runs this process and where: `ada@ci-7 (process 4242)`.
pub(super) fn somebody(run: &Run<'_>) -> String {
    let user = run.outside.variable("USER").or_else(|| run.outside.variable("USERNAME")).unwrap_or("somebody");
    format!("{user}@{} (process {})", machine(run), std::process::id())
}

/// What this machine is called. Shells do not hand `HOSTNAME` on, so that the machine itself is asked.
fn machine(run: &Run<'_>) -> String {
    if let Some(name) = run.outside.variable("HOSTNAME").or_else(|| run.outside.variable("COMPUTERNAME")) {
        return name.to_owned();
    }
    let said = bounded::read(Path::new("/etc/hostname"), 4096).ok().or_else(|| {
        let said = run.outside.system.ask("uname", &["-n"], &run.outside.folder, Duration::from_secs(2)).ok()?;
        Some(said.stdout).filter(|_| said.code == Some(0))
    });
    let said = said.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let is_name = |name: &String| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    said.filter(is_name).unwrap_or_else(|| "an unnamed machine".to_owned())
}

fn holder(run: &Run<'_>, operation: &str, commit: Option<String>) -> LockInfo {
    LockInfo {
        holder: somebody(run),
        operation: operation.to_owned(),
        since: run.outside.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        link: super::pipeline::link(run.outside),
        commit,
        ..LockInfo::default()
    }
}
