use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_795_000_000;

fn known(from: i64, to: i64) -> Spell {
    Spell::Known { from: NOW + from, to: NOW + to }
}

fn counted(spells: &[Spell]) -> u64 {
    spent(spells.iter().copied(), NOW).as_seconds()
}

#[test]
fn attack_20_only_the_last_day_counts_and_an_overlap_once() {
    for (seconds, spells) in [
        (0, vec![]),
        (60, vec![known(-60, 0)]),
        // Over before the day began, and begun before it.
        (0, vec![known(-DAY - 60, -DAY)]),
        (60, vec![known(-DAY - 60, -DAY + 60)]),
        // All of what is given, also beyond now.
        (7200, vec![known(-3600, 3600)]),
        (7200, vec![known(-3600, 3600), known(-1800, 1800)]),
        (9000, vec![known(-3600, 3600), known(0, 5400)]),
        (120, vec![known(-60, 0), known(0, 60)]),
        (120, vec![known(0, 60), known(-600, -540)]),
        // What has not begun lies beside everything.
        (7260, vec![known(-3600, 3600), Spell::ToCome(Ttl::seconds(60))]),
        // Ends before it begins: nothing.
        (0, vec![known(60, -60)]),
    ] {
        assert_eq!(counted(&spells), seconds, "{spells:?}");
    }
    assert_eq!(
        spent([Spell::Known { from: i64::MIN, to: i64::MAX }], i64::MIN).as_seconds(),
        i64::MAX.unsigned_abs()
    );
}

fn any_spells() -> impl Strategy<Value = Vec<(i64, i64)>> {
    // Small enough to be counted second by second.
    prop::collection::vec((-400i64..300, 0i64..200).prop_map(|(from, long)| (from, from + long)), 0..8)
}

proptest! {
    /// The slow way: each second is looked at.
    #[test]
    fn attack_20_the_sum_is_the_number_of_seconds_in_any_of_them(spells in any_spells(), back in 0i64..300) {
        let slow = (-back..600).filter(|at| spells.iter().any(|(from, to)| (from..to).contains(&at))).count();
        let shifted = spells.iter().map(|(from, to)| known(from + back - DAY, to + back - DAY));
        prop_assert_eq!(spent(shifted, NOW).as_seconds(), slow as u64);
    }

    /// Whoever asks again and again, leaves early or late, and asks beside what is open: in no 24 hours it is more than the most.
    #[test]
    fn attack_20_no_day_ever_holds_more_than_the_most(
        asks in prop::collection::vec((0i64..20_000, 900i64..14_400, 0.0f64..1.0), 1..40),
        most in 3_600u64..30_000,
    ) {
        let (mut now, mut had) = (NOW, Vec::<(i64, i64, i64)>::new());
        for (pause, long, used) in asks {
            now += pause;
            // Open ones to the end of what was given, closed ones to their real end.
            let seen = |(from, given, left): &(i64, i64, i64)| Spell::Known { from: *from, to: if *left <= now { *left } else { *given } };
            let spells: Vec<Spell> = had.iter().map(seen).chain([Spell::Known { from: now, to: now + long }]).collect();
            if spent(spells, now).as_seconds() <= most {
                #[allow(clippy::cast_possible_truncation, reason = "a part of some hours")]
                had.push((now, now + long, now + (long as f64 * used) as i64));
            }
        }
        for (from, _, _) in &had {
            for day in [*from, *from - DAY, *from + 3600 - DAY] {
                let inside = had.iter().map(|(from, _, left)| Spell::Known { from: (*from).max(day), to: (*left).min(day + DAY) });
                prop_assert!(spent(inside, day + DAY).as_seconds() <= most);
            }
        }
    }
}
