//! Whose a TCP connection is, from the tables of Linux (`/proc/net/tcp` and `/proc/net/tcp6`, proc(5)). Pure: reading
//! the tables is up to whoever asks.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// One end of a connection as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSocket {
    /// The user id of the process that made it; 0 also for one that nobody holds any more.
    pub uid: u32,
    /// Its inode, None when no process holds it any more.
    pub inode: Option<u64>,
}

/// Every end that a table lists: its own address, the other end's, and whose it is. `table` is the text of one of the
/// two files. A socket of the other family that talks IPv4 all the same (as Java's do) is listed in `tcp6` with mapped
/// addresses, and told here with plain ones. What can't be read is left out.
pub fn tcp_sockets(table: &str) -> impl Iterator<Item = (SocketAddr, SocketAddr, TcpSocket)> {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (_slot, local, remote) = (fields.next()?, fields.next()?, fields.next()?);
        // After the addresses: state, queues, timer, retransmits, uid, timeout, inode.
        let uid = fields.nth(4)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok().filter(|inode| *inode != 0);
        Some((address(local)?, address(remote)?, TcpSocket { uid, inode }))
    })
}

/// `0100007F:1F90`: 32-bit words in the machine's byte order, the port in the network's.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(host.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    let host = match host.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let mut octets = [0; 16];
            for (at, four) in octets.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(at)?);
            }
            Ipv6Addr::from(octets).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(host, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11111 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 22222 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 02:000000A7 00000000  1001        0 33333 2 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:1F90 05 00000000:00000000 02:000000A7 00000000     0        0 0 2 0 20 4 30 10 -1
";
    const TABLE6: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:C352 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 4 1 0 20 4 30 10 -1
   1: 00000000000000000000000001000000:C353 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 5 1 0 20 4 30 10 -1
";

    fn find(table: &str, from: &str, to: &str) -> Option<(u32, Option<u64>)> {
        let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
        let mut found = tcp_sockets(table).filter(|(local, remote, _)| (*local, *remote) == (from, to));
        found.next().map(|(_, _, socket)| (socket.uid, socket.inode))
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn fault_b9_the_owner_of_the_other_end_is_found_in_either_table() {
        assert_eq!(find(TABLE, "127.0.0.1:50000", "127.0.0.1:8080"), Some((1001, Some(33333))));
        assert_eq!(find(TABLE, "127.0.0.1:8080", "127.0.0.1:50000"), Some((1000, Some(22222))));
        assert_eq!(find(TABLE, "127.0.0.1:50001", "127.0.0.1:8080"), Some((0, None)), "nobody holds it");
        assert_eq!(find(TABLE, "127.0.0.1:1", "127.0.0.1:8080"), None);
        assert_eq!(find(TABLE6, "127.0.0.1:50002", "127.0.0.1:8080"), Some((1002, Some(4))), "mapped");
        assert_eq!(find(TABLE6, "[::1]:50003", "[::1]:8080"), Some((1003, Some(5))));
        assert_eq!(find("", "127.0.0.1:1", "127.0.0.1:2"), None);
        let noise = [
            "",
            "x",
            "1: 2",
            "1: 0100007F:C350",
            "1: 0100007F:C350 0100007F:1F90 01 a b c d e f",
            "1: 0100007F:C350 0100007F:1F9000 01 0:0 02:0 0 1 0 7",
            "1: 0100007é:C350 0100007F:1F90 01 0:0 02:0 0 1 0 7",
        ];
        for line in noise {
            assert_eq!(tcp_sockets(&format!("head\n{line}\n")).count(), 0, "{line}");
        }
    }
}
