//! Digests: of values (SHA-256), and of secrets (keyed, so that a short secret cannot be guessed from the state).

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Value;

/// A SHA-256 digest in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// Of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    /// Of a value, in canonical form: map keys sorted, unknown and secret by their source.
    #[must_use]
    pub fn of_value(value: &Value) -> Self {
        let mut hash = Sha256::new();
        feed(value, &mut hash);
        Self(hex(&hash.finalize()))
    }

    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn feed(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Map(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            hash.update(b"{");
            for key in keys {
                feed(&Value::text(key.as_str()), hash);
                if let Some(v) = map.get(key) {
                    feed(v, hash);
                }
            }
            hash.update(b"}");
        }
        Value::List(list) => {
            hash.update(b"[");
            for v in list {
                feed(v, hash);
            }
            hash.update(b"]");
        }
        Value::Unknown(d) => sized(b'?', &d.source, hash),
        Value::Secret(d) => sized(b'*', &d.source, hash),
        Value::Text(t) => sized(b't', t, hash),
        Value::Null => hash.update(b"n"),
        Value::Bool(b) => hash.update(if *b { b"T" } else { b"F" }),
        Value::Int(n) => sized(b'i', &n.to_string(), hash),
        Value::UInt(n) => sized(b'i', &n.to_string(), hash),
        Value::Float(x) => sized(b'f', &x.to_string(), hash),
    }
}

fn sized(tag: u8, text: &str, hash: &mut Sha256) {
    hash.update([tag]);
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}

/// The key under which an environment fingerprints secrets. Not printable, wiped on drop.
#[derive(Clone)]
pub struct StateKey(Zeroizing<Vec<u8>>);

impl StateKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// A key of 32 bytes for one purpose, from which neither this key nor that of another purpose can be told.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let named = self.fingerprint(format!("brickform key for {purpose}").as_bytes());
        Zeroizing::new(Sha256::digest(named.0.as_bytes()).into())
    }

    /// The keyed digest (HMAC-SHA-256) of a secret.
    #[must_use]
    pub fn fingerprint(&self, secret: &[u8]) -> Fingerprint {
        let mut block = Zeroizing::new([0u8; 64]);
        if self.0.len() > 64 {
            block[..32].copy_from_slice(&Sha256::digest(&*self.0));
        } else {
            block[..self.0.len()].copy_from_slice(&self.0);
        }
        let pad = |with: u8| Zeroizing::new(block.map(|b| b ^ with));
        let inner = Sha256::new().chain_update(*pad(0x36)).chain_update(secret).finalize();
        Fingerprint(hex(&Sha256::new().chain_update(*pad(0x5c)).chain_update(inner).finalize()))
    }
}

impl std::fmt::Debug for StateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::StateKey;

    #[test]
    fn keyed_digest_is_hmac_sha_256() {
        // RFC 4231, test case 2.
        let got = StateKey::new(b"Jefe").fingerprint(b"what do ya want for nothing?");
        assert_eq!(got.0, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
