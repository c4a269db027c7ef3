//! A state that nobody reads who has the bucket but not the key: every object sealed with AES-256-GCM under its own name.

use std::sync::Arc;

use aes_gcm::aead::{Aead as _, AeadCore as _, KeyInit as _, OsRng, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

use super::mend::MOVED;
use super::objects::{Condition, Locking, Object, ObjectError, Objects, Put};
use crate::client::BoxFuture;
use crate::model::StateKey;

/// What a sealed object begins with: the form, so that a later one can be told from it.
const FORM: &[u8] = b"brickform sealed 1\n";
const NONCE: usize = 12;

/// A store whose objects are sealed. Names and sizes stay visible.
pub struct Sealed {
    inner: Arc<dyn Objects>,
    cipher: Aes256Gcm,
}

impl Sealed {
    /// Seals what goes into a store with a key made from the state's.
    #[must_use]
    pub fn new(inner: Arc<dyn Objects>, key: &StateKey) -> Self {
        Self { inner, cipher: Aes256Gcm::new((&*key.derive("sealing a state")).into()) }
    }

    fn seal(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, ObjectError> {
        if name == MOVED {
            return Ok(bytes.to_vec());
        }
        let nonce = Aes256Gcm::generate_nonce(&mut OsRng);
        let text = self.cipher.encrypt(&nonce, Payload { msg: bytes, aad: name.as_bytes() });
        let text = text.map_err(|_| ObjectError::new(format!("{name} cannot be sealed")))?;
        Ok([FORM, nonce.as_slice(), &text].concat())
    }

    fn open(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, ObjectError> {
        if name == MOVED {
            return Ok(bytes.to_vec());
        }
        let Some((nonce, text)) = bytes.strip_prefix(FORM).and_then(|rest| rest.split_at_checked(NONCE)) else {
            return Err(ObjectError {
                why: format!("{name} is not sealed, but the environment's state is `encrypt: true`"),
                help: vec![
                    "`brickform state migrate --to URL` seals a state that was kept open, in another folder; or take `encrypt:` away"
                        .to_owned(),
                ],
                ..Default::default()
            });
        };
        self.cipher.decrypt(Nonce::from_slice(nonce), Payload { msg: text, aad: name.as_bytes() }).map_err(|_| ObjectError {
            why: format!("{name} cannot be opened with this key"),
            help: vec!["check the variable that `state.key` names; without the key that sealed it a state cannot be read".to_owned()],
            ..Default::default()
        })
    }
}

/// A store whose objects are not sealed: one that is, is told as such, and not as damaged.
pub struct Open(pub Arc<dyn Objects>);

impl Objects for Open {
    fn place(&self) -> String {
        self.0.place()
    }

    fn locking(&self) -> Locking {
        self.0.locking()
    }

    fn credentials(&self) -> Option<String> {
        self.0.credentials()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        Box::pin(async move {
            let found = self.0.get(name).await?;
            match &found {
                Some(object) if is_sealed(&object.bytes) => Err(ObjectError {
                    why: format!("{name} is sealed, but the environment does not say `encrypt: true`"),
                    help: vec![
                        "set `state: { encrypt: true, key: { env: NAME } }` with the key that sealed it".to_owned(),
                        "`brickform state migrate --to URL` opens a state that was kept sealed, in another folder: it needs the key, too"
                            .to_owned(),
                    ],
                    ..Default::default()
                }),
                _ => Ok(found),
            }
        })
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        self.0.put(name, bytes, condition)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>> {
        self.0.list(prefix)
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        self.0.delete(name)
    }
}

/// Whether an object was sealed.
#[must_use]
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(FORM)
}

impl Objects for Sealed {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn locking(&self) -> Locking {
        self.inner.locking()
    }

    fn credentials(&self) -> Option<String> {
        self.inner.credentials()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        Box::pin(async move {
            let Some(object) = self.inner.get(name).await? else { return Ok(None) };
            Ok(Some(Object { bytes: self.open(name, &object.bytes)?, tag: object.tag }))
        })
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        Box::pin(async move { self.inner.put(name, self.seal(name, &bytes)?, condition).await })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>> {
        self.inner.list(prefix)
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        self.inner.delete(name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::memory::Memory;
    use super::{Condition, Locking, Objects as _, Sealed, StateKey};

    #[tokio::test]
    async fn only_the_key_opens_and_only_under_its_own_name() {
        let store = Memory::new(Locking::Tags);
        let sealed = Sealed::new(Arc::new(store.clone()), &StateKey::new(b"k1"));
        sealed.put("a", b"hunter2".to_vec(), Condition::Absent).await.unwrap();
        assert_eq!(sealed.get("a").await.unwrap().unwrap().bytes, b"hunter2");
        let kept = store.get("a").await.unwrap().unwrap().bytes;
        assert!(!kept.windows(7).any(|w| w == b"hunter2"));
        store.put("b", kept.clone(), Condition::Absent).await.unwrap();
        assert!(sealed.get("b").await.is_err(), "an object put in the place of another");
        assert!(Sealed::new(Arc::new(store.clone()), &StateKey::new(b"k2")).get("a").await.unwrap_err().why.contains("this key"));
        store.put("c", b"open".to_vec(), Condition::Absent).await.unwrap();
        assert!(sealed.get("c").await.unwrap_err().why.contains("is not sealed"));
        let mut bent = kept;
        let last = bent.len() - 1;
        bent[last] ^= 1;
        store.put("d", bent, Condition::Absent).await.unwrap();
        assert!(sealed.get("d").await.is_err());
    }
}
