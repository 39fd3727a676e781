//! Clients of Kubernetes APIs, made from our own credentials and from nothing else.
//!
//! `kube`'s own ways to make a client read the environment, run credential plugins and repeat refused writes up to
//! fifteen times. Here an endpoint, its CA and a credential are given; nothing is inferred, nothing is repeated, no
//! redirect is followed, and every wait has an end. The same dialling serves [`Line`] and [`probe`], which ask on a
//! connection of their own: readiness and the proof of closing must not ride on a connection that was let in before.

#![deny(missing_docs)]

mod authorities;
mod clock;
mod connect;
mod credential;
mod dial;
mod dumps;
mod endpoint;
mod fault;
mod line;
mod send;
mod token_request;

pub use authorities::{Authorities, AuthoritiesError};
pub use clock::{clock_difference, http_date};
pub use connect::{Timeouts, connect};
pub use credential::{Credential, TokenError, TokenFile, TokenSource};
pub use dumps::keep_out_of_core_dumps;
pub use endpoint::{Endpoint, EndpointError};
pub use fault::{Fault, fault, within};
pub use line::{Answer, Line, Warm, probe, probe_get};
pub use send::{Sending, send};
pub use token_request::{token_claims, token_in, token_request};
