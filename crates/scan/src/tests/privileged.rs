//! Trying a privileged pod where what answers is no API server that one would wish for. A real one is tried with the command
//! line.

use super::api::{Answer, answer, bounds, says};
use crate::{Reading, privileged};
use http::Request;
use http_body_util::BodyExt as _;
use kube::client::Body;
use sallyport_posture::Kind;
use sallyport_posture::snapshot::CameTo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn reading(namespaces: &[&str]) -> Reading {
    let mut reading = Reading::default();
    for name in namespaces {
        reading.add(Kind::Namespace, json!({"metadata": {"name": name}}));
    }
    reading
}

/// What came of each namespace, and how many pods were sent; `pods` answers for those that are, by whether privileged.
async fn tried(
    namespaces: &[&str],
    may: Value,
    pods: impl Fn(bool, &Value) -> Answer + Send + Sync + 'static,
) -> (Vec<CameTo>, usize) {
    let (pods, sent) = (Arc::new(pods), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sent);
    let service = tower::service_fn(move |request: Request<Body>| {
        let (pods, may, counted) = (Arc::clone(&pods), may.clone(), Arc::clone(&counted));
        async move {
            let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            if path.contains("selfsubjectaccessreviews") {
                return Ok::<_, Infallible>(says(&may));
            }
            assert!(path.contains("/pods?dryRun=All&"), "nothing is ever made: {path}");
            counted.fetch_add(1, Ordering::Relaxed);
            let pod: Value = serde_json::from_slice(&body).unwrap();
            let privileged = pod["spec"]["containers"][0]["securityContext"]["privileged"] == true;
            assert_eq!(pod["spec"]["hostPID"], privileged);
            Ok(pods(privileged, &pod))
        }
    });
    let client = kube::Client::new(service, "default");
    let mut bounds = bounds();
    bounds.at_once = 1;
    let all = privileged(&client, &reading(namespaces), &bounds).await;
    (all.into_iter().map(|one| one.came_to).collect(), sent.load(Ordering::Relaxed))
}

fn yes() -> Value {
    json!({"status": {"allowed": true}})
}

fn no(code: u16, message: &str) -> Answer {
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message});
    answer(code, status.to_string())
}

fn unknown(came_to: &CameTo) -> &str {
    match came_to {
        CameTo::Unknown(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_counts_only_where_a_harmless_pod_would_be_taken() {
    let (came_to, sent) =
        tried(&["a", "kube-system", "kube-public"], yes(), |privileged, pod| match privileged {
            true => no(403, "pods \"x\" is forbidden: violates\u{202e} PodSecurity"),
            false => says(pod),
        })
        .await;
    let words = "pods \"x\" is forbidden: violates⟨U+202E⟩ PodSecurity".to_owned();
    assert_eq!((came_to, sent), (vec![CameTo::Refused(words)], 2));
    let (came_to, _) = tried(&["a"], yes(), |_, _| no(403, "exceeded quota")).await;
    assert!(
        unknown(&came_to[0]).contains("a harmless pod is refused there too: exceeded quota"),
        "{came_to:?}"
    );
    let (came_to, _) = tried(&["a"], yes(), |_, pod| says(pod)).await;
    assert_eq!(came_to, [CameTo::Taken]);
    // A webhook took its privileges away.
    let (came_to, _) = tried(&["a"], yes(), |_, pod| {
        let mut pod = pod.clone();
        pod["spec"]["hostPID"] = json!(false);
        pod["spec"]["containers"][0]["securityContext"] = json!({});
        says(&pod)
    })
    .await;
    assert_eq!(came_to, [CameTo::Disarmed]);
}

#[tokio::test]
async fn p21_whatever_else_is_answered_is_unknown_and_no_refusal() {
    for (may, why) in [
        (json!({"status": {"allowed": false}}), "the right to create pods"),
        (json!({"status": {}}), "did not say whether"),
        (json!([]), "did not say whether"),
    ] {
        let (came_to, sent) = tried(&["a"], may, |_, pod| says(pod)).await;
        assert!(unknown(&came_to[0]).contains(why) && sent == 0, "{came_to:?}");
    }
    type Answers = fn(&Value) -> Answer;
    let others: &[(Answers, &str)] = &[
        (|_| no(401, "no"), "answered 401"),
        (|_| no(429, "slow"), "answered 429"),
        (|_| no(500, "failed calling webhook"), "answered 500: failed calling webhook"),
        (|_| answer(403, "<html>forbidden</html>"), "none of an API server"),
        (|_| answer(200, "{}"), "none of an API server"),
        (
            |_| says(&json!({"kind": "Status", "apiVersion": "v1", "status": "Success", "code": 403})),
            "answered 403",
        ),
        (
            |_| {
                says(
                    &json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "other", "namespace": "a"}}),
                )
            },
            "none of an",
        ),
        (|_| answer(200, vec![b'x'; 5 << 20]), "larger than"),
    ];
    for (other, why) in others {
        let (came_to, _) = tried(&["a"], yes(), move |privileged, pod| match privileged {
            true => other(pod),
            false => says(pod),
        })
        .await;
        assert!(unknown(&came_to[0]).contains(why), "{why}: {came_to:?}");
        let (came_to, sent) = tried(&["a"], yes(), move |_, pod| other(pod)).await;
        assert!(unknown(&came_to[0]).contains(why) && sent == 1, "{why}: {came_to:?}");
    }
}

/// What stores a pod that is only tried is told of, by its name, and sent nothing more.
#[tokio::test]
async fn what_does_not_keep_to_a_dry_run_is_sent_one_harmless_pod_and_no_other() {
    let (came_to, sent) = tried(&["a", "b", "c"], yes(), |privileged, pod| {
        assert!(!privileged, "a privileged pod was sent to what stores it");
        let mut pod = pod.clone();
        pod["metadata"]["resourceVersion"] = json!("42");
        says(&pod)
    })
    .await;
    assert_eq!((sent, came_to.len()), (1, 3));
    assert!(unknown(&came_to[0]).contains("it stored the harmless pod sallyport-try-"), "{came_to:?}");
    assert!(came_to[1..].iter().all(|one| unknown(one).contains("nothing more was tried")), "{came_to:?}");
}

#[tokio::test]
async fn names_are_escaped_and_more_than_a_bound_is_not_tried() {
    let hostile = ["a/../../nodes", "a?x=y#z", "ä\u{202e}"];
    let (came_to, _) = tried(&hostile, yes(), |_, pod| says(pod)).await;
    assert_eq!(came_to, [CameTo::Taken, CameTo::Taken, CameTo::Taken]);
    let many: Vec<String> = (0..501).map(|at| format!("n{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (came_to, sent) = tried(&many, json!({"status": {"allowed": false}}), |_, pod| says(pod)).await;
    assert_eq!((came_to.len(), sent), (501, 0));
    assert!(unknown(&came_to[500]).contains("more than 500 namespaces"));
}
