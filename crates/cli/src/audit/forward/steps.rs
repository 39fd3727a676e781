//! The steps of a desktop's own history, on their way to a log store: what API servers can't tell.

use super::super::said::said;
use super::{NEWEST, Position, of_another, read_place, write};
use crate::end::Stop;
use sallyport_audit::{Entry, redact_leaving};
use sallyport_engine::{EVENT_MOST, PUSH_MOST, Record};
use sallyport_model::Digest;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Which of them the store has.
pub(super) struct Steps {
    path: PathBuf,
    after: u64,
    /// What the entry with that sequence is.
    what: Option<String>,
    sent: u64,
    sent_what: Option<String>,
    /// Some of those that were written last.
    newest: Vec<Record>,
}

impl Steps {
    /// From where the store has them: beside the place of the events.
    pub(super) fn from(path: &Path, name: &str) -> Result<Self, Stop> {
        let path = path.with_extension("steps.json");
        let (after, what) = read_place(&path, name)?.map_or((0, None), |place| (place.after, place.what));
        Ok(Self { path, after, sent: after, sent_what: what.clone(), what, newest: Vec::new() })
    }

    /// The next of them, at most as many as are sent at once. The app may be running; nothing is written there.
    pub(super) fn next(&mut self, history: &Path) -> Result<Vec<Record>, Stop> {
        // No calls: API servers tell of them.
        let recorded = sallyport_store::read_beside(history, i64::MAX, 0).map_err(said)?;
        // A place is a step's, and steps are never removed: none there, be it that a call is, or another in its place, is
        // another history's.
        let stands = recorded.entries.iter().find(|entry| entry.sequence == self.after).map(what);
        let is_other = stands.as_ref().zip(self.what.as_ref()).is_some_and(|(stands, was)| stands != was);
        let is_gone = self.after > 0 && stands.is_none() && recorded.unreadable.is_empty();
        if is_other || is_gone {
            return Err(of_another(&self.path, "history"));
        }
        let is_new = |entry: &&Entry| entry.sequence > self.after;
        let mut entries: Vec<&Entry> = recorded.entries.iter().filter(is_new).collect();
        entries.sort_by_key(|entry| entry.sequence);
        self.newest = entries.iter().rev().take(NEWEST).map(|entry| record(entry)).collect();
        entries.truncate(PUSH_MOST);
        if let Some(last) = entries.last() {
            (self.sent, self.sent_what) = (last.sequence, Some(what(last)));
        }
        Ok(entries.into_iter().map(record).collect())
    }

    /// Some that a store is tried with that takes none of those before.
    pub(super) fn newest(&self) -> &[Record] {
        &self.newest
    }

    /// The store has said that it has them.
    pub(super) fn taken(&mut self, name: &str) -> Result<(), Stop> {
        (self.after, self.what) = (self.sent, self.sent_what.clone());
        write(&self.path, &Position { to: name.to_owned(), after: self.after, what: self.what.clone() })
    }
}

/// What an entry is, as far as tells it from another history's.
fn what(entry: &Entry) -> String {
    format!("{}@{}", entry.action, entry.at)
}

fn record(entry: &Entry) -> Record {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let detail = serde_json::from_str(&entry.detail.to_json()).map_or(Value::Null, leaving);
    let fields = [
        ("action", entry.action.to_string()),
        ("outcome", entry.outcome.to_string()),
        ("user", text(entry.user.as_ref().map(|one| one.as_str()))),
        ("request", text(entry.request.as_ref().map(|one| one.as_str()))),
        ("session", text(entry.session.as_ref().map(|one| one.as_str()))),
        ("credential", text(entry.jti.as_ref().map(|one| one.as_str()))),
    ];
    let cluster = text(entry.cluster.as_ref().map(|one| one.as_str()));
    let event = json!({
        "kind": "SallyportEntry", "sequence": entry.sequence, "at": super::super::times::told(entry.at),
        "action": fields[0].1, "outcome": fields[1].1, "user": fields[2].1, "cluster": cluster,
        "request": fields[3].1, "session": fields[4].1, "jti": fields[5].1, "detail": detail,
    });
    let mut event = event.to_string();
    let is_clipped = event.len() > EVENT_MOST;
    if is_clipped {
        event = sallyport_model::clip(&event, EVENT_MOST);
    }
    Record {
        // By its text, sequence and moment included: the same however often it is sent.
        id: String::from(Digest::of(event.as_bytes())).chars().take(32).collect(),
        at: entry.at.saturating_mul(1000),
        cluster,
        fields: fields.into_iter().filter(|(_, text)| !text.is_empty()).collect(),
        event,
        is_clipped,
    }
}

/// Each text as it may leave this machine.
fn leaving(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact_leaving(&text).text),
        Value::Array(all) => all.into_iter().map(leaving).collect(),
        Value::Object(all) => all.into_iter().map(|(name, value)| (name, leaving(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::{Action, Draft};
    use sallyport_store::History;

    async fn of_some(dir: &Path, actions: &[Action]) {
        let history = History::open(dir, None).await.unwrap();
        for action in actions {
            history.append_durable(Draft::new(*action)).await.unwrap();
        }
        history.close().await.unwrap();
    }

    /// A history that was made anew has other entries under the same sequences, calls among them, or none yet.
    #[tokio::test]
    async fn a_place_of_another_history_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let (place, data) = (dir.path().join("place.json"), dir.path().join("data"));
        of_some(&data, &[Action::Ask; 5]).await;
        let mut steps = Steps::from(&place, "a-store").unwrap();
        assert!(steps.next(&data).unwrap().len() > 5 && steps.newest().len() > 5);
        steps.taken("a-store").unwrap();
        assert!(steps.next(&data).unwrap().is_empty());
        of_some(&data, &[Action::Ask]).await;
        let goes_on = Steps::from(&place, "a-store").unwrap().next(&data).unwrap();
        assert!((1..5).contains(&goes_on.len()), "what came since: {}", goes_on.len());
        let calls_between = [&[Action::Ask][..], &[Action::Call; 10], &[Action::Ask]].concat();
        for actions in [&[][..], &[Action::Ask; 2], &[Action::Ask; 20], &calls_between] {
            std::fs::remove_dir_all(&data).unwrap();
            of_some(&data, actions).await;
            let error = Steps::from(&place, "a-store").unwrap().next(&data).unwrap_err();
            assert!(error.0.contains("of another history"), "{actions:?}: {error:?}");
        }
    }
}
