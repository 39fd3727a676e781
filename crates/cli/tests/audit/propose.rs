//! A proposal on a real API server: enough for what was done, and for nothing beside it.

use super::audit;
use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::{Kubectl, Plane, PlaneOptions, Pods};
use std::fs;
use std::time::Duration;

const GRANTED: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: wide}
rules:
- {apiGroups: [""], resources: [pods, configmaps, services, secrets, nodes], verbs: [get, list, watch, create, update, patch, delete]}
- {apiGroups: [""], resources: [pods/exec, pods/log], verbs: [get, create]}
- {apiGroups: [apps], resources: [deployments, deployments/scale], verbs: ["*"]}
- {nonResourceURLs: ["/metrics"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: wide}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: wide}
subjects: [{kind: ServiceAccount, namespace: ci, name: robot}]
"#;

const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: payments}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: a, image: a}]}
"#;

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: payments}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.test/web:1.4.2"}]}
"#;

/// What the account does, in order, so that it can be done again by another.
async fn work(kubectl: &Kubectl, deployment: &str, pod: &str) -> Result<()> {
    for args in [
        &["-n", "payments", "get", "pods"][..],
        &["-n", "shop", "get", "pods"],
        &["-n", "ops", "get", "pods"],
        &["-n", "payments", "exec", pod, "--", "true"],
        &["-n", "payments", "logs", pod],
        &["get", "nodes"],
        &["-n", "payments", "apply", "--server-side", "--force-conflicts", "-f", deployment],
        &["-n", "payments", "scale", "deployment/checkout", "--replicas=0"],
        &["-n", "payments", "scale", "deployment/checkout", "--replicas=1"],
        &["get", "--raw", "/metrics"],
    ] {
        kubectl.ok(args).await?;
    }
    // Twice: what is met once is no habit.
    for value in ["a", "b"] {
        let value = format!("{{\"data\":{{\"held\":\"{value}\"}}}}");
        kubectl.ok(&["-n", "payments", "patch", "configmap", "lock", "-p", &value]).await?;
        kubectl.ok(&["-n", "payments", "get", "configmap", "lock"]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p22_what_is_proposed_is_enough_on_a_real_api_server_and_no_more() -> Result<()> {
    let plane = Plane::start(PlaneOptions::new("propose").pods()).await?;
    let admin = plane.kubectl();
    let dir = tempfile::tempdir()?;
    let path =
        |name: &str| dir.path().join(name).to_str().map(str::to_owned).context("a path that is no text");
    let (granted, deployment, archive) = (path("granted.yaml")?, path("deployment.yaml")?, path("archive")?);
    fs::write(&granted, GRANTED)?;
    fs::write(&deployment, DEPLOYMENT.replace("NAME", "checkout"))?;
    for args in [
        &["create", "namespace", "payments"][..],
        &["create", "namespace", "shop"],
        &["create", "namespace", "ops"],
        &["create", "namespace", "ci"],
        &["-n", "ci", "create", "serviceaccount", "robot"],
        &["-n", "ci", "create", "serviceaccount", "successor"],
        &["-n", "payments", "create", "configmap", "lock", "--from-literal=a=b"],
        &["-n", "payments", "create", "configmap", "other", "--from-literal=a=b"],
        &["create", "-f", &granted],
    ] {
        admin.ok(args).await?;
    }
    admin.apply(WEB).await?;
    let pods = Pods::running(&plane, "payments", "app=web", 1, Duration::from_secs(90)).await?;
    let pod = pods.first().context("a pod")?;
    let as_account = async |name: &str| -> Result<Kubectl> {
        let token = admin.ok(&["-n", "ci", "create", "token", name]).await?;
        Ok(plane.kubectl_with(&plane.kubeconfig_with_token(token.trim())?))
    };
    let robot = as_account("robot").await?;
    work(&robot, &deployment, pod).await?;
    // It may not do this, and it must not be granted for having been tried.
    ensure!(robot.run(&["-n", "payments", "get", "events"]).await?.code != Some(0), "the robot reads events");
    // An address that would be everything, were it made a rule.
    robot.run(&["get", "--raw", "/logs/*"]).await?;
    admin.run(&["get", "--raw", "/apis/apps/v1/*", "--as=system:serviceaccount:ci:robot"]).await?;

    let log = plane.audit_log().context("the plane keeps an audit log")?;
    let log = log.to_str().context("a path that is no text")?;
    let import = audit(&["import", "--archive", &archive, "--cluster", "eu-1", log]).await?;
    ensure!(import.code == 0, "{} {}", import.out, import.err);
    let propose = async |more: &[&str]| {
        let robot = ["propose", "--archive", &archive, "--account", "ci/robot"];
        audit(&[&robot[..], more].concat()).await
    };
    let json = propose(&["-o", "json", "--snapshot", &granted, "--whole", "rbac"]).await?;
    ensure!(json.code == 0, "{} {}", json.out, json.err);
    let view = json.json()?;
    ensure!(view["cluster"] == "eu-1" && view["odd"] == serde_json::json!([]), "{view}");
    let refused = view["refused"].as_array().context("refused")?;
    for what in ["list events in payments", "get /logs/*", "list *.apps"] {
        ensure!(refused.iter().any(|one| one["what"] == what), "{what}: {view}");
    }
    // What it held and never used is said, and what it used is not.
    let binding = &view["holds"]["bindings"][0];
    let unused: Vec<&str> =
        binding["unused"].as_array().context("unused")?.iter().filter_map(|one| one.as_str()).collect();
    for never in [
        "get secrets",
        "delete configmaps",
        "create pods",
        "watch services",
        "any verb on deployments.apps/scale",
    ] {
        ensure!(unused.contains(&never), "{never}: {unused:?}");
    }
    for did in ["list pods", "get configmaps", "patch configmaps", "get /metrics", "patch deployments.apps"] {
        ensure!(!unused.contains(&did), "{did}: {unused:?}");
    }
    ensure!(view["holds"]["unexplained"] == serde_json::json!([]), "{view}");

    let told = propose(&["--snapshot", &granted, "--whole", "rbac"]).await?;
    ensure!(
        told.code == 0 && told.out.contains("never used: secrets: create, delete, get, list,"),
        "{}",
        told.out
    );
    ensure!(told.out.contains("Refused, and not in it") && told.out.contains("Not known:"), "{}", told.out);

    // Two namespaces in which the same was done share a role, and no binding of it holds everywhere.
    let shared =
        view["roles"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "proposed-robot-2"));
    let shared = shared.context("a shared role")?;
    ensure!(
        shared["kind"] == "ClusterRole" && shared["namespaces"] == serde_json::json!(["ops", "shop"]),
        "{view}"
    );
    let added = view["added"].as_array().context("added")?;
    let socket = added.iter().find(|one| one["resource"] == "pods/exec").context("exec")?;
    ensure!(
        socket["verb"] == "create" && socket["namespace"] == "payments",
        "kubectl execs by a WebSocket: {view}"
    );

    let yaml = propose(&["-o", "yaml", "--to", "sa:ci/successor"]).await?;
    ensure!(yaml.code == 0, "{} {}", yaml.out, yaml.err);
    ensure!(!yaml.out.contains('*'), "nothing in it is a wildcard: {}", yaml.out);
    let proposed = path("proposed.yaml")?;
    fs::write(&proposed, &yaml.out)?;
    let successor = as_account("successor").await?;
    ensure!(
        successor.run(&["-n", "payments", "get", "pods"]).await?.code != Some(0),
        "nothing was granted yet"
    );
    admin.ok(&["create", "-f", &proposed]).await?;
    // A second time nothing is overwritten.
    ensure!(admin.run(&["create", "-f", &proposed]).await?.code != Some(0), "{}", yaml.out);
    admin.ok(&["-n", "payments", "delete", "deployment", "checkout"]).await?;
    work(&successor, &deployment, pod).await.with_context(|| yaml.out.clone())?;
    let other = path("other.yaml")?;
    fs::write(&other, DEPLOYMENT.replace("NAME", "another"))?;
    for refused in [
        &["-n", "payments", "get", "secrets"][..],
        &["-n", "shop", "get", "configmap", "kube-root-ca.crt"],
        &["-n", "payments", "get", "configmap", "other"],
        &["-n", "payments", "get", "configmaps"],
        &["-n", "payments", "delete", "configmap", "lock"],
        &["-n", "payments", "delete", "deployment", "checkout"],
        &["-n", "payments", "get", "events"],
        &["get", "pods", "--all-namespaces"],
        &["-n", "shop", "get", "deployments"],
        &["-n", "payments", "attach", pod],
        &["get", "--raw", "/api/v1/namespaces/shop/pods/some-pod/log"],
        &["get", "--raw", "/debug/pprof/"],
        &["-n", "payments", "create", "configmap", "new", "--from-literal=a=b"],
    ] {
        let ran = successor.run(refused).await?;
        ensure!(
            ran.code != Some(0) && ran.stderr.contains("orbidden"),
            "{refused:?} {}: {}",
            ran.text(),
            yaml.out
        );
    }
    Ok(())
}

#[tokio::test]
async fn whose_rights_on_which_cluster_has_to_be_said() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path =
        |name: &str| dir.path().join(name).to_str().map(str::to_owned).context("a path that is no text");
    let (archive, log) = (path("archive")?, path("a.log")?);
    let event = |verb: &str, user: &str, uri: &str, object: &str, code: u16| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a-1","stage":"ResponseComplete","requestURI":"{uri}","verb":"{verb}","user":{{"username":"{user}"}}{object},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"2026-11-29T12:00:00.000000Z","stageTimestamp":"2026-11-29T12:00:00.001000Z"}}"#
        )
    };
    let pods = r#","objectRef":{"resource":"pods","namespace":"pay","apiVersion":"v1"}"#;
    let all = r#","objectRef":{"resource":"*","apiVersion":"v1"}"#;
    let token = r#","objectRef":{"resource":"serviceaccounts","namespace":"pay","name":"ci","subresource":"token","apiVersion":"v1"}"#;
    let hostile = "evil\\u202e\\n---\\nkind: x";
    let lines = [
        event("list", "dana", "/api/v1/namespaces/pay/pods", pods, 200),
        event("list", "dana", "/api/v1/*", all, 404),
        event("get", "dana", "/logs/*", "", 404),
        event("get", "dana", "/metrics?token=abc", "", 200),
        event("list", hostile, "/api/v1/namespaces/pay/pods", pods, 200),
        event("create", "root", "/api/v1/namespaces/pay/serviceaccounts/ci/token", token, 201),
        event("list", "mallory", "/api/v1/namespaces/pay/pods", pods, 403),
    ];
    fs::write(&log, lines.join("\n") + "\n")?;
    for cluster in ["eu-1", "us-1"] {
        audit(&["import", "--archive", &archive, "--cluster", cluster, &log]).await?;
    }
    let propose =
        async |more: &[&str]| audit(&[&["propose", "--archive", &archive][..], more].concat()).await;
    let both = propose(&["--person", "dana"]).await?;
    ensure!(both.code == 2 && both.err.contains("eu-1, us-1"), "{} {}", both.out, both.err);
    let one = propose(&["--person", "dana", "--cluster", "eu-1", "-o", "yaml"]).await?;
    ensure!(
        one.code == 0 && !one.out.contains('*') && one.out.contains("[\"/metrics\"]"),
        "{} {}",
        one.out,
        one.err
    );
    let told = propose(&["--person", "dana", "--cluster", "eu-1"]).await?;
    ensure!(told.out.contains("get /logs/*") && told.out.contains("list * (1 call"), "{}", told.out);
    // P24: a name ends no line and no document.
    let evil =
        propose(&["--person", "evil\u{202e}\n---\nkind: x", "--cluster", "eu-1", "-o", "yaml"]).await?;
    ensure!(
        evil.code == 0 && !evil.out.contains('\u{202e}') && !evil.out.contains("\nkind: x"),
        "{}",
        evil.out
    );
    // What is strong is said, whoever used it.
    let admin = propose(&["--person", "root", "--cluster", "eu-1"]).await?;
    ensure!(admin.code == 0 && admin.out.contains("STRONG: "), "{}", admin.out);
    let mallory = propose(&["--person", "mallory", "--cluster", "eu-1", "-o", "json"]).await?;
    ensure!(mallory.code == 1 && mallory.json()?["roles"] == serde_json::json!([]), "{}", mallory.out);
    for wrong in [
        &[][..],
        &["--person", "dana", "--account", "a/b"],
        &["--account", "robot"],
        &["--person", "dana", "--to", "robot"],
        &["--session", "s-a-1", "--snapshot", &log],
        &["--person", "dana", "--names", "51"],
    ] {
        let ran = propose(wrong).await?;
        ensure!(
            ran.code == 2 && !ran.err.is_empty() && !ran.err.contains("panicked"),
            "{wrong:?} {}",
            ran.err
        );
    }
    let nobody = propose(&["--person", "nobody"]).await?;
    ensure!(nobody.code == 1 && nobody.out.contains("no call of theirs"), "{} {}", nobody.out, nobody.err);
    Ok(())
}
