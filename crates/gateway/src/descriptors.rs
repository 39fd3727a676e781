//! File descriptors, of which a process has a bounded number and every connection takes one.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::fs::File;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// As many as the gateway asks for. Not all there may be: what is started from here inherits the limit, and some
/// programs walk through every descriptor up to it.
const WANTED: u64 = 8192;

/// Raises the soft limit (setrlimit(2)) as far as the hard one allows; says how many descriptors there are.
pub(crate) fn raise() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    let wanted = WANTED.min(limit.maximum.unwrap_or(u64::MAX));
    if now >= wanted {
        return now;
    }
    limit.current = Some(wanted);
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, now, "the limit of open files could not be raised");
            now
        }
    }
}

/// A descriptor kept back for when there is no other: with it a connection that can't be served is taken and closed,
/// where it would else wait until its client gives up.
pub(crate) struct Spare(Option<File>);

impl Spare {
    pub(crate) fn new() -> Self {
        Self(File::open("/dev/null").ok())
    }

    /// Has one again, if it could not before.
    pub(crate) fn keep(&mut self) {
        if self.0.is_none() {
            self.0 = File::open("/dev/null").ok();
        }
    }

    /// After `accept` failed: turns one connection away, if it was for want of descriptors.
    pub(crate) async fn turn_away(
        &mut self,
        listener: &TcpListener,
        error: &std::io::Error,
        within: Duration,
    ) {
        let none_left = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(|e| e.raw_os_error());
        if !error.raw_os_error().is_some_and(|code| none_left.contains(&code)) {
            return tokio::time::sleep(within).await;
        }
        self.0 = None;
        if let Ok(Ok(turned_away)) = timeout(within, listener.accept()).await {
            drop(turned_away);
        }
        self.keep();
        tokio::time::sleep(within).await;
    }
}
