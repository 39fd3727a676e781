//! From a request to a decision: the live profile, the live ClusterRoles, and the facts of this target.

use crate::{
    broker::{Broker, rules_of},
    failure::Failure,
    grant::without,
};
use futures::future::try_join_all;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use sallyport_api::{AccessProfile, AccessRequest, Asked, MalformedObject, Profile};
use sallyport_client::{Fault, within};
use sallyport_hub::{policy_profile, policy_request};
use sallyport_model::{EndReason, Phase, RoleName, Scope, clip};
use sallyport_policy::{Decision, Facts, Offer, Refusal, decide, offer};
use sallyport_rbac::Rule;

/// What an offer may hold on the wire.
const RULES_MOST: usize = 128;

/// A decision and the offer it rests on.
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    pub(crate) offer: Offer,
}

impl Broker {
    /// Decides on a request from what hub and target say at this moment, not from what the watches said last.
    pub(crate) async fn judge(&self, request: &AccessRequest, asked: &Asked) -> Result<Judged, Failure> {
        let malformed = |e: MalformedObject| Failure::failed(e.to_string());
        let profile: Option<AccessProfile> = self.hub.get(asked.profile.as_str()).await?;
        let profile = profile.as_ref().map(policy_profile).transpose().map_err(malformed)?;
        let roles = profile.as_ref().map(|profile| profile.roles.clone()).unwrap_or_default();
        let (rules, missing) = self.live_rules(&roles).await?;
        let offer = self.offer(asked, &roles, rules);
        let facts = Facts {
            cluster: self.config.cluster.clone(),
            bindable: self.bindable(&asked.scope),
            standing: self.standing(),
            clock_difference: self.clock.apart(),
            others_open: self.others_open(request),
            offer: offer.clone(),
        };
        let policy_request = policy_request(request).map_err(malformed)?;
        let decided = decide(&policy_request, profile.as_ref(), &facts, self.clock.hub_now());
        let decision = match (decided, self.ending(&asked.scope), self.impossible(&missing, &offer)) {
            (Decision::Refuse(refusal), ..) => Decision::Refuse(refusal),
            // The same ask can't succeed later; what is pending is denied for it, and nothing was begun.
            (_, Some(message), _) => {
                let pending = request.phase() == Phase::Pending;
                let reason = if pending { EndReason::Denied } else { EndReason::Failed };
                Decision::Refuse(Refusal { reason, message })
            }
            (_, None, Some(message)) => Decision::Refuse(Refusal { reason: EndReason::Failed, message }),
            (decided, None, None) => decided,
        };
        Ok(Judged { decision, offer })
    }

    /// The offer of `roles` in the scope asked for.
    fn offer(&self, asked: &Asked, roles: &[RoleName], rules: Vec<Rule>) -> Offer {
        let endpoint = &self.config.endpoint;
        offer(
            &asked.revision,
            &self.config.cluster,
            &asked.scope,
            roles,
            rules,
            endpoint,
            &self.authorities.endpoint,
        )
    }

    /// Namespaces asked for that are being deleted, and how to ask for the others.
    fn ending(&self, asked: &Scope) -> Option<String> {
        let going = |name: &String| {
            let known = self.stores.namespaces.get("", name);
            known.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some())
        };
        let going: Vec<String> = asked.to_list().iter().map(ToString::to_string).filter(going).collect();
        let named = match going.as_slice() {
            [] => return None,
            [one] => format!("namespace {one} is"),
            several => format!("namespaces {} are", clip(&several.join(", "), 300)),
        };
        Some(format!("{named} being deleted on cluster {}; {}", self.config.cluster, without(asked, &going)))
    }

    /// What no decision knows of: roles that don't exist here, and offers that no status can hold.
    fn impossible(&self, missing: &[RoleName], offer: &Offer) -> Option<String> {
        let cluster = &self.config.cluster;
        if let Some(role) = missing.first() {
            return Some(format!("there is no ClusterRole {role} on cluster {cluster}"));
        }
        if offer.rules.is_empty() {
            return Some(format!("the profile's roles allow nothing on cluster {cluster}"));
        }
        (offer.rules.len() > RULES_MOST).then(|| {
            format!("the profile's roles have {} rules; {RULES_MOST} can be offered", offer.rules.len())
        })
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

    /// What a profile would allow on this target as the watches see it, for the report: offer and refusal.
    pub(crate) fn preview(&self, profile: &Profile) -> (Offer, Option<String>) {
        let scope: &Scope = &profile.scope;
        let rules = self.seen_rules(&profile.roles);
        let (endpoint, ca) = (&self.config.endpoint, &self.authorities.endpoint);
        let offer =
            offer(&profile.revision, &self.config.cluster, scope, &profile.roles, rules, endpoint, ca);
        let missing: Vec<RoleName> = profile
            .roles
            .iter()
            .filter(|role| self.stores.roles.get("", role.as_str()).is_none())
            .cloned()
            .collect();
        let open = self.bindable(scope);
        let not_open = scope.to_list().into_iter().find(|namespace| !open.contains(namespace));
        let refused = offer
            .refused
            .as_ref()
            .map(|danger| format!("never granted: {danger}"))
            .or_else(|| self.impossible(&missing, &offer))
            .or_else(|| {
                self.standing().map(|s| format!("a standing binding would add rights to every session: {s}"))
            })
            .or_else(|| not_open.map(|n| format!("namespace {n} is not open for sessions on this cluster")));
        (offer, refused)
    }
}
