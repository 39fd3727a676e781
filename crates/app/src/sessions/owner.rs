//! What the owner of a session holds of it, by value, as far as it came.

use super::Sessions;
use super::end::End;
use super::ports::{Changes, Reach};
use super::session::Session;
use super::way_in::WayIn;
use super::word::{Said, over_before_open};
use crate::desk::AppError;
use sallyport_audit::Draft;
use sallyport_gateway::{CutNotice, CutReport};
use sallyport_hub::seal::KeyPair;
use sallyport_model::{Jti, NamespaceName, RequestRef, Scope};
use sallyport_policy::SessionPermit;
use sallyport_provision::Witnesses;
use sallyport_rbac::Rule;
use sallyport_terminal::{KubeconfigError, PrivateKubeconfig};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

/// How a session begins.
pub(super) enum Begun {
    /// With a click.
    Click {
        /// Its token will be sealed to them.
        keys: KeyPair,
        /// Where a scan waits for the way in; none: a person works in terminals.
        read_by: Option<oneshot::Sender<WayIn>>,
    },
    /// With a request of an earlier run that waits for people.
    Restart { which: RequestRef, keys: KeyPair },
    /// With a request for more time in a session that is open. What comes of it is that session's, see [`super::extend`].
    Extension { keys: KeyPair, of: Arc<Session>, to: mpsc::Sender<HandOver> },
}

/// Whoever holds what there is of a session.
pub(super) struct Owner {
    pub(super) sessions: Arc<Sessions>,
    pub(super) session: Arc<Session>,
}

/// What there is of a session, as far as it came.
#[derive(Default)]
pub(super) struct Made {
    /// Its rights: one request with all that came of it. Extending the session puts another in its place.
    pub(super) stretch: Stretch,
    /// Where an extension brings its own stretch.
    pub(super) hand_overs: Option<mpsc::Receiver<HandOver>>,
    pub(super) kubeconfig: Option<Kubeconfig>,
    /// Where a scan waits for the way in.
    pub(super) read_by: Option<oneshot::Sender<WayIn>>,
    pub(super) cut: Option<CutNotice>,
    /// What the gateway cut by itself.
    pub(super) report: Option<CutReport>,
    /// An entry that nothing waited for.
    pub(super) unwritten: Option<Draft>,
    /// Somebody's word that it is over, and whether nothing of it is left.
    pub(super) said: Option<(Said, bool)>,
}

/// One request with all that came of it, as far as it came. Whoever holds it sees to its end.
#[derive(Default)]
pub(super) struct Stretch {
    /// A request that was asked for and may not have been answered.
    pub(super) asked: Option<Asked>,
    /// The request on the hub, once it is known to exist.
    pub(super) which: Option<RequestRef>,
    /// Its key, while it is in the vault.
    pub(super) key: Option<RequestRef>,
    /// What the hub says of it.
    pub(super) changes: Option<Changes>,
    /// The unsealed token and what it allows: from here on there is an end to prove.
    pub(super) held: Option<Held>,
    /// Shows the hub that the provider still vouches, where that is wanted; ends with what it is for.
    pub(super) vouching: Option<AbortOnDropHandle<()>>,
}

/// What an extension brings, for what was there before.
pub(super) struct HandOver {
    pub(super) stretch: Stretch,
    pub(super) permit: SessionPermit,
    pub(super) jti: Jti,
    pub(super) from: Arc<Session>,
    pub(super) back: oneshot::Sender<Taken>,
}

/// What was there before; or what was brought, and why it could not be taken.
pub(super) type Taken = Result<Stretch, (Stretch, AppError)>;

/// A request by its name.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) team: NamespaceName,
    pub(super) name: String,
}

/// What proves a session's end. The token is here and in the gateway, nowhere else.
pub(super) struct Held {
    pub(super) reach: Reach,
    /// Where the broker said that the API server is.
    pub(super) address: Address,
    /// Where it holds.
    pub(super) scope: Scope,
    /// What the broker offered, as rules.
    pub(super) rules: Vec<Rule>,
    /// What was seen to be allowed, for each role in each namespace.
    pub(super) witnesses: Witnesses,
}

/// Where an API server is and whom to believe that it is the one, in the broker's words.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) endpoint: String,
    pub(super) ca_pem: String,
    pub(super) tls_server_name: Option<String>,
}

/// Why a session does not open.
pub(super) enum Stop {
    /// Somebody wants it to end.
    Ended(End),
    /// Something stands in the way.
    Failed(AppError),
    /// The app ends and the request goes on: the next start takes it up again.
    Kept,
}

/// Why what was begun for an open request was not finished.
pub(super) enum Over {
    /// Somebody wants the session to end.
    Ended(End),
    /// The hub says that the request is over; true where nothing of it is left.
    Said(Said, bool),
    /// Something stands in the way.
    Failed(AppError),
}

impl Made {
    /// What the hub said is kept for the end.
    pub(super) fn stopped(&mut self, over: Over) -> Stop {
        match over {
            Over::Ended(end) => Stop::Ended(end),
            Over::Failed(error) => Stop::Failed(error),
            Over::Said(said, closed) => {
                let error = over_before_open(&said, closed);
                self.said = Some((said, closed));
                Stop::Failed(error)
            }
        }
    }
}

impl From<AppError> for Stop {
    fn from(error: AppError) -> Self {
        Self::Failed(error)
    }
}

/// The private kubeconfig of a session.
pub(super) enum Kubeconfig {
    /// It is being written. Whoever closes waits for that: it is removed, and not only forgotten.
    Writing(JoinHandle<Result<PrivateKubeconfig, KubeconfigError>>),
    There(Box<PrivateKubeconfig>),
}

/// Why the hub has nothing to say of a request.
pub(super) enum Missing {
    /// It was deleted.
    Deleted,
    /// It makes no sense; in words.
    Unreadable(String),
}
