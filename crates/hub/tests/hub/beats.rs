//! Signs of life and reports, as a broker writes them and a desktop reads them.

use super::{DEADLINE, desk, hub, person};
use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, ResourceExt as _};
use sallyport_api::{
    AccessClusterStatus, AccessPreviewSpec, BrokerReport, ProfilePreview, ProfileReport, RuleSummary,
};
use sallyport_client::Fault;
use sallyport_hub::Hub;
use sallyport_model::ClusterName;
use sallyport_testkit::Identity;
use sallyport_testkit::repository::deploy;
use serde_json::json;
use std::time::Duration;

const LASTS: Duration = Duration::from_secs(90);

/// A cluster and its broker on the hub.
async fn enrolled(name: &str) -> Result<(ClusterName, Hub)> {
    let plane = hub().await?;
    let manifest = std::fs::read_to_string(deploy("hub/enrol.yaml"))?;
    plane.kubectl().apply(&manifest.replace("CLUSTER", name)).await?;
    let object = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": name},
        "spec": {"environment": "dev", "endpoints": ["https://x.example:6443"], "caBundle": "c"},
    });
    plane.kubectl().apply(&object.to_string()).await?;
    let broker = Identity::new(format!("system:serviceaccount:sallyport-brokers:{name}"))
        .group("system:serviceaccounts")
        .group("system:serviceaccounts:sallyport-brokers");
    Ok((name.parse()?, Hub::new(plane.client_as(&broker)?, DEADLINE)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_of_life_is_given_renewed_and_told_by_its_age_on_the_hub() -> Result<()> {
    let (cluster, broker) = enrolled("beats-1").await?;
    let ada = desk(&person("ada", "payments-dev")).await?;
    ensure!(ada.beat_of(&cluster).await?.is_none(), "it never gave one");
    let at = |seconds| Timestamp::now().checked_sub(SignedDuration::from_secs(seconds));
    broker.beat(&cluster, "broker-a", LASTS, at(600)?).await?;
    let old = ada.beat_of(&cluster).await?.context("a sign of life")?;
    ensure!(old.is_silent() && old.age >= Duration::from_secs(598), "{old:?}");
    // Renewed, and after somebody deleted it.
    broker.beat(&cluster, "broker-a", LASTS, Timestamp::now()).await?;
    let leases: Api<Lease> = Api::namespaced(hub().await?.admin()?, "sallyport-brokers");
    leases.delete(cluster.as_str(), &Default::default()).await?;
    broker.beat(&cluster, "broker-b", LASTS, Timestamp::now()).await?;
    broker.beat(&cluster, "broker-b", LASTS, Timestamp::now()).await?;
    let kept = leases.get(cluster.as_str()).await?;
    ensure!(kept.managed_fields().is_empty(), "half of what is listed: {:?}", kept.managed_fields());
    ensure!(kept.spec.and_then(|spec| spec.holder_identity).as_deref() == Some("broker-b"));
    let found = ada.beats().await?;
    let fresh = found.iter().find(|beat| beat.cluster == cluster.as_str()).context("it is listed")?;
    ensure!(!fresh.is_silent() && fresh.age < Duration::from_secs(60) && fresh.lasts == LASTS, "{fresh:?}");
    // Who sees no clusters sees no brokers.
    let noor = desk(&person("noor", "visitors")).await?;
    ensure!(matches!(noor.beats().await, Err(Fault::Forbidden(_))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_is_nobodys_to_speak_for() -> Result<()> {
    let (_, broker) = enrolled("beats-2").await?;
    let (other, _) = enrolled("beats-3").await?;
    let refused = broker.beat(&other, "broker-a", LASTS, Timestamp::now()).await;
    ensure!(matches!(refused, Err(Fault::Forbidden(_))), "{refused:?}");
    let refused = broker.put_preview(&other, &AccessPreviewSpec::of(Vec::new())).await;
    ensure!(matches!(refused, Err(Fault::Forbidden(_))), "{refused:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_written_whole_and_its_preview_read_beside_it() -> Result<()> {
    let (cluster, broker) = enrolled("beats-4").await?;
    let ada = desk(&person("ada", "payments-dev")).await?;
    ensure!(ada.preview(&cluster).await?.is_none() && broker.reported(&cluster).await?.is_none());
    let rule = RuleSummary { role: "view".into(), verbs: vec!["get".into()], ..RuleSummary::default() };
    let rules = vec![rule; 3];
    let of = |names: &[&str]| {
        let preview = AccessPreviewSpec::of(
            names
                .iter()
                .map(|name| ProfilePreview {
                    name: (*name).into(),
                    revision: "a/1".into(),
                    rules: rules.clone(),
                    warnings: vec![],
                })
                .collect(),
        );
        let status = AccessClusterStatus {
            broker: Some(BrokerReport { version: "9".into(), instance: "b".into(), heartbeat: None }),
            kubernetes_version: Some("v1.37.2".into()),
            profiles: names
                .iter()
                .map(|name| ProfileReport {
                    name: (*name).into(),
                    revision: "a/1".into(),
                    rule_count: 3,
                    refused: None,
                })
                .collect(),
            preview: Some(preview.digest.clone()),
            guardrails: None,
            hub_guardrails: None,
        };
        (status, preview)
    };
    for names in [&["a", "b"][..], &["b"], &[]] {
        let (status, preview) = of(names);
        broker.put_preview(&cluster, &preview).await?;
        broker.report(&cluster, &status).await?;
        ensure!(broker.reported(&cluster).await? == Some(status));
        ensure!(ada.preview(&cluster).await? == Some(preview));
    }
    // What a later report lacks is gone.
    broker.report(&cluster, &AccessClusterStatus::default()).await?;
    ensure!(broker.reported(&cluster).await? == Some(AccessClusterStatus::default()));
    Ok(())
}
