use crate::{Change, Hub, Identity, Refused, watch};
use futures::Stream;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{
    Api,
    api::{DeleteParams, PostParams, Preconditions},
    runtime::watcher,
};
use sallyport_api::{AccessHold, AccessHoldSpec};
use sallyport_client::{Fault, within};
use sallyport_model::{Held, REASON_MOST, clip};

impl Hub {
    /// Holds, as they change.
    pub fn watch_holds(&self) -> impl Stream<Item = Change<AccessHold>> + Send + 'static {
        watch(Api::all(self.client.clone()), watcher::Config::default())
    }

    /// Holds a person, a cluster or everything until `until`, by the hub's clock.
    ///
    /// # Errors
    /// [`Refused`]; a time in the past or more than a week ahead is refused by admission.
    pub async fn hold(
        &self,
        held: &Held,
        me: &Identity,
        until: jiff::Timestamp,
        reason: &str,
    ) -> Result<AccessHold, Refused> {
        let (mut user, mut cluster, mut everything) = (None, None, None);
        match held {
            Held::User(name) => user = Some(name.clone()),
            Held::Cluster(name) => cluster = Some(name.clone()),
            Held::Everything => everything = Some(true),
        }
        let until = Time(jiff::Timestamp::from_second(until.as_second()).unwrap_or(until));
        let (by, reason) = (me.user.to_string(), clip(reason, REASON_MOST));
        let object = AccessHold {
            metadata: ObjectMeta { generate_name: Some("hold-".to_owned()), ..ObjectMeta::default() },
            spec: AccessHoldSpec { user, cluster, everything, until, by, reason },
        };
        let api: Api<AccessHold> = Api::all(self.client.clone());
        Ok(within(self.deadline, api.create(&PostParams::default(), &object)).await?)
    }

    /// Ends a hold before its time: the object with this UID, and no later one of the same name. One that is gone is fine.
    ///
    /// # Errors
    /// [`Refused`]; nobody removes one on themselves.
    pub async fn unhold(&self, name: &str, uid: &str) -> Result<(), Refused> {
        let api: Api<AccessHold> = Api::all(self.client.clone());
        let only = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: Some(only), ..DeleteParams::default() };
        match within(self.deadline, api.delete(name, &params)).await {
            Ok(_) | Err(Fault::NotFound) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }
}
