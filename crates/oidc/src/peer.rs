//! Whether the one who connects to the loopback listener is the person who runs this app: its address can be read by
//! every user of the machine in the browser's command line, and the answer to a sign-in is nobody else's to give.

use std::net::SocketAddr;

/// Whether the connection from `from` to `to` was made by a process of the user who runs this one. Where the system
/// does not say (there is no `/proc/net`), it counts as made by them.
pub(crate) async fn is_ours(from: SocketAddr, to: SocketAddr) -> bool {
    let looked = tokio::task::spawn_blocking(move || of_this_user(from, to)).await;
    looked.unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn of_this_user(_from: SocketAddr, _to: SocketAddr) -> bool {
    true
}

#[cfg(target_os = "linux")]
fn of_this_user(from: SocketAddr, to: SocketAddr) -> bool {
    listed_as_ours(std::path::Path::new("/proc"), from, to)
}

#[cfg(target_os = "linux")]
fn listed_as_ours(proc: &std::path::Path, from: SocketAddr, to: SocketAddr) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(us) = std::fs::metadata(proc.join("self")) else { return true };
    let mut readable = false;
    for table in ["net/tcp", "net/tcp6"] {
        // A system without IPv6 has one of them.
        let Ok(text) = std::fs::read_to_string(proc.join(table)) else { continue };
        readable = true;
        let mut ends = sallyport_model::tcp_sockets(&text);
        if let Some((_, _, peer)) = ends.find(|(local, remote, _)| (*local, *remote) == (from, to)) {
            // A socket that nobody holds any more is listed as of user 0; a browser holds on, for it wants an answer.
            return peer.inode.is_some() && peer.uid == us.uid();
        }
    }
    !readable
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn fault_b9_a_connection_of_another_user_is_told_from_ours() {
        let dir = tempfile::tempdir().unwrap();
        let us = fs::metadata("/proc/self").unwrap().uid();
        let (from, to): (SocketAddr, SocketAddr) =
            ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        let ours = |uid: u32, inode: u64| {
            let line = format!(
                "   0: 0100007F:C350 0100007F:1F90 01 0:0 02:0 0 {uid} 0 {inode} 2 0 20 4 30 10 -1\n"
            );
            fs::create_dir_all(dir.path().join("net")).unwrap();
            fs::create_dir_all(dir.path().join("self")).unwrap();
            fs::write(dir.path().join("net/tcp"), format!("head\n{line}")).unwrap();
            listed_as_ours(dir.path(), from, to)
        };
        assert!(ours(us, 7));
        assert!(!ours(us + 1, 7), "another user");
        assert!(!ours(us, 0), "nobody holds it");
        fs::write(dir.path().join("net/tcp"), "head\n").unwrap();
        assert!(!listed_as_ours(dir.path(), from, to), "gone already");
        fs::remove_file(dir.path().join("net/tcp")).unwrap();
        assert!(listed_as_ours(dir.path(), from, to), "the system does not say");
    }

    #[tokio::test]
    async fn fault_b9_our_own_connections_are_ours() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            assert!(is_ours(client.local_addr().unwrap(), listener.local_addr().unwrap()).await, "{address}");
        }
    }
}
