//! The broker's program and the command line, found beside the program that runs.

use anyhow::{Context, Result, ensure};
use sallyport_testkit::broker::Programs;
use sallyport_testkit::repository::root;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tokio::process::Command;

/// The broker's binary beside the running program's, built when it is missing or older than its sources;
/// `SALLYPORT_BROKER_BIN` names another.
pub(crate) async fn broker() -> Result<Programs> {
    if let Some(given) = std::env::var_os("SALLYPORT_BROKER_BIN") {
        return Ok(Programs { broker: given.into(), faults: None });
    }
    let crates = ["broker", "provision", "policy", "rbac", "hub", "client", "model", "api"];
    let broker = built("sallyport-broker", "sallyport-broker", &crates).await?;
    Ok(Programs { broker, faults: None })
}

/// The command line `sallyport`, found and built in the same way.
///
/// # Errors
/// When it can't be built.
pub async fn sallyport() -> Result<PathBuf> {
    let crates = [
        "cli",
        "archive",
        "events",
        "feeds",
        "store",
        "audit",
        "model",
        "rbac",
        "posture",
        "report",
        "scan",
        "client",
        "kubeconfig",
    ];
    built("sallyport-cli", "sallyport", &crates).await
}

/// The binary of a package, which is made of these crates.
async fn built(package: &str, name: &str, crates: &[&str]) -> Result<PathBuf> {
    static BUILDING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one_at_a_time = BUILDING.lock().await;
    let own = std::env::current_exe()?;
    let folder = own.parent().context("an executable is in a folder")?;
    // Tests are in target/<profile>/deps, programs one above.
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let program = folder.join(name);
    if is_fresh(&program, crates) {
        return Ok(program);
    }
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "-p", package, "--bin", name]).current_dir(root());
    // Of the program that runs: `ring`'s build script looks at it, and all that stands on ring would be built again.
    build.env_remove("CARGO_MANIFEST_DIR");
    if folder.ends_with("release") {
        build.arg("--release");
    }
    if let Some(target) = folder.parent() {
        build.env("CARGO_TARGET_DIR", target);
    }
    let status = build.status().await.context("run cargo")?;
    ensure!(status.success(), "cargo could not build {name}");
    ensure!(program.exists(), "cargo built {name}, and not as {}", program.display());
    // What cargo found unchanged keeps its time; a touch spares the next look.
    std::fs::File::options().append(true).open(&program)?.set_modified(SystemTime::now())?;
    Ok(program)
}

/// Whether no source of a program is younger than it is.
fn is_fresh(program: &Path, crates: &[&str]) -> bool {
    let Ok(built) = std::fs::metadata(program).and_then(|meta| meta.modified()) else { return false };
    !crates.iter().any(|name| has_younger(&root().join("crates").join(name), built))
}

fn has_younger(folder: &Path, than: SystemTime) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return path.file_name().is_some_and(|name| name != "tests" && name != "snapshots")
                && has_younger(&path, than);
        }
        let source = path.extension().is_some_and(|ending| ending == "rs" || ending == "toml");
        source && entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|changed| changed > than)
    })
}
