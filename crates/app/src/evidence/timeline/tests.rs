use super::*;
use crate::evidence::merge::*;
use proptest::prelude::*;
use sallyport_ipc::{Outcome, TimelineSide};

fn row(side: TimelineSide, n: u64, at: i64) -> TimelineRow {
    TimelineRow {
        id: Shown::from(format!("{side:?}:{n}")),
        at_us: at,
        side,
        sentence: Shown::default(),
        who: Shown::default(),
        cluster: Shown::default(),
        via: Shown::default(),
        status: None,
        word: Shown::default(),
        outcome: Outcome::Done,
        gap: false,
        tie: None,
        command: None,
        entry: None,
    }
}

/// One side that gives at most `most` of its rows at a time, as a question whose time is over does.
fn looked<C: Copy>(
    side: TimelineSide,
    all: &[i64],
    from: Side<C>,
    most: usize,
    of: impl Fn(i64, u64) -> C,
    key: impl Fn(C) -> (i64, u64),
) -> Looked<C> {
    let behind = match from {
        Side::End => return Looked { rows: Vec::new(), next: None, from: Side::End },
        Side::Begin => (i64::MAX, u64::MAX),
        Side::After(cursor) => key(cursor),
    };
    let mut rows: Vec<(i64, u64)> =
        all.iter().enumerate().map(|(n, at)| (*at, n as u64)).filter(|one| *one < behind).collect();
    rows.sort_by(|a, b| b.cmp(a));
    let has_more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| has_more).map(|(at, n)| (*at, of(*at, *n)));
    let rows = rows.into_iter().map(|(at, n)| (at, of(at, n), row(side, n, at)));
    Looked { rows: rows.collect(), next, from }
}

proptest! {
    #[test]
    fn pages_of_both_sides_hold_each_row_once_and_in_their_order(
        own in proptest::collection::vec(0_i64..40, 0..40),
        calls in proptest::collection::vec(0_i64..40, 0..40),
        limit in 1_usize..9,
        store in proptest::collection::vec(0_i64..40, 0..40),
        // A side may have had no time to find as many.
        own_most in 1_usize..9,
        calls_most in 1_usize..9,
        store_most in 1_usize..9,
    ) {
        let (mut cursor, mut all, mut pages) = (Cursor::default(), Vec::new(), 0);
        loop {
            let own = looked(TimelineSide::Own, &own, cursor.own, own_most.min(limit),
                |at, sequence| OwnCursor { at, sequence }, |c| (c.at, c.sequence));
            let calls = looked(TimelineSide::Cluster, &calls, cursor.calls, calls_most.min(limit),
                |at, id| CallCursor { at, id }, |c| (c.at, c.id));
            let from = cursor.stores.first().map_or(Side::Begin, |(_, place)| *place);
            let store = looked(TimelineSide::Cluster, &store, from, store_most.min(limit),
                |at, id| StoreCursor { look: 1, call: CallCursor { at, id: id + 100 } }, |c| (c.call.at, c.call.id - 100));
            let store = Looked { rows: store.rows.into_iter().map(|(at, c, row)| (at, c, TimelineRow {
                id: Shown::from(format!("look:{}", c.call.id)), ..row })).collect(), ..store };
            let (rows, next) = merged(own, calls, vec![("logs-1".to_owned(), store)], limit);
            prop_assert!(rows.len() <= limit);
            all.extend(rows.into_iter().map(|row| (row.at_us, row.id)));
            // What the window is given leads on, to the letter.
            cursor = Cursor::parse(next.shown().as_str()).unwrap();
            prop_assert_eq!(&cursor, &next);
            pages += 1;
            prop_assert!(pages < 400, "it comes to its end");
            if cursor.is_over() {
                break;
            }
        }
        prop_assert!(all.windows(2).all(|two| two[0].0 >= two[1].0), "newest first over all pages");
        let mut ids: Vec<_> = all.iter().map(|(_, id)| id.clone()).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), all.len());
        prop_assert_eq!(all.len(), own.len() + calls.len() + store.len());
    }

    #[test]
    fn a_cursor_from_anywhere_is_one_or_none(text in "\\PC{0,40}") {
        if let Some(cursor) = Cursor::parse(&text) {
            prop_assert_eq!(Cursor::parse(cursor.shown().as_str()), Some(cursor));
        }
    }
}
