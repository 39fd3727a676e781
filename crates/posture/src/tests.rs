//! Small clusters for tests, as an API server would list them.

pub(crate) mod worlds;

use crate::snapshot::{Coverage, Kind, Snapshot};
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";

/// A cluster that is written down object by object and then read whole.
#[derive(Default)]
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

    /// Read whole, by a server of 1.36 that says that roles alone decide.
    pub(crate) fn read(self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.server = Some((1, 36));
        snapshot.authorizers = crate::snapshot::Authorizers::RbacOnly;
        let list = json!({"apiVersion": "v1", "kind": "List", "items": self.objects});
        let taken = snapshot.take_value(list).expect("a list");
        assert_eq!((taken.other, taken.unread), (0, 0), "{:?}", snapshot.problems);
        for kind in Kind::ALL {
            snapshot.asked(*kind, Coverage::Read);
        }
        snapshot
    }
}
