//! One call as an API server's audit log tells of it.

use crate::{Came, Field, Flaw, Flaws, Provenance};
use sallyport_model::SessionAccount;
use std::borrow::Cow;

/// A text of a line: borrowed from it where nothing had to be changed.
pub type Text<'a> = Cow<'a, str>;

/// One call, or one moment of it, in one shape. Redacted (P20) and bounded; the cluster is not in it.
///
/// Fields that a line does not have are empty or `None`; [`Event::provenance`] tells an empty one from an absent one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// Who wrote the line, by its shape.
    pub shape: Shape,
    /// `auditID`: the same for all moments of one call. Set by the client, so it proves nothing by itself.
    pub audit_id: Text<'a>,
    /// How much the cluster's policy wanted to be told.
    pub level: Option<Level>,
    /// The moments that were told.
    pub stages: Stages,
    /// When the call arrived, in microseconds of Unix time, by the API server's clock.
    pub received_at: Option<i64>,
    /// When its answer began (`ResponseStarted`), in microseconds of Unix time: of an exec, when it was let in.
    pub started_at: Option<i64>,
    /// When it was over (`ResponseComplete`, `Panic`), in microseconds of Unix time.
    pub completed_at: Option<i64>,
    /// The verb as authorizers see it; the HTTP method in small letters where it is about no resource.
    pub verb: Text<'a>,
    /// Who.
    pub user: User<'a>,
    /// As whom, if they impersonated.
    pub impersonated: Option<Box<User<'a>>>,
    /// By which constraint they were allowed to (`authenticationMetadata.impersonationConstraint`, KEP-5284).
    pub impersonation_constraint: Option<Text<'a>>,
    /// From where. All but the last can be set by the client.
    pub source_ips: Vec<Text<'a>>,
    /// What the client called itself.
    pub user_agent: Option<Text<'a>>,
    /// About what; `None` where it is about no resource.
    pub object: Option<Object<'a>>,
    /// Path and query.
    pub uri: Text<'a>,
    /// What an exec starts, word by word; read from the whole address before that is cut.
    pub command: Vec<String>,
    /// The HTTP status.
    pub code: Option<u16>,
    /// `responseStatus.reason`: `Forbidden`, `NotFound`, ….
    pub reason: Option<Text<'a>>,
    /// `responseStatus.message`.
    pub message: Option<Text<'a>>,
    /// What the authorizer decided; absent where the call was refused before it was asked (401).
    pub decision: Option<Decision>,
    /// Why, in the authorizer's words: the binding and the role.
    pub decision_reason: Option<Text<'a>>,
    /// What the call was made with: `JTI=<id>` (KEP-4193) or `X509SHA256=<hex>`.
    pub credential: Option<Text<'a>>,
    /// The credential that the call itself issued: `JTI=<id>`, on `serviceaccounts/token`.
    pub issued_credential: Option<Text<'a>>,
    /// The session whose account made the call, if it is one of ours.
    pub account: Option<SessionAccount>,
    /// Other annotations worth being told of, by key: pod security, policies, webhooks that failed open.
    pub annotations: Vec<(Text<'a>, Text<'a>)>,
    /// What was sent.
    pub request: Option<Body>,
    /// What was answered.
    pub response: Option<Body>,
    /// How many secrets were taken out, in the fields and in `raw` together, each counted once.
    pub redactions: u32,
    /// What is wrong with the line.
    pub flaws: Flaws,
    /// Where each field came from.
    pub provenance: Provenance,
    /// The event as it was written, without its secrets, bounded. JSON, unless it is partial or clipped.
    pub raw: Text<'a>,
}

/// Who wrote a line, by its shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Shape {
    /// An API server, `audit.k8s.io`.
    #[default]
    Kubernetes = 0,
    /// EKS, through CloudWatch.
    Eks = 1,
    /// GKE, through Cloud Logging.
    Gke = 2,
    /// AKS, through diagnostic settings.
    Aks = 3,
}

/// How much the policy wanted to be told of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Nothing.
    None = 0,
    /// Who, what, when.
    Metadata = 1,
    /// What was sent as well.
    Request = 2,
    /// What was answered as well.
    RequestResponse = 3,
}

impl Level {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::None, Self::Metadata, Self::Request, Self::RequestResponse];

    /// As Kubernetes writes it (`k8s.io/apiserver/pkg/apis/audit`).
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }

    /// The one of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// A moment of a call at which an API server writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stage {
    /// It arrived.
    RequestReceived = 0,
    /// The answer of a long call (watch, exec) began.
    ResponseStarted = 1,
    /// It is over.
    ResponseComplete = 2,
    /// The API server broke down over it.
    Panic = 3,
}

impl Stage {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 4] =
        [Self::RequestReceived, Self::ResponseStarted, Self::ResponseComplete, Self::Panic];

    /// As Kubernetes writes it (`k8s.io/apiserver/pkg/apis/audit`).
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestReceived => "RequestReceived",
            Self::ResponseStarted => "ResponseStarted",
            Self::ResponseComplete => "ResponseComplete",
            Self::Panic => "Panic",
        }
    }

    /// The one of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// The moments of a call that were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stages(u8);

impl Stages {
    /// One of them.
    pub fn one(stage: Stage) -> Self {
        Self(1 << stage as u8)
    }

    /// As it was stored.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 0xf)
    }

    /// To store.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether one of them was told.
    pub fn has(self, stage: Stage) -> bool {
        self.0 & (1 << stage as u8) != 0
    }

    /// The last of them.
    pub fn last(self) -> Option<Stage> {
        Stage::ALL.into_iter().rev().find(|stage| self.has(*stage))
    }

    /// Whether it is known how the call ended.
    pub fn ended(self) -> bool {
        self.has(Stage::ResponseComplete) || self.has(Stage::Panic)
    }

    /// With those of another.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What the authorizer decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Decision {
    /// It may be done.
    Allow = 0,
    /// It may not.
    Forbid = 1,
}

/// Who made a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User<'a> {
    /// The name; empty where nobody signed in and the line says nothing else.
    pub name: Text<'a>,
    /// The uid, if there is one.
    pub uid: Option<Text<'a>>,
    /// The groups.
    pub groups: Vec<Text<'a>>,
    /// What the authenticator added.
    pub extra: Vec<(Text<'a>, Vec<Text<'a>>)>,
}

/// What a call was about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a> {
    /// The API group; empty for the core group.
    pub group: Text<'a>,
    /// Its version.
    pub version: Text<'a>,
    /// The resource, in the plural.
    pub resource: Text<'a>,
    /// The subresource, if it is about one.
    pub subresource: Text<'a>,
    /// The namespace; empty where the resource has none, or all were asked for.
    pub namespace: Text<'a>,
    /// The name; empty for lists, and where the API server made up the name (then `Event::response` may have it).
    pub name: Text<'a>,
}

/// What was sent or answered, without its contents: those are in [`Event::raw`], redacted and bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// How long it was in the line, in bytes.
    pub bytes: u64,
    /// `kind`, if it is an object.
    pub kind: Option<String>,
    /// `metadata.name`, if it has one.
    pub name: Option<String>,
    /// `spec.replicas`, if it sets them: of a deployment, a scale or a patch of one.
    pub replicas: Option<i64>,
}

impl Event<'_> {
    /// When it happened, in microseconds of Unix time: when it arrived, else the first moment that was told. `None`
    /// only where the line says no time and none could be inferred.
    pub fn at(&self) -> Option<i64> {
        self.received_at.or(self.started_at).or(self.completed_at)
    }

    /// How long it took, in microseconds, if its end was told.
    pub fn took(&self) -> Option<i64> {
        Some(self.completed_at?.saturating_sub(self.received_at?).max(0))
    }

    /// The id of the token that the call was made with.
    pub fn jti(&self) -> Option<&str> {
        self.credential.as_deref()?.strip_prefix("JTI=")
    }

    /// The path without what was asked behind it, decoded as the API server's authorizer has it; what is no UTF-8 is
    /// U+FFFD.
    pub fn path(&self) -> Text<'_> {
        let path = self.uri.split('?').next().unwrap_or_default();
        percent_encoding::percent_decode_str(path).decode_utf8_lossy()
    }

    /// Whether something of it is missing because the line was cut.
    pub fn is_partial(&self) -> bool {
        self.flaws.has(Flaw::Partial)
    }

    /// Where one field came from.
    pub fn came(&self, field: Field) -> Came {
        self.provenance.of(field)
    }

    /// Whether it was refused for want of rights or of a sign-in.
    pub fn is_denied(&self) -> bool {
        is_denied(self.decision == Some(Decision::Forbid), self.code)
    }
}

/// Whether a call was denied: an authorizer forbade it, or whoever answered said so, which may have been admission after an
/// authorizer allowed it. Who lists, counts or finds denied calls asks this.
pub fn is_denied(is_forbidden: bool, code: Option<u16>) -> bool {
    is_forbidden || code.is_some_and(|code| DENIED.contains(&code))
}

/// The HTTP statuses of a call that was denied.
pub const DENIED: [u16; 2] = [401, 403];

fn own(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

fn own_all(texts: Vec<Text<'_>>) -> Vec<Text<'static>> {
    texts.into_iter().map(own).collect()
}

impl User<'_> {
    /// The same, borrowing from no line.
    pub fn into_owned(self) -> User<'static> {
        User {
            name: own(self.name),
            uid: self.uid.map(own),
            groups: own_all(self.groups),
            extra: self.extra.into_iter().map(|(key, values)| (own(key), own_all(values))).collect(),
        }
    }
}

impl Object<'_> {
    /// The same, borrowing from no line.
    pub fn into_owned(self) -> Object<'static> {
        Object {
            group: own(self.group),
            version: own(self.version),
            resource: own(self.resource),
            subresource: own(self.subresource),
            namespace: own(self.namespace),
            name: own(self.name),
        }
    }
}

impl Event<'_> {
    /// The same, borrowing from no line.
    pub fn into_owned(self) -> Event<'static> {
        Event {
            shape: self.shape,
            audit_id: own(self.audit_id),
            level: self.level,
            stages: self.stages,
            received_at: self.received_at,
            started_at: self.started_at,
            completed_at: self.completed_at,
            verb: own(self.verb),
            user: self.user.into_owned(),
            impersonated: self.impersonated.map(|user| Box::new(user.into_owned())),
            impersonation_constraint: self.impersonation_constraint.map(own),
            source_ips: own_all(self.source_ips),
            user_agent: self.user_agent.map(own),
            object: self.object.map(Object::into_owned),
            uri: own(self.uri),
            command: self.command,
            code: self.code,
            reason: self.reason.map(own),
            message: self.message.map(own),
            decision: self.decision,
            decision_reason: self.decision_reason.map(own),
            credential: self.credential.map(own),
            issued_credential: self.issued_credential.map(own),
            account: self.account,
            annotations: self.annotations.into_iter().map(|(key, value)| (own(key), own(value))).collect(),
            request: self.request,
            response: self.response,
            redactions: self.redactions,
            flaws: self.flaws,
            provenance: self.provenance,
            raw: own(self.raw),
        }
    }
}
