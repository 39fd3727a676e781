//! A hub of clusters and profiles: what its watches tell and its calls answer is the test's to say.

use crate::inventory::ports::{Changes, HubSide};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_api::{AccessCluster, AccessPreviewSpec, AccessProfile, AccessRequest};
use sallyport_client::Fault;
use sallyport_hub::{Beat, Change, HoldRights, Listed, ProfileRights, Rights};
use sallyport_model::{ClusterName, NamespaceName, ProfileName, UserName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// What a watch was last begun with.
struct Watched<K>(Mutex<Option<mpsc::UnboundedSender<Change<K>>>>);

impl<K> Default for Watched<K> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: Send + 'static> Watched<K> {
    fn begin(&self) -> Changes<K> {
        let (told, mut changes) = mpsc::unbounded_channel();
        *self.0.lock().unwrap() = Some(told);
        Box::pin(futures::stream::poll_fn(move |cx| changes.poll_recv(cx)))
    }

    /// Whether somebody heard it.
    fn tell(&self, change: Change<K>) -> bool {
        self.0.lock().unwrap().as_ref().is_some_and(|told| told.send(change).is_ok())
    }
}

#[derive(Default)]
pub(crate) struct FakeHub {
    clusters: Watched<AccessCluster>,
    profiles: Watched<AccessProfile>,
    /// The signs of life; `None`: no call for them is answered.
    pub(super) beats: Mutex<Option<Result<Vec<Beat>, Fault>>>,
    /// Times that they were listed.
    pub(super) listed: AtomicUsize,
    /// Of which clusters one was read.
    pub(super) looked_for: Mutex<Vec<String>>,
    pub(crate) previews: Mutex<BTreeMap<String, AccessPreviewSpec>>,
    /// Of which clusters one was read.
    pub(super) previewed: Mutex<Vec<String>>,
    /// Held while no preview is answered.
    pub(super) gate: tokio::sync::Mutex<()>,
    /// The profiles that may be asked for; `None`: that call fails.
    pub(super) may: Mutex<Option<BTreeSet<String>>>,
    /// What else may be done with each profile.
    pub(crate) decides: Mutex<ProfileRights>,
    pub(crate) holds: Mutex<HoldRights>,
    /// Whether it may be asked what others may do.
    pub(crate) reviews: AtomicBool,
    /// Times that they were read.
    pub(super) asked: AtomicUsize,
    /// What is wrong with reading a person's requests of before; `None`: it is never answered.
    pub(super) past: Mutex<Option<Fault>>,
}

impl FakeHub {
    pub(crate) fn clusters(&self, change: Change<AccessCluster>) -> bool {
        self.clusters.tell(change)
    }

    pub(crate) fn profiles(&self, change: Change<AccessProfile>) -> bool {
        self.profiles.tell(change)
    }

    pub(crate) fn beat(&self, beats: Result<Vec<Beat>, Fault>) {
        *self.beats.lock().unwrap() = Some(beats);
    }

    pub(super) fn lets_ask(&self, profiles: &[&str]) {
        *self.may.lock().unwrap() = Some(profiles.iter().map(|name| (*name).to_owned()).collect());
    }

    pub(super) fn previewed(&self) -> Vec<String> {
        self.previewed.lock().unwrap().clone()
    }
}

impl HubSide for FakeHub {
    fn watch_clusters(&self) -> Changes<AccessCluster> {
        self.clusters.begin()
    }
    fn watch_profiles(&self) -> Changes<AccessProfile> {
        self.profiles.begin()
    }
    fn beats(&self) -> BoxFuture<'_, Result<Vec<Beat>, Fault>> {
        async {
            self.listed.fetch_add(1, Ordering::Relaxed);
            let beats = self.beats.lock().unwrap().clone();
            match beats {
                Some(beats) => beats,
                None => futures::future::pending().await,
            }
        }
        .boxed()
    }
    fn beat_of<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Option<Beat>, Fault>> {
        async move {
            self.looked_for.lock().unwrap().push(cluster.to_string());
            let beats = self.beats.lock().unwrap().clone().unwrap_or(Err(Fault::TimedOut))?;
            Ok(beats.into_iter().find(|beat| beat.cluster == cluster.as_str()))
        }
        .boxed()
    }
    fn preview<'a>(
        &'a self,
        cluster: &'a ClusterName,
    ) -> BoxFuture<'a, Result<Option<AccessPreviewSpec>, Fault>> {
        async move {
            self.previewed.lock().unwrap().push(cluster.to_string());
            let _answers = self.gate.lock().await;
            Ok(self.previews.lock().unwrap().get(cluster.as_str()).cloned())
        }
        .boxed()
    }
    fn rights<'a>(&'a self, profiles: &'a [ProfileName]) -> BoxFuture<'a, Result<Rights, Fault>> {
        async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let may = self.may.lock().unwrap().clone().ok_or(Fault::TimedOut)?;
            let decides = *self.decides.lock().unwrap();
            let of = |name: &ProfileName| {
                let request = may.contains(name.as_str());
                (name.clone(), ProfileRights { request, ..decides })
            };
            let holds = *self.holds.lock().unwrap();
            let reviews = self.reviews.load(Ordering::Relaxed);
            Ok(Rights { profiles: profiles.iter().map(of).collect(), holds, reviews })
        }
        .boxed()
    }
    fn requests_under<'a>(
        &'a self,
        _: &'a NamespaceName,
        _: &'a UserName,
        _: (&'a ProfileName, &'a ClusterName),
    ) -> BoxFuture<'a, Result<Listed<AccessRequest>, Fault>> {
        async {
            let fault = self.past.lock().unwrap().clone();
            match fault {
                Some(fault) => Err(fault),
                None => futures::future::pending().await,
            }
        }
        .boxed()
    }
}

/// Two hubs.
pub(super) fn hubs() -> [Arc<FakeHub>; 2] {
    [Arc::default(), Arc::default()]
}
