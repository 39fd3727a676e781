//! The command line as a process, against a real API server: with an admin's client certificate, with an account that may
//! read only some kinds, from files, and from what it kept.

mod apply;
mod dry_run;
mod files;
mod fleet;
mod refused;
mod sarif;
mod scan;
mod schema;
mod used;

use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::{Plane, PlaneOptions, Ran};
use serde_json::Value;
use std::path::PathBuf;
use tokio::process::Command;
use tokio::sync::{Mutex, OnceCell};

/// Runs it with an environment that would lead a kubeconfig reader elsewhere.
async fn sallyport(args: &[&str]) -> Result<Ran> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
    command.args(args).env("KUBECONFIG", "/nonexistent/kubeconfig").env("HTTPS_PROXY", "http://127.0.0.1:1");
    Ran::of(command).await
}

async fn posture(args: &[&str]) -> Result<Ran> {
    sallyport(&[&["posture"], args].concat()).await
}

/// What must never leave the API server.
const HIDDEN: &str = "s3cret-that-nobody-may-keep";

const PLANTED: &str = include_str!("planted.yaml");

/// Held by whoever changes the plane, or compares two looks at it.
static CHANGES: Mutex<()> = Mutex::const_new(());

/// One plane with what was planted, shared by all tests here.
async fn plane() -> Result<&'static Plane> {
    static PLANE: OnceCell<Plane> = OnceCell::const_new();
    PLANE
        .get_or_try_init(|| async {
            let plane = Plane::start(PlaneOptions::new("posture")).await?;
            let file = plane.dir().join("planted.yaml");
            std::fs::write(&file, PLANTED.replace("HIDDEN", HIDDEN))?;
            let file = file.to_str().context("a path that is no text")?;
            // A pod needs its namespace's default account, which a controller makes.
            let applied = async || plane.kubectl().run(&["apply", "-f", file]).await;
            for _ in 0..120 {
                if applied().await?.code == Some(0) {
                    return Ok(plane);
                }
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            }
            anyhow::bail!("what is planted was not taken: {:?}", applied().await?.stderr)
        })
        .await
}

/// A kubeconfig of the account `ci/reader`, which may list roles of the whole cluster and their bindings alone.
async fn reader() -> Result<PathBuf> {
    let plane = plane().await?;
    let token = plane.kubectl().ok(&["create", "token", "reader", "-n", "ci"]).await?;
    plane.kubeconfig_with_token(token.trim())
}

fn text(path: &std::path::Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

/// A finding of a check that is about somebody of this name.
fn found<'r>(report: &'r Value, check: &str, name: &str) -> Option<&'r Value> {
    report["findings"].as_array()?.iter().find(|one| {
        one["check"] == check && (one["subject"]["name"] == name || one["object"]["name"] == name)
    })
}

fn verdict<'r>(report: &'r Value, check: &str) -> &'r Value {
    let all = report["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|one| one["id"] == check).unwrap_or(&Value::Null)
}

fn kind<'r>(report: &'r Value, kind: &str) -> &'r Value {
    let all = report["read"]["kinds"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|one| one["kind"] == kind).unwrap_or(&Value::Null)
}

fn says(ran: &Ran, what: &str) -> Result<()> {
    ensure!(ran.out.contains(what), "not there: {what}\nin: {}\n{}", ran.out, ran.err);
    Ok(())
}
