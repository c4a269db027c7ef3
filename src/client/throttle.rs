//! How many requests of an endpoint (an operation) may be in flight, and how fast they may follow one another: a pure
//! state machine. Starts wide open; a 429 halves the window, paces the endpoint a little below the rate that the server
//! last took, and rests it for as long as the server asks; success opens it again by small steps.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::retry::Moment;

/// Of the rate the server took before it said 429, what is asked of it afterwards.
const CUT: f64 = 0.9;
/// By how much of the cut rate the pace grows in a second.
const GROWTH: f64 = 0.005;
/// A pace above this is no pace.
const UNPACED: f64 = 10_000.0;

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// Now; it counts as in flight.
    Go,
    /// Ask again at this moment.
    At(Moment),
    /// When another one of this endpoint has ended.
    Full,
}

/// The throttle of one client.
#[derive(Debug)]
pub struct Throttle {
    parallelism: usize,
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    in_flight: usize,
    window: f64,
    pace: Option<Pace>,
    resting_until: Moment,
    last_cut: Option<Moment>,
    /// When the requests of the last second were taken.
    taken: VecDeque<Moment>,
}

#[derive(Debug)]
struct Pace {
    per_second: f64,
    cut_to: f64,
    since: Moment,
    next: Moment,
}

impl Throttle {
    /// At most `parallelism` requests of an endpoint in flight, at the start as many.
    #[must_use]
    pub fn new(parallelism: usize) -> Self {
        Self { parallelism: parallelism.max(1), endpoints: BTreeMap::new() }
    }

    fn endpoint(&mut self, name: &str) -> &mut Endpoint {
        if !self.endpoints.contains_key(name) {
            #[expect(clippy::cast_precision_loss, reason = "a count of requests in flight")]
            let window = self.parallelism as f64;
            let new = Endpoint { in_flight: 0, window, pace: None, resting_until: Moment::ZERO, last_cut: None, taken: VecDeque::new() };
            self.endpoints.insert(name.to_owned(), new);
        }
        self.endpoints.get_mut(name).expect("inserted above")
    }

    /// May a request of this endpoint go?
    pub fn admit(&mut self, name: &str, now: Moment) -> Admit {
        let endpoint = self.endpoint(name);
        if now < endpoint.resting_until {
            return Admit::At(endpoint.resting_until);
        }
        if endpoint.in_flight >= endpoint.room() {
            return Admit::Full;
        }
        if let Some(pace) = &mut endpoint.pace {
            if now < pace.next {
                return Admit::At(pace.next);
            }
            let rate = pace.at(now);
            if rate > UNPACED {
                endpoint.pace = None;
            } else {
                pace.next = now.saturating_add(Duration::from_secs_f64(1.0 / rate));
            }
        }
        endpoint.in_flight += 1;
        Admit::Go
    }

    /// A request that began at `began` ended with something else than 429.
    pub fn done(&mut self, name: &str, now: Moment) {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests in flight")]
        let most = self.parallelism as f64;
        let endpoint = self.endpoint(name);
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
        endpoint.window = (endpoint.window + 1.0 / endpoint.window).min(most);
        endpoint.taken.push_back(now);
        endpoint.forget(now);
    }

    /// A request that began at `began` got no answer at all: nothing is learnt from it.
    pub fn lost(&mut self, name: &str) {
        let endpoint = self.endpoint(name);
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
    }

    /// A request that began at `began` was answered with 429, and the server wants a rest of `after`. Several that were
    /// in flight together count once.
    pub fn throttled(&mut self, name: &str, began: Moment, now: Moment, after: Option<Duration>) {
        let endpoint = self.endpoint(name);
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
        endpoint.resting_until = endpoint.resting_until.max(now.saturating_add(after.unwrap_or(Duration::ZERO)));
        if endpoint.last_cut.is_some_and(|cut| began < cut) {
            return;
        }
        endpoint.last_cut = Some(now);
        endpoint.window = (endpoint.window / 2.0).max(1.0);
        endpoint.forget(now);
        #[expect(clippy::cast_precision_loss, reason = "a count of requests in a second")]
        let taken = endpoint.taken.len() as f64;
        let rate = endpoint.pace.as_ref().map_or(taken, |pace| pace.at(now)).max(1.0) * CUT;
        endpoint.pace = Some(Pace { per_second: rate, cut_to: rate, since: now, next: endpoint.resting_until });
    }

    /// Whether another request could be in flight, as far as the window goes.
    #[must_use]
    pub fn has_room(&self, name: &str) -> bool {
        self.endpoints.get(name).is_none_or(|endpoint| endpoint.in_flight < endpoint.room())
    }
}

impl Endpoint {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the parallelism")]
    fn room(&self) -> usize {
        self.window.max(1.0) as usize
    }

    fn forget(&mut self, now: Moment) {
        let old = now.saturating_sub(Duration::from_secs(1));
        while self.taken.front().is_some_and(|moment| *moment < old) {
            self.taken.pop_front();
        }
    }
}

impl Pace {
    /// The pace now: what it was cut to, and a little more for each second since.
    fn at(&self, now: Moment) -> f64 {
        self.per_second + self.cut_to * GROWTH * now.saturating_sub(self.since).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn starts_wide_open_and_is_capped() {
        let mut throttle = Throttle::new(3);
        for want in [Admit::Go, Admit::Go, Admit::Go, Admit::Full] {
            assert_eq!(throttle.admit("a", Moment::ZERO), want);
        }
        assert_eq!(throttle.admit("b", Moment::ZERO), Admit::Go, "each endpoint by itself");
        throttle.done("a", MILLI);
        assert_eq!(throttle.admit("a", MILLI), Admit::Go);
    }

    #[test]
    fn rests_and_halves_once_for_those_in_flight_together() {
        let mut throttle = Throttle::new(8);
        for _ in 0..8 {
            assert_eq!(throttle.admit("a", Moment::ZERO), Admit::Go);
        }
        for _ in 0..8 {
            throttle.throttled("a", Moment::ZERO, MILLI, Some(Duration::from_secs(2)));
        }
        assert_eq!(throttle.admit("a", 2 * MILLI), Admit::At(2001 * MILLI), "Retry-After is kept for the whole endpoint");
        assert_eq!(throttle.endpoint("a").room(), 4);
        assert_eq!(throttle.admit("a", 2001 * MILLI), Admit::Go);
    }

    #[test]
    fn recovers() {
        let mut throttle = Throttle::new(16);
        throttle.admit("a", Moment::ZERO);
        throttle.throttled("a", Moment::ZERO, MILLI, None);
        assert_eq!(throttle.endpoint("a").room(), 8);
        for n in 0..400 {
            assert_eq!(throttle.admit("a", Duration::from_secs(10 + 2 * n)), Admit::Go);
            throttle.done("a", Duration::from_secs(10 + 2 * n));
        }
        assert_eq!(throttle.endpoint("a").room(), 16);
    }

    /// A server that takes `rate` requests a second and answers others with 429 and a rest of one second: what share of
    /// its rate is used over two minutes.
    fn share_of(rate: f64, latency: Duration) -> f64 {
        let mut throttle = Throttle::new(64);
        let mut now = Moment::ZERO;
        let mut in_flight: VecDeque<(Moment, Moment, bool)> = VecDeque::new();
        let (mut tokens, mut taken) = (rate, 0.0);
        let end = Duration::from_secs(120);
        while now < end {
            while in_flight.front().is_some_and(|(_, back, _)| *back <= now) {
                match in_flight.pop_front() {
                    Some((_, _, true)) => throttle.done("a", now),
                    Some((began, _, false)) => throttle.throttled("a", began, now, Some(Duration::from_secs(1))),
                    None => unreachable!("just looked"),
                }
            }
            while throttle.admit("a", now) == Admit::Go {
                let good = tokens >= 1.0;
                if good {
                    (tokens, taken) = (tokens - 1.0, taken + 1.0);
                }
                in_flight.push_back((now, now + latency, good));
            }
            now += MILLI;
            tokens = (tokens + rate / 1000.0).min(rate);
        }
        taken / (rate * end.as_secs_f64())
    }

    #[test]
    fn uses_most_of_what_the_server_gives() {
        for (rate, latency) in [(20.0, 20), (20.0, 200), (100.0, 50), (5.0, 100)] {
            let share = share_of(rate, latency * MILLI);
            assert!(share > 0.85, "{rate} a second at {latency} ms: {share:.2}");
        }
    }

    proptest! {
        #[test]
        fn never_above_the_cap_never_stuck(script in proptest::collection::vec((0u8..4, 0u64..3000), 1..300), parallelism in 1usize..20) {
            let mut throttle = Throttle::new(parallelism);
            let (mut now, mut in_flight) = (Moment::ZERO, Vec::new());
            for (what, millis) in script {
                now += Duration::from_millis(millis);
                match what {
                    0 | 1 => match throttle.admit("a", now) {
                        Admit::Go => in_flight.push(now),
                        Admit::At(moment) => prop_assert!(moment > now),
                        Admit::Full => prop_assert!(!in_flight.is_empty(), "full although nothing is in flight"),
                    },
                    2 => if in_flight.pop().is_some() { throttle.done("a", now) },
                    _ => if let Some(began) = in_flight.pop() { throttle.throttled("a", began, now, Some(Duration::from_millis(millis))) },
                }
                prop_assert!(in_flight.len() <= parallelism);
            }
        }
    }
}
