use super::*;
use crate::samples::request;
use serde_json::json;

#[test]
fn what_was_not_answered_stays_as_it_was_and_a_yes_takes_a_no_back() {
    let question = |user: &str| MayRequest::of(&request(json!({"user": user}), json!({})));
    let (a, b, c) = (question("a"), question("b"), question("c"));
    let lost = Lost::default();
    lost.take(&[(a.clone(), Some(false)), (b.clone(), Some(true)), (c.clone(), None)].into());
    assert_eq!([&a, &b, &c].map(|one| lost.has(one)), [true, false, false]);
    lost.take(&[(a.clone(), None), (b.clone(), Some(false))].into());
    assert_eq!([&a, &b, &c].map(|one| lost.has(one)), [true, true, false]);
    lost.take(&[(a.clone(), Some(true))].into());
    assert_eq!([&a, &b, &c].map(|one| lost.has(one)), [false, false, false]);
}

#[test]
fn a_no_denies_what_waits_and_revokes_what_is_open() {
    let question = MayRequest::of(&request(json!({"profile": "a\u{202e}b"}), json!({})));
    assert_eq!(ending(&question, Phase::Pending).reason, EndReason::Denied);
    let open = ending(&question, Phase::Active);
    assert_eq!(open.reason, EndReason::Revoked);
    assert!(open.message.starts_with("closed because") && !open.message.contains('\u{202e}'), "{open}");
}
