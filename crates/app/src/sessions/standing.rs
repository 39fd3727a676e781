//! How a session stands, in the few words that somebody who looks elsewhere may want to be told. Pure.

use super::record::Record;
use super::word::BY_ITSELF;
use sallyport_ipc::{Ended, ProofState, Shown};
use sallyport_model::SessionState;
use std::time::{Duration, Instant};

/// One session as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) id: String,
    /// As what a person knows it: what is to extend a session is that session.
    pub(crate) shown_as: String,
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
        let by_people = |by: &&Shown| record.choice.approvals > 0 && !by.starts_with(BY_ITSELF);
        let is_closed = matches!(record.state, SessionState::Closed(_));
        let is_unproven = is_closed && view.proof.iter().any(|line| line.state == ProofState::Unproven);
        let left = record.deadline.filter(|_| record.state == SessionState::Open);
        Self {
            approved: record.approved().filter(by_people).cloned(),
            left: left.map(|end| end.saturating_duration_since(Instant::now())),
            unvouched: view.vouching.and_then(|word| word.overdue),
            is_unproven,
            shown_as: view.extends.filter(|_| !is_unproven).unwrap_or_else(|| view.id.clone()),
            id: view.id,
            cluster: view.cluster,
            profile: view.profile,
            ended: view.ended.filter(|_| !record.gave_way),
        }
    }
}
