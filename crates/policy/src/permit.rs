use sallyport_model::{
    ClusterName, Digest, ProfileName, ProfileRevision, RequestUid, RoleName, Scope, Ttl, UserName,
};

/// Proof that a decision allowed this grant. Only this crate makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    pub(crate) request: RequestUid,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) user: UserName,
    pub(crate) cluster: ClusterName,
    pub(crate) profile: ProfileName,
    pub(crate) revision: ProfileRevision,
    pub(crate) roles: Vec<RoleName>,
    pub(crate) scope: Scope,
    pub(crate) duration: Ttl,
    pub(crate) offer: Digest,
}

impl Permit {
    /// UID of the request.
    pub fn request(&self) -> &RequestUid {
        &self.request
    }
    /// Namespace of the request on the hub.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
    /// Name of the request on the hub.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Who it is for.
    pub fn user(&self) -> &UserName {
        &self.user
    }
    /// On which cluster, and on no other.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }
    /// Under which profile.
    pub fn profile(&self) -> &ProfileName {
        &self.profile
    }
    /// At which revision of it.
    pub fn revision(&self) -> &ProfileRevision {
        &self.revision
    }
    /// ClusterRoles to bind.
    pub fn roles(&self) -> &[RoleName] {
        &self.roles
    }
    /// Where to bind them.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
    /// For how long from the grant's creation.
    pub fn duration(&self) -> Ttl {
        self.duration
    }
    /// The digest of the offer that was decided on.
    pub fn offer(&self) -> &Digest {
        &self.offer
    }
}
