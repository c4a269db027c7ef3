//! Where expressions begin and end inside the text of a scalar.

/// A part of a scalar's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Literal text; `$${` has become `${`.
    Text(String),
    /// The bytes between `${` and its `}`.
    Expression {
        /// First byte.
        from: usize,
        /// One past the last byte.
        to: usize,
    },
}

/// An expression that does not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclosed {
    /// Where its `${` stands.
    pub at: usize,
    /// What is missing.
    pub missing: &'static str,
}

/// Whether a text may hold an expression or an escape: the quick test that spares everything else.
pub fn is_template(text: &str) -> bool {
    text.contains("${")
}

/// The parts of a text, in order.
pub fn scan(text: &str) -> Result<Vec<Part>, Unclosed> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('$') {
        let dollar = at + found;
        literal.push_str(&text[at..dollar]);
        let rest = &text[dollar..];
        if rest.starts_with("$${") {
            literal.push_str("${");
            at = dollar + 3;
        } else if rest.starts_with("${") {
            let from = dollar + 2;
            let to = end_of(text, from).map_err(|missing| Unclosed { at: dollar, missing })?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Expression { from, to });
            at = to + 1;
        } else {
            literal.push('$');
            at = dollar + 1;
        }
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// Where the `}` of an expression stands, past quotes and brackets.
fn end_of(text: &str, from: usize) -> Result<usize, &'static str> {
    let mut open: Vec<u8> = Vec::new();
    let mut quote: Option<u8> = None;
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(from) {
        if let Some(mark) = quote {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                _ if byte == mark => quote = None,
                _ => {}
            }
            continue;
        }
        match byte {
            b'\'' | b'"' => quote = Some(byte),
            b'(' | b'[' | b'{' => open.push(byte),
            b'}' if open.is_empty() => return Ok(offset),
            b')' | b']' | b'}' => match open.last() {
                Some(b'(') if byte == b'}' => return Err("a `)` is missing"),
                Some(b'[') if byte == b'}' => return Err("a `]` is missing"),
                _ => {
                    open.pop(); // a wrong pair is the parser's business
                }
            },
            _ => {}
        }
    }
    Err(match (quote, open.last()) {
        (Some(_), _) => "a quote is not closed",
        (None, Some(b'(')) => "a `)` is missing",
        (None, Some(b'[')) => "a `]` is missing",
        _ => "its `}` is missing",
    })
}

#[cfg(test)]
mod tests {
    use super::{Part, scan};

    fn shown(text: &str) -> String {
        match scan(text) {
            Err(error) => format!("error at {}: {}", error.at, error.missing),
            Ok(parts) => parts
                .iter()
                .map(|p| match p {
                    Part::Text(t) => format!("[{t}]"),
                    Part::Expression { from, to } => format!("<{}>", &text[*from..*to]),
                })
                .collect(),
        }
    }

    #[test]
    fn finds_ends_by_lexing() {
        for (text, want) in [
            ("plain", "[plain]"),
            ("", ""),
            ("${a}", "<a>"),
            ("x-${a}-${b}", "[x-]<a>[-]<b>"),
            ("$${a} ${b}", "[${a} ]<b>"),
            ("$$${a}", "[$${a}]"),
            ("cost $5 ${a}$", "[cost $5 ]<a>[$]"),
            (r#"${ {"a": 1}["a"] }"#, r#"< {"a": 1}["a"] >"#),
            (r#"${ "}" ~ '}' }"#, r#"< "}" ~ '}' >"#),
            (r#"${ "\"}" }"#, r#"< "\"}" >"#),
            ("{{job.id}} {{secrets/a/b}}", "[{{job.id}} {{secrets/a/b}}]"),
            ("${a", "error at 0: its `}` is missing"),
            ("x ${f(a}", "error at 2: a `)` is missing"),
            ("x ${f('a}", "error at 2: a quote is not closed"),
            ("é${a}", "[é]<a>"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }
}
