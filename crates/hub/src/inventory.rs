use crate::{Change, Hub, watch};
use futures::Stream;
use kube::{Api, Resource, api::ListParams, core::DeserializeGuard, runtime::watcher};
use sallyport_api::{AccessCluster, AccessProfile, AccessRequest, MalformedObject};
use sallyport_client::{Fault, within};
use sallyport_model::{ClusterName, NamespaceName, RequestRef};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What a list gave: what could be read, and what could not.
#[derive(Clone, Debug)]
pub struct Listed<K> {
    /// The objects.
    pub objects: Vec<K>,
    /// Those that make no sense.
    pub malformed: Vec<MalformedObject>,
}

impl Hub {
    /// All clusters.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn clusters(&self) -> Result<Listed<AccessCluster>, Fault> {
        self.list(Api::all(self.client.clone())).await
    }

    /// All profiles.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn profiles(&self) -> Result<Listed<AccessProfile>, Fault> {
        self.list(Api::all(self.client.clone())).await
    }

    /// All requests of a team.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn requests_of(&self, team: &NamespaceName) -> Result<Listed<AccessRequest>, Fault> {
        self.list(Api::namespaced(self.client.clone(), team.as_str())).await
    }

    /// Clusters, as they change.
    pub fn watch_clusters(&self) -> impl Stream<Item = Change<AccessCluster>> + Send + 'static {
        watch(Api::all(self.client.clone()), watcher::Config::default())
    }

    /// Profiles, as they change.
    pub fn watch_profiles(&self) -> impl Stream<Item = Change<AccessProfile>> + Send + 'static {
        watch(Api::all(self.client.clone()), watcher::Config::default())
    }

    /// A team's requests, as they change.
    pub fn watch_team(
        &self,
        team: &NamespaceName,
    ) -> impl Stream<Item = Change<AccessRequest>> + Send + 'static {
        watch(Api::namespaced(self.client.clone(), team.as_str()), watcher::Config::default())
    }

    /// One request, as it changes. An object that took its name later shows by its UID.
    pub fn watch_request(
        &self,
        which: &RequestRef,
    ) -> impl Stream<Item = Change<AccessRequest>> + Send + 'static {
        let config = watcher::Config::default().fields(&format!("metadata.name={}", which.name));
        watch(Api::namespaced(self.client.clone(), which.team.as_str()), config)
    }

    /// The requests of all teams for one cluster, as they change: the broker's.
    pub fn watch_for_cluster(
        &self,
        cluster: &ClusterName,
    ) -> impl Stream<Item = Change<AccessRequest>> + Send + 'static {
        let config = watcher::Config::default().fields(&format!("spec.cluster={cluster}"));
        watch(Api::all(self.client.clone()), config)
    }

    /// Pages through a list, each page within the deadline.
    async fn list<K>(&self, api: Api<DeserializeGuard<K>>) -> Result<Listed<K>, Fault>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let mut listed = Listed { objects: Vec::new(), malformed: Vec::new() };
        let mut params = ListParams::default().limit(500);
        loop {
            let page = within(self.deadline, api.list(&params)).await?;
            for guard in page.items {
                match guard.0 {
                    Ok(object) => listed.objects.push(object),
                    Err(e) => listed.malformed.push(crate::watch::malformed::<K>(&e.metadata, &e.error)),
                }
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(listed),
            }
        }
    }
}
