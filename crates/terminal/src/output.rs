//! From the shell to the window: kept for who comes later, joined into chunks, and held back while the window has
//! not yet drawn what it got.

use crate::modes::Modes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How much is kept for a window that attaches later.
const SCROLLBACK: usize = 256 * 1024;
/// The most bytes of one chunk, and how long a chunk may wait for more: what the web view takes well.
const CHUNK: usize = 64 * 1024;
const DELAY: Duration = Duration::from_millis(8);
/// How much may be on its way to the window, unacknowledged, before the shell has to wait.
const ON_THE_WAY: usize = 512 * 1024;

pub(crate) struct Output {
    state: Mutex<State>,
    /// Tells the reader that there is room.
    room: Notify,
}

struct State {
    ring: VecDeque<u8>,
    /// Whether the ring lost its beginning.
    cut: bool,
    /// Where the ring begins: in which modes, and whether within a sequence.
    modes: Modes,
    /// Not yet handed to the attachment.
    pending: VecDeque<u8>,
    /// Handed over and not acknowledged.
    unacked: usize,
    attached: Option<Attached>,
    attachments: u64,
    ended: bool,
}

struct Attached {
    id: u64,
    news: Arc<Notify>,
}

impl Output {
    pub(crate) fn new() -> Arc<Self> {
        let state = State {
            ring: VecDeque::new(),
            cut: false,
            modes: Modes::default(),
            pending: VecDeque::new(),
            unacked: 0,
            attached: None,
            attachments: 0,
            ended: false,
        };
        Arc::new(Self { state: Mutex::new(state), room: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the shell said.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut state = self.state();
        let state = &mut *state;
        state.ring.extend(bytes);
        let over = state.ring.len().saturating_sub(SCROLLBACK);
        for byte in state.ring.drain(..over) {
            state.modes.take(byte);
        }
        state.cut |= over > 0;
        if let Some(attached) = &state.attached {
            state.pending.extend(bytes);
            attached.news.notify_one();
        }
    }

    /// Waits until the window has drawn enough to be sent more. At once with no window: then only the scrollback
    /// is filled, and a shell must not stand still because nobody looks.
    pub(crate) async fn wait_for_room(&self) {
        loop {
            let room = self.room.notified();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    fn has_room(&self) -> bool {
        let state = self.state();
        state.ended || state.attached.is_none() || state.pending.len() + state.unacked < ON_THE_WAY
    }

    /// Nothing follows. What is pending is still handed over.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        if let Some(attached) = &state.attached {
            attached.news.notify_one();
        }
        self.room.notify_one();
    }

    pub(crate) fn attach(self: &Arc<Self>) -> Attachment {
        let mut state = self.state();
        if let Some(old) = state.attached.take() {
            // It finds itself replaced.
            old.news.notify_one();
        }
        // All that is pending is in the ring too.
        state.pending.clear();
        state.unacked = 0;
        state.attachments += 1;
        let (id, news) = (state.attachments, Arc::new(Notify::new()));
        state.attached = Some(Attached { id, news: news.clone() });
        let scrollback = state.scrollback();
        drop(state);
        self.room.notify_one();
        Attachment { scrollback, acks: Acks { output: self.clone(), id }, news, last: None }
    }

    fn detach(&self, id: u64) {
        let mut state = self.state();
        if state.attached.as_ref().is_some_and(|attached| attached.id == id) {
            state.attached = None;
            state.pending.clear();
            state.unacked = 0;
            drop(state);
            self.room.notify_one();
        }
    }
}

impl State {
    fn scrollback(&self) -> Vec<u8> {
        let all: Vec<u8> = self.ring.iter().copied().collect();
        self.modes.clone().replay(&all, self.cut)
    }
}

/// One window's look at a terminal. A later one takes its place; dropping it lets the shell run on unseen.
pub struct Attachment {
    /// What was said before, up to 256 KiB, as it may be said again: whole sequences, in the modes it began in, and
    /// without the questions a terminal answers by typing.
    pub scrollback: Vec<u8>,
    acks: Acks,
    news: Arc<Notify>,
    last: Option<Instant>,
}

impl Attachment {
    /// The next output: at once when the terminal was quiet (an echo), else joined for up to 8 ms or 64 KiB. None
    /// when the terminal ended or another attachment took over. Can be cancelled without losing anything.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        while !self.is_ready()? {
            self.news.notified().await;
        }
        if let Some(due) = self.last.map(|last| last + DELAY) {
            while !self.is_full() && timeout_at(due, self.news.notified()).await.is_ok() {}
        }
        let chunk = self.take()?;
        self.last = Some(Instant::now());
        Some(chunk)
    }

    /// How the window says what it has drawn.
    pub fn acks(&self) -> Acks {
        self.acks.clone()
    }

    /// Whether something is pending; none when nothing will be.
    fn is_ready(&self) -> Option<bool> {
        let state = self.acks.output.state();
        if state.attached.as_ref()?.id != self.acks.id {
            return None;
        }
        match (state.pending.is_empty(), state.ended) {
            (false, _) => Some(true),
            (true, false) => Some(false),
            (true, true) => None,
        }
    }

    fn is_full(&self) -> bool {
        let state = self.acks.output.state();
        state.ended || state.pending.len() >= CHUNK
    }

    fn take(&self) -> Option<Vec<u8>> {
        let mut state = self.acks.output.state();
        if state.attached.as_ref()?.id != self.acks.id {
            return None;
        }
        let count = state.pending.len().min(CHUNK);
        let chunk: Vec<u8> = state.pending.drain(..count).collect();
        state.unacked += chunk.len();
        Some(chunk)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.acks.output.detach(self.acks.id);
    }
}

/// Acknowledges what was drawn, so that more may come.
#[derive(Clone)]
pub struct Acks {
    output: Arc<Output>,
    id: u64,
}

impl Acks {
    /// That this many further bytes were drawn. More than were sent, or from a replaced attachment, is ignored.
    pub fn ack(&self, bytes: usize) {
        let mut state = self.output.state();
        if state.attached.as_ref().is_some_and(|attached| attached.id == self.id) {
            state.unacked = state.unacked.saturating_sub(bytes);
            drop(state);
            self.output.room.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_echo_goes_at_once_and_a_flood_is_joined() {
        let output = Output::new();
        let mut seen = output.attach();
        output.push(b"a");
        let start = Instant::now();
        assert_eq!(seen.next().await.unwrap(), b"a");
        let echo = start.elapsed();
        output.push(b"b");
        let both = tokio::join!(seen.next(), async {
            output.push(b"c");
        });
        assert_eq!(both.0.unwrap(), b"bc", "two answers within 8 ms are one chunk");
        assert!(start.elapsed() >= DELAY, "{:?}", start.elapsed());
        assert!(echo < DELAY, "an echo after silence waits for nothing: {echo:?}");
        output.push(&vec![b'x'; 3 * CHUNK]);
        assert_eq!(seen.next().await.unwrap().len(), CHUNK);
    }

    #[tokio::test]
    async fn a_window_that_does_not_acknowledge_stops_the_reader() {
        let output = Output::new();
        let mut seen = output.attach();
        output.push(&vec![b'x'; ON_THE_WAY]);
        let mut got = 0;
        while got < ON_THE_WAY {
            got += seen.next().await.unwrap().len();
        }
        let waits = tokio::time::timeout(Duration::from_millis(30), output.wait_for_room());
        assert!(waits.await.is_err(), "the reader went on");
        seen.acks().ack(CHUNK);
        tokio::time::timeout(Duration::from_secs(1), output.wait_for_room())
            .await
            .expect("room after an ack");
        output.push(&vec![b'x'; CHUNK]);
        drop(seen);
        tokio::time::timeout(Duration::from_secs(1), output.wait_for_room())
            .await
            .expect("room with nobody looking");
    }

    #[tokio::test]
    async fn a_later_window_gets_all_that_was_said_and_the_earlier_one_ends() {
        let output = Output::new();
        output.push(b"before ");
        let mut first = output.attach();
        assert_eq!(first.scrollback, b"before ");
        output.push(b"pending ");
        let mut second = output.attach();
        assert_eq!(second.scrollback, b"before pending ");
        output.push(b"after");
        assert_eq!(first.next().await, None);
        drop(first);
        assert_eq!(second.next().await.unwrap(), b"after");
        output.end();
        assert_eq!(second.next().await, None);
    }

    #[test]
    fn fault_d5_a_full_screen_program_is_still_one_after_a_flood() {
        let output = Output::new();
        output.push(b"$ less\n\x1b[?1049h\x1b[?1002h\x1b[?1006h\x1b[c");
        for _ in 0..SCROLLBACK / 8 {
            output.push(b"\x1b[Hpage\x1b[6n");
        }
        let kept = std::mem::take(&mut output.attach().scrollback);
        let text = String::from_utf8(kept).unwrap();
        assert!(text.starts_with("\x1b[?1049h\x1b[?1002h\x1b[?1006h\x1b[Hpage"), "{:?}", &text[..60]);
        assert!(!text.contains("\x1b[6n") && text.len() <= SCROLLBACK + 64);
    }

    #[test]
    fn the_scrollback_is_bounded_and_begins_with_a_line() {
        let output = Output::new();
        for n in 0..100_000 {
            output.push(format!("line {n} ü\n").as_bytes());
        }
        let kept = std::mem::take(&mut output.attach().scrollback);
        assert!(kept.len() <= SCROLLBACK && kept.starts_with(b"line "), "{}", kept.len());
        assert!(kept.ends_with("line 99999 ü\n".as_bytes()));
    }
}
