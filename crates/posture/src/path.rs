//! Ways of several steps from what somebody holds to what is worth reaching: shortest first, with the binding that proves
//! each step and the questions to the API server that show it again.

#[cfg(test)]
mod tests;

use crate::evidence::{Evidence, Review};
use crate::graph::{Distances, Edge, How, Node, Through, best_cut};
use crate::ground::{Ground, Origin};
use crate::snapshot::Kind;
use sallyport_rbac::who::Subject;

/// What is worth reaching.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    /// Everything.
    ClusterAdmin,
    /// The root of a node.
    NodeRoot,
    /// Everything in kube-system.
    KubeSystem,
    /// The Secrets of a namespace.
    SecretsOf(String),
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// Whose rights it takes.
    pub from: String,
    /// What they can do: "mint tokens of service accounts".
    pub what: &'static str,
    /// Where; none: everywhere.
    pub namespace: Option<String>,
    /// Whom or what that reaches.
    pub to: String,
    /// Whether roles and bindings alone decide it; else something that was not read may stand in its way.
    pub certain: bool,
    /// The check that finds it.
    pub check: &'static str,
    /// The rules that prove it, and the bindings that give them.
    pub evidence: Vec<Evidence>,
    /// The SubjectAccessReviews that show it again.
    pub reviews: Vec<Review>,
}

/// From somebody to a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Whose way it is.
    pub subject: Subject,
    /// Step by step.
    pub hops: Vec<Hop>,
    /// Whether the first step is by a binding that comes with Kubernetes or its vendor.
    pub origin: Origin,
}

/// The one binding whose end closes the goal for most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its namespace; none: a ClusterRoleBinding.
    pub namespace: Option<String>,
    /// Its name.
    pub binding: String,
    /// For how many subjects no way is left without it.
    pub closes: usize,
    /// Of how many that have one and are not part of Kubernetes.
    pub of: usize,
    /// What was not read, or is not known, that may open other ways: as [`Paths::gaps`].
    pub gaps: Vec<String>,
}

/// Everybody's way to a goal.
#[derive(Debug)]
pub struct Paths<'g> {
    ground: &'g Ground<'g>,
    found: Distances,
    goal: usize,
    /// Places of subjects, with the number of steps, the shortest first.
    order: Vec<(u32, usize)>,
    gaps: Vec<String>,
}

/// What ways depend on.
const READS: &[Kind] = &[
    Kind::ClusterRole,
    Kind::Role,
    Kind::ClusterRoleBinding,
    Kind::RoleBinding,
    Kind::ServiceAccount,
    Kind::Namespace,
    Kind::Pod,
    Kind::ConfigMap,
];

impl Ground<'_> {
    /// Everybody's shortest way to a goal; none where the goal is not there.
    pub fn paths(&self, goal: &Goal) -> Option<Paths<'_>> {
        let goal = self.goal(goal)?;
        let found = Distances::to(&self.graph, goal, Through::default());
        let mut order: Vec<(u32, usize)> = (0..self.rights.subjects.len())
            .filter_map(|at| Some((found.steps(self.graph.at(Node::Subject(at))?)?, at)))
            // `system:masters` is there without a step.
            .filter(|(steps, _)| *steps > 0)
            .collect();
        order.sort_unstable();
        Some(Paths { ground: self, found, goal, order, gaps: self.path_gaps() })
    }

    /// Where a goal is; none: nowhere.
    pub(crate) fn goal(&self, goal: &Goal) -> Option<usize> {
        let place = |name: &str| self.rights.place(name);
        self.graph.at(match goal {
            Goal::ClusterAdmin => Node::ClusterAdmin,
            Goal::NodeRoot => Node::Root,
            Goal::KubeSystem => Node::Namespace(place("kube-system")?),
            Goal::SecretsOf(namespace) => Node::Secrets(place(namespace)?),
        })
    }

    /// Why there may be ways that are not found, a sentence each.
    pub(crate) fn path_gaps(&self) -> Vec<String> {
        let mut gaps = self.snapshot.gaps(READS);
        gaps.extend(self.nobody_can_gaps());
        gaps
    }
}

impl<'g> Paths<'g> {
    /// How many have one.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nobody has one.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How many of them are not part of Kubernetes.
    pub fn own(&self) -> usize {
        let node = |at: &usize| self.ground.graph.at(Node::Subject(*at));
        let of = self.order.iter().filter_map(|(_, at)| node(at));
        of.filter(|node| self.origin(*node) != Origin::Default).count()
    }

    /// Why there may be others: what was not read, and who else decides, a sentence each; empty: these are all.
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    /// Each, the shortest first.
    pub fn iter(&self) -> impl Iterator<Item = Path> + '_ {
        self.order.iter().filter_map(|(_, at)| self.path(*at))
    }

    /// That of one subject.
    pub fn of(&self, subject: &Subject) -> Option<Path> {
        let at = self.ground.rights.subject(subject)?;
        self.order.iter().any(|(_, own)| *own == at).then(|| self.path(at)).flatten()
    }

    /// The binding whose end closes the goal for most of those who are not part of Kubernetes. Anybody can name
    /// what is theirs as a vendor does: that counts as any other.
    pub fn cut(&self) -> Option<Cut> {
        let ground = self.ground;
        let own: Vec<usize> = self
            .order
            .iter()
            .filter_map(|(_, at)| ground.graph.at(Node::Subject(*at)))
            .filter(|node| self.origin(*node) != Origin::Default)
            .collect();
        let cuttable = |binding: usize| ground.origin(binding) != Origin::Default;
        let best = best_cut(&ground.graph, self.goal, &self.found, &own, cuttable)?;
        let binding = ground.rights.binding(best.binding)?;
        Some(Cut {
            namespace: binding.namespace.clone(),
            binding: binding.name.clone(),
            closes: best.subjects,
            of: own.len(),
            gaps: self.gaps.clone(),
        })
    }

    /// Whose the first step is.
    fn origin(&self, node: usize) -> Origin {
        origin(self.ground, &self.found, node)
    }

    fn path(&self, at: usize) -> Option<Path> {
        let subject = self.ground.rights.subjects.get(at)?.clone();
        let node = self.ground.graph.at(Node::Subject(at))?;
        Some(Path { subject, hops: hops(self.ground, &self.found, node), origin: self.origin(node) })
    }
}

/// Whose the first step from a node is.
pub(crate) fn origin(ground: &Ground<'_>, found: &Distances, node: usize) -> Origin {
    let graph = &ground.graph;
    let edges = found.edges(graph, node);
    let first = edges.iter().filter_map(|at| graph.edges.get(*at)).find(|edge| edge.is_step());
    first.map_or(Origin::Default, |edge| ground.origin_of(&edge.needed().collect::<Vec<_>>()))
}

/// The steps from a node to where `found` leads.
pub(crate) fn hops(ground: &Ground<'_>, found: &Distances, node: usize) -> Vec<Hop> {
    let numbers = found.edges(&ground.graph, node);
    let mut hops: Vec<Hop> = Vec::new();
    for (order, number) in numbers.iter().enumerate() {
        let Some(edge) = ground.graph.edges.get(*number) else { continue };
        match hop(ground, edge) {
            Some(step) => hops.push(step),
            // What a step reaches is told to its end.
            None if order + 1 == numbers.len() => {
                if let Some(last) = hops.last_mut() {
                    last.certain &= edge.certain;
                }
            }
            None => {}
        }
    }
    hops
}

/// A step; none where it is no step of its own.
pub(crate) fn hop(ground: &Ground<'_>, edge: &Edge) -> Option<Hop> {
    let (from, to) = (ground.graph.nodes.get(edge.from)?, ground.graph.nodes.get(edge.to)?);
    let (what, check, place, proof) = match &edge.how {
        How::Part => return None,
        How::Full(step) => {
            let check = if step.grant.namespace.is_none() { "RB-01" } else { "RB-02" };
            ("do everything there", check, step.grant.namespace, vec![*step])
        }
        How::Way(hit) => {
            let technique = hit.technique()?;
            (technique.what, technique.check, hit.place, hit.proof.clone())
        }
    };
    let caller = match from {
        Node::Subject(at) => ground.rights.subjects.get(*at).map(Subject::caller),
        _ => None,
    };
    let namespace = ground.rights.namespace(place);
    let reviews = caller.map(|caller| {
        proof.iter().filter_map(|step| Review::of(&ground.rights, step, &caller, namespace)).collect()
    });
    Some(Hop {
        from: ground.name(*from),
        what,
        namespace: namespace.map(str::to_owned),
        to: ground.name(*to),
        certain: edge.certain,
        check,
        evidence: proof.iter().filter_map(|step| ground.evidence(step)).collect(),
        reviews: reviews.unwrap_or_default(),
    })
}
