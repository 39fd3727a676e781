//! The processes of a terminal: everything in the session its shell leads, whatever group a job is in.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::time::{Duration, Instant};

/// Signals every process of the session; says how many there were.
///
/// A process that left the session on purpose (`setsid`) is not found: it may be an editor with unsaved work. What it
/// inherited, the private kubeconfig, is gone, and the gateway refuses it.
pub(crate) fn signal(leader: Pid, signal: Signal) -> usize {
    let members = members(leader);
    for pid in &members {
        // It may have ended by itself in between.
        let _ = kill_process(*pid, signal);
        if signal == Signal::HUP {
            // A stopped job learns of its end only when it goes on.
            let _ = kill_process(*pid, Signal::CONT);
        }
    }
    members.len()
}

/// Kills every process of the session, and those they made meanwhile, without waiting for any.
pub(crate) fn kill(leader: Pid) {
    for _ in 0..10 {
        if signal(leader, Signal::KILL) == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks them to end, and kills those that have not after the grace. Blocks for at most the grace and 50 ms.
pub(crate) fn end(leader: Pid, grace: Duration) {
    if signal(leader, Signal::HUP) == 0 {
        return;
    }
    let until = Instant::now() + grace;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
        if members(leader).is_empty() {
            return;
        }
    }
    kill(leader);
}

/// The living processes whose session the shell leads (proc(5): the fourth field after the name).
#[cfg(target_os = "linux")]
fn members(leader: Pid) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name may contain anything, parentheses too; the last one closes it.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let state = fields.next()?;
            let session: i32 = fields.nth(2)?.parse().ok()?;
            let ended = matches!(state, "Z" | "X");
            (session == leader.as_raw_nonzero().get() && !ended).then_some(pid)
        })
        .collect()
}

/// Where there is no /proc, only the shell's own group is known.
#[cfg(not(target_os = "linux"))]
fn members(leader: Pid) -> Vec<Pid> {
    if rustix::process::test_kill_process(leader).is_ok() { vec![leader] } else { Vec::new() }
}

/// Ends the shell's group at once: for a drop, where nothing may wait.
pub(crate) fn drop_session(leader: Pid) {
    signal(leader, Signal::HUP);
    let _ = kill_process_group(leader, Signal::KILL);
    kill(leader);
}
