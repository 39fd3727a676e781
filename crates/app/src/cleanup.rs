//! What an earlier run left: files go at once, requests as soon as their person is signed in again. A session is never
//! resumed; its token died with the process (promise P14).

use crate::core::{App, Signed};
use crate::session::Told;
use kube::Api;
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::{Fault, within};
use sallyport_hub::{Hub, Refused, Which};
use sallyport_ipc::{Cleanup, CleanupProof};
use sallyport_model::{NamespaceName, Phase, SessionState};
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
        let programs = core.dirs.programs();
        let sweep = move || -> std::io::Result<Vec<Swept>> {
            let mut swept = sallyport_terminal::sweep(&runtime)?;
            swept.extend(sallyport_terminal::sweep(&programs)?);
            Ok(swept)
        };
        let swept = tokio::task::spawn_blocking(sweep).await;
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

    /// Takes up what waits for people, and withdraws what was left open, now that someone is signed in; waits for the
    /// broker's word.
    pub(crate) fn clean_up_with(&self, signed: Signed) {
        let app = self.clone();
        tokio::spawn(async move {
            let live: Vec<String> = app
                .0
                .all_sessions()
                .iter()
                // One that is closed and whose end the hub does not know yet is told by its own task.
                .filter(|s| !matches!(s.state(), SessionState::Closed(_)) || *s.told.borrow() != Told::Yes)
                .filter_map(|s| s.which.borrow().as_ref().map(|w| w.name.clone()))
                .collect();
            let left = match app.0.prefs.open_sessions().await {
                Ok(left) => left,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "what was left open can't be read"
                    );
                    return;
                }
            };
            let mut all_over = true;
            for session in left.into_iter().filter(|s| !live.contains(&s.name)) {
                if signed.stop.is_cancelled() {
                    return;
                }
                all_over &= app.end_or_take_up(&signed, &session).await;
            }
            if all_over && !signed.stop.is_cancelled() {
                app.forget_stray_keys().await;
            }
        });
    }

    /// False when it could not be told what became of it.
    async fn end_or_take_up(&self, signed: &Signed, session: &OpenSession) -> bool {
        // Another hub knows nothing of it, whatever it says.
        if !session.hub.is_empty() && session.hub != signed.hub_url {
            let why =
                "it is on the hub of another team; it ends when its person signs in there, or by itself";
            self.say(&left_open(session), CleanupProof::Unproven { why: why.into() }).await;
            return false;
        }
        let found = request_named(&signed.hub, &session.namespace, &session.name, self.0.options.deadline);
        let request = match found.await {
            Ok(Some(request)) => request,
            Ok(None) => {
                // It was noted before it was asked, and never was.
                self.unsay(&left_open(session));
                self.0.forget_note(&session.name).await;
                return true;
            }
            Err(fault) => {
                let why = format!("the hub: {fault}");
                self.say(&left_open(session), CleanupProof::Unproven { why }).await;
                return false;
            }
        };
        if self.take_up(signed, &request).await {
            self.unsay(&left_open(session));
            return true;
        }
        let waited = matches!(request.phase(), Phase::Pending | Phase::Approved)
            && request.spec.user == signed.who.user.as_str();
        let proof = self.finish(signed, &request).await;
        let over = !matches!(proof, CleanupProof::Unproven { .. });
        let what = if waited && over {
            self.unsay(&left_open(session));
            left_waiting(session)
        } else {
            left_open(session)
        };
        self.say(&what, proof).await;
        if over {
            self.0.forget_note(&session.name).await;
        }
        over
    }

    async fn finish(&self, signed: &Signed, request: &AccessRequest) -> CleanupProof {
        let unproven = |why: String| CleanupProof::Unproven { why };
        if request.phase() == Phase::Closed {
            return CleanupProof::ByBroker;
        }
        let which = match Which::of(request) {
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

    /// Takes a line back that turned out to be about something else.
    fn unsay(&self, what: &str) {
        self.0.shared().cleanup.retain(|line| line.what != what);
        self.0.tell_state();
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

/// A team's request by its name, if there is one.
pub(crate) async fn request_named(
    hub: &Hub,
    team: &NamespaceName,
    name: &str,
    deadline: Duration,
) -> Result<Option<AccessRequest>, Fault> {
    let requests: Api<AccessRequest> = Api::namespaced(hub.client().clone(), team.as_str());
    match within(deadline, requests.get(name)).await {
        Ok(found) => Ok(Some(found)),
        Err(Fault::NotFound) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn left_open(session: &OpenSession) -> String {
    let at = jiff::Timestamp::from_second(session.opened_at)
        .map(|t| t.strftime("%H:%M UTC").to_string())
        .unwrap_or_default();
    format!("A session on {} of {at} was left open", session.cluster)
}

fn left_waiting(session: &OpenSession) -> String {
    format!(
        "A request for {} that waited for approval was taken back: its key was not kept, so nothing could open it",
        session.cluster
    )
}

fn swept_sentence(swept: &Swept) -> String {
    match swept {
        Swept::Kubeconfig(_) => "A private kubeconfig of an earlier run was removed".into(),
        Swept::Terminal(_) => "A terminal's files of an earlier run were removed".into(),
    }
}
