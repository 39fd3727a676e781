//! Fixes of one finding, and 2,000 clusters beside each other.

use crate::ms;
use anyhow::{Context, Result, ensure};
use sallyport_bench::Sorted;
use sallyport_posture::fleet::{self, Around, Limits, Scanned, Traits};
use sallyport_posture::{Coverage, Finding, Ground, Kind, Origin, Report, Severity, Snapshot, fix};
use serde_json::json;
use std::time::Instant;

const CLUSTERS: usize = 2_000;
const NOW: i64 = 1_795_910_400;

/// What is proposed for the first critical finding about somebody, with its effect; and how many that are.
pub(crate) fn fixes(ground: &Ground<'_>, report: &Report) -> Result<(f64, usize)> {
    let mut all = report.checks.iter().flat_map(|one| &one.findings);
    let worth = |one: &&Finding| {
        one.severity == Severity::Critical
            && one.origin == Origin::Own
            && one.subject.is_some()
            && one.check == "RB-09"
    };
    let finding = all.find(worth).context("a critical finding")?;
    let began = Instant::now();
    let proposed = fix::Trial::of(ground, report).propose(finding, None, None);
    let took = ms(began);
    ensure!(!proposed.fixes.is_empty(), "{:?}", proposed.notes);
    Ok((took, proposed.fixes.len()))
}

pub(crate) fn many(rounds: usize) -> Result<()> {
    let snapshot = small()?;
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let began = Instant::now();
    let clusters: Vec<Scanned> = (0..CLUSTERS)
        .map(|number| {
            // Every tenth believes the same client CA as nine others.
            let ca = vec![format!("{:064x}", number / 10)];
            let traits = Traits { client_ca: Some(ca), ..Traits::of(&ground) };
            let around = Around { traits, at: Some(NOW), now: NOW, ..Around::default() };
            Scanned::of(&format!("cluster-{number:04}"), &report, around, |_| false)
        })
        .collect();
    let kept = ms(began);
    let kilobytes = serde_json::to_vec(&clusters)?.len() / CLUSTERS / 1000;
    let mut took = [Vec::new(), Vec::new(), Vec::new()];
    let mut lines = 0;
    for _ in 0..rounds {
        let mut all = clusters.clone();
        let began = Instant::now();
        fleet::order(&mut all);
        took[0].push(ms(began));
        let began = Instant::now();
        lines = fleet::weaknesses(&all).len();
        took[1].push(ms(began));
        let began = Instant::now();
        let shared = fleet::shared(&all, &[], &Limits::default(), NOW);
        took[2].push(ms(began));
        ensure!(shared.iter().any(|one| one.found.len() == CLUSTERS / 10), "shared client CAs");
    }
    let [order, weaknesses, shared] = took.map(|all| Sorted::new(all).at(0.5));
    println!(
        "{CLUSTERS} clusters, {} findings, {lines} lines; kept in {kept:.0} ms, {kilobytes} kB each as JSON",
        clusters.iter().map(|one| one.lines.len()).sum::<usize>()
    );
    println!("bench fleet order_ms={order:.1} weaknesses_ms={weaknesses:.1} shared_ms={shared:.1}");
    Ok(())
}

/// A cluster of 40 groups with a few rights each.
fn small() -> Result<Snapshot> {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let mut items = Vec::new();
    for (name, verb, resource) in [
        ("exec", "create", "pods/exec"),
        ("secrets", "get", "secrets"),
        ("tokens", "create", "serviceaccounts/token"),
    ] {
        items.push(
            json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"verbs": [verb], "apiGroups": [""], "resources": [resource]}]}),
        );
    }
    for number in 0..40 {
        let role = ["exec", "secrets", "tokens"][number % 3];
        let subjects = json!([{"kind": "Group", "apiGroup": RBAC, "name": format!("team-{number}")},
            {"kind": "User", "apiGroup": RBAC, "name": format!("person-{number}")}]);
        items.push(json!({"apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding",
            "metadata": {"name": format!("b-{number}"), "namespace": format!("ns-{number}")},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}, "subjects": subjects}));
    }
    let mut snapshot = Snapshot::default();
    snapshot.server = Some((1, 36));
    snapshot.take_value(json!({"apiVersion": "v1", "kind": "List", "items": items}))?;
    for kind in Kind::ALL {
        snapshot.asked(*kind, Coverage::Read);
    }
    Ok(snapshot)
}
