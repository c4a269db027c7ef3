//! How many requests of an endpoint (an operation) may be in flight, and how fast they may follow one another: a pure
//! state machine. Starts wide open. A 429 halves the window, rests the endpoint for as long as the server asks, and then
//! paces it a little below the rate that the server took until then; success opens the window again by small steps, and
//! the pace climbs back to that rate, stays near it for a while, and only then looks for more (the curve of CUBIC).

use std::collections::BTreeMap;
use std::time::Duration;

use super::retry::Moment;

/// The pace begins this much below the rate that the server took.
const CUT: f64 = 0.1;
/// Seconds until the pace is back at that rate.
const BACK: f64 = 15.0;
/// Timers are late: up to so much is made up for.
const LATE: Duration = Duration::from_millis(50);
/// A pace above this is no pace.
const UNPACED: f64 = 10_000.0;
/// With fewer requests taken since the last rest nothing is known of the server's rate.
const TELLING: u32 = 4;

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
    parallelism: u32,
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    in_flight: u32,
    window: f64,
    most: f64,
    pace: Option<Pace>,
    resting_until: Moment,
    /// When the last 429 came that counted, until the pace is set anew after the rest.
    cut: Option<Moment>,
    last_cut: Option<Moment>,
    /// Since when it runs without a rest, and how many requests were taken since then.
    running: Option<Moment>,
    taken: u32,
}

#[derive(Debug)]
struct Pace {
    /// The rate that the server took, a second.
    peak: f64,
    since: Moment,
    next: Moment,
}

impl Throttle {
    /// At most `parallelism` requests of an endpoint in flight, at the start as many.
    #[must_use]
    pub fn new(parallelism: usize) -> Self {
        Self { parallelism: u32::try_from(parallelism.max(1)).unwrap_or(u32::MAX), endpoints: BTreeMap::new() }
    }

    fn endpoint(&mut self, name: &str) -> &mut Endpoint {
        if !self.endpoints.contains_key(name) {
            self.endpoints.insert(name.to_owned(), Endpoint::new(self.parallelism));
        }
        self.endpoints.get_mut(name).expect("inserted above")
    }

    /// May a request of this endpoint go?
    pub fn admit(&mut self, name: &str, now: Moment) -> Admit {
        let endpoint = self.endpoint(name);
        if now < endpoint.resting_until {
            return Admit::At(endpoint.resting_until);
        }
        endpoint.resume(now);
        if endpoint.in_flight >= endpoint.room() {
            return Admit::Full;
        }
        if let Some(pace) = &mut endpoint.pace {
            if now < pace.next {
                return Admit::At(pace.next);
            }
            let rate = pace.at(now);
            let from = pace.next.max(now.saturating_sub(LATE));
            pace.next = from.saturating_add(Duration::from_secs_f64(1.0 / rate));
            if rate > UNPACED {
                endpoint.pace = None;
            }
        }
        endpoint.in_flight += 1;
        Admit::Go
    }

    /// A request ended with something else than 429.
    pub fn done(&mut self, name: &str) {
        let endpoint = self.endpoint(name);
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
        endpoint.window = (endpoint.window + 1.0 / endpoint.window).min(endpoint.most);
        endpoint.taken = endpoint.taken.saturating_add(1);
    }

    /// A request got no answer at all: nothing is learnt from it.
    pub fn lost(&mut self, name: &str) {
        let endpoint = self.endpoint(name);
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
    }

    /// A request that began at `began` was answered with 429, and the endpoint rests for `rest`. Several that were in
    /// flight together count once.
    pub fn throttled(&mut self, name: &str, began: Moment, now: Moment, rest: Duration) {
        let endpoint = self.endpoint(name);
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
        endpoint.resting_until = endpoint.resting_until.max(now.saturating_add(rest));
        if endpoint.last_cut.is_some_and(|cut| began < cut) {
            return;
        }
        endpoint.last_cut = Some(now);
        endpoint.cut = Some(now);
        endpoint.window = (endpoint.window / 2.0).max(1.0);
    }

    /// Endpoints that the server slows down now, with the rate a second where one is kept.
    #[must_use]
    pub fn slowed(&self, now: Moment) -> Vec<(String, Option<f64>)> {
        let rate = |endpoint: &Endpoint| endpoint.pace.as_ref().map(|pace| pace.at(now));
        let slow = self.endpoints.iter().filter(|(_, endpoint)| now < endpoint.resting_until || endpoint.pace.is_some());
        slow.map(|(name, endpoint)| (name.clone(), rate(endpoint))).collect()
    }

    /// Whether another request could be in flight, as far as the window goes.
    #[must_use]
    pub fn has_room(&self, name: &str) -> bool {
        self.endpoints.get(name).is_none_or(|endpoint| endpoint.in_flight < endpoint.room())
    }
}

impl Endpoint {
    fn new(parallelism: u32) -> Self {
        let most = f64::from(parallelism);
        Self {
            in_flight: 0,
            window: most,
            most,
            pace: None,
            resting_until: Moment::ZERO,
            cut: None,
            last_cut: None,
            running: None,
            taken: 0,
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the parallelism")]
    fn room(&self) -> u32 {
        self.window.max(1.0) as u32
    }

    /// The first request after a rest: by now all that were in flight at the 429 have had their answers, so it is known
    /// how many the server took.
    fn resume(&mut self, now: Moment) {
        let running = *self.running.get_or_insert(now);
        let Some(cut) = self.cut.take() else { return };
        let seconds = cut.saturating_sub(running).as_secs_f64().max(1.0);
        let before = self.pace.as_ref().map(|pace| pace.at(cut));
        if self.taken >= TELLING {
            let took = f64::from(self.taken) / seconds;
            // A rest in between makes the count small: a pace is not cut by more than a half at once.
            let peak = before.map_or(took, |before| took.clamp(before / 2.0, before));
            self.pace = Some(Pace { peak, since: now, next: now });
        } else if let Some(before) = before {
            self.pace = Some(Pace { peak: before / 2.0, since: now, next: now });
        }
        (self.running, self.taken) = (Some(now), 0);
    }
}

impl Pace {
    /// The pace now: from a little below the peak back to it, flat around it, then ever faster.
    fn at(&self, now: Moment) -> f64 {
        let along = (now.saturating_sub(self.since).as_secs_f64() - BACK) / BACK;
        (self.peak * (1.0 + CUT * along.powi(3))).max(0.1)
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
        throttle.done("a");
        assert_eq!(throttle.admit("a", MILLI), Admit::Go);
    }

    #[test]
    fn rests_and_halves_once_for_those_in_flight_together() {
        let mut throttle = Throttle::new(8);
        for _ in 0..8 {
            assert_eq!(throttle.admit("a", Moment::ZERO), Admit::Go);
        }
        for _ in 0..8 {
            throttle.throttled("a", Moment::ZERO, MILLI, Duration::from_secs(2));
        }
        assert_eq!(throttle.admit("a", 2 * MILLI), Admit::At(2001 * MILLI), "Retry-After is kept for the whole endpoint");
        assert_eq!(throttle.endpoint("a").room(), 4);
        assert_eq!(throttle.admit("a", 2001 * MILLI), Admit::Go);
    }

    #[test]
    fn recovers() {
        let mut throttle = Throttle::new(16);
        throttle.admit("a", Moment::ZERO);
        throttle.throttled("a", Moment::ZERO, MILLI, Duration::ZERO);
        assert_eq!(throttle.endpoint("a").room(), 8);
        for n in 0..400 {
            assert_eq!(throttle.admit("a", Duration::from_secs(10 + 2 * n)), Admit::Go);
            throttle.done("a");
        }
        assert_eq!(throttle.endpoint("a").room(), 16);
    }

    /// A server that takes `rate` requests a second (a bucket of as many) and answers others with 429 and a rest of one
    /// second, faster than it answers those it takes: what share of its rate is used over `seconds`.
    fn share_of(rate: f64, latency: u64, seconds: u64) -> f64 {
        let mut throttle = Throttle::new(64);
        let mut in_flight: Vec<(Moment, Moment, bool)> = Vec::new();
        let (mut tokens, mut taken) = (rate, 0.0);
        for millis in 0..seconds * 1000 {
            let now = Duration::from_millis(millis);
            for (began, _, good) in in_flight.extract_if(.., |(_, back, _)| *back <= now) {
                if good { throttle.done("a") } else { throttle.throttled("a", began, now, Duration::from_secs(1)) }
            }
            while throttle.admit("a", now) == Admit::Go {
                let good = tokens >= 1.0;
                if good {
                    (tokens, taken) = (tokens - 1.0, taken + 1.0);
                }
                in_flight.push((now, now + Duration::from_millis(if good { latency } else { latency / 2 }), good));
            }
            tokens = (tokens + rate / 1000.0).min(rate);
        }
        taken / (rate * Duration::from_secs(seconds).as_secs_f64())
    }

    #[test]
    fn uses_most_of_what_the_server_gives() {
        for (rate, latency) in [(20.0, 20), (20.0, 50), (20.0, 200), (100.0, 50), (5.0, 100), (300.0, 10)] {
            for (seconds, least) in [(8, 0.8), (120, 0.9)] {
                let share = share_of(rate, latency, seconds);
                assert!(share > least, "{rate} a second at {latency} ms for {seconds} s: {share:.2}");
            }
        }
    }

    #[test]
    fn a_single_429_paces_nothing() {
        let mut throttle = Throttle::new(8);
        throttle.admit("a", Moment::ZERO);
        throttle.throttled("a", Moment::ZERO, MILLI, Duration::ZERO);
        for _ in 0..4 {
            assert_eq!(throttle.admit("a", MILLI), Admit::Go);
        }
        assert_eq!(throttle.admit("a", MILLI), Admit::Full);
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
                    2 => if in_flight.pop().is_some() { throttle.done("a") },
                    _ => if let Some(began) = in_flight.pop() { throttle.throttled("a", began, now, Duration::from_millis(millis)) },
                }
                prop_assert!(in_flight.len() <= parallelism);
            }
        }
    }
}
