//! Files that are read whole, as far as their size allows: nothing fills the memory, and what is no text is not parsed as such.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The largest file of YAML: ten times what a hundred thousand small resources take.
pub const YAML: u64 = 64 << 20;
/// The largest file that the workspace takes (500 MB), and some more, so that the kind's own limit is what is told.
pub const CONTENT: u64 = 512 << 20;
/// The largest plan, state or journal.
pub const RECORD: u64 = 1 << 30;
/// The largest note beside a shared state: who holds it, when a version was written, where it was moved.
pub const NOTE: u64 = 1 << 20;
/// The largest file of credentials: profiles, a secret.
pub const CREDENTIALS: u64 = 1 << 20;

/// The bytes of a file.
///
/// # Errors
/// It cannot be read; [`io::ErrorKind::InvalidData`]: it is larger than this.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    let size = metadata.len();
    if metadata.is_file() && size > most {
        return Err(too_large(size, most));
    }
    let mut bytes = Vec::new();
    // It may grow while it is read; a pipe or a device does not say its size.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(bytes.len() as u64, most)) } else { Ok(bytes) }
}

/// The same of a file of a project. A pipe or a device is none: reading it may never end.
///
/// # Errors
/// As [`read`]; [`io::ErrorKind::InvalidInput`]: it is no file.
pub fn own(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file"));
    }
    read(path, most)
}

/// The text of a file.
///
/// # Errors
/// As [`read`]; [`io::ErrorKind::InvalidData`] also where it is not UTF-8, or holds bytes that no text has.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    let bytes = read(path, most)?;
    if let Some(why) = binary(&bytes) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Why bytes are no text, if they hold a NUL: the sign of a binary file, and of UTF-16.
#[must_use]
pub fn binary(bytes: &[u8]) -> Option<String> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    let line = bytes[..at].split(|byte| *byte == b'\n').count();
    Some(format!("it is no text: it holds a NUL byte in line {line}"))
}

fn too_large(size: u64, most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is too large: {}", sizes(size, most)))
}

/// `1025.5 MiB of at most 1024.0 MiB`
#[must_use]
pub fn sizes(size: u64, most: u64) -> String {
    let mebibytes = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes & ((1 << 20) - 1)) * 10) >> 20);
    format!("{} of at most {}", mebibytes(size), mebibytes(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_sorts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for (bytes, most, want) in [
            (&b"abc"[..], 3, Ok("abc")),
            (b"abcd", 3, Err("it is too large: 0.0 MiB of at most 0.0 MiB")),
            (b"a\nb\0c", 9, Err("it is no text: it holds a NUL byte in line 2")),
            (b"\xff\xfea\0", 9, Err("it is no text: it holds a NUL byte in line 1")),
            (b"\xff\xfe", 9, Err("it is not UTF-8 text")),
            (b"", 0, Ok("")),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let got = text(&path, most).map_err(|error| error.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), want, "{bytes:?}");
        }
        // As large as it says it is, without a byte on the disk.
        File::create(&path).unwrap().set_len(RECORD + (3 << 19)).unwrap();
        let why = read(&path, RECORD).unwrap_err();
        assert_eq!(
            (why.kind(), why.to_string().as_str()),
            (io::ErrorKind::InvalidData, "it is too large: 1025.5 MiB of at most 1024.0 MiB")
        );
        assert_eq!(read(&folder.path().join("none"), 1).unwrap_err().kind(), io::ErrorKind::NotFound);
        #[cfg(unix)]
        {
            assert_eq!(own(Path::new("/dev/zero"), 1).unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert_eq!(read(Path::new("/dev/zero"), 1).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
