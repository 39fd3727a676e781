//! What there is to open, in each workspace: kept by watches while somebody is signed in, and what a click on it means. Contacts no
//! cluster (promise P6). What is watched is small and seldom changes; what is large or changes all the time is read for the
//! cluster in view.

mod alive;
mod choose;
mod hub_side;
mod kept;
mod known;
mod link;
mod outlook;
mod ports;
mod previews;
mod remembered;
mod scannable;
mod unread;
mod watch;

pub(crate) use choose::Choice;
pub(crate) use known::{Candidate, KnownFor, environment_kind, previewed_for, rights_of, rules};
pub(crate) use scannable::{ScanProfile, Scannable};

use crate::desk::{AppError, Desk, now_ms};
use crate::person::{Person, Signed, SignedInAs, Wishes, WorkspaceId};
use known::Known;
use ports::{HubOf, HubSide};
use sallyport_api::AccessRequest;
use sallyport_hub::HoldRights;
use sallyport_ipc::{ClusterDetail, ClustersView, Event, Shown};
use sallyport_model::{ClusterName, ErrorCode, Profile, ProfileName};
use sallyport_rbac::{Ask, allows};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, watch as telling};

/// Between two hints that it changed.
const HINTS: Duration = Duration::from_secs(1);

/// The clusters and profiles of the team.
pub(crate) struct Inventory {
    desk: Arc<Desk>,
    person: Arc<Person>,
    hub_of: Box<HubOf>,
    /// For each workspace where somebody is signed in.
    known: RwLock<BTreeMap<WorkspaceId, Known>>,
    changed: Notify,
    /// Counts the changes, for the parts above.
    moved: telling::Sender<u64>,
}

impl Inventory {
    /// Empty, until [`Inventory::follow`] has heard of a sign-in.
    pub(crate) fn new(desk: Arc<Desk>, person: Arc<Person>) -> Self {
        Self::reading(desk, person, Box::new(|signed| Arc::new(signed.hub.clone())))
    }

    /// The same, of other hubs than the product's.
    fn reading(desk: Arc<Desk>, person: Arc<Person>, hub_of: Box<HubOf>) -> Self {
        let (known, moved) = (RwLock::default(), telling::Sender::new(0));
        Self { desk, person, hub_of, known, changed: Notify::new(), moved }
    }

    /// The hub as a sign-in reads it.
    fn hub(&self, signed: &Signed) -> Arc<dyn HubSide> {
        (self.hub_of)(signed)
    }

    /// Looks at what is known in a workspace: nothing, while nobody is signed in there.
    fn known<T>(&self, workspace: &WorkspaceId, look: impl FnOnce(&Known) -> T) -> T {
        let all = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match all.get(workspace) {
            Some(known) => look(known),
            None => look(&Known::default()),
        }
    }

    /// Takes more of it in; `None` where nobody keeps it any more.
    fn learn<T>(&self, workspace: &WorkspaceId, change: impl FnOnce(&mut Known) -> T) -> Option<T> {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(workspace).map(change)
    }

    /// Begins to keep what is known in a sign-in's workspace. False where it is over: whoever clears it has been here, or is
    /// still to come.
    fn begin(&self, signed: &Signed) -> bool {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let goes_on = !signed.stop.is_cancelled();
        if goes_on {
            all.insert(signed.workspace.clone(), Known::default());
        }
        goes_on
    }

    /// The same for the workspace that the window shows.
    fn in_front<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        match self.person.in_front() {
            Some(workspace) => self.known(&workspace, look),
            None => look(&Known::default()),
        }
    }

    /// The list would be another now: the window is told within a second.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
        self.moved.send_modify(|count| *count += 1);
    }

    /// For those who show something by what is known here: each change from now on.
    pub(crate) fn moves(&self) -> telling::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Hints at once, then at most once a second.
    pub(crate) async fn hint(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.changed.notified() => {
                    self.desk.host.tell(Event::ClustersChanged);
                    // Which profiles are out of reach is known with them.
                    if self.person.has_no_auth_time() {
                        self.desk.changed();
                    }
                }
                () = self.desk.stop.cancelled() => return,
            }
            tokio::time::sleep(HINTS).await;
        }
    }

    /// Nobody is signed in there any more.
    pub(crate) fn clear(&self, workspace: &WorkspaceId) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(workspace);
        self.changed();
    }

    /// The list. It is what the watches brought.
    ///
    /// # Errors
    /// None; before the hub's first answer it is empty and says so.
    pub(crate) async fn list(&self) -> Result<ClustersView, AppError> {
        let remembered = self.remembered().await;
        let none = self.of_none();
        Ok(self.in_front(|known| ClustersView {
            clusters: known
                .clusters
                .iter()
                .map(|(name, object)| {
                    known.cluster_view(object, remembered.get(name).unwrap_or(&none), now_ms() / 1000)
                })
                .collect(),
            as_of: known.as_of.map(|t| t.as_millisecond()),
            problems: known.unread.sentences().chain(known.unheard.clone()).map(Shown::from).collect(),
        }))
    }

    /// One cluster with what may be asked for there. Reads from the hub what it allows and whether its broker is alive, for
    /// at most 3 s: what is not known by then is said to be unknown.
    ///
    /// # Errors
    /// When the hub knows no such cluster.
    pub(crate) async fn detail(&self, name: String) -> Result<ClusterDetail, AppError> {
        let unknown = || {
            AppError::new(ErrorCode::BadInput, "the hub knows no such cluster")
                .hint("It may have been removed.")
        };
        let cluster: ClusterName = name.parse().map_err(|_| unknown())?;
        let remembered = self.remembered_of(&cluster).await;
        let signed = self.person.is_signed_in();
        let who: Option<&SignedInAs> = signed.as_ref().map(|signed| &signed.who);
        let previewed = self.look_at(signed.as_deref(), &cluster).await;
        self.in_front(|known| {
            let object = known.clusters.get(&name).ok_or_else(unknown)?;
            Ok(known.detail(object, &previewed, &remembered, who, now_ms()))
        })
    }

    /// What could be asked for on a cluster, by its broker's word; nothing where that can't be read now.
    pub(crate) async fn candidates(&self, signed: &Signed, cluster: &ClusterName) -> Vec<Candidate> {
        match self.look_at(Some(signed), cluster).await {
            Ok(preview) => self.known(&signed.workspace, |known| known.candidates(cluster, &preview)),
            Err(_) => Vec::new(),
        }
    }

    /// The profiles under which this person may ask for something in a namespace of a cluster, by its broker's word: the
    /// narrowest first. None: that can't be read now.
    pub(crate) async fn profiles_that(
        &self,
        signed: &Signed,
        cluster: &ClusterName,
        namespace: &str,
        may: Ask<'_>,
    ) -> Option<Vec<ProfileName>> {
        let preview = self.look_at(Some(signed), cluster).await.ok()?;
        self.known(&signed.workspace, |known| {
            let gives = |one: &Candidate| one.scope.holds(namespace) && allows(&one.rules, may);
            let giving: Vec<ProfileName> = known
                .candidates(cluster, &preview)
                .into_iter()
                .filter(gives)
                .map(|one| one.profile)
                .collect();
            let offered = known.offered(cluster)?.into_iter().filter(|one| !one.profile.is_for_scans());
            Some(offered.map(|one| one.profile.name).filter(|name| giving.contains(name)).collect())
        })
    }

    /// What the team's profiles want of a sign-in.
    pub(crate) fn wishes(&self) -> Wishes {
        let mut wishes = Wishes::default();
        self.in_front(|known| {
            for profile in known.profiles.values().filter_map(|p| Profile::try_from(p).ok()) {
                wishes.strong.extend(profile.mfa.acr);
                if profile.mfa.max_age.is_some() {
                    wishes.aging.push(profile.name.to_string());
                }
                if profile.reaffirm.is_some() {
                    wishes.vouching.push(profile.name.to_string());
                }
            }
        });
        wishes
    }

    /// What is known of where and under what a request asks.
    pub(crate) fn known_for(&self, workspace: &WorkspaceId, request: &AccessRequest) -> KnownFor {
        self.known(workspace, |known| known.known_for(&request.spec.cluster, &request.spec.profile))
    }

    /// What whoever is signed in may do with holds; nothing while that is not known.
    pub(crate) fn may_hold(&self, workspace: &WorkspaceId) -> HoldRights {
        self.known(workspace, |known| known.may_hold)
    }

    /// Whether whoever is signed in may ask the hub what others may do; not while that is not known.
    pub(crate) fn may_review(&self, workspace: &WorkspaceId) -> bool {
        self.known(workspace, |known| known.may_review)
    }

    /// The word for a cluster's environment and how many approvals a profile wants; `None` while they are not known.
    pub(crate) fn known_of(
        &self,
        workspace: &WorkspaceId,
        cluster: &ClusterName,
        profile: &ProfileName,
    ) -> Option<(String, u8)> {
        self.known(workspace, |known| {
            let word = known.clusters.get(cluster.as_str())?.spec.environment.clone();
            Some((word, known.profiles.get(profile.as_str())?.spec.approvals))
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
