use crate::{Action, Detail, Outcome};
use sallyport_model::{AuditId, ClusterName, GrantUid, Jti, RequestUid, SessionId, UserName};
use serde::Serialize;

/// One line of the history.
///
/// The join fields tie it to the hub (`request`), the target (`grant`), the desktop (`session`) and the API server's
/// own audit (`jti`, `audit_id`).
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the history, from 1, without holes.
    pub sequence: u64,
    /// When, in microseconds of Unix time, by the desktop's clock.
    pub at: i64,
    /// What happened.
    pub action: Action,
    /// How it went.
    pub outcome: Outcome,
    /// Who, as the API server names them; none before anyone signed in.
    pub user: Option<UserName>,
    /// On which cluster.
    pub cluster: Option<ClusterName>,
    /// The request on the hub.
    pub request: Option<RequestUid>,
    /// The grant on the target.
    pub grant: Option<GrantUid>,
    /// The session of this desktop.
    pub session: Option<SessionId>,
    /// The token's id; the API server's audit records it with every call.
    pub jti: Option<Jti>,
    /// The minted `Audit-ID` of one call.
    pub audit_id: Option<AuditId>,
    /// What else belongs to it, redacted and bounded.
    pub detail: Detail,
    /// How many secrets were taken out of it.
    pub redactions: u32,
}

impl Entry {
    /// The bytes the chain covers: a version, then every field but the sequence, each with its length, so that no
    /// two entries share an encoding. Frozen: a change of the layout gets a new version byte.
    pub fn encode(&self) -> Vec<u8> {
        let detail = self.detail.to_json();
        let mut out = Vec::with_capacity(160 + detail.len());
        out.push(1);
        out.extend(self.at.to_be_bytes());
        field(&mut out, Some(self.action.as_str()));
        field(&mut out, Some(self.outcome.as_str()));
        field(&mut out, self.user.as_ref().map(UserName::as_str));
        field(&mut out, self.cluster.as_ref().map(ClusterName::as_str));
        field(&mut out, self.request.as_ref().map(RequestUid::as_str));
        field(&mut out, self.grant.as_ref().map(GrantUid::as_str));
        field(&mut out, self.session.as_ref().map(SessionId::as_str));
        field(&mut out, self.jti.as_ref().map(Jti::as_str));
        field(&mut out, self.audit_id.as_ref().map(AuditId::as_str));
        field(&mut out, Some(&detail));
        out.extend(self.redactions.to_be_bytes());
        out
    }
}

fn field(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            let length = u32::try_from(text.len()).expect("every field is bounded far below 4 GiB");
            out.extend(length.to_be_bytes());
            out.extend(text.as_bytes());
        }
    }
}

/// An entry before the history gives it its place. The store sets the time when none is given.
#[derive(Clone, Debug)]
pub struct Draft {
    at: Option<i64>,
    entry: Entry,
}

/// Longest id taken over from outside; a UUID has 36 characters.
const MAX_ID: usize = 128;

macro_rules! id_setter {
    ($(#[$doc:meta])* $name:ident, $type:ident) => {
        $(#[$doc])*
        pub fn $name(mut self, id: &$type) -> Self {
            self.entry.$name = Some($type::new(sallyport_model::clip(id.as_str(), MAX_ID)));
            self
        }
    };
}

impl Draft {
    /// Of an action that went well; see [`Draft::outcome`].
    pub fn new(action: Action) -> Self {
        let entry = Entry {
            sequence: 0,
            at: 0,
            action,
            outcome: Outcome::Ok,
            user: None,
            cluster: None,
            request: None,
            grant: None,
            session: None,
            jti: None,
            audit_id: None,
            detail: Detail::new(),
            redactions: 0,
        };
        Self { at: None, entry }
    }

    /// When it happened, in microseconds of Unix time, if not when it is appended.
    pub fn at(mut self, micros: i64) -> Self {
        self.at = Some(micros);
        self
    }

    /// How it went.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.entry.outcome = outcome;
        self
    }

    /// Who.
    pub fn user(mut self, user: &UserName) -> Self {
        self.entry.user = Some(user.clone());
        self
    }

    /// On which cluster.
    pub fn cluster(mut self, cluster: &ClusterName) -> Self {
        self.entry.cluster = Some(cluster.clone());
        self
    }

    id_setter! {
        /// The request on the hub.
        request, RequestUid
    }
    id_setter! {
        /// The grant on the target.
        grant, GrantUid
    }
    id_setter! {
        /// The session of this desktop.
        session, SessionId
    }
    id_setter! {
        /// The token's id.
        jti, Jti
    }
    id_setter! {
        /// The minted `Audit-ID`.
        audit_id, AuditId
    }

    /// One more fact, redacted as it goes in ([`Detail::put`]).
    pub fn detail(mut self, key: &str, value: impl Serialize) -> Self {
        self.entry.detail.put(key, value);
        self
    }

    /// What happened.
    pub fn action(&self) -> Action {
        self.entry.action
    }

    /// The entry at its place; `now` (microseconds of Unix time) is its time if it brought none.
    pub fn place(self, sequence: u64, now: i64) -> Entry {
        let redactions = self.entry.detail.redactions();
        Entry { sequence, at: self.at.unwrap_or(now), redactions, ..self.entry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_frozen() {
        let entry = Draft::new(Action::Call)
            .cluster(&"eu-1".parse().unwrap())
            .jti(&Jti::new("j"))
            .detail("status", 200)
            .place(7, 1_000);
        let encoded = entry.encode();
        let hex = data_encoding::HEXLOWER.encode(&encoded);
        assert_eq!(
            hex,
            "0100000000000003e8010000000463616c6c01000000026f6b00010000000465752d31000000010000\
             00016a00010000000e7b22737461747573223a3230307d00000000"
        );
    }

    #[test]
    fn fields_that_move_change_the_encoding() {
        let request = Draft::new(Action::Ask).request(&RequestUid::new("x")).place(1, 0);
        let grant = Draft::new(Action::Ask).grant(&GrantUid::new("x")).place(1, 0);
        assert_ne!(request.encode(), grant.encode());
    }

    #[test]
    fn an_endless_id_is_cut() {
        let entry = Draft::new(Action::Call).audit_id(&AuditId::new("x".repeat(1 << 20))).place(1, 0);
        assert!(entry.encode().len() < 500);
    }
}
