//! Ways from one cluster into another, by what both believe: a client CA, the keys that sign tokens of service accounts, an
//! issuer. What was read of each says who gets there, and what becomes of them on the other side.

#[cfg(test)]
mod tests;

use crate::fleet::Traits;
use crate::graph::{Distances, Edge, How, Node, Through};
use crate::ground::{Ground, Origin};
use crate::path::{Goal, Hop, hop, hops, origin};
use crate::snapshot::Kind;
use sallyport_rbac::who::{MASTERS, Subject};
use std::collections::{BTreeMap, HashMap};

/// What two clusters both believe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bridge {
    /// A client CA, by the fingerprint of its key.
    ClientCa(String),
    /// A key that signs tokens of service accounts, by its fingerprint.
    SigningKey(String),
    /// The one signs service accounts in to the other, as their issuer.
    Issuer(String),
}

/// From somebody in one cluster to a goal in another.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossing {
    /// Whose way it is, in the first.
    pub subject: Subject,
    /// What both believe.
    pub bridge: Bridge,
    /// Step by step: those in the first, the one across, those in the other.
    pub hops: Vec<Hop>,
    /// Which of them leads across.
    pub across: usize,
    /// Whether the first step is by a binding that comes with Kubernetes or its vendor.
    pub origin: Origin,
}

/// Everybody's shortest way across.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crossings {
    /// The shortest first.
    pub ways: Vec<Crossing>,
    /// Why there may be others, a sentence each; empty: these are all.
    pub gaps: Vec<String>,
}

/// A place in the first cluster from which one step leads to a place in the other.
struct Way {
    here: usize,
    there: usize,
    bridge: Bridge,
    across: Hop,
}

/// Everybody's ways from `here` to a goal in `there`.
pub fn crossings(here: &Ground<'_>, there: &Ground<'_>, goal: &Goal) -> Crossings {
    let told = (Traits::of(here), Traits::of(there));
    let mut gaps: Vec<String> =
        here.path_gaps().into_iter().map(|gap| format!("In the first cluster: {gap}")).collect();
    gaps.extend(there.path_gaps().into_iter().map(|gap| format!("In the other cluster: {gap}")));
    let Some(node) = there.goal(goal) else { return Crossings { gaps, ..Crossings::default() } };
    let reached = Distances::to(&there.graph, node, Through::default());
    let both = Both { here, there, reached: &reached, traits: (&told.0, &told.1) };
    let mut ways = both.by_certificate(&mut gaps);
    ways.extend(both.by_signature(&mut gaps));
    ways.extend(both.by_issuer(&mut gaps));
    Crossings { ways: both.everybody(&ways), gaps }
}

struct Both<'a> {
    here: &'a Ground<'a>,
    there: &'a Ground<'a>,
    reached: &'a Distances,
    traits: (&'a Traits, &'a Traits),
}

impl Both<'_> {
    /// What both have; what was not read of one of them is told.
    fn shared(
        &self,
        what: &str,
        of: fn(&Traits) -> Option<&Vec<String>>,
        gaps: &mut Vec<String>,
    ) -> Option<String> {
        let (one, other) = (of(self.traits.0), of(self.traits.1));
        for (read, which) in [(one, "first"), (other, "other")] {
            if read.is_none() {
                gaps.push(format!("{what} of the {which} cluster were not read"));
            }
        }
        one?.iter().find(|key| other.is_some_and(|others| others.contains(key))).cloned()
    }

    /// A client CA names whoever its certificate says, but no admission plugin of the one guards the other.
    fn by_certificate(&self, gaps: &mut Vec<String>) -> Vec<Way> {
        let Some(key) = self.shared("The client CAs", |traits| traits.client_ca.as_ref(), gaps) else {
            return Vec::new();
        };
        // Whoever is nearest to the goal there.
        let subjects = self.there.rights.subjects.iter().enumerate();
        let near = subjects
            .filter(|(_, subject)| subject.name() != MASTERS)
            .filter_map(|(at, _)| self.there.graph.at(Node::Subject(at)))
            .filter_map(|node| Some((self.reached.steps(node)?, node)))
            .min();
        let Some((_, there)) = near else { return Vec::new() };
        let to = self.there_is(there);
        let bridge = Bridge::ClientCa(key);
        let admin = self.here.graph.at(Node::ClusterAdmin).map(|here| {
            let from = self.here.name(Node::ClusterAdmin);
            let across = across("FL-03", SIGN, from, to.clone(), false);
            Way { here, there, bridge: bridge.clone(), across }
        });
        let asks = self.here.graph.at(Node::AnyUser).into_iter().flat_map(|node| {
            self.here.graph.towards.get(node).into_iter().flatten().filter_map(|at| {
                let edge: &Edge = self.here.graph.edges.get(*at)?;
                let How::Way(hit) = &edge.how else { return None };
                let signs = hit.technique().is_some_and(|one| one.check == "RB-16");
                let step = hop(self.here, edge).filter(|_| signs)?;
                let own = across("FL-03", SIGN, step.from.clone(), to.clone(), false);
                let across = Hop { evidence: step.evidence, reviews: step.reviews, ..own };
                Some(Way { here: edge.from, there, bridge: bridge.clone(), across })
            })
        });
        asks.chain(admin).collect()
    }

    /// A token is good there while an account of its name and UID is: in clusters that were copied.
    fn by_signature(&self, gaps: &mut Vec<String>) -> Vec<Way> {
        let shared = self.shared("The keys that sign tokens", |traits| traits.signing_keys.as_ref(), gaps);
        let Some(key) = shared else { return Vec::new() };
        let issuers = (&self.traits.0.account_issuer, &self.traits.1.account_issuer);
        if let (Some(one), Some(other)) = issuers
            && one != other
        {
            return Vec::new();
        }
        let certain = issuers.0.is_some() && issuers.1.is_some();
        let uid = |of: &crate::snapshot::Account| of.meta.uid.clone();
        if !self.here.snapshot.has_all(Kind::ServiceAccount)
            || !self.there.snapshot.has_all(Kind::ServiceAccount)
        {
            gaps.push("which service accounts are the same in both was not read".to_owned());
        }
        let theirs: HashMap<_, _> = self
            .there
            .snapshot
            .accounts
            .iter()
            .map(|one| ((one.meta.namespace.as_deref(), one.meta.name.as_str()), uid(one)))
            .collect();
        let same = self.here.snapshot.accounts.iter().filter(|one| {
            let own = uid(one);
            let other = theirs.get(&(one.meta.namespace.as_deref(), one.meta.name.as_str()));
            own.is_some() && other == Some(&own)
        });
        let account = |one: &crate::snapshot::Account| {
            let subject = Subject::account(one.meta.namespace.as_deref()?, &one.meta.name);
            let there = self.of_account(&subject)?;
            let across = across("FL-04", TOKEN, self.said(&subject), self.there_is(there), certain);
            Some((subject, Way { here: 0, there, bridge: Bridge::SigningKey(key.clone()), across }))
        };
        self.by_accounts(same.filter_map(account))
    }

    /// A token that is asked for with the other's audience signs in there, under a name that begins as the other has it.
    fn by_issuer(&self, gaps: &mut Vec<String>) -> Vec<Way> {
        let Some(providers) = &self.traits.1.providers else {
            gaps.push("whom the other cluster lets sign in was not read".to_owned());
            return Vec::new();
        };
        let Some(issuer) = &self.traits.0.account_issuer else {
            if !providers.is_empty() {
                gaps.push("as whom the first cluster issues tokens was not read".to_owned());
            }
            return Vec::new();
        };
        if !providers.iter().any(|one| one.issuer == *issuer) {
            return Vec::new();
        }
        let users = self.there.rights.subjects.iter().enumerate().filter_map(|(at, subject)| {
            let Subject::User(name) = subject else { return None };
            let (prefix, account) = name.split_once(ACCOUNT)?;
            let (namespace, name) = account.split_once(':')?;
            let there = self.there.graph.at(Node::Subject(at))?;
            self.reached.steps(there).filter(|_| !prefix.is_empty())?;
            let account = Subject::account(namespace, name);
            let across = across("FL-05", ISSUED, self.said(&account), self.there_is(there), false);
            Some((account, Way { here: 0, there, bridge: Bridge::Issuer(issuer.clone()), across }))
        });
        self.by_accounts(users)
    }

    /// From where in the first cluster somebody is this account: itself, every account of its namespace, and whoever may
    /// mint its token alone.
    fn by_accounts(&self, all: impl Iterator<Item = (Subject, Way)>) -> Vec<Way> {
        let graph = &self.here.graph;
        let mut ways = Vec::new();
        for (account, way) in all {
            let Some((namespace, name)) = account.as_account() else { continue };
            let own = self.here.rights.subject(&account).and_then(|at| graph.at(Node::Subject(at)));
            let place = self.here.rights.place(namespace);
            let others = place.and_then(|place| graph.at(Node::Accounts(place)));
            let admin = graph.at(Node::ClusterAdmin);
            // An account that nobody bound anything is no place of its own.
            let named = graph.found.iter().filter(|_| own.is_none()).filter_map(|(node, found)| {
                let mints = found.iter().any(|(hit, _)| {
                    hit.technique().is_some_and(|one| matches!(one.check, "RB-09" | "RB-07"))
                        && (hit.place.is_none() || hit.place == place)
                        && hit.names.iter().flatten().flatten().any(|one| one == name)
                });
                mints.then_some(*node)
            });
            for here in [own, others, admin].into_iter().flatten().chain(named) {
                ways.push(Way {
                    here,
                    there: way.there,
                    bridge: way.bridge.clone(),
                    across: way.across.clone(),
                });
            }
        }
        ways
    }

    /// Where an account is in the other cluster: itself, or a group of all of them.
    fn of_account(&self, account: &Subject) -> Option<usize> {
        let groups = account.caller().groups.into_iter().map(Subject::Group);
        let all = [account.clone()].into_iter().chain(groups);
        let nodes = all.filter_map(|one| {
            let node = self.there.graph.at(Node::Subject(self.there.rights.subject(&one)?))?;
            Some((self.reached.steps(node)?, node))
        });
        nodes.min().map(|(_, node)| node)
    }

    fn there_is(&self, node: usize) -> String {
        self.there.graph.nodes.get(node).map(|node| self.there.name(*node)).unwrap_or_default()
    }

    fn said(&self, subject: &Subject) -> String {
        crate::ground::said(subject)
    }

    /// Each one's shortest. Ways that are as long on the other side are looked for at once.
    fn everybody(&self, ways: &[Way]) -> Vec<Crossing> {
        let mut by_length: BTreeMap<u32, Vec<&Way>> = BTreeMap::new();
        for way in ways {
            if let Some(steps) = self.reached.steps(way.there) {
                by_length.entry(steps).or_default().push(way);
            }
        }
        let mut best: BTreeMap<usize, Crossing> = BTreeMap::new();
        for ways in by_length.values() {
            let found =
                Distances::to_any(&self.here.graph, ways.iter().map(|way| way.here), Through::default());
            let by_node: HashMap<usize, &Way> = ways.iter().rev().map(|way| (way.here, *way)).collect();
            for (at, subject) in self.here.rights.subjects.iter().enumerate() {
                let Some(node) = self.here.graph.at(Node::Subject(at)) else { continue };
                // Whoever may do everything in one by design is told where that is the question.
                if found.steps(node).is_none() || subject.name() == MASTERS {
                    continue;
                }
                let edges = found.edges(&self.here.graph, node);
                let last = edges.last().and_then(|at| self.here.graph.edges.get(*at)).map(|edge| edge.to);
                let Some(way) = by_node.get(&last.unwrap_or(node)) else { continue };
                let crossing = self.crossing(subject, node, &found, way);
                let longer = best.get(&at).is_some_and(|known| known.hops.len() <= crossing.hops.len());
                if !longer {
                    best.insert(at, crossing);
                }
            }
        }
        let mut all: Vec<Crossing> = best.into_values().collect();
        all.sort_by_key(|one| one.hops.len());
        all
    }

    fn crossing(&self, subject: &Subject, node: usize, found: &Distances, way: &Way) -> Crossing {
        let mut steps = hops(self.here, found, node);
        let own = steps.is_empty();
        let across = steps.len();
        steps.push(way.across.clone());
        steps.extend(hops(self.there, self.reached, way.there));
        let origin = if own { Origin::Own } else { origin(self.here, found, node) };
        Crossing { subject: subject.clone(), bridge: way.bridge.clone(), hops: steps, across, origin }
    }
}

const ACCOUNT: &str = "system:serviceaccount:";
const SIGN: &str = "have a client certificate of anybody signed, by a CA that the other cluster believes too";
const TOKEN: &str =
    "show a token to the other cluster, which has the same account and believes the same keys";
const ISSUED: &str = "ask for a token with the other cluster's audience, which trusts this one's issuer";

fn across(check: &'static str, what: &'static str, from: String, to: String, certain: bool) -> Hop {
    let (evidence, reviews) = Default::default();
    Hop { from, what, namespace: None, to, certain, check, evidence, reviews }
}
