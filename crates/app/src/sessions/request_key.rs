//! A request that waits for somebody's yes outlives the app: the private key its token will be sealed to is kept in the
//! vault while it waits, and the next start goes on where this one stopped. A session that was open is never taken up.

use super::Sessions;
use super::owner::{Begun, Made, Owner};
use super::ports::HubSide;
use super::record::Record;
use super::word::{Heard, credential, heard};
use crate::inventory::{Choice, Inventory};
use crate::person::{WorkspaceId, how_signed_in};
use sallyport_api::{AccessRequest, Asked};
use sallyport_audit::{Action, Draft};
use sallyport_hub::seal::KeyPair;
use sallyport_ipc::StepKind;
use sallyport_model::{ClusterName, Phase, ProfileName, RequestRef, RequestUid, SessionId};
use sallyport_vault::{Item, VaultState};
use std::sync::Arc;
use std::time::Duration;

/// How long the inventory is waited for, which knows the cluster's environment.
const INVENTORY: Duration = Duration::from_secs(5);

impl Owner {
    /// Keeps the key of a request that waits for people. Without a keyring it is not kept, and the next start takes
    /// the request back and says so.
    pub(super) async fn keep_key(&self, made: &mut Made, which: &RequestRef, keys: &KeyPair) {
        let vault = &self.sessions.desk.vault;
        if !matches!(vault.state(), VaultState::Keyring) {
            return;
        }
        // Before it is there: whoever is dropped in between leaves nothing that nobody knows of.
        made.stretch.key = Some(which.clone());
        match vault.put(Item::RequestKey { request: which.uid.clone() }, keys.secret_bytes()).await {
            Ok(()) => {}
            Err(error) => {
                made.stretch.key = None;
                tracing::warn!(error = &error as &dyn std::error::Error, "the request's key was not kept")
            }
        }
    }

    /// Forgets the key: the seal is open, or the request is over.
    pub(super) async fn forget_key(&self, key: &mut Option<RequestRef>) {
        if let Some(which) = key.clone() {
            self.sessions.remove_key(which.uid).await;
            *key = None;
        }
    }
}

impl Sessions {
    async fn remove_key(&self, request: RequestUid) {
        if let Err(error) = self.desk.vault.remove(&Item::RequestKey { request }).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a request's key was not forgotten");
        }
    }

    /// Removes keys of requests that nobody waits for.
    pub(super) async fn forget_stray_keys(&self) {
        // The items first: a key that is put in afterwards is somebody's.
        let items = self.desk.vault.items().await;
        let waiting: Vec<RequestUid> =
            self.all().iter().filter_map(|s| s.read(|record| record.request.clone())).collect();
        for item in items {
            if let Item::RequestKey { request } = item
                && !waiting.contains(&request)
            {
                self.remove_key(request).await;
            }
        }
    }

    /// Goes on with a request of an earlier run; false when it is not one to go on with.
    pub(super) async fn goes_on(
        self: &Arc<Self>,
        hub: Arc<dyn HubSide>,
        inventory: &Inventory,
        request: &AccessRequest,
    ) -> bool {
        let Ok(which) = request.which() else { return false };
        let Some(kept) = self.desk.vault.get(&Item::RequestKey { request: which.uid.clone() }).await else {
            return false;
        };
        let (Ok(keys), Ok(asked)) = (KeyPair::from_secret(&kept), Asked::try_from(request)) else {
            return false;
        };
        if !still_waits(request, &keys, hub.user().as_str()) {
            return false;
        }
        let (environment, approvals) =
            known_of(inventory, hub.workspace(), &asked.terms.cluster, &asked.terms.profile).await;
        let choice = Choice { environment, approvals, terms: asked.terms, is_scan: false };
        let mut record = Record::new(SessionId::new(uuid::Uuid::now_v7().to_string()), choice);
        record.asked_as = Some(which.name.clone());
        record.request = Some(which.uid.clone());
        let done = [
            (StepKind::SignedIn, how_signed_in(&hub.who())),
            (StepKind::Asked, "before the restart".to_owned()),
        ];
        for (kind, detail) in done {
            record.begin(kind);
            record.done(kind, detail);
        }
        record.begin(StepKind::Approved);
        let what = format!("The request for {} is waited for again", request.spec.cluster);
        let draft = Draft::new(Action::CleanupAtStart)
            .session(&record.id)
            .cluster(&record.choice.terms.cluster)
            .user(hub.user())
            .request(&which.uid)
            .detail("what", what);
        self.history.note(draft).await;
        // Where the sign-in has ended meanwhile, the next one takes it up.
        self.take_up(hub, record, Begun::Restart { which, keys });
        true
    }
}

/// The word for a cluster's environment and how many approvals a profile wants; while the inventory does not know
/// them, no word and one.
async fn known_of(
    inventory: &Inventory,
    workspace: &WorkspaceId,
    cluster: &ClusterName,
    profile: &ProfileName,
) -> (String, u8) {
    let known = async {
        loop {
            if let Some(known) = inventory.known_of(workspace, cluster, profile) {
                return known;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(INVENTORY, known).await.unwrap_or_else(|_| (String::new(), 1))
}

/// Whether it is this person's, was made for this key, was not ended, and still holds what the key opens.
fn still_waits(request: &AccessRequest, keys: &KeyPair, user: &str) -> bool {
    let open = match heard(request) {
        // Granted while the app was away: the token is still sealed in the status, opened by nobody.
        Heard::Granted => true,
        Heard::OnItsWay => request.phase() != Phase::Active || credential(request).is_some(),
        Heard::Ending(_) | Heard::Closed(_) => false,
    };
    let status = request.status.as_ref();
    open && status.is_none_or(|s| s.withdrawn.is_none())
        && request.spec.user == user
        && request.spec.public_key == keys.public_key_base64()
}
