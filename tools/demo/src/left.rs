//! Nothing may be left of a demo.

use anyhow::{Result, bail};
use sallyport_testkit::process::Scratch;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long what was told to end a moment ago may take.
const SOON: Duration = Duration::from_secs(10);

/// Nothing of the demo is left: no file in its folder, and no child. Without a child nobody listens on a port of ours.
pub(crate) async fn nothing(folder: Scratch) -> Result<()> {
    until(async || match entries(folder.path()) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("files are left in {}: {}", folder.path().display(), left.join(", "))),
    })
    .await?;
    let path = folder.path().to_owned();
    drop(folder);
    nothing_names(&path).await?;
    until(async || match children() {
        running if running.is_empty() => Ok(()),
        running => Err(format!("still running: {}", running.join(", "))),
    })
    .await
}

/// No process works with a file under `folder`, and it is gone.
pub(crate) async fn nothing_names(folder: &Path) -> Result<()> {
    let named = folder.display().to_string();
    until(async || {
        let users =
            processes(|dir| ["cmdline", "environ"].iter().any(|f| read(&dir.join(f)).contains(&named)));
        if users.is_empty() && !folder.exists() {
            return Ok(());
        }
        Err(format!("{named} is used by {users:?} (exists: {})", folder.exists()))
    })
    .await
}

/// Asks until there is nothing to complain about.
async fn until(ask: impl AsyncFn() -> Result<(), String>) -> Result<()> {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(()) => return Ok(()),
            Err(why) if began.elapsed() > SOON => bail!(why),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).into_iter().flatten().flatten();
    all.map(|entry| entry.file_name().display().to_string()).collect()
}

fn children() -> Vec<String> {
    let own = format!("PPid:\t{}\n", std::process::id());
    processes(|dir| {
        let status = read(&dir.join("status"));
        status.contains(&own) && !status.contains("State:\tZ")
    })
}

fn processes(chosen: impl Fn(&Path) -> bool) -> Vec<String> {
    let own = std::process::id().to_string();
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = all.filter(|e| {
        e.file_name().to_str().is_some_and(|n| n != own && n.bytes().all(|b| b.is_ascii_digit()))
    });
    all.filter(|e| chosen(&e.path()))
        .map(|e| format!("{} {}", e.file_name().display(), read(&e.path().join("comm")).trim()))
        .collect()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
