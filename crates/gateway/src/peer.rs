//! Who is at the other end of a loopback connection: which user, and which program. Where the system does not tell
//! (there is no `/proc`), nothing is said and the certificate alone decides.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use sallyport_model::{TcpSocket, tcp_sockets};
use std::collections::HashMap;
use std::net::{SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, Semaphore};

/// A process as `/proc` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerProcess {
    /// Its process id.
    pub pid: u32,
    /// Its executable, where it may be read.
    pub exe: Option<PathBuf>,
}

/// Whether another user made the connection. root is not kept out: it needs no port to get in.
pub(crate) fn is_strangers(socket: TcpSocket) -> bool {
    socket.uid != 0 && socket.uid != rustix::process::getuid().as_raw()
}

/// Connections as the kernel knows them: asked one by one, and where that is not allowed looked up in its list, which is
/// read once for all who wait for it.
#[derive(Default)]
pub(crate) struct Sockets {
    read: Mutex<Option<(Instant, Table)>>,
}

/// By the client's and the gateway's address.
type Table = HashMap<(SocketAddrV4, SocketAddrV4), TcpSocket>;

impl Sockets {
    /// The client's side of a connection that was there at `accepted`; `None` when it is gone, or the system does not
    /// tell.
    pub(crate) async fn find(
        &self,
        client: SocketAddrV4,
        gateway: SocketAddrV4,
        accepted: Instant,
    ) -> Option<TcpSocket> {
        match one(client, gateway) {
            Ok(Some(found)) => Some(found),
            // A socket that is not named is not one that nobody has: only the whole list says that.
            Ok(None) => self.listed(client, gateway, accepted).await,
            Err(error) => {
                tracing::debug!(%error, "the kernel can't be asked for one connection");
                self.listed(client, gateway, accepted).await
            }
        }
    }

    async fn listed(
        &self,
        client: SocketAddrV4,
        gateway: SocketAddrV4,
        accepted: Instant,
    ) -> Option<TcpSocket> {
        let mut read = self.read.lock().await;
        // An older list may show whoever had the client's port before.
        if read.as_ref().is_none_or(|(began, _)| *began < accepted) {
            let began = Instant::now();
            *read = tokio::task::spawn_blocking(move || (began, table(Path::new("/proc")))).await.ok();
        }
        read.as_ref().and_then(|(_, table)| table.get(&(client, gateway)).copied())
    }
}

#[cfg(target_os = "linux")]
fn one(client: SocketAddrV4, gateway: SocketAddrV4) -> std::io::Result<Option<TcpSocket>> {
    crate::sock_diag::find(client, gateway)
}

#[cfg(not(target_os = "linux"))]
fn one(_: SocketAddrV4, _: SocketAddrV4) -> std::io::Result<Option<TcpSocket>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// The answer for one connection, looked up once.
pub(crate) type PeerLookup = Shared<BoxFuture<'static, Option<PeerProcess>>>;

/// Starts the lookup beside the connection's first request. When many connections arrive at once some go without:
/// walking `/proc` must not hold up work.
pub(crate) fn look_up(at_once: &Arc<Semaphore>, socket: Option<TcpSocket>) -> PeerLookup {
    let none = || futures::future::ready(None).boxed().shared();
    let Some(inode) = socket.and_then(|socket| socket.inode) else { return none() };
    let Ok(permit) = at_once.clone().try_acquire_owned() else { return none() };
    let task = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        holder(Path::new("/proc"), inode)
    });
    task.map(|found| found.ok().flatten()).boxed().shared()
}

fn holder(proc: &Path, inode: u64) -> Option<PeerProcess> {
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

/// Every connection between two loopback addresses, from `/proc/net/tcp` and `tcp6` (proc(5)): Java's sockets are
/// IPv6 ones that speak IPv4.
fn table(proc: &Path) -> Table {
    let read = |file: &str| std::fs::read_to_string(proc.join(file)).unwrap_or_default();
    loopback(&read("net/tcp")).chain(loopback(&read("net/tcp6"))).collect()
}

fn loopback(table: &str) -> impl Iterator<Item = ((SocketAddrV4, SocketAddrV4), TcpSocket)> {
    tcp_sockets(table).filter_map(|(from, to, socket)| match (from, to) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) if from.ip().is_loopback() && to.ip().is_loopback() => {
            Some(((from, to), socket))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11111 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 22222 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 02:000000A7 00000000  1001        0 33333 2 0 20 4 30 10 -1
   3: 0000000000000000FFFF00000100007F:C351 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 02:000000A7 00000000  1002        0 44444 2 0 20 4 30 10 -1
   4: 00000000000000000000000001000000:C352 00000000000000000000000001000000:1F90 01 00000000:00000000 02:000000A7 00000000  1003        0 55555 2 0 20 4 30 10 -1
";

    #[test]
    #[cfg(target_endian = "little")]
    fn fault_a5_the_clients_side_of_the_connection_is_found_with_its_user() {
        let table: Table = loopback(TABLE).collect();
        let of = |client: &str, gateway: &str| {
            let found = table.get(&(client.parse().unwrap(), gateway.parse().unwrap()));
            found.map(|socket| (socket.uid, socket.inode))
        };
        assert_eq!(of("127.0.0.1:50000", "127.0.0.1:8080"), Some((1001, Some(33333))));
        assert_eq!(of("127.0.0.1:8080", "127.0.0.1:50000"), Some((1000, Some(22222))));
        assert_eq!(of("127.0.0.1:50001", "127.0.0.1:8080"), Some((1002, Some(44444))), "an IPv6 socket");
        assert_eq!(of("127.0.0.1:50002", "127.0.0.1:8080"), None, "[::1] is not 127.0.0.1");
        assert_eq!(table.len(), 3, "listeners and what is not loopback are left out");
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn our_own_connection_is_ours() {
        let v4 = |address: SocketAddr| match address {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(_) => panic!("bound to IPv4"),
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = Sockets::default();
        for _ in 0..2 {
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (from, to) = (v4(client.local_addr().unwrap()), v4(listener.local_addr().unwrap()));
            let found = sockets.listed(from, to, Instant::now()).await.expect("an older list is not enough");
            assert_eq!(one(from, to).unwrap(), Some(found), "asked alone it is the same");
            assert!(!is_strangers(found), "{found:?}");
            let peer = look_up(&Arc::new(Semaphore::new(1)), Some(found)).await;
            assert_eq!(peer.map(|peer| peer.pid), Some(std::process::id()));
        }
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn fault_a5_a_socket_that_is_bound_to_the_device_is_found_as_well() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(to) = listener.local_addr().unwrap() else { panic!("bound to IPv4") };
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind_device(Some(b"lo")).unwrap();
        let client = socket.connect(to.into()).await.unwrap();
        let SocketAddr::V4(from) = client.local_addr().unwrap() else { panic!("it is IPv4") };
        assert!(one(from, to).unwrap().is_some(), "alone it would pass for nobody's");
        assert!(Sockets::default().find(from, to, Instant::now()).await.is_some());
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn fault_a5_an_ipv6_socket_that_speaks_ipv4_is_found_too_and_what_is_gone_is_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(to) = listener.local_addr().unwrap() else { panic!("bound to IPv4") };
        let mapped = SocketAddr::new(to.ip().to_ipv6_mapped().into(), to.port());
        let client = std::net::TcpStream::connect(mapped).unwrap();
        let from = SocketAddrV4::new(*to.ip(), client.local_addr().unwrap().port());
        let sockets = Sockets::default();
        let found = sockets.find(from, to, Instant::now()).await;
        assert!(found.is_some_and(|socket| !is_strangers(socket) && socket.inode.is_some()), "{found:?}");
        assert_eq!(found, sockets.listed(from, to, Instant::now()).await);
        let nobody = SocketAddrV4::new(*to.ip(), 1);
        assert_eq!(one(to, nobody).unwrap(), None, "who listens there is not connected");
        assert_eq!(sockets.find(to, nobody, Instant::now()).await, None);
    }
}
