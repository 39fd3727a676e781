//! What an API server tells of itself beside lists of objects: flags, metrics, health, keys, and who asked.

use crate::answer::{Got, Left, ask, stream};
use crate::certificate::hex;
use crate::error::shown;
use crate::metrics;
use sallyport_client::Fault;
use sallyport_model::Digest;
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::{Identity, Part, Ready, Sample};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The flags that posture looks at. Others are dropped: an address of etcd or a name of a file is nobody's business.
const FLAGS: [&str; 29] = [
    "admission-control-config-file",
    "anonymous-auth",
    "audit-log-maxage",
    "audit-log-maxbackup",
    "audit-log-maxsize",
    "audit-log-path",
    "audit-policy-file",
    "audit-webhook-config-file",
    "authentication-config",
    "authentication-token-webhook-config-file",
    "authorization-config",
    "authorization-mode",
    "debug-socket-path",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "enable-bootstrap-token-auth",
    "enable-logs-handler",
    "encryption-provider-config",
    "etcd-servers",
    "feature-gates",
    "kubelet-certificate-authority",
    "oidc-client-id",
    "oidc-issuer-url",
    "profiling",
    "service-account-extend-token-expiration",
    "service-account-issuer",
    "service-account-lookup",
    "tls-min-version",
    "token-auth-file",
];

/// `/flagz` as data: an object since 1.35, and before that a text that says of itself that it is none for programs.
const FLAGZ: &str = "application/json;as=Flagz;v=v1beta1;g=config.k8s.io, application/json;as=Flagz;v=v1alpha1;g=config.k8s.io";

/// Why something was not read whole.
pub(crate) fn not_whole(got: &Got, right: &str) -> Coverage {
    let cut = |why: &str| Coverage::Cut(why.to_owned());
    match got {
        Got::Status(403) => Coverage::Forbidden(right.to_owned()),
        Got::Status(404) => Coverage::NotServed,
        Got::Status(401) => cut("the API server did not accept the sign-in any more (401)"),
        Got::Status(429 | 503 | 504) => cut("the API server was busy; scan again later"),
        Got::Status(other) => Coverage::Cut(format!("the API server answered {other}")),
        Got::Not(Fault::TimedOut) => cut("the API server did not answer in time"),
        Got::Not(fault) => Coverage::Cut(fault.to_string()),
        Got::TooLarge => cut("it is larger than what a scan takes in"),
        Got::Over => cut("the time for the scan was over"),
        Got::Body(_) => cut("what answered sent something else"),
    }
}

pub(crate) async fn flags(client: &kube::Client, left: &Left) -> Part<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Flagz {
        kind: String,
        flags: BTreeMap<String, Value>,
    }
    let got = ask(client, "/flagz", FLAGZ, None, 1 << 20, left).await;
    let Got::Body(body) = &got else {
        return Part::without(match got {
            Got::Status(406) => Coverage::Cut("this version tells its flags to people alone".to_owned()),
            got => not_whole(&got, "get /flagz"),
        });
    };
    let Some(flagz) = serde_json::from_slice::<Flagz>(body).ok().filter(|one| one.kind == "Flagz") else {
        return Part::without(not_whole(&got, ""));
    };
    let text = |value: Value| match value {
        Value::String(text) => shown(&text),
        other => shown(&other.to_string()),
    };
    let known = flagz.flags.into_iter().filter(|(name, _)| FLAGS.contains(&name.as_str()));
    let flags: BTreeMap<String, String> = known.map(|(name, value)| (name, text(value))).collect();
    // An API server has this one in whatever version.
    match flags.contains_key("authorization-mode") {
        true => Part::read(flags),
        false => Part::without(Coverage::Cut("what answered has no flags of an API server".to_owned())),
    }
}

pub(crate) async fn metrics(client: &kube::Client, left: &Left) -> Part<Vec<Sample>> {
    let mut reader = metrics::Reader::default();
    let asked = (metrics::PATH.as_str(), "text/plain;version=0.0.4");
    let got = stream(client, asked, metrics::MOST, |_| false, left, |data| reader.take_in(data)).await;
    let (found, lost) = reader.end();
    match got {
        Got::Body(_) => match lost {
            None => Part::read(found),
            Some(why) => Part { coverage: Coverage::Cut(why.to_owned()), found },
        },
        got => Part { coverage: not_whole(&got, "get /metrics"), found },
    }
}

pub(crate) async fn ready(client: &kube::Client, left: &Left) -> Part<Vec<Ready>> {
    let mut text = Vec::new();
    let asked = ("/readyz?verbose", "text/plain");
    // One that is not well answers 500 and the same list.
    let got =
        stream(client, asked, 256 << 10, |status| status == 500, left, |data| text.extend_from_slice(data))
            .await;
    if !matches!(got, Got::Body(_)) {
        return Part::without(not_whole(&got, "get /readyz"));
    }
    let text = String::from_utf8_lossy(&text);
    let checks: Vec<Ready> = text
        .lines()
        .filter_map(|line| {
            let (ok, rest) = match (line.strip_prefix("[+]"), line.strip_prefix("[-]")) {
                (Some(rest), _) => (true, rest),
                (_, Some(rest)) => (false, rest),
                _ => return None,
            };
            Some(Ready { name: shown(rest.split(' ').next().unwrap_or_default()), ok })
        })
        .take(500)
        .collect();
    match checks.iter().any(|one| one.name == "ping") {
        true => Part::read(checks),
        false => Part::without(Coverage::Cut("what answered sent no list of health checks".to_owned())),
    }
}

/// The members of a key that RFC 7638 takes, by its kind.
fn thumbprint(key: &Value) -> Option<String> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let kind = text("kty")?;
    let taken: &[&str] = match kind {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let members = taken.iter().map(|name| Some(((*name).to_owned(), Value::from(text(name)?))));
    let members: serde_json::Map<String, Value> = members.collect::<Option<_>>()?;
    // In the order of their names and without blanks, as RFC 7638 writes them.
    let sorted: BTreeMap<String, Value> = members.into_iter().collect();
    Some(hex(Digest::of(json!(sorted).to_string().as_bytes()).bytes()))
}

pub(crate) async fn keys(client: &kube::Client, left: &Left) -> Part<Vec<String>> {
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<Value>,
    }
    let got =
        ask(client, "/openid/v1/jwks", "application/jwk-set+json, application/json", None, 1 << 20, left)
            .await;
    let Got::Body(body) = &got else { return Part::without(not_whole(&got, "get /openid/v1/jwks")) };
    let Ok(Keys { keys }) = serde_json::from_slice(body) else { return Part::without(not_whole(&got, "")) };
    if keys.len() > 100 {
        return Part::without(Coverage::Cut("it has more keys than any".to_owned()));
    }
    match keys.iter().map(thumbprint).collect::<Option<Vec<_>>>() {
        Some(keys) => Part::read(keys),
        None => Part::without(Coverage::Cut("one of its keys is of an unknown kind".to_owned())),
    }
}

/// Who this is, from the status of a SelfSubjectReview.
pub(crate) fn identity(status: Option<&Value>) -> Part<Identity> {
    let cut = || Part::without(Coverage::Cut("the API server does not say who asks".to_owned()));
    let Some(info) = status.and_then(|status| status.get("userInfo")) else { return cut() };
    let Some(user) = info.get("username").and_then(Value::as_str) else { return cut() };
    let groups = info.get("groups").and_then(Value::as_array).into_iter().flatten();
    let id = info.pointer("/extra/authentication.kubernetes.io~1credential-id/0").and_then(Value::as_str);
    Part::read(Identity {
        user: shown(user),
        groups: groups.filter_map(Value::as_str).take(1000).map(shown).collect(),
        credential: id.map(|id| shown(id.split('=').next().unwrap_or_default())),
    })
}
