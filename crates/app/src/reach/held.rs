//! Who holds what on which profile, and in which teams that can be used. Pure.

use sallyport_api::GROUP;
use sallyport_model::{NamespaceName, Profile};
use sallyport_rbac::Ask;
use sallyport_rbac::who::{Binding, Caller, Rbac, Subject, Weighed};
use std::collections::BTreeMap;

/// The verbs on a profile.
pub(super) const VERBS: [&str; 3] = ["request", "approve", "revoke"];
/// Names that rules on requests are limited to, of which so many are looked at.
const NAMES: usize = 64;

/// What one subject holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holds {
    /// By profile: which of [`VERBS`], and the bindings that give it.
    pub(super) profiles: BTreeMap<usize, ([bool; 3], Vec<Binding>)>,
    /// The teams where requests may be made.
    pub(super) asks_in: Vec<usize>,
    /// The teams where a yes, a no or an end may be written to a request.
    pub(super) decides_in: Vec<usize>,
}

/// One subject: what they hold by their name alone, and with what everybody of their kind holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) subject: Subject,
    /// By bindings that name them and nobody else.
    pub(super) direct: Holds,
    pub(super) all: Holds,
}

/// Everybody who holds something, groups first.
pub(super) fn held(rbac: &Rbac, profiles: &[Profile], teams: &[NamespaceName]) -> Vec<Held> {
    let names = rbac.names_on(GROUP, "accessrequests");
    let asks = Asks::of(profiles, &names);
    let weighed = rbac.weigh(&asks.all);
    rbac.subjects()
        .map(|subject| Held {
            subject: subject.clone(),
            direct: asks.holds(&weighed, &alone(subject), teams),
            all: asks.holds(&weighed, &subject.caller(), teams),
        })
        .filter(|held| !held.all.profiles.is_empty() || !held.direct.asks_in.is_empty())
        .collect()
}

/// A subject in none of the groups that everybody is in.
fn alone(subject: &Subject) -> Caller {
    match subject {
        Subject::Group(group) => Caller { user: String::new(), groups: vec![group.clone()] },
        Subject::User(user) => Caller { user: user.clone(), groups: Vec::new() },
    }
}

/// The questions, in their order: three for each profile, then those that are asked in a team.
struct Asks<'a> {
    all: Vec<Ask<'a>>,
    profiles: usize,
}

impl<'a> Asks<'a> {
    fn of(profiles: &'a [Profile], names: &'a [String]) -> Self {
        let on = |verb: &'a str, resource: &'a str, subresource: &'a str, name: &'a str| Ask::Resource {
            verb,
            group: GROUP,
            resource,
            subresource,
            name,
        };
        let mut all: Vec<Ask<'a>> = profiles
            .iter()
            .flat_map(|profile| VERBS.map(|verb| on(verb, "accessprofiles", "", profile.name.as_str())))
            .collect();
        all.push(on("create", "accessrequests", "", ""));
        all.push(on("patch", "accessrequests", "status", ""));
        all.push(on("update", "accessrequests", "status", ""));
        // Whoever may create and patch one name makes the request of that name by server-side apply.
        for name in names.iter().take(NAMES) {
            all.push(on("create", "accessrequests", "", name));
            all.push(on("patch", "accessrequests", "", name));
            all.push(on("patch", "accessrequests", "status", name));
        }
        Self { all, profiles: profiles.len() }
    }

    fn holds(&self, weighed: &Weighed<'_>, caller: &Caller, teams: &[NamespaceName]) -> Holds {
        let mut holds = Holds::default();
        let in_teams = self.profiles * VERBS.len();
        for (binding, asks) in weighed.given(caller, None) {
            for at in asks.iter().copied().filter(|at| *at < in_teams) {
                let (verbs, by) = holds.profiles.entry(at / VERBS.len()).or_default();
                if let Some(verb) = verbs.get_mut(at % VERBS.len()) {
                    *verb = true;
                }
                if by.last() != Some(binding) {
                    by.push(binding.clone());
                }
            }
        }
        for (place, team) in teams.iter().enumerate() {
            let mut may = vec![false; self.all.len() - in_teams];
            for (_, asks) in weighed.given(caller, Some(team.as_str())) {
                for at in asks.iter().filter_map(|at| at.checked_sub(in_teams)) {
                    if let Some(one) = may.get_mut(at) {
                        *one = true;
                    }
                }
            }
            let (general, named) = may.split_at(3);
            let by_name = |wanted: &[usize]| {
                named.chunks(3).any(|one| wanted.iter().all(|at| one.get(*at) == Some(&true)))
            };
            if general.first() == Some(&true) || by_name(&[0, 1]) {
                holds.asks_in.push(place);
            }
            if general.iter().skip(1).any(|may| *may) || by_name(&[2]) {
                holds.decides_in.push(place);
            }
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_api::AccessProfile;
    use sallyport_rbac::Rule;
    use sallyport_rbac::who::{Role, RoleRef};
    use serde_json::json;

    fn profile(name: &str) -> Profile {
        let object: AccessProfile = serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
            "metadata": {"name": name, "uid": "6f1c2d7e-0000-4000-8000-000000000000", "generation": 1},
            "spec": {"clusters": ["*"], "roles": ["r"], "maxDuration": "1h"},
        }))
        .unwrap();
        Profile::try_from(&object).unwrap()
    }

    fn rule(verbs: &[&str], resource: &str, names: &[&str]) -> Rule {
        let mut rule = Rule::on(&"r".parse().unwrap(), verbs.to_vec(), vec![GROUP], vec![resource]);
        rule.resource_names = names.iter().map(|n| (*n).to_owned()).collect();
        rule
    }

    fn bound(namespace: Option<&str>, role: &str, group: &str) -> Binding {
        Binding {
            namespace: namespace.map(str::to_owned),
            name: format!("{role}-{group}"),
            role: RoleRef::ClusterRole(role.into()),
            subjects: vec![Subject::Group(group.into())],
        }
    }

    fn role(name: &str, rules: Vec<Rule>) -> Role {
        Role { namespace: None, name: name.into(), rules }
    }

    #[test]
    fn a_profile_is_asked_for_in_a_team_and_what_everybody_holds_is_told_apart() {
        let roles = vec![
            role("ask", vec![rule(&["request"], "accessprofiles", &["view"])]),
            role("all", vec![rule(&["*"], "accessprofiles", &[])]),
            role("make", vec![rule(&["create"], "accessrequests", &[])]),
            role("write", vec![rule(&["patch"], "accessrequests/status", &[])]),
            role("one", vec![rule(&["create", "patch"], "accessrequests", &["ask-1"])]),
            role("half", vec![rule(&["create"], "accessrequests", &["ask-2"])]),
        ];
        let bindings = vec![
            bound(None, "ask", "dev"),
            bound(None, "all", "leads"),
            bound(None, "ask", "system:authenticated"),
            bound(Some("team-a"), "make", "dev"),
            bound(Some("team-a"), "write", "leads"),
            bound(Some("team-b"), "one", "odd"),
            bound(Some("team-b"), "half", "none"),
            // Gives no profile, wherever it is.
            bound(Some("team-a"), "all", "local"),
        ];
        let rbac = Rbac::about(&[GROUP], roles, bindings);
        let teams: Vec<NamespaceName> = ["team-a", "team-b"].iter().map(|t| t.parse().unwrap()).collect();
        let found = held(&rbac, &[profile("operate"), profile("view")], &teams);
        let of = |name: &str| found.iter().find(|held| held.subject.name() == name);
        let dev = of("dev").unwrap();
        assert_eq!(dev.all.profiles.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!(dev.all.profiles[&1].0, [true, false, false]);
        assert_eq!((dev.direct.profiles[&1].1.len(), dev.all.profiles[&1].1.len()), (1, 2));
        assert_eq!((dev.all.asks_in.as_slice(), dev.all.decides_in.as_slice()), (&[0][..], &[][..]));
        let leads = of("leads").unwrap();
        assert_eq!(leads.all.profiles[&0].0, [true; 3]);
        assert_eq!((leads.all.asks_in.as_slice(), leads.all.decides_in.as_slice()), (&[][..], &[0][..]));
        let odd = of("odd").unwrap();
        assert!(odd.direct.profiles.is_empty() && odd.all.profiles.contains_key(&1));
        assert_eq!(odd.all.asks_in, [1], "one that is applied under its name");
        assert!(of("none").unwrap().all.asks_in.is_empty());
        assert!(of("local").unwrap().direct.profiles.is_empty());
    }
}
