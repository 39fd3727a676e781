use crate::{EnvironmentKind, ReaffirmView, Right, Shown};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is asked for and open in the person's teams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RequestsView {
    /// Those that are not closed, the one that waits longest first.
    pub requests: Vec<RequestView>,
    /// Those that this person ended and that are closed since they signed in, each with what became of it.
    pub closed: Vec<RequestView>,
    /// Since when all of it is known: when the team that was heard of longest ago was; None: not all teams were yet.
    pub as_of: Option<i64>,
    /// No team lets this person read its requests.
    pub none_to_read: bool,
    /// What could not be read, in words.
    pub problems: Vec<Shown>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// Its UID, by which it is decided on.
    pub id: Shown,
    /// The team's namespace.
    pub team: Shown,
    /// Who asks.
    pub user: Shown,
    /// It is this person's own: nobody decides on their own (P8).
    pub own: bool,
    /// The groups they ask with.
    pub groups: Vec<Shown>,
    /// Their sign-in's authentication context.
    pub acr: Option<Shown>,
    /// Their sign-in's methods.
    pub amr: Vec<Shown>,
    /// When they last proved who they are.
    pub mfa_at: Option<i64>,
    /// Where.
    pub cluster: Shown,
    /// For its colour.
    pub environment: EnvironmentKind,
    /// The team's word for it; empty: not known.
    pub environment_word: Shown,
    /// Under which profile.
    pub profile: Shown,
    /// In which namespaces; empty: cluster-wide.
    pub namespaces: Vec<Shown>,
    /// For how long.
    pub duration_seconds: u32,
    /// Why.
    pub reason: Shown,
    /// Since when it waits.
    pub asked_at: i64,
    /// When it is given up if nobody decides.
    pub waits_until: i64,
    /// How far it is.
    pub phase: RequestPhase,
    /// What a yes would allow; None: its broker has not offered yet.
    pub offer: Option<OfferView>,
    /// How often the identity provider has to vouch for the requester while it is open, by the offer or, before there is one,
    /// by the profile; None: never.
    pub reaffirm: Option<ReaffirmView>,
    /// What the requester's desktop will record of its terminals, by its own word; None: nothing.
    pub recording: Option<sallyport_model::Recording>,
    /// Who said yes, in order.
    pub approvals: Vec<ApprovalView>,
    /// What opened it without people; None: people do, or it needs nobody.
    pub auto_approval: Option<AutoApprovalView>,
    /// What is given, or what the yeses so far leave; None: all that was asked for.
    pub given: Option<GivenView>,
    /// How many people must; None: its profile is not known.
    pub needed: Option<u32>,
    /// When its rights end, once they exist.
    pub ends_at: Option<i64>,
    /// What its broker says of it.
    pub message: Option<Shown>,
    /// Who ended it and how, while it is being closed.
    pub ended: Option<Shown>,
    /// How far its end is, once somebody ended it; None: nobody did.
    pub closing: Option<ClosingView>,
    /// Whether this person may say yes or no.
    pub decide: Decide,
    /// Whether this person may say no, also after they said yes.
    pub may_deny: bool,
    /// Whether this person may end it.
    pub may_revoke: bool,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RequestPhase {
    /// It waits for its offer or for people.
    Pending,
    /// It is being granted.
    Approved,
    /// Its rights exist.
    Active,
}

/// How far the end of a request is that somebody ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClosingView {
    /// How far.
    pub state: ClosingState,
    /// Its broker's words: what is left and why, or what was removed; None: it has said nothing of it. Of an end that the hub
    /// has not heard, why it has not.
    pub said: Option<Shown>,
    /// When its broker gave its last sign of life, where that is too long ago; None: it is heard, or never was.
    pub seen_at: Option<i64>,
    /// From when on the API server refuses what may be left of it, with nobody acting (P10); None: it has no rights.
    pub refused_from: Option<i64>,
    /// Since when this desktop keeps the end, which the hub has not heard; None: the hub has it.
    pub kept_since: Option<i64>,
}

/// How far an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ClosingState {
    /// Nobody was told yet, and the session goes on: this desktop keeps the end and tells the hub when it can hear.
    Untold,
    /// The hub said no to it when it heard: the session goes on, and it is not told again by itself.
    Refused,
    /// The hub has the word; its broker has said nothing yet.
    Told,
    /// Its broker removes it, and says what is left and why.
    Hindered,
    /// Its broker is not heard, so nobody removes it.
    Unreached,
    /// Nothing is left of it: its broker has seen that.
    Proven,
    /// It is not among what is open any more, and nobody said that nothing is left.
    Unproven,
}

/// Whether the hub has heard the end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EndTold {
    /// It has taken it.
    Told,
    /// It can't hear. The desktop keeps the end, and its row says so ([`ClosingState::Untold`]).
    NotYet,
}

/// Whether this person may decide, as far as the desktop knows. The hub's API server decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Decide {
    /// It is theirs to decide.
    Yes,
    /// It is their own.
    Own,
    /// They may not approve under this profile.
    NotYours,
    /// Whether they may could not be read; it is read again.
    NotKnown,
    /// Its offer does not add up, by [`OfferView::problem`]: a yes to it is refused here.
    Unsound,
    /// It waits for nobody: the yeses it needs are there, or it needs none.
    Enough,
    /// They have said yes.
    Said,
    /// There is nothing to say yes to yet; a no can be said.
    NoOffer,
    /// It is decided.
    Over,
}

/// What a yes would allow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OfferView {
    /// What a yes is given to: another digest is another offer.
    pub digest: Shown,
    /// In words; what changes something first.
    pub rights: Vec<Right>,
    /// How many rules they come from.
    pub rules: u32,
    /// Whether a yes may allow less: one to an offer of an older broker may not.
    pub takes_limits: bool,
    /// What was left of the requester's day as it was offered; None: it is not counted.
    pub left_today_seconds: Option<u32>,
    /// What could outlive the session, in words.
    pub warnings: Vec<Shown>,
    /// What this person has open on that cluster already.
    pub beside: Vec<BesideView>,
    /// Of the rights, those that none of `beside` gives for at least as long as this request would.
    pub adds: Vec<Right>,
    /// The next narrower profile: one that its broker grants there, that gives nothing more and the most of it, of those
    /// that the hub does not keep the requester from asking for.
    pub narrower: Option<NarrowerView>,
    /// Why it can't be what its digest says, in a sentence.
    pub problem: Option<Shown>,
}

/// A session that the requester has open beside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BesideView {
    /// Under which profile.
    pub profile: Shown,
    /// When it ends.
    pub ends_at: i64,
}

/// A profile that would give less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NarrowerView {
    /// Its name.
    pub profile: Shown,
    /// Of the offer's rights, those that it does not give.
    pub adds: Vec<Right>,
    /// The hub says that the requester may ask for it. False: that is not known, since asking takes a right that approvers
    /// need not have, or the hub did not say.
    pub is_askable: bool,
}

/// One person's yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalView {
    /// Who.
    pub by: Shown,
    /// When.
    pub at: i64,
    /// It is to the offer as it stands.
    pub counts: bool,
    /// What they took off; None: nothing.
    pub limits: Option<LimitsView>,
}

/// The autoApproval that stands for all approvals of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AutoApprovalView {
    /// Its name in the profile.
    pub name: Shown,
    /// What its conditions saw.
    pub saw: Shown,
    /// When it was met.
    pub at: i64,
}

/// What one approver took off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LimitsView {
    /// At most so long; None: not limited.
    pub duration_seconds: Option<u32>,
    /// In these only; None: not limited. Never empty.
    pub namespaces: Option<Vec<Shown>>,
}

/// Where and for how long rights are given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GivenView {
    /// In which namespaces; empty: cluster-wide.
    pub namespaces: Vec<Shown>,
    /// How long.
    pub duration_seconds: u32,
}

/// What an approver takes off, as chosen in the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LimitsInput {
    /// At most so long; None: as asked.
    pub duration_seconds: Option<u32>,
    /// In these only; None: as asked. An empty list is refused.
    pub namespaces: Option<Vec<String>>,
}

/// What somebody did under one profile before, as far as the hub keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BeforeView {
    /// Closed requests that had rights.
    pub opened: u32,
    /// Closed ones that never had.
    pub never_opened: u32,
    /// When the last one was asked for; None also where not all were read: which was the last is not known then.
    pub last_at: Option<i64>,
    /// How that ended, in words.
    pub last_ended: Option<Shown>,
    /// There are more than were counted.
    pub more: bool,
}
