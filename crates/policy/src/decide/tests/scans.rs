//! What is asked for where no team looks (P7, P11).

use super::*;
use sallyport_model::{NamespaceName, SCANS_NAMESPACE};

fn scan() -> (Request, Profile, Facts) {
    let role: RoleName = name("sallyport:posture");
    let rule = Rule::on(&role, vec!["list"], vec!["rbac.authorization.k8s.io"], vec!["clusterroles"]);
    let whole = Scope::ClusterWide;
    let offer = crate::offer(
        &name("aa/3"),
        &name("payments-eu"),
        &whole,
        std::slice::from_ref(&role),
        [rule],
        "https://t:6443",
        "ca",
    );
    let facts = Facts { offer, ..facts() };
    let profile = Profile { roles: vec![role], scope: whole.clone(), approvals: 0, ..profile() };
    let mut request = request(&facts);
    request.which.team = NamespaceName::of_scans();
    request.terms.scope = whole;
    request.approvals.clear();
    (request, profile, facts)
}

fn why_not(request: &Request, profile: &Profile, facts: &Facts) -> String {
    refused(decide(request, Some(profile), facts, NOW)).message
}

#[test]
fn p7_a_scan_opens_at_once_and_in_its_own_namespace_nothing_else_does() {
    let (request, profile, facts) = scan();
    assert!(permitted(&decide(&request, Some(&profile), &facts, NOW)));
    let not_for_scans =
        format!("profile debug is not for scans, and nothing else is asked for in {SCANS_NAMESPACE}");
    let others = [
        Profile { roles: vec![name("sallyport:view")], ..profile.clone() },
        Profile { roles: vec![name("sallyport:posture"), name("sallyport:view")], ..profile.clone() },
        Profile { roles: vec![name("sallyport:view"), name("sallyport:posture")], ..profile.clone() },
        // An inbox would have to show it, and a day to count it.
        Profile { approvals: 1, ..profile.clone() },
        Profile { max_per_day: Some(Ttl::minutes(120)), ..profile.clone() },
        Profile { scope: scope(&["payments"]), ..profile.clone() },
        Profile { roles: Vec::new(), ..profile.clone() },
    ];
    for other in others {
        let mut asked = request.clone();
        if other.scope != Scope::ClusterWide {
            asked.terms.scope = other.scope.clone();
        }
        assert_eq!(why_not(&asked, &other, &facts), not_for_scans, "{other:?}");
    }
    let mut long = request.clone();
    long.terms.duration = Ttl::minutes(61);
    assert!(why_not(&long, &profile, &facts).contains("lasts 1h at most"));
}

#[test]
fn p11_a_role_for_scans_that_was_widened_to_secrets_is_never_granted() {
    let (mut request, profile, mut facts) = scan();
    let role: RoleName = name("sallyport:posture");
    for (verb, group, resource) in [
        ("list", "", "secrets"),
        ("get", "", "secrets"),
        ("get", "", "nodes/proxy"),
        ("create", "", "pods/exec"),
        ("create", "", "serviceaccounts/token"),
        ("patch", "rbac.authorization.k8s.io", "clusterroles"),
        ("approve", "certificates.k8s.io", "signers"),
    ] {
        let rule = Rule::on(&role, vec![verb], vec![group], vec![resource]);
        facts.offer = crate::offer(
            &name("aa/3"),
            &name("payments-eu"),
            &Scope::ClusterWide,
            std::slice::from_ref(&role),
            [rule],
            "https://t:6443",
            "ca",
        );
        request.offer = Some(facts.offer.digest);
        let why = why_not(&request, &profile, &facts);
        assert!(why.starts_with("never granted"), "{verb} {resource}: {why}");
    }
}
