//! Looking: what was read stands until it is marked as seen, and nothing of it outlives whoever looked.

use super::hub::rbac;
use super::world::World;
use crate::person::tests::{ended, settled, workspace};
use sallyport_client::Fault;
use sallyport_ipc::{DriftWay, ErrorCode, GuardrailProof};

/// Calls without which nothing can be said.
const NEEDED: [&str; 4] = ["teams", "profiles", "clusters", "rbac"];
/// Those of which the rest can be said all the same.
const BESIDE: [&str; 4] = ["beats", "previews", "own", "others"];

fn busy() -> Option<Fault> {
    Some(Fault::Busy("later".into()))
}

#[tokio::test(start_paused = true)]
async fn what_was_marked_as_seen_is_what_the_next_look_is_compared_with() {
    let world = World::lee().await;
    let first = world.look().await;
    assert_eq!((first.profiles.len(), first.clusters.len(), first.drift), (1, 1, None));
    let first = world.look().await;
    assert_eq!(first.drift, None, "looking is not seeing");
    world.seen(&first).await.unwrap();
    let same = world.look().await;
    assert_eq!(same.digest, first.digest);
    assert!(same.drift.unwrap().lines.is_empty());
    world.hub.stored.lock().unwrap().rbac =
        rbac(&[("dev", "request"), ("all", "approve"), ("leads", "approve")]);
    let wider = world.look().await;
    let drift = wider.drift.clone().unwrap();
    let [line] = &drift.lines[..] else { panic!("{drift:?}") };
    assert_eq!((line.way, line.about.as_str()), (DriftWay::Wider, "group all"));
    // What stands in a window that was not looked at anew is not what would be marked.
    let error = world.seen(&first).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
    assert_eq!(world.look().await.drift.unwrap().lines.len(), 1, "it was not marked");
    world.seen(&wider).await.unwrap();
    assert!(world.look().await.drift.unwrap().lines.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_lacks_a_right_is_told_which_and_nothing_is_there_to_be_marked() {
    let world = World::lee().await;
    for call in NEEDED {
        world.hub.answers(call, Some(Fault::Forbidden("lee can't list it".into())));
        let view = world.look().await;
        assert_eq!(view.missing.len(), if call == "rbac" { 2 } else { 1 }, "{call}: {:?}", view.missing);
        assert!(view.missing.iter().all(|one| one.given_by.as_str() == "sallyport:hub-auditor"), "{call}");
        assert!(view.profiles.is_empty() && view.subjects.is_empty() && view.drift.is_none(), "{call}");
        assert_eq!(world.seen(&view).await.unwrap_err().code(), ErrorCode::BadInput, "{call}");
        world.hub.answers(call, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_goes_away_in_the_middle_takes_nothing_with_it() {
    let world = World::lee().await;
    let first = world.look().await;
    for call in NEEDED {
        for fault in [Fault::TimedOut, Fault::Unreachable("cut".into()), Fault::Gone] {
            world.hub.answers(call, Some(fault.clone()));
            let error = world.reach.list().await.unwrap_err();
            assert!(error.view().retry, "{call} {fault:?}: {error}");
        }
        world.hub.answers(call, None);
    }
    world.seen(&first).await.unwrap();
    assert!(world.look().await.drift.unwrap().lines.is_empty(), "it is back, and the same");
}

#[tokio::test(start_paused = true)]
async fn what_is_read_beside_it_may_break_off_and_come_back_and_is_no_change() {
    let world = World::lee().await;
    let first = world.look().await;
    assert!(first.clusters[0].profiles[0].rights.is_some(), "{first:?}");
    world.seen(&first).await.unwrap();
    for call in BESIDE {
        world.hub.answers(call, busy());
        let view = world.look().await;
        assert!(view.missing.is_empty() && view.profiles.len() == 1, "{call}");
        assert_eq!(view.drift.unwrap().lines, [], "{call}: silence changes nothing");
        match call {
            "beats" => assert!(matches!(view.clusters[0].guardrails, GuardrailProof::Unknown { .. })),
            "previews" => {
                let there = &view.clusters[0].profiles[0];
                assert!(there.rights.is_none() && there.unknown.is_some(), "{there:?}");
            }
            "own" => assert!(matches!(view.hub, GuardrailProof::Unknown { .. }), "{:?}", view.hub),
            _ => assert!(
                view.notes.len() >= first.notes.len(),
                "it is said that it is not known: {:?}",
                view.notes
            ),
        }
        world.hub.answers(call, None);
    }
    // All of it at once, marked in that state: what was known of before stays what is compared with.
    for call in BESIDE {
        world.hub.answers(call, busy());
    }
    let poor = world.look().await;
    world.seen(&poor).await.unwrap();
    for call in BESIDE {
        world.hub.answers(call, None);
    }
    assert_eq!(world.look().await.drift.unwrap().lines, []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_after_a_sign_out_is_kept_for_nobody() {
    let world = World::lee().await;
    let gate = world.hub.holds_back("own").await;
    let reach = world.reach.clone();
    let looking = world.begun("own", async move { reach.list().await }).await;
    world.leave().await;
    world.come("mo").await;
    drop(gate);
    let late = ended(looking).await.unwrap();
    settled().await;
    assert_eq!(world.kept_look(), None);
    assert_eq!(world.seen(&late).await.unwrap_err().code(), ErrorCode::BadInput, "mo saw nothing of it");
    world.leave().await;
    assert_eq!(world.reach.list().await.unwrap_err().code(), ErrorCode::SignInNeeded);
    assert_eq!(world.seen(&late).await.unwrap_err().code(), ErrorCode::SignInNeeded);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_saw_is_theirs_alone_and_outlives_their_sign_in() {
    let world = World::lee().await;
    let view = world.look().await;
    world.seen(&view).await.unwrap();
    world.leave().await;
    world.come("mo").await;
    assert_eq!(world.look().await.drift, None, "mo never looked");
    world.leave().await;
    world.come("lee").await;
    assert_eq!(world.kept_look(), None, "nothing is there to be marked before they look");
    assert!(world.look().await.drift.is_some());
}

#[tokio::test(start_paused = true)]
async fn of_two_questions_the_later_one_counts_however_late_the_other_is_answered() {
    let world = World::lee().await;
    let gate = world.hub.holds_back("own").await;
    let reach = world.reach.clone();
    let slow = world.begun("own", async move { reach.list().await }).await;
    world.hub.answers_at_once("own");
    world.hub.stored.lock().unwrap().rbac = rbac(&[("all", "approve")]);
    let later = world.look().await;
    drop(gate);
    let earlier = ended(slow).await.unwrap();
    assert_ne!(earlier.digest, later.digest);
    assert_eq!(world.kept_look().as_deref(), Some(later.digest.as_str()));
    assert_eq!(world.seen(&earlier).await.unwrap_err().code(), ErrorCode::BadInput);
    world.seen(&later).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_remembered_is_said_and_a_memory_that_makes_no_sense_is_none() {
    let world = World::lee().await;
    let view = world.look().await;
    world.seen(&view).await.unwrap();
    let prefs = rusqlite::Connection::open(world.desk.dirs.data.join("prefs.db")).unwrap();
    prefs.execute("UPDATE look SET snapshot = '{\"profiles\": 7'", []).unwrap();
    let nonsense = world.look().await;
    assert_eq!((nonsense.drift, nonsense.digest.clone()), (None, view.digest.clone()));
    // As a full disk has it: nothing is taken.
    prefs.execute_batch("ALTER TABLE look RENAME TO elsewhere").unwrap();
    let error = world.seen(&view).await.unwrap_err();
    assert!(error.view().hint.unwrap().contains("disk"), "{error}");
    let blind = world.look().await;
    assert_eq!((&blind.drift, blind.profiles.len()), (&None, 1), "looking goes on");
    prefs.execute_batch("ALTER TABLE elsewhere RENAME TO look").unwrap();
    world.seen(&blind).await.unwrap();
    assert!(world.look().await.drift.unwrap().lines.is_empty());
    assert!(world.reach.looked().contains_key(&workspace(0).id()));
}
