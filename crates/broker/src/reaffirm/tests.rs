use super::*;
use crate::samples::request;
use serde_json::{Value, json};

fn offer(reaffirm: Value) -> Value {
    json!({"digest": "d", "rules": [], "endpoint": "e", "caDigest": "c", "reaffirm": reaffirm})
}

#[test]
fn what_an_offer_wants_is_held_against_the_newest_word() {
    let wanted = json!({"every": "15m", "grace": "5m"});
    let at = |issued: i64, reaffirmed: Option<i64>, now: i64| {
        let mut status = json!({"offer": offer(wanted.clone())});
        if let Some(issued) = reaffirmed {
            status["reaffirmed"] = json!({"issued": issued, "groups": []});
        }
        word_for(&request(json!({"issuedAt": issued}), status), now)
    };
    assert!(matches!(at(1000, None, 1100), Some(Vouched::Fine { over_at: 2200, .. })));
    assert!(matches!(at(1000, None, 1900), Some(Vouched::Due { over_at: 2200 })));
    assert!(matches!(at(1000, None, 2200), Some(Vouched::Over { .. })));
    assert!(matches!(at(1000, Some(1900), 2200), Some(Vouched::Fine { over_at: 3100, .. })));
    // The token it was asked with, sent again, is no new word.
    assert!(matches!(at(1000, Some(1000), 2200), Some(Vouched::Over { .. })));
    let never = request(json!({}), json!({"offer": offer(wanted)}));
    assert!(matches!(word_for(&never, 0), Some(Vouched::Over { .. })));
}

#[test]
fn where_no_offer_wants_it_nothing_is_judged_and_what_cannot_be_read_is_over() {
    assert_eq!(word_for(&request(json!({}), json!({})), 0), None);
    assert_eq!(word_for(&request(json!({}), json!({"offer": offer(json!(null))})), i64::MAX), None);
    for odd in [json!({"every": "1s", "grace": "1m"}), json!({"every": "\u{202e}", "grace": "1m"})] {
        let odd = request(json!({"issuedAt": 1000}), json!({"offer": offer(odd)}));
        let Some(Vouched::Over { why }) = word_for(&odd, 1001) else { panic!() };
        assert!(!why.contains('\u{202e}') && !why.is_empty(), "{why}");
    }
}
