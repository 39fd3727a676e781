//! A session that is extended: two owners exchange what they hold, whatever comes in between.

use super::super::super::{End, ports::Ground as _};
use super::line;
use super::world::{FakeHub, World, until};
use crate::desk::AppError;
use sallyport_gateway::CutReason;
use sallyport_ipc::{ProofKind, ProofState, SessionState, SessionView};
use sallyport_model::Ttl;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const BEFORE: &str = "token-of-g1";
const AFTER: &str = "token-of-g2";

/// An open session, and the hub as the request for more time sees it.
struct Extended {
    world: World,
    session: String,
    hub: Arc<FakeHub>,
}

impl Extended {
    async fn new() -> Self {
        let world = World::new().await;
        let session = world.open().await;
        Self { world, session, hub: FakeHub::of(("u2", "g2")) }
    }

    fn ask(&self) -> Result<String, AppError> {
        let mut choice = World::choice();
        choice.terms.duration = Ttl::minutes(60);
        let of = self.world.sessions.get(&self.session)?;
        let extension = self.world.sessions.extend(self.hub.clone(), &of, choice)?;
        Ok(extension.id.to_string())
    }

    /// Asked for and on the hub.
    async fn asked(&self) -> String {
        let extension = self.ask().unwrap();
        self.hub.until_asked().await;
        extension
    }

    fn view(&self) -> SessionView {
        self.world.view(&self.session)
    }

    fn own_ends(&self) -> Vec<String> {
        self.world.ground.own_ends.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn p13_an_extended_session_goes_on_with_the_new_grant_and_the_end_of_the_old_one_is_proven() {
    let it = Extended::new().await;
    let ended_at = it.view().ends_at.unwrap();
    let extension = it.asked().await;
    assert_eq!(it.world.view(&extension).extends.as_deref(), Some(it.session.as_str()));
    assert_eq!(it.ask().unwrap(), extension, "a second click shows the first");
    it.hub.grant(json!({}));
    let closed = it.world.over(&extension).await;
    let open = it.view();
    assert_eq!(
        (open.state, open.grant.as_deref(), open.request.as_deref()),
        (SessionState::Open, Some("g2"), Some("u2"))
    );
    assert!(open.ends_at.unwrap() >= ended_at + 29 * 60_000);
    assert_eq!((closed.grant.as_deref(), closed.request.as_deref()), (Some("g1"), Some("u1")));
    for kind in [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused] {
        assert_eq!(line(&closed, kind).0, ProofState::Done, "{closed:?}");
    }
    assert_eq!(*it.world.ground.tokens.lock().unwrap(), [(it.session.clone(), AFTER.to_owned())]);
    assert_eq!(it.own_ends(), [BEFORE]);
    assert_eq!(it.world.hub.withdrawn.load(Ordering::Relaxed), 0, "the extension tells its own hub side");

    it.world.sessions.get(&it.session).unwrap().end(End::left());
    it.world.over(&it.session).await;
    assert_eq!(it.own_ends(), [BEFORE, AFTER], "each grant is ended by its own token");
}

#[tokio::test]
async fn p13_a_session_that_ends_takes_what_was_to_extend_it_along() {
    let it = Extended::new().await;
    let extension = it.asked().await;
    it.world.sessions.get(&it.session).unwrap().end(End::left());
    let nothing_given = |view: &SessionView| {
        view.state == SessionState::Closing
            && line(view, ProofKind::RightsGone).1 == "no token was ever opened here"
    };
    it.world.until(&extension, "it is given up", nothing_given).await;
    until("it is taken back", || it.hub.withdrawn.load(Ordering::Relaxed) == 1).await;
    assert!(it.world.ground.tokens.lock().unwrap().is_empty());
    assert!(it.ask().is_err(), "nothing begins for a session that is over");
}

#[tokio::test]
async fn p13_what_was_granted_and_could_not_be_taken_over_is_ended_and_the_session_stays_as_it_is() {
    let it = Extended::new().await;
    it.world.ground.refuses.store(true, Ordering::Relaxed);
    let extension = it.asked().await;
    it.hub.grant(json!({}));
    let closed = it.world.over(&extension).await;
    assert_eq!(closed.error.as_ref().map(|error| error.message.as_str()), Some("not now"));
    assert_eq!(line(&closed, ProofKind::RightsGone).0, ProofState::Done);
    assert_eq!(it.own_ends(), [AFTER]);
    let open = it.view();
    assert_eq!((open.state, open.grant.as_deref()), (SessionState::Open, Some("g1")));
}

#[tokio::test]
async fn an_extension_that_was_given_too_little_shortens_nothing() {
    let it = Extended::new().await;
    let extension = it.asked().await;
    it.hub.grant_for(Ttl::minutes(15), json!({}));
    let closed = it.world.over(&extension).await;
    let why = closed.error.as_ref().map(|error| error.message.to_string()).unwrap_or_default();
    assert!(why.contains("no later than this session does already"), "{why}");
    assert_eq!(it.own_ends(), [AFTER]);
    let open = it.view();
    assert_eq!((open.state, open.grant.as_deref()), (SessionState::Open, Some("g1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p13_whatever_ends_first_each_token_that_was_opened_is_ended_once() {
    for round in 0..40_u64 {
        let it = Extended::new().await;
        let extension = it.asked().await;
        it.hub.grant(json!({}));
        tokio::time::sleep(std::time::Duration::from_micros(round * 40)).await;
        it.world.sessions.get(&it.session).unwrap().end(End::signed_out());
        it.world.sessions.get(&extension).unwrap().end(End::signed_out());
        it.world.over(&it.session).await;
        // The broker's word: of what was never opened here nothing else tells.
        it.hub.put(json!({"phase": "Closed"}));
        let second = it.world.over(&extension).await;
        let was_opened = line(&second, ProofKind::RightsGone).1 != "no token was ever opened here";
        let mut ended = it.own_ends();
        ended.sort();
        let expected = if was_opened { vec![BEFORE, AFTER] } else { vec![BEFORE] };
        assert_eq!(ended, expected, "round {round}: {second:?}");
        assert!(it.world.ground.live(&it.world.sessions.get(&it.session).unwrap().id).is_none());
    }
}

#[tokio::test]
async fn p13_a_no_to_more_time_ends_the_asking_alone() {
    let it = Extended::new().await;
    let extension = it.asked().await;
    let denial = json!({"by": "oidc:eve@example.org", "at": "2026-01-01T00:00:00Z", "reason": "enough"});
    it.hub.put(json!({"denial": denial}));
    it.world
        .until(&extension, "it closes", |view| {
            matches!(view.state, SessionState::Closing | SessionState::Closed)
        })
        .await;
    assert_eq!(it.view().state, SessionState::Open);
    until("more can be asked for again", || it.ask().is_ok()).await;
    assert!(it.world.ground.cuts.lock().unwrap().iter().all(|why| *why != CutReason::Left));
}
