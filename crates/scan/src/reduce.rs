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

fn fields(kind: Kind) -> &'static [Keep] {
    match kind {
        Kind::ClusterRole | Kind::Role => &[Keep("rules", WHOLE), Keep("aggregationRule", WHOLE)],
        Kind::ClusterRoleBinding | Kind::RoleBinding => &[Keep("roleRef", WHOLE), Keep("subjects", WHOLE)],
        Kind::ServiceAccount => &[Keep("automountServiceAccountToken", WHOLE)],
        Kind::Pod => {
            &[Keep("spec", &[Keep("serviceAccountName", WHOLE), Keep("automountServiceAccountToken", WHOLE)])]
        }
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

/// An object of a kind, reduced. What is none becomes one without a name, so that it is told as one that can't be read.
pub(crate) fn reduce(kind: Kind, object: Value) -> Value {
    let mut from = match object {
        Value::Object(from) => from,
        _ => Map::new(),
    };
    let mut kept = Map::new();
    kept.insert("apiVersion".to_owned(), names::api_version(kind).into());
    kept.insert("kind".to_owned(), kind.name().into());
    let mut metadata = prune(from.remove("metadata").unwrap_or_default(), METADATA);
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
    Value::Object(kept)
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
