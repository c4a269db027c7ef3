//! What is happening while an apply runs: on a terminal a line for each object in flight and a bar that are drawn over,
//! elsewhere a line for each result.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Screen;
use crate::apply::{Event, Outcome};
use crate::client::Client;
use crate::model::{Address, Outside};
use crate::plan::Action;
use crate::report::bar::{Bar, Flight, lines};
use crate::report::outcome;
use crate::report::style::Paint;

/// Shows events.
pub struct Progress<'a> {
    screen: &'a Screen,
    outside: &'a Outside,
    client: &'a Client,
    all: usize,
    /// Neither lines nor a bar: events are written instead.
    silent: bool,
    began: jiff::Timestamp,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    ended: usize,
    failed: usize,
    flying: BTreeMap<Address, (Action, Option<String>, jiff::Timestamp)>,
    /// Lines on the screen that are drawn over.
    drawn: usize,
}

impl<'a> Progress<'a> {
    /// For so many steps. `silent`: nothing is shown.
    pub fn new(screen: &'a Screen, outside: &'a Outside, client: &'a Client, all: usize, silent: bool) -> Self {
        Self { screen, outside, client, all, silent, began: outside.now(), seen: Mutex::default() }
    }

    /// Whether it writes a line for each result: then the report need not list successes again.
    pub fn lists(&self) -> bool {
        self.screen.talks() && !self.screen.err_terminal && !self.silent
    }

    fn draws(&self) -> bool {
        self.screen.err_terminal && self.screen.talks() && !self.silent
    }

    /// Takes an event.
    pub fn event(&self, event: &Event) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { address, action } => drop(seen.flying.insert(address.clone(), (*action, None, self.outside.now()))),
            Event::Waiting { address, state } => {
                if let Some((_, waiting, _)) = seen.flying.get_mut(address) {
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
        self.draw(&mut seen);
    }

    /// Time goes by: draws anew.
    pub fn tick(&self) {
        self.draw(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn draw(&self, seen: &mut Seen) {
        if !self.draws() {
            return;
        }
        let now = self.outside.now();
        let millis = |since: jiff::Timestamp| u64::try_from(now.duration_since(since).as_millis()).unwrap_or(0);
        let flying: Vec<Flight> = seen
            .flying
            .iter()
            .map(|(address, (action, state, since))| Flight {
                address: address.to_string(),
                action: *action,
                state: state.clone(),
                millis: millis(*since),
            })
            .collect();
        let bar = Bar {
            ended: seen.ended,
            failed: seen.failed,
            all: self.all,
            millis: millis(self.began),
            flying: &flying,
            throttled: &self.client.throttled(),
        };
        let drawn = lines(&bar, self.screen.width, Paint { colour: self.screen.err_colour });
        let text = drawn.join("\n");
        self.screen.drawn(&over(seen.drawn), &text);
        seen.drawn = drawn.len();
    }

    /// Takes the lines away.
    pub fn end(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.draws() {
            self.screen.drawn(&over(std::mem::take(&mut seen.drawn)), "");
        }
    }
}

/// Back to the first of so many lines, everything below wiped.
fn over(drawn: usize) -> String {
    match drawn {
        0 => String::new(),
        1 => "\r\u{1b}[J".to_owned(),
        lines => format!("\r\u{1b}[{}A\u{1b}[J", lines - 1),
    }
}
