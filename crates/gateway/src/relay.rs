//! One request, from its arrival to an answer that can be sent.

use crate::body::{Answer, Relayed, Upload};
use crate::call::CallOutcome;
use crate::lanes::{HEAD, Hold, Outbound, SendError};
use crate::listen::Place;
use crate::peer::PeerLookup;
use crate::record::{CallState, InFlight};
use crate::refusal::{Refusal, Tone};
use crate::screen::{AUDIT_ID, Passage, Rules, is_unambiguous, old_prefix, screen, travelling};
use crate::session::{Admitted, Session};
use crate::target::{StreamKind, Target};
use crate::upgrade;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, request};
use hyper::body::Incoming;
use jiff::Timestamp;
use sallyport_model::{AuditId, clip, visible};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use uuid::Uuid;

/// One TLS connection that passed the handshake.
pub(crate) struct Caller {
    /// The session its certificate belongs to, if any still does.
    pub(crate) session: Option<Arc<Session>>,
    /// The port it came in through.
    pub(crate) place: Arc<Place>,
    pub(crate) peer: PeerLookup,
}

impl Caller {
    fn screen(&self, session: &Session, parts: &request::Parts) -> Result<Passage, Refusal> {
        if session.port != self.place.port() {
            let (cluster, here) = (session.cluster.clone(), self.place.cluster.clone());
            return Err(Refusal::OtherCluster { cluster, here });
        }
        screen(parts, &Rules { authority: &self.place.authority, impersonation: session.impersonation })
    }

    pub(crate) fn answer_within(&self) -> Duration {
        self.place.door.answer_within
    }
}

/// Answers one request, whatever becomes of it.
pub(crate) async fn answer(caller: Arc<Caller>, request: Request<Incoming>) -> Response<Answer> {
    let tone = Tone::of(request.method(), request.uri().path());
    let Some(session) = &caller.session else {
        return own(&Refusal::Unknown, tone);
    };
    let admitted = match session.admit() {
        Ok(admitted) => admitted,
        Err(refusal) => return own(&refusal, tone),
    };
    let door = &caller.place.door;
    if let Err(refusal) = admitted.recorder.place(&door.recording, door.connect_within).await {
        return own(&refusal, tone);
    }
    let (parts, body) = request.into_parts();
    match caller.screen(session, &parts) {
        Ok(passage) => {
            let call = begin(&caller, session, admitted, &parts, Some(&passage));
            if passage.upgrade.is_some() {
                upgrade::relay(&caller, session, call, passage, parts, body).await
            } else {
                relay(&caller, session, call, passage, parts, body).await
            }
        }
        Err(refusal) => {
            let call = begin(&caller, session, admitted, &parts, None);
            refuse(call, &refusal)
        }
    }
}

/// Tells of a request that was answered without being read.
pub(crate) async fn note_unread(caller: Arc<Caller>, refusal: Refusal, method: Method, target: Uri) {
    let Some(session) = &caller.session else { return };
    let Ok(admitted) = session.admit() else { return };
    let door = &caller.place.door;
    if admitted.recorder.place(&door.recording, door.connect_within).await.is_err() {
        return;
    }
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = target;
    begin(&caller, session, admitted, &request.into_parts().0, None).call.refuse(&refusal);
}

async fn relay(
    caller: &Caller,
    session: &Arc<Session>,
    call: Begun,
    passage: Passage,
    parts: request::Parts,
    body: Incoming,
) -> Response<Answer> {
    let Begun { call, audit_id, bearer } = call;
    let headers = with_ours(passage.headers, audit_id, bearer);
    let path = session.lanes().endpoint().path(passage.path);
    if list_size(&path, &headers) > HEAD {
        return refuse_call(call, &Refusal::LargeHead);
    }
    let outbound =
        Outbound { method: parts.method, path, headers, body: Upload::of(body, call.state().clone()) };
    let sending = session.lanes().send(outbound);
    let sent = if call.state().stream.is_some() {
        // A log that is silent, or a watch on nothing, may say its first word in an hour.
        call.tell_start();
        sending.await
    } else {
        match timeout(caller.answer_within(), sending).await {
            Ok(sent) => sent,
            Err(_) => {
                let seconds = caller.answer_within().as_secs();
                let refusal = Refusal::Silent { cluster: session.cluster.clone(), seconds };
                return refuse_call(call, &refusal);
            }
        }
    };
    match sent {
        Ok((response, hold)) => relayed(response, call, hold),
        Err(error) => {
            let cluster = session.cluster.clone();
            let refusal = match error {
                SendError::Unreachable(error) => Refusal::Unreachable { cluster, why: error.to_string() },
                SendError::Broken(error) => Refusal::Broken { cluster, why: error.to_string() },
            };
            refuse_call(call, &refusal)
        }
    }
}

/// A call that has begun, with what it will be sent with.
pub(crate) struct Begun {
    pub(crate) call: InFlight,
    pub(crate) audit_id: AuditId,
    pub(crate) bearer: HeaderValue,
}

fn begin(
    caller: &Caller,
    session: &Arc<Session>,
    admitted: Admitted,
    parts: &request::Parts,
    passage: Option<&Passage>,
) -> Begun {
    let Admitted { standing, recorder } = admitted;
    let audit_id = AuditId::new(Uuid::now_v7().to_string());
    let (path_and_query, target, stream) = match passage {
        Some(passage) => {
            let (path, query) = (passage.path.path(), passage.path.query());
            let target = Target::of(&parts.method, path, query);
            let stream = target.stream(query).or(passage.upgrade.as_ref().map(|_| StreamKind::Proxy));
            (passage.path.as_str().to_owned(), target, stream)
        }
        // What was refused is told as it came. Of a path that can be read in two ways nobody may say what it meant.
        None => {
            let (path, query) = (parts.uri.path(), parts.uri.query());
            let target = if is_unambiguous(path) {
                Target::of(&parts.method, old_prefix(path).unwrap_or(path), query)
            } else {
                Target::default()
            };
            let stream = target.stream(query);
            (visible(&parts.uri.to_string()), target, stream)
        }
    };
    let user_agent = parts
        .headers
        .get(USER_AGENT)
        .map(|agent| clip(&visible(&String::from_utf8_lossy(agent.as_bytes())), 256));
    let state = CallState {
        audit_id: audit_id.clone(),
        at: Timestamp::now(),
        began: Instant::now(),
        method: parts.method.clone(),
        tone: Tone::of(&parts.method, parts.uri.path()),
        path_and_query,
        target,
        stream,
        user_agent,
        impersonates: passage.and_then(|passage| passage.impersonates.clone()),
        status: AtomicU16::new(0),
        bytes_in: AtomicU64::new(0),
        bytes_out: AtomicU64::new(0),
    };
    let bearer = standing.bearer.header();
    let call = InFlight::begin(state, session.clone(), standing, recorder, caller.peer.clone());
    Begun { call, audit_id, bearer }
}

/// Adds what the gateway alone says: who calls, and under which audit id.
pub(crate) fn with_ours(mut headers: HeaderMap, audit_id: AuditId, bearer: HeaderValue) -> HeaderMap {
    let audit_id = HeaderValue::try_from(audit_id.as_str()).expect("a UUID is a header value");
    headers.insert(AUDIT_ID, audit_id);
    headers.insert(AUTHORIZATION, bearer);
    headers
}

/// How much a request's head is in HTTP/2 (RFC 9113 §6.5.2). An API server ends a connection, and with it everybody's
/// calls on it, for one that is far too large.
pub(crate) fn list_size(path: &PathAndQuery, headers: &HeaderMap) -> usize {
    let fields: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    // Method, scheme, authority and path.
    fields + path.as_str().len() + 512
}

/// The API server's answer as it is: status, headers of more than one hop, body, trailers.
pub(crate) fn relayed(response: Response<Incoming>, call: InFlight, hold: Hold) -> Response<Answer> {
    let (parts, body) = response.into_parts();
    call.answered_with(parts.status);
    let mut response = Response::new(Answer::Relayed(Box::new(Relayed::new(body, call, hold))));
    *response.status_mut() = parts.status;
    *response.headers_mut() = travelling(&parts.headers, |_| true);
    response
}

pub(crate) fn refuse(begun: Begun, refusal: &Refusal) -> Response<Answer> {
    refuse_call(begun.call, refusal)
}

pub(crate) fn refuse_call(call: InFlight, refusal: &Refusal) -> Response<Answer> {
    let tone = call.state().tone;
    call.refuse(refusal);
    own(refusal, tone)
}

fn own(refusal: &Refusal, tone: Tone) -> Response<Answer> {
    refusal.response(tone).map(Answer::Own)
}

/// How a splice ended, in the words of a call.
pub(crate) fn outcome_of(ended: Result<(), crate::splice::SpliceError>) -> CallOutcome {
    use crate::splice::SpliceError::{Client, Upstream};
    match ended {
        Ok(()) => CallOutcome::Answered,
        Err(Client) => CallOutcome::ClientGone,
        Err(Upstream(error)) => CallOutcome::Failed(format!("the API server broke off the stream: {error}")),
    }
}
