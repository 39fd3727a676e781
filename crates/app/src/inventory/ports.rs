//! What the inventory asks of a hub: its lists and watches, and what is read for the cluster in view. The product answers with
//! [`super::hub_side`], the tests of this part with fakes.

use crate::person::Signed;
use futures::Stream;
use futures::future::BoxFuture;
use sallyport_api::{AccessCluster, AccessPreviewSpec, AccessProfile, AccessRequest};
use sallyport_client::Fault;
use sallyport_hub::{Beat, Change, Listed, Rights};
use sallyport_model::{ClusterName, NamespaceName, ProfileName, UserName};
use std::pin::Pin;
use std::sync::Arc;

/// One kind of object as the hub's watch tells it.
pub(crate) type Changes<K> = Pin<Box<dyn Stream<Item = Change<K>> + Send>>;

/// The hub of a sign-in.
pub(crate) type HubOf = dyn Fn(&Signed) -> Arc<dyn HubSide> + Send + Sync;

/// The hub as the inventory reads it, by one sign-in; as [`sallyport_hub::Hub`], whose words these are.
pub(crate) trait HubSide: Send + Sync + 'static {
    fn watch_clusters(&self) -> Changes<AccessCluster>;
    fn watch_profiles(&self) -> Changes<AccessProfile>;
    /// Every broker's last sign of life.
    fn beats(&self) -> BoxFuture<'_, Result<Vec<Beat>, Fault>>;
    /// One broker's; `None` when it never gave one.
    fn beat_of<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Option<Beat>, Fault>>;
    /// What each profile would allow on a cluster; `None` where its broker has not said.
    fn preview<'a>(
        &'a self,
        cluster: &'a ClusterName,
    ) -> BoxFuture<'a, Result<Option<AccessPreviewSpec>, Fault>>;
    /// What one may do with these profiles, and with holds.
    fn rights<'a>(&'a self, profiles: &'a [ProfileName]) -> BoxFuture<'a, Result<Rights, Fault>>;
    /// A person's requests in a team under a profile on a cluster.
    fn requests_under<'a>(
        &'a self,
        team: &'a NamespaceName,
        user: &'a UserName,
        under: (&'a ProfileName, &'a ClusterName),
    ) -> BoxFuture<'a, Result<Listed<AccessRequest>, Fault>>;
}
