//! Ending a session's rights: done on the target with the session's own token, and proven past the gateway, while the hub is
//! told. Each works without the others; together they depend on nobody (promise P13).

use super::owner::{Held, Owner};
use super::ports::Changes;
use super::proof::{self, Account};
use super::word::{Heard, Said, heard, hindrance};
use sallyport_audit::{Action, Outcome};
use sallyport_ipc::ProofKind;
use sallyport_model::{Phase, RequestRef, SessionAccount};
use sallyport_provision::{OwnEnd, Progress, Proof, Witnesses};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the first probes may look for refusals.
const RIGHTS_GONE: Duration = Duration::from_secs(10);
/// How long the second may: the API server caches a token for 10 s.
const TOKEN_REFUSED: Duration = Duration::from_secs(14);
/// How long the broker's word is waited for.
const BROKER_WORD: Duration = Duration::from_secs(15);
/// One try to end the own grant.
const OWN_END: Duration = Duration::from_secs(3);
/// Between two tries to end it, twice as long each time.
const AGAIN: Duration = Duration::from_millis(200);
const AGAIN_AT_MOST: Duration = Duration::from_secs(2);
/// Between two looks at the request.
const ASKED_EACH: Duration = Duration::from_millis(250);

impl Owner {
    /// One round of everything that ends the rights; returns when both stages of the proof and the word on the account
    /// are in, or their time is up.
    pub(super) async fn end_rights(
        &self,
        which: &watch::Sender<Option<RequestRef>>,
        held: Option<&Held>,
        changes: &mut Option<Changes>,
    ) {
        let (shown, seen) = watch::channel(false);
        let probes = async {
            shown.send_replace(self.probes(held).await);
        };
        tokio::join!(self.end_on_target(held), probes, self.account_removed(which, changes, seen));
    }

    /// Ends the grant on the target with the session's own token, and tries again while rights remain.
    async fn end_on_target(&self, held: Option<&Held>) {
        let session = &self.session;
        let ids = session.read(|record| record.request.clone().zip(record.grant.clone()));
        let (Some(held), Some((request, uid))) = (held, ids) else { return };
        let grant = SessionAccount::derive_grant_name(&request);
        let (began, mut pause, mut noted) = (Instant::now(), AGAIN, false);
        while began.elapsed() < RIGHTS_GONE {
            let ended = self.sessions.ground.end_own_grant(&held.reach, &grant, uid.as_str(), OWN_END).await;
            let again = matches!(ended, OwnEnd::Refused(_) | OwnEnd::Unanswered(_));
            if !std::mem::replace(&mut noted, true) || !again {
                self.note_own_end(&ended, began.elapsed()).await;
            }
            let nothing_left = session.read(|record| record.has(proof::Proof::nothing_left_to_end));
            if !again || nothing_left {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(AGAIN_AT_MOST);
        }
    }

    async fn note_own_end(&self, ended: &OwnEnd, took: Duration) {
        let draft = self.session.draft(Action::GrantEnded).detail("ms", took.as_millis() as u64);
        let draft = match ended {
            OwnEnd::Ended => {
                self.session.change(|record| record.prove(|proof| proof.own_grant_ended()));
                draft
            }
            // Somebody was quicker, and says so itself.
            OwnEnd::Gone => return,
            OwnEnd::Refused(why) => draft.outcome(Outcome::Refused).detail("why", why),
            OwnEnd::Unanswered(why) => draft.outcome(Outcome::Unknown).detail("why", why),
        };
        self.sessions.history.note(draft).await;
    }

    /// Both stages, past the gateway, for each right of the session. True when they show that the account and every
    /// binding are gone: each right was refused by the authorizer, and then the token itself before its time.
    async fn probes(&self, held: Option<&Held>) -> bool {
        let (session, ground) = (&self.session, &self.sessions.ground);
        let Some(Held { reach, witnesses, .. }) = held else {
            session.change(|record| {
                let is_unsealed = record.is_unsealed;
                record.prove(|proof| match is_unsealed {
                    true => proof.nothing_can_be_asked(),
                    false => proof.nothing_was_given(),
                })
            });
            return false;
        };
        let began = Instant::now();
        let probing = |kind| {
            session.change(|record| record.prove(|proof| proof.probing(kind, witnesses.len())));
        };
        probing(ProofKind::RightsGone);
        let mut told = |progress: Progress| {
            session.change_if(|record| record.prove(|p| p.progress(progress)).unwrap_or_default());
        };
        let gone = ground.rights_gone(reach, witnesses, RIGHTS_GONE, &mut told).await;
        self.conclude(ProofKind::RightsGone, witnesses, &gone, began).await;
        probing(ProofKind::TokenRefused);
        let mut came_back = false;
        let mut told = |progress: Progress| {
            if progress.allowed > 0 {
                came_back |=
                    session.change_if(|record| record.prove(|p| p.came_back(progress)).unwrap_or_default());
            }
        };
        let refused = ground.token_refused(reach, witnesses, TOKEN_REFUSED, &mut told).await;
        if came_back {
            let why = "a right that was refused was allowed again";
            let draft = session.draft(Action::ProofUnproven).outcome(Outcome::Unknown);
            let draft = draft.detail("stage", Action::RightsGone.as_str()).detail("why", why);
            self.sessions.history.note(draft).await;
        }
        self.conclude(ProofKind::TokenRefused, witnesses, &refused, began).await;
        session.read(|record| record.has(|proof| proof.shows_account_gone(&refused, record.end)))
    }

    async fn conclude(&self, kind: ProofKind, witnesses: &Witnesses, proof: &Proof, began: Instant) {
        let session = &self.session;
        let action = if kind == ProofKind::TokenRefused { Action::TokenRefused } else { Action::RightsGone };
        let ms = began.elapsed().as_millis() as u64;
        let why = session.change(|record| record.prove(|p| p.concluded(kind, proof))).flatten();
        let draft = match (proof, why) {
            (Proof::Proven(proven), _) => session
                .draft(action)
                .detail("status", proven.status)
                .detail("by", &proven.by)
                .detail("ms", ms),
            (Proof::Unproven { why: seen }, why) => session
                .draft(Action::ProofUnproven)
                .outcome(Outcome::Unknown)
                .detail("stage", action.as_str())
                .detail("why", why.unwrap_or_else(|| seen.clone())),
        };
        let draft = draft.detail("asked", witnesses.asked()).detail("rights", witnesses.len());
        self.sessions.history.note(draft).await;
    }

    /// Waits until ServiceAccount and bindings are known to be gone: the hub shows the request closed, by the broker's
    /// word, or the session's own probes have shown it, where broker or hub are away.
    async fn account_removed(
        &self,
        which: &watch::Sender<Option<RequestRef>>,
        changes: &mut Option<Changes>,
        mut shown: watch::Receiver<bool>,
    ) {
        let session = &self.session;
        session.change(|record| record.prove(|proof| proof.waiting_for_account()));
        let word = async {
            if session.read(|record| record.broker_closed) {
                return Account::Closed;
            }
            tokio::select! {
                () = self.closed_by_watch(changes) => Account::Closed,
                account = self.ask_hub(which) => account,
            }
        };
        let own = async {
            if shown.wait_for(|shown| *shown).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let account = tokio::select! {
            word = tokio::time::timeout(BROKER_WORD, word) => word.unwrap_or(Account::Silent),
            () = own => Account::Shown,
        };
        session.change(|record| {
            record.broker_closed |= account == Account::Closed;
            record.prove(|proof| proof.account(account));
        });
        if account == Account::Closed {
            self.sessions.history.note(session.draft(Action::ProvenByBroker)).await;
        }
    }

    /// Hears what the hub says of the end, until the broker has closed it.
    async fn closed_by_watch(&self, changes: &mut Option<Changes>) {
        loop {
            // What was deleted or makes no sense is left to the probes, and to whoever asks the hub.
            for request in self.next(changes).await.unwrap_or_default() {
                if self.heard_of_end(heard(&request)) {
                    return;
                }
            }
        }
    }

    /// More of the end than was known when it began; true where nothing of it is left.
    fn heard_of_end(&self, heard: Heard) -> bool {
        let (Said { reason, message, by }, closed) = match heard {
            Heard::Closed(said) => (said, true),
            // That the person took it back is what this desktop has told.
            Heard::Ending(said) if said.by.is_some() => (said, false),
            _ => return false,
        };
        self.session.change(|record| {
            record.broker_closed |= closed;
            record.ended_by(reason, by.as_deref(), &message);
        });
        closed
    }

    /// Asks the hub, once it was told: before that there is nothing to hear.
    async fn ask_hub(&self, which: &watch::Sender<Option<RequestRef>>) -> Account {
        let session = &self.session;
        session.until(|record| record.has(proof::Proof::hub_knows)).await;
        let Some(which) = which.borrow().clone() else { return Account::NothingAsked };
        loop {
            tokio::time::sleep(ASKED_EACH).await;
            if let Ok(request) = session.hub.request(&which).await {
                session.change_if(|record| {
                    record.prove(|proof| proof.hindered(hindrance(&request)));
                    false
                });
                if request.phase() == Phase::Closed {
                    self.heard_of_end(heard(&request));
                    return Account::Closed;
                }
            }
        }
    }
}
