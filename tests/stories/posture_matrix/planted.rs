//! What is planted on some of the planes: guards that pass over some, quotas that bound nothing, grants that nobody needs, and
//! who makes others wait. An API server takes each of them as it is, which is what tells that it is really so.

use super::plane::{Audit, PodSecurity, World};
use super::reader::Reader;
use super::truth::Comes::{self, Fails, Nothing, Passes, Unknown};
use anyhow::{Context as _, Result, ensure};
use sallyport_posture::Ground;
use sallyport_posture::Severity::{High, Info, Low, Medium};
use sallyport_scan::Bounds;
use sallyport_testkit::Plane;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

fn of(group: &str, kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Where it is made, and what.
fn objects() -> Vec<(String, Value)> {
    let asked = json!({"objectSelector": {"matchLabels": {"look-at": "me"}},
        "resourceRules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]});
    let policy = json!({"matchConstraints": asked, "validations": [{"expression": "false"}]});
    // Nobody is there to answer: only what says so is asked about.
    let hook = json!({"name": "planted.example.com", "failurePolicy": "Fail", "sideEffects": "None",
        "admissionReviewVersions": ["v1"], "objectSelector": {"matchLabels": {"look-at": "me"}},
        "clientConfig": {"service": {"namespace": "planted", "name": "nobody"}},
        "rules": [{"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]});
    let exempt = json!({"priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 9000,
        "rules": [{"subjects": [{"kind": "Group", "group": {"name": "system:authenticated"}}],
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["planted.example.com"], "resources": ["*"], "namespaces": ["*"]}]}]});
    let role = |name: &str, verb: &str, resource: &str| {
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"verbs": [verb], "apiGroups": [""], "resources": [resource]}]})
    };
    let bind = |kind: &str, name: &str, role: &str, subject: Value| {
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": {"name": name},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}, "subjects": [subject]})
    };
    let somebody = |kind: &str, name: &str| json!({"apiGroup": RBAC, "kind": kind, "name": name});
    let ended = json!({"kind": "ServiceAccount", "namespace": "sallyport-sessions", "name": "s-abcdefghijklmnop-1700000000"});
    let meta = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    let levels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "planted", "labels": levels}});
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "of-nothing"},
        "spec": {"hard": {"services.loadbalancers": "1"}}});
    let rbac = |plural: &str| format!("/apis/{RBAC}/v1/{plural}");
    let inside = |group: &str, plural: &str| format!("{group}/namespaces/planted/{plural}");
    let admission = |plural: &str| format!("/apis/{ADMISSION}/v1/{plural}");
    vec![
        ("/api/v1/namespaces".to_owned(), namespace),
        (inside("/api/v1", "serviceaccounts"), meta("ServiceAccount", "default")),
        ("/api/v1/namespaces/default/serviceaccounts".to_owned(), meta("ServiceAccount", "default")),
        (inside("/api/v1", "resourcequotas"), quota),
        ("/api/v1/namespaces/kube-system/configmaps".to_owned(), meta("ConfigMap", "coredns")),
        (
            admission("validatingadmissionpolicies"),
            of(ADMISSION, "ValidatingAdmissionPolicy", "planted", policy),
        ),
        (
            admission("validatingadmissionpolicybindings"),
            of(
                ADMISSION,
                "ValidatingAdmissionPolicyBinding",
                "planted",
                json!({"policyName": "planted", "validationActions": ["Deny"]}),
            ),
        ),
        (
            admission("validatingwebhookconfigurations"),
            json!({"apiVersion": format!("{ADMISSION}/v1"), "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "planted"}, "webhooks": [hook]}),
        ),
        (
            "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas".to_owned(),
            of("flowcontrol.apiserver.k8s.io", "FlowSchema", "planted", exempt),
        ),
        (rbac("clusterroles"), role("planted-pods", "create", "pods")),
        (rbac("clusterroles"), role("planted-logs", "get", "pods/log")),
        (rbac("clusterroles"), role("planted-dns", "patch", "configmaps")),
        (rbac("clusterroles"), role("planted-and-left", "get", "pods")),
        (
            rbac("clusterrolebindings"),
            bind("ClusterRoleBinding", "logs", "planted-logs", somebody("User", "ana")),
        ),
        (
            inside(&format!("/apis/{RBAC}/v1"), "rolebindings"),
            bind("RoleBinding", "pods", "planted-pods", somebody("Group", "devs")),
        ),
        (
            inside(&format!("/apis/{RBAC}/v1"), "rolebindings"),
            bind("RoleBinding", "ended", "planted-logs", ended),
        ),
        (
            format!("/apis/{RBAC}/v1/namespaces/kube-system/rolebindings"),
            bind("RoleBinding", "dns", "planted-dns", somebody("Group", "dns")),
        ),
    ]
}

async fn send(client: &kube::Client, method: &str, kind: &str, path: &str, object: &Value) -> Result<Value> {
    let request = http::Request::builder().method(method).uri(path).header("content-type", kind);
    let body = serde_json::to_vec(object)?;
    client.request(request.body(body)?).await.with_context(|| format!("{method} {path}: {object}"))
}

/// Plants all of it.
pub(super) async fn plant(plane: &Plane, world: &World) -> Result<()> {
    let admin = plane.admin()?;
    for (path, object) in objects() {
        send(&admin, "POST", "application/json", &path, &object).await?;
    }
    let patch = "application/merge-patch+json";
    let levels = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}});
    send(&admin, "PATCH", patch, "/api/v1/namespaces/default", &levels).await?;
    // The API server takes it as its own, and will leave it as somebody changes it.
    let left = json!({"metadata": {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}});
    let basic = format!("/apis/{RBAC}/v1/clusterroles/system:basic-user");
    send(&admin, "PATCH", patch, &basic, &left).await?;
    if world.pod_security == PodSecurity::Spares {
        let spared = plane.client_for_user("spared", &["system:masters"])?;
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "spared"},
            "spec": {"hostPID": true, "containers": [{"name": "a", "image": "a"}]}});
        let path = "/api/v1/namespaces/planted/pods?dryRun=All";
        send(&spared, "POST", "application/json", path, &pod).await?;
    }
    Ok(())
}

/// What a reader's scan has to say of it, and of planes where nothing was planted.
pub(super) fn expected(world: &World, reader: Reader, version: (u32, u32)) -> Vec<(&'static str, Comes)> {
    let mut all = vec![("AD-02", Unknown), ("AN-09", Unknown)];
    if reader == Reader::Nobody {
        all.extend(TAKE_RIGHTS.map(|id| (id, Unknown)));
        return all;
    }
    let planted = |comes, otherwise| if world.planted { comes } else { otherwise };
    let levels = match world.pod_security {
        PodSecurity::On => Passes,
        // Others than the system make pods there.
        PodSecurity::Off => Fails(High),
        // One was seen that passed by it.
        PodSecurity::Spares => Fails(Medium),
    };
    let ships = if is_written_down(version) { planted(Fails(Low), Passes) } else { Unknown };
    all.extend([
        // Without it the namespace `default` has no level.
        ("AD-01", planted(levels, Fails(Medium))),
        ("AD-03", Passes),
        ("AD-04", planted(Fails(Medium), Passes)),
        ("AD-05", planted(Fails(Low), Passes)),
        ("AD-07", planted(Fails(Low), Passes)),
        ("AD-10", Nothing),
        ("AD-11", planted(Fails(Medium), Passes)),
        ("AP-12", planted(Fails(Medium), Passes)),
        ("RB-23", planted(Fails(Medium), Nothing)),
        ("RB-36", planted(Fails(Info), Passes)),
        ("RB-38", ships),
        ("RB-40", planted(Fails(Low), Passes)),
        ("RB-42", planted(Fails(Medium), Passes)),
        ("AN-08", planted(Unknown, Nothing)),
        ("AU-05", if matches!(world.audit, Audit::Off | Audit::None) { Nothing } else { Unknown }),
    ]);
    all
}

const TAKE_RIGHTS: [&str; 14] = [
    "AD-01", "AD-03", "AD-04", "AD-05", "AD-07", "AD-11", "AP-12", "RB-23", "RB-36", "RB-38", "RB-40",
    "RB-42", "AN-08", "AU-05",
];

/// What each version ships, as it is written down.
const SHIPS: &str = include_str!("../../../crates/posture/src/defaults.txt");

fn is_written_down((major, minor): (u32, u32)) -> bool {
    let version = format!("{major}.{minor} ");
    SHIPS.lines().any(|line| line.starts_with(&version))
}

/// What comes of trying a privileged pod with an admin's rights, and what is so.
pub(super) async fn tried(plane: &Plane, world: &World) -> Result<(bool, String)> {
    let admin = plane.admin()?;
    let mut reading = sallyport_scan::cluster(&admin, &Bounds::default()).await?;
    reading.tried = Some(sallyport_scan::privileged(&admin, &reading, &Bounds::default()).await);
    let snapshot = reading.snapshot();
    let report = Ground::new(&snapshot).report();
    let judged = report.checks.iter().find(|one| one.check.id == "AD-02").context("AD-02 is asked")?;
    let wanted = match world.pod_security {
        PodSecurity::Off => Fails(High),
        PodSecurity::On | PodSecurity::Spares => Passes,
    };
    let pods: Value = admin.request(http::Request::get("/api/v1/pods").body(Vec::new())?).await?;
    ensure!(
        pods.pointer("/items").and_then(Value::as_array).is_some_and(Vec::is_empty),
        "something was kept: {pods}"
    );
    Ok((Comes::of(judged) == wanted, format!("{:?} {:?}", judged.verdict, reading.tried)))
}
