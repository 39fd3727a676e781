//! The hub, as those who look after it use the product.

use super::ports::HubSide;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_api::{AccessCluster, AccessPreview, AccessProfile, AccessRequest};
use sallyport_client::Fault;
use sallyport_hub::{Beat, Hub, Listed, OwnGuardrails, Rights, StoredRbac, Unread, Unwritten, Write};
use sallyport_model::{NamespaceName, ProfileName};
use serde_json::Value;

impl HubSide for Hub {
    fn team_names(&self) -> BoxFuture<'_, Result<Vec<NamespaceName>, Fault>> {
        self.team_names().boxed()
    }
    fn profiles(&self) -> BoxFuture<'_, Result<Listed<AccessProfile>, Fault>> {
        self.profiles().boxed()
    }
    fn clusters(&self) -> BoxFuture<'_, Result<Listed<AccessCluster>, Fault>> {
        self.clusters().boxed()
    }
    fn stored_rbac<'a>(&'a self, teams: &'a [NamespaceName]) -> BoxFuture<'a, Result<StoredRbac, Unread>> {
        self.stored_rbac(teams).boxed()
    }
    fn beats(&self) -> BoxFuture<'_, Result<Vec<Beat>, Fault>> {
        self.beats().boxed()
    }
    fn previews(&self) -> BoxFuture<'_, Result<Vec<AccessPreview>, Fault>> {
        self.previews().boxed()
    }
    fn own_guardrails(&self) -> BoxFuture<'_, Result<OwnGuardrails, Fault>> {
        self.own_guardrails().boxed()
    }
    fn others_authorize(&self) -> BoxFuture<'_, Result<bool, Fault>> {
        self.others_authorize().boxed()
    }
    fn stored_profile<'a>(&'a self, name: &'a ProfileName) -> BoxFuture<'a, Result<Option<Value>, Fault>> {
        self.stored_profile(name).boxed()
    }
    fn may_write_profile<'a>(&'a self, name: Option<&'a ProfileName>) -> BoxFuture<'a, Result<bool, Fault>> {
        self.may_write_profile(name).boxed()
    }
    fn rights<'a>(&'a self, profiles: &'a [ProfileName]) -> BoxFuture<'a, Result<Rights, Fault>> {
        self.rights(profiles).boxed()
    }
    fn write_profile<'a>(
        &'a self,
        name: &'a ProfileName,
        object: &'a Value,
        write: Write,
    ) -> BoxFuture<'a, Result<Value, Unwritten>> {
        self.write_profile(name, object, write).boxed()
    }
    fn open_under<'a>(
        &'a self,
        team: &'a NamespaceName,
        profile: &'a ProfileName,
    ) -> BoxFuture<'a, Result<Vec<AccessRequest>, Fault>> {
        self.open_under(team, profile).boxed()
    }
}
