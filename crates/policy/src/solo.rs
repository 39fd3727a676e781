use crate::{Offer, Permit, fit::namespaces_allowed};
use sallyport_model::{
    ClusterName, Digest, EndReason, Ending, Given, ProfileName, ProfileRevision, RequestRef, RequestUid,
    RoleName, Scope, Terms, Ttl, UserName,
};

/// What someone asks of their own cluster, without a hub: their own rights, cut down and ending by themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct SoloRequest {
    /// A fresh UUID: it stands where a hub's request UID would.
    pub uid: RequestUid,
    /// Who they are to that API server (SelfSubjectReview).
    pub user: UserName,
    /// The kubeconfig context, as a cluster.
    pub cluster: ClusterName,
    /// ClusterRoles to bind.
    pub roles: Vec<RoleName>,
    /// Where.
    pub scope: Scope,
    /// How long.
    pub duration: Ttl,
    /// The offer whose dangers they saw and accepted. In team mode nobody can accept one.
    pub accepted: Option<Digest>,
}

/// The revision that stands in a solo offer, where no profile is.
pub fn solo_revision() -> ProfileRevision {
    ProfileRevision::new("0", 0).expect("0/0 is a revision")
}

/// Whether a solo session may be made.
///
/// # Errors
/// An [`Ending`] for a duration out of bounds, a protected namespace, no role, or a danger in the offer that was not
/// accepted by its digest.
pub fn decide_solo(request: &SoloRequest, offer: &Offer) -> Result<Permit, Ending> {
    let denied = |message: String| Err(Ending::new(EndReason::Denied, message));
    if request.roles.is_empty() {
        return denied("no role was chosen".to_owned());
    }
    if request.duration < Ttl::SHORTEST || request.duration > Ttl::LONGEST {
        return denied(format!("{} is not between {} and {}", request.duration, Ttl::SHORTEST, Ttl::LONGEST));
    }
    namespaces_allowed(&request.scope, None)?;
    if let Some(danger) = offer.refused.as_ref().filter(|_| request.accepted != Some(offer.digest)) {
        return denied(format!("not without your yes: {danger}"));
    }
    let profile: ProfileName = "solo".parse().expect("solo is a profile name");
    let terms = Terms {
        user: request.user.clone(),
        cluster: request.cluster.clone(),
        profile,
        revision: solo_revision(),
        scope: request.scope.clone(),
        duration: request.duration,
        reason: String::new(),
    };
    Ok(Permit {
        which: RequestRef {
            team: "solo".parse().expect("solo is a name"),
            name: request.uid.as_str().to_owned(),
            uid: request.uid.clone(),
        },
        given: Given::all(&terms),
        terms,
        roles: request.roles.clone(),
        offer: offer.digest,
        auto_approval: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_rbac::Rule;

    fn asked(roles: &[&str], namespaces: &[&str], minutes: u64) -> SoloRequest {
        SoloRequest {
            uid: RequestUid::new("u-1"),
            user: "kubernetes-admin".parse().unwrap(),
            cluster: "kind".parse().unwrap(),
            roles: roles.iter().map(|r| r.parse().unwrap()).collect(),
            scope: Scope::from_list(namespaces.iter().map(|n| n.parse().unwrap())),
            duration: Ttl::minutes(minutes),
            accepted: None,
        }
    }

    fn offered(request: &SoloRequest, verbs: &[&str], resources: &[&str]) -> Offer {
        let rule = Rule::on(&"r".parse().unwrap(), verbs.to_vec(), vec![""], resources.to_vec());
        crate::offer(
            &solo_revision(),
            &request.cluster,
            &request.scope,
            &request.roles,
            [rule],
            "https://x",
            "ca",
        )
    }

    #[test]
    fn a_solo_session_has_bounds_too() {
        let fine = asked(&["view"], &["a"], 60);
        let plain = offered(&fine, &["get"], &["pods"]);
        assert_eq!(decide_solo(&fine, &plain).unwrap().offer(), &plain.digest);
        for bad in [
            asked(&[], &["a"], 60),
            asked(&["view"], &["a"], 5),
            asked(&["view"], &["a"], 13 * 60),
            asked(&["view"], &["kube-system"], 60),
        ] {
            assert!(decide_solo(&bad, &plain).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn p11_a_solo_danger_needs_a_yes_to_exactly_this_offer() {
        let mut request = asked(&["edit"], &["a"], 60);
        let edit = offered(&request, &["create"], &["serviceaccounts/token"]);
        assert!(decide_solo(&request, &edit).is_err());
        request.accepted = Some(Digest::of(b"another offer"));
        assert!(decide_solo(&request, &edit).is_err());
        request.accepted = Some(edit.digest);
        assert!(decide_solo(&request, &edit).is_ok());
    }
}
