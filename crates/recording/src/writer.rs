//! The thread that writes one recording.

use crate::cast::{self, Moment, MomentKind, Screen};
use crate::clock::Clock;
use crate::index::{About, Index, Part};

use crate::segment::{Key, Writing, file_name};
use crate::text::Text;
use crate::told::{Bounds, HANGS, Piece, RecordingError, State, Told};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// When something is written at the latest.
const FLUSH: Duration = Duration::from_millis(500);
/// When it is tried again where it could not be.
const AGAIN: Duration = Duration::from_millis(500);
/// Written at once when so much waits, bytes.
const BATCH: usize = 64 * 1024;
/// A frame takes no more lines at so many bytes of text. With the longest line it is well below what is read.
const FRAME: usize = 256 * 1024;
/// How long an idle recording sleeps.
const IDLE: Duration = Duration::from_secs(3600);
/// How long a recording that can't be written is tried to be ended.
const LAST: Duration = Duration::from_secs(1);

/// The writer's ends of a recorder.
pub(crate) struct Ends {
    pub(crate) pieces: mpsc::Receiver<Piece>,
    pub(crate) is_over: watch::Receiver<bool>,
    pub(crate) sizes: Arc<Mutex<Option<(Instant, Screen)>>>,
    /// Since when the disk has something to do, while it has.
    pub(crate) busy: Arc<Mutex<Option<Instant>>>,
    pub(crate) tell: mpsc::UnboundedSender<Told>,
    pub(crate) say: watch::Sender<State>,
    /// What time it is by a clock that goes on while the machine sleeps, Unix microseconds.
    pub(crate) sleepless: Box<dyn Fn() -> i64 + Send>,
}

/// Makes folder, index and first segment, and starts the thread. Where one of them can't be, nothing is left.
pub(crate) fn begin(
    dir: &Path,
    about: About,
    key: Option<Key>,
    screen: Screen,
    bounds: Bounds,
    ends: Ends,
) -> Result<(), RecordingError> {
    let failed = |source| RecordingError { dir: dir.to_owned(), source };
    let mut folder = DirBuilder::new();
    folder.mode(0o700);
    if let Some(parent) = dir.parent() {
        folder.recursive(true).create(parent).map_err(failed)?;
    }
    // Not one that is there: what another recording says stays.
    folder.recursive(false).create(dir).map_err(failed)?;
    let (pieces, is_over) = (ends.pieces, ends.is_over);
    let (now, unix_us) = (Instant::now(), (ends.sleepless)());
    let mut writer = Writer {
        dir: dir.to_owned(),
        index: Index::new(about, key.is_some(), ms(unix_us)),
        key,
        bounds,
        clock: Clock::new(now, unix_us),
        sleepless: ends.sleepless,
        screen,
        open: None,
        closed_bytes: 0,
        waiting: Vec::new(),
        last: unix_us,
        written: unix_us,
        written_screen: screen,
        output: Text::default(),
        input: Text::default(),
        stopped: None,
        index_is_due: true,
        tell: ends.tell,
        say: ends.say,
        sizes: ends.sizes,
        busy: ends.busy,
    };
    let begin = move || {
        writer.flush_now()?;
        let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("recording".to_owned());
        thread.spawn(move || {
            // A clock of its own: the recording goes on when the runtime that it was begun in is gone. Made and dropped
            // here, since none may be dropped where others wait.
            match tokio::runtime::Builder::new_current_thread().enable_time().build() {
                Ok(runtime) => {
                    let _ = ready.send(Ok(()));
                    runtime.block_on(writer.run(pieces, is_over));
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        })?;
        is_ready.recv().unwrap_or_else(|_| Err(std::io::Error::other("its thread ended at once")))
    };
    begin().map_err(|source| {
        let _ = std::fs::remove_dir_all(dir);
        failed(source)
    })
}

/// Unix milliseconds of microseconds.
fn ms(us: i64) -> i64 {
    us.div_euclid(1000)
}

/// A segment that is being written.
struct Open {
    writing: Writing,
    number: u32,
    /// Unix microseconds.
    begun: i64,
    /// Since when it is open.
    since: Instant,
    screen: Screen,
}

struct Writer {
    dir: PathBuf,
    key: Option<Key>,
    bounds: Bounds,
    index: Index,
    clock: Clock,
    sleepless: Box<dyn Fn() -> i64 + Send>,
    /// The terminal's size by what was told.
    screen: Screen,
    open: Option<Open>,
    /// How much is in the segments that are closed.
    closed_bytes: u64,
    /// What was told and is not on the disk: when in Unix microseconds, what and which.
    waiting: Vec<(i64, MomentKind, String)>,
    /// The last moment that was told, and the last that is on the disk, both in Unix microseconds, with the terminal's size
    /// by then.
    last: i64,
    written: i64,
    written_screen: Screen,
    output: Text,
    input: Text,
    /// Since when nothing can be written, Unix milliseconds.
    stopped: Option<i64>,
    index_is_due: bool,
    tell: mpsc::UnboundedSender<Told>,
    say: watch::Sender<State>,
    sizes: Arc<Mutex<Option<(Instant, Screen)>>>,
    busy: Arc<Mutex<Option<Instant>>>,
}

impl Writer {
    async fn run(mut self, mut pieces: mpsc::Receiver<Piece>, mut is_over: watch::Receiver<bool>) {
        let mut due: Option<Instant> = None;
        loop {
            // What waits is bounded: from then on the terminal does.
            let is_full = self.stopped.is_some() && self.held() >= self.bounds.held_bytes;
            let at = due.unwrap_or_else(|| Instant::now() + self.until_rolled());
            // However much is told, it is on the disk in time.
            let is_due = at <= Instant::now();
            tokio::select! {
                biased;
                _ = is_over.wait_for(|is_over| *is_over) => break,
                piece = pieces.recv(), if !is_full && !is_due => match piece {
                    Some(piece) => self.take(piece),
                    None => break,
                },
                () = tokio::time::sleep_until(at.into()) => {
                    self.wake();
                    self.resized();
                    self.flush();
                    due = self.stopped.map(|_| Instant::now() + AGAIN);
                    continue;
                }
            }
            if self.stopped.is_none() && self.held() >= BATCH {
                self.flush();
                due = self.stopped.map(|_| Instant::now() + AGAIN);
            } else if due.is_none() {
                due = Some(Instant::now() + FLUSH);
            }
        }
        // What was told before its end.
        while let Ok(piece) = pieces.try_recv() {
            self.take(piece);
        }
        self.end().await;
    }

    /// Sees whether the machine slept: what was told before then is written by the time there was, and what comes goes into
    /// a segment that begins after it.
    fn wake(&mut self) {
        let (now, sleepless_us) = (Instant::now(), (self.sleepless)());
        if self.clock.looked(now, sleepless_us) {
            self.flush();
            if self.open.as_ref().is_some_and(|open| open.writing.bytes > 0) {
                self.close();
            }
        }
    }

    fn take(&mut self, piece: Piece) {
        self.wake();
        self.resized();
        let (at, kind, text) = match piece {
            Piece::Output(at, bytes) => (at, MomentKind::Output, self.output.take(&bytes)),
            Piece::Input(at, bytes) => (at, MomentKind::Input, self.input.take(&bytes)),
        };
        self.add(at, kind, text);
    }

    fn resized(&mut self) {
        let changed = self.sizes.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((at, screen)) = changed.filter(|(_, screen)| *screen != self.screen) {
            self.add(at, MomentKind::Resize, format!("{}x{}", screen.columns, screen.rows));
            self.screen = screen;
        }
    }

    fn add(&mut self, at: Instant, kind: MomentKind, text: String) {
        if text.is_empty() {
            return;
        }
        // Two who tell at once: times only go on.
        self.last = self.last.max(self.clock.us(at));
        self.waiting.push((self.last, kind, text));
    }

    fn held(&self) -> usize {
        self.waiting.iter().map(|(_, _, text)| text.len() + 32).sum()
    }

    /// How long until an open segment is closed for its age.
    fn until_rolled(&self) -> Duration {
        let open = self.open.as_ref();
        open.map_or(IDLE, |open| {
            self.bounds.segment_time.saturating_sub(open.since.elapsed()).max(Duration::from_millis(20))
        })
    }

    /// Writes what waits, and says so where it can't or can again.
    fn flush(&mut self) {
        let began = Instant::now();
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
        let done = self.flush_now();
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match (done, self.stopped) {
            // Nobody could say so while it hung.
            (Ok(()), None) if began.elapsed() >= HANGS => {
                let _ = self.tell.send(Told::GoesOn { since_ms: ms(self.clock.us(began)) });
            }
            (Ok(()), None) => {}
            (Ok(()), Some(since)) => {
                self.stopped = None;
                // What is so before what is told of it: whoever hears looks.
                self.say.send_replace(State::Recording);
                let _ = self.tell.send(Told::GoesOn { since_ms: since });
            }
            (Err(error), before) => {
                let (why, now) = (error.to_string(), ms(self.clock.us(Instant::now())));
                self.say.send_replace(State::Stopped { why: why.clone() });
                if before.is_none() {
                    self.stopped = Some(now);
                    let _ = self.tell.send(Told::Stopped { why, since_ms: now });
                }
            }
        }
    }

    fn flush_now(&mut self) -> io::Result<()> {
        if self.index_is_due {
            self.index.write(&self.dir)?;
            self.index_is_due = false;
        }
        // The first segment is there before anything was said: that something can be written is known then.
        while !self.waiting.is_empty() || self.open.is_none() && self.index.parts.is_empty() {
            self.write_some()?;
        }
        let is_old = |open: &Open| open.since.elapsed() >= self.bounds.segment_time;
        if self.open.as_ref().is_some_and(is_old) {
            self.close();
        }
        Ok(())
    }

    /// Writes a frame of what waits, in a segment that has room.
    fn write_some(&mut self) -> io::Result<()> {
        let held: u64 = self.open.as_ref().map_or(0, |open| open.writing.bytes);
        if self.closed_bytes.saturating_add(held) >= self.bounds.total_bytes {
            let most = self.bounds.total_bytes >> 20;
            return Err(io::Error::other(format!(
                "a recording takes {most} MiB at most: open another terminal"
            )));
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.next_segment()?,
        };
        let mut text = Vec::new();
        if open.writing.bytes == 0 {
            text.extend_from_slice(cast::header(open.screen, ms(open.begun)).as_bytes());
        }
        let mut count = 0;
        for (at, kind, said) in &self.waiting {
            if text.len() >= FRAME {
                break;
            }
            let at_us = u64::try_from(at.saturating_sub(open.begun)).unwrap_or_default();
            cast::line(&mut text, at_us, *kind, said);
            count += 1;
        }
        let written = open.writing.append(&text);
        let is_full = open.writing.bytes >= self.bounds.segment_bytes;
        self.open = Some(open);
        written?;
        for (at, kind, said) in self.waiting.drain(..count) {
            self.written = at;
            if kind == MomentKind::Resize
                && let Some(screen) = (Moment { at_us: 0, kind, data: said }).screen()
            {
                self.written_screen = screen;
            }
        }
        if is_full {
            self.close();
        }
        Ok(())
    }

    /// A segment that begins with what was told first since the last one.
    fn next_segment(&self) -> io::Result<Open> {
        let number = self.index.next();
        let path = self.dir.join(file_name(number, self.key.is_some()));
        // Left by a try that failed after the file was made.
        let _ = std::fs::remove_file(&path);
        let writing = Writing::begin(&path, self.key.as_ref(), self.index.place(number))?;
        let begun = self.waiting.first().map_or(self.written, |(at, ..)| *at);
        Ok(Open { writing, number, begun, since: Instant::now(), screen: self.written_screen })
    }

    /// Closes the open segment. The index is written with the next flush where it can't be now.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let begins_ms = ms(open.begun);
        let part = Part {
            number: open.number,
            begins_ms,
            ends_ms: ms(self.written).max(begins_ms),
            bytes: open.writing.bytes,
            sha256: open.writing.sha256(),
            columns: open.screen.columns,
            rows: open.screen.rows,
        };
        self.closed_bytes = self.closed_bytes.saturating_add(part.bytes);
        self.index.parts.push(part.clone());
        self.index_is_due = self.index.write(&self.dir).is_err();
        let _ = self.tell.send(Told::Closed(part));
    }

    /// Writes what is left and closes the index.
    async fn end(mut self) {
        self.wake();
        let now = Instant::now();
        self.resized();
        let rest = self.output.rest();
        self.add(now, MomentKind::Output, rest);
        let until = now + LAST;
        self.flush();
        while self.stopped.is_some() && Instant::now() < until {
            tokio::time::sleep(AGAIN / 5).await;
            self.flush();
        }
        if let Some(since) = self.stopped {
            let why = match &*self.say.borrow() {
                State::Stopped { why } => why.clone(),
                State::Recording | State::Over => String::new(),
            };
            let bytes = self.waiting.iter().map(|(_, _, text)| text.len() as u64).sum();
            let _ = self.tell.send(Told::Lost { bytes, why, since_ms: since });
        }
        if self.open.as_ref().is_some_and(|open| open.writing.bytes > 0) {
            self.close();
        }
        self.index.ends_ms = Some(ms(self.clock.us(now).max(self.last)));
        if let Err(error) = self.index.write(&self.dir) {
            // The next start closes it.
            tracing::error!(%error, "the index of a recording could not be closed");
        }
        self.say.send_replace(State::Over);
    }
}
