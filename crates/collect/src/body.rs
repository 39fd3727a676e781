//! A body of a webhook: what an API server sends (`audit.k8s.io`, `EventList`), as lines to keep.

use sallyport_events::{Counts, Found, Reader, What};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What is kept of a body.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Each event as it was written, without its secrets, on a line of its own.
    pub(crate) lines: Vec<u8>,
    pub(crate) counts: Counts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    kind: String,
    api_version: String,
    #[serde(default)]
    items: Option<IgnoredAny>,
}

/// Whether it is whole JSON and a list of audit events; nothing of it is believed.
fn is_event_list(body: &[u8]) -> bool {
    let Ok(head) = serde_json::from_slice::<Head>(body) else { return false };
    head.kind == "EventList" && head.api_version.starts_with("audit.k8s.io/") && head.items.is_some()
}

/// `None` for what is no list of events.
pub(crate) fn take(body: &[u8]) -> Option<Taken> {
    if !is_event_list(body) {
        return None;
    }
    let mut taken = Taken::default();
    let mut reader = Reader::new();
    reader.document(body, &mut |found: Found<'_>| {
        if let What::Event(event) = &found.what {
            // Between the tokens of a JSON text a line feed is a space; in a text of it there is none.
            let line = event.raw.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte });
            taken.lines.extend(line);
            taken.lines.push(b'\n');
        }
    });
    taken.counts = reader.counts().clone();
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_events_becomes_lines_and_nothing_else_does() {
        let body = br#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[
            {"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","verb":"get",
             "requestURI":"/api/v1/pods?token=abcdefgh"},
            {"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"list"}]}"#;
        let taken = take(body).unwrap();
        let text = String::from_utf8(taken.lines).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains("abcdefgh"), "p20: {text}");
        assert_eq!((taken.counts.events, taken.counts.bad.len()), (1, 1));
        for unfit in [
            &b"<html>"[..],
            b"",
            b"[]",
            br#"{"kind":"PodList","apiVersion":"v1","items":[]}"#,
            br#"{"kind":"EventList","apiVersion":"v1","items":[]}"#,
            br#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1"}"#,
            br#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"a""#,
        ] {
            assert!(take(unfit).is_none(), "{}", String::from_utf8_lossy(unfit));
        }
    }

    #[test]
    fn a_body_as_deep_as_it_can_be_is_no_reason_to_fall() {
        let deep = format!(
            r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":{}"#,
            "[".repeat(1_000_000)
        );
        assert!(take(deep.as_bytes()).is_none());
    }
}
