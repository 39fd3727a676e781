//! A whole team on one machine: identity provider, hub, targets with pods, a broker for each. Stories, benches and
//! the demo all run against this one.

use crate::program;
use anyhow::{Context, Result};
use futures::future::try_join_all;
use kube::Api;
use sallyport_api::AccessCluster;
use sallyport_testkit::broker::{
    Broker, BrokerOptions, Enrolled, Programs, install_hub_of, install_target_of,
};
use sallyport_testkit::idp::{Account, Idp, IdpClient, IdpOptions};
use sallyport_testkit::repository::{deploy, root};
use sallyport_testkit::{OidcTrust, Plane, PlaneOptions};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The client id at the identity provider, and so the audience that this hub alone accepts.
pub const CLIENT_ID: &str = "sallyport-hub";

/// One target cluster of the fleet.
#[derive(Clone, Debug)]
pub struct TargetSpec {
    /// Its name on the hub.
    pub name: &'static str,
    /// `prod`, `stage`, `dev`.
    pub environment: &'static str,
    /// Who runs it, as shown.
    pub provider: &'static str,
    /// Where, as shown.
    pub region: &'static str,
    /// Manifests under `crates/fleet/demo` that make its workloads.
    pub workloads: &'static str,
}

/// The fleet's two targets.
pub const TARGETS: [TargetSpec; 2] = [
    TargetSpec {
        name: "payments-eu-1",
        environment: "prod",
        provider: "kubeadm",
        region: "eu-west-1",
        workloads: "payments-eu-1.yaml",
    },
    TargetSpec {
        name: "checkout-stage",
        environment: "stage",
        provider: "kubeadm",
        region: "fra-2",
        workloads: "checkout-stage.yaml",
    },
];

/// Clusters that are in the inventory only: no broker ever reported for them, and the window has to say so.
const INVENTORY_ONLY: [(&str, &str, &str, &str); 4] = [
    ("ledger-us-1", "prod", "AKS", "eastus2"),
    ("search-ap-1", "prod", "EKS", "ap-south-1"),
    ("ledger-stage", "stage", "AKS", "westeurope"),
    ("sandbox-12", "dev", "k3s", "lab"),
];

/// What a fleet is made of.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its manifests.
    pub deploy: PathBuf,
    /// Its broker; `None`: the one of this version.
    pub broker: Option<Programs>,
    /// The redirect addresses of its desktops, registered beside those of this version.
    pub redirects: Vec<String>,
}

impl Release {
    /// This version.
    #[must_use]
    pub fn own() -> Self {
        Self { deploy: deploy(""), broker: None, redirects: Vec::new() }
    }
}

/// What to start.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// How many of [`TARGETS`].
    pub targets: usize,
    /// Pods that one can exec into, on every target.
    pub pods: bool,
    /// Inventory entries without a broker, for the demo.
    pub inventory: bool,
    /// Standing rights on the targets for a scan to find, for the demo.
    pub weak: bool,
    /// The audit policy of every target, in place of one that tells of everything at level Metadata.
    pub audit_policy: Option<String>,
    /// Further flags of every broker.
    pub broker_flags: Vec<String>,
    /// Whose sign-in data the sign-in page shows, as [`IdpOptions::shown`].
    pub shown: Vec<(&'static str, &'static str)>,
    /// Another provider that the hub trusts instead of the fleet's own.
    pub trust: Option<OidcTrust>,
    /// Of which release.
    pub release: Release,
    /// Who can sign in.
    pub accounts: Vec<Account>,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            targets: 1,
            pods: true,
            inventory: false,
            weak: false,
            audit_policy: None,
            broker_flags: Vec::new(),
            shown: Vec::new(),
            trust: None,
            release: Release::own(),
            accounts: people(),
        }
    }
}

/// A target with its broker.
pub struct Target {
    /// What it is.
    pub spec: TargetSpec,
    /// Its control plane.
    pub plane: Plane,
    /// The process that grants and removes access on it.
    pub broker: Broker,
}

/// A running fleet. Dropping it ends every process and removes every file.
pub struct Fleet {
    /// The targets, in the order of [`TARGETS`]. Before the hub, so that brokers end first.
    pub targets: Vec<Target>,
    /// The hub's control plane.
    pub hub: Plane,
    /// The identity provider.
    pub idp: Idp,
}

/// The people of the fleet; their groups are those that `deploy/demo` binds.
#[must_use]
pub fn people() -> Vec<Account> {
    let with_code =
        |sub, name, groups: &[&str]| Account { mfa: Some("always"), ..Account::person(sub, name, groups) };
    vec![
        with_code("dana", "Dana Moreau", &["payments-dev"]),
        with_code("lee", "Lee Hartmann", &["payments-leads"]),
        with_code("ines", "Ines Park", &["platform-admins"]),
        // Signs in with a password alone, until something asks for more.
        Account::person("pat", "Pat Okafor", &["payments-dev"]),
        // In no team.
        Account::person("noor", "Noor Haddad", &["visitors"]),
    ]
}

impl Fleet {
    /// Starts everything and waits until each broker has reported to the hub.
    ///
    /// # Errors
    /// When a part can't be started, with its last words.
    pub async fn start(options: FleetOptions) -> Result<Self> {
        let idp = Idp::start(IdpOptions {
            accounts: options.accounts.clone(),
            clients: vec![IdpClient {
                redirects_too: options.release.redirects.clone(),
                ..IdpClient::new(CLIENT_ID)
            }],
            shown: options.shown.clone(),
            ..IdpOptions::default()
        })
        .await?;
        let own = || OidcTrust {
            issuer: idp.issuer().to_owned(),
            audience: CLIENT_ID.to_owned(),
            ca_pem: idp.ca_pem().to_owned(),
        };
        let trust = options.trust.clone().unwrap_or_else(own);
        let specs: Vec<TargetSpec> = TARGETS.iter().take(options.targets).cloned().collect();
        let (weak, Release { deploy, broker, .. }) = (options.weak, options.release.clone());
        let hub = async {
            let hub = Plane::start(PlaneOptions::new("hub").oidc(trust)).await?;
            install_hub_of(&hub, &deploy).await?;
            hub.apply_kustomize(&deploy.join("demo")).await?;
            hub.make_profiles(&deploy.join("demo/profiles")).await?;
            anyhow::Ok(hub)
        };
        let planes = try_join_all(specs.iter().map(|spec| target_plane(spec, &options, &deploy)));
        let (hub, planes) = tokio::try_join!(hub, planes)?;
        if options.inventory {
            add_inventory(&hub).await?;
        }
        let mut targets = Vec::new();
        for (spec, plane) in specs.into_iter().zip(planes) {
            let enrolled = Enrolled::of(&hub, &plane, (spec.name, spec.environment), &deploy).await?;
            hub.kubectl().apply(&access_cluster(&spec, plane.url(), &plane.ca_pem()).to_string()).await?;
            let options = BrokerOptions { flags: options.broker_flags.clone(), ..BrokerOptions::default() };
            let programs = match &broker {
                Some(programs) => programs.clone(),
                None => program::broker().await?,
            };
            let broker = Broker::start(programs, &enrolled, options).await?;
            targets.push(Target { spec, plane, broker });
        }
        let fleet = Self { targets, hub, idp };
        fleet.wait_for_brokers(Duration::from_secs(90)).await?;
        if weak {
            fleet.plant().await?;
        }
        Ok(fleet)
    }

    /// Gives the targets standing rights that nobody should have, for a scan to find.
    ///
    /// # Errors
    /// When they can't be made.
    pub async fn plant(&self) -> Result<()> {
        for target in &self.targets {
            plant(target).await?;
        }
        Ok(())
    }

    /// Goes on with the brokers of this version.
    ///
    /// # Errors
    /// When one can't be started.
    pub async fn upgrade_brokers(&mut self) -> Result<()> {
        for target in &mut self.targets {
            target.broker.upgrade(program::broker().await?).await?;
        }
        Ok(())
    }

    /// The first target.
    ///
    /// # Panics
    /// When started without one.
    #[must_use]
    pub fn target(&self) -> &Target {
        self.targets.first().expect("a fleet has at least one target")
    }

    /// The workspace file that makes a desktop join this fleet.
    #[must_use]
    pub fn workspace_file(&self) -> String {
        serde_json::to_string_pretty(&json!({
            "apiVersion": "access.sallyport.dev/v1alpha1",
            "name": "Meridian demo",
            "hub": {"url": self.hub.url(), "ca": self.hub.ca_pem()},
            "oidc": {
                "issuer": self.idp.issuer(), "clientId": CLIENT_ID, "ca": self.idp.ca_pem(),
                "scopes": ["openid", "email", "profile", "groups", "offline_access"],
            },
        }))
        .expect("plain JSON serialises")
    }

    async fn wait_for_brokers(&self, within: Duration) -> Result<()> {
        let clusters: Api<AccessCluster> = Api::all(self.hub.admin()?);
        for target in &self.targets {
            let started = std::time::Instant::now();
            loop {
                let reported = clusters.get(target.spec.name).await?.status;
                if reported.is_some_and(|status| !status.profiles.is_empty()) {
                    break;
                }
                if started.elapsed() > within || !target.broker.runs() {
                    let log = target.broker.log();
                    let last: Vec<&str> = log.lines().rev().take(30).collect();
                    anyhow::bail!(
                        "the broker of {} did not report; its last words, newest first:\n{}",
                        target.spec.name,
                        last.join("\n")
                    );
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }
}

async fn target_plane(spec: &TargetSpec, fleet: &FleetOptions, deploy: &Path) -> Result<Plane> {
    let options = PlaneOptions { audit_policy: fleet.audit_policy.clone(), ..PlaneOptions::new(spec.name) };
    let plane = Plane::start(if fleet.pods { options.pods() } else { options }).await?;
    install_target_of(&plane, deploy).await?;
    let workloads = root().join("crates/fleet/demo").join(spec.workloads);
    let manifests =
        std::fs::read_to_string(&workloads).with_context(|| format!("read {}", workloads.display()))?;
    plane.kubectl().apply(&manifests).await?;
    Ok(plane)
}

/// Standing rights that nobody should have.
async fn plant(target: &Target) -> Result<()> {
    let weak = root().join("crates/fleet/demo/weak").join(target.spec.workloads);
    let manifests = std::fs::read_to_string(&weak).with_context(|| format!("read {}", weak.display()))?;
    target.plane.kubectl().apply(&manifests).await.map(drop)
}

async fn add_inventory(hub: &Plane) -> Result<()> {
    for (name, environment, provider, region) in INVENTORY_ONLY {
        let spec = TargetSpec { name, environment, provider, region, workloads: "" };
        // Nothing listens there, and nobody ever asks: a cluster without a broker can't be opened.
        let manifest =
            access_cluster(&spec, &format!("https://{name}.clusters.example.test:6443"), &hub.ca_pem());
        hub.kubectl().apply(&manifest.to_string()).await?;
    }
    Ok(())
}

fn access_cluster(spec: &TargetSpec, endpoint: &str, ca_pem: &str) -> Value {
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1",
        "kind": "AccessCluster",
        "metadata": {"name": spec.name, "labels": {"team": "payments"}},
        "spec": {
            "environment": spec.environment, "provider": spec.provider, "region": spec.region,
            "endpoints": [endpoint], "caBundle": ca_pem,
        },
    })
}
