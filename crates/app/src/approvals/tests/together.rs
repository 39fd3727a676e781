//! Two approvers at two desktops, at the same moment.

use super::hub::FakeHub;
use super::world::{TEAM, World, digest_of, waits};
use crate::inventory::tests::all;
use crate::person::tests::{settled, until};
use sallyport_hub::Refused;
use sallyport_ipc::{Decide, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Lee and Mo, who see the same.
async fn two(hub: &Arc<FakeHub>) -> (World, World) {
    let (lee, mo) = (World::of(hub, "lee").await, World::of(hub, "mo").await);
    assert_eq!(hub.tell(TEAM, all(vec![waits("r", &["get"])])), 2);
    settled().await;
    (lee, mo)
}

#[tokio::test(start_paused = true)]
async fn two_who_say_yes_at_once_lose_nothing_and_see_each_others() {
    let hub = Arc::<FakeHub>::default();
    let (lee, mo) = two(&hub).await;
    let gate = hub.writes.lock().await;
    let offer = digest_of(&["get"]);
    let pressed = [lee.approving("r", &offer), mo.approving("r", &offer)];
    until("both are on their way", || hub.came.load(Ordering::Relaxed) == 2).await;
    drop(gate);
    for one in pressed {
        World::done(one).await.unwrap();
    }
    settled().await;
    for world in [&lee, &mo] {
        let seen = world.one("r").await;
        let mut by: Vec<&str> = seen.approvals.iter().map(|yes| yes.by.as_str()).collect();
        by.sort_unstable();
        assert_eq!(by, ["oidc:lee", "oidc:mo"]);
        assert!(seen.approvals.iter().all(|yes| yes.counts) && seen.decide == Decide::Said, "{seen:?}");
        assert_eq!(
            (world.approvals.to_decide(), world.decided().await.len()),
            (0, 1),
            "each noted their own"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_yes_that_comes_after_somebodys_no_is_told_that_it_came_too_late() {
    let hub = Arc::<FakeHub>::default();
    let (lee, mo) = two(&hub).await;
    lee.approvals.deny("r".into(), Some("ask for less".into())).await.unwrap();
    // Mo's list has not heard of it.
    assert_eq!(mo.one("r").await.decide, Decide::Yes);
    hub.refuses(Some(Refused::Forbidden { message: "it was denied by oidc:lee".into() }));
    let error = mo.approve("r", &digest_of(&["get"]), None).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::Forbidden, "it was denied by oidc:lee"));
    assert_eq!((lee.decided().await.len(), mo.decided().await.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_same_key_twice_is_one_word() {
    let hub = Arc::<FakeHub>::default();
    let (lee, _mo) = two(&hub).await;
    lee.approve("r", &digest_of(&["get"]), None).await.unwrap();
    settled().await;
    // What the hub does with the second is the hub's: it keeps one entry for each manager. The window offers it no more.
    assert_eq!((lee.one("r").await.decide, lee.approvals.to_decide()), (Decide::Said, 0));
    assert!(lee.one("r").await.may_deny, "a yes may have been a mistake");
}
