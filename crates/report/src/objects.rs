//! Shapes that several outputs share. Names are as the API server has them: whoever shows them makes hidden characters
//! visible.

use sallyport_posture::exception::Exception;
use sallyport_posture::{Evidence, Object, Review};
use sallyport_rbac::who::{Binding, Role, Subject};
use schemars::JsonSchema;
use serde::Serialize;

/// Whom a binding names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubjectView {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: &'static str,
    /// The namespace of a ServiceAccount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl From<&Subject> for SubjectView {
    fn from(subject: &Subject) -> Self {
        let (kind, namespace, name) = match (subject, subject.as_account()) {
            (_, Some((namespace, name))) => ("ServiceAccount", Some(namespace.to_owned()), name),
            (Subject::User(name), None) => ("User", None, name.as_str()),
            (Subject::Group(name), None) => ("Group", None, name.as_str()),
        };
        Self { kind, namespace, name: name.to_owned() }
    }
}

/// An object by its name, and which state of it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectView {
    /// e.g. `ClusterRoleBinding`.
    pub kind: String,
    /// Its namespace, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its UID, where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Its version, where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    /// The file it stands in, where it was read from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl ObjectView {
    /// A binding or role as the index knows it: by its name.
    pub fn binding(binding: &Binding) -> Self {
        let kind = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        Self::named(kind, binding.namespace.clone(), &binding.name)
    }

    /// The same of a role.
    pub fn role(role: &Role) -> Self {
        let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
        Self::named(kind, role.namespace.clone(), &role.name)
    }

    fn named(kind: &str, namespace: Option<String>, name: &str) -> Self {
        let name = name.to_owned();
        Self { kind: kind.to_owned(), namespace, name, uid: None, resource_version: None, file: None }
    }
}

impl From<&Object> for ObjectView {
    fn from(object: &Object) -> Self {
        Self {
            kind: object.kind.to_owned(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
            file: None,
        }
    }
}

/// A rule that gives something, and the binding that gives it to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceView {
    /// The binding; none: one that somebody could make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<ObjectView>,
    /// The role.
    pub role: ObjectView,
    /// The place of the rule among the role's, from 0; none: the role as a whole, or one that is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<usize>,
}

impl From<&Evidence> for EvidenceView {
    fn from(evidence: &Evidence) -> Self {
        Self {
            binding: evidence.binding.as_deref().map(ObjectView::from),
            role: (&*evidence.role).into(),
            rule: evidence.rule,
        }
    }
}

/// A SubjectAccessReview whose yes shows a step again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewView {
    /// The user name to ask for.
    pub user: String,
    /// All their groups.
    pub groups: Vec<String>,
    /// The namespace; none: everywhere, or for what is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// e.g. `create`.
    pub verb: String,
    /// The API group.
    pub group: String,
    /// e.g. `serviceaccounts`.
    pub resource: String,
    /// e.g. `token`; empty for the resource itself.
    pub subresource: String,
    /// A name, where the rule is limited to some; else empty.
    pub name: String,
}

impl From<&Review> for ReviewView {
    fn from(review: &Review) -> Self {
        Self {
            user: review.caller.user.clone(),
            groups: review.caller.groups.clone(),
            namespace: review.namespace.clone(),
            verb: review.verb.clone(),
            group: review.group.clone(),
            resource: review.resource.clone(),
            subresource: review.subresource.clone(),
            name: review.name.clone(),
        }
    }
}

/// Who answers for a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptedView {
    /// Who.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, `2027-06-30`.
    pub until: String,
}

impl From<&Exception> for ExceptedView {
    fn from(one: &Exception) -> Self {
        Self { owner: one.owner.clone(), reason: one.reason.clone(), until: one.until.to_string() }
    }
}

impl ExceptedView {
    /// For people: "sre@example.test until 2027-06-30: break glass".
    pub fn said(&self) -> String {
        format!("{} until {}: {}", self.owner, self.until, self.reason)
    }
}
