//! A session as everybody but its owner sees it: what is known of it, its terminals, and the one thing that can be asked
//! of it, which is to end.

use super::end::End;
use super::ports::{Ground, HubSide};
use super::record::Record;
use super::terminal::OpenTerminal;
use super::way_in::WayIn;
use crate::desk::Desk;
use crate::person::WorkspaceId;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{Event, SessionView};
use sallyport_model::{ClusterName, ProfileName, SessionId, SessionState};
use sallyport_terminal::Located;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// One session of this desktop.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// The hub it was asked at: its end is told there, whoever is signed in by then.
    pub(super) hub: Arc<dyn HubSide>,
    desk: Arc<Desk>,
    ground: Arc<dyn Ground>,
    record: Mutex<Record>,
    /// Counts the changes of the record.
    moved: watch::Sender<u64>,
    /// Counts those of all sessions.
    any_moved: watch::Sender<u64>,
    end: watch::Sender<Option<End>>,
    terminals: Mutex<BTreeMap<String, Arc<OpenTerminal>>>,
    place: Mutex<Option<Place>>,
    /// Whether its closing report was read and put away: the window hears no more of it.
    is_dismissed: AtomicBool,
}

/// What a terminal needs to work in a session; there while it is open.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) kubeconfig: Located,
    /// The target's address.
    pub(super) target: String,
    /// What its rules make tools miss; said in its terminals.
    pub(super) helm_misses: Option<&'static str>,
    /// How the app itself makes a call in it, through the gateway as everything else.
    pub(super) way_in: Arc<WayIn>,
}

impl Session {
    pub(super) fn new(
        record: Record,
        hub: Arc<dyn HubSide>,
        desk: Arc<Desk>,
        ground: Arc<dyn Ground>,
        any_moved: watch::Sender<u64>,
    ) -> Self {
        Self {
            id: record.id.clone(),
            hub,
            desk,
            ground,
            record: Mutex::new(record),
            moved: watch::Sender::new(0),
            any_moved,
            end: watch::Sender::new(None),
            terminals: Mutex::default(),
            place: Mutex::default(),
            is_dismissed: AtomicBool::new(false),
        }
    }

    /// Wants it to end. The first one counts; its owner cuts, removes and proves.
    pub(crate) fn end(&self, end: End) {
        self.end.send_if_modified(|now| {
            let is_first = now.is_none();
            if is_first {
                *now = Some(end);
            }
            is_first
        });
    }

    /// Whether somebody wants it to end.
    pub(super) fn is_ending(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Waits until somebody wants it to end.
    pub(super) fn ended(&self) -> impl Future<Output = End> + Send + use<> {
        let mut end = self.end.subscribe();
        async move {
            match end.wait_for(Option::is_some).await.map(|end| end.clone()) {
                Ok(Some(end)) => end,
                // The session is gone, and its owner with it.
                _ => std::future::pending().await,
            }
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what is known of it.
    pub(crate) fn read<T>(&self, looking: impl FnOnce(&Record) -> T) -> T {
        looking(&self.record())
    }

    /// Changes what is known of it, and tells whoever looks at it. Its owner's alone, but for calls and terminals.
    pub(super) fn change<T>(&self, changing: impl FnOnce(&mut Record) -> T) -> T {
        let changed = changing(&mut self.record());
        self.tell();
        changed
    }

    /// The same, told only where it is news.
    pub(super) fn change_if(&self, changing: impl FnOnce(&mut Record) -> bool) -> bool {
        let news = changing(&mut self.record());
        if news {
            self.tell();
        }
        news
    }

    /// Waits until what is known of it is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Record) -> bool) {
        let mut moved = self.moved.subscribe();
        while !self.read(&wanted) {
            if moved.changed().await.is_err() {
                return;
            }
        }
    }

    pub(crate) fn state(&self) -> SessionState {
        self.record().state
    }

    /// Whether it opens or is open on a cluster of a workspace, under one profile or any.
    pub(super) fn is_open_on(
        &self,
        workspace: &WorkspaceId,
        cluster: &ClusterName,
        profile: Option<&ProfileName>,
    ) -> bool {
        let record = self.record();
        // What a scan has open there is nothing to work with.
        self.hub.workspace() == workspace
            && !record.choice.is_scan
            && record.choice.terms.cluster == *cluster
            && profile.is_none_or(|p| record.choice.terms.profile == *p)
            && record.extends.is_none()
            && matches!(record.state, SessionState::Opening | SessionState::Open)
    }

    /// Its terminals, for as short as possible and never across an await.
    pub(super) fn terminals(&self) -> MutexGuard<'_, BTreeMap<String, Arc<OpenTerminal>>> {
        self.terminals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a terminal needs, while it is open.
    pub(super) fn place(&self) -> Option<Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the app itself makes a call in it, while it is open.
    pub(crate) fn way_in(&self) -> Option<Arc<WayIn>> {
        self.place().map(|place| place.way_in)
    }

    pub(super) fn set_place(&self, place: Option<Place>) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// The view, with what the gateway knows at this moment.
    pub(crate) fn view(&self) -> SessionView {
        let live = self.ground.live(&self.id);
        let terminals = self.terminal_views();
        let mut record = self.record();
        record.terminals = terminals;
        if let Some(live) = live {
            record.streams = super::calls::streams(&live);
        }
        record.view()
    }

    /// Tells whoever looks at it how it is.
    pub(super) fn tell(&self) {
        if !self.is_dismissed.load(Ordering::Relaxed) {
            self.desk.host.tell(Event::Session { session: Box::new(self.view()) });
        }
        self.moved.send_modify(|count| *count += 1);
        self.any_moved.send_modify(|count| *count += 1);
    }

    /// Puts it away: what becomes known of it from now on is for the history.
    pub(super) fn dismiss(&self) {
        self.is_dismissed.store(true, Ordering::Relaxed);
    }

    /// An entry with everything a session's entries join on.
    pub(crate) fn draft(&self, action: Action) -> Draft {
        let record = self.record();
        let mut draft =
            Draft::new(action).session(&self.id).cluster(&record.choice.terms.cluster).user(self.hub.user());
        if let Some(request) = &record.request {
            draft = draft.request(request);
        }
        if let Some(grant) = &record.grant {
            draft = draft.grant(grant);
        }
        if let Some(jti) = &record.jti {
            draft = draft.jti(jti);
        }
        draft
    }
}
