//! `brickform auth check`: who we are in the workspace, which of its interfaces answer, and which rights are missing for what
//! the project manages. Sends reads only.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::auth_rights::{Caller, Need, Verdict, needs, short};
use super::session::Session;
use super::{Exit, Failure, Format, Run, connect, runtime};
use crate::client::auth::Description;
use crate::model::Address;
use crate::project::Workspace;
use crate::refresh::{self, Live, Snapshot};
use crate::report::style::{Label, Paint, columns, pad};
use crate::report::text::plural;

/// The format of the JSON; changes only when a reader of the old one would be misled.
const FORMAT: &str = "brickform.auth-check/1";

/// One line of the table.
struct Line {
    /// `identity`, `read`, `right`.
    about: &'static str,
    /// What is needed.
    needs: String,
    verdict: Verdict,
    /// Which addresses need it.
    addresses: Vec<String>,
    /// What to do where it is missing.
    then: Option<String>,
}

/// Checks the credentials against what the project manages.
pub fn run(run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let description = match &session.project.environment.workspace {
        Workspace::Local => None,
        Workspace::Remote(_) => Some(connect::resolved(run, &session.project).map_err(|failure| refused(run, failure))?.description),
    };
    runtime()?.block_on(async {
        let connection = connect::connect(run, &session.project).await.map_err(|failure| refused(run, failure))?;
        let document = session.state()?;
        let online = session.answered(run, connection, &document).await?;
        let client = &online.connection.client;
        let ask = refresh::Ask {
            desired: &online.desired,
            state: &document,
            registry: &session.registry,
            only: None,
            recent: false,
            destroy: false,
        };
        let snapshot = refresh::read(client, &ask).await;
        let me = &online.connection.me;
        let caller = Caller::ask(client, me).await;
        let mut lines = vec![identity(&session, description.as_ref(), &caller, me)];
        lines.extend(reads(&session, &online.desired, &document, &snapshot));
        for (need, addresses) in needs(&online.desired, &document, &session.registry, &snapshot) {
            let verdict = need.check(client, &session.registry, &caller).await;
            lines.push(right(&need, verdict, &addresses, &me.name));
        }
        let exit = if lines.iter().any(|line| matches!(line.verdict, Verdict::Lacks(_))) { Exit::Failed } else { Exit::Done };
        run.screen.result(&match run.screen.format {
            Format::Json => as_json(session.environment(), description.as_ref(), &me.name, &caller, &lines),
            Format::Text => text(&lines, session.environment(), Paint { colour: run.screen.out_colour }),
        });
        Ok(exit)
    })
}

/// Nobody is let in: told as JSON too, where that is asked for.
fn refused(run: &Run<'_>, failure: Failure) -> Failure {
    if run.screen.format == Format::Json && failure.exit() == Exit::Credentials {
        let all = json!({ "format": FORMAT, "authenticated": false, "error": failure.to_string(), "help": failure.help(), "checks": [] });
        run.screen.result(&format!("{all:#}\n"));
    }
    failure
}

fn identity(session: &Session, description: Option<&Description>, caller: &Caller, me: &crate::client::Me) -> Line {
    let by = description.map_or_else(|| "the embedded workspace".to_owned(), |d| format!("{} by {}", d.host, d.auth_type));
    let groups: Vec<&str> = me.groups.iter().map(|group| group.name.as_str()).collect();
    let groups = if groups.is_empty() { "in no group".to_owned() } else { format!("in {}", groups.join(", ")) };
    let admin = if caller.is_admin() { ", a workspace admin" } else { "" };
    let found = format!("{} ({groups}{admin})", me.name);
    Line { about: "identity", needs: by, verdict: Verdict::Has(found), addresses: vec![session.environment().to_owned()], then: None }
}

/// How the objects of a kind could be read.
#[derive(Default)]
struct Reads {
    count: usize,
    /// Which could not be, why, and whether that is about rights.
    failed: Vec<(Address, String, bool)>,
}

/// For each kind whether its objects can be read: what a plan needs.
fn reads(session: &Session, desired: &crate::project::Desired, document: &crate::state::Document, snapshot: &Snapshot) -> Vec<Line> {
    let mut kinds: BTreeMap<&str, Reads> = BTreeMap::new();
    for (address, live) in &snapshot.objects {
        let of_desired = desired.resources.get(address).map(|resource| resource.kind.name);
        let of_state = || session.registry.get(&document.resources.get(address)?.kind).map(|kind| kind.name);
        let Some(kind) = of_desired.or_else(of_state) else { continue };
        let Reads { count, failed } = kinds.entry(kind).or_default();
        *count += 1;
        if let Live::Failed(error) = live {
            failed.push((address.clone(), short(error), matches!(error.status, Some(401 | 403))));
        }
    }
    let line = |(kind, Reads { count, failed }): (&str, Reads)| {
        let verdict = match failed.first() {
            None => Verdict::Has(format!("{} looked for", plural(count as u64, "object", "objects"))),
            Some((_, why, true)) => Verdict::Lacks(format!("{} of {count}: {why}", failed.len())),
            Some((_, why, false)) => Verdict::Unknown(format!("{} of {count}: {why}", failed.len())),
        };
        let then = (!failed.is_empty()).then(|| "a plan stops here: let the caller read them".to_owned());
        let addresses = failed.iter().map(|(address, ..)| address.to_string()).collect();
        Line { about: "read", needs: format!("read {kind}"), verdict, addresses, then }
    };
    kinds.into_iter().map(line).collect()
}

fn right(need: &Need, verdict: Verdict, addresses: &[Address], caller: &str) -> Line {
    let then = matches!(verdict, Verdict::Lacks(_)).then(|| need.remedy(caller));
    Line { about: "right", needs: need.told(), verdict, addresses: addresses.iter().map(ToString::to_string).collect(), then }
}

fn words(verdict: &Verdict) -> (&'static str, Label, &str) {
    match verdict {
        Verdict::Has(found) => ("ok", Label::Good, found),
        Verdict::Lacks(found) => ("lacks", Label::Bad, found),
        Verdict::Unknown(found) => ("unknown", Label::Change, found),
    }
}

fn text(lines: &[Line], environment: &str, paint: Paint) -> String {
    let wide = lines.iter().map(|line| columns(&line.needs)).max().unwrap_or(0).min(60);
    let mut out = String::new();
    for line in lines {
        let (word, label, found) = words(&line.verdict);
        let who = match (line.about, line.addresses.as_slice()) {
            ("right", [one]) => format!("  for {one}"),
            ("right", [first, rest @ ..]) => format!("  for {first} and {} more", rest.len()),
            _ => String::new(),
        };
        let _ = writeln!(out, "  {}  {}  {found}{who}", paint.label(label, &pad(word, 7)), pad(&line.needs, wide));
        if let Some(then) = &line.then {
            let _ = writeln!(out, "           {then}");
        }
    }
    let count = |is: fn(&Verdict) -> bool| lines.iter().filter(|line| is(&line.verdict)).count() as u64;
    let (lacks, unknown) = (count(|v| matches!(v, Verdict::Lacks(_))), count(|v| matches!(v, Verdict::Unknown(_))));
    let reads = lines.iter().any(|line| line.about == "read" && line.then.is_some());
    out.push_str(&match (lacks, unknown, reads) {
        (0, 0, _) => format!("{environment}: nothing that a plan or an apply needs is missing, as far as the workspace tells.\n"),
        (0, n, _) => format!("{environment}: nothing is known to be missing; {} could not be told.\n", plural(n, "thing", "things")),
        (n, _, true) => format!("{environment}: {} missing: a plan stops.\n", plural(n, "right is", "rights are")),
        (n, _, false) => format!("{environment}: {} missing for an apply; a plan can be made.\n", plural(n, "right is", "rights are")),
    });
    out
}

fn as_json(environment: &str, description: Option<&Description>, who: &str, caller: &Caller, lines: &[Line]) -> String {
    let line = |line: &Line| {
        let (word, _, found) = words(&line.verdict);
        json!({
            "about": line.about, "needs": line.needs, "verdict": word, "found": found,
            "addresses": line.addresses, "then": line.then,
        })
    };
    let all = json!({
        "format": FORMAT,
        "environment": environment,
        "authenticated": true,
        "host": description.map(|d| &d.host),
        "auth_type": description.map(|d| &d.auth_type),
        "caller": who,
        "admin": caller.is_admin(),
        "lacks": lines.iter().filter(|line| matches!(line.verdict, Verdict::Lacks(_))).count(),
        "unknown": lines.iter().filter(|line| matches!(line.verdict, Verdict::Unknown(_))).count(),
        "checks": lines.iter().map(line).collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}
