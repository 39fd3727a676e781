//! Loopback ports: one for each cluster, and never one for two. Tools keep what they discovered by host and port, so a
//! port that once was another cluster's would show them that cluster's API.

use crate::descriptors::Spare;
use crate::door::{Door, Place};
use crate::error::GatewayError;
use crate::listen::listen;
use sallyport_model::ClusterName;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Connections the kernel keeps for us until they are accepted.
const BACKLOG: u32 = 1024;

/// How often the system is asked for a port nobody had before.
const TRIES: usize = 256;

/// What is remembered of loopback ports.
#[derive(Clone, Debug, Default)]
pub struct Ports {
    /// Those the cluster had, the one to try first at the front.
    pub own: Vec<u16>,
    /// Those of other clusters, of removed ones too.
    pub others: Vec<u16>,
}

/// Which cluster a port is for: its name and where its API server answers.
type Whose = (ClusterName, String);

/// The ports one gateway listens on, and all it ever gave.
#[derive(Default)]
pub(crate) struct Listening {
    places: Vec<(Whose, Arc<Place>, DropGuard)>,
    given: Vec<(Whose, u16)>,
}

impl Listening {
    /// The cluster's place: the one that is open, else a port of its own, else one that was nobody's. Within a tokio
    /// runtime.
    pub(crate) fn place(
        &mut self,
        door: &Arc<Door>,
        whose: Whose,
        ports: &Ports,
    ) -> Result<Arc<Place>, GatewayError> {
        // A port is let go of with the last session that may still be asked why it is closed.
        self.places.retain(|(_, place, _)| door.registry.has_port(place.port()));
        if let Some((_, place, _)) = self.places.iter().find(|(other, ..)| *other == whose) {
            return Ok(place.clone());
        }
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for (other, port) in &self.given {
            if *other == whose { own.push(*port) } else { others.push(*port) }
        }
        own.extend(&ports.own);
        others.extend(&ports.others);
        let listener = bind(&own, &others).map_err(GatewayError::Listen)?;
        let port = listener.local_addr().map_err(GatewayError::Listen)?.port();
        let place = Arc::new(Place::new(door.clone(), whose.0.clone(), port));
        let stop = CancellationToken::new();
        let listening = stop.clone().run_until_cancelled_owned(listen(listener, Spare::new(), place.clone()));
        door.held().spawn(listening);
        self.given.push((whose.clone(), port));
        self.places.push((whose, place.clone(), stop.drop_guard()));
        Ok(place)
    }
}

fn bind(own: &[u16], others: &[u16]) -> io::Result<TcpListener> {
    for port in own.iter().filter(|port| **port != 0 && !others.contains(port)) {
        match at(*port) {
            Ok(listener) => return Ok(listener),
            Err(error) => tracing::info!(port, %error, "a cluster's port is taken; it gets another"),
        }
    }
    // Held until one fits, so that the system does not offer them again.
    let mut passed_over = Vec::new();
    for _ in 0..TRIES {
        let listener = at(0)?;
        if !others.contains(&listener.local_addr()?.port()) {
            return Ok(listener);
        }
        passed_over.push(listener);
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "every port the system offered had been another cluster's"))
}

fn at(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A port whose last connections are still winding down may be taken again.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(listener: &TcpListener) -> u16 {
        listener.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn fault_c1_a_port_of_another_cluster_is_never_bound_not_even_when_it_was_ones_own() {
        let free = bind(&[], &[]).unwrap();
        let wanted = port(&free);
        drop(free);
        assert_eq!(port(&bind(&[wanted], &[]).unwrap()), wanted);
        assert_ne!(port(&bind(&[wanted], &[wanted]).unwrap()), wanted);
        assert_ne!(port(&bind(&[0], &[]).unwrap()), 0);
        // All but one of what the system may offer is somebody's.
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        let mut ends = range.split_whitespace().filter_map(|end| end.parse::<u16>().ok());
        if let (Some(low), Some(high)) = (ends.next(), ends.next()) {
            let some: Vec<u16> = (low..=high).filter(|port| port % 3 != 0).collect();
            assert_eq!(port(&bind(&[], &some).unwrap()) % 3, 0);
        }
    }
}
