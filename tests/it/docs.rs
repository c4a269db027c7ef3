//! Documents are current: reference pages are what the code says, links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use brickform::cli::reference::{Page, kind, page};
use brickform::kinds::Registry;
use brickform::model::Outside;
use clap::ValueEnum as _;

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `BRICKFORM_BLESS=1 cargo test --test it docs` writes them.
#[test]
fn reference_pages_are_what_the_code_says() {
    let bless = Outside::real().unwrap().variable("BRICKFORM_BLESS").is_some();
    let folder = top().join("docs/reference");
    let kinds = Registry::standard();
    let mut pages: Vec<(PathBuf, String)> = Page::value_variants().iter().map(|which| (folder.join(which.file()), page(*which))).collect();
    pages.extend(kinds.iter().map(|k| (folder.join(format!("kinds/{}.md", k.name)), kind(k))));
    for (file, text) in pages {
        if bless {
            fs::write(&file, &text).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(found == text, "{} is out of date: BRICKFORM_BLESS=1 cargo test --test it docs", file.display());
    }
    assert_eq!(fs::read_dir(folder.join("kinds")).unwrap().count(), kinds.iter().count(), "a page for each kind, and none besides");
}

/// README with the list of kinds below its mark, a paragraph.
fn with_kinds(text: &str) -> String {
    const WIDTH: usize = 130;
    let mark = text.find("<!-- Checked by tests/it/docs.rs").expect("the list has its mark");
    let start = mark + text[mark..].find('\n').expect("a line") + 1;
    let end = start + text[start..].find("\n\n").expect("a paragraph");
    let names: Vec<String> = Registry::standard().iter().map(|kind| format!("`{}`", kind.name)).collect();
    let mut lines = vec![String::new()];
    for (i, name) in names.iter().enumerate() {
        let word = if i + 1 < names.len() { format!("{name},") } else { name.clone() };
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.len() + 1 + word.len() <= WIDTH => line.extend([" ", word.as_str()]),
            _ => lines.push(word),
        }
    }
    format!("{}{}{}", &text[..start], lines.join("\n"), &text[end..])
}

/// README lists the kinds: all of them, in their order, and none besides. Blessing writes the list.
#[test]
fn the_readme_lists_the_kinds() {
    let readme = top().join("README.md");
    if Outside::real().unwrap().variable("BRICKFORM_BLESS").is_some() {
        let text = fs::read_to_string(&readme).unwrap();
        fs::write(&readme, with_kinds(&text)).unwrap();
    }
    let text = fs::read_to_string(&readme).unwrap();
    let section = text.split("## Kinds").nth(1).and_then(|t| t.split("\n## ").next()).unwrap();
    let listed: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
    let known: Vec<&str> = brickform::kinds::Registry::standard().iter().map(|k| k.name).collect();
    let line = text.lines().position(|line| line.starts_with("<!-- Checked by tests/it/docs.rs")).map_or(0, |at| at + 2);
    let missing: Vec<&&str> = known.iter().filter(|kind| !listed.contains(kind)).collect();
    assert!(missing.is_empty(), "README.md:{line}: the list of kinds lacks {missing:?}: BRICKFORM_BLESS=1 cargo test --test it docs");
    assert_eq!(listed, known, "README.md:{line}: the list of kinds has the order of `STANDARD` in src/kinds/registry.rs");
}

/// What has to be named somewhere besides is named by whoever forgot it: file and line.
#[test]
fn nothing_that_a_kind_or_a_service_needs_is_forgotten() {
    let registry = brickform::kinds::Registry::standard();
    for (folder, sign, list, wants) in [
        ("src/kinds", ": Kind = Kind {", "src/kinds/registry.rs", "const STANDARD: &[&Kind] = &["),
        ("src/local/services", "pub const ROOM: Room", "src/local/services/mod.rs", "services! {"),
    ] {
        let text = fs::read_to_string(top().join(list)).unwrap();
        let place = text.lines().position(|line| line.contains(wants)).map_or(0, |at| at + 1);
        assert!(place > 0, "{list}: `{wants}` is not there");
        let entries = text.split_once(wants).and_then(|(_, rest)| rest.split_once([']', '}'])).map_or("", |(entries, _)| entries);
        for path in
            crate::rust_source::files(&top().join(folder)).iter().filter(|path| !path.components().any(|c| c.as_os_str() == "tests"))
        {
            let source = fs::read_to_string(path).unwrap();
            let Some(at) = source.lines().position(|line| line.starts_with("pub ") && line.contains(sign)) else { continue };
            let file = path.strip_prefix(top()).unwrap().display();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let folder_name = path.parent().and_then(|p| p.file_name()).and_then(|name| name.to_str()).unwrap_or_default();
            let name = if stem == "mod" { folder_name } else { stem };
            let named = |word: &str| entries.split(|c: char| !c.is_alphanumeric() && c != '_').any(|entry| entry == word);
            assert!(named(name) || named(&name.to_uppercase()), "{file}:{}: `{name}` is not named in {list}:{place}", at + 1);
        }
    }
    for kind in registry.iter() {
        let page = format!("src/kinds/pages/{}.md", kind.name);
        assert!(top().join(&page).is_file(), "{page} is not there: what `{}` is, an example, habits", kind.name);
    }
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
        // Those of the kinds stand in a table of their own.
        assert!(
            name == "README.md" || name.starts_with("reference/kinds/") || index.contains(&format!("({name})")),
            "docs/README.md names {name}"
        );
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
