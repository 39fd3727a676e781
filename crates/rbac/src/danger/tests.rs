use super::*;
use crate::{
    effective,
    escalation::RBAC,
    rule::tests::{any_rule, named, paths, role, rule},
};
use proptest::prelude::*;

fn payments() -> Scope {
    Scope::from_list(["payments".parse().unwrap()])
}

fn kinds(rules: &[Rule], scope: &Scope) -> Vec<DangerKind> {
    let mut out: Vec<_> = dangers(rules, scope).into_iter().map(|d| d.kind).collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[test]
fn p11_what_no_session_may_have_is_refused_in_any_scope() {
    use DangerKind::*;
    let cases = [
        (rule(&["escalate"], &[RBAC], &["clusterroles"]), Escalate),
        (rule(&["bind"], &[RBAC], &["roles"]), Bind),
        (named(rule(&["bind"], &[RBAC], &["clusterroles"]), &["view"]), Bind),
        (rule(&["impersonate"], &[""], &["serviceaccounts"]), Impersonate),
        (rule(&["impersonate"], &["authentication.k8s.io"], &["userextras/scopes"]), Impersonate),
        (rule(&["*"], &["authentication.k8s.io"], &["userextras/x"]), Impersonate),
        (rule(&["impersonate:user-info"], &["authentication.k8s.io"], &["users"]), Impersonate),
        (rule(&["impersonate-on:user-info:list"], &[""], &["pods"]), Impersonate),
        (rule(&["get"], &[""], &["nodes/proxy"]), NodesProxy),
        (rule(&["get"], &[""], &["*/proxy"]), NodesProxy),
        (rule(&["get"], &["*"], &["*"]), NodesProxy),
        (rule(&["create"], &[""], &["serviceaccounts/token"]), MintTokens),
        (named(rule(&["create"], &[""], &["serviceaccounts/token"]), &["one"]), MintTokens),
        (rule(&["create"], &[""], &["*/token"]), MintTokens),
        (
            rule(&["patch"], &["certificates.k8s.io"], &["certificatesigningrequests/approval"]),
            ApproveCertificates,
        ),
        (rule(&["sign"], &["certificates.k8s.io"], &["signers"]), ApproveCertificates),
        (
            rule(&["delete"], &["admissionregistration.k8s.io"], &["validatingadmissionpolicies"]),
            WriteAdmission,
        ),
        (rule(&["*"], &["admissionregistration.k8s.io"], &["*"]), WriteAdmission),
        (rule(&["create"], &[RBAC], &["rolebindings"]), WriteRbac),
        (rule(&["deletecollection"], &["access.sallyport.dev"], &["accessgrants"]), WriteAccess),
        (rule(&["update"], &["apiregistration.k8s.io"], &["apiservices"]), WriteApi),
    ];
    for (given, kind) in cases {
        for scope in [payments(), Scope::ClusterWide] {
            let found = kinds(std::slice::from_ref(&given), &scope);
            assert!(found.contains(&kind), "{given:?} in {scope}: {found:?}");
        }
    }
}

#[test]
fn p11_a_verb_spelled_like_a_danger_elsewhere_is_none() {
    for harmless in [
        rule(&["bind"], &["example.com"], &["widgets"]),
        rule(&["get", "list"], &[RBAC], &["roles", "rolebindings"]),
        rule(&["get"], &[""], &["nodes/*"]),
        rule(&["get", "list"], &[""], &["serviceaccounts", "namespaces", "endpoints", "pods/status"]),
        rule(
            &["patch"],
            &["example.com"],
            &["namespaces", "endpoints", "pods/status", "controllerrevisions"],
        ),
        rule(&["update"], &["apps"], &["deployments/scale", "statefulsets"]),
        rule(&["create"], &[""], &["pods/eviction", "persistentvolumeclaims"]),
        rule(&["update"], &["coordination.k8s.io"], &["leases"]),
        rule(&["get"], &[""], &["serviceaccounts/token"]),
        rule(&["get"], &["admissionregistration.k8s.io"], &["validatingadmissionpolicies"]),
        rule(&["create"], &["certificates.k8s.io"], &["certificatesigningrequests"]),
    ] {
        assert_eq!(kinds(std::slice::from_ref(&harmless), &payments()), [], "{harmless:?}");
    }
}

/// Rights of a RoleBinding that act on others, whatever the role is called (fault A9).
#[test]
fn fault_a9_p11_what_controllers_act_upon_is_refused_in_a_namespace_too() {
    use DangerKind::*;
    let every = ["create", "update", "patch", "delete", "deletecollection", "*"];
    for (group, resource, kind) in [
        ("apps", "controllerrevisions", WriteRevisions),
        ("", "pods/status", WriteStatus),
        ("", "services/status", WriteStatus),
        ("apps", "statefulsets/status", WriteStatus),
        ("apps", "deployments/status", WriteStatus),
        ("apps", "daemonsets/status", WriteStatus),
        ("apps", "replicasets/status", WriteStatus),
        ("", "replicationcontrollers/status", WriteStatus),
        ("", "persistentvolumeclaims/status", WriteStatus),
        ("", "resourcequotas/status", WriteStatus),
        ("batch", "jobs/status", WriteStatus),
        ("batch", "cronjobs/status", WriteStatus),
        ("networking.k8s.io", "ingresses/status", WriteStatus),
        ("policy", "poddisruptionbudgets/status", WriteStatus),
        ("autoscaling", "horizontalpodautoscalers/status", WriteStatus),
        ("", "endpoints", WriteEndpoints),
        ("discovery.k8s.io", "endpointslices", WriteEndpoints),
        ("", "namespaces", WriteNamespaces),
        ("", "namespaces/finalize", WriteNamespaces),
        ("", "namespaces/status", WriteNamespaces),
        ("", "serviceaccounts", WriteAccounts),
    ] {
        for verb in every {
            for resource in [resource.to_owned(), "*".to_owned()] {
                let given = rule(&[verb], &[group], &[resource.as_str()]);
                let found = kinds(std::slice::from_ref(&given), &payments());
                assert!(found.contains(&kind), "{given:?}: {found:?}");
            }
        }
        // A name is no excuse, and reading is none of it.
        let one = named(rule(&["patch"], &[group], &[resource]), &["story"]);
        assert!(kinds(&[one], &payments()).contains(&kind), "{resource}");
        assert!(
            !kinds(&[rule(&["get", "list", "watch"], &[group], &[resource])], &payments()).contains(&kind)
        );
    }
    for resource in ["pods/binding", "bindings", "*/binding"] {
        assert!(
            kinds(&[rule(&["create"], &[""], &[resource])], &payments()).contains(&PlacePods),
            "{resource}"
        );
    }
    assert!(kinds(&[rule(&["patch"], &[""], &["*/status"])], &payments()).contains(&WriteStatus));
}

#[test]
fn fault_a9_p11_an_unknown_subresource_is_no_read_where_the_system_lives() {
    use DangerKind::*;
    let console = rule(&["get"], &["subresources.kubevirt.io"], &["virtualmachineinstances/console"]);
    assert_eq!(kinds(std::slice::from_ref(&console), &Scope::ClusterWide), [WayInSystem]);
    let system = Scope::from_list(["kube-system".parse().unwrap()]);
    assert_eq!(kinds(std::slice::from_ref(&console), &system), [WayInSystem]);
    // In a session's own namespaces it is named, not refused: an incident may need it.
    assert_eq!(kinds(&[console], &payments()), []);
    for known in [
        rule(&["get"], &["example.test"], &["widgets", "widgets/status", "widgets/scale"]),
        rule(&["get"], &["apps"], &["*"]),
        rule(&["get"], &[""], &["pods/log", "replicationcontrollers/scale", "namespaces/status"]),
    ] {
        assert_eq!(kinds(std::slice::from_ref(&known), &Scope::ClusterWide), [], "{known:?}");
    }
}

/// The rules of the built-in roles that matter here, as `kubectl get clusterrole -o yaml` shows them on v1.37.
fn built_in(name: &str) -> Vec<Rule> {
    let view = [
        rule(
            &["get", "list", "watch"],
            &[""],
            &[
                "configmaps",
                "endpoints",
                "persistentvolumeclaims",
                "pods",
                "replicationcontrollers/scale",
                "serviceaccounts",
                "services",
                "pods/log",
                "pods/status",
                "namespaces",
                "events",
            ],
        ),
        rule(&["get", "list", "watch"], &["apps"], &["deployments", "deployments/scale", "statefulsets"]),
        rule(&["get", "list", "watch"], &["batch"], &["cronjobs", "jobs"]),
    ];
    let edit = [
        rule(
            &["get", "list", "watch"],
            &[""],
            &["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"],
        ),
        rule(&["impersonate"], &[""], &["serviceaccounts"]),
        rule(
            &["create", "delete", "deletecollection", "patch", "update"],
            &[""],
            &["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"],
        ),
        rule(&["create"], &[""], &["serviceaccounts/token"]),
        rule(&["create", "delete", "deletecollection", "patch", "update"], &["apps"], &["deployments"]),
    ];
    let admin = [
        rule(&["create"], &["authorization.k8s.io"], &["localsubjectaccessreviews"]),
        rule(
            &["create", "delete", "get", "list", "patch", "update", "watch"],
            &[RBAC],
            &["rolebindings", "roles"],
        ),
    ];
    let mut out = view.to_vec();
    if name != "view" {
        out.extend(edit);
    }
    if name == "admin" {
        out.extend(admin);
    }
    out.iter_mut().for_each(|r| r.role = role(name));
    effective(out, &Scope::ClusterWide)
}

#[test]
fn p11_cluster_wide_edit_and_admin_are_dangerous_and_view_is_not() {
    use DangerKind::*;
    assert_eq!(kinds(&built_in("view"), &Scope::ClusterWide), []);
    let edit = kinds(&built_in("edit"), &Scope::ClusterWide);
    for kind in [Impersonate, MintTokens, WriteSystem, ExecSystem, ReadSystemSecrets] {
        assert!(edit.contains(&kind), "{edit:?}");
    }
    assert!(kinds(&built_in("admin"), &Scope::ClusterWide).contains(&WriteRbac));
    assert_eq!(kinds(&built_in("view"), &payments()), []);
}

#[test]
fn p11_writes_and_exec_pass_in_a_namespace_and_not_where_the_system_lives() {
    use DangerKind::*;
    let operate = [
        rule(&["get", "create"], &[""], &["pods/exec"]),
        rule(&["patch"], &["apps"], &["deployments", "deployments/scale"]),
    ];
    assert_eq!(kinds(&operate, &payments()), []);
    assert_eq!(kinds(&operate, &Scope::ClusterWide), [WriteSystem, ExecSystem]);
    let system = Scope::from_list(["payments".parse().unwrap(), "kube-system".parse().unwrap()]);
    assert_eq!(kinds(&operate, &system), [WriteSystem, ExecSystem]);
    assert_eq!(kinds(&[rule(&["get"], &[""], &["pods/exec"])], &Scope::ClusterWide), [ExecSystem]);
    assert_eq!(kinds(&[rule(&["list"], &[""], &["secrets"])], &Scope::ClusterWide), [ReadSystemSecrets]);
    assert_eq!(kinds(&[rule(&["frobnicate"], &["x.io"], &["widgets"])], &Scope::ClusterWide), [WriteSystem]);
    let review = rule(&["create"], &["authorization.k8s.io"], &["selfsubjectaccessreviews"]);
    assert_eq!(kinds(&[review], &Scope::ClusterWide), []);
    assert_eq!(kinds(&[paths(&["get"], &["/metrics"])], &Scope::ClusterWide), []);
}

#[test]
fn p11_the_verdict_names_the_role_and_the_right() {
    let found = dangers(&built_in("edit"), &payments());
    let said: Vec<_> = found.iter().map(ToString::to_string).collect();
    let wanted =
        "role edit allows `create` on `serviceaccounts/token`: minting tokens that outlive the session";
    assert!(said.contains(&wanted.to_owned()), "{said:?}");
}

#[test]
fn protected_namespaces_are_told_by_prefix() {
    for (name, is) in
        [("kube-system", true), ("kube-public", true), ("sallyport-sessions", true), ("kubernetes", false)]
    {
        assert_eq!(is_protected(&name.parse().unwrap()), is, "{name}");
    }
}

proptest! {
    #[test]
    fn p11_more_rules_or_a_wider_scope_are_never_less_dangerous(
        rules in prop::collection::vec(any_rule(), 0..4),
        more in any_rule(),
    ) {
        let narrow = kinds(&rules, &payments());
        let wide = kinds(&rules, &Scope::ClusterWide);
        prop_assert!(narrow.iter().all(|k| wide.contains(k)));
        let mut longer = rules;
        longer.push(more);
        let longer = kinds(&longer, &Scope::ClusterWide);
        prop_assert!(wide.iter().all(|k| longer.contains(k)));
    }
}
