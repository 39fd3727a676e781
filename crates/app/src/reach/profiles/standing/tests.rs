use super::*;
use serde_json::json;

fn request(user: &str, phase: Option<&str>) -> AccessRequest {
    let mut object = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": "ask-1"},
        "spec": {"user": user, "groups": [], "cluster": "pay-eu", "profile": "operate", "profileRevision": "aa/1",
            "duration": "1h", "publicKey": "k"},
    });
    if let Some(phase) = phase {
        object["status"] = json!({"phase": phase});
    }
    serde_json::from_value(object).unwrap()
}

#[test]
fn what_waits_is_void_and_what_is_open_goes_on() {
    let requests = vec![
        request("ana", None),
        request("bo", Some("Pending")),
        request("cy", Some("Approved")),
        request("di", Some("Active")),
    ];
    let standing = Standing { requests, unread: vec!["team-x".parse().unwrap()] };
    let lines = told(&standing, true);
    assert!(
        lines[0].starts_with("3 requests that are not open yet are closed")
            && lines[0].contains("cy on pay-eu")
    );
    assert!(
        lines[1].starts_with("1 session is open under it: di on pay-eu. What is open goes on until its end")
    );
    assert!(lines[2].contains("team-x") && lines.len() == 3);
    let same = told(&standing, false);
    assert!(same.len() == 1 && same[0].starts_with("Nothing that waits or is open is touched"));
    assert!(told(&Standing::default(), true)[0].starts_with("No request that you may read waits"));
}
