//! One change of one object: how a snapshot looks after it, and how it is written for kubectl.

mod call;
#[cfg(test)]
pub(crate) mod tests;
mod unmount;
mod written;

pub use call::{Because, Call, NoCall, Refused, WorkloadCall, calls};
pub(crate) use unmount::warnings as unmounted;
pub use written::{Patch, undo};
pub(crate) use written::{binding_yaml, role_yaml};

use crate::evidence::Object;
use crate::snapshot::{BindingObject, RoleObject, SYSTEM_NAMESPACES, Snapshot};
use sallyport_rbac::Rule;
use sallyport_rbac::who::{MASTERS, Role, Subject};
use std::fmt;
use std::sync::Arc;

/// The label by which Kubernetes knows what it ships, and puts it back.
pub(crate) const BOOTSTRAPPING: &str = "kubernetes.io/bootstrapping";
/// How the labels begin by which a ClusterRole is taken into others.
const AGGREGATE: &str = "rbac.authorization.k8s.io/aggregate-to-";
/// The label that keeps pods from a node.
pub(crate) const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Takes somebody out of a binding that names others too.
    RemoveSubject {
        /// The binding.
        binding: Object,
        /// Whom.
        subject: Subject,
    },
    /// Removes a binding.
    DeleteBinding {
        /// The binding.
        binding: Object,
    },
    /// Leaves a role only these rules.
    NarrowRole {
        /// The role.
        role: Object,
        /// What it has then.
        rules: Vec<Rule>,
        /// What that takes out, as the end of a sentence: "without bind on clusterroles".
        how: String,
    },
    /// Mounts a ServiceAccount's token into no pod that does not ask for it.
    Unmount {
        /// The ServiceAccount.
        account: Object,
    },
    /// Mounts no account's token into the pods of a workload.
    UnmountPods {
        /// The workload: a Deployment, StatefulSet, DaemonSet, ReplicaSet or CronJob that nothing else makes.
        workload: Object,
    },
    /// Has a namespace enforce the pod security level `baseline`.
    Enforce {
        /// The namespace.
        namespace: Object,
    },
    /// Has webhooks of a configuration refuse what they cannot be asked about.
    FailClosed {
        /// The configuration.
        configuration: Object,
        /// The webhooks, by name.
        webhooks: Vec<String>,
    },
    /// Removes a Secret.
    DeleteSecret {
        /// The Secret.
        secret: Object,
    },
}

/// Why a change is none to propose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The object is not there, or not as it was.
    Gone(String),
    /// It comes with Kubernetes, which puts it back or stops working without it.
    Shipped(String),
    /// A controller writes it from others.
    Aggregated(String),
    /// It can't be changed once it is there, or whoever makes it would put it back: a sentence.
    Fixed(String),
    /// It would change nothing.
    Nothing,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(what) => write!(f, "{what} is not in this scan: scan again"),
            Self::Shipped(what) => write!(
                f,
                "{what} comes with Kubernetes: the API server puts it back when it starts, or needs it; change what \
                 the team added instead"
            ),
            Self::Aggregated(what) => write!(
                f,
                "{what} is written by a controller from roles with a label, or taken into others by one: change the \
                 binding, or those roles by hand"
            ),
            Self::Fixed(why) => f.write_str(why),
            Self::Nothing => f.write_str("it would change nothing"),
        }
    }
}

impl Change {
    /// The object it changes.
    pub fn object(&self) -> &Object {
        match self {
            Self::RemoveSubject { binding, .. } | Self::DeleteBinding { binding } => binding,
            Self::NarrowRole { role, .. } => role,
            Self::Unmount { account } => account,
            Self::UnmountPods { workload } => workload,
            Self::Enforce { namespace } => namespace,
            Self::FailClosed { configuration, .. } => configuration,
            Self::DeleteSecret { secret } => secret,
        }
    }

    /// What it is, as an order: "Take group devs out of ClusterRoleBinding devs".
    pub fn said(&self) -> String {
        let what = named(self.object());
        match self {
            Self::RemoveSubject { subject, .. } => {
                format!("Take {} out of {what}", crate::ground::said(subject))
            }
            Self::DeleteBinding { .. } | Self::DeleteSecret { .. } => format!("Remove {what}"),
            Self::NarrowRole { how, .. } => format!("Narrow {what}: {how}"),
            Self::Unmount { .. } => format!("Mount the token of {what} only where a pod asks for it"),
            Self::UnmountPods { .. } => format!("Mount no token into the pods of {what}"),
            Self::FailClosed { .. } => format!("Have {what} refuse what its webhooks cannot be asked about"),
            Self::Enforce { .. } => format!("Have {what} enforce the pod security level baseline"),
        }
    }

    /// A snapshot as it would be after it. Nothing is read anew.
    ///
    /// # Errors
    /// [`Refusal`], and the snapshot is as it was.
    pub fn apply(&self, snapshot: &mut Snapshot) -> Result<(), Refusal> {
        match self {
            Self::RemoveSubject { binding, subject } => {
                let one = find_binding(snapshot, binding)?;
                let at_home = binding.kind == "ClusterRoleBinding" && binding.name == "cluster-admin";
                if at_home && *subject == Subject::Group(MASTERS.to_owned()) {
                    return Err(Refusal::Shipped(named(binding)));
                }
                let left: Vec<Subject> =
                    one.binding.subjects.iter().filter(|own| *own != subject).cloned().collect();
                if left.len() == one.binding.subjects.len() {
                    return Err(Refusal::Nothing);
                }
                Arc::make_mut(&mut one.binding).subjects = left;
            }
            Self::DeleteBinding { binding } => {
                let one = find_binding(snapshot, binding)?;
                if one.meta.labels.contains_key(BOOTSTRAPPING) {
                    return Err(Refusal::Shipped(named(binding)));
                }
                let is = |one: &BindingObject| is_of(&one.binding.namespace, &one.binding.name, binding);
                snapshot.bindings.retain(|one| !is(one));
            }
            Self::NarrowRole { role, rules, .. } => {
                let one = find_role(snapshot, role)?;
                if one.meta.labels.contains_key(BOOTSTRAPPING) {
                    return Err(Refusal::Shipped(named(role)));
                }
                let label = one.meta.labels.keys().any(|key| key.starts_with(AGGREGATE));
                if one.selectors.is_some() || label {
                    return Err(Refusal::Aggregated(named(role)));
                }
                if one.role.rules == *rules {
                    return Err(Refusal::Nothing);
                }
                one.role = Arc::new(Role { rules: rules.clone(), ..Role::clone(&one.role) });
            }
            Self::Unmount { account } => {
                unmount::may_be_without(account)?;
                let is = |meta: &crate::snapshot::Meta| is_of(&meta.namespace, &meta.name, account);
                let one = snapshot.accounts.iter_mut().find(|one| is(&one.meta));
                let one = one.ok_or_else(|| Refusal::Gone(named(account)))?;
                if one.automount == Some(false) {
                    return Err(Refusal::Nothing);
                }
                one.automount = Some(false);
            }
            Self::UnmountPods { workload } => unmount::apply(snapshot, workload)?,
            Self::Enforce { namespace } => {
                let one = snapshot.namespaces.iter_mut().find(|one| one.name == namespace.name);
                let one = one.ok_or_else(|| Refusal::Gone(named(namespace)))?;
                if SYSTEM_NAMESPACES.contains(&one.name.as_str()) {
                    return Err(Refusal::Shipped(named(namespace)));
                }
                if one.labels.insert(ENFORCE.to_owned(), "baseline".to_owned()).as_deref() == Some("baseline")
                {
                    return Err(Refusal::Nothing);
                }
            }
            Self::FailClosed { configuration, webhooks } => {
                let mutating = configuration.kind.starts_with("Mutating");
                let mut changed = false;
                for one in &mut snapshot.webhooks {
                    if one.mutating == mutating
                        && one.meta.name == configuration.name
                        && webhooks.contains(&one.name)
                    {
                        changed |= std::mem::take(&mut one.ignores_failure);
                    }
                }
                if !changed {
                    return Err(Refusal::Nothing);
                }
            }
            Self::DeleteSecret { secret } => {
                let before = snapshot.secrets.len();
                snapshot.secrets.retain(|one| !is_of(&one.meta.namespace, &one.meta.name, secret));
                if snapshot.secrets.len() == before {
                    return Err(Refusal::Gone(named(secret)));
                }
            }
        }
        Ok(())
    }
}

impl Snapshot {
    /// Takes back whatever changes were made to what was a copy of `original`: without copying anew what they left alone.
    pub(crate) fn put_back(&mut self, original: &Self) {
        let mut left = std::mem::take(&mut self.bindings).into_iter().peekable();
        let binding = |own: &BindingObject| {
            let is = |one: &BindingObject| {
                one.binding.name == own.binding.name && one.binding.namespace == own.binding.namespace
            };
            let kept = left.next_if(is).filter(|one| Arc::ptr_eq(&one.binding, &own.binding));
            kept.unwrap_or_else(|| own.clone())
        };
        self.bindings = original.bindings.iter().map(binding).collect();
        for (one, own) in self.roles.iter_mut().zip(&original.roles) {
            one.role = Arc::clone(&own.role);
        }
        for (one, own) in self.accounts.iter_mut().zip(&original.accounts) {
            one.automount = own.automount;
        }
        for (one, own) in self.workloads.iter_mut().zip(&original.workloads) {
            one.automount = own.automount;
        }
        for (one, own) in self.pods.iter_mut().zip(&original.pods) {
            one.automount = own.automount;
        }
        for (one, own) in self.namespaces.iter_mut().zip(&original.namespaces) {
            if one.labels != own.labels {
                one.labels.clone_from(&own.labels);
            }
        }
        for (one, own) in self.webhooks.iter_mut().zip(&original.webhooks) {
            one.ignores_failure = own.ignores_failure;
        }
        if self.secrets.len() != original.secrets.len() {
            self.secrets.clone_from(&original.secrets);
        }
    }
}

/// An object, said for people.
pub(crate) fn named(object: &Object) -> String {
    let name = crate::said::shown(&object.name);
    match &object.namespace {
        Some(namespace) => format!("{} {}/{name}", object.kind, crate::said::shown(namespace)),
        None => format!("{} {name}", object.kind),
    }
}

fn is_of(namespace: &Option<String>, name: &str, object: &Object) -> bool {
    *namespace == object.namespace && name == object.name
}

/// A binding that is still as it was read.
pub(crate) fn find_binding<'s>(
    snapshot: &'s mut Snapshot,
    object: &Object,
) -> Result<&'s mut BindingObject, Refusal> {
    let mut all = snapshot.bindings.iter_mut();
    let one = all.find(|one| is_of(&one.binding.namespace, &one.binding.name, object));
    one.ok_or_else(|| Refusal::Gone(named(object)))
}

pub(crate) fn find_role<'s>(
    snapshot: &'s mut Snapshot,
    object: &Object,
) -> Result<&'s mut RoleObject, Refusal> {
    let mut all = snapshot.roles.iter_mut();
    let one = all.find(|one| is_of(&one.role.namespace, &one.role.name, object));
    one.ok_or_else(|| Refusal::Gone(named(object)))
}
