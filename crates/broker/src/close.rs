//! The way out: what exists on the target goes first, then the hub is told, with what was removed.

use crate::{
    broker::{Broker, grant_name, key_of, label},
    failure::Failure,
    hubside::Write,
    next::{Ending, ended_by_someone},
};
use kube::ResourceExt;
use sallyport_api::AccessRequest;
use sallyport_model::{EndReason, Ended, Phase, RequestEvent, RequestState};
use sallyport_provision::Flushed;

/// Writes of the end before somebody must be writing against us.
const WRITES_MOST: usize = 5;

impl Broker {
    /// Removes everything under the request's grant and writes the end. What was written meanwhile changes the words,
    /// not the outcome: a person's end is the better reason, and somebody else's Closed is as good.
    pub(crate) async fn close(
        &self,
        request: &AccessRequest,
        ending: &Ending,
    ) -> Result<AccessRequest, Failure> {
        let flushed = self.flush_of(request).await?;
        let (mut latest, mut ending) = (self.newest(request), ending.clone());
        for _ in 0..WRITES_MOST {
            let mut message = ending.message.clone();
            if let Some(done) = flushed {
                message.push_str(&said(&done));
            }
            let reason = legal(&latest, ending.reason);
            let now =
                jiff::Timestamp::from_second(self.clock.hub_now()).unwrap_or_else(|_| jiff::Timestamp::now());
            match self.write(&latest, Write::default().ended(reason, &message, now)).await {
                Ok(closed) => {
                    tracing::info!(request = %grant_name(request), %reason, message, "closed");
                    return Ok(closed);
                }
                Err(Failure::Changed) => {
                    let (namespace, name) = key_of(request);
                    latest = self.hub.request(&namespace, &name).await?.ok_or(Failure::Gone)?;
                    self.stores.requests.put(latest.clone());
                    if latest.phase() == Phase::Closed {
                        return Ok(latest);
                    }
                    ending = ended_by_someone(&latest).unwrap_or(ending);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Changed)
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
        self.flush(&grant).await.map(Some)
    }

    /// Flushes one grant and forgets what the watches told of it.
    pub(crate) async fn flush(&self, grant: &str) -> Result<Flushed, Failure> {
        let known = self.observed(grant);
        // A flush is repeated until it succeeds: a refusal here is a guardrail or role that has to be mended.
        let done =
            self.target.flush(grant, Some(&known)).await.map_err(|e| Failure::Target(e.to_string()))?;
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
        tracing::info!(
            grant,
            bindings = done.bindings,
            accounts = done.accounts,
            rights_gone_ms = done.rights_gone.as_millis(),
            took_ms = done.took.as_millis(),
            "flushed"
        );
        Ok(done)
    }
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
    use std::time::Duration;

    #[test]
    fn p13_the_end_says_what_was_removed() {
        let done =
            Flushed { bindings: 3, accounts: 1, took: Duration::from_millis(12), ..Flushed::default() };
        assert_eq!(said(&done), "; 3 bindings and 1 account removed in 12 ms, and seen to be gone");
        assert_eq!(said(&Flushed::default()), "; nothing was left on the cluster");
    }
}
