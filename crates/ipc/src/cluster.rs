use crate::Shown;
use sallyport_model::Reaffirm;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The inventory as last seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClustersView {
    /// Sorted by name.
    pub clusters: Vec<ClusterView>,
    /// When the hub last confirmed this list. None: it never did, the list is still loading.
    pub as_of: Option<i64>,
    /// Objects that could not be read, one sentence each: they are missing above.
    pub problems: Vec<Shown>,
}

/// One cluster in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClusterView {
    /// The name on the hub.
    pub name: Shown,
    /// For people; equals the name when there is none.
    pub display_name: Shown,
    /// Colour of the environment.
    pub environment: EnvironmentKind,
    /// Its word, as the hub writes it.
    pub environment_word: Shown,
    /// EKS, GKE, kubeadm, …; may be empty.
    pub provider: Shown,
    /// May be empty.
    pub region: Shown,
    /// Kubernetes' version as the broker reports it; may be empty.
    pub version: Shown,
    /// Pinned by this person.
    pub pinned: bool,
    /// When this person last opened it.
    pub last_used: Option<i64>,
    /// Its broker.
    pub broker: Broker,
    /// What a click would do.
    pub way: Way,
}

/// Colour of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EnvironmentKind {
    /// Red.
    Prod,
    /// Amber.
    Stage,
    /// Blue.
    Dev,
    /// Grey: a word we have no colour for.
    Other,
}

/// A cluster's broker, by its sign of life on the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Broker {
    /// The last sign of life, as of when it was last looked. None: never seen.
    pub seen_at: Option<i64>,
    /// Its version.
    pub version: Option<Shown>,
    /// Too long ago to hope for an answer, when it was last looked.
    pub silent: bool,
}

/// What a click on a cluster would do for this person. Where a session is open it shows that, which the window knows from
/// its sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Way {
    /// Opens at once with this profile.
    OneClick {
        /// The profile.
        profile: Shown,
    },
    /// Can be asked for.
    Ask {
        /// The profile.
        profile: Shown,
        /// Approvals it needs.
        approvals: u32,
    },
    /// No profile of this person's covers it, or every one is refused.
    NotYours,
    /// The hub has not said yet.
    Unknown,
}

/// One cluster with the profiles this person may ask for there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDetail {
    /// As in the list.
    pub cluster: ClusterView,
    /// Host and port of its API server.
    pub endpoint: Shown,
    /// Whether the target's guardrails are in force.
    pub guardrails: Guardrails,
    /// The narrowest first.
    pub profiles: Vec<ProfileView>,
    /// What one click would take of `profiles`; None: nothing opens here.
    pub chosen: Option<Shown>,
    /// What was opened here last.
    pub last: Option<LastOpening>,
    /// The reason carried from the last opening (8 h).
    pub reason: Option<Carried>,
}

/// What was opened last on a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LastOpening {
    /// The profile.
    pub profile: Shown,
    /// The namespaces; empty: cluster-wide.
    pub namespaces: Vec<Shown>,
    /// For how long.
    pub duration_seconds: u32,
}

/// A reason that still holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Carried {
    /// The reason.
    pub text: Shown,
    /// Until when it is offered.
    pub until: i64,
}

/// How often an identity provider has to vouch for whoever has something open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReaffirmView {
    /// Once in so many seconds.
    pub every_seconds: u32,
    /// So many seconds later it is closed without.
    pub grace_seconds: u32,
}

impl From<Reaffirm> for ReaffirmView {
    fn from(wanted: Reaffirm) -> Self {
        Self {
            every_seconds: wanted.every().as_seconds_u32(),
            grace_seconds: wanted.grace().as_seconds_u32(),
        }
    }
}

/// One profile, as it applies to one cluster and person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView {
    /// Its name.
    pub name: Shown,
    /// No approval is needed.
    pub opens_at_once: bool,
    /// Approvals needed.
    pub approvals: u32,
    /// What stands for all of them, in words; the first that is met.
    pub auto_approvals: Vec<Shown>,
    /// The most time this person may have here within 24 hours; None: it is not counted.
    pub max_per_day_seconds: Option<u32>,
    /// The longest a session may last.
    pub max_duration_seconds: u32,
    /// How long is asked for where nobody says otherwise: the person's default, else as last time here, else 1 h, within the
    /// longest.
    pub usual_seconds: u32,
    /// The namespaces it may be asked for; empty: cluster-wide.
    pub namespaces: Vec<Shown>,
    /// The sign-in it wants.
    pub mfa: Option<Mfa>,
    /// A reason must be given.
    pub reason_required: bool,
    /// How often the identity provider has to vouch for the person while it is open; None: never.
    pub reaffirm: Option<ReaffirmView>,
    /// What is recorded of the terminals of a session under it; None: nothing.
    pub recording: Option<sallyport_model::Recording>,
    /// What it allows on this cluster.
    pub rights: Rights,
    /// Why it will be refused (P11); asking is pointless.
    pub refused: Option<Refused>,
}

/// How what is about to be asked for would be answered now, as far as it can be told here. The broker decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OutlookView {
    /// It opens at once.
    pub at_once: bool,
    /// The autoApproval that makes it so; None: nobody has to say yes anyway, or people have to.
    pub by: Option<Shown>,
    /// How many people have to where it does not.
    pub approvals: u32,
    /// When the clock makes the other answer of it; None: not within a week.
    pub changes_at: Option<i64>,
    /// Why it does not open at once, a sentence for each autoApproval.
    pub unmet: Vec<Shown>,
    /// What the profile gives this person here within 24 hours; None: it is not counted.
    pub day: Option<DayView>,
}

/// A person's day under a profile on a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DayView {
    /// All of it.
    pub most_seconds: u32,
    /// What is left, by what this person may read: an estimate. None: it could not be read.
    pub left_seconds: Option<u32>,
    /// What is about to be asked for is left, or that is not known.
    pub fits: bool,
}

/// The sign-in a profile wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Mfa {
    /// Authentication contexts that will do; empty: any.
    pub acr: Vec<Shown>,
    /// Methods that must be among those used; empty: any.
    pub amr: Vec<Shown>,
    /// How old the authentication may be; None: any age.
    pub max_age_seconds: Option<u32>,
    /// Whether the present sign-in will do, by this machine's reckoning. Admission decides.
    pub satisfied: bool,
}

/// What a profile allows on one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Rights {
    /// As the cluster's broker read its ClusterRoles.
    Known {
        /// In words.
        rights: Vec<Right>,
        /// How many rules they come from.
        rules: u32,
        /// What could outlive the session, in words.
        warnings: Vec<Shown>,
        /// What tools will miss, in words.
        missing: Vec<Shown>,
    },
    /// Nobody has said.
    Unknown {
        /// Why.
        why: Shown,
    },
}

/// One right in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Right {
    /// "Run commands in pods".
    pub title: Shown,
    /// `create pods/exec`.
    pub detail: Shown,
    /// Where; empty: cluster-wide.
    pub namespaces: Vec<Shown>,
    /// It changes something: drawn amber.
    pub writes: bool,
}

/// Why a profile will be refused on this cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// One sentence.
    pub why: Shown,
    /// The rule that did it.
    pub rule: Option<Shown>,
}

/// Whether the rules that bound a session are in force on the target (P12), as its broker reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Guardrails {
    /// Spec equal to what was shipped, and a probe refused.
    Verified {
        /// Since when every check says so, by the broker's clock.
        at: i64,
        /// Which API server answered.
        detail: Shown,
    },
    /// Checked, and not so.
    Unverified {
        /// Since when every check says so, by the broker's clock.
        at: i64,
        /// What is not as shipped.
        detail: Shown,
    },
    /// The broker has not reported.
    Unknown,
}
