//! A row of the timeline, of either side. Pure.

use super::command;
use crate::history::view;
use sallyport_archive::{Call, CallId, Column};
use sallyport_audit::Entry;
use sallyport_events::{Act, Event, Field, Joined, Key, Known, Object, Provenance, User};
use sallyport_ipc::{Outcome, Shown, TieBy, TieView, TimelineRow, TimelineSide};
use sallyport_model::SessionAccount;

/// Which row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowId {
    /// An entry of the history, by its place.
    Own(u64),
    /// A call of the archive, and its moment in microseconds of Unix time, by which it is found.
    Call(CallId, i64),
    /// A call that was seen in a log store: in which of the looks, and as above.
    Seen(u64, CallId, i64),
}

impl RowId {
    /// As the window sends it back; none for what is no row.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
        match text.split_once(':')? {
            ("own", sequence) => Some(Self::Own(number(sequence)?)),
            ("call", call) => {
                let (id, at) = call.split_once('@')?;
                Some(Self::Call(CallId::from_number(number(id)?), at.parse().ok()?))
            }
            ("look", seen) => {
                let (look, call) = seen.split_once('.')?;
                let (id, at) = call.split_once('@')?;
                Some(Self::Seen(number(look)?, CallId::from_number(number(id)?), at.parse().ok()?))
            }
            _ => None,
        }
    }

    pub(super) fn shown(self) -> Shown {
        match self {
            Self::Own(sequence) => Shown::from(format!("own:{sequence}")),
            Self::Call(id, at) => Shown::from(format!("call:{}@{at}", id.number())),
            Self::Seen(look, id, at) => Shown::from(format!("look:{look}.{}@{at}", id.number())),
        }
    }
}

/// An entry.
pub(super) fn own(entry: &Entry) -> TimelineRow {
    let view = view(entry);
    TimelineRow {
        id: RowId::Own(entry.sequence).shown(),
        at_us: view.at_us,
        side: TimelineSide::Own,
        sentence: view.sentence.clone(),
        who: view.user.clone(),
        cluster: view.cluster.clone(),
        via: view.via.clone(),
        status: view.status,
        word: Shown::from(&view.action),
        outcome: view.outcome,
        gap: view.gap,
        tie: None,
        command: command::of_entry(entry),
        entry: Some(Box::new(view)),
    }
}

/// A call that a cluster tells of, in the words of its columns.
pub(super) fn act(call: &Call) -> Act<'_> {
    Act {
        verb: call.text(Column::Verb),
        resource: call.text(Column::Resource),
        subresource: call.text(Column::Subresource),
        namespace: call.text(Column::Namespace),
        name: call.text(Column::Name),
        code: call.code(),
        is_forbidden: call.is_denied(),
        command: call.text(Column::Command),
        ..Act::default()
    }
}

/// The row of a call with its sentence, and what it belongs to.
pub(super) fn call(call: &Call, sentence: &str, tie: Option<TieView>) -> TimelineRow {
    let (user, as_whom) = (call.text(Column::User), call.text(Column::Impersonated));
    let who = if as_whom.is_empty() { user.to_owned() } else { format!("{user} as {as_whom}") };
    TimelineRow {
        id: RowId::Call(call.id, call.at).shown(),
        at_us: call.at,
        side: TimelineSide::Cluster,
        sentence: Shown::from(sentence),
        who: Shown::from(who),
        cluster: Shown::from(call.text(Column::Cluster)),
        via: Shown::from(client(call.text(Column::UserAgent))),
        status: call.code(),
        word: Shown::from(call.text(Column::Verb)),
        outcome: match call.code() {
            _ if call.is_denied() => Outcome::Refused,
            Some(500..) => Outcome::Failed,
            None => Outcome::Unproven,
            Some(_) => Outcome::Done,
        },
        gap: false,
        tie,
        command: None,
        entry: None,
    }
}

/// What a client calls itself, in one word: `kubectl`, `kube-controller-manager`.
fn client(agent: &str) -> &str {
    agent.split(['/', ' ']).next().unwrap_or_default()
}

/// As much of an event as ties it: its columns say all that is needed, but for the address of what is no resource.
pub(super) fn to_tie(call: &Call) -> Event<'_> {
    let text = |column| Some(call.text(column)).filter(|text| !text.is_empty()).map(Into::into);
    // As kubectl writes it: what is behind the first dot is the group.
    let (resource, group) =
        call.text(Column::Resource).split_once('.').unwrap_or((call.text(Column::Resource), ""));
    let object = (!resource.is_empty()).then(|| Object {
        group: group.into(),
        resource: resource.into(),
        subresource: call.text(Column::Subresource).into(),
        namespace: call.text(Column::Namespace).into(),
        name: call.text(Column::Name).into(),
        ..Object::default()
    });
    let mut provenance = Provenance::default();
    provenance.note(Field::ReceivedAt, call.marks.provenance.of(Field::ReceivedAt));
    Event {
        verb: call.text(Column::Verb).into(),
        object,
        provenance,
        audit_id: call.audit_id.as_str().into(),
        user: User { name: call.text(Column::User).into(), ..User::default() },
        credential: text(Column::Credential),
        issued_credential: text(Column::Issued),
        account: SessionAccount::of_user(call.text(Column::User)),
        received_at: Some(call.at),
        ..Event::default()
    }
}

/// What a call belongs to, for the window.
pub(super) fn tie(joined: &Joined, known: &Known) -> Option<TieView> {
    let link = joined.link?;
    let session = known.sessions().get(link.session)?;
    Some(TieView {
        by: by(link.key),
        is_inferred: link.key.is_inferred(),
        request: Shown::of(&session.request),
        session: session.session.as_ref().map(Shown::of),
        who: session.user.as_ref().map(Shown::of),
        call: None,
    })
}

pub(super) fn by(key: Key) -> TieBy {
    match key {
        Key::AuditId => TieBy::AuditId,
        Key::Jti => TieBy::Jti,
        Key::Account => TieBy::Account,
        Key::Issued => TieBy::Issued,
        Key::UserAndTime => TieBy::UserAndTime,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_known_by_what_it_was_called_and_by_nothing_else() {
        let call = CallId::from_number(u64::MAX);
        for id in [RowId::Own(7), RowId::Call(call, -3), RowId::Seen(2, call, 5)] {
            assert_eq!(RowId::parse(&id.shown()), Some(id));
        }
        for odd in [
            "",
            "own:",
            "own:-1",
            "call:1",
            "call:1x@1",
            "call: 1@2",
            "call:1@",
            "look:1@2",
            "look:x.1@2",
            "other:1",
            "own:99999999999999999999",
            "own",
        ] {
            assert_eq!(RowId::parse(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_client_is_one_word() {
        assert_eq!(client("kubectl/v1.37.2 (linux/amd64) kubernetes/abc"), "kubectl");
        assert_eq!(client("Mozilla"), "Mozilla");
        assert_eq!(client(""), "");
    }
}
