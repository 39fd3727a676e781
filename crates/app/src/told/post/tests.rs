use super::*;
use crate::desk::AppError;
use futures::FutureExt as _;
use sallyport_ipc::{Event, Goal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A desktop whose notification service is as a test wants it.
#[derive(Default)]
struct Desktop {
    has_none: bool,
    hangs: AtomicBool,
    refuses: AtomicBool,
    shown: Mutex<Vec<String>>,
}

impl Host for Desktop {
    fn open_browser(&self, _: &str) -> Result<(), AppError> {
        Ok(())
    }
    fn tell(&self, _: Event) {}
    fn exit(&self) {}
    fn notifier(&self) -> Option<&dyn Notifier> {
        (!self.has_none).then_some(self)
    }
}

impl Desktop {
    async fn answer(&self) -> Result<(), String> {
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let refuses = self.refuses.load(Ordering::Relaxed);
        if refuses { Err("no\u{202e}body is there".to_owned()) } else { Ok(()) }
    }

    fn shown(&self) -> Vec<String> {
        self.shown.lock().unwrap().clone()
    }
}

impl Notifier for Desktop {
    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        self.answer().boxed()
    }
    fn show(&self, notification: Notification) -> BoxFuture<'_, Result<(), String>> {
        async move {
            self.answer().await?;
            self.shown.lock().unwrap().push(notification.title.to_string());
            Ok(())
        }
        .boxed()
    }
}

const WITHIN: Duration = Duration::from_millis(40);

fn post(desktop: &Arc<Desktop>) -> Arc<Post> {
    Arc::new(Post::new(desktop.clone(), CancellationToken::new(), WITHIN))
}

fn one(title: &str) -> Notification {
    Notification { title: title.into(), body: "".into(), goal: Goal::Requests, replaces: false }
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_service_that_hangs_holds_nobody_up_and_is_found_again_when_it_is_back() {
    let desktop = Arc::new(Desktop::default());
    desktop.hangs.store(true, Ordering::Relaxed);
    let post = post(&desktop);
    let delivering = tokio::spawn({
        let post = post.clone();
        async move { post.deliver().await }
    });
    let began = Instant::now();
    for n in 0..1000 {
        post.put(one(&n.to_string()));
    }
    // A thousandth of them waited for would take less; a busy machine takes more than none.
    assert!(began.elapsed() < WITHIN * 100, "putting waits for nobody: {:?}", began.elapsed());
    assert!(post.queue().len() <= QUEUE);
    let why = post.trouble().await.expect("it does not answer");
    assert!(why.contains("did not answer within 20ms"), "{why}");
    desktop.hangs.store(false, Ordering::Relaxed);
    until("the newest is shown", || desktop.shown().last().is_some_and(|last| last == "999")).await;
    assert!(desktop.shown().len() <= QUEUE, "what is stale was dropped: {:?}", desktop.shown());
    assert_eq!(post.trouble().await, None);
    post.stop.cancel();
    delivering.await.unwrap();
}

#[tokio::test]
async fn the_app_ends_while_the_service_hangs() {
    let desktop = Arc::new(Desktop::default());
    desktop.hangs.store(true, Ordering::Relaxed);
    let post = Post::new(desktop.clone(), CancellationToken::new(), Duration::from_secs(60));
    post.put(one("x"));
    post.stop.cancel();
    tokio::time::timeout(Duration::from_secs(40), post.deliver()).await.expect("it ends");
}

#[tokio::test]
async fn a_service_that_refuses_or_is_none_is_named_with_hidden_characters_visible() {
    let desktop = Arc::new(Desktop { refuses: true.into(), ..Desktop::default() });
    assert_eq!(post(&desktop).trouble().await.as_deref(), Some("no⟨U+202E⟩body is there"));
    let none = Arc::new(Desktop { has_none: true, ..Desktop::default() });
    let why = post(&none).trouble().await.expect("there is none");
    assert!(why.contains("on this system"), "{why}");
}

#[tokio::test]
async fn of_those_that_say_the_same_anew_only_the_last_waits() {
    let post = post(&Arc::default());
    for n in 0..5 {
        post.put(Notification { replaces: true, ..one(&n.to_string()) });
        post.put(one("other"));
    }
    let waits: Vec<String> = post.queue().iter().map(|one| one.title.to_string()).collect();
    assert_eq!(waits.iter().filter(|title| *title != "other").collect::<Vec<_>>(), ["4"]);
}
