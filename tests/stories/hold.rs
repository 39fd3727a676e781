//! One write ends what somebody has open and keeps them from asking again.

mod seen;

use crate::approvals::Kubectl;
use crate::crash::{hears, spawn};
use crate::lines::Lines;
use anyhow::{Context, Result};
use kube::Api;
use kube::api::ListParams;
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, proof, until};
use sallyport_ipc::{
    EndReason, HeldKind, HoldInput, HoldView, ProofKind, ProofState, SessionState, SessionView,
};
use sallyport_model::{ErrorCode, Phase};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);

fn hold(on: HeldKind, name: &str) -> HoldInput {
    HoldInput { on, name: name.to_owned(), minutes: 60, reason: "her laptop was stolen".to_owned() }
}

/// What a desktop shows as held, once that is as wanted.
async fn held(desktop: &Desktop, wanted: impl Fn(&[HoldView]) -> bool) -> Result<Vec<HoldView>> {
    until("the holds", SOON, async || {
        let state = desktop.app.app_state().await.ok()?;
        wanted(&state.holds).then_some(state.holds)
    })
    .await
}

/// Whether the session ended by a hold of lee's, and nothing of it is left.
fn ended(view: &SessionView) -> bool {
    let said = view.ended.as_ref();
    said.is_some_and(|said| {
        said.reason == EndReason::Revoked
            && said.by.as_deref().is_some_and(|by| by.contains("lee"))
            && said.message.as_deref().is_some_and(|why| why.contains("stolen"))
    }) && proof(view, ProofKind::RightsGone).0 == Some(ProofState::Done)
        && proof(view, ProofKind::TokenRefused).0 == Some(ProofState::Done)
}

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let (dana, lee) = (Desktop::signed_in(fleet, "dana").await?, Desktop::signed_in(fleet, "lee").await?);
    let pat = Desktop::signed_in(fleet, "pat").await?;
    let cluster = fleet.target().spec.name;
    let (one, two) = (dana.open(cluster, "debug-prod").await?, dana.open(cluster, "view").await?);
    let pats = pat.open(cluster, "view").await?;
    let user = dana.app.app_state().await?.user.context("dana is signed in")?.name.to_string();
    let state = until("lee may hold", SOON, async || {
        let state = lee.app.app_state().await.ok()?;
        state.may_hold.then_some(state)
    })
    .await?;
    lines.check("nothing is held, and lee may hold", state.holds.is_empty(), "");
    let refused = dana.app.hold_create(hold(HeldKind::Everything, "")).await.err();
    lines.check(
        "dana may not: the hub refuses",
        refused.as_ref().is_some_and(|e| e.code() == ErrorCode::Forbidden),
        refused.map(|e| e.to_string()).unwrap_or_default(),
    );
    let mut wrong = Vec::new();
    for input in [
        HoldInput { reason: "  ".into(), ..hold(HeldKind::User, &user) },
        HoldInput { minutes: 7 * 24 * 60 + 1, ..hold(HeldKind::User, &user) },
        HoldInput { minutes: 0, ..hold(HeldKind::User, &user) },
        hold(HeldKind::User, " "),
        hold(HeldKind::Cluster, "no such name"),
    ] {
        wrong.push(lee.app.hold_create(input).await.err().map(|e| e.code()));
    }
    let all_bad = wrong.iter().all(|code| *code == Some(ErrorCode::BadInput));
    lines.check("a hold has a name, a reason and an end within a week", all_bad, format!("{wrong:?}"));

    let start = Instant::now();
    lee.app.hold_create(hold(HeldKind::User, &user)).await?;
    let cut = until("both are cut", SOON, async || {
        let both = [dana.session(&one.id).await.ok()?, dana.session(&two.id).await.ok()?];
        both.iter().all(|view| !matches!(view.state, SessionState::Open)).then_some(start.elapsed())
    })
    .await?;
    lines.check(
        "lee holds dana: both of her sessions are cut",
        cut < Duration::from_secs(10),
        format!("{cut:?}"),
    );
    let over = [
        dana.until(&one.id, |view| view.state == SessionState::Closed).await?,
        dana.until(&two.id, |view| view.state == SessionState::Closed).await?,
    ];
    lines.check(
        "each says by whom and why, and is proven closed",
        over.iter().all(ended),
        format!("{:?}", over[0].ended),
    );
    let seen = held(&dana, |holds| holds.iter().any(|hold| hold.on_me)).await?;
    lines.check(
        "dana sees who holds her, why and until when, and is not offered to end it",
        seen.len() == 1 && seen[0].by.contains("lee") && !seen[0].may_remove && seen[0].until > seen[0].since,
        format!("{:?}", seen.first().map(|hold| hold.reason.to_string())),
    );
    let refused = dana.app.session_open(input(cluster, "view")).await.err();
    lines.check(
        "she can't ask again",
        refused.as_ref().is_some_and(|e| e.code() == ErrorCode::Forbidden && e.to_string().contains("held")),
        refused.map(|e| e.to_string()).unwrap_or_default(),
    );
    let still = pat.session(&pats.id).await?;
    let works = Kubectl::new(fleet, &pat.kubeconfig()?).get("payments").await?;
    lines.check("pat's session goes on", still.state == SessionState::Open && works, "");

    // Everything, the one who holds with it; and whoever holds may end it.
    let lees = lee.open(cluster, "view").await?;
    lee.app.hold_create(hold(HeldKind::Everything, "")).await?;
    let over = pat.until(&pats.id, |view| view.state == SessionState::Closed).await?;
    lines.check("everything is held: pat's session ends too", ended(&over), format!("{:?}", over.ended));
    let over = lee.until(&lees.id, |view| view.state == SessionState::Closed).await?;
    lines.check("and what lee has open: it is cut and proven too", ended(&over), format!("{:?}", over.ended));
    let seen = held(&lee, |holds| holds.len() == 2).await?;
    let refused = lee.app.session_open(input(cluster, "view")).await.err();
    lines.check(
        "lee as well, and may end it",
        refused.is_some_and(|e| e.code() == ErrorCode::Forbidden) && seen.iter().all(|hold| hold.may_remove),
        "",
    );
    for hold in seen {
        lee.app.hold_remove(hold.id.to_string()).await?;
    }
    held(&dana, <[HoldView]>::is_empty).await?;
    let open = dana.open(cluster, "view").await?;
    lines.check("nothing is held any more, and dana opens again", open.state == SessionState::Open, "");

    // A cluster, for everybody on it and nobody elsewhere.
    lee.app.hold_create(hold(HeldKind::Cluster, "another-one")).await?;
    held(&dana, |holds| holds.len() == 1).await?;
    let works = Kubectl::new(fleet, &dana.kubeconfig()?).get("payments").await?;
    lee.app.hold_create(hold(HeldKind::Cluster, cluster)).await?;
    let over = dana.until(&open.id, |view| view.state == SessionState::Closed).await?;
    lines.check("a cluster that is held closes, and not for another that is", works && ended(&over), "");
    let on_hub = ["get", "accessholds", "-o", "jsonpath={.items[*].spec.cluster}"];
    let on_hub = fleet.hub.kubectl().ok(&on_hub).await?;
    lines.check(
        "they are objects on the hub",
        on_hub.contains(cluster) && on_hub.contains("another-one"),
        on_hub,
    );
    for hold in held(&lee, |holds| holds.len() == 2).await? {
        lee.app.hold_remove(hold.id.to_string()).await?;
    }
    held(&dana, <[HoldView]>::is_empty).await?;
    seen::play(fleet, &dana, &lee, &user, lines).await?;
    same_instant(fleet, &dana, &lee, &user, lines).await?;
    dana.app.shut_down().await;
    laptop_gone(fleet, &lee, &user, lines).await?;
    for desktop in [lee, pat] {
        desktop.app.shut_down().await;
    }
    Ok(())
}

/// Asked for and held in the same instant, again and again: whichever is first, nothing stays open.
async fn same_instant(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    user: &str,
    lines: &mut Lines,
) -> Result<()> {
    let (mut opened, mut refused) = (0, 0);
    let cluster = fleet.target().spec.name;
    for round in 0..8u64 {
        held(dana, <[HoldView]>::is_empty).await?;
        let asking = dana.app.session_open(input(cluster, "view"));
        let holding = async {
            tokio::time::sleep(Duration::from_millis(round * 60)).await;
            lee.app.hold_create(hold(HeldKind::User, user)).await
        };
        let (asked, made) = tokio::join!(asking, holding);
        made?;
        match asked {
            Ok(view) => {
                let over = dana.until(&view.id, |view| view.state == SessionState::Closed).await?;
                opened += u32::from(over.opened_at.is_some());
            }
            Err(_) => refused += 1,
        }
        let left = until("no grant", SOON, async || grants_gone(fleet).await.then_some(())).await;
        left.with_context(|| format!("round {round}: a grant is left"))?;
        for hold in held(lee, |holds| holds.len() == 1).await? {
            lee.app.hold_remove(hold.id.to_string()).await?;
        }
    }
    lines.seen(
        "asked for and held in the same instant, eight times: no grant is left",
        format!("{opened} had opened, {refused} were not asked"),
    );
    Ok(())
}

/// What a hold is for: with the app of whoever is held killed, nobody cuts or leaves, and the broker alone ends it.
async fn laptop_gone(fleet: &Fleet, lee: &Desktop, user: &str, lines: &mut Lines) -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut app = spawn(fleet, home.path(), "view", "").await?;
    hears(&mut app, "open").await?;
    app.kill()?;
    app.wait()?;
    let requests = Api::<AccessRequest>::all(fleet.hub.admin()?);
    let all = requests.list(&ListParams::default()).await?;
    let open = all.items.into_iter().find(|one| one.spec.user == user && one.phase() == Phase::Active);
    let open = open.context("what she has open is on the hub")?;
    let record = open.status.as_ref().and_then(|status| status.grant.clone()).context("its grant")?;
    let account = format!("--as=system:serviceaccount:sallyport-sessions:{}", record.account);
    let may = ["auth", "can-i", "list", "pods", "--namespace=payments", &account];
    let may = async || anyhow::Ok(fleet.target().plane.kubectl().run(&may).await?.code == Some(0));
    lines.check("dana's app is killed: what she had open stays, with its rights", may().await?, "");

    let start = Instant::now();
    lee.app.hold_create(hold(HeldKind::User, user)).await?;
    let (namespace, name) = (&open.metadata.namespace, &open.metadata.name);
    let requests =
        Api::<AccessRequest>::namespaced(fleet.hub.admin()?, namespace.as_deref().context("a namespace")?);
    let name = name.as_deref().context("a name")?;
    let over = until("its end by the broker", Duration::from_secs(40), async || {
        let now = requests.get(name).await.ok()?;
        (now.phase() == Phase::Closed).then_some(now)
    })
    .await?;
    let took = start.elapsed();
    let said = over.condition(CONDITION_ENDED).context("how it ended")?;
    let by_lee = said.message.contains("is held by") && said.message.contains("stolen");
    let withdrawn = over.status.as_ref().and_then(|status| status.withdrawn);
    lines.check(
        "lee holds her: the broker alone ends it, says by whom and why, and what it removed",
        said.reason == "Revoked" && by_lee && said.message.contains("seen to be gone") && withdrawn.is_none(),
        format!("{took:?}: {}", said.message),
    );
    let gone = !may().await? && grants_gone(fleet).await;
    lines.check("the API server allows none of it any more, and no grant is left", gone, "");
    for hold in held(lee, |holds| holds.len() == 1).await? {
        lee.app.hold_remove(hold.id.to_string()).await?;
    }
    Ok(())
}

async fn grants_gone(fleet: &Fleet) -> bool {
    let listed = fleet.target().plane.kubectl().ok(&["get", "accessgrants", "-o", "name"]).await;
    listed.is_ok_and(|names| names.trim().is_empty())
}
