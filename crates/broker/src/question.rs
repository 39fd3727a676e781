//! Whether somebody may still ask for what they have open: what the hub's answers come to. Pure.

use sallyport_hub::MayRequest;
use sallyport_model::{EndReason, Ending, Phase, clip, visible};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

/// How a request ends by a no.
pub(crate) fn ending(question: &MayRequest, phase: Phase) -> Ending {
    let profile = clip(&visible(question.profile()), 80);
    let why =
        format!("its requester may not ask under profile {profile} any more, by the groups they are in");
    match phase {
        Phase::Pending => Ending::new(EndReason::Denied, why),
        _ => Ending::new(EndReason::Revoked, format!("closed because {why}")),
    }
}

/// The questions that the hub answered with a no when they were last asked.
#[derive(Default)]
pub(crate) struct Lost(Mutex<BTreeSet<MayRequest>>);

impl Lost {
    pub(crate) fn has(&self, question: &MayRequest) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(question)
    }

    /// Takes the answers of one round: what was not answered stays as it was, what nobody asked any more is forgotten.
    pub(crate) fn take(&self, answers: &BTreeMap<MayRequest, Option<bool>>) {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stays = |question: &MayRequest, answer: Option<bool>| match answer {
            Some(may) => !may,
            None => lost.contains(question),
        };
        let now = answers.iter().filter(|(question, answer)| stays(question, **answer));
        *lost = now.map(|(question, _)| question.clone()).collect();
    }
}

#[cfg(test)]
mod tests;
