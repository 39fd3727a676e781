//! What is said yes to: the offer that was on the screen, of what is there, and nobody's own.

use super::hub::{FakeHub, Said};
use super::world::{World, digest_of, offered, open, request, waits};
use crate::inventory::tests::all;
use crate::person::tests::{settled, until};
use sallyport_audit::Action;
use sallyport_hub::{Change, ProfileRights};
use sallyport_ipc::{Decide, ErrorCode, LimitsInput};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn p8_a_yes_names_the_offer_on_the_screen_by_the_hubs_clock_and_stands_in_the_history() {
    let hub = Arc::<FakeHub>::default();
    let world = World::of(&hub, "lee").await;
    world.desk.hub_is_ahead(20);
    *hub.auth_time.lock().unwrap() = Some(1_795_000_000);
    world.tell(all(vec![waits("r", &["get"])])).await;
    assert_eq!((world.one("r").await.decide, world.approvals.to_decide()), (Decide::Yes, 1));
    let before = jiff::Timestamp::now().as_second();
    world.approve("r", &digest_of(&["get"]), None).await.unwrap();
    let written = hub.written();
    let [yes] = &written[..] else { panic!("{written:?}") };
    assert_eq!((yes.by.as_str(), yes.on.as_str(), yes.auth_time), ("oidc:lee", "r", Some(1_795_000_000)));
    assert_eq!(yes.said, Said::Yes { offer: digest_of(&["get"]), limits: None });
    assert!((before + 20..before + 320).contains(&yes.at), "{} by the hub's clock", yes.at);
    settled().await;
    assert_eq!((world.one("r").await.decide, world.approvals.to_decide()), (Decide::Said, 0));
    let noted = world.decided().await;
    assert_eq!(noted.len(), 1);
    assert_eq!(
        (noted[0].action, noted[0].request.as_ref().map(|uid| uid.as_str())),
        (Action::Approve, Some("r"))
    );
    assert_eq!(noted[0].detail.get("for"), Some(&json!("oidc:dana")));
    assert_eq!(noted[0].detail.get("offer"), Some(&json!(digest_of(&["get"]))));
}

#[tokio::test(start_paused = true)]
async fn p8_an_offer_that_changed_before_the_key_is_not_approved_and_nobody_is_asked() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    world.tell(Change::Put(waits("r", &["get", "delete"]))).await;
    let error = world.approve("r", &digest_of(&["get"]), None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ProfileChanged, "{error}");
    assert_eq!(world.hub.asked.load(Ordering::Relaxed), 0);
    // One that was taken back altogether.
    world.tell(Change::Put(request("r", "oidc:dana", json!({"phase": "Pending"})))).await;
    let error = world.approve("r", &digest_of(&["get"]), None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ProfileChanged, "{error}");
    assert!(world.hub.written().is_empty() && world.decided().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn p8_an_offer_that_changes_under_the_key_gets_no_yes_to_what_nobody_saw() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    let gate = world.hub.gate.lock().await;
    let pressed = world.approving("r", &digest_of(&["get"]));
    until("the hub is asked", || world.hub.asked.load(Ordering::Relaxed) > 0).await;
    world.tell(Change::Put(waits("r", &["get", "delete"]))).await;
    drop(gate);
    // Admission compares the digest with the offer of now; what is written here is what was seen.
    World::done(pressed).await.unwrap();
    let offers: Vec<Said> = world.hub.written().into_iter().map(|one| one.said).collect();
    assert_eq!(offers, [Said::Yes { offer: digest_of(&["get"]), limits: None }]);
    settled().await;
    let seen = world.one("r").await;
    assert!(
        !seen.approvals[0].counts && seen.decide == Decide::Yes,
        "it is asked again, and says so: {seen:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn p8_an_offer_that_is_not_what_its_digest_says_is_not_approved() {
    let mut forged = offered(&["get"]);
    forged["rules"] = offered(&["delete"])["rules"].clone();
    let object = request("r", "oidc:dana", json!({"phase": "Pending", "offer": forged}));
    let world = World::lee(vec![object]).await;
    assert_eq!((world.one("r").await.decide, world.approvals.to_decide()), (Decide::Unsound, 0));
    let error = world.approve("r", &digest_of(&["get"]), None).await.unwrap_err();
    assert!(error.to_string().contains("not what its digest stands for"), "{error}");
    assert_eq!(world.hub.asked.load(Ordering::Relaxed), 0);
    // A no needs no sound offer.
    world.approvals.deny("r".into(), None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p8_nobody_decides_on_their_own_whatever_they_may_do() {
    let own = |uid: &str, phase: &str| {
        request(uid, "oidc:lee", json!({"phase": phase, "offer": offered(&["get"])}))
    };
    let world = World::lee(vec![own("waits", "Pending"), own("open", "Active")]).await;
    assert_eq!((world.one("waits").await.decide, world.approvals.to_decide()), (Decide::Own, 0));
    let yes = world.approve("waits", &digest_of(&["get"]), None).await;
    let no = world.approvals.deny("waits".into(), Some("no".into())).await;
    let end = world.approvals.revoke("open".into(), "why".into()).await.map(drop);
    for refused in [yes, no, end] {
        assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
    }
    assert_eq!(world.hub.asked.load(Ordering::Relaxed) + world.hub.came.load(Ordering::Relaxed), 0);
    assert!(world.decided().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn p8_a_yes_to_less_is_written_with_its_limits_or_not_at_all() {
    let mut of_before = offered(&["list"]);
    of_before["takesLimits"] = json!(false);
    let old = request("old", "oidc:dana", json!({"phase": "Pending", "offer": of_before}));
    let world = World::lee(vec![waits("r", &["get"]), old]).await;
    let chosen = |minutes: u32, names: &[&str]| {
        let namespaces = Some(names.iter().map(ToString::to_string).collect());
        Some(LimitsInput { duration_seconds: Some(minutes * 60), namespaces })
    };
    for (uid, verbs, wrong) in [
        ("r", ["get"], chosen(30, &[])),
        ("r", ["get"], chosen(14, &["a"])),
        ("r", ["get"], chosen(30, &["elsewhere"])),
        ("old", ["list"], chosen(30, &["a"])),
    ] {
        let error = world.approve(uid, &digest_of(&verbs), wrong).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
    }
    assert_eq!(world.hub.asked.load(Ordering::Relaxed), 0);
    world.approve("r", &digest_of(&["get"]), chosen(30, &["b"])).await.unwrap();
    let written = world.hub.written();
    let Said::Yes { limits: Some(limits), .. } = &written[0].said else { panic!("{written:?}") };
    assert_eq!(
        (limits.duration.as_deref(), limits.namespaces.as_deref()),
        (Some("30m"), Some(&["b".to_owned()][..]))
    );
    let noted = world.decided().await;
    assert_eq!(noted[0].detail.get("at most"), Some(&json!("30m")));
    assert_eq!(noted.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_no_and_an_end_say_why_and_an_end_must() {
    let world = World::lee(vec![waits("r", &["get"]), open("o")]).await;
    let long = "x".repeat(2000);
    for reason in ["", " \u{a0}\n", long.as_str()] {
        let error = world.approvals.revoke("o".into(), reason.into()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
    }
    assert_eq!(world.approvals.deny("r".into(), Some(long)).await.unwrap_err().code(), ErrorCode::BadInput);
    assert_eq!(world.hub.asked.load(Ordering::Relaxed), 0);
    world.approvals.revoke("o".into(), " stolen\n".into()).await.unwrap();
    world.approvals.deny("r".into(), Some("  ".into())).await.unwrap();
    let said: Vec<Said> = world.hub.written().into_iter().map(|one| one.said).collect();
    assert_eq!(said, [Said::Ended("stolen".into()), Said::No(None)]);
    let noted: Vec<Action> = world.decided().await.iter().map(|entry| entry.action).collect();
    assert_eq!(noted, [Action::Deny, Action::Revoke]);
}

#[tokio::test(start_paused = true)]
async fn what_the_window_is_told_of_rights_allows_and_forbids_nothing() {
    let hub = Arc::<FakeHub>::default();
    let world = World::at(&hub).await;
    *world.hubs[0].decides.lock().unwrap() = ProfileRights::default();
    world.come("lee").await;
    world.tell(all(vec![waits("r", &["get"]), open("o")])).await;
    let (asked, active) = (world.one("r").await, world.one("o").await);
    assert_eq!((asked.decide, asked.may_deny, active.may_revoke), (Decide::NotYours, false, false));
    assert_eq!(world.approvals.to_decide(), 0);
    // Somebody gave them the right since: the hub knows.
    world.approve("r", &digest_of(&["get"]), None).await.unwrap();
    world.approvals.revoke("o".into(), "stolen".into()).await.unwrap();
    assert_eq!(hub.written().len(), 2);
}
