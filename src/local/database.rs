//! The database file: what is loaded at the start, and a thread that writes batches.
//!
//! An answered write survives `kill -9` and a power cut: its batch was committed and flushed before the answer. Requests
//! that wait at the same time share one commit, so the cost of a flush is divided by how many are in flight.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::oneshot;

use super::LocalError;
use super::store::{Batch, Store};
use crate::model::json;

const OBJECTS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("objects");
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
const WORKSPACE: TableDefinition<&str, u64> = TableDefinition::new("workspace");

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most batches in one commit.
const MOST: usize = 512;

struct Job {
    batch: Batch,
    done: oneshot::Sender<Result<(), String>>,
}

/// The writing side of the database file. Dropping it closes the file.
pub struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// What a database file held.
pub struct Opened {
    /// Its objects and counters.
    pub store: Store,
    /// Its workspace id; none in a new file.
    pub workspace_id: Option<u64>,
    /// The writing side.
    pub writer: Writer,
}

/// Opens or makes the file, loads it and starts its writer.
///
/// # Errors
/// [`LocalError::InUse`] after five seconds; [`LocalError::Open`].
pub fn open(file: &Path) -> Result<Opened, LocalError> {
    let fail = |why: String| LocalError::Open { path: file.display().to_string(), why };
    if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| fail(e.to_string()))?;
    }
    let database = acquire(file)?;
    let (store, workspace_id) = load(&database).map_err(|e| fail(e.to_string()))?;
    let (queue, jobs) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("local-writer".to_owned())
        .spawn(move || write_all(&database, &jobs))
        .map_err(|e| fail(e.to_string()))?;
    Ok(Opened { store, workspace_id, writer: Writer { queue: Some(queue), thread: Some(thread) } })
}

/// Makes the file whole under another name before it takes its own: a process killed half-way leaves nothing that cannot
/// be opened. Another process may be first; then its file stays.
fn make(file: &Path) -> Result<(), String> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let new = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(|e| e.to_string())?;
    drop(Database::create(new.path()).map_err(|e| e.to_string())?);
    match new.persist_noclobber(file) {
        Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.error.to_string()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Bytes of pages kept: everything is read once, into the store, and from then on only written.
const CACHE: usize = 4 << 20;

fn acquire(file: &Path) -> Result<Database, LocalError> {
    if !file.exists() {
        make(file).map_err(|why| LocalError::Open { path: file.display().to_string(), why })?;
    }
    let start = Instant::now();
    loop {
        match Database::builder().set_cache_size(CACHE).create(file) {
            Ok(database) => return Ok(database),
            Err(redb::DatabaseError::DatabaseAlreadyOpen) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => {
                return Err(LocalError::InUse { path: file.display().to_string(), seconds: PATIENCE.as_secs() });
            }
            Err(error) => return Err(LocalError::Open { path: file.display().to_string(), why: error.to_string() }),
        }
    }
}

fn load(database: &Database) -> Result<(Store, Option<u64>), redb::Error> {
    let mut store = Store::default();
    let write = database.begin_write()?;
    write.open_table(OBJECTS)?;
    write.open_table(COUNTERS)?;
    write.open_table(WORKSPACE)?;
    write.commit()?;
    let read = database.begin_read()?;
    for entry in read.open_table(OBJECTS)?.iter()? {
        let (key, bytes) = entry?;
        let (collection, id) = key.value();
        let value = json::parse(bytes.value()).map_err(|e| redb::Error::Corrupted(format!("{collection}/{id}: {e}")))?;
        store.load(collection, id, value);
    }
    for entry in read.open_table(COUNTERS)?.iter()? {
        let (name, value) = entry?;
        store.load_counter(name.value(), value.value());
    }
    let id = read.open_table(WORKSPACE)?.get("id")?.map(|id| id.value());
    Ok((store, id))
}

fn write_all(database: &Database, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut together = vec![first];
        together.extend(std::iter::from_fn(|| jobs.try_recv().ok()).take(MOST - 1));
        let result = commit(database, together.iter().map(|job| &job.batch)).map_err(|e| e.to_string());
        for job in together {
            // Whoever asked may have gone (its connection was cut); the write stands all the same.
            let _gone = job.done.send(result.clone());
        }
    }
}

fn commit<'a>(database: &Database, batches: impl Iterator<Item = &'a Batch>) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    {
        let mut objects = write.open_table(OBJECTS)?;
        let mut counters = write.open_table(COUNTERS)?;
        let mut workspace = write.open_table(WORKSPACE)?;
        for batch in batches {
            for ((collection, id), value) in &batch.objects {
                match value {
                    None => drop(objects.remove((collection.as_str(), id.as_str()))?),
                    Some(value) => {
                        let text = json::write(value).map_err(|e| redb::Error::Corrupted(e.to_string()))?;
                        objects.insert((collection.as_str(), id.as_str()), text.as_bytes())?;
                    }
                }
            }
            for (name, value) in &batch.counters {
                if name == super::core::WORKSPACE_ID {
                    workspace.insert("id", value)?;
                } else {
                    counters.insert(name.as_str(), value)?;
                }
            }
        }
    }
    write.commit()?;
    Ok(())
}

impl Writer {
    /// Queues a batch. The receiver answers once it is on disk.
    pub fn write(&self, batch: Batch) -> oneshot::Receiver<Result<(), String>> {
        let (done, receiver) = oneshot::channel();
        if let Some(queue) = &self.queue {
            // A writer that has ended drops the sender inside; the receiver then says so.
            let _ended = queue.send(Job { batch, done });
        }
        receiver
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
