//! Kinds by their names, and where an API server has them.

use sallyport_posture::Kind;

/// The kind of this name in this API group (`apps/v1` is of the group `apps`, `v1` of the core group).
pub(crate) fn kind_of(kind: &str, api_version: &str) -> Option<Kind> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    Kind::ALL.iter().copied().find(|one| one.name() == kind && one.group() == group)
}

/// `rbac.authorization.k8s.io/v1`. All kinds here have been `v1` since Kubernetes 1.30, but for [`earlier`].
pub(crate) fn api_version(kind: Kind) -> String {
    if kind.group().is_empty() { "v1".to_owned() } else { format!("{}/v1", kind.group()) }
}

/// `/apis/rbac.authorization.k8s.io/v1` of `rbac.authorization.k8s.io/v1`.
pub(crate) fn base(version: &str) -> String {
    let prefix = if version.contains('/') { "apis" } else { "api" };
    format!("/{prefix}/{version}")
}

/// The version that an API server may have a kind in which it has in no stable one yet: MutatingAdmissionPolicies are
/// `v1` since 1.36 and `v1beta1` since 1.34.
pub(crate) fn earlier(kind: Kind) -> Option<String> {
    matches!(kind, Kind::MutatingAdmissionPolicy | Kind::MutatingAdmissionPolicyBinding)
        .then(|| format!("{}/v1beta1", kind.group()))
}

/// `roles.rbac.authorization.k8s.io`, as kubectl writes it.
pub(crate) fn resource(kind: Kind) -> String {
    if kind.group().is_empty() {
        kind.plural().to_owned()
    } else {
        format!("{}.{}", kind.plural(), kind.group())
    }
}

/// The right that reading all of a kind takes.
pub(crate) fn right(kind: Kind) -> String {
    let namespaced = matches!(
        kind,
        Kind::Role
            | Kind::RoleBinding
            | Kind::ServiceAccount
            | Kind::Pod
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::Job
            | Kind::CronJob
            | Kind::Secret
            | Kind::ResourceQuota
            | Kind::LimitRange
            | Kind::ConfigMap
            | Kind::Service
            | Kind::EndpointSlice
            | Kind::Ingress
    );
    format!("list {}{}", resource(kind), if namespaced { " in all namespaces" } else { "" })
}
