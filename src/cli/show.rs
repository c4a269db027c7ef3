//! `brickform show [ADDRESS]`: what the state holds of an object, or a table of everything; `--live` reads it too.
//! `brickform show FILE` shows a plan in a file.

use clap::Args;

use super::planning::{Showing, address};
use super::session::{Session, given};
use super::{Exit, Failure, Format, Run, applied, connect, naming, show_plan};
use crate::model::{Address, Value};
use crate::refresh;
use crate::report::answers::common;
use crate::report::shown::{self, Live, Shown};
use crate::report::value::is_recorded_secret;
use crate::state::{Document, Entry};

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform show\n  brickform show jobs.nightly --live\n  brickform show plan.json --requests")]
pub struct Arguments {
    /// One object and its parts, or a file that `plan --out` wrote; without it, a table of everything that was applied
    #[arg(value_name = "ADDRESS|FILE")]
    what: Option<String>,
    /// Read the object from the workspace too
    #[arg(long, env = "BRICKFORM_LIVE", value_parser = clap::builder::BoolishValueParser::new())]
    live: bool,
    #[command(flatten)]
    pub(super) showing: Showing,
}

/// Shows what was applied.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    if let Some(file) = arguments.what.as_deref().filter(|what| show_plan::is_file(run, what)) {
        return show_plan::show(run, file, &arguments.showing);
    }
    let session = Session::open(run)?;
    session.project.learn_secrets();
    let document = session.document()?.ok_or_else(|| Failure::Machine {
        message: format!("{} has no state yet ({})", session.environment(), session.state_place),
        help: vec![format!("the first `brickform apply {}` makes one", common(session.environment(), given(run.options)))],
    })?;
    let host = applied::link_host(&document);
    let Some(what) = &arguments.what else {
        if arguments.live {
            return Err(Failure::usage(
                "`--live` needs an address",
                &["`brickform show jobs.nightly --live`", "`brickform drift` reads everything"],
            ));
        }
        let rows: Vec<Shown<'_>> = document.resources.iter().map(|(a, e)| shown_of(&session, &document, &host, a, e)).collect();
        run.screen.result(&match run.screen.format {
            Format::Json => shown::table_json(session.environment(), document.serial, &rows),
            Format::Text if rows.is_empty() => {
                format!(
                    "{}: nothing is managed: the state is empty (serial {}, {}).\n",
                    session.environment(),
                    document.serial,
                    session.state_place
                )
            }
            Format::Text => shown::table(&rows),
        });
        return Ok(Exit::Done);
    };
    let address = address(what, &session.registry)?;
    let Some(entry) = document.resources.get(&address) else {
        let place = format!("the state of {}", session.environment());
        return Err(naming::unknown(&address, &place, document.resources.keys()));
    };
    let live = if arguments.live { Some(read(&session, run, &address, entry)?) } else { None };
    let history = session.store.history()?;
    let subject = super::history::subject(run, &session, history.first());
    let one = Shown { live, last: history.first(), subject, ..shown_of(&session, &document, &host, &address, entry) };
    run.screen.result(&match run.screen.format {
        Format::Json => format!("{:#}\n", shown::json(&one)),
        Format::Text => shown::text(&one, run.screen.width),
    });
    Ok(Exit::Done)
}

fn shown_of<'a>(session: &Session, document: &'a Document, host: &str, address: &'a Address, entry: &'a Entry) -> Shown<'a> {
    let kind = session.registry.get(&entry.kind);
    let own = |a: &&Address| a.is_facet() && !address.is_facet() && a.parent() == *address;
    Shown {
        address,
        entry,
        link: kind.and_then(|k| applied::link(host, k, entry)),
        name: kind.and_then(|k| applied::name(k, entry)),
        parts: document.resources.keys().filter(own).map(|a| (a, &document.resources[a])).collect(),
        needed_by: document.resources.iter().filter(|(a, e)| e.dependencies.contains(address) && !own(a)).map(|(a, _)| a).collect(),
        live: None,
        last: None,
        subject: None,
    }
}

/// Reads one object from the workspace.
fn read(session: &Session, run: &Run<'_>, address: &Address, entry: &Entry) -> Result<Live, Failure> {
    let Some(kind) = session.registry.get(&entry.kind) else {
        return Err(Failure::machine(format!("{address} is of kind `{}`, which this Brickform does not know", entry.kind)));
    };
    let body: Option<Value> = super::runtime()?.block_on(async {
        let connection = connect::connect(run, &session.project).await?;
        refresh::object(&connection.client, kind, &entry.id, &entry.applied)
            .await
            .map_err(|error| Failure::api(format!("{address} cannot be read"), error))
    })?;
    Ok(body.map_or(Live::Gone, |live| Live::Found(covered(live, &entry.applied))))
}

/// What is live, with the recorded form of a secret wherever a secret was sent: the workspace gives back what stood in a
/// field that it does not take for one. An item of a list is covered by all items, whatever their order is by now.
fn covered(live: Value, applied: &Value) -> Value {
    match (live, applied) {
        (_, Value::Map(recorded)) if is_recorded_secret(recorded) => applied.clone(),
        (Value::Map(live), Value::Map(sent)) => {
            let cover = |(key, value): (String, Value)| {
                let value = match sent.get(&key) {
                    Some(sent) => covered(value, sent),
                    None => value,
                };
                (key, value)
            };
            Value::Map(live.into_iter().map(cover).collect())
        }
        (Value::List(live), Value::List(sent)) => Value::List(live.into_iter().map(|item| sent.iter().fold(item, covered)).collect()),
        (live, _) => live,
    }
}

#[cfg(test)]
mod tests {
    use super::covered;
    use crate::model::json;

    #[test]
    fn what_was_sent_as_a_secret_is_not_shown_when_the_workspace_gives_it_back() {
        let secret = r#"{"$secret":"x"}"#;
        for (live, applied, want) in [
            (r#"{"a":"P","b":"q"}"#, r#"{"a":S,"b":"q"}"#, r#"{"a":S,"b":"q"}"#),
            (
                r#"{"l":[{"k":"2","v":"P"},{"k":"1","v":"q"}]}"#,
                r#"{"l":[{"k":"1","v":"q"},{"k":"2","v":S}]}"#,
                r#"{"l":[{"k":"2","v":S},{"k":"1","v":S}]}"#,
            ),
            (r#"["P"]"#, "[S]", "[S]"),
            (r#"{"a":"P"}"#, r#"{"b":S}"#, r#"{"a":"P"}"#),
        ] {
            let read = |text: &str| json::parse(text.replace('S', secret).as_bytes()).unwrap();
            assert_eq!(covered(read(live), &read(applied)), read(want), "{live}");
        }
    }
}
