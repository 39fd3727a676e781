//! Are the hub's own guardrails in force (P12)? Who may ask, approve and write which part of a request is the hub's admission
//! to say: where its policies are no set that this broker knows, nothing that a request says can be relied on, and nothing
//! is granted. What is open goes on.

use crate::{
    broker::{Broker, key_of},
    events::REPORTER,
    guardrails::{Probe, Verdict, values},
    hub_seen,
    hubside::MANAGER,
};
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use sallyport_api::{AccessRequest, BROKERS_NAMESPACE, Guardrails, HubSet, hub_set};
use sallyport_client::{Fault, within};
use sallyport_model::{Mfa, Phase, Profile, visible};
use serde_json::{Value, json};

/// So many differences are said.
const SAID_MOST: usize = 2;

/// The verdict on them, with the number of the set that they are, if it counts.
pub(crate) struct HubVerdict {
    pub(crate) set: Option<u32>,
    pub(crate) verdict: Verdict,
}

impl Broker {
    /// Which set of policies the hub has, or why it is none that counts, in words.
    pub(crate) fn hub_set(&self) -> hub_seen::Verdict {
        // A look or two may fail.
        self.hub_seen.set(self.config.guardrails_every * 3, || self.watched())
    }

    /// The same by the watches alone.
    fn watched(&self) -> hub_seen::Verdict {
        let live = Guardrails {
            policies: values(self.stores.hub_policies.all()),
            bindings: values(self.stores.hub_bindings.all()),
            ..Guardrails::default()
        };
        hub_set(&live).map_err(|differences| altered(&differences))
    }

    /// Why nothing can be granted under a profile by what the hub's policies are, in words; `None` when it can.
    pub(crate) fn hub_refuses(&self, profile: Option<&Profile>) -> Option<String> {
        match self.hub_set() {
            Err(why) => Some(why),
            Ok(set) => profile.and_then(|profile| not_held_by(set, profile)),
        }
    }

    /// Looks at them past the watches and probes them; what is to be reported: which set, and that it was seen to refuse.
    pub(crate) async fn verify_hub(&self) -> HubVerdict {
        let listed = match self.reports().own_guardrails().await {
            Ok(own) => own.set.map_err(|differences| altered(&differences)),
            Err(fault) => Err(format!(
                "the hub's admission policies can't be read: {fault}; where the broker has no right to, an admin of the hub \
                 applies deploy/hub/rbac.yaml"
            )),
        };
        self.hub_seen.listed(listed.clone());
        let mut refused = 0;
        if let Ok(set) = listed {
            let (event, approval) = futures::join!(self.probe_event(set), self.probe_approval());
            for probe in event.into_iter().chain(approval) {
                let word = probe.refused();
                self.hub_seen.probed(probe.policy, word);
                refused += usize::from(word == Some(true));
            }
        }
        let set = match self.hub_set() {
            Ok(set) => set,
            Err(detail) => return HubVerdict { set: None, verdict: Verdict { verified: false, detail } },
        };
        let (number, by) = (set.number(), &self.config.hub_url);
        let detail = match set {
            HubSet::Own if refused > 0 => {
                format!("set {number} as shipped, {refused} probes refused, by {by}")
            }
            HubSet::Own => format!("set {number} as shipped, and nobody was seen to be refused, by {by}"),
            HubSet::Before => format!("set {number}, the one before this broker's, by {by}"),
            HubSet::After => {
                format!("set {number}, the one after this broker's, which does not know its words, by {by}")
            }
        };
        let verified = set == HubSet::Own && refused > 0;
        HubVerdict { set: Some(number), verdict: Verdict { verified, detail } }
    }

    /// An Event on something that is no request is refused to a broker by nothing but policy.
    async fn probe_event(&self, set: HubSet) -> Option<Probe> {
        // Before, brokers wrote no Events and had no right to.
        if set == HubSet::Before {
            return None;
        }
        let event = json!({
            "metadata": {"generateName": "probe-", "namespace": BROKERS_NAMESPACE},
            "eventTime": self.clock.hub_instant(), "action": "Probe", "reason": "Probe", "type": "Normal",
            "reportingController": REPORTER, "reportingInstance": self.config.cluster,
            "regarding": {"apiVersion": "v1", "kind": "Pod", "namespace": BROKERS_NAMESPACE, "name": "probe"},
        });
        let api: Api<Event> = Api::namespaced(self.hub.client.clone(), BROKERS_NAMESPACE);
        let outcome = self.dry(&api, event).await;
        Some(Probe { policy: "brokers-events.sallyport.dev", outcome })
    }

    /// An approval of its own on one of its requests is refused to a broker by nothing but policy. Without any request that
    /// waits there is nothing to ask about.
    ///
    /// Where the profile asks for a sign-in, two policies refuse it, and the API server names either of them; then the one that
    /// is asked about is seen to refuse by a denial, which no other judges.
    async fn probe_approval(&self) -> Option<Probe> {
        let waits = |request: &AccessRequest| request.phase() == Phase::Pending && request.offer().is_some();
        let request = self.stores.requests.filtered(waits).into_iter().next()?;
        let mut approvals: Vec<_> =
            request.status.iter().flat_map(|status| &status.approvals).map(|one| json!(one)).collect();
        let by = format!("system:serviceaccount:sallyport-brokers:{}", self.config.cluster);
        let at = self.clock.hub_instant();
        let offer = request.offer().map(|offer| offer.digest.clone()).unwrap_or_default();
        approvals.push(json!({"by": by, "at": at, "offer": offer}));
        let approval = self.dry_status(&request, json!({"approvals": approvals})).await;
        match &approval.outcome {
            Err(Fault::Forbidden(said)) if approval.refused().is_none() => {
                tracing::debug!(said, "an approval of its own is refused by another policy first");
                Some(
                    self.dry_status(&request, json!({"denial": {"by": by, "at": at, "reason": "probe"}}))
                        .await,
                )
            }
            _ => Some(approval),
        }
    }

    /// What becomes of a write to a request's status, which is only tried.
    async fn dry_status(&self, request: &AccessRequest, status: Value) -> Probe {
        let (namespace, name) = key_of(request);
        let body = json!({"metadata": {"uid": request.uid()}, "status": status});
        let params =
            PatchParams { dry_run: true, field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let api: Api<AccessRequest> = Api::namespaced(self.hub.client.clone(), &namespace);
        let patch = Patch::Merge(&body);
        let outcome = within(self.config.deadline, api.patch_status(&name, &params, &patch)).await.map(drop);
        Probe { policy: "access-requests-status.sallyport.dev", outcome }
    }
}

/// What differs, in one sentence.
fn altered(differences: &[String]) -> String {
    let said: Vec<String> = differences.iter().take(SAID_MOST).map(|one| visible(one)).collect();
    let more = match differences.len().saturating_sub(SAID_MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!(
        "the hub's admission policies are not as shipped: {}{more}; nothing is granted until an admin of the hub has put that right \
         (deploy/hub is what was shipped)",
        said.join("; ")
    )
}

/// What a set does not hold anybody to, where a profile needs it.
fn not_held_by(set: HubSet, profile: &Profile) -> Option<String> {
    if set != HubSet::Before {
        return None;
    }
    // Before it, whoever asked or approved could say themselves how they had signed in, and when their provider last
    // vouched for them.
    let what = match profile {
        profile if profile.reaffirm.is_some() => "to reaffirming",
        profile if profile.mfa != Mfa::default() => "to what they say of their sign-in",
        _ => return None,
    };
    Some(format!(
        "the hub's admission policies are set {}, which holds nobody {what}; an admin of the hub applies deploy/hub of this \
         version",
        set.number()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_what_is_not_as_shipped_is_said_in_words_and_not_all_of_it() {
        let said = altered(&["a is missing".into(), "b\u{202e} differs".into(), "c".into(), "d".into()]);
        assert!(
            said.contains("a is missing; b") && said.contains("; and 2 more; nothing is granted"),
            "{said}"
        );
        assert!(!said.contains('\u{202e}'), "{said}");
        assert!(!altered(&["a".into()]).contains("more"));
    }
}
