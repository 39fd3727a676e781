use crate::upstream::UpstreamError;
use sallyport_model::{ClusterName, SessionId};
use std::io;

/// Why a gateway or one of its sessions could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Neither a remembered port nor any other on 127.0.0.1 could be had.
    #[error("no port on 127.0.0.1 could be opened for the gateway")]
    Listen(#[source] io::Error),
    /// The gateway's own authority could not make a certificate.
    #[error("the gateway could not make a certificate")]
    Certificate(#[source] rcgen::Error),
    /// The key of a client certificate could not be written as a kubeconfig carries it.
    #[error("the gateway could not write the key of a certificate")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// TLS could not be set up with the gateway's own certificates.
    #[error("the gateway's own TLS could not be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was sealed for the session does not describe an API server one can call.
    #[error("the API server of `{0}` can't be called as described")]
    Upstream(ClusterName, #[source] UpstreamError),
    /// The permit speaks of something else than what was handed in beside it.
    #[error("the permit is not for this {0}")]
    OtherPermit(&'static str),
    /// The permit's end has passed.
    #[error("session `{0}` has ended already")]
    Ended(SessionId),
    /// A session is opened once.
    #[error("session `{0}` was opened before")]
    Known(SessionId),
    /// No open session has this id.
    #[error("session `{0}` is not open")]
    NotOpen(SessionId),
}
