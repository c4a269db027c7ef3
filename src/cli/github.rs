//! Findings as commands of a workflow of GitHub Actions: `::error file=conf/jobs.yaml,line=4,col=5,title=E0107::...`.

use crate::report::findings::{Finding, Level};
use crate::report::style::visible;

/// GitHub shows so many annotations of each level in a step, and passes over the others without a word.
const MOST: usize = 10;

/// Annotations, a line each, errors first. Where there are more than GitHub shows, the last one says how many; those stand as
/// plain lines, which the log of the step keeps. `prefix`: the project's folder from the top of the repository.
pub fn commands(findings: &[Finding], prefix: &str) -> String {
    let mut out = String::new();
    for level in [Level::Error, Level::Warning] {
        let all: Vec<&Finding> = findings.iter().filter(|finding| finding.level == level).collect();
        let shown = if all.len() > MOST { MOST - 1 } else { all.len() };
        for finding in &all[..shown] {
            out.push_str(&command(finding, prefix));
        }
        let rest = &all[shown..];
        if rest.is_empty() {
            continue;
        }
        let word = level.word();
        out.push_str(&format!("::{word} title=brickform::and {} more {word}s: the log of this step lists them\n", rest.len()));
        for finding in rest {
            out.push_str(&plain(finding, prefix));
        }
    }
    out
}

fn command(finding: &Finding, prefix: &str) -> String {
    let mut properties = Vec::new();
    if let Some(span) = &finding.span {
        let (line, column) = span.line_column();
        properties.push(format!("file={}", property(&format!("{prefix}{}", span.source.name))));
        properties.push(format!("line={line},col={column}"));
    }
    properties.push(format!("title={}", property(&finding.rule)));
    let text: Vec<&str> = std::iter::once(finding.message.as_str()).chain(finding.help.iter().map(String::as_str)).collect();
    format!("::{} {}::{}\n", finding.level.word(), properties.join(","), escape(&text.join("\n")))
}

/// A line of the log that no runner takes for a command.
fn plain(finding: &Finding, prefix: &str) -> String {
    let place = finding.span.as_ref().map(|span| format!("{prefix}{}: ", span.cite())).unwrap_or_default();
    let text = finding.message.replace(['\n', '\r'], " ");
    let text = visible(&text);
    format!("{} {place}{}: {text}\n", finding.level.word(), finding.rule)
}

/// Text of an annotation: `%`, carriage return and line feed are written as percent escapes, what would steer the log is written out.
pub fn escape(text: &str) -> String {
    let text: String =
        text.split('\n').map(|line| line.split('\r').map(visible).collect::<Vec<_>>().join("\r")).collect::<Vec<_>>().join("\n");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::commands;
    use crate::diagnostic::{Diagnostic, Source, Span};
    use crate::report::findings::of_diagnostics;

    #[test]
    fn names_the_place_and_escapes() {
        let source = Arc::new(Source { name: "conf/a,b:c%.yaml".to_owned(), text: "x:\n  y: 1\n".to_owned() });
        let found = [
            Diagnostic::warning("W0301", "no \u{1b}[31mplace"),
            Diagnostic::error("E0107", "50% wrong\r\n::error::not a command").at(&Span::new(&source, 5, 6), "").help("mend it"),
        ];
        assert_eq!(
            commands(&of_diagnostics(&found), "data/"),
            "::error file=data/conf/a%2Cb%3Ac%25.yaml,line=2,col=3,title=E0107::50%25 wrong%0D%0A::error::not a command%0Amend it\n\
             ::warning title=W0301::no \\u{1b}[31mplace\n"
        );
    }

    #[test]
    fn what_github_would_not_show_is_counted_and_stays_in_the_log() {
        let some = |errors: usize, warnings: usize| {
            let mut found: Vec<Diagnostic> = (0..errors).map(|n| Diagnostic::error("E0107", format!("e{n}\n::error::x"))).collect();
            found.extend((0..warnings).map(|n| Diagnostic::warning("W0301", format!("w{n}"))));
            commands(&of_diagnostics(&found), "")
        };
        let all = some(10, 10);
        assert_eq!(
            (all.matches("::error title=E0107").count(), all.matches("::warning title=W0301").count(), all.lines().count()),
            (10, 10, 20)
        );
        let more = some(25, 11);
        assert_eq!(more.lines().filter(|l| l.starts_with("::error ")).count(), 10, "{more}");
        assert_eq!(more.lines().filter(|l| l.starts_with("::warning ")).count(), 10, "{more}");
        assert!(more.contains("::error title=brickform::and 16 more errors") && more.contains("and 2 more warnings"), "{more}");
        assert!(more.contains("\nerror E0107: e24 ::error::x\n") && more.contains("\nwarning W0301: w10\n"), "{more}");
    }
}
