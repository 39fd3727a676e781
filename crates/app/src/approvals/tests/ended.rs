//! What became of what somebody ended: shown as it closes, proven or not, and with the bound where nobody answers.

use super::world::{ENDS, TEAM, World, open, request};
use crate::inventory::tests::all;
use crate::person::tests::{settled, until};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::{Beat, Change, Gone};
use sallyport_ipc::{ClosingState, ClosingView, RequestView};
use serde_json::json;
use std::time::Duration;

fn with(uid: &str, more: serde_json::Value) -> AccessRequest {
    let mut object = serde_json::to_value(open(uid)).unwrap();
    for (key, value) in more.as_object().unwrap() {
        object["status"][key] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

/// Revoked by somebody.
fn revoked(by: &str) -> serde_json::Value {
    json!({"revocation": {"by": by, "at": "2026-11-24T14:10:00Z", "reason": "stolen"}})
}

/// Closed by its broker, with what it says.
fn closed(uid: &str, said: &str) -> AccessRequest {
    let ended = json!({"type": "Ended", "status": "True", "reason": "Revoked", "message": said,
        "lastTransitionTime": "2026-11-24T14:10:01Z"});
    with(uid, json!({"phase": "Closed", "conditions": [ended], "message": said}))
}

fn left(uid: &str) -> Change<AccessRequest> {
    Change::Left(Gone { namespace: TEAM.into(), name: uid.into(), uid: uid.into() })
}

async fn shown(world: &World) -> Vec<RequestView> {
    world.approvals.list().await.unwrap().closed
}

async fn closing(world: &World, uid: &str) -> ClosingView {
    world.one(uid).await.closing.expect("somebody ended it")
}

#[tokio::test(start_paused = true)]
async fn p13_what_was_ended_is_followed_to_its_brokers_word_that_nothing_is_left() {
    let world = World::lee(vec![open("r"), open("other")]).await;
    assert_eq!(world.one("r").await.closing, None);
    world.approvals.revoke("r".into(), "stolen".into()).await.unwrap();
    world.tell(Change::Put(with("r", revoked("oidc:lee")))).await;
    let seen = closing(&world, "r").await;
    assert_eq!((seen.state, seen.said, seen.refused_from), (ClosingState::Told, None, Some(ENDS + 75_000)));
    let stands = json!({"type": "Closing", "status": "True", "reason": "Refused", "lastTransitionTime": "2026-11-24T14:10:00Z",
        "message": "RoleBinding a/g-aaaa: denied request: no\u{202e}"});
    let mut hindered = revoked("oidc:lee");
    hindered["conditions"] = json!([stands]);
    world.tell(Change::Put(with("r", hindered))).await;
    let seen = closing(&world, "r").await;
    assert_eq!(seen.state, ClosingState::Hindered);
    assert_eq!(seen.said.unwrap().as_str(), "RoleBinding a/g-aaaa: denied request: no⟨U+202E⟩");
    let word = "revoked by oidc:lee: stolen; 1 binding and 1 account removed in 12 ms, and seen to be gone";
    world.hub.reads.lock().unwrap().insert("r".into(), [Ok(closed("r", word))].into());
    world.tell(left("r")).await;
    assert_eq!(world.ids().await, ["other"], "it is not open");
    let all = shown(&world).await;
    let seen = all[0].closing.as_ref().unwrap();
    assert_eq!((all.len(), all[0].id.as_str(), seen.state), (1, "r", ClosingState::Proven));
    assert_eq!(seen.said.as_ref().unwrap().as_str(), word);
}

#[tokio::test(start_paused = true)]
async fn p21_what_can_not_be_read_is_not_proven_and_a_hub_that_is_away_is_asked_again() {
    let world = World::lee(vec![open("slow"), open("deleted"), open("dumb"), open("unread")]).await;
    for uid in ["slow", "deleted", "dumb", "unread"] {
        world.tell(Change::Put(with(uid, revoked("oidc:lee")))).await;
    }
    let dumb = with("dumb", json!({"phase": "Closed"}));
    let answers = [
        (
            "slow",
            vec![Err(Fault::TimedOut), Err(Fault::Unreachable("cut".into())), Ok(closed("slow", "gone"))],
        ),
        ("deleted", vec![Err(Fault::NotFound)]),
        ("dumb", vec![Ok(dumb)]),
        ("unread", vec![Err(Fault::Forbidden("no".into()))]),
    ];
    for (uid, answers) in answers {
        world.hub.reads.lock().unwrap().insert(uid.into(), answers.into());
        world.tell(left(uid)).await;
    }
    let states = |all: &[RequestView]| -> Vec<(String, ClosingState)> {
        all.iter().map(|one| (one.id.to_string(), one.closing.as_ref().unwrap().state)).collect()
    };
    let unproven = |uid: &str| (uid.to_owned(), ClosingState::Unproven);
    let seen = states(&shown(&world).await);
    assert_eq!(seen[0], ("slow".to_owned(), ClosingState::Told), "it is being looked for");
    assert_eq!(seen[1..], [unproven("deleted"), unproven("dumb"), unproven("unread")]);
    assert!(
        shown(&world)
            .await
            .iter()
            .all(|one| one.closing.as_ref().unwrap().refused_from == Some(ENDS + 75_000))
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(states(&shown(&world).await)[0], ("slow".to_owned(), ClosingState::Proven));
}

#[tokio::test(start_paused = true)]
async fn p10_what_nobody_can_reach_is_shown_with_the_bound_that_holds_all_the_same() {
    let world = World::lee(vec![open("r")]).await;
    world.tell(Change::Put(with("r", revoked("oidc:lee")))).await;
    let beat = Beat { cluster: "eu".into(), age: Duration::from_secs(600), lasts: Duration::from_secs(90) };
    world.hubs[0].beat(Ok(vec![beat]));
    // The signs of life are listed within minutes.
    tokio::time::sleep(Duration::from_secs(900)).await;
    let seen = closing(&world, "r").await;
    assert_eq!((seen.state, seen.refused_from), (ClosingState::Unreached, Some(ENDS + 75_000)));
    assert!(seen.seen_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_theirs_ends_what_is_open_and_what_became_of_each_is_shown() {
    let waiting = request("waits", "oidc:mo", json!({"phase": "Pending"}));
    let own = request("own", "oidc:lee", json!({"phase": "Active"}));
    let world = World::lee(vec![open("r"), waiting, own]).await;
    world.hold_by("oidc:lee").await;
    let seen = world.one("r").await;
    assert!(seen.ended.as_ref().is_some_and(|words| words.as_str().contains("stolen")), "{seen:?}");
    assert_eq!(seen.closing.unwrap().state, ClosingState::Told);
    for (uid, object) in [("r", closed("r", "gone")), ("own", closed("own", "gone"))] {
        world.hub.reads.lock().unwrap().insert(uid.into(), [Ok(object)].into());
        world.tell(left(uid)).await;
    }
    let ids: Vec<String> = shown(&world).await.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["r"], "their own is where they opened it");
}

#[tokio::test(start_paused = true)]
async fn what_others_ended_is_not_theirs_and_a_gap_hides_nothing_of_what_was() {
    let world = World::lee(vec![open("theirs"), open("mine")]).await;
    world.tell(Change::Put(with("theirs", revoked("oidc:mo")))).await;
    world.tell(left("theirs")).await;
    assert!(shown(&world).await.is_empty() && world.hub.read.lock().unwrap().is_empty());
    // The watch breaks off between the word and the end, and is listed anew.
    world.approvals.revoke("mine".into(), "stolen".into()).await.unwrap();
    world.hub.reads.lock().unwrap().insert("mine".into(), [Ok(closed("mine", "gone"))].into());
    world.tell(all(Vec::new())).await;
    let seen = shown(&world).await;
    assert_eq!((seen.len(), seen[0].closing.as_ref().unwrap().state), (1, ClosingState::Proven));
}

#[tokio::test(start_paused = true)]
async fn it_is_gone_with_whoever_ended_it_and_bounded() {
    let many: Vec<AccessRequest> = (0..600).map(|n| open(&format!("r{n:03}"))).collect();
    let world = World::lee(many).await;
    world.hold_by("oidc:lee").await;
    world.hub.answers("request", Some(Fault::NotFound));
    world.tell(all(Vec::new())).await;
    until("all are read", || world.hub.read.lock().unwrap().len() >= 600).await;
    settled().await;
    assert_eq!(shown(&world).await.len(), 500);
    world.leave().await;
    assert!(shown(&world).await.is_empty() && world.approvals.closed().is_empty());
}
