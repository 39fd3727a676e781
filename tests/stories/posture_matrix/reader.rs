//! Who reads: with which rights, and what they get to see.

use super::plane::{Anonymous, Encryption, World};
use anyhow::{Context as _, Result};
use sallyport_client::Endpoint;
use sallyport_posture::Snapshot;
use sallyport_posture::snapshot::Door;
use sallyport_scan::{Bounds, DoorBounds};
use sallyport_testkit::Plane;
use serde_json::{Value, json};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reader {
    Admin,
    /// Whoever is bound to the ClusterRole that a session's scan has.
    Session,
    /// Whoever signed in and is bound to nothing.
    Nobody,
}

pub(super) const ALL: [Reader; 3] = [Reader::Admin, Reader::Session, Reader::Nobody];

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "an admin",
            Self::Session => "a session",
            Self::Nobody => "who may read nothing",
        })
    }
}

const ROLES: &str = include_str!("../../../deploy/target/roles.yaml");

impl Reader {
    /// One reading, with what was seen without a credential.
    pub(super) async fn snapshot(self, plane: &Plane, door: Door) -> Result<Snapshot> {
        let client = match self {
            Self::Admin => plane.admin()?,
            Self::Session => plane.client_for_user("scanner", &["scanners"])?,
            Self::Nobody => plane.client_for_user("nobody", &[])?,
        };
        let mut reading = sallyport_scan::cluster(&client, &Bounds::default()).await?;
        reading.door = Some(door);
        Ok(reading.snapshot())
    }
}

/// What whoever does not sign in sees.
pub(super) async fn door(plane: &Plane) -> Result<Door> {
    let endpoint = Endpoint::parse(plane.url(), Some(&plane.ca_pem()), None)?;
    Ok(sallyport_scan::door(&endpoint, &DoorBounds::default()).await)
}

/// Binds the readers, and writes a Secret where this plane is to have written one.
pub(super) async fn prepare(plane: &Plane, world: &World) -> Result<()> {
    let admin = plane.admin()?;
    let make = async |path: &str, object: Value| -> Result<()> {
        let request = http::Request::post(path).header("content-type", "application/json");
        let body = serde_json::to_vec(&object)?;
        admin.request::<Value>(request.body(body)?).await.with_context(|| format!("make {object}"))?;
        Ok(())
    };
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let group = "rbac.authorization.k8s.io";
    // The API server makes its own roles while it starts, and then takes ours.
    make(&format!("{rbac}/clusterroles"), role()?).await?;
    let bind = |role: &str, kind: &str, name: &str| {
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": group, "kind": kind, "name": name}]})
    };
    make(&format!("{rbac}/clusterrolebindings"), bind("sallyport:posture", "Group", "scanners")).await?;
    if world.anonymous == Anonymous::Bound {
        let rules = json!([{"verbs": ["list"], "apiGroups": [""], "resources": ["namespaces"]}]);
        let open = json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": "open"}, "rules": rules});
        make(&format!("{rbac}/clusterroles"), open).await?;
        make(&format!("{rbac}/clusterrolebindings"), bind("open", "User", "system:anonymous")).await?;
    }
    if world.planted {
        super::planted::plant(plane, world).await?;
    }
    if world.encryption != Encryption::Quiet {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "stringData": {"a": "b"}});
        make("/api/v1/namespaces/default/secrets", secret).await?;
    }
    if world.tokens {
        // Somebody comes with a token of the file, so that ABAC is asked.
        let alice = plane.client_with_token("matrix-token-of-alice")?;
        let _ = alice.request_text(http::Request::get("/api/v1/namespaces").body(Vec::new())?).await;
    }
    if world.authorization == "AlwaysAllow" {
        // An admin passes before it is asked; once it has allowed something, metrics tell where flags do not.
        let anybody = plane.client_for_user("nobody", &[])?;
        anybody.request_text(http::Request::get("/api/v1/namespaces").body(Vec::new())?).await?;
    }
    if world.authorization.contains("RBAC") {
        // The authorizer hears of roles a moment later.
        let scanner = plane.client_for_user("scanner", &["scanners"])?;
        for _ in 0..200 {
            let asked =
                http::Request::get("/apis/apiregistration.k8s.io/v1/apiservices?limit=1").body(Vec::new())?;
            if scanner.request_text(asked).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        anyhow::bail!("the API server does not hear of the scanner's role");
    }
    Ok(())
}

/// The role that a session's scan has, as it is installed.
fn role() -> Result<Value> {
    let own = ROLES.split("\n---").find(|one| one.contains("sallyport:posture'"));
    let own = own.context("deploy/target/roles.yaml has the role sallyport:posture")?;
    let yaml = own.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
    serde_saphyr::from_str(&yaml).context("read the role")
}
