//! A drafted profile and what it needs, as YAML.

use crate::change::role_yaml;
use crate::evidence::Object;
use crate::yaml::{Yaml, document};
use sallyport_model::NamespaceName;
use sallyport_rbac::Rule;
use sallyport_rbac::who::{Binding, RoleRef, Subject};

const ACCESS: &str = "access.sallyport.dev";

/// What it takes to get it.
pub(super) struct Terms {
    pub(super) approvals: i64,
    pub(super) longest: &'static str,
    pub(super) sign_in: &'static str,
}

pub(super) fn profile(
    name: &str,
    cluster: &str,
    role: &str,
    places: &[NamespaceName],
    terms: &Terms,
) -> String {
    let places = places.iter().map(|place| place.as_str().to_owned()).collect();
    document(&[
        ("apiVersion", format!("{ACCESS}/v1alpha1").into()),
        ("kind", "AccessProfile".into()),
        ("metadata", Yaml::Map(vec![("name", name.into())])),
        (
            "spec",
            Yaml::Map(vec![
                ("clusters", Yaml::Line(vec![cluster.to_owned()])),
                ("roles", Yaml::Line(vec![role.to_owned()])),
                ("namespaces", Yaml::Line(places)),
                ("maxDuration", terms.longest.into()),
                ("approvals", Yaml::Number(terms.approvals)),
                ("mfa", Yaml::Map(vec![("maxAge", terms.sign_in.into())])),
                ("reasonRequired", Yaml::Is(terms.approvals > 0)),
            ]),
        ),
    ])
}

fn cluster_role(name: &str) -> Object {
    Object { kind: "ClusterRole", namespace: None, name: name.to_owned(), uid: None, resource_version: None }
}

pub(super) fn role(name: &str, rules: &[Rule]) -> String {
    role_yaml(&cluster_role(name), rules, vec![("name", name.into())])
}

/// Who may ask: the same subject, who held it for good.
pub(super) fn ask(name: &str, subject: &Subject) -> String {
    let role = format!("profile:{name}:request");
    let may = document(&[
        ("apiVersion", "rbac.authorization.k8s.io/v1".into()),
        ("kind", "ClusterRole".into()),
        ("metadata", Yaml::Map(vec![("name", role.as_str().into())])),
        (
            "rules",
            Yaml::List(vec![vec![
                ("apiGroups", Yaml::Line(vec![ACCESS.to_owned()])),
                ("resources", Yaml::Line(vec!["accessprofiles".to_owned()])),
                ("resourceNames", Yaml::Line(vec![name.to_owned()])),
                ("verbs", Yaml::Line(vec!["request".to_owned()])),
            ]]),
        ),
    ]);
    let binding = Binding {
        namespace: None,
        name: role.clone(),
        role: RoleRef::ClusterRole(role.clone()),
        subjects: vec![subject.clone()],
    };
    let bound = crate::change::binding_yaml(&binding, vec![("name", role.into())]);
    format!("{may}---\n{bound}")
}
