//! From a request to a decision: the live profile, the live ClusterRoles, and the facts of this target.

use crate::{
    broker::{Broker, rules_of},
    failure::Failure,
};
use futures::future::try_join_all;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use sallyport_api::{AccessProfile, AccessRequest, Asked, MalformedObject};
use sallyport_client::{Fault, within};
use sallyport_hub::decision_request;
use sallyport_model::{Profile, ProfileRevision, RoleName, Scope};
use sallyport_policy::{Decision, Facts, Offer, decide, offer, unfit};
use sallyport_rbac::Rule;

/// A decision and the offer it rests on.
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    pub(crate) offer: Offer,
}

impl Broker {
    /// Decides on a request from what hub and target say at this moment, not from what the watches said last.
    pub(crate) async fn judge(&self, request: &AccessRequest, asked: &Asked) -> Result<Judged, Failure> {
        let malformed = |e: MalformedObject| Failure::failed(e.to_string());
        let profile: Option<AccessProfile> = self.hub.get(asked.terms.profile.as_str()).await?;
        let profile = profile.as_ref().map(Profile::try_from).transpose().map_err(malformed)?;
        let roles = profile.as_ref().map(|profile| profile.roles.clone()).unwrap_or_default();
        let (rules, missing) = self.live_rules(&roles).await?;
        let scope = &asked.terms.scope;
        let offer = self.offer(&asked.terms.revision, scope, &roles, rules);
        let facts = Facts { others_open: self.others_open(request), ..self.facts(scope, offer, missing) };
        let asked = decision_request(request).map_err(malformed)?;
        let decision = decide(&asked, profile.as_ref(), &facts, self.clock.hub_now());
        Ok(Judged { decision, offer: facts.offer })
    }

    /// The offer of `roles` in a scope.
    fn offer(
        &self,
        revision: &ProfileRevision,
        scope: &Scope,
        roles: &[RoleName],
        rules: Vec<Rule>,
    ) -> Offer {
        let (endpoint, ca) = (&self.config.endpoint, &self.authorities.endpoint);
        offer(revision, &self.config.cluster, scope, roles, rules, endpoint, ca)
    }

    /// What this target is like for a scope, as the watches see it.
    fn facts(&self, scope: &Scope, offer: Offer, missing: Vec<RoleName>) -> Facts {
        let is_going = |name: &str| {
            let known = self.stores.namespaces.get("", name);
            known.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some())
        };
        Facts {
            cluster: self.config.cluster.clone(),
            offer,
            bindable: self.bindable(scope),
            being_deleted: scope.to_list().iter().filter(|name| is_going(name.as_str())).cloned().collect(),
            missing,
            standing: self.standing(),
            clock_difference: self.clock.apart(),
            others_open: 0,
        }
    }

    /// The rules of each role as the target holds them now, and the roles it does not have.
    async fn live_rules(&self, roles: &[RoleName]) -> Result<(Vec<Rule>, Vec<RoleName>), Failure> {
        let api: &Api<ClusterRole> = &Api::all(self.target.client().clone());
        let reads = roles.iter().map(|name| async move {
            match within(self.target.deadline(), api.get_opt(name.as_str())).await {
                Ok(role) => Ok((name, role)),
                Err(fault @ Fault::Forbidden(_)) => {
                    Err(Failure::failed(format!("ClusterRole {name}: {fault}")))
                }
                Err(fault) => Err(Failure::Target(format!("reading ClusterRole {name}: {fault}"))),
            }
        });
        let (mut rules, mut missing) = (Vec::new(), Vec::new());
        for (name, role) in try_join_all(reads).await? {
            match role {
                Some(role) => rules.extend(rules_of(name, &role)),
                None => missing.push(name.clone()),
            }
        }
        Ok((rules, missing))
    }

    /// What a profile would allow on this target as the watches see it, for the report: its offer, and how a request for
    /// all of it would end by what this target is like.
    pub(crate) fn preview(&self, profile: &Profile) -> (Offer, Option<String>) {
        let rules = self.seen_rules(&profile.roles);
        let is_missing = |role: &&RoleName| self.stores.roles.get("", role.as_str()).is_none();
        let missing = profile.roles.iter().filter(is_missing).cloned().collect();
        let offer = self.offer(&profile.revision, &profile.scope, &profile.roles, rules);
        let facts = self.facts(&profile.scope, offer, missing);
        let unfit = unfit(&profile.scope, &facts);
        (facts.offer, unfit)
    }
}
