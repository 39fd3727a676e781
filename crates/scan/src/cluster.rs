use crate::answer::{Got, JSON, Left, ask};
use crate::error::{ScanError, shown};
use crate::{Bounds, Reading, configs, lists, told};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use sallyport_client::Fault;
use sallyport_posture::Kind;
use sallyport_posture::snapshot::{Authorizers, Identity, Part, Ready, Sample, Told};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Reads what posture looks at, with the client's own rights: version, kinds, what the API server tells of itself, and
/// whether something beside RBAC decides. Nothing is written; two reviews, which an API server answers and does not keep, ask who this is and what
/// they may do. Dropping the future ends it.
///
/// # Errors
/// [`ScanError`], when there is no API server or it does not take the sign-in. Whatever fails after that is a gap in
/// the reading's coverage.
pub async fn cluster(client: &kube::Client, bounds: &Bounds) -> Result<Reading, ScanError> {
    cluster_told(client, bounds, &|_, _| {}).await
}

/// The same; `tell` hears how many kinds of all were read.
///
/// # Errors
/// As [`cluster`].
pub async fn cluster_told(
    client: &kube::Client,
    bounds: &Bounds,
    tell: &(dyn Fn(usize, usize) + Sync),
) -> Result<Reading, ScanError> {
    let left = Left::of(bounds);
    let mut reading = Reading::default();
    version(client, &left, &mut reading).await?;
    let now = jiff::Timestamp::now().as_second();
    reading.taken = Some(jiff::Timestamp::from_second(now).unwrap_or_default().to_string());
    let mut asked: Vec<BoxFuture<'_, Answer>> = Vec::new();
    // What takes an API server longest is begun first, so that nothing waits for it at the end.
    asked.push(async { Answer::Metrics(told::metrics(client, &left).await) }.boxed());
    let listed = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::ConfigMap);
    let kinds: Vec<_> = listed.map(|kind| kind_of(client, kind, bounds, &left).boxed()).collect();
    let of = kinds.len();
    asked.extend(kinds);
    asked.push(identity(client, &left).boxed());
    asked.push(async { Answer::Authorizers(authorizers(client, &left).await) }.boxed());
    for at in 0..configs::CONFIGS.len() {
        let left = &left;
        asked.push(async move { Answer::Config(configs::read(client, at, left).await) }.boxed());
    }
    asked.push(async { Answer::Flags(told::flags(client, &left).await) }.boxed());
    asked.push(async { Answer::Ready(told::ready(client, &left).await) }.boxed());
    asked.push(async { Answer::Keys(told::keys(client, &left).await) }.boxed());
    let mut answers = futures::stream::iter(asked).buffer_unordered(bounds.at_once.max(1));
    let (mut own, mut kinds, mut configs) = (Told::default(), Vec::new(), Vec::new());
    tell(0, of);
    while let Some(answer) = answers.next().await {
        match answer {
            Answer::Kind(kind, read) => {
                kinds.push((kind, read));
                tell(kinds.len(), of);
            }
            Answer::Identity(identity) => own.identity = identity,
            Answer::Authorizers(authorizers) => reading.authorizers = authorizers,
            Answer::Config(config) => configs.push(config),
            Answer::Flags(flags) => own.flags = flags,
            Answer::Ready(ready) => own.ready = ready,
            Answer::Keys(keys) => own.keys = keys,
            Answer::Metrics(metrics) => own.metrics = metrics,
        }
    }
    kinds.push((Kind::ConfigMap, configs::gather(configs, &mut own)));
    // The same cluster is the same reading, whatever answered first.
    kinds.sort_by_key(|(kind, _)| *kind);
    for (kind, (objects, coverage)) in kinds {
        reading.objects.extend(objects.into_iter().map(|object| (kind, object)));
        reading.coverage.insert(kind, coverage);
    }
    reading.user = own.identity.whole().map(|identity| identity.user.clone());
    reading.told = own;
    reading.clock_ahead = left.ahead.get().copied();
    Ok(reading)
}

/// What came of one question, or of all pages of a kind.
enum Answer {
    Kind(Kind, lists::Read),
    Identity(Part<Identity>),
    Authorizers(Authorizers),
    Config(configs::Config),
    Flags(Part<BTreeMap<String, String>>),
    Ready(Part<Vec<Ready>>),
    Keys(Part<Vec<String>>),
    Metrics(Part<Vec<Sample>>),
}

async fn kind_of(client: &kube::Client, kind: Kind, bounds: &Bounds, left: &Left) -> Answer {
    Answer::Kind(kind, lists::read(client, kind, bounds, left).await)
}

async fn identity(client: &kube::Client, left: &Left) -> Answer {
    let status = review(client, "authentication.k8s.io", "SelfSubjectReview", json!({}), left).await;
    Answer::Identity(told::identity(status.as_ref()))
}

async fn version(client: &kube::Client, left: &Left, reading: &mut Reading) -> Result<(), ScanError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        major: String,
        minor: String,
        #[serde(default)]
        git_version: String,
    }
    let body = match ask(client, "/version", JSON, None, 64 << 10, left).await {
        Got::Body(body) => body,
        Got::Status(401) => return Err(ScanError::Unauthorized),
        // Not everybody may ask: then the version stays unknown.
        Got::Status(403) => return Ok(()),
        Got::Status(status @ (429 | 500..)) => {
            return Err(ScanError::Unreachable(Fault::Busy(format!(
                "it answered {status}; scan again later"
            ))));
        }
        Got::Status(status) => {
            return Err(ScanError::NoApiServer(format!("it answered {status} for /version")));
        }
        Got::Not(fault) => return Err(ScanError::Unreachable(fault)),
        Got::Over => return Err(ScanError::Unreachable(Fault::TimedOut)),
        Got::TooLarge => return Err(ScanError::NoApiServer("its /version is longer than any".to_owned())),
    };
    let version: Version = serde_json::from_slice(&body)
        .map_err(|_| ScanError::NoApiServer("its /version is none of Kubernetes".to_owned()))?;
    // Clouds write `28+`.
    let number = |text: &str| text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok();
    reading.server = number(&version.major).zip(number(&version.minor));
    reading.version = Some(shown(&version.git_version)).filter(|version| !version.is_empty());
    Ok(())
}

pub(crate) async fn review(
    client: &kube::Client,
    group: &str,
    kind: &str,
    spec: Value,
    left: &Left,
) -> Option<Value> {
    let path = format!("/apis/{group}/v1/{}s", kind.to_lowercase());
    let body = json!({"apiVersion": format!("{group}/v1"), "kind": kind, "spec": spec});
    match ask(client, &path, JSON, Some(body.to_string().into_bytes()), 8 << 20, left).await {
        Got::Body(body) => serde_json::from_slice::<Value>(&body).ok()?.get_mut("status").map(Value::take),
        _ => None,
    }
}

/// Whether the API server lists all rules of whoever asks: an authorizer that can't is a webhook, and decides beside
/// RBAC. ABAC can list its rules and is not seen so.
async fn authorizers(client: &kube::Client, left: &Left) -> Authorizers {
    let spec = json!({"namespace": "default"});
    let status = review(client, "authorization.k8s.io", "SelfSubjectRulesReview", spec, left).await;
    let incomplete = status.as_ref().and_then(|status| status.get("incomplete")?.as_bool());
    match (incomplete, status) {
        (Some(false), _) => Authorizers::RbacOnly,
        (Some(true), Some(status)) => {
            let why = status.get("evaluationError").and_then(Value::as_str).unwrap_or_default();
            let why = if why.is_empty() { "the API server does not list all rules" } else { why };
            Authorizers::Others(shown(why))
        }
        _ => Authorizers::Others("the API server did not say whether roles are all that decides".to_owned()),
    }
}
