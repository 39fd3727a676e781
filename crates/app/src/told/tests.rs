//! Telling, with fakes of the parts below and of the desktop: what reaches somebody who looks elsewhere, when, and how often.
//! Time stands still while somebody works.

use super::*;
use crate::approvals::{Ask, Asks};
use crate::desk::{AppError, Host, Notification, Notifier, Options};
use crate::person::WorkspaceId;
use crate::sessions::Standing;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use news::tests::{ended, standing};
use sallyport_ipc::{Event, Notifications};
use sallyport_model::EndReason;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A desktop that shows all it is given, unless it hangs.
#[derive(Default)]
struct Desktop {
    shown: Mutex<Vec<String>>,
    looks: AtomicBool,
    hangs: AtomicBool,
}

impl Host for Desktop {
    fn open_browser(&self, _: &str) -> Result<(), AppError> {
        Ok(())
    }
    fn tell(&self, _: Event) {}
    fn exit(&self) {}
    fn is_looked_at(&self) -> bool {
        self.looks.load(Ordering::Relaxed)
    }
    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(self)
    }
}

impl Notifier for Desktop {
    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        async { Ok(()) }.boxed()
    }
    fn show(&self, notification: Notification) -> BoxFuture<'_, Result<(), String>> {
        async move {
            if self.hangs.load(Ordering::Relaxed) {
                pending::<()>().await;
            }
            self.shown.lock().unwrap().push(notification.title.to_string());
            Ok(())
        }
        .boxed()
    }
}

/// What the parts below say, as the test has it.
#[derive(Default)]
struct Fake {
    asks: Mutex<Asks>,
    standings: Mutex<Vec<Standing>>,
    /// Until when the sessions stay open, where that is to be told.
    open_until: Mutex<Option<Instant>>,
    moved: [watch::Sender<u64>; 2],
}

impl Below for Arc<Fake> {
    fn asks(&self) -> Asks {
        self.asks.lock().unwrap().clone()
    }
    fn standings(&self) -> Vec<Standing> {
        let mut standings = self.standings.lock().unwrap().clone();
        if let Some(end) = *self.open_until.lock().unwrap() {
            standings
                .iter_mut()
                .for_each(|one| one.left = Some(end.saturating_duration_since(Instant::now())));
        }
        standings
    }
    fn moves(&self) -> (watch::Receiver<u64>, watch::Receiver<u64>) {
        (self.moved[0].subscribe(), self.moved[1].subscribe())
    }
}

struct World {
    desktop: Arc<Desktop>,
    below: Arc<Fake>,
    desk: Arc<Desk>,
    following: JoinHandle<()>,
    _home: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let (desktop, below) = (Arc::new(Desktop::default()), Arc::new(Fake::default()));
        let (desk, home) = Desk::apart(desktop.clone(), Options::default()).await;
        let all = Notifications { asks: true, requests: true, sessions: true, reasons: false };
        desk.set_notifications(all).await.unwrap();
        let told = Arc::new(Told::of(desk.clone(), Box::new(below.clone())));
        let following = tokio::spawn(told.clone().follow());
        tokio::spawn(told.deliver());
        let world = Self { desktop, below, desk, following, _home: home };
        world.rest(SECOND).await;
        world
    }

    /// Those with these numbers ask, of this sign-in.
    fn asked(&self, sign_in: u64, who: std::ops::Range<usize>) {
        let ask = |n: usize| Ask {
            id: format!("uid-{n}"),
            user: format!("oidc:person-{n}"),
            cluster: "pay-eu".into(),
            environment: "prod".into(),
            profile: "debug".into(),
            namespaces: vec![],
            duration: "1h".into(),
            reason: "INC-1".into(),
        };
        let sign_in = Some((WorkspaceId::of("https://hub"), sign_in));
        *self.below.asks.lock().unwrap() = Asks { sign_in, waiting: who.map(ask).collect() };
        self.below.moved[0].send_modify(|count| *count += 1);
    }

    fn stands(&self, standings: Vec<Standing>) {
        *self.below.standings.lock().unwrap() = standings;
        self.below.moved[1].send_modify(|count| *count += 1);
    }

    /// So long later.
    async fn rest(&self, long: Duration) {
        tokio::time::sleep(long).await;
    }

    fn shown(&self) -> Vec<String> {
        self.desktop.shown.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_elsewhere_is_told_who_asks_once_and_not_who_was_answered_meanwhile() {
    let world = World::new().await;
    world.asked(1, 0..1);
    world.rest(SECOND).await;
    world.asked(1, 0..0);
    world.rest(MINUTE).await;
    assert!(world.shown().is_empty(), "somebody else was faster");
    world.asked(1, 1..2);
    world.rest(MINUTE).await;
    assert_eq!(world.shown(), ["oidc:person-1 asks you"]);
    world.asked(1, 1..2);
    world.rest(MINUTE).await;
    assert_eq!(world.shown().len(), 1, "the same again is nothing new");
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_at_the_window_is_told_of_their_own_alone() {
    let world = World::new().await;
    world.desktop.looks.store(true, Ordering::Relaxed);
    world.asked(1, 0..3);
    world.stands(vec![Standing { ended: ended(EndReason::Revoked), ..standing("s") }]);
    world.rest(MINUTE).await;
    let shown = world.shown();
    assert!(shown.len() == 1 && !shown[0].contains("ask"), "{shown:?}");
    world.desktop.looks.store(false, Ordering::Relaxed);
    world.rest(MINUTE).await;
    assert_eq!(world.shown().len(), 1, "who asked was seen in the window");
}

#[tokio::test(start_paused = true)]
async fn five_minutes_before_the_end_are_told_though_nothing_changes_then() {
    let world = World::new().await;
    *world.below.open_until.lock().unwrap() = Some(Instant::now() + MINUTE * 60);
    world.stands(vec![standing("s")]);
    world.rest(MINUTE * 54).await;
    assert!(world.shown().is_empty());
    world.rest(MINUTE * 2).await;
    assert_eq!(world.shown().len(), 1, "{:?}", world.shown());
    world.rest(MINUTE * 60).await;
    assert_eq!(world.shown().len(), 1, "once");
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_told_at_a_pace_and_the_last_word_is_the_whole_of_it() {
    let world = World::new().await;
    for many in 1..=600 {
        world.asked(1, 0..many);
        world.rest(SECOND / 10).await;
    }
    world.rest(MINUTE).await;
    let shown = world.shown();
    assert!(shown.len() <= 8, "{shown:?}");
    assert_eq!(shown.last().unwrap(), "600 people ask you");
}

#[tokio::test(start_paused = true)]
async fn another_person_is_not_told_who_asked_the_one_before() {
    let world = World::new().await;
    world.asked(1, 0..1);
    world.rest(SECOND).await;
    world.asked(2, 0..0);
    world.rest(MINUTE).await;
    assert!(world.shown().is_empty(), "{:?}", world.shown());
}

#[tokio::test(start_paused = true)]
async fn a_desktop_that_hangs_holds_nobody_up_and_nothing_is_told_after_the_end() {
    let world = World::new().await;
    world.desktop.hangs.store(true, Ordering::Relaxed);
    world.asked(1, 0..1);
    world.rest(MINUTE).await;
    world.desktop.hangs.store(false, Ordering::Relaxed);
    world.stands(vec![Standing { ended: ended(EndReason::Denied), ..standing("s") }]);
    world.rest(MINUTE).await;
    let shown = world.shown();
    assert_eq!(shown.len(), 1, "what hung was given up, what came later is shown: {shown:?}");
    world.desk.stop.cancel();
    world.asked(1, 0..9);
    world.rest(MINUTE).await;
    assert!(world.following.is_finished());
    assert_eq!(world.shown(), shown);
}
