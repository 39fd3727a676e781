use super::*;
use crate::reach::profiles::object::profile_of;
use serde_json::{Value, json};

fn profile(spec: Value) -> Profile {
    let mut full = json!({
        "clusters": ["*-stage"], "roles": ["r"], "namespaces": ["pay"], "maxDuration": "1h", "approvals": 1,
        "mfa": {"acr": ["mfa"], "maxAge": "15m"},
    });
    for (field, value) in spec.as_object().unwrap() {
        full[field] = value.clone();
    }
    profile_of(&json!({"apiVersion": "x", "kind": "AccessProfile", "metadata": {"name": "p"}, "spec": full}))
        .unwrap()
}

fn told(after: Value) -> Vec<(DriftWay, String)> {
    let lines = difference(Some(&profile(json!({}))), &profile(after), Vec::new());
    lines.into_iter().map(|line| (line.way, line.text.to_string())).collect()
}

#[test]
fn each_condition_is_told_with_the_way_it_goes() {
    use DriftWay::{Narrower, Wider};
    for (after, way, text) in [
        (json!({"approvals": 0}), Wider, "wants 0 approvals instead of 1"),
        (json!({"approvals": 2}), Narrower, "wants 2 approvals instead of 1"),
        (json!({"maxDuration": "2h"}), Wider, "lasts up to 120 min instead of 60 min"),
        (json!({"maxPerDay": "4h"}), Narrower, "gives one person 240 min a day instead of any time"),
        (json!({"reasonRequired": false}), Wider, "wants no reason any more"),
        (
            json!({"mfa": {"acr": ["mfa"], "maxAge": "5m"}}),
            Narrower,
            "wants of a sign-in: acr mfa, at most 5 min old; before: acr mfa, at most 15 min old",
        ),
        (json!({"mfa": {"acr": ["mfa", "pwd"], "maxAge": "5m"}}), Wider, "acr mfa or pwd"),
        (json!({"mfa": {"acr": ["mfa"]}}), Wider, "before"),
        (json!({"mfa": null}), Wider, "wants of a sign-in: nothing"),
        (json!({"mfa": {"acr": ["mfa"], "amr": ["hwk"], "maxAge": "15m"}}), Narrower, "amr hwk"),
        (
            json!({"reaffirm": {"every": "15m", "grace": "5m"}}),
            Narrower,
            "is reaffirmed every 15m, 5m at most without; before: never",
        ),
        (json!({"namespaces": ["pay", "shop"]}), Wider, "holds in namespaces shop too"),
        (json!({"namespaces": []}), Wider, "holds cluster-wide instead of in pay"),
        (json!({"clusters": ["*-stage", "*-dev"]}), Wider, "is for clusters named *-dev too"),
        (json!({"roles": ["r", "s"]}), Wider, "binds ClusterRole s too"),
    ] {
        let found = told(after.clone());
        assert!(found.len() == 1 && found[0].0 == way && found[0].1.contains(text), "{after}: {found:?}");
    }
    let other = told(json!({"namespaces": ["shop"]}));
    assert_eq!(other[0].0, Wider, "what is elsewhere is more there: {other:?}");
    let both = told(json!({"roles": ["s"], "clusters": ["*-dev"]}));
    assert_eq!(both.iter().map(|(way, _)| *way).collect::<Vec<_>>(), [Wider, Wider, Narrower, Narrower]);
    assert!(told(json!({})).is_empty());
}

#[test]
fn what_widens_is_named_to_the_last_of_it() {
    let many: Vec<String> =
        (0..60).map(|number| format!("ns-{number}")).chain(["kube-system".into()]).collect();
    let found = told(json!({"namespaces": many, "clusters": ["*-stage", "a", "b", "c", "d", "e", "z"]}));
    for wanted in ["holds in namespaces kube-system too", "is for clusters named z too"] {
        assert!(
            found.iter().any(|(way, text)| *way == DriftWay::Wider && text == wanted),
            "{wanted}: {found:?}"
        );
    }
}

#[test]
fn of_a_new_one_everything_is_told_with_what_it_leaves_open() {
    let lines = difference(
        None,
        &profile(json!({"approvals": 0, "mfa": null, "reaffirm": {"every": "15m", "grace": "5m"}})),
        Vec::new(),
    );
    let text: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    for wanted in [
        "is new, for clusters *-stage",
        "binds r in pay",
        "opens at once, without anybody's yes",
        "lasts up to 1h",
        "wants nothing of a sign-in: any will do",
        "wants a reason now",
        "is reaffirmed every 15m",
    ] {
        assert!(text.iter().any(|line| line.contains(wanted)), "{wanted}: {text:?}");
    }
    assert!(lines.iter().all(|line| line.way == DriftWay::Wider && line.about == "profile p"));
}
