//! The main job, end to end: sign in with MFA, open with one click, work, leave, and see that nothing is left.

use crate::lines::Lines;
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, ResourceExt, api::ListParams};
use sallyport_api::AccessGrant;
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, at_last, proof, until, walk};
use sallyport_ipc::{
    AuditFilter, AuditPage, EndReason, OpenInput, ProofKind, ProofState, SessionState, StepState,
    TerminalSize, Verdict,
};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let target = fleet.target();
    let home_config = before_home();
    let desktop = Desktop::joined(fleet, "dana").await?;
    lines.seen("joined the team by its workspace file", fleet.hub.url());
    let state = desktop.app.sign_in(None).await?;
    let user = state.user.context("nobody is signed in")?;
    lines.check(
        "signed in with MFA",
        user.amr.iter().any(|m| m == "otp"),
        format!("{} by {}", user.name, user.amr.join("+")),
    );
    desktop.until_listed(fleet).await?;
    lines.seen("the hub's inventory is listed", "");
    lines.check(
        "no target was contacted (P6)",
        !target.plane.audit_text()?.contains("serviceaccount:sallyport-sessions:s-"),
        "its audit log names no session",
    );

    let click = Instant::now();
    let session = desktop.open(target.spec.name, "debug-prod").await?;
    let took = click.elapsed().as_millis();
    for step in &session.steps {
        let name = format!("{:?}", step.kind).to_lowercase();
        lines.check(
            &format!("{name}, {} ms", step.ms.unwrap_or_default()),
            step.state == StepState::Done,
            &step.detail,
        );
    }
    lines.seen("from the click to the first answered call", format!("{took} ms"));

    let kubeconfig = desktop.kubeconfig()?;
    let kubectl = target.plane.kubectl_with(&kubeconfig);
    let pods = kubectl.ok(&["get", "pods", "-n", "payments", "-o", "name"]).await?;
    lines.check(
        "kubectl get through the gateway",
        pods.contains("pod/api-"),
        format!("{} pods", pods.lines().count()),
    );
    let pod = pods
        .lines()
        .find(|p| p.contains("api-"))
        .context("no api pod")?
        .trim_start_matches("pod/")
        .to_owned();
    let ran =
        kubectl.run(&["exec", "-n", "payments", &pod, "--", "sh", "-c", "echo from inside; exit 7"]).await?;
    lines.check(
        "kubectl exec with its exit code",
        ran.code == Some(7) && ran.text().contains("from inside"),
        format!("{:?}", ran.code),
    );
    let refused = kubectl.run(&["get", "secrets", "-n", "payments"]).await?;
    lines.check(
        "secrets are refused",
        refused.code != Some(0) && refused.stderr.contains("forbidden"),
        "not part of debug",
    );
    let other = kubectl.run(&["get", "pods", "-n", "ledger"]).await?;
    lines.check(
        "other namespaces are refused",
        other.code != Some(0) && other.stderr.contains("forbidden"),
        "ledger",
    );
    terminal(&desktop, &session.id, lines).await?;
    let mut logs = kubectl.command(["logs", "-f", "-n", "payments", &pod]);
    let mut logs = logs
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    until("a stream", Duration::from_secs(60), async || {
        let view = desktop.session(&session.id).await.ok()?;
        view.streams.iter().any(|s| s.contains("logs")).then_some(())
    })
    .await?;
    lines.seen("kubectl logs -f through the gateway", "the stream is open");

    let token_free =
        !desktop.everything_told().contains("eyJ") && !desktop.everything_told().contains("PRIVATE KEY");
    lines.check("nothing the window was told holds a token or key (P1)", token_free, "");
    let account = target.account_of(&desktop.session(&session.id).await?).await?;
    let left = Instant::now();
    desktop.app.session_leave(session.id.clone()).await?;
    let ended = tokio::time::timeout(Duration::from_secs(60), logs.wait()).await;
    lines.check(
        "leaving cuts the stream",
        ended.is_ok(),
        format!("{} ms after leaving", left.elapsed().as_millis()),
    );
    let closing = desktop
        .until(&session.id, |v| {
            // Neither waits for the other, and either may be first.
            [ProofKind::RightsGone, ProofKind::KubeconfigDeleted]
                .into_iter()
                .all(|kind| matches!(proof(v, kind).0, Some(ProofState::Done | ProofState::Unproven)))
        })
        .await?;
    let (state, ms, detail) = proof(&closing, ProofKind::RightsGone);
    lines.check(&format!("rights gone after {ms} ms (P13)"), state == Some(ProofState::Done), detail);
    lines.check("no private kubeconfig is left", !kubeconfig.exists(), "");
    let closed = desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    for kind in [
        ProofKind::StreamsCut,
        ProofKind::TerminalsEnded,
        ProofKind::KubeconfigDeleted,
        ProofKind::AccountRemoved,
        ProofKind::TokenRefused,
    ] {
        let (state, ms, detail) = proof(&closed, kind);
        lines.check(&format!("proof {kind:?} after {ms} ms"), state == Some(ProofState::Done), detail);
    }
    lines.check(
        "it ended because the person left",
        closed.ended.is_some_and(|e| e.reason == EndReason::Left),
        "",
    );
    nothing_left(target, &account, lines).await?;
    lines.check("~/.kube/config is as it was (P5)", before_home() == home_config, "");
    let left = walk(&desktop.home.path().join("run"))?;
    lines.check("nothing is left in the runtime directory", left.is_empty(), format!("{} files", left.len()));
    history(&desktop, &session.id, target, lines).await?;
    one_browser(&desktop, lines);
    desktop.app.shut_down().await;
    Ok(())
}

fn one_browser(desktop: &Desktop, lines: &mut Lines) {
    lines.check("one sign-in served all of it (P4)", desktop.browsers_opened() == 1, "one browser window");
}

/// A real shell on a real PTY, on this cluster and no other.
async fn terminal(desktop: &Desktop, session: &str, lines: &mut Lines) -> Result<()> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let output = Box::new(move |bytes: Vec<u8>| {
        sink.lock().expect("nobody panics here").extend(bytes);
        true
    });
    let size = TerminalSize { cols: 120, rows: 30 };
    let terminal = desktop.app.terminal_open(session.to_owned(), size, output).await?;
    let text = || String::from_utf8_lossy(&seen.lock().expect("nobody panics here")).into_owned();
    desktop
        .app
        .terminal_write(terminal.id.clone(), "kubectl config get-contexts -o name | sed s/^/only:/\n".into())
        .await?;
    desktop
        .app
        .terminal_write(terminal.id.clone(), "kubectl get deploy -n payments -o name\n".into())
        .await?;
    let done = until("the terminal", Duration::from_secs(60), async || {
        text().contains("deployment.apps/worker").then_some(())
    })
    .await;
    let contexts = text().lines().filter(|l| l.contains("only:") && !l.contains("sed")).count();
    lines.check("a scoped terminal runs kubectl", done.is_ok(), "deployments of payments");
    lines.check("its kubeconfig names one context", contexts == 1, contexts);
    Ok(())
}

/// Everything Sallyport made is gone, as the target's admin sees it.
async fn nothing_left(target: &sallyport_fleet::Target, account: &str, lines: &mut Lines) -> Result<()> {
    let admin = target.plane.admin()?;
    let left = async || {
        let grants = Api::<AccessGrant>::all(admin.clone()).list(&ListParams::default()).await?.items.len();
        let accounts = Api::<ServiceAccount>::namespaced(admin.clone(), "sallyport-sessions")
            .list(&ListParams::default())
            .await?;
        let mine = accounts.items.iter().filter(|a| a.name_any() == account).count();
        let bindings = Api::<RoleBinding>::all(admin.clone())
            .list(&ListParams::default().labels("access.sallyport.dev/grant"))
            .await?
            .items
            .len();
        anyhow::Ok([grants, mine, bindings])
    };
    // The desktop's own probes may have told it before the broker had looked twice.
    let [grants, mine, bindings] = at_last(Duration::from_secs(60), left, |left| *left == [0; 3]).await?;
    lines.check(
        "nothing is left on the target",
        grants + mine + bindings == 0,
        format!("{grants} grants, {mine} ServiceAccounts, {bindings} bindings"),
    );
    Ok(())
}

/// The history joins every call to the API server's own audit by JTI and Audit-ID, and holds.
async fn history(
    desktop: &Desktop,
    session: &str,
    target: &sallyport_fleet::Target,
    lines: &mut Lines,
) -> Result<()> {
    let of_session = || AuditFilter { session: Some(session.to_owned()), ..AuditFilter::default() };
    let read = async || Ok(desktop.app.audit_page(of_session(), None, 500).await?);
    // The last of them is noted once the session is closed.
    let is_whole = |page: &AuditPage| page.entries.iter().any(|entry| entry.action == "session_closed");
    let page = at_last(Duration::from_secs(60), read, is_whole).await?;
    let actions: Vec<&str> = page.entries.iter().map(|e| e.action.as_str()).collect();
    let wanted = [
        "ask",
        "approved",
        "granted",
        "ready",
        "session_open",
        "terminal_open",
        "call",
        "stream_start",
        "leave",
        "cut",
        "rights_gone",
        "token_refused",
        "session_closed",
    ];
    let missing: Vec<&&str> = wanted.iter().filter(|w| !actions.contains(w)).collect();
    lines.check(
        "every step is an entry",
        missing.is_empty(),
        format!("{} entries, missing {missing:?}", page.entries.len()),
    );
    let log = target.plane.audit_text()?;
    let calls: Vec<_> = page.entries.iter().filter(|e| e.action == "call").collect();
    let joined = calls.iter().filter(|e| {
        let id = e.ids.audit_id.as_deref().unwrap_or("?");
        let jti = e.ids.jti.as_deref().unwrap_or("?");
        log.lines().any(|l| l.contains(id) && l.contains(jti))
    });
    let joined = joined.count();
    lines.check(
        "every call joins the API server's audit by JTI and Audit-ID (P17)",
        joined == calls.len() && joined > 0,
        format!("{joined} of {}", calls.len()),
    );
    let verdict = desktop.app.audit_verify().await?;
    lines.check(
        "the chain holds; without a keyring it says unanchored (P18)",
        verdict.verdict == Verdict::Unanchored,
        format!("{} entries in {} ms", verdict.entries, verdict.ms),
    );
    Ok(())
}

fn before_home() -> Option<Vec<u8>> {
    let home = std::env::var_os("HOME")?;
    std::fs::read(std::path::Path::new(&home).join(".kube/config")).ok()
}

/// Opens with nothing but the cluster's name: what one click does.
pub(crate) fn one_click(cluster: &str) -> OpenInput {
    OpenInput { cluster: cluster.to_owned(), ..OpenInput::default() }
}
