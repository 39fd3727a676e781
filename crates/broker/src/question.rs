//! Whether somebody may still ask for what they have open: the question to the hub's RBAC, and what its answers mean. Pure.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use sallyport_api::{AccessRequest, GROUP};
use sallyport_model::{EndReason, Ending, Phase, clip, visible};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

/// Everybody who signs in is in it; a request need not say so.
const EVERYBODY: &str = "system:authenticated";

/// Whether a person in these groups may ask under this profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Question {
    user: String,
    groups: BTreeSet<String>,
    profile: String,
}

impl Question {
    pub(crate) fn of(request: &AccessRequest) -> Self {
        let everybody = [EVERYBODY.to_owned()];
        Self {
            user: request.spec.user.clone(),
            groups: request.groups_now().iter().cloned().chain(everybody).collect(),
            profile: request.spec.profile.clone(),
        }
    }

    pub(crate) fn review(&self) -> SubjectAccessReview {
        let attributes = ResourceAttributes {
            group: Some(GROUP.to_owned()),
            resource: Some("accessprofiles".to_owned()),
            name: Some(self.profile.clone()),
            verb: Some("request".to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SubjectAccessReviewSpec {
            user: Some(self.user.clone()),
            groups: Some(self.groups.iter().cloned().collect()),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        };
        SubjectAccessReview { spec, ..SubjectAccessReview::default() }
    }

    /// How a request ends by a no.
    pub(crate) fn ending(&self, phase: Phase) -> Ending {
        let profile = clip(&visible(&self.profile), 80);
        let why =
            format!("its requester may not ask under profile {profile} any more, by the groups they are in");
        match phase {
            Phase::Pending => Ending::new(EndReason::Denied, why),
            _ => Ending::new(EndReason::Revoked, format!("closed because {why}")),
        }
    }
}

/// What the hub's answer means: `None` where it does not know, which is no no.
pub(crate) fn answer(status: &SubjectAccessReviewStatus) -> Option<bool> {
    let unsure = status.evaluation_error.as_ref().is_some_and(|error| !error.is_empty());
    match status.allowed {
        true => Some(true),
        false if unsure && status.denied != Some(true) => None,
        false => Some(false),
    }
}

/// The questions that the hub answered with a no when they were last asked.
#[derive(Default)]
pub(crate) struct Lost(Mutex<BTreeSet<Question>>);

impl Lost {
    pub(crate) fn has(&self, question: &Question) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(question)
    }

    /// Takes the answers of one round: what was not answered stays as it was, what nobody asked any more is forgotten.
    pub(crate) fn take(&self, answers: &BTreeMap<Question, Option<bool>>) {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stays = |question: &Question, answer: Option<bool>| match answer {
            Some(may) => !may,
            None => lost.contains(question),
        };
        let now = answers.iter().filter(|(question, answer)| stays(question, **answer));
        *lost = now.map(|(question, _)| question.clone()).collect();
    }
}

#[cfg(test)]
mod tests;
