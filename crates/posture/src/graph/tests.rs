//! What the graph says of roles and bindings that somebody writes, against [`sallyport_rbac::escalation`], which is compared
//! with an API server: each bind and each write of a role, made one after the other.

use crate::ground::Ground;
use crate::path::Goal;
use crate::tests::{Cluster, named, rule, user};
use proptest::prelude::*;
use sallyport_rbac::escalation::{may_bind, may_make_role, may_write_role};
use sallyport_rbac::who::{Binding, Caller, Rbac, Role, RoleRef, Subject};
use sallyport_rbac::{Ask, Rule};
use serde_json::Value;

const RBAC: &str = "rbac.authorization.k8s.io";
/// Where bindings and roles are: the first is everywhere.
const PLACES: [Option<&str>; 3] = [None, Some("ci"), Some("payments")];
/// Steps after which nothing new may come.
const STEPS: usize = 12;

fn ask<'a>(verb: &'a str, resource: &'a str, name: &'a str) -> Ask<'a> {
    Ask::Resource { verb, group: RBAC, resource, subresource: "", name }
}

/// Roles and bindings as they are by now.
#[derive(Clone, PartialEq)]
struct State {
    roles: Vec<Role>,
    bindings: Vec<Binding>,
}

impl State {
    fn rbac(&self) -> Rbac {
        Rbac::all(self.roles.clone(), self.bindings.clone())
    }

    fn has_all(&self, caller: &Caller, place: Option<&str>) -> bool {
        let all = Ask::Resource { verb: "*", group: "*", resource: "*", subresource: "", name: "" };
        self.rbac().allows(caller, all, place)
    }

    /// All states that one request of somebody makes of this.
    fn next(&self, who: &Subject, caller: &Caller, full: &Rule) -> Vec<State> {
        let rbac = self.rbac();
        let mut next = Vec::new();
        for place in PLACES {
            let resource = if place.is_some() { "rolebindings" } else { "clusterrolebindings" };
            let may_write = rbac.allows(caller, ask("create", resource, ""), place);
            for role in &self.roles {
                let of = match &role.namespace {
                    None => RoleRef::ClusterRole(role.name.clone()),
                    Some(own) if place == Some(own.as_str()) => RoleRef::Role(role.name.clone()),
                    Some(_) => continue,
                };
                if may_write && may_bind(&rbac, caller, &of, place) {
                    let mut after = self.clone();
                    let namespace = place.map(str::to_owned);
                    let name = format!("made-{}", after.bindings.len());
                    let made = Binding { namespace, name, role: of, subjects: vec![who.clone()] };
                    let is_new = |one: &Binding| {
                        (&one.namespace, &one.role, &one.subjects)
                            != (&made.namespace, &made.role, &made.subjects)
                    };
                    if self.bindings.iter().all(is_new) {
                        after.bindings.push(made);
                        next.push(after);
                    }
                }
            }
        }
        for (at, role) in self.roles.iter().enumerate() {
            let place = role.namespace.as_deref();
            let resource = if place.is_some() { "roles" } else { "clusterroles" };
            let may =
                |rbac: &Rbac, verb: &str, name: &str| rbac.allows(caller, ask(verb, resource, name), place);
            let rules = vec![full.clone()];
            let mut written = self.clone();
            if let Some(role) = written.roles.get_mut(at) {
                role.rules = rules.clone();
            }
            if (may(&rbac, "update", &role.name) || may(&rbac, "patch", &role.name))
                && may_write_role(&rbac, caller, &role.name, place, &rules, false)
            {
                next.push(written.clone());
            }
            // Deleted, and made again by whoever still may then. The graph wants the right to delete to outlast the role, too:
            // a way by which it comes from that very role alone is not drawn.
            let mut without = self.clone();
            without.roles.remove(at);
            let gone = without.rbac();
            if may(&rbac, "delete", &role.name)
                && may(&gone, "delete", &role.name)
                && may(&gone, "create", "")
                && may_make_role(&gone, caller, place, &rules, false)
            {
                next.push(written);
            }
        }
        next.retain(|state| state != self);
        next
    }

    /// All that somebody can do one after the other, together: nothing of it takes a right away but for a role made anew.
    fn grown(&self, who: &Subject, caller: &Caller, full: &Rule) -> State {
        let mut state = self.clone();
        for _ in 0..STEPS {
            let Some(after) = state.next(who, caller, full).into_iter().next() else { break };
            state = after;
        }
        state
    }
}

fn some(words: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(words), 1..=most)
}

fn any_rule() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        2 => Just(Vec::new()),
        1 => some(&["all", "r1", "r2", "local", "new"], 2),
    ];
    let of = prop_oneof![
        (Just(vec!["create"]), some(&["rolebindings", "clusterrolebindings"], 2), Just(Vec::new())),
        (some(&["bind", "escalate"], 2), some(&["roles", "clusterroles"], 2), names.clone()),
        (some(&["create", "update", "patch", "delete"], 3), some(&["roles", "clusterroles"], 2), names),
    ];
    of.prop_map(|(verbs, resources, names)| {
        let one = rule(&verbs, &[RBAC], &resources);
        if names.is_empty() { one } else { named(one, &names) }
    })
}

fn world() -> impl Strategy<Value = Cluster> {
    let rules = || prop::collection::vec(any_rule(), 0..4);
    let place = || prop::sample::select(PLACES.to_vec());
    let bound = prop::collection::vec((prop::sample::select(vec!["r1", "r2"]), place()), 1..4);
    (rules(), rules(), rules(), any::<bool>(), bound).prop_map(|(r1, r2, local, held, bound)| {
        let mut cluster = Cluster::default()
            .namespace("ci", Some("restricted"))
            .namespace("payments", Some("restricted"))
            .cluster_role("all", &[rule(&["*"], &["*"], &["*"])])
            .cluster_role("r1", &r1)
            .cluster_role("r2", &r2)
            .role("ci", "local", &local);
        for (role, place) in bound {
            cluster = cluster.bind(place, role, &[user("ana")]);
        }
        if held {
            cluster = cluster.bind(Some("ci"), "Role/local", &[user("ana")]);
        }
        cluster
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
    #[test]
    fn p22_ways_by_roles_and_bindings_are_those_that_escalation_allows(cluster in world()) {
        let snapshot = cluster.read();
        let ground = Ground::new(&snapshot);
        let (rbac, _) = snapshot.rbac();
        let roles: Vec<Role> = rbac.roles().iter().map(|role| Role::clone(role)).collect();
        let bindings = rbac.bindings().iter().map(|(binding, _)| Binding::clone(binding)).collect();
        let full = roles.iter().find(|role| role.name == "all").unwrap().rules[0].clone();
        let ana = Subject::User("ana".into());
        let caller = ana.caller();
        let state = State { roles, bindings };
        let says = |place: Option<&str>| {
            let goal = place.map_or(Goal::ClusterAdmin, |name| Goal::SecretsOf(name.to_owned()));
            ground.paths(&goal).is_some_and(|paths| paths.steps_of(&ana).is_some())
        };
        let once = state.next(&ana, &caller, &full);
        let grown = state.grown(&ana, &caller, &full);
        for place in PLACES {
            let told = says(place);
            let by_one = once.iter().any(|after| after.has_all(&caller, place));
            prop_assert!(told || !by_one, "one request gives everything in {:?}, and no way is told", place);
            prop_assert!(
                !told || grown.has_all(&caller, place),
                "a way to {:?} is told that no request opens: {:?}",
                place,
                ground.paths(&Goal::ClusterAdmin).and_then(|paths| paths.of(&ana))
            );
        }
    }
}

/// Both answers occur, and often: a property that compares nothing holds as well.
#[test]
fn the_worlds_tell_both_answers_apart() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut ways, mut none) = (0, 0);
    for _ in 0..300 {
        let snapshot = world().new_tree(&mut runner).unwrap().current().read();
        let ground = Ground::new(&snapshot);
        let ana = Subject::User("ana".into());
        let has = [Goal::ClusterAdmin, Goal::SecretsOf("ci".into())]
            .iter()
            .any(|goal| ground.paths(goal).is_some_and(|paths| paths.steps_of(&ana).is_some()));
        *if has { &mut ways } else { &mut none } += 1;
    }
    assert!(ways > 30 && none > 30, "{ways} with a way, {none} without");
}
