//! Calls that leave HTTP: exec, attach, port-forward, cp. Each has an upstream connection of its own, because HTTP/2
//! has no Upgrade, and bytes pass only after the API server itself said 101. Splicing without waiting for that was
//! CVE-2018-1002105.

use crate::begun::{Begun, Caller, list_size, refuse_call, relayed, with_ours};
use crate::body::Answer;
use crate::call::{CallOutcome, CutReason};
use crate::call_state::CallState;
use crate::heads::Heads;
use crate::lanes::{HEAD, Hold, Outbound};
use crate::record::InFlight;
use crate::refusal::Refusal;
use crate::screen::{Passage, travelling};
use crate::session::Session;
use crate::splice::{AFTERTHOUGHT, Side, SpliceError, splice};
use crate::upload::Upload;
use crate::upstream::{DialError, Offer};
use crate::wire::Wire;
use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_rustls::{client, server};

pub(crate) async fn relay(
    caller: &Caller,
    session: &Arc<Session>,
    begun: Begun,
    passage: Passage,
    parts: request::Parts,
    body: Incoming,
) -> Response<Answer> {
    let Begun { call, audit_id, bearer } = begun;
    let Some(protocol) = passage.upgrade.clone().filter(|_| body.is_end_stream()) else {
        return refuse_call(call, &Refusal::Upgrade);
    };
    let lanes = session.lanes();
    let mut headers = with_ours(passage.headers, audit_id, bearer);
    let path = lanes.endpoint().path(passage.path);
    if list_size(&path, &headers) > HEAD {
        return refuse_call(call, &Refusal::LargeHead);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, protocol.clone());
    let outbound =
        lanes.for_h1(Outbound { method: parts.method.clone(), path, headers, body: Upload::none() });
    // hyper hands the client's connection over once our 101 is written; take the promise of it before that.
    let client = hyper::upgrade::on(Request::from_parts(parts, body));
    call.tell_start();
    let asked = timeout(caller.answer_within(), ask(session, outbound)).await;
    let cluster = session.cluster.clone();
    let refusal = match asked {
        Ok(Ok(response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            if !switches_to(&response, &protocol) {
                let why = "it switched to a protocol nobody asked for".to_owned();
                return refuse_call(call, &Refusal::Broken { cluster, why });
            }
            return switched(session, call, response, client);
        }
        Ok(Ok(response)) => {
            // Whatever it is, it is an answer and not a stream; both connections end with it.
            let mut response = relayed(response, call, Hold::Alone);
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
        Ok(Err(AskError::Dial(error))) => Refusal::Unreachable { cluster, why: error.to_string() },
        Ok(Err(AskError::Broken(error))) => Refusal::Broken { cluster, why: error.to_string() },
        Err(_) => Refusal::Silent { cluster, seconds: caller.answer_within().as_secs() },
    };
    refuse_call(call, &refusal)
}

enum AskError {
    Dial(DialError),
    Broken(hyper::Error),
}

async fn ask(session: &Session, request: Request<Upload>) -> Result<Response<Incoming>, AskError> {
    let held = session.held();
    let dialled = session.lanes().endpoint().dial(Offer::Http1, held).await;
    let (tls, _) = dialled.map_err(AskError::Dial)?;
    let (mut send, connection) =
        http1::handshake(TokioIo::new(tls)).await.map_err(|error| AskError::Dial(DialError::Http(error)))?;
    held.spawn(connection.with_upgrades());
    send.send_request(request).await.map_err(AskError::Broken)
}

fn switches_to(response: &Response<Incoming>, protocol: &HeaderValue) -> bool {
    let mut said = response.headers().get_all(UPGRADE).iter();
    said.next().is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(protocol.as_bytes()))
        && said.next().is_none()
}

/// Passes the 101 on, and once both sides have left HTTP joins them.
fn switched(
    session: &Session,
    call: InFlight,
    response: Response<Incoming>,
    client: OnUpgrade,
) -> Response<Answer> {
    let mut headers = travelling(response.headers(), |_| true);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(protocol) = response.headers().get(UPGRADE) {
        headers.insert(UPGRADE, protocol.clone());
    }
    call.answered_with(StatusCode::SWITCHING_PROTOCOLS);
    let upstream = hyper::upgrade::on(response);
    session.held().spawn(async move {
        let joined = async {
            match tokio::try_join!(client, upstream) {
                Ok((client, upstream)) => join(call.state(), client, upstream).await,
                Err(_) => CallOutcome::ClientGone,
            }
        };
        let outcome = call.state().stop.run_until_cancelled(joined).await;
        call.finish(outcome.unwrap_or(CallOutcome::Cut(CutReason::Narrowed)));
    });
    let mut answer = Response::new(Answer::Own(Full::new(Bytes::new())));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = headers;
    answer
}

/// Joins the two connections as they are below HTTP, which are the ones the listener serves and `ask` dials.
async fn join(state: &CallState, client: Upgraded, upstream: Upgraded) -> CallOutcome {
    let client = Side::<Heads<server::TlsStream<Wire>>>::of(client).map(|side| side.bare(Heads::into_inner));
    let (Some(client), Some(upstream)) = (client, Side::<client::TlsStream<Wire>>::of(upstream)) else {
        return CallOutcome::Failed("the gateway has no stream for this connection".to_owned());
    };
    outcome_of(splice(client, upstream, &state.bytes_in, &state.bytes_out, AFTERTHOUGHT).await)
}

/// How a splice ended, in the words of a call.
fn outcome_of(ended: Result<(), SpliceError>) -> CallOutcome {
    match ended {
        Ok(()) => CallOutcome::Answered,
        Err(SpliceError::Client) => CallOutcome::ClientGone,
        Err(SpliceError::Upstream(error)) => {
            CallOutcome::Failed(format!("the API server broke off the stream: {error}"))
        }
    }
}
