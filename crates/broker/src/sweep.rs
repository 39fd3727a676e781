//! What is on the target without an open request on the hub goes, and everything goes when the hub is silent for too
//! long (P14, attack 10).

use crate::broker::{Broker, label};
use kube::ResourceExt;
use sallyport_api::AccessGrant;
use sallyport_model::{EndReason, Ending, Phase};
use sallyport_provision::{end_of, is_of_session};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

impl Broker {
    /// Sweeps at every ring and every resync, for ever.
    pub(crate) async fn keep_swept(&self) {
        // A clock of its own: however often the bell rings, a resync comes when it is due.
        let every = self.config.resync;
        let mut resync = interval_at(Instant::now() + every, every);
        resync.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.sweep_once().await;
            // Rings in quick succession are one: a list of many deletions sweeps once.
            tokio::time::sleep(Duration::from_millis(50)).await;
            tokio::select! {
                () = self.sweep.notified() => {}
                _ = resync.tick() => self.wake_open(|_| true),
            }
        }
    }

    async fn sweep_once(&self) {
        for grant in self.stores.grants.all() {
            if self.is_orphan(&grant).await {
                self.remove(&grant.name_any(), "its request is closed or gone").await;
            }
        }
        for name in self.ownerless() {
            if self.is_without_grant(&name).await {
                self.remove(&name, "its grant is gone").await;
            }
        }
    }

    /// Whether the target itself shows no such grant. That the watch does not is no reason to remove anything: it may be
    /// behind the others, and the session is open.
    async fn is_without_grant(&self, name: &str) -> bool {
        match self.target.observe(name).await {
            Ok(found) => {
                let gone = found.grant.is_none();
                found.grant.into_iter().for_each(|grant| self.stores.grants.put(grant));
                gone
            }
            Err(error) => {
                tracing::warn!(grant = name, %error, "whether its grant is gone can't be asked");
                false
            }
        }
    }

    async fn remove(&self, grant: &str, why: &str) {
        match self.flush(grant, false).await {
            Ok(done) if !done.left.is_empty() => {
                let left: Vec<String> = done.left.iter().map(ToString::to_string).collect();
                tracing::warn!(
                    grant,
                    why,
                    left = left.join("; "),
                    "what was left behind can't be removed yet"
                );
            }
            Ok(_) => tracing::info!(grant, why, "removed what was left behind"),
            Err(failure) => tracing::warn!(grant, why, %failure, "what was left behind can't be removed yet"),
        }
    }

    /// Whether the grant's request is closed, gone or another. The watch's word is enough to keep it, not to remove
    /// it: for that the hub itself is asked.
    async fn is_orphan(&self, grant: &AccessGrant) -> bool {
        let named = &grant.spec.request;
        let ours = |uid: Option<String>, phase: Phase, cluster: &str| {
            uid.as_deref() == Some(named.uid.as_str())
                && phase != Phase::Closed
                && cluster == self.config.cluster.as_str()
        };
        let seen = self.stores.requests.get(&named.namespace, &named.name);
        if seen.is_some_and(|request| ours(request.uid(), request.phase(), &request.spec.cluster)) {
            return false;
        }
        // Both names reach a path, so they have to be names.
        let namespace = named.namespace.parse::<sallyport_model::NamespaceName>();
        let name = named.name.parse::<sallyport_model::ProfileName>();
        let (Ok(namespace), Ok(name)) = (namespace, name) else { return true };
        match self.hub.request(namespace.as_str(), name.as_str()).await {
            Ok(None) => true,
            Ok(Some(request)) => !ours(request.uid(), request.phase(), &request.spec.cluster),
            // Not knowing is no reason; the hub's long silence is one, and is dealt with below.
            Err(_) => false,
        }
    }

    /// Grants' names on ServiceAccounts and bindings whose grant does not exist, with an owner or, deleted as orphans,
    /// without. Kubernetes collects the former by itself; where its controller does not run, nobody else would.
    fn ownerless(&self) -> BTreeSet<String> {
        let stores = &self.stores;
        if !stores.grants.is_synced() {
            return BTreeSet::new();
        }
        // A label somebody else put on a binding of their own is left alone.
        let accounts = stores.accounts.all();
        let local = stores.bindings.filtered(|one| is_of_session(one.subjects.as_ref()));
        let wide = stores.cluster_bindings.filtered(|one| is_of_session(one.subjects.as_ref()));
        let labels = accounts.iter().map(|one| label(&**one));
        let labels = labels.chain(local.iter().map(label)).chain(wide.iter().map(label));
        let ours = labels.flatten().filter(|name| is_grant_name(name));
        ours.filter(|name| stores.grants.get("", name).is_none()).map(str::to_owned).collect()
    }

    /// Ends what has to end whether or not the hub can be asked: grants past their end, and all of them once the hub
    /// has been silent for too long. For ever.
    pub(crate) async fn mind_ends(&self) {
        let look = (self.config.hub_silence / 20).clamp(Duration::from_millis(100), Duration::from_secs(1));
        loop {
            tokio::time::sleep(look).await;
            let silent = self.contact.silent_for() >= self.config.hub_silence;
            let now = self.clock.target_now();
            for grant in self.stores.grants.all() {
                // A second later than the request's own alarm, which knows what to tell the hub.
                let name = grant.name_any();
                if end_of(&grant).is_some_and(|end| now > end + 1) {
                    self.memory.ended(&name, Ending::new(EndReason::Expired, "its time was up"));
                    self.remove(&name, "its time is up").await;
                } else if silent {
                    let said = "closed because the broker heard nothing from the hub for too long";
                    self.memory.ended(&name, Ending::new(EndReason::Revoked, said));
                    self.remove(&name, "the hub is silent").await;
                }
            }
        }
    }
}

/// A label is anybody's text, and this one reaches a path.
fn is_grant_name(label: &str) -> bool {
    let id = label.strip_prefix("g-").unwrap_or_default();
    (4..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_grants_name_is_looked_for() {
        assert!(is_grant_name("g-abcd") && is_grant_name(&format!("g-{}", "a1".repeat(16))));
        for bad in
            ["", "g-", "g-abc", "abcd", "g-ABCD", "g-ab/cd", "g-ab-cd", &format!("g-{}", "a".repeat(33))]
        {
            assert!(!is_grant_name(bad), "{bad}");
        }
    }
}
