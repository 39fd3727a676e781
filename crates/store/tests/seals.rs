//! Checkpoints on a real file: when they are made, what a start goes on from, and what is found of everything done to them.

mod common;

use common::{Tampering, draft, key};
use sallyport_audit::{Anchor, Draft, Fault, SealKey, Seals, Verdict};
use sallyport_store::{History, Kept, Sealing};
use std::path::Path;

fn seal() -> SealKey {
    SealKey::new([21; 32])
}

fn sealing() -> Sealing {
    Sealing { key: seal(), former: None }
}

async fn sealed(dir: &Path, sealing: Sealing) -> History {
    History::open_sealed(dir, key(), sealing).await.unwrap()
}

/// Two runs, and more entries in the second than a checkpoint may leave uncovered.
async fn of_two_runs() -> Tampering {
    let file = Tampering::empty();
    for (from, to) in [(0, 10), (10, 1500)] {
        let history = sealed(file.dir(), sealing()).await;
        for n in from..to {
            history.append(draft(n)).await.unwrap();
        }
        history.close().await.unwrap();
    }
    file
}

fn seals(file: &Tampering) -> Seals {
    Kept::open(file.dir()).unwrap().seals(&[seal().public().fingerprint()], &[]).unwrap()
}

#[tokio::test]
async fn p18_a_history_is_sealed_when_it_opens_and_closes_and_in_between() {
    let file = of_two_runs().await;
    let Seals::Sealed(told) = seals(&file) else { panic!("{:?}", seals(&file)) };
    assert_eq!((told.entries, told.until), (1505, 1505), "{told:?}");
    assert!(told.checkpoints >= 4 && told.is_trusted && told.unsealed_from.is_none(), "{told:?}");

    let history = sealed(file.dir(), sealing()).await;
    for n in 0..7 {
        history.append(draft(n)).await.unwrap();
    }
    assert_eq!(history.seal().await.unwrap(), 1513, "whoever asks gets one");
    assert_eq!(history.seal().await.unwrap(), 1513, "and no second over the same");
    let tip = *history.subscribe().borrow();
    assert_eq!((tip.sealed, tip.sequence), (1513, 1513));
    assert!(matches!(history.verify().await.unwrap(), Verdict::Verified { entries: 1513 }));
    history.append_durable(draft(8)).await.unwrap();
    let Seals::Sealed(told) = seals(&file) else { panic!("{:?}", seals(&file)) };
    assert_eq!((told.entries, told.until), (1514, 1513), "what is not sealed yet is told");
    history.close().await.unwrap();
}

#[tokio::test]
async fn fault_e1_a_tree_goes_on_after_an_end_without_a_stop() {
    let file = Tampering::empty();
    let history = sealed(file.dir(), sealing()).await;
    for n in 0..20 {
        history.append_durable(draft(n)).await.unwrap();
    }
    let root = history.subscribe().borrow().root;
    drop(history);
    let history = loop {
        match History::open_sealed(file.dir(), key(), sealing()).await {
            Ok(history) => break history,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    };
    assert_ne!(history.subscribe().borrow().root, root);
    history.close().await.unwrap();
    let Seals::Sealed(told) = seals(&file) else { panic!("{:?}", seals(&file)) };
    assert_eq!(told.until, told.entries);
    // Where what was kept of the tree is lost, the entries have it.
    file.sql("DROP TRIGGER checkpoint_is_not_edited; UPDATE checkpoint SET edge = x'00'");
    let history = sealed(file.dir(), sealing()).await;
    assert!(matches!(history.verify().await.unwrap(), Verdict::Verified { .. }));
    history.close().await.unwrap();
    assert!(matches!(seals(&file), Seals::Sealed(_)), "{:?}", seals(&file));
}

/// Whoever asks has it sealed first, so that an anchor is the end of a stretch: what was done in that stretch is named all
/// the same.
#[tokio::test]
async fn p18_an_anchor_takes_no_word_from_the_checkpoint_over_its_stretch() {
    for (sql, first, why) in [
        ("UPDATE entry SET outcome = 'failed' WHERE sequence = 20", 20, Fault::Edited),
        ("DELETE FROM entry WHERE sequence = 20", 20, Fault::Deleted),
        ("DELETE FROM entry WHERE sequence > 30", 31, Fault::Truncated { head: 48 }),
    ] {
        let file = Tampering::empty();
        let history = sealed(file.dir(), sealing()).await;
        for n in 0..40 {
            history.append(draft(n)).await.unwrap();
        }
        let at = history.seal().await.unwrap();
        let root = history.subscribe().borrow().root.unwrap();
        for n in 0..5 {
            history.append(draft(n)).await.unwrap();
        }
        history.close().await.unwrap();
        let anchors = [Anchor { sequence: at, root, what: "request r".to_owned(), time: None }];
        let told = |anchors: &[Anchor]| {
            Kept::open(file.dir()).unwrap().seals(&[seal().public().fingerprint()], anchors).unwrap()
        };
        assert!(matches!(told(&anchors), Seals::Sealed(told) if told.anchors == 1));
        file.sql(sql);
        let broken = Seals::Broken { first_bad: first, why };
        assert_eq!(told(&[]), broken, "{sql}");
        assert_eq!(told(&anchors), broken, "{sql}");
    }
}

#[tokio::test]
async fn a_history_of_before_is_sealed_from_its_beginning() {
    let file = Tampering::of_a_history().await;
    assert!(matches!(seals(&file), Seals::Never { entries: 13 }), "{:?}", seals(&file));
    let history = sealed(file.dir(), sealing()).await;
    assert!(matches!(history.verify().await.unwrap(), Verdict::Verified { .. }));
    history.close().await.unwrap();
    file.sql("UPDATE entry SET outcome = 'failed' WHERE sequence = 5");
    assert!(matches!(seals(&file), Seals::Broken { first_bad: 5, why: Fault::Edited }), "{:?}", seals(&file));
}

#[tokio::test]
async fn a_key_is_followed_by_one_it_names_and_by_no_other() {
    let (next, stranger) = (SealKey::new([22; 32]), SealKey::new([23; 32]));
    let named = Sealing { key: next.clone(), former: Some(seal()) };
    let unnamed = Sealing { key: stranger.clone(), former: None };
    let kept = |file: &Tampering, key: &SealKey| {
        Kept::open(file.dir()).unwrap().seals(&[key.public().fingerprint()], &[]).unwrap()
    };
    let file = of_two_runs().await;
    // Twice: the old key is asked for its word once.
    for _ in 0..2 {
        let history = sealed(file.dir(), named.clone()).await;
        assert!(matches!(history.verify().await.unwrap(), Verdict::Verified { .. }));
        history.close().await.unwrap();
    }
    for key in [&seal(), &next] {
        let Seals::Sealed(told) = kept(&file, key) else { panic!("{:?}", kept(&file, key)) };
        assert!(told.is_trusted && told.key == *next.public() && told.other_key_until.is_none(), "{told:?}");
    }
    assert!(matches!(kept(&file, &stranger), Seals::Broken { why: Fault::Resealed(_), .. }));

    let history = sealed(file.dir(), unnamed).await;
    history.close().await.unwrap();
    let Seals::Broken { why: Fault::Resealed(by), .. } = kept(&file, &next) else {
        panic!("{:?}", kept(&file, &next))
    };
    assert_eq!(by, stranger.public().fingerprint());
    let Seals::Sealed(told) = kept(&file, &stranger) else { panic!("{:?}", kept(&file, &stranger)) };
    assert!(told.other_key_until.is_some(), "whoever lost the key is told how far it went: {told:?}");
}

#[tokio::test]
async fn p18_where_sealing_has_begun_no_checkpoint_can_be_missing() {
    for (what, sql) in [
        ("all", "DELETE FROM checkpoint"),
        ("the last", "DELETE FROM checkpoint WHERE id = (SELECT max(id) FROM checkpoint)"),
        ("the first", "DELETE FROM checkpoint WHERE id = 1"),
        ("one between", "DELETE FROM checkpoint WHERE id = 3"),
        ("the table", "DROP TABLE checkpoint; PRAGMA user_version = 1"),
    ] {
        let file = of_two_runs().await;
        file.sql(&format!("DROP TRIGGER checkpoint_is_not_deleted; {sql}"));
        assert!(
            matches!(seals(&file), Seals::Broken { why: Fault::CheckpointMissing, .. }),
            "{what}: {:?}",
            seals(&file)
        );
    }
    // While it is open the last one covers no stop. Its head, which only the chain's key makes, says that it was there.
    let file = Tampering::empty();
    let history = sealed(file.dir(), sealing()).await;
    history.append(draft(1)).await.unwrap();
    history.seal().await.unwrap();
    file.sql("DROP TRIGGER checkpoint_is_not_deleted; DELETE FROM checkpoint WHERE id = 2");
    assert!(matches!(history.verify().await.unwrap(), Verdict::Broken { why: Fault::CheckpointMissing, .. }));
    history.close().await.unwrap();
}

#[tokio::test]
async fn without_a_key_nothing_is_sealed_and_that_is_told() {
    let file = of_two_runs().await;
    let history = History::open(file.dir(), None).await.unwrap();
    assert_eq!(history.seal().await.unwrap(), 0);
    history.append(Draft::new(sallyport_audit::Action::SignOut)).await.unwrap();
    history.close().await.unwrap();
    let Seals::Sealed(told) = seals(&file) else { panic!("{:?}", seals(&file)) };
    assert_eq!((told.until, told.unsealed_from), (1505, Some(1506)));
}

#[test]
fn where_nothing_is_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Kept::open(dir.path()).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
