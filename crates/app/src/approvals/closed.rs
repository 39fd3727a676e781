//! What this person ended, and what became of it: a watch of what is open tells that one is closed and not how, so that is read
//! once, and kept for as long as they are signed in.

use super::{Approvals, Beside, closing, view};
use crate::person::{Signed, WorkspaceId};
use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_ipc::{ClosingState, RequestView};
use sallyport_model::Phase;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

/// Those that are kept; what is proven goes first.
const MOST: usize = 500;
/// Reads at a time: a hold may close hundreds at once.
const AT_ONCE: usize = 8;
/// Between two tries to read one, and how many there are: a hub that is away for longer has not said how it ended.
const AGAIN: Duration = Duration::from_secs(2);
const TRIES: u32 = 15;

/// What was ended from here in one workspace.
#[derive(Default)]
pub(super) struct Closed {
    /// The UIDs of what the hub took this person's word on: the watch may break off before it tells of that.
    revoked: BTreeSet<String>,
    all: VecDeque<One>,
}

struct One {
    /// As it was when it was among what is open.
    last: Arc<AccessRequest>,
    /// What became of it; none until that is known.
    became: Option<Became>,
}

/// As it is by now; `None` inside: that can't be read, or it is gone.
#[derive(Clone)]
struct Became(Option<Arc<AccessRequest>>);

impl One {
    fn is_proven(&self) -> bool {
        let Some(Became(read)) = &self.became else { return false };
        closing::of_closed(&self.last, read.as_deref()).state == ClosingState::Proven
    }
}

impl Closed {
    fn add(&mut self, last: Arc<AccessRequest>) {
        let uid = last.metadata.uid.clone();
        self.all.retain(|one| one.last.metadata.uid != uid);
        if self.all.len() >= MOST {
            let at = self.all.iter().position(One::is_proven).unwrap_or_default();
            self.all.remove(at);
        }
        self.all.push_back(One { last, became: None });
    }

    fn learn(&mut self, last: &AccessRequest, became: Became) {
        let same = |one: &&mut One| one.last.metadata.uid == last.metadata.uid;
        if let Some(one) = self.all.iter_mut().find(same) {
            one.became = Some(became);
        }
    }
}

impl Approvals {
    pub(super) fn closed(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, Closed>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is not among what is open any more: where this person ended it, what became of it is looked for.
    pub(super) fn note_left(
        &self,
        signed: &Signed,
        left: &Arc<AccessRequest>,
        told: &UnboundedSender<Arc<AccessRequest>>,
    ) {
        if !self.is_ended_from_here(signed, left) {
            return;
        }
        self.with_closed(signed, |closed| closed.add(left.clone()));
        let _ = told.unbounded_send(left.clone());
    }

    /// The hub took this person's word on one.
    pub(super) fn note_revoked(&self, signed: &Signed, uid: &str) {
        self.with_closed(signed, |closed| {
            closed.revoked.insert(uid.to_owned());
        });
    }

    /// Nothing where the sign-in is over: whoever clears it has been here, or is still to come.
    fn with_closed(&self, signed: &Signed, change: impl FnOnce(&mut Closed)) {
        let mut all = self.closed();
        if !signed.stop.is_cancelled() {
            change(all.entry(signed.workspace.clone()).or_default());
        }
    }

    /// Whether it had or was about to get rights, and this person ended it: by their word on it, or by a hold of theirs that stands.
    fn is_ended_from_here(&self, signed: &Signed, object: &AccessRequest) -> bool {
        let me = signed.who.user.as_str();
        let revoked = object.status.as_ref().and_then(|status| status.revocation.as_ref());
        let held = || (self.held_on)(&signed.workspace, &object.spec.user, &object.spec.cluster);
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        let took = || self.closed().get(&signed.workspace).is_some_and(|closed| closed.revoked.contains(uid));
        object.spec.user != me
            && object.phase() != Phase::Pending
            && (revoked.is_some_and(|word| word.by == me)
                || took()
                // The hub may have heard it, and its answer was lost.
                || self.is_untold(&signed.workspace, uid)
                || held().is_some_and(|hold| hold.by == me))
    }

    /// Reads what became of each.
    pub(super) async fn read_what_became(
        &self,
        signed: &Signed,
        left: UnboundedReceiver<Arc<AccessRequest>>,
    ) {
        left.for_each_concurrent(AT_ONCE, |last| async move {
            let became = self.became(signed, &last).await;
            if let Some(closed) = self.closed().get_mut(&signed.workspace) {
                closed.learn(&last, became);
            }
            self.changed.notify_one();
        })
        .await;
        std::future::pending::<()>().await;
    }

    async fn became(&self, signed: &Signed, last: &AccessRequest) -> Became {
        let Ok(which) = last.which() else { return Became(None) };
        let hub = self.hub(signed);
        for _ in 0..TRIES {
            match hub.request(&which).await {
                Ok(read) if read.phase() == Phase::Closed => return Became(Some(Arc::new(read))),
                Ok(_) => tracing::debug!("a request that was said to be closed is not"),
                // The sign-in may be renewed meanwhile.
                Err(fault)
                    if fault.may_pass() || matches!(fault, Fault::NoToken(_) | Fault::Unauthorized) =>
                {
                    tracing::debug!("how a request was closed can't be read yet: {fault}");
                }
                Err(fault) => {
                    tracing::warn!("how a request was closed can't be read: {fault}");
                    return Became(None);
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
        Became(None)
    }

    /// Those that this person ended and that are closed since.
    pub(super) fn closed_view(&self, signed: &Signed, now: i64) -> Vec<RequestView> {
        let all: Vec<(Arc<AccessRequest>, Option<Became>)> = {
            let closed = self.closed();
            let Some(closed) = closed.get(&signed.workspace) else { return Vec::new() };
            closed.all.iter().map(|one| (one.last.clone(), one.became.clone())).collect()
        };
        let of = |(last, became): &(Arc<AccessRequest>, Option<Became>)| {
            let known = self.inventory.known_for(&signed.workspace, last);
            let hold = (self.held_on)(&signed.workspace, &last.spec.user, &last.spec.cluster);
            let beside = Beside { now, ..Beside::default() };
            let mut view = view::of(last, &signed.who, &known, hold.as_ref(), &beside);
            if let Some(Became(read)) = became {
                view.closing = Some(closing::of_closed(last, read.as_deref()));
            }
            view
        };
        all.iter().map(of).collect()
    }
}
