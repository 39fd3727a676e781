//! Which command of kubectl a row is part of, and how much its call says of what the command did. Pure.
//!
//! The rows of one command are put together by the window: they come in pages of both sides, some on a page that is read
//! later, and only there do all of them lie together.

use sallyport_audit::{Action, Entry};
use sallyport_events::{Joined, Known};
use sallyport_gateway::Target;
use sallyport_ipc::{CommandCall, CommandView, Shown};
use sallyport_model::RequestUid;

/// Of an entry of the gateway; none where kubectl said nothing of it.
pub(super) fn of_entry(entry: &Entry) -> Option<CommandView> {
    let is_call =
        matches!(entry.action, Action::Call | Action::CallRefused | Action::StreamStart | Action::StreamEnd);
    let text = |key: &str| entry.detail.text(key).unwrap_or_default();
    let (request, kubectl) = (entry.request.as_ref()?, text("kubectl_session"));
    let call = entry.audit_id.as_ref()?;
    (is_call && !kubectl.is_empty()).then(|| CommandView {
        id: id(request, kubectl),
        name: Shown::from(text("kubectl_command")),
        call: Shown::of(call),
        says: says(text("method"), text("uri")),
    })
}

/// Of a call that a cluster tells of and that is one that the gateway sent: that alone says so, and whoever else sends the
/// same headers with a token of theirs is no part of it.
pub(super) fn of_call(joined: &Joined, known: &Known) -> Option<CommandView> {
    let link = joined.link?;
    let call = known.calls().get(link.call?)?;
    let session = known.sessions().get(link.session)?;
    Some(CommandView {
        id: id(&session.request, call.kubectl.as_deref()?),
        name: Shown::from(call.command.as_deref().unwrap_or_default()),
        call: Shown::of(&call.audit_id),
        says: says(&call.method, &call.uri),
    })
}

/// kubectl draws its ids by itself: two sessions that have the same are two commands.
fn id(request: &RequestUid, kubectl: &str) -> Shown {
    Shown::from(format!("{request}/{kubectl}"))
}

fn says(method: &str, uri: &str) -> CommandCall {
    let Ok(method) = method.parse::<http::Method>() else { return CommandCall::Asks };
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    let target = Target::of(&method, path, query);
    let reaches = matches!(target.subresource.as_str(), "exec" | "attach" | "portforward" | "proxy");
    match target.verb.as_str() {
        _ if target.resource.is_empty() || target.resource.ends_with("reviews") => CommandCall::Asks,
        _ if reaches => CommandCall::Acts,
        "get" | "list" | "watch" => CommandCall::Reads,
        _ => CommandCall::Acts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;
    use sallyport_model::AuditId;

    fn entry(action: Action, request: &str, uri: &str) -> Entry {
        let draft = Draft::new(action).request(&RequestUid::new(request)).audit_id(&AuditId::new("a-1"));
        let draft = draft.detail("method", "GET").detail("uri", uri);
        draft.detail("kubectl_session", "k-1").detail("kubectl_command", "kubectl get").place(1, 0)
    }

    #[test]
    fn a_row_is_part_of_a_command_of_its_own_session() {
        let one = of_entry(&entry(Action::Call, "r-1", "/api/v1/pods")).unwrap();
        let other = of_entry(&entry(Action::StreamEnd, "r-2", "/api/v1/pods")).unwrap();
        assert_eq!(
            (one.name.as_str(), one.call.as_str(), one.says),
            ("kubectl get", "a-1", CommandCall::Reads)
        );
        assert_ne!(one.id, other.id, "the same id in another session is another command");
        // What is no call is part of none, whatever stands in it.
        assert_eq!(of_entry(&entry(Action::Bypass, "r-1", "/api/v1/pods")), None);
        assert_eq!(of_entry(&Draft::new(Action::Call).detail("kubectl_session", "k").place(1, 0)), None);
    }

    #[test]
    fn what_changes_or_reaches_into_a_pod_says_most_and_what_only_asks_the_least() {
        for (method, uri, is) in [
            ("GET", "/api", CommandCall::Asks),
            ("GET", "/apis/apps/v1", CommandCall::Asks),
            ("GET", "/openapi/v3?timeout=32s", CommandCall::Asks),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", CommandCall::Asks),
            ("GET", "/api/v1/namespaces/pay/pods?limit=500", CommandCall::Reads),
            ("GET", "/api/v1/namespaces/pay/pods?watch=true", CommandCall::Reads),
            ("GET", "/api/v1/namespaces/pay/pods/a/log", CommandCall::Reads),
            ("GET", "/api/v1/namespaces/pay/pods/a/exec?command=sh", CommandCall::Acts),
            ("PATCH", "/apis/apps/v1/namespaces/pay/deployments/a", CommandCall::Acts),
            ("DELETE", "/api/v1/namespaces/pay/pods", CommandCall::Acts),
            ("", "", CommandCall::Asks),
            ("G T", "\u{0}?", CommandCall::Asks),
        ] {
            assert_eq!(says(method, uri), is, "{method} {uri}");
        }
    }
}
