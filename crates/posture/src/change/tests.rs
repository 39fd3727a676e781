use crate::change::Change;
use crate::evidence::Object;
use crate::snapshot::Snapshot;
use crate::tests::{Cluster, group, rule, user};
use crate::yaml::{Yaml, document, scalar};
use proptest::prelude::*;
use sallyport_rbac::who::Subject;
use serde_json::json;

/// All that a change can touch.
pub(crate) fn touched(one: &Snapshot) -> String {
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        one.roles, one.bindings, one.accounts, one.namespaces, one.webhooks, one.secrets
    )
}

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
        Change::Enforce { namespace: object("Namespace", None, "ci") },
        Change::FailClosed {
            configuration: object("ValidatingWebhookConfiguration", None, "guard"),
            webhooks: vec!["a.guard.test".to_owned()],
        },
        Change::DeleteSecret { secret: object("Secret", Some("ci"), "one") },
    ];
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
