//! ines looks after the hub: who can ask for what, what of it changed since she looked, and what dana lacks to see it.

mod reviews;

use crate::lines::Lines;
use crate::looking_on::fall_silent;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, until};
use sallyport_ipc::{DriftWay, GuardrailProof, SubjectKind, WhoCanView, WhoCluster, WhoMay, WhoSubject};
use sallyport_model::ErrorCode;
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
/// What this story makes on the hub.
const MADE: &str = "app.kubernetes.io/part-of=who-can-story";

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let ines = Desktop::signed_in(fleet, "ines").await?;
    looks(fleet, &ines, lines).await?;
    lacks(fleet, lines).await?;
    let drifted = drifts(fleet, &ines, lines).await;
    let compared = reviews::compare(fleet, lines).await;
    // The fleet serves other stories.
    let kinds = "clusterrolebindings,clusterroles,rolebindings,roles";
    let gone = fleet.hub.kubectl().ok(&["delete", kinds, "--all-namespaces", "-l", MADE]).await;
    falls_silent(fleet, &ines, lines).await?;
    ines.app.sign_out().await?;
    let refused = ines.app.who_can().await.err();
    lines.check(
        "whoever is signed out sees nothing",
        refused.is_some_and(|e| e.code() == ErrorCode::SignInNeeded),
        "",
    );
    ines.app.shut_down().await;
    drifted.and(compared).and(gone.map(drop))
}

/// A subject by its name.
fn subject<'v>(view: &'v WhoCanView, name: &str) -> Option<&'v WhoSubject> {
    view.subjects.iter().find(|subject| subject.name == name)
}

fn cluster<'v>(view: &'v WhoCanView, name: &str) -> Result<&'v WhoCluster> {
    view.clusters.iter().find(|cluster| cluster.name == name).context("the cluster is there")
}

/// What a subject may do with a profile.
fn may_do<'v>(view: &'v WhoCanView, subject: &'v WhoSubject, profile: &str) -> Option<&'v WhoMay> {
    let at = view.profiles.iter().position(|one| one.name == profile)?;
    subject.may.iter().find(|held| usize::try_from(held.profile).ok() == Some(at))
}

/// The lines of what changed, as they are told.
fn told(view: &WhoCanView) -> Vec<(DriftWay, String)> {
    let lines = view.drift.iter().flat_map(|drift| &drift.lines);
    lines.map(|line| (line.way, format!("{} {}", line.about, line.text))).collect()
}

async fn looks(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let name = fleet.target().spec.name;
    // The fleet has just begun: a probe of its own may still be a team, and the broker's first check is under way.
    let view = until("the broker's first check", SOON, async || {
        let view = ines.app.who_can().await.ok()?;
        let checked = matches!(cluster(&view, name).ok()?.guardrails, GuardrailProof::InForce { .. });
        (checked && view.teams.len() == 3).then_some(view)
    })
    .await?;
    let profiles: Vec<&str> = view.profiles.iter().map(|profile| profile.name.as_str()).collect();
    lines.check(
        "ines sees every profile, cluster and team",
        // A story before this one may have made more.
        ["debug", "debug-prod", "operate", "view"].iter().all(|name| profiles.iter().any(|one| one == name))
            && view.missing.is_empty()
            && view.problems.is_empty()
            && view.teams == ["team-payments", "team-platform", "sallyport-scans"],
        format!("{profiles:?}, {} subjects, {:?}", view.subjects.len(), view.problems),
    );
    let (dev, leads) = (
        subject(&view, "oidc:payments-dev").context("dev")?,
        subject(&view, "oidc:payments-leads").context("leads")?,
    );
    let asks = may_do(&view, dev, "operate").context("dev may ask for operate")?;
    let by = asks.by.first().and_then(|at| view.bindings.get(usize::try_from(*at).ok()?));
    let team =
        view.teams.iter().position(|team| *team == "team-payments").and_then(|at| u32::try_from(at).ok());
    lines.check(
        "what payments-dev can reach: operate among others, asked for in their team, by a binding that is named",
        asks.request
            && !asks.approve
            && dev.kind == SubjectKind::Group
            && team.is_some_and(|team| dev.asks_in == [team])
            && by.is_some_and(|by| by.contains("sallyport:demo:ask")),
        by.map(ToString::to_string).unwrap_or_default(),
    );
    let target = cluster(&view, name)?;
    let covers = |wanted: &str| {
        target.profiles.iter().find(|there| {
            usize::try_from(there.profile)
                .ok()
                .and_then(|at| view.profiles.get(at))
                .is_some_and(|p| p.name == wanted)
        })
    };
    let approvers: Vec<&str> = view
        .subjects
        .iter()
        .filter(|one| {
            may_do(&view, one, "operate").is_some_and(|held| held.approve) && !one.decides_in.is_empty()
        })
        .map(|one| one.name.as_str())
        .collect();
    lines.check(
        "who can reach it as operate, and who approves",
        covers("operate").is_some()
            && covers("debug").is_none()
            && may_do(&view, leads, "operate")
                .is_some_and(|held| held.request && held.approve && held.revoke)
            && may_do(&view, leads, "view").is_some_and(|held| held.request && !held.approve)
            && approvers.contains(&"oidc:payments-leads")
            && approvers.contains(&"oidc:platform-admins")
            && !approvers.contains(&"oidc:payments-dev"),
        format!("{approvers:?} on {name}"),
    );
    let rights = covers("operate").and_then(|there| view.rights.get(usize::try_from(there.rights?).ok()?));
    lines.check(
        "what operate allows there, in words, with what could outlive the session",
        rights.is_some_and(|r| {
            r.rights.first().is_some_and(|right| right.writes)
                && !r.warnings.is_empty()
                && r.dangers.is_empty()
        }),
        rights.map(|r| format!("{}, {} rules", r.rights[0].title, r.rules)).unwrap_or_default(),
    );
    let proof = &target.guardrails;
    lines.check(
        "p12 the target's guardrails are in force, with their proof",
        matches!(proof, GuardrailProof::InForce { detail, .. } if detail.contains("probes refused")),
        format!("{proof:?}"),
    );
    lines.check(
        "p12 the hub's own are in force, by what its brokers compared and probed",
        matches!(&view.hub, GuardrailProof::InForce { detail, .. } if detail.contains("the broker of") && detail.contains("probes refused")),
        format!("{:?}", view.hub),
    );
    lines.check(
        "that system:masters passes everything is said",
        view.notes.iter().any(|note| note.contains("system:masters")),
        "",
    );
    Ok(())
}

async fn lacks(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let dana = Desktop::signed_in(fleet, "dana").await?;
    let view = dana.app.who_can().await?;
    let missing: Vec<&str> = view.missing.iter().map(|right| right.what.as_str()).collect();
    lines.check(
        "dana may not see it: each right she lacks is named, and the ClusterRole that gives it",
        missing.len() == 4
            && missing.contains(&"list clusterrolebindings.rbac.authorization.k8s.io")
            && view.missing.iter().all(|right| right.given_by == "sallyport:hub-auditor")
            && view.subjects.is_empty()
            && view.clusters.is_empty(),
        missing.join(", "),
    );
    dana.app.shut_down().await;

    // Somebody who may read roles and bindings, and no more.
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "story:rbac-reader", "labels": labels()},
        "rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["list"]}],
    });
    apply(fleet, &[role, bound("story:rbac-reader", "story:rbac-reader", &[group("oidc:payments-leads")])])
        .await?;
    let lee = Desktop::signed_in(fleet, "lee").await?;
    let view = until("the binding", SOON, async || {
        lee.app.who_can().await.ok().filter(|view| view.missing.is_empty())
    })
    .await?;
    lines.check(
        "whoever may read only a part sees that part, and what could not be read is unknown",
        view.problems.iter().any(|problem| problem.contains("what profiles allow"))
            && matches!(&view.hub, GuardrailProof::Unknown { why } if why.contains("sallyport:hub-auditor"))
            && view.clusters.iter().flat_map(|c| &c.profiles).all(|there| there.rights.is_none())
            && subject(&view, "oidc:payments-dev").is_some(),
        format!("{} problems", view.problems.len()),
    );
    lee.app.shut_down().await;
    Ok(())
}

async fn drifts(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let first = ines.app.who_can().await?;
    let refused = ines.app.who_can_seen("0".repeat(64)).await.err();
    ines.app.who_can_seen(first.digest.to_string()).await?;
    let again = ines.app.who_can().await?;
    lines.check(
        "the first look compares with nothing; what was seen is no news, and another digest is not taken",
        first.drift.is_none()
            && again.drift.as_ref().is_some_and(|drift| drift.lines.is_empty())
            && refused.is_some_and(|e| e.code() == ErrorCode::BadInput),
        format!("{:?}", told(&again)),
    );
    let ask = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "story:approve", "labels": labels()},
        "rules": [{"apiGroups": ["access.sallyport.dev"], "resources": ["accessprofiles"],
            "resourceNames": ["operate"], "verbs": ["approve"]}],
    });
    apply(fleet, &[ask, bound("story:approve", "story:approve", &[group("oidc:payments-dev")])]).await?;
    let widened = (DriftWay::Wider, "group oidc:payments-dev may now approve operate".to_owned());
    let view = until("the binding is told", SOON, async || {
        ines.app.who_can().await.ok().filter(|view| told(view).contains(&widened))
    })
    .await;
    let all = view.as_ref().map(told).unwrap_or_default();
    lines.check("a binding that is added is told, by whom it names", all == [widened], format!("{all:?}"));
    let view = ines.app.who_can().await?;
    ines.app.who_can_seen(view.digest.to_string()).await?;
    fleet.hub.kubectl().ok(&["delete", "clusterrolebinding", "story:approve"]).await?;
    let narrowed = (DriftWay::Narrower, "group oidc:payments-dev may no longer approve operate".to_owned());
    let view = ines.app.who_can().await?;
    lines.check(
        "one that is gone too, after what was seen",
        told(&view) == [narrowed],
        format!("{:?}", told(&view)),
    );
    ines.app.who_can_seen(view.digest.to_string()).await?;

    // A role of the target grows.
    let kubectl = fleet.target().plane.kubectl();
    let before = kubectl.ok(&["get", "clusterrole", "sallyport:view", "-o", "json"]).await?;
    let more = json!([{"op": "add", "path": "/rules/-", "value": {"apiGroups": ["example.test"], "resources": ["widgets"], "verbs": ["patch"]}}]);
    kubectl.ok(&["patch", "clusterrole", "sallyport:view", "--type=json", "-p", &more.to_string()]).await?;
    let grown = until("the broker reports", SOON * 2, async || {
        let all = told(&ines.app.who_can().await.ok()?);
        all.into_iter().find(|(way, text)| *way == DriftWay::Wider && text.contains("widgets"))
    })
    .await;
    let mut role: serde_json::Value = serde_json::from_str(&before)?;
    role["metadata"] = json!({"name": "sallyport:view", "labels": role["metadata"]["labels"]});
    kubectl.run_with_stdin(&["replace", "-f", "-"], role.to_string().as_bytes()).await?;
    lines.check(
        "a role that grows on a target is told with what it allows more",
        grown.as_ref().is_ok_and(|(_, text)| text.starts_with("view on ") && text.contains("allows more")),
        format!("{grown:?}"),
    );
    let back = until("the broker reports it as it was", SOON * 2, async || {
        told(&ines.app.who_can().await.ok()?).is_empty().then_some(())
    })
    .await;
    lines.check("and nothing, once it is as it was", back.is_ok(), "");
    Ok(())
}

async fn falls_silent(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let target = fleet.target();
    let name = target.spec.name;
    fall_silent(fleet).await?;
    let view = ines.app.who_can().await?;
    let silent = cluster(&view, name)?;
    lines.check(
        "p12 a silent broker vouches for nothing: its guardrails are unknown, whatever it said",
        silent.silent
            && matches!(&silent.guardrails, GuardrailProof::Unknown { why } if why.contains("silent")),
        format!("{:?}", silent.guardrails),
    );
    lines.check("and changes nothing of what was seen", told(&view).is_empty(), format!("{:?}", told(&view)));
    target.broker.restart().await?;
    until("the broker is back", SOON * 2, async || {
        let view = ines.app.who_can().await.ok()?;
        (!cluster(&view, name).ok()?.silent).then_some(())
    })
    .await
}

fn labels() -> serde_json::Value {
    let (key, value) = MADE.split_once('=').unwrap_or_default();
    json!({ key: value })
}

fn group(name: &str) -> serde_json::Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name})
}

/// A ClusterRoleBinding.
fn bound(name: &str, role: &str, subjects: &[serde_json::Value]) -> serde_json::Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": labels()},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": subjects,
    })
}

async fn apply(fleet: &Fleet, objects: &[serde_json::Value]) -> Result<()> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    fleet.hub.kubectl().apply(&list.to_string()).await.map(drop)
}
