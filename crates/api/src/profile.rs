use crate::{AutoApprovalField, MalformedObject, ReaffirmField, RecordingField};
use kube::CustomResource;
use sallyport_model::{AutoApproval, Profile, ProfileRevision, RoleName, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be asked for. Who may ask, approve and revoke is plain RBAC on its name.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "access.sallyport.dev",
    version = "v1alpha1",
    kind = "AccessProfile",
    plural = "accessprofiles",
    doc = "What may be asked for. Who may ask, approve and revoke is plain RBAC on its name.",
    printcolumn(name = "MaxDuration", type_ = "string", json_path = ".spec.maxDuration"),
    printcolumn(name = "Approvals", type_ = "integer", json_path = ".spec.approvals")
)]
#[serde(rename_all = "camelCase")]
pub struct AccessProfileSpec {
    /// Globs over cluster names: `*` stands for any run of characters, everything else for itself.
    #[schemars(length(min = 1, max = 64), inner(length(max = 253), regex(pattern = r"^[a-z0-9*.-]+$")))]
    pub clusters: Vec<String>,
    /// ClusterRoles of the target that a session is bound to.
    #[schemars(
        length(min = 1, max = 16),
        inner(length(min = 1, max = 253), regex(pattern = r"^[^/%?#\s]+$"))
    )]
    pub roles: Vec<String>,
    /// Namespaces they are bound in; empty means cluster-wide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))
    )]
    pub namespaces: Vec<String>,
    /// The longest session, e.g. `1h30m`.
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub max_duration: String,
    /// How many people must say yes; 0 opens at once.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    pub approvals: u8,
    /// What stands for all approvals; the first that is met. Only where approvals are needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub auto_approvals: Vec<AutoApprovalField>,
    /// The most time one person may have under it on one cluster within any 24 hours, e.g. `4h`. Not shorter than a session
    /// may be. Absent: it is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub max_per_day: Option<String>,
    /// How strong and fresh the sign-in must be, for asking and for approving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<Mfa>,
    /// Whether a reason must be given (default) or may be left empty.
    #[serde(default = "yes")]
    pub reason_required: bool,
    /// Wants the requester's identity provider to vouch for them again and again while it is open; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaffirm: Option<ReaffirmField>,
    /// Wants the requester's desktop to record the terminals of a session: what they show, or also what is typed. Absent:
    /// nothing is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingField>,
}

fn yes() -> bool {
    true
}

/// What the sign-in must prove. Every list given must hold, not one of them (attack 14).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mfa {
    /// One of these `acr` values; empty asks for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 256), regex(pattern = r"^[^\s,]+$")))]
    pub acr: Vec<String>,
    /// One of these `amr` values; empty asks for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 64), regex(pattern = r"^[^\s,]+$")))]
    pub amr: Vec<String>,
    /// The sign-in's greatest age, e.g. `15m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?$"))]
    pub max_age: Option<String>,
}

impl TryFrom<&AccessProfile> for Profile {
    type Error = MalformedObject;

    fn try_from(object: &AccessProfile) -> Result<Self, MalformedObject> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let wrong = |why: String| MalformedObject::new("AccessProfile", name, why);
        let spec = &object.spec;
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        let parse_all =
            |list: &[String]| list.iter().map(|r| r.parse()).collect::<Result<Vec<RoleName>, _>>();
        let namespaces: Result<Vec<_>, _> = spec.namespaces.iter().map(|n| n.parse()).collect();
        let mfa = spec.mfa.clone().unwrap_or_default();
        Ok(Self {
            name: name.parse().map_err(|e| wrong(format!("{e}")))?,
            revision: ProfileRevision::new(uid, object.metadata.generation.unwrap_or_default())
                .map_err(|e| wrong(e.to_string()))?,
            clusters: spec.clusters.clone(),
            roles: parse_all(&spec.roles).map_err(|e| wrong(e.to_string()))?,
            scope: Scope::from_list(
                namespaces.map_err(|e: sallyport_model::NameError| wrong(e.to_string()))?,
            ),
            max_duration: spec.max_duration.parse().map_err(|e| wrong(format!("{e}")))?,
            approvals: spec.approvals,
            auto_approvals: spec.auto_approvals.iter().map(AutoApproval::from).collect(),
            max_per_day: spec
                .max_per_day
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|e| wrong(format!("{e}")))?,
            mfa: sallyport_model::Mfa {
                max_age: mfa
                    .max_age
                    .as_deref()
                    .map(str::parse)
                    .transpose()
                    .map_err(|e| wrong(format!("{e}")))?,
                acr: mfa.acr,
                amr: mfa.amr,
            },
            reason_required: spec.reason_required,
            reaffirm: spec
                .reaffirm
                .as_ref()
                .map(TryFrom::try_from)
                .transpose()
                .map_err(|e: sallyport_model::ReaffirmError| wrong(e.to_string()))?,
            recording: spec.recording.map(Into::into),
        })
    }
}
