//! What a cluster's broker says of it: the light part on the AccessCluster, which every desktop watches, and the AccessPreview
//! beside it, which is read for one cluster at a time.

use crate::Hub;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use sallyport_api::{AccessCluster, AccessClusterStatus, AccessPreview, AccessPreviewSpec, GuardrailReport};
use sallyport_client::{Fault, within};
use sallyport_model::ClusterName;
use serde_json::{Value, json};

/// The field manager of what a broker writes.
const BROKER: &str = "sallyport-broker";

impl Hub {
    /// What the broker of a cluster wrote last, if there is such a cluster and it wrote anything.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn reported(&self, cluster: &ClusterName) -> Result<Option<AccessClusterStatus>, Fault> {
        let api: Api<AccessCluster> = Api::all(self.client.clone());
        let found = within(self.deadline, api.get_opt(cluster.as_str())).await?;
        Ok(found.and_then(|object| object.status))
    }

    /// Writes the AccessCluster's status, as its broker; what `status` does not have is taken away.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn report(&self, cluster: &ClusterName, status: &AccessClusterStatus) -> Result<(), Fault> {
        let api: Api<AccessCluster> = Api::all(self.client.clone());
        let params = PatchParams { field_manager: Some(BROKER.to_owned()), ..PatchParams::default() };
        let AccessClusterStatus { broker, kubernetes_version, profiles, preview, guardrails, hub_guardrails } =
            status;
        let whole = json!({"status": {
            "broker": broker, "kubernetesVersion": kubernetes_version, "profiles": profiles, "preview": preview,
            "guardrails": guardrails.as_ref().map(whole), "hubGuardrails": hub_guardrails.as_ref().map(whole),
        }});
        let patch = Patch::Merge(&whole);
        within(self.deadline, api.patch_status(cluster.as_str(), &params, &patch)).await.map(drop)
    }

    /// What each profile would allow on a cluster; `None` when its broker has written nothing of the kind.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn preview(&self, cluster: &ClusterName) -> Result<Option<AccessPreviewSpec>, Fault> {
        let api: Api<AccessPreview> = Api::all(self.client.clone());
        let found = within(self.deadline, api.get_opt(cluster.as_str())).await?;
        Ok(found.map(|object| object.spec))
    }

    /// Writes what each profile would allow, as the cluster's broker; makes the object where there is none.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn put_preview(&self, cluster: &ClusterName, preview: &AccessPreviewSpec) -> Result<(), Fault> {
        let api: Api<AccessPreview> = Api::all(self.client.clone());
        let object = AccessPreview::new(cluster.as_str(), preview.clone());
        // By its name and not by POST, so that RBAC can bound which one.
        let params = PatchParams::apply(BROKER).force();
        let patch = Patch::Apply(&object);
        within(self.deadline, api.patch(cluster.as_str(), &params, &patch)).await.map(drop)
    }
}

/// A verdict with all of its fields: what a merge does not name stays as it was.
fn whole(report: &GuardrailReport) -> Value {
    let GuardrailReport { verified, since, checked_at, detail, set } = report;
    json!({"verified": verified, "since": since, "checkedAt": checked_at, "detail": detail, "set": set})
}
