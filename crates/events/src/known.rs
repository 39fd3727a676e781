//! What this desktop knows of one cluster, out of its history: sessions, and the calls that its gateway sent on.

use crate::Event;
use sallyport_audit::{Action, Entry, Outcome};
use sallyport_model::{AuditId, Jti, RequestUid, SessionAccount, SessionId, UserName};
use std::collections::HashMap;

/// One session, as far as the history tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSession {
    /// The request behind it.
    pub request: RequestUid,
    /// The desktop's session.
    pub session: Option<SessionId>,
    /// Whose it is.
    pub user: Option<UserName>,
    /// The first that was heard of it, in microseconds of Unix time, by the desktop's clock.
    pub from: i64,
    /// The last.
    pub to: i64,
    /// Who said yes, in the history's words; `None` where it does not tell.
    pub approved_by: Option<String>,
}

/// A call that the gateway sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCall {
    /// Its first entry's place in the history.
    pub sequence: u64,
    /// The id that the gateway minted for it.
    pub audit_id: AuditId,
    /// The token it was made with.
    pub jti: Jti,
    /// Which of [`Known::sessions`] it belongs to.
    pub session: usize,
    /// When it arrived, in microseconds of Unix time, by the desktop's clock.
    pub at: i64,
    /// When it was over, in microseconds of Unix time, by the desktop's clock, where the history tells.
    pub ended_at: Option<i64>,
    /// The HTTP method; empty where the history does not have it.
    pub method: String,
    /// Path and query as the history has them: redacted, and cut in their middle where they are long.
    pub uri: String,
    /// Whether it is over.
    pub has_ended: bool,
    /// Whether the API server answered it.
    pub was_answered: bool,
    /// The command of kubectl it belongs to (`Kubectl-Session`, KEP-859), where the history has that.
    pub kubectl: Option<String>,
    /// What that command is called (`kubectl get`, without its arguments), where the history has that.
    pub command: Option<String>,
}

/// What is known of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Known {
    sessions: Vec<KnownSession>,
    calls: Vec<KnownCall>,
    by_request: HashMap<RequestUid, usize>,
    by_account: HashMap<String, usize>,
    by_jti: HashMap<String, usize>,
    by_audit_id: HashMap<String, usize>,
}

impl Known {
    /// From the entries about one cluster, oldest first. Entries of other clusters are not for here: which cluster
    /// events are of, the configuration of their source says.
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let mut known = Self::default();
        entries.into_iter().for_each(|entry| known.note(entry));
        known
    }

    /// Takes one entry.
    pub fn note(&mut self, entry: &Entry) {
        let Some(request) = &entry.request else { return };
        let session = self.session(request, entry);
        let Some(jti) = &entry.jti else { return };
        self.by_jti.insert(jti.as_str().to_owned(), session);
        let is_call = matches!(entry.action, Action::Call | Action::StreamStart | Action::StreamEnd);
        let (true, Some(audit_id)) = (is_call, &entry.audit_id) else { return };
        let has_ended = entry.action != Action::StreamStart;
        let has_status = entry.detail.get("status").is_some();
        let was_answered = has_ended && has_status && entry.outcome != Outcome::Failed;
        let took = entry.detail.get("ms").and_then(serde_json::Value::as_f64).filter(|_| has_ended);
        let ended_at = took.map(|ms| entry.at.saturating_add((ms.max(0.0) * 1000.0) as i64));
        if let Some(call) = self.by_audit_id.get(audit_id.as_str()).map(|at| &mut self.calls[*at]) {
            call.ended_at = call.ended_at.or(ended_at);
            call.has_ended |= has_ended;
            call.was_answered |= was_answered;
            return;
        }
        let text = |key: &str| entry.detail.text(key).map(str::to_owned);
        self.by_audit_id.insert(audit_id.as_str().to_owned(), self.calls.len());
        self.calls.push(KnownCall {
            sequence: entry.sequence,
            audit_id: audit_id.clone(),
            jti: jti.clone(),
            session,
            at: entry.at,
            ended_at,
            method: text("method").unwrap_or_default(),
            uri: text("uri").unwrap_or_default(),
            has_ended,
            was_answered,
            kubectl: text("kubectl_session"),
            command: text("kubectl_command"),
        });
    }

    fn session(&mut self, request: &RequestUid, entry: &Entry) -> usize {
        let at = match self.by_request.get(request) {
            Some(at) => *at,
            None => {
                let at = self.sessions.len();
                self.by_request.insert(request.clone(), at);
                self.by_account.insert(SessionAccount::derive_id(request), at);
                self.sessions.push(KnownSession {
                    request: request.clone(),
                    session: None,
                    user: None,
                    from: entry.at,
                    to: entry.at,
                    approved_by: None,
                });
                at
            }
        };
        let session = &mut self.sessions[at];
        session.from = session.from.min(entry.at);
        session.to = session.to.max(entry.at);
        session.session = session.session.take().or_else(|| entry.session.clone());
        session.user = session.user.take().or_else(|| entry.user.clone());
        if entry.action == Action::Approved {
            session.approved_by = entry.detail.text("by").map(str::to_owned);
        }
        at
    }

    /// The sessions.
    pub fn sessions(&self) -> &[KnownSession] {
        &self.sessions
    }

    /// The calls.
    pub fn calls(&self) -> &[KnownCall] {
        &self.calls
    }

    /// Which call has an id.
    pub(crate) fn call(&self, audit_id: &str) -> Option<usize> {
        self.by_audit_id.get(audit_id).copied()
    }

    /// Which session a token belongs to.
    pub(crate) fn of_jti(&self, jti: &str) -> Option<usize> {
        self.by_jti.get(jti).copied()
    }

    /// Which session the account that made a call belongs to.
    pub(crate) fn of_account(&self, event: &Event<'_>) -> Option<usize> {
        self.by_account.get(event.account.as_ref()?.id()).copied()
    }

    /// Calls that are one command of kubectl, as places in [`Known::calls`]: a person's one step reads as one row. Calls
    /// of which that is not known stand alone.
    pub fn commands(&self) -> Vec<Vec<usize>> {
        let mut out: Vec<Vec<usize>> = Vec::new();
        let mut by_command: HashMap<(usize, &str), usize> = HashMap::new();
        for (at, call) in self.calls.iter().enumerate() {
            let place = match &call.kubectl {
                None => out.len(),
                Some(kubectl) => *by_command.entry((call.session, kubectl)).or_insert(out.len()),
            };
            match out.get_mut(place) {
                Some(command) => command.push(at),
                None => out.push(vec![at]),
            }
        }
        out
    }
}
