//! What changes on the cluster while a session is open, or before it can be (fault_a7, fault_c11, fault_c12).

use crate::hindered::until_closing;
use crate::refusals::make_profile;
use crate::world::{Asked, BINDINGS, Person, World, ended, eventually, get, grant_name, world};
use anyhow::{Context, Result, ensure};
use kube::api::DeleteParams;
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_model::Phase;
use sallyport_testkit::broker::BrokerOptions;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const CHECKOUT: &str = "/api/v1/namespaces/checkout/pods";
/// Far less than the ten minutes after which it would look by itself. How quick it is the benches measure.
const WOKEN: Duration = Duration::from_secs(60);

/// A broker that looks at nothing by itself within the test: whatever it does in time, a watch has woken it.
pub(crate) fn never_by_itself() -> BrokerOptions {
    BrokerOptions::default().flag("--resync=10m")
}

async fn both(ann: &Person, world: &World) -> Result<(Asked, AccessRequest)> {
    let asked = ann.ask(world, "debug", &["payments", "checkout"]).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    Ok((asked, request))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a7_a_standing_binding_made_while_a_session_is_open_closes_it_and_is_named() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let ann = world.ann()?;
    let kubectl = world.target.kubectl();
    for (kind, group, place) in [
        ("clusterrolebinding", "system:serviceaccounts", None),
        ("clusterrolebinding", "system:authenticated", None),
        ("rolebinding", "system:authenticated", Some("default")),
    ] {
        let (asked, request) = ann.open(world).await?;
        let namespace = place.map(|place| format!("--namespace={place}"));
        let group_flag = format!("--group={group}");
        let mut args = vec!["create", kind, "test-standing", "--clusterrole=view", &group_flag];
        args.extend(namespace.as_deref());
        let begun = Instant::now();
        kubectl.ok(&args).await?;
        let said = ann.end_of(&asked).await;
        let took = begun.elapsed();
        println!("{kind} to {group} to Closed: {} ms", took.as_millis());
        let mut args = vec!["delete", kind, "test-standing"];
        args.extend(namespace.as_deref());
        kubectl.ok(&args).await?;
        let said = said?;
        ensure!(said.starts_with("Revoked: closed because a standing binding adds rights"), "{said}");
        ensure!(said.contains("test-standing") && said.contains(group), "{said}");
        ensure!(took < WOKEN, "nothing woke it: {took:?}");
        ensure!(world.left(&request).await?.is_empty());
        // The broker has heard that it is gone before the next one comes.
        let (opened, _) = ann.open_again(world).await?;
        ann.leave(&opened).await?;
    }
    // What every cluster has, a dangling binding, and one to somebody else close nothing.
    let (asked, _) = ann.open(world).await?;
    kubectl
        .ok(&[
            "create",
            "clusterrolebinding",
            "test-dangling",
            "--clusterrole=none",
            "--group=system:authenticated",
        ])
        .await?;
    kubectl
        .ok(&["create", "clusterrolebinding", "test-others", "--clusterrole=view", "--group=people"])
        .await?;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let still = ann.hub.request(&asked.which).await?;
    kubectl.ok(&["delete", "clusterrolebinding", "test-dangling", "test-others"]).await?;
    ensure!(still.phase() == Phase::Active, "{}", ended(&still));
    ann.leave(&asked).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a7_a_namespace_that_takes_no_sessions_any_more_closes_those_in_it() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let ann = world.ann()?;
    let (asked, request) = both(&ann, world).await?;
    let (elsewhere, _) = ann.open(world).await?;
    let label = async |value: &str| {
        world.target.kubectl().ok(&["label", "namespace", "checkout", value, "--overwrite"]).await
    };
    label("access.sallyport.dev/sessions-").await?;
    let begun = Instant::now();
    let said = ann.end_of(&asked).await;
    let took = begun.elapsed();
    let still = ann.hub.request(&elsewhere.which).await;
    label("access.sallyport.dev/sessions=true").await?;
    let said = said?;
    ensure!(
        said.starts_with("Revoked: closed because namespace checkout takes no sessions any more"),
        "{said}"
    );
    ensure!(world.left(&request).await?.is_empty());
    ensure!(took < WOKEN, "nothing woke it: {took:?}");
    ensure!(still?.phase() == Phase::Active, "a session elsewhere was closed along");
    ann.leave(&elsewhere).await?;
    Ok(())
}

/// A copy of a session's binding in another namespace, as a controller makes it that copies labels too.
fn copy(request: &AccessRequest, name: &str, labelled: bool) -> Result<String> {
    let grant = grant_name(request);
    let record = request.status.as_ref().and_then(|s| s.grant.as_ref()).context("a grant")?;
    let labels = if labelled { json!({"access.sallyport.dev/grant": grant}) } else { json!({}) };
    Ok(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "checkout", "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sallyport:debug"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "sallyport-sessions", "name": record.account}],
    })
    .to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_c12_what_nobody_planned_is_removed_from_an_open_session() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    let (other, theirs) = ann.open(world).await?;
    let sealed = ann.unseal(&asked, &request)?;
    world.without_guardrail(BINDINGS).await?;
    let kubectl = world.target.kubectl();
    let name = format!("{}-0", grant_name(&request));
    let seen = async {
        kubectl.apply(&copy(&request, &name, true)?).await?;
        let begun = Instant::now();
        let gone =
            async || Ok(kubectl.run(&["get", "rolebinding", &name, "-n", "checkout"]).await?.code != Some(0));
        eventually("its removal", WOKEN, gone).await?;
        println!("copied to removed: {} ms", begun.elapsed().as_millis());
        eventually("a refusal", Duration::from_secs(60), async || Ok(get(&sealed, CHECKOUT).await? == 403))
            .await?;
        let mut said = String::new();
        eventually("the word of it", Duration::from_secs(60), async || {
            let request = ann.hub.request(&asked.which).await?;
            ensure!(request.phase() == Phase::Active, "it closed: {}", ended(&request));
            said = request.status.and_then(|s| s.message).unwrap_or_default();
            Ok(said.contains("that nobody planned") && said.contains(&format!("RoleBinding checkout/{name}")))
        })
        .await
        .with_context(|| said.clone())?;
        // Again and again is more than was decided.
        let begun = Instant::now();
        while ann.hub.request(&asked.which).await?.phase() == Phase::Active
            && begun.elapsed() < Duration::from_secs(60)
        {
            let _ = kubectl.apply(&copy(&request, &name, true)?).await;
        }
        // One that is not labelled as the grant's is not the broker's to remove.
        kubectl.apply(&copy(&theirs, "handmade", false)?).await?;
        anyhow::Ok(())
    };
    let seen = seen.await;
    let said = ann.end_of(&other).await;
    kubectl.ok(&["delete", "rolebinding", "handmade", "-n", "checkout", "--ignore-not-found"]).await?;
    world.restore_guardrails().await?;
    seen?;
    let again = ann.end_of(&asked).await?;
    ensure!(
        again.starts_with("Revoked: closed because somebody makes bindings for it again and again"),
        "{again}"
    );
    let said = said?;
    ensure!(
        said.starts_with("Revoked: closed because RoleBinding checkout/handmade adds rights to it"),
        "{said}"
    );
    eventually("the last copy's removal", Duration::from_secs(60), async || {
        Ok(world.left(&request).await?.is_empty())
    })
    .await?;
    Ok(())
}

/// That the API server takes a removal does not mean that the object goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_c12_a_binding_that_a_finalizer_holds_is_not_called_removed() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    world.without_guardrail(BINDINGS).await?;
    let kubectl = world.target.kubectl();
    let name = format!("{}-0", grant_name(&request));
    let mut held: serde_json::Value = serde_json::from_str(&copy(&request, &name, true)?)?;
    held["metadata"]["finalizers"] = json!(["example.org/stay"]);
    kubectl.apply(&held.to_string()).await?;
    let stuck = until_closing(&ann, &asked, "Finalizer").await;
    let let_go = r#"{"metadata":{"finalizers":null}}"#;
    kubectl.ok(&["patch", "rolebinding", &name, "-n", "checkout", "-p", let_go]).await?;
    kubectl.ok(&["delete", "rolebinding", &name, "-n", "checkout", "--ignore-not-found"]).await?;
    world.restore_guardrails().await?;
    let reason = stuck?.condition(CONDITION_ENDED).cloned().context("how it will have ended")?;
    ensure!(reason.status == "False" && reason.reason == "Revoked", "{reason:?}");
    let said = ann.end_of(&asked).await?;
    let why = "Revoked: closed because a binding that nobody planned adds rights to it and can't be removed";
    ensure!(said.starts_with(&format!("{why}: RoleBinding checkout/{name} is still there")), "{said}");
    ensure!(world.left(&request).await?.is_empty());
    Ok(())
}

/// It is the subjects who get the rights, whatever the label says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_c12_a_foreign_binding_wakes_its_session_whatever_its_label() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let ann = world.ann()?;
    let (elsewhere, theirs) = ann.open(world).await?;
    let mut opened = Vec::new();
    for _ in 0..3 {
        opened.push(ann.open(world).await?);
    }
    world.without_guardrail(BINDINGS).await?;
    let kubectl = world.target.kubectl();
    let mut ends = Vec::new();
    let cases = [(Some("x".to_owned()), false), (Some(grant_name(&theirs)), true), (None, true)];
    for ((asked, request), (label, as_user)) in opened.iter().zip(cases) {
        let mut binding: serde_json::Value = serde_json::from_str(&copy(request, "handmade", false)?)?;
        if let Some(label) = &label {
            binding["metadata"]["labels"] = json!({"access.sallyport.dev/grant": label});
        }
        if as_user {
            let account = binding["subjects"][0]["name"].as_str().unwrap_or_default();
            let user = format!("system:serviceaccount:sallyport-sessions:{account}");
            binding["subjects"] =
                json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}]);
        }
        kubectl.apply(&binding.to_string()).await?;
        let end = ann.until_within(asked, Phase::Closed, WOKEN).await;
        kubectl.ok(&["delete", "rolebinding", "handmade", "-n", "checkout"]).await?;
        ends.push((label, as_user, end.map(|request| ended(&request))));
    }
    world.restore_guardrails().await?;
    for (label, as_user, end) in ends {
        let said = end.with_context(|| format!("label {label:?}, as a user: {as_user}"))?;
        let why = "Revoked: closed because RoleBinding checkout/handmade adds rights to it";
        ensure!(said.starts_with(why), "{said}");
    }
    ann.leave(&elsewhere).await?;
    Ok(())
}

/// In a RoleBinding an account without a namespace is one of the RoleBinding's own; elsewhere it is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_c12_an_account_named_without_its_namespace_is_bound_by_the_broker_only() -> Result<()> {
    let (world, _turn) = world().await?;
    let ours = "only the broker binds session accounts";
    for (kind, place, refused) in [
        ("RoleBinding", json!("sallyport-sessions"), ours),
        ("ClusterRoleBinding", json!(null), "subjects[0].namespace: Required value"),
    ] {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": "no-namespace", "namespace": place},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "s-abcd-1795503600"}],
        });
        let args = ["create", "--validate=false", "--dry-run=server", "-f", "-"];
        let tried = world.target.kubectl().run_with_stdin(&args, binding.to_string().as_bytes()).await?;
        ensure!(tried.code != Some(0), "{kind}: taken");
        ensure!(tried.stderr.contains(refused), "{kind}: {}", tried.stderr);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_c11_a_namespace_on_its_way_out_and_a_quota_are_named_with_what_to_ask_for_instead()
-> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let kubectl = world.target.kubectl();
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments", "passing"], "maxDuration": "1h"});
    let profiles = make_profile(world, "passing", spec).await?;
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"passing","labels":{"access.sallyport.dev/sessions":"true"}}}"#;
    let held = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"held","namespace":"passing","finalizers":["example.org/stay"]}}"#;
    kubectl.apply(&format!("{namespace}\n---\n{held}")).await?;
    let quota = |name: &str, namespace: &str, what: &str| {
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name, "namespace": namespace},
            "spec": {"hard": {what: "0"}}})
        .to_string()
    };
    let bindings = "count/rolebindings.rbac.authorization.k8s.io";
    let seen = async {
        let ask = async || {
            let asked = ann.ask(world, "passing", &["payments", "passing"]).await?;
            let said = ann.end_of(&asked).await?;
            ensure!(
                world.left(&ann.hub.request(&asked.which).await?).await?.is_empty(),
                "something was left"
            );
            anyhow::Ok(said)
        };
        let until_counted = async |name: &str, namespace: &str| {
            eventually("the quota counts", Duration::from_secs(60), async || {
                let read = ["get", "resourcequota", name, "-n", namespace, "-o", "jsonpath={.status.hard}"];
                Ok(!kubectl.ok(&read).await?.trim().is_empty())
            })
            .await
        };
        tokio::time::sleep(Duration::from_millis(300)).await;
        kubectl.apply(&quota("few", "passing", bindings)).await?;
        until_counted("few", "passing").await?;
        let full = ask().await?;
        kubectl.ok(&["delete", "resourcequota", "few", "-n", "passing"]).await?;
        kubectl.apply(&quota("few", "sallyport-sessions", "count/serviceaccounts")).await?;
        until_counted("few", "sallyport-sessions").await?;
        let no_account = ask().await?;
        kubectl.ok(&["delete", "resourcequota", "few", "-n", "sallyport-sessions"]).await?;
        kubectl.ok(&["delete", "namespace", "passing", "--wait=false"]).await?;
        // The broker hears of it by its watch: what it was asked before that opens, and is closed for the same reason.
        let begun = Instant::now();
        let ending = loop {
            let said = ask().await?;
            if said.starts_with("Denied: namespace passing") || begun.elapsed() > Duration::from_secs(60) {
                break said;
            }
        };
        let asked = ann.ask(world, "passing", &["payments"]).await?;
        ann.until(&asked, Phase::Active).await.context("the rest opens without it")?;
        ann.leave(&asked).await?;
        anyhow::Ok((full, no_account, ending))
    };
    let seen = seen.await;
    kubectl
        .run(&["delete", "resourcequota", "few", "-n", "sallyport-sessions", "--ignore-not-found"])
        .await?;
    let let_go = r#"{"metadata":{"finalizers":null}}"#;
    kubectl.ok(&["delete", "namespace", "passing", "--wait=false", "--ignore-not-found"]).await?;
    kubectl.run(&["patch", "configmap", "held", "-n", "passing", "-p", let_go]).await?;
    profiles.delete("passing", &DeleteParams::default()).await?;
    let (full, no_account, ending) = seen?;
    println!("{full}\n{no_account}\n{ending}");
    ensure!(
        full.contains("exceeded quota: few") && full.contains("; ask again without it, for payments"),
        "{full}"
    );
    ensure!(
        no_account.contains("exceeded quota: few") && no_account.contains("; ask again when an admin"),
        "{no_account}"
    );
    let words = "namespace passing is being deleted on cluster sandbox-1; ask again without it, for payments";
    ensure!(ending.starts_with(&format!("Denied: {words}")), "{ending}");
    Ok(())
}
