use super::*;
use crate::covers;
use crate::rule::tests::{named, paths, role, rule};
use proptest::prelude::*;

fn on(verb: &str, resource: &str, namespace: Option<&str>, name: &str) -> Used {
    let (whole, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let (resource, group) = whole.split_once('.').unwrap_or((whole, ""));
    Used {
        asked: Asked {
            verb: verb.to_owned(),
            what: What::Resource {
                group: group.to_owned(),
                resource: resource.to_owned(),
                subresource: subresource.to_owned(),
                name: name.to_owned(),
            },
            namespace: namespace.map(str::to_owned),
        },
        outcome: Outcome::Allowed,
        created: false,
        calls: 2,
        first: 0,
        last: 1,
    }
}

fn path(verb: &str, path: &str) -> Used {
    let mut used = on(verb, "x", None, "");
    used.asked.what = What::Path(path.to_owned());
    used
}

fn of(used: &[Used]) -> Proposal {
    propose(used, &Wanted::default(), &role("proposed"))
}

/// Rules as text: `namespace: verbs group/resources names`.
fn lines(proposal: &Proposal) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &proposal.roles {
        let place = match &one.place {
            Place::Everywhere => "*".to_owned(),
            Place::In(names) => names.join("+"),
        };
        for rule in &one.rules {
            let what = if rule.non_resource_urls.is_empty() {
                format!("{:?}/{}", rule.api_groups.join(","), rule.resources.join(","))
            } else {
                rule.non_resource_urls.join(",")
            };
            let names = if rule.resource_names.is_empty() {
                String::new()
            } else {
                format!(" [{}]", rule.resource_names.join(","))
            };
            lines.push(format!("{place}: {} {what}{names}", rule.verbs.join(",")));
        }
    }
    lines
}

#[test]
fn rules_are_grouped_by_group_and_resource_and_hold_where_they_were_used() {
    let pay = Some("pay");
    let proposal = of(&[
        on("get", "pods", pay, "checkout-6d4cf56db6-x7k2p"),
        on("list", "pods", pay, ""),
        on("get", "pods/log", pay, "checkout-6d4cf56db6-x7k2p"),
        on("list", "services", pay, ""),
        on("patch", "deployments.apps", pay, "checkout"),
        on("list", "nodes", None, ""),
        on("get", "nodes", None, "a"),
    ]);
    assert_eq!(
        lines(&proposal),
        [
            "*: get,list,watch \"\"/nodes",
            "pay: get,list,watch \"\"/pods,services",
            "pay: get \"\"/pods/log",
            "pay: patch \"apps\"/deployments [checkout]",
        ]
    );
    let added: Vec<(&str, &str)> =
        proposal.added.iter().map(|one| (one.verb.as_str(), one.resource.as_str())).collect();
    assert_eq!(
        added,
        [
            ("watch", "nodes"),
            // Of a pod whose name nobody will meet again.
            ("get", "pods/log"),
            ("get", "services"),
            ("watch", "pods"),
            ("watch", "services"),
        ]
    );
}

#[test]
fn names_are_kept_where_they_are_few_and_stable_alone() {
    let ns = Some("a");
    let get = |name: &str| on("get", "configmaps", ns, name);
    assert_eq!(lines(&of(&[get("lock"), get("settings")])), ["a: get \"\"/configmaps [lock,settings]"]);
    let many: Vec<Used> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| get(name)).collect();
    assert_eq!(lines(&of(&many)), ["a: get \"\"/configmaps"]);
    assert_eq!(lines(&of(&[get("job-x7k2p")])), ["a: get \"\"/configmaps"]);
    // Once is no habit.
    assert_eq!(lines(&of(&[Used { calls: 1, ..get("lock") }])), ["a: get \"\"/configmaps"]);
    // A lock that its holder makes: RBAC can't limit a create by name, and the rest is by that name.
    assert_eq!(
        lines(&of(&[
            on("create", "configmaps", ns, "lock"),
            get("lock"),
            on("update", "configmaps", ns, "lock")
        ])),
        ["a: create \"\"/configmaps", "a: get,update \"\"/configmaps [lock]"]
    );
    // Whoever creates under names that API servers make up will meet others tomorrow.
    assert_eq!(
        lines(&of(&[on("create", "configmaps", ns, ""), get("lock")])),
        ["a: get,create \"\"/configmaps"]
    );
    let none = Wanted { names_most: 0, ..Wanted::default() };
    assert_eq!(lines(&propose(&[get("lock")], &none, &role("r"))), ["a: get \"\"/configmaps"]);
}

/// One Secret that was read is not all of them, and what is wider than what was seen is said.
#[test]
fn a_rule_for_all_of_what_was_named_is_said_and_secrets_are_never_all() {
    let ns = Some("a");
    let once = |verb: &str, resource: &str, name: &str| Used { calls: 1, ..on(verb, resource, ns, name) };
    let wider = |proposal: &Proposal| -> Vec<String> {
        let of = |one: &&Added| one.because == Because::AllNames;
        let said = |one: &Added| {
            format!("{} {} {} of {}", one.verb, one.resource, one.names.join(","), one.names_in_all)
        };
        proposal.added.iter().filter(of).map(said).collect()
    };
    let secret = of(&[once("get", "secrets", "card")]);
    assert_eq!(lines(&secret), ["a: get \"\"/secrets [card]"]);
    assert_eq!(wider(&secret), [""; 0]);
    let many: Vec<Used> = (0..9).map(|n| once("get", "secrets", &format!("card-{n}-x7k2p"))).collect();
    for wanted in [Wanted::default(), Wanted { names_most: 0, ..Wanted::default() }] {
        let proposal = propose(&many, &wanted, &role("r"));
        assert_eq!(proposal.roles[0].rules[0].resource_names.len(), 9, "{proposal:?}");
        assert!(!proposal.allows(on("get", "secrets", ns, "other").ask(), ns));
    }
    // Who lists them has all of them anyway.
    let list = of(&[once("get", "secrets", "card"), once("list", "secrets", "")]);
    assert_eq!(lines(&list), ["a: get,list,watch \"\"/secrets"]);
    // A Secret of somebody's own API is none that Kubernetes has.
    let read = of(&[once("get", "secrets.example.com", "card")]);
    assert_eq!(wider(&read), ["get secrets.example.com card of 1"]);

    // What was changed once is that one; what a machine called so is another tomorrow.
    let changed = of(&[once("delete", "deployments.apps", "web"), once("get", "deployments.apps", "api")]);
    assert_eq!(lines(&changed), ["a: get \"apps\"/deployments", "a: delete \"apps\"/deployments [web]"]);
    assert_eq!(wider(&changed), ["get deployments.apps api of 1"]);
    let pods: Vec<Used> = (0..7).map(|n| on("delete", "pods", ns, &format!("web-{n}"))).collect();
    assert_eq!(lines(&of(&pods)), ["a: delete \"\"/pods"]);
    assert_eq!(wider(&of(&pods)), ["delete pods web-0,web-1,web-2,web-3,web-4 of 7"]);
    assert_eq!(wider(&of(&[on("delete", "pods", ns, "web-x7k2p")])), ["delete pods web-x7k2p of 1"]);
    // A list of all tells what a get tells, and whoever asked for all has all.
    assert_eq!(wider(&of(&[once("get", "pods", "x"), once("list", "pods", "")])), [""; 0]);
    assert_eq!(wider(&of(&[once("create", "pods", "x"), path("get", "/metrics")])), [""; 0]);
    // What holds everywhere is said once.
    let everywhere = of(&[once("get", "configmaps", "x"), on("get", "configmaps", None, "")]);
    assert_eq!(wider(&everywhere), [""; 0]);
}

#[test]
fn verbs_that_belong_to_others_are_added_and_said() {
    let ns = Some("a");
    let added = |proposal: &Proposal| -> Vec<(String, Because)> {
        proposal.added.iter().map(|one| (one.verb.clone(), one.because)).collect()
    };
    let apply = of(&[Used { created: true, ..on("patch", "deployments.apps", ns, "web") }]);
    assert_eq!(lines(&apply), ["a: create \"apps\"/deployments", "a: patch \"apps\"/deployments [web]"]);
    assert_eq!(added(&apply), [("create".to_owned(), Because::Created)]);
    let exec = of(&[on("get", "pods/exec", ns, "web-0")]);
    assert_eq!(lines(&exec), ["a: get,create \"\"/pods/exec [web-0]"]);
    assert_eq!(added(&exec), [("create".to_owned(), Because::WebSocket)]);
    // SPDY is a create alone.
    assert_eq!(lines(&of(&[on("create", "pods/exec", ns, "web-0")])), ["a: create \"\"/pods/exec [web-0]"]);
    let strict = Wanted { reads_together: false, ..Wanted::default() };
    let watch = [on("watch", "pods", ns, "")];
    assert_eq!(lines(&propose(&watch, &strict, &role("r"))), ["a: watch \"\"/pods"]);
    assert_eq!(lines(&of(&watch)), ["a: get,list,watch \"\"/pods"]);
}

#[test]
fn namespaces_with_the_same_rules_share_a_role_and_need_none_of_what_holds_everywhere() {
    let proposal = of(&[
        on("list", "pods", Some("a"), ""),
        on("list", "pods", Some("b"), ""),
        on("delete", "pods", Some("b"), "x"),
        on("delete", "pods", Some("c"), "x"),
        on("list", "pods", None, ""),
        on("delete", "pods", Some("a"), "x"),
    ]);
    assert_eq!(lines(&proposal), ["*: get,list,watch \"\"/pods", "a+b+c: delete \"\"/pods [x]"]);
    assert!(proposal.added.iter().all(|one| one.namespace.is_none()), "{:?}", proposal.added);
}

#[test]
fn what_was_refused_is_named_and_not_granted_and_discovery_is_everybodys() {
    let refused = Used { outcome: Outcome::Refused, ..on("get", "secrets", Some("a"), "card") };
    let since = Used { outcome: Outcome::Refused, ..on("list", "pods", Some("a"), "") };
    let untold = Used { outcome: Outcome::Untold, ..on("delete", "pods", Some("a"), "") };
    let proposal = of(&[
        refused.clone(),
        // Refused once, allowed later.
        since,
        untold.clone(),
        on("list", "pods", Some("a"), ""),
        path("get", "/apis/apps/v1"),
        path("get", "/openapi/v3"),
        path("get", "/version"),
        path("get", "/metrics"),
        path("post", "/api"),
    ]);
    assert_eq!(proposal.refused, [refused]);
    assert_eq!(proposal.untold, [untold]);
    assert_eq!(proposal.discovery, 6);
    assert_eq!(lines(&proposal), ["*: post /api", "*: get /metrics", "a: get,list,watch \"\"/pods"]);
}

#[test]
fn whom_somebody_may_impersonate_is_always_named() {
    let users: Vec<Used> =
        (0..9).map(|n| Used { calls: 1, ..on("impersonate", "users", None, &format!("u-{n}")) }).collect();
    let proposal = of(&users);
    assert_eq!(proposal.roles[0].rules[0].resource_names.len(), 9);
    assert!(!proposal.allows(on("impersonate", "users", None, "root").ask(), None));
}

/// An address is the caller's to choose: with `*` in it, an admin's call must not become everything.
#[test]
fn what_would_mean_more_in_a_rule_is_not_granted() {
    let odd = [
        on("list", "*", None, ""),
        on("*", "pods", None, ""),
        on("", "pods", None, ""),
        on("get", "pods/*", Some("a"), "x"),
        on("get", "deployments.*", Some("a"), "x"),
        on("get", "pods", Some("a b"), "x"),
        on("get", "pods", Some("*"), "x"),
        on("get", "Pods\n- verbs: [\"*\"]", Some("a"), ""),
        path("get", "/*"),
        path("get", "/logs/*"),
        path("get", "*"),
        path("get", "/logs/\u{fffd}"),
        path("GET", "/metrics"),
        path("get", "/a b"),
        path("get", "/a\u{fffd}"),
        on("get", "", None, ""),
    ];
    let proposal = of(&odd);
    assert!(proposal.roles.is_empty(), "{:?}", proposal.roles);
    assert_eq!(proposal.odd, odd);
    // A name is compared as it is: `*` there is one object's.
    let star = of(&[on("get", "pods", Some("a"), "*")]);
    assert_eq!(lines(&star), ["a: get \"\"/pods [*]"]);
    assert!(!star.allows(on("get", "pods", Some("a"), "b").ask(), Some("a")));
}

#[test]
fn of_what_is_held_the_unused_is_named() {
    let used = [
        on("get", "pods", Some("a"), "x"),
        on("list", "deployments.apps", Some("b"), ""),
        path("get", "/metrics"),
    ];
    let held = rule(&["get", "list", "delete"], &["", "apps"], &["pods", "deployments"]);
    let all = rule_use(&held, None, &used);
    let said: Vec<String> = all.used.iter().map(|(atom, calls)| format!("{} {calls}", atom.said())).collect();
    assert_eq!(said, ["get pods 2", "list deployments.apps 2"]);
    assert_eq!(all.unused.len(), 12 - 2);
    assert!(rule_use(&held, Some("c"), &used).used.is_empty());
    assert!(rule_use(&named(rule(&["get"], &[""], &["pods"]), &["y"]), None, &used).used.is_empty());
    let wild = rule_use(&rule(&["*"], &["*"], &["*"]), None, &used);
    let said: Vec<String> = wild.used.iter().map(|(atom, _)| atom.said()).collect();
    assert_eq!(said, ["get *.*", "list *.*"]);
    assert!(wild.used.iter().all(|(atom, _)| atom.is_wild()));
    assert_eq!(wild.unused[0].said(), "any verb on *.*");
    let paths = paths(&["get"], &["/metrics", "/logs/*"]);
    assert_eq!(rule_use(&paths, None, &used).unused[0].said(), "get /logs/*");
    assert!(rule_use(&paths, Some("a"), &used).unused.is_empty(), "a binding in a namespace gives no paths");
    let mut huge = rule(&[], &[""], &[]);
    huge.verbs = (0..100).map(|n| format!("v{n}")).collect();
    huge.resources = (0..100).map(|n| format!("r{n}")).collect();
    assert!(rule_use(&huge, None, &used).is_too_large);
}

fn any_used() -> impl Strategy<Value = Used> {
    let verb =
        prop::sample::select(&["get", "list", "watch", "create", "update", "patch", "delete", "*"][..]);
    let resource = prop::sample::select(
        &["pods", "pods/exec", "pods/log", "configmaps", "deployments.apps", "deployments.apps/scale", "*"][..],
    );
    let namespace = prop::sample::select(&[None, Some("a"), Some("b"), Some("c")][..]);
    let name = prop::sample::select(&["", "x", "y", "web-x7k2p", "*"][..]);
    let url = prop::sample::select(&["/metrics", "/api", "/logs/*", "/logs/x"][..]);
    let outcome = prop::sample::select(
        &[Outcome::Allowed, Outcome::Allowed, Outcome::Allowed, Outcome::Refused, Outcome::Untold][..],
    );
    (verb, resource, namespace, name, url, outcome, 1..3_u64, any::<bool>(), 0..10_u8).prop_map(
        |(verb, resource, namespace, name, url, outcome, calls, created, kind)| {
            let used = if kind == 0 { path(verb, url) } else { on(verb, resource, namespace, name) };
            Used { outcome, calls, created, ..used }
        },
    )
}

proptest! {
    #[test]
    fn p22_a_proposal_allows_every_call_and_nothing_that_nobody_did(
        used in prop::collection::vec(any_used(), 0..25),
        reads_together in any::<bool>(),
        names_most in 0..4_usize,
    ) {
        let wanted = Wanted { reads_together, names_most };
        let proposal = propose(&used, &wanted, &role("r"));
        let allowed: Vec<&Used> = used.iter().filter(|one| one.outcome == Outcome::Allowed).collect();
        for one in &allowed {
            let is_left_out = is_discovery(one.ask()) || proposal.odd.contains(one);
            let is_path = matches!(one.asked.what, What::Path(_));
            let namespace = one.namespace().filter(|_| !is_path);
            prop_assert!(is_left_out || proposal.allows(one.ask(), namespace), "{one:?} {proposal:?}");
        }
        for role in &proposal.roles {
            for rule in &role.rules {
                let words = [&rule.verbs, &rule.api_groups, &rule.resources, &rule.non_resource_urls];
                prop_assert!(!words.into_iter().flatten().any(|word| word.contains('*')), "{rule:?}");
                prop_assert!(rule.api_groups.len() <= 1 && !rule.verbs.is_empty());
                for verb in &rule.verbs {
                    for entry in rule.resources.iter().chain(&rule.non_resource_urls) {
                        let is_of = |one: &&&Used| {
                            let at = match &role.place {
                                Place::Everywhere => one.namespace().is_none() || matches!(one.asked.what, What::Path(_)),
                                place => place.holds_in(one.namespace()),
                            };
                            let of = match &one.asked.what {
                                What::Path(path) => path == entry,
                                What::Resource { group, resource, subresource, .. } => {
                                    rule.api_groups.first() == Some(group)
                                        && *entry == if subresource.is_empty() { resource.clone() } else { format!("{resource}/{subresource}") }
                                }
                            };
                            at && of
                        };
                        let seen: Vec<&str> = allowed.iter().filter(is_of).map(|one| one.asked.verb.as_str()).collect();
                        let read = |verb: &str| ["get", "list", "watch"].contains(&verb);
                        let is_added = (reads_together && read(verb) && seen.iter().any(|one| ["list", "watch"].contains(one)))
                            || (verb == "create" && allowed.iter().filter(is_of).any(|one| one.created))
                            || (verb == "create" && entry == "pods/exec" && seen.contains(&"get"));
                        prop_assert!(seen.contains(&verb.as_str()) || is_added, "{verb} {entry} {proposal:?}");
                    }
                }
                // A name that nobody used is none of the limits.
                for name in &rule.resource_names {
                    let is_it = |one: &Used| matches!(&one.asked.what, What::Resource { name: own, .. } if own == name);
                    prop_assert!(used.iter().any(is_it), "{name} {proposal:?}");
                }
            }
        }
        // No rule is covered by the others that hold wherever it does.
        for role in &proposal.roles {
            let holds = |other: &&Proposed| other.place == Place::Everywhere || other.place == role.place;
            let rules: Vec<Rule> = proposal.roles.iter().filter(holds).flat_map(|one| one.rules.clone()).collect();
            let own = match role.place {
                Place::Everywhere => role.rules.clone(),
                Place::In(_) => rules.clone(),
            };
            for rule in &role.rules {
                let mut others = own.clone();
                let at = others.iter().position(|one| one == rule);
                others.remove(at.expect("it is one of them"));
                prop_assert!(!covers(&others, rule), "{role:?} {rule:?} {others:?}");
            }
        }
        for one in proposal.refused.iter().chain(&proposal.untold) {
            prop_assert!(!proposal.allows(one.ask(), one.namespace()));
        }
    }
}
