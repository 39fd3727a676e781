use crate::{
    Rule,
    ways::{may_be_a_way_in, way_in},
};
use sallyport_model::{clip, visible};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One thing the rules allow, said for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Right {
    /// e.g. `Run commands in pods`.
    pub title: String,
    /// Verbs and resources it stands for, e.g. `create, get pods/exec`.
    pub detail: String,
    /// Whether it changes something or reaches into something; false for plain reads.
    pub strong: bool,
}

/// What a resource's rights are called: where it lives, what counts, and the words.
struct Name {
    group: &'static str,
    resource: &'static str,
    reads: &'static str,
    writes: &'static str,
}

const fn name(
    group: &'static str,
    resource: &'static str,
    reads: &'static str,
    writes: &'static str,
) -> Name {
    Name { group, resource, reads, writes }
}

/// Reads that are as strong as writes have the same words on both sides.
const NAMES: &[Name] = &[
    name("", "pods/exec", "Run commands in pods", "Run commands in pods"),
    name("", "pods/attach", "Attach to containers", "Attach to containers"),
    name("", "pods/portforward", "Forward ports to pods", "Forward ports to pods"),
    name("", "pods/proxy", "Reach pods through the API server", "Reach pods through the API server"),
    name(
        "",
        "services/proxy",
        "Reach services through the API server",
        "Reach services through the API server",
    ),
    name("", "pods/ephemeralcontainers", "", "Add debug containers to pods"),
    name("", "pods/log", "Read logs", ""),
    name("", "pods/eviction", "", "Evict pods"),
    name("", "pods", "", "Change or delete pods"),
    name("", "secrets", "Read secrets", "Change secrets"),
    name("", "configmaps", "", "Change configuration"),
    name("", "serviceaccounts/token", "", "Mint tokens"),
    name("apps", "deployments/scale", "", "Scale workloads"),
    name("apps", "statefulsets/scale", "", "Scale workloads"),
    name("apps", "replicasets/scale", "", "Scale workloads"),
    name("apps", "deployments", "", "Change workloads"),
    name("apps", "statefulsets", "", "Change workloads"),
    name("apps", "daemonsets", "", "Change workloads"),
    name("apps", "replicasets", "", "Change workloads"),
    name("batch", "jobs", "", "Run jobs"),
    name("batch", "cronjobs", "", "Run jobs"),
];

const READS: [&str; 3] = ["get", "list", "watch"];
const STRONG_READS: [&str; 6] =
    ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "secrets"];

/// What the rules allow, said for people: strong rights first, reads of ordinary objects together at the end.
pub fn describe(rules: &[Rule]) -> Vec<Right> {
    // Title -> (strong, details). Titles sort alphabetically within their strength, so the list is stable.
    let mut found: BTreeMap<(bool, String), BTreeSet<String>> = BTreeMap::new();
    for rule in rules {
        let (reads, writes): (Vec<_>, Vec<_>) =
            rule.verbs.iter().map(String::as_str).partition(|v| READS.contains(v));
        for group in &rule.api_groups {
            for resource in &rule.resources {
                for (verbs, write) in [(&reads, false), (&writes, true)] {
                    if !verbs.is_empty() {
                        let (title, strong) = title(group, resource, write);
                        found
                            .entry((!strong, title))
                            .or_default()
                            .insert(detail(verbs, group, resource, rule));
                    }
                }
            }
        }
        if !rule.non_resource_urls.is_empty() {
            let strong = !writes.is_empty();
            let title = if strong { "Call API server paths" } else { "Read API server paths" };
            let paths = visible(&rule.non_resource_urls.join(", "));
            found.entry((!strong, title.to_owned())).or_default().insert(clip(&paths, 160));
        }
    }
    found
        .into_iter()
        .map(|((weak, title), details)| {
            let detail = details.into_iter().collect::<Vec<_>>().join("; ");
            Right { title, detail: clip(&detail, 2000), strong: !weak }
        })
        .collect()
}

fn title(group: &str, resource: &str, write: bool) -> (String, bool) {
    let strong = write || STRONG_READS.contains(&resource) || resource == "*";
    if resource == "*" {
        let where_ = match group {
            "*" => "everything".to_owned(),
            "" => "all core objects".to_owned(),
            group => format!("all of {}", clip(&visible(group), 80)),
        };
        return (format!("{} {where_}", if write { "Change" } else { "Read" }), true);
    }
    if may_be_a_way_in(group, resource) {
        return (format!("Call {}, which may be a way in", clip(&visible(resource), 80)), true);
    }
    let fits = |n: &&Name| (group == "*" || n.group == group) && n.resource == resource;
    let words = NAMES.iter().find(fits).map(|n| if write { n.writes } else { n.reads }).unwrap_or_default();
    match (words, write) {
        ("", false) => ("Look at objects".to_owned(), false),
        ("", true) => (format!("Change {}", clip(&visible(resource), 80)), true),
        (words, _) => (words.to_owned(), strong),
    }
}

fn detail(verbs: &[&str], group: &str, resource: &str, rule: &Rule) -> String {
    let mut out = format!("{} {resource}", verbs.join(", "));
    if !group.is_empty() {
        out.push_str(&format!(".{group}"));
    }
    if !rule.resource_names.is_empty() {
        out.push_str(&format!(" ({})", rule.resource_names.join(", ")));
    }
    clip(&visible(&out), 200)
}

const ANY_WRITE: &[&str] = &["create", "update", "patch"];
/// Any of these verbs on any of these resources (group, resource), and the sentence for it.
type Kind = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

/// What can outlive a session.
const KINDS: &[Kind] = &[
    (
        &["get", "create"],
        &[("", "pods/exec"), ("", "pods/attach")],
        "Commands can be run in pods: what a pod itself may do, its token included, is outside what closing can undo.",
    ),
    (
        &["get", "create"],
        &[("", "pods/portforward"), ("", "pods/proxy"), ("", "services/proxy")],
        "Pods and services can be reached over the network: what they give away stays given away.",
    ),
    (
        &["patch", "update"],
        &[("", "pods/ephemeralcontainers")],
        "Debug containers can be added to pods: they see what the pod mounts and its Secrets, and stay until the pod goes.",
    ),
    (
        ANY_WRITE,
        &[
            ("", "pods"),
            ("", "replicationcontrollers"),
            ("", "podtemplates"),
            ("apps", "deployments"),
            ("apps", "statefulsets"),
            ("apps", "daemonsets"),
            ("apps", "replicasets"),
            ("batch", "jobs"),
            ("batch", "cronjobs"),
        ],
        "Workloads can be started and changed, their images included: they run on after the session, with the rights, \
         Secrets and data that the workload has.",
    ),
    (
        ANY_WRITE,
        &[("", "secrets"), ("", "configmaps")],
        "Secrets or configuration can be changed: the change stays after the session.",
    ),
    (
        ANY_WRITE,
        &[("", "services"), ("networking.k8s.io", "ingresses"), ("networking.k8s.io", "networkpolicies")],
        "Network access can be changed: the change stays after the session.",
    ),
    (
        &["create"],
        &[("", "serviceaccounts/token")],
        "Tokens of service accounts can be minted: they outlive the session.",
    ),
    (
        ANY_WRITE,
        &[("", "persistentvolumeclaims")],
        "Storage can be claimed and claims be changed: what they hold stays after the session.",
    ),
    (
        ANY_WRITE,
        &[("coordination.k8s.io", "leases")],
        "Leases can be changed: whoever holds one leads in a controller's place, or keeps it from leading.",
    ),
];

/// Secrets, as many as the rules open.
fn secrets(rules: &[Rule]) -> Option<String> {
    let reads = |rule: &&Rule| READS.iter().any(|verb| rule.allows_some(verb, "", "secrets", ""));
    let mut reading = rules.iter().filter(reads).peekable();
    reading.peek()?;
    let every = reading.any(|rule| rule.resource_names.is_empty());
    let which = if every { "Every Secret of the session's namespaces" } else { "The Secrets that are named" };
    Some(format!("{which} can be read: what was read stays known."))
}

/// Subresources that nobody here knows.
fn unknown(rules: &[Rule]) -> Option<String> {
    let (group, resource) = rules.iter().find_map(way_in)?;
    let shown = |text: &str| clip(&visible(text), 60);
    let what =
        if group.is_empty() { shown(resource) } else { format!("{} of {}", shown(resource), shown(group)) };
    Some(format!(
        "What Sallyport does not know can be called ({what}): it may be a way into something that closing can't undo."
    ))
}

/// Rights that can outlive a session, said for requester and approver; at most one sentence for each kind.
pub fn warnings(rules: &[Rule]) -> Vec<String> {
    KINDS
        .iter()
        .filter(|(verbs, resources, _)| {
            resources.iter().any(|(group, resource)| {
                let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
                verbs.iter().any(|verb| rules.iter().any(|rule| rule.allows_some(verb, group, resource, sub)))
            })
        })
        .map(|(_, _, sentence)| (*sentence).to_owned())
        .chain(secrets(rules))
        .chain(unknown(rules))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::{any_rule, named, paths, rule};
    use proptest::prelude::*;

    #[test]
    fn rights_are_said_for_people_strong_ones_first() {
        let rights = describe(&[
            rule(&["get", "list", "watch"], &[""], &["pods", "pods/log", "services"]),
            rule(&["get", "create"], &[""], &["pods/exec"]),
            rule(&["patch"], &["apps"], &["deployments/scale", "widgets"]),
            named(rule(&["get"], &[""], &["secrets"]), &["tls"]),
            paths(&["get"], &["/metrics"]),
        ]);
        let titles: Vec<_> = rights.iter().map(|r| (r.title.as_str(), r.strong)).collect();
        assert_eq!(
            titles,
            [
                ("Change widgets", true),
                ("Read secrets", true),
                ("Run commands in pods", true),
                ("Scale workloads", true),
                ("Look at objects", false),
                ("Read API server paths", false),
                ("Read logs", false),
            ]
        );
        assert_eq!(rights[1].detail, "get secrets (tls)");
        assert_eq!(rights[4].detail, "get, list, watch pods; get, list, watch services");
    }

    #[test]
    fn wildcards_are_said_plainly() {
        let said = |r: Rule| describe(&[r]).remove(0).title;
        assert_eq!(said(rule(&["*"], &["*"], &["*"])), "Change everything");
        assert_eq!(said(rule(&["get"], &["apps"], &["*"])), "Read all of apps");
        assert_eq!(said(rule(&["get"], &[""], &["*"])), "Read all core objects");
    }

    #[test]
    fn p24_hostile_names_in_rules_are_shown_harmlessly() {
        let shown = describe(&[rule(&["get\u{202e}"], &["x\u{200b}.io"], &["wid\u{1b}[31mgets"])]);
        let text = format!("{shown:?}");
        assert!(
            !text.contains('\u{202e}') && !text.contains('\u{1b}') && !text.contains('\u{200b}'),
            "{text}"
        );
    }

    #[test]
    fn p11_rights_that_outlive_a_session_are_named() {
        assert!(
            warnings(&[rule(&["get", "list", "watch"], &["", "apps"], &["pods", "pods/log", "deployments"])])
                .is_empty()
        );
        assert_eq!(warnings(&[rule(&["get"], &[""], &["pods/exec"])]).len(), 1);
        assert_eq!(warnings(&[rule(&["patch"], &["apps"], &["deployments"])]).len(), 1);
        let all = warnings(&[rule(&["*"], &["*"], &["*"])]);
        assert_eq!(all.len(), 11);
        assert!(all.iter().all(|w| w.len() <= 256));
    }

    /// What is kept on purpose is said before anybody says yes.
    #[test]
    fn fault_a3_a4_p11_requester_and_approver_read_what_is_kept_on_purpose() {
        let said = |r: Rule| warnings(&[r]).join(" ");
        let debug = said(rule(&["patch"], &[""], &["pods/ephemeralcontainers"]));
        assert!(debug.contains("see what the pod mounts and its Secrets"), "{debug}");
        for (group, kind) in
            [("apps", "deployments"), ("apps", "daemonsets"), ("batch", "cronjobs"), ("", "podtemplates")]
        {
            let operate = said(rule(&["update"], &[group], &[kind]));
            for part in [
                "their images included",
                "run on after the session",
                "with the rights, Secrets and data that the workload has",
            ] {
                assert!(operate.contains(part), "{kind}: {operate}");
            }
        }
    }

    #[test]
    fn fault_c9_p11_a_role_that_reads_secrets_says_how_many() {
        for verb in ["get", "list", "watch", "*"] {
            let every = warnings(&[rule(&[verb], &[""], &["secrets"])]);
            assert!(
                every.iter().any(|w| w.starts_with("Every Secret of the session's namespaces can be read")),
                "{every:?}"
            );
        }
        let one = named(rule(&["get"], &[""], &["secrets"]), &["tls"]);
        assert_eq!(
            warnings(std::slice::from_ref(&one)),
            ["The Secrets that are named can be read: what was read stays known."]
        );
        let both = warnings(&[one, rule(&["list"], &["*"], &["*"])]).join(" ");
        assert!(both.contains("Every Secret") && !both.contains("that are named"), "{both}");
        assert_eq!(warnings(&[rule(&["get"], &[""], &["configmaps"])]), Vec::<String>::new());
    }

    #[test]
    fn fault_a9_p11_claims_leases_and_unknown_subresources_are_named() {
        for (given, part) in [
            (rule(&["create"], &[""], &["persistentvolumeclaims"]), "Storage can be claimed"),
            (rule(&["update"], &["coordination.k8s.io"], &["leases"]), "Leases can be changed"),
            (
                rule(&["get"], &["subresources.kubevirt.io"], &["virtualmachineinstances/console"]),
                "(virtualmachineinstances/console of subresources.kubevirt.io)",
            ),
            (rule(&["get"], &[""], &["pods/console"]), "(pods/console)"),
            (rule(&["get"], &["example.test"], &["*"]), "may be a way into something"),
        ] {
            let said = warnings(&[given]).join(" ");
            assert!(said.contains(part), "{said}");
        }
        let shown =
            describe(&[rule(&["get"], &["example.test"], &["widgets/connect", "widgets", "widgets/status"])]);
        let titles: Vec<_> = shown.iter().map(|r| (r.title.as_str(), r.strong)).collect();
        assert_eq!(
            titles,
            [("Call widgets/connect, which may be a way in", true), ("Look at objects", false)]
        );
        let long =
            warnings(&[rule(&["get"], &[&"g".repeat(200)], &[&format!("{}/x", "w\u{202e}".repeat(200))])]);
        assert!(
            long.len() == 1 && long[0].chars().count() <= 256 && !long[0].contains('\u{202e}'),
            "{long:?}"
        );
    }

    proptest! {
        /// P11: whoever may call something unknown reads so, whatever stands beside it.
        #[test]
        fn fault_a9_p11_no_unknown_subresource_passes_as_a_read(
            mut rules in prop::collection::vec(any_rule(), 0..4),
            sub in "[a-z]{3,12}",
            group in prop::sample::select(vec!["x.io", "", "apps", "*"]),
            verb in prop::sample::select(vec!["get", "list", "connect", "*"]),
        ) {
            let resource = format!("widgets/{sub}");
            rules.push(rule(&[verb], &[group], &[resource.as_str()]));
            let named = warnings(&rules).iter().any(|w| w.contains("may be a way into"));
            let known = ["status", "scale"].contains(&sub.as_str());
            prop_assert!(named || known);
            let plain = crate::effective(rules, &sallyport_model::Scope::ClusterWide);
            prop_assert!(known || !crate::dangers(&plain, &sallyport_model::Scope::ClusterWide).is_empty());
        }

        #[test]
        fn every_rule_that_allows_something_is_described(r in any_rule()) {
            let effective = crate::effective([r], &sallyport_model::Scope::ClusterWide);
            prop_assert_eq!(describe(&effective).is_empty(), effective.is_empty());
        }
    }
}
