//! Reading the archives that `git archive --format=tar` writes: ustar with extended headers for long names.

/// One file or link.
pub struct Entry<'a> {
    /// Where, with `/`.
    pub path: String,
    /// Its bytes; empty for a link.
    pub content: &'a [u8],
    /// Where a link leads; empty for a file.
    pub link: String,
}

const BLOCK: usize = 512;

/// Files and links; folders and what else archives may hold is left out.
///
/// # Errors
/// It is cut off or no archive.
pub fn entries(bytes: &[u8]) -> Result<Vec<Entry<'_>>, &'static str> {
    let mut found = vec![];
    let mut at = 0;
    let (mut long_path, mut long_link) = (None, None);
    while let Some(header) = bytes.get(at..at + BLOCK) {
        if header.iter().all(|b| *b == 0) {
            return Ok(found);
        }
        let size = number(&header[124..136]).ok_or("the archive has a header that is none")?;
        let content = bytes.get(at + BLOCK..at + BLOCK + size).ok_or("the archive is cut off")?;
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
        match header[156] {
            b'x' => {
                for (name, value) in records(content) {
                    match name {
                        "path" => long_path = Some(value),
                        "linkpath" => long_link = Some(value),
                        _ => {}
                    }
                }
                continue;
            }
            sort @ (b'0' | 0 | b'2') => {
                let path = long_path.take().unwrap_or_else(|| joined(&header[345..500], &header[..100]));
                let link = long_link.take().unwrap_or_else(|| text(&header[157..257]));
                let is_link = sort == b'2';
                found.push(Entry { path, content, link: if is_link { link } else { String::new() } });
            }
            _ => {}
        }
        (long_path, long_link) = (None, None);
    }
    Err("the archive is cut off")
}

fn joined(prefix: &[u8], name: &[u8]) -> String {
    let (prefix, name) = (text(prefix), text(name));
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// An octal number, or one of base 256 where the first bit is set.
fn number(field: &[u8]) -> Option<usize> {
    if field[0] & 0x80 != 0 {
        return field[1..].iter().try_fold(0_usize, |n, b| n.checked_mul(256)?.checked_add(usize::from(*b)));
    }
    let digits = text(field);
    usize::from_str_radix(digits.trim_matches([' ', '\0']), 8).ok()
}

/// `27 path=some/long/name\n`, one after the other: the number counts the whole record.
fn records(mut content: &[u8]) -> Vec<(&str, String)> {
    let mut found = vec![];
    while let Some(space) = content.iter().position(|b| *b == b' ') {
        let length = std::str::from_utf8(&content[..space]).ok().and_then(|n| n.parse::<usize>().ok());
        let Some(record) = length.and_then(|n| content.get(space + 1..n)) else { break };
        let record = std::str::from_utf8(record).unwrap_or_default().trim_end_matches('\n');
        found.extend(record.split_once('=').map(|(name, value)| (name, value.to_owned())));
        content = &content[length.unwrap_or(content.len())..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, entries, records};

    fn header(name: &str, size: usize, sort: u8) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        let octal = format!("{size:011o}");
        block[124..135].copy_from_slice(octal.as_bytes());
        block[156] = sort;
        block
    }

    fn padded(content: &[u8]) -> Vec<u8> {
        let mut block = content.to_vec();
        block.resize(content.len().div_ceil(BLOCK) * BLOCK, 0);
        block
    }

    #[test]
    fn files_long_names_and_links_are_read() {
        let long = format!("12 path=a/{}\n", "b");
        let archive = [
            header("folder/", 0, b'5'),
            header("x", long.len(), b'x'),
            padded(long.as_bytes()),
            header("cut", 3, b'0'),
            padded(b"one"),
            header("plain.yaml", 0, b'0'),
            vec![0; 2 * BLOCK],
        ]
        .concat();
        let found: Vec<(String, Vec<u8>)> = entries(&archive).unwrap().into_iter().map(|e| (e.path, e.content.to_vec())).collect();
        assert_eq!(found, [("a/b".to_owned(), b"one".to_vec()), ("plain.yaml".to_owned(), vec![])]);
        assert!(entries(&archive[..BLOCK * 4]).is_err(), "what is cut off is said");
    }

    #[test]
    fn a_record_counts_itself() {
        assert_eq!(records(b"9 path=x\n18 linkpath=../yy\n"), [("path", "x".to_owned()), ("linkpath", "../yy".to_owned())]);
    }
}
