//! The provider's word for the person, as a session's owner sees to it.

use super::world::{World, now, until};
use super::*;

/// What the status of a request says whose last word was issued so many seconds ago: 5 minutes, and 1 of grace.
fn vouched(ago: i64) -> serde_json::Value {
    json!({
        "offer": {"digest": "d", "rules": [], "endpoint": "e", "caDigest": "c",
            "reaffirm": {"every": "5m", "grace": "1m"}},
        "reaffirmed": {"issued": now() - ago, "groups": []},
    })
}

impl World {
    async fn open_vouched(&self, ago: i64) -> String {
        let id = self.click().unwrap();
        self.hub.until_asked().await;
        self.hub.grant(vouched(ago));
        id
    }
}

#[tokio::test]
async fn a_word_that_is_due_is_shown_to_the_hub_without_a_click_and_one_that_is_not_is_not_asked_for() {
    let world = World::new().await;
    let fresh = world.open_vouched(10).await;
    let view = world.until(&fresh, "it opens", |view| view.state == SessionState::Open).await;
    assert!(view.vouching.is_some_and(|word| word.overdue.is_none() && word.every_seconds == 300));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(world.hub.vouched.lock().unwrap().is_empty(), "nothing is due");
    let world = World::new().await;
    let late = world.open_vouched(310).await;
    let old = world.hub.request.lock().unwrap().clone().unwrap().vouched_at().unwrap();
    until("the provider is asked", || !world.hub.vouched.lock().unwrap().is_empty()).await;
    let newer = |view: &SessionView| {
        view.vouching.as_ref().and_then(|word| word.vouched_at).is_some_and(|at| at > old * 1000)
    };
    world.until(&late, "the new word counts", newer).await;
    assert_eq!(*world.hub.vouched.lock().unwrap(), [old], "once, and newer than the last");
}

#[tokio::test]
async fn one_that_does_not_come_is_said_on_screen_and_the_session_goes_on_until_its_grace_is_over() {
    let world = World::new().await;
    *world.hub.provider.lock().unwrap() = Err("the identity provider can't be reached".to_owned());
    // Time enough to open before it is over.
    let id = world.open_vouched(345).await;
    // Whichever comes first, the warning or the gateway: while it is open, it warns.
    let warned = |view: &SessionView| {
        view.state == SessionState::Open && view.vouching.as_ref().is_some_and(|word| word.overdue.is_some())
    };
    let view = world.until(&id, "it warns", warned).await;
    let word = view.vouching.unwrap();
    assert_eq!(word.overdue.as_deref(), Some("the identity provider can't be reached"));
    assert_eq!(word.closes_at, word.vouched_at.map(|at| at + 360_000));
    // No broker says so here: the desktop itself ends what nobody vouches for.
    let looked = tokio::time::timeout(Duration::from_secs(60), async {
        while world.view(&id).state != SessionState::Closed {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    looked.await.expect("it ends by itself");
    let ended = world.view(&id).ended.unwrap();
    assert_eq!(ended.reason, sallyport_ipc::EndReason::Revoked);
    assert!(ended.message.is_some_and(|why| why.contains("has not vouched")), "in words");
    assert_eq!(*world.ground.cuts.lock().unwrap(), [CutReason::Revoked]);
    let asked = world.hub.vouched.lock().unwrap().len();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(world.hub.vouched.lock().unwrap().len(), asked, "nobody is asked for one that is over");
}
