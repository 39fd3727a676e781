//! What is computed from roles and bindings against what the hub's API server answers, for bindings as odd as they may be.

use super::{apply, bound, group, labels};
use crate::lines::Lines;
use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::Api;
use kube::api::PostParams;
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{DEADLINE, until};
use sallyport_hub::Hub;
use sallyport_rbac::Ask;
use sallyport_rbac::who::{Caller, Subject};
use serde_json::{Value, json};
use std::time::Duration;

const OURS: &str = "access.sallyport.dev";
/// An API server hears of a binding a moment later.
const SOON: Duration = Duration::from_secs(60);

/// One question, as both are asked it.
#[derive(Clone, Copy, Debug)]
struct Question<'a> {
    verb: &'a str,
    resource: &'a str,
    subresource: &'a str,
    name: &'a str,
    namespace: Option<&'a str>,
}

impl<'a> Question<'a> {
    fn ask(self) -> Ask<'a> {
        let Self { verb, resource, subresource, name, .. } = self;
        Ask::Resource { verb, group: OURS, resource, subresource, name }
    }
}

pub(super) async fn compare(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    apply(fleet, &odd()).await?;
    let hub = Hub::new(fleet.hub.admin()?, DEADLINE);
    // The aggregation controller fills it.
    until("the aggregated role", SOON, async || {
        let role =
            fleet.hub.kubectl().ok(&["get", "clusterrole", "story:aggregated", "-o", "json"]).await.ok()?;
        role.contains("\"request\"").then_some(())
    })
    .await?;
    let (callers, questions) = (callers(), questions());
    let pairs: Vec<(&(&str, Caller), &Question<'_>)> =
        callers.iter().flat_map(|caller| questions.iter().map(move |question| (caller, question))).collect();
    let mut wrong = Vec::new();
    let mut allowed = 0;
    let agreed = until("both to agree", SOON, async || {
        let teams = hub.team_names().await.ok()?;
        let stored = hub.stored_rbac(&teams).await.ok()?;
        let asked = pairs.iter().map(|((_, caller), question)| reviewed(&hub, caller, **question));
        let answers: Vec<bool> = stream::iter(asked).buffered(8).try_collect().await.ok()?;
        let differing: Vec<String> = pairs
            .iter()
            .zip(&answers)
            .filter(|(((_, caller), question), said)| {
                stored.rbac.allows(caller, question.ask(), question.namespace) != **said
            })
            .map(|(((name, _), question), said)| format!("{name}: {question:?} is {said}"))
            .collect();
        differing.is_empty().then_some((answers, stored.rbac.dangling().len()))
    })
    .await;
    let mut dangling = 0;
    match agreed {
        Ok((answers, gone)) => {
            dangling = gone;
            allowed = answers.iter().filter(|yes| **yes).count();
            for (name, question, wanted) in said() {
                let at = pairs.iter().position(|((caller, _), one)| *caller == name && one.is(&question));
                if at.and_then(|at| answers.get(at)).copied() != Some(wanted) {
                    wrong.push(format!("{name} {question:?} is not {wanted}"));
                }
            }
        }
        Err(error) => wrong.push(error.to_string()),
    }
    let count = pairs.len();
    lines.check(
        "p22 what is computed is what the API server answers, for every caller and question",
        wrong.is_empty() && allowed > 100 && allowed < count - 100,
        format!("{} callers, {count} reviews, {allowed} allowed {wrong:?}", callers.len()),
    );
    lines.check(
        "a binding of a role that is not there gives nothing, and is counted",
        dangling >= 1,
        format!("{dangling}"),
    );
    Ok(())
}

impl Question<'_> {
    fn is(&self, other: &Question<'_>) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// What the API server says of it.
async fn reviewed(hub: &Hub, caller: &Caller, question: Question<'_>) -> Result<bool> {
    let Question { verb, resource, subresource, name, namespace } = question;
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let asked = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            // A review is of somebody: one who is only in groups has a name that nothing is bound to.
            user: Some(if caller.user.is_empty() { "story-nobody".to_owned() } else { caller.user.clone() }),
            groups: Some(caller.groups.clone()),
            resource_attributes: Some(ResourceAttributes {
                group: text(OURS),
                verb: text(verb),
                resource: text(resource),
                subresource: text(subresource),
                name: text(name),
                namespace: namespace.map(str::to_owned),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let api: Api<SubjectAccessReview> = Api::all(hub.client().clone());
    Ok(api.create(&PostParams::default(), &asked).await?.status.is_some_and(|status| status.allowed))
}

fn callers() -> Vec<(&'static str, Caller)> {
    let groups = [
        "oidc:payments-dev",
        "oidc:payments-leads",
        "oidc:platform-admins",
        "oidc:sallyport-profile-editors",
        "story:wildcard",
        "story:named",
        "story:aggregated",
        "story:dangling",
        "story:local",
        "story:other-group",
        "story:create-one",
        "system:authenticated",
        "system:unauthenticated",
        "system:masters",
    ];
    let mut all: Vec<(&'static str, Caller)> =
        groups.iter().map(|name| (*name, Subject::Group((*name).to_owned()).caller())).collect();
    for name in ["story:ana", "system:anonymous", "oidc:payments-dev"] {
        all.push((
            if name == "oidc:payments-dev" { "a user named as a group" } else { name },
            Subject::User(name.to_owned()).caller(),
        ));
    }
    all.push(("account", Subject::account("team-payments", "story-bot").caller()));
    all.push(("other account", Subject::account("team-platform", "story-bot").caller()));
    let many = Caller {
        user: "story:ana".to_owned(),
        groups: ["story:named", "story:local", "system:authenticated"].map(str::to_owned).to_vec(),
    };
    all.push(("ana in two groups", many));
    all
}

fn questions() -> Vec<Question<'static>> {
    let mut all = Vec::new();
    for name in ["view", "debug", "debug-prod", "operate", "story-none"] {
        for verb in ["request", "approve", "revoke", "get"] {
            let on = |subresource| Question {
                verb,
                resource: "accessprofiles",
                subresource,
                name,
                namespace: None,
            };
            all.extend([on(""), on("status")]);
        }
    }
    for namespace in [Some("team-payments"), Some("team-platform"), Some("default"), None] {
        all.push(Question {
            verb: "create",
            resource: "accessrequests",
            subresource: "",
            name: "",
            namespace,
        });
        all.push(Question {
            verb: "create",
            resource: "accessrequests",
            subresource: "",
            name: "ask-one",
            namespace,
        });
        all.push(Question {
            verb: "patch",
            resource: "accessrequests",
            subresource: "status",
            name: "x",
            namespace,
        });
    }
    all.retain(|question| question.namespace != Some("default"));
    all
}

/// What the odd bindings were made to show, so that agreeing on nothing is no success.
fn said() -> Vec<(&'static str, Question<'static>, bool)> {
    let on =
        |verb, name| Question { verb, resource: "accessprofiles", subresource: "", name, namespace: None };
    let make = |namespace, name| Question {
        verb: "create",
        resource: "accessrequests",
        subresource: "",
        name,
        namespace,
    };
    vec![
        ("story:wildcard", on("revoke", "story-none"), true),
        ("story:named", on("request", "operate"), true),
        ("story:named", on("request", "view"), false),
        ("story:aggregated", on("request", "debug"), true),
        ("story:dangling", on("request", "debug"), false),
        ("story:local", on("request", "operate"), false),
        ("story:local", make(Some("team-payments"), ""), true),
        ("story:local", make(Some("team-platform"), ""), false),
        ("story:other-group", on("request", "operate"), false),
        ("story:create-one", make(Some("team-payments"), ""), false),
        ("story:create-one", make(Some("team-payments"), "ask-one"), true),
        ("story:ana", on("approve", "operate"), true),
        ("account", on("approve", "operate"), true),
        ("other account", on("approve", "operate"), false),
        ("system:authenticated", on("revoke", "view"), true),
        ("oidc:payments-dev", on("revoke", "view"), true),
        ("system:unauthenticated", on("revoke", "view"), false),
        ("system:masters", on("approve", "story-none"), true),
        ("a user named as a group", on("request", "operate"), false),
        ("ana in two groups", on("request", "operate"), true),
        ("ana in two groups", make(Some("team-payments"), ""), true),
    ]
}

fn odd() -> Vec<Value> {
    let role = |name: &str, rules: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": labels()}, "rules": rules})
    };
    let on = |verbs: &[&str], names: &[&str]| {
        let mut rule = json!({"apiGroups": [OURS], "resources": ["accessprofiles"], "verbs": verbs});
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rule
    };
    let in_team = |name: &str, kind: &str, role: &str, subject: Value| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": "team-payments", "labels": labels()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}, "subjects": [subject],
        })
    };
    let user = |name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name});
    let bot = json!({"kind": "ServiceAccount", "name": "story-bot", "namespace": "team-payments"});
    let mut part = role("story:part", json!([on(&["request"], &["debug"])]));
    part["metadata"]["labels"]["story"] = json!("aggregate");
    let mut aggregated = role("story:aggregated", json!([]));
    aggregated["aggregationRule"] =
        json!({"clusterRoleSelectors": [{"matchLabels": {"story": "aggregate"}}]});
    vec![
        role("story:wildcard", json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])),
        bound("story:wildcard", "story:wildcard", &[group("story:wildcard")]),
        role(
            "story:named",
            json!([on(&["request"], &["operate", "story-none"]), on(&["revoke"], &["oper*"])]),
        ),
        bound("story:named", "story:named", &[group("story:named")]),
        part,
        aggregated,
        bound("story:aggregated", "story:aggregated", &[group("story:aggregated")]),
        bound("story:dangling", "story:is-not-there", &[group("story:dangling")]),
        // Gives no profile, for profiles are in no namespace, though it lets requests be made in one.
        role(
            "story:all-profiles",
            json!([on(&["*"], &[]), {"apiGroups": [OURS], "resources": ["accessrequests"], "verbs": ["create"]}]),
        ),
        in_team("story:local", "ClusterRole", "story:all-profiles", group("story:local")),
        role(
            "story:other-group",
            json!([{"apiGroups": ["", "apps"], "resources": ["*", "accessprofiles"], "verbs": ["*"]}]),
        ),
        bound("story:other-group", "story:other-group", &[group("story:other-group")]),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "story:create-one", "namespace": "team-payments", "labels": labels()},
            "rules": [{"apiGroups": [OURS], "resources": ["accessrequests"], "resourceNames": ["ask-one"], "verbs": ["create"]},
                {"apiGroups": [OURS], "resources": ["*/status"], "verbs": ["patch"]}]}),
        in_team("story:create-one", "Role", "story:create-one", group("story:create-one")),
        role("story:approver", json!([on(&["approve"], &[])])),
        bound("story:approver", "story:approver", &[user("story:ana"), bot]),
        role("story:everybody", json!([on(&["revoke"], &["view"])])),
        bound("story:everybody", "story:everybody", &[group("system:authenticated")]),
    ]
}
