//! The laws, over every registered kind, with every rival habit. What is expected stands in `tests/laws/KIND.yaml`, in the
//! recorded requests and in the workspace itself; never in a kind's own declaration.

use std::collections::{BTreeMap, BTreeSet};

use brickform::catalogue;
use brickform::kinds::{Call, Loss, Registry, from_base64};
use brickform::model::{Map, Value, json};
use brickform::plan::{Options, Plan};

use super::laws_cases::{Case, OTHER_APIS, Transition, Wire, of};
use super::lint;
use super::world::{PLANTED, Ran, Sent, Trouble, World};

/// The one kind that is asked for.
#[expect(clippy::disallowed_methods, reason = "the test's own settings come from its environment")]
fn asked() -> Option<std::ffi::OsString> {
    std::env::var_os("LAWS_KIND")
}

fn cases() -> Vec<Case> {
    let missing: Vec<&str> = Registry::standard().iter().map(|k| k.name).filter(|k| of(k).is_none()).collect();
    assert!(missing.is_empty(), "tests/laws lacks the data of {missing:?}");
    let Some(only) = asked() else {
        return Registry::standard().iter().map(|k| k.name).chain(OTHER_APIS.iter().copied()).filter_map(of).collect();
    };
    let case = only.to_str().and_then(of);
    vec![case.unwrap_or_else(|| panic!("LAWS_KIND is {}, and tests/laws has no file of that name", only.display()))]
}

/// Whether all kinds are run, not only the one that `LAWS_KIND` names: what must hold of some kind need not hold of that one.
fn all_kinds() -> bool {
    asked().is_none()
}

/// Runs a check over every case, each in a thread of its own, and tells of all that failed.
pub fn each<Fut: Future<Output = ()>>(check: impl Fn(Case) -> Fut + Sync) {
    let alone = |case: Case| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(check(case));
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = cases().into_iter().map(|case| (case.kind.clone(), scope.spawn(|| alone(case)))).collect();
        running.into_iter().filter_map(|(kind, thread)| thread.join().is_err().then_some(kind)).collect()
    });
    assert!(failed.is_empty(), "broken by {failed:?}, see above");
}

/// No rival, then each alone that a run through the case's documents asks for: no other can make a difference.
pub async fn habits(case: &Case) -> Vec<Vec<&'static str>> {
    let world = prepared(case, &[]).await;
    for transition in &case.transitions {
        write(&world, transition);
        world.run(&plain(case)).await;
        world.run(&plain(case)).await;
    }
    world.run(&destroying(case)).await;
    world.run(&destroying(case)).await;
    // An environment that names an API is of a workspace that has it.
    let has_it = |name: &&str| case.workspace.is_none() || !name.ends_with("-absent");
    std::iter::once(vec![]).chain(world.workspace.rivals_met().into_iter().filter(has_it).map(|name| vec![name])).collect()
}

pub async fn prepared(case: &Case, rivals: &[&str]) -> World {
    let world = World::new(rivals);
    if let Some(workspace) = &case.workspace {
        world.write("environments/test.yaml", &format!("workspace: {workspace}\nstate: {{ key: {{ env: LAWS_SECRET }} }}\n"));
    }
    for line in &case.before {
        world.by_hand(line).await;
    }
    world
}

pub fn write(world: &World, transition: &Transition) {
    world.write("conf/case.yaml", &transition.document);
}

/// Everything that holds data may go: what a case declares around its kind does, too.
pub fn destroying(case: &Case) -> Options {
    let registry = Registry::standard();
    let holds_data = registry.iter().filter(|kind| matches!(kind.loss, Loss::Data(_))).map(|kind| kind.name.to_owned());
    let allow_delete = holds_data.chain([case.kind.clone()]).collect();
    Options { destroy: true, allow_delete, ..Options::default() }
}

/// The same where YAML takes something away: what an interrupted apply made around the kind, too.
pub fn plain(case: &Case) -> Options {
    Options { destroy: false, ..destroying(case) }
}

pub fn done(ran: &Ran, what: &str) {
    assert!(ran.is_done(), "{what}\n{}", ran.told());
}

/// What the workspace holds, for comparing two worlds: without times, and with ids that the server picks as `ID`.
pub fn shape(world: &World) -> Vec<String> {
    shape_as(world, Value::clone)
}

/// The same with something more made alike.
pub fn shape_as(world: &World, alike: impl Fn(&Value) -> Value) -> Vec<String> {
    let dump = present(world);
    let picked =
        |id: &str| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && id.bytes().any(|b| b.is_ascii_digit());
    let ids: Vec<&str> = dump.keys().flat_map(|key| key.split('/')).filter(|part| picked(part)).collect();
    let tidy = |text: String| ids.iter().fold(text, |text, id| text.replace(id, "ID"));
    let mut all: Vec<String> = dump.iter().map(|(key, value)| tidy(format!("{key} {}", json::display(&alike(&timeless(value)))))).collect();
    all.sort();
    all
}

/// What is there: trashed objects are not, nor what hangs on them.
fn present(world: &World) -> BTreeMap<String, Value> {
    let dump = world.workspace.dump();
    let id = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
    let says = |v: &Value, field: &str, words: &[&str]| v.get(field).and_then(Value::as_str).is_some_and(|w| words.contains(&w));
    let is_trashed =
        |v: &Value| says(v, "lifecycle_state", &["DELETED", "TRASHED"]) || says(v, "state", &["DELETED"]) || v.get("trashed").is_some();
    let trashed: Vec<String> = dump.iter().filter(|(_, v)| is_trashed(v)).map(|(key, _)| id(key)).collect();
    // The access list of a space that is in the trash goes on answering.
    let spaces: BTreeSet<String> = dump.keys().filter(|key| key.starts_with("genie")).map(|key| id(key)).collect();
    let is_left = |key: &str| key.starts_with("permissions/genie/") && !spaces.contains(&id(key));
    dump.into_iter().filter(|(key, _)| !trashed.contains(&id(key)) && !is_left(key)).collect()
}

fn timeless(value: &Value) -> Value {
    let is_time = |key: &str| {
        key.starts_with('$')
            || ["_time", "_at", "_timestamp", "timestamp", "etag", "_ms"].iter().any(|end| key.ends_with(end))
            || ["brickform", "state", "config_version"].contains(&key)
    };
    match value {
        // A configuration that is being rolled out is the configuration; where it has got to is a matter of time.
        Value::Map(map) if map.contains_key("pending_config") => {
            let mut settled = map.clone();
            if let Some(pending) = settled.shift_remove("pending_config") {
                settled.insert("config".to_owned(), pending);
            }
            timeless(&Value::Map(settled))
        }
        // How far a cluster has started is a matter of time, too.
        Value::Map(map) if map.contains_key("spark_version") => {
            let running = ["cluster_cores", "cluster_memory_mb", "spark_context_id", "driver", "executors", "jdbc_port", "state_message"];
            let settled = map.iter().filter(|(k, _)| !is_time(k) && !running.contains(&k.as_str()));
            Value::Map(settled.map(|(k, v)| (k.clone(), timeless(v))).collect())
        }
        Value::Map(map) => Value::Map(map.iter().filter(|(k, _)| !is_time(k)).map(|(k, v)| (k.clone(), timeless(v))).collect()),
        Value::List(list) => Value::List(list.iter().map(timeless).collect()),
        other => other.clone(),
    }
}

/// Whether a value fits one with `"*"` for anything.
fn fits(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Text(any), _) if any == "*" => true,
        (Value::Map(a), Value::Map(b)) => a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|g| fits(v, g))),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(v, g)| fits(v, g)),
        _ => wanted == got,
    }
}

fn fits_line(wanted: &str, got: &Sent) -> bool {
    let mut parts = wanted.splitn(3, ' ');
    let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let body = parts.next().map(|b| json::parse(b.as_bytes()).unwrap_or_else(|e| panic!("{wanted}: {e}")));
    let line = got.line();
    let target = line.split(' ').nth(1).unwrap_or_default();
    let same_body = match (&body, &got.body) {
        (Some(wanted), Some(got)) => fits(wanted, got),
        (None, None) => true,
        _ => false,
    };
    method == got.request.method && glob(path, target) && same_body
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => {
            text.strip_prefix(before).is_some_and(|text| (0..=text.len()).any(|i| text.is_char_boundary(i) && glob(rest, &text[i..])))
        }
    }
}

/// Law 1, and what is sent on the way there (law 5, the linter).
#[test]
fn law_1_after_apply_the_plan_is_empty() {
    each(|case| async move {
        for rivals in habits(&case).await {
            let world = prepared(&case, &rivals).await;
            for (i, transition) in case.transitions.iter().enumerate() {
                let what = format!("{} transition {i} with {rivals:?}", case.kind);
                write(&world, transition);
                let ran = world.run(&plain(&case)).await;
                done(&ran, &what);
                assert!(ran.planning.iter().all(|s| !s.is_write()), "{what}: a plan wrote\n{}", ran.told());
                only_what_the_plan_lists(&ran, &what, Repeats::Never);
                if rivals.is_empty() {
                    as_the_reference_says(transition, &ran, &what);
                }
                let again = world.run(&plain(&case)).await;
                assert!(again.is_empty(), "{what}: the second plan is not empty\n{}", again.told());
            }
        }
    });
}

fn as_the_reference_says(transition: &Transition, ran: &Ran, what: &str) {
    let writes: Vec<&Sent> = ran.applying.iter().filter(|s| s.is_write()).collect();
    let fit = writes.len() == transition.requests.len() && transition.requests.iter().zip(&writes).all(|(w, g)| fits_line(w, g));
    assert!(fit, "{what}: expected\n{}\nbut sent\n{}", transition.requests.join("\n"), ran.writes().join("\n"));
    for sent in ran.planning.iter().chain(&ran.applying) {
        let findings = lint::lint(&sent.request);
        assert!(findings.is_empty(), "{what}: {}\n{findings:?}", sent.line());
    }
}

/// Whether a listed request may arrive more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// Nothing fails: each at most once.
    Never,
    /// What may be sent twice is tried again where nobody knows whether it took effect.
    Retried,
}

/// Law 5: every write is a request that a step lists.
pub fn only_what_the_plan_lists(ran: &Ran, what: &str, repeats: Repeats) {
    let mut listed: Vec<(&str, &Call)> = ran.plan.iter().flat_map(calls).collect();
    for sent in ran.applying.iter().filter(|s| s.is_write()) {
        let at = listed.iter().position(|(kind, call)| is_call(kind, call, sent));
        let at = at.unwrap_or_else(|| panic!("{what}: the plan does not list {}\n{}", sent.line(), ran.told()));
        if repeats == Repeats::Never {
            listed.remove(at);
        }
    }
}

/// Every call of a plan, with the kind of the object that it is for.
fn calls(plan: &Plan) -> impl Iterator<Item = (&str, &Call)> {
    plan.steps.iter().flat_map(|s| s.delete_calls.iter().chain(&s.calls).map(|call| (s.kind.as_str(), call)))
}

fn is_call(kind: &str, call: &Call, sent: &Sent) -> bool {
    // What is text on the wire only: as it is written when it is sent. What is not known yet is written later.
    let written = Registry::standard().get(kind).and_then(|kind| call.clone().encoded(kind).ok());
    let call = written.as_ref().unwrap_or(call);
    let operation = catalogue::operation(call.op).expect("operations of plans are known");
    let open = |v: &Value| v.has_unknown() || v.has_secret();
    let mut path = operation.path.clone();
    for (name, value) in &call.path {
        let written = |kept: &str| if open(value) { "*".to_owned() } else { percent_encoded(&value.key_text(), kept) };
        path = path.replace(&format!("{{{name}}}"), &written("-._~")).replace(&format!("{{{name}...}}"), &written("-._~/"));
    }
    // An etag that the server moved by itself is read again: nothing else of the request may differ.
    let etag = Registry::standard().get(kind).and_then(|kind| kind.etag);
    let body = match (&call.body, &sent.body) {
        (Some(Value::Map(listed)), Some(Value::Map(sent))) if etag.is_some_and(|etag| sent.contains_key(etag.member)) => {
            let rest =
                |map: &Map| map.iter().filter(|(k, _)| etag.is_none_or(|e| *k != e.member)).map(|(k, v)| (k.clone(), v.clone())).collect();
            let plain = |map: &Map| -> Map { rest(map) };
            listed.len() == sent.len() && fits_open(&Value::Map(plain(listed)), &Value::Map(plain(sent)))
        }
        (Some(listed), Some(sent)) => fits_open(listed, sent),
        (None, None) => true,
        (Some(listed), None) => listed.is_zero(),
        (None, Some(sent)) => sent.is_zero(),
    };
    operation.method == sent.request.method && glob(&path, &sent.request.path) && body
}

/// As it stands in a path: letters, digits and what is kept as they are, every other byte as `%XX`.
fn percent_encoded(text: &str, kept: &str) -> String {
    let byte =
        |b: u8| if b.is_ascii_alphanumeric() || kept.as_bytes().contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(byte).collect()
}

fn fits_open(listed: &Value, sent: &Value) -> bool {
    match (listed, sent) {
        (Value::Unknown(_) | Value::Secret(_), _) => true,
        (Value::Map(a), Value::Map(b)) => a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|g| fits_open(v, g))),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(v, g)| fits_open(v, g)),
        // What is structure in the plan may be JSON in a text on the wire.
        (Value::Map(_) | Value::List(_), Value::Text(text)) => json::parse(text.as_bytes()).is_ok_and(|sent| fits_open(listed, &sent)),
        // What is text in the plan may be base64 on the wire.
        (Value::Text(plain), Value::Text(text)) => plain == text || from_base64(text) == *listed,
        _ => listed.key_text() == sent.key_text(),
    }
}

#[test]
fn law_3_destroy_leaves_the_workspace_as_it_was() {
    each(|case| async move {
        for rivals in habits(&case).await {
            let what = format!("{} with {rivals:?}", case.kind);
            let world = prepared(&case, &rivals).await;
            let before = present(&world);
            for transition in &case.transitions {
                write(&world, transition);
                done(&world.run(&plain(&case)).await, &what);
                assert_ne!(present(&world), before, "{what}: nothing happened");
            }
            let ran = world.run(&destroying(&case)).await;
            done(&ran, &what);
            only_what_the_plan_lists(&ran, &what, Repeats::Never);
            same(&lines(&present(&world)), &lines(&before), || format!("{what}\n{}", ran.told()));
        }
    });
}

fn lines(dump: &BTreeMap<String, Value>) -> Vec<String> {
    dump.iter().map(|(key, value)| format!("{key} {}", json::display(&timeless(value)))).collect()
}

/// Compares two worlds and tells where they differ.
pub fn same(got: &[String], wanted: &[String], what: impl Fn() -> String) {
    // A line that is there twice instead of once is a difference, too.
    let times = |all: &[String], line: &String| all.iter().filter(|l| *l == line).count();
    let only = |a: &[String], b: &[String]| a.iter().filter(|l| times(a, l) > times(b, l)).cloned().collect::<Vec<_>>().join("\n");
    assert!(got == wanted, "{}\nonly there:\n{}\nonly expected:\n{}", what(), only(got, wanted), only(wanted, got));
}

#[tokio::test]
async fn law_6_what_holds_data_stays_when_its_yaml_goes() {
    let mut held = 0;
    for case in cases().iter().filter(|c| c.holds_data) {
        let world = prepared(case, &[]).await;
        write(&world, &case.transitions[0]);
        done(&world.run(&Options::default()).await, &case.kind);
        let before = present(&world);
        world.write("conf/case.yaml", "{}\n");
        let ran = world.run(&Options::default()).await;
        let plan = ran.plan.as_ref().expect("a plan");
        assert!(plan.is_blocked() && ran.writes().is_empty(), "{}\n{}", case.kind, ran.told());
        assert_eq!(present(&world), before);
        held += 1;
    }
    assert!(held > 0 || !all_kinds(), "no kind holds data");
}

#[test]
fn law_7_a_secret_goes_to_the_workspace_and_nowhere_else() {
    assert!(!all_kinds() || cases().iter().any(|c| c.secret), "no kind has a secret");
    each(|case| async move {
        let world = prepared(&case, &[]).await;
        let mut sent = false;
        for transition in &case.transitions {
            write(&world, transition);
            let ran = world.run(&plain(&case)).await;
            done(&ran, &case.kind);
            sent |= ran.applying.iter().any(|s| s.body.as_ref().is_some_and(|b| b.any(&|v| v.as_str() == Some(PLANTED))));
        }
        assert_eq!(sent, case.secret, "{}: the secret is sent where it is wanted, and only there", case.kind);
        no_secret(&world, &case.kind);
    });
}

pub fn no_secret(world: &World, what: &str) {
    let told = world.told.lock().expect("no test panics while it writes").clone() + &world.kept();
    for form in [PLANTED.to_owned(), json::write(&Value::text(PLANTED)).expect("text").trim_matches('"').to_owned()] {
        assert!(!told.contains(&form), "{what}: a secret got out:\n{}", around(&told, &form));
    }
}

fn around(text: &str, what: &str) -> String {
    let at = text.find(what).unwrap_or_default();
    text.chars().skip(text[..at].chars().count().saturating_sub(300)).take(600).collect()
}

#[test]
fn law_8_two_runs_give_the_same_bytes() {
    each(|case| async move {
        let mut seen: Vec<Vec<String>> = vec![];
        for _ in 0..2 {
            let world = prepared(&case, &[]).await;
            let mut all = vec![];
            for transition in &case.transitions {
                write(&world, transition);
                let ran = world.run(&plain(&case)).await;
                all.push(ran.plan.as_ref().map(|p| brickform::report::json::plan(p, true)).expect("a plan"));
                all.push(std::fs::read_to_string(brickform::state::Store::place(&world.store())).expect("a state"));
            }
            seen.push(all);
        }
        assert_eq!(seen[0], seen[1], "{}", case.kind);
    });
}

#[test]
fn law_10_absent_null_false_zero_and_empty_are_five_things() {
    assert!(!all_kinds() || cases().iter().filter(|c| !c.distinct.is_empty()).count() > 4, "too few kinds say so");
    each(|case| async move {
        for distinct in &case.distinct {
            let what = format!("{} {} given {:?}", case.kind, distinct.field, distinct.given);
            let world = prepared(&case, &[]).await;
            world.write("conf/case.yaml", &distinct.written());
            let ran = world.run(&Options::default()).await;
            if distinct.sent == Wire::Refused {
                assert!(matches!(ran.trouble, Some(Trouble::Diagnostics(_))), "{what}\n{}", ran.told());
                continue;
            }
            done(&ran, &what);
            let path = distinct.field.parse().expect("a path");
            let wanted = if let Wire::Value(value) = &distinct.sent { Some(value) } else { None };
            let sent = ran.applying.iter().filter(|s| s.is_write()).find_map(|s| s.body.as_ref()?.at(&path));
            assert_eq!(sent, wanted, "{what}\n{}", ran.told());
            let state = &ran.report.as_ref().expect("a report").state;
            let entry = state.resources.values().find(|e| e.kind == case.kind).expect("an entry");
            assert_eq!(entry.applied.at(&path), wanted, "{what} in state");
            let again = world.run(&Options::default()).await;
            assert!(again.is_empty(), "{what}: the second plan is not empty\n{}", again.told());
        }
    });
}
