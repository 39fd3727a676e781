//! What looking who can ask for what, and changing a profile, ask of a hub. The product answers with [`super::hub_side`], the
//! tests of this part with fakes.

use crate::person::Signed;
use futures::future::BoxFuture;
use sallyport_api::{AccessCluster, AccessPreview, AccessProfile, AccessRequest};
use sallyport_client::Fault;
use sallyport_hub::{Beat, Listed, OwnGuardrails, Rights, StoredRbac, Unread, Unwritten, Write};
use sallyport_model::{NamespaceName, ProfileName};
use serde_json::Value;
use std::sync::Arc;

/// The hub of a sign-in.
pub(super) type HubOf = dyn Fn(&Signed) -> Arc<dyn HubSide> + Send + Sync;

/// The hub as whoever looks after it reads it, by one sign-in; as [`sallyport_hub::Hub`], whose words these are.
pub(super) trait HubSide: Send + Sync + 'static {
    /// The namespaces that take requests.
    fn team_names(&self) -> BoxFuture<'_, Result<Vec<NamespaceName>, Fault>>;
    fn profiles(&self) -> BoxFuture<'_, Result<Listed<AccessProfile>, Fault>>;
    fn clusters(&self) -> BoxFuture<'_, Result<Listed<AccessCluster>, Fault>>;
    /// Roles and bindings, cluster-wide and in the teams' namespaces.
    fn stored_rbac<'a>(&'a self, teams: &'a [NamespaceName]) -> BoxFuture<'a, Result<StoredRbac, Unread>>;
    /// Every broker's last sign of life.
    fn beats(&self) -> BoxFuture<'_, Result<Vec<Beat>, Fault>>;
    /// What each profile would allow on every cluster.
    fn previews(&self) -> BoxFuture<'_, Result<Vec<AccessPreview>, Fault>>;
    /// Whether the hub's own policies are as shipped.
    fn own_guardrails(&self) -> BoxFuture<'_, Result<OwnGuardrails, Fault>>;
    /// Whether something beside RBAC decides there.
    fn others_authorize(&self) -> BoxFuture<'_, Result<bool, Fault>>;
    /// A profile with everything the hub stores of it; `None`: there is none.
    fn stored_profile<'a>(&'a self, name: &'a ProfileName) -> BoxFuture<'a, Result<Option<Value>, Fault>>;
    /// Whether one may make profiles, or change that one.
    fn may_write_profile<'a>(&'a self, name: Option<&'a ProfileName>) -> BoxFuture<'a, Result<bool, Fault>>;
    /// What one may do under these profiles.
    fn rights<'a>(&'a self, profiles: &'a [ProfileName]) -> BoxFuture<'a, Result<Rights, Fault>>;
    /// What the hub stores by it, or would.
    fn write_profile<'a>(
        &'a self,
        name: &'a ProfileName,
        object: &'a Value,
        write: Write,
    ) -> BoxFuture<'a, Result<Value, Unwritten>>;
    /// A team's requests under a profile that are not closed.
    fn open_under<'a>(
        &'a self,
        team: &'a NamespaceName,
        profile: &'a ProfileName,
    ) -> BoxFuture<'a, Result<Vec<AccessRequest>, Fault>>;
}
