use crate::{
    AutoApproval, ClusterName, Mfa, ProfileName, ProfileRevision, Reaffirm, Recording, RoleName, Scope, Ttl,
    glob_matches,
};

/// What may be asked for: a profile whose every field was parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: ProfileName,
    /// UID and generation it was read at.
    pub revision: ProfileRevision,
    /// Globs over cluster names.
    pub clusters: Vec<String>,
    /// ClusterRoles to bind.
    pub roles: Vec<RoleName>,
    /// Where at most.
    pub scope: Scope,
    /// How long at most.
    pub max_duration: Ttl,
    /// How many people must say yes; 0 opens at once.
    pub approvals: u8,
    /// What stands for all of them, in the order in which they are tried.
    pub auto_approvals: Vec<AutoApproval>,
    /// How much time one person may have under it on one cluster within any 24 hours; `None`: it is not counted.
    pub max_per_day: Option<Ttl>,
    /// What a requester's and an approver's sign-in must be like.
    pub mfa: Mfa,
    /// Whether a reason must be given.
    pub reason_required: bool,
    /// How often the provider has to vouch for whoever has it open; `None`: never.
    pub reaffirm: Option<Reaffirm>,
    /// What the requester's desktop takes down of its terminals; `None`: nothing.
    pub recording: Option<Recording>,
}

impl Profile {
    /// Whether one of its globs matches.
    pub fn covers(&self, cluster: &ClusterName) -> bool {
        self.clusters.iter().any(|glob| glob_matches(glob, cluster.as_str()))
    }

    /// Whether one of its autoApprovals goes by how often it was met within 24 hours.
    pub fn counts_openings(&self) -> bool {
        let mut conditions = self.auto_approvals.iter().filter_map(|auto| auto.conditions.as_ref().ok());
        conditions.any(|conditions| conditions.per_day().is_some())
    }
}
