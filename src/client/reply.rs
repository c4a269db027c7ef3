//! From a response to a value or an error: the shapes and codes of the API's errors, the server's clock, request ids.

use super::retry::{Outcome, http_date, retry_after};
use super::{ApiError, ApiErrorKind, Reply, Request, Response};
use crate::model::{Map, Value, json};

/// A reply, if the response is a good one.
///
/// # Errors
/// [`ApiError`] of the server, or [`ApiErrorKind::BadReply`] where the body is not what the API says. `tries` is left 0.
pub fn read(request: &Request, raw: bool, response: &Response) -> Result<Reply, ApiError> {
    if !(200..300).contains(&response.status) {
        return Err(error(request, response));
    }
    let text = std::str::from_utf8(&response.body);
    let body = match text {
        // A write may say no more than that it is done. What was asked for and does not come is not "there is nothing".
        Ok(text) if !raw && is_read(request) && text.trim().is_empty() => {
            return Err(no_answer(request, response, "the answer is empty".to_owned()));
        }
        Ok(text) if text.trim().is_empty() => Value::Map(Map::new()),
        Ok(text) if raw => Value::text(text),
        // Bytes that are no text: whoever asked for them takes them as they are.
        Err(_) if raw => Value::Null,
        _ if is_html(response) => return Err(login_page(request, response)),
        _ => json::parse(&response.body).map_err(|why| {
            let message = format!("the answer is not JSON: {why}");
            // A write whose answer cannot be read has been answered with success: its effect took place.
            ApiError { may_have_happened: is_write(request), ..no_answer(request, response, message) }
        })?,
    };
    if !raw && is_read(request) && !matches!(body, Value::Map(_) | Value::List(_)) {
        return Err(no_answer(request, response, format!("the answer is {}, not an object", body.sort())));
    }
    Ok(Reply {
        body,
        bytes: if raw { response.body.clone() } else { Vec::new() },
        server_seconds: response.header("date").and_then(http_date),
        request_id: request_id(response),
        org_id: response.header("x-databricks-org-id").map(str::to_owned),
    })
}

/// How a try ended that got this response; none: there is nothing to repeat. `now`: seconds since 1970.
pub fn outcome(response: &Response, error: Option<&ApiError>, now: i64) -> Option<Outcome> {
    let error = error?;
    let after = response.header("retry-after").and_then(|header| retry_after(header, response.header("date"), now));
    match response.status {
        429 => Some(Outcome::Throttled(after)),
        503 => Some(Outcome::Unavailable(after)),
        _ if error.kind == ApiErrorKind::Throttled || TURNED_AWAY.iter().any(|text| error.message.contains(text)) => {
            Some(Outcome::Throttled(after))
        }
        _ if TRY_AGAIN.iter().any(|text| error.message.contains(text)) => Some(Outcome::TryAgain),
        500 | 502 | 504 => Some(Outcome::Broken),
        _ => None,
    }
}

/// Wordings after which the SDKs repeat a request, whatever the status.
const TRY_AGAIN: &[&str] = &[
    "ClusterNotReadyException",
    "com.databricks.backend.manager.util.UnknownWorkerEnvironmentException",
    "does not have any associated worker environments",
    "There is no worker environment with id",
    "Unknown worker environment",
    "Unexpected error",
    "Please try again later or try a faster operation.",
];

/// Of those, the ones that say the request was not begun.
const TURNED_AWAY: &[&str] = &["RPC token bucket limit has been exceeded"];

/// Codes that say more than the status they come with.
const CODES: &[(&str, ApiErrorKind)] = &[
    ("ABORTED", ApiErrorKind::Conflict),
    ("ALREADY_EXISTS", ApiErrorKind::Conflict),
    ("BAD_REQUEST", ApiErrorKind::Invalid),
    ("DATA_LOSS", ApiErrorKind::Server),
    ("DEADLINE_EXCEEDED", ApiErrorKind::Server),
    ("INTERNAL_ERROR", ApiErrorKind::Server),
    ("INVALID_PARAMETER_VALUE", ApiErrorKind::Invalid),
    ("INVALID_STATE", ApiErrorKind::Invalid),
    ("NOT_FOUND", ApiErrorKind::NotFound),
    ("NOT_IMPLEMENTED", ApiErrorKind::Server),
    ("PERMISSION_DENIED", ApiErrorKind::Forbidden),
    ("REQUEST_LIMIT_EXCEEDED", ApiErrorKind::Throttled),
    ("RESOURCE_CONFLICT", ApiErrorKind::Conflict),
    ("RESOURCE_EXHAUSTED", ApiErrorKind::Throttled),
    ("TEMPORARILY_UNAVAILABLE", ApiErrorKind::Server),
    ("TOO_MANY_REQUESTS", ApiErrorKind::Throttled),
    ("UNAUTHENTICATED", ApiErrorKind::Unauthenticated),
    ("UNKNOWN", ApiErrorKind::Server),
];

fn kind_of(status: u16, code: &str) -> ApiErrorKind {
    if let Some((_, kind)) = CODES.iter().find(|(known, _)| *known == code) {
        return *kind;
    }
    if code.ends_with("_ALREADY_EXISTS") {
        return ApiErrorKind::Conflict;
    }
    if code.ends_with("_DOES_NOT_EXIST") {
        return ApiErrorKind::NotFound;
    }
    match status {
        401 => ApiErrorKind::Unauthenticated,
        403 => ApiErrorKind::Forbidden,
        404 => ApiErrorKind::NotFound,
        409 => ApiErrorKind::Conflict,
        429 => ApiErrorKind::Throttled,
        400..=499 => ApiErrorKind::Invalid,
        500..=599 => ApiErrorKind::Server,
        _ => ApiErrorKind::BadReply,
    }
}

fn error(request: &Request, response: &Response) -> ApiError {
    if (300..400).contains(&response.status) {
        return login_page(request, response);
    }
    let (code, message, id) = shape(response);
    let status = response.status;
    let kind = if code.is_empty() && is_html(response) && message.is_empty() { ApiErrorKind::BadReply } else { kind_of(status, &code) };
    let message = match message.as_str() {
        "" if is_html(response) => "the answer is a web page, not an answer of the API (a proxy?)".to_owned(),
        "" => reason(status).to_owned(),
        _ => message,
    };
    // The server's own 4xx and 501 say "not done"; any other 5xx may come from a gateway after the effect.
    let may_have_happened = is_write(request) && status >= 500 && status != 501;
    let bare = bare(request, response);
    ApiError { kind, code, message, request_id: bare.request_id.clone().or(id), may_have_happened, ..bare }
}

/// Code, message and request id of an error body, in any of the shapes that the API has: JSON with `error_code`, SCIM,
/// API 1.2, `CODE: message`, HTML with `<pre>`, nothing.
fn shape(response: &Response) -> (String, String, Option<String>) {
    let text = String::from_utf8_lossy(&response.body);
    let text = text.trim();
    match json::parse(text.as_bytes()) {
        Ok(Value::Map(map)) => return json_shape(&map),
        Ok(Value::Text(text)) => return text_shape(&text),
        _ => {}
    }
    if let Some((_, rest)) = text.split_once("<pre>") {
        return text_shape(rest.split("</pre>").next().unwrap_or(rest).trim());
    }
    if is_html(response) { (String::new(), String::new(), None) } else { text_shape(text) }
}

fn json_shape(map: &Map) -> (String, String, Option<String>) {
    let text = |name: &str| map.get(name).filter(|v| !matches!(v, Value::Null)).map(Value::key_text);
    let id = map.get("details").and_then(Value::as_list).unwrap_or_default().iter().find_map(|detail| {
        let ty = detail.get("@type")?.as_str()?;
        ty.ends_with(".RequestInfo").then(|| detail.get("request_id")?.as_str().map(str::to_owned))?
    });
    if map.contains_key("schemas") || map.contains_key("scimType") || (map.contains_key("detail") && !map.contains_key("message")) {
        let code = text("status").map_or(String::new(), |status| format!("SCIM_{status}"));
        let message = [text("scimType"), text("detail")].into_iter().flatten().collect::<Vec<_>>().join(": ");
        return (code, message, id);
    }
    let oauth = || Some([text("error"), text("error_description")].into_iter().flatten().collect::<Vec<_>>().join(": "));
    let message = text("message").or_else(oauth).unwrap_or_default();
    (text("error_code").unwrap_or_default(), message, id)
}

fn text_shape(text: &str) -> (String, String, Option<String>) {
    let is_code = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    match text.split_once(": ") {
        Some((code, message)) if is_code(code) => (code.to_owned(), message.trim().to_owned(), None),
        _ => (String::new(), text.chars().take(500).collect(), None),
    }
}

fn login_page(request: &Request, response: &Response) -> ApiError {
    let place = response.header("location").unwrap_or_default();
    let body = String::from_utf8_lossy(&response.body);
    let (kind, message) = if place.contains("private-link-validation-error") {
        (ApiErrorKind::Forbidden, "the workspace takes requests only over its private link".to_owned())
    } else if place.contains("login") || body.contains("login") {
        (
            ApiErrorKind::Unauthenticated,
            "the server answered with its login page: the token is missing, expired or of another workspace".to_owned(),
        )
    } else if place.is_empty() {
        (ApiErrorKind::BadReply, "the answer is a web page, not an answer of the API (is the host a workspace?)".to_owned())
    } else {
        let origin = place.split(['?', '#']).next().unwrap_or_default();
        (ApiErrorKind::BadReply, format!("the server redirects to {origin}: is the host right?"))
    };
    ApiError { kind, message, ..bare(request, response) }
}

/// The error of an answer with success that is not what the API answers.
fn no_answer(request: &Request, response: &Response, message: String) -> ApiError {
    ApiError { kind: ApiErrorKind::BadReply, message, ..bare(request, response) }
}

fn bare(request: &Request, response: &Response) -> ApiError {
    ApiError {
        kind: ApiErrorKind::BadReply,
        status: Some(response.status),
        code: String::new(),
        message: String::new(),
        request: request.to_string(),
        request_id: request_id(response),
        tries: 0,
        may_have_happened: false,
    }
}

fn request_id(response: &Response) -> Option<String> {
    ["x-request-id", "x-databricks-request-id"].iter().find_map(|name| response.header(name)).map(str::to_owned)
}

fn is_html(response: &Response) -> bool {
    response.header("content-type").is_some_and(|ty| ty.starts_with("text/html")) || response.body.trim_ascii_start().starts_with(b"<")
}

fn is_write(request: &Request) -> bool {
    !matches!(request.method.as_str(), "GET" | "HEAD")
}

fn is_read(request: &Request) -> bool {
    request.method == "GET"
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::RequestBody;

    fn request(method: &str) -> Request {
        Request { method: method.into(), path: "/api/2.2/jobs/get".into(), query: vec![], headers: vec![], body: RequestBody::Empty }
    }

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Response { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn error_shapes() {
        use ApiErrorKind::{BadReply, Conflict, Forbidden, Invalid, NotFound, Server, Throttled, Unauthenticated};
        let scim = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"Group with name x already exists.","status":"409","scimType":"uniqueness"}"#;
        for (status, body, kind, code, message) in [
            (
                400,
                r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"Job 7 does not exist."}"#,
                Invalid,
                "INVALID_PARAMETER_VALUE",
                "Job 7 does not exist.",
            ),
            (
                400,
                r#"{"error_code":"RESOURCE_ALREADY_EXISTS","message":"Scope a already exists"}"#,
                Conflict,
                "RESOURCE_ALREADY_EXISTS",
                "Scope a already exists",
            ),
            (400, r#"{"error_code":"SCHEMA_DOES_NOT_EXIST","message":"no"}"#, NotFound, "SCHEMA_DOES_NOT_EXIST", "no"),
            (404, r#"{"error_code":404,"message":"gone"}"#, NotFound, "404", "gone"),
            (403, r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#, Forbidden, "PERMISSION_DENIED", "no"),
            (409, scim, Conflict, "SCIM_409", "uniqueness: Group with name x already exists."),
            (400, r#"{"error":"Cluster x"}"#, Invalid, "", "Cluster x"),
            (404, "RESOURCE_DOES_NOT_EXIST: it is not there", NotFound, "RESOURCE_DOES_NOT_EXIST", "it is not there"),
            (401, "<html><body><pre>Credential was not sent</pre></body></html>", Unauthenticated, "", "Credential was not sent"),
            (404, "", NotFound, "", "Not Found"),
            (404, "<html>nothing</html>", BadReply, "", "the answer is a web page, not an answer of the API (a proxy?)"),
            (502, "upstream", Server, "", "upstream"),
            (400, r#"{"error_code":"RESOURCE_EXHAUSTED","message":"slow"}"#, Throttled, "RESOURCE_EXHAUSTED", "slow"),
            (400, "null", Invalid, "", "null"),
        ] {
            let error = read(&request("GET"), false, &response(status, &[], body)).expect_err(body);
            assert_eq!((error.kind, error.code.as_str(), error.message.as_str()), (kind, code, message), "{body}");
            assert_eq!((error.status, error.may_have_happened), (Some(status), false));
        }
    }

    #[test]
    fn only_a_write_with_a_server_error_may_have_happened() {
        for (method, status, want) in
            [("POST", 500, true), ("POST", 501, false), ("POST", 400, false), ("GET", 500, false), ("DELETE", 504, true)]
        {
            assert_eq!(
                read(&request(method), false, &response(status, &[], "{}")).expect_err("error").may_have_happened,
                want,
                "{method} {status}"
            );
        }
    }

    #[test]
    fn login_pages_are_not_answers() {
        for (status, headers, body, kind) in [
            (302, &[("location", "https://x/login.html?next=a")][..], "", ApiErrorKind::Unauthenticated),
            (302, &[("location", "https://x/login.html?error=private-link-validation-error:1")][..], "", ApiErrorKind::Forbidden),
            (301, &[("location", "https://y/other?token=1")][..], "", ApiErrorKind::BadReply),
            (200, &[("content-type", "text/html; charset=utf-8")][..], "<html>login</html>", ApiErrorKind::Unauthenticated),
            (200, &[][..], "<!doctype html><p>hello", ApiErrorKind::BadReply),
            (200, &[][..], "{\"a\":", ApiErrorKind::BadReply),
        ] {
            assert_eq!(read(&request("GET"), false, &response(status, headers, body)).expect_err(body).kind, kind, "{status} {body}");
        }
    }

    #[test]
    fn good_answers() {
        let headers = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("x-databricks-request-id", "r1"), ("x-databricks-org-id", "42")];
        let reply = read(&request("GET"), false, &response(200, &headers, r#"{"n":9007199254740993}"#)).unwrap();
        assert_eq!(reply.body.get("n"), Some(&Value::Int(9_007_199_254_740_993)));
        assert_eq!(
            (reply.server_seconds, reply.request_id.as_deref(), reply.org_id.as_deref()),
            (Some(784_111_777), Some("r1"), Some("42"))
        );
        assert_eq!(read(&request("POST"), false, &response(204, &[], " ")).unwrap().body, Value::Map(Map::new()));
        assert_eq!(read(&request("GET"), true, &response(200, &[], "x")).unwrap().body, Value::text("x"));
    }

    #[test]
    fn a_read_is_answered_with_an_object_or_a_list() {
        for (method, raw, status, body, want) in [
            ("GET", false, 200, "{}", ""),
            ("GET", false, 200, "[]", ""),
            ("GET", false, 200, "null", "the answer is null, not an object"),
            ("GET", false, 200, "\"hi\"", "the answer is text, not an object"),
            ("GET", false, 200, "7", "the answer is a whole number, not an object"),
            ("GET", false, 200, " ", "the answer is empty"),
            ("GET", false, 204, "", "the answer is empty"),
            ("GET", true, 200, "", ""),
            ("HEAD", false, 200, "", ""),
            ("PUT", false, 200, "", ""),
            ("PATCH", false, 200, "null", ""),
        ] {
            let read = read(&request(method), raw, &response(status, &[], body));
            let got = read.err().map(|error| {
                assert_eq!((error.kind, error.may_have_happened), (ApiErrorKind::BadReply, false), "{method} {body}");
                error.message
            });
            assert_eq!(got.unwrap_or_default(), want, "{method} {body}");
        }
    }

    #[test]
    fn request_ids_of_details() {
        let body =
            r#"{"error_code":"X","message":"m","details":[{"@type":"type.googleapis.com/google.rpc.RequestInfo","request_id":"r9"}]}"#;
        assert_eq!(read(&request("GET"), false, &response(400, &[], body)).expect_err("400").request_id.as_deref(), Some("r9"));
    }

    #[test]
    fn what_may_be_repeated() {
        let five = [("retry-after", "5")];
        let after = Some(std::time::Duration::from_secs(5));
        for (status, headers, message, want) in [
            (429, &five[..], "", Some(Outcome::Throttled(after))),
            (429, &[][..], "", Some(Outcome::Throttled(None))),
            (503, &five[..], "", Some(Outcome::Unavailable(after))),
            (503, &[][..], "", Some(Outcome::Unavailable(None))),
            (400, &[][..], "RPC token bucket limit has been exceeded", Some(Outcome::Throttled(None))),
            (400, &[][..], "ClusterNotReadyException: wait", Some(Outcome::TryAgain)),
            (502, &[][..], "", Some(Outcome::Broken)),
            (501, &[][..], "", None),
            (400, &[][..], "wrong", None),
        ] {
            let response = response(status, headers, message);
            let error = read(&request("GET"), false, &response).expect_err("error");
            assert_eq!(outcome(&response, Some(&error), 0), want, "{status} {message}");
        }
    }
}
