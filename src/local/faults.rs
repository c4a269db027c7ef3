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

/// One failure on purpose. As text: `WHEN:METHOD:PATH[:skip=N][:times=N][:status=S]`, for example
/// `before:POST:/api/2.2/jobs/create:skip=1:times=2:status=500`.
///
/// WHEN is `before` or `after` (the effect). METHOD may be `*`. In PATH `*` stands for any run of characters; it may hold
/// colons. `skip` (0) lets so many matching requests pass first, then it strikes `times` (1) times; `times=0` is for ever.
/// `status` is answered; without it the connection is cut.
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
    "`{text}` is no fault: {why}; write before|after:METHOD:PATH[:skip=N][:times=N][:status=S], as in after:POST:/api/2.2/jobs/create:times=2"
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
        let fail = |why: &str| FaultError { text: text.to_owned(), why: why.to_owned() };
        let (when, rest) = text.split_once(':').ok_or_else(|| fail("it is too short"))?;
        let when = match when {
            "before" => FaultWhen::Before,
            "after" => FaultWhen::After,
            _ => return Err(fail("it begins neither with `before` nor with `after`")),
        };
        Self::striking(when, rest).map_err(|why| fail(&why))
    }
}

impl Fault {
    /// The end of the caller's process, as text: `METHOD:PATH[:skip=N]`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn killing(text: &str) -> Result<Self, String> {
        let fault = Self::striking(FaultWhen::After, text)?;
        if fault.status.is_some() {
            return Err("a killed client gets no status".to_owned());
        }
        Ok(Self { kill: true, ..fault })
    }

    /// `METHOD:PATH[:skip=N][:times=N][:status=S]`.
    fn striking(when: FaultWhen, text: &str) -> Result<Self, String> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let (mut skip, mut times, mut status) = (0, 1, None);
        while let Some((name, value)) = parts.last().and_then(|p| p.split_once('=')) {
            let number: u64 = value.parse().map_err(|_| format!("`{value}` is no number"))?;
            match name {
                "skip" => skip = number,
                "times" => times = number,
                "status" => {
                    let known = u16::try_from(number).ok().filter(|s| (400..600).contains(s));
                    status = Some(known.ok_or("a status is 400 to 599")?);
                }
                _ => return Err(format!("`{name}` is neither skip, times nor status")),
            }
            parts.pop();
        }
        if let [_, _, .., last] = parts.as_slice()
            && last.bytes().all(|b| b.is_ascii_digit())
        {
            return Err(format!("`{last}` stands alone: write `status={last}`"));
        }
        let [method, path @ ..] = parts.as_slice() else { return Err("it is too short".to_owned()) };
        if method.is_empty() || !(*method == "*" || method.bytes().all(|b| b.is_ascii_alphabetic())) {
            return Err(format!("`{method}` is no method"));
        }
        let path = path.join(":");
        if !path.starts_with(['/', '*']) {
            return Err(format!("the path `{path}` begins neither with / nor with *"));
        }
        Ok(Self { when, method: method.to_uppercase(), path, skip, times, status, kill: false })
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
        let fault: Fault = "before:post:/api/2.2/jobs/create:skip=1:times=2:status=500".parse().unwrap();
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
        let fault: Fault = "after:*:/api/2.1/unity-catalog/metastores:undropById".parse().unwrap();
        assert_eq!((fault.path.as_str(), fault.status, fault.times), ("/api/2.1/unity-catalog/metastores:undropById", None, 1));
        let killed = Fault::killing("POST:/api/2.2/jobs/create:skip=1").unwrap();
        assert!(killed.kill && killed.skip == 1);
        for text in ["", "POST", "POST:/x:status=500"] {
            assert!(Fault::killing(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for (text, why) in [
            ("", "too short"),
            ("now:POST:/x", "neither with `before` nor"),
            ("before:POST", "begins neither"),
            ("before:POST:x", "begins neither"),
            ("before::/x", "no method"),
            ("before:POST:/x:status=200", "400 to 599"),
            ("before:POST:/x:skip=a", "no number"),
            ("before:POST:/x:often=2", "neither skip"),
            ("before:POST:/x:500", "write `status=500`"),
        ] {
            let error = text.parse::<Fault>().expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn strikes_as_told() {
        let armed = Armed::new(vec!["before:POST:/a/*:skip=1:times=2:status=500".parse().unwrap()]);
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
