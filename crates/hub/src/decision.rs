use sallyport_api::{AccessRequest, AccessRequestStatus, Approval, Asked, MalformedObject};
use sallyport_model::{Limits, SignIn};
use sallyport_policy::{Met, Request};

/// A request as `policy::decide` takes it.
///
/// An approval whose name, digest or limits make no sense is left out: it counts for nothing. An offer whose digest makes
/// no sense is an error, because approvals could not be compared with it.
///
/// # Errors
/// [`MalformedObject`].
pub fn decision_request(object: &AccessRequest) -> Result<Request, MalformedObject> {
    let asked = Asked::try_from(object)?;
    let AccessRequestStatus { offer, approvals, auto_approval, grant, .. } =
        object.status.clone().unwrap_or_default();
    let offer = offer.map(|o| o.digest.parse()).transpose().map_err(|e: sallyport_model::NameError| {
        MalformedObject { kind: "AccessRequest", name: asked.which.name.clone(), why: e.to_string() }
    })?;
    let is_recorded = object.status.as_ref().is_some_and(|status| status.given.is_some());
    let given = is_recorded.then(|| object.given(&asked.terms)).transpose()?;
    Ok(Request {
        which: asked.which,
        created_at: asked.created_at,
        phase: object.phase(),
        terms: asked.terms,
        sign_in: asked.sign_in,
        groups: asked.groups,
        vouched_at: object.vouched_at(),
        offer,
        approvals: approvals.iter().filter_map(approval).collect(),
        given,
        auto_approval: auto_approval.map(|record| Met { name: record.name, saw: record.saw }),
        is_granted: grant.is_some(),
        ended_by: object.ended_by(),
    })
}

fn approval(given: &Approval) -> Option<sallyport_policy::Approval> {
    Some(sallyport_policy::Approval {
        by: given.by.parse().ok()?,
        at: given.at.0.as_second(),
        offer: given.offer.parse().ok()?,
        sign_in: SignIn { acr: given.acr.clone(), amr: given.amr.clone(), auth_time: given.auth_time },
        limits: given.limits.as_ref().map(Limits::try_from).transpose().ok()?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_api::AccessProfile;
    use sallyport_model::{EndedBy, Profile};
    use serde_json::json;

    fn request(status: serde_json::Value) -> AccessRequest {
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {
                "name": "ask-1", "namespace": "team", "uid": "0c1f", "creationTimestamp": "2026-11-24T14:00:00Z",
            },
            "spec": {
                "user": "oidc:ada", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
                "duration": "1h", "reason": "r", "publicKey": "k", "namespaces": ["n"],
                "acr": "mfa", "amr": ["otp"], "authTime": 1_795_528_700,
            },
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn p8_a_malformed_approval_counts_for_nothing() {
        let digest = "a".repeat(64);
        let read = decision_request(&request(json!({
            "approvals": [
                {"by": "oidc:bob", "at": "2026-11-24T14:01:00Z", "offer": digest, "authTime": 5, "acr": "phr"},
                {"by": "", "at": "2026-11-24T14:01:00Z", "offer": digest},
                {"by": "oidc:eve", "at": "2026-11-24T14:01:00Z", "offer": "short"},
                {"by": "oidc:kim", "at": "2026-11-24T14:01:00Z", "offer": digest, "limits": {"namespaces": []}},
                {"by": "oidc:lee", "at": "2026-11-24T14:01:00Z", "offer": digest, "limits": {"duration": "5m"}},
                {"by": "oidc:pat", "at": "2026-11-24T14:01:00Z", "offer": digest, "limits": {"namespaces": ["A b"]}},
            ],
            "withdrawn": true,
        })))
        .unwrap();
        assert_eq!(read.approvals.len(), 1);
        assert!(read.ended_by == Some(EndedBy::Left) && read.offer.is_none());
        assert_eq!(read.created_at, 1_795_528_800);
    }

    #[test]
    fn fault_a8_p7_the_decision_sees_how_requester_and_approver_signed_in() {
        let digest = "a".repeat(64);
        let read = decision_request(&request(json!({"approvals": [
            {"by": "oidc:bob", "at": "2026-11-24T14:01:00Z", "offer": digest, "authTime": 5, "acr": "phr", "amr": ["hwk"]},
        ]})))
        .unwrap();
        let asked =
            SignIn { acr: Some("mfa".into()), amr: vec!["otp".into()], auth_time: Some(1_795_528_700) };
        assert_eq!(read.sign_in, asked);
        let approved = SignIn { acr: Some("phr".into()), amr: vec!["hwk".into()], auth_time: Some(5) };
        assert_eq!(read.approvals[0].sign_in, approved);
        let profile: AccessProfile = serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
            "metadata": {"name": "p", "uid": "aa", "generation": 1},
            "spec": {"clusters": ["*"], "roles": ["r"], "maxDuration": "1h",
                "mfa": {"acr": ["mfa"], "amr": ["otp", "hwk"], "maxAge": "15m"}},
        }))
        .unwrap();
        let mfa = Profile::try_from(&profile).unwrap().mfa;
        assert_eq!((mfa.acr.len(), mfa.amr.len()), (1, 2));
        assert_eq!(mfa.max_age.map(|age| age.as_seconds()), Some(900));
    }

    #[test]
    fn p8_limits_and_what_is_recorded_as_given_are_read_and_never_wider_than_asked() {
        let digest = "a".repeat(64);
        let yes = json!({"by": "oidc:bob", "at": "2026-11-24T14:01:00Z", "offer": digest,
            "limits": {"duration": "30m", "namespaces": ["n"]}});
        let given = json!({"duration": "30m", "namespaces": ["n"]});
        let read = decision_request(&request(json!({"approvals": [yes], "given": given}))).unwrap();
        let limits = &read.approvals[0].limits;
        assert_eq!(limits.duration().map(|most| most.to_string()).as_deref(), Some("30m"));
        assert_eq!(read.given.map(|given| given.to_string()).as_deref(), Some("n for 30m"));
        for wider in [
            json!({"duration": "30m"}),
            json!({"duration": "30m", "namespaces": []}),
            json!({"duration": "2h", "namespaces": ["n"]}),
            json!({"duration": "30m", "namespaces": ["n", "m"]}),
            json!({"duration": "soon", "namespaces": ["n"]}),
        ] {
            assert!(decision_request(&request(json!({"given": wider}))).is_err(), "{wider}");
        }
    }

    #[test]
    fn p8_a_malformed_offer_is_an_error() {
        let offer = json!({"digest": "x", "rules": [], "endpoint": "e", "caDigest": "c"});
        assert!(decision_request(&request(json!({"offer": offer}))).is_err());
    }
}
