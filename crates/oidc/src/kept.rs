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
}

impl Kept {
    pub(crate) fn seal(refresh_token: &Secret<String>, subject: &str, nonce: Option<&str>) -> Secret<String> {
        let kept = Self {
            v: 1,
            refresh_token: refresh_token.expose().clone(),
            subject: subject.to_owned(),
            nonce: nonce.map(str::to_owned),
        };
        Secret::new(serde_json::to_string(&kept).expect("a struct of strings is JSON"))
    }

    pub(crate) fn open(kept: &Secret<String>) -> Result<(Secret<String>, Self), Error> {
        let mut kept: Self = serde_json::from_str(kept.expose())
            .ok()
            .filter(|kept: &Self| kept.v == 1 && !kept.refresh_token.is_empty() && !kept.subject.is_empty())
            .ok_or_else(|| Error::again("what was kept of the last sign-in can't be read"))?;
        Ok((Secret::new(std::mem::take(&mut kept.refresh_token)), kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_and_noise_asks_to_sign_in_again() {
        let (token, kept) = Kept::open(&Kept::seal(&Secret::new("rt".to_owned()), "ana", Some("n"))).unwrap();
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
