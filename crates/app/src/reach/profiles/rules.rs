//! What a changed profile gives more and less on each cluster, by what the brokers say of its ClusterRoles. Pure.

use crate::inventory::{previewed_for, rights_of};
use sallyport_api::{AccessCluster, AccessPreviewSpec};
use sallyport_ipc::{DriftWay, Right, RulesDifference, Shown};
use sallyport_model::{ClusterName, NamespaceName, Profile, RoleName, Scope};
use sallyport_rbac::{Rule, covers, dangers, effective, growth, warnings};
use std::collections::{BTreeMap, BTreeSet};

/// What the brokers said, as far as it could be read.
pub(super) struct Reported<'a> {
    pub(super) clusters: &'a [AccessCluster],
    /// By cluster, or why they could not be read.
    pub(super) previews: Result<&'a BTreeMap<String, AccessPreviewSpec>, &'a str>,
    /// All profiles as they are, or why they could not be read: what any of them binds says what its roles allow.
    pub(super) profiles: Result<&'a [Profile], &'a str>,
}

/// The difference on all clusters, each kind of it once, dangers first.
pub(super) fn difference(
    reported: &Reported<'_>,
    before: Option<&Profile>,
    after: &Profile,
) -> Vec<RulesDifference> {
    let mut all: BTreeMap<String, RulesDifference> = BTreeMap::new();
    for object in reported.clusters {
        let name = object.metadata.name.clone().unwrap_or_default();
        let Ok(cluster) = name.parse::<ClusterName>() else { continue };
        let was = before.filter(|profile| profile.covers(&cluster));
        let is = Some(after).filter(|profile| profile.covers(&cluster));
        let Some(found) = on_cluster(reported, object, was, is) else { continue };
        let key = serde_json::to_string(&found).unwrap_or_default();
        all.entry(key).or_insert(found).clusters.push(Shown::from(name));
    }
    let mut all: Vec<RulesDifference> = all.into_values().collect();
    for one in &mut all {
        one.clusters.sort();
    }
    all.sort_by_key(|one| (one.dangers.is_empty(), one.way, std::cmp::Reverse(one.clusters.len())));
    all
}

/// The same on one cluster, which is named by whoever asks; `None`: nothing is another there.
fn on_cluster(
    reported: &Reported<'_>,
    object: &AccessCluster,
    was: Option<&Profile>,
    is: Option<&Profile>,
) -> Option<RulesDifference> {
    if was.is_none() && is.is_none() {
        return None;
    }
    let mut out = RulesDifference {
        way: DriftWay::Other,
        clusters: Vec::new(),
        covered: is.is_some(),
        was_covered: was.is_some(),
        dangers: Vec::new(),
        warnings: Vec::new(),
        gained: Vec::new(),
        lost: Vec::new(),
        unknown: None,
    };
    let same = |was: &Profile, is: &Profile| was.roles == is.roles && was.scope == is.scope;
    if let (Some(was), Some(is)) = (was, is)
        && same(was, is)
    {
        return None;
    }
    let roles = Roles::on(reported, object);
    let known = |profile: Option<&Profile>| profile.map(|profile| roles.of(profile)).transpose();
    let (old, new) = match (known(was), known(is)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(why), _) | (_, Err(why)) => {
            out.unknown = Some(Shown::from(why));
            if was.is_none() {
                out.way = DriftWay::Wider;
            } else if is.is_none() {
                out.way = DriftWay::Narrower;
            }
            return Some(out);
        }
    };
    let old = old.as_deref().zip(was.map(|profile| &profile.scope));
    let new = new.as_deref().zip(is.map(|profile| &profile.scope));
    out.gained = in_words(more(old, new));
    out.lost = in_words(more(new, old));
    let told = |side: Option<(&[Rule], &Scope)>| -> (BTreeSet<String>, BTreeSet<String>) {
        let Some((rules, scope)) = side else { return (BTreeSet::new(), BTreeSet::new()) };
        let dangers = dangers(rules, scope).iter().map(ToString::to_string).collect();
        (dangers, warnings(rules).into_iter().collect())
    };
    let ((old_dangers, old_warnings), (new_dangers, new_warnings)) = (told(old), told(new));
    out.dangers = new_dangers.difference(&old_dangers).map(Shown::from).collect();
    out.warnings = new_warnings.difference(&old_warnings).map(Shown::from).collect();
    out.way = match (out.gained.is_empty() && out.dangers.is_empty(), out.lost.is_empty()) {
        (false, _) => DriftWay::Wider,
        (true, false) => DriftWay::Narrower,
        // Its roles allow nothing there: that it is covered is all that changes.
        (true, true) if was.is_none() => DriftWay::Wider,
        (true, true) if is.is_none() => DriftWay::Narrower,
        (true, true) => return None,
    };
    Some(out)
}

fn in_words(parts: Vec<(Vec<Rule>, Scope)>) -> Vec<Right> {
    let words = |(rules, scope): (Vec<Rule>, Scope)| {
        rights_of(&rules, &scope.to_list().iter().map(Shown::of).collect::<Vec<_>>())
    };
    let mut all: Vec<Right> = parts.into_iter().flat_map(words).collect();
    all.sort_by_key(|right| !right.writes);
    all
}

/// What `to` allows and `from` does not: rules, and where.
fn more(from: Option<(&[Rule], &Scope)>, to: Option<(&[Rule], &Scope)>) -> Vec<(Vec<Rule>, Scope)> {
    let Some((new, there)) = to else { return Vec::new() };
    let Some((old, here)) = from else { return vec![(new.to_vec(), there.clone())] };
    // What a binding in a namespace does not give of them is no part of either side.
    let grown: Vec<Rule> = growth(old, new).iter().map(|rule| fresh(old, rule)).collect();
    let mut parts = match (here, there) {
        _ if there.within(here) => vec![(grown, there.clone())],
        (Scope::Namespaces(old), Scope::Namespaces(all)) => {
            let common: Vec<NamespaceName> = all.intersection(old).cloned().collect();
            let added: Vec<NamespaceName> = all.difference(old).cloned().collect();
            let mut parts = vec![(new.to_vec(), Scope::from_list(added))];
            // An empty list would be cluster-wide.
            if !common.is_empty() {
                parts.push((grown, Scope::from_list(common)));
            }
            parts
        }
        _ => vec![(new.to_vec(), there.clone())],
    };
    parts.retain(|(rules, _)| !rules.is_empty());
    parts
}

/// The verbs, and of those the resources, by which a rule allows more than `old` does.
fn fresh(old: &[Rule], rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    let with_verb = |rule: &Rule, verb: &String| Rule { verbs: vec![verb.clone()], ..rule.clone() };
    rule.verbs = rule.verbs.iter().filter(|verb| !covers(old, &with_verb(&rule, verb))).cloned().collect();
    let with_resource = |rule: &Rule, one: &String| Rule { resources: vec![one.clone()], ..rule.clone() };
    let resources: Vec<String> =
        rule.resources.iter().filter(|one| !covers(old, &with_resource(&rule, one))).cloned().collect();
    // A rule without resources is about paths alone, and another rule.
    if !resources.is_empty() {
        rule.resources = resources;
    }
    rule
}

/// What the ClusterRoles of one cluster allow, as far as any profile's report there says so.
struct Roles {
    /// As cluster-wide bindings give it.
    wide: BTreeMap<RoleName, Vec<Rule>>,
    /// As bindings in a namespace give it.
    local: BTreeMap<RoleName, Vec<Rule>>,
    /// Why nothing is known.
    why: String,
}

impl Roles {
    fn on(reported: &Reported<'_>, object: &AccessCluster) -> Self {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let mut roles = Self {
            wide: BTreeMap::new(),
            local: BTreeMap::new(),
            why: "no profile that is reported there binds it".to_owned(),
        };
        let status = object.status.as_ref();
        let preview = match &reported.previews {
            Err(why) => Err(format!("what profiles allow could not be read: {why}")),
            Ok(all) => match (status.and_then(|status| status.preview.as_ref()), all.get(name)) {
                (Some(wanted), Some(found)) if *wanted == found.digest => Ok(found),
                (Some(_), _) => Err("its broker is just reporting something else".to_owned()),
                (None, _) => Err("its broker has not reported what profiles allow there".to_owned()),
            },
        };
        if let Err(why) = &preview {
            roles.why.clone_from(why);
        }
        if let Err(why) = reported.profiles {
            roles.why = format!("the profiles could not be read: {why}");
        }
        for profile in reported.profiles.into_iter().flatten() {
            let reports = status.map(|status| status.profiles.as_slice()).unwrap_or_default();
            let report = reports.iter().find(|report| {
                report.name == profile.name.as_str() && report.revision == profile.revision.to_string()
            });
            let known = previewed_for(report, preview.as_ref().map(|found| *found).map_err(String::as_str));
            let Ok((_, rules)) = known else { continue };
            let into = if profile.scope == Scope::ClusterWide { &mut roles.wide } else { &mut roles.local };
            for role in &profile.roles {
                let own: Vec<Rule> = rules.iter().filter(|rule| rule.role == *role).cloned().collect();
                // One that is refused may be so because the role is not there.
                let is_certain = !own.is_empty() || report.is_some_and(|report| report.refused.is_none());
                if is_certain {
                    into.entry(role.clone()).or_insert(own);
                }
            }
        }
        roles
    }

    /// What a profile allows there.
    fn of(&self, profile: &Profile) -> Result<Vec<Rule>, String> {
        let mut all = Vec::new();
        for role in &profile.roles {
            let local = || self.local.get(role).filter(|_| profile.scope != Scope::ClusterWide);
            let rules = self.wide.get(role).or_else(local);
            all.extend(rules.ok_or_else(|| format!("what ClusterRole {role} allows: {}", self.why))?.clone());
        }
        Ok(effective(all, &profile.scope))
    }
}

#[cfg(test)]
mod tests;
