use sallyport_model::{ClusterName, Digest, ProfileRevision, RoleName, Scope};
use sallyport_rbac::{Danger, Rule, dangers, effective, warnings};
use serde::Serialize;

/// What a yes would allow, computed from the live ClusterRoles of the target. Approvals name its digest (attack 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The effective rules, sorted.
    pub rules: Vec<Rule>,
    /// Rights that can outlive the session, in words.
    pub warnings: Vec<String>,
    /// SHA-256 over everything an approver says yes to.
    pub digest: Digest,
    /// The first right in it that no session may have; `None` when it may be granted (P11).
    pub refused: Option<Danger>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Digested<'a> {
    revision: String,
    cluster: &'a ClusterName,
    cluster_wide: bool,
    namespaces: Vec<String>,
    /// Named apart from the rules: a role without rules is bound all the same, and may get some later.
    roles: Vec<&'a RoleName>,
    rules: &'a [Rule],
    endpoint: &'a str,
    ca_digest: String,
}

/// The offer for `scope` on `cluster` under one revision of a profile.
///
/// `rules` are those of the live ClusterRoles as stored, `roles` their names; `endpoint` and `ca_bundle` are what
/// will be sealed with the token.
pub fn offer(
    revision: &ProfileRevision,
    cluster: &ClusterName,
    scope: &Scope,
    roles: &[RoleName],
    rules: impl IntoIterator<Item = Rule>,
    endpoint: &str,
    ca_bundle: &str,
) -> Offer {
    let rules = effective(rules, scope);
    let ca = Digest::of(ca_bundle.as_bytes());
    Offer {
        warnings: warnings(&rules),
        digest: digest(revision, cluster, scope, roles, &rules, (endpoint, &ca)),
        refused: dangers(&rules, scope).into_iter().next(),
        rules,
    }
}

/// The digest of an offer by its parts, as [`offer`] makes it: whoever shows an offer to an approver compares. `rules` are
/// the effective ones in their order, `to` the endpoint and the digest of its CA bundle.
pub fn digest(
    revision: &ProfileRevision,
    cluster: &ClusterName,
    scope: &Scope,
    roles: &[RoleName],
    rules: &[Rule],
    (endpoint, ca): (&str, &Digest),
) -> Digest {
    let mut names: Vec<_> = roles.iter().collect();
    names.sort_unstable();
    names.dedup();
    let digested = Digested {
        revision: revision.to_string(),
        cluster,
        cluster_wide: *scope == Scope::ClusterWide,
        namespaces: scope.to_list().into_iter().map(String::from).collect(),
        roles: names,
        rules,
        endpoint,
        ca_digest: ca.to_string(),
    };
    // Struct fields serialise in their order and every list is sorted, so the text is canonical.
    Digest::of(&serde_json::to_vec(&digested).expect("names and strings serialise"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &[&str], resources: &[&str]) -> Rule {
        Rule::on(&"r".parse().unwrap(), verbs.to_vec(), vec![""], resources.to_vec())
    }

    fn made(
        revision: &str,
        cluster: &str,
        scope: &[&str],
        rules: Vec<Rule>,
        endpoint: &str,
        ca: &str,
    ) -> Digest {
        let scope = Scope::from_list(scope.iter().map(|n| n.parse().unwrap()));
        let roles = ["r".parse().unwrap()];
        offer(&revision.parse().unwrap(), &cluster.parse().unwrap(), &scope, &roles, rules, endpoint, ca)
            .digest
    }

    #[test]
    fn p8_the_digest_changes_with_everything_an_approver_says_yes_to() {
        let rules = || vec![rule(&["get"], &["pods"]), rule(&["list"], &["services"])];
        let base = made("aa/1", "c", &["n"], rules(), "https://t", "ca");
        let mut turned = rules();
        turned.reverse();
        assert_eq!(base, made("aa/1", "c", &["n"], turned, "https://t", "ca"));
        for other in [
            made("aa/2", "c", &["n"], rules(), "https://t", "ca"),
            made("aa/1", "d", &["n"], rules(), "https://t", "ca"),
            made("aa/1", "c", &["m"], rules(), "https://t", "ca"),
            made("aa/1", "c", &[], rules(), "https://t", "ca"),
            made("aa/1", "c", &["n"], vec![rule(&["get"], &["pods"])], "https://t", "ca"),
            made("aa/1", "c", &["n"], rules(), "https://u", "ca"),
            made("aa/1", "c", &["n"], rules(), "https://t", "cb"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn p11_an_offer_says_why_it_would_be_refused() {
        let scope = Scope::from_list(["n".parse().unwrap()]);
        let bad = vec![rule(&["create"], &["serviceaccounts/token"])];
        let roles = ["r".parse().unwrap()];
        let made =
            offer(&"aa/1".parse().unwrap(), &"c".parse().unwrap(), &scope, &roles, bad, "https://t", "ca");
        assert!(made.refused.unwrap().to_string().contains("serviceaccounts/token"));
    }
}
