use sallyport_client::Fault;
use sallyport_model::EndReason;
use sallyport_provision::{NotReady, ProvisionError, Unfit};
use std::error::Error;

/// Why a request could not be taken further this time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Someone else wrote in between: read again at once.
    #[error("the request changed in between")]
    Changed,
    /// The request is gone.
    #[error("the request is gone")]
    Gone,
    /// It can never succeed: close it with this reason.
    #[error("{message}")]
    Final {
        /// The reason to close with.
        reason: EndReason,
        /// For people.
        message: String,
    },
    /// The hub did not do it now.
    #[error("the hub: {0}")]
    Hub(Fault),
    /// The target did not do it now.
    #[error("{0}")]
    Target(String),
    /// The hub's guardrails are not what they have to be.
    #[error("{0}")]
    Guardrails(String),
    /// Something is left on the target, which the request says by now.
    #[error("still there: {0}")]
    Leftover(String),
}

impl Failure {
    pub(crate) fn hub(fault: Fault) -> Self {
        match fault {
            Fault::Conflict(_) => Self::Changed,
            Fault::NotFound => Self::Gone,
            other => Self::Hub(other),
        }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Final { reason: EndReason::Failed, message: message.into() }
    }
}

impl From<ProvisionError> for Failure {
    fn from(error: ProvisionError) -> Self {
        if let ProvisionError::Quota { .. } | ProvisionError::NamespaceEnding { .. } = &error {
            return Self::failed(format!("{error}; ask again when an admin of the cluster has seen to it"));
        }
        if error.is_final() { Self::failed(error.to_string()) } else { Self::Target(chain(&error)) }
    }
}

impl From<NotReady> for Failure {
    fn from(error: NotReady) -> Self {
        match error {
            NotReady::Away(_) => Self::Target(chain(&error)),
            _ => Self::failed(error.to_string()),
        }
    }
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        let reason = if matches!(unfit, Unfit::Over { .. }) { EndReason::Expired } else { EndReason::Failed };
        Self::Final { reason, message: unfit.to_string() }
    }
}

/// The error and its causes in one line. No error of ours quotes a token.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !out.contains(&said) {
            out.push_str(": ");
            out.push_str(&said);
        }
        cause = error.source();
    }
    out
}
