//! Ending a session's rights: told to the hub, done on the target with the session's own token, and proven past the
//! gateway, all at once. Each works without the others; together they depend on nobody (promise P13).

use crate::cleanup::request_named;
use crate::core::App;
use crate::session::{Held, Session, Told};
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::{Endpoint, Fault};
use sallyport_hub::{Hub, Refused, Which};
use sallyport_ipc::{ProofKind, ProofState};
use sallyport_model::{Phase, Secret, SessionAccount, visible};
use sallyport_provision::{OwnEnd, Proof, Witnesses, end_own_grant};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
/// Between two tries of anything, twice as long each time.
const AGAIN: Duration = Duration::from_millis(200);
const OWN_END_AGAIN_AT_MOST: Duration = Duration::from_secs(2);
const TELL_AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// Between two looks for a request that may still come in, at most.
const LOOKED_FOR_EACH: Duration = Duration::from_secs(5);
/// Before each object that the broker could not remove with a grant.
const STILL_THERE: &str = "; still there: ";
/// A token that is refused this close to its end may have run out. Seconds.
const NEAR_ITS_END: i64 = 10;

impl App {
    /// One round of everything that ends the rights; returns when both stages of the proof and the word on the account
    /// are in, or their time is up.
    pub(crate) async fn end_rights(&self, session: &Arc<Session>) {
        self.keep_telling(session);
        let (shown, seen) = watch::channel(None);
        let probes = async {
            let shown_here = self.probes(session).await;
            shown.send_replace(Some(shown_here));
        };
        tokio::join!(self.end_on_target(session), probes, self.account_removed(session, seen));
        self.forget_when_over(session).await;
    }

    /// A task of its own tells the hub until it has heard: nothing waits for that, and the end of the proof does not
    /// end it.
    fn keep_telling(&self, session: &Arc<Session>) {
        if session.telling.swap(true, Ordering::Relaxed) {
            return;
        }
        let (app, session) = (self.clone(), session.clone());
        tokio::spawn(async move {
            let mut pause = AGAIN;
            loop {
                let signed_in_again = app.0.signed_in_again.notified();
                match app.withdraw(&session).await {
                    Ok(()) => break,
                    Err(why) => {
                        tracing::warn!(session = %session.id, "the hub was not told yet: {why}");
                        session.told.send_replace(Told::NotYet(why));
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = signed_in_again => {}
                    () = app.0.stop.cancelled() => return,
                }
                let most = if app.may_come_in(&session) { LOOKED_FOR_EACH } else { TELL_AGAIN_AT_MOST };
                pause = (pause * 2).min(most);
            }
            session.told.send_replace(Told::Yes);
            app.forget_when_over(&session).await;
        });
    }

    /// The hub a session is told at: by a later sign-in of the same person there, else by its own.
    fn hub_of(&self, session: &Session) -> Hub {
        let own = &session.signed;
        let now = self.0.shared().signed.clone();
        now.filter(|now| now.who.user == own.who.user && now.hub_url == own.hub_url)
            .map_or_else(|| own.hub.clone(), |now| now.hub)
    }

    /// The session's request; `None` when there is none. An ask whose answer was lost is looked up by its name.
    async fn request_of(&self, session: &Session) -> Result<Option<Which>, Fault> {
        if let Some(which) = session.which.borrow().clone() {
            return Ok(Some(which));
        }
        let Some(asked) = session.asked_as() else { return Ok(None) };
        let hub = self.hub_of(session);
        let found = request_named(&hub, &asked.team, &asked.name, self.0.options.deadline).await?;
        let which = found.map(|request| Which::of(&request)).transpose()?;
        if let Some(which) = &which {
            session.record().request = Some(which.uid.clone());
            session.which.send_replace(Some(which.clone()));
        }
        Ok(which)
    }

    /// Whether an ask without an answer may still be under way to the hub's store, so that finding nothing proves
    /// nothing.
    fn may_come_in(&self, session: &Session) -> bool {
        let unanswered = session.which.borrow().is_none();
        unanswered && session.asked_as().is_some_and(|asked| asked.at.elapsed() < self.0.options.may_come_in)
    }

    /// Tells the hub once, unless the broker closed it already.
    ///
    /// Fails when the hub may take it a little later: it is down, it just started, or nobody is signed in who could
    /// tell it.
    async fn withdraw(&self, session: &Session) -> Result<(), String> {
        if session.closed_by_broker.borrow().is_some() || session.ended_elsewhere.load(Ordering::Relaxed) {
            return Ok(());
        }
        let which = match self.request_of(session).await {
            Ok(Some(which)) => which,
            Ok(None) if self.may_come_in(session) => {
                return Err("it never answered the request and may still take it in".to_owned());
            }
            Ok(None) | Err(Fault::NotFound) => return Ok(()),
            Err(fault) => return Err(fault.to_string()),
        };
        let hub = self.hub_of(session);
        match hub.withdraw(&which).await {
            Ok(_) | Err(Refused::Fault(Fault::NotFound)) => Ok(()),
            Err(Refused::Fault(fault)) => Err(fault.to_string()),
            // What is over already is withdrawn no more. Any other no may be a yes later: the person was taken out of a
            // group and comes back, or the hub has just started.
            Err(refused) => match hub.request(&which).await {
                Ok(request) if knows_its_end(&request) => Ok(()),
                Err(Fault::NotFound) => Ok(()),
                Ok(_) | Err(_) => Err(refused.to_string()),
            },
        }
    }

    /// Ends the grant on the target with the session's own token, and tries again while rights remain.
    async fn end_on_target(&self, session: &Arc<Session>) {
        let Some((target, token, _)) = probe_of(session) else { return };
        let (request, uid) = {
            let record = session.record();
            (record.request.clone(), record.grant.clone())
        };
        let (Some(request), Some(uid)) = (request, uid) else { return };
        let grant = SessionAccount::derive_grant_name(&request);
        let (began, mut pause, mut noted) = (Instant::now(), AGAIN, false);
        while began.elapsed() < RIGHTS_GONE {
            let ended = end_own_grant(&target, &token, &grant, uid.as_str(), OWN_END).await;
            let again = matches!(ended, OwnEnd::Refused(_) | OwnEnd::Unanswered(_));
            if !std::mem::replace(&mut noted, true) || !again {
                self.note_own_end(session, &ended, began.elapsed()).await;
            }
            if !again || proof_is_over(session) {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(OWN_END_AGAIN_AT_MOST);
        }
    }

    async fn note_own_end(&self, session: &Session, ended: &OwnEnd, took: Duration) {
        let draft = self.0.draft(Action::GrantEnded, session).detail("ms", took.as_millis() as u64);
        let draft = match ended {
            OwnEnd::Ended => {
                let detail = "this session ended its own grant; what hangs on it is being removed";
                session.record().prove(ProofKind::AccountRemoved, ProofState::Running, detail);
                self.0.tell_session(session);
                draft
            }
            // Somebody was quicker, and says so itself.
            OwnEnd::Gone => return,
            OwnEnd::Refused(why) => draft.outcome(Outcome::Refused).detail("why", why),
            OwnEnd::Unanswered(why) => draft.outcome(Outcome::Unknown).detail("why", why),
        };
        self.0.recorder.note(draft).await;
    }

    /// Both stages, past the gateway, for each right of the session. True when they show that the account and every
    /// binding are gone: each right was refused by the authorizer, and then the token itself before its time.
    async fn probes(&self, session: &Arc<Session>) -> bool {
        let Some((target, token, witnesses)) = probe_of(session) else {
            self.nothing_was_given(session).await;
            return false;
        };
        let core = &self.0;
        session.record().prove(ProofKind::RightsGone, ProofState::Running, "");
        let began = Instant::now();
        let told = |progress: sallyport_provision::Progress| {
            if session.record().refused(ProofKind::RightsGone, progress.refused, progress.of) {
                core.tell_session(session);
            }
        };
        let gone = witnesses.rights_gone(&target, &token, RIGHTS_GONE, told).await;
        if matches!(&gone, Proof::Proven(proven) if proven.by_authorizer) {
            session.record().bindings_gone = true;
        }
        self.conclude(session, ProofKind::RightsGone, &witnesses, &gone, began).await;
        session.record().prove(ProofKind::TokenRefused, ProofState::Running, "");
        core.tell_session(session);
        let mut came_back = false;
        let told = |progress: sallyport_provision::Progress| {
            if progress.allowed > 0 {
                came_back |= self.came_back(session, progress);
            }
        };
        let refused = witnesses.token_refused(&target, &token, TOKEN_REFUSED, told).await;
        if came_back {
            let why = "a right that was refused was allowed again";
            let draft = core.draft(Action::ProofUnproven, session).outcome(Outcome::Unknown);
            let draft = draft.detail("stage", Action::RightsGone.as_str()).detail("why", why);
            core.recorder.note(draft).await;
        }
        self.conclude(session, ProofKind::TokenRefused, &witnesses, &refused, began).await;
        let (bindings_gone, end) = {
            let record = session.record();
            (record.bindings_gone, record.end)
        };
        matches!(&refused, Proof::Proven(proven) if bindings_gone && before_its_end(proven.at, end))
    }

    /// A right that was refused is allowed again: somebody or something made a binding anew.
    fn came_back(&self, session: &Session, progress: sallyport_provision::Progress) -> bool {
        let why = format!(
            "{} of {} were allowed again after all had been refused: something makes a binding anew",
            progress.allowed, progress.of
        );
        let news = {
            let mut record = session.record();
            record.bindings_gone = false;
            record.take_back(ProofKind::RightsGone, &why)
        };
        if news {
            self.0.tell_session(session);
        }
        news
    }

    async fn conclude(
        &self,
        session: &Session,
        kind: ProofKind,
        witnesses: &Witnesses,
        proof: &Proof,
        began: Instant,
    ) {
        let core = &self.0;
        let action = if kind == ProofKind::TokenRefused { Action::TokenRefused } else { Action::RightsGone };
        let ms = began.elapsed().as_millis() as u64;
        let draft: Draft = match proof {
            Proof::Proven(proven) => {
                let detail = match proven.refused {
                    1 => format!("{} answered {} itself", proven.by, proven.status),
                    all => format!("{} answered {} itself to all {all}", proven.by, proven.status),
                };
                session.record().prove(kind, ProofState::Done, detail);
                core.draft(action, session)
                    .detail("status", proven.status)
                    .detail("by", &proven.by)
                    .detail("ms", ms)
            }
            Proof::Unproven { why } => {
                let why = match &session.record().hindrance {
                    Some(words) => format!("{why}; the broker says: {words}"),
                    None => why.clone(),
                };
                session.record().prove(kind, ProofState::Unproven, &why);
                core.draft(Action::ProofUnproven, session)
                    .outcome(Outcome::Unknown)
                    .detail("stage", action.as_str())
                    .detail("why", why)
            }
        };
        core.recorder.note(draft.detail("asked", witnesses.asked()).detail("rights", witnesses.len())).await;
        core.tell_session(session);
    }

    /// No token ever reached this desktop, so there is nothing to probe with and nothing a probe could show.
    async fn nothing_was_given(&self, session: &Session) {
        {
            let mut record = session.record();
            record.prove(ProofKind::RightsGone, ProofState::Done, "no token was ever opened here");
            record.prove(ProofKind::TokenRefused, ProofState::Done, "no token was ever opened here");
        }
        self.0.tell_session(session);
    }

    /// Waits until ServiceAccount and bindings are known to be gone: the hub shows the request closed, by the broker's
    /// word, or the session's own probes have shown it, where broker or hub are away.
    async fn account_removed(&self, session: &Arc<Session>, mut shown: watch::Receiver<Option<bool>>) {
        let core = &self.0;
        session.record().prove(ProofKind::AccountRemoved, ProofState::Running, "");
        let word = tokio::time::timeout(BROKER_WORD, self.word(session));
        let own = async {
            if shown.wait_for(|shown| *shown == Some(true)).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let word = tokio::select! {
            word = word => word.unwrap_or(Word::Silent),
            () = own => Word::Shown,
        };
        let (state, detail) = self.said_of_account(session, word);
        session.record().prove(ProofKind::AccountRemoved, state, detail);
        if word == Word::Closed {
            core.recorder.note(core.draft(Action::ProvenByBroker, session)).await;
        }
        core.tell_session(session);
    }

    fn said_of_account(&self, session: &Session, word: Word) -> (ProofState, String) {
        let untold = match &*session.told.borrow() {
            Told::Yes => String::new(),
            Told::NotTried => "; the hub is told as soon as it can hear".to_owned(),
            Told::NotYet(why) => format!("; the hub is told as soon as it can hear ({why})"),
        };
        match word {
            Word::NothingAsked => (ProofState::Done, "nothing was asked for".to_owned()),
            Word::Closed => {
                (ProofState::Done, "the broker removed bindings, then ServiceAccount, then grant".to_owned())
            }
            Word::Shown => {
                let elsewhere = session.ended_elsewhere.load(Ordering::Relaxed);
                let by = if elsewhere { "" } else { " by this session itself" };
                let seen = format!("removed on the cluster{by}: every right and then its token were refused");
                (ProofState::Done, format!("{seen}{untold}"))
            }
            Word::Silent if self.may_come_in(session) => {
                let why = "the hub never answered the request and may still take it in; it is looked for until it can't, \
                           and taken back";
                (ProofState::Unproven, why.to_owned())
            }
            Word::Silent => {
                let hindrance = session.record().hindrance.clone();
                let why = match hindrance {
                    Some(words) => format!("still there: {words}; the broker goes on trying"),
                    None => "the broker has not confirmed it yet; it is asked again until it does".to_owned(),
                };
                (ProofState::Unproven, format!("{why}{untold}"))
            }
        }
    }

    /// The broker's word, once there is one.
    async fn word(&self, session: &Session) -> Word {
        let mut told = session.told.subscribe();
        let mut closed = session.closed_by_broker.subscribe();
        // Before the hub was told there is nothing to hear, unless somebody else has ended it.
        tokio::select! {
            _ = told.wait_for(|told| *told == Told::Yes) => {}
            _ = closed.wait_for(Option::is_some) => {}
        }
        let which = session.which.borrow().clone();
        match which {
            None => Word::NothingAsked,
            Some(which) => self.hear_broker(session, &which).await,
        }
    }

    async fn hear_broker(&self, session: &Session, which: &Which) -> Word {
        let mut heard = session.closed_by_broker.subscribe();
        let watched = heard.wait_for(Option::is_some);
        // The watch of an opening that failed is gone, so the hub is asked as well.
        let asked = async {
            loop {
                tokio::time::sleep(Duration::from_millis(250)).await;
                if let Ok(request) = self.hub_of(session).request(which).await {
                    session.record().hindrance = hindrance(&request);
                    if request.phase() == Phase::Closed {
                        return;
                    }
                }
            }
        };
        tokio::select! {
            heard = watched => if heard.is_ok() { Word::Closed } else { Word::Silent },
            () = asked => Word::Closed,
        }
    }

    /// A session that is proven over, and whose end the hub knows, needs no cleaning at the next start.
    async fn forget_when_over(&self, session: &Session) {
        let which = session.which.borrow().clone();
        // An ask without an answer, and nothing to be found now: it may still come in, so its note stays.
        let Some(which) = which else { return };
        let knows = *session.told.borrow() == Told::Yes || session.closed_by_broker.borrow().is_some();
        if knows && is_over(session) {
            self.0.forget_note(&which.name).await;
        }
    }
}

/// What is known of the account's end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// There is no request.
    NothingAsked,
    /// The hub shows it closed.
    Closed,
    /// The session's own probes have shown it.
    Shown,
    /// Nothing came in time.
    Silent,
}

/// What a session's rights are ended and proven with, while it has it.
fn probe_of(session: &Session) -> Option<(Endpoint, Secret<String>, Witnesses)> {
    session
        .held()
        .as_ref()
        .map(|held: &Held| (held.target.clone(), held.token.clone(), held.witnesses.clone()))
}

/// Whether the broker has confirmed the end, or both probes have.
pub(crate) fn is_over(session: &Session) -> bool {
    // Where no token was opened, or its roles allow nothing, the probes' lines say nothing of the grant.
    let probed = session.held().as_ref().is_some_and(|held| !held.witnesses.is_empty());
    let record = session.record();
    let done = |kind| record.proof_of(kind) == Some(ProofState::Done);
    done(ProofKind::AccountRemoved)
        || (probed && record.bindings_gone && done(ProofKind::RightsGone) && done(ProofKind::TokenRefused))
}

/// Whether nothing is left that ending the own grant could end.
fn proof_is_over(session: &Session) -> bool {
    let record = session.record();
    let over = |kind| matches!(record.proof_of(kind), Some(ProofState::Done | ProofState::Unproven));
    over(ProofKind::RightsGone) || record.proof_of(ProofKind::AccountRemoved) == Some(ProofState::Done)
}

/// A token that is refused well before its end is refused because its account is gone, and not because it ran out.
/// Both in Unix seconds, by the target's clock.
fn before_its_end(at: Option<i64>, end: Option<i64>) -> bool {
    matches!((at, end), (Some(at), Some(end)) if at + NEAR_ITS_END < end)
}

/// Whether a request says by itself that it is over.
fn knows_its_end(request: &AccessRequest) -> bool {
    let withdrawn = request.status.as_ref().and_then(|status| status.withdrawn);
    request.phase() == Phase::Closed || withdrawn == Some(true)
}

/// What the broker can't remove, in its words. A grant that someone removed waits for their word, which hinders nothing;
/// what is left of it does.
fn hindrance(request: &AccessRequest) -> Option<String> {
    let closing = request.closing()?;
    let words = if closing.reason == "GrantRemoved" {
        let (_, left) = closing.message.split_once(STILL_THERE)?;
        left.rsplit_once("; waiting for ").map_or(left, |(left, _)| left).replace(STILL_THERE, "; ")
    } else {
        closing.message.clone()
    };
    Some(visible(&words)).filter(|words| !words.is_empty())
}

#[cfg(test)]
#[path = "leaving_tests.rs"]
mod tests;
