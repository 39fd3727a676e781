//! Who used lately what a fix takes, by what a real API server wrote of it.

use crate::{plane, posture, sallyport, text};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_used_by_the_api_servers_own_audit_log_is_told_and_no_more() -> Result<()> {
    let plane = plane().await?;
    let config = plane.admin_kubeconfig();
    let dir = tempfile::tempdir()?;
    let archive = dir.path().join("archive");
    let (archive, config) = (text(&archive)?, text(&config)?);
    let log = plane.audit_log().context("the plane keeps an audit log")?;
    let import = async || {
        sallyport(&["audit", "import", "--archive", archive, "--cluster", "eu-1", text(&log)?]).await
    };
    let fix = ["fix", "RB-11", "--subject", "sa:ci/deployer", "--kubeconfig", config, "-o", "json"];
    let with = |cluster| [&fix[..], &["--archive", archive, "--cluster", cluster]].concat();
    let used = async || -> Result<Option<String>> {
        let ran = posture(&with("eu-1")).await?;
        let view = ran.json().with_context(|| format!("{} {}", ran.out, ran.err))?;
        let loses = view.pointer("/fixes/0/effect/loses/0").context("somebody loses something")?;
        ensure!(loses["subject"]["name"] == "deployer", "{loses}");
        Ok(loses["used"].as_str().map(str::to_owned))
    };

    ensure!(import().await?.code == 0);
    let before = used().await?.context("an archive tells")?;
    ensure!(
        before.starts_with("not used since") && before.contains("the audit policy leaves out"),
        "{before}"
    );
    let none = posture(&fix).await?.json()?;
    ensure!(
        none.pointer("/fixes/0/effect/loses/0/used").is_none_or(Value::is_null),
        "without one nothing is known"
    );

    // By its own token, and by somebody who acts as it; what is refused is no use, and neither is what is not taken.
    let token = plane.kubectl().ok(&["create", "token", "deployer", "-n", "ci"]).await?;
    let own = plane.kubeconfig_with_token(token.trim())?;
    let own = plane.kubectl().with_kubeconfig(&own);
    own.ok(&["get", "secrets", "-n", "payments"]).await?;
    own.run(&["get", "secrets", "-n", "ci"]).await?;
    let admin = plane.kubectl();
    admin.ok(&["get", "secret", "door", "-n", "payments", "--as=system:serviceaccount:ci:deployer"]).await?;
    ensure!(import().await?.code == 0);
    let after = used().await?.context("an archive tells")?;
    ensure!(after.starts_with("system:serviceaccount:ci:deployer used it last on"), "{after}");
    ensure!(after.contains("(2 calls)"), "{after}");

    // Of a cluster that the archive does not know nothing is said, least of all that it was not used.
    let other = posture(&with("eu-2")).await?;
    ensure!(
        other.code == 2 && other.err.contains("no event of a cluster called eu-2"),
        "{} {}",
        other.code,
        other.err
    );
    let nowhere = [&fix[..], &["--archive", "/nonexistent", "--cluster", "eu-1"]].concat();
    ensure!(posture(&nowhere).await?.code == 2);
    Ok(())
}
