//! Every fenced block of every page is executed: what is typed is typed in a real shell, with the real program, and prints what
//! the page shows; files are loaded as the project that they are; JSON is parsed. A block that nobody could run says so.
//!
//! The page says it all by the words behind its fence, so that a page is written without touching this file:
//!
//! | block | what is done with it |
//! | --- | --- |
//! | `console` | lines with `$` are typed in order, the others are what is printed; `...` stands for anything left out |
//! | `sh` | every line is typed; what it prints is not compared |
//! | `yaml`, `json`, `sql`, `hbs`, `python`, `ini` | written as a file of the project (`file=NAME`; YAML without a name is `conf/example.yaml`), which must load without a finding in all its environments. JSON without a name is parsed |
//! | `text` | nobody types it; it may hold no command |
//!
//! Further words: `more`: the file belongs to the project of the block before (without it a new, empty project begins; typed
//! lines always go on where the page is); `project=repository`, `project=examples/NAME`: a copy of that one, under Git;
//! `exit=N`: a command of the block ends with it; `error=CODE`: what loading finds; `apply`: it is applied to an embedded workspace, which a plan then finds to be as it says, and destroyed; `examples`: lines of commands that must be
//! understood. A block inside `<!--` and `-->` is executed and not shown to readers.

mod block;
mod desk;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use brickform::diagnostic::Source;
use brickform::model::json;
use brickform::yaml;

use block::{Block, blocks};
use desk::Desk;

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The pages: README, everything below docs, and what is written about examples.
fn pages() -> Vec<String> {
    let mut found = vec!["README.md".to_owned()];
    let mut open = vec![top().join("docs"), top().join("examples")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path.strip_prefix(top()).expect("it is below").to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// What was done on a page.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    blocks: usize,
    typed: usize,
    files: usize,
}

/// Executes a page; gives what was done, or what is wrong and where.
fn execute(page: &str) -> Result<Done, String> {
    let text = fs::read_to_string(top().join(page)).expect("it is there");
    let mut done = Done::default();
    let mut desk: Option<Desk> = None;
    for block in &blocks(&text).map_err(|wrong| format!("{page}:{wrong}"))? {
        let at = |wrong: String| format!("{page}:{}: {wrong}", block.line);
        done.blocks += 1;
        match block.language.as_str() {
            "console" | "sh" => {
                let mut here = match (block.word("project"), desk.take()) {
                    (Some(project), before) => {
                        ended(before).map_err(at)?;
                        Desk::of(project)
                    }
                    (None, Some(desk)) => desk,
                    (None, None) => Desk::empty(),
                };
                done.typed += here.play(block).map_err(at)?;
                desk = Some(here);
            }
            "json" if block.word("file").is_none() => {
                json::parse(block.text.as_bytes()).map_err(|error| at(error.to_string()))?;
            }
            "yaml" | "json" | "sql" | "hbs" | "python" | "ini" => {
                let file = block.word("file").or_else(|| (block.language == "yaml").then_some("conf/example.yaml"));
                let file = file.ok_or_else(|| at("which file is it? `file=NAME`".to_owned()))?;
                if !block.has("more") {
                    ended(desk.take()).map_err(at)?;
                }
                readable(block, file).map_err(at)?;
                desk.get_or_insert_with(Desk::empty).put(file, block);
                done.files += 1;
            }
            "text" => only_text(block).map_err(at)?,
            other => return Err(at(format!("`{other}` is no word that is known; {}", "tests/it/pages/mod.rs lists them"))),
        }
    }
    ended(desk).map_err(|wrong| format!("{page}: {wrong}"))?;
    Ok(done)
}

/// A project is left: what was written last is loaded.
fn ended(desk: Option<Desk>) -> Result<(), String> {
    desk.map_or(Ok(()), |mut desk| desk.loads())
}

/// Files that are no part of a project (steps of a CI) are at least YAML, and their commands are understood.
fn readable(block: &Block, file: &str) -> Result<(), String> {
    if block.language != "yaml" || desk::is_of_project(file) {
        return Ok(());
    }
    let source = Source { name: file.to_owned(), text: block.text.clone() };
    yaml::parse(&std::sync::Arc::new(source)).map_err(|wrong| format!("{wrong:?}"))?;
    for line in block.text.lines() {
        if let Some((_, command)) = line.split_once("run: ") {
            understood(command)?;
        }
    }
    Ok(())
}

fn only_text(block: &Block) -> Result<(), String> {
    for line in block.text.lines() {
        let line = line.trim_start();
        if block.has("examples") {
            if line.starts_with("brickform ") {
                understood(line)?;
            }
        } else if line.starts_with("$ ") {
            return Err(format!("`{line}` is a command in a block that is not typed"));
        }
    }
    Ok(())
}

/// Whether the command line knows every word and option of it. What is missing does not matter: pages speak of
/// `brickform space-export` without saying of which space.
fn understood(line: &str) -> Result<(), String> {
    use clap::error::ErrorKind;
    let line = line.split(" # ").next().unwrap_or_default();
    let words = desk::words(line).ok_or_else(|| format!("`{line}`: a quote is open"))?;
    let words = words.iter().take_while(|word| !["|", ">", ">>", "&&", "&"].contains(&word.as_str()));
    match brickform::cli::definition().try_get_matches_from(words) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand => {
                Ok(())
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(()),
            _ => Err(format!("`{line}` is not understood: {}", error.to_string().lines().next().unwrap_or_default())),
        },
    }
}

#[test]
fn every_block_of_every_page_is_executed() {
    let pages = pages();
    assert!(pages.iter().any(|p| p == "docs/tutorial.md") && pages.len() > 20, "{pages:?}");
    // A page after the other takes a while, most of it waiting for programs.
    let results: Vec<(String, Result<Done, String>)> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| (page.clone(), scope.spawn(move || execute(page)))).collect();
        running.into_iter().map(|(page, thread)| (page, thread.join().unwrap_or_else(|_| Err("it panicked".to_owned())))).collect()
    });
    let mut wrong = String::new();
    let mut all = Done::default();
    for (page, result) in results {
        match result {
            Ok(done) => {
                all = Done { blocks: all.blocks + done.blocks, typed: all.typed + done.typed, files: all.files + done.files };
                if done.blocks > 0 {
                    println!("{page}: {} blocks, {} lines typed, {} files", done.blocks, done.typed, done.files);
                }
            }
            Err(message) => {
                let _ = writeln!(wrong, "{message}\n");
            }
        }
    }
    println!("{} pages: {all:?}", pages.len());
    assert!(wrong.is_empty(), "{wrong}");
    assert!(all.blocks > 100 && all.typed > 60 && all.files > 50, "{all:?}");
}

/// Commands in the running text, too: an option that is gone would stay there for ever.
#[test]
fn commands_that_pages_mention_are_understood() {
    let mut mentioned = 0;
    let mut wrong = vec![];
    for page in pages() {
        let text = fs::read_to_string(top().join(&page)).expect("it is there");
        for line in prose(&text) {
            for command in line.split('`').skip(1).step_by(2).filter(|c| c.starts_with("brickform ") && !c.contains(['|', '…'])) {
                mentioned += 1;
                wrong.extend(understood(command).err().map(|wrong| format!("{page}: {wrong}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(mentioned > 40, "{mentioned} commands are mentioned");
}

/// Paragraphs outside of fences, a text each: a span of code may go over the end of a line.
fn prose(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if line.is_empty() || line.starts_with(['|', '-']) {
            found.push(line.to_owned());
        } else if !fenced {
            let last = found.last_mut().expect("it begins with one");
            let _ = write!(last, " {}", line.trim());
        }
    }
    found
}

/// A page with an unknown block, a command in text, a wrong output and a file that does not load: none passes.
#[test]
fn a_wrong_page_fails() {
    let fence = |info: &str, body: &str| format!("# A page\n\n```{info}\n{body}\n```\n");
    for (page, says) in [
        (fence("bash", "ls"), "no word that is known"),
        (fence("", "ls"), "no word that is known"),
        (fence("text", "$ brickform plan"), "is a command in a block that is not typed"),
        (fence("text examples", "  brickform plan --everything"), "is not understood"),
        (fence("console", "$ echo one\ntwo"), "does not print"),
        (fence("console", "$ printf 'one\\ntwo\\nthree\\n'\none\nthree"), "does not print"),
        (fence("console", "$ printf 'one\\ntwo\\n'\none"), "does not print"),
        (fence("console", "$ false"), "ended with 1"),
        (fence("console exit=2", "$ true"), "nothing ended with 2"),
        (fence("sh", "brickform nothing"), "ended with 64"),
        (fence("yaml", "jobs: { a: { nmae: a } }"), "E0107"),
        (fence("yaml error=E0107", "jobs: { a: { name: a } }"), "E0107"),
        (fence("json", "{"), "EOF"),
        (fence("yaml file=ci.yaml", "- run: brickform paln"), "is not understood"),
        ("```text\n".to_owned(), "does not end"),
    ] {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let file = folder.path().join("page.md");
        fs::write(&file, &page).expect("a file");
        let name = file.strip_prefix(top()).map_or_else(|_| file.clone(), Path::to_owned);
        let wrong = execute(&name.to_string_lossy()).expect_err(&page);
        assert!(wrong.contains(says), "{page}\n{wrong}");
    }
}
