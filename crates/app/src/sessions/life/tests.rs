//! A session's owner with fakes of its ports: what arrives in an order that no control plane gives on demand.

use super::super::ports::{Changes, Ground, HubSide, Reach};
use super::super::{End, Sessions};
use crate::desk::{AppError, Desk, Dirs, Host, Options, vault};
use crate::history::Recorder;
use crate::inventory::Choice;
use crate::person::{SignIns, SignedInAs, WorkspaceId};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_gateway::{CutReason, CutReport, Live, Opened, Upstream};
use sallyport_hub::seal::{Aad, Sealed, seal};
use sallyport_hub::{Ask, Change, Gone, Refused, request_name};
use sallyport_ipc::{Event, HubLink, ProofKind, ProofState, SessionState, SessionView};
use sallyport_model::{
    ErrorCode, GrantUid, Jti, NamespaceName, RequestRef, RequestUid, Scope, Secret, SessionId, SignIn, Terms,
    Ttl, UserName,
};
use sallyport_policy::SessionPermit;
use sallyport_provision::{OwnEnd, Progress, Proof, Proven, Witnesses};
use sallyport_rbac::Rule;
use sallyport_store::{History, InstanceLock, Prefs};
use sallyport_vault::Keyring;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

mod vouching;

const CA: &str = include_str!("../../../tests/data/ca.pem");
const USER: &str = "oidc:ann@example.org";
const ENDPOINT: &str = "https://127.0.0.1:9/";

/// Counts what it is told of sessions.
struct Nobody(Arc<AtomicUsize>);

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
struct FakeHub {
    user: UserName,
    workspace: WorkspaceId,
    request: Mutex<Option<AccessRequest>>,
    told: mpsc::UnboundedSender<Change<AccessRequest>>,
    changes: Mutex<Option<mpsc::UnboundedReceiver<Change<AccessRequest>>>>,
    sign_ins: watch::Sender<SignIns>,
    /// What the next asks are answered with before one is taken in.
    refusals: Mutex<Vec<Refused>>,
    /// Held while an ask may not be answered yet.
    gate: tokio::sync::Mutex<()>,
    asks: AtomicUsize,
    withdrawn: AtomicUsize,
    /// Answered looks for a request by its name.
    looks: AtomicUsize,
    is_over: AtomicBool,
    /// Takes what is asked in without an answer, as late as somebody lets it.
    loses_answers: AtomicBool,
    is_away: AtomicBool,
    /// What each look for the provider's word had to be newer than.
    vouched: Mutex<Vec<i64>>,
    /// Whether the provider vouches, or why it does not.
    provider: Mutex<Result<(), String>>,
}

impl FakeHub {
    fn new() -> Arc<Self> {
        let (told, changes) = mpsc::unbounded_channel();
        Arc::new(Self {
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
    fn put(&self, more: serde_json::Value) {
        let mut request = self.request.lock().unwrap();
        let mut object = serde_json::to_value(request.as_ref().expect("it was asked")).unwrap();
        for (key, value) in more.as_object().unwrap() {
            object["status"][key] = value.clone();
        }
        *request = Some(serde_json::from_value(object).unwrap());
        let _ = self.told.send(Change::Put(request.clone().unwrap()));
    }

    /// Grants it, as a broker does; with what else its status says.
    fn grant(&self, more: serde_json::Value) {
        let end = now() + 1800;
        let public_key = self.request.lock().unwrap().as_ref().unwrap().spec.public_key.clone();
        let aad =
            Aad { user: self.user.clone(), request: RequestUid::new("u1"), grant: GrantUid::new("g1"), end };
        let sealed = Sealed {
            token: Secret::new("t".to_owned()),
            endpoint: ENDPOINT.to_owned(),
            ca_bundle: CA.to_owned(),
            tls_server_name: None,
            jti: Jti::new("j"),
            end,
        };
        let end = jiff::Timestamp::from_second(end).unwrap().to_string();
        let mut status = json!({
            "phase": "Active", "credential": seal(&public_key, &aad, &sealed).unwrap(),
            "grant": {"uid": "g1", "name": "g", "account": "s-1", "end": end},
        });
        for (key, value) in more.as_object().unwrap() {
            status[key] = value.clone();
        }
        self.put(status);
    }

    async fn until_asked(&self) {
        until("it is asked", || self.request.lock().unwrap().is_some()).await;
    }

    fn take_in(&self, ask: &Ask) -> AccessRequest {
        let object = json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": request_name(&ask.public_key), "namespace": "team", "uid": "u1"},
            "spec": {"user": USER, "groups": [], "cluster": "c", "profile": "debug", "profileRevision": "6f1c2d7e-0000-4000-8000-000000000000/1",
                "namespaces": ["a"], "duration": "30m", "reason": "r", "publicKey": ask.public_key, "acr": "",
                "amr": [], "authTime": 0},
            "status": {"phase": "Pending"},
        });
        let request: AccessRequest = serde_json::from_value(object).unwrap();
        *self.request.lock().unwrap() = Some(request.clone());
        request
    }

    fn answers(&self) -> Result<(), Fault> {
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
struct FakeGround {
    opened: AtomicUsize,
    cuts: Mutex<Vec<CutReason>>,
    /// Held while the gateway may not open yet.
    gate: tokio::sync::Mutex<()>,
    /// The gateway's word that it cut.
    notice: Mutex<Option<tokio::sync::oneshot::Sender<CutReport>>>,
    /// Whether rights and token stay good.
    stays: AtomicBool,
    /// Whether probing fails the owner.
    breaks: AtomicBool,
    probes: AtomicUsize,
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
    fn cut<'a>(&'a self, _: &'a SessionId, why: CutReason) -> BoxFuture<'a, Option<CutReport>> {
        async move {
            self.cuts.lock().unwrap().push(why);
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
        _: &'a Reach,
        _: &'a str,
        _: &'a str,
        _: Duration,
    ) -> BoxFuture<'a, OwnEnd> {
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
    fn probed(&self, by_authorizer: bool) -> Proof {
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

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Waits until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking).await.unwrap_or_else(|_| panic!("{what}: never"));
}

struct World {
    sessions: Arc<Sessions>,
    hub: Arc<FakeHub>,
    ground: Arc<FakeGround>,
    desk: Arc<Desk>,
    told: Arc<AtomicUsize>,
    _home: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let told = Arc::new(AtomicUsize::new(0));
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        dirs.create().unwrap();
        let lock = InstanceLock::take(&dirs.data).unwrap();
        let options = Options {
            keyring: Keyring::Off,
            may_come_in: Duration::from_millis(300),
            deadline: Duration::from_secs(1),
            ..Options::default()
        };
        let vault = Arc::new(vault::open(&dirs, Keyring::Off).await.unwrap());
        let history = Recorder::new(History::open(&dirs.data, None).await.unwrap());
        let prefs = Prefs::open(&dirs.data).await.unwrap();
        let desk =
            Arc::new(Desk::new(Arc::new(Nobody(told.clone())), options, dirs, prefs, vault, lock).await);
        let ground = Arc::new(FakeGround::default());
        let sessions = Sessions::new(desk.clone(), history, ground.clone());
        Self { sessions, hub: FakeHub::new(), ground, desk, told, _home: home }
    }

    fn choice() -> Choice {
        Choice {
            terms: Terms {
                user: USER.parse().unwrap(),
                cluster: "c".parse().unwrap(),
                profile: "debug".parse().unwrap(),
                revision: "6f1c2d7e-0000-4000-8000-000000000000/1".parse().unwrap(),
                scope: Scope::from_list(vec!["a".parse().unwrap()]),
                duration: Ttl::minutes(30),
                reason: "r".into(),
            },
            environment: "prod".into(),
            approvals: 0,
        }
    }

    fn click(&self) -> Result<String, AppError> {
        self.sessions.open(self.hub.clone(), Self::choice()).map(|session| session.id.to_string())
    }

    fn view(&self, id: &str) -> SessionView {
        self.sessions.get(id).unwrap().view()
    }

    async fn until(&self, id: &str, what: &str, wanted: impl Fn(&SessionView) -> bool) -> SessionView {
        until(what, || wanted(&self.view(id))).await;
        self.view(id)
    }

    async fn over(&self, id: &str) -> SessionView {
        self.until(id, "it is over", |view| view.state == SessionState::Closed).await
    }

    /// A session that is open.
    async fn open(&self) -> String {
        let id = self.click().unwrap();
        self.hub.until_asked().await;
        self.hub.grant(json!({}));
        self.until(&id, "it opens", |view| view.state == SessionState::Open).await;
        id
    }

    async fn notes(&self) -> usize {
        self.desk.prefs.open_sessions().await.unwrap().len()
    }
}

fn line(view: &SessionView, kind: ProofKind) -> (ProofState, String) {
    let line = view.proof.iter().find(|line| line.kind == kind).expect("it closes");
    (line.state, line.detail.to_string())
}

fn ended_by_eve() -> serde_json::Value {
    json!({"by": "oidc:eve@example.org", "at": "2026-01-01T00:00:00Z", "reason": "stolen laptop"})
}

#[tokio::test]
async fn p13_one_way_from_the_click_to_the_last_proof() {
    let world = World::new().await;
    let id = world.open().await;
    assert_eq!((world.ground.opened.load(Ordering::Relaxed), world.notes().await), (1, 1));
    world.sessions.get(&id).unwrap().end(End::left());
    world.sessions.get(&id).unwrap().end(End::quit());
    let view = world.over(&id).await;
    assert_eq!(*world.ground.cuts.lock().unwrap(), [CutReason::Left], "the first end counts, once");
    for kind in [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused] {
        assert_eq!(line(&view, kind).0, ProofState::Done, "{view:?}");
    }
    assert_eq!(world.hub.withdrawn.load(Ordering::Relaxed), 1);
    until("its kubeconfig is gone", || {
        std::fs::read_dir(&world.desk.dirs.runtime)
            .unwrap()
            .flatten()
            .all(|e| !e.path().join("config").exists())
    })
    .await;
    let forgotten = async {
        while world.notes().await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), forgotten).await.expect("nothing is left to find");
}

#[tokio::test]
async fn fault_a6_p13_what_is_revoked_denied_or_taken_back_before_it_opens_never_opens() {
    for end in [
        json!({"revocation": ended_by_eve()}),
        json!({"denial": ended_by_eve()}),
        json!({"withdrawn": true}),
        json!({"phase": "Closed"}),
    ] {
        let world = World::new().await;
        let id = world.click().unwrap();
        world.hub.until_asked().await;
        world.hub.grant(end.clone());
        world.until(&id, "it closes", |view| view.state != SessionState::Opening).await;
        world.hub.put(json!({"phase": "Closed"}));
        let view = world.over(&id).await;
        assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0, "{end} opened");
        assert!(view.opened_at.is_none() && view.error.is_some(), "{view:?}");
        assert_eq!(
            line(&view, ProofKind::RightsGone),
            (ProofState::Done, "no token was ever opened here".into())
        );
    }
}

#[tokio::test]
async fn fault_a6_p13_what_is_revoked_while_the_gateway_opens_never_opens_and_its_token_counts_as_used() {
    let world = World::new().await;
    let opens = world.ground.gate.lock().await;
    let id = world.click().unwrap();
    world.hub.until_asked().await;
    world.hub.grant(json!({}));
    world.until(&id, "it is unsealed", |view| view.ends_at.is_some()).await;
    world.hub.put(json!({"revocation": ended_by_eve()}));
    let view = world.over(&id).await;
    drop(opens);
    assert!(view.opened_at.is_none(), "{view:?}");
    assert_eq!(view.ended.unwrap().by.as_deref(), Some("oidc:eve@example.org"));
    assert!(world.ground.probes.load(Ordering::Relaxed) >= 2, "its end is proven");
    let gone = view.proof.iter().find(|line| line.kind == ProofKind::RightsGone).unwrap();
    assert!(!gone.detail.contains("no token"), "{gone:?}");
    assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn fault_a6_p13_a_token_that_is_unsealed_while_somebody_leaves_is_never_called_unopened() {
    let world = World::new().await;
    let opens = world.ground.gate.lock().await;
    let id = world.click().unwrap();
    world.hub.until_asked().await;
    world.hub.grant(json!({}));
    world.until(&id, "it is unsealed", |view| view.ends_at.is_some()).await;
    world.ground.stays.store(true, Ordering::Relaxed);
    world.sessions.get(&id).unwrap().end(End::signed_out());
    drop(opens);
    let view = world
        .until(&id, "it is probed", |v| {
            v.state != SessionState::Opening && line(v, ProofKind::RightsGone).0 == ProofState::Unproven
        })
        .await;
    assert!(line(&view, ProofKind::RightsGone).1.contains("still answers 200"), "{view:?}");
    assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0, "nothing opens any more");
    assert!(world.sessions.left_behind()[0].starts_with("rights on c stay until"));
}

#[tokio::test]
async fn fault_a6_a_session_cant_begin_once_its_sign_in_is_over() {
    let world = World::new().await;
    world.hub.is_over.store(true, Ordering::Relaxed);
    world.sessions.end_all(End::signed_out(), Duration::from_secs(1)).await;
    assert_eq!(world.click().unwrap_err().code(), ErrorCode::SignInNeeded);
    assert!(world.sessions.all().is_empty());
}

#[tokio::test]
async fn p13_a_session_whose_owner_fails_is_cut_and_nothing_of_it_is_called_shown() {
    let world = World::new().await;
    let id = world.open().await;
    world.ground.breaks.store(true, Ordering::Relaxed);
    world.sessions.get(&id).unwrap().end(End::left());
    let view = world.over(&id).await;
    assert_eq!(world.ground.cuts.lock().unwrap().last(), Some(&CutReason::Failed));
    for kind in [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused] {
        assert_eq!(line(&view, kind).0, ProofState::Unproven, "{view:?}");
    }
    assert!(world.sessions.left_behind()[0].starts_with("rights on c stay until"));
    assert_eq!(world.notes().await, 1, "the next sign-in finds it");
}

#[tokio::test]
async fn fault_a6_p14_nothing_begins_once_the_app_ends() {
    let world = World::new().await;
    world.sessions.end_all(End::quit(), Duration::from_secs(1)).await;
    assert_eq!(world.click().unwrap_err().code(), ErrorCode::SignInNeeded);
    assert!(world.sessions.all().is_empty());
}

#[tokio::test]
async fn p13_a_session_that_was_put_away_stays_away_when_the_hub_hears_of_its_end_at_last() {
    let world = World::new().await;
    let id = world.open().await;
    world.hub.is_away.store(true, Ordering::Relaxed);
    let session = world.sessions.get(&id).unwrap();
    session.end(End::left());
    world.over(&id).await;
    world.sessions.dismiss(id.clone()).await.unwrap();
    let told = world.told.load(Ordering::Relaxed);
    world.hub.is_away.store(false, Ordering::Relaxed);
    until("the hub is told", || world.hub.withdrawn.load(Ordering::Relaxed) > 0).await;
    session.tell();
    assert_eq!(world.told.load(Ordering::Relaxed), told, "nothing after that it is gone");
}

#[tokio::test]
async fn fault_a6_p13_what_waits_to_ask_while_somebody_signs_out_never_asks() {
    let world = World::new().await;
    world.hub.refusals.lock().unwrap().push(Refused::StepUp(sallyport_hub::StepUp::default()));
    let id = world.click().unwrap();
    world
        .until(&id, "it waits for a step-up", |view| view.error.as_ref().is_some_and(|e| e.step_up.is_some()))
        .await;
    world.sessions.end_all(End::signed_out(), Duration::from_secs(5)).await;
    world.hub.sign_ins.send_modify(|told| told.step_ups += 1);
    let view = world.over(&id).await;
    assert_eq!(world.hub.asks.load(Ordering::Relaxed), 1);
    assert_eq!(line(&view, ProofKind::AccountRemoved), (ProofState::Done, "nothing was asked for".into()));
}

#[tokio::test]
async fn p13_an_answer_that_is_under_way_while_somebody_leaves_is_waited_for_and_taken_back() {
    let world = World::new().await;
    let answered = world.hub.gate.lock().await;
    let id = world.click().unwrap();
    until("it asks", || world.hub.asks.load(Ordering::Relaxed) == 1).await;
    world.sessions.get(&id).unwrap().end(End::left());
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(answered);
    until("it is taken back", || world.hub.withdrawn.load(Ordering::Relaxed) == 1).await;
    assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0);
    let _ = id;
}

#[tokio::test]
async fn fault_a10_p13_an_ask_whose_answer_was_lost_is_taken_back_however_late_it_comes_in() {
    let world = World::new().await;
    world.hub.loses_answers.store(true, Ordering::Relaxed);
    world.hub.is_away.store(true, Ordering::Relaxed);
    let id = world.click().unwrap();
    world.until(&id, "it closes", |view| view.state != SessionState::Opening).await;
    // Away for longer than a request may take to come in, then back with nothing yet.
    tokio::time::sleep(world.desk.options.may_come_in * 2).await;
    let said = "the hub never answered the request for c and may still take it in";
    assert_eq!(world.sessions.left_behind(), [said]);
    assert_ne!(line(&world.view(&id), ProofKind::AccountRemoved).0, ProofState::Done);
    let before = world.hub.looks.load(Ordering::Relaxed);
    world.hub.is_away.store(false, Ordering::Relaxed);
    until("it is looked for and not there", || world.hub.looks.load(Ordering::Relaxed) > before).await;
    let ask = Ask {
        team: "team".parse().unwrap(),
        terms: World::choice().terms,
        groups: vec![],
        public_key: "k".into(),
        sign_in: SignIn::default(),
        issued_at: None,
    };
    world.hub.take_in(&ask);
    until("it is taken back", || world.hub.withdrawn.load(Ordering::Relaxed) > 0).await;
}

#[tokio::test]
async fn fault_a6_p13_a_request_that_is_deleted_closes_its_session() {
    let world = World::new().await;
    let id = world.open().await;
    let gone = Gone { namespace: "team".into(), name: "r".into(), uid: "another".into() };
    let _ = world.hub.told.send(Change::Deleted(gone.clone()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.view(&id).state, SessionState::Open, "another one of that name");
    let _ = world.hub.told.send(Change::Deleted(Gone { uid: "u1".into(), ..gone }));
    let view = world.over(&id).await;
    assert!(view.ended.unwrap().message.unwrap().contains("deleted on the hub"));
    assert_eq!(*world.ground.cuts.lock().unwrap(), [CutReason::Revoked]);
}

#[tokio::test]
async fn fault_a6_p13_a_list_without_the_request_closes_its_session_and_one_that_cant_be_read_does_not() {
    let world = World::new().await;
    let id = world.open().await;
    let malformed =
        sallyport_api::MalformedObject { kind: "AccessRequest", name: "r".into(), why: "no spec".into() };
    let _ = world.hub.told.send(Change::All { objects: vec![], malformed: vec![malformed] });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.view(&id).state, SessionState::Open);
    let _ = world.hub.told.send(Change::All { objects: vec![], malformed: vec![] });
    world.over(&id).await;
}

#[tokio::test]
async fn p13_the_gateways_clock_ends_it_and_another_cut_of_its_does_not() {
    for (reason, ends) in [(CutReason::Expired, true), (CutReason::Quit, false)] {
        let world = World::new().await;
        let id = world.open().await;
        let notice = world.ground.notice.lock().unwrap().take().unwrap();
        let _ = notice.send(CutReport { reason, streams: vec![], took: Duration::ZERO, complete: true });
        if ends {
            world.over(&id).await;
            assert_eq!(*world.ground.cuts.lock().unwrap(), [CutReason::Expired]);
        } else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(world.view(&id).state, SessionState::Open);
        }
    }
}

#[tokio::test]
async fn p13_a_step_up_that_fails_for_good_ends_the_wait_and_one_that_succeeds_asks_again() {
    for fails in [true, false] {
        let world = World::new().await;
        world.hub.refusals.lock().unwrap().push(Refused::StepUp(sallyport_hub::StepUp::default()));
        let id = world.click().unwrap();
        world.until(&id, "it waits", |view| view.error.as_ref().is_some_and(|e| e.step_up.is_some())).await;
        let vain = AppError::failed("the provider can't").view();
        world.hub.sign_ins.send_modify(|told| {
            told.step_ups += u64::from(!fails);
            told.in_vain = fails.then_some(vain);
        });
        if fails {
            let view = world.over(&id).await;
            assert_eq!(view.error.unwrap().message, "the provider can't");
        } else {
            world.hub.until_asked().await;
        }
        assert_eq!(world.hub.asks.load(Ordering::Relaxed), if fails { 1 } else { 2 });
    }
}
