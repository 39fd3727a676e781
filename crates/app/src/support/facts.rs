//! What a bundle is made of: views, which hold no secret by their types, and the log.

use crate::desk::Fault;
use sallyport_audit::{Kind, Names};
use sallyport_ipc::{AppState, ClustersView, HeldKind, RequestsView, SessionView, SettingsView, VerifyView};
use std::path::PathBuf;

/// All of it, as it was at one moment.
pub(crate) struct Facts {
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    pub(crate) state: AppState,
    pub(crate) settings: SettingsView,
    pub(crate) clusters: ClustersView,
    pub(crate) sessions: Vec<SessionView>,
    pub(crate) requests: RequestsView,
    /// What the check of the history found; `Err`: why it could not be checked.
    pub(crate) verified: Result<VerifyView, String>,
    /// Whether the gateway takes calls: it does not while they can't be recorded.
    pub(crate) recording: bool,
    pub(crate) faults: Vec<Fault>,
    /// Raw: it is redacted as it is put in.
    pub(crate) log: Vec<String>,
    /// The person's reason that is carried, which may stand in the log.
    pub(crate) reason: Option<String>,
    pub(crate) home: Option<PathBuf>,
    /// What the desktop says of itself, by the names of its variables.
    pub(crate) desktop: Vec<(&'static str, String)>,
}

impl Facts {
    /// Tells by what names people, groups and clusters are known here, and what somebody wrote.
    pub(super) fn name_all(&self, names: &mut Names) {
        let mut learn = |kind, name: &str| names.learn(kind, name);
        if let Some(home) = self.home.as_deref().and_then(|home| home.to_str()) {
            learn(Kind::Home, home);
        }
        if let Some(user) = &self.state.user {
            learn(Kind::Person, &user.name);
            user.email.iter().for_each(|email| learn(Kind::Person, email));
            user.groups.iter().for_each(|group| learn(Kind::Group, group));
        }
        for cluster in &self.clusters.clusters {
            learn(Kind::Cluster, &cluster.name);
            learn(Kind::Cluster, &cluster.display_name);
        }
        for session in &self.sessions {
            learn(Kind::Cluster, &session.cluster);
            learn(Kind::Words, &session.reason);
            if let Some(ended) = &session.ended {
                ended.by.iter().for_each(|by| learn(Kind::Person, by));
                ended.message.iter().for_each(|said| learn(Kind::Words, said));
            }
        }
        for hold in &self.state.holds {
            match hold.on {
                HeldKind::User => learn(Kind::Person, &hold.name),
                HeldKind::Cluster => learn(Kind::Cluster, &hold.name),
                HeldKind::Everything => {}
            }
            learn(Kind::Person, &hold.by);
            learn(Kind::Words, &hold.reason);
        }
        for request in &self.requests.requests {
            learn(Kind::Person, &request.user);
            request.groups.iter().for_each(|group| learn(Kind::Group, group));
            learn(Kind::Cluster, &request.cluster);
            learn(Kind::Words, &request.reason);
            request.approvals.iter().for_each(|yes| learn(Kind::Person, &yes.by));
            request.ended.iter().for_each(|said| learn(Kind::Words, said));
        }
        self.reason.iter().for_each(|reason| learn(Kind::Words, reason));
    }
}
