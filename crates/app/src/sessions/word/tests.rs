use super::*;
use serde_json::{Value, json};

/// A request that is Active on the hub, with these conditions and whether it was withdrawn.
fn request(phase: &str, withdrawn: bool, conditions: &[Value]) -> AccessRequest {
    let condition = |one: &Value| {
        let mut whole = one.clone();
        whole["lastTransitionTime"] = json!("2026-01-01T00:00:00Z");
        whole
    };
    let conditions: Vec<Value> = conditions.iter().map(condition).collect();
    let spec = json!({"user": "oidc:ann@example.org", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "0",
        "namespaces": ["a"], "duration": "1h", "reason": "r", "publicKey": "k", "acr": "", "amr": [], "authTime": 0});
    serde_json::from_value(json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": "r", "namespace": "team"}, "spec": spec,
        "status": {"phase": phase, "withdrawn": withdrawn, "conditions": conditions}}))
    .expect("a request")
}

fn closing(reason: &str, message: &str) -> Value {
    json!({"type": "Closing", "status": "True", "reason": reason, "message": message})
}

#[test]
fn fault_a1_p13_what_is_left_of_a_removed_grant_is_named_and_waiting_for_a_word_is_no_hindrance() {
    let said = |reason, message| hindrance(&request("Active", false, &[closing(reason, message)]));
    let waits = "its grant was removed on the cluster; waiting for the word of whoever ended it";
    assert_eq!(said("GrantRemoved", waits), None);
    let left = "its grant was removed on the cluster; still there: RoleBinding a/x: refused; still there: RoleBinding b/y: \
                refused; waiting for the word of whoever ended it";
    let named = "RoleBinding a/x: refused; RoleBinding b/y: refused";
    assert_eq!(said("GrantRemoved", left).as_deref(), Some(named));
    assert_eq!(said("Refused", "RoleBinding a/x: kept").as_deref(), Some("RoleBinding a/x: kept"));
    assert_eq!(hindrance(&request("Active", false, &[])), None);
}

#[test]
fn fault_a10_a_no_is_the_last_word_only_where_the_request_says_that_it_is_over() {
    assert!(knows_its_end(&request("Closed", false, &[])));
    assert!(knows_its_end(&request("Active", true, &[])));
    for phase in ["Pending", "Approved", "Active"] {
        assert!(!knows_its_end(&request(phase, false, &[])), "{phase}");
    }
}

#[test]
fn fault_a1_p13_the_broker_s_word_is_there_before_the_request_is_closed() {
    let word = |conditions: &[Value]| {
        let word = said(&request("Active", false, conditions));
        (word.reason, word.message)
    };
    let removed = "its grant was removed on the cluster; waiting for the word of whoever ended it";
    assert_eq!(word(&[closing("GrantRemoved", removed)]), (EndReason::Revoked, removed.to_owned()));
    let decided =
        json!({"type": "Ended", "status": "False", "reason": "Revoked", "message": "closed because r grew"});
    assert_eq!(
        word(&[closing("Refused", "RoleBinding a/x: kept"), decided]),
        (EndReason::Revoked, "closed because r grew".to_owned())
    );
    assert_eq!(word(&[]).0, EndReason::Failed);
}

#[test]
fn fault_a6_p13_a_request_that_carries_an_end_never_opens() {
    let now = "2026-01-01T00:00:00Z";
    let word = |more: Value| {
        let mut object = serde_json::to_value(request("Active", false, &[])).unwrap();
        object["status"]["credential"] = json!("sealed");
        for (key, value) in more.as_object().unwrap() {
            object["status"][key] = value.clone();
        }
        heard(&serde_json::from_value(object).unwrap())
    };
    assert_eq!(word(json!({})), Heard::Granted);
    assert_eq!(word(json!({"credential": ""})), Heard::OnItsWay, "it was opened already");
    let ends = [
        (json!({"revocation": {"by": "oidc:eve", "reason": "no", "at": now}}), EndReason::Revoked),
        // Of something open a no takes the rights, as the broker says it.
        (json!({"denial": {"by": "oidc:eve", "reason": "no", "at": now}}), EndReason::Revoked),
        (json!({"phase": "Pending", "denial": {"by": "oidc:eve", "at": now}}), EndReason::Denied),
        (json!({"withdrawn": true}), EndReason::Left),
        (json!({"conditions": [closing("Refused", "RoleBinding a/x: kept")]}), EndReason::Revoked),
    ];
    for (end, reason) in ends {
        let mut end = end;
        for one in end.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
            one["lastTransitionTime"] = json!(now);
        }
        let Heard::Ending(said) = word(end.clone()) else { panic!("{end} opens") };
        assert_eq!(said.reason, reason, "{end}");
    }
    assert!(matches!(word(json!({"phase": "Closed"})), Heard::Closed(_)));
}

#[test]
fn who_or_what_said_yes_is_told() {
    let mut one = request("Approved", false, &[]);
    assert_eq!(approved_by(&one), "at once: no approval needed");
    let met = json!({"name": "office", "saw": "oidc:dev; payments", "at": "2026-01-01T00:00:00Z"});
    let status = one.status.as_mut().expect("a status");
    status.auto_approval = serde_json::from_value(met).expect("a record");
    assert_eq!(approved_by(&one), "by autoApproval office: oidc:dev; payments");
}
