//! Telling the hub that a session is over, for as long as it can't hear: nothing waits for that, and the end of the proof
//! does not end it.

use super::owner::{Asked, Owner};
use super::proof::Told;
use super::word::knows_its_end;
use sallyport_client::Fault;
use sallyport_hub::Refused;
use sallyport_model::RequestRef;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Between two tries, twice as long each time.
const AGAIN: Duration = Duration::from_millis(200);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// Between two looks for a request that may still come in, at most.
const LOOKED_FOR_EACH: Duration = Duration::from_secs(5);

/// A look for a request whose ask was never answered.
#[derive(Default)]
pub(super) struct Look {
    /// When the hub first answered that there is none.
    none_since: Option<Instant>,
}

impl Look {
    /// There is none now. Whether none can come in any more: an API server that was frozen, or cut off, reads what waits in
    /// its sockets when it is back, and only then does its own limit for a request (`may_come_in`) begin to run. So it is
    /// counted from its first answer, and the last look comes after that time.
    pub(super) fn none(&mut self, now: Instant, may_come_in: Duration) -> bool {
        let since = *self.none_since.get_or_insert(now);
        now.duration_since(since) >= may_come_in
    }
}

impl Owner {
    /// Tells it until it knows. `which` is set once an ask without an answer was found.
    pub(super) async fn tell_hub(
        &self,
        which: &watch::Sender<Option<RequestRef>>,
        asked: Option<&Asked>,
        elsewhere: bool,
    ) {
        let (session, stop) = (&self.session, &self.sessions.desk.stop);
        let (mut pause, mut look) = (AGAIN, Look::default());
        let mut sign_ins = session.hub.sign_ins();
        loop {
            sign_ins.mark_unchanged();
            let told = match elsewhere {
                true => Told::Yes,
                false => self.tell_once(which, asked, &mut look).await,
            };
            let most = match &told {
                Told::LookedFor(_) => LOOKED_FOR_EACH,
                _ => AGAIN_AT_MOST,
            };
            if let Told::NotYet(why) | Told::LookedFor(why) = &told {
                tracing::warn!(session = %session.id, "the hub was not told yet: {why}");
            }
            let is_told = told == Told::Yes;
            session.change(|record| record.prove(|proof| proof.told_hub(told)));
            if is_told {
                return;
            }
            let again = async {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    Ok(()) = sign_ins.changed() => {}
                    () = session.until(|record| record.broker_closed) => {}
                }
            };
            tokio::select! {
                () = again => {}
                () = stop.cancelled() => return,
            }
            pause = (pause * 2).min(most);
        }
    }

    async fn tell_once(
        &self,
        which: &watch::Sender<Option<RequestRef>>,
        asked: Option<&Asked>,
        look: &mut Look,
    ) -> Told {
        let hub = &self.session.hub;
        if self.session.read(|record| record.broker_closed) {
            return Told::Yes;
        }
        let known = which.borrow().clone();
        let found = match (known, asked) {
            (Some(found), _) => found,
            (None, None) => return Told::Yes,
            (None, Some(asked)) => match hub.named(&asked.team, &asked.name).await {
                Ok(Some(request)) => match request.which() {
                    Ok(found) => {
                        self.session.change(|record| record.request = Some(found.uid.clone()));
                        which.send_replace(Some(found.clone()));
                        found
                    }
                    Err(fault) => return Told::LookedFor(fault.to_string()),
                },
                Ok(None) if look.none(Instant::now(), self.sessions.desk.options.may_come_in) => {
                    return Told::Yes;
                }
                Ok(None) => {
                    let why = "it never answered the request and may still take it in";
                    return Told::LookedFor(why.to_owned());
                }
                Err(fault) => {
                    // What it read before it fell silent may be read again after it is back.
                    *look = Look::default();
                    return Told::LookedFor(fault.to_string());
                }
            },
        };
        match hub.withdraw(&found).await {
            Ok(_) | Err(Refused::Fault(Fault::NotFound)) => Told::Yes,
            Err(Refused::Fault(fault)) => Told::NotYet(fault.to_string()),
            // What is over already is withdrawn no more. Any other no may be a yes later: the person was taken out of a
            // group and comes back, or the hub has just started.
            Err(refused) => match hub.request(&found).await {
                Ok(request) if knows_its_end(&request) => Told::Yes,
                Err(Fault::NotFound) => Told::Yes,
                Ok(_) | Err(_) => Told::NotYet(refused.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_a10_a_request_is_looked_for_until_none_can_come_in_counted_from_the_hubs_first_answer() {
        let (begun, limit) = (Instant::now(), Duration::from_secs(75));
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut look = Look::default();
        // The hub was away for long: its first answer proves nothing.
        assert!(!look.none(after(600), limit));
        assert!(!look.none(after(674), limit));
        assert!(look.none(after(675), limit));
    }
}
