use crate::world::{Asked, CLUSTER, Person, TEAM, World, eventually, world};
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use sallyport_api::{AccessProfile, AccessRequest};
use sallyport_hub::seal::KeyPair;
use sallyport_model::{Digest, Limits};
use sallyport_testkit::Identity;
use sallyport_testkit::broker::BrokerOptions;
use std::time::{Duration, Instant};

/// Asks, and returns how it ended; nothing may exist on the target afterwards.
async fn refusal(world: &World, person: &Person, profile: &str, namespaces: &[&str]) -> Result<String> {
    let asked = person.ask(world, profile, namespaces).await?;
    refused(world, person, &asked).await
}

/// How it ended; nothing may exist on the target afterwards, and no token was ever minted.
pub(crate) async fn refused(world: &World, person: &Person, asked: &Asked) -> Result<String> {
    let said = person.end_of(asked).await?;
    let request = person.hub.request(&asked.which).await?;
    ensure!(world.left(&request).await?.is_empty(), "something was left");
    ensure!(request.status.context("a status")?.jtis.is_empty(), "a token was minted for what was refused");
    Ok(said)
}

/// A profile of the test's own; who may ask under it comes with it.
pub(crate) async fn make_profile(
    world: &World,
    name: &str,
    spec: serde_json::Value,
) -> Result<Api<AccessProfile>> {
    let role = serde_json::json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": format!("test:{name}")},
        "rules": [{"apiGroups": ["access.sallyport.dev"], "resources": ["accessprofiles"], "resourceNames": [name],
            "verbs": ["request"]}],
    });
    let binding = serde_json::json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": format!("test:{name}")},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("test:{name}")},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "oidc:payments-dev"}],
    });
    world.hub.kubectl().apply(&format!("{role}\n---\n{binding}")).await?;
    let api: Api<AccessProfile> = Api::all(world.editor()?);
    let profile: AccessProfile = serde_json::from_value(serde_json::json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name}, "spec": spec,
    }))?;
    let made = api.create(&PostParams::default(), &profile).await?;
    // Admission has a watch of its own of profiles and bindings, and says of a profile that it has not seen that there is
    // none. What else it says is for the test.
    let ann = world.ann()?;
    let revision =
        format!("{}/{}", made.uid().unwrap_or_default(), made.metadata.generation.unwrap_or_default());
    let probe = serde_json::from_value(serde_json::json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": "probe", "namespace": TEAM},
        "spec": {"user": ann.name, "groups": ann.groups, "cluster": CLUSTER, "profile": name,
            "profileRevision": revision, "duration": "15m", "reason": "probe",
            "publicKey": KeyPair::generate().public_key_base64()},
    }))?;
    let requests: Api<AccessRequest> = Api::namespaced(ann.client, TEAM);
    eventually("the profile to be seen", Duration::from_secs(60), async || {
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let said = requests.create(&dry, &probe).await.err().map(|refused| refused.to_string());
        Ok(said.is_none_or(|said| !said.contains("no params found") && !said.contains("may not request")))
    })
    .await?;
    Ok(api)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_a_profile_that_is_gone_refuses_though_admission_lets_it_through() -> Result<()> {
    let (world, _turn) = world().await?;
    let ann = world.ann()?;
    let spec = serde_json::json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"],
        "maxDuration": "1h"});
    let profiles = make_profile(world, "short-lived", spec).await?;
    // Asked while it exists, decided when it does not: no broker runs in between.
    let asked = ann.ask(world, "short-lived", &["payments"]).await?;
    profiles.delete("short-lived", &DeleteParams::default()).await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Denied: there is no profile short-lived"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_5_a_profile_changed_after_the_offer_is_refused_whoever_said_yes() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    let asked = ann.ask(world, "operate", &["payments"]).await?;
    let mut digest = None;
    eventually("an offer", Duration::from_secs(60), async || {
        digest = ann.hub.request(&asked.which).await?.status.and_then(|s| s.offer).map(|offer| offer.digest);
        Ok(digest.is_some())
    })
    .await?;
    let digest: Digest = digest.context("an offer")?.parse()?;
    let profiles: Api<AccessProfile> = Api::all(world.editor()?);
    let patch = serde_json::json!({"spec": {"maxDuration": "2h"}});
    profiles.patch("operate", &PatchParams::default(), &Patch::Merge(patch)).await?;
    let me = lead.hub.whoami().await?;
    let approved =
        lead.hub.approve(&asked.which, &me, &digest, &Limits::default(), jiff::Timestamp::now(), None).await;
    let said = ann.end_of(&asked).await;
    world.restore_profiles().await?;
    // The broker may have closed the request before the yes arrived; then the guardrail of closed requests answers.
    let too_late = approved.err().map(|refused| refused.to_string());
    ensure!(
        too_late.as_ref().is_none_or(|why| why.contains("a closed request stays as it is")),
        "{too_late:?}"
    );
    let said = said?;
    ensure!(said.starts_with("Denied: profile operate has changed"), "{said}");
    ensure!(world.left(&ann.hub.request(&asked.which).await?).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_dangerous_missing_and_unbindable_roles_are_named() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let roles: Api<ClusterRole> = Api::all(world.target.admin()?);
    for (name, rule) in [
        (
            "test-mint",
            serde_json::json!({"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}),
        ),
        ("test-plain", serde_json::json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]})),
    ] {
        let role: ClusterRole =
            serde_json::from_value(serde_json::json!({"metadata": {"name": name}, "rules": [rule]}))?;
        roles.create(&PostParams::default(), &role).await?;
    }
    let profile = |role: &str, namespaces: &[&str]| serde_json::json!({"clusters": ["*"], "roles": [role], "namespaces": namespaces, "maxDuration": "1h"});
    let mut outcomes = Vec::new();
    for (name, spec, namespaces, expected) in [
        (
            "dangerous",
            profile("test-mint", &["payments"]),
            &["payments"][..],
            "Denied: never granted: role test-mint",
        ),
        ("edit-all", profile("edit", &[]), &[][..], "Denied: never granted: role edit"),
        (
            "missing",
            profile("no-such-role", &["payments"]),
            &["payments"][..],
            "Failed: there is no ClusterRole no-such-role",
        ),
        // The target's admin did not give the broker the verb bind on it.
        (
            "unlisted",
            profile("test-plain", &["payments"]),
            &["payments"][..],
            "Failed: the target refused RoleBinding",
        ),
        // Nor did they open this namespace.
        (
            "elsewhere",
            profile("sallyport:view", &["default"]),
            &["default"][..],
            "Denied: namespace default is not open",
        ),
    ] {
        let profiles = make_profile(world, name, spec).await?;
        let asked = ann.ask(world, name, namespaces).await?;
        let said = ann.end_of(&asked).await?;
        let left = world.left(&ann.hub.request(&asked.which).await?).await?;
        profiles.delete(name, &DeleteParams::default()).await?;
        outcomes.push((name, said.starts_with(expected) && left.is_empty(), said, left));
    }
    for name in ["test-mint", "test-plain"] {
        roles.delete(name, &DeleteParams::default()).await?;
    }
    for (name, fits, said, left) in outcomes {
        println!("{name}: {said}");
        ensure!(fits, "{name}: {said}; left: {left:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_15_a_standing_binding_to_everybody_stops_all_grants_and_is_named() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let (first, _) = ann.open(world).await?;
    let api: Api<ClusterRoleBinding> = Api::all(world.target.admin()?);
    let standing: ClusterRoleBinding = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "view-for-everybody"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"}],
    }))?;
    let made = api.create(&PostParams::default(), &standing).await?;
    // What was open before is not spared (A7), which shows that the broker has heard.
    let closed = ann.end_of(&first).await;
    let said = refusal(world, &ann, "debug", &["payments"]).await;
    api.delete(&made.name_any(), &DeleteParams::default()).await?;
    let (closed, said) = (closed?, said?);
    ensure!(closed.starts_with("Revoked:") && closed.contains("view-for-everybody"), "{closed}");
    ensure!(said.starts_with("Failed:") && said.contains("view-for-everybody"), "{said}");
    let (second, _) = ann.open_again(world).await?;
    ann.leave(&second).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_nothing_can_be_sealed_to_opens_nothing() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    // 44 characters of the right alphabet, and no point that a secret could be agreed on with.
    let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned();
    let asked = ann.ask_with(world, "debug", &["payments"], |ask| ask.public_key = zero).await?;
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Failed:") && said.contains("sealed"), "{said}");
    ensure!(world.left(&ann.hub.request(&asked.which).await?).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a8_p7_a_sign_in_that_no_profile_judged_at_the_hub_is_judged_by_the_broker() -> Result<()> {
    let (world, _turn) = world().await?;
    let spec = serde_json::json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"],
        "maxDuration": "1h", "mfa": {"acr": ["urn:sallyport:mfa"], "maxAge": "15m"}});
    let profiles = make_profile(world, "strong", spec).await?;
    let now = jiff::Timestamp::now().as_second();
    let signed_in = |acr: &str, at: i64| {
        let who = Identity::new("oidc:ann@example.org").group("oidc:payments-dev");
        let client = world.hub.client_as(&who.signed_in(acr, &["pwd"], at))?;
        let hub = sallyport_hub::Hub::new(client.clone(), Duration::from_secs(15));
        Ok::<_, anyhow::Error>(Person {
            name: "oidc:ann@example.org".into(),
            groups: vec!["oidc:payments-dev".into()],
            hub,
            client,
        })
    };
    // As where the API server's own watch of profiles lags: the policy that knows them is not asked.
    let kubectl = world.hub.kubectl();
    let binding = "validatingadmissionpolicybinding/access-requests-limits.sallyport.dev";
    let kept = kubectl.ok(&["get", binding, "-o", "json"]).await?;
    kubectl.ok(&["delete", binding]).await?;
    let asked = async {
        let mut asked = Vec::new();
        for (person, why) in [
            (signed_in("urn:sallyport:pwd", now - 5)?, "needs a stronger sign-in"),
            (signed_in("urn:sallyport:mfa", now - 3600)?, "needs a sign-in not older than 15m"),
        ] {
            let start = Instant::now();
            let one = loop {
                match person.ask(world, "strong", &["payments"]).await {
                    Err(error) if start.elapsed() > Duration::from_secs(60) => return Err(error),
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                    Ok(one) => break one,
                }
            };
            asked.push((person, one, why));
        }
        Ok(asked)
    };
    let asked = asked.await;
    kubectl.apply(&without_stamps(&kept)?).await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    for (person, one, why) in asked? {
        let said = person.end_of(&one).await?;
        ensure!(said.starts_with(&format!("Denied: profile strong {why}")), "{said}");
    }
    profiles.delete("strong", &DeleteParams::default()).await.map(drop).map_err(Into::into)
}

/// An object as it was applied.
fn without_stamps(object: &str) -> Result<String> {
    let mut object: serde_json::Value = serde_json::from_str(object)?;
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"] {
        object["metadata"].as_object_mut().map(|meta| meta.remove(field));
    }
    Ok(object.to_string())
}
