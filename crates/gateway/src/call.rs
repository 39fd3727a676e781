//! What is told of every request that reached the gateway.

use crate::kubectl::KubectlCommand;
use crate::peer::PeerProcess;
use crate::target::{StreamKind, Target};
use jiff::Timestamp;
use sallyport_model::{AuditId, ClusterName, GrantUid, Jti, RequestUid, SessionId, UserName};
use std::fmt;
use std::time::Duration;

/// One request through the gateway (promise P17): told once when it is over; a stream also when it starts, and what takes
/// long also while it does.
///
/// `path_and_query` is what the client sent, with the secrets that a command line may hold: redact before storing.
/// `Debug` leaves the query out.
#[derive(Clone)]
pub struct Call {
    /// Whether this is a stream's start or the end of the call.
    pub phase: CallPhase,
    /// The desktop's session.
    pub session: SessionId,
    /// The request behind it.
    pub request: RequestUid,
    /// The grant behind it.
    pub grant: GrantUid,
    /// The cluster it went to.
    pub cluster: ClusterName,
    /// Whose session it is.
    pub user: UserName,
    /// The token it was made with; the API server records the same (KEP-4193).
    pub jti: Jti,
    /// Minted by the gateway, sent as `Audit-ID`, kept by the API server as its event's `auditID`.
    pub audit_id: AuditId,
    /// When it arrived, by this machine's clock.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// Path and query as the API server got them, without the gateway's prefix.
    pub path_and_query: String,
    /// What it was about.
    pub target: Target,
    /// The HTTP status sent to the client; `None` when it was gone or cut before there was one.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: CallOutcome,
    /// From arrival to the last byte; zero before the end.
    pub duration: Duration,
    /// Body bytes from the client to the API server.
    pub bytes_in: u64,
    /// Body bytes from the API server to the client.
    pub bytes_out: u64,
    /// What kind of stream, if it is one.
    pub stream: Option<StreamKind>,
    /// The client's own name for itself, clipped.
    pub user_agent: Option<String>,
    /// The command of kubectl that it belongs to, as the client says.
    pub kubectl: Option<KubectlCommand>,
    /// Whom it impersonated, where the profile allows that.
    pub impersonates: Option<String>,
    /// The program at the other end of the connection, where the system tells; advisory.
    pub peer: Option<PeerProcess>,
}

/// Which of a call's two moments is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallPhase {
    /// A stream is about to be opened upstream, or a call has gone on for some seconds.
    Started,
    /// The call is over.
    Ended,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Not yet: it is a stream that starts.
    Open,
    /// The API server's answer was relayed to its last byte, whatever its status.
    Answered,
    /// The gateway refused it and the API server never saw it.
    Refused(String),
    /// The gateway answered instead of an API server that could not be reached, said nothing in time or broke off.
    Failed(String),
    /// The session was cut while it ran.
    Cut(CutReason),
    /// The client went away first.
    ClientGone,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        f.debug_struct("Call")
            .field("phase", &self.phase)
            .field("session", &self.session)
            .field("audit_id", &self.audit_id)
            .field("method", &self.method)
            .field("path", &path)
            .field("status", &self.status)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Why a session's calls are refused and its streams were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutReason {
    /// The requester left.
    Left,
    /// Its time was up.
    Expired,
    /// Someone else ended it.
    Revoked,
    /// The person signed out.
    SignedOut,
    /// The app quits, or the gateway is shut down.
    Quit,
    /// It could not be carried on.
    Failed,
    /// It goes on with less, and this is not in it any more. Cuts calls, never a session.
    Narrowed,
}

impl fmt::Display for CutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "you left it",
            Self::Expired => "its time is up",
            Self::Revoked => "it was revoked",
            Self::SignedOut => "you signed out",
            Self::Quit => "Sallyport was quit",
            Self::Failed => "it could not be carried on",
            Self::Narrowed => "it was extended with less",
        })
    }
}
