//! The hub's own storage, where no guardrail looks: for what takes longer than a test may.

use crate::world::World;
use anyhow::{Context, Result, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sallyport_api::AccessRequest;
use serde_json::{Value, json};
use std::path::Path;

/// Rewrites a request in etcd, over its JSON gateway. Whoever watches hears of it as of any other change.
pub(crate) async fn rewrite(
    world: &World,
    request: &AccessRequest,
    change: impl FnOnce(&mut Value) -> Result<()>,
) -> Result<()> {
    let (namespace, name) = (&request.metadata.namespace, &request.metadata.name);
    let key = format!(
        "/registry/access.sallyport.dev/accessrequests/{}/{}",
        namespace.as_deref().context("a namespace")?,
        name.as_deref().context("a name")?
    );
    let etcd = etcd_of(world.hub.dir())?;
    let key = BASE64_STANDARD.encode(key);
    let client = reqwest::Client::builder().no_proxy().build()?;
    let post = async |path: &str, body: Value| {
        let answer = client.post(format!("{etcd}{path}")).body(body.to_string()).send().await?;
        Ok::<Value, anyhow::Error>(serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?)
    };
    let found = post("/v3/kv/range", json!({"key": key})).await?;
    let stored = found["kvs"][0]["value"].as_str().context("the request is stored")?;
    let mut object: Value = serde_json::from_slice(&BASE64_STANDARD.decode(stored)?)?;
    change(&mut object)?;
    let value = BASE64_STANDARD.encode(object.to_string());
    post("/v3/kv/put", json!({"key": key, "value": value})).await.map(drop)
}

/// The client address of the etcd whose data is under `dir`, from its command line.
fn etcd_of(dir: &Path) -> Result<String> {
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let arguments: Vec<&str> = line.split('\0').collect();
        if arguments.iter().any(|one| *one == format!("--data-dir={}", dir.join("etcd").display())) {
            let url = arguments.iter().find_map(|one| one.strip_prefix("--advertise-client-urls="));
            return Ok(url.context("etcd's address")?.to_owned());
        }
    }
    bail!("no etcd under {}", dir.display())
}
