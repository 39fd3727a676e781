//! What there is to open: kept by watches while somebody is signed in, and what a click on it means. Contacts no
//! cluster (promise P6). What is watched is small and seldom changes; what is large or changes all the time is read for the
//! cluster in view.

mod alive;
mod choose;
mod known;
mod previews;
mod remembered;
mod watch;

pub(crate) use choose::Choice;
pub(crate) use known::{environment_kind, rules};

use crate::desk::{AppError, Desk, now_ms};
use crate::person::{Person, SignedInAs, Wishes};
use known::{Known, Remembered};
use sallyport_api::Profile;
use sallyport_ipc::{ClusterDetail, ClustersView, Event};
use sallyport_model::{ClusterName, ErrorCode, ProfileName, visible};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// Between two hints that it changed.
const HINTS: Duration = Duration::from_secs(1);

/// The clusters and profiles of the team.
pub(crate) struct Inventory {
    desk: Arc<Desk>,
    person: Arc<Person>,
    known: RwLock<Known>,
    changed: Notify,
}

impl Inventory {
    /// Empty, until [`Inventory::follow`] has heard of a sign-in.
    pub(crate) fn new(desk: Arc<Desk>, person: Arc<Person>) -> Self {
        Self { desk, person, known: RwLock::default(), changed: Notify::new() }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list would be another now: the window is told within a second.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
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

    /// Nobody is signed in any more.
    pub(crate) fn clear(&self) {
        *self.known_mut() = Known::default();
        self.changed();
    }

    /// The list. It is what the watches brought.
    pub(crate) async fn list(&self) -> ClustersView {
        let remembered = self.remembered().await;
        let known = self.known();
        let none = Remembered::default();
        let clusters = known
            .clusters
            .iter()
            .map(|(name, object)| known.cluster_view(object, remembered.get(name).unwrap_or(&none)));
        ClustersView {
            clusters: clusters.collect(),
            as_of: known.as_of.map(|t| t.as_millisecond()),
            problems: known.problems.iter().chain(&known.unheard).map(|p| visible(p)).collect(),
        }
    }

    /// One cluster with what may be asked for there. Reads from the hub what it allows and whether its broker is alive, for
    /// at most 3 s: what is not known by then is said to be unknown.
    ///
    /// # Errors
    /// When the hub knows no such cluster.
    pub(crate) async fn detail(&self, name: &str) -> Result<ClusterDetail, AppError> {
        let unknown = || {
            AppError::new(ErrorCode::BadInput, "the hub knows no such cluster")
                .hint("It may have been removed.")
        };
        let cluster: ClusterName = name.parse().map_err(|_| unknown())?;
        let remembered = self.remembered_of(&cluster).await;
        let signed = self.person.is_signed_in();
        let who: Option<&SignedInAs> = signed.as_ref().map(|signed| &signed.who);
        let previewed = self.look_at(signed.as_deref(), &cluster).await;
        let known = self.known();
        let object = known.clusters.get(name).ok_or_else(unknown)?;
        Ok(known.detail(object, &previewed, &remembered, who, now_ms()))
    }

    /// What the team's profiles want of a sign-in.
    pub(crate) fn wishes(&self) -> Wishes {
        let mut wishes = Wishes::default();
        for profile in self.known().profiles.values().filter_map(|p| Profile::try_from(p).ok()) {
            wishes.strong.extend(profile.acr);
            if profile.max_age.is_some() {
                wishes.aging.push(visible(profile.name.as_str()));
            }
        }
        wishes
    }

    /// The word for a cluster's environment and how many approvals a profile wants; `None` while they are not known.
    pub(crate) fn known_of(&self, cluster: &ClusterName, profile: &ProfileName) -> Option<(String, u8)> {
        let known = self.known();
        let word = known.clusters.get(cluster.as_str())?.spec.environment.clone();
        Some((word, known.profiles.get(profile.as_str())?.spec.approvals))
    }
}
