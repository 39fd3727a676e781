//! From the spool to a log store: in order, again and again until it is there.

use crate::counts::add;
use crate::serve::Door;
use crate::spool::{Place, Spool, SpoolError, Waiting};
use sallyport_engine::{Engine, EngineError, PUSH_BYTES, PUSH_MOST, Record};
use sallyport_model::ClusterName;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(60);
/// So many of the newest are tried, where a store takes none of the oldest.
const NEWEST: usize = 16;
/// Until what the store has is taken off the disk once more: soon, since others wait for that room.
const DISK_AGAIN: Duration = Duration::from_secs(2);

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

/// What an operator should know of.
#[derive(Debug, thiserror::Error)]
pub enum Notice<'a> {
    /// After [`Notice::Waits`]: the store has taken some.
    #[error("events are handed on again")]
    Again,
    /// The store is tried again and again.
    #[error("events can't be handed on, and wait: {0}")]
    Waits(&'a EngineError),
    /// The first that the store refuses for what they are, and not for its configuration: it takes others.
    #[error(
        "{many} of the events are put into `refused.jsonl`, since the store takes others and not these; later ones are \
         counted alone: {why}"
    )]
    Refused {
        /// How many.
        many: usize,
        /// What the store said of the last.
        why: &'a EngineError,
    },
    /// Its own disk failed, and is tried again. Nothing is lost by that: what the store has may be sent once more.
    #[error(
        "what was handed on can't be taken off the disk, what waits not read, or what the store refuses not put aside, which \
         is tried again: {0}"
    )]
    Disk(&'a SpoolError),
}

/// Hands on until `stop` is over. `told` is told when that begins or ceases to fail.
pub async fn deliver(
    door: Arc<Door>,
    delivery: &Delivery,
    stop: impl Future<Output = ()>,
    mut told: impl FnMut(Notice<'_>),
) {
    let handing_on = hand_on(&door, delivery, &mut told);
    tokio::select! {
        () = stop => {}
        () = handing_on => {}
    }
}

async fn hand_on(door: &Door, delivery: &Delivery, told: &mut impl FnMut(Notice<'_>)) {
    let spool = door.spool();
    let mut pipe = Pipe::new(spool.taken());
    loop {
        // What is to be taken for good, what is to be sent, or how long to wait for either.
        if let Some(to) = pipe.sure(spool, delivery.linger) {
            let at = spool.clone();
            let taken = blocking(move || at.take_to(to)).await;
            pipe.again = taken.is_err().then(|| Instant::now() + DISK_AGAIN);
            on_disk(&mut pipe.room_fails, taken.as_ref().err(), told);
        }
        if let Some(aside) = pipe.aside.take() {
            let put = put_aside(aside, delivery, &mut pipe, spool).await;
            pipe.went(put, spool, told).await;
            continue;
        }
        let is_due = pipe.due(delivery.linger).is_some_and(|due| due.is_zero());
        let (at, from) = (spool.clone(), pipe.at);
        let sent = match blocking(move || at.next(from, PUSH_MOST, PUSH_BYTES)).await {
            Ok(Some(waiting)) => match send(door, delivery, pipe.at, &waiting).await {
                Ok(refused) => {
                    pipe.last = Some(Instant::now());
                    if let Some(why) = refused.why.as_ref().filter(|_| !refused.lines.is_empty())
                        && !std::mem::replace(&mut pipe.refuses, true)
                    {
                        told(Notice::Refused { many: refused.lines.len(), why });
                    }
                    pipe.aside = Some(Aside { lines: refused.lines, to: waiting.to, is_again: false });
                    continue;
                }
                Err(error) => Err(Failed::Store(error)),
            },
            // Nothing to send, which would show whether the store lives: it is asked to take nothing.
            Ok(None) if is_due => delivery.engine.answers().await.map(|()| None).map_err(Failed::Store),
            Ok(None) => {
                on_disk(&mut pipe.disk_fails, None, told);
                let again = pipe.again.map(|again| again.saturating_duration_since(Instant::now()));
                let due = pipe.due(delivery.linger).into_iter().chain(again).min().unwrap_or(LAST);
                tokio::select! {
                    () = door.came.notified() => {}
                    () = tokio::time::sleep(due) => {}
                }
                continue;
            }
            Err(error) => Err(Failed::Disk(error)),
        };
        pipe.went(sent, spool, told).await;
    }
}

/// Puts aside what the store refused of a batch; how far that is done with. Where it can't be, that is tried again and nothing
/// is sent once more: the store has the rest of it.
async fn put_aside(
    aside: Aside,
    delivery: &Delivery,
    pipe: &mut Pipe,
    spool: &Arc<Spool>,
) -> Result<Option<Place>, Failed> {
    if aside.is_again {
        // It may have died since, without what it had in memory.
        if let Err(error) = delivery.engine.answers().await {
            pipe.aside = Some(aside);
            return Err(Failed::Store(error));
        }
        pipe.last = Some(Instant::now());
    }
    let (at, to) = (spool.clone(), aside.to);
    let (put, lines) = blocking(move || (at.refuse(&aside.lines), aside.lines)).await;
    match put {
        Ok(()) => Ok(Some(to)),
        Err(error) => {
            pipe.aside = Some(Aside { lines, to, is_again: true });
            Err(Failed::Disk(error))
        }
    }
}

/// What waits for the disk, away from the tasks: whoever takes connections may be polled by the same one.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and this with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// What the own disk did; told where it begins to fail.
fn on_disk(fails: &mut bool, error: Option<&SpoolError>, told: &mut impl FnMut(Notice<'_>)) {
    let failed = std::mem::replace(fails, error.is_some());
    if let (Some(error), false) = (error, failed) {
        told(Notice::Disk(error));
    }
}

/// Why nothing was handed on.
enum Failed {
    Store(EngineError),
    /// It was not read, or not put aside: it waits with its batch.
    Disk(SpoolError),
}

/// What the store has refused of a batch that it has otherwise.
struct Aside {
    lines: Vec<Vec<u8>>,
    /// Up to where that batch goes.
    to: Place,
    /// Whether the disk has failed to take it.
    is_again: bool,
}

/// How far it is.
struct Pipe {
    /// What is sent next.
    at: Place,
    /// What is to be put aside before that.
    aside: Option<Aside>,
    /// What the store has said it has, and when it said so.
    lingering: VecDeque<(Instant, Place)>,
    /// When the store was heard last.
    last: Option<Instant>,
    /// When what the store has is taken off the disk once more, after that failed.
    again: Option<Instant>,
    pause: Duration,
    fails: bool,
    refuses: bool,
    /// The disk, as for what is taken off it, and as for what is read from it and put aside: one may do without the other.
    room_fails: bool,
    disk_fails: bool,
}

impl Pipe {
    fn new(at: Place) -> Self {
        Self {
            at,
            aside: None,
            lingering: VecDeque::new(),
            last: None,
            again: None,
            pause: FIRST,
            fails: false,
            refuses: false,
            room_fails: false,
            disk_fails: false,
        }
    }

    /// How long until something may be taken for good.
    fn due(&self, linger: Duration) -> Option<Duration> {
        self.lingering.front().map(|(since, _)| linger.saturating_sub(since.elapsed()))
    }

    /// Up to where it is to be taken for good: the store was heard after all that time, so that it lives, and nothing says
    /// that it died in between; or the disk failed when it was taken.
    fn sure(&mut self, spool: &Spool, linger: Duration) -> Option<Place> {
        let last = self.last;
        let is_sure = |(since, _): &mut (Instant, Place)| last.is_some_and(|last| last >= *since + linger);
        let mut to = None;
        while let Some((_, place)) = self.lingering.pop_front_if(is_sure) {
            to = Some(place);
        }
        to.or_else(|| self.again.filter(|again| *again <= Instant::now()).map(|_| spool.taken()))
    }

    /// How one turn went; waits where it failed.
    async fn went(
        &mut self,
        done: Result<Option<Place>, Failed>,
        spool: &Spool,
        told: &mut impl FnMut(Notice<'_>),
    ) {
        let error = match &done {
            Err(Failed::Disk(error)) => Some(error),
            _ => None,
        };
        // What the store said says nothing of a disk that could not take what it refuses.
        if error.is_some() || self.aside.is_none() {
            on_disk(&mut self.disk_fails, error, told);
        }
        match done {
            Ok(to) => {
                if self.heard(to) {
                    told(Notice::Again);
                }
            }
            Err(Failed::Store(error)) => {
                if !std::mem::replace(&mut self.fails, true) {
                    told(Notice::Waits(&error));
                }
                tokio::time::sleep(self.failed(&error, spool)).await;
            }
            Err(Failed::Disk(_)) => tokio::time::sleep(self.pause()).await,
        }
    }

    /// The store answered; whether it had failed before.
    fn heard(&mut self, to: Option<Place>) -> bool {
        let now = Instant::now();
        (self.last, self.pause) = (Some(now), FIRST);
        if let Some(to) = to {
            self.at = to;
            self.lingering.push_back((now, to));
        }
        std::mem::take(&mut self.fails)
    }

    /// When to try again.
    fn failed(&mut self, error: &EngineError, spool: &Spool) -> Duration {
        // What the store says of what it was sent, it says as the one that it was before.
        if !error.is_its_word() {
            // Not reached, late, or a 502 of what stands before it: it may be another process by now, without what the
            // last one had in memory.
            self.lingering.clear();
            self.aside = None;
            self.at = spool.taken();
        }
        error.again().unwrap_or(self.pause()).clamp(FIRST, LAST)
    }

    /// How long to wait, twice as long each time.
    fn pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LAST);
        pause
    }
}

/// The lines that the store does not take.
struct Refused {
    lines: Vec<Vec<u8>>,
    why: Option<EngineError>,
}

async fn send(
    door: &Door,
    delivery: &Delivery,
    at: Place,
    waiting: &Waiting,
) -> Result<Refused, EngineError> {
    let (mut lines, mut records) = (Vec::new(), Vec::new());
    for line in &waiting.lines {
        read(line, delivery, &mut |record| {
            lines.push(line.as_slice());
            records.push(record);
        });
    }
    let newest = async {
        let mut records = Vec::new();
        // Where they can't be read, the store is not known to take any.
        let spool = door.spool().clone();
        let newest = blocking(move || spool.newest(at, NEWEST, PUSH_BYTES as u64)).await;
        for line in newest.unwrap_or_default() {
            read(&line, delivery, &mut |record| records.push(record));
        }
        records
    };
    let each = delivery.engine.push_each(&records, newest).await?;
    let counts = door.counts();
    add(&counts.handed_on, each.pushed.records);
    add(&counts.clipped, each.pushed.clipped);
    add(&counts.rejected, each.pushed.rejected);
    Ok(Refused { lines: each.refused.into_iter().map(|one| lines[one].to_vec()).collect(), why: each.why })
}

fn read(line: &[u8], delivery: &Delivery, each: &mut dyn FnMut(Record)) {
    Record::read(line, &delivery.cluster, jiff::Timestamp::now().as_microsecond(), each);
}
