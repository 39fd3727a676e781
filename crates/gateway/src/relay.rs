//! An ordinary call, sent on over a kept connection to the API server.

use crate::begun::{Begun, Caller, list_size, refuse_call, relayed, with_ours};
use crate::body::Answer;
use crate::lanes::{HEAD, Outbound, SendError};
use crate::refusal::Refusal;
use crate::screen::Passage;
use crate::session::Session;
use crate::upload::Upload;
use http::{Response, request};
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::time::timeout;

pub(crate) async fn relay(
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
        let stop = call.state().stop.clone();
        match stop.run_until_cancelled(sending).await {
            Some(sent) => sent,
            None => {
                return refuse_call(call, &Refusal::Narrowed(session.cluster.clone()));
            }
        }
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
