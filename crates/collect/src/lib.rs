//! A receiver for API servers' audit webhooks (`--audit-webhook-config-file`), for a team's own collector: a pipe. What
//! came is on the disk before it is acknowledged, redacted (P20), and goes on to a log store; what the store has taken
//! is deleted. It keeps nothing else and answers no question.
//!
//! Whoever is let in holds a certificate of the given authority; which cluster they are is configured, and no event is
//! believed about it. Connections, memory, time and disk are bounded: where one of them is used up, the API server is
//! told to come again (503), and it keeps its events that long.

#![deny(missing_docs)]

mod body;
mod counts;
mod deliver;
mod hall;
mod serve;
mod spool;
mod tls;

pub use counts::{Counted, Counts};
pub use deliver::{Delivery, Notice, deliver};
pub use serve::{BODY_MOST, Door, serve};
pub use spool::{Spool, SpoolError};
pub use tls::{TlsError, tls};
