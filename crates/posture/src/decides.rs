//! Why roles and bindings do not say everything: who decides beside them, and roles whose rules are not known.

use crate::snapshot::{Aggregated, Authorizers, BindingObject, Snapshot};
use sallyport_model::{clip, visible};

/// Names, said for people.
pub(crate) fn names(names: &[String]) -> String {
    clip(&visible(&names.join(", ")), 200)
}

impl Snapshot {
    /// Why it is not known that nobody can do something, where roles and bindings give it to nobody: a sentence each. Empty:
    /// they say all there is. Kinds that were not read are told apart, by [`Snapshot::gaps`]. `aggregated` is what
    /// [`Snapshot::rbac`] said.
    pub fn nobody_can_gaps(&self, aggregated: &Aggregated) -> Vec<String> {
        let mut gaps = Vec::new();
        match &self.authorizers {
            Authorizers::Others(why) => gaps.push(format!("roles are not all that decides here: {why}")),
            Authorizers::NotAsked => {
                if let Some((cloud, sign)) = cloud_of(self) {
                    gaps.push(format!(
                        "{sign} says that this is a cluster of {cloud}, where more than roles may decide, and nobody \
                         asked the API server"
                    ));
                }
            }
            Authorizers::RbacOnly => {}
        }
        if !aggregated.left.is_empty() {
            gaps.push(format!(
                "what these aggregated ClusterRoles give is not known, since there is no end to what they select: {}",
                names(&aggregated.left)
            ));
        }
        gaps
    }
}

/// How the names of bindings begin that a cloud keeps in each of its clusters, whose API servers ask its own authorizer
/// too: EKS access entries, Google Cloud IAM, Azure RBAC.
const CLOUDS: [(&str, &str); 7] = [
    ("eks:", "EKS"),
    ("aws-node", "EKS"),
    ("gce:", "GKE"),
    ("system:gcp-", "GKE"),
    ("system:gke-", "GKE"),
    ("aks-", "AKS"),
    ("system:azure-", "AKS"),
];

/// Labels of theirs.
const CLOUD_LABELS: [(&str, &str); 2] =
    [("eks.amazonaws.com/component", "EKS"), ("kubernetes.azure.com/managedby", "AKS")];

/// The cloud that an object says it is of, and which object.
fn cloud_of(snapshot: &Snapshot) -> Option<(&'static str, String)> {
    let aws_auth =
        |name: &str, namespace: Option<&str>| name == "aws-auth" && namespace == Some("kube-system");
    if snapshot.configs.iter().any(|one| aws_auth(&one.name, one.namespace.as_deref())) {
        return Some(("EKS", "the ConfigMap aws-auth".to_owned()));
    }
    let named = |one: &BindingObject| {
        let role = one.binding.role.name();
        let by_name =
            CLOUDS.iter().find(|(start, _)| one.binding.name.starts_with(start) || role.starts_with(start));
        let by_label = CLOUD_LABELS.iter().find(|(key, _)| one.meta.labels.contains_key(*key));
        by_name.or(by_label).map(|(_, cloud)| *cloud)
    };
    snapshot.bindings.iter().find_map(|one| {
        let cloud = named(one)?;
        Some((cloud, format!("the binding {}", clip(&visible(&one.binding.name), 80))))
    })
}
