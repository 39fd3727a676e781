//! Nodes and pods of a plane: kwok plays their life, our pod host what a kubelet streams.

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, ListParams, PostParams};
use serde_json::json;

use super::{Plane, listens};
use crate::ports::Port;
use crate::process::{Launch, Process, wait_until};

/// What a node and a pod go through, for kwok.
const STAGES: &str = include_str!("pods/stages.yaml");

/// The simulated nodes.
pub const NODES: &[&str] = &["node-a", "node-b"];

/// The port inside every pod that sends back what it gets.
pub const ECHO_PORT: u16 = 7;

/// The port inside every pod that speaks HTTP (`/`, `/healthz`, `/bytes/<n>`, POST `/echo`), beside those the pod
/// declares.
pub const HTTP_PORT: u16 = 8080;

/// Running kwok and pod host of one plane. Dropping it ends both and every command inside pods.
#[derive(Debug)]
pub struct Pods {
    podhost: Process,
    kwok: Process,
    _ports: [Port; 2],
}

impl Pods {
    /// Starts both against `plane`, makes two nodes and waits until they are ready.
    ///
    /// Commands run in bubblewrap on a small root of busybox and tar: they are simulated workloads, not containers.
    ///
    /// # Errors
    /// When bubblewrap or busybox is missing, or a program ends early: with its last words.
    pub async fn start(plane: &Plane) -> Result<Self> {
        let dir = plane.dir();
        let file = |name: &str| dir.join(name).display().to_string();
        let ports = [Port::claim()?, Port::claim()?];
        let podhost = Launch::new("podhost", plane.assets().podhost(), dir)
            .arg(format!("--listen=127.0.0.1:{}", ports[0].number()))
            .arg(format!("--server={}", plane.url()))
            .arg(format!("--ca={}", file("ca.crt")))
            .arg(format!("--serving-cert={}", file("podhost-server.crt")))
            .arg(format!("--serving-key={}", file("podhost-server.key")))
            .arg(format!("--client-cert={}", file("podhost.crt")))
            .arg(format!("--client-key={}", file("podhost.key")))
            .arg(format!("--peer={}", crate::pki::KUBELET_CLIENT))
            .arg(format!("--dir={}", file("pods")))
            .hold_stdin()
            .start()?;
        let stages = plane.scratch().write("stages.yaml", STAGES)?;
        let kwok = Launch::new("kwok", plane.assets().kwok(), dir)
            .env("HOME", dir)
            .arg(format!("--kubeconfig={}", file("kwok.kubeconfig")))
            .arg(format!("--config={}", stages.display()))
            .arg("--manage-all-nodes=true")
            .arg("--node-ip=127.0.0.1")
            .arg(format!("--node-port={}", ports[0].number()))
            .arg(format!("--server-address=127.0.0.1:{}", ports[1].number()))
            .start()?;
        let pods = Self { podhost, kwok, _ports: ports };
        pods.wait_for_nodes(plane).await?;
        Ok(pods)
    }

    async fn wait_for_nodes(&self, plane: &Plane) -> Result<()> {
        let nodes: Api<Node> = Api::all(plane.admin()?);
        for name in NODES {
            let node = serde_json::from_value(json!({
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
                },
            }))?;
            nodes
                .create(&PostParams::default(), &node)
                .await
                .with_context(|| format!("make the node {name}"))?;
        }
        let within = plane.ready_within();
        let both = [&self.podhost, &self.kwok];
        let port = self._ports[0].number();
        wait_until("the pod host", within, &both, async || listens(port).await).await?;
        wait_until("two ready nodes", within, &both, async || {
            let Ok(list) = nodes.list(&ListParams::default()).await else {
                return false;
            };
            list.items.iter().filter(|node| is_ready(node)).count() >= NODES.len()
        })
        .await
    }

    /// Waits until `count` pods that match `selector` run in `namespace`, and returns their names.
    ///
    /// # Errors
    /// When they don't within `within`.
    pub async fn running(
        plane: &Plane,
        namespace: &str,
        selector: &str,
        count: usize,
        within: Duration,
    ) -> Result<Vec<String>> {
        let pods: Api<Pod> = Api::namespaced(plane.admin()?, namespace);
        let params = ListParams::default().labels(selector);
        let mut names = Vec::new();
        let what = format!("{count} running pods {namespace}/{selector}");
        wait_until(&what, within, &[], async || {
            let Ok(list) = pods.list(&params).await else {
                return false;
            };
            names = list
                .items
                .iter()
                .filter(|pod| is_running(pod))
                .filter_map(|pod| pod.metadata.name.clone())
                .collect();
            names.len() >= count
        })
        .await?;
        Ok(names)
    }
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}

fn is_running(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
}
