//! Runs of benchmarks as a comment on a pull request.

use super::text::{compared, counted, standing, why};
use super::{Answer, Report, Score, Space, Standing, Verdict, percent};
use crate::report::markdown::LIMIT;
use crate::report::markdown::words::{escape, fence, link, marker, span};

/// How much of it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    /// With the SQL of each question that was not answered right.
    Whole,
    /// Without it.
    Short,
    /// A line a space.
    Least,
}

/// The comment: a table of spaces, then the questions that were not answered right. It is cut to what a comment may hold.
#[must_use]
pub fn markdown(report: &Report, project: &str) -> String {
    for length in [Length::Whole, Length::Short] {
        let text = page(report, project, length);
        if text.len() <= LIMIT {
            return text;
        }
    }
    let text = page(report, project, Length::Least);
    let end = (0..=LIMIT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}

fn page(report: &Report, project: &str, length: Length) -> String {
    let environment = report.environment.as_deref().unwrap_or(&report.host);
    let mut out = marker("genie-bench", &[project, environment]);
    out.push_str(&format!("## Brickform · {}: benchmarks of Genie spaces\n\n", escape(environment)));
    out.push_str(&format!("{}\n\n", escape(&report.summary())));
    out.push_str("| space | score | | answers |\n| --- | ---: | --- | --- |\n");
    for space in &report.spaces {
        out.push_str(&row(report, space));
    }
    out.push('\n');
    if length == Length::Least {
        out.push_str("_Questions are left out: there are too many for a comment; `-o json` has them all._\n");
        return out;
    }
    for space in &report.spaces {
        section(report, space, length, &mut out);
    }
    if length == Length::Short {
        out.push_str("_SQL is left out: there is too much for a comment; `-o json` has it all._\n");
    }
    out
}

fn row(report: &Report, space: &Space) -> String {
    let score = report.score(space).and_then(Score::percent).map_or_else(|| "none".to_owned(), percent);
    let sign = match report.standing(space) {
        Standing::Open => "",
        Standing::Reached => "reached",
        Standing::Under => "**under the mark**",
        Standing::Broken => "**no result**",
    };
    let name = match space.link.as_deref().and_then(link) {
        Some(link) => format!("[{}]({link})", escape(space.name())),
        None => escape(space.name()),
    };
    let answers = space.run.as_ref().map(|run| counted(run, report.review)).unwrap_or_default();
    format!("| {name} | {score} | {sign} | {} |\n", escape(&answers))
}

fn section(report: &Report, space: &Space, length: Length, out: &mut String) {
    let wrong: Vec<&Answer> = space.run.iter().flat_map(|run| &run.answers).filter(|answer| answer.verdict != Verdict::Good).collect();
    let compared = compared(report, space);
    if wrong.is_empty() && compared.is_empty() && space.notes.is_empty() && space.problem.is_none() {
        return;
    }
    out.push_str(&format!("### {}\n\n{}\n\n", escape(space.name()), escape(&standing(report, space))));
    for note in &space.notes {
        out.push_str(&format!("- {}\n", escape(note)));
    }
    for line in &compared {
        out.push_str(&format!("- {}\n", escape(line.trim_start())));
    }
    if !space.notes.is_empty() || !compared.is_empty() {
        out.push('\n');
    }
    for answer in wrong {
        let why = why(answer);
        let why = if why.is_empty() { String::new() } else { format!(": {}", escape(&why.join("; "))) };
        let line = format!("{} **{}**{why}", span(&answer.question), answer.verdict.word());
        if length == Length::Short {
            out.push_str(&format!("- {line}\n"));
            continue;
        }
        let got = if answer.got.is_empty() { "(no answer)" } else { &answer.got };
        out.push_str(&format!("{line}\n\n<details><summary>expected and got</summary>\n\n"));
        out.push_str(&format!("{}{}</details>\n\n", fence("sql", &answer.expected), fence("sql", got)));
    }
}
