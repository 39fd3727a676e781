//! Somebody at a desktop who looks after a hub.

use super::hub::FakeHub;
use crate::desk::AppError;
use crate::person::tests::World as Below;
use crate::person::tests::{until, workspace};
use crate::reach::Reach;
use sallyport_audit::{Action, Entry};
use sallyport_ipc::{ProfileLook, WhoCanView};
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use tokio::task::JoinHandle;

pub(super) struct World {
    below: Below,
    pub(super) hub: Arc<FakeHub>,
    pub(super) reach: Arc<Reach>,
}

impl Deref for World {
    type Target = Below;
    fn deref(&self) -> &Below {
        &self.below
    }
}

impl World {
    /// Lee sits at the first team.
    pub(super) async fn lee() -> Self {
        let (below, hub) = (Below::joined().await, FakeHub::new());
        let of = hub.clone();
        let reach = Reach::asking(
            below.desk.clone(),
            below.history.clone(),
            below.person.clone(),
            Box::new(move |_| of.clone()),
        );
        let world = Self { below, hub, reach: Arc::new(reach) };
        world.come("lee").await;
        world
    }

    pub(super) async fn come(&self, subject: &str) {
        // Somebody else than last time is asked whether they mean it.
        if self.below.sign_in_as(subject).await.is_err() {
            self.below.sign_in_as(subject).await.unwrap();
        }
    }

    /// Signs out as the app does for the parts here.
    pub(super) async fn leave(&self) {
        let signed = self.person.signed().unwrap();
        signed.stop.cancel();
        self.reach.clear(&signed.workspace);
        self.person.forget(&signed, &[], &[]).await.unwrap();
    }

    pub(super) async fn look(&self) -> WhoCanView {
        self.reach.list().await.unwrap()
    }

    pub(super) async fn seen(&self, view: &WhoCanView) -> Result<(), AppError> {
        self.reach.seen(view.digest.to_string()).await
    }

    /// What may be marked as seen at the first team.
    pub(super) fn kept_look(&self) -> Option<String> {
        self.reach.looked().get(&workspace(0).id()).map(|(_, look)| look.digest.clone())
    }

    /// Begins something that waits for a held back answer to `call`.
    pub(super) async fn begun<T: Send + 'static>(
        &self,
        call: &'static str,
        doing: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let before = self.hub.came(call);
        let doing = tokio::spawn(doing);
        until("it was asked", || self.hub.came(call) > before).await;
        doing
    }

    /// Opens the profile.
    pub(super) async fn open(&self) -> String {
        self.text_of("debug").await
    }

    pub(super) async fn text_of(&self, name: &str) -> String {
        let draft = self.reach.profile_text(Some(name.to_owned()), false).await.unwrap();
        draft.lines.iter().map(|line| format!("{}\n", line.as_str())).collect()
    }

    pub(super) async fn tries(&self, text: &str) -> ProfileLook {
        self.reach.profile_look(text.to_owned(), false).await.unwrap()
    }

    pub(super) async fn apply(&self, look: &ProfileLook) -> Result<(), AppError> {
        self.reach.profile_apply(look.digest.to_string()).await
    }

    /// How many approvals the hub wants by now.
    pub(super) fn wants(&self, profile: &str) -> u64 {
        let stored = self.hub.stored.lock().unwrap();
        stored.profiles[profile]["spec"]["approvals"].as_u64().unwrap()
    }

    /// What stands in the history of profiles, the newest first.
    pub(super) async fn changes(&self) -> Vec<Entry> {
        self.noted(&[Action::ProfileChanged]).await
    }
}

/// The text with so many approvals.
pub(super) fn with(text: &str, approvals: u8) -> String {
    let changed = text.replace("approvals: 1", &format!("approvals: {approvals}"));
    assert_ne!(changed, text, "it stands there");
    changed
}
