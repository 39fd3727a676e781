//! Ends that something stands in the way of (fault_a1), and ends that nobody told the hub of (fault_a10).

use crate::world::{Asked, Person, World, ended, eventually, get, grant_name, world};
use anyhow::{Context, Result, ensure};
use kube::Api;
use kube::api::{Patch, PatchParams};
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_hub::seal::Sealed;
use sallyport_model::Phase;
use sallyport_testkit::broker::BrokerOptions;
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/payments/pods";
const CHECKOUT: &str = "/api/v1/namespaces/checkout/pods";

/// Another team's policy: bindings in checkout stay. `None` takes it away again.
async fn bindings_stay(world: &World, stay: bool) -> Result<()> {
    let kubectl = world.target.kubectl();
    let both = "validatingadmissionpolicy,validatingadmissionpolicybinding";
    if !stay {
        return kubectl.ok(&["delete", both, "team-bindings-stay", "--ignore-not-found"]).await.map(drop);
    }
    let policy = r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"team-bindings-stay"},
        "spec":{"failurePolicy":"Fail","matchConstraints":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"checkout"}},
        "resourceRules":[{"apiGroups":["rbac.authorization.k8s.io"],"apiVersions":["*"],"operations":["DELETE"],"resources":["rolebindings"]}]},
        "validations":[{"expression":"false","message":"bindings in checkout stay"}]}}"#;
    let binding = r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":"team-bindings-stay"},
        "spec":{"policyName":"team-bindings-stay","validationActions":["Deny"]}}"#;
    kubectl.apply(&format!("{policy}\n---\n{binding}")).await?;
    let probe = ["create", "rolebinding", "probe", "-n", "checkout", "--clusterrole=view", "--user=nobody"];
    kubectl.ok(&probe).await?;
    eventually("the other team's policy", Duration::from_secs(60), async || {
        let tried =
            kubectl.run(&["delete", "rolebinding", "probe", "-n", "checkout", "--dry-run=server"]).await?;
        Ok(tried.stderr.contains("bindings in checkout stay"))
    })
    .await
    .map(drop)
}

async fn clear(world: &World) -> Result<()> {
    bindings_stay(world, false).await?;
    // The policy holds for up to a second after it is gone.
    eventually("the probe's end", Duration::from_secs(60), async || {
        let args = ["delete", "rolebinding", "probe", "-n", "checkout", "--ignore-not-found"];
        Ok(world.target.kubectl().run(&args).await?.code == Some(0))
    })
    .await
    .map(drop)
}

/// Waits until the request says what is left of it.
pub(crate) async fn until_closing(ann: &Person, asked: &Asked, reason: &str) -> Result<AccessRequest> {
    let mut found = None;
    let waited = eventually("the condition Closing", Duration::from_secs(60), async || {
        let request = ann.hub.request(&asked.which).await?;
        let is = request.closing().is_some_and(|closing| closing.reason == reason);
        found = Some(request);
        Ok(is)
    })
    .await;
    let found = found.context("read once")?;
    waited.with_context(|| format!("{:?}", found.status.as_ref().map(|s| &s.conditions)))?;
    Ok(found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a1_p13_a_binding_that_cannot_be_removed_is_named_keeps_nothing_else_and_is_tried_for_ever()
-> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let asked = ann.ask(world, "debug", &["payments", "checkout"]).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    let sealed = ann.unseal(&asked, &request)?;
    bindings_stay(world, true).await?;
    ann.hub.withdraw(&asked.which).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    let seen = async {
        let stuck = until_closing(&ann, &asked, "Refused").await?;
        let closing = stuck.closing().context("closing")?;
        let named = format!("RoleBinding checkout/{}-0: ", grant_name(&request));
        ensure!(closing.message.starts_with(&named), "{closing:?}");
        ensure!(closing.message.contains("bindings in checkout stay"), "{closing:?}");
        ensure!(
            stuck.phase() == Phase::Active && stuck.status.as_ref().is_some_and(|s| s.credential.is_none())
        );
        let left = world.left(&request).await?;
        ensure!(left == [format!("RoleBinding {}-0", grant_name(&request))], "{left:?}");
        ensure!(matches!(get(&sealed, PODS).await?, 401 | 403), "the other namespace is still open");
        // With its ServiceAccount gone the token is no good anywhere, ten seconds later at the latest.
        eventually("401", Duration::from_secs(60), async || Ok(get(&sealed, CHECKOUT).await? == 401)).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        ensure!(ann.hub.request(&asked.which).await?.phase() == Phase::Active, "it was called closed");
        anyhow::Ok(())
    };
    let seen = seen.await;
    clear(world).await?;
    seen?;
    let said = ann.end_of(&asked).await?;
    println!("{said}");
    ensure!(
        said.starts_with("Left: the requester left") && said.contains("bindings in checkout stay"),
        "{said}"
    );
    ensure!(world.left(&request).await?.is_empty());
    ensure!(ann.hub.request(&asked.which).await?.closing().is_none());
    Ok(())
}

/// The cause of an end may be gone by the time it is carried out; the reason is what it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a1_the_first_reason_outlives_its_cause_and_the_broker() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let asked = ann.ask(world, "debug", &["payments", "checkout"]).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    bindings_stay(world, true).await?;
    let standing = [
        "create",
        "clusterrolebinding",
        "test-standing",
        "--clusterrole=view",
        "--group=system:serviceaccounts",
    ];
    world.target.kubectl().ok(&standing).await?;
    let stuck = until_closing(&ann, &asked, "Refused").await;
    world.target.kubectl().ok(&["delete", "clusterrolebinding", "test-standing"]).await?;
    broker.restart().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    ann.hub.withdraw(&asked.which).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let still = ann.hub.request(&asked.which).await;
    clear(world).await?;
    let reason = stuck?.condition(CONDITION_ENDED).cloned().context("how it will have ended")?;
    ensure!(reason.status == "False" && reason.reason == "Revoked", "{reason:?}");
    ensure!(still?.phase() == Phase::Active);
    let said = ann.end_of(&asked).await?;
    ensure!(
        said.starts_with("Revoked: closed because a standing binding") && said.contains("test-standing"),
        "{said}"
    );
    ensure!(world.left(&request).await?.is_empty());
    Ok(())
}

/// Deletes the session's grant with its own token, and does not wait for what comes of it.
async fn end_own_grant(
    world: &World,
    ann: &Person,
    asked: &Asked,
    request: &AccessRequest,
) -> Result<Sealed> {
    let sealed = ann.unseal(asked, request)?;
    let client = world.target.client_with_token(sealed.token.expose())?;
    let grants: Api<sallyport_api::AccessGrant> = Api::all(client);
    grants.delete(&grant_name(request), &kube::api::DeleteParams::default()).await?;
    Ok(sealed)
}

/// Deletes the session's grant with its own token, as the desktop does that can't reach anybody else.
async fn leave_alone(world: &World, ann: &Person, asked: &Asked, request: &AccessRequest) -> Result<()> {
    let sealed = end_own_grant(world, ann, asked, request).await?;
    eventually("a refusal", Duration::from_secs(60), async || {
        Ok(matches!(get(&sealed, PODS).await?, 401 | 403))
    })
    .await
    .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a10_a_session_that_left_by_itself_closes_as_what_the_hub_is_told_then() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default().flag("--removed-grant-wait=6s")).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    // Told a moment later.
    let (asked, request) = ann.open(world).await?;
    leave_alone(world, &ann, &asked, &request).await?;
    let waiting = until_closing(&ann, &asked, "GrantRemoved").await?;
    ensure!(waiting.phase() == Phase::Active);
    let said = ann.leave(&asked).await?;
    ensure!(said.starts_with("Left: the requester left"), "{said}");
    // Told by the time the broker hears of either.
    let (asked, request) = ann.open(world).await?;
    broker.pause()?;
    end_own_grant(world, &ann, &asked, &request).await?;
    ann.hub.withdraw(&asked.which).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    broker.resume()?;
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Left: the requester left"), "{said}");
    // Somebody else revokes it.
    let (asked, request) = ann.open(world).await?;
    leave_alone(world, &ann, &asked, &request).await?;
    let me = lead.hub.whoami().await?;
    let revoked = lead.hub.revoke(&asked.which, &me, jiff::Timestamp::now(), "wrong cluster").await;
    revoked.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Revoked: revoked by oidc:lead@example.org"), "{said}");
    // Nobody says anything.
    let (asked, request) = ann.open(world).await?;
    leave_alone(world, &ann, &asked, &request).await?;
    let begun = tokio::time::Instant::now();
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Revoked: its grant was removed on the cluster"), "{said}");
    ensure!(begun.elapsed() > Duration::from_secs(4), "it did not wait: {:?}", begun.elapsed());
    ensure!(world.left(&request).await?.is_empty() && world.accounts_ever(&request)?.len() == 1);
    Ok(())
}

/// The rights go whoever's word is waited for, and as long as that takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a10_what_is_left_of_a_removed_grant_goes_while_the_word_is_waited_for() -> Result<()> {
    let (world, _turn) = world().await?;
    let options = BrokerOptions::default().flag("--removed-grant-wait=2m").flag("--resync=10m");
    let _broker = world.broker(options).await?;
    let ann = world.ann()?;
    let asked = ann.ask(world, "debug", &["payments", "checkout"]).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    bindings_stay(world, true).await?;
    let seen = async {
        leave_alone(world, &ann, &asked, &request).await?;
        let waiting = until_closing(&ann, &asked, "GrantRemoved").await?;
        let said = waiting.closing().map(|closing| closing.message.clone()).unwrap_or_default();
        let named = format!("; still there: RoleBinding checkout/{}-0", grant_name(&request));
        ensure!(said.contains(&named) && said.contains("bindings in checkout stay"), "{said}");
        anyhow::Ok(())
    };
    let seen = seen.await;
    clear(world).await?;
    seen?;
    eventually("its removal, and the word of it", Duration::from_secs(60), async || {
        let request = ann.hub.request(&asked.which).await?;
        ensure!(request.phase() == Phase::Active, "it closed: {}", ended(&request));
        Ok(request.closing().is_some_and(|closing| !closing.message.contains("still there")))
    })
    .await?;
    ensure!(world.left(&request).await?.is_empty());
    let said = ann.leave(&asked).await?;
    ensure!(said.starts_with("Left: the requester left"), "{said}");
    Ok(())
}

/// What stood in the way may come back in a moment, whoever removed it last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a1_p13_what_somebody_else_removed_is_looked_at_twice_too() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let asked = ann.ask(world, "debug", &["payments", "checkout"]).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    bindings_stay(world, true).await?;
    ann.hub.withdraw(&asked.which).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    let stuck = until_closing(&ann, &asked, "Refused").await;
    broker.kill();
    clear(world).await?;
    stuck?;
    let binding = format!("{}-0", grant_name(&request));
    let gone = ["delete", "rolebinding", &binding, "-n", "checkout", "--ignore-not-found"];
    world.target.kubectl().ok(&gone).await?;
    ensure!(world.left(&request).await?.is_empty());
    broker.restart().await?;
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Left: the requester left; nothing was left on the cluster"), "{said}");
    let log = broker.log();
    let flushed = log.lines().rfind(|line| line.contains("flushed") && line.contains(&grant_name(&request)));
    let took = flushed.and_then(|line| line.split("took_ms=").nth(1)?.split(' ').next()?.parse::<u64>().ok());
    ensure!(took.is_some_and(|ms| ms >= 1000), "looked at once: {flushed:?}");
    Ok(())
}

/// Deleted as an orphan, while the guardrail was away, a grant leaves ServiceAccount and bindings without owners.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a10_what_has_no_owner_is_found_by_its_label() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default().flag("--removed-grant-wait=2s")).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    world.without_guardrail("sessions-leave.sallyport.dev").await?;
    broker.kill();
    let grant = grant_name(&request);
    let deletion = ["delete", "accessgrant", &grant, "--cascade=orphan"];
    let deleted = eventually("the guardrail's absence", Duration::from_secs(60), async || {
        Ok(world.target.kubectl().run(&deletion).await?.code == Some(0))
    })
    .await;
    world.restore_guardrails().await?;
    deleted?;
    let left = world.left(&request).await?;
    ensure!(left.len() == 2, "a ServiceAccount and a binding were left without an owner: {left:?}");
    // Closed in its name meanwhile, as by a broker that knew nothing of them: only the label is left to find them by.
    close_on_hub(world, &request).await?;
    broker.restart().await?;
    eventually("their removal", Duration::from_secs(60), async || Ok(world.left(&request).await?.is_empty()))
        .await?;
    ensure!(ended(&ann.hub.request(&asked.which).await?).starts_with("Left"));
    Ok(())
}

/// Closes a request in the broker's name.
async fn close_on_hub(world: &World, request: &AccessRequest) -> Result<()> {
    let client = world.hub.client_with_token(world.enrolled.hub_token())?;
    let namespace = request.metadata.namespace.as_deref().context("a namespace")?;
    let api: Api<AccessRequest> = Api::namespaced(client, namespace);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = serde_json::json!({"status": {"phase": "Closed", "credential": null, "conditions": [
        {"type": "Ended", "status": "True", "reason": "Left", "message": "", "lastTransitionTime": now}]}});
    let name = request.metadata.name.as_deref().context("a name")?;
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.map(drop)?;
    Ok(())
}
