//! A plan as one HTML file that needs nothing else: no network, no server, no framework.
//!
//! The header is written here; everything else is one block of JSON that a script of ours draws. Whatever users wrote
//! reaches the page as text only: escaped in the header, as JSON without `<` in the block, by `textContent` in the script;
//! a content security policy with the digests of our own script and style stops anything else from running.

use std::fmt::Write as _;

use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::about::About;
use super::style::visible;
use crate::plan::Plan;

mod data;
mod head;
#[cfg(test)]
mod tests;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// Read in this order; one function around all.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("diff.js"),
    include_str!("graph.js"),
    include_str!("list.js"),
    include_str!("script.js"),
    "})();\n"
);

/// The most bytes of a page, as far as that is possible by showing less of long values.
const MOST: usize = 4_800_000;
/// The longest value that is shown whole, in bytes; where the page grows too large, a quarter of it, and so on.
const LONGEST: usize = 65_536;
/// Values are never cut shorter than this.
const SHORTEST: usize = 64;
/// Where values have to be cut shorter than this, requests are left out too.
const REQUESTS: usize = 1024;

/// One environment of a page.
pub struct One<'a> {
    /// Its name.
    pub environment: &'a str,
    /// Its plan and what stands around it; or why there is none.
    pub told: Result<(&'a Plan, About<'a>), &'a str>,
}

/// The page. The same plan and surroundings give the same bytes.
#[must_use]
pub fn plan(plan: &Plan, about: &About<'_>) -> String {
    several(&plan.project, about.command, &[One { environment: &plan.environment, told: Ok((plan, *about)) }])
}

/// One page of several environments: all are listed, one is shown, a click shows another.
#[must_use]
pub fn several(project: &str, command: &str, all: &[One<'_>]) -> String {
    let lengths: Vec<usize> = all.iter().filter_map(|one| one.told.as_ref().ok()).flat_map(|(plan, _)| data::lengths(plan)).collect();
    let mut longest = LONGEST;
    // What surely does not fit is not tried.
    while longest > SHORTEST && lengths.iter().map(|length| length.min(&longest)).sum::<usize>() > MOST {
        longest /= 4;
    }
    loop {
        let page = page(project, command, all, longest);
        if page.len() <= MOST || longest <= SHORTEST {
            return page;
        }
        longest /= 4;
    }
}

fn page(project: &str, command: &str, all: &[One<'_>], longest: usize) -> String {
    let heads: Vec<head::Head> = all.iter().map(head::of).collect();
    let title = match (&heads[..], all) {
        ([head], [one]) => format!("{} · {} · {project}", one.environment, head.verdict),
        _ => format!("{} · {project}", head::together(&heads)),
    };
    let mut blocks = String::new();
    for one in all {
        let data = match &one.told {
            Ok((plan, about)) => data::of(plan, about, longest),
            Err(_) => data::nothing(),
        };
        let (name, text) = (escape(one.environment), inert(&data.to_string()));
        let _ = writeln!(blocks, "<script type=\"application/json\" class=\"plan\" data-env=\"{name}\">{text}</script>");
    }
    filled(
        PAGE,
        &[
            ("version", env!("CARGO_PKG_VERSION")),
            ("title", &escape(&title)),
            ("nav", &head::nav(all, &heads)),
            ("heads", &head::heads(project, all, &heads)),
            ("results", &head::results(all)),
            ("command", &escape(command)),
            ("feet", &head::feet(all)),
            ("style", STYLE),
            ("style-hash", &hash(STYLE)),
            ("script", SCRIPT),
            ("script-hash", &hash(SCRIPT)),
            ("data", &blocks),
        ],
    )
}

/// Text that is read as text and nothing else, also between quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The same line by line.
fn escaped_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// JSON that no reader of HTML takes for anything else: `</script` and `<!--` cannot occur in it.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// As a content security policy names a script.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// The template with its marks replaced, in one go: what is put in is never looked through for marks.
fn filled(template: &str, marks: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, tail) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(marks.iter().find(|(mark, _)| *mark == name).map_or("", |(_, text)| text));
        rest = tail;
    }
    out.push_str(rest);
    out
}
