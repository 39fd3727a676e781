//! Ordinary calls.

use super::{World, next_line, streaming};
use anyhow::{Result, ensure};

#[tokio::test(flavor = "multi_thread")]
async fn p16_reads_are_byte_identical_to_direct_ones() -> Result<()> {
    let w = World::new().await?;
    for args in [
        &["get", "--raw", "/api/v1/namespaces/kube-system"][..],
        &["get", "--raw", "/openapi/v3/apis/apps/v1"],
        &["get", "--raw", "/version"],
        &["get", "clusterroles", "-o", "yaml"],
        &["get", "pods", "-A", "-o", "json"],
        &["get", "events", "-A", "-o", "yaml"],
        &["get", "clusterrole", "system:controller:job-controller", "-o", "json"],
        &["api-resources"],
        &["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"],
    ] {
        let (through, direct) = (w.through.run(args).await?, w.direct.run(args).await?);
        ensure!(through.code == Some(0), "{args:?}: {through:?}");
        ensure!(through.stdout == direct.stdout, "{args:?}\n{}\n---\n{}", through.text(), direct.text());
    }
    for args in [&["get", "pod", "nobody"][..], &["get", "--raw", "/nowhere"]] {
        let (through, direct) = (w.through.run(args).await?, w.direct.run(args).await?);
        ensure!(through.code == Some(1) && through.stderr == direct.stderr, "{through:?}\n{direct:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_watches_work_with_every_kind_of_patch() -> Result<()> {
    let w = World::new().await?;
    let (_child, mut lines) =
        streaming(&w.through, &["get", "configmaps", "-n", "gateway-tests", "-w", "--no-headers"])?;
    let manifest =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: gateway-tests}, data: {a: b}}";
    w.through.apply(manifest).await?;
    while !next_line(&mut lines).await?.starts_with("made ") {}
    let plain = ["apply", "-f", "-"];
    let said = w.through.run_with_stdin(&plain, manifest.replace("a: b", "a: c").as_bytes()).await?;
    ensure!(said.code == Some(0), "{said:?}");
    for (kind, patch) in [
        ("merge", r#"{"data":{"x":"1"}}"#),
        ("json", r#"[{"op":"add","path":"/data/y","value":"2"}]"#),
        ("strategic", r#"{"data":{"z":"3"}}"#),
    ] {
        w.through
            .ok(&["patch", "configmap", "made", "-n", "gateway-tests", "--type", kind, "-p", patch])
            .await?;
    }
    let data =
        w.through.ok(&["get", "configmap", "made", "-n", "gateway-tests", "-o", "jsonpath={.data}"]).await?;
    ensure!(data == r#"{"a":"c","x":"1","y":"2","z":"3"}"#, "{data}");
    // A megabyte up.
    let big = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: big, namespace: gateway-tests}}, data: {{a: {}}}}}",
        "x".repeat(900_000)
    );
    w.through.apply(&big).await?;
    w.through.ok(&["scale", "deployment", "web", "--replicas=1"]).await?;
    w.through.ok(&["rollout", "status", "deployment", "web", "--timeout=90s"]).await?;
    w.through.ok(&["delete", "configmap", "made", "big", "-n", "gateway-tests"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p15_a_token_or_a_wish_to_be_someone_else_is_refused_in_words() -> Result<()> {
    let w = World::new().await?;
    let as_root = w.through.run(&["get", "pods", "--as=root"]).await?;
    ensure!(as_root.code == Some(1) && as_root.stderr.contains("impersonation (--as)"), "{as_root:?}");
    let token = w.through.run(&["get", "pods", "--token=mine"]).await?;
    ensure!(token.code == Some(1) && token.stderr.contains("leave yours out"), "{token:?}");
    let exec = w.through.run(&["exec", &w.pod, "--as=root", "--", "true"]).await?;
    ensure!(exec.code == Some(1) && exec.stderr.contains("impersonation (--as)"), "{exec:?}");
    Ok(())
}
