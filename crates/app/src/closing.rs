//! Leaving: cut first, then remove, then prove. Nothing here turns green without a probe (promise P13).

use crate::cleanup::request_named;
use crate::core::App;
use crate::error::AppError;
use crate::session::{Held, Session};
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::Fault;
use sallyport_gateway::CutReason;
use sallyport_hub::{Hub, Refused, Which};
use sallyport_ipc::{ProofKind, ProofState};
use sallyport_model::{EndReason, ErrorCode, SessionEvent, SessionState};
use sallyport_provision::{Proof, Witness};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the first probe may look for a refusal.
const RIGHTS_GONE: Duration = Duration::from_secs(10);
/// How long the second may: the API server caches a token for 10 s.
const TOKEN_REFUSED: Duration = Duration::from_secs(14);
/// How long the broker's word is waited for.
const BROKER_WORD: Duration = Duration::from_secs(15);

/// How long after an end that was not confirmed the hub is told again, twice as long each time.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);

const LINES: [ProofKind; 6] = [
    ProofKind::StreamsCut,
    ProofKind::TerminalsEnded,
    ProofKind::KubeconfigDeleted,
    ProofKind::RightsGone,
    ProofKind::AccountRemoved,
    ProofKind::TokenRefused,
];

impl App {
    /// Leaves a session, or gives up one that is opening. Returns once streams are cut; the proof goes on and is told.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn session_leave(&self, id: String) -> Result<(), AppError> {
        let session = self.0.session(&id).ok_or_else(|| {
            AppError::new(ErrorCode::SessionClosed, "there is no such session")
                .hint("It may have been closed already.")
        })?;
        match session.state() {
            SessionState::Opening => self.give_up(&session).await,
            SessionState::Open => {
                let app = self.clone();
                tokio::spawn(async move {
                    app.close(&session, EndReason::Left, CutReason::Left, None, None).await
                });
            }
            SessionState::Closing(_) | SessionState::Closed(_) => {}
        }
        Ok(())
    }

    /// Ends every session; returns when each has its first proof, or after `within`.
    pub(crate) async fn close_all(&self, why: CutReason, within: Duration) {
        let mut sessions = self.0.all_sessions();
        // A request that waits for people is left alone when the app ends: the next start takes it up again.
        sessions.retain(|session| why != CutReason::Quit || !session.waits_on());
        let closings = sessions.into_iter().map(|session| {
            let app = self.clone();
            async move {
                if session.state() == SessionState::Opening {
                    app.give_up(&session).await;
                }
                if matches!(session.state(), SessionState::Opening | SessionState::Open) {
                    let (app, closing) = (app.clone(), session.clone());
                    tokio::spawn(async move { app.close(&closing, EndReason::Left, why, None, None).await });
                }
                // The second stage takes up to the API server's 10 s; quitting waits for the first only.
                while !first_stage_over(&session) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        });
        if tokio::time::timeout(within, futures::future::join_all(closings)).await.is_err() {
            tracing::warn!(
                "not every session's end was proven within {} s; the next start finishes it",
                within.as_secs()
            );
        }
    }

    /// Ends one session, whoever wants it: once.
    pub(crate) async fn close(
        &self,
        session: &Arc<Session>,
        reason: EndReason,
        why: CutReason,
        by: Option<&str>,
        message: Option<&str>,
    ) {
        let core = &self.0;
        {
            let mut record = session.record();
            if !record.apply(SessionEvent::End(reason)) {
                record.ended_by(reason, by, message);
                return;
            }
            record.begin_closing(reason, by, message, &LINES);
        }
        core.clusters_changed.notify_one();
        self.note_end(session, reason, by, message).await;
        let ((), told) = tokio::join!(self.cut(session, why), self.withdraw(session));
        self.prove(session, told).await;
        session.record().apply(SessionEvent::Proven);
        core.recorder
            .note(core.draft(Action::SessionClosed, session).detail("reason", reason.to_string()))
            .await;
        core.tell_session(session);
        core.clusters_changed.notify_one();
        self.until_over(session).await;
        *session.held() = None::<Held>;
    }

    /// Goes on telling the hub and looking, for as long as the app runs, when hub, broker or cluster were away just
    /// then: nobody else would before the next start, and the rights would stay until their end.
    async fn until_over(&self, session: &Arc<Session>) {
        let mut pause = AGAIN;
        while !is_over(session) {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.0.stop.cancelled() => return,
            }
            pause = (pause * 2).min(AGAIN_AT_MOST);
            session.record().look_again();
            let told = self.withdraw(session).await;
            self.prove(session, told).await;
        }
    }

    async fn note_end(&self, session: &Session, reason: EndReason, by: Option<&str>, message: Option<&str>) {
        let action = match reason {
            EndReason::Left => Action::Leave,
            EndReason::Expired => Action::Expired,
            EndReason::Revoked => Action::Revoked,
            EndReason::Denied => Action::Denied,
            EndReason::Unanswered => Action::Unanswered,
            EndReason::Failed => return,
        };
        let mut draft = self.0.draft(action, session);
        if let Some(by) = by {
            draft = draft.detail("by", by);
        }
        if let Some(message) = message {
            draft = draft.detail("why", message);
        }
        self.0.recorder.note(draft).await;
    }

    /// What is on this machine: streams, terminals, the private kubeconfig.
    async fn cut(&self, session: &Arc<Session>, why: CutReason) {
        let core = &self.0;
        let report = core.gateway.cut(&session.id, why).await;
        let (streams, ms) = report.as_ref().map_or((0, 0), |r| (r.streams.len(), r.took.as_millis() as u64));
        session.record().prove(
            ProofKind::StreamsCut,
            ProofState::Done,
            match streams {
                0 => "none was open".to_owned(),
                1 => format!("1 stream, in {ms} ms"),
                n => format!("{n} streams, in {ms} ms"),
            },
        );
        core.tell_session(session);
        core.recorder
            .note(core.draft(Action::Cut, session).detail("streams", streams).detail("ms", ms))
            .await;
        let (state, detail) = self.end_terminals(session).await.proven();
        session.record().prove(ProofKind::TerminalsEnded, state, detail);
        let (state, detail) = remove_kubeconfig(session)
            .await
            .map_or_else(|why| (ProofState::Unproven, why), |ok| (ProofState::Done, ok.to_owned()));
        session.record().prove(ProofKind::KubeconfigDeleted, state, detail);
        core.tell_session(session);
    }

    /// Shuts what an opening that came too late has opened all the same.
    pub(crate) async fn uncover(&self, session: &Session) {
        drop(self.0.gateway.cut(&session.id, CutReason::Failed).await);
        if let Err(why) = remove_kubeconfig(session).await {
            tracing::warn!(session = %session.id, "a private kubeconfig could not be removed: {why}");
        }
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
        let Some((team, name)) = session.asked_as() else { return Ok(None) };
        let found = request_named(&self.hub_of(session), &team, &name, self.0.options.deadline).await?;
        let which = found.map(|request| Which::of(&request)).transpose()?;
        if let Some(which) = &which {
            session.record().request = Some(which.uid.clone());
            session.which.send_replace(Some(which.clone()));
        }
        Ok(which)
    }

    /// Tells the hub once, unless the broker closed it already. False when it may take it a little later: it is down,
    /// it just started, or nobody is signed in who could tell it.
    async fn withdraw(&self, session: &Session) -> bool {
        if session.closed_by_broker.borrow().is_some() {
            return true;
        }
        let told = match self.request_of(session).await {
            Ok(None) => return true,
            Ok(Some(which)) => self.hub_of(session).withdraw(&which).await.map(drop),
            Err(fault) => Err(Refused::Fault(fault)),
        };
        match told {
            Ok(()) | Err(Refused::Fault(Fault::NotFound)) => true,
            Err(Refused::Fault(fault)) => {
                tracing::warn!(session = %session.id, "the hub was not told yet: {fault}");
                false
            }
            Err(refused) => {
                tracing::warn!(session = %session.id, "the hub did not take the end: {refused}");
                true
            }
        }
    }

    /// Both stages, past the gateway; the broker's word beside them.
    async fn prove(&self, session: &Arc<Session>, told: bool) {
        let core = &self.0;
        let probe = session.held().as_ref().map(|h| (h.target.clone(), h.token.clone(), h.witness.clone()));
        let broker = self.broker_word(session.clone(), told);
        let probes = async {
            match probe {
                None => self.nothing_was_given(session).await,
                Some((_, _, None)) => self.no_witness(session).await,
                Some((target, token, Some(witness))) => {
                    session.record().prove(ProofKind::RightsGone, ProofState::Running, "");
                    let began = Instant::now();
                    let gone = witness.rights_gone(&target, &token, RIGHTS_GONE).await;
                    self.conclude(session, ProofKind::RightsGone, Action::RightsGone, &witness, gone, began)
                        .await;
                    session.record().prove(ProofKind::TokenRefused, ProofState::Running, "");
                    core.tell_session(session);
                    let refused = witness.token_refused(&target, &token, TOKEN_REFUSED).await;
                    self.conclude(
                        session,
                        ProofKind::TokenRefused,
                        Action::TokenRefused,
                        &witness,
                        refused,
                        began,
                    )
                    .await;
                }
            }
        };
        tokio::join!(probes, broker);
        self.forget_when_over(session).await;
    }

    async fn conclude(
        &self,
        session: &Session,
        kind: ProofKind,
        action: Action,
        witness: &Witness,
        proof: Proof,
        began: Instant,
    ) {
        let core = &self.0;
        let ms = began.elapsed().as_millis() as u64;
        let draft: Draft = match &proof {
            Proof::Proven(proven) => {
                session.record().prove(
                    kind,
                    ProofState::Done,
                    format!("{} answered {} itself", proven.by, proven.status),
                );
                core.draft(action, session)
                    .detail("status", proven.status)
                    .detail("by", &proven.by)
                    .detail("ms", ms)
            }
            Proof::Unproven { why } => {
                session.record().prove(kind, ProofState::Unproven, why);
                core.draft(Action::ProofUnproven, session)
                    .outcome(Outcome::Unknown)
                    .detail("stage", action.as_str())
                    .detail("why", why)
            }
        };
        core.recorder.note(draft.detail("path", witness.path())).await;
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

    async fn no_witness(&self, session: &Session) {
        let why = "no call was seen to be allowed, so none can be seen to be refused";
        {
            let mut record = session.record();
            record.prove(ProofKind::RightsGone, ProofState::Unproven, why);
            record.prove(ProofKind::TokenRefused, ProofState::Unproven, why);
        }
        let draft = self
            .0
            .draft(Action::ProofUnproven, session)
            .outcome(Outcome::Unknown)
            .detail("stage", "both")
            .detail("why", why);
        self.0.recorder.note(draft).await;
        self.0.tell_session(session);
    }

    /// Tells the hub if it was not, and waits until it shows the request closed: bindings and ServiceAccount are gone,
    /// says the broker.
    async fn broker_word(&self, session: Arc<Session>, mut told: bool) {
        let core = &self.0;
        session.record().prove(ProofKind::AccountRemoved, ProofState::Running, "");
        let word = async {
            let mut pause = Duration::from_millis(200);
            while !told {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
                told = self.withdraw(&session).await;
            }
            let which = session.which.borrow().clone();
            match which {
                None => Word::NothingAsked,
                Some(which) => self.hear_broker(&session, &which).await,
            }
        };
        let word = tokio::time::timeout(BROKER_WORD, word).await.unwrap_or(Word::Silent);
        let (state, detail) = match word {
            Word::NothingAsked => (ProofState::Done, "nothing was asked for"),
            Word::Closed => {
                (ProofState::Done, "the broker removed bindings, then ServiceAccount, then grant")
            }
            Word::Silent => {
                (ProofState::Unproven, "the broker has not confirmed it yet; it is asked again until it does")
            }
        };
        session.record().prove(ProofKind::AccountRemoved, state, detail);
        if word == Word::Closed {
            core.recorder.note(core.draft(Action::ProvenByBroker, &session)).await;
        }
        core.tell_session(&session);
    }

    async fn hear_broker(&self, session: &Session, which: &Which) -> Word {
        let mut heard = session.closed_by_broker.subscribe();
        let watched = heard.wait_for(Option::is_some);
        // The watch of an opening that failed is gone, so the hub is asked as well.
        let asked = async {
            loop {
                tokio::time::sleep(Duration::from_millis(250)).await;
                if let Ok(request) = self.hub_of(session).request(which).await
                    && request.phase() == sallyport_model::Phase::Closed
                {
                    return;
                }
            }
        };
        tokio::select! {
            heard = watched => if heard.is_ok() { Word::Closed } else { Word::Silent },
            () = asked => Word::Closed,
        }
    }

    /// A session that is proven over needs no cleaning at the next start.
    async fn forget_when_over(&self, session: &Session) {
        let which = session.which.borrow().clone();
        // An ask without an answer, and nothing to be found now: it may still come in, so its note stays.
        let Some(which) = which else { return };
        if is_over(session) {
            self.0.forget_note(&which.name).await;
        }
    }
}

async fn remove_kubeconfig(session: &Session) -> Result<&'static str, String> {
    let kubeconfig = session.held().as_mut().and_then(|h| h.kubeconfig.take());
    let Some(file) = kubeconfig else { return Ok("there was none") };
    match tokio::task::spawn_blocking(move || file.remove()).await {
        Ok(removed) => removed.map(|()| "nothing of it was elsewhere").map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// What is known of the request's end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// There is no request.
    NothingAsked,
    /// The hub shows it closed.
    Closed,
    /// Nothing came in time.
    Silent,
}

/// Whether the broker has confirmed the end, or both probes have.
fn is_over(session: &Session) -> bool {
    // Where no token was opened, or none was seen to work, the probes' lines say nothing of the grant.
    let probed = session.held().as_ref().is_some_and(|held| held.witness.is_some());
    let record = session.record();
    let done = |kind| record.proof_of(kind) == Some(ProofState::Done);
    done(ProofKind::AccountRemoved)
        || (probed && done(ProofKind::RightsGone) && done(ProofKind::TokenRefused))
}

fn first_stage_over(session: &Session) -> bool {
    let record = session.record();
    match record.state {
        SessionState::Closed(_) => true,
        SessionState::Closing(_) => {
            matches!(record.proof_of(ProofKind::RightsGone), Some(ProofState::Done | ProofState::Unproven))
        }
        SessionState::Opening | SessionState::Open => false,
    }
}
