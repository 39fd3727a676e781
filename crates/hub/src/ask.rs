use crate::{Hub, Refused};
use data_encoding::BASE32_NOPAD;
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use sallyport_api::{AccessRequest, AccessRequestSpec};
use sallyport_client::{Fault, within};
use sallyport_model::{ClusterName, NamespaceName, ProfileName, ProfileRevision, Scope, Ttl, UserName};
use sha2::{Digest as _, Sha256};

/// What to ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The team's namespace on the hub.
    pub team: NamespaceName,
    /// Who asks, as [`crate::Identity`] says.
    pub user: UserName,
    /// Their groups, as [`crate::Identity`] says.
    pub groups: Vec<String>,
    /// The cluster to open.
    pub cluster: ClusterName,
    /// Under which profile.
    pub profile: ProfileName,
    /// At the revision that was read.
    pub revision: ProfileRevision,
    /// Where.
    pub scope: Scope,
    /// How long.
    pub duration: Ttl,
    /// Why.
    pub reason: String,
    /// [`crate::seal::KeyPair::public_key_base64`] of a key pair made for this ask.
    pub public_key: String,
}

/// The object name of the request that carries this public key.
///
/// The key is fresh for each ask, so the name is too; and because it is known before the hub answers, an ask whose
/// answer was lost can be found again instead of being asked twice.
pub fn request_name(public_key: &str) -> String {
    let hash = Sha256::digest(public_key.as_bytes());
    format!("ask-{}", BASE32_NOPAD.encode(&hash[..10]).to_ascii_lowercase())
}

impl Hub {
    /// Creates the request.
    ///
    /// When no answer came in time the request may exist all the same; asking again with the same key finds it.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn ask(&self, ask: &Ask) -> Result<AccessRequest, Refused> {
        let api: Api<AccessRequest> = Api::namespaced(self.client.clone(), ask.team.as_str());
        let object = object(ask);
        match within(self.deadline, api.create(&PostParams::default(), &object)).await {
            Err(Fault::AlreadyExists) => {
                let found = within(self.deadline, api.get(&request_name(&ask.public_key))).await?;
                // The spec is immutable, so an equal one is ours from before.
                if found.spec == object.spec { Ok(found) } else { Err(Refused::Fault(Fault::AlreadyExists)) }
            }
            done => Ok(done?),
        }
    }
}

fn object(ask: &Ask) -> AccessRequest {
    AccessRequest {
        metadata: ObjectMeta { name: Some(request_name(&ask.public_key)), ..ObjectMeta::default() },
        spec: AccessRequestSpec {
            user: ask.user.to_string(),
            groups: ask.groups.clone(),
            cluster: ask.cluster.to_string(),
            profile: ask.profile.to_string(),
            profile_revision: ask.revision.to_string(),
            namespaces: ask.scope.to_list().into_iter().map(String::from).collect(),
            duration: whole_minutes(ask.duration),
            reason: ask.reason.clone(),
            public_key: ask.public_key.clone(),
        },
        status: None,
    }
}

/// The CRD takes hours and minutes; a rest of seconds is dropped, never rounded up.
fn whole_minutes(duration: Ttl) -> String {
    Ttl::minutes(duration.as_seconds() / 60).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_exactly_what_was_asked() {
        let ask = Ask {
            team: "team-payments".parse().unwrap(),
            user: "oidc:ada".parse().unwrap(),
            groups: vec!["oidc:dev".into()],
            cluster: "payments-eu".parse().unwrap(),
            profile: "debug".parse().unwrap(),
            revision: "6f1c/3".parse().unwrap(),
            scope: Scope::from_list(["b".parse().unwrap(), "a".parse().unwrap()]),
            duration: Ttl::seconds(5459),
            reason: "INC-1".into(),
            public_key: "k".into(),
        };
        let made = object(&ask);
        assert_eq!(made.spec.duration, "1h30m");
        assert_eq!(made.spec.namespaces, ["a", "b"]);
        assert_eq!(made.metadata.name.as_deref(), Some(request_name("k").as_str()));
        assert!(made.metadata.labels.is_none() && made.metadata.annotations.is_none());
        assert_eq!(request_name("k").len(), 20);
        assert_ne!(request_name("k"), request_name("l"));
    }
}
