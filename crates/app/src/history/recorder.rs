//! The history as use cases write it and the window reads it.

use super::ports::{GatewaySide, StoreSide};
use super::view::{parse, sealed, verdict_view, view};
use crate::desk::{AppError, Desk};
use sallyport_api::HistoryAnchor;
use sallyport_audit::{Action, Draft, Entry, Linked, Outcome, SealKey, SealPublic, Verdict};
use sallyport_ipc::{
    AuditFilter, AuditPage, AuditPosition, Event, HistoryState as HistoryView, SealView, Shown, VerifyView,
};
use sallyport_model::{ErrorCode, SessionId};
use sallyport_store::{Buckets, Cursor, Filter, History, HistoryState, Page, StoreError, TopBy};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two hints that it grew.
const HINTS: Duration = Duration::from_millis(300);

/// How long entries may take to the disk before calls wait for them; a healthy one needs 100 ms.
const LATE: Duration = Duration::from_secs(1);

/// Most entries on one page.
const PAGE_MOST: u32 = 500;
/// Beginnings of chains that are looked at, the newest: how long a key has been in force.
const BEGINNINGS: usize = 1000;

/// Writes entries. An entry that can't be written is an error in the log and a gap in the history, never a silent
/// loss: the store counts what it could not take.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(super) history: Arc<dyn StoreSide>,
    verified: Arc<Mutex<Option<VerifyView>>>,
    /// Whoever replaces the sealing key; one at a time.
    renewing: Arc<tokio::sync::Mutex<()>>,
}

impl Recorder {
    pub(crate) fn new(history: History) -> Self {
        Self::keeping(Arc::new(history))
    }

    /// The same, kept elsewhere than the product does.
    pub(super) fn keeping(history: Arc<dyn StoreSide>) -> Self {
        Self { history, verified: Arc::default(), renewing: Arc::default() }
    }

    /// Writes one entry; it is on disk within 100 ms.
    pub(crate) async fn note(&self, draft: Draft) {
        self.noted(draft).await;
    }

    /// The place of an entry that waits for the disk; none where it can't be written.
    async fn noted(&self, draft: Draft) -> Option<u64> {
        let action = draft.action();
        let noted = self.history.append(draft).await.inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::error!(%action, error, "an entry could not be written");
        });
        noted.ok()
    }

    /// Writes entries and returns when they are on disk, or the disk takes longer than `within`: whoever looks for them
    /// afterwards finds them.
    pub(crate) async fn note_all(&self, drafts: Vec<Draft>, within: Duration) {
        let mut last = None;
        for draft in drafts {
            last = self.noted(draft).await.or(last);
        }
        if let Some(last) = last {
            // What takes longer is in the queue, and is told of by the history's own state.
            let _ = tokio::time::timeout(within, self.history.until_durable(last)).await;
        }
    }

    /// Writes one entry that somebody relies on, and returns when it is on the disk.
    ///
    /// # Errors
    /// When the disk did not take it in time. It may take it later: then it stands in the history all the same.
    pub(crate) async fn keep(&self, draft: Draft) -> Result<(), AppError> {
        match self.history.append_durable(draft).await {
            Ok(_) => Ok(()),
            Err(error @ StoreError::NotDurable { .. }) => {
                Err(AppError::failed("the disk did not take the entry in time")
                    .hint("It waits and is written as soon as the disk takes it: look into the timeline before you try again.")
                    .because(error))
            }
            Err(error) => Err(AppError::failed("the entry was not written")
                .hint("Check the disk; the log has the details. Then try again.")
                .because(error)),
        }
    }

    /// Writes the entries of calls and returns when they are on disk. While that takes longer than a healthy disk does,
    /// the gateway lets no new call pass, and none any more once one could not be written at all: what can't be recorded
    /// must not happen (promise P17).
    pub(crate) async fn calls(&self, gateway: &impl GatewaySide, drafts: Vec<Draft>) {
        let writing = async {
            let (mut last, mut is_kept) = (None, true);
            for draft in drafts {
                match self.history.append_waiting(draft).await {
                    Ok(sequence) => last = Some(sequence),
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(error, "a call could not be recorded");
                        is_kept = false;
                    }
                }
            }
            if let Some(last) = last {
                self.history.until_durable(last).await;
            }
            is_kept
        };
        let mut writing = std::pin::pin!(writing);
        match tokio::time::timeout(LATE, &mut writing).await {
            Ok(true) => {}
            Ok(false) => gateway.recording(false),
            Err(_) => {
                tracing::error!("calls wait: their entries do not reach the disk");
                gateway.recording(false);
                let is_kept = writing.await;
                gateway.recording(is_kept);
            }
        }
    }

    /// Whether a damaged one was set aside when it was opened, and under which name.
    pub(crate) fn set_aside(&self) -> Option<String> {
        self.history.set_aside()
    }

    /// Hints to the window that it grew, until the app ends.
    pub(crate) async fn hint(self, desk: Arc<Desk>) {
        let mut tip = self.history.subscribe();
        loop {
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                () = desk.stop.cancelled() => return,
            }
            let sequence = i64::try_from(tip.borrow_and_update().sequence).unwrap_or(i64::MAX);
            desk.host.tell(Event::HistoryGrew { position: AuditPosition { sequence } });
            tokio::time::sleep(HINTS).await;
        }
    }

    /// How it stands, for the window.
    pub(crate) fn view(&self) -> HistoryView {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        HistoryView {
            entries: i64::try_from(self.history.subscribe().borrow().sequence).unwrap_or(i64::MAX),
            verdict: verified.as_ref().map(|v| v.verdict),
            verified_at: verified.as_ref().map(|v| v.at),
            trouble: self.trouble(),
        }
    }

    /// Why entries wait, if they do.
    fn trouble(&self) -> Option<Shown> {
        match &*self.history.state().borrow() {
            HistoryState::Writing => None,
            HistoryState::Closed => Some("the history is closed".into()),
            HistoryState::Stalled { why, waiting, .. } => {
                Some(format!("{waiting} entries wait for the disk: {why}").into())
            }
        }
    }

    /// One page, newest first.
    pub(crate) async fn page(
        &self,
        filter: AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<AuditPage, AppError> {
        let filter = parse(filter)?;
        let cursor = match before {
            None => None,
            Some(sequence) => self.cursor(sequence).await?,
        };
        let limit = limit.clamp(1, PAGE_MOST) as usize;
        let page = self.history.page(filter, cursor, limit).await.map_err(unreadable)?;
        Ok(AuditPage {
            next: page.next.and_then(|c| i64::try_from(c.sequence).ok()),
            total: i64::try_from(self.history.subscribe().borrow().sequence).unwrap_or(i64::MAX),
            entries: page.entries.iter().map(view).collect(),
        })
    }

    /// The place of the newest entry.
    pub(crate) fn tip(&self) -> u64 {
        self.history.subscribe().borrow().sequence
    }

    /// Entries that fit, newest first.
    pub(crate) async fn entries(
        &self,
        filter: Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, AppError> {
        self.history.page(filter, cursor, limit).await.map_err(unreadable)
    }

    /// Entries in their order, from a place on.
    pub(crate) async fn read_from(&self, sequence: u64, limit: usize) -> Result<Vec<Linked>, AppError> {
        self.history.read_from(sequence, limit).await.map_err(unreadable)
    }

    /// How many entries fit.
    pub(crate) async fn count(&self, filter: Filter) -> Result<u64, AppError> {
        self.history.count(filter).await.map_err(unreadable)
    }

    /// How many entries in each stretch of time.
    pub(crate) async fn buckets(
        &self,
        filter: Filter,
        from: i64,
        step: i64,
        buckets: usize,
    ) -> Result<Buckets, AppError> {
        self.history.buckets(filter, from, step, buckets).await.map_err(unreadable)
    }

    /// Who or what occurs most often.
    pub(crate) async fn top(
        &self,
        filter: Filter,
        by: TopBy,
        most: usize,
    ) -> Result<Vec<(String, u64)>, AppError> {
        self.history.top(filter, by, most).await.map_err(unreadable)
    }

    /// The moments of the first and the last entry.
    pub(crate) async fn range(&self) -> Result<Option<(i64, i64)>, AppError> {
        self.history.range().await.map_err(unreadable)
    }

    /// The SHA-256 of each part of a terminal's recording, as it was noted when it was closed.
    pub(crate) async fn recorded(
        &self,
        session: &str,
        terminal: &str,
    ) -> Result<BTreeMap<u32, String>, AppError> {
        let filter = Filter {
            session: Some(SessionId::new(session)),
            actions: vec![Action::Recorded],
            ..Filter::default()
        };
        let (mut found, mut cursor) = (BTreeMap::new(), None);
        loop {
            let page =
                self.history.page(filter.clone(), cursor, PAGE_MOST as usize).await.map_err(unreadable)?;
            for entry in &page.entries {
                let text = |key: &str| entry.detail.text(key);
                let number = entry.detail.number("segment");
                let number = number.and_then(|number| u32::try_from(number).ok());
                if let (Some(number), Some(hash)) = (number, text("sha256"))
                    && text("terminal") == Some(terminal)
                {
                    found.insert(number, hash.to_owned());
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// A page goes on below the entry with this place.
    async fn cursor(&self, sequence: i64) -> Result<Option<Cursor>, AppError> {
        let sequence = u64::try_from(sequence)
            .map_err(|_| AppError::new(ErrorCode::BadInput, "there is no such page"))?;
        let found = self.history.read_from(sequence, 1).await.map_err(unreadable)?;
        Ok(found.first().map(|linked| Cursor { at: linked.entry.at, sequence }))
    }

    /// How it is by now, as a request carries it to the hub: whoever has the requests knows what it was. None while that can't
    /// be said truly. With a key it is sealed first, so that packs have that very place; a slow disk is not waited for.
    pub(crate) async fn anchor(&self) -> Option<HistoryAnchor> {
        self.seal().await;
        let tip = *self.history.subscribe().borrow();
        let root = tip.root?.to_string();
        let key = self.history.seal_key().map(|key| key.fingerprint().to_string());
        let sequence = i64::try_from(tip.sequence).ok().filter(|sequence| *sequence > 0)?;
        Some(HistoryAnchor { sequence, root, key })
    }

    /// Makes a checkpoint now, if it can be had soon; else the next one covers what this one would have.
    pub(crate) async fn seal(&self) {
        let sealed = tokio::time::timeout(LATE, self.history.seal()).await;
        if let Ok(Err(error)) = sealed {
            tracing::warn!(error = &error as &dyn std::error::Error, "no checkpoint was made");
        }
    }

    /// The key that seals it; none without a keyring.
    pub(crate) fn seal_public(&self) -> Option<SealPublic> {
        self.history.seal_key()
    }

    /// Whether what it comes to can be said: of one that lacks entries it can't.
    pub(crate) fn has_root(&self) -> bool {
        self.history.subscribe().borrow().root.is_some()
    }

    /// The turn of whoever replaces the key.
    pub(crate) async fn renewing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.renewing.lock().await
    }

    /// Whether a key's word for the next one is not on the disk yet.
    pub(crate) fn is_handing_over(&self) -> bool {
        self.history.is_handing_over()
    }

    /// Has the key in force name the next, which seals from then on.
    pub(crate) async fn renew_seal(&self, next: SealKey) -> Result<(), StoreError> {
        self.history.renew_seal(next).await
    }

    /// By which key it is sealed, and how far.
    ///
    /// # Errors
    /// When the history can't be read.
    pub(crate) async fn seal_view(&self) -> Result<SealView, AppError> {
        let key = self.history.seal_key();
        // Each beginning of a chain names the key that seals: of those in a row that name this one, the first.
        let begun = Filter { actions: vec![Action::ChainBegun], ..Filter::default() };
        let begun = self.history.page(begun, None, BEGINNINGS).await.map_err(unreadable)?;
        let names_it = |entry: &&Entry| {
            let seal = entry.detail.get("seal").and_then(|seal| seal.as_str());
            key.as_ref().is_some_and(|key| seal == Some(key.id().as_str()))
        };
        let since = begun.entries.iter().take_while(names_it).last();
        let tip = *self.history.subscribe().borrow();
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(SealView {
            fingerprint: key.map(|key| Shown::from(&key.fingerprint().to_string())),
            since: since.map(|entry| entry.at.div_euclid(1000)),
            former: None,
            until: number(tip.sealed),
            entries: number(tip.sequence),
            is_handing_over: self.history.is_handing_over(),
        })
    }

    /// Checks the whole chain, and writes that it was checked.
    pub(crate) async fn verify(&self) -> Result<VerifyView, AppError> {
        let started = Instant::now();
        self.seal().await;
        let checked = self.history.check().await.map_err(unreadable)?;
        let sealed = sealed(&checked.seals, self.history.seal_key().as_ref());
        let verdict = checked.verdict();
        let gaps = Filter { actions: vec![Action::Gap], ..Filter::default() };
        let gaps = self.history.count(gaps).await.map_err(unreadable)?;
        let mut view = verdict_view(&verdict);
        if let (None, Some(sealed)) = (&view.why, sealed) {
            view.why = Some(Shown::from(&sealed));
        }
        view.gaps = i64::try_from(gaps).unwrap_or(i64::MAX);
        view.ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let word = match view.verdict {
            sallyport_ipc::Verdict::Verified => "verified",
            sallyport_ipc::Verdict::Unanchored => "unanchored",
            sallyport_ipc::Verdict::Broken => "broken",
        };
        let outcome = if matches!(verdict, Verdict::Broken { .. }) { Outcome::Failed } else { Outcome::Ok };
        self.note(Draft::new(Action::Verify).outcome(outcome).detail("verdict", word)).await;
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(view.clone());
        Ok(view)
    }

    /// Writes what waits and the stop itself.
    pub(crate) async fn close(&self, within: Duration) {
        match tokio::time::timeout(within, self.history.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the history did not close in order"
            ),
            Err(_) => tracing::error!("the history did not close within {within:?}"),
        }
    }
}

pub(super) fn unreadable(error: StoreError) -> AppError {
    AppError::failed("the history can't be read").hint("Run verify; the log has the details.").because(error)
}
