//! A call from its arrival on: who makes it, its account, and the two ways it can be answered.

use crate::body::{Answer, Relayed};
use crate::call_state::CallState;
use crate::door::Place;
use crate::kubectl::KubectlCommand;
use crate::lanes::Hold;
use crate::peer::PeerLookup;
use crate::record::InFlight;
use crate::refusal::{Refusal, Tone};
use crate::screen::{AUDIT_ID, Passage, Rules, is_unambiguous, screen, travelling};
use crate::session::{Admitted, Session};
use crate::target::{StreamKind, Target, old_prefix};
use http::header::{AUTHORIZATION, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, request};
use hyper::body::Incoming;
use jiff::Timestamp;
use sallyport_model::{AuditId, clip, visible};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
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
    pub(crate) fn screen(&self, session: &Session, parts: &request::Parts) -> Result<Passage, Refusal> {
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

/// A call that has begun, with what it will be sent with.
pub(crate) struct Begun {
    pub(crate) call: InFlight,
    pub(crate) audit_id: AuditId,
    pub(crate) bearer: HeaderValue,
}

/// Begins the account of a call; without a passage it was refused, and is told as it came.
pub(crate) fn begin(
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
            let stream = target.stream().or(passage.upgrade.as_ref().map(|_| StreamKind::Proxy));
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
            let stream = target.stream();
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
        kubectl: KubectlCommand::of(&parts.headers),
        impersonates: passage.and_then(|passage| passage.impersonates.clone()),
        status: AtomicU16::new(0),
        bytes_in: AtomicU64::new(0),
        bytes_out: AtomicU64::new(0),
        stop: CancellationToken::new(),
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

/// The gateway's own words, for what is no call yet.
pub(crate) fn own(refusal: &Refusal, tone: Tone) -> Response<Answer> {
    refusal.response(tone).map(Answer::Own)
}
