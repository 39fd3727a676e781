//! Whether a requester may ask for less: asked of the hub where whoever looks may ask that, for a bounded time, and never said to
//! be known where it is not.

use super::hub::FakeHub;
use super::world::{World, offered, waits};
use crate::inventory::tests::{UID, all, profile_with};
use crate::person::tests::{settled, until};
use sallyport_api::{AccessCluster, AccessPreviewSpec, AccessRequest};
use sallyport_client::Fault;
use sallyport_hub::{Change, MayRequest};
use sallyport_ipc::NarrowerView;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const VERBS: [&str; 4] = ["get", "list", "create", "delete"];

fn rules(verbs: &[&str]) -> Value {
    json!([{"role": "sallyport:view", "verbs": verbs, "apiGroups": [""], "resources": ["pods"]}])
}

/// Lee, who may ask the hub about others, looks at what dana asks for; these profiles allow these verbs there.
async fn looking(profiles: &[(&str, &[&str])]) -> World {
    looking_as(true, profiles).await
}

async fn looking_as(may_review: bool, profiles: &[(&str, &[&str])]) -> World {
    let world = World::at(&Arc::<FakeHub>::default()).await;
    world.hubs[0].reviews.store(may_review, Ordering::Relaxed);
    world.come("lee").await;
    let revision = format!("{UID}/1");
    let previews = profiles.iter().map(|(name, verbs)| {
        serde_json::from_value(json!({"name": name, "revision": revision, "rules": rules(verbs)})).unwrap()
    });
    let preview = AccessPreviewSpec::of(previews.collect());
    let reports =
        profiles.iter().map(|(name, _)| json!({"name": name, "revision": revision, "ruleCount": 1}));
    let cluster: AccessCluster = serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": "eu"},
        "spec": {"environment": "prod", "endpoints": ["https://c.example.test"], "caBundle": "x"},
        "status": {"broker": {"version": "0.1.0", "instance": "b"}, "profiles": reports.collect::<Vec<_>>(),
            "preview": preview.digest},
    }))
    .unwrap();
    world.hubs[0].previews.lock().unwrap().insert("eu".into(), preview);
    let spec = json!({"namespaces": ["a", "b"], "approvals": 2});
    let there = profiles.iter().map(|(name, _)| profile_with(name, spec.clone()));
    world.hubs[0].profiles(all(there.chain([profile_with("debug", spec.clone())]).collect()));
    world.hubs[0].clusters(all(vec![cluster]));
    settled().await;
    world.tell(all(vec![waits("r", &VERBS)])).await;
    world
}

fn says(world: &World, of: &[(&str, Result<Option<bool>, Fault>)]) {
    let said = of.iter().map(|(name, said)| ((*name).to_owned(), said.clone()));
    *world.hub.askable.lock().unwrap() = said.collect();
}

/// Looks at it; what the card says once it is found.
async fn seen(world: &World) -> Option<NarrowerView> {
    world.approvals.before("r".into()).await.unwrap();
    settled().await;
    world.one("r").await.offer.unwrap().narrower
}

fn told(found: Option<NarrowerView>) -> Option<(String, bool)> {
    found.map(|one| (one.profile.to_string(), one.is_askable))
}

fn reviewed(world: &World) -> Vec<String> {
    world.hub.reviewed.lock().unwrap().iter().map(|one| one.profile().to_owned()).collect()
}

/// Three that are narrower, the first of which comes closest.
const THREE: [(&str, &[&str]); 3] =
    [("edit", &["get", "list", "create"]), ("look", &["get", "list"]), ("view", &["get"])];

#[tokio::test(start_paused = true)]
async fn the_first_that_its_requester_may_ask_for_is_shown() {
    let world = looking(&THREE).await;
    says(&world, &[("look", Ok(Some(true))), ("view", Ok(Some(true)))]);
    let found = seen(&world).await.unwrap();
    assert_eq!(told(Some(found.clone())), Some(("look".to_owned(), true)));
    assert!(found.adds.iter().any(|right| right.writes), "{found:?}");
    assert_eq!(reviewed(&world), ["edit", "look"], "those that come closer, and none after it");
    let asked = world.hub.reviewed.lock().unwrap()[0].clone();
    assert_eq!(asked, MayRequest::under(&waits("r", &VERBS), "edit"), "of dana, and by their groups");
}

#[tokio::test(start_paused = true)]
async fn where_they_may_ask_for_none_none_is_shown() {
    let world = looking(&THREE).await;
    assert_eq!(told(seen(&world).await), None);
    assert_eq!(reviewed(&world), ["edit", "look", "view"]);
    // Now they may: whoever looks again, after another, is told so.
    says(&world, &[("view", Ok(Some(true)))]);
    world.tell(Change::Put(waits("s", &VERBS))).await;
    world.approvals.before("s".into()).await.unwrap();
    settled().await;
    assert_eq!(told(seen(&world).await), Some(("view".to_owned(), true)));
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_does_not_say_is_not_known() {
    let world = looking(&THREE).await;
    for fault in
        [Fault::Forbidden("no".into()), Fault::Invalid("no".into()), Fault::TimedOut, Fault::Unauthorized]
    {
        says(&world, &[("edit", Err(fault.clone())), ("look", Ok(Some(true)))]);
        world.hub.reviewed.lock().unwrap().clear();
        assert_eq!(told(seen(&world).await), Some(("edit".to_owned(), false)), "{fault}");
        assert_eq!(reviewed(&world).len(), 1, "{fault}: nobody is asked again and again");
    }
    // One authorizer of several is away: that is no no, and no yes.
    says(&world, &[("edit", Ok(None))]);
    assert_eq!(told(seen(&world).await), Some(("edit".to_owned(), false)));
    says(&world, &[("edit", Ok(None)), ("view", Ok(Some(true)))]);
    world.tell(Change::Put(waits("s", &VERBS))).await;
    world.approvals.before("s".into()).await.unwrap();
    assert_eq!(told(seen(&world).await), Some(("view".to_owned(), true)), "what is known comes first");
}

#[tokio::test(start_paused = true)]
async fn whoever_may_not_ask_that_asks_nothing() {
    let world = looking_as(false, &THREE).await;
    says(&world, &[("look", Ok(Some(true)))]);
    assert_eq!(told(seen(&world).await), Some(("edit".to_owned(), false)));
    assert!(reviewed(&world).is_empty(), "not even to be refused");
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_slow_holds_nobody_up() {
    let world = looking(&THREE).await;
    says(&world, &[("edit", Ok(Some(true)))]);
    let gate = world.hub.reviews.lock().await;
    world.approvals.before("r".into()).await.unwrap();
    until("it is asked", || reviewed(&world).len() == 1).await;
    assert_eq!(world.one("r").await.offer.unwrap().narrower, None, "the list is there at once");
    tokio::time::sleep(Duration::from_secs(4)).await;
    let found = world.one("r").await.offer.unwrap().narrower;
    assert_eq!(told(found), Some(("edit".to_owned(), false)), "what was not answered is not known");
    assert_eq!(reviewed(&world).len(), 1);
    drop(gate);
    assert_eq!(told(seen(&world).await), Some(("edit".to_owned(), true)));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_few_are_asked_about_and_each_once_while_one_looks() {
    let names: Vec<String> = (0..20).map(|n| format!("p{n:02}")).collect();
    let many: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &["get"][..])).collect();
    let world = looking(&many).await;
    assert_eq!(told(seen(&world).await), Some(("p08".to_owned(), false)), "of this one nobody was asked");
    assert_eq!(reviewed(&world), names[..8]);
    // Its broker offers it anew: what the hub said of dana stands.
    let mut again: AccessRequest = waits("r", &VERBS);
    again.status.as_mut().unwrap().offer = serde_json::from_value(offered(&["get", "create"])).unwrap();
    world.tell(Change::Put(again)).await;
    assert_eq!(world.one("r").await.offer.unwrap().narrower, None, "it was compared with another offer");
    assert_eq!(told(seen(&world).await), Some(("p08".to_owned(), false)));
    assert_eq!(reviewed(&world).len(), 8);
}

#[tokio::test(start_paused = true)]
async fn names_that_nobody_can_read_ask_about_who_they_are_and_are_never_another() {
    let world = looking(&THREE).await;
    says(&world, &[("edit", Ok(Some(true)))]);
    let mut odd = waits("r", &VERBS);
    odd.spec.user = "oidc:da\"}na /../ %2f".into();
    odd.spec.groups = vec![String::new(), "system:masters\0\u{202e}".into(), "g".repeat(10_000)];
    world.tell(Change::Put(odd.clone())).await;
    assert_eq!(told(seen(&world).await), Some(("edit".to_owned(), true)));
    let asked = world.hub.reviewed.lock().unwrap().last().cloned();
    assert_eq!(asked, Some(MayRequest::under(&odd, "edit")));
    assert_ne!(asked, Some(MayRequest::under(&waits("r", &VERBS), "edit")));
    // A name that holds what is not seen is nobody's.
    world.hub.reviewed.lock().unwrap().clear();
    odd.spec.user = "oidc:da\u{202e}na".into();
    odd.metadata.uid = Some("s".into());
    world.tell(Change::Put(odd)).await;
    world.approvals.before("s".into()).await.unwrap();
    settled().await;
    assert!(world.one("s").await.offer.unwrap().narrower.is_none() && reviewed(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_after_the_sign_out_is_nobodys() {
    let world = looking(&THREE).await;
    says(&world, &[("edit", Ok(Some(true)))]);
    let gate = world.hub.reviews.lock().await;
    world.approvals.before("r".into()).await.unwrap();
    until("it is asked", || reviewed(&world).len() == 1).await;
    let object = world.approvals.one("r").unwrap().1;
    world.leave().await;
    drop(gate);
    settled().await;
    assert_eq!(world.approvals.narrower(&object), None);
}
