//! Words that come from a file and stand where the program's own words stand (what a request is for).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The longest word, in bytes.
const LONGEST: usize = 64;
/// The most words that are kept: what is kept is never given back.
const MOST: usize = 1000;

static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// A few words, kept for as long as the program runs; the same text is kept once. None where it is longer than a few
/// words, or where a file brings more of them than any program has.
#[must_use]
pub fn word(text: &str) -> Option<&'static str> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(text) {
        return Some(known);
    }
    if text.len() > LONGEST || kept.len() >= MOST {
        return None;
    }
    let word: &'static str = Box::leak(text.to_owned().into_boxed_str());
    kept.insert(word);
    Some(word)
}
