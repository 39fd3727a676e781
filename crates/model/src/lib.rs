//! The words of Sallyport as types: names, ids, times, secrets and the two state machines.
//!
//! Everything that crosses from one part to another is spelled with these. Nothing here does I/O, knows a clock,
//! tokio or kube: whoever calls brings the time along. A name that came from outside is *parsed* into its type
//! before it may reach a path, a log or a screen, so holding a [`ClusterName`] means it was checked.

#![deny(missing_docs)]

mod account;
mod auto;
mod code;
mod duration;
mod ending;
mod glob;
mod hold;
mod id;
mod limits;
mod name;
mod net_tcp;
mod profile;
mod reaffirm;
mod recording;
mod request;
mod scan;
mod scope;
mod secret;
mod session;
mod sign_in;
mod terms;
mod text;
mod when;

pub use account::{AccountError, SESSIONS_NAMESPACE, SessionAccount};
pub use auto::{AutoApproval, Conditions, ConditionsError, ConditionsInput};
pub use code::ErrorCode;
pub use duration::{Ttl, TtlError};
pub use ending::{EndedBy, Ending, Said};
pub use glob::glob_matches;
pub use hold::{Held, Hold};
pub use id::{AuditId, Digest, GrantUid, Jti, RequestUid, SessionId, is_plain_id};
pub use limits::{Given, Limits, LimitsError};
pub use name::{
    CLUSTER_NAME_MOST, ClusterName, NameError, NamespaceName, ProfileName, ProfileRevision, RoleName,
    USER_NAME_MOST, UserName,
};
pub use net_tcp::{TcpSocket, tcp_sockets};
pub use profile::Profile;
pub use reaffirm::{Reaffirm, ReaffirmError};
pub use recording::Recording;
pub use request::{EndReason, Ended, IllegalTransition, NoEndReason, Phase, RequestEvent, RequestState};
pub use scan::{POSTURE_ROLE, SCAN_LONGEST, SCANS_NAMESPACE};
pub use scope::Scope;
pub use secret::Secret;
pub use session::{SessionEvent, SessionState};
pub use sign_in::{Mfa, SignIn};
pub use terms::{REASON_MOST, ReasonError, RequestRef, Terms, check_reason};
pub use text::{clip, visible};
pub use when::{Days, Hours, When, WhenError};
