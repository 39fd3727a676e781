//! What the AccessCluster says about its broker, its profiles and its guardrails.

use crate::{broker::Broker, clock::hello, failure::Failure, guardrails::Verdict, hubside::MANAGER};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use sallyport_api::{AccessCluster, BrokerReport, GuardrailReport, ProfileReport, RuleSummary};
use sallyport_client::within;
use sallyport_model::{ClusterName, Profile, clip};
use sallyport_rbac::RULES_MOST;
use serde_json::json;
use std::{sync::Mutex, time::Duration};

/// What the CRD holds.
const PROFILES_MOST: usize = 64;
/// Rules in all reports together: an object has to stay well below etcd's limit.
const RULES_IN_ALL: usize = 1024;

/// What one beat found out, kept for the next.
#[derive(Default)]
pub(crate) struct Pulse {
    version: Mutex<String>,
    guardrails: Mutex<Option<GuardrailReport>>,
}

/// One of a cluster's requests, if there is any.
fn own_requests(cluster: &ClusterName) -> String {
    format!(
        "/apis/access.sallyport.dev/v1alpha1/accessrequests?limit=1&fieldSelector=spec.cluster%3D{cluster}"
    )
}

impl Broker {
    /// Reads both clocks, and asks the hub for what this broker must be able to hear: its own requests. Only that
    /// counts as contact; a load balancer without a hub behind it, and a hub that no longer takes this broker's token,
    /// answer too (attack 10). Used at start and with every beat.
    pub(crate) async fn read_clocks(&self, pulse: &Pulse) -> Result<(), Failure> {
        let own = own_requests(&self.config.cluster);
        let (hub, target) = tokio::join!(
            hello(&self.hub.client, &own, self.config.deadline),
            hello(self.target.client(), "/version", self.config.deadline)
        );
        if let Ok(hub) = &hub {
            self.contact.heard();
            self.clock.set_hub(hub.difference);
        }
        let target = target?;
        self.clock.set_target(target.difference);
        *pulse.version.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = target.version;
        hub.map(drop)
    }

    /// Reports at every beat, and soon after a profile or role changed, for ever.
    pub(crate) async fn keep_reporting(&self, pulse: &Pulse) {
        loop {
            if let Err(failure) = self.read_clocks(pulse).await {
                tracing::warn!(%failure, "the clocks can't be compared");
            }
            if let Err(failure) = self.report_once(pulse).await {
                tracing::warn!(%failure, "the AccessCluster's status can't be written");
            }
            tokio::select! {
                () = tokio::time::sleep(self.beat()) => {}
                () = async {
                    self.report.notified().await;
                    // A GitOps run changes many profiles at once.
                    tokio::time::sleep(Duration::from_millis(500)).await;
                } => {}
            }
        }
    }

    /// Often enough that one lost beat does not look like silence.
    fn beat(&self) -> Duration {
        self.config.heartbeat.min(self.config.hub_silence / 5)
    }

    /// Verifies the guardrails at once and at every turn, for ever.
    pub(crate) async fn keep_verifying(&self, pulse: &Pulse) {
        loop {
            let Verdict { verified, detail } = self.verify_guardrails().await;
            if !verified {
                tracing::warn!(detail, "the guardrails are not verified");
            }
            let checked_at = Time(jiff::Timestamp::now());
            let report = GuardrailReport { verified, checked_at, detail: clip(&detail, 1024) };
            *pulse.guardrails.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(report);
            self.report.notify_one();
            tokio::time::sleep(self.config.guardrails_every).await;
        }
    }

    async fn report_once(&self, pulse: &Pulse) -> Result<(), Failure> {
        let broker = BrokerReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            heartbeat: Time(jiff::Timestamp::now()),
            instance: self.config.instance(),
        };
        let version = pulse.version.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let guardrails = pulse.guardrails.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let status = json!({"status": {
            "broker": broker, "kubernetesVersion": version, "profiles": self.profile_reports(), "guardrails": guardrails,
        }});
        let api: Api<AccessCluster> = Api::all(self.hub.client.clone());
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(&status);
        let written = api.patch_status(self.config.cluster.as_str(), &params, &patch);
        within(self.config.deadline, written).await.map(drop).map_err(Failure::Hub)
    }

    fn profile_reports(&self) -> Vec<ProfileReport> {
        let mut profiles: Vec<Profile> = Vec::new();
        for object in self.stores.profiles.all() {
            match Profile::try_from(&*object) {
                Ok(profile) if profile.covers(&self.config.cluster) => profiles.push(profile),
                Ok(_) => {}
                Err(malformed) => tracing::warn!(%malformed, "left out of the report"),
            }
        }
        profiles.sort_by(|a, b| a.name.cmp(&b.name));
        profiles.truncate(PROFILES_MOST);
        let mut left = RULES_IN_ALL;
        profiles.iter().map(|profile| self.profile_report(profile, &mut left)).collect()
    }

    fn profile_report(&self, profile: &Profile, left: &mut usize) -> ProfileReport {
        let (offer, fit) = self.preview(profile);
        let take = offer.rules.len().min(RULES_MOST).min(*left);
        *left -= take;
        ProfileReport {
            name: profile.name.to_string(),
            revision: profile.revision.to_string(),
            rules: offer.rules.iter().take(take).map(RuleSummary::from).collect(),
            warnings: offer.warnings.iter().take(16).map(|text| clip(text, 256)).collect(),
            refused: fit.err().map(|ending| clip(&ending.message, 1024)),
        }
    }
}
