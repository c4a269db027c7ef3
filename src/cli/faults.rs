//! `--fault` and `--kill-client` as they are typed.

use super::Failure;
use crate::local::{Fault, FaultWhen};

const SHAPE: &str = "write `before|after:METHOD:PATH[:skip=N][:times=N][:status=S]`, as in `after:POST:/api/2.2/jobs/create:times=2`";
const KILL_SHAPE: &str = "write `METHOD:PATH[:skip=N]`, as in `POST:/api/2.2/jobs/create:skip=1`";

/// `before|after:METHOD:PATH[:skip=N][:times=N][:status=S]`.
pub fn fault(text: &str) -> Result<Fault, Failure> {
    let wrong = |why: &str| Failure::usage(format!("`--fault {text}`: {why}"), &[SHAPE]);
    let (when, rest) = text.split_once(':').ok_or_else(|| wrong("it has no method"))?;
    let when = match when {
        "before" => FaultWhen::Before,
        "after" => FaultWhen::After,
        _ => return Err(wrong("it begins neither with `before` nor with `after`")),
    };
    parse(rest, when).map_err(|why| wrong(&why))
}

/// `METHOD:PATH[:skip=N]`.
pub fn kill(text: &str) -> Result<Fault, Failure> {
    let wrong = |why: &str| Failure::usage(format!("`--kill-client {text}`: {why}"), &[KILL_SHAPE]);
    let fault = parse(text, FaultWhen::After).map_err(|why| wrong(&why))?;
    if fault.status.is_some() {
        return Err(wrong("a killed client gets no status"));
    }
    Ok(Fault { kill: true, ..fault })
}

fn parse(text: &str, when: FaultWhen) -> Result<Fault, String> {
    let mut parts = text.split(':');
    let method = parts.next().unwrap_or_default().to_uppercase();
    if method.is_empty() || !(method == "*" || method.bytes().all(|b| b.is_ascii_uppercase())) {
        return Err(format!("`{method}` is not a method"));
    }
    let path = parts.next().unwrap_or_default();
    if !path.starts_with('/') && !path.starts_with('*') {
        return Err(format!("`{path}` is not a path"));
    }
    let mut fault = Fault { when, method, path: path.to_owned(), skip: 0, times: 1, status: None, kill: false };
    for part in parts {
        let Some((name, value)) = part.split_once('=') else {
            return Err(format!("`{part}` is not NAME=NUMBER"));
        };
        let number: u64 = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
        match name {
            "skip" => fault.skip = number,
            "times" => fault.times = number,
            "status" => fault.status = Some(u16::try_from(number).ok().filter(|s| (400..600).contains(s)).ok_or("a status is 400 to 599")?),
            _ => return Err(format!("`{name}` is neither skip, times nor status")),
        }
    }
    Ok(fault)
}

#[cfg(test)]
mod tests {
    use super::{fault, kill};
    use crate::local::{Fault, FaultWhen};

    #[test]
    fn reads_what_is_typed() {
        assert_eq!(
            fault("after:post:/api/2.2/jobs/create:skip=3:times=2:status=503").unwrap(),
            Fault {
                when: FaultWhen::After,
                method: "POST".to_owned(),
                path: "/api/2.2/jobs/create".to_owned(),
                skip: 3,
                times: 2,
                status: Some(503),
                kill: false
            }
        );
        let cut = fault("before:*:/api/*").unwrap();
        assert_eq!((cut.when, cut.times, cut.status), (FaultWhen::Before, 1, None));
        let killed = kill("POST:/api/2.2/jobs/create:skip=1").unwrap();
        assert!(killed.kill && killed.skip == 1);
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "later:POST:/x", "after:POST", "after:POST:x", "after::/x", "after:POST:/x:skip=a", "after:POST:/x:status=200"] {
            assert!(fault(text).is_err(), "{text}");
        }
        for text in ["", "POST", "POST:/x:status=500"] {
            assert!(kill(text).is_err(), "{text}");
        }
    }
}
