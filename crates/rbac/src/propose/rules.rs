//! From calls in one place to rules.

use super::names::looks_generated;
use super::{Added, Because, NAMES_TOLD, Used, Wanted};
use crate::question::What;
use crate::{Ask, Rule};
use sallyport_model::RoleName;
use std::collections::{BTreeMap, BTreeSet};

const READS: [&str; 3] = ["get", "list", "watch"];
/// What changes or removes the object that it names. Whoever did it once need not do it to others.
const CHANGES: [&str; 3] = ["update", "patch", "delete"];
/// What a WebSocket is opened to (`AuthorizePodWebsocketUpgradeCreatePermission` of Kubernetes).
const STREAMS: [&str; 3] = ["exec", "attach", "portforward"];

/// What rights are about: a resource or a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Group, and resource with its subresource as RBAC writes them.
    Resource(String, String),
    /// A path.
    Path(String),
}

/// On which names: none: on all.
type Names = Option<BTreeSet<String>>;

/// What somebody may do in one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights(BTreeMap<Key, BTreeMap<String, Names>>);

/// A verb that no call had, or that is for more than was asked for.
#[derive(Clone, Debug)]
pub(super) struct Extra {
    pub(super) key: Key,
    pub(super) verb: String,
    because: Because,
    names: Vec<String>,
    names_in_all: usize,
}

impl Extra {
    pub(super) fn told(self, namespace: Option<&str>) -> Added {
        let resource = match self.key {
            Key::Path(path) => path,
            Key::Resource(group, resource) if group.is_empty() => resource,
            // Behind the resource and before its subresource, as kubectl has it.
            Key::Resource(group, resource) => match resource.split_once('/') {
                Some((resource, below)) => format!("{resource}.{group}/{below}"),
                None => format!("{resource}.{group}"),
            },
        };
        let namespace = namespace.map(str::to_owned);
        let Self { verb, because, names, names_in_all, .. } = self;
        Added { namespace, verb, resource, because, names, names_in_all }
    }
}

/// What was met of one resource, or of one path.
#[derive(Default)]
struct Met<'u> {
    /// The names of each verb, as the authorizer had them; empty: none.
    verbs: BTreeMap<&'u str, BTreeSet<&'u str>>,
    /// How often each name was met, also where the authorizer did not have it.
    names: BTreeMap<&'u str, u64>,
    created: bool,
    /// Something was created whose name nobody knows.
    is_unnamed: bool,
}

impl Rights {
    /// What these calls need.
    pub(super) fn of(used: &[&Used], wanted: &Wanted) -> (Self, Vec<Extra>) {
        let mut met: BTreeMap<Key, Met<'_>> = BTreeMap::new();
        for one in used {
            let (key, name) = match &one.asked.what {
                What::Path(path) => (Key::Path(path.clone()), ""),
                What::Resource { group, resource, subresource, name } => {
                    let below =
                        if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
                    (Key::Resource(group.clone(), format!("{resource}{below}")), name.as_str())
                }
            };
            let met = met.entry(key).or_default();
            let asked = match one.ask() {
                Ask::Resource { name, .. } => name,
                Ask::Path { .. } => "",
            };
            met.verbs.entry(&one.asked.verb).or_default().insert(asked);
            *met.names.entry(name).or_default() += one.calls;
            met.created |= one.created && one.asked.verb != "create";
            met.is_unnamed |= name.is_empty() && one.asked.verb == "create";
        }
        let (mut rights, mut added) = (Self::default(), Vec::new());
        for (key, met) in met {
            let mut verbs = met.rights(&key, wanted);
            added.extend(met.for_all(&key, &verbs));
            for (verb, names, because) in met.extra(&key, wanted, &verbs) {
                // A verb that was seen on some names may be there, and then it is on all of them now.
                if !met.verbs.contains_key(verb) {
                    let (key, verb) = (key.clone(), verb.to_owned());
                    added.push(Extra { key, verb, because, names: Vec::new(), names_in_all: 0 });
                }
                verbs.insert(verb.to_owned(), names);
            }
            rights.0.insert(key, verbs);
        }
        (rights, added)
    }

    /// Whether a verb may be done to all of something.
    pub(super) fn has(&self, key: &Key, verb: &str) -> bool {
        self.0.get(key).and_then(|verbs| verbs.get(verb)).is_some_and(Option::is_none)
    }

    /// Leaves out what others give already.
    pub(super) fn without(&mut self, others: &Self) {
        for (key, verbs) in &mut self.0 {
            let Some(others) = others.0.get(key) else { continue };
            verbs.retain(|verb, own| match (others.get(verb), own) {
                (None, _) | (Some(Some(_)), None) => true,
                (Some(None), _) => false,
                (Some(Some(others)), Some(own)) => {
                    own.retain(|name| !others.contains(name));
                    !own.is_empty()
                }
            });
        }
        self.0.retain(|_, verbs| !verbs.is_empty());
    }

    /// As rules: of one API group each, resources with the same verbs on the same names together, so that no rule allows
    /// what another does.
    pub(super) fn rules(&self, role: &RoleName) -> Vec<Rule> {
        type Shape = (Option<String>, Vec<String>, Vec<String>);
        let mut shapes: BTreeMap<Shape, Vec<String>> = BTreeMap::new();
        for (key, verbs) in &self.0 {
            let mut by_names: BTreeMap<&Names, Vec<String>> = BTreeMap::new();
            for (verb, names) in verbs {
                by_names.entry(names).or_default().push(verb.clone());
            }
            for (names, mut verbs) in by_names {
                // As people write them: the reads first.
                verbs.sort_by_key(|verb| {
                    (READS.iter().position(|read| read == verb).unwrap_or(READS.len()), verb.clone())
                });
                let names = names.iter().flatten().cloned().collect();
                let (group, entry) = match key {
                    Key::Resource(group, resource) => (Some(group.clone()), resource.clone()),
                    Key::Path(path) => (None, path.clone()),
                };
                shapes.entry((group, verbs, names)).or_default().push(entry);
            }
        }
        let mut rules: Vec<Rule> = shapes
            .into_iter()
            .map(|((group, verbs, resource_names), entries)| {
                let (resources, non_resource_urls) =
                    if group.is_some() { (entries, Vec::new()) } else { (Vec::new(), entries) };
                let api_groups = group.into_iter().collect();
                Rule { role: role.clone(), verbs, api_groups, resources, resource_names, non_resource_urls }
            })
            .collect();
        rules.sort_by(|a, b| {
            (&a.api_groups, &a.resources, &a.non_resource_urls, &a.resource_names, &a.verbs).cmp(&(
                &b.api_groups,
                &b.resources,
                &b.non_resource_urls,
                &b.resource_names,
                &b.verbs,
            ))
        });
        rules
    }
}

impl Met<'_> {
    /// Each verb with the names it is limited to.
    fn rights(&self, key: &Key, wanted: &Wanted) -> BTreeMap<String, Names> {
        let names: Vec<(&&str, &u64)> = self.names.iter().filter(|(name, _)| !name.is_empty()).collect();
        let is_given = |name: &str| !self.is_unnamed && !looks_generated(name);
        let is_stable = names.len() <= wanted.names_most
            && names.iter().all(|(name, calls)| **calls > 1 && is_given(name));
        let is_secret = matches!(key, Key::Resource(group, of) if group.is_empty() && of == "secrets");
        let of = |(verb, asked): (&&str, &BTreeSet<&str>)| {
            let is_change = CHANGES.contains(verb)
                && asked.len() <= wanted.names_most
                && asked.iter().all(|name| is_given(name));
            // Whom somebody may be, and what is secret, is never left open, however many those are.
            let is_kept = is_stable || is_change || is_secret || *verb == "impersonate";
            let names = (is_kept && !asked.contains(""))
                .then(|| asked.iter().map(|name| (*name).to_owned()).collect());
            ((*verb).to_owned(), names)
        };
        self.verbs.iter().map(of).collect()
    }

    /// Verbs that are for all, though calls named what they did it to.
    fn for_all(&self, key: &Key, verbs: &BTreeMap<String, Names>) -> Vec<Extra> {
        let is_open = |verb: &str| verbs.get(verb).is_some_and(Option::is_none);
        let asked_of_all = |verb: &str| self.verbs.get(verb).is_some_and(|asked| asked.contains(""));
        // A list of all tells what a get of each would.
        let sees_all = ["list", "watch"].into_iter().any(asked_of_all);
        let is_wider = |(verb, asked): &(&&str, &BTreeSet<&str>)| {
            is_open(verb) && !asked.contains("") && !(sees_all && READS.contains(verb))
        };
        let told = |(verb, asked): (&&str, &BTreeSet<&str>)| Extra {
            key: key.clone(),
            verb: (*verb).to_owned(),
            because: Because::AllNames,
            names: asked.iter().take(NAMES_TOLD).map(|name| (*name).to_owned()).collect(),
            names_in_all: asked.len(),
        };
        self.verbs.iter().filter(is_wider).map(told).collect()
    }

    /// Verbs that belong to those that were seen.
    fn extra(
        &self,
        key: &Key,
        wanted: &Wanted,
        verbs: &BTreeMap<String, Names>,
    ) -> Vec<(&'static str, Names, Because)> {
        let Key::Resource(group, resource) = key else { return Vec::new() };
        let mut extra = Vec::new();
        let of_all = |verb: &str| verbs.get(verb).is_some_and(Option::is_none);
        if wanted.reads_together && ["list", "watch"].into_iter().any(of_all) {
            extra.extend(
                READS.into_iter().filter(|read| !of_all(read)).map(|read| (read, None, Because::Reads)),
            );
        }
        let is_itself = !resource.contains('/');
        if self.created && is_itself && !of_all("create") {
            extra.push(("create", None, Because::Created));
        }
        let below = resource.strip_prefix("pods/").filter(|_| group.is_empty());
        if let Some(names) = verbs.get("get").filter(|_| below.is_some_and(|below| STREAMS.contains(&below)))
        {
            let create = match (verbs.get("create"), names) {
                (Some(None), _) => return extra,
                (Some(Some(own)), Some(names)) => Some(own.union(names).cloned().collect()),
                (_, names) => names.clone(),
            };
            extra.push(("create", create, Because::WebSocket));
        }
        extra
    }
}
