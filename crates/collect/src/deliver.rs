//! From the spool to a log store: in order, again and again until it is there.

use crate::counts::add;
use crate::serve::Door;
use crate::spool::{Place, Spool, SpoolError, Waiting};
use sallyport_engine::{Engine, EngineError, PUSH_BYTES, PUSH_MOST, Record};
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

/// Hands on until `stop` is over. `told` is told when that begins or ceases to fail.
///
/// # Errors
/// What the spool's disk said.
pub async fn deliver(
    door: Arc<Door>,
    delivery: &Delivery,
    stop: impl Future<Output = ()>,
    mut told: impl FnMut(Result<(), &EngineError>),
) -> Result<(), SpoolError> {
    let mut stop = pin!(stop);
    let spool = door.spool().clone();
    let mut pipe =
        Pipe { at: spool.taken(), lingering: VecDeque::new(), last: None, pause: FIRST, fails: false };
    loop {
        // What is to be taken for good, what is to be sent, or how long to wait for either.
        let is_due = pipe.due(delivery.linger).is_some_and(|due| due.is_zero());
        let waiting = spool.next(pipe.at, PUSH_MOST, PUSH_BYTES)?;
        let sent = match waiting {
            _ if is_due && pipe.is_heard_since(delivery.linger) => {
                pipe.take(&spool, delivery.linger)?;
                continue;
            }
            // Nothing to send, which would show whether the store lives: it is asked to take nothing.
            None if is_due => tokio::select! {
                () = &mut stop => return Ok(()),
                asked = delivery.engine.push(&[]) => asked.map(|_| None),
            },
            None => {
                let due = pipe.due(delivery.linger).unwrap_or(LAST);
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    () = door.came.notified() => {}
                    () = tokio::time::sleep(due) => {}
                }
                continue;
            }
            Some(waiting) => tokio::select! {
                () = &mut stop => return Ok(()),
                sent = send(&door, delivery, &waiting) => sent?.map(|()| Some(waiting.to)),
            },
        };
        match sent {
            Ok(to) => {
                if pipe.heard(to) {
                    told(Ok(()));
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut pipe.fails, true) {
                    told(Err(&error));
                }
                let again = pipe.failed(&error, &spool);
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    () = tokio::time::sleep(again) => {}
                }
            }
        }
    }
}

/// How far it is.
struct Pipe {
    /// What is sent next.
    at: Place,
    /// What the store has said it has, and when it said so.
    lingering: VecDeque<(Instant, Place)>,
    /// When the store was heard last.
    last: Option<Instant>,
    pause: Duration,
    fails: bool,
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
        let is_its_word =
            matches!(error, EngineError::Refused { status: 400 | 401 | 403 | 413 | 422 | 429, .. });
        if !is_its_word {
            // Not reached, late, or a 502 of what stands before it: it may be another process by now, without what the
            // last one had in memory.
            self.lingering.clear();
            self.at = spool.taken();
        }
        let again = error.again().unwrap_or(self.pause).clamp(FIRST, LAST);
        self.pause = (self.pause * 2).min(LAST);
        again
    }
}

async fn send(
    door: &Door,
    delivery: &Delivery,
    waiting: &Waiting,
) -> Result<Result<(), EngineError>, SpoolError> {
    let now = jiff::Timestamp::now().as_microsecond();
    let (mut lines, mut records) = (Vec::new(), Vec::new());
    for line in &waiting.lines {
        Record::read(line, &delivery.cluster, now, &mut |record| {
            lines.push(line);
            records.push(record);
        });
    }
    let (pushed, refused) = match delivery.engine.push_each(&records).await {
        Ok(sent) => sent,
        Err(error) => return Ok(Err(error)),
    };
    for one in refused {
        door.spool().refuse(lines[one])?;
    }
    let counts = door.counts();
    add(&counts.handed_on, pushed.records);
    add(&counts.clipped, pushed.clipped);
    add(&counts.rejected, pushed.rejected);
    Ok(Ok(()))
}
