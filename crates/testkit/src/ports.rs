//! Ports that no other test takes, in this process or in one beside it.

use std::net::Ipv4Addr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use anyhow::{Result, bail};
use tokio::net::TcpSocket;

/// Below Linux's range for outgoing connections (32768 and up): nothing takes a port of ours while its server is
/// down for a moment, so a restarted API server finds its old address free.
const FIRST: u16 = 18_000;
const LAST: u16 = 31_999;

/// A loopback port this process may listen on for as long as the value lives.
///
/// The claim is an abstract Unix socket named after the port: seen by every process of the machine, gone with ours
/// however it ends, and no file to leave behind.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: UnixListener,
}

impl Port {
    /// Claims a port that nobody listens on and nobody else has claimed.
    ///
    /// # Errors
    /// When every port of the range is taken.
    pub fn claim() -> Result<Self> {
        let span = LAST - FIRST + 1;
        let start: u16 = rand::random::<u16>() % span;
        for step in 0..span {
            let number = FIRST + (start + step) % span;
            let name = SocketAddr::from_abstract_name(format!("sallyport-port-{number}"))?;
            let Ok(claim) = UnixListener::bind_addr(&name) else {
                continue;
            };
            if nobody_listens(number) {
                return Ok(Self { number, _claim: claim });
            }
        }
        bail!("no free port between {FIRST} and {LAST}")
    }

    /// The port's number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Asked by binding and not by listening: a program that is being started at the same moment holds a copy of our socket
/// until it runs, and a copy that listened would keep the port.
fn nobody_listens(number: u16) -> bool {
    let bound = TcpSocket::new_v4().and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, number).into())
    });
    bound.is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Port, nobody_listens};

    #[test]
    fn claimed_ports_differ_and_are_free_to_listen_on() {
        let ports: Vec<Port> = (0..40).map(|_| Port::claim().expect("a free port")).collect();
        let numbers: HashSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        for number in numbers {
            let listener = std::net::TcpListener::bind(("127.0.0.1", number));
            let _listener = listener.expect("nobody listens on a claimed port");
            assert!(!nobody_listens(number), "and one that somebody listens on is told");
        }
    }
}
