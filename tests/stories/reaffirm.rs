//! Still who they were: while something is open, the provider has to vouch for its person again and again.
//!
//! The shortest period is five minutes and its grace one. To see it in a minute and a half, the provider's clock runs behind:
//! each of its words is 290 s old when it comes, so that the next is due 10 s and access over 70 s later.

use crate::approvals::Kubectl;
use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_api::{AccessRequest, Reaffirmed};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{DEADLINE, Desktop, at_last, id_token, proof, until};
use sallyport_hub::Hub;
use sallyport_ipc::{EndReason, ProofKind, ProofState, SessionState, SessionView};
use sallyport_model::RequestRef;
use sallyport_testkit::idp::{Account, Endpoint, Fault, Quirks};
use sallyport_testkit::profiles::EDITOR;
use sallyport_testkit::repository::deploy;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How far the provider's clock is behind, seconds.
const BEHIND: i64 = 290;
/// From one word of the provider to the next, and to the end without one.
const PERIOD: Duration = Duration::from_secs(10);
const OVER: Duration = Duration::from_secs(70);
/// What a busy machine may add to either.
const SLACK: Duration = Duration::from_secs(25);
/// A group of the story's own: losing it takes nothing else.
const WATCHERS: &str = "watchers";
const NEWCOMERS: &str = "newcomers";

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    for sub in ["dana", "lee", "pat", "ines"] {
        fleet.idp.put_account(&with(fleet, sub, &[WATCHERS])).await?;
    }
    // A sign-in is tried as soon as any profile wants it, and once: here by this story's own.
    fleet.hub.remove_profiles(&["oncall"]).await?;
    let played = all(fleet, lines).await;
    fleet.hub.make_profiles(&deploy("demo/profiles")).await?;
    // Other stories sign in here too.
    for sub in ["dana", "lee", "pat", "ines"] {
        fleet.idp.put_account(fleet.idp.account(sub)).await?;
    }
    fleet.idp.set_clock(0).await?;
    fleet.idp.imitate(&Quirks::default()).await?;
    fleet.idp.fault(Endpoint::Token, None).await?;
    fleet.idp.omit_id_token(false).await?;
    let profiles = ["delete", "accessprofile", "watched", "newly-watched", "unwatched", "--ignore-not-found"];
    fleet.hub.kubectl().ok(&[&profiles[..], &EDITOR[..]].concat()).await?;
    let rights = ["delete", "clusterrolebinding,clusterrole", "-l", "story=reaffirm"];
    fleet.hub.kubectl().ok(&rights).await?;
    played
}

/// A person with more groups.
fn with(fleet: &Fleet, sub: &str, more: &[&str]) -> Account {
    let mut account = fleet.idp.account(sub).clone();
    account.groups.extend(more.iter().map(|group| (*group).to_owned()));
    account
}

fn profile(name: &str, reaffirm: Value) -> Value {
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name},
        "spec": {"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
            "approvals": 0, "reasonRequired": false, "reaffirm": reaffirm},
    })
}

/// The right to ask under one profile, for one group.
fn right(profile: &str, group: &str) -> String {
    let (name, labels) = (format!("story:{profile}"), json!({"story": "reaffirm"}));
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name, "labels": labels},
        "rules": [{"apiGroups": ["access.sallyport.dev"], "resources": ["accessprofiles"], "resourceNames": [profile],
            "verbs": ["request"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name, "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": format!("oidc:{group}")}],
    });
    format!("{role}\n---\n{binding}")
}

async fn all(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let (dana, lee) = (Desktop::signed_in(fleet, "dana").await?, Desktop::signed_in(fleet, "lee").await?);
    let (pat, ines) = (Desktop::signed_in(fleet, "pat").await?, Desktop::signed_in(fleet, "ines").await?);
    let raw = Hub::new(fleet.hub.client_with_token(&id_token(fleet, "ines").await?)?, DEADLINE);
    fleet.idp.imitate(&Quirks { no_date: true, ..Quirks::default() }).await?;
    fleet.idp.set_clock(-BEHIND).await?;
    for (name, group) in [("watched", WATCHERS), ("newly-watched", NEWCOMERS), ("unwatched", WATCHERS)] {
        fleet.hub.kubectl().apply(&right(name, group)).await?;
    }
    let before = fleet.idp.requests(Endpoint::Token).await?;
    let wanted = json!({"every": "5m", "grace": "1m"});
    let mut unwatched = profile("unwatched", json!(null));
    unwatched["spec"].as_object_mut().context("a spec")?.remove("reaffirm");
    for profile in [profile("watched", wanted.clone()), profile("newly-watched", wanted), unwatched] {
        fleet.hub.make_profile(&profile).await?;
    }
    for desktop in [&dana, &lee, &pat, &ines] {
        offered(desktop, cluster, "watched").await?;
    }
    // What the provider can do is tried as soon as a profile wants it: from then on its words are old.
    until("each sign-in is renewed", PERIOD + SLACK, async || {
        (fleet.idp.requests(Endpoint::Token).await.ok()? >= before + 4).then_some(())
    })
    .await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let said = detail(&pat, cluster, "watched").await?.and_then(|profile| profile.reaffirm);
    lines.check(
        "the ask says how often the provider has to vouch",
        said.is_some_and(|said| (said.every_seconds, said.grace_seconds) == (300, 60)),
        "",
    );
    let (danas, lees) = (dana.open(cluster, "watched").await?, lee.open(cluster, "watched").await?);
    let (pats, plain) = (pat.open(cluster, "watched").await?, pat.open(cluster, "unwatched").await?);
    old_token(fleet, &raw, &ines.open(cluster, "watched").await?, lines).await?;

    let browsers = pat.browsers_opened();
    let first = word(&pats)?;
    let moved = pat.until_within(&pats.id, PERIOD + SLACK, |v| word(v).is_ok_and(|at| at > first)).await?;
    let on_hub =
        request(fleet, &pats).await?.status.and_then(|status| status.reaffirmed).context("a word")?;
    lines.check(
        "once in its period the provider vouches anew, without a click, and the hub knows of when",
        on_hub.issued * 1000 > first
            && pat.browsers_opened() == browsers
            && moved.state == SessionState::Open,
        format!("{} s later", (on_hub.issued * 1000 - first) / 1000),
    );
    people_change(fleet, [&dana, &lee, &pat], [&danas, &lees, &pats, &plain], lines).await?;
    what_it_can_not_do(fleet, lines).await?;
    for desktop in [dana, lee, pat, ines] {
        desktop.app.shut_down().await;
    }
    Ok(())
}

/// One is disabled, one loses the group, one gains another, one right is taken away on the hub, and then nobody can be asked.
async fn people_change(
    fleet: &Fleet,
    [dana, lee, pat]: [&Desktop; 3],
    [danas, lees, pats, plain]: [&SessionView; 4],
    lines: &mut Lines,
) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let start = Instant::now();
    fleet.idp.put_account(&Account { disabled: true, ..with(fleet, "dana", &[WATCHERS]) }).await?;
    fleet.idp.put_account(fleet.idp.account("lee")).await?;
    fleet.idp.put_account(&with(fleet, "pat", &[WATCHERS, NEWCOMERS])).await?;
    fleet.hub.kubectl().ok(&["delete", "clusterrolebinding", "story:unwatched"]).await?;

    let warns = |view: &SessionView| view.vouching.as_ref().is_some_and(|word| word.overdue.is_some());
    let why = |view: &SessionView| {
        view.vouching
            .as_ref()
            .and_then(|word| word.overdue.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let warned = dana.until_within(&danas.id, PERIOD + SLACK, warns).await?;
    lines.check(
        "disabled at the provider: her session warns, and goes on for its grace",
        warned.state == SessionState::Open
            && Kubectl::new(fleet, &dana.kubeconfig()?).get("payments").await?,
        why(&warned),
    );
    let warned = lee.until_within(&lees.id, PERIOD + SLACK, warns).await?;
    lines.check(
        "moved out of the group: the hub does not take the word of somebody who may not ask any more",
        why(&warned).contains("may not request profile watched any more"),
        why(&warned),
    );
    offered(pat, cluster, "newly-watched").await?;
    let gained = pat.open(cluster, "newly-watched").await?;
    lines.check(
        "gained a group: its profile is there at the next refresh, with no cluster touched, and opens",
        gained.state == SessionState::Open,
        format!("{} s after", start.elapsed().as_secs()),
    );

    fleet.idp.fault(Endpoint::Token, Some(Fault::Error)).await?;
    let away = Instant::now();
    let warned = pat.until_within(&pats.id, PERIOD + SLACK, warns).await?;
    lines.check(
        "the provider is down: pat's session warns too",
        warned.state == SessionState::Open,
        why(&warned),
    );

    let closed = |view: &SessionView| view.state == SessionState::Closed;
    let over = pat.until_within(&plain.id, Duration::from_secs(60) + SLACK, closed).await?;
    lines.check(
        "a right that is taken away on the hub closes what is open within a minute, also where nothing is reaffirmed",
        ended(&over, "may not ask under profile unwatched"),
        words(&over),
    );
    for (who, session, what) in [(dana, danas, "of who is disabled"), (lee, lees, "of who left the group")] {
        let over = who.until_within(&session.id, OVER + SLACK, closed).await?;
        let took = start.elapsed();
        lines.check(
            &format!("the session {what} is closed with nobody acting, and proven"),
            ended(&over, "has not vouched") && took < OVER + SLACK,
            format!("{} s after; {}", took.as_secs(), words(&over)),
        );
    }
    let over = pat.until_within(&pats.id, OVER + SLACK, closed).await?;
    lines.check(
        "the provider stays down: after its grace pat's session is closed too",
        ended(&over, "has not vouched") && away.elapsed() < OVER + SLACK,
        format!("{} s after; {}", away.elapsed().as_secs(), words(&over)),
    );
    pat.until_within(&gained.id, OVER + SLACK, closed).await?;
    let grants = async || fleet.target().plane.kubectl().ok(&["get", "accessgrants", "-o", "name"]).await;
    let left = at_last(Duration::from_secs(60), grants, |left| left.lines().count() == 1).await?;
    lines.check(
        "one grant is left on the cluster: of the one whose word is newer",
        left.lines().count() == 1,
        left,
    );
    Ok(())
}

/// Said before anything is open, and not when it is closed for it.
async fn what_it_can_not_do(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    fleet.idp.set_clock(0).await?;
    fleet.idp.fault(Endpoint::Token, None).await?;
    for (what, wanted) in [
        ("a provider that renews without an ID token", "without an ID token"),
        ("one that leaves the groups out on a refresh", "left your groups out"),
    ] {
        let is_first = wanted.contains("ID token");
        fleet.idp.omit_id_token(is_first).await?;
        let claims_on_refresh = if is_first { json!({}) } else { json!({"groups": null}) };
        fleet.idp.imitate(&Quirks { claims_on_refresh, ..Quirks::default() }).await?;
        let desktop = Desktop::signed_in(fleet, "ines").await?;
        let said = until("the note", PERIOD + SLACK, async || {
            let notes = desktop.app.app_state().await.ok()?.notes;
            notes.iter().find(|note| note.contains(wanted)).map(ToString::to_string)
        })
        .await;
        desktop.app.shut_down().await;
        fleet.idp.omit_id_token(false).await?;
        let said = said?;
        lines.check(&format!("{what} is named after the first sign-in"), said.contains("watched"), said);
    }
    Ok(())
}

/// What a token proves, it proves once.
async fn old_token(fleet: &Fleet, raw: &Hub, session: &SessionView, lines: &mut Lines) -> Result<()> {
    let which = request(fleet, session).await?.which()?;
    let me = raw.whoami().await?;
    let issued = me.issued_at.context("the hub says when a token was issued")?;
    let word = |issued: i64, groups: &[String]| Reaffirmed { issued, groups: groups.to_vec() };
    raw.reaffirm(&which, &word(issued, &me.groups)).await?;
    let after = async |which: &RequestRef| Ok::<_, anyhow::Error>(raw.request(which).await?.vouched_at());
    let known = after(&which).await?;
    raw.reaffirm(&which, &word(issued, &me.groups)).await?;
    let again = raw.reaffirm(&which, &word(issued, &me.groups[..1])).await;
    let said = again.as_ref().err().map(ToString::to_string).unwrap_or_default();
    lines.check(
        "a token that is sent again moves nothing",
        said.contains("only a later one reaffirms") && after(&which).await? == known && known == Some(issued),
        said,
    );
    let dated = raw.reaffirm(&which, &word(issued + 300, &me.groups)).await;
    let said = dated.as_ref().err().map(ToString::to_string).unwrap_or_default();
    lines.check("nor does one that is dated later than it is", said.contains("that of your own token"), said);
    Ok(())
}

/// Whether it was closed for that, with both proofs.
fn ended(view: &SessionView, why: &str) -> bool {
    view.ended.as_ref().is_some_and(|ended| ended.reason == EndReason::Revoked)
        && words(view).contains(why)
        && proof(view, ProofKind::RightsGone).0 == Some(ProofState::Done)
        && proof(view, ProofKind::TokenRefused).0 == Some(ProofState::Done)
}

fn words(view: &SessionView) -> String {
    view.ended.as_ref().and_then(|ended| ended.message.as_ref()).map(ToString::to_string).unwrap_or_default()
}

/// Of when the provider's last word is that a session knows of.
fn word(view: &SessionView) -> Result<i64> {
    view.vouching.as_ref().and_then(|word| word.vouched_at).context("a word of the provider")
}

async fn request(fleet: &Fleet, session: &SessionView) -> Result<AccessRequest> {
    let uid = session.request.as_ref().context("it was asked")?;
    let all: kube::Api<AccessRequest> = kube::Api::all(fleet.hub.admin()?);
    let found = all.list(&kube::api::ListParams::default()).await?.items;
    found
        .into_iter()
        .find(|one| one.metadata.uid.as_deref() == Some(uid.as_str()))
        .context("it is on the hub")
}

async fn detail(
    desktop: &Desktop,
    cluster: &str,
    profile: &str,
) -> Result<Option<sallyport_ipc::ProfileView>> {
    let detail = desktop.app.cluster_detail(cluster.to_owned()).await?;
    Ok(detail.profiles.into_iter().find(|one| one.name == profile))
}

/// Waits until a profile may be asked for.
async fn offered(desktop: &Desktop, cluster: &str, profile: &str) -> Result<()> {
    until("the profile is offered", PERIOD + SLACK, async || {
        detail(desktop, cluster, profile).await.ok().flatten().map(drop)
    })
    .await
}
