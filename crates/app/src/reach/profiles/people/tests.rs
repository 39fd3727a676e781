use super::*;
use crate::reach::profiles::object::profile_of;
use sallyport_api::GROUP;
use sallyport_rbac::Rule;
use sallyport_rbac::who::{Binding, Role, RoleRef};
use serde_json::{Value, json};

fn profile(spec: Value) -> Profile {
    let mut full = json!({"clusters": ["pay-eu"], "roles": ["r"], "maxDuration": "1h", "approvals": 1});
    for (field, value) in spec.as_object().unwrap() {
        full[field] = value.clone();
    }
    profile_of(
        &json!({"apiVersion": "x", "kind": "AccessProfile", "metadata": {"name": "operate"}, "spec": full}),
    )
    .unwrap()
}

/// Groups and what each may do with profiles of which names.
fn rbac(groups: &[(&str, &[&str], &[&str])]) -> Rbac {
    let role = |(i, (_, verbs, names)): (usize, &(&str, &[&str], &[&str]))| {
        let mut rule = Rule::on(&"r".parse().unwrap(), verbs.to_vec(), vec![GROUP], vec!["accessprofiles"]);
        rule.resource_names = names.iter().map(|name| (*name).to_owned()).collect();
        Role { namespace: None, name: format!("role-{i}"), rules: vec![rule] }
    };
    let binding = |(i, (group, ..)): (usize, &(&str, &[&str], &[&str]))| Binding {
        namespace: None,
        name: format!("binding-{i}"),
        role: RoleRef::ClusterRole(format!("role-{i}")),
        subjects: vec![Subject::Group((*group).to_owned())],
    };
    Rbac::about(
        &[GROUP],
        groups.iter().enumerate().map(role).collect(),
        groups.iter().enumerate().map(binding).collect(),
    )
}

fn usual() -> Rbac {
    rbac(&[
        ("dev", &["request"], &["operate"]),
        ("leads", &["approve"], &["operate"]),
        ("others", &["request"], &["view"]),
    ])
}

fn told(rbac: &Rbac, before: Option<&Profile>, after: &Profile) -> Vec<(DriftWay, String)> {
    let clusters: Vec<ClusterName> = ["pay-eu", "pay-us"].iter().map(|name| name.parse().unwrap()).collect();
    let lines = difference(rbac, &[], &clusters, before, after);
    lines.into_iter().map(|line| (line.way, format!("{} {}", line.about, line.text))).collect()
}

#[test]
fn who_asks_on_other_clusters_whose_yes_is_asked_and_who_is_let_in_at_once() {
    use DriftWay::{Narrower, Wider};
    let before = profile(json!({}));
    let wider = told(&usual(), Some(&before), &profile(json!({"clusters": ["pay-*"]})));
    assert_eq!(wider, [(Wider, "group dev may now ask for it on pay-us".to_owned())]);
    let less = told(&usual(), Some(&profile(json!({"clusters": ["*"]}))), &before);
    assert_eq!(less, [(Narrower, "group dev may no longer ask for it on pay-us".to_owned())]);
    let free = told(&usual(), Some(&before), &profile(json!({"approvals": 0})));
    assert_eq!(free, [(Wider, "group leads is not asked for a yes any more: it opens at once".to_owned())]);
    let asked = told(&usual(), Some(&profile(json!({"approvals": 0}))), &before);
    assert_eq!(asked, [(Narrower, "group leads is asked for a yes now".to_owned())]);
    let auto = profile(json!({"autoApprovals": [{"name": "on-call", "groups": ["oncall"]}]}));
    let let_in = told(&usual(), Some(&before), &auto);
    assert!(
        let_in.len() == 1
            && let_in[0].0 == Wider
            && let_in[0].1.starts_with("group oncall is let in at once by"),
        "{let_in:?}"
    );
    assert_eq!(told(&usual(), Some(&auto), &before)[0].0, Narrower);
    let nothing =
        profile(json!({"approvals": 0, "autoApprovals": [{"name": "on-call", "groups": ["oncall"]}]}));
    assert!(
        told(&usual(), Some(&profile(json!({"approvals": 0}))), &nothing).is_empty(),
        "all are let in at once"
    );
    assert!(told(&usual(), Some(&before), &before).is_empty());
}

#[test]
fn of_a_new_one_all_who_may_are_told_and_what_nobody_may() {
    let new = told(&usual(), None, &profile(json!({"clusters": ["pay-*"]})));
    assert_eq!(new[0].1, "group dev may ask for it, on pay-eu, pay-us");
    assert_eq!(new[1].1, "group leads may say yes to others who ask");
    assert!(missing(&usual(), &[], &profile(json!({}))).is_empty());
    let none = rbac(&[("others", &["request"], &["view"])]);
    let lacks = missing(&none, &[], &profile(json!({})));
    assert!(
        lacks.len() == 2 && lacks[0].contains("may ask for it: bind") && lacks[1].contains("nobody opens it"),
        "{lacks:?}"
    );
    assert_eq!(missing(&none, &[], &profile(json!({"approvals": 0}))).len(), 1);
    let admins = rbac(&[("system:masters", &["*"], &[]), ("leads", &["approve"], &["operate"])]);
    let lacks = missing(&admins, &[], &profile(json!({})));
    assert!(lacks.len() == 1 && lacks[0].starts_with("Nobody but system:masters may ask"), "{lacks:?}");
    let nowhere = told(&usual(), None, &profile(json!({"clusters": ["x"]})));
    assert_eq!(nowhere[0].1, "group dev may ask for it, on no cluster of this hub yet");
}
