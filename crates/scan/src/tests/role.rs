//! What a session's scan may do, as it is shipped, and what a scan asks for.

use crate::configs::CONFIGS;
use sallyport_posture::Kind;
use serde_json::Value;
use std::collections::BTreeSet;

fn rules() -> Vec<Value> {
    let documents = include_str!("../../../../deploy/target/roles.yaml").split("\n---\n");
    let role = documents.filter_map(|text| serde_saphyr::from_str::<Value>(text).ok());
    let mut role = role.filter(|role| role["metadata"]["name"] == "sallyport:posture");
    role.next().expect("the role is shipped")["rules"].as_array().expect("it has rules").clone()
}

fn texts(rule: &Value, field: &str) -> Vec<String> {
    let all = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
    all.map(str::to_owned).collect()
}

#[test]
fn p9_the_role_for_scans_lists_what_a_scan_looks_at_and_nothing_else() {
    let mut listed: BTreeSet<(String, String)> = BTreeSet::new();
    let mut others = Vec::new();
    for rule in rules() {
        if rule["nonResourceURLs"].is_array() || !texts(&rule, "resourceNames").is_empty() {
            assert_eq!(texts(&rule, "verbs"), ["get"], "{rule}");
            continue;
        }
        for group in texts(&rule, "apiGroups") {
            for resource in texts(&rule, "resources") {
                match texts(&rule, "verbs").as_slice() {
                    [verb] if verb == "list" => drop(listed.insert((group.clone(), resource))),
                    verbs => others.push((group.clone(), resource, verbs.join(","))),
                }
            }
        }
    }
    let asked = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::Secret | Kind::ConfigMap));
    let asked: BTreeSet<(String, String)> =
        asked.map(|kind| (kind.group().to_owned(), kind.plural().to_owned())).collect();
    assert_eq!(listed, asked);
    let review = ("authorization.k8s.io", "subjectaccessreviews", "create");
    assert_eq!(others, [(review.0.to_owned(), review.1.to_owned(), review.2.to_owned())]);
}

#[test]
fn p9_of_configmaps_it_reads_the_five_that_a_scan_asks_for() {
    let rules = rules();
    let named: Vec<&Value> = rules.iter().filter(|rule| !texts(rule, "resourceNames").is_empty()).collect();
    assert_eq!(named.len(), 1);
    assert_eq!(texts(named[0], "resources"), ["configmaps"]);
    let names: BTreeSet<String> = texts(named[0], "resourceNames").into_iter().collect();
    assert_eq!(names, CONFIGS.iter().map(|(_, name)| (*name).to_owned()).collect());
}
