//! Ending the process at the other end of a loopback socket, as `kill -9` would.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::model::Outside;

/// Ends the process that holds the other end. Gives its process id; none if it is not found (or this is no Linux).
pub fn kill(outside: &Outside, peer: SocketAddr, own: SocketAddr) -> Option<u32> {
    let inode = inode(peer, own)?;
    let pid = holder(inode)?;
    let output = outside.system.run("kill", &["-9", &pid.to_string()], Path::new("/")).ok()?;
    (output.code == Some(0)).then_some(pid)
}

/// The socket's inode, by its two ends.
fn inode(local: SocketAddr, remote: SocketAddr) -> Option<u64> {
    let table = if local.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let text = std::fs::read_to_string(table).ok()?;
    let (local, remote) = (written(local), written(remote));
    text.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(1) == Some(&local.as_str()) && fields.get(2) == Some(&remote.as_str()))
            .then(|| fields.get(9).and_then(|inode| inode.parse().ok()))
            .flatten()
    })
}

/// An address as /proc/net/tcp writes it: words in the machine's byte order, hexadecimal.
fn written(address: SocketAddr) -> String {
    let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let ip = match address.ip() {
        IpAddr::V4(ip) => word(ip.octets()),
        IpAddr::V6(ip) => ip.octets().chunks_exact(4).map(|c| word([c[0], c[1], c[2], c[3]])).collect(),
    };
    format!("{ip}:{:04X}", address.port())
}

/// The process that holds a socket.
fn holder(inode: u64) -> Option<u32> {
    let wanted = PathBuf::from(format!("socket:[{inode}]"));
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        if files.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|link| link == wanted)) {
            return Some(pid);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::written;

    #[cfg(target_endian = "little")]
    #[test]
    fn addresses_as_the_kernel_writes_them() {
        assert_eq!(written("127.0.0.1:8080".parse().unwrap()), "0100007F:1F90");
        assert_eq!(written("[::1]:80".parse().unwrap()), "00000000000000000000000001000000:0050");
    }
}
