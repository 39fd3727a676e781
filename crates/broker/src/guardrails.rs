//! Are the target's guardrails in force (P12)? Equal to what was shipped *and* seen to refuse: a policy changed to
//! refuse only dry runs passes the probe and not the comparison (attack 16).

use crate::{broker::Broker, hubside::MANAGER};
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    core::v1::ServiceAccount,
    rbac::v1::{ClusterRole, ClusterRoleBinding, RoleBinding},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, PostParams},
};
use sallyport_api::{
    AccessGrant, Guardrails, LEAVE, SESSIONS_NAMESPACE, Side, guardrail_differences, shipped_guardrails,
};
use sallyport_client::{Fault, within};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{fmt::Debug, ops::Deref};

/// The verdict and what it rests on.
pub(crate) struct Verdict {
    pub(crate) verified: bool,
    pub(crate) detail: String,
}

/// What must be refused, and by which policy. Only what the broker's own rights would allow proves anything: else RBAC
/// refuses first.
pub(crate) struct Probe {
    pub(crate) policy: &'static str,
    pub(crate) outcome: Result<(), Fault>,
}

impl Broker {
    /// Compares and probes.
    pub(crate) async fn verify_guardrails(&self) -> Verdict {
        let live = match self.live_guardrails().await {
            Ok(live) => live,
            Err(fault) => {
                return Verdict { verified: false, detail: format!("the policies can't be read: {fault}") };
            }
        };
        let mut wrong = guardrail_differences(Side::Target, &live);
        let probes = self.probe_guardrails().await;
        let count = probes.len();
        wrong.extend(probes.into_iter().filter_map(|probe| probe.wrong()));
        if !wrong.is_empty() {
            return Verdict { verified: false, detail: wrong.join("; ") };
        }
        let shipped = shipped_guardrails(Side::Target).policies.len();
        let by = self.target_at.authority();
        Verdict {
            verified: true,
            detail: format!("{shipped} policies as shipped, {count} probes refused, by {by}"),
        }
    }

    async fn live_guardrails(&self) -> Result<Guardrails, Fault> {
        let client = || self.target.client().clone();
        let policies: Api<ValidatingAdmissionPolicy> = Api::all(client());
        let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client());
        let (roles, role_bindings): (Api<ClusterRole>, Api<ClusterRoleBinding>) =
            (Api::all(client()), Api::all(client()));
        let (every, deadline) = (ListParams::default(), self.config.deadline);
        let (policies, bindings, role, role_binding) = tokio::try_join!(
            within(deadline, policies.list(&every)),
            within(deadline, bindings.list(&every)),
            within(deadline, roles.get_opt(LEAVE)),
            within(deadline, role_bindings.get_opt(LEAVE)),
        )?;
        Ok(Guardrails {
            policies: values(&policies.items),
            bindings: values(&bindings.items),
            cluster_roles: values(role.iter()),
            cluster_role_bindings: values(role_binding.iter()),
        })
    }

    async fn probe_guardrails(&self) -> Vec<Probe> {
        let client = || self.target.client().clone();
        // Named like a session's account, and owned by nobody.
        let account = json!({"metadata": {"name": "s-probe-1999999999", "namespace": SESSIONS_NAMESPACE}});
        // A role the broker may bind, to a session, in a namespace that takes none.
        let binding = json!({
            "metadata": {"name": "g-probe-0", "namespace": "kube-system"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sallyport:view"},
            "subjects": [{"kind": "ServiceAccount", "name": "s-probe-1999999999", "namespace": SESSIONS_NAMESPACE}],
        });
        let grant = json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "metadata": {"name": "probe"},
            "spec": {"request": {"namespace": "probe", "name": "probe", "uid": "0"}, "user": "probe",
                "duration": "15m", "profile": "probe", "profileRevision": "0/0", "roles": ["sallyport:view"],
                "offer": "0".repeat(64)},
        });
        let (accounts, bindings, grants): (Api<ServiceAccount>, Api<RoleBinding>, Api<AccessGrant>) = (
            Api::namespaced(client(), SESSIONS_NAMESPACE),
            Api::namespaced(client(), "kube-system"),
            Api::all(client()),
        );
        let (account, binding, grant) = tokio::join!(
            self.dry(&accounts, account),
            self.dry(&bindings, binding),
            self.dry(&grants, grant)
        );
        let mut probes = vec![
            Probe { policy: "sessions-accounts.sallyport.dev", outcome: account },
            Probe { policy: "broker-bindings.sallyport.dev", outcome: binding },
            Probe { policy: "broker-grants.sallyport.dev", outcome: grant },
        ];
        probes.extend(self.probe_leaving(&grants).await);
        probes
    }

    /// A grant that stands can't be deleted without what it owns, not even by a dry run of ours. Without any grant there is
    /// nothing to ask about, and the comparison alone speaks.
    async fn probe_leaving(&self, grants: &Api<AccessGrant>) -> Option<Probe> {
        let stands = |grant: &AccessGrant| grant.metadata.deletion_timestamp.is_none();
        let name = self.stores.grants.filtered(stands).first()?.name_any();
        let orphaning = DeleteParams { dry_run: true, ..DeleteParams::orphan() };
        let outcome = within(self.config.deadline, grants.delete(&name, &orphaning)).await.map(drop);
        let gone = matches!(outcome, Err(Fault::NotFound));
        (!gone).then_some(Probe { policy: "sessions-leave.sallyport.dev", outcome })
    }

    pub(crate) async fn dry<K>(&self, api: &Api<K>, object: Value) -> Result<(), Fault>
    where
        K: Clone + Debug + Serialize + DeserializeOwned,
    {
        let object: K = serde_json::from_value(object).map_err(|e| Fault::Other(e.to_string()))?;
        let params = PostParams { dry_run: true, field_manager: Some(MANAGER.to_owned()) };
        within(self.config.deadline, api.create(&params, &object)).await.map(drop)
    }
}

impl Probe {
    /// Whether the policy itself refused; `None` where something else answered first, or nobody did.
    pub(crate) fn refused(&self) -> Option<bool> {
        match &self.outcome {
            Ok(()) => Some(false),
            // By how the API server says it: names in a message are somebody's choice, and hold no quotes.
            Err(Fault::Forbidden(message) | Fault::Invalid(message))
                if message.contains(&format!("ValidatingAdmissionPolicy '{}'", self.policy)) =>
            {
                Some(true)
            }
            Err(_) => None,
        }
    }

    /// What is wrong, in words; `None` when the policy itself refused.
    fn wrong(self) -> Option<String> {
        match (self.refused(), self.outcome) {
            (Some(true), _) => None,
            (_, Err(fault)) => Some(format!("{} was not seen to refuse: {fault}", self.policy)),
            (_, Ok(())) => Some(format!("{} let its probe through", self.policy)),
        }
    }
}

pub(crate) fn values(objects: impl IntoIterator<Item: Deref<Target: Serialize>>) -> Vec<Value> {
    objects.into_iter().filter_map(|object| serde_json::to_value(&*object).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_only_the_policys_own_refusal_counts() {
        let wrong = |outcome| Probe { policy: "broker-grants.sallyport.dev", outcome }.wrong();
        let by_policy =
            "ValidatingAdmissionPolicy 'broker-grants.sallyport.dev' with binding … denied request: no";
        assert_eq!(wrong(Err(Fault::Forbidden(by_policy.into()))), None);
        for other in [
            Ok(()),
            Err(Fault::Forbidden("User \"x\" cannot create resource".into())),
            Err(Fault::TimedOut),
            Err(Fault::NotFound),
            // A name that somebody chose is no word of the policy's.
            Err(Fault::Forbidden(
                "accessrequests \"broker-grants.sallyport.dev\" is forbidden: ValidatingAdmissionPolicy 'other' with \
                 binding 'other' denied request: no"
                    .into(),
            )),
        ] {
            assert!(wrong(other).is_some());
        }
    }
}
