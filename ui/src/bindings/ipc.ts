// Made by `cargo run -p sallyport-ipc --bin bindings`. Change crates/ipc instead.

/**
 * One person or one cluster over a range.
 */
export type AboutView = { 
/**
 * Entries of this desktop's history.
 */
own: number, 
/**
 * Calls that clusters tell of.
 */
calls: number, 
/**
 * Calls that were refused for want of rights.
 */
denied: number, 
/**
 * Calls that changed something.
 */
writes: number, 
/**
 * People, for a cluster; clusters, for a person.
 */
others: TopView, 
/**
 * The verbs.
 */
verbs: TopView, 
/**
 * The resources.
 */
resources: TopView, 
/**
 * Sessions of this desktop, the newest first.
 */
sessions: Array<SessionLine>, 
/**
 * There are older sessions.
 */
hasMore: boolean, 
/**
 * Reviews of this access in this desktop's history, whenever they were, the newest first; at most 20.
 */
reviews: Array<ReviewView>, 
/**
 * There are older reviews.
 */
hasMoreReviews: boolean, 
/**
 * What the answer lacks.
 */
lacks: LacksView, };

/**
 * Everything around the views: who is signed in, to which hub, and how the parts under it are.
 */
export type AppState = { 
/**
 * Which of the three faces the window shows.
 */
phase: Phase, 
/**
 * The hub joined, once one is.
 */
workspace: WorkspaceView | null, 
/**
 * Who is signed in.
 */
user: User | null, 
/**
 * The sign-in under way, or the one that just failed.
 */
signIn: SignIn | null, 
/**
 * Where the refresh token is kept.
 */
vault: Vault, 
/**
 * The connection to the hub.
 */
hub: HubState, 
/**
 * This machine's clock minus the hub's, from its `Date`; positive: ahead. None before the first answer.
 */
clockSkewMs: number | null, 
/**
 * The demo door.
 */
demo: Demo, 
/**
 * What to know about the identity provider and the sign-in, a sentence or two each: what will not work and why.
 */
notes: Array<Shown>, 
/**
 * The chosen theme.
 */
theme: Theme, 
/**
 * The size of terminals' text, in CSS pixels.
 */
fontSize: number, 
/**
 * How long is asked for first, as the person chose; None: as last time, else 1 h.
 */
defaultSeconds: number | null, 
/**
 * When a paste into a terminal is asked about.
 */
paste: PasteAsks, 
/**
 * Requests that wait for this person's yes or no.
 */
toDecide: number, 
/**
 * Ends of what others have open that this person said and a hub has not heard: they are kept here alone, for as long as
 * this run and the sign-in there go on. Of each workspace where there are some, the one in front first.
 */
untold: Array<UntoldEnds>, 
/**
 * What is held on the hub, the newest first: nobody held asks for anything or keeps anything open.
 */
holds: Array<HoldView>, 
/**
 * Whether this person may hold.
 */
mayHold: boolean, 
/**
 * The local history.
 */
history: HistoryState, 
/**
 * What this start found left over from the last run, and what became of it. Empty when nothing was.
 */
cleanup: Array<Cleanup>, 
/**
 * `linux`, `macos` or `windows`: decides the keys.
 */
platform: string, 
/**
 * The version of the app.
 */
version: string, };

/**
 * One person's yes.
 */
export type ApprovalView = { 
/**
 * Who.
 */
by: Shown, 
/**
 * When.
 */
at: number, 
/**
 * It is to the offer as it stands.
 */
counts: boolean, 
/**
 * What they took off; None: nothing.
 */
limits: LimitsView | null, };

/**
 * One entry of the history.
 */
export type AuditEntryView = { 
/**
 * Its place in the chain.
 */
sequence: number, 
/**
 * When, in Unix microseconds.
 */
atUs: number, 
/**
 * The action's stable text: `call`, `rights_gone`, `gap`.
 */
action: string, 
/**
 * In words: "Asked for debug on payments-eu-1".
 */
sentence: Shown, 
/**
 * How it went.
 */
outcome: Outcome, 
/**
 * Who; may be empty.
 */
user: Shown, 
/**
 * Where; may be empty.
 */
cluster: Shown, 
/**
 * With which tool: `kubectl exec`; may be empty.
 */
via: Shown, 
/**
 * The API server's answer, for calls.
 */
status: number | null, 
/**
 * What it joins with.
 */
ids: AuditIds, 
/**
 * Further facts, `name` and `value`.
 */
detail: Array<[Shown, Shown]>, 
/**
 * How many secrets were taken out before it was stored (P20).
 */
redactions: number, 
/**
 * Evidence is missing here (P19): drawn hatched.
 */
gap: boolean, };

/**
 * Which entries to show; what is left out matches everything.
 */
export type AuditFilter = { 
/**
 * A cluster's name.
 */
cluster?: string, 
/**
 * A session's id.
 */
session?: string, 
/**
 * A user's name.
 */
user?: string, 
/**
 * An action's text, as in an entry.
 */
action?: string, 
/**
 * Words to find in the entry.
 */
text?: string, 
/**
 * Not before.
 */
from?: number, 
/**
 * Not after.
 */
to?: number, };

/**
 * What an entry joins with.
 */
export type AuditIds = { 
/**
 * The request on the hub.
 */
request: Shown | null, 
/**
 * The grant on the target.
 */
grant: Shown | null, 
/**
 * The session on this desktop.
 */
session: Shown | null, 
/**
 * The `jti` claim; the API server's audit has the same.
 */
jti: Shown | null, 
/**
 * The `Audit-ID` of one call; the API server's audit has the same.
 */
auditId: Shown | null, };

/**
 * Entries, newest first.
 */
export type AuditPage = { 
/**
 * At most as many as asked.
 */
entries: Array<AuditEntryView>, 
/**
 * Give this as `before` for the next page; None: this was the last.
 */
next: number | null, 
/**
 * Entries in the whole history, whatever the filter.
 */
total: number, };

/**
 * Where the history stands.
 */
export type AuditPosition = { 
/**
 * The newest entry's place.
 */
sequence: number, };

/**
 * The autoApproval that stands for all approvals of a request.
 */
export type AutoApprovalView = { 
/**
 * Its name in the profile.
 */
name: Shown, 
/**
 * What its conditions saw.
 */
saw: Shown, 
/**
 * When it was met.
 */
at: number, };

/**
 * What somebody did under one profile before, as far as the hub keeps it.
 */
export type BeforeView = { 
/**
 * Closed requests that had rights.
 */
opened: number, 
/**
 * Closed ones that never had.
 */
neverOpened: number, 
/**
 * When the last one was asked for; None also where not all were read: which was the last is not known then.
 */
lastAt: number | null, 
/**
 * How that ended, in words.
 */
lastEnded: Shown | null, 
/**
 * There are more than were counted.
 */
more: boolean, };

/**
 * A session that the requester has open beside.
 */
export type BesideView = { 
/**
 * Under which profile.
 */
profile: Shown, 
/**
 * When it ends.
 */
endsAt: number, };

/**
 * A cluster's broker, by its sign of life on the hub.
 */
export type Broker = { 
/**
 * The last sign of life, as of when it was last looked. None: never seen.
 */
seenAt: number | null, 
/**
 * Its version.
 */
version: Shown | null, 
/**
 * Too long ago to hope for an answer, when it was last looked.
 */
silent: boolean, };

/**
 * A file of it.
 */
export type BundleFile = { 
/**
 * Its name in the archive.
 */
name: string, 
/**
 * Its lines; each ends with a line feed in the file.
 */
lines: Array<Shown>, };

/**
 * A support bundle as it would be written, all of it: nothing is in the file that is not here.
 */
export type BundleView = { 
/**
 * Which one it is: only what was shown is written.
 */
id: string, 
/**
 * Its files, in order.
 */
files: Array<BundleFile>, 
/**
 * Where it would be written unless the person names another place.
 */
place: Shown, 
/**
 * How many things that look like a secret were taken out.
 */
redactions: number, };

/**
 * A call with a session's JTI or account that its gateway did not send.
 */
export type BypassLine = { 
/**
 * The call.
 */
row: TimelineRow, 
/**
 * It has the id of a call that the gateway sent, and is not that call.
 */
reusesAnId: boolean, 
/**
 * From where.
 */
address: Shown, };

/**
 * One call through the gateway.
 */
export type Call = { 
/**
 * `list`, `get`, `create`, …
 */
verb: Shown, 
/**
 * `pods`, `pods/log`, or a path.
 */
resource: Shown, 
/**
 * Answer; None while it runs.
 */
status: number | null, 
/**
 * Took; None while it runs.
 */
ms: number | null, };

/**
 * One call of a cluster, with all that is told of it.
 */
export type CallDetail = { 
/**
 * Its row.
 */
row: TimelineRow, 
/**
 * Named facts.
 */
facts: Array<FactView>, 
/**
 * What is wrong with the line it comes from.
 */
flaws: Array<Shown>, 
/**
 * It carries the id of a call that somebody else made.
 */
borrowsAnId: boolean, 
/**
 * Where it was read: the source, or the log store.
 */
source: Shown, 
/**
 * The place in a file; none in a log store, whose records have no place that means anything.
 */
place: PlaceView | null, 
/**
 * How many secrets were taken out before it was stored (P20).
 */
redactions: number, };

/**
 * What went through a session's gateway.
 */
export type Calls = { 
/**
 * All of them.
 */
total: number, 
/**
 * Those answered 401 or 403.
 */
refused: number, 
/**
 * The last 20, newest first.
 */
recent: Array<Call>, };

/**
 * A reason that still holds.
 */
export type Carried = { 
/**
 * The reason.
 */
text: Shown, 
/**
 * Until when it is offered.
 */
until: number, };

/**
 * A check and what it came to on a cluster.
 */
export type CheckLine = { 
/**
 * `RB-04`.
 */
id: Shown, 
/**
 * What is wrong where it fails.
 */
title: Shown, 
/**
 * In which column it counts.
 */
area: PostureArea, 
/**
 * What it came to.
 */
verdict: PostureVerdict, 
/**
 * Why it is not known, or where to look.
 */
why: Shown | null, 
/**
 * How many findings.
 */
findings: number, };

/**
 * One thing the last run left over.
 */
export type Cleanup = { 
/**
 * One sentence: "A session on payments-eu-1 was still open".
 */
what: Shown, 
/**
 * What shows that it is gone.
 */
proof: CleanupProof, };

/**
 * What shows that a leftover is gone.
 */
export type CleanupProof = { "kind": "running" } | { "kind": "removed" } | { "kind": "byBroker" } | { "kind": "byProbe" } | { "kind": "unproven", 
/**
 * Why.
 */
why: Shown, };

/**
 * How far an end is.
 */
export type ClosingState = "untold" | "refused" | "told" | "hindered" | "unreached" | "proven" | "unproven";

/**
 * How far the end of a request is that somebody ended.
 */
export type ClosingView = { 
/**
 * How far.
 */
state: ClosingState, 
/**
 * Its broker's words: what is left and why, or what was removed; None: it has said nothing of it. Of an end that the hub
 * has not heard, why it has not.
 */
said: Shown | null, 
/**
 * When its broker gave its last sign of life, where that is too long ago; None: it is heard, or never was.
 */
seenAt: number | null, 
/**
 * From when on the API server refuses what may be left of it, with nobody acting (P10); None: it has no rights.
 */
refusedFrom: number | null, 
/**
 * Since when this desktop keeps the end, which the hub has not heard; None: the hub has it.
 */
keptSince: number | null, };

/**
 * One cluster with the profiles this person may ask for there.
 */
export type ClusterDetail = { 
/**
 * As in the list.
 */
cluster: ClusterView, 
/**
 * Host and port of its API server.
 */
endpoint: Shown, 
/**
 * Whether the target's guardrails are in force.
 */
guardrails: Guardrails, 
/**
 * The narrowest first.
 */
profiles: Array<ProfileView>, 
/**
 * What one click would take of `profiles`; None: nothing opens here.
 */
chosen: Shown | null, 
/**
 * What was opened here last.
 */
last: LastOpening | null, 
/**
 * The reason carried from the last opening (8 h).
 */
reason: Carried | null, };

/**
 * One cluster in the list.
 */
export type ClusterView = { 
/**
 * The name on the hub.
 */
name: Shown, 
/**
 * For people; equals the name when there is none.
 */
displayName: Shown, 
/**
 * Colour of the environment.
 */
environment: EnvironmentKind, 
/**
 * Its word, as the hub writes it.
 */
environmentWord: Shown, 
/**
 * EKS, GKE, kubeadm, …; may be empty.
 */
provider: Shown, 
/**
 * May be empty.
 */
region: Shown, 
/**
 * Kubernetes' version as the broker reports it; may be empty.
 */
version: Shown, 
/**
 * Pinned by this person.
 */
pinned: boolean, 
/**
 * When this person last opened it.
 */
lastUsed: number | null, 
/**
 * Its broker.
 */
broker: Broker, 
/**
 * What a click would do.
 */
way: Way, };

/**
 * The inventory as last seen.
 */
export type ClustersView = { 
/**
 * Sorted by name.
 */
clusters: Array<ClusterView>, 
/**
 * When the hub last confirmed this list. None: it never did, the list is still loading.
 */
asOf: number | null, 
/**
 * Objects that could not be read, one sentence each: they are missing above.
 */
problems: Array<Shown>, };

/**
 * How much a call says of what its command did, the least first.
 */
export type CommandCall = "asks" | "reads" | "acts";

/**
 * The command of kubectl that a call is part of, by what kubectl says of itself (KEP-859).
 */
export type CommandView = { 
/**
 * Which one: whatever has the same is one command, of one session.
 */
id: Shown, 
/**
 * What it is called, without its arguments: `kubectl get`; may be empty.
 */
name: Shown, 
/**
 * Which call: the beginning and the end of a stream are one, and so are rows of both sides.
 */
call: Shown, 
/**
 * How much that call says of what the command did.
 */
says: CommandCall, };

/**
 * Somebody's way.
 */
export type CrossingLine = { 
/**
 * `group oidc:payments-dev`, of the first cluster.
 */
subject: Shown, 
/**
 * Step by step to what it ends in.
 */
steps: Array<PathStep>, 
/**
 * Which step leads across, from 0: those after it are steps in the other cluster.
 */
across: number, };

/**
 * Ways from one cluster into another, to everything there.
 */
export type CrossingsView = { 
/**
 * Everybody's shortest, the shortest first.
 */
ways: Array<CrossingLine>, 
/**
 * So many more than are listed.
 */
more: number, 
/**
 * Why there may be others, a sentence each.
 */
gaps: Array<Shown>, };

/**
 * A person's day under a profile on a cluster.
 */
export type DayView = { 
/**
 * All of it.
 */
mostSeconds: number, 
/**
 * What is left, by what this person may read: an estimate. None: it could not be read.
 */
leftSeconds: number | null, 
/**
 * What is about to be asked for is left, or that is not known.
 */
fits: boolean, };

/**
 * Whether this person may decide, as far as the desktop knows. The hub's API server decides.
 */
export type Decide = "yes" | "own" | "notYours" | "notKnown" | "unsound" | "enough" | "said" | "noOffer" | "over";

/**
 * How a call removes an object.
 */
export type DeletedHow = "named" | "collection" | "namespace" | "evicted" | "kind";

/**
 * An object of which is asked who deleted it.
 */
export type DeletedQuestion = { 
/**
 * On which cluster; on any without it.
 */
cluster?: string, 
/**
 * The resource or the kind, as people write it: `deployment`, `pods`, `deployments.apps`.
 */
resource: string, 
/**
 * The namespace; none for what is in none.
 */
namespace?: string, 
/**
 * The name.
 */
name: string, };

/**
 * What may have removed an object, newest first.
 */
export type DeletedView = { 
/**
 * The resource that was looked for, as kubectl writes it.
 */
resource: Shown, 
/**
 * The calls.
 */
found: Array<DeletionLine>, 
/**
 * There are older ones.
 */
hasMore: boolean, 
/**
 * Events that say only that such a call began.
 */
begun: number, 
/**
 * Events that break off before they say about what they are.
 */
untold: number, 
/**
 * What the answer lacks.
 */
lacks: LacksView, };

/**
 * A call that may have removed an object.
 */
export type DeletionLine = { 
/**
 * The call.
 */
row: TimelineRow, 
/**
 * How it may have.
 */
how: DeletedHow, };

/**
 * The demo door.
 */
export type Demo = { "kind": "none" } | { "kind": "offered" } | { "kind": "starting", 
/**
 * One line.
 */
detail: Shown, } | { "kind": "running" };

/**
 * What is another since the last look.
 */
export type Drift = { 
/**
 * When that was.
 */
since: number, 
/**
 * What widens first.
 */
lines: Array<DriftLine>, 
/**
 * So many more than are shown.
 */
more: number, };

/**
 * One thing that is another.
 */
export type DriftLine = { 
/**
 * Whether somebody can do more.
 */
way: DriftWay, 
/**
 * Whom or what it is about.
 */
about: Shown, 
/**
 * What changed, in words.
 */
text: Shown, };

/**
 * Which way it went.
 */
export type DriftWay = "wider" | "other" | "narrower";

/**
 * One thing that a fix would do.
 */
export type EffectLine = { 
/**
 * Whom or what it is about.
 */
about: Shown, 
/**
 * What they lose, in words.
 */
text: Shown, 
/**
 * Whether it is known that somebody used it lately.
 */
used: Shown | null, };

/**
 * Why a request is Closed. On an object it is the reason of the condition `Ended` ([`fmt::Display`], [`FromStr`]).
 */
export type EndReason = "left" | "expired" | "revoked" | "denied" | "unanswered" | "failed";

/**
 * Whether the hub has heard the end of a request.
 */
export type EndTold = "told" | "notYet";

/**
 * Why and by whom a session ended.
 */
export type Ended = { 
/**
 * Why.
 */
reason: EndReason, 
/**
 * By whom, when it was not the person themself.
 */
by: Shown | null, 
/**
 * In their words.
 */
message: Shown | null, 
/**
 * When.
 */
at: number, };

/**
 * Colour of an environment.
 */
export type EnvironmentKind = "prod" | "stage" | "dev" | "other";

/**
 * What the window branches on when something went wrong. A code exists only where the UI does something of its
 * own with it; everything else is [`ErrorCode::Failed`] with a good sentence.
 */
export type ErrorCode = "signInNeeded" | "stepUpNeeded" | "cancelled" | "unreachable" | "forbidden" | "profileChanged" | "reasonNeeded" | "badInput" | "failed";

/**
 * The failure of a command or of a session, as the window shows it. The chain of causes is in the log, once.
 */
export type ErrorView = { 
/**
 * What the window branches on.
 */
code: ErrorCode, 
/**
 * What happened and what was tried, one sentence.
 */
message: Shown, 
/**
 * What to do next, one sentence.
 */
hint: Shown | null, 
/**
 * Whether trying the same again can help.
 */
retry: boolean, 
/**
 * With [`ErrorCode::StepUpNeeded`]: what `sign_in` must ask the identity provider for.
 */
stepUp: StepUp | null, };

/**
 * What the desktop tells the window. Sessions and state are told whole, so a lost event is healed by the next;
 * the lists are only hinted at and fetched again. Coalesce: a session at most every 250 ms except when a step
 * or line of proof changed, the hints at most once a second.
 */
export type Event = { "kind": "state", 
/**
 * All of it.
 */
state: AppState, } | { "kind": "session", 
/**
 * All of it.
 */
session: SessionView, } | { "kind": "sessionGone", 
/**
 * Which.
 */
id: string, } | { "kind": "clustersChanged" } | { "kind": "requestsChanged" } | { "kind": "postureChanged" } | { "kind": "historyGrew", 
/**
 * To where.
 */
position: AuditPosition, } | { "kind": "evidenceChanged" } | { "kind": "exporting", 
/**
 * Entries and calls that were looked at.
 */
done: number, 
/**
 * Of so many, as far as they were counted.
 */
of: number, } | { "kind": "notice", 
/**
 * What.
 */
notice: Notice, } | { "kind": "quitAsked" } | { "kind": "go", 
/**
 * Where.
 */
to: Goal, };

/**
 * An object that proves a finding.
 */
export type EvidenceLine = { 
/**
 * `ClusterRoleBinding deployer`.
 */
binding: Shown | null, 
/**
 * `ClusterRole deployer`, or the object itself.
 */
role: Shown, 
/**
 * The rule in words.
 */
rule: Shown | null, };

/**
 * An exception to be made.
 */
export type ExceptionInput = { 
/**
 * The check.
 */
check: string, 
/**
 * The clusters, by name or glob.
 */
clusters: string, 
/**
 * The finding it is made from, whose subject and object it is for; None: all that the check finds there.
 */
finding?: string, 
/**
 * Who answers for it.
 */
owner: string, 
/**
 * Why.
 */
reason: string, 
/**
 * Until when, at most a year away.
 */
until: number, };

/**
 * What somebody answers for: it is found and counts no more.
 */
export type ExceptionView = { 
/**
 * Which.
 */
id: string, 
/**
 * The check.
 */
check: Shown, 
/**
 * What that is about.
 */
title: Shown, 
/**
 * The clusters, by glob.
 */
clusters: Shown, 
/**
 * Whom or what it is about; None: all that the check finds there.
 */
about: Shown | null, 
/**
 * Who answers for it.
 */
owner: Shown, 
/**
 * Why.
 */
reason: Shown, 
/**
 * Until when it stands.
 */
until: number, 
/**
 * It is over, and what it was for counts again.
 */
isExpired: boolean, 
/**
 * How many findings it is for now; 0: it can be removed.
 */
matches: number, };

/**
 * As what a selection is handed on.
 */
export type ExportForm = "pack" | "jsonl" | "csv" | "ocsf" | "report";

/**
 * What is to be handed on.
 */
export type ExportInput = { 
/**
 * What of the timeline.
 */
filter: TimelineFilter, 
/**
 * As what.
 */
form: ExportForm, 
/**
 * The sessions whose recordings go with a pack, by their ids.
 */
recordings: Array<string>, 
/**
 * The clusters' events that the filter selects go with a pack.
 */
events: boolean, 
/**
 * Where to: a file that is not there yet.
 */
place: string, };

/**
 * What a filter selects, before it is handed on.
 */
export type ExportLook = { 
/**
 * Entries of this desktop's history.
 */
own: number, 
/**
 * Calls that clusters tell of.
 */
calls: number, 
/**
 * There may be more calls than were counted: the time was over, or something is damaged.
 */
isCut: boolean, 
/**
 * Why nothing of the clusters' events could be counted, if that is so.
 */
why: Shown | null, 
/**
 * Log stores, which are asked in place: what they have is not handed on.
 */
stores: Array<Shown>, 
/**
 * The history is sealed, so that a pack of it would prove something.
 */
isSealed: boolean, 
/**
 * Sessions of the selected entries of which recordings are kept, the newest first; at most 200.
 */
recorded: Array<RecordedSession>, 
/**
 * There are more of those.
 */
hasMore: boolean, 
/**
 * A place that can be used, without its ending.
 */
place: Shown, };

/**
 * What was handed on.
 */
export type ExportView = { 
/**
 * Where it is.
 */
place: Shown, 
/**
 * Entries in it.
 */
own: number, 
/**
 * Calls in it.
 */
calls: number, 
/**
 * Segments of recordings in it.
 */
recordings: number, 
/**
 * Bytes.
 */
bytes: number, 
/**
 * Its SHA-256, in hex.
 */
sha256: Shown, 
/**
 * The fingerprint of the key that sealed a pack.
 */
fingerprint: Shown | null, 
/**
 * What it lacks, in words.
 */
lacks: Array<Shown>, };

/**
 * Where a fact of a call comes from.
 */
export type FactCame = "raw" | "normalised" | "inferred";

/**
 * One fact of a call.
 */
export type FactView = { 
/**
 * What it is called.
 */
name: Shown, 
/**
 * What it is.
 */
value: Shown, 
/**
 * Where it comes from.
 */
came: FactCame, };

/**
 * One finding, whole.
 */
export type FindingDetail = { 
/**
 * As in the list.
 */
line: FindingLine, 
/**
 * Where.
 */
cluster: Shown, 
/**
 * What the check is about.
 */
title: Shown, 
/**
 * Why it matters here.
 */
why: Shown, 
/**
 * Who holds it.
 */
subject: Shown | null, 
/**
 * What kind of subject.
 */
subjectKind: SubjectKind | null, 
/**
 * What proves it: objects by kind, name and rule.
 */
evidence: Array<EvidenceLine>, 
/**
 * Step by step to what it ends in; empty: it leads nowhere else.
 */
path: Array<PathStep>, 
/**
 * Where the path ends: "everything".
 */
goal: Shown | null, 
/**
 * How many SubjectAccessReviews show the path, when they are asked.
 */
reviews: number, 
/**
 * What to do, where there is a change to make.
 */
fix: FixView | null, 
/**
 * What to do, in words.
 */
advice: Shown, 
/**
 * Ids of other catalogues: `CIS 5.1.1`.
 */
maps: Array<Shown>, 
/**
 * What was not read, and may hide more of it.
 */
gaps: Array<Shown>, };

/**
 * Something that was found.
 */
export type FindingLine = { 
/**
 * The same for the same finding of another scan.
 */
id: string, 
/**
 * The check.
 */
check: Shown, 
/**
 * In which column it counts.
 */
area: PostureArea, 
/**
 * How bad.
 */
severity: PostureSeverity, 
/**
 * A sentence.
 */
said: Shown, 
/**
 * Where it comes from.
 */
origin: FindingOrigin, 
/**
 * It has no effect.
 */
isInert: boolean, 
/**
 * Who answers for it, and until when.
 */
excepted: Shown | null, 
/**
 * It was not there in the scan before.
 */
isNew: boolean, };

/**
 * Where something comes from.
 */
export type FindingOrigin = "own" | "vendor" | "default";

/**
 * What came of applying a fix.
 */
export type FixApplied = { 
/**
 * When.
 */
at: number, 
/**
 * Whether it was made.
 */
made: FixMade, 
/**
 * Why not, or why nobody knows.
 */
said: Shown, };

/**
 * Whether a fix was made.
 */
export type FixMade = "applied" | "refused" | "unknown";

/**
 * A fix that was tried on the API server, which keeps nothing of it.
 */
export type FixTrial = { 
/**
 * By which it is applied; None: it can't be.
 */
id: string | null, 
/**
 * The session by which it was tried.
 */
session: string | null, 
/**
 * What came of it.
 */
state: FixTried, 
/**
 * The same in words.
 */
said: Shown, 
/**
 * Where no session would do: the profiles this person may ask for that would.
 */
profiles: Array<Shown>, };

/**
 * What came of trying a fix through a session.
 */
export type FixTried = "noSession" | "refused" | "taken";

/**
 * A change that would close it, and what it would do.
 */
export type FixView = { 
/**
 * In one line: "Take group payments-dev out of the ClusterRoleBinding deployer".
 */
title: Shown, 
/**
 * YAML to be applied, line by line.
 */
yaml: Array<Shown>, 
/**
 * The commands that make the change, one after the other.
 */
commands: Array<Shown>, 
/**
 * Text for a pull request, its title first, line by line.
 */
pullRequest: Array<Shown>, 
/**
 * Whether a session may make it: it sets a field of a workload and changes nobody's rights.
 */
inSession: boolean, 
/**
 * What it would do, worked out on what was scanned.
 */
effect: Array<EffectLine>, 
/**
 * So many more than are listed.
 */
effectMore: number, 
/**
 * Why it may do more or less than is listed: what was not read.
 */
gaps: Array<Shown>, 
/**
 * The path is closed by it; None: there is none, or that is not known.
 */
closes: boolean | null, 
/**
 * A profile that gives the same for as long as it is needed, as text, line by line; empty: none can.
 */
profile: Array<Shown>, 
/**
 * Why none can, or what is to be known of it.
 */
profileNote: Shown | null, };

/**
 * Where and for how long rights are given.
 */
export type GivenView = { 
/**
 * In which namespaces; empty: cluster-wide.
 */
namespaces: Array<Shown>, 
/**
 * How long.
 */
durationSeconds: number, };

/**
 * Where a notification leads.
 */
export type Goal = { "kind": "request", 
/**
 * Its UID.
 */
id: Shown, } | { "kind": "requests" } | { "kind": "session", 
/**
 * Which.
 */
id: Shown, } | { "kind": "sessions" };

/**
 * Whether guardrails are in force, and by what that is known (P12).
 */
export type GuardrailProof = { "kind": "inForce", 
/**
 * Since when every check says so.
 */
at: number, 
/**
 * Which API server answered.
 */
detail: Shown, } | { "kind": "asShipped", 
/**
 * When they were compared.
 */
at: number, 
/**
 * What was compared.
 */
detail: Shown, } | { "kind": "notInForce", 
/**
 * Since when every check says so.
 */
at: number, 
/**
 * What is not as shipped.
 */
detail: Shown, } | { "kind": "unknown", 
/**
 * Why.
 */
why: Shown, };

/**
 * Whether the rules that bound a session are in force on the target (P12), as its broker reports.
 */
export type Guardrails = { "kind": "verified", 
/**
 * Since when every check says so, by the broker's clock.
 */
at: number, 
/**
 * Which API server answered.
 */
detail: Shown, } | { "kind": "unverified", 
/**
 * Since when every check says so, by the broker's clock.
 */
at: number, 
/**
 * What is not as shipped.
 */
detail: Shown, } | { "kind": "unknown" };

/**
 * One cluster's calls of one day.
 */
export type HeatDay = { 
/**
 * All of them.
 */
calls: number, 
/**
 * Those that are no get, list or watch.
 */
writes: number, 
/**
 * Those with a status of 400 and more, or denied.
 */
failed: number, 
/**
 * Those that were denied.
 */
denied: number, };

/**
 * One cluster's calls, day by day.
 */
export type HeatRow = { 
/**
 * Which.
 */
cluster: Shown, 
/**
 * Each day.
 */
days: Array<HeatDay>, };

/**
 * How many calls, by cluster and day.
 */
export type HeatView = { 
/**
 * Where the first day begins, in Unix microseconds: a full hour.
 */
fromUs: number, 
/**
 * How long each is, in microseconds.
 */
stepUs: number, 
/**
 * The clusters by their names; of too many those with the most calls.
 */
clusters: Array<HeatRow>, 
/**
 * Clusters that are left out: there are too many.
 */
more: number, 
/**
 * Log stores that are named: what they have is not in it.
 */
stores: number, 
/**
 * What it lacks.
 */
lacks: LacksView, };

/**
 * What a hold is on.
 */
export type HeldKind = "user" | "cluster" | "everything";

/**
 * What one binding gives, and what of it was used.
 */
export type HeldUse = { 
/**
 * `ClusterRoleBinding deployer`.
 */
binding: Shown, 
/**
 * `ClusterRole deployer`.
 */
role: Shown, 
/**
 * Rights that some call used: `get pods`.
 */
used: Array<Shown>, 
/**
 * How many more.
 */
usedMore: number, 
/**
 * Rights that none did.
 */
unused: Array<Shown>, 
/**
 * How many more.
 */
unusedMore: number, 
/**
 * Rules that are too large to be looked at part by part.
 */
tooLarge: number, };

/**
 * One stretch of time.
 */
export type HistogramBin = { 
/**
 * Entries of the history.
 */
own: number, 
/**
 * Calls that clusters tell of.
 */
calls: number, 
/**
 * Entries and calls that were refused or failed; among the others.
 */
failed: number, };

/**
 * How many, over time.
 */
export type HistogramView = { 
/**
 * Where the first bin begins, in Unix microseconds.
 */
fromUs: number, 
/**
 * How long each is, in microseconds.
 */
stepUs: number, 
/**
 * Each stretch of time.
 */
bins: Array<HistogramBin>, 
/**
 * What it lacks.
 */
lacks: LacksView, };

/**
 * The local history in one line.
 */
export type HistoryState = { 
/**
 * How many entries it holds.
 */
entries: number, 
/**
 * The last verification's verdict, if one was made.
 */
verdict: Verdict | null, 
/**
 * When.
 */
verifiedAt: number | null, 
/**
 * Why entries can't be written now (disk full), if so.
 */
trouble: Shown | null, };

/**
 * A hold to be made.
 */
export type HoldInput = { 
/**
 * What it is on.
 */
on: HeldKind, 
/**
 * The person's name as the hub knows it, or the cluster's; empty where everything is held.
 */
name: string, 
/**
 * For how long, from now: 7 d at most.
 */
minutes: number, 
/**
 * Why; needed.
 */
reason: string, };

/**
 * A hold: while it stands, nobody it is on asks for anything, is granted anything or keeps anything open.
 */
export type HoldView = { 
/**
 * Its UID, by which it is removed.
 */
id: Shown, 
/**
 * What it is on.
 */
on: HeldKind, 
/**
 * The person's or cluster's name; empty where everything is held.
 */
name: Shown, 
/**
 * Who holds.
 */
by: Shown, 
/**
 * Why.
 */
reason: Shown, 
/**
 * Since when.
 */
since: number, 
/**
 * Until when, unless it is removed before.
 */
until: number, 
/**
 * It holds this person, by their name or with everything.
 */
onMe: boolean, 
/**
 * Whether this person may remove it: nobody removes one on themselves.
 */
mayRemove: boolean, };

/**
 * How the connection to the hub is.
 */
export type HubLink = "idle" | "connecting" | "live" | "down";

/**
 * The connection to the hub.
 */
export type HubState = { 
/**
 * How it is.
 */
link: HubLink, 
/**
 * Since when.
 */
since: number, 
/**
 * Why it is down, one sentence.
 */
message: Shown | null, 
/**
 * The next try, when it is down.
 */
retryAt: number | null, 
/**
 * It can't be asked because the sign-in is over: signing in again helps.
 */
signIn: boolean, };

/**
 * One thing that is kept on this machine.
 */
export type Kept = { 
/**
 * What: "History".
 */
what: Shown, 
/**
 * Its path; None: in memory only.
 */
place: Shown | null, 
/**
 * How it is held, in a sentence.
 */
how: Shown, };

/**
 * What an answer lacks.
 */
export type LacksView = { 
/**
 * The time there was is over: there is more than was looked at.
 */
isCut: boolean, 
/**
 * Events that are damaged; some of them may fit.
 */
damaged: number, 
/**
 * Files of the archive that could not be opened.
 */
unreadFiles: number, 
/**
 * Why nothing of the clusters' events could be looked at, if that is so.
 */
why: Shown | null, 
/**
 * What log stores did not say.
 */
stores: Array<StoreLacks>, };

/**
 * What was opened last on a cluster.
 */
export type LastOpening = { 
/**
 * The profile.
 */
profile: Shown, 
/**
 * The namespaces; empty: cluster-wide.
 */
namespaces: Array<Shown>, 
/**
 * For how long.
 */
durationSeconds: number, };

/**
 * What an approver takes off, as chosen in the window.
 */
export type LimitsInput = { 
/**
 * At most so long; None: as asked.
 */
durationSeconds: number | null, 
/**
 * In these only; None: as asked. An empty list is refused.
 */
namespaces: Array<string> | null, };

/**
 * What one approver took off.
 */
export type LimitsView = { 
/**
 * At most so long; None: not limited.
 */
durationSeconds: number | null, 
/**
 * In these only; None: not limited. Never empty.
 */
namespaces: Array<Shown> | null, };

/**
 * The sign-in a profile wants.
 */
export type Mfa = { 
/**
 * Authentication contexts that will do; empty: any.
 */
acr: Array<Shown>, 
/**
 * Methods that must be among those used; empty: any.
 */
amr: Array<Shown>, 
/**
 * How old the authentication may be; None: any age.
 */
maxAgeSeconds: number | null, 
/**
 * Whether the present sign-in will do, by this machine's reckoning. Admission decides.
 */
satisfied: boolean, };

/**
 * A right that a person lacks.
 */
export type MissingRight = { 
/**
 * `list clusterroles.rbac.authorization.k8s.io`.
 */
what: Shown, 
/**
 * The ClusterRole that gives it.
 */
givenBy: Shown, };

/**
 * What a moment is.
 */
export type MomentKind = "output" | "input" | "resize";

/**
 * A profile that would give less.
 */
export type NarrowerView = { 
/**
 * Its name.
 */
profile: Shown, 
/**
 * Of the offer's rights, those that it does not give.
 */
adds: Array<Right>, 
/**
 * The hub says that the requester may ask for it. False: that is not known, since asking takes a right that approvers
 * need not have, or the hub did not say.
 */
isAskable: boolean, };

/**
 * Worth a moment's attention: five minutes left, revoked.
 */
export type Notice = { 
/**
 * How loud.
 */
level: NoticeLevel, 
/**
 * One sentence.
 */
text: Shown, 
/**
 * The session it is about.
 */
session: string | null, };

/**
 * How loud a notice is.
 */
export type NoticeLevel = "info" | "warning" | "danger";

/**
 * What is told on the desktop, outside the window.
 */
export type Notifications = { 
/**
 * Somebody asks this person.
 */
asks: boolean, 
/**
 * What became of this person's own requests.
 */
requests: boolean, 
/**
 * This person's sessions: about to end, revoked, not proven.
 */
sessions: boolean, 
/**
 * Also the reasons that people gave: whoever looks at a locked screen may read them.
 */
reasons: boolean, };

/**
 * What a yes would allow.
 */
export type OfferView = { 
/**
 * What a yes is given to: another digest is another offer.
 */
digest: Shown, 
/**
 * In words; what changes something first.
 */
rights: Array<Right>, 
/**
 * How many rules they come from.
 */
rules: number, 
/**
 * Whether a yes may allow less: one to an offer of an older broker may not.
 */
takesLimits: boolean, 
/**
 * What was left of the requester's day as it was offered; None: it is not counted.
 */
leftTodaySeconds: number | null, 
/**
 * What could outlive the session, in words.
 */
warnings: Array<Shown>, 
/**
 * What this person has open on that cluster already.
 */
beside: Array<BesideView>, 
/**
 * Of the rights, those that none of `beside` gives for at least as long as this request would.
 */
adds: Array<Right>, 
/**
 * The next narrower profile: one that its broker grants there, that gives nothing more and the most of it, of those
 * that the hub does not keep the requester from asking for.
 */
narrower: NarrowerView | null, 
/**
 * Why it can't be what its digest says, in a sentence.
 */
problem: Shown | null, };

/**
 * What to open. Everything but the cluster may be left out: one click takes the last profile, else the narrowest
 * that opens at once, with namespaces and duration as last time (design, "One click").
 */
export type OpenInput = { 
/**
 * The cluster.
 */
cluster: string, 
/**
 * The profile.
 */
profile?: string, 
/**
 * The namespaces; empty: cluster-wide.
 */
namespaces?: Array<string>, 
/**
 * For how long.
 */
durationSeconds?: number, 
/**
 * Why.
 */
reason?: string, };

/**
 * How an action went.
 */
export type Outcome = "done" | "refused" | "failed" | "unproven";

/**
 * How what is about to be asked for would be answered now, as far as it can be told here. The broker decides.
 */
export type OutlookView = { 
/**
 * It opens at once.
 */
atOnce: boolean, 
/**
 * The autoApproval that makes it so; None: nobody has to say yes anyway, or people have to.
 */
by: Shown | null, 
/**
 * How many people have to where it does not.
 */
approvals: number, 
/**
 * When the clock makes the other answer of it; None: not within a week.
 */
changesAt: number | null, 
/**
 * Why it does not open at once, a sentence for each autoApproval.
 */
unmet: Array<Shown>, 
/**
 * What the profile gives this person here within 24 hours; None: it is not counted.
 */
day: DayView | null, };

/**
 * When a paste into a terminal is asked about first. What holds characters that are not seen is asked about in any case,
 * and several lines into production.
 */
export type PasteAsks = "always" | "severalLines" | "never";

/**
 * What the API server says to the questions that show a path.
 */
export type PathProof = { 
/**
 * When.
 */
at: number, 
/**
 * How many it allowed.
 */
allowed: number, 
/**
 * How many were asked.
 */
asked: number, 
/**
 * Each question with its answer, in words.
 */
lines: Array<ReviewLine>, };

/**
 * One step of a path.
 */
export type PathStep = { 
/**
 * Whose rights it takes.
 */
from: Shown, 
/**
 * What they can do: "creates pods in ci".
 */
what: Shown, 
/**
 * By which binding and role.
 */
by: Shown, 
/**
 * Whom or what that reaches.
 */
to: Shown, 
/**
 * Roles and bindings alone decide it; else something that was not read may stand in its way.
 */
isCertain: boolean, 
/**
 * To end this one closes most of such paths.
 */
isCut: boolean, };

/**
 * Which face the window shows.
 */
export type Phase = "firstRun" | "signedOut" | "ready";

/**
 * Where a line begins.
 */
export type PlaceView = { 
/**
 * The file, by how it begins.
 */
file: Shown, 
/**
 * The byte at which its line begins.
 */
offset: number, };

/**
 * The columns of the grid, in their order.
 */
export type PostureArea = "reach" | "signIn" | "credentials" | "rights" | "admission" | "audit" | "encryption" | "version";

/**
 * One area of one cluster.
 */
export type PostureCell = { 
/**
 * Of all its checks: what was found before what is not known, and that before what passed.
 */
verdict: PostureVerdict, 
/**
 * The worst that was found.
 */
worst: PostureSeverity | null, 
/**
 * How many findings are as bad as the worst.
 */
count: number, 
/**
 * How many of its checks are not known.
 */
unknown: number, 
/**
 * How many of its findings somebody answers for.
 */
excepted: number, };

/**
 * One cluster of the grid.
 */
export type PostureCluster = { 
/**
 * Its name.
 */
name: Shown, 
/**
 * For its colour.
 */
environment: EnvironmentKind, 
/**
 * The team's word for it.
 */
environmentWord: Shown, 
/**
 * How far its scan of this run is.
 */
scan: ScanState, 
/**
 * When the kept scan was taken; None: none is kept.
 */
scannedAt: number | null, 
/**
 * The API server's version.
 */
version: Shown | null, 
/**
 * Of 100, what of its checks came to an answer.
 */
coverage: number, 
/**
 * A cell for each [`PostureArea`], in their order; empty: none is kept.
 */
cells: Array<PostureCell>, };

/**
 * One cluster, whole.
 */
export type PostureDetail = { 
/**
 * As in the grid.
 */
cluster: PostureCluster, 
/**
 * The ten practices on this cluster.
 */
practices: Array<Practice>, 
/**
 * The worst first; those that come with Kubernetes or a vendor last.
 */
findings: Array<FindingLine>, 
/**
 * So many more than are listed.
 */
findingsMore: number, 
/**
 * Every check, in the catalogue's order.
 */
checks: Array<CheckLine>, 
/**
 * What was not read, and the right that is missing for it.
 */
gaps: Array<Shown>, 
/**
 * What is to be known of all answers.
 */
notes: Array<Shown>, 
/**
 * What changed since the scan before; None: there was none.
 */
drift: PostureDrift | null, 
/**
 * How it was over time, oldest first.
 */
trend: Array<TrendPoint>, };

/**
 * What changed between two scans of a cluster.
 */
export type PostureDrift = { 
/**
 * When the earlier was taken.
 */
since: number, 
/**
 * What widens first.
 */
lines: Array<PostureDriftLine>, 
/**
 * So many more than are listed.
 */
more: number, 
/**
 * What was not read in one of the two, so that nothing is said of it.
 */
notComparable: Array<Shown>, };

/**
 * What changed on a cluster between two scans.
 */
export type PostureDriftLine = { 
/**
 * Which.
 */
cluster: Shown, 
/**
 * When the earlier of the two was taken.
 */
since: number, 
/**
 * Whether somebody can do more.
 */
way: DriftWay, 
/**
 * "group payments-dev may exec in payments".
 */
text: Shown, };

/**
 * How bad.
 */
export type PostureSeverity = "info" | "low" | "medium" | "high" | "critical";

/**
 * What checks came to.
 */
export type PostureVerdict = "pass" | "fail" | "unknown" | "provider" | "notApplicable";

/**
 * Where the fleet is weak, as far as it was scanned. What the scans said is kept on this computer; nobody is asked for it.
 */
export type PostureView = { 
/**
 * Under which profile a scan opens; None: see `cannot_scan`.
 */
profile: Shown | null, 
/**
 * Why this person can scan nothing, and what to do about it.
 */
cannotScan: Shown | null, 
/**
 * The scan of several clusters that is under way, or the last one of this run.
 */
run: ScanRun | null, 
/**
 * By name, all of the inventory and those that a scan is kept of.
 */
clusters: Array<PostureCluster>, 
/**
 * The ten zero-trust practices over all clusters, always all of them and in order; empty: nothing was scanned yet.
 */
practices: Array<Practice>, 
/**
 * The same weakness of several clusters as one, what to fix first first.
 */
weaknesses: Array<Weakness>, 
/**
 * What changed between the last two scans of each cluster, what widens first.
 */
drift: Array<PostureDriftLine>, 
/**
 * So many more than are shown.
 */
driftMore: number, 
/**
 * What somebody answers for, until when.
 */
exceptions: Array<ExceptionView>, 
/**
 * How it was over time, oldest first.
 */
trend: Array<TrendPoint>, 
/**
 * What is to be known of all of it, in words.
 */
notes: Array<Shown>, };

/**
 * One of the ten zero-trust practices.
 */
export type Practice = { 
/**
 * 1 to 10.
 */
number: number, 
/**
 * Its name: "TLS everywhere".
 */
name: Shown, 
/**
 * Of all clusters looked at: the worst of them.
 */
verdict: PostureVerdict, 
/**
 * By what that is known.
 */
evidence: Array<Shown>, 
/**
 * What is missing; None: nothing.
 */
gap: Shown | null, 
/**
 * What to do next.
 */
next: Shown | null, 
/**
 * On how many clusters it is kept.
 */
kept: number, 
/**
 * On how many it is not.
 */
broken: number, 
/**
 * On how many nobody knows, those included where it is a setting of the cloud.
 */
unknown: number, };

/**
 * What a change would change, what widens first.
 */
export type ProfileDifference = { 
/**
 * What it asks of whoever wants it, and where it holds.
 */
conditions: Array<DriftLine>, 
/**
 * Who may ask, approve or be let in at once.
 */
people: Array<DriftLine>, 
/**
 * Whether that could be read: else `people` says nothing.
 */
peopleKnown: boolean, 
/**
 * What a session may do, by cluster.
 */
rules: Array<RulesDifference>, 
/**
 * Whether the clusters could be read: else `rules` says nothing.
 */
rulesKnown: boolean, 
/**
 * What becomes of what waits and what is open, in sentences.
 */
standing: Array<Shown>, 
/**
 * What is not known, and why, in sentences.
 */
unknown: Array<Shown>, };

/**
 * A profile as text, to be changed.
 */
export type ProfileDraft = { 
/**
 * The profile; None: a new one.
 */
name: Shown | null, 
/**
 * The text, line by line.
 */
lines: Array<Shown>, 
/**
 * What this person lacks to apply a change of it; None: nothing.
 */
lacks: MissingRight | null, 
/**
 * What is good to know before, in sentences.
 */
remarks: Array<Shown>, };

/**
 * A change that was looked at.
 */
export type ProfileLook = { 
/**
 * By which it is applied, where the hub would take it; else empty.
 */
digest: Shown, 
/**
 * The profile it is of, as far as the text says.
 */
name: Shown, 
/**
 * There is none of this name yet.
 */
isNew: boolean, 
/**
 * What came of trying it.
 */
verdict: ProfileVerdict, 
/**
 * What is wrong with the text.
 */
problems: Array<ProfileProblem>, 
/**
 * What it would change, where the text is a profile.
 */
difference: ProfileDifference | null, };

/**
 * What is wrong with a text.
 */
export type ProfileProblem = { 
/**
 * In which line, from 1; None: nowhere in particular.
 */
line: number | null, 
/**
 * What, a sentence.
 */
text: Shown, };

/**
 * What came of trying a change on the hub, where nothing is stored by that.
 */
export type ProfileVerdict = { "kind": "taken" } | { "kind": "same" } | { "kind": "wrong" } | { "kind": "refused", 
/**
 * In its words.
 */
why: Shown, } | { "kind": "changed" } | { "kind": "gone" };

/**
 * One profile, as it applies to one cluster and person.
 */
export type ProfileView = { 
/**
 * Its name.
 */
name: Shown, 
/**
 * No approval is needed.
 */
opensAtOnce: boolean, 
/**
 * Approvals needed.
 */
approvals: number, 
/**
 * What stands for all of them, in words; the first that is met.
 */
autoApprovals: Array<Shown>, 
/**
 * The most time this person may have here within 24 hours; None: it is not counted.
 */
maxPerDaySeconds: number | null, 
/**
 * The longest a session may last.
 */
maxDurationSeconds: number, 
/**
 * How long is asked for where nobody says otherwise: the person's default, else as last time here, else 1 h, within the
 * longest.
 */
usualSeconds: number, 
/**
 * The namespaces it may be asked for; empty: cluster-wide.
 */
namespaces: Array<Shown>, 
/**
 * The sign-in it wants.
 */
mfa: Mfa | null, 
/**
 * A reason must be given.
 */
reasonRequired: boolean, 
/**
 * How often the identity provider has to vouch for the person while it is open; None: never.
 */
reaffirm: ReaffirmView | null, 
/**
 * What is recorded of the terminals of a session under it; None: nothing.
 */
recording: Recording | null, 
/**
 * What it allows on this cluster.
 */
rights: Rights, 
/**
 * Why it will be refused (P11); asking is pointless.
 */
refused: Refused | null, };

/**
 * One line of the closing proof.
 */
export type Proof = { 
/**
 * Which.
 */
kind: ProofKind, 
/**
 * How far.
 */
state: ProofState, 
/**
 * Since leaving was asked.
 */
ms: number | null, 
/**
 * Since leaving was asked, until the first of several probes was refused.
 */
firstMs?: number, 
/**
 * "2 of 4 refused", "all 4 refused by …", or what is unproven and why; may be empty.
 */
detail: Shown, };

/**
 * The lines of the closing proof, in order. Green only after `RightsGone` and `TokenRefused` are done, or
 * `ByBroker` where the app itself was gone (then it is said to be the broker's word).
 */
export type ProofKind = "streamsCut" | "terminalsEnded" | "kubeconfigDeleted" | "rightsGone" | "accountRemoved" | "tokenRefused" | "byBroker";

/**
 * How far a line of the proof is.
 */
export type ProofState = "waiting" | "running" | "done" | "unproven";

/**
 * How often an identity provider has to vouch for whoever has something open.
 */
export type ReaffirmView = { 
/**
 * Once in so many seconds.
 */
everySeconds: number, 
/**
 * So many seconds later it is closed without.
 */
graceSeconds: number, };

/**
 * One moment of a recording.
 */
export type RecordedMoment = { 
/**
 * Milliseconds since the segment began.
 */
afterMs: number, 
/**
 * What it is.
 */
kind: MomentKind, 
/**
 * What the terminal showed or was typed, byte for byte as a terminal takes it; of a resize the size, `100x40`. For a
 * terminal that answers nothing, and for nothing else.
 */
data: string, };

/**
 * A session of which recordings are kept.
 */
export type RecordedSession = { 
/**
 * Its id.
 */
session: string, 
/**
 * Where.
 */
cluster: Shown, 
/**
 * Whose terminals.
 */
who: Shown, 
/**
 * When the first began, in Unix milliseconds.
 */
beganAt: number, 
/**
 * Terminals.
 */
terminals: number, 
/**
 * What they take, in bytes.
 */
bytes: number, };

/**
 * What the desktop takes down of a session's terminals, where a profile wants that. In order: the later takes down more.
 */
export type Recording = "output" | "outputAndInput";

/**
 * A page of a segment.
 */
export type RecordingPage = { 
/**
 * How the segment is.
 */
state: SegmentState, 
/**
 * When the segment began; moments count from there.
 */
beganAt: number, 
/**
 * The terminal's size at the segment's beginning.
 */
size: TerminalSize, 
/**
 * What happened, in order.
 */
moments: Array<RecordedMoment>, 
/**
 * Where the next page of this segment begins; None: this is the last one there is by now.
 */
next: number | null, };

/**
 * That something is recorded now, and how that goes.
 */
export type RecordingState = { 
/**
 * What is typed is recorded too, while the terminal echoes it.
 */
input: boolean, 
/**
 * Why nothing can be written now: nothing is typed into the session until it can. None: it is.
 */
stopped: Shown | null, };

/**
 * What one terminal showed, as it is kept here.
 */
export type RecordingView = { 
/**
 * Its session.
 */
session: string, 
/**
 * Its terminal.
 */
terminal: string, 
/**
 * The cluster.
 */
cluster: Shown, 
/**
 * Who had it open.
 */
user: Shown, 
/**
 * `bash`, `zsh`, …
 */
shell: Shown, 
/**
 * What was typed is in it too, as far as the terminal echoed it.
 */
input: boolean, 
/**
 * It is sealed with a key of this desktop's keyring.
 */
sealed: boolean, 
/**
 * When it began.
 */
beganAt: number, 
/**
 * When it ended; None: it goes on.
 */
endedAt: number | null, 
/**
 * It was cut off with the app: up to a second before that is missing.
 */
cutOff: boolean, 
/**
 * Its closed segments, in order.
 */
segments: Array<SegmentView>, 
/**
 * Why nothing of it can be read. None: it can.
 */
problem: Shown | null, };

/**
 * Why a profile will be refused on this cluster.
 */
export type Refused = { 
/**
 * One sentence.
 */
why: Shown, 
/**
 * The rule that did it.
 */
rule: Shown | null, };

/**
 * How far a request is.
 */
export type RequestPhase = "pending" | "approved" | "active";

/**
 * One request.
 */
export type RequestView = { 
/**
 * Its UID, by which it is decided on.
 */
id: Shown, 
/**
 * The team's namespace.
 */
team: Shown, 
/**
 * Who asks.
 */
user: Shown, 
/**
 * It is this person's own: nobody decides on their own (P8).
 */
own: boolean, 
/**
 * The groups they ask with.
 */
groups: Array<Shown>, 
/**
 * Their sign-in's authentication context.
 */
acr: Shown | null, 
/**
 * Their sign-in's methods.
 */
amr: Array<Shown>, 
/**
 * When they last proved who they are.
 */
mfaAt: number | null, 
/**
 * Where.
 */
cluster: Shown, 
/**
 * For its colour.
 */
environment: EnvironmentKind, 
/**
 * The team's word for it; empty: not known.
 */
environmentWord: Shown, 
/**
 * Under which profile.
 */
profile: Shown, 
/**
 * In which namespaces; empty: cluster-wide.
 */
namespaces: Array<Shown>, 
/**
 * For how long.
 */
durationSeconds: number, 
/**
 * Why.
 */
reason: Shown, 
/**
 * Since when it waits.
 */
askedAt: number, 
/**
 * When it is given up if nobody decides.
 */
waitsUntil: number, 
/**
 * How far it is.
 */
phase: RequestPhase, 
/**
 * What a yes would allow; None: its broker has not offered yet.
 */
offer: OfferView | null, 
/**
 * How often the identity provider has to vouch for the requester while it is open, by the offer or, before there is one,
 * by the profile; None: never.
 */
reaffirm: ReaffirmView | null, 
/**
 * What the requester's desktop will record of its terminals, by its own word; None: nothing.
 */
recording: Recording | null, 
/**
 * Who said yes, in order.
 */
approvals: Array<ApprovalView>, 
/**
 * What opened it without people; None: people do, or it needs nobody.
 */
autoApproval: AutoApprovalView | null, 
/**
 * What is given, or what the yeses so far leave; None: all that was asked for.
 */
given: GivenView | null, 
/**
 * How many people must; None: its profile is not known.
 */
needed: number | null, 
/**
 * When its rights end, once they exist.
 */
endsAt: number | null, 
/**
 * What its broker says of it.
 */
message: Shown | null, 
/**
 * Who ended it and how, while it is being closed.
 */
ended: Shown | null, 
/**
 * How far its end is, once somebody ended it; None: nobody did.
 */
closing: ClosingView | null, 
/**
 * Whether this person may say yes or no.
 */
decide: Decide, 
/**
 * Whether this person may say no, also after they said yes.
 */
mayDeny: boolean, 
/**
 * Whether this person may end it.
 */
mayRevoke: boolean, };

/**
 * What is asked for and open in the person's teams.
 */
export type RequestsView = { 
/**
 * Those that are not closed, the one that waits longest first.
 */
requests: Array<RequestView>, 
/**
 * Those that this person ended and that are closed since they signed in, each with what became of it.
 */
closed: Array<RequestView>, 
/**
 * Since when all of it is known: when the team that was heard of longest ago was; None: not all teams were yet.
 */
asOf: number | null, 
/**
 * No team lets this person read its requests.
 */
noneToRead: boolean, 
/**
 * What could not be read, in words.
 */
problems: Array<Shown>, };

/**
 * A review to be written down.
 */
export type ReviewInput = { 
/**
 * Of what.
 */
of: ReviewOf, 
/**
 * The person's name, or the cluster's.
 */
name: string, 
/**
 * From when on, in Unix microseconds; None: from the beginning of what is kept.
 */
fromUs?: number, 
/**
 * Before when; None, or later than now: until now.
 */
toUs?: number, 
/**
 * What came of it.
 */
ruling: ReviewRuling, 
/**
 * Beside it, at most 1000 characters; where something is to be removed, it says what.
 */
note: string, };

/**
 * A SubjectAccessReview and its answer.
 */
export type ReviewLine = { 
/**
 * "oidc:eve create pods in ci".
 */
question: Shown, 
/**
 * The API server says yes; None: it gave no answer.
 */
allowed: boolean | null, 
/**
 * In its words.
 */
reason: Shown, };

/**
 * What is reviewed.
 */
export type ReviewOf = "person" | "cluster" | "standing";

/**
 * What came of a review.
 */
export type ReviewRuling = "kept" | "toBeRemoved";

/**
 * A review.
 */
export type ReviewView = { 
/**
 * Its entry's place.
 */
sequence: number, 
/**
 * When, in Unix microseconds.
 */
atUs: number, 
/**
 * By whom.
 */
by: Shown, 
/**
 * The reviewer is the person whose access it is.
 */
isOwn: boolean, 
/**
 * Of what.
 */
of: ReviewOf, 
/**
 * From when on; None: from the beginning of what was kept.
 */
fromUs: number | null, 
/**
 * Before when.
 */
toUs: number, 
/**
 * What came of it.
 */
ruling: ReviewRuling, 
/**
 * Beside it; may be empty.
 */
note: Shown, };

/**
 * One right in words.
 */
export type Right = { 
/**
 * "Run commands in pods".
 */
title: Shown, 
/**
 * `create pods/exec`.
 */
detail: Shown, 
/**
 * Where; empty: cluster-wide.
 */
namespaces: Array<Shown>, 
/**
 * It changes something: drawn amber.
 */
writes: boolean, };

/**
 * What a profile allows on one cluster.
 */
export type Rights = { "kind": "known", 
/**
 * In words.
 */
rights: Array<Right>, 
/**
 * How many rules they come from.
 */
rules: number, 
/**
 * What could outlive the session, in words.
 */
warnings: Array<Shown>, 
/**
 * What tools will miss, in words.
 */
missing: Array<Shown>, } | { "kind": "unknown", 
/**
 * Why.
 */
why: Shown, };

/**
 * The same difference in rules on some clusters.
 */
export type RulesDifference = { 
/**
 * Whether a session may do more there.
 */
way: DriftWay, 
/**
 * Where.
 */
clusters: Array<Shown>, 
/**
 * The changed profile covers them.
 */
covered: boolean, 
/**
 * It did before.
 */
wasCovered: boolean, 
/**
 * What no session may have, that it would have now: brokers refuse it (P11).
 */
dangers: Array<Shown>, 
/**
 * What could outlive a session, that could not before.
 */
warnings: Array<Shown>, 
/**
 * What is allowed more; what changes something first.
 */
gained: Array<Right>, 
/**
 * What is allowed no more.
 */
lost: Array<Right>, 
/**
 * Why it is not known.
 */
unknown: Shown | null, };

/**
 * A filter that is kept under a name.
 */
export type SavedFilter = { 
/**
 * What it is called.
 */
name: Shown, 
/**
 * What it wants.
 */
filter: TimelineFilter, };

/**
 * Scans of several clusters, a few at a time.
 */
export type ScanRun = { 
/**
 * When it was begun.
 */
begunAt: number, 
/**
 * How many clusters.
 */
total: number, 
/**
 * Read, left, and proven closed.
 */
done: number, 
/**
 * Not read, or not to their end.
 */
failed: number, 
/**
 * Given up by the person.
 */
cancelled: number, 
/**
 * None of them is under way any more.
 */
isOver: boolean, };

/**
 * How far the scan of a cluster is.
 */
export type ScanState = { "kind": "none" } | { "kind": "waiting" } | { "kind": "opening", 
/**
 * Which.
 */
session: string, } | { "kind": "reading", 
/**
 * Its session.
 */
session: string, 
/**
 * Kinds that were read.
 */
done: number, 
/**
 * All kinds.
 */
total: number, } | { "kind": "closing", 
/**
 * Its session.
 */
session: string, } | { "kind": "done", 
/**
 * Its session.
 */
session: string, } | { "kind": "unproven", 
/**
 * Its session, whose closing report says what.
 */
session: string, 
/**
 * Why nothing new is kept; None: it was read, and what was read is kept.
 */
error: ErrorView | null, } | { "kind": "failed", 
/**
 * What happened and what to do next.
 */
error: ErrorView, } | { "kind": "cancelled" };

/**
 * By which key a history is sealed: whoever has the public half can check, and nobody can write with it.
 */
export type SealView = { 
/**
 * Names it: SHA-256 of its public half; None: nothing is sealed, since there is no keyring.
 */
fingerprint: Shown | null, 
/**
 * Since when it seals, in Unix milliseconds; None: that can't be told.
 */
since: number | null, 
/**
 * That of the one before, where this one was just made.
 */
former: Shown | null, 
/**
 * The last entry that is sealed.
 */
until: number, 
/**
 * How many entries there are.
 */
entries: number, 
/**
 * The one before has not named it on the disk yet.
 */
isHandingOver: boolean, };

/**
 * How a segment is.
 */
export type SegmentState = "whole" | "open" | "damaged" | "missing";

/**
 * One closed segment of a recording.
 */
export type SegmentView = { 
/**
 * Which, from 1.
 */
number: number, 
/**
 * Its first moment.
 */
beganAt: number, 
/**
 * Its last moment.
 */
endedAt: number, 
/**
 * The terminal's size at its beginning.
 */
size: TerminalSize, };

/**
 * One session, by its request: what was asked for, what was done, and how that is known.
 */
export type SessionEvidence = { 
/**
 * The request's UID.
 */
request: Shown, 
/**
 * The session on this desktop, if it came to one.
 */
session: Shown | null, 
/**
 * Whose it was.
 */
who: Shown, 
/**
 * Where.
 */
cluster: Shown, 
/**
 * Under which profile.
 */
profile: Shown, 
/**
 * Why it was asked for.
 */
reason: Shown, 
/**
 * The first that is known of it, in Unix microseconds.
 */
fromUs: number, 
/**
 * The last.
 */
toUs: number, 
/**
 * It is over.
 */
isOver: boolean, 
/**
 * From signing in to the last proof, oldest first and without its calls: the steps of this desktop, and what the
 * cluster tells of the session's account, its token and its bindings.
 */
chain: Array<TimelineRow>, 
/**
 * There are more entries than were looked at.
 */
hasMore: boolean, 
/**
 * Calls that the gateway sent.
 */
gateway: number, 
/**
 * Calls by this session that the cluster tells of.
 */
seen: number, 
/**
 * Calls that both tell of.
 */
joined: number, 
/**
 * By what the cluster's calls are tied, and how many by each.
 */
ties: Array<TieCount>, 
/**
 * Questions about its own rights and the removal of its grant, which Sallyport makes past the gateway.
 */
asked: number, 
/**
 * Calls of a time at which this desktop's record does not say enough.
 */
unclear: number, 
/**
 * Calls that the gateway did not send.
 */
bypasses: Array<BypassLine>, 
/**
 * Calls of the gateway that the cluster does not tell of: the first of them.
 */
unseen: Array<UnseenLine>, 
/**
 * How many of those there are.
 */
unseenCount: number, 
/**
 * What was used, by resource.
 */
used: Array<UsedLine>, 
/**
 * How many rules were granted, as far as that is on record.
 */
grantedRules: number | null, 
/**
 * What was granted and no call used; none where the rules are not on record.
 */
unused: UnusedView | null, 
/**
 * A role that would have been enough, as YAML, line by line; none where nothing was used.
 */
role: Array<Shown>, 
/**
 * How many rules that has.
 */
roleRules: number, 
/**
 * What the answer lacks.
 */
lacks: LacksView, };

/**
 * A session in a list.
 */
export type SessionLine = { 
/**
 * Its request.
 */
request: Shown, 
/**
 * Whose.
 */
who: Shown, 
/**
 * Where.
 */
cluster: Shown, 
/**
 * Under which profile.
 */
profile: Shown, 
/**
 * When it was asked for, in Unix microseconds.
 */
atUs: number, };

/**
 * Where a session stands.
 */
export type SessionState = "opening" | "open" | "closing" | "closed";

/**
 * One session: its opening, its life, its closing and the proof.
 */
export type SessionView = { 
/**
 * Opaque.
 */
id: string, 
/**
 * The session it was asked for to extend. Until it is closing, what it asked for; then, what that session had before.
 */
extends: string | null, 
/**
 * It was opened by a scan, which reads, leaves and shows nothing of it but its end.
 */
isScan: boolean, 
/**
 * The cluster's name.
 */
cluster: Shown, 
/**
 * Colour of the environment.
 */
environment: EnvironmentKind, 
/**
 * Its word.
 */
environmentWord: Shown, 
/**
 * Empty: cluster-wide.
 */
namespaces: Array<Shown>, 
/**
 * The profile.
 */
profile: Shown, 
/**
 * The reason given; may be empty.
 */
reason: Shown, 
/**
 * Asked for how long.
 */
durationSeconds: number, 
/**
 * Where it stands.
 */
state: SessionState, 
/**
 * The five steps of the opening, in order, always all of them.
 */
steps: Array<Step>, 
/**
 * What it waits for while Approved is running: "1 of 2 approvals".
 */
waitingFor: Shown | null, 
/**
 * The provider's word for the person, where the profile wants it again and again.
 */
vouching: VouchingView | null, 
/**
 * What is recorded of its terminals; None: nothing.
 */
recording: Recording | null, 
/**
 * When it opened.
 */
openedAt: number | null, 
/**
 * When it last went on under a new grant: its steps are those of that. None: it never did.
 */
extendedAt: number | null, 
/**
 * When the rights end, by the target's clock. For people; count with `ends_in_ms`.
 */
endsAt: number | null, 
/**
 * Time left when this view was made, on monotonic time.
 */
endsInMs: number | null, 
/**
 * From the click to the first prompt.
 */
clickToPromptMs: number | null, 
/**
 * What went through the gateway.
 */
calls: Calls, 
/**
 * Streams open now, one line each: `logs -f api-0`.
 */
streams: Array<Shown>, 
/**
 * Its terminals.
 */
terminals: Array<TerminalView>, 
/**
 * The closing, in order; empty until it closes.
 */
proof: Array<Proof>, 
/**
 * Why and by whom it ended.
 */
ended: Ended | null, 
/**
 * Why it could not open, or what went wrong while open.
 */
error: ErrorView | null, 
/**
 * The request's `metadata.uid` on the hub, once asked: joins with the history.
 */
request: Shown | null, 
/**
 * The grant's `metadata.uid` on the target.
 */
grant: Shown | null, };

/**
 * What can be chosen for this desktop beside the theme, and what is kept where.
 */
export type SettingsView = { 
/**
 * The shell of new terminals; None: the person's own.
 */
shell: Shown | null, 
/**
 * The person's own, where it is known.
 */
ownShell: Shown | null, 
/**
 * The shells of this machine that can be chosen.
 */
shells: Array<ShellView>, 
/**
 * What is told on the desktop, outside the window.
 */
notifications: Notifications, 
/**
 * Why notifications can't be shown there at the moment, where they can't.
 */
notificationsTrouble: Shown | null, 
/**
 * What is kept on this machine.
 */
kept: Array<Kept>, };

/**
 * A shell of this machine.
 */
export type ShellView = { 
/**
 * The path of its program.
 */
path: Shown, 
/**
 * Whether it keeps its kubeconfig at each prompt (bash, zsh, fish), or only looks once at its start (any other).
 */
guardsEachPrompt: boolean, };

/**
 * Text that may have come from outside (a cluster, a request, an identity provider, a file), as a person may see it:
 * characters that hide or reorder others are visible. There is no other way to make one, so a shape that holds it keeps
 * promise P24 by its type.
 */
export type Shown = string;

/**
 * A sign-in under way.
 */
export type SignIn = { 
/**
 * How far it is.
 */
step: SignInStep, 
/**
 * When it began.
 */
since: number, 
/**
 * What it must reach, when it is a step-up.
 */
stepUp: StepUp | null, 
/**
 * Why it failed; stays until the next one.
 */
error: ErrorView | null, };

/**
 * How far a sign-in is.
 */
export type SignInStep = "preparing" | "browser" | "checking" | "hub" | "failed";

/**
 * What a source does just now.
 */
export type SourceState = { "kind": "idle" } | { "kind": "reading", 
/**
 * Files that were read.
 */
files: number, 
/**
 * Of so many.
 */
of: number, } | { "kind": "read", 
/**
 * When, in Unix milliseconds.
 */
at: number, 
/**
 * Events that came to those there were.
 */
events: number, 
/**
 * Lines that could not be read.
 */
bad: number, 
/**
 * Records that are no audit events.
 */
foreign: number, 
/**
 * Files that could not be read to their end, and what was passed over: the first of them, in words.
 */
left: Array<Shown>, 
/**
 * How many of those there are.
 */
leftCount: number, } | { "kind": "answered", 
/**
 * When, in Unix milliseconds.
 */
at: number, 
/**
 * How long it took, in milliseconds.
 */
tookMs: number, 
/**
 * Records that it gave.
 */
records: number, 
/**
 * Records that could not be read.
 */
bad: number, 
/**
 * Records that are no audit events, of another cluster, or there twice.
 */
foreign: number, } | { "kind": "failed", 
/**
 * When, in Unix milliseconds.
 */
at: number, 
/**
 * Why, and what to do.
 */
why: Shown, };

/**
 * Where one cluster's audit events come from.
 */
export type SourceView = { 
/**
 * Its id.
 */
id: Shown, 
/**
 * The cluster whose API servers wrote there; empty for every cluster that a log store names.
 */
cluster: Shown, 
/**
 * A file, or a folder with all below it; a log store's address.
 */
path: Shown, 
/**
 * It is a log store, and asked in place.
 */
isStore: boolean, 
/**
 * What it does.
 */
state: SourceState, 
/**
 * What was counted of it over all times, `what` and `how often`.
 */
tallies: Array<[Shown, number]>, };

/**
 * Where the clusters' audit events come from, and what is kept of them.
 */
export type SourcesView = { 
/**
 * Each source.
 */
sources: Array<SourceView>, 
/**
 * Events that are kept.
 */
events: number, 
/**
 * Bytes on disk.
 */
bytes: number, 
/**
 * The first moment that is told of, in Unix microseconds.
 */
fromUs: number | null, 
/**
 * The last.
 */
toUs: number | null, 
/**
 * Events that were removed since the archive was begun: they were too old or too many.
 */
removed: number, 
/**
 * How many days events are kept; without it as long as they fit.
 */
keepDays: number | null, 
/**
 * How many bytes they may take.
 */
keepBytes: number, 
/**
 * What is wrong with the archive, in words.
 */
problems: Array<Shown>, 
/**
 * New events are looked for while somebody looks.
 */
follows: boolean, };

/**
 * One step of the opening.
 */
export type Step = { 
/**
 * Which.
 */
kind: StepKind, 
/**
 * How far.
 */
state: StepState, 
/**
 * How long it took, when done or failed.
 */
ms: number | null, 
/**
 * "at once: no approval needed", "2 bindings"; may be empty.
 */
detail: Shown, };

/**
 * Signed in → Asked → Approved → Granted → Ready.
 */
export type StepKind = "signedIn" | "asked" | "approved" | "granted" | "ready";

/**
 * How far a step is.
 */
export type StepState = "waiting" | "running" | "done" | "failed";

/**
 * A stronger or fresher sign-in, as admission on the hub asked for it (OpenID Connect Core 3.1.2.1).
 */
export type StepUp = { 
/**
 * Authentication contexts that will do; empty: any.
 */
acr: Array<string>, 
/**
 * Methods that must be among those used (RFC 8176); empty: any.
 */
amr: Array<string>, 
/**
 * How old the authentication may be.
 */
maxAgeSeconds: number | null, 
/**
 * The human sentence behind the marker.
 */
message: Shown, };

/**
 * A log store that is to be asked in place.
 */
export type StoreDraft = { 
/**
 * What it speaks and where it is: `victorialogs:https://logs.example:9428`, `loki:https://…`.
 */
address: string, 
/**
 * The cluster; every cluster that the store names without it.
 */
cluster?: string, 
/**
 * The tenant.
 */
tenant?: string, 
/**
 * Which records, in the store's own language; those that name the cluster without it.
 */
filter?: string, 
/**
 * The path of a file with a bearer token, or with what stands behind `Authorization:`.
 */
authorizationFile?: string, 
/**
 * The path of a file with authorities to believe beside the system's, PEM.
 */
caFile?: string, };

/**
 * What a log store did not say.
 */
export type StoreLacks = { 
/**
 * Which, by its address's host and port.
 */
store: Shown, 
/**
 * Why.
 */
why: Shown, 
/**
 * Calls before that moment are missing, in Unix microseconds; without it all of this store's.
 */
beforeUs: number | null, 
/**
 * It has not answered yet: `evidence-changed` is told when it has.
 */
isPending: boolean, 
/**
 * It could not be asked, or broke off: it may be back when it is asked again.
 */
hasFailed: boolean, };

/**
 * What a binding names.
 */
export type SubjectKind = "group" | "user" | "serviceAccount";

/**
 * Whether a terminal's shells are known to keep it on its session's cluster.
 */
export type TerminalGuard = { "kind": "starting" } | { "kind": "guarded" } | { "kind": "notGuarded", 
/**
 * What, in a sentence.
 */
why: Shown, } | { "kind": "taken", 
/**
 * What, in a sentence.
 */
why: Shown, };

/**
 * Size in cells.
 */
export type TerminalSize = { 
/**
 * Columns, 2 to 1000.
 */
cols: number, 
/**
 * Rows, 1 to 1000.
 */
rows: number, };

/**
 * One terminal of a session. Its output goes through a channel of its own as raw bytes, and every byte is
 * acknowledged with `terminal_ack` once drawn; the PTY is not read while too much is unacknowledged.
 */
export type TerminalView = { 
/**
 * Opaque.
 */
id: string, 
/**
 * Its session.
 */
session: string, 
/**
 * `bash`, `zsh`, …
 */
title: Shown, 
/**
 * Still running.
 */
running: boolean, 
/**
 * How the shell ended; None while it runs or when a signal ended it.
 */
exitCode: number | null, 
/**
 * Whether its shells are known to keep it on the session's cluster.
 */
guard: TerminalGuard, 
/**
 * It is recorded; None: it is not.
 */
recording: RecordingState | null, };

/**
 * The theme.
 */
export type Theme = "system" | "dark" | "light";

/**
 * By what a cluster's call was tied.
 */
export type TieBy = "auditId" | "jti" | "account" | "issued" | "userAndTime";

/**
 * How many calls were tied by something.
 */
export type TieCount = { 
/**
 * By what.
 */
by: TieBy, 
/**
 * How many.
 */
calls: number, };

/**
 * What a cluster's call belongs to.
 */
export type TieView = { 
/**
 * By what.
 */
by: TieBy, 
/**
 * It may be wrong.
 */
isInferred: boolean, 
/**
 * The request behind it.
 */
request: Shown, 
/**
 * The session on this desktop.
 */
session: Shown | null, 
/**
 * Whose that is.
 */
who: Shown | null, 
/**
 * The row of the cluster's call, where this is one of the history.
 */
call: Shown | null, };

/**
 * By what the timeline is counted.
 */
export type TimelineFacet = "person" | "cluster" | "verb" | "resource" | "namespace" | "code" | "action" | "session";

/**
 * What of the timeline is wanted; what is left out does not restrict.
 */
export type TimelineFilter = { 
/**
 * One side alone.
 */
side?: TimelineSide, 
/**
 * A cluster's name.
 */
cluster?: string, 
/**
 * Who called, whom they impersonated, or by whom they were.
 */
person?: string, 
/**
 * The verb as authorizers see it.
 */
verb?: string, 
/**
 * As kubectl writes it: `pods`, `pods/exec`, `deployments.apps`.
 */
resource?: string, 
/**
 * A namespace.
 */
namespace?: string, 
/**
 * The object's name, to the letter.
 */
name?: string, 
/**
 * `403` or `4xx`; or how it went: `allowed` (let through, below 400), `denied` (what an authorizer forbade, and what
 * the gateway refused) or `failed` (let through, 400 and more).
 */
code?: string, 
/**
 * A session's id.
 */
session?: string, 
/**
 * A request's UID.
 */
request?: string, 
/**
 * The text of an entry's action.
 */
action?: string, 
/**
 * Words to find.
 */
text?: string, 
/**
 * Not before, in Unix microseconds.
 */
fromUs?: number, 
/**
 * Before, in Unix microseconds.
 */
toUs?: number, };

/**
 * A page of the timeline, newest first.
 */
export type TimelinePage = { 
/**
 * At most as many as asked.
 */
rows: Array<TimelineRow>, 
/**
 * Give this as `before` for the next page; none: this was the last.
 */
next: Shown | null, 
/**
 * What it lacks.
 */
lacks: LacksView, 
/**
 * Entries in the whole history.
 */
ownTotal: number, 
/**
 * Calls of clusters that are kept.
 */
clusterTotal: number, };

/**
 * One row of the timeline.
 */
export type TimelineRow = { 
/**
 * Which one it is, for `audit_call` and `audit_raw`.
 */
id: Shown, 
/**
 * When, in Unix microseconds: by the desktop's clock, or by the API server's.
 */
atUs: number, 
/**
 * Who tells of it.
 */
side: TimelineSide, 
/**
 * In words.
 */
sentence: Shown, 
/**
 * Who; may be empty.
 */
who: Shown, 
/**
 * Where; may be empty.
 */
cluster: Shown, 
/**
 * With which tool; may be empty.
 */
via: Shown, 
/**
 * The HTTP status, for calls.
 */
status: number | null, 
/**
 * An entry's action, or a call's verb.
 */
word: Shown, 
/**
 * How it went.
 */
outcome: Outcome, 
/**
 * Evidence is missing here (P19).
 */
gap: boolean, 
/**
 * What a cluster's call belongs to, or by which call the cluster tells of an entry.
 */
tie: TieView | null, 
/**
 * The command of kubectl it is part of, where kubectl said so to the gateway.
 */
command: CommandView | null, 
/**
 * The entry, of a row of the history.
 */
entry: AuditEntryView | null, };

/**
 * Who tells of something: this desktop, or a cluster's API servers.
 */
export type TimelineSide = "own" | "cluster";

/**
 * How often something occurs.
 */
export type TopLine = { 
/**
 * What.
 */
text: Shown, 
/**
 * How often.
 */
calls: number, };

/**
 * The most frequent of a facet.
 */
export type TopView = { 
/**
 * The most frequent first.
 */
first: Array<TopLine>, 
/**
 * All others together.
 */
others: number, 
/**
 * What it lacks.
 */
lacks: LacksView, };

/**
 * How it was at one time.
 */
export type TrendPoint = { 
/**
 * When.
 */
at: number, 
/**
 * How many clusters were counted.
 */
clusters: number, 
/**
 * Of 100, what of the checks came to an answer.
 */
coverage: number, 
/**
 * Findings by severity.
 */
critical: number, 
/**
 * Findings by severity.
 */
high: number, 
/**
 * Findings by severity.
 */
medium: number, 
/**
 * Findings by severity.
 */
low: number, };

/**
 * A call of the gateway of which the cluster does not tell.
 */
export type UnseenLine = { 
/**
 * When, in Unix microseconds.
 */
atUs: number, 
/**
 * Its address.
 */
address: Shown, 
/**
 * What may be behind it, in words; none: nothing that is known explains it.
 */
innocent: Array<Shown>, };

/**
 * Ends that the hub of one workspace has not heard.
 */
export type UntoldEnds = { 
/**
 * The workspace's name.
 */
workspace: Shown, 
/**
 * It is the one that the window shows: signing out is signing out there.
 */
inFront: boolean, 
/**
 * How many.
 */
count: number, 
/**
 * What goes on until one of them is heard, a line each; of many the first.
 */
what: Array<Shown>, };

/**
 * What no call used: these verbs on these resources.
 */
export type UnusedLine = { 
/**
 * As kubectl writes them, and paths.
 */
of: Array<Shown>, 
/**
 * The verbs; `*` is every verb that was not used.
 */
verbs: Array<Shown>, };

/**
 * What was granted and no call used.
 */
export type UnusedView = { 
/**
 * The first of it.
 */
lines: Array<UnusedLine>, 
/**
 * How many lines more there are.
 */
more: number, 
/**
 * Rules of which nothing at all was used.
 */
rules: number, 
/**
 * Rules of which this can't be said: they are not on record, or too large to be looked at part by part.
 */
untold: number, };

/**
 * What whoever a finding is about was seen to use, and a role that would have been enough.
 */
export type UseView = { 
/**
 * Who.
 */
subject: Shown | null, 
/**
 * Why no role is proposed; None: one is.
 */
why: Shown | null, 
/**
 * What to do, where none is.
 */
next: Shown | null, 
/**
 * Their calls that are over.
 */
calls: number, 
/**
 * Those that were refused: the role does not allow them.
 */
refused: number, 
/**
 * Their first call, in Unix microseconds.
 */
firstUs: number | null, 
/**
 * Their last.
 */
lastUs: number | null, 
/**
 * The first moment that the log of this cluster tells of, in Unix microseconds; None: none was read.
 */
reachFromUs: number | null, 
/**
 * The last.
 */
reachToUs: number | null, 
/**
 * What they hold, binding by binding, and what of it was used.
 */
held: Array<HeldUse>, 
/**
 * Bindings that are not listed.
 */
heldMore: number, 
/**
 * The role with its bindings as YAML, line by line.
 */
role: Array<Shown>, 
/**
 * How many rules it has.
 */
roleRules: number, 
/**
 * The rules they hold and those of the role: `-` goes, `+` comes.
 */
difference: Array<Shown>, 
/**
 * What in the role no session may have.
 */
dangers: Array<Shown>, 
/**
 * What the log and the scan cannot tell.
 */
notKnown: Array<Shown>, 
/**
 * What the answer lacks.
 */
lacks: LacksView, };

/**
 * What was used of one resource.
 */
export type UsedLine = { 
/**
 * As kubectl writes it.
 */
resource: Shown, 
/**
 * The verbs.
 */
verbs: Array<Shown>, 
/**
 * How often.
 */
times: number, 
/**
 * How often it was refused.
 */
denied: number, };

/**
 * Who is signed in, in the hub's words (SelfSubjectReview).
 */
export type User = { 
/**
 * The user name the API server gave.
 */
name: Shown, 
/**
 * For people.
 */
email: Shown | null, 
/**
 * The groups the API server gave.
 */
groups: Array<Shown>, 
/**
 * When a second factor was last proven, by the ID token's `auth_time`; none after a password alone.
 */
mfaAt: number | null, 
/**
 * The authentication context reached.
 */
acr: Shown | null, 
/**
 * The methods used.
 */
amr: Array<Shown>, };

/**
 * Where the refresh token is kept (P2).
 */
export type Vault = { "kind": "keyring" } | { "kind": "memoryOnly", 
/**
 * Why no keyring serves.
 */
why: Shown, };

/**
 * What a verification found.
 */
export type Verdict = "verified" | "unanchored" | "broken";

/**
 * The result of a verification.
 */
export type VerifyView = { 
/**
 * What it found.
 */
verdict: Verdict, 
/**
 * Entries checked.
 */
entries: number, 
/**
 * Gap entries among them.
 */
gaps: number, 
/**
 * The first entry that is wrong.
 */
firstBad: number | null, 
/**
 * What is wrong with it, or why there is no anchor.
 */
why: Shown | null, 
/**
 * Took.
 */
ms: number, 
/**
 * When.
 */
at: number, };

/**
 * How it stands with the identity provider's word for the person while something is open.
 */
export type VouchingView = { 
/**
 * How often it is wanted.
 */
everySeconds: number, 
/**
 * How long the session goes on without.
 */
graceSeconds: number, 
/**
 * Of when the last one is, by the provider's clock, Unix milliseconds.
 */
vouchedAt: number | null, 
/**
 * When the session is closed unless there is another by then, Unix milliseconds.
 */
closesAt: number | null, 
/**
 * Why the one that is due has not come, while it is overdue.
 */
overdue: Shown | null, };

/**
 * What a click on a cluster would do for this person. Where a session is open it shows that, which the window knows from
 * its sessions.
 */
export type Way = { "kind": "oneClick", 
/**
 * The profile.
 */
profile: Shown, } | { "kind": "ask", 
/**
 * The profile.
 */
profile: Shown, 
/**
 * Approvals it needs.
 */
approvals: number, } | { "kind": "notYours" } | { "kind": "unknown" };

/**
 * A cluster that has a weakness.
 */
export type WeakPlace = { 
/**
 * Which.
 */
cluster: Shown, 
/**
 * The finding there, for `posture_finding`.
 */
finding: string, };

/**
 * The same weakness on one or several clusters.
 */
export type Weakness = { 
/**
 * The same for the same weakness at every look.
 */
id: string, 
/**
 * The check: `RB-04`. Empty: it is between clusters, or of an exception.
 */
check: Shown, 
/**
 * In which column it counts.
 */
area: PostureArea, 
/**
 * A sentence.
 */
title: Shown, 
/**
 * Fail, or Provider where it is a setting of the cloud.
 */
verdict: PostureVerdict, 
/**
 * The worst of them.
 */
severity: PostureSeverity, 
/**
 * What it is about, in a few words: `pods in ci → account deployer → bind`.
 */
about: Shown, 
/**
 * Where, the worst first, with the finding there.
 */
places: Array<WeakPlace>, 
/**
 * So many clusters more than are listed.
 */
more: number, 
/**
 * Somebody answers for all of them.
 */
isExcepted: boolean, };

/**
 * Who can.
 */
export type WhoAnswer = { 
/**
 * As it was understood: "get secrets in payments".
 */
question: Shown, 
/**
 * Who, and on how many clusters, those on most first.
 */
who: Array<WhoLine>, 
/**
 * So many more than are listed.
 */
more: number, 
/**
 * What makes the answer less than whole, a sentence each.
 */
gaps: Array<Shown>, };

/**
 * Who can ask for what: the hub's roles and bindings, and what the brokers say their profiles allow, as they were read at
 * one moment. What is said several times stands once: numbers are places in the lists here.
 */
export type WhoCanView = { 
/**
 * When it was read.
 */
asOf: number, 
/**
 * Of what stands here and is compared with the next look.
 */
digest: Shown, 
/**
 * What this person lacks to see it; where there is something, nothing else is known.
 */
missing: Array<MissingRight>, 
/**
 * What may be asked for, by name.
 */
profiles: Array<WhoProfile>, 
/**
 * Where, by name.
 */
clusters: Array<WhoCluster>, 
/**
 * What profiles allow on clusters.
 */
rights: Array<WhoRights>, 
/**
 * The namespaces that take requests.
 */
teams: Array<Shown>, 
/**
 * By what somebody may do something: a binding and its role.
 */
bindings: Array<Shown>, 
/**
 * Who may ask, approve or end, groups first.
 */
subjects: Array<WhoSubject>, 
/**
 * Whether the hub's own guardrails are in force.
 */
hub: GuardrailProof, 
/**
 * What is true of all of it, in words.
 */
notes: Array<Shown>, 
/**
 * What could not be read, in words: it is missing above.
 */
problems: Array<Shown>, 
/**
 * What is another since this person said that they had seen it; None: they never did.
 */
drift: Drift | null, };

/**
 * A cluster and the profiles that cover it.
 */
export type WhoCluster = { 
/**
 * Its name.
 */
name: Shown, 
/**
 * For its colour.
 */
environment: EnvironmentKind, 
/**
 * The team's word for it.
 */
environmentWord: Shown, 
/**
 * Whether its guardrails are in force.
 */
guardrails: GuardrailProof, 
/**
 * Its broker gives no sign of life: what it said is as old as that.
 */
silent: boolean, 
/**
 * What may be asked for there.
 */
profiles: Array<WhoThere>, };

/**
 * Somebody who can.
 */
export type WhoLine = { 
/**
 * `group oidc:payments-dev`.
 */
subject: Shown, 
/**
 * By which binding and role, on one of the clusters.
 */
by: Shown, 
/**
 * Where, by name; at most 20.
 */
clusters: Array<Shown>, 
/**
 * On how many in all.
 */
count: number, };

/**
 * What somebody may do with one profile.
 */
export type WhoMay = { 
/**
 * Which.
 */
profile: number, 
/**
 * Ask for it.
 */
request: boolean, 
/**
 * Say yes or no to others.
 */
approve: boolean, 
/**
 * End what others have open.
 */
revoke: boolean, 
/**
 * By which bindings.
 */
by: Array<number>, };

/**
 * A profile, whoever may ask for it.
 */
export type WhoProfile = { 
/**
 * Its name.
 */
name: Shown, 
/**
 * How many people have to say yes; 0: it opens at once.
 */
approvals: number, 
/**
 * What stands for all of them, in words.
 */
autoApprovals: Array<Shown>, 
/**
 * The most time one person may have on one cluster within 24 hours; None: it is not counted.
 */
maxPerDaySeconds: number | null, 
/**
 * The longest a session may last.
 */
maxDurationSeconds: number, 
/**
 * Where on a cluster; empty: cluster-wide.
 */
namespaces: Array<Shown>, 
/**
 * What it wants of a sign-in, in words; empty: nothing.
 */
mfa: Array<Shown>, 
/**
 * A reason must be given.
 */
reasonRequired: boolean, };

/**
 * Who can do something, on all clusters that a scan is kept of.
 */
export type WhoQuestion = { 
/**
 * `get`.
 */
verb: string, 
/**
 * `secrets`, `deployments.apps`, `pods/exec`.
 */
resource: string, 
/**
 * In this namespace; None: everywhere.
 */
namespace?: string, 
/**
 * This cluster; None: all.
 */
cluster?: string, };

/**
 * What a profile allows.
 */
export type WhoRights = { 
/**
 * What no session may have, each with the rule that gives it.
 */
dangers: Array<Shown>, 
/**
 * What could outlive a session, in words.
 */
warnings: Array<Shown>, 
/**
 * In words; what changes something first.
 */
rights: Array<Right>, 
/**
 * How many rules they come from.
 */
rules: number, };

/**
 * Somebody whom a binding names, with all they may do by that name and by the groups that everybody of their kind is in.
 */
export type WhoSubject = { 
/**
 * What it is.
 */
kind: SubjectKind, 
/**
 * Its name as the hub's API server knows it; of a ServiceAccount `namespace/name`.
 */
name: Shown, 
/**
 * What they may do, by profile.
 */
may: Array<WhoMay>, 
/**
 * The teams in which they may ask. A profile without a team, and a team without a profile, is nothing: somebody in two
 * groups may have both.
 */
asksIn: Array<number>, 
/**
 * The teams in which they may write a yes, a no or an end.
 */
decidesIn: Array<number>, };

/**
 * A profile on one cluster.
 */
export type WhoThere = { 
/**
 * Which.
 */
profile: number, 
/**
 * What it allows there; None: see `unknown`.
 */
rights: number | null, 
/**
 * Why it is not known what it allows there.
 */
unknown: Shown | null, 
/**
 * Why its broker would refuse it (P11).
 */
refused: Shown | null, };

/**
 * What a workspace file would do, shown before it is saved.
 */
export type WorkspacePreview = { 
/**
 * As the file names it.
 */
name: Shown, 
/**
 * The hub's host and port: it will receive the sign-in.
 */
hubHost: Shown, 
/**
 * SHA-256 of the hub's CA certificate, hex in pairs; None: the system's roots are trusted.
 */
hubCaFingerprint: Shown | null, 
/**
 * The identity provider's issuer.
 */
issuer: Shown, 
/**
 * The client id used there.
 */
clientId: Shown, 
/**
 * Scopes asked for.
 */
scopes: Array<Shown>, 
/**
 * SHA-256 of the issuer's CA certificate; None: the system's roots are trusted.
 */
issuerCaFingerprint: Shown | null, 
/**
 * What has to be registered as redirect address at the provider, exactly; any port where none is named.
 */
redirectAddresses: Array<Shown>, 
/**
 * The file brings what the provider calls a client secret. It is public: everybody who has the file has it.
 */
clientAuthenticates: boolean, 
/**
 * Audiences that ID tokens may name besides the client id.
 */
extraAudiences: Array<Shown>, 
/**
 * Name of the workspace that joining would replace.
 */
replaces: Shown | null, };

/**
 * The hub joined.
 */
export type WorkspaceView = { 
/**
 * As the workspace file names it.
 */
name: Shown, 
/**
 * The hub's host and port.
 */
hubHost: Shown, 
/**
 * The identity provider's issuer.
 */
issuer: Shown, 
/**
 * The host the browser is sent to for signing in, where it is not the issuer's.
 */
signsInAt: Shown | null, 
/**
 * The host that receives what the sign-in brings back (the code), where it is not the one the browser is sent to.
 */
codeGoesTo: Shown | null, };

export const EVENT = "sallyport";

/** How many characters the hub takes at most. */
export const LIMITS = { userName: 512, clusterName: 63, reason: 1024 } as const;

export interface Commands {
  app_state: { args: {  }; result: AppState };
  theme_set: { args: { theme: Theme }; result: null };
  font_size_set: { args: { size: number }; result: null };
  shell_set: { args: { path: string | null }; result: null };
  default_duration_set: { args: { seconds: number | null }; result: null };
  paste_set: { args: { asks: PasteAsks }; result: null };
  notifications_set: { args: { chosen: Notifications }; result: null };
  support_preview: { args: { names: boolean }; result: BundleView };
  support_write: { args: { bundle: string; place: string }; result: Shown };
  settings: { args: {  }; result: SettingsView };
  quit: { args: {  }; result: null };
  workspace_preview: { args: { text: string }; result: WorkspacePreview };
  workspace_join: { args: { text: string }; result: AppState };
  demo_workspace: { args: {  }; result: AppState };
  sign_in: { args: { step: StepUp | null }; result: AppState };
  sign_in_cancel: { args: {  }; result: null };
  sign_out: { args: {  }; result: AppState };
  clusters_list: { args: {  }; result: ClustersView };
  cluster_detail: { args: { name: string }; result: ClusterDetail };
  cluster_outlook: { args: { input: OpenInput }; result: OutlookView };
  cluster_pin: { args: { name: string; on: boolean }; result: null };
  session_open: { args: { input: OpenInput }; result: SessionView };
  session_extend: { args: { id: string; seconds: number | null }; result: SessionView };
  sessions_list: { args: {  }; result: Array<SessionView> };
  session_leave: { args: { id: string }; result: null };
  session_dismiss: { args: { id: string }; result: null };
  terminal_open: { args: { session: string; size: TerminalSize }; result: TerminalView };
  terminal_attach: { args: { terminal: string; size: TerminalSize }; result: TerminalView };
  terminal_write: { args: { terminal: string; data: string }; result: null };
  terminal_resize: { args: { terminal: string; size: TerminalSize }; result: null };
  terminal_ack: { args: { terminal: string; bytes: number }; result: null };
  terminal_take: { args: { terminal: string; why: string }; result: null };
  terminal_close: { args: { terminal: string }; result: null };
  terminal_list: { args: {  }; result: Array<TerminalView> };
  recordings_list: { args: { session: string }; result: Array<RecordingView> };
  recording_open: { args: { session: string; terminal: string }; result: RecordingView };
  recording_page: { args: { session: string; terminal: string; segment: number; from: number }; result: RecordingPage };
  recording_delete: { args: { session: string; terminal: string }; result: null };
  requests_list: { args: {  }; result: RequestsView };
  request_before: { args: { request: string }; result: BeforeView };
  request_approve: { args: { request: string; offer: string; limits: LimitsInput | null }; result: null };
  request_deny: { args: { request: string; reason: string | null }; result: null };
  request_revoke: { args: { request: string; reason: string }; result: EndTold };
  request_revoke_drop: { args: { request: string }; result: null };
  hold_create: { args: { hold: HoldInput }; result: null };
  hold_remove: { args: { hold: string }; result: null };
  who_can: { args: {  }; result: WhoCanView };
  who_can_seen: { args: { digest: string }; result: null };
  profile_names: { args: {  }; result: Array<Shown> };
  profile_text: { args: { name: string | null; new: boolean }; result: ProfileDraft };
  profile_look: { args: { text: string; again: boolean }; result: ProfileLook };
  profile_apply: { args: { digest: string }; result: null };
  posture_fleet: { args: {  }; result: PostureView };
  posture_cluster: { args: { cluster: string }; result: PostureDetail };
  posture_finding: { args: { cluster: string; finding: string }; result: FindingDetail };
  posture_used: { args: { cluster: string; finding: string }; result: UseView };
  posture_scan: { args: { clusters: Array<string> }; result: null };
  posture_scan_stop: { args: { cluster: string | null }; result: null };
  posture_forget: { args: { cluster: string | null }; result: null };
  posture_prove: { args: { cluster: string; finding: string }; result: PathProof };
  posture_fix_try: { args: { cluster: string; finding: string }; result: FixTrial };
  posture_fix_apply: { args: { trial: string }; result: FixApplied };
  posture_except: { args: { exception: ExceptionInput }; result: null };
  posture_except_remove: { args: { exception: string }; result: null };
  posture_who: { args: { question: WhoQuestion }; result: WhoAnswer };
  posture_crossings: { args: { from: string; into: string }; result: CrossingsView };
  posture_report: { args: { place: string }; result: Shown };
  audit_page: { args: { filter: AuditFilter; before: number | null; limit: number }; result: AuditPage };
  audit_verify: { args: {  }; result: VerifyView };
  audit_seal: { args: {  }; result: SealView };
  audit_seal_renew: { args: { fingerprint: string }; result: SealView };
  audit_timeline: { args: { filter: TimelineFilter; before: string | null; limit: number }; result: TimelinePage };
  audit_calls: { args: { filter: TimelineFilter; before: string | null; limit: number }; result: TimelinePage };
  audit_histogram: { args: { filter: TimelineFilter; bins: number }; result: HistogramView };
  audit_top: { args: { filter: TimelineFilter; facet: TimelineFacet }; result: TopView };
  audit_heat: { args: { from: number; days: number }; result: HeatView };
  audit_call: { args: { id: string }; result: CallDetail };
  audit_raw: { args: { id: string }; result: Array<Shown> };
  audit_deleted: { args: { object: DeletedQuestion }; result: DeletedView };
  audit_session: { args: { request: string }; result: SessionEvidence };
  audit_about: { args: { filter: TimelineFilter }; result: AboutView };
  audit_review: { args: { review: ReviewInput }; result: null };
  audit_sources: { args: {  }; result: SourcesView };
  audit_source_add: { args: { cluster: string; path: string }; result: null };
  audit_store_add: { args: { store: StoreDraft }; result: null };
  audit_source_remove: { args: { source: string }; result: null };
  audit_source_read: { args: { source: string | null }; result: null };
  audit_source_stop: { args: {  }; result: null };
  audit_keep: { args: { days: number | null; bytes: number }; result: null };
  audit_follow: { args: { on: boolean }; result: null };
  audit_saved: { args: {  }; result: Array<SavedFilter> };
  audit_save: { args: { name: string; filter: TimelineFilter }; result: null };
  audit_unsave: { args: { name: string }; result: null };
  audit_export_look: { args: { filter: TimelineFilter }; result: ExportLook };
  audit_export: { args: { export: ExportInput }; result: ExportView };
  audit_export_stop: { args: {  }; result: null };
}
