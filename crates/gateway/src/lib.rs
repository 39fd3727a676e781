//! The loopback gateway: the only holder of a session's token, and the one door through which kubectl, k9s and helm
//! reach the session's cluster.
//!
//! ```text
//!  kubectl ──mTLS──▶ 127.0.0.1:<port of the cluster>  ──TLS, bearer──▶  API server
//!                    │ client certificate → session       HTTP/2, ≤ 100 calls a connection
//!                    │ screen: path, Host, headers        HTTP/1.1 of its own for an upgrade
//!                    └ every request → one Call
//! ```
//!
//! A session is opened with a [`SessionPermit`](sallyport_policy::SessionPermit) and gets a client certificate of
//! its own, good while this gateway runs. A cut drops everything the session runs, where it stands; whoever calls
//! afterwards reads why. Deliberately absent: retries, redirects, caching, decompression, buffering of bodies, TLS
//! resumption, plain HTTP, CORS.
//!
//! Called by `app`. Facts behind it: RFC 9110, RFC 9113, k8s.io/apiserver's request handling, CVE-2018-1002105.

#![deny(missing_docs)]

mod account;
mod answer;
mod authority;
mod begun;
mod body;
mod call;
mod call_state;
mod descriptors;
mod door;
mod error;
mod gateway;
mod heads;
mod held;
mod kubectl;
mod lanes;
mod listen;
mod live;
mod options;
mod peer;
mod ports;
mod record;
mod recorder;
mod refusal;
mod registry;
mod relay;
mod screen;
mod session;
#[cfg(target_os = "linux")]
mod sock_diag;
mod splice;
mod standing;
mod target;
mod upgrade;
mod upload;
mod upstream;
mod wire;

pub use call::{Call, CallOutcome, CallPhase, CutReason};
pub use error::GatewayError;
pub use gateway::{Gateway, Opened};
pub use kubectl::KubectlCommand;
pub use live::{Live, LiveCall};
pub use options::GatewayOptions;
pub use peer::PeerProcess;
pub use ports::Ports;
pub use session::{CutNotice, CutReport};
pub use target::{StreamKind, Target};
pub use upstream::{Upstream, UpstreamError};
