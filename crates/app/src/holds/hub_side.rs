//! The hub, as the product's holders use it.

use super::ports::{Changes, HubSide};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sallyport_api::AccessHold;
use sallyport_client::Fault;
use sallyport_hub::{Hub, Identity, Refused};
use sallyport_model::Held;

impl HubSide for Hub {
    fn watch_holds(&self) -> Changes {
        Box::pin(self.watch_holds())
    }
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>> {
        self.whoami().boxed()
    }
    fn hold<'a>(
        &'a self,
        held: &'a Held,
        me: &'a Identity,
        until: Timestamp,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<AccessHold, Refused>> {
        self.hold(held, me, until, reason).boxed()
    }
    fn unhold<'a>(&'a self, name: &'a str, uid: &'a str) -> BoxFuture<'a, Result<(), Refused>> {
        self.unhold(name, uid).boxed()
    }
}
