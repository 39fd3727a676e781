//! From a request to a decision: the live profile, the live ClusterRoles, and the facts of this target.

use crate::{
    broker::{Broker, rules_of},
    failure::Failure,
    hubside::{Write, wire_offer},
};
use futures::future::try_join_all;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use sallyport_api::{AccessProfile, AccessRequest, Asked, MalformedObject};
use sallyport_client::{Fault, within};
use sallyport_hub::{decision_request, past};
use sallyport_model::{NamespaceName, Phase, Profile, ProfileRevision, RoleName, Scope};
use sallyport_policy::{Decision, Facts, Offer, Past, decide, left_of_day, offer, uncountable, unfit};
use sallyport_rbac::Rule;
use std::collections::BTreeSet;
use tokio::sync::OwnedMutexGuard;

/// A decision and what it rests on.
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    pub(crate) basis: Basis,
}

/// What a decision rests on, to be written down with it.
pub(crate) struct Basis {
    pub(crate) offer: Offer,
    /// Held until the decision is written down, where others count it.
    pub(crate) turn: Option<OwnedMutexGuard<()>>,
    /// The same as it stands on the hub.
    pub(crate) wire: sallyport_api::Offer,
}

impl Basis {
    /// Adds the offer to a write, where the request has none yet.
    pub(crate) fn with_offer(&self, request: &AccessRequest, write: Write) -> Write {
        if request.offer().is_some() { write } else { write.offer(&self.wire) }
    }
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
        let (turn, past) = match profile.as_ref().filter(|profile| counts_before(profile, request)) {
            Some(profile) => {
                let turn = self.turns.wait(asked.terms.user.as_str(), profile.name.as_str()).await;
                (Some(turn), Some(self.past(asked).await?))
            }
            None => (None, None),
        };
        let now = self.clock.hub_now();
        let left = profile.as_ref().and_then(|profile| left_of_day(profile, past.as_ref(), now));
        let asked = decision_request(request).map_err(malformed)?;
        // Of the whole cluster, an approval may name a few namespaces.
        let limited = asked.approvals.iter().filter_map(|approval| approval.limits.scope());
        let names = limited.chain([scope]).flat_map(Scope::to_list).collect();
        let facts = Facts {
            holds: self.held(request).into_iter().collect(),
            others_open: self.others_open(request),
            past,
            ..self.facts(&names, offer, missing)
        };
        let reaffirm = profile.as_ref().and_then(|profile| profile.reaffirm.as_ref());
        let (endpoint, ca) = (&self.config.endpoint, &self.authorities.endpoint);
        let live = wire_offer(&facts.offer, endpoint, ca, left, reaffirm);
        if let Some(recorded) = request.offer() {
            // Under this digest approvers were shown other rights than it stands for. Somebody else wrote it.
            if recorded.digest == live.digest
                && (&recorded.rules, &recorded.endpoint, &recorded.ca_digest, &recorded.reaffirm)
                    != (&live.rules, &live.endpoint, &live.ca_digest, &live.reaffirm)
            {
                return Err(Failure::failed("the offer on record is not what its digest stands for"));
            }
        }
        let decision = decide(&asked, profile.as_ref(), &facts, now);
        if let (Decision::Permit(_), Some(why)) = (&decision, self.hub_refuses(profile.as_ref())) {
            return Err(Failure::Guardrails(why));
        }
        Ok(Judged { decision, basis: Basis { offer: facts.offer, wire: live, turn } })
    }

    /// What the person's other requests under that profile came to: as the API server has it, since a watch may lag behind
    /// what was decided a moment ago.
    async fn past(&self, asked: &Asked) -> Result<Past, Failure> {
        let (terms, hub) = (&asked.terms, self.reports());
        let found = hub.requests_under(None, &terms.user, (&terms.profile, &terms.cluster)).await;
        past(&found.map_err(Failure::hub)?, Some(&asked.which.uid), self.clock.hub_now())
            .map_err(|e| Failure::failed(format!("what was used of the day can't be counted: {e}")))
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
            kept: i64::try_from(self.config.retention.as_secs()).unwrap_or(i64::MAX),
            past: None,
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
        let unfit = self
            .hub_refuses(Some(profile))
            .or_else(|| unfit(&profile.scope, &facts))
            .or_else(|| uncountable(profile, facts.kept));
        (facts.offer, unfit)
    }
}

/// Whether a decision counts what was decided before: the day's time until the end is fixed, and how often an autoApproval was
/// met while it may be.
fn counts_before(profile: &Profile, request: &AccessRequest) -> bool {
    let status = request.status.as_ref();
    let is_granted = status.is_some_and(|status| status.grant.is_some());
    let is_undecided = request.phase() == Phase::Pending && request.offer().is_none();
    (profile.max_per_day.is_some() && !is_granted) || (is_undecided && profile.counts_openings())
}
