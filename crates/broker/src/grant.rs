//! From a permit to a token that works: the hot path. What does not depend on each other runs side by side; nothing
//! is bound before the hub knows the grant.

use crate::{
    broker::{Broker, grant_name},
    failure::Failure,
    hubside::Write,
    judge::Basis,
};
use sallyport_api::{AccessRequest, Asked};
use sallyport_client::Warm;
use sallyport_hub::seal;
use sallyport_model::{EndReason, Jti, Phase, Scope};
use sallyport_policy::{Permit, without};
use sallyport_provision::{
    MINT_SLACK, Minted, Observed, Plan, ProvisionError, SessionPlan, plan, until_ready,
};
use sallyport_rbac::{Rule, effective};
use tokio::time::Instant;

/// Connections opened ahead for readiness: one per round.
const WARM: usize = 3;
/// What `status.jtis` may hold.
const JTIS_MOST: usize = 16;

impl Broker {
    /// Carries a permit out until the sealed token is in the request's status; returns the request as written.
    pub(crate) async fn grant(
        &self,
        request: &AccessRequest,
        asked: &Asked,
        permit: &Permit,
        basis: Basis,
    ) -> Result<AccessRequest, Failure> {
        let start = Instant::now();
        let rules = effective(basis.offer.rules.iter().cloned(), permit.scope());
        let warm = Warm::start(self.target_at.clone(), WARM, self.config.deadline);
        let grant = grant_name(request);
        let seen = self.observed(&grant);
        // The grant binds nothing, so it may come into being while the decision is being written down.
        let (request, observed) = tokio::try_join!(
            self.approve(request, permit, basis),
            self.ensure_grant(request, permit, &rules, seen)
        )?;
        let session = match plan(permit, &rules, &observed, self.target_now(&observed)) {
            Plan::Session(session) => session,
            Plan::Unfit(unfit) => return Err(unfit.into()),
            Plan::Grant(_) => {
                return Err(Failure::Target(format!("AccessGrant {grant} was not there after it was made")));
            }
        };
        let (minted, request) = tokio::try_join!(
            self.mint(&session, &observed),
            self.record_and_bind(&request, &session, permit.scope())
        )?;
        let provisioned = start.elapsed();
        let ready = async {
            let within = self.config.ready_within;
            Ok::<_, Failure>(
                until_ready(&self.target_at, Some(warm), &minted.token, &session.questions, within).await?,
            )
        };
        let (ready, request) = tokio::try_join!(ready, self.note_token(&request, &session, &minted))?;
        let request = self.deliver(&request, asked, &session, &minted).await?;
        tracing::info!(
            grant, account = %session.account, jti = %minted.jti,
            provisioned_ms = provisioned.as_millis(), ready_ms = ready.took.as_millis(), rounds = ready.rounds,
            total_ms = start.elapsed().as_millis(), "access is open"
        );
        Ok(request)
    }

    /// Offer, by which autoApproval, what is given and phase Approved in one write, where they are not there yet. Whoever
    /// counts it is next then.
    async fn approve(
        &self,
        request: &AccessRequest,
        permit: &Permit,
        basis: Basis,
    ) -> Result<AccessRequest, Failure> {
        if request.phase() == Phase::Approved {
            return Ok(request.clone());
        }
        let mut write = Write::default().phase(Phase::Approved).given(permit.given()).message(None);
        if let Some(met) = permit.auto_approval().filter(|_| !is_recorded(request)) {
            write = write.auto_approval(met, self.hub_time());
        }
        let written = self.write(request, basis.with_offer(request, write)).await;
        drop(basis.turn);
        written
    }

    /// The grant, made or found. One that the hub knows already is never made again (attack 8): those requests come
    /// here only with the grant observed.
    async fn ensure_grant(
        &self,
        request: &AccessRequest,
        permit: &Permit,
        rules: &[Rule],
        seen: Observed,
    ) -> Result<Observed, Failure> {
        let recorded = request.status.as_ref().is_some_and(|status| status.grant.is_some());
        match plan(permit, rules, &seen, self.clock.target_now()) {
            // It went out of sight since the last look, which is taken again.
            Plan::Grant(_) if recorded => Err(Failure::Changed),
            Plan::Grant(grant) => {
                let made = self.target.create_grant(&grant).await?;
                self.stores.grants.put(made.clone());
                // Whatever carries its label already is looked at before anything is added to it.
                let found = self.observed(made.metadata.name.as_deref().unwrap_or_default());
                Ok(Observed { grant: Some(made), ..found })
            }
            Plan::Session(_) => Ok(seen),
            Plan::Unfit(unfit) => Err(unfit.into()),
        }
    }

    /// The target's clock, never behind the grant's own creation time: the API server has seen that moment.
    fn target_now(&self, observed: &Observed) -> i64 {
        let created = observed.grant.as_ref().and_then(|grant| grant.metadata.creation_timestamp.as_ref());
        self.clock.target_now().max(created.map_or(0, |created| created.0.as_second()))
    }

    /// The ServiceAccount, then its token. Without bindings neither can do anything.
    async fn mint(&self, session: &SessionPlan, observed: &Observed) -> Result<Minted, Failure> {
        if let Some(account) = &session.create_account {
            self.target.create_account(account).await?;
        }
        let now = self.target_now(observed);
        match self.target.mint(&session.account, now).await {
            // Our idea of its clock is a second or two old; once more with that much less.
            Err(ProvisionError::Refused { .. }) => {
                Ok(self.target.mint(&session.account, now + MINT_SLACK).await?)
            }
            minted => Ok(minted?),
        }
    }

    /// The record on the hub first, then the bindings.
    async fn record_and_bind(
        &self,
        request: &AccessRequest,
        session: &SessionPlan,
        scope: &Scope,
    ) -> Result<AccessRequest, Failure> {
        let recorded = request.status.as_ref().and_then(|status| status.grant.as_ref());
        let request = match recorded {
            Some(record) if *record == session.record => request.clone(),
            Some(_) => {
                return Err(Failure::Final {
                    reason: EndReason::Revoked,
                    message: "the grant on the cluster is not the one that was recorded".to_owned(),
                });
            }
            None => self.write(request, Write::default().grant(&session.record)).await?,
        };
        self.target.bind(session).await.map_err(|error| unbound(error, scope))?;
        Ok(request)
    }

    /// Records the token's id on the hub and, for those who read the target, in the grant's status.
    async fn note_token(
        &self,
        request: &AccessRequest,
        session: &SessionPlan,
        minted: &Minted,
    ) -> Result<AccessRequest, Failure> {
        let known = request.status.as_ref().map(|status| status.jtis.clone()).unwrap_or_default();
        let mut jtis: Vec<Jti> = known.into_iter().map(Jti::new).collect();
        if jtis.len() >= JTIS_MOST {
            return Err(Failure::failed(format!(
                "{} tokens were minted and none could be delivered",
                jtis.len()
            )));
        }
        jtis.push(minted.jti.clone());
        let noted = self.write(request, Write::default().jtis(&jtis));
        let described = async { Ok::<_, Failure>(self.target.describe(session, &jtis).await?) };
        let (request, ()) = tokio::try_join!(noted, described)?;
        Ok(request)
    }

    /// Seals the token to the requester and writes it with phase Active.
    async fn deliver(
        &self,
        request: &AccessRequest,
        asked: &Asked,
        session: &SessionPlan,
        minted: &Minted,
    ) -> Result<AccessRequest, Failure> {
        let end = session.account.end();
        let aad = seal::Aad {
            user: asked.terms.user.clone(),
            request: asked.which.uid.clone(),
            grant: sallyport_model::GrantUid::new(session.record.uid.clone()),
            end,
        };
        let content = seal::Sealed {
            token: minted.token.clone(),
            endpoint: self.config.endpoint.clone(),
            ca_bundle: self.authorities.endpoint.clone(),
            tls_server_name: self.config.endpoint_tls_name.clone(),
            jti: minted.jti.clone(),
            end,
        };
        let sealed = seal::seal(&asked.public_key, &aad, &content)
            .map_err(|e| Failure::failed(format!("the token can't be sealed to the request's key: {e}")))?;
        let short = end - minted.end > 2 * MINT_SLACK + 2;
        let message = short.then(|| {
            let at = jiff::Timestamp::from_second(minted.end).map(|at| at.to_string()).unwrap_or_default();
            format!("the cluster's API server shortens tokens: this one ends at {at}")
        });
        let write = Write::default().phase(Phase::Active).credential(&sealed).message(message.as_deref());
        self.write(request, write).await
    }
}

fn is_recorded(request: &AccessRequest) -> bool {
    request.status.as_ref().is_some_and(|status| status.auto_approval.is_some())
}

/// What could not be bound; where one namespace alone stands in the way, how to ask for the others without it.
fn unbound(error: ProvisionError, scope: &Scope) -> Failure {
    match &error {
        ProvisionError::NamespaceEnding { namespace } | ProvisionError::Quota { namespace, .. } => {
            Failure::failed(format!("{error}; {}", without(scope, std::slice::from_ref(namespace))))
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_c11_the_rest_can_be_asked_for_without_what_stands_in_the_way() {
        let scope = |names: &[&str]| Scope::from_list(names.iter().map(|n| n.parse().expect("a name")));
        let said = |error: ProvisionError, names: &[&str]| unbound(error, &scope(names)).to_string();
        let ending = || ProvisionError::NamespaceEnding { namespace: "checkout".into() };
        assert_eq!(
            said(ending(), &["payments", "checkout"]),
            "namespace checkout is being deleted on the cluster; ask again without it, for payments"
        );
        assert!(
            said(ending(), &["checkout"])
                .ends_with("; ask again when an admin of the cluster has seen to it")
        );
        let full = ProvisionError::Quota {
            what: "RoleBinding payments/g-a-0".into(),
            namespace: "payments".into(),
            message: "exceeded quota: few".into(),
        };
        let said = said(full, &["payments", "checkout"]);
        assert!(said.contains("exceeded quota: few; ask again without it, for checkout"), "{said}");
    }
}
