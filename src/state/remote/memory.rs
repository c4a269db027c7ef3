//! A store in memory: what the rules of a shared state are tried on, with stores of either sort, in bad weather.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::objects::{Condition, Locking, Object, ObjectError, Objects, Put, Tag};
use crate::client::BoxFuture;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It is answered.
    Fair,
    /// It fails before it does anything.
    Before,
    /// It is carried out, and the answer is lost.
    After,
}

/// Decides about each request: its number from 1, what is done (`get`, `put`, `list`, `delete`), the name.
pub type Sky = Arc<dyn Fn(u64, &str, &str) -> Weather + Send + Sync>;

/// Objects in memory. Clones see the same ones.
#[derive(Clone)]
pub struct Memory {
    shared: Arc<Mutex<Shared>>,
    locking: Locking,
    sky: Sky,
}

#[derive(Default)]
struct Shared {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    requests: u64,
    writes: u64,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new(locking: Locking) -> Self {
        Self { shared: Arc::default(), locking, sky: Arc::new(|_, _, _| Weather::Fair) }
    }

    /// The same objects under another sky.
    #[must_use]
    pub fn under(&self, sky: Sky) -> Self {
        Self { sky, ..self.clone() }
    }

    /// The names that are there.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().objects.keys().cloned().collect()
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out<T>(&self, what: &str, name: &str, work: impl FnOnce(&mut Shared) -> T) -> Result<T, ObjectError> {
        let mut shared = self.lock();
        shared.requests += 1;
        match (self.sky)(shared.requests, what, name) {
            Weather::Fair => Ok(work(&mut shared)),
            Weather::Before => Err(ObjectError::new("the connection was refused")),
            Weather::After => {
                work(&mut shared);
                Err(ObjectError::new("the connection was cut"))
            }
        }
    }
}

impl Objects for Memory {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn locking(&self) -> Locking {
        self.locking
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.carry_out("get", name, |shared| {
                let (bytes, version) = shared.objects.get(name)?;
                Some(Object { bytes: bytes.clone(), tag: Tag(version.to_string()) })
            })
        })
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if self.locking == Locking::Generations && condition != Condition::Absent {
                return Err(ObjectError::new("this store only creates"));
            }
            self.carry_out("put", name, |shared| {
                let there = shared.objects.get(name).map(|(_, version)| Tag(version.to_string()));
                let holds = match &condition {
                    Condition::Absent => there.is_none(),
                    Condition::Same(tag) => there.as_ref() == Some(tag),
                };
                if !holds {
                    return Put::Refused;
                }
                shared.writes += 1;
                let version = shared.writes;
                shared.objects.insert(name.to_owned(), (bytes, version));
                Put::Done(Tag(version.to_string()))
            })
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.carry_out("list", prefix, |shared| shared.objects.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.carry_out("delete", name, |shared| drop(shared.objects.remove(name)))
        })
    }
}
