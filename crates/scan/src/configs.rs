//! The five ConfigMaps that posture looks at: what is kept of each, and nothing of the text that stood there.

use crate::answer::{Got, JSON, Left, ask};
use crate::certificate::bundle;
use crate::error::shown;
use crate::reduce::reduce;
use crate::told::not_whole;
use sallyport_posture::snapshot::{Authentication, AwsAuth, Certificate, ClusterInfo, Mapped, Part, Told};
use sallyport_posture::{Coverage, Kind};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;
use std::collections::BTreeMap;

/// By namespace and name. All others are not asked for.
pub(crate) const CONFIGS: [(&str, &str); 5] = [
    ("kube-system", "extension-apiserver-authentication"),
    ("kube-system", "aws-auth"),
    ("kube-system", "coredns"),
    ("kube-public", "cluster-info"),
    ("kube-system", "kube-apiserver-legacy-service-account-token-tracking"),
];

/// The largest that an API server keeps, and its metadata.
const MOST: u64 = 3 << 20;
/// What an entry of `aws-auth` maps, and no more of them than there are roles and users in an account.
const ENTRIES: usize = 5000;

type Data = BTreeMap<String, Value>;

/// What came of asking for one of them.
pub(crate) struct Config {
    /// Its place in [`CONFIGS`].
    at: usize,
    object: Option<Value>,
    data: Option<Data>,
    coverage: Coverage,
}

/// Reads one of them, by its place in [`CONFIGS`].
pub(crate) async fn read(client: &kube::Client, at: usize, left: &Left) -> Config {
    let (namespace, name) = CONFIGS[at];
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
    let got = ask(client, &path, JSON, None, MOST, left).await;
    let mut kept = None;
    let (data, coverage) = match &got {
        Got::Body(body) => match serde_json::from_slice::<Value>(body) {
            Ok(mut object) if is_named(&object, namespace, name) => {
                let data = object.get_mut("data").map(Value::take).unwrap_or_default();
                kept = Some(reduce(Kind::ConfigMap, object));
                match data {
                    Value::Null => (Some(Data::new()), Coverage::Read),
                    data => match serde_json::from_value(data) {
                        Ok(data) => (Some(data), Coverage::Read),
                        Err(_) => (None, Coverage::Cut(format!("what {name} holds is no text"))),
                    },
                }
            }
            _ => (None, Coverage::Cut(format!("what answered sent no ConfigMap {name}"))),
        },
        Got::Status(404) => (None, Coverage::Read),
        Got::Status(status @ 500..) => {
            (None, Coverage::Cut(format!("the API server answered {status} for {name}")))
        }
        Got::TooLarge => (None, Coverage::Cut(format!("{name} is larger than what a scan takes in"))),
        got => (None, not_whole(got, &format!("get the ConfigMap {name} in {namespace}"))),
    };
    Config { at, object: kept, data, coverage }
}

/// The objects, how far they were read, and what they say.
pub(crate) fn gather(mut all: Vec<Config>, told: &mut Told) -> (Vec<Value>, Coverage) {
    all.sort_by_key(|one| one.at);
    let (mut objects, mut worst) = (Vec::new(), Coverage::Read);
    for Config { at, object, data, coverage } in all {
        objects.extend(object);
        if coverage != Coverage::Read {
            worst = coverage.clone();
        }
        keep(told, CONFIGS[at].1, data.as_ref(), coverage);
    }
    (objects, worst)
}

fn is_named(object: &Value, namespace: &str, name: &str) -> bool {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    text("/metadata/name") == name && text("/metadata/namespace") == namespace
}

fn keep(told: &mut Told, name: &str, data: Option<&Data>, coverage: Coverage) {
    match name {
        "extension-apiserver-authentication" => {
            told.authentication = Part { coverage, found: data.map(authentication) };
        }
        "aws-auth" => told.aws_auth = Part { coverage, found: data.map(aws_auth) },
        "cluster-info" => {
            let signed_by =
                |data: &Data| data.keys().filter(|key| key.starts_with("jws-kubeconfig-")).count();
            let found = data.map(|data| ClusterInfo { signed_by: signed_by(data) });
            told.cluster_info = Part { coverage, found };
        }
        "kube-apiserver-legacy-service-account-token-tracking" => {
            let since = data.and_then(|data| text(data, "since")).map(shown);
            told.tracking_since = Part { coverage, found: since };
        }
        // That it is there is all that is asked of it.
        _ => {}
    }
}

fn text<'d>(data: &'d Data, key: &str) -> Option<&'d str> {
    data.get(key).and_then(Value::as_str)
}

fn authentication(data: &Data) -> Authentication {
    let mut own = Authentication::default();
    let mut certificates = |key: &str| -> Vec<Certificate> {
        let Some(pem) = text(data, key).filter(|pem| !pem.trim().is_empty()) else { return Vec::new() };
        let (all, why) = bundle(pem);
        own.unread.extend(why.map(|why| format!("{key}: {why}")));
        all
    };
    let (clients, front) = (certificates("client-ca-file"), certificates("requestheader-client-ca-file"));
    (own.clients, own.front) = (clients, front);
    // A list in JSON; empty: any name.
    if let Some(names) = text(data, "requestheader-allowed-names") {
        match serde_json::from_str::<Vec<String>>(names) {
            Ok(names) => own.front_names = names.iter().take(ENTRIES).map(|name| shown(name)).collect(),
            Err(_) => own.unread.push("requestheader-allowed-names: it is no list".to_owned()),
        }
    }
    own
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    rolearn: String,
    userarn: String,
    groups: Option<Vec<String>>,
}

fn aws_auth(data: &Data) -> AwsAuth {
    let mut own = AwsAuth::default();
    for key in ["mapRoles", "mapUsers"] {
        let Some(yaml) = text(data, key).filter(|yaml| !yaml.trim().is_empty()) else { continue };
        match list::<Entry>(yaml) {
            Some(entries) => own.mapped.extend(entries.into_iter().map(|one| Mapped {
                arn: shown(if one.rolearn.is_empty() { &one.userarn } else { &one.rolearn }),
                groups: one.groups.iter().flatten().take(100).map(|group| shown(group)).collect(),
            })),
            None => own.unread.push(format!("{key} of aws-auth is no list that can be read")),
        }
    }
    if let Some(yaml) = text(data, "mapAccounts").filter(|yaml| !yaml.trim().is_empty()) {
        match list::<Value>(yaml) {
            Some(accounts) => own.accounts = accounts.len(),
            None => own.unread.push("mapAccounts of aws-auth is no list that can be read".to_owned()),
        }
    }
    own
}

/// A list in YAML. Depth, aliases and size are bounded; what is longer than any account has is none.
fn list<T: serde::de::DeserializeOwned>(yaml: &str) -> Option<Vec<T>> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_anchors: 0, max_aliases: 0, max_depth: 16, max_nodes: 200_000, max_events: 400_000, max_documents: 2,
            max_total_scalar_bytes: 4 << 20,
        },
    };
    let list: Option<Vec<T>> = serde_saphyr::from_str_with_options(yaml, options).ok()?;
    Some(list.unwrap_or_default()).filter(|list| list.len() <= ENTRIES)
}
