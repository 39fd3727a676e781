use super::*;
use proptest::prelude::*;
use sallyport_provision::Proven;

fn refused(by_authorizer: bool, at: Option<i64>) -> Probed {
    let (status, by) = (if by_authorizer { 403 } else { 401 }, "10.0.0.1:6443".to_owned());
    Probed::Proven(Proven { refused: 4, status, by_authorizer, took: Duration::ZERO, by, at })
}

fn unproven() -> Probed {
    Probed::Unproven { why: "it can't be reached".into() }
}

fn progress(refused: usize, allowed: usize) -> Progress {
    Progress { refused, allowed, of: 4 }
}

#[test]
fn fault_a1_p13_a_token_that_ran_out_says_nothing_of_its_account() {
    assert!(before_its_end(Some(1_000), Some(2_000)));
    for (at, end) in
        [(Some(1_995), Some(2_000)), (Some(2_060), Some(2_000)), (None, Some(2_000)), (Some(1), None)]
    {
        assert!(!before_its_end(at, end), "{at:?} {end:?}");
    }
}

#[test]
fn p13_a_line_that_is_unproven_turns_green_by_another_look_only() {
    let mut proof = Proof::begin(false);
    proof.probing(ProofKind::RightsGone, 4);
    proof.concluded(ProofKind::RightsGone, &unproven());
    proof.concluded(ProofKind::RightsGone, &refused(true, None));
    assert_eq!(proof.state(ProofKind::RightsGone), ProofState::Unproven);
    proof.look_again();
    proof.concluded(ProofKind::RightsGone, &refused(true, None));
    assert_eq!(proof.state(ProofKind::RightsGone), ProofState::Done);
}

#[test]
fn fault_d2_p13_what_still_runs_here_stays_unproven_while_the_rights_are_looked_at_again() {
    let mut proof = Proof::begin(false);
    let here = [ProofKind::StreamsCut, ProofKind::TerminalsEnded, ProofKind::KubeconfigDeleted];
    let there = [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused];
    for kind in here.into_iter().chain(there) {
        proof.set(kind, ProofState::Unproven, "tmux: server (process 7)");
    }
    proof.look_again();
    for kind in there {
        assert_eq!(proof.state(kind), ProofState::Waiting, "{kind:?}");
        proof.set(kind, ProofState::Done, "refused when asked once more");
    }
    for kind in here {
        assert_eq!(proof.state(kind), ProofState::Unproven, "{kind:?}");
    }
    assert!(proof.lines()[..3].iter().all(|line| line.detail == "tmux: server (process 7)"));
}

#[test]
fn fault_a1_p13_a_tick_is_taken_back_when_a_right_comes_back_and_never_given_by_progress() {
    let mut proof = Proof::begin(false);
    assert!(!proof.progress(progress(1, 3)), "it has not begun");
    proof.probing(ProofKind::RightsGone, 4);
    assert!(proof.progress(progress(1, 3)));
    assert!(!proof.progress(progress(1, 3)), "no news");
    proof.progress(progress(4, 0));
    let line = proof.lines().iter().find(|l| l.kind == ProofKind::RightsGone).unwrap().clone();
    assert_eq!((line.state, line.detail.as_str()), (ProofState::Running, "4 of 4 refused"));
    assert!(line.first_ms.is_some() && line.ms.is_none());
    proof.concluded(ProofKind::RightsGone, &refused(true, None));
    assert!(proof.came_back(progress(3, 1)));
    assert_eq!(proof.state(ProofKind::RightsGone), ProofState::Unproven);
}

#[test]
fn fault_a10_what_is_left_is_named_with_place_and_time_until_its_end_is_shown() {
    let left = |proof: &Proof, end, asked| proof.left_behind("payments-eu-1", end, asked);
    let mut proof = Proof::begin(false);
    assert_eq!(left(&proof, None, false), None, "nothing was asked for");
    let untold = "the request for payments-eu-1 was not taken back on the hub";
    assert_eq!(left(&proof, None, true).as_deref(), Some(untold));
    proof.told_hub(Told::LookedFor("it does not answer".into()));
    let unanswered = "the hub never answered the request for payments-eu-1 and may still take it in";
    assert_eq!(left(&proof, None, false).as_deref(), Some(unanswered));
    proof.told_hub(Told::Yes);
    assert_eq!(left(&proof, None, true), None);
    let end = Some(1_795_530_720);
    proof.concluded(ProofKind::RightsGone, &unproven());
    assert_eq!(
        left(&proof, end, true).as_deref(),
        Some("rights on payments-eu-1 stay until 14:32 UTC (it can't be reached)")
    );
    proof.account(Account::Closed);
    assert_eq!(left(&proof, end, true), None);
}

#[test]
fn p13_a_cut_that_left_something_running_is_not_green() {
    let report = |complete| CutReport {
        reason: sallyport_gateway::CutReason::Left,
        streams: vec![],
        took: Duration::ZERO,
        complete,
    };
    for (complete, state) in [(true, ProofState::Done), (false, ProofState::Unproven)] {
        let mut proof = Proof::begin(false);
        proof.streams_cut(Some(&report(complete)));
        assert_eq!(proof.state(ProofKind::StreamsCut), state);
    }
}

#[test]
fn fault_a6_p13_a_token_that_was_opened_and_cant_be_used_is_not_called_unopened() {
    let mut proof = Proof::begin(false);
    proof.nothing_can_be_asked();
    assert_eq!(proof.state(ProofKind::RightsGone), ProofState::Unproven);
    let left = proof.left_behind("c", Some(1_795_530_720), true).unwrap();
    assert!(left.starts_with("rights on c stay until 14:32 UTC (its token was opened"), "{left}");
}

/// What can arrive while a session closes, in any order.
#[derive(Clone, Copy, Debug)]
enum News {
    Cut,
    NothingGiven,
    Probing(bool, usize),
    Progress(usize),
    Concluded(bool, bool, bool),
    CameBack,
    OwnGrantEnded,
    Waiting,
    Told(u8),
    Account(Account),
    LookAgain,
}

fn news() -> impl Strategy<Value = News> {
    let account = prop_oneof![
        Just(Account::NothingAsked),
        Just(Account::Closed),
        Just(Account::Shown),
        Just(Account::Silent)
    ];
    prop_oneof![
        Just(News::Cut),
        Just(News::NothingGiven),
        (any::<bool>(), 0..3_usize).prop_map(|(rights, of)| News::Probing(rights, of)),
        (0..5_usize).prop_map(News::Progress),
        any::<(bool, bool, bool)>().prop_map(|(rights, proven, by)| News::Concluded(rights, proven, by)),
        Just(News::CameBack),
        Just(News::OwnGrantEnded),
        Just(News::Waiting),
        (0..4_u8).prop_map(News::Told),
        account.prop_map(News::Account),
        Just(News::LookAgain),
    ]
}

fn take(proof: &mut Proof, news: News) {
    let kind = |rights| if rights { ProofKind::RightsGone } else { ProofKind::TokenRefused };
    match news {
        News::Cut => proof.streams_cut(None),
        News::NothingGiven => proof.nothing_was_given(),
        News::Probing(rights, of) => proof.probing(kind(rights), of),
        News::Progress(refused) => drop(proof.progress(progress(refused, 4_usize.saturating_sub(refused)))),
        News::Concluded(rights, true, by) => drop(proof.concluded(kind(rights), &refused(by, Some(0)))),
        News::Concluded(rights, false, _) => drop(proof.concluded(kind(rights), &unproven())),
        News::CameBack => drop(proof.came_back(progress(3, 1))),
        News::OwnGrantEnded => proof.own_grant_ended(),
        News::Waiting => proof.waiting_for_account(),
        News::Told(0) => proof.told_hub(Told::NotTried),
        News::Told(1) => proof.told_hub(Told::NotYet("away".into())),
        News::Told(2) => proof.told_hub(Told::LookedFor("away".into())),
        News::Told(_) => proof.told_hub(Told::Yes),
        News::Account(account) => proof.account(account),
        News::LookAgain => proof.look_again(),
    }
}

proptest! {
    #[test]
    fn p13_no_line_turns_green_without_its_probe_whatever_arrives_in_whatever_order(
        all in proptest::collection::vec(news(), 0..40)
    ) {
        let mut proof = Proof::begin(false);
        for news in all {
            let before = proof.clone();
            take(&mut proof, news);
            for line in proof.lines() {
                let was = before.state(line.kind);
                let turned = line.state == ProofState::Done && was != ProofState::Done;
                let by_its_probe = match line.kind {
                    ProofKind::StreamsCut => matches!(news, News::Cut),
                    ProofKind::RightsGone => matches!(news, News::NothingGiven | News::Concluded(true, true, _)),
                    ProofKind::TokenRefused => matches!(news, News::NothingGiven | News::Concluded(false, true, _)),
                    ProofKind::AccountRemoved => {
                        matches!(news, News::Account(Account::NothingAsked | Account::Closed | Account::Shown))
                    }
                    _ => false,
                };
                prop_assert!(!turned || by_its_probe, "{:?} turned green by {news:?}", line.kind);
                // What was shown stays shown, unless a right came back.
                let taken = was == ProofState::Done && line.state != ProofState::Done;
                prop_assert!(!taken || matches!(news, News::CameBack), "{:?} by {news:?}", line.kind);
                // What is unproven is looked at anew before it is anything else.
                let lifted = was == ProofState::Unproven && line.state == ProofState::Done;
                prop_assert!(!lifted, "{:?} was unproven", line.kind);
            }
            prop_assert!(!proof.is_over() || before.is_over() || !matches!(news, News::Told(_) | News::Progress(_)));
        }
    }

    #[test]
    fn p13_probes_alone_show_the_end_only_where_each_right_was_refused_by_the_authorizer(
        all in proptest::collection::vec(news(), 0..40)
    ) {
        let mut proof = Proof::begin(false);
        let (mut probed, mut bindings) = (false, false);
        for news in all {
            take(&mut proof, news);
            match news {
                News::Probing(_, of) => probed |= of > 0,
                News::Concluded(true, true, by) => bindings |= by,
                News::CameBack => bindings = false,
                _ => {}
            }
            let by_account = proof.state(ProofKind::AccountRemoved) == ProofState::Done;
            prop_assert!(!proof.is_over() || by_account || (probed && bindings));
            let shown = proof.shows_account_gone(&refused(false, Some(0)), Some(1_000));
            prop_assert_eq!(shown, bindings);
        }
    }
}
