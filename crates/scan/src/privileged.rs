//! Whether a namespace takes a privileged pod, as a try: a server-side dry run (`dryRun=All`), which goes through all of
//! admission and of which an API server keeps nothing. It takes the right to make pods, so nobody does it by themselves:
//! a person asks for it, with their own rights.
//!
//! A harmless pod goes first. Where that is refused too, a refusal says nothing of privileges; and where what answers
//! stored it, it does not know what a dry run is, and nothing else is tried.

use crate::answer::{Got, Left, said};
use crate::cluster::review;
use crate::error::shown;
use crate::told::not_whole;
use crate::{Bounds, Reading};
use futures::{FutureExt as _, StreamExt as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::{CameTo, SYSTEM_NAMESPACES, Tried};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

/// The most namespaces that are tried.
const NAMESPACES_MOST: usize = 500;
/// The longest answer, in bytes: a pod as admission leaves it.
const ANSWER_MOST: u64 = 4 << 20;

/// Tries it in each namespace of a reading but the system's own, with the client's own rights. Whatever fails is unknown
/// with its reason.
pub async fn privileged(client: &kube::Client, reading: &Reading, bounds: &Bounds) -> Vec<Tried> {
    let left = Left::of(bounds);
    let snapshot = reading.snapshot();
    let names = snapshot.namespaces.iter().map(|one| one.name.as_str());
    let names: Vec<&str> = names.filter(|name| !SYSTEM_NAMESPACES.contains(name)).collect();
    let stop = AtomicBool::new(false);
    let (first, rest) = names.split_at(names.len().min(NAMESPACES_MOST));
    let all: Vec<_> = first.iter().map(|name| one(client, name, &left, &stop).boxed()).collect();
    let mut tried: Vec<Tried> = futures::stream::iter(all).buffered(bounds.at_once.max(1)).collect().await;
    let over = format!("more than {NAMESPACES_MOST} namespaces, and this one was not tried");
    tried.extend(rest.iter().map(|name| of(name, CameTo::Unknown(over.clone()))));
    tried
}

fn of(namespace: &str, came_to: CameTo) -> Tried {
    Tried { namespace: namespace.to_owned(), came_to }
}

async fn one(client: &kube::Client, namespace: &str, left: &Left, stop: &AtomicBool) -> Tried {
    let came_to = come_to(client, namespace, left, stop).await.unwrap_or_else(CameTo::Unknown);
    of(namespace, came_to)
}

/// What came of it; else why that is not known.
async fn come_to(
    client: &kube::Client,
    namespace: &str,
    left: &Left,
    stop: &AtomicBool,
) -> Result<CameTo, String> {
    if stop.load(Ordering::Relaxed) {
        return Err("what answers does not keep to a dry run, so nothing more was tried".to_owned());
    }
    // Whether a 403 is for want of a right or a guard's word is not to be read from its text.
    let spec = json!({"resourceAttributes": {"namespace": namespace, "verb": "create", "resource": "pods"}});
    let status = review(client, "authorization.k8s.io", "SelfSubjectAccessReview", spec, left).await;
    match status.as_ref().and_then(|status| status.get("allowed")?.as_bool()) {
        Some(true) => {}
        Some(false) => return Err("the right to create pods there is missing".to_owned()),
        None => return Err("the API server did not say whether pods may be created there".to_owned()),
    }
    match post(client, namespace, &pod(namespace, false), left).await? {
        Said::Pod(answered) if stored(&answered) => {
            stop.store(true, Ordering::Relaxed);
            let name = answered.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            return Err(format!(
                "what answers does not keep to a dry run: it stored the harmless pod {}, so delete that; nothing more was \
                 tried",
                shown(name)
            ));
        }
        Said::Pod(_) => {}
        Said::No(words) => return Err(format!("a harmless pod is refused there too: {words}")),
    }
    Ok(match post(client, namespace, &pod(namespace, true), left).await? {
        Said::Pod(answered) if is_privileged(&answered) => CameTo::Taken,
        Said::Pod(_) => CameTo::Disarmed,
        Said::No(words) => CameTo::Refused(words),
    })
}

enum Said {
    /// It would be taken, as this.
    Pod(Value),
    /// It is refused, in these words.
    No(String),
}

async fn post(client: &kube::Client, namespace: &str, pod: &Value, left: &Left) -> Result<Said, String> {
    let escaped = utf8_percent_encode(namespace, NON_ALPHANUMERIC);
    let path = format!("/api/v1/namespaces/{escaped}/pods?dryRun=All&fieldManager=sallyport");
    let got = said(client, &path, pod.to_string().into_bytes(), ANSWER_MOST, left).await;
    let body = match &got {
        Got::Body(body) => body,
        got => {
            return Err(match not_whole(got, "create pods") {
                Coverage::Cut(why) => why,
                _ => "the API server did not answer".to_owned(),
            });
        }
    };
    let other = || "what answered is none of an API server".to_owned();
    let value: Value = serde_json::from_slice(body).map_err(|_| other())?;
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    match (text("kind"), text("apiVersion"), value.get("code").and_then(Value::as_u64)) {
        ("Pod", "v1", _) if is_own(&value, pod) => Ok(Said::Pod(value)),
        ("Status", "v1", Some(400 | 403 | 406..=428 | 430..=499)) if text("status") == "Failure" => {
            Ok(Said::No(shown(text("message"))))
        }
        ("Status", "v1", Some(code)) => {
            Err(format!("the API server answered {code}: {}", shown(text("message"))))
        }
        _ => Err(other()),
    }
}

/// Whether what answered speaks of the pod that was sent.
fn is_own(answered: &Value, sent: &Value) -> bool {
    ["/metadata/name", "/metadata/namespace"].iter().all(|path| {
        let own = answered.pointer(path).and_then(Value::as_str);
        own.is_some() && own == sent.pointer(path).and_then(Value::as_str)
    })
}

/// Only what is kept has a version.
fn stored(answered: &Value) -> bool {
    let version = answered.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    version.is_some_and(|version| !version.is_empty())
}

fn is_privileged(answered: &Value) -> bool {
    let is = |value: Option<&Value>| value.and_then(Value::as_bool) == Some(true);
    let containers = answered.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    is(answered.pointer("/spec/hostPID"))
        || containers.into_iter().any(|one| is(one.pointer("/securityContext/privileged")))
}

/// A pod that no level of pod security takes but `privileged`, or one that each takes.
fn pod(namespace: &str, privileged: bool) -> Value {
    let security = match privileged {
        true => json!({"privileged": true}),
        false => json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}),
    };
    let few = json!({"cpu": "10m", "memory": "16Mi"});
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": format!("sallyport-try-{:08x}", number()), "namespace": namespace},
        "spec": {
            "hostPID": privileged,
            "automountServiceAccountToken": false,
            "restartPolicy": "Never",
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": "try",
                "image": "registry.k8s.io/pause:3.10",
                "resources": {"requests": few, "limits": few},
                "securityContext": security,
            }],
        },
    })
}

/// So that no pod is there that has the name.
fn number() -> u32 {
    jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u32
}
