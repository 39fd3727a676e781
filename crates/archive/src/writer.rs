//! Two threads: one packs raw events, one writes. What waits between them is bounded, so that whoever reads faster than
//! the disk writes waits.

use crate::ArchiveError;
use crate::batch::Batch;
use crate::segment::{Active, Kept, Packed};
use crate::shared::{Options, Shared, now};
use crate::status::{Acknowledged, Problem, Retained, WriterState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Batches that wait for each of the threads.
const WAITING: usize = 2;
/// Calls of a transaction at which it takes no further batch.
const TOGETHER: usize = 32_768;
/// Bytes of words at which a segment is closed: they are in memory while it is written.
const WORDS_MOST: u64 = 64 << 20;
/// How many kinds of foreign things are told apart for each source.
const KINDS_MOST: usize = 64;
/// Where events are counted that were removed: under no source.
pub(crate) const REMOVED: (&str, &str) = ("", "removed");

pub(crate) enum Job {
    Append(Box<Batch>, Sender<Result<Acknowledged, ArchiveError>>),
    Retain(i64, Sender<Result<Retained, ArchiveError>>),
}

enum Next {
    Append(Box<Packed>, Sender<Result<Acknowledged, ArchiveError>>),
    Retain(i64, Sender<Result<Retained, ArchiveError>>),
}

/// Starts both threads; they end when the sender is dropped.
pub(crate) fn start(
    shared: Arc<Shared>,
    kept: Kept,
) -> std::io::Result<(SyncSender<Job>, JoinHandle<()>, JoinHandle<()>)> {
    let (jobs, queue) = sync_channel(WAITING);
    let (packed, waiting) = sync_channel(WAITING);
    let packer = std::thread::Builder::new().name("archive-packer".to_owned());
    let packer = packer.spawn(move || pack(&queue, &packed))?;
    let writer = std::thread::Builder::new().name("archive-writer".to_owned());
    let writer = writer.spawn(move || Writer { shared, kept, active: None }.run(&waiting))?;
    Ok((jobs, packer, writer))
}

fn pack(queue: &Receiver<Job>, packed: &SyncSender<Next>) {
    while let Ok(job) = queue.recv() {
        let next = match job {
            Job::Append(batch, reply) => match crate::raw::pack(&batch.raw, &batch.raw_ends) {
                Ok(raw) => Next::Append(Box::new(Packed { batch: *batch, raw }), reply),
                Err(error) => {
                    let error = ArchiveError::io(&PathBuf::from("raw events"), "packed")(error);
                    // Nobody may wait for it any more.
                    let _ = reply.send(Err(error));
                    continue;
                }
            },
            Job::Retain(now, reply) => Next::Retain(now, reply),
        };
        if packed.send(next).is_err() {
            return;
        }
    }
}

struct Writer {
    shared: Arc<Shared>,
    kept: Kept,
    active: Option<Active>,
}

impl Writer {
    fn run(mut self, waiting: &Receiver<Next>) {
        let mut held = None;
        while let Some(next) = held.take().or_else(|| waiting.recv().ok()) {
            match next {
                Next::Retain(now, reply) => drop(reply.send(self.retain(now))),
                Next::Append(packed, reply) => {
                    let mut calls = packed.batch.len();
                    let mut together = vec![(*packed, reply)];
                    while calls < TOGETHER {
                        match waiting.try_recv() {
                            Ok(Next::Append(packed, reply)) => {
                                calls += packed.batch.len();
                                together.push((*packed, reply));
                            }
                            Ok(other) => {
                                held = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.append(together);
                }
            }
        }
        if let Some(Err(error)) = self.active.take().map(Active::seal) {
            tracing::warn!(error = &error as &dyn std::error::Error, "an archive was not closed in order");
        }
        self.shared.set_state(WriterState::Closed);
    }

    /// Writes batches together; if that fails each by itself, so that each is told what became of it.
    fn append(&mut self, together: Vec<(Packed, Sender<Result<Acknowledged, ArchiveError>>)>) {
        let (mut kept, mut ready, mut answers) = (self.kept.clone(), Vec::new(), Vec::new());
        for (packed, reply) in together {
            match admit(&mut kept, packed, now()) {
                Ok((packed, acknowledged)) => {
                    ready.push(packed);
                    answers.push((reply, acknowledged));
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        }
        let Err(error) = self.write(&ready, &kept) else {
            self.kept = kept;
            self.shared.set_kept(&self.kept);
            self.shared.set_state(WriterState::Writing);
            answers.into_iter().for_each(|(reply, answer)| drop(reply.send(Ok(answer))));
            return;
        };
        self.shared.stalled(&error);
        if ready.len() == 1 {
            if let Some((reply, _)) = answers.pop() {
                drop(reply.send(Err(error)));
            }
            return;
        }
        // What failed is not kept, so that what follows it of the same file is refused as a hole.
        for (packed, (reply, _)) in ready.into_iter().zip(answers) {
            self.append(vec![(packed, reply)]);
        }
    }

    fn write(&mut self, ready: &[Packed], kept: &Kept) -> Result<(), ArchiveError> {
        if ready.is_empty() {
            return Ok(());
        }
        let first = self.active().and_then(|active| active.append(ready, kept, now()));
        match first {
            Err(error) if error.is_damage() => {
                // The rest of it stays readable as far as it is; writing goes on in a new one.
                self.shared.problem(Problem::segment(&error));
                self.active = None;
                self.shared.skip_segment();
                self.active()?.append(ready, kept, now())
            }
            Err(error) => {
                let full = matches!(&error, ArchiveError::Database { source, .. }
                    if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull));
                // A full disk leaves everything as it was; after anything else it is opened anew.
                if !full {
                    self.active = None;
                }
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// The segment to write to: the last one, or a new one when that is large or old.
    fn active(&mut self) -> Result<&mut Active, ArchiveError> {
        let options = &self.shared.options;
        if let Some(active) = self.active.take_if(|active| is_over(active, options)) {
            if let Err(error) = active.seal() {
                tracing::warn!(error = &error as &dyn std::error::Error, "a segment keeps its log");
            }
            self.shared.skip_segment();
        }
        if self.active.is_none() {
            let (path, segment) = self.shared.to_write();
            let is_new = segment.is_none();
            let active = Active::open(&path, segment, &self.shared.cache, &self.kept, now())?;
            if is_new {
                self.shared.add(active.segment.clone());
            }
            if is_over(&active, options) {
                self.active = Some(active);
                return self.active();
            }
            self.active = Some(active);
        }
        self.active.as_mut().ok_or(ArchiveError::Closed)
    }

    /// Removes whole segments: those that hold nothing younger than the age, and then the oldest until the rest fits.
    fn retain(&mut self, now: i64) -> Result<Retained, ArchiveError> {
        let (keep, keep_bytes) = self.shared.keep();
        let segments = self.shared.segments();
        let newest = segments.iter().map(|segment| segment.view().newest).max().unwrap_or(i64::MIN);
        let mut retained = Retained::default();
        if now < newest {
            // What is old can't be told by a clock that is behind what has arrived already.
            retained.clock_went_back = true;
        }
        let mut bytes: u64 = segments.iter().map(|segment| segment.view().bytes).sum();
        let last = segments.iter().map(|segment| segment.number).max();
        for segment in &segments {
            let view = segment.view();
            let age = keep.and_then(|keep| i64::try_from(keep.as_micros()).ok());
            let is_old =
                !retained.clock_went_back && age.is_some_and(|age| view.newest < now.saturating_sub(age));
            let is_much = keep_bytes.is_some_and(|most| bytes > most);
            if !is_old && !is_much {
                continue;
            }
            if Some(segment.number) == last {
                // It knows how far every file was read; a new one takes that on before it goes.
                let active = self.active()?;
                if active.segment.number == segment.number {
                    if active.is_empty() {
                        continue;
                    }
                    self.active.take().map_or(Ok(()), Active::seal)?;
                    self.shared.skip_segment();
                    self.active()?;
                }
            }
            self.count_removed(view.events);
            self.shared.remove(segment)?;
            bytes = bytes.saturating_sub(view.bytes);
            retained.segments += 1;
            retained.events += view.events;
            retained.bytes += view.bytes;
        }
        Ok(retained)
    }

    /// Counts what is about to be removed. On a full disk it is removed all the same, and counted in memory.
    fn count_removed(&mut self, events: u64) {
        let key = (REMOVED.0.to_owned(), REMOVED.1.to_owned());
        let count = self.kept.tallies.entry(key).or_default();
        *count = count.saturating_add(events);
        let count = *count;
        self.shared.set_kept(&self.kept);
        let noted = self.active().and_then(|active| active.note_tally(REMOVED, count));
        if let Err(error) = noted {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what was removed is not counted on the disk"
            );
        }
    }
}

fn is_over(active: &Active, options: &Options) -> bool {
    let age = i64::try_from(options.segment_age.as_micros()).unwrap_or(i64::MAX);
    !active.is_empty()
        && (active.bytes() >= options.segment_bytes
            || active.word_bytes() >= WORDS_MOST
            || now().saturating_sub(active.made) >= age)
}

/// Leaves out what was kept before, and notes what this batch adds.
fn admit(kept: &mut Kept, mut packed: Packed, now: i64) -> Result<(Packed, Acknowledged), ArchiveError> {
    let batch = &mut packed.batch;
    let key = (batch.source.id.clone(), batch.file.clone());
    let before = kept.positions.get(&key).map(|(to, _)| *to);
    let upto = match before {
        Some(upto) => upto,
        None if batch.begins => batch.from,
        None => 0,
    };
    if batch.from > upto {
        return Err(ArchiveError::Hole { source_id: key.0, from: batch.from, kept: upto });
    }
    let duplicates = batch.leave_out_before(upto);
    if duplicates > 0 {
        packed.raw = crate::raw::pack(&batch.raw, &batch.raw_ends)
            .map_err(ArchiveError::io(&PathBuf::from("raw events"), "packed"))?;
    }
    let to = upto.max(batch.to);
    kept.positions.insert(key, (to, now));
    // A batch that was kept whole before is counted as duplicates and nothing else.
    let is_known = duplicates > 0 && batch.is_empty();
    tally(kept, batch, duplicates, is_known);
    let acknowledged = Acknowledged { events: batch.len() as u64, duplicates, to };
    Ok((packed, acknowledged))
}

fn tally(kept: &mut Kept, batch: &Batch, duplicates: u64, is_known: bool) {
    let source = &batch.source.id;
    let mut add = |what: &str, count: u64| {
        if count > 0 {
            *kept.tallies.entry((source.clone(), what.to_owned())).or_default() += count;
        }
    };
    add("duplicates", duplicates);
    if is_known {
        return;
    }
    add("events", batch.len() as u64);
    let counts = &batch.counts;
    add("lines", counts.lines);
    add("blank", counts.blank);
    add("bytes", counts.bytes);
    add("partial", counts.partial);
    add("redactions", counts.redactions);
    add("clipped", batch.clipped);
    add("untimed", batch.untimed);
    for (bad, count) in &counts.bad {
        add(&format!("bad: {}", bad.why()), *count);
    }
    for (kind, count) in &counts.foreign {
        let what = format!("foreign: {kind}");
        let known = kept.tallies.contains_key(&(source.clone(), what.clone()));
        let kinds = kept.tallies.keys().filter(|(of, what)| of == source && what.starts_with("foreign: "));
        let what = if known || kinds.count() < KINDS_MOST { what } else { "foreign: other".to_owned() };
        *kept.tallies.entry((source.clone(), what)).or_default() += count;
    }
}
