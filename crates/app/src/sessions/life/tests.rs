//! A session's owner with fakes of its ports: what arrives in an order that no control plane gives on demand.

mod extended;
mod vouching;
mod world;

use super::super::End;
use crate::desk::AppError;
use sallyport_gateway::{CutReason, CutReport};
use sallyport_hub::{Ask, Change, Gone, Refused};
use sallyport_ipc::{ProofKind, ProofState, SessionState, SessionView};
use sallyport_model::{ErrorCode, SignIn};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use world::{World, until};

fn line(view: &SessionView, kind: ProofKind) -> (ProofState, String) {
    let line = view.proof.iter().find(|line| line.kind == kind).expect("it closes");
    (line.state, line.detail.to_string())
}

fn ended_by_eve() -> serde_json::Value {
    json!({"by": "oidc:eve@example.org", "at": "2026-01-01T00:00:00Z", "reason": "stolen laptop"})
}

#[tokio::test]
async fn p13_one_way_from_the_click_to_the_last_proof() {
    let world = World::new().await;
    let id = world.open().await;
    assert_eq!((world.ground.opened.load(Ordering::Relaxed), world.notes().await), (1, 1));
    world.sessions.get(&id).unwrap().end(End::left());
    world.sessions.get(&id).unwrap().end(End::quit());
    let view = world.over(&id).await;
    assert_eq!(*world.ground.cuts.lock().unwrap(), [CutReason::Left], "the first end counts, once");
    for kind in [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused] {
        assert_eq!(line(&view, kind).0, ProofState::Done, "{view:?}");
    }
    assert_eq!(world.hub.withdrawn.load(Ordering::Relaxed), 1);
    until("its kubeconfig is gone", || world.kubeconfigs() == 0).await;
    let forgotten = async {
        while world.notes().await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), forgotten).await.expect("nothing is left to find");
}

#[tokio::test]
async fn fault_a6_p13_what_is_revoked_denied_or_taken_back_before_it_opens_never_opens() {
    for end in [
        json!({"revocation": ended_by_eve()}),
        json!({"denial": ended_by_eve()}),
        json!({"withdrawn": true}),
        json!({"phase": "Closed"}),
    ] {
        let world = World::new().await;
        let id = world.click().unwrap();
        world.hub.until_asked().await;
        world.hub.grant(end.clone());
        world.until(&id, "it closes", |view| view.state != SessionState::Opening).await;
        world.hub.put(json!({"phase": "Closed"}));
        let view = world.over(&id).await;
        assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0, "{end} opened");
        assert!(view.opened_at.is_none() && view.error.is_some(), "{view:?}");
        assert_eq!(
            line(&view, ProofKind::RightsGone),
            (ProofState::Done, "no token was ever opened here".into())
        );
    }
}

#[tokio::test]
async fn fault_a6_p13_what_is_revoked_while_the_gateway_opens_never_opens_and_its_token_counts_as_used() {
    let world = World::new().await;
    let opens = world.ground.gate.lock().await;
    let id = world.click().unwrap();
    world.hub.until_asked().await;
    world.hub.grant(json!({}));
    world.until(&id, "it is unsealed", |view| view.ends_at.is_some()).await;
    world.hub.put(json!({"revocation": ended_by_eve()}));
    let view = world.over(&id).await;
    drop(opens);
    assert!(view.opened_at.is_none(), "{view:?}");
    assert_eq!(view.ended.unwrap().by.as_deref(), Some("oidc:eve@example.org"));
    assert!(world.ground.probes.load(Ordering::Relaxed) >= 2, "its end is proven");
    let gone = view.proof.iter().find(|line| line.kind == ProofKind::RightsGone).unwrap();
    assert!(!gone.detail.contains("no token"), "{gone:?}");
    assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn fault_a6_p13_a_token_that_is_unsealed_while_somebody_leaves_is_never_called_unopened() {
    let world = World::new().await;
    let opens = world.ground.gate.lock().await;
    let id = world.click().unwrap();
    world.hub.until_asked().await;
    world.hub.grant(json!({}));
    world.until(&id, "it is unsealed", |view| view.ends_at.is_some()).await;
    world.ground.stays.store(true, Ordering::Relaxed);
    world.sessions.get(&id).unwrap().end(End::signed_out());
    drop(opens);
    let view = world
        .until(&id, "it is probed", |v| {
            v.state != SessionState::Opening && line(v, ProofKind::RightsGone).0 == ProofState::Unproven
        })
        .await;
    assert!(line(&view, ProofKind::RightsGone).1.contains("still answers 200"), "{view:?}");
    assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0, "nothing opens any more");
    assert!(world.sessions.left_behind()[0].starts_with("rights on c stay until"));
}

#[tokio::test]
async fn fault_a6_a_session_cant_begin_once_its_sign_in_is_over() {
    let world = World::new().await;
    world.hub.is_over.store(true, Ordering::Relaxed);
    world.sessions.end_all(End::signed_out(), Duration::from_secs(1)).await;
    assert_eq!(world.click().unwrap_err().code(), ErrorCode::SignInNeeded);
    assert!(world.sessions.all().is_empty());
}

#[tokio::test]
async fn p13_a_session_whose_owner_fails_is_cut_and_nothing_of_it_is_called_shown() {
    let world = World::new().await;
    let id = world.open().await;
    world.ground.breaks.store(true, Ordering::Relaxed);
    world.sessions.get(&id).unwrap().end(End::left());
    let view = world.over(&id).await;
    assert_eq!(world.ground.cuts.lock().unwrap().last(), Some(&CutReason::Failed));
    for kind in [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused] {
        assert_eq!(line(&view, kind).0, ProofState::Unproven, "{view:?}");
    }
    assert!(world.sessions.left_behind()[0].starts_with("rights on c stay until"));
    assert_eq!(world.notes().await, 1, "the next sign-in finds it");
}

#[tokio::test]
async fn p13_quitting_waits_for_what_is_on_this_machine_also_where_the_rights_go_first() {
    let world = World::new().await;
    let id = world.open().await;
    assert_eq!(world.kubeconfigs(), 1);
    *world.ground.cut_takes.lock().unwrap() = Duration::from_millis(300);
    world.sessions.end_all(End::quit(), Duration::from_secs(5)).await;
    let view = world.sessions.get(&id).unwrap().view();
    assert_eq!(line(&view, ProofKind::KubeconfigDeleted).0, ProofState::Done, "{view:?}");
    assert_eq!(world.kubeconfigs(), 0, "the process that would remove it is about to go");
}

#[tokio::test]
async fn fault_a6_p14_nothing_begins_once_the_app_ends() {
    let world = World::new().await;
    world.sessions.end_all(End::quit(), Duration::from_secs(1)).await;
    assert_eq!(world.click().unwrap_err().code(), ErrorCode::SignInNeeded);
    assert!(world.sessions.all().is_empty());
}

#[tokio::test]
async fn p13_a_session_that_was_put_away_stays_away_when_the_hub_hears_of_its_end_at_last() {
    let world = World::new().await;
    let id = world.open().await;
    world.hub.is_away.store(true, Ordering::Relaxed);
    let session = world.sessions.get(&id).unwrap();
    session.end(End::left());
    world.over(&id).await;
    world.sessions.dismiss(id.clone()).await.unwrap();
    let told = world.told.load(Ordering::Relaxed);
    world.hub.is_away.store(false, Ordering::Relaxed);
    until("the hub is told", || world.hub.withdrawn.load(Ordering::Relaxed) > 0).await;
    session.tell();
    assert_eq!(world.told.load(Ordering::Relaxed), told, "nothing after that it is gone");
}

#[tokio::test]
async fn fault_a6_p13_what_waits_to_ask_while_somebody_signs_out_never_asks() {
    let world = World::new().await;
    world.hub.refusals.lock().unwrap().push(Refused::StepUp(sallyport_hub::StepUp::default()));
    let id = world.click().unwrap();
    world
        .until(&id, "it waits for a step-up", |view| view.error.as_ref().is_some_and(|e| e.step_up.is_some()))
        .await;
    world.sessions.end_all(End::signed_out(), Duration::from_secs(5)).await;
    world.hub.sign_ins.send_modify(|told| told.step_ups += 1);
    let view = world.over(&id).await;
    assert_eq!(world.hub.asks.load(Ordering::Relaxed), 1);
    assert_eq!(line(&view, ProofKind::AccountRemoved), (ProofState::Done, "nothing was asked for".into()));
}

#[tokio::test]
async fn p13_an_answer_that_is_under_way_while_somebody_leaves_is_waited_for_and_taken_back() {
    let world = World::new().await;
    let answered = world.hub.gate.lock().await;
    let id = world.click().unwrap();
    until("it asks", || world.hub.asks.load(Ordering::Relaxed) == 1).await;
    world.sessions.get(&id).unwrap().end(End::left());
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(answered);
    until("it is taken back", || world.hub.withdrawn.load(Ordering::Relaxed) == 1).await;
    assert_eq!(world.ground.opened.load(Ordering::Relaxed), 0);
    let _ = id;
}

#[tokio::test]
async fn fault_a10_p13_an_ask_whose_answer_was_lost_is_taken_back_however_late_it_comes_in() {
    let world = World::new().await;
    world.hub.loses_answers.store(true, Ordering::Relaxed);
    world.hub.is_away.store(true, Ordering::Relaxed);
    let id = world.click().unwrap();
    world.until(&id, "it closes", |view| view.state != SessionState::Opening).await;
    // Away for longer than a request may take to come in, then back with nothing yet.
    tokio::time::sleep(world.desk.options.may_come_in * 2).await;
    let said = "the hub never answered the request for c and may still take it in";
    until("it is said", || world.sessions.left_behind() == [said]).await;
    assert_ne!(line(&world.view(&id), ProofKind::AccountRemoved).0, ProofState::Done);
    let before = world.hub.looks.load(Ordering::Relaxed);
    world.hub.is_away.store(false, Ordering::Relaxed);
    until("it is looked for and not there", || world.hub.looks.load(Ordering::Relaxed) > before).await;
    let ask = Ask {
        team: "team".parse().unwrap(),
        terms: World::choice().terms,
        groups: vec![],
        public_key: "k".into(),
        sign_in: SignIn::default(),
        issued_at: None,
        history: None,
    };
    world.hub.take_in(&ask);
    until("it is taken back", || world.hub.withdrawn.load(Ordering::Relaxed) > 0).await;
}

#[tokio::test]
async fn fault_a6_p13_a_request_that_is_deleted_closes_its_session() {
    let world = World::new().await;
    let id = world.open().await;
    let gone = Gone { namespace: "team".into(), name: "r".into(), uid: "another".into() };
    let _ = world.hub.told.send(Change::Deleted(gone.clone()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.view(&id).state, SessionState::Open, "another one of that name");
    let _ = world.hub.told.send(Change::Deleted(Gone { uid: "u1".into(), ..gone }));
    let view = world.over(&id).await;
    assert!(view.ended.unwrap().message.unwrap().contains("deleted on the hub"));
    assert_eq!(*world.ground.cuts.lock().unwrap(), [CutReason::Revoked]);
}

#[tokio::test]
async fn fault_a6_p13_a_list_without_the_request_closes_its_session_and_one_that_cant_be_read_does_not() {
    let world = World::new().await;
    let id = world.open().await;
    let malformed =
        sallyport_api::MalformedObject { kind: "AccessRequest", name: "r".into(), why: "no spec".into() };
    let _ = world.hub.told.send(Change::All { objects: vec![], malformed: vec![malformed] });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.view(&id).state, SessionState::Open);
    let _ = world.hub.told.send(Change::All { objects: vec![], malformed: vec![] });
    world.over(&id).await;
}

#[tokio::test]
async fn p13_the_gateways_clock_ends_it_and_another_cut_of_its_does_not() {
    for (reason, ends) in [(CutReason::Expired, true), (CutReason::Quit, false)] {
        let world = World::new().await;
        let id = world.open().await;
        let notice = world.ground.notice.lock().unwrap().take().unwrap();
        let _ = notice.send(CutReport { reason, streams: vec![], took: Duration::ZERO, complete: true });
        if ends {
            world.over(&id).await;
            assert_eq!(*world.ground.cuts.lock().unwrap(), [CutReason::Expired]);
        } else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(world.view(&id).state, SessionState::Open);
        }
    }
}

#[tokio::test]
async fn p13_a_step_up_that_fails_for_good_ends_the_wait_and_one_that_succeeds_asks_again() {
    for fails in [true, false] {
        let world = World::new().await;
        world.hub.refusals.lock().unwrap().push(Refused::StepUp(sallyport_hub::StepUp::default()));
        let id = world.click().unwrap();
        world.until(&id, "it waits", |view| view.error.as_ref().is_some_and(|e| e.step_up.is_some())).await;
        let vain = AppError::failed("the provider can't").view();
        world.hub.sign_ins.send_modify(|told| {
            told.step_ups += u64::from(!fails);
            told.in_vain = fails.then_some(vain);
        });
        if fails {
            let view = world.over(&id).await;
            assert_eq!(view.error.unwrap().message, "the provider can't");
        } else {
            world.hub.until_asked().await;
        }
        assert_eq!(world.hub.asks.load(Ordering::Relaxed), if fails { 1 } else { 2 });
    }
}
