//! One broker at a time: a Lease on the target, as client-go's leader election keeps it.

use crate::failure::Failure;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use sallyport_client::{Fault, within};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// The Lease and how it is kept.
pub(crate) struct Seat {
    pub(crate) api: Api<Lease>,
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) duration: Duration,
    pub(crate) renew: Duration,
    pub(crate) deadline: Duration,
}

/// What was last seen in the Lease, and since when by our own clock: others' clocks are not believed.
#[derive(Default)]
struct Sight {
    holder: String,
    renewed: Option<MicroTime>,
    since: Option<Instant>,
}

impl Seat {
    /// Tries for the seat for ever and tells `leading` of every change.
    pub(crate) async fn contend(&self, leading: &watch::Sender<bool>) {
        let mut sight = Sight::default();
        let mut held: Option<Instant> = None;
        loop {
            let began = Instant::now();
            match self.try_once(&mut sight).await {
                Ok(true) => held = Some(began),
                Ok(false) => held = None,
                Err(error) => tracing::warn!(%error, "the Lease can't be renewed"),
            }
            // Given up before anyone else may take it: a third of the duration is left for work to stop.
            let leads = held.is_some_and(|at| at.elapsed() < self.duration * 2 / 3);
            if leading.send_if_modified(|now| std::mem::replace(now, leads) != leads) {
                tracing::info!(leads, identity = self.identity, "leadership changed");
            }
            sleep(if leads { self.renew } else { self.renew.min(Duration::from_secs(2)) }).await;
        }
    }

    /// Hands the seat over at once, at an orderly end.
    pub(crate) async fn release(&self) {
        let Ok(mut lease) = within(self.deadline, self.api.get(&self.name)).await else { return };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(self.identity.as_str()) {
            spec.holder_identity = None;
            // If it fails, the Lease runs out by itself.
            let _ = within(self.deadline, self.api.replace(&self.name, &PostParams::default(), &lease)).await;
        }
    }

    async fn try_once(&self, sight: &mut Sight) -> Result<bool, Failure> {
        let found = within(self.deadline, self.api.get_opt(&self.name)).await.map_err(Failure::hub)?;
        let params = PostParams::default();
        let Some(mut lease) = found else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                spec: Some(self.spec(None)),
            };
            return won(within(self.deadline, self.api.create(&params, &lease)).await);
        };
        let spec = lease.spec.take().unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        let free = holder.is_empty() || holder == self.identity || sight.has_run_out(&spec, &holder);
        if !free {
            return Ok(false);
        }
        lease.spec = Some(self.spec(Some(&spec)));
        won(within(self.deadline, self.api.replace(&self.name, &params, &lease)).await)
    }

    fn spec(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(jiff::Timestamp::now());
        let same = before.is_some_and(|spec| spec.holder_identity.as_deref() == Some(self.identity.as_str()));
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.duration.as_secs()).ok(),
            acquire_time: before.filter(|_| same).and_then(|s| s.acquire_time.clone()).or(Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(if same || before.is_none() { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        }
    }
}

/// Somebody else having been quicker is no error.
fn won(written: Result<Lease, Fault>) -> Result<bool, Failure> {
    match written {
        Ok(_) => Ok(true),
        Err(Fault::Conflict(_) | Fault::AlreadyExists) => Ok(false),
        Err(fault) => Err(Failure::Target(format!("the Lease: {fault}"))),
    }
}

impl Sight {
    /// Whether the holder has not been heard of for as long as it asked for.
    fn has_run_out(&mut self, spec: &LeaseSpec, holder: &str) -> bool {
        if self.holder != holder || self.renewed != spec.renew_time {
            *self = Self {
                holder: holder.to_owned(),
                renewed: spec.renew_time.clone(),
                since: Some(Instant::now()),
            };
        }
        let lasts = Duration::from_secs(
            spec.lease_duration_seconds.and_then(|s| u64::try_from(s).ok()).unwrap_or(30),
        );
        self.since.is_some_and(|since| since.elapsed() >= lasts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(renewed: i64) -> LeaseSpec {
        LeaseSpec {
            lease_duration_seconds: Some(30),
            renew_time: Some(MicroTime(jiff::Timestamp::from_second(renewed).expect("a time"))),
            ..LeaseSpec::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_runs_out_by_our_clock_and_not_by_the_holders() {
        let mut sight = Sight::default();
        // Written "long ago" by its own words, but seen just now.
        assert!(!sight.has_run_out(&spec(1), "other"));
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!sight.has_run_out(&spec(1), "other"));
        // Renewed: counted from here.
        assert!(!sight.has_run_out(&spec(2), "other"));
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!sight.has_run_out(&spec(2), "other"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(sight.has_run_out(&spec(2), "other"));
        // Another holder starts anew.
        assert!(!sight.has_run_out(&spec(2), "third"));
    }
}
