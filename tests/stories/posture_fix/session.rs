//! A fix of a workload, made through a session that a person has open: tried first, made once, in the history, and found no more.
//! A fix of rights has no way into one.

use crate::lines::Lines;
use anyhow::{Context as _, Result, ensure};
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_ipc::{AuditFilter, Decide, FindingLine, FixMade, FixTried, Outcome, ScanState, SessionState};
use sallyport_model::ErrorCode;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const SCANNED: Duration = Duration::from_secs(60);

/// A workload whose account mints tokens.
const TILL: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: till, namespace: payments}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: till-mints, namespace: payments}
rules: [{apiGroups: [''], resources: [serviceaccounts/token], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: till-mints, namespace: payments}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: till-mints}
subjects: [{kind: ServiceAccount, name: till, namespace: payments}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: till, namespace: payments}
spec:
  selector: {matchLabels: {app: till}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: till}}
    spec:
      serviceAccountName: till
      containers: [{name: till, image: example/till}]
";

pub(super) async fn play(lines: &mut Lines) -> Result<()> {
    let fleet = Fleet::start(FleetOptions { targets: 1, ..FleetOptions::default() }).await?;
    let (ines, lee) = (Desktop::signed_in(&fleet, "ines").await?, Desktop::signed_in(&fleet, "lee").await?);
    let cluster = fleet.target().spec.name;
    let kubectl = fleet.target().plane.kubectl();
    kubectl.apply(TILL).await?;
    scan(&ines, cluster).await?;
    let of_till = |line: &FindingLine| line.check == *"SA-03" && line.said.contains("Deployment till");
    let of_rights = |line: &FindingLine| line.check == *"RB-09" && line.said.contains("till");
    let found = finding(&ines, cluster, of_till).await?.context("the planted workload is found")?;
    let detail = ines.app.posture_finding(cluster.to_owned(), found.clone()).await?;
    let fix = detail.fix.context("a fix")?;
    lines.check(
        "a scan finds the workload, and its fix is one that a session may make",
        fix.in_session,
        &*fix.title,
    );

    let attempt = async || ines.app.posture_fix_try(cluster.to_owned(), found.clone()).await;
    let none = attempt().await?;
    let named = none.profiles.iter().any(|name| **name == *"operate");
    lines.check(
        "without a session nothing is tried, and the profiles that would do are named",
        none.state == FixTried::NoSession && none.id.is_none() && named,
        format!("{} {:?}", none.said, none.profiles),
    );
    ines.open(cluster, "view").await?;
    let views = attempt().await?;
    lines.check(
        "nor with one that may not",
        views.state == FixTried::NoSession && views.said.contains("may patch deployments.apps in payments"),
        &*views.said,
    );
    let session = operate(&ines, &lee, cluster).await?;

    // P11: what is about rights is no call of a session's, whatever the session may do.
    let rights = finding(&ines, cluster, of_rights).await?.context("a weakness of rights")?;
    let refused = ines.app.posture_fix_try(cluster.to_owned(), rights).await.err();
    lines.check(
        "p11 a fix of rights is not sent by a session",
        refused.as_ref().is_some_and(|error| error.code() == ErrorCode::Forbidden),
        refused.map(|error| error.to_string()).unwrap_or_default(),
    );

    let automount = async || -> Result<String> {
        let path = "jsonpath={.spec.template.spec.automountServiceAccountToken}";
        kubectl.ok(&["get", "deployment", "till", "-n", "payments", "-o", path]).await
    };
    let first = attempt().await?;
    let tried = attempt().await?;
    let (first, id) =
        (first.id.context("an id")?.to_string(), tried.id.clone().context("an id")?.to_string());
    lines.check(
        "the API server is asked first, and changes nothing",
        tried.state == FixTried::Taken && automount().await?.is_empty() && tried.session.is_some(),
        &*tried.said,
    );
    lines.check(
        "what was tried before that is not applied",
        ines.app.posture_fix_apply(first).await.is_err() && automount().await?.is_empty(),
        "",
    );
    // A double click.
    let (one, other) = tokio::join!(ines.app.posture_fix_apply(id.clone()), ines.app.posture_fix_apply(id));
    let made = [&one, &other]
        .into_iter()
        .filter(|one| one.as_ref().is_ok_and(|one| one.made == FixMade::Applied))
        .count();
    lines.check(
        "it is applied once, however often it is clicked",
        made == 1 && automount().await? == "false",
        made,
    );
    let managers = [
        "get",
        "deployment",
        "till",
        "-n",
        "payments",
        "--show-managed-fields",
        "-o",
        "jsonpath={.metadata.managedFields[*].manager}",
    ];
    let managers = kubectl.ok(&managers).await?;
    lines.check("in the name of sallyport-posture", managers.contains("sallyport-posture"), managers);
    // The clicks that came too late have entries, too, in whatever order.
    let entry = until("the entry", SOON, async || {
        let page = ines.app.audit_page(AuditFilter::default(), None, 500).await.ok()?;
        page.entries.into_iter().find(|entry| entry.action == "fix_applied" && entry.outcome == Outcome::Done)
    })
    .await
    .ok();
    lines.check(
        "and is in the history with its session and its request",
        entry.as_ref().is_some_and(|entry| {
            entry.ids.session.as_deref() == Some(session.as_str()) && entry.ids.request.is_some()
        }),
        entry.map(|entry| entry.sentence.to_string()).unwrap_or_default(),
    );

    let gone = async || {
        scan(&ines, cluster).await.ok()?;
        finding(&ines, cluster, of_till).await.ok()?.is_none().then_some(())
    };
    lines.check("a new scan finds it no more", until("it is gone", SCANNED, gone).await.is_ok(), "");

    // What was tried while a session was open is not made when it is not.
    kubectl.ok(&["delete", "deployment", "till", "-n", "payments"]).await?;
    kubectl.apply(TILL).await?;
    scan(&ines, cluster).await?;
    let again = finding(&ines, cluster, of_till).await?.context("it is there again")?;
    let tried = ines.app.posture_fix_try(cluster.to_owned(), again).await?;
    let id = tried.id.context("an id")?.to_string();
    ines.app.session_leave(session.clone()).await?;
    ines.until_within(&session, SOON, |view| view.state != SessionState::Open).await?;
    let late = ines.app.posture_fix_apply(id).await.err();
    lines.check(
        "what was tried in a session that is over is not made, and that is said",
        late.as_ref().is_some_and(|error| error.message().contains("not open any more"))
            && automount().await?.is_empty(),
        late.map(|error| error.to_string()).unwrap_or_default(),
    );
    ends_in_the_middle(&fleet, &ines, &lee, of_till, lines).await?;
    ines.app.shut_down().await;
    lee.app.shut_down().await;
    Ok(())
}

/// The API server hangs, and the session is left while it does: nobody knows what became of the fix, and nobody says that it
/// was made, or that it was not.
async fn ends_in_the_middle(
    fleet: &Fleet,
    ines: &Desktop,
    lee: &Desktop,
    wanted: impl Fn(&FindingLine) -> bool,
    lines: &mut Lines,
) -> Result<()> {
    let (cluster, plane) = (fleet.target().spec.name, &fleet.target().plane);
    let session = operate(ines, lee, cluster).await?;
    let found = finding(ines, cluster, wanted).await?.context("it is there still")?;
    let tried = ines.app.posture_fix_try(cluster.to_owned(), found).await?;
    let id = tried.id.context("an id")?.to_string();
    plane.pause()?;
    let leaving = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        ines.app.session_leave(session.clone()).await
    };
    let (made, left) = tokio::join!(ines.app.posture_fix_apply(id), leaving);
    plane.resume()?;
    left?;
    let made = made?;
    // An entry is written a moment after.
    let entry = until("the entry", SOON, async || {
        let page = ines.app.audit_page(AuditFilter::default(), None, 500).await.ok()?;
        let mut fixes = page.entries.into_iter().filter(|entry| entry.action == "fix_applied");
        fixes.find(|entry| entry.ids.session.as_deref() == Some(session.as_str()))
    });
    let sentence = entry.await.map(|entry| entry.sentence.to_string()).unwrap_or_default();
    lines.check(
        "a session that ends in the middle: it may have been applied, on screen and in the history",
        made.made == FixMade::Unknown && made.said.contains("ended") && sentence.contains("not known"),
        format!("{:?}: {}; {sentence}", made.made, made.said),
    );
    Ok(())
}

async fn scan(desktop: &Desktop, cluster: &str) -> Result<()> {
    desktop.app.posture_scan(vec![cluster.to_owned()]).await?;
    let over = until("the scan", SCANNED, async || {
        let view = desktop.app.posture_fleet().await.ok()?;
        let scan = view.clusters.into_iter().find(|one| *one.name == *cluster)?.scan;
        matches!(scan, ScanState::Done { .. } | ScanState::Failed { .. } | ScanState::Unproven { .. })
            .then_some(scan)
    })
    .await?;
    ensure!(matches!(over, ScanState::Done { .. }), "{over:?}");
    Ok(())
}

async fn finding(
    desktop: &Desktop,
    cluster: &str,
    wanted: impl Fn(&FindingLine) -> bool,
) -> Result<Option<String>> {
    let detail = desktop.app.posture_cluster(cluster.to_owned()).await?;
    Ok(detail.findings.iter().find(|line| wanted(line)).map(|line| line.id.to_string()))
}

/// A session that may change workloads, with lee's yes.
async fn operate(ines: &Desktop, lee: &Desktop, cluster: &str) -> Result<String> {
    let session = ines.app.session_open(input(cluster, "operate")).await?.id;
    let asked = ines.until_within(&session, SOON, |view| view.request.is_some()).await?;
    let request = asked.request.context("it is asked")?.to_string();
    let offer = until("the offer", SOON, async || {
        let all = lee.app.requests_list().await.ok()?.requests;
        all.into_iter().find(|one| one.id == *request && one.decide == Decide::Yes)?.offer
    })
    .await?;
    lee.app.request_approve(request, offer.digest.to_string(), None).await?;
    ines.until_within(&session, SOON, |view| view.state == SessionState::Open).await?;
    Ok(session.to_string())
}
