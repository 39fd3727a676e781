//! What the broker says of its cluster on the hub: that it is alive (a Lease, at every beat), and who serves, what each
//! profile is here and whether the guardrails hold (AccessCluster and AccessPreview, when it changed).

use crate::{
    broker::Broker,
    clock::hello,
    failure::Failure,
    guardrails::Verdict,
    room::Room,
    told::{Told, Turn},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sallyport_api::{
    AccessClusterStatus, AccessPreviewSpec, BrokerReport, GuardrailReport, ProfilePreview, ProfileReport,
};
use sallyport_client::Fault;
use sallyport_model::{ClusterName, Phase, Profile, clip};
use std::{sync::Mutex, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};

/// How long policies that change are given to change all, and to bite.
const SETTLES: Duration = Duration::from_secs(2);
/// How soon the hub's are looked at again while nothing can be granted.
const SOON: Duration = Duration::from_secs(10);
/// What the CRD holds.
const PROFILES_MOST: usize = 64;

/// What one beat found out, kept for the next.
#[derive(Default)]
pub(crate) struct Pulse {
    version: Mutex<String>,
    guardrails: Mutex<Option<GuardrailReport>>,
    hub_guardrails: Mutex<Option<GuardrailReport>>,
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

    /// Gives a sign of life at every beat, and reports what changed, soon after a profile or role did, for ever.
    pub(crate) async fn keep_reporting(&self, pulse: &Pulse) {
        let (mut due, mut told) = (Instant::now(), Told::default());
        loop {
            if due <= Instant::now() {
                due = Instant::now() + self.beat();
                self.give_sign(pulse).await;
            }
            if let Err(fault) = self.report_once(pulse, &mut told).await {
                // What was not answered may have been written.
                told.forget();
                tracing::warn!(%fault, "what this cluster is can't be reported to the hub; trying again with the next beat");
            }
            tokio::select! {
                () = sleep_until(due) => {}
                () = async {
                    self.report.notified().await;
                    // A GitOps run changes many profiles at once.
                    sleep(Duration::from_millis(500)).await;
                } => {}
            }
        }
    }

    /// One beat: compares the clocks, then says on the hub that this broker is alive, by the hub's clock.
    async fn give_sign(&self, pulse: &Pulse) {
        if let Err(failure) = self.read_clocks(pulse).await {
            tracing::warn!(%failure, "the clocks can't be compared");
        }
        // Two beats may be lost.
        let (cluster, lasts) = (&self.config.cluster, self.beat() * 3);
        let given =
            self.reports().beat(cluster, &self.config.instance(), lasts, self.clock.hub_instant()).await;
        if let Err(fault) = given {
            tracing::warn!(%fault, "the sign of life can't be given: who asks takes this broker for silent");
        }
    }

    /// The hub in the words of desktops.
    pub(crate) fn reports(&self) -> sallyport_hub::Hub {
        sallyport_hub::Hub::new(self.hub.client.clone(), self.config.deadline)
    }

    /// Often enough that one lost beat does not look like silence.
    fn beat(&self) -> Duration {
        self.config.heartbeat.min(self.config.hub_silence / 5)
    }

    /// Verifies the guardrails of both sides at once, at every turn, and soon after the hub's have changed or their watch
    /// broke off, for ever.
    pub(crate) async fn keep_verifying(&self, pulse: &Pulse) {
        let (policies, bindings) = (&self.stores.hub_policies, &self.stores.hub_bindings);
        loop {
            let could = self.hub_set().is_ok();
            let (target, hub) = tokio::join!(self.verify_guardrails(), self.verify_hub());
            note("the target's", &target, None, &pulse.guardrails);
            note("the hub's", &hub.verdict, hub.set, &pulse.hub_guardrails);
            self.report.notify_one();
            if !could && self.hub_set().is_ok() {
                self.wake_open(|request| request.phase() == Phase::Pending);
            }
            // What is as shipped and let a probe through may not have taken effect yet.
            let again = if self.hub_set().is_ok() { self.config.guardrails_every } else { SOON };
            tokio::select! {
                () = sleep(again.min(self.config.guardrails_every)) => {}
                () = async {
                    tokio::select! {
                        () = self.verify.notified() => {}
                        () = policies.broke.notified() => {}
                        () = bindings.broke.notified() => {}
                    }
                    // A set is applied object by object, and takes a moment to bite.
                    sleep(SETTLES).await;
                } => {}
            }
        }
    }

    /// Writes what differs from what was written last; every so often looks whether that still stands there.
    async fn report_once(&self, pulse: &Pulse, told: &mut Told) -> Result<(), Fault> {
        let (status, preview) = self.report(pulse);
        let (hub, cluster) = (self.reports(), &self.config.cluster);
        match told.turn(&status, self.config.reports_compared, Instant::now()) {
            Turn::Nothing => return Ok(()),
            Turn::Compare => {
                let (there, beside) = tokio::try_join!(hub.reported(cluster), hub.preview(cluster))?;
                if there.map(|there| stamped(there, None)).as_ref() == Some(&status)
                    && beside.as_ref() == Some(&preview)
                {
                    told.stands(status, Instant::now());
                    return Ok(());
                }
                tracing::warn!("somebody else changed what this broker reported; it is put right");
                told.forget();
            }
            Turn::Write => {}
        }
        // The preview first: whoever reads the status finds the one it names.
        if !told.has_preview(&preview.digest) {
            if let Err(fault) = hub.put_preview(cluster, &preview).await {
                // Whether the guardrails hold is said whatever becomes of the preview; then it names none.
                let none = AccessClusterStatus { preview: None, ..status };
                hub.report(cluster, &stamped(none, Some(self.clock.hub_instant()))).await?;
                return Err(fault);
            }
            told.previewed(&preview.digest);
        }
        hub.report(cluster, &stamped(status.clone(), Some(self.clock.hub_instant()))).await?;
        told.stands(status, Instant::now());
        Ok(())
    }

    /// What there is to say, in its two parts.
    fn report(&self, pulse: &Pulse) -> (AccessClusterStatus, AccessPreviewSpec) {
        let broker = BrokerReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: self.config.instance(),
            heartbeat: None,
        };
        let version = pulse.version.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let last = |of: &Mutex<Option<GuardrailReport>>| {
            of.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
        };
        let (profiles, previews) = self.profile_reports();
        let preview = AccessPreviewSpec::of(previews);
        let status = AccessClusterStatus {
            broker: Some(broker),
            kubernetes_version: Some(version),
            profiles,
            preview: Some(preview.digest.clone()),
            guardrails: last(&pulse.guardrails),
            hub_guardrails: last(&pulse.hub_guardrails),
        };
        (status, preview)
    }

    fn profile_reports(&self) -> (Vec<ProfileReport>, Vec<ProfilePreview>) {
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
        let mut room = Room::default();
        profiles.iter().map(|profile| self.profile_report(profile, &mut room)).unzip()
    }

    fn profile_report(&self, profile: &Profile, room: &mut Room) -> (ProfileReport, ProfilePreview) {
        let (offer, unfit) = self.preview(profile);
        let (name, revision) = (profile.name.to_string(), profile.revision.to_string());
        let report = ProfileReport {
            name: name.clone(),
            revision: revision.clone(),
            rule_count: u32::try_from(offer.rules.len()).unwrap_or(u32::MAX),
            refused: unfit.map(|why| clip(&why, 1024)),
        };
        let preview = ProfilePreview {
            name,
            revision,
            rules: room.take(&offer),
            warnings: offer.warnings.iter().take(16).map(|text| clip(text, 256)).collect(),
        };
        (report, preview)
    }
}

/// With the time of its writing, which is no part of what it says.
fn stamped(mut status: AccessClusterStatus, at: Option<jiff::Timestamp>) -> AccessClusterStatus {
    if let Some(broker) = status.broker.as_mut() {
        broker.heartbeat = at.map(Time);
    }
    status
}

/// Keeps a verdict for the report, and says in the log when it is another and not good.
fn note(whose: &str, found: &Verdict, set: Option<u32>, kept: &Mutex<Option<GuardrailReport>>) {
    let mut report = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let now = verdict(report.clone(), found, set, jiff::Timestamp::now());
    if !found.verified && report.as_ref() != Some(&now) {
        tracing::warn!(whose, detail = found.detail, "the guardrails are not verified");
    }
    *report = Some(now);
}

/// The verdict to report: one that comes to what the last did is the last, and holds since then. How many probes a check that
/// found all in order could make differs with what stands on the target, and makes no other verdict.
fn verdict(
    before: Option<GuardrailReport>,
    found: &Verdict,
    set: Option<u32>,
    now: jiff::Timestamp,
) -> GuardrailReport {
    let (verified, detail) = (found.verified, clip(&found.detail, 1024));
    let same = |old: &GuardrailReport| {
        old.verified == verified && old.set == set && (verified || old.detail == detail)
    };
    // Seconds are what the API server keeps.
    let since = Time(jiff::Timestamp::from_second(now.as_second()).unwrap_or(now));
    before
        .filter(same)
        .unwrap_or_else(|| GuardrailReport { set, ..GuardrailReport::new(verified, since, detail) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_a_verdict_holds_since_it_was_first_given() {
        let at = |second| jiff::Timestamp::from_second(second).expect("a time");
        let verdict = |before, verified, detail: &str, now| {
            verdict(before, &Verdict { verified, detail: detail.to_owned() }, None, now)
        };
        let first = verdict(None, true, "12 policies, 3 probes", at(100));
        assert_eq!(first.since_ms() / 1000, 100);
        let again = verdict(Some(first), true, "12 policies, 4 probes", at(400));
        assert_eq!((again.since_ms() / 1000, again.detail.as_str()), (100, "12 policies, 3 probes"));
        let broken = verdict(Some(again), false, "a is missing", at(700));
        assert_eq!(broken.since_ms() / 1000, 700);
        assert_eq!(verdict(Some(broken.clone()), false, "a is missing", at(1000)).since_ms() / 1000, 700);
        assert_eq!(verdict(Some(broken.clone()), false, "b is missing", at(1000)).since_ms() / 1000, 1000);
        assert_eq!(verdict(Some(broken), true, "12 policies, 4 probes", at(1300)).since_ms() / 1000, 1300);
    }
}
