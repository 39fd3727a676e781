use crate::{DriftWay, EnvironmentKind, ErrorView, LacksView, Shown, SubjectKind};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where the fleet is weak, as far as it was scanned. What the scans said is kept on this computer; nobody is asked for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostureView {
    /// Under which profile a scan opens; None: see `cannot_scan`.
    pub profile: Option<Shown>,
    /// Why this person can scan nothing, and what to do about it.
    pub cannot_scan: Option<Shown>,
    /// The scan of several clusters that is under way, or the last one of this run.
    pub run: Option<ScanRun>,
    /// By name, all of the inventory and those that a scan is kept of.
    pub clusters: Vec<PostureCluster>,
    /// The ten zero-trust practices over all clusters, always all of them and in order; empty: nothing was scanned yet.
    pub practices: Vec<Practice>,
    /// The same weakness of several clusters as one, what to fix first first.
    pub weaknesses: Vec<Weakness>,
    /// What changed between the last two scans of each cluster, what widens first.
    pub drift: Vec<PostureDriftLine>,
    /// So many more than are shown.
    pub drift_more: u32,
    /// What somebody answers for, until when.
    pub exceptions: Vec<ExceptionView>,
    /// How it was over time, oldest first.
    pub trend: Vec<TrendPoint>,
    /// What is to be known of all of it, in words.
    pub notes: Vec<Shown>,
}

/// Scans of several clusters, a few at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScanRun {
    /// When it was begun.
    pub begun_at: i64,
    /// How many clusters.
    pub total: u32,
    /// Read, left, and proven closed.
    pub done: u32,
    /// Not read, or not to their end.
    pub failed: u32,
    /// Given up by the person.
    pub cancelled: u32,
    /// None of them is under way any more.
    pub is_over: bool,
}

/// One cluster of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostureCluster {
    /// Its name.
    pub name: Shown,
    /// For its colour.
    pub environment: EnvironmentKind,
    /// The team's word for it.
    pub environment_word: Shown,
    /// How far its scan of this run is.
    pub scan: ScanState,
    /// When the kept scan was taken; None: none is kept.
    pub scanned_at: Option<i64>,
    /// The API server's version.
    pub version: Option<Shown>,
    /// Of 100, what of its checks came to an answer.
    pub coverage: u32,
    /// A cell for each [`PostureArea`], in their order; empty: none is kept.
    pub cells: Vec<PostureCell>,
}

/// How far the scan of a cluster is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ScanState {
    /// None was asked for in this run.
    None,
    /// Others come first.
    Waiting,
    /// Its session opens.
    Opening {
        /// Which.
        session: String,
    },
    /// It is read through the gateway.
    Reading {
        /// Its session.
        session: String,
        /// Kinds that were read.
        done: u32,
        /// All kinds.
        total: u32,
    },
    /// What was read is kept; its session is being closed with proof.
    Closing {
        /// Its session.
        session: String,
    },
    /// Read, and its session is proven closed.
    Done {
        /// Its session.
        session: String,
    },
    /// Something of the session's end was not shown, whatever came of the scan.
    Unproven {
        /// Its session, whose closing report says what.
        session: String,
        /// Why nothing new is kept; None: it was read, and what was read is kept.
        error: Option<ErrorView>,
    },
    /// It was not read, or not to its end: what was kept before stays.
    Failed {
        /// What happened and what to do next.
        error: ErrorView,
    },
    /// Given up by the person.
    Cancelled,
}

/// The columns of the grid, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PostureArea {
    /// How the API server is reached, and by what TLS.
    Reach,
    /// How people sign in.
    SignIn,
    /// Credentials that stand: certificates, tokens, accounts.
    Credentials,
    /// Who may do what.
    Rights,
    /// What is refused, whoever asks.
    Admission,
    /// What is recorded.
    Audit,
    /// What is encrypted where it is stored.
    Encryption,
    /// How old the server is.
    Version,
}

/// What checks came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PostureVerdict {
    /// All was read, and nothing was found.
    Pass,
    /// Something was found.
    Fail,
    /// Not all was read, and nothing was found in what was.
    Unknown,
    /// It is a setting of the cloud.
    Provider,
    /// There is nothing it could be about.
    NotApplicable,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PostureSeverity {
    /// Good to know.
    Info,
    /// To be tidied up.
    Low,
    /// More than they should, in one place.
    Medium,
    /// In many places, or where it hurts.
    High,
    /// It ends in everything, in the root of a node, or with whoever did not sign in.
    Critical,
}

/// One area of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostureCell {
    /// Of all its checks: what was found before what is not known, and that before what passed.
    pub verdict: PostureVerdict,
    /// The worst that was found.
    pub worst: Option<PostureSeverity>,
    /// How many findings are as bad as the worst.
    pub count: u32,
    /// How many of its checks are not known.
    pub unknown: u32,
    /// How many of its findings somebody answers for.
    pub excepted: u32,
}

/// One of the ten zero-trust practices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Practice {
    /// 1 to 10.
    pub number: u32,
    /// Its name: "TLS everywhere".
    pub name: Shown,
    /// Of all clusters looked at: the worst of them.
    pub verdict: PostureVerdict,
    /// By what that is known.
    pub evidence: Vec<Shown>,
    /// What is missing; None: nothing.
    pub gap: Option<Shown>,
    /// What to do next.
    pub next: Option<Shown>,
    /// On how many clusters it is kept.
    pub kept: u32,
    /// On how many it is not.
    pub broken: u32,
    /// On how many nobody knows, those included where it is a setting of the cloud.
    pub unknown: u32,
}

/// The same weakness on one or several clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Weakness {
    /// The same for the same weakness at every look.
    pub id: String,
    /// The check: `RB-04`. Empty: it is between clusters, or of an exception.
    pub check: Shown,
    /// In which column it counts.
    pub area: PostureArea,
    /// A sentence.
    pub title: Shown,
    /// Fail, or Provider where it is a setting of the cloud.
    pub verdict: PostureVerdict,
    /// The worst of them.
    pub severity: PostureSeverity,
    /// What it is about, in a few words: `pods in ci → account deployer → bind`.
    pub about: Shown,
    /// Where, the worst first, with the finding there.
    pub places: Vec<WeakPlace>,
    /// So many clusters more than are listed.
    pub more: u32,
    /// Somebody answers for all of them.
    pub is_excepted: bool,
}

/// A cluster that has a weakness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WeakPlace {
    /// Which.
    pub cluster: Shown,
    /// The finding there, for `posture_finding`.
    pub finding: String,
}

/// What changed on a cluster between two scans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostureDriftLine {
    /// Which.
    pub cluster: Shown,
    /// When the earlier of the two was taken.
    pub since: i64,
    /// Whether somebody can do more.
    pub way: DriftWay,
    /// "group payments-dev may exec in payments".
    pub text: Shown,
}

/// What somebody answers for: it is found and counts no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionView {
    /// Which.
    pub id: String,
    /// The check.
    pub check: Shown,
    /// What that is about.
    pub title: Shown,
    /// The clusters, by glob.
    pub clusters: Shown,
    /// Whom or what it is about; None: all that the check finds there.
    pub about: Option<Shown>,
    /// Who answers for it.
    pub owner: Shown,
    /// Why.
    pub reason: Shown,
    /// Until when it stands.
    pub until: i64,
    /// It is over, and what it was for counts again.
    pub is_expired: bool,
    /// How many findings it is for now; 0: it can be removed.
    pub matches: u32,
}

/// An exception to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(optional_fields)]
pub struct ExceptionInput {
    /// The check.
    pub check: String,
    /// The clusters, by name or glob.
    pub clusters: String,
    /// The finding it is made from, whose subject and object it is for; None: all that the check finds there.
    pub finding: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when, at most a year away.
    pub until: i64,
}

/// How it was at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrendPoint {
    /// When.
    pub at: i64,
    /// How many clusters were counted.
    pub clusters: u32,
    /// Of 100, what of the checks came to an answer.
    pub coverage: u32,
    /// Findings by severity.
    pub critical: u32,
    /// Findings by severity.
    pub high: u32,
    /// Findings by severity.
    pub medium: u32,
    /// Findings by severity.
    pub low: u32,
}

/// One cluster, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostureDetail {
    /// As in the grid.
    pub cluster: PostureCluster,
    /// The ten practices on this cluster.
    pub practices: Vec<Practice>,
    /// The worst first; those that come with Kubernetes or a vendor last.
    pub findings: Vec<FindingLine>,
    /// So many more than are listed.
    pub findings_more: u32,
    /// Every check, in the catalogue's order.
    pub checks: Vec<CheckLine>,
    /// What was not read, and the right that is missing for it.
    pub gaps: Vec<Shown>,
    /// What is to be known of all answers.
    pub notes: Vec<Shown>,
    /// What changed since the scan before; None: there was none.
    pub drift: Option<PostureDrift>,
    /// How it was over time, oldest first.
    pub trend: Vec<TrendPoint>,
}

/// What changed between two scans of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostureDrift {
    /// When the earlier was taken.
    pub since: i64,
    /// What widens first.
    pub lines: Vec<PostureDriftLine>,
    /// So many more than are listed.
    pub more: u32,
    /// What was not read in one of the two, so that nothing is said of it.
    pub not_comparable: Vec<Shown>,
}

/// A check and what it came to on a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckLine {
    /// `RB-04`.
    pub id: Shown,
    /// What is wrong where it fails.
    pub title: Shown,
    /// In which column it counts.
    pub area: PostureArea,
    /// What it came to.
    pub verdict: PostureVerdict,
    /// Why it is not known, or where to look.
    pub why: Option<Shown>,
    /// How many findings.
    pub findings: u32,
}

/// Where something comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FindingOrigin {
    /// It is the team's.
    Own,
    /// Its names or labels say that it is the cloud's or the distribution's.
    Vendor,
    /// It comes with Kubernetes, and says what it said there.
    Default,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FindingLine {
    /// The same for the same finding of another scan.
    pub id: String,
    /// The check.
    pub check: Shown,
    /// In which column it counts.
    pub area: PostureArea,
    /// How bad.
    pub severity: PostureSeverity,
    /// A sentence.
    pub said: Shown,
    /// Where it comes from.
    pub origin: FindingOrigin,
    /// It has no effect.
    pub is_inert: bool,
    /// Who answers for it, and until when.
    pub excepted: Option<Shown>,
    /// It was not there in the scan before.
    pub is_new: bool,
}

/// One finding, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FindingDetail {
    /// As in the list.
    pub line: FindingLine,
    /// Where.
    pub cluster: Shown,
    /// What the check is about.
    pub title: Shown,
    /// Why it matters here.
    pub why: Shown,
    /// Who holds it.
    pub subject: Option<Shown>,
    /// What kind of subject.
    pub subject_kind: Option<SubjectKind>,
    /// What proves it: objects by kind, name and rule.
    pub evidence: Vec<EvidenceLine>,
    /// Step by step to what it ends in; empty: it leads nowhere else.
    pub path: Vec<PathStep>,
    /// Where the path ends: "everything".
    pub goal: Option<Shown>,
    /// How many SubjectAccessReviews show the path, when they are asked.
    pub reviews: u32,
    /// What to do, where there is a change to make.
    pub fix: Option<FixView>,
    /// What to do, in words.
    pub advice: Shown,
    /// Ids of other catalogues: `CIS 5.1.1`.
    pub maps: Vec<Shown>,
    /// What was not read, and may hide more of it.
    pub gaps: Vec<Shown>,
}

/// What whoever a finding is about was seen to use, and a role that would have been enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UseView {
    /// Who.
    pub subject: Option<Shown>,
    /// Why no role is proposed; None: one is.
    pub why: Option<Shown>,
    /// What to do, where none is.
    pub next: Option<Shown>,
    /// Their calls that are over.
    pub calls: i64,
    /// Those that were refused: the role does not allow them.
    pub refused: i64,
    /// Their first call, in Unix microseconds.
    pub first_us: Option<i64>,
    /// Their last.
    pub last_us: Option<i64>,
    /// The first moment that the log of this cluster tells of, in Unix microseconds; None: none was read.
    pub reach_from_us: Option<i64>,
    /// The last.
    pub reach_to_us: Option<i64>,
    /// What they hold, binding by binding, and what of it was used.
    pub held: Vec<HeldUse>,
    /// Bindings that are not listed.
    pub held_more: u32,
    /// The role with its bindings as YAML, line by line.
    pub role: Vec<Shown>,
    /// How many rules it has.
    pub role_rules: u32,
    /// The rules they hold and those of the role: `-` goes, `+` comes.
    pub difference: Vec<Shown>,
    /// What in the role no session may have.
    pub dangers: Vec<Shown>,
    /// What the log and the scan cannot tell.
    pub not_known: Vec<Shown>,
    /// What the answer lacks.
    pub lacks: LacksView,
}

/// What one binding gives, and what of it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HeldUse {
    /// `ClusterRoleBinding deployer`.
    pub binding: Shown,
    /// `ClusterRole deployer`.
    pub role: Shown,
    /// Rights that some call used: `get pods`.
    pub used: Vec<Shown>,
    /// How many more.
    pub used_more: u32,
    /// Rights that none did.
    pub unused: Vec<Shown>,
    /// How many more.
    pub unused_more: u32,
    /// Rules that are too large to be looked at part by part.
    pub too_large: u32,
}

/// An object that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceLine {
    /// `ClusterRoleBinding deployer`.
    pub binding: Option<Shown>,
    /// `ClusterRole deployer`, or the object itself.
    pub role: Shown,
    /// The rule in words.
    pub rule: Option<Shown>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// Whose rights it takes.
    pub from: Shown,
    /// What they can do: "creates pods in ci".
    pub what: Shown,
    /// By which binding and role.
    pub by: Shown,
    /// Whom or what that reaches.
    pub to: Shown,
    /// Roles and bindings alone decide it; else something that was not read may stand in its way.
    pub is_certain: bool,
    /// To end this one closes most of such paths.
    pub is_cut: bool,
}

/// A change that would close it, and what it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FixView {
    /// In one line: "Take group payments-dev out of the ClusterRoleBinding deployer".
    pub title: Shown,
    /// YAML to be applied, line by line.
    pub yaml: Vec<Shown>,
    /// The commands that make the change, one after the other.
    pub commands: Vec<Shown>,
    /// Text for a pull request, its title first, line by line.
    pub pull_request: Vec<Shown>,
    /// Whether a session may make it: it sets a field of a workload and changes nobody's rights.
    pub in_session: bool,
    /// What it would do, worked out on what was scanned.
    pub effect: Vec<EffectLine>,
    /// So many more than are listed.
    pub effect_more: u32,
    /// Why it may do more or less than is listed: what was not read.
    pub gaps: Vec<Shown>,
    /// The path is closed by it; None: there is none, or that is not known.
    pub closes: Option<bool>,
    /// A profile that gives the same for as long as it is needed, as text, line by line; empty: none can.
    pub profile: Vec<Shown>,
    /// Why none can, or what is to be known of it.
    pub profile_note: Option<Shown>,
}

/// One thing that a fix would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EffectLine {
    /// Whom or what it is about.
    pub about: Shown,
    /// What they lose, in words.
    pub text: Shown,
    /// Whether it is known that somebody used it lately.
    pub used: Option<Shown>,
}

/// What came of trying a fix through a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FixTried {
    /// No session that is open may make it: nothing was tried.
    NoSession,
    /// The API server would refuse it.
    Refused,
    /// The API server would take it.
    Taken,
}

/// A fix that was tried on the API server, which keeps nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FixTrial {
    /// By which it is applied; None: it can't be.
    pub id: Option<String>,
    /// The session by which it was tried.
    pub session: Option<String>,
    /// What came of it.
    pub state: FixTried,
    /// The same in words.
    pub said: Shown,
    /// Where no session would do: the profiles this person may ask for that would.
    pub profiles: Vec<Shown>,
}

/// Whether a fix was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FixMade {
    /// It was.
    Applied,
    /// It was not: the API server refused it.
    Refused,
    /// Nobody knows: there was no answer, or the session ended before it.
    Unknown,
}

/// What came of applying a fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FixApplied {
    /// When.
    pub at: i64,
    /// Whether it was made.
    pub made: FixMade,
    /// Why not, or why nobody knows.
    pub said: Shown,
}

/// What the API server says to the questions that show a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PathProof {
    /// When.
    pub at: i64,
    /// How many it allowed.
    pub allowed: u32,
    /// How many were asked.
    pub asked: u32,
    /// Each question with its answer, in words.
    pub lines: Vec<ReviewLine>,
}

/// A SubjectAccessReview and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewLine {
    /// "oidc:eve create pods in ci".
    pub question: Shown,
    /// The API server says yes; None: it gave no answer.
    pub allowed: Option<bool>,
    /// In its words.
    pub reason: Shown,
}

/// Who can do something, on all clusters that a scan is kept of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(optional_fields)]
pub struct WhoQuestion {
    /// `get`.
    pub verb: String,
    /// `secrets`, `deployments.apps`, `pods/exec`.
    pub resource: String,
    /// In this namespace; None: everywhere.
    pub namespace: Option<String>,
    /// This cluster; None: all.
    pub cluster: Option<String>,
}

/// Who can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoAnswer {
    /// As it was understood: "get secrets in payments".
    pub question: Shown,
    /// Who, and on how many clusters, those on most first.
    pub who: Vec<WhoLine>,
    /// So many more than are listed.
    pub more: u32,
    /// What makes the answer less than whole, a sentence each.
    pub gaps: Vec<Shown>,
}

/// Somebody who can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoLine {
    /// `group oidc:payments-dev`.
    pub subject: Shown,
    /// By which binding and role, on one of the clusters.
    pub by: Shown,
    /// Where, by name; at most 20.
    pub clusters: Vec<Shown>,
    /// On how many in all.
    pub count: u32,
}

/// Ways from one cluster into another, to everything there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CrossingsView {
    /// Everybody's shortest, the shortest first.
    pub ways: Vec<CrossingLine>,
    /// So many more than are listed.
    pub more: u32,
    /// Why there may be others, a sentence each.
    pub gaps: Vec<Shown>,
}

/// Somebody's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CrossingLine {
    /// `group oidc:payments-dev`, of the first cluster.
    pub subject: Shown,
    /// Step by step to what it ends in.
    pub steps: Vec<PathStep>,
    /// Which step leads across, from 0: those after it are steps in the other cluster.
    pub across: u32,
}
