//! The fenced blocks of a page.

/// A fenced block.
pub struct Block {
    /// The first word behind the fence.
    pub language: String,
    words: Vec<String>,
    /// What stands in it.
    pub text: String,
    /// The line that it begins at.
    pub line: usize,
}

/// A line that is typed, and what the page shows below it.
pub struct Typed {
    /// Without its `$`; lines that end in a backslash go on.
    pub line: String,
    /// What is printed.
    pub shown: Vec<String>,
}

impl Block {
    /// The value of `name=value`.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='))
    }

    /// Whether a word stands there.
    pub fn has(&self, name: &str) -> bool {
        self.words.iter().any(|w| w == name)
    }

    /// What is typed in it.
    pub fn typed(&self) -> Result<Vec<Typed>, String> {
        let mut found: Vec<Typed> = vec![];
        let mut goes_on = false;
        for line in self.text.lines() {
            let typed = if self.language == "sh" { Some(line) } else { line.strip_prefix("$ ") };
            match (goes_on, typed, found.last_mut()) {
                (true, _, Some(last)) => {
                    last.line.truncate(last.line.len() - 1);
                    last.line.push_str(line.trim_start());
                }
                // The rest of a loop.
                (_, Some(rest), Some(last)) if self.language == "sh" && (rest.starts_with("  ") || rest == "done") => {
                    last.line.push('\n');
                    last.line.push_str(rest);
                }
                (_, Some(""), _) => continue,
                (_, Some(comment), _) if comment.starts_with('#') => continue,
                (_, Some(typed), _) => found.push(Typed { line: typed.to_owned(), shown: vec![] }),
                (_, None, Some(last)) => last.shown.push(line.to_owned()),
                (_, None, None) => return Err(format!("printed before anything was typed: {line}")),
            }
            goes_on = found.last().is_some_and(|last| last.shown.is_empty() && last.line.ends_with('\\'));
        }
        Ok(found)
    }
}

/// All fenced blocks of a page, those in comments too.
pub fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut found = vec![];
    let mut open: Option<Block> = None;
    for (i, line) in text.lines().enumerate() {
        let fence = line.strip_prefix("<!-- ").unwrap_or(line).strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let language = words.next().unwrap_or_default();
                open = Some(Block { language, words: words.collect(), text: String::new(), line: i + 1 });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            // Four columns are a block, too, and it could not say what it is.
            (None, None) if line.starts_with("    ") && !line.trim().is_empty() => {
                return Err(format!("{}: an indented block; put it between fences", i + 1));
            }
            (None, None) => {}
        }
    }
    open.map_or(Ok(found), |block| Err(format!("{}: the block does not end", block.line)))
}
