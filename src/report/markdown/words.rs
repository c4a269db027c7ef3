//! Text of users in Markdown: in code (spans, fences) or escaped, so that no name can break the page or call somebody.

/// The longest text of the user's in one line.
const WORDS: usize = 400;

/// The line by which a pipeline finds the comment again. Names hold no `--`, which would end the comment; nothing else is let in.
#[must_use]
pub fn marker(what: &str, names: &[&str]) -> String {
    let clean = |name: &&str| {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '-' }).collect();
        let words: Vec<&str> = name.split('-').filter(|w| !w.is_empty()).collect();
        words.join("-")
    };
    format!("<!-- brickform:{what}:{} -->\n", names.iter().map(clean).collect::<Vec<_>>().join(":"))
}

/// An address that a link can hold as it is.
pub fn link(link: &str) -> Option<&str> {
    let plain = !link.contains([' ', '(', ')', '<', '>', '"', '`', '\\', '\n']);
    (plain && (link.starts_with("https://") || link.starts_with("http://"))).then_some(link)
}

/// Text in a fence that is longer than any run of backticks in it.
pub fn fence(language: &str, text: &str) -> String {
    let mark = "`".repeat(longest_run(text).max(2) + 1);
    format!("{mark}{language}\n{}\n{mark}\n\n", text.trim_end_matches('\n'))
}

/// Text as code in a line.
pub fn span(text: &str) -> String {
    let text: String = cut(text, WORDS).chars().map(|c| if c.is_control() || misleads(c) { ' ' } else { c }).collect();
    let mark = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{mark}{pad}{text}{pad}{mark}")
}

/// Whether a character is unseen and makes others look like something else: it turns the direction of what follows, or breaks
/// the line.
const fn misleads(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text that is read as text and nothing else.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in cut(text, WORDS).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention or a reference to an issue begins with these.
            '@' | '#' => out.extend([c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', c]),
            c if c.is_control() || misleads(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A sentence whose quotes (`` `name` ``) are code; one that lacks its other end is a character like others.
pub fn prose(text: &str) -> String {
    let text = cut(text, WORDS);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|quoted| quoted.trim().is_empty()) {
        return escape(&text);
    }
    parts.iter().enumerate().map(|(at, part)| if at % 2 == 1 { span(part) } else { escape(part) }).collect()
}

/// Kinds are words of ours; anything else is taken out.
pub fn plain(kind: &str) -> String {
    kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// At most so many bytes, with a word on what is missing.
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}… ({} more bytes)", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use super::{escape, fence, span};

    #[test]
    fn code_is_closed_by_a_longer_mark() {
        assert_eq!(span("a`b"), "``a`b``");
        assert_eq!(span("`a"), "`` `a ``");
        assert_eq!(span("a\u{202e}b\u{2028}c\u{2066}d"), "`a b c d`");
        assert_eq!(escape("a\u{202e}b"), "a b");
        assert_eq!(fence("", "x\n````\ny"), "`````\nx\n````\ny\n`````\n\n");
        assert_eq!(escape("<b>@x #1 a_b|c"), "&lt;b&gt;@\u{200b}x #\u{200b}1 a\\_b\\|c");
    }
}
