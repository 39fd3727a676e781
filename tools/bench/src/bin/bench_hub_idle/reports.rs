//! A realistic report: the demo's profiles over the ClusterRoles that are shipped.

use crate::brokers::Enrolled;
use anyhow::{Context as _, Result};
use k8s_openapi::api::rbac::v1::ClusterRole;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sallyport_api::{
    AccessClusterStatus, AccessPreviewSpec, AccessProfile, BrokerReport, GuardrailReport, ProfilePreview,
    ProfileReport, RuleSummary,
};
use sallyport_model::glob_matches;
use sallyport_testkit::repository::deploy;
use serde_json::Value;

/// What an AccessCluster's previews took in a team with many profiles, in bytes.
const PREVIEW: usize = 18_000;

/// What a broker of that cluster would report. The profiles that cover it come again under other names until the preview has
/// its size.
pub(crate) fn of(broker: &Enrolled) -> Result<(AccessClusterStatus, AccessPreviewSpec)> {
    let covering: Vec<AccessProfile> =
        documents::<AccessProfile>("demo/profiles/profiles.yaml", "AccessProfile")?
            .into_iter()
            .filter(|one| one.spec.clusters.iter().any(|glob| glob_matches(glob, broker.cluster.as_str())))
            .collect();
    let roles = documents::<ClusterRole>("target/roles.yaml", "ClusterRole")?;
    let (mut profiles, mut previews) = (Vec::new(), Vec::new());
    for (turn, profile) in covering.iter().cycle().enumerate() {
        let preview = AccessPreviewSpec::of(previews.clone());
        if serde_json::to_string(&preview)?.len() >= PREVIEW {
            break;
        }
        let name = format!("{}-{turn}", profile.metadata.name.as_deref().context("a name")?);
        let revision = "6f1c2d7e-0000-4000-8000-000000000000/3".to_owned();
        let rules: Vec<RuleSummary> =
            profile.spec.roles.iter().flat_map(|role| rules(&roles, role)).collect();
        profiles.push(ProfileReport {
            name: name.clone(),
            revision: revision.clone(),
            rule_count: u32::try_from(rules.len())?,
            refused: None,
        });
        let warnings =
            vec!["What is edited with these rights keeps running after the session ends.".to_owned()];
        previews.push(ProfilePreview { name, revision, rules, warnings });
    }
    let preview = AccessPreviewSpec::of(previews);
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second())?;
    let status = AccessClusterStatus {
        broker: Some(BrokerReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: format!("sallyport-broker-7d4b9c6f5d-{}", broker.cluster),
            heartbeat: Some(Time(now)),
        }),
        kubernetes_version: Some("v1.37.2".to_owned()),
        profiles,
        preview: Some(preview.digest.clone()),
        guardrails: Some(GuardrailReport::new(
            true,
            Time(now),
            "14 policies as shipped, 4 probes refused, by kubernetes.default.svc:443",
        )),
        hub_guardrails: Some(GuardrailReport::new(
            true,
            Time(now),
            "set 2 as shipped, 2 probes refused, by https://hub.example.test:6443",
        )),
    };
    Ok((status, preview))
}

fn rules(roles: &[ClusterRole], name: &str) -> Vec<RuleSummary> {
    let of_name = roles.iter().filter(|role| role.metadata.name.as_deref() == Some(name));
    let all = of_name.flat_map(|role| role.rules.iter().flatten());
    all.map(|rule| RuleSummary {
        role: name.to_owned(),
        verbs: rule.verbs.clone(),
        api_groups: rule.api_groups.clone().unwrap_or_default(),
        resources: rule.resources.clone().unwrap_or_default(),
        resource_names: rule.resource_names.clone().unwrap_or_default(),
        non_resource_urls: rule.non_resource_urls.clone().unwrap_or_default(),
    })
    .collect()
}

fn documents<K: serde::de::DeserializeOwned>(file: &str, kind: &str) -> Result<Vec<K>> {
    let path = deploy(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let all: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    let ours = all.into_iter().filter(|object| object["kind"] == kind);
    ours.map(|object| Ok(serde_json::from_value(object)?)).collect()
}
