//! Folded block scalars (`>`): another text in the lines of the one that is there.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The longest text, in characters, that is compared character by character.
const LONGEST: usize = 30_000;

/// The lines of a folded scalar that gives `new`, broken where these lines, which give `old`, are; neither text has a line end at
/// its end. None: no such lines give it.
#[must_use]
pub fn refolded(lines: &[&str], old: &str, new: &str) -> Option<Vec<String>> {
    let raw = lines.join("\n");
    if unfolded(&raw)? != old || old.len().max(new.len()) > LONGEST {
        return None;
    }
    let written = breaks(&raw);
    let (before, after): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let mut out = String::new();
    for operation in capture_diff_slices(Algorithm::Myers, &before, &after) {
        if let DiffOp::Equal { old_index, len, .. } = operation {
            out.extend(written.get(old_index..old_index + len)?.iter().map(String::as_str));
        } else {
            let text: String = after[operation.new_range()].iter().collect();
            out.push_str(&text.replace('\n', "\n\n"));
        }
    }
    (unfolded(&out)? == new).then(|| out.split('\n').map(str::to_owned).collect())
}

/// What lines give once they are folded; none where one of them begins with a blank, since those are not.
fn unfolded(raw: &str) -> Option<String> {
    if raw.is_empty() || raw.split('\n').any(|line| line.starts_with([' ', '\t'])) || raw.starts_with('\n') || raw.ends_with('\n') {
        return None;
    }
    // Several empty lines in a row give as many line ends, less one: whoever wants that writes it literally.
    (!raw.contains("\n\n\n")).then(|| breaks(raw).iter().map(|written| given(written)).collect())
}

/// What a character of the text is from how it is written.
fn given(written: &str) -> &str {
    match written {
        "\n" => " ",
        "\n\n" => "\n",
        other => other,
    }
}

/// How each character of the text is written: a blank as the end of a line, a line end as an empty line.
fn breaks(raw: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\n' {
            found.push(c.to_string());
            continue;
        }
        let is_empty = rest.next_if_eq(&'\n').is_some();
        found.push(if is_empty { "\n\n" } else { "\n" }.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::refolded;

    #[test]
    fn lines_stay_broken_where_they_are() {
        let lines = ["one two", "three four", "", "five", "six"];
        let old = "one two three four\nfive six";
        for (new, want) in [
            ("one two three FOUR\nfive six", Some(&["one two", "three FOUR", "", "five", "six"][..])),
            ("one two three four\nfive and six", Some(&["one two", "three four", "", "five", "and six"])),
            ("one two three four", Some(&["one two", "three four"])),
            ("one two three four\nfive six\nseven", Some(&["one two", "three four", "", "five", "six", "", "seven"])),
            (" one two", None),
        ] {
            let found = refolded(&lines, old, new);
            assert_eq!(found.as_ref().map(|all| all.iter().map(String::as_str).collect::<Vec<_>>()).as_deref(), want, "{new}");
        }
        assert_eq!(refolded(&["a", "  b"], "a\n  b", "a"), None, "deeper lines are not folded");
    }
}
