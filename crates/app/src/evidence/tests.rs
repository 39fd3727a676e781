//! With a real archive and a real history, on logs as API servers write them.

mod attacked;
mod chain;
mod flood;
mod pages;
mod stores;

use super::*;
use crate::desk::Nobody;
use sallyport_audit::{Action, ChainKey, Draft, Outcome, SealKey};
use sallyport_ipc::{
    DeletedQuestion, SourceState, TieBy, TimelineFacet, TimelineFilter, TimelinePage, TimelineRow,
    TimelineSide,
};
use sallyport_model::{AuditId, Jti, RequestUid, SessionAccount, SessionId};
use sallyport_store::{History, Sealing};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

const SECOND: i64 = 1_000_000;
const CLUSTER: &str = "payments-eu-1";

pub(super) struct Bench {
    pub(super) evidence: Arc<Evidence>,
    store: History,
    /// The last entry that the test itself noted.
    noted: AtomicU64,
    home: tempfile::TempDir,
    /// A moment ago, in microseconds: what this desktop's record is sure of.
    began: i64,
}

pub(super) async fn bench() -> Bench {
    let (desk, home) = Desk::apart(Arc::new(Nobody), crate::Options::default()).await;
    let store = History::open(&desk.dirs.data, None).await.unwrap();
    let history = Recorder::new(store.clone());
    let began = jiff::Timestamp::now().as_microsecond() - 3600 * SECOND;
    Bench { evidence: Evidence::new(desk, history), store, noted: AtomicU64::new(0), home, began }
}

impl Bench {
    /// One whose history is sealed.
    pub(super) async fn sealed() -> Self {
        let (desk, home) = Desk::apart(Arc::new(Nobody), crate::Options::default()).await;
        let sealing = Sealing { key: SealKey::new([5; 32]), former: None };
        let history = History::open_sealed(&desk.dirs.data, ChainKey::new([1; 32]), sealing).await.unwrap();
        let began = jiff::Timestamp::now().as_microsecond() - 3600 * SECOND;
        let evidence = Evidence::new(desk, Recorder::new(history.clone()));
        Self { evidence, store: history, noted: AtomicU64::new(0), home, began }
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) async fn note(&self, draft: Draft) {
        self.noted.store(self.store.append(draft).await.unwrap(), Ordering::Relaxed);
    }

    /// What was noted is on the disk, and nothing follows for a while.
    pub(super) async fn settled(&self) {
        self.store.until_durable(self.noted.load(Ordering::Relaxed)).await;
        let (mut tip, mut since) = (self.evidence.history.tip(), Instant::now());
        while since.elapsed() < Duration::from_millis(600) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if self.evidence.history.tip() != tip {
                (tip, since) = (self.evidence.history.tip(), Instant::now());
            }
        }
    }

    /// Writes a log and names it as a source, and waits until it is read.
    pub(super) async fn log(&self, events: &[Value]) {
        let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
        self.raw_log(&(lines.join("\n") + "\n")).await;
    }

    async fn raw_log(&self, text: &str) {
        self.log_of(CLUSTER, text).await;
    }

    async fn log_of(&self, cluster: &str, text: &str) {
        let path = self.home.path().join("audit.log");
        std::fs::write(&path, text).unwrap();
        let since = Instant::now();
        self.evidence.source_add(cluster.into(), path.display().to_string()).await.unwrap();
        self.read_through(cluster, since).await;
    }

    /// Waits until a cluster's log is read, and what came of it looked through: both begun since a moment.
    async fn read_through(&self, cluster: &str, since: Instant) -> SourceState {
        let (began, cluster) = (Instant::now(), cluster.parse().unwrap());
        loop {
            let state = self.evidence.sources().await.unwrap().sources[0].state.clone();
            // What is looked for after reading has its own turn.
            let is_looked = match &state {
                SourceState::Read { events, .. } => {
                    *events == 0
                        || self.evidence.looked.lock().unwrap().get(&cluster).is_some_and(|at| *at > since)
                }
                SourceState::Failed { .. } => true,
                _ => false,
            };
            if is_looked {
                drop(self.evidence.comparing.lock().await);
                return state;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it is read: {state:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn page(&self, filter: TimelineFilter) -> TimelinePage {
        self.evidence.timeline(filter, None, 200).await.unwrap()
    }

    /// A session on record: asked, granted, with one call.
    pub(super) async fn a_session(&self) -> (RequestUid, SessionAccount) {
        let request = RequestUid::new("0b6f2c7e-2f1d-4d0e-9a51-6f4b1c2d3e4f");
        let account = SessionAccount::derive(&request, 1_999_999_999);
        let about = |action, at: i64| {
            Draft::new(action)
                .at(self.began + at)
                .user(&"oidc:dana".parse().unwrap())
                .cluster(&CLUSTER.parse().unwrap())
                .request(&request)
                .session(&SessionId::new("s1"))
        };
        self.note(about(Action::Ask, 0).detail("profile", "operate").detail("reason", "roll back")).await;
        self.note(about(Action::Offer, 1).detail("rules", 21)).await;
        self.note(about(Action::Granted, 2).detail("account", account.to_string())).await;
        let call =
            about(Action::Call, 60 * SECOND).jti(&Jti::new("jti-1")).audit_id(&AuditId::new("minted-1"));
        let uri = "/apis/apps/v1/namespaces/pay/deployments/checkout";
        let call = call.detail("verb", "get").detail("what", "deployments checkout in pay");
        self.note(call.detail("method", "GET").detail("uri", uri).detail("status", 200)).await;
        self.settled().await;
        (request, account)
    }
}

fn time(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A call as an API server writes it.
fn event(id: &str, at: i64, verb: &str, name: &str, over: Value) -> Value {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": id,
        "stage": "ResponseComplete", "verb": verb,
        "requestURI": format!("/apis/apps/v1/namespaces/pay/deployments/{name}"),
        "user": { "username": "oidc:lee", "groups": ["system:authenticated"] },
        "sourceIPs": ["10.1.2.3"], "userAgent": "kubectl/v1.37.2 (linux/amd64)",
        "objectRef": { "resource": "deployments", "namespace": "pay", "name": name, "apiGroup": "apps", "apiVersion": "v1" },
        "responseStatus": { "code": 200 },
        "requestReceivedTimestamp": time(at), "stageTimestamp": time(at + 1500),
        "annotations": { "authorization.k8s.io/decision": "allow" }
    });
    if let (Value::Object(event), Value::Object(over)) = (&mut event, over) {
        event.extend(over);
    }
    event
}

/// Made with a session's own rights.
fn by(account: &SessionAccount) -> Value {
    let user = format!("system:serviceaccount:sallyport-sessions:{account}");
    json!({ "user": { "username": user, "extra": { "authentication.kubernetes.io/credential-id": ["JTI=jti-1"] } } })
}

fn filter(of: impl FnOnce(&mut TimelineFilter)) -> TimelineFilter {
    let mut filter = TimelineFilter::default();
    of(&mut filter);
    filter
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_both_sides_tell_of_is_one_row_and_what_went_around_the_gateway_is_an_entry_once() {
    let bench = bench().await;
    let (request, account) = bench.a_session().await;
    let at = bench.began + 60 * SECOND;
    bench
        .log(&[
            event("minted-1", at + 2000, "get", "checkout", by(&account)),
            event("not-minted", at + 5 * SECOND, "delete", "checkout", by(&account)),
            event("other", at + 9 * SECOND, "list", "", json!({})),
        ])
        .await;
    bench.settled().await;

    let page = bench.page(TimelineFilter::default()).await;
    let tied: Vec<_> = page.rows.iter().filter_map(|row| Some((row, row.tie.as_ref()?))).collect();
    let (own, tie) = tied.iter().find(|(row, _)| row.side == TimelineSide::Own).expect("it is one row");
    assert_eq!((own.word.as_str(), tie.by, tie.is_inferred), ("call", TieBy::AuditId, false));
    let twin = tie.call.clone().expect("it leads to what the cluster tells");
    assert!(page.rows.iter().all(|row| row.id != twin), "and is not told twice");
    let around =
        page.rows.iter().find(|row| row.sentence.starts_with("Deleted deployment checkout")).unwrap();
    assert_eq!(around.tie.as_ref().unwrap().by, TieBy::Jti, "an id alone ties nothing");
    assert!(page.rows.iter().any(|row| row.who == "oidc:lee" && row.tie.is_none()));

    let bypasses = bench.page(filter(|f| f.action = Some("bypass".into()))).await.rows;
    assert_eq!(bypasses.len(), 1);
    assert!(bypasses[0].sentence.contains("Deleted deployment checkout in pay"), "{}", bypasses[0].sentence);
    bench.evidence.look_for_bypasses(&CLUSTER.parse().unwrap()).await;
    bench.settled().await;
    assert_eq!(bench.page(filter(|f| f.action = Some("bypass".into()))).await.rows.len(), 1, "once");

    let sessions = bench.evidence.top(TimelineFilter::default(), TimelineFacet::Session).await.unwrap();
    assert!(sessions.first.iter().any(|line| *line.text == *"s1"), "{sessions:?}");
    let session = bench.evidence.session(request.to_string()).await.unwrap();
    assert_eq!((session.gateway, session.seen, session.joined), (1, 2, 1));
    assert_eq!(session.bypasses.len(), 1);
    assert_eq!(session.bypasses[0].address, "10.1.2.3");
    assert_eq!((session.granted_rules, session.role_rules), (Some(21), 1));
    assert!(session.role.iter().any(|line| line.contains("deployments")));
    assert_eq!((session.profile.as_str(), session.who.as_str()), ("operate", "oidc:dana"));
    assert!(session.chain.iter().all(|row| row.word != "call"));
    // A session is found by its account on the cluster's side, and nobody else's calls are.
    let of_session = bench.page(filter(|f| f.session = Some("s1".into()))).await;
    assert!(of_session.rows.iter().all(|row| row.who != "oidc:lee"));
    assert!(of_session.rows.iter().any(|row| row.sentence.starts_with("Deleted")));
    assert!(bench.evidence.session("no-such".into()).await.is_err());
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_held_against_its_own_clusters_log_and_against_no_other() {
    let bench = bench().await;
    let (request, _) = bench.a_session().await;
    // Another cluster's log, of the whole time.
    let other: Vec<String> = (0..200)
        .map(|n| event(&format!("o{n}"), bench.began + n * SECOND, "get", "x", json!({})).to_string())
        .collect();
    bench.log_of("ledger-us-1", &(other.join("\n") + "\n")).await;
    let session = bench.evidence.session(request.to_string()).await.unwrap();
    assert_eq!((session.gateway, session.seen, session.unseen_count), (1, 0, 0), "{:?}", session.unseen);

    // A log of its own that begins later: then one is missing, and that is why.
    bench
        .evidence
        .source_remove(bench.evidence.sources().await.unwrap().sources[0].id.to_string())
        .await
        .unwrap();
    bench.log(&[event("later", bench.began + 1000 * SECOND, "get", "x", json!({}))]).await;
    let session = bench.evidence.session(request.to_string()).await.unwrap();
    assert_eq!(session.unseen_count, 1);
    let why = &session.unseen[0].innocent;
    assert!(why.iter().any(|why| why.contains("begins after it")), "{why:?}");
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_through_both_sides_to_their_end_and_the_histogram_counts_all_of_it() {
    let bench = bench().await;
    for n in 0..150 {
        let draft = Draft::new(Action::Verify).at(bench.began + n * 2 * SECOND);
        let refused = if n % 10 == 0 { Outcome::Failed } else { Outcome::Ok };
        bench.note(draft.outcome(refused)).await;
    }
    bench.settled().await;
    let own_before = bench.evidence.history.tip();
    let calls: Vec<Value> = (0..150)
        .map(|n| {
            let over = if n % 5 == 0 { json!({ "responseStatus": { "code": 403 } }) } else { json!({}) };
            event(&format!("e{n}"), bench.began + n * 2 * SECOND + 500_000, "get", &format!("d{n}"), over)
        })
        .collect();
    bench.log(&calls).await;
    bench.settled().await;
    let own = bench.evidence.history.tip();
    assert_eq!(own, own_before + 1, "the source is an entry, too");

    let (mut before, mut rows) = (None, Vec::new());
    loop {
        let page = bench.evidence.timeline(TimelineFilter::default(), before, 37).await.unwrap();
        assert_eq!((page.own_total, page.cluster_total), (own as i64, 150));
        rows.extend(page.rows);
        before = page.next.map(|next| next.to_string());
        if before.is_none() {
            break;
        }
    }
    assert_eq!(rows.len() as u64, own + 150);
    assert!(rows.windows(2).all(|two| two[0].at_us >= two[1].at_us));

    let all = bench.evidence.histogram(TimelineFilter::default(), 60).await.unwrap();
    let sum = |of: fn(&sallyport_ipc::HistogramBin) -> u32| all.bins.iter().map(of).sum::<u32>();
    assert_eq!((u64::from(sum(|b| b.own)), sum(|b| b.calls)), (own, 150));
    assert_eq!(sum(|b| b.failed), 15 + 30);
    let denied = filter(|f| f.code = Some("403".into()));
    let denied = bench.evidence.histogram(denied, 60).await.unwrap();
    assert_eq!(denied.bins.iter().map(|b| b.calls).sum::<u32>(), 30);
    assert_eq!(denied.bins.iter().map(|b| b.own).sum::<u32>(), 0);

    // How it went: each row is one of these, and what went well is not counted as failed.
    for (word, own, calls, failed) in
        [("allowed", own - 15, 120, 0), ("denied", 0, 30, 30), ("failed", 15, 0, 15), ("200", 0, 120, 0)]
    {
        let went = filter(|f| f.code = Some(word.into()));
        let counted = bench.evidence.histogram(went, 60).await.unwrap();
        let sum = |of: fn(&sallyport_ipc::HistogramBin) -> u32| counted.bins.iter().map(of).sum::<u32>();
        assert_eq!(
            (u64::from(sum(|b| b.own)), sum(|b| b.calls), sum(|b| b.failed)),
            (own, calls, failed),
            "{word}"
        );
    }

    let who = bench.evidence.top(TimelineFilter::default(), TimelineFacet::Person).await.unwrap();
    let did = bench.evidence.top(TimelineFilter::default(), TimelineFacet::Action).await.unwrap();
    assert_eq!((did.first[0].text.as_str(), did.first[0].calls), ("verify", 150));
    assert_eq!((who.first[0].text.as_str(), who.first[0].calls), ("oidc:lee", 150));
    let about = bench.evidence.about(filter(|f| f.person = Some("oidc:lee".into()))).await.unwrap();
    assert_eq!((about.calls, about.writes, about.own), (150, 0, 0));
    assert!(bench.evidence.about(TimelineFilter::default()).await.is_err());
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p20_a_call_is_told_in_full_without_a_secret_and_who_deleted_something_is_found() {
    let bench = bench().await;
    let at = bench.began;
    let scale = |id, at, replicas: i64| {
        let body = json!({ "objectRef": { "resource": "deployments", "subresource": "scale", "namespace": "pay",
            "name": "checkout", "apiGroup": "apps", "apiVersion": "v1" },
            "requestObject": { "spec": { "replicas": replicas } } });
        event(id, at, "patch", "checkout", body)
    };
    let exec = json!({ "requestURI": "/api/v1/namespaces/pay/pods/db-0/exec?command=psql&command=--password%3Dhunter2",
        "objectRef": { "resource": "pods", "subresource": "exec", "namespace": "pay", "name": "db-0", "apiVersion": "v1" } });
    bench
        .log(&[
            scale("a", at, 3),
            scale("b", at + SECOND, 10),
            event("c", at + 2 * SECOND, "create", "db-0", exec),
            event("d", at + 3 * SECOND, "delete", "checkout", json!({})),
        ])
        .await;
    let rows = bench.page(filter(|f| f.side = Some(TimelineSide::Cluster))).await.rows;
    let find =
        |of: &str| rows.iter().find(|row| row.sentence.contains(of)).unwrap_or_else(|| panic!("{rows:?}"));
    let scaled = find("to 10");
    assert_eq!(scaled.sentence, "Scaled deployment checkout in pay to 10");
    let detail = bench.evidence.call(scaled.id.to_string()).await.unwrap();
    assert_eq!(detail.row.sentence, "Scaled deployment checkout in pay from 3 to 10");
    assert!(detail.facts.iter().any(|fact| fact.name == "From" && fact.value == "10.1.2.3"));
    assert!(detail.place.is_some_and(|place| !place.file.is_empty()));
    let ran = find("Ran psql");
    let raw = bench.evidence.raw(ran.id.to_string()).await.unwrap();
    assert!(raw.len() > 10, "line by line");
    let raw = format!("{raw:?}");
    assert!(raw.contains("db-0") && !raw.contains("hunter2"), "{raw}");
    let detail = bench.evidence.call(ran.id.to_string()).await.unwrap();
    assert!(detail.redactions > 0 && !format!("{detail:?}").contains("hunter2"));

    let question = |resource: &str, name: &str| DeletedQuestion {
        resource: resource.into(),
        name: name.into(),
        namespace: Some("pay".into()),
        cluster: None,
    };
    let deleted = bench.evidence.deleted(question("deploy", "checkout")).await.unwrap();
    assert_eq!(deleted.resource, "deployments.apps");
    assert_eq!(deleted.found.len(), 1);
    assert_eq!(deleted.found[0].row.who, "oidc:lee");
    assert!(bench.evidence.deleted(question("deploy", "other")).await.unwrap().found.is_empty());
    assert!(bench.evidence.deleted(question("", " ")).await.is_err());
    let own = bench.page(filter(|f| f.side = Some(TimelineSide::Own))).await.rows[0].id.to_string();
    let entry = format!("{:?}", bench.evidence.raw(own.clone()).await.unwrap());
    assert!(entry.contains("settings_changed"), "{entry}");
    for odd in [own.as_str(), "call:1@1", "call:x@1", "nonsense"] {
        assert!(bench.evidence.call(odd.to_owned()).await.is_err(), "{odd}");
    }
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_can_not_give_is_counted_and_said_and_the_history_stays_readable() {
    let bench = bench().await;
    for (cluster, path) in [("A b", "/tmp"), (CLUSTER, "relative"), (CLUSTER, "/no/such/place")] {
        assert!(bench.evidence.source_add(cluster.into(), path.into()).await.is_err(), "{cluster} {path}");
    }
    assert!(!bench.evidence.folder().exists(), "nothing is made before there is something to keep");
    let good = event("a", bench.began, "get", "x", json!({}));
    bench.raw_log(&format!("not json {{\n{good}\n{{\"kind\":\"Pod\"}}\n{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\"}}\n")).await;
    let view = bench.evidence.sources().await.unwrap();
    let SourceState::Read { events, bad, .. } = &view.sources[0].state else { panic!("{view:?}") };
    assert_eq!(*events, 1);
    assert!(*bad >= 1, "{view:?}");
    // Read again: nothing is kept twice.
    let since = Instant::now();
    bench.evidence.source_read(None).await.unwrap();
    bench.read_through(CLUSTER, since).await;
    assert_eq!(bench.evidence.sources().await.unwrap().events, 1);
    // The same path twice is one source.
    let path = bench.home.path().join("audit.log").display().to_string();
    assert!(bench.evidence.source_add(CLUSTER.into(), path).await.is_err());
    bench.evidence.close().await;

    // While somebody else has the archive, the history is there and the page says what it lacks.
    let other = Archive::open(&bench.evidence.folder(), Options::default()).unwrap();
    let page = bench.page(TimelineFilter::default()).await;
    assert!(page.lacks.why.as_ref().unwrap().contains("in use by"), "{:?}", page.lacks);
    assert!(page.rows.iter().all(|row| row.side == TimelineSide::Own) && !page.rows.is_empty());
    let sources = bench.evidence.sources().await.unwrap();
    assert_eq!(sources.problems.len(), 1);
    other.close();
    drop(other);
    assert!(bench.page(TimelineFilter::default()).await.lacks.why.is_none(), "and is back once it is free");
    bench.evidence.source_remove(sources.sources[0].id.to_string()).await.unwrap();
    assert!(bench.evidence.sources().await.unwrap().sources.is_empty());
    assert_eq!(bench.evidence.sources().await.unwrap().events, 1, "what was read is kept");
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_somebody_looks_comes_by_itself_and_filters_are_kept() {
    let bench = bench().await;
    bench.log(&[event("a", bench.began, "get", "x", json!({}))]).await;
    bench.evidence.follow_sources(true).await.unwrap();
    append(&bench.home.path().join("audit.log"), &event("b", bench.began + SECOND, "get", "y", json!({})));
    let began = Instant::now();
    while bench.evidence.sources().await.unwrap().events < 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "it is read on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.evidence.follow_sources(false).await.unwrap();

    let wanted = filter(|f| f.code = Some("4xx".into()));
    bench.evidence.save("refused".into(), wanted.clone()).await.unwrap();
    assert!(bench.evidence.save("a\u{202e}".into(), wanted.clone()).await.is_err());
    assert!(bench.evidence.save("x".into(), filter(|f| f.code = Some("?".into()))).await.is_err());
    let saved = bench.evidence.saved().await.unwrap();
    assert_eq!((saved.len(), saved[0].name.as_str(), &saved[0].filter), (1, "refused", &wanted));
    bench.evidence.unsave("refused".into()).await.unwrap();
    assert!(bench.evidence.saved().await.unwrap().is_empty());
    bench.evidence.close().await;
}

/// Comparing takes as long as there are sessions.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_reads_waits_for_the_comparison() {
    let bench = bench().await;
    bench.log(&[event("a", bench.began, "get", "x", json!({}))]).await;
    let comparing = bench.evidence.comparing.lock().await;
    let path = bench.home.path().join("audit.log");
    let until = async |events| {
        let began = Instant::now();
        while bench.evidence.sources().await.unwrap().events < events {
            assert!(began.elapsed() < Duration::from_secs(60), "{events} are not read");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    bench.evidence.follow_sources(true).await.unwrap();
    for n in 2..5 {
        append(&path, &event(&n.to_string(), bench.began + n * SECOND, "get", "y", json!({})));
        until(n).await;
    }
    bench.evidence.follow_sources(false).await.unwrap();
    // Nor whoever has a source read at once.
    for n in 5..7 {
        append(&path, &event(&n.to_string(), bench.began + n * SECOND, "get", "y", json!({})));
        bench.evidence.source_read(None).await.unwrap();
        until(n).await;
    }
    drop(comparing);
    bench.evidence.close().await;
}

fn append(path: &Path, event: &Value) {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    writeln!(file, "{event}").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p19_a_rotation_that_was_missed_is_an_entry_once_and_one_that_was_followed_is_none() {
    let bench = bench().await;
    let log = bench.home.path().join("apiserver").join("audit.log");
    std::fs::create_dir(log.parent().unwrap()).unwrap();
    let at = bench.began;
    let write = |path: &Path, ids: &[&str]| {
        let lines = ids
            .iter()
            .enumerate()
            .map(|(n, id)| event(id, at + n as i64, "get", id, json!({})).to_string() + "\n");
        std::fs::write(path, lines.collect::<String>()).unwrap();
    };
    let read = async || {
        let since = Instant::now();
        bench.evidence.source_read(None).await.unwrap();
        bench.read_through(CLUSTER, since).await;
        bench.settled().await;
        bench.page(filter(|f| f.action = Some("gap".into()))).await.rows
    };
    write(&log, &["a", "b"]);
    let since = Instant::now();
    let folder = log.parent().unwrap().display().to_string();
    bench.evidence.source_add(CLUSTER.into(), folder).await.unwrap();
    bench.read_through(CLUSTER, since).await;

    // As a rotation does: what was there is beside it.
    std::fs::rename(&log, log.with_file_name("audit-1.log")).unwrap();
    write(&log, &["c"]);
    assert!(read().await.is_empty());
    // As `copytruncate` does, with a copy that is nowhere here.
    write(&log, &["d"]);
    let gaps = read().await;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].gap && gaps[0].cluster == CLUSTER, "{gaps:?}");
    let sentence = gaps[0].sentence.to_string();
    assert!(sentence.starts_with("Evidence of payments-eu-1 may be missing: "), "{sentence}");
    assert!(sentence.contains("audit.log was rotated or written anew after byte"), "{sentence}");
    write(&log, &["d", "e"]);
    assert_eq!(read().await.len(), 1, "it is the same gap");
    // It says nothing of what this desktop's gateway sent.
    assert!(bench.evidence.own_record().await.unwrap().gaps.is_empty());
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_events_are_kept_is_said_recorded_and_what_went_is_counted() {
    let bench = bench().await;
    let view = bench.evidence.sources().await.unwrap();
    assert_eq!((view.keep_days, view.keep_bytes, view.removed), (None, 16 << 30, 0));
    let old = bench.began - 40 * 86_400 * SECOND;
    bench
        .log(&[
            event("a", old, "get", "checkout", json!({})),
            event("b", old + 1, "get", "checkout", json!({})),
        ])
        .await;
    for (days, bytes) in
        [(Some(0), 1 << 34), (None, 0), (None, -1), (Some(u32::MAX), 1 << 34), (None, i64::MAX)]
    {
        assert_eq!(bench.evidence.keep(days, bytes).await.unwrap_err().code(), ErrorCode::BadInput);
    }
    bench.evidence.keep(Some(90), 1 << 31).await.unwrap();
    let view = bench.evidence.sources().await.unwrap();
    assert_eq!((view.keep_days, view.keep_bytes, view.events, view.removed), (Some(90), 1 << 31, 2, 0));
    bench.evidence.keep(Some(30), 1 << 31).await.unwrap();
    let view = bench.evidence.sources().await.unwrap();
    assert_eq!((view.events, view.removed, view.from_us), (0, 2, None));
    bench.settled().await;
    let said = bench.page(filter(|f| f.text = Some("audit retention".into()))).await.rows;
    assert_eq!(said.len(), 2, "{said:?}");
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_cluster_and_day_and_what_is_no_time_is_refused() {
    let bench = bench().await;
    let day = 86_400 * SECOND;
    let begin = (bench.began - 2 * day).div_euclid(3600 * SECOND) * 3600 * SECOND;
    let forbidden = json!({ "responseStatus": { "code": 403 } });
    bench
        .log(&[
            event("a", begin + SECOND, "get", "checkout", json!({})),
            event("b", begin + 2 * SECOND, "delete", "checkout", json!({})),
            event("c", begin + day, "get", "checkout", forbidden),
            event("d", begin - SECOND, "get", "checkout", json!({})),
        ])
        .await;
    let heat = bench.evidence.heat(begin, 3).await.unwrap();
    assert_eq!((heat.from_us, heat.step_us, heat.clusters.len(), heat.more), (begin, day, 1, 0));
    let days = &heat.clusters[0].days;
    let told: Vec<_> = days.iter().map(|day| (day.calls, day.writes, day.denied, day.failed)).collect();
    assert_eq!(told, [(2, 1, 0, 0), (1, 0, 1, 1), (0, 0, 0, 0)]);
    for (from, days) in [(begin, 0), (begin, u32::MAX), (i64::MIN, 3), (i64::MAX, 3), (-1, 3)] {
        assert_eq!(
            bench.evidence.heat(from, days).await.unwrap_err().code(),
            ErrorCode::BadInput,
            "{from} {days}"
        );
    }
    bench.evidence.close().await;
}
