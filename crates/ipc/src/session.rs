use crate::{EnvironmentKind, ErrorView, Shown, TerminalView};
use sallyport_model::{EndReason, Recording};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What to open. Everything but the cluster may be left out: one click takes the last profile, else the narrowest
/// that opens at once, with namespaces and duration as last time (design, "One click").
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(optional_fields)]
pub struct OpenInput {
    /// The cluster.
    pub cluster: String,
    /// The profile.
    pub profile: Option<String>,
    /// The namespaces; empty: cluster-wide.
    pub namespaces: Option<Vec<String>>,
    /// For how long.
    pub duration_seconds: Option<u32>,
    /// Why.
    pub reason: Option<String>,
}

/// One session: its opening, its life, its closing and the proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Opaque.
    pub id: String,
    /// The session it was asked for to extend. Until it is closing, what it asked for; then, what that session had before.
    pub extends: Option<String>,
    /// It was opened by a scan, which reads, leaves and shows nothing of it but its end.
    pub is_scan: bool,
    /// The cluster's name.
    pub cluster: Shown,
    /// Colour of the environment.
    pub environment: EnvironmentKind,
    /// Its word.
    pub environment_word: Shown,
    /// Empty: cluster-wide.
    pub namespaces: Vec<Shown>,
    /// The profile.
    pub profile: Shown,
    /// The reason given; may be empty.
    pub reason: Shown,
    /// Asked for how long.
    pub duration_seconds: u32,
    /// Where it stands.
    pub state: SessionState,
    /// The five steps of the opening, in order, always all of them.
    pub steps: Vec<Step>,
    /// What it waits for while Approved is running: "1 of 2 approvals".
    pub waiting_for: Option<Shown>,
    /// The provider's word for the person, where the profile wants it again and again.
    pub vouching: Option<VouchingView>,
    /// What is recorded of its terminals; None: nothing.
    pub recording: Option<Recording>,
    /// When it opened.
    pub opened_at: Option<i64>,
    /// When it last went on under a new grant: its steps are those of that. None: it never did.
    pub extended_at: Option<i64>,
    /// When the rights end, by the target's clock. For people; count with `ends_in_ms`.
    pub ends_at: Option<i64>,
    /// Time left when this view was made, on monotonic time.
    pub ends_in_ms: Option<i64>,
    /// From the click to the first prompt.
    pub click_to_prompt_ms: Option<u32>,
    /// What went through the gateway.
    pub calls: Calls,
    /// Streams open now, one line each: `logs -f api-0`.
    pub streams: Vec<Shown>,
    /// Its terminals.
    pub terminals: Vec<TerminalView>,
    /// The closing, in order; empty until it closes.
    pub proof: Vec<Proof>,
    /// Why and by whom it ended.
    pub ended: Option<Ended>,
    /// Why it could not open, or what went wrong while open.
    pub error: Option<ErrorView>,
    /// The request's `metadata.uid` on the hub, once asked: joins with the history.
    pub request: Option<Shown>,
    /// The grant's `metadata.uid` on the target.
    pub grant: Option<Shown>,
}

/// How it stands with the identity provider's word for the person while something is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VouchingView {
    /// How often it is wanted.
    pub every_seconds: u32,
    /// How long the session goes on without.
    pub grace_seconds: u32,
    /// Of when the last one is, by the provider's clock, Unix milliseconds.
    pub vouched_at: Option<i64>,
    /// When the session is closed unless there is another by then, Unix milliseconds.
    pub closes_at: Option<i64>,
    /// Why the one that is due has not come, while it is overdue.
    pub overdue: Option<Shown>,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SessionState {
    /// The steps run.
    Opening,
    /// The gateway serves it.
    Open,
    /// Cut; the flush is being proven.
    Closing,
    /// Over, with its proof or the reason why there is none.
    Closed,
}

/// One step of the opening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Which.
    pub kind: StepKind,
    /// How far.
    pub state: StepState,
    /// How long it took, when done or failed.
    pub ms: Option<u32>,
    /// "at once: no approval needed", "2 bindings"; may be empty.
    pub detail: Shown,
}

/// Signed in → Asked → Approved → Granted → Ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum StepKind {
    /// A sign-in that will do is at hand.
    SignedIn,
    /// The request is on the hub.
    Asked,
    /// Decided.
    Approved,
    /// Grant, ServiceAccount and bindings exist.
    Granted,
    /// The first call through the gateway answered.
    Ready,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Done.
    Done,
    /// Failed.
    Failed,
}

/// What went through a session's gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Calls {
    /// All of them.
    pub total: u32,
    /// Those answered 401 or 403.
    pub refused: u32,
    /// The last 20, newest first.
    pub recent: Vec<Call>,
}

/// One call through the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// `list`, `get`, `create`, …
    pub verb: Shown,
    /// `pods`, `pods/log`, or a path.
    pub resource: Shown,
    /// Answer; None while it runs.
    pub status: Option<u16>,
    /// Took; None while it runs.
    pub ms: Option<f64>,
}

/// One line of the closing proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// Which.
    pub kind: ProofKind,
    /// How far.
    pub state: ProofState,
    /// Since leaving was asked.
    pub ms: Option<u32>,
    /// Since leaving was asked, until the first of several probes was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub first_ms: Option<u32>,
    /// "2 of 4 refused", "all 4 refused by …", or what is unproven and why; may be empty.
    pub detail: Shown,
}

/// The lines of the closing proof, in order. Green only after `RightsGone` and `TokenRefused` are done, or
/// `ByBroker` where the app itself was gone (then it is said to be the broker's word).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ProofKind {
    /// The gateway cut its streams.
    StreamsCut,
    /// Terminals ended.
    TerminalsEnded,
    /// The private kubeconfig was deleted.
    KubeconfigDeleted,
    /// First probes, past the gateway: for every role in every namespace, a call that was allowed answers 403 or 401.
    RightsGone,
    /// Bindings and ServiceAccount are removed: by the broker's word, or shown by the session's own probes.
    AccountRemoved,
    /// Second probes: 401.
    TokenRefused,
    /// No probe: the broker reports it.
    ByBroker,
}

/// How far a line of the proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ProofState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Shown.
    Done,
    /// Not shown; the detail says why.
    Unproven,
}

/// Why and by whom a session ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// By whom, when it was not the person themself.
    pub by: Option<Shown>,
    /// In their words.
    pub message: Option<Shown>,
    /// When.
    pub at: i64,
}
