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

/// How far two names are from one another: edits, fewer where they begin alike.
#[must_use]
pub fn distance(word: &str, name: &str) -> usize {
    let (word, name) = (word.to_lowercase(), name.to_lowercase());
    let alike = word.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    (2 * strsim::damerau_levenshtein(&word, &name)).saturating_sub(2 * alike)
}

/// The candidate that is meant by a word: the nearest, else the shortest one of whose parts it is (`size` of
/// `cluster_size`), or that is a part of it.
#[must_use]
pub fn alike<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let parts = |name: &str| name.split(['_', '-']).map(str::to_lowercase).collect::<Vec<_>>();
    let (lower, own) = (word.to_lowercase(), parts(word));
    nearest(word, candidates.iter().copied()).or_else(|| {
        let shared = |name: &&&str| {
            let theirs = parts(name);
            theirs.contains(&lower) || own.len() > 1 && theirs.len() > 1 && theirs.iter().all(|part| own.contains(part))
        };
        candidates.iter().filter(shared).min_by_key(|name| (name.len(), **name)).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::{alike, nearest};

    #[test]
    fn a_part_of_a_name_stands_for_it() {
        let fields = ["cluster_size", "name", "auto_stop_mins", "min_num_clusters", "max_num_clusters", "num_clusters"];
        for (word, want) in [
            ("size", Some("cluster_size")),
            ("Size", Some("cluster_size")),
            ("nmae", Some("name")),
            ("clusters_num_total", Some("num_clusters")),
            ("mins", Some("auto_stop_mins")),
            ("colour", None),
            ("si", None),
        ] {
            assert_eq!(alike(word, fields), want, "{word}");
        }
    }

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
