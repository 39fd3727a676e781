//! Debug containers: they look at what the pod sees and no further (fault A3; attack 1).

use crate::ask::Ask;
use crate::board::{Board, Person};
use crate::reach::{CORE, session_and_token};
use crate::world::World;
use anyhow::Result;
use serde_json::{Value, json};

/// Adds a debug container with `extra` to a pod.
fn debug(pod: &str, name: &str, extra: Value) -> Ask {
    let mut container = json!({"name": name, "image": "busybox"});
    for (key, value) in extra.as_object().into_iter().flatten() {
        container[key] = value.clone();
    }
    Ask::strategic(
        &format!("{CORE}/pods/{pod}/ephemeralcontainers"),
        &json!({"spec": {"ephemeralContainers": [container]}}),
    )
}

pub(crate) async fn debugging(world: &World, board: &mut Board) -> Result<()> {
    println!("\nA debug container that only looks");
    let (who, token) = session_and_token(world, board, "debugsession", "sallyport:debug").await?;
    refused(board, &who).await;
    whole_pods(board, &who).await?;
    looks(board, &who).await;
    stays(world, board, &who).await?;
    by_kubectl(world, board, &who, &token).await
}

fn attacks() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let secret = "a debug container gets no Secret that its pod does not use already";
    let wider = "no more widely than its pod's own containers do";
    let privileged = "a session adds no privileged debug containers";
    let strong = "a debug container gets no capability in a pod that shares the host, mounts a path of it or is privileged";
    let node = "in a pod that sees the processes of its node a session adds no debug container";
    let drops = "a debug container drops every capability";
    let fields = "a debug container has no devices, and no fields but those";
    let mount = |name: &str, read_only: bool| json!({"volumeMounts": [{"name": name, "mountPath": "/x", "readOnly": read_only}]});
    vec![
        (
            "shop-0",
            "reads a Secret into its environment",
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "root-password", "key": "password"}}}]}),
            secret,
        ),
        (
            "shop-0",
            "reads a Secret that need not exist",
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "root-password", "key": "x", "optional": true}}}]}),
            secret,
        ),
        (
            "shop-0",
            "reads a whole Secret",
            json!({"envFrom": [{"secretRef": {"name": "root-password"}}]}),
            secret,
        ),
        (
            "shop-0",
            "reads a Secret after one that the pod has",
            json!({"envFrom": [{"secretRef": {"name": "db"}}, {"prefix": "B_", "secretRef": {"name": "root-password"}}]}),
            secret,
        ),
        (
            "web-0",
            "reads a Secret, where the pod has none",
            json!({"envFrom": [{"secretRef": {"name": "db"}}]}),
            secret,
        ),
        (
            "shop-0",
            "mounts the host's logs to write",
            mount("logs", false),
            "a debug container mounts no host paths",
        ),
        (
            "shop-0",
            "mounts the host's logs as the pod does",
            mount("logs", true),
            "a debug container mounts no host paths",
        ),
        ("shop-0", "mounts to write what the pod only reads", mount("read", false), wider),
        ("shop-0", "mounts the whole of what the pod has a folder of", mount("folder", true), wider),
        ("shop-0", "mounts what no container of the pod mounts", mount("block", true), wider),
        (
            "shop-0",
            "takes a block device",
            json!({"volumeDevices": [{"name": "block", "devicePath": "/dev/x"}]}),
            fields,
        ),
        (
            "agent-0",
            "traces processes of the host",
            json!({"securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}),
            node,
        ),
        (
            "agent-0",
            "traces processes of the host through a container",
            json!({"targetContainerName": "c", "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}),
            node,
        ),
        ("agent-0", "looks at the processes of the node", json!({}), node),
        (
            "agent-0",
            "looks at the processes of the node through a container",
            json!({"targetContainerName": "c"}),
            node,
        ),
        (
            "agent-0",
            "looks at the processes of the node without capabilities",
            json!({"securityContext": {"capabilities": {"drop": ["ALL"]}}}),
            node,
        ),
        ("network-0", "looks at the network of the node with capabilities", json!({}), drops),
        (
            "network-0",
            "keeps one capability on the network of the node",
            json!({"securityContext": {"capabilities": {"drop": ["CHOWN"]}}}),
            drops,
        ),
        ("memory-0", "looks at the memory of the node with capabilities", json!({}), drops),
        (
            "shop-0",
            "traces what mounts a path of the host",
            json!({"targetContainerName": "c", "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}),
            strong,
        ),
        (
            "driver-0",
            "traces a privileged container",
            json!({"targetContainerName": "c", "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}),
            strong,
        ),
        ("shop-0", "is privileged", json!({"securityContext": {"privileged": true}}), privileged),
        (
            "shop-0",
            "administers",
            json!({"securityContext": {"capabilities": {"add": ["SYS_PTRACE", "SYS_ADMIN"]}}}),
            privileged,
        ),
        (
            "shop-0",
            "makes any system call",
            json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
            privileged,
        ),
        (
            "shop-0",
            "is confined by a profile of the node's",
            json!({"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}}),
            privileged,
        ),
        (
            "shop-0",
            "is not confined by AppArmor",
            json!({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}),
            privileged,
        ),
        (
            "shop-0",
            "has another SELinux type",
            json!({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}),
            privileged,
        ),
    ]
}

async fn refused(board: &mut Board, who: &Person) {
    for (at, (pod, title, extra, fragment)) in attacks().into_iter().enumerate() {
        // A name for each: one that gets in stays, and would be told from the next by its name alone.
        let name = format!("story-{at}");
        let forms = vec![debug(pod, &name, extra.clone()).dry(), debug(pod, &name, extra)];
        board.refused("1", &format!("fault_a3: a debug container {title}"), who, forms, fragment).await;
    }
}

/// The same as a PUT and as other patches.
async fn whole_pods(board: &mut Board, who: &Person) -> Result<()> {
    let path = format!("{CORE}/pods/shop-0/ephemeralcontainers");
    let live = Ask::get(&format!("{CORE}/pods/shop-0")).send(&who.client).await?.body;
    let list =
        json!([{"name": "story", "image": "busybox", "envFrom": [{"secretRef": {"name": "root-password"}}]}]);
    let mut whole = live;
    whole["spec"]["ephemeralContainers"] = list.clone();
    let forms = vec![
        Ask::put(&path, &whole),
        Ask::merge(&path, &json!({"spec": {"ephemeralContainers": list}})),
        Ask::json_patch(&path, &json!([{"op": "add", "path": "/spec/ephemeralContainers", "value": list}])),
    ];
    board
        .refused(
            "1",
            "fault_a3: a debug container reads a Secret, in every form",
            who,
            forms,
            "a debug container gets no Secret",
        )
        .await;
    Ok(())
}

/// What an incident needs.
async fn looks(board: &mut Board, who: &Person) {
    let mount = |name: &str, read_only: bool| json!({"volumeMounts": [{"name": name, "mountPath": "/x", "readOnly": read_only}]});
    let drops = json!({"targetContainerName": "c", "securityContext": {"capabilities": {"drop": ["ALL"]}}});
    for (pod, title, extra) in [
        ("shop-0", "looks", json!({})),
        (
            "web-0",
            "traces its pod's processes",
            json!({"targetContainerName": "c", "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}),
        ),
        (
            "shop-0",
            "runs as root in its pod",
            json!({"securityContext": {"runAsUser": 0, "runAsNonRoot": false}}),
        ),
        (
            "shop-0",
            "is confined by the runtime",
            json!({"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}),
        ),
        ("shop-0", "has the Secret that its pod has", json!({"envFrom": [{"secretRef": {"name": "db"}}]})),
        (
            "shop-0",
            "has a ConfigMap and what the pod is called",
            json!({"envFrom": [{"configMapRef": {"name": "c"}}], "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
        ),
        ("shop-0", "reads what its pod reads", mount("read", true)),
        ("shop-0", "writes where its pod writes", mount("work", false)),
        ("network-0", "looks at a pod on the network of the node", drops.clone()),
        ("memory-0", "looks at a pod among the memory of the node", drops),
        ("driver-0", "looks at a privileged pod", json!({"targetContainerName": "c"})),
    ] {
        board
            .allowed(
                "1",
                &format!("fault_a3: a debug container {title}"),
                who,
                debug(pod, "see", extra).dry(),
            )
            .await;
    }
}

/// What is there already stays: another one beside it is judged alone.
async fn stays(world: &World, board: &mut Board, who: &Person) -> Result<()> {
    let privileged = json!({"securityContext": {"privileged": true}, "envFrom": [{"secretRef": {"name": "root-password"}}]});
    board.must(&world.owner, debug("shop-0", "of-an-admin", privileged)).await?;
    board
        .allowed(
            "1",
            "fault_a3: looks beside an admin's debug container",
            who,
            debug("shop-0", "beside", json!({})),
        )
        .await;
    let own = json!({"envFrom": [{"secretRef": {"name": "root-password"}}]});
    board
        .refused(
            "1",
            "fault_a3: takes what an admin's debug container has",
            who,
            vec![debug("shop-0", "too", own)],
            "a debug container gets no Secret",
        )
        .await;
    Ok(())
}

/// kubectl itself, as people type it.
async fn by_kubectl(world: &World, board: &mut Board, who: &Person, token: &str) -> Result<()> {
    let kubectl = world.target.kubectl_with(&world.target.kubeconfig_with_token(token)?);
    for (title, pod, more, fragment) in [
        ("kubectl debug --target", "web-0", ["--target=c", "--profile=general"], ""),
        ("kubectl debug --profile=restricted", "web-0", ["--target=c", "--profile=restricted"], ""),
        (
            "kubectl debug --profile=restricted in a pod on the network of the node",
            "network-0",
            ["--target=c", "--profile=restricted"],
            "",
        ),
        (
            "kubectl debug --profile=baseline in a pod on the network of the node",
            "network-0",
            ["--target=c", "--profile=baseline"],
            "kubectl debug --profile=restricted does",
        ),
        (
            "kubectl debug --profile=restricted among the processes of the node",
            "agent-0",
            ["--target=c", "--profile=restricted"],
            "a session adds no debug container",
        ),
        (
            "kubectl debug in a pod on the network of the node",
            "network-0",
            ["--target=c", "--profile=general"],
            "kubectl debug --profile=restricted adds none",
        ),
        (
            "kubectl debug --profile=sysadmin",
            "web-0",
            ["--target=c", "--profile=sysadmin"],
            "no privileged debug containers",
        ),
        (
            "kubectl debug --profile=netadmin",
            "web-0",
            ["--target=c", "--profile=netadmin"],
            "no privileged debug containers",
        ),
    ] {
        let mut args = vec!["-n", "payments", "debug", pod, "--image=busybox", "--attach=false"];
        args.extend(more);
        let answer = kubectl.run(&args).await?;
        let refused = answer.code != Some(0);
        let as_wanted =
            if fragment.is_empty() { !refused } else { refused && answer.stderr.contains(fragment) };
        let verdict = if refused { "refused" } else { "allowed" };
        let said = answer.stderr.lines().last().unwrap_or_default();
        board.check(
            "1",
            &format!("fault_a3: {title}"),
            as_wanted,
            &format!("{} {verdict} · {said}", who.title),
        );
    }
    Ok(())
}
