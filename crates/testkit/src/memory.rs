//! What a program holds of memory, by what the kernel says of it.

use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::fs;

/// The resident set of a process in bytes (`VmRSS`, proc_pid_status(5)).
///
/// # Errors
/// When it does not run.
pub fn resident(pid: u32) -> Result<u64> {
    field(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// The most that a process had resident so far, in bytes (`VmHWM`, proc_pid_status(5)).
///
/// # Errors
/// When it does not run.
pub fn peak(pid: u32) -> Result<u64> {
    field(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// The sum of the proportional set sizes (`Pss`, proc_pid_smaps_rollup(5)) of everything that came from a process, in bytes,
/// without the process itself: what they share counts once.
///
/// # Errors
/// When nothing came from it.
pub fn of_children(pid: u32) -> Result<u64> {
    // One that has just ended holds nothing.
    Ok(children(pid)?.iter().filter_map(|pid| field(&format!("/proc/{pid}/smaps_rollup"), "Pss:").ok()).sum())
}

/// Everything that came from a process, over any number of others.
pub(crate) fn children(pid: u32) -> Result<Vec<u32>> {
    let parents = parents()?;
    let mut family = vec![pid];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(child, _)| *child));
        at += 1;
    }
    ensure!(family.len() > 1, "process {pid} has no children");
    family.remove(0);
    Ok(family)
}

/// Each process, and which it came from (proc_pid_stat(5)).
fn parents() -> Result<BTreeMap<u32, u32>> {
    let names = fs::read_dir("/proc").context("read /proc")?;
    let pids = names.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // A name may hold blanks and brackets; after its last bracket come the state and the parent.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    Ok(pids.filter_map(|pid| Some((pid, parent(pid)?))).collect())
}

/// A field of kilobytes, in bytes.
fn field(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file).with_context(|| format!("read {file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.with_context(|| format!("{file} has no {name}"))?.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_holds_something_and_its_children_are_told_apart_from_it() {
        let own = std::process::id();
        assert!(resident(own).unwrap() > 100_000);
        assert!(resident(u32::MAX).is_err());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let of_child = of_children(own).unwrap();
        assert!((1..resident(own).unwrap() * 100).contains(&of_child), "{of_child}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
