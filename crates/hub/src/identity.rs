use crate::{Hub, evidence};
use k8s_openapi::api::authentication::v1::{SelfSubjectReview, UserInfo};
use kube::{Api, api::PostParams};
use sallyport_api::{EXTRA_ACR, EXTRA_AMR, EXTRA_AUTH_TIME, EXTRA_ISSUED_AT};
use sallyport_client::{Fault, within};
use sallyport_model::{SignIn, UserName};

/// Who one is to the hub, in its own words (SelfSubjectReview). Requests use these and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user name.
    pub user: UserName,
    /// The groups.
    pub groups: Vec<String>,
    /// The sign-in's `acr`, where it carried one.
    pub acr: Vec<String>,
    /// The sign-in's `amr`.
    pub amr: Vec<String>,
    /// When the person last proved who they are, Unix seconds; 0 where the hub maps a missing `auth_time` to it.
    pub auth_time: Option<i64>,
    /// When the token was issued, Unix seconds; `None` where the hub does not say it.
    pub issued_at: Option<i64>,
}

impl Identity {
    /// What a request or an approval of theirs says of the sign-in.
    pub fn sign_in(&self) -> SignIn {
        evidence(&self.acr, &self.amr, self.auth_time)
    }
}

impl Hub {
    /// Who the hub takes this client's owner for.
    ///
    /// # Errors
    /// [`Fault`]; [`Fault::Other`] when the name it gives is none.
    pub async fn whoami(&self) -> Result<Identity, Fault> {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let asked = SelfSubjectReview::default();
        let review = within(self.deadline, api.create(&PostParams::default(), &asked)).await?;
        identity(review.status.and_then(|s| s.user_info).unwrap_or_default())
    }
}

fn identity(info: UserInfo) -> Result<Identity, Fault> {
    let name = info.username.unwrap_or_default();
    let user = name
        .parse()
        .map_err(|e| Fault::Other(format!("the hub's name for this sign-in can't be used: {e}")))?;
    let mut extra = info.extra.unwrap_or_default();
    let mut take = |key: &str| extra.remove(key).unwrap_or_default();
    let seconds = |values: Vec<String>| match values.as_slice() {
        [one] => one.parse().ok().filter(|t| *t >= 0),
        _ => None,
    };
    let (auth_time, issued_at) = (seconds(take(EXTRA_AUTH_TIME)), seconds(take(EXTRA_ISSUED_AT)));
    Ok(Identity {
        user,
        groups: info.groups.unwrap_or_default(),
        acr: take(EXTRA_ACR),
        amr: take(EXTRA_AMR),
        auth_time,
        issued_at: issued_at.filter(|t| *t > 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, auth_time: &[&str]) -> UserInfo {
        let texts = |list: &[&str]| list.iter().map(|t| t.to_string()).collect::<Vec<_>>();
        UserInfo {
            username: Some(name.to_owned()),
            groups: Some(texts(&["oidc:dev"])),
            extra: Some(
                [(EXTRA_ACR.to_owned(), texts(&["mfa"])), (EXTRA_AUTH_TIME.to_owned(), texts(auth_time))]
                    .into(),
            ),
            uid: None,
        }
    }

    #[test]
    fn an_identity_is_what_the_hub_says() {
        let read = identity(info("oidc:ada", &["1795500000"])).unwrap();
        assert_eq!((read.user.as_str(), read.auth_time), ("oidc:ada", Some(1_795_500_000)));
        assert_eq!((read.acr, read.amr), (vec!["mfa".to_owned()], vec![]));
        assert_eq!(identity(info("oidc:ada", &["0"])).unwrap().auth_time, Some(0));
        for odd in [&["1.795e9"][..], &["-5"], &["1", "2"], &[]] {
            assert_eq!(identity(info("oidc:ada", odd)).unwrap().auth_time, None, "{odd:?}");
        }
        let mut mapped = info("oidc:ada", &[]);
        mapped.extra.as_mut().unwrap().insert(EXTRA_ISSUED_AT.to_owned(), vec!["1795500300".into()]);
        assert_eq!(identity(mapped).unwrap().issued_at, Some(1_795_500_300));
        assert_eq!(identity(info("oidc:ada", &[])).unwrap().issued_at, None);
        assert!(identity(info("", &[])).is_err());
        assert!(identity(info("a\u{202e}b", &[])).is_err());
    }
}
