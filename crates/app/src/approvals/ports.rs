//! What deciding asks of a hub: the requests of a team as they change, and the words on one. The product answers with
//! [`super::hub_side`], the tests of this part with fakes.

use crate::person::{Signed, WorkspaceId};
use futures::Stream;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::{Change, Identity, MayRequest, Page, Refused};
use sallyport_model::{Digest, Hold, Limits, NamespaceName, RequestRef};
use std::pin::Pin;
use std::sync::Arc;

/// A team's requests as the hub's watch tells them.
pub(super) type Changes = Pin<Box<dyn Stream<Item = Change<AccessRequest>> + Send>>;

/// The hub of a sign-in.
pub(super) type HubOf = dyn Fn(&Signed) -> Arc<dyn HubSide> + Send + Sync;

/// The hold that stands in a workspace on what somebody does on a cluster, if one does.
pub(super) type HeldOn = dyn Fn(&WorkspaceId, &str, &str) -> Option<Hold> + Send + Sync;

/// Whose word it is, on which request, and when by the hub's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) which: &'a RequestRef,
    pub(super) me: &'a Identity,
    pub(super) at: Timestamp,
}

/// The hub as whoever decides uses it, by one sign-in; as [`sallyport_hub::Hub`], whose words these are.
pub(super) trait HubSide: Send + Sync + 'static {
    /// What is not closed in a team.
    fn watch_open(&self, team: &NamespaceName) -> Changes;
    /// A page of what is closed in a team.
    fn closed_of<'a>(
        &'a self,
        team: &'a NamespaceName,
        most: u32,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<AccessRequest>, Fault>>;
    /// One request, closed or not, as it is by now.
    fn request<'a>(&'a self, which: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Fault>>;
    /// Who one is there, at this moment.
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>>;
    /// Whether somebody else may ask under a profile; `None` where the hub does not know.
    fn may_request<'a>(&'a self, who: &'a MayRequest) -> BoxFuture<'a, Result<Option<bool>, Fault>>;
    fn approve<'a>(
        &'a self,
        word: Word<'a>,
        offer: &'a Digest,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<(), Refused>>;
    fn deny<'a>(&'a self, word: Word<'a>, reason: Option<&'a str>) -> BoxFuture<'a, Result<(), Refused>>;
    fn revoke<'a>(&'a self, word: Word<'a>, reason: &'a str) -> BoxFuture<'a, Result<(), Refused>>;
}
