//! A broker as it runs beside its target: enrolled on a hub, a process of its own, killed and started at will.

use crate::repository::deploy;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::plane::Plane;
use crate::process::{Launch, Process, Scratch, wait_until};

const GROUP: &str = "access.sallyport.dev";

/// Applies `deploy/hub` and waits until its policies bite: up to a second after they were made, they do not, and those
/// that read profiles refuse everything until the API server has found that kind, which it looks for every 30 s. So
/// the kinds go first.
///
/// # Errors
/// With kubectl's stderr when it failed.
pub async fn install_hub(hub: &Plane) -> Result<()> {
    install_hub_of(hub, &deploy("")).await
}

/// As [`install_hub`], from the manifests of another release: its `deploy`.
///
/// # Errors
/// With kubectl's stderr when it failed.
pub async fn install_hub_of(hub: &Plane, deploy: &Path) -> Result<()> {
    let kubectl = hub.kubectl();
    kubectl.apply(&std::fs::read_to_string(deploy.join("hub/crds.yaml"))?).await?;
    // Asked by a client, as everything here that is asked again and again: each kubectl costs a tenth of a second of
    // one core, and a fleet that starts has none to spare.
    let admin = hub.admin()?;
    wait_until("the hub's kinds", Duration::from_secs(90), &[], async || {
        let listed = asked(&admin, http::Request::get("/apis/access.sallyport.dev/v1alpha1"), "").await;
        let group = asked(&admin, http::Request::get("/apis"), "").await;
        group.is_ok_and(|all| all.contains(GROUP))
            && listed.is_ok_and(|kinds| kinds.contains("\"AccessProfile\""))
    })
    .await?;
    hub.apply_kustomize(&deploy.join("hub")).await.context("install the hub's side")?;
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace",
        "metadata":{"name":"install-probe","labels":{"access.sallyport.dev/requests":"true"}}}"#;
    kubectl.apply(namespace).await?;
    until_hub_bites(hub, "install-probe").await?;
    kubectl.ok(&["delete", "namespace", "install-probe", "--wait=false"]).await.map(drop)
}

/// Waits until the hub's policies bite, also those that read profiles: after an API server has started they refuse everything
/// for up to 30 s. `team` is a namespace that takes requests.
///
/// # Errors
/// With what was answered last when they do not.
async fn until_hub_bites(hub: &Plane, team: &str) -> Result<()> {
    // Two policies with no profile to read: the one on who may ask passes this request, the one on limits refuses it.
    let probe = |namespace: &str| {
        serde_json::json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": "probe", "namespace": namespace},
            "spec": {"user": "kubernetes-admin", "groups": [], "cluster": "c", "profile": "p",
                "profileRevision": "aa/1", "duration": "1h", "reason": "probe",
                "publicKey": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        })
        .to_string()
    };
    // Several policies refuse this one, and which one is named first differs from start to start.
    let requests = |namespace: &str| format!("/apis/{GROUP}/v1alpha1/namespaces/{namespace}/accessrequests");
    refused(hub, &requests("default"), &probe("default"), "denied request").await?;
    refused(hub, &requests(team), &probe(team), "no params found").await
}

/// Applies `deploy/target` and waits until its policies bite.
///
/// # Errors
/// With kubectl's stderr when it failed.
pub async fn install_target(target: &Plane) -> Result<()> {
    install_target_of(target, &deploy("")).await
}

/// As [`install_target`], from the manifests of another release: its `deploy`.
///
/// # Errors
/// With kubectl's stderr when it failed.
pub async fn install_target_of(target: &Plane, deploy: &Path) -> Result<()> {
    target.apply_kustomize(&deploy.join("target")).await.context("install the target's side")?;
    let probe = r#"{"apiVersion":"v1","kind":"ServiceAccount",
        "metadata":{"name":"s-probe-1999999999","namespace":"sallyport-sessions"}}"#;
    let accounts = "/api/v1/namespaces/sallyport-sessions/serviceaccounts";
    refused(target, accounts, probe, "only the broker").await
}

/// Waits until a dry run of making `object` at `path` is refused with `sentence` in the message.
async fn refused(plane: &Plane, path: &str, object: &str, sentence: &str) -> Result<()> {
    let admin = plane.admin()?;
    let uri = format!("{path}?dryRun=All&fieldValidation=Ignore");
    let said = Mutex::new(String::new());
    let bites = wait_until("the guardrails", Duration::from_secs(90), &[], async || {
        let post = http::Request::post(&uri).header(http::header::CONTENT_TYPE, "application/json");
        let answer = match asked(&admin, post, object).await {
            Err(kube::Error::Api(status)) => status.message,
            Err(error) => error.to_string(),
            Ok(_) => "it is not refused".to_owned(),
        };
        let refused = answer.contains(sentence);
        *said.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        refused
    });
    let bites = bites.await;
    bites
        .with_context(|| format!("{}: {}", plane.name(), said.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// One answer, within 5 s.
async fn asked(
    client: &kube::Client,
    request: http::request::Builder,
    body: &str,
) -> Result<String, kube::Error> {
    let request = request.body(body.as_bytes().to_vec()).map_err(kube::Error::HttpError)?;
    let answer = tokio::time::timeout(Duration::from_secs(20), client.request_text(request)).await;
    answer.unwrap_or_else(|late| Err(kube::Error::Service(late.into())))
}

/// A cluster that a hub knows: its AccessCluster and its broker's accounts on both sides.
#[derive(Clone, Debug)]
pub struct Enrolled {
    cluster: String,
    hub_url: String,
    target_url: String,
    /// Where sessions reach the target.
    endpoint: String,
    hub_ca: String,
    target_ca: String,
    hub_token: String,
    target_token: String,
}

impl Enrolled {
    /// Makes the AccessCluster and the broker's ServiceAccount on the hub, and takes a first token on either side, as
    /// an admin would. `hub` and `target` are installed.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn new(hub: &Plane, target: &Plane, cluster: &str, environment: &str) -> Result<Self> {
        Self::of(hub, target, (cluster, environment), &deploy("")).await
    }

    /// As [`Enrolled::new`], from the manifests of another release: its `deploy`.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn of(
        hub: &Plane,
        target: &Plane,
        (cluster, environment): (&str, &str),
        deploy: &Path,
    ) -> Result<Self> {
        let enrol = std::fs::read_to_string(deploy.join("hub/enrol.yaml"))?;
        hub.kubectl().apply(&enrol.replace("CLUSTER", cluster)).await.context("enrol the broker")?;
        let object = serde_json::json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": cluster},
            "spec": {"displayName": cluster, "environment": environment, "endpoints": [target.url()],
                "caBundle": target.ca_pem()},
        });
        hub.kubectl().apply(&object.to_string()).await.context("make the AccessCluster")?;
        let token = async |plane: &Plane, account: &str, namespace: &str, duration: &str| {
            let args = ["create", "token", account, "-n", namespace, "--duration", duration];
            Ok::<_, anyhow::Error>(plane.kubectl().ok(&args).await?.trim().to_owned())
        };
        Ok(Self {
            cluster: cluster.to_owned(),
            hub_url: hub.url().to_owned(),
            target_url: target.url().to_owned(),
            endpoint: target.url().to_owned(),
            hub_ca: hub.ca_pem(),
            target_ca: target.ca_pem(),
            hub_token: token(hub, cluster, "sallyport-brokers", "1h")
                .await
                .context("the broker's hub token")?,
            target_token: token(target, "broker", "sallyport-system", "8h")
                .await
                .context("the broker's token")?,
        })
    }

    /// The same cluster, whose broker, and nobody else, reaches it at another address.
    #[must_use]
    pub fn reached_at(&self, url: &str, ca_pem: &str) -> Self {
        Self { target_url: url.to_owned(), target_ca: ca_pem.to_owned(), ..self.clone() }
    }

    /// The cluster's name.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The broker's token on the hub, for tests that act in its name.
    #[must_use]
    pub fn hub_token(&self) -> &str {
        &self.hub_token
    }

    /// The broker's token on its target, for tests that act in its name.
    #[must_use]
    pub fn target_token(&self) -> &str {
        &self.target_token
    }
}

/// The broker as built, which whoever starts one knows: its own tests by cargo, a fleet by looking beside itself.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `sallyport-broker`.
    pub broker: PathBuf,
    /// The same, able to end in the middle.
    pub faults: Option<PathBuf>,
}

/// How a broker is started. Everything that takes seconds in the product takes less here.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Its name in the Lease.
    pub identity: String,
    /// Further flags; a flag given here wins over the ones for tests.
    pub flags: Vec<String>,
    /// End hard after this many writes.
    pub exit_after_writes: Option<u32>,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self { identity: "broker-a".to_owned(), flags: Vec::new(), exit_after_writes: None }
    }
}

impl BrokerOptions {
    /// Adds a flag, e.g. `--hub-silence=3s`.
    #[must_use]
    pub fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// Another name in the Lease.
    #[must_use]
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = identity.into();
        self
    }
}

/// A running broker. Dropping it kills it and removes its files.
pub struct Broker {
    programs: Programs,
    options: BrokerOptions,
    arguments: Vec<String>,
    process: Mutex<Option<Process>>,
    scratch: Scratch,
}

impl Broker {
    /// Starts a broker of the enrolled cluster; it may take a moment to be the leader.
    ///
    /// # Errors
    /// When the program can't be started.
    pub async fn start(programs: Programs, enrolled: &Enrolled, options: BrokerOptions) -> Result<Self> {
        let scratch = Scratch::new(&format!("broker-{}", enrolled.cluster))?;
        let file = |name: &str, content: &str| {
            Ok::<_, anyhow::Error>(scratch.write(name, content)?.display().to_string())
        };
        let mut arguments = vec![
            format!("--cluster={}", enrolled.cluster),
            format!("--hub-url={}", enrolled.hub_url),
            format!("--hub-ca={}", file("hub-ca.crt", &enrolled.hub_ca)?),
            format!("--hub-token={}", file("hub.token", &enrolled.hub_token)?),
            format!("--target-url={}", enrolled.target_url),
            format!("--target-ca={}", file("target-ca.crt", &enrolled.target_ca)?),
            format!("--target-token={}", file("target.token", &enrolled.target_token)?),
            format!("--endpoint={}", enrolled.endpoint),
            format!("--identity={}", options.identity),
        ];
        let quick = [
            ("--deadline", "5s"),
            ("--ready-within", "10s"),
            ("--lease-duration", "9s"),
            ("--lease-renew", "2s"),
            ("--heartbeat", "2s"),
            ("--resync", "5s"),
            ("--backoff-most", "1s"),
            ("--guardrails-every", "30s"),
        ];
        let given = |name: &str| options.flags.iter().any(|flag| flag.split('=').next() == Some(name));
        arguments.extend(
            quick.iter().filter(|(name, _)| !given(name)).map(|(name, value)| format!("{name}={value}")),
        );
        arguments.extend(options.flags.iter().cloned());
        let broker = Self { programs, options, arguments, process: Mutex::new(None), scratch };
        broker.restart_with(broker.options.exit_after_writes).await?;
        Ok(broker)
    }

    /// Goes on with another release's program, as an admin would who upgrades it.
    ///
    /// # Errors
    /// When the program can't be started.
    pub async fn upgrade(&mut self, programs: Programs) -> Result<()> {
        self.programs = programs;
        self.restart().await
    }

    /// Kills it with SIGKILL and waits for its end.
    pub fn kill(&self) {
        drop(self.lock().take());
    }

    /// Starts it again with the same files, after killing it if it runs.
    ///
    /// # Errors
    /// When the program can't be started.
    pub async fn restart(&self) -> Result<()> {
        self.restart_with(None).await
    }

    /// As [`restart`](Self::restart), to end hard after a number of writes.
    ///
    /// # Errors
    /// When the program can't be started, or the one that can end in the middle was not given.
    pub async fn restart_with(&self, exit_after_writes: Option<u32>) -> Result<()> {
        self.kill();
        let program = match exit_after_writes {
            Some(_) => self.programs.faults.as_ref().context("no broker that can end in the middle")?,
            None => &self.programs.broker,
        };
        let mut launch = Launch::new("sallyport-broker", program, self.scratch.path())
            .args(&self.arguments)
            .env("RUST_LOG", std::env::var("BROKER_LOG").unwrap_or_else(|_| "info".to_owned()));
        if let Some(writes) = exit_after_writes {
            launch = launch.env("SALLYPORT_TEST_EXIT_AFTER_WRITES", writes.to_string());
        }
        *self.lock() = Some(launch.start()?);
        Ok(())
    }

    /// Stops it where it is (SIGSTOP).
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        self.lock().as_ref().context("the broker does not run")?.pause()
    }

    /// Lets a paused broker go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.lock().as_ref().context("the broker does not run")?.resume()
    }

    /// Whether the process runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.lock().as_ref().is_some_and(|process| process.exited().is_none())
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(Process::pid)
    }

    /// Everything it has logged, over all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("sallyport-broker.log")).unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
