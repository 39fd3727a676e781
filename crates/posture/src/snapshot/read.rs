//! Taking in what an API server answered or a file holds: a list, or one object.

use super::shape::{group_of, parse};
use super::{
    Account, BindingObject, Coverage, Kind, Meta, OddSubject, Problem, RoleObject, SecretObject, Snapshot,
    shape,
};
use sallyport_model::{RoleName, clip, visible};
use sallyport_rbac::Rule;
use sallyport_rbac::aggregate::Requirement;
use sallyport_rbac::who::{Binding, Role, RoleRef, Subject};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// What was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Objects that are kept.
    pub kept: usize,
    /// Objects of kinds that posture does not look at.
    pub other: usize,
    /// Objects that could not be read; each is among the snapshot's problems.
    pub unread: usize,
}

/// Why nothing was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeError {
    /// It is no JSON, or ends in the middle.
    NotJson(String),
    /// It is JSON and no object of Kubernetes.
    NoObject,
}

impl fmt::Display for TakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => write!(
                f,
                "this is not whole JSON ({}): read it from the cluster or from its file once more",
                clip(&visible(why), 200)
            ),
            Self::NoObject => f.write_str(
                "this is JSON, but neither a Kubernetes object nor a list of them: it has no kind, or is no object",
            ),
        }
    }
}

impl std::error::Error for TakeError {}

impl Snapshot {
    /// Takes in a list or an object. A list that is whole counts as the whole kind; one that has more to come, as a part
    /// of it, until the rest was taken in and [`asked`](Self::asked) says so. Objects that cannot be read become
    /// [`problems`](Self::problems), and the others are kept.
    ///
    /// # Errors
    /// [`TakeError`], when there is nothing in it at all; a list without a part is no such thing.
    pub fn take(&mut self, json: &[u8]) -> Result<Taken, TakeError> {
        let value = serde_json::from_slice(json).map_err(|error| TakeError::NotJson(error.to_string()))?;
        self.take_value(value)
    }

    /// The same for what was parsed already, as from YAML.
    ///
    /// # Errors
    /// [`TakeError::NoObject`].
    pub fn take_value(&mut self, value: Value) -> Result<Taken, TakeError> {
        let Value::Object(mut object) = value else { return Err(TakeError::NoObject) };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = text(object.get("kind"));
        let group = group_of(&text(object.get("apiVersion")));
        let mut taken = Taken::default();
        let items = match object.remove("items") {
            Some(Value::Array(items)) if kind.ends_with("List") => items,
            Some(Value::Null) | None if kind.ends_with("List") => Vec::new(),
            Some(_) if kind.ends_with("List") => return Err(TakeError::NoObject),
            _ if kind.is_empty() => return Err(TakeError::NoObject),
            _ => {
                self.one(Kind::named(&kind, &group), Value::Object(object), &mut taken);
                return Ok(taken);
            }
        };
        // Items of `ClusterRoleList` do not say their kind; those of `List` do.
        let of_all = kind.strip_suffix("List").and_then(|kind| Kind::named(kind, &group));
        if let Some(kind) = of_all {
            let meta = object.remove("metadata").unwrap_or_default();
            let more = shape::ListMeta::deserialize(meta).map_or(true, |meta| {
                !meta.r#continue.is_empty() || meta.remaining_item_count.is_some_and(|count| count > 0)
            });
            let coverage =
                if more { Coverage::Cut("its list has more to come".to_owned()) } else { Coverage::Read };
            self.asked(kind, coverage);
        }
        for item in items {
            match of_all {
                None => {
                    let (own, group) = (text(item.get("kind")), group_of(&text(item.get("apiVersion"))));
                    self.one(Kind::named(&own, &group), item, &mut taken);
                }
                Some(kind) => match stranger(kind, &item) {
                    None => self.one(Some(kind), item, &mut taken),
                    Some(what) => self.problem(kind, name_of(&item), what, &mut taken),
                },
            }
        }
        Ok(taken)
    }

    fn problem(&mut self, kind: Kind, name: String, what: String, taken: &mut Taken) {
        taken.unread += 1;
        self.problems.push(Problem { kind, name, what });
    }

    fn one(&mut self, kind: Option<Kind>, item: Value, taken: &mut Taken) {
        let Some(kind) = kind else {
            taken.other += 1;
            return;
        };
        let name = name_of(&item);
        match self.keep(kind, item) {
            Ok(()) => taken.kept += 1,
            Err(what) => self.problem(kind, name, what, taken),
        }
    }

    fn keep(&mut self, kind: Kind, item: Value) -> Result<(), String> {
        let meta = meta_of(&item)?;
        // An API server has one of each name: two were written by hand, or read at different times.
        if !self.named.insert((kind, meta.namespace.clone(), meta.name.clone())) {
            return Err("it is the second of this name: which of them holds is not known".to_owned());
        }
        match kind {
            Kind::ClusterRole | Kind::Role => {
                if (kind == Kind::Role) != meta.namespace.is_some() {
                    return Err("a Role is in a namespace and a ClusterRole in none".to_owned());
                }
                self.roles.push(role_of(meta, parse(item)?)?);
            }
            Kind::ClusterRoleBinding | Kind::RoleBinding => {
                if (kind == Kind::RoleBinding) != meta.namespace.is_some() {
                    return Err("a RoleBinding is in a namespace and a ClusterRoleBinding in none".to_owned());
                }
                self.bindings.push(binding_of(meta, parse(item)?)?);
            }
            Kind::ServiceAccount => {
                let shape: shape::Account = parse(item)?;
                self.accounts.push(Account { meta, automount: shape.automount_service_account_token });
            }
            Kind::Namespace => self.namespaces.push(meta),
            Kind::Pod => self.pods.push(super::workload::pod(meta, item)?),
            kind if Kind::WORKLOADS.contains(&kind) => {
                self.workloads.push(super::workload::workload(kind, meta, item)?);
            }
            Kind::Secret => {
                let shape: shape::Secret = parse(item)?;
                self.secrets.push(SecretObject { meta, kind: shape.r#type });
            }
            Kind::ConfigMap => self.configs.push(meta),
            kind => self.keep_admission(kind, meta, item)?,
        }
        Ok(())
    }
}

fn name_of(item: &Value) -> String {
    item.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Why an item of a list of one kind is none of that kind. API servers say neither kind nor version of items, and those
/// who write files say both.
fn stranger(kind: Kind, item: &Value) -> Option<String> {
    let shown = |text: &str| clip(&visible(text), 80);
    let text = |key: &str| match item.get(key) {
        None | Some(Value::Null) => Some(""),
        Some(value) => value.as_str(),
    };
    let (Some(own), Some(version)) = (text("kind"), text("apiVersion")) else {
        return Some(format!("its kind or apiVersion is no text, in a list of {kind}"));
    };
    match (own, version) {
        ("", "") => None,
        (own, "") => Some(format!("it says {} and no apiVersion, in a list of {kind}", shown(own))),
        (own, version) if (!own.is_empty() && own != kind.name()) || group_of(version) != kind.group() => {
            Some(format!("it is a {} of {}, in a list of {kind}", shown(own), shown(version)))
        }
        _ => None,
    }
}

fn meta_of(item: &Value) -> Result<Meta, String> {
    let shape = shape::Metadata::deserialize(item.get("metadata").unwrap_or(&Value::Null))
        .map_err(|error| clip(&visible(&format!("metadata: {error}")), 200))?;
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    if shape.name.is_empty() {
        return Err("it has no name".to_owned());
    }
    let autoupdate = shape.annotations.get("rbac.authorization.kubernetes.io/autoupdate");
    Ok(Meta {
        left_as_it_is: autoupdate.and_then(Value::as_str) == Some("false"),
        name: shape.name,
        namespace: text(shape.namespace),
        uid: text(shape.uid),
        resource_version: text(shape.resource_version),
        created: text(shape.creation_timestamp),
        labels: shape.labels,
        annotations: shape.annotations.into_keys().collect(),
    })
}

fn role_of(meta: Meta, shape: shape::Role) -> Result<RoleObject, String> {
    // Which role a rule stands in is known by the role it is kept in.
    let stands_in: RoleName =
        meta.name.parse().or_else(|_| "role".parse()).map_err(|_| "it has no name".to_owned())?;
    let rule = |rule: shape::Rule| Rule {
        role: stands_in.clone(),
        verbs: rule.verbs,
        api_groups: rule.api_groups,
        resources: rule.resources,
        resource_names: rule.resource_names,
        non_resource_urls: rule.non_resource_urls,
    };
    let selectors = shape
        .aggregation_rule
        .map(|rule| rule.cluster_role_selectors.into_iter().map(selector_of).collect::<Result<Vec<_>, _>>())
        .transpose()?;
    Ok(RoleObject {
        role: Arc::new(Role {
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            rules: shape.rules.into_iter().map(rule).collect(),
        }),
        selectors,
        meta,
    })
}

fn selector_of(shape: shape::Selector) -> Result<Vec<Requirement>, String> {
    let labels = shape.match_labels.into_iter().map(|(key, value)| Ok(Requirement::In(key, vec![value])));
    let expressions = shape.match_expressions.into_iter().map(|one| match one.operator.as_str() {
        "In" => Ok(Requirement::In(one.key, one.values)),
        "NotIn" => Ok(Requirement::NotIn(one.key, one.values)),
        "Exists" => Ok(Requirement::Exists(one.key)),
        "DoesNotExist" => Ok(Requirement::DoesNotExist(one.key)),
        other => Err(format!("its aggregationRule has the operator {}", clip(&visible(other), 40))),
    });
    labels.chain(expressions).collect()
}

fn binding_of(meta: Meta, shape: shape::Binding) -> Result<BindingObject, String> {
    if shape.role_ref.name.is_empty() {
        return Err("it names no role".to_owned());
    }
    let (mut subjects, mut odd) = (Vec::new(), Vec::new());
    for subject in shape.subjects {
        match subject_of(&meta, &subject) {
            Ok(known) => subjects.push(known),
            Err(why) => odd.push(OddSubject { kind: subject.kind, name: subject.name, why }),
        }
    }
    let name = shape.role_ref.name;
    let role = match shape.role_ref.kind.as_str() {
        "ClusterRole" => RoleRef::ClusterRole(name),
        "Role" => RoleRef::Role(name),
        _ => RoleRef::Other(name),
    };
    let binding = Binding { namespace: meta.namespace.clone(), name: meta.name.clone(), role, subjects };
    let binding = Arc::new(binding);
    Ok(BindingObject { meta, binding, odd })
}

/// Whom the API server takes a subject for (`appliesToUser` of Kubernetes).
fn subject_of(meta: &Meta, subject: &shape::Subject) -> Result<Subject, &'static str> {
    if subject.name.is_empty() {
        return Err("it has no name");
    }
    match subject.kind.as_str() {
        "User" => Ok(Subject::User(subject.name.clone())),
        "Group" => Ok(Subject::Group(subject.name.clone())),
        "ServiceAccount" => {
            // One that names no namespace is of the binding's own.
            let own = Some(subject.namespace.as_str()).filter(|own| !own.is_empty());
            let namespace =
                own.or(meta.namespace.as_deref()).ok_or("a service account without a namespace")?;
            Ok(Subject::account(namespace, &subject.name))
        }
        _ => Err("its kind is none that the API server knows"),
    }
}
