//! What crosses between the window and the desktop: the list of commands, the shapes they take and give, and the
//! one event.
//!
//! [`commands!`] is the single list. The shell's handler, the window's ACL ([`COMMANDS`]) and the TypeScript in
//! `ui/src/bindings` all come from it. Promise P1 holds here by construction: no shape has a place for a token, a
//! key or a kubeconfig, and a test walks every field name. Times are Unix milliseconds unless a name ends in `Us`
//! (microseconds), `Ms` (a span in milliseconds) or `Seconds`. Text that may come from outside is
//! [`Shown`] (P24): what is left as plain text are ids and words of ours, and what the window itself sent.

#![deny(missing_docs)]

mod app;
mod audit;
pub mod bindings;
mod cluster;
mod command;
mod error;
mod event;
mod evidence;
mod export;
mod hold;
mod posture;
mod profile;
mod reach;
mod recording;
mod request;
mod session;
mod settings;
mod shown;
mod support;
mod terminal;

pub use app::{
    AppState, Cleanup, CleanupProof, Demo, HistoryState, HubLink, HubState, Phase, SignIn, SignInStep, Theme,
    UntoldEnds, User, Vault, WorkspacePreview, WorkspaceView,
};
pub use audit::{
    AuditEntryView, AuditFilter, AuditIds, AuditPage, AuditPosition, Outcome, SealView, Verdict, VerifyView,
};
pub use cluster::{
    Broker, Carried, ClusterDetail, ClusterView, ClustersView, DayView, EnvironmentKind, Guardrails,
    LastOpening, Mfa, OutlookView, ProfileView, ReaffirmView, Refused, Right, Rights, Way,
};
pub use command::COMMANDS;
pub use error::{ErrorView, StepUp};
pub use event::{EVENT, Event, Goal, Notice, NoticeLevel};
pub use evidence::{
    AboutView, BypassLine, CallDetail, CommandCall, CommandView, DeletedHow, DeletedQuestion, DeletedView,
    DeletionLine, FactCame, FactView, HeatDay, HeatRow, HeatView, HistogramBin, HistogramView, LacksView,
    PlaceView, ReviewInput, ReviewOf, ReviewRuling, ReviewView, SavedFilter, SessionEvidence, SessionLine,
    SourceState, SourceView, SourcesView, StoreDraft, StoreLacks, TieBy, TieCount, TieView, TimelineFacet,
    TimelineFilter, TimelinePage, TimelineRow, TimelineSide, TopLine, TopView, UnseenLine, UnusedLine,
    UnusedView, UsedLine,
};
pub use export::{ExportForm, ExportInput, ExportLook, ExportView, RecordedSession};
pub use hold::{HeldKind, HoldInput, HoldView};
pub use posture::{
    CheckLine, CrossingLine, CrossingsView, EffectLine, EvidenceLine, ExceptionInput, ExceptionView,
    FindingDetail, FindingLine, FindingOrigin, FixApplied, FixMade, FixTrial, FixTried, FixView, HeldUse,
    PathProof, PathStep, PostureArea, PostureCell, PostureCluster, PostureDetail, PostureDrift,
    PostureDriftLine, PostureSeverity, PostureVerdict, PostureView, Practice, ReviewLine, ScanRun, ScanState,
    TrendPoint, UseView, WeakPlace, Weakness, WhoAnswer, WhoLine, WhoQuestion,
};
pub use profile::{
    ProfileDifference, ProfileDraft, ProfileLook, ProfileProblem, ProfileVerdict, RulesDifference,
};
pub use reach::{
    Drift, DriftLine, DriftWay, GuardrailProof, MissingRight, SubjectKind, WhoCanView, WhoCluster, WhoMay,
    WhoProfile, WhoRights, WhoSubject, WhoThere,
};
pub use recording::{MomentKind, RecordedMoment, RecordingPage, RecordingView, SegmentState, SegmentView};
pub use request::{
    ApprovalView, AutoApprovalView, BeforeView, BesideView, ClosingState, ClosingView, Decide, EndTold,
    GivenView, LimitsInput, LimitsView, NarrowerView, OfferView, RequestPhase, RequestView, RequestsView,
};
pub use sallyport_model::{EndReason, ErrorCode, Recording};
pub use session::{
    Call, Calls, Ended, OpenInput, Proof, ProofKind, ProofState, SessionState, SessionView, Step, StepKind,
    StepState, VouchingView,
};
pub use settings::{Kept, Notifications, PasteAsks, SettingsView, ShellView};
pub use shown::Shown;
pub use support::{BundleFile, BundleView};
pub use terminal::{RecordingState, TerminalGuard, TerminalSize, TerminalView};
