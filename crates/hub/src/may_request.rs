//! Whether somebody may ask under a profile: the question to the hub's authorizers, and what its answers mean.

use crate::Hub;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use kube::{Api, api::PostParams};
use sallyport_api::{AccessRequest, GROUP};
use sallyport_client::{Fault, within};
use std::collections::BTreeSet;
use std::time::Duration;

/// Everybody who signs in is in it; a request need not say so.
const EVERYBODY: &str = "system:authenticated";

/// Whether a person in these groups may ask under this profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MayRequest {
    user: String,
    groups: BTreeSet<String>,
    profile: String,
}

impl MayRequest {
    /// Whoever made a request, by the groups they are in as far as it says, and the profile it names.
    pub fn of(request: &AccessRequest) -> Self {
        Self::under(request, &request.spec.profile)
    }

    /// The same person, and another profile.
    pub fn under(request: &AccessRequest, profile: &str) -> Self {
        let everybody = [EVERYBODY.to_owned()];
        Self {
            user: request.spec.user.clone(),
            groups: request.groups_now().iter().cloned().chain(everybody).collect(),
            profile: profile.to_owned(),
        }
    }

    /// The profile it is about.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Asks the hub behind this client; `None` where the hub does not know, which is no no. Whoever asks needs `create` on
    /// SubjectAccessReviews.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn ask(&self, client: &kube::Client, deadline: Duration) -> Result<Option<bool>, Fault> {
        let api: Api<SubjectAccessReview> = Api::all(client.clone());
        let said = within(deadline, api.create(&PostParams::default(), &self.review())).await?;
        Ok(said.status.as_ref().and_then(answer))
    }

    fn review(&self) -> SubjectAccessReview {
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
}

impl Hub {
    /// Whether somebody may ask under a profile; `None` where the hub does not know.
    ///
    /// # Errors
    /// [`Fault`]: [`Fault::Forbidden`] where whoever asks may not.
    pub async fn may_request(&self, who: &MayRequest) -> Result<Option<bool>, Fault> {
        who.ask(&self.client, self.deadline).await
    }
}

fn answer(status: &SubjectAccessReviewStatus) -> Option<bool> {
    let unsure = status.evaluation_error.as_ref().is_some_and(|error| !error.is_empty());
    match status.allowed {
        true => Some(true),
        false if unsure && status.denied != Some(true) => None,
        false => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn request(groups: &[&str], status: Value) -> AccessRequest {
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": "r"},
            "spec": {"user": "oidc:dana", "groups": groups, "cluster": "c", "profile": "debug",
                "profileRevision": "aa/1", "duration": "1h", "reason": "r", "publicKey": "k"},
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn the_same_person_groups_and_profile_are_one_question() {
        let one = MayRequest::of(&request(&["b", "a"], json!({})));
        assert_eq!(one, MayRequest::of(&request(&["a", "b", EVERYBODY], json!({}))));
        let now = json!({"reaffirmed": {"issued": 5, "groups": ["a"]}});
        let later = MayRequest::of(&request(&["b", "a"], now));
        assert_ne!(one, later);
        let asked = later.review().spec;
        assert_eq!(asked.groups, Some(vec!["a".to_owned(), EVERYBODY.to_owned()]));
        let attributes = asked.resource_attributes.expect("of a resource");
        assert_eq!(
            (attributes.verb.as_deref(), attributes.name.as_deref()),
            (Some("request"), Some("debug"))
        );
        let other = MayRequest::under(&request(&["b", "a"], json!({})), "view");
        assert!(other != one && other.profile() == "view" && other.groups == one.groups);
    }

    #[test]
    fn only_a_clear_no_is_one() {
        let said = |allowed: bool, denied: Option<bool>, error: &str| {
            let evaluation_error = Some(error.to_owned());
            answer(&SubjectAccessReviewStatus { allowed, denied, evaluation_error, ..Default::default() })
        };
        assert_eq!(said(true, None, ""), Some(true));
        assert_eq!(said(true, None, "one authorizer is away"), Some(true));
        assert_eq!(said(false, None, ""), Some(false));
        assert_eq!(said(false, None, "one authorizer is away"), None);
        assert_eq!(said(false, Some(true), "one authorizer is away"), Some(false));
    }
}
