//! A report of a real history beside logs as an API server writes them.

use super::audit;
use anyhow::{Context as _, Result, ensure};
use sallyport_audit::{Action, ChainKey, Draft};
use sallyport_model::{AuditId, RequestUid, SessionAccount, SessionId};
use sallyport_store::History;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const MINUTE: i64 = 60_000_000;
const POSTURE: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: old-admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "<b>platform</b>"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
"#;

fn uid(number: u32) -> RequestUid {
    RequestUid::new(format!("0c1f7b7e-4f52-4b2e-8c57-{number:012x}"))
}

fn account(number: u32) -> String {
    SessionAccount::derive(&uid(number), 1_796_000_000).to_string()
}

/// A session from its asking to an end that is proven, with as many calls.
async fn session(history: &History, number: u32, begin: i64, cluster: &str, calls: i64) -> Result<()> {
    let (session, request) = (SessionId::new(format!("session-{number}")), uid(number));
    let draft = |minute: i64, action: Action| -> Result<Draft> {
        let draft = Draft::new(action).at(begin + minute * MINUTE).session(&session).request(&request);
        Ok(draft.user(&"oidc:dana".parse()?).cluster(&cluster.parse()?))
    };
    let ask = draft(0, Action::Ask)?.detail("profile", "debug").detail("namespaces", "payments");
    history.append(ask.detail("reason", "<script>INC-4711</script>")).await?;
    history.append(draft(1, Action::Approved)?.detail("by", "by oidc:erin")).await?;
    history.append(draft(1, Action::Granted)?.detail("account", account(number))).await?;
    history.append(draft(2, Action::SessionOpen)?).await?;
    for call in 0..calls {
        let id = AuditId::new(format!("{number:08x}-0000-7000-8000-{call:012x}"));
        let status = if call % 10 == 9 { 403 } else { 200 };
        history.append(draft(3, Action::Call)?.audit_id(&id).detail("status", status)).await?;
    }
    history.append(draft(40, Action::SessionClosed)?.detail("reason", "left")).await?;
    history.append(draft(41, Action::TokenRefused)?).await?;
    Ok(())
}

fn line(at: i64, number: u32, call: i64) -> Result<String> {
    let at = jiff::Timestamp::from_microsecond(at)?.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    let account = account(number);
    Ok(format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{number:08x}-0000-7000-8000-{call:012x}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/payments/pods","verb":"list","user":{{"username":"system:serviceaccount:sallyport-sessions:{account}"}},"objectRef":{{"resource":"pods","namespace":"payments","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"{at}","stageTimestamp":"{at}"}}"#
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_tells_who_had_access_and_what_is_missing() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path =
        |name: &str| dir.path().join(name).to_str().map(str::to_owned).context("a path that is no text");
    let (data, archive, log, page) = (path("data")?, path("archive")?, path("a.log")?, path("report.html")?);
    fs::create_dir(&data)?;
    let now = jiff::Timestamp::now().as_microsecond();
    let begin = now - 3 * 24 * 60 * MINUTE;
    let history = History::open(std::path::Path::new(&data), Some(ChainKey::new([7; 32]))).await?;
    session(&history, 1, begin, "eu-1", 20).await?;
    session(&history, 2, begin + 600 * MINUTE, "eu-1", 5).await?;
    session(&history, 3, begin + 1500 * MINUTE, "us-1", 3).await?;
    history.append_durable(Draft::new(Action::Scan)).await?;

    // Of the second the cluster told nothing, of the third there is no log, and of another desktop's there is.
    let mut lines = Vec::new();
    for call in 0..20 {
        lines.push(line(begin + 3 * MINUTE, 1, call)?);
    }
    for call in 0..4 {
        lines.push(line(begin + 2000 * MINUTE, 99, call)?);
    }
    fs::write(&log, lines.join("\n") + "\n")?;
    let import = audit(&["import", "--archive", &archive, "--cluster", "eu-1", &log]).await?;
    ensure!(import.code == 0, "{} {}", import.out, import.err);
    // Two readings of one cluster.
    let (folder, snapshot) = (path("posture.yaml")?, path("eu-1.first.json")?);
    fs::write(&folder, POSTURE)?;
    let program = env!("CARGO_BIN_EXE_sallyport");
    let scan = [
        "posture",
        "scan",
        "--snapshot",
        &folder,
        "--whole",
        "rbac",
        "--save",
        &snapshot,
        "--fail-on",
        "never",
    ];
    let scanned = tokio::process::Command::new(program).args(scan).output().await?;
    ensure!(scanned.status.code() == Some(0), "{}", String::from_utf8_lossy(&scanned.stderr));
    let kept = fs::read_to_string(&snapshot)?;
    let mut kept: serde_json::Value = serde_json::from_str(&kept)?;
    kept["taken"] = "2026-11-01T10:00:00Z".into();
    fs::write(&snapshot, kept.to_string())?;
    kept["taken"] = "2026-11-20T10:00:00Z".into();
    let second = path("eu-1.second.json")?;
    fs::write(&second, kept.to_string())?;

    // The app runs.
    let report = ["report", "--history", &data, "--since", "30d"];
    let beside = ["--archive", &archive, "--posture", &snapshot, "--posture", &second];
    let json = audit(&[&report[..], &beside, &["-o", "json"]].concat()).await?;
    ensure!(json.code == 1, "{} {} {}", json.code, json.out, json.err);
    let view = json.json()?;
    let sessions = view["sessions"].as_array().context("sessions")?;
    ensure!(sessions.len() == 3, "{view}");
    let seen: Vec<Option<u64>> = sessions.iter().map(|one| one["seen"].as_u64()).collect();
    ensure!(seen == [None, Some(0), Some(20)], "{seen:?}");
    ensure!(view["withoutEvidence"] == serde_json::json!([1]), "{view}");
    ensure!(view["others"][0]["account"] == account(99) && view["others"][0]["calls"] == 4, "{view}");
    ensure!(view["people"][0]["name"] == "oidc:dana" && view["people"][0]["calls"] == 28, "{view}");
    ensure!(view["people"][0]["refused"] == 2 && view["people"][0]["seconds"] == 3 * 38 * 60, "{view}");
    ensure!(sessions.iter().all(|one| one["proof"] == "proven" && one["approved"] == "oidc:erin"), "{view}");
    ensure!(
        view["standing"][0]["cluster"] == "eu-1"
            && view["standing"][0]["standing"].as_array().is_some_and(|all| all.len() == 1),
        "{view}"
    );
    ensure!(view["practices"][0]["taken"].as_array().is_some_and(|all| all.len() == 2), "{view}");

    let written = audit(&[&report[..], &beside, &["--out", &page]].concat()).await?;
    ensure!(written.code == 1 && written.out.is_empty(), "{} {}", written.out, written.err);
    ensure!(fs::metadata(&page)?.permissions().mode() & 0o77 == 0, "the page is its owner's alone");
    let html = fs::read_to_string(&page)?;
    ensure!(!html.contains("<script") && !html.contains("<b>platform"), "P24");
    ensure!(
        html.contains("&lt;script&gt;INC-4711") && html.contains("&lt;b&gt;platform"),
        "it is there as text"
    );
    if let Some(keep) = std::env::var_os("SALLYPORT_KEEP_REPORT") {
        fs::copy(&page, keep)?;
    }
    history.close().await?;

    // Without an archive nothing is said of evidence, and nothing is found missing.
    let alone = audit(&[&report[..], &["-o", "json"]].concat()).await?;
    ensure!(alone.code == 0, "{} {}", alone.code, alone.err);
    ensure!(alone.out.contains("the gateway's word alone"), "{}", alone.out);
    let nothing = audit(&["report", "--history", &data, "--since", "1m", "-o", "json"]).await?;
    ensure!(nothing.json()?["sessions"] == serde_json::json!([]), "{}", nothing.out);
    for wrong in [
        &["report", "--history", &archive, "--since", "1d"][..],
        &["report", "--history", &data],
        &["report", "--history", &data, "--since", "1h", "--until", "2h"],
        &["report", "--history", &data, "--since", "1d", "--posture", &folder],
        &["report", "--history", &data, "--since", "1d", "--archive", &data],
    ] {
        let ran = audit(wrong).await?;
        ensure!(
            ran.code == 2 && !ran.err.is_empty() && !ran.err.contains("panicked"),
            "{wrong:?} {} {}",
            ran.code,
            ran.err
        );
    }
    Ok(())
}
