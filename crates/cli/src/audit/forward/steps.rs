//! The steps of a desktop's own history, on their way to a log store: what API servers can't tell.

use super::{Position, read_place, write};
use crate::end::Stop;
use sallyport_archive::CallId;
use sallyport_audit::{Action, Entry, redact_leaving};
use sallyport_engine::{EVENT_MOST, PUSH_MOST, Record};
use sallyport_model::Digest;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Which of them the store has.
pub(super) struct Steps {
    path: PathBuf,
    after: u64,
    sent: u64,
}

impl Steps {
    /// From where the store has them: beside the place of the events.
    pub(super) fn from(path: &Path, name: &str) -> Result<Self, Stop> {
        let path = path.with_extension("steps.json");
        let after = read_place(&path, name)?.map_or(0, CallId::number);
        Ok(Self { path, after, sent: after })
    }

    /// The next of them, at most as many as are sent at once. The app may be running; nothing is written there.
    pub(super) fn next(&mut self, history: &Path) -> Result<Vec<Record>, Stop> {
        // No calls: API servers tell of them.
        let recorded = sallyport_store::read_beside(history, i64::MAX, 0)
            .map_err(|error| Stop(sallyport_model::visible(&error.to_string())))?;
        let is_step = |entry: &&Entry| entry.sequence > self.after && entry.action != Action::Call;
        let mut entries: Vec<&Entry> = recorded.entries.iter().filter(is_step).collect();
        entries.sort_by_key(|entry| entry.sequence);
        entries.truncate(PUSH_MOST);
        self.sent = entries.last().map_or(self.after, |entry| entry.sequence);
        Ok(entries.into_iter().map(record).collect())
    }

    /// The store has said that it has them.
    pub(super) fn taken(&mut self, name: &str) -> Result<(), Stop> {
        self.after = self.sent;
        write(&self.path, &Position { to: name.to_owned(), after: self.after })
    }
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
