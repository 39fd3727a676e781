use crate::change::{Change, Refusal};
use crate::check::{Finding, Verdict};
use crate::effect::Outcome;
use crate::fix::{Fix, propose};
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{Coverage, Kind, Snapshot};
use crate::tests::{Cluster, account, group, made_by, rule, workload};
use proptest::prelude::*;
use serde_json::{Value, json};

fn found(snapshot: &Snapshot, check: &str) -> (Verdict, Vec<Finding>) {
    let report = Ground::new(snapshot).report();
    let judged = report.checks.into_iter().find(|one| one.check.id == check).expect("a check");
    (judged.verdict, judged.findings)
}

fn objects(snapshot: &Snapshot, check: &str) -> Vec<String> {
    let object =
        |one: Finding| one.object.map(|own| format!("{} {}", own.kind, own.name)).unwrap_or_default();
    let mut all: Vec<String> = found(snapshot, check).1.into_iter().map(object).collect();
    all.sort();
    all
}

/// Account `bot` of `app` and its `default` hold something that leads nowhere; `strong` leads to everything.
fn holding() -> Cluster {
    Cluster::default()
        .cluster_role("read", &[rule(&["get"], &[""], &["configmaps"])])
        .cluster_role("all", &[rule(&["*"], &["*"], &["*"])])
        .bind(Some("app"), "read", &[account("app", "bot"), account("app", "default")])
        .bind(None, "all", &[account("app", "strong")])
        .account("app", "bot")
        .account("app", "default")
        .account("app", "strong")
}

fn pod(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "app"}, "spec": spec})
}

fn as_bot(name: &str) -> Value {
    pod(name, json!({"serviceAccountName": "bot"}))
}

fn fixes(snapshot: &Snapshot, check: &str) -> (Vec<Fix>, Vec<String>) {
    let ground = Ground::new(snapshot);
    let finding = found(snapshot, check).1.remove(0);
    let proposed = propose(&ground, &finding, None, None);
    (proposed.fixes, proposed.notes)
}

#[test]
fn a_workload_is_told_once_and_not_its_pods() {
    let replicas = workload("ReplicaSet", "app", "web-1", json!({"serviceAccountName": "bot"}));
    let job = workload("Job", "app", "nightly-1", json!({"serviceAccountName": "bot"}));
    let mut cluster = holding()
        .workload("Deployment", "app", "web", "bot")
        .object(made_by(replicas, "apps/v1", "Deployment", "web"))
        .workload("CronJob", "app", "nightly", "bot")
        .object(made_by(job, "batch/v1", "CronJob", "nightly"))
        .object(made_by(as_bot("nightly-1-x"), "batch/v1", "Job", "nightly-1"))
        .workload("StatefulSet", "app", "quiet", "nobody");
    for number in 0..30 {
        cluster =
            cluster.object(made_by(as_bot(&format!("web-1-{number}")), "apps/v1", "ReplicaSet", "web-1"));
    }
    let snapshot = cluster.read();
    assert_eq!(objects(&snapshot, "SA-03"), ["CronJob nightly", "Deployment web"]);
    let told = found(&snapshot, "SA-03").1;
    assert!(told.iter().any(|one| one.said
        == "Deployment web in app has the token of service account bot of app in its pods, whose rights whoever gets into \
            one of them has too."), "{told:?}");
}

#[test]
fn pods_that_no_known_workload_makes_are_told_of_once_for_each_account() {
    // Their ReplicaSet is another of that name, or was not read: whoever makes it puts it back.
    let mut other = made_by(as_bot("web-2"), "apps/v1", "ReplicaSet", "web");
    other["metadata"]["ownerReferences"][1]["uid"] = json!("another");
    let cluster = holding()
        .object(workload("ReplicaSet", "app", "web", json!({"automountServiceAccountToken": false})))
        .object(other)
        .object(made_by(as_bot("web-3"), "example.test/v1", "Rollout", "roll"));
    let snapshot = cluster.read();
    assert_eq!(objects(&snapshot, "SA-03"), ["Pod web-2"]);
    let said = &found(&snapshot, "SA-03").1[0].said;
    assert!(said.starts_with("Pod web-2 in app, made by ReplicaSet web, has the token"), "{said}");
}

/// Whatever somebody writes as an owner, nothing that has a token is passed over for it.
#[test]
fn p21_owners_in_a_circle_hide_nothing() {
    let spec = || json!({"serviceAccountName": "bot"});
    let snapshot = holding()
        .object(made_by(workload("Deployment", "app", "a", spec()), "apps/v1", "Deployment", "b"))
        .object(made_by(workload("Deployment", "app", "b", spec()), "apps/v1", "Deployment", "a"))
        .object(made_by(workload("ReplicaSet", "app", "c", spec()), "apps/v1", "ReplicaSet", "c"))
        .object(made_by(pod("d", json!({"serviceAccountName": "strong"})), "apps/v1", "Deployment", "a"))
        .read();
    assert_eq!(objects(&snapshot, "SA-03"), ["Deployment a", "Deployment b", "Pod d", "ReplicaSet c"]);
    assert_eq!(
        found(&snapshot, "SA-03").1[0].severity,
        Severity::Medium,
        "d runs as another, and is told of"
    );
}

#[test]
fn a_token_is_there_by_the_pod_the_account_or_a_volume_of_its_own() {
    let token = |source: Value| {
        json!({"serviceAccountName": "bot", "automountServiceAccountToken": false,
        "volumes": [{"name": "v", "projected": {"sources": [source]}}]})
    };
    let own = json!({"serviceAccountToken": {"path": "token"}});
    let vault = json!({"serviceAccountToken": {"path": "token", "audience": "vault"}});
    for (spec, there) in [
        (json!({"serviceAccountName": "bot"}), true),
        (json!({"serviceAccountName": "bot", "automountServiceAccountToken": false}), false),
        (json!({"serviceAccountName": "quiet"}), false),
        (json!({"serviceAccountName": "quiet", "automountServiceAccountToken": true}), true),
        (token(own), true),
        (token(vault), false),
        (token(json!({"configMap": {"name": "x"}})), false),
    ] {
        let snapshot = holding()
            .bind(Some("app"), "read", &[account("app", "quiet")])
            .object(
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
                "metadata": {"name": "quiet", "namespace": "app"}}),
            )
            .object(workload("Deployment", "app", "web", spec.clone()))
            .read();
        assert_eq!(!objects(&snapshot, "SA-03").is_empty(), there, "{spec}");
    }
}

#[test]
fn default_is_told_by_its_own_check_and_not_twice() {
    let snapshot = holding().object(workload("Deployment", "app", "web", json!({}))).read();
    assert_eq!(objects(&snapshot, "SA-03"), [""; 0]);
    let (verdict, findings) = found(&snapshot, "SA-04");
    assert_eq!((verdict, findings[0].severity), (Verdict::Fail, Severity::Medium));
    assert!(findings[0].said.contains("runs as service account default of app"), "{}", findings[0].said);
    // A default that holds nothing is how Kubernetes comes.
    let bare = Cluster::default().object(workload("Deployment", "app", "web", json!({}))).read();
    assert_eq!(found(&bare, "SA-04").0, Verdict::Pass);
}

#[test]
fn long_tokens_are_told_with_who_is_to_believe_them() {
    let asks = |seconds: i64, audience: &str| {
        let token =
            json!({"serviceAccountToken": {"path": "t", "expirationSeconds": seconds, "audience": audience}});
        json!({"volumes": [{"name": "v", "projected": {"sources": [token]}}]})
    };
    let snapshot = |spec| Cluster::default().object(workload("Deployment", "app", "web", spec)).read();
    assert_eq!(found(&snapshot(asks(86_400, "sts.amazonaws.com")), "SA-05").0, Verdict::Pass);
    let said = |spec| found(&snapshot(spec), "SA-05").1.remove(0).said;
    assert!(said(asks(172_800, "")).contains("a token for the API server that lives for 48 hours"));
    assert!(
        said(asks(604_800, "vault\u{202e}"))
            .contains("a token for vault⟨U+202E⟩, which is not this API server")
    );
}

#[test]
fn on_every_node_counts_what_leads_to_everything() {
    let snapshot = holding()
        .workload("DaemonSet", "app", "agent", "strong")
        .workload("DaemonSet", "app", "small", "bot")
        .workload("Deployment", "app", "web", "strong")
        .read();
    assert_eq!(objects(&snapshot, "SA-08"), ["DaemonSet agent"]);
    assert_eq!(found(&snapshot, "SA-08").1[0].severity, Severity::High);
}

#[test]
fn p21_workloads_that_were_not_read_make_it_unknown() {
    for kind in Kind::WORKLOADS {
        let mut snapshot = Snapshot::default();
        for other in Kind::ALL {
            snapshot.asked(*other, if other == kind { Coverage::NotAsked } else { Coverage::Read });
        }
        for check in ["SA-03", "SA-04", "SA-05", "SA-08"] {
            assert!(matches!(found(&snapshot, check).0, Verdict::Unknown(_)), "{check} {kind}");
        }
    }
}

#[test]
fn the_fix_at_a_workload_is_one_field_of_that_very_object() {
    for (kind, head, path) in [
        (
            "Deployment",
            "apps/v1",
            "spec:\n  template:\n    spec:\n      automountServiceAccountToken: false\n",
        ),
        ("StatefulSet", "apps/v1", "spec:\n  template:\n"),
        ("DaemonSet", "apps/v1", "spec:\n  template:\n"),
        ("ReplicaSet", "apps/v1", "spec:\n  template:\n"),
        (
            "CronJob",
            "batch/v1",
            "spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          automountServiceAccountToken: false\n",
        ),
    ] {
        let snapshot = holding()
            .workload(kind, "app", "web", "bot")
            .object(made_by(as_bot("web-x"), head, kind, "web"))
            .read();
        let (fixes, _) = fixes(&snapshot, "SA-03");
        let fix = &fixes[0];
        assert_eq!(fix.title, format!("Mount no token into the pods of {kind} app/web"));
        assert_eq!(fix.effect.outcome, Some(Outcome::Gone));
        assert!(fix.effect.losses.is_empty() && fix.effect.warnings.len() == 2, "{:?}", fix.effect);
        let yaml = &fix.patches[0].yaml;
        assert!(yaml.starts_with(&format!("apiVersion: {head}\nkind: {kind}\n")), "{yaml}");
        assert!(
            yaml.contains("  uid: uid-web\n  resourceVersion: \"5\"\nspec:") && yaml.contains(path),
            "{yaml}"
        );
        let [undo] = fix.undo.as_slice() else { panic!("{:?}", fix.undo) };
        assert!(undo.contains("automountServiceAccountToken: true") && !undo.contains("uid"), "{undo}");
        assert!(
            fixes[1].title.starts_with("Mount the token of ServiceAccount app/bot only"),
            "{:?}",
            fixes[1].title
        );
    }
}

#[test]
fn what_cannot_be_changed_is_said() {
    let spec = || json!({"serviceAccountName": "bot"});
    for (object, says) in [
        (workload("Job", "app", "once", spec()), "a Job's pods can't be changed"),
        (as_bot("alone"), "a pod's spec can't be changed"),
        (
            made_by(workload("ReplicaSet", "app", "r", spec()), "example.test/v1", "Rollout", "roll"),
            "is made by Rollout roll, which puts it back",
        ),
    ] {
        let (fixes, notes) = fixes(&holding().object(object).read(), "SA-03");
        assert!(notes.iter().any(|note| note.contains(says)), "{notes:?}");
        // Its account can still be.
        assert_eq!(fixes.len(), 1, "{fixes:?}");
    }
    for place in ["kube-system", "sallyport-system"] {
        let cluster = holding().bind(Some(place), "read", &[account(place, "dns")]).account(place, "dns");
        let (fixes, notes) = fixes(&cluster.workload("Deployment", place, "dns", "dns").read(), "SA-03");
        assert!(fixes.is_empty() && notes.iter().any(|note| note.contains(place)), "{fixes:?} {notes:?}");
    }
    // Twice is once.
    let snapshot = holding()
        .object(workload("Deployment", "app", "web", json!({"automountServiceAccountToken": false})))
        .read();
    let own = crate::ground::object("Deployment", Some("app".into()), "web", None);
    let change = Change::UnmountPods { workload: own };
    assert_eq!(change.apply(&mut snapshot.clone()), Err(Refusal::Nothing));
}

#[test]
fn a_token_by_a_volume_of_its_own_is_not_said_to_go() {
    let token = json!({"serviceAccountToken": {"path": "token"}});
    let spec =
        json!({"serviceAccountName": "bot", "volumes": [{"name": "v", "projected": {"sources": [token]}}]});
    let (fixes, notes) = fixes(&holding().object(workload("Deployment", "app", "web", spec)).read(), "SA-03");
    assert_eq!(fixes, []);
    assert!(!notes.is_empty());
}

#[test]
fn an_account_in_a_group_that_holds_something_is_told_too() {
    let cluster = Cluster::default().cluster_role("read", &[rule(&["get"], &[""], &["configmaps"])]).bind(
        None,
        "read",
        &[group("system:serviceaccounts:app")],
    );
    assert_eq!(
        objects(&cluster.workload("Deployment", "app", "web", "any").read(), "SA-03"),
        ["Deployment web"]
    );
}

proptest! {
    /// Whatever an owner or a volume is, it is read or named as unread, and nothing is lost.
    #[test]
    fn p21_hostile_owners_and_volumes_are_read_or_told(
        owner in prop_oneof![Just(json!(7)), Just(json!("x")), Just(json!([null])), Just(json!([{"controller": "yes"}])),
            Just(json!([{"controller": true, "kind": 7}])), Just(json!({})), Just(Value::Null),
            Just(json!([{"controller": true}]))],
        volumes in prop_oneof![Just(json!(7)), Just(json!([7])), Just(json!([{"projected": []}])), Just(Value::Null),
            Just(json!([{"projected": {"sources": [null]}}])), Just(json!([{"projected": {"sources": [{"serviceAccountToken":
            {"expirationSeconds": "long"}}]}}]))],
        kind in prop::sample::select(vec!["Deployment", "CronJob", "Pod"]),
    ) {
        let spec = json!({"serviceAccountName": "bot", "volumes": volumes});
        let mut object = if kind == "Pod" { pod("p", spec) } else { workload(kind, "app", "p", spec) };
        object["metadata"]["ownerReferences"] = owner;
        let mut snapshot = Snapshot::default();
        let taken = snapshot.take_value(object).unwrap();
        prop_assert_eq!(taken.kept + taken.unread, 1);
        prop_assert_eq!(taken.unread, snapshot.problems.len());
        prop_assert_eq!(taken.kept, snapshot.pods.len() + snapshot.workloads.len());
    }
}
