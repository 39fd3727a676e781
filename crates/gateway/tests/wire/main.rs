//! The gateway on real sockets, between clients that misbehave and an API server that does as it is told.

mod bad_upstream;
mod clients;
mod cut;
mod hostile;
mod large;
mod passing;
mod place;
mod recorded;
mod storm;
mod strangers;
mod streams;
mod upstream;

use clients::Client;
use sallyport_gateway::{Call, CallPhase, Gateway, GatewayOptions, Opened, Ports, Upstream};
use sallyport_model::{GrantUid, Jti, RequestUid, Scope, Secret, SessionId, Ttl};
use sallyport_policy::{SessionFacts, SessionPermit, admit_session};
use std::time::Duration;
use tokio::sync::mpsc;
use upstream::FakeApi;

pub(crate) const TOKEN: &str = "session-token";
pub(crate) const NOW: i64 = 1_800_000_000;

/// A gateway with one session on a scripted API server.
pub(crate) struct Fixture {
    pub(crate) gateway: Gateway,
    pub(crate) api: FakeApi,
    pub(crate) opened: Opened,
    pub(crate) calls: mpsc::Receiver<Call>,
}

/// With the product's deadlines, so that a slow machine fails no test.
pub(crate) fn options() -> GatewayOptions {
    GatewayOptions::default()
}

/// With deadlines of a second, for those who wait for one.
pub(crate) fn hasty() -> GatewayOptions {
    let second = Duration::from_secs(1);
    GatewayOptions { connect_within: second, answer_within: second, ..GatewayOptions::default() }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(options(), FakeApi::start().await).await
    }

    pub(crate) async fn hasty() -> Self {
        Self::with(hasty(), FakeApi::start().await).await
    }

    pub(crate) async fn with(options: GatewayOptions, api: FakeApi) -> Self {
        let gateway = Gateway::start(options).await.unwrap();
        let (opened, calls) = open(&gateway, &api, "s1", "pay", 3600).unwrap();
        Self { gateway, api, opened, calls }
    }

    pub(crate) fn session(&self) -> SessionId {
        SessionId::new("s1")
    }

    pub(crate) fn client(&self) -> Client {
        Client::of(&self.opened)
    }

    /// The next finished call.
    pub(crate) async fn ended(&mut self) -> Call {
        loop {
            let call = tokio::time::timeout(Duration::from_secs(60), self.calls.recv()).await;
            let call = call.expect("a call is told of").expect("the session is recorded");
            if call.phase == CallPhase::Ended {
                return call;
            }
        }
    }
}

pub(crate) fn permit(api: &FakeApi, session: &str, cluster: &str, seconds: i64) -> SessionPermit {
    admit_session(SessionFacts {
        session: SessionId::new(session),
        signed_in: "oidc:ada".parse().unwrap(),
        user: "oidc:ada".parse().unwrap(),
        cluster: cluster.parse().unwrap(),
        request: RequestUid::new("req-1"),
        scope: Scope::ClusterWide,
        duration: Ttl::minutes(60),
        grant: GrantUid::new("grant-1"),
        recorded_end: NOW + seconds,
        sealed_end: NOW + seconds,
        endpoint: api.url().to_string(),
        now: NOW,
    })
    .unwrap()
}

pub(crate) fn upstream_of(api: &FakeApi, cluster: &str) -> Upstream {
    Upstream {
        cluster: cluster.parse().unwrap(),
        endpoint: api.url(),
        ca_pem: api.ca_pem(),
        tls_server_name: None,
        token: Secret::new(TOKEN.to_owned()),
        jti: Jti::new("jti-1"),
        user: "oidc:ada".parse().unwrap(),
        allow_impersonation: false,
        now: NOW,
    }
}

pub(crate) fn open(
    gateway: &Gateway,
    api: &FakeApi,
    session: &str,
    cluster: &str,
    seconds: i64,
) -> Result<(Opened, mpsc::Receiver<Call>), sallyport_gateway::GatewayError> {
    let (told, calls) = mpsc::channel(4096);
    let permit = permit(api, session, cluster, seconds);
    let opened = gateway.open(&permit, upstream_of(api, cluster), &Ports::default(), told)?;
    Ok((opened, calls))
}
