//! The identity provider, as the product's sign-ins use it.

use super::notes::Learned;
use super::ports::{Finished, Pending, ProviderSide, Providers, Tokens};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_model::Secret;
use sallyport_oidc::{
    Ask, Drift, Error, IdClaims, Persist, Provider, ProviderConfig, SignedIn, SignedOut, TokenSource,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Providers that speak OpenID Connect.
pub(crate) struct OpenIdConnect;

impl Providers for OpenIdConnect {
    fn discover<'a>(
        &'a self,
        config: &'a ProviderConfig,
    ) -> BoxFuture<'a, Result<Arc<dyn ProviderSide>, Error>> {
        async { Ok(Arc::new(Provider::discover(config).await?) as Arc<dyn ProviderSide>) }.boxed()
    }
}

impl ProviderSide for Provider {
    fn issuer(&self) -> &str {
        &self.config().issuer
    }
    fn learned(&self) -> Learned {
        Learned {
            unlisted_scopes: self.unlisted_scopes(),
            other_host: self.other_host(),
            code_host: self.code_host(),
            ..Learned::default()
        }
    }
    fn begin(&self, ask: Ask, persist: Persist) -> BoxFuture<'_, Result<Box<dyn Pending>, Error>> {
        begin(self, ask, Goal::New(persist)).boxed()
    }
    fn resume(&self, kept: &Secret<String>, persist: Persist) -> Result<Arc<dyn Tokens>, Error> {
        Ok(Arc::new(TokenSource::resume(self.clone(), kept, persist)?))
    }
}

/// What a sign-in is for.
enum Goal {
    /// Itself.
    New(Persist),
    /// The place of an earlier one.
    Again(TokenSource),
}

async fn begin(provider: &Provider, ask: Ask, goal: Goal) -> Result<Box<dyn Pending>, Error> {
    let pending = Provider::begin(provider, ask).await?;
    Ok(Box::new(InBrowser { provider: provider.clone(), pending, goal }))
}

struct InBrowser {
    provider: Provider,
    pending: sallyport_oidc::Pending,
    goal: Goal,
}

impl Pending for InBrowser {
    fn url(&self) -> &str {
        self.pending.authorization_url().as_str()
    }
    fn finish<'a>(
        self: Box<Self>,
        deadline: Duration,
        given_up: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Box<dyn Finished>, Error>> {
        async move {
            let Self { provider, pending, goal } = *self;
            let signed_in = pending.finish(deadline, given_up.cancelled()).await?;
            Ok(Box::new(Completed { provider, signed_in, goal }) as Box<dyn Finished>)
        }
        .boxed()
    }
}

struct Completed {
    provider: Provider,
    signed_in: SignedIn,
    goal: Goal,
}

impl Finished for Completed {
    fn claims(&self) -> &IdClaims {
        &self.signed_in.claims
    }
    fn take_over(self: Box<Self>) -> BoxFuture<'static, Result<Arc<dyn Tokens>, Error>> {
        async move {
            let tokens = match self.goal {
                Goal::New(persist) => TokenSource::open(self.provider, self.signed_in, persist).await,
                Goal::Again(tokens) => {
                    tokens.replace(self.signed_in).await?;
                    tokens
                }
            };
            Ok(Arc::new(tokens) as Arc<dyn Tokens>)
        }
        .boxed()
    }
    fn give_back(self: Box<Self>) -> BoxFuture<'static, Result<SignedOut, Error>> {
        let nowhere: Persist = Arc::new(|_| Box::pin(async { Ok(()) }));
        async move { TokenSource::open(self.provider, self.signed_in, nowhere).await.sign_out().await }
            .boxed()
    }
}

impl Tokens for TokenSource {
    fn provider(&self) -> Arc<dyn ProviderSide> {
        Arc::new(self.provider().clone())
    }
    fn begin_again(&self, ask: Ask) -> BoxFuture<'_, Result<Box<dyn Pending>, Error>> {
        begin(self.provider(), ask, Goal::Again(self.clone())).boxed()
    }
    fn id_token(&self) -> BoxFuture<'_, Result<Secret<String>, Error>> {
        self.id_token().boxed()
    }
    fn vouch(&self) -> BoxFuture<'_, Result<IdClaims, Error>> {
        self.vouch().boxed()
    }
    fn claims(&self) -> Option<IdClaims> {
        self.claims()
    }
    fn drift(&self) -> Drift {
        self.drift()
    }
    fn over(&self) -> Option<String> {
        self.over()
    }
    fn renewals(&self) -> watch::Receiver<u64> {
        self.renewals()
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<SignedOut, Error>> {
        self.sign_out().boxed()
    }
}
