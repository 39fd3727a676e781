//! CPU time of the processes that this one started, from `/proc`.

use anyhow::{Context as _, Result};
use std::time::Duration;

/// Ticks of a second in `/proc/<pid>/stat`: USER_HZ, which is 100 wherever Linux shows it.
const TICKS: u64 = 100;

/// User and system time of each child of this process that has this name, which the kernel cuts after 15 characters.
///
/// # Errors
/// Where the kernel does not say it.
pub fn of_children(name: &str) -> Result<Vec<Duration>> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        // Whatever has ended meanwhile, and what is no process.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((head, rest)) = stat.rsplit_once(") ") else { continue };
        let is_ours = rest.split(' ').nth(1) == Some(own.as_str());
        if is_ours && head.split_once('(').is_some_and(|(_, comm)| comm == name) {
            found.push(times(&stat).with_context(|| format!("the times of {name}"))?);
        }
    }
    Ok(found)
}

/// The name stands in brackets and may hold anything.
fn times(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(Duration::from_millis((user + system) * 1000 / TICKS))
}
