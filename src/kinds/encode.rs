//! Members of request bodies that are text on the wire and structure or plain text here: JSON inside a string, base64.
//!
//! Plans keep them as they are read by people; they are encoded when everything inside is known, at the moment of sending.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Call, Kind};
use crate::model::{Value, json};

/// How a member of a request's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A structure as JSON in a string, without spaces. Text stays as it is.
    JsonText,
    /// Text as base64 (RFC 4648, with padding). A map with `$base64` alone holds bytes that are no text, encoded already.
    Base64,
}

/// The member of a map that holds bytes which are no text.
pub const BYTES: &str = "$base64";

impl Call {
    /// The call as it goes over the wire: the members of its body that the kind encodes are written out.
    ///
    /// # Errors
    /// A sentence: something inside such a member is not known yet, or secret still.
    pub fn encoded(mut self, kind: &Kind) -> Result<Self, String> {
        if let Some(Value::Map(body)) = &mut self.body {
            for (name, encoding) in kind.encode {
                if let Some(value) = body.get_mut(*name) {
                    encode(value, *encoding).map_err(|why| format!("`{name}` cannot be written: {why}"))?;
                }
            }
        }
        Ok(self)
    }
}

fn encode(value: &mut Value, encoding: Encoding) -> Result<(), String> {
    let text = match (encoding, &*value) {
        (Encoding::JsonText, Value::Map(_) | Value::List(_)) => json::write(value).map_err(|error| error.to_string())?,
        (Encoding::Base64, Value::Text(text)) => STANDARD.encode(text),
        (Encoding::Base64, Value::Map(map)) => match (map.get(BYTES), map.len()) {
            (Some(Value::Text(encoded)), 1) => encoded.clone(),
            _ => return Err("it is neither text nor bytes".to_owned()),
        },
        (_, Value::Unknown(_)) => return Err("it is not known yet".to_owned()),
        (_, Value::Secret(_)) => return Err("it is secret".to_owned()),
        _ => return Ok(()),
    };
    *value = Value::Text(text);
    Ok(())
}

/// What base64 text holds: text, or a map with [`BYTES`] where it is none. Text that is no base64 is given back as it is.
#[must_use]
pub fn from_base64(text: &str) -> Value {
    match STANDARD.decode(text.trim()).map(String::from_utf8) {
        Ok(Ok(plain)) => Value::Text(plain),
        Ok(Err(_)) => Value::map([(BYTES, Value::from(text.trim()))]),
        Err(_) => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Repeat;
    use crate::model::Map;

    static CODED: Kind = Kind { encode: &[("space", Encoding::JsonText), ("content", Encoding::Base64)], ..Kind::PLAIN };

    fn sent(body: Value) -> Result<Value, String> {
        let call = Call { op: "a.b.c", path: Map::new(), query: Map::new(), body: Some(body), why: "create", repeat: Repeat::Safe };
        call.encoded(&CODED).map(|call| call.body.unwrap_or(Value::Null))
    }

    #[test]
    fn members_are_written_out_and_read_again() {
        let structure = Value::map([("b", Value::Int(1)), ("a", Value::List(vec![Value::Null]))]);
        let body = Value::map([("space", structure), ("content", Value::from("é\n")), ("title", Value::from("t"))]);
        let wire = sent(body).unwrap();
        assert_eq!(wire.get("space"), Some(&Value::from("{\"b\":1,\"a\":[null]}")));
        assert_eq!(wire.get("content"), Some(&Value::from("w6kK")));
        assert_eq!(wire.get("title"), Some(&Value::from("t")));
        assert_eq!(from_base64("w6kK"), Value::from("é\n"));
        assert_eq!(from_base64("/w=="), Value::map([(BYTES, Value::from("/w=="))]));
        let bytes = sent(Value::map([("content", from_base64("/w=="))])).unwrap();
        assert_eq!(bytes.get("content"), Some(&Value::from("/w==")));
        let text = sent(Value::map([("space", Value::from("{}"))])).unwrap();
        assert_eq!(text.get("space"), Some(&Value::from("{}")));
        assert_eq!(from_base64("*"), Value::from("*"));
    }

    #[test]
    fn what_is_not_known_is_never_written() {
        use crate::model::{Address, Deferred, Path, Reference};
        let reference = Reference { address: Address::new("jobs", "a"), path: Path::field("id") };
        let unknown = || Value::Unknown(Deferred::of(reference.clone()).into());
        for body in [
            Value::map([("space", Value::map([("x", unknown())]))]),
            Value::map([("content", unknown())]),
            Value::map([("content", Value::map([("other", Value::Null)]))]),
        ] {
            sent(body).unwrap_err();
        }
    }
}
