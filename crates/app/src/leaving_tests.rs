use super::*;
use sallyport_model::EndReason;
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
fn fault_a1_p13_a_token_that_ran_out_says_nothing_of_its_account() {
    assert!(before_its_end(Some(1_000), Some(2_000)));
    for (at, end) in
        [(Some(1_995), Some(2_000)), (Some(2_060), Some(2_000)), (None, Some(2_000)), (Some(1), None)]
    {
        assert!(!before_its_end(at, end), "{at:?} {end:?}");
    }
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
        let word = crate::following::broker_word(&request("Active", false, conditions));
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
