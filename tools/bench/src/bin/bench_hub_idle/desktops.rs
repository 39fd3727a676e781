//! The desktops, as far as an idle hub sees them.

use crate::DEADLINE;
use crate::cost::Relay;
use anyhow::{Result, bail};
use futures::StreamExt as _;
use kube::{Api, ResourceExt as _, runtime::watcher};
use sallyport_api::AccessPreview;
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_hub::{Change, Hub, until_next_look, watch};
use sallyport_model::Secret;
use sallyport_testkit::Plane;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Who the desktops are: an account that may see what a person may, and for the old way watch previews too.
const ACCOUNT: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: desktops}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: desktop, namespace: desktops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: desktops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'sallyport:hub-user'}
subjects: [{kind: ServiceAccount, namespace: desktops, name: desktop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: desktops, namespace: sallyport-brokers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: 'sallyport:hub-user'}
subjects: [{kind: ServiceAccount, namespace: desktops, name: desktop}]
---
apiVersion: v1
kind: Namespace
metadata: {name: team-idle, labels: {access.sallyport.dev/requests: 'true'}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: desktops, namespace: team-idle}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'sallyport:requester'}
subjects: [{kind: ServiceAccount, namespace: desktops, name: desktop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: old-way}
rules: [{apiGroups: [access.sallyport.dev], resources: [accesspreviews], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: old-way}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: old-way}
subjects: [{kind: ServiceAccount, namespace: desktops, name: desktop}]
"#;

/// The desktops' token: about as long as an ID token.
pub(crate) async fn token(hub: &Plane) -> Result<String> {
    hub.kubectl().apply(ACCOUNT).await?;
    let args = ["create", "token", "desktop", "-n", "desktops", "--duration", "2h"];
    Ok(hub.kubectl().ok(&args).await?.trim().to_owned())
}

/// Desktops that are signed in. Dropping them signs them out.
pub(crate) struct Desktops {
    tasks: JoinSet<()>,
    count: usize,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Desktops whose every first list is there, with how many clusters.
    listed: AtomicU64,
    clusters: AtomicU64,
    looks: AtomicU64,
    failed: AtomicU64,
}

impl Desktops {
    /// As many as that, each with connections of its own, through the relay.
    pub(crate) fn begin(hub: &Plane, relay: &Relay, token: &str, count: usize) -> Result<Self> {
        let (mut tasks, seen) = (JoinSet::new(), Arc::new(Seen::default()));
        for _ in 0..count {
            let (hub, seen) = (client(hub, relay, token)?, seen.clone());
            tasks.spawn(async move {
                // People do not all come at one moment.
                tokio::time::sleep(Duration::from_millis(rand::random_range(0..20_000))).await;
                desktop(&hub, &seen).await;
            });
        }
        Ok(Self { tasks, count, seen })
    }

    /// Waits until each has its first lists, with that many clusters.
    pub(crate) async fn settled(&self, clusters: usize, within: Duration) -> Result<()> {
        let (began, all) = (Instant::now(), self.count as u64);
        loop {
            let listed = self.seen.listed.load(Ordering::Relaxed);
            let found = self.seen.clusters.load(Ordering::Relaxed);
            if listed >= all && found >= all * clusters as u64 {
                return Ok(());
            }
            if began.elapsed() > within {
                bail!("{listed} of {all} desktops have their lists, with {found} clusters in all");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub(crate) fn looks(&self) -> u64 {
        self.seen.looks.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.seen.failed.load(Ordering::Relaxed)
    }
}

impl Drop for Desktops {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

fn client(hub: &Plane, relay: &Relay, token: &str) -> Result<Hub> {
    let endpoint = Endpoint::parse(&relay.url, Some(&hub.ca_pem()), None)?;
    let token = Credential::Token(Secret::new(token.to_owned()));
    Ok(Hub::new(connect(&endpoint, token, Timeouts::both(DEADLINE))?, DEADLINE))
}

/// The team whose requests are watched; a person of several teams has as many watches.
const TEAM: &str = "team-idle";
/// How often what one may do is read again, as the product does (`inventory::watch`).
const RIGHTS_EACH: Duration = Duration::from_secs(300);

/// What a desktop does for as long as somebody is signed in and does nothing: the watches of clusters, profiles, holds and
/// a team's open requests, what one may do, and beats.
async fn desktop(hub: &Hub, seen: &Seen) {
    let mut clusters = std::pin::pin!(hub.watch_clusters());
    let watching = async {
        while let Some(change) = clusters.next().await {
            match change {
                Change::All { objects, .. } => seen.list_is_there(objects.len()),
                Change::Trouble(_) => seen.fail(),
                _ => {}
            }
        }
    };
    let mut profiles = std::pin::pin!(hub.watch_profiles());
    let asking = async {
        let mut names = Vec::new();
        loop {
            tokio::select! {
                change = profiles.next() => match change {
                    Some(Change::All { objects, .. }) => {
                        names = objects.iter().filter_map(|profile| profile.name_any().parse().ok()).collect();
                    }
                    Some(_) => continue,
                    None => return,
                },
                () = tokio::time::sleep(RIGHTS_EACH) => {}
            }
            if hub.rights(&names).await.is_err() {
                seen.fail();
            }
        }
    };
    let holding = watched(hub.watch_holds(), seen);
    let team = TEAM.parse().expect("a name of a namespace");
    let deciding = watched(hub.watch_open(&team), seen);
    let listening = async {
        loop {
            match hub.beats().await {
                Ok(_) => seen.looks.fetch_add(1, Ordering::Relaxed),
                Err(_) => seen.failed.fetch_add(1, Ordering::Relaxed),
            };
            tokio::time::sleep(until_next_look()).await;
        }
    };
    tokio::join!(watching, asking, holding, deciding, listening);
}

/// A watch of which nothing is wanted here but that it goes on.
async fn watched<T>(changes: impl futures::Stream<Item = Change<T>>, seen: &Seen) {
    let mut changes = std::pin::pin!(changes);
    while let Some(change) = changes.next().await {
        if matches!(change, Change::Trouble(_)) {
            seen.fail();
        }
    }
}

impl Seen {
    fn list_is_there(&self, clusters: usize) {
        self.listed.fetch_add(1, Ordering::Relaxed);
        self.clusters.fetch_add(clusters as u64, Ordering::Relaxed);
    }

    fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Desktops that watch what is large, as they all did.
pub(crate) fn old(hub: &Plane, relay: &Relay, token: &str, count: usize) -> Result<Desktops> {
    let (mut tasks, seen) = (JoinSet::new(), Arc::new(Seen::default()));
    for _ in 0..count {
        let (hub, seen) = (client(hub, relay, token)?, seen.clone());
        tasks.spawn(async move {
            let api = Api::all(hub.client().clone());
            let mut changes = std::pin::pin!(watch::<AccessPreview>(api, watcher::Config::default()));
            while let Some(change) = changes.next().await {
                match change {
                    Change::All { objects, .. } => seen.list_is_there(objects.len()),
                    Change::Trouble(_) => seen.fail(),
                    _ => {}
                }
            }
        });
    }
    Ok(Desktops { tasks, count, seen })
}
