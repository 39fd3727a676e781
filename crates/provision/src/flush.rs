use crate::{
    ProvisionError,
    execute::AT_ONCE,
    leftover::{Leftover, Tried, Why, leftovers},
    observed::Observed,
    target::Target,
};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, Preconditions},
};
use sallyport_api::SESSIONS_NAMESPACE;
use serde::de::DeserializeOwned;
use std::{fmt::Debug, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// Rounds of look-and-remove before someone must be making things as fast as they are removed.
const ROUNDS: usize = 4;
/// How long the ServiceAccount waits for the bindings: gone last it proves more, but a binding whose deletion hangs in
/// somebody's webhook does not keep it.
const BINDINGS_FIRST: Duration = Duration::from_secs(1);

/// How long nothing may come back before it counts as gone, where something came back before.
const SETTLED: Duration = Duration::from_secs(1);

/// What a flush did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Bindings removed.
    pub bindings: usize,
    /// ServiceAccounts removed.
    pub accounts: usize,
    /// Until the last binding was gone: from then on every new call is refused.
    pub rights_gone: Duration,
    /// Until nothing was left, or nothing more could be done.
    pub took: Duration,
    /// What could not be removed, each with why; empty when nothing is left.
    pub left: Vec<Leftover>,
}

impl Target {
    /// Removes what exists under a grant's name: bindings, then the ServiceAccount, then the grant, each by UID and whether
    /// or not the others could be removed. Then looks again, at the API server, until nothing is left or what is left
    /// can't be removed now. `known` is what the caller has seen in its cache: it goes first, without waiting for a look.
    /// `wary` of whoever makes things again, as it is by itself of whatever it sees made again, it looks once more a second
    /// after the last removal; until then it is at `rest`, which waits for so long and may do something else meanwhile.
    ///
    /// # Errors
    /// When the target can't be asked what is left: then nothing is known, whatever was removed.
    pub async fn flush<W: Future<Output = ()>>(
        &self,
        grant: &str,
        known: Option<&Observed>,
        mut wary: bool,
        rest: impl Fn(Duration) -> W,
    ) -> Result<(Flushed, Observed), ProvisionError> {
        let start = Instant::now();
        let (mut done, mut tried) = (Flushed::default(), Vec::new());
        if let Some(known) = known {
            self.remove(known, &mut done, &mut tried, start).await;
            // Somebody else removes at the same time, garbage collection or a controller, and that one makes again.
            wary |= tried
                .iter()
                .any(|one| one.kind.ends_with("Binding") && !one.removed && one.refused.is_none());
        }
        let (mut round, mut settled) = (0, None);
        loop {
            round += 1;
            let left = self.observe(grant).await?;
            done.left = leftovers(&left, &tried);
            done.took = start.elapsed();
            if left.is_empty() {
                // Whoever removed it last, us or somebody else: nothing may have come back since the look before.
                if !wary || settled == Some(done.bindings) {
                    return Ok((done, left));
                }
                settled = Some(done.bindings);
                rest(SETTLED).await;
                continue;
            }
            wary |= done.left.iter().any(|one| one.why == Some(Why::MadeAgain));
            if round > ROUNDS || done.left.iter().all(Leftover::is_settled) {
                return Ok((done, left));
            }
            self.remove(&left, &mut done, &mut tried, start).await;
        }
    }

    /// Removes the bindings in `strays` and nothing else of their grant; what the API server refused, in words.
    pub async fn unbind(&self, strays: &Observed) -> Vec<String> {
        let tried = self.remove_bindings(strays).await;
        tried.iter().filter_map(|one| Some(format!("{}: {}", one.name, one.refused.as_ref()?))).collect()
    }

    async fn remove(&self, known: &Observed, done: &mut Flushed, tried: &mut Vec<Tried>, start: Instant) {
        let bindings_gone = Notify::new();
        let bindings = async {
            let removed = self.remove_bindings(known).await;
            bindings_gone.notify_one();
            (removed, start.elapsed())
        };
        let rest = async {
            let _ = tokio::time::timeout(BINDINGS_FIRST, bindings_gone.notified()).await;
            let mut removed = Vec::new();
            for account in &known.accounts {
                let api: Api<ServiceAccount> = Api::namespaced(self.client().clone(), SESSIONS_NAMESPACE);
                removed.push(self.delete(api, account).await);
            }
            if let Some(grant) = &known.grant {
                removed.push(self.delete(Api::all(self.client().clone()), grant).await);
            }
            removed
        };
        let ((bindings, rights_gone), rest) = tokio::join!(bindings, rest);
        let removed = bindings.iter().filter(|one| one.removed).count();
        if removed > 0 {
            done.bindings += removed;
            done.rights_gone = rights_gone;
        }
        done.accounts += rest.iter().filter(|one| one.removed && one.kind == "ServiceAccount").count();
        tried.extend(bindings.into_iter().chain(rest));
    }

    /// Each by itself: one that is refused is no reason for another to stay.
    async fn remove_bindings(&self, known: &Observed) -> Vec<Tried> {
        let client = || self.client().clone();
        let local = known.bindings.iter().map(|binding| {
            let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
            self.delete(Api::namespaced(client(), namespace), binding)
        });
        let global = known.cluster_bindings.iter().map(|binding| self.delete(Api::all(client()), binding));
        let (local, global): (Vec<_>, Vec<_>) = (local.collect(), global.collect());
        let (mut local, global) = tokio::join!(
            stream::iter(local).buffer_unordered(AT_ONCE).collect::<Vec<_>>(),
            stream::iter(global).buffer_unordered(AT_ONCE).collect::<Vec<_>>()
        );
        local.extend(global);
        local
    }

    /// Deletes exactly the object seen: one of the same name made since is not touched.
    async fn delete<K>(&self, api: Api<K>, object: &K) -> Tried
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let name = object.name_any();
        let what = format!("the removal of {} {name}", K::kind(&()));
        let params = DeleteParams {
            preconditions: Some(Preconditions { uid: object.uid(), resource_version: None }),
            ..DeleteParams::background()
        };
        let (removed, refused) = match self.within(&what, api.delete(&name, &params)).await {
            Ok(_) => (true, None),
            // Gone, or already another object: the next look tells.
            Err(ProvisionError::Missing { .. } | ProvisionError::Changed { .. }) => (false, None),
            Err(error) => (false, Some(error)),
        };
        let kind = K::kind(&()).into_owned();
        Tried { kind, namespace: object.namespace(), name, uid: object.uid(), removed, refused }
    }
}
