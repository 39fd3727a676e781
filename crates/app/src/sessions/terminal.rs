//! One scoped terminal, and how ending them went.

use crate::desk::Output;
use crate::recordings::Taping;
use sallyport_ipc::{ProofState, Shown, TerminalGuard, TerminalView};
use sallyport_terminal::{Acks, Attachment, Closed, Exit, Guard, Terminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most processes that are named where some could not be ended.
const NAMED: usize = 5;
/// How long the end of a recording is waited for: one that can't be written gives up after a second.
const RECORDED: Duration = Duration::from_secs(2);

/// A terminal and who looks at it.
pub(super) struct OpenTerminal {
    pub(super) id: String,
    pub(super) session: String,
    pub(super) title: String,
    pub(super) terminal: Terminal,
    /// Its recording, where the profile wants one.
    pub(super) taping: Option<Arc<Taping>>,
    pub(super) acks: Mutex<Option<Acks>>,
    pub(super) exit: Mutex<Option<Exit>>,
}

impl OpenTerminal {
    pub(super) fn view(&self) -> TerminalView {
        let exit = self.exit.lock().unwrap_or_else(PoisonError::into_inner).clone();
        TerminalView {
            id: self.id.clone(),
            session: self.session.clone(),
            title: Shown::from(&self.title),
            running: exit.is_none(),
            exit_code: exit.and_then(|e| e.code).and_then(|c| i32::try_from(c).ok()),
            guard: match self.terminal.guard() {
                Guard::Starting => TerminalGuard::Starting,
                Guard::Guarded => TerminalGuard::Guarded,
                Guard::NotGuarded(why) => TerminalGuard::NotGuarded { why: why.into() },
                Guard::Taken(why) => TerminalGuard::Taken { why: why.into() },
            },
            recording: self.taping.as_ref().map(|taping| taping.view()),
        }
    }

    /// Ends it with all that was started in it, and its recording.
    pub(super) async fn close(&self) -> Closed {
        let closed = self.terminal.close().await;
        if let Some(taping) = &self.taping {
            taping.over(RECORDED).await;
        }
        closed
    }

    /// Sends what was said and what follows to `output`, until nobody listens or another look takes over.
    pub(super) fn show(&self, output: Output) {
        let attachment = self.terminal.attach();
        *self.acks.lock().unwrap_or_else(PoisonError::into_inner) = Some(attachment.acks());
        tokio::spawn(pump(attachment, output));
    }
}

async fn pump(mut attachment: Attachment, output: Output) {
    // Always the first message, even when it is empty: the window types nothing while it draws it.
    if !output(std::mem::take(&mut attachment.scrollback)) {
        return;
    }
    while let Some(chunk) = attachment.next().await {
        if !output(chunk) {
            return;
        }
    }
}

/// How ending a session's terminals went.
pub(super) struct EndedTerminals {
    /// How many ran.
    pub(super) ended: usize,
    /// What was started in them and still runs.
    pub(super) left: Vec<String>,
}

impl EndedTerminals {
    /// The line of the closing proof: green only where nothing is left.
    pub(super) fn proven(&self) -> (ProofState, String) {
        let ended = format!("{} ended", self.ended);
        match (self.left.len(), self.ended) {
            (0, 0) => (ProofState::Done, "none was open".to_owned()),
            (0, _) => (ProofState::Done, ended),
            (left, _) => {
                let mut named = self.left[..left.min(NAMED)].join(", ");
                if left > NAMED {
                    named.push_str(&format!(" and {} more", left - NAMED));
                }
                let run = if left == 1 { "runs" } else { "run" };
                (
                    ProofState::Unproven,
                    format!("{ended}, {left} of what was started in them still {run}: {named}"),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_d2_p13_what_still_runs_is_named_and_never_green() {
        let said = |ended, left: &[&str]| {
            EndedTerminals { ended, left: left.iter().map(ToString::to_string).collect() }.proven()
        };
        assert_eq!(said(0, &[]), (ProofState::Done, "none was open".to_owned()));
        assert_eq!(said(2, &[]), (ProofState::Done, "2 ended".to_owned()));
        let (state, detail) = said(1, &["tmux: server (process 7)"]);
        assert_eq!(state, ProofState::Unproven);
        assert_eq!(detail, "1 ended, 1 of what was started in them still runs: tmux: server (process 7)");
        let (state, detail) = said(0, &["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(state, ProofState::Unproven);
        assert!(detail.ends_with("still run: a, b, c, d, e and 2 more"), "{detail}");
    }
}
