//! Against a real VictoriaLogs, built from its Go module.

use sallyport_archive::{Archive, Bounds, Filter, Options, Source};
use sallyport_engine::{Access, Engine, PUSH_MOST, Record, Wanted};
use sallyport_feeds::{Pull, PulledIn, pull};
use sallyport_model::ClusterName;
use sallyport_testkit::VictoriaLogs;
use std::path::Path;
use tokio::runtime::Runtime;

const SECOND: i64 = 1_000_000_000;
/// 2026-11-30T01:59:00Z: an hour ends in the middle of what is sent.
const BEGIN: i64 = 1_796_003_940 * SECOND;

fn event(number: usize, micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap();
    let at = at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-{number}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/p-{number}","verb":"get","user":{{"username":"dana"}},"objectRef":{{"resource":"pods","namespace":"shop","name":"p-{number}","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"{at}","stageTimestamp":"{at}"}}"#
    )
}

fn records(cluster: &ClusterName, numbers: std::ops::Range<usize>, at: impl Fn(usize) -> i64) -> Vec<Record> {
    let mut records = Vec::new();
    for number in numbers {
        let text = event(number, at(number) / 1000);
        Record::read(text.as_bytes(), cluster, 0, &mut |record| records.push(record));
    }
    records
}

struct Desk {
    runtime: Runtime,
    logs: VictoriaLogs,
    engine: Engine,
    cluster: ClusterName,
    source: Source,
}

impl Desk {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Runtime::new().unwrap();
        let logs = runtime.block_on(VictoriaLogs::start()).unwrap();
        let target = format!("victorialogs:{}", logs.url()).parse().unwrap();
        let access = Access::read(Some(&logs.ca_file()), Some(&logs.credential_file()), "").unwrap();
        let engine = Engine::new(target, &access).unwrap();
        let cluster: ClusterName = "payments-eu-1".parse().unwrap();
        let source = Source { id: "payments-eu-1.victorialogs".to_owned(), cluster: cluster.clone() };
        Self { runtime, logs, engine, cluster, source }
    }

    fn push(&self, records: &[Record]) {
        for some in records.chunks(PUSH_MOST) {
            let pushed = self.runtime.block_on(self.engine.push(some)).unwrap();
            assert_eq!(pushed.records, some.len() as u64);
        }
        // What came in the last second may not be seen yet.
        self.runtime.block_on(self.logs.ask("* | limit 1")).unwrap();
    }

    fn pull(&self, dir: &Path, change: impl FnOnce(&mut Pull)) -> PulledIn {
        let archive = Archive::open(dir, Options::default()).unwrap();
        let mut what = Pull {
            wanted: Wanted::of("payments-eu-1"),
            since: BEGIN - 10 * SECOND,
            until: BEGIN + 3600 * SECOND,
            overlap: 7200 * SECOND,
            again: None,
        };
        change(&mut what);
        pull(&archive, &self.source, &self.engine, &what).unwrap()
    }

    fn count(&self, dir: &Path) -> u64 {
        let archive = Archive::open(dir, Options::default()).unwrap();
        archive.count(&Filter::default(), &Bounds::default()).unwrap().value
    }
}

#[test]
fn what_a_store_has_is_kept_once_however_often_it_is_pulled_and_however_late_it_came() {
    let mut desk = Desk::new();
    let dir = tempfile::tempdir().unwrap();
    // 2,500 in each of 3 nanoseconds, so that a moment is larger than a page and an hour's end lies in between.
    let at = |number: usize| BEGIN + (number as i64 % 3) * 50 * SECOND;
    let all = records(&desk.cluster, 0..7500, at);
    assert_eq!(all.len(), 7500);
    desk.push(&all[..7000]);
    let first = desk.pull(dir.path(), |_| ());
    assert_eq!((first.events, first.late, first.records), (7000, 0, 7000), "{first:?}");
    assert_eq!(desk.count(dir.path()), 7000);

    // Nothing new: all is looked at again.
    let second = desk.pull(dir.path(), |_| ());
    assert_eq!((second.events, second.late, second.again), (0, 0, 7000), "{second:?}");

    // The store is started again; the rest comes late, among moments that were read, and some once more.
    desk.runtime.block_on(desk.logs.end()).unwrap();
    desk.runtime.block_on(desk.logs.go_on()).unwrap();
    desk.push(&all[6900..]);
    let third = desk.pull(dir.path(), |_| ());
    assert_eq!((third.events, third.late, third.again), (500, 500, 7100), "{third:?}");
    let fourth = desk.pull(dir.path(), |_| ());
    assert_eq!((fourth.events, fourth.again), (0, 7600), "{fourth:?}");
    assert_eq!(desk.count(dir.path()), 7500);

    // Another archive reads it in one go; what was delivered twice is there once, and counted.
    let other = tempfile::tempdir().unwrap();
    let whole = desk.pull(other.path(), |_| ());
    assert_eq!(whole.events, 7500, "{whole:?}");
    assert_eq!(whole.counts.foreign.get("a record that was there already"), Some(&100));
}

#[test]
fn another_clusters_records_are_counted_and_not_kept_and_words_narrow_what_is_asked() {
    let desk = Desk::new();
    let dir = tempfile::tempdir().unwrap();
    let other: ClusterName = "other-us-2".parse().unwrap();
    desk.push(&records(&desk.cluster, 0..10, |number| BEGIN + number as i64 * 1000));
    desk.push(&records(&other, 10..15, |number| BEGIN + number as i64 * 1000));
    // A filter that is too wide.
    let wide = desk.pull(dir.path(), |pull| pull.wanted.filter = Some("source:sallyport".to_owned()));
    assert_eq!((wide.records, wide.events), (15, 10), "{wide:?}");
    assert_eq!(wide.counts.foreign.get("a record of another cluster"), Some(&5));
    // Of another question nothing is taken for what was read.
    let words = desk.pull(dir.path(), |pull| pull.wanted.words = vec!["p-3".to_owned(), "p-4".to_owned()]);
    assert_eq!((words.records, words.events), (2, 2), "{words:?}");
    // What would be more than a filter is refused by the store, and said so.
    let archive = Archive::open(dir.path(), Options::default()).unwrap();
    let mut what = Pull {
        wanted: Wanted { filter: Some("* | delete".to_owned()), ..Wanted::of("payments-eu-1") },
        since: BEGIN,
        until: BEGIN + SECOND,
        overlap: 0,
        again: None,
    };
    let refused = pull(&archive, &desk.source, &desk.engine, &what).unwrap_err().to_string();
    assert!(refused.contains("400"), "{refused}");
    what.wanted.filter = Some("\"unclosed".to_owned());
    let refused = pull(&archive, &desk.source, &desk.engine, &what).unwrap_err().to_string();
    assert!(refused.contains("400"), "{refused}");
}

#[test]
fn p1_who_does_not_know_the_password_or_the_authority_reads_nothing() {
    let desk = Desk::new();
    let target = || desk.engine.target().clone();
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::open(dir.path(), Options::default()).unwrap();
    let what = Pull { wanted: Wanted::of("x"), since: BEGIN, until: BEGIN + SECOND, overlap: 0, again: None };
    let with = |access: &Access| {
        let engine = Engine::new(target(), access).unwrap();
        pull(&archive, &desk.source, &engine, &what).unwrap_err().to_string()
    };
    let stranger = with(&Access::read(Some(&desk.logs.ca_file()), None, "").unwrap());
    assert!(stranger.contains("401"), "{stranger}");
    let untrusting = with(&Access::read(None, Some(&desk.logs.credential_file()), "").unwrap());
    assert!(untrusting.contains("can't be reached") && untrusting.contains("certificate"), "{untrusting}");
}

#[test]
fn what_a_shipper_hands_on_line_by_line_is_read_as_it_was_written() {
    let desk = Desk::new();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.log");
    let lines: Vec<String> =
        (0..3).map(|number| event(number, BEGIN / 1000 + number as i64) + "\n").collect();
    let (first, rest) = lines[2].split_at(40);
    std::fs::write(&log, format!("{}{}{first}", lines[0], lines[1])).unwrap();
    let ship = |from| desk.runtime.block_on(desk.logs.ship("payments-eu-1", &log, from)).unwrap();
    let upto = ship(0);
    assert_eq!(upto as usize, lines[0].len() + lines[1].len(), "what has not ended waits");
    std::fs::write(&log, format!("{}{}{first}{rest}", lines[0], lines[1])).unwrap();
    assert_eq!(ship(upto) as usize, lines.concat().len());
    desk.runtime.block_on(desk.logs.ask("* | limit 1")).unwrap();
    let pulled = desk.pull(&dir.path().join("archive"), |_| ());
    assert_eq!((pulled.records, pulled.events), (3, 3), "{pulled:?}");
}
