//! Signs that nobody sees, and that are no blanks to YAML: they come along with what is pasted from pages and documents.

use super::{Diagnostic, Span};

/// What such a sign is called.
#[must_use]
pub fn called(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{a0}' => "a non-breaking space (U+00A0)",
        '\u{202f}' => "a narrow non-breaking space (U+202F)",
        '\u{2007}' => "a figure space (U+2007)",
        '\u{3000}' => "an ideographic space (U+3000)",
        '\u{ad}' => "a soft hyphen (U+00AD)",
        '\u{200b}' => "a zero-width space (U+200B)",
        '\u{200c}' => "a zero-width non-joiner (U+200C)",
        '\u{200d}' => "a zero-width joiner (U+200D)",
        '\u{2060}' => "a word joiner (U+2060)",
        '\u{feff}' => "a byte order mark (U+FEFF)",
        _ => return None,
    })
}

/// Whether such a sign is as wide as a blank.
#[must_use]
pub fn is_wide(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}' | '\u{3000}')
}

/// The sign in a text that nobody can have meant: at one of its ends, or inside what is a name.
#[must_use]
pub fn stray(text: &str) -> Option<char> {
    let is_unseen = |c: &char| called(*c).is_some();
    let at_an_end = text.chars().next().filter(is_unseen).or_else(|| text.chars().next_back().filter(is_unseen));
    let is_name = || text.chars().all(|c| c.is_ascii_graphic() || is_unseen(&c));
    at_an_end.or_else(|| text.chars().find(is_unseen).filter(|_| is_name()))
}

/// Names the first such sign where something is wrong, if there is one: on the whole line where YAML itself breaks, else in what
/// the message is about and beside it.
pub fn name(diagnostic: &mut Diagnostic) {
    let Some(span) = diagnostic.labels.first().map(|label| label.span.clone()) else { return };
    let Some(at) = first(&span, diagnostic.code.get(1..3) == Some("00")) else { return };
    let sign = span.source.text.get(at..).and_then(|rest| rest.chars().next());
    let Some(called) = sign.and_then(called) else { return };
    let (line, column) = Span::new(&span.source, at, at).line_column();
    let help = format!("at {line}:{column} stands {called}, which is no blank to YAML: type it anew");
    let is_concealed =
        diagnostic.concealed.iter().any(|hidden| hidden.source == span.source && (hidden.start..hidden.end).contains(&span.start));
    if !is_concealed && !diagnostic.help.contains(&help) {
        diagnostic.help.push(help);
    }
}

fn first(span: &Span, whole_line: bool) -> Option<usize> {
    let text = span.source.text.as_str();
    let (start, end) = (span.start as usize, span.end as usize);
    let (before, behind) = (text.get(..start)?, text.get(end..)?);
    let (from, to) = if whole_line {
        (before.rfind('\n').map_or(0, |at| at + 1), behind.find('\n').map_or(text.len(), |at| end + at))
    } else {
        // A key with such a sign behind its colon is one word to YAML; the sign may stand right before or behind.
        let one = |c: Option<char>| c.filter(|c| called(*c).is_some()).map_or(0, char::len_utf8);
        (start - one(before.chars().next_back()), end + one(behind.chars().next()))
    };
    let part = text.get(from..to)?;
    // One line of a text is enough to look at.
    let part = if whole_line { part } else { part.lines().next().unwrap_or_default() };
    part.char_indices().find(|(_, c)| called(*c).is_some()).map(|(at, _)| from + at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{name, stray};
    use crate::diagnostic::{Diagnostic, Source, Span};

    #[test]
    fn the_sign_is_named_where_it_breaks_something() {
        for (code, text, from, to, wanted) in [
            ("E0107", "title\u{a0}: x", 0, 7, Some("at 1:6 stands a non-breaking space (U+00A0)")),
            ("E0107", "a: b\n\u{200b}title: x", 8, 13, Some("at 2:1 stands a zero-width space (U+200B)")),
            ("E0107", "title: x\u{a0}y", 0, 5, None),
            ("E0001", "title: x\u{a0}y", 0, 5, Some("at 1:9 stands a non-breaking space (U+00A0)")),
            ("E0107", "title: x", 0, 5, None),
        ] {
            let source = Arc::new(Source { name: "f".to_owned(), text: text.to_owned() });
            let mut found = Diagnostic::error(code, "m").at(&Span::new(&source, from, to), "");
            name(&mut found);
            name(&mut found);
            assert_eq!(found.help.len(), usize::from(wanted.is_some()), "{text:?}");
            assert!(wanted.is_none_or(|wanted| found.help[0].starts_with(wanted)), "{text:?}: {:?}", found.help);
        }
    }

    #[test]
    fn a_sign_in_prose_is_meant() {
        for (text, wanted) in [
            ("main.sales.orders\u{a0}", Some('\u{a0}')),
            ("\u{feff}main", Some('\u{feff}')),
            ("main\u{200b}.sales", Some('\u{200b}')),
            ("10\u{a0}000 Zeilen", None),
            ("plain", None),
            ("", None),
        ] {
            assert_eq!(stray(text), wanted, "{text:?}");
        }
    }
}
