//! What a session may not leave behind (attack 1), with a session's real token.

use crate::ask::Ask;
use crate::board::{Board, Person};
use crate::sessions::{bindings, open, token};
use crate::world::World;
use crate::{debugging, forged, injected, network, releases, rights, workloads};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const CORE: &str = "/api/v1/namespaces/payments";
pub(crate) const APPS: &str = "/apis/apps/v1/namespaces/payments";
pub(crate) const BATCH: &str = "/apis/batch/v1/namespaces/payments";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nA session's reach");
    let wide = session(world, board, "widesession", "story:wide").await?;
    credentials(board, &wide).await;
    pods(board, &wide).await;
    templates(world, board, &wide).await?;
    let (plain, token) = session_and_token(world, board, "plainsession", "sallyport:operate").await?;
    work(board, &plain).await?;
    narrow(board, &plain).await;
    world.target.kubectl().apply(include_str!("workloads.yaml")).await?;
    rights::rights(world, board, &wide).await?;
    workloads::workloads(world, board, &plain, &token).await?;
    forged::forged(world, board, &plain).await?;
    network::network(board, &plain, &wide).await?;
    debugging::debugging(world, board).await?;
    injected::injected(world, board, &plain).await?;
    releases::releases(world, board).await
}

/// A session that holds `role` in payments, bound by the broker and seen to work.
async fn session(world: &World, board: &Board, id: &str, role: &str) -> Result<Person> {
    Ok(session_and_token(world, board, id, role).await?.0)
}

/// The same, with its token.
pub(crate) async fn session_and_token(
    world: &World,
    board: &Board,
    id: &str,
    role: &str,
) -> Result<(Person, String)> {
    let session = open(world, board, id, &["payments"], role).await?;
    board
        .must(&world.hand, Ask::create(&bindings("payments"), &session.binding("RoleBinding", role)))
        .await?;
    let token = token(world, board, &session).await?;
    let user = format!("system:serviceaccount:sallyport-sessions:{}", session.account);
    let client = world.target.client_with_token(&token)?;
    let person = Person { title: format!("session with {role}"), user, client };
    for _ in 0..3000 {
        if Ask::get(&format!("{CORE}/pods")).send(&person.client).await?.code == 200 {
            return Ok((person, token));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("{role} is not in force after a minute")
}

async fn credentials(board: &mut Board, who: &Person) {
    let mint = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 315_360_000}});
    board
        .refused(
            "1",
            "mints a token for ten years",
            who,
            vec![Ask::create(&format!("{CORE}/serviceaccounts/default/token"), &mint)],
            "a session mints no tokens",
        )
        .await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "x", "annotations": {"kubernetes.io/service-account.name": "default"}}});
    board
        .refused(
            "1",
            "makes a token Secret",
            who,
            vec![
                Ask::create(&format!("{CORE}/secrets"), &secret),
                Ask::create(&format!("{CORE}/secrets"), &secret).dry(),
            ],
            "a session makes no token secrets",
        )
        .await;
    let opaque = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "story"}, "stringData": {"a": "b"}});
    board
        .allowed(
            "1",
            "makes a plain Secret, where its role allows it",
            who,
            Ask::create(&format!("{CORE}/secrets"), &opaque).dry(),
        )
        .await;
    let rights = "a session changes nobody's rights";
    let subject = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mallory"}]);
    // RBAC itself would let them: it holds every rule of these roles.
    for (title, path, kind, role) in [
        ("binds a friend", bindings("payments"), "RoleBinding", "view"),
        (
            "binds a friend cluster-wide",
            format!("{RBAC}/clusterrolebindings"),
            "ClusterRoleBinding",
            "story:certificates",
        ),
    ] {
        let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role});
        let body = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "roleRef": reference, "subjects": subject});
        board.refused("1", title, who, vec![Ask::create(&path, &body)], rights).await;
    }
    for (title, path, kind) in [
        ("makes a Role", format!("{RBAC}/namespaces/payments/roles"), "Role"),
        ("makes a ClusterRole", format!("{RBAC}/clusterroles"), "ClusterRole"),
    ] {
        let body = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "rules": [{"apiGroups": [""], "resources": ["limitranges"], "verbs": ["get"]}]});
        board.refused("1", title, who, vec![Ask::create(&path, &body)], rights).await;
    }
    let csr = json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "x"},
        "spec": {"request": REQUEST, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}});
    board
        .refused(
            "1",
            "asks for a client certificate",
            who,
            vec![Ask::create("/apis/certificates.k8s.io/v1/certificatesigningrequests", &csr)],
            "a session asks for no certificates",
        )
        .await;
}

/// The pods that leave something behind, with what each is told.
fn footholds() -> Vec<(&'static str, Value, &'static str)> {
    let container = |security: Value| json!({"containers": [{"name": "c", "image": "busybox", "securityContext": security}]});
    let with = |extra: Value| {
        let mut spec = json!({"containers": [{"name": "c", "image": "busybox"}]});
        for (key, value) in extra.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        spec
    };
    let host = "a session adds no host access";
    let volumes = "a session adds no host paths and no token volumes";
    let privileged = "a session adds no privileged containers and no capabilities";
    vec![
        (
            "under another service account",
            with(json!({"serviceAccountName": "agent"})),
            "nothing under another service account",
        ),
        (
            "under another service account, by the old field",
            with(json!({"serviceAccount": "agent"})),
            "nothing under another service account",
        ),
        ("with the host's processes", with(json!({"hostPID": true})), host),
        ("on the host's network", with(json!({"hostNetwork": true})), host),
        ("with the host's memory", with(json!({"hostIPC": true})), host),
        (
            "with the host's disk",
            with(json!({"volumes": [{"name": "r", "hostPath": {"path": "/"}}]})),
            volumes,
        ),
        (
            "with a token of any audience",
            with(
                json!({"volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]}}]}),
            ),
            volumes,
        ),
        (
            "with a token of any audience, in a volume called as the system's own",
            with(
                json!({"volumes": [{"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault", "expirationSeconds": 3607}}]}}]}),
            ),
            volumes,
        ),
        (
            "with a token of a day, in a volume called as the system's own",
            with(
                json!({"volumes": [{"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 86400}}]}}]}),
            ),
            volumes,
        ),
        ("as privileged", container(json!({"privileged": true})), privileged),
        ("with a capability", container(json!({"capabilities": {"add": ["SYS_ADMIN"]}})), privileged),
        (
            "with an unmasked /proc",
            with(
                json!({"hostUsers": false, "containers": [{"name": "c", "image": "busybox", "securityContext": {"procMount": "Unmasked"}}]}),
            ),
            privileged,
        ),
        (
            "with a privileged init container",
            with(
                json!({"initContainers": [{"name": "i", "image": "busybox", "securityContext": {"privileged": true}}]}),
            ),
            privileged,
        ),
    ]
}

async fn pods(board: &mut Board, who: &Person) {
    for (title, spec, fragment) in footholds() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec});
        board
            .refused(
                "1",
                &format!("runs a pod {title}"),
                who,
                vec![
                    Ask::create(&format!("{CORE}/pods"), &pod),
                    Ask::create(&format!("{CORE}/pods"), &pod).dry(),
                ],
                fragment,
            )
            .await;
    }
    let plain = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "story-plain"}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}});
    board.allowed("1", "runs a plain pod", who, Ask::create(&format!("{CORE}/pods"), &plain).dry()).await;
    let debug = |security: Value| {
        Ask::strategic(
            &format!("{CORE}/pods/web-0/ephemeralcontainers"),
            &json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox", "securityContext": security}]}}),
        )
    };
    for (title, security) in [
        ("as privileged", json!({"privileged": true})),
        ("with a capability", json!({"capabilities": {"add": ["SYS_ADMIN"]}})),
    ] {
        board
            .refused(
                "1",
                &format!("debugs a pod {title}"),
                who,
                vec![debug(security.clone()), debug(security).dry()],
                "a session adds no privileged debug containers",
            )
            .await;
    }
    board
        .allowed(
            "1",
            "debugs a pod as kubectl debug does",
            who,
            debug(json!({"capabilities": {"add": ["SYS_PTRACE"]}})),
        )
        .await;
}

async fn templates(world: &World, board: &mut Board, who: &Person) -> Result<()> {
    let labels = json!({"app": "x"});
    for (title, mut spec, fragment) in footholds() {
        // Deployments, DaemonSets, StatefulSets, ReplicaSets and ReplicationControllers.
        for (path, api, kind) in [
            (format!("{APPS}/deployments"), "apps/v1", "Deployment"),
            (format!("{APPS}/daemonsets"), "apps/v1", "DaemonSet"),
            (format!("{APPS}/statefulsets"), "apps/v1", "StatefulSet"),
            (format!("{APPS}/replicasets"), "apps/v1", "ReplicaSet"),
            (format!("{CORE}/replicationcontrollers"), "v1", "ReplicationController"),
        ] {
            let selector = if api == "v1" { labels.clone() } else { json!({"matchLabels": labels}) };
            let body = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": {"selector": selector, "serviceName": "x", "template": {"metadata": {"labels": labels}, "spec": spec}}});
            let body = if kind == "StatefulSet" { body } else { without(body, "serviceName") };
            board
                .refused(
                    "1",
                    &format!("makes a {kind} {title}"),
                    who,
                    vec![Ask::create(&path, &body)],
                    fragment,
                )
                .await;
        }
        let template = json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": {"metadata": {"labels": labels}, "spec": spec}});
        board
            .refused(
                "1",
                &format!("makes a PodTemplate {title}"),
                who,
                vec![Ask::create(&format!("{CORE}/podtemplates"), &template)],
                fragment,
            )
            .await;
        spec["restartPolicy"] = json!("Never");
        let job = json!({"template": {"spec": spec}});
        let one = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": job});
        board
            .refused(
                "1",
                &format!("makes a Job {title}"),
                who,
                vec![Ask::create(&format!("{BATCH}/jobs"), &one)],
                fragment,
            )
            .await;
        let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job}}});
        board
            .refused(
                "1",
                &format!("makes a CronJob {title}"),
                who,
                vec![Ask::create(&format!("{BATCH}/cronjobs"), &cron)],
                fragment,
            )
            .await;
    }
    let deployment = |name: &str| format!("{APPS}/deployments/{name}");
    let edit = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
    for (title, name, spec, fragment) in [
        (
            "gives it another service account",
            "web",
            json!({"serviceAccountName": "agent"}),
            "nothing under another service account",
        ),
        (
            "gives it the host's disk",
            "web",
            json!({"volumes": [{"name": "r", "hostPath": {"path": "/"}}]}),
            "no host paths",
        ),
        (
            "makes it privileged",
            "web",
            json!({"containers": [{"name": "c", "image": "busybox", "securityContext": {"privileged": true}}]}),
            "no privileged containers",
        ),
        (
            "adds a privileged container",
            "agent",
            json!({"containers": [{"name": "d", "image": "busybox", "securityContext": {"privileged": true}}]}),
            "no privileged containers",
        ),
        ("adds the host's memory", "agent", json!({"hostIPC": true}), "no host access"),
        (
            "adds another path of the host",
            "agent",
            json!({"volumes": [{"name": "etc", "hostPath": {"path": "/etc"}}]}),
            "no host paths",
        ),
        (
            "makes it a host process",
            "agent",
            json!({"securityContext": {"windowsOptions": {"hostProcess": true}}}),
            "no host processes",
        ),
    ] {
        let path = deployment(name);
        let change = edit(spec);
        // Defaults the API server fills in (`terminationMessagePath`, …) make a PUT of a merged object the same change.
        let forms = vec![Ask::strategic(&path, &change), Ask::strategic(&path, &change).dry()];
        board.refused("1", &format!("edits a Deployment: {title}"), who, forms, fragment).await;
    }
    let live = Ask::get(&deployment("web")).send(&world.owner.client).await?.body;
    let mut whole = live.clone();
    whole["spec"]["template"]["spec"]["hostPID"] = json!(true);
    board
        .refused(
            "1",
            "edits a Deployment: gives it the host's processes",
            who,
            vec![
                Ask::put(&deployment("web"), &whole),
                Ask::merge(&deployment("web"), &edit(json!({"hostPID": true}))),
            ],
            "no host access",
        )
        .await;
    let cron = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": {"hostPID": true}}}}}});
    board
        .refused(
            "1",
            "edits a CronJob: gives it the host's processes",
            who,
            vec![Ask::merge(&format!("{BATCH}/cronjobs/nightly"), &cron)],
            "no host access",
        )
        .await;
    Ok(())
}

fn without(mut body: Value, key: &str) -> Value {
    body["spec"].as_object_mut().map(|spec| spec.remove(key));
    body
}

/// What an incident needs still works.
async fn work(board: &mut Board, who: &Person) -> Result<()> {
    let restart = json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-24T03:10:00Z"}}}}});
    for name in ["web", "agent"] {
        let path = format!("{APPS}/deployments/{name}");
        board
            .allowed(
                "1",
                &format!("scales {name}"),
                who,
                Ask::merge(&format!("{path}/scale"), &json!({"spec": {"replicas": 1}})),
            )
            .await;
        board
            .allowed(
                "1",
                &format!("scales {name} back"),
                who,
                Ask::merge(&format!("{path}/scale"), &json!({"spec": {"replicas": 0}})),
            )
            .await;
        board.allowed("1", &format!("restarts {name}"), who, Ask::strategic(&path, &restart)).await;
        let image =
            json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "busybox:1.37"}]}}}});
        board.allowed("1", &format!("sets the image of {name}"), who, Ask::strategic(&path, &image)).await;
    }
    let cron = Ask::get(&format!("{BATCH}/cronjobs/nightly")).send(&who.client).await?.body;
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "nightly-now"}, "spec": cron["spec"]["jobTemplate"]["spec"]});
    board.allowed("1", "runs a CronJob's Job now", who, Ask::create(&format!("{BATCH}/jobs"), &job)).await;
    let plain = json!({"spec": {"ephemeralContainers": [{"name": "look", "image": "busybox"}]}});
    board
        .allowed(
            "1",
            "debugs a pod",
            who,
            Ask::strategic(&format!("{CORE}/pods/web-0/ephemeralcontainers"), &plain),
        )
        .await;
    board.allowed("1", "deletes a pod", who, Ask::delete(&format!("{CORE}/pods/web-0")).dry()).await;
    Ok(())
}

/// What Sallyport's widest role holds not at all.
async fn narrow(board: &mut Board, who: &Person) {
    for (title, ask) in [
        ("reads Secrets", Ask::get(&format!("{CORE}/secrets"))),
        ("reads another namespace", Ask::get("/api/v1/namespaces/checkout/pods")),
        ("reads the sessions", Ask::get("/api/v1/namespaces/sallyport-sessions/serviceaccounts")),
        ("reads grants", Ask::get("/apis/access.sallyport.dev/v1alpha1/accessgrants")),
        ("reaches a node", Ask::get("/api/v1/nodes/n/proxy/pods")),
        (
            "impersonates an account",
            Ask::create(
                "/apis/authorization.k8s.io/v1/namespaces/payments/localsubjectaccessreviews",
                &json!({}),
            ),
        ),
        ("mints a token", Ask::create(&format!("{CORE}/serviceaccounts/default/token"), &json!({}))),
        ("binds a friend", Ask::create(&bindings("payments"), &json!({}))),
    ] {
        board.refused("1", title, who, vec![ask], "cannot").await;
    }
}

/// A certificate request for CN=mallory, base64 of PEM; the API server parses it before admission.
const REQUEST: &str = include_str!("request.b64");
