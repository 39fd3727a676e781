//! What is there afterwards: on the targets, and in the brokers' memory.

use crate::people::Asked;
use anyhow::{Context as _, Result};
use kube::{Api, api::ListParams};
use sallyport_api::AccessGrant;
use sallyport_fleet::Fleet;
use sallyport_testkit::memory::resident;
use std::collections::{HashMap, HashSet};

/// How many grants each request has, by its UID.
pub(crate) struct Grants(HashMap<String, usize>);

impl Grants {
    /// All of them.
    pub(crate) fn count(&self) -> usize {
        self.0.values().sum()
    }

    /// Grants beyond one for a request, or of none that was opened.
    pub(crate) fn doubled(&self, opened: &[&Asked]) -> usize {
        let known: HashSet<&str> = opened.iter().map(|one| one.request.as_str()).collect();
        let surplus = |(uid, count): (&String, &usize)| count - usize::from(known.contains(uid.as_str()));
        self.0.iter().map(surplus).sum()
    }
}

/// Of both targets, as their API servers say.
pub(crate) async fn grants(fleet: &Fleet) -> Result<Grants> {
    let mut all = HashMap::new();
    for target in &fleet.targets {
        let grants: Api<AccessGrant> = Api::all(target.plane.admin()?);
        for grant in grants.list(&ListParams::default()).await? {
            *all.entry(grant.spec.request.uid).or_insert(0) += 1;
        }
    }
    Ok(Grants(all))
}

/// The most memory that one of the brokers has, in MB (10^6 bytes): its resident set.
pub(crate) fn rss(fleet: &Fleet) -> Result<f64> {
    let mut most = 0.0_f64;
    for target in &fleet.targets {
        let pid = target.broker.pid().context("the broker runs")?;
        most = most.max(resident(pid)? as f64 / 1e6);
    }
    Ok(most)
}
