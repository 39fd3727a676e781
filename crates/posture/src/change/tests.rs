use crate::change::Change;
use crate::evidence::Object;
use crate::snapshot::Snapshot;
use crate::tests::{Cluster, group, rule, user};
use crate::yaml::{Yaml, document, scalar};
use proptest::prelude::*;
use sallyport_rbac::who::Subject;
use serde_json::json;

/// All that a change can touch, and all that none does.
pub(crate) fn touched(one: &Snapshot) -> String {
    format!("{one:?}")
}

/// Which kind of change it is, of [`KINDS`]: a new one is added to the test below.
fn kind_of(change: &Change) -> usize {
    match change {
        Change::RemoveSubject { .. } => 0,
        Change::DeleteBinding { .. } => 1,
        Change::NarrowRole { .. } => 2,
        Change::Unmount { .. } => 3,
        Change::UnmountPods { .. } => 4,
        Change::Enforce { .. } => 5,
        Change::FailClosed { .. } => 6,
        Change::DeleteSecret { .. } => 7,
    }
}
const KINDS: usize = 8;

#[test]
fn each_change_can_be_taken_back() {
    let webhook = json!({"name": "a.guard.test", "failurePolicy": "Ignore", "sideEffects": "None",
        "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://guard.test"},
        "rules": [{"apiGroups": [""], "apiVersions": ["*"], "operations": ["*"], "resources": ["pods"]}]});
    let secret = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": name, "namespace": "ci"}})
    };
    let original = Cluster::default()
        .namespace("ci", None)
        .account("ci", "builder")
        .cluster_role("tokens", &[rule(&["create"], &[""], &["serviceaccounts/token"])])
        .bind(Some("ci"), "tokens", &[group("devs"), user("ana")])
        .bind(None, "tokens", &[group("ops")])
        .bind(Some("ci"), "tokens", &[user("ben")])
        .object(
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "guard"}, "webhooks": [webhook]}),
        )
        .object(secret("one"))
        .object(secret("two"))
        .workload("Deployment", "ci", "web", "builder")
        .read();
    let object = |kind, namespace: Option<&str>, name: &str| Object {
        kind,
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        uid: None,
        resource_version: None,
    };
    let bound = |at: usize| {
        let one = &original.bindings[at].binding;
        let kind = if one.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        object(kind, one.namespace.as_deref(), &one.name)
    };
    let changes = [
        Change::RemoveSubject { binding: bound(0), subject: Subject::Group("devs".to_owned()) },
        Change::DeleteBinding { binding: bound(0) },
        Change::DeleteBinding { binding: bound(1) },
        Change::DeleteBinding { binding: bound(2) },
        Change::NarrowRole {
            role: object("ClusterRole", None, "tokens"),
            rules: Vec::new(),
            how: String::new(),
        },
        Change::Unmount { account: object("ServiceAccount", Some("ci"), "builder") },
        Change::UnmountPods { workload: object("Deployment", Some("ci"), "web") },
        Change::Enforce { namespace: object("Namespace", None, "ci") },
        Change::FailClosed {
            configuration: object("ValidatingWebhookConfiguration", None, "guard"),
            webhooks: vec!["a.guard.test".to_owned()],
        },
        Change::DeleteSecret { secret: object("Secret", Some("ci"), "one") },
    ];
    assert!((0..KINDS).all(|kind| changes.iter().any(|change| kind_of(change) == kind)));
    let (mut copy, before) = (original.clone(), touched(&original));
    for change in &changes {
        change.apply(&mut copy).expect("it can be made");
        assert_ne!(touched(&copy), before, "{change:?}");
        assert_eq!(touched(&original), before, "{change:?} is made on the copy alone");
        copy.put_back(&original);
        assert_eq!(touched(&copy), before, "{change:?}");
    }
    // And of several at once.
    changes.iter().skip(2).for_each(|change| change.apply(&mut copy).expect("they can be made together"));
    copy.put_back(&original);
    assert_eq!(touched(&copy), before);
}

#[test]
fn p24_only_plain_words_stand_as_they_are() {
    for plain in
        ["payments", "a-b.c_d", "rbac.authorization.k8s.io/v1", "oidc:devs", "system:serviceaccount:ns:n"]
    {
        assert_eq!(scalar(plain), plain);
    }
    for text in [
        "", "yes", "No", "null", "~", "1", "0x1f", "1.5", "-", "- a", "a: b", "a #b", "*", "&a", "!x", "x:",
        "@me", "`", "%", "ü", "\u{202e}", "a\nb", "on", "y", "=x",
    ] {
        let written = scalar(text);
        assert!(written.starts_with('"') && written.is_ascii(), "{text}: {written}");
    }
}

proptest! {
    /// P24: whatever a name is, the YAML is one line longer for it and says that very name.
    #[test]
    fn a_name_is_read_back_as_it_was(name in "\\PC{0,12}|[a-zA-Z0-9:./_~*&!%@` #{}\\[\\],\"'\\\\-]{0,12}|\\s{0,3}[\\x00-\\x1f\u{202e}\u{200b}a]{1,4}", more in "[a-z*:, {}\\[\\]]{0,6}") {
        let text = document(&[
            ("name", Yaml::from(name.clone())),
            ("list", Yaml::Line(vec![name.clone(), more.clone()])),
            ("labels", Yaml::Labels(vec![("k".to_owned(), name.clone())])),
            ("items", Yaml::List(vec![vec![("a", Yaml::from(more.clone())), ("b", Yaml::from(name.clone()))]])),
        ]);
        let read: serde_json::Value = serde_saphyr::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error} {text}")))?;
        prop_assert_eq!(read, serde_json::json!({
            "name": name, "list": [name, more], "labels": {"k": name}, "items": [{"a": more, "b": name}]
        }), "{}", text);
        prop_assert_eq!(text.lines().count(), 7);
    }
}

mod calls {
    use crate::change::{Because, Change, Patch, WorkloadCall, calls};
    use crate::evidence::Object;
    use crate::tests::{Cluster, account, rule, user};
    use sallyport_rbac::who::Subject;

    fn object(kind: &'static str, namespace: Option<&str>, name: &str) -> Object {
        Object {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            uid: Some("u".to_owned()),
            resource_version: Some("5".to_owned()),
        }
    }

    fn snapshot() -> crate::Snapshot {
        Cluster::default()
            .namespace("app", None)
            .account("app", "bot")
            .cluster_role("r", &[rule(&["get", "list"], &[""], &["pods"])])
            .bind(Some("app"), "r", &[user("ana"), user("ben"), account("app", "bot")])
            .workload("Deployment", "app", "web", "bot")
            .object(serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "app"},
                "type": "Opaque"}))
            .object(serde_json::json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "guard"}, "webhooks": [{"name": "w", "failurePolicy": "Ignore"}]}))
            .read()
    }

    /// One of each kind of change that is not a field of a workload.
    fn others() -> Vec<Change> {
        let binding = || object("RoleBinding", Some("app"), "app-3-r");
        let ana = Subject::User("ana".into());
        vec![
            Change::RemoveSubject { binding: binding(), subject: ana },
            Change::DeleteBinding { binding: binding() },
            Change::NarrowRole {
                role: object("ClusterRole", None, "r"),
                rules: Vec::new(),
                how: String::new(),
            },
            Change::Unmount { account: object("ServiceAccount", Some("app"), "bot") },
            Change::Enforce { namespace: object("Namespace", None, "app") },
            Change::FailClosed {
                configuration: object("ValidatingWebhookConfiguration", None, "guard"),
                webhooks: vec!["w".into()],
            },
            Change::DeleteSecret { secret: object("Secret", Some("app"), "s") },
        ]
    }

    /// P11: a session has no way to make any change but of a field of a workload.
    #[test]
    fn p11_only_a_workload_becomes_a_call_of_a_session() {
        let snapshot = snapshot();
        for change in others() {
            // Each of them could be made otherwise: it is none of a session's for what it is.
            assert!(change.written(&snapshot).is_ok(), "{change:?}: {:?}", change.written(&snapshot));
            assert_eq!(WorkloadCall::of(&change, &snapshot), None, "{change:?}");
        }
        // Nor does an object of another kind in a workload's place.
        for kind in ["ClusterRoleBinding", "RoleBinding", "ServiceAccount", "Namespace", "Pod", "Secret"] {
            let change = Change::UnmountPods { workload: object(kind, Some("app"), "web") };
            assert!(matches!(WorkloadCall::of(&change, &snapshot), Some(Err(_))), "{kind}");
        }
        let change = Change::UnmountPods { workload: object("Deployment", Some("app"), "web") };
        let call = WorkloadCall::of(&change, &snapshot).expect("a workload").expect("a call");
        assert_eq!((call.call().method(), call.call().right().1.as_str()), ("PATCH", "deployments.apps"));
    }

    #[test]
    fn a_change_is_that_very_object_and_a_trial_says_so() {
        let snapshot = snapshot();
        for (change, path) in others().into_iter().zip([
            "PATCH /apis/rbac.authorization.k8s.io/v1/namespaces/app/rolebindings/app-3-r",
            "DELETE /apis/rbac.authorization.k8s.io/v1/namespaces/app/rolebindings/app-3-r",
            "PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/r",
            "PATCH /api/v1/namespaces/app/serviceaccounts/bot",
            "PATCH /api/v1/namespaces/app",
            "PATCH /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/guard",
            "DELETE /api/v1/namespaces/app/secrets/s",
        ]) {
            let patch = change.written(&snapshot).unwrap();
            let call = calls(&[patch]).unwrap().remove(0);
            let (made, tried) = (call.path(false), call.path(true));
            assert_eq!(format!("{} {}", call.method(), made.split('?').next().unwrap()), path);
            if call.method() == "DELETE" {
                let body: serde_json::Value = serde_json::from_str(&call.body(true)).unwrap();
                assert_eq!(body["preconditions"], serde_json::json!({"uid": "u", "resourceVersion": "5"}));
                assert_eq!(body["dryRun"], serde_json::json!(["All"]));
                assert!(!call.body(false).contains("dryRun"));
            } else {
                assert!(tried.ends_with("&dryRun=All") && !made.contains("dryRun"), "{tried} {made}");
                assert!(made.contains("?fieldManager=sallyport-posture&force=true"), "{made}");
                assert!(call.body(true).contains("uid: u") && call.body(true) == call.body(false));
            }
        }
    }

    #[test]
    fn what_was_not_read_from_an_api_server_is_changed_by_nobody() {
        let mut patch = others()[1].written(&snapshot()).unwrap();
        patch.object.resource_version = None;
        let why = calls(&[patch]).unwrap_err().to_string();
        assert!(why.contains("was not read from an API server"), "{why}");
    }

    /// After the first of several changes of one object it would be another version than was read.
    #[test]
    fn of_several_changes_of_one_object_the_last_has_them_all() {
        let leave = |name: &str| Change::RemoveSubject {
            binding: object("RoleBinding", Some("app"), "app-3-r"),
            subject: Subject::User(name.into()),
        };
        let mut state = snapshot();
        let mut patches: Vec<Patch> = Vec::new();
        for change in [leave("ana"), leave("ben")] {
            patches.push(change.written(&state).unwrap());
            change.apply(&mut state).unwrap();
        }
        let all = calls(&patches).unwrap();
        let [one] = all.as_slice() else { panic!("{all:?}") };
        assert!(!one.body(false).contains("ana") && !one.body(false).contains("ben"), "{}", one.body(false));
    }

    #[test]
    fn p24_no_name_leaves_its_place_in_a_path() {
        for (name, shown) in
            [("a/../../secrets", "a%2F..%2F..%2Fsecrets"), ("x?y=1#z", "x%3Fy%3D1%23z"), ("..", "%2E%2E")]
        {
            let patch = Patch {
                object: object("RoleBinding", Some(name), name),
                said: String::new(),
                yaml: String::new(),
                verb: "delete --wait=false",
            };
            let call = calls(&[patch]).unwrap().remove(0);
            let wanted =
                format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{shown}/rolebindings/{shown}");
            assert_eq!(call.path(true), wanted);
        }
    }

    #[test]
    fn an_api_servers_no_is_said_for_what_it_is() {
        let change = Change::UnmountPods { workload: object("Deployment", Some("app"), "web") };
        let call = WorkloadCall::of(&change, &snapshot()).unwrap().unwrap();
        let said = |status: u16, message: &str| {
            let body = serde_json::json!({"kind": "Status", "message": message}).to_string();
            call.call().answered(status, body.as_bytes()).unwrap_err()
        };
        let rbac = "deployments.apps \"web\" is forbidden: User \"s\" cannot patch resource \"deployments\" in API group \"apps\"";
        for (status, message, because) in [
            (403, rbac, Because::Rights),
            (403, "admission webhook \"guard\" denied the request: no", Because::Admission),
            (403, "ValidatingAdmissionPolicy 'x' with binding 'x' denied request: no", Because::Admission),
            (
                422,
                "rolebindings \"x\" is forbidden: ValidatingAdmissionPolicy 'x' denied request: no",
                Because::Admission,
            ),
            (409, "the object has been modified", Because::Changed),
            (404, "not found", Because::Gone),
            (422, "invalid", Because::Invalid),
            (401, "Unauthorized", Because::SignIn),
            (503, "later", Because::Busy),
            (418, "tea", Because::Other),
        ] {
            assert_eq!(said(status, message).because, because, "{status} {message}");
        }
        assert!(call.call().answered(200, b"").is_ok());
        let hostile = said(403, "no\u{202e}\u{1b}[2J").to_string();
        assert!(!hostile.contains(['\u{202e}', '\u{1b}']), "{hostile}");
        // What answers with no Status says no all the same.
        assert!(call.call().answered(500, b"<html>").is_err());
    }
}
