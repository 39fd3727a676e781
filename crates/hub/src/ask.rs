use crate::{Hub, Refused};
use data_encoding::{BASE32_NOPAD, BASE64};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use sallyport_api::{AccessRequest, AccessRequestSpec, HistoryAnchor};
use sallyport_client::{Fault, within};
use sallyport_model::{NamespaceName, SignIn, Terms};
use sha2::{Digest as _, Sha256};

/// What to ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The team's namespace on the hub.
    pub team: NamespaceName,
    /// What it asks for; the user as [`crate::Identity`] says.
    pub terms: Terms,
    /// Their groups, as [`crate::Identity`] says.
    pub groups: Vec<String>,
    /// [`crate::seal::KeyPair::public_key_base64`] of a key pair made for this ask.
    pub public_key: String,
    /// How they signed in, as [`crate::Identity::sign_in`] says.
    pub sign_in: SignIn,
    /// When the token is issued that it is asked with, Unix seconds; `None` where that is not known, or no hub would say it.
    pub issued_at: Option<i64>,
    /// How the asker's history is, where it can be said.
    pub history: Option<HistoryAnchor>,
}

/// What a request or an approval says of its author's sign-in, from the hub's own words for it. Admission refuses what is
/// not so, and the broker judges by it. What a request could not carry is left out and counts for nothing.
pub fn evidence(acr: &[String], amr: &[String], auth_time: Option<i64>) -> SignIn {
    let fits = |text: &&String, most: usize| (1..=most).contains(&text.chars().count());
    SignIn {
        acr: acr.iter().find(|a| fits(a, ACR_MOST)).cloned(),
        amr: amr.iter().filter(|m| fits(m, METHOD_MOST)).take(METHODS_MOST).cloned().collect(),
        auth_time: auth_time.filter(|t| (1..=TIME_MOST).contains(t)),
    }
}

/// The bounds of the CRD: characters of an `acr`, of one `amr` and how many of these; the last second of year 9999.
const ACR_MOST: usize = 256;
const METHOD_MOST: usize = 64;
const METHODS_MOST: usize = 32;
const TIME_MOST: i64 = 253_402_300_799;

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
                // The spec is immutable, so an equal one is ours from before; by another token of the same sign-in, maybe, and
                // on a hub of before without what its schema does not know.
                let before = AccessRequestSpec {
                    issued_at: object.spec.issued_at,
                    history: object.spec.history.clone(),
                    ..found.spec.clone()
                };
                if before == object.spec { Ok(found) } else { Err(Refused::Fault(Fault::AlreadyExists)) }
            }
            done => Ok(done?),
        }
    }
}

/// The policy that holds a request to its author's name, and the words of that rule.
const IN_OWN_NAME: [&str; 2] = ["access-requests-who.sallyport.dev", "spec.user must be your own name"];

impl Hub {
    /// Whether the hub's admission refuses a request in another's name, by a dry run of one (P12); `None` where something
    /// else refused it first, or nobody answered.
    pub async fn refuses_another_name(&self, team: &NamespaceName) -> Option<bool> {
        let api: Api<AccessRequest> = Api::namespaced(self.client.clone(), team.as_str());
        let params = PostParams { dry_run: true, ..PostParams::default() };
        match within(self.deadline, api.create(&params, &in_anothers_name())).await {
            Ok(_) => Some(false),
            Err(Fault::Forbidden(text) | Fault::Invalid(text))
                if IN_OWN_NAME.iter().all(|words| text.contains(words)) =>
            {
                Some(true)
            }
            Err(_) => None,
        }
    }
}

/// What nobody but somebody else could ask for, and nobody could be given.
fn in_anothers_name() -> AccessRequest {
    AccessRequest {
        metadata: ObjectMeta { name: Some("ask-probe".to_owned()), ..ObjectMeta::default() },
        spec: AccessRequestSpec {
            user: "sallyport:probe".to_owned(),
            groups: Vec::new(),
            cluster: "probe".to_owned(),
            profile: "probe".to_owned(),
            profile_revision: "00000000-0000-4000-8000-000000000000/1".to_owned(),
            namespaces: Vec::new(),
            duration: "15m".to_owned(),
            reason: "a dry run that has to be refused".to_owned(),
            public_key: BASE64.encode(&[0; 32]),
            acr: None,
            amr: Vec::new(),
            auth_time: None,
            issued_at: None,
            recording: None,
            history: None,
        },
        status: None,
    }
}

fn object(ask: &Ask) -> AccessRequest {
    AccessRequest {
        metadata: ObjectMeta { name: Some(request_name(&ask.public_key)), ..ObjectMeta::default() },
        spec: AccessRequestSpec {
            user: ask.terms.user.to_string(),
            groups: ask.groups.clone(),
            cluster: ask.terms.cluster.to_string(),
            profile: ask.terms.profile.to_string(),
            profile_revision: ask.terms.revision.to_string(),
            namespaces: ask.terms.scope.to_list().into_iter().map(String::from).collect(),
            duration: ask.terms.duration.whole_minutes().to_string(),
            reason: ask.terms.reason.clone(),
            public_key: ask.public_key.clone(),
            acr: ask.sign_in.acr.clone(),
            amr: ask.sign_in.amr.clone(),
            auth_time: ask.sign_in.auth_time,
            issued_at: ask.issued_at.filter(|t| (1..=TIME_MOST).contains(t)),
            recording: ask.terms.recording.map(Into::into),
            history: ask.history.clone(),
        },
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_model::Ttl;

    #[test]
    fn the_request_is_exactly_what_was_asked() {
        let ask = Ask {
            team: "team-payments".parse().unwrap(),
            terms: Terms {
                user: "oidc:ada".parse().unwrap(),
                cluster: "payments-eu".parse().unwrap(),
                profile: "debug".parse().unwrap(),
                revision: "6f1c/3".parse().unwrap(),
                scope: sallyport_model::Scope::from_list(["b".parse().unwrap(), "a".parse().unwrap()]),
                duration: Ttl::seconds(5459),
                reason: "INC-1".into(),
                recording: Some(sallyport_model::Recording::Output),
            },
            groups: vec!["oidc:dev".into()],
            public_key: "k".into(),
            sign_in: evidence(&["urn:mfa".into()], &["otp".into()], Some(1_795_500_000)),
            issued_at: Some(1_795_500_300),
            history: Some(HistoryAnchor { sequence: 412, root: "ab".repeat(32), key: None }),
        };
        let made = object(&ask);
        assert_eq!(made.spec.duration, "1h30m");
        assert_eq!(made.spec.namespaces, ["a", "b"]);
        assert_eq!(made.spec.acr.as_deref(), Some("urn:mfa"));
        assert_eq!((made.spec.amr, made.spec.auth_time), (vec!["otp".to_owned()], Some(1_795_500_000)));
        assert_eq!(made.spec.issued_at, Some(1_795_500_300));
        assert_eq!(made.spec.history, ask.history);
        assert_eq!(made.metadata.name.as_deref(), Some(request_name("k").as_str()));
        assert!(made.metadata.labels.is_none() && made.metadata.annotations.is_none());
        assert_eq!(request_name("k").len(), 20);
        assert_ne!(request_name("k"), request_name("l"));
    }

    #[test]
    fn fault_a8_p7_a_sign_in_that_no_request_can_carry_is_left_out() {
        assert_eq!(evidence(&[], &[], None), SignIn::default());
        // As the documented mapping writes what the token does not say.
        assert_eq!(evidence(&[String::new()], &[], Some(0)), SignIn::default());
        let long = evidence(&["x".repeat(257), "mfa".into()], &vec!["m".repeat(64); 40], Some(i64::MAX));
        assert_eq!((long.acr.as_deref(), long.amr.len(), long.auth_time), (Some("mfa"), 32, None));
        assert!(evidence(&[], &["m".repeat(65)], Some(-5)).amr.is_empty());
    }
}
