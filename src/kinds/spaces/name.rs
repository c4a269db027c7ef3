//! Names of tables and functions as their parts: `catalog.schema.name`, each part plain or in backticks, the same in whatever
//! case.

use crate::diagnostic::unseen;

/// A whole name, of three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    parts: Vec<String>,
}

impl Name {
    /// The name that this text is: three parts joined by dots, each without blanks around it, or anything in backticks (a
    /// backtick there is doubled). None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, after) = if let Some(quoted) = rest.strip_prefix('`') {
                in_backticks(quoted)?
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                let part = &rest[..end];
                if part.contains('`') || part.trim() != part {
                    return None;
                }
                (part.to_owned(), &rest[end..])
            };
            if part.trim().is_empty() {
                return None;
            }
            parts.push(part);
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() && parts.len() == 3 => return Some(Self { parts }),
                None => return None,
            }
        }
    }

    /// The first sign outside of backticks that no name has: a blank, a brace, a `*`.
    pub fn stray(text: &str) -> Option<char> {
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || unseen::called(c).is_some() || matches!(c, '{' | '}' | '*');
        text.split('`').step_by(2).flat_map(str::chars).find(|c| is_odd(*c))
    }

    /// Its parts without backticks, in lower case: two names are of one object where these are equal.
    pub fn folded(&self) -> Vec<String> {
        self.parts.iter().map(|part| part.to_lowercase()).collect()
    }

    /// Its last part, as it is written but for backticks.
    pub fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// Whether these parts are its parts.
    pub fn is(&self, parts: &[String]) -> bool {
        self.parts.len() == parts.len() && self.parts.iter().zip(parts).all(|(a, b)| a.to_lowercase() == b.to_lowercase())
    }
}

/// What stands up to the closing backtick, and what follows it.
fn in_backticks(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('`')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('`') {
            Some(more) => {
                part.push('`');
                rest = more;
            }
            None => return Some((part, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_three_parts() {
        for (text, want) in [
            ("main.s.orders", Some(["main", "s", "orders"])),
            ("Main.S.Orders", Some(["main", "s", "orders"])),
            ("`main`.s.`b`", Some(["main", "s", "b"])),
            ("main.s.`a.b`", Some(["main", "s", "a.b"])),
            ("main.s.`tick``s`", Some(["main", "s", "tick`s"])),
            ("main.s.two words", Some(["main", "s", "two words"])),
            ("main.s.` a`", Some(["main", "s", " a"])),
            ("main.GRÖSSE.x", Some(["main", "grösse", "x"])),
            ("s.orders", None),
            ("a.b.c.d", None),
            ("a..b", None),
            ("", None),
            ("a.b.", None),
            ("main.s.orders ", None),
            (" main.s.orders", None),
            (" main. .b", None),
            ("main.s.` `", None),
            ("main.s.``", None),
            ("main.s.`a", None),
            ("main.s.a`b`", None),
            ("main.s.`a`b", None),
        ] {
            let folded = Name::parse(text).map(|name| name.folded());
            assert_eq!(folded, want.map(|parts| parts.map(str::to_owned).to_vec()), "{text}");
        }
        for (text, want) in [
            ("main.s.orders", None),
            ("my-cat.s_1.größe_2024", None),
            ("目录.表.订单", None),
            ("$catalog.s.a+b@c", None),
            ("main.s.`two words`", None),
            ("main.`{s}`.`*`", None),
            ("main.`a``b c`.t", None),
            ("main.s.two words", Some(' ')),
            (" main.s.a", Some(' ')),
            ("{{catalog}}.s.a", Some('{')),
            ("main.`a b`.}", Some('}')),
            ("main.s.*", Some('*')),
            ("main.s\u{a0}.a", Some('\u{a0}')),
            ("main.s.a\u{200b}", Some('\u{200b}')),
        ] {
            assert_eq!(Name::stray(text), want, "{text}");
        }
        assert_eq!(Name::parse("c.s.`A.b`").map(|name| name.last().to_owned()).as_deref(), Some("A.b"));
    }
}
