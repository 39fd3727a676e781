//! Log stores beside the archive: a small server that says whatever a test wants it to. A real one is in story audit_engine.

use super::*;
use sallyport_ipc::StoreDraft;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize};

/// A record of a store: when, of which cluster, and the event.
pub(super) type Record = (i64, String, Value);
type Answer = dyn Fn(&Asked, &[Record]) -> String + Send + Sync;

pub(super) struct Asked {
    path: String,
    form: HashMap<String, String>,
    /// What restricts, in the store's language.
    pub(super) filters: String,
}

/// What VictoriaLogs would answer, newest first.
pub(super) fn answer(asked: &Asked, all: &[Record]) -> String {
    let nanos = |name: &str| {
        let at: jiff::Timestamp = asked.form[name].parse().unwrap();
        i64::try_from(at.as_nanosecond()).unwrap()
    };
    let (from, to) = (nanos("start"), nanos("end"));
    let limit: usize = asked.form["query"].rsplit_once("limit ").map_or(0, |(_, n)| n.parse().unwrap());
    let mut fits: Vec<&Record> = all.iter().filter(|(at, ..)| (from..to).contains(at)).collect();
    fits.sort_by_key(|(at, ..)| *at);
    if asked.form["query"].contains(" desc") {
        fits.reverse();
    }
    let line = |(at, cluster, event): &Record| {
        json!({ "_time": time(at / 1000), "_msg": event.to_string(), "cluster": cluster }).to_string() + "\n"
    };
    fits.into_iter().take(limit).map(line).collect()
}

pub(super) struct Store {
    pub(super) port: u16,
    stop: Arc<AtomicBool>,
    pub(super) asked: Arc<AtomicUsize>,
}

impl Store {
    pub(super) fn new(
        all: Vec<Record>,
        says: impl Fn(&Asked, &[Record]) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::at(TcpListener::bind(("127.0.0.1", 0)).unwrap(), all, says)
    }

    fn at(
        listener: TcpListener,
        all: Vec<Record>,
        says: impl Fn(&Asked, &[Record]) -> String + Send + Sync + 'static,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (stop.clone(), asked.clone());
        let (all, says): (Arc<Vec<Record>>, Arc<Answer>) = (Arc::new(all), Arc::new(says));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                counted.fetch_add(1, Ordering::Relaxed);
                let (all, says) = (all.clone(), says.clone());
                std::thread::spawn(move || serve(stream, &all, &*says));
            }
        });
        Self { port, stop, asked }
    }

    pub(super) fn draft(&self) -> StoreDraft {
        draft(self.port)
    }
}

fn draft(port: u16) -> StoreDraft {
    StoreDraft { address: format!("victorialogs:http://127.0.0.1:{port}"), ..StoreDraft::default() }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut stream: TcpStream, all: &[Record], says: &Answer) {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    let (head, body) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        }
        let Ok(length @ 1..) = stream.read(&mut chunk) else { return };
        bytes.extend_from_slice(&chunk[..length]);
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let of_filters = pairs.iter().filter(|(name, _)| name == "extra_filters");
    let filters: Vec<&str> = of_filters.map(|(_, filter)| filter.as_str()).collect();
    let filters = filters.join(" && ");
    let body = says(&Asked { path, form: pairs.into_iter().collect(), filters }, all);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // Whoever asked may have left.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

pub(super) fn record(cluster: &str, event: &Value) -> Record {
    let at: jiff::Timestamp = event["stageTimestamp"].as_str().unwrap().parse().unwrap();
    (i64::try_from(at.as_nanosecond()).unwrap(), cluster.to_owned(), event.clone())
}

fn of_cluster() -> TimelineFilter {
    filter(|f| f.side = Some(TimelineSide::Cluster))
}

/// Every page, one after the other.
async fn all_pages(bench: &Bench, limit: u32) -> Vec<TimelineRow> {
    let (mut rows, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = bench.evidence.timeline(of_cluster(), before, limit).await.unwrap();
        assert!(page.lacks.stores.iter().all(|lacks| lacks.why.contains("last 90 days")), "{:?}", page.lacks);
        rows.extend(page.rows);
        pages += 1;
        assert!(pages < 100, "it comes to its end");
        match page.next {
            Some(next) => before = Some(next.to_string()),
            None => return rows,
        }
    }
}

/// Waits for a page that is as it should be; a store's answer may come after the page.
async fn until(bench: &Bench, wanted: TimelineFilter, is: impl Fn(&TimelinePage) -> bool) -> TimelinePage {
    let began = Instant::now();
    loop {
        match bench.evidence.timeline(wanted.clone(), None, 200).await {
            Ok(page) if is(&page) => return page,
            page => assert!(began.elapsed() < Duration::from_secs(60), "{page:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stores_calls_stand_among_the_others_once_each_and_page_by_page() {
    let bench = bench().await;
    let at = |n: i64| bench.began + n * SECOND;
    // Three calls of each moment; every fifth is in the log that this machine has as well.
    let events: Vec<Value> =
        (0..60).map(|n| event(&format!("id-{n}"), at(n / 3), "get", &format!("d-{n}"), json!({}))).collect();
    let log: Vec<Value> = events.iter().step_by(5).cloned().collect();
    bench.log(&log).await;
    let mut records: Vec<Record> = events.iter().map(|event| record(CLUSTER, event)).collect();
    // One that carries another one's id, and one of another cluster.
    let borrowed = event("id-5", at(30), "delete", "d-5", json!({}));
    let other = event("id-5", at(1), "get", "d-5", json!({}));
    records.extend([record(CLUSTER, &borrowed), record("ledger-us-1", &other)]);
    let store = Store::new(records, answer);
    bench.evidence.store_add(store.draft()).await.unwrap();
    let page = until(&bench, of_cluster(), |page| page.rows.len() == 62).await;
    assert!(page.rows.iter().any(|row| row.word == *"delete"), "a borrowed id hides nothing");
    assert_eq!(page.rows.iter().filter(|row| row.cluster == *"ledger-us-1").count(), 1);

    let rows = all_pages(&bench, 7).await;
    assert_eq!(rows.len(), 62);
    assert!(rows.windows(2).all(|two| two[0].at_us >= two[1].at_us));
    let kept = rows.iter().filter(|row| row.id.starts_with("call:")).count();
    assert_eq!(kept, 12, "what the archive has is shown from there");

    // A row of the store is told of as every other one is.
    let row = rows.iter().find(|row| row.id.starts_with("look:")).unwrap();
    let detail = bench.evidence.call(row.id.to_string()).await.unwrap();
    assert_eq!(detail.source, format!("127.0.0.1:{}", store.port).as_str());
    assert_eq!(detail.place, None, "a store's record has no byte");
    assert!(detail.facts.iter().any(|fact| fact.name == *"Verb"), "{detail:?}");
    let raw = bench.evidence.raw(row.id.to_string()).await.unwrap();
    assert!(raw.iter().any(|line| line.contains("auditID")), "{raw:?}");

    // One cluster's alone, though the server gives all; and what is in no event is not shown.
    let ledger =
        until(&bench, filter(|f| f.cluster = Some("ledger-us-1".into())), |page| page.rows.len() == 1).await;
    assert_eq!(ledger.rows[0].cluster, *"ledger-us-1");
    assert!(bench.evidence.call(row.id.to_string()).await.is_err(), "it went with the question");
    until(&bench, filter(|f| f.text = Some("nowhere".into())), |page| page.rows.is_empty()).await;

    let source = bench.evidence.sources().await.unwrap().sources;
    let source = source.iter().find(|source| source.is_store).unwrap();
    assert!(matches!(source.state, SourceState::Answered { .. }), "{source:?}");
    bench.evidence.source_remove(source.id.to_string()).await.unwrap();
    let page = bench.page(of_cluster()).await;
    assert_eq!((page.rows.len(), page.lacks.stores.len()), (12, 0));
    bench.evidence.close().await;
    assert!(!bench.home.path().join("data/audit-seen").exists(), "nothing of it stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_slow_or_wrong_keeps_nobody_waiting_and_is_named() {
    let bench = bench().await;
    bench.a_session().await;
    let events = vec![record(CLUSTER, &event("id", bench.began, "get", "d", json!({})))];
    let is_slow = Arc::new(AtomicBool::new(true));
    let slow = is_slow.clone();
    let store = Store::new(events.clone(), move |asked, all| {
        while slow.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        answer(asked, all)
    });
    bench.evidence.store_add(store.draft()).await.unwrap();
    // The history is there while it has not answered.
    let page = bench.page(TimelineFilter::default()).await;
    assert!(page.rows.len() >= 4, "{page:?}");
    let lacks = &page.lacks.stores;
    assert!(lacks.len() == 1 && lacks[0].is_pending && lacks[0].store.starts_with("127.0.0.1:"), "{lacks:?}");
    // Another question takes the first one back, and does not wait for it either.
    let page = bench.page(filter(|f| f.verb = Some("delete".into()))).await;
    assert!(page.lacks.stores.iter().all(|lacks| lacks.is_pending), "{page:?}");
    is_slow.store(false, Ordering::Relaxed);
    until(&bench, TimelineFilter::default(), |page| {
        page.rows.iter().any(|row| row.side == TimelineSide::Cluster)
            && !page.lacks.stores.iter().any(|l| l.is_pending)
    })
    .await;

    let html = Store::new(events, |_, _| "<html>Sign in".to_owned());
    bench.evidence.store_add(html.draft()).await.unwrap();
    let page = until(&bench, TimelineFilter::default(), |page| {
        page.lacks.stores.iter().any(|lacks| lacks.why.contains("HTML"))
    })
    .await;
    assert!(
        page.rows.iter().any(|row| row.side == TimelineSide::Cluster),
        "the other one is there: {page:?}"
    );
    // It is left alone for a while, however often somebody looks.
    let before = html.asked.load(Ordering::Relaxed);
    for _ in 0..10 {
        bench.page(TimelineFilter::default()).await;
    }
    assert!(html.asked.load(Ordering::Relaxed) < before + 10, "a store that failed is not asked each time");
    let failed = bench.evidence.sources().await.unwrap().sources;
    assert!(
        failed
            .iter()
            .any(|one| matches!(&one.state, SourceState::Failed { why, .. } if why.contains("HTML")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_back_is_asked_again_and_shows_what_it_alone_has() {
    let bench = bench().await;
    bench.a_session().await;
    // Nobody answers where it will be.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    bench.evidence.store_add(draft(port)).await.unwrap();
    let away = |page: &TimelinePage| page.lacks.stores.iter().any(|lacks| lacks.has_failed);
    let page = until(&bench, TimelineFilter::default(), away).await;
    assert!(page.rows.len() >= 4, "the history is there: {page:?}");
    let events = vec![record(CLUSTER, &event("id", bench.began, "get", "d", json!({})))];
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let store = Store::at(listener, events, answer);
    until(&bench, TimelineFilter::default(), |page| {
        page.rows.iter().any(|row| row.id.starts_with("look:")) && !away(page)
    })
    .await;
    // And once more, of a store that has answered before.
    drop(store);
    let page = until(&bench, TimelineFilter::default(), away).await;
    assert!(page.rows.iter().any(|row| row.side == TimelineSide::Own), "{page:?}");
    let two: Vec<Record> = [("id", 0), ("new", 5)]
        .map(|(id, n)| record(CLUSTER, &event(id, bench.began + n * SECOND, "get", "d", json!({}))))
        .into();
    let _store = Store::at(TcpListener::bind(("127.0.0.1", port)).unwrap(), two, answer);
    let cluster = filter(|f| (f.side, f.verb) = (Some(TimelineSide::Cluster), Some("get".into())));
    until(&bench, cluster, |page| page.rows.len() == 2 && !away(page)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_over_time_are_the_stores_own_and_what_it_does_not_count_is_said() {
    let bench = bench().await;
    let (from, to) = (bench.began, bench.began + 100 * SECOND);
    let said = serde_json::to_string(&json!({ "hits": [{ "fields": {}, "total": 7,
        "timestamps": [time(from), time(from + 50 * SECOND)], "values": [3, 4] }] }))
    .unwrap();
    let store = Store::new(Vec::new(), move |asked, all| match asked.path.ends_with("/hits") {
        true => said.clone(),
        false => answer(asked, all),
    });
    bench.evidence.store_add(store.draft()).await.unwrap();
    let of_range = filter(|f| (f.from_us, f.to_us) = (Some(from), Some(to)));
    // A store that answers late is said to lack, and is there with another look.
    let began = Instant::now();
    let counted = loop {
        let counted = bench.evidence.histogram(of_range.clone(), 10).await.unwrap();
        if counted.lacks.stores.is_empty() || began.elapsed() > Duration::from_secs(60) {
            break counted;
        }
    };
    let calls: Vec<u32> = counted.bins.iter().map(|bin| bin.calls).collect();
    assert_eq!(calls, [3, 0, 0, 0, 0, 4, 0, 0, 0, 0], "{counted:?}");
    assert!(counted.lacks.stores.is_empty());
    let loki =
        StoreDraft { address: format!("loki:http://127.0.0.1:{}", store.port), ..StoreDraft::default() };
    bench.evidence.store_add(loki).await.unwrap();
    let counted = bench.evidence.histogram(of_range, 10).await.unwrap();
    assert!(
        counted.lacks.stores.iter().any(|lacks| lacks.why.contains("not asked for numbers")),
        "{counted:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_gives_the_same_again_and_again_is_not_looked_at_for_ever() {
    let bench = bench().await;
    let same = event("same", bench.began, "get", "x", json!({})).to_string();
    let store = Store::new(Vec::new(), move |asked, _| {
        let end: jiff::Timestamp = asked.form["end"].parse().unwrap();
        let line = |n: i64| {
            json!({ "_time": time(end.as_microsecond() - 1 - n), "_msg": same, "cluster": CLUSTER })
                .to_string()
                + "\n"
        };
        (0..1000).map(line).collect()
    });
    bench.evidence.store_add(store.draft()).await.unwrap();
    let began = Instant::now();
    loop {
        let about = bench.evidence.about(filter(|f| f.cluster = Some(CLUSTER.into()))).await;
        let lacks = about.map(|about| about.lacks.stores);
        if lacks
            .as_ref()
            .is_ok_and(|lacks| lacks.iter().any(|one| one.why.contains("records were looked at")))
        {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{lacks:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bench.evidence.close().await;
}
