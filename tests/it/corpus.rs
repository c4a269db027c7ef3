//! Bad input: every folder of `tests/corpus/` is a mistake that people make, with what the command says to it.
//!
//! A case holds `project/` (copied into an empty folder, where the commands run; `dot-x` becomes `.x`), `home/` if the
//! user has files there, `cmd` and `expected.txt`. A line of `cmd` is
//!
//! - `# text`: what is wrong here
//! - `env NAME=VALUE`: holds for the commands below it
//! - `brickform ARGUMENTS`: run, and compared with `expected.txt`
//! - `given brickform ARGUMENTS`: run first, must end with 0, not compared
//! - `git ARGUMENTS`: Git in the project's folder, at a fixed time and by a fixed person, so that commits are the same everywhere
//! - `serve ARGUMENTS`: `brickform local serve` beside it, its address is `$HOST` from here on
//! - `cut FILE BYTES`, `replace FILE OLD NEW`, `copy FROM TO`, `write FILE TEXT`: spoil a file
//! - `grow FILE BYTES`: a file of so many bytes
//! - `may-change PREFIX`: files below it may differ afterwards; nothing else may
//!
//! `UPDATE_CORPUS=1 cargo test --test it corpus::` writes `expected.txt` anew: read the difference.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A value that cases plant where a secret stands. It may be shown nowhere.
const PLANTED: &str = "hunter2-planted-in-the-corpus";

/// A mistake is told at once; a command that waits this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Cases at work at a time.
const WORKERS: usize = 4;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("corpus")
}

/// A case that is being played.
pub struct Stage {
    _folder: tempfile::TempDir,
    /// Where the commands run.
    pub work: PathBuf,
    home: PathBuf,
    outputs: PathBuf,
    variables: BTreeMap<String, String>,
    host: Option<String>,
    servers: Vec<Child>,
    may_change: Vec<String>,
    transcript: String,
}

impl Drop for Stage {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Stage {
    /// Copies the case into an empty folder.
    pub fn new(case: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("its real path");
        let (work, home, outputs) = (root.join("work"), root.join("home"), root.join("outputs"));
        for (from, to) in [("project", &work), ("home", &home), ("none", &outputs)] {
            fs::create_dir_all(to).expect("a folder");
            if case.join(from).is_dir() {
                copy(&case.join(from), to);
            }
        }
        Self {
            _folder: folder,
            work,
            home,
            outputs,
            variables: BTreeMap::new(),
            host: None,
            servers: Vec::new(),
            may_change: Vec::new(),
            transcript: String::new(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the corpus is about the real program")]
    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brickform"));
        command.args(arguments).current_dir(&self.work).env_clear().stdin(Stdio::null());
        command.env("HOME", &self.home).env("PATH", "/usr/bin:/bin").env("COLUMNS", "120");
        // The workspace gives ids in the order in which creates arrive, and expectations hold ids: one after the other, in the
        // order of the addresses.
        command.env("BRICKFORM_PARALLELISM", "1").envs(&self.variables);
        command
    }

    /// Runs to the end: exit code, standard output, standard error.
    fn run(&self, arguments: &[String]) -> Result<(i32, String, String), String> {
        let (out, err) = (self.outputs.join("out"), self.outputs.join("err"));
        let file = |path: &Path| fs::File::create(path).map_err(|e| e.to_string());
        let mut child = self.command(arguments).stdout(file(&out)?).stderr(file(&err)?).spawn().map_err(|e| e.to_string())?;
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().map_err(|e| e.to_string())? {
                Some(status) => break status,
                None if begun.elapsed() > PATIENCE => {
                    let _ = child.kill();
                    let _ = child.wait();
                    let said = fs::read_to_string(&err).unwrap_or_default();
                    return Err(format!("`brickform {}` hangs; so far it said:\n{said}", arguments.join(" ")));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|e| e.to_string());
        Ok((status.code().ok_or("ended by a signal")?, read(&out)?, read(&err)?))
    }

    /// Plays one line.
    pub fn step(&mut self, line: &str) -> Result<(), String> {
        let words = words(&line.replace("$HOST", self.host.as_deref().unwrap_or("$HOST")))?;
        let at = |i: usize| words.get(i).map(String::as_str).ok_or_else(|| format!("`{line}` lacks a word"));
        match at(0)? {
            "env" => {
                let (name, value) = at(1)?.split_once('=').ok_or("env NAME=VALUE")?;
                self.variables.insert(name.to_owned(), value.to_owned());
            }
            "may-change" => self.may_change.push(at(1)?.to_owned()),
            "git" => self.git(&words[1..], line)?,
            "serve" => self.serve(&words[1..])?,
            "cut" => {
                let path = self.work.join(at(1)?);
                let bytes = fs::read(&path).map_err(|e| format!("{line}: {e}"))?;
                let keep: usize = at(2)?.parse().map_err(|_| "cut FILE BYTES")?;
                if keep > bytes.len() {
                    return Err(format!("{line}: it has only {} bytes", bytes.len()));
                }
                fs::write(path, &bytes[..keep]).map_err(|e| format!("{line}: {e}"))?;
            }
            "replace" => {
                let path = self.work.join(at(1)?);
                let text = fs::read_to_string(&path).map_err(|e| format!("{line}: {e}"))?;
                if !text.contains(at(2)?) {
                    return Err(format!("{line}: not in\n{text}"));
                }
                fs::write(path, text.replace(at(2)?, at(3)?)).map_err(|e| format!("{line}: {e}"))?;
            }
            "copy" => {
                fs::copy(self.work.join(at(1)?), self.work.join(at(2)?)).map_err(|e| format!("{line}: {e}"))?;
            }
            "write" => fs::write(self.work.join(at(1)?), at(2)?).map_err(|e| format!("{line}: {e}"))?,
            "grow" => {
                let bytes: usize = at(2)?.parse().map_err(|_| "grow FILE BYTES")?;
                fs::write(self.work.join(at(1)?), vec![b'x'; bytes]).map_err(|e| format!("{line}: {e}"))?;
            }
            "given" => {
                let (code, out, err) = self.run(&words[2..])?;
                if code != 0 {
                    return Err(format!("`{line}` ended with {code}:\n{out}{err}"));
                }
            }
            "brickform" => self.recorded(&words[1..], line)?,
            other => return Err(format!("`{other}` is no step")),
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the corpus sets the stage with the real program")]
    fn git(&self, arguments: &[String], line: &str) -> Result<(), String> {
        let mut command = Command::new("git");
        command.args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"]).args(arguments).current_dir(&self.work).env_clear();
        command.env("HOME", &self.home).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ana").env(format!("GIT_{who}_EMAIL"), "ana@example.com");
            command.env(format!("GIT_{who}_DATE"), "2026-01-02T03:04:05Z");
        }
        let done = command.output().map_err(|e| format!("{line}: {e}"))?;
        let said = || format!("`{line}` failed:\n{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        if done.status.success() { Ok(()) } else { Err(said()) }
    }

    fn serve(&mut self, arguments: &[String]) -> Result<(), String> {
        let mut all: Vec<String> = ["local", "serve", "--port", "0", "--file"].map(str::to_owned).to_vec();
        all.push(self.outputs.join("served.redb").to_string_lossy().into_owned());
        all.extend_from_slice(arguments);
        let mut child = self.command(&all).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
        let mut first = String::new();
        let told = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut first));
        self.servers.push(child);
        match (told, first.find("http://")) {
            (Some(Ok(_)), Some(at)) => {
                self.host = first[at..].split_whitespace().next().map(str::to_owned);
                Ok(())
            }
            _ => Err(format!("`local serve` did not start: {first:?}")),
        }
    }

    fn recorded(&mut self, arguments: &[String], line: &str) -> Result<(), String> {
        let before = tree(&self.work);
        let (code, out, err) = self.run(arguments)?;
        super::schemas::hold(line, &out);
        let after = tree(&self.work);
        // Git keeps notes of what it looked at.
        let allowed = |path: &String| path.starts_with(".git/") || self.may_change.iter().any(|prefix| path.starts_with(prefix.as_str()));
        let changed: Vec<&String> =
            before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path) && !allowed(path)).collect();
        if !changed.is_empty() {
            return Err(format!("`{line}` changed {changed:?} and said:\n{out}{err}"));
        }
        for text in [&out, &err] {
            if text.contains("panicked") || text.contains("RUST_BACKTRACE") {
                return Err(format!("`{line}` panicked:\n{text}"));
            }
            if text.contains(PLANTED) {
                return Err(format!("`{line}` shows the secret"));
            }
        }
        if after.values().zip(after.keys()).any(|(bytes, path)| contains(bytes, PLANTED) && !before.contains_key(path)) {
            return Err(format!("`{line}` wrote the secret into a file"));
        }
        let shown = line.replace(self.host.as_deref().unwrap_or("$HOST"), "$HOST");
        let _ = writeln!(self.transcript, "$ {shown}\nexit code {code}");
        for (name, text) in [("stdout", out), ("stderr", err)] {
            if !text.is_empty() {
                let text = self.plain(&text);
                let _ = writeln!(self.transcript, "--- {name}\n{}", text.trim_end());
            }
        }
        self.transcript.push('\n');
        Ok(())
    }

    /// Without what differs from run to run.
    fn plain(&self, text: &str) -> String {
        let mut text = text.replace(&*self.work.to_string_lossy(), "<DIR>").replace(&*self.home.to_string_lossy(), "<HOME>");
        if let Some(host) = &self.host {
            let bare = host.trim_start_matches("http://");
            text = text.replace(host, "<HOST>").replace(bare, "<HOST>");
        }
        long_ids(&request_ids(&seconds(&just_now(&text))))
    }
}

/// Times of this very run, `2026-01-02T03:04:05Z`, as `NOW`; those that files of the case hold stay.
fn just_now(text: &str) -> String {
    const LONG: usize = "2026-01-02T03:04:05Z".len();
    let now = brickform::model::Outside::real().expect("there is a current folder").now();
    let is_now = |part: &str| part.parse::<jiff::Timestamp>().is_ok_and(|at| now.duration_since(at).as_secs().abs() < 3600);
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.get(..LONG).is_some_and(|part| c == '2' && part.ends_with('Z') && is_now(part)) {
            out.push_str("NOW");
            rest = &rest[LONG..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// `0.4 s` as `N s`.
fn seconds(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        let number = &rest[at..];
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let after = &number[end..];
        let unit = after.strip_prefix(" s").or_else(|| after.strip_prefix(" ms"));
        let is_time = unit.is_some_and(|tail| !tail.starts_with(|c: char| c.is_alphanumeric()));
        out.push_str(if is_time { "N" } else { &number[..end] });
        rest = after;
    }
    out + rest
}

/// `request id: 6b4b17d9-...` and `request id 6b4b17d9-...` as `request id: ID`, `request id ID`.
fn request_ids(text: &str) -> String {
    const LABEL: &str = "request id";
    let mut parts = text.split(LABEL);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let start = part.find(|c: char| c != ':' && c != ' ').unwrap_or(part.len());
        let (between, rest) = part.split_at(start);
        let end = rest.find(|c: char| !c.is_ascii_hexdigit() && c != '-').unwrap_or(rest.len());
        out + LABEL + between + if end >= 4 { "ID" } else { &rest[..end] } + &rest[end..]
    })
}

/// Numbers of twelve digits and more, which servers pick, as `ID`.
fn long_ids(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        out.push_str(if digits.len() >= 12 { "ID" } else { digits });
        out.push_str(&part[digits.len()..]);
    }
    out
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Every file below a folder by its path, with `/`.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, found);
            } else if let (Ok(name), Ok(bytes)) = (path.strip_prefix(root), fs::read(&path)) {
                found.insert(name.to_string_lossy().replace('\\', "/"), bytes);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let target = to.join(name.strip_prefix("dot-").map_or(name.clone(), |rest| format!(".{rest}")));
        if entry.path().is_dir() {
            fs::create_dir_all(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

/// Words as a shell splits them: quotes keep spaces, nothing else is special.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => all.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(format!("a quote is not closed: {line}"));
    }
    all.extend(word);
    Ok(all)
}

/// Plays a case and compares; what is wrong, or nothing.
fn play(case: &Path, update: bool) -> Result<(), String> {
    let script = fs::read_to_string(case.join("cmd")).map_err(|e| format!("cmd: {e}"))?;
    if !script.starts_with("# ") || !script.contains("\nbrickform ") {
        return Err("`cmd` begins with `# what is wrong` and holds a `brickform` line".to_owned());
    }
    let mut stage = Stage::new(case);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        stage.step(line)?;
    }
    let expected = case.join("expected.txt");
    if update {
        return fs::write(expected, &stage.transcript).map_err(|e| e.to_string());
    }
    let want = fs::read_to_string(expected).map_err(|e| format!("expected.txt: {e} (UPDATE_CORPUS=1 writes it)"))?;
    if want == stage.transcript {
        return Ok(());
    }
    let difference = similar::TextDiff::from_lines(&want, &stage.transcript).unified_diff().header("expected", "found").to_string();
    Err(difference)
}

/// The cases, sorted.
fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(corpus()).expect("the corpus").flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    cases.sort();
    cases
}

#[test]
fn every_mistake_is_told_as_expected() {
    let outside = brickform::model::Outside::real().expect("a current folder");
    let update = outside.variable("UPDATE_CORPUS").is_some();
    let only = outside.variable("CORPUS_CASE").unwrap_or_default();
    let cases = cases();
    assert!(cases.len() >= 45, "the corpus has {} cases", cases.len());
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    if name.contains(only)
                        && let Err(why) = play(case, update)
                    {
                        failed.lock().expect("no worker panics").insert(name, why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no worker panics");
    let told = failed.iter().fold(String::new(), |told, (name, why)| format!("{told}== {name}\n{why}\n"));
    assert!(failed.is_empty(), "{} of {} cases:\n{told}", failed.len(), cases.len());
}

#[test]
fn the_runner_itself_notices() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let case = |script: &str, expected: &str| {
        fs::write(folder.path().join("cmd"), script).expect("cmd");
        fs::write(folder.path().join("expected.txt"), expected).expect("expected");
        play(folder.path(), false)
    };
    let usage = case("# no such command\nbrickform nonsense\n", "").expect_err("a difference");
    assert!(usage.contains("+exit code 64"), "{usage}");
    assert!(case("# no command\n", "").is_err());
    assert!(case("# no such step\nspoil x\nbrickform version\n", "").expect_err("refused").contains("no step"));
    let broken = case("# must work first\ngiven brickform nonsense\nbrickform version\n", "").expect_err("refused");
    assert!(broken.contains("ended with 64"), "{broken}");
    assert!(case(&format!("# shows it\nbrickform {PLANTED}\n"), "").expect_err("refused").contains("shows the secret"));
}

#[test]
fn words_and_seconds() {
    assert_eq!(words("a 'b c' \"\" d\"e f\"").expect("words"), ["a", "b c", "", "de f"]);
    assert!(words("a 'b").is_err());
    assert_eq!(long_ids("ids 101223906000006, 12 and 8757315683776436"), "ids ID, 12 and ID");
    assert_eq!(request_ids("a request id: 6b4b17d9-e6b3\nb"), "a request id: ID\nb");
    assert_eq!(seconds("231 reads in 1.9 s, 3 schemas, after 15 ms: 2.0"), "231 reads in N s, 3 schemas, after N ms: 2.0");
}
