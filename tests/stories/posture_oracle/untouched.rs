//! An API server that nobody has touched: nothing of it is a weakness, and what it ships is known.

use super::review::Server;
use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_posture::snapshot::{Authorizers, Coverage, Kind, Snapshot};
use sallyport_posture::{Ground, Origin, Severity, binding_line, role_line};
use sallyport_testkit::repository::root;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Sallyport's own tests write down what each version ships where this is set; else they compare.
const WRITE: &str = "SALLYPORT_WRITE_DEFAULTS";

pub(super) async fn look(server: &Server, version: (u32, u32), lines: &mut Lines) -> Result<()> {
    let mut snapshot = server.snapshot().await?;
    snapshot.server = Some(version);
    snapshot.authorizers = Authorizers::RbacOnly;
    ships(&snapshot, version, lines)?;
    for kind in Kind::ALL {
        snapshot.asked(*kind, Coverage::Read);
    }
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let findings: Vec<_> = report.checks.iter().flat_map(|one| &one.findings).collect();
    let bad: Vec<&str> = findings
        .iter()
        .filter(|one| one.severity >= Severity::High || one.origin != Origin::Default)
        .map(|one| one.said.as_str())
        .collect();
    lines.check(
        "an untouched control plane has no Critical or High, and all that is found in it is its own",
        bad.is_empty() && findings.len() > 20,
        format!("{} findings, {} checks; {bad:?}", findings.len(), report.checks.len()),
    );
    Ok(())
}

/// What the API server ships, against what is written down.
fn ships(snapshot: &Snapshot, (major, minor): (u32, u32), lines: &mut Lines) -> Result<()> {
    let version = format!("{major}.{minor} ");
    let (rbac, _) = snapshot.rbac();
    let roles = rbac.roles().iter().map(|role| role_line(role));
    let bindings = rbac.bindings().iter().map(|(binding, _)| binding_line(binding));
    let live: BTreeSet<String> = roles.chain(bindings).map(|line| format!("{version}{line}")).collect();
    let file = defaults();
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let known: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    if std::env::var_os(WRITE).is_some() {
        let others = known.into_iter().filter(|line| !line.starts_with(&version));
        let all: BTreeSet<String> = others.chain(live.iter().cloned()).collect();
        std::fs::write(&file, all.into_iter().map(|line| line + "\n").collect::<String>())?;
        lines.seen("what this API server ships was written down", format!("{} lines", live.len()));
        return Ok(());
    }
    let known: BTreeSet<String> = known.into_iter().filter(|line| line.starts_with(&version)).collect();
    let differing: Vec<&String> = live.symmetric_difference(&known).take(5).collect();
    let so = format!("{} roles and bindings {differing:?}", live.len());
    if known.is_empty() {
        // Another version than those: then any that is known counts.
        lines.seen("this version ships what nobody has written down yet", so);
    } else {
        lines.check("what this API server ships is what is written down", differing.is_empty(), so);
    }
    Ok(())
}

fn defaults() -> PathBuf {
    root().join("crates/posture/src/defaults.txt")
}
