//! What a session asks of the world. The product answers with [`super::hub_side`] and [`super::ground`], the tests of
//! this part with fakes.

use crate::desk::AppError;
use crate::person::{SignIns, SignedInAs, WorkspaceId};
use futures::Stream;
use futures::future::BoxFuture;
use sallyport_api::AccessRequest;
use sallyport_client::{Endpoint, Fault};
use sallyport_gateway::{CutReason, CutReport, Live, LiveCall, Opened, Target, Upstream};
use sallyport_hub::{Ask, Change, Refused};
use sallyport_ipc::HubLink;
use sallyport_model::{Jti, NamespaceName, RequestRef, Secret, SessionId, SignIn, UserName};
use sallyport_policy::SessionPermit;
use sallyport_provision::{OwnEnd, Progress, Proof, Witnesses};
use sallyport_rbac::Rule;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::watch;

/// One request as the hub's watch tells it.
pub(crate) type Changes = Pin<Box<dyn Stream<Item = Change<AccessRequest>> + Send>>;

/// The hub as one session uses it: by its own sign-in, or by a later one of the same person there.
pub(crate) trait HubSide: Send + Sync + 'static {
    /// Whose session it is.
    fn user(&self) -> &UserName;
    /// Where it was asked for.
    fn workspace(&self) -> &WorkspaceId;
    /// The team that may be asked in, if any.
    fn team(&self) -> Option<NamespaceName>;
    /// Who is signed in now, else who was when it was asked.
    fn who(&self) -> SignedInAs;
    /// Who is signed in there now.
    ///
    /// # Errors
    /// When nobody is.
    fn signed_in(&self) -> Result<UserName, AppError>;
    /// Whether the sign-in it was begun under has ended.
    fn is_over(&self) -> bool;
    /// Each sign-in that ended from now on.
    fn sign_ins(&self) -> watch::Receiver<SignIns>;
    /// Now by the hub's clock, Unix seconds.
    fn now(&self) -> i64;
    /// How the hub was found to be.
    fn is(&self, link: HubLink, message: Option<String>);
    /// Sees to a token that is good.
    fn ready(&self) -> BoxFuture<'_, Result<(), AppError>>;
    /// What a request says of the sign-in: the hub's word for it.
    fn evidence(&self) -> BoxFuture<'_, SignIn>;
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<AccessRequest, Refused>>;
    fn watch(&self, which: &RequestRef) -> Changes;
    fn request<'a>(&'a self, which: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Fault>>;
    /// `Ok(None)` is an answer: there is none.
    fn named<'a>(
        &'a self,
        team: &'a NamespaceName,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<AccessRequest>, Fault>>;
    fn withdraw<'a>(&'a self, which: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Refused>>;
    fn clear_credential<'a>(&'a self, which: &'a RequestRef)
    -> BoxFuture<'a, Result<AccessRequest, Refused>>;
    /// Shows the hub the provider's word for the person, of a token issued after `after`; when that was, Unix seconds.
    fn reaffirm<'a>(&'a self, which: &'a RequestRef, after: i64) -> BoxFuture<'a, Result<i64, AppError>>;
}

/// Which of the calls under way the new grant of an extended session holds.
pub(crate) type Keeps = Box<dyn Fn(&Target) -> bool + Send + Sync>;

/// A token and the target it is for, past the gateway.
#[derive(Clone)]
pub(crate) struct Reach {
    pub(crate) target: Endpoint,
    pub(crate) token: Secret<String>,
}

/// The gateway on this machine, and the targets.
pub(crate) trait Ground: Send + Sync + 'static {
    /// Serves a session on its cluster's port.
    fn open<'a>(
        &'a self,
        permit: &'a SessionPermit,
        upstream: Upstream,
        hub: &'a str,
    ) -> BoxFuture<'a, Result<Opened, AppError>>;
    /// One GET through the gateway, as a tool in the terminal would make it; the status.
    fn first_call<'a>(&'a self, opened: &'a Opened, path: &'a str) -> BoxFuture<'a, Result<u16, AppError>>;
    /// Goes on with a new grant's token, `now` Unix seconds by the hub's clock; the calls that were cut, since nothing
    /// `keeps` them.
    ///
    /// # Errors
    /// When the gateway does not serve that session any more, or not this.
    fn extend(
        &self,
        permit: &SessionPermit,
        token: &Secret<String>,
        jti: Jti,
        now: i64,
        keeps: Keeps,
    ) -> Result<Vec<LiveCall>, AppError>;
    fn cut<'a>(&'a self, session: &'a SessionId, why: CutReason) -> BoxFuture<'a, Option<CutReport>>;
    fn live(&self, session: &SessionId) -> Option<Live>;
    /// What is allowed, for each role in each namespace.
    fn look<'a>(
        &'a self,
        reach: &'a Reach,
        rules: &'a [Rule],
        scope: &'a sallyport_model::Scope,
    ) -> BoxFuture<'a, Witnesses>;
    /// Ends the session's own grant.
    fn end_own_grant<'a>(
        &'a self,
        reach: &'a Reach,
        grant: &'a str,
        uid: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, OwnEnd>;
    fn rights_gone<'a>(
        &'a self,
        reach: &'a Reach,
        witnesses: &'a Witnesses,
        within: Duration,
        told: &'a mut (dyn FnMut(Progress) + Send),
    ) -> BoxFuture<'a, Proof>;
    fn token_refused<'a>(
        &'a self,
        reach: &'a Reach,
        witnesses: &'a Witnesses,
        within: Duration,
        told: &'a mut (dyn FnMut(Progress) + Send),
    ) -> BoxFuture<'a, Proof>;
}
