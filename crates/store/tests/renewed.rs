//! A sealing key that names the next while the history is open: what holds across, and whatever happens between the steps.

mod common;

use common::{Tampering, draft};
use sallyport_audit::{Action, Fault, SealKey, Seals, Verdict};
use sallyport_store::{Filter, History, Kept, Sealing, StoreError};
use std::path::Path;

fn old() -> SealKey {
    SealKey::new([21; 32])
}

fn new() -> SealKey {
    SealKey::new([22; 32])
}

async fn opened(dir: &Path, key: SealKey, former: Option<SealKey>) -> History {
    History::open_sealed(dir, common::key(), Sealing { key, former }).await.unwrap()
}

fn seals(dir: &Path, key: &SealKey) -> Seals {
    Kept::open(dir).unwrap().seals(&[key.public().fingerprint()], &[]).unwrap()
}

/// Sealed to its end by a key that the one before it named, whichever of them somebody knows.
fn holds(dir: &Path, keys: &[SealKey]) {
    for known in keys {
        let Seals::Sealed(told) = seals(dir, known) else { panic!("{:?}", seals(dir, known)) };
        assert!(
            told.is_trusted && told.other_key_until.is_none() && told.unsealed_from.is_none(),
            "{told:?}"
        );
        assert_eq!((told.until, told.key), (told.entries, *keys.last().unwrap().public()), "{told:?}");
    }
}

async fn of_ten() -> (Tampering, History) {
    let file = Tampering::empty();
    let history = opened(file.dir(), old(), None).await;
    for n in 0..10 {
        history.append(draft(n)).await.unwrap();
    }
    (file, history)
}

#[tokio::test]
async fn p18_the_old_key_names_the_new_one_and_the_history_verifies_across() {
    let (file, history) = of_ten().await;
    assert!(!history.is_handing_over());
    history.renew_seal(new()).await.unwrap();
    assert!(!history.is_handing_over());
    assert_eq!(history.seal_key(), Some(*new().public()));
    for n in 10..20 {
        history.append(draft(n)).await.unwrap();
    }
    assert!(matches!(history.verify().await.unwrap(), Verdict::Verified { .. }));
    // Once more, under load of entries that wait.
    let third = SealKey::new([23; 32]);
    for n in 20..2500 {
        history.append(draft(n)).await.unwrap();
    }
    history.renew_seal(third.clone()).await.unwrap();
    let begun = Filter { actions: vec![Action::ChainBegun], ..Filter::default() };
    let begun = history.page(begun, None, 10).await.unwrap().entries;
    assert_eq!(begun.len(), 3, "the first, and one for each new key");
    assert_eq!(begun[0].detail.get("seal").and_then(|id| id.as_str()), Some(third.public().id().as_str()));
    history.close().await.unwrap();
    holds(file.dir(), &[old(), new(), third.clone()]);
    // The next start knows the last key alone and finds nothing to say.
    let history = opened(file.dir(), third.clone(), None).await;
    let count =
        history.count(Filter { actions: vec![Action::ChainBegun], ..Filter::default() }).await.unwrap();
    assert_eq!(count, 3);
    assert!(matches!(history.verify().await.unwrap(), Verdict::Verified { .. }));
    history.close().await.unwrap();
    holds(file.dir(), &[old(), new(), third]);
}

/// Each place at which the app may die: what its vault holds then, and whether the history knows of the new key.
#[tokio::test]
async fn p18_killed_between_any_two_steps_it_verifies_and_is_sealed_on() {
    // The former key was put aside, and no other made; both are kept, and the history does not know; the history knows, and
    // the former one is kept still; all is done.
    for (at, is_renewed, key, former) in [
        ("put aside", false, old(), Some(old())),
        ("kept", false, new(), Some(old())),
        ("named", true, new(), Some(old())),
        ("done", true, new(), None),
    ] {
        let (file, history) = of_ten().await;
        if is_renewed {
            history.renew_seal(new()).await.unwrap();
        }
        // As `kill -9` leaves it: no stop, no last checkpoint. What was appended is on the disk.
        history.append_durable(draft(99)).await.unwrap();
        let killed = Tampering::copied(file.dir());
        history.close().await.unwrap();
        let is_new = key.public() == new().public();
        let again = opened(killed.dir(), key.clone(), former).await;
        assert!(matches!(again.verify().await.unwrap(), Verdict::Verified { .. }), "{at}");
        again.append_durable(draft(100)).await.unwrap();
        again.seal().await.unwrap();
        assert!(!again.is_handing_over(), "{at}");
        // And what was begun can be ended, or begun anew.
        let next = if is_new { SealKey::new([24; 32]) } else { new() };
        again.renew_seal(next.clone()).await.unwrap();
        again.close().await.unwrap();
        let all = if is_new { vec![old(), new(), next] } else { vec![old(), next] };
        holds(killed.dir(), &all);
    }
}

#[tokio::test]
async fn of_two_new_keys_at_once_one_waits_and_no_key_goes_without_its_name() {
    let (file, history) = of_ten().await;
    let third = SealKey::new([23; 32]);
    let (one, two) = tokio::join!(history.renew_seal(new()), history.renew_seal(third.clone()));
    let last = match (one, two) {
        (Ok(()), Err(StoreError::HandingOver)) => vec![old(), new()],
        // The first was over before the second asked.
        (Ok(()), Ok(())) => vec![old(), new(), third],
        other => panic!("{other:?}"),
    };
    history.close().await.unwrap();
    holds(file.dir(), &last);
}

#[tokio::test]
async fn while_the_disk_takes_nothing_the_word_of_the_old_key_is_kept_for_later() {
    let file = Tampering::empty();
    let options =
        sallyport_store::HistoryOptions { deadline: std::time::Duration::from_secs(8), ..Default::default() };
    let sealing = Sealing { key: old(), former: None };
    let history = History::open_with(file.dir(), Some(common::key()), Some(sealing), options).await.unwrap();
    history.append_durable(draft(1)).await.unwrap();
    let other = rusqlite::Connection::open(file.dir().join("history.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(history.renew_seal(new()).await, Err(StoreError::NotDurable { .. })));
    assert!(history.is_handing_over(), "both keys are needed still");
    let third = SealKey::new([23; 32]);
    assert!(matches!(history.renew_seal(third).await, Err(StoreError::HandingOver)));
    other.execute_batch("ROLLBACK").unwrap();
    let began = std::time::Instant::now();
    while history.is_handing_over() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "it is tried again by itself");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    history.close().await.unwrap();
    holds(file.dir(), &[old(), new()]);
}

#[tokio::test]
async fn without_a_key_there_is_none_to_name_the_next() {
    let file = Tampering::empty();
    let history = History::open(file.dir(), None).await.unwrap();
    assert!(matches!(history.renew_seal(new()).await, Err(StoreError::NoSeal)));
    history.close().await.unwrap();
    let Seals::Never { .. } = seals(file.dir(), &new()) else { panic!("nothing was sealed") };
}

#[tokio::test]
async fn a_key_that_was_not_named_is_found_as_another() {
    let (file, history) = of_ten().await;
    history.renew_seal(new()).await.unwrap();
    history.close().await.unwrap();
    let stranger = SealKey::new([66; 32]);
    let history = opened(file.dir(), stranger.clone(), None).await;
    history.close().await.unwrap();
    for known in [old(), new()] {
        let Seals::Broken { why: Fault::Resealed(by), .. } = seals(file.dir(), &known) else {
            panic!("{:?}", seals(file.dir(), &known))
        };
        assert_eq!(by, stranger.public().fingerprint());
    }
}
