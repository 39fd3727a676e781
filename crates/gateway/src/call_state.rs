//! What is known of a call while it runs.

use crate::kubectl::KubectlCommand;
use crate::refusal::Tone;
use crate::target::{StreamKind, Target};
use http::Method;
use jiff::Timestamp;
use sallyport_model::AuditId;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// A call's account, counted up while it runs.
pub(crate) struct CallState {
    pub(crate) audit_id: AuditId,
    pub(crate) at: Timestamp,
    pub(crate) began: Instant,
    pub(crate) method: Method,
    pub(crate) tone: Tone,
    pub(crate) path_and_query: String,
    pub(crate) target: Target,
    pub(crate) stream: Option<StreamKind>,
    pub(crate) user_agent: Option<String>,
    pub(crate) kubectl: Option<KubectlCommand>,
    pub(crate) impersonates: Option<String>,
    pub(crate) status: AtomicU16,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    /// Cut alone, while its session goes on.
    pub(crate) stop: CancellationToken,
}

impl CallState {
    pub(crate) fn status(&self) -> Option<u16> {
        Some(self.status.load(Relaxed)).filter(|status| *status != 0)
    }
}
