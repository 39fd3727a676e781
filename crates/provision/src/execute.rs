use crate::{
    ProvisionError,
    plan::{Made, SessionPlan},
    target::Target,
};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::{
    core::v1::ServiceAccount,
    rbac::v1::{ClusterRoleBinding, RoleBinding},
};
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use sallyport_api::{AccessGrant, SESSIONS_NAMESPACE};
use sallyport_model::{Jti, SessionAccount};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, future::Future};

/// Writes under way at once; a profile may name 64 namespaces and 16 roles.
pub(crate) const AT_ONCE: usize = 16;
const MANAGER: &str = "sallyport-broker";

impl Target {
    /// Creates the grant, or takes the one that exists when it says the same.
    ///
    /// # Errors
    /// [`ProvisionError::Foreign`] when one exists for something else; any refusal of the target.
    pub async fn create_grant(&self, grant: &AccessGrant) -> Result<AccessGrant, ProvisionError> {
        self.create_or_find(Api::all(self.client().clone()), grant, |found| {
            (found.spec != grant.spec).then(|| "it was made for another request or decision".to_owned())
        })
        .await
    }

    /// Creates the session's ServiceAccount.
    ///
    /// # Errors
    /// As [`Target::create_grant`].
    pub async fn create_account(&self, account: &ServiceAccount) -> Result<(), ProvisionError> {
        let api = Api::namespaced(self.client().clone(), SESSIONS_NAMESPACE);
        self.create_or_find(api, account, |found| found.differs(account)).await.map(drop)
    }

    /// Creates the plan's bindings, several at once. The caller has recorded the grant on the hub by now.
    ///
    /// # Errors
    /// The first refusal; others may have been made by then and are found by the next plan or flush.
    pub async fn bind(&self, plan: &SessionPlan) -> Result<(), ProvisionError> {
        let local = plan.bind.iter().map(|binding| self.bind_one(binding)).collect();
        let global = plan.bind_cluster.iter().map(|binding| self.bind_everywhere(binding)).collect();
        tokio::try_join!(some_at_once(local), some_at_once(global)).map(drop)
    }

    async fn bind_one(&self, binding: &RoleBinding) -> Result<(), ProvisionError> {
        let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
        let api = Api::namespaced(self.client().clone(), namespace);
        self.create_or_find(api, binding, |found| found.differs(binding)).await.map(drop)
    }

    async fn bind_everywhere(&self, binding: &ClusterRoleBinding) -> Result<(), ProvisionError> {
        let api = Api::all(self.client().clone());
        self.create_or_find(api, binding, |found| found.differs(binding)).await.map(drop)
    }

    /// Writes the end, the account and the tokens' ids into the grant's status, for those who read the target.
    ///
    /// # Errors
    /// When the target refuses.
    pub async fn describe(&self, plan: &SessionPlan, jtis: &[Jti]) -> Result<(), ProvisionError> {
        let api: Api<AccessGrant> = Api::all(self.client().clone());
        let jtis: Vec<&str> = jtis.iter().map(Jti::as_str).collect();
        let status = serde_json::json!({
            "metadata": {"uid": plan.record.uid},
            "status": {"end": plan.record.end, "account": plan.record.account, "jtis": jtis},
        });
        let what = format!("the status of AccessGrant {}", plan.record.name);
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(&status);
        self.within(&what, api.patch_status(&plan.record.name, &params, &patch)).await.map(drop)
    }

    /// Creates `object`; one that exists already counts when `differs` finds nothing.
    async fn create_or_find<K>(
        &self,
        api: Api<K>,
        object: &K,
        differs: impl Fn(&K) -> Option<String>,
    ) -> Result<K, ProvisionError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned,
    {
        let name = object.name_any();
        let what = match object.namespace() {
            Some(namespace) => format!("{} {namespace}/{name}", K::kind(&())),
            None => format!("{} {name}", K::kind(&())),
        };
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let created = self.timed(&what, async { Ok(api.create(&params, object).await) }).await?;
        match created {
            Ok(created) => Ok(created),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
                let found = self.within(&what, api.get_opt(&name)).await?;
                let found = found.ok_or_else(|| ProvisionError::Changed { what: what.clone() })?;
                match differs(&found) {
                    None => Ok(found),
                    Some(difference) => Err(ProvisionError::Foreign { what, difference }),
                }
            }
            Err(error) => Err(ProvisionError::sort_creation(&what, object.namespace().as_deref(), error)),
        }
    }
}

/// Runs the calls, some side by side, until the first error.
async fn some_at_once<T>(
    calls: Vec<impl Future<Output = Result<T, ProvisionError>>>,
) -> Result<Vec<T>, ProvisionError> {
    stream::iter(calls).buffer_unordered(AT_ONCE).try_collect().await
}

/// The account named in a grant's record, parsed.
#[must_use]
pub fn account_of(record: &sallyport_api::GrantRecord) -> Option<SessionAccount> {
    record.account.parse().ok()
}
