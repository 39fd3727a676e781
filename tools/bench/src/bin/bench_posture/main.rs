//! `bench posture`: a cluster with as many roles and bindings as the largest that anybody published numbers of (KubeHound's
//! "big": 4,491 RoleBindings, 676 ClusterRoleBindings, 1,374 Roles, 721 ClusterRoles), made from a seed. From the snapshot in
//! memory to the index with all checks, one question "who can", everybody's way to everything with the best cut, and the
//! fixes of one critical finding with their effect. Then 2,000 clusters: the grid in order, the same weakness in many as
//! one line, and what only shows across clusters.

mod cluster;
mod fleet;
mod through;

use anyhow::{Context, Result, ensure};
use sallyport_bench::{Sorted, in_browser, memory_most};
use sallyport_posture::path::Goal;
use sallyport_posture::{Coverage, Ground, Kind, Severity, Snapshot};
use sallyport_rbac::Ask;
use std::time::Instant;

const SEED: u64 = 4491;
const ROUNDS: usize = 11;

#[tokio::main]
async fn main() -> Result<()> {
    let lists = cluster::lists(SEED);
    let bytes: usize = lists.iter().map(Vec::len).sum();
    let mut took = [Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut said = String::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut snapshot = Snapshot::default();
        snapshot.server = Some((1, 36));
        for list in &lists {
            let taken = snapshot.take(list)?;
            ensure!(taken.unread == 0 && taken.other == 0, "all can be read: {:?}", snapshot.problems);
        }
        for kind in Kind::ALL {
            snapshot.asked(*kind, Coverage::Read);
        }
        took[0].push(ms(began));
        let began = Instant::now();
        let ground = Ground::new(&snapshot);
        let report = ground.report();
        // The first question makes the index by resource: it is part of the whole.
        std::hint::black_box(asked_first(&ground));
        took[1].push(ms(began));
        took[2].push(who_can(&ground));
        let began = Instant::now();
        let paths = ground.paths(&Goal::ClusterAdmin).context("everything is there")?;
        let (steps, longest) =
            paths.iter().fold((0, 0), |(sum, most), path| (sum + path.hops.len(), most.max(path.hops.len())));
        let cut = paths.cut().context("a binding to cut")?;
        took[3].push(ms(began));
        let (proposed, fixes) = fleet::fixes(&ground, &report)?;
        took[4].push(proposed);
        let findings: usize = report.checks.iter().map(|one| one.findings.len()).sum();
        let critical = report
            .checks
            .iter()
            .flat_map(|one| &one.findings)
            .filter(|one| one.severity == Severity::Critical)
            .count();
        said = format!(
            "{} subjects, {findings} findings, {critical} of them critical, {} ways to everything with {steps} steps (at most \
             {longest}), the best cut closes {} of {}, {fixes} fixes \
             of one",
            ground.rbac().subjects().count(),
            paths.len(),
            cut.closes,
            cut.of,
        );
    }
    let [parse, index, who, paths, fix] = took.map(|all| Sorted::new(all).at(0.5));
    println!(
        "{:.1} MB of lists, read in {parse:.0} ms; {said}; {} CPUs",
        bytes as f64 / 1e6,
        std::thread::available_parallelism()?
    );
    let rss = memory_most()?;
    fleet::many(ROUNDS)?;
    let grid = in_browser("posture.mjs", "posture ").await?;
    let paint =
        grid.split(' ').find_map(|word| word.strip_prefix("grid_first_ms=")).context("its first paint")?;
    let through::Took { scan, lists, bytes } = through::gateway().await?;
    println!(
        "a scan through a session's gateway took {scan:.0} ms, the same lists {lists:.0} ms, their bytes alone {bytes:.0} ms"
    );
    println!(
        "bench posture index_checks_ms={index:.1} who_can_ms={who:.3} paths_ms={paths:.1} fix_ms={fix:.0} rss_mb={rss:.0} \
         scan_ratio={:.2} grid_ms={paint}",
        scan / lists
    );
    Ok(())
}

/// Who can read Secrets everywhere.
fn asked_first(ground: &Ground<'_>) -> usize {
    let ask = Ask::Resource { verb: "get", group: "", resource: "secrets", subresource: "", name: "" };
    ground.rbac().who_can(ask, None).len()
}

/// The mean of many different questions, each with all its answers.
fn who_can(ground: &Ground<'_>) -> f64 {
    const ASKED: [(&str, &str, &str, &str); 6] = [
        ("get", "", "secrets", ""),
        ("create", "", "pods", "exec"),
        ("patch", "apps", "deployments", ""),
        ("create", "", "serviceaccounts", "token"),
        ("delete", "example17.test", "widgets17", ""),
        ("escalate", "rbac.authorization.k8s.io", "clusterroles", ""),
    ];
    let began = Instant::now();
    let (mut asked, mut found) = (0_u32, 0);
    for (verb, group, resource, subresource) in ASKED {
        for number in 0..50 {
            let namespace = format!("team-{number}");
            let ask = Ask::Resource { verb, group, resource, subresource, name: "" };
            found += ground.rbac().who_can(ask, (number > 0).then_some(namespace.as_str())).len();
            asked += 1;
        }
    }
    assert!(found > 0, "somebody can");
    ms(began) / f64::from(asked)
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}
