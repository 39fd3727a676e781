//! What an earlier run left: files go at once, requests as soon as their person is signed in again. A session is never
//! resumed; its token died with the process (promise P14).

use crate::core::{App, Signed};
use kube::Api;
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::{Fault, within};
use sallyport_hub::{Refused, Which};
use sallyport_ipc::{Cleanup, CleanupProof};
use sallyport_model::Phase;
use sallyport_store::OpenSession;
use sallyport_terminal::Swept;
use std::time::Duration;

/// How long the broker's word is waited for.
const BROKER_WORD: Duration = Duration::from_secs(20);

impl App {
    /// Removes files an earlier run left, and lists the sessions it left open.
    pub(crate) async fn sweep_at_start(&self) {
        let core = &self.0;
        let runtime = core.dirs.runtime.clone();
        let swept = tokio::task::spawn_blocking(move || sallyport_terminal::sweep(&runtime)).await;
        match swept {
            Ok(Ok(found)) => {
                for what in found.iter().map(swept_sentence) {
                    self.say(&what, CleanupProof::Removed).await;
                }
            }
            Ok(Err(error)) => {
                let why = error.to_string();
                self.say(
                    "Private files of an earlier run could not be removed",
                    CleanupProof::Unproven { why },
                )
                .await;
            }
            Err(error) => tracing::error!("the sweep did not run: {error}"),
        }
        match core.prefs.open_sessions().await {
            Ok(left) => {
                for session in left {
                    let cleanup = Cleanup { what: left_open(&session), proof: CleanupProof::Running };
                    core.shared().cleanup.push(cleanup);
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "what was left open can't be read")
            }
        }
        if let Some(name) = core.prefs.set_aside() {
            self.say(
                &format!("The preferences were damaged; they are kept as {name}"),
                CleanupProof::Removed,
            )
            .await;
        }
        if let Some(name) = core.recorder.history().set_aside() {
            self.say(
                &format!("The history was damaged; it is kept as {name} and a new one began"),
                CleanupProof::Removed,
            )
            .await;
        }
    }

    /// Withdraws what was left open, now that someone is signed in, and waits for the broker's word.
    pub(crate) fn clean_up_with(&self, signed: Signed) {
        let app = self.clone();
        tokio::spawn(async move {
            let live: Vec<String> = app
                .0
                .all_sessions()
                .iter()
                .filter_map(|s| s.which.borrow().as_ref().map(|w| w.name.clone()))
                .collect();
            let left = app.0.prefs.open_sessions().await.unwrap_or_default();
            for session in left.into_iter().filter(|s| !live.contains(&s.name)) {
                let proof = app.finish(&signed, &session).await;
                let over = !matches!(proof, CleanupProof::Unproven { .. });
                app.say(&left_open(&session), proof).await;
                if over && let Err(error) = app.0.prefs.forget_session(session.request.clone()).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a cleaned session was not forgotten"
                    );
                }
            }
        });
    }

    async fn finish(&self, signed: &Signed, session: &OpenSession) -> CleanupProof {
        let unproven = |why: String| CleanupProof::Unproven { why };
        let requests: Api<AccessRequest> =
            Api::namespaced(signed.hub.client().clone(), session.namespace.as_str());
        let found = match within(self.0.options.deadline, requests.get(&session.name)).await {
            Ok(found) => found,
            // It was noted before it was asked, and never was.
            Err(Fault::NotFound) => return CleanupProof::Removed,
            Err(fault) => return unproven(format!("the hub: {fault}")),
        };
        if found.phase() == Phase::Closed {
            return CleanupProof::ByBroker;
        }
        let which = match Which::of(&found) {
            Ok(which) => which,
            Err(fault) => return unproven(fault.to_string()),
        };
        match signed.hub.withdraw(&which).await {
            Ok(_) => {}
            Err(Refused::Forbidden { .. }) => {
                return unproven(
                    "it belongs to someone else; it ends when they sign in here, or by itself".into(),
                );
            }
            Err(refused) => return unproven(refused.to_string()),
        }
        let closed = async {
            while !signed.hub.request(&which).await.is_ok_and(|r| r.phase() == Phase::Closed) {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        };
        match tokio::time::timeout(BROKER_WORD, closed).await {
            Ok(()) => CleanupProof::ByBroker,
            Err(_) => unproven("the broker has not confirmed it yet; the next start asks again".into()),
        }
    }

    /// Shows one leftover and what became of it, and writes it down.
    async fn say(&self, what: &str, proof: CleanupProof) {
        let core = &self.0;
        let (outcome, how) = match &proof {
            CleanupProof::Removed => (Outcome::Ok, "removed here".to_owned()),
            CleanupProof::ByBroker => (Outcome::Ok, "the broker reports it gone".to_owned()),
            CleanupProof::ByProbe => (Outcome::Ok, "the API server refused".to_owned()),
            CleanupProof::Running => (Outcome::Unknown, "under way".to_owned()),
            CleanupProof::Unproven { why } => (Outcome::Unknown, why.clone()),
        };
        {
            let mut shared = core.shared();
            match shared.cleanup.iter_mut().find(|c| c.what == what) {
                Some(known) => known.proof = proof,
                None => shared.cleanup.push(Cleanup { what: what.to_owned(), proof }),
            }
        }
        core.recorder
            .note(Draft::new(Action::CleanupAtStart).outcome(outcome).detail("what", what).detail("why", how))
            .await;
        core.tell_state();
    }
}

fn left_open(session: &OpenSession) -> String {
    let at = jiff::Timestamp::from_second(session.opened_at)
        .map(|t| t.strftime("%H:%M UTC").to_string())
        .unwrap_or_default();
    format!("A session on {} of {at} was left open", session.cluster)
}

fn swept_sentence(swept: &Swept) -> String {
    match swept {
        Swept::Kubeconfig(_) => "A private kubeconfig of an earlier run was removed".into(),
        Swept::Terminal(_) => "A terminal's files of an earlier run were removed".into(),
    }
}
