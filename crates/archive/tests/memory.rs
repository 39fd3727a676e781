//! What a look at many large events takes of memory. Its own program: all that is measured is its own.

mod common;

use common::{LINE, bounds, opened, source};
use sallyport_archive::{Batch, CallId, Filter};
use sallyport_events::{Event, Found, Position, What};
use std::fs;

const EVENTS: u64 = 120;
/// Bytes of each, as of a list that is told of with its answer.
const EACH: usize = 2 << 20;
/// The most that a look may take beside what was there, in KiB: some events, and not a tenth of them.
const MOST: u64 = 48 << 10;

/// The most this program has had in memory since it was last told to count anew, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// What a look takes at most beside what is there before it.
fn taken(look: impl FnOnce() -> u64) -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak();
    assert_eq!(look(), EVENTS, "all of them were read");
    peak().saturating_sub(before)
}

#[test]
#[cfg(target_os = "linux")]
fn many_large_events_are_never_in_memory_together() {
    let dir = tempfile::tempdir().unwrap();
    let archive = opened(dir.path());
    for n in 0..EVENTS {
        let event = common::event(n);
        let raw = format!("{{\"auditID\":\"{}\",\"filling\":\"{}\"}}", event.audit_id, "x".repeat(EACH));
        let event = Event { raw: raw.into(), ..event };
        let mut batch = Batch::new(&source("api-1", "eu-1"), "a.log", n * LINE);
        let position = Position { offset: n * LINE, line: n + 1, item: 0 };
        batch.push(&Found { position, what: What::Event(Box::new(event)) });
        batch.read_to((n + 1) * LINE);
        archive.append(batch).unwrap().wait().unwrap();
    }
    let page = archive.page(&Filter::default(), None, 1000, &bounds()).unwrap().value;
    let ids: Vec<CallId> = page.calls.iter().map(|call| call.id).collect();
    let raws = taken(|| {
        archive.raws(&ids).filter(|raw| raw.as_ref().is_ok_and(|raw| raw.len() > EACH)).count() as u64
    });
    assert!(raws < MOST, "{raws} KiB for their texts, one after the other");
    let events =
        taken(|| archive.events(&Filter::default(), 1000, &bounds()).unwrap().value.events.len() as u64);
    assert!(events < MOST, "{events} KiB for what they say");
}
