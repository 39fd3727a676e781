//! Somebody at a desktop who may hold, over an inventory that says so.

use super::hub::{AsPerson, FakeHub};
use crate::desk::AppError;
use crate::holds::Holds;
use crate::inventory::tests::{World as Below, all, profile_with};
use crate::person::tests::{settled, until, workspace};
use sallyport_api::AccessHold;
use sallyport_audit::{Action, Entry};
use sallyport_hub::{Change, HoldRights};
use sallyport_ipc::{HeldKind, HoldInput, HoldView};
use sallyport_model::Hold;
use serde_json::json;
use std::ops::Deref;
use std::sync::Arc;

pub(super) struct World {
    below: Below,
    pub(super) hub: Arc<FakeHub>,
    pub(super) holds: Arc<Holds>,
}

impl Deref for World {
    type Target = Below;
    fn deref(&self) -> &Below {
        &self.below
    }
}

/// A person held for an hour.
pub(super) fn on(name: &str) -> HoldInput {
    HoldInput { on: HeldKind::User, name: name.into(), minutes: 60, reason: "stolen".into() }
}

impl World {
    /// Lee sits at the first team and may make and remove holds.
    pub(super) async fn lee() -> Self {
        Self::with(HoldRights { make: true, remove: true }).await
    }

    /// Lee sits there and may do so much.
    pub(super) async fn with(rights: HoldRights) -> Self {
        let (below, hub) = (Below::new().await, Arc::<FakeHub>::default());
        *below.hubs[0].holds.lock().unwrap() = rights;
        let of = hub.clone();
        let holds = Arc::new(Holds::asking(
            below.desk.desk.clone(),
            below.desk.history.clone(),
            below.desk.person.clone(),
            below.inventory.clone(),
            Box::new(move |signed| AsPerson::of(&of, signed)),
        ));
        tokio::spawn(holds.clone().follow());
        let world = Self { below, hub, holds };
        world.come("lee").await;
        world
    }

    pub(super) async fn come(&self, subject: &str) {
        self.below.sign_in_as(0, subject).await;
        until("holds are watched", || self.hub.is_watched()).await;
        self.hubs[0].profiles(all(vec![profile_with("debug", json!({}))]));
        settled().await;
    }

    /// Signs out as the app does for the parts here.
    pub(super) async fn leave(&self) {
        let signed = self.desk.person.signed().unwrap();
        signed.stop.cancel();
        self.inventory.clear(&signed.workspace);
        self.holds.clear(&signed.workspace);
        self.desk.person.forget(&signed, &[], &[]).await.unwrap();
    }

    /// The hub tells something, and it is taken in.
    pub(super) async fn tell(&self, change: Change<AccessHold>) {
        assert!(self.hub.tell(change), "somebody listens");
        settled().await;
    }

    pub(super) fn list(&self) -> Vec<HoldView> {
        self.holds.view().0
    }

    /// The UIDs of what stands.
    pub(super) fn ids(&self) -> Vec<String> {
        self.list().iter().map(|one| one.id.to_string()).collect()
    }

    /// What stands on somebody's doing on a cluster.
    pub(super) fn held(&self, user: &str, cluster: &str) -> Option<Hold> {
        self.holds.on(&workspace(0).id(), user, cluster)
    }

    pub(super) async fn remove(&self, uid: &str) -> Result<(), AppError> {
        self.holds.remove(uid.to_owned()).await
    }

    /// What stands in the history of what this person held and let go, the newest first.
    pub(super) async fn noted(&self) -> Vec<Entry> {
        self.desk.noted(&[Action::Hold, Action::HoldRemoved]).await
    }
}

/// Now by this machine's clock, Unix seconds.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
