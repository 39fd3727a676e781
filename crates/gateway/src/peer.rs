//! Which program is at the other end of a loopback connection. Advisory: it may have passed the socket on, and
//! on systems without `/proc` nothing is said.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A process as `/proc` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerProcess {
    /// Its process id.
    pub pid: u32,
    /// Its executable, where it may be read.
    pub exe: Option<PathBuf>,
}

/// The answer for one connection, looked up once.
pub(crate) type PeerLookup = Shared<BoxFuture<'static, Option<PeerProcess>>>;

/// Starts the lookup beside the connection's first request. When many connections arrive at once some go without:
/// walking `/proc` must not hold up work.
pub(crate) fn look_up(at_once: &Arc<Semaphore>, client: SocketAddrV4, gateway: SocketAddrV4) -> PeerLookup {
    let Ok(permit) = at_once.clone().try_acquire_owned() else {
        return futures::future::ready(None).boxed().shared();
    };
    let task = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        find(Path::new("/proc"), client, gateway)
    });
    task.map(|found| found.ok().flatten()).boxed().shared()
}

fn find(proc: &Path, client: SocketAddrV4, gateway: SocketAddrV4) -> Option<PeerProcess> {
    let table = std::fs::read_to_string(proc.join("net/tcp")).ok()?;
    let inode = inode_of(&table, client, gateway)?;
    let mut pids: Vec<u32> = std::fs::read_dir(proc)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    // A tool that has just connected has mostly just been started.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    let socket = PathBuf::from(format!("socket:[{inode}]"));
    let pid = pids.into_iter().find(|pid| holds(&proc.join(pid.to_string()), &socket))?;
    let exe = std::fs::read_link(proc.join(pid.to_string()).join("exe")).ok();
    Some(PeerProcess { pid, exe })
}

/// Whether one of the process's descriptors is that socket; a process of somebody else shows none.
fn holds(process: &Path, socket: &Path) -> bool {
    let Ok(descriptors) = std::fs::read_dir(process.join("fd")) else {
        return false;
    };
    descriptors.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|to| to == *socket))
}

/// The inode of the client's side of a connection, from `/proc/net/tcp` (proc(5)): addresses are hexadecimal, the
/// IPv4 part in the machine's byte order, the port in the network's.
fn inode_of(table: &str, client: SocketAddrV4, gateway: SocketAddrV4) -> Option<u64> {
    let (local, remote) = (hex(client), hex(gateway));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (_slot, from, to) = (fields.next()?, fields.next()?, fields.next()?);
        if from != local || to != remote {
            return None;
        }
        // After the addresses: state, queues, timer, retransmits, uid, timeout, inode.
        fields.nth(6)?.parse().ok().filter(|inode| *inode != 0)
    })
}

fn hex(address: SocketAddrV4) -> String {
    format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11111 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 22222 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 02:000000A7 00000000  1000        0 33333 2 0 20 4 30 10 -1
";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_clients_side_of_the_connection_is_found() {
        let (client, gateway) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        assert_eq!(inode_of(TABLE, client, gateway), Some(33333));
        assert_eq!(inode_of(TABLE, gateway, client), Some(22222));
        assert_eq!(inode_of(TABLE, "127.0.0.1:1".parse().unwrap(), gateway), None);
        assert_eq!(inode_of("", client, gateway), None);
        assert_eq!(inode_of("x\n1: 2", client, gateway), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn our_own_connection_is_ours() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let v4 = |address: std::net::SocketAddr| match address {
            std::net::SocketAddr::V4(address) => address,
            std::net::SocketAddr::V6(_) => panic!("bound to IPv4"),
        };
        let found =
            find(Path::new("/proc"), v4(client.local_addr().unwrap()), v4(listener.local_addr().unwrap()));
        assert_eq!(found.map(|peer| peer.pid), Some(std::process::id()));
    }
}
