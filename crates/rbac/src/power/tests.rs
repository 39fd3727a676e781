use super::*;
use crate::danger::each;
use crate::rule::tests::{any_rule, named, rule};
use proptest::prelude::*;

fn of(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Vec<Power> {
    Powers::of(&rule(verbs, groups, resources)).iter().collect()
}

#[test]
fn p22_each_power_is_found_where_kubernetes_gives_it() {
    use Power::*;
    let rbac = "rbac.authorization.k8s.io";
    assert_eq!(of(&["*"], &["*"], &["*"]), Power::ALL);
    assert_eq!(of(&["get", "list", "watch"], &["*"], &["pods", "configmaps", "pods/log"]), []);
    assert_eq!(of(&["list"], &[""], &["secrets"]), [ReadSecrets]);
    assert_eq!(of(&["*"], &[""], &["pods/*"]), []);
    assert_eq!(of(&["create"], &[""], &["pods"]), [RunPods]);
    assert_eq!(of(&["update", "patch", "delete"], &[""], &["pods"]), [ChangePods]);
    assert_eq!(of(&["patch"], &["*"], &["pods"]), [ChangePods]);
    assert_eq!(of(&["delete"], &["*"], &["pods"]), []);
    assert_eq!(of(&["patch"], &["apps"], &["deployments"]), [RunPods]);
    assert_eq!(of(&["create"], &[""], &["*/exec"]), [Exec]);
    assert_eq!(of(&["get"], &[""], &["pods/exec", "pods/portforward"]), [ExecByGet, ForwardByGet]);
    assert_eq!(of(&["get"], &[""], &["*/proxy"]), [Proxy, NodesProxy]);
    assert_eq!(of(&["get"], &[""], &["nodes/*"]), []);
    assert_eq!(of(&["create"], &[""], &["*/token"]), [MintTokens]);
    assert_eq!(of(&["bind"], &[rbac], &["rolebindings"]), []);
    assert_eq!(of(&["bind", "update"], &[rbac], &["clusterroles"]), [BindClusterRoles, ChangeClusterRoles]);
    assert_eq!(of(&["delete"], &[rbac], &["roles", "clusterrolebindings"]), [DeleteRoles]);
    assert_eq!(of(&["impersonate"], &["authentication.k8s.io"], &["users"]), []);
    assert_eq!(of(&["impersonate"], &[""], &["users", "groups"]), [ImpersonateUsers, ImpersonateGroups]);
    assert_eq!(
        of(&["patch"], &["certificates.k8s.io"], &["certificatesigningrequests/approval"]),
        [WriteApproval]
    );
    assert_eq!(
        of(&["delete"], &["admissionregistration.k8s.io"], &["mutatingwebhookconfigurations"]),
        [WriteValidating]
    );
}

#[test]
fn p22_a_name_gives_nothing_to_a_request_without_one() {
    let of = |verbs: &[&str], resource: &str| {
        Powers::of(&named(rule(verbs, &[""], &[resource]), &["a"])).iter().collect::<Vec<_>>()
    };
    assert_eq!(of(&["create"], "pods"), []);
    assert_eq!(of(&["create"], "serviceaccounts/token"), [Power::MintTokens]);
    assert_eq!(of(&["deletecollection"], "events"), []);
    assert_eq!(of(&["get"], "secrets"), [Power::ReadSecrets]);
    let token = named(rule(&["create"], &["*"], &["*/token"]), &["bot"]);
    let proof = Power::MintTokens.proof(&token).unwrap();
    assert_eq!(
        (proof.verb, proof.resource, proof.subresource, proof.name.as_str()),
        ("create", "serviceaccounts", "token", "bot")
    );
    assert!(Power::ReadSecrets.proof(&token).is_none());
}

/// What nobody should have for good is told, and refused to no session: those may change pods in their namespaces.
#[test]
fn p11_changing_pods_is_a_power_and_no_danger_to_a_session() {
    let one = rule(&["update", "patch"], &[""], &["pods", "pods/ephemeralcontainers"]);
    let scope = sallyport_model::Scope::Namespaces(["payments".parse().unwrap()].into());
    assert_eq!(crate::dangers(std::slice::from_ref(&one), &scope), []);
    assert!(Powers::of(&one).has(Power::ChangePods));
}

fn some(from: &[&'static str]) -> impl Strategy<Value = Vec<&'static str>> + use<> {
    prop::sample::subsequence(from.to_vec(), 0..=3)
}

proptest! {
    /// The quick look finds each kind where the one that P11 takes does.
    #[test]
    fn p11_powers_are_looked_for_as_dangers_are(
        verbs in some(&["get", "create", "update", "bind", "escalate", "approve", "delete", "impersonate", "*"]),
        groups in some(&["", "apps", "rbac.authorization.k8s.io", "certificates.k8s.io", "admissionregistration.k8s.io", "*"]),
        resources in some(&[
            "pods", "secrets", "roles", "clusterroles", "rolebindings", "nodes/proxy", "*/proxy", "*/token", "signers",
            "serviceaccounts/token", "mutatingwebhookconfigurations", "certificatesigningrequests/approval", "widgets", "*",
        ]),
    ) {
        use DangerKind::*;
        let one = rule(&verbs, &groups, &resources);
        let mut quick = std::collections::BTreeSet::new();
        each(&one, |found| quick.extend([found.kind]));
        let dangers = crate::dangers(std::slice::from_ref(&one), &sallyport_model::Scope::ClusterWide);
        for kind in [Escalate, Bind, NodesProxy, MintTokens, ApproveCertificates, WriteAdmission, WriteRbac, WriteNamespaces, ReadSystemSecrets, ExecSystem] {
            prop_assert_eq!(quick.contains(&kind), dangers.iter().any(|danger| danger.kind == kind), "{:?}: {:?}", kind, one);
        }
    }
}

proptest! {
    /// A power is never something that nobody said is dangerous, and more rules never give fewer.
    #[test]
    fn p11_every_power_is_a_danger(one in any_rule(), more in any_rule()) {
        let (one_alone, both) = (Powers::of(&one), Powers::of(&one).or(Powers::of(&more)));
        prop_assert!(one_alone.iter().all(|power| both.has(power)));
        let mut found = 0;
        each(&one, |_| found += 1);
        prop_assert!(one_alone.is_empty() || found > 0);
    }
}

const DANGEROUS: [&str; 12] = [
    "pods",
    "pods/exec",
    "*/exec",
    "secrets",
    "roles",
    "clusterroles",
    "nodes/proxy",
    "*/proxy",
    "signers",
    "serviceaccounts/token",
    "deployments",
    "*",
];

fn dangerous() -> impl Strategy<Value = Rule> {
    let verbs = some(&["get", "list", "create", "update", "deletecollection", "bind", "approve", "*"]);
    let groups = some(&["", "apps", "rbac.authorization.k8s.io", "certificates.k8s.io", "*"]);
    (verbs, groups, some(&DANGEROUS), some(&["a", "b", "c"]))
        .prop_map(|(verbs, groups, resources, names)| named(rule(&verbs, &groups, &resources), &names))
}

proptest! {
    /// So that whoever lacks one of them need not be compared rule by rule.
    #[test]
    fn p22_what_covers_a_rule_has_all_its_powers(
        outer in prop::collection::vec(dangerous(), 0..4),
        inner in dangerous(),
    ) {
        let has = |rules: &[Rule]| rules.iter().fold(Powers::default(), |all, one| all.or(Powers::of(one)));
        if crate::covers(&outer, &inner) {
            prop_assert!(has(&outer).has_all_of(Powers::of(&inner)), "{:?} {:?}", outer, inner);
        }
        // Of a part of it too, which is always covered.
        let mut part = inner.clone();
        part.verbs.truncate(1);
        part.resources.truncate(1);
        prop_assert!(crate::covers(std::slice::from_ref(&inner), &part));
        prop_assert!(Powers::of(&inner).has_all_of(Powers::of(&part)), "{:?} {:?}", inner, part);
    }
}
