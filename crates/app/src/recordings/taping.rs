//! One terminal's recording while it goes on: what the terminal tells goes to its recorder, what that says becomes entries.

use super::entry;
use crate::history::Recorder as History;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_ipc::RecordingState;
use sallyport_recording::{Recorder, Screen, State, Told};
use sallyport_terminal::{Size, Taking, Tape};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc::UnboundedReceiver, watch};

/// A recording that goes on.
pub(crate) struct Taping {
    recorder: Recorder,
    input: bool,
    /// Whether its last entry is written.
    is_told: Arc<watch::Sender<bool>>,
}

impl fmt::Debug for Taping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taping").field("input", &self.input).finish_non_exhaustive()
    }
}

impl Taping {
    pub(super) fn new(recorder: Recorder, input: bool) -> Self {
        Self { recorder, input, is_told: Arc::new(watch::Sender::new(false)) }
    }

    /// Why nothing can be written now, if so.
    pub(crate) fn stopped(&self) -> Option<String> {
        match self.recorder.state() {
            State::Stopped { why } => Some(why),
            State::Recording | State::Over => None,
        }
    }

    /// How it goes, for the window.
    pub(crate) fn view(&self) -> RecordingState {
        RecordingState { input: self.input, stopped: self.stopped().map(Into::into) }
    }

    /// Waits until it is over and its entries are written, for as long as that may take at most.
    pub(crate) async fn over(&self, within: Duration) {
        self.recorder.ended();
        let mut told = self.is_told.subscribe();
        if tokio::time::timeout(within, told.wait_for(|told| *told)).await.is_err() {
            tracing::warn!("a recording was not closed in time; the next start closes it");
        }
    }

    /// Writes an entry for each thing that is worth one, until it is over; `closed` is called with each segment.
    pub(super) fn follow(
        &self,
        history: History,
        terminal: String,
        mut told: UnboundedReceiver<Told>,
        draft: impl Fn(Action) -> Draft + Send + Sync + 'static,
        changed: impl Fn() + Send + Sync + 'static,
        closed: impl Fn() + Send + Sync + 'static,
    ) {
        // It keeps nothing of the recording: one whose terminal is gone ends.
        let is_told = self.is_told.clone();
        tokio::spawn(async move {
            while let Some(one) = told.recv().await {
                // Before the entry: a full disk may keep that too.
                if matches!(one, Told::Stopped { .. } | Told::GoesOn { .. }) {
                    changed();
                }
                history.note(said(&draft, &terminal, &one)).await;
                if matches!(one, Told::Closed(_)) {
                    closed();
                }
            }
            changed();
            is_told.send_replace(true);
        });
    }
}

/// The entry of what a recorder said.
fn said(draft: &impl Fn(Action) -> Draft, terminal: &str, one: &Told) -> Draft {
    match one {
        Told::Closed(part) => entry::closed(draft(Action::Recorded), terminal, part),
        Told::Stopped { why, since_ms } => {
            let why = format!("a recording can't be written, and nothing is typed meanwhile: {why}");
            entry::gap(draft(Action::Gap).outcome(Outcome::Failed), terminal, &why, *since_ms)
        }
        Told::GoesOn { since_ms } => {
            let why = "a recording is written again; what was shown meanwhile is in it";
            entry::gap(draft(Action::Gap), terminal, why, *since_ms)
        }
        Told::Lost { bytes, why, since_ms } => {
            let why = format!(
                "a recording ended while it could not be written, {bytes} bytes of it are missing: {why}"
            );
            let draft = draft(Action::Gap).outcome(Outcome::Failed);
            entry::gap(draft, terminal, &why, *since_ms).detail("bytes", *bytes)
        }
    }
}

impl Tape for Taping {
    fn output<'a>(&'a self, bytes: &'a [u8]) -> Taking<'a> {
        Box::pin(self.recorder.output(bytes))
    }

    fn wants_input(&self) -> bool {
        self.input
    }

    fn input<'a>(&'a self, bytes: &'a [u8]) -> Taking<'a> {
        Box::pin(self.recorder.input(bytes))
    }

    fn resized(&self, size: Size) {
        self.recorder.resized(Screen::new(size.columns, size.rows));
    }

    fn ended(&self) {
        self.recorder.ended();
    }
}
