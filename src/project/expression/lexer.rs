//! Words of Jinja's expression grammar with their places: just enough to find what an expression mentions.

/// A word of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// Quoted text, unescaped.
    Text(String),
    /// An operator, a bracket, anything else: one byte, or two for `==`, `//` and the like.
    Sign,
}

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub word: Word,
    /// First byte.
    pub from: usize,
    /// One past the last byte.
    pub to: usize,
}

impl Token {
    /// Its spelling.
    pub fn spelling<'a>(&self, text: &'a str) -> &'a str {
        &text[self.from..self.to]
    }

    /// Whether it is this sign.
    pub fn is(&self, text: &str, sign: &str) -> bool {
        self.word == Word::Sign && self.spelling(text) == sign
    }
}

fn starts_name(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// All words of an expression. Never fails: what is wrong is said by the parser later.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (word, length) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '"' | '\'' => quoted(rest, c),
            _ if starts_name(c) => (Word::Name, rest.find(|c| !continues_name(c)).unwrap_or(rest.len())),
            _ if c.is_ascii_digit() => (Word::Number, number(rest)),
            _ => (Word::Sign, sign(rest, c)),
        };
        found.push(Token { word, from: at, to: at + length });
        at += length;
    }
    found
}

fn number(rest: &str) -> usize {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let whole = digits(rest);
    match rest[whole..].strip_prefix('.') {
        Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => whole + 1 + digits(after),
        _ => whole,
    }
}

fn sign(rest: &str, c: char) -> usize {
    if ["==", "!=", "<=", ">=", "//", "**"].iter().any(|two| rest.starts_with(two)) { 2 } else { c.len_utf8() }
}

fn quoted(rest: &str, mark: char) -> (Word, usize) {
    let mut text = String::new();
    let mut escaped = false;
    for (offset, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
            text.push(match c {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
        } else if c == '\\' {
            escaped = true;
        } else if c == mark {
            return (Word::Text(text), offset + 1);
        } else {
            text.push(c);
        }
    }
    (Word::Text(text), rest.len())
}

/// Text as a literal of the grammar.
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn words() {
        let text = r#"a.b["c d"] + 1.5 // f('x\'y') ~ é_1|upper == 2"#;
        let all: Vec<&str> = tokens(text).iter().map(|t| t.spelling(text)).collect();
        let want = ["a", ".", "b", "[", "\"c d\"", "]", "+", "1.5", "//", "f", "(", "'x\\'y'", ")", "~", "é_1", "|", "upper", "==", "2"];
        assert_eq!(all, want);
    }
}
