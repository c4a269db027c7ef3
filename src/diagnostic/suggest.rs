//! What was probably meant.

/// The candidate nearest to `word`, if it is near enough to be a likely slip of the pen: at most two edits
/// (a swap of neighbours is one), or a third of the word's length for long words.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_nothing_else() {
        let fields = ["cluster_size", "name", "auto_stop_mins"];
        for (word, want) in [
            ("cluster_sise", Some("cluster_size")),
            ("Name", Some("name")),
            ("nmae", Some("name")),
            ("auto_stop_min", Some("auto_stop_mins")),
            ("zzz", None),
            ("comment", None),
        ] {
            assert_eq!(nearest(word, fields), want, "{word}");
        }
    }
}
