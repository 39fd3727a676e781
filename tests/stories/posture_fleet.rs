//! Scans of a fleet, by sessions: proven closed, with a broker that is dead, given up in the middle, held, ended by somebody
//! else; and what changed between two of them. Nothing of ours is left on any target.

use crate::lines::Lines;
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::{ListParams, ObjectList};
use kube::{Api, ResourceExt as _};
use sallyport_api::{AccessGrant, AccessRequest};
use sallyport_fleet::headless::{Desktop, at_last, until};
use sallyport_fleet::{Fleet, FleetOptions, Target};
use sallyport_ipc::{
    AuditFilter, FindingDetail, HeldKind, HoldInput, PostureVerdict, PostureView, ScanState, SessionState,
};
use sallyport_model::Phase;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);
/// A scan is read, left, and its token seen to be refused, which an API server takes 10 s for.
const SCANNED: Duration = Duration::from_secs(60);

pub(crate) async fn play(_: &Fleet, lines: &mut Lines) -> Result<()> {
    let fleet = Fleet::start(FleetOptions { targets: 2, ..FleetOptions::default() }).await?;
    let (ines, lee) = (Desktop::signed_in(&fleet, "ines").await?, Desktop::signed_in(&fleet, "lee").await?);
    nobody_else(&fleet, lines).await?;
    two(&fleet, &ines, &lee, lines).await?;
    drift(&fleet, &ines, lines).await?;
    given_up(&fleet, &ines, lines).await?;
    held(&fleet, &ines, &lee, lines).await?;
    a_dead_broker(&fleet, &ines, lines).await?;
    report(&fleet, &ines, lines).await?;
    for target in &fleet.targets {
        // The desktop's own probes may have told it before the broker had looked twice.
        let left = at_last(SOON, async || left(target).await, Vec::is_empty).await?;
        lines.check(
            &format!("nothing of ours is left on {}", target.spec.name),
            left.is_empty(),
            left.join(", "),
        );
    }
    ines.app.shut_down().await;
    lee.app.shut_down().await;
    Ok(())
}

fn names(fleet: &Fleet) -> Vec<String> {
    fleet.targets.iter().map(|target| target.spec.name.to_owned()).collect()
}

fn state(view: &PostureView, cluster: &str) -> ScanState {
    let found = view.clusters.iter().find(|one| *one.name == *cluster);
    found.map_or(ScanState::None, |one| one.scan.clone())
}

/// Waits until the scans of these clusters are as wanted.
async fn until_all(
    desktop: &Desktop,
    clusters: &[String],
    wanted: impl Fn(&ScanState) -> bool,
) -> Result<PostureView> {
    let look = async || {
        let view = desktop.app.posture_fleet().await.ok()?;
        clusters.iter().all(|name| wanted(&state(&view, name))).then_some(view)
    };
    let found = until("the scans", SCANNED, look).await;
    match found {
        Ok(view) => Ok(view),
        Err(error) => {
            let view = desktop.app.posture_fleet().await?;
            let states: Vec<_> = clusters.iter().map(|name| state(&view, name)).collect();
            Err(error.context(format!("{states:?}")))
        }
    }
}

fn is_over(state: &ScanState) -> bool {
    !matches!(
        state,
        ScanState::None
            | ScanState::Waiting
            | ScanState::Opening { .. }
            | ScanState::Reading { .. }
            | ScanState::Closing { .. }
    )
}

/// What of ours is on a target, its broker left out.
async fn left(target: &Target) -> Result<Vec<String>> {
    let admin = target.plane.admin()?;
    let all = ListParams::default();
    let grants = Api::<AccessGrant>::all(admin.clone()).list(&all).await?;
    let mut left: Vec<String> = grants.iter().map(|one| format!("grant {}", one.name_any())).collect();
    let accounts = Api::<ServiceAccount>::namespaced(admin.clone(), "sallyport-sessions").list(&all).await?;
    let ours = accounts.iter().map(kube::ResourceExt::name_any).filter(|name| name.starts_with("s-"));
    left.extend(ours.map(|name| format!("account {name}")));
    let labelled = ListParams::default().labels("access.sallyport.dev/grant");
    let bindings = Api::<ClusterRoleBinding>::all(admin).list(&labelled).await?;
    left.extend(bindings.iter().map(|one| format!("binding {}", one.name_any())));
    Ok(left)
}

/// Whoever may not, is told what they lack.
async fn nobody_else(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let dana = Desktop::signed_in(fleet, "dana").await?;
    let view = dana.app.posture_fleet().await?;
    let said = view.cannot_scan.map(String::from).unwrap_or_default();
    lines.check(
        "dana may scan nothing, and is told what that takes",
        said.contains("sallyport:scanner"),
        &said,
    );
    let clusters = names(fleet);
    dana.app.posture_scan(clusters.clone()).await?;
    let view = until_all(&dana, &clusters, is_over).await?;
    let refused = |name: &String| matches!(state(&view, name), ScanState::Failed { error } if error.message.contains("no profile"));
    lines.check("a scan of hers begins nothing", clusters.iter().all(refused), "");
    dana.app.shut_down().await;
    Ok(())
}

async fn two(fleet: &Fleet, ines: &Desktop, lee: &Desktop, lines: &mut Lines) -> Result<()> {
    let clusters = names(fleet);
    let view = ines.app.posture_fleet().await?;
    let untouched = clusters.iter().all(|name| state(&view, name) == ScanState::None);
    lines.check("nothing is scanned by itself", untouched && view.practices.is_empty(), "");
    lines.check(
        "ines may scan, under the profile made for it",
        view.profile.as_deref() == Some("posture"),
        "",
    );
    let began = Instant::now();
    ines.app.posture_scan(clusters.clone()).await?;
    let view = until_all(ines, &clusters, is_over).await?;
    let done = clusters.iter().all(|name| matches!(state(&view, name), ScanState::Done { .. }));
    lines.check(
        "both clusters are scanned by sessions of their own, left, and proven closed",
        done,
        format!("{:?}, {:?}", began.elapsed(), view.run),
    );
    for cluster in &view.clusters {
        let known = cluster.cells.iter().filter(|cell| cell.verdict != PostureVerdict::Unknown).count();
        lines.check(
            &format!("{} has a row of eight cells, with its coverage", cluster.name),
            cluster.cells.len() == 8 && cluster.coverage > 0 && known > 0,
            format!("coverage {} %", cluster.coverage),
        );
    }
    lines.check("the ten practices are told by name", view.practices.len() == 10, "");
    let sessions = ines.app.sessions_list().await?;
    lines.check("no session of it is left to be read", sessions.is_empty(), sessions.len());
    for target in &fleet.targets {
        let left = at_last(SOON, async || left(target).await, Vec::is_empty).await?;
        lines.check(&format!("{} holds nothing of it", target.spec.name), left.is_empty(), left.join(", "));
    }
    let hub = fleet.hub.admin()?;
    let asked = Api::<AccessRequest>::namespaced(hub.clone(), "sallyport-scans");
    // The desktop's own word comes before the broker's.
    let closed =
        |all: &ObjectList<AccessRequest>| all.iter().filter(|one| one.phase() == Phase::Closed).count();
    let list = async || Ok(asked.list(&ListParams::default()).await?);
    let requests = at_last(SOON, list, |all| closed(all) == all.items.len()).await?;
    let closed = closed(&requests);
    lines.check(
        "what was asked is in the namespace of scans, and closed",
        requests.items.len() == 2 && closed == 2,
        format!("{closed} of {}", requests.items.len()),
    );
    let inbox = lee.app.requests_list().await?.requests;
    lines.check("lee's inbox shows none of it", inbox.is_empty(), inbox.len());
    // The gateway minted an id for each call: each is in the history, and none of a Secret.
    let page = ines.app.audit_page(AuditFilter::default(), None, 500).await?;
    let calls: Vec<_> = page.entries.iter().filter(|entry| entry.action == "call").collect();
    let secrets = calls.iter().filter(|entry| entry.sentence.contains("secrets")).count();
    lines.check(
        "every read went through the gateway, and none asked for a Secret",
        calls.len() > 20 && secrets == 0,
        format!("{} calls", calls.len()),
    );
    Ok(())
}

/// One page of everything that is kept, and never over something that is there.
async fn report(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("posture.html").display().to_string();
    let told = ines.app.posture_report(place.clone()).await?;
    let page = std::fs::read_to_string(&place)?;
    let named = names(fleet).iter().all(|name| page.contains(name.as_str()));
    lines.check(
        "a report of all that is kept is one page",
        told.as_str() == place && named && page.starts_with("<!"),
        format!("{} kB", page.len() / 1000),
    );
    let again = ines.app.posture_report(place).await.err();
    lines.check(
        "it is never written over something",
        again.is_some(),
        again.map(|error| error.message().to_owned()).unwrap_or_default(),
    );
    Ok(())
}

/// A standing way to everything, planted.
const PLANTED: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: story-deployer}
rules:
- {apiGroups: [""], resources: [serviceaccounts/token], verbs: [create]}
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: story-deployers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: story-deployer}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: story-developers}]
"#;

async fn drift(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    fleet.target().plane.kubectl().apply(PLANTED).await?;
    ines.app.posture_scan(vec![cluster.to_owned()]).await?;
    let view =
        until_all(ines, &[cluster.to_owned()], |state| matches!(state, ScanState::Done { .. })).await?;
    let detail = ines.app.posture_cluster(cluster.to_owned()).await?;
    let drift = detail.drift.context("there is a scan before")?;
    let told = drift.lines.iter().find(|line| line.text.contains("story-developers"));
    lines.check(
        "what changed since the scan before is told: a group may do more",
        told.is_some(),
        told.map(|line| line.text.to_string()).unwrap_or_default(),
    );
    let new: Vec<_> =
        detail.findings.iter().filter(|line| line.is_new && line.said.contains("story-developers")).collect();
    lines.check("its findings are marked as new", !new.is_empty(), new.len());
    let weakness = view.weaknesses.iter().find(|one| one.title.contains("story-developers"));
    lines.check(
        "it is among what to fix first, on one cluster",
        weakness.is_some_and(|one| one.places.len() == 1),
        "",
    );
    let mut found: Option<FindingDetail> = None;
    for line in &new {
        let detail = ines.app.posture_finding(cluster.to_owned(), line.id.clone()).await?;
        if detail.reviews > 0 && detail.fix.is_some() {
            found = Some(detail);
            break;
        }
    }
    let found = found.context("one of them has a path and a fix")?;
    let fix = found.fix.as_ref().context("there is a fix")?;
    lines.check(
        "its finding has a path, evidence, a fix and what that takes from whom",
        !found.path.is_empty()
            && !found.evidence.is_empty()
            && !fix.effect.is_empty()
            && fix.closes == Some(true),
        fix.title.to_string(),
    );
    let proof = ines.app.posture_prove(cluster.to_owned(), found.line.id.clone()).await?;
    lines.check(
        "the API server says yes to the questions that show the path, asked through a session",
        proof.asked > 0 && proof.allowed == proof.asked,
        format!("{} of {}", proof.allowed, proof.asked),
    );
    fixed(fleet, ines, &found, lines).await?;
    fleet
        .target()
        .plane
        .kubectl()
        .ok(&["delete", "clusterrolebinding", "story-deployers", "--ignore-not-found"])
        .await?;
    fleet
        .target()
        .plane
        .kubectl()
        .ok(&["delete", "clusterrole", "story-deployer", "--ignore-not-found"])
        .await?;
    Ok(())
}

/// The proposed change, tried by a session and made by an admin with their own kubeconfig.
async fn fixed(fleet: &Fleet, ines: &Desktop, found: &FindingDetail, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let fix = found.fix.as_ref().context("there is a fix")?;
    let folder = tempfile::tempdir()?;
    let yaml: Vec<&str> = fix.yaml.iter().map(|line| line.as_str()).collect();
    let file = folder.path().join("fix.yaml");
    std::fs::write(&file, yaml.join("\n"))?;
    let command =
        fix.commands.first().context("one command")?.replace("fix.yaml", &file.display().to_string());
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    // The widest that a session may hold here.
    let lee = Desktop::signed_in(fleet, "lee").await?;
    let open = lee.open(cluster, "debug-prod").await?;
    let by_session = fleet.target().plane.kubectl().with_kubeconfig(&lee.kubeconfig()?);
    let refused = by_session.run(&args).await?;
    lines.check(
        "the same change through a session is refused: no session changes rights",
        refused.code != Some(0) && refused.stderr.contains("orbidden"),
        refused.stderr.lines().last().unwrap_or_default(),
    );
    lee.app.session_leave(open.id.clone()).await?;
    lee.until(&open.id, |view| view.state == SessionState::Closed).await?;
    lee.app.shut_down().await;
    fleet.target().plane.kubectl().ok(&args).await?;
    ines.app.posture_scan(vec![cluster.to_owned()]).await?;
    until_all(ines, &[cluster.to_owned()], |state| matches!(state, ScanState::Done { .. })).await?;
    let gone = ines.app.posture_finding(cluster.to_owned(), found.line.id.clone()).await.err();
    lines.check(
        "made with an admin's own kubeconfig it is gone, by a scan that is proven closed",
        gone.as_ref().is_some_and(|error| error.message().contains("does not find this any more")),
        gone.map(|error| error.message().to_owned()).unwrap_or_default(),
    );
    Ok(())
}

async fn given_up(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let clusters = names(fleet);
    let (one, other) = (clusters[0].clone(), clusters[1].clone());
    let before = ines.app.posture_cluster(one.clone()).await?.cluster.scanned_at;
    // The API server answers nobody, so the scan is caught where it is.
    fleet.target().plane.pause()?;
    ines.app.posture_scan(clusters.clone()).await?;
    until_all(ines, std::slice::from_ref(&one), |state| {
        !matches!(state, ScanState::None | ScanState::Waiting | ScanState::Done { .. })
    })
    .await?;
    ines.app.posture_scan_stop(Some(one.clone())).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    fleet.target().plane.resume()?;
    let view = until_all(ines, &clusters, is_over).await?;
    let given_up = state(&view, &one);
    lines.check(
        "one of two is given up in the middle, and left; the other is scanned",
        matches!(given_up, ScanState::Cancelled | ScanState::Unproven { .. })
            && matches!(state(&view, &other), ScanState::Done { .. }),
        format!("{given_up:?}"),
    );
    let after = ines.app.posture_cluster(one).await?.cluster.scanned_at;
    lines.check("what was kept before stays", before == after && after.is_some(), "");
    Ok(())
}

/// A hold begins while a cluster is read, and another scan is asked for under it.
async fn held(fleet: &Fleet, ines: &Desktop, lee: &Desktop, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.targets[1].spec.name.to_owned();
    let wanted =
        until("lee may hold", SOON, async || lee.app.app_state().await.ok()?.may_hold.then_some(())).await;
    wanted.context("lee may hold")?;
    // The API server answers nobody, so the scan can't be over before the hold.
    fleet.targets[1].plane.pause()?;
    ines.app.posture_scan(vec![cluster.clone()]).await?;
    // Its token is good for a quarter of an hour; whoever holds the cluster does not wait for that.
    until_all(ines, std::slice::from_ref(&cluster), |state| {
        matches!(state, ScanState::Opening { .. } | ScanState::Reading { .. } | ScanState::Closing { .. })
    })
    .await?;
    let hold = HoldInput {
        on: HeldKind::Cluster,
        name: cluster.clone(),
        minutes: 30,
        reason: "an intruder".to_owned(),
    };
    lee.app.hold_create(hold).await?;
    until("ines sees the hold", SOON, async || {
        (!ines.app.app_state().await.ok()?.holds.is_empty()).then_some(())
    })
    .await?;
    fleet.targets[1].plane.resume()?;
    let view = until_all(ines, std::slice::from_ref(&cluster), is_over).await?;
    let ended = state(&view, &cluster);
    let why = match &ended {
        ScanState::Failed { error } | ScanState::Unproven { error: Some(error), .. } => {
            error.message.to_string()
        }
        _ => String::new(),
    };
    let said = why.contains("an intruder");
    lines.check(
        "a scan that is under way as its cluster is held ends, and the hold is told",
        said,
        format!("{ended:?}"),
    );
    until("ines sees the hold", SOON, async || {
        (!ines.app.app_state().await.ok()?.holds.is_empty()).then_some(())
    })
    .await?;
    ines.app.posture_scan(vec![cluster.clone()]).await?;
    let view = until_all(ines, std::slice::from_ref(&cluster), is_over).await?;
    let refused = state(&view, &cluster);
    let said = matches!(&refused, ScanState::Failed { error } if error.message.contains("an intruder"));
    lines.check(
        "while it is held nothing is asked there, and the hold is told",
        said,
        format!("{refused:?}"),
    );
    let holds = lee.app.app_state().await?.holds;
    for hold in holds {
        lee.app.hold_remove(hold.id.to_string()).await?;
    }
    until("the hold is gone", SOON, async || ines.app.app_state().await.ok()?.holds.is_empty().then_some(()))
        .await
}

async fn a_dead_broker(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let clusters = names(fleet);
    fleet.targets[1].broker.pause()?;
    let began = Instant::now();
    ines.app.posture_scan(clusters.clone()).await?;
    let view = until_all(ines, &clusters, is_over).await?;
    let dead = state(&view, &clusters[1]);
    lines.check(
        "with one broker dead, one cluster is scanned and of the other is said why not",
        matches!(state(&view, &clusters[0]), ScanState::Done { .. })
            && matches!(&dead, ScanState::Failed { .. } | ScanState::Unproven { .. }),
        format!("{dead:?} after {:?}", began.elapsed()),
    );
    fleet.targets[1].broker.resume()?;
    // What was asked is taken back as soon as the broker hears of it.
    let hub = fleet.hub.admin()?;
    let scans = Api::<AccessRequest>::namespaced(hub, "sallyport-scans");
    let closed = until("every request is closed", SOON * 2, async || {
        let all = scans.list(&ListParams::default()).await.ok()?;
        all.iter().all(|one| one.phase() == Phase::Closed).then_some(all.items.len())
    })
    .await;
    lines.check("what was asked of it is taken back", closed.is_ok(), format!("{closed:?}"));
    let open =
        ines.app.sessions_list().await?.into_iter().filter(|one| one.state != SessionState::Closed).count();
    lines.check("no session goes on", open == 0, open);
    Ok(())
}
