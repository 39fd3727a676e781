//! Whose a TCP connection is, from the tables of Linux (`/proc/net/tcp` and `/proc/net/tcp6`, proc(5)). Pure: reading
//! the tables is up to whoever asks.

use std::net::{IpAddr, SocketAddr};

/// One end of a connection as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSocket {
    /// The user id of the process that made it; 0 also for one that nobody holds any more.
    pub uid: u32,
    /// Its inode, None when no process holds it any more.
    pub inode: Option<u64>,
}

/// The end at `from` of the connection to `to`. `table` is the text of one of the two files; a socket of the other
/// family that talks IPv4 all the same is listed in `tcp6` with mapped addresses, and found there too.
#[must_use]
pub fn tcp_socket(table: &str, from: SocketAddr, to: SocketAddr) -> Option<TcpSocket> {
    let wanted = [(hex(from, false), hex(to, false)), (hex(from, true), hex(to, true))];
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (_slot, local, remote) = (fields.next()?, fields.next()?, fields.next()?);
        if !wanted.iter().any(|(from, to)| from == local && to == remote) {
            return None;
        }
        // After the addresses: state, queues, timer, retransmits, uid, timeout, inode.
        let uid = fields.nth(4)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok().filter(|inode| *inode != 0);
        Some(TcpSocket { uid, inode })
    })
}

/// As the kernel prints it: 32-bit words in the machine's byte order, the port in the network's.
fn hex(address: SocketAddr, mapped: bool) -> String {
    let words = |octets: &[u8]| -> String {
        octets
            .chunks_exact(4)
            .map(|word| format!("{:08X}", u32::from_ne_bytes([word[0], word[1], word[2], word[3]])))
            .collect()
    };
    let ip = match address.ip() {
        IpAddr::V4(v4) if mapped => words(&v4.to_ipv6_mapped().octets()),
        IpAddr::V4(v4) => words(&v4.octets()),
        IpAddr::V6(v6) => words(&v6.octets()),
    };
    format!("{ip}:{:04X}", address.port())
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
        tcp_socket(table, from.parse().unwrap(), to.parse().unwrap()).map(|found| (found.uid, found.inode))
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
        assert_eq!(find("x\n1: 2", "127.0.0.1:1", "127.0.0.1:2"), None);
    }
}
