use super::*;
use proptest::prelude::*;
use sallyport_ipc::ErrorCode;

fn seat() -> Seat<&'static str> {
    let ca = include_str!("../../../tests/data/ca.pem");
    let file = serde_json::json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "name": "Platform team",
        "hub": {"url": "https://hub.example.test:6443", "ca": ca},
        "oidc": {"issuer": "https://id.example.test", "clientId": "sallyport-hub"},
    });
    Seat::new(Workspace::parse(&file.to_string()).unwrap(), 0)
}

fn begin(seat: &mut Seat<&'static str>) -> Option<Attempt> {
    seat.begin(CancellationToken::new(), SignInStep::Preparing, None, 1)
}

fn error() -> ErrorView {
    ErrorView { code: ErrorCode::Failed, message: "no".into(), hint: None, retry: false, step_up: None }
}

#[test]
fn one_try_at_a_time_and_each_is_shown_until_it_is_over() {
    let mut seat = seat();
    assert!(seat.signed().is_none() && seat.shown().is_none());
    let first = begin(&mut seat).unwrap();
    assert!(begin(&mut seat).is_none(), "another one is under way");
    seat.at_step(&first, SignInStep::Browser);
    assert_eq!(seat.shown().unwrap().step, SignInStep::Browser);
    seat.over(&first, Some(error()));
    let shown = seat.shown().unwrap();
    assert_eq!((shown.step, shown.since, shown.error.is_some()), (SignInStep::Failed, 1, true));
    let second = begin(&mut seat).unwrap();
    assert!(seat.shown().unwrap().error.is_none(), "what failed before is shown no more");
    seat.at_step(&first, SignInStep::Hub);
    seat.over(&first, Some(error()));
    assert_eq!(seat.shown().unwrap().step, SignInStep::Preparing, "the first is over");
    assert!(!seat.sit(&first, |_| "mallory"));
    assert!(seat.sit(&second, |_| "ada"));
    seat.over(&second, None);
    assert!(seat.shown().is_none());
    assert_eq!(seat.signed().map(|who| **who), Some("ada"));
}

#[test]
fn nobody_sits_by_a_try_that_was_given_up() {
    let mut seat = seat();
    let attempt = begin(&mut seat).unwrap();
    seat.at_step(&attempt, SignInStep::Hub);
    seat.give_up();
    assert!(attempt.given_up.is_cancelled());
    assert!(!seat.sit(&attempt, |_| "ada"), "the person said no while the hub was asked");
    assert!(seat.signed().is_none());
    seat.over(&attempt, None);
    assert!(begin(&mut seat).is_some(), "and may try again");
}

#[test]
fn a_step_up_that_ends_after_a_sign_out_changes_nobody() {
    let mut seat = seat();
    let attempt = begin(&mut seat).unwrap();
    let mut number = 0;
    assert!(seat.sit(&attempt, |n| {
        number = n;
        "ada"
    }));
    seat.over(&attempt, None);
    let step_up = begin(&mut seat).unwrap();
    assert!(seat.sits_again(number, |_| "ada, stronger"));
    assert!(!seat.leave(number + 1), "somebody else's");
    assert!(seat.leave(number) && !seat.leave(number));
    assert!(step_up.given_up.is_cancelled() && seat.shown().is_none());
    assert!(!seat.sits_again(number, |_| "ada, stronger"));
    assert!(!seat.sit(&step_up, |_| "ada"), "and does not bring them back");
    let again = begin(&mut seat).unwrap();
    assert!(seat.sit(&again, |_| "bob"));
    assert!(!seat.sits_again(number, |_| "ada"), "somebody else sits by now");
    assert!(!seat.leave(number), "a sign-out that comes late");
    assert_eq!(seat.signed().map(|who| **who), Some("bob"));
}

#[test]
fn fault_b9_somebody_else_sits_when_they_say_it_twice_in_a_row() {
    let mut seat = seat();
    assert!(!seat.is_expected("mallory"));
    assert!(!seat.is_expected("bob"), "another one again");
    assert!(seat.is_expected("bob"));
    assert!(!seat.is_expected("bob"), "which counts once");
    seat.is_same_person();
    assert!(!seat.is_expected("bob"), "and not after the one of last time was here");
    let attempt = begin(&mut seat).unwrap();
    assert!(seat.sit(&attempt, |_| "ada"));
    assert!(!seat.is_expected("bob"));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    At(usize),
    Over(usize, bool),
    GiveUp,
    Sit(usize),
    Again(u64),
    Leave(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Begin),
        1 => (0..6usize).prop_map(Step::At),
        2 => (0..6usize, any::<bool>()).prop_map(|(n, failed)| Step::Over(n, failed)),
        1 => Just(Step::GiveUp),
        3 => (0..6usize).prop_map(Step::Sit),
        1 => (1..9u64).prop_map(Step::Again),
        2 => (1..9u64).prop_map(Step::Leave),
    ]
}

proptest! {
    /// In any order: nobody sits but by a try that was under way and not given up, and whoever left comes back by a new
    /// one alone.
    #[test]
    fn nobody_sits_without_a_try_that_stands(steps in proptest::collection::vec(step(), 0..60)) {
        let mut seat = seat();
        let mut tries: Vec<Attempt> = Vec::new();
        let mut standing: Option<u64> = None;
        let mut sits: Option<u64> = None;
        for step in steps {
            match step {
                Step::Begin => {
                    let begun = begin(&mut seat);
                    prop_assert_eq!(begun.is_some(), standing.is_none());
                    if let Some(attempt) = begun {
                        standing = Some(attempt.number);
                        tries.push(attempt);
                    }
                }
                Step::At(n) => {
                    if let Some(attempt) = tries.get(n) { seat.at_step(attempt, SignInStep::Hub); }
                }
                Step::Over(n, failed) => {
                    if let Some(attempt) = tries.get(n) {
                        seat.over(attempt, failed.then(error));
                        if standing == Some(attempt.number) { standing = None; }
                    }
                }
                Step::GiveUp => seat.give_up(),
                Step::Sit(n) => {
                    if let Some(attempt) = tries.get(n) {
                        let stands = standing == Some(attempt.number) && !attempt.given_up.is_cancelled();
                        let may = stands && sits.is_none();
                        let mut number = None;
                        let sat = seat.sit(attempt, |n| { number = Some(n); "somebody" });
                        prop_assert_eq!(sat, may);
                        sits = sits.or(number);
                    }
                }
                Step::Again(number) => {
                    let changed = seat.sits_again(number, |who| *who);
                    prop_assert_eq!(changed, sits == Some(number));
                }
                Step::Leave(number) => {
                    let left = seat.leave(number);
                    prop_assert_eq!(left, sits == Some(number));
                    if left { (sits, standing) = (None, None); }
                }
            }
            prop_assert_eq!(seat.signed().is_some(), sits.is_some());
            prop_assert_eq!(
                seat.shown().is_some_and(|shown| shown.error.is_none()), standing.is_some()
            );
        }
    }
}
