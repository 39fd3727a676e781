//! What is kept of each object.

use sallyport_rbac::aggregate::Requirement;
use sallyport_rbac::who::{Binding, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What every object says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its namespace, where it is in one.
    pub namespace: Option<String>,
    /// Its UID, where it was said.
    pub uid: Option<String>,
    /// Its version, where it was said.
    pub resource_version: Option<String>,
    /// When it was made, as the API server wrote it.
    pub created: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The keys of its annotations: values may hold anything and are not kept.
    pub annotations: BTreeSet<String>,
    /// Whether `rbac.authorization.kubernetes.io/autoupdate` says `false`: the API server then leaves a role or binding of
    /// its own as somebody changed it. The one annotation whose value is looked at.
    pub left_as_it_is: bool,
}

/// A ClusterRole or a Role.
#[derive(Clone, Debug)]
pub struct RoleObject {
    /// What it says of itself.
    pub meta: Meta,
    /// The role, shared with the index.
    pub role: Arc<Role>,
    /// Its `aggregationRule`, where it has one.
    pub selectors: Option<Vec<Vec<Requirement>>>,
}

/// A subject that names nobody whom the API server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddSubject {
    /// Its kind, as written.
    pub kind: String,
    /// Its name, as written.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A ClusterRoleBinding or a RoleBinding.
#[derive(Clone, Debug)]
pub struct BindingObject {
    /// What it says of itself.
    pub meta: Meta,
    /// The binding, shared with the index.
    pub binding: Arc<Binding>,
    /// Its subjects that name nobody.
    pub odd: Vec<OddSubject>,
}

/// A ServiceAccount.
#[derive(Clone, Debug)]
pub struct Account {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether its token is mounted into pods that do not say; none: it does not say either, and it is.
    pub automount: Option<bool>,
}

/// Who makes an object, and makes it anew: the owner that is its controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// Its kind, as written.
    pub kind: String,
    /// Its API group, as written; empty for the core group.
    pub group: String,
    /// Its name. It is in the same namespace, or in none.
    pub name: String,
    /// Its UID, where it was said.
    pub uid: Option<String>,
}

/// A token that a pod asks for by a projected volume of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenVolume {
    /// How long it lives, seconds; an hour where that is not said.
    pub seconds: i64,
    /// Who is to believe it; empty: the API server.
    pub audience: String,
}

/// What makes pods. Of its template is kept what is kept of a pod.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What it says of itself.
    pub meta: Meta,
    /// One of [`Kind::WORKLOADS`](super::Kind::WORKLOADS).
    pub kind: super::Kind,
    /// Who makes it.
    pub controller: Option<Controller>,
    /// The ServiceAccount its pods run as.
    pub account: String,
    /// Whether its token is mounted into them; none: the account says.
    pub automount: Option<bool>,
    /// The tokens that they ask for beside it.
    pub tokens: Vec<TokenVolume>,
}

/// A pod.
#[derive(Clone, Debug)]
pub struct Pod {
    /// What it says of itself.
    pub meta: Meta,
    /// Who makes it.
    pub controller: Option<Controller>,
    /// The ServiceAccount it runs as.
    pub account: String,
    /// Whether its token is mounted; none: its account says.
    pub automount: Option<bool>,
    /// The tokens that it asks for beside it.
    pub tokens: Vec<TokenVolume>,
}

/// A Secret, without what it holds.
#[derive(Clone, Debug)]
pub struct SecretObject {
    /// What it says of itself.
    pub meta: Meta,
    /// Its type; empty where only metadata was read.
    pub kind: String,
}

/// A ResourceQuota.
#[derive(Clone, Debug)]
pub struct Quota {
    /// What it says of itself.
    pub meta: Meta,
    /// What it bounds, as `pods` and `limits.cpu`; none: that was not read.
    pub hard: Option<Vec<String>>,
    /// The kinds of pods that it is limited to, as `BestEffort`; empty: it bounds all.
    pub scopes: Vec<String>,
}

/// A LimitRange.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether one of its limits is a bound (`max`, `default`, `maxLimitRequestRatio`); none: that was not read.
    pub bounds: Option<bool>,
}

/// What a webhook is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookRule {
    /// API groups.
    pub groups: Vec<String>,
    /// Resources.
    pub resources: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`, `*`; empty: that was not read.
    pub operations: Vec<String>,
    /// `Cluster`, `Namespaced` or `*`; empty: `*`.
    pub scope: String,
}

/// A webhook of a configuration.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The configuration it is part of.
    pub meta: Meta,
    /// Whether it changes what is written, else it refuses.
    pub mutating: bool,
    /// Its name.
    pub name: String,
    /// Whether requests pass when it cannot be asked.
    pub ignores_failure: bool,
    /// The resources it is asked about, as `group/resource`.
    pub resources: Vec<String>,
    /// Namespace and name of the Service that answers for it, where one does.
    pub service: Option<(String, String)>,
    /// Its address, where no Service answers for it.
    pub url: Option<String>,
    /// The labels of namespaces by which it passes over some of them.
    pub spares: Vec<String>,
    /// The labels of objects by which it passes over some of them: whoever writes an object writes those too.
    pub object_labels: Vec<String>,
    /// The names of its conditions (`matchConditions`): it is asked only where all hold.
    pub conditions: Vec<String>,
    /// What it is asked about, rule by rule.
    pub rules: Vec<WebhookRule>,
}

/// A ValidatingAdmissionPolicy or a MutatingAdmissionPolicy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether it changes what is written, else it refuses.
    pub mutating: bool,
    /// Whether requests pass when it cannot be evaluated.
    pub ignores_failure: bool,
    /// API version and kind of its parameters, where it has some.
    pub parameters: Option<(String, String)>,
    /// What it passes over, of what its own constraints match.
    pub spares: Spared,
}

/// The labels by which a policy or a binding of one passes over some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spared {
    /// Labels of namespaces; their names are none of them.
    pub namespaces: Vec<String>,
    /// Labels of objects.
    pub objects: Vec<String>,
}

/// A ValidatingAdmissionPolicyBinding or a MutatingAdmissionPolicyBinding.
#[derive(Clone, Debug)]
pub struct PolicyBinding {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether its policy is one that changes what is written.
    pub mutating: bool,
    /// The policy it puts in force.
    pub policy: String,
    /// What it does: `Deny`, `Warn`, `Audit`; empty for one that changes.
    pub actions: Vec<String>,
    /// Its parameters, where it names some.
    pub parameters: Option<Parameters>,
    /// What it passes over.
    pub spares: Spared,
}

/// The parameters that a binding names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The object's name; empty where a selector chooses.
    pub name: String,
    /// Its namespace; empty: the request's own, or none.
    pub namespace: String,
    /// Whether requests pass where it is not there (`parameterNotFoundAction: Allow`).
    pub allows_without: bool,
}

/// A FlowSchema.
#[derive(Clone, Debug)]
pub struct Flow {
    /// What it says of itself.
    pub meta: Meta,
    /// The priority level its requests wait at; `exempt` waits for nothing.
    pub level: String,
    /// Of those that match the one with the lowest is taken.
    pub precedence: i64,
    /// Whose requests, and which.
    pub rules: Vec<FlowRule>,
}

/// Whose requests a FlowSchema takes, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowRule {
    /// Whom; a name `*` is everybody of its kind.
    pub subjects: Vec<sallyport_rbac::who::Subject>,
    /// Whether some of the requests are about resources, and not about paths alone.
    pub on_resources: bool,
    /// Whether it takes every verb on every resource in every namespace.
    pub on_everything: bool,
    /// Paths, as `/healthz`.
    pub paths: Vec<String>,
}

/// A group of the API that another server answers for.
#[derive(Clone, Debug)]
pub struct ApiService {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether that server's certificate is not looked at.
    pub insecure: bool,
}

/// A request for a certificate.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// What it says of itself.
    pub meta: Meta,
    /// Who is to sign.
    pub signer: String,
    /// Who asked, as the API server saw them.
    pub user: String,
    /// What was decided: `Approved`, `Denied`, `Failed`; empty: nothing yet.
    pub conditions: Vec<String>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct NodeObject {
    /// What it says of itself.
    pub meta: Meta,
    /// Its kubelet's version, e.g. `v1.37.2`.
    pub kubelet: String,
    /// Whose machine it says it is: `aws:///…`.
    pub provider: String,
}

/// A Service.
#[derive(Clone, Debug)]
pub struct ServiceObject {
    /// What it says of itself.
    pub meta: Meta,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: String,
    /// Which pods stand behind it.
    pub selector: BTreeMap<String, String>,
    /// Its ports and those of the pods behind it, as written.
    pub ports: Vec<String>,
}

/// Addresses behind a Service.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// What it says of itself.
    pub meta: Meta,
    /// The Service's name.
    pub service: String,
    /// Addresses that are not said to be unready.
    pub addresses: Vec<String>,
}

/// An Ingress.
#[derive(Clone, Debug)]
pub struct IngressObject {
    /// What it says of itself.
    pub meta: Meta,
    /// The Services that it leads to, in its own namespace.
    pub services: Vec<String>,
}
