//! The gateway and the targets, as the product's sessions use them.

use super::ports::{Ground, Keeps, Reach};
use crate::desk::{AppError, Desk};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_gateway::{Call, CutReason, CutReport, Gateway, Live, LiveCall, Opened, Ports, Upstream};
use sallyport_model::{ErrorCode, Jti, Scope, Secret, SessionId};
use sallyport_policy::SessionPermit;
use sallyport_provision::{OwnEnd, Progress, Proof, Witnesses, end_own_grant};
use sallyport_rbac::Rule;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The real ones.
pub(crate) struct GatewayAndTargets {
    desk: Arc<Desk>,
    gateway: Gateway,
    calls: mpsc::Sender<Call>,
}

impl GatewayAndTargets {
    /// Every call is sent to `calls`.
    pub(crate) fn new(desk: Arc<Desk>, gateway: Gateway, calls: mpsc::Sender<Call>) -> Self {
        Self { desk, gateway, calls }
    }

    /// Serves the session on its cluster's port, and remembers that it is the cluster's before any tool can.
    pub(crate) async fn serve(
        &self,
        permit: &SessionPermit,
        upstream: Upstream,
        hub: &str,
    ) -> Result<Opened, AppError> {
        let prefs = &self.desk.prefs;
        let (cluster, endpoint) = (permit.cluster(), upstream.endpoint.to_string());
        // Without what is remembered, another cluster's port might be given, and tools would take that one's API for
        // this one's.
        let unknown = |what: &str, error: sallyport_store::StoreError| {
            AppError::failed(format!("{cluster} was not opened, since {what}"))
                .hint("Check that the disk is not full and that the data directory can be written, then try again.")
                .because(error)
        };
        let known = prefs.cluster_ports(hub, cluster.clone(), &endpoint).await;
        let known =
            known.map_err(|e| unknown("the ports of all clusters on this computer can't be read", e))?;
        let ports = Ports { own: known.own, others: known.others };
        let opened = self.gateway.open(permit, upstream, &ports, self.calls.clone()).map_err(|e| {
            AppError::failed("the gateway could not open the session")
                .hint("Another program may hold all ports of 127.0.0.1.")
                .because(e)
        })?;
        let at = Timestamp::now().as_second();
        let kept = prefs.keep_cluster_port(hub, cluster.clone(), &endpoint, opened.port, at).await;
        if let Err(error) = kept {
            // Nobody has its kubeconfig yet.
            self.gateway.cut(permit.session(), CutReason::Failed).await;
            return Err(unknown("its port on this computer can't be remembered", error));
        }
        Ok(opened)
    }
}

impl Ground for GatewayAndTargets {
    fn open<'a>(
        &'a self,
        permit: &'a SessionPermit,
        upstream: Upstream,
        hub: &'a str,
    ) -> BoxFuture<'a, Result<Opened, AppError>> {
        self.serve(permit, upstream, hub).boxed()
    }
    fn first_call<'a>(&'a self, opened: &'a Opened, path: &'a str) -> BoxFuture<'a, Result<u16, AppError>> {
        through_gateway(opened, path, self.desk.options.deadline).boxed()
    }
    fn extend(
        &self,
        permit: &SessionPermit,
        token: &Secret<String>,
        jti: Jti,
        now: i64,
        keeps: Keeps,
    ) -> Result<Vec<LiveCall>, AppError> {
        self.gateway.swap_token(permit, token, jti, now, keeps).map_err(|e| {
            AppError::failed("the session could not go on under the new grant")
                .hint("It stays open until its time is up. Leave it, and open the cluster again for more.")
                .because(e)
        })
    }
    fn cut<'a>(&'a self, session: &'a SessionId, why: CutReason) -> BoxFuture<'a, Option<CutReport>> {
        self.gateway.cut(session, why).boxed()
    }
    fn live(&self, session: &SessionId) -> Option<Live> {
        self.gateway.live(session)
    }
    fn look<'a>(&'a self, reach: &'a Reach, rules: &'a [Rule], scope: &'a Scope) -> BoxFuture<'a, Witnesses> {
        Witnesses::look(rules, scope, &reach.target, &reach.token, self.desk.options.deadline).boxed()
    }
    fn end_own_grant<'a>(
        &'a self,
        reach: &'a Reach,
        grant: &'a str,
        uid: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, OwnEnd> {
        end_own_grant(&reach.target, &reach.token, grant, uid, within).boxed()
    }
    fn rights_gone<'a>(
        &'a self,
        reach: &'a Reach,
        witnesses: &'a Witnesses,
        within: Duration,
        told: &'a mut (dyn FnMut(Progress) + Send),
    ) -> BoxFuture<'a, Proof> {
        witnesses.rights_gone(&reach.target, &reach.token, within, told).boxed()
    }
    fn token_refused<'a>(
        &'a self,
        reach: &'a Reach,
        witnesses: &'a Witnesses,
        within: Duration,
        told: &'a mut (dyn FnMut(Progress) + Send),
    ) -> BoxFuture<'a, Proof> {
        witnesses.token_refused(&reach.target, &reach.token, within, told).boxed()
    }
}

/// One GET through the gateway, as a tool in the terminal would make it.
async fn through_gateway(opened: &Opened, path: &str, deadline: Duration) -> Result<u16, AppError> {
    let wrong = |e: Box<dyn std::error::Error + Send + Sync>| {
        AppError::failed("the session's own gateway can't be called").because(e)
    };
    let endpoint =
        Endpoint::parse(&opened.server_url, Some(&opened.ca_pem), None).map_err(|e| wrong(e.into()))?;
    let identity = Credential::Certificate {
        chain: opened.client_cert_pem.clone(),
        key: Secret::new(opened.client_key_pem.expose().clone()),
    };
    let client = connect(&endpoint, identity, Timeouts::both(deadline)).map_err(|e| wrong(e.into()))?;
    let request = http::Request::get(path).body(Vec::new()).map_err(|e| wrong(e.into()))?;
    let failed = |code, why: String| {
        AppError::new(code, format!("the first call was not answered: {why}"))
            .hint("The session was taken back; try again.")
            .retry()
    };
    match tokio::time::timeout(deadline, client.request_text(request)).await {
        Ok(Ok(_)) => Ok(200),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(404),
        Ok(Err(error)) => {
            Err(failed(ErrorCode::Unreachable, sallyport_client::fault(&error).to_string()).because(error))
        }
        Err(_) => {
            Err(failed(ErrorCode::Unreachable, format!("nothing came within {} s", deadline.as_secs())))
        }
    }
}
