use crate::Met;
use sallyport_model::{
    ClusterName, Digest, Given, ProfileName, ProfileRevision, RequestRef, RequestUid, RoleName, Scope, Terms,
    Ttl, UserName,
};

/// Proof that a decision allowed this grant. Only this crate makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    pub(crate) which: RequestRef,
    pub(crate) terms: Terms,
    pub(crate) given: Given,
    pub(crate) roles: Vec<RoleName>,
    pub(crate) offer: Digest,
    pub(crate) auto_approval: Option<Met>,
}

impl Permit {
    /// UID of the request.
    pub fn request(&self) -> &RequestUid {
        &self.which.uid
    }
    /// Namespace of the request on the hub.
    pub fn namespace(&self) -> &str {
        self.which.team.as_str()
    }
    /// Name of the request on the hub.
    pub fn name(&self) -> &str {
        &self.which.name
    }
    /// Who it is for.
    pub fn user(&self) -> &UserName {
        &self.terms.user
    }
    /// On which cluster, and on no other.
    pub fn cluster(&self) -> &ClusterName {
        &self.terms.cluster
    }
    /// Under which profile.
    pub fn profile(&self) -> &ProfileName {
        &self.terms.profile
    }
    /// At which revision of it.
    pub fn revision(&self) -> &ProfileRevision {
        &self.terms.revision
    }
    /// ClusterRoles to bind.
    pub fn roles(&self) -> &[RoleName] {
        &self.roles
    }
    /// What is given: what was asked for, or what the approvals leave of it.
    pub fn given(&self) -> &Given {
        &self.given
    }
    /// Where to bind the roles.
    pub fn scope(&self) -> &Scope {
        &self.given.scope
    }
    /// For how long from the grant's creation.
    pub fn duration(&self) -> Ttl {
        self.given.duration
    }
    /// The digest of the offer that was decided on: of what was asked for, also where less is given.
    pub fn offer(&self) -> &Digest {
        &self.offer
    }
    /// The autoApproval that stands for all approvals; `None`: people said yes, or the profile wants nobody's.
    pub fn auto_approval(&self) -> Option<&Met> {
        self.auto_approval.as_ref()
    }
}
