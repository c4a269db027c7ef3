//! Documents are current: reference pages are what the code says, links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use brickform::cli::reference::{Page, page};
use brickform::kinds::Registry;
use brickform::model::Outside;
use brickform::project::{self, Answers, Ask};
use clap::ValueEnum as _;

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `BRICKFORM_BLESS=1 cargo test --test it docs` writes them.
#[test]
fn reference_pages_are_what_the_code_says() {
    let bless = Outside::real().unwrap().variable("BRICKFORM_BLESS").is_some();
    for which in Page::value_variants() {
        let file = top().join("docs/reference").join(which.file());
        let text = page(*which);
        if bless {
            fs::write(&file, &text).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(found == text, "{} is out of date: BRICKFORM_BLESS=1 cargo test --test it docs", file.display());
    }
}

/// README lists the kinds: all of them, in their order, and none besides.
#[test]
fn the_readme_lists_the_kinds() {
    let text = fs::read_to_string(top().join("README.md")).unwrap();
    let section = text.split("## Kinds").nth(1).and_then(|t| t.split("\n## ").next()).unwrap();
    let listed: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
    let known: Vec<&str> = brickform::kinds::Registry::standard().iter().map(|k| k.name).collect();
    assert_eq!(listed, known);
}

/// Each page of docs is named by the index of the docs.
#[test]
fn the_index_names_every_page() {
    let folder = top().join("docs");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut pages = vec![];
    collect(&folder, &mut pages);
    for page in pages {
        let name = page.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        assert!(name == "README.md" || index.contains(&format!("({name})")), "docs/README.md names {name}");
    }
}

#[test]
fn links_lead_somewhere() {
    let mut pages = vec![];
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        pages.push(top().join(name));
    }
    collect(&top().join("docs"), &mut pages);
    collect(&top().join("examples"), &mut pages);
    let mut broken = vec![];
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for target in links(&text) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let place = page.parent().unwrap().join(file);
            if !place.exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(pages.len() > 6, "the documents are there");
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).expect("the folder is there").map(|e| e.expect("it can be read").path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, into);
        } else if entry.extension().is_some_and(|e| e == "md") {
            into.push(entry);
        }
    }
}

/// Targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    text.match_indices("](").filter_map(|(at, _)| Some(text[at + 2..].split_once(')')?.0.to_owned())).collect()
}

/// A fenced block: its words behind the language, its text, and the line it begins at.
pub struct Block {
    language: String,
    words: Vec<String>,
    /// What stands in it.
    pub text: String,
    line: usize,
}

impl Block {
    fn word(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='))
    }

    /// The file that it is.
    pub fn file(&self) -> Option<&str> {
        self.word("file").or_else(|| (self.language == "yaml").then_some("conf/example.yaml"))
    }
}

/// All fenced blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(top().join(page)).expect("it is there");
    let mut found = vec![];
    let mut open: Option<Block> = None;
    for (i, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let language = words.next().unwrap_or_default();
                open = Some(Block { language, words: words.collect(), text: String::new(), line: i + 1 });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page}: a block does not end");
    found
}

/// Codes of everything that is wrong or warned about in a project of these files.
fn codes_of(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("it is there");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is there")).expect("it is there");
        fs::write(path, text).expect("it is there");
    };
    write("conf/project.yaml", "name: docs\n");
    if !files.iter().any(|(name, _)| name.starts_with("environments/")) {
        write("environments/dev.yaml", "workspace: local\n");
    }
    for (name, text) in files {
        write(name, text);
    }
    let variables = [("REGION", "EU"), ("BRICKFORM_STATE_KEY", "k")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let real = Outside::real().expect("it is there");
    let outside = Outside { variables: Arc::new(variables.into()), folder: folder.path().to_owned(), ..real };
    let loaded = project::load(&outside, &Ask::default(), &Registry::standard());
    let found = match loaded.map_err(|f| f.diagnostics).and_then(|p| p.resolve(&Answers::new())) {
        Ok(desired) => desired.warnings,
        Err(diagnostics) => diagnostics,
    };
    found.iter().map(|d| format!("{}: {}", d.code, d.message)).collect()
}

#[test]
fn blocks_of_the_language_are_projects() {
    let blocks = blocks("docs/reference/yaml.md");
    let mut at = 0;
    let mut tried = 0;
    let mut wrong = vec![];
    while at < blocks.len() {
        let first = &blocks[at];
        let mut files = vec![];
        let mut error = None;
        while let Some(block) = blocks.get(at).filter(|b| std::ptr::eq(*b, first) || b.words.iter().any(|w| w == "more")) {
            files.extend(block.file().map(|name| (name, block.text.as_str())));
            error = error.or(block.word("error"));
            at += 1;
        }
        if files.is_empty() {
            continue;
        }
        tried += 1;
        // A declared variable that a short block does not use is no mistake of the block.
        let found: Vec<String> = codes_of(&files).into_iter().filter(|c| !c.starts_with("W0226")).collect();
        let as_said = match error {
            Some(code) => !found.is_empty() && found.iter().all(|f| f.starts_with(code)),
            None => found.is_empty(),
        };
        if !as_said {
            wrong.push(format!("docs/reference/yaml.md:{}: {found:?}", first.line));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried > 25, "the blocks are there");
}

#[test]
fn the_space_of_the_guide_is_a_project() {
    let blocks = blocks("docs/guides/genie-spaces.md");
    let files: Vec<(&str, &str)> = blocks.iter().filter_map(|b| Some((b.file()?, b.text.as_str()))).collect();
    assert_eq!(files.len(), 2);
    assert_eq!(codes_of(&files), [] as [String; 0]);
}
