//! `plan --base REVISION`: whose each change is. The base is read from Git and resolved with the answers that this plan had.

use super::diff::Tree;
use super::repository::{Repository, short};
use super::session::{Online, Session};
use super::{Failure, Run};
use crate::kinds::Registry;
use crate::plan::Plan;
use crate::plan::between::{Frame, Sorts, between};
use crate::report::between::Side;

/// The base of a plan.
pub struct Base {
    side: Side,
    tree: Tree,
    registry: Registry,
}

impl Base {
    /// Reads the files of a revision.
    ///
    /// # Errors
    /// There is no repository or no such revision, or the project cannot be read there.
    pub fn of(revision: &str, run: &Run<'_>, session: &Session) -> Result<Self, Failure> {
        let repository = Repository::here(run)?;
        let side = Side { name: revision.to_owned(), commit: Some(repository.commit(revision)?) };
        let tree = Tree::of(&repository, run, &side)?;
        let base = Self { side, tree, registry: Registry::standard() };
        let named = session.project.environments.iter().any(|name| name == session.environment());
        if base.is_there(session) {
            // What is wrong with it is told before anything is asked of a workspace.
            if let Err(failed) = base.tree.desired(named.then(|| session.environment()), &base.registry) {
                run.screen.raw(&format!("In {}:\n", base.side.words()));
                return Err(Failure::Project(failed));
            }
        }
        Ok(base)
    }

    /// Whether the base has the environment: a new one is this revision's own altogether.
    fn is_there(&self, session: &Session) -> bool {
        let named = session.project.environments.iter().any(|name| name == session.environment());
        self.tree.has_project()
            && (!named || self.tree.environments().map_or(true, |names| names.iter().any(|n| n == session.environment())))
    }

    /// Whose each change of the plan is; none where the base cannot be resolved with the answers of today, which is told.
    pub fn sorts(&self, run: &Run<'_>, plan: &Plan, session: &Session, online: &Online) -> Option<Sorts> {
        let environment = session.environment();
        let named = session.project.environments.iter().any(|name| name == environment);
        let before = self.is_there(session).then(|| self.tree.answered(named.then_some(environment), &self.registry, &online.answers));
        let before = match before.transpose() {
            Ok(before) => before.map(|(_, desired)| desired),
            Err(failed) => {
                let why = failed.diagnostics.first().map(|found| format!(": {}", found.message)).unwrap_or_default();
                run.screen.note(&format!(
                    "note: whose each change is cannot be told: {} is no valid project with what the workspace answers today{why}",
                    self.side.words()
                ));
                return None;
            }
        };
        let frame = Frame { project: &session.project.name, environment, registry: &session.registry };
        let since = between(before.as_ref(), &online.desired, &frame);
        Some(Sorts::of(plan, &since, &self.side.name, self.side.commit.as_deref().map_or("", short)))
    }
}
