//! Whether the provider still vouches for whoever has something open. It has no clock, and its word no end but the one that
//! is given it here.

use sallyport_model::Reaffirm;

/// How far the provider's clock may be ahead of the hub's, in seconds: what is dated later proves nothing.
const SKEW: i64 = 60;

/// How it stands with the provider's word for a requester.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// It is fresh enough.
    Fine {
        /// When the next one is due, Unix seconds.
        due_at: i64,
        /// When access ends without it, Unix seconds.
        over_at: i64,
    },
    /// The next one is due and has not come.
    Due {
        /// When access ends without it, Unix seconds.
        over_at: i64,
    },
    /// It is too old, or none.
    Over {
        /// Why, in words without a final dot.
        why: String,
    },
}

/// How it stands at `now` (Unix seconds, the hub's clock) with a provider whose newest token for the requester was issued at
/// `issued`, by the provider's clock. The same token again is the same word: it moves nothing.
pub fn vouched(wanted: &Reaffirm, issued: Option<i64>, now: i64) -> Vouched {
    let over = |why: String| Vouched::Over { why };
    let Some(issued) = issued else {
        return over("it is not known when the identity provider last vouched for the requester".to_owned());
    };
    let ahead = issued.saturating_sub(now);
    if ahead > SKEW {
        return over(format!(
            "the identity provider's last word for the requester is {ahead} s in the future"
        ));
    }
    let over_at = wanted.over_at(issued);
    if now >= over_at {
        return over(format!(
            "the identity provider has not vouched for the requester for {}; the profile wants it {wanted}",
            age(now.saturating_sub(issued))
        ));
    }
    match wanted.due_at(issued) {
        due_at if now < due_at => Vouched::Fine { due_at, over_at },
        _ => Vouched::Due { over_at },
    }
}

/// How long ago, as people say it.
fn age(seconds: i64) -> String {
    match seconds / 60 {
        minutes if minutes >= 120 => format!("{} hours", minutes / 60),
        minutes => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ISSUED: i64 = 1_795_000_000;

    fn wanted() -> Reaffirm {
        Reaffirm::parse("15m", "5m").unwrap()
    }

    #[test]
    fn it_is_due_once_in_its_period_and_over_after_its_grace() {
        let at = |after: i64| vouched(&wanted(), Some(ISSUED), ISSUED + after);
        let fine = Vouched::Fine { due_at: ISSUED + 900, over_at: ISSUED + 1200 };
        assert_eq!((at(0), at(899)), (fine.clone(), fine));
        assert_eq!(at(900), Vouched::Due { over_at: ISSUED + 1200 });
        assert_eq!(at(1199), Vouched::Due { over_at: ISSUED + 1200 });
        let Vouched::Over { why } = at(1200) else { panic!("{:?}", at(1200)) };
        assert!(why.contains("for 20 minutes") && why.contains("every 15m"), "{why}");
        let Vouched::Over { why } = at(3 * 3600) else { panic!() };
        assert!(why.contains("for 3 hours"), "{why}");
    }

    #[test]
    fn no_word_and_one_from_the_future_vouch_for_nobody() {
        assert!(matches!(vouched(&wanted(), Some(ISSUED), ISSUED - 60), Vouched::Fine { .. }));
        for (issued, why) in
            [(None, "not known"), (Some(ISSUED + 61), "61 s in the future"), (Some(i64::MAX), "future")]
        {
            let Vouched::Over { why: said } = vouched(&wanted(), issued, ISSUED) else {
                panic!("{issued:?}")
            };
            assert!(said.contains(why), "{said}");
        }
    }

    proptest! {
        /// Whatever the numbers are, what is open is no older than every + grace, and an older word never does better.
        #[test]
        fn nothing_is_open_longer_than_every_and_grace(
            (every, grace) in (5u64..300, 1u64..300), issued: i64, older in 0..i64::MAX, now: i64,
        ) {
            let wanted = Reaffirm::parse(&format!("{every}m"), &format!("{grace}m")).unwrap();
            let open = |issued| !matches!(vouched(&wanted, Some(issued), now), Vouched::Over { .. });
            if open(issued) {
                let age = i128::from(now) - i128::from(issued);
                prop_assert!(age < i128::from(60 * (every + grace)) && age >= -60);
            } else if issued <= now {
                prop_assert!(!open(issued.saturating_sub(older)));
            }
        }
    }
}
