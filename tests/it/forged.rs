//! What a repository may not talk Git into: another ancestry, another repository, a program that runs.

use std::path::Path;

use super::ancestry::{Repository, says};
use super::cli::Project;
use super::rust_source::files;

const ON: &str = "workspace: local\nguards: { ancestry: true, require_clean_git: true }\n";
const PROJECT: &str = "name: shop\n";
const DIRECTORY: &str = "directories: { raw: { path: /Shared/raw } }\n";

#[test]
fn a_commit_descends_from_what_its_own_bytes_say() {
    let repository = Repository::new(ON);
    let first = repository.git("rev-parse HEAD");
    let twenty = repository.minutes(20, "Twenty");
    repository.apply("").ended(0);
    repository.git(&format!("checkout -q -b side {first}"));
    let forty = repository.minutes(40, "Forty");
    let beside = ["is beside what is applied", "--allow-diverged-commit"];
    says(&repository.apply("").ended(6), &beside);

    repository.git(&format!("replace --graft {forty} {twenty}"));
    repository.git(&format!("merge-base --is-ancestor {twenty} HEAD"));
    says(&repository.apply("").ended(6), &beside);
    repository.git(&format!("replace -d {forty}"));

    repository.project.write(".git/info/grafts", &format!("{forty} {twenty}\n"));
    repository.git(&format!("merge-base --is-ancestor {twenty} HEAD"));
    says(&repository.apply("").ended(6), &beside);
}

#[cfg(unix)]
#[test]
fn nothing_that_the_configuration_of_a_repository_names_is_run() {
    let repository = Repository::new(ON);
    let folder = repository.project.folder.path();
    let trap = trap(&repository.project, ".git/trap", &folder.join(".git/ran"));
    repository.project.write(".git/config", &format!("[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {trap}\n"));
    for hook in ["post-index-change", "fsmonitor-watchman"] {
        trap_at(&repository.project, &format!(".git/hooks/{hook}"), &folder.join(".git/ran"));
    }
    repository.project.write("conf/a.yaml", DIRECTORY);
    repository.apply("").ended(6);
    repository.apply("--allow-dirty-tree").ended(0);
    repository.project.run("plan --env dev --base HEAD").ended(6);
    assert!(!folder.join(".git/ran").exists(), "a program ran");
    // The trap is one: Git itself falls into it.
    repository.git("status");
    assert!(folder.join(".git/ran").exists(), "Git runs it where it may");
}

/// A pull request can bring any file but `.git`: what makes a folder a bare repository, too.
#[cfg(unix)]
#[test]
fn a_folder_that_only_looks_like_a_repository_is_not_asked() {
    let top = Project::new(&[
        ("data/conf/project.yaml", PROJECT),
        ("data/conf/a.yaml", DIRECTORY),
        ("data/environments/dev.yaml", "workspace: local\nstate: { backend: \"workspace:/Shared/bf\" }\n"),
        (".gitignore", ".brickform/\n"),
    ]);
    let git = |line: &str| {
        let who = ["-c", "user.name=ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false"];
        let arguments: Vec<&str> = who.into_iter().chain(line.split(' ')).collect();
        let ran = top.outside(&[]).system.run("git", &arguments, top.folder.path()).expect("git is there");
        assert_eq!(ran.code, Some(0), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    for line in ["init -q -b main", "add -A", "commit -q -m First"] {
        git(line);
    }
    let run = |line: &str| top.run(&format!("{line} --project-dir data --env dev"));
    run("apply --yes").ended(0);

    let ran = top.folder.path().join("ran");
    let trap = trap(&top, "data/trap", &ran);
    top.write("data/HEAD", "ref: refs/heads/main\n");
    top.write("data/refs/heads/none", "");
    top.write("data/objects/none", "");
    top.write("data/config", &format!("[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = {trap}\n"));
    top.write("data/conf/a.yaml", &DIRECTORY.replace("raw", "other"));
    let refused = run("apply --yes").ended(6);
    says(&refused, &["is undecidable: the folder looks like a bare repository", "--allow-unknown-ancestry"]);
    top.write("data/environments/strict.yaml", "workspace: local\nguards: { require_clean_git: true }\n");
    says(&top.run("plan --project-dir data --env strict").ended(6), &["the folder looks like a bare repository"]);
    // One that is asked about revisions.
    let data = brickform::model::Outside { folder: top.folder.path().join("data"), ..top.outside(&[]) };
    let told = in_folder(&data, "diff HEAD");
    assert!(told.contains("looks like a bare repository, but it lies in the work tree of"), "{told}");
    assert!(!ran.exists(), "a program ran");
}

/// Hooks and `git rebase --exec` set variables that point Git at another repository.
#[expect(clippy::disallowed_methods, reason = "it is about the variables of a process")]
#[test]
fn the_folder_decides_which_repository_it_is_not_the_caller_s_variables() {
    let repository = Repository::new("workspace: local\n");
    let other = Repository::new("workspace: local\n");
    other.minutes(20, "Twenty");
    let own = repository.git("rev-parse HEAD");
    let dot_git = other.project.folder.path().join(".git");
    let apply = std::process::Command::new(env!("CARGO_BIN_EXE_brickform"))
        .args(["apply", "--env", "dev", "--yes"])
        .current_dir(repository.project.folder.path())
        .env("GIT_DIR", &dot_git)
        .env("GIT_WORK_TREE", other.project.folder.path())
        .env("GIT_INDEX_FILE", dot_git.join("index"))
        .output()
        .expect("it runs");
    assert!(apply.status.success(), "{}", String::from_utf8_lossy(&apply.stderr));
    let history = repository.project.run("state history --env dev -o json").ended(0).out;
    let history: serde_json::Value = serde_json::from_str(&history).expect("JSON");
    assert_eq!(history["versions"][0]["commit"], own.as_str());
}

/// Whoever asks Git otherwise forgets one of these.
#[test]
fn git_is_asked_in_one_way() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&folder).into_iter().filter(|file| !file.ends_with("model/outside.rs")) {
        let text = std::fs::read_to_string(&file).expect("text");
        for (number, line) in text.lines().enumerate() {
            let asks = ["run(\"git\"", "run_within(\"git\"", "ask(\"git\"", "Command::new(\"git\""];
            assert!(
                !asks.iter().any(|way| line.contains(way)),
                "{}:{}: Git is asked by `System::git`, which shuts out what `model::git` names",
                file.display(),
                number + 1
            );
        }
    }
}

fn in_folder(outside: &brickform::model::Outside, line: &str) -> String {
    let err = Kept::default();
    let streams = brickform::cli::Streams {
        out: Box::new(std::io::sink()),
        err: Box::new(err.clone()),
        input: Box::new(std::io::empty()),
        out_terminal: false,
        err_terminal: false,
        in_terminal: false,
        columns: Some(100),
    };
    let arguments = std::iter::once("brickform").chain(line.split_whitespace()).map(std::ffi::OsString::from);
    brickform::cli::run(arguments, outside, streams);
    String::from_utf8_lossy(&err.0.lock().expect("nobody panics")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Clone, Default)]
struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A program that leaves a file where it ran; gives its path.
#[cfg(unix)]
fn trap(project: &Project, name: &str, leaves: &Path) -> String {
    trap_at(project, name, leaves);
    project.folder.path().join(name).display().to_string()
}

#[cfg(unix)]
fn trap_at(project: &Project, name: &str, leaves: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    project.write(name, &format!("#!/bin/sh\ntouch '{}'\n", leaves.display()));
    let path = project.folder.path().join(name);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}
