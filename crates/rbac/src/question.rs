//! Questions about rights as people write them.

use crate::Ask;
use sallyport_model::{clip, visible};

/// A question, its parts owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is done: `get`.
    pub verb: String,
    /// With what.
    pub what: What,
    /// In which namespace; none: everywhere.
    pub namespace: Option<String>,
}

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A resource, or one below it.
    Resource {
        /// Its API group.
        group: String,
        /// Its plural, in lower case.
        resource: String,
        /// What is below it; empty: itself.
        subresource: String,
        /// One by its name; empty: not said.
        name: String,
    },
    /// A path that is no resource's.
    Path(String),
}

/// Why a question is none, in a sentence that says how to write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuestionError(String);

fn wrong(why: impl Into<String>) -> QuestionError {
    QuestionError(why.into())
}

fn shown(text: &str) -> String {
    clip(&visible(text), 200)
}

/// Resources of Kubernetes outside the core group. Of any other the group has to be said.
const GROUPS: [(&str, &[&str]); 15] = [
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("apps", &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]),
    ("authentication.k8s.io", &["selfsubjectreviews", "tokenreviews"]),
    (
        "authorization.k8s.io",
        &[
            "localsubjectaccessreviews",
            "selfsubjectaccessreviews",
            "selfsubjectrulesreviews",
            "subjectaccessreviews",
        ],
    ),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("batch", &["cronjobs", "jobs"]),
    ("certificates.k8s.io", &["certificatesigningrequests", "signers"]),
    ("coordination.k8s.io", &["leases"]),
    ("networking.k8s.io", &["ingressclasses", "ingresses", "networkpolicies"]),
    ("policy", &["poddisruptionbudgets"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    ("storage.k8s.io", &["csidrivers", "csinodes", "storageclasses", "volumeattachments"]),
];

/// Resources of the core group, with those that exist for `impersonate` alone.
const CORE: [&str; 19] = [
    "configmaps",
    "endpoints",
    "events",
    "groups",
    "limitranges",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
    "users",
    "bindings",
    "componentstatuses",
];

impl Asked {
    /// A question as kubectl writes it: `resource` is `deployments`, `pods/exec`, `issuers.cert-manager.io`, or a path that
    /// begins with `/`.
    ///
    /// # Errors
    /// For a path with a name or a namespace, and for a resource whose API group has to be said.
    pub fn parse(
        verb: &str,
        resource: &str,
        name: Option<&str>,
        namespace: Option<&str>,
    ) -> Result<Self, QuestionError> {
        let (verb, namespace) = (verb.to_owned(), namespace.map(str::to_owned));
        if resource.starts_with('/') {
            if name.is_some() || namespace.is_some() {
                return Err(wrong("a path has neither a name nor a namespace; write the path alone"));
            }
            return Ok(Self { verb, what: What::Path(resource.to_owned()), namespace });
        }
        let (whole, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let (resource, group) = match whole.split_once('.') {
            Some((resource, group)) => (resource, group.to_owned()),
            None => (whole, group_of(whole)?),
        };
        Ok(Self {
            verb,
            what: What::Resource {
                group,
                resource: resource.to_owned(),
                subresource: subresource.to_owned(),
                name: name.unwrap_or_default().to_owned(),
            },
            namespace,
        })
    }

    /// As it is asked of an index.
    pub fn ask(&self) -> Ask<'_> {
        let verb = &self.verb;
        match &self.what {
            What::Resource { group, resource, subresource, name } => {
                Ask::Resource { verb, group, resource, subresource, name }
            }
            What::Path(path) => Ask::Path { verb, path },
        }
    }

    /// `get pods/exec named a in payments`.
    pub fn said(&self) -> String {
        let mut text = match &self.what {
            What::Path(path) => format!("{} {}", shown(&self.verb), shown(path)),
            What::Resource { group, resource, subresource, name } => {
                let group = if group.is_empty() { String::new() } else { format!(".{}", shown(group)) };
                let below =
                    if subresource.is_empty() { String::new() } else { format!("/{}", shown(subresource)) };
                let name = if name.is_empty() { String::new() } else { format!(" named {}", shown(name)) };
                format!("{} {}{group}{below}{name}", shown(&self.verb), shown(resource))
            }
        };
        if let Some(namespace) = &self.namespace {
            text.push_str(&format!(" in {}", shown(namespace)));
        }
        text
    }
}

fn group_of(resource: &str) -> Result<String, QuestionError> {
    if resource == "*" || CORE.contains(&resource) {
        return Ok(String::new());
    }
    let group = GROUPS.iter().find(|(_, resources)| resources.contains(&resource));
    group.map(|(group, _)| (*group).to_owned()).ok_or_else(|| {
        wrong(format!(
            "which API group {} is of is not known here; write RESOURCE.GROUP with the plural in lower case, as \
             certificates.cert-manager.io",
            shown(resource)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(resource: &str, name: Option<&str>, namespace: Option<&str>) -> Result<String, QuestionError> {
        Asked::parse("get", resource, name, namespace).map(|asked| asked.said())
    }

    #[test]
    fn a_question_is_read_as_kubectl_writes_it() {
        let said = |resource| asked(resource, None, None).unwrap();
        assert_eq!(said("pods"), "get pods");
        assert_eq!(said("pods/exec"), "get pods/exec");
        assert_eq!(said("deployments"), "get deployments.apps");
        assert_eq!(said("deployments.apps/scale"), "get deployments.apps/scale");
        assert_eq!(said("issuers.cert-manager.io"), "get issuers.cert-manager.io");
        assert_eq!(said("/metrics"), "get /metrics");
        assert_eq!(
            asked("secrets", Some("a"), Some("b\u{202e}")).unwrap(),
            "get secrets named a in b⟨U+202E⟩"
        );
        assert!(asked("widgets", None, None).unwrap_err().to_string().contains("RESOURCE.GROUP"));
        assert!(asked("pod", None, None).is_err(), "not the singular");
        assert!(asked("/metrics", Some("a"), None).is_err());
    }
}
