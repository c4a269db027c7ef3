//! The workspace over HTTP/1.1 on loopback.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::router::{self, Origin};
use super::routes::decode;
use super::{LocalError, LocalWorkspace};
use crate::client::{BoxFuture, Request, RequestBody, TransportError};

/// The largest body read.
const LARGEST_BODY: usize = 64 << 20;

/// Serves until `stop` ends; then requests in flight are finished and connections closed.
pub async fn serve(
    workspace: &LocalWorkspace,
    address: &str,
    ready: Box<dyn FnOnce(SocketAddr) + Send>,
    mut stop: BoxFuture<'static, ()>,
) -> Result<(), LocalError> {
    let listener = listen(address).await.map_err(|why| LocalError::Listen { address: address.to_owned(), why })?;
    let own = listener.local_addr().map_err(|e| LocalError::Listen { address: address.to_owned(), why: e.to_string() })?;
    ready(own);
    let (closing, closed) = tokio::sync::watch::channel(false);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => {
                // A connection that failed while it was accepted is its client's trouble alone.
                if let Ok((stream, peer)) = accepted {
                    connections.spawn(connection(workspace.clone(), stream, peer, own, closed.clone()));
                }
            }
        }
    }
    let _nobody_waits = closing.send(true);
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    let all: Vec<SocketAddr> = tokio::net::lookup_host(address).await.map_err(|e| e.to_string())?.collect();
    let Some(first) = all.first() else { return Err("it names no address".to_owned()) };
    if let Some(open) = all.iter().find(|a| !a.ip().is_loopback()) {
        return Err(format!(
            "{} is not a loopback address; the local workspace takes any token, so it is served to this machine only",
            open.ip()
        ));
    }
    TcpListener::bind(first).await.map_err(|e| e.to_string())
}

async fn connection(
    workspace: LocalWorkspace,
    stream: TcpStream,
    peer: SocketAddr,
    own: SocketAddr,
    mut closed: tokio::sync::watch::Receiver<bool>,
) {
    // Without it the second packet of an answer may wait 40 ms for an acknowledgement.
    let _unsupported = stream.set_nodelay(true);
    let service = service_fn(move |request| one(workspace.clone(), request, Origin::Socket { peer, own }));
    // Headers and body in one buffer, so in one segment.
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .writev(false)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => {}
        _closing = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

/// One request; an error makes hyper cut the connection without an answer.
async fn one(
    workspace: LocalWorkspace,
    request: hyper::Request<Incoming>,
    origin: Origin,
) -> Result<hyper::Response<Full<Bytes>>, TransportError> {
    let response = match read(request).await {
        Ok(request) => router::handle_from(&workspace.inner, request, origin).await?,
        Err(error) => return Ok(too_large(&error)),
    };
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name.as_str(), value.as_str());
    }
    builder.body(Full::new(Bytes::from(response.body))).map_err(|e| TransportError { message: e.to_string(), may_have_been_sent: true })
}

fn too_large(error: &str) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::new(Bytes::from(error.to_owned())));
    *response.status_mut() = hyper::StatusCode::PAYLOAD_TOO_LARGE;
    response
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, String> {
    let (parts, body) = request.into_parts();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let bytes = Limited::new(body, LARGEST_BODY).collect().await.map_err(|e| e.to_string())?.to_bytes();
    let content_type = headers.iter().find(|(k, _)| k == "content-type").map_or("", |(_, v)| v.as_str());
    let body = match () {
        () if bytes.is_empty() => RequestBody::Empty,
        // curl names a form where nobody says otherwise; what begins like JSON is JSON, as the API takes it too.
        () if content_type.starts_with("application/x-www-form-urlencoded") && !matches!(bytes.first(), Some(b'{' | b'[')) => {
            RequestBody::Form(pairs(&String::from_utf8_lossy(&bytes)))
        }
        () => match String::from_utf8(bytes.to_vec()) {
            Ok(text) if !content_type.starts_with("application/octet-stream") => RequestBody::Json(text),
            Ok(text) => RequestBody::Bytes(text.into_bytes()),
            Err(error) => RequestBody::Bytes(error.into_bytes()),
        },
    };
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        headers,
        body,
    })
}

/// Pairs of a query or a form, decoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn queries_are_decoded() {
        let read: Vec<String> = pairs("a=1&b=x+y&c=%26%3D&d&=e").into_iter().map(|(k, v)| format!("{k}|{v}")).collect();
        assert_eq!(read, ["a|1", "b|x y", "c|&=", "d|", "|e"]);
    }
}
