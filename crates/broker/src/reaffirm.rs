//! Still who they were: how it stands with the provider's word for a requester, and whether the hub's RBAC still lets them ask
//! for what they have open.

use crate::broker::{Broker, key_of, lane_of};
use crate::question::ending;
use crate::queue::Key;
use futures::{StreamExt, stream};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::MayRequest;
use sallyport_model::{Ending, Phase};
use sallyport_policy::{Vouched, vouched};
use std::collections::BTreeMap;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Questions that are under way at the same time.
const ASKED_AT_ONCE: usize = 4;

/// How it stands with the provider's word for whoever asked, where the offer says that it is wanted; `None` where it is not.
/// What can't be read keeps nothing open.
pub(crate) fn word_for(request: &AccessRequest, hub_now: i64) -> Option<Vouched> {
    match request.reaffirm() {
        Ok(wanted) => Some(vouched(&wanted?, request.vouched_at(), hub_now)),
        Err(malformed) => Some(Vouched::Over { why: malformed.to_string() }),
    }
}

impl Broker {
    /// How a request ends whose requester may not ask for it any more.
    pub(crate) fn lost(&self, request: &AccessRequest) -> Option<Ending> {
        let question = MayRequest::of(request);
        self.lost.has(&question).then(|| ending(&question, request.phase()))
    }

    /// Asks the hub again and again whether those who have something open, or wait for it, may still ask for it. For ever.
    pub(crate) async fn keep_asking(&self) {
        let every = self.config.rights_asked;
        let mut rounds = interval_at(Instant::now() + every, every);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.ask_once().await;
        }
    }

    /// One question for each person, groups and profile, however many requests it is about.
    async fn ask_once(&self) {
        let mut about: BTreeMap<MayRequest, Vec<(Key, String)>> = BTreeMap::new();
        for request in self.stores.requests.all() {
            if request.phase() != Phase::Closed && request.closing().is_none() {
                let who = (key_of(&request), lane_of(&request));
                about.entry(MayRequest::of(&request)).or_default().push(who);
            }
        }
        let asked = stream::iter(about.keys().cloned())
            .map(|question| async move {
                let said = question.ask(&self.hub.client, self.hub.deadline).await;
                (said, question)
            })
            .buffer_unordered(ASKED_AT_ONCE);
        let answers: Vec<(Result<Option<bool>, Fault>, MayRequest)> = asked.collect().await;
        // Not knowing is no reason to close anything; the hub's long silence is one, and is dealt with elsewhere.
        let failed: Vec<&Fault> = answers.iter().filter_map(|(answer, _)| answer.as_ref().err()).collect();
        if let Some(fault) = failed.first() {
            let count = failed.len();
            tracing::warn!(count, %fault, "whether people may still ask for what they have open can't be asked");
        }
        let answers =
            answers.into_iter().map(|(answer, question)| (question, answer.ok().flatten())).collect();
        self.lost.take(&answers);
        for (question, requests) in about {
            if answers.get(&question) == Some(&Some(false)) {
                requests.into_iter().for_each(|(key, lane)| self.queue.push(key, &lane));
            }
        }
    }
}

#[cfg(test)]
mod tests;
