//! Standing bindings that would add rights to every session (attack 15).

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, RoleBinding, RoleRef, Subject,
};
use sallyport_api::{LEAVE, SESSIONS_NAMESPACE, leave_difference};
use std::sync::Arc;

/// Paths every client may read to find its way; the defaults of `system:discovery` and its kin.
const DISCOVERY: [&str; 9] =
    ["/api", "/apis", "/healthz", "/livez", "/openapi", "/readyz", "/version", "/.well-known/", "/openid/"];

/// The first binding that gives a group all sessions are in more than discovery, in words; `None` when none does.
pub(crate) fn standing(
    bindings: &[Arc<RoleBinding>],
    cluster_bindings: &[Arc<ClusterRoleBinding>],
    role: impl Fn(&str) -> Option<Arc<ClusterRole>>,
) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    for binding in cluster_bindings {
        let name = binding.metadata.name.as_deref().unwrap_or_default();
        if let Some(group) = everybody(&binding.subjects)
            && let Some(why) = too_much(&binding.role_ref, &role)
            && !is_leave(binding, &role)
        {
            found.push(format!("ClusterRoleBinding {name} gives the group {group} {why}"));
        }
    }
    for binding in bindings {
        let name = binding.metadata.name.as_deref().unwrap_or_default();
        let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
        if let Some(group) = everybody(&binding.subjects)
            && let Some(why) = too_much(&binding.role_ref, &role)
        {
            found.push(format!("RoleBinding {namespace}/{name} gives the group {group} {why}"));
        }
    }
    // The same one each time, whatever order the stores are in.
    found.into_iter().min()
}

/// The one binding of all sessions that is meant to be there: as shipped, and its role as it is now as well.
fn is_leave(binding: &ClusterRoleBinding, role: impl Fn(&str) -> Option<Arc<ClusterRole>>) -> bool {
    let value = |object: serde_json::Result<serde_json::Value>| object.unwrap_or_default();
    binding.metadata.name.as_deref() == Some(LEAVE)
        && role(&binding.role_ref.name).is_some_and(|role| {
            let (binding, role) = (serde_json::to_value(binding), serde_json::to_value(&*role));
            leave_difference(&value(binding), &value(role)).is_none()
        })
}

/// A group among the subjects that every session's ServiceAccount is in.
pub(crate) fn everybody(subjects: &Option<Vec<Subject>>) -> Option<&str> {
    let sessions = format!("system:serviceaccounts:{SESSIONS_NAMESPACE}");
    let groups = subjects.iter().flatten().filter(|subject| subject.kind == "Group");
    groups
        .map(|subject| subject.name.as_str())
        .find(|name| ["system:authenticated", "system:serviceaccounts"].contains(name) || *name == sessions)
}

fn too_much(to: &RoleRef, role: impl Fn(&str) -> Option<Arc<ClusterRole>>) -> Option<String> {
    if to.kind != "ClusterRole" {
        // Roles are out of the broker's sight, so what they give is unknown.
        return Some(format!("the {} {}, whose rules can't be read", to.kind, to.name));
    }
    // A role that does not exist gives nothing.
    let role = role(&to.name)?;
    let beyond = role.rules.iter().flatten().find(|rule| !is_discovery(rule))?;
    let what = |list: &Option<Vec<String>>| list.clone().unwrap_or_default().join(",");
    let on =
        if beyond.resources.is_some() { what(&beyond.resources) } else { what(&beyond.non_resource_urls) };
    Some(format!("{} on {on} (ClusterRole {})", beyond.verbs.join(","), to.name))
}

/// What Kubernetes itself gives to everybody by default: finding one's way, asking about oneself, and reading the
/// certificates to trust (`system:cluster-trust-bundle-discovery`).
fn is_discovery(rule: &PolicyRule) -> bool {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let trust = list(&rule.resources) == ["clustertrustbundles"]
        && list(&rule.api_groups) == ["certificates.k8s.io"]
        && rule.verbs.iter().all(|verb| ["get", "list", "watch"].contains(&verb.as_str()));
    if trust && list(&rule.non_resource_urls).is_empty() {
        return true;
    }
    let about_oneself = list(&rule.api_groups)
        .iter()
        .all(|group| ["authorization.k8s.io", "authentication.k8s.io"].contains(&group.as_str()))
        && list(&rule.resources).iter().all(|resource| resource.starts_with("selfsubject"));
    let way_finding = list(&rule.non_resource_urls)
        .iter()
        .all(|path| DISCOVERY.iter().any(|known| path.starts_with(known)));
    about_oneself && way_finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_api::{Side, shipped_guardrails};
    use serde_json::json;

    fn role(name: &str) -> Option<Arc<ClusterRole>> {
        let rules = match name {
            "system:basic-user" => json!([{"apiGroups": ["authorization.k8s.io"], "verbs": ["create"],
                "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]}]),
            "system:discovery" => json!([{"verbs": ["get"],
                "nonResourceURLs": ["/api", "/api/*", "/healthz", "/version/", "/openapi/*"]}]),
            "system:service-account-issuer-discovery" => json!([{"verbs": ["get"],
                "nonResourceURLs": ["/.well-known/openid-configuration/", "/openid/v1/jwks/"]}]),
            "system:cluster-trust-bundle-discovery" => json!([{"apiGroups": ["certificates.k8s.io"],
                "resources": ["clustertrustbundles"], "verbs": ["get", "list", "watch"]}]),
            "trust-writer" => json!([{"apiGroups": ["certificates.k8s.io"],
                "resources": ["clustertrustbundles"], "verbs": ["get", "update"]}]),
            "metrics" => json!([{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}]),
            "all-paths" => json!([{"verbs": ["get"], "nonResourceURLs": ["*"]}]),
            "view" => json!([{"apiGroups": [""], "verbs": ["get"], "resources": ["pods"]}]),
            "reviews" => json!([{"apiGroups": ["authorization.k8s.io"], "verbs": ["create"],
                "resources": ["subjectaccessreviews"]}]),
            _ => return None,
        };
        Some(Arc::new(
            serde_json::from_value(json!({"metadata": {"name": name}, "rules": rules})).expect("a role"),
        ))
    }

    fn cluster(group: &str, role: &str) -> Arc<ClusterRoleBinding> {
        let subjects = json!([{"kind": "User", "name": "x"}, {"kind": "Group", "name": group}]);
        Arc::new(
            serde_json::from_value(json!({"metadata": {"name": "b"}, "subjects": subjects,
                "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"}}))
            .expect("a binding"),
        )
    }

    #[test]
    fn attack_15_discovery_for_everybody_is_normal_and_anything_more_is_named() {
        for fine in [
            "system:basic-user",
            "system:discovery",
            "system:service-account-issuer-discovery",
            "system:cluster-trust-bundle-discovery",
            "dangling",
        ] {
            assert_eq!(standing(&[], &[cluster("system:authenticated", fine)], role), None, "{fine}");
        }
        for (group, bad) in [
            ("system:authenticated", "view"),
            ("system:serviceaccounts", "view"),
            ("system:serviceaccounts:sallyport-sessions", "view"),
            ("system:authenticated", "metrics"),
            ("system:authenticated", "all-paths"),
            ("system:authenticated", "reviews"),
            ("system:authenticated", "trust-writer"),
        ] {
            let said = standing(&[], &[cluster(group, bad)], role).expect("named");
            assert!(
                said.contains("ClusterRoleBinding b") && said.contains(group) && said.contains(bad),
                "{said}"
            );
        }
        for other in
            ["system:nodes", "oidc:payments", "system:serviceaccounts:payments", "system:unauthenticated"]
        {
            assert_eq!(standing(&[], &[cluster(other, "view")], role), None, "{other}");
        }
    }

    #[test]
    fn fault_a10_attack_15_the_one_binding_that_lets_sessions_leave_is_known_and_nothing_near_it() {
        type Edit = fn(&mut ClusterRoleBinding, &mut ClusterRole);
        let said = |edit: Edit| {
            let shipped = shipped_guardrails(Side::Target);
            let object = |values: &[serde_json::Value]| values.first().cloned().expect("shipped");
            let mut binding =
                serde_json::from_value(object(&shipped.cluster_role_bindings)).expect("a binding");
            let mut role = serde_json::from_value(object(&shipped.cluster_roles)).expect("a role");
            edit(&mut binding, &mut role);
            let role = Arc::new(role);
            standing(&[], &[Arc::new(binding)], |name| {
                (role.metadata.name.as_deref() == Some(name)).then(|| role.clone())
            })
        };
        assert_eq!(said(|_, _| {}), None);
        let edits: [Edit; 6] = [
            |b, _| b.metadata.name = Some("another".into()),
            |b, r| (b.role_ref.name, r.metadata.name) = ("another".into(), Some("another".into())),
            |b, _| b.subjects.as_mut().expect("subjects")[0].name = "system:authenticated".into(),
            |b, _| {
                let twice = b.subjects.clone().into_iter().flatten().cycle().take(2).collect();
                b.subjects = Some(twice);
            },
            |_, r| r.rules.as_mut().expect("rules")[0].verbs.push("deletecollection".into()),
            |_, r| r.rules.as_mut().expect("rules")[0].resources = Some(vec!["*".into()]),
        ];
        for (number, edit) in edits.into_iter().enumerate() {
            let said = said(edit).unwrap_or_else(|| panic!("edit {number} is not named"));
            assert!(said.contains("ClusterRoleBinding"), "{said}");
        }
    }

    #[test]
    fn attack_15_a_role_out_of_sight_is_not_assumed_harmless() {
        let binding: RoleBinding =
            serde_json::from_value(json!({"metadata": {"name": "b", "namespace": "n"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}],
            "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}}))
            .expect("a binding");
        let said = standing(&[Arc::new(binding)], &[], role).expect("named");
        assert!(said.contains("RoleBinding n/b") && said.contains("Role r"), "{said}");
    }
}
