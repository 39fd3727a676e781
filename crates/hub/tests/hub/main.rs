//! The hub adapter, the client and the RBAC evaluation against a real API server with the shipped guardrails.

mod asking;
mod beats;
mod client;
mod closed;
mod inventory;
mod may_request;
mod past;
mod rbac;
mod steps;

use anyhow::{Context as _, Result};
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
};
use sallyport_api::{AccessProfile, AccessRequest, HistoryAnchor};
use sallyport_hub::{Ask, Hub, seal::KeyPair};
use sallyport_model::{ProfileRevision, Scope, SignIn, Terms, Ttl};
use sallyport_testkit::repository::deploy;
use sallyport_testkit::{Identity, Plane, PlaneOptions};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::OnceCell;

const TEAM: &str = "team-payments";
const CLUSTER: &str = "payments-eu-1";
const DEADLINE: Duration = Duration::from_secs(30);

/// One hub with guardrails, teams and profiles of the demo, shared by all tests here.
async fn hub() -> Result<&'static Plane> {
    static HUB: OnceCell<Plane> = OnceCell::const_new();
    HUB.get_or_try_init(|| async {
        let plane = Plane::start(PlaneOptions::new("hub")).await?;
        let deploy = deploy("");
        plane.apply_kustomize(&deploy.join("hub")).await?;
        plane.apply_kustomize(&deploy.join("demo")).await?;
        plane.make_profiles(&deploy.join("demo/profiles")).await?;
        guardrails_bite(&plane).await?;
        Ok(plane)
    })
    .await
}

/// A policy takes up to a second to bite, and longer on a machine that is busy building. Asked once there are profiles:
/// with none the policy on limits refuses too, and which of two refusals is told differs from one start to the next.
async fn guardrails_bite(plane: &Plane) -> Result<()> {
    let api: Api<AccessRequest> = Api::namespaced(plane.admin()?, "default");
    let request: AccessRequest = serde_json::from_value(json!({
        "metadata": {"name": "probe"},
        "spec": {
            "user": "kubernetes-admin", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
            "duration": "1h", "reason": "probe", "publicKey": KeyPair::generate().public_key_base64(),
        },
    }))?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    for _ in 0..900 {
        match api.create(&dry, &request).await {
            Err(kube::Error::Api(status)) if status.message.contains("takes no requests") => return Ok(()),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    anyhow::bail!("the guardrails do not bite")
}

/// Someone signed in a moment ago with MFA.
fn person(name: &str, group: &str) -> Identity {
    let just_now = jiff::Timestamp::now().as_second() - 5;
    Identity::new(format!("oidc:{name}")).group(format!("oidc:{group}")).signed_in(
        "urn:sallyport:mfa",
        &["otp"],
        just_now,
    )
}

async fn desk(identity: &Identity) -> Result<Hub> {
    Ok(Hub::new(hub().await?.client_as(identity)?, DEADLINE))
}

async fn revision(profile: &str) -> Result<ProfileRevision> {
    let api: Api<AccessProfile> = Api::all(hub().await?.admin()?);
    let found = api.get(profile).await?;
    let uid = found.uid().context("a UID")?;
    Ok(ProfileRevision::new(&uid, found.metadata.generation.context("a generation")?)?)
}

/// An ask of `user` under `profile`, with the key that its token would be sealed to.
async fn an_ask(user: &str, group: &str, profile: &str) -> Result<(Ask, KeyPair)> {
    let keys = KeyPair::generate();
    let ask = Ask {
        issued_at: None,
        history: Some(HistoryAnchor { sequence: 412, root: "ab".repeat(32), key: Some("cd".repeat(32)) }),
        team: TEAM.parse()?,
        terms: Terms {
            user: format!("oidc:{user}").parse()?,
            cluster: CLUSTER.parse()?,
            profile: profile.parse()?,
            revision: revision(profile).await?,
            scope: Scope::from_list(["payments".parse()?]),
            duration: Ttl::minutes(30),
            reason: "INC-4711".into(),
            recording: None,
        },
        groups: vec![format!("oidc:{group}")],
        public_key: keys.public_key_base64(),
        sign_in: SignIn::default(),
    };
    Ok((ask, keys))
}

/// Writes status fields as the cluster's broker does.
async fn as_broker(request: &AccessRequest, status: Value) -> Result<AccessRequest> {
    let broker = Identity::new(format!("system:serviceaccount:sallyport-brokers:{CLUSTER}"))
        .group("system:serviceaccounts")
        .group("system:serviceaccounts:sallyport-brokers");
    let api: Api<AccessRequest> = Api::namespaced(hub().await?.client_as(&broker)?, TEAM);
    let patch = json!({"metadata": {"uid": request.uid()}, "status": status});
    Ok(api.patch_status(&request.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?)
}

async fn with_offer(request: &AccessRequest, digest: &str) -> Result<AccessRequest> {
    let offer = json!({"digest": digest, "rules": [], "endpoint": "https://x", "caDigest": "0".repeat(64)});
    as_broker(request, json!({"phase": "Pending", "offer": offer})).await
}
