//! Diagnostics as annotations of GitHub Actions: `::error file=conf/jobs.yaml,line=4,col=5,title=E0107::...`.

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::url::masked;
use crate::report::findings::Finding;

/// One line a diagnostic.
pub fn annotations(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut properties = Vec::new();
        if let Some(label) = diagnostic.labels.first() {
            let (line, column) = label.span.line_column();
            properties.push(format!("file={}", property(&label.span.source.name)));
            properties.push(format!("line={line},col={column}"));
        }
        properties.push(format!("title={}", diagnostic.code));
        let mut text = diagnostic.message.clone();
        for help in &diagnostic.help {
            text.push_str("\nhelp: ");
            text.push_str(help);
        }
        out.push_str(&format!("::{level} {}::{}\n", properties.join(","), escape(&masked(&text))));
    }
    out
}

/// Findings as commands of a workflow, a line each. `prefix`: the project's folder from the top of the repository.
pub fn commands(findings: &[Finding], prefix: &str) -> String {
    let mut out = String::new();
    for finding in findings {
        let mut properties = Vec::new();
        if let Some(span) = &finding.span {
            let (line, column) = span.line_column();
            properties.push(format!("file={}", property(&format!("{prefix}{}", span.source.name))));
            properties.push(format!("line={line},col={column}"));
        }
        properties.push(format!("title={}", property(&finding.rule)));
        let text: Vec<&str> = std::iter::once(finding.message.as_str()).chain(finding.help.iter().map(String::as_str)).collect();
        out.push_str(&format!("::{} {}::{}\n", finding.level.word(), properties.join(","), escape(&text.join("\n"))));
    }
    out
}

/// Text of an annotation: `%`, carriage return and line feed are written as percent escapes.
pub fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::annotations;
    use crate::diagnostic::{Diagnostic, Source, Span};

    #[test]
    fn names_the_place_and_escapes() {
        let source = Arc::new(Source { name: "conf/a,b.yaml".to_owned(), text: "x:\n  y: 1\n".to_owned() });
        let found = [
            Diagnostic::error("E0107", "50% wrong").at(&Span::new(&source, 5, 6), "").help("mend it"),
            Diagnostic::warning("W0301", "no place"),
        ];
        assert_eq!(
            annotations(&found),
            "::error file=conf/a%2Cb.yaml,line=2,col=3,title=E0107::50%25 wrong%0Ahelp: mend it\n::warning title=W0301::no place\n"
        );
    }
}
