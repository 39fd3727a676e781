//! A support bundle of a desktop with a session open, whose log holds everything that must never leave: none of it is in the
//! file, in no encoding, and what was shown is what is written.

use crate::lines::Lines;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use sallyport_app::{LogTail, Options};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, id_token, options, until, walk};
use sallyport_ipc::{AuditEntryView, AuditFilter, BundleView, SessionState};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// So many characters of a secret in a row would help somebody.
const TELLING: usize = 16;

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let mut log = LogTail::default();
    let options = Options { log: log.clone(), ..options(fleet) };
    let desktop = Desktop::with(fleet, "dana", tempfile::tempdir()?, options).await?;
    desktop.app.workspace_join(fleet.workspace_file()).await?;
    desktop.app.sign_in(None).await?;
    desktop.until_listed(fleet).await?;
    let target = fleet.target();
    let session = desktop.open(target.spec.name, "debug-prod").await?;
    lines.seen("a session is open", target.spec.name);

    let secrets = secrets(fleet, &desktop).await?;
    let user = desktop.app.app_state().await?.user.context("nobody is signed in")?.name;
    for (what, secret) in &secrets {
        writeln!(log, "WARN {what}: {secret}")?;
        writeln!(log, "WARN sent {}", STANDARD.encode(secret))?;
        writeln!(log, "WARN body {}", serde_json::json!({"sa-token": secret, "as": user.as_str()}))?;
        writeln!(log, "WARN asked /x?access_token={} of {}", secret.replace('\n', "%0A"), target.spec.name)?;
    }
    lines
        .seen("its log holds what must never leave", format!("{} secrets, each in four ways", secrets.len()));

    let view = desktop.app.support_preview(false).await?;
    lines.seen("the bundle is shown", format!("{} files, {} taken out", view.files.len(), view.redactions));
    let place = desktop.home.path().join("support.tar.gz");
    desktop.app.support_write(view.id.clone(), place.display().to_string()).await?;
    let mode = std::fs::metadata(&place)?.permissions().mode() & 0o777;
    let bytes = unpacked(&place)?;
    lines.check("written for its owner alone", mode == 0o600, format!("{mode:o}"));
    lines.check("what was shown is what is written", bytes == shown(&view), format!("{} bytes", bytes.len()));
    for (what, secret) in &secrets {
        let found = telling(secret).find(|part| bytes.contains(part.as_str()));
        lines.check(&format!("nothing of {what} is in it (P1)"), found.is_none(), found.unwrap_or_default());
    }
    for (what, word) in
        [("the person", user.as_str()), ("the cluster", target.spec.name), ("the reason", "INC-4312")]
    {
        lines.check(&format!("it does not name {what}"), !bytes.contains(word), "");
    }
    lines.check(
        "it says that a session is open",
        bytes.contains(&session.id) && bytes.contains("Open under"),
        "",
    );

    let again = desktop.app.support_write(view.id, place.display().to_string()).await;
    lines.check(
        "nothing is written over",
        again.is_err(),
        again.err().map(|e| e.message().to_owned()).unwrap_or_default(),
    );
    // Entries are on disk within 100 ms; a busy machine takes longer.
    let entry = until("the entry", Duration::from_secs(60), async || {
        let page = desktop.app.audit_page(AuditFilter::default(), None, 200).await.ok()?;
        let is_it =
            |entry: &AuditEntryView| entry.action == "support_bundle" && entry.sentence.contains("files");
        page.entries.into_iter().find(is_it)
    })
    .await;
    lines.check(
        "the history says so",
        entry.is_ok(),
        entry.map_or(String::new(), |entry| entry.sentence.to_string()),
    );
    desktop.app.session_leave(session.id.clone()).await?;
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    desktop.app.shut_down().await;
    Ok(())
}

/// What a desktop holds while a session is open, and what is like it.
async fn secrets(fleet: &Fleet, desktop: &Desktop) -> Result<Vec<(&'static str, String)>> {
    let kubeconfig = std::fs::read_to_string(desktop.kubeconfig()?)?;
    let (_, key) = kubeconfig.split_once("client-key-data").context("the kubeconfig has no key")?;
    let is_around = |c: char| c.is_whitespace() || ['"', ':', ','].contains(&c);
    let key = key.trim_start_matches(is_around).split(is_around).next().unwrap_or_default().to_owned();
    anyhow::ensure!(key.len() > 100, "the key is {} characters long", key.len());
    let pem = String::from_utf8(STANDARD.decode(&key)?)?;
    let account = fleet.target().plane.kubectl();
    let token = account.ok(&["create", "token", "default", "-n", "payments"]).await?.trim().to_owned();
    let mut all = vec![
        ("the private kubeconfig's key", key),
        ("that key as PEM", pem),
        ("a token of the cluster", token),
        ("an ID token", id_token(fleet, "dana").await?),
    ];
    // Whatever lies in the vault's file, where there is one: with no keyring there is none.
    for file in walk(&desktop.home.path().join("data"))? {
        if file.to_string_lossy().contains("vault") {
            all.push(("the vault's file", STANDARD.encode(std::fs::read(file)?)));
        }
    }
    Ok(all)
}

/// Every part of a secret that would help somebody, as it is and in base64.
fn telling(secret: &str) -> impl Iterator<Item = String> {
    // The words around a key are no secret.
    let bare: String = secret.lines().filter(|line| !line.starts_with("-----")).collect();
    let encoded = STANDARD.encode(secret);
    let parts = |text: String| {
        let letters: Vec<char> = text.chars().collect();
        letters.windows(TELLING).map(String::from_iter).collect::<Vec<_>>()
    };
    parts(bare).into_iter().chain(parts(encoded))
}

fn shown(view: &BundleView) -> String {
    view.files.iter().flat_map(|file| &file.lines).map(|line| format!("{line}\n")).collect()
}

fn unpacked(path: &Path) -> Result<String> {
    let mut text = String::new();
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(path)?));
    for entry in archive.entries()? {
        entry?.read_to_string(&mut text)?;
    }
    Ok(text)
}
