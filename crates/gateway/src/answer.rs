//! One request, from its arrival to an answer that can be sent.

use crate::begun::{Caller, begin, own, refuse};
use crate::body::Answer;
use crate::refusal::{Refusal, Tone};
use crate::{relay, upgrade};
use http::{Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;

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
    // That may have taken long: the token of now is the one to call with.
    let admitted = match session.admit() {
        Ok(admitted) => admitted,
        Err(refusal) => return own(&refusal, tone),
    };
    let (parts, body) = request.into_parts();
    match caller.screen(session, &parts) {
        Ok(passage) => {
            let call = begin(&caller, session, admitted, &parts, Some(&passage));
            if passage.upgrade.is_some() {
                upgrade::relay(&caller, session, call, passage, parts, body).await
            } else {
                relay::relay(&caller, session, call, passage, parts, body).await
            }
        }
        Err(refusal) => {
            let call = begin(&caller, session, admitted, &parts, None);
            refuse(call, &refusal)
        }
    }
}
