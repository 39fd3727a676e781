//! Somebody at a desktop, with the provider, the hubs and the vault as signing in sees them: fakes of its ports.

use super::hub::FakeHubs;
use super::provider::FakeProvider;
use crate::desk::{AppError, Desk, Host, Options};
use crate::history::Recorder;
use crate::person::ports::{Ports, SignInVault};
use crate::person::{Person, PersonView, Signed, Wishes, Workspace};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_audit::{Action, Draft, Entry};
use sallyport_ipc::{Event, StepUp};
use sallyport_model::Secret;
use sallyport_oidc::IdClaims;
use sallyport_store::{Filter, History};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The hubs of the two teams.
pub(crate) const HUBS: [&str; 2] = ["https://hub-a.example.test:6443/", "https://hub-b.example.test:6443/"];
const CA: &str = include_str!("../../../tests/data/ca.pem");

/// The workspace file of one of the two teams.
pub(crate) fn file(team: usize) -> String {
    serde_json::json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "name": format!("Team {team}"),
        "hub": {"url": HUBS[team], "ca": CA},
        "oidc": {"issuer": "https://id.example.test", "clientId": format!("sallyport-{team}")},
    })
    .to_string()
}

/// What a person's ID token says, of now.
pub(crate) fn claims(subject: &str, groups: &[&str]) -> IdClaims {
    let now = jiff::Timestamp::now();
    IdClaims {
        issuer: "https://id.example.test".to_owned(),
        subject: subject.to_owned(),
        session: None,
        email: Some(format!("{subject}@example.test")),
        email_verified: true,
        name: None,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        groups_left_out: false,
        acr: Some("mfa".to_owned()),
        amr: vec!["otp".to_owned()],
        auth_time: Some(now),
        issued_at: now,
        expires_at: now + jiff::SignedDuration::from_mins(5),
        odd: Vec::new(),
    }
}

/// Opens no browser, and remembers what it should have opened.
#[derive(Default)]
pub(crate) struct FakeHost {
    pub(crate) opened: Mutex<Vec<String>>,
    /// Whether no browser can be started.
    pub(crate) has_none: AtomicBool,
    /// How often the window was told that the clusters changed.
    pub(crate) hints: AtomicUsize,
}

impl Host for FakeHost {
    fn open_browser(&self, url: &str) -> Result<(), AppError> {
        if self.has_none.load(Ordering::Relaxed) {
            return Err(AppError::failed("there is no browser here"));
        }
        self.opened.lock().unwrap().push(url.to_owned());
        Ok(())
    }
    fn tell(&self, event: Event) {
        if matches!(event, Event::ClustersChanged) {
            self.hints.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn exit(&self) {}
}

/// A vault that outlives every person on it.
#[derive(Default)]
pub(crate) struct FakeVault {
    pub(crate) kept: Mutex<BTreeMap<(String, String), String>>,
    /// Whether nothing can be read or kept.
    pub(crate) is_locked: AtomicBool,
    /// Held while nothing is kept yet.
    pub(crate) gate: tokio::sync::Mutex<()>,
}

impl FakeVault {
    /// The refresh tokens in it.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.kept.lock().unwrap().values().cloned().collect()
    }
}

impl SignInVault for FakeVault {
    fn kept<'a>(&'a self, issuer: &'a str, client_id: &'a str) -> BoxFuture<'a, Option<Secret<String>>> {
        async {
            let is_open = !self.is_locked.load(Ordering::Relaxed);
            let kept = self.kept.lock().unwrap().get(&(issuer.to_owned(), client_id.to_owned())).cloned();
            kept.filter(|_| is_open).map(Secret::new)
        }
        .boxed()
    }
    fn keep<'a>(
        &'a self,
        issuer: &'a str,
        client_id: &'a str,
        token: Option<Secret<String>>,
    ) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let _opened = self.gate.lock().await;
            if self.is_locked.load(Ordering::Relaxed) {
                return Err("the vault is locked".to_owned());
            }
            let client = (issuer.to_owned(), client_id.to_owned());
            let mut kept = self.kept.lock().unwrap();
            match token {
                Some(token) => drop(kept.insert(client, token.expose().clone())),
                None => drop(kept.remove(&client)),
            }
            Ok(())
        }
        .boxed()
    }
}

/// What takes longer, by a clock that stands still while somebody works, never comes.
const LONG: Duration = Duration::from_secs(10);

/// Waits until it is so.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LONG, looking).await.unwrap_or_else(|_| panic!("{what}: never"));
}

/// What became of it. Something that nothing ends is a failure, and no test that hangs.
pub(crate) async fn ended<T>(task: JoinHandle<T>) -> T {
    tokio::time::timeout(Duration::from_secs(3600), task).await.expect("it ends, at last by itself").unwrap()
}

/// Lets everybody do what there is to do now.
pub(crate) async fn settled() {
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) struct World {
    pub(crate) person: Arc<Person>,
    pub(crate) provider: FakeProvider,
    pub(crate) hubs: Arc<FakeHubs>,
    pub(crate) vault: Arc<FakeVault>,
    pub(crate) host: Arc<FakeHost>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) history: Recorder,
    store: History,
    _home: tempfile::TempDir,
}

impl World {
    /// Nobody has joined a team.
    pub(crate) async fn new() -> Self {
        let host = Arc::new(FakeHost::default());
        let (desk, home) = Desk::apart(host.clone(), Options::default()).await;
        let store = History::open(&desk.dirs.data, None).await.unwrap();
        let history = Recorder::new(store.clone());
        let (provider, hubs) = (FakeProvider::default(), Arc::new(FakeHubs::new(&HUBS)));
        let vault = Arc::new(FakeVault::default());
        let ports = Ports { providers: Arc::new(provider.clone()), hubs: hubs.clone(), vault: vault.clone() };
        let person = Arc::new(Person::asking(desk.clone(), history.clone(), ports));
        Self { person, provider, hubs, vault, host, desk, history, store, _home: home }
    }

    /// In the first team.
    pub(crate) async fn joined() -> Self {
        let world = Self::new().await;
        world.person.join(&file(0)).await.unwrap();
        world
    }

    /// In the first team and signed in there as Ada.
    pub(crate) async fn signed_in() -> Self {
        let world = Self::joined().await;
        world.sign_in_as("ada").await.unwrap();
        world
    }

    /// Begins to sign in; done when the browser is open.
    pub(crate) async fn to_the_browser(&self, step: Option<StepUp>) -> JoinHandle<Result<(), AppError>> {
        let trying = self.trying(step);
        until("the browser is open", || self.provider.waits()).await;
        trying
    }

    /// Begins to sign in.
    pub(crate) fn trying(&self, step: Option<StepUp>) -> JoinHandle<Result<(), AppError>> {
        let person = self.person.clone();
        tokio::spawn(async move { person.sign_in(step).await })
    }

    pub(crate) async fn sign_in_as(&self, subject: &str) -> Result<(), AppError> {
        let trying = self.to_the_browser(None).await;
        self.provider.brings(Ok(claims(subject, &["payments"])));
        ended(trying).await
    }

    /// Signs out, as the app does for this part.
    pub(crate) async fn sign_out(&self) -> Result<(), AppError> {
        self.person.give_up().await.unwrap();
        let signed = self.person.signed()?;
        signed.stop.cancel();
        self.person.forget(&signed, &[], &[]).await
    }

    /// Puts a team in front beside whoever sits elsewhere, which joining refuses.
    pub(crate) fn puts_in_front(&self, team: usize) {
        self.person.seats().put_in_front(&workspace(team));
    }

    /// What the window shows of the person.
    pub(crate) fn view(&self) -> PersonView {
        self.person.view(&Wishes::default())
    }

    /// The first team's hub is so much ahead of here, by what it says of its clock.
    pub(crate) fn hub_is_ahead(&self, seconds: i64) {
        self.person.at(&workspace(0).id(), |seat| seat.hub_ahead = Some(seconds)).expect("there is a seat");
    }

    /// The entries of these actions so far, the newest first.
    pub(crate) async fn noted(&self, actions: &[Action]) -> Vec<Entry> {
        // A disk has a time of its own.
        tokio::time::resume();
        // What was written before it is there when it is.
        let last = self.store.append(Draft::new(Action::AppStarted)).await.unwrap();
        self.store.until_durable(last).await;
        let filter = Filter { actions: actions.to_vec(), ..Filter::default() };
        let entries = self.store.page(filter, None, 100).await.unwrap().entries;
        tokio::time::pause();
        entries
    }

    pub(crate) fn notes(&self) -> String {
        self.view().notes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Who sits at the first team.
    pub(crate) fn sits(&self) -> Option<Arc<Signed>> {
        self.person.is_signed_in_at(&workspace(0).id())
    }
}

pub(crate) fn workspace(team: usize) -> Workspace {
    Workspace::parse(&file(team)).unwrap()
}

/// A step-up to this class.
pub(crate) fn step_up(acr: &str) -> StepUp {
    StepUp { acr: vec![acr.to_owned()], amr: Vec::new(), max_age_seconds: None, message: "more".into() }
}
