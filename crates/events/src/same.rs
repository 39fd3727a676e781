//! Whether an event is about what the gateway sent under its id. An id that is right and a token that is right say only
//! that whoever called knew both: the answer of each call shows its id, and a stolen token comes with it.

use crate::read::place;
use crate::{Came, Event, Field, KnownCall};

/// How far apart a desktop's and an API server's clocks may be, in microseconds (ARCHITECTURE.md, "Time").
pub const SKEW: i64 = 30_000_000;
/// How far apart clocks may be that nobody refused yet, in microseconds: what lies between that and [`SKEW`] is not held
/// against a call, and not for it either.
const CLOCKS: i64 = 300_000_000;

/// Whether two things are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Same {
    /// They are, as far as both say all that is compared.
    Yes,
    /// One of them does not say enough.
    Unclear,
    /// They are not.
    No,
}

/// Compares an event with the call that has its id: what was done, to what, and when. What tells them apart does so
/// whatever else can't be compared.
pub(crate) fn is_that_call(event: &Event<'_>, call: &KnownCall) -> Same {
    is_that_verb(event, call).max(is_that_place(event, call)).max(is_that_time(event, call))
}

/// As API servers make verbs out of methods (`RequestInfoFactory.NewRequestInfo` in kubernetes/apiserver).
fn is_that_verb(event: &Event<'_>, call: &KnownCall) -> Same {
    let (verb, method) = (&*event.verb, &*call.method);
    if method.is_empty() || verb.is_empty() {
        return Same::Unclear;
    }
    let subresource = event.object.as_ref().map(|object| &*object.subresource).unwrap_or_default();
    let fits = match method {
        // Opened by a POST or, as a WebSocket, by a GET that newer API servers hold to both.
        "GET" | "POST" if matches!(subresource, "exec" | "attach" | "portforward") => {
            matches!(verb, "get" | "create")
        }
        "GET" | "HEAD" => matches!(verb, "get" | "list" | "watch"),
        "POST" => verb == "create",
        "PUT" => verb == "update",
        "PATCH" => verb == "patch",
        "DELETE" => matches!(verb, "delete" | "deletecollection"),
        _ => false,
    };
    // What is no resource has its method for a verb; old clients' /api/v1/proxy/ has its own.
    let is_proxy = verb == "proxy" && call.uri.contains("/proxy/");
    if fits || is_proxy || verb.eq_ignore_ascii_case(method) { Same::Yes } else { Same::No }
}

fn is_that_place(event: &Event<'_>, call: &KnownCall) -> Same {
    if call.uri.is_empty() {
        return Same::Unclear;
    }
    match event.came(Field::Uri) {
        Came::Raw => is_that_path(&event.uri, &call.uri),
        // Put together from names, or cut: where it says the same it is the same.
        _ if !event.uri.is_empty() && is_that_path(&event.uri, &call.uri) == Same::Yes => Same::Yes,
        _ => is_that_object(event, &call.uri),
    }
}

/// Both without what was asked behind them. Of long texts there are the heads and tails alone (`audit::ends`): what is
/// behind a long question hides no path.
fn is_that_path(seen: &str, known: &str) -> Same {
    let seen = seen.split('?').next().unwrap_or_default();
    let known = known.split('?').next().unwrap_or_default();
    if seen == known {
        return if ends(seen).is_none() { Same::Yes } else { Same::Unclear };
    }
    let could_be = |cut: &str, other: &str| {
        let Some((head, tail)) = ends(cut) else { return false };
        // The other may be cut as well, at another length; a tail may be of what was asked.
        let (first, last) = ends(other).unwrap_or((other, other));
        let begins = head.starts_with(first) || first.starts_with(head);
        begins && (tail.is_empty() || last.is_empty() || last.ends_with(tail) || tail.ends_with(last))
    };
    if could_be(seen, known) || could_be(known, seen) { Same::Unclear } else { Same::No }
}

/// What is left of a text that was cut in its middle.
fn ends(path: &str) -> Option<(&str, &str)> {
    let (head, rest) = path.split_once("…[")?;
    let (count, tail) = rest.split_once(" characters left out]…")?;
    count.bytes().all(|byte| byte.is_ascii_digit()).then_some((head, tail))
}

/// By what the event says it is about. No name in one of both is no difference: some tell the name of what was created.
fn is_that_object(event: &Event<'_>, uri: &str) -> Same {
    let (Some(object), Some(place)) = (&event.object, place::place(uri, false)) else { return Same::Unclear };
    let same = object.group == place.group
        && object.resource == place.resource
        && object.subresource == place.subresource
        && (object.namespace == place.namespace || object.resource == "namespaces")
        && (object.name == place.name || object.name.is_empty() || place.name.is_empty());
    if same { Same::Yes } else { Same::No }
}

fn is_that_time(event: &Event<'_>, call: &KnownCall) -> Same {
    let Some(at) = event.at() else { return Same::Unclear };
    let over = call.ended_at.unwrap_or(if call.has_ended { call.at } else { i64::MAX });
    // Whoever tells when it arrived tells that, and it may have waited a while in the gateway; others tell a moment of its
    // course.
    let end = match event.came(Field::ReceivedAt) {
        Came::Raw => over.min(call.at.saturating_add(SKEW)),
        _ => over,
    };
    let is_near = |by: i64| (call.at.saturating_sub(by)..=end.max(call.at).saturating_add(by)).contains(&at);
    match (is_near(SKEW), is_near(CLOCKS)) {
        (true, _) => Same::Yes,
        (false, true) => Same::Unclear,
        (false, false) => Same::No,
    }
}
