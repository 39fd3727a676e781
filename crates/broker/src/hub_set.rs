//! Are the hub's own guardrails in force (P12)? Who may ask, approve and write which part of a request is the hub's admission
//! to say: where its policies are no set that this broker knows, nothing that a request says can be relied on, and nothing
//! is granted. What is open goes on.

use crate::{
    broker::{Broker, key_of},
    guardrails::{Probe, Verdict, values},
    hubside::MANAGER,
};
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use sallyport_api::{AccessRequest, BROKERS_NAMESPACE, Guardrails, HubSet, hub_set};
use sallyport_client::{Fault, within};
use sallyport_model::{Phase, Profile, visible};
use serde_json::json;

/// So many differences are said.
const SAID_MOST: usize = 2;

impl Broker {
    /// Which set of policies the hub has, or why it is none that counts, in words.
    pub(crate) fn hub_set(&self) -> Result<HubSet, String> {
        let (policies, bindings) = (&self.stores.hub_policies, &self.stores.hub_bindings);
        if !policies.is_synced() || !bindings.is_synced() {
            return Err("the hub's admission policies could not be read yet; where the broker has no right to, an admin \
                        of the hub applies deploy/hub/rbac.yaml"
                .to_owned());
        }
        self.hub_seen.set(|| {
            let live = Guardrails {
                policies: values(policies.all()),
                bindings: values(bindings.all()),
                ..Guardrails::default()
            };
            hub_set(&live).map_err(|differences| altered(&differences))
        })
    }

    /// Why nothing can be granted under a profile by what the hub's policies are, in words; `None` when it can.
    pub(crate) fn hub_refuses(&self, profile: Option<&Profile>) -> Option<String> {
        match self.hub_set() {
            Err(why) => Some(why),
            Ok(set) => profile.and_then(|profile| not_held_by(set, profile)),
        }
    }

    /// What is to be reported of them: which set, and that it was seen to refuse.
    pub(crate) async fn verify_hub(&self) -> Verdict {
        let set = match self.hub_set() {
            Ok(set) => set,
            Err(detail) => return Verdict { verified: false, detail },
        };
        let (event, approval) = futures::join!(self.probe_event(set), self.probe_approval());
        let probes: Vec<Probe> = event.into_iter().chain(approval).collect();
        let (count, by) = (probes.len(), &self.config.hub_url);
        self.hub_seen.probed(probes.iter().find_map(Probe::let_through));
        let wrong: Vec<String> = probes.into_iter().filter_map(Probe::wrong).collect();
        if !wrong.is_empty() {
            return Verdict { verified: false, detail: wrong.join("; ") };
        }
        let number = set.number();
        let detail = match set {
            HubSet::Own => format!("set {number} as shipped, {count} probes refused, by {by}"),
            HubSet::Before => {
                format!("set {number}, the one before this broker's, {count} probes refused, by {by}")
            }
            HubSet::After => format!(
                "set {number}, the one after this broker's, which does not know its words; {count} probes refused, by {by}"
            ),
        };
        Verdict { verified: set == HubSet::Own && count > 0, detail }
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
            "reportingController": "sallyport-broker", "reportingInstance": self.config.cluster,
            "regarding": {"apiVersion": "v1", "kind": "Pod", "namespace": BROKERS_NAMESPACE, "name": "probe"},
        });
        let api: Api<Event> = Api::namespaced(self.hub.client.clone(), BROKERS_NAMESPACE);
        let outcome = self.dry(&api, event).await;
        Some(Probe { policy: "brokers-events.sallyport.dev", outcome })
    }

    /// An approval of its own on one of its requests is refused to a broker by nothing but policy. Without any request that
    /// waits there is nothing to ask about.
    async fn probe_approval(&self) -> Option<Probe> {
        let waits = |request: &AccessRequest| request.phase() == Phase::Pending && request.offer().is_some();
        let request = self.stores.requests.filtered(waits).into_iter().next()?;
        let (namespace, name) = key_of(&request);
        let mut approvals: Vec<_> =
            request.status.iter().flat_map(|status| &status.approvals).map(|one| json!(one)).collect();
        approvals.push(json!({
            "by": format!("system:serviceaccount:sallyport-brokers:{}", self.config.cluster),
            "at": self.clock.hub_instant(),
            "offer": request.offer().map(|offer| offer.digest.clone()).unwrap_or_default(),
        }));
        let body = json!({"metadata": {"uid": request.uid()}, "status": {"approvals": approvals}});
        let params =
            PatchParams { dry_run: true, field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let api: Api<AccessRequest> = Api::namespaced(self.hub.client.clone(), &namespace);
        let patch = Patch::Merge(&body);
        let outcome = within(self.config.deadline, api.patch_status(&name, &params, &patch)).await.map(drop);
        let is_other = matches!(outcome, Err(Fault::NotFound | Fault::Conflict(_)));
        (!is_other).then_some(Probe { policy: "access-requests-status.sallyport.dev", outcome })
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
    // Before it, whoever asked could say themselves when their provider last vouched for them.
    (set == HubSet::Before && profile.reaffirm.is_some()).then(|| {
        format!(
            "the hub's admission policies are set {}, which holds nobody to reaffirming; an admin of the hub applies \
             deploy/hub of this version",
            set.number()
        )
    })
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
