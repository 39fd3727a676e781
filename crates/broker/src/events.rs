//! What becomes of a request, as Kubernetes Events on it: a team's event router tells chat or pager by them. They are told
//! beside the work and never wait for: what can't be told within a moment is logged and dropped, and the request says it
//! all the same.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource as _};
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_model::{EndReason, Phase, visible};
use std::time::Duration;
use tokio::sync::mpsc;

/// Who reports; admission holds every broker to it (`deploy/hub/policies-system.yaml`).
pub(crate) const REPORTER: &str = "sallyport-broker";
/// How many may wait to be told.
const WAITING: usize = 256;
/// The longest note, in bytes (events.k8s.io/v1).
const NOTE_MOST: usize = 1024;

/// Where events are handed in.
#[derive(Clone)]
pub(crate) struct Events(mpsc::Sender<(AccessRequest, Happened)>);

/// What happened to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Happened {
    reason: &'static str,
    note: String,
}

impl Events {
    /// Tells what is handed in, one after another, until nobody can hand in anything any more.
    pub(crate) fn start(hub: Client, cluster: &str, deadline: Duration) -> Self {
        let (events, mut waiting) = mpsc::channel::<(AccessRequest, Happened)>(WAITING);
        let reporter = Reporter { controller: REPORTER.to_owned(), instance: Some(cluster.to_owned()) };
        let recorder = Recorder::new(hub, reporter);
        tokio::spawn(async move {
            while let Some((request, happened)) = waiting.recv().await {
                let event = Event {
                    type_: EventType::Normal,
                    reason: happened.reason.to_owned(),
                    note: Some(happened.note),
                    action: happened.reason.to_owned(),
                    secondary: None,
                };
                let about = request.object_ref(&());
                match tokio::time::timeout(deadline, recorder.publish(&event, &about)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(%error, event = happened.reason, "an event was not told")
                    }
                    Err(_) => tracing::warn!(event = happened.reason, "an event was not told in time"),
                }
            }
        });
        Self(events)
    }

    /// Tells what a write of this broker's made of a request.
    pub(crate) fn written(&self, before: &AccessRequest, after: &AccessRequest) {
        for happened in happened(before, after) {
            if self.0.try_send((after.clone(), happened)).is_err() {
                tracing::warn!("too many events wait to be told; one was dropped");
            }
        }
    }
}

/// What a write made news of, in order.
fn happened(before: &AccessRequest, after: &AccessRequest) -> Vec<Happened> {
    let rank = |request: &AccessRequest| match request.phase() {
        Phase::Pending => 0,
        Phase::Approved | Phase::Active => 1,
        Phase::Closed => 2,
    };
    let mut news = Vec::new();
    let mut tell = |reason, words: String| news.push(Happened { reason, note: note(&words) });
    if before.offer().is_none() && after.offer().is_some() {
        tell("Requested", asked(after));
    }
    if rank(before) < 1 && rank(after) == 1 {
        tell("Approved", approved(after));
    }
    if rank(before) < 2 && rank(after) == 2 {
        let ended = after.condition(CONDITION_ENDED);
        let reason = ended.map_or("", |ended| ended.reason.as_str());
        let said = ended.map_or("", |ended| ended.message.as_str());
        let is_no = reason == EndReason::Denied.to_string();
        tell(if is_no { "Denied" } else { "Closed" }, format!("{}: {said}", who(after)));
    }
    news
}

fn who(request: &AccessRequest) -> String {
    let spec = &request.spec;
    format!("{} on {} under {}", spec.user, spec.cluster, spec.profile)
}

fn asked(request: &AccessRequest) -> String {
    let spec = &request.spec;
    let terms = terms(&spec.namespaces, &spec.duration);
    format!("{}, asked for {terms}: {}", who(request), spec.reason)
}

fn approved(request: &AccessRequest) -> String {
    let status = request.status.as_ref();
    let by: Vec<&str> = status.iter().flat_map(|s| &s.approvals).map(|yes| yes.by.as_str()).collect();
    let auto = status.and_then(|s| s.auto_approval.as_ref());
    let by = match auto {
        Some(met) => format!("approved by autoApproval {}", met.name),
        None if by.is_empty() => "approved by the profile alone".to_owned(),
        None => format!("approved by {}", by.join(", ")),
    };
    let given = status.and_then(|s| s.given.as_ref());
    let given = given.map(|given| format!(": {}", terms(&given.namespaces, &given.duration)));
    format!("{}, {by}{}", who(request), given.unwrap_or_default())
}

/// Where and for how long, as the request has it: what it says need make no sense to be told.
fn terms(namespaces: &[String], duration: &str) -> String {
    let scope = if namespaces.is_empty() { "all namespaces".to_owned() } else { namespaces.join(" ") };
    format!("{scope} for {duration}")
}

/// Text from outside, with hidden characters visible, within what an Event may carry.
fn note(words: &str) -> String {
    let mut note = visible(words);
    if note.len() > NOTE_MOST {
        const CUT: char = '…';
        note.truncate(note.floor_char_boundary(NOTE_MOST - CUT.len_utf8()));
        note.push(CUT);
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn request(status: Value) -> AccessRequest {
        let spec = json!({"user": "oidc:dana", "cluster": "pay-eu", "profile": "operate",
            "namespaces": ["payments"], "reason": "INC-1"});
        crate::samples::request(spec, status)
    }

    fn offer() -> Value {
        json!({"digest": "d", "rules": [], "warnings": [], "endpoint": "https://a", "caDigest": "c"})
    }

    fn told(before: Value, after: Value) -> Vec<(&'static str, String)> {
        happened(&request(before), &request(after)).into_iter().map(|one| (one.reason, one.note)).collect()
    }

    #[test]
    fn each_turn_of_a_request_is_told_once_and_in_order() {
        let pending = json!({"offer": offer()});
        let yes = json!([{"by": "oidc:lee", "at": "2026-01-01T00:00:00Z", "offer": "d"}]);
        let approved = json!({"phase": "Approved", "offer": offer(), "approvals": yes,
            "given": {"duration": "15m", "namespaces": ["payments"]}});
        let closed = |reason: &str| {
            json!({"phase": "Closed", "offer": offer(), "conditions": [{"type": "Ended", "status": "True",
                "reason": reason, "message": "said", "lastTransitionTime": "2026-01-01T00:00:00Z"}]})
        };
        let asked = "oidc:dana on pay-eu under operate, asked for payments for 1h: INC-1";
        assert_eq!(told(json!({}), pending.clone()), [("Requested", asked.to_owned())]);
        assert_eq!(
            told(pending.clone(), approved.clone()),
            [(
                "Approved",
                "oidc:dana on pay-eu under operate, approved by oidc:lee: payments for 15m".to_owned()
            )]
        );
        let mut active = approved.clone();
        active["phase"] = json!("Active");
        assert!(told(approved, active.clone()).is_empty(), "it was told as it was approved");
        assert_eq!(told(active, closed("Left"))[0].0, "Closed");
        assert_eq!(
            told(pending.clone(), closed("Denied"))[0],
            ("Denied", "oidc:dana on pay-eu under operate: said".into())
        );
        assert!(told(closed("Left"), closed("Left")).is_empty());
        let at_once = json!({"phase": "Approved", "offer": offer()});
        let reasons: Vec<_> = told(json!({}), at_once).into_iter().map(|one| one.0).collect();
        assert_eq!(reasons, ["Requested", "Approved"]);
    }

    #[test]
    fn what_approved_is_named() {
        let by = |status: Value| told(json!({"offer": offer()}), status)[0].1.clone();
        let mut at_once = json!({"phase": "Approved", "offer": offer()});
        assert!(by(at_once.clone()).ends_with("approved by the profile alone"));
        at_once["autoApproval"] = json!({"name": "office", "saw": "Mon 10:00", "at": "2026-01-01T00:00:00Z"});
        assert!(by(at_once).ends_with("approved by autoApproval office"));
    }

    #[test]
    fn p24_a_hostile_reason_is_visible_and_fits_whatever_its_bytes() {
        for hostile in ["\u{202e}", "\u{0}", "é", "🜲", "\n"] {
            let said = note(&hostile.repeat(1024));
            assert!(said.len() <= NOTE_MOST && said.ends_with('…'), "{} bytes", said.len());
            assert!(!said.contains('\u{202e}') && !said.contains('\u{0}') && !said.contains('\n'));
        }
        assert_eq!(note("plain"), "plain");
    }
}
