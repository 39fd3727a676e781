//! Pages beside the timeline that ask log stores, too: a session's, a person's, a cluster's, and who deleted something.

use super::stores::{Record, Store, answer, record};
use super::*;
use sallyport_ipc::{AboutView, DeletedHow, DeletedView, SessionEvidence};
use std::collections::BTreeSet;

const LONGEST: Duration = Duration::from_secs(60);

/// Asks until the answer is as wanted.
async fn until<T: std::fmt::Debug>(ask: impl AsyncFn() -> Result<T, AppError>, is: impl Fn(&T) -> bool) -> T {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(answer) if is(&answer) => return answer,
            answer => assert!(began.elapsed() < LONGEST, "{answer:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Bench {
    async fn session_until(
        &self,
        request: &RequestUid,
        is: impl Fn(&SessionEvidence) -> bool,
    ) -> SessionEvidence {
        until(async || self.evidence.session(request.to_string()).await, is).await
    }

    async fn about_until(&self, of: TimelineFilter, is: impl Fn(&AboutView) -> bool) -> AboutView {
        until(async || self.evidence.about(of.clone()).await, is).await
    }

    async fn deleted_until(&self, name: &str, is: impl Fn(&DeletedView) -> bool) -> DeletedView {
        let question = || DeletedQuestion {
            resource: "deploy".into(),
            name: name.into(),
            namespace: Some("pay".into()),
            cluster: None,
        };
        until(async || self.evidence.deleted(question()).await, is).await
    }
}

fn pending(lacks: &LacksView) -> bool {
    lacks.stores.iter().any(|lacks| lacks.is_pending)
}

/// Records of a cluster that is never silent, every ten seconds of an hour.
fn noise(bench: &Bench) -> Vec<Record> {
    (0..360)
        .map(|n| {
            record(CLUSTER, &event(&format!("n{n}"), bench.began + n * 10 * SECOND, "list", "", json!({})))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_page_is_made_of_what_a_store_tells_as_of_a_log() {
    let bench = bench().await;
    let (request, account) = bench.a_session().await;
    let at = bench.began + 60 * SECOND;
    let calls = [
        event("minted-1", at + 2000, "get", "checkout", by(&account)),
        event("not-minted", at + 5 * SECOND, "delete", "checkout", by(&account)),
    ];
    let mut records = noise(&bench);
    records.extend(calls.iter().map(|event| record(CLUSTER, event)));
    // The same token on another cluster is none of this session.
    records.push(record("ledger-us-1", &event("other", at + 7 * SECOND, "delete", "x", by(&account))));
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = asked.clone();
    let store = Store::new(records, move |asked, all| {
        noted.lock().unwrap().insert(asked.filters.clone());
        answer(asked, all)
    });
    bench.evidence.store_add(store.draft()).await.unwrap();
    let session = bench.session_until(&request, |session| session.seen > 0 && !pending(&session.lacks)).await;
    assert_eq!((session.gateway, session.seen, session.joined), (1, 2, 1), "{session:?}");
    assert!(session.lacks.stores.is_empty(), "{:?}", session.lacks);
    assert_eq!((session.bypasses.len(), session.unseen_count), (1, 0));
    assert_eq!(session.bypasses[0].address, "10.1.2.3");
    assert!(session.used.iter().any(|used| used.resource == *"deployments.apps"), "{:?}", session.used);
    let pushed = |word: &str| asked.lock().unwrap().iter().any(|filters| filters.contains(word));
    assert!(pushed(&account.to_string()) && pushed(CLUSTER), "{asked:?}");

    // The row is told of as every other, while another question of the timeline takes nothing back from the page.
    bench.page(filter(|f| f.verb = Some("delete".into()))).await;
    let row = &session.bypasses[0].row;
    assert!(row.id.starts_with("look:"), "{row:?}");
    assert!(
        bench.evidence.raw(row.id.to_string()).await.unwrap().iter().any(|line| line.contains("not-minted"))
    );

    // What this machine has as well is told of once, and shown from here.
    bench.log(&calls).await;
    let session = bench.session_until(&request, |session| !pending(&session.lacks)).await;
    assert_eq!((session.seen, session.joined, session.bypasses.len()), (2, 1, 1));
    assert!(session.bypasses[0].row.id.starts_with("call:"), "{:?}", session.bypasses);
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_says_of_a_call_changes_nothing_that_this_machine_has_of_it() {
    let bench = bench().await;
    let (request, account) = bench.a_session().await;
    let at = bench.began + 60 * SECOND;
    let exec = |group: &str, resource: &str, subresource: &str| {
        let mut over = by(&account);
        over["requestURI"] = json!("/api/v1/namespaces/pay/pods/x/exec?command=sh");
        over["objectRef"] = json!({ "resource": resource, "subresource": subresource, "apiGroup": group,
            "apiVersion": "v1", "namespace": "pay", "name": "x" });
        event("not-minted", at + 5 * SECOND, "create", "x", over)
    };
    // One call that the gateway did not send, and one that it did.
    bench
        .log(&[event("minted-1", at + 2000, "get", "checkout", by(&account)), exec("", "pods", "exec")])
        .await;
    // The store has the first as a question of Sallyport's own, and the other a little earlier.
    let mut records = noise(&bench);
    let forged = [
        event("minted-1", at + 1000, "get", "checkout", by(&account)),
        exec("authorization.k8s.io", "selfsubjectaccessreviews", ""),
    ];
    records.extend(forged.iter().map(|event| record(CLUSTER, event)));
    let store = Store::new(records, answer);
    bench.evidence.store_add(store.draft()).await.unwrap();
    let session = bench.session_until(&request, |session| session.seen > 3 && !pending(&session.lacks)).await;
    assert_eq!((session.gateway, session.seen, session.joined), (1, 4, 1), "{session:?}");
    let of = |side: &str| session.bypasses.iter().filter(|one| one.row.id.starts_with(side)).count();
    assert_eq!(
        (of("call:"), of("look:")),
        (1, 1),
        "what is here is told, and nothing else of it: {session:?}"
    );
    let kept = session.bypasses.iter().find(|one| one.row.id.starts_with("call:")).unwrap();
    let raw = bench.evidence.raw(kept.row.id.to_string()).await.unwrap();
    assert!(raw.iter().any(|line| line.contains("\"subresource\": \"exec\"")), "{raw:?}");

    // A number is another event's at another moment, and says nothing then.
    for one in &session.bypasses {
        let id = one.row.id.to_string();
        assert!(bench.evidence.raw(id.clone()).await.is_ok());
        let (place, at) = id.split_once('@').unwrap();
        let other = format!("{place}@{}", at.parse::<i64>().unwrap() + 1);
        assert!(
            bench.evidence.raw(other.clone()).await.is_err() && bench.evidence.call(other).await.is_err()
        );
    }
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_did_not_say_of_a_session_is_missing_there_and_not_in_the_session() {
    let bench = bench().await;
    let (request, _) = bench.a_session().await;
    let html = Store::new(Vec::new(), |_, _| "<html>Sign in".to_owned());
    bench.evidence.store_add(html.draft()).await.unwrap();
    let failed =
        |lacks: &LacksView| lacks.stores.iter().any(|lacks| lacks.has_failed && lacks.why.contains("HTML"));
    let session = bench.session_until(&request, |session| failed(&session.lacks)).await;
    assert_eq!((session.gateway, session.seen, session.unseen_count), (1, 0, 0), "{session:?}");
    assert!(!session.chain.is_empty(), "the history is there");
    bench.about_until(filter(|f| f.cluster = Some(CLUSTER.into())), |about| failed(&about.lacks)).await;
    bench.deleted_until("checkout", |deleted| failed(&deleted.lacks)).await;
    bench.evidence.close().await;

    // One that has the cluster's log and nothing of the session: then its call is missing in it.
    let bench = super::bench().await;
    let (request, _) = bench.a_session().await;
    let store = Store::new(noise(&bench), answer);
    bench.evidence.store_add(store.draft()).await.unwrap();
    let session = bench.session_until(&request, |session| session.unseen_count > 0).await;
    let why = &session.unseen[0].innocent;
    assert!(!why.iter().any(|why| why.contains("begins after it") || why.contains("hole")), "{why:?}");
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_and_a_clusters_numbers_count_what_a_store_tells_once() {
    let bench = bench().await;
    let at = |n: i64| bench.began + n * SECOND;
    let forbidden = json!({ "responseStatus": { "code": 403 }, "annotations": { "authorization.k8s.io/decision": "forbid" } });
    let admission = json!({ "responseStatus": { "code": 403 } });
    let events: Vec<Value> = (0..1500)
        .map(|n| match n % 3 {
            0 => event(&format!("id-{n}"), at(n), "get", "a", json!({})),
            1 => event(&format!("id-{n}"), at(n), "patch", "b", json!({})),
            // Admission denies what the role allowed.
            _ if n % 2 == 0 => event(&format!("id-{n}"), at(n), "delete", "c", admission.clone()),
            _ => event(&format!("id-{n}"), at(n), "delete", "c", forbidden.clone()),
        })
        .collect();
    // Every tenth is in the log that this machine has, and one there alone.
    let mut log: Vec<Value> = events.iter().step_by(10).cloned().collect();
    log.push(event("here", at(1), "watch", "", json!({})));
    bench.log(&log).await;
    let mut records: Vec<Record> = events.iter().map(|event| record(CLUSTER, event)).collect();
    records.push(record("ledger-us-1", &event("there", at(3), "get", "x", json!({}))));
    let store = Store::new(records, answer);
    bench.evidence.store_add(store.draft()).await.unwrap();
    let about =
        bench.about_until(filter(|f| f.person = Some("oidc:lee".into())), |about| about.calls == 1502).await;
    assert_eq!((about.denied, about.writes), (500, 1000), "{about:?}");
    let line = |of: &sallyport_ipc::TopView, text: &str| {
        of.first.iter().find(|line| line.text == *text).map(|line| line.calls)
    };
    assert_eq!((line(&about.others, CLUSTER), line(&about.others, "ledger-us-1")), (Some(1501), Some(1)));
    assert_eq!((line(&about.verbs, "patch"), line(&about.verbs, "watch")), (Some(500), Some(1)));
    assert!(!about.lacks.is_cut, "{:?}", about.lacks);
    let of_cluster = filter(|f| f.cluster = Some("ledger-us-1".into()));
    let about = bench.about_until(of_cluster, |about| about.calls == 1).await;
    assert_eq!(line(&about.others, "oidc:lee"), Some(1));
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_deleted_something_is_found_in_a_store_and_told_once() {
    let bench = bench().await;
    let at = |n: i64| bench.began + n * SECOND;
    let named = event("named", at(10), "delete", "checkout", json!({}));
    let namespace = event(
        "ns",
        at(20),
        "delete",
        "pay",
        json!({
        "requestURI": "/api/v1/namespaces/pay",
        "objectRef": { "resource": "namespaces", "namespace": "pay", "name": "pay", "apiVersion": "v1" } }),
    );
    let mut records = noise(&bench);
    records.extend([record(CLUSTER, &named), record(CLUSTER, &namespace)]);
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = asked.clone();
    let store = Store::new(records, move |asked, all| {
        noted.lock().unwrap().insert(asked.filters.clone());
        answer(asked, all)
    });
    bench.evidence.store_add(store.draft()).await.unwrap();
    let deleted = bench
        .deleted_until("checkout", |deleted| !deleted.found.is_empty() && !pending(&deleted.lacks))
        .await;
    let hows: Vec<DeletedHow> = deleted.found.iter().map(|one| one.how).collect();
    assert_eq!(hows, [DeletedHow::Namespace, DeletedHow::Named], "{deleted:?}");
    let pushed = |word: &str| asked.lock().unwrap().iter().any(|filters| filters.contains(word));
    assert!(pushed("checkout") && pushed("deletecollection"), "{asked:?}");
    let id = deleted.found[1].row.id.to_string();
    assert!(id.starts_with("look:"), "{id}");
    assert_eq!(bench.evidence.call(id).await.unwrap().row.sentence, "Deleted deployment checkout in pay");

    bench.log(&[named]).await;
    let deleted =
        bench.deleted_until("checkout", |deleted| deleted.found.len() == 2 && !pending(&deleted.lacks)).await;
    assert!(
        deleted.found[1].row.id.starts_with("call:"),
        "what is kept here is shown from here: {deleted:?}"
    );
    assert!(
        bench
            .deleted_until("other", |deleted| !pending(&deleted.lacks))
            .await
            .found
            .iter()
            .all(|one| one.how == DeletedHow::Namespace)
    );
    bench.evidence.close().await;
}
