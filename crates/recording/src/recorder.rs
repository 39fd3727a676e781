//! What a terminal tells, and how its recording is.

use crate::cast::Screen;
use crate::clock;
use crate::index::About;
use crate::segment::Key;
use crate::told::{Bounds, HANGS, Piece, RecordingError, State, Told};
use crate::writer;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How many things wait for the disk before whoever tells the next waits too: of 16 KiB each at most.
const QUEUE: usize = 64;
/// The most of one thing, bytes.
const PIECE: usize = 16 * 1024;
/// How often it is looked whether a disk that hung answers.
const LOOKS: Duration = Duration::from_millis(100);

/// Takes down one terminal. What is told is never dropped: whoever tells more than could be written waits.
#[derive(Clone, Debug)]
pub struct Recorder {
    to: mpsc::Sender<Piece>,
    /// Beside the queue, which may be full for as long as the disk is.
    over: Arc<watch::Sender<bool>>,
    screen: Arc<Mutex<Option<(Instant, Screen)>>>,
    /// Since when the disk has something to do, while it has.
    busy: Arc<Mutex<Option<Instant>>>,
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
        Self::begin_by(dir, about, key, screen, bounds, Box::new(clock::sleepless()))
    }

    /// By another clock that goes on while the machine sleeps.
    fn begin_by(
        dir: &Path,
        about: About,
        key: Option<Key>,
        screen: Screen,
        bounds: Bounds,
        sleepless: Box<dyn Fn() -> i64 + Send>,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Told>), RecordingError> {
        let (to, pieces) = mpsc::channel(QUEUE);
        let (tell, told) = mpsc::unbounded_channel();
        let (say, state) = watch::channel(State::Recording);
        let (over, is_over) = watch::channel(false);
        let changed = Arc::new(Mutex::new(None));
        let sizes = changed.clone();
        let busy: Arc<Mutex<Option<Instant>>> = Arc::default();
        let ends = writer::Ends { pieces, is_over, sizes, busy: busy.clone(), tell, say, sleepless };
        writer::begin(dir, about, key, screen, bounds, ends)?;
        Ok((Self { to, over: Arc::new(over), screen: changed, busy, state }, told))
    }

    /// What the terminal said. Waits for the disk where it is behind.
    pub async fn output(&self, bytes: &[u8]) {
        self.until_it_answers().await;
        let now = Instant::now();
        for piece in bytes.chunks(PIECE) {
            // It is over: nothing is taken down any more.
            let _ = self.to.send(Piece::Output(now, piece.to_vec())).await;
        }
    }

    /// What was typed, where that may be taken down. Waits for the disk where it is behind.
    pub async fn input(&self, bytes: &[u8]) {
        self.until_it_answers().await;
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

    /// Whether the disk has taken so long for something that nobody knows whether it ever will.
    fn hangs(&self) -> bool {
        let busy = *self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.is_some_and(|since| since.elapsed() >= HANGS)
    }

    /// What the queue has room for would be shown all the same, and lost with the process.
    async fn until_it_answers(&self) {
        while self.hangs() && !self.to.is_closed() {
            tokio::time::sleep(LOOKS).await;
        }
    }

    /// How it is.
    pub fn state(&self) -> State {
        let state = self.state.borrow().clone();
        if state == State::Recording && self.to.is_closed() {
            // Its thread panicked: nothing is taken down, and that must not go unseen.
            return State::Stopped { why: "the recorder failed".to_owned() };
        }
        if state == State::Recording && self.hangs() {
            return State::Stopped { why: "the disk does not answer".to_owned() };
        }
        state
    }

    /// The same, as it changes.
    pub fn changes(&self) -> watch::Receiver<State> {
        self.state.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_disk_that_hangs_is_one_that_can_not_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let about = crate::index::tests::about();
        let screen = Screen::new(80, 24);
        let begun = Recorder::begin(&dir.path().join("s/t"), about, None, screen, Bounds::default());
        let (recorder, _told) = begun.unwrap();
        assert_eq!(recorder.state(), State::Recording);
        // As its thread says it before each write: nothing here makes a disk hang.
        let hung = Instant::now().checked_sub(HANGS).unwrap();
        *recorder.busy.lock().unwrap() = Some(hung);
        assert!(matches!(recorder.state(), State::Stopped { .. }), "nothing is typed");
        let is_shown = Arc::new(AtomicBool::new(false));
        let (told, shown) = (recorder.clone(), is_shown.clone());
        let telling = tokio::spawn(async move {
            told.output(b"not on any disk").await;
            shown.store(true, SeqCst);
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!is_shown.load(SeqCst), "nor shown");
        *recorder.busy.lock().unwrap() = None;
        telling.await.unwrap();
        assert_eq!(recorder.state(), State::Recording);
        recorder.ended();
    }

    /// The monotonic clock stands still while the machine sleeps: what comes after is told by the one that goes on.
    #[tokio::test(flavor = "multi_thread")]
    async fn after_a_sleep_what_is_told_has_the_time_that_it_is() {
        const HOUR: i64 = 3600 * 1_000_000;
        let dir = tempfile::tempdir().unwrap();
        let slept = Arc::new(AtomicI64::new(0));
        let wall = slept.clone();
        let about = crate::index::tests::about();
        let begun = Recorder::begin_by(
            &dir.path().join("s-1/t-1"),
            about,
            None,
            Screen::new(80, 24),
            Bounds::default(),
            Box::new(move || clock::wall() + wall.load(SeqCst)),
        );
        let (recorder, mut told) = begun.unwrap();
        let before = clock::wall() / 1000;
        recorder.output(b"before").await;
        // Written, so that it was told before the lid was closed.
        let path = dir.path().join("s-1/t-1");
        let is_written = || {
            let files = std::fs::read_dir(&path).unwrap().flatten().map(|file| file.path());
            files
                .filter_map(|file| std::fs::read(file).ok())
                .any(|text| text.windows(6).any(|t| t == b"before"))
        };
        let written = async {
            while !is_written() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), written).await.expect("it is written");
        slept.store(HOUR, SeqCst);
        recorder.output(b"after").await;
        recorder.ended();
        let mut parts = Vec::new();
        while let Some(one) = told.recv().await {
            if let Told::Closed(part) = one {
                parts.push(part);
            }
        }
        let [first, second] = parts.as_slice() else { panic!("a part on each side of it: {parts:?}") };
        assert!(first.ends_ms < before + HOUR / 2000, "{parts:?}");
        assert!(second.begins_ms >= before + HOUR / 1000, "{parts:?}");
        let recordings = crate::Recordings::new(dir.path().to_owned(), None, Bounds::default());
        let index = recordings.index("s-1", "t-1").unwrap().unwrap();
        assert!(index.ends_ms.unwrap() >= second.ends_ms, "it is a whole index, its times in order");
    }
}
