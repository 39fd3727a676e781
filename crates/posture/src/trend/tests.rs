use super::*;
use crate::ground::Ground;
use crate::snapshot::{Coverage, Kind};
use crate::tests::{Cluster, group, rule};

fn at(at: i64) -> Point {
    Point {
        at,
        score: Some(90),
        covered: (40, 40),
        counts: Counts::default(),
        excepted: 0,
        asked: "a".into(),
    }
}

#[test]
fn a_critical_finding_caps_the_score_and_one_that_is_excepted_does_not() {
    let snapshot = Cluster::default()
        .cluster_role("all", &[rule(&["*"], &["*"], &["*"])])
        .bind(None, "all", &[group("sre")])
        .read();
    let report = Ground::new(&snapshot).report();
    let open = point(&report, 5, |_| false);
    assert!(open.score.is_some_and(|score| score < 50) && open.counts.critical == 1, "{open:?}");
    let excepted = point(&report, 5, |_| true);
    assert_eq!((excepted.score, excepted.counts.critical), (Some(100), 0));
    assert!(excepted.excepted > 0, "and it is told how many");
}

#[test]
fn p21_what_was_not_read_scores_nothing_and_is_not_compared() {
    let clean = Cluster::default().read();
    let whole = point(&Ground::new(&clean).report(), 1, |_| false);
    let mut snapshot = clean.clone();
    for kind in [Kind::RoleBinding, Kind::Namespace, Kind::Pod] {
        snapshot.asked(kind, Coverage::Forbidden("list".into()));
    }
    let part = point(&Ground::new(&snapshot).report(), 2, |_| false);
    assert!(part.covered.0 < whole.covered.0);
    assert!(matches!(compare(&whole, &part), Compared::NotComparable(_)), "{whole:?} {part:?}");
    let nothing = point(&Ground::new(&crate::Snapshot::default()).report(), 3, |_| false);
    assert_eq!(nothing.score, None);
    assert!(matches!(compare(&nothing, &nothing), Compared::NotComparable(_)));
}

#[test]
fn the_worst_counts_first() {
    let mut worse = at(2);
    worse.counts.critical = 1;
    let mut many = at(1);
    many.counts.low = 50;
    assert_eq!(compare(&many, &worse), Compared::Worse);
    assert_eq!(compare(&worse, &many), Compared::Better);
    assert_eq!(compare(&many, &Point { at: 9, ..many.clone() }), Compared::Same);
}

#[test]
fn a_trend_is_in_order_and_bounded_however_it_was_kept() {
    let mut trend = Trend::default();
    for number in 0..5000 {
        trend.add(at(number));
        assert!(trend.points().len() <= POINTS_MOST);
    }
    let times: Vec<i64> = trend.points().iter().map(|one| one.at).collect();
    assert_eq!((times.first(), times.last()), (Some(&0), Some(&4999)));
    assert!(times.is_sorted());
    let edited: Vec<Point> = (0..1000).rev().map(at).collect();
    let text = serde_json::to_string(&edited).unwrap();
    let read: Trend = serde_json::from_str(&text).unwrap();
    assert!(read.points().len() <= POINTS_MOST && read.points().is_sorted_by_key(|one| one.at));
    // The later word of one moment counts.
    let mut one = Trend::default();
    one.add(at(1));
    one.add(Point { score: Some(3), ..at(1) });
    assert_eq!(one.points(), [Point { score: Some(3), ..at(1) }]);
}
