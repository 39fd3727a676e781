//! What a connection comes in through: one door for all, and a place for each cluster's port.

use crate::held::Held;
use crate::options::GatewayOptions;
use crate::peer::Sockets;
use crate::registry::Registry;
use rustls::ServerConfig;
use sallyport_model::ClusterName;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// Connections of one port that have not shown a certificate yet. More are not even accepted, so that they take no
/// descriptor of ours; each leaves its place within the deadline.
const ARRIVALS: usize = 128;

/// Connections that have: at most this many, and a quarter of the descriptors. An exec takes one more upstream, a
/// terminal some, the history its own.
const ROOM: u64 = 2048;

/// Lookups of a peer's process at once.
const LOOKUPS: usize = 4;

/// What every connection comes in through, on whichever port.
pub(crate) struct Door {
    pub(crate) registry: Registry,
    pub(crate) connect_within: Duration,
    pub(crate) answer_within: Duration,
    /// Whether entries reach the disk.
    pub(crate) recording: watch::Receiver<bool>,
    pub(crate) acceptor: TlsAcceptor,
    /// For connections that have shown a certificate.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) sockets: Sockets,
    pub(crate) lookups: Arc<Semaphore>,
    held: Held,
}

impl Door {
    pub(crate) fn new(
        tls: ServerConfig,
        options: &GatewayOptions,
        descriptors: u64,
        recording: watch::Receiver<bool>,
        held: Held,
    ) -> Self {
        let room = usize::try_from((descriptors / 4).clamp(64, ROOM)).expect("2048 is a usize");
        Self {
            registry: Registry::default(),
            connect_within: options.connect_within,
            answer_within: options.answer_within,
            recording,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            room: Arc::new(Semaphore::new(room)),
            sockets: Sockets::default(),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            held,
        }
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }
}

/// One loopback port, which is one cluster's.
pub(crate) struct Place {
    pub(crate) door: Arc<Door>,
    pub(crate) cluster: ClusterName,
    /// `127.0.0.1:<port>`.
    pub(crate) authority: String,
    port: u16,
    /// For connections that have not shown a certificate yet.
    pub(crate) arrivals: Arc<Semaphore>,
}

impl Place {
    pub(crate) fn new(door: Arc<Door>, cluster: ClusterName, port: u16) -> Self {
        let arrivals = Arc::new(Semaphore::new(ARRIVALS));
        Self { door, cluster, authority: format!("127.0.0.1:{port}"), port, arrivals }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}
