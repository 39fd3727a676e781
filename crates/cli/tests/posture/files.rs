//! Scans of files.

use crate::{found, kind, plane, posture, says, schema, text, verdict};
use anyhow::{Context as _, Result, ensure};

#[tokio::test(flavor = "multi_thread")]
async fn p21_files_fail_by_what_they_hold_and_pass_only_when_they_are_said_to_be_whole() -> Result<()> {
    let kubectl = plane().await?.kubectl();
    let dir = tempfile::tempdir()?;
    let dump = kubectl
        .ok(&["get", "clusterroles,clusterrolebindings,roles,rolebindings", "-A", "-o", "yaml"])
        .await?;
    std::fs::create_dir(dir.path().join("deep"))?;
    std::fs::write(dir.path().join("deep/dump.yaml"), dump)?;
    std::fs::write(dir.path().join("values.yaml"), "replicas: 3\n")?;
    let path = text(dir.path())?;

    let report = posture(&["scan", "--snapshot", path, "-o", "json"]).await?.json()?;
    schema::holds("report", &report)?;
    let devs = found(&report, "RB-01", "devs\u{202e}ged").context("everything for a group")?;
    ensure!(devs["evidence"][0]["binding"]["file"] == "deep/dump.yaml", "{devs}");
    ensure!(kind(&report, "ClusterRole")["coverage"] == "cut", "{}", kind(&report, "ClusterRole"));
    ensure!(kind(&report, "Pod")["coverage"] == "notAsked", "what no file holds is not none");
    ensure!(verdict(&report, "RB-16")["verdict"] == "unknown", "{}", verdict(&report, "RB-16"));
    let passes = |report: &serde_json::Value| {
        report["checks"].as_array().is_some_and(|all| all.iter().any(|one| one["verdict"] == "pass"))
    };
    ensure!(!passes(&report), "files can't say that they are whole");

    let whole = posture(&["scan", "--snapshot", path, "--whole", "rbac", "-o", "json"]).await?.json()?;
    ensure!(passes(&whole), "{}", whole["checks"]);
    ensure!(verdict(&whole, "SA-03")["verdict"] != "pass", "pods were not among them");

    // A file that can't be read may hold anything.
    std::fs::write(dir.path().join("chart.yaml"), "kind: {{ .Values.kind }}\n  - x")?;
    let broken = posture(&["scan", "--snapshot", path, "--whole", "all", "-o", "json"]).await?.json()?;
    ensure!(!passes(&broken), "{}", broken["checks"]);
    let words = posture(&["scan", "--snapshot", path]).await?;
    says(&words, "chart.yaml: it is no YAML at line 1")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_that_bind_cluster_admin_fail_a_pipeline() -> Result<()> {
    let manifests = "./tests/posture";
    let ran = posture(&["scan", "--snapshot", manifests, "-o", "json"]).await?;
    let report = ran.json()?;
    let devs = found(&report, "RB-01", "devs\u{202e}ged").context("everything for a group")?;
    ensure!(devs["severity"] == "critical" && ran.code == 1, "{devs} {}", ran.err);
    let log = posture(&["scan", "--snapshot", manifests, "-o", "sarif"]).await?.json()?;
    let results = log["runs"][0]["results"].as_array().context("results")?;
    let first = results.iter().find(|one| one["ruleId"] == "RB-01").context("RB-01")?;
    let uri = &first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    ensure!(uri == "tests/posture/planted.yaml", "from where it was started: {uri}");
    let words = posture(&["scan", "--snapshot", manifests]).await?;
    says(&words, "Note: The files bind ClusterRole cluster-admin and do not hold it")?;
    says(&words, "There may be more: not all that it depends on was read")?;
    Ok(())
}
