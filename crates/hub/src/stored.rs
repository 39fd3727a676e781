//! What an auditor reads of the hub: its roles and bindings, what all clusters' brokers say their profiles allow, and
//! whether its own guardrails are as shipped. Read when somebody looks, page by page, with their own rights.

use crate::Hub;
use crate::rights::no_role;
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject},
};
use kube::{
    Api, Resource,
    api::ListParams,
    core::{DeserializeGuard, ObjectMeta},
};
use sallyport_api::{
    AccessPreview, GROUP, Guardrails, HubSet, MalformedObject, Side, hub_set, shipped_guardrails,
};
use sallyport_client::Fault;
use sallyport_model::NamespaceName;
use sallyport_rbac::{Rule, who};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Debug;

/// Roles and bindings on a page: a few hundred bytes each.
const PAGE: u32 = 500;
/// Previews on a page: each may be half a megabyte, and a page has to come within a call's deadline.
const PREVIEWS: u32 = 20;

/// The hub's roles and bindings, as far as they say something about Sallyport's objects.
#[derive(Clone, Debug)]
pub struct StoredRbac {
    /// Who holds what.
    pub rbac: who::Rbac,
    /// Roles and bindings that make no sense: who holds something by them is not known.
    pub malformed: Vec<MalformedObject>,
}

/// Why the roles and bindings could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// One may not list these resources, e.g. `clusterroles.rbac.authorization.k8s.io`.
    Forbidden(Vec<&'static str>),
    /// A call failed.
    Fault(Fault),
}

/// Whether the hub's own policies are those that were shipped. Nobody has seen them refuse anything by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnGuardrails {
    /// How many policies were shipped.
    pub shipped: usize,
    /// Which set they are, or what is missing or different, a sentence each.
    pub set: Result<HubSet, Vec<String>>,
}

impl Hub {
    /// All roles and bindings that say something about Sallyport's objects: cluster-wide, and in the teams' namespaces.
    ///
    /// # Errors
    /// [`Unread`].
    pub async fn stored_rbac(&self, teams: &[NamespaceName]) -> Result<StoredRbac, Unread> {
        // The four of them at once, and no more: each takes a connection while it runs.
        let (roles, bindings, local_roles, local_bindings) = futures::join!(
            self.all::<ClusterRole>(PAGE),
            self.all::<ClusterRoleBinding>(PAGE),
            self.all::<Role>(PAGE),
            self.all::<RoleBinding>(PAGE),
        );
        let forbidden: Vec<&'static str> = [
            (roles.as_ref().err(), "clusterroles.rbac.authorization.k8s.io"),
            (bindings.as_ref().err(), "clusterrolebindings.rbac.authorization.k8s.io"),
            (local_roles.as_ref().err(), "roles.rbac.authorization.k8s.io"),
            (local_bindings.as_ref().err(), "rolebindings.rbac.authorization.k8s.io"),
        ]
        .into_iter()
        .filter(|(fault, _)| matches!(fault, Some(Fault::Forbidden(_))))
        .map(|(_, what)| what)
        .collect();
        if !forbidden.is_empty() {
            return Err(Unread::Forbidden(forbidden));
        }
        let (roles, bindings) = (roles.map_err(Unread::Fault)?, bindings.map_err(Unread::Fault)?);
        let (local_roles, local_bindings) =
            (local_roles.map_err(Unread::Fault)?, local_bindings.map_err(Unread::Fault)?);
        // Requests are made in the teams' namespaces and in that of scans, and nowhere else.
        let in_team = |meta: &ObjectMeta| {
            meta.namespace.as_deref().is_some_and(|own| teams.iter().any(|team| team.as_str() == own))
        };
        let mut malformed = roles.malformed;
        malformed.extend(bindings.malformed);
        malformed.extend(local_roles.malformed);
        malformed.extend(local_bindings.malformed);
        let all_roles = roles.objects.into_iter().map(|role| role_of(role.metadata, role.rules)).chain(
            local_roles
                .objects
                .into_iter()
                .filter(|role| in_team(&role.metadata))
                .map(|role| role_of(role.metadata, role.rules)),
        );
        let all_bindings =
            bindings.objects.into_iter().map(|b| binding_of(b.metadata, b.role_ref, b.subjects)).chain(
                local_bindings
                    .objects
                    .into_iter()
                    .filter(|binding| in_team(&binding.metadata))
                    .map(|b| binding_of(b.metadata, b.role_ref, b.subjects)),
            );
        Ok(StoredRbac {
            rbac: who::Rbac::about(&[GROUP], all_roles.collect(), all_bindings.collect()),
            malformed,
        })
    }

    /// What each profile would allow on every cluster.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn previews(&self) -> Result<Vec<AccessPreview>, Fault> {
        Ok(self.all::<AccessPreview>(PREVIEWS).await?.objects)
    }

    /// Compares the hub's own policies with those that this version ships.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn own_guardrails(&self) -> Result<OwnGuardrails, Fault> {
        let (policies, bindings) = futures::try_join!(
            self.all::<ValidatingAdmissionPolicy>(PAGE),
            self.all::<ValidatingAdmissionPolicyBinding>(PAGE),
        )?;
        let live = Guardrails {
            policies: values(&policies.objects),
            bindings: values(&bindings.objects),
            ..Guardrails::default()
        };
        Ok(OwnGuardrails { shipped: shipped_guardrails(Side::Hub).policies.len(), set: hub_set(&live) })
    }

    async fn all<K>(&self, page: u32) -> Result<crate::Listed<K>, Fault>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let api: Api<DeserializeGuard<K>> = Api::all(self.client.clone());
        self.list_all(&api, ListParams::default().limit(page)).await
    }
}

fn values<K: Serialize>(objects: &[K]) -> Vec<Value> {
    objects.iter().filter_map(|object| serde_json::to_value(object).ok()).collect()
}

fn role_of(meta: ObjectMeta, rules: Option<Vec<PolicyRule>>) -> who::Role {
    let rule = |rule: PolicyRule| Rule {
        role: no_role(),
        verbs: rule.verbs,
        api_groups: rule.api_groups.unwrap_or_default(),
        resources: rule.resources.unwrap_or_default(),
        resource_names: rule.resource_names.unwrap_or_default(),
        non_resource_urls: rule.non_resource_urls.unwrap_or_default(),
    };
    who::Role {
        namespace: meta.namespace.filter(|namespace| !namespace.is_empty()),
        name: meta.name.unwrap_or_default(),
        rules: rules.unwrap_or_default().into_iter().map(rule).collect(),
    }
}

fn binding_of(meta: ObjectMeta, role: RoleRef, subjects: Option<Vec<Subject>>) -> who::Binding {
    let namespace = meta.namespace.filter(|namespace| !namespace.is_empty());
    let subject = |subject: Subject| match subject.kind.as_str() {
        "User" => Some(who::Subject::User(subject.name)),
        "Group" => Some(who::Subject::Group(subject.name)),
        "ServiceAccount" => {
            // One that names no namespace is of the binding's own.
            let own = subject.namespace.filter(|own| !own.is_empty()).or_else(|| namespace.clone())?;
            Some(who::Subject::account(&own, &subject.name))
        }
        // The authorizer knows no other.
        _ => None,
    };
    let subjects = subjects.unwrap_or_default().into_iter().filter_map(subject).collect();
    who::Binding {
        name: meta.name.unwrap_or_default(),
        role: match role.kind.as_str() {
            "ClusterRole" => who::RoleRef::ClusterRole(role.name),
            "Role" => who::RoleRef::Role(role.name),
            _ => who::RoleRef::Other(role.name),
        },
        subjects,
        namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn binding(value: Value) -> who::Binding {
        let read: RoleBinding = serde_json::from_value(value).unwrap();
        binding_of(read.metadata, read.role_ref, read.subjects)
    }

    #[test]
    fn p22_subjects_are_read_as_the_authorizer_reads_them() {
        let read = binding(json!({
            "metadata": {"name": "b", "namespace": "team"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
            "subjects": [
                {"kind": "User", "name": "oidc:ana"}, {"kind": "Group", "name": "oidc:dev"},
                {"kind": "ServiceAccount", "name": "bot"}, {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"},
                {"kind": "Robot", "name": "r2"},
            ],
        }));
        let wanted = [
            who::Subject::User("oidc:ana".into()),
            who::Subject::Group("oidc:dev".into()),
            who::Subject::account("team", "bot"),
            who::Subject::account("ci", "bot"),
        ];
        assert_eq!(
            (read.subjects.as_slice(), read.role),
            (&wanted[..], who::RoleRef::ClusterRole("r".into()))
        );
        let everywhere = binding(json!({
            "metadata": {"name": "b"}, "roleRef": {"apiGroup": "x", "kind": "Thing", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "bot"}],
        }));
        assert!(everywhere.subjects.is_empty(), "a ServiceAccount of no namespace is nobody");
        assert_eq!(everywhere.role, who::RoleRef::Other("r".into()));
        let bare = binding(json!({"metadata": {}, "roleRef": {"apiGroup": "", "kind": "Role", "name": "r"}}));
        assert_eq!((bare.subjects, bare.role), (vec![], who::RoleRef::Role("r".into())));
    }
}
