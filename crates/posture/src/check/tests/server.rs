//! How an API server lets people in: one thing after another is wrong or not read, and everything else is well.

use super::*;
use crate::snapshot::{AddressReach, AnonymousGet, Part, Ready, Tls, TlsTaken, Told, WayIn};
use crate::tests::{NOW, sample};

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comes {
    Fails(Severity),
    Unknown,
    Provider,
    Nothing,
    Passes,
}
use Comes::*;

pub(super) fn well() -> Snapshot {
    Cluster::default().cluster_role("r", &[rule(&["get"], &[""], &["pods"])]).read()
}

fn comes(snapshot: &Snapshot, id: &str) -> (Comes, Vec<String>) {
    let one = judged(&Ground::new(snapshot).report(), id);
    let said = one.findings.iter().map(|found| found.said.clone()).collect();
    let comes = match one.verdict {
        Verdict::Fail => Fails(one.findings.iter().map(|found| found.severity).max().unwrap()),
        Verdict::Unknown(_) => Unknown,
        Verdict::Provider(_) => Provider,
        Verdict::NotApplicable(_) => Nothing,
        Verdict::Pass | Verdict::Inert => Passes,
    };
    (comes, said)
}

pub(super) type Change = fn(&mut Snapshot);

pub(super) fn flag(snapshot: &mut Snapshot, name: &str, value: &str) {
    snapshot.told.flags.found.insert(name.to_owned(), value.to_owned());
}

pub(super) fn no_flags(snapshot: &mut Snapshot) {
    snapshot.told.flags = Part::without(Coverage::Forbidden("get /flagz".to_owned()));
}

pub(super) fn no_metrics(snapshot: &mut Snapshot) {
    snapshot.told.metrics = Part::without(Coverage::Forbidden("get /metrics".to_owned()));
}

pub(super) fn drop_series(snapshot: &mut Snapshot, name: &str) {
    snapshot.told.metrics.found.retain(|one| !one.name.starts_with(name));
}

pub(super) fn add(snapshot: &mut Snapshot, name: &str, labels: &[(&str, &str)], value: f64) {
    snapshot.told.metrics.found.push(sample(name, labels, value));
}

fn stored(snapshot: &mut Snapshot, prefix: &str) {
    let labels =
        [("resource", "secrets"), ("transformation_type", "to_storage"), ("transformer_prefix", prefix)];
    add(snapshot, "apiserver_storage_transformation_operations_total", &labels, 1.0);
}

pub(super) fn eks(snapshot: &mut Snapshot) {
    snapshot.version = Some("v1.36.1-eks-113cf36".to_owned());
}

fn said_to_be_eks(snapshot: &mut Snapshot) {
    let node = json!({"apiVersion": "v1", "kind": "Node", "status": {"nodeInfo": {"kubeletVersion": "v1.36.1"}},
        "metadata": {"name": "n", "labels": {"eks.amazonaws.com/nodegroup": "x"}}});
    snapshot.take_value(node).unwrap();
}

fn get(snapshot: &mut Snapshot, path: &str, status: u16, user: Option<&str>) {
    let all = &mut snapshot.door.as_mut().unwrap().anonymous;
    all.retain(|one| one.path != path);
    let user = user.map(str::to_owned);
    all.push(AnonymousGet { path: path.to_owned(), status: Some(status), user, kubernetes: true, why: None });
}

pub(super) fn way(snapshot: &mut Snapshot) -> &mut WayIn {
    &mut snapshot.ways_in.as_mut().unwrap().ways[0]
}

pub(super) fn object(snapshot: &mut Snapshot, object: Value) {
    assert_eq!(snapshot.take_value(object).unwrap().kept, 1);
}

pub(super) fn webhook(snapshot: &mut Snapshot, more: Value) {
    let mut hook = json!({"name": "guard", "failurePolicy": "Fail", "rules": [{"apiGroups": [""], "resources": ["pods"]}]});
    hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object(
        snapshot,
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "guards"}, "webhooks": [hook]}),
    );
}

fn service(snapshot: &mut Snapshot, spec: Value) {
    object(
        snapshot,
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "a"}, "spec": spec}),
    );
}

fn three_servers(snapshot: &mut Snapshot) {
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}, {"addresses": ["10.0.0.3"]}]});
    snapshot.take_value(slice).unwrap();
}

/// A check, what it comes to, and what is changed of an API server where nothing is wrong.
pub(super) type Case = (&'static str, Comes, Change);

/// These say where to look, and never that something is wrong.
const OPEN: [&str; 5] = ["AN-08", "AN-09", "AU-04", "AU-05", "AU-06"];

/// Each case comes to what it says, and every check of these families fails in one.
pub(super) fn hold(cases: &[Case], families: &[&str]) {
    for (at, (id, wanted, change)) in cases.iter().enumerate() {
        let mut snapshot = well();
        change(&mut snapshot);
        let (comes, said) = comes(&snapshot, id);
        assert_eq!(comes, *wanted, "{id}, case {at}: {said:?}");
        assert!(
            said.iter().all(|one| one.ends_with('.') && one.starts_with(char::is_uppercase)),
            "{id}: {said:?}"
        );
    }
    let fails = |id: &str| cases.iter().any(|(own, wanted, _)| *own == id && matches!(wanted, Fails(_)));
    for check in catalogue().iter().filter(|check| families.contains(&&check.id[..2])) {
        assert!(fails(check.id) || OPEN.contains(&check.id), "{} never fails", check.id);
    }
}

use Severity::*;

/// Each thing that can be wrong, and what cannot be read.
pub(super) const CASES: &[Case] = &[
    // Whoever does not sign in.
    ("AP-01", Passes, |s| get(s, "/livez", 200, None)),
    ("AP-01", Passes, |s| get(s, "/livez", 500, None)),
    ("AP-01", Fails(Low), |s| get(s, "/metrics", 403, Some("system:anonymous"))),
    ("AP-01", Fails(Critical), |s| get(s, "/api/v1/namespaces", 200, None)),
    ("AP-01", Fails(High), |s| get(s, "/metrics", 200, None)),
    ("AP-01", Fails(Low), |s| get(s, "/openid/v1/jwks", 200, None)),
    ("AP-01", Passes, |s| get(s, "/api/v1/namespaces/kube-public/configmaps/cluster-info", 200, None)),
    ("AP-01", Unknown, |s| get(s, "/metrics", 302, None)),
    ("AP-01", Unknown, |s| get(s, "/metrics", 403, Some("proxy"))),
    ("AP-01", Unknown, |s| s.door.as_mut().unwrap().anonymous[1].kubernetes = false),
    ("AP-01", Unknown, |s| s.door.as_mut().unwrap().anonymous[1].status = None),
    ("AP-01", Passes, |s| s.door = None),
    ("AP-01", Fails(Low), |s| {
        get(s, "/metrics", 500, None);
        flag(s, "anonymous-auth", "true");
    }),
    ("AP-01", Fails(Low), |s| {
        s.door = None;
        flag(s, "anonymous-auth", "true")
    }),
    ("AP-01", Unknown, |s| {
        s.door = None;
        flag(s, "anonymous-auth", "true");
        flag(s, "authentication-config", "f")
    }),
    ("AP-01", Unknown, |s| {
        s.door = None;
        no_flags(s)
    }),
    // TLS.
    ("AP-02", Fails(Medium), |s| drop(s.door.as_mut().unwrap().tls.insert(Tls::V1_1, TlsTaken::Yes))),
    ("AP-02", Fails(Low), |s| s.door.as_mut().unwrap().weak_suites = TlsTaken::Yes),
    ("AP-02", Unknown, |s| drop(s.door.as_mut().unwrap().tls.remove(&Tls::V1_0))),
    ("AP-02", Unknown, |s| s.door.as_mut().unwrap().weak_suites = TlsTaken::Unknown("x".into())),
    ("AP-02", Fails(High), |s| {
        s.door.as_mut().unwrap().tls.extend([(Tls::V1_2, TlsTaken::No), (Tls::V1_3, TlsTaken::No)])
    }),
    ("AP-02", Unknown, |s| s.door = None),
    ("AP-03", Fails(High), |s| s.door.as_mut().unwrap().chain.found[0].not_after = NOW - 1),
    ("AP-03", Fails(High), |s| s.door.as_mut().unwrap().chain.found[0].not_after = NOW + 86_400),
    ("AP-03", Fails(Medium), |s| s.door.as_mut().unwrap().chain.found[0].not_after = NOW + 20 * 86_400),
    ("AP-03", Fails(High), |s| s.door.as_mut().unwrap().untrusted = Part::read(Some("UnknownIssuer".into()))),
    ("AP-03", Fails(Medium), |s| {
        s.door.as_mut().unwrap().chain.found[0].signature = "sha1WithRSAEncryption".into()
    }),
    ("AP-03", Fails(Medium), |s| {
        let c = &mut s.door.as_mut().unwrap().chain.found[0];
        c.key = "RSA".into();
        c.key_bits = Some(1024)
    }),
    ("AP-03", Unknown, |s| s.door.as_mut().unwrap().chain = Part::read(Vec::new())),
    ("AP-03", Unknown, |s| s.taken = None),
    ("AP-04", Fails(High), |s| way(s).plain = true),
    ("AP-04", Fails(Low), |s| {
        way(s).plain = true;
        way(s).loopback = true
    }),
    ("AP-04", Passes, |s| s.ways_in = None),
    ("AP-05", Fails(Medium), |s| s.door.as_mut().unwrap().addresses.found[0].reach = AddressReach::Public),
    ("AP-05", Unknown, |s| s.door.as_mut().unwrap().addresses.found.clear()),
    // A tunnel leads to an address of its own, and a cloud's name has others inside its network.
    ("AP-05", Unknown, |s| s.door.as_mut().unwrap().addresses.found[0].reach = AddressReach::Loopback),
    ("AP-05", Provider, eks),
    // What one of several API servers tells of itself.
    ("AP-07", Unknown, three_servers),
    ("AU-02", Unknown, three_servers),
    // Certificates of clients.
    ("AP-06", Fails(Medium), |s| {
        let own = s.told.authentication.found.as_mut().unwrap();
        own.front = own.clients.clone()
    }),
    ("AP-06", Fails(Critical), |s| {
        let own = s.told.authentication.found.as_mut().unwrap();
        own.front = own.clients.clone();
        own.front_names.clear()
    }),
    ("AP-06", Fails(Medium), |s| {
        s.told.authentication.found.as_mut().unwrap().clients[0].not_after = NOW + 90 * 86_400
    }),
    ("AP-06", Unknown, |s| s.told.authentication = Part::without(Coverage::Forbidden("get it".into()))),
    ("AP-06", Unknown, |s| s.told.authentication.found.as_mut().unwrap().unread.push("x".into())),
    ("AP-06", Unknown, |s| s.told.authentication.found = None),
    // Flags.
    ("AP-07", Fails(High), |s| flag(s, "token-auth-file", "tokens.csv")),
    ("AP-07", Fails(Low), |s| flag(s, "profiling", "true")),
    ("AP-07", Fails(High), |s| flag(s, "etcd-servers", "[http://10.0.0.2:2379]")),
    ("AP-07", Passes, |s| flag(s, "etcd-servers", "[http://127.0.0.1:2379]")),
    ("AP-07", Unknown, no_flags),
    ("AP-07", Provider, |s| {
        no_flags(s);
        eks(s)
    }),
    ("AP-07", Unknown, |s| {
        no_flags(s);
        said_to_be_eks(s)
    }),
    ("AP-08", Fails(Info), |s| flag(s, "authorization-mode", "[Node,RBAC,Webhook]")),
    ("AP-08", Unknown, no_flags),
    ("AP-09", Fails(High), |s| {
        flag(s, "authorization-mode", "[ABAC]");
        drop_series(s, "apiserver_authorization")
    }),
    ("AP-09", Passes, no_flags),
    ("AP-09", Unknown, |s| {
        no_flags(s);
        no_metrics(s)
    }),
    // What is put outside.
    ("AP-10", Passes, |s| service(s, json!({"type": "ClusterIP", "ports": [{"port": 2379}]}))),
    ("AP-10", Passes, |s| {
        service(s, json!({"type": "LoadBalancer", "ports": [{"port": 443, "targetPort": 8443}]}))
    }),
    ("AP-10", Fails(High), |s| {
        service(s, json!({"type": "NodePort", "ports": [{"port": 80, "targetPort": 2379}]}))
    }),
    ("AP-10", Fails(High), |s| {
        service(s, json!({"type": "LoadBalancer", "selector": {"k8s-app": "kubernetes-dashboard"}}))
    }),
    ("AP-10", Fails(High), |s| {
        service(s, json!({"type": "ClusterIP", "ports": [{"port": 2379}]}));
        object(
            s,
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "a"},
                "spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "s"}}}]}}]}}),
        );
    }),
    ("AP-11", Fails(Medium), |s| {
        object(
            s,
            json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {"insecureSkipTLSVerify": true}}),
        )
    }),
    // Admission.
    ("AD-04", Fails(Medium), |s| webhook(s, json!({"clientConfig": {"url": "https://out.example"}}))),
    ("AD-04", Fails(Low), |s| webhook(s, json!({"namespaceSelector": {"matchLabels": {"guarded": "yes"}}}))),
    ("AD-04", Passes, |s| {
        webhook(
            s,
            json!({"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn"}]}}),
        )
    }),
    ("AD-06", Unknown, |s| {
        object(
            s,
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "clusterpolicies.kyverno.io"}}),
        )
    }),
    ("AD-08", Fails(Medium), |s| flag(s, "enable-admission-plugins", "[]")),
    ("AD-08", Fails(Medium), |s| flag(s, "disable-admission-plugins", "[PodSecurity]")),
    ("AD-08", Fails(Medium), no_flags),
    ("AD-08", Unknown, |s| {
        no_flags(s);
        drop_series(s, "apiserver_admission")
    }),
    ("AD-08", Unknown, |s| {
        no_flags(s);
        no_metrics(s)
    }),
    ("AD-09", Fails(Medium), |s| {
        add(s, "apiserver_admission_webhook_fail_open_count", &[("name", "guard")], 2.0)
    }),
    ("AD-11", Fails(Medium), |s| {
        webhook(s, json!({"clientConfig": {"service": {"namespace": "a", "name": "s"}}}))
    }),
    ("AD-11", Fails(Medium), |s| {
        webhook(s, json!({"clientConfig": {"service": {"namespace": "a", "name": "s"}}}));
        service(s, json!({}));
    }),
    ("AD-11", Passes, |s| {
        webhook(s, json!({"clientConfig": {"service": {"namespace": "a", "name": "s"}}}));
        service(s, json!({}));
        object(
            s,
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "endpoints": [{"addresses": ["10.0.0.9"]}],
                "metadata": {"name": "s-1", "namespace": "a", "labels": {"kubernetes.io/service-name": "s"}}}),
        );
    }),
    // Audit.
    ("AU-01", Fails(Low), |s| flag(s, "audit-log-maxage", "7")),
    ("AU-01", Passes, |s| flag(s, "audit-log-maxage", "0")),
    ("AU-01", Unknown, no_flags),
    ("AU-02", Passes, no_flags),
    ("AU-02", Passes, |s| {
        no_flags(s);
        s.told.metrics.coverage = Coverage::Cut("x".into())
    }),
    ("AU-02", Fails(Medium), |s| {
        no_flags(s);
        drop_series(s, "apiserver_audit_level")
    }),
    ("AU-02", Fails(Medium), |s| {
        drop_series(s, "apiserver_audit_level");
        add(s, "apiserver_audit_level_total", &[("level", "None")], 9.0)
    }),
    ("AU-02", Unknown, |s| {
        no_flags(s);
        drop_series(s, "apiserver_audit_level");
        s.told.metrics.coverage = Coverage::Cut("x".into())
    }),
    ("AU-02", Unknown, |s| {
        no_flags(s);
        no_metrics(s)
    }),
    ("AU-02", Fails(Medium), |s| {
        no_metrics(s);
        flag(s, "audit-policy-file", "")
    }),
    ("AU-02", Provider, |s| {
        no_flags(s);
        no_metrics(s);
        eks(s)
    }),
    ("AU-03", Fails(Medium), |s| add(s, "apiserver_audit_error_total", &[("plugin", "log")], 1.0)),
    ("AU-03", Unknown, no_metrics),
    ("AU-04", Nothing, |_| {}),
    ("AU-04", Provider, said_to_be_eks),
    ("AU-06", Unknown, |s| flag(s, "audit-webhook-config-file", "")),
    // Encryption.
    ("EN-01", Fails(Medium), |s| {
        drop_series(s, "apiserver_storage");
        stored(s, "")
    }),
    ("EN-01", Unknown, |s| stored(s, "")),
    // Encryption was turned on, and what was there before stayed as it was until somebody wrote it anew.
    ("EN-01", Unknown, |s| {
        let of = [
            ("transformation_type", "from_storage"),
            ("resource", "secrets"),
            ("transformer_prefix", "identity"),
        ];
        add(s, "apiserver_storage_transformation_operations_total", &of, 1.0)
    }),
    ("EN-01", Unknown, three_servers),
    ("EN-02", Unknown, three_servers),
    ("AD-09", Unknown, three_servers),
    ("VR-03", Unknown, three_servers),
    ("EN-01", Fails(Medium), |s| {
        drop_series(s, "apiserver_storage");
        flag(s, "encryption-provider-config", "")
    }),
    ("EN-01", Unknown, |s| drop_series(s, "apiserver_storage")),
    ("EN-01", Fails(Medium), |s| {
        no_flags(s);
        drop_series(s, "apiserver_storage")
    }),
    ("EN-01", Unknown, |s| {
        no_flags(s);
        drop_series(s, "apiserver_storage");
        s.server = Some((1, 34))
    }),
    ("EN-01", Fails(Medium), |s| {
        no_flags(s);
        drop_series(s, "apiserver_storage");
        s.server = Some((1, 34));
        add(s, "apiserver_request_total", &[], 1.0)
    }),
    ("EN-01", Unknown, |s| {
        no_flags(s);
        no_metrics(s)
    }),
    ("EN-01", Unknown, |s| s.told.metrics.coverage = Coverage::Cut("x".into())),
    ("EN-01", Provider, |s| {
        no_flags(s);
        no_metrics(s);
        eks(s)
    }),
    ("EN-01", Provider, |s| {
        no_flags(s);
        drop_series(s, "apiserver_storage");
        eks(s)
    }),
    ("EN-01", Fails(Medium), |s| {
        no_flags(s);
        drop_series(s, "apiserver_storage");
        said_to_be_eks(s)
    }),
    ("EN-02", Nothing, |_| {}),
    ("EN-02", Passes, |s| s.told.ready.found.push(Ready { name: "kms-provider-0".into(), ok: true })),
    ("EN-02", Fails(High), |s| s.told.ready.found.push(Ready { name: "kms-providers".into(), ok: false })),
    ("EN-02", Unknown, |s| s.told.ready = Part::without(Coverage::NotServed)),
    // Versions.
    ("VR-01", Fails(High), |s| s.server = Some((1, 33))),
    ("VR-01", Fails(High), |s| s.server = Some((1, 12))),
    ("VR-01", Fails(Medium), |s| {
        s.server = Some((1, 33));
        eks(s)
    }),
    ("VR-01", Fails(Low), |s| {
        s.server = Some((1, 35));
        s.taken = Some(NOW + 60 * 86_400)
    }),
    ("VR-01", Unknown, |s| s.server = Some((1, 99))),
    ("VR-01", Unknown, |s| s.server = None),
    ("VR-02", Nothing, |_| {}),
    ("VR-02", Passes, said_to_be_eks),
    ("VR-02", Fails(Medium), |s| {
        said_to_be_eks(s);
        s.server = Some((1, 35))
    }),
    ("VR-02", Fails(Medium), |s| {
        said_to_be_eks(s);
        s.server = Some((1, 40))
    }),
    ("VR-03", Fails(Low), |s| {
        add(s, "apiserver_requested_deprecated_apis", &[("group", "x"), ("removed_release", "1.38")], 1.0)
    }),
];

#[test]
fn p21_each_thing_that_is_wrong_is_found_and_what_was_not_read_is_unknown() {
    hold(&[CASES, super::admission::CASES].concat(), &["AP", "AU", "EN", "VR"]);
}

/// Each part that was not read leaves nothing of these families a pass that needs it, and makes nothing better.
#[test]
fn p21_with_nothing_told_nothing_passes() {
    let mut snapshot = well();
    snapshot.told = Told::default();
    snapshot.door = None;
    let report = Ground::new(&snapshot).report();
    let by_told = |one: &&Judged| one.check.reads.is_empty() && !matches!(one.check.area, Area::Credential);
    for one in report.checks.iter().filter(by_told) {
        // By the kubeconfig, the version and the date.
        let known = ["AP-04", "AN-02", "VR-01", "AU-04"].contains(&one.check.id);
        assert!(known || matches!(one.verdict, Verdict::Unknown(_)), "{}: {:?}", one.check.id, one.verdict);
    }
}

#[test]
fn no_finding_can_be_told_from_another_of_its_check_by_its_words_alone() {
    let mut snapshot = well();
    for (name, value) in
        [("profiling", "true"), ("token-auth-file", "x"), ("kubelet-certificate-authority", "")]
    {
        flag(&mut snapshot, name, value);
    }
    let one = judged(&Ground::new(&snapshot).report(), "AP-07");
    let mut about: Vec<_> =
        one.findings.iter().map(|found| found.object.clone().map(|own| own.name)).collect();
    about.sort();
    about.dedup();
    assert_eq!((about.len(), one.findings.len()), (3, 3));
}

#[test]
fn addresses_are_told_by_how_far_they_reach() {
    for (ip, reach) in [
        ("127.0.0.1", AddressReach::Loopback),
        ("::1", AddressReach::Loopback),
        ("10.1.2.3", AddressReach::Private),
        ("172.16.0.1", AddressReach::Private),
        ("172.32.0.1", AddressReach::Public),
        ("100.64.0.1", AddressReach::Private),
        ("100.128.0.1", AddressReach::Public),
        ("169.254.1.1", AddressReach::Private),
        ("fd00::1", AddressReach::Private),
        ("fe80::1", AddressReach::Private),
        ("::ffff:10.0.0.1", AddressReach::Private),
        ("::ffff:8.8.8.8", AddressReach::Public),
        ("2001:4860::8888", AddressReach::Public),
    ] {
        assert_eq!(AddressReach::of(ip.parse().unwrap()), reach, "{ip}");
    }
}
