//! Where somebody gets who acts as others for some requests (KEP-5284): what both halves allow, and what the other may do.
//!
//! What one may do as somebody is asked of [`acts_as`], and what passes on is asked of [`may_bind`]: the same evaluator that is
//! compared with an API server.

use super::Node;
use super::hit::Hit;
use super::lead::Lead;
use crate::rights::{Place, Rights};
use sallyport_rbac::Ask;
use sallyport_rbac::escalation::may_bind;
use sallyport_rbac::impersonate::{Mode, acts_as};
use sallyport_rbac::who::{Caller, MASTERS, RoleRef, Subject};

/// Most pairs of somebody to act as and a place that are looked at for one holder. Beyond, it is said that there may be more.
const PAIRS: usize = 20_000;

/// Names under which somebody in a group is tried, of those that one may act as.
const NAMES: usize = 8;

/// One kind of request that leads further.
struct Request {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    to: To,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Secrets,
    Accounts,
    /// To all accounts and Secrets there, and to a node if nothing keeps pods from it.
    Pods,
    PodAccounts,
    /// To what may be bound there.
    Bound,
}

const fn request(
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    to: To,
) -> Request {
    Request { verb, group, resource, subresource, to }
}

/// Each by itself: what takes several requests, of which each is lent by somebody else, is not put together here.
const REQUESTS: &[Request] = &[
    request("list", "", "secrets", "", To::Secrets),
    request("get", "", "secrets", "", To::Secrets),
    request("create", "", "serviceaccounts", "token", To::Accounts),
    request("create", "", "pods", "", To::Pods),
    request("create", "apps", "deployments", "", To::Pods),
    request("create", "apps", "daemonsets", "", To::Pods),
    request("create", "apps", "statefulsets", "", To::Pods),
    request("create", "batch", "jobs", "", To::Pods),
    request("create", "batch", "cronjobs", "", To::Pods),
    request("create", "", "pods", "exec", To::PodAccounts),
    request("create", "rbac.authorization.k8s.io", "clusterrolebindings", "", To::Bound),
    request("create", "rbac.authorization.k8s.io", "rolebindings", "", To::Bound),
];

/// What is known of the cluster where somebody acts as others.
pub(super) struct Known<'a> {
    pub(super) rights: &'a Rights,
    /// The server's version.
    pub(super) server: Option<(u32, u32)>,
    /// Whether pods made there may reach their node.
    pub(super) reaches_node: &'a dyn Fn(Place) -> bool,
    /// Whom pods run as, there or anywhere.
    pub(super) pod_accounts: &'a dyn Fn(Option<Place>) -> Vec<(Node, bool)>,
}

/// Where a holder of a mode gets by it.
pub(super) fn leads(known: &Known<'_>, hit: &Hit, who: Option<&Subject>) -> Vec<Lead> {
    let Some(caller) = who.map(Subject::caller) else { return Vec::new() };
    let others = others(known, hit);
    let places = std::iter::once(None).chain((0..known.rights.namespaces.len()).map(Some));
    let mut found: Vec<(Node, bool)> = Vec::new();
    let pairs = places.flat_map(|place| others.iter().map(move |other| (place, other)));
    for (at, (place, other)) in pairs.enumerate() {
        if at >= PAIRS {
            found.push((Node::AnyUser, false));
            break;
        }
        for request in REQUESTS {
            if lends(known, &caller, other, request, place) {
                found.extend(to(known, other, request, place));
            }
        }
    }
    found.sort_by_key(|(node, certain)| (*node, !certain));
    found.dedup_by_key(|(node, _)| *node);
    found.into_iter().map(|(to, certain)| Lead { to, certain, needs: None }).collect()
}

/// Whom one may ask to act as: those whom a binding names, each by itself.
fn others(known: &Known<'_>, hit: &Hit) -> Vec<Caller> {
    let named = hit.names.first().cloned().flatten();
    // Somebody in a group has a name too, of whom nothing else need be known.
    let names = named.unwrap_or_else(|| vec!["anybody".to_owned()]);
    let other = |subject: &Subject| match subject {
        Subject::Group(group) if group == MASTERS => Vec::new(),
        Subject::Group(_) => {
            let of_group = |name: &String| {
                let mut one = Subject::User(name.clone()).caller();
                one.groups.extend(subject.caller().groups);
                one
            };
            names.iter().take(NAMES).map(of_group).collect()
        }
        Subject::User(_) => vec![subject.caller()],
    };
    known.rights.subjects.iter().flat_map(other).collect()
}

fn lends(
    known: &Known<'_>,
    caller: &Caller,
    other: &Caller,
    request: &Request,
    place: Option<Place>,
) -> bool {
    let rights = known.rights;
    let namespace = rights.namespace(place);
    let Request { verb, group, resource, subresource, .. } = *request;
    // Of the whole cluster's objects there are none in a namespace.
    if resource == "clusterrolebindings" && place.is_some() {
        return false;
    }
    let ask = Ask::Resource { verb, group, resource, subresource, name: "" };
    rights.rbac.allows(other, ask, namespace)
        // The old way is one of its own.
        && acts_as(&rights.rbac, caller, other, ask, namespace, known.server)
            .iter()
            .any(|mode| *mode != Mode::Whole)
}

fn to(known: &Known<'_>, other: &Caller, request: &Request, place: Option<Place>) -> Vec<(Node, bool)> {
    let accounts = (place.map_or(Node::EveryAccount, Node::Accounts), true);
    let secrets = (place.map_or(Node::EverySecret, Node::Secrets), true);
    match request.to {
        To::Secrets => vec![secrets],
        To::Accounts => vec![accounts],
        To::Pods => {
            let mut leads = vec![accounts, secrets];
            let reaches = match place {
                Some(place) => (known.reaches_node)(place),
                None => (0..known.rights.namespaces.len()).any(|place| (known.reaches_node)(place)),
            };
            if reaches {
                leads.push((Node::Root, false));
            }
            leads
        }
        To::PodAccounts => (known.pod_accounts)(place),
        To::Bound => {
            let rights = known.rights;
            let namespace = rights.namespace(place);
            let full = rights.rbac.roles().iter().enumerate().any(|(at, role)| {
                role.namespace.is_none()
                    && rights.full_rule(at).is_some()
                    // Who may bind what is asked of whom one acts as, and no mode is asked about it.
                    && may_bind(&rights.rbac, other, &RoleRef::ClusterRole(role.name.clone()), namespace)
            });
            let to = match (request.resource, place) {
                ("clusterrolebindings", _) => Node::ClusterAdmin,
                (_, None) => Node::EveryNamespace,
                (_, Some(place)) => Node::Namespace(place),
            };
            if full { vec![(to, true)] } else { Vec::new() }
        }
    }
}
