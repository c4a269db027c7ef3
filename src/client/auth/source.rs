//! A token and its life: kept, fetched anew before it ends or when it was not taken, by one caller for all.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::way::{Way, World};
use crate::client::ApiError;

/// How long a failure stands, so that a thousand requests do not ask a thousand times.
const FAILED: Duration = Duration::from_secs(5);

/// A way to tokens, with the last one.
pub struct Source {
    way: Way,
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    last: Option<Kept>,
    failed: Option<(Instant, Trouble)>,
}

struct Kept {
    token: Zeroizing<String>,
    /// From here on another is asked for.
    renew: Instant,
    /// From here on it is worth nothing.
    expires: Instant,
}

/// A token as it was given.
pub struct Token {
    /// Its text.
    pub text: Zeroizing<String>,
    /// How long it holds from the moment of asking.
    pub life: Duration,
}

impl Token {
    pub fn new(text: String, seconds: u64) -> Self {
        // A life is bounded, so that the clock's arithmetic is too.
        Self { text: Zeroizing::new(text), life: Duration::from_secs(seconds.min(10 * 365 * 86_400)) }
    }
}

/// Why there is no token. Never holds one.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// What happened.
    pub why: String,
    /// What to do next.
    pub help: Vec<String>,
    /// What the workspace said, where it was it that was asked.
    pub cause: Option<Box<ApiError>>,
}

impl Trouble {
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }

    pub fn with(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl Source {
    pub fn new(way: Way) -> Self {
        Self { way, cached: Mutex::default() }
    }

    /// A token that is good for a while. Whoever comes first fetches it while the others wait.
    pub async fn token(&self, world: &World<'_>) -> Result<Zeroizing<String>, Trouble> {
        let mut cached = self.cached.lock().await;
        let asked = Instant::now();
        if let Some(known) = cached.last.as_ref().filter(|known| asked < known.renew) {
            return Ok(known.token.clone());
        }
        if let Some((_, trouble)) = cached.failed.as_ref().filter(|(until, _)| asked < *until) {
            return Err(trouble.clone());
        }
        let fetched = self.way.fetch(world).await;
        let now = Instant::now();
        match fetched {
            Ok(fresh) => {
                let expires = asked + fresh.life;
                let same = cached.last.as_ref().is_some_and(|known| *known.token == *fresh.text);
                // A fifth of its life before its end, a minute at most. A program that keeps its tokens gives the same
                // until that one is over: then it is asked now and then only.
                let renew = if same {
                    pause(now, expires)
                } else {
                    expires.checked_sub((fresh.life / 5).min(Duration::from_secs(60))).unwrap_or(asked)
                };
                cached.failed = None;
                Ok(cached.last.insert(Kept { token: fresh.text, renew, expires }).token.clone())
            }
            Err(trouble) => {
                if let Some(known) = cached.last.as_mut().filter(|known| now < known.expires) {
                    known.renew = pause(now, known.expires);
                    return Ok(known.token.clone());
                }
                cached.failed = Some((now + FAILED, trouble.clone()));
                Err(trouble)
            }
        }
    }

    /// Drops this token, if it is still the kept one. Whether another may be had.
    pub async fn forget(&self, token: &str) -> bool {
        if self.way.is_fixed() {
            return false;
        }
        let mut cached = self.cached.lock().await;
        if cached.last.as_ref().is_some_and(|known| known.token.as_str() == token) {
            cached.last = None;
        }
        true
    }
}

/// When to ask again while the kept token holds: after half of what is left, ten seconds at most.
fn pause(now: Instant, expires: Instant) -> Instant {
    now + (expires.saturating_duration_since(now) / 2).min(Duration::from_secs(10))
}
