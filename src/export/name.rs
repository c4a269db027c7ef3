//! Names of files that every system can hold: what Windows keeps for devices, what it cuts off, and names that differ only in
//! case, which are one file on macOS and Windows.

use std::collections::BTreeSet;

/// Names that Windows keeps for devices, whatever stands behind the first dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// The longest name in bytes; an end like `.yaml` comes on top, and so does what tells two apart.
const LONGEST: usize = 120;

/// The name, changed as little as it has to be: characters that some system refuses become `_`, dots and blanks at its end
/// go, a device's name gets a `_`.
#[must_use]
pub fn safe(name: &str) -> String {
    let refused = |c: char| c.is_control() || matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*');
    let mut safe: String = name.chars().map(|c| if refused(c) { '_' } else { c }).collect();
    while safe.len() > LONGEST {
        safe.pop();
    }
    let kept = safe.trim_end_matches(['.', ' ']).trim_start().len();
    let mut safe = safe.trim_start()[..kept].to_owned();
    let stem = safe.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |port: &str| stem.strip_prefix(port).is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit());
    if DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt") {
        safe.insert(stem.len(), '_');
    }
    if safe.is_empty() || safe.chars().all(|c| c == '.') { "_".to_owned() } else { safe }
}

/// Keys that were given: each stands once in a project.
#[derive(Debug, Default)]
pub struct Keys {
    taken: BTreeSet<String>,
}

impl Keys {
    /// The key, if nothing has got it yet in whatever case; else with `more` behind it (the beginning of an id), then with a
    /// number.
    pub fn give(&mut self, key: &str, more: &str) -> String {
        let mut free = key.to_owned();
        let mut count = 1_u32;
        while !self.taken.insert(free.to_lowercase()) {
            free = if count == 1 { format!("{key}_{more}") } else { format!("{key}_{count}") };
            count += 1;
        }
        free
    }
}

/// Names of files that were given: none is written over another one of the same run.
#[derive(Debug, Default)]
pub struct Names {
    given: Keys,
}

impl Names {
    /// The name as every system can hold it, made another one where it is taken as [`Keys::give`] does.
    pub fn give(&mut self, name: &str, more: &str) -> String {
        self.given.give(&safe(name), &safe(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_can_hold_it() {
        for (name, want) in [
            ("sales", "sales"),
            ("Sales & Orders", "Sales & Orders"),
            ("CON", "CON_"),
            ("con.yaml", "con_.yaml"),
            ("aux.", "aux_"),
            ("nul ", "nul_"),
            ("com1", "com1_"),
            ("COM10", "COM10"),
            ("lpt", "lpt"),
            ("console", "console"),
            ("a. .", "a"),
            (" a", "a"),
            ("a/b\\c:d*e?f\"g<h>i|j\nk", "a_b_c_d_e_f_g_h_i_j_k"),
            ("..", "_"),
            ("", "_"),
            ("größe", "größe"),
        ] {
            assert_eq!(safe(name), want, "{name:?}");
            assert_eq!(safe(&safe(name)), want, "{name:?} twice");
        }
        assert!(safe(&"ü".repeat(200)).len() <= LONGEST);
    }

    #[test]
    fn no_two_are_one_file() {
        let mut names = Names::default();
        let given: Vec<String> = [("Sales", "01ab"), ("sales", "01cd"), ("SALES", "01cd"), ("sales.", "01ef"), ("con", "1"), ("con_", "1")]
            .into_iter()
            .map(|(name, more)| names.give(name, more))
            .collect();
        assert_eq!(given, ["Sales", "sales_01cd", "SALES_2", "sales_01ef", "con_", "con__1"]);
        let folded: BTreeSet<String> = given.iter().map(|n| n.to_lowercase()).collect();
        assert_eq!(folded.len(), given.len());
    }
}
