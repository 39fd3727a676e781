//! `fix --apply` on a real API server: tried first, made with the rights of the kubeconfig, and refused where it should be.

use crate::{posture, sallyport, says, text};
use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::{Plane, PlaneOptions};
use std::path::Path;
use tokio::sync::OnceCell;

/// A plane of its own: the one that is scanned is read and never written to.
async fn plane() -> Result<&'static Plane> {
    static PLANE: OnceCell<Plane> = OnceCell::const_new();
    PLANE.get_or_try_init(|| async { Plane::start(PlaneOptions::new("applied")).await }).await
}

/// A namespace of its own with a workload whose account holds something, and bindings to take away.
async fn planted(namespace: &str) -> Result<()> {
    let plane = plane().await?;
    let yaml = include_str!("workloads.yaml").replace("NAMESPACE", namespace);
    let file = plane.dir().join(format!("{namespace}.yaml"));
    std::fs::write(&file, yaml)?;
    plane.kubectl().ok(&["apply", "-f", text(&file)?]).await?;
    Ok(())
}

/// The beginning of the fingerprint of what a check finds in a namespace.
async fn finding(config: &Path, check: &str, namespace: &str) -> Result<String> {
    let ran = posture(&["scan", "--kubeconfig", text(config)?, "-o", "json", "--no-probes"]).await?;
    let report = ran.json()?;
    let all = report["findings"].as_array().context("findings")?;
    let one = all.iter().find(|one| {
        one["check"] == check
            && (one["object"]["namespace"] == namespace || one["namespaces"][0] == namespace)
    });
    let one = one.with_context(|| {
        format!(
            "{check} in {namespace}: {:?}",
            all.iter().filter(|one| one["check"] == check).collect::<Vec<_>>()
        )
    })?;
    Ok(one["fingerprint"].as_str().context("a fingerprint")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_is_changed_after_a_trial_and_found_no_more() -> Result<()> {
    planted("apply-a").await?;
    let plane = plane().await?;
    let config = plane.admin_kubeconfig();
    let print = finding(&config, "SA-03", "apply-a").await?;
    let fix = ["fix", print.as_str(), "--kubeconfig", text(&config)?, "--apply"];
    let automount = async || -> Result<String> {
        let path = "jsonpath={.spec.template.spec.automountServiceAccountToken}";
        plane.kubectl().ok(&["get", "deployment", "web", "-n", "apply-a", "-o", path]).await
    };

    // Nobody is at a terminal, and nobody said yes beforehand.
    let asked = posture(&fix).await?;
    ensure!(asked.code == 1, "{} {} {}", asked.code, asked.out, asked.err);
    says(&asked, "Mount no token into the pods of Deployment apply-a/web: it would be taken")?;
    says(&asked, "Nothing was changed: nobody said yes.")?;
    ensure!(automount().await?.is_empty(), "a trial changes nothing");

    let ran = posture(&[&fix[..], &["--yes"]].concat()).await?;
    ensure!(ran.code == 0, "{} {} {}", ran.code, ran.out, ran.err);
    says(&ran, "Mount no token into the pods of Deployment apply-a/web: done")?;
    says(&ran, "Read again: it is ")?;
    ensure!(automount().await? == "false");
    let manager = "jsonpath={.metadata.managedFields[*].manager}";
    let managers = plane.kubectl().ok(&["get", "deployment", "web", "-n", "apply-a", "-o", manager]).await?;
    ensure!(managers.contains("sallyport-posture"), "{managers}");
    // The pods of before go, and with them what was found.
    for _ in 0..300 {
        if finding(&config, "SA-03", "apply-a").await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    anyhow::bail!("it is found still")
}

/// Who made it, for which finding, and what came of it: the API server's audit log has all three (0039).
#[tokio::test(flavor = "multi_thread")]
async fn the_entry_of_a_fix_is_in_the_api_servers_audit_log() -> Result<()> {
    planted("apply-entry").await?;
    let plane = plane().await?;
    let config = plane.admin_kubeconfig();
    let print = finding(&config, "SA-03", "apply-entry").await?;
    let fix = ["fix", print.as_str(), "--kubeconfig", text(&config)?, "--apply", "--yes"];
    let ran = posture(&fix).await?;
    ensure!(ran.code == 0, "{} {} {}", ran.code, ran.out, ran.err);
    let short = print.get(..12).context("a fingerprint")?;
    let dir = tempfile::tempdir()?;
    let archive = dir.path().join("archive");
    let archive = text(&archive)?;
    let log = plane.audit_log().context("the plane keeps an audit log")?;
    let import = ["audit", "import", "--archive", archive, "--cluster", "eu-1", text(&log)?];
    let import = sallyport(&import).await?;
    ensure!(import.code == 0, "{} {}", import.out, import.err);
    let query = ["audit", "query", "--archive", archive, "--text", short, "-o", "json"];
    let found = sallyport(&query).await?.json()?;
    let calls = found["calls"].as_array().context("calls")?;
    ensure!(calls.len() == 2, "the trial, and the change: {found}");
    let agent = format!("sallyport-fix/{} (SA-03 {short})", env!("CARGO_PKG_VERSION"));
    for call in calls {
        let says = call.to_string();
        ensure!(says.contains(&agent) && says.contains("kubernetes-admin"), "{says}");
        ensure!(call["verb"] == "patch" && call["code"] == 200 && call["name"] == "web", "{says}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_changes_nothing_and_is_told_which_right_is_missing() -> Result<()> {
    planted("apply-b").await?;
    let plane = plane().await?;
    let admin = plane.admin_kubeconfig();
    let kubectl = plane.kubectl();
    for args in [
        &[
            "create",
            "clusterrolebinding",
            "apply-b-reads",
            "--clusterrole=view",
            "--serviceaccount=apply-b:looks",
        ][..],
        &[
            "create",
            "clusterrole",
            "apply-b-rbac",
            "--verb=list",
            "--resource=roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io,clusterroles.rbac.authorization.k8s.io,clusterrolebindings.rbac.authorization.k8s.io",
        ],
        &[
            "create",
            "clusterrolebinding",
            "apply-b-rbac",
            "--clusterrole=apply-b-rbac",
            "--serviceaccount=apply-b:looks",
        ],
    ] {
        kubectl.ok(args).await?;
    }
    let token = kubectl.ok(&["create", "token", "looks", "-n", "apply-b"]).await?;
    let config = plane.kubeconfig_with_token(token.trim())?;
    for (check, says_what) in [
        ("SA-03", "refused: the right to patch deployments.apps in apply-b is missing"),
        ("RB-09", "refused: the right to "),
    ] {
        let print = finding(&admin, check, "apply-b").await?;
        let ran = posture(&["fix", &print, "--kubeconfig", text(&config)?, "--apply", "--yes"]).await?;
        ensure!(ran.code == 1, "{check}: {} {} {}", ran.code, ran.out, ran.err);
        says(&ran, says_what)?;
        says(&ran, "Nothing was changed.")?;
        ensure!(finding(&admin, check, "apply-b").await.is_ok(), "{check} is as it was");
    }
    for name in ["apply-b-reads", "apply-b-rbac"] {
        kubectl.ok(&["delete", "clusterrolebinding", name]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_takes_that_very_object_and_admission_is_told_apart_from_rights() -> Result<()> {
    planted("apply-c").await?;
    let plane = plane().await?;
    let config = plane.admin_kubeconfig();
    let kubectl = plane.kubectl();
    let print = finding(&config, "RB-09", "apply-c").await?;

    // Which of its fixes removes the binding.
    let proposed = posture(&["fix", &print, "--kubeconfig", text(&config)?, "-o", "json"]).await?.json()?;
    let fixes = proposed["fixes"].as_array().context("fixes")?;
    let removes = |one: &serde_json::Value| {
        one["patches"].as_array().is_some_and(|all| {
            all.iter()
                .all(|patch| patch["command"].as_str().is_some_and(|verb| verb.starts_with("kubectl delete")))
        })
    };
    let at = fixes.iter().position(removes).with_context(|| format!("a removal: {proposed}"))? + 1;
    let number = at.to_string();
    let fix =
        ["fix", print.as_str(), "--kubeconfig", text(&config)?, "--apply", "--yes", "--number", &number];

    // A policy that refuses the removal: the trial says so, and nothing goes.
    let policy = include_str!("policy.yaml");
    let file = plane.dir().join("policy.yaml");
    std::fs::write(&file, policy)?;
    kubectl.ok(&["apply", "-f", text(&file)?]).await?;
    let mut refused = None;
    for _ in 0..300 {
        let trial = ["delete", "rolebinding", "mints", "-n", "apply-c", "--dry-run=server"];
        if kubectl.run(&trial).await?.code != Some(0) {
            refused = Some(posture(&fix).await?);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    kubectl.ok(&["delete", "-f", text(&file)?]).await?;
    let refused = refused.context("the policy never held")?;
    ensure!(refused.code == 1, "{} {}", refused.code, refused.out);
    says(&refused, "refused: admission refuses it (")?;
    says(&refused, "kept by the team")?;
    kubectl.ok(&["get", "rolebinding", "mints", "-n", "apply-c"]).await?;

    let mut ran = posture(&fix).await?;
    for _ in 0..300 {
        if ran.code == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        ran = posture(&fix).await?;
    }
    ensure!(ran.code == 0, "{} {} {}", ran.code, ran.out, ran.err);
    says(&ran, "Remove RoleBinding apply-c/mints: done")?;
    says(&ran, "Read again: it is not found any more.")?;
    ensure!(kubectl.run(&["get", "rolebinding", "mints", "-n", "apply-c"]).await?.code != Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_wants_a_cluster_and_a_fix_that_is_there() -> Result<()> {
    let config = plane().await?.admin_kubeconfig();
    for (args, says) in [
        (
            &["fix", "RB-01", "--snapshot", "./tests/posture/planted.yaml", "--apply"][..],
            "cannot be used with",
        ),
        (&["fix", "RB-01", "--kubeconfig", text(&config)?, "--yes"], "--apply"),
        (&["fix", "RB-01", "--apply"], "--kubeconfig"),
        (&["fix", "RB-01", "--kubeconfig", text(&config)?, "--number", "0"], "0 is not in"),
    ] {
        let ran = posture(args).await?;
        ensure!(ran.code == 2 && ran.err.contains(says), "{args:?}: {} {}", ran.code, ran.err);
    }
    planted("apply-d").await?;
    let print = finding(&config, "SA-03", "apply-d").await?;
    let ran = posture(&["fix", &print, "--kubeconfig", text(&config)?, "--number", "9", "--apply"]).await?;
    ensure!(ran.code == 2 && ran.err.contains("there is no fix 9"), "{} {}", ran.code, ran.err);
    let ran = posture(&["fix", &print, "--kubeconfig", text(&config)?, "--apply", "-o", "json"]).await?;
    ensure!(ran.code == 2 && ran.err.contains("talks with a person"), "{} {}", ran.code, ran.err);
    Ok(())
}
