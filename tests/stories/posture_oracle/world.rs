//! A handful of roles and bindings, as odd as the API server takes them.

use crate::dice::Dice;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";
/// Shared by all worlds: names within them are their own.
pub(super) const NAMESPACES: [&str; 4] = ["oracle-a", "oracle-b", "oracle-c", "oracle-d"];
pub(super) const VERBS: [&str; 12] = [
    "get",
    "list",
    "create",
    "update",
    "delete",
    "deletecollection",
    "bind",
    "escalate",
    "impersonate",
    "impersonate-on:user-info:list",
    "",
    "Get",
];
pub(super) const GROUPS: [&str; 6] = ["", "apps", "batch", RBAC, "authentication.k8s.io", "Apps"];
pub(super) const RESOURCES: [&str; 12] = [
    "pods",
    "secrets",
    "deployments",
    "nodes",
    "serviceaccounts",
    "services",
    "clusterroles",
    "users",
    "userextras",
    "widgets",
    "po",
    "",
];
pub(super) const SUBS: [&str; 7] = ["exec", "log", "token", "scale", "proxy", "status", "a/b"];
pub(super) const NAMES: [&str; 5] = ["one", "two", "kube-root-ca.crt", "*", "on*"];
pub(super) const PATHS: [&str; 8] =
    ["/metrics", "/metrics/cadvisor", "/healthz", "/logs/", "/logs/a", "/api", "/", "/version"];
const PATH_RULES: [&str; 9] =
    ["*", "/*", "/metrics", "/metrics*", "/logs/*", "/logs/**", "/api*", "/healthz", "/me*ics"];

/// Whom a binding of a world names.
#[derive(Clone, Debug)]
pub(super) enum Who {
    User(String),
    Group(String),
    Account(&'static str, String),
}

/// A role of a world, or one that somebody tries to write.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) namespace: Option<&'static str>,
    pub(super) name: String,
    pub(super) rules: Vec<Value>,
    /// Whether it has an `aggregationRule`.
    pub(super) aggregates: bool,
}

/// What was made, and what of it questions are drawn from.
pub(super) struct World {
    pub(super) number: usize,
    pub(super) objects: Vec<Value>,
    pub(super) roles: Vec<Role>,
    /// What each binding gives: to whom, where (none: everywhere), and the rules of its role.
    pub(super) given: Vec<(Vec<Who>, Option<&'static str>, Vec<Value>)>,
}

pub(super) fn namespaces() -> Vec<Value> {
    let one = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    NAMESPACES.iter().map(|name| one(name)).collect()
}

impl World {
    pub(super) fn random(number: usize, dice: &mut Dice) -> Self {
        let mut world = Self { number, objects: Vec::new(), roles: Vec::new(), given: Vec::new() };
        let plain = |namespace, name, rules| Role { namespace, name, rules, aggregates: false };
        for at in 0..2 + dice.below(3) {
            world.roles.push(plain(None, format!("w{number}-r{at}"), rules(dice, true)));
        }
        for _ in 0..2 + dice.below(3) {
            // Few names, so that the same is used in several namespaces and by a ClusterRole.
            let (namespace, name) = (*dice.pick(&NAMESPACES), format!("w{number}-r{}", dice.below(3)));
            if !world.roles.iter().any(|one| one.namespace == Some(namespace) && one.name == name) {
                world.roles.push(plain(Some(namespace), name, rules(dice, false)));
            }
        }
        for one in &world.roles {
            let kind = if one.namespace.is_some() { "Role" } else { "ClusterRole" };
            world.objects.push(role(kind, one.namespace, &one.name, &one.rules));
        }
        if dice.one_in(3) {
            world.aggregate(dice);
        }
        for at in 0..4 + dice.below(5) {
            world.bind(at, dice);
        }
        world
    }

    /// A role that another is made of, by a label.
    fn aggregate(&mut self, dice: &mut Dice) {
        let (label, rules) = (format!("oracle-{}", self.number), rules(dice, true));
        let mut part = role("ClusterRole", None, &format!("w{}-part", self.number), &rules);
        part["metadata"]["labels"] = json!({&label: "yes"});
        let name = format!("w{}-sum", self.number);
        let mut sum = role("ClusterRole", None, &name, &[]);
        sum["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {&label: "yes"}}]});
        self.objects.extend([part, sum]);
        self.roles.push(Role { namespace: None, name, rules, aggregates: true });
    }

    fn bind(&mut self, at: u64, dice: &mut Dice) {
        let number = self.number;
        let Role { namespace: own, name, rules, .. } = dice.pick(&self.roles).clone();
        let wide = own.is_none() && dice.one_in(3);
        // A Role of another namespace is another one, or none.
        let namespace = match own {
            Some(_) if dice.one_in(8) => *dice.pick(&NAMESPACES),
            Some(own) => own,
            None => *dice.pick(&NAMESPACES),
        };
        let name = if dice.one_in(12) { format!("w{number}-gone") } else { name };
        let who: Vec<Who> = (0..1 + dice.below(2)).map(|_| who(number, dice)).collect();
        let mut binding = json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": if wide { "ClusterRoleBinding" } else { "RoleBinding" },
            "metadata": {"name": format!("w{number}-b{at}")},
            "roleRef": {"apiGroup": RBAC, "kind": if own.is_some() { "Role" } else { "ClusterRole" }, "name": name},
            "subjects": who.iter().map(subject).collect::<Vec<_>>(),
        });
        if !wide {
            binding["metadata"]["namespace"] = json!(namespace);
        }
        self.objects.push(binding);
        self.given.push((who, (!wide).then_some(namespace), rules));
    }
}

pub(super) fn role(kind: &str, namespace: Option<&str>, name: &str, rules: &[Value]) -> Value {
    let mut role =
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": {"name": name}, "rules": rules});
    if let Some(namespace) = namespace {
        role["metadata"]["namespace"] = json!(namespace);
    }
    role
}

fn subject(who: &Who) -> Value {
    match who {
        Who::User(name) => json!({"apiGroup": RBAC, "kind": "User", "name": name}),
        Who::Group(name) => json!({"apiGroup": RBAC, "kind": "Group", "name": name}),
        Who::Account(namespace, name) => {
            json!({"kind": "ServiceAccount", "name": name, "namespace": namespace})
        }
    }
}

/// Anybody of a world: names are used for a user, a group and an account alike, so that one is taken for another.
pub(super) fn who(number: usize, dice: &mut Dice) -> Who {
    let name = format!("w{number}-{}", dice.pick(&["ana", "bob", "dev"]));
    let namespace = *dice.pick(&NAMESPACES);
    match dice.below(12) {
        0..3 => Who::User(name),
        3..6 => Who::Group(name),
        6..8 => Who::Account(namespace, name),
        // An account as the user that it is, and a group of the same spelling.
        8 => Who::User(format!("system:serviceaccount:{namespace}:{name}")),
        9 => Who::Group(format!("system:serviceaccount:{namespace}:{name}")),
        10 => Who::Group(format!("system:serviceaccounts:{namespace}")),
        // Everybody, in all worlds that live at the time: seldom, or too much is allowed.
        _ if dice.one_in(6) => Who::Group(
            (*dice.pick(&["system:authenticated", "system:unauthenticated", "system:serviceaccounts"]))
                .to_owned(),
        ),
        _ => Who::User(format!("https://idp.test/#{name}")),
    }
}

fn rules(dice: &mut Dice, wide: bool) -> Vec<Value> {
    (0..1 + dice.below(3))
        .map(|_| if wide && dice.one_in(4) { paths(dice) } else { resources(dice) })
        .collect()
}

fn paths(dice: &mut Dice) -> Value {
    let verbs = if dice.one_in(4) { vec!["*"] } else { dice.some(&VERBS, 1, 3) };
    json!({"verbs": verbs, "nonResourceURLs": dice.some(&PATH_RULES, 1, 2)})
}

pub(super) fn resources(dice: &mut Dice) -> Value {
    let verbs = if dice.one_in(6) { vec!["*"] } else { dice.some(&VERBS, 1, 4) };
    let groups = if dice.one_in(6) { vec!["*"] } else { dice.some(&GROUPS, 1, 2) };
    let entries: Vec<String> = (0..1 + dice.below(3)).map(|_| entry(dice)).collect();
    let mut rule = json!({"verbs": verbs, "apiGroups": groups, "resources": entries});
    if dice.one_in(3) {
        rule["resourceNames"] = json!(dice.some(&NAMES, 1, 3));
    }
    rule
}

fn entry(dice: &mut Dice) -> String {
    let (resource, sub) = (*dice.pick(&RESOURCES), *dice.pick(&SUBS));
    match dice.below(14) {
        0..6 => resource.to_owned(),
        6..9 => format!("{resource}/{sub}"),
        9..11 => format!("*/{sub}"),
        11 => format!("{resource}/*"),
        12 => (*dice.pick(&["*/*", "*/", "/", "pods/exec/", "*/exec*"])).to_owned(),
        _ => "*".to_owned(),
    }
}
