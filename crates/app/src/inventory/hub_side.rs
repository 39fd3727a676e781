//! The hub, as the product's inventory reads it.

use super::ports::{Changes, HubSide};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_api::{AccessCluster, AccessPreviewSpec, AccessProfile, AccessRequest};
use sallyport_client::Fault;
use sallyport_hub::{Beat, Hub, Listed, Rights};
use sallyport_model::{ClusterName, NamespaceName, ProfileName, UserName};

impl HubSide for Hub {
    fn watch_clusters(&self) -> Changes<AccessCluster> {
        Box::pin(self.watch_clusters())
    }
    fn watch_profiles(&self) -> Changes<AccessProfile> {
        Box::pin(self.watch_profiles())
    }
    fn beats(&self) -> BoxFuture<'_, Result<Vec<Beat>, Fault>> {
        self.beats().boxed()
    }
    fn beat_of<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Option<Beat>, Fault>> {
        self.beat_of(cluster).boxed()
    }
    fn preview<'a>(
        &'a self,
        cluster: &'a ClusterName,
    ) -> BoxFuture<'a, Result<Option<AccessPreviewSpec>, Fault>> {
        self.preview(cluster).boxed()
    }
    fn rights<'a>(&'a self, profiles: &'a [ProfileName]) -> BoxFuture<'a, Result<Rights, Fault>> {
        self.rights(profiles).boxed()
    }
    fn requests_under<'a>(
        &'a self,
        team: &'a NamespaceName,
        user: &'a UserName,
        under: (&'a ProfileName, &'a ClusterName),
    ) -> BoxFuture<'a, Result<Listed<AccessRequest>, Fault>> {
        self.requests_under(Some(team), user, under).boxed()
    }
}
