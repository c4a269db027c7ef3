//! Rust source as words: what the checks of the house look at, without comments and strings.

use std::path::{Path, PathBuf};

/// A word of Rust source: an identifier, or one character of punctuation (`::` is one word).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub line: usize,
}

/// All files below a folder that end in `.rs`, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder that can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The words of a source; comments, strings, characters and lifetimes are left out.
pub fn words(source: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or(0);
        if length == 0 {
            let word = word(rest, first);
            if !word.trim().is_empty() {
                words.push(Word { text: word.to_owned(), line });
            }
            line += word.matches('\n').count();
            rest = &rest[word.len()..];
        } else {
            line += rest[..length].matches('\n').count();
            rest = &rest[length..];
        }
    }
    words
}

fn word(rest: &str, first: char) -> &str {
    let name = |c: char| c.is_alphanumeric() || c == '_';
    if name(first) {
        &rest[..rest.find(|c| !name(c)).unwrap_or(rest.len())]
    } else if rest.starts_with("::") {
        "::"
    } else {
        &rest[..first.len_utf8()]
    }
}

/// The length of a comment, string, character or lifetime that begins here.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    for prefix in ["br", "cr", "r"] {
        if let Some(after) = rest.strip_prefix(prefix) {
            let hashes = after.len() - after.trim_start_matches('#').len();
            if after[hashes..].starts_with('"') {
                let close = format!("\"{}", "#".repeat(hashes));
                let body = prefix.len() + hashes + 1;
                return Some(rest[body..].find(&close).map_or(rest.len(), |n| body + n + close.len()));
            }
        }
    }
    let prefix = usize::from(rest.starts_with("b\"") || rest.starts_with("c\"") || rest.starts_with("b'"));
    match rest[prefix..].chars().next()? {
        '"' => Some(prefix + quoted(&rest[prefix..], '"')),
        '\'' => Some(prefix + character(&rest[prefix..])),
        _ => None,
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return i + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// `'a'` is a character, `'a` a lifetime.
fn character(rest: &str) -> usize {
    let mut after = rest.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) => quoted(rest, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1 + rest[1..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len() - 1),
    }
}

#[test]
fn comments_strings_characters_and_lifetimes_are_left_out() {
    let source = r##"
        //! crate::a
        /* crate::b /* nested */ crate::c */
        fn f<'a>(x: &'a str) -> char { let s = "crate::d \" crate::e"; let r = r#"crate::"f"#; let b = b"crate::g"; '"' }
        use crate::h; // crate::i
        const Q: char = '\''; use crate::j;
    "##;
    let names: Vec<String> =
        words(source).windows(3).filter(|w| w[0].text == "crate").map(|w| format!("{}:{}", w[2].text, w[2].line)).collect();
    assert_eq!(names, ["h:5", "j:6"]);
}
