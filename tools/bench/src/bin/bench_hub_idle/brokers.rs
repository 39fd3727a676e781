//! The brokers, as far as an idle hub sees them.

use crate::{DEADLINE, reports};
use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use futures::{Stream, StreamExt as _, stream};
use sallyport_api::AccessPreviewSpec;
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_hub::Hub;
use sallyport_model::{ClusterName, Secret};
use sallyport_testkit::Plane;
use sallyport_testkit::repository::deploy;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};

/// A cluster's broker on the hub, with a token and connections of its own.
#[derive(Clone)]
pub(crate) struct Enrolled {
    pub(crate) cluster: ClusterName,
    hub: Hub,
}

/// Work that goes on until it is dropped, and how much of it failed.
pub(crate) struct Going {
    _tasks: JoinSet<()>,
    failed: Arc<AtomicU64>,
}

impl Going {
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Makes the clusters and their brokers' accounts, as an admin enrols them.
pub(crate) async fn enrol(hub: &Plane, clusters: usize) -> Result<Vec<Enrolled>> {
    let enrol = std::fs::read_to_string(deploy("hub/enrol.yaml"))?;
    let names: Vec<String> = (1..=clusters).map(|number| format!("payments-eu-{number}")).collect();
    let mut manifests = Vec::new();
    for name in &names {
        manifests.push(enrol.replace("CLUSTER", name));
        let spec = json!({
            "displayName": format!("Payments EU {name}"), "environment": "prod", "provider": "EKS", "region": "eu-west-1",
            "endpoints": [format!("https://{name}.clusters.example.test:6443")], "caBundle": hub.ca_pem(),
        });
        let object = json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": name}, "spec": spec,
        });
        manifests.push(object.to_string());
    }
    hub.kubectl().apply(&manifests.join("\n---\n")).await?;
    let of = async |name: &String| {
        let args = ["create", "token", name, "-n", "sallyport-brokers", "--duration", "1h"];
        let token = hub.kubectl().ok(&args).await.context("a broker's token")?;
        let endpoint = Endpoint::parse(hub.url(), Some(&hub.ca_pem()), None)?;
        let token = Credential::Token(Secret::new(token.trim().to_owned()));
        let client = connect(&endpoint, token, Timeouts::both(DEADLINE))?;
        anyhow::Ok(Enrolled { cluster: name.parse()?, hub: Hub::new(client, DEADLINE) })
    };
    let mut all = Vec::new();
    for some in names.chunks(8) {
        all.extend(try_join_all(some.iter().map(of)).await?);
    }
    Ok(all)
}

/// Has each broker report once and then do what a broker does while nothing happens.
pub(crate) async fn begin(brokers: &[Enrolled], beat: Duration) -> Result<Going> {
    let reported = stream::iter(brokers.iter().map(|broker| async {
        let (status, preview) = reports::of(broker)?;
        broker.hub.put_preview(&broker.cluster, &preview).await?;
        broker.hub.report(&broker.cluster, &status).await?;
        broker.beat(beat).await
    }));
    reported.buffer_unordered(8).collect::<Vec<Result<()>>>().await.into_iter().collect::<Result<()>>()?;
    let (mut tasks, failed) = (JoinSet::new(), Arc::new(AtomicU64::new(0)));
    for (turn, broker) in brokers.iter().cloned().enumerate() {
        let first = Instant::now() + beat.mul_f64(turn as f64 / brokers.len() as f64);
        tasks.spawn(drain(broker.hub.watch_for_cluster(&broker.cluster)));
        tasks.spawn(drain(broker.hub.watch_profiles()));
        let failed = failed.clone();
        tasks.spawn(async move {
            let mut turns = interval_at(first, beat);
            loop {
                turns.tick().await;
                if broker.beat(beat).await.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    Ok(Going { _tasks: tasks, failed })
}

async fn drain<T>(changes: impl Stream<Item = T>) {
    changes.for_each(async |_| {}).await;
}

impl Enrolled {
    /// The look at its own requests by which a broker knows that the hub hears it, and the sign of life.
    async fn beat(&self, beat: Duration) -> Result<()> {
        let own = format!(
            "/apis/access.sallyport.dev/v1alpha1/accessrequests?limit=1&fieldSelector=spec.cluster%3D{}",
            self.cluster
        );
        self.hub.client().request_text(http::Request::get(own).body(Vec::new())?).await?;
        self.hub
            .beat(&self.cluster, "sallyport-broker-7d4b9c6f5d-x2x4z", beat * 3, jiff::Timestamp::now())
            .await?;
        Ok(())
    }
}

/// The old way: each broker writes an object of the old size anew at every beat.
pub(crate) fn old(brokers: &[Enrolled], beat: Duration) -> Going {
    let (mut tasks, failed) = (JoinSet::new(), Arc::new(AtomicU64::new(0)));
    for (turn, broker) in brokers.iter().cloned().enumerate() {
        let first = Instant::now() + beat.mul_f64(turn as f64 / brokers.len() as f64);
        let failed = failed.clone();
        tasks.spawn(async move {
            let mut turns = interval_at(first, beat);
            for number in 0_u64.. {
                turns.tick().await;
                let Ok((_, preview)) = reports::of(&broker) else { return };
                let digest = format!("{number:064x}");
                let anew = AccessPreviewSpec { digest, profiles: preview.profiles };
                if broker.hub.put_preview(&broker.cluster, &anew).await.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    Going { _tasks: tasks, failed }
}
