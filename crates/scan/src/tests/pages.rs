//! A page is taken in field by field, and comes to the same as all of it would.

use super::{anything, whole};
use crate::page::{Page, page as page_within};
use crate::reduce::{reduce, weight};
use proptest::prelude::*;
use sallyport_posture::Kind;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

fn page(kind: Kind, body: &[u8]) -> Option<Page> {
    page_within(kind, body, &AtomicU64::new(u64::MAX))
}

fn list(kind: Kind, items: &[Value]) -> Vec<u8> {
    let list = json!({"kind": format!("{}List", kind.name()), "apiVersion": "v1", "metadata": {"continue": "more"}, "items": items,
        "other": [{"items": [1]}]});
    serde_json::to_vec(&list).unwrap()
}

#[test]
fn of_each_kind_the_same_is_kept_as_of_an_object_that_was_read_whole() {
    for kind in Kind::ALL {
        let read = page(*kind, &list(*kind, &[whole(*kind), whole(*kind)])).unwrap();
        assert_eq!(read.items, vec![reduce(*kind, whole(*kind)); 2], "{kind}");
        assert_eq!(read.next.as_deref(), Some("more"));
        assert!(!format!("{read:?}").contains("s3cret"), "{kind}");
    }
}

#[test]
fn of_what_is_there_twice_the_last_counts_and_two_lists_are_none() {
    let twice = br#"{"kind":"ClusterRoleList","metadata":{},"items":[
        {"metadata":{"name":"a"},"metadata":{"name":"b","uid":"u"},"rules":[1],"rules":[]}]}"#;
    let read = page(Kind::ClusterRole, twice).unwrap();
    assert_eq!(
        read.items,
        [reduce(Kind::ClusterRole, json!({"metadata": {"name": "b", "uid": "u"}, "rules": []}))]
    );
    for two in [
        r#"{"kind":"ClusterRoleList","items":[],"items":[{"metadata":{"name":"a"}}]}"#,
        r#"{"kind":"Status","kind":"ClusterRoleList","items":[]}"#,
        r#"{"kind":"ClusterRoleList","metadata":{"continue":"a"},"metadata":{},"items":[]}"#,
        r#"{"kind":"ClusterRoleList","items":[]} {"#,
        r#"{"kind":"ClusterRoleList","items":{}}"#,
        r#"{"kind":"ClusterRoleList","items":"none"}"#,
        r#"["ClusterRoleList", {}, []]"#,
    ] {
        assert_eq!(page(Kind::ClusterRole, two.as_bytes()), None, "{two}");
    }
}

#[test]
fn what_is_passed_over_is_passed_over_however_deep_it_is() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let items = format!(r#"{{"metadata":{{"name":"a","managedFields":{deep}}}}}"#);
    let read = page(Kind::Namespace, format!(r#"{{"kind":"NamespaceList","items":[{items}]}}"#).as_bytes());
    assert_eq!(read.unwrap().items, [reduce(Kind::Namespace, json!({"metadata": {"name": "a"}}))]);
    // What would be kept has an end.
    let kept = format!(r#"{{"kind":"ClusterRoleList","items":[{{"rules":{deep}}}]}}"#);
    assert_eq!(page(Kind::ClusterRole, kept.as_bytes()), None);
    let wrong = format!(r#"{{"kind":"NamespaceList","items":{deep}}}"#);
    assert_eq!(page(Kind::Namespace, wrong.as_bytes()), None);
}

#[test]
fn of_a_page_no_more_is_made_than_may_be_kept() {
    const MOST: u64 = 1 << 20;
    let read = |items: &str| {
        let left = AtomicU64::new(MOST);
        let body =
            format!(r#"{{"kind":"ClusterRoleList","items":[{items}],"metadata":{{"continue":"more"}}}}"#);
        let page = page_within(Kind::ClusterRole, body.as_bytes(), &left).unwrap();
        assert_eq!(page.next.as_deref(), Some("more"), "what stands behind it is read");
        let made: u64 = page.items.iter().map(weight).sum();
        assert_eq!(made, MOST - left.load(Ordering::Relaxed));
        (page.items.len(), page.is_cut)
    };
    let many = |one: &str| vec![one; 200_000].join(",");
    // What is no object is told of once, whatever it is.
    assert_eq!(read(&many("0")), (1, false));
    assert_eq!(read(&many(r#""a""#)), (1, false));
    let (items, is_cut) = read(&many("{}"));
    assert!(is_cut && (1..10_000).contains(&items), "{items}");
    // One object that is all of it is not made either, and what came before it is there.
    let small = r#"{"metadata":{"name":"a"},"rules":[]}"#;
    for one in ["0", r#"{"":0}"#, r#""text""#, "[]"] {
        let large = format!(r#"{{"metadata":{{"name":"b"}},"rules":[{}]}}"#, many(one));
        assert_eq!(read(&format!("{small},{large},{small}")), (1, true), "{one}");
    }
    let text = format!(r#"{{"rules":"{}"}}"#, "a".repeat(2 << 20));
    assert_eq!(read(&format!("{small},{text}")), (1, true));
    assert_eq!(read(&format!("{small},{small}")), (2, false));
}

proptest! {
    #[test]
    fn whatever_the_objects_are_the_same_is_kept(
        items in prop::collection::vec(anything(), 0..4),
        at in 0..Kind::ALL.len(),
    ) {
        let kind = Kind::ALL[at];
        let read = page(kind, &list(kind, &items)).unwrap();
        // What is no object is told of once.
        let mut is_odd = false;
        let told = items.into_iter().filter(|one| one.is_object() || !std::mem::replace(&mut is_odd, true));
        let reduced: Vec<Value> = told.map(|one| reduce(kind, one)).collect();
        prop_assert_eq!(read.items, reduced);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..200) {
        let _ = page(Kind::Pod, &bytes);
        let mut cut = list(Kind::Pod, &[whole(Kind::Pod)]);
        cut.truncate(cut.len() * at / 200);
        prop_assert_eq!(page(Kind::Pod, &cut), None);
    }
}
