//! One request, from its arrival to an answer that can be sent.

use crate::body::{Answer, Relayed, Upload};
use crate::call::CallOutcome;
use crate::lanes::{Hold, Outbound, SendError};
use crate::peer::PeerLookup;
use crate::record::{CallState, InFlight};
use crate::refusal::{Refusal, Tone};
use crate::screen::{AUDIT_ID, Passage, Rules, screen, travelling};
use crate::session::{Admitted, Session};
use crate::target::{StreamKind, Target};
use crate::upgrade;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, Response, request};
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
    pub(crate) authority: Arc<str>,
    pub(crate) peer: PeerLookup,
    pub(crate) connect_within: Duration,
    pub(crate) answer_within: Duration,
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
    if let Err(refusal) = admitted.recorder.place(caller.connect_within).await {
        return own(&refusal, tone);
    }
    let rules = Rules {
        authority: &caller.authority,
        cluster: &session.cluster,
        impersonation: session.impersonation,
    };
    let (parts, body) = request.into_parts();
    match screen(&parts, &rules) {
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

async fn relay(
    caller: &Caller,
    session: &Arc<Session>,
    call: Begun,
    passage: Passage,
    parts: request::Parts,
    body: Incoming,
) -> Response<Answer> {
    let Begun { call, audit_id, bearer } = call;
    let outbound = Outbound {
        method: parts.method,
        path: session.lanes().endpoint().path(passage.path),
        headers: with_ours(passage.headers, audit_id, bearer),
        body: Upload::of(body, call.state().clone()),
    };
    let sending = session.lanes().send(outbound);
    let sent = if call.state().stream.is_some() {
        // A log that is silent, or a watch on nothing, may say its first word in an hour.
        call.tell_start();
        sending.await
    } else {
        match timeout(caller.answer_within, sending).await {
            Ok(sent) => sent,
            Err(_) => {
                let seconds = caller.answer_within.as_secs();
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
        // What was refused is told as it came, and of no target: nobody but the API server may say what it meant.
        None => (clip(&visible(&parts.uri.to_string()), 2048), Target::default(), None),
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
pub(crate) fn with_ours(
    mut headers: http::HeaderMap,
    audit_id: AuditId,
    bearer: HeaderValue,
) -> http::HeaderMap {
    let audit_id = HeaderValue::try_from(audit_id.as_str()).expect("a UUID is a header value");
    headers.insert(AUDIT_ID, audit_id);
    headers.insert(AUTHORIZATION, bearer);
    headers
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
