//! The inventory, kept by watches while someone is signed in, and the commands on it.

use crate::core::{App, Core, Signed, now_ms};
use crate::error::AppError;
use crate::inventory::{Inventory, Remembered};
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use kube::ResourceExt;
use sallyport_hub::Change;
use sallyport_ipc::{Carried, ClusterDetail, ClustersView, HubLink, LastOpening, Way};
use sallyport_model::{ClusterName, ErrorCode, ProfileName, SessionState, visible};
use sallyport_store::{Opening, Reason};
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

impl App {
    /// Starts the watches of a sign-in: clusters, profiles, and what this person may ask for.
    pub(crate) fn keep_inventory(&self, signed: &Signed) {
        let (core, hub) = (self.0.clone(), signed.hub.clone());
        let clusters = hub.watch_clusters();
        let watching = async move {
            let mut clusters = std::pin::pin!(clusters);
            while let Some(change) = clusters.next().await {
                core.take(change, |inventory| &mut inventory.clusters, true);
            }
        };
        let (core, rights) = (self.0.clone(), signed.clone());
        let profiles = hub.watch_profiles();
        let asking = async move {
            let mut profiles = std::pin::pin!(profiles);
            while let Some(change) = profiles.next().await {
                core.take(change, |inventory| &mut inventory.profiles, false);
                core.read_rights(&rights).await;
            }
        };
        let stop = signed.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                ((), ()) = async { tokio::join!(watching, asking) } => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// The list. Contacts nobody: it is what the watches brought (promise P6).
    ///
    /// # Errors
    /// None; before the hub's first answer it is empty and says so.
    pub async fn clusters_list(&self) -> Result<ClustersView, AppError> {
        let core = &self.0;
        let known = core.remembered().await;
        let open = core.open_ways();
        let now = now_ms();
        let inventory = core.inventory.read().unwrap_or_else(PoisonError::into_inner);
        let none = Remembered::default();
        let clusters = inventory.clusters.iter().map(|(name, object)| {
            inventory.cluster_view(object, open.get(name).cloned(), known.get(name).unwrap_or(&none), now)
        });
        Ok(ClustersView {
            clusters: clusters.collect(),
            as_of: inventory.as_of.map(|t| t.as_millisecond()),
            problems: inventory.problems.iter().map(|p| visible(p)).collect(),
        })
    }

    /// One cluster with what may be asked for there.
    ///
    /// # Errors
    /// When the hub knows no such cluster.
    pub async fn cluster_detail(&self, name: String) -> Result<ClusterDetail, AppError> {
        let core = &self.0;
        let unknown = || {
            AppError::new(ErrorCode::BadInput, "the hub knows no such cluster")
                .hint("It may have been removed.")
        };
        let cluster: ClusterName = name.parse().map_err(|_| unknown())?;
        let mut known = core.remembered().await.remove(&name).unwrap_or_default();
        known.last = core.prefs.last_opening(cluster).await.unwrap_or_default().as_ref().map(last_view);
        known.reason =
            core.prefs.last_reason(Timestamp::now().as_second()).await.ok().flatten().map(|reason| Carried {
                text: visible(&reason.text),
                until: (reason.at + Reason::CARRIED) * 1000,
            });
        let who = core.shared().signed.as_ref().map(|s| s.who.clone());
        let open = core.open_ways().remove(&name);
        let inventory = core.inventory.read().unwrap_or_else(PoisonError::into_inner);
        let object = inventory.clusters.get(&name).ok_or_else(unknown)?;
        Ok(inventory.detail(object, open, &known, who.as_ref(), now_ms()))
    }

    /// Pins or unpins a cluster.
    ///
    /// # Errors
    /// When it can't be remembered.
    pub async fn cluster_pin(&self, name: String, on: bool) -> Result<(), AppError> {
        let cluster: ClusterName = name
            .parse()
            .map_err(|e: sallyport_model::NameError| AppError::new(ErrorCode::BadInput, e.to_string()))?;
        let prefs = &self.0.prefs;
        let done = if on { prefs.pin(cluster).await } else { prefs.unpin(cluster).await };
        done.map_err(|e| AppError::failed("the pin could not be remembered").because(e))?;
        self.0.clusters_changed.notify_one();
        Ok(())
    }
}

impl Core {
    /// Takes one change of a watch into the inventory.
    fn take<K: ResourceExt>(
        &self,
        change: Change<K>,
        map: impl Fn(&mut Inventory) -> &mut BTreeMap<String, K>,
        confirms: bool,
    ) {
        {
            let mut inventory = self.inventory.write().unwrap_or_else(PoisonError::into_inner);
            match change {
                Change::All { objects, malformed } => {
                    *map(&mut inventory) = objects.into_iter().map(|o| (o.name_any(), o)).collect();
                    inventory.problems = malformed.iter().map(ToString::to_string).collect();
                }
                Change::Put(object) => {
                    map(&mut inventory).insert(object.name_any(), object);
                }
                Change::Malformed(what, gone) => {
                    map(&mut inventory).remove(&gone.name);
                    inventory.problems.push(what.to_string());
                    let surplus = inventory.problems.len().saturating_sub(50);
                    inventory.problems.drain(..surplus);
                }
                Change::Deleted(gone) => {
                    map(&mut inventory).remove(&gone.name);
                }
                Change::Trouble(fault) => {
                    drop(inventory);
                    self.hub_is(HubLink::Down, Some(fault.to_string()));
                    return;
                }
            }
            if confirms {
                inventory.as_of = Some(Timestamp::now());
            }
        }
        self.hub_is(HubLink::Live, None);
        self.clusters_changed.notify_one();
    }

    async fn read_rights(&self, signed: &Signed) {
        let names: Vec<ProfileName> = {
            let inventory = self.inventory.read().unwrap_or_else(PoisonError::into_inner);
            inventory.profiles.keys().filter_map(|n| n.parse().ok()).collect()
        };
        match signed.hub.rights(&names).boxed().await {
            Ok(rights) => {
                let may = rights.into_iter().filter(|(_, r)| r.request).map(|(n, _)| n.to_string()).collect();
                self.inventory.write().unwrap_or_else(PoisonError::into_inner).may_request = Some(may);
                self.clusters_changed.notify_one();
            }
            Err(fault) => tracing::warn!("what may be asked for could not be read: {fault}"),
        }
    }

    /// Pins and recents; the opening itself is read where one cluster is shown.
    async fn remembered(&self) -> HashMap<String, Remembered> {
        let mut known: HashMap<String, Remembered> = HashMap::new();
        for name in self.prefs.pins().await.unwrap_or_default() {
            known.entry(name.to_string()).or_default().pinned = true;
        }
        for name in self.prefs.recents(200).await.unwrap_or_default() {
            let last = self.prefs.last_opening(name.clone()).await.unwrap_or_default();
            let entry = known.entry(name.to_string()).or_default();
            entry.last_used = last.as_ref().map(|l| l.at * 1000);
            entry.last = last.as_ref().map(last_view);
        }
        known
    }

    /// Clusters with a session that is not over.
    fn open_ways(&self) -> HashMap<String, Way> {
        let live = self.all_sessions().into_iter().filter(|s| !matches!(s.state(), SessionState::Closed(_)));
        live.map(|session| {
            let record = session.record();
            let way = Way::Open {
                session: session.id.to_string(),
                profile: record.wanted.profile.to_string(),
                namespaces: record.wanted.scope.to_list().iter().map(ToString::to_string).collect(),
                ends_at: record.end.map(|e| e * 1000),
            };
            (record.wanted.cluster.to_string(), way)
        })
        .collect()
    }
}

/// How a cluster was opened last, for the window.
pub(crate) fn last_view(opening: &Opening) -> LastOpening {
    LastOpening {
        profile: opening.profile.to_string(),
        namespaces: opening.scope.to_list().iter().map(ToString::to_string).collect(),
        duration_seconds: u32::try_from(opening.duration.as_seconds()).unwrap_or(u32::MAX),
    }
}
