//! A pack of what is selected of the history, and what was wanted with it: clusters' events and recordings.

use super::{Failed, Job, Out, Written, unmade};
use crate::desk::AppError;
use crate::evidence::{filter, number};
use sallyport_audit::{Action, Checkpoint, Entry, PackHead, Seals};
use sallyport_report::handed::{self, Along, BY, EVENTS_SHA256, PackError, Tapes};
use sallyport_store::{Filter as Entries, Kept, StoreError, spare_file};
use std::io::{BufWriter, Read, Write as _};

/// Entries that are read at a time.
const PAGE: usize = 500;
/// Entries between two words on how far it is.
const STEP: u64 = 1024;

/// Which entries are selected: a bit for each place, so that ten million take little more than a megabyte.
enum Picked {
    All,
    These(Vec<u64>),
}

impl Picked {
    fn holds(&self, sequence: u64) -> bool {
        match self {
            Self::All => true,
            Self::These(bits) => {
                let word = usize::try_from(sequence / 64).ok().and_then(|at| bits.get(at));
                word.is_some_and(|word| word & (1 << (sequence % 64)) != 0)
            }
        }
    }

    fn take(&mut self, sequence: u64) {
        let Self::These(bits) = self else { return };
        let Ok(at) = usize::try_from(sequence / 64) else { return };
        if at >= bits.len() {
            bits.resize(at + 1, 0);
        }
        if let Some(word) = bits.get_mut(at) {
            *word |= 1 << (sequence % 64);
        }
    }
}

impl Job {
    pub(super) fn pack(&self, out: &mut Out) -> Result<Written, Failed> {
        let open = || Kept::open(&self.evidence.desk.dirs.data).map_err(unread);
        if let Seals::Broken { first_bad, why } = open()?.seals(&[], &[]).map_err(unread)? {
            let why = sallyport_model::visible(&why.to_string());
            return Err(Failed::Said(
                AppError::failed(format!("from entry {first_bad} on the history was tampered with: {why}"))
                    .hint("Nothing was written. Verify the history, and keep what is on this disk as it is."),
            ));
        }
        self.running.until_stopped()?;
        if self.evidence.history.seal_public().is_none() {
            return Err(unsealed());
        }
        let mut events = self.gathered()?;
        if let Some(events) = &events {
            self.vouch(&events.said)?;
        }
        // With what was just sealed.
        let kept = open()?;
        let stored = kept.checkpoints().map_err(unread)?;
        let checkpoints: Vec<Checkpoint> =
            stored.into_iter().filter_map(|stored| stored.checkpoint.ok()).collect();
        let Some(last) = checkpoints.last() else {
            return Err(unsealed());
        };
        let (key, origin) = (last.key, last.origin);
        let picked = self.picked()?;
        let selection = self.about.said.clone();
        let events_sha256 = events.as_ref().map(|events| events.said.sha256.clone());
        let made = jiff::Timestamp::now().as_microsecond();
        let head = PackHead { version: 1, origin, made, by: BY.to_owned(), selection };
        let is_selected = |entry: &Entry| {
            let is_of = || entry.session.as_ref().is_some_and(|id| self.sessions.contains(id.as_str()));
            picked.holds(entry.sequence)
                || (entry.action == Action::Recorded && is_of())
                || (entry.action == Action::Exported
                    && events_sha256
                        .as_deref()
                        .is_some_and(|sha256| entry.detail.text(EVENTS_SHA256) == Some(sha256)))
        };
        // A member's size stands before it.
        let mut inner = spare_file(&self.path)?;
        let mut lines = BufWriter::with_capacity(1 << 16, &mut inner);
        let end = kept.walk(|entries| {
            let mut passed = 0;
            let entries = entries.filter_map(|next| next.ok().map(|linked| linked.entry));
            let entries = entries.take_while(|_| {
                passed += 1;
                if passed % STEP == 0 {
                    self.running.passed(number(STEP));
                }
                !self.running.cancel.is_cancelled()
            });
            handed::history(&mut lines, head, checkpoints, &[], entries, is_selected)
        });
        end.map_err(unread)??;
        self.running.until_stopped()?;
        lines.flush()?;
        drop(lines);
        let mut read = |segment: &handed::Segment| {
            self.running.until_stopped()?;
            (self.beside.tapes)(segment)
        };
        let sessions = self.sessions.clone();
        let tapes = (!sessions.is_empty()).then_some(Tapes { sessions, read: &mut read });
        let along = events.as_mut().map(|events| (events.said.clone(), &mut events.file as &mut dyn Read));
        let along = Along { tapes, events: along };
        let packed = handed::pack(out, &mut inner, &key, along).map_err(|error| match error {
            PackError::Io(error) => Failed::Disk(error),
            PackError::Changed => Failed::Said(unmade().because(error)),
            PackError::TooMany => Failed::Said(
                filter::bad("more recordings are on record than go with one pack")
                    .hint("Choose fewer sessions, or a shorter time."),
            ),
        })?;
        let mut lacks = Vec::new();
        if packed.missing > 0 {
            lacks.push(match packed.missing {
                1 => "1 segment of a recording is on record and was not there any more, or not as it was".to_owned(),
                many => format!(
                    "{many} segments of recordings are on record and were not there any more, or not as they were"
                ),
            });
        }
        if packed.end.unsealed > 0 {
            let many = packed.end.unsealed;
            lacks.push(format!(
                "{many} entries are not sealed yet, and not in it: a checkpoint is made within five minutes"
            ));
        }
        let said = events.map(|events| events.said);
        lacks.extend(said.iter().flat_map(handed::Events::lacks));
        match &said {
            Some(_) if packed.events_entry.is_none() => lacks.push(
                "the entry that says which clusters' events these are is not sealed yet, and not in it: nobody signs them"
                    .to_owned(),
            ),
            None if self.has_calls => {
                lacks.push("there is no archive of clusters' events on this computer: none are in it".to_owned());
            }
            _ => {}
        }
        Ok(Written {
            own: number(packed.end.entries),
            calls: said.as_ref().map_or(0, |said| number(said.events)),
            recordings: number(packed.recordings),
            key: Some(key.fingerprint().to_string()),
            events_sha256: said.map(|said| said.sha256),
            lacks,
        })
    }

    fn picked(&self) -> Result<Picked, Failed> {
        let Some(own) = &self.wanted.own else { return Ok(Picked::These(Vec::new())) };
        if *own == Entries::default() {
            return Ok(Picked::All);
        }
        let runtime = tokio::runtime::Handle::current();
        let (mut picked, mut cursor) = (Picked::These(Vec::new()), None);
        loop {
            self.running.until_stopped()?;
            let page = self.evidence.history.entries(own.clone(), cursor, PAGE);
            let page = runtime.block_on(page)?;
            page.entries.iter().for_each(|entry| picked.take(entry.sequence));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(picked);
            }
        }
    }
}

fn unsealed() -> Failed {
    Failed::Said(
        filter::bad("this history is not sealed, so that a pack of it would prove nothing")
            .hint("Sealing needs a keyring. JSON lines, CSV and OCSF need none."),
    )
}

fn unread(error: StoreError) -> Failed {
    Failed::Said(
        AppError::failed("the history can't be read")
            .hint("Try again; the log has the details.")
            .because(error),
    )
}

#[cfg(test)]
mod tests {
    use super::Picked;

    #[test]
    fn what_is_picked_is_what_was_taken() {
        let mut picked = Picked::These(Vec::new());
        let wanted = [1, 63, 64, 65, 1000, 10_000_000];
        wanted.into_iter().for_each(|at| picked.take(at));
        assert!(wanted.into_iter().all(|at| picked.holds(at)));
        assert!([0, 2, 62, 66, 999, 1001, 9_999_999, u64::MAX].into_iter().all(|at| !picked.holds(at)));
        assert!(Picked::All.holds(u64::MAX));
    }
}
