//! What is refused, with which words and exit code.

use crate::{plane, posture, sallyport, text, verdict};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

async fn refused(args: &[&str], why: &str) -> Result<()> {
    let ran = posture(args).await?;
    ensure!(ran.code == 2, "{args:?}: {} {}", ran.code, ran.out);
    ensure!(ran.out.is_empty(), "{}", ran.out);
    ensure!(ran.err.contains(why), "{args:?}: not there: {why}\nin: {}", ran.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_a_kubeconfig_that_would_run_something_is_refused_and_nothing_runs() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (config, mark) = (dir.path().join("config"), dir.path().join("ran"));
    let content: Value = serde_json::from_str(&std::fs::read_to_string(plane().await?.admin_kubeconfig())?)?;
    let with = |user: Value, cluster: Option<(&str, Value)>| -> Result<()> {
        let mut changed = content.clone();
        changed["users"][0]["user"] = user;
        if let Some((field, value)) = cluster {
            changed["clusters"][0]["cluster"][field] = value;
        }
        Ok(std::fs::write(&config, changed.to_string())?)
    };
    let path = text(&config)?;
    let touch = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [text(&mark)?]}});
    with(touch, None)?;
    refused(&["scan", "--kubeconfig", path], "it signs in by running `touch` with 1 arguments").await?;
    ensure!(!mark.exists(), "nothing was run");
    with(json!({"auth-provider": {"name": "oidc"}}), None)?;
    refused(&["scan", "--kubeconfig", path], "auth-provider oidc").await?;
    with(json!({"token": "x", "as": "root"}), None)?;
    refused(&["scan", "--kubeconfig", path], "it acts as root").await?;
    with(json!({"tokenFile": "no-such-token"}), None)?;
    refused(&["scan", "--kubeconfig", path], "no-such-token can't be read").await?;
    with(json!({"token": "wrong-s3cret"}), None)?;
    refused(&["scan", "--kubeconfig", path], "does not accept this sign-in (401)").await?;
    ensure!(!posture(&["scan", "--kubeconfig", path]).await?.err.contains("s3cret"), "p1");
    with(json!({"token": "x"}), Some(("insecure-skip-tls-verify", json!(true))))?;
    refused(&["scan", "--kubeconfig", path], "insecure-skip-tls-verify").await?;
    with(json!({"token": "x"}), Some(("proxy-url", json!("http://me:s3cret@proxy.example"))))?;
    refused(&["scan", "--kubeconfig", path], "goes through the proxy proxy.example").await?;
    with(json!({"token": "x"}), Some(("server", json!("https://127.0.0.1:1"))))?;
    refused(&["scan", "--kubeconfig", path], "was not reached").await?;
    with(json!({"token": "x"}), Some(("server", json!("https://me:s3cret@127.0.0.1:1"))))?;
    refused(&["scan", "--kubeconfig", path], "user name or password in its address").await?;
    ensure!(!posture(&["scan", "--kubeconfig", path]).await?.err.contains("s3cret"), "p1");
    with(json!({"token": "x"}), Some(("server", json!("http://127.0.0.1:1"))))?;
    refused(&["scan", "--kubeconfig", path], "is not an https address").await?;
    refused(&["scan", "--kubeconfig", path, "--context", "gone"], "it has no context gone").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_ends_with_two_and_says_what_to_do() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = text(dir.path())?;
    refused(&["scan"], "--kubeconfig").await?;
    refused(&["scan", "--snapshot", "/nonexistent"], "/nonexistent can't be read").await?;
    refused(&["scan", "--snapshot", path], "holds no object that posture looks at").await?;
    refused(&["scan", "--snapshot", path, "--whole", "widgets"], "--whole does not know widgets").await?;
    refused(&["scan", "--kubeconfig", "x", "--snapshot", path], "cannot be used with").await?;
    refused(&["why", "alice", "get", "pods", "--snapshot", path], "holds no object").await?;
    // Kept snapshots that were cut short, edited, or are of another time.
    let kept = dir.path().join("kept.json");
    let config = plane().await?.admin_kubeconfig();
    posture(&["scan", "--kubeconfig", text(&config)?, "--save", text(&kept)?]).await?;
    let whole = std::fs::read_to_string(&kept)?;
    std::fs::write(&kept, &whole[..whole.len() / 2])?;
    let ran = posture(&["scan", "--snapshot", text(&kept)?, "-o", "json"]).await?;
    ensure!(!ran.out.contains("\"pass\""), "half a file passes nothing: {}", ran.out);
    ensure!(ran.code == 2, "{} {}", ran.code, ran.out);
    let mut edited: Value = serde_json::from_str(&whole)?;
    edited["objects"].as_array_mut().expect("objects").pop();
    std::fs::write(&kept, edited.to_string())?;
    refused(&["scan", "--snapshot", text(&kept)?], "it was edited, so scan again").await?;
    let mut newer: Value = serde_json::from_str(&whole)?;
    newer["apiVersion"] = json!("posture.sallyport.dev/v9");
    std::fs::write(&kept, newer.to_string())?;
    refused(&["scan", "--snapshot", text(&kept)?], "this program reads posture.sallyport.dev/v1alpha3")
        .await?;
    Ok(())
}

/// What is refused as a way in is judged as one: nothing is run, nobody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn p5_a_kubeconfig_alone_is_judged_without_asking_anybody() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (config, mark) = (dir.path().join("config"), dir.path().join("ran"));
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "touch",
        "args": [text(&mark)?, "--token=s3cret"], "env": [{"name": "SECRET", "value": "s3cret"}]});
    let content = json!({"apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1", "insecure-skip-tls-verify": true}}],
        "users": [{"name": "a", "user": {"exec": exec, "username": "me", "password": "s3cret"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]});
    std::fs::write(&config, content.to_string())?;
    let ran = posture(&["scan", "--kubeconfig", text(&config)?, "--offline", "-o", "json"]).await?;
    ensure!(ran.code == 1, "a password is high: {} {}", ran.code, ran.err);
    let report = ran.json()?;
    crate::schema::holds("report", &report)?;
    for (id, wanted) in [
        ("KC-01", "fail"),
        ("KC-04", "fail"),
        ("KC-07", "fail"),
        ("KC-08", "fail"),
        ("AP-04", "fail"),
        ("KC-05", "pass"),
        ("AU-02", "unknown"),
    ] {
        ensure!(verdict(&report, id)["verdict"] == wanted, "{}", verdict(&report, id));
    }
    ensure!(!ran.out.contains("s3cret") && !mark.exists(), "p1, p5: {}", ran.out);
    let words = posture(&["scan", "--kubeconfig", text(&config)?, "--offline"]).await?;
    ensure!(words.out.contains("Context a gives touch a secret by the variable SECRET."), "{}", words.out);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn help_says_the_exit_codes() -> Result<()> {
    let ran = sallyport(&["posture", "scan", "--help"]).await?;
    ensure!(ran.code == 0 && ran.out.contains("Exit codes:\n  0  it was read"), "{}", ran.out);
    let schema = posture(&["schema", "report"]).await?;
    ensure!(schema.json()?["title"] == "ReportView", "{}", schema.out);
    Ok(())
}
