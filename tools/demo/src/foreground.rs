//! Ctrl+C is the demo's alone.
//!
//! A terminal sends it to everything in its foreground: make and cargo too. Make dies of it by design, with an error,
//! even where its recipe ends well. So the demo makes itself the terminal's foreground, as a shell does with what it
//! runs, and hands it back at its end.

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getpgrp, getpid, setpgid, tcgetpgrp, tcsetpgrp};
use std::io::{IsTerminal as _, stdin};

/// Whose terminal it was. Dropping it gives it back.
pub(crate) struct Foreground {
    before: Pid,
}

impl Foreground {
    /// Takes the terminal. Nothing happens without one, in the background, or when the kernel refuses: then Ctrl+C
    /// goes to make as well, and nothing else is different.
    ///
    /// To be called before any thread is started.
    pub(crate) fn take() -> Option<Self> {
        let before = getpgrp();
        if !stdin().is_terminal() || tcgetpgrp(stdin()).ok()? != before || before == getpid() {
            return None;
        }
        setpgid(Pid::from_raw(0), Pid::from_raw(0)).ok()?;
        give(getpid());
        Some(Self { before })
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        give(self.before);
    }
}

/// Makes a process group of this session the foreground.
fn give(group: Pid) {
    // Who is not in the foreground is stopped for asking, unless this signal is held back.
    let mut held = SigSet::empty();
    held.add(Signal::SIGTTOU);
    // A terminal that is gone, or a mask that can't be set, leaves everything as it is.
    if held.thread_block().is_ok() {
        let _ = tcsetpgrp(stdin(), group);
        let _ = held.thread_unblock();
    }
}
