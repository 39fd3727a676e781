//! The gateway between a real kubectl and a real API server: what passes is what passes without it, a cut ends it, and
//! the API server's own audit log knows every call by the id the gateway told of.

mod audit;
mod cut;
mod odd;
mod plain;
mod streams;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sallyport_gateway::{Call, Gateway, GatewayOptions, Opened, Ports, Upstream};
use sallyport_model::{GrantUid, Jti, RequestUid, Scope, Secret, SessionId, Ttl};
use sallyport_policy::{SessionFacts, admit_session};
use sallyport_testkit::{Kubectl, Plane, PlaneOptions, Pods};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::timeout;

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "registry.test/web:1.4.2", ports: [{containerPort: 9090}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gateway-tests}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:serviceaccounts:gateway-tests"}]
---
apiVersion: v1
kind: Namespace
metadata: {name: gateway-tests}
"#;

/// One plane with a pod, shared by all tests here; it ends with the test process.
async fn plane() -> Result<&'static (Plane, String)> {
    static SHARED: OnceCell<(Plane, String)> = OnceCell::const_new();
    SHARED
        .get_or_try_init(|| async {
            let start = Instant::now();
            let plane = Plane::start(PlaneOptions::new("target").pods()).await?;
            plane.kubectl().apply(WEB).await?;
            let names = Pods::running(&plane, "default", "app=web", 1, Duration::from_secs(90)).await?;
            println!("plane with a pod ready in {} ms", start.elapsed().as_millis());
            anyhow::Ok((plane, names[0].clone()))
        })
        .await
}

/// A session of its own for one test: an account, its token, a gateway, and kubectl with and without it.
struct World {
    pod: String,
    user: String,
    jti: String,
    gateway: Gateway,
    session: SessionId,
    opened: Opened,
    calls: mpsc::Receiver<Call>,
    through: Kubectl,
    direct: Kubectl,
    plane: &'static Plane,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (plane, pod) = plane().await?;
        let name = format!("s-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let admin = plane.kubectl();
        admin.ok(&["create", "serviceaccount", &name, "-n", "gateway-tests"]).await?;
        let token = admin.ok(&["create", "token", &name, "-n", "gateway-tests", "--duration=1h"]).await?;
        let token = token.trim().to_owned();
        let jti = claim(&token, "jti")?;
        let gateway = Gateway::start(GatewayOptions::default()).await?;
        let now = jiff::Timestamp::now().as_second();
        let session = SessionId::new(name.clone());
        let permit = admit_session(SessionFacts {
            session: session.clone(),
            signed_in: "oidc:ada".parse()?,
            user: "oidc:ada".parse()?,
            cluster: "target".parse()?,
            request: RequestUid::new("request"),
            scope: Scope::ClusterWide,
            duration: Ttl::minutes(60),
            grant: GrantUid::new("grant"),
            recorded_end: now + 3600,
            sealed_end: now + 3600,
            endpoint: plane.url().to_owned(),
            now,
        })
        .map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        let (told, calls) = mpsc::channel(4096);
        let upstream = Upstream {
            cluster: "target".parse()?,
            endpoint: plane.url().parse()?,
            ca_pem: plane.ca_pem(),
            tls_server_name: None,
            token: Secret::new(token.clone()),
            jti: Jti::new(jti.clone()),
            user: "oidc:ada".parse()?,
            allow_impersonation: false,
            now,
        };
        let opened = gateway.open(&permit, upstream, &Ports::default(), told)?;
        let dir = tempfile::tempdir()?;
        let kubeconfig = private_kubeconfig(dir.path().join("config"), &opened)?;
        // A home of its own: kubectl's discovery cache is named after the server's host and port alone.
        let through = Kubectl::new(plane.assets().kubectl(), &kubeconfig, dir.path());
        let direct = plane.kubectl_with(&plane.kubeconfig_with_token(&token)?);
        let user = format!("system:serviceaccount:gateway-tests:{name}");
        Ok(Self {
            pod: pod.clone(),
            user,
            jti,
            gateway,
            session,
            opened,
            calls,
            through,
            direct,
            plane,
            _dir: dir,
        })
    }
}

fn private_kubeconfig(path: PathBuf, opened: &Opened) -> Result<PathBuf> {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "session",
        "clusters": [{"name": "session", "cluster": {
            "server": opened.server_url,
            "certificate-authority-data": STANDARD.encode(&opened.ca_pem),
        }}],
        "users": [{"name": "session", "user": {
            "client-certificate-data": STANDARD.encode(&opened.client_cert_pem),
            "client-key-data": STANDARD.encode(opened.client_key_pem.expose()),
        }}],
        "contexts": [{"name": "session", "context": {"cluster": "session", "user": "session"}}],
    });
    std::fs::write(&path, config.to_string())?;
    Ok(path)
}

/// A claim of a token, unverified.
fn claim(token: &str, name: &str) -> Result<String> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).context("a JWT")?)?;
    let claims: Value = serde_json::from_slice(&payload)?;
    Ok(claims[name].as_str().with_context(|| format!("no {name}"))?.to_owned())
}

/// A kubectl that streams lines.
fn streaming(kubectl: &Kubectl, args: &[&str]) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut child = kubectl.command(args).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("piped")?).lines();
    Ok((child, lines))
}

async fn next_line(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    timeout(Duration::from_secs(60), lines.next_line()).await??.context("the stream ended")
}

/// The port on this machine of a `Forwarding from 127.0.0.1:<port> -> <inside>` line.
async fn forwarded_port(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<u16> {
    let line = next_line(lines).await?;
    let (_, rest) = line.split_once("127.0.0.1:").with_context(|| line.clone())?;
    let (port, _) = rest.split_once(" -> ").with_context(|| line.clone())?;
    Ok(port.parse()?)
}
