use crate::{AccessRequest, MalformedObject};
use sallyport_model::Reaffirm;

impl AccessRequest {
    /// How often its requester has to be reaffirmed, by the offer its broker wrote; `None`: never.
    ///
    /// # Errors
    /// When the offer says it in a form that can't be read: nothing may stay open by that.
    pub fn reaffirm(&self) -> Result<Option<Reaffirm>, MalformedObject> {
        let field = self.offer().and_then(|offer| offer.reaffirm.as_ref());
        field.map(Reaffirm::try_from).transpose().map_err(|e| self.malformed(e))
    }

    /// When the newest token was issued that the provider is known to have made for its requester, Unix seconds: the one it
    /// was asked with, or a later one. `None` where the request says neither.
    pub fn vouched_at(&self) -> Option<i64> {
        let reaffirmed = self.status.as_ref().and_then(|status| status.reaffirmed.as_ref());
        self.spec.issued_at.max(reaffirmed.map(|word| word.issued))
    }

    /// The groups its requester was last known to be in: as the provider said last, else as they asked.
    pub fn groups_now(&self) -> &[String] {
        let reaffirmed = self.status.as_ref().and_then(|status| status.reaffirmed.as_ref());
        reaffirmed.map_or(&self.spec.groups, |word| &word.groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReaffirmField;
    use serde_json::json;

    fn request(issued_at: Option<i64>, status: serde_json::Value) -> AccessRequest {
        let mut request: AccessRequest = serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": "ask-1"},
            "spec": {"user": "oidc:ada", "groups": ["dev"], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
                "duration": "1h", "publicKey": "k"},
            "status": status,
        }))
        .unwrap();
        request.spec.issued_at = issued_at;
        request
    }

    #[test]
    fn the_newest_word_counts_whichever_it_is() {
        let word = |issued: i64| json!({"reaffirmed": {"issued": issued, "groups": ["ops"]}});
        for (asked, status, vouched, groups) in [
            (None, json!({}), None, "dev"),
            (Some(5), json!({}), Some(5), "dev"),
            (Some(5), word(9), Some(9), "ops"),
            (Some(9), word(5), Some(9), "ops"),
            (None, word(5), Some(5), "ops"),
        ] {
            let request = request(asked, status);
            assert_eq!((request.vouched_at(), request.groups_now()[0].as_str()), (vouched, groups));
        }
    }

    #[test]
    fn what_an_offer_says_of_it_is_read_or_an_error() {
        let offer = |reaffirm: serde_json::Value| json!({"offer": {"digest": "d", "rules": [], "endpoint": "e", "caDigest": "c", "reaffirm": reaffirm}});
        assert_eq!(request(None, json!({})).reaffirm(), Ok(None));
        assert_eq!(request(None, offer(json!(null))).reaffirm(), Ok(None));
        let read = request(None, offer(json!({"every": "1h30m", "grace": "5m"}))).reaffirm().unwrap();
        let read = read.expect("there");
        assert_eq!(ReaffirmField::from(&read), ReaffirmField { every: "1h30m".into(), grace: "5m".into() });
        for odd in [
            json!({"every": "1m", "grace": "5m"}),
            json!({"every": "never", "grace": "5m"}),
            json!({"every": "5m", "grace": ""}),
        ] {
            assert!(request(None, offer(odd.clone())).reaffirm().is_err(), "{odd}");
        }
    }
}
