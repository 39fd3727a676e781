//! Recordings that are handed on with a pack.

use super::{Recordings, blocking};
use crate::desk::AppError;
use crate::evidence::ReadTape;
use sallyport_ipc::{RecordedSession, Shown};
use sallyport_recording::Index;
use sallyport_report::handed::{Segment, Tape};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

impl Recordings {
    /// The sessions of which recordings are kept, the newest first.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub(crate) async fn sessions(&self) -> Result<Vec<RecordedSession>, AppError> {
        let kept = self.kept.clone();
        blocking(move || {
            let mut sessions = Vec::new();
            for session in kept.sessions()? {
                let of: Vec<Index> =
                    kept.of(&session)?.into_iter().filter_map(|(_, index)| index.ok()).collect();
                let Some(first) = of.first() else { continue };
                let bytes: u64 = of.iter().flat_map(|index| &index.parts).map(|part| part.bytes).sum();
                sessions.push(RecordedSession {
                    cluster: Shown::from(&first.about.cluster),
                    who: Shown::from(&first.about.user),
                    began_at: first.begins_ms,
                    terminals: u32::try_from(of.len()).unwrap_or(u32::MAX),
                    bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
                    session,
                });
            }
            sessions.sort_by_key(|one| std::cmp::Reverse(one.began_at));
            Ok(sessions)
        })
        .await
    }

    /// Reads segments, opened where they are sealed. That they were handed on is an entry of whoever asks.
    pub(crate) fn tapes(&self) -> ReadTape {
        let kept = self.kept.clone();
        // Segments of one terminal follow each other.
        let last: Mutex<Option<Index>> = Mutex::default();
        Arc::new(move |segment: &Segment| -> io::Result<Tape> {
            let missing = |why: &str| Ok(Tape::Missing(why.to_owned()));
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |index: &Index| {
                index.about.session == segment.session && index.about.terminal == segment.terminal
            };
            if !last.as_ref().is_some_and(is_it) {
                *last = match kept.index(&segment.session, &segment.terminal) {
                    Ok(index) => index,
                    Err(_) => return missing("its index can't be read"),
                };
            }
            let Some(index) = &*last else { return missing("it is not kept any more") };
            match kept.text(index, segment.number)? {
                Some(text) => Ok(Tape::Here(text)),
                None => missing("it is not there, or its seal can't be opened"),
            }
        })
    }
}
