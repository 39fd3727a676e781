//! Nothing may be left of a demo.

use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// No child of ours runs any more. What was told to end a moment ago gets five seconds.
pub(crate) async fn nothing_runs() -> Result<()> {
    let began = Instant::now();
    loop {
        let running = children();
        if running.is_empty() {
            return Ok(());
        }
        ensure!(began.elapsed() < Duration::from_secs(5), "still running: {}", running.join(", "));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// No process works with a file under `folder`, and it is gone.
pub(crate) async fn nothing_names(folder: &Path) -> Result<()> {
    let began = Instant::now();
    loop {
        let named = folder.display().to_string();
        let users =
            processes(|dir| ["cmdline", "environ"].iter().any(|f| read(&dir.join(f)).contains(&named)));
        if users.is_empty() && !folder.exists() {
            return Ok(());
        }
        ensure!(
            began.elapsed() < Duration::from_secs(5),
            "{named} is used by {users:?} (exists: {})",
            folder.exists()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
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
