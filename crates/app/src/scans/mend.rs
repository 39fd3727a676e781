//! Making a fix through a session that the person has open: tried on the API server first, and made once, on their word.
//!
//! What goes through here is a [`WorkloadCall`], a field of a workload. There is no way from any other change to one, so that no
//! session changes rights, admission or namespaces (promise P11); that the API server refuses those is promise P11's own.

use super::Scans;
use super::detail::{failed, found, gone};
use super::proposed::for_a_session;
use super::visit::inside;
use crate::desk::{AppError, now_ms};
use crate::person::Signed;
use crate::sessions::{Record, Session};
use sallyport_audit::{Action, Outcome};
use sallyport_client::{Fault, Sending, Timeouts, send};
use sallyport_ipc::{FixApplied, FixMade, FixTrial, FixTried, Shown};
use sallyport_model::{ClusterName, ErrorCode, NameError, SessionState};
use sallyport_posture::change::{Refused, WorkloadCall};
use sallyport_posture::{Ground, fix};
use sallyport_rbac::{Ask, allows};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// What was tried and would be taken.
pub(super) struct Tried {
    id: String,
    session: Arc<Session>,
    calls: Vec<WorkloadCall>,
}

/// What came of a request.
enum Came {
    Taken,
    Refused(Refused),
    /// No answer: it may have been taken.
    NoAnswer(Fault),
    /// The session ended before there was one.
    Ended,
}

impl Scans {
    /// Tries a finding's fix on the API server, through a session that this person has open there and that may do it. The API
    /// server keeps nothing of it.
    ///
    /// # Errors
    /// When the finding is not there, no session may make its fix, or there was no answer.
    pub(crate) async fn fix_try(&self, cluster: String, finding: String) -> Result<FixTrial, AppError> {
        let signed = self.person.signed()?;
        let name: ClusterName =
            cluster.parse().map_err(|e: NameError| AppError::new(ErrorCode::BadInput, e.to_string()))?;
        self.put(None);
        let calls = self.workload_calls(&signed, &cluster, finding).await?;
        let open = self.sessions.open_for(&signed.workspace, &signed.who.user, &name);
        let Some(session) = open.iter().find(|session| calls.iter().all(|call| may(session, call))) else {
            return Ok(self.no_session(&signed, &name, &calls, open.len()).await);
        };
        let session_id = Some(session.id.to_string());
        let mut said = String::new();
        for (call, came) in calls.iter().zip(self.exchange(session, &calls, true).await?) {
            let state = match came {
                Came::Taken => continue,
                Came::Refused(refused) => {
                    said = refused.to_string();
                    FixTried::Refused
                }
                Came::NoAnswer(fault) => {
                    let what = call.call().said();
                    return Err(AppError::new(
                        ErrorCode::Unreachable,
                        format!("it was not tried: {what}: {fault}"),
                    )
                    .hint("Nothing was changed. Try again.")
                    .retry());
                }
                Came::Ended => return Err(ended("Nothing was changed.")),
            };
            return Ok(FixTrial {
                id: None,
                session: session_id,
                state,
                said: said.into(),
                profiles: Vec::new(),
            });
        }
        let id = uuid::Uuid::now_v7().to_string();
        said.push_str("The API server would take it, and its admission with it.");
        self.put(Some(Tried { id: id.clone(), session: session.clone(), calls }));
        let (state, profiles) = (FixTried::Taken, Vec::new());
        Ok(FixTrial { id: Some(id), session: session_id, state, said: said.into(), profiles })
    }

    /// Makes what was tried, the one with this id and no other, and once.
    ///
    /// # Errors
    /// When it was not tried, or its session is not open any more: nothing was sent then.
    pub(crate) async fn fix_apply(&self, trial: String) -> Result<FixApplied, AppError> {
        let signed = self.person.signed()?;
        let tried = self.take(&trial).ok_or_else(|| {
            AppError::new(ErrorCode::BadInput, "this is not what was tried last, or it was applied already")
                .hint("Try it again: that changes nothing.")
        })?;
        let cluster = tried.session.read(|record| record.choice.terms.cluster.clone());
        let open = self.sessions.open_for(&signed.workspace, &signed.who.user, &cluster);
        if !open.iter().any(|session| session.id == tried.session.id) {
            return Err(ended("Nothing was changed."));
        }
        let came = self.exchange(&tried.session, &tried.calls, false).await?;
        let mut applied = FixApplied { at: now_ms(), made: FixMade::Applied, said: Shown::default() };
        for (call, came) in tried.calls.iter().zip(&came) {
            let call = call.call();
            let (outcome, made, said) = match came {
                Came::Taken => (Outcome::Ok, FixMade::Applied, String::new()),
                Came::Refused(refused) => (Outcome::Refused, FixMade::Refused, refused.to_string()),
                Came::NoAnswer(fault) => (Outcome::Unknown, FixMade::Unknown, format!("no answer: {fault}")),
                Came::Ended => {
                    (Outcome::Unknown, FixMade::Unknown, "the session ended before the answer".to_owned())
                }
            };
            let draft = tried.session.draft(Action::FixApplied).outcome(outcome).detail("what", call.said());
            let draft = if said.is_empty() { draft } else { draft.detail("why", said.as_str()) };
            self.history.note(draft).await;
            (applied.made, applied.said) = (made, said.into());
        }
        Ok(applied)
    }

    /// What a finding's fix is for a session; an error where no session may make it.
    async fn workload_calls(
        &self,
        signed: &Signed,
        cluster: &str,
        finding: String,
    ) -> Result<Vec<WorkloadCall>, AppError> {
        let open = self.open(signed).await?;
        let reading = self.reading(&open, cluster).await?;
        let looked = tokio::task::spawn_blocking(move || {
            let snapshot = reading.snapshot();
            let ground = Ground::new(&snapshot);
            let report = ground.report();
            let (_, found) = found(&report, &finding)?;
            let proposed =
                fix::Trial::of(&ground, &report).propose(found, None, None).fixes.into_iter().next()?;
            Some(for_a_session(&proposed, &snapshot))
        });
        looked.await.map_err(|e| failed().because(e))?.ok_or_else(gone)?
    }

    /// Which profiles would do, where no session that is open does.
    async fn no_session(
        &self,
        signed: &Signed,
        cluster: &ClusterName,
        calls: &[WorkloadCall],
        open: usize,
    ) -> FixTrial {
        let right = calls.first().map(right).unwrap_or_default();
        let said = match open {
            0 => format!("None of your sessions is open on {cluster}; it takes one that may {right}."),
            _ => format!("None of your open sessions on {cluster} may {right}."),
        };
        let mut profiles = Vec::new();
        if let Some(call) = calls.first() {
            let (ask, namespace) = question(call);
            let known =
                self.inventory.profiles_that(signed, cluster, namespace, ask).await.unwrap_or_default();
            profiles.extend(known.iter().map(|name| Shown::from(name.as_str())));
        }
        FixTrial { id: None, session: None, state: FixTried::NoSession, said: said.into(), profiles }
    }

    /// Sends each once and in order, through the session's gateway, which makes an entry of each; up to the first that was not
    /// taken.
    async fn exchange(
        &self,
        session: &Arc<Session>,
        calls: &[WorkloadCall],
        trial: bool,
    ) -> Result<Vec<Came>, AppError> {
        let way_in = session.way_in().ok_or_else(|| ended("Nothing was changed."))?;
        let client = inside(&way_in, Timeouts { connect: self.desk.options.deadline, answer: ANSWER })?;
        let mut all = Vec::new();
        for call in calls.iter().map(WorkloadCall::call) {
            let (path, body) = (call.path(trial), call.body(trial));
            let (method, content_type) = (call.method(), call.content_type());
            let sending = Sending { method, path: &path, content_type, body: &body, agent: None };
            let closing =
                |record: &Record| matches!(record.state, SessionState::Closing(_) | SessionState::Closed(_));
            let came = tokio::select! {
                biased;
                answer = send(&client, sending, ANSWER) => match answer {
                    Ok((status, body)) => call.answered(status, &body).map_or_else(Came::Refused, |()| Came::Taken),
                    // The gateway was shut under it.
                    Err(_) if session.read(closing) => Came::Ended,
                    Err(fault) => Came::NoAnswer(fault),
                },
                () = session.until(closing) => Came::Ended,
            };
            let goes_on = matches!(came, Came::Taken);
            all.push(came);
            if !goes_on {
                break;
            }
        }
        Ok(all)
    }

    fn put(&self, tried: Option<Tried>) {
        *self.tried.lock().unwrap_or_else(PoisonError::into_inner) = tried;
    }

    /// Takes it out, so that nobody makes it twice.
    fn take(&self, id: &str) -> Option<Tried> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).take_if(|tried| tried.id == id)
    }
}

/// `patch deployments.apps in payments`.
fn right(call: &WorkloadCall) -> String {
    let (verb, resource) = call.call().right();
    format!("{verb} {resource} in {}", call.call().object().namespace.as_deref().unwrap_or_default())
}

fn question(call: &WorkloadCall) -> (Ask<'_>, &str) {
    let call = call.call();
    let kind = call.kind();
    let name = call.object().name.as_str();
    let (group, resource) = (kind.group(), kind.plural());
    let ask = Ask::Resource { verb: "patch", group, resource, subresource: "", name };
    (ask, call.object().namespace.as_deref().unwrap_or_default())
}

/// Whether what was granted would do; the API server decides.
fn may(session: &Arc<Session>, call: &WorkloadCall) -> bool {
    let (ask, namespace) = question(call);
    let is_there = session.read(|record| record.given.scope.holds(namespace));
    is_there && session.way_in().is_some_and(|way_in| allows(&way_in.rules, ask))
}

fn ended(what: &str) -> AppError {
    AppError::failed("the session is not open any more")
        .hint(format!("{what} Open the cluster again, and try it again."))
}
