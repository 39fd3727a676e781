use crate::{
    clock::Clock,
    config::{Authorities, Config},
    events::Events,
    hub_seen::HubSeen,
    hubside::Hub,
    memory::Memory,
    question::Lost,
    queue::{Key, Queue},
    standing::standing,
    store::Store,
    turns::Turns,
};
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    core::v1::{Namespace, ServiceAccount},
    rbac::v1::{ClusterRole, ClusterRoleBinding, RoleBinding},
};
use kube::ResourceExt;
use sallyport_api::{AccessGrant, AccessHold, AccessProfile, AccessRequest, GRANT_LABEL};
use sallyport_client::Endpoint;
use sallyport_model::{Hold, NamespaceName, Phase, RequestUid, RoleName, SessionAccount};
use sallyport_provision::{Observed, Target, is_of_session};
use sallyport_rbac::Rule;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// Everything the parts of one leader share.
pub(crate) struct Broker {
    pub(crate) config: Config,
    pub(crate) authorities: Authorities,
    pub(crate) hub: Hub,
    pub(crate) events: Events,
    pub(crate) target: Target,
    /// Where the target answers, for connections of their own.
    pub(crate) target_at: Endpoint,
    pub(crate) stores: Stores,
    pub(crate) queue: Queue,
    pub(crate) clock: Clock,
    pub(crate) contact: Contact,
    /// Rung when what is reported on the AccessCluster may have changed.
    pub(crate) report: Notify,
    /// Rung when something on the target may have no request any more.
    pub(crate) sweep: Notify,
    /// Rung when the guardrails may have changed.
    pub(crate) verify: Notify,
    /// What is remembered of a grant for as long as the broker leads.
    pub(crate) memory: Memory,
    /// Decisions that count what was decided before.
    pub(crate) turns: Turns,
    /// Who may not ask any more for what they have open, by the hub's last answers.
    pub(crate) lost: Lost,
    /// What was last seen of the hub's guardrails.
    pub(crate) hub_seen: HubSeen,
}

/// What the watches have seen.
#[derive(Default)]
pub(crate) struct Stores {
    pub(crate) requests: Store<AccessRequest>,
    pub(crate) profiles: Store<AccessProfile>,
    /// Not synced, nothing is granted: what is held is not known.
    pub(crate) holds: Store<AccessHold>,
    /// The hub's own guardrails. Not synced, nothing is granted either.
    pub(crate) hub_policies: Store<ValidatingAdmissionPolicy>,
    pub(crate) hub_bindings: Store<ValidatingAdmissionPolicyBinding>,
    pub(crate) roles: Store<ClusterRole>,
    pub(crate) grants: Store<AccessGrant>,
    pub(crate) accounts: Store<ServiceAccount>,
    pub(crate) bindings: Store<RoleBinding>,
    pub(crate) cluster_bindings: Store<ClusterRoleBinding>,
    /// Those that take sessions. Without the right to watch them it is never synced, and admission alone judges.
    pub(crate) namespaces: Store<Namespace>,
}

/// When the hub was last heard of.
pub(crate) struct Contact(Mutex<Instant>);

impl Contact {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    pub(crate) fn heard(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(crate) fn silent_for(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// What everything of one grant is labelled with.
pub(crate) fn label<K: ResourceExt>(object: &K) -> Option<&str> {
    object.labels().get(GRANT_LABEL).map(String::as_str)
}

pub(crate) fn key_of(request: &AccessRequest) -> Key {
    (request.namespace().unwrap_or_default(), request.name_any())
}

/// Whose turn a request waits for. Closed ones have a turn of their own beside their person's: after a restart there may
/// be thousands, and whoever asked often before would wait behind them (attack 19).
pub(crate) fn lane_of(request: &AccessRequest) -> String {
    let closed = if request.phase() == Phase::Closed { "closed" } else { "open" };
    format!("{closed} {}", request.spec.user)
}

/// The name of the grant a request would have.
pub(crate) fn grant_name(request: &AccessRequest) -> String {
    SessionAccount::derive_grant_name(&RequestUid::new(request.uid().unwrap_or_default()))
}

impl Broker {
    /// What the watches have seen under a grant's name.
    pub(crate) fn observed(&self, grant: &str) -> Observed {
        let stores = &self.stores;
        Observed {
            grant: stores.grants.get("", grant).map(|found| (*found).clone()),
            accounts: stores.accounts.filtered(|one| label(one) == Some(grant)),
            bindings: stores
                .bindings
                .filtered(|one| label(one) == Some(grant) && is_of_session(one.subjects.as_ref())),
            cluster_bindings: stores
                .cluster_bindings
                .filtered(|one| label(one) == Some(grant) && is_of_session(one.subjects.as_ref())),
        }
    }

    /// Requests of the same person that are being granted or open, this one left out.
    pub(crate) fn others_open(&self, request: &AccessRequest) -> u32 {
        let same = |one: &&Arc<AccessRequest>| {
            one.spec.user == request.spec.user
                && matches!(one.phase(), Phase::Approved | Phase::Active)
                && one.uid() != request.uid()
        };
        u32::try_from(self.stores.requests.all().iter().filter(same).count()).unwrap_or(u32::MAX)
    }

    /// The first standing binding that gives every session more than discovery.
    pub(crate) fn standing(&self) -> Option<String> {
        let stores = &self.stores;
        standing(&stores.bindings.all(), &stores.cluster_bindings.all(), |name| stores.roles.get("", name))
    }

    /// Namespaces open for sessions, or those asked for when the target doesn't let the broker see.
    pub(crate) fn bindable(&self, named: &BTreeSet<NamespaceName>) -> BTreeSet<NamespaceName> {
        if !self.stores.namespaces.is_synced() {
            return named.clone();
        }
        let open = self.stores.namespaces.all();
        open.iter().filter_map(|namespace| namespace.name_any().parse().ok()).collect()
    }

    /// The hold that stands on a request, if one does.
    pub(crate) fn held(&self, request: &AccessRequest) -> Option<Hold> {
        let (spec, now) = (&request.spec, self.clock.hub_now());
        let holds = self.stores.holds.all();
        holds.iter().map(|hold| Hold::from(&**hold)).find(|hold| hold.is_on(&spec.user, &spec.cluster, now))
    }

    /// The rules of a role as the watch saw it last.
    pub(crate) fn seen_rules(&self, roles: &[RoleName]) -> Vec<Rule> {
        let found = roles.iter().filter_map(|name| Some((name, self.stores.roles.get("", name.as_str())?)));
        found.flat_map(|(name, role)| rules_of(name, &role)).collect()
    }

    /// Has every request looked at that may be touched by a change on the target.
    pub(crate) fn wake_open(&self, touched: impl Fn(&AccessRequest) -> bool) {
        for request in self.stores.requests.all() {
            if request.phase() != Phase::Closed && touched(&request) {
                self.queue.push(key_of(&request), &lane_of(&request));
            }
        }
    }
}

/// A ClusterRole's rules, as stored.
pub(crate) fn rules_of(name: &RoleName, role: &ClusterRole) -> Vec<Rule> {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let rules = role.rules.iter().flatten();
    rules
        .map(|rule| Rule {
            role: name.clone(),
            verbs: rule.verbs.clone(),
            api_groups: list(&rule.api_groups),
            resources: list(&rule.resources),
            resource_names: list(&rule.resource_names),
            non_resource_urls: list(&rule.non_resource_urls),
        })
        .collect()
}
