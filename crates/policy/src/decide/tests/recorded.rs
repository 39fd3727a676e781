use super::*;
use sallyport_model::Recording;

#[test]
fn p7_a_request_says_what_its_profile_has_recorded_or_is_given_nothing() {
    let facts = facts();
    let all = [None, Some(Recording::Output), Some(Recording::OutputAndInput)];
    for wanted in all {
        for said in all {
            let profile = Profile { recording: wanted, ..profile() };
            let mut request = request(&facts);
            request.terms.recording = said;
            let decision = decide(&request, Some(&profile), &facts, NOW);
            if wanted == said {
                assert!(permitted(&decision), "{wanted:?}");
                continue;
            }
            let ending = refused(decision);
            assert_eq!(ending.reason, EndReason::Denied);
            let words = if said.is_none() { "does not say that its desktop does so" } else { "ask again" };
            assert!(ending.message.contains(words), "{wanted:?} {said:?}: {}", ending.message);
        }
    }
}
