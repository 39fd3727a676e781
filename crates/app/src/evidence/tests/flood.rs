//! Whoever may write to a folder of logs makes a gap at each look.

use super::super::gaps::Gap;
use super::*;
use sallyport_audit::Entry;

impl Bench {
    async fn gaps(&self) -> Vec<Entry> {
        self.settled().await;
        let filter =
            sallyport_store::Filter { actions: vec![Action::Gap], ..sallyport_store::Filter::default() };
        self.evidence.history.entries(filter, None, 1_000).await.unwrap().entries
    }

    async fn found(&self, cluster: &str, gaps: Vec<Gap>) {
        self.evidence.note_gaps("folder", Some(&cluster.parse().unwrap()), gaps).await;
    }
}

fn why(entry: &Entry) -> &str {
    entry.detail.text("why").unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn p19_who_makes_a_gap_at_each_look_fills_no_history_and_each_is_counted() {
    let bench = bench().await;
    let before = jiff::Timestamp::now().as_microsecond();
    for n in 0..100 {
        bench.found(CLUSTER, vec![Gap::of_archive(&format!("gap {n}"))]).await;
    }
    let gaps = bench.gaps().await;
    assert_eq!(gaps.len(), 8, "{gaps:?}");
    assert!(why(&gaps[0]).contains("What else is found to be missing within an hour is counted"), "{gaps:?}");
    // Another cluster's are its own, and many of one reading are told of together.
    let many = (0..30).map(|n| Gap::of_archive(&format!("file {n}"))).collect();
    bench.found("ledger-us-1", many).await;
    let gaps = bench.gaps().await;
    assert_eq!(gaps.len(), 16, "{gaps:?}");
    assert!(why(&gaps[0]).contains("; and 22 more like it"), "{gaps:?}");
    // What an earlier run noted is no news.
    bench.found(CLUSTER, vec![Gap::of_archive("gap 0")]).await;
    bench.evidence.close().await;
    let gaps = bench.gaps().await;
    assert_eq!(gaps.len(), 17, "{gaps:?}");
    let last = &gaps[0];
    assert!(why(last).starts_with("92 times more within an hour"), "{}", why(last));
    assert!(why(last).ends_with("gap 8") && last.cluster.as_ref().unwrap().as_str() == CLUSTER, "{last:?}");
    let at = |key: &str| last.detail.get(key).and_then(Value::as_i64).unwrap();
    assert!(before <= at("from") && at("from") <= at("to"), "{last:?}");
    bench.evidence.close().await;
    assert_eq!(bench.gaps().await.len(), 17, "once");
}

/// Else whoever floods the history hides what went around the gateway before.
#[tokio::test(flavor = "multi_thread")]
async fn p19_gaps_of_clusters_logs_do_not_shorten_what_this_desktop_knows_of_itself() {
    let bench = bench().await;
    bench.note(Draft::new(Action::AppStarted).at(bench.began - 10 * SECOND)).await;
    bench.note(Draft::new(Action::Gap).at(bench.began).detail("why", "the disk was full")).await;
    for n in 0..1_500 {
        bench.note(Draft::new(Action::Gap).at(bench.began + n).detail("source", "folder")).await;
    }
    bench.settled().await;
    let record = bench.evidence.own_record().await.unwrap();
    assert!(record.from <= bench.began - 10 * SECOND, "{} after {}", record.from, bench.began);
    assert_eq!(record.gaps.len(), 1, "its own");
    bench.evidence.close().await;
}
