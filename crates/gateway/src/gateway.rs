//! The listeners on loopback and the sessions behind them.

use crate::authority::Authority;
use crate::call::{Call, CutReason};
use crate::descriptors;
use crate::door::Door;
use crate::error::GatewayError;
use crate::held::Held;
use crate::lanes::{Lanes, Pings};
use crate::live::{Live, LiveCall};
use crate::options::GatewayOptions;
use crate::ports::{Listening, Ports};
use crate::session::{CutNotice, CutReport, End, Session, WallClock};
use crate::standing::Standing;
use crate::target::Target;
use crate::upstream::{Bearer, Endpoint, Upstream};
use rustls::crypto::CryptoProvider;
use sallyport_model::{Jti, Secret, SessionId};
use sallyport_policy::SessionPermit;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use url::Url;

/// What a session's kubeconfig needs, and word of its end.
#[derive(Debug)]
pub struct Opened {
    /// `https://127.0.0.1:<port>`, without a path: some clients drop one, others take none.
    pub server_url: String,
    /// That port. It is this cluster's for good: to be remembered, and never to be given to another.
    pub port: u16,
    /// The gateway's authority, PEM: the only one to trust for that URL.
    pub ca_pem: String,
    /// The session's client certificate, PEM.
    pub client_cert_pem: String,
    /// Its key, PEM (SEC 1).
    pub client_key_pem: Secret<String>,
    /// Resolves when the session is cut, by whomever; also when its time is up.
    pub cut: CutNotice,
}

/// The loopback gateway. Clones are the same gateway; dropping the last one ends it and every session.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    door: Arc<Door>,
    authority: Authority,
    provider: Arc<CryptoProvider>,
    options: GatewayOptions,
    listening: Mutex<Listening>,
    recording: watch::Sender<bool>,
    runtime: Handle,
    held: Held,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.held.cut_token().cancel();
        let sessions = self.door.registry.sessions();
        self.runtime.spawn(async move {
            for session in sessions {
                session.cut(CutReason::Quit).await;
            }
        });
    }
}

impl Gateway {
    /// Makes the gateway, with a certificate authority of its own. It listens once a session is open. Call it within a
    /// tokio runtime; what it starts runs there. Raises this process's soft limit of open files.
    ///
    /// # Errors
    /// When a certificate can't be made.
    pub async fn start(options: GatewayOptions) -> Result<Self, GatewayError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authority = Authority::new()?;
        let tls = authority.server_config(provider.clone())?;
        let held = Held::default();
        let (recording, is_recording) = watch::channel(true);
        let door = Arc::new(Door::new(tls, &options, descriptors::raise(), is_recording, held.clone()));
        let listening = Mutex::default();
        let runtime = Handle::current();
        let inner = Inner { door, authority, provider, options, listening, recording, runtime, held };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Says whether the history can keep what is recorded now. While it can't, new calls wait, and are refused when it
    /// takes longer than they may.
    pub fn recording(&self, works: bool) {
        self.inner.recording.send_if_modified(|now| std::mem::replace(now, works) != works);
    }

    /// What was last said by [`Gateway::recording`]; at first that it works.
    pub fn is_recording(&self) -> bool {
        *self.inner.recording.borrow()
    }

    /// Serves a session until its permit's end or a cut, on the loopback port of its cluster: one it had before, if that
    /// can be had, and none that was another's. Every call it makes is sent to `calls`; when that is full
    /// new calls wait, and when nobody receives any more none is served. `calls` closes once the session is cut and
    /// its last call was sent. What is refused after that, or for want of a history, passes nothing and is not told.
    ///
    /// # Errors
    /// When the permit is for something else or over, the session is known already, the API server can't be called as
    /// described, or no port can be had.
    pub fn open(
        &self,
        permit: &SessionPermit,
        upstream: Upstream,
        ports: &Ports,
        calls: mpsc::Sender<Call>,
    ) -> Result<Opened, GatewayError> {
        let inner = &self.inner;
        matches(permit, &upstream)?;
        let id = permit.session().clone();
        let wall: WallClock = inner.options.wall_clock.clone();
        let end =
            End::after(upstream.now, permit.end(), wall()).ok_or_else(|| GatewayError::Ended(id.clone()))?;
        let wrong = |error| GatewayError::Upstream(upstream.cluster.clone(), error);
        let bearer = Bearer::new(&upstream.token).map_err(wrong)?;
        let endpoint =
            Endpoint::new(&upstream, inner.provider.clone(), inner.options.connect_within).map_err(wrong)?;
        let identity = inner.authority.client(&id)?;

        let _in_runtime = inner.runtime.enter();
        let held = Held::default();
        let pings = Pings { every: inner.options.ping_every, within: inner.options.ping_within };
        let lanes = Arc::new(Lanes::new(endpoint, held.clone(), pings));
        let standing = Standing::new(permit, upstream.jti.clone(), bearer);
        let whose = (upstream.cluster.clone(), upstream.endpoint.to_string());
        // Held until the session is known, which is what keeps its port.
        let mut listening = inner.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let port = listening.place(&inner.door, whose, ports)?.port();
        let times = (end, wall, inner.options.slow_after);
        let session = Arc::new(Session::new(standing, &upstream, port, lanes, held, times, calls));
        if !inner.door.registry.add(identity.fingerprint, session.clone()) {
            return Err(GatewayError::Known(id));
        }
        drop(listening);
        let (notice, cut) = oneshot::channel();
        session.tell_cut(notice);
        tokio::spawn(async move { session.watch_end().await });
        Ok(Opened {
            server_url: format!("https://127.0.0.1:{port}"),
            port,
            ca_pem: inner.authority.cert_pem(),
            client_cert_pem: identity.cert_pem,
            client_key_pem: identity.key_pem,
            cut,
        })
    }

    /// Goes on with a new grant's token, until its end, under the same client certificate. Streams that are open keep the
    /// token they began with, and go on as long as the session where `keeps` says that the new grant holds what they are
    /// about; the others are cut, and told. `now` as in [`Upstream::now`].
    ///
    /// # Errors
    /// When the session is not open, or the permit is for another user, cluster, endpoint or session.
    pub fn swap_token(
        &self,
        permit: &SessionPermit,
        token: &Secret<String>,
        jti: Jti,
        now: i64,
        keeps: impl Fn(&Target) -> bool + Send + Sync + 'static,
    ) -> Result<Vec<LiveCall>, GatewayError> {
        let inner = &self.inner;
        let id = permit.session();
        let session = inner.door.registry.session(id).ok_or_else(|| GatewayError::NotOpen(id.clone()))?;
        let wrong = |error| GatewayError::Upstream(permit.cluster().clone(), error);
        let bearer = Bearer::new(token).map_err(wrong)?;
        let end = End::after(now, permit.end(), (inner.options.wall_clock)())
            .ok_or_else(|| GatewayError::Ended(id.clone()))?;
        session.extend(Standing::new(permit, jti, bearer), permit.endpoint(), end, Arc::new(keeps))
    }

    /// Refuses the session's calls from now on and ends everything that runs for it; later calls are answered with
    /// the reason. `None` when it is not open.
    pub async fn cut(&self, session: &SessionId, reason: CutReason) -> Option<CutReport> {
        self.inner.door.registry.session(session)?.cut(reason).await
    }

    /// The session's counters and calls; also of one that was cut, for a while.
    pub fn live(&self, session: &SessionId) -> Option<Live> {
        Some(self.inner.door.registry.session(session)?.ledger().live())
    }

    /// How many HTTP/2 connections the session has to its API server.
    pub fn upstream_connections(&self, session: &SessionId) -> Option<usize> {
        Some(self.inner.door.registry.session(session)?.lanes().connections())
    }

    /// Cuts every session, then stops listening.
    pub async fn shutdown(&self) -> Vec<(SessionId, CutReport)> {
        let cut = |session: Arc<Session>| async move {
            let report = session.cut(CutReason::Quit).await?;
            Some((session.id.clone(), report))
        };
        let cuts = self.inner.door.registry.sessions().into_iter().map(cut);
        let reports = futures::future::join_all(cuts).await;
        self.inner.held.end(Duration::from_secs(1)).await;
        reports.into_iter().flatten().collect()
    }
}

/// A permit opens only what it was given for.
fn matches(permit: &SessionPermit, upstream: &Upstream) -> Result<(), GatewayError> {
    if permit.cluster() != &upstream.cluster {
        return Err(GatewayError::OtherPermit("cluster"));
    }
    if permit.user() != &upstream.user {
        return Err(GatewayError::OtherPermit("user"));
    }
    if Url::parse(permit.endpoint()).ok().as_ref() != Some(&upstream.endpoint) {
        return Err(GatewayError::OtherPermit("endpoint"));
    }
    Ok(())
}
