//! Trying a privileged pod on a real API server: what a guard says, what nobody guards, and that nothing is kept.

use crate::{CHANGES, found, plane, posture, reader, schema, text, verdict};
use anyhow::{Result, ensure};

const POLICY: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: try.example}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: try-policy}}
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: "!has(object.spec.hostPID) || !object.spec.hostPID", message: no pods of the node here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: try.example}
spec: {policyName: try.example, validationActions: [Deny]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_privileged_pod_is_tried_where_a_person_asks_for_it_and_nothing_is_kept() -> Result<()> {
    let _alone = CHANGES.lock().await;
    let plane = plane().await?;
    let kubectl = plane.kubectl();
    for (name, level) in [("try-guarded", Some("restricted")), ("try-open", None), ("try-policy", None)] {
        kubectl.ok(&["create", "namespace", name]).await?;
        if let Some(level) = level {
            let label = format!("pod-security.kubernetes.io/enforce={level}");
            kubectl.ok(&["label", "namespace", name, &label]).await?;
        }
    }
    kubectl.apply(POLICY).await?;
    let config = plane.admin_kubeconfig();
    let scan = ["scan", "--kubeconfig", text(&config)?, "--no-probes", "--fail-on", "never", "-o", "json"];
    // Nobody asked: nobody tried.
    let report = posture(&scan).await?.json()?;
    let why = verdict(&report, "AD-02");
    ensure!(
        why["verdict"] == "unknown" && why["why"].as_str().is_some_and(|why| why.contains("--dry-run-pods")),
        "{why}"
    );
    // Accounts and policies are a moment later.
    let mut last = serde_json::Value::Null;
    let settled = |report: &serde_json::Value| {
        let notes = report["notes"].to_string();
        notes.contains("no pods of the node here")
            && notes.contains("violates PodSecurity")
            && found(report, "AD-02", "try-open").is_some()
    };
    for _ in 0..60 {
        last = posture(&[&scan[..], &["--dry-run-pods"]].concat()).await?.json()?;
        if settled(&last) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    schema::holds("report", &last)?;
    ensure!(settled(&last), "{} {}", last["notes"], verdict(&last, "AD-02"));
    ensure!(verdict(&last, "AD-02")["verdict"] == "fail", "{}", verdict(&last, "AD-02"));
    for refused in ["try-guarded", "try-policy"] {
        ensure!(found(&last, "AD-02", refused).is_none(), "{refused} refuses it");
    }
    let notes = last["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |words: &str| notes.iter().filter_map(|one| one.as_str()).find(|one| one.contains(words));
    ensure!(of("violates PodSecurity").is_some_and(|one| one.contains("try-guarded")), "{notes:?}");
    ensure!(of("no pods of the node here").is_some_and(|one| one.contains("try-policy")), "{notes:?}");
    let pods = kubectl.ok(&["get", "pods", "-A", "-o", "name"]).await?;
    ensure!(!pods.contains("sallyport-try"), "something was kept: {pods}");

    // With rights that do not reach so far it is unknown, and says which is missing.
    let reader = reader().await?;
    let with = ["scan", "--kubeconfig", text(&reader)?, "--no-probes", "--fail-on", "never", "-o", "json"];
    let report = posture(&[&with[..], &["--dry-run-pods"]].concat()).await?.json()?;
    ensure!(verdict(&report, "AD-02")["verdict"] != "pass", "{}", verdict(&report, "AD-02"));
    // What was kept is not tried again, nor is a kubeconfig alone.
    for source in [["--snapshot", "."].as_slice(), &["--kubeconfig", text(&config)?, "--offline"]] {
        let ran = posture(&[&["scan", "--dry-run-pods"], source].concat()).await?;
        ensure!(ran.code == 2 && ran.err.contains("cannot be used with"), "{} {}", ran.code, ran.err);
    }
    kubectl
        .ok(&["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "try.example"])
        .await?;
    for name in ["try-guarded", "try-open", "try-policy"] {
        kubectl.ok(&["delete", "namespace", name]).await?;
    }
    Ok(())
}
