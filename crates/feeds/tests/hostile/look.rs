//! Looks into a store in place: what several of them see is kept once, and what was not seen is said.

use crate::common::{BEGIN, SECOND, Server, record, respond};
use sallyport_archive::{Archive, ArchiveError, Bounds, Cancel, Column, Filter, Options, Source};
use sallyport_engine::{Access, Engine, Wanted};
use sallyport_feeds::{FeedError, InPlace, Look};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

struct Place {
    archive: Archive,
    engine: Engine,
    source: Source,
    seen: InPlace,
    _dir: tempfile::TempDir,
}

impl Place {
    fn of(server: &Server) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(dir.path(), Options::default()).unwrap();
        let engine = Engine::new(server.target.parse().unwrap(), &Access::default()).unwrap();
        let source = Source { id: "s".to_owned(), cluster: "payments-eu-1".parse().unwrap() };
        Self { archive, engine, source, seen: InPlace::default(), _dir: dir }
    }

    fn look(&mut self, from: i64, to: i64, most: usize) -> Result<sallyport_feeds::Answered, FeedError> {
        self.look_for(Wanted::of("payments-eu-1"), from, to, most, &Cancel::default())
    }

    fn look_for(
        &mut self,
        wanted: Wanted,
        from: i64,
        to: i64,
        most: usize,
        cancel: &Cancel,
    ) -> Result<sallyport_feeds::Answered, FeedError> {
        let look = Look { wanted, from, to, most, within: Duration::from_secs(60) };
        self.seen.look(&self.archive, &self.source, &self.engine, &look, cancel)
    }

    fn count(&self, filter: &Filter) -> u64 {
        self.archive.count(filter, &Bounds::default()).unwrap().value
    }
}

#[test]
fn looks_go_back_and_on_and_what_two_of_them_see_is_kept_once() {
    // Ten days, with a moment that is larger than a page.
    let hour = 3600 * SECOND;
    let all: Vec<(i64, usize)> = (0..4000)
        .map(|n| (BEGIN + if (1500..3000).contains(&n) { 1500 } else { n } * hour / 20, n as usize))
        .collect();
    let end = all.last().unwrap().0 + 1;
    let server = Server::new(move |asked, stream| respond(stream, "200 OK", &asked.answer(&all)));
    let mut place = Place::of(&server);
    let first = place.look(BEGIN, end - 50 * hour, 100).unwrap();
    let before = first.before.unwrap();
    assert!(first.records >= 100 && before > BEGIN, "{first:?}");
    // On from there, over a stretch that was seen.
    let newer = place.look(end - 60 * hour, end, usize::MAX).unwrap();
    assert_eq!((newer.before, newer.records < 1100), (None, true), "{newer:?}");
    let older = place.look(BEGIN, before, usize::MAX).unwrap();
    assert_eq!((older.before, older.broke), (None, None));
    assert_eq!((place.count(&Filter::default()), place.seen.records()), (4000, 4000));
}

#[test]
fn what_a_store_said_before_it_broke_off_is_there_and_what_it_did_not_say_is_told() {
    let all: Vec<(i64, usize)> = (0..5000).map(|n| (BEGIN + n * SECOND, n as usize)).collect();
    let answers = AtomicUsize::new(0);
    let server = Server::new(move |asked, stream| match answers.fetch_add(1, Ordering::Relaxed) {
        0 => respond(stream, "200 OK", &asked.answer(&all)),
        _ => respond(stream, "200 OK", "<html>Sign in"),
    });
    let mut place = Place::of(&server);
    let answered = place.look(BEGIN, BEGIN + 5000 * SECOND, usize::MAX).unwrap();
    assert_eq!(answered.before, Some(BEGIN + 4000 * SECOND + 1), "{answered:?}");
    assert!(answered.broke.as_deref().unwrap().contains("HTML"), "{answered:?}");
    assert_eq!(place.count(&Filter::default()), 999);
    // With nothing before it, it is an error, and nothing was kept.
    let why = place.look(BEGIN, BEGIN + 4000 * SECOND, 10).unwrap_err().to_string();
    assert!(why.contains("HTML") && place.count(&Filter::default()) == 999, "{why}");
}

#[test]
fn a_look_that_is_taken_back_does_not_wait_for_the_store() {
    let asked = Arc::new(AtomicUsize::new(0));
    let told = asked.clone();
    let server = Server::new(move |_, _| {
        told.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_secs(60));
    });
    let mut place = Place::of(&server);
    let cancel = Cancel::default();
    let taken_back = cancel.clone();
    std::thread::spawn(move || {
        while asked.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        taken_back.cancel();
    });
    let began = Instant::now();
    let refused =
        place.look_for(Wanted::of("payments-eu-1"), BEGIN, BEGIN + SECOND, 10, &cancel).unwrap_err();
    assert!(matches!(refused, FeedError::Archive(ArchiveError::Canceled)), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert_eq!(place.count(&Filter::default()), 0);
}

#[test]
fn of_every_cluster_each_record_is_of_the_one_that_the_store_names_and_hides_none_of_another() {
    let of = |cluster: &str, number: usize| {
        record(BEGIN + number as i64, number).replace("payments-eu-1", cluster)
    };
    // The same event under three names, one of which is none.
    let lines = [of("a", 1), of("b", 1), of("", 1), of("NOT a name", 1), of("b", 2)];
    let mut body = lines.join("\n") + "\n";
    body = body.lines().rev().map(|line| format!("{line}\n")).collect();
    let server = Server::new(move |_, stream| respond(stream, "200 OK", &body));
    let mut place = Place::of(&server);
    let answered = place.look_for(Wanted::of_every(), BEGIN, BEGIN + SECOND, 10, &Cancel::default()).unwrap();
    assert_eq!(answered.counts.foreign.get("a record that names no cluster"), Some(&2), "{answered:?}");
    for (cluster, events) in [("a", 1), ("b", 2), ("payments-eu-1", 0)] {
        assert_eq!(place.count(&Filter::default().only(Column::Cluster, cluster)), events, "{cluster}");
    }
}
