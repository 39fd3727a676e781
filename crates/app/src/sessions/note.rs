//! What is written down of a session before anything exists, so that the next start finds whatever a crash leaves
//! (promise P14).

use super::Sessions;
use crate::desk::{AppError, now_ms};
use jiff::Timestamp;
use sallyport_hub::Ask;
use sallyport_model::RequestUid;
use sallyport_store::{OpenSession, Opening, Reason};

impl Sessions {
    /// Writes it down; the note goes by the request's name.
    pub(super) async fn note_before_asking(&self, ask: &Ask, name: &str, hub: &str) -> Result<(), AppError> {
        let noted = OpenSession {
            request: RequestUid::new(name),
            hub: hub.to_owned(),
            namespace: ask.team.clone(),
            name: name.to_owned(),
            cluster: ask.terms.cluster.clone(),
            kubeconfig: self.desk.dirs.runtime.clone(),
            solo: false,
            end: None,
            opened_at: now_ms() / 1000,
        };
        let kept = self.desk.prefs.note_session(noted).await;
        kept.map_err(|e| {
            AppError::failed("the session could not be written down, so nothing was asked")
                .hint("Check that the disk is not full.")
                .because(e)
        })
    }

    /// Forgets what was written down: nothing was made, or it is proven gone.
    pub(super) async fn forget_note(&self, name: &str) {
        if let Err(error) = self.desk.prefs.forget_session(RequestUid::new(name)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a session's note was not forgotten");
        }
    }
}

impl super::owner::Owner {
    /// Remembers how the cluster was opened, and why, for the next click. Nothing waits for it.
    pub(super) fn remember(&self) {
        let (sessions, at) = (self.sessions.clone(), Timestamp::now().as_second());
        let choice = self.session.read(|record| record.choice.clone());
        tokio::spawn(async move {
            let prefs = &sessions.desk.prefs;
            let opening = Opening {
                profile: choice.terms.profile,
                scope: choice.terms.scope,
                duration: choice.terms.duration,
                at,
            };
            let reason = Reason { text: choice.terms.reason, at };
            let kept = [
                prefs.remember_opening(choice.terms.cluster.clone(), opening).await,
                prefs.visited(choice.terms.cluster, at).await,
                if reason.text.is_empty() { Ok(()) } else { prefs.remember_reason(reason).await },
            ];
            for error in kept.into_iter().filter_map(Result::err) {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "this opening was not remembered");
            }
            sessions.remembered.notify_one();
        });
    }
}
