//! What a click means: which profile, where, for how long and why.

use crate::core::{Core, now_ms};
use crate::error::AppError;
use crate::inventory::{Inventory, Offered};
use crate::session::Session;
use crate::session_record::Wanted;
use jiff::Timestamp;
use sallyport_hub::{Ask, request_name};
use sallyport_ipc::OpenInput;
use sallyport_model::{ClusterName, ErrorCode, ProfileName, RequestUid, Scope, SessionState, Ttl};
use sallyport_store::{OpenSession, Opening};
use std::sync::{Arc, PoisonError};

/// One hour, unless the profile says less or the person said otherwise.
const USUAL: Ttl = Ttl::minutes(60);

impl Core {
    /// The session that is opening or open on a cluster, under one profile or any.
    pub(crate) fn open_on(
        &self,
        cluster: &ClusterName,
        profile: Option<&ProfileName>,
    ) -> Option<Arc<Session>> {
        self.all_sessions().into_iter().find(|s| is_open_on(s, cluster, profile))
    }

    /// The profile a click means.
    pub(crate) fn choose(
        &self,
        cluster: &ClusterName,
        input: &OpenInput,
        last: Option<&Opening>,
    ) -> Result<Offered, AppError> {
        let inventory = self.inventory.read().unwrap_or_else(PoisonError::into_inner);
        if !inventory.clusters.contains_key(cluster.as_str()) {
            return Err(AppError::new(ErrorCode::BadInput, format!("the hub knows no cluster {cluster}"))
                .hint("It may have been removed; look at the list again."));
        }
        let offered = inventory.offered(cluster).ok_or_else(|| {
            AppError::new(ErrorCode::HubUnreachable, "the hub has not said yet what you may ask for")
                .hint("Try again in a moment.")
                .retry()
        })?;
        let last = last.map(crate::clusters::last_view);
        let found = match &input.profile {
            Some(name) => offered.iter().find(|o| o.profile.name.as_str() == name),
            None => Inventory::chosen(&offered, last.as_ref()),
        };
        found.cloned().ok_or_else(|| {
            AppError::new(ErrorCode::Forbidden, format!("you have no profile that opens {cluster}"))
                .hint("Ask an admin which group you need.")
        })
    }

    /// Namespaces, duration and reason: as given, else as last time, else all the profile names and 1 h.
    pub(crate) async fn wanted(
        &self,
        cluster: &ClusterName,
        input: &OpenInput,
        offered: &Offered,
        last: Option<&Opening>,
    ) -> Result<Wanted, AppError> {
        let profile = &offered.profile;
        let bad = |what: String| AppError::new(ErrorCode::BadInput, what);
        let last = last.filter(|l| l.profile == profile.name);
        let scope = match &input.namespaces {
            Some(names) => {
                let names: Result<Vec<_>, sallyport_model::NameError> =
                    names.iter().map(|n| n.parse()).collect();
                Scope::from_list(names.map_err(|e| bad(e.to_string()))?)
            }
            None => last
                .map(|l| l.scope.clone())
                .filter(|s| s.within(&profile.scope))
                .unwrap_or_else(|| profile.scope.clone()),
        };
        if !scope.within(&profile.scope) {
            return Err(bad(format!("{} allows only {}", profile.name, profile.scope)));
        }
        let asked = input.duration_seconds.map(|s| Ttl::seconds(s.into())).or(last.map(|l| l.duration));
        let duration = asked.unwrap_or(USUAL).min(profile.max_duration).max(Ttl::SHORTEST);
        let carried = self.prefs.last_reason(Timestamp::now().as_second()).await.ok().flatten();
        let given = input.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned);
        let reason = given.or(carried.map(|r| r.text)).unwrap_or_default();
        if reason.is_empty() && profile.reason_required {
            return Err(AppError::new(ErrorCode::ReasonNeeded, "say why, in a few words")
                .hint("It is carried for 8 hours."));
        }
        if reason.chars().count() > 1024 {
            return Err(bad("the reason is longer than 1024 characters".into()));
        }
        let inventory = self.inventory.read().unwrap_or_else(PoisonError::into_inner);
        let environment =
            inventory.clusters.get(cluster.as_str()).map(|c| c.spec.environment.clone()).unwrap_or_default();
        Ok(Wanted {
            cluster: cluster.clone(),
            environment,
            profile: profile.name.clone(),
            scope,
            duration,
            reason,
            approvals: profile.approvals,
        })
    }

    /// Forgets what was written down: nothing was made, or it is proven gone.
    pub(crate) async fn forget_note(&self, name: &str) {
        if let Err(error) = self.prefs.forget_session(RequestUid::new(name)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a session's note was not forgotten");
        }
    }

    /// Written down before anything exists, so that the next start finds whatever a crash leaves (promise P14).
    pub(crate) async fn note_before_asking(&self, ask: &Ask, hub: &str) -> Result<(), AppError> {
        let name = request_name(&ask.public_key);
        let noted = OpenSession {
            request: RequestUid::new(name.clone()),
            hub: hub.to_owned(),
            namespace: ask.team.clone(),
            name,
            cluster: ask.cluster.clone(),
            kubeconfig: self.dirs.runtime.clone(),
            solo: false,
            end: None,
            opened_at: now_ms() / 1000,
        };
        self.prefs.note_session(noted).await.map_err(|e| {
            AppError::failed("the session could not be written down, so nothing was asked")
                .hint("Check that the disk is not full.")
                .because(e)
        })
    }
}

pub(crate) fn is_open_on(session: &Session, cluster: &ClusterName, profile: Option<&ProfileName>) -> bool {
    let record = session.record();
    record.wanted.cluster == *cluster
        && profile.is_none_or(|p| record.wanted.profile == *p)
        && matches!(record.state, SessionState::Opening | SessionState::Open)
}
