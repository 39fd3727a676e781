//! Acting as somebody for some requests (KEP-5284): real requests by somebody who signed in and acts as another, against what
//! is computed of both halves, of the other's rights, and of what passes on.

use super::review::Server;
use crate::dice::Dice;
use crate::lines::Lines;
use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sallyport_rbac::Ask;
use sallyport_rbac::escalation::may_bind;
use sallyport_rbac::gates::has_impersonation_modes;
use sallyport_rbac::impersonate::{Mode, acts_as};
use sallyport_rbac::who::{Caller, Rbac, RoleRef, Subject};
use sallyport_testkit::{Identity, Plane};
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";
/// Where what is asked for is; bindings are there or everywhere.
const PLACE: &str = "oracle-a";
const RESOURCES: [&str; 4] = ["pods", "configmaps", "services", "secrets"];
/// Whoever may act as somebody.
const AGENTS: usize = 48;
/// Questions of each.
const QUESTIONS: usize = 16;
/// Of these many at least a mode alone opens the way.
const BY_MODE: usize = 30;
/// Requests under way at once.
const MANY: usize = 8;
/// Disagreements that are told.
const TOLD: usize = 5;

/// One request as somebody else.
#[derive(Clone, Debug)]
struct Question {
    agent: usize,
    other: Caller,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// A list in the namespace.
    List(&'static str),
    /// A RoleBinding there to a ClusterRole that not everybody may bind, tried without keeping it.
    Bind(&'static str),
    Metrics,
}

pub(super) async fn look(server: &Server, plane: &Plane, dice: &mut Dice, lines: &mut Lines) -> Result<()> {
    let version = plane.assets().version();
    if version == (1, 35) {
        // Alpha there, and off: what counts as given, so that nothing is missed, is not.
        return Ok(());
    }
    let mut objects = others(dice);
    for agent in 0..AGENTS {
        objects.extend(given(&user(agent), wide(dice), dice, true));
        objects.extend(given(&user(agent), local(dice), dice, false));
    }
    server.make(&objects).await?;
    server.settled().await?;
    let (rbac, _) = server.snapshot().await?.rbac();
    let questions: Vec<Question> =
        (0..AGENTS * QUESTIONS).map(|at| Question::random(at / QUESTIONS, dice)).collect();
    let asked = questions.iter().map(|one| one.answer(plane));
    let answers: Vec<bool> = stream::iter(asked).buffered(MANY).try_collect().await?;
    let (mut by_mode, mut allowed, mut wrong) = (0, 0, 0);
    for (question, answer) in questions.iter().zip(&answers) {
        let modes = question.modes(&rbac, version);
        let computed = !modes.is_empty() && question.others_own(&rbac);
        allowed += usize::from(*answer);
        by_mode += usize::from(*answer && !modes.contains(&Mode::Whole));
        if computed != *answer {
            wrong += 1;
            if wrong <= TOLD {
                let what = format!(
                    "the API server says {answer} to {question:?} by {modes:?} in {}",
                    json!(objects)
                );
                lines.failed("p22 acting as somebody is what the API server lets pass", what);
            }
        }
    }
    let enough = !has_impersonation_modes(Some(version)) || by_mode >= BY_MODE;
    lines.check(
        "p22 acting as somebody, by mode and the old way, is what the API server lets pass",
        wrong == 0 && enough && allowed < answers.len(),
        format!(
            "{} real requests, {allowed} let pass, {by_mode} of them by a mode alone, {wrong} disagreements",
            answers.len()
        ),
    );
    server.remove(&objects).await
}

fn user(agent: usize) -> String {
    format!("mode-agent-{agent}")
}

/// A role with these rules, bound everywhere or in the namespace.
fn given(who: &str, rules: Vec<Value>, dice: &mut Dice, is_wide: bool) -> Vec<Value> {
    let name = format!("mode-{}-{}", who.replace(':', "-"), if is_wide { "wide" } else { "local" });
    let mut binding = json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": if is_wide { "ClusterRoleBinding" } else { "RoleBinding" },
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [match who.strip_prefix("group:") {
            Some(group) => json!({"apiGroup": RBAC, "kind": "Group", "name": group}),
            None if who == "bot" => json!({"kind": "ServiceAccount", "name": "bot", "namespace": PLACE}),
            None => json!({"apiGroup": RBAC, "kind": "User", "name": who}),
        }],
    });
    if !is_wide {
        binding["metadata"]["namespace"] = json!(PLACE);
    }
    let role = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules});
    // Now and then a role that nobody is bound to.
    if dice.one_in(12) { vec![role] } else { vec![role, binding] }
}

/// What those may do as whom somebody acts.
fn others(dice: &mut Dice) -> Vec<Value> {
    let mut objects = Vec::new();
    for who in ["mode-ana", "mode-bob", "group:mode-devs", "bot"] {
        for is_wide in [true, false] {
            let mut rules =
                vec![json!({"verbs": ["list"], "apiGroups": [""], "resources": dice.some(&RESOURCES, 1, 3)})];
            if dice.one_in(2) {
                rules.push(json!({"verbs": ["create"], "apiGroups": [RBAC], "resources": ["rolebindings"]}));
            }
            if dice.one_in(2) {
                rules.push(json!({"verbs": ["bind"], "apiGroups": [RBAC], "resources": ["clusterroles"],
                    "resourceNames": dice.some(&["view", "edit"], 1, 2)}));
            }
            if is_wide && dice.one_in(2) {
                rules.push(json!({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}));
            }
            objects.extend(given(who, rules, dice, is_wide));
        }
    }
    objects
}

/// Whom somebody may act as, and for what.
fn wide(dice: &mut Dice) -> Vec<Value> {
    let mut rules = local(dice);
    let mut rule = |verb: &str, group: &str, resource: &str, names: Vec<&str>| {
        let mut rule = json!({"verbs": [verb], "apiGroups": [group], "resources": [resource]});
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rules.push(rule);
    };
    if !dice.one_in(4) {
        let names = if dice.one_in(2) { Vec::new() } else { dice.some(&["mode-ana", "mode-bob"], 1, 2) };
        rule("impersonate:user-info", AUTHENTICATION, "users", names);
    }
    if dice.one_in(2) {
        rule("impersonate:user-info", AUTHENTICATION, "groups", Vec::new());
    }
    if dice.one_in(2) {
        rule("impersonate:serviceaccount", AUTHENTICATION, "serviceaccounts", Vec::new());
    }
    if dice.one_in(6) {
        rule("impersonate", "", "users", vec!["mode-ana"]);
    }
    if dice.one_in(2) {
        rules.push(json!({"verbs": ["impersonate-on:user-info:get"], "nonResourceURLs": ["/metrics"]}));
    }
    rules
}

/// For what, and of accounts of the namespace whom.
fn local(dice: &mut Dice) -> Vec<Value> {
    let mut rules = Vec::new();
    for mode in ["user-info", "serviceaccount"] {
        if !dice.one_in(3) {
            rules.push(json!({"verbs": [format!("impersonate-on:{mode}:list")], "apiGroups": [""],
                "resources": dice.some(&RESOURCES, 1, 4)}));
        }
        if dice.one_in(2) {
            rules.push(json!({"verbs": [format!("impersonate-on:{mode}:create")], "apiGroups": [RBAC],
                "resources": ["rolebindings"]}));
        }
    }
    if dice.one_in(3) {
        rules.push(json!({"verbs": ["impersonate:serviceaccount"], "apiGroups": [AUTHENTICATION],
            "resources": ["serviceaccounts"], "resourceNames": ["bot"]}));
    }
    rules
}

impl Question {
    fn random(agent: usize, dice: &mut Dice) -> Self {
        let whom = match dice.below(5) {
            0 => Subject::account(PLACE, "bot"),
            1 => Subject::User("mode-bob".to_owned()),
            _ => Subject::User("mode-ana".to_owned()),
        };
        let mut other = whom.caller();
        if whom.as_account().is_none() && dice.one_in(3) {
            other.groups.push("mode-devs".to_owned());
        }
        let what = match dice.below(6) {
            0 => What::Metrics,
            1 => What::Bind(dice.pick::<&str>(&["view", "edit"])),
            _ => What::List(dice.pick::<&str>(&RESOURCES)),
        };
        Self { agent, other, what }
    }

    fn ask(&self) -> (Ask<'static>, Option<&'static str>) {
        let of = |verb, group, resource| Ask::Resource { verb, group, resource, subresource: "", name: "" };
        match self.what {
            What::List(resource) => (of("list", "", resource), Some(PLACE)),
            What::Bind(_) => (of("create", RBAC, "rolebindings"), Some(PLACE)),
            What::Metrics => (Ask::Path { verb: "get", path: "/metrics" }, None),
        }
    }

    fn modes(&self, rbac: &Rbac, version: (u32, u32)) -> Vec<Mode> {
        let (ask, namespace) = self.ask();
        let agent = Subject::User(user(self.agent)).caller();
        acts_as(rbac, &agent, &self.other, ask, namespace, Some(version))
    }

    /// Whether the other may do it themselves; what is passed on is asked of them too, and of no mode.
    fn others_own(&self, rbac: &Rbac) -> bool {
        let (ask, namespace) = self.ask();
        rbac.allows(&self.other, ask, namespace)
            && match self.what {
                What::Bind(role) => {
                    may_bind(rbac, &self.other, &RoleRef::ClusterRole(role.to_owned()), namespace)
                }
                _ => true,
            }
    }

    /// Whether the API server lets it pass.
    async fn answer(&self, plane: &Plane) -> Result<bool> {
        let client = plane.client_as(&Identity::new(user(self.agent)))?;
        let request = match self.what {
            What::List(resource) => {
                http::Request::get(format!("/api/v1/namespaces/{PLACE}/{resource}?limit=1"))
            }
            What::Bind(_) => {
                http::Request::post(format!("/apis/{RBAC}/v1/namespaces/{PLACE}/rolebindings?dryRun=All"))
                    .header("content-type", "application/json")
            }
            What::Metrics => http::Request::get("/metrics"),
        };
        let mut request = request.header("impersonate-user", &self.other.user);
        let implied = Subject::User(self.other.user.clone()).caller().groups;
        for group in self.other.groups.iter().filter(|group| !implied.contains(group)) {
            request = request.header("impersonate-group", group);
        }
        let body = match self.what {
            What::Bind(role) => serde_json::to_vec(&json!({
                "apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding", "metadata": {"name": "mode-try"},
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "somebody"}],
            }))?,
            _ => Vec::new(),
        };
        match client.request_text(request.body(body)?).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(false),
            Err(error) => Err(error).with_context(|| format!("{self:?}")),
        }
    }
}
