//! The hub, as the product's sign-ins use it.

use super::ports::{HubSide, Hubs, Tokens};
use crate::desk::{AppError, now_ms};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_client::{
    Credential, Endpoint, Fault, Timeouts, TokenError, TokenSource, clock_difference, connect, probe_get,
};
use sallyport_hub::{Hub, Identity, Team};
use sallyport_model::{NamespaceName, Secret};
use std::sync::Arc;
use std::time::Duration;

/// A path that every API server answers.
const VERSION: &str = "/version";

/// Hubs that are API servers; each call takes so long at most.
pub(crate) struct ApiServers(pub(crate) Duration);

impl Hubs for ApiServers {
    fn probe<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<(), Fault>> {
        async { probe_get(endpoint, None, VERSION, self.0).await.map(drop) }.boxed()
    }
    fn connect(&self, endpoint: Endpoint, tokens: Arc<dyn Tokens>) -> Result<Arc<dyn HubSide>, AppError> {
        let deadline = self.0;
        let source = Arc::new(IdTokens(tokens.clone()));
        let client = connect(&endpoint, Credential::Source(source), Timeouts::both(deadline))
            .map_err(|e| AppError::failed("the hub can't be called").because(e))?;
        Ok(Arc::new(ApiServer { hub: Hub::new(client, deadline), endpoint, tokens, deadline }))
    }
}

/// The ID token for the hub, and for nobody else (promise P4).
struct IdTokens(Arc<dyn Tokens>);

impl TokenSource for IdTokens {
    fn token(&self) -> BoxFuture<'_, Result<Secret<String>, TokenError>> {
        async { self.0.id_token().await.map_err(|e| TokenError::with(e.to_string(), e)) }.boxed()
    }
}

struct ApiServer {
    hub: Hub,
    endpoint: Endpoint,
    tokens: Arc<dyn Tokens>,
    deadline: Duration,
}

impl HubSide for ApiServer {
    fn clock(&self) -> BoxFuture<'_, Option<i64>> {
        async {
            let token = self.tokens.id_token().await.ok()?;
            let sent = now_ms();
            let answer = probe_get(&self.endpoint, Some(&token), VERSION, self.deadline).await.ok()?;
            Some(clock_difference(answer.date?, sent, now_ms()))
        }
        .boxed()
    }
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>> {
        self.hub.whoami().boxed()
    }
    fn teams(&self) -> BoxFuture<'_, Result<Vec<Team>, Fault>> {
        self.hub.teams().boxed()
    }
    fn refuses_another_name<'a>(&'a self, team: &'a NamespaceName) -> BoxFuture<'a, Option<bool>> {
        self.hub.refuses_another_name(team).boxed()
    }
    fn hub(&self) -> Hub {
        self.hub.clone()
    }
}
