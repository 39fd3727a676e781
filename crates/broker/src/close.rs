//! The way out: what exists on the target goes first, then the hub is told, with what was removed.

use crate::{
    broker::{Broker, grant_name, key_of, label},
    failure::{Failure, chain},
    hubside::{Left, Write},
    next::{REASON_REMOVED, decided, ended_by_someone},
    work::rest,
};
use kube::ResourceExt;
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_model::{EndReason, Ended, Ending, Phase, RequestEvent, RequestState};
use sallyport_provision::{Flushed, Why};

/// Writes of the end before somebody must be writing against us.
const WRITES_MOST: usize = 5;

impl Broker {
    /// Removes everything under the request's grant and writes the end. What was written meanwhile changes the words,
    /// not the outcome: a person's end is the better reason, and somebody else's Closed is as good.
    ///
    /// While something is left the request stays what it is and says what is left, and why, in its condition Closing: Closed
    /// means that nothing is left.
    pub(crate) async fn close(
        &self,
        request: &AccessRequest,
        ending: &Ending,
    ) -> Result<AccessRequest, Failure> {
        let flushed = match self.flush_of(request).await {
            Ok(flushed) => flushed,
            Err(failure) => {
                let left = Left::new(Why::NoAnswer, &failure.to_string());
                self.note_closing(request, &left, Some(ending)).await?;
                return Err(failure);
            }
        };
        if let Some(left) = flushed.as_ref().and_then(left_over) {
            self.note_closing(request, &left, Some(ending)).await?;
            return Err(Failure::Leftover(left.message));
        }
        let closed = self
            .write_over(request, ending, |latest, ending| {
                let mut message = ending.message.clone();
                message.push_str(&flushed.as_ref().map(said).unwrap_or_default());
                let hindered = latest.closing().filter(|closing| closing.reason != REASON_REMOVED);
                let hindered = hindered.map(|closing| closing.message.clone());
                if let Some(hindered) = &hindered {
                    message.push_str(&format!("; until then there was {hindered}"));
                }
                let reason = legal(latest, ending.reason);
                Some(Write::default().ended(reason, &message, hindered.as_deref(), self.hub_time()))
            })
            .await?;
        self.memory.forget(&grant_name(request));
        tracing::info!(request = %grant_name(request), message = ?closed.status.as_ref().and_then(|s| s.message.as_deref()), "closed");
        Ok(closed)
    }

    /// Writes into the request that it is over and not gone from the cluster yet, unless it says so already.
    pub(crate) async fn note_closing(
        &self,
        request: &AccessRequest,
        left: &Left,
        ending: Option<&Ending>,
    ) -> Result<AccessRequest, Failure> {
        let unknown = Ending::new(EndReason::Revoked, String::new());
        self.write_over(request, ending.unwrap_or(&unknown), |latest, now_ending| {
            let decided = ending.map(|_| (legal(latest, now_ending.reason), now_ending.message.as_str()));
            let known = latest.closing();
            let same = known.is_some_and(|known| known.reason == left.reason && known.message == left.message);
            if same && (decided.is_none() || latest.condition(CONDITION_ENDED).is_some()) {
                return None;
            }
            tracing::warn!(request = %grant_name(latest), reason = left.reason, left = left.message, "not gone yet");
            let since = known.map_or_else(|| self.hub_time(), |known| known.last_transition_time.0);
            Some(Write::default().closing(left, decided, since))
        })
        .await
    }

    /// Writes what `make` says of the newest state, and again when somebody else wrote in between; nothing where it says
    /// nothing, or where the request is closed by then.
    async fn write_over(
        &self,
        request: &AccessRequest,
        ending: &Ending,
        make: impl Fn(&AccessRequest, &Ending) -> Option<Write>,
    ) -> Result<AccessRequest, Failure> {
        let (mut latest, mut ending) = (self.newest(request), ending.clone());
        for _ in 0..WRITES_MOST {
            let Some(write) = make(&latest, &ending) else { return Ok(latest) };
            match self.write(&latest, write).await {
                Ok(written) => return Ok(written),
                Err(Failure::Changed) => {
                    let (namespace, name) = key_of(request);
                    latest = self.hub.request(&namespace, &name).await?.ok_or(Failure::Gone)?;
                    self.stores.requests.put(latest.clone());
                    if latest.phase() == Phase::Closed {
                        return Ok(latest);
                    }
                    ending = decided(&latest).or_else(|| ended_by_someone(&latest)).unwrap_or(ending);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Changed)
    }

    /// Now, by the hub's clock.
    pub(crate) fn hub_time(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.clock.hub_now()).unwrap_or_else(|_| jiff::Timestamp::now())
    }

    /// The request as the index has it by now: own writes of this round are newer than what the round began with.
    fn newest(&self, request: &AccessRequest) -> AccessRequest {
        let (namespace, name) = key_of(request);
        let known = self.stores.requests.get(&namespace, &name).filter(|known| known.uid() == request.uid());
        known.map_or_else(|| request.clone(), |known| (*known).clone())
    }

    /// Flushes what the request may have on the target; `None` when it never had anything there.
    async fn flush_of(&self, request: &AccessRequest) -> Result<Option<Flushed>, Failure> {
        let grant = grant_name(request);
        let known = self.observed(&grant);
        let recorded = request.status.as_ref().is_some_and(|status| status.grant.is_some());
        let untouched = request.phase() == Phase::Pending && !recorded && known.is_empty();
        if untouched && self.stores.grants.is_synced() {
            return Ok(None);
        }
        // Something stood in the way before, or somebody else was quicker: what is gone now may be back in a moment.
        let others = request.closing().is_some() || (recorded && known.grant.is_none());
        self.flush(&grant, others).await.map(Some)
    }

    /// Flushes one grant and forgets what the watches told of it.
    pub(crate) async fn flush(&self, grant: &str, wary: bool) -> Result<Flushed, Failure> {
        let known = self.observed(grant);
        // A flush is repeated until nothing is left, whoever has to mend what until then.
        let (done, left) = self
            .target
            .flush(grant, Some(&known), wary, rest)
            .await
            .map_err(|e| Failure::Target(chain(&e)))?;
        let stores = &self.stores;
        stores.grants.forget(&(String::new(), grant.to_owned()));
        for account in stores.accounts.filtered(|one| label(one) == Some(grant)) {
            stores.accounts.forget(&(account.namespace().unwrap_or_default(), account.name_any()));
        }
        for binding in stores.bindings.filtered(|one| label(one) == Some(grant)) {
            stores.bindings.forget(&(binding.namespace().unwrap_or_default(), binding.name_any()));
        }
        for binding in stores.cluster_bindings.filtered(|one| label(one) == Some(grant)) {
            stores.cluster_bindings.forget(&(String::new(), binding.name_any()));
        }
        // A watch tells of changes only, and these may not change any more.
        left.grant.into_iter().for_each(|one| stores.grants.put(one));
        left.accounts.into_iter().for_each(|one| stores.accounts.put(one));
        left.bindings.into_iter().for_each(|one| stores.bindings.put(one));
        left.cluster_bindings.into_iter().for_each(|one| stores.cluster_bindings.put(one));
        tracing::info!(
            grant,
            bindings = done.bindings,
            accounts = done.accounts,
            rights_gone_ms = done.rights_gone.as_millis(),
            took_ms = done.took.as_millis(),
            left = done.left.len(),
            "flushed"
        );
        Ok(done)
    }
}

/// Objects named in a condition; the others are counted.
const NAMED_MOST: usize = 4;

/// What a flush left, for the condition; `None` when nothing is left.
fn left_over(done: &Flushed) -> Option<Left> {
    let why = done.left.iter().filter_map(|left| left.why).min().unwrap_or(Why::NoAnswer);
    let mut words: Vec<String> = done.left.iter().take(NAMED_MOST).map(ToString::to_string).collect();
    if done.left.len() > NAMED_MOST {
        words.push(format!("and {} more", done.left.len() - NAMED_MOST));
    }
    (!done.left.is_empty()).then(|| Left::new(why, &words.join("; ")))
}

/// The proof by the broker: what was there, and that the API server shows nothing any more.
fn said(done: &Flushed) -> String {
    if done.bindings + done.accounts == 0 {
        return "; nothing was left on the cluster".to_owned();
    }
    let plural = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    format!(
        "; {} and {} removed in {} ms, and seen to be gone",
        plural(done.bindings, "binding"),
        plural(done.accounts, "account"),
        done.took.as_millis()
    )
}

/// The reason, or Failed where the request's state has no such end.
fn legal(request: &AccessRequest, reason: EndReason) -> EndReason {
    let end =
        request.status.as_ref().and_then(|status| status.grant.as_ref()).map_or(0, |g| g.end.0.as_second());
    let state = match request.phase() {
        Phase::Pending => RequestState::Pending,
        Phase::Approved => RequestState::Approved,
        Phase::Active => RequestState::Active { end },
        Phase::Closed => RequestState::Closed(Ended { reason, was_active: true }),
    };
    if state.apply(RequestEvent::End(reason)).is_ok() { reason } else { EndReason::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_provision::Leftover;
    use std::time::Duration;

    #[test]
    fn p13_the_end_says_what_was_removed() {
        let done =
            Flushed { bindings: 3, accounts: 1, took: Duration::from_millis(12), ..Flushed::default() };
        assert_eq!(said(&done), "; 3 bindings and 1 account removed in 12 ms, and seen to be gone");
        assert_eq!(said(&Flushed::default()), "; nothing was left on the cluster");
    }

    #[test]
    fn fault_a1_p13_what_is_left_is_named_with_its_words_and_the_hardest_reason() {
        assert_eq!(left_over(&Flushed::default()), None);
        let left = |n: usize, why, said: &str| Leftover {
            what: format!("RoleBinding payments/g-a-{n}"),
            why,
            said: said.to_owned(),
        };
        let two =
            vec![left(0, Some(Why::NoAnswer), "late"), left(1, Some(Why::Refused), "denied request: no")];
        let found = left_over(&Flushed { left: two, ..Flushed::default() }).expect("left");
        assert_eq!(found.reason, "Refused");
        assert_eq!(
            found.message,
            "RoleBinding payments/g-a-0: late; RoleBinding payments/g-a-1: denied request: no"
        );
        let many = (0..9).map(|n| left(n, None, "it is still there")).collect();
        let found = left_over(&Flushed { left: many, ..Flushed::default() }).expect("left");
        assert!(found.reason == "NoAnswer" && found.message.ends_with("; and 5 more"), "{found:?}");
    }
}
