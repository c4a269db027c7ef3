//! Over HTTP, by hand-written requests on a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::local::{LocalError, LocalOptions, LocalWorkspace};

/// A server on a thread of its own, stopped when dropped.
struct Server {
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start(options: LocalOptions) -> Self {
        let workspace = LocalWorkspace::in_memory(options).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let ready = Box::new(move |address| tell.send(address).unwrap());
            let until = Box::pin(async move {
                let _dropped = stopped.await;
            });
            runtime.block_on(workspace.serve("127.0.0.1:0", ready, until)).unwrap();
        });
        Self { address: told.recv_timeout(Duration::from_secs(5)).unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    /// One request on a connection of its own: the whole answer as text.
    fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut text = String::new();
        let _reset = stream.read_to_string(&mut text);
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

const BEARER: &str = "Authorization: Bearer t";

#[test]
fn tokens_are_asked_for() {
    let server = Server::start(LocalOptions { denied_tokens: vec!["bad".into()], ..LocalOptions::default() });
    let list = "GET /api/2.2/jobs/list HTTP/1.1";
    for (head, status) in [
        (list.to_owned(), "401"),
        (format!("{list}\r\nAuthorization: Bearer "), "401"),
        (format!("{list}\r\nAuthorization: Basic eA=="), "401"),
        (format!("{list}\r\nAuthorization: Bearer bad"), "403"),
        (format!("{list}\r\n{BEARER}"), "200"),
        ("GET /.well-known/databricks-config HTTP/1.1".to_owned(), "200"),
        ("GET /oidc/.well-known/oauth-authorization-server HTTP/1.1".to_owned(), "200"),
    ] {
        let answer = server.ask(&head, "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
    }
    let server = Server::start(LocalOptions { tokens: vec!["good".into()], ..LocalOptions::default() });
    assert!(server.ask(&format!("{list}\r\n{BEARER}"), "").starts_with("HTTP/1.1 401"));
    assert!(server.ask(&format!("{list}\r\nAuthorization: Bearer good"), "").starts_with("HTTP/1.1 200"));
}

#[test]
fn oauth_clients_become_service_principals() {
    let server = Server::start(LocalOptions { token_seconds: Some(7), ..LocalOptions::default() });
    let head = "POST /oidc/v1/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
    let token = |answer: &str| {
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        crate::model::json::parse(body.as_bytes()).unwrap().get("access_token").map(crate::model::Value::key_text)
    };
    let by_header = server.ask(&format!("{head}\r\nAuthorization: Basic aWQ6c2VjcmV0"), "grant_type=client_credentials&scope=all-apis");
    assert!(by_header.contains("\"expires_in\":7"), "{by_header}");
    let me = server.ask(&format!("GET /api/2.0/preview/scim/v2/Me HTTP/1.1\r\nAuthorization: Bearer {}", token(&by_header).unwrap()), "");
    assert!(me.contains("\"userName\":\"id\""), "{me}");
    let by_form = server.ask(head, "grant_type=client_credentials&client_id=a%40b&client_secret=s");
    assert!(token(&by_form).is_some(), "{by_form}");
    for (body, expected) in [
        ("grant_type=client_credentials&client_id=a&client_secret=wrong", "HTTP/1.1 401"),
        ("grant_type=client_credentials", "HTTP/1.1 401"),
        ("grant_type=password", "HTTP/1.1 400"),
    ] {
        let answer = server.ask(head, body);
        assert!(answer.starts_with(expected), "{body}: {answer}");
    }
    assert!(server.ask(head, "grant_type=client_credentials&client_id=a&client_secret=wrong").contains("invalid_client"));
    let forged = "GET /api/2.2/jobs/list HTTP/1.1\r\nAuthorization: Bearer brickform-local-oauth.6964.1";
    assert!(server.ask(forged, "").contains("Access token has expired"));
}

#[test]
fn a_cut_connection_is_cut() {
    let server = Server::start(LocalOptions { faults: vec!["after:POST:*".parse().unwrap()], ..LocalOptions::default() });
    assert_eq!(server.ask(&format!("POST /api/2.2/jobs/create HTTP/1.1\r\n{BEARER}"), "{}"), "");
    assert!(server.ask(&format!("GET /api/2.2/jobs/list HTTP/1.1\r\n{BEARER}"), "").contains("Untitled"));
}

#[test]
fn only_this_machine_is_served() {
    let workspace = LocalWorkspace::in_memory(LocalOptions::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for address in ["0.0.0.0:0", "192.0.2.1:80", "nonsense"] {
        let result = runtime.block_on(workspace.serve(address, Box::new(|_| ()), Box::pin(std::future::ready(()))));
        assert!(matches!(result, Err(LocalError::Listen { .. })), "{address}");
    }
}

/// Reads one answer off a kept connection: its length header says where it ends. Gives how many reads it took.
fn read_one(stream: &mut TcpStream) -> usize {
    let (mut got, mut buffer, mut reads) = (Vec::new(), vec![0_u8; 65536], 0);
    loop {
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "closed early");
        reads += 1;
        got.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&got);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            if body.len() >= length {
                return reads;
            }
        }
    }
}

#[test]
fn a_kept_connection_is_fast_and_answers_come_whole() {
    let server = Server::start(LocalOptions::default());
    let mut stream = server.connect();
    let request = format!("GET /api/2.1/unity-catalog/catalogs/main HTTP/1.1\r\nHost: l\r\n{BEARER}\r\n\r\n");
    let start = Instant::now();
    let mut most = 0;
    for _ in 0..2000 {
        stream.write_all(request.as_bytes()).unwrap();
        most = most.max(read_one(&mut stream));
    }
    let rate = 2000.0 / start.elapsed().as_secs_f64();
    println!("{rate:.0} requests a second on one connection, at most {most} read(s) an answer");
    assert_eq!(most, 1, "headers and body came apart");
    assert!(rate > 200.0, "{rate}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_client_process_is_killed() {
    let server = Server::start(LocalOptions { faults: vec![crate::local::Fault::killing("POST:*").unwrap()], ..LocalOptions::default() });
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{}; printf 'POST /api/2.2/jobs/create HTTP/1.1\\r\\nHost: l\\r\\n{BEARER}\\r\\nContent-Length: 2\\r\\n\\r\\n{{}}' >&3; \
         read -r line <&3; exit 7",
        server.address.port()
    );
    let outside = crate::model::Outside::real().unwrap();
    let output = outside.system.run("bash", &["-c", &script], std::path::Path::new("/")).unwrap();
    assert_eq!(output.code, None, "ended by a signal, not by itself");
    assert!(server.ask(&format!("GET /api/2.2/jobs/list HTTP/1.1\r\n{BEARER}"), "").contains("Untitled"));
}
