use super::*;
use crate::{
    effective,
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
        rule(&["create"], &[""], &["serviceaccounts"]),
        rule(&["get"], &[""], &["serviceaccounts/token"]),
        rule(&["get"], &["admissionregistration.k8s.io"], &["validatingadmissionpolicies"]),
        rule(&["create"], &["certificates.k8s.io"], &["certificatesigningrequests"]),
    ] {
        assert_eq!(kinds(std::slice::from_ref(&harmless), &payments()), [], "{harmless:?}");
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
