use sallyport_model::Secret;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What is stored to renew a sign-in after a restart. Opaque to whoever stores it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    v: u8,
    refresh_token: String,
    pub(crate) subject: String,
    pub(crate) nonce: Option<String>,
    /// The provider's session.
    #[serde(default)]
    pub(crate) session: Option<String>,
    /// Refresh tokens of earlier sign-ins of the same person that could not be revoked without ending this one.
    #[serde(default)]
    superseded: Vec<String>,
}

/// What is to be kept of a sign-in.
pub(crate) struct Keep<'k> {
    pub(crate) refresh_token: &'k Secret<String>,
    pub(crate) subject: &'k str,
    pub(crate) nonce: Option<&'k str>,
    pub(crate) session: Option<&'k str>,
    pub(crate) superseded: &'k [Secret<String>],
}

impl Kept {
    pub(crate) fn seal(keep: &Keep<'_>) -> Secret<String> {
        let kept = Self {
            v: 1,
            refresh_token: keep.refresh_token.expose().clone(),
            subject: keep.subject.to_owned(),
            nonce: keep.nonce.map(str::to_owned),
            session: keep.session.map(str::to_owned),
            superseded: keep.superseded.iter().map(|token| token.expose().clone()).collect(),
        };
        Secret::new(serde_json::to_string(&kept).expect("a struct of strings is JSON"))
    }

    /// The refresh token, and the rest.
    pub(crate) fn open(kept: &Secret<String>) -> Result<(Secret<String>, Self), Error> {
        let mut kept: Self = serde_json::from_str(kept.expose())
            .ok()
            .filter(|kept: &Self| kept.v == 1 && !kept.refresh_token.is_empty() && !kept.subject.is_empty())
            .ok_or_else(|| Error::again("what was kept of the last sign-in can't be read"))?;
        Ok((Secret::new(std::mem::take(&mut kept.refresh_token)), kept))
    }

    /// Takes out the refresh tokens that later ones superseded and nobody has revoked yet.
    pub(crate) fn take_superseded(&mut self) -> Vec<Secret<String>> {
        std::mem::take(&mut self.superseded).into_iter().map(Secret::new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_and_noise_asks_to_sign_in_again() {
        let (token, older) = (Secret::new("rt".to_owned()), [Secret::new("old".to_owned())]);
        let (nonce, session) = (Some("n"), Some("s"));
        let keep = Keep { refresh_token: &token, subject: "ana", nonce, session, superseded: &older };
        let (token, mut kept) = Kept::open(&Kept::seal(&keep)).unwrap();
        let superseded = kept.take_superseded();
        assert_eq!((superseded[0].expose().as_str(), kept.session.as_deref()), ("old", session));
        // As an earlier version wrote it.
        let earlier = r#"{"v":1,"refresh_token":"rt","subject":"ana","nonce":null}"#;
        assert!(Kept::open(&Secret::new(earlier.to_owned())).is_ok());
        assert_eq!(
            (token.expose().as_str(), kept.subject.as_str(), kept.nonce.as_deref()),
            ("rt", "ana", Some("n"))
        );
        for noise in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"v":2,"refresh_token":"a","subject":"b"}"#,
            r#"{"v":1,"refresh_token":"","subject":"b"}"#,
        ] {
            let refused = Kept::open(&Secret::new(noise.to_owned())).err().expect("refused");
            assert!(matches!(refused, Error::SignInAgain { .. }), "{noise}");
        }
    }
}
