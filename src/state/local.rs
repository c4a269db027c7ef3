//! A state in a folder of this machine: one file, and beside it `FILE.journal`, `FILE.lock`, `FILE.blobs/` and
//! `FILE.versions/`.
//!
//! Files are replaced whole and flushed with their folder; the lock is the operating system's, so a crash lets go of it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::format::{self, Trust};
use super::journal::{Journal, read_lines, write_lines};
use super::store::{Side, Waiting};
use super::{Document, Flush, LockInfo, Note, Record, StateError, Store, Version, check_journal, check_newest, check_owner, cut_off, fold};
use crate::model::{Fingerprint, Outside, bounded};

mod mend;

/// How many versions are kept.
const VERSIONS: usize = 20;
/// How often somebody who waits for the lock looks.
const LOOK: Duration = Duration::from_millis(200);

/// A state in a folder of this machine.
pub struct Local {
    file: PathBuf,
    project: String,
    environment: String,
    outside: Outside,
    open: Mutex<Open>,
}

/// What this process holds open.
#[derive(Default)]
struct Open {
    lock: Option<File>,
    journal: Option<OpenJournal>,
    /// What is kept beside the next versions.
    note: Option<Note>,
}

struct OpenJournal {
    file: File,
    next: u64,
}

impl Local {
    /// The state in this file, of this project and environment. Nothing is read or made yet.
    #[must_use]
    pub fn at(file: &Path, project: &str, environment: &str, outside: &Outside) -> Self {
        Self {
            file: file.to_owned(),
            project: project.to_owned(),
            environment: environment.to_owned(),
            outside: outside.clone(),
            open: Mutex::default(),
        }
    }

    /// Where an environment's state is unless something else is said: `.brickform/state/ENV.json` in the project's folder.
    #[must_use]
    pub fn default_file(folder: &Path, environment: &str) -> PathBuf {
        folder.join(".brickform").join("state").join(format!("{environment}.json"))
    }

    /// Where `--state FILE` keeps an environment's state: `FILE.ENV`.
    #[must_use]
    pub fn file_beside(file: &Path, environment: &str) -> PathBuf {
        beside(file, environment)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal_file(&self) -> PathBuf {
        beside(&self.file, "journal")
    }

    fn lock_file(&self) -> PathBuf {
        beside(&self.file, "lock")
    }

    fn versions(&self) -> PathBuf {
        beside(&self.file, "versions")
    }

    fn blobs(&self) -> PathBuf {
        beside(&self.file, "blobs")
    }

    fn io(&self, verb: &'static str) -> impl Fn(io::Error) -> StateError {
        let place = self.place();
        move |error| StateError::Io { place: place.clone(), verb, why: error.to_string() }
    }

    fn damaged(&self, why: String) -> StateError {
        StateError::Damaged { place: self.place(), why }
    }

    fn document(&self) -> Result<Option<Document>, StateError> {
        self.document_in(&self.file)
    }

    fn document_in(&self, file: &Path) -> Result<Option<Document>, StateError> {
        let Some(bytes) = read_if_there(file).map_err(self.io("read"))? else { return Ok(None) };
        self.read(&bytes, &file.display().to_string(), Trust::AsWritten).map(Some)
    }

    /// A document of this project and environment; `place`: where it comes from.
    fn read(&self, bytes: &[u8], place: &str, trust: Trust) -> Result<Document, StateError> {
        let document = format::read(bytes, &|digest| self.blob(digest), trust).map_err(|fault| fault.of(place))?;
        check_owner(place, &document, &self.project, &self.environment)?;
        Ok(document)
    }

    fn blob(&self, digest: &str) -> Result<String, String> {
        if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!("`{digest}` is no digest of a blob"));
        }
        let text = fs::read_to_string(self.blobs().join(digest)).map_err(|e| format!("its text {digest} cannot be read: {e}"))?;
        if Fingerprint::of(text.as_bytes()).0 == digest { Ok(text) } else { Err(format!("its text {digest} is damaged")) }
    }

    fn journal(&self) -> Result<Journal, StateError> {
        let bytes = read_if_there(&self.journal_file()).map_err(self.io("read"))?.unwrap_or_default();
        self.lines(&bytes)
    }

    fn lines(&self, bytes: &[u8]) -> Result<Journal, StateError> {
        read_lines(bytes).map_err(|why| self.damaged(format!("{why} ({})", self.journal_file().display())))
    }

    fn open_journal(&self) -> Result<OpenJournal, StateError> {
        let path = self.journal_file();
        make_parent(&path).map_err(self.io("written"))?;
        let mut file = private().read(true).write(true).create(true).truncate(false).open(&path).map_err(self.io("written"))?;
        let mut bytes = Vec::new();
        if let Ok(metadata) = file.metadata()
            && metadata.len() > bounded::RECORD
        {
            return Err(self.damaged(format!("its journal is larger than {} MiB ({})", bounded::RECORD >> 20, path.display())));
        }
        file.read_to_end(&mut bytes).map_err(self.io("read"))?;
        let journal = self.lines(&bytes)?;
        file.set_len(journal.whole as u64).map_err(self.io("written"))?;
        file.seek(SeekFrom::End(0)).map_err(self.io("written"))?;
        sync_folder(&path).map_err(self.io("written"))?;
        Ok(OpenJournal { file, next: journal.records.len() as u64 + 1 })
    }

    fn keep_version(&self, document: &Document, bytes: &[u8], by: &str, note: Option<Note>) -> io::Result<()> {
        self.keep_with(bytes, &Side::now(document, by, note, &self.outside))
    }

    fn keep_with(&self, bytes: &[u8], side: &Side) -> io::Result<()> {
        let folder = self.versions();
        fs::create_dir_all(&folder)?;
        write_whole(&folder.join(format!("{}.json", side.serial)), bytes)?;
        let mut text = serde_json::to_vec_pretty(side)?;
        text.push(b'\n');
        write_whole(&folder.join(format!("{}.side.json", side.serial)), &text)
    }

    /// Removes versions beyond the newest twenty, then blobs that nothing kept refers to.
    fn prune(&self, blobs: &BTreeSet<String>) -> io::Result<()> {
        let mut serials = self.serials()?;
        serials.reverse();
        for serial in serials.iter().skip(VERSIONS) {
            fs::remove_file(self.versions().join(format!("{serial}.json")))?;
            remove_if_there(&self.versions().join(format!("{serial}.side.json")))?;
        }
        let Some(kept) = list_if_there(&self.blobs())? else { return Ok(()) };
        if kept.iter().all(|name| blobs.contains(name)) {
            return Ok(());
        }
        let mut texts = Vec::new();
        for serial in serials.iter().take(VERSIONS) {
            texts.push(fs::read_to_string(self.versions().join(format!("{serial}.json")))?);
        }
        for name in kept.iter().filter(|name| !blobs.contains(*name) && !texts.iter().any(|t| t.contains(name.as_str()))) {
            fs::remove_file(self.blobs().join(name))?;
        }
        Ok(())
    }

    /// The serials of the versions kept, ascending.
    fn serials(&self) -> io::Result<Vec<u64>> {
        let names = list_if_there(&self.versions())?.unwrap_or_default();
        let mut serials: Vec<u64> = names.iter().filter_map(|n| n.strip_suffix(".json")?.parse().ok()).collect();
        serials.sort_unstable();
        Ok(serials)
    }

    /// Keeps what applies wrote that did not come to their end: the journal, which goes with the next save, is all they left.
    fn keep_cut_off(&self, saved: u64) -> Result<(), StateError> {
        // What cannot be read any more is being replaced.
        let (Ok(journal), Ok(Some(document))) = (self.journal(), self.document()) else { return Ok(()) };
        // The document is written before its version is: a crash in between left it out.
        if document.serial < saved && !self.serials().map_err(self.io("read"))?.contains(&document.serial) {
            let bytes = fs::read(&self.file).map_err(self.io("read"))?;
            self.keep_version(&document, &bytes, "apply", None).map_err(self.io("written"))?;
        }
        for (version, note, document) in cut_off(&document, &journal.records) {
            if version.serial < saved {
                let written = format::write(&document).map_err(|why| StateError::Unwritable { place: self.place(), why })?;
                let kept = self.keep_blobs(&written).and_then(|()| self.keep_version(&document, &written.bytes, &version.by, note));
                kept.map_err(self.io("written"))?;
            }
        }
        Ok(())
    }

    fn keep_blobs(&self, written: &format::Written) -> io::Result<()> {
        if !written.blobs.is_empty() {
            fs::create_dir_all(self.blobs())?;
        }
        for (digest, text) in &written.blobs {
            let path = self.blobs().join(digest);
            if !path.exists() {
                write_whole(&path, text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn write(&self, document: &Document, written: &format::Written, by: &str) -> io::Result<()> {
        make_parent(&self.file)?;
        self.keep_blobs(written)?;
        // In this order, so that a version is never newer than the document.
        write_whole(&self.file, &written.bytes)?;
        let note = self.open().note.clone();
        self.keep_version(document, &written.bytes, by, note)
    }
}

impl Store for Local {
    fn place(&self) -> String {
        self.file.display().to_string()
    }

    fn load(&self) -> Result<Option<Document>, StateError> {
        if let Some(moved) = self.moved()? {
            return Err(moved.error(self.place()));
        }
        let journal = self.journal()?;
        let kept = self.serials().map_err(self.io("read"))?.pop();
        let Some(document) = self.document()? else {
            // One that was deleted is never an empty one: everything would be created a second time.
            let gone = |what: &str| Err(self.damaged(format!("the document itself is missing, but {what}")));
            return match kept {
                _ if !journal.records.is_empty() => gone("its journal is there"),
                Some(serial) => gone(&format!("a version is kept (serial {serial})")),
                None => Ok(None),
            };
        };
        check_journal(&self.place(), &document, &journal.records)?;
        let document = fold(document, &journal.records);
        check_newest(&self.place(), &document, kept)?;
        Ok(Some(document))
    }

    fn lock(&self, info: &LockInfo, waiting: Waiting<'_>) -> Result<Option<LockInfo>, StateError> {
        let path = self.lock_file();
        make_parent(&path).map_err(self.io("locked"))?;
        let mut file = private().read(true).write(true).create(true).truncate(false).open(&path).map_err(self.io("locked"))?;
        let begun = self.outside.now();
        let mut said = None;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(self.io("locked")(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let holder = self.holder().map_or_else(|| "another process".to_owned(), |info| info.to_string());
            let waited = Duration::try_from(self.outside.now().duration_since(begun)).unwrap_or_default();
            if waited >= waiting.wait {
                return Err(StateError::Locked { place: self.place(), holder, lease: None });
            }
            if said.as_ref() != Some(&holder) {
                (waiting.say)(format!("waiting for {holder}"));
                said = Some(holder);
            }
            std::thread::sleep(LOOK);
        }
        let json = serde_json::to_string(info).map_err(|e| self.io("locked")(e.into()))?;
        file.set_len(0).and_then(|()| file.write_all(json.as_bytes())).map_err(self.io("locked"))?;
        self.open().lock = Some(file);
        // The operating system takes the lock from a process that ends: there is nobody to take it over from.
        Ok(None)
    }

    fn unlock(&self) {
        let mut open = self.open();
        open.journal = None;
        open.note = None;
        if let Some(file) = open.lock.take() {
            // Closing the file lets go of the lock as well, so a failure here changes nothing.
            let _ = file.set_len(0);
            let _ = file.unlock();
        }
    }

    fn holder(&self) -> Option<LockInfo> {
        let mut file = File::open(self.lock_file()).ok()?;
        if file.try_lock_shared().is_ok() {
            return None;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError> {
        let mut open = self.open();
        let mut journal = match open.journal.take() {
            Some(journal) => journal,
            None => self.open_journal()?,
        };
        let lines = write_lines(records, journal.next).map_err(|why| StateError::Unwritable { place: self.place(), why })?;
        // After a failed write the journal stays closed: the next append reads it again and cuts a torn line off.
        journal.file.write_all(&lines).map_err(self.io("written"))?;
        if flush == Flush::Now {
            journal.file.sync_data().map_err(self.io("written"))?;
        }
        journal.next += records.len() as u64;
        open.journal = Some(journal);
        Ok(())
    }

    fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        let written = format::write(document).map_err(|why| StateError::Unwritable { place: self.place(), why })?;
        self.keep_cut_off(document.serial)?;
        self.write(document, &written, by).map_err(self.io("written"))?;
        self.open().journal = None;
        remove_if_there(&self.journal_file()).map_err(self.io("written"))?;
        let blobs = written.blobs.into_keys().collect();
        self.prune(&blobs).map_err(self.io("written"))
    }

    fn annotate(&self, note: Note) {
        self.open().note = Some(note);
    }

    fn noted(&self) -> Option<Note> {
        self.open().note.clone()
    }

    fn kept(&self, serial: u64) -> Result<Option<Document>, StateError> {
        self.document_in(&self.versions().join(format!("{serial}.json")))
    }

    fn history(&self) -> Result<Vec<Version>, StateError> {
        let serials = self.serials().map_err(self.io("read"))?;
        // The versions are told of also where the document or its journal are damaged: that is when they are asked for.
        let records = self.journal().map(|journal| journal.records).unwrap_or_default();
        let open = if records.is_empty() { None } else { self.document().ok().flatten() };
        let open = open.map(|document| cut_off(&document, &records)).unwrap_or_default();
        let open = open.into_iter().filter(|(version, ..)| !serials.contains(&version.serial)).map(|(version, ..)| version);
        let mut all: Vec<Version> = serials.iter().map(|serial| self.version(*serial)).chain(open).collect();
        all.sort_by_key(|version| std::cmp::Reverse(version.serial));
        Ok(all)
    }
}

impl Local {
    fn version(&self, serial: u64) -> Version {
        let side = fs::read(self.versions().join(format!("{serial}.side.json"))).ok();
        side.and_then(|bytes| serde_json::from_slice::<Side>(&bytes).ok()).map_or_else(|| Version::unknown(serial), Version::from)
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match bounded::read(path, bounded::RECORD) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// The names in a folder, sorted; none if there is no such folder.
fn list_if_there(folder: &Path) -> io::Result<Option<Vec<String>>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(Some(names))
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// A file for its owner alone: states hold names and settings.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Replaces a file whole: readers see the old bytes or the new ones, also after a power cut.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    sync_folder(path)
}

/// Makes the names in a file's folder durable; only Unix knows how to.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
