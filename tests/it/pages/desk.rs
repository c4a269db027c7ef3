//! Where a page is executed: a project's folder, a home, a shell, servers that it starts.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brickform::kinds::Registry;
use brickform::project::{self, Answers, Ask};

use super::block::Block;
use crate::cli::Project;
use crate::outside::outside;

/// Ports that pages name; others are taken for them, so that pages can be executed beside one another.
const PORTS: [&str; 2] = ["8765", "8766"];

/// The program that builds is stood in for: what it would build is built already.
const CARGO: &str = "#!/bin/sh
case \"$1\" in
    run) while [ \"$1\" != -- ]; do shift; done; shift; exec brickform \"$@\" ;;
    install | build | test) ;;
    *) echo \"pages do not type cargo $1\"; exit 1 ;;
esac
";

/// A project and whoever sits before it.
pub struct Desk {
    project: Project,
    home: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    ports: Vec<(&'static str, String)>,
    servers: Vec<Child>,
    /// Whether files were written since they were loaded last, and what that must find.
    written: bool,
    error: Option<String>,
    apply: bool,
}

impl Desk {
    /// An empty folder.
    pub fn empty() -> Self {
        Self::at(Project::new(&[]))
    }

    /// A copy of a project of this repository, as a clone would be: under Git, all committed.
    pub fn of(project: &str) -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let desk = Self::at(if project == "repository" { Project::own() } else { Project::new(&[]) });
        if project != "repository" {
            desk.project.copy(&top.join(project), ".");
        }
        desk.project.write(".gitignore", &fs::read_to_string(top.join(".gitignore")).expect("text"));
        let (code, said) = desk.shell("git init -q && git add -A && git commit -qm 'A project'");
        assert_eq!(code, 0, "{said}");
        desk
    }

    fn at(project: Project) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let bin = home.path().join("bin");
        fs::create_dir(&bin).expect("a folder");
        fs::write(bin.join("cargo"), CARGO).expect("a file");
        let desk =
            Self { project, home, variables: BTreeMap::new(), ports: vec![], servers: vec![], written: false, error: None, apply: false };
        let (code, said) =
            desk.shell(&format!("chmod +x \"$HOME/bin/cargo\" && ln -s '{}' \"$HOME/bin/brickform\"", env!("CARGO_BIN_EXE_brickform")));
        assert_eq!(code, 0, "{said}");
        desk
    }

    /// Writes a file of the page.
    pub fn put(&mut self, name: &str, block: &Block) {
        let text = self.with_ports(&block.text);
        self.project.write(name, &text);
        self.written |= is_of_project(name);
        self.apply |= block.has("apply");
        self.error = self.error.take().or(block.word("error").map(str::to_owned));
    }

    /// Loads what was written since the last time, in every environment.
    pub fn loads(&mut self) -> Result<(), String> {
        if !std::mem::take(&mut self.written) {
            return Ok(());
        }
        // What short blocks leave out; it does not stay.
        let mut added = vec![];
        for (name, text, instead) in
            [("conf/project.yaml", "name: docs\n", "conf/project.yaml"), ("environments/dev.yaml", "workspace: local\n", "environments")]
        {
            let folder = self.project.folder.path();
            if !folder.join(instead).exists() && !folder.join("conf").join(instead).exists() {
                self.project.write(name, text);
                added.push(folder.join(name));
            }
        }
        let found = self.findings();
        let applied = if self.apply && found.is_empty() { self.lives() } else { Ok(()) };
        for file in added {
            fs::remove_file(file).expect("it was written");
        }
        match self.error.take() {
            Some(code) if found.is_empty() || !found.iter().all(|f| f.contains(&code)) => {
                Err(format!("it should be refused with {code}, and it says {found:#?}"))
            }
            None if !found.is_empty() => Err(format!("it does not load: {found:#?}")),
            _ => applied,
        }
    }

    /// Made, found to be as it should, and taken away again. Secrets that it names are set.
    fn lives(&mut self) -> Result<(), String> {
        let text = fs::read_to_string(self.project.folder.path().join("conf/example.yaml")).unwrap_or_default();
        for named in text.split("secret(").skip(1) {
            let name = named.trim_start_matches(['"', '\'']).split(['"', '\'']).next().unwrap_or_default();
            self.variables.insert(name.to_owned(), "planted".to_owned());
        }
        let all = "catalogs,schemas,secret_scopes,volumes,directories,spaces";
        for line in [
            "apply --yes",
            "plan --detailed-exitcode",
            &format!("destroy --yes --allow-delete {all}"),
            "plan --destroy --detailed-exitcode",
        ] {
            let (code, said) = self.shell(&format!("brickform {line}"));
            if code != 0 {
                return Err(format!("`brickform {line}` ended with {code}:\n{said}"));
            }
        }
        Ok(())
    }

    /// What loading says, environment by environment. A declared variable that a short block does not use is no mistake.
    fn findings(&self) -> Vec<String> {
        let outside = outside(self.project.folder.path(), [("REGION", "EU"), ("BRICKFORM_STATE_KEY", "k")]);
        let mut found = vec![];
        for environment in self.environments() {
            let ask = Ask { environment: Some(environment.clone()), ..Ask::default() };
            let loaded = project::load(&outside, &ask, &Registry::standard());
            let diagnostics = match loaded.map_err(|f| f.diagnostics).and_then(|p| p.resolve(&Answers::new())) {
                Ok(desired) => desired.warnings,
                Err(diagnostics) => diagnostics,
            };
            found.extend(diagnostics.iter().map(|d| format!("{environment}: {}: {}", d.code, d.message)));
        }
        found.retain(|f| !f.contains("W0226"));
        found
    }

    fn environments(&self) -> Vec<String> {
        let mut found = vec![];
        for folder in ["environments", "conf/environments"] {
            for entry in fs::read_dir(self.project.folder.path().join(folder)).into_iter().flatten() {
                let name = entry.expect("it can be read").file_name().to_string_lossy().into_owned();
                found.extend(name.strip_suffix(".yaml").filter(|n| !n.starts_with('_')).map(str::to_owned));
            }
        }
        found.sort();
        found
    }

    /// Types a block; gives how many lines.
    pub fn play(&mut self, block: &Block) -> Result<usize, String> {
        self.loads()?;
        let mut expected: Option<i32> = block.word("exit").map(|code| code.parse().expect("a number"));
        let compared = block.language == "console";
        let all = block.typed()?;
        for typed in &all {
            let line = self.with_ports(&typed.line);
            let (code, printed) = self.type_in(&line)?;
            crate::schemas::hold(&line, &printed);
            match expected {
                Some(wanted) if code == wanted => expected = None,
                _ if code == 0 || block.word("exit").is_some_and(|w| w == code.to_string()) => {}
                _ => return Err(format!("`{line}` ended with {code}:\n{printed}")),
            }
            let printed = self.without_ports(printed);
            if compared && !shows(&typed.shown, &printed) {
                return Err(format!("`{line}` does not print what the page shows, but:\n{printed}"));
            }
        }
        expected.map_or(Ok(all.len()), |code| Err(format!("nothing ended with {code}")))
    }

    fn type_in(&mut self, line: &str) -> Result<(i32, String), String> {
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
            self.variables.insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
            return Ok((0, String::new()));
        }
        match line.strip_suffix('&') {
            Some(server) => self.serve(server.trim()).map(|()| (0, String::new())),
            None => Ok(self.shell(line)),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "pages are about the real program in a real shell")]
    fn command(&self) -> Command {
        let mut command = Command::new("sh");
        let who =
            ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ada@example.com"));
        command.current_dir(self.project.folder.path()).env_clear().stdin(Stdio::null()).envs(who).envs(&self.variables);
        // Pages show ids, which the workspace gives in the order in which creates arrive: one after the other.
        command.env("HOME", self.home.path()).env("COLUMNS", "120").env("BRICKFORM_PARALLELISM", "1");
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.home.path().join("bin").display()));
        command
    }

    /// Runs a line to its end: exit code, and all that is printed.
    fn shell(&self, line: &str) -> (i32, String) {
        let done = self.command().args(["-c", &format!("exec 2>&1\n{line}")]).output().expect("a shell is there");
        (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Starts what stays; it is ready when it has said something.
    fn serve(&mut self, line: &str) -> Result<(), String> {
        let said = self.home.path().join(format!("said{}", self.servers.len()));
        let file = || fs::File::create(&said).expect("a file");
        let child = self.command().args(["-c", &format!("exec {line}")]).stdout(file()).stderr(Stdio::null()).spawn();
        self.servers.push(child.map_err(|error| error.to_string())?);
        let begun = Instant::now();
        while fs::metadata(&said).is_ok_and(|m| m.len() == 0) {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err(format!("`{line}` says nothing"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn with_ports(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for port in PORTS.iter().filter(|p| text.contains(**p)).copied().collect::<Vec<_>>() {
            if !self.ports.iter().any(|(named, _)| *named == port) {
                let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port is free");
                self.ports.push((port, free.port().to_string()));
            }
        }
        for (named, taken) in &self.ports {
            text = text.replace(named, taken);
        }
        text
    }

    fn without_ports(&self, mut text: String) -> String {
        for (named, taken) in &self.ports {
            text = text.replace(taken, named);
        }
        text
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Whether a file is one that is loaded.
pub fn is_of_project(file: &str) -> bool {
    ["conf/", "spaces/", "environments/"].iter().any(|folder| file.starts_with(folder))
}

/// Whether a page's lines are what is printed: line by line, a line of `...` for any number of lines, `...` in one for anything.
/// Times are no difference, nor are spaces at the end.
fn shows(shown: &[String], printed: &str) -> bool {
    let tidy = |line: &str| timeless(line.trim_end());
    let shown: Vec<String> = shown.iter().map(|l| tidy(l)).collect();
    let printed: Vec<String> = printed.lines().map(tidy).collect();
    let strip = |lines: &[String]| {
        let first = lines.iter().position(|l| !l.is_empty()).unwrap_or(lines.len());
        let last = lines.iter().rposition(|l| !l.is_empty()).map_or(first, |at| at + 1);
        lines[first..last].to_vec()
    };
    let (shown, printed) = (strip(&shown), strip(&printed));
    lines_match(&shown, &printed)
}

fn lines_match(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => (0..=printed.len()).any(|skip| lines_match(rest, &printed[skip..])),
        Some((first, rest)) => printed.split_first().is_some_and(|(line, more)| line_matches(first, line) && lines_match(rest, more)),
    }
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let parts: Vec<&str> = shown.split("...").collect();
    let [first, between @ .., last] = &parts[..] else { return shown == printed };
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// `1.3 s` is any time.
fn timeless(line: &str) -> String {
    let Some(start) = line.strip_suffix(" s") else { return line.to_owned() };
    let start = start.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    format!("{start}T s")
}

/// A line as a shell would cut it: at spaces, but for those in quotes. None: a quote is open.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut all = vec![];
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => all.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    all.extend(word);
    quote.is_none().then_some(all)
}
