//! The watches of a sign-in: clusters, profiles, and what this person may ask for.

use super::Inventory;
use super::known::Known;
use crate::person::{Signed, WorkspaceId};
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use kube::ResourceExt;
use sallyport_hub::Change;
use sallyport_ipc::HubLink;
use sallyport_model::ProfileName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Problems that are kept.
const PROBLEMS: usize = 50;

impl Inventory {
    /// Keeps the inventory of whoever is signed in, until the app ends.
    pub(crate) async fn follow(self: Arc<Self>) {
        let person = self.person.clone();
        person.each_sign_in(|signed| drop(tokio::spawn(self.clone().keep(signed)))).await;
    }

    async fn keep(self: Arc<Self>, signed: Arc<Signed>) {
        let mut clusters = std::pin::pin!(signed.hub.watch_clusters());
        let watching = async {
            while let Some(change) = clusters.next().await {
                self.take(&signed.workspace, change, |known| &mut known.clusters, true);
            }
        };
        let mut profiles = std::pin::pin!(signed.hub.watch_profiles());
        let asking = async {
            while let Some(change) = profiles.next().await {
                self.take(&signed.workspace, change, |known| &mut known.profiles, false);
                self.read_rights(&signed).await;
            }
        };
        tokio::select! {
            ((), ()) = async { tokio::join!(watching, asking) } => {}
            () = signed.stop.cancelled() => {}
        }
    }

    /// Takes one change of a watch into the inventory.
    fn take<K: ResourceExt>(
        &self,
        workspace: &WorkspaceId,
        change: Change<K>,
        map: impl Fn(&mut Known) -> &mut BTreeMap<String, K>,
        confirms: bool,
    ) {
        {
            let mut known = self.known_mut();
            match change {
                Change::All { objects, malformed } => {
                    *map(&mut known) = objects.into_iter().map(|o| (o.name_any(), o)).collect();
                    known.problems = malformed.iter().map(ToString::to_string).collect();
                }
                Change::Put(object) => {
                    map(&mut known).insert(object.name_any(), object);
                }
                Change::Malformed(what, gone) => {
                    map(&mut known).remove(&gone.name);
                    known.problems.push(what.to_string());
                    let surplus = known.problems.len().saturating_sub(PROBLEMS);
                    known.problems.drain(..surplus);
                }
                Change::Deleted(gone) => {
                    map(&mut known).remove(&gone.name);
                }
                Change::Trouble(fault) => {
                    drop(known);
                    self.person.hub_is(workspace, HubLink::Down, Some(fault.to_string()));
                    return;
                }
            }
            if confirms {
                known.as_of = Some(Timestamp::now());
            }
        }
        self.person.hub_is(workspace, HubLink::Live, None);
        self.changed();
    }

    async fn read_rights(&self, signed: &Signed) {
        let names: Vec<ProfileName> =
            self.known().profiles.keys().filter_map(|name| name.parse().ok()).collect();
        match signed.hub.rights(&names).boxed().await {
            Ok(rights) => {
                let may = rights.into_iter().filter(|(_, r)| r.request).map(|(n, _)| n.to_string()).collect();
                self.known_mut().may_request = Some(may);
                self.changed();
            }
            Err(fault) => tracing::warn!("what may be asked for could not be read: {fault}"),
        }
    }
}
