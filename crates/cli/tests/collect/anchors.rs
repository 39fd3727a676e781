//! How a desktop's history was, in a real VictoriaLogs by each of the ways it takes it, and a history held to that.

use super::{CLUSTER, audit};
use anyhow::{Context as _, Result, ensure};
use sallyport_audit::{Action, ChainKey, Checkpoint, Draft, SealKey};
use sallyport_engine::{Access, Engine, PUSH_MOST, Record};
use sallyport_store::{History, Sealing};
use sallyport_testkit::VictoriaLogs;
use sallyport_testkit::process::{Launch, Scratch, wait_until};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

async fn goes_on(data: &Path, steps: usize) -> Result<()> {
    let sealing = Sealing { key: SealKey::new([9; 32]), former: None };
    let history = History::open_sealed(data, ChainKey::new([8; 32]), sealing).await?;
    for _ in 0..steps {
        history.append_durable(Draft::new(Action::Ask).user(&"oidc:ada".parse()?)).await?;
    }
    Ok(history.close().await?)
}

fn checkpoint_of(event: &str) -> Result<Value> {
    Ok(serde_json::from_str(event)?)
}

fn sequence(event: &str) -> u64 {
    checkpoint_of(event).ok().and_then(|event| event["sequence"].as_u64()).unwrap_or_default()
}

/// An anchor that was signed, with another signature; by its number the same text or another one.
fn forged(signed: &str, number: i64, at: i64) -> Result<Record> {
    let mut event = checkpoint_of(signed)?;
    let mut checkpoint: Value = serde_json::from_str(event["checkpoint"].as_str().context("its text")?)?;
    let time = checkpoint["time"].as_i64().context("a time")?;
    checkpoint["time"] = json!(time + number);
    checkpoint["signature"] = json!("A".repeat(86) + "==");
    event["checkpoint"] = json!(checkpoint.to_string());
    Ok(Record {
        id: format!("forged-{number}"),
        at,
        cluster: String::new(),
        fields: vec![("forged", "yes".to_owned())],
        event: event.to_string(),
        is_clipped: false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn p18_what_a_store_was_told_of_a_history_shows_that_it_was_cut() -> Result<()> {
    let logs = VictoriaLogs::start().await?;
    let scratch = Scratch::new("anchors")?;
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let (archive, data) = (file("archive"), scratch.path().join("data"));
    let event = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"id-1","stage":"ResponseComplete","verb":"get","user":{"username":"dana"},"stageTimestamp":"2026-11-30T02:00:00.000000Z"}"#;
    scratch.write("one.log", format!("{event}\n"))?;
    let import = audit(&["import", "--archive", &archive, "--cluster", CLUSTER, &file("one.log")]).await?;
    ensure!(import.code == 0, "{} {}", import.out, import.err);
    goes_on(&data, 20).await?;
    let (ca, credential) =
        (logs.ca_file().display().to_string(), logs.credential_file().display().to_string());
    let store = ["--ca", ca.as_str(), "--credential-file", credential.as_str()];
    let native = format!("victorialogs:{}", logs.url());
    let forward = async |to: &str| {
        let args = ["forward", "--archive", &archive, "--history", &file("data"), "-o", "json", "--to", to];
        let ran = audit(&[&args[..], &store].concat()).await?;
        ensure!(ran.code == 0, "{to}: {} {}", ran.out, ran.err);
        ran.json()
    };
    let told = forward(&native).await?;
    ensure!(told["anchors"] == 1 && told["steps"].as_u64() > Some(20), "{told}");
    let again = forward(&native).await?;
    ensure!(again["anchors"] == 0 && again["steps"] == 0 && again["unsealed"] == false, "{again}");

    // A copy of now, before it goes on: what somebody would like it to have been.
    let cut = scratch.path().join("cut");
    std::fs::create_dir(&cut)?;
    for one in std::fs::read_dir(&data)? {
        let one = one?;
        std::fs::copy(one.path(), cut.join(one.file_name()))?;
    }
    goes_on(&data, 5).await?;
    let ways = [format!("otlp:{}/insert/opentelemetry", logs.url()), format!("loki:{}/insert", logs.url())];
    for to in [&native, &ways[0], &ways[1]] {
        let told = forward(to).await?;
        ensure!(told["anchors"] == 1, "{to}: {told}");
    }

    let key = SealKey::new([9; 32]).public().fingerprint().to_string();
    let verify = async |history: &str, more: &[&str]| {
        let args = ["verify", "-o", "json", "--history", history, "--key", &key];
        let ran = audit(&[&args[..], more].concat()).await?;
        ensure!(!ran.out.is_empty(), "{}", ran.err);
        anyhow::Ok((ran.code, ran.json()?))
    };
    let in_place = [&["--anchors-from", native.as_str(), "--since", "1d"][..], &store].concat();
    // What was sent is in the store's memory for a moment.
    wait_until("both anchors in the store", Duration::from_secs(60), &[], async || {
        let found = verify(&file("data"), &in_place).await;
        found.is_ok_and(|(code, told)| code == 0 && told["anchorsMet"] == 2)
    })
    .await?;
    let (code, told) = verify(&file("cut"), &in_place).await?;
    ensure!(code == 1 && told["tampering"] == "truncated", "{told}");
    ensure!(told["notes"][0].as_str().is_some_and(|said| said.contains("victorialogs:")), "{told}");
    // Whoever may push to the store makes up what they like: copies that nobody signed, a moment later than what was, and a
    // crowd at its very moment.
    let kept = logs.ask("source:=sallyport anchor:*").await?;
    let signed = kept.iter().filter_map(|one| one["_msg"].as_str()).max_by_key(|event| sequence(event));
    let signed = signed.context("an anchor")?;
    let checkpoint = Checkpoint::parse(checkpoint_of(signed)?["checkpoint"].as_str().context("its text")?)?;
    let at = checkpoint.time.saturating_mul(1000);
    let mut made_up = vec![forged(signed, 0, at + 1_000_000)?];
    for number in 1..2_100 {
        made_up.push(forged(signed, number, at)?);
    }
    let access = Access::read(Some(logs.ca_file().as_path()), Some(logs.credential_file().as_path()), "")?;
    let engine = Engine::new(native.parse()?, &access)?;
    for some in made_up.chunks(PUSH_MOST) {
        engine.push(some).await?;
    }
    wait_until("all that is made up", Duration::from_secs(60), &[], async || {
        logs.ask("forged:*").await.is_ok_and(|found| found.len() == 2_100)
    })
    .await?;
    let (code, told) = verify(&file("data"), &in_place).await?;
    ensure!(code == 0 && told["anchorsMet"] == 2, "{told}");
    ensure!(told["notes"].to_string().contains("2100 checkpoints were not signed by the key"), "{told}");
    let (code, told) = verify(&file("cut"), &in_place).await?;
    ensure!(code == 1 && told["tampering"] == "truncated", "{told}");
    // A key that the store was told nothing of.
    let stranger = SealKey::new([1; 32]).public().fingerprint().to_string();
    let other = ["--anchors-from", &native, "--key", &stranger];
    let (code, told) = verify(&file("data"), &[&other[..], &store].concat()).await?;
    ensure!(code == 0 && told["anchorsMet"] == 2, "{told}");

    // What each way made of it, in a file.
    for (way, query) in [
        ("as it is", "source:=sallyport anchor:*"),
        ("otlp", "service.name:=kube-apiserver SallyportAnchor"),
        ("loki", r#"{source="sallyport"} checkpoint:*"#),
    ] {
        let mut found = Vec::new();
        wait_until(way, Duration::from_secs(60), &[], async || {
            found = logs.ask(query).await.unwrap_or_default();
            !found.is_empty()
        })
        .await?;
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        scratch.write("kept.jsonl", lines.join("\n"))?;
        let kept = ["--anchors", &file("kept.jsonl")];
        let (code, told) = verify(&file("data"), &kept).await?;
        ensure!(code == 0 && told["anchorsMet"].as_u64() > Some(0), "{way}: {told} {lines:?}");
        let (code, told) = verify(&file("cut"), &kept).await?;
        ensure!(code == 1 && told["tampering"] == "truncated", "{way}: {told}");
    }
    let otlp = audit(&["verify", "--history", &file("data"), "--anchors-from", &ways[0]]).await?;
    ensure!(otlp.code == 2 && otlp.err.contains("OTLP"), "{}", otlp.err);

    // What the app seals as it ends is told by whoever follows, also when that ends a moment later.
    let follow = Launch::new("forward", env!("CARGO_BIN_EXE_sallyport"), scratch.path())
        .args([
            "audit",
            "forward",
            "--follow",
            "--archive",
            &archive,
            "--history",
            &file("data"),
            "--to",
            &native,
        ])
        .args(store)
        .start()?;
    goes_on(&data, 3).await?;
    let more_than = async |many: u64, what: &str| {
        wait_until(what, Duration::from_secs(60), &[], async || {
            let found = verify(&file("data"), &in_place).await;
            found.is_ok_and(|(code, told)| code == 0 && told["anchorsMet"].as_u64() > Some(many))
        })
        .await
    };
    // It follows by now: a process that is ended before it does tells nothing.
    more_than(2, "the third anchor").await?;
    goes_on(&data, 3).await?;
    follow.end(Duration::from_secs(60)).await?;
    more_than(3, "the fourth anchor").await.context("nothing was told at the end")
}
