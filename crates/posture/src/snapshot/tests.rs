use super::*;
use proptest::prelude::*;
use sallyport_rbac::who::{RoleRef, Subject};
use serde_json::{Value, json};

fn list(kind: &str, items: Value) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"resourceVersion": "7"}, "items": items})
}

fn taken(value: Value) -> (Snapshot, Taken) {
    let mut snapshot = Snapshot::default();
    let taken = snapshot.take(value.to_string().as_bytes()).unwrap();
    (snapshot, taken)
}

#[test]
fn p21_a_list_is_a_kind_that_was_read_and_a_part_of_one_is_not() {
    let (snapshot, _) = taken(list("ClusterRoleList", json!([])));
    assert_eq!(snapshot.coverage(Kind::ClusterRole), Coverage::Read);
    assert_eq!(snapshot.coverage(Kind::Role), Coverage::NotAsked);
    assert_eq!(snapshot.gaps(Kind::RBAC).len(), 3);
    for meta in [json!({"continue": "token"}), json!({"remainingItemCount": 3}), json!({"continue": 7})] {
        let mut cut = list("RoleList", json!([]));
        cut["metadata"] = meta;
        let (snapshot, _) = taken(cut);
        assert!(matches!(snapshot.coverage(Kind::Role), Coverage::Cut(_)));
    }
    let mut snapshot = Snapshot::default();
    snapshot.asked(Kind::Pod, Coverage::Forbidden("list pods".into()));
    snapshot.asked(Kind::Pod, Coverage::Read);
    let gap = snapshot.gaps(&[Kind::Pod]);
    assert_eq!(gap, ["Pod could not be read: the right to list pods is missing"]);
    // What a server does not have, it has none of.
    snapshot.asked(Kind::Secret, Coverage::NotServed);
    assert!(snapshot.gaps(&[Kind::Secret]).is_empty());
}

#[test]
fn p21_what_cannot_be_read_is_named_and_the_rest_is_kept() {
    let items = json!([
        {"metadata": {"name": "good"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]},
        {"metadata": {"name": "no-rules"}},
        {"metadata": {"name": "null"}, "rules": null, "aggregationRule": null},
        {"metadata": {"name": "more"}, "rules": [{"verbs": ["get"], "new": 1}], "unknown": {}},
        {"metadata": {"name": "number"}, "rules": [{"verbs": [7]}]},
        {"metadata": {"name": "text"}, "rules": "all"},
        {"metadata": {"name": "labels\u{202e}", "labels": {"a": 1}}},
        {"metadata": {}},
        {"metadata": {"name": "in", "namespace": "n"}},
        {"metadata": {"name": "operator"}, "aggregationRule": {"clusterRoleSelectors": [
            {"matchExpressions": [{"key": "a", "operator": "Near", "values": []}]}]}},
        7,
        null,
    ]);
    let (snapshot, taken) = taken(list("ClusterRoleList", items));
    assert_eq!(taken, Taken { kept: 4, other: 0, unread: 8 });
    assert_eq!(snapshot.roles.len(), 4);
    assert_eq!(snapshot.problems.len(), 8);
    assert!(
        matches!(snapshot.coverage(Kind::ClusterRole), Coverage::Cut(why) if why.contains("8 of its objects"))
    );
}

/// What a list of a kind holds is of that kind, or the list is not what it says.
#[test]
fn p21_a_list_with_something_else_in_it_is_not_read_whole() {
    let own = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "own"}});
    for (bad, part) in [
        (json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}), "Service"),
        (json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}), "Pod"),
        (json!({"kind": "ClusterRole", "metadata": {"name": "x"}}), "no apiVersion"),
        (
            json!({"apiVersion": "example.test/v1", "kind": "ClusterRole", "metadata": {"name": "x"}}),
            "example.test",
        ),
        (json!({"apiVersion": "v1", "metadata": {"name": "x"}}), "v1"),
        (json!({"apiVersion": 7, "kind": 7, "metadata": {"name": "x"}}), "no text"),
    ] {
        let (snapshot, taken) = taken(list("ClusterRoleList", json!([own, bad])));
        assert_eq!(taken, Taken { kept: 1, other: 0, unread: 1 }, "{bad}");
        assert!(matches!(snapshot.coverage(Kind::ClusterRole), Coverage::Cut(_)), "{bad}");
        assert_eq!(snapshot.problems[0].kind, Kind::ClusterRole);
        assert!(snapshot.problems[0].what.contains(part), "{}", snapshot.problems[0].what);
        assert!(snapshot.pods.is_empty());
    }
    let beta = json!({"apiVersion": "rbac.authorization.k8s.io/v1beta1", "kind": "ClusterRole", "metadata": {"name": "x"}});
    let (snapshot, _) = taken(list("ClusterRoleList", json!([own, beta])));
    assert_eq!(snapshot.coverage(Kind::ClusterRole), Coverage::Read);
}

/// Of two of the same name one hides the other: which of them holds is not known.
#[test]
fn p21_a_second_object_of_a_name_is_a_problem() {
    let role = |name: &str, namespace: &str| json!({"metadata": {"name": name, "namespace": namespace}});
    let (mut snapshot, first) =
        taken(list("RoleList", json!([role("a", "n"), role("a", "m"), role("b", "n")])));
    assert_eq!((first.kept, first.unread), (3, 0));
    // In one list, or by another file.
    let second = snapshot.take_value(list("RoleList", json!([role("a", "n")]))).unwrap();
    assert_eq!(second, Taken { kept: 0, other: 0, unread: 1 });
    assert_eq!(snapshot.roles.len(), 3);
    assert!(matches!(snapshot.coverage(Kind::Role), Coverage::Cut(_)));
    assert!(snapshot.problems[0].what.contains("second"), "{}", snapshot.problems[0].what);
    // A binding of that name is another object.
    let binding =
        json!([{"metadata": {"name": "a", "namespace": "n"}, "roleRef": {"kind": "Role", "name": "a"}}]);
    assert_eq!(snapshot.take_value(list("RoleBindingList", binding)).unwrap().kept, 1);
}

/// Whether a Secret holds a token is said by its type, which is not among its metadata.
#[test]
fn p21_secrets_without_a_type_are_read_in_part() {
    let secrets = |item: Value| {
        let list = json!({"apiVersion": "v1", "kind": "SecretList", "metadata": {}, "items": [item]});
        taken(list).0.coverage(Kind::Secret)
    };
    let meta = || json!({"name": "s", "namespace": "n"});
    assert_eq!(secrets(json!({"metadata": meta(), "type": "Opaque"})), Coverage::Read);
    for typeless in [json!({"metadata": meta()}), json!({"metadata": meta(), "type": null})] {
        assert!(matches!(secrets(typeless), Coverage::Cut(why) if why.contains("type")));
    }
}

#[test]
fn what_is_no_object_is_refused_and_says_what_to_do() {
    let mut snapshot = Snapshot::default();
    for (bad, part) in [
        ("", "read it from the cluster"),
        ("{\"kind\": \"ClusterRoleList\", \"items\": [{", "read it from the cluster"),
        ("[]", "neither a Kubernetes object"),
        ("{}", "it has no kind"),
        ("{\"kind\": 7}", "it has no kind"),
        ("{\"kind\": \"RoleList\", \"items\": {}}", "neither a Kubernetes object"),
    ] {
        let said = snapshot.take(bad.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(part), "{bad}: {said}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(snapshot.take(deep.as_bytes()).is_err());
    assert!(snapshot.coverage(Kind::ClusterRole) == Coverage::NotAsked);
}

#[test]
fn a_list_of_everything_and_single_objects_are_told_by_their_kinds() {
    let (snapshot, taken) = taken(json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}},
        {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "s"}},
        {"apiVersion": "example.test/v1", "kind": "Role", "metadata": {"name": "r", "namespace": "n"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "annotations": {"k": "secret"}},
            "spec": {"containers": [{"env": [{"name": "PASSWORD", "value": "hunter2"}]}]}},
    ]}));
    assert_eq!(taken, Taken { kept: 2, other: 2, unread: 0 });
    // What was in a file is not all there is.
    assert_eq!(snapshot.coverage(Kind::Pod), Coverage::NotAsked);
    assert_eq!(snapshot.pods[0].account, "default");
    let kept = format!("{snapshot:?}");
    assert!(!kept.contains("hunter2") && !kept.contains("secret\""), "{kept}");
    let mut snapshot = snapshot;
    let quota =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "n"}});
    assert_eq!(snapshot.take(quota.to_string().as_bytes()).unwrap().kept, 1);
}

#[test]
fn p22_subjects_are_whom_the_api_server_takes_them_for() {
    let binding = |namespace: Option<&str>, subjects: Value| {
        let mut binding = json!({"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": subjects});
        let kind = match namespace {
            None => "ClusterRoleBindingList",
            Some(own) => {
                binding["metadata"]["namespace"] = json!(own);
                "RoleBindingList"
            }
        };
        taken(list(kind, json!([binding]))).0.bindings.remove(0)
    };
    let account = json!([{"kind": "ServiceAccount", "name": "bot"}]);
    assert_eq!(binding(Some("n"), account.clone()).binding.subjects, [Subject::account("n", "bot")]);
    let lost = binding(None, account);
    assert!(lost.binding.subjects.is_empty() && lost.odd[0].why.contains("without a namespace"));
    let odd = binding(
        None,
        json!([{"kind": "Robot", "name": "x"}, {"kind": "User", "name": ""}, {"kind": "Group", "name": "g"}]),
    );
    assert_eq!((odd.binding.subjects.len(), odd.odd.len()), (1, 2));
    assert!(binding(None, Value::Null).binding.subjects.is_empty());
    let other = list(
        "RoleBindingList",
        json!([{"metadata": {"name": "b", "namespace": "n"}, "roleRef": {"kind": "Thing", "name": "r"}}]),
    );
    assert_eq!(taken(other).0.bindings[0].binding.role, RoleRef::Other("r".into()));
}

proptest! {
    /// Whatever stands in a file, reading it ends with an answer and never with a panic.
    #[test]
    fn p21_no_text_breaks_the_reader(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut snapshot = Snapshot::default();
        let _ = snapshot.take(text.as_bytes());
        let _ = snapshot.take(&bytes);
        let item = json!({"metadata": {"name": text.clone(), "labels": {text.clone(): text.clone()}}, "rules": [{"verbs": [text]}]});
        let _ = snapshot.take(list("ClusterRoleList", json!([item])).to_string().as_bytes());
        let _ = snapshot.rbac();
    }

    /// A list that is cut anywhere is no list: it is refused whole, and nothing counts as read.
    #[test]
    fn p21_a_list_cut_short_is_never_taken_for_whole(at in 1usize..120) {
        let whole = list("RoleList", json!([{"metadata": {"name": "r", "namespace": "n"}}])).to_string();
        let cut = &whole.as_bytes()[..whole.len().saturating_sub(at)];
        let mut snapshot = Snapshot::default();
        prop_assert!(snapshot.take(cut).is_err());
        prop_assert!(snapshot.coverage(Kind::Role) == Coverage::NotAsked && snapshot.roles.is_empty());
    }
}
