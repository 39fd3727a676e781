//! The shortest way from everybody to something worth reaching, and the binding whose end closes most.

use super::{Graph, Node};
use std::collections::{BTreeMap, VecDeque};

/// Bindings that are tried for a cut: those on most of the shortest paths.
const TRIED: usize = 16;

/// How far each node is from a goal.
#[derive(Clone, Debug)]
pub(crate) struct Distances {
    /// Steps to the goal; none: it cannot be reached.
    steps: Vec<Option<u32>>,
    /// The edge to take.
    next: Vec<Option<usize>>,
}

/// Which edges are gone through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Through {
    /// Only those that roles and bindings alone decide.
    pub(crate) certain: bool,
    /// Not those that need this binding.
    pub(crate) without: Option<usize>,
}

impl Distances {
    /// From every node to `goal`. An edge that is no step of its own costs nothing.
    pub(crate) fn to(graph: &Graph, goal: usize, through: Through) -> Self {
        Self::to_any(graph, [goal], through)
    }

    /// From every node to the nearest of several.
    pub(crate) fn to_any(graph: &Graph, goals: impl IntoIterator<Item = usize>, through: Through) -> Self {
        let mut found = Self { steps: vec![None; graph.nodes.len()], next: vec![None; graph.nodes.len()] };
        let mut queue: VecDeque<_> = goals.into_iter().map(|goal| (goal, 0, None)).collect();
        while let Some((at, steps, by)) = queue.pop_front() {
            match found.steps.get_mut(at) {
                Some(known @ None) => *known = Some(steps),
                _ => continue,
            }
            if let Some(next) = found.next.get_mut(at) {
                *next = by;
            }
            for number in graph.towards.get(at).into_iter().flatten() {
                let Some(edge) = graph.edges.get(*number) else { continue };
                let shut = (through.certain && !edge.certain)
                    || through.without.is_some_and(|binding| edge.needed().any(|needed| needed == binding));
                if shut || found.steps.get(edge.from).is_none_or(Option::is_some) {
                    continue;
                }
                match edge.is_step() {
                    true => queue.push_back((edge.from, steps + 1, Some(*number))),
                    false => queue.push_front((edge.from, steps, Some(*number))),
                }
            }
        }
        found
    }

    pub(crate) fn steps(&self, node: usize) -> Option<u32> {
        self.steps.get(node).copied().flatten()
    }

    /// The edges from a node to the goal, first to last; empty at the goal, and where it cannot be reached.
    pub(crate) fn edges(&self, graph: &Graph, mut node: usize) -> Vec<usize> {
        let mut edges = Vec::new();
        while let Some(number) = self.next.get(node).copied().flatten() {
            edges.push(number);
            match graph.edges.get(number) {
                Some(edge) => node = edge.to,
                None => break,
            }
        }
        edges
    }
}

/// A binding, and for how many subjects its end closes every way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closes {
    pub(crate) binding: usize,
    pub(crate) subjects: usize,
}

/// The binding whose end closes the goal for most of `subjects`, by trying those that most of the shortest paths need.
/// Bindings that are not in `cuttable` stay.
pub(crate) fn best_cut(
    graph: &Graph,
    goal: usize,
    found: &Distances,
    subjects: &[usize],
    cuttable: impl Fn(usize) -> bool,
) -> Option<Closes> {
    let mut needed: BTreeMap<usize, usize> = BTreeMap::new();
    for subject in subjects {
        for number in found.edges(graph, *subject) {
            for binding in graph.edges.get(number).into_iter().flat_map(|edge| edge.needed()) {
                if cuttable(binding) {
                    *needed.entry(binding).or_default() += 1;
                }
            }
        }
    }
    let mut order: Vec<(usize, usize)> = needed.into_iter().collect();
    order.sort_by_key(|(binding, paths)| (std::cmp::Reverse(*paths), *binding));
    let mut best: Option<Closes> = None;
    for (binding, paths) in order.into_iter().take(TRIED) {
        // It cannot close more than need it on their shortest path.
        if best.is_some_and(|best| best.subjects >= paths) {
            break;
        }
        let without = Distances::to(graph, goal, Through { without: Some(binding), ..Through::default() });
        let closed = subjects.iter().filter(|subject| without.steps(**subject).is_none()).count();
        if closed > 0 && best.is_none_or(|best| closed > best.subjects) {
            best = Some(Closes { binding, subjects: closed });
        }
    }
    best
}

/// What can be reached from each node, by roles and bindings alone.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    admin: Distances,
    node: Distances,
    secrets: Distances,
}

impl Reach {
    pub(crate) fn of(graph: &Graph) -> Self {
        let certain = Through { certain: true, ..Through::default() };
        let to = |node| Distances::to(graph, graph.at(node).unwrap_or(usize::MAX), certain);
        Self { admin: to(Node::ClusterAdmin), node: to(Node::Root), secrets: to(Node::EverySecret) }
    }

    /// Whether everything, or a node's root, can be reached from there.
    pub(crate) fn is_critical(&self, node: usize) -> bool {
        self.admin.steps(node).is_some() || self.node.steps(node).is_some()
    }

    /// Whether every Secret can.
    pub(crate) fn is_high(&self, node: usize) -> bool {
        self.secrets.steps(node).is_some()
    }
}
