//! How the gateway listens and waits.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The gateway's deadlines, and its clock.
#[derive(Clone)]
pub struct GatewayOptions {
    /// For a connection to the API server, name, TCP and TLS together; for a client's wait for room and
    /// its handshake; and for a call's wait until it can be recorded.
    pub connect_within: Duration,
    /// For the head of an ordinary answer. Longer than the 60 s an API server gives itself, so that its own
    /// sentence arrives; streams may be silent as long as they like.
    pub answer_within: Duration,
    /// How often an upstream HTTP/2 connection that carries calls is pinged.
    pub ping_every: Duration,
    /// How long a ping's answer may take before the connection is given up.
    pub ping_within: Duration,
    /// After how long a call that is no stream is told of though it is not over, at the latest as long again after that.
    /// Together less than the half a minute for which nobody says of a call that it came from elsewhere.
    pub slow_after: Duration,
    /// Reads the wall clock.
    pub wall_clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(10),
            answer_within: Duration::from_secs(75),
            ping_every: Duration::from_secs(30),
            ping_within: Duration::from_secs(15),
            slow_after: Duration::from_secs(5),
            wall_clock: Arc::new(SystemTime::now),
        }
    }
}
