//! A change that is applied: it is what was looked at, it is written once, and the history says what became of it.

use super::hub::stored;
use super::world::{World, with};
use crate::person::tests::{ended, settled};
use sallyport_audit::Outcome;
use sallyport_client::Fault;
use sallyport_hub::Unwritten;
use sallyport_ipc::{ErrorCode, ProfileVerdict};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn what_was_looked_at_is_what_is_written_and_one_entry_says_so() {
    let world = World::lee().await;
    let text = world.open().await;
    let look = world.tries(&with(&text, 2)).await;
    world.apply(&look).await.unwrap();
    assert_eq!((world.wants("debug"), world.hub.written.lock().unwrap().len()), (2, 1));
    let [entry] = &world.changes().await[..] else { panic!() };
    assert_eq!((entry.outcome, entry.user.as_ref().unwrap().as_str()), (Outcome::Ok, "oidc:lee"));
    assert!(entry.detail.get("revision").unwrap().as_str().unwrap().ends_with("/2"));
    assert!(entry.detail.get("new").is_none());
    // The same key again is no second write: what may be applied is looked at anew.
    assert_eq!(world.apply(&look).await.unwrap_err().code(), ErrorCode::BadInput);
    assert_eq!(
        world.tries(&with(&text, 2)).await.verdict,
        ProfileVerdict::Same,
        "it goes on from what is stored"
    );
    assert_eq!(world.changes().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_one_is_made_once_and_never_over_another() {
    let world = World::lee().await;
    let copy = world.reach.profile_text(Some("debug".into()), true).await.unwrap();
    let text: String = copy.lines.iter().map(|line| format!("{}\n", line.as_str())).collect();
    let look = world.tries(&text).await;
    assert_eq!((look.is_new, &look.verdict), (true, &ProfileVerdict::Taken), "{:?}", look.problems);
    world.hub.stored.lock().unwrap().profiles.insert("debug-copy".into(), stored("debug-copy", 3));
    let error = world.apply(&look).await.unwrap_err();
    assert_eq!((error.code(), world.wants("debug-copy")), (ErrorCode::BadInput, 3), "{error}");
    world.hub.stored.lock().unwrap().profiles.remove("debug-copy");
    world.apply(&look).await.unwrap();
    let noted = world.changes().await;
    let [made, refused] = &noted[..] else { panic!("{noted:?}") };
    assert_eq!((made.outcome, refused.outcome), (Outcome::Ok, Outcome::Refused));
    assert_eq!(made.detail.get("new"), Some(&json!("yes")));
    let taken = world.reach.profile_look(text, false).await.unwrap();
    assert_eq!(taken.verdict, ProfileVerdict::Same);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_applied_that_was_not_looked_at() {
    let world = World::lee().await;
    for digest in ["", "sha256:00"] {
        let error = world.reach.profile_apply(digest.into()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
    }
    let text = world.open().await;
    let look = world.tries(&with(&text, 2)).await;
    world.open().await;
    assert_eq!(world.apply(&look).await.unwrap_err().code(), ErrorCode::BadInput, "it was opened anew");
    assert_eq!(world.hub.came("write"), 0);
    assert!(world.changes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_found_out_about() {
    let world = World::lee().await;
    let text = world.open().await;
    *world.hub.loses.lock().unwrap() = Some(Fault::TimedOut);
    let look = world.tries(&with(&text, 2)).await;
    world.apply(&look).await.unwrap();
    let noted = world.changes().await;
    assert_eq!((noted.len(), noted[0].outcome), (1, Outcome::Ok), "it was carried out, and is said to be");
    *world.hub.loses.lock().unwrap() = None;
    // It never arrived.
    let look = world.tries(&with(&text, 3)).await;
    world.hub.answers("write", Some(Fault::Unreachable("cut".into())));
    let error = world.apply(&look).await.unwrap_err();
    assert!(error.view().retry && error.message().contains("a moment later it had not"), "{error}");
    // Nobody can say.
    world.hub.answers("profile", Some(Fault::Unreachable("cut".into())));
    let error = world.apply(&look).await.unwrap_err();
    assert!(error.view().retry && error.message().contains("it may have"), "{error}");
    let noted = world.changes().await;
    assert_eq!(noted.len(), 3);
    assert!(noted[..2].iter().all(|entry| entry.outcome == Outcome::Unknown), "{noted:?}");
    assert_eq!(world.wants("debug"), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_does_not_take_any_more_is_not_written_and_is_an_entry() {
    let world = World::lee().await;
    let text = world.open().await;
    let look = world.tries(&with(&text, 2)).await;
    world.hub.stored.lock().unwrap().profiles.get_mut("debug").unwrap()["metadata"]["resourceVersion"] =
        "9".into();
    let error = world.apply(&look).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ProfileChanged, "{error}");
    world.hub.stored.lock().unwrap().profiles.remove("debug");
    let error = world.apply(&look).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
    *world.hub.refuses.lock().unwrap() = Some(Unwritten::Refused("lee may ask under it".into()));
    let error = world.apply(&look).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Forbidden, "{error}");
    let noted = world.changes().await;
    assert_eq!(noted.len(), 3);
    assert!(noted.iter().all(|entry| entry.outcome == Outcome::Refused), "{noted:?}");
    assert!(world.hub.written.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_taken_after_its_author_signed_out_is_in_the_history_and_kept_for_nobody() {
    let world = World::lee().await;
    let text = world.open().await;
    let look = world.tries(&with(&text, 2)).await;
    let gate = world.hub.holds_back("write").await;
    let (reach, digest) = (world.reach.clone(), look.digest.to_string());
    let applying = world.begun("write", async move { reach.profile_apply(digest).await }).await;
    world.leave().await;
    world.come("mo").await;
    drop(gate);
    ended(applying).await.unwrap();
    settled().await;
    assert!(world.reach.drafts().is_empty());
    let [entry] = &world.changes().await[..] else { panic!() };
    assert_eq!((entry.outcome, entry.user.as_ref().unwrap().as_str()), (Outcome::Ok, "oidc:lee"));
    assert_eq!(world.wants("debug"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_was_opened_while_another_is_written_stays_open() {
    let world = World::lee().await;
    world.hub.stored.lock().unwrap().profiles.insert("other".into(), stored("other", 1));
    let text = world.open().await;
    let look = world.tries(&with(&text, 2)).await;
    let gate = world.hub.holds_back("write").await;
    let (reach, digest) = (world.reach.clone(), look.digest.to_string());
    let applying = world.begun("write", async move { reach.profile_apply(digest).await }).await;
    let other = world.text_of("other").await;
    drop(gate);
    ended(applying).await.unwrap();
    let look = world.tries(&with(&other, 0)).await;
    assert_eq!((&look.verdict, look.name.as_str()), (&ProfileVerdict::Taken, "other"), "{:?}", look.problems);
}
