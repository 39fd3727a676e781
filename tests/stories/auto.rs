//! What opens without people, and how much of a day one person may have.

use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_api::AccessRequest;
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_ipc::{OpenInput, OutlookView, SessionState, SessionView, StepKind};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const ZONE: &str = "Europe/Berlin";
/// Opens by itself now, later, and as often as one likes within a day's time.
const PROFILES: [&str; 3] = ["auto-now", "auto-later", "auto-day"];

/// Hours of the zone's day that begin and end so many hours from now.
fn hours(from: i64, to: i64) -> String {
    let now = jiff::Timestamp::now().in_tz(ZONE).expect("a zone");
    let at = |hours: i64| {
        now.clone().saturating_add(jiff::SignedDuration::from_hours(hours)).strftime("%H:00").to_string()
    };
    format!("{}-{}", at(from), at(to))
}

fn spec(approvals: u8, more: Value) -> Value {
    let mut spec = json!({
        "clusters": ["*-eu-*"], "roles": ["sallyport:debug"], "namespaces": ["payments", "checkout"], "maxDuration": "1h",
        "approvals": approvals, "mfa": {"maxAge": "8h"},
    });
    spec.as_object_mut()
        .into_iter()
        .for_each(|spec| spec.extend(more.as_object().cloned().unwrap_or_default()));
    spec
}

async fn put(fleet: &Fleet, name: &str, spec: &Value) -> Result<()> {
    let profile = json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name}, "spec": spec});
    fleet.hub.make_profile(&profile).await
}

/// The profiles, and who may ask and approve under them.
async fn prepare(fleet: &Fleet) -> Result<()> {
    fleet.hub.allow("auto-ask", "oidc:payments-dev", &["request"], &PROFILES).await?;
    fleet.hub.allow("auto-approve", "oidc:payments-leads", &["approve", "revoke"], &PROFILES).await?;
    let auto = |hours: String| {
        json!({"autoApprovals": [{"name": "small", "groups": ["oidc:payments-dev"], "hours": hours, "zone": ZONE,
            "maxDuration": "30m", "namespaces": ["payments"], "perDay": 2}]})
    };
    put(fleet, PROFILES[0], &spec(1, auto(hours(-1, 3)))).await?;
    put(fleet, PROFILES[1], &spec(1, auto(hours(2, 4)))).await?;
    put(fleet, PROFILES[2], &spec(0, json!({"maxPerDay": "1h"}))).await
}

async fn clear(fleet: &Fleet) -> Result<()> {
    fleet.hub.remove_profiles(&PROFILES).await?;
    fleet
        .hub
        .kubectl()
        .ok(&["delete", "clusterrole,clusterrolebinding", "auto-ask", "auto-approve"])
        .await
        .map(drop)
}

fn asked(fleet: &Fleet, profile: &str, namespaces: &[&str], minutes: u32) -> OpenInput {
    OpenInput {
        namespaces: Some(namespaces.iter().map(ToString::to_string).collect()),
        duration_seconds: Some(minutes * 60),
        ..input(fleet.target().spec.name, profile)
    }
}

/// What the desktop says before it asks, once it knows the profile.
async fn outlook(desktop: &Desktop, input: &OpenInput) -> Result<OutlookView> {
    until("the outlook", SOON, async || desktop.app.cluster_outlook(input.clone()).await.ok()).await
}

/// Asks, and waits until it is open or over, or waits for people.
async fn ask(desktop: &Desktop, input: &OpenInput) -> Result<SessionView> {
    let session = desktop.app.session_open(input.clone()).await?.id;
    desktop
        .until_within(&session, SOON, |view| {
            view.state != SessionState::Opening || view.waiting_for.is_some()
        })
        .await
}

/// The request of a session, as the hub has it.
async fn on_hub(fleet: &Fleet, view: &SessionView) -> Result<AccessRequest> {
    let uid = view.request.as_deref().context("it was asked")?;
    let all = fleet.hub.kubectl().ok(&["get", "accessrequests", "-n", "team-payments", "-o", "json"]).await?;
    let all: Value = serde_json::from_str(&all)?;
    let found = all["items"].as_array().into_iter().flatten().find(|one| one["metadata"]["uid"] == uid);
    Ok(serde_json::from_value(found.cloned().context("it is on the hub")?)?)
}

/// Leaves, or takes back what waits, until it is closed on the hub too.
async fn leave(fleet: &Fleet, desktop: &Desktop, view: &SessionView) -> Result<()> {
    desktop.app.session_leave(view.id.clone()).await?;
    until("it is closed", SOON, async || {
        let request = on_hub(fleet, view).await.ok()?;
        (request.phase() == sallyport_model::Phase::Closed).then_some(())
    })
    .await
}

fn approved(view: &SessionView) -> String {
    let step = view.steps.iter().find(|step| step.kind == StepKind::Approved);
    step.map(|step| step.detail.to_string()).unwrap_or_default()
}

fn message(request: &AccessRequest) -> String {
    request.status.as_ref().and_then(|status| status.message.clone()).unwrap_or_default()
}

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    prepare(fleet).await?;
    let dana = Desktop::signed_in(fleet, "dana").await?;
    let other = Desktop::signed_in(fleet, "dana").await?;
    let played = async {
        by_itself(fleet, &dana, lines).await?;
        at_the_same_time(fleet, &dana, &other, lines).await?;
        changed(fleet, &dana, lines).await?;
        day(fleet, &dana, &other, lines).await
    }
    .await;
    dana.app.shut_down().await;
    other.app.shut_down().await;
    clear(fleet).await?;
    played
}

async fn by_itself(fleet: &Fleet, dana: &Desktop, lines: &mut Lines) -> Result<()> {
    let small = asked(fleet, "auto-now", &["payments"], 30);
    let said = outlook(dana, &small).await?;
    lines.check(
        "before asking, the desktop says that it opens at once, by what and until when",
        said.at_once
            && said.by.as_deref() == Some("small")
            && said.changes_at.is_some()
            && said.approvals == 1,
        format!("{said:?}"),
    );
    let open = ask(dana, &small).await?;
    let record = on_hub(fleet, &open).await?.status.and_then(|status| status.auto_approval);
    lines.check(
        "p8 it opens without anybody, and says by what",
        open.state == SessionState::Open
            && approved(&open).starts_with("by autoApproval small: oidc:payments-dev; "),
        approved(&open),
    );
    lines.check(
        "the hub keeps by which autoApproval, and what it saw",
        record
            .as_ref()
            .is_some_and(|met| met.name == "small" && met.saw.ends_with("payments; 1 of 2 within 24 hours")),
        record.map(|met| met.saw).unwrap_or_default(),
    );
    leave(fleet, dana, &open).await?;

    for (title, input, why) in [
        (
            "longer than it stands for",
            asked(fleet, "auto-now", &["payments"], 60),
            "small: 1h is longer than 30m",
        ),
        (
            "in another namespace",
            asked(fleet, "auto-now", &["checkout"], 30),
            "small: it is met in payments alone",
        ),
        (
            "in one more namespace",
            asked(fleet, "auto-now", &["payments", "checkout"], 30),
            "small: it is met in payments alone",
        ),
        ("outside its hours", asked(fleet, "auto-later", &["payments"], 30), "and it is met "),
    ] {
        let said = outlook(dana, &input).await?;
        let waits = ask(dana, &input).await?;
        let on_hub = on_hub(fleet, &waits).await?;
        lines.check(
            &format!("p8 {title} it waits for people, as the desktop said"),
            !said.at_once
                && said.unmet.iter().any(|one| one.contains(why))
                && waits.waiting_for.is_some()
                && message(&on_hub).contains(why)
                && on_hub.status.as_ref().is_some_and(|status| status.auto_approval.is_none()),
            message(&on_hub),
        );
        leave(fleet, dana, &waits).await?;
    }
    let later = outlook(dana, &asked(fleet, "auto-later", &["payments"], 30)).await?;
    lines.check("and the desktop says from when it will open at once", later.changes_at.is_some(), "");
    Ok(())
}

/// The last of the day is asked for by two desktops in the same instant: one opens, the other waits.
async fn at_the_same_time(fleet: &Fleet, dana: &Desktop, other: &Desktop, lines: &mut Lines) -> Result<()> {
    let small = asked(fleet, "auto-now", &["payments"], 15);
    outlook(other, &small).await?;
    let (one, two) = tokio::join!(ask(dana, &small), ask(other, &small));
    let (one, two) = (one?, two?);
    let opened = [&one, &two].iter().filter(|view| view.state == SessionState::Open).count();
    let waits = [&one, &two].iter().filter(|view| view.waiting_for.is_some()).count();
    lines.check(
        "the last of the day, asked for twice in one instant: one opens, one waits",
        (opened, waits) == (1, 1),
        "",
    );
    leave(fleet, dana, &one).await?;
    leave(fleet, other, &two).await?;
    let said = outlook(dana, &small).await?;
    let again = ask(dana, &small).await?;
    let told = message(&on_hub(fleet, &again).await?);
    lines.check(
        "used up, it waits for people, and the desktop knew",
        again.waiting_for.is_some()
            && told.contains("small: it was met 2 of 2 times within 24 hours")
            && said.unmet.iter().any(|one| one.contains("2 of 2 times")),
        told,
    );
    leave(fleet, dana, &again).await
}

/// The profile is another between the offer and the yes: what was offered is not granted any more.
async fn changed(fleet: &Fleet, dana: &Desktop, lines: &mut Lines) -> Result<()> {
    let lee = Desktop::signed_in(fleet, "lee").await?;
    let waits = ask(dana, &asked(fleet, "auto-later", &["payments"], 60)).await?;
    let request = waits.request.as_deref().context("it was asked")?.to_owned();
    let offer = until("the offer", SOON, async || {
        let all = lee.app.requests_list().await.ok()?.requests;
        all.into_iter().find(|one| one.id == request.as_str())?.offer
    })
    .await?;
    // Open to everybody at any time by now; it was asked for under what stood before.
    put(fleet, PROFILES[1], &spec(1, json!({"autoApprovals": [{"name": "small", "maxDuration": "1h"}]})))
        .await?;
    // Whichever of desktop, admission and broker hears of it first says no; a yes that comes through opens nothing.
    let said = lee.app.request_approve(request, offer.digest.to_string(), None).await;
    let over = dana.until_within(&waits.id, SOON, |view| view.state != SessionState::Opening).await;
    let (opened, told) = match over {
        Ok(view) => {
            (view.opened_at.is_some(), view.ended.and_then(|ended| ended.message).map(|why| why.to_string()))
        }
        Err(_) => (false, said.err().map(|e| e.to_string())),
    };
    lines.check(
        "attack_5 the profile changed after the offer: it never opens",
        !opened,
        told.unwrap_or_default(),
    );
    if dana.session(&waits.id).await?.state == SessionState::Opening {
        leave(fleet, dana, &waits).await?;
    }
    lee.app.shut_down().await;
    Ok(())
}

async fn day(fleet: &Fleet, dana: &Desktop, other: &Desktop, lines: &mut Lines) -> Result<()> {
    let ask_for = |minutes| asked(fleet, "auto-day", &["payments"], minutes);
    let left = |said: &OutlookView| said.day.and_then(|day| day.left_seconds);
    let said = outlook(dana, &ask_for(60)).await?;
    let open = ask(dana, &ask_for(60)).await?;
    let offered = on_hub(fleet, &open).await?.status.and_then(|status| status.offer?.left_today);
    lines.check(
        "attack_20 what is left of a day stands in the offer",
        open.state == SessionState::Open && offered.as_deref() == Some("1h") && left(&said) == Some(3600),
        format!("{offered:?}, estimated {:?}", left(&said)),
    );
    let said = outlook(other, &ask_for(15)).await?;
    lines.check(
        "attack_20 an open session counts with all that was given",
        left(&said) == Some(0) && said.day.is_some_and(|day| day.fits),
        format!("{:?}", said.day),
    );
    // Whoever beside it wants more than what overlaps is denied with the numbers.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let denied = ask(other, &ask_for(60)).await?;
    let why = denied.error.as_ref().map(|error| error.message.to_string()).unwrap_or_default();
    let told = denied
        .ended
        .as_ref()
        .and_then(|ended| ended.message.clone())
        .map(|why| why.to_string())
        .unwrap_or(why);
    lines.check(
        "attack_20 used up, it is denied with the numbers",
        denied.opened_at.is_none()
            && told.contains("at most 1h within 24 hours on this cluster: 1h of it is used or given, 0s is left, and this would take 1h"),
        &told,
    );
    let beside = ask(other, &ask_for(15)).await?;
    lines.check("attack_20 what overlaps counts once", beside.state == SessionState::Open, approved(&beside));
    leave(fleet, other, &beside).await?;
    leave(fleet, dana, &open).await?;
    let said = outlook(dana, &ask_for(45)).await?;
    let spent = left(&said).map(|left| 3600 - left);
    let again = ask(dana, &ask_for(45)).await?;
    let offered = on_hub(fleet, &again).await?.status.and_then(|status| status.offer?.left_today);
    lines.check(
        "attack_20 closed ones count their real length",
        again.state == SessionState::Open && spent.is_some_and(|spent| (1..120).contains(&spent)),
        format!("{spent:?} s of an hour were used, left by the offer: {offered:?}"),
    );
    leave(fleet, dana, &again).await
}
