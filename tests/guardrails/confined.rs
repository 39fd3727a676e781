//! What confines a workload that is there stays, and what runs beside or around a privileged container does not reach into
//! it (fault A4; attack 1).

use crate::ask::Ask;
use crate::board::{Board, Person};
use crate::reach::APPS;
use crate::workloads::{deployment, pod, spec};
use serde_json::{Value, json};

pub(crate) async fn confined(board: &mut Board, who: &Person) {
    around_strong(board, who).await;
    beside_strong(board, who).await;
    loosens(board, who).await;
    cloud(board, who).await;
    servers(board, who).await;
}

fn edit(path: &str, spec: Value) -> Ask {
    Ask::strategic(&format!("{APPS}/{path}"), &json!({"spec": {"template": {"spec": spec}}}))
}

/// Names decide where a privileged container goes for what it runs.
async fn around_strong(board: &mut Board, who: &Person) {
    let no = "confined as it is, with the names and volumes that are there";
    for (title, change) in [
        ("names of its own", json!({"hostAliases": [{"ip": "203.0.113.1", "hostnames": ["registry"]}]})),
        ("another resolver", json!({"dnsConfig": {"nameservers": ["203.0.113.1"]}})),
        ("another way to resolve", json!({"dnsPolicy": "Default"})),
        ("another name", json!({"hostname": "x", "subdomain": "y"})),
        ("another scheduler", json!({"schedulerName": "mine"})),
    ] {
        let title = format!("fault_a4: gives a privileged DaemonSet {title}");
        board.refused("1", &title, who, vec![edit("daemonsets/node-agent", change)], no).await;
    }
    for (title, change) in [
        ("another place", json!({"nodeSelector": {"a": "b"}})),
        ("more time to end", json!({"terminationGracePeriodSeconds": 60})),
    ] {
        let title = format!("fault_a4: gives a privileged DaemonSet {title}");
        board.allowed("1", &title, who, edit("daemonsets/node-agent", change).dry()).await;
    }
}

/// The StatefulSet's privileged init container runs from an empty volume that its ordinary one mounts too.
async fn beside_strong(board: &mut Board, who: &Person) {
    let mounts = |volume: &str| json!({"name": "i", "image": "busybox", "volumeMounts": [{"name": volume, "mountPath": "/x"}]});
    let no = "a session mounts no volume of a container that is privileged";
    for list in ["initContainers", "containers"] {
        let forms = vec![edit("statefulsets/ledger", json!({list: [mounts("tools")]}))];
        let title = format!("fault_a4: fills what a privileged container runs from, in {list}");
        board.refused("1", &title, who, forms, no).await;
        let title = format!("fault_a4: mounts another volume beside a privileged container, in {list}");
        board
            .allowed("1", &title, who, edit("statefulsets/ledger", json!({list: [mounts("data")]})).dry())
            .await;
    }
}

async fn loosens(board: &mut Board, who: &Person) {
    let container = |context: Value| {
        edit("deployments/shop", json!({"containers": [{"name": "c", "securityContext": context}]}))
    };
    let whole = |context: Value| edit("deployments/shop", json!({"securityContext": context}));
    let no = "and loosens no confinement: container c";
    let pods = "loosens nothing that confines a pod";
    for (title, ask, fragment) in [
        ("its system calls", container(json!({"seccompProfile": null})), no),
        ("its capabilities", container(json!({"capabilities": null})), no),
        ("one of its capabilities", container(json!({"capabilities": {"drop": ["NET_RAW"]}})), no),
        ("its user", container(json!({"runAsNonRoot": null})), no),
        ("its user to root", container(json!({"runAsNonRoot": false})), no),
        ("its privileges", container(json!({"allowPrivilegeEscalation": null})), no),
        (
            "all of its context",
            edit("deployments/shop", json!({"containers": [{"name": "c", "securityContext": null}]})),
            no,
        ),
        ("its pod's system calls", whole(json!({"seccompProfile": null})), pods),
        ("its pod's user", whole(json!({"runAsNonRoot": null})), pods),
        ("all of its pod's context", edit("deployments/shop", json!({"securityContext": null})), pods),
    ] {
        board
            .refused("1", &format!("fault_a4: loosens of a workload {title}"), who, vec![ask], fragment)
            .await;
    }
    for (title, ask) in [
        ("a container's user", container(json!({"runAsUser": 1000}))),
        ("one capability more", container(json!({"capabilities": {"drop": ["ALL", "NET_RAW"]}}))),
        ("a read-only root", container(json!({"readOnlyRootFilesystem": true}))),
        ("a pod's groups", whole(json!({"fsGroup": 1000}))),
    ] {
        board.allowed("1", &format!("fault_a4: confines of a workload {title}"), who, ask.dry()).await;
    }
}

/// Labels and annotations by which something on the node, or a cloud's injector, gives a pod more than its own.
async fn cloud(board: &mut Board, who: &Person) {
    let labels = "labels that give a pod an identity in a cloud";
    let notes = "annotations that the node or an injector acts upon";
    for (kind, key, fragment) in [
        ("labels", "aadpodidbinding", labels),
        ("labels", "azure.workload.identity/use", labels),
        ("annotations", "iam.amazonaws.com/role", notes),
        ("annotations", "devices.nri.io/container.c", notes),
        ("annotations", "mounts.nri.io/container.c", notes),
        ("annotations", "devices.noderesource.dev/container.c", notes),
        ("annotations", "cni.projectcalico.org/ipAddrs", notes),
        ("annotations", "ovn.kubernetes.io/logical_switch", notes),
        ("annotations", "k8s.ovn.org/pod-networks", notes),
        ("annotations", "ad.datadoghq.com/c.checks", notes),
    ] {
        let change = json!({"spec": {"template": {"metadata": {kind: {key: "x"}}}}});
        let plain = pod(&spec(&json!({})));
        let forms = vec![
            Ask::merge(&format!("{APPS}/deployments/web"), &change),
            plain.with(&json!({"metadata": {kind: {key: "x"}}})),
        ];
        board
            .refused("1", &format!("fault_a4: asks the cloud or the node by {key}"), who, forms, fragment)
            .await;
    }
    let change = json!({"spec": {"template": {"metadata": {"labels": {"version": "2"}}}}});
    let ask = Ask::merge(&format!("{APPS}/deployments/web"), &change).dry();
    board.allowed("1", "fault_a4: gives a workload's pods a label", who, ask).await;
}

/// The taint of servers that run the control plane beside others' pods.
async fn servers(board: &mut Board, who: &Person) {
    let spec = spec(&json!({"tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}]}));
    let forms = vec![pod(&spec), deployment(&spec)];
    let no = "a session runs nothing on nodes that are kept for the control plane";
    board.refused("1", "fault_a4: runs something where critical add-ons alone may", who, forms, no).await;
}
