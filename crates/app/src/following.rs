//! A request on its way: what the hub says of it, as steps and entries.

use crate::core::{App, Core};
use crate::error::AppError;
use crate::opening::{Changes, cancelled};
use crate::session::{BrokerWord, Session};
use crate::session_record::Wanted;
use futures::StreamExt as _;
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_audit::Action;
use sallyport_hub::Change;
use sallyport_ipc::StepKind;
use sallyport_model::{ClusterName, EndReason, ErrorCode, GrantUid, Phase};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl App {
    /// Follows the request until the broker has sealed a token, showing each step.
    pub(crate) async fn until_active(
        &self,
        session: &Arc<Session>,
        changes: &mut Changes,
        patience: Duration,
    ) -> Result<AccessRequest, AppError> {
        let core = &self.0;
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        let mut told = Told::default();
        loop {
            let change = tokio::select! {
                change = changes.next() => change,
                () = session.cancel.cancelled() => return Err(cancelled()),
                () = &mut deadline => return Err(silent_broker(&session.record().wanted.cluster, patience)),
            };
            for request in objects(change.ok_or_else(|| AppError::failed("the hub's watch ended"))?, core)? {
                core.show_progress(session, &request, &mut told).await;
                match request.phase() {
                    Phase::Closed => return Err(refused_by_broker(session, &request)),
                    _ if request.closing().is_some() => return Err(ended_by_broker(session, &request)),
                    Phase::Active if credential(&request).is_some() => return Ok(request),
                    _ => {}
                }
            }
        }
    }
}

impl Core {
    /// Turns what the hub says of a request into steps and entries, each once.
    async fn show_progress(&self, session: &Session, request: &AccessRequest, told: &mut Told) {
        let Some(status) = &request.status else { return };
        if let Some(offer) = status.offer.as_ref().filter(|_| !std::mem::replace(&mut told.offer, true)) {
            let draft = self
                .draft(Action::Offer, session)
                .detail("digest", &offer.digest)
                .detail("rules", offer.rules.len());
            self.recorder.note(draft).await;
        }
        let phase = request.phase();
        let waits = (phase == Phase::Pending && status.offer.is_some()).then_some(status.approvals.len());
        {
            let mut record = session.record();
            record.waiting_for = waits.and_then(|have| waiting_for(&record.wanted, have));
        }
        if matches!(phase, Phase::Approved | Phase::Active) && !std::mem::replace(&mut told.approved, true) {
            let by = approved_by(request);
            session.record().done(StepKind::Approved, &by);
            session.record().begin(StepKind::Granted);
            self.recorder.note(self.draft(Action::Approved, session).detail("by", &by)).await;
        }
        if phase == Phase::Active && !std::mem::replace(&mut told.granted, true) {
            let account = status.grant.as_ref().map(|g| g.account.clone()).unwrap_or_default();
            {
                let mut record = session.record();
                record.grant = status.grant.as_ref().map(|g| GrantUid::new(g.uid.clone()));
                record.done(StepKind::Granted, &account);
                record.begin(StepKind::Ready);
            }
            self.recorder.note(self.draft(Action::Granted, session).detail("account", &account)).await;
        }
        self.tell_session(session);
    }
}

/// Whom a request waits for, when `have` people said yes; nobody when it needs nobody.
fn waiting_for(wanted: &Wanted, have: usize) -> Option<String> {
    let missing = usize::from(wanted.approvals).saturating_sub(have);
    let noun = if missing == 1 { "approval" } else { "approvals" };
    (missing > 0).then(|| format!("waiting for {missing} {noun} under {}", wanted.profile))
}

/// What was told already.
#[derive(Default)]
struct Told {
    offer: bool,
    approved: bool,
    granted: bool,
}

fn silent_broker(cluster: &ClusterName, patience: Duration) -> AppError {
    AppError::new(
        ErrorCode::TimedOut,
        format!("the broker of {cluster} did not answer within {} s", patience.as_secs()),
    )
    .hint("The request was taken back. Try again, or tell your admin that the broker is silent.")
    .retry()
}

fn refused_by_broker(session: &Session, request: &AccessRequest) -> AppError {
    let word = broker_word(request);
    session.closed_by_broker.send_replace(Some(word.clone()));
    let code = if word.reason == EndReason::Denied { ErrorCode::Forbidden } else { ErrorCode::Failed };
    let error = AppError::new(code, word.message);
    // Where the broker says what to ask for instead, the same again would fail again.
    if word.reason == EndReason::Failed && !error.message().contains("; ask again ") {
        error.hint("Try again; if it stays so, tell your admin.").retry()
    } else {
        error
    }
}

/// Over before it was open, and not closed yet: the broker's word that it is gone is still waited for.
fn ended_by_broker(session: &Session, request: &AccessRequest) -> AppError {
    session.ended_elsewhere.store(true, Ordering::Relaxed);
    AppError::failed(broker_word(request).message).hint("Try again; if it stays so, tell your admin.").retry()
}

/// Why and by whom a request is over, as the broker wrote it. While it is closing and how it ends is not decided, its
/// grant was removed by someone.
pub(crate) fn broker_word(request: &AccessRequest) -> BrokerWord {
    let (status, closing) = (request.status.clone().unwrap_or_default(), request.closing());
    let ended = status.conditions.iter().find(|c| c.type_ == CONDITION_ENDED);
    let reason = match ended.map(|c| c.reason.as_str()) {
        Some("Left") => EndReason::Left,
        Some("Expired") => EndReason::Expired,
        Some("Revoked") => EndReason::Revoked,
        Some("Denied") => EndReason::Denied,
        Some("Unanswered") => EndReason::Unanswered,
        None if closing.is_some() => EndReason::Revoked,
        _ => EndReason::Failed,
    };
    let said = ended.or(closing).map(|c| c.message.clone()).filter(|m| !m.is_empty()).or(status.message);
    BrokerWord {
        reason,
        message: said.unwrap_or_else(|| "the broker closed it".to_owned()),
        by: status.revocation.map(|r| r.by).or(status.denial.map(|d| d.by)),
    }
}

fn approved_by(request: &AccessRequest) -> String {
    let names: Vec<&str> = request
        .status
        .as_ref()
        .map(|s| s.approvals.iter().map(|a| a.by.as_str()).collect())
        .unwrap_or_default();
    if names.is_empty() { "by rule: no approval needed".into() } else { format!("by {}", names.join(", ")) }
}

pub(crate) fn credential(request: &AccessRequest) -> Option<&str> {
    request.status.as_ref().and_then(|s| s.credential.as_deref()).filter(|c| !c.is_empty())
}

/// The objects a change brings, and the hub's state on the way.
pub(crate) fn objects(change: Change<AccessRequest>, core: &Core) -> Result<Vec<AccessRequest>, AppError> {
    match change {
        Change::All { objects, .. } => Ok(objects),
        Change::Put(object) => Ok(vec![object]),
        Change::Malformed(what, _) => Err(AppError::failed(what.to_string()).hint("Tell your admin.")),
        Change::Deleted(_) => Err(AppError::failed("the request was deleted on the hub").hint("Ask again.")),
        Change::Trouble(fault) => {
            core.hub_is(sallyport_ipc::HubLink::Down, Some(fault.to_string()));
            Ok(Vec::new())
        }
    }
}
