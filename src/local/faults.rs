//! Failures on purpose.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultWhen {
    /// Before the effect.
    Before,
    /// After the effect: it happened, the caller does not know.
    After,
}

/// One failure on purpose. As text: `WHEN:METHOD:PATH:EFFECT[:skip=N][:times=N]`, for example
/// `before:POST:/api/2.2/jobs/create:500:skip=1:times=2` or `after:*:/api/2.1/unity-catalog/*:cut`.
///
/// WHEN is `before` or `after` (the effect). METHOD may be `*`. In PATH `*` stands for any run of characters; it may hold
/// colons. EFFECT is an HTTP status to answer with, `cut` (the connection is cut) or `kill` (the caller's process is
/// ended). `skip` (0) lets so many matching requests pass first, then it strikes `times` (1) times; `times=0` is for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Before or after the effect.
    pub when: FaultWhen,
    /// Method, or `*`.
    pub method: String,
    /// A path, with `*` for any run of characters.
    pub path: String,
    /// Skip so many matching requests first.
    pub skip: u64,
    /// Then strike so many times; 0: always.
    pub times: u64,
    /// The status answered; none: the connection is cut.
    pub status: Option<u16>,
    /// End the caller's process instead (`--kill-client`): in process, [`crate::client::TransportError`] with the message
    /// `simulated crash`, for this and every later request.
    pub kill: bool,
}

/// All of them.
pub type Faults = Vec<Fault>;

/// A fault's text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no fault: {why}; write WHEN:METHOD:PATH:EFFECT[:skip=N][:times=N], as in before:POST:/api/2.2/jobs/create:500:times=2"
)]
pub struct FaultError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let fail = |why: String| FaultError { text: text.to_owned(), why };
        let mut parts: Vec<&str> = text.split(':').collect();
        let (mut skip, mut times) = (0, 1);
        while let Some((name, value)) = parts.last().and_then(|p| p.split_once('=')) {
            let number = value.parse().map_err(|_| fail(format!("`{value}` is no number")))?;
            match name {
                "skip" => skip = number,
                "times" => times = number,
                _ => return Err(fail(format!("`{name}` is neither skip nor times"))),
            }
            parts.pop();
        }
        let [when, method, path @ .., effect] = parts.as_slice() else { return Err(fail("it is too short".to_owned())) };
        let when = match *when {
            "before" => FaultWhen::Before,
            "after" => FaultWhen::After,
            other => return Err(fail(format!("`{other}` is neither before nor after"))),
        };
        let path = path.join(":");
        if !path.starts_with(['/', '*']) {
            return Err(fail(format!("the path `{path}` begins neither with / nor with *")));
        }
        let (status, kill) = match *effect {
            "cut" => (None, false),
            "kill" => (None, true),
            number => match number.parse::<u16>() {
                Ok(status @ 400..=599) => (Some(status), false),
                _ => return Err(fail(format!("`{number}` is neither a status from 400 to 599 nor cut nor kill"))),
            },
        };
        Ok(Self { when, method: method.to_uppercase(), path, skip, times, status, kill })
    }
}

/// What a fault does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Answer with this status.
    Status(u16),
    /// Cut the connection.
    Cut,
    /// End the caller.
    Kill,
}

/// Faults with how often each was met.
#[derive(Debug, Default)]
pub struct Armed(Vec<(Fault, AtomicU64)>);

impl Armed {
    /// Arms them.
    pub fn new(faults: Faults) -> Self {
        Self(faults.into_iter().map(|f| (f, AtomicU64::new(0))).collect())
    }

    /// What strikes a request now. Each fault counts the requests it matches, whichever strikes first.
    pub fn strike(&self, when: FaultWhen, method: &str, path: &str) -> Option<Effect> {
        let mut found = None;
        for (fault, met) in &self.0 {
            if fault.when != when || !(fault.method == "*" || fault.method == method) || !wild(&fault.path, path) {
                continue;
            }
            let nth = met.fetch_add(1, Ordering::Relaxed);
            if nth >= fault.skip && (fault.times == 0 || nth < fault.skip.saturating_add(fault.times)) && found.is_none() {
                found = Some(match (fault.kill, fault.status) {
                    (true, _) => Effect::Kill,
                    (false, Some(status)) => Effect::Status(status),
                    (false, None) => Effect::Cut,
                });
            }
        }
        found
    }
}

/// Whether a text fits a pattern with `*`.
fn wild(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let pieces: Vec<&str> = rest.split('*').collect();
    let (last, middle) = pieces.split_last().expect("split gives at least one piece");
    for piece in middle {
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{Armed, Effect, Fault, FaultWhen, wild};

    #[test]
    fn reads_faults() {
        let fault: Fault = "before:post:/api/2.2/jobs/create:500:skip=1:times=2".parse().unwrap();
        assert_eq!(
            fault,
            Fault {
                when: FaultWhen::Before,
                method: "POST".into(),
                path: "/api/2.2/jobs/create".into(),
                skip: 1,
                times: 2,
                status: Some(500),
                kill: false
            }
        );
        let fault: Fault = "after:*:/api/2.1/unity-catalog/metastores:undropById:cut".parse().unwrap();
        assert_eq!((fault.path.as_str(), fault.status, fault.times), ("/api/2.1/unity-catalog/metastores:undropById", None, 1));
        assert!("after:*:*:kill".parse::<Fault>().unwrap().kill);
    }

    #[test]
    fn refuses_the_rest() {
        for (text, why) in [
            ("", "too short"),
            ("before:POST", "too short"),
            ("now:POST:/x:500", "neither before nor after"),
            ("before:POST:x:500", "begins neither"),
            ("before:POST:/x:200", "neither a status"),
            ("before:POST:/x:boom", "neither a status"),
            ("before:POST:/x:500:skip=a", "no number"),
            ("before:POST:/x:500:often=2", "neither skip nor times"),
        ] {
            let error = text.parse::<Fault>().expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn strikes_as_told() {
        let armed = Armed::new(vec!["before:POST:/a/*:500:skip=1:times=2".parse().unwrap()]);
        let seen: Vec<_> = (0..4).map(|_| armed.strike(FaultWhen::Before, "POST", "/a/b")).collect();
        assert_eq!(seen, [None, Some(Effect::Status(500)), Some(Effect::Status(500)), None]);
        assert_eq!(armed.strike(FaultWhen::After, "POST", "/a/b"), None);
        assert_eq!(armed.strike(FaultWhen::Before, "GET", "/a/b"), None);
    }

    #[test]
    fn wildcards() {
        for (pattern, text, fits) in [
            ("*", "/x", true),
            ("/x", "/x", true),
            ("/x", "/xy", false),
            ("/x*", "/xy", true),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a/c", false),
            ("*b*d", "/a/b/c/d", true),
            ("*b*e", "/a/b/c/d", false),
        ] {
            assert_eq!(wild(pattern, text), fits, "{pattern} {text}");
        }
    }
}
