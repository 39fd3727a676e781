//! A request that waits for somebody's yes outlives the app: the private key its token will be sealed to is kept in the
//! vault while it waits, and the next start goes on where this one stopped. A session that was open is never taken up.

use crate::core::{App, Signed};
use crate::opening::how_signed_in;
use crate::session::Session;
use crate::session_record::{SessionRecord, Wanted};
use sallyport_api::{AccessRequest, Asked};
use sallyport_audit::{Action, Draft};
use sallyport_hub::Which;
use sallyport_hub::seal::KeyPair;
use sallyport_ipc::StepKind;
use sallyport_model::{ClusterName, Phase, ProfileName, RequestUid, SessionId};
use sallyport_vault::{Item, VaultState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long the inventory is waited for, which knows the cluster's environment.
const INVENTORY: Duration = Duration::from_secs(5);

impl App {
    /// Keeps the key of a request that waits for people. Without a keyring it is not kept, and the next start takes
    /// the request back and says so.
    pub(crate) async fn keep_waiting(&self, session: &Session, which: &Which, keys: &KeyPair) {
        if !matches!(self.0.vault.state(), VaultState::Keyring) {
            return;
        }
        let item = Item::RequestKey { request: which.uid.clone() };
        match self.0.vault.put(item, keys.secret_bytes()).await {
            Ok(()) => session.key_kept.store(true, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the request's key was not kept")
            }
        }
    }

    /// Forgets the key: the seal is open, or the request is over.
    pub(crate) async fn forget_key(&self, session: &Session) {
        if !session.key_kept.swap(false, Ordering::Relaxed) {
            return;
        }
        let request = session.record().request.clone();
        if let Some(request) = request {
            self.remove_key(request).await;
        }
    }

    async fn remove_key(&self, request: RequestUid) {
        if let Err(error) = self.0.vault.remove(&Item::RequestKey { request }).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a request's key was not forgotten");
        }
    }

    /// Removes keys of requests that nobody waits for.
    pub(crate) async fn forget_stray_keys(&self) {
        let waiting: Vec<RequestUid> =
            self.0.all_sessions().iter().filter_map(|s| s.record().request.clone()).collect();
        for item in self.0.vault.items().await {
            if let Item::RequestKey { request } = item
                && !waiting.contains(&request)
            {
                self.remove_key(request).await;
            }
        }
    }

    /// Goes on with a request of an earlier run; false when it is not one to go on with.
    pub(crate) async fn take_up(&self, signed: &Signed, request: &AccessRequest) -> bool {
        let core = &self.0;
        let Ok(which) = Which::of(request) else { return false };
        let Some(kept) = core.vault.get(&Item::RequestKey { request: which.uid.clone() }).await else {
            return false;
        };
        let (Ok(keys), Ok(asked)) = (KeyPair::from_secret(&kept), Asked::try_from(request)) else {
            return false;
        };
        if !still_waits(request, &keys, signed.who.user.as_str()) {
            return false;
        }
        let (environment, approvals) = self.known_of(&asked.cluster, &asked.profile).await;
        let wanted = Wanted {
            environment,
            approvals,
            cluster: asked.cluster,
            profile: asked.profile,
            scope: asked.scope,
            duration: asked.duration,
            reason: request.spec.reason.clone(),
        };
        let id = SessionId::new(uuid::Uuid::now_v7().to_string());
        let mut record = SessionRecord::new(id.clone(), wanted);
        record.request = Some(which.uid.clone());
        for (kind, detail) in
            [(StepKind::SignedIn, how_signed_in(signed)), (StepKind::Asked, "before the restart".to_owned())]
        {
            record.begin(kind);
            record.done(kind, detail);
        }
        record.begin(StepKind::Approved);
        let session = Arc::new(Session::new(record, signed.clone(), core.stop.child_token()));
        session.key_kept.store(true, Ordering::Relaxed);
        session.which.send_replace(Some(which.clone()));
        {
            let mut sessions = core.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            let known = sessions.values().any(|s| s.record().request.as_ref() == Some(&which.uid));
            // Signed out meanwhile, or taken up by a sign-in beside this one.
            if signed.stop.is_cancelled() || known {
                return true;
            }
            sessions.insert(id, session.clone());
        }
        let what = format!("The request for {} is waited for again", request.spec.cluster);
        let draft: Draft = core.draft(Action::CleanupAtStart, &session).detail("what", what);
        core.recorder.note(draft).await;
        core.tell_session(&session);
        core.clusters_changed.notify_one();
        let (app, signed) = (self.clone(), signed.clone());
        tokio::spawn(async move { app.run_asked(session, signed, which, keys).await });
        true
    }

    /// The word for a cluster's environment and how many approvals a profile wants; while the inventory does not know
    /// them, no word and one.
    async fn known_of(&self, cluster: &ClusterName, profile: &ProfileName) -> (String, u8) {
        let find = || {
            let inventory = self.0.inventory.read().unwrap_or_else(PoisonError::into_inner);
            let word = inventory.clusters.get(cluster.as_str())?.spec.environment.clone();
            Some((word, inventory.profiles.get(profile.as_str())?.spec.approvals))
        };
        let known = async {
            loop {
                if let Some(known) = find() {
                    return known;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(INVENTORY, known).await.unwrap_or_else(|_| (String::new(), 1))
    }
}

/// Whether it is this person's, was made for this key, was not taken back, and still holds what the key opens.
fn still_waits(request: &AccessRequest, keys: &KeyPair, user: &str) -> bool {
    let status = request.status.clone().unwrap_or_default();
    let open = match request.phase() {
        Phase::Pending | Phase::Approved => true,
        // Granted while the app was away: the token is still sealed in the status, opened by nobody.
        Phase::Active => crate::following::credential(request).is_some(),
        Phase::Closed => false,
    };
    open && status.withdrawn.is_none()
        && status.revocation.is_none()
        && request.spec.user == user
        && request.spec.public_key == keys.public_key_base64()
}
