//! A server that echoes secrets into what it says, in every form that servers have for that: none of it may come out, on no
//! stream, in no report and in nothing that is kept. Drift of a secret that the workspace tells is seen all the same.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use brickform::client::{Request, RequestBody, Response};
use brickform::local::{LocalOptions, LocalWorkspace};
use brickform::model::{Value, json};
use brickform::plan::Options;

use super::laws::done;
use super::world::World;

/// Three lines with everything in them that an encoding writes in another way.
const SECRET: &str = "Zq7-first/line+OF=key\nXw4 second <'line'> & \"more\"\nKp9\\third\\line~é";

/// A workspace over HTTP whose creates and puts fail with a message made of what they were sent.
fn echoing(message: Echo) -> String {
    let workspace = LocalWorkspace::in_memory(LocalOptions::default()).expect("a workspace");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let runtime = Arc::new(runtime);
        for stream in listener.incoming().flatten() {
            let (workspace, runtime) = (workspace.clone(), Arc::clone(&runtime));
            std::thread::spawn(move || serve(stream, &workspace, &runtime, message));
        }
    });
    url
}

fn serve(stream: TcpStream, workspace: &LocalWorkspace, runtime: &tokio::runtime::Runtime, message: Echo) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader) {
        let echoes = request.method == "POST" && request.path.ends_with("/secrets/put");
        let answer = if echoes {
            let RequestBody::Json(body) = &request.body else { panic!("a put is JSON") };
            let body = json::parse(body.as_bytes()).expect("JSON");
            let said = message(body.get("string_value").and_then(Value::as_str).expect("a value"));
            let body = Value::map([("error_code", Value::text("INVALID_PARAMETER_VALUE")), ("message", Value::text(said))]);
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            Response { status: 400, headers, body: json::write(&body).expect("JSON").into_bytes() }
        } else {
            runtime.block_on(workspace.handle(request)).expect("nothing cuts the connection")
        };
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in answer.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&answer.body)).is_err() {
            return;
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let text = String::from_utf8(body).expect("this project sends text");
    let body = if text.is_empty() { RequestBody::Empty } else { RequestBody::Json(text) };
    Some(Request { method, path: path.to_owned(), query, headers: headers.into_iter().collect(), body })
}

fn in_url(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn in_python(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\n', "\\n").replace('\'', "\\'"))
}

/// What a server says of a secret.
type Echo = fn(&str) -> String;

const ECHOES: &[(&str, Echo)] = &[
    ("as it is", |s| format!("bad value {s} given")),
    ("its beginning", |s| format!("bad value {}... given", s.chars().take(14).collect::<String>())),
    ("its end", |s| format!("value ends in {}", s.chars().rev().take(16).collect::<Vec<_>>().into_iter().rev().collect::<String>())),
    ("its second line", |s| format!("line 2: {}", s.lines().nth(1).unwrap_or_default())),
    ("a part of its second line", |s| format!("line 2: {}~", s.lines().nth(1).unwrap_or_default().get(..15).unwrap_or_default())),
    ("JSON", |s| format!("cannot parse {}", serde_json::to_string(s).unwrap_or_default())),
    ("JSON in JSON", |s| {
        let inner = serde_json::to_string(s).unwrap_or_default();
        format!("cannot parse {}", serde_json::to_string(&format!("{{\"v\":{inner}}}")).unwrap_or_default())
    }),
    ("a line in JSON", |s| format!("in {}", serde_json::to_string(s.lines().nth(2).unwrap_or_default()).unwrap_or_default())),
    ("URL", |s| format!("POST ?value={}&x=1", in_url(s))),
    ("base64", |s| format!("decoded {}", STANDARD.encode(s))),
    ("base64 of more", |s| format!("Basic {}", URL_SAFE_NO_PAD.encode(format!("ana:{s}")))),
    ("Python", |s| format!("ValueError: {}", in_python(s))),
    ("capitals", |s| format!("BAD {}", s.to_uppercase())),
];

/// Runs of letters and digits of the secret that are long enough to be told from chance, and what encodings make of it.
fn pieces() -> Vec<String> {
    let words = SECRET.split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() >= 3 && !matches!(*w, "more" | "key" | "line"));
    let mut all: Vec<String> = words.map(str::to_lowercase).collect();
    let encoded = STANDARD.encode(SECRET).to_lowercase();
    all.extend([encoded[4..20].to_owned(), encoded[24..40].to_owned()]);
    let shifted = URL_SAFE_NO_PAD.encode(format!("ana:{SECRET}")).to_lowercase();
    all.extend([shifted[8..24].to_owned(), shifted[28..44].to_owned()]);
    all.retain(|piece| !matches!(piece.as_str(), "first" | "second" | "third"));
    assert!(all.len() >= 7, "{all:?}");
    all
}

fn sweep(folder: &Path, told: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sweep(&path, told);
        } else {
            told.extend(["\n--- ", &path.display().to_string(), "\n"]);
            told.push_str(&String::from_utf8_lossy(&std::fs::read(&path).expect("a file")));
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is logged goes to the real program's own stream")]
fn nothing_that_a_server_echoes_of_a_secret_comes_out() {
    for (form, message) in ECHOES {
        let url = echoing(*message);
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write("conf/project.yaml", "name: echo\n");
        write("environments/dev.yaml", &format!("workspace: {{ host: '{url}' }}\nstate: {{ key: {{ env: STATE_KEY }} }}\n"));
        let secret = "secrets: { k: { scope: '${secret_scopes.s.scope}', key: k, string_value: \"${secret('PLANTED')}\" } }\n";
        write("conf/a.yaml", &format!("secret_scopes: {{ s: {{ scope: s }} }}\n{secret}"));
        let mut told = String::new();
        for line in [
            "plan --report html=plan.html --report json=plan.json",
            "apply --yes -vv --report html=r.html --report json=r.json --report markdown=r.md --report junit=r.xml --report sarif=r.sarif",
            "apply --yes --json",
            "apply --yes -o github",
            "apply --yes -o json -vv --log-format json",
            "state history",
            "state pull",
            "show",
        ] {
            let output = Command::new(env!("CARGO_BIN_EXE_brickform"))
                .args(line.split(' '))
                .current_dir(folder.path())
                .env_clear()
                .envs([("PLANTED", SECRET), ("DATABRICKS_TOKEN", "t"), ("STATE_KEY", "a-key-for-the-state"), ("HOME", "/nonexistent")])
                .output()
                .expect("it runs");
            told.extend(["\n$ ", line, "\n", &String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr)]);
        }
        sweep(folder.path(), &mut told);
        assert!(told.contains("INVALID_PARAMETER_VALUE") && told.contains("(sensitive)"), "{form}: nothing was echoed:\n{told}");
        let folded = told.to_lowercase();
        for piece in pieces() {
            let at = folded.find(&piece);
            let around = at.map(|at| folded.chars().skip(folded[..at].chars().count().saturating_sub(200)).take(400).collect::<String>());
            assert!(at.is_none(), "{form}: `{piece}` of the secret came out:\n{}", around.unwrap_or_default());
        }
    }
}

#[tokio::test]
async fn a_secret_that_somebody_changed_where_the_workspace_tells_it_is_drift() {
    let world = World::new(&[]);
    world.write(
        "conf/a.yaml",
        "clusters:\n  c:\n    cluster_name: c\n    spark_version: 15.4.x-scala2.12\n    node_type_id: i3.xlarge\n    num_workers: 1\n    \
         spark_env_vars: { TOKEN: \"${secret('LAWS_SECRET')}\" }\n",
    );
    done(&world.run(&Options::default()).await, "made");
    assert!(world.run(&Options::default()).await.is_empty(), "what was sent is no drift");
    let key = world.workspace.dump().into_iter().find(|(key, _)| key.starts_with("clusters/")).map(|(key, _)| key).expect("a cluster");
    let id = key.trim_start_matches("clusters/").to_owned();
    world
        .by_hand(&format!(
            r#"POST /api/2.1/clusters/edit {{"cluster_id":"{id}","cluster_name":"c","spark_version":"15.4.x-scala2.12","node_type_id":"i3.xlarge","num_workers":1,"spark_env_vars":{{"TOKEN":"somebody-elses"}}}}"#
        ))
        .await;
    let ran = world.run(&Options::default()).await;
    let plan = ran.plan.as_ref().expect("a plan");
    let step = plan.steps.iter().find(|s| s.address.to_string() == "clusters.c").expect("a step");
    let seen: Vec<String> = step.changes.iter().map(|c| format!("{} {:?}", c.path, c.reason)).collect();
    assert_eq!(seen, ["spark_env_vars.TOKEN Drift"], "{}", ran.told());
    assert!(!format!("{plan:?}").contains("somebody-elses"), "neither value is shown");
    done(&ran, "put back");
    assert!(world.run(&Options::default()).await.is_empty(), "{}", ran.told());
    super::laws::no_secret(&world, "drift of a secret");
}
