//! What tools need of the rules beside what a person does with them.

use crate::rule::Rule;

/// helm reads and writes the objects its releases are kept in with each of these.
const HELM: [&str; 5] = ["get", "list", "create", "update", "delete"];

/// Why helm will not work under these rules, and what to do about it: one sentence or two for the person. None where
/// it will. (helm.sh/docs/topics/advanced, "Storage backends".)
pub fn helm_misses(rules: &[Rule]) -> Option<&'static str> {
    // Releases have names that nobody knows beforehand: a rule that is limited to names does not serve them.
    let any_name = |rule: &Rule, verb, resource| {
        rule.resource_names.is_empty() && rule.allows_some(verb, "", resource, "")
    };
    let all = |resource| HELM.iter().all(|verb| rules.iter().any(|rule| any_name(rule, verb, resource)));
    if all("secrets") {
        None
    } else if all("configmaps") {
        Some(
            "helm keeps its releases in Secrets, which this profile does not allow, so its commands are refused. With HELM_DRIVER=configmap it keeps them in ConfigMaps; for releases that are in Secrets already, ask for a profile for releases.",
        )
    } else {
        Some(
            "helm keeps its releases in Secrets, which this profile does not allow, so its commands are refused. Ask for a profile for releases; HELM_DRIVER=configmap needs ConfigMaps, which this one does not allow to be written either.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::rule;

    #[test]
    fn fault_c9_helm_is_said_to_fail_without_secrets() {
        let verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];
        let debug = rule(&["get", "list", "watch"], &["", "apps"], &["pods", "configmaps", "deployments"]);
        let said = helm_misses(std::slice::from_ref(&debug)).unwrap();
        assert!(said.contains("keeps its releases in Secrets") && said.contains("not allow to be written"));
        let operate = rule(&verbs, &[""], &["pods", "configmaps"]);
        let said = helm_misses(&[debug.clone(), operate]).unwrap();
        assert!(said.contains("With HELM_DRIVER=configmap it keeps them in ConfigMaps"));
        let reads = rule(&["get", "list"], &[""], &["secrets"]);
        assert!(helm_misses(&[debug.clone(), reads.clone()]).is_some(), "reading is not enough");
        let writes = rule(&["create", "update", "delete"], &[""], &["secrets"]);
        assert_eq!(helm_misses(&[debug.clone(), reads, writes]), None, "several rules add up");
        let mut named = rule(&verbs, &[""], &["secrets"]);
        assert_eq!(helm_misses(&[debug.clone(), named.clone()]), None);
        named.resource_names = vec!["db".into()];
        assert!(helm_misses(&[debug, named]).is_some(), "one Secret by its name holds no releases");
        assert_eq!(helm_misses(&[rule(&["*"], &["*"], &["*"])]), None);
    }
}
