//! The example role for releases (fault C9): what helm needs works, and what it opens is seen.

use crate::ask::Ask;
use crate::board::Board;
use crate::reach::{CORE, session_and_token};
use crate::workloads::{deployment, pod};
use crate::world::World;
use anyhow::Result;
use serde_json::json;

pub(crate) async fn releases(world: &World, board: &mut Board) -> Result<()> {
    println!("\nReleases");
    world.target.kubectl().apply(include_str!("../../deploy/demo/releases/target.yaml")).await?;
    let (who, _) = session_and_token(world, board, "releasesession", "sallyport:releases").await?;
    let secrets = format!("{CORE}/secrets");
    let release = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.shop.v1"}, "stringData": {"release": "x"}});
    board.allowed("1", "fault_c9: writes a release", &who, Ask::create(&secrets, &release)).await;
    let one = format!("{secrets}/sh.helm.release.v1.shop.v1");
    board
        .allowed(
            "1",
            "fault_c9: marks a release as superseded",
            &who,
            Ask::merge(&one, &json!({"metadata": {"labels": {"status": "superseded"}}})),
        )
        .await;
    board.allowed("1", "fault_c9: lists releases", &who, Ask::get(&secrets)).await;
    board.allowed("1", "fault_c9: removes a release", &who, Ask::delete(&one)).await;
    board
        .open(
            "1",
            "fault_c9: reads every Secret of its namespaces",
            &who,
            Ask::get(&format!("{secrets}/root-password")),
            "said to requester and approver: RBAC can't tell helm's Secrets from others",
        )
        .await;
    // Whoever may read them learns nothing from a pod that does.
    let uses = json!({"containers": [{"name": "c", "image": "busybox", "envFrom": [{"secretRef": {"name": "root-password"}}]}]});
    board.allowed("1", "fault_c9: installs a workload with its Secrets", &who, deployment(&uses).dry()).await;
    board.allowed("1", "fault_c9: runs a pod with Secrets", &who, pod(&uses).dry()).await;
    let token = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "x", "annotations": {"kubernetes.io/service-account.name": "agent"}}});
    board
        .refused(
            "1",
            "fault_c9: makes a token Secret",
            &who,
            vec![Ask::create(&secrets, &token)],
            "a session makes no token secrets",
        )
        .await;
    let elsewhere = "/api/v1/namespaces/checkout/secrets";
    board
        .refused(
            "1",
            "fault_c9: reads Secrets of another namespace",
            &who,
            vec![Ask::get(elsewhere)],
            "cannot list resource",
        )
        .await;
    let host = json!({"hostPID": true, "containers": [{"name": "c", "image": "busybox"}]});
    board
        .refused(
            "1",
            "fault_c9: installs a workload on the host",
            &who,
            vec![deployment(&host)],
            "a session adds no host access",
        )
        .await;
    Ok(())
}
