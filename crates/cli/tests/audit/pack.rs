//! A pack that clusters' events go with, made and checked by the program itself.

use super::audit;
use super::history::Desk;
use super::questions::{event, imported};
use anyhow::{Context as _, Result, ensure};
use sallyport_audit::{Action, Draft};
use sallyport_model::Digest;
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;

/// What stands in a member of a pack.
fn member(desk: &Desk, pack: &str, name: &str) -> Result<String> {
    let mut read = tar::Archive::new(fs::File::open(desk.path(pack))?);
    for member in read.entries()? {
        let mut member = member?;
        if member.path()?.ends_with(name) {
            let mut text = String::new();
            member.read_to_string(&mut text)?;
            return Ok(text);
        }
    }
    anyhow::bail!("{pack} has no {name}")
}

#[tokio::test]
async fn events_of_clusters_go_with_a_pack_and_are_proven_to_be_no_more_than_they_are() -> Result<()> {
    let desk = Desk::new().await?;
    let dir = tempfile::tempdir()?;
    let ok = json!({"responseStatus": {"code": 200}});
    let secret = json!({"responseStatus": {"code": 200}, "userAgent": "x Zm9vYmFyYmF6Zm9vMTIzNDU2Nzg5MGFi"});
    let lines = [
        event("a-1", "ResponseComplete", &ok),
        event("a-2", "RequestReceived", &json!({})),
        event("a-2", "ResponseComplete", &secret),
        event("a-3", "ResponseComplete", &json!({"requestReceivedTimestamp": "2026-10-01T12:00:00.000000Z"})),
    ];
    let archive = imported(dir.path(), &lines).await?;
    let key = desk.fingerprint();
    let ran = desk.export("pack.tar", &["--events", &archive, "--since", "2026-11-01"]).await?;
    ensure!(
        ran.code == 0 && ran.out.contains("2 events of clusters go with it (eu-1 2)"),
        "{} {}",
        ran.out,
        ran.err
    );
    let events = member(&desk, "pack.tar", "events.jsonl")?;
    let told: Vec<Value> = events.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(told.len() == 2 && told.iter().all(|one| one["cluster"] == "eu-1"), "{events}");
    ensure!(!events.contains("Zm9v"), "{events}");
    ensure!(events.contains("[redacted]") || events.contains("looks like a secret"), "{events}");
    let sha256 = Digest::of(events.as_bytes()).to_string();
    ensure!(ran.out.contains(&format!("--events {sha256}")), "{}", ran.out);
    let page = member(&desk, "pack.tar", "report.html")?;
    ensure!(page.contains("What clusters tell") && page.contains(&sha256), "the page names them");

    // Where a sealed entry says that they leave, as the window writes it before it makes a pack.
    desk.note(Draft::new(Action::Exported).detail("events_sha256", &sha256)).await?;
    let ran = desk.export("vouched.tar", &["--events", &archive, "--since", "2026-11-01"]).await?;
    ensure!(ran.code == 0, "{} {}", ran.out, ran.err);

    // On a machine that has nothing of ours.
    fs::rename(desk.path("data"), desk.path("gone"))?;
    let pack = desk.path("pack.tar");
    let verify =
        async |of: &str, more: &[&str]| desk.verify(&[of], &[&["--key", &key][..], more].concat()).await;
    let (code, told) = verify(&pack, &[]).await?;
    ensure!(code == 2 && told["tampering"].is_null(), "nobody signs which they are: {told}");
    ensure!(told["events"]["events"] == 2 && told["events"]["entry"].is_null(), "{told}");
    ensure!(told["notes"].to_string().contains(&sha256), "{told}");
    let (code, told) = verify(&pack, &["--events", &sha256]).await?;
    ensure!(code == 0 && told["verdict"] == "verified" && told["events"]["clusters"]["eu-1"] == 2, "{told}");
    let (code, told) = verify(&pack, &["--events", &"ab".repeat(32)]).await?;
    ensure!(code == 1 && told["tampering"] == "edited", "{told}");
    let text = audit(&["verify", &pack, "--key", &key, "--events", &sha256]).await?;
    ensure!(text.out.contains("the clusters' own logs are the authority"), "{}", text.out);

    let (code, told) = verify(&desk.path("vouched.tar"), &[]).await?;
    ensure!(code == 0 && told["verdict"] == "verified" && told["events"]["entry"].is_u64(), "{told}");
    let text = audit(&["verify", &desk.path("vouched.tar"), "--key", &key]).await?;
    ensure!(
        text.out.contains(&format!("entry {} says left with it", told["events"]["entry"])),
        "{}",
        text.out
    );

    for (what, change) in [
        ("edited", &(|text: String| text.replacen("web", "wob", 1)) as &dyn Fn(String) -> String),
        ("cut", &|text| text.lines().next().unwrap_or_default().to_owned() + "\n"),
        ("a line more", &|text| text.clone() + text.lines().next().unwrap_or_default() + "\n"),
    ] {
        let changed = desk.change("pack.tar", "events.jsonl", change)?.display().to_string();
        for more in [&[][..], &["--events", &sha256]] {
            let (code, told) = verify(&changed, more).await?;
            ensure!(code == 1 && told["tampering"] == "edited" && told["events"].is_null(), "{what}: {told}");
        }
    }
    let renamed = desk.change("pack.tar", "manifest.json", |text| text.replace("\"eu-1\"", "\"eu-2\""))?;
    let (code, told) = verify(&renamed.display().to_string(), &[]).await?;
    ensure!(code == 1 && told["tampering"] == "edited", "{told}");
    Ok(())
}

#[tokio::test]
async fn what_an_archive_lacks_is_counted_in_the_pack_and_told_by_whoever_checks_it() -> Result<()> {
    let desk = Desk::new().await?;
    let dir = tempfile::tempdir()?;
    let lines = [event("a-1", "ResponseComplete", &json!({}))];
    let archive = imported(dir.path(), &lines).await?;
    let folder = dir.path().join("archive");
    fs::write(folder.join("segment-00000009.db"), "garbage ".repeat(4096))?;
    let db = rusqlite::Connection::open(folder.join("segment-00000001.db"))?;
    db.execute("UPDATE raw SET frame = zeroblob(length(frame))", [])?;
    drop(db);
    let ran = desk.export("pack.tar", &["--events", &archive]).await?;
    ensure!(ran.code == 0, "{} {}", ran.out, ran.err);
    for said in [
        "1 files of the archive could not be opened",
        "1 events of clusters are in it by what is kept to find them",
    ] {
        ensure!(ran.out.contains(said), "{}", ran.out);
        ensure!(member(&desk, "pack.tar", "report.html")?.contains(said), "{said}");
    }
    let (_, told) = desk.verify(&[&desk.path("pack.tar")], &["--key", &desk.fingerprint()]).await?;
    ensure!(told["events"]["unreadFiles"] == 1 && told["events"]["inPart"] == 1, "{told}");
    ensure!(told["notes"].to_string().contains("whoever made the pack says: 1 files"), "{told}");

    // Sessions are known by their accounts there, and what none of them made goes with none of them.
    let ran = desk.export("none.tar", &["--events", &archive, "--session", "s1"]).await?;
    ensure!(ran.code == 0 && ran.out.contains("0 events of clusters go with it"), "{}", ran.out);
    for wrong in [&["--events", "/nonexistent"][..], &["--events", &archive, "--format", "csv"]] {
        let ran = desk.export("wrong.tar", wrong).await?;
        ensure!(ran.code == 2 && !ran.err.is_empty(), "{wrong:?}: {}", ran.out);
        ensure!(!fs::exists(desk.path("wrong.tar"))?, "{wrong:?}");
    }
    let none = member(&desk, "none.tar", "events.jsonl").context("an empty file")?;
    ensure!(none.is_empty(), "{none}");
    Ok(())
}
