//! A random data platform as a user would write it, and how it changes from commit to commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::random::Random;
use super::sorts::{SORTS, Sort};

/// A resource that may be there: its kind and number.
type Slot = (&'static str, u64);

/// How one is written.
#[derive(Debug, Clone)]
struct Made {
    /// Which of its keys.
    key: u64,
    /// Which of its names.
    name: u64,
    /// A text for each field.
    fields: Vec<u64>,
    /// Instances by `for_each`, and whether `when` lets it be.
    each: u64,
    is_awake: bool,
}

impl Made {
    fn of(sort: &Sort, random: &mut Random) -> Self {
        let loose = sort.ways.loose;
        let fields = sort.fields.iter().map(|(_, texts)| random.below(texts.len() as u64)).collect();
        Self { key: 0, name: 0, fields, each: if loose { random.below(4) } else { 0 }, is_awake: !loose || random.chance(850) }
    }

    fn change(&mut self, sort: &Sort, kept: bool, random: &mut Random) {
        let new = Self::of(sort, random);
        if sort.fields.is_empty() || random.chance(300) {
            self.fields = new.fields;
        } else {
            let at = usize::try_from(random.below(sort.fields.len() as u64)).expect("small");
            self.fields[at] = new.fields[at];
        }
        if random.chance(300) {
            (self.each, self.is_awake) = (new.each, new.is_awake);
        }
        if sort.ways.renamed && !kept && random.chance(250) {
            self.name = random.below(3);
        }
        if sort.ways.moved && random.chance(200) {
            self.key = random.below(2);
        }
    }
}

/// One commit: what is there, and how it is written.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    slots: BTreeMap<Slot, Made>,
    /// Whether what must not be destroyed says so.
    is_open: bool,
}

fn sort_of(kind: &str) -> &'static Sort {
    SORTS.iter().find(|s| s.kind == kind).expect("only kinds of the table are named in it")
}

impl Commit {
    /// The next commit: some things come, some go, some change. `dense`: how many of a thousand come.
    pub fn next(&self, random: &mut Random, dense: u64, seed: u64) -> Self {
        let mut slots = self.slots.clone();
        let is_first = slots.is_empty();
        for sort in SORTS.iter().filter(|sort| sort.since <= seed) {
            for number in 0..sort.count {
                let slot = (sort.kind, number);
                let kept = sort.ways.kept == Some(number);
                let (come, go, change) = if is_first { (dense, 0, 0) } else { (dense / 2, 150, 400) };
                if let std::collections::btree_map::Entry::Vacant(e) = slots.entry(slot) {
                    if random.chance(come) {
                        e.insert(Made::of(sort, random));
                    }
                } else if !kept && random.chance(go) {
                    slots.remove(&slot);
                } else if random.chance(change) {
                    slots.get_mut(&slot).expect("it is there").change(sort, kept, random);
                }
            }
        }
        // What needs something that is not there cannot be: from the first kind to the last.
        for sort in SORTS {
            let there: Vec<Slot> = slots.keys().copied().collect();
            let is_held = |n: u64| sort.needs.iter().all(|(kind, by)| there.contains(&(*kind, n % by)));
            slots.retain(|(kind, n), _| *kind != sort.kind || is_held(*n));
            if sort.ways.tied && sort.since <= seed {
                for n in (0..sort.count).filter(|n| is_held(*n)) {
                    slots.entry((sort.kind, n)).or_insert_with(|| Made::of(sort, random));
                }
            }
        }
        if slots.is_empty() {
            slots.insert(("jobs", 0), Made::of(sort_of("jobs"), random));
        }
        Self { slots, is_open: false }
    }

    /// The same with nothing that must not be destroyed.
    pub fn opened(&self) -> Self {
        Self { is_open: true, ..self.clone() }
    }

    /// The YAML of it.
    pub fn yaml(&self) -> String {
        let mut text = String::new();
        for sort in SORTS {
            let own: Vec<(u64, &Made)> = self.slots.iter().filter(|((k, _), _)| *k == sort.kind).map(|((_, n), made)| (*n, made)).collect();
            if own.is_empty() {
                continue;
            }
            let _ = writeln!(text, "{}:", sort.kind);
            for (number, made) in own {
                let _ = writeln!(text, "  {}: {{ {} }}", key(sort, number, made), self.body(sort, number, made));
            }
        }
        text
    }

    fn body(&self, sort: &Sort, n: u64, made: &Made) -> String {
        let mut members = vec![format!("{}: \"{}\"", sort.name.0, self.named(sort, n, made))];
        for ((field, texts), chosen) in sort.fields.iter().zip(&made.fields) {
            let text = texts[usize::try_from(*chosen).expect("small")];
            if !text.is_empty() {
                members.push(format!("{field}: {}", self.filled(text, n, made)));
            }
        }
        match made.each {
            0 | 1 => {}
            2 => members.push("for_each: [x]".to_owned()),
            _ => members.push("for_each: [x, y]".to_owned()),
        }
        if !made.is_awake {
            members.push("when: \"${env.name == 'other'}\"".to_owned());
        }
        if sort.ways.kept == Some(n) {
            members.push(format!("lifecycle: {{ prevent_destroy: {} }}", !self.is_open));
        }
        members.join(", ")
    }

    /// Its name as text.
    fn named(&self, sort: &Sort, n: u64, made: &Made) -> String {
        self.filled(sort.name.1, n, made)
    }

    fn filled(&self, text: &str, n: u64, made: &Made) -> String {
        let rename = ["", "_b", "_c"][usize::try_from(made.name).expect("small")];
        let each = if made.each > 1 { "_${each.key}" } else { "" };
        let text = text.replace("{n}", &n.to_string()).replace("{r}", rename).replace("{e}", each);
        let text = marked(&text, '@', |inside| {
            let (target, without) = inside.split_once('|')?;
            let (slot, field) = target.split_once('.')?;
            let (sort, number) = slot_of(slot, n)?;
            let there = self.slots.get(&(sort.kind, number));
            Some(there.map_or(without.to_owned(), |made| format!("${{{}.{}.{field}}}", sort.kind, key(sort, number, made))))
        });
        marked(&text, '=', |inside| {
            let (sort, number) = slot_of(inside, n)?;
            Some(self.named(sort, number, self.slots.get(&(sort.kind, number))?))
        })
    }
}

fn slot_of(text: &str, n: u64) -> Option<(&'static Sort, u64)> {
    let (kind, by) = text.split_once('%')?;
    Some((SORTS.iter().find(|s| s.kind == kind)?, n % by.parse::<u64>().ok()?))
}

/// Replaces what stands between two marks, where that means something.
fn marked(text: &str, mark: char, means: impl Fn(&str) -> Option<String>) -> String {
    let Some((before, rest)) = text.split_once(mark) else { return text.to_owned() };
    if let Some((inside, after)) = rest.split_once(mark)
        && let Some(meant) = means(inside)
    {
        return format!("{before}{meant}{}", marked(after, mark, means));
    }
    format!("{before}{mark}{}", marked(rest, mark, means))
}

fn key(sort: &Sort, n: u64, made: &Made) -> String {
    format!("{}{n}{}", &sort.kind[..2], if made.key == 0 { "" } else { "_new" })
}
