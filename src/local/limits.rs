//! Requests a second, per operation: a bucket that refills evenly and holds one second's worth.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;

/// The buckets of all operations.
#[derive(Debug)]
pub struct Limits {
    rate: Option<f64>,
    buckets: Mutex<BTreeMap<&'static str, (f64, Timestamp)>>,
}

impl Limits {
    /// Buckets of this rate; none: no limit.
    pub fn new(rate: Option<f64>) -> Self {
        Self { rate: rate.filter(|r| *r > 0.0), buckets: Mutex::new(BTreeMap::new()) }
    }

    /// Takes one request's worth.
    ///
    /// # Errors
    /// The whole seconds after which there will be one.
    pub fn take(&self, operation: &'static str, now: Timestamp) -> Result<(), u64> {
        let Some(rate) = self.rate else { return Ok(()) };
        let Ok(mut buckets) = self.buckets.lock() else { return Ok(()) };
        let most = rate.max(1.0);
        let (left, since) = buckets.entry(operation).or_insert((most, now));
        let passed = now.duration_since(*since).as_secs_f64().max(0.0);
        *left = (*left + passed * rate).min(most);
        *since = now;
        if *left >= 1.0 {
            *left -= 1.0;
            return Ok(());
        }
        let seconds = ((1.0 - *left) / rate).ceil().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1; a rate so small that it overflows saturates"
        )]
        Err(seconds as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn refills_evenly_per_operation() {
        let limits = Limits::new(Some(2.0));
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!([limits.take("a", start), limits.take("a", start), limits.take("a", start)], [Ok(()), Ok(()), Err(1)]);
        assert_eq!(limits.take("b", start), Ok(()), "another operation has its own bucket");
        let later = start + SignedDuration::from_millis(500);
        assert_eq!([limits.take("a", later), limits.take("a", later)], [Ok(()), Err(1)]);
    }

    #[test]
    fn none_is_no_limit() {
        let limits = Limits::new(None);
        assert!((0..1000).all(|_| limits.take("a", Timestamp::UNIX_EPOCH).is_ok()));
    }

    #[test]
    fn a_slow_rate_says_how_long() {
        let limits = Limits::new(Some(0.25));
        assert_eq!(limits.take("a", Timestamp::UNIX_EPOCH), Ok(()));
        assert_eq!(limits.take("a", Timestamp::UNIX_EPOCH), Err(4));
    }
}
