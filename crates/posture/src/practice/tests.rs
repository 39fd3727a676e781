use super::*;
use crate::check::{Report, Verdict};
use crate::ground::Ground;
use crate::tests::{Cluster, group, rule};

const NOW: i64 = 1_795_910_400;

fn report(cluster: Cluster) -> Report {
    Ground::new(&cluster.read()).report()
}

fn fact(holds: bool, age: i64) -> Option<Fact> {
    Some(Fact { holds, proven: NOW - age, how: "the hub refused a sign-in without a second factor".into() })
}

fn one(report: &Report, ours: &Ours, practice: Practice) -> Practised {
    let all = practices(report, ours, NOW, |_| false);
    assert_eq!(all.iter().map(|one| one.practice).collect::<Vec<_>>(), Practice::ALL);
    all.into_iter().find(|one| one.practice == practice).unwrap()
}

fn standing() -> Cluster {
    Cluster::default().cluster_role("all", &[rule(&["*"], &["*"], &["*"])]).bind(
        None,
        "all",
        &[group("oidc:sre")],
    )
}

#[test]
fn p21_what_no_check_looked_at_is_unknown() {
    let nothing = Ground::new(&crate::Snapshot::default()).report();
    for practised in practices(&nothing, &Ours::default(), NOW, |_| false) {
        assert!(matches!(practised.verdict, Verdict::Unknown(_)), "{practised:?}");
        assert!(
            practised.next.is_some() && !practised.gaps.is_empty() || practised.covered.1 == 0,
            "{practised:?}"
        );
    }
}

#[test]
fn two_factors_rest_on_sallyport_only_where_nobody_goes_past_it() {
    let two = |report: &Report, mfa| {
        one(report, &Ours { mfa_by_admission: mfa, ..Ours::default() }, Practice::TwoFactors)
    };
    let alone = report(Cluster::default());
    assert_eq!(two(&alone, fact(true, 60)).verdict, Verdict::Pass);
    assert_ne!(two(&alone, None).verdict, Verdict::Pass, "nobody proved it");
    assert_ne!(two(&alone, fact(true, 48 * 3600)).verdict, Verdict::Pass, "that was two days ago");
    assert_ne!(two(&alone, fact(true, -60)).verdict, Verdict::Pass, "nor in the future");
    assert_eq!(two(&alone, fact(false, 60)).verdict, Verdict::Fail);
    let past = two(&report(standing()), fact(true, 60));
    assert!(matches!(past.verdict, Verdict::Unknown(_)), "{past:?}");
    assert!(past.gaps.iter().any(|gap| gap.contains("past Sallyport")), "{:?}", past.gaps);
    assert!(
        past.evidence.iter().any(|one| one.contains("Sallyport has seen it hold")),
        "{:?}",
        past.evidence
    );
}

#[test]
fn p21_a_practice_is_not_held_up_by_one_of_its_checks_alone() {
    // Nobody without a sign-in is given anything, and whether the door is open nobody looked.
    let report = report(Cluster::default());
    let asked = |id: &str| report.checks.iter().any(|one| one.check.id == id);
    if !asked("AP-01") || !asked("AP-05") {
        let inbound = one(&report, &Ours::default(), Practice::InboundClosed);
        assert!(
            matches!(&inbound.verdict, Verdict::Unknown(why) if why.contains("no check looks at it here")),
            "{inbound:?}"
        );
        assert!(!inbound.gaps.is_empty() && inbound.next.is_some(), "{inbound:?}");
    }
}

#[test]
fn least_privilege_fails_by_what_was_found_and_says_what_to_do_first() {
    let report = report(standing());
    let least = one(&report, &Ours { jit: fact(true, 60), ..Ours::default() }, Practice::LeastPrivilege);
    assert_eq!(least.verdict, Verdict::Fail);
    assert!(least.next.as_deref().is_some_and(|next| next.starts_with("RB-01: ")), "{least:?}");
    assert!(least.first.is_some());
    // An exception hides nothing.
    let excepted = practices(&report, &Ours::default(), NOW, |_| true);
    let least = excepted.iter().find(|one| one.practice == Practice::LeastPrivilege).unwrap();
    assert_eq!((&least.verdict, least.worst), (&Verdict::Fail, None));
    assert!(least.gaps[0].ends_with("(Excepted.)"), "{:?}", least.gaps);
}

#[test]
fn a_fleet_holds_what_each_of_its_clusters_does() {
    let ours = Ours { mfa_by_admission: fact(true, 60), ..Ours::default() };
    let clean = practices(&report(Cluster::default()), &ours, NOW, |_| false);
    let weak = practices(&report(standing()), &ours, NOW, |_| false);
    let all = across([("b", weak.as_slice()), ("a", clean.as_slice()), ("c", &[])].into_iter());
    let least = all.iter().find(|one| one.practice == Practice::LeastPrivilege).unwrap();
    assert_eq!(least.fail, ["b"]);
    assert_eq!(least.pass + least.fail.len() + least.unknown + least.provider, 3);
    assert!(least.unknown >= 1, "c was not scanned");
}

#[test]
fn each_check_of_today_answers_a_practice_or_is_known_not_to() {
    let open: Vec<&str> = crate::check::catalogue()
        .iter()
        .map(|check| check.id)
        .filter(|id| !Practice::ALL.iter().any(|practice| practice.is_answered_by(id)))
        .collect();
    // Tokens of programs, versions and what is stored are in the grid, and none of the ten.
    assert!(
        open.iter().all(|id| ["SA-", "VR-", "EN-", "AN-", "KC-", "AU-", "AP-"]
            .iter()
            .any(|own| id.starts_with(own))),
        "{open:?}"
    );
}

#[test]
fn p21_two_factors_do_not_rest_on_sallyport_where_others_may_become_more() {
    let ours = Ours { mfa_by_admission: fact(true, 60), ..Ours::default() };
    let held = |rules: &[serde_json::Value], to: &str| {
        let cluster = Cluster::default().cluster_role("some", rules).bind(None, "some", &[group(to)]);
        one(&report(cluster), &ours, Practice::TwoFactors).verdict
    };
    // Whoever signs in at all is cluster-admin.
    assert_ne!(held(&[rule(&["*"], &["*"], &["*"])], "system:authenticated"), Verdict::Pass);
    // Less than everything, and as good as that.
    for (verbs, api, resource) in [
        ("impersonate", "", "users"),
        ("create", "", "serviceaccounts/token"),
        ("get", "", "secrets"),
        ("create", "apps", "deployments"),
    ] {
        assert_ne!(
            held(&[rule(&[verbs], &[api], &[resource])], "oidc:ops"),
            Verdict::Pass,
            "{verbs} {resource}"
        );
    }
    assert_eq!(held(&[rule(&["get"], &[""], &["pods"])], "oidc:ops"), Verdict::Pass);
}

#[test]
fn p21_no_practice_holds_by_a_check_of_something_else() {
    let needed = |practice: Practice| practice.needed().concat();
    assert_eq!(
        needed(Practice::AuditCentral),
        ["AU-06"],
        "that nothing is lost says nothing of where it goes"
    );
    // Or what the log itself shows.
    assert_eq!(needed(Practice::AuditOn), ["AU-02", "AU-05"], "nor how long it is kept of what is recorded");
    assert_eq!(needed(Practice::ThirdPartySignIn), ["AN-01"], "nor how the scan came in of how people do");
}
