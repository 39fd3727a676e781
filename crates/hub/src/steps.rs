use crate::{Hub, Identity, MANAGER, Refused};
use data_encoding::BASE32_NOPAD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    Api, Resource as _,
    api::{Patch, PatchParams},
};
use sallyport_api::{AccessRequest, AccessRequestStatus, Approval, Denial, Revocation};
use sallyport_client::{Fault, within};
use sallyport_model::{Digest, Limits, NamespaceName, REASON_MOST, RequestRef, clip};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How often someone else may write in between before a write gives up.
const CONFLICTS_MOST: u32 = 8;
/// What comments and reasons of approvers may hold, in characters: what the requester's may.
const WORDS_MOST: usize = REASON_MOST;

impl Hub {
    /// The request as it stands.
    ///
    /// # Errors
    /// [`Fault`]; [`Fault::NotFound`] also when another object has taken the name.
    pub async fn request(&self, which: &RequestRef) -> Result<AccessRequest, Fault> {
        let found = within(self.deadline, self.requests(which).get(&which.name)).await?;
        if found.metadata.uid.as_deref() == Some(which.uid.as_str()) {
            Ok(found)
        } else {
            Err(Fault::NotFound)
        }
    }

    /// A team's request by its name, if there is one: of an ask whose answer was lost, or of an earlier run.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn request_named(
        &self,
        team: &NamespaceName,
        name: &str,
    ) -> Result<Option<AccessRequest>, Fault> {
        let requests: Api<AccessRequest> = Api::namespaced(self.client.clone(), team.as_str());
        match within(self.deadline, requests.get(name)).await {
            Ok(found) => Ok(Some(found)),
            Err(Fault::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Takes an open request back or leaves an active one. Saying it twice is fine.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn withdraw(&self, which: &RequestRef) -> Result<AccessRequest, Refused> {
        let stands = |status: &AccessRequestStatus| status.withdrawn == Some(true);
        self.merge(which, json!({"withdrawn": true}), stands).await
    }

    /// Clears the sealed token, once it was opened.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn clear_credential(&self, which: &RequestRef) -> Result<AccessRequest, Refused> {
        let stands = |status: &AccessRequestStatus| status.credential.is_none();
        self.merge(which, json!({"credential": null}), stands).await
    }

    /// Ends someone else's access (verb `revoke` on the profile), once.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn revoke(
        &self,
        which: &RequestRef,
        me: &Identity,
        at: jiff::Timestamp,
        reason: &str,
    ) -> Result<AccessRequest, Refused> {
        let revocation =
            Revocation { by: me.user.to_string(), at: whole(at), reason: clip(reason, WORDS_MOST) };
        let stands = |status: &AccessRequestStatus| {
            let known = status.revocation.as_ref();
            known.is_some_and(|known| (&known.by, &known.reason) == (&revocation.by, &revocation.reason))
        };
        self.merge(which, json!({"revocation": revocation}), stands).await
    }

    /// Says no to a pending request.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn deny(
        &self,
        which: &RequestRef,
        me: &Identity,
        at: jiff::Timestamp,
        reason: Option<&str>,
    ) -> Result<AccessRequest, Refused> {
        let reason = reason.map(|r| clip(r, WORDS_MOST));
        let denial = Denial { by: me.user.to_string(), at: whole(at), reason };
        let stands = |status: &AccessRequestStatus| {
            let known = status.denial.as_ref();
            known.is_some_and(|known| (&known.by, &known.reason) == (&denial.by, &denial.reason))
        };
        self.merge(which, json!({"denial": denial}), stands).await
    }

    /// Says yes to the offer with this digest, the one that was on the approver's screen, or to what `limits` leave of it.
    ///
    /// Written by server-side apply with a field manager of one's own: two approvers at the same moment keep both of
    /// their entries, and neither takes the other's away.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn approve(
        &self,
        which: &RequestRef,
        me: &Identity,
        offer: &Digest,
        limits: &Limits,
        at: jiff::Timestamp,
        comment: Option<&str>,
    ) -> Result<AccessRequest, Refused> {
        let sign_in = me.sign_in();
        let approval = Approval {
            by: me.user.to_string(),
            at: whole(at),
            offer: offer.to_string(),
            auth_time: sign_in.auth_time,
            acr: sign_in.acr,
            amr: sign_in.amr,
            comment: comment.map(|c| clip(c, WORDS_MOST)),
            limits: (!limits.is_none()).then(|| limits.into()),
        };
        let params = PatchParams::apply(&manager(me));
        let status = json!({"approvals": [approval]});
        let same = |known: &Approval| {
            (&known.by, &known.offer, &known.limits) == (&approval.by, &approval.offer, &approval.limits)
        };
        let stands = |status: &AccessRequestStatus| status.approvals.iter().any(same);
        self.write(which, &params, stands, |version| {
            Patch::Apply(json!({
                "apiVersion": AccessRequest::api_version(&()),
                "kind": AccessRequest::kind(&()),
                "metadata": {"name": which.name, "namespace": which.team, "resourceVersion": version},
                "status": status,
            }))
        })
        .await
    }

    fn requests(&self, which: &RequestRef) -> Api<AccessRequest> {
        Api::namespaced(self.client.clone(), which.team.as_str())
    }

    pub(crate) async fn merge(
        &self,
        which: &RequestRef,
        status: Value,
        stands: impl Fn(&AccessRequestStatus) -> bool,
    ) -> Result<AccessRequest, Refused> {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        self.write(which, &params, stands, |version| {
            Patch::Merge(json!({"metadata": {"resourceVersion": version}, "status": status}))
        })
        .await
    }

    /// Reads the object, checks that it is the one meant, and writes to exactly that version; begins anew when somebody
    /// else wrote in between. A UID in the patch would not do: on `/status` the API server ignores it.
    ///
    /// What `stands` already is not written again: of a write whose answer was lost nobody knows whether it was taken, and a
    /// second one would be refused for the first.
    async fn write(
        &self,
        which: &RequestRef,
        params: &PatchParams,
        stands: impl Fn(&AccessRequestStatus) -> bool,
        patch: impl Fn(String) -> Patch<Value>,
    ) -> Result<AccessRequest, Refused> {
        let api = self.requests(which);
        let is_there = |object: &AccessRequest| object.status.as_ref().is_some_and(&stands);
        let mut tries = 0;
        loop {
            let object = self.request(which).await?;
            if is_there(&object) {
                return Ok(object);
            }
            let version = object.metadata.resource_version.unwrap_or_default();
            match within(self.deadline, api.patch_status(&which.name, params, &patch(version))).await {
                Err(Fault::Conflict(_)) if tries < CONFLICTS_MOST => tries += 1,
                Err(Fault::TimedOut) => {
                    let now = self.request(which).await?;
                    return if is_there(&now) { Ok(now) } else { Err(Fault::TimedOut.into()) };
                }
                done => return Ok(done?),
            }
        }
    }
}

/// A field manager of this approver alone: the API server lets a manager's next apply drop what its last one set.
fn manager(me: &Identity) -> String {
    let hash = Sha256::digest(me.user.as_str().as_bytes());
    format!("sallyport-approver-{}", BASE32_NOPAD.encode(&hash[..10]).to_ascii_lowercase())
}

/// Kubernetes' `Time` has seconds.
fn whole(at: jiff::Timestamp) -> Time {
    Time(jiff::Timestamp::from_second(at.as_second()).unwrap_or(at))
}
