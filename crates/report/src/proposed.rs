//! A proposal as kubectl takes it.

use crate::role::{Fields, RBAC, object};
use sallyport_posture::yaml::Yaml;
use sallyport_rbac::propose::{Place, Proposed};
use sallyport_rbac::who::Subject;

/// The longest name that is made.
const NAME_MOST: usize = 50;

/// One role, and where it is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `Role` or `ClusterRole`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is bound, and a Role is; none: everywhere.
    pub namespaces: Vec<String>,
    /// Role and bindings, documents of YAML.
    pub yaml: String,
}

/// What proposed roles are called: `proposed-` and of whom, in letters that every object's name may have.
pub fn role_name(whose: &str) -> String {
    let last = whose.rsplit([':', '/']).find(|part| !part.is_empty()).unwrap_or_default();
    let mut name = String::from("proposed-");
    for c in last.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => name.push(c),
            _ if !name.ends_with('-') => name.push('-'),
            _ => {}
        }
        if name.len() >= NAME_MOST {
            break;
        }
    }
    name.trim_end_matches('-').to_owned()
}

/// Each role of a proposal, with bindings to `subject`; without one the roles alone, as ClusterRoles, which is what a
/// profile binds.
pub fn written(roles: &[Proposed], name: &str, subject: Option<&Subject>) -> Vec<Written> {
    let mut shared = 0;
    let mut names = |place: &Place| match place {
        Place::In(namespaces) if namespaces.len() == 1 && subject.is_some() => name.to_owned(),
        _ => {
            shared += 1;
            if shared == 1 { name.to_owned() } else { format!("{name}-{shared}") }
        }
    };
    roles.iter().map(|role| one(role, names(&role.place), subject)).collect()
}

fn one(role: &Proposed, name: String, subject: Option<&Subject>) -> Written {
    let namespaces = match &role.place {
        Place::Everywhere => Vec::new(),
        Place::In(namespaces) => namespaces.clone(),
    };
    let own = match namespaces.as_slice() {
        [one] if subject.is_some() => Some(one.clone()),
        _ => None,
    };
    let kind = if own.is_some() { "Role" } else { "ClusterRole" };
    let mut yaml = crate::role::role(kind, &name, own.as_deref(), &role.rules);
    let bound = |kind_of_binding: &str, namespace: Option<&str>, subject: &Subject| {
        let to = vec![("apiGroup", RBAC.into()), ("kind", kind.into()), ("name", name.clone().into())];
        let fields = vec![("roleRef", Yaml::Map(to)), ("subjects", Yaml::List(vec![subject_of(subject)]))];
        format!("---\n{}", object(kind_of_binding, &name, namespace, fields))
    };
    if let Some(subject) = subject {
        if namespaces.is_empty() {
            yaml.push_str(&bound("ClusterRoleBinding", None, subject));
        }
        for namespace in &namespaces {
            yaml.push_str(&bound("RoleBinding", Some(namespace), subject));
        }
    }
    Written { kind, name, namespaces, yaml }
}

fn subject_of(subject: &Subject) -> Fields {
    match (subject.as_account(), subject) {
        (Some((namespace, name)), _) => {
            vec![("kind", "ServiceAccount".into()), ("name", name.into()), ("namespace", namespace.into())]
        }
        (None, Subject::User(name)) => {
            vec![("apiGroup", RBAC.into()), ("kind", "User".into()), ("name", name.as_str().into())]
        }
        (None, Subject::Group(name)) => {
            vec![("apiGroup", RBAC.into()), ("kind", "Group".into()), ("name", name.as_str().into())]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_rbac::Rule;

    fn role(place: Place) -> Proposed {
        let rules = vec![Rule {
            role: "proposed".parse().unwrap(),
            verbs: vec!["get".to_owned()],
            api_groups: vec![String::new()],
            resources: vec!["pods".to_owned()],
            resource_names: vec!["on\n- verbs: [\"*\"]\u{202e}".to_owned(), "true".to_owned()],
            non_resource_urls: Vec::new(),
        }];
        Proposed { place, rules }
    }

    #[test]
    fn a_hostile_name_is_one_text_in_what_is_written() {
        let place = Place::In(vec!["pay".to_owned()]);
        let subject = Subject::User("dana\n---\nkind: x".to_owned());
        let written = written(&[role(place)], "proposed-dana", Some(&subject));
        assert_eq!(
            written[0].yaml,
            r#"apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: proposed-dana
  namespace: pay
rules:
- apiGroups: [""]
  resources: [pods]
  resourceNames: ["on\n- verbs: [\"*\"]\u202e", "true"]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: proposed-dana
  namespace: pay
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: proposed-dana
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: User
  name: "dana\n---\nkind: x"
"#
        );
    }

    #[test]
    fn roles_of_one_proposal_have_names_of_their_own_where_they_would_meet() {
        let places = || {
            let of = |names: &[&str]| Place::In(names.iter().map(|name| (*name).to_owned()).collect());
            [Place::Everywhere, of(&["a"]), of(&["b", "c"])].map(role)
        };
        let account = Subject::account("ci", "robot");
        let of = |subject| -> Vec<(&str, String, usize)> {
            let all = written(&places(), "p", subject);
            all.into_iter().map(|one| (one.kind, one.name, one.yaml.matches("Binding").count())).collect()
        };
        let named = |kind: &'static str, name: &str, bindings| (kind, name.to_owned(), bindings);
        assert_eq!(
            of(Some(&account)),
            [named("ClusterRole", "p", 1), named("Role", "p", 1), named("ClusterRole", "p-2", 2)]
        );
        assert_eq!(
            of(None),
            [named("ClusterRole", "p", 0), named("ClusterRole", "p-2", 0), named("ClusterRole", "p-3", 0)]
        );
        for (whose, name) in [
            ("oidc:dana@example.com", "proposed-dana-example-com"),
            ("system:serviceaccount:ci:robot", "proposed-robot"),
            ("\u{202e}", "proposed"),
            ("", "proposed"),
        ] {
            assert_eq!(role_name(whose), name);
        }
        assert!(role_name(&"x".repeat(500)).len() <= NAME_MOST);
    }
}
