//! From the spool to a log store: in order, again and again until it is there.

use crate::counts::add;
use crate::serve::Door;
use crate::spool::{Place, Spool, SpoolError, Waiting};
use sallyport_engine::{Engine, EngineError, PUSH_BYTES, PUSH_MOST, Record, Refusals};
use sallyport_model::ClusterName;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(60);

/// Where to, and how sure.
#[derive(Debug)]
pub struct Delivery {
    /// The store.
    pub engine: Engine,
    /// The cluster whose API servers write here.
    pub cluster: ClusterName,
    /// How long what a store has said it has is kept all the same: VictoriaLogs has it in memory for 5 s. When the store
    /// can't be reached within that time, it may have died, and gets it again.
    pub linger: Duration,
}

/// What is to be said while events are handed on.
#[derive(Clone, Copy, Debug)]
pub enum Tells<'a> {
    /// They are, again.
    Again,
    /// They can't be, and wait.
    Waits(&'a EngineError),
    /// The spool's own disk fails: what was handed on may be sent again.
    Disk(&'a SpoolError),
    /// Some that the store does not take were put aside.
    Aside(u64),
}

/// Hands on until `stop` is over. Nothing that fails ends it: while the disk is full, what the store takes makes room.
/// `told` is told when that begins or ceases to fail, and of the first that are put aside.
pub async fn deliver(
    door: Arc<Door>,
    delivery: &Delivery,
    stop: impl Future<Output = ()>,
    mut told: impl FnMut(Tells<'_>),
) {
    let mut stop = pin!(stop);
    let spool = door.spool().clone();
    let mut pipe = Pipe { at: spool.taken(), pause: FIRST, ..Pipe::default() };
    loop {
        // What is to be taken for good, what is to be sent, or how long to wait for either.
        let is_due = pipe.due(delivery.linger).is_some_and(|due| due.is_zero());
        if is_due && pipe.is_heard_since(delivery.linger) {
            // Where that fails it was taken all the same, and is deleted with what comes next.
            let taken = pipe.take(&spool, delivery.linger);
            pipe.disk(&taken, &mut told);
            pipe.disk_fails = taken.is_err();
            continue;
        }
        let waiting = spool.next(pipe.at, PUSH_MOST, PUSH_BYTES);
        pipe.disk(&waiting, &mut told);
        let sent = match waiting {
            Err(_) => {
                tokio::select! {
                    () = &mut stop => return,
                    () = tokio::time::sleep(LAST) => {}
                }
                continue;
            }
            // Nothing to send, which would show whether the store lives: it is asked to take nothing.
            Ok(None) if is_due => tokio::select! {
                () = &mut stop => return,
                asked = delivery.engine.push(&[]) => Ok(match asked {
                    // Loki finds fault with nothing at all. Whoever does that lives.
                    Err(error) if !error.is_about_records() => Err(error),
                    _ => Ok(None),
                }),
            },
            Ok(None) => {
                let due = pipe.due(delivery.linger).unwrap_or(LAST);
                tokio::select! {
                    () = &mut stop => return,
                    () = door.came.notified() => {}
                    () = tokio::time::sleep(due) => {}
                }
                continue;
            }
            Ok(Some(waiting)) => {
                let sending = send(&door, delivery, &waiting, pipe.all_refused);
                tokio::select! {
                    () = &mut stop => return,
                    sent = sending => sent.map(|sent| sent.map(|aside| Some((waiting.to, aside)))),
                }
            }
        };
        pipe.disk(&sent, &mut told);
        let again = match sent {
            Ok(Ok(done)) => {
                if pipe.heard(done.map(|(to, _)| to)) {
                    told(Tells::Again);
                }
                match done {
                    Some((_, aside)) if aside > 0 && !std::mem::replace(&mut pipe.has_put_aside, true) => {
                        told(Tells::Aside(aside));
                    }
                    _ => {}
                }
                continue;
            }
            Ok(Err(error)) => {
                if !std::mem::replace(&mut pipe.fails, true) {
                    told(Tells::Waits(&error));
                }
                pipe.failed(&error, &spool)
            }
            // What can't be put aside waits with what it came with.
            Err(_) => pipe.later(None),
        };
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(again) => {}
        }
    }
}

/// How far it is.
#[derive(Default)]
struct Pipe {
    /// What is sent next.
    at: Place,
    /// What the store has said it has, and when it said so.
    lingering: VecDeque<(Instant, Place)>,
    /// When the store was heard last.
    last: Option<Instant>,
    pause: Duration,
    fails: bool,
    disk_fails: bool,
    has_put_aside: bool,
    /// Of what is sent next none was taken when it was sent last.
    all_refused: bool,
}

impl Pipe {
    /// How long until something may be taken for good.
    fn due(&self, linger: Duration) -> Option<Duration> {
        self.lingering.front().map(|(since, _)| linger.saturating_sub(since.elapsed()))
    }

    /// Whether the store was heard after all that time: it lives, and nothing says that it died in between.
    fn is_heard_since(&self, linger: Duration) -> bool {
        let first = self.lingering.front().map(|(since, _)| *since + linger);
        self.last.zip(first).is_some_and(|(last, first)| last >= first)
    }

    fn take(&mut self, spool: &Spool, linger: Duration) -> Result<(), SpoolError> {
        let last = self.last;
        let is_sure = |(since, _): &mut (Instant, Place)| last.is_some_and(|last| last >= *since + linger);
        let mut to = None;
        while let Some((_, place)) = self.lingering.pop_front_if(is_sure) {
            to = Some(place);
        }
        to.map_or(Ok(()), |to| spool.take_to(to))
    }

    /// The store answered; whether it had failed before.
    fn heard(&mut self, to: Option<Place>) -> bool {
        let now = Instant::now();
        (self.last, self.pause, self.all_refused) = (Some(now), FIRST, false);
        if let Some(to) = to {
            self.at = to;
            self.lingering.push_back((now, to));
        }
        std::mem::take(&mut self.fails)
    }

    /// When to try again.
    fn failed(&mut self, error: &EngineError, spool: &Spool) -> Duration {
        // What the store says of what it was sent, it says as the one that it was before. OTLP says it with a 200.
        let is_its_word =
            matches!(error, EngineError::Refused { status: 200 | 400 | 401 | 403 | 413 | 422 | 429, .. });
        if !is_its_word {
            // Not reached, late, or a 502 of what stands before it: it may be another process by now, without what the
            // last one had in memory.
            self.lingering.clear();
            self.at = spool.taken();
        }
        self.all_refused = matches!(error, EngineError::Refused { status: 200 | 400 | 413 | 422, .. });
        self.later(error.again())
    }

    /// When to try again, if nobody says otherwise.
    fn later(&mut self, again: Option<Duration>) -> Duration {
        let again = again.unwrap_or(self.pause).clamp(FIRST, LAST);
        self.pause = (self.pause * 2).min(LAST);
        again
    }

    /// Tells once that the disk fails, until something was deleted again.
    fn disk<T>(&mut self, done: &Result<T, SpoolError>, told: &mut impl FnMut(Tells<'_>)) {
        if let Err(error) = done
            && !std::mem::replace(&mut self.disk_fails, true)
        {
            told(Tells::Disk(error));
        }
    }
}

/// Events that show whether a store takes any.
const NEWEST: usize = 10;

/// Sends what waits; how many of it the store does not take, which were put aside. Where it takes none of them, that is its
/// configuration or a proxy before it, unless it takes others: it is an error then, and nothing is put aside.
async fn send(
    door: &Door,
    delivery: &Delivery,
    waiting: &Waiting,
    were_refused: bool,
) -> Result<Result<u64, EngineError>, SpoolError> {
    let (lines, records) = read(&waiting.lines, delivery);
    if were_refused {
        // One request and not one for each, as long as nothing has changed.
        match delivery.engine.push(&records[..records.len().min(1)]).await {
            Ok(pushed) if pushed.rejected == 0 => {}
            Err(error) if !error.is_about_records() => return Ok(Err(error)),
            refused => {
                if !takes_newest(door, delivery, waiting).await? {
                    let said = Refusals { said: refused.err(), ..Refusals::default() };
                    return Ok(Err(none_taken(said, delivery)));
                }
            }
        }
    }
    let (pushed, refused) = match delivery.engine.push_each(&records).await {
        Ok(sent) => sent,
        Err(error) => return Ok(Err(error)),
    };
    let all = !records.is_empty() && refused.of.len() == records.len();
    if all && !takes_newest(door, delivery, waiting).await? {
        return Ok(Err(none_taken(refused, delivery)));
    }
    let aside: Vec<&[u8]> = refused.of.iter().map(|one| lines[*one]).collect();
    door.spool().refuse(&aside)?;
    let counts = door.counts();
    add(&counts.handed_on, pushed.records);
    add(&counts.clipped, pushed.clipped);
    add(&counts.rejected, pushed.rejected);
    Ok(Ok(aside.len() as u64))
}

/// Records, each with the line it stands in.
fn read<'l>(waiting: &'l [Vec<u8>], delivery: &Delivery) -> (Vec<&'l [u8]>, Vec<Record>) {
    let now = jiff::Timestamp::now().as_microsecond();
    let (mut lines, mut records) = (Vec::new(), Vec::new());
    for line in waiting {
        Record::read(line, &delivery.cluster, now, &mut |record| {
            lines.push(&line[..]);
            records.push(record);
        });
    }
    (lines, records)
}

/// Whether the store takes any of those that came last, where they are others: old events may be what it does not take.
async fn takes_newest(door: &Door, delivery: &Delivery, waiting: &Waiting) -> Result<bool, SpoolError> {
    if door.spool().next(waiting.to, 1, 1)?.is_none() {
        return Ok(false);
    }
    let newest = door.spool().newest(NEWEST)?;
    let (_, records) = read(&newest, delivery);
    Ok(delivery.engine.push_each(&records).await.is_ok_and(|(pushed, _)| pushed.records > 0))
}

fn none_taken(refused: Refusals, delivery: &Delivery) -> EngineError {
    refused.said.unwrap_or_else(|| EngineError::Refused {
        host: delivery.engine.target().host(),
        status: 200,
        said: "it does not take the events".to_owned(),
        again: None,
    })
}
