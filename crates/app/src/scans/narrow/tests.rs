use super::*;
use crate::evidence::seen_in;
use serde_json::{Value, json};

/// An account with far more than it uses, and a person.
const HELD: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: wide}
rules:
- {apiGroups: [""], resources: [pods], verbs: [watch, list, get]}
- {apiGroups: [""], resources: [secrets], verbs: ["*"]}
- {nonResourceURLs: ["/metrics"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: wide, namespace: pay}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: wide}
subjects: [{kind: ServiceAccount, namespace: ci, name: robot}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: dana}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: wide}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: dana}]
"#;

fn snapshot() -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("held.yaml"), HELD).unwrap();
    sallyport_scan::folder(dir.path(), &sallyport_scan::Whole::default()).unwrap().snapshot()
}

fn call(n: u64, user: &str, verb: &str, resource: &str, name: &str, code: u16) -> Value {
    let decision = if code == 403 { "forbid" } else { "allow" };
    let at = format!("2026-11-20T10:00:{:02}.000000Z", n % 60);
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("a-{n}"),
        "stage": "ResponseComplete", "verb": verb, "requestURI": format!("/api/v1/namespaces/pay/{resource}/{name}"),
        "user": {"username": user, "groups": ["system:authenticated"]}, "sourceIPs": ["10.0.0.1"],
        "objectRef": {"resource": resource, "namespace": "pay", "name": name, "apiVersion": "v1"},
        "responseStatus": {"code": code}, "requestReceivedTimestamp": at, "stageTimestamp": at,
        "annotations": {"authorization.k8s.io/decision": decision}
    })
}

async fn view(subject: &Subject, cluster: &str, log: Option<&[Value]>) -> UseView {
    let seen = seen_in(log, cluster, subject.name()).await;
    narrowed(cluster, &snapshot(), subject, seen)
}

fn robot() -> Subject {
    Subject::account("ci", "robot")
}

const ROBOT: &str = "system:serviceaccount:ci:robot";

fn text(lines: &[Shown]) -> String {
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_was_used_makes_a_narrower_role_and_the_difference_says_what_goes() {
    let log = [
        call(1, ROBOT, "list", "pods", "", 200),
        call(2, ROBOT, "get", "secrets", "broker-tls", 200),
        call(3, ROBOT, "get", "secrets", "broker-tls", 200),
        call(4, ROBOT, "delete", "secrets", "broker-tls", 403),
        call(5, "dana", "delete", "secrets", "other", 200),
    ];
    let view = view(&robot(), "payments-eu-1", Some(&log)).await;
    assert_eq!((view.calls, view.refused, view.why.as_ref()), (4, 1, None), "{view:?}");
    assert!(
        view.first_us < view.last_us
            && view.reach_from_us <= view.first_us
            && view.last_us < view.reach_to_us
    );
    let role = text(&view.role);
    assert!(role.contains("resourceNames: [broker-tls]") && role.contains("kind: RoleBinding"), "{role}");
    assert!(!role.contains("delete") && !role.contains('*') && !role.contains("other"), "{role}");
    let difference = text(&view.difference);
    for line in [
        "# RoleBinding pay/wide gives ClusterRole wide in pay",
        " - apiGroups: [\"\"]\n   resources: [pods]\n   verbs: [get, list, watch]",
        "-- apiGroups: [\"\"]\n-  resources: [secrets]\n-  verbs: [\"*\"]",
        "-- nonResourceURLs: [\"/metrics\"]",
        "# instead, in pay",
        "+  resourceNames: [broker-tls]\n+  verbs: [get]",
    ] {
        assert!(difference.contains(line), "{line}\n{difference}");
    }
    let [held] = view.held.as_slice() else { panic!("{:?}", view.held) };
    assert!(
        text(&held.used).contains("list pods") && text(&held.unused).contains("any verb on secrets"),
        "{held:?}"
    );
    let said = text(&view.not_known);
    assert!(said.contains("less often than these logs reach back") && said.contains("Metadata 4"), "{said}");
}

#[tokio::test]
async fn without_a_log_it_says_why_there_is_no_role_and_what_to_do() {
    let none = view(&robot(), "payments-eu-1", None).await;
    assert!(none.why.as_ref().unwrap().contains("of any cluster was read"), "{none:?}");
    assert!(none.next.unwrap().contains("in Audit") && none.role.is_empty() && none.difference.is_empty());
    let log = [call(1, "dana", "list", "pods", "", 200)];
    let other = view(&robot(), "payments-eu-2", Some(&log)).await;
    assert!(other.why.unwrap().contains("of payments-eu-2 was read"));
    // A log that tells of others: nothing was used, which is not that nothing is needed.
    let unused = view(&robot(), "payments-eu-1", Some(&log)).await;
    assert!(unused.why.unwrap().contains("Nothing that a role gives was seen") && unused.role.is_empty());
    assert!(unused.reach_from_us.is_some() && unused.held.len() == 1 && unused.held[0].used.is_empty());
    assert!(!text(&unused.difference).contains('+') && text(&unused.difference).contains("-- apiGroups"));
    // Refused calls make no role.
    let refused = [call(1, ROBOT, "get", "secrets", "a", 403)];
    let refused = view(&robot(), "payments-eu-1", Some(&refused)).await;
    assert!(refused.role.is_empty() && refused.refused == 1 && refused.why.is_some());
}

#[tokio::test]
async fn of_a_person_it_says_that_groups_are_not_known() {
    let log = [call(1, "dana", "list", "pods", "", 200)];
    let view = view(&Subject::User("dana".to_owned()), "payments-eu-1", Some(&log)).await;
    assert!(text(&view.not_known).contains("In which groups they are is not known"));
    assert!(text(&view.role).contains("kind: User"), "{:?}", view.role);
}

#[test]
fn of_a_group_and_of_no_subject_nobodys_calls_are_looked_for() {
    let WhoCalled::Nobodys(group) = whose(Some(&Subject::Group("devs".to_owned()))) else {
        panic!("it has none")
    };
    assert!(group.why.unwrap().contains("held by a group") && group.next.unwrap().contains("--person"));
    let WhoCalled::Nobodys(object) = whose(None) else { panic!("it has none") };
    assert!(object.why.unwrap().contains("about an object"));
    assert!(matches!(whose(Some(&robot())), WhoCalled::Calls(_)));
}

#[tokio::test]
async fn p24_whatever_a_log_says_is_one_text_in_the_role_and_the_difference() {
    let evil = "x\n- verbs: [\"*\"]\n\u{202e}";
    let log = [
        call(1, ROBOT, "get", "secrets", evil, 200),
        call(2, ROBOT, "get", "secrets", evil, 200),
        call(3, ROBOT, "*", "*", "", 200),
    ];
    let view = view(&robot(), "payments-eu-1", Some(&log)).await;
    for text in [text(&view.role), text(&view.difference)] {
        assert!(!text.contains('\u{202e}'), "{text}");
        assert!(
            !text.lines().any(|line| line.trim_start_matches(['+', ' ']).starts_with("- verbs")),
            "{text}"
        );
    }
    let role = text(&view.role);
    assert!(
        !role.lines().any(|line| line.trim() == "verbs: [\"*\"]"),
        "what means more as a rule is none: {role}"
    );
    assert!(text(&view.not_known).contains("1 calls are not in the role"), "{:?}", view.not_known);
}
