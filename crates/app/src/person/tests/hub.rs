//! Hubs that take each person for whom their ID token says.

use crate::desk::AppError;
use crate::person::ports::{HubSide, Hubs, Tokens};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_client::{Credential, Endpoint, Fault, Timeouts, connect};
use sallyport_hub::{Hub, Identity, Team};
use sallyport_model::NamespaceName;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) struct FakeHubs(BTreeMap<String, Arc<FakeHub>>);

impl FakeHubs {
    pub(crate) fn new(at: &[&str]) -> Self {
        Self(at.iter().map(|url| ((*url).to_owned(), Arc::default())).collect())
    }

    pub(crate) fn at(&self, url: &str) -> &Arc<FakeHub> {
        &self.0[url]
    }
}

impl Hubs for FakeHubs {
    fn probe<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<(), Fault>> {
        async { self.at(endpoint.url().as_str()).says("probe") }.boxed()
    }
    fn connect(&self, endpoint: Endpoint, tokens: Arc<dyn Tokens>) -> Result<Arc<dyn HubSide>, AppError> {
        let hub = self.at(endpoint.url().as_str()).clone();
        Ok(Arc::new(AsPerson { hub, tokens, endpoint }))
    }
}

#[derive(Default)]
pub(crate) struct FakeHub {
    /// What it answers a kind of call with instead.
    faults: Mutex<BTreeMap<&'static str, Fault>>,
    /// Its clock minus ours, seconds.
    pub(crate) ahead: Mutex<Option<i64>>,
    /// Held while it does not say who one is.
    pub(crate) gate: tokio::sync::Mutex<()>,
    /// Times that it was asked who one is.
    pub(crate) asked: AtomicUsize,
    /// Held while it does not say whether it takes a request in another's name.
    pub(crate) probing: tokio::sync::Mutex<()>,
    /// Whether it lets a request in another's name through.
    pub(crate) takes_any_name: AtomicBool,
    /// Whether it does not say when tokens were issued.
    pub(crate) hides_issued: AtomicBool,
    /// The teams that everybody is in; `None`: payments alone.
    pub(crate) teams: Mutex<Option<Vec<Team>>>,
}

impl FakeHub {
    /// From now on, instead of an answer: to `probe`, `whoami` or `teams`.
    pub(crate) fn answers(&self, call: &'static str, fault: Option<Fault>) {
        let mut faults = self.faults.lock().unwrap();
        match fault {
            Some(fault) => drop(faults.insert(call, fault)),
            None => drop(faults.remove(call)),
        }
    }

    fn says(&self, call: &str) -> Result<(), Fault> {
        self.faults.lock().unwrap().get(call).cloned().map_or(Ok(()), Err)
    }
}

/// A hub, by somebody's ID token.
struct AsPerson {
    hub: Arc<FakeHub>,
    tokens: Arc<dyn Tokens>,
    endpoint: Endpoint,
}

impl HubSide for AsPerson {
    fn clock(&self) -> BoxFuture<'_, Option<i64>> {
        async { *self.hub.ahead.lock().unwrap() }.boxed()
    }
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>> {
        async {
            self.tokens.id_token().await.map_err(|error| Fault::NoToken(error.to_string()))?;
            // It judges the token that came, however late it answers.
            let claims = self.tokens.claims().ok_or(Fault::Unauthorized)?;
            self.hub.asked.fetch_add(1, Ordering::Relaxed);
            let _answers = self.hub.gate.lock().await;
            self.hub.says("whoami")?;
            let says_issued = !self.hub.hides_issued.load(Ordering::Relaxed);
            Ok(Identity {
                user: format!("oidc:{}", claims.subject).parse().unwrap(),
                groups: claims.groups.iter().map(|group| format!("oidc:{group}")).collect(),
                acr: claims.acr.into_iter().collect(),
                amr: claims.amr,
                auth_time: claims.auth_time.map(jiff::Timestamp::as_second),
                issued_at: says_issued.then(|| claims.issued_at.as_second()),
            })
        }
        .boxed()
    }
    fn teams(&self) -> BoxFuture<'_, Result<Vec<Team>, Fault>> {
        async {
            self.hub.says("teams")?;
            let teams = self.hub.teams.lock().unwrap().clone();
            Ok(teams.unwrap_or_else(|| {
                vec![Team { name: "team-payments".parse().unwrap(), may_ask: true, may_read: true }]
            }))
        }
        .boxed()
    }
    fn refuses_another_name<'a>(&'a self, _: &'a NamespaceName) -> BoxFuture<'a, Option<bool>> {
        async {
            let _answers = self.hub.probing.lock().await;
            Some(!self.hub.takes_any_name.load(Ordering::Relaxed))
        }
        .boxed()
    }
    fn hub(&self) -> Hub {
        let within = Duration::from_millis(1);
        Hub::new(connect(&self.endpoint, Credential::None, Timeouts::both(within)).unwrap(), within)
    }
}
