use sallyport_client::Fault;
use sallyport_model::{clip, visible};
use std::path::Path;

/// Why there is no reading at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The API server does not know who asks.
    #[error("the API server does not accept this sign-in (401): get a new credential, then scan again")]
    Unauthorized,
    /// The API server was not reached.
    #[error("the API server was not reached: {0}")]
    Unreachable(Fault),
    /// Something else answers there.
    #[error("what answers there is no API server of Kubernetes: {0}")]
    NoApiServer(String),
    /// A file or folder can't be read.
    #[error("{path} can't be read: {why}")]
    Unread {
        /// Which, its hidden characters visible.
        path: String,
        /// Why.
        why: String,
    },
    /// There is more than a scan takes in.
    #[error(
        "{path} holds {what}, more than a scan takes in; name the folder that holds the cluster's objects alone"
    )]
    TooMuch {
        /// Where.
        path: String,
        /// What there is too much of.
        what: &'static str,
    },
    /// Nothing in it is an object that posture looks at.
    #[error(
        "{0} holds no object that posture looks at: no roles, bindings, service accounts, namespaces or pods"
    )]
    Nothing(String),
    /// A kept snapshot that can't be used.
    #[error("{path} is no snapshot that can be used: {why}")]
    Snapshot {
        /// Which file.
        path: String,
        /// Why.
        why: String,
    },
}

pub(crate) fn shown(text: &str) -> String {
    clip(&visible(text), 300)
}

pub(crate) fn shown_path(path: &Path) -> String {
    clip(&visible(&path.display().to_string()), 400)
}

pub(crate) fn unread(path: &Path, why: &std::io::Error) -> ScanError {
    ScanError::Unread { path: shown_path(path), why: shown(&why.to_string()) }
}
