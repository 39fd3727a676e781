//! Small clusters for tests, as an API server would list them.

pub(crate) mod worlds;

use crate::snapshot::{
    Address, AddressReach, AnonymousGet, Authentication, Certificate, Coverage, Door, Identity, Kind, Part,
    Ready, Sample, Snapshot, Tls, TlsTaken, TokenSeen, WayIn, WaysIn,
};
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";

/// A cluster that is written down object by object and then read whole.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    objects: Vec<Value>,
}

pub(crate) fn rule(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Value {
    json!({"verbs": verbs, "apiGroups": groups, "resources": resources})
}

pub(crate) fn named(mut rule: Value, names: &[&str]) -> Value {
    rule["resourceNames"] = json!(names);
    rule
}

pub(crate) fn user(name: &str) -> Value {
    json!({"kind": "User", "apiGroup": RBAC, "name": name})
}

pub(crate) fn group(name: &str) -> Value {
    json!({"kind": "Group", "apiGroup": RBAC, "name": name})
}

pub(crate) fn account(namespace: &str, name: &str) -> Value {
    json!({"kind": "ServiceAccount", "namespace": namespace, "name": name})
}

/// A workload of this kind whose pods have this spec.
pub(crate) fn workload(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    let template = json!({"template": {"spec": spec}});
    let (group, spec) = match kind {
        "CronJob" => ("batch/v1", json!({"jobTemplate": {"spec": template}})),
        "Job" => ("batch/v1", template),
        _ => ("apps/v1", template),
    };
    let meta =
        json!({"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "resourceVersion": "5"});
    json!({"apiVersion": group, "kind": kind, "metadata": meta, "spec": spec})
}

/// The same, made by a controller.
pub(crate) fn made_by(mut object: Value, api_version: &str, kind: &str, name: &str) -> Value {
    object["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "o"},
        {"apiVersion": api_version, "kind": kind, "name": name, "uid": format!("uid-{name}"), "controller": true},
    ]);
    object
}

impl Cluster {
    pub(crate) fn object(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }

    fn rbac(self, kind: &str, namespace: Option<&str>, name: &str, mut rest: Value) -> Self {
        rest["apiVersion"] = json!(format!("{RBAC}/v1"));
        rest["kind"] = json!(kind);
        rest["metadata"] = json!({"name": name, "uid": format!("uid-{name}"), "resourceVersion": "5"});
        if let Some(namespace) = namespace {
            rest["metadata"]["namespace"] = json!(namespace);
        }
        self.object(rest)
    }

    pub(crate) fn cluster_role(self, name: &str, rules: &[Value]) -> Self {
        self.rbac("ClusterRole", None, name, json!({"rules": rules}))
    }

    pub(crate) fn role(self, namespace: &str, name: &str, rules: &[Value]) -> Self {
        self.rbac("Role", Some(namespace), name, json!({"rules": rules}))
    }

    /// Binds a ClusterRole, or by `Role/name` a Role.
    pub(crate) fn bind(self, namespace: Option<&str>, role: &str, subjects: &[Value]) -> Self {
        let (kind, role) = match role.strip_prefix("Role/") {
            Some(role) => ("Role", role),
            None => ("ClusterRole", role),
        };
        let own = if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        let name = format!("{}-{}-{role}", namespace.unwrap_or("all"), self.objects.len());
        let rest = json!({"roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}, "subjects": subjects});
        self.rbac(own, namespace, &name, rest)
    }

    pub(crate) fn namespace(self, name: &str, level: Option<&str>) -> Self {
        let labels = level.map(|level| json!({"pod-security.kubernetes.io/enforce": level}));
        self.object(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}),
        )
    }

    pub(crate) fn account(self, namespace: &str, name: &str) -> Self {
        let meta = json!({"name": name, "namespace": namespace});
        self.object(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}))
    }

    pub(crate) fn pod(self, namespace: &str, name: &str, account: &str) -> Self {
        self.object(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
            "spec": {"serviceAccountName": account}}),
        )
    }

    /// A workload as an API server has it, of this kind.
    pub(crate) fn workload(self, kind: &str, namespace: &str, name: &str, account: &str) -> Self {
        self.object(workload(kind, namespace, name, json!({"serviceAccountName": account})))
    }

    /// Read whole, by a server of 1.37 that says that roles alone decide, and that is configured well.
    pub(crate) fn read(self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.server = Some((1, 37));
        snapshot.authorizers = crate::snapshot::Authorizers::RbacOnly;
        let list = json!({"apiVersion": "v1", "kind": "List", "items": self.objects});
        let taken = snapshot.take_value(list).expect("a list");
        assert_eq!((taken.other, taken.unread), (0, 0), "{:?}", snapshot.problems);
        for kind in Kind::ALL {
            snapshot.asked(*kind, Coverage::Read);
        }
        well(&mut snapshot);
        snapshot
    }
}

/// 2026-11-29, when all of it was read.
pub(crate) const NOW: i64 = 1_795_978_695;

/// A certificate for so many days, half of which are over.
pub(crate) fn certificate(name: &str, days: i64) -> Certificate {
    let half = days * 43_200;
    Certificate {
        subject: format!("CN={name}"),
        issuer: "CN=root".to_owned(),
        not_before: NOW - half,
        not_after: NOW + half,
        key: "EC".to_owned(),
        key_bits: Some(256),
        signature: "ecdsa-with-SHA256".to_owned(),
        fingerprint: format!("{name} certificate"),
        key_fingerprint: format!("{name} key"),
        ..Certificate::default()
    }
}

/// A series of `/metrics`.
pub(crate) fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> Sample {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Sample { name: name.to_owned(), labels, value }
}

/// An API server where nothing is wrong, and whose person comes with a token for an hour.
fn well(snapshot: &mut Snapshot) {
    snapshot.version = Some("v1.37.1".to_owned());
    snapshot.taken = Some(NOW);
    let flags = [
        ("admission-control-config-file", ""),
        ("anonymous-auth", "false"),
        ("audit-log-maxage", "30"),
        ("audit-log-maxbackup", "10"),
        ("audit-log-maxsize", "100"),
        ("audit-log-path", "/var/log/audit.log"),
        ("audit-policy-file", "policy.yaml"),
        ("audit-webhook-config-file", "webhook.yaml"),
        ("authentication-config", ""),
        ("authorization-config", ""),
        ("authorization-mode", "[Node,RBAC]"),
        ("disable-admission-plugins", "[]"),
        ("enable-admission-plugins", "[NodeRestriction]"),
        ("enable-bootstrap-token-auth", "false"),
        ("encryption-provider-config", "encryption.yaml"),
        ("etcd-servers", "[https://10.0.0.2:2379]"),
        ("kubelet-certificate-authority", "ca.crt"),
        ("oidc-issuer-url", "https://id.example"),
        ("profiling", "false"),
        ("token-auth-file", ""),
    ];
    let told = &mut snapshot.told;
    told.flags = Part::read(flags.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let seen = "apiserver_client_certificate_expiration_seconds";
    told.metrics = Part::read(vec![
        sample("apiserver_audit_level_total", &[("level", "Metadata")], 9.0),
        sample(
            "apiserver_storage_transformation_operations_total",
            &[
                ("resource", "secrets"),
                ("transformation_type", "to_storage"),
                ("transformer_prefix", "k8s:enc:secretbox:v1:"),
            ],
            2.0,
        ),
        sample(
            "apiserver_admission_controller_admission_duration_seconds_count",
            &[("name", "PodSecurity")],
            3.0,
        ),
        sample("apiserver_authorization_decisions_total", &[("type", "RBAC"), ("decision", "allowed")], 5.0),
        sample("authentication_attempts", &[("result", "success")], 50.0),
        sample("serviceaccount_legacy_tokens_total", &[], 0.0),
        sample(&format!("{seen}_bucket"), &[("le", "604800")], 0.0),
        sample(&format!("{seen}_bucket"), &[("le", "3.1104e+07")], 4.0),
        sample(&format!("{seen}_count"), &[], 4.0),
    ]);
    told.ready = Part::read(vec![Ready { name: "ping".to_owned(), ok: true }]);
    told.keys = Part::read(vec!["00".to_owned()]);
    let credential = Some("JTI".to_owned());
    told.identity = Part::read(Identity { user: "oidc:ada".to_owned(), groups: Vec::new(), credential });
    let (clients, front) = (vec![certificate("clients", 3650)], vec![certificate("front", 3650)]);
    let front_names = vec!["front-proxy-client".to_owned()];
    told.authentication =
        Part::read(Some(Authentication { clients, front, front_names, unread: Vec::new() }));
    told.aws_auth = Part::read(None);
    told.cluster_info = Part::read(None);
    told.tracking_since = Part::read(Some("2026-01-01".to_owned()));
    let address = Address { ip: "10.0.0.1".to_owned(), reach: AddressReach::Private };
    let get = |path: &str| AnonymousGet {
        path: path.to_owned(),
        status: Some(401),
        user: None,
        kubernetes: true,
        why: None,
    };
    snapshot.door = Some(Door {
        host: "api.example".to_owned(),
        port: 6443,
        addresses: Part::read(vec![address]),
        tls: [
            (Tls::V1_0, TlsTaken::No),
            (Tls::V1_1, TlsTaken::No),
            (Tls::V1_2, TlsTaken::Yes),
            (Tls::V1_3, TlsTaken::Yes),
        ]
        .into(),
        weak_suites: TlsTaken::No,
        chain: Part::read(vec![certificate("api.example", 365)]),
        untrusted: Part::read(None),
        client_authorities: Part::read(Some(vec!["CN=clients".to_owned()])),
        anonymous: ["/version", "/metrics", "/api/v1/namespaces"].map(get).into(),
    });
    let token = TokenSeen {
        jwt: true,
        issued: Some(NOW - 60),
        expires: Some(NOW + 3540),
        account: false,
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
    };
    let way = WayIn {
        context: "prod".to_owned(),
        authority: true,
        token: Some(Part::read(token)),
        ..WayIn::default()
    };
    let (file, ways) = ("config".to_owned(), vec![way]);
    snapshot.ways_in = Some(WaysIn { file, mode: Some(0o600), in_repository: false, ways });
}
