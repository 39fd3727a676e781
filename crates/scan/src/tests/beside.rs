//! What is asked beside what, and how it is asked.

use super::api::{Answer, answer, bounds, says, usual};
use crate::{Bounds, cluster, cluster_told};
use http::Request;
use kube::client::Body;
use sallyport_posture::{Coverage, Kind};
use serde_json::json;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Barrier;

/// Questions beside `/version`: kinds (Secrets are never asked for, ConfigMaps by name), five ConfigMaps, two reviews, and
/// metrics, flags, health and keys.
const QUESTIONS: usize = Kind::ALL.len() - 2 + 5 + 2 + 4;

/// An API server that says of each call's path and `Accept` what it answers, when it does.
fn client<F>(handle: impl Fn(String, String) -> F + Send + Sync + 'static) -> kube::Client
where
    F: Future<Output = Answer> + Send + 'static,
{
    let handle = Arc::new(handle);
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let accept = request.headers().get("accept").map(|accept| accept.to_str().unwrap().to_owned());
        let answer = handle(path, accept.unwrap_or_default());
        async move { Ok::<_, Infallible>(answer.await) }
    });
    kube::Client::new(service, "default")
}

#[tokio::test]
async fn nothing_waits_for_the_answer_to_something_else() {
    // Each is answered when all of them were asked.
    let all = Arc::new(Barrier::new(QUESTIONS));
    let server = client(move |path, _| {
        let all = Arc::clone(&all);
        async move {
            if path != "/version" {
                all.wait().await;
            }
            usual(&path)
        }
    });
    let at_once = Bounds { at_once: QUESTIONS, call: Duration::from_secs(20), ..bounds() };
    let reading = cluster(&server, &at_once).await.unwrap();
    let read = |kind: &&Kind| reading.coverage[*kind] == Coverage::Read;
    assert_eq!(Kind::ALL.iter().filter(read).count(), Kind::ALL.len() - 1, "{:?}", reading.coverage);
    assert_eq!(reading.user.as_deref(), Some("alice"));
}

#[tokio::test]
async fn no_more_is_asked_at_once_than_is_allowed_and_kinds_are_counted() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = client(move |path, _| {
        let (now, most) = (Arc::clone(&counted), Arc::clone(&highest));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(2)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            usual(&path)
        }
    });
    for at_once in [1, 3] {
        most.store(0, Ordering::SeqCst);
        let heard = Mutex::new(Vec::new());
        let some = Bounds { at_once, call: Duration::from_secs(20), ..bounds() };
        cluster_told(&server, &some, &|read, of| heard.lock().unwrap().push((read, of))).await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), at_once);
        let of = Kind::ALL.len() - 1;
        assert_eq!(*heard.lock().unwrap(), (0..=of).map(|read| (read, of)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn of_kinds_of_which_only_metadata_is_kept_nothing_else_is_asked_for() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let server = client(move |path, accept| {
        heard.lock().unwrap().push((path.clone(), accept.clone()));
        let one = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "items": [
            {"kind": "PartialObjectMetadata", "metadata": {"name": "payments", "labels": {"team": "a"}}}]});
        let partial = accept.starts_with("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
        async move { if partial { says(&one) } else { usual(&path) } }
    });
    let reading = cluster(&server, &bounds()).await.unwrap();
    let metadata: Vec<String> = asked
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, accept)| accept.contains("PartialObjectMetadata"))
        .inspect(|(_, accept)| assert!(accept.ends_with(", application/json"), "an older one may send all"))
        .map(|(path, _)| path.clone())
        .collect();
    assert_eq!(metadata.len(), 2, "{metadata:?}");
    assert!(metadata.iter().any(|path| path.starts_with("/api/v1/namespaces?")), "{metadata:?}");
    assert!(metadata.iter().any(|path| path.contains("/customresourcedefinitions?")), "{metadata:?}");
    let snapshot = reading.snapshot();
    assert_eq!(snapshot.coverage(Kind::Namespace), Coverage::Read);
    assert_eq!(snapshot.namespaces[0].name, "payments");
    assert_eq!(snapshot.namespaces[0].labels["team"], "a");
}

#[tokio::test]
async fn metrics_are_asked_for_by_name_and_an_older_server_may_send_all() {
    let asked = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&asked);
    let server = client(move |path, _| {
        let metrics = path.starts_with("/metrics");
        if metrics {
            *heard.lock().unwrap() = path.clone();
        }
        let all = "other_total 3\napiserver_audit_event_total 7\napiserver_audit_level_total{level=\"Metadata\"} 3\n";
        async move { if metrics { answer(200, all) } else { usual(&path) } }
    });
    let reading = cluster(&server, &bounds()).await.unwrap();
    let series = reading.told.metrics.whole().unwrap();
    assert_eq!(series.iter().map(|one| one.value).sum::<f64>(), 10.0, "{series:?}");
    let asked = asked.lock().unwrap();
    let names: Vec<&str> = asked.strip_prefix("/metrics?").unwrap().split('&').collect();
    for name in [
        "apiserver_audit_event_total",
        // A histogram by what its series begin with; a counter that ends like one.
        "apiserver_client_certificate_expiration_seconds",
        "apiserver_authentication_jwt_authenticator_latency_seconds",
        "apiserver_admission_webhook_fail_open_count",
    ] {
        assert!(names.contains(&format!("name%5B%5D={name}").as_str()), "{names:?}");
    }
    assert!(asked.len() < 4000, "no line is longer than any server takes");
}
