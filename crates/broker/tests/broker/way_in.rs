use crate::world::{CLUSTER, ended, get, grant_name, no_token_in, world};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, ResourceExt};
use sallyport_api::{AccessCluster, AccessGrant};
use sallyport_model::{Digest, Limits, Phase, RequestUid, SessionAccount};
use sallyport_testkit::broker::BrokerOptions;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_p9_asking_gives_exactly_the_profiles_rights_and_nothing_else() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    println!("ask to Active: {} ms (broker just started)", asked.begun.elapsed().as_millis());
    let sealed = ann.unseal(&asked, &request)?;
    for (path, status) in [
        ("/api/v1/namespaces/payments/pods", 200),
        ("/apis/apps/v1/namespaces/payments/deployments", 200),
        ("/api/v1/namespaces/payments/secrets", 403),
        ("/api/v1/namespaces/checkout/pods", 403),
        ("/api/v1/pods", 403),
        ("/api/v1/nodes", 403),
        ("/api/v1/namespaces/sallyport-sessions/serviceaccounts", 403),
        ("/apis/access.sallyport.dev/v1alpha1/accessgrants", 403),
    ] {
        ensure!(get(&sealed, path).await? == status, "GET {path} is not {status}");
    }
    let status = request.status.clone().context("a status")?;
    let record = status.grant.context("a recorded grant")?;
    let grants: Api<AccessGrant> = Api::all(world.target.admin()?);
    let grant = grants.get(&record.name).await?;
    let end = grant.metadata.creation_timestamp.context("created")?.0.as_second() + 900;
    ensure!(record.end.0.as_second() == end && sealed.end == end, "the end is not creation + 15 min");
    ensure!(record.account.ends_with(&end.to_string()), "{}", record.account);
    ensure!(status.jtis == [sealed.jti.to_string()], "{:?}", status.jtis);
    ensure!(grant.status.context("described")?.jtis == status.jtis, "the grant's status names other tokens");
    let payload = sealed.token.expose().split('.').nth(1).context("a JWT")?.to_owned();
    let claims: serde_json::Value =
        serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload)?)?;
    let exp = claims["exp"].as_i64().context("exp")?;
    ensure!(exp <= end && exp > end - 10, "the token ends {} s before its session", end - exp);
    let bindings: Api<RoleBinding> = Api::namespaced(world.target.admin()?, "payments");
    let binding = bindings.get(&format!("{}-0", record.name)).await?;
    let owners = binding.metadata.owner_references.clone().unwrap_or_default();
    ensure!(
        owners.len() == 1 && owners[0].uid == record.uid && owners[0].block_owner_deletion == Some(false)
    );

    // A second one, with everything warm, is what a click feels like.
    let (again, _) = ann.open(world).await?;
    println!("ask to Active: {} ms (warm)", again.begun.elapsed().as_millis());
    for line in broker.log().lines().filter(|line| line.contains("access is open")) {
        println!("{line}");
    }
    for one in [&asked, &again] {
        let said = ann.leave(one).await?;
        ensure!(said.starts_with("Left:"), "{said}");
    }
    ensure!(world.left(&request).await?.is_empty());
    no_token_in(&broker.log())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_cluster_wide_is_for_plain_reads() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let asked = ann.ask(world, "view", &[]).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    let sealed = ann.unseal(&asked, &request)?;
    ensure!(get(&sealed, "/api/v1/pods").await? == 200 && get(&sealed, "/api/v1/nodes").await? == 200);
    ensure!(get(&sealed, "/api/v1/secrets").await? == 403);
    ensure!(ann.leave(&asked).await?.starts_with("Left:"));
    ensure!(world.left(&request).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_an_offer_waits_for_somebody_elses_yes_to_exactly_it() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    let asked = ann.ask(world, "operate", &["payments"]).await?;
    let mut offer = None;
    crate::world::eventually("an offer", Duration::from_secs(60), async || {
        let request = ann.hub.request(&asked.which).await?;
        offer = request.status.and_then(|status| status.offer);
        Ok(offer.is_some())
    })
    .await?;
    let offer = offer.context("an offer")?;
    ensure!(offer.rules.iter().any(|rule| rule.resources.contains(&"deployments".to_owned())), "{offer:?}");
    ensure!(!offer.warnings.is_empty(), "workload writes can outlive a session and nobody says so");
    let digest: Digest = offer.digest.parse()?;
    let me = lead.hub.whoami().await?;
    lead.hub
        .approve(&asked.which, &me, &digest, &Limits::default(), jiff::Timestamp::now(), None)
        .await
        .map_err(|refused| anyhow::anyhow!("the approval was refused: {refused}"))?;
    let request = ann.until(&asked, Phase::Active).await?;
    let sealed = ann.unseal(&asked, &request)?;
    ensure!(get(&sealed, "/api/v1/namespaces/payments/pods").await? == 200);
    ensure!(ann.leave(&asked).await?.starts_with("Left:"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p24_a_hostile_reason_is_text() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let reason = format!(
        "\u{202e}\u{1b}[2J\"}}],\"phase\":\"Active\" {{{{ $(reboot) }}}} \0 ' ; -- {}",
        "Z".repeat(900)
    )
    .replace('\0', "");
    let asked = ann.ask_with(world, "debug", &["payments"], |ask| ask.terms.reason = reason.clone()).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    ensure!(request.spec.reason == reason);
    let log = broker.log();
    ensure!(!log.contains('\u{1b}') && !log.contains('\u{202e}'), "the reason reached the log raw");
    ensure!(ann.leave(&asked).await?.starts_with("Left:"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_p12_the_cluster_says_what_each_profile_allows_here_and_who_serves_it() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let api: Api<AccessCluster> = Api::all(world.hub.admin()?);
    let mut last = None;
    let complete = crate::world::eventually("a report", Duration::from_secs(60), async || {
        last = api.get(CLUSTER).await?.status;
        Ok(last.as_ref().is_some_and(|status| {
            status.broker.is_some() && status.profiles.len() == 4 && status.guardrails.is_some()
        }))
    })
    .await;
    let status = last.context("a status")?;
    complete.with_context(|| format!("{status:?}"))?;
    let names: Vec<_> = status.profiles.iter().map(|profile| profile.name.as_str()).collect();
    // debug-prod does not cover a sandbox.
    ensure!(names == ["debug", "operate", "posture", "view"], "{names:?}");
    ensure!(
        status.profiles.iter().all(|profile| profile.refused.is_none() && profile.rule_count > 0),
        "{status:?}"
    );
    ensure!(status.kubernetes_version.is_some_and(|version| version.starts_with("v1.")));
    let guardrails = status.guardrails.context("a verdict")?;
    println!("guardrails: verified={} {}", guardrails.verified, guardrails.detail);
    ensure!(guardrails.verified, "{}", guardrails.detail);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_guardrail_that_was_changed_is_not_called_verified() -> Result<()> {
    use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding;
    use kube::api::{Patch, PatchParams};
    let (world, _turn) = world().await?;
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(world.target.admin()?);
    let set = async |action: &str| {
        let patch = serde_json::json!({"spec": {"validationActions": [action]}});
        let name = "sessions-reach.sallyport.dev";
        bindings.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
    };
    // Still there, and only warning now.
    set("Warn").await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let clusters: Api<AccessCluster> = Api::all(world.hub.admin()?);
    let begun = jiff::Timestamp::now().as_second();
    let mut said = String::new();
    let judged = crate::world::eventually("a verdict", Duration::from_secs(60), async || {
        let verdict = clusters.get(CLUSTER).await?.status.and_then(|status| status.guardrails);
        let Some(verdict) = verdict.filter(|verdict| verdict.since_ms() / 1000 >= begun) else {
            return Ok(false);
        };
        said = format!("verified={} {}", verdict.verified, verdict.detail);
        Ok(true)
    })
    .await;
    set("Deny").await?;
    drop(broker);
    judged?;
    println!("{said}");
    ensure!(said.starts_with("verified=false") && said.contains("sessions-reach.sallyport.dev"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_19_a_flood_by_one_person_neither_starves_nor_opens_without_end() -> Result<()> {
    let (world, _turn) = world().await?;
    let (mallory, ann) = (world.person("mallory", &["payments-dev"])?, world.ann()?);
    // Asked before there is a broker, so that all of it waits at once.
    let mut flood = Vec::new();
    for _ in 0..40 {
        flood.push(mallory.ask(world, "debug", &["payments"]).await?);
    }
    let asked = ann.ask(world, "debug", &["payments"]).await?;
    let _broker = world.broker(BrokerOptions::default().flag("--workers=4")).await?;
    let hers = ann.until(&asked, Phase::Active).await?;
    let (mut open, mut refused) = (0, 0);
    for one in &flood {
        crate::world::eventually("a decision", Duration::from_secs(60), async || {
            let request = mallory.hub.request(&one.which).await?;
            Ok(matches!(request.phase(), Phase::Active | Phase::Closed))
        })
        .await?;
        let request = mallory.hub.request(&one.which).await?;
        if request.phase() == Phase::Active {
            open += 1;
            ensure!(!request.name_any().is_empty());
        } else {
            ensure!(ended(&request).contains("open already"), "{}", ended(&request));
            refused += 1;
        }
    }
    let made = world.ever_created("accessgrants")?;
    let flooded: Vec<RequestUid> = flood.iter().map(|one| one.which.uid.clone()).collect();
    let hers = made.iter().position(|name| *name == grant_name(&hers)).context("her grant was made")?;
    let before = made[..hers]
        .iter()
        .filter(|name| flooded.iter().any(|uid| SessionAccount::derive_grant_name(uid) == **name))
        .count();
    println!("of 40: {open} opened, {refused} refused; {before} of them were granted before ann");
    ensure!(before < open / 2, "ann waited behind the flood: {before} of {open} came first");
    ensure!(open <= 20 && open + refused == 40, "{open} are open");
    for one in &flood {
        let _ = mallory.hub.withdraw(&one.which).await;
    }
    ann.leave(&asked).await?;
    for one in &flood {
        mallory.end_of(one).await?;
    }
    Ok(())
}
