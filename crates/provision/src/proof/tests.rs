use super::*;
use crate::question::{On, Question};
use crate::witness::Right;

fn right(namespace: &str, seen: Seen) -> Right {
    let on = On::Resource {
        group: String::new(),
        resource: "pods".into(),
        subresource: String::new(),
        name: String::new(),
    };
    let question = Question {
        role: "sallyport:debug".into(),
        namespace: Some(namespace.into()),
        verb: "get".into(),
        on,
    };
    Right { question, seen }
}

fn witnesses(seen: &[Seen]) -> Witnesses {
    let rights = seen.iter().enumerate().map(|(at, seen)| right(&format!("team-{at}"), seen.clone()));
    Witnesses { rights: rights.collect() }
}

fn every_answer() -> [Said; 5] {
    [
        Said::Yes(None),
        Said::Yes(Some("RoleBinding \"x/y\"".into())),
        Said::No,
        Said::NoToken,
        Said::Unclear("?".into()),
    ]
}

fn every_seen() -> [Seen; 3] {
    [Seen::Here, Seen::ByBroker, Seen::Never("refused while it was open".into())]
}

/// Every combination of `of` things in `places` places.
fn combinations<T: Clone>(of: &[T], places: usize) -> Vec<Vec<T>> {
    (0..places).fold(vec![Vec::new()], |all, _| {
        all.iter()
            .flat_map(|head| of.iter().map(move |one| head.iter().cloned().chain([one.clone()]).collect()))
            .collect()
    })
}

#[test]
fn fault_a1_p13_no_tick_without_a_refusal_of_each_right_that_was_allowed() {
    let mut ticks = 0;
    for places in 1..=3 {
        for seen in combinations(&every_seen(), places) {
            let witnesses = witnesses(&seen);
            for said in combinations(&every_answer(), places) {
                let tick = witnesses.all_gone(&said);
                let each = said.iter().zip(&seen).all(|(said, seen)| {
                    *said == Said::NoToken || (*said == Said::No && !matches!(seen, Seen::Never(_)))
                });
                assert_eq!(tick, each, "{seen:?} {said:?}");
                ticks += usize::from(tick);
                if !tick {
                    // What stands in the way is named by its place.
                    let why = witnesses.why(&said);
                    let guilty = said.iter().zip(&seen).position(|(said, seen)| {
                        !matches!(said, Said::No | Said::NoToken)
                            || (*said == Said::No && matches!(seen, Seen::Never(_)))
                    });
                    let place = format!("team-{}/sallyport:debug", guilty.expect("something does"));
                    assert!(why.contains(&place), "{why}");
                }
            }
        }
    }
    assert!(ticks > 0);
}

#[test]
fn fault_a1_p13_fewer_answers_than_rights_are_no_tick_and_nothing_to_ask_is_none_either() {
    let two = witnesses(&[Seen::Here, Seen::Here]);
    assert!(!two.all_gone(&[Said::No]));
    assert!(!two.all_gone(&[]));
    assert!(!witnesses(&[]).all_gone(&[]));
}

#[test]
fn fault_a1_p13_what_is_still_allowed_is_named_with_its_place_and_binding() {
    let four = witnesses(&[Seen::Here, Seen::Here, Seen::ByBroker, Seen::Here]);
    let said = [Said::No, Said::Yes(Some("RoleBinding \"g-ab-1/team-1\"".into())), Said::No, Said::No];
    assert_eq!(
        four.why(&said),
        "3 of 4 refused; team-1/sallyport:debug still allowed by RoleBinding \"g-ab-1/team-1\""
    );
    let many = witnesses(&vec![Seen::Here; 9]);
    let why = many.why(&vec![Said::Yes(None); 9]);
    assert!(why.starts_with("0 of 9 refused; ") && why.ends_with("; and 5 more"), "{why}");
}

#[test]
fn the_first_refusals_are_looked_for_in_milliseconds_and_a_slow_end_is_not_hammered() {
    let quick = Duration::from_millis(3);
    assert_eq!(pause(Duration::ZERO, quick, 4), Duration::from_millis(5));
    assert_eq!(pause(Duration::from_millis(500), quick, 4), Duration::from_millis(25));
    assert_eq!(pause(Duration::from_secs(5), quick, 4), Duration::from_millis(250));
    assert_eq!(pause(Duration::ZERO, quick, 1_000), Duration::from_millis(250));
    // One that is busy is asked less often, and not for ever.
    assert_eq!(pause(Duration::ZERO, Duration::from_millis(200), 4), Duration::from_millis(400));
    assert_eq!(pause(Duration::ZERO, Duration::from_secs(8), 4), Duration::from_secs(1));
}

#[test]
fn fault_a10_what_the_target_says_to_a_session_that_ends_its_own_grant() {
    let said = |status, body: &str| own_end(status, body.as_bytes());
    assert_eq!(said(200, "{}"), OwnEnd::Ended);
    assert_eq!(said(202, ""), OwnEnd::Ended);
    for status in [401, 404, 409] {
        assert_eq!(said(status, "{}"), OwnEnd::Gone, "{status}");
    }
    assert_eq!(said(403, r#"{"message":"not yours\u202e"}"#), OwnEnd::Refused("not yours⟨U+202E⟩".into()));
    assert_eq!(said(403, "<html>"), OwnEnd::Refused("no reason given".into()));
    for status in [301, 429, 500, 503] {
        assert!(matches!(said(status, "x"), OwnEnd::Unanswered(_)), "{status}");
    }
    let OwnEnd::Refused(long) = said(403, &format!(r#"{{"message":"{}"}}"#, "x".repeat(60_000))) else {
        panic!("refused")
    };
    assert!(long.chars().count() <= 501);
}

#[tokio::test]
async fn p13_no_answer_is_no_proof() {
    let ca = rcgen::generate_simple_self_signed(["nobody".to_owned()]).expect("a certificate").cert.pem();
    // Nothing listens on port 1.
    let target = Endpoint::parse("https://127.0.0.1:1", Some(&ca), None).expect("usable");
    let (one, token, short) = (witnesses(&[Seen::Here]), Secret::new("t".into()), Duration::from_millis(60));
    let mut rounds = 0;
    let proof = one.rights_gone(&target, &token, short, |_| rounds += 1).await;
    assert!(matches!(&proof, Proof::Unproven { why } if why.contains("team-0/sallyport:debug")), "{proof:?}");
    assert!(rounds > 0);
    let proof = one.token_refused(&target, &token, short, |_| {}).await;
    assert!(matches!(proof, Proof::Unproven { .. }), "{proof:?}");
    let proof = witnesses(&[]).rights_gone(&target, &token, short, |_| {}).await;
    assert!(matches!(proof, Proof::Unproven { .. }), "{proof:?}");
    let ended = end_own_grant(&target, &token, "g-x", "u", short).await;
    assert!(matches!(ended, OwnEnd::Unanswered(_)), "{ended:?}");
}
