//! What holding asks of a hub: what is held there as it changes, and the two acts about it. The product answers with
//! [`super::hub_side`], the tests of this part with fakes.

use crate::person::Signed;
use futures::Stream;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sallyport_api::AccessHold;
use sallyport_client::Fault;
use sallyport_hub::{Change, Identity, Refused};
use sallyport_model::Held;
use std::pin::Pin;
use std::sync::Arc;

/// Holds as the hub's watch tells them.
pub(super) type Changes = Pin<Box<dyn Stream<Item = Change<AccessHold>> + Send>>;

/// The hub of a sign-in.
pub(super) type HubOf = dyn Fn(&Signed) -> Arc<dyn HubSide> + Send + Sync;

/// The hub as whoever holds uses it, by one sign-in; as [`sallyport_hub::Hub`], whose words these are.
pub(super) trait HubSide: Send + Sync + 'static {
    fn watch_holds(&self) -> Changes;
    /// Who one is there, at this moment.
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>>;
    /// Makes one; as the hub has it by then.
    fn hold<'a>(
        &'a self,
        held: &'a Held,
        me: &'a Identity,
        until: Timestamp,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<AccessHold, Refused>>;
    /// Ends one before its time; one that is gone is fine.
    fn unhold<'a>(&'a self, name: &'a str, uid: &'a str) -> BoxFuture<'a, Result<(), Refused>>;
}
