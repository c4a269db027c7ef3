//! A text of the source with its expressions, edited: what others changed of the text is taken, and each expression stays where
//! what it gives is still there.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::project::expression::{Part, scan};

/// The longest text, in characters, that is compared character by character.
const LONGEST: usize = 30_000;

/// What the source becomes, so that it gives `new` instead of `old`; none where an edit touches what an expression gives, or
/// where it cannot be told which part of the text that is.
#[must_use]
pub fn respelled(source: &str, old: &str, new: &str) -> Option<String> {
    let pieces = pieces(source, old)?;
    if matches!(pieces.as_slice(), [all] if all.source == source) {
        // It is the expression's, a file's perhaps, and not this text's.
        return None;
    }
    let (before, after): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    if before.len().max(after.len()) > LONGEST {
        return None;
    }
    let operations = capture_diff_slices(Algorithm::Myers, &before, &after);
    let mut out = String::new();
    let mut kept = 0;
    for operation in operations {
        let DiffOp::Equal { old_index, new_index, len } = operation else {
            let inside = |piece: &&Piece<'_>| piece.from < operation.old_range().end && operation.old_range().start < piece.to;
            if pieces.iter().any(|piece| inside(&piece)) {
                return None;
            }
            literal(&after[operation.new_range()], &mut out);
            continue;
        };
        let mut at = old_index;
        for piece in pieces.iter().filter(|piece| old_index <= piece.from && piece.to <= old_index + len) {
            // `main` in `domain` is another word.
            let starts = piece.from > old_index || new_index == 0 || !is_one_word(&after[new_index - 1..=new_index]);
            let last = new_index + len;
            let ends = piece.to < old_index + len || last == after.len() || !is_one_word(&after[last - 1..=last]);
            if !(starts && ends) {
                return None;
            }
            literal(&before[at..piece.from], &mut out);
            out.push_str(piece.source);
            (at, kept) = (piece.to, kept + 1);
        }
        literal(&before[at..old_index + len], &mut out);
    }
    (kept == pieces.len()).then_some(out)
}

/// Whether characters beside one another are of one word.
fn is_one_word(beside: &[char]) -> bool {
    beside.iter().all(|c| c.is_alphanumeric() || *c == '_')
}

/// An expression of the source, and which characters of the text it gives.
struct Piece<'s> {
    source: &'s str,
    from: usize,
    to: usize,
}

fn pieces<'s>(source: &'s str, old: &str) -> Option<Vec<Piece<'s>>> {
    let mut found = Vec::new();
    let mut waiting: Option<(&'s str, usize)> = None;
    let mut at = 0;
    let mut end = |from: usize, to: usize, text: &'s str| {
        let count = |bytes: usize| old[..bytes].chars().count();
        (from < to).then(|| found.push(Piece { source: text, from: count(from), to: count(to) }))
    };
    for part in scan(source).ok()? {
        match part {
            Part::Text(text) => {
                let start = at + old[at..].find(&text)?;
                match waiting.take() {
                    Some((expression, from)) => end(from, start, expression)?,
                    None if start > at => return None,
                    None => {}
                }
                at = start + text.len();
            }
            Part::Expression { from, to } => {
                // Of two beside one another nobody knows where one ends.
                if waiting.is_some() {
                    return None;
                }
                waiting = Some((&source[from - 2..=to], at));
            }
        }
    }
    match waiting {
        Some((expression, from)) => end(from, old.len(), expression)?,
        None if at < old.len() => return None,
        None => {}
    }
    Some(found)
}

fn literal(chars: &[char], out: &mut String) {
    let text: String = chars.iter().collect();
    out.push_str(&text.replace("${", "$${"));
}

#[cfg(test)]
mod tests {
    use super::respelled;

    #[test]
    fn expressions_stay_where_what_they_give_is_still_there() {
        let source = "SELECT *\nFROM ${catalog}.sales.${env.name}_orders\nWHERE a = '$${x}'";
        let old = "SELECT *\nFROM main.sales.dev_orders\nWHERE a = '${x}'";
        for (new, want) in [
            (
                "SELECT id\nFROM main.sales.dev_orders\nWHERE a = '${x}'\nLIMIT 10",
                Some("SELECT id\nFROM ${catalog}.sales.${env.name}_orders\nWHERE a = '$${x}'\nLIMIT 10"),
            ),
            (
                "SELECT *\nFROM main.sales.dev_orders o\nWHERE b = 1",
                Some("SELECT *\nFROM ${catalog}.sales.${env.name}_orders o\nWHERE b = 1"),
            ),
            // What an expression gives is another one now, or part of another word.
            ("SELECT *\nFROM other.sales.dev_orders\nWHERE a = '${x}'", None),
            ("SELECT *\nFROM domain.sales.dev_orders\nWHERE a = '${x}'", None),
            ("SELECT 1", None),
        ] {
            assert_eq!(respelled(source, old, new).as_deref(), want, "{new}");
        }
        assert_eq!(respelled("${a}${b}", "xy", "xyz"), None, "nobody knows where the first one ends");
        assert_eq!(respelled("${a} b", "x b", "x c").as_deref(), Some("${a} c"));
        assert_eq!(respelled("b ${a}", "b x", "c x").as_deref(), Some("c ${a}"));
        // Behind it and before it, but not in the same word.
        assert_eq!(respelled("from ${a}", "from x", "from x where y").as_deref(), Some("from ${a} where y"));
        assert_eq!(respelled("from ${a}\n", "from x\n", "from x o\n").as_deref(), Some("from ${a} o\n"));
        assert_eq!(respelled("${a} b", "x b", "all x b").as_deref(), Some("all ${a} b"));
        assert_eq!(respelled("${a} b", "x b", "x.y b").as_deref(), Some("${a}.y b"));
        assert_eq!(respelled("${file('a.sql')}", "x\n", "x\ny"), None, "whatever the file says, it says");
        assert_eq!(respelled("from ${a}", "from x", "from xy"), None);
        assert_eq!(respelled("${a} b", "x b", "yx b"), None);
    }
}
