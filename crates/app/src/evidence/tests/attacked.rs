//! What whoever holds a session's token does with an id of its gateway, and how long what can't be said is left unsaid.

use super::super::bypass::{NOTED_MOST, OfSession, compared, of_accounts_in};
use super::*;
use sallyport_events::Known;

impl Bench {
    async fn bypasses(&self) -> usize {
        self.settled().await;
        let filter =
            sallyport_store::Filter { actions: vec![Action::Bypass], ..sallyport_store::Filter::default() };
        self.evidence.history.entries(filter, None, 1_000).await.unwrap().entries.len()
    }

    /// Another program reads an event into the archive, and has it open still.
    fn read_by_another(&self, event: &Value) -> Archive {
        let log = self.home.path().join("other.log");
        std::fs::write(&log, format!("{event}\n")).unwrap();
        let archive = Archive::open(&self.evidence.folder(), Options::default()).unwrap();
        let source = sallyport_archive::Source { id: "cli".into(), cluster: CLUSTER.parse().unwrap() };
        for named in sallyport_feeds::files(&log).unwrap().files {
            sallyport_feeds::import(&archive, &source, &named.open().unwrap(), true).unwrap();
        }
        archive
    }

    /// Somebody looks, and notes one, within that time.
    async fn until_noted(&self, within: Duration) {
        let began = Instant::now();
        while self.bypasses().await == 0 {
            assert!(began.elapsed() < within, "nobody looked");
        }
    }

    async fn look(&self) {
        self.evidence.look_for_bypasses(&CLUSTER.parse().unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_used_again_stays_a_row_of_its_own() {
    let bench = bench().await;
    let (_, account) = bench.a_session().await;
    let at = bench.began + 60 * SECOND;
    bench
        .log(&[
            event("minted-1", at + 2000, "get", "checkout", by(&account)),
            event("minted-1", at + 4 * SECOND, "delete", "checkout", by(&account)),
            event("minted-1", at + 8 * SECOND, "get", "checkout", by(&account)),
        ])
        .await;
    let rows = bench.page(TimelineFilter::default()).await.rows;
    let own = rows.iter().find(|row| row.word.as_str() == "call").unwrap();
    let twin = own.tie.as_ref().unwrap().call.clone().unwrap();
    let ends = format!("@{}", at + 2000);
    assert!(twin.ends_with(&ends), "it leads to the first of them, at {ends}: {twin}");
    let of = |verb: &str| {
        let is_it = |row: &&TimelineRow| row.side == TimelineSide::Cluster && row.word.as_str() == verb;
        rows.iter().filter(is_it).collect::<Vec<_>>()
    };
    let deleted = of("delete");
    assert_eq!(deleted.len(), 1, "{rows:?}");
    assert_eq!(deleted[0].tie.as_ref().unwrap().by, TieBy::Jti, "the id says nothing of it");
    let detail = bench.evidence.call(deleted[0].id.to_string()).await.unwrap();
    assert!(detail.borrows_an_id);
    assert_eq!(of("get").len(), 1, "the same once more is not the first");
    // Several look at once: at what was read, at what was kept, and once more.
    tokio::join!(bench.look(), bench.look(), bench.look());
    assert_eq!(bench.bypasses().await, 2, "each once, however many look at the same time");
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_session_with_more_calls_than_are_compared_the_older_ones_come_from_nowhere_else() {
    let bench = bench().await;
    let (request, account) = bench.a_session().await;
    let at = |n: i64| bench.began + (100 + n) * SECOND;
    let uri = "/apis/apps/v1/namespaces/pay/deployments/checkout";
    for n in 0..300 {
        let call = Draft::new(Action::Call)
            .at(at(n))
            .cluster(&CLUSTER.parse().unwrap())
            .request(&request)
            .jti(&Jti::new("jti-1"))
            .audit_id(&AuditId::new(format!("m{n}")));
        bench.note(call.detail("method", "GET").detail("uri", uri).detail("status", 200)).await;
    }
    bench.settled().await;
    // A copy of a log that ends some calls ago, and one call among the last that the gateway did not send.
    let mut events: Vec<Value> =
        (0..280).map(|n| event(&format!("m{n}"), at(n) + 2000, "get", "checkout", by(&account))).collect();
    events.push(event("made-up", at(279), "delete", "checkout", by(&account)));
    bench.log(&events).await;
    let archive = bench.evidence.archive(false).await.unwrap().unwrap();
    let part = of_accounts_in(&archive, CLUSTER, &[account.to_string()], &Bounds::default()).unwrap();
    let of = OfSession::of(vec![part]);
    assert!(of.events.iter().all(|event| event.raw.is_empty()), "none is kept as it was written");
    let whole = bench.evidence.own_record().await.unwrap();
    let found = |own: &super::super::bypass::OfRequest| {
        compared(&of, &Known::of(own.entries.iter()), &own.record(&whole))
    };
    let own = bench.evidence.of_request(&request, 100).await.unwrap();
    assert!(own.entries.iter().any(|entry| entry.action == Action::Granted), "what it is is always there");
    let newest = found(&own);
    assert_eq!(newest.bypass.len(), 1, "the one that was none of the gateway's");
    // One of the hundred is the entry about that.
    assert_eq!((newest.both.len(), newest.unclear.len() + newest.both.len()), (79, 280));
    let all = found(&bench.evidence.of_request(&request, 1_000).await.unwrap());
    assert_eq!((all.both.len(), all.unclear.len(), all.bypass.len()), (280, 0, 1));
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_calls_around_the_gateway_does_not_fill_the_history() {
    let bench = bench().await;
    let (_, account) = bench.a_session().await;
    let at = |n: usize| bench.began + 100 * SECOND + n as i64 * 1000;
    let many: Vec<Value> = (0..NOTED_MOST + 60)
        .map(|n| event(&format!("x{n}"), at(n), "get", "checkout", by(&account)))
        .collect();
    bench.log(&many).await;
    assert_eq!(bench.bypasses().await, NOTED_MOST + 1, "each, and that there are more");
    for _ in 0..2 {
        bench.look().await;
    }
    assert_eq!(bench.bypasses().await, NOTED_MOST + 1, "once, however often one looks");
    let rows = bench.page(filter(|f| f.action = Some("bypass".into()))).await.rows;
    assert!(rows.iter().any(|row| row.sentence.contains("no more are noted one by one")));
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_young_to_be_said_is_said_later_by_itself() {
    let bench = bench().await;
    let (_, account) = bench.a_session().await;
    // Its entry might still be on its way for sixteen seconds, for all that clocks may differ.
    let young = jiff::Timestamp::now().as_microsecond() - 15 * SECOND;
    bench.log(&[event("x", young, "delete", "checkout", by(&account))]).await;
    let early = bench.bypasses().await;
    // It is 30 s old, and a second, when it may be said; a busy machine may be there by now.
    let age = jiff::Timestamp::now().as_microsecond() - young;
    assert!(early == 0 || age > 30 * SECOND, "it was said after {age} µs");
    bench.until_noted(Duration::from_secs(90)).await;
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_read_into_the_archive_is_looked_at_with_the_first_question() {
    let bench = bench().await;
    let (_, account) = bench.a_session().await;
    let archive =
        bench.read_by_another(&event("x", bench.began + 100 * SECOND, "delete", "checkout", by(&account)));
    archive.close();
    drop(archive);
    bench.page(TimelineFilter::default()).await;
    bench.until_noted(Duration::from_secs(60)).await;
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_had_open_is_looked_at_once_they_are_through() {
    let bench = bench().await;
    let (_, account) = bench.a_session().await;
    // Nothing was there with the first question, and with the second another program has it.
    bench.page(TimelineFilter::default()).await;
    let archive =
        bench.read_by_another(&event("x", bench.began + 100 * SECOND, "delete", "checkout", by(&account)));
    bench.page(TimelineFilter::default()).await;
    assert_eq!(bench.bypasses().await, 0, "it is another's");
    archive.close();
    drop(archive);
    bench.page(TimelineFilter::default()).await;
    bench.until_noted(Duration::from_secs(90)).await;
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_looking_on_is_switched_one_reader_is_left() {
    let bench = bench().await;
    let before = Arc::strong_count(&bench.evidence);
    for _ in 0..5 {
        bench.evidence.follow_sources(true).await.unwrap();
        bench.evidence.follow_sources(false).await.unwrap();
        bench.evidence.follow_sources(true).await.unwrap();
    }
    // Longer than one sleeps between two looks: whoever is not wanted any more is gone by then.
    let began = Instant::now();
    while Arc::strong_count(&bench.evidence) != before + 1 {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", Arc::strong_count(&bench.evidence) - before);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(Arc::strong_count(&bench.evidence), before + 1, "and stays");
    bench.evidence.follow_sources(false).await.unwrap();
    bench.evidence.close().await;
}
