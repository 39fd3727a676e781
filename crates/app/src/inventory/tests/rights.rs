//! What may be asked for, and what a click means by it.

use super::world::{World, all, cluster, one_click, preview, profile, profile_with};
use crate::desk::AppError;
use crate::inventory::Choice;
use crate::person::tests::{claims, ended, settled, step_up};
use sallyport_client::Fault;
use sallyport_hub::Change;
use sallyport_ipc::{ErrorCode, OpenInput, Way};
use sallyport_model::Ttl;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

async fn choose(world: &World, cluster: &str) -> Result<Choice, AppError> {
    let signed = world.desk.person.signed().unwrap();
    let input = OpenInput {
        cluster: cluster.into(),
        profile: None,
        namespaces: None,
        duration_seconds: None,
        reason: Some("INC-1".into()),
    };
    world.inventory.choose(&signed, &cluster.parse().unwrap(), &input).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_yours_or_not_before_the_hub_has_said_and_a_click_says_so() {
    let world = World::new().await;
    world.sign_in(0).await;
    *world.hubs[0].may.lock().unwrap() = None;
    world.hubs[0].clusters(all(vec![cluster("eu", &preview("get"))]));
    world.hubs[0].profiles(Change::Trouble(Fault::TimedOut));
    settled().await;
    assert_eq!(
        world.hubs[0].asked.load(Ordering::Relaxed),
        0,
        "of profiles that are not known nothing is asked"
    );
    world.hubs[0].profiles(all(vec![profile("debug")]));
    settled().await;
    assert_eq!(world.ways().await, [Way::Unknown], "the hub was asked, and did not answer");
    let error = choose(&world, "eu").await.unwrap_err();
    assert!(error.code() == ErrorCode::Unreachable && error.view().retry, "{error}");
    assert_eq!(choose(&world, "gone").await.unwrap_err().code(), ErrorCode::BadInput);
    world.hubs[0].lets_ask(&[]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.ways().await, [Way::NotYours]);
    assert_eq!(choose(&world, "eu").await.unwrap_err().code(), ErrorCode::Forbidden);
    world.hubs[0].lets_ask(&["debug"]);
    world.hubs[0].profiles(Change::Put(profile("debug")));
    settled().await;
    let choice = choose(&world, "eu").await.unwrap();
    assert_eq!((choice.terms.user.as_str(), choice.environment.as_str()), ("oidc:ada", "prod"));
}

#[tokio::test(start_paused = true)]
async fn what_the_hubs_bindings_give_later_is_seen_without_a_sign_in() {
    let world = World::new().await;
    world.sign_in(0).await;
    world.hubs[0].lets_ask(&[]);
    world.hubs[0].clusters(all(vec![cluster("eu", &preview("get"))]));
    world.hubs[0].profiles(all(vec![profile("debug")]));
    settled().await;
    assert_eq!(world.ways().await, [Way::NotYours]);
    world.hubs[0].lets_ask(&["debug"]);
    tokio::time::sleep(Duration::from_secs(290)).await;
    assert_eq!(world.ways().await, [Way::NotYours], "an idle hub is idle");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(world.ways().await, [one_click()]);
}

#[tokio::test(start_paused = true)]
async fn rights_that_could_not_be_read_are_read_again_more_and_more_seldom() {
    let world = World::new().await;
    *world.hubs[0].may.lock().unwrap() = None;
    world.sign_in(0).await;
    world.hubs[0].profiles(all(vec![profile("debug")]));
    let (asked, begun) = (|| world.hubs[0].asked.load(Ordering::Relaxed), Instant::now());
    let mut at = Vec::new();
    while at.len() < 9 {
        if asked() > at.len() {
            at.push(begun.elapsed().as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(at, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    world.hubs[0].lets_ask(&["debug"]);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let read = asked();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((asked(), read), (12, 10), "what was read is read again every five minutes");
}

#[tokio::test(start_paused = true)]
async fn a_step_up_and_other_groups_have_them_read_anew() {
    let world = World::heard().await;
    tokio::spawn(world.desk.person.clone().follow_groups());
    settled().await;
    let asked = || world.hubs[0].asked.load(Ordering::Relaxed);
    let before = asked();
    world.hubs[0].lets_ask(&[]);
    let trying = world.desk.to_the_browser(Some(step_up("phrh"))).await;
    world.desk.provider.brings(Ok(claims("ada", &["payments"])));
    ended(trying).await.unwrap();
    settled().await;
    assert_eq!((asked(), world.ways().await), (before + 1, vec![Way::NotYours, Way::NotYours]));
    world.hubs[0].lets_ask(&["debug"]);
    world.desk.provider.gives(Ok(claims("ada", &["payments", "oncall"])));
    world.desk.sits().unwrap().tokens.vouch().await.unwrap();
    settled().await;
    assert_eq!((asked(), world.ways().await), (before + 2, vec![one_click(), one_click()]));
    let groups = world.inventory.known(&world.first(), |known| known.groups.clone());
    assert_eq!(groups, ["oidc:payments", "oidc:oncall"], "by which autoApprovals are judged");
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_wants_the_providers_word_has_a_renewal_tried_once() {
    let world = World::heard().await;
    let tokens = world.desk.sits().unwrap().tokens.clone();
    let renewals = tokens.renewals();
    world.desk.provider.gives(Ok(claims("ada", &["payments"])));
    let watched = profile_with("watched", json!({"reaffirm": {"every": "15m", "grace": "15m"}}));
    for _ in 0..3 {
        world.hubs[0].profiles(Change::Put(watched.clone()));
        settled().await;
    }
    assert_eq!(*renewals.borrow(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_day_is_waited_for_three_seconds_and_then_left_to_the_broker() {
    let world = World::heard().await;
    let begun = Instant::now();
    choose(&world, "eu").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "nothing counts a day here");
    world.hubs[0].profiles(Change::Put(profile_with("debug", json!({"maxPerDay": "1h"}))));
    settled().await;
    let begun = Instant::now();
    let choice = choose(&world, "eu").await.unwrap();
    assert_eq!((choice.terms.duration, begun.elapsed().as_secs()), (Ttl::minutes(60), 3));
    *world.hubs[0].past.lock().unwrap() = Some(Fault::Forbidden("list".into()));
    let begun = Instant::now();
    assert_eq!(choose(&world, "eu").await.unwrap().terms.duration, Ttl::minutes(60));
    assert!(begun.elapsed() < Duration::from_secs(1));
}
