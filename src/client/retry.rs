//! Retry as a pure state machine: `next(outcome, now)`. No clock, no I/O, no randomness of its own.
//!
//! Moments are durations since any fixed start. What is repeated:
//!
//! | outcome | read, full replacement, delete | create |
//! | --- | --- | --- |
//! | 429 | until the budget is spent | the same: it was not processed |
//! | 503 with Retry-After | until the budget is spent | never: a gateway may say so after the effect |
//! | 503 without | a few times | never |
//! | a wording that the SDKs repeat | until the budget is spent | never |
//! | 500, 502, 504 | a few times | never |
//! | connection never made | a few times: a wrong host is told soon | the same: nobody saw it |
//! | connection lost, no answer in time | until the budget is spent | never |

use std::time::Duration;

use crate::kinds::Repeat;

/// A point in time: the time since some fixed start.
pub type Moment = Duration;

/// How one try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was tried yet, or the wait is over: may it be sent now?
    Ready,
    /// 429; how long the server wants us to wait, if it said so.
    Throttled(Option<Duration>),
    /// 503; how long the server wants us to wait, if it said so.
    Unavailable(Option<Duration>),
    /// 500, 502 or 504.
    Broken,
    /// An answer with a wording that means "try again".
    TryAgain,
    /// The connection was never made: nobody saw the request.
    NotSent,
    /// No answer, although the request may have been sent.
    Lost,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Send it now and wait for the answer so long.
    Send {
        /// For this try.
        timeout: Duration,
    },
    /// Ask again (with [`Outcome::Ready`]) at this moment, not before.
    WaitUntil(Moment),
    /// The last outcome is the result.
    GiveUp,
}

/// The limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For all tries after the first: none begins that could end later than this after the first began.
    pub budget: Duration,
    /// For one try.
    pub try_timeout: Duration,
    /// The first wait where the server names none; it doubles with each try.
    pub first_wait: Duration,
    /// The longest such wait.
    pub longest_wait: Duration,
    /// How often a broken answer (500, 502, 504, 503 without Retry-After) of a repeatable call is repeated.
    pub broken_repeats: u32,
    /// How often a connection that was never made is tried again.
    pub unreached_repeats: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            budget: Duration::from_secs(300),
            try_timeout: Duration::from_secs(60),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
            broken_repeats: 3,
            unreached_repeats: 4,
        }
    }
}

/// The tries of one call.
#[derive(Debug, Clone)]
pub struct Retry {
    repeat: Repeat,
    limits: Limits,
    seed: u64,
    started: Option<Moment>,
    until: Moment,
    tries: u32,
    broken: u32,
    unreached: u32,
    given_up: bool,
}

impl Retry {
    /// A call that was not tried yet. `seed`: of the jitter; the same seed gives the same waits.
    #[must_use]
    pub fn new(repeat: Repeat, limits: Limits, seed: u64) -> Self {
        Self { repeat, limits, seed, started: None, until: Moment::ZERO, tries: 0, broken: 0, unreached: 0, given_up: false }
    }

    /// How often it was sent.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// What to do after this outcome, at this moment.
    pub fn next(&mut self, outcome: Outcome, now: Moment) -> Decision {
        if self.given_up {
            return Decision::GiveUp;
        }
        let wait = match outcome {
            Outcome::Ready => return self.ready(now),
            outcome => self.wait_after(outcome),
        };
        match wait.map(|wait| now.saturating_add(wait)) {
            Some(until) if until.saturating_add(self.least_time()) <= self.deadline(now) => {
                self.until = until;
                Decision::WaitUntil(until)
            }
            _ => self.give_up(),
        }
    }

    fn ready(&mut self, now: Moment) -> Decision {
        let Some(_) = self.started else {
            self.started = Some(now);
            self.tries = 1;
            return Decision::Send { timeout: self.limits.try_timeout };
        };
        if now < self.until {
            return Decision::WaitUntil(self.until);
        }
        let left = self.deadline(now).saturating_sub(now);
        if left < self.least_time() {
            return self.give_up();
        }
        self.tries += 1;
        Decision::Send { timeout: left.min(self.limits.try_timeout) }
    }

    /// How long to wait before the next try; none: there is no next try.
    fn wait_after(&mut self, outcome: Outcome) -> Option<Duration> {
        let safe = self.repeat != Repeat::AfterLookup;
        match outcome {
            Outcome::Throttled(Some(after)) => Some(self.at_least(after)),
            Outcome::Unavailable(Some(after)) if safe => Some(self.at_least(after)),
            Outcome::Throttled(None) => Some(self.backoff()),
            Outcome::NotSent if self.unreached < self.limits.unreached_repeats => {
                self.unreached += 1;
                Some(self.backoff())
            }
            Outcome::TryAgain | Outcome::Lost if safe => Some(self.backoff()),
            Outcome::Broken | Outcome::Unavailable(None) if safe && self.broken < self.limits.broken_repeats => {
                self.broken += 1;
                Some(self.backoff())
            }
            _ => None,
        }
    }

    /// What the server asked for and up to a tenth more (at most a second), so that not all come back at once. "At once"
    /// is no wait that a server in trouble can mean: it gets the usual one.
    fn at_least(&self, after: Duration) -> Duration {
        if after.is_zero() {
            return self.backoff();
        }
        after.saturating_add((after / 10).min(Duration::from_secs(1)).mul_f64(self.jitter()))
    }

    /// Doubling with each try, and of that between a half and the whole.
    fn backoff(&self) -> Duration {
        let doublings = self.tries.saturating_sub(1).min(20);
        let whole = self.limits.first_wait.saturating_mul(1 << doublings).min(self.limits.longest_wait);
        whole.mul_f64(0.5 + 0.5 * self.jitter())
    }

    /// Between 0 and 1, from the seed and the number of the try (`SplitMix64`).
    fn jitter(&self) -> f64 {
        let mut z = self.seed.wrapping_add(u64::from(self.tries).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(bits) / f64::from(u32::MAX)
    }

    /// The time a further try must at least be given: a create that is cut short is a create whose outcome is unknown.
    fn least_time(&self) -> Duration {
        match self.repeat {
            Repeat::Safe | Repeat::Until(_) => self.limits.try_timeout.min(Duration::from_secs(1)),
            Repeat::AfterLookup => self.limits.try_timeout.min(self.limits.budget / 5),
        }
    }

    fn deadline(&self, now: Moment) -> Moment {
        self.started.unwrap_or(now).saturating_add(self.limits.budget)
    }

    fn give_up(&mut self) -> Decision {
        self.given_up = true;
        Decision::GiveUp
    }
}

/// The wait that a `Retry-After` header asks for: seconds, or an HTTP date counted from the server's own `Date` (else
/// from `now`, seconds since 1970). None where it is neither.
#[must_use]
pub fn retry_after(header: &str, server_date: Option<&str>, now: i64) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(header)?;
    let from = server_date.and_then(http_date).unwrap_or(now);
    Some(Duration::from_secs(u64::try_from(until.saturating_sub(from)).unwrap_or(0)))
}

/// An HTTP date as seconds since 1970.
#[must_use]
pub fn http_date(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_repeated() {
        use Outcome::{Broken, Lost, NotSent, Throttled, TryAgain, Unavailable};
        for (outcome, safe, create) in [
            (Throttled(None), true, true),
            (Throttled(Some(SECOND)), true, true),
            (Unavailable(Some(SECOND)), true, false),
            (Unavailable(None), true, false),
            (Broken, true, false),
            (TryAgain, true, false),
            (NotSent, true, true),
            (Lost, true, false),
        ] {
            for (repeat, want) in [(Repeat::Safe, safe), (Repeat::AfterLookup, create)] {
                let mut retry = Retry::new(repeat, Limits::default(), 7);
                assert_eq!(retry.next(Outcome::Ready, SECOND), Decision::Send { timeout: 60 * SECOND });
                let again = matches!(retry.next(outcome, 2 * SECOND), Decision::WaitUntil(_));
                assert_eq!(again, want, "{outcome:?} {repeat:?}");
            }
        }
    }

    #[test]
    fn a_broken_answer_and_an_unreached_host_are_repeated_a_few_times_only() {
        for (outcome, tries) in [(Outcome::Broken, 4), (Outcome::NotSent, 5)] {
            let mut retry = Retry::new(Repeat::Safe, Limits::default(), 1);
            let mut now = Moment::ZERO;
            loop {
                match retry.next(Outcome::Ready, now) {
                    Decision::Send { .. } => {}
                    Decision::WaitUntil(until) => now = until,
                    Decision::GiveUp => break,
                }
                if let Decision::WaitUntil(until) = retry.next(outcome, now) {
                    now = until;
                }
            }
            assert_eq!(retry.tries(), tries, "{outcome:?}");
        }
    }

    #[test]
    fn reads_retry_after() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(http_date(date), Some(784_111_777));
        for (header, server, now, want) in [
            ("7", None, 0, Some(7)),
            (" 0 ", None, 0, Some(0)),
            (date, Some("Sun, 06 Nov 1994 08:49:30 GMT"), 0, Some(7)),
            (date, None, 784_111_770, Some(7)),
            (date, None, 999_999_999, Some(0)),
            ("soon", None, 0, None),
            ("-1", None, 0, None),
        ] {
            assert_eq!(retry_after(header, server, now), want.map(Duration::from_secs), "{header}");
        }
    }

    fn outcomes() -> impl Strategy<Value = Vec<(Outcome, u64)>> {
        let after = proptest::option::of((0u64..400).prop_map(Duration::from_secs));
        let one = prop_oneof![
            after.clone().prop_map(Outcome::Throttled),
            after.prop_map(Outcome::Unavailable),
            Just(Outcome::Broken),
            Just(Outcome::TryAgain),
            Just(Outcome::NotSent),
            Just(Outcome::Lost),
        ];
        proptest::collection::vec((one, 0u64..70_000), 1..400)
    }

    proptest! {
        /// Budget kept, Retry-After kept, a create never sent after it may have been seen, and always an end.
        #[test]
        fn keeps_its_promises(script in outcomes(), create in any::<bool>(), seed in any::<u64>(), budget in 0u64..400) {
            let repeat = if create { Repeat::AfterLookup } else { Repeat::Safe };
            let limits = Limits { budget: Duration::from_secs(budget), ..Limits::default() };
            let mut retry = Retry::new(repeat, limits, seed);
            let (mut now, mut not_before, mut seen, mut sends) = (Moment::ZERO, Moment::ZERO, false, 0u32);
            let mut script = script.into_iter();
            let mut steps = 0;
            let mut decision = retry.next(Outcome::Ready, now);
            loop {
                steps += 1;
                prop_assert!(steps < 10_000, "no end");
                decision = match decision {
                    Decision::Send { timeout } => {
                        sends += 1;
                        prop_assert_eq!(sends, retry.tries());
                        prop_assert!(now >= not_before, "Retry-After undercut");
                        prop_assert!(!(create && seen), "a create was sent twice");
                        prop_assert!(timeout <= limits.try_timeout);
                        prop_assert!(sends == 1 || now + timeout <= limits.budget, "budget exceeded");
                        let Some((outcome, millis)) = script.next() else { break };
                        now += Duration::from_millis(millis).min(timeout);
                        seen |= matches!(outcome, Outcome::Broken | Outcome::TryAgain | Outcome::Lost | Outcome::Unavailable(_));
                        if let Outcome::Throttled(Some(after)) | Outcome::Unavailable(Some(after)) = outcome {
                            not_before = now + after;
                        }
                        retry.next(outcome, now)
                    }
                    Decision::WaitUntil(until) => {
                        prop_assert!(until >= now, "waits for the past");
                        now = until;
                        let next = retry.next(Outcome::Ready, now);
                        prop_assert!(!matches!(next, Decision::WaitUntil(_)), "no progress");
                        next
                    }
                    Decision::GiveUp => break,
                };
            }
            prop_assert!(sends >= 1);
        }
    }
}
