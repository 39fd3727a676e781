//! Still who one was: where a profile wants it, the provider's word for the person is shown to the hub once in its period, and
//! its want on screen before anything is closed for it.

use super::end::End;
use super::owner::Owner;
use super::session::Session;
use super::vouched::Word;
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Outcome};
use sallyport_model::{RequestRef, SessionState};
use sallyport_policy::{Vouched, vouched};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// Between two tries of a word that is overdue, twice as long each time.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(30);
/// How long after its end by want of a word this desktop waits for the broker to say so, seconds.
const BROKER_FIRST: i64 = 3;
/// How long is slept at most: a clock that was set, or a laptop that slept, is noticed by then.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

impl Owner {
    /// Takes in what a request says of the provider's word.
    pub(super) fn heard_of_word(&self, request: &AccessRequest) {
        if let Some(said) = Word::of(request) {
            self.session.change_if(|record| Word::heard(&mut record.word, said));
        }
    }

    /// Has the provider vouch for the person for as long as the request is open, and ends what it does not vouch for any more.
    pub(super) fn keep_vouching(&self, which: RequestRef) -> AbortOnDropHandle<()> {
        let keeper = Keeper { session: self.session.clone(), history: self.sessions.history.clone(), which };
        AbortOnDropHandle::new(tokio::spawn(keeper.keep()))
    }
}

struct Keeper {
    session: Arc<Session>,
    history: crate::history::Recorder,
    which: RequestRef,
}

impl Keeper {
    async fn keep(self) {
        self.session.until(|record| record.word.is_some()).await;
        let mut pause = AGAIN;
        while let Some(word) = self.session.read(|record| record.word.clone()) {
            let now = self.session.hub.now();
            match vouched(&word.wanted, word.issued, now) {
                Vouched::Fine { due_at, .. } => {
                    pause = AGAIN;
                    let left = Duration::from_secs(u64::try_from(due_at.saturating_sub(now)).unwrap_or(0));
                    tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
                    continue;
                }
                Vouched::Over { why } if self.is_left_by_broker(&word, now) => {
                    return self.session.end(End::not_vouched(&why));
                }
                // While it waits for people, nothing is closed for it: the broker waits for the word.
                Vouched::Due { .. } | Vouched::Over { .. } => {}
            }
            if self.ask(&word).await {
                continue;
            }
            // Its end is not slept through; once that is past, only the pause counts.
            let left = word
                .issued
                .map(|at| word.wanted.over_at(at).saturating_add(BROKER_FIRST).saturating_sub(now));
            let left = left.and_then(|left| u64::try_from(left).ok()).filter(|left| *left > 0);
            tokio::time::sleep(left.map_or(pause, |left| pause.min(Duration::from_secs(left)))).await;
            pause = (pause * 2).min(AGAIN_AT_MOST);
        }
    }

    /// Whether it is open, over, and its broker has had its turn to say so.
    fn is_left_by_broker(&self, word: &Word, now: i64) -> bool {
        let over_at = word.issued.map_or(i64::MIN, |issued| word.wanted.over_at(issued));
        self.session.state() == SessionState::Open && now >= over_at.saturating_add(BROKER_FIRST)
    }

    /// Asks the provider and shows the hub what it says; whether that worked.
    async fn ask(&self, word: &Word) -> bool {
        // One that another session of this person asked for meanwhile is as good as a new one.
        let said = self.session.hub.reaffirm(&self.which, word.issued.unwrap_or_default()).await;
        let draft = self.session.draft(Action::TokenRefresh);
        let (draft, is_first) = match &said {
            Ok(issued) => {
                self.session.change(|record| {
                    if let Some(word) = &mut record.word {
                        (word.issued, word.overdue) = (Some(*issued), None);
                    }
                });
                (draft.detail("issued", *issued), true)
            }
            Err(error) => {
                tracing::warn!(session = %self.session.id, "the provider's word was not had: {}", error.chain());
                let is_first = self.session.change_if(|record| {
                    let Some(word) = &mut record.word else { return false };
                    let why = error.message().to_owned();
                    word.overdue.replace(why.clone()) != Some(why)
                });
                (draft.outcome(Outcome::Failed).detail("why", error.message()), is_first)
            }
        };
        // The same again every few seconds is one entry.
        if is_first {
            self.history.note(draft).await;
        }
        said.is_ok()
    }
}
