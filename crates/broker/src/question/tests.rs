use super::*;
use crate::samples::request;
use serde_json::json;

#[test]
fn the_same_person_groups_and_profile_are_one_question() {
    let one = Question::of(&request(json!({"groups": ["b", "a"]}), json!({})));
    let two = Question::of(&request(json!({"groups": ["a", "b", EVERYBODY]}), json!({})));
    assert_eq!(one, two);
    let now = json!({"reaffirmed": {"issued": 5, "groups": ["a"]}});
    let later = Question::of(&request(json!({"groups": ["b", "a"]}), now));
    assert_ne!(one, later);
    let asked = later.review().spec;
    assert_eq!(asked.groups, Some(vec!["a".to_owned(), EVERYBODY.to_owned()]));
    let attributes = asked.resource_attributes.expect("of a resource");
    assert_eq!((attributes.verb.as_deref(), attributes.name.as_deref()), (Some("request"), Some("debug")));
}

#[test]
fn only_a_clear_no_is_one() {
    let said = |allowed: bool, denied: Option<bool>, error: &str| {
        let evaluation_error = Some(error.to_owned());
        answer(&SubjectAccessReviewStatus { allowed, denied, evaluation_error, ..Default::default() })
    };
    assert_eq!(said(true, None, ""), Some(true));
    assert_eq!(said(true, None, "one authorizer is away"), Some(true));
    assert_eq!(said(false, None, ""), Some(false));
    assert_eq!(said(false, None, "one authorizer is away"), None);
    assert_eq!(said(false, Some(true), "one authorizer is away"), Some(false));
}

#[test]
fn what_was_not_answered_stays_as_it_was_and_a_yes_takes_a_no_back() {
    let question = |user: &str| Question::of(&request(json!({"user": user}), json!({})));
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
    let question = Question::of(&request(json!({"profile": "a\u{202e}b"}), json!({})));
    assert_eq!(question.ending(Phase::Pending).reason, EndReason::Denied);
    let open = question.ending(Phase::Active);
    assert_eq!(open.reason, EndReason::Revoked);
    assert!(open.message.starts_with("closed because") && !open.message.contains('\u{202e}'), "{open}");
}
