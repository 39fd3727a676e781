//! P17: the API server's own audit log and what the gateway tells of are one account of the same calls.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::World;
use anyhow::{Context, Result, ensure};
use sallyport_gateway::{Call, CallOutcome, CallPhase, Target};
use serde_json::Value;

/// What an audit event says the call was about.
fn target_of(event: &Value) -> Target {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let about = &event["objectRef"];
    Target {
        verb: text(&event["verb"]),
        group: text(&about["apiGroup"]),
        version: text(&about["apiVersion"]),
        resource: text(&about["resource"]),
        subresource: text(&about["subresource"]),
        namespace: text(&about["namespace"]),
        name: text(&about["name"]),
    }
}

/// Finished events of that user by audit id.
async fn events(w: &World, wanted: usize) -> Result<BTreeMap<String, Value>> {
    let start = Instant::now();
    loop {
        let log = w.plane.audit_text()?;
        let mut found = BTreeMap::new();
        for event in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if event["user"]["username"] == w.user.as_str() && event["stage"] == "ResponseComplete" {
                found.insert(event["auditID"].as_str().context("an id")?.to_owned(), event);
            }
        }
        if found.len() >= wanted || start.elapsed() > Duration::from_secs(60) {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_the_api_servers_audit_knows_every_call_by_the_same_id_token_and_target() -> Result<()> {
    let mut w = World::new().await?;
    let pod = w.pod.clone();
    for args in [
        &["get", "pods"][..],
        &["get", "namespace", "default"],
        &["get", "--raw", "/api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Dweb&limit=1"],
        &["get", "--raw", "/api/v1/pods?watch=false"],
        &["get", "--raw", "/api/v1/watch/namespaces/default/pods?timeoutSeconds=1"],
        &["get", "--raw", "/api/v1/pods?watch=1&timeoutSeconds=1"],
        &["get", "--raw", "/api/v1/namespaces/default/status"],
        &["get", "--raw", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode"],
        &["get", "--raw", "/livez?verbose"],
        &["get", "--raw", "/apis/apps/v1/namespaces/default/deployments/web/scale"],
        &["get", "--raw", "/api/v1/namespaces/default/pods/nobody"],
        &["auth", "can-i", "get", "pods"],
        &["exec", &pod, "--", "true"],
        &["logs", &pod, "--tail=1"],
        &["create", "configmap", "audited", "-n", "gateway-tests"],
        &["label", "configmap", "audited", "-n", "gateway-tests", "a=b"],
        &["delete", "configmaps", "-n", "gateway-tests", "-l", "a=b"],
        &["delete", "--raw", "/api/v1/namespaces/gateway-tests/configmaps?labelSelector=none%3Dhere"],
        &["drain", "node-b", "--dry-run=server", "--ignore-daemonsets", "--force"],
    ] {
        // Not all succeed; all are calls.
        w.through.run(args).await?;
    }
    let live = w.gateway.live(&w.session).context("open")?;
    ensure!(live.open.is_empty(), "{:?}", live.open);
    let mut calls: BTreeMap<String, Call> = BTreeMap::new();
    while calls.len() < usize::try_from(live.calls)? {
        let call = tokio::time::timeout(Duration::from_secs(60), w.calls.recv()).await?.context("told of")?;
        if call.phase == CallPhase::Ended {
            ensure!(calls.insert(call.audit_id.to_string(), call).is_none(), "told of twice");
        }
    }
    ensure!(calls.len() >= 20, "{} calls", calls.len());

    let events = events(&w, calls.len()).await?;
    for (id, call) in &calls {
        let event = events.get(id).with_context(|| format!("not in the audit log: {call:?}"))?;
        let mut target = target_of(event);
        if target.verb == "create" && call.target.name.is_empty() {
            // The API server adds the name it found in the body.
            target.name.clear();
        }
        ensure!(target == call.target, "{call:?}\n{event}\n{:?}", call.target);
        ensure!(event["responseStatus"]["code"] == call.status.unwrap_or_default(), "{call:?}\n{event}");
        ensure!(call.outcome == CallOutcome::Answered, "{call:?}");
        let credential = &event["user"]["extra"]["authentication.kubernetes.io/credential-id"][0];
        ensure!(credential == format!("JTI={}", w.jti).as_str() && call.jti.as_str() == w.jti, "{event}");
        ensure!(event["userAgent"].as_str() == call.user_agent.as_deref(), "{event}");
        ensure!(event["sourceIPs"] == serde_json::json!(["127.0.0.1"]), "{event}");
    }
    let stray: Vec<_> = events.keys().filter(|id| !calls.contains_key(*id)).collect();
    ensure!(stray.is_empty(), "in the audit log and not told of: {stray:?}");
    println!("{} calls agree with the audit log", calls.len());
    Ok(())
}
