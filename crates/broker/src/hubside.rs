//! The broker's writes on the hub. Each carries the object's UID and resourceVersion: whoever wrote in between (a
//! withdrawal, a revocation, an approval) is read before anything else is decided (attack 11).

use crate::failure::Failure;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use sallyport_api::{
    AccessRequest, AutoApprovalRecord, CONDITION_CLOSING, CONDITION_ENDED, GivenRecord, GrantRecord, Offer,
    RuleSummary,
};
use sallyport_client::{Fault, within};
use sallyport_model::{Digest, EndReason, Given, Jti, Reaffirm, Ttl, clip, visible};
use sallyport_policy::Met;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The field manager of everything the broker writes.
pub(crate) const MANAGER: &str = "sallyport-broker";
/// What `status.message` may hold, in characters.
const MESSAGE_MOST: usize = 1024;

/// The hub's API, with a deadline for every call.
#[derive(Clone)]
pub(crate) struct Hub {
    pub(crate) client: kube::Client,
    pub(crate) deadline: Duration,
}

/// The fields of one status write; what is not named stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Write(Map<String, Value>);

impl Write {
    fn set(mut self, field: &str, value: Value) -> Self {
        self.0.insert(field.to_owned(), value);
        self
    }

    /// The phase.
    pub(crate) fn phase(self, phase: sallyport_model::Phase) -> Self {
        self.set("phase", json!(phase.to_string()))
    }

    /// What a yes would allow.
    pub(crate) fn offer(self, offer: &Offer) -> Self {
        self.set("offer", json!(offer))
    }

    /// What is given of what was asked for.
    pub(crate) fn given(self, given: &Given) -> Self {
        self.set("given", json!(GivenRecord::from(given)))
    }

    /// By which autoApproval it opens, met at that time.
    pub(crate) fn auto_approval(self, met: &Met, now: jiff::Timestamp) -> Self {
        let record = AutoApprovalRecord { name: met.name.clone(), saw: met.saw.clone(), at: Time(now) };
        self.set("autoApproval", json!(record))
    }

    /// The grant on the target.
    pub(crate) fn grant(self, record: &GrantRecord) -> Self {
        self.set("grant", json!(record))
    }

    /// The ids of every token minted.
    pub(crate) fn jtis(self, jtis: &[Jti]) -> Self {
        self.set("jtis", json!(jtis))
    }

    /// The sealed token.
    pub(crate) fn credential(self, sealed: &str) -> Self {
        self.set("credential", json!(sealed))
    }

    /// One sentence for people; `None` takes an older one back.
    pub(crate) fn message(self, message: Option<&str>) -> Self {
        self.set("message", json!(message.map(|text| clip(&visible(text), MESSAGE_MOST))))
    }

    /// The end: Closed, the reason in a condition, no credential left. `meanwhile` is what stood in the way until now.
    pub(crate) fn ended(
        self,
        reason: EndReason,
        message: &str,
        meanwhile: Option<&str>,
        now: jiff::Timestamp,
    ) -> Self {
        let mut conditions = vec![condition(CONDITION_ENDED, "True", &reason.to_string(), message, now)];
        conditions
            .extend(meanwhile.map(|said| condition(CONDITION_CLOSING, "False", "NothingLeft", said, now)));
        self.phase(sallyport_model::Phase::Closed)
            .set("credential", Value::Null)
            .set("conditions", json!(conditions))
            .message(Some(message))
    }

    /// Over, and not yet gone from the cluster: what is left, and, once that is decided, how it will have ended. That is
    /// kept here, since a broker that is started anew may find no trace of it.
    pub(crate) fn closing(
        self,
        left: &Left,
        decided: Option<(EndReason, &str)>,
        now: jiff::Timestamp,
    ) -> Self {
        let mut conditions = vec![condition(CONDITION_CLOSING, "True", &left.reason, &left.message, now)];
        conditions.extend(
            decided.map(|(reason, message)| {
                condition(CONDITION_ENDED, "False", &reason.to_string(), message, now)
            }),
        );
        self.set("credential", Value::Null).set("conditions", json!(conditions))
    }
}

/// What keeps a request from being closed, as its condition says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// One CamelCase word.
    pub(crate) reason: String,
    /// Objects and words.
    pub(crate) message: String,
}

impl Left {
    pub(crate) fn new(reason: impl ToString, message: &str) -> Self {
        Self { reason: reason.to_string(), message: clip(&visible(message), MESSAGE_MOST) }
    }
}

fn condition(type_: &str, status: &str, reason: &str, message: &str, now: jiff::Timestamp) -> Value {
    json!({
        "type": type_, "status": status, "reason": reason,
        "message": clip(&visible(message), MESSAGE_MOST), "lastTransitionTime": Time(now),
    })
}

impl Hub {
    pub(crate) fn new(client: kube::Client, deadline: Duration) -> Self {
        Self { client, deadline }
    }

    /// The request as the hub holds it now.
    pub(crate) async fn request(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<AccessRequest>, Failure> {
        let api: Api<AccessRequest> = Api::namespaced(self.client.clone(), namespace);
        within(self.deadline, api.get_opt(name)).await.map_err(Failure::hub)
    }

    /// One object of a cluster-scoped kind.
    pub(crate) async fn get<K>(&self, name: &str) -> Result<Option<K>, Failure>
    where
        K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        within(self.deadline, Api::<K>::all(self.client.clone()).get_opt(name)).await.map_err(Failure::hub)
    }

    /// Writes status fields of exactly the version given, and returns the new one.
    pub(crate) async fn write(
        &self,
        request: &AccessRequest,
        write: Write,
    ) -> Result<AccessRequest, Failure> {
        let namespace = request.namespace().unwrap_or_default();
        let api: Api<AccessRequest> = Api::namespaced(self.client.clone(), &namespace);
        let patch = json!({
            "metadata": {"uid": request.uid(), "resourceVersion": request.resource_version()},
            "status": write.0,
        });
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let (name, patch) = (request.name_any(), Patch::Merge(&patch));
        within(self.deadline, api.patch_status(&name, &params, &patch)).await.map_err(Failure::hub)
    }

    /// Deletes exactly the version given: what was closed and read is not something else by now.
    pub(crate) async fn delete(&self, request: &AccessRequest) -> Result<(), Failure> {
        let namespace = request.namespace().unwrap_or_default();
        let api: Api<AccessRequest> = Api::namespaced(self.client.clone(), &namespace);
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: request.uid(),
                resource_version: request.resource_version(),
            }),
            ..DeleteParams::default()
        };
        let name = request.name_any();
        match within(self.deadline, api.delete(&name, &params)).await {
            Ok(_) | Err(Fault::NotFound) => Ok(()),
            Err(fault) => Err(Failure::hub(fault)),
        }
    }
}

/// The wire form of an offer, with what was left of a day as it was made.
pub(crate) fn wire_offer(
    offer: &sallyport_policy::Offer,
    endpoint: &str,
    ca_bundle: &str,
    left: Option<Ttl>,
    reaffirm: Option<&Reaffirm>,
) -> Offer {
    Offer {
        digest: offer.digest.to_string(),
        rules: offer.rules.iter().map(RuleSummary::from).collect(),
        warnings: offer.warnings.iter().take(16).map(|text| clip(text, 256)).collect(),
        endpoint: endpoint.to_owned(),
        ca_digest: Digest::of(ca_bundle.as_bytes()).to_string(),
        takes_limits: true,
        left_today: left.map(|left| left.to_string()),
        reaffirm: reaffirm.map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p24_a_message_from_outside_is_made_visible_and_short() {
        let write = Write::default().message(Some(&format!("evil\u{202e}{}", "x".repeat(5000))));
        let said = write.0["message"].as_str().expect("text").to_owned();
        assert!(said.contains("⟨U+202E⟩") && said.chars().count() <= MESSAGE_MOST, "{said}");
    }

    #[test]
    fn attack_11_the_end_takes_the_credential_along() {
        let write = Write::default().ended(EndReason::Left, "left", None, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(write.0["phase"], "Closed");
        assert!(write.0["credential"].is_null() && write.0.contains_key("credential"));
        assert_eq!(write.0["conditions"][0]["reason"], "Left");
    }

    #[test]
    fn fault_a1_what_is_closing_keeps_its_reason_and_no_credential() {
        let left = Left::new("Refused", "RoleBinding payments/g-a-0: no");
        let at = jiff::Timestamp::UNIX_EPOCH;
        let write = Write::default().closing(&left, Some((EndReason::Left, "the requester left")), at);
        assert!(write.0["credential"].is_null() && write.0.contains_key("credential"));
        assert!(!write.0.contains_key("phase"), "it stays what it is");
        let said = |n: usize| {
            let one = &write.0["conditions"][n];
            ["type", "status", "reason", "message"]
                .map(|field| one[field].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(said(0), ["Closing", "True", "Refused", "RoleBinding payments/g-a-0: no"]);
        assert_eq!(said(1), ["Ended", "False", "Left", "the requester left"]);
    }
}
