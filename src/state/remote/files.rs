//! A state in files of a workspace or of a volume of Unity Catalog.
//!
//! Neither API can say "replace only this version"; both can say "create only what is not there" (`overwrite=false`), and
//! that is all that numbered generations need.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::objects::{About, Condition, Locking, Object, ObjectError, Objects, Put, Tag, fits};
use crate::client::{ApiError, ApiErrorKind, BoxFuture, Client};
use crate::kinds::{Call, Repeat};
use crate::model::{Map, Value};

/// Connects to the workspace that keeps the files; called with the first request.
pub type Connect = Box<dyn Fn() -> Result<Client, ObjectError> + Send + Sync>;

/// Which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Files of the workspace's tree, by `/api/2.0/workspace`: at most 10 MB each.
    Workspace,
    /// Files of a volume, by `/api/2.0/fs`.
    Volume,
}

/// A folder of files as a store. Everything in it belongs to one environment.
pub struct Files {
    sort: Sort,
    folder: String,
    connect: Connect,
    client: Mutex<Option<Client>>,
}

/// How a request for a file that is not there, or may not be, ended.
enum Missed {
    /// There is no such path.
    Absent,
    /// There is one already.
    There,
    /// Anything else.
    Failed(ObjectError),
}

impl Files {
    /// The files below `folder` (`/Shared/brickform`, `/Volumes/main/ops/state`), an environment's in a folder of their own.
    #[must_use]
    pub fn new(sort: Sort, folder: &str, environment: &str, connect: Connect) -> Self {
        Self { sort, folder: format!("{folder}/{environment}"), connect, client: Mutex::default() }
    }

    fn client(&self) -> Result<Client, ObjectError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.is_none() {
            *client = Some((self.connect)()?);
        }
        Ok(client.clone().expect("it was made above"))
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    /// A call about a path: operation, whether the path goes into the body (`path`), the query (`path`) or the URL.
    fn call(&self, op: &'static str, path: &str) -> Call {
        let pair = |name: &str| Map::from_iter([(name.to_owned(), Value::text(path))]);
        let mut call = Call { op, path: Map::new(), query: Map::new(), body: None, why: "state", repeat: Repeat::Safe };
        match op {
            "workspace.workspace.list" | "workspace.workspace.export" => call.query = pair("path"),
            "files.files.list_directory_contents" | "files.files.create_directory" | "files.files.delete_directory" => {
                call.path = pair("directory_path");
            }
            _ if self.sort == Sort::Volume => call.path = pair("file_path"),
            _ => call.body = Some(Value::Map(pair("path"))),
        }
        call
    }

    fn missed(&self, error: &ApiError) -> Missed {
        match error.kind {
            ApiErrorKind::NotFound => Missed::Absent,
            // By code where there is one: a workspace answers 400, and 409 also says that others are at it right now.
            ApiErrorKind::Conflict if error.code.is_empty() || error.code.ends_with("ALREADY_EXISTS") => Missed::There,
            _ => Missed::Failed(self.failed(error)),
        }
    }

    fn failed(&self, error: &ApiError) -> ObjectError {
        let help = match (error.kind, self.sort) {
            _ if error.code == "MAX_NOTEBOOK_SIZE_EXCEEDED" => {
                vec!["a file of a workspace holds at most 10 MB: move the state to a volume or a bucket with `brickform state migrate --to URL`".to_owned()]
            }
            (ApiErrorKind::Forbidden, Sort::Workspace) => vec![format!("whoever runs this needs Can Manage on {}", self.folder)],
            (ApiErrorKind::Forbidden | ApiErrorKind::NotFound, Sort::Volume) => vec![format!(
                "the volume has to be there, and whoever runs this needs READ VOLUME and WRITE VOLUME on it ({})",
                self.folder
            )],
            (ApiErrorKind::Unauthenticated, _) => {
                vec!["the state is kept with the workspace's own credentials: `brickform auth describe` says which".to_owned()]
            }
            _ => vec![],
        };
        let credentials = matches!(error.kind, ApiErrorKind::Unauthenticated | ApiErrorKind::Forbidden);
        let about = if credentials { About::Credentials } else { About::Anything };
        ObjectError { why: format!("{}: {error}", error.request), help, about }
    }

    /// Writes a file that is not there yet.
    async fn create(&self, path: &str, bytes: &[u8]) -> Result<(), Missed> {
        let client = self.client().map_err(Missed::Failed)?;
        let sent = match self.sort {
            Sort::Workspace => {
                let mut call = self.call("workspace.workspace.import_", path);
                let members = [("format", Value::text("RAW")), ("overwrite", false.into()), ("content", Value::Text(BASE64.encode(bytes)))];
                if let Some(Value::Map(body)) = &mut call.body {
                    body.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
                }
                client.call(&call).await
            }
            Sort::Volume => {
                let mut call = self.call("files.files.upload", path);
                call.query.insert("overwrite".to_owned(), false.into());
                client.upload(&call, bytes.to_vec()).await
            }
        };
        sent.map(drop).map_err(|error| self.missed(&error))
    }

    /// Makes the folder of a file, and those above it.
    async fn make_folder_of(&self, path: &str) -> Result<(), ObjectError> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let op = if self.sort == Sort::Volume { "files.files.create_directory" } else { "workspace.workspace.mkdirs" };
        self.client()?.call(&self.call(op, folder)).await.map(drop).map_err(|error| self.failed(&error))
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<Put, ObjectError> {
        fits(name, bytes.len() as u64)?;
        let path = self.path(name);
        let mut made = false;
        loop {
            match self.create(&path, bytes).await {
                // A generation is told from another by its number: there is nothing to compare.
                Ok(()) => return Ok(Put::Done(Tag(String::new()))),
                Err(Missed::There) => return Ok(Put::Refused),
                Err(Missed::Absent) if !made => self.make_folder_of(&path).await?,
                Err(Missed::Absent) => {
                    return Err(ObjectError::new(format!("{path} cannot be made: its folder goes away again and again")));
                }
                Err(Missed::Failed(error)) => return Err(error),
            }
            made = true;
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, ObjectError> {
        let path = self.path(name);
        let op = if self.sort == Sort::Volume { "files.files.download" } else { "workspace.workspace.export" };
        let mut call = self.call(op, &path);
        if self.sort == Sort::Workspace {
            call.query.insert("format".to_owned(), "AUTO".into());
        }
        let reply = match self.client()?.call(&call).await {
            Ok(reply) => reply,
            Err(error) => {
                return match self.missed(&error) {
                    Missed::Absent => Ok(None),
                    _ => Err(self.failed(&error)),
                };
            }
        };
        let bytes = match self.sort {
            Sort::Volume => reply.bytes,
            Sort::Workspace => {
                let content = reply.body.get("content").and_then(Value::as_str).unwrap_or_default();
                BASE64.decode(content).map_err(|_| ObjectError::new(format!("{path}: what the workspace exports is no base64")))?
            }
        };
        fits(name, bytes.len() as u64)?;
        Ok(Some(Object { bytes, tag: Tag(String::new()) }))
    }

    /// The names in a folder: each with whether it is a folder itself. Empty where there is no such folder.
    async fn entries(&self, folder: &str) -> Result<Vec<(String, bool)>, ObjectError> {
        let op = if self.sort == Sort::Volume { "files.files.list_directory_contents" } else { "workspace.workspace.list" };
        let items = match self.client()?.list(&self.call(op, folder)).await {
            Ok(items) => items,
            Err(error) => {
                return match self.missed(&error) {
                    Missed::Absent => Ok(vec![]),
                    _ => Err(self.failed(&error)),
                };
            }
        };
        let entry = |item: &Value| {
            let path = item.get("path")?.as_str()?.trim_end_matches('/');
            let is_folder = item.get("is_directory").and_then(Value::as_bool) == Some(true)
                || item.get("object_type").and_then(Value::as_str) == Some("DIRECTORY");
            // Replies name a workspace's path with `/Workspace` in front or without: the last part is the same.
            Some((path.rsplit('/').next()?.to_owned(), is_folder))
        };
        Ok(items.iter().filter_map(entry).collect())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        let mut names = Vec::new();
        let mut folders = vec![prefix.trim_end_matches('/').to_owned()];
        while let Some(folder) = folders.pop() {
            let path = if folder.is_empty() { self.folder.clone() } else { self.path(&folder) };
            for (name, is_folder) in self.entries(&path).await? {
                let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if is_folder { folders.push(name) } else { names.push(name) }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    async fn delete(&self, name: &str) -> Result<(), ObjectError> {
        let op = if self.sort == Sort::Volume { "files.files.delete" } else { "workspace.workspace.delete" };
        match self.client()?.call(&self.call(op, &self.path(name))).await {
            Ok(_) => {}
            Err(error) => match self.missed(&error) {
                Missed::Absent => return Ok(()),
                _ => return Err(self.failed(&error)),
            },
        }
        // An apply's journal has a folder of its own: it goes with its last segment. The servers keep one that is not empty.
        if let Some((folder, _)) = name.rsplit_once('/').filter(|(folder, _)| folder.starts_with("journal/")) {
            let op = if self.sort == Sort::Volume { "files.files.delete_directory" } else { op };
            let _ = self.client()?.call(&self.call(op, &self.path(folder))).await;
        }
        Ok(())
    }
}

impl Objects for Files {
    fn place(&self) -> String {
        match self.sort {
            Sort::Workspace => format!("workspace:{}", self.folder),
            Sort::Volume => format!("volume:{}", self.folder),
        }
    }

    fn locking(&self) -> Locking {
        Locking::Generations
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        Box::pin(self.get(name))
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        Box::pin(async move {
            match condition {
                Condition::Absent => self.put(name, &bytes).await,
                Condition::Same(_) => Err(ObjectError::new("files of a workspace cannot be replaced by version")),
            }
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>> {
        Box::pin(self.list(prefix))
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(self.delete(name))
    }
}
