//! The hub's own guardrails (P12): where they are no set that a broker knows, it grants nothing and says which field; what is
//! open goes on.

use crate::approvals::{ask, shown};
use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, until};
use sallyport_ipc::{Decide, GuardrailProof, SessionState, Way};
use sallyport_testkit::repository::deploy;
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
/// The policy that holds a request to its author's name.
const POLICY: &str = "access-requests-who.sallyport.dev";

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let (dana, ines) = (Desktop::signed_in(fleet, "dana").await?, Desktop::signed_in(fleet, "ines").await?);
    let (cluster, before) = (fleet.target().spec.name, open_one(fleet, &dana).await?);
    let notes = async |desktop: &Desktop| {
        let state = desktop.app.app_state().await?;
        anyhow::Ok(state.notes.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let in_anothers_name = |notes: &[String]| notes.iter().any(|note| note.contains("in another's name"));
    lines.check(
        "p12 the hub refused dana's desktop a request in another's name as she signed in",
        !in_anothers_name(&notes(&dana).await?),
        "",
    );

    let altered = altered(fleet, &dana, &ines, lines).await;
    put_right(fleet).await?;
    altered?;
    let again = until("the profiles are possible again", SOON, async || way(&dana, cluster).await).await;
    lines.check("as soon as it is put right, the cluster can be opened", again.is_ok(), "");
    let second = open_one(fleet, &dana).await?;
    lines.check("and is", true, "");
    let proof = until("the hub's guardrails are in force", SOON, async || {
        let view = ines.app.who_can().await.ok()?;
        matches!(view.hub, GuardrailProof::InForce { .. }).then_some(view.hub)
    })
    .await;
    lines.check("ines sees them in force again", proof.is_ok(), format!("{:?}", proof.ok()));
    let still = dana.session(&before).await?;
    lines.check(
        "what was open has stayed open",
        still.state == SessionState::Open,
        format!("{:?}", still.ended),
    );

    // Bound to nothing that denies: what another person's desktop sees as it signs in.
    let binding = json!({"spec": {"validationActions": ["Audit"]}});
    patch(fleet, "validatingadmissionpolicybinding", &binding).await?;
    let seen = until("the hub lets it through", SOON, async || {
        let pat = Desktop::signed_in(fleet, "pat").await.ok()?;
        let said = notes(&pat).await.ok();
        pat.app.shut_down().await;
        said.filter(|said| in_anothers_name(said))
    })
    .await;
    // An object that is applied again keeps the actions that somebody else has set.
    patch(fleet, "validatingadmissionpolicybinding", &json!({"spec": {"validationActions": ["Deny"]}}))
        .await?;
    lines.check(
        "p12 a desktop whose hub lets a request in another's name through says so",
        seen.is_ok(),
        seen.ok()
            .and_then(|said| said.into_iter().find(|note| note.contains("in another")))
            .unwrap_or_default(),
    );
    for id in [before, second] {
        dana.app.session_leave(id.clone()).await?;
        dana.until(&id, |view| view.state == SessionState::Closed).await?;
    }
    until("the profiles are possible again", SOON, async || way(&dana, cluster).await).await?;
    dana.app.shut_down().await;
    ines.app.shut_down().await;
    Ok(())
}

/// One expression of one policy is another: what the broker does, and what the desktops show.
async fn altered(fleet: &Fleet, dana: &Desktop, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let (cluster, lee) = (fleet.target().spec.name, Desktop::signed_in(fleet, "lee").await?);
    let (asked, request) = ask(fleet, dana).await?;
    let offered = shown(&lee, &request, |one| one.decide == Decide::Yes).await?.offer.context("an offer")?;
    let path = "/spec/validations/0/expression";
    let edit = json!([{"op": "replace", "path": path, "value": "true"}]).to_string();
    fleet
        .hub
        .kubectl()
        .ok(&["patch", "validatingadmissionpolicy", POLICY, "--type=json", "-p", &edit])
        .await?;
    let proof = until("ines sees it", SOON, async || {
        let view = ines.app.who_can().await.ok()?;
        matches!(&view.hub, GuardrailProof::NotInForce { detail, .. } if detail.contains("the broker of")
            && detail.contains(POLICY) && detail.contains("spec.validations[0].expression"))
        .then_some(view.hub)
    })
    .await;
    lines.check(
        "p12 an altered policy on the hub is found by the broker, which says which policy and field",
        proof.is_ok(),
        format!("{:?}", proof.ok()),
    );
    lee.app.request_approve(request.clone(), offered.digest.to_string(), None).await?;
    let told = until("it is told why it waits", SOON, async || {
        let view = dana.session(&asked).await.ok()?;
        let said = view.waiting_for.filter(|said| said.contains(POLICY))?;
        (view.state == SessionState::Opening).then_some(said)
    })
    .await;
    lines.check(
        "p12 lee says yes, and nothing is granted: dana reads why",
        told.as_ref().is_ok_and(|said| said.contains("nothing is granted for now")),
        told.as_ref().map(ToString::to_string).unwrap_or_else(ToString::to_string),
    );
    let detail = until("the profiles say so", SOON, async || {
        let detail = dana.app.cluster_detail(cluster.to_owned()).await.ok()?;
        matches!(detail.cluster.way, Way::NotYours).then_some(detail)
    })
    .await?;
    let said =
        detail.profiles.iter().filter_map(|profile| profile.refused.as_ref()).map(|why| why.why.as_str());
    lines.check(
        "and before anybody asks, every profile of the cluster says so",
        said.clone().count() == detail.profiles.len()
            && said.clone().all(|said| said.contains("not as shipped")),
        format!("{} profiles", detail.profiles.len()),
    );
    put_right(fleet).await?;
    let opened = dana.until_within(&asked, SOON, |view| view.state == SessionState::Open).await;
    lines.check("put right, what waited opens by itself", opened.is_ok(), "");
    dana.app.session_leave(asked.clone()).await?;
    dana.until(&asked, |view| view.state == SessionState::Closed).await?;
    lee.app.shut_down().await;
    Ok(())
}

async fn open_one(fleet: &Fleet, desktop: &Desktop) -> Result<String> {
    Ok(desktop.open(fleet.target().spec.name, "view").await?.id)
}

/// That the cluster can be opened.
async fn way(desktop: &Desktop, cluster: &str) -> Option<()> {
    let view = desktop.app.clusters_list().await.ok()?;
    let found = view.clusters.into_iter().find(|one| one.name == cluster)?;
    (!matches!(found.way, Way::Unknown | Way::NotYours)).then_some(())
}

async fn patch(fleet: &Fleet, kind: &str, body: &serde_json::Value) -> Result<()> {
    fleet.hub.kubectl().ok(&["patch", kind, POLICY, "--type=merge", "-p", &body.to_string()]).await.map(drop)
}

/// As an admin of the hub would: what is shipped, applied again.
async fn put_right(fleet: &Fleet) -> Result<()> {
    let hub = deploy("hub");
    fleet.hub.kubectl().apply_kustomize(&hub).await.map(drop)
}
