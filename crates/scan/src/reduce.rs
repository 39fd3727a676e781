//! What is kept of an object: the fields that posture looks at, named one by one. Whatever else it holds, values of
//! annotations, environments, arguments, Secrets and ConfigMaps among it, is dropped here.

//!
//! It is dropped as it is read: of a list only what is kept is ever made, and most of a list is not kept.

use crate::names;
use sallyport_posture::Kind;
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

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
    // Of what is made by others alone.
    Keep("ownerReferences", OWNERS),
];

/// Who makes it, of what is made by others.
const OWNERS: &[Keep] = &[
    Keep("apiVersion", WHOLE),
    Keep("kind", WHOLE),
    Keep("name", WHOLE),
    Keep("uid", WHOLE),
    Keep("controller", WHOLE),
];

/// Whether posture looks at nothing of this kind but its metadata, so that an API server need not send more.
pub(crate) fn is_metadata_alone(kind: Kind) -> bool {
    fields(kind).is_empty()
}

/// An object of a kind, reduced. What is none becomes one without a name, so that it is told as one that can't be read.
pub(crate) fn reduce(kind: Kind, object: Value) -> Value {
    // What was read once is read again without a fault.
    let kept = Kept::of_object(kind, &Room::of(u64::MAX)).deserialize(object);
    whole(kind, kept.unwrap_or(Value::Null))
}

/// What may still be kept of an object while it is read, in bytes as [`weight`] counts them: of one object a hostile API
/// server could send a whole page, which becomes many times as much.
pub(crate) struct Room {
    left: Cell<u64>,
    is_over: Cell<bool>,
}

impl Room {
    pub(crate) fn of(bytes: u64) -> Self {
        Self { left: Cell::new(bytes), is_over: Cell::new(bytes == 0) }
    }

    /// It was not enough: what was read since then is not whole, and nothing more of it is made.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    fn take(&self, bytes: usize) -> bool {
        match self.left.get().checked_sub(bytes as u64) {
            Some(left) => self.left.set(left),
            None => self.is_over.set(true),
        }
        !self.is_over()
    }
}

/// What is kept at one place of an object, read as it comes.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'r> {
    what: What,
    room: &'r Room,
}

#[derive(Clone, Copy)]
enum What {
    /// Of the object itself.
    Object(Kind),
    /// Below a field; nothing named: the value as it is.
    Below(&'static [Keep]),
}

impl What {
    /// What is kept of a field, and its name.
    fn of(self, name: &str) -> Option<(&'static str, Self)> {
        let keeps = match self {
            Self::Object(_) if name == "metadata" => return Some(("metadata", Self::Below(METADATA))),
            Self::Object(kind) => fields(kind),
            Self::Below(keeps) => keeps,
        };
        keeps.iter().find(|keep| keep.0 == name).map(|keep| (keep.0, Self::Below(keep.1)))
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Below([]))
    }
}

impl<'r> Kept<'r> {
    /// Of an object; [`whole`] makes it one of its kind.
    pub(crate) fn of_object(kind: Kind, room: &'r Room) -> Self {
        Self { what: What::Object(kind), room }
    }
}

impl<'de> DeserializeSeed<'de> for Kept<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        if !self.room.take(EACH) {
            return IgnoredAny::deserialize(from).map(|_| Value::Null);
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kept<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(field) = from.next_key_seed(Field(self.what))? {
            match field {
                // Of a field that is there twice the last counts, as everywhere.
                Some((name, below)) if self.room.take(EACH + name.len()) => {
                    let below = Kept { what: below, room: self.room };
                    kept.insert(name.into_owned(), from.next_value_seed(below)?);
                }
                _ => drop(from.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(kept))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(one) = from.next_element_seed(self)? {
            if !self.room.is_over() {
                kept.push(one);
            }
        }
        Ok(Value::Array(kept))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        // Of another type than it can be: that it is so is kept, and not what it says.
        let text = if self.what.is_whole() && self.room.take(text.len()) { text } else { "" };
        Ok(Value::String(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

/// The name of a field, as far as it is kept.
struct Field(What);

impl<'de> DeserializeSeed<'de> for Field {
    type Value = Option<(Cow<'static, str>, What)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Field {
    type Value = Option<(Cow<'static, str>, What)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        if self.0.is_whole() {
            return Ok(Some((Cow::Owned(name.to_owned()), self.0)));
        }
        Ok(self.0.of(name).map(|(name, below)| (Cow::Borrowed(name), below)))
    }
}

/// What was kept of an object, made one of its kind.
pub(crate) fn whole(kind: Kind, kept: Value) -> Value {
    let mut kept = match kept {
        Value::Object(kept) => kept,
        _ => Map::new(),
    };
    kept.insert("apiVersion".to_owned(), names::api_version(kind).into());
    kept.insert("kind".to_owned(), kind.name().into());
    let metadata = kept.entry("metadata").or_insert(Value::Null);
    if let Value::Object(metadata) = metadata
        && !is_made(kind)
    {
        metadata.remove("ownerReferences");
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        for (key, value) in annotations.iter_mut() {
            // A word of Kubernetes', and nobody's secret.
            if !(key == AUTOUPDATE && value.as_str() == Some("false")) {
                *value = Value::Null;
            }
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

/// What each value and each field's name take beside their texts, in bytes.
const EACH: usize = 48;

/// How much memory a value takes, about, in bytes.
pub(crate) fn weight(value: &Value) -> u64 {
    const EACH: u64 = self::EACH as u64;
    EACH + match value {
        Value::String(text) => text.len() as u64,
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(fields) => {
            fields.iter().map(|(name, one)| EACH + name.len() as u64 + weight(one)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
