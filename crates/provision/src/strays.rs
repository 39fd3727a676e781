//! Bindings of an open session that nobody planned. Pure.

use crate::{
    observed::Observed,
    plan::{Made, binding_name},
};
use k8s_openapi::api::rbac::v1::{RoleRef, Subject};
use sallyport_api::{AccessGrant, SESSIONS_NAMESPACE};

/// Of what was observed, the bindings that are not what the grant says: another namespace, role, number or subject. Copied by
/// somebody's controller, with the grant's label, they would widen the session for as long as it is open.
#[must_use]
pub fn strays(grant: &AccessGrant, account: &str, observed: &Observed) -> Observed {
    let plan = Planned { grant, account };
    let mut found = Observed { bindings: observed.bindings.clone(), ..Observed::default() };
    found.cluster_bindings.clone_from(&observed.cluster_bindings);
    found.bindings.retain(|b| {
        !plan.has(b.meta().namespace.as_deref(), b.meta().name.as_deref(), &b.role_ref, &b.subjects)
    });
    found.cluster_bindings.retain(|b| !plan.has(None, b.meta().name.as_deref(), &b.role_ref, &b.subjects));
    found
}

struct Planned<'a> {
    grant: &'a AccessGrant,
    account: &'a str,
}

impl Planned<'_> {
    fn has(
        &self,
        namespace: Option<&str>,
        name: Option<&str>,
        role: &RoleRef,
        subjects: &Option<Vec<Subject>>,
    ) -> bool {
        let spec = &self.grant.spec;
        let grant = self.grant.metadata.name.as_deref().unwrap_or_default();
        let place = match namespace {
            Some(namespace) => spec.namespaces.iter().any(|one| one == namespace),
            None => spec.namespaces.is_empty(),
        };
        let numbered = |number: usize| name == Some(binding_name(grant, number).as_str());
        let number = (0..spec.roles.len()).find(|number| numbered(*number));
        let role_fits = number
            .is_some_and(|number| role.kind == "ClusterRole" && spec.roles.get(number) == Some(&role.name));
        let one = match subjects.as_deref() {
            Some([one]) => {
                one.kind == "ServiceAccount"
                    && one.namespace.as_deref() == Some(SESSIONS_NAMESPACE)
                    && one.name == self.account
            }
            _ => false,
        };
        place && role_fits && one
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding};
    use serde_json::{Value, json};

    const ACCOUNT: &str = "s-abcd-1795503600";

    fn grant(namespaces: &[&str]) -> AccessGrant {
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "metadata": {"name": "g-abcd"},
            "spec": {"request": {"namespace": "team", "name": "r", "uid": "u"}, "user": "oidc:ann", "duration": "1h",
                "profile": "debug", "profileRevision": "aa/1", "roles": ["r0", "r1"], "namespaces": namespaces, "offer": ""},
        }))
        .expect("a grant")
    }

    fn binding(name: &str, namespace: Option<&str>, role: &str, subjects: Value) -> Value {
        json!({"metadata": {"name": name, "namespace": namespace}, "subjects": subjects,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}})
    }

    fn session(account: &str) -> Value {
        json!([{"kind": "ServiceAccount", "namespace": SESSIONS_NAMESPACE, "name": account}])
    }

    fn found(grant: &AccessGrant, local: &[Value], wide: &[Value]) -> usize {
        let observed = Observed {
            bindings: local
                .iter()
                .map(|one| serde_json::from_value::<RoleBinding>(one.clone()).expect("one"))
                .collect(),
            cluster_bindings: wide
                .iter()
                .map(|one| serde_json::from_value::<ClusterRoleBinding>(one.clone()).expect("one"))
                .collect(),
            ..Observed::default()
        };
        let strays = strays(grant, ACCOUNT, &observed);
        strays.bindings.len() + strays.cluster_bindings.len()
    }

    #[test]
    fn fault_c12_what_the_grant_says_is_known_and_a_copy_anywhere_else_is_not() {
        let here = Some("payments");
        let grant = grant(&["payments", "checkout"]);
        let planned = [
            binding("g-abcd-0", here, "r0", session(ACCOUNT)),
            binding("g-abcd-1", Some("checkout"), "r1", session(ACCOUNT)),
        ];
        assert_eq!(found(&grant, &planned, &[]), 0);
        let twice = json!([session(ACCOUNT)[0], {"kind": "User", "name": "mallory"}]);
        for (why, stray) in [
            (
                "copied to a child namespace",
                binding("g-abcd-0", Some("payments-child"), "r0", session(ACCOUNT)),
            ),
            ("under another name", binding("copy", here, "r0", session(ACCOUNT))),
            ("a role too many", binding("g-abcd-2", here, "r0", session(ACCOUNT))),
            ("another role", binding("g-abcd-1", here, "r0", session(ACCOUNT))),
            ("another account", binding("g-abcd-0", here, "r0", session("s-abcd-1795503601"))),
            ("a second subject", binding("g-abcd-0", here, "r0", twice)),
        ] {
            assert_eq!(found(&grant, &[stray], &[]), 1, "{why}");
        }
        let wide = binding("g-abcd-0", None, "r0", session(ACCOUNT));
        assert_eq!(found(&grant, &[], std::slice::from_ref(&wide)), 1, "made cluster-wide");
    }

    #[test]
    fn fault_c12_a_cluster_wide_grant_plans_nothing_in_namespaces() {
        let grant = grant(&[]);
        let wide = binding("g-abcd-0", None, "r0", session(ACCOUNT));
        assert_eq!(found(&grant, &[], &[wide]), 0);
        assert_eq!(found(&grant, &[binding("g-abcd-0", Some("payments"), "r0", session(ACCOUNT))], &[]), 1);
    }
}
