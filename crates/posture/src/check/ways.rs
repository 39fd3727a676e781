//! What each subject can do by the ways that paths are made of: one finding for a subject and a check, as bad as the worst
//! of what it reaches.

use super::Finding;
use crate::graph::{Hit, How, Node, To};
use crate::ground::{Ground, Origin, said};
use crate::rights::{Place, Step};
use crate::severity::Severity;
use crate::snapshot::Kind;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Evidence kept for each finding; how many places there are is told beside it.
const EVIDENCE_MOST: usize = 40;

/// What is gathered of one subject under one check.
#[derive(Default)]
struct Gathered {
    severity: Option<Severity>,
    everywhere: bool,
    places: BTreeSet<Place>,
    what: Vec<&'static str>,
    /// Each rule of each binding once.
    proof: Vec<Step>,
    proved: HashSet<(Option<usize>, usize)>,
}

/// The findings of the ways, by check: of those that are `wanted`.
pub(super) fn by_check(
    ground: &Ground<'_>,
    wanted: impl Fn(&str) -> bool,
) -> HashMap<&'static str, Vec<Finding>> {
    let mut by_check: HashMap<&'static str, Vec<Finding>> = HashMap::new();
    for (at, subject) in ground.rights.subjects.iter().enumerate() {
        // Whoever is in it passes before roles are asked: RB-26 tells who is bound by it.
        if subject.name() == sallyport_rbac::who::MASTERS {
            continue;
        }
        let Some(node) = ground.graph.at(Node::Subject(at)) else { continue };
        let mut gathered: BTreeMap<&'static str, Gathered> = BTreeMap::new();
        for (hit, leads) in ground.graph.ways_of(node) {
            let Some(technique) = hit.technique().filter(|one| wanted(one.check)) else { continue };
            // A node that is out of reach is no way to one, a group that may not be asked for none into it, and a
            // ConfigMap that is not there says nothing.
            if matches!(technique.to, To::NodeRoot | To::ClusterAdmin | To::AwsAuth) && leads.is_empty() {
                continue;
            }
            // Nor is it said of what was not read: a path tells that, as not certain.
            let depends = match technique.to {
                To::NodeRoot if technique.check == "RB-12" => Some(Kind::Namespace),
                To::AwsAuth if leads.iter().any(|(_, certain)| !certain) => Some(Kind::ConfigMap),
                _ => None,
            };
            if depends.is_some_and(|kind| ground.snapshot.coverage(kind).gap(kind).is_some()) {
                continue;
            }
            let severity = severity(ground, hit, leads);
            gathered.entry(technique.check).or_default().add(hit, technique.what, severity);
        }
        for edge in ground.graph.leaving.get(node).into_iter().flatten() {
            let Some(edge) = ground.graph.edges.get(*edge) else { continue };
            if let How::Full(step) = &edge.how {
                let (check, severity) = match step.grant.namespace {
                    None => ("RB-01", Severity::Critical),
                    Some(_) if ground.reach.is_critical(edge.to) => ("RB-02", Severity::Critical),
                    Some(_) => ("RB-02", Severity::Medium),
                };
                if wanted(check) {
                    gathered.entry(check).or_default().full(step, severity);
                }
            }
        }
        for (check, one) in gathered {
            by_check.entry(check).or_default().push(one.finding(ground, check, subject));
        }
    }
    by_check
}

/// By itself, or by what it reaches.
fn severity(ground: &Ground<'_>, hit: &Hit, leads: &[(usize, bool)]) -> Severity {
    let Some(technique) = hit.technique() else { return Severity::Info };
    let (everywhere, local) = technique.severity;
    let by_itself = match hit.place {
        None => everywhere,
        // The system's own namespace is worth as much as all.
        Some(_) if ground.rights.namespace(hit.place) == Some("kube-system") => everywhere.max(local),
        Some(_) => local,
    };
    // Only names it is limited to: what stands behind them is said by what it leads to, if anything.
    let by_itself = if hit.is_nameless() { by_itself } else { by_itself.min(local) };
    let certain = || leads.iter().filter(|(_, certain)| *certain).map(|(node, _)| *node);
    if certain().any(|node| ground.reach.is_critical(node)) {
        return Severity::Critical;
    }
    if certain().any(|node| ground.reach.is_high(node)) {
        return by_itself.max(Severity::High);
    }
    by_itself
}

impl Gathered {
    fn add(&mut self, hit: &Hit, what: &'static str, severity: Severity) {
        self.at(hit.place, what, severity);
        hit.proof.iter().for_each(|step| self.prove(*step));
    }

    fn full(&mut self, step: &Step, severity: Severity) {
        self.at(step.grant.namespace, "do everything", severity);
        self.prove(*step);
    }

    fn at(&mut self, place: Option<Place>, what: &'static str, severity: Severity) {
        self.severity = self.severity.max(Some(severity));
        match place {
            None => self.everywhere = true,
            Some(place) => drop(self.places.insert(place)),
        }
        if !self.what.contains(&what) {
            self.what.push(what);
        }
    }

    /// Whatever power it is there for, a rule of a binding proves it once.
    fn prove(&mut self, step: Step) {
        if self.proved.insert((step.grant.binding, step.rule)) {
            self.proof.push(step);
        }
    }

    fn finding(
        self,
        ground: &Ground<'_>,
        check: &'static str,
        subject: &sallyport_rbac::who::Subject,
    ) -> Finding {
        let names: Vec<String> = self
            .places
            .iter()
            .filter_map(|at| ground.rights.namespace(Some(*at)).map(str::to_owned))
            .collect();
        let shown = |name: &String| sallyport_model::clip(&sallyport_model::visible(name), 80);
        let place = match (self.everywhere, names.as_slice()) {
            (true, _) => "everywhere".to_owned(),
            (false, [one]) => format!("in {}", shown(one)),
            (false, many) => format!("in {} namespaces", many.len()),
        };
        // What is by default only in part is the team's.
        let bindings = self.proof.iter().filter_map(|step| step.grant.binding);
        let origin = bindings.map(|at| ground.origin(at)).max().unwrap_or(Origin::Own);
        Finding {
            check,
            inert: false,
            severity: self.severity.unwrap_or(Severity::Info),
            subject: Some(subject.clone()),
            object: None,
            namespaces: (!self.everywhere).then_some(names),
            evidence: self
                .proof
                .iter()
                .take(EVIDENCE_MOST)
                .filter_map(|step| ground.evidence(step))
                .collect(),
            said: format!("{} can {} {place}.", capital(&said(subject)), self.what.join("; ")),
            origin,
        }
    }
}

/// With a capital letter at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
