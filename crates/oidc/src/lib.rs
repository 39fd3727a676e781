//! Signing in with OpenID Connect: the authorization code flow of a native application (RFC 8252) with PKCE (RFC 7636),
//! ID tokens that are verified and not merely read, and a source that keeps one fresh.
//!
//! ```no_run
//! # use std::{sync::Arc, time::Duration, future::pending};
//! # use sallyport_oidc::{Ask, Persist, Provider, ProviderConfig, TokenSource};
//! # async fn example(config: ProviderConfig, persist: Persist) -> Result<(), sallyport_oidc::Error> {
//! let provider = Provider::discover(&config).await?;
//! let attempt = provider.begin(Ask { acr_values: vec!["phr".into()], ..Ask::default() }).await?;
//! println!("open {}", attempt.authorization_url()); // the caller opens the browser, because the person asked for it
//! let signed_in = attempt.finish(Duration::from_secs(600), pending()).await?;
//! let tokens = TokenSource::open(provider, signed_in, persist).await;
//! let bearer = tokens.id_token().await?;
//! # drop(bearer); Ok(())
//! # }
//! ```
//!
//! Nothing here opens a browser, follows a redirect, or waits without a deadline.

#![deny(missing_docs)]

mod claims;
mod discovery;
mod error;
mod http;
mod jws;
mod kept;
mod loopback;
mod page;
mod payload;
mod peer;
mod pending;
mod provider;
mod redirect;
mod said;
mod source;

pub use claims::IdClaims;
pub use error::Error;
pub use pending::{Ask, Pending, Prompt, SignedIn};
pub use provider::{Provider, ProviderConfig};
pub use redirect::{Redirect, RedirectHost};
pub use said::{may_be_refused, second_factor};
pub use source::{Drift, Persist, PersistFuture, SignedOut, TokenSource};
