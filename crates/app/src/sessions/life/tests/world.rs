//! A hub, a gateway and a target as a session's owner sees them: fakes of its ports.

use super::super::super::Sessions;
use super::super::super::ports::{Changes, Ground, HubSide, Keeps, Reach};
use crate::desk::{AppError, Desk, Host, Options};
use crate::history::Recorder;
use crate::inventory::Choice;
use crate::person::{SignIns, SignedInAs, WorkspaceId};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_gateway::{CutReason, CutReport, Live, LiveCall, Opened, Upstream};
use sallyport_hub::seal::{Aad, Sealed, seal};
use sallyport_hub::{Ask, Change, Refused, request_name};
use sallyport_ipc::{Event, HubLink, SessionState, SessionView};
use sallyport_model::{
    GrantUid, Jti, NamespaceName, RequestRef, RequestUid, Scope, Secret, SessionId, SignIn, Terms, Ttl,
    UserName,
};
use sallyport_policy::SessionPermit;
use sallyport_provision::{OwnEnd, Progress, Proof, Proven, Witnesses};
use sallyport_rbac::Rule;
use sallyport_store::History;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

const CA: &str = include_str!("../../../../tests/data/ca.pem");
pub(super) const USER: &str = "oidc:ann@example.org";
const ENDPOINT: &str = "https://127.0.0.1:9/";

/// Counts what it is told of sessions.
pub(super) struct Nobody(Arc<AtomicUsize>);

impl Host for Nobody {
    fn open_browser(&self, _: &str) -> Result<(), AppError> {
        Err(AppError::failed("there is no browser here"))
    }
    fn tell(&self, event: Event) {
        if matches!(event, Event::Session { .. } | Event::SessionGone { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn exit(&self) {}
}

/// A hub of one request.
pub(super) struct FakeHub {
    pub(super) user: UserName,
    pub(super) workspace: WorkspaceId,
    pub(super) request: Mutex<Option<AccessRequest>>,
    pub(super) told: mpsc::UnboundedSender<Change<AccessRequest>>,
    pub(super) changes: Mutex<Option<mpsc::UnboundedReceiver<Change<AccessRequest>>>>,
    pub(super) sign_ins: watch::Sender<SignIns>,
    /// What the next asks are answered with before one is taken in.
    pub(super) refusals: Mutex<Vec<Refused>>,
    /// Held while an ask may not be answered yet.
    pub(super) gate: tokio::sync::Mutex<()>,
    pub(super) asks: AtomicUsize,
    pub(super) withdrawn: AtomicUsize,
    /// Answered looks for a request by its name.
    pub(super) looks: AtomicUsize,
    pub(super) is_over: AtomicBool,
    /// Which request of a person's it is for: its request's UID and its grant's.
    pub(super) uids: (&'static str, &'static str),
    /// Takes what is asked in without an answer, as late as somebody lets it.
    pub(super) loses_answers: AtomicBool,
    pub(super) is_away: AtomicBool,
    /// What each look for the provider's word had to be newer than.
    pub(super) vouched: Mutex<Vec<i64>>,
    /// Whether the provider vouches, or why it does not.
    pub(super) provider: Mutex<Result<(), String>>,
}

impl FakeHub {
    pub(super) fn new() -> Arc<Self> {
        Self::of(("u1", "g1"))
    }

    pub(super) fn of(uids: (&'static str, &'static str)) -> Arc<Self> {
        let (told, changes) = mpsc::unbounded_channel();
        Arc::new(Self {
            uids,
            user: USER.parse().unwrap(),
            workspace: WorkspaceId::of("https://hub"),
            request: Mutex::default(),
            told,
            changes: Mutex::new(Some(changes)),
            sign_ins: watch::Sender::default(),
            refusals: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            asks: AtomicUsize::new(0),
            withdrawn: AtomicUsize::new(0),
            looks: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            loses_answers: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            vouched: Mutex::default(),
            provider: Mutex::new(Ok(())),
        })
    }

    /// Changes the request's status as somebody on the hub would.
    pub(super) fn put(&self, more: serde_json::Value) {
        let mut request = self.request.lock().unwrap();
        let mut object = serde_json::to_value(request.as_ref().expect("it was asked")).unwrap();
        for (key, value) in more.as_object().unwrap() {
            object["status"][key] = value.clone();
        }
        *request = Some(serde_json::from_value(object).unwrap());
        let _ = self.told.send(Change::Put(request.clone().unwrap()));
    }

    /// Grants it, as a broker does; with what else its status says.
    pub(super) fn grant(&self, more: serde_json::Value) {
        let asked = self.request.lock().unwrap().as_ref().unwrap().spec.duration.clone();
        self.grant_for(asked.parse().unwrap(), more);
    }

    /// The same, for so long.
    pub(super) fn grant_for(&self, duration: Ttl, more: serde_json::Value) {
        let public_key = self.request.lock().unwrap().as_ref().unwrap().spec.public_key.clone();
        let end = now() + i64::from(duration.as_seconds_u32());
        let (request, grant) = self.uids;
        let aad = Aad {
            user: self.user.clone(),
            request: RequestUid::new(request),
            grant: GrantUid::new(grant),
            end,
        };
        let sealed = Sealed {
            token: Secret::new(format!("token-of-{grant}")),
            endpoint: ENDPOINT.to_owned(),
            ca_bundle: CA.to_owned(),
            tls_server_name: None,
            jti: Jti::new("j"),
            end,
        };
        let end = jiff::Timestamp::from_second(end).unwrap().to_string();
        let mut status = json!({
            "phase": "Active", "credential": seal(&public_key, &aad, &sealed).unwrap(),
            "grant": {"uid": grant, "name": "g", "account": "s-1", "end": end},
        });
        for (key, value) in more.as_object().unwrap() {
            status[key] = value.clone();
        }
        self.put(status);
    }

    pub(super) async fn until_asked(&self) {
        until("it is asked", || self.request.lock().unwrap().is_some()).await;
    }

    pub(super) fn take_in(&self, ask: &Ask) -> AccessRequest {
        let object = json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": request_name(&ask.public_key), "namespace": "team", "uid": self.uids.0},
            "spec": {"user": USER, "groups": [], "cluster": "c", "profile": "debug", "profileRevision": "6f1c2d7e-0000-4000-8000-000000000000/1",
                "namespaces": ask.terms.scope.to_list().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "duration": ask.terms.duration.to_string(), "reason": "r", "publicKey": ask.public_key, "acr": "",
                "amr": [], "authTime": 0},
            "status": {"phase": "Pending"},
        });
        let request: AccessRequest = serde_json::from_value(object).unwrap();
        *self.request.lock().unwrap() = Some(request.clone());
        request
    }

    pub(super) fn answers(&self) -> Result<(), Fault> {
        if self.is_away.load(Ordering::Relaxed) { Err(Fault::TimedOut) } else { Ok(()) }
    }
}

impl HubSide for FakeHub {
    fn user(&self) -> &UserName {
        &self.user
    }
    fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }
    fn team(&self) -> Option<NamespaceName> {
        Some("team".parse().unwrap())
    }
    fn who(&self) -> SignedInAs {
        let user = self.user.clone();
        SignedInAs { user, groups: vec![], acr: vec![], amr: vec![], auth_time: None, says_issued: true }
    }
    fn signed_in(&self) -> Result<UserName, AppError> {
        Ok(self.user.clone())
    }
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
    fn sign_ins(&self) -> watch::Receiver<SignIns> {
        self.sign_ins.subscribe()
    }
    fn now(&self) -> i64 {
        now()
    }
    fn is(&self, _: HubLink, _: Option<String>) {}
    fn ready(&self) -> BoxFuture<'_, Result<(), AppError>> {
        async { Ok(()) }.boxed()
    }
    fn evidence(&self) -> BoxFuture<'_, SignIn> {
        async { SignIn::default() }.boxed()
    }
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<AccessRequest, Refused>> {
        async move {
            self.asks.fetch_add(1, Ordering::Relaxed);
            let _answered = self.gate.lock().await;
            if let Some(refused) = self.refusals.lock().unwrap().pop() {
                return Err(refused);
            }
            if self.loses_answers.load(Ordering::Relaxed) {
                return Err(Refused::Fault(Fault::TimedOut));
            }
            Ok(self.take_in(ask))
        }
        .boxed()
    }
    fn watch(&self, _: &RequestRef) -> Changes {
        let mut changes = self.changes.lock().unwrap().take().expect("it is watched once");
        let first = Change::All {
            objects: self.request.lock().unwrap().clone().into_iter().collect(),
            malformed: vec![],
        };
        let then = futures::stream::poll_fn(move |cx| changes.poll_recv(cx));
        Box::pin(futures::stream::iter([first]).chain(then))
    }
    fn request<'a>(&'a self, _: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Fault>> {
        async {
            self.answers()?;
            self.request.lock().unwrap().clone().ok_or(Fault::NotFound)
        }
        .boxed()
    }
    fn named<'a>(
        &'a self,
        _: &'a NamespaceName,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<AccessRequest>, Fault>> {
        async {
            self.answers()?;
            let found = self.request.lock().unwrap().clone();
            self.looks.fetch_add(1, Ordering::Relaxed);
            Ok(found)
        }
        .boxed()
    }
    fn withdraw<'a>(&'a self, _: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Refused>> {
        async {
            self.answers().map_err(Refused::Fault)?;
            let request = self.request.lock().unwrap().clone().ok_or(Refused::Fault(Fault::NotFound))?;
            self.withdrawn.fetch_add(1, Ordering::Relaxed);
            Ok(request)
        }
        .boxed()
    }
    fn clear_credential<'a>(&'a self, _: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Refused>> {
        async { self.request.lock().unwrap().clone().ok_or(Refused::Fault(Fault::NotFound)) }.boxed()
    }
    fn reaffirm<'a>(&'a self, _: &'a RequestRef, after: i64) -> BoxFuture<'a, Result<i64, AppError>> {
        async move {
            self.vouched.lock().unwrap().push(after);
            match &*self.provider.lock().unwrap() {
                Ok(()) => Ok(now()),
                Err(why) => Err(AppError::failed(why.clone())),
            }
        }
        .boxed()
    }
}

/// A gateway and a target.
#[derive(Default)]
pub(super) struct FakeGround {
    pub(super) opened: AtomicUsize,
    pub(super) cuts: Mutex<Vec<CutReason>>,
    /// How long a cut takes.
    pub(super) cut_takes: Mutex<Duration>,
    /// Held while the gateway may not open yet.
    pub(super) gate: tokio::sync::Mutex<()>,
    /// The gateway's word that it cut.
    pub(super) notice: Mutex<Option<tokio::sync::oneshot::Sender<CutReport>>>,
    /// Whether rights and token stay good.
    pub(super) stays: AtomicBool,
    /// Whether the gateway goes on with no other token.
    pub(super) refuses: AtomicBool,
    /// With which tokens it went on, and for which session.
    pub(super) tokens: Mutex<Vec<(String, String)>>,
    /// The tokens whose grants were ended.
    pub(super) own_ends: Mutex<Vec<String>>,
    /// Whether probing fails the owner.
    pub(super) breaks: AtomicBool,
    pub(super) probes: AtomicUsize,
}

impl Ground for FakeGround {
    fn open<'a>(
        &'a self,
        _: &'a SessionPermit,
        _: Upstream,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Opened, AppError>> {
        async {
            let _opens = self.gate.lock().await;
            self.opened.fetch_add(1, Ordering::Relaxed);
            let (notice, cut) = tokio::sync::oneshot::channel();
            *self.notice.lock().unwrap() = Some(notice);
            Ok(Opened {
                server_url: "https://127.0.0.1:7".into(),
                port: 7,
                ca_pem: CA.into(),
                client_cert_pem: CA.into(),
                client_key_pem: Secret::new("k".to_owned()),
                cut,
            })
        }
        .boxed()
    }
    fn first_call<'a>(&'a self, _: &'a Opened, _: &'a str) -> BoxFuture<'a, Result<u16, AppError>> {
        async { Ok(200) }.boxed()
    }
    fn extend(
        &self,
        permit: &SessionPermit,
        token: &Secret<String>,
        _: Jti,
        _: i64,
        _: Keeps,
    ) -> Result<Vec<LiveCall>, AppError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(AppError::failed("not now"));
        }
        self.tokens.lock().unwrap().push((permit.session().to_string(), token.expose().clone()));
        Ok(Vec::new())
    }
    fn cut<'a>(&'a self, _: &'a SessionId, why: CutReason) -> BoxFuture<'a, Option<CutReport>> {
        async move {
            self.cuts.lock().unwrap().push(why);
            let takes = *self.cut_takes.lock().unwrap();
            tokio::time::sleep(takes).await;
            None
        }
        .boxed()
    }
    fn live(&self, _: &SessionId) -> Option<Live> {
        None
    }
    fn look<'a>(&'a self, _: &'a Reach, rules: &'a [Rule], scope: &'a Scope) -> BoxFuture<'a, Witnesses> {
        async { Witnesses::of(rules, scope) }.boxed()
    }
    fn end_own_grant<'a>(
        &'a self,
        reach: &'a Reach,
        _: &'a str,
        _: &'a str,
        _: Duration,
    ) -> BoxFuture<'a, OwnEnd> {
        self.own_ends.lock().unwrap().push(reach.token.expose().clone());
        async { OwnEnd::Ended }.boxed()
    }
    fn rights_gone<'a>(
        &'a self,
        _: &'a Reach,
        _: &'a Witnesses,
        _: Duration,
        _: &'a mut (dyn FnMut(Progress) + Send),
    ) -> BoxFuture<'a, Proof> {
        async { self.probed(true) }.boxed()
    }
    fn token_refused<'a>(
        &'a self,
        _: &'a Reach,
        _: &'a Witnesses,
        _: Duration,
        _: &'a mut (dyn FnMut(Progress) + Send),
    ) -> BoxFuture<'a, Proof> {
        async { self.probed(false) }.boxed()
    }
}

impl FakeGround {
    pub(super) fn probed(&self, by_authorizer: bool) -> Proof {
        self.probes.fetch_add(1, Ordering::Relaxed);
        assert!(!self.breaks.load(Ordering::Relaxed), "on purpose");
        if self.stays.load(Ordering::Relaxed) {
            return Proof::Unproven { why: "it still answers 200".into() };
        }
        let status = if by_authorizer { 403 } else { 401 };
        let (took, by) = (Duration::ZERO, "127.0.0.1:9".to_owned());
        Proof::Proven(Proven { refused: 1, status, by_authorizer, took, by, at: Some(now()) })
    }
}

pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// What takes longer never comes.
const LONG: Duration = Duration::from_secs(60);

/// Waits until it is so.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONG, looking).await.unwrap_or_else(|_| panic!("{what}: never"));
}

pub(super) struct World {
    pub(super) sessions: Arc<Sessions>,
    pub(super) hub: Arc<FakeHub>,
    pub(super) ground: Arc<FakeGround>,
    pub(super) desk: Arc<Desk>,
    pub(super) told: Arc<AtomicUsize>,
    pub(super) _home: tempfile::TempDir,
}

impl World {
    /// How many private kubeconfigs are on the disk.
    pub(super) fn kubeconfigs(&self) -> usize {
        let found = std::fs::read_dir(&self.desk.dirs.runtime).unwrap().flatten();
        found.filter(|entry| entry.path().join("config").exists()).count()
    }

    pub(super) async fn new() -> Self {
        let told = Arc::new(AtomicUsize::new(0));
        let options = Options {
            may_come_in: Duration::from_millis(300),
            deadline: Duration::from_secs(1),
            ..Options::default()
        };
        let (desk, home) = Desk::apart(Arc::new(Nobody(told.clone())), options).await;
        let history = Recorder::new(History::open(&desk.dirs.data, None).await.unwrap());
        let ground = Arc::new(FakeGround::default());
        let recordings = Arc::new(crate::recordings::Recordings::new(&desk, history.clone()).await);
        let sessions = Sessions::new(desk.clone(), history, recordings, ground.clone());
        Self { sessions, hub: FakeHub::new(), ground, desk, told, _home: home }
    }

    pub(super) fn choice() -> Choice {
        Choice {
            is_scan: false,
            terms: Terms {
                user: USER.parse().unwrap(),
                cluster: "c".parse().unwrap(),
                profile: "debug".parse().unwrap(),
                revision: "6f1c2d7e-0000-4000-8000-000000000000/1".parse().unwrap(),
                scope: Scope::from_list(vec!["a".parse().unwrap()]),
                duration: Ttl::minutes(30),
                reason: "r".into(),
                recording: None,
            },
            environment: "prod".into(),
            approvals: 0,
        }
    }

    pub(super) fn click(&self) -> Result<String, AppError> {
        self.sessions.open(self.hub.clone(), Self::choice()).map(|session| session.id.to_string())
    }

    pub(super) fn view(&self, id: &str) -> SessionView {
        self.sessions.get(id).unwrap().view()
    }

    pub(super) async fn until(
        &self,
        id: &str,
        what: &str,
        wanted: impl Fn(&SessionView) -> bool,
    ) -> SessionView {
        let seen = tokio::time::timeout(LONG, async {
            loop {
                let view = self.view(id);
                if wanted(&view) {
                    return view;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        seen.await.unwrap_or_else(|_| panic!("{what}: never; {:?}", self.view(id)))
    }

    pub(super) async fn over(&self, id: &str) -> SessionView {
        self.until(id, "it is over", |view| view.state == SessionState::Closed).await
    }

    /// A session that is open.
    pub(super) async fn open(&self) -> String {
        let id = self.click().unwrap();
        self.hub.until_asked().await;
        self.hub.grant(json!({}));
        self.until(&id, "it opens", |view| view.state == SessionState::Open).await;
        id
    }

    pub(super) async fn notes(&self) -> usize {
        self.desk.prefs.open_sessions().await.unwrap().len()
    }
}
