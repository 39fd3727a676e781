//! `bench inbox`: an approver's inbox. The window's half (`ui/tools/inbox.mjs`) has 5,000 requests in a real browser: from the
//! key to the first painted rows, and from the key that says yes to the call that leaves. The other half is the app's, on a
//! real hub with its guardrails: from that call to the hub's answer.

use anyhow::{Context, Result};
use sallyport_bench::{Sorted, in_browser};
use sallyport_fleet::headless::{Desktop, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_hub::seal::KeyPair;
use sallyport_hub::{Ask, Hub, evidence};
use sallyport_ipc::Decide;
use sallyport_model::{NamespaceName, Profile, Scope, Terms, Ttl};
use sallyport_testkit::Identity;
use serde_json::json;
use std::time::{Duration, Instant};

const REQUESTS: usize = 45;
const WARM_UP: usize = 5;
const TEAM: &str = "team-payments";
const PROFILE: &str = "inbox";

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<()> {
    let window = in_browser("inbox.mjs", "inbox ").await?;
    let fleet = Fleet::start(FleetOptions { pods: false, ..FleetOptions::default() }).await?;
    ask(&fleet).await?;
    let lee = Desktop::signed_in(&fleet, "lee").await?;
    let waiting = until("the requests", Duration::from_secs(60), async || {
        let all = lee.app.requests_list().await.ok()?.requests;
        let mine: Vec<_> = all.into_iter().filter(|one| one.decide == Decide::Yes).collect();
        (mine.len() == REQUESTS).then_some(mine)
    })
    .await?;
    let mut took = Vec::new();
    for (number, request) in waiting.iter().enumerate() {
        let offer = request.offer.as_ref().context("an offer")?.digest.to_string();
        let began = Instant::now();
        lee.app.request_approve(request.id.to_string(), offer, None).await?;
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        if number >= WARM_UP {
            took.push(ms);
        }
    }
    lee.app.shut_down().await;
    let took = Sorted::new(took);
    println!(
        "{} yeses one after the other: p50 {:.1} ms, p95 {:.1} ms; {} CPUs",
        took.len(),
        took.at(0.5),
        took.at(0.95),
        std::thread::available_parallelism()?
    );
    println!("bench {window} decide_ms={:.1}", took.at(0.5));
    Ok(())
}

/// Requests that wait for two people, so that one yes of each is all that is measured.
async fn ask(fleet: &Fleet) -> Result<()> {
    let hub = &fleet.hub;
    let profile = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": PROFILE},
        "spec": {"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
            "approvals": 2, "reasonRequired": false},
    });
    hub.make_profile(&profile).await?;
    hub.allow("inbox:request", "oidc:payments-dev", &["request"], &[PROFILE]).await?;
    hub.allow("inbox:approve", "oidc:payments-leads", &["approve"], &[PROFILE]).await?;
    let who = Identity::new("oidc:asker").group("oidc:payments-dev");
    let client = Hub::new(hub.client_as(&who)?, Duration::from_secs(10));
    let revision = until("the profile", Duration::from_secs(30), async || {
        let all = client.profiles().await.ok()?.objects;
        let profile = all.iter().find(|one| one.metadata.name.as_deref() == Some(PROFILE))?;
        Some(Profile::try_from(profile).ok()?.revision)
    })
    .await?;
    for _ in 0..REQUESTS {
        let ask = Ask {
            team: TEAM.parse()?,
            terms: Terms {
                user: "oidc:asker".parse()?,
                cluster: fleet.target().spec.name.parse()?,
                profile: PROFILE.parse()?,
                revision: revision.clone(),
                scope: Scope::from_list(["payments".parse::<NamespaceName>()?]),
                duration: Ttl::minutes(30),
                reason: "INC-4312".to_owned(),
                recording: None,
            },
            groups: vec!["oidc:payments-dev".to_owned()],
            public_key: KeyPair::generate().public_key_base64(),
            sign_in: evidence(&[], &[], None),
            issued_at: None,
            history: None,
        };
        until("the ask", Duration::from_secs(30), async || client.ask(&ask).await.ok()).await?;
    }
    Ok(())
}
