//! What the API server asks of whoever writes roles and bindings: nobody passes on more than they hold.
//!
//! Follows `pkg/registry/rbac/escalation_check.go` and the storage of `clusterrole` and `clusterrolebinding`
//! (`policybased`) of Kubernetes. That they may write the object at all is another question, which comes first.

use crate::who::{Caller, MASTERS, Rbac, RoleRef};
use crate::{Ask, Rule, covers};
use sallyport_model::RoleName;

/// RBAC's API group.
pub(crate) const RBAC: &str = "rbac.authorization.k8s.io";

/// Whether somebody may make a role with these rules by a POST: in `namespace`, or a ClusterRole. `aggregates` as for
/// [`may_write_role`]. A POST names nothing, so `escalate` that is limited to names is none here
/// (`RoleEscalationAuthorized` of Kubernetes asks with the name of the request).
pub fn may_make_role(
    rbac: &Rbac,
    caller: &Caller,
    namespace: Option<&str>,
    rules: &[Rule],
    aggregates: bool,
) -> bool {
    may_write_role(rbac, caller, "", namespace, rules, aggregates)
}

/// Whether somebody may write a role by a PUT or PATCH of this name with these rules: in `namespace`, or a ClusterRole.
/// `aggregates`: it has an `aggregationRule`, which only those may write who hold everything, since it takes in what
/// others label.
pub fn may_write_role(
    rbac: &Rbac,
    caller: &Caller,
    name: &str,
    namespace: Option<&str>,
    rules: &[Rule],
    aggregates: bool,
) -> bool {
    let resource = if namespace.is_some() { "roles" } else { "clusterroles" };
    let escalate = Ask::Resource { verb: "escalate", group: RBAC, resource, subresource: "", name };
    if is_master(caller) || rbac.allows(caller, escalate, namespace) {
        return true;
    }
    let held = rbac.rules_for(caller, namespace);
    rules.iter().all(|rule| covers(&held, rule))
        && (!aggregates || full().iter().all(|rule| covers(&held, rule)))
}

/// Whether somebody may write a binding to this role: in `namespace`, or a ClusterRoleBinding. `bind` is asked for on the
/// role and in the binding's namespace, never on bindings.
pub fn may_bind(rbac: &Rbac, caller: &Caller, role: &RoleRef, namespace: Option<&str>) -> bool {
    let (resource, name) = match role {
        RoleRef::ClusterRole(name) => ("clusterroles", name),
        RoleRef::Role(name) => ("roles", name),
        // The API server takes no such binding.
        RoleRef::Other(_) => return false,
    };
    let bind = Ask::Resource { verb: "bind", group: RBAC, resource, subresource: "", name };
    if is_master(caller) || rbac.allows(caller, bind, namespace) {
        return true;
    }
    let Some(role) = rbac.role(role, namespace) else {
        // A role that is not there can be bound by nobody without `bind`.
        return false;
    };
    let held = rbac.rules_for(caller, namespace);
    role.rules.iter().all(|rule| covers(&held, rule))
}

fn is_master(caller: &Caller) -> bool {
    caller.groups.iter().any(|group| group == MASTERS)
}

/// Everything: what whoever writes an `aggregationRule` must hold (`fullAuthority` of Kubernetes).
fn full() -> [Rule; 2] {
    let text = |text: &str| vec![text.to_owned()];
    let none = Rule {
        role: nobodys(),
        verbs: text("*"),
        api_groups: Vec::new(),
        resources: Vec::new(),
        resource_names: Vec::new(),
        non_resource_urls: Vec::new(),
    };
    [
        Rule { api_groups: text("*"), resources: text("*"), ..none.clone() },
        Rule { non_resource_urls: text("*"), ..none },
    ]
}

/// A name for rules of which nobody asks where they stand.
fn nobodys() -> RoleName {
    "-".parse().expect("a name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::{named, paths, rule};
    use crate::who::{Binding, Role, Subject};

    /// ana holds `rules` in `namespace` (none: everywhere) by a ClusterRole; there are also ClusterRoles `pods` and `all`
    /// and a Role `pods` in `n`.
    fn ana(rules: Vec<Rule>, namespace: Option<&str>) -> (Rbac, Caller) {
        let role = |namespace: Option<&str>, name: &str, rules| Role {
            namespace: namespace.map(str::to_owned),
            name: name.into(),
            rules,
        };
        let user = Subject::User("ana".into());
        let binding = Binding {
            namespace: namespace.map(str::to_owned),
            name: "b".into(),
            role: RoleRef::ClusterRole("anas".into()),
            subjects: vec![user.clone()],
        };
        let roles = vec![
            role(None, "anas", rules),
            role(None, "pods", vec![pods()]),
            role(None, "all", vec![rule(&["*"], &["*"], &["*"])]),
            role(Some("n"), "pods", vec![pods()]),
        ];
        (Rbac::all(roles, vec![binding]), user.caller())
    }

    fn pods() -> Rule {
        rule(&["get", "list"], &[""], &["pods"])
    }

    fn cluster_role(name: &str) -> RoleRef {
        RoleRef::ClusterRole(name.into())
    }

    #[test]
    fn p22_a_binding_passes_on_what_one_holds_or_may_bind_there() {
        let n = Some("n");
        let bind = |names: &[&str]| named(rule(&["bind"], &[RBAC], &["clusterroles"]), names);
        for (rules, held_in, role, bound_in, may) in [
            // Writing bindings is not the question here.
            (vec![rule(&["*"], &[RBAC], &["rolebindings"])], None, cluster_role("pods"), n, false),
            (vec![pods()], None, cluster_role("pods"), None, true),
            (vec![pods()], n, cluster_role("pods"), n, true),
            (vec![pods()], n, cluster_role("pods"), None, false),
            (vec![pods()], n, cluster_role("pods"), Some("m"), false),
            (vec![pods()], n, RoleRef::Role("pods".into()), n, true),
            (vec![bind(&[])], None, cluster_role("all"), None, true),
            (vec![bind(&[])], n, cluster_role("all"), n, true),
            (vec![bind(&[])], n, cluster_role("all"), None, false),
            (vec![bind(&["pods"])], None, cluster_role("pods"), n, true),
            (vec![bind(&["pods"])], None, cluster_role("all"), n, false),
            (vec![bind(&[])], None, RoleRef::Role("pods".into()), n, false),
            // `bind` on bindings is nothing.
            (vec![rule(&["bind"], &[RBAC], &["rolebindings"])], None, cluster_role("all"), n, false),
            (vec![bind(&[])], None, cluster_role("gone"), n, true),
            (vec![pods()], None, cluster_role("gone"), n, false),
        ] {
            let (rbac, caller) = ana(rules.clone(), held_in);
            assert_eq!(
                may_bind(&rbac, &caller, &role, bound_in),
                may,
                "{rules:?} in {held_in:?}: {role:?} in {bound_in:?}"
            );
        }
    }

    #[test]
    fn p22_a_role_passes_on_what_one_holds_or_may_escalate() {
        let escalate = |names: &[&str]| named(rule(&["escalate"], &[RBAC], &["clusterroles"]), names);
        let all = || rule(&["*"], &["*"], &["*"]);
        for (rules, name, given, aggregates, may) in [
            (vec![pods()], "r", vec![pods()], false, true),
            (
                vec![rule(&["get"], &[""], &["pods"]), rule(&["list"], &["*"], &["pods"])],
                "r",
                vec![pods()],
                false,
                true,
            ),
            (vec![pods()], "r", vec![all()], false, false),
            (vec![escalate(&[])], "r", vec![all()], false, true),
            (vec![escalate(&["r"])], "r", vec![all()], false, true),
            (vec![escalate(&["other"])], "r", vec![all()], false, false),
            (vec![pods()], "r", vec![], true, false),
            (vec![paths(&["*"], &["*"])], "r", vec![], true, false),
            // Who may do everything may escalate.
            (vec![all()], "r", vec![], true, true),
        ] {
            let (rbac, caller) = ana(rules.clone(), None);
            assert_eq!(
                may_write_role(&rbac, &caller, name, None, &given, aggregates),
                may,
                "{rules:?}: {given:?}"
            );
        }
        // A POST names nothing.
        for (names, may) in [(&["r"][..], false), (&[], true)] {
            let (rbac, caller) = ana(vec![escalate(names)], None);
            assert_eq!(may_make_role(&rbac, &caller, None, &[all()], false), may, "{names:?}");
        }
        let (rbac, caller) = ana(vec![escalate(&["r"]), pods()], None);
        assert!(may_make_role(&rbac, &caller, None, &[pods()], false));
        let (rbac, _) = ana(vec![], None);
        let master = Subject::Group(MASTERS.into()).caller();
        assert!(may_write_role(&rbac, &master, "r", None, &[all()], true));
        assert!(may_bind(&rbac, &master, &cluster_role("all"), None));
    }
}
