//! Whose cluster it is, where a cloud runs its API server: what is asked of the cloud then, and by which sign it is known.
//!
//! Names and labels of objects can be written by whoever may write those, so by such a sign nothing gets better: it only
//! makes "nobody can" unknown. A sign that the API server itself gives, or the address that was asked, also says where to
//! look for what can't be read. No sign turns what was found into a pass.

use crate::snapshot::{BindingObject, Snapshot};
use sallyport_model::{clip, visible};

/// A cloud that runs API servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// EKS, GKE or AKS.
    pub(crate) name: &'static str,
    /// The first sign that says so, for people.
    pub(crate) sign: String,
    /// Whether the API server itself or its address says so.
    pub(crate) vouched: bool,
}

/// What a cloud writes into the version of its API servers.
const VERSIONS: [(&str, &str); 2] = [("-eks-", "EKS"), ("-gke.", "GKE")];

/// How the names of its API servers end.
const HOSTS: [(&str, &str); 4] = [
    (".eks.amazonaws.com", "EKS"),
    (".eks.amazonaws.com.cn", "EKS"),
    (".gke.goog", "GKE"),
    (".azmk8s.io", "AKS"),
];

/// How the names of bindings begin that a cloud keeps in each of its clusters, whose API servers ask its own authorizer
/// too: EKS access entries, Google Cloud IAM, Azure RBAC.
const BINDINGS: [(&str, &str); 7] = [
    ("eks:", "EKS"),
    ("aws-node", "EKS"),
    ("gce:", "GKE"),
    ("system:gcp-", "GKE"),
    ("system:gke-", "GKE"),
    ("aks-", "AKS"),
    ("system:azure-", "AKS"),
];

/// Labels of its bindings.
const LABELS: [(&str, &str); 2] =
    [("eks.amazonaws.com/component", "EKS"), ("kubernetes.azure.com/managedby", "AKS")];

/// Labels of its nodes.
const NODE_LABELS: [(&str, &str); 3] = [
    ("eks.amazonaws.com/nodegroup", "EKS"),
    ("cloud.google.com/gke-nodepool", "GKE"),
    ("kubernetes.azure.com/cluster", "AKS"),
];

/// Whether a name begins so. Most differ in their first letter, and there are thousands.
pub(crate) fn begins(name: &str, start: &str) -> bool {
    name.as_bytes().first() == start.as_bytes().first() && name.starts_with(start)
}

impl Snapshot {
    /// The cloud that this is a cluster of, by the best sign there is.
    pub(crate) fn cloud(&self) -> Option<Cloud> {
        self.vouched_cloud().or_else(|| {
            let (name, sign) = self.said_by_objects()?;
            Some(Cloud { name, sign, vouched: false })
        })
    }

    /// The same, where the API server itself or its address says so.
    pub(crate) fn vouched_cloud(&self) -> Option<Cloud> {
        let cloud = |name: &'static str, sign: String| Some(Cloud { name, sign, vouched: true });
        let version = self.version.as_deref().unwrap_or_default();
        if let Some((_, name)) = VERSIONS.iter().find(|(part, _)| version.contains(part)) {
            return cloud(name, format!("the version {}", clip(&visible(version), 80)));
        }
        let door = self.door.as_ref()?;
        // An address counts where who answers there was believed.
        let believed = door.untrusted.whole().is_some_and(Option::is_none);
        let host = door.host.to_ascii_lowercase();
        let (_, name) = HOSTS.iter().find(|(end, _)| believed && host.ends_with(end))?;
        cloud(name, format!("the address {}", clip(&visible(&host), 80)))
    }

    fn said_by_objects(&self) -> Option<(&'static str, String)> {
        let aws_auth =
            |name: &str, namespace: Option<&str>| name == "aws-auth" && namespace == Some("kube-system");
        if self.configs.iter().any(|one| aws_auth(&one.name, one.namespace.as_deref())) {
            return Some(("EKS", "the ConfigMap aws-auth".to_owned()));
        }
        let named = |one: &BindingObject| {
            let role = one.binding.role.name();
            let by_name =
                BINDINGS.iter().find(|(start, _)| begins(&one.binding.name, start) || begins(role, start));
            let by_label = LABELS.iter().find(|(key, _)| one.meta.labels.contains_key(*key));
            by_name.or(by_label).map(|(_, cloud)| *cloud)
        };
        let binding = self.bindings.iter().find_map(|one| {
            let cloud = named(one)?;
            Some((cloud, format!("the binding {}", clip(&visible(&one.binding.name), 80))))
        });
        binding.or_else(|| {
            self.nodes.iter().find_map(|node| {
                let (_, cloud) = NODE_LABELS.iter().find(|(key, _)| node.meta.labels.contains_key(*key))?;
                Some((*cloud, format!("the node {}", clip(&visible(&node.meta.name), 80))))
            })
        })
    }
}

impl Cloud {
    fn look(&self, eks: &str, gke: &str, aks: &str) -> String {
        let command = match self.name {
            "EKS" => eks,
            "GKE" => gke,
            _ => aks,
        };
        let doubt = if self.vouched { "" } else { " (as far as this is one: only objects say so)" };
        format!("a setting of {}{doubt}: {command}", self.name)
    }

    /// Where its log of requests is turned on.
    pub(crate) fn audit_look(&self) -> String {
        self.look(
            "aws eks describe-cluster --name NAME --query cluster.logging",
            "gcloud container clusters describe NAME --format='value(loggingConfig)', and the Data Access logs of the \
             Kubernetes Engine API",
            "az monitor diagnostic-settings list --resource ID (kube-audit or kube-audit-admin)",
        )
    }

    /// Where Secrets are encrypted.
    pub(crate) fn encryption_look(&self) -> String {
        self.look(
            "aws eks describe-cluster --name NAME --query cluster.encryptionConfig",
            "gcloud container clusters describe NAME --format='value(databaseEncryption)'",
            "az aks show -n NAME -g GROUP --query securityProfile.azureKeyVaultKms",
        )
    }

    /// Who gets in.
    pub(crate) fn sign_in_look(&self) -> String {
        self.look(
            "IAM decides who gets in, with its own rules for a second factor; aws eks \
             list-identity-provider-configs --cluster-name NAME",
            "Google accounts get in, with their own rules for a second factor; gcloud container clusters describe NAME \
             --format='value(identityServiceConfig,authenticatorGroupsConfig)'",
            "Entra ID, where it is on: az aks show -n NAME -g GROUP --query \
             '{entra:aadProfile,local:disableLocalAccounts}'",
        )
    }

    /// Its API servers' flags.
    pub(crate) fn flags_look(&self) -> String {
        self.look(
            "its API servers' flags are the cloud's, and the same for everybody",
            "its API servers' flags are the cloud's, and the same for everybody",
            "its API servers' flags are the cloud's, and the same for everybody",
        )
    }

    /// From where its API server is reached.
    pub(crate) fn endpoint_look(&self) -> &'static str {
        match self.name {
            "EKS" => "aws eks describe-cluster --name NAME --query cluster.resourcesVpcConfig",
            "GKE" => "gcloud container clusters describe NAME --format='value(controlPlaneEndpointsConfig)'",
            _ => "az aks show -n NAME -g GROUP --query apiServerAccessProfile",
        }
    }
}
