//! Subjects and questions as they are written on the command line.

use crate::args;
use crate::end::Stop;
use crate::words::shown;
use sallyport_rbac::Ask;
use sallyport_rbac::who::{Caller, Subject};

/// `user:NAME`, `group:NAME`, `sa:NAMESPACE/NAME`; also `system:serviceaccount:NAMESPACE:NAME`, as logs have it.
pub(crate) fn subject(text: &str) -> Result<Subject, Stop> {
    let wrong =
        || Stop(format!("{} names nobody; write user:NAME, group:NAME or sa:NAMESPACE/NAME", shown(text)));
    if text.starts_with("system:serviceaccount:") {
        return Ok(Subject::User(text.to_owned()));
    }
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or_else(wrong)?;
    match kind {
        "user" => Ok(Subject::User(name.to_owned())),
        "group" => Ok(Subject::Group(name.to_owned())),
        "sa" => match name.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(Subject::account(namespace, name))
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// Somebody with the groups they are said to be in.
pub(crate) fn caller(who: &args::Who) -> Result<(Subject, Caller), Stop> {
    let subject = subject(&who.subject)?;
    let mut caller = subject.caller();
    caller.groups.extend(who.groups.iter().cloned());
    Ok((subject, caller))
}

/// A question, its parts owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) verb: String,
    pub(crate) what: What,
    pub(crate) namespace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Resource { group: String, resource: String, subresource: String, name: String },
    Path(String),
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
    pub(crate) fn of(question: &args::Question) -> Result<Self, Stop> {
        let verb = question.verb.clone();
        let namespace = question.namespace.clone();
        if question.resource.starts_with('/') {
            if question.name.is_some() || namespace.is_some() {
                return Err(Stop::new("a path has neither a name nor a namespace; write the path alone"));
            }
            return Ok(Self { verb, what: What::Path(question.resource.clone()), namespace });
        }
        let (whole, subresource) = question.resource.split_once('/').unwrap_or((&question.resource, ""));
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
                name: question.name.clone().unwrap_or_default(),
            },
            namespace,
        })
    }

    pub(crate) fn ask(&self) -> Ask<'_> {
        let verb = &self.verb;
        match &self.what {
            What::Resource { group, resource, subresource, name } => {
                Ask::Resource { verb, group, resource, subresource, name }
            }
            What::Path(path) => Ask::Path { verb, path },
        }
    }

    /// `get pods/exec named a in payments`.
    pub(crate) fn said(&self) -> String {
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

fn group_of(resource: &str) -> Result<String, Stop> {
    if resource == "*" || CORE.contains(&resource) {
        return Ok(String::new());
    }
    let group = GROUPS.iter().find(|(_, resources)| resources.contains(&resource));
    group.map(|(group, _)| (*group).to_owned()).ok_or_else(|| {
        Stop(format!(
            "which API group {} is of is not known here; write RESOURCE.GROUP with the plural in lower case, as \
             certificates.cert-manager.io",
            shown(resource)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(resource: &str, name: Option<&str>, namespace: Option<&str>) -> Result<String, Stop> {
        let question = args::Question {
            verb: "get".to_owned(),
            resource: resource.to_owned(),
            name: name.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
        };
        Asked::of(&question).map(|asked| asked.said())
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
        assert!(asked("widgets", None, None).unwrap_err().0.contains("RESOURCE.GROUP"));
        assert!(asked("pod", None, None).is_err(), "not the singular");
        assert!(asked("/metrics", Some("a"), None).is_err());
    }

    #[test]
    fn a_subject_is_a_user_a_group_or_an_account() {
        assert_eq!(subject("user:alice").unwrap(), Subject::User("alice".to_owned()));
        assert_eq!(subject("group:oidc:devs").unwrap(), Subject::Group("oidc:devs".to_owned()));
        assert_eq!(subject("sa:ci/deployer").unwrap(), Subject::account("ci", "deployer"));
        assert_eq!(subject("system:serviceaccount:ci:deployer").unwrap(), Subject::account("ci", "deployer"));
        for wrong in ["", "alice", "user:", "sa:ci", "sa:/x", "sa:ci/", "role:x"] {
            assert!(subject(wrong).is_err(), "{wrong}");
        }
    }
}
