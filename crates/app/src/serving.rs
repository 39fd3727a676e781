//! Being open: the seal, the gateway, the private kubeconfig, the first call, and the watch for the end.

use crate::core::{App, Core};
use crate::error::AppError;
use crate::following::{broker_word, credential, objects};
use crate::opening::{Changes, cancelled};
use crate::session::{BrokerWord, Held, Session};
use futures::StreamExt as _;
use jiff::Timestamp;
use sallyport_api::AccessRequest;
use sallyport_audit::Action;
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_gateway::{CutNotice, CutReason, CutReport, Opened, Ports, Upstream};
use sallyport_hub::Which;
use sallyport_hub::seal::{Aad, KeyPair, Sealed};
use sallyport_ipc::StepKind;
use sallyport_model::{
    ClusterName, EndReason, ErrorCode, GrantUid, Phase, Scope, Secret, SessionEvent, SessionState,
};
use sallyport_policy::{SessionFacts, SessionPermit, admit_session};
use sallyport_provision::Witnesses;
use sallyport_terminal::{KubeconfigSpec, PrivateKubeconfig};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

impl App {
    /// Starts the gateway for the session, writes its kubeconfig, and makes the first call through it.
    pub(crate) async fn serve(
        &self,
        session: &Arc<Session>,
        request: &AccessRequest,
        sealed: Sealed,
        permit: &SessionPermit,
    ) -> Result<Opened, AppError> {
        let core = &self.0;
        let cluster = permit.cluster().clone();
        let bad = |what: &str| {
            AppError::failed(format!("what the broker of {cluster} sealed can't be used: {what}"))
                .hint("Tell your admin.")
        };
        let upstream = Upstream {
            cluster: cluster.clone(),
            endpoint: sealed.endpoint.parse().map_err(|_| bad("its endpoint is no URL"))?,
            ca_pem: sealed.ca_bundle.clone(),
            tls_server_name: sealed.tls_server_name.clone(),
            token: sealed.token.clone(),
            jti: sealed.jti.clone(),
            user: permit.user().clone(),
            allow_impersonation: false,
            now: core.hub_now(),
        };
        let (ca, name) = (Some(sealed.ca_bundle.as_str()), sealed.tls_server_name.as_deref());
        let target = Endpoint::parse(&sealed.endpoint, ca, name)
            .map_err(|e| bad("its endpoint can't be called").because(e))?;
        let scope = session.record().wanted.scope.clone();
        let rules = request
            .status
            .as_ref()
            .and_then(|s| s.offer.as_ref())
            .map(|o| o.rules.clone())
            .unwrap_or_default();
        let rules = crate::inventory::rules(&rules);
        *session.helm_misses.lock().unwrap_or_else(PoisonError::into_inner) =
            sallyport_rbac::helm_misses(&rules);
        let first = Witnesses::first_call(&rules, &scope);
        // From here on there is a token whose end has to be proven, whatever fails below.
        let witnesses = Witnesses::of(&rules, &scope);
        *session.held() = Some(Held { token: sealed.token, target, rules, witnesses, kubeconfig: None });
        let opened = core.open_gateway(permit, upstream, &session.signed.hub_url).await?;
        let spec = kubeconfig_spec(&opened, &cluster, &scope, permit.user().as_str());
        let runtime = core.dirs.runtime.clone();
        let kubeconfig = tokio::task::spawn_blocking(move || PrivateKubeconfig::write(&runtime, &spec))
            .await
            .map_err(|e| AppError::failed("the private kubeconfig could not be written").because(e))?
            .map_err(|e| {
                AppError::failed("the private kubeconfig could not be written")
                    .hint("Check the runtime directory and its disk.")
                    .because(e)
            })?;
        // Dropped, and so removed, where the session was closed meanwhile.
        if let Some(held) = session.held().as_mut() {
            held.kubeconfig = Some(kubeconfig);
        }
        self.first_call(session, &opened, first.as_deref(), permit).await?;
        Ok(opened)
    }

    async fn first_call(
        &self,
        session: &Arc<Session>,
        opened: &Opened,
        first: Option<&str>,
        permit: &SessionPermit,
    ) -> Result<(), AppError> {
        let core = &self.0;
        let started = Instant::now();
        let path = first.unwrap_or("/version");
        let status = through_gateway(opened, path, core.options.deadline).await?;
        let took = {
            let mut record = session.record();
            if !record.apply(SessionEvent::Ready) {
                return Err(cancelled());
            }
            record.done(StepKind::Ready, format!("first call answered {status}"));
            let left = permit.end() - core.hub_now();
            record.deadline =
                Instant::now().checked_add(Duration::from_secs(u64::try_from(left).unwrap_or_default()));
            record.opened()
        };
        core.tell_session(session);
        let ms = started.elapsed().as_millis() as u64;
        core.recorder
            .note(
                core.draft(Action::Ready, session)
                    .detail("status", status)
                    .detail("path", path)
                    .detail("ms", ms),
            )
            .await;
        let click = took.as_millis() as u64;
        core.recorder.note(core.draft(Action::SessionOpen, session).detail("ms", click)).await;
        self.clone().find_witnesses(session.clone());
        Ok(())
    }

    /// Looks in the background for calls that are allowed, one for each role in each namespace: only what was seen to
    /// be allowed can be seen to be refused. Until then the broker's own questions have to do.
    fn find_witnesses(self, session: Arc<Session>) {
        tokio::spawn(async move {
            let scope = session.record().wanted.scope.clone();
            let Some((target, token, rules)) =
                session.held().as_ref().map(|h| (h.target.clone(), h.token.clone(), h.rules.clone()))
            else {
                return;
            };
            let found = Witnesses::look(&rules, &scope, &target, &token, self.0.options.deadline).await;
            // What was looked at while it ended says nothing of the time before.
            if session.state() == SessionState::Open
                && let Some(held) = session.held().as_mut()
            {
                held.witnesses = found;
            }
        });
    }

    /// While it is open: revoked or closed by the broker, ended by the gateway's clock, or left.
    pub(crate) async fn watch_while_open(self, session: Arc<Session>, mut changes: Changes, opened: Opened) {
        let mut cut = Some(opened.cut);
        loop {
            tokio::select! {
                change = changes.next() => {
                    let Some(change) = change else { return };
                    for request in objects(change, &self.0).unwrap_or_default() {
                        let revoked = request.status.as_ref().and_then(|s| s.revocation.clone());
                        if request.phase() == Phase::Closed {
                            let word = broker_word(&request);
                            session.closed_by_broker.send_replace(Some(word.clone()));
                            self.close(&session, word.reason, cut_reason(&word), word.by.as_deref(), Some(&word.message)).await;
                            return;
                        }
                        // Over by the broker's word, though something of it is still on the cluster: nothing may go on here.
                        // What left from here is Closing already, and stays what its person made it.
                        if request.closing().is_some() && revoked.is_none() && session.state() == SessionState::Open {
                            let word = broker_word(&request);
                            session.ended_elsewhere.store(true, Ordering::Relaxed);
                            let (app, session) = (self.clone(), session.clone());
                            tokio::spawn(async move {
                                app.close(&session, word.reason, cut_reason(&word), word.by.as_deref(), Some(&word.message)).await;
                            });
                        }
                        if let Some(revocation) = revoked {
                            let (app, session) = (self.clone(), session.clone());
                            // The cut must not wait for the broker, and the watch goes on for its word.
                            tokio::spawn(async move {
                                app.close(&session, EndReason::Revoked, CutReason::Revoked, Some(&revocation.by), Some(&revocation.reason)).await;
                            });
                        }
                    }
                }
                () = session.cancel.cancelled(), if session.state() == SessionState::Open => {
                    let (app, session) = (self.clone(), session.clone());
                    tokio::spawn(async move { app.close(&session, EndReason::Left, CutReason::Left, None, None).await });
                }
                report = heard(&mut cut), if session.state() == SessionState::Open => {
                    cut = None;
                    if report.is_some_and(|r| r.reason == CutReason::Expired) {
                        let (app, session) = (self.clone(), session.clone());
                        tokio::spawn(async move { app.close(&session, EndReason::Expired, CutReason::Expired, None, None).await });
                    }
                }
            }
        }
    }
}

impl Core {
    /// Serves the session on its cluster's port, and remembers that it is the cluster's before any tool can.
    pub(crate) async fn open_gateway(
        &self,
        permit: &SessionPermit,
        upstream: Upstream,
        hub: &str,
    ) -> Result<Opened, AppError> {
        let (cluster, endpoint) = (permit.cluster(), upstream.endpoint.to_string());
        // Without what is remembered, another cluster's port might be given, and tools would take that one's API for
        // this one's.
        let unknown = |what: &str, error: sallyport_store::StoreError| {
            AppError::failed(format!("{cluster} was not opened, since {what}"))
                .hint("Check that the disk is not full and that the data directory can be written, then try again.")
                .because(error)
        };
        let known = self.prefs.cluster_ports(hub, cluster.clone(), &endpoint).await;
        let known =
            known.map_err(|e| unknown("the ports of all clusters on this computer can't be read", e))?;
        let ports = Ports { own: known.own, others: known.others };
        let opened = self.gateway.open(permit, upstream, &ports, self.calls.clone()).map_err(|e| {
            AppError::failed("the gateway could not open the session")
                .hint("Another program may hold all ports of 127.0.0.1.")
                .because(e)
        })?;
        let at = Timestamp::now().as_second();
        let kept = self.prefs.keep_cluster_port(hub, cluster.clone(), &endpoint, opened.port, at).await;
        if let Err(error) = kept {
            // Nobody has its kubeconfig yet.
            self.gateway.cut(permit.session(), CutReason::Failed).await;
            return Err(unknown("its port on this computer can't be remembered", error));
        }
        Ok(opened)
    }

    /// Opens the seal: what was asked, what the hub recorded and what the broker sealed must agree.
    pub(crate) fn unseal(
        &self,
        session: &Session,
        request: &AccessRequest,
        which: &Which,
        keys: &KeyPair,
    ) -> Result<(Sealed, SessionPermit), AppError> {
        let signed = self.signed()?;
        let grant = request.status.as_ref().and_then(|s| s.grant.as_ref());
        let grant = grant.ok_or_else(|| {
            AppError::failed("the hub records no grant for this session").hint("Tell your admin.")
        })?;
        let recorded_end = grant.end.0.as_second();
        let uid = GrantUid::new(grant.uid.clone());
        let user = request.spec.user.parse().map_err(|e: sallyport_model::NameError| {
            AppError::failed("the request names no proper user").because(e)
        })?;
        let aad = Aad { user, request: which.uid.clone(), grant: uid.clone(), end: recorded_end };
        let sealed =
            sallyport_hub::seal::open(keys, &aad, credential(request).unwrap_or_default()).map_err(|e| {
                AppError::failed("the token was not sealed for this session")
                    .hint("Try again; if it stays so, tell your admin: someone may be in between.")
                    .because(e)
            })?;
        let mut record = session.record();
        let facts = SessionFacts {
            session: session.id.clone(),
            signed_in: signed.who.user,
            user: aad.user,
            cluster: record.wanted.cluster.clone(),
            request: which.uid.clone(),
            scope: record.wanted.scope.clone(),
            duration: record.wanted.duration,
            grant: uid.clone(),
            recorded_end,
            sealed_end: sealed.end,
            endpoint: sealed.endpoint.clone(),
            now: self.hub_now(),
        };
        let permit =
            admit_session(facts).map_err(|r| AppError::failed(r.message).hint("Tell your admin."))?;
        record.grant = Some(uid);
        record.jti = Some(sealed.jti.clone());
        record.end = Some(recorded_end);
        Ok((sealed, permit))
    }
}

/// What the streams of a session are cut for that the broker has ended.
fn cut_reason(word: &BrokerWord) -> CutReason {
    if word.reason == EndReason::Expired { CutReason::Expired } else { CutReason::Revoked }
}

/// The gateway's own word that it cut the session: once, and never again after that.
async fn heard(cut: &mut Option<CutNotice>) -> Option<CutReport> {
    match cut {
        Some(cut) => cut.await.ok(),
        None => std::future::pending().await,
    }
}

fn kubeconfig_spec(opened: &Opened, cluster: &ClusterName, scope: &Scope, user: &str) -> KubeconfigSpec {
    KubeconfigSpec {
        server: opened.server_url.clone(),
        ca_pem: opened.ca_pem.clone(),
        client_cert_pem: opened.client_cert_pem.clone(),
        client_key_pem: opened.client_key_pem.clone(),
        cluster: cluster.clone(),
        namespace: scope.to_list().into_iter().next(),
        user: user.to_owned(),
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
            Err(failed(ErrorCode::ClusterUnreachable, sallyport_client::fault(&error).to_string())
                .because(error))
        }
        Err(_) => Err(failed(ErrorCode::TimedOut, format!("nothing came within {} s", deadline.as_secs()))),
    }
}
