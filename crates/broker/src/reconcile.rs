//! One request, from where it stands to where it can rest.

use crate::{
    broker::{Broker, grant_name, key_of},
    failure::Failure,
    hubside::{Left, Write},
    judge::Judged,
    next::{
        GRANT_REMOVED, Moment, Next, REASON_REMOVED, STILL_THERE, Seen, ended_by_someone, next, unanswered_at,
    },
    queue::Key,
    work::BACKOFF_FIRST,
};
use kube::ResourceExt;
use sallyport_api::{AccessRequest, Asked};
use sallyport_model::{EndReason, Ending, Phase, visible};
use sallyport_policy::{Decision, WaitFor};
use std::time::Duration;

/// Steps before somebody must be writing against us; then it waits its turn again.
const STEPS: usize = 12;

impl Broker {
    /// How long until a moment by its own clock.
    pub(crate) fn until(&self, moment: Moment) -> Duration {
        match moment {
            Moment::Target(at) => self.clock.until_target(at),
            Moment::Hub(at) => {
                Duration::from_secs(u64::try_from(at - self.clock.hub_now()).unwrap_or(0)) + BACKOFF_FIRST
            }
        }
    }

    /// Takes one request as far as it goes now; says when it has to be looked at again by itself.
    pub(crate) async fn reconcile(&self, key: &Key) -> Result<Option<Moment>, Failure> {
        let Some(seen) = self.stores.requests.get(&key.0, &key.1) else {
            // Deleted: what it may have left on the target has no request any more.
            self.sweep.notify_one();
            return Ok(None);
        };
        let mut request = (*seen).clone();
        for _ in 0..STEPS {
            match self.step(&request).await {
                Ok(Step::On(newer)) => request = *newer,
                Ok(Step::Rest(moment)) => return Ok(moment),
                Err(Failure::Changed) => match self.hub.request(&key.0, &key.1).await? {
                    Some(newer) => {
                        self.stores.requests.put(newer.clone());
                        request = newer;
                    }
                    None => return self.gone(key),
                },
                Err(Failure::Gone) => return self.gone(key),
                Err(Failure::Final { reason, message }) => {
                    request = match self.close(&request, &Ending::new(reason, message)).await {
                        Ok(newer) => newer,
                        Err(Failure::Gone) => return self.gone(key),
                        Err(other) => return Err(other),
                    }
                }
                Err(other) => return Err(other),
            }
        }
        Err(Failure::Target("it kept changing".to_owned()))
    }

    fn gone(&self, key: &Key) -> Result<Option<Moment>, Failure> {
        self.stores.requests.forget(key);
        self.sweep.notify_one();
        Ok(None)
    }

    async fn step(&self, request: &AccessRequest) -> Result<Step, Failure> {
        let observed = self.observed(&grant_name(request));
        // Whether a session is still what was decided is asked of one whose grant is on record, and of nothing else.
        let recorded = request.status.as_ref().is_some_and(|status| status.grant.is_some());
        let open = observed.grant.as_ref().filter(|_| recorded && request.phase() != Phase::Closed);
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let seen = Seen {
            growth: open.and_then(|grant| self.widened(request, grant)),
            strays: open.is_some() && !self.strays(request, &observed).holds_nothing(),
            held: self.held(request).map(|hold| hold.ending(request.phase())),
            lost: self.lost(request),
            ended_here: self.memory.ending(&grant_name(request)),
            removed_wait: seconds(self.config.removed_grant_wait),
            grant: observed.grant.as_ref(),
            account: !observed.accounts.is_empty(),
            left: !observed.holds_nothing(),
            hub_now: self.clock.hub_now(),
            target_now: self.clock.target_now(),
            retention: seconds(self.config.retention),
        };
        match next(request, &seen) {
            Next::Rest(moment) => Ok(Step::Rest(moment)),
            Next::Judge => self.judge_and_act(request).await,
            Next::ConfirmGrant => self.confirm_grant(request).await,
            Next::Unbind => self.unbind(request).await.map(Step::on),
            Next::Close(ending) => self.close(request, &ending).await.map(Step::on),
            Next::Flush => {
                let done = self.flush(&grant_name(request), false).await?;
                match done.left.first() {
                    Some(left) => Err(Failure::Leftover(left.to_string())),
                    None => Ok(Step::On(Box::new(request.clone()))),
                }
            }
            Next::Delete => {
                self.hub.delete(request).await?;
                self.stores.requests.forget(&key_of(request));
                Ok(Step::Rest(None))
            }
        }
    }

    async fn judge_and_act(&self, request: &AccessRequest) -> Result<Step, Failure> {
        let asked = Asked::try_from(request).map_err(|e| Failure::failed(e.to_string()))?;
        let Judged { decision, basis } = self.judge(request, &asked).await?;
        match decision {
            Decision::Refuse(ending) => self.close(request, &ending).await.map(Step::on),
            Decision::Permit(permit) => self.grant(request, &asked, &permit, basis).await.map(Step::on),
            Decision::Wait(_) if request.phase() != Phase::Pending => {
                Err(Failure::failed("its approvals do not suffice any more"))
            }
            Decision::Wait(wait) => {
                let told = request.status.as_ref().and_then(|status| status.message.as_deref());
                if request.offer().is_some() && told.is_some_and(|told| says(told, &wait)) {
                    return Ok(Step::Rest(unanswered_at(request)));
                }
                let write = Write::default().phase(Phase::Pending).message(Some(&words(&wait)));
                self.write(request, basis.with_offer(request, write)).await.map(Step::on)
            }
        }
    }

    /// The watch does not show the recorded grant: it may be behind, or somebody deleted it by hand.
    async fn confirm_grant(&self, request: &AccessRequest) -> Result<Step, Failure> {
        let name = grant_name(request);
        let found = self.target.observe(&name).await?;
        let recorded = request.status.as_ref().and_then(|status| status.grant.as_ref());
        let stands = found.grant.as_ref().is_some_and(|grant| {
            grant.uid().as_deref() == recorded.map(|record| record.uid.as_str())
                && grant.metadata.deletion_timestamp.is_none()
        });
        if !stands {
            return self.grant_removed(request).await.map(Step::on);
        }
        if request.phase() == Phase::Active && found.accounts.is_empty() {
            return Err(Failure::Final {
                reason: EndReason::Revoked,
                message: "its ServiceAccount was deleted on the cluster".to_owned(),
            });
        }
        found.grant.into_iter().for_each(|grant| self.stores.grants.put(grant));
        found.accounts.into_iter().for_each(|account| self.stores.accounts.put(account));
        Ok(Step::On(Box::new(request.clone())))
    }

    /// Somebody removed the recorded grant: the session itself as it left, or an admin. The rights go with it at once; how it
    /// ended is said by whoever writes so on the hub, and is waited for.
    async fn grant_removed(&self, request: &AccessRequest) -> Result<AccessRequest, Failure> {
        let done = self.flush(&grant_name(request), false).await?;
        let (namespace, name) = key_of(request);
        let fresh = self.hub.request(&namespace, &name).await?.ok_or(Failure::Gone)?;
        self.stores.requests.put(fresh.clone());
        if ended_by_someone(&fresh).is_some() || fresh.phase() == Phase::Closed {
            return Ok(fresh);
        }
        let left = done.left.iter().map(|left| format!("{STILL_THERE}{left}")).collect::<String>();
        let said = format!("{GRANT_REMOVED}{left}; waiting for the word of whoever ended it");
        let noted = self.note_closing(&fresh, &Left::new(REASON_REMOVED, &said), None).await?;
        if done.left.is_empty() { Ok(noted) } else { Err(Failure::Leftover(said)) }
    }

    /// A status write that the own index hears of at once.
    pub(crate) async fn write(
        &self,
        request: &AccessRequest,
        write: Write,
    ) -> Result<AccessRequest, Failure> {
        let written = self.hub.write(request, write).await?;
        self.events.written(request, &written);
        self.stores.requests.put(written.clone());
        Ok(written)
    }

    /// Tells the people why it takes longer, once.
    pub(crate) async fn tell(&self, key: &Key, failure: &Failure) {
        let Some(request) = self.stores.requests.get(&key.0, &key.1) else { return };
        let told = request.status.as_ref().and_then(|s| s.message.as_deref()).unwrap_or_default();
        let (message, told) = match failure {
            // Which of the many ways of not being there changes from try to try.
            Failure::Target(why) => (format!("trying again: {why}"), told.starts_with("trying again")),
            Failure::Guardrails(why) => {
                let message = format!("nothing is granted for now: {why}");
                let same = told == sallyport_model::clip(&visible(&message), 500);
                (message, same)
            }
            _ => return,
        };
        let message = sallyport_model::clip(&message, 500);
        if !told && request.phase() != Phase::Closed && request.closing().is_none() {
            // It is a courtesy; the next look decides in any case.
            let _ = self.write(&request, Write::default().message(Some(&message))).await;
        }
    }
}

/// What a request waits for, and why it did not open without.
fn words(wait: &WaitFor) -> String {
    match wait {
        WaitFor::Approvals { have, need, unmet } => {
            let why = unmet.iter().map(|one| format!("; {one}")).collect::<String>();
            format!("waiting for approvals: {have} of {need}{why}")
        }
        WaitFor::Reaffirming(why) => format!("waiting for the requester's Sallyport: {why}"),
    }
}

/// Whether that was told, with whatever was said then of autoApprovals, which are judged once.
fn says(told: &str, wait: &WaitFor) -> bool {
    let said_then = match wait {
        WaitFor::Approvals { have, need, .. } => {
            words(&WaitFor::Approvals { have: *have, need: *need, unmet: Vec::new() })
        }
        WaitFor::Reaffirming(_) => return told == words(wait),
    };
    told.strip_prefix(&said_then).is_some_and(|rest| rest.is_empty() || rest.starts_with("; "))
}

enum Step {
    On(Box<AccessRequest>),
    Rest(Option<Moment>),
}

impl Step {
    fn on(request: AccessRequest) -> Self {
        Self::On(Box::new(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_it_did_not_open_without_people_is_told_once_and_stays() {
        let unmet = ["office: it is Sun there", "small: 2h is longer than 1h"].map(|said| {
            let (name, why) = said.split_once(": ").expect("a name");
            sallyport_policy::Unmet { name: name.into(), why: why.into() }
        });
        let wait = |have, need| WaitFor::Approvals { have, need, unmet: Vec::new() };
        let told = words(&WaitFor::Approvals { have: 0, need: 1, unmet: unmet.to_vec() });
        assert_eq!(
            told,
            "waiting for approvals: 0 of 1; office: it is Sun there; small: 2h is longer than 1h"
        );
        assert!(says(&told, &wait(0, 1)) && says("waiting for approvals: 0 of 1", &wait(0, 1)));
        assert!(!says(&told, &wait(1, 2)) && !says("waiting for approvals: 0 of 10", &wait(0, 1)));
        assert!(!says("trying again: no answer", &wait(0, 1)));
    }
}
