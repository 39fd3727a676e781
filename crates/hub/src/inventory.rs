use crate::{Change, Hub, watch, watch::watch_selected};
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

/// A part of a long list.
#[derive(Clone, Debug)]
pub struct Page<K> {
    /// What is on it.
    pub listed: Listed<K>,
    /// What to ask the next page with; `None`: this was the last.
    pub next: Option<String>,
}

/// Requests that are not closed. One without a phase is pending.
const OPEN: &str = "status.phase!=Closed";
/// Requests that are.
const CLOSED: &str = "status.phase=Closed";

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

    /// A team's requests that are not closed, as they change. One that closes is [`Change::Left`]; closed ones are read by
    /// [`Hub::closed_of`].
    pub fn watch_open(
        &self,
        team: &NamespaceName,
    ) -> impl Stream<Item = Change<AccessRequest>> + Send + 'static {
        let config = watcher::Config::default().fields(OPEN);
        watch_selected(Api::namespaced(self.client.clone(), team.as_str()), config)
    }

    /// A page of a team's closed requests, at most `most` of them, by name: an API server pages in no other order, so whoever
    /// wants the newest first reads all pages and sorts. `after` is the `next` of the page before.
    ///
    /// # Errors
    /// [`Fault`]; [`Fault::Gone`] when the page before is too long ago (about 5 minutes): begin anew.
    pub async fn closed_of(
        &self,
        team: &NamespaceName,
        most: u32,
        after: Option<&str>,
    ) -> Result<Page<AccessRequest>, Fault> {
        let api: Api<DeserializeGuard<AccessRequest>> = Api::namespaced(self.client.clone(), team.as_str());
        let mut params = ListParams::default().fields(CLOSED).limit(most);
        params.continue_token = after.map(str::to_owned);
        self.page(&api, &params).await
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
        self.list_all(&api, ListParams::default().limit(500)).await
    }

    /// The same with other pages, or of a part.
    pub(crate) async fn list_all<K>(
        &self,
        api: &Api<DeserializeGuard<K>>,
        mut params: ListParams,
    ) -> Result<Listed<K>, Fault>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let mut all = Listed { objects: Vec::new(), malformed: Vec::new() };
        loop {
            let Page { listed, next } = self.page(api, &params).await?;
            all.objects.extend(listed.objects);
            all.malformed.extend(listed.malformed);
            match next {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(all),
            }
        }
    }

    /// One page, within the deadline.
    async fn page<K>(&self, api: &Api<DeserializeGuard<K>>, params: &ListParams) -> Result<Page<K>, Fault>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let mut listed = Listed { objects: Vec::new(), malformed: Vec::new() };
        let page = within(self.deadline, api.list(params)).await?;
        for guard in page.items {
            match guard.0 {
                Ok(object) => listed.objects.push(object),
                Err(e) => listed.malformed.push(crate::watch::malformed::<K>(&e.metadata, &e.error)),
            }
        }
        Ok(Page { listed, next: page.metadata.continue_.filter(|token| !token.is_empty()) })
    }
}
