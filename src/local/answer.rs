//! What a service says to a request: an answer, or a refusal with status, code and message.

use crate::model::{Map, Value};

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// The body itself, where it is not JSON.
    pub bytes: Option<Vec<u8>>,
    /// Further headers, lower-case names.
    pub headers: Vec<(String, String)>,
}

impl Answer {
    /// 200 with this body.
    pub fn ok(body: impl Into<Value>) -> Self {
        Self { status: 200, body: body.into(), bytes: None, headers: Vec::new() }
    }

    /// 200 with `{}`.
    pub fn empty() -> Self {
        Self::ok(Map::new())
    }

    /// 200 with these bytes.
    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self { bytes: Some(bytes), ..Self::ok(Value::Null) }
    }

    /// 204 without a body.
    pub fn no_content() -> Self {
        Self { status: 204, ..Self::ok(Value::Null) }
    }
}

/// How a refusal's body is shaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{"error_code","message","details"}`.
    Plain,
    /// SCIM's `{"schemas","detail","status"}`.
    Scim,
    /// OAuth's `{"error","error_description"}`.
    OAuth,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `INVALID_PARAMETER_VALUE`.
    pub code: String,
    /// The message.
    pub message: String,
    /// Its body's shape.
    pub shape: Shape,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

impl Refusal {
    /// A refusal in the usual shape.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), shape: Shape::Plain, headers: Vec::new() }
    }

    /// 400 `INVALID_PARAMETER_VALUE`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_PARAMETER_VALUE", message)
    }

    /// 404 `RESOURCE_DOES_NOT_EXIST`.
    pub fn absent(message: impl Into<String>) -> Self {
        Self::new(404, "RESOURCE_DOES_NOT_EXIST", message)
    }

    /// The same in another shape.
    pub fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Its body.
    pub fn body(&self, request_id: &str) -> Value {
        match self.shape {
            Shape::Plain => Value::map([
                ("error_code", Value::text(&self.code)),
                ("message", Value::text(&self.message)),
                (
                    "details",
                    Value::List(vec![Value::map([
                        ("@type", Value::text("type.googleapis.com/google.rpc.RequestInfo")),
                        ("request_id", Value::text(request_id)),
                        ("serving_data", Value::text("")),
                    ])]),
                ),
            ]),
            Shape::Scim => Value::map([
                ("schemas", Value::List(vec![Value::text("urn:ietf:params:scim:api:messages:2.0:Error")])),
                ("detail", Value::text(&self.message)),
                ("status", Value::text(self.status.to_string())),
            ]),
            Shape::OAuth => Value::map([("error", Value::text(&self.code)), ("error_description", Value::text(&self.message))]),
        }
    }
}

/// What a handler gives.
pub type Handled = Result<Answer, Refusal>;
