use super::*;
use crate::reach::profiles::object::profile_of;
use crate::reach::profiles::standing::Standing;
use serde_json::json;

fn profile(approvals: u8, roles: &[&str]) -> Value {
    json!({
        "apiVersion": "x", "kind": "AccessProfile", "metadata": {"name": "operate"},
        "spec": {"clusters": ["*"], "roles": roles, "maxDuration": "1h", "approvals": approvals},
    })
}

fn difference(base: Option<&Value>, would_be: &Value) -> ProfileDifference {
    between(&nothing_read(), base, would_be, &profile_of(would_be).unwrap())
}

fn nothing_read() -> Facts {
    Facts {
        clusters: Err("forbidden".into()),
        previews: Err("forbidden".into()),
        profiles: Ok(vec![]),
        rbac: Err("you may not list roles".into()),
        teams: vec![],
        standing: Standing::default(),
    }
}

#[test]
fn what_could_not_be_read_is_said_beside_what_could() {
    let difference = difference(Some(&profile(1, &["r"])), &profile(0, &["r"]));
    assert!(difference.conditions.len() == 1 && difference.people.is_empty() && difference.rules.is_empty());
    assert!(difference.unknown[0].contains("On which clusters") && difference.unknown[1].contains(AUDITOR));
    assert_eq!(difference.standing.len(), 1);
    assert_eq!(in_short(&difference), "wants 0 approvals instead of 1");
}

#[test]
fn a_new_one_has_nothing_standing_and_labels_alone_have_words_too() {
    assert!(difference(None, &profile(0, &["r"])).standing.is_empty());
    let same = difference(Some(&profile(1, &["r"])), &profile(1, &["r"]));
    assert_eq!(in_short(&same), "labels or annotations");
    let long: Vec<String> = (0..40).map(|i| format!("{}-{i}", "role".repeat(50))).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let big = difference(Some(&profile(1, &["r"])), &profile(0, &long));
    assert!(in_short(&big).len() < 2000);
}
