//! Where a way leads, by what else is known of the cluster.

use super::Node;
use super::hit::{Hit, Needs};
use super::lead::Lead;
use super::technique::{Technique, To};
use super::{lent, made};
use crate::rights::{Holder, Place, Rights};
use crate::snapshot::{Kind, Meta, Snapshot};
use sallyport_rbac::who::Subject;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What of the snapshot edges depend on.
pub(super) struct Around<'s> {
    pub(super) rights: &'s Rights,
    /// The server's version.
    server: Option<(u32, u32)>,
    /// What ways need on this server.
    pub(super) needs: Needs,
    /// The ServiceAccounts of each namespace that a binding names.
    pub(super) accounts_in: Vec<Vec<usize>>,
    /// All ServiceAccounts by namespace and name; none: they were not all read.
    accounts: Option<HashSet<(&'s str, &'s str)>>,
    /// Whom pods of each namespace run as, and nobody else; none: pods were not all read.
    running: Option<Vec<Vec<Node>>>,
    /// The same of all namespaces together.
    running_anywhere: Vec<Node>,
    /// Whether a namespace has a pod security level that keeps pods from a node; none: namespaces were not all read.
    guarded: Option<Vec<bool>>,
    /// Whether each role takes in ClusterRoles by their labels.
    pub(super) aggregates: Vec<bool>,
    /// Whether the ConfigMap aws-auth is there; none: it was not found, and ConfigMaps were not all read.
    aws_auth: Option<bool>,
}

impl<'s> Around<'s> {
    pub(super) fn of(rights: &'s Rights, snapshot: &'s Snapshot) -> Self {
        let running = snapshot.has_all(Kind::Pod).then(|| running(rights, snapshot));
        let running_anywhere: BTreeSet<Node> = running.iter().flatten().flatten().copied().collect();
        let guarded = snapshot.has_all(Kind::Namespace).then(|| {
            let mut guarded = vec![false; rights.namespaces.len()];
            for namespace in &snapshot.namespaces {
                let level = namespace.labels.get("pod-security.kubernetes.io/enforce").map(String::as_str);
                if let Some(place) = rights.place(&namespace.name)
                    && let Some(one) = guarded.get_mut(place)
                {
                    *one = matches!(level, Some("baseline" | "restricted"));
                }
            }
            guarded
        });
        let accounts = snapshot.has_all(Kind::ServiceAccount).then(|| {
            let key = |meta: &'s Meta| (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_str());
            snapshot.accounts.iter().map(|one| key(&one.meta)).collect()
        });
        let mut accounts_in = vec![Vec::new(); rights.namespaces.len()];
        for (at, subject) in rights.subjects.iter().enumerate() {
            let place = subject.as_account().and_then(|(namespace, _)| rights.place(namespace));
            if let Some(accounts) = place.and_then(|place| accounts_in.get_mut(place)) {
                accounts.push(at);
            }
        }
        let aggregates = snapshot
            .roles
            .iter()
            .map(|one| {
                one.role.namespace.is_none() && one.selectors.as_ref().is_some_and(|all| !all.is_empty())
            })
            .collect();
        let aws_auth = snapshot
            .configs
            .iter()
            .any(|one| one.name == "aws-auth" && one.namespace.as_deref() == Some("kube-system"));
        let all_configs = snapshot.has_all(Kind::ConfigMap);
        let aws_auth = (aws_auth || all_configs).then_some(aws_auth);
        Self {
            rights,
            server: snapshot.server,
            needs: Needs::on(snapshot.server),
            accounts_in,
            accounts,
            running,
            running_anywhere: running_anywhere.into_iter().collect(),
            guarded,
            aggregates,
            aws_auth,
        }
    }

    /// Whether pods made there may reach their node: no level is known to keep them from it.
    pub(super) fn reaches_node(&self, place: Place) -> bool {
        self.guarded.as_ref().is_none_or(|guarded| guarded.get(place) == Some(&false))
    }

    /// Where a way leads, and whether roles and bindings alone decide that.
    pub(super) fn leads(&self, hit: &Hit, holder: &Holder, who: Option<&Subject>) -> Vec<Lead> {
        match hit.technique().map(|technique| technique.to) {
            Some(To::NewClusterRole) => made::cluster_role(self.rights, &self.aggregates, holder, who),
            Some(To::NewRole) => made::role(self.rights, hit.place, who),
            Some(To::Lent) => {
                let known = lent::Known {
                    rights: self.rights,
                    server: self.server,
                    reaches_node: &|place| self.reaches_node(place),
                    pod_accounts: &|place| self.pod_accounts(place),
                };
                lent::leads(&known, hit, who)
            }
            Some(To::OwnClusterRole) => self.own(hit, holder, false),
            Some(To::OwnRole) => self.own(hit, holder, true),
            _ => self.to(hit).into_iter().map(|(to, certain)| Lead { to, certain, needs: None }).collect(),
        }
    }

    fn to(&self, hit: &Hit) -> Vec<(Node, bool)> {
        let Some(technique) = hit.technique() else { return Vec::new() };
        let names = |need: usize| hit.names.get(need).cloned().flatten();
        match technique.to {
            // These depend on what else is held.
            To::OwnClusterRole | To::OwnRole | To::NewClusterRole | To::NewRole | To::Lent | To::Nowhere => {
                Vec::new()
            }
            To::ClusterAdmin => {
                let masters = |group: &String| group == sallyport_rbac::who::MASTERS;
                match names(1).is_none_or(|groups| groups.iter().any(masters)) && acts(names(0)) {
                    true => vec![(Node::ClusterAdmin, true)],
                    false => Vec::new(),
                }
            }
            To::BoundEverywhere => self.bound(names(0), None, Node::ClusterAdmin),
            To::BoundThere => {
                let whole = hit.place.map_or(Node::EveryNamespace, Node::Namespace);
                self.bound(names(0), hit.place, whole)
            }
            To::Roles => self.roles(names(0), hit.place),
            To::Users => match names(0) {
                None => vec![(Node::AnyUser, true)],
                Some(names) => self.subjects(names.into_iter().map(Subject::User)),
            },
            To::Groups if !acts(names(0)) => Vec::new(),
            To::Groups => match names(1) {
                None => vec![(Node::AnyGroup, true)],
                Some(names) => self.subjects(names.into_iter().map(Subject::Group)),
            },
            To::Everybody => {
                let signers = names(2);
                let may = |known: &[&str]| {
                    signers.as_ref().is_none_or(|names| names.iter().any(|one| known.contains(&one.as_str())))
                };
                let mut leads = Vec::new();
                if may(&CLIENT_SIGNERS) {
                    leads.extend([(Node::AnyUser, true), (Node::AnyGroup, true)]);
                }
                if may(&NODE_SIGNERS) {
                    leads.extend([(Node::Root, true), (Node::EverySecret, true)]);
                }
                leads
            }
            To::Accounts => match names(0) {
                None => vec![(hit.place.map_or(Node::EveryAccount, Node::Accounts), true)],
                Some(names) => self.accounts(&names, hit.place, technique.check == "RB-07"),
            },
            To::AllAccounts => {
                let accounts = hit.place.map_or(Node::EveryAccount, Node::Accounts);
                let secrets = hit.place.map_or(Node::EverySecret, Node::Secrets);
                vec![(accounts, true), (secrets, true)]
            }
            To::PodAccounts => self.pod_accounts(hit.place),
            To::Secrets if hit.is_nameless() => {
                vec![(hit.place.map_or(Node::EverySecret, Node::Secrets), true)]
            }
            To::Secrets => Vec::new(),
            To::NodeRoot if technique.check == "RB-12" => {
                let reaches = match hit.place {
                    Some(place) => self.reaches_node(place),
                    None if self.guarded.is_none() => true,
                    None => (0..self.rights.namespaces.len()).any(|place| self.reaches_node(place)),
                };
                if reaches { vec![(Node::Root, false)] } else { Vec::new() }
            }
            To::NodeRoot => vec![(Node::Root, false)],
            To::Nodes => vec![(Node::Root, true), (Node::EveryAccount, true)],
            To::AwsAuth
                if self.aws_auth != Some(false)
                    && names(0).is_none_or(|names| names.iter().any(|one| one == "aws-auth")) =>
            {
                vec![(Node::ClusterAdmin, self.aws_auth.is_some())]
            }
            To::AwsAuth => Vec::new(),
        }
    }

    /// A ClusterRole that is held, and may be changed, is everything where it is held; and the same of a Role.
    fn own(&self, hit: &Hit, holder: &Holder, local: bool) -> Vec<Lead> {
        let allowed = |name: &str| {
            hit.names
                .iter()
                .all(|names| names.as_ref().is_none_or(|names| names.iter().any(|own| own == name)))
        };
        let makes = hit.technique().is_some_and(Technique::makes_roles);
        let held = holder.grants.iter().filter(|grant| {
            let role = self.rights.role(grant.role);
            role.is_some_and(|role| role.namespace.is_some() == local && allowed(&role.name))
                && (!local || hit.place.is_none() || grant.namespace == hit.place)
                && (!makes || made::survives(self.rights, hit, holder, grant.role))
        });
        let mut by: BTreeMap<Node, Vec<Option<usize>>> = BTreeMap::new();
        for grant in held {
            let to = grant.namespace.map_or(Node::ClusterAdmin, Node::Namespace);
            by.entry(to).or_default().push(grant.binding);
        }
        // The one by which it is held, if there is no other.
        let lead = |(to, by): (Node, Vec<Option<usize>>)| Lead {
            to,
            certain: true,
            needs: if by.len() == 1 { by.into_iter().flatten().next() } else { None },
        };
        by.into_iter().map(lead).collect()
    }

    /// The ClusterRoles that may be bound: all of them are everything.
    fn bound(&self, names: Option<Vec<String>>, place: Option<Place>, whole: Node) -> Vec<(Node, bool)> {
        let Some(names) = names else { return vec![(whole, true)] };
        let roles = self.rights.rbac.roles();
        let mut leads = Vec::new();
        for (at, role) in roles.iter().enumerate().filter(|(_, role)| role.namespace.is_none()) {
            if names.contains(&role.name) {
                if self.rights.full_rule(at).is_some() {
                    return vec![(whole, true)];
                }
                // In any namespace: then where it is worth most.
                let there = match whole {
                    Node::EveryNamespace => self.rights.place("kube-system"),
                    _ => place,
                };
                let everywhere = whole == Node::ClusterAdmin;
                if !self.rights.powers(at).is_empty() && (everywhere || there.is_some()) {
                    leads.push((Node::Held(at, if everywhere { None } else { there }), true));
                }
            }
        }
        leads
    }

    fn roles(&self, names: Option<Vec<String>>, place: Option<Place>) -> Vec<(Node, bool)> {
        let fits = |name: &str| names.as_ref().is_none_or(|names| names.iter().any(|own| own == name));
        let mut leads = Vec::new();
        for (at, role) in self.rights.rbac.roles().iter().enumerate() {
            let there = role.namespace.as_deref().and_then(|own| self.rights.place(own));
            if there.is_some()
                && place.is_none_or(|only| there == Some(only))
                && fits(&role.name)
                && !self.rights.powers(at).is_empty()
            {
                leads.push((Node::Held(at, there), true));
            }
        }
        leads
    }

    fn subjects(&self, named: impl Iterator<Item = Subject>) -> Vec<(Node, bool)> {
        // A user by the name of an account is asked for as an account.
        named
            .filter(|subject| subject.as_account().is_none())
            .filter_map(|subject| Some((Node::Subject(self.rights.subject(&subject)?), true)))
            .collect()
    }

    /// Accounts by name: those that a binding names, and of the others the groups that they are in. `anyway`: whether it
    /// matters not if they are there.
    fn accounts(&self, names: &[String], place: Option<Place>, anyway: bool) -> Vec<(Node, bool)> {
        let only = self.rights.namespace(place);
        let mut leads = BTreeMap::new();
        for (at, subject) in self.rights.subjects.iter().enumerate() {
            if subject.as_account().is_some_and(|(namespace, name)| {
                only.is_none_or(|only| only == namespace) && names.iter().any(|own| own == name)
            }) {
                leads.insert(Node::Subject(at), true);
            }
        }
        for namespace in self.rights.namespaces.iter().filter(|own| only.is_none_or(|only| only == *own)) {
            for name in names {
                let account = Subject::account(namespace, name);
                if self.rights.subject(&account).is_some() {
                    continue;
                }
                let there = match &self.accounts {
                    _ if anyway || name == "default" => true,
                    Some(accounts) if !accounts.contains(&(namespace.as_str(), name.as_str())) => continue,
                    accounts => accounts.is_some(),
                };
                for group in groups(self.rights, &account) {
                    *leads.entry(Node::Subject(group)).or_default() |= there;
                }
            }
        }
        leads.into_iter().collect()
    }

    fn pod_accounts(&self, place: Option<Place>) -> Vec<(Node, bool)> {
        let Some(running) = &self.running else {
            // Pods were not read: any account may be one that a pod runs as.
            return vec![(place.map_or(Node::EveryAccount, Node::Accounts), false)];
        };
        let there = match place {
            None => Some(&self.running_anywhere),
            Some(place) => running.get(place),
        };
        there.into_iter().flatten().map(|node| (*node, true)).collect()
    }
}

/// The groups that everybody of its kind is in, where a binding names them.
fn groups(rights: &Rights, subject: &Subject) -> impl Iterator<Item = usize> {
    let groups = subject.caller().groups.into_iter();
    groups.filter_map(|group| rights.subject(&Subject::Group(group)))
}

/// Whom pods of each namespace run as, in order.
fn running(rights: &Rights, snapshot: &Snapshot) -> Vec<Vec<Node>> {
    let mut accounts: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); rights.namespaces.len()];
    for pod in &snapshot.pods {
        let place = pod.meta.namespace.as_deref().and_then(|name| rights.place(name));
        if let Some(accounts) = place.and_then(|place| accounts.get_mut(place)) {
            accounts.insert(&pod.account);
        }
    }
    let of = |(namespace, accounts): (&String, BTreeSet<&str>)| {
        let mut nodes = BTreeSet::new();
        for name in accounts {
            let account = Subject::account(namespace, name);
            match rights.subject(&account) {
                Some(at) => drop(nodes.insert(Node::Subject(at))),
                // One that no binding names has what the groups have that it is in.
                None => nodes.extend(groups(rights, &account).map(Node::Subject)),
            }
        }
        nodes.into_iter().collect()
    };
    rights.namespaces.iter().zip(accounts).map(of).collect()
}

/// Whether somebody may act as one of these at all: by `users` nobody is meant who is a ServiceAccount.
fn acts(names: Option<Vec<String>>) -> bool {
    let is_user = |name: String| Subject::User(name).as_account().is_none();
    names.is_none_or(|names| names.into_iter().any(is_user))
}

/// Signers of client certificates (kubernetes.io/docs, "Certificate Signing Requests").
const CLIENT_SIGNERS: [&str; 3] =
    ["kubernetes.io/kube-apiserver-client", "kubernetes.io/legacy-unknown", "kubernetes.io/*"];

/// Signers of the certificates by which kubelets sign in: whoever has one is a node, of any name, and has what the node
/// authorizer gives it.
const NODE_SIGNERS: [&str; 2] = ["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/*"];
