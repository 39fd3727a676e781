use crate::{ErrorView, HoldView, Shown, StepUp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything around the views: who is signed in, to which hub, and how the parts under it are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppState {
    /// Which of the three faces the window shows.
    pub phase: Phase,
    /// The hub joined, once one is.
    pub workspace: Option<WorkspaceView>,
    /// Who is signed in.
    pub user: Option<User>,
    /// The sign-in under way, or the one that just failed.
    pub sign_in: Option<SignIn>,
    /// Where the refresh token is kept.
    pub vault: Vault,
    /// The connection to the hub.
    pub hub: HubState,
    /// This machine's clock minus the hub's, from its `Date`; positive: ahead. None before the first answer.
    pub clock_skew_ms: Option<i64>,
    /// The demo door.
    pub demo: Demo,
    /// What to know about the identity provider and the sign-in, a sentence or two each: what will not work and why.
    pub notes: Vec<Shown>,
    /// The chosen theme.
    pub theme: Theme,
    /// The size of terminals' text, in CSS pixels.
    pub font_size: u8,
    /// How long is asked for first, as the person chose; None: as last time, else 1 h.
    pub default_seconds: Option<u32>,
    /// When a paste into a terminal is asked about.
    pub paste: crate::PasteAsks,
    /// Requests that wait for this person's yes or no.
    pub to_decide: u32,
    /// Ends of what others have open that this person said and a hub has not heard: they are kept here alone, for as long as
    /// this run and the sign-in there go on. Of each workspace where there are some, the one in front first.
    pub untold: Vec<UntoldEnds>,
    /// What is held on the hub, the newest first: nobody held asks for anything or keeps anything open.
    pub holds: Vec<HoldView>,
    /// Whether this person may hold.
    pub may_hold: bool,
    /// The local history.
    pub history: HistoryState,
    /// What this start found left over from the last run, and what became of it. Empty when nothing was.
    pub cleanup: Vec<Cleanup>,
    /// `linux`, `macos` or `windows`: decides the keys.
    pub platform: String,
    /// The version of the app.
    pub version: String,
}

/// Ends that the hub of one workspace has not heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UntoldEnds {
    /// The workspace's name.
    pub workspace: Shown,
    /// It is the one that the window shows: signing out is signing out there.
    pub in_front: bool,
    /// How many.
    pub count: u32,
    /// What goes on until one of them is heard, a line each; of many the first.
    pub what: Vec<Shown>,
}

/// Which face the window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// No hub is known: the two doors.
    FirstRun,
    /// A hub is known, nobody is signed in.
    SignedOut,
    /// Signed in.
    Ready,
}

/// The hub joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceView {
    /// As the workspace file names it.
    pub name: Shown,
    /// The hub's host and port.
    pub hub_host: Shown,
    /// The identity provider's issuer.
    pub issuer: Shown,
    /// The host the browser is sent to for signing in, where it is not the issuer's.
    pub signs_in_at: Option<Shown>,
    /// The host that receives what the sign-in brings back (the code), where it is not the one the browser is sent to.
    pub code_goes_to: Option<Shown>,
}

/// What a workspace file would do, shown before it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WorkspacePreview {
    /// As the file names it.
    pub name: Shown,
    /// The hub's host and port: it will receive the sign-in.
    pub hub_host: Shown,
    /// SHA-256 of the hub's CA certificate, hex in pairs; None: the system's roots are trusted.
    pub hub_ca_fingerprint: Option<Shown>,
    /// The identity provider's issuer.
    pub issuer: Shown,
    /// The client id used there.
    pub client_id: Shown,
    /// Scopes asked for.
    pub scopes: Vec<Shown>,
    /// SHA-256 of the issuer's CA certificate; None: the system's roots are trusted.
    pub issuer_ca_fingerprint: Option<Shown>,
    /// What has to be registered as redirect address at the provider, exactly; any port where none is named.
    pub redirect_addresses: Vec<Shown>,
    /// The file brings what the provider calls a client secret. It is public: everybody who has the file has it.
    pub client_authenticates: bool,
    /// Audiences that ID tokens may name besides the client id.
    pub extra_audiences: Vec<Shown>,
    /// Name of the workspace that joining would replace.
    pub replaces: Option<Shown>,
}

/// Who is signed in, in the hub's words (SelfSubjectReview).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user name the API server gave.
    pub name: Shown,
    /// For people.
    pub email: Option<Shown>,
    /// The groups the API server gave.
    pub groups: Vec<Shown>,
    /// When a second factor was last proven, by the ID token's `auth_time`; none after a password alone.
    pub mfa_at: Option<i64>,
    /// The authentication context reached.
    pub acr: Option<Shown>,
    /// The methods used.
    pub amr: Vec<Shown>,
}

/// A sign-in under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// How far it is.
    pub step: SignInStep,
    /// When it began.
    pub since: i64,
    /// What it must reach, when it is a step-up.
    pub step_up: Option<StepUp>,
    /// Why it failed; stays until the next one.
    pub error: Option<ErrorView>,
}

/// How far a sign-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SignInStep {
    /// Discovery, and the loopback listener.
    Preparing,
    /// The browser was opened: the person goes on there.
    Browser,
    /// The code came back and is being redeemed and checked.
    Checking,
    /// The hub is asked who this is.
    Hub,
    /// It failed; see the error.
    Failed,
}

/// Where the refresh token is kept (P2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Vault {
    /// Encrypted, under a key in the keyring.
    Keyring,
    /// In memory until the app ends.
    MemoryOnly {
        /// Why no keyring serves.
        why: Shown,
    },
}

/// The connection to the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HubState {
    /// How it is.
    pub link: HubLink,
    /// Since when.
    pub since: i64,
    /// Why it is down, one sentence.
    pub message: Option<Shown>,
    /// The next try, when it is down.
    pub retry_at: Option<i64>,
    /// It can't be asked because the sign-in is over: signing in again helps.
    pub sign_in: bool,
}

/// How the connection to the hub is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HubLink {
    /// Nothing was tried yet, or nobody is signed in.
    Idle,
    /// The first answer is awaited.
    Connecting,
    /// Watches run.
    Live,
    /// It does not answer; what is shown is what was last seen.
    Down,
}

/// The demo door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Demo {
    /// This build has none.
    None,
    /// It can be started.
    Offered,
    /// It starts: what it is doing now.
    Starting {
        /// One line.
        detail: Shown,
    },
    /// The workspace is the demo's: its pods are simulated.
    Running,
}

/// The theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the desktop says.
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// The local history in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryState {
    /// How many entries it holds.
    pub entries: i64,
    /// The last verification's verdict, if one was made.
    pub verdict: Option<crate::Verdict>,
    /// When.
    pub verified_at: Option<i64>,
    /// Why entries can't be written now (disk full), if so.
    pub trouble: Option<Shown>,
}

/// One thing the last run left over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Cleanup {
    /// One sentence: "A session on payments-eu-1 was still open".
    pub what: Shown,
    /// What shows that it is gone.
    pub proof: CleanupProof,
}

/// What shows that a leftover is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum CleanupProof {
    /// Being cleaned.
    Running,
    /// Local only: removed here.
    Removed,
    /// The broker reports ServiceAccount and bindings absent.
    ByBroker,
    /// The API server refused.
    ByProbe,
    /// Not shown to be gone.
    Unproven {
        /// Why.
        why: Shown,
    },
}
