//! A hub of requests: what its watches tell and its calls answer is the test's to say, and a yes that it takes is kept beside the
//! others, as a server-side apply keeps it.

use crate::approvals::ports::{Changes, HubSide, Word};
use crate::person::Signed;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_api::{AccessRequest, LimitsField};
use sallyport_client::Fault;
use sallyport_hub::{Change, Identity, Listed, MayRequest, Page, Refused};
use sallyport_model::{Digest, Limits, NamespaceName, RequestRef};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// What somebody wrote.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    pub(super) by: String,
    /// The request's UID.
    pub(super) on: String,
    pub(super) said: Said,
    /// When, by the hub's clock, Unix seconds.
    pub(super) at: i64,
    /// When the writer last proved who they are, Unix seconds.
    pub(super) auth_time: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Yes { offer: String, limits: Option<LimitsField> },
    No(Option<String>),
    Ended(String),
}

type Watch = (NamespaceName, mpsc::UnboundedSender<Change<AccessRequest>>);

#[derive(Default)]
pub(super) struct FakeHub {
    watches: Mutex<Vec<Watch>>,
    requests: Mutex<BTreeMap<String, AccessRequest>>,
    written: Mutex<Vec<Written>>,
    /// What a write is answered with instead.
    refuses: Mutex<Option<Refused>>,
    /// What a question is answered with instead.
    faults: Mutex<BTreeMap<&'static str, Fault>>,
    /// When whoever is asked about last proved who they are, Unix seconds.
    pub(super) auth_time: Mutex<Option<i64>>,
    /// Held while it does not say who one is.
    pub(super) gate: tokio::sync::Mutex<()>,
    /// Held while it answers no write.
    pub(super) writes: tokio::sync::Mutex<()>,
    /// Times that it was asked who one is.
    pub(super) asked: AtomicUsize,
    /// Writes that came, answered or not.
    pub(super) came: AtomicUsize,
    /// What one request is read as, by its UID, the next answer first; as it was told of where nothing is said.
    pub(super) reads: Mutex<BTreeMap<String, VecDeque<Result<AccessRequest, Fault>>>>,
    /// The UIDs of what was read.
    pub(super) read: Mutex<Vec<String>>,
    /// The pages of what is closed, in their order, with what each was asked for with.
    pub(super) closed: Mutex<VecDeque<Result<Page<AccessRequest>, Fault>>>,
    pub(super) paged: Mutex<Vec<(String, u32, Option<String>)>>,
    /// What is said of whoever is asked about, by the profile; a no where nothing is.
    pub(super) askable: Mutex<BTreeMap<String, Result<Option<bool>, Fault>>>,
    /// What was asked about others.
    pub(super) reviewed: Mutex<Vec<MayRequest>>,
    /// Held while it says nothing of others.
    pub(super) reviews: tokio::sync::Mutex<()>,
}

impl FakeHub {
    /// Tells those who watch a team; how many heard it.
    pub(super) fn tell(&self, team: &str, change: Change<AccessRequest>) -> usize {
        match &change {
            Change::All { objects, .. } => objects.iter().for_each(|object| self.keep(object)),
            Change::Put(object) => self.keep(object),
            _ => {}
        }
        let watches = self.watches.lock().unwrap();
        let theirs = watches.iter().filter(|(name, _)| name.as_str() == team);
        theirs.filter(|(_, told)| told.send(change.clone()).is_ok()).count()
    }

    /// Those who watch a team, who may have gone.
    pub(super) fn watched(&self, team: &str) -> usize {
        let watches = self.watches.lock().unwrap();
        watches.iter().filter(|(name, told)| name.as_str() == team && !told.is_closed()).count()
    }

    fn keep(&self, object: &AccessRequest) {
        let uid = object.metadata.uid.clone().unwrap();
        self.requests.lock().unwrap().insert(uid, object.clone());
    }

    /// From now on, instead of taking what is written.
    pub(super) fn refuses(&self, with: Option<Refused>) {
        *self.refuses.lock().unwrap() = with;
    }

    /// From now on, instead of an answer: to `whoami` or `request`.
    pub(super) fn answers(&self, call: &'static str, fault: Option<Fault>) {
        let mut faults = self.faults.lock().unwrap();
        match fault {
            Some(fault) => drop(faults.insert(call, fault)),
            None => drop(faults.remove(call)),
        }
    }

    pub(super) fn written(&self) -> Vec<Written> {
        self.written.lock().unwrap().clone()
    }

    async fn write(&self, word: Word<'_>, said: Said) -> Result<(), Refused> {
        self.came.fetch_add(1, Ordering::Relaxed);
        let _answers = self.writes.lock().await;
        if let Some(refused) = self.refuses.lock().unwrap().clone() {
            return Err(refused);
        }
        let (by, on, at) = (word.me.user.to_string(), word.which.uid.to_string(), word.at.as_second());
        if let Said::Yes { offer, .. } = &said {
            self.add(&on, json!({"by": by, "at": word.at.to_string(), "offer": offer}));
        }
        self.written.lock().unwrap().push(Written { by, on, said, at, auth_time: word.me.auth_time });
        Ok(())
    }

    /// Beside the yeses that are there, whoever reads them.
    fn add(&self, uid: &str, yes: serde_json::Value) {
        let object = {
            let mut requests = self.requests.lock().unwrap();
            let object = requests.get_mut(uid).expect("only what it told of is decided on");
            let status = object.status.as_mut().unwrap();
            status.approvals.push(serde_json::from_value(yes).unwrap());
            object.clone()
        };
        let team = object.metadata.namespace.clone().unwrap();
        self.tell(&team, Change::Put(object));
    }
}

/// The hub, by somebody's sign-in.
pub(super) struct AsPerson {
    hub: Arc<FakeHub>,
    signed: Signed,
}

impl AsPerson {
    pub(super) fn of(hub: &Arc<FakeHub>, signed: &Signed) -> Arc<dyn HubSide> {
        Arc::new(Self { hub: hub.clone(), signed: signed.clone() })
    }
}

impl HubSide for AsPerson {
    fn watch_open(&self, team: &NamespaceName) -> Changes {
        let (told, mut changes) = mpsc::unbounded_channel();
        self.hub.watches.lock().unwrap().push((team.clone(), told));
        Box::pin(futures::stream::poll_fn(move |cx| changes.poll_recv(cx)))
    }
    fn closed_of<'a>(
        &'a self,
        team: &'a NamespaceName,
        most: u32,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<AccessRequest>, Fault>> {
        async move {
            self.hub.paged.lock().unwrap().push((team.to_string(), most, after.map(str::to_owned)));
            let page = self.hub.closed.lock().unwrap().pop_front();
            page.unwrap_or_else(|| {
                Ok(Page { listed: Listed { objects: Vec::new(), malformed: Vec::new() }, next: None })
            })
        }
        .boxed()
    }
    fn request<'a>(&'a self, which: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Fault>> {
        async move {
            self.hub.read.lock().unwrap().push(which.uid.to_string());
            if let Some(fault) = self.hub.faults.lock().unwrap().get("request").cloned() {
                return Err(fault);
            }
            let mut reads = self.hub.reads.lock().unwrap();
            let answer = reads.get_mut(which.uid.as_str()).and_then(VecDeque::pop_front);
            let known = || self.hub.requests.lock().unwrap().get(which.uid.as_str()).cloned();
            answer.unwrap_or_else(|| known().ok_or(Fault::NotFound))
        }
        .boxed()
    }
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>> {
        async {
            self.hub.asked.fetch_add(1, Ordering::Relaxed);
            self.signed.tokens.id_token().await.map_err(|error| Fault::NoToken(error.to_string()))?;
            let _answers = self.hub.gate.lock().await;
            if let Some(fault) = self.hub.faults.lock().unwrap().get("whoami").cloned() {
                return Err(fault);
            }
            Ok(Identity {
                user: self.signed.who.user.clone(),
                groups: Vec::new(),
                acr: vec!["mfa".to_owned()],
                amr: vec!["otp".to_owned()],
                auth_time: *self.hub.auth_time.lock().unwrap(),
                issued_at: None,
            })
        }
        .boxed()
    }
    fn may_request<'a>(&'a self, who: &'a MayRequest) -> BoxFuture<'a, Result<Option<bool>, Fault>> {
        async move {
            self.hub.reviewed.lock().unwrap().push(who.clone());
            let _answers = self.hub.reviews.lock().await;
            let said = self.hub.askable.lock().unwrap().get(who.profile()).cloned();
            said.unwrap_or(Ok(Some(false)))
        }
        .boxed()
    }
    fn approve<'a>(
        &'a self,
        word: Word<'a>,
        offer: &'a Digest,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<(), Refused>> {
        let limits = (!limits.is_none()).then(|| LimitsField::from(limits));
        self.hub.write(word, Said::Yes { offer: offer.to_string(), limits }).boxed()
    }
    fn deny<'a>(&'a self, word: Word<'a>, reason: Option<&'a str>) -> BoxFuture<'a, Result<(), Refused>> {
        self.hub.write(word, Said::No(reason.map(str::to_owned))).boxed()
    }
    fn revoke<'a>(&'a self, word: Word<'a>, reason: &'a str) -> BoxFuture<'a, Result<(), Refused>> {
        self.hub.write(word, Said::Ended(reason.to_owned())).boxed()
    }
}
