//! A profile that is opened, changed and looked at: nothing is stored by that, whatever goes wrong.

use super::hub::stored;
use super::world::{World, with};
use crate::person::tests::{ended, settled};
use sallyport_client::Fault;
use sallyport_hub::{ProfileRights, Unwritten, WrongField};
use sallyport_ipc::{ErrorCode, ProfileVerdict};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_look_says_what_it_would_change_and_stores_nothing() {
    let world = World::lee().await;
    let text = world.open().await;
    assert_eq!(world.tries(&text).await.verdict, ProfileVerdict::Same);
    let look = world.tries(&with(&text, 0)).await;
    assert_eq!((&look.verdict, look.name.as_str(), look.is_new), (&ProfileVerdict::Taken, "debug", false));
    let difference = look.difference.unwrap();
    assert!(difference.people_known && difference.rules_known, "{difference:?}");
    assert!(!difference.conditions.is_empty() && !difference.people.is_empty(), "{difference:?}");
    assert_eq!((world.wants("debug"), world.hub.came("write")), (1, 0));
    assert!(world.changes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_look_that_broke_off_takes_the_one_before_it_along() {
    let world = World::lee().await;
    let text = world.open().await;
    let before = world.tries(&with(&text, 0)).await;
    for fault in [Fault::TimedOut, Fault::Unreachable("cut".into()), Fault::Busy("later".into())] {
        world.hub.answers("trial", Some(fault.clone()));
        let error = world.reach.profile_look(with(&text, 2), false).await.unwrap_err();
        assert!(error.view().retry && error.code() == ErrorCode::Unreachable, "{fault:?}: {error}");
    }
    world.hub.answers("trial", None);
    let error = world.apply(&before).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadInput, "what stands in the window is the other text: {error}");
    let again = world.tries(&with(&text, 2)).await;
    world.apply(&again).await.unwrap();
    assert_eq!(world.wants("debug"), 2, "the text outlived it");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_hides_its_own_part_of_the_difference_and_no_other() {
    let world = World::lee().await;
    let text = world.open().await;
    for call in ["clusters", "previews", "profiles", "rbac", "open"] {
        world.hub.answers(call, Some(Fault::Forbidden("lee can't list it".into())));
        let look = world.tries(&with(&text, 0).replace("sallyport:view", "sallyport:edit")).await;
        assert_eq!(look.verdict, ProfileVerdict::Taken, "{call}");
        let difference = look.difference.unwrap();
        assert_eq!(difference.people_known, call != "rbac", "{call}");
        assert_eq!(difference.rules_known, call != "clusters", "{call}");
        let of_rules = difference.rules.iter().filter_map(|one| one.unknown.clone()).collect::<Vec<_>>();
        let why = match call {
            "previews" => "what profiles allow could not be read: lee can't list it",
            "profiles" => "the profiles could not be read: lee can't list it",
            _ => "",
        };
        assert!(call == "clusters" || of_rules.iter().any(|one| one.contains(why)), "{call}: {of_rules:?}");
        let standing = difference.standing.iter().any(|line| line.contains("team-payments"));
        assert_eq!(standing, call == "open", "{call}: {:?}", difference.standing);
        world.hub.answers(call, None);
    }
}

#[tokio::test(start_paused = true)]
async fn each_no_of_a_trial_is_told_apart_and_only_a_refusal_is_an_entry() {
    let world = World::lee().await;
    let text = world.open().await;
    let refused = |with: Unwritten| *world.hub.refuses.lock().unwrap() = Some(with);
    refused(Unwritten::Changed);
    assert_eq!(world.tries(&with(&text, 0)).await.verdict, ProfileVerdict::Changed);
    refused(Unwritten::Gone);
    assert_eq!(world.tries(&with(&text, 0)).await.verdict, ProfileVerdict::Gone);
    refused(Unwritten::Invalid(vec![WrongField {
        field: "spec.approvals".into(),
        message: "too many".into(),
    }]));
    let look = world.tries(&with(&text, 0)).await;
    assert_eq!((look.verdict, look.problems.len()), (ProfileVerdict::Wrong, 1));
    assert!(look.problems[0].line.is_some() && look.problems[0].text.contains("too many"));
    assert!(world.changes().await.is_empty());
    refused(Unwritten::Refused("lee may ask under it".into()));
    let look = world.tries(&with(&text, 0)).await;
    assert_eq!(look.verdict, ProfileVerdict::Refused { why: "lee may ask under it".into() });
    assert!(look.digest.is_empty() && look.difference.is_some(), "told all the same, and never applied");
    assert_eq!(world.apply(&look).await.unwrap_err().code(), ErrorCode::BadInput);
    let [entry] = &world.changes().await[..] else { panic!() };
    assert_eq!(entry.detail.get("trial"), Some(&json!("yes")));
    assert_eq!(entry.detail.get("why"), Some(&json!("lee may ask under it")));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_or_had_better_not_is_told_before_they_write() {
    let world = World::lee().await;
    world.hub.stored.lock().unwrap().may =
        (ProfileRights { request: true, ..ProfileRights::default() }, false);
    let draft = world.reach.profile_text(Some("debug".into()), false).await.unwrap();
    assert!(draft.lacks.unwrap().what.contains("update accessprofiles"));
    assert!(draft.remarks[0].contains("ask for this profile"), "{:?}", draft.remarks);
    let copy = world.reach.profile_text(Some("debug".into()), true).await.unwrap();
    assert!(copy.name.is_none() && copy.remarks.is_empty() && copy.lacks.is_some());
    for (name, code) in [("gone", ErrorCode::BadInput), ("../x", ErrorCode::BadInput)] {
        let error = world.reach.profile_text(Some(name.into()), false).await.unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
    }
    for call in ["profile", "may", "rights"] {
        world.hub.answers(call, Some(Fault::TimedOut));
        let error = world.reach.profile_text(Some("debug".into()), false).await.unwrap_err();
        assert!(error.view().retry, "{call}: {error}");
        world.hub.answers(call, None);
    }
    world.leave().await;
    let error = world.reach.profile_look("x".into(), false).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignInNeeded);
    world.come("lee").await;
    let error = world.reach.profile_look("x".into(), false).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadInput, "what lee opened before is gone: {error}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_wrote_meanwhile_is_compared_when_it_is_read_again() {
    let world = World::lee().await;
    let text = world.open().await;
    {
        let mut hub = world.hub.stored.lock().unwrap();
        let theirs = hub.profiles.get_mut("debug").unwrap();
        theirs["spec"]["approvals"] = 3.into();
        theirs["metadata"]["resourceVersion"] = "2".into();
    }
    assert_eq!(world.tries(&with(&text, 0)).await.verdict, ProfileVerdict::Changed);
    let again = world.reach.profile_look(with(&text, 0), true).await.unwrap();
    assert_eq!(again.verdict, ProfileVerdict::Taken);
    let told = again.difference.unwrap().conditions;
    assert!(told.iter().any(|line| line.text.contains("instead of 3")), "{told:?}");
    // One of its name that was made since is another, and is not written over.
    world.hub.stored.lock().unwrap().profiles.get_mut("debug").unwrap()["metadata"]["uid"] = "other".into();
    let other = world.reach.profile_look(with(&text, 0), true).await.unwrap();
    assert_eq!(other.verdict, ProfileVerdict::Gone);
    world.hub.answers("profile", Some(Fault::TimedOut));
    assert!(world.reach.profile_look(with(&text, 0), true).await.unwrap_err().view().retry);
}

#[tokio::test(start_paused = true)]
async fn of_two_looks_the_later_one_may_be_applied_however_late_the_other_is_answered() {
    let world = World::lee().await;
    let text = world.open().await;
    let gate = world.hub.holds_back("trial").await;
    let (reach, slow) = (world.reach.clone(), with(&text, 0));
    let slow = world.begun("trial", async move { reach.profile_look(slow, false).await }).await;
    world.hub.answers_at_once("trial");
    let later = world.tries(&with(&text, 2)).await;
    drop(gate);
    let earlier = ended(slow).await.unwrap();
    assert_eq!(world.apply(&earlier).await.unwrap_err().code(), ErrorCode::BadInput);
    world.apply(&later).await.unwrap();
    assert_eq!(world.wants("debug"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_was_opened_meanwhile_is_the_one_that_is_changed() {
    let world = World::lee().await;
    world.hub.stored.lock().unwrap().profiles.insert("other".into(), stored("other", 1));
    let text = world.open().await;
    let gate = world.hub.holds_back("trial").await;
    let (reach, slow) = (world.reach.clone(), with(&text, 0));
    let slow = world.begun("trial", async move { reach.profile_look(slow, false).await }).await;
    world.hub.answers_at_once("trial");
    let other = world.text_of("other").await;
    drop(gate);
    ended(slow).await.unwrap();
    let look = world.tries(&with(&other, 0)).await;
    assert_eq!((&look.verdict, look.name.as_str()), (&ProfileVerdict::Taken, "other"), "{:?}", look.problems);
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_is_answered_after_a_sign_out_can_be_applied_by_nobody() {
    let world = World::lee().await;
    let text = world.open().await;
    let gate = world.hub.holds_back("trial").await;
    let (reach, slow) = (world.reach.clone(), with(&text, 0));
    let slow = world.begun("trial", async move { reach.profile_look(slow, false).await }).await;
    world.leave().await;
    world.come("mo").await;
    drop(gate);
    let late = ended(slow).await.unwrap();
    settled().await;
    assert!(world.reach.drafts().is_empty());
    assert_eq!(world.apply(&late).await.unwrap_err().code(), ErrorCode::BadInput);
    assert_eq!((world.wants("debug"), world.hub.came("write")), (1, 0));
}
