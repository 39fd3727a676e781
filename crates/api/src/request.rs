use crate::{
    AutoApprovalRecord, MalformedObject, ReaffirmField, Reaffirmed, RecordingField, rules::RuleSummary,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use sallyport_model::{
    EndedBy, Given, Limits, NameError, NamespaceName, Phase, RequestRef, RequestUid, Said, Scope, SignIn,
    Terms, Ttl,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of the condition that says how a request ended; its reason is an `EndReason`. `False` while it is closing: how it
/// will have ended, which no later event changes.
pub const CONDITION_ENDED: &str = "Ended";
/// The type of the condition that is `True` while a request that is over is still being removed from the cluster: its
/// message names what is left and why, in the words of whoever refused.
pub const CONDITION_CLOSING: &str = "Closing";

/// One ask: an immutable spec and a status that moves. Deleted by its broker after the retention time only.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "access.sallyport.dev",
    version = "v1alpha1",
    kind = "AccessRequest",
    plural = "accessrequests",
    namespaced,
    status = "AccessRequestStatus",
    selectable = ".spec.user",
    selectable = ".spec.cluster",
    selectable = ".spec.profile",
    selectable = ".status.phase",
    doc = "One ask: an immutable spec and a status that moves. Deleted by its broker after the retention time only.",
    printcolumn(name = "User", type_ = "string", json_path = ".spec.user"),
    printcolumn(name = "Cluster", type_ = "string", json_path = ".spec.cluster"),
    printcolumn(name = "Profile", type_ = "string", json_path = ".spec.profile"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase")
)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequestSpec {
    /// Who asks: the name the API server knows them by.
    #[schemars(length(min = 1, max = 512))]
    pub user: String,
    /// The groups they ask with; a subset of theirs.
    #[schemars(length(max = 256), inner(length(max = 512)))]
    pub groups: Vec<String>,
    /// The cluster to open.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub cluster: String,
    /// Under which profile.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub profile: String,
    /// At which revision of it, `uid/generation` (attack 5).
    #[schemars(length(min = 3, max = 128), regex(pattern = r"^[0-9a-f-]{1,64}/[0-9]{1,19}$"))]
    pub profile_revision: String,
    /// In which namespaces; empty asks for cluster-wide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))
    )]
    pub namespaces: Vec<String>,
    /// For how long, e.g. `45m`.
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub duration: String,
    /// Why. Empty only where the profile says that none is needed.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub reason: String,
    /// X25519 public key (32 bytes, standard base64) that the token is sealed to.
    #[schemars(length(min = 44, max = 44), regex(pattern = r"^[A-Za-z0-9+/]{43}=$"))]
    pub public_key: String,
    /// The `acr` of the requester's sign-in. Admission holds it to the token's own; the broker judges by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub acr: Option<String>,
    /// The `amr` of the requester's sign-in, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 64)))]
    pub amr: Vec<String>,
    /// The `auth_time` of the requester's sign-in in Unix seconds, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 253_402_300_799_i64))]
    pub auth_time: Option<i64>,
    /// When the token was issued that it was asked with (`iat`), in Unix seconds, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 253_402_300_799_i64))]
    pub issued_at: Option<i64>,
    /// What the requester's desktop will record of its terminals: what the profile wants, by a desktop that does it. The broker
    /// gives nothing where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingField>,
    /// How the requester's own history was when they asked. Well-formed is all that is asked of it: it proves to whoever reads
    /// the requests what existed by then, and nobody decides by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryAnchor>,
}

/// How somebody's history was at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryAnchor {
    /// How many entries there were.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub sequence: i64,
    /// The Merkle root over them: SHA-256, hex.
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub root: String,
    /// The fingerprint of the key that signs its checkpoints: SHA-256, hex. None without a keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub key: Option<String>,
}

/// What became of it. Approvers add approvals, the requester withdraws and reaffirms, everything else is the broker's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequestStatus {
    /// How far it is; absent counts as Pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseField>,
    /// What the profile really allows on this target; written by the broker, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Who said yes, to which offer. A list map keyed by `by`, so that two approvers never lose each other's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub approvals: Vec<Approval>,
    /// Who said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<Denial>,
    /// Set to true by the requester to leave; it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<bool>,
    /// Who else ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// The provider's last word for the requester, where the profile wants it again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaffirmed: Option<Reaffirmed>,
    /// What is given of what was asked for, by what the approvals say; written by the broker, once, as it is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenRecord>,
    /// By which autoApproval it opens without people; written by the broker with the offer, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_approval: Option<AutoApprovalRecord>,
    /// The grant on the target, recorded before anything is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantRecord>,
    /// The sealed token (HPKE), cleared once opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 131072))]
    pub credential: Option<String>,
    /// The JTI of every token minted for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 128)))]
    pub jtis: Vec<String>,
    /// `Ended` with its reason, at the end; `Closing` while something is left on the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub message: Option<String>,
}

/// How far it is; the wire form of `Phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PhaseField {
    /// See [`Phase::Pending`].
    Pending,
    /// See [`Phase::Approved`].
    Approved,
    /// See [`Phase::Active`].
    Active,
    /// See [`Phase::Closed`].
    Closed,
}

impl From<PhaseField> for Phase {
    fn from(field: PhaseField) -> Self {
        match field {
            PhaseField::Pending => Self::Pending,
            PhaseField::Approved => Self::Approved,
            PhaseField::Active => Self::Active,
            PhaseField::Closed => Self::Closed,
        }
    }
}

impl From<Phase> for PhaseField {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Pending => Self::Pending,
            Phase::Approved => Self::Approved,
            Phase::Active => Self::Active,
            Phase::Closed => Self::Closed,
        }
    }
}

/// The offer: what a yes would allow, as computed from the live ClusterRoles of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// SHA-256 (hex) over profile revision, scope, effective rules, endpoint and CA.
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub digest: String,
    /// The effective rules.
    #[schemars(length(max = 128))]
    pub rules: Vec<RuleSummary>,
    /// Rights that can outlive the session, named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 256)))]
    pub warnings: Vec<String>,
    /// The target's endpoint.
    #[schemars(length(min = 1, max = 1024))]
    pub endpoint: String,
    /// SHA-256 (hex) of the target's CA bundle.
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub ca_digest: String,
    /// Whether the broker that wrote it gives less where approvals say so. One of before that gives all that was asked for,
    /// and so no approval of its offers may carry limits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_limits: bool,
    /// What was left of the requester's day as it was offered, where the profile counts one. A broker of before that counts
    /// none leaves it out, and may not approve under such a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?$"))]
    pub left_today: Option<String>,
    /// How often the requester has to be reaffirmed while it is open, as the profile says. A broker of before that does not
    /// write it would close nothing, and so grants nothing under a profile that wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaffirm: Option<ReaffirmField>,
}

/// One named person's yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Who: their own name as the API server knows it.
    #[schemars(length(min = 1, max = 512))]
    pub by: String,
    /// When.
    #[schemars(regex(
        pattern = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])$"
    ))]
    pub at: Time,
    /// The digest of the offer they saw.
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub offer: String,
    /// Their sign-in's `auth_time` in Unix seconds, as admission saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// Their sign-in's `acr`, as admission saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub acr: Option<String>,
    /// Their sign-in's `amr`, as admission saw it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 64)))]
    pub amr: Vec<String>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub comment: Option<String>,
    /// What they took off; absent where nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsField>,
}

/// Less than was asked for; the wire form of [`Limits`]. What is absent is not limited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsField {
    /// For at most so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub duration: Option<String>,
    /// In these namespaces only. An empty list is refused: in a spec it would mean all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 64),
        inner(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))
    )]
    pub namespaces: Option<Vec<String>>,
}

/// What rights exist by a request: the wire form of [`Given`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GivenRecord {
    /// In which namespaces; empty means cluster-wide, as in the spec, and only where the spec says so too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))
    )]
    pub namespaces: Vec<String>,
    /// For how long after the grant's creation.
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub duration: String,
}

/// One named person's no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Denial {
    /// Who.
    #[schemars(length(min = 1, max = 512))]
    pub by: String,
    /// When, by their own clock: evidence, which nothing is decided by. In this century, as every reader can parse it.
    #[schemars(regex(
        pattern = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])$"
    ))]
    pub at: Time,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
}

/// Someone else's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// Who: their own name.
    #[schemars(length(min = 1, max = 512))]
    pub by: String,
    /// When, by their own clock: evidence, which nothing is decided by. In this century, as every reader can parse it.
    #[schemars(regex(
        pattern = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])$"
    ))]
    pub at: Time,
    /// Why.
    #[schemars(length(max = 1024))]
    pub reason: String,
}

/// The grant on the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantRecord {
    /// Name of the AccessGrant.
    #[schemars(length(min = 6, max = 34), regex(pattern = r"^g-[a-z0-9]{4,32}$"))]
    pub name: String,
    /// Its UID.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[0-9a-f-]{1,64}$"))]
    pub uid: String,
    /// When the rights end, by the target's clock.
    pub end: Time,
    /// Name of the session's ServiceAccount.
    #[schemars(length(min = 17, max = 45), regex(pattern = r"^s-[a-z0-9]{4,32}-[0-9]{10}$"))]
    pub account: String,
}

/// A condition, as `metav1.Condition` without the fields unused here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// e.g. `Ended`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Z][A-Za-z]*$"))]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    #[schemars(length(min = 1, max = 16), regex(pattern = r"^(True|False|Unknown)$"))]
    pub status: String,
    /// One CamelCase word.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Z][A-Za-z]*$"))]
    pub reason: String,
    /// A sentence.
    #[serde(default)]
    #[schemars(length(max = 2048))]
    pub message: String,
    /// When it became so.
    pub last_transition_time: Time,
}

/// An [`AccessRequest`]'s identity and spec, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Which request.
    pub which: RequestRef,
    /// When the hub created it, Unix seconds.
    pub created_at: i64,
    /// What it asks for.
    pub terms: Terms,
    /// With which groups.
    pub groups: Vec<String>,
    /// X25519 public key, standard base64 of 32 bytes.
    pub public_key: String,
    /// How they signed in, as far as they say.
    pub sign_in: SignIn,
}

impl TryFrom<&AccessRequest> for Asked {
    type Error = MalformedObject;

    fn try_from(object: &AccessRequest) -> Result<Self, MalformedObject> {
        let spec = &object.spec;
        let created = object.metadata.creation_timestamp.as_ref();
        let namespaces: Result<Vec<_>, _> = spec.namespaces.iter().map(|n| n.parse()).collect();
        let terms = Terms {
            user: spec.user.parse().map_err(|e| object.malformed(e))?,
            cluster: spec.cluster.parse().map_err(|e| object.malformed(e))?,
            profile: spec.profile.parse().map_err(|e| object.malformed(e))?,
            revision: spec.profile_revision.parse().map_err(|e| object.malformed(e))?,
            scope: Scope::from_list(namespaces.map_err(|e: NameError| object.malformed(e))?),
            duration: spec.duration.parse().map_err(|e| object.malformed(e))?,
            reason: spec.reason.clone(),
            recording: spec.recording.map(Into::into),
        };
        Ok(Self {
            which: object.which()?,
            created_at: created.ok_or_else(|| object.malformed("it has no creation time"))?.0.as_second(),
            terms,
            groups: spec.groups.clone(),
            public_key: spec.public_key.clone(),
            sign_in: SignIn { acr: spec.acr.clone(), amr: spec.amr.clone(), auth_time: spec.auth_time },
        })
    }
}

impl From<&Limits> for LimitsField {
    fn from(limits: &Limits) -> Self {
        Self {
            duration: limits.duration().map(|most| most.whole_minutes().to_string()),
            namespaces: limits.scope().map(|scope| scope.to_list().into_iter().map(String::from).collect()),
        }
    }
}

impl TryFrom<&LimitsField> for Limits {
    type Error = MalformedObject;

    fn try_from(field: &LimitsField) -> Result<Self, MalformedObject> {
        let wrong = |why: &dyn std::fmt::Display| MalformedObject::new("AccessRequest", "", why);
        let duration: Option<Ttl> =
            field.duration.as_ref().map(|d| d.parse()).transpose().map_err(|e| wrong(&e))?;
        let names: Option<Result<Vec<NamespaceName>, NameError>> =
            field.namespaces.as_ref().map(|names| names.iter().map(|name| name.parse()).collect());
        Limits::new(duration, names.transpose().map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))
    }
}

impl From<&Given> for GivenRecord {
    fn from(given: &Given) -> Self {
        Self {
            namespaces: given.scope.to_list().into_iter().map(String::from).collect(),
            duration: given.duration.whole_minutes().to_string(),
        }
    }
}

impl AccessRequest {
    pub(crate) fn malformed(&self, why: impl std::fmt::Display) -> MalformedObject {
        let name = self.metadata.name.as_deref().unwrap_or_default();
        MalformedObject::new("AccessRequest", name, why)
    }

    /// Which request it is.
    ///
    /// # Errors
    /// For an object without namespace, name or UID, or with a namespace that is none.
    pub fn which(&self) -> Result<RequestRef, MalformedObject> {
        let meta = &self.metadata;
        let team = meta.namespace.as_deref().and_then(|n| n.parse().ok());
        match (team, &meta.name, &meta.uid) {
            (Some(team), Some(name), Some(uid)) => {
                Ok(RequestRef { team, name: name.clone(), uid: RequestUid::new(uid.clone()) })
            }
            _ => Err(self.malformed("it has no namespace, name or UID")),
        }
    }

    /// Whether it was asked where scans ask.
    pub fn is_scan(&self) -> bool {
        self.metadata.namespace.as_deref() == Some(sallyport_model::SCANS_NAMESPACE)
    }

    /// What rights it gives of what these terms ask for, as its broker recorded it; all of it while nothing is recorded.
    ///
    /// # Errors
    /// When the record can't be read or says more than the terms: an empty list where namespaces were asked for would read
    /// as the whole cluster.
    pub fn given(&self, terms: &Terms) -> Result<Given, MalformedObject> {
        let asked = Given::all(terms);
        let Some(record) = self.status.as_ref().and_then(|status| status.given.as_ref()) else {
            return Ok(asked);
        };
        let namespaces: Result<Vec<_>, _> = record.namespaces.iter().map(|n| n.parse()).collect();
        let given = Given {
            scope: Scope::from_list(namespaces.map_err(|e: NameError| self.malformed(e))?),
            duration: record.duration.parse().map_err(|e| self.malformed(e))?,
        };
        if given.within(terms) {
            Ok(given)
        } else {
            Err(self.malformed("what it gives is more than what it asks for"))
        }
    }

    /// What its broker offered, once it has.
    pub fn offer(&self) -> Option<&Offer> {
        self.status.as_ref()?.offer.as_ref()
    }

    /// Who ended it, by their own word in its status; `None` while nobody did.
    pub fn ended_by(&self) -> Option<EndedBy> {
        let status = self.status.as_ref()?;
        let revoked = status.revocation.as_ref().map(|r| Said { by: r.by.clone(), why: r.reason.clone() });
        let denied = status
            .denial
            .as_ref()
            .map(|d| Said { by: d.by.clone(), why: d.reason.clone().unwrap_or_default() });
        EndedBy::first(revoked, status.withdrawn == Some(true), denied)
    }

    /// The phase; an absent one is Pending.
    pub fn phase(&self) -> Phase {
        self.status.as_ref().and_then(|s| s.phase).map_or(Phase::Pending, Phase::from)
    }

    /// The condition of that type, whatever its status.
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == type_)
    }

    /// What keeps the request from being closed: the message names each object that is left on the cluster and why. `None`
    /// while it is not closing, and when nothing is left.
    pub fn closing(&self) -> Option<&Condition> {
        self.condition(CONDITION_CLOSING).filter(|closing| closing.status == "True")
    }
}
