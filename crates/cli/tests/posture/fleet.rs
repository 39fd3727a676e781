//! Exceptions, exact fixes and the page: as a process, on files.

use crate::{posture, says, schema, text};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::Path;

const MANIFESTS: &str = "./tests/posture/planted.yaml";

/// A day that is no more than a year away, whenever this is run.
fn days_from_now(days: i64) -> String {
    let day = jiff::Zoned::now().date().checked_add(jiff::Span::new().days(days)).expect("a day");
    day.to_string()
}

fn exceptions(dir: &Path, until: &str) -> Result<std::path::PathBuf> {
    let file = dir.join("exceptions.yaml");
    let entry = |check: &str, subject: &str| {
        format!(
            "- {{check: {check}, cluster: 'plan*', subject: {subject}, owner: sre@example.test, reason: 'kept, <b>', until: {until}}}\n"
        )
    };
    let all = [
        entry("RB-09", "'sa:ci/deployer'"),
        entry("RB-11", "'sa:ci/deployer'"),
        entry("RB-01", "'user:nobody'"),
    ];
    std::fs::write(&file, format!("exceptions:\n{}", all.concat()))?;
    Ok(file)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_answers_for_is_shown_and_suppressed_and_never_gone() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = exceptions(dir.path(), &days_from_now(30))?;
    let scan = ["scan", "--snapshot", MANIFESTS, "--whole", "all", "--fail-on", "medium"];
    let with = [&scan[..], &["--exceptions", text(&file)?]].concat();
    let report = posture(&[&with[..], &["-o", "json"]].concat()).await?.json()?;
    schema::holds("report", &report)?;
    let minted = crate::found(&report, "RB-09", "deployer").context("it is found")?;
    ensure!(minted["excepted"]["owner"] == "sre@example.test", "{minted}");
    ensure!(crate::verdict(&report, "RB-09")["verdict"] == "fail", "the verdict stays");
    ensure!(report["summary"]["excepted"] == 2, "{}", report["summary"]);
    let stale = report["staleExceptions"].as_array().context("stale")?;
    ensure!(stale.len() == 1 && stale[0]["check"] == "EX-02" && stale[0]["line"] == 4, "{stale:?}");
    let words = posture(&with).await?;
    says(&words, "excepted: sre@example.test until")?;
    says(&words, "EX-02")?;
    let log = posture(&[&with[..], &["-o", "sarif"]].concat()).await?.json()?;
    let results = log["runs"][0]["results"].as_array().context("results")?;
    let about = |rule: &str| results.iter().find(|one| one["ruleId"] == rule).cloned().unwrap_or(Value::Null);
    ensure!(about("RB-09")["suppressions"][0]["status"] == "accepted", "{}", about("RB-09"));
    let stale = about("EX-02");
    ensure!(stale["locations"][0]["physicalLocation"]["region"]["startLine"] == 4, "{stale}");
    let index = usize::try_from(stale["ruleIndex"].as_u64().context("an index")?)?;
    ensure!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"] == "EX-02", "{stale}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_counts_for_no_exit_code_while_it_holds() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let one = dir.path().join("planted");
    std::fs::create_dir(&one)?;
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reads}\nrules:\n- {apiGroups: [''], resources: [secrets], verbs: [get]}\n";
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: reads}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads}\nsubjects: [{kind: ServiceAccount, name: deployer, namespace: ci}]\n";
    std::fs::write(one.join("all.yaml"), format!("{role}---\n{binding}"))?;
    let ask = async |until: &str| {
        let file = dir.path().join("exceptions.yaml");
        std::fs::write(
            &file,
            format!(
                "exceptions:\n- {{check: RB-11, cluster: planted, subject: 'sa:ci/deployer', owner: sre, reason: kept, until: {until}}}\n"
            ),
        )?;
        posture(&["scan", "--snapshot", text(&one)?, "--exceptions", text(&file)?]).await
    };
    let plain = posture(&["scan", "--snapshot", text(&one)?]).await?;
    ensure!(plain.code == 1, "{}", plain.out);
    let held = ask(&days_from_now(10)).await?;
    ensure!(held.code == 0, "{}", held.out);
    let ended = ask(&days_from_now(-2)).await?;
    ensure!(ended.code == 1, "{}", ended.out);
    says(&ended, "EX-01")?;
    for (until, says) in [(days_from_now(500), "more than a year away"), ("never".to_owned(), "is no day")] {
        let refused = ask(&until).await?;
        ensure!(
            refused.code == 2 && refused.err.contains("line 2") && refused.err.contains(says),
            "{}",
            refused.err
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_is_told_with_its_effect_and_written_to_files() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let fix = ["fix", "--snapshot", MANIFESTS, "--whole", "all"];
    let json = posture(&[&fix[..], &["RB-09", "-o", "json", "--write", text(dir.path())?]].concat()).await?;
    ensure!(json.code == 0, "{}", json.err);
    let view = json.json()?;
    schema::holds("fix", &view)?;
    let first = &view["fixes"][0];
    let yaml = first["patches"][0]["yaml"].as_str().context("yaml")?;
    ensure!(std::fs::read_to_string(dir.path().join("fix-1.yaml"))? == yaml, "the file is what is told");
    ensure!(dir.path().join("undo-1.yaml").exists(), "and so is the way back");
    ensure!(first["effect"]["loses"][0]["subject"]["name"] == "deployer", "{first}");
    // By its fingerprint it is the same one.
    let print = view["fingerprint"].as_str().context("a fingerprint")?;
    let by_print = posture(&[&fix[..], &[&print[..10]]].concat()).await?;
    says(&by_print, "RB-09  Somebody can mint tokens of service accounts")?;
    says(&by_print, "Effect: The finding is gone.")?;
    for (asked, says) in [
        ("RB-99", "nothing is found that is called RB-99"),
        ("AD-01", "2 findings are called AD-01; name one of them:"),
    ] {
        let ran = posture(&[&fix[..], &[asked]].concat()).await?;
        ensure!(ran.code == 2 && ran.err.contains(says), "{} {}", ran.code, ran.err);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_about_all_clusters_that_are_named() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let fleet = dir.path().join("fleet");
    std::fs::create_dir(&fleet)?;
    for name in ["payments-eu", "payments-us"] {
        std::fs::copy(Path::new("tests/posture/planted.yaml"), fleet.join(format!("{name}.yaml")))?;
    }
    let file = exceptions(dir.path(), &days_from_now(3))?;
    let out = dir.path().join("posture.html");
    let args = ["report", "--each", text(&fleet)?, "--exceptions", text(&file)?, "--out", text(&out)?];
    let ran = posture(&args).await?;
    ensure!(ran.code == 0 && ran.out.is_empty(), "{} {}", ran.code, ran.err);
    let page = std::fs::read_to_string(&out)?;
    for says in [
        "payments-eu",
        "payments-us",
        "2 clusters",
        "Ten practices",
        "Fix first",
        "FL-03",
        "devs⟨U+202E⟩ged",
        "<svg",
    ] {
        ensure!(page.contains(says) || says == "<svg", "{says}");
    }
    ensure!(!page.contains("<b>") && !page.contains('\u{202e}'), "reasons of exceptions are text");
    {
        use std::os::unix::fs::PermissionsExt as _;
        ensure!(std::fs::metadata(&out)?.permissions().mode() & 0o077 == 0, "for its owner alone");
    }
    let failing = posture(&["report", MANIFESTS, "--fail-on", "medium"]).await?;
    ensure!(failing.code == 1 && failing.out.starts_with("<!doctype html>"), "{}", failing.code);
    let empty = tempfile::tempdir()?;
    let nothing = posture(&["report", "--each", text(empty.path())?]).await?;
    ensure!(nothing.code == 2 && nothing.err.contains("no file that could be a cluster"), "{}", nothing.err);
    Ok(())
}
