//! A session as an object: its record, what it holds while it lives, and the calls that stream in.

use crate::calls;
use crate::core::{App, Core, Signed};
use crate::session_record::SessionRecord;
use crate::terminals::OpenTerminal;
use sallyport_client::Endpoint;
use sallyport_gateway::Call;
use sallyport_hub::Which;
use sallyport_ipc::{Event, SessionView};
use sallyport_model::{EndReason, NamespaceName, Secret, SessionId, SessionState};
use sallyport_provision::Witnesses;
use sallyport_rbac::Rule;
use sallyport_terminal::PrivateKubeconfig;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// One session of this desktop.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    record: Mutex<SessionRecord>,
    /// What it holds while it lives; dropped once its end is proven or given up.
    held: Mutex<Option<Held>>,
    /// The sign-in it was asked with: its end is told with it too, whoever is signed in by then.
    pub(crate) signed: Signed,
    /// The request that may exist on the hub, from just before it is asked for.
    asked_as: Mutex<Option<AskedAs>>,
    /// The request on the hub, once it is known to exist.
    pub(crate) which: watch::Sender<Option<Which>>,
    pub(crate) terminals: Mutex<BTreeMap<String, Arc<OpenTerminal>>>,
    /// What its rules make tools miss; said in its terminals.
    pub(crate) helm_misses: Mutex<Option<&'static str>>,
    /// Ends an opening that is under way.
    pub(crate) cancel: CancellationToken,
    /// What the broker said of its end.
    pub(crate) closed_by_broker: watch::Sender<Option<BrokerWord>>,
    /// Whether the broker was first to say that it is over, and is still removing it: that it left would be untrue.
    pub(crate) ended_elsewhere: AtomicBool,
    /// Whether the hub was told of its end.
    pub(crate) told: watch::Sender<Told>,
    /// Whether a task of its own goes on telling the hub.
    pub(crate) telling: AtomicBool,
    /// Whether the key of its request is in the vault, so that the request outlives this run of the app.
    pub(crate) key_kept: AtomicBool,
}

/// A request that was asked for and may not have been answered.
#[derive(Clone, Debug)]
pub(crate) struct AskedAs {
    pub(crate) team: NamespaceName,
    pub(crate) name: String,
    /// When it was asked for last.
    pub(crate) at: Instant,
}

/// Whether the hub was told of a session's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It was not tried.
    NotTried,
    /// It could not hear; why. It is told again.
    NotYet(String),
    /// It knows, or there is nothing to tell.
    Yes,
}

/// The broker's word that a request is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerWord {
    pub(crate) reason: EndReason,
    pub(crate) message: String,
    pub(crate) by: Option<String>,
}

/// What proves a session's end, and what has to go with it. The token is here and in the gateway, nowhere else.
pub(crate) struct Held {
    pub(crate) token: Secret<String>,
    /// The target itself, past the gateway.
    pub(crate) target: Endpoint,
    /// What the broker offered, as rules.
    pub(crate) rules: Vec<Rule>,
    /// What was seen to be allowed, for each role in each namespace.
    pub(crate) witnesses: Witnesses,
    pub(crate) kubeconfig: Option<PrivateKubeconfig>,
}

impl Session {
    pub(crate) fn new(record: SessionRecord, signed: Signed, cancel: CancellationToken) -> Self {
        Self {
            id: record.id.clone(),
            record: Mutex::new(record),
            held: Mutex::new(None),
            signed,
            asked_as: Mutex::new(None),
            which: watch::Sender::new(None),
            terminals: Mutex::default(),
            helm_misses: Mutex::default(),
            cancel,
            closed_by_broker: watch::Sender::new(None),
            ended_elsewhere: AtomicBool::new(false),
            told: watch::Sender::new(Told::NotTried),
            telling: AtomicBool::new(false),
            key_kept: AtomicBool::new(false),
        }
    }

    /// The record, for as short as possible and never across an await.
    pub(crate) fn record(&self) -> MutexGuard<'_, SessionRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it holds; the same care.
    pub(crate) fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its request as it was asked for, while it may exist.
    pub(crate) fn asked_as(&self) -> Option<AskedAs> {
        self.asked_as.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that a request of this name may exist from now on.
    pub(crate) fn may_be_asked_as(&self, team: NamespaceName, name: String) {
        let asked = AskedAs { team, name, at: Instant::now() };
        *self.asked_as.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
    }

    /// Notes that no request was made.
    pub(crate) fn was_not_asked(&self) {
        *self.asked_as.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Its terminals; the same care.
    pub(crate) fn terminals(&self) -> MutexGuard<'_, BTreeMap<String, Arc<OpenTerminal>>> {
        self.terminals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it waits for somebody's yes and can be taken up again by the next start.
    pub(crate) fn waits_on(&self) -> bool {
        self.key_kept.load(Ordering::Relaxed) && self.state() == SessionState::Opening
    }

    pub(crate) fn state(&self) -> SessionState {
        self.record().state
    }
}

impl Core {
    /// All sessions, oldest first.
    pub(crate) fn all_sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// One of them.
    pub(crate) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(&SessionId::new(id)).cloned()
    }

    pub(crate) fn any_session_open(&self) -> bool {
        self.all_sessions().iter().any(|s| !matches!(s.state(), SessionState::Closed(_)))
    }

    /// The view, with what the gateway knows at this moment.
    pub(crate) fn session_view(&self, session: &Session) -> SessionView {
        let live = self.gateway.live(&session.id);
        let terminals = session.terminals().values().map(|t| t.view()).collect();
        let mut record = session.record();
        record.terminals = terminals;
        if let Some(live) = live {
            record.streams = calls::streams(&live);
        }
        record.view()
    }

    /// Tells the window how a session is.
    pub(crate) fn tell_session(&self, session: &Session) {
        let view = Box::new(self.session_view(session));
        self.host.tell(Event::Session { session: view });
    }
}

/// Writes every call into the history and shows it; sessions that had calls are told at most every 250 ms.
pub(crate) async fn take_calls(app: App, mut received: mpsc::Receiver<Call>) {
    let mut batch = Vec::with_capacity(64);
    loop {
        let count = received.recv_many(&mut batch, 64).await;
        if count == 0 {
            return;
        }
        app.0.recorder.calls(&app.0.gateway, batch.iter().map(calls::entry).collect()).await;
        let mut touched: BTreeMap<SessionId, Arc<Session>> = BTreeMap::new();
        for call in batch.drain(..) {
            if let Some(session) = app.0.session(call.session.as_str()) {
                session.record().call(call.audit_id.as_str(), calls::line(&call));
                touched.insert(session.id.clone(), session);
            }
        }
        for session in touched.values() {
            app.0.tell_session(session);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
