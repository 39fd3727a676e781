//! An event on its way into a store: its text, and the fields that people filter by there.

use sallyport_events::{Decision, Event, Found, Position, Reader, Stage, What};
use sallyport_model::ClusterName;
use sha2::{Digest as _, Sha256};

/// The longest event that is sent, in bytes of JSON text. VictoriaLogs passes over lines of more than 256 KiB without a
/// word, and Loki refuses them; escaped, a text may take twice its bytes.
pub const EVENT_MOST: usize = 120 * 1024;

/// What is sent of an event. Nothing in it is a secret (P20): it is made of events that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The same for the same event, however often it is sent: by cluster and text.
    pub id: String,
    /// When the API server wrote it, in nanoseconds of Unix time. Not when the call arrived: what is read on by time
    /// would miss the end of a long call.
    pub at: i64,
    /// The cluster, by whoever configured the source.
    pub cluster: String,
    /// Fields to filter by, none of them empty.
    pub fields: Vec<(&'static str, String)>,
    /// The event as it was written, without its secrets.
    pub event: String,
    /// Whether it was cut, because stores do not take it whole.
    pub is_clipped: bool,
}

impl Record {
    /// Of an event. `now` in microseconds of Unix time is when it was, where it does not say.
    pub fn of(event: &Event<'_>, cluster: &ClusterName, now: i64) -> Self {
        let micros = event.completed_at.or(event.started_at).or(event.received_at).unwrap_or(now);
        let mut fields = Vec::new();
        let mut add = |name: &'static str, text: &str| {
            if !text.is_empty() {
                fields.push((name, text.to_owned()));
            }
        };
        add("audit_id", &event.audit_id);
        add("verb", &event.verb);
        add("user", &event.user.name);
        if let Some(user) = &event.impersonated {
            add("impersonated", &user.name);
        }
        if let Some(object) = &event.object {
            let group = if object.group.is_empty() { String::new() } else { format!(".{}", object.group) };
            add("resource", &format!("{}{group}", object.resource));
            add("subresource", &object.subresource);
            add("namespace", &object.namespace);
            add("name", &object.name);
        }
        add("code", &event.code.map(|code| code.to_string()).unwrap_or_default());
        add(
            "decision",
            match event.decision {
                Some(Decision::Allow) => "allow",
                Some(Decision::Forbid) => "forbid",
                None => "",
            },
        );
        add("credential", event.credential.as_deref().unwrap_or_default());
        add("session", &event.account.as_ref().map(ToString::to_string).unwrap_or_default());
        add("stage", event.stages.last().map_or("", Stage::name));
        let text = event.raw.replace(['\n', '\r'], " ");
        let is_clipped = text.len() > EVENT_MOST;
        let id = id(cluster, &text);
        Self {
            id,
            at: micros.saturating_mul(1000),
            cluster: cluster.to_string(),
            fields,
            event: if is_clipped { head(text) } else { text },
            is_clipped,
        }
    }

    /// Of a text that was kept of an event; nothing of what is none.
    pub fn read(text: &[u8], cluster: &ClusterName, now: i64, each: &mut dyn FnMut(Self)) {
        let mut reader = Reader::new();
        reader.one(Position { offset: 0, line: 1, item: 0 }, text, &mut |found: Found<'_>| {
            if let What::Event(event) = &found.what {
                each(Self::of(event, cluster, now));
            }
        });
    }
}

fn id(cluster: &ClusterName, text: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(cluster.as_str());
    digest.update([0]);
    digest.update(text);
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn head(mut text: String) -> String {
    let mut end = EVENT_MOST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
