use crate::{Bounds, Reading, ScanError, cluster};
use bytes::Bytes;
use futures::StreamExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::client::Body;
use sallyport_posture::snapshot::Authorizers;
use sallyport_posture::{Coverage, Kind};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub(super) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

pub(super) fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()).boxed_unsync());
    *response.status_mut() = status.try_into().unwrap();
    response
}

pub(super) fn says(value: &Value) -> Answer {
    answer(200, value.to_string())
}

/// A body that never comes to its end.
pub(super) fn endless(chunk: Bytes, pause: Duration) -> Answer {
    let frames = futures::stream::repeat(()).then(move |()| {
        let chunk = chunk.clone();
        async move {
            tokio::time::sleep(pause).await;
            Ok::<_, Infallible>(http_body::Frame::data(chunk))
        }
    });
    Response::new(StreamBody::new(frames).boxed_unsync())
}

/// What an API server without objects answers; pages of ClusterRoles and their like are the test's.
pub(super) fn usual(path: &str) -> Answer {
    let kind = |name: &str| {
        Kind::ALL
            .iter()
            .copied()
            .find(|kind| path.contains(&format!("/{}", kind.plural())) && name.is_empty())
    };
    match path {
        "/version" => says(&json!({"major": "1", "minor": "28+", "gitVersion": "v1.28.3-eks\u{202e}"})),
        path if path.contains("selfsubjectrulesreviews") => says(&json!({"status": {"incomplete": false}})),
        path if path.contains("selfsubjectreviews") => {
            says(&json!({"status": {"userInfo": {"username": "alice"}}}))
        }
        path if path.contains("/configmaps/") => answer(404, "{}"),
        _ => match kind("") {
            Some(kind) => says(&json!({"kind": format!("{}List", kind.name()), "metadata": {}, "items": []})),
            None => answer(404, "404 page not found"),
        },
    }
}

pub(super) fn client(handle: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> kube::Client {
    let handle = Arc::new(handle);
    let service = tower::service_fn(move |request: Request<Body>| {
        let handle = Arc::clone(&handle);
        async move {
            let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            Ok::<_, Infallible>(handle(&path).unwrap_or_else(|| usual(&path)))
        }
    });
    kube::Client::new(service, "default")
}

/// So long for each call that a slow machine fails no test.
pub(super) fn bounds() -> Bounds {
    Bounds {
        call: Duration::from_secs(60),
        page_bytes: 1 << 20,
        all_bytes: 4 << 20,
        kept_bytes: 2 << 20,
        ..Bounds::default()
    }
}

/// For those who wait until a call has taken too long.
pub(super) fn hasty() -> Bounds {
    Bounds { call: Duration::from_secs(1), ..bounds() }
}

pub(super) async fn read(handle: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> Reading {
    cluster(&client(handle), &bounds()).await.unwrap()
}

async fn refused(handle: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> ScanError {
    cluster(&client(handle), &bounds()).await.unwrap_err()
}

fn role(name: &str) -> Value {
    json!({"metadata": {"name": name}, "rules": []})
}

fn page(items: &[Value], next: &str) -> Answer {
    says(&json!({"kind": "ClusterRoleList", "metadata": {"continue": next}, "items": items}))
}

/// How ClusterRoles were read when their list answers so.
async fn roles(handle: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> (usize, Coverage) {
    let reading = read(move |path| path.contains("/clusterroles?").then(|| handle(path)).flatten()).await;
    let other = &reading.coverage[&Kind::RoleBinding];
    assert_eq!(*other, Coverage::Read, "one kind's bad day is no other's");
    let count = reading.counts().get(&Kind::ClusterRole).copied().unwrap_or_default();
    (count, reading.snapshot().coverage(Kind::ClusterRole))
}

fn cut(why: &str) -> Coverage {
    Coverage::Cut(why.to_owned())
}

#[tokio::test]
async fn pages_are_read_to_their_end_and_tokens_are_escaped() {
    let (count, coverage) = roles(|path| {
        Some(match path.contains("&continue=a%2Fb%26limit%3D0") {
            false => page(&[role("a"), role("b")], "a/b&limit=0"),
            true => page(&[role("c")], ""),
        })
    })
    .await;
    assert_eq!((count, coverage), (3, Coverage::Read));
    let reading = read(|_| None).await;
    assert_eq!(reading.server, Some((1, 28)));
    assert_eq!(reading.version.as_deref(), Some("v1.28.3-eks⟨U+202E⟩"));
    assert_eq!(reading.user.as_deref(), Some("alice"));
    assert_eq!(reading.authorizers, Authorizers::RbacOnly);
    assert!(Kind::ALL.iter().all(|kind| reading.coverage.contains_key(kind)));
    assert!(
        matches!(&reading.coverage[&Kind::Secret], Coverage::Forbidden(right) if right.contains("has no such right"))
    );
}

#[tokio::test]
async fn p21_a_list_that_ends_in_the_middle_is_cut_and_what_came_is_kept() {
    let after_one = |status: u16| {
        move |path: &str| {
            Some(if path.contains("continue=") { answer(status, "{}") } else { page(&[role("a")], "next") })
        }
    };
    assert_eq!(roles(after_one(410)).await, (1, cut("its list expired before its end; scan again")));
    assert_eq!(
        roles(after_one(401)).await,
        (1, cut("the API server did not accept the sign-in any more (401)"))
    );
    assert_eq!(roles(after_one(503)).await, (1, cut("the API server was busy; scan again later")));
    assert_eq!(roles(after_one(404)).await, (1, cut("the API server answered 404")));
    assert_eq!(roles(after_one(302)).await, (1, cut("the API server answered 302")));
    let right = "list clusterroles.rbac.authorization.k8s.io".to_owned();
    assert_eq!(roles(after_one(403)).await, (1, Coverage::Forbidden(right)));
}

#[tokio::test]
async fn p21_what_is_no_list_is_not_an_empty_one() {
    for body in
        ["<html>sign in</html>", "", "[]", "{\"kind\": \"ClusterRole\"}", "{\"items\": []}", "{\"kind\""]
    {
        let body = body.to_owned();
        let answer = move |_: &str| Some(answer(200, body.clone()));
        assert_eq!(roles(answer).await, (0, cut("what answered sent no list")));
    }
    assert_eq!(roles(|_| Some(page(&[], ""))).await, (0, Coverage::Read));
    let null = |_: &str| Some(says(&json!({"kind": "ClusterRoleList", "metadata": {}, "items": null})));
    assert_eq!(roles(null).await, (0, Coverage::Read), "Go writes an empty list so");
    let items = |_: &str| Some(page(&[json!("x"), json!(null), role("a")], ""));
    assert!(
        matches!(roles(items).await, (2, Coverage::Cut(_))),
        "two of them are none, and that is said once"
    );
}

#[tokio::test]
async fn what_has_no_end_is_ended() {
    let begun = Instant::now();
    let same = |_: &str| Some(page(&[role("a")], "same"));
    assert_eq!(roles(same).await, (2, cut("its list did not get on")));
    // Pages without end: what is kept is bounded, and so is what is sent and not kept.
    let growing = |items: Vec<Value>| {
        let counter = AtomicUsize::new(0);
        move |_: &str| Some(page(&items, &counter.fetch_add(1, Ordering::Relaxed).to_string()))
    };
    let (count, coverage) = roles(growing(vec![role(&"x".repeat(1000)); 100])).await;
    assert_eq!(coverage, cut("there is more of it than a scan keeps"));
    assert!((1000..2100).contains(&count), "{count}");
    let blown = json!({"metadata": {"name": "a", "managedFields": "x".repeat(50_000)}});
    let (count, coverage) = roles(growing(vec![blown; 10])).await;
    assert_eq!(coverage, cut("it is larger than what a scan takes in"));
    assert!(count < 90, "{count}");
    let heavy = |_: &str| Some(endless(vec![b'x'; 64 << 10].into(), Duration::ZERO));
    assert_eq!(roles(heavy).await, (0, cut("it is larger than what a scan takes in")));
    let drip = client(|path| {
        path.contains("/clusterroles?").then(|| endless(Bytes::from_static(b" "), Duration::from_millis(20)))
    });
    let reading = cluster(&drip, &hasty()).await.unwrap();
    assert_eq!(reading.counts().get(&Kind::ClusterRole).copied().unwrap_or_default(), 0);
    assert_eq!(reading.snapshot().coverage(Kind::ClusterRole), cut("the API server did not answer in time"));
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_whole_scan_ends_in_time_and_in_size() {
    let drip = || endless(Bytes::from_static(b" "), Duration::from_millis(20));
    let slow = client(move |path| path.contains("?limit=").then(drip));
    let short = Bounds { call: Duration::from_millis(300), whole: Duration::from_millis(400), ..bounds() };
    let begun = Instant::now();
    let reading = cluster(&slow, &short).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(reading.coverage[&Kind::LimitRange], cut("the time for the scan was over"));
    assert!(
        Kind::ALL.iter().all(|kind| reading.coverage[kind] != Coverage::Read || *kind == Kind::ConfigMap)
    );

    let pods = vec![json!({"metadata": {"name": "x".repeat(900), "namespace": "n"}}); 200];
    let heavy = client(move |path| {
        path.contains("?limit=").then(|| says(&json!({"kind": "PodList", "metadata": {}, "items": pods})))
    });
    let small = Bounds { all_bytes: 500 << 10, ..bounds() };
    let reading = cluster(&heavy, &small).await.unwrap();
    let cut_ones = reading.coverage.values().filter(|one| matches!(one, Coverage::Cut(_))).count();
    assert!(cut_ones >= 10, "only two fit: {:?}", reading.coverage);
}

#[tokio::test]
async fn p21_only_the_api_servers_own_word_says_that_it_has_no_such_kind() {
    let policies = |discovery: Option<Value>| {
        read(move |path| match path {
            path if path.contains("/validatingadmissionpolicies?") => Some(answer(404, "404 page not found")),
            "/apis/admissionregistration.k8s.io/v1" | "/apis" => {
                Some(discovery.as_ref().map_or_else(|| answer(404, "no"), says))
            }
            _ => None,
        })
    };
    let coverage =
        async |discovery| policies(discovery).await.coverage[&Kind::ValidatingAdmissionPolicy].clone();
    let older = json!({"kind": "APIResourceList", "resources": [{"name": "mutatingwebhookconfigurations"}]});
    assert_eq!(coverage(Some(older)).await, Coverage::NotServed);
    let has = json!({"kind": "APIResourceList", "resources": [{"name": "validatingadmissionpolicies"}]});
    assert!(matches!(coverage(Some(has)).await, Coverage::Cut(_)));
    assert!(
        matches!(coverage(None).await, Coverage::Cut(_)),
        "something on the way answers 404 to everything"
    );
    assert!(matches!(coverage(Some(json!({}))).await, Coverage::Cut(_)));
}

#[tokio::test]
async fn whoever_decides_beside_rbac_is_told() {
    let others = |status: Value| {
        read(move |path| path.contains("rulesreviews").then(|| says(&json!({"status": status}))))
    };
    let why = "webhook authorizer does not support user rule resolution\u{1b}";
    let authorizers = others(json!({"incomplete": true, "evaluationError": why})).await.authorizers;
    assert!(
        matches!(&authorizers, Authorizers::Others(why) if why.ends_with("resolution⟨U+001B⟩")),
        "{authorizers:?}"
    );
    assert!(matches!(others(json!({"incomplete": true})).await.authorizers, Authorizers::Others(_)));
    assert!(matches!(others(json!({"incomplete": "no"})).await.authorizers, Authorizers::Others(_)));
    assert!(matches!(others(json!(null)).await.authorizers, Authorizers::Others(_)));
}

#[tokio::test]
async fn without_an_api_server_there_is_no_reading() {
    let at_version =
        |status, body: &'static str| refused(move |path| (path == "/version").then(|| answer(status, body)));
    assert_eq!(at_version(401, "").await, ScanError::Unauthorized);
    assert!(matches!(at_version(200, "<html>").await, ScanError::NoApiServer(_)));
    assert!(matches!(at_version(302, "").await, ScanError::NoApiServer(_)));
    assert!(matches!(at_version(503, "").await, ScanError::Unreachable(_)));
    let silent =
        client(|path| (path == "/version").then(|| endless(Bytes::new(), Duration::from_millis(10))));
    let hangs = cluster(&silent, &hasty()).await.unwrap_err();
    assert!(matches!(hangs, ScanError::Unreachable(_)), "{hangs:?}");
    // Who may not ask for the version may still read.
    let reading = read(|path| (path == "/version").then(|| answer(403, "{}"))).await;
    assert_eq!((reading.server, reading.coverage[&Kind::Pod].clone()), (None, Coverage::Read));
}

#[tokio::test]
async fn configs_are_asked_for_by_name_and_without_their_values() {
    let forbidden = read(|path| path.ends_with("/aws-auth").then(|| answer(403, "{}"))).await;
    let right = "get the ConfigMap aws-auth in kube-system".to_owned();
    assert_eq!(forbidden.coverage[&Kind::ConfigMap], Coverage::Forbidden(right));
    let found = read(|path| {
        assert!(!path.contains("/configmaps?"), "never listed: {path}");
        let object = json!({"kind": "PartialObjectMetadata", "metadata": {"name": "coredns", "namespace": "kube-system"}});
        path.ends_with("/coredns").then(|| says(&object))
    })
    .await;
    assert_eq!(found.snapshot().configs.len(), 1);
    assert_eq!(found.coverage[&Kind::ConfigMap], Coverage::Read);
}
