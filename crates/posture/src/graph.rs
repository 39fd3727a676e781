//! Who can become whom, and reach what: nodes are people, programs and what is worth reaching, edges are ways.

mod around;
mod hit;
mod lead;
mod lent;
mod made;
mod search;
mod technique;
#[cfg(test)]
mod tests;

pub(crate) use hit::Hit;
pub(crate) use search::{Distances, Reach, Through, best_cut};
pub(crate) use technique::{TECHNIQUES, To};

use crate::rights::{Grant, Holder, Place, Rights, Step};
use crate::snapshot::Snapshot;
use around::Around;
use hit::hits;
use sallyport_rbac::who::Subject;
use std::collections::HashMap;
use std::sync::Arc;

/// What is worth reaching whoever is there: these nodes come before all others.
const GOALS: [Node; 4] = [Node::ClusterAdmin, Node::Root, Node::EveryNamespace, Node::EverySecret];

/// Somebody, or something worth reaching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Node {
    /// Everything.
    ClusterAdmin,
    /// The root of a node.
    Root,
    /// Everything in each namespace.
    EveryNamespace,
    /// Everything in a namespace.
    Namespace(Place),
    /// Any ServiceAccount.
    EveryAccount,
    /// Any ServiceAccount of a namespace.
    Accounts(Place),
    /// Any Secret.
    EverySecret,
    /// Any Secret of a namespace.
    Secrets(Place),
    /// Any user who is no ServiceAccount.
    AnyUser,
    /// Any group but `system:masters`.
    AnyGroup,
    /// A subject that a binding names.
    Subject(usize),
    /// Whoever held a role: everywhere, or in a namespace.
    Held(usize, Option<Place>),
}

/// How one becomes the other.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// By a way.
    Way(Arc<Hit>),
    /// By a role that allows everything there.
    Full(Step),
    /// It is part of the other, or a member: no step of its own.
    Part,
}

/// From one to the other.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) how: How,
    /// Whether roles and bindings alone decide it; else something that was not read may stand in its way.
    pub(crate) certain: bool,
    /// A binding it needs beside those that give the way.
    also: Option<usize>,
}

impl Edge {
    /// The bindings without which it is gone.
    pub(crate) fn needed(&self) -> impl Iterator<Item = usize> + '_ {
        let needed = match &self.how {
            How::Way(hit) => hit.needed.as_slice(),
            How::Full(step) => step.grant.binding.as_slice(),
            How::Part => &[],
        };
        needed.iter().copied().chain(self.also)
    }

    /// Whether it is a step of its own.
    pub(crate) fn is_step(&self) -> bool {
        !matches!(self.how, How::Part)
    }
}

/// A way that somebody has, and the nodes it leads to, with whether that is certain.
pub(crate) type Found = (Arc<Hit>, Vec<(usize, bool)>);

/// All nodes and edges.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// How many subjects and namespaces there are: their nodes come first, and need not be looked up.
    known: (usize, usize),
    places: HashMap<Node, usize>,
    pub(crate) edges: Vec<Edge>,
    /// The edges that lead to each node.
    pub(crate) towards: Vec<Vec<usize>>,
    /// The edges that leave each node.
    pub(crate) leaving: Vec<Vec<usize>>,
    /// The ways of each node that is somebody.
    found: Vec<Vec<Found>>,
    /// Nodes whose edges are not drawn yet.
    open: Vec<usize>,
}

impl Graph {
    /// Everybody whom a binding names, and what they can reach.
    pub(crate) fn of(rights: &Rights, snapshot: &Snapshot) -> Self {
        let around = Around::of(rights, snapshot);
        let known = (rights.subjects.len(), rights.namespaces.len());
        let mut graph = Self { known, ..Self::default() };
        let subjects = (0..known.0).map(Node::Subject);
        for node in GOALS.into_iter().chain(subjects).chain((0..known.1).map(Node::Namespace)) {
            graph.add(node);
        }
        while let Some(at) = graph.open.pop() {
            if let Some(node) = graph.nodes.get(at).copied() {
                graph.draw(&around, at, node);
            }
        }
        graph
    }

    pub(crate) fn at(&self, node: Node) -> Option<usize> {
        let (subjects, namespaces) = self.known;
        match node {
            Node::Subject(at) => (at < subjects).then(|| GOALS.len() + at),
            Node::Namespace(place) => (place < namespaces).then(|| GOALS.len() + subjects + place),
            other => {
                GOALS.iter().position(|goal| *goal == other).or_else(|| self.places.get(&other).copied())
            }
        }
    }

    /// The ways of somebody, by the place of their node.
    pub(crate) fn ways_of(&self, node: usize) -> &[Found] {
        self.found.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    fn node(&mut self, node: Node) -> usize {
        self.at(node).unwrap_or_else(|| {
            let at = self.add(node);
            self.places.insert(node, at);
            at
        })
    }

    fn add(&mut self, node: Node) -> usize {
        let at = self.nodes.len();
        self.nodes.push(node);
        self.towards.push(Vec::new());
        self.leaving.push(Vec::new());
        self.found.push(Vec::new());
        self.open.push(at);
        at
    }

    fn edge(&mut self, from: usize, to: Node, how: How, certain: bool) {
        self.edge_by(from, to, how, certain, None);
    }

    fn edge_by(&mut self, from: usize, to: Node, how: How, certain: bool, also: Option<usize>) {
        let to = self.node(to);
        if from == to {
            return;
        }
        let at = self.edges.len();
        if let Some(towards) = self.towards.get_mut(to) {
            towards.push(at);
        }
        if let Some(leaving) = self.leaving.get_mut(from) {
            leaving.push(at);
        }
        self.edges.push(Edge { from, to, how, certain, also });
    }

    fn part(&mut self, from: usize, to: Node) {
        self.edge(from, to, How::Part, true);
    }

    fn draw(&mut self, around: &Around<'_>, at: usize, node: Node) {
        let rights = around.rights;
        match node {
            Node::ClusterAdmin => {
                self.part(at, Node::Root);
                self.part(at, Node::EveryNamespace);
            }
            Node::EveryNamespace => {
                for place in 0..rights.namespaces.len() {
                    self.part(at, Node::Namespace(place));
                }
                self.part(at, Node::EveryAccount);
                self.part(at, Node::EverySecret);
            }
            Node::EveryAccount => {
                (0..rights.namespaces.len()).for_each(|place| self.part(at, Node::Accounts(place)))
            }
            Node::EverySecret => {
                (0..rights.namespaces.len()).for_each(|place| self.part(at, Node::Secrets(place)))
            }
            Node::Namespace(place) => {
                self.part(at, Node::Accounts(place));
                self.part(at, Node::Secrets(place));
                if around.reaches_node(place) {
                    self.edge(at, Node::Root, How::Part, false);
                }
            }
            Node::Accounts(place) => {
                for other in around.accounts_in.get(place).into_iter().flatten() {
                    self.part(at, Node::Subject(*other));
                }
                let namespace = rights.namespace(Some(place)).unwrap_or_default();
                // Of an account that nobody bound anything, one has what all of them have.
                self.groups(around, at, &Subject::account(namespace, ""));
            }
            Node::AnyUser | Node::AnyGroup => {
                for (other, subject) in rights.subjects.iter().enumerate() {
                    let fits = match subject {
                        Subject::User(_) => node == Node::AnyUser && subject.as_account().is_none(),
                        Subject::Group(name) => {
                            node == Node::AnyGroup && name != sallyport_rbac::who::MASTERS
                        }
                    };
                    if fits {
                        self.part(at, Node::Subject(other));
                    }
                }
            }
            Node::Subject(subject) => {
                if let Some(subject) = rights.subjects.get(subject) {
                    self.groups(around, at, subject);
                    let holder = rights.holder(subject);
                    self.ways(around, at, &holder, Some(subject));
                }
            }
            Node::Held(role, namespace) => {
                let grant = Grant { binding: None, role, namespace, implicit: false };
                self.ways(around, at, &rights.holding(vec![grant]), None);
            }
            Node::Secrets(_) | Node::Root => {}
        }
    }

    /// Whoever is this subject is in these groups too.
    fn groups(&mut self, around: &Around<'_>, at: usize, subject: &Subject) {
        for group in subject.caller().groups {
            let group = Subject::Group(group);
            if group != *subject
                && let Some(place) = around.rights.subject(&group)
            {
                self.part(at, Node::Subject(place));
            }
        }
    }

    fn ways(&mut self, around: &Around<'_>, at: usize, holder: &Holder, who: Option<&Subject>) {
        let rights = around.rights;
        if who.is_some_and(|who| who.name() == sallyport_rbac::who::MASTERS) {
            self.part(at, Node::ClusterAdmin);
            return;
        }
        let full = |grant: &Grant| {
            let rule = rights.full_rule(grant.role)?;
            Some(How::Full(Step { grant: *grant, rule, power: None }))
        };
        for grant in holder.full.iter().filter(|grant| !grant.implicit) {
            if let Some(how) = full(grant) {
                self.edge(at, grant.namespace.map_or(Node::ClusterAdmin, Node::Namespace), how, true);
            }
        }
        for hit in hits(rights, holder, &around.needs) {
            let hit = Arc::new(hit);
            let mut leads = Vec::new();
            for lead in around.leads(&hit, holder, who) {
                leads.push((self.node(lead.to), lead.certain));
                self.edge_by(at, lead.to, How::Way(Arc::clone(&hit)), lead.certain, lead.needs);
            }
            // Where somebody can do everything, that is what is told.
            if !holder.has_all(hit.place)
                && let Some(found) = self.found.get_mut(at)
            {
                found.push((hit, leads));
            }
        }
    }
}
