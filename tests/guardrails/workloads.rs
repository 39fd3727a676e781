//! What a session runs stays off the node and reads no Secrets of others (fault A4; attack 1): an allow-list, so every
//! kind of volume that it does not name is refused, and the positive case stands beside each.

use crate::ask::Ask;
use crate::board::{Board, Person};
use crate::reach::{APPS, BATCH, CORE};
use crate::world::World;
use crate::{confined, everyday, volumes};
use anyhow::Result;
use serde_json::{Value, json};

pub(crate) async fn workloads(world: &World, board: &mut Board, who: &Person, token: &str) -> Result<()> {
    println!("\nWhat a session runs");
    volumes::volumes(board, who).await;
    fields(board, who).await;
    notes(board, who).await;
    secrets(board, who).await;
    edits(board, who).await;
    strong(board, who).await;
    confined::confined(board, who).await;
    println!("\nAn incident's everyday work, with kubectl");
    everyday::everyday(world, board, token).await
}

/// A pod's spec with one container, edited.
pub(crate) fn spec(extra: &Value) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "busybox"}]});
    for (key, value) in extra.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    spec
}

/// A pod's spec whose container has more fields.
fn container(extra: Value) -> Value {
    let mut container = json!({"name": "c", "image": "busybox"});
    for (key, value) in extra.as_object().into_iter().flatten() {
        container[key] = value.clone();
    }
    json!({"containers": [container]})
}

pub(crate) fn pod(spec: &Value) -> Ask {
    let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "story"}, "spec": spec});
    Ask::create(&format!("{CORE}/pods"), &body)
}

fn template(spec: &Value, notes: &Value) -> Value {
    json!({"metadata": {"labels": {"app": "story"}, "annotations": notes}, "spec": spec})
}

pub(crate) fn deployment(spec: &Value) -> Ask {
    noted_deployment(spec, &json!({}))
}

fn noted_deployment(spec: &Value, notes: &Value) -> Ask {
    let body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "story"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "story"}}, "template": template(spec, notes)}});
    Ask::create(&format!("{APPS}/deployments"), &body)
}

pub(crate) fn cron_job(spec: &Value) -> Ask {
    let mut spec = spec.clone();
    spec["restartPolicy"] = json!("Never");
    let body = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "story"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template(&spec, &json!({}))}}}});
    Ask::create(&format!("{BATCH}/cronjobs"), &body)
}

/// As a change of the Deployment `web`.
pub(crate) fn edit_web(spec: &Value) -> Ask {
    Ask::strategic(&format!("{APPS}/deployments/web"), &json!({"spec": {"template": {"spec": spec}}}))
}

/// Fields of pods and containers that reach the node, each as a pod (where `bare`), in new templates and as an edit.
fn reaching() -> Vec<(&'static str, bool, Value, &'static str)> {
    let security = "a session adds no privileged containers and no capabilities and loosens no confinement";
    let pods = "loosens nothing that confines a pod";
    let calls = "a session has the node call no other host";
    let left = "a session leaves these fields of a pod as they are";
    let taint = "a session runs nothing on nodes that are kept for the control plane";
    let confined = |value: Value| container(json!({"securityContext": value}));
    let elsewhere = json!({"httpGet": {"host": "169.254.169.254", "port": 80}});
    vec![
        (
            "a port of the node",
            true,
            container(json!({"ports": [{"containerPort": 80, "hostPort": 80}]})),
            "a session opens no ports of the node",
        ),
        ("a node of its choice", true, spec(&json!({"nodeName": "control-plane"})), left),
        ("another runtime", false, spec(&json!({"runtimeClassName": "host"})), left),
        (
            "claims on devices",
            true,
            spec(&json!({"resourceClaims": [{"name": "gpu", "resourceClaimName": "x"}]})),
            left,
        ),
        (
            "a device of the node",
            true,
            container(json!({"resources": {"limits": {"example.test/kvm": 1}}})),
            "a session takes no devices of the node",
        ),
        ("any system call", true, confined(json!({"seccompProfile": {"type": "Unconfined"}})), security),
        (
            "a seccomp profile of the node's",
            true,
            confined(json!({"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}})),
            security,
        ),
        ("no AppArmor", true, confined(json!({"appArmorProfile": {"type": "Unconfined"}})), security),
        ("another SELinux type", true, confined(json!({"seLinuxOptions": {"type": "spc_t"}})), security),
        (
            "credentials of a Windows account",
            true,
            confined(json!({"windowsOptions": {"gmsaCredentialSpecName": "x"}})),
            security,
        ),
        (
            "any system call, for the pod",
            true,
            spec(&json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}}})),
            pods,
        ),
        (
            "no AppArmor, for the pod",
            true,
            spec(&json!({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}})),
            pods,
        ),
        (
            "kernel settings",
            true,
            spec(
                &json!({"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}}),
            ),
            pods,
        ),
        (
            "another SELinux type, for the pod",
            true,
            spec(&json!({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}})),
            pods,
        ),
        ("a probe of another host", true, container(json!({"livenessProbe": elsewhere})), calls),
        ("a readiness probe of another host", true, container(json!({"readinessProbe": elsewhere})), calls),
        (
            "a probe of the node's loopback",
            true,
            container(json!({"startupProbe": {"tcpSocket": {"host": "127.0.0.1", "port": 10250}}})),
            calls,
        ),
        (
            "a hook that calls another host",
            true,
            container(json!({"lifecycle": {"postStart": elsewhere}})),
            calls,
        ),
        (
            "a last call to another host",
            true,
            container(json!({"lifecycle": {"preStop": {"httpGet": {"host": "127.0.0.1", "port": 80}}}})),
            calls,
        ),
        (
            "the system's priority",
            true,
            spec(&json!({"priorityClassName": "system-node-critical"})),
            "a session takes no priority that is kept for the system",
        ),
        ("every taint tolerated", true, spec(&json!({"tolerations": [{"operator": "Exists"}]})), taint),
        (
            "every taint of one effect tolerated",
            true,
            spec(&json!({"tolerations": [{"operator": "Exists", "effect": "NoSchedule"}]})),
            taint,
        ),
        (
            "a place on the control plane",
            true,
            spec(
                &json!({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]}),
            ),
            taint,
        ),
    ]
}

async fn fields(board: &mut Board, who: &Person) {
    for (title, bare, spec, fragment) in reaching() {
        let mut forms = vec![deployment(&spec), cron_job(&spec), edit_web(&spec), edit_web(&spec).dry()];
        if bare {
            forms.extend([pod(&spec), pod(&spec).dry()]);
        }
        board.refused("1", &format!("fault_a4: runs something with {title}"), who, forms, fragment).await;
    }
    let block = json!({"containers": [{"name": "c", "image": "busybox", "volumeDevices": [{"name": "v", "devicePath": "/dev/x"}]}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "block"}}]});
    board
        .refused(
            "1",
            "fault_a4: runs something with a block device",
            who,
            vec![pod(&block), deployment(&block)],
            "a session adds no block devices to containers",
        )
        .await;
    let harmless = [
        ("a port", container(json!({"ports": [{"containerPort": 8080}]}))),
        (
            "probes and hooks of its own",
            container(
                json!({"livenessProbe": {"httpGet": {"port": 8080}}, "lifecycle": {"preStop": {"exec": {"command": ["true"]}}}}),
            ),
        ),
        (
            "the runtime's own confinement",
            container(
                json!({"securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}, "appArmorProfile": {"type": "RuntimeDefault"}}}),
            ),
        ),
        (
            "limits",
            container(
                json!({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1"}}}),
            ),
        ),
        (
            "groups for its files",
            spec(
                &json!({"securityContext": {"fsGroup": 1000, "supplementalGroups": [1000], "runAsNonRoot": true}}),
            ),
        ),
        (
            "a team's own nodes",
            spec(
                &json!({"nodeSelector": {"team": "payments"}, "tolerations": [{"key": "team", "operator": "Equal", "value": "payments"}]}),
            ),
        ),
        (
            "names of its own",
            spec(
                &json!({"hostAliases": [{"ip": "127.0.0.1", "hostnames": ["x"]}], "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}}),
            ),
        ),
        ("a user namespace", spec(&json!({"hostUsers": false}))),
    ];
    for (title, spec) in harmless {
        board.allowed("1", &format!("fault_a4: runs a pod with {title}"), who, pod(&spec).dry()).await;
        board
            .allowed("1", &format!("fault_a4: makes a Deployment with {title}"), who, deployment(&spec).dry())
            .await;
    }
}

async fn notes(board: &mut Board, who: &Person) {
    let plain = spec(&json!({}));
    for (title, note) in [
        ("loosens AppArmor", json!({"container.apparmor.security.beta.kubernetes.io/c": "unconfined"})),
        ("asks CRI-O for devices", json!({"io.kubernetes.cri-o.Devices": "/dev/kvm"})),
        ("asks the runtime for devices", json!({"cdi.k8s.io/x": "vendor.example.test/device=all"})),
        ("configures the sandbox", json!({"io.katacontainers.config.hypervisor.path": "/x"})),
        ("joins another network", json!({"k8s.v1.cni.cncf.io/networks": "kube-system/host"})),
        (
            "has an injector mount the host",
            json!({"sidecar.istio.io/userVolume": r#"[{"name":"h","hostPath":{"path":"/"}}]"#}),
        ),
        ("has an injector use a template", json!({"inject.istio.io/templates": "x"})),
        (
            "has an injector fetch secrets",
            json!({"vault.hashicorp.com/agent-inject-secret-x": "secret/data/x"}),
        ),
    ] {
        let change = json!({"spec": {"template": {"metadata": {"annotations": note}}}});
        let forms =
            vec![noted_deployment(&plain, &note), Ask::merge(&format!("{APPS}/deployments/web"), &change)];
        board
            .refused(
                "1",
                &format!("fault_a4: an annotation {title}"),
                who,
                forms,
                "annotations that the node or an injector acts upon",
            )
            .await;
    }
    for (title, note) in [
        ("of a chart", json!({"checksum/config": "x", "prometheus.io/scrape": "true"})),
        (
            "that keeps an injector away",
            json!({"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}),
        ),
        (
            "of AppArmor's default",
            json!({"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"}),
        ),
    ] {
        board
            .allowed(
                "1",
                &format!("fault_a4: annotations {title}"),
                who,
                noted_deployment(&plain, &note).dry(),
            )
            .await;
    }
}

/// A session whose role reads no Secrets.
async fn secrets(board: &mut Board, who: &Person) {
    let no = "a session that may not read Secrets hands none to what does not use it already";
    let key =
        json!({"name": "A", "valueFrom": {"secretKeyRef": {"name": "root-password", "key": "password"}}});
    let volume = |volume: Value| json!({"containers": [{"name": "c", "image": "busybox", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}], "volumes": [volume]});
    let ways = [
        ("by environment", container(json!({"env": [key]}))),
        (
            "whole",
            container(
                json!({"envFrom": [{"secretRef": {"name": "root-password"}}, {"secretRef": {"name": "db"}}]}),
            ),
        ),
        ("by volume", volume(json!({"name": "v", "secret": {"secretName": "root-password"}}))),
        (
            "by projected volume",
            volume(
                json!({"name": "v", "projected": {"sources": [{"configMap": {"name": "x"}}, {"secret": {"name": "root-password"}}]}}),
            ),
        ),
        (
            "in an init container",
            json!({"containers": [{"name": "c", "image": "busybox"}], "initContainers": [{"name": "i", "image": "busybox", "env": [key]}]}),
        ),
    ];
    for (title, spec) in ways {
        let forms = vec![pod(&spec), pod(&spec).dry(), deployment(&spec), cron_job(&spec), edit_web(&spec)];
        board
            .refused("1", &format!("fault_a4: hands a Secret to what it runs, {title}"), who, forms, no)
            .await;
    }
    let shop = format!("{APPS}/deployments/shop");
    let more = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "root-password"}}]}]}}}});
    board
        .refused(
            "1",
            "fault_a4: hands a workload another Secret than its own",
            who,
            vec![Ask::strategic(&shop, &more)],
            no,
        )
        .await;
    let sidecar = json!({"spec": {"template": {"spec": {"containers": [{"name": "d", "image": "busybox", "envFrom": [{"secretRef": {"name": "db"}}]}]}}}});
    board
        .allowed(
            "1",
            "fault_a4: uses a workload's own Secret in it another way",
            who,
            Ask::strategic(&shop, &sidecar).dry(),
        )
        .await;
    let pulled = spec(&json!({"imagePullSecrets": [{"name": "registry"}]}));
    board.allowed("1", "fault_a4: pulls with a Secret that no pod reads", who, pod(&pulled).dry()).await;
}

/// Edits of ordinary workloads: what they may become.
async fn edits(board: &mut Board, who: &Person) {
    let shop = format!("{APPS}/deployments/shop");
    let edit = |spec: Value| Ask::strategic(&shop, &json!({"spec": {"template": {"spec": spec}}}));
    let token = "a session changes nothing about whose token a workload gets";
    board
        .refused(
            "1",
            "fault_a4: mounts the token of another account",
            who,
            vec![
                edit(json!({"automountServiceAccountToken": true})),
                edit(json!({"automountServiceAccountToken": null})),
            ],
            token,
        )
        .await;
    // Of one that has it: a session may take it away, and then not give it back.
    let till = format!("{APPS}/deployments/till");
    let of_till = |mounted: Value| {
        Ask::strategic(
            &till,
            &json!({"spec": {"template": {"spec": {"automountServiceAccountToken": mounted}}}}),
        )
    };
    board.allowed("1", "takes the token out of a workload's pods", who, of_till(json!(false)).dry()).await;
    board
        .refused("1", "says that a workload's token is mounted", who, vec![of_till(json!(true))], token)
        .await;
    for (title, change) in [
        (
            "another image and command, which is kept on purpose",
            json!({"containers": [{"name": "c", "image": "busybox", "command": ["sleep", "1d"]}]}),
        ),
        ("another variable", json!({"containers": [{"name": "c", "env": [{"name": "A", "value": "b"}]}]})),
        (
            "the same devices and more memory",
            json!({"containers": [{"name": "c", "resources": {"limits": {"memory": "1Gi"}}}]}),
        ),
        ("a container beside it", json!({"containers": [{"name": "d", "image": "busybox"}]})),
        ("another place", json!({"nodeSelector": {"a": "b"}, "priorityClassName": "team"})),
    ] {
        board
            .allowed("1", &format!("fault_a4: gives an ordinary workload {title}"), who, edit(change).dry())
            .await;
    }
}

/// Workloads that were privileged before: other versions of the same image, and nothing else.
async fn strong(board: &mut Board, who: &Person) {
    let agent = format!("{APPS}/daemonsets/node-agent");
    let edit = |spec: Value| Ask::strategic(&agent, &json!({"spec": {"template": {"spec": spec}}}));
    let one = |extra: Value| {
        let mut c = json!({"name": "c"});
        for (key, value) in extra.as_object().into_iter().flatten() {
            c[key] = value.clone();
        }
        edit(json!({"containers": [c]}))
    };
    let no = "of a container that is privileged or reaches the host, a session changes nothing but the version of its image";
    let confined = "a session leaves a pod that is privileged or reaches the host confined as it is";
    for (title, ask, fragment) in [
        ("another image", one(json!({"image": "evil"})), no),
        ("another image of the same name", one(json!({"image": "evil.example.test/busybox"})), no),
        ("another command", one(json!({"command": ["sh", "-c", "x"]})), no),
        ("other arguments", one(json!({"args": ["x"]})), no),
        ("a variable", one(json!({"env": [{"name": "LD_PRELOAD", "value": "/x"}]})), no),
        ("a probe that runs a command", one(json!({"livenessProbe": {"exec": {"command": ["x"]}}})), no),
        (
            "a hook that runs a command",
            one(json!({"lifecycle": {"postStart": {"exec": {"command": ["x"]}}}})),
            no,
        ),
        (
            "its host path to write",
            one(json!({"volumeMounts": [{"name": "root", "mountPath": "/host", "readOnly": false}]})),
            no,
        ),
        ("a container beside it", edit(json!({"containers": [{"name": "d", "image": "busybox"}]})), no),
        ("an init container", edit(json!({"initContainers": [{"name": "i", "image": "busybox"}]})), no),
        ("another user", edit(json!({"securityContext": {"runAsUser": 0}})), confined),
        ("no token in its pods", edit(json!({"automountServiceAccountToken": false})), confined),
        ("shared processes", edit(json!({"shareProcessNamespace": true, "hostPID": false})), confined),
    ] {
        board
            .refused(
                "1",
                &format!("fault_a4: gives a privileged DaemonSet {title}"),
                who,
                vec![ask],
                fragment,
            )
            .await;
    }
    let ledger = format!("{APPS}/statefulsets/ledger");
    let set = |spec: Value| Ask::strategic(&ledger, &json!({"spec": {"template": {"spec": spec}}}));
    board
        .refused(
            "1",
            "fault_a4: changes the command of a privileged init container",
            who,
            vec![set(json!({"initContainers": [{"name": "tune", "command": ["sh"]}]}))],
            no,
        )
        .await;
    for (title, ask) in [
        ("another version of its image", one(json!({"image": "busybox:1.37"}))),
        ("a digest of its image", one(json!({"image": format!("busybox@sha256:{}", "a1".repeat(32))}))),
        ("more memory", one(json!({"resources": {"limits": {"memory": "1Gi"}}}))),
        (
            "another rollout",
            Ask::merge(
                &agent,
                &json!({"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}}),
            ),
        ),
    ] {
        board.allowed("1", &format!("fault_a4: gives a privileged DaemonSet {title}"), who, ask.dry()).await;
    }
    for (title, change) in [
        (
            "the image of what is not privileged in it",
            json!({"containers": [{"name": "c", "image": "alpine", "command": ["x"]}]}),
        ),
        (
            "the version of its privileged init container",
            json!({"initContainers": [{"name": "tune", "image": "busybox:1.37"}]}),
        ),
    ] {
        board
            .allowed("1", &format!("fault_a4: changes of a StatefulSet {title}"), who, set(change).dry())
            .await;
    }
}
