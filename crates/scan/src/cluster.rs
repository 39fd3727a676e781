use crate::answer::{Got, JSON, Left, ask};
use crate::error::{ScanError, shown};
use crate::{Bounds, Reading, configs, lists, told};
use futures::{FutureExt as _, StreamExt as _};
use sallyport_client::Fault;
use sallyport_posture::Kind;
use sallyport_posture::snapshot::{Authorizers, Told};
use serde::Deserialize;
use serde_json::{Value, json};

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
    let mut own = Told::default();
    let beside = async {
        let status = review(client, "authentication.k8s.io", "SelfSubjectReview", json!({}), &left).await;
        own.identity = told::identity(status.as_ref());
        let authorizers = authorizers(client, &left).await;
        let configs = configs::read(client, &left, &mut own).await;
        own.flags = told::flags(client, &left).await;
        own.ready = told::ready(client, &left).await;
        own.keys = told::keys(client, &left).await;
        own.metrics = told::metrics(client, &left).await;
        (authorizers, configs)
    };
    let kinds = async {
        let listed = Kind::ALL.iter().filter(|kind| **kind != Kind::ConfigMap);
        let all: Vec<_> = listed.map(|kind| one(client, *kind, bounds, &left).boxed()).collect();
        let (mut read, of) = (Vec::new(), all.len());
        tell(0, of);
        let mut kinds = futures::stream::iter(all).buffered(bounds.at_once.max(1));
        while let Some(kind) = kinds.next().await {
            read.push(kind);
            tell(read.len(), of);
        }
        read
    };
    let ((authorizers, (objects, coverage)), kinds) = futures::join!(beside, kinds);
    for (kind, (objects, coverage)) in kinds {
        reading.objects.extend(objects.into_iter().map(|object| (kind, object)));
        reading.coverage.insert(kind, coverage);
    }
    reading.objects.extend(objects.into_iter().map(|object| (Kind::ConfigMap, object)));
    reading.coverage.insert(Kind::ConfigMap, coverage);
    reading.user = own.identity.whole().map(|identity| identity.user.clone());
    reading.told = own;
    reading.clock_ahead = left.ahead.get().copied();
    reading.authorizers = authorizers;
    Ok(reading)
}

async fn one(client: &kube::Client, kind: Kind, bounds: &Bounds, left: &Left) -> (Kind, lists::Read) {
    (kind, lists::read(client, kind, bounds, left).await)
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
