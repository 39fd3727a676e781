//! An entry of Cloud Logging about a call of GKE's API server (`google.cloud.audit.AuditLog`). It has no level, no stage,
//! no groups, no extra and no HTTP status; what follows from something else is marked so.

mod less;

use crate::clean::{self, Done, Holds};
use crate::{Bad, Body, Came, Decision, Event, Field, Flaw, Object, Shape, Stage, Stages, Text, User, time};
use serde_json::Value;
use std::borrow::Cow;

/// Reads one entry; `None` if it is about something else than an API server. What was cut, or can't be looked through, is
/// an event all the same as long as it says which call it is.
pub(super) fn read(text: &str) -> Result<Option<Event<'static>>, Bad> {
    let (mut entry, less) = match serde_json::from_str::<Value>(text) {
        Ok(entry) => (entry, None),
        Err(_) => {
            let less = less::read(text);
            (less.entry, Some((less.bodies, less.cut)))
        }
    };
    let cut = less.and_then(|(_, cut)| cut);
    let payload = &entry["protoPayload"];
    let method = str_of(&payload["methodName"]);
    let service = str_of(&payload["serviceName"]);
    if cut.is_some() && method.is_empty() && service.is_empty() {
        return Err(Bad::NotJson);
    }
    if service != "k8s.io" && !method.starts_with("io.k8s.") {
        return Ok(None);
    }
    let mut event = Event { shape: Shape::Gke, ..Event::default() };
    let mut done = Done::default();
    // The entry's id is the operation's, which is the API server's id of the call in all that was seen of it.
    let id =
        [&entry["operation"]["id"], &entry["insertId"]].into_iter().map(str_of).find(|id| !id.is_empty());
    let id = id.ok_or(if cut.is_some() { Bad::NotJson } else { Bad::NoAuditId })?;
    event.audit_id = done.name(owned(id), 256);
    event.provenance.note(Field::AuditId, Came::Normalised);
    who(payload, &mut event, &mut done);
    what(payload, &mut event, &mut done);
    how(&entry, &mut event, &mut done);
    when(&entry, &mut event);
    if cut.is_some() {
        unsaid(&entry, &mut event);
    }
    let holds = event.object.as_ref().map_or(Holds::Other, |object| Holds::of(&object.resource));
    if holds == Holds::Data
        && let Some(said) = event.message.as_deref().and_then(clean::unquoted)
    {
        event.message = Some(Cow::Owned(said));
    }
    let body = |value: &Value, left_out: Option<u64>| {
        let facts = || Body { bytes: value.to_string().len() as u64, ..clean::facts_of(value) };
        match left_out {
            Some(bytes) => Some(Body { bytes, ..Body::default() }),
            None => value.is_object().then(facts),
        }
    };
    let bodies = less.map(|(bodies, _)| bodies).unwrap_or_default();
    (event.request, event.response) =
        (body(&payload["request"], bodies[0]), body(&payload["response"], bodies[1]));
    let inside = clean::tree(&mut entry, holds);
    event.redactions = inside.max(done.redactions);
    let mut raw = entry.to_string();
    if less.is_some() {
        event.flaws.note(Flaw::Partial);
        raw.extend(cut.map(|bytes| format!("…{}", clean::left_out(bytes))));
    }
    let cut = (raw.len() > super::RAW_MOST).then(|| sallyport_audit::ends(&raw, super::RAW_MOST)).flatten();
    if cut.is_some() || done.is_clipped {
        event.flaws.note(Flaw::Clipped);
    }
    event.raw = Cow::Owned(cut.unwrap_or(raw));
    Ok(Some(event))
}

/// Takes back what would follow from what an entry does not say, where that may be in what was cut.
fn unsaid(entry: &Value, event: &mut Event<'static>) {
    if entry["protoPayload"]["status"].is_null() && event.decision != Some(Decision::Forbid) {
        event.code = None;
        event.provenance.note(Field::Code, Came::Absent);
    }
    if entry["operation"].is_null() {
        (event.stages, event.started_at, event.completed_at) = (Stages::default(), None, None);
        event.provenance.note(Field::Stage, Came::Absent);
    }
}

fn who(payload: &Value, event: &mut Event<'static>, done: &mut Done) {
    let info = &payload["authenticationInfo"];
    let name = str_of(&info["principalEmail"]);
    let name = if name.is_empty() { str_of(&info["principalSubject"]) } else { name };
    event.user = User { name: done.name(owned(name), 512), ..User::default() };
    event.account = sallyport_model::SessionAccount::of_user(&event.user.name);
    if !name.is_empty() {
        event.provenance.note(Field::User, Came::Normalised);
    }
    let metadata = &payload["requestMetadata"];
    if let Some(ip) = metadata["callerIp"].as_str() {
        event.source_ips.push(done.name(owned(ip), 64));
        event.provenance.note(Field::SourceIps, Came::Normalised);
    }
    if let Some(agent) = metadata["callerSuppliedUserAgent"].as_str() {
        event.user_agent = Some(done.text(owned(agent), clean::TEXT_MOST).0);
        event.provenance.note(Field::UserAgent, Came::Normalised);
    }
}

fn what(payload: &Value, event: &mut Event<'static>, done: &mut Done) {
    let method = str_of(&payload["methodName"]);
    let place = str_of(&payload["resourceName"]);
    event.verb = done.name(owned(method.rsplit('.').next().unwrap_or_default()), 64);
    event.provenance.note(Field::Verb, Came::Normalised);
    event.object = object(place, done);
    if event.object.is_some() {
        event.provenance.note(Field::Object, Came::Normalised);
    }
    // core/v1/… stands for /api/v1/…; where the query was, nobody says.
    let path = match place.strip_prefix("core/") {
        Some(rest) => format!("/api/{rest}"),
        None if event.object.is_some() => format!("/apis/{place}"),
        None => format!("/{}", place.trim_start_matches('/')),
    };
    if !place.is_empty() {
        event.uri = done.uri(Cow::Owned(path), false).0;
        event.provenance.note(Field::Uri, Came::Inferred);
    }
}

/// `<group>/<version>[/namespaces/<namespace>]/<resource>[/<name>[/<subresource>…]]`, with `core` for the core group.
fn object(place: &str, done: &mut Done) -> Option<Object<'static>> {
    let parts: Vec<&str> = place.split('/').collect();
    let [group, version, rest @ ..] = parts.as_slice() else { return None };
    // Of what is no resource (`readyz`, `api/v1`) the second word is no version.
    let is_version =
        version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if !is_version || rest.is_empty() {
        return None;
    }
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        _ => ("", rest),
    };
    let mut name = |text: &str| done.name(owned(text), 512);
    let part = |n: usize| rest.get(n).copied().unwrap_or_default();
    let is_namespace = part(0) == "namespaces";
    Some(Object {
        group: name(if *group == "core" { "" } else { group }),
        version: name(version),
        namespace: name(if is_namespace { part(1) } else { namespace }),
        resource: name(part(0)),
        name: name(part(1)),
        subresource: name(part(2)),
    })
}

fn how(entry: &Value, event: &mut Event<'static>, done: &mut Done) {
    let payload = &entry["protoPayload"];
    let label = |key: &str| entry["labels"][key].as_str();
    let granted = payload["authorizationInfo"]
        .as_array()
        .map(|list| !list.is_empty() && list.iter().all(|info| info["granted"].as_bool().unwrap_or(false)));
    (event.decision, event.provenance) = match label("authorization.k8s.io/decision") {
        Some("allow") => (Some(Decision::Allow), noted(event, Field::Decision, Came::Raw)),
        Some("forbid") => (Some(Decision::Forbid), noted(event, Field::Decision, Came::Raw)),
        _ => match granted {
            Some(true) => (Some(Decision::Allow), noted(event, Field::Decision, Came::Normalised)),
            Some(false) => (Some(Decision::Forbid), noted(event, Field::Decision, Came::Normalised)),
            None => (None, event.provenance),
        },
    };
    let reason = label("authorization.k8s.io/reason");
    event.decision_reason = reason.map(|text| done.text(owned(text), clean::TEXT_MOST).0);
    let issued = label("authentication.kubernetes.io/issued-credential-id");
    event.issued_credential = issued.map(|text| done.name(owned(text), 512));
    if let Some(credential) = label("authentication.kubernetes.io/credential-id") {
        event.credential = Some(done.name(owned(credential), 512));
        event.provenance.note(Field::Credential, Came::Raw);
    }
    let status = &payload["status"];
    let is_denied = event.decision == Some(Decision::Forbid);
    let rpc = status["code"].as_i64().unwrap_or(0);
    let subresource = event.object.as_ref().map(|object| object.subresource.as_ref()).unwrap_or_default();
    event.code = Some(match (rpc, &*event.verb) {
        (0, _) if is_denied => 403,
        (0, _) if matches!(subresource, "exec" | "attach" | "portforward") => 101,
        (0, "create") => 201,
        (rpc, _) => status_of(rpc),
    });
    event.provenance.note(Field::Code, Came::Inferred);
    let message = status["message"].as_str().filter(|message| !message.is_empty());
    event.message = message.map(|text| done.text(owned(text), clean::TEXT_MOST).0);
}

fn noted(event: &Event<'_>, field: Field, came: Came) -> crate::Provenance {
    let mut provenance = event.provenance;
    provenance.note(field, came);
    provenance
}

/// The HTTP status that a `google.rpc.Code` stands for (its comments in code.proto say which).
fn status_of(rpc: i64) -> u16 {
    match rpc {
        0 => 200,
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    }
}

fn when(entry: &Value, event: &mut Event<'static>) {
    let at = time::micros(str_of(&entry["timestamp"]));
    let is_first = entry["operation"]["first"].as_bool().unwrap_or(false);
    let is_last = entry["operation"]["last"].as_bool().unwrap_or(false);
    event.received_at = at;
    if at.is_some() {
        event.provenance.note(Field::ReceivedAt, Came::Normalised);
    }
    // A long call has an entry for its start and one for its end; of the others there is one that is both.
    let stage = if is_first && !is_last { Stage::ResponseStarted } else { Stage::ResponseComplete };
    event.stages = Stages::one(stage);
    event.provenance.note(Field::Stage, Came::Inferred);
    match stage {
        Stage::ResponseStarted => (event.started_at, event.received_at) = (at, at),
        _ if is_last && !is_first => (event.completed_at, event.received_at) = (at, None),
        _ => event.completed_at = at,
    }
}

fn str_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn owned(text: &str) -> Text<'static> {
    super::owned(text)
}
