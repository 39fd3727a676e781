//! From a request to a decision: the live profile, the live ClusterRoles, and the facts of this target.

use crate::{
    broker::{Broker, rules_of},
    failure::Failure,
    hubside::wire_offer,
};
use futures::future::try_join_all;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use sallyport_api::{AccessProfile, AccessRequest, Asked, MalformedObject};
use sallyport_client::{Fault, within};
use sallyport_hub::decision_request;
use sallyport_model::{NamespaceName, Profile, ProfileRevision, RoleName, Scope};
use sallyport_policy::{Decision, Facts, Offer, decide, offer, unfit};
use sallyport_rbac::Rule;
use std::collections::BTreeSet;

/// A decision and the offer it rests on.
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    pub(crate) offer: Offer,
    /// The same as it stands on the hub.
    pub(crate) wire: sallyport_api::Offer,
}

impl Broker {
    /// Decides on a request from what hub and target say at this moment, not from what the watches said last.
    pub(crate) async fn judge(&self, request: &AccessRequest, asked: &Asked) -> Result<Judged, Failure> {
        let malformed = |e: MalformedObject| Failure::failed(e.to_string());
        if !self.stores.holds.is_synced() {
            return Err(Failure::Target("what is held on the hub is not known yet".to_owned()));
        }
        let profile: Option<AccessProfile> = self.hub.get(asked.terms.profile.as_str()).await?;
        let profile = profile.as_ref().map(Profile::try_from).transpose().map_err(malformed)?;
        let roles = profile.as_ref().map(|profile| profile.roles.clone()).unwrap_or_default();
        let (rules, missing) = self.live_rules(&roles).await?;
        let scope = &asked.terms.scope;
        let offer = self.offer(&asked.terms.revision, scope, &roles, rules);
        let asked = decision_request(request).map_err(malformed)?;
        // Of the whole cluster, an approval may name a few namespaces.
        let limited = asked.approvals.iter().filter_map(|approval| approval.limits.scope());
        let names = limited.chain([scope]).flat_map(Scope::to_list).collect();
        let facts = Facts {
            holds: self.held(request).into_iter().collect(),
            others_open: self.others_open(request),
            ..self.facts(&names, offer, missing)
        };
        let reaffirm = profile.as_ref().and_then(|profile| profile.reaffirm.as_ref());
        let live = wire_offer(&facts.offer, &self.config.endpoint, &self.authorities.endpoint, reaffirm);
        if let Some(recorded) = request.status.as_ref().and_then(|status| status.offer.as_ref()) {
            // Under this digest approvers were shown other rights than it stands for. Somebody else wrote it.
            if recorded.digest == live.digest
                && (&recorded.rules, &recorded.endpoint, &recorded.ca_digest, &recorded.reaffirm)
                    != (&live.rules, &live.endpoint, &live.ca_digest, &live.reaffirm)
            {
                return Err(Failure::failed("the offer on record is not what its digest stands for"));
            }
        }
        let decision = decide(&asked, profile.as_ref(), &facts, self.clock.hub_now());
        Ok(Judged { decision, offer: facts.offer, wire: live })
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

    /// What this target is like where these namespaces are named, as the watches see it.
    fn facts(&self, names: &BTreeSet<NamespaceName>, offer: Offer, missing: Vec<RoleName>) -> Facts {
        let is_going = |name: &str| {
            let known = self.stores.namespaces.get("", name);
            known.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some())
        };
        Facts {
            cluster: self.config.cluster.clone(),
            offer,
            bindable: self.bindable(names),
            being_deleted: names.iter().filter(|name| is_going(name.as_str())).cloned().collect(),
            missing,
            standing: self.standing(),
            clock_difference: self.clock.apart(),
            holds: Vec::new(),
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
        let names = profile.scope.to_list().into_iter().collect();
        let facts = self.facts(&names, offer, missing);
        let unfit = unfit(&profile.scope, &facts);
        (facts.offer, unfit)
    }
}
