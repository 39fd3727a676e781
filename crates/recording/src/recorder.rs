//! What a terminal tells, and how its recording is.

use crate::cast::Screen;
use crate::index::About;
use crate::segment::Key;
use crate::told::{Bounds, Piece, RecordingError, State, Told};
use crate::writer;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, watch};

/// How many things wait for the disk before whoever tells the next waits too: of 16 KiB each at most.
const QUEUE: usize = 64;
/// The most of one thing, bytes.
const PIECE: usize = 16 * 1024;

/// Takes down one terminal. What is told is never dropped: whoever tells more than could be written waits.
#[derive(Clone, Debug)]
pub struct Recorder {
    to: mpsc::Sender<Piece>,
    /// Beside the queue, which may be full for as long as the disk is.
    over: Arc<watch::Sender<bool>>,
    screen: Arc<Mutex<Option<(Instant, Screen)>>>,
    state: watch::Receiver<State>,
}

impl Recorder {
    /// Begins a recording in a new folder (0700) under `dir`, and its thread. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`RecordingError`]: nothing is begun, and the terminal must not be.
    pub fn begin(
        dir: &Path,
        about: About,
        key: Option<Key>,
        screen: Screen,
        bounds: Bounds,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Told>), RecordingError> {
        let (to, pieces) = mpsc::channel(QUEUE);
        let (tell, told) = mpsc::unbounded_channel();
        let (say, state) = watch::channel(State::Recording);
        let (over, is_over) = watch::channel(false);
        let changed = Arc::new(Mutex::new(None));
        let sizes = changed.clone();
        writer::begin(dir, about, key, screen, bounds, writer::Ends { pieces, is_over, sizes, tell, say })?;
        Ok((Self { to, over: Arc::new(over), screen: changed, state }, told))
    }

    /// What the terminal said. Waits for the disk where it is behind.
    pub async fn output(&self, bytes: &[u8]) {
        let now = Instant::now();
        for piece in bytes.chunks(PIECE) {
            // It is over: nothing is taken down any more.
            let _ = self.to.send(Piece::Output(now, piece.to_vec())).await;
        }
    }

    /// What was typed, where that may be taken down. Waits for the disk where it is behind.
    pub async fn input(&self, bytes: &[u8]) {
        let now = Instant::now();
        for piece in bytes.chunks(PIECE) {
            let _ = self.to.send(Piece::Input(now, piece.to_vec())).await;
        }
    }

    /// Its new size; of several at once the last.
    pub fn resized(&self, screen: Screen) {
        *self.screen.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), screen));
    }

    /// That the terminal is over: what is left is written, and the recording is closed.
    pub fn ended(&self) {
        self.over.send_replace(true);
    }

    /// How it is.
    pub fn state(&self) -> State {
        let state = self.state.borrow().clone();
        if state == State::Recording && self.to.is_closed() {
            // Its thread panicked: nothing is taken down, and that must not go unseen.
            return State::Stopped { why: "the recorder failed".to_owned() };
        }
        state
    }

    /// The same, as it changes.
    pub fn changes(&self) -> watch::Receiver<State> {
        self.state.clone()
    }
}
