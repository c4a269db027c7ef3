//! Diagnostics as rustc prints them, and as JSON.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch as Mend, Renderer, Snippet, normalize_untrusted_str};
use serde_json::json;

use super::style::own;
use crate::diagnostic::{Diagnostic, Patch, Severity, Source, Span};
use crate::model::url::{blotted, masked};

/// The format of diagnostics as JSON; changes only when a reader of the old one would be misled.
pub const DIAGNOSTICS_FORMAT: &str = "brickform.diagnostics/1";

/// Narrower than this a source line says nothing any more.
const MIN_WIDTH: usize = 40;

/// Rendered for a terminal of this width (columns), errors first within a file, sorted by place; ends with the count.
/// Empty where there are none.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], colour: bool, width: usize) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let of_width = |renderer: Renderer| renderer.term_width(width.max(MIN_WIDTH)).decor_style(DecorStyle::Ascii);
    let (plain, styled) = (of_width(Renderer::plain()), of_width(Renderer::styled()));
    let concealed: Vec<&Span> = diagnostics.iter().flat_map(|d| &d.concealed).collect();
    let mut out = String::new();
    for diagnostic in sorted(diagnostics) {
        let text = plain.render(&groups(diagnostic, &concealed));
        // What the renderer adds is ours, as long as nobody's text has brought anything like it along.
        if colour && !text.contains('\u{1b}') {
            out.push_str(&own(&styled.render(&groups(diagnostic, &concealed))));
        } else {
            out.push_str(&text);
        }
        out.push_str("\n\n");
    }
    out.push_str(&summary(diagnostics));
    out.push('\n');
    out
}

/// Diagnostics as values, sorted by place.
#[must_use]
pub fn list(diagnostics: &[Diagnostic]) -> serde_json::Value {
    sorted(diagnostics)
        .into_iter()
        .map(|d| {
            let mut object = json!({
                "code": d.code,
                "severity": severity(d.severity),
                "message": masked(&d.message),
                "file": null, "line": null, "column": null, "end_line": null, "end_column": null,
                "labels": d.labels.iter().map(|l| with_place(&l.span, &[("text", json!(masked(&l.text)))])).collect::<Vec<_>>(),
                "help": d.help.iter().map(|help| masked(help)).collect::<Vec<_>>(),
                "patches": d.patches.iter().map(patch_json).collect::<Vec<_>>(),
            });
            if let (Some(label), Some(members)) = (d.labels.first(), object.as_object_mut()) {
                members.extend(place(&label.span));
            }
            object
        })
        .collect()
}

/// `{"format", "errors", "warnings", "diagnostics": [{code, severity, message, file, line, column, end_line, end_column,
/// labels, help, patches}]}`, in the order of [`text`]. Lines and columns from 1, columns in characters, ends exclusive;
/// the place is null where a diagnostic has none. A patch also has the byte range that it replaces.
#[must_use]
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let (errors, warnings) = counts(diagnostics);
    let document = json!({ "format": DIAGNOSTICS_FORMAT, "errors": errors, "warnings": warnings, "diagnostics": list(diagnostics) });
    let mut out = serde_json::to_string_pretty(&document).unwrap_or_default();
    out.push('\n');
    out
}

/// By file, errors before warnings, by place, by code; what has no file comes first.
fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut all: Vec<&Diagnostic> = diagnostics.iter().collect();
    all.sort_by_key(|d| {
        let span = d.labels.first().map(|l| &l.span);
        (span.map(|s| s.source.name.as_str()), d.severity, span.map(|s| s.start), d.code, d.message.as_str())
    });
    all
}

fn counts(diagnostics: &[Diagnostic]) -> (usize, usize) {
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    (errors, diagnostics.len() - errors)
}

/// The last line: how many, that nothing happened, and where to read more.
fn summary(diagnostics: &[Diagnostic]) -> String {
    let (errors, warnings) = counts(diagnostics);
    let count = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let counted: Vec<String> = [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    let nothing = if errors > 0 { " Nothing was sent to the workspace." } else { "" };
    let ordered = sorted(diagnostics);
    let named = ordered.iter().rev().find(|d| d.is_error()).or(ordered.last());
    let more = named.map(|d| format!(" `brickform explain {}` says more.", d.code)).unwrap_or_default();
    format!("{}.{nothing}{more}", counted.join(", "))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The parts of one diagnostic: title with the places, then each help, the mends below the help that speaks of them.
fn groups<'a>(diagnostic: &'a Diagnostic, concealed: &[&Span]) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(one_line(&diagnostic.message)).id(diagnostic.code);
    if diagnostic.labels.is_empty() && diagnostic.patches.is_empty() {
        return vec![Group::with_title(title).elements(diagnostic.help.iter().map(|help| Level::HELP.message(one_line(help))))];
    }
    let mut groups = vec![Group::with_title(title).elements(snippets(diagnostic, concealed))];
    let with_mends = help_of_mends(diagnostic);
    for (i, help) in diagnostic.help.iter().enumerate() {
        let group = Group::with_title(Level::HELP.secondary_title(one_line(help)));
        groups.push(if with_mends == Some(i) { group.elements(mends(&diagnostic.patches, concealed)) } else { group });
    }
    if with_mends.is_none() && !diagnostic.patches.is_empty() {
        groups.push(Group::with_title(Level::HELP.secondary_title("change it to")).elements(mends(&diagnostic.patches, concealed)));
    }
    groups
}

/// A message holds no line breaks and no control characters of its own.
fn one_line(message: &str) -> Cow<'_, str> {
    let message = masked(message);
    if message.chars().any(char::is_control) {
        normalize_untrusted_str(&message.split_whitespace().collect::<Vec<_>>().join(" ")).into()
    } else {
        message
    }
}

/// The help that names what the first mend writes, else the last one.
fn help_of_mends(diagnostic: &Diagnostic) -> Option<usize> {
    let first = diagnostic.patches.first()?;
    let named = diagnostic.help.iter().position(|help| help.contains(&format!("`{}`", first.text.trim())));
    named.or_else(|| diagnostic.help.len().checked_sub(1))
}

/// One snippet for each file that the labels point into, the primary one's first.
fn snippets<'a>(diagnostic: &'a Diagnostic, concealed: &[&Span]) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut by_source: Vec<(&Source, Vec<(bool, &crate::diagnostic::Label)>)> = Vec::new();
    for (i, label) in diagnostic.labels.iter().enumerate() {
        let source = label.span.source.as_ref();
        match by_source.iter_mut().find(|(s, _)| *s == source) {
            Some((_, labels)) => labels.push((i == 0, label)),
            None => by_source.push((source, vec![(i == 0, label)])),
        }
    }
    by_source
        .into_iter()
        .map(|(source, labels)| {
            let ranges: Vec<Range<usize>> = labels.iter().map(|(_, l)| first_line(&l.span)).collect();
            let cut = Cut::around(source, &ranges, concealed);
            let annotations = labels.iter().zip(ranges).map(|((primary, label), range)| {
                let kind = if *primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                let annotation = kind.span(cut.inside(&range));
                if label.text.is_empty() { annotation } else { annotation.label(one_line(&label.text)) }
            });
            let annotations: Vec<_> = annotations.collect();
            Snippet::source(cut.text).path(source.name.as_str()).line_start(cut.line).annotations(annotations)
        })
        .collect()
}

/// One snippet for each file that is mended.
fn mends<'a>(patches: &'a [Patch], concealed: &[&Span]) -> Vec<Snippet<'a, Mend<'a>>> {
    let mut by_source: Vec<(&Source, Vec<&Patch>)> = Vec::new();
    for patch in patches {
        match by_source.iter_mut().find(|(s, _)| *s == patch.span.source.as_ref()) {
            Some((_, list)) => list.push(patch),
            None => by_source.push((patch.span.source.as_ref(), vec![patch])),
        }
    }
    by_source
        .into_iter()
        .map(|(source, patches)| {
            let ranges: Vec<Range<usize>> = patches.iter().map(|p| p.span.start as usize..p.span.end as usize).collect();
            let cut = Cut::around(source, &ranges, concealed);
            let list: Vec<_> = patches.iter().zip(&ranges).map(|(p, range)| Mend::new(cut.inside(range), p.text.as_str())).collect();
            Snippet::source(cut.text).line_start(cut.line).path(source.name.as_str()).patches(list)
        })
        .collect()
}

/// A span of several lines is shown by its first.
fn first_line(span: &Span) -> Range<usize> {
    let range = span.start as usize..span.end as usize;
    let text = span.source.text.get(range.clone()).unwrap_or_default();
    range.start..range.start + text.lines().next().map_or(0, |line| line.trim_end().len())
}

/// The lines of a source that are shown, so that a large file is not walked for each diagnostic.
struct Cut {
    text: String,
    /// Number of the first line, from 1.
    line: usize,
    /// Byte in the source at which it begins.
    start: usize,
}

impl Cut {
    fn around(source: &Source, ranges: &[Range<usize>], concealed: &[&Span]) -> Self {
        let text = &source.text;
        let first = ranges.iter().map(|r| r.start).min().unwrap_or(0).min(text.len());
        let last = ranges.iter().map(|r| r.end).max().unwrap_or(0).clamp(first, text.len());
        let start = text.get(..first).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
        let end = text.get(last..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| last + n);
        let line = text.get(..start).map_or(0, |before| before.bytes().filter(|b| *b == b'\n').count()) + 1;
        let mut bytes = text.get(start..end).unwrap_or_default().as_bytes().to_vec();
        for span in concealed.iter().filter(|s| s.source.as_ref() == source) {
            let (from, to) = ((span.start as usize).max(start), (span.end as usize).min(end));
            // Byte for byte, so that every other place stays where it is.
            for byte in bytes.get_mut(from.saturating_sub(start)..to.saturating_sub(start)).unwrap_or_default() {
                if *byte != b'\n' {
                    *byte = b'*';
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { text: blotted(&text).into_owned(), line, start }
    }

    fn inside(&self, range: &Range<usize>) -> Range<usize> {
        let at = |n: usize| n.saturating_sub(self.start).min(self.text.len());
        at(range.start)..at(range.end)
    }
}

/// `file`, `line`, `column`, `end_line`, `end_column`.
fn place(span: &Span) -> serde_json::Map<String, serde_json::Value> {
    let (line, column) = span.line_column();
    let (end_line, end_column) = Span { start: span.end, ..span.clone() }.line_column();
    [
        ("file", json!(span.source.name)),
        ("line", json!(line)),
        ("column", json!(column)),
        ("end_line", json!(end_line)),
        ("end_column", json!(end_column)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn with_place(span: &Span, more: &[(&str, serde_json::Value)]) -> serde_json::Value {
    let mut members = place(span);
    members.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    members.into()
}

fn patch_json(patch: &Patch) -> serde_json::Value {
    with_place(&patch.span, &[("start", json!(patch.span.start)), ("end", json!(patch.span.end)), ("text", json!(patch.text))])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{json, text};
    use crate::diagnostic::{Diagnostic, Source, Span};

    fn source(name: &str, text: &str) -> Arc<Source> {
        Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
    }

    fn span(source: &Arc<Source>, word: &str) -> Span {
        let at = source.text.find(word).expect(word);
        Span::new(source, at, at + word.len())
    }

    fn some() -> Vec<Diagnostic> {
        let warehouses = source("conf/warehouses.yaml", "# ours\nwarehouses:\n  bi:\n    cluster_sise: Small\n");
        let spaces = source("spaces/sales.yaml", "tables:\n  - \"${catalgo}.sales.orders\"\n");
        let environment = source("environments/prod.yaml", "variables:\n  catalog: main\n");
        vec![
            Diagnostic::error("E0204", "`catalgo` is not defined")
                .at(&span(&spaces, "catalgo"), "in environment prod")
                .at(&span(&environment, "catalog"), "a variable of nearly this name")
                .help("there is a variable `catalog` (environments/prod.yaml:2)"),
            Diagnostic::error("E0107", "unknown field `cluster_sise` in warehouses.bi")
                .at(&span(&warehouses, "cluster_sise"), "a warehouse has no such field")
                .help("did you mean `cluster_size`?")
                .patch(&span(&warehouses, "cluster_sise"), "cluster_size"),
            Diagnostic::warning("W0201", "the variable `catalog` is used nowhere").at(&span(&environment, "catalog"), ""),
            Diagnostic::error("E0206", "nobody declares a variable `region`, which `--var` sets").help("did you mean `regions`?"),
        ]
    }

    #[test]
    fn looks_like_rustc() {
        insta::assert_snapshot!(text(&some(), false, 100), @r#"
        error[E0206]: nobody declares a variable `region`, which `--var` sets
         |
         = help: did you mean `regions`?

        error[E0107]: unknown field `cluster_sise` in warehouses.bi
         --> conf/warehouses.yaml:4:5
          |
        4 |     cluster_sise: Small
          |     ^^^^^^^^^^^^ a warehouse has no such field
          |
        help: did you mean `cluster_size`?
          |
        4 -     cluster_sise: Small
        4 +     cluster_size: Small
          |

        warning[W0201]: the variable `catalog` is used nowhere
         --> environments/prod.yaml:2:3
          |
        2 |   catalog: main
          |   ^^^^^^^

        error[E0204]: `catalgo` is not defined
         --> spaces/sales.yaml:2:8
          |
        2 |   - "${catalgo}.sales.orders"
          |        ^^^^^^^ in environment prod
          |
         ::: environments/prod.yaml:2:3
          |
        2 |   catalog: main
          |   ------- a variable of nearly this name
          |
        help: there is a variable `catalog` (environments/prod.yaml:2)

        3 errors, 1 warning. Nothing was sent to the workspace. `brickform explain E0204` says more.
        "#);
    }

    #[test]
    fn is_json_with_places() {
        let parsed: serde_json::Value = serde_json::from_str(&json(&some()[1..2])).expect("JSON");
        let place = |more: serde_json::Value| {
            let mut all = serde_json::json!({"file": "conf/warehouses.yaml", "line": 4, "column": 5, "end_line": 4, "end_column": 17});
            all.as_object_mut().expect("map").extend(more.as_object().expect("map").clone());
            all
        };
        let want = place(serde_json::json!({
            "code": "E0107",
            "severity": "error",
            "message": "unknown field `cluster_sise` in warehouses.bi",
            "labels": [place(serde_json::json!({"text": "a warehouse has no such field"}))],
            "help": ["did you mean `cluster_size`?"],
            "patches": [place(serde_json::json!({"start": 29, "end": 41, "text": "cluster_size"}))],
        }));
        assert_eq!(parsed, serde_json::json!({"format": "brickform.diagnostics/1", "errors": 1, "warnings": 0, "diagnostics": [want]}));
        let placeless: serde_json::Value = serde_json::from_str(&json(&some()[3..])).expect("JSON");
        assert!(placeless["diagnostics"][0]["file"].is_null());
    }

    #[test]
    fn nothing_to_say_is_empty_and_warnings_alone_stop_nothing() {
        assert_eq!(text(&[], false, 80), "");
        let warning = text(&some()[2..3], false, 80);
        assert!(warning.ends_with("1 warning. `brickform explain W0201` says more.\n"), "{warning}");
    }

    #[test]
    fn colour_is_only_added() {
        let coloured = text(&some(), true, 100);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(console::strip_ansi_codes(&coloured), text(&some(), false, 100));
    }

    #[test]
    fn long_lines_fit_the_terminal() {
        let long = source("conf/long.yaml", &format!("a: {} wrong {}\n", "x".repeat(300), "y".repeat(300)));
        let out = text(&[Diagnostic::error("E0101", "no").at(&span(&long, "wrong"), "here")], false, 80);
        assert!(out.contains("wrong"), "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    }

    /// Names of every width: CJK, combining marks, an emoji of several, right to left.
    #[test]
    fn names_of_every_width_at_every_width() {
        let text_of = "jobs:\n  夜間: { name: \"夜間バッチ 処理の全量データ 👩\u{200d}👩\u{200d}👧 family\", bad: yes }\n                         task: { name: \"مهمة ليلية كاملة ночная задача cafe\u{301} du matin\", description: \"夜間バッチ処理の全量データを毎晩読み込む仕事で、長い説明がここに続きます\", wrong: 1 }\n";
        let file = source("conf/夜間/مهمة.yaml", text_of);
        let found = [
            Diagnostic::error(
                "E0103",
                "`夜間` is no key: keys are letters, digits, `_` and `-`, and this one has 夜, which is none of them",
            )
            .at(&span(&file, "夜間"), "夜間 は使えません")
            .help("name it otherwise; `name:` may hold any text")
            .patch(&span(&file, "夜間"), "night"),
            Diagnostic::error("E0107", "unknown field `bad` in jobs.夜間")
                .at(&span(&file, "bad"), "a job has no such field 👩\u{200d}👩\u{200d}👧"),
            Diagnostic::warning("W0108", "unknown field `wrong` in jobs.task: it is sent as it is, مهمة ليلية كاملة")
                .at(&span(&file, "wrong"), "")
                .at(&span(&file, "مهمة ليلية كاملة"), "its name is here, مهمة"),
        ];
        for width in [60, 80, 100, 200] {
            insta::assert_snapshot!(format!("names_of_every_width_{width}"), text(&found, false, width));
        }
    }

    #[test]
    fn concealed_text_is_shown_in_no_diagnostic() {
        let file = source("conf/s.yaml", "x:\n  password: hünter2\n  user: ana\n");
        let secret = span(&file, "hünter2");
        let out = text(
            &[
                Diagnostic::error("E0101", "all of it").at(&Span::new(&file, 0, file.text.len()), "").at(&span(&file, "user"), ""),
                Diagnostic::error("E0102", "a literal in a secret field").at(&span(&file, "password"), "").conceal(&secret),
            ],
            false,
            80,
        );
        assert!(out.contains("password: ********"), "{out}");
        assert!(!out.contains("nter2"), "{out}");
    }

    #[test]
    fn every_place_of_odd_texts_can_be_shown() {
        for odd in ["", "\n", "é\t\u{1F600}x", "a\r\nb\r\n", "\u{1b}[31mred", "x\u{0}y", "a: 1"] {
            let file = source("odd.yaml", odd);
            for from in 0..=odd.len() {
                for to in from..=odd.len() {
                    let label = Span::new(&file, from, to);
                    if odd.is_char_boundary(from) && odd.is_char_boundary(to) {
                        let out = text(&[Diagnostic::error("E0101", odd).at(&label, odd).help(odd).patch(&label, "z")], false, 80);
                        assert!(out.contains("odd.yaml:") && !out.contains('\u{1b}'), "{out:?}");
                    }
                }
            }
        }
    }
}
