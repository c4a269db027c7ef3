//! Where the tags of a template stand, and what is wrong with them in our words: what passes here, the template's own
//! parser reads.

use crate::diagnostic::suggest;

/// What a tag does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sort {
    /// `{{name}}`, `{{helper a b}}`
    Print,
    /// `{{#each}}`: its word.
    Open(String),
    /// `{{/each}}`: its word.
    Close(String),
    /// `{{else}}`, `{{else if x}}`, `{{^}}`
    Else,
    /// `{{> file}}`
    Partial,
    /// A comment, or a raw block as a whole.
    Other,
}

/// A tag: bytes of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// First byte.
    pub from: usize,
    /// One past the last byte.
    pub to: usize,
    /// What it does.
    pub sort: Sort,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// First byte.
    pub from: usize,
    /// One past the last byte.
    pub to: usize,
    /// What it is.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Another place that it has to do with.
    pub beside: Option<(usize, usize, &'static str)>,
}

/// Blocks that there are.
const BLOCKS: &[&str] = &["if", "unless", "each", "with"];

/// All tags, in order.
pub fn scan(text: &str) -> Result<Vec<Tag>, Wrong> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let from = at + found;
        let slashes = text[..from].bytes().rev().take_while(|b| *b == b'\\').count();
        if slashes == 1 && from > at {
            at = from + 2;
            continue;
        }
        let tag = tag(text, from)?;
        at = tag.to;
        tags.push(tag);
    }
    balanced(text, &tags)?;
    Ok(tags)
}

fn tag(text: &str, from: usize) -> Result<Tag, Wrong> {
    let rest = &text[from..];
    let unclosed = |end: &str| {
        let line = rest.find('\n').unwrap_or(rest.len());
        let message = format!("a tag does not end: its `{end}` is missing");
        let help = Some("braces that are no tag are written `\\{{`".to_owned());
        Wrong { from, to: from + line, message, help, beside: None }
    };
    let until = |end: &str| rest.find(end).map(|found| from + found + end.len()).ok_or_else(|| unclosed(end));
    if rest.starts_with("{{{{") {
        let close = rest.find("{{{{/").ok_or_else(|| unclosed("{{{{/...}}}}"))?;
        let to = rest[close..].find("}}}}").map(|found| from + close + found + 4).ok_or_else(|| unclosed("}}}}"))?;
        return Ok(Tag { from, to, sort: Sort::Other });
    }
    if rest.starts_with("{{!--") || rest.starts_with("{{~!--") {
        return Ok(Tag { from, to: until("--}}")?, sort: Sort::Other });
    }
    if rest.starts_with("{{!") {
        return Ok(Tag { from, to: until("}}")?, sort: Sort::Other });
    }
    let end = if rest.starts_with("{{{") { "}}}" } else { "}}" };
    let close = closing(rest, end).ok_or_else(|| unclosed(end))?;
    let inner = rest[2..close].trim_matches(['~', '{', '}']).trim();
    let to = from + close + end.len();
    if inner.is_empty() {
        return Err(Wrong { from, to, message: "a tag is empty".to_owned(), help: None, beside: None });
    }
    let word = |text: &str| text.split([' ', '\n', '\t', '~']).next().unwrap_or_default().to_owned();
    let sort = match inner.as_bytes()[0] {
        b'#' => Sort::Open(word(inner[1..].trim_start())),
        b'/' => Sort::Close(word(inner[1..].trim_start())),
        b'^' => Sort::Else,
        b'>' => Sort::Partial,
        _ if word(inner) == "else" => Sort::Else,
        _ => Sort::Print,
    };
    Ok(Tag { from, to, sort })
}

/// Where the end of a tag stands, past quotes.
fn closing(rest: &str, end: &str) -> Option<usize> {
    let mut quote: Option<u8> = None;
    for (offset, byte) in rest.bytes().enumerate().skip(2) {
        match quote {
            Some(mark) if byte == mark => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if rest.as_bytes()[offset..].starts_with(end.as_bytes()) => return Some(offset),
            Some(_) | None => {}
        }
    }
    rest.find(end) // a quote that is not closed is the parser's business
}

fn balanced(text: &str, tags: &[Tag]) -> Result<(), Wrong> {
    let mut open: Vec<(&Tag, &str)> = Vec::new();
    for tag in tags {
        let wrong = |message: String, help: Option<String>, beside| Wrong { from: tag.from, to: tag.to, message, help, beside };
        match &tag.sort {
            Sort::Open(word) => {
                let block = word.strip_prefix(['>', '*']).unwrap_or(word);
                if block == word.as_str() && !BLOCKS.contains(&block) {
                    let help = suggest::nearest(block, BLOCKS.iter().copied()).map_or_else(
                        || "there is `#if`, `#unless`, `#each` and `#with`".to_owned(),
                        |near| format!("did you mean `{{{{#{near}}}}}`?"),
                    );
                    return Err(wrong(format!("there is no block `#{block}`"), Some(help), None));
                }
                open.push((tag, block));
            }
            Sort::Close(word) => {
                let Some((opened, block)) = open.pop() else {
                    return Err(wrong(format!("`{{{{/{word}}}}}` closes a block that is not open"), None, None));
                };
                let named = text[opened.from..opened.to].contains(word.as_str());
                if block != word && !(named && block.is_empty()) && !block.starts_with("inline") {
                    let beside = Some((opened.from, opened.to, "this is open"));
                    return Err(wrong(format!("`{{{{/{word}}}}}` closes a block that begins with `#{block}`"), None, beside));
                }
            }
            Sort::Else if open.is_empty() => return Err(wrong("`else` stands outside a block".to_owned(), None, None)),
            Sort::Else | Sort::Print | Sort::Partial | Sort::Other => {}
        }
    }
    match open.pop() {
        None => Ok(()),
        Some((tag, block)) => Err(Wrong {
            from: tag.from,
            to: tag.to,
            message: format!("a block is not closed: `{{{{/{block}}}}}` is missing"),
            help: None,
            beside: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Sort, scan};

    #[test]
    fn tags_are_found() {
        for (text, want) in [
            ("a {{x}} b", "{{x}}"),
            (r"\{{job.id}} {{x}}", "{{x}}"),
            ("{{! no }} {{!-- {{x}} --}}{{y}}", "{{! no }}|{{!-- {{x}} --}}|{{y}}"),
            (r#"{{lookup m "}}"}}z"#, r#"{{lookup m "}}"}}"#),
            ("{{{x}}} {{#if a}}b{{else}}c{{/if}}", "{{{x}}}|{{#if a}}|{{else}}|{{/if}}"),
        ] {
            let tags = scan(text).unwrap();
            let shown: Vec<&str> = tags.iter().map(|t| &text[t.from..t.to]).collect();
            assert_eq!(shown.join("|"), want, "{text}");
        }
        assert_eq!(scan("{{~#each x~}}{{~/each~}}").unwrap()[0].sort, Sort::Open("each".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, want) in [
            ("a {{x", "a tag does not end"),
            ("{{#if a}}b", "`{{/if}}` is missing"),
            ("{{/if}}", "not open"),
            ("{{#if a}}{{/each}}", "begins with `#if`"),
            ("{{#eech a}}{{/eech}}", "there is no block `#eech`"),
            ("{{else}}", "outside a block"),
            ("{{ }}", "empty"),
        ] {
            let wrong = scan(text).unwrap_err();
            assert!(wrong.message.contains(want), "{text}: {}", wrong.message);
        }
    }
}
