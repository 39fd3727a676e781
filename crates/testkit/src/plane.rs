//! One Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager, and a folder for their files.

mod access;
mod files;
pub mod pods;
mod webhook;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;

use crate::assets::Assets;
use crate::kubectl::Kubectl;
use crate::pki::Pki;
use crate::ports::Port;
use crate::process::{Launch, Process, Scratch, wait_until};

pub use access::Identity;
pub use pods::Pods;

/// The controllers a plane runs unless told otherwise: what garbage collection, ServiceAccounts, namespaces, role
/// aggregation, policy status and Deployments need, and nothing that only costs memory.
pub const CONTROLLERS: &[&str] = &[
    "serviceaccount-controller",
    "garbage-collector-controller",
    "clusterrole-aggregation-controller",
    "namespace-controller",
    "root-ca-certificate-publisher-controller",
    "resourcequota-controller",
    "validatingadmissionpolicy-status-controller",
    "deployment-controller",
    "replicaset-controller",
];

/// An identity provider the API server shall trust.
#[derive(Debug, Clone)]
pub struct OidcTrust {
    /// The issuer, `https://…`, exactly as its tokens say.
    pub issuer: String,
    /// The audience of this plane's tokens; each hub has one of its own.
    pub audience: String,
    /// The authority the issuer's certificate comes from, PEM.
    pub ca_pem: String,
}

/// What kind of plane to start.
#[derive(Debug, Clone)]
pub struct PlaneOptions {
    /// What messages and the kubeconfig call it: `[a-z0-9-]`.
    pub name: String,
    /// Whose ID tokens it takes. The provider must be up first: the API server asks it once and then every 10 s.
    pub oidc: Option<OidcTrust>,
    /// Which controllers run; none, and no controller manager is started.
    pub controllers: Vec<String>,
    /// Whether every request is written to a file (level Metadata, without RequestReceived).
    pub audit_log: bool,
    /// The audit policy for that file, YAML or JSON, in place of the one that [`audit_log`](Self::audit_log) tells.
    pub audit_policy: Option<String>,
    /// Whether nodes, and pods one can exec into, are simulated.
    pub pods: bool,
    /// Who decides what is allowed, in this order (`--authorization-mode`).
    pub authorization: String,
    /// Further flags for kube-apiserver. It runs in the plane's folder, so they can name [`files`](Self::files).
    pub apiserver_flags: Vec<String>,
    /// Further files in the plane's folder: name and content.
    pub files: Vec<(String, String)>,
    /// How long the plane may take to be ready.
    pub ready_within: Duration,
}

impl PlaneOptions {
    /// A plane with [`CONTROLLERS`] and the audit log, without pods or an identity provider.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            oidc: None,
            controllers: CONTROLLERS.iter().map(|name| (*name).to_owned()).collect(),
            audit_log: true,
            audit_policy: None,
            pods: false,
            authorization: "Node,RBAC".to_owned(),
            apiserver_flags: Vec::new(),
            files: Vec::new(),
            ready_within: Duration::from_secs(90),
        }
    }

    /// Trusts an identity provider.
    #[must_use]
    pub fn oidc(mut self, trust: OidcTrust) -> Self {
        self.oidc = Some(trust);
        self
    }

    /// Simulates nodes and pods.
    #[must_use]
    pub fn pods(mut self) -> Self {
        self.pods = true;
        self
    }

    /// A file in the plane's folder, and a flag of kube-apiserver that names it.
    #[must_use]
    pub fn file_flag(mut self, flag: &str, name: &str, content: impl Into<String>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self.apiserver_flags.push(format!("--{flag}={name}"));
        self
    }

    /// A flag of kube-apiserver, such as `--anonymous-auth=false`.
    #[must_use]
    pub fn flag(mut self, flag: impl Into<String>) -> Self {
        self.apiserver_flags.push(flag.into());
        self
    }

    /// Runs no controllers: a plane for requests alone, ready a second sooner.
    #[must_use]
    pub fn without_controllers(mut self) -> Self {
        self.controllers.clear();
        self
    }
}

/// A running control plane. Dropping it ends its processes and removes its files.
// Fields are dropped in this order: first what uses the API server, then the API server, then etcd, then the files.
pub struct Plane {
    pods: Option<Pods>,
    controllers: Option<Process>,
    apiserver: Mutex<Option<Process>>,
    etcd: Process,
    options: PlaneOptions,
    assets: Assets,
    pki: Pki,
    url: String,
    etcd_url: String,
    port: Port,
    _etcd_ports: [Port; 2],
    scratch: Scratch,
}

impl Plane {
    /// Starts a plane and waits until it serves: about 3.5 s on an idle machine. Any number may start at once.
    ///
    /// # Errors
    /// When a program is missing or ends early, with its last words; when the plane is not ready in time.
    pub async fn start(options: PlaneOptions) -> Result<Self> {
        let name = options.name.clone();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            bail!("{name:?} is no name for a plane: use a-z, 0-9 and -");
        }
        Self::bring_up(options).await.with_context(|| format!("start the control plane {name}"))
    }

    async fn bring_up(options: PlaneOptions) -> Result<Self> {
        install_crypto();
        let assets = Assets::locate().await?;
        let scratch = Scratch::new(&format!("plane-{}", options.name))?;
        let pki = Pki::new()?;
        let port = Port::claim()?;
        let etcd_ports = [Port::claim()?, Port::claim()?];
        let url = format!("https://127.0.0.1:{}", port.number());
        let etcd_url = format!("http://127.0.0.1:{}", etcd_ports[0].number());
        files::write_all(&scratch, &pki, &options, &url, assets.version())?;
        let etcd = start_etcd(&assets, &scratch, &etcd_url, etcd_ports[1].number())?;
        wait_until("etcd", options.ready_within, &[&etcd], async || listens(etcd_ports[0].number()).await)
            .await?;
        let mut plane = Self {
            pods: None,
            controllers: None,
            apiserver: Mutex::new(None),
            etcd,
            options,
            assets,
            pki,
            url,
            etcd_url,
            port,
            _etcd_ports: etcd_ports,
            scratch,
        };
        plane.start_apiserver().await?;
        if !plane.options.controllers.is_empty() {
            plane.controllers = Some(plane.start_controllers()?);
            plane.wait_for_controllers().await?;
        }
        if plane.options.pods {
            plane.pods = Some(Pods::start(&plane).await?);
        }
        Ok(plane)
    }

    /// Starts the API server again, on its old port, and waits until it is ready. Does nothing while it runs.
    ///
    /// # Errors
    /// When it ends early or is not ready in time.
    pub async fn start_apiserver(&self) -> Result<()> {
        if self.lock_apiserver().is_some() {
            return Ok(());
        }
        let process = Launch::new("kube-apiserver", self.assets.kube_apiserver(), self.dir())
            .roomy()
            .args(files::apiserver_flags(&self.scratch, &self.options, &self.etcd_url, self.port.number()))
            .start()?;
        let within = self.options.ready_within;
        wait_until("the API server's port", within, &[&process], async || listens(self.port.number()).await)
            .await?;
        let client = self.admin()?;
        wait_until("the API server", within, &[&process, &self.etcd], async || {
            let ready = http::Request::get("/readyz").body(Vec::new());
            match ready {
                Ok(ready) => client.request_text(ready).await.is_ok(),
                Err(_) => false,
            }
        })
        .await?;
        *self.lock_apiserver() = Some(process);
        Ok(())
    }

    /// Takes the API server down at once (SIGKILL); its port refuses connections until
    /// [`start_apiserver`](Self::start_apiserver).
    pub fn stop_apiserver(&self) {
        let running = self.lock_apiserver().take();
        drop(running);
    }

    /// Stops the API server where it is: connections are taken by the kernel and never answered.
    ///
    /// # Errors
    /// When it is down.
    pub fn pause(&self) -> Result<()> {
        self.apiserver_process(Process::pause)
    }

    /// Lets a paused API server go on.
    ///
    /// # Errors
    /// When it is down.
    pub fn resume(&self) -> Result<()> {
        self.apiserver_process(Process::resume)
    }

    /// Ends every process, then removes the files. Dropping the plane does the same.
    pub fn stop(self) {
        drop(self);
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it was called at start.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Certificates and the authority behind them.
    #[must_use]
    pub fn pki(&self) -> &Pki {
        &self.pki
    }

    /// The programs it runs.
    #[must_use]
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The certificate authority to trust for [`url`](Self::url), PEM.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.pki.authority.cert_pem()
    }

    /// The folder with its logs and files; gone with the plane.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// The file audit events are appended to, one JSON object per line.
    #[must_use]
    pub fn audit_log(&self) -> Option<PathBuf> {
        self.options.audit_log.then(|| self.dir().join(files::AUDIT_LOG))
    }

    /// What that file holds by now, in whole lines: the last one may be half written.
    ///
    /// # Errors
    /// When there is no such file, or it can't be read.
    pub fn audit_text(&self) -> Result<String> {
        let path = self.audit_log().context("the plane keeps no audit log")?;
        let mut text = std::fs::read_to_string(path).context("read the audit log")?;
        text.truncate(text.rfind('\n').map_or(0, |at| at + 1));
        Ok(text)
    }

    /// The pods' side, when asked for.
    #[must_use]
    pub fn pods(&self) -> Option<&Pods> {
        self.pods.as_ref()
    }

    /// A kubeconfig of `kubernetes-admin`.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.dir().join(files::ADMIN_KUBECONFIG)
    }

    /// kubectl as `kubernetes-admin`.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        Kubectl::new(self.assets.kubectl(), &self.admin_kubeconfig(), self.dir())
    }

    /// Applies a kustomization as `kubernetes-admin`, server-side.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn apply_kustomize(&self, dir: &Path) -> Result<String> {
        self.kubectl().apply_kustomize(dir).await
    }

    pub(crate) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    pub(crate) fn ready_within(&self) -> Duration {
        self.options.ready_within
    }

    fn lock_apiserver(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.apiserver.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn apiserver_process(&self, act: impl Fn(&Process) -> Result<()>) -> Result<()> {
        let running = self.lock_apiserver();
        act(running.as_ref().context("the API server is down")?)
    }

    fn start_controllers(&self) -> Result<Process> {
        Launch::new("kube-controller-manager", self.assets.kube_controller_manager(), self.dir())
            .roomy()
            .args(files::controller_flags(&self.scratch, &self.options))
            .start()
    }

    /// A pod can be made once its namespace has a ServiceAccount `default`.
    async fn wait_for_controllers(&self) -> Result<()> {
        let named = |name: &str| self.options.controllers.iter().any(|one| one == name);
        let controllers = self.controllers.as_ref().context("just started")?;
        if !named("serviceaccount-controller") {
            return controllers.must_run();
        }
        let accounts: kube::Api<k8s_openapi::api::core::v1::ServiceAccount> =
            kube::Api::namespaced(self.admin()?, "default");
        wait_until(
            "the ServiceAccount default/default",
            self.options.ready_within,
            &[controllers],
            async || matches!(accounts.get_opt("default").await, Ok(Some(_))),
        )
        .await
    }
}

fn start_etcd(assets: &Assets, scratch: &Scratch, url: &str, peer: u16) -> Result<Process> {
    let data = scratch.path().join("etcd");
    Launch::new("etcd", assets.etcd(), scratch.path())
        .roomy()
        .arg("--name=default")
        .arg(format!("--data-dir={}", data.display()))
        .arg(format!("--listen-client-urls={url}"))
        .arg(format!("--advertise-client-urls={url}"))
        .arg(format!("--listen-peer-urls=http://127.0.0.1:{peer}"))
        .arg(format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"))
        .arg(format!("--initial-cluster=default=http://127.0.0.1:{peer}"))
        // The data does not outlive the test.
        .args(["--unsafe-no-fsync", "--log-level=warn"])
        .start()
}

/// Whether something listens on the loopback port.
async fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

/// Installs the process-wide rustls provider (ring) that kube's clients look for; later calls change nothing.
pub fn install_crypto() {
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
