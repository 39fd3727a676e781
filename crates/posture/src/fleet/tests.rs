use super::*;
use crate::area::{Area, CellVerdict};
use crate::check::Verdict;
use crate::ground::Ground;
use crate::tests::{Cluster, account, group, rule, user};
use std::time::Instant;

fn everything(subjects: &[serde_json::Value]) -> Report {
    let cluster = Cluster::default().cluster_role("all", &[rule(&["*"], &["*"], &["*"])]);
    Ground::new(&cluster.bind(None, "all", subjects).read()).report()
}

fn scanned(cluster: &str, report: &Report, traits: Traits) -> Scanned {
    let around = Around { traits, at: Some(1_000_000), now: 1_000_000, ..Around::default() };
    Scanned::of(cluster, report, around, |_| false)
}

#[test]
fn p21_a_cell_passes_only_when_all_of_it_was_answered() {
    let cell = |one: &Scanned, area: Area| one.cells.iter().find(|cell| cell.area == area).unwrap().clone();
    let weak = scanned("a", &everything(&[group("sre"), group("ops")]), Traits::default());
    let rbac = cell(&weak, Area::Rbac);
    assert_eq!((rbac.verdict, rbac.worst, rbac.count), (CellVerdict::Fail, Some(Severity::Critical), 2));
    let clean = scanned("b", &Ground::new(&Cluster::default().read()).report(), Traits::default());
    assert_eq!(cell(&clean, Area::Rbac).verdict, CellVerdict::Pass);
    let nothing = scanned("c", &Ground::new(&crate::Snapshot::default()).report(), Traits::default());
    for cell in &nothing.cells {
        assert_ne!(cell.verdict, CellVerdict::Pass, "{cell:?}");
    }
    // All excepted is a failure still, and says so.
    let excepted = Scanned::of("d", &everything(&[group("sre")]), Around::default(), |_| true);
    let rbac = cell(&excepted, Area::Rbac);
    assert_eq!((rbac.verdict, rbac.worst, rbac.findings), (CellVerdict::Fail, None, 0));
    assert!(rbac.excepted > 0);
}

#[test]
fn each_check_has_a_column() {
    for check in crate::check::catalogue() {
        assert!(Area::of(check.id).is_some(), "{}", check.id);
    }
    assert_eq!(Area::of("FL-03"), None);
}

#[test]
fn the_same_weakness_is_one_line_and_the_worst_comes_first() {
    let fleet = [
        scanned("pay-eu", &everything(&[group("pay-eu:admins"), user("ana")]), Traits::default()),
        scanned(
            "pay-us",
            &everything(&[group("pay-us:admins"), user("ana"), user("ben")]),
            Traits::default(),
        ),
        scanned("mail", &everything(&[account("ci", "bot")]), Traits::default()),
    ];
    let all = weaknesses(&fleet);
    let admins =
        all.iter().find(|one| one.title.contains("admins can do everything everywhere")).expect("admins");
    assert_eq!(admins.clusters, ["pay-eu", "pay-us"], "named after their clusters, and the same");
    let people = all.iter().find(|one| one.check == "RB-35").expect("people");
    assert_eq!((people.clusters.len(), people.about, people.detail.as_str()), (2, 2, "2 people"));
    assert_eq!(people.title, "A person is given something for good");
    assert!(all.is_sorted_by(|a, b| a.severity >= b.severity));
    assert_eq!(all[0].severity, Severity::Critical);
}

#[test]
fn p21_across_clusters_what_was_not_read_of_one_is_no_pass() {
    let report = everything(&[group("sre")]);
    let with = |name: &str, ca: Option<&str>| {
        let client_ca = ca.map(|ca| vec![ca.to_owned()]);
        scanned(name, &report, Traits { client_ca, ..Traits::default() })
    };
    let ask = |fleet: &[Scanned], check: &str| {
        shared(fleet, &[], &Limits::default(), 1_000_000).into_iter().find(|one| one.check == check).unwrap()
    };
    let same = ask(&[with("prod", Some("aa")), with("dev", Some("aa")), with("x", Some("bb"))], "FL-03");
    assert_eq!(same.verdict, Verdict::Fail);
    assert_eq!(
        (same.found[0].severity, &same.found[0].clusters),
        (Severity::Critical, &vec!["dev".to_owned(), "prod".into()])
    );
    assert_eq!(ask(&[with("prod", Some("aa")), with("dev", Some("bb"))], "FL-03").verdict, Verdict::Pass);
    let part = ask(&[with("prod", Some("aa")), with("dev", None)], "FL-03");
    assert!(matches!(part.verdict, Verdict::Unknown(_)) && part.unread == ["dev"], "{part:?}");
    assert!(matches!(ask(&[with("prod", Some("aa"))], "FL-03").verdict, Verdict::NotApplicable(_)));
    // An empty fingerprint is none.
    assert_eq!(ask(&[with("prod", Some("")), with("dev", Some(""))], "FL-03").verdict, Verdict::Pass);
}

#[test]
fn signing_keys_are_as_bad_as_their_issuers_let_them_be() {
    let report = everything(&[]);
    let with = |name: &str, issuer: Option<&str>| {
        let traits = Traits {
            signing_keys: Some(vec!["k".into()]),
            account_issuer: issuer.map(str::to_owned),
            ..Traits::default()
        };
        scanned(name, &report, traits)
    };
    for (a, b, severity) in [
        (Some("https://i"), Some("https://i"), Severity::Critical),
        (Some("https://i"), None, Severity::High),
        (Some("https://i"), Some("https://j"), Severity::Medium),
    ] {
        let all = shared(&[with("a", a), with("b", b)], &[], &Limits::default(), 0);
        let keys = all.iter().find(|one| one.check == "FL-04").unwrap();
        assert_eq!(keys.found[0].severity, severity, "{a:?} {b:?}");
    }
}

#[test]
fn the_rest_of_the_family_is_found() {
    let weak = everything(&[group("sre")]);
    let clean = Ground::new(&Cluster::default().read()).report();
    let provider = |audience: &str| Provider {
        issuer: "https://idp".into(),
        audience: audience.into(),
        prefix: "oidc:".into(),
    };
    let traits = |tier: &str, minor: u32, role: &str| Traits {
        tier: Some(tier.into()),
        version: Some((1, minor)),
        serving: Some(vec!["cert".into()]),
        credentials: Some(vec!["cred".into()]),
        providers: Some(vec![provider("clusters")]),
        roles: Some([("deployer".to_owned(), role.to_owned())].into()),
        holds: Some(Vec::new()),
        client_ca: Some(Vec::new()),
        signing_keys: Some(Vec::new()),
        ..Traits::default()
    };
    let mut fleet = vec![
        scanned("p1", &weak, traits("prod", 36, "a")),
        scanned("p2", &weak, traits("prod", 36, "a")),
        scanned("s1", &clean, traits("staging", 31, "b")),
    ];
    fleet[0].traits.holds = Some(vec![Held { opens: "s1".into(), place: "Secret argocd/s1".into() }]);
    fleet[2].at = Some(0);
    let limits = Limits { admin_of: 1, ..Limits::default() };
    let now = 40 * 86_400;
    let all = shared(&fleet, &["never".to_owned()], &limits, now);
    for (check, clusters) in [
        ("FL-01", vec!["p1", "p2"]),
        ("FL-02", vec!["p1", "p2", "s1"]),
        ("FL-05", vec!["p1", "p2", "s1"]),
        ("FL-06", vec!["s1"]),
        ("FL-07", vec!["p1", "p2"]),
        ("FL-09", vec!["s1"]),
        ("FL-10", vec!["p1", "s1"]),
        ("FL-11", vec!["p1", "p2", "s1"]),
    ] {
        let one = all.iter().find(|one| one.check == check).unwrap();
        assert_eq!(
            one.found.first().map(|one| one.clusters.clone()),
            Some(clusters.iter().map(|name| (*name).to_owned()).collect()),
            "{check}"
        );
    }
    let stale = all.iter().find(|one| one.check == "FL-08").unwrap();
    assert!(stale.found.iter().any(|one| one.clusters == ["never"]), "{stale:?}");
    assert_eq!(
        all.iter().find(|one| one.check == "FL-05").unwrap().found[0].severity,
        Severity::High,
        "production and others"
    );
}

#[test]
fn traits_are_what_was_read_and_nothing_else() {
    let cluster = || {
        Cluster::default().cluster_role("r", &[rule(&["get"], &[""], &["pods"])]).bind(
            None,
            "r",
            &[user("ana")],
        )
    };
    let snapshot = cluster().read();
    let read = Traits::of(&Ground::new(&snapshot));
    assert_eq!(read.client_ca, Some(vec!["clients key".to_owned()]));
    assert_eq!(read.serving, Some(vec!["api.example key".to_owned()]));
    assert_eq!(read.signing_keys, Some(vec!["00".to_owned()]));
    assert_eq!(read.providers.as_ref().map(Vec::len), Some(1));
    assert_eq!(read.credentials, None, "a token is not kept, so it is not known where else it is good");
    assert_eq!(
        read.roles.as_ref().map(|roles| roles.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["r".to_owned()])
    );
    // However a role is written down.
    let other = Cluster::default()
        .cluster_role("r", &[rule(&["get"], &[""], &["pods"]), rule(&["get"], &[""], &["pods"])])
        .bind(Some("ci"), "r", &[user("ben")])
        .read();
    assert_eq!(Traits::of(&Ground::new(&other)).roles, read.roles);
    let nothing = crate::Snapshot::default();
    assert_eq!(Traits::of(&Ground::new(&nothing)), Traits::default());
}

#[test]
fn coverage_counts_what_was_never_scanned() {
    let one = scanned("a", &everything(&[]), Traits::default());
    let (answered, all) = one.point.covered;
    let coverage = coverage(&[one], 3);
    assert_eq!(coverage, FleetCoverage { scanned: (1, 3), checks: (answered, 3 * all) });
}

/// What is kept and what is worked out of 2,000 clusters; the target is for the whole first paint.
#[test]
fn two_thousand_clusters_are_in_order_in_no_time() {
    let mut subjects: Vec<serde_json::Value> =
        (0..20).map(|number| group(&format!("team-{number}"))).collect();
    subjects.extend((0..10).map(|number| user(&format!("person-{number}"))));
    let report = everything(&subjects);
    let mut fleet: Vec<Scanned> =
        (0..2000).map(|number| scanned(&format!("cluster-{number}"), &report, Traits::default())).collect();
    let began = Instant::now();
    order(&mut fleet);
    let lines = weaknesses(&fleet);
    let took = began.elapsed();
    assert!(lines.iter().any(|one| one.clusters.len() == 2000));
    // A debug build, beside other tests.
    assert!(
        took.as_secs() < 5,
        "{took:?} for {} findings",
        fleet.iter().map(|one| one.lines.len()).sum::<usize>()
    );
    println!("2,000 clusters, {} findings: {took:?}", fleet.iter().map(|one| one.lines.len()).sum::<usize>());
}
