use crate::{
    ProvisionError,
    execute::{Target, some_at_once},
    observe::Observed,
};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, Preconditions},
};
use sallyport_api::SESSIONS_NAMESPACE;
use serde::de::DeserializeOwned;
use std::{fmt::Debug, time::Duration};
use tokio::time::Instant;

/// Rounds of look-and-remove before someone must be making things as fast as they are removed.
const ROUNDS: usize = 4;

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Bindings removed.
    pub bindings: usize,
    /// ServiceAccounts removed.
    pub accounts: usize,
    /// Until the last binding was gone: from then on every new call is refused.
    pub rights_gone: Duration,
    /// Until nothing was left.
    pub took: Duration,
}

impl Target {
    /// Removes what exists under a grant's name: bindings, then the ServiceAccount, then the grant, each by UID. Then
    /// looks again, at the API server, until nothing is left. `known` is what the caller has seen in its cache: it
    /// goes first, without waiting for a look.
    ///
    /// # Errors
    /// When the target refuses or doesn't answer, or when something is still there after several rounds.
    pub async fn flush(&self, grant: &str, known: Option<&Observed>) -> Result<Flushed, ProvisionError> {
        let start = Instant::now();
        let mut done = Flushed::default();
        if let Some(known) = known {
            self.remove(known, &mut done, start).await?;
        }
        for _ in 0..ROUNDS {
            let left = self.observe(grant).await?;
            if left.is_empty() {
                done.took = start.elapsed();
                return Ok(done);
            }
            self.remove(&left, &mut done, start).await?;
        }
        Err(ProvisionError::Changed { what: format!("what belongs to grant {grant}") })
    }

    async fn remove(
        &self,
        known: &Observed,
        done: &mut Flushed,
        start: Instant,
    ) -> Result<(), ProvisionError> {
        let client = || self.client().clone();
        let local = known.bindings.iter().map(|binding| {
            self.delete(
                Api::namespaced(client(), binding.metadata.namespace.as_deref().unwrap_or_default()),
                binding,
            )
        });
        let global = known.cluster_bindings.iter().map(|binding| self.delete(Api::all(client()), binding));
        let (local, global) = (local.collect(), global.collect());
        let (local, global) = tokio::try_join!(some_at_once(local), some_at_once(global))?;
        let bindings = local.iter().chain(&global).filter(|deleted| **deleted).count();
        if bindings > 0 {
            done.bindings += bindings;
            done.rights_gone = start.elapsed();
        }
        for account in &known.accounts {
            let api: Api<ServiceAccount> = Api::namespaced(self.client().clone(), SESSIONS_NAMESPACE);
            done.accounts += usize::from(self.delete(api, account).await?);
        }
        if let Some(grant) = &known.grant {
            self.delete(Api::all(self.client().clone()), grant).await?;
        }
        Ok(())
    }

    /// Deletes exactly the object seen: one of the same name made since is not touched. False when it was gone.
    async fn delete<K>(&self, api: Api<K>, object: &K) -> Result<bool, ProvisionError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let name = object.name_any();
        let what = format!("the removal of {} {name}", K::kind(&()));
        let params = DeleteParams {
            preconditions: Some(Preconditions { uid: object.uid(), resource_version: None }),
            ..DeleteParams::background()
        };
        match self.within(&what, api.delete(&name, &params)).await {
            Ok(_) => Ok(true),
            // Gone, or already another object: the next look tells.
            Err(ProvisionError::Missing { .. } | ProvisionError::Changed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
