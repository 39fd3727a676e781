//! What programs take of the processor, by what the kernel says of them.

use crate::memory::children;
use anyhow::{Context as _, Result};
use std::fs;
use std::time::Duration;

/// Ticks of a second in `/proc/<pid>/stat`: USER_HZ, which is 100 wherever Linux shows it.
const TICKS: u64 = 100;

/// User and system time so far of each program that came from a process, without the process itself: its name, which the
/// kernel cuts after 15 characters, and its time.
///
/// # Errors
/// When nothing came from it.
pub fn of_children(pid: u32) -> Result<Vec<(String, Duration)>> {
    // One that has just ended takes nothing more.
    Ok(children(pid)?.into_iter().filter_map(|pid| of(pid).ok()).collect())
}

/// The name stands in brackets and may hold anything.
fn of(pid: u32) -> Result<(String, Duration)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (head, rest) = stat.rsplit_once(") ").context("a name in brackets")?;
    let name = head.split_once('(').context("a name in brackets")?.1.to_owned();
    let mut times = rest.split(' ').skip(11).map(str::parse::<u64>);
    let mut ticks = || times.next().context("the times of a process");
    let spent = ticks()?? + ticks()??;
    Ok((name, Duration::from_millis(spent * 1000 / TICKS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_takes_is_told_by_its_name() {
        let busy = "while :; do :; done";
        let mut child = std::process::Command::new("bash").args(["-c", busy]).spawn().unwrap();
        let began = std::time::Instant::now();
        loop {
            let all = of_children(std::process::id()).unwrap();
            if all.iter().any(|(name, spent)| name == "bash" && *spent > Duration::from_millis(50)) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it takes nothing: {all:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        let all = of_children(std::process::id()).unwrap();
        let longest = began.elapsed() + Duration::from_secs(1);
        assert!(all.iter().all(|(_, spent)| *spent < longest), "more than there was: {all:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
