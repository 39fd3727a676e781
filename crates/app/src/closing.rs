//! Leaving: cut, remove and prove, at once and none waiting for another. Nothing here turns green without a probe
//! (promise P13).

use crate::core::App;
use crate::error::AppError;
use crate::leaving::is_over;
use crate::session::{Held, Session, Told};
use sallyport_audit::Action;
use sallyport_gateway::CutReason;
use sallyport_ipc::{ProofKind, ProofState};
use sallyport_model::{EndReason, ErrorCode, SessionEvent, SessionState};
use std::sync::Arc;
use std::time::Duration;

/// How long after an end that was not shown it is looked at again, twice as long each time.
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
                // The second stage takes up to the API server's 10 s; quitting waits for the first only, and until the
                // hub was told once: nobody can tell it afterwards.
                while !first_stage_over(&session) || *session.told.borrow() == Told::NotTried {
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
        // The rights wait for nothing: not for a disk that keeps the entry, not for a terminal, not for the hub.
        tokio::join!(
            self.note_end(session, reason, by, message),
            self.cut(session, why),
            self.end_rights(session)
        );
        session.record().apply(SessionEvent::Proven);
        core.recorder
            .note(core.draft(Action::SessionClosed, session).detail("reason", reason.to_string()))
            .await;
        core.tell_session(session);
        core.clusters_changed.notify_one();
        self.until_over(session).await;
        *session.held() = None::<Held>;
    }

    /// Goes on ending the rights and looking, for as long as the app runs, when broker or cluster were away just then:
    /// nobody else would before the next start, and the rights would stay until their end.
    async fn until_over(&self, session: &Arc<Session>) {
        let mut pause = AGAIN;
        while !is_over(session) {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.0.stop.cancelled() => return,
            }
            pause = (pause * 2).min(AGAIN_AT_MOST);
            session.record().look_again();
            self.end_rights(session).await;
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
}

async fn remove_kubeconfig(session: &Session) -> Result<&'static str, String> {
    let kubeconfig = session.held().as_mut().and_then(|h| h.kubeconfig.take());
    let Some(file) = kubeconfig else { return Ok("there was none") };
    match tokio::task::spawn_blocking(move || file.remove()).await {
        Ok(removed) => removed.map(|()| "nothing of it was elsewhere").map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    }
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
