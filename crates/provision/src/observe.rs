use crate::{
    ProvisionError,
    observed::{Observed, is_of_session},
    target::Target,
};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding};
use kube::api::ListParams;
use sallyport_api::{AccessGrant, GRANT_LABEL, SESSIONS_NAMESPACE};

impl Target {
    /// Reads everything under the grant's name, from the API server and not from a cache.
    ///
    /// # Errors
    /// When one of the reads fails.
    pub async fn observe(&self, grant: &str) -> Result<Observed, ProvisionError> {
        let client = || self.client().clone();
        let labelled = ListParams::default().labels(&format!("{GRANT_LABEL}={grant}"));
        let (grants, accounts) =
            (kube::Api::<AccessGrant>::all(client()), kube::Api::namespaced(client(), SESSIONS_NAMESPACE));
        let (bindings, cluster_bindings) = (kube::Api::all(client()), kube::Api::all(client()));
        let what = format!("reading what belongs to grant {grant}");
        let (grant, accounts, bindings, cluster_bindings) = tokio::try_join!(
            self.within(&what, grants.get_opt(grant)),
            self.within(&what, accounts.list(&labelled)),
            self.within(&what, bindings.list(&labelled)),
            self.within(&what, cluster_bindings.list(&labelled)),
        )?;
        let (mut bindings, mut cluster_bindings) = (bindings.items, cluster_bindings.items);
        bindings.retain(|b: &RoleBinding| is_of_session(b.subjects.as_ref()));
        cluster_bindings.retain(|b: &ClusterRoleBinding| is_of_session(b.subjects.as_ref()));
        Ok(Observed { grant, accounts: accounts.items, bindings, cluster_bindings })
    }
}
