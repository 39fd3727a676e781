//! An inventory over two hubs, and what they can tell.

use super::hub::{FakeHub, hubs};
use crate::inventory::Inventory;
use crate::person::WorkspaceId;
use crate::person::tests::{World as Desk, settled, workspace};
use sallyport_api::{AccessCluster, AccessPreviewSpec, AccessProfile, MalformedObject};
use sallyport_hub::{Beat, Change, Gone};
use sallyport_ipc::{ClusterView, Way};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Of every profile here.
pub(crate) const UID: &str = "6f1c2d7e-0000-4000-8000-000000000000";

/// What a profile allows, for its preview.
pub(crate) fn preview(verb: &str) -> AccessPreviewSpec {
    let profile = serde_json::from_value(json!({
        "name": "debug", "revision": format!("{UID}/1"),
        "rules": [{"role": "sallyport:view", "verbs": [verb], "apiGroups": [""], "resources": ["pods"]}],
    }));
    AccessPreviewSpec::of(vec![profile.unwrap()])
}

/// A cluster whose broker names this preview.
pub(crate) fn cluster(name: &str, preview: &AccessPreviewSpec) -> AccessCluster {
    let report = json!({"name": "debug", "revision": format!("{UID}/1"), "ruleCount": 1});
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": name},
        "spec": {"environment": "prod", "endpoints": ["https://c.example.test"], "caBundle": "x"},
        "status": {"broker": {"version": "0.1.0", "instance": "b"}, "profiles": [report], "preview": preview.digest},
    }))
    .unwrap()
}

pub(super) fn profile(name: &str) -> AccessProfile {
    profile_with(name, json!({}))
}

/// The same with more in its spec.
pub(crate) fn profile_with(name: &str, more: serde_json::Value) -> AccessProfile {
    let mut spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["a"], "maxDuration": "1h",
        "approvals": 0});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
        "metadata": {"name": name, "uid": UID, "generation": 1}, "spec": spec,
    }))
    .unwrap()
}

pub(crate) fn all<K>(objects: Vec<K>) -> Change<K> {
    Change::All { objects, malformed: Vec::new() }
}

pub(super) fn gone(name: &str) -> Gone {
    Gone { namespace: String::new(), name: name.to_owned(), uid: "u".to_owned() }
}

pub(super) fn malformed(kind: &'static str, name: &str) -> MalformedObject {
    MalformedObject { kind, name: name.to_owned(), why: "it makes no sense".to_owned() }
}

/// A sign of life that is so old.
pub(super) fn beat(cluster: &str, age: Duration) -> Beat {
    Beat { cluster: cluster.to_owned(), age, lasts: Duration::from_secs(90) }
}

pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) hubs: [Arc<FakeHub>; 2],
    pub(crate) inventory: Arc<Inventory>,
}

impl World {
    /// Somebody joined the first team; whoever signs in is followed.
    pub(crate) async fn new() -> Self {
        let (desk, hubs) = (Desk::joined().await, hubs());
        let of = hubs.clone();
        let inventory = Inventory::reading(
            desk.desk.clone(),
            desk.person.clone(),
            Box::new(move |signed| of[usize::from(signed.workspace != workspace(0).id())].clone()),
        );
        let inventory = Arc::new(inventory);
        tokio::spawn(inventory.clone().follow());
        tokio::spawn(inventory.clone().hint());
        for hub in &hubs {
            hub.beat(Ok(vec![beat("eu", Duration::ZERO), beat("us", Duration::ZERO)]));
            hub.lets_ask(&["debug"]);
        }
        Self { desk, hubs, inventory }
    }

    /// Ada sits at the first team, whose hub was heard: two clusters, a profile, the brokers alive.
    pub(super) async fn heard() -> Self {
        let world = Self::new().await;
        world.sign_in(0).await;
        let of = preview("get");
        world.hubs[0].clusters(all(vec![cluster("eu", &of), cluster("us", &of)]));
        world.hubs[0].profiles(all(vec![profile("debug")]));
        settled().await;
        assert_eq!(world.ways().await, [one_click(), one_click()]);
        world
    }

    /// Somebody signs in at a team that is in front.
    pub(super) async fn sign_in(&self, team: usize) {
        self.sign_in_as(team, "ada").await;
    }

    /// The same as somebody by name.
    pub(crate) async fn sign_in_as(&self, team: usize, subject: &str) {
        let before = self.hubs[team].listed.load(std::sync::atomic::Ordering::Relaxed);
        self.desk.sign_in_as(subject).await.unwrap();
        crate::person::tests::until("its hub is watched", || {
            self.hubs[team].listed.load(std::sync::atomic::Ordering::Relaxed) > before
        })
        .await;
    }

    /// Signs out as the app does for the two parts.
    pub(super) async fn sign_out(&self) {
        let signed = self.desk.person.signed().unwrap();
        signed.stop.cancel();
        self.inventory.clear(&signed.workspace);
        self.desk.person.forget(&signed, &[], &[]).await.unwrap();
    }

    pub(super) async fn list(&self) -> Vec<ClusterView> {
        self.inventory.list().await.unwrap().clusters
    }

    pub(super) async fn names(&self) -> Vec<String> {
        self.list().await.iter().map(|cluster| cluster.name.to_string()).collect()
    }

    pub(super) async fn ways(&self) -> Vec<Way> {
        self.list().await.into_iter().map(|cluster| cluster.way).collect()
    }

    pub(super) async fn problems(&self) -> Vec<String> {
        let problems = self.inventory.list().await.unwrap().problems;
        problems.iter().map(ToString::to_string).collect()
    }

    pub(super) fn first(&self) -> WorkspaceId {
        workspace(0).id()
    }
}

pub(super) fn one_click() -> Way {
    Way::OneClick { profile: "debug".into() }
}
