//! `sallyport audit query --engine`: a real VictoriaLogs answers as the archive that it was fed from.

use super::{CLUSTER, audit};
use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::process::Scratch;
use sallyport_testkit::{Ran, VictoriaLogs};
use serde_json::Value;
use std::collections::BTreeSet;

const EVENTS: usize = 3000;

fn line(number: usize) -> String {
    let (verb, code) = [("get", 200), ("delete", 200), ("create", 403)][number % 3];
    let (user, resource) = [("dana@example", "pods"), ("eva", "secrets")][number % 2];
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-{number}","stage":"ResponseComplete","requestURI":"/x","verb":"{verb}","user":{{"username":"{user}"}},"objectRef":{{"resource":"{resource}","namespace":"ns-{}","name":"p-{number}","apiVersion":"v1"}},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"2026-11-30T02:{:02}:{:02}.{number:06}Z","stageTimestamp":"2026-11-30T02:{:02}:{:02}.{number:06}Z"}}"#,
        number % 7,
        number / 60 % 60,
        number % 60,
        number / 60 % 60,
        number % 60,
    )
}

fn ids(ran: &Ran) -> Result<Vec<String>> {
    let view = ran.json()?;
    let calls = view["calls"].as_array().with_context(|| format!("no calls: {} {}", ran.out, ran.err))?;
    Ok(calls.iter().map(|call| call["auditId"].to_string()).collect())
}

/// The folders that looks make, whoever's.
fn looks() -> Result<BTreeSet<String>> {
    let all = std::fs::read_dir(std::env::temp_dir())?.filter_map(Result::ok);
    let names = all.map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.starts_with("sallyport-look-")).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_answers_in_place_as_the_archive_does_and_says_what_was_not_looked_at() -> Result<()> {
    let logs = VictoriaLogs::start().await?;
    let before = looks()?;
    let scratch = Scratch::new("query")?;
    let file = |name: &str| scratch.path().join(name).display().to_string();
    scratch.write("audit.log", (0..EVENTS).map(line).collect::<Vec<_>>().join("\n") + "\n")?;
    let archive = file("archive");
    let import = ["import", "--archive", &archive, "--cluster", CLUSTER, &file("audit.log")];
    ensure!(audit(&import).await?.code == 0);
    let (ca, credential) =
        (logs.ca_file().display().to_string(), logs.credential_file().display().to_string());
    let store = ["--ca", &ca, "--credential-file", &credential];
    let native = format!("victorialogs:{}", logs.url());
    // As it is, and taken apart into fields.
    for to in [native.clone(), format!("loki:{}/insert", logs.url())] {
        let sent = audit(&[&["forward", "--archive", &archive, "--to", &to][..], &store].concat()).await?;
        ensure!(sent.code == 0, "{} {}", sent.out, sent.err);
    }
    logs.ask("* | count()").await?;

    let asked = ["query", "--since", "2026-11-30", "--cluster", CLUSTER, "-o", "json"];
    let shapes = ["id:*", r#"{source="sallyport"} -id:*"#];
    let questions: [&[&str]; 8] = [
        &["--limit", "70"],
        &["--person", "dana@example", "--verb", "delete", "--limit", "2000"],
        &["--resource", "secrets", "-n", "ns-3", "-n", "ns-5", "--limit", "2000"],
        &["--name", "p-77"],
        &["--name", "p-7"],
        &["--code", "403", "--text", "ns-2", "--limit", "2000"],
        &["--until", "2026-11-30T02:10:00Z", "--limit", "2000"],
        &["--name", "nobody"],
    ];
    for question in questions {
        let from_archive = audit(&[&asked[..], question, &["--archive", &archive]].concat()).await?;
        let expected = ids(&from_archive)?;
        for shape in shapes {
            let engine = ["--engine", &native, "--filter", shape];
            let in_place = audit(&[&asked[..], question, &engine, &store].concat()).await?;
            ensure!(in_place.code == from_archive.code, "{question:?}: {} {}", in_place.out, in_place.err);
            ensure!(ids(&in_place)? == expected, "{question:?} {shape}: {}", in_place.out);
        }
    }

    // Of more records than are read, the last ones; and that is said.
    let part = ["--engine", &native, "--filter", shapes[0], "--records", "1000", "--limit", "5"];
    let part = audit(&[&asked[..], &part, &store].concat()).await?;
    let view = part.json()?;
    ensure!(part.code == 2 && view["isWhole"] == false && view["notBefore"].is_string(), "{view}");
    ensure!(ids(&part)?.first().is_some_and(|id| id.contains(&format!("id-{}", EVENTS - 1))), "{view}");
    let counted = ["--engine", &native, "--filter", shapes[0], "--count", "--person", "eva"];
    let counted = audit(&[&asked[..], &counted, &store].concat()).await?.json()?;
    ensure!(counted["count"] == EVENTS / 2 && counted["isWhole"] == true, "{counted}");

    // Nothing of it stays.
    let left: Vec<_> = looks()?.difference(&before).cloned().collect();
    ensure!(left.is_empty(), "a look left its folder: {left:?}");
    let wrong = audit(&["query", "--engine", &native, "--cluster", CLUSTER]).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("--since"), "{}", wrong.err);
    ensure!(view.get("calls").is_some_and(Value::is_array));
    Ok(())
}
