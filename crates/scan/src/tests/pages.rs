//! A page is taken in field by field, and comes to the same as all of it would.

use super::{anything, whole};
use crate::page::page;
use crate::reduce::reduce;
use proptest::prelude::*;
use sallyport_posture::Kind;
use serde_json::{Value, json};

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

proptest! {
    #[test]
    fn whatever_the_objects_are_the_same_is_kept(
        items in prop::collection::vec(anything(), 0..4),
        at in 0..Kind::ALL.len(),
    ) {
        let kind = Kind::ALL[at];
        let read = page(kind, &list(kind, &items)).unwrap();
        let reduced: Vec<Value> = items.into_iter().map(|one| reduce(kind, one)).collect();
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
