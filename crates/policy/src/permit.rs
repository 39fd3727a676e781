use sallyport_model::{
    ClusterName, Digest, ProfileName, ProfileRevision, RequestRef, RequestUid, RoleName, Scope, Terms, Ttl,
    UserName,
};

/// Proof that a decision allowed this grant. Only this crate makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    pub(crate) which: RequestRef,
    pub(crate) terms: Terms,
    pub(crate) roles: Vec<RoleName>,
    pub(crate) offer: Digest,
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
    /// Where to bind them.
    pub fn scope(&self) -> &Scope {
        &self.terms.scope
    }
    /// For how long from the grant's creation.
    pub fn duration(&self) -> Ttl {
        self.terms.duration
    }
    /// The digest of the offer that was decided on.
    pub fn offer(&self) -> &Digest {
        &self.offer
    }
}
