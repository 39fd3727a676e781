//! Every call through the gateway becomes an entry of the history and a line of its session (promise P17).

use sallyport_audit::{Action, Draft, Outcome, redact_url};
use sallyport_gateway::{Call, CallOutcome, CallPhase, Live, Target};

/// The entry of one call's moment.
pub(crate) fn entry(call: &Call) -> Draft {
    let action = match (call.phase, &call.stream, &call.outcome) {
        (CallPhase::Started, _, _) => Action::StreamStart,
        (CallPhase::Ended, _, CallOutcome::Refused(_)) => Action::CallRefused,
        (CallPhase::Ended, Some(_), _) => Action::StreamEnd,
        (CallPhase::Ended, None, _) => Action::Call,
    };
    let verb = call.stream.map_or_else(|| call.target.verb.clone(), |s| s.to_string());
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
        .detail("verb", verb)
        .detail("what", what(&call.target))
        .detail("method", &call.method)
        .detail("uri", redact_url(&call.path_and_query).text);
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

/// What a call is about, in few words: `pods/exec api-0 in payments`, or the path.
pub(crate) fn what(target: &Target) -> String {
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
pub(crate) fn line(call: &Call) -> sallyport_ipc::Call {
    let ended = call.phase == CallPhase::Ended;
    let target = &call.target;
    let resource = if target.subresource.is_empty() {
        target.resource.clone()
    } else {
        format!("{}/{}", target.resource, target.subresource)
    };
    sallyport_ipc::Call {
        verb: sallyport_model::visible(&call.stream.map_or_else(|| target.verb.clone(), |s| s.to_string())),
        resource: sallyport_model::visible(if resource.is_empty() { "discovery" } else { &resource }),
        status: call.status.filter(|_| ended),
        ms: ended.then_some(call.duration.as_secs_f64() * 1000.0),
    }
}

/// The streams open now, one line each.
pub(crate) fn streams(live: &Live) -> Vec<String> {
    live.open.iter().filter_map(|c| c.stream.map(|kind| format!("{kind} {}", what(&c.target)))).collect()
}
