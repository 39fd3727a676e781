//! What the tests of the archive share.
#![allow(dead_code, reason = "each test binary uses its part")]

use sallyport_archive::{Archive, ArchiveError, Batch, Bounds, Column, Filter, Options, Page, Source};
use sallyport_events::{Bad, Decision, Event, Foreign, Found, Object, Position, Stage, Stages, User, What};
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const HOUR: i64 = 3600 * SECOND;
/// 2026-03-01T00:00:00Z.
pub(crate) const BEGIN: i64 = 1_772_323_200 * SECOND;
/// Bytes of a line.
pub(crate) const LINE: u64 = 100;

pub(crate) fn source(id: &str, cluster: &str) -> Source {
    Source { id: id.to_owned(), cluster: cluster.parse().unwrap() }
}

pub(crate) fn options() -> Options {
    Options::default()
}

/// The nth line of a file: which event it is follows from n alone.
pub(crate) fn event(n: u64) -> Event<'static> {
    let refused = n % 50 == 7;
    let at = BEGIN + n as i64 * SECOND;
    let audit_id = format!("{:08x}-0000-4000-8000-{:012x}", n.wrapping_mul(2_654_435_761) as u32, n);
    Event {
        raw: format!("{{\"n\":{n},\"auditID\":\"{audit_id}\"}}").into(),
        audit_id: audit_id.into(),
        stages: Stages::one(Stage::ResponseComplete),
        received_at: Some(at),
        completed_at: Some(at + 1500),
        verb: ["get", "list", "watch", "create", "delete"][n as usize % 5].into(),
        user: User { name: format!("oidc:person-{}", n % 17).into(), ..User::default() },
        source_ips: vec![format!("10.0.0.{}", n % 200).into()],
        user_agent: Some("kubectl/v1.37.2".into()),
        object: Some(Object {
            group: if n.is_multiple_of(3) { "apps" } else { "" }.into(),
            version: "v1".into(),
            resource: if n.is_multiple_of(3) { "deployments" } else { "pods" }.into(),
            namespace: format!("team-{}", n % 11).into(),
            name: format!("thing-{}", n % 1009).into(),
            ..Object::default()
        }),
        uri: "/api".into(),
        code: Some(if refused { 403 } else { 200 }),
        decision: Some(if refused { Decision::Forbid } else { Decision::Allow }),
        credential: (n % 10 == 3).then(|| format!("JTI=token-{}", n % 30).into()),
        ..Event::default()
    }
}

pub(crate) fn found(n: u64) -> Found<'static> {
    let position = Position { offset: n * LINE, line: n + 1, item: 0 };
    Found { position, what: What::Event(Box::new(event(n))) }
}

pub(crate) fn foreign(n: u64, kind: &str) -> Found<'static> {
    let position = Position { offset: n * LINE, line: n + 1, item: 0 };
    Found { position, what: What::Foreign(Foreign { kind: kind.to_owned() }) }
}

pub(crate) fn bad(n: u64, bad: Bad) -> Found<'static> {
    let position = Position { offset: n * LINE, line: n + 1, item: 0 };
    Found { position, what: What::Bad(bad) }
}

/// The lines of a file from one to before another.
pub(crate) fn batch(source: &Source, file: &str, lines: std::ops::Range<u64>) -> Batch {
    let mut batch = Batch::new(source, file, lines.start * LINE);
    for n in lines.clone() {
        batch.push(&found(n));
    }
    batch.read(lines.end - lines.start, 0, (lines.end - lines.start) * LINE);
    batch.read_to(lines.end * LINE);
    batch
}

/// An archive with so many events, in batches of so many.
pub(crate) fn filled(dir: &Path, events: u64, of: u64) -> Archive {
    let archive = Archive::open(dir, options()).unwrap();
    fill(&archive, 0, events, of);
    archive
}

pub(crate) fn fill(archive: &Archive, from: u64, to: u64, of: u64) {
    let source = source("api-1", "eu-1");
    let mut at = from;
    while at < to {
        let end = (at + of).min(to);
        archive.append(batch(&source, "a.log", at..end)).unwrap().wait().unwrap();
        at = end;
    }
}

/// Three segments of 4,000 events.
pub(crate) fn three_segments(dir: &Path) {
    for round in 0..3 {
        let one = Options { segment_bytes: 1, ..options() };
        let archive = Archive::open(dir, one).unwrap();
        fill(&archive, round * 4000, (round + 1) * 4000, 4000);
    }
}

pub(crate) fn bounds() -> Bounds {
    Bounds { within: Duration::from_secs(60), ..Bounds::default() }
}

pub(crate) fn count(archive: &Archive, filter: &Filter) -> u64 {
    let answer = archive.count(filter, &bounds()).unwrap();
    assert!(answer.is_whole && answer.damaged == 0, "{answer:?}");
    answer.value
}

pub(crate) fn page(archive: &Archive, filter: &Filter, limit: usize) -> Page {
    let answer = archive.page(filter, None, limit, &bounds()).unwrap();
    assert!(answer.is_whole && answer.damaged == 0, "{answer:?}");
    answer.value
}

/// The lines of all events that are there, in order; each is checked to be the event of that line.
pub(crate) fn lines(archive: &Archive) -> Vec<u64> {
    let (mut cursor, mut lines) = (None, Vec::new());
    loop {
        let page = archive.page(&Filter::default(), cursor, 1000, &bounds()).unwrap().value;
        for call in &page.calls {
            let n = call.offset / LINE;
            let event = event(n);
            assert_eq!(call.audit_id, event.audit_id, "line {n}");
            assert_eq!(call.text(Column::Name), event.object.as_ref().unwrap().name);
            assert_eq!(call.at, event.at().unwrap());
            lines.push(n);
        }
        cursor = page.next;
        if cursor.is_none() {
            lines.sort_unstable();
            return lines;
        }
    }
}

/// Opens an archive; waits for a process that was just killed to let go of it.
pub(crate) fn opened(dir: &Path) -> Archive {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match Archive::open(dir, options()) {
            Err(ArchiveError::Locked { .. }) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => return opened.unwrap(),
        }
    }
}
