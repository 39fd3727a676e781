//! How a session stands, in the few words that somebody who looks elsewhere may want to be told. Pure.

use super::record::Record;
use sallyport_ipc::{Ended, ProofState, Shown, StepKind, StepState};
use sallyport_model::SessionState;
use std::time::{Duration, Instant};

/// One session as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) id: String,
    pub(crate) cluster: Shown,
    pub(crate) profile: Shown,
    /// Who said yes, where people had to: "by oidc:lee".
    pub(crate) approved: Option<Shown>,
    /// How long it stays open.
    pub(crate) left: Option<Duration>,
    /// Why the provider's word for the person is overdue, while it is.
    pub(crate) unvouched: Option<Shown>,
    /// Why and by whom it ended.
    pub(crate) ended: Option<Ended>,
    /// It is closed, and something of its end was not shown.
    pub(crate) is_unproven: bool,
}

impl Standing {
    pub(super) fn of(record: &Record) -> Self {
        let view = record.view();
        let approved = |step: &&sallyport_ipc::Step| {
            step.kind == StepKind::Approved && step.state == StepState::Done && record.choice.approvals > 0
        };
        let is_closed = matches!(record.state, SessionState::Closed(_));
        let left = record.deadline.filter(|_| record.state == SessionState::Open);
        Self {
            approved: view.steps.iter().find(approved).map(|step| step.detail.clone()),
            left: left.map(|end| end.saturating_duration_since(Instant::now())),
            unvouched: view.vouching.and_then(|word| word.overdue),
            is_unproven: is_closed && view.proof.iter().any(|line| line.state == ProofState::Unproven),
            id: view.id,
            cluster: view.cluster,
            profile: view.profile,
            ended: view.ended,
        }
    }
}
