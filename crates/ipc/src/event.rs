use crate::{AppState, AuditPosition, SessionView, Shown};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The one Tauri event the window listens to; its payload is an [`Event`].
pub const EVENT: &str = "sallyport";

/// What the desktop tells the window. Sessions and state are told whole, so a lost event is healed by the next;
/// the lists are only hinted at and fetched again. Coalesce: a session at most every 250 ms except when a step
/// or line of proof changed, the hints at most once a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// Something around the views changed.
    State {
        /// All of it.
        state: Box<AppState>,
    },
    /// A session changed.
    Session {
        /// All of it.
        session: Box<SessionView>,
    },
    /// A session was dismissed.
    SessionGone {
        /// Which.
        id: String,
    },
    /// The inventory changed: fetch `clusters_list`.
    ClustersChanged,
    /// What is asked for in the person's teams changed: fetch `requests_list`.
    RequestsChanged,
    /// A scan got on, or what is kept of the scans changed: fetch `posture_fleet`.
    PostureChanged,
    /// The history grew: fetch `audit_page`.
    HistoryGrew {
        /// To where.
        position: AuditPosition,
    },
    /// What is kept of the clusters' audit events grew, or a source got on: fetch `audit_sources`, `audit_timeline`, and what a log
    /// store had not answered.
    EvidenceChanged,
    /// What is handed on got on.
    Exporting {
        /// Entries and calls that were looked at.
        done: i64,
        /// Of so many, as far as they were counted.
        of: i64,
    },
    /// Worth a moment's attention.
    Notice {
        /// What.
        notice: Notice,
    },
    /// The window's close button was pressed: say what ends, then call `quit`.
    QuitAsked,
    /// The person clicked a notification: go there.
    Go {
        /// Where.
        to: Goal,
    },
}

/// Where a notification leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Goal {
    /// A request.
    Request {
        /// Its UID.
        id: Shown,
    },
    /// The requests that wait for this person.
    Requests,
    /// A session.
    Session {
        /// Which.
        id: Shown,
    },
    /// The sessions.
    Sessions,
}

/// Worth a moment's attention: five minutes left, revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// How loud.
    pub level: NoticeLevel,
    /// One sentence.
    pub text: Shown,
    /// The session it is about.
    pub session: Option<String>,
}

/// How loud a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Time runs out, a person waits.
    Warning,
    /// Something ended or broke.
    Danger,
}
