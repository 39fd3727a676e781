//! Who may pass on what: bindings and roles that somebody tries to write, without writing them (`dryRun=All`), against what
//! is computed of `bind`, `escalate` and of holding all that is given.

use super::question::caller;
use super::review::Server;
use super::world::{NAMESPACES, Role, World, resources, role, who};
use crate::dice::Dice;
use anyhow::Result;
use sallyport_posture::Snapshot;
use sallyport_rbac::escalation::{may_bind, may_make_role};
use sallyport_rbac::who::{Caller, MASTERS, Rbac, RoleRef};
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";
/// Whoever tries is in it: that they may write the objects at all is not the question.
const WRITERS: &str = "oracle-writers";

/// What somebody tries to write.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) caller: Caller,
    pub(super) object: Value,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Bind(RoleRef, Option<&'static str>),
    Write(Role),
}

/// Lets everybody in the group write roles and bindings, and nothing else.
pub(super) fn writers() -> Vec<Value> {
    let rules = json!([{"verbs": ["create"], "apiGroups": [RBAC],
        "resources": ["roles", "clusterroles", "rolebindings", "clusterrolebindings"]}]);
    vec![
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": WRITERS}, "rules": rules}),
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": WRITERS},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": WRITERS},
            "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": WRITERS}]}),
    ]
}

impl Try {
    /// Mostly by somebody who holds something like it.
    pub(super) fn random(world: &World, number: usize, dice: &mut Dice) -> Self {
        let given = dice.pick(&world.given);
        let whom = if dice.one_in(4) { who(world.number, dice) } else { dice.pick(&given.0).clone() };
        let mut caller = caller(&whom);
        if caller.user.is_empty() {
            // One acts as somebody, whose groups are then looked at.
            caller.user = "nobody".to_owned();
        }
        caller.groups.push(WRITERS.to_owned());
        if dice.one_in(20) {
            caller.groups.push(MASTERS.to_owned());
        }
        let place = match given.1 {
            Some(own) if !dice.one_in(5) => Some(own),
            _ => (!dice.one_in(2)).then(|| *dice.pick(&NAMESPACES)),
        };
        let name = format!("try-{}-{number}", world.number);
        let (object, what) = match dice.one_in(2) {
            true => bind(&name, world, place, dice),
            false => write(&name, &given.2, place, dice),
        };
        Self { caller, object, what }
    }

    pub(super) fn computed(&self, rbac: &Rbac) -> bool {
        match &self.what {
            What::Bind(role, namespace) => may_bind(rbac, &self.caller, role, *namespace),
            What::Write(role) => {
                let (Ok(mut snapshot), rules) = (read(role), Vec::new()) else { return false };
                let rules = snapshot.roles.pop().map_or(rules, |one| one.role.rules.clone());
                let aggregates = role.aggregates;
                may_make_role(rbac, &self.caller, role.namespace, &rules, aggregates)
            }
        }
    }
}

fn read(role: &Role) -> Result<Snapshot> {
    let mut snapshot = Snapshot::default();
    snapshot.take_value(role.object())?;
    Ok(snapshot)
}

fn bind(name: &str, world: &World, place: Option<&'static str>, dice: &mut Dice) -> (Value, What) {
    let role = dice.pick(&world.roles);
    let gone = dice.one_in(12);
    let of = if gone { "gone".to_owned() } else { role.name.clone() };
    // A Role is bound in a namespace; its own, or another where there may be one of its name.
    let place = match role.namespace {
        Some(own) => Some(if dice.one_in(6) { *dice.pick(&NAMESPACES) } else { own }),
        None => place,
    };
    let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
    let mut object = json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": if place.is_some() { "RoleBinding" } else { "ClusterRoleBinding" },
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": of},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "somebody"}],
    });
    if let Some(place) = place {
        object["metadata"]["namespace"] = json!(place);
    }
    let role = if role.namespace.is_some() { RoleRef::Role(of) } else { RoleRef::ClusterRole(of) };
    (object, What::Bind(role, place))
}

/// A part of what somebody holds, or more than that.
fn write(name: &str, held: &[Value], namespace: Option<&'static str>, dice: &mut Dice) -> (Value, What) {
    let mut rules: Vec<Value> = Vec::new();
    for _ in 0..1 + dice.below(2) {
        let mut rule = dice.pick(held).clone();
        for field in ["verbs", "apiGroups", "resources", "nonResourceURLs"] {
            if let Some(list) =
                rule.get_mut(field).and_then(Value::as_array_mut).filter(|list| list.len() > 1)
            {
                list.truncate(1 + dice.below(2) as usize);
            }
        }
        rules.push(if dice.one_in(6) { resources(dice) } else { rule });
    }
    // Paths are of ClusterRoles alone.
    let paths = rules.iter().any(|rule| rule.get("nonResourceURLs").is_some());
    let namespace = namespace.filter(|_| !paths);
    let aggregates = namespace.is_none() && dice.one_in(8);
    let role = Role { namespace, name: name.to_owned(), rules, aggregates };
    (role.object(), What::Write(role))
}

impl Role {
    fn object(&self) -> Value {
        let kind = if self.namespace.is_some() { "Role" } else { "ClusterRole" };
        let mut object = role(kind, self.namespace, &self.name, &self.rules);
        if self.aggregates {
            object["aggregationRule"] =
                json!({"clusterRoleSelectors": [{"matchLabels": {"oracle-none": "yes"}}]});
        }
        object
    }
}

/// What the API server says to each.
pub(super) async fn answers(server: &Server, tries: &[Try]) -> Result<Vec<bool>> {
    server.tried(tries.iter().map(|one| (&one.caller, &one.object)).collect()).await
}
