//! The watches of a sign-in: clusters, profiles, what this person may ask for; and beside them which brokers are alive.

use super::Inventory;
use super::alive::Looks;
use super::known::Known;
use crate::person::{Signed, WorkspaceId};
use futures::StreamExt as _;
use jiff::Timestamp;
use kube::{Resource, ResourceExt as _};
use sallyport_api::AccessCluster;
use sallyport_hub::Change;
use sallyport_ipc::HubLink;
use sallyport_model::{ClusterName, ProfileName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long the first list waits for the signs of life, which are asked for at the same time: else every broker would look
/// absent for a second.
const FIRST_WAITS: Duration = Duration::from_secs(1);
/// Between two tries to read what one may do, twice as long each time.
const RIGHTS_AGAIN: Duration = Duration::from_secs(1);
const RIGHTS_AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// What the hub's roles and bindings give is told by no watch that everybody may have, so it is read again this often: who was
/// given a profile, or the say over one, need not sign in for it.
const RIGHTS_EACH: Duration = Duration::from_secs(300);

impl Inventory {
    /// Keeps the inventory of whoever is signed in, until the app ends.
    pub(crate) async fn follow(self: Arc<Self>) {
        let person = self.person.clone();
        person.each_sign_in(|signed| drop(tokio::spawn(self.clone().keep(signed)))).await;
    }

    pub(super) async fn keep(self: Arc<Self>, signed: Arc<Signed>) {
        let workspace = &signed.workspace;
        if !self.begin(&signed) {
            return;
        }
        let hub = self.hub(&signed);
        let mut clusters = hub.watch_clusters();
        let listened = watch::Sender::new(false);
        let looks = Arc::new(Looks::default());
        let watching = async {
            while let Some(change) = clusters.next().await {
                if matches!(change, Change::All { .. }) {
                    let mut listened = listened.subscribe();
                    let _ = tokio::time::timeout(FIRST_WAITS, listened.wait_for(|heard| *heard)).await;
                }
                let reported = reported(&change);
                self.take(workspace, change, |known| &mut known.clusters, true);
                if let Some(cluster) = reported
                    .filter(|cluster| self.known(workspace, |known| known.is_silent(cluster.as_str())))
                {
                    self.look_soon(&signed, &looks, cluster);
                }
            }
        };
        let mut profiles = hub.watch_profiles();
        let asking = async {
            // What one may do changes with a step-up as well; what could not be read is read again.
            let mut sign_ins = self.person.sign_ins(workspace);
            let mut again: Option<Duration> = None;
            // Of a list that has not come, nothing may be asked for: that would read as a no.
            let mut is_listed = false;
            let mut is_tried = false;
            loop {
                tokio::select! {
                    change = profiles.next() => {
                        let Some(change) = change else { return };
                        is_listed |= matches!(change, Change::All { .. });
                        self.take(workspace, change, |known| &mut known.profiles, false);
                    }
                    Ok(()) = sign_ins.changed() => {}
                    () = tokio::time::sleep(again.unwrap_or(RIGHTS_EACH)) => {}
                }
                if !is_listed {
                    continue;
                }
                if !is_tried && self.wants_vouching(workspace) {
                    is_tried = true;
                    tokio::spawn(try_renewal(signed.clone()));
                }
                let now = self.person.is_signed_in_at(workspace).unwrap_or_else(|| signed.clone());
                again = match self.read_rights(&now).await {
                    true => None,
                    false => Some(again.map_or(RIGHTS_AGAIN, |pause| (pause * 2).min(RIGHTS_AGAIN_AT_MOST))),
                };
            }
        };
        tokio::select! {
            ((), ()) = async { tokio::join!(watching, asking) } => {}
            () = self.listen(&signed, &listened) => {}
            () = self.mind_clocks(workspace) => {}
            () = signed.stop.cancelled() => {}
        }
    }

    /// Takes one change of a watch into the inventory.
    pub(super) fn take<K: Resource<DynamicType = ()>>(
        &self,
        workspace: &WorkspaceId,
        change: Change<K>,
        map: impl Fn(&mut Known) -> &mut BTreeMap<String, K>,
        confirms: bool,
    ) {
        let kind = K::kind(&());
        let taken = self.learn(workspace, |known| {
            match change {
                Change::All { objects, malformed } => {
                    *map(known) = objects.into_iter().map(|o| (o.name_any(), o)).collect();
                    known.unread.all(&kind, malformed);
                }
                Change::Put(object) => {
                    known.unread.remove(&kind, &object.name_any());
                    map(known).insert(object.name_any(), object);
                }
                Change::Malformed(what, gone) => {
                    map(known).remove(&gone.name);
                    known.unread.add(what);
                }
                Change::Deleted(gone) | Change::Left(gone) => {
                    known.unread.remove(&kind, &gone.name);
                    map(known).remove(&gone.name);
                }
                Change::Trouble(fault) => {
                    known.refused = !fault.may_pass();
                    known.troubles.came(Instant::now());
                    return Err(fault);
                }
            }
            known.refused = false;
            known.troubles.over();
            if confirms {
                known.as_of = Some(Timestamp::now());
            }
            Ok(())
        });
        match taken {
            Some(Ok(())) => {
                self.person.hub_is(workspace, HubLink::Live, None);
                self.changed();
            }
            Some(Err(fault)) => self.person.hub_is(workspace, HubLink::Down, Some(fault.to_string())),
            // Signed out meanwhile.
            None => {}
        }
    }

    /// Whether any profile wants the provider's word again and again.
    fn wants_vouching(&self, workspace: &WorkspaceId) -> bool {
        self.known(workspace, |known| known.profiles.values().any(|profile| profile.spec.reaffirm.is_some()))
    }

    /// Whether they could be read.
    async fn read_rights(&self, signed: &Signed) -> bool {
        let workspace = &signed.workspace;
        let names: Vec<ProfileName> = self
            .known(workspace, |known| known.profiles.keys().filter_map(|name| name.parse().ok()).collect());
        match self.hub(signed).rights(&names).await {
            Ok(rights) => {
                let may: BTreeMap<String, _> =
                    rights.profiles.into_iter().map(|(name, rights)| (name.to_string(), rights)).collect();
                self.learn(workspace, |known| {
                    let may_request = may.iter().filter(|(_, may)| may.request);
                    known.may_request = Some(may_request.map(|(name, _)| name.clone()).collect());
                    known.may = may;
                    known.may_hold = rights.holds;
                    known.may_review = rights.reviews;
                    known.groups.clone_from(&signed.who.groups);
                });
                self.changed();
                true
            }
            Err(fault) => {
                tracing::warn!("what may be asked for could not be read: {fault}");
                false
            }
        }
    }
}

/// Renews a sign-in once as soon as that is known to matter: what its provider can't do is then said before anything is
/// open, and not when it is closed for it.
async fn try_renewal(signed: Arc<Signed>) {
    if let Err(error) = signed.tokens.vouch().await {
        tracing::info!(%error, "the provider gave no word beside the sign-in's own");
    }
}

/// The cluster whose broker has just reported.
fn reported(change: &Change<AccessCluster>) -> Option<ClusterName> {
    let Change::Put(object) = change else { return None };
    object.status.as_ref()?.broker.as_ref()?;
    object.name_any().parse().ok()
}
