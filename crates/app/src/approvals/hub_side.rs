//! The hub, as the product's approvers use it.

use super::ports::{Changes, HubSide, Word};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::{Hub, Identity, MayRequest, Page, Refused};
use sallyport_model::{Digest, Limits, NamespaceName, RequestRef};

impl HubSide for Hub {
    fn watch_open(&self, team: &NamespaceName) -> Changes {
        Box::pin(self.watch_open(team))
    }
    fn closed_of<'a>(
        &'a self,
        team: &'a NamespaceName,
        most: u32,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<AccessRequest>, Fault>> {
        self.closed_of(team, most, after).boxed()
    }
    fn request<'a>(&'a self, which: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Fault>> {
        self.request(which).boxed()
    }
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>> {
        self.whoami().boxed()
    }
    fn may_request<'a>(&'a self, who: &'a MayRequest) -> BoxFuture<'a, Result<Option<bool>, Fault>> {
        self.may_request(who).boxed()
    }
    fn approve<'a>(
        &'a self,
        Word { which, me, at }: Word<'a>,
        offer: &'a Digest,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<(), Refused>> {
        async move { self.approve(which, me, offer, limits, at, None).await.map(drop) }.boxed()
    }
    fn deny<'a>(
        &'a self,
        Word { which, me, at }: Word<'a>,
        reason: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), Refused>> {
        async move { self.deny(which, me, at, reason).await.map(drop) }.boxed()
    }
    fn revoke<'a>(
        &'a self,
        Word { which, me, at }: Word<'a>,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), Refused>> {
        async move { self.revoke(which, me, at, reason).await.map(drop) }.boxed()
    }
}
