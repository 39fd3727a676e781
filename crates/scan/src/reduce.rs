//! What is kept of an object: the fields that posture looks at, named one by one. Whatever else it holds, values of
//! annotations, environments, arguments, Secrets and ConfigMaps among it, is dropped here.

use crate::names;
use sallyport_posture::Kind;
use serde_json::{Map, Value};

/// A tree of fields: a name, and what is kept below it. Nothing below: the value as it is.
struct Keep(&'static str, &'static [Keep]);

const WHOLE: &[Keep] = &[];

/// Labels by which something is passed over.
const SELECTORS: &[Keep] = &[Keep("namespaceSelector", WHOLE), Keep("objectSelector", WHOLE)];

/// What of a limit bounds something.
const BOUNDED: &[Keep] = &[Keep("max", WHOLE), Keep("default", WHOLE), Keep("maxLimitRequestRatio", WHOLE)];

const BACKEND: &[Keep] = &[Keep("service", &[Keep("name", WHOLE)])];

/// Of a pod's spec: whom it runs as, and which tokens it has. Of volumes only those that hold a token, see [`tokens`].
const POD: &[Keep] = &[Keep(
    "spec",
    &[
        Keep("serviceAccountName", WHOLE),
        Keep("automountServiceAccountToken", WHOLE),
        Keep(
            "volumes",
            &[
                Keep("name", WHOLE),
                Keep(
                    "projected",
                    &[Keep(
                        "sources",
                        &[Keep(
                            "serviceAccountToken",
                            &[Keep("audience", WHOLE), Keep("expirationSeconds", WHOLE)],
                        )],
                    )],
                ),
            ],
        ),
    ],
)];

fn fields(kind: Kind) -> &'static [Keep] {
    match kind {
        Kind::ClusterRole | Kind::Role => &[Keep("rules", WHOLE), Keep("aggregationRule", WHOLE)],
        Kind::ClusterRoleBinding | Kind::RoleBinding => &[Keep("roleRef", WHOLE), Keep("subjects", WHOLE)],
        Kind::ServiceAccount => &[Keep("automountServiceAccountToken", WHOLE)],
        Kind::Pod => POD,
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet | Kind::Job => {
            &[Keep("spec", &[Keep("template", POD)])]
        }
        Kind::CronJob => &[Keep("spec", &[Keep("jobTemplate", &[Keep("spec", &[Keep("template", POD)])])])],
        Kind::Secret => &[Keep("type", WHOLE)],
        Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => &[Keep(
            "webhooks",
            &[
                Keep("name", WHOLE),
                Keep("failurePolicy", WHOLE),
                Keep("rules", WHOLE),
                Keep("namespaceSelector", WHOLE),
                Keep("objectSelector", WHOLE),
                // Their names: an expression may name people.
                Keep("matchConditions", &[Keep("name", WHOLE)]),
                Keep(
                    "clientConfig",
                    &[Keep("url", WHOLE), Keep("service", &[Keep("namespace", WHOLE), Keep("name", WHOLE)])],
                ),
            ],
        )],
        Kind::ValidatingAdmissionPolicy | Kind::MutatingAdmissionPolicy => &[Keep(
            "spec",
            &[
                Keep("failurePolicy", WHOLE),
                Keep("paramKind", &[Keep("apiVersion", WHOLE), Keep("kind", WHOLE)]),
                Keep("matchConstraints", SELECTORS),
            ],
        )],
        Kind::ValidatingAdmissionPolicyBinding | Kind::MutatingAdmissionPolicyBinding => &[Keep(
            "spec",
            &[
                Keep("policyName", WHOLE),
                Keep("validationActions", WHOLE),
                Keep(
                    "paramRef",
                    &[Keep("name", WHOLE), Keep("namespace", WHOLE), Keep("parameterNotFoundAction", WHOLE)],
                ),
                Keep("matchResources", SELECTORS),
            ],
        )],
        Kind::FlowSchema => &[Keep(
            "spec",
            &[
                Keep("priorityLevelConfiguration", &[Keep("name", WHOLE)]),
                Keep("matchingPrecedence", WHOLE),
                Keep(
                    "rules",
                    &[Keep("subjects", WHOLE), Keep("resourceRules", WHOLE), Keep("nonResourceRules", WHOLE)],
                ),
            ],
        )],
        Kind::ResourceQuota => {
            &[Keep("spec", &[Keep("hard", WHOLE), Keep("scopes", WHOLE), Keep("scopeSelector", WHOLE)])]
        }
        Kind::LimitRange => &[Keep("spec", &[Keep("limits", BOUNDED)])],
        Kind::APIService => &[Keep("spec", &[Keep("insecureSkipTLSVerify", WHOLE)])],
        Kind::CertificateSigningRequest => &[
            Keep("spec", &[Keep("signerName", WHOLE), Keep("username", WHOLE)]),
            Keep("status", &[Keep("conditions", &[Keep("type", WHOLE)])]),
        ],
        Kind::Node => &[
            Keep("spec", &[Keep("providerID", WHOLE)]),
            Keep("status", &[Keep("nodeInfo", &[Keep("kubeletVersion", WHOLE)])]),
        ],
        Kind::Service => &[Keep(
            "spec",
            &[
                Keep("type", WHOLE),
                Keep("selector", WHOLE),
                Keep("ports", &[Keep("port", WHOLE), Keep("targetPort", WHOLE)]),
            ],
        )],
        Kind::EndpointSlice => {
            &[Keep("endpoints", &[Keep("addresses", WHOLE), Keep("conditions", &[Keep("ready", WHOLE)])])]
        }
        Kind::Ingress => &[Keep(
            "spec",
            &[
                Keep("defaultBackend", BACKEND),
                Keep("rules", &[Keep("http", &[Keep("paths", &[Keep("backend", BACKEND)])])]),
            ],
        )],
        Kind::Namespace | Kind::ConfigMap | Kind::CustomResourceDefinition => &[],
    }
}

/// Where it says `false`, the API server leaves a role or binding of its own as somebody changed it.
const AUTOUPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

const METADATA: &[Keep] = &[
    Keep("name", WHOLE),
    Keep("namespace", WHOLE),
    Keep("uid", WHOLE),
    Keep("resourceVersion", WHOLE),
    Keep("creationTimestamp", WHOLE),
    Keep("labels", WHOLE),
    Keep("annotations", WHOLE),
];

/// Who makes it, of what is made by others.
const OWNERS: &[Keep] = &[
    Keep("apiVersion", WHOLE),
    Keep("kind", WHOLE),
    Keep("name", WHOLE),
    Keep("uid", WHOLE),
    Keep("controller", WHOLE),
];

/// An object of a kind, reduced. What is none becomes one without a name, so that it is told as one that can't be read.
pub(crate) fn reduce(kind: Kind, object: Value) -> Value {
    let mut from = match object {
        Value::Object(from) => from,
        _ => Map::new(),
    };
    let mut kept = Map::new();
    kept.insert("apiVersion".to_owned(), names::api_version(kind).into());
    kept.insert("kind".to_owned(), kind.name().into());
    let mut given = from.remove("metadata").unwrap_or_default();
    let owners = given.get_mut("ownerReferences").map(Value::take).filter(|_| is_made(kind));
    let mut metadata = prune(given, METADATA);
    if let (Value::Object(metadata), Some(owners)) = (&mut metadata, owners) {
        metadata.insert("ownerReferences".to_owned(), prune(owners, OWNERS));
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        for (key, value) in annotations.iter_mut() {
            // A word of Kubernetes', and nobody's secret.
            if !(key == AUTOUPDATE && value.as_str() == Some("false")) {
                *value = Value::Null;
            }
        }
    }
    kept.insert("metadata".to_owned(), metadata);
    for keep in fields(kind) {
        if let Some(value) = from.remove(keep.0) {
            kept.insert(keep.0.to_owned(), prune(value, keep.1));
        }
    }
    let mut kept = Value::Object(kept);
    for place in
        ["/spec/volumes", "/spec/template/spec/volumes", "/spec/jobTemplate/spec/template/spec/volumes"]
    {
        if is_made(kind)
            && let Some(volumes) = kept.pointer_mut(place)
        {
            tokens(volumes);
        }
    }
    kept
}

/// Whether others make it, or it makes pods.
fn is_made(kind: Kind) -> bool {
    kind == Kind::Pod || Kind::WORKLOADS.contains(&kind)
}

/// Of volumes those that hold a token are kept. One that the API server mounts by itself keeps its name, by which it is known.
fn tokens(volumes: &mut Value) {
    let Value::Array(all) = volumes else { return };
    all.retain_mut(|volume| {
        let Some(sources) = volume.pointer_mut("/projected/sources").and_then(Value::as_array_mut) else {
            return false;
        };
        sources.retain(|source| source.get("serviceAccountToken").is_some());
        let holds = !sources.is_empty();
        let injected = |name: &Value| name.as_str().is_some_and(|name| name.starts_with("kube-api-access-"));
        if let Value::Object(fields) = volume
            && !fields.get("name").is_some_and(injected)
        {
            fields.remove("name");
        }
        holds
    });
}

fn prune(value: Value, keeps: &[Keep]) -> Value {
    if keeps.is_empty() {
        return value;
    }
    match value {
        Value::Object(mut from) => {
            let kept = keeps
                .iter()
                .filter_map(|keep| Some((keep.0.to_owned(), prune(from.remove(keep.0)?, keep.1))))
                .collect();
            Value::Object(kept)
        }
        Value::Array(list) => list.into_iter().map(|one| prune(one, keeps)).collect(),
        // Of another type than it can be: that it is so is kept, and not what it says.
        Value::String(_) => Value::String(String::new()),
        other => other,
    }
}

/// How much memory a value takes, about, in bytes.
pub(crate) fn weight(value: &Value) -> u64 {
    /// What each value and each field's name take beside their texts.
    const EACH: u64 = 48;
    EACH + match value {
        Value::String(text) => text.len() as u64,
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(fields) => {
            fields.iter().map(|(name, one)| EACH + name.len() as u64 + weight(one)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
