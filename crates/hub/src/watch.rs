use futures::{Stream, StreamExt as _, stream};
use kube::{
    Api, Resource,
    core::{DeserializeGuard, ObjectMeta},
    runtime::{
        WatchStreamExt as _,
        utils::Backoff,
        watcher::{self, Event},
    },
};
use sallyport_api::MalformedObject;
use sallyport_client::{Fault, fault};
use sallyport_model::{clip, visible};
use serde::de::DeserializeOwned;
use std::{fmt::Debug, time::Duration};

/// What a watch tells.
#[derive(Clone, Debug)]
pub enum Change<K> {
    /// Everything there is: at the start, and again after a gap that could not be bridged.
    All {
        /// What could be read.
        objects: Vec<K>,
        /// What could not.
        malformed: Vec<MalformedObject>,
    },
    /// One is new or changed.
    Put(K),
    /// One is new or changed and can't be read any more: what was known of it no longer holds.
    Malformed(MalformedObject, Gone),
    /// One was deleted.
    Deleted(Gone),
    /// One is no longer among those that are watched, of a watch that selects by what may change: it was deleted, or changed
    /// so that it is not selected any more. An API server tells the two apart by nothing, and gives its last state as it was
    /// selected, not its present one: whoever wants that reads it.
    Left(Gone),
    /// The hub does not answer as it should: what is known may be stale. The watch goes on by itself.
    Trouble(Fault),
}

/// Which object is meant, when it is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

/// Lists, then watches, for ever: reconnects where the watch broke off, lists anew only where it must. Ends when
/// dropped. Each object is read by itself, so one that makes no sense blinds nobody to the others.
pub fn watch<K>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
) -> impl Stream<Item = Change<K>> + Send + 'static
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    begin(api, config, false)
}

/// As [`watch`], with a selection that an object can leave by changing.
pub(crate) fn watch_selected<K>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
) -> impl Stream<Item = Change<K>> + Send + 'static
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    begin(api, config, true)
}

fn begin<K>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
    may_leave: bool,
) -> impl Stream<Item = Change<K>> + Send + 'static
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    let events = Box::pin(watcher::watcher(api, config).backoff(Patience::default()));
    let reader = Reader { objects: Vec::new(), malformed: Vec::new(), may_leave };
    stream::unfold((events, reader), |(mut events, mut reader)| async move {
        loop {
            let change = reader.read(events.next().await?);
            if let Some(change) = change {
                return Some((change, (events, reader)));
            }
        }
    })
}

/// Gathers the objects of a list until it is complete.
struct Reader<K> {
    objects: Vec<K>,
    malformed: Vec<MalformedObject>,
    /// Whether an object can leave the selection without being deleted.
    may_leave: bool,
}

impl<K: Resource<DynamicType = ()>> Reader<K> {
    fn read(&mut self, event: Result<Event<DeserializeGuard<K>>, watcher::Error>) -> Option<Change<K>> {
        match event {
            Ok(Event::Init) => {
                self.objects.clear();
                self.malformed.clear();
                None
            }
            Ok(Event::InitApply(guard)) => {
                match guard.0 {
                    Ok(object) => self.objects.push(object),
                    Err(e) => self.malformed.push(malformed::<K>(&e.metadata, &e.error)),
                }
                None
            }
            Ok(Event::InitDone) => Some(Change::All {
                objects: std::mem::take(&mut self.objects),
                malformed: std::mem::take(&mut self.malformed),
            }),
            Ok(Event::Apply(guard)) => Some(match guard.0 {
                Ok(object) => Change::Put(object),
                Err(e) => Change::Malformed(malformed::<K>(&e.metadata, &e.error), gone(&e.metadata)),
            }),
            Ok(Event::Delete(guard)) => {
                let gone = gone(guard.meta());
                Some(if self.may_leave { Change::Left(gone) } else { Change::Deleted(gone) })
            }
            Err(error) => trouble(&error).map(Change::Trouble),
        }
    }
}

pub(crate) fn malformed<K: Resource<DynamicType = ()>>(meta: &ObjectMeta, why: &str) -> MalformedObject {
    let kind = match &*K::kind(&()) {
        "AccessCluster" => "AccessCluster",
        "AccessHold" => "AccessHold",
        "AccessProfile" => "AccessProfile",
        "AccessRequest" => "AccessRequest",
        _ => "object",
    };
    let name = clip(&visible(meta.name.as_deref().unwrap_or_default()), 80);
    MalformedObject { kind, name, why: clip(&visible(why), 300) }
}

fn gone(meta: &ObjectMeta) -> Gone {
    Gone {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
    }
}

/// An expired watch is no trouble: the list that follows is.
fn trouble(error: &watcher::Error) -> Option<Fault> {
    let found = match error {
        watcher::Error::InitialListFailed(e)
        | watcher::Error::WatchStartFailed(e)
        | watcher::Error::WatchFailed(e) => fault(e),
        watcher::Error::WatchError(status) if status.code == 410 => Fault::Gone,
        watcher::Error::WatchError(status) => Fault::Other(clip(&visible(&status.message), 300)),
        watcher::Error::NoResourceVersion => Fault::Other("the watch has no resource version".to_owned()),
    };
    (found != Fault::Gone).then_some(found)
}

/// Waits 0.2 s, then twice as long each time up to 10 s, each spread by half so that many desktops do not come back
/// at one moment. Begins anew after any success.
#[derive(Default)]
struct Patience {
    tries: u32,
}

impl Iterator for Patience {
    type Item = Duration;
    fn next(&mut self) -> Option<Duration> {
        let base =
            Duration::from_millis(200).saturating_mul(1 << self.tries.min(6)).min(Duration::from_secs(10));
        self.tries += 1;
        Some(base.mul_f64(rand::random_range(0.75..1.25)))
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_api::AccessCluster;
    use serde_json::{Value, json};

    fn guard(value: Value) -> DeserializeGuard<AccessCluster> {
        serde_json::from_value(value).unwrap()
    }

    fn cluster(name: &str, environment: Value) -> Value {
        json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster",
            "metadata": {"name": name, "uid": "u"},
            "spec": {"environment": environment, "endpoints": ["https://x"], "caBundle": "c"},
        })
    }

    #[test]
    fn one_malformed_object_does_not_hide_the_others() {
        let mut reader = Reader { objects: Vec::new(), malformed: Vec::new(), may_leave: false };
        assert!(reader.read(Ok(Event::Init)).is_none());
        for object in
            [cluster("a", json!("prod")), cluster("b\u{202e}", json!(7)), cluster("c", json!("dev"))]
        {
            assert!(reader.read(Ok(Event::InitApply(guard(object)))).is_none());
        }
        let Some(Change::All { objects, malformed }) = reader.read(Ok(Event::InitDone)) else { panic!() };
        assert_eq!(objects.len(), 2);
        assert_eq!((malformed[0].kind, malformed[0].name.as_str()), ("AccessCluster", "b⟨U+202E⟩"));

        let Some(Change::Malformed(bad, which)) =
            reader.read(Ok(Event::Apply(guard(cluster("a", json!(7))))))
        else {
            panic!()
        };
        assert_eq!((bad.name.as_str(), which.name.as_str()), ("a", "a"));
        assert!(matches!(
            reader.read(Ok(Event::Delete(guard(cluster("a", json!(7)))))),
            Some(Change::Deleted(_))
        ));
    }

    #[test]
    fn what_a_selection_lost_is_not_called_deleted() {
        for (may_leave, deleted) in [(false, true), (true, false)] {
            let mut reader = Reader { objects: Vec::new(), malformed: Vec::new(), may_leave };
            let change = reader.read(Ok(Event::Delete(guard(cluster("a", json!("prod"))))));
            assert_eq!(matches!(change, Some(Change::Deleted(_))), deleted);
            assert_eq!(matches!(change, Some(Change::Left(_))), !deleted);
        }
    }

    #[test]
    fn waiting_grows_to_ten_seconds_and_begins_anew() {
        let mut patience = Patience::default();
        let first = patience.next().unwrap();
        assert!((150..=250).contains(&first.as_millis()), "{first:?}");
        let late = patience.nth(50).unwrap();
        assert!((7_500..=12_500).contains(&late.as_millis()), "{late:?}");
        patience.reset();
        assert!(patience.next().unwrap() < Duration::from_millis(251));
    }
}
