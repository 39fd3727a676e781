//! What is different about a scan: where it asks, and under what kind of profile.

use crate::{NamespaceName, Profile, RequestRef, Scope, Ttl};

/// The namespace on the hub where scans ask: no team looks there, so nothing else may be asked for in it.
pub const SCANS_NAMESPACE: &str = "sallyport-scans";
/// The ClusterRole on a target that a scan reads with.
pub const POSTURE_ROLE: &str = "sallyport:posture";

/// The longest that a scan may have its session.
pub const SCAN_LONGEST: Ttl = Ttl::minutes(60);

impl RequestRef {
    /// Whether it was asked where scans ask.
    pub fn is_scan(&self) -> bool {
        self.team.as_str() == SCANS_NAMESPACE
    }
}

impl NamespaceName {
    /// Where scans ask.
    pub fn of_scans() -> Self {
        SCANS_NAMESPACE.parse().expect("it is a namespace's name")
    }
}

impl Profile {
    /// Whether it may be asked for where no team looks: it reads what a scan reads and nothing else, opens at once, and
    /// nobody's day is counted under it.
    pub fn is_for_scans(&self) -> bool {
        matches!(self.roles.as_slice(), [role] if role.as_str() == POSTURE_ROLE)
            && self.scope == Scope::ClusterWide
            && self.approvals == 0
            && self.max_per_day.is_none()
    }
}
