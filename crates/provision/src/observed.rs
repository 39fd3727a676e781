use k8s_openapi::api::{
    core::v1::ServiceAccount,
    rbac::v1::{ClusterRoleBinding, RoleBinding, Subject},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sallyport_api::{AccessGrant, SESSIONS_NAMESPACE};
use sallyport_model::Ttl;

/// What exists on a target under one grant's name and label.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The grant.
    pub grant: Option<AccessGrant>,
    /// Session ServiceAccounts; one at most, if nobody interfered.
    pub accounts: Vec<ServiceAccount>,
    /// RoleBindings in any namespace.
    pub bindings: Vec<RoleBinding>,
    /// ClusterRoleBindings.
    pub cluster_bindings: Vec<ClusterRoleBinding>,
}

/// Whether a binding names a session's ServiceAccount; admission lets the broker alone make such. Anybody who may write
/// bindings in a namespace can give theirs a grant's label or owner, and that makes it no business of ours.
#[must_use]
pub fn is_of_session(subjects: Option<&Vec<Subject>>) -> bool {
    subjects.into_iter().flatten().any(|subject| {
        subject.kind == "ServiceAccount" && subject.namespace.as_deref() == Some(SESSIONS_NAMESPACE)
    })
}

impl Observed {
    /// Whether nothing exists.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grant.is_none() && self.holds_nothing()
    }

    /// Whether nothing hangs on the grant: no ServiceAccount, no binding.
    #[must_use]
    pub fn holds_nothing(&self) -> bool {
        self.accounts.is_empty() && self.bindings.is_empty() && self.cluster_bindings.is_empty()
    }

    /// Kind and metadata of everything there.
    pub(crate) fn objects(&self) -> Vec<(&'static str, &ObjectMeta)> {
        let grant = self.grant.iter().map(|one| ("AccessGrant", &one.metadata));
        let accounts = self.accounts.iter().map(|one| ("ServiceAccount", &one.metadata));
        let bindings = self.bindings.iter().map(|one| ("RoleBinding", &one.metadata));
        let wide = self.cluster_bindings.iter().map(|one| ("ClusterRoleBinding", &one.metadata));
        bindings.chain(wide).chain(accounts).chain(grant).collect()
    }

    /// Kind, namespace and name of everything there.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let shown = |(kind, meta): (&str, &ObjectMeta)| {
            let name = meta.name.as_deref().unwrap_or_default();
            match &meta.namespace {
                Some(namespace) => format!("{kind} {namespace}/{name}"),
                None => format!("{kind} {name}"),
            }
        };
        self.objects().into_iter().map(shown).collect()
    }

    /// When the grant ends, Unix seconds of the target's clock.
    #[must_use]
    pub fn end(&self) -> Option<i64> {
        self.grant.as_ref().and_then(end_of)
    }
}

/// When a grant ends: its creation plus its duration, Unix seconds of the target's clock.
#[must_use]
pub fn end_of(grant: &AccessGrant) -> Option<i64> {
    let created = grant.metadata.creation_timestamp.as_ref()?.0.as_second();
    let duration: Ttl = grant.spec.duration.parse().ok()?;
    Some(created + i64::try_from(duration.as_seconds()).ok()?)
}
