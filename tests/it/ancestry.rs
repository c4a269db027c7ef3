//! Which commit may be applied over which: a real Git repository, and the guard of commits on.

use super::cli::{Project, Ran};

const WAREHOUSE: &str = "warehouses: { bi: { name: bi, cluster_size: Small, auto_stop_mins: 10 } }\n";

/// A project in a repository.
pub(super) struct Repository {
    pub(super) project: Project,
}

impl Repository {
    pub(super) fn new(environment: &str) -> Self {
        let project = Project::new(&[
            ("conf/project.yaml", "name: shop\n"),
            ("conf/a.yaml", WAREHOUSE),
            ("environments/dev.yaml", environment),
            (".gitignore", ".brickform/\n"),
        ]);
        let repository = Self { project };
        repository.git("init -q -b main");
        repository.commit("First");
        repository
    }

    /// Runs Git; gives what it prints.
    pub(super) fn git(&self, line: &str) -> String {
        let outside = self.project.outside(&[]);
        let who = ["-c", "user.name=ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false"];
        let arguments: Vec<&str> = who.into_iter().chain(line.split(' ')).collect();
        let ran = outside.system.run("git", &arguments, self.project.folder.path()).expect("git is there");
        assert_eq!(ran.code, Some(0), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    /// Commits everything under a message of one word; gives the commit.
    pub(super) fn commit(&self, message: &str) -> String {
        self.git("add -A");
        self.git(&format!("commit -q --allow-empty -m {message}"));
        self.git("rev-parse HEAD")
    }

    /// Sets the warehouse's minutes and commits.
    pub(super) fn minutes(&self, minutes: u32, message: &str) -> String {
        let text = WAREHOUSE.replace("auto_stop_mins: 10", &format!("auto_stop_mins: {minutes}"));
        self.project.write("conf/a.yaml", &text);
        self.commit(message)
    }

    pub(super) fn apply(&self, flags: &str) -> Ran {
        self.project.run(&format!("apply --env dev --yes {flags}"))
    }
}

#[track_caller]
pub(super) fn says(ran: &Ran, words: &[&str]) {
    // Lines are broken where they get too long.
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(flat.contains(words), "{words}\n--- out\n{}\n--- err\n{}", ran.out, ran.err);
    }
}

fn last(repository: &Repository) -> serde_json::Value {
    let history = repository.project.run("state history --env dev -o json").ended(0).out;
    serde_json::from_str::<serde_json::Value>(&history).expect("JSON")["versions"][0].clone()
}

const ON: &str = "workspace: local\nguards: { ancestry: true }\n";

#[test]
fn an_older_commit_is_refused_unless_it_is_allowed_and_a_revert_passes() {
    let repository = Repository::new(ON);
    let first = repository.git("rev-parse HEAD");
    repository.apply("").ended(0);
    let second = repository.minutes(20, "Twenty");
    repository.minutes(30, "Thirty");
    repository.apply("").ended(0);

    repository.git(&format!("checkout -q {first}"));
    let short = &first[..7];
    let plan = repository.project.run("plan --env dev --out plan.json").ended(0);
    says(&plan, &["warning: an apply from here would be blocked", "--allow-older-commit", "Thirty"]);
    let older = repository.apply("").ended(6);
    says(&older, &[&format!("commit {short} \"First\" is older than what is applied"), "2 commits later): an old pipeline re-run?"]);
    says(&repository.project.run("apply plan.json").ended(6), &["an old pipeline re-run?"]);
    for other in ["--allow-diverged-commit", "--allow-unknown-ancestry", "--unpin"] {
        repository.apply(other).ended(6);
    }
    let json: serde_json::Value = serde_json::from_str(&repository.apply("-o json").ended(6).out).expect("JSON");
    assert_eq!(json["blocks"][0]["guard"], "older_commit");
    let markdown = repository.apply("-o markdown").ended(6);
    says(&markdown, &["**older commit**", "`--allow-older-commit`"]);

    let allowed = repository.apply("--allow-older-commit").ended(0);
    says(&allowed, &["Guards lifted: --allow-older-commit"]);
    let version = last(&repository);
    assert_eq!((&version["commit"], &version["subject"]), (&first.into(), &"First".into()));
    assert_eq!(version["apply"]["overrides"], serde_json::json!(["--allow-older-commit"]));

    repository.git("checkout -q main");
    repository.apply("").ended(0);
    repository.git("revert --no-edit HEAD");
    says(&repository.apply("").ended(0), &["30 → 20"]);
    let told = repository.project.run("state history --env dev").ended(0).out;
    assert!(told.contains("\"Revert \"Thirty\"\"") && told.contains("guards lifted: --allow-older-commit"), "{told}");
    assert_ne!(last(&repository)["commit"], serde_json::json!(second));
}

#[test]
fn a_commit_beside_the_applied_one_is_refused_and_one_that_changes_nothing_passes() {
    let repository = Repository::new(ON);
    let first = repository.git("rev-parse HEAD");
    let twenty = repository.minutes(20, "Twenty");
    repository.apply("").ended(0);
    repository.git(&format!("checkout -q -b side {first}"));
    let side = repository.minutes(40, "Forty");
    let beside = repository.apply("").ended(6);
    let (here, there, base) = (&side[..7], &twenty[..7], &first[..7]);
    let reason = format!("commit {here} \"Forty\" is beside what is applied ({there} \"Twenty\"): they part at {base} \"First\"");
    says(&beside, &[&reason, "--allow-diverged-commit", &format!("git merge {there}")]);
    repository.minutes(20, "Same");
    says(&repository.apply("").ended(0), &["no changes"]);

    // The branch that held what is applied is gone.
    repository.minutes(40, "Again");
    repository.git("branch -q -D main");
    let rewritten = repository.apply("").ended(6);
    says(&rewritten, &["history was rewritten (a force push?): no branch holds the commit that is applied", "--allow-diverged-commit"]);
    repository.apply("--allow-diverged-commit").ended(0);
    repository.apply("").ended(0);
}

#[test]
fn what_cannot_be_decided_is_said_with_what_decides_it() {
    let repository = Repository::new(ON);
    let twenty = repository.minutes(20, "Twenty");
    let thirty = repository.minutes(30, "Thirty");
    repository.apply("").ended(0);
    repository.git(&format!("reset -q --hard {twenty}"));
    repository.minutes(40, "Forty");
    let folder = repository.project.folder.path();
    let clone = Project::new(&[]);
    let copy = |depth: &str| {
        let _ = std::fs::remove_dir_all(clone.folder.path().join("clone"));
        let outside = clone.outside(&[]);
        let from = format!("file://{}", folder.display());
        let arguments: Vec<&str> = ["clone", "-q", depth, &from, "clone"].into_iter().filter(|a| !a.is_empty()).collect();
        assert_eq!(outside.system.run("git", &arguments, clone.folder.path()).expect("git is there").code, Some(0));
        let state = folder.join(".brickform").display().to_string();
        assert_eq!(outside.system.run("cp", &["-r", &state, "clone/.brickform"], clone.folder.path()).expect("cp is there").code, Some(0));
    };
    let apply = |flags: &str| clone.run(&format!("apply --env dev --yes --project-dir clone {flags}"));
    copy("--depth=1");
    let undecidable = format!("is newer than what is applied ({}) is undecidable: this clone is shallow", &thirty[..7]);
    says(&apply("").ended(6), &[&undecidable, "--allow-unknown-ancestry", "git fetch --unshallow"]);
    copy("");
    says(&apply("").ended(6), &["this clone does not hold that commit, though it is not shallow", &format!("git fetch origin {thirty}")]);
    apply("--allow-older-commit").ended(6);
    apply("--allow-unknown-ancestry").ended(0);

    // Outside a repository nothing is compared, unless that is asked for.
    std::fs::remove_dir_all(clone.folder.path().join("clone/.git")).expect("it can be removed");
    clone.write("clone/conf/a.yaml", WAREHOUSE);
    says(&apply("").ended(6), &["is undecidable: this is no Git repository", "--allow-unknown-ancestry"]);
    clone.write("clone/environments/dev.yaml", "workspace: local\n");
    apply("").ended(0);
}

#[test]
fn one_apply_from_no_commit_does_not_make_old_commits_new() {
    let repository = Repository::new(ON);
    let first = repository.git("rev-parse HEAD");
    repository.minutes(20, "Twenty");
    repository.apply("").ended(0);
    // A copy of the files without their history, as `git archive` gives it.
    let folder = repository.project.folder.path();
    std::fs::rename(folder.join(".git"), folder.join("elsewhere")).expect("it can be moved");
    repository.project.write("conf/a.yaml", &WAREHOUSE.replace("10", "25"));
    repository.apply("--allow-unknown-ancestry").ended(0);
    assert_eq!(last(&repository).get("commit").filter(|commit| !commit.is_null()), None);
    std::fs::rename(folder.join("elsewhere"), folder.join(".git")).expect("it can be moved");
    repository.git(&format!("checkout -q -f {first}"));
    says(&repository.apply("").ended(6), &["is older than what is applied", "\"Twenty\""]);
    repository.git("checkout -q main");
    repository.apply("").ended(0);
}

#[test]
fn only_files_of_the_project_make_a_tree_dirty() {
    let repository = Repository::new("workspace: local\nguards: { require_clean_git: true }\n");
    for name in ["plan.json", "notes.md", ".brickform/x", "sql/unused.sql"] {
        repository.project.write(name, "x");
    }
    repository.apply("").ended(0);
    assert_eq!(last(&repository)["apply"].get("dirty"), None);
    repository.project.write("conf/new.yaml", "warehouses: { two: { name: two, cluster_size: Small, auto_stop_mins: 10 } }\n");
    says(&repository.project.run("plan --env dev").ended(6), &["uncommitted changes: conf/new.yaml", "--allow-dirty-tree"]);
    repository.apply("").ended(6);
    repository.apply("--allow-dirty").ended(0);
    assert_eq!(last(&repository)["apply"]["dirty"], true);
    let shown = repository.project.run("status --env dev").ended(0).out;
    assert!(shown.contains("\"First\", with uncommitted changes"), "{shown}");
    // A file that the configuration reads is the project's wherever it is.
    repository.commit("Both");
    repository.apply("").ended(0);
    repository.project.write("sql/used.sql", "select 1\n");
    repository.project.write(
        "conf/q.yaml",
        "queries: { q: { display_name: q, warehouse_id: \"${warehouses.bi.id}\", query_text: \"${file('sql/used.sql')}\" } }\n",
    );
    repository.git("add conf/q.yaml");
    repository.git("commit -q -m Query");
    says(&repository.apply("").ended(6), &["uncommitted changes: sql/used.sql"]);
}

#[test]
fn a_tree_that_git_cannot_read_is_not_taken_for_a_committed_one() {
    let repository = Repository::new("workspace: local\nguards: { require_clean_git: true }\n");
    repository.project.write(".git/index", "no index");
    let broken = repository.apply("").ended(6);
    says(&broken, &["whether the project has uncommitted changes is undecidable: `git status` failed:", "--allow-dirty-tree"]);
    std::fs::remove_dir_all(repository.project.folder.path().join(".git")).expect("it can be removed");
    says(&repository.apply("").ended(6), &["is undecidable: this is no Git repository", "from a clone that `git status` can read"]);
    repository.apply("--allow-dirty-tree").ended(0);
}
