//! What is happening while an apply runs: on a terminal one line that is written over, elsewhere a line for each result.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Screen;
use crate::apply::{Event, Outcome};
use crate::model::Address;
use crate::plan::Action;
use crate::report::outcome;
use crate::report::style::{Paint, columns};

/// Shows events.
pub struct Progress<'a> {
    screen: &'a Screen,
    all: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    ended: usize,
    failed: usize,
    flying: BTreeMap<Address, (Action, Option<String>)>,
}

impl<'a> Progress<'a> {
    /// For so many steps.
    pub fn new(screen: &'a Screen, all: usize) -> Self {
        Self { screen, all, seen: Mutex::default() }
    }

    /// Whether it writes a line for each result: then the report need not list successes again.
    pub fn lists(&self) -> bool {
        self.screen.talks() && !self.screen.err_terminal
    }

    /// Takes an event.
    pub fn event(&self, event: &Event) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { address, action } => drop(seen.flying.insert(address.clone(), (*action, None))),
            Event::Waiting { address, state } => {
                if let Some((_, waiting)) = seen.flying.get_mut(address) {
                    *waiting = Some(state.clone());
                }
            }
            Event::Ended(result) => {
                seen.flying.remove(&result.address);
                seen.ended += 1;
                seen.failed += usize::from(matches!(result.outcome, Outcome::Failed(_)));
                if self.lists() {
                    let paint = Paint { colour: self.screen.err_colour };
                    self.screen.note(&outcome::progress(result, seen.ended, self.all, paint));
                }
            }
        }
        if self.screen.err_terminal && self.screen.talks() {
            self.screen.raw(&format!("\r\u{1b}[2K{}", self.line(&seen)));
        }
    }

    /// Takes the line away.
    pub fn end(&self) {
        if self.screen.err_terminal && self.screen.talks() {
            self.screen.raw("\r\u{1b}[2K");
        }
    }

    /// `[12/40] 1 failed · + jobs.a · ~ warehouses.bi (STARTING)`, cut to the width.
    fn line(&self, seen: &Seen) -> String {
        let paint = Paint { colour: false };
        let mut line = format!("[{}/{}]", seen.ended, self.all);
        if seen.failed > 0 {
            line.push_str(&format!(" {} failed", seen.failed));
        }
        for (address, (action, waiting)) in &seen.flying {
            let mut part = outcome::doing(&address.to_string(), *action, paint);
            if let Some(state) = waiting {
                part.push_str(&format!(" ({state})"));
            }
            if columns(&line) + 3 + columns(&part) + 4 > self.screen.width {
                line.push_str(" · ...");
                break;
            }
            line.push_str(" · ");
            line.push_str(&part);
        }
        line
    }
}
