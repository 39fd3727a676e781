//! The pages beside the timeline ask the store, too: a session is held against what the cluster told the store of it, and
//! who deleted something is found where this machine has no log of it.

use super::ARRIVES;
use crate::lines::Lines;
use anyhow::{Context as _, Result};
use sallyport_fleet::headless::{Desktop, until};
use sallyport_fleet::{Fleet, Target};
use sallyport_ipc::{DeletedQuestion, LacksView, SessionState, TimelineFilter};
use sallyport_testkit::VictoriaLogs;

/// What is deleted, by the target's admin and around every session.
const GONE: &str = "gone-by-hand";

pub(super) async fn ask(
    fleet: &Fleet,
    desktop: &Desktop,
    logs: &VictoriaLogs,
    lines: &mut Lines,
) -> Result<()> {
    let target = fleet.target();
    let log = target.plane.audit_log().context("the target keeps an audit log")?;
    let mut from = std::fs::metadata(&log)?.len();
    let admin = target.plane.kubectl();
    admin.ok(&["create", "configmap", GONE, "--from-literal=a=b"]).await?;
    admin.ok(&["delete", "configmap", GONE]).await?;
    let request = work(target, desktop).await?;
    // As a team's own shipper does, up to what was written by now.
    let end = std::fs::metadata(&log)?.len();
    while from < end {
        let next = logs.ship(target.spec.name, &log, from).await?;
        if next == from {
            break;
        }
        from = next;
    }
    // Asking flushes: from now on the store shows all that it has, and no answer is made of a part.
    logs.ask("* | limit 1").await?;

    let session = until("the session's page with what the store tells", ARRIVES, async || {
        let session = desktop.app.audit_session(request.clone()).await.ok()?;
        let is_there = session.joined > 0 && !is_awaited(&session.lacks);
        is_there.then_some(session)
    })
    .await?;
    lines.check(
        "the session's page joins every call of its gateway to what the store has of the cluster",
        session.joined == session.gateway && session.unseen_count == 0 && session.bypasses.is_empty(),
        format!("{} of {}, {} of Sallyport's own", session.joined, session.gateway, session.asked),
    );
    lines.check("and lacks nothing", session.lacks == LacksView::default(), format!("{:?}", session.lacks));

    let of_cluster = TimelineFilter {
        cluster: Some(target.spec.name.to_owned()),
        from_us: Some(session.from_us),
        ..TimelineFilter::default()
    };
    let about = until("the cluster's page with what the store tells", ARRIVES, async || {
        let about = desktop.app.audit_about(of_cluster.clone()).await.ok()?;
        (about.calls > 0 && !is_awaited(&about.lacks)).then_some(about)
    })
    .await?;
    let people = about.others.first.iter().any(|line| line.text.contains("sallyport-sessions:"));
    lines.check(
        "the cluster's page counts what the store has, by whoever called",
        about.calls >= session.seen && people,
        format!("{} calls, {} changes", about.calls, about.writes),
    );

    let question = DeletedQuestion {
        cluster: Some(target.spec.name.to_owned()),
        resource: "configmap".into(),
        namespace: Some("default".into()),
        name: GONE.into(),
    };
    let deleted = until("who deleted it", ARRIVES, async || {
        let deleted = desktop.app.audit_deleted(question.clone()).await.ok()?;
        (!deleted.found.is_empty() && !is_awaited(&deleted.lacks)).then_some(deleted)
    })
    .await?;
    let row = &deleted.found.first().context("a row")?.row;
    let raw = desktop.app.audit_raw(row.id.to_string()).await?;
    lines.check(
        "who deleted something is found in the store, once, with the event as it was written",
        deleted.found.len() == 1 && raw.iter().any(|line| line.contains(GONE)),
        format!("{} by {}", row.sentence, row.who),
    );
    Ok(())
}

/// A session with some calls, over again; its request.
async fn work(target: &Target, desktop: &Desktop) -> Result<String> {
    let session = desktop.open(target.spec.name, "debug-prod").await?;
    let request = session.request.clone().context("a session that is open has a request")?;
    let kubectl = target.plane.kubectl_with(&desktop.kubeconfig()?);
    kubectl.ok(&["get", "pods", "-n", "payments", "-o", "name"]).await?;
    let refused = kubectl.run(&["get", "secrets", "-n", "payments"]).await?;
    anyhow::ensure!(refused.code != Some(0), "secrets are none of this profile's");
    desktop.app.session_leave(session.id.to_string()).await?;
    desktop.until(&session.id, |view| view.state == SessionState::Closed).await?;
    Ok(request.to_string())
}

fn is_awaited(lacks: &LacksView) -> bool {
    lacks.stores.iter().any(|lacks| lacks.is_pending)
}
