use super::*;
use sallyport_model::Reaffirm;

fn wanted() -> Profile {
    Profile { reaffirm: Some(Reaffirm::parse("15m", "5m").unwrap()), ..profile() }
}

fn decided(phase: Phase, vouched_at: Option<i64>) -> Decision {
    let facts = facts();
    decide(&Request { phase, vouched_at, ..request(&facts) }, Some(&wanted()), &facts, NOW)
}

#[test]
fn p7_where_the_profile_wants_it_nothing_is_granted_on_an_old_word() {
    for phase in [Phase::Pending, Phase::Approved] {
        assert!(permitted(&decided(phase, Some(NOW))), "{phase}");
        // Due is not over: the grace is there for it.
        assert!(permitted(&decided(phase, Some(NOW - 1199))), "{phase}");
    }
    let Decision::Wait(WaitFor::Reaffirming(why)) = decided(Phase::Pending, Some(NOW - 1200)) else {
        panic!()
    };
    assert!(why.contains("20 minutes"), "{why}");
    let Decision::Wait(WaitFor::Reaffirming(_)) = decided(Phase::Pending, Some(NOW + 61)) else { panic!() };
    assert_eq!(refused(decided(Phase::Approved, Some(NOW - 1200))).reason, EndReason::Failed);
}

#[test]
fn p7_a_request_that_says_nothing_of_its_token_is_refused_with_the_reason() {
    let ending = refused(decided(Phase::Pending, None));
    assert_eq!(ending.reason, EndReason::Denied);
    assert!(ending.message.contains("issued-at") && ending.message.contains("profile debug"), "{ending}");
    assert_eq!(refused(decided(Phase::Approved, None)).reason, EndReason::Failed);
}

#[test]
fn people_are_waited_for_first_and_a_profile_without_it_asks_nothing() {
    let facts = facts();
    let alone = Request { approvals: Vec::new(), vouched_at: Some(0), ..request(&facts) };
    let decision = decide(&alone, Some(&wanted()), &facts, NOW);
    assert_eq!(decision, Decision::Wait(WaitFor::Approvals { have: 0, need: 2, unmet: Vec::new() }));
    let old = Request { vouched_at: Some(0), ..request(&facts) };
    assert!(permitted(&decide(&old, Some(&profile()), &facts, NOW)));
}
