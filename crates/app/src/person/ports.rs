//! What signing in asks of the world: the identity provider, the hub and the vault. The product answers with
//! [`super::provider_side`], [`super::hub_side`] and [`super::refresh_token`]; the tests of this part, and of those above it,
//! with fakes.

use super::notes::Learned;
use crate::desk::AppError;
use futures::future::BoxFuture;
use sallyport_client::{Endpoint, Fault};
use sallyport_hub::{Hub, Identity, Team};
use sallyport_model::{NamespaceName, Secret};
use sallyport_oidc::{Ask, Drift, Error, IdClaims, Persist, ProviderConfig, SignedOut};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a person's sign-ins are made of.
pub(crate) struct Ports {
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) hubs: Arc<dyn Hubs>,
    pub(crate) vault: Arc<dyn SignInVault>,
}

/// Identity providers, by their configuration.
pub(crate) trait Providers: Send + Sync + 'static {
    /// Looks one up.
    fn discover<'a>(
        &'a self,
        config: &'a ProviderConfig,
    ) -> BoxFuture<'a, Result<Arc<dyn ProviderSide>, Error>>;
}

/// A provider that was looked up and fits.
pub(crate) trait ProviderSide: Send + Sync + 'static {
    /// Its issuer, as configured.
    fn issuer(&self) -> &str;
    /// What it says of itself.
    fn learned(&self) -> Learned;
    /// Prepares a sign-in of its own; what renews it goes to `persist` once somebody goes on with it.
    fn begin(&self, ask: Ask, persist: Persist) -> BoxFuture<'_, Result<Box<dyn Pending>, Error>>;
    /// Goes on with a stored sign-in. Asks nobody yet.
    ///
    /// # Errors
    /// When what was stored can't be read.
    fn resume(&self, kept: &Secret<String>, persist: Persist) -> Result<Arc<dyn Tokens>, Error>;
}

/// A sign-in that waits for the browser. Dropping it ends the wait.
pub(crate) trait Pending: Send {
    /// What the browser has to open.
    fn url(&self) -> &str;
    /// Waits for the browser, for so long, or until the person gives up.
    fn finish<'a>(
        self: Box<Self>,
        deadline: Duration,
        given_up: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Box<dyn Finished>, Error>>;
}

/// A sign-in that the provider completed, and that nobody goes on with yet.
pub(crate) trait Finished: Send {
    /// What its ID token says.
    fn claims(&self) -> &IdClaims;
    /// Goes on with it: as a sign-in of its own, or in the place of the one that was to be made stronger.
    ///
    /// # Errors
    /// Where that one is somebody else's or was signed out meanwhile: it stays as it is, and this is given back.
    fn take_over(self: Box<Self>) -> BoxFuture<'static, Result<Arc<dyn Tokens>, Error>>;
    /// Nobody goes on with it: it is ended at the provider, and nothing of it is kept here.
    fn give_back(self: Box<Self>) -> BoxFuture<'static, Result<SignedOut, Error>>;
}

/// The tokens of one sign-in, kept fresh; as [`sallyport_oidc::TokenSource`], whose words these are.
pub(crate) trait Tokens: Send + Sync + 'static {
    /// The provider this sign-in is with.
    fn provider(&self) -> Arc<dyn ProviderSide>;
    /// Prepares a sign-in that takes the place of this one.
    fn begin_again(&self, ask: Ask) -> BoxFuture<'_, Result<Box<dyn Pending>, Error>>;
    /// An ID token that is good for a while.
    fn id_token(&self) -> BoxFuture<'_, Result<Secret<String>, Error>>;
    /// A new ID token now: whether the provider still vouches for the person is what is asked.
    fn vouch(&self) -> BoxFuture<'_, Result<IdClaims, Error>>;
    /// What the ID token at hand says.
    fn claims(&self) -> Option<IdClaims>;
    /// What renewals changed since the sign-in.
    fn drift(&self) -> Drift;
    /// Why this sign-in is over, if it is.
    fn over(&self) -> Option<String>;
    /// Each renewal that brought an ID token, from now on.
    fn renewals(&self) -> watch::Receiver<u64>;
    /// Forgets everything and revokes what the provider can revoke.
    fn sign_out(&self) -> BoxFuture<'_, Result<SignedOut, Error>>;
}

/// Hubs, by their endpoint.
pub(crate) trait Hubs: Send + Sync + 'static {
    /// Whether one answers there, and with which certificate.
    fn probe<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<(), Fault>>;
    /// A hub as its person. Nothing is contacted yet.
    ///
    /// # Errors
    /// When it can't be called at all.
    fn connect(&self, endpoint: Endpoint, tokens: Arc<dyn Tokens>) -> Result<Arc<dyn HubSide>, AppError>;
}

/// The hub, as whoever signs in asks it.
pub(crate) trait HubSide: Send + Sync + 'static {
    /// The hub's clock minus ours, seconds; `None` where it does not say.
    fn clock(&self) -> BoxFuture<'_, Option<i64>>;
    /// Who one is there.
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>>;
    /// The teams one is in. Members of a team may list them, and nobody else.
    fn teams(&self) -> BoxFuture<'_, Result<Vec<Team>, Fault>>;
    /// Whether it refuses a request in another's name (P12); `None` where that is not known.
    fn refuses_another_name<'a>(&'a self, team: &'a NamespaceName) -> BoxFuture<'a, Option<bool>>;
    /// The same hub, for the parts above.
    fn hub(&self) -> Hub;
}

/// Where sign-ins are kept between two starts.
pub(crate) trait SignInVault: Send + Sync + 'static {
    /// What renews the sign-in of this client, if it was kept.
    fn kept<'a>(&'a self, issuer: &'a str, client_id: &'a str) -> BoxFuture<'a, Option<Secret<String>>>;
    /// Keeps what renews it now; `None` forgets it.
    ///
    /// # Errors
    /// Why it was not kept, as a sentence for the log.
    fn keep<'a>(
        &'a self,
        issuer: &'a str,
        client_id: &'a str,
        token: Option<Secret<String>>,
    ) -> BoxFuture<'a, Result<(), String>>;
}
