//! A change as kubectl takes it: YAML in a file, so that no name of an object ever stands in a command.

use super::{Change, ENFORCE, Refusal, is_of};
use crate::evidence::Object;
use crate::snapshot::{Meta, Snapshot};
use crate::yaml::{Yaml, document};
use sallyport_rbac::Rule;
use sallyport_rbac::who::{Binding, RoleRef, Subject};

/// The name under which the API server takes note of who owns a field.
const MANAGER: &str = "sallyport-posture";
const RBAC: &str = "rbac.authorization.k8s.io";

/// A change, written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The object it changes.
    pub object: Object,
    /// What it does, as an order.
    pub said: String,
    /// The file: the fields it sets, with UID and version as they were read, so that an object which changed since is
    /// refused and not overwritten.
    pub yaml: String,
    /// kubectl's verb and options, to which the file's name is added.
    pub verb: &'static str,
}

impl Patch {
    /// The command that applies it, for a file of this name.
    pub fn command(&self, file: &str) -> String {
        format!("kubectl {} -f {file}", self.verb)
    }

    /// The command that tries it on the API server and changes nothing.
    pub fn dry_run(&self, file: &str) -> String {
        format!("kubectl {} --dry-run=server -f {file}", self.verb)
    }

    /// Whether it removes the object.
    pub fn removes(&self) -> bool {
        self.verb == DELETE
    }

    /// The words of the command, for whoever runs it without a shell.
    pub fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.verb.split(' ')
    }
}

/// Taking over a field is what a fix does: whoever set it before is told by kubectl.
const APPLY: &str = "apply --server-side --field-manager=sallyport-posture --force-conflicts";
const DELETE: &str = "delete --wait=false";

impl Change {
    /// The change as kubectl takes it. `before`: the snapshot without it.
    ///
    /// # Errors
    /// [`Refusal`], as [`Change::apply`].
    pub fn written(&self, before: &Snapshot) -> Result<Patch, Refusal> {
        debug_assert!(APPLY.contains(MANAGER));
        let mut after = before.clone();
        self.apply(&mut after)?;
        self.patch(&after)
    }

    /// The same, of a snapshot in which it was made.
    pub(crate) fn patch(&self, after: &Snapshot) -> Result<Patch, Refusal> {
        let object = self.object();
        let gone = || Refusal::Gone(super::named(object));
        let (yaml, verb) = match self {
            Self::RemoveSubject { binding, .. } => {
                let one = after
                    .bindings
                    .iter()
                    .find(|one| is_of(&one.binding.namespace, &one.binding.name, binding));
                (binding_yaml(&one.ok_or_else(gone)?.binding, exact(object)), APPLY)
            }
            Self::NarrowRole { role, rules, .. } => (role_yaml(role, rules, exact(object)), APPLY),
            Self::Unmount { .. } => {
                let fields = [("automountServiceAccountToken", Yaml::Is(false))];
                (core("ServiceAccount", exact(object), &fields), APPLY)
            }
            Self::UnmountPods { .. } => (super::unmount::yaml(object, exact(object), false), APPLY),
            Self::Enforce { .. } => {
                let mut meta = exact(object);
                meta.push(("labels", Yaml::Labels(vec![(ENFORCE.to_owned(), "baseline".to_owned())])));
                (core("Namespace", meta, &[]), APPLY)
            }
            Self::FailClosed { configuration, webhooks } => {
                // A list by names: of those that are not named nothing changes.
                let webhook =
                    |name: &String| vec![("name", name.clone().into()), ("failurePolicy", "Fail".into())];
                let fields = [
                    ("apiVersion", Yaml::from("admissionregistration.k8s.io/v1")),
                    ("kind", configuration.kind.into()),
                    ("metadata", Yaml::Map(exact(object))),
                    ("webhooks", Yaml::List(webhooks.iter().map(webhook).collect())),
                ];
                (document(&fields), APPLY)
            }
            Self::DeleteBinding { binding } => {
                let fields =
                    [("apiVersion", Yaml::from(format!("{RBAC}/v1"))), ("kind", binding.kind.into())];
                (document(&[&fields[..], &[("metadata", Yaml::Map(plain(object)))]].concat()), DELETE)
            }
            Self::DeleteSecret { .. } => (core("Secret", plain(object), &[]), DELETE),
        };
        Ok(Patch { object: object.clone(), said: self.said(), yaml, verb })
    }
}

/// What puts a changed binding or role back as it was read, its names, labels, subjects or rules, or a workload's token.
/// Values of annotations are not kept and so not put back. None: the change is none of these.
pub fn undo(change: &Change, before: &Snapshot) -> Option<String> {
    let object = change.object();
    let labels = |meta: &Meta| {
        let all: Vec<(String, String)> =
            meta.labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let mut fields = plain(object);
        if !all.is_empty() {
            fields.push(("labels", Yaml::Labels(all)));
        }
        fields
    };
    match change {
        Change::RemoveSubject { binding, .. } | Change::DeleteBinding { binding } => {
            let mut all = before.bindings.iter();
            let one = all.find(|one| is_of(&one.binding.namespace, &one.binding.name, binding))?;
            Some(binding_yaml(&one.binding, labels(&one.meta)))
        }
        Change::NarrowRole { role, .. } => {
            let one = before.roles.iter().find(|one| is_of(&one.role.namespace, &one.role.name, role))?;
            Some(role_yaml(role, &one.role.rules, labels(&one.meta)))
        }
        Change::UnmountPods { workload } => {
            let was = super::unmount::was(before, workload)?;
            Some(super::unmount::yaml(workload, plain(workload), was))
        }
        Change::Unmount { .. }
        | Change::Enforce { .. }
        | Change::FailClosed { .. }
        | Change::DeleteSecret { .. } => None,
    }
}

type Fields = Vec<(&'static str, Yaml)>;

fn plain(object: &Object) -> Fields {
    let mut fields = vec![("name", Yaml::from(object.name.clone()))];
    fields.extend(object.namespace.clone().map(|namespace| ("namespace", Yaml::from(namespace))));
    fields
}

/// That very object in that very state, where it was read from an API server.
fn exact(object: &Object) -> Fields {
    let mut fields = plain(object);
    fields.extend(object.uid.clone().map(|uid| ("uid", Yaml::from(uid))));
    fields.extend(object.resource_version.clone().map(|version| ("resourceVersion", Yaml::from(version))));
    fields
}

fn core(kind: &str, meta: Fields, fields: &[(&str, Yaml)]) -> String {
    let head = [("apiVersion", Yaml::from("v1")), ("kind", kind.into()), ("metadata", Yaml::Map(meta))];
    document(&[&head[..], fields].concat())
}

/// A binding; subjects that name nobody are left out.
pub(crate) fn binding_yaml(binding: &Binding, meta: Vec<(&'static str, Yaml)>) -> String {
    let kind = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    let (role_kind, role) = match &binding.role {
        RoleRef::ClusterRole(name) => ("ClusterRole", name),
        RoleRef::Role(name) | RoleRef::Other(name) => ("Role", name),
    };
    let role =
        vec![("apiGroup", Yaml::from(RBAC)), ("kind", role_kind.into()), ("name", role.clone().into())];
    document(&[
        ("apiVersion", format!("{RBAC}/v1").into()),
        ("kind", kind.into()),
        ("metadata", Yaml::Map(meta)),
        ("roleRef", Yaml::Map(role)),
        ("subjects", Yaml::List(binding.subjects.iter().map(subject).collect())),
    ])
}

fn subject(subject: &Subject) -> Fields {
    match (subject, subject.as_account()) {
        (_, Some((namespace, name))) => vec![
            ("kind", Yaml::from("ServiceAccount")),
            ("name", name.into()),
            ("namespace", namespace.into()),
        ],
        (Subject::User(name), None) => person("User", name),
        (Subject::Group(name), None) => person("Group", name),
    }
}

fn person(kind: &str, name: &str) -> Fields {
    vec![("apiGroup", RBAC.into()), ("kind", kind.into()), ("name", name.into())]
}

/// A role with these rules.
pub(crate) fn role_yaml(role: &Object, rules: &[Rule], meta: Vec<(&'static str, Yaml)>) -> String {
    document(&[
        ("apiVersion", format!("{RBAC}/v1").into()),
        ("kind", role.kind.into()),
        ("metadata", Yaml::Map(meta)),
        ("rules", Yaml::List(rules.iter().map(rule).collect())),
    ])
}

fn rule(rule: &Rule) -> Fields {
    let lists = [
        ("apiGroups", &rule.api_groups),
        ("resources", &rule.resources),
        ("resourceNames", &rule.resource_names),
        ("nonResourceURLs", &rule.non_resource_urls),
        ("verbs", &rule.verbs),
    ];
    let written = lists.into_iter().filter(|(_, list)| !list.is_empty());
    written.map(|(key, list)| (key, Yaml::Line(list.clone()))).collect()
}
