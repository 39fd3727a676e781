//! `sallyport audit forward`: an archive's events to a real VictoriaLogs, by each of the ways it takes them.

use super::{CLUSTER, audit, import};
use anyhow::{Context as _, Result, ensure};
use sallyport_audit::{Action, Draft};
use sallyport_store::History;
use sallyport_testkit::VictoriaLogs;
use sallyport_testkit::process::{Launch, Process, Scratch, wait_until};
use std::time::Duration;

const EVENTS: usize = 2500;
/// What came by Loki's push: it has no `id`.
const BY_LOKI: &str = r#"{source="sallyport"} -id:*"#;

fn line(number: usize) -> String {
    // One is longer than stores take, by what was sent and what was answered; each as long as is kept of it.
    let parts = if number == 7 { 1230 } else { 1 };
    let filler: Vec<String> = (0..parts).map(|n| format!(r#""k{n}":"{}""#, "x".repeat(40))).collect();
    let filler = filler.join(",");
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-{number}","stage":"ResponseComplete","verb":"get","user":{{"username":"dana"}},"objectRef":{{"resource":"pods","namespace":"shop","name":"p-{number}"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-11-30T02:00:00.{number:06}Z","stageTimestamp":"2026-11-30T02:00:00.{number:06}Z","requestObject":{{"kind":"Pod","spec":{{{filler}}}}},"responseObject":{{"kind":"Pod","spec":{{{filler}}}}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_handed_on_once_and_on_from_where_it_was() -> Result<()> {
    let mut logs = VictoriaLogs::start().await?;
    let scratch = Scratch::new("forward")?;
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let lines: Vec<String> = (0..EVENTS).map(line).collect();
    scratch.write("audit.log", lines.join("\n") + "\n")?;
    let archive = file("archive");
    let import = ["import", "--archive", &archive, "--cluster", CLUSTER, &file("audit.log")];
    ensure!(audit(&import).await?.code == 0);
    let credential = logs.credential_file().display().to_string();
    let ca = logs.ca_file().display().to_string();
    let forward = |to: String| {
        let archive = archive.clone();
        let store = ["--ca".to_owned(), ca.clone(), "--credential-file".to_owned(), credential.clone()];
        async move {
            let args = ["forward", "--archive", &archive, "-o", "json", "--patience", "3", "--to", &to];
            let store: Vec<&str> = store.iter().map(String::as_str).collect();
            audit(&[&args[..], &store[..]].concat()).await
        }
    };
    let native = format!("victorialogs:{}", logs.url());
    let first = forward(native.clone()).await?;
    ensure!(first.code == 0, "{} {} {}", first.code, first.out, first.err);
    let first = first.json()?;
    ensure!(first["sent"] == EVENTS && first["clipped"] == 1 && first["damaged"] == 0, "{first}");
    let there = logs.ask("source:=sallyport | count_uniq(id) ids, count() all").await?;
    let all = EVENTS.to_string();
    ensure!(there[0]["ids"] == all && there[0]["all"] == all, "{there:?}");
    let fields = logs.ask("name:=p-9 | fields user,verb,namespace,code,cluster,stage").await?;
    ensure!(fields.len() == 1 && fields[0]["user"] == "dana" && fields[0]["code"] == "200", "{fields:?}");

    // Nothing new, then something new.
    let again = forward(native.clone()).await?.json()?;
    ensure!(again["sent"] == 0, "{again}");
    scratch.write("more.log", (EVENTS..EVENTS + 10).map(line).collect::<Vec<_>>().join("\n") + "\n")?;
    let import = ["import", "--archive", &archive, "--cluster", CLUSTER, &file("more.log")];
    ensure!(audit(&import).await?.code == 0);
    // While the store is away nothing is lost, and it is said.
    logs.end().await?;
    let away = forward(native.clone()).await?;
    ensure!(away.code == 2 && away.json()?["error"].is_string(), "{} {}", away.code, away.out);
    logs.go_on().await?;
    let more = forward(native.clone()).await?.json()?;
    ensure!(more["sent"] == 10, "{more}");

    // OTLP, and Loki's push, each with a place of its own.
    let all = (EVENTS + 10).to_string();
    for (to, found, one) in [
        (
            format!("otlp:{}/insert/opentelemetry", logs.url()),
            "service.name:=kube-apiserver",
            "audit_id:=id-9",
        ),
        (format!("loki:{}/insert", logs.url()), BY_LOKI, "auditID:=id-9"),
    ] {
        let sent = forward(to.clone()).await?;
        ensure!(sent.code == 0, "{to}: {} {} {}", sent.code, sent.out, sent.err);
        ensure!(sent.json()?["sent"] == EVENTS + 10, "{to}: {}", sent.out);
        let count = logs.ask(&format!("{found} | count() all")).await?;
        ensure!(count[0]["all"] == all, "{to}: {count:?}");
        let one = logs.ask(&format!("{found} {one}")).await?;
        ensure!(one.len() == 1 && one[0]["verb"] == "get", "{one:?}");
    }

    // What Loki's clients send, VictoriaLogs takes apart; it is put together again.
    let other = file("other");
    let pull = ["pull", "--archive", &other, "--cluster", CLUSTER, "-o", "json", "--from", &native];
    let pull = [&pull[..], &["--filter", BY_LOKI, "--since", "2026-11-30", "--ca", &ca]].concat();
    let pulled = audit(&[&pull[..], &["--credential-file", &credential]].concat()).await?;
    ensure!(pulled.code == 0 && pulled.json()?["events"] == EVENTS + 10, "{} {}", pulled.out, pulled.err);
    let asked = ["query", "--archive", &other, "--name", "p-9", "--person", "dana", "--resource", "pods"];
    let asked = audit(&[&asked[..], &["--code", "200", "-n", "shop", "--count"]].concat()).await?;
    ensure!(asked.out.trim() == "1", "{} {}", asked.out, asked.err);
    Ok(())
}

/// A place is of one archive: in another one it would pass over whatever lies before it, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_of_another_archive_is_said_and_nothing_is_passed_over() -> Result<()> {
    let logs = VictoriaLogs::start().await?;
    let scratch = Scratch::new("place")?;
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let import = async |archive, from, to| import(&scratch, &file(archive), from..to, line).await;
    let (to, place) = (format!("victorialogs:{}", logs.url()), file("place.json"));
    let (ca, credential) =
        (logs.ca_file().display().to_string(), logs.credential_file().display().to_string());
    let forward = async |archive: &str| {
        let archive = file(archive);
        let args = ["forward", "--archive", &archive, "-o", "json", "--to", &to, "--position", &place];
        audit(&[&args[..], &["--ca", &ca, "--credential-file", &credential]].concat()).await
    };
    import("first", 0, 20).await?;
    let first = forward("first").await?;
    ensure!(first.code == 0 && first.json()?["sent"] == 20, "{} {}", first.out, first.err);
    // Made anew: shorter than the one before, of the same length, and longer.
    for (name, from, to) in [("shorter", 100, 105), ("as-long", 200, 220), ("longer", 300, 340)] {
        import(name, from, to).await?;
        let other = forward(name).await?;
        ensure!(
            other.code == 2 && other.err.contains("of another archive") && other.err.contains("place.json"),
            "{name}: {} {} {}",
            other.code,
            other.out,
            other.err
        );
    }
    import("first", 20, 25).await?;
    let more = forward("first").await?;
    ensure!(more.code == 0 && more.json()?["sent"] == 5, "{} {}", more.out, more.err);
    // As it was written before it said what stands there.
    let text: serde_json::Value = serde_json::from_slice(&std::fs::read(&place)?)?;
    let before = serde_json::json!({"to": text["to"], "after": text["after"]});
    scratch.write("place.json", before.to_string())?;
    ensure!(forward("shorter").await?.code == 2, "there never were so many");
    let same = forward("first").await?;
    ensure!(same.code == 0 && same.json()?["sent"] == 0, "{} {}", same.out, same.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_is_not_told_it_does_not_guess() -> Result<()> {
    let scratch = Scratch::new("forward")?;
    let archive = scratch.path().join("archive").display().to_string();
    let none = audit(&["forward", "--archive", &archive, "--to", "otlp:https://x.example"]).await?;
    ensure!(none.code == 2 && none.err.contains("no archive"), "{}", none.err);
    for (to, why) in [
        ("otlp:http://x.example", "https://"),
        ("otlp:https://a:b@x.example", "file"),
        ("splunk:https://x.example", "victorialogs:"),
    ] {
        let refused = audit(&["forward", "--archive", &archive, "--to", to]).await?;
        ensure!(refused.code == 2 && refused.err.contains(why), "{to}: {}", refused.err);
    }
    Ok(())
}

/// How long something may take to be in the store.
const ARRIVES: Duration = Duration::from_secs(60);

async fn arrives(logs: &VictoriaLogs, process: &Process, query: &str, many: usize) -> Result<()> {
    let query = format!("{query} | count_uniq(id) ids");
    wait_until(&format!("{many} of {query}"), ARRIVES, &[process], async || {
        let found = logs.ask(&query).await.unwrap_or_default();
        found.first().is_some_and(|found| found["ids"] == many.to_string().as_str())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_is_handed_on_by_itself_over_a_store_that_is_away_and_a_process_that_is_killed()
-> Result<()> {
    let mut logs = VictoriaLogs::start().await?;
    let scratch = Scratch::new("follow")?;
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let archive = file("archive");
    let import = async |from, to| import(&scratch, &archive, from..to, line).await;
    // Steps of a desktop, one of them with what looks like a secret, and a call that API servers tell of.
    let history = History::open(&scratch.path().join("data"), None).await?;
    let sign_in = Draft::new(Action::SignIn).user(&"oidc:ada".parse()?);
    history.append_durable(sign_in.detail("note", "password=hunter2hunter2")).await?;
    history.append_durable(Draft::new(Action::Call).detail("verb", "get")).await?;
    history.append_durable(Draft::new(Action::Ask).user(&"oidc:ada".parse()?)).await?;
    history.close().await?;
    import(0, 100).await?;

    let (ca, credential, logs_url) = (logs.ca_file(), logs.credential_file(), logs.url());
    let start = || -> Result<Process> {
        Launch::new("forward", env!("CARGO_BIN_EXE_sallyport"), scratch.path())
            .args(["audit", "forward", "--follow", "--archive", &archive, "-o", "json"])
            .args(["--to", &format!("victorialogs:{}", logs_url), "--history", &file("data")])
            .arg("--ca")
            .arg(ca.display().to_string())
            .arg("--credential-file")
            .arg(credential.display().to_string())
            .start()
    };
    let (events, steps) = ("source:=sallyport verb:*", "source:=sallyport action:*");
    let first = start()?;
    arrives(&logs, &first, events, 100).await?;
    arrives(&logs, &first, "source:=sallyport user:=\"oidc:ada\" action:*", 2).await?;
    let told = logs.ask(&format!("{steps} | fields _msg,action")).await?;
    let told = format!("{told:?}");
    ensure!(!told.contains("hunter2") && !told.contains("\"call\""), "{told}");

    // Others have the archive in between, and what is new comes by itself.
    import(100, 150).await?;
    arrives(&logs, &first, events, 150).await?;
    // While the store is away it waits in the archive; killed in the middle of that, the next one goes on from there.
    logs.end().await?;
    import(150, 200).await?;
    drop(first);
    import(200, 250).await?;
    logs.go_on().await?;
    let second = start()?;
    arrives(&logs, &second, events, 250).await?;
    let all = logs.ask(&format!("{events} | count() all, count_uniq(id) ids")).await?;
    let all = all.first().context("a count")?;
    ensure!(all["ids"] == "250", "{all}");
    second.end(Duration::from_secs(60)).await?;
    Ok(())
}
