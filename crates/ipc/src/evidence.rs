//! The clusters' own audit events beside the desktop's history: one timeline, and what it comes to.

use crate::{AuditEntryView, Outcome, Shown};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who tells of something: this desktop, or a cluster's API servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TimelineSide {
    /// This desktop's history.
    Own,
    /// The audit events of a cluster's API servers.
    Cluster,
}

/// What of the timeline is wanted; what is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(optional_fields)]
pub struct TimelineFilter {
    /// One side alone.
    pub side: Option<TimelineSide>,
    /// A cluster's name.
    pub cluster: Option<String>,
    /// Who called, whom they impersonated, or by whom they were.
    pub person: Option<String>,
    /// The verb as authorizers see it.
    pub verb: Option<String>,
    /// As kubectl writes it: `pods`, `pods/exec`, `deployments.apps`.
    pub resource: Option<String>,
    /// A namespace.
    pub namespace: Option<String>,
    /// The object's name, to the letter.
    pub name: Option<String>,
    /// `403` or `4xx`; or how it went: `allowed` (let through, below 400), `denied` (what an authorizer forbade, and what
    /// the gateway refused) or `failed` (let through, 400 and more).
    pub code: Option<String>,
    /// A session's id.
    pub session: Option<String>,
    /// A request's UID.
    pub request: Option<String>,
    /// The text of an entry's action.
    pub action: Option<String>,
    /// Words to find.
    pub text: Option<String>,
    /// Not before, in Unix microseconds.
    pub from_us: Option<i64>,
    /// Before, in Unix microseconds.
    pub to_us: Option<i64>,
}

/// A page of the timeline, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TimelinePage {
    /// At most as many as asked.
    pub rows: Vec<TimelineRow>,
    /// Give this as `before` for the next page; none: this was the last.
    pub next: Option<Shown>,
    /// What it lacks.
    pub lacks: LacksView,
    /// Entries in the whole history.
    pub own_total: i64,
    /// Calls of clusters that are kept.
    pub cluster_total: i64,
}

/// What an answer lacks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LacksView {
    /// The time there was is over: there is more than was looked at.
    pub is_cut: bool,
    /// Events that are damaged; some of them may fit.
    pub damaged: i64,
    /// Files of the archive that could not be opened.
    pub unread_files: i64,
    /// Why nothing of the clusters' events could be looked at, if that is so.
    pub why: Option<Shown>,
    /// What log stores did not say.
    pub stores: Vec<StoreLacks>,
}

/// What a log store did not say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StoreLacks {
    /// Which, by its address's host and port.
    pub store: Shown,
    /// Why.
    pub why: Shown,
    /// Calls before that moment are missing, in Unix microseconds; without it all of this store's.
    pub before_us: Option<i64>,
    /// It has not answered yet: `evidence-changed` is told when it has.
    pub is_pending: bool,
    /// It could not be asked, or broke off: it may be back when it is asked again.
    pub has_failed: bool,
}

/// One row of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TimelineRow {
    /// Which one it is, for `audit_call` and `audit_raw`.
    pub id: Shown,
    /// When, in Unix microseconds: by the desktop's clock, or by the API server's.
    pub at_us: i64,
    /// Who tells of it.
    pub side: TimelineSide,
    /// In words.
    pub sentence: Shown,
    /// Who; may be empty.
    pub who: Shown,
    /// Where; may be empty.
    pub cluster: Shown,
    /// With which tool; may be empty.
    pub via: Shown,
    /// The HTTP status, for calls.
    pub status: Option<u16>,
    /// An entry's action, or a call's verb.
    pub word: Shown,
    /// How it went.
    pub outcome: Outcome,
    /// Evidence is missing here (P19).
    pub gap: bool,
    /// What a cluster's call belongs to, or by which call the cluster tells of an entry.
    pub tie: Option<TieView>,
    /// The command of kubectl it is part of, where kubectl said so to the gateway.
    pub command: Option<CommandView>,
    /// The entry, of a row of the history.
    pub entry: Option<Box<AuditEntryView>>,
}

/// The command of kubectl that a call is part of, by what kubectl says of itself (KEP-859).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CommandView {
    /// Which one: whatever has the same is one command, of one session.
    pub id: Shown,
    /// What it is called, without its arguments: `kubectl get`; may be empty.
    pub name: Shown,
    /// Which call: the beginning and the end of a stream are one, and so are rows of both sides.
    pub call: Shown,
    /// How much that call says of what the command did.
    pub says: CommandCall,
}

/// How much a call says of what its command did, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CommandCall {
    /// It asks what there is, or what one may do.
    Asks,
    /// It reads.
    Reads,
    /// It changes something, or reaches into a pod.
    Acts,
}

/// By what a cluster's call was tied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TieBy {
    /// The id that the gateway minted for it, with its JTI.
    AuditId,
    /// The JTI of the session.
    Jti,
    /// The session's ServiceAccount.
    Account,
    /// The mint of the session's JTI.
    Issued,
    /// The person and the time: inferred.
    UserAndTime,
}

/// What a cluster's call belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TieView {
    /// By what.
    pub by: TieBy,
    /// It may be wrong.
    pub is_inferred: bool,
    /// The request behind it.
    pub request: Shown,
    /// The session on this desktop.
    pub session: Option<Shown>,
    /// Whose that is.
    pub who: Option<Shown>,
    /// The row of the cluster's call, where this is one of the history.
    pub call: Option<Shown>,
}

/// How many, over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistogramView {
    /// Where the first bin begins, in Unix microseconds.
    pub from_us: i64,
    /// How long each is, in microseconds.
    pub step_us: i64,
    /// Each stretch of time.
    pub bins: Vec<HistogramBin>,
    /// What it lacks.
    pub lacks: LacksView,
}

/// One stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistogramBin {
    /// Entries of the history.
    pub own: u32,
    /// Calls that clusters tell of.
    pub calls: u32,
    /// Entries and calls that were refused or failed; among the others.
    pub failed: u32,
}

/// How many calls, by cluster and day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HeatView {
    /// Where the first day begins, in Unix microseconds: a full hour.
    pub from_us: i64,
    /// How long each is, in microseconds.
    pub step_us: i64,
    /// The clusters by their names; of too many those with the most calls.
    pub clusters: Vec<HeatRow>,
    /// Clusters that are left out: there are too many.
    pub more: u32,
    /// Log stores that are named: what they have is not in it.
    pub stores: u32,
    /// What it lacks.
    pub lacks: LacksView,
}

/// One cluster's calls, day by day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HeatRow {
    /// Which.
    pub cluster: Shown,
    /// Each day.
    pub days: Vec<HeatDay>,
}

/// One cluster's calls of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HeatDay {
    /// All of them.
    pub calls: i64,
    /// Those that are no get, list or watch.
    pub writes: i64,
    /// Those with a status of 400 and more, or denied.
    pub failed: i64,
    /// Those that were denied.
    pub denied: i64,
}

/// By what the timeline is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TimelineFacet {
    /// Who.
    Person,
    /// Where.
    Cluster,
    /// The verb.
    Verb,
    /// The resource.
    Resource,
    /// The namespace.
    Namespace,
    /// The HTTP status.
    Code,
    /// What this desktop did.
    Action,
    /// In which session of this desktop.
    Session,
}

/// The most frequent of a facet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TopView {
    /// The most frequent first.
    pub first: Vec<TopLine>,
    /// All others together.
    pub others: i64,
    /// What it lacks.
    pub lacks: LacksView,
}

/// How often something occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TopLine {
    /// What.
    pub text: Shown,
    /// How often.
    pub calls: i64,
}

/// Where a fact of a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FactCame {
    /// As it stands in the event.
    Raw,
    /// Brought into one form.
    Normalised,
    /// Worked out from something else in the event.
    Inferred,
}

/// One fact of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FactView {
    /// What it is called.
    pub name: Shown,
    /// What it is.
    pub value: Shown,
    /// Where it comes from.
    pub came: FactCame,
}

/// Where a line begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlaceView {
    /// The file, by how it begins.
    pub file: Shown,
    /// The byte at which its line begins.
    pub offset: i64,
}

/// One call of a cluster, with all that is told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallDetail {
    /// Its row.
    pub row: TimelineRow,
    /// Named facts.
    pub facts: Vec<FactView>,
    /// What is wrong with the line it comes from.
    pub flaws: Vec<Shown>,
    /// It carries the id of a call that somebody else made.
    pub borrows_an_id: bool,
    /// Where it was read: the source, or the log store.
    pub source: Shown,
    /// The place in a file; none in a log store, whose records have no place that means anything.
    pub place: Option<PlaceView>,
    /// How many secrets were taken out before it was stored (P20).
    pub redactions: u32,
}

/// An object of which is asked who deleted it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(optional_fields)]
pub struct DeletedQuestion {
    /// On which cluster; on any without it.
    pub cluster: Option<String>,
    /// The resource or the kind, as people write it: `deployment`, `pods`, `deployments.apps`.
    pub resource: String,
    /// The namespace; none for what is in none.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// What may have removed an object, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeletedView {
    /// The resource that was looked for, as kubectl writes it.
    pub resource: Shown,
    /// The calls.
    pub found: Vec<DeletionLine>,
    /// There are older ones.
    pub has_more: bool,
    /// Events that say only that such a call began.
    pub begun: i64,
    /// Events that break off before they say about what they are.
    pub untold: i64,
    /// What the answer lacks.
    pub lacks: LacksView,
}

/// How a call removes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DeletedHow {
    /// By its name.
    Named,
    /// With others of its kind.
    Collection,
    /// With its namespace.
    Namespace,
    /// By an eviction.
    Evicted,
    /// With its kind.
    Kind,
}

/// A call that may have removed an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeletionLine {
    /// The call.
    pub row: TimelineRow,
    /// How it may have.
    pub how: DeletedHow,
}

/// One session, by its request: what was asked for, what was done, and how that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionEvidence {
    /// The request's UID.
    pub request: Shown,
    /// The session on this desktop, if it came to one.
    pub session: Option<Shown>,
    /// Whose it was.
    pub who: Shown,
    /// Where.
    pub cluster: Shown,
    /// Under which profile.
    pub profile: Shown,
    /// Why it was asked for.
    pub reason: Shown,
    /// The first that is known of it, in Unix microseconds.
    pub from_us: i64,
    /// The last.
    pub to_us: i64,
    /// It is over.
    pub is_over: bool,
    /// From signing in to the last proof, oldest first and without its calls: the steps of this desktop, and what the
    /// cluster tells of the session's account, its token and its bindings.
    pub chain: Vec<TimelineRow>,
    /// There are more entries than were looked at.
    pub has_more: bool,
    /// Calls that the gateway sent.
    pub gateway: i64,
    /// Calls by this session that the cluster tells of.
    pub seen: i64,
    /// Calls that both tell of.
    pub joined: i64,
    /// By what the cluster's calls are tied, and how many by each.
    pub ties: Vec<TieCount>,
    /// Questions about its own rights and the removal of its grant, which Sallyport makes past the gateway.
    pub asked: i64,
    /// Calls of a time at which this desktop's record does not say enough.
    pub unclear: i64,
    /// Calls that the gateway did not send.
    pub bypasses: Vec<BypassLine>,
    /// Calls of the gateway that the cluster does not tell of: the first of them.
    pub unseen: Vec<UnseenLine>,
    /// How many of those there are.
    pub unseen_count: i64,
    /// What was used, by resource.
    pub used: Vec<UsedLine>,
    /// How many rules were granted, as far as that is on record.
    pub granted_rules: Option<u32>,
    /// What was granted and no call used; none where the rules are not on record.
    pub unused: Option<UnusedView>,
    /// A role that would have been enough, as YAML, line by line; none where nothing was used.
    pub role: Vec<Shown>,
    /// How many rules that has.
    pub role_rules: u32,
    /// What the answer lacks.
    pub lacks: LacksView,
}

/// How many calls were tied by something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TieCount {
    /// By what.
    pub by: TieBy,
    /// How many.
    pub calls: u32,
}

/// A call with a session's JTI or account that its gateway did not send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BypassLine {
    /// The call.
    pub row: TimelineRow,
    /// It has the id of a call that the gateway sent, and is not that call.
    pub reuses_an_id: bool,
    /// From where.
    pub address: Shown,
}

/// A call of the gateway of which the cluster does not tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UnseenLine {
    /// When, in Unix microseconds.
    pub at_us: i64,
    /// Its address.
    pub address: Shown,
    /// What may be behind it, in words; none: nothing that is known explains it.
    pub innocent: Vec<Shown>,
}

/// What was used of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsedLine {
    /// As kubectl writes it.
    pub resource: Shown,
    /// The verbs.
    pub verbs: Vec<Shown>,
    /// How often.
    pub times: i64,
    /// How often it was refused.
    pub denied: i64,
}

/// What was granted and no call used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UnusedView {
    /// The first of it.
    pub lines: Vec<UnusedLine>,
    /// How many lines more there are.
    pub more: i64,
    /// Rules of which nothing at all was used.
    pub rules: u32,
    /// Rules of which this can't be said: they are not on record, or too large to be looked at part by part.
    pub untold: u32,
}

/// What no call used: these verbs on these resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UnusedLine {
    /// As kubectl writes them, and paths.
    pub of: Vec<Shown>,
    /// The verbs; `*` is every verb that was not used.
    pub verbs: Vec<Shown>,
}

/// One person or one cluster over a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AboutView {
    /// Entries of this desktop's history.
    pub own: i64,
    /// Calls that clusters tell of.
    pub calls: i64,
    /// Calls that were refused for want of rights.
    pub denied: i64,
    /// Calls that changed something.
    pub writes: i64,
    /// People, for a cluster; clusters, for a person.
    pub others: TopView,
    /// The verbs.
    pub verbs: TopView,
    /// The resources.
    pub resources: TopView,
    /// Sessions of this desktop, the newest first.
    pub sessions: Vec<SessionLine>,
    /// There are older sessions.
    pub has_more: bool,
    /// Reviews of this access in this desktop's history, whenever they were, the newest first; at most 20.
    pub reviews: Vec<ReviewView>,
    /// There are older reviews.
    pub has_more_reviews: bool,
    /// What the answer lacks.
    pub lacks: LacksView,
}

/// What is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ReviewOf {
    /// What one person did.
    Person,
    /// What was done on one cluster.
    Cluster,
    /// What people hold on one cluster whatever anybody asks for.
    Standing,
}

/// What came of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ReviewRuling {
    /// It is right as it is.
    Kept,
    /// Something of it is to go.
    ToBeRemoved,
}

/// A review to be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(optional_fields)]
pub struct ReviewInput {
    /// Of what.
    pub of: ReviewOf,
    /// The person's name, or the cluster's.
    pub name: String,
    /// From when on, in Unix microseconds; None: from the beginning of what is kept.
    pub from_us: Option<i64>,
    /// Before when; None, or later than now: until now.
    pub to_us: Option<i64>,
    /// What came of it.
    pub ruling: ReviewRuling,
    /// Beside it, at most 1000 characters; where something is to be removed, it says what.
    pub note: String,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReviewView {
    /// Its entry's place.
    pub sequence: i64,
    /// When, in Unix microseconds.
    pub at_us: i64,
    /// By whom.
    pub by: Shown,
    /// The reviewer is the person whose access it is.
    pub is_own: bool,
    /// Of what.
    pub of: ReviewOf,
    /// From when on; None: from the beginning of what was kept.
    pub from_us: Option<i64>,
    /// Before when.
    pub to_us: i64,
    /// What came of it.
    pub ruling: ReviewRuling,
    /// Beside it; may be empty.
    pub note: Shown,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionLine {
    /// Its request.
    pub request: Shown,
    /// Whose.
    pub who: Shown,
    /// Where.
    pub cluster: Shown,
    /// Under which profile.
    pub profile: Shown,
    /// When it was asked for, in Unix microseconds.
    pub at_us: i64,
}

/// Where the clusters' audit events come from, and what is kept of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SourcesView {
    /// Each source.
    pub sources: Vec<SourceView>,
    /// Events that are kept.
    pub events: i64,
    /// Bytes on disk.
    pub bytes: i64,
    /// The first moment that is told of, in Unix microseconds.
    pub from_us: Option<i64>,
    /// The last.
    pub to_us: Option<i64>,
    /// Events that were removed since the archive was begun: they were too old or too many.
    pub removed: i64,
    /// How many days events are kept; without it as long as they fit.
    pub keep_days: Option<u32>,
    /// How many bytes they may take.
    pub keep_bytes: i64,
    /// What is wrong with the archive, in words.
    pub problems: Vec<Shown>,
    /// New events are looked for while somebody looks.
    pub follows: bool,
}

/// What a source does just now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SourceState {
    /// It was never read since Sallyport started.
    Idle,
    /// It is being read.
    Reading {
        /// Files that were read.
        files: u32,
        /// Of so many.
        of: u32,
    },
    /// It was read.
    Read {
        /// When, in Unix milliseconds.
        at: i64,
        /// Events that came to those there were.
        events: i64,
        /// Lines that could not be read.
        bad: i64,
        /// Records that are no audit events.
        foreign: i64,
        /// Files that could not be read to their end, and what was passed over: the first of them, in words.
        left: Vec<Shown>,
        /// How many of those there are.
        left_count: i64,
    },
    /// It is a log store that answered; it is asked in place, whenever the timeline is looked at.
    Answered {
        /// When, in Unix milliseconds.
        at: i64,
        /// How long it took, in milliseconds.
        took_ms: i64,
        /// Records that it gave.
        records: i64,
        /// Records that could not be read.
        bad: i64,
        /// Records that are no audit events, of another cluster, or there twice.
        foreign: i64,
    },
    /// It could not be read.
    Failed {
        /// When, in Unix milliseconds.
        at: i64,
        /// Why, and what to do.
        why: Shown,
    },
}

/// Where one cluster's audit events come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SourceView {
    /// Its id.
    pub id: Shown,
    /// The cluster whose API servers wrote there; empty for every cluster that a log store names.
    pub cluster: Shown,
    /// A file, or a folder with all below it; a log store's address.
    pub path: Shown,
    /// It is a log store, and asked in place.
    pub is_store: bool,
    /// What it does.
    pub state: SourceState,
    /// What was counted of it over all times, `what` and `how often`.
    pub tallies: Vec<(Shown, i64)>,
}

/// A log store that is to be asked in place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(optional_fields)]
pub struct StoreDraft {
    /// What it speaks and where it is: `victorialogs:https://logs.example:9428`, `loki:https://…`.
    pub address: String,
    /// The cluster; every cluster that the store names without it.
    pub cluster: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// Which records, in the store's own language; those that name the cluster without it.
    pub filter: Option<String>,
    /// The path of a file with a bearer token, or with what stands behind `Authorization:`.
    pub authorization_file: Option<String>,
    /// The path of a file with authorities to believe beside the system's, PEM.
    pub ca_file: Option<String>,
}

/// A filter that is kept under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedFilter {
    /// What it is called.
    pub name: Shown,
    /// What it wants.
    pub filter: TimelineFilter,
}
