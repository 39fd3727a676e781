//! What the watches have seen, kept as it is on the API servers.

use crate::failure::chain;
use futures::{StreamExt, TryStreamExt};
use kube::{
    Resource, ResourceExt,
    core::DynamicObject,
    runtime::{WatchStreamExt, utils::Backoff, watcher},
};
use serde::de::DeserializeOwned;
use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// Namespace (empty for cluster-scoped objects) and name.
pub(crate) type ObjectKey = (String, String);

/// One kind's objects. Reads never block on the network.
pub(crate) struct Store<K> {
    items: Mutex<HashMap<ObjectKey, Arc<K>>>,
    /// Filled while a list is under way; what is missing in it at its end was deleted meanwhile.
    listing: Mutex<Option<HashMap<ObjectKey, Arc<K>>>>,
    synced: watch::Sender<bool>,
    /// Rung whenever the watch broke off: until it has caught up, or for as long as it may not, it is blind.
    pub(crate) broke: Notify,
}

/// What a watch told.
pub(crate) enum Change<K> {
    /// New or changed.
    Applied(Arc<K>),
    /// Gone; the last state seen.
    Removed(Arc<K>),
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self {
            items: Mutex::default(),
            listing: Mutex::default(),
            synced: watch::Sender::new(false),
            broke: Notify::new(),
        }
    }
}

impl<K: Resource + Clone> Store<K>
where
    K::DynamicType: Default,
{
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        lock(&self.items).get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<K>> {
        lock(&self.items).values().cloned().collect()
    }

    pub(crate) fn filtered(&self, wanted: impl Fn(&K) -> bool) -> Vec<K> {
        lock(&self.items).values().filter(|one| wanted(one)).map(|one| (**one).clone()).collect()
    }

    /// Whether a full list was seen since the start.
    pub(crate) fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    pub(crate) async fn wait_synced(&self) {
        // The sender lives as long as self, so waiting can't fail.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Takes the answer to an own write, unless the watch has brought something newer by now.
    pub(crate) fn put(&self, object: K) {
        let mut items = lock(&self.items);
        let key = key_of(&object);
        if items.get(&key).is_none_or(|old| revision(&**old) < revision(&object)) {
            items.insert(key, Arc::new(object));
        }
    }

    /// Forgets an object that an own write was told is gone.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        lock(&self.items).remove(key);
    }

    fn apply(&self, event: watcher::Event<K>) -> Vec<Change<K>> {
        match event {
            watcher::Event::Init => {
                *lock(&self.listing) = Some(HashMap::new());
                Vec::new()
            }
            watcher::Event::InitApply(object) => {
                if let Some(listing) = lock(&self.listing).as_mut() {
                    listing.insert(key_of(&object), Arc::new(object));
                }
                Vec::new()
            }
            watcher::Event::InitDone => {
                let listed = lock(&self.listing).take().unwrap_or_default();
                let mut items = lock(&self.items);
                let gone = items.iter().filter(|(key, _)| !listed.contains_key(*key));
                let mut changes: Vec<_> = gone.map(|(_, object)| Change::Removed(object.clone())).collect();
                changes.extend(listed.values().cloned().map(Change::Applied));
                *items = listed;
                drop(items);
                self.synced.send_replace(true);
                changes
            }
            watcher::Event::Apply(object) => {
                let object = Arc::new(object);
                lock(&self.items).insert(key_of(&*object), object.clone());
                vec![Change::Applied(object)]
            }
            watcher::Event::Delete(object) => {
                lock(&self.items).remove(&key_of(&object));
                vec![Change::Removed(Arc::new(object))]
            }
        }
    }
}

/// Follows one kind for ever, telling `heard` of every change. A broken watch is taken up again with backoff.
pub(crate) async fn follow<K>(
    api: kube::Api<K>,
    config: watcher::Config,
    store: &Store<K>,
    heard: impl Fn(Change<K>),
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default,
{
    follow_with(api, config, store, Some, heard).await;
}

/// Like [`follow`] for kinds that people write: an object that is not what its type says is left out and named, and
/// does not blind the watch to the others. `keep` cuts down what is kept.
pub(crate) async fn follow_parsed<K>(
    api: kube::Api<DynamicObject>,
    config: watcher::Config,
    store: &Store<K>,
    keep: impl Fn(K) -> K,
    heard: impl Fn(Change<K>),
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default,
{
    let parse = |raw: DynamicObject| {
        let (namespace, name) = (raw.namespace().unwrap_or_default(), raw.name_any());
        match raw.try_parse::<K>() {
            Ok(object) => Some(keep(object)),
            Err(error) => {
                tracing::error!(namespace, name, %error, "left out: it is not what its kind promises");
                None
            }
        }
    };
    follow_with(api, config, store, parse, heard).await;
}

async fn follow_with<R, K>(
    api: kube::Api<R>,
    config: watcher::Config,
    store: &Store<K>,
    parse: impl Fn(R) -> Option<K>,
    heard: impl Fn(Change<K>),
) where
    R: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    K: Resource + Clone,
    K::DynamicType: Default,
{
    let kind = K::kind(&K::DynamicType::default()).into_owned();
    let mut events = watcher(api, config).backoff(Patience::default()).boxed();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => {
                if let Some(event) = parsed(event, &parse) {
                    store.apply(event).into_iter().for_each(&heard);
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(kind, error = chain(&error), "the watch broke off; trying again");
                store.broke.notify_one();
            }
        }
    }
}

/// How long to wait before a broken watch is taken up again. Revocations come by watch, so it is seconds and not the
/// half minute that client-go would wait; a little differs from broker to broker, so that they do not come all at once.
#[derive(Default)]
struct Patience(u32);

impl Iterator for Patience {
    type Item = Duration;
    fn next(&mut self) -> Option<Duration> {
        let base = Duration::from_millis(200 << self.0.min(4));
        self.0 += 1;
        let odd = jiff::Timestamp::now().subsec_nanosecond().unsigned_abs() % 200;
        Some(base + Duration::from_millis(odd.into()))
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        self.0 = 0;
    }
}

fn parsed<R: Resource, K>(
    event: watcher::Event<R>,
    parse: impl Fn(R) -> Option<K>,
) -> Option<watcher::Event<K>> {
    let bare = |mut object: R| {
        // Half of an object's memory, and nothing here reads it.
        object.meta_mut().managed_fields = None;
        parse(object)
    };
    Some(match event {
        watcher::Event::Init => watcher::Event::Init,
        watcher::Event::InitApply(object) => watcher::Event::InitApply(bare(object)?),
        watcher::Event::InitDone => watcher::Event::InitDone,
        watcher::Event::Apply(object) => watcher::Event::Apply(bare(object)?),
        watcher::Event::Delete(object) => watcher::Event::Delete(bare(object)?),
    })
}

fn key_of<K: Resource>(object: &K) -> ObjectKey
where
    K::DynamicType: Default,
{
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// Comparable since Kubernetes 1.35 (KEP-5504), and numbers in etcd long before; anything else counts as oldest.
fn revision<K: Resource>(object: &K) -> u64 {
    object.meta().resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while holding it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use watcher::Event;

    fn object(name: &str, revision: &str) -> ConfigMap {
        serde_json::from_value(serde_json::json!({"metadata": {"name": name, "resourceVersion": revision}}))
            .expect("a ConfigMap")
    }

    fn told(changes: &[Change<ConfigMap>]) -> Vec<String> {
        let one = |change: &Change<ConfigMap>| match change {
            Change::Applied(object) => format!("+{}", object.name_any()),
            Change::Removed(object) => format!("-{}", object.name_any()),
        };
        let mut all: Vec<_> = changes.iter().map(one).collect();
        all.sort();
        all
    }

    #[test]
    fn what_a_new_list_lacks_was_deleted_meanwhile() {
        let store = Store::default();
        store.apply(Event::Init);
        store.apply(Event::InitApply(object("a", "1")));
        store.apply(Event::InitApply(object("b", "2")));
        assert!(!store.is_synced());
        assert_eq!(told(&store.apply(Event::InitDone)), ["+a", "+b"]);
        assert!(store.is_synced());
        store.apply(Event::Init);
        store.apply(Event::InitApply(object("b", "2")));
        assert!(store.get("", "a").is_some(), "the old state serves until the list is complete");
        assert_eq!(told(&store.apply(Event::InitDone)), ["+b", "-a"]);
        assert!(store.get("", "a").is_none());
    }

    #[test]
    fn an_own_write_never_replaces_something_newer() {
        let store = Store::default();
        store.apply(Event::Apply(object("a", "10")));
        store.put(object("a", "9"));
        assert_eq!(store.get("", "a").expect("there").resource_version().as_deref(), Some("10"));
        store.put(object("a", "11"));
        assert_eq!(store.get("", "a").expect("there").resource_version().as_deref(), Some("11"));
    }
}
