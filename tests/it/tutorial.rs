//! The tutorial, typed: each line with `$` runs in a copy of the repository's project, and prints what the page shows.

use std::fs;
use std::path::Path;

use brickform::model::Outside;

use super::cli::Project;

/// A typed line, and what the page shows below it.
struct Typed {
    line: String,
    shown: Vec<String>,
}

enum Piece {
    File(String, String),
    Typed(Typed),
}

fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').expect("a block has lines");
        match language {
            "yaml" => {
                let (first, body) = text.split_once('\n').expect("a file has lines");
                pieces.push(Piece::File(first.trim_start_matches("# ").to_owned(), format!("{body}\n")));
            }
            "console" => {
                for line in text.lines() {
                    match line.strip_prefix("$ ") {
                        Some(typed) => pieces.push(Piece::Typed(Typed { line: typed.to_owned(), shown: Vec::new() })),
                        None => match pieces.last_mut() {
                            Some(Piece::Typed(typed)) => typed.shown.push(line.to_owned()),
                            _ => panic!("printed before anything was typed: {line}"),
                        },
                    }
                }
            }
            _ => {}
        }
    }
    pieces
}

/// Runs a line; gives what it printed.
fn type_in(project: &Project, line: &str) -> String {
    if let Some(arguments) = line.strip_prefix("brickform ") {
        let ran = project.run(arguments);
        return format!("{}{}", ran.out, ran.err);
    }
    if let Some(rest) = line.strip_prefix("sed -i 's/") {
        let (rule, file) = rest.split_once("/' ").expect("a rule and a file");
        let (from, to) = rule.split_once('/').expect("two texts");
        project.edit(file, from, to);
        return String::new();
    }
    let git = line.strip_prefix("git ").unwrap_or_else(|| panic!("the page types brickform, sed and git, not `{line}`"));
    let (command, message) = git.split_once('"').map_or((git, None), |(before, after)| (before, after.strip_suffix('"')));
    self::git(project, &command.split_whitespace().chain(message).collect::<Vec<_>>())
}

fn git(project: &Project, arguments: &[&str]) -> String {
    let outside = Outside { folder: project.folder.path().to_owned(), ..Outside::real().expect("there is a current folder") };
    let who = ["-c", "user.name=Ada", "-c", "user.email=ada@brickform.local", "-c", "commit.gpgsign=false"];
    let all: Vec<&str> = who.into_iter().chain(arguments.iter().copied()).collect();
    let done = outside.system.run("git", &all, &outside.folder).expect("git is there");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn the_tutorial_prints_what_it_shows() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(top.join("docs/tutorial.md")).expect("the tutorial is there");
    let project = Project::own();
    project.write(".gitignore", &fs::read_to_string(top.join(".gitignore")).expect("text"));
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "A project"]] {
        git(&project, arguments);
    }
    let mut typed_lines = 0;
    for piece in pieces(&page) {
        match piece {
            Piece::File(name, text) => project.write(&name, &text),
            Piece::Typed(Typed { line, shown }) => {
                let printed = type_in(&project, &line);
                let mut rest = printed.as_str();
                for wanted in shown.iter().flat_map(|l| l.split("...")).map(str::trim).filter(|l| !l.is_empty()) {
                    let Some((_, after)) = rest.split_once(wanted) else { panic!("`{line}` does not print `{wanted}` there:\n{printed}") };
                    rest = after;
                }
                typed_lines += 1;
            }
        }
    }
    assert!(typed_lines > 15, "the tutorial types {typed_lines} lines");
}
