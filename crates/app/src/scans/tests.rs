//! A run of scans with fakes of its own ports: every way in which opening, reading, keeping and leaving can go, in whatever
//! order they come.

use super::fleet::cut_off;
use super::kept::{Index, Kept, Whose};
use super::ports::{Answer, Left, Visit, Ways};
use super::run::{Ends, Keeps, Run};
use super::turns::{AT_ONCE, GIVE_WAY};
use crate::desk::AppError;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_ipc::ScanState;
use sallyport_model::{ClusterName, ErrorCode};
use sallyport_posture::Review;
use sallyport_posture::trend::Point;
use sallyport_scan::Reading;
use sallyport_vault::Shelf;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What goes wrong with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    Well,
    CannotBegin,
    DoesNotOpen,
    OpensLate,
    IsNotRead,
    IsNotKept,
    Hangs,
    Panics,
    IsNotProven,
    WantsMore,
    NeitherReadNorProven,
}

/// What was seen.
#[derive(Default)]
struct Seen {
    reading: AtomicUsize,
    most: AtomicUsize,
    begun: AtomicUsize,
    left: AtomicUsize,
    proven: AtomicUsize,
    kept: Mutex<Vec<String>>,
}

struct Fakes {
    goes: BTreeMap<String, Goes>,
    seen: Arc<Seen>,
    /// A permit lets one reading go on.
    gate: Arc<Semaphore>,
    /// A permit lets one that opens late be open.
    broker: Arc<Semaphore>,
}

struct One {
    name: String,
    goes: Goes,
    seen: Arc<Seen>,
    gate: Arc<Semaphore>,
    broker: Arc<Semaphore>,
}

impl Ways for Fakes {
    fn begin(&self, cluster: &ClusterName) -> Result<Box<dyn Visit>, AppError> {
        let goes = self.goes.get(cluster.as_str()).copied().unwrap_or(Goes::Well);
        if goes == Goes::CannotBegin {
            return Err(AppError::failed("no profile"));
        }
        self.seen.begun.fetch_add(1, Ordering::Relaxed);
        let (seen, gate, broker) = (self.seen.clone(), self.gate.clone(), self.broker.clone());
        Ok(Box::new(One { name: cluster.to_string(), goes, seen, gate, broker }))
    }
}

impl Visit for One {
    fn session(&self) -> String {
        format!("s-{}", self.name)
    }
    fn opened(&mut self) -> BoxFuture<'_, Result<(), AppError>> {
        let goes = self.goes;
        async move {
            match goes {
                Goes::OpensLate => {
                    self.broker.acquire().await.map_err(|_| AppError::failed("closed"))?.forget();
                    Ok(())
                }
                Goes::DoesNotOpen | Goes::NeitherReadNorProven => {
                    Err(AppError::failed("its broker is silent"))
                }
                Goes::WantsMore => Err(AppError::new(ErrorCode::StepUpNeeded, "prove who you are")),
                _ => Ok(()),
            }
        }
        .boxed()
    }
    fn read<'a>(
        &'a mut self,
        told: &'a (dyn Fn(u32, u32) + Sync),
    ) -> BoxFuture<'a, Result<Reading, AppError>> {
        async {
            let now = self.seen.reading.fetch_add(1, Ordering::SeqCst) + 1;
            self.seen.most.fetch_max(now, Ordering::SeqCst);
            told(3, 40);
            let passed = match self.goes {
                Goes::Hangs => std::future::pending().await,
                Goes::Panics => panic!("a reading that panics"),
                _ => self.gate.acquire().await,
            };
            passed.map_err(|_| AppError::failed("closed"))?.forget();
            self.seen.reading.fetch_sub(1, Ordering::SeqCst);
            match self.goes {
                Goes::IsNotRead => Err(AppError::failed("its session was ended by oidc:lee")),
                _ => Ok(Reading::default()),
            }
        }
        .boxed()
    }
    fn ask(&mut self, _: Vec<Review>) -> BoxFuture<'_, Result<Vec<Answer>, AppError>> {
        async { Ok(Vec::new()) }.boxed()
    }
    fn leave(&mut self) -> BoxFuture<'_, ()> {
        self.seen.left.fetch_add(1, Ordering::Relaxed);
        async {}.boxed()
    }
    fn proven(self: Box<Self>) -> BoxFuture<'static, Left> {
        self.seen.proven.fetch_add(1, Ordering::Relaxed);
        let unproven = matches!(self.goes, Goes::IsNotProven | Goes::NeitherReadNorProven);
        let left = if unproven { Left::Unproven } else { Left::Proven };
        async move { left }.boxed()
    }
}

struct World {
    run: Arc<Run>,
    seen: Arc<Seen>,
    gate: Arc<Semaphore>,
    broker: Arc<Semaphore>,
    told: Arc<AtomicUsize>,
    ended: Arc<Mutex<Vec<(String, ScanState)>>>,
}

impl World {
    fn new() -> Self {
        let told = Arc::new(AtomicUsize::new(0));
        let count = told.clone();
        let run = Run::new(Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        let (gate, broker) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        Self { run, seen: Arc::default(), gate, broker, told, ended: Arc::default() }
    }

    fn begin(&self, clusters: &[(&str, Goes)]) -> Vec<ClusterName> {
        let goes = clusters.iter().map(|(name, goes)| ((*name).to_owned(), *goes)).collect();
        let (gate, broker) = (self.gate.clone(), self.broker.clone());
        let ways = Fakes { goes, seen: self.seen.clone(), gate, broker };
        let (seen, fails) = (self.seen.clone(), clusters.to_vec());
        let fails: Vec<String> = fails
            .iter()
            .filter(|(_, goes)| *goes == Goes::IsNotKept)
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let keeps: Keeps = Arc::new(move |cluster, _, _| {
            let (seen, fails) = (seen.clone(), fails.contains(&cluster.to_string()));
            async move {
                if fails {
                    return Err(AppError::failed("the disk is full"));
                }
                seen.kept.lock().unwrap().push(cluster.to_string());
                Ok(())
            }
            .boxed()
        });
        let names: Vec<ClusterName> = clusters.iter().map(|(name, _)| name.parse().unwrap()).collect();
        let ended = self.ended.clone();
        let ends: Ends = Arc::new(move |cluster, state| {
            ended.lock().unwrap().push((cluster.to_string(), state));
            async {}.boxed()
        });
        self.run.begin(Arc::new(ways), (keeps, ends), &names, 1);
        names
    }

    async fn until(&self, wanted: impl Fn(&BTreeMap<ClusterName, ScanState>) -> bool) {
        let waiting = async {
            while !wanted(&self.run.states()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        assert!(waited.is_ok(), "{:?}", self.run.states());
    }

    async fn until_over(&self) {
        self.until(|_| self.run.view().is_none_or(|view| view.is_over)).await;
    }

    fn state(&self, name: &str) -> ScanState {
        self.run.states()[&name.parse::<ClusterName>().unwrap()].clone()
    }
}

fn failed(state: &ScanState) -> Option<String> {
    match state {
        ScanState::Failed { error } => Some(error.message.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn p13_whatever_goes_wrong_what_was_begun_is_left_and_its_proof_waited_for() {
    let world = World::new();
    world.gate.add_permits(100);
    world.begin(&[
        ("well", Goes::Well),
        ("no-profile", Goes::CannotBegin),
        ("silent", Goes::DoesNotOpen),
        ("ended", Goes::IsNotRead),
        ("full", Goes::IsNotKept),
        ("unproven", Goes::IsNotProven),
    ]);
    world.until_over().await;
    assert_eq!(world.state("well"), ScanState::Done { session: "s-well".into() });
    assert_eq!(failed(&world.state("no-profile")).unwrap(), "no profile");
    assert_eq!(failed(&world.state("silent")).unwrap(), "its broker is silent");
    assert_eq!(failed(&world.state("ended")).unwrap(), "its session was ended by oidc:lee");
    assert_eq!(failed(&world.state("full")).unwrap(), "the disk is full");
    assert_eq!(world.state("unproven"), ScanState::Unproven { session: "s-unproven".into(), error: None });
    let seen = &world.seen;
    let counts = [&seen.begun, &seen.left, &seen.proven].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(counts, [5, 5, 5], "each that was begun was left, and its proof waited for");
    assert_eq!(
        *seen.kept.lock().unwrap(),
        ["unproven", "well"].map(str::to_owned).into_iter().rev().collect::<Vec<_>>()
    );
    let view = world.run.view().unwrap();
    assert_eq!((view.total, view.done, view.failed, view.cancelled), (6, 2, 4, 0));
}

#[tokio::test]
async fn so_many_at_once_and_no_more_and_each_of_many_comes_to_its_turn() {
    let world = World::new();
    let names: Vec<String> = (0..40).map(|number| format!("c-{number}")).collect();
    let all: Vec<(&str, Goes)> = names.iter().map(|name| (name.as_str(), Goes::Well)).collect();
    world.begin(&all);
    world
        .until(|states| {
            states.values().filter(|state| matches!(state, ScanState::Reading { .. })).count() == AT_ONCE
        })
        .await;
    let waiting = world.run.states().values().filter(|state| **state == ScanState::Waiting).count();
    assert_eq!(waiting, 40 - AT_ONCE);
    assert!(matches!(world.state("c-0"), ScanState::Waiting | ScanState::Reading { done: 3, total: 40, .. }));
    world.gate.add_permits(40);
    world.until_over().await;
    assert_eq!(world.seen.most.load(Ordering::SeqCst), AT_ONCE);
    assert_eq!(world.run.view().unwrap().done, 40);
    assert!(world.told.load(Ordering::Relaxed) > 80);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_broker_gives_way_to_what_opens() {
    let world = World::new();
    world.gate.add_permits(100);
    let late: Vec<String> = (0..AT_ONCE + GIVE_WAY + 3).map(|number| format!("a-{number:02}")).collect();
    let mut all: Vec<(&str, Goes)> = late[..AT_ONCE].iter().map(|n| (n.as_str(), Goes::OpensLate)).collect();
    all.push(("b", Goes::Well));
    world.begin(&all);
    world.until(|_| matches!(world.state("b"), ScanState::Done { .. })).await;
    assert!((0..AT_ONCE).all(|n| matches!(world.state(&late[n]), ScanState::Opening { .. })));
    // However many wait: no more than that are asked for.
    let more: Vec<(&str, Goes)> = late[AT_ONCE..].iter().map(|n| (n.as_str(), Goes::OpensLate)).collect();
    world.begin(&more);
    let begun = || world.seen.begun.load(Ordering::Relaxed);
    world.until(|_| begun() == 1 + AT_ONCE + GIVE_WAY).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(begun(), 1 + AT_ONCE + GIVE_WAY);
    // What opened late is read in turn, never more at once than that.
    world.seen.most.store(0, Ordering::SeqCst);
    world.broker.add_permits(late.len());
    world.until_over().await;
    assert!(world.seen.most.load(Ordering::SeqCst) <= AT_ONCE);
    assert_eq!(world.run.view().unwrap().done, u32::try_from(1 + late.len()).unwrap());
    let left = world.seen.left.load(Ordering::Relaxed);
    assert_eq!((left, world.seen.proven.load(Ordering::Relaxed)), (begun(), begun()));
}

#[tokio::test(start_paused = true)]
async fn one_that_gave_way_and_does_not_open_is_left_and_given_up_as_any_other() {
    let world = World::new();
    world.gate.add_permits(1);
    let names = world.begin(&[("a", Goes::OpensLate), ("b", Goes::OpensLate)]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.run.stop(Some(&names[0]));
    world.until(|_| world.state("a") == ScanState::Cancelled).await;
    assert!(matches!(world.state("b"), ScanState::Opening { .. }));
    world.broker.close();
    world.until_over().await;
    assert_eq!(failed(&world.state("b")).unwrap(), "closed");
    assert_eq!(world.seen.left.load(Ordering::Relaxed), 2);
    assert!(world.seen.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn one_that_is_given_up_is_left_and_the_others_go_on() {
    let world = World::new();
    let names = world.begin(&[("a", Goes::Hangs), ("b", Goes::Well), ("c", Goes::Hangs)]);
    world.until(|states| states.values().all(|state| matches!(state, ScanState::Reading { .. }))).await;
    world.run.stop(Some(&names[0]));
    world.until(|_| world.state("a") == ScanState::Cancelled).await;
    assert_eq!(world.seen.left.load(Ordering::Relaxed), 1);
    assert!(matches!(world.state("c"), ScanState::Reading { .. }));
    world.gate.add_permits(1);
    world.until(|_| matches!(world.state("b"), ScanState::Done { .. })).await;
    world.run.stop(None);
    world.until_over().await;
    assert_eq!(world.state("c"), ScanState::Cancelled);
    assert_eq!(world.state("b"), ScanState::Done { session: "s-b".into() }, "what is over stays as it ended");
    assert_eq!(*world.seen.kept.lock().unwrap(), ["b"]);
}

#[tokio::test]
async fn one_that_waits_for_its_turn_is_given_up_without_having_begun() {
    let world = World::new();
    let hangs: Vec<String> = (0..AT_ONCE + 2).map(|number| format!("h-{number}")).collect();
    let all: Vec<(&str, Goes)> = hangs.iter().map(|name| (name.as_str(), Goes::Hangs)).collect();
    world.begin(&all);
    world.until(|_| world.seen.begun.load(Ordering::Relaxed) == AT_ONCE).await;
    let waits = world.run.states().into_iter().find(|(_, state)| *state == ScanState::Waiting).unwrap().0;
    world.run.stop(Some(&waits));
    world.until(|states| states[&waits] == ScanState::Cancelled).await;
    assert_eq!(world.seen.begun.load(Ordering::Relaxed), AT_ONCE);
    world.run.stop(None);
    world.until_over().await;
    assert_eq!(world.seen.left.load(Ordering::Relaxed), world.seen.begun.load(Ordering::Relaxed));
}

#[tokio::test]
async fn what_is_being_scanned_is_left_alone_and_what_is_over_is_begun_again() {
    let world = World::new();
    world.begin(&[("a", Goes::Well)]);
    world.until(|_| matches!(world.state("a"), ScanState::Reading { .. })).await;
    world.begin(&[("a", Goes::Well)]);
    assert_eq!(world.seen.begun.load(Ordering::Relaxed), 1);
    world.gate.add_permits(2);
    world.until_over().await;
    world.begin(&[("a", Goes::Well)]);
    world.until_over().await;
    assert_eq!(world.seen.begun.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_scan_that_panics_says_so_and_does_not_go_on_for_ever() {
    let world = World::new();
    world.gate.add_permits(1);
    world.begin(&[("a", Goes::Panics), ("b", Goes::Well)]);
    world.until_over().await;
    assert!(failed(&world.state("a")).unwrap().contains("Sallyport failed over this scan"));
    assert_eq!(world.state("b"), ScanState::Done { session: "s-b".into() });
}

#[tokio::test]
async fn what_was_not_read_is_not_done_although_its_end_is_all_that_is_not_known() {
    let world = World::new();
    world.begin(&[("a", Goes::NeitherReadNorProven)]);
    world.until_over().await;
    let state = world.state("a");
    assert!(
        matches!(&state, ScanState::Unproven { error: Some(error), .. } if error.message.contains("silent"))
    );
    let view = world.run.view().unwrap();
    assert_eq!((view.done, view.failed), (0, 1));
    world.until(|_| world.ended.lock().unwrap().len() == 1).await;
    assert_eq!(*world.ended.lock().unwrap(), [("a".to_owned(), state)], "each end is told once");
}

#[tokio::test]
async fn who_has_to_prove_more_is_asked_once_and_those_that_wait_are_not_tried() {
    let world = World::new();
    let names: Vec<String> = (0..30).map(|number| format!("c-{number}")).collect();
    let all: Vec<(&str, Goes)> = names.iter().map(|name| (name.as_str(), Goes::WantsMore)).collect();
    world.begin(&all);
    world.until_over().await;
    let begun = world.seen.begun.load(Ordering::Relaxed);
    assert!(begun <= AT_ONCE, "{begun} were tried");
    for name in &names {
        assert!(
            matches!(world.state(name), ScanState::Failed { error } if error.code == ErrorCode::StepUpNeeded)
        );
    }
    // Once they have, it is begun again.
    world.gate.add_permits(1);
    world.begin(&[("c-7", Goes::Well)]);
    world.until_over().await;
    assert_eq!(world.state("c-7"), ScanState::Done { session: "s-c-7".into() });
    assert_eq!(world.run.view().unwrap().total, 1, "what was over before is not counted with it");
}

#[tokio::test]
async fn what_is_being_kept_is_kept_whole_although_it_is_given_up_meanwhile() {
    let world = World::new();
    let (entered, goes_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (seen, inside, gate) = (world.seen.clone(), entered.clone(), goes_on.clone());
    let keeps: Keeps = Arc::new(move |cluster, _, _| {
        let (seen, inside, gate) = (seen.clone(), inside.clone(), gate.clone());
        async move {
            inside.add_permits(1);
            gate.acquire().await.unwrap().forget();
            seen.kept.lock().unwrap().push(cluster.to_string());
            Ok(())
        }
        .boxed()
    });
    let ends: Ends = Arc::new(|_, _| async {}.boxed());
    let ways = Fakes {
        goes: BTreeMap::new(),
        seen: world.seen.clone(),
        gate: world.gate.clone(),
        broker: world.broker.clone(),
    };
    let name: ClusterName = "a".parse().unwrap();
    world.gate.add_permits(1);
    world.run.begin(Arc::new(ways), (keeps, ends), std::slice::from_ref(&name), 1);
    entered.acquire().await.unwrap().forget();
    world.run.stop(None);
    goes_on.add_permits(1);
    world.until_over().await;
    assert_eq!(world.state("a"), ScanState::Done { session: "s-a".into() });
    assert_eq!(*world.seen.kept.lock().unwrap(), ["a"]);
}

fn point() -> Point {
    let (counts, asked) = Default::default();
    Point { at: 1, score: None, covered: (0, 0), counts, excepted: 0, asked }
}

/// The app ends while a fleet is scanned: the next start knows what is left, and less of it with each cluster that is kept.
#[tokio::test]
async fn what_a_run_did_not_get_to_is_left_after_a_restart_until_each_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (shelf, whose) = (Shelf::in_memory(dir.path()), Whose::named("https://hub", "oidc:dana"));
    // All that the next start has is what is on the shelf.
    let kept = Kept { shelf: &shelf, whose: &whose };
    let start = async || kept.index().await.unwrap().unwrap();
    let keep = async |index: Index| kept.keep_index(&index).await.unwrap();
    let names = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let left = |index: &Index| cut_off(index).map(|run| (run.total, run.cancelled, run.is_over));

    let mut index = start().await;
    assert_eq!(left(&index), None);
    index.begin(&names(&["c", "a", "b"]), 7);
    index.is_done("b", point());
    keep(index).await;
    let mut index = start().await;
    assert_eq!(index.run.as_ref().unwrap().left, ["a", "c"], "b was kept");
    assert_eq!(left(&index), Some((2, 2, true)), "nothing goes on by itself, and what is left is told");
    assert_eq!(index.clusters.keys().collect::<Vec<_>>(), ["b"], "of what is left nothing is said");
    // Gone on with, beside one more; cut off again after one of them.
    index.begin(&names(&["a", "c", "d"]), 9);
    index.is_done("c", point());
    keep(index).await;
    let mut index = start().await;
    assert_eq!(index.run.as_ref().unwrap().left, ["a", "d"]);
    // One is forgotten, the other is kept: nothing is left, also after one more start.
    index.forget(&names(&["a"]));
    index.is_done("d", point());
    assert_eq!(left(&index), None);
    keep(index).await;
    let index = start().await;
    assert_eq!((left(&index), index.clusters.len()), (None, 3));
    // Somebody else who signs in at the same hub has nothing left of it.
    let other = Whose::named("https://hub", "oidc:lee");
    let theirs = Kept { shelf: &shelf, whose: &other }.index().await.unwrap().unwrap();
    assert_eq!(left(&theirs), None);
}
