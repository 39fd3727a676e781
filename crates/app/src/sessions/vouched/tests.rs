use super::*;
use serde_json::json;

fn request(issued_at: Option<i64>, reaffirm: serde_json::Value, word: Option<i64>) -> AccessRequest {
    let mut status = json!({"offer": {"digest": "d", "rules": [], "endpoint": "e", "caDigest": "c", "reaffirm": reaffirm}});
    if let Some(issued) = word {
        status["reaffirmed"] = json!({"issued": issued, "groups": []});
    }
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": "r"},
        "spec": {"user": "u", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
            "duration": "1h", "publicKey": "k", "issuedAt": issued_at},
        "status": status,
    }))
    .unwrap()
}

#[test]
fn a_word_is_what_the_request_says_and_an_older_one_changes_nothing() {
    let wanted = json!({"every": "15m", "grace": "5m"});
    assert_eq!(Word::of(&request(Some(5), json!(null), None)), None);
    // Its broker reads it too, and closes by it; here there is nothing to count by.
    assert_eq!(Word::of(&request(Some(5), json!({"every": "soon", "grace": "5m"}), None)), None);
    let mut known = None;
    let said = |word| Word::of(&request(Some(1000), wanted.clone(), word)).unwrap();
    assert!(Word::heard(&mut known, said(None)));
    known.as_mut().unwrap().overdue = Some("the provider is away".into());
    assert!(!Word::heard(&mut known, said(None)) && !Word::heard(&mut known, said(Some(900))));
    assert!(known.as_ref().unwrap().overdue.is_some(), "what is overdue stays so");
    assert!(Word::heard(&mut known, said(Some(1900))));
    let view = known.unwrap().view();
    assert_eq!((view.every_seconds, view.grace_seconds, view.overdue), (900, 300, None));
    assert_eq!((view.vouched_at, view.closes_at), (Some(1_900_000), Some(3_100_000)));
}

#[test]
fn p24_why_it_has_not_come_is_shown_harmlessly() {
    let mut word = Word::of(&request(None, json!({"every": "5m", "grace": "1m"}), None)).unwrap();
    word.overdue = Some("no\u{202e}pe".into());
    let view = word.view();
    assert_eq!(view.overdue.as_deref(), Some("no⟨U+202E⟩pe"));
    assert_eq!((view.vouched_at, view.closes_at), (None, None));
}
