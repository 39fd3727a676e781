//! Ends that the hub can't hear: kept, shown as what they are, told when it can, and claimed by nobody until then.

use super::hub::Said;
use super::world::{TEAM, World, open, request};
use crate::inventory::tests::all;
use crate::person::tests::until;
use sallyport_api::AccessRequest;
use sallyport_audit::Outcome;
use sallyport_client::Fault;
use sallyport_hub::{Change, Gone, Refused};
use sallyport_ipc::{ClosingState, ClosingView, EndTold, ErrorCode};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Dana's, which is open for so many seconds more by the clock on the wall.
fn open_for(uid: &str, seconds: i64) -> AccessRequest {
    let mut object = open(uid);
    let end = jiff::Timestamp::now().as_second() + seconds;
    let grant = json!({"name": "g-aaaa", "uid": "g", "account": "s-aaaa-1",
        "end": jiff::Timestamp::from_second(end).unwrap().to_string()});
    object.status.as_mut().unwrap().grant = Some(serde_json::from_value(grant).unwrap());
    object
}

/// The same with somebody's word on it that ended it.
fn ended_by(uid: &str, by: &str) -> AccessRequest {
    let mut object = open_for(uid, 3600);
    let word = json!({"by": by, "at": "2026-11-24T14:10:00Z", "reason": "stolen"});
    object.status.as_mut().unwrap().revocation = Some(serde_json::from_value(word).unwrap());
    object
}

fn away() -> Fault {
    Fault::Unreachable("cut".into())
}

/// The hub answers nothing.
fn gone(world: &World) {
    world.hub.answers("whoami", Some(away()));
    world.hub.answers("request", Some(away()));
}

fn back(world: &World) {
    world.hub.answers("whoami", None);
    world.hub.answers("request", None);
    world.hub.refuses(None);
}

async fn closing(world: &World, uid: &str) -> Option<ClosingView> {
    world.one(uid).await.closing
}

/// What is on record of ends, the oldest first.
async fn noted(world: &World) -> Vec<(Outcome, String)> {
    let why = |entry: sallyport_audit::Entry| {
        (entry.outcome, entry.detail.get("why").and_then(|why| why.as_str()).unwrap_or_default().to_owned())
    };
    world.decided().await.into_iter().rev().map(why).collect()
}

/// One open session of dana's that lee ended while the hub was away.
async fn kept() -> World {
    let world = World::lee(vec![open_for("o", 3600)]).await;
    gone(&world);
    let told = world.approvals.revoke("o".into(), "stolen".into()).await.unwrap();
    assert_eq!(told, EndTold::NotYet);
    world
}

#[tokio::test(start_paused = true)]
async fn p10_an_end_that_the_hub_can_not_hear_is_kept_said_to_be_untold_and_told_when_it_can() {
    let world = kept().await;
    let seen = closing(&world, "o").await.unwrap();
    let one = world.one("o").await;
    assert_eq!(seen.state, ClosingState::Untold);
    assert_eq!(seen.said.unwrap().as_str(), "it can't be reached: cut");
    assert_eq!(seen.refused_from, Some(one.ends_at.unwrap() + 75_000), "what holds anyway");
    assert!(seen.kept_since.is_some() && one.may_revoke && one.ended.is_none());
    assert_eq!(world.approvals.untold_count(), 1);
    // It is tried again and again, and nothing says that it was done.
    let tried = world.hub.read.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(300)).await;
    let tries = world.hub.read.lock().unwrap().len() - tried;
    assert!((20..=60).contains(&tries), "{tries} in five minutes");
    assert!(world.hub.written().is_empty());
    let said = noted(&world).await;
    assert!(
        said.len() == 1 && said[0].0 == Outcome::Failed && said[0].1.contains("not be told yet"),
        "{said:?}"
    );
    back(&world);
    until("it is told", || !world.hub.written().is_empty()).await;
    let written = world.hub.written();
    assert_eq!(
        (written.len(), &written[0].said, written[0].by.as_str()),
        (1, &Said::Ended("stolen".into()), "oidc:lee")
    );
    until("nothing is kept", || world.approvals.untold_count() == 0).await;
    assert_eq!(closing(&world, "o").await, None, "what becomes of it is the hub's to say");
    let said = noted(&world).await;
    assert_eq!(said.last().unwrap(), &(Outcome::Ok, "stolen".to_owned()));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.hub.written().len(), 1, "once");
    // And it is followed to its end as any other.
    world.tell(Change::Put(ended_by("o", "oidc:lee"))).await;
    assert_eq!(closing(&world, "o").await.unwrap().state, ClosingState::Told);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_server_that_comes_back_is_no_word_of_the_hub() {
    let world = kept().await;
    world.hub.answers("request", Some(Fault::Other("502: bad gateway".into())));
    world.hub.refuses(Some(Refused::Fault(Fault::Other("502: bad gateway".into()))));
    tokio::time::sleep(Duration::from_secs(300)).await;
    let seen = closing(&world, "o").await.unwrap();
    assert_eq!(seen.state, ClosingState::Untold);
    assert!(seen.said.unwrap().contains("502"), "the newest of what it said");
    back(&world);
    until("it is told", || !world.hub.written().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_was_taken_in_while_its_answer_was_lost_is_not_said_twice() {
    let world = World::lee(vec![open_for("o", 3600)]).await;
    world.hub.refuses(Some(Refused::Fault(Fault::TimedOut)));
    assert_eq!(world.approvals.revoke("o".into(), "stolen".into()).await.unwrap(), EndTold::NotYet);
    let came = world.hub.came.load(Ordering::Relaxed);
    // It hung, and was taken in: the watch has not told of it.
    let read = ended_by("o", "oidc:lee");
    world.hub.reads.lock().unwrap().insert("o".into(), [Ok(read)].into());
    until("nothing is kept", || world.approvals.untold_count() == 0).await;
    assert_eq!(world.hub.came.load(Ordering::Relaxed), came, "nothing was written again");
    assert_eq!(noted(&world).await.last().unwrap().0, Outcome::Ok);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_by_then_is_told_no_more_and_nobody_is_said_to_have_ended_it() {
    for answer in [Ok(ended_by("o", "oidc:mo")), Err(Fault::NotFound)] {
        let world = kept().await;
        back(&world);
        world.hub.reads.lock().unwrap().insert("o".into(), [answer].into());
        until("nothing is kept", || world.approvals.untold_count() == 0).await;
        assert!(world.hub.written().is_empty());
        let said = noted(&world).await;
        assert!(said.iter().all(|(outcome, _)| *outcome == Outcome::Failed), "{said:?}");
        assert!(said.last().unwrap().1.contains("over before the hub heard it"), "{said:?}");
    }
    // Its time was up: nothing is left that it could end.
    let world = World::lee(vec![open_for("o", -80)]).await;
    gone(&world);
    world.approvals.revoke("o".into(), "stolen".into()).await.unwrap();
    until("nothing is kept", || world.approvals.untold_count() == 0).await;
    assert!(noted(&world).await.last().unwrap().1.contains("its time was over"));
}

#[tokio::test(start_paused = true)]
async fn a_no_that_comes_later_is_shown_until_somebody_says_it_again_or_drops_it() {
    let world = kept().await;
    back(&world);
    world.hub.refuses(Some(Refused::Forbidden { message: "lee may not\u{202e} revoke".into() }));
    until("the hub says no", || world.approvals.untold_count() == 0).await;
    let seen = closing(&world, "o").await.unwrap();
    assert_eq!(seen.state, ClosingState::Refused);
    assert_eq!(seen.said.unwrap().as_str(), "lee may not⟨U+202E⟩ revoke");
    let came = world.hub.came.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(world.hub.came.load(Ordering::Relaxed), came, "a no is not asked for again");
    assert_eq!(noted(&world).await.last().unwrap().0, Outcome::Failed);
    world.hub.refuses(None);
    assert_eq!(world.approvals.revoke("o".into(), "again".into()).await.unwrap(), EndTold::Told);
    assert_eq!((closing(&world, "o").await, world.hub.written().len()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_not_told_and_what_is_not_kept_can_not_be() {
    let world = kept().await;
    world.approvals.drop_end("o".into()).await.unwrap();
    assert_eq!((closing(&world, "o").await, world.approvals.untold_count()), (None, 0));
    back(&world);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(world.hub.came.load(Ordering::Relaxed), 0);
    assert!(noted(&world).await.last().unwrap().1.contains("dropped"));
    for uid in ["o", "nobody's", ""] {
        let error = world.approvals.drop_end(uid.into()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_signs_out_is_told_what_goes_on_and_nobody_tells_it_in_their_name() {
    let world = kept().await;
    let workspace = world.desk.person.signed().unwrap().workspace.clone();
    let lines = world.approvals.untold_lines(&workspace);
    assert!(lines.len() == 1 && lines[0].starts_with("debug of oidc:dana on eu goes on until "), "{lines:?}");
    world.leave().await;
    assert_eq!(world.approvals.drop_end("o".into()).await.unwrap_err().code(), ErrorCode::SignInNeeded);
    back(&world);
    world.come("lee").await;
    world.tell(all(vec![open_for("o", 3600)])).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!((world.hub.came.load(Ordering::Relaxed), closing(&world, "o").await), (0, None));
}

#[tokio::test(start_paused = true)]
async fn the_app_ends_and_what_was_not_told_is_on_record() {
    let world = kept().await;
    world.approvals.give_up_untold().await;
    back(&world);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(world.hub.came.load(Ordering::Relaxed), 0);
    assert!(noted(&world).await.last().unwrap().1.contains("Sallyport ended before"));
}

#[tokio::test(start_paused = true)]
async fn more_than_a_hundred_are_not_kept_and_that_is_said() {
    let many: Vec<AccessRequest> = (0..101).map(|n| open_for(&format!("r{n:03}"), 3600)).collect();
    let world = World::lee(many).await;
    gone(&world);
    for n in 0..100 {
        let told = world.approvals.revoke(format!("r{n:03}"), "stolen".into()).await.unwrap();
        assert_eq!(told, EndTold::NotYet);
    }
    let error = world.approvals.revoke("r100".into(), "stolen".into()).await.unwrap_err();
    assert!(error.code() == ErrorCode::Unreachable && error.view().retry, "{error}");
    assert_eq!((world.approvals.untold_count(), closing(&world, "r100").await), (100, None));
    back(&world);
    until("all are told", || world.approvals.untold_count() == 0).await;
    assert_eq!(world.hub.written().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn what_waits_or_is_their_own_is_not_kept_and_one_that_left_is_followed_to_its_end() {
    let own = request("own", "oidc:lee", json!({"phase": "Active"}));
    let world = World::lee(vec![own, open_for("o", 3600)]).await;
    gone(&world);
    let error = world.approvals.revoke("own".into(), "mine".into()).await.unwrap_err();
    assert_eq!((error.code(), world.approvals.untold_count()), (ErrorCode::Forbidden, 0));
    world.approvals.revoke("o".into(), "stolen".into()).await.unwrap();
    // It was taken in and carried out before anything was heard of that.
    world.hub.answers("request", None);
    let mut closed = ended_by("o", "oidc:lee");
    let ended = json!([{"type": "Ended", "status": "True", "reason": "Revoked", "message": "gone",
        "lastTransitionTime": "2026-11-24T14:10:01Z"}]);
    closed.status.as_mut().unwrap().conditions = serde_json::from_value(ended).unwrap();
    closed.status.as_mut().unwrap().phase = serde_json::from_value(json!("Closed")).unwrap();
    world.hub.reads.lock().unwrap().insert("o".into(), [Ok(closed.clone()), Ok(closed)].into());
    world.tell(Change::Left(Gone { namespace: TEAM.into(), name: "o".into(), uid: "o".into() })).await;
    until("nothing is kept", || world.approvals.untold_count() == 0).await;
    let closed = world.approvals.list().await.unwrap().closed;
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].closing.as_ref().unwrap().state, ClosingState::Proven);
    assert!(world.hub.written().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_untold_in_a_workspace_that_is_not_in_front_is_named_to_whoever_quits() {
    let world = kept().await;
    let one = world.approvals.untold_ends();
    assert_eq!((one.len(), one[0].workspace.as_str(), one[0].in_front, one[0].count), (1, "Team 0", true, 1));
    assert!(one[0].what[0].starts_with("debug of oidc:dana on eu goes on until "), "{one:?}");
    world.desk.puts_in_front(1);
    let one = world.approvals.untold_ends();
    assert_eq!(
        (one.len(), one[0].workspace.as_str(), one[0].in_front, one[0].count),
        (1, "Team 0", false, 1)
    );
    assert_eq!(world.approvals.untold_count(), 1, "and it is asked about");
    // Of many the first are named.
    world.desk.puts_in_front(0);
    let many: Vec<AccessRequest> = (0..12).map(|n| open_for(&format!("r{n:02}"), 3600)).collect();
    world.tell(all(many)).await;
    for n in 0..12 {
        world.approvals.revoke(format!("r{n:02}"), "stolen".into()).await.unwrap();
    }
    let ends = world.approvals.untold_ends();
    assert_eq!((ends[0].count, ends[0].what.len()), (13, 10));
}
