//! What is to hold whatever crate speaks to the keyring (ADR 14): locked is told from missing, a prompt is waited for
//! and no longer than it may take, and nothing goes on behind the vault's back.

use std::time::{Duration, Instant};

use anyhow::Result;
use sallyport_vault::{Vault, VaultConfig, VaultState};

use crate::{
    desktop::Desktop,
    fake::{Fake, Person, Shape},
    vault::{TOKEN, contents, dir, memory_only, sign_in, token},
};

#[tokio::test]
async fn p2_a_locked_keyring_that_hides_its_items_is_not_taken_for_an_empty_one() -> Result<()> {
    let desktop = Desktop::bare().await?;
    let fake = Fake::start(&desktop.address(), Shape { hides: true, ..Shape::default() }).await?;
    let dir = dir()?;
    let vault = Vault::open(desktop.config(&dir)).await?;
    vault.put_text(sign_in(), &token()).await?;
    drop(vault);
    let before = contents(dir.path())?;

    for person in [Person::Dismisses, Person::IsAway] {
        fake.change(|shape| (shape.locked, shape.person) = (true, person));
        let vault = Vault::open(desktop.config(&dir)).await?;
        memory_only(&vault, "locked");
        assert_eq!((vault.mishap(), contents(dir.path())?), (None, before.clone()), "the file is as it was");
    }
    fake.change(|shape| shape.locked = false);
    let vault = Vault::open(desktop.config(&dir)).await?;
    assert_eq!(vault.get_text(&sign_in()).await.expect("kept").expose(), TOKEN);
    Ok(())
}

#[tokio::test]
async fn p2_a_prompt_is_waited_for_and_what_it_unlocks_is_used() -> Result<()> {
    let desktop = Desktop::bare().await?;
    let unlocks = Person::Unlocks { after: Duration::from_millis(5500) };
    let locked = Shape { locked: true, person: unlocks, ..Shape::default() };
    let fake = Fake::start(&desktop.address(), locked).await?;
    let dir = dir()?;
    // A person takes longer than the keyring may take for one step.
    let patient = || VaultConfig {
        timeout: Duration::from_secs(5),
        unlock: Duration::from_secs(60),
        ..desktop.config(&dir)
    };
    let vault = Vault::open(patient()).await?;
    assert_eq!((vault.state(), fake.prompts()), (VaultState::Keyring, 1));
    vault.put_text(sign_in(), &token()).await?;
    drop(vault);

    fake.change(|shape| shape.locked = true);
    let vault = Vault::open(patient()).await?;
    assert_eq!((vault.state(), fake.prompts()), (VaultState::Keyring, 2));
    assert_eq!(vault.get_text(&sign_in()).await.expect("kept").expose(), TOKEN);
    Ok(())
}

#[tokio::test]
async fn p2_a_key_that_is_guarded_by_itself_is_asked_for() -> Result<()> {
    let desktop = Desktop::bare().await?;
    let fake = Fake::start(&desktop.address(), Shape::default()).await?;
    let dir = dir()?;
    let vault = Vault::open(desktop.config(&dir)).await?;
    vault.put_text(sign_in(), &token()).await?;
    drop(vault);

    fake.change(|shape| (shape.guards, shape.person) = (true, Person::Dismisses));
    let vault = Vault::open(desktop.config(&dir)).await?;
    memory_only(&vault, "the key in the keyring is locked (nobody unlocked it)");
    assert_eq!(vault.mishap(), None);
    drop(vault);

    let yes = Person::Unlocks { after: Duration::from_millis(100) };
    fake.change(|shape| shape.person = yes);
    let patient = VaultConfig { unlock: Duration::from_secs(60), ..desktop.config(&dir) };
    let vault = Vault::open(patient).await?;
    assert_eq!(vault.get_text(&sign_in()).await.expect("kept").expose(), TOKEN);
    fake.change(|shape| shape.guards = true);
    vault.destroy().await?;
    assert_eq!((fake.items().len(), fake.prompts()), (0, 3));
    Ok(())
}

#[tokio::test]
async fn p2_a_prompt_that_is_answered_too_late_changes_nothing() -> Result<()> {
    let desktop = Desktop::bare().await?;
    let late = Shape { locked: true, person: Person::UnlocksWhenTold, ..Shape::default() };
    let fake = Fake::start(&desktop.address(), late).await?;
    let dir = dir()?;
    let asked = Instant::now();
    let vault = Vault::open(desktop.config(&dir)).await?;
    memory_only(&vault, "locked");
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    // Who has left the bus waits for no prompt any more.
    while fake.is_awaited().await? {
        assert!(asked.elapsed() < Duration::from_secs(60), "the prompt is still waited for");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    fake.change(|shape| shape.told = true);
    let mut is_locked = true;
    while is_locked {
        assert!(asked.elapsed() < Duration::from_secs(120), "nobody unlocks it");
        tokio::time::sleep(Duration::from_millis(10)).await;
        fake.change(|shape| is_locked = shape.locked);
    }
    // Time for whoever would still act on it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    vault.put_text(sign_in(), &token()).await?;
    assert_eq!(
        (fake.items().len(), contents(dir.path())?.len()),
        (0, 0),
        "no key without a file, nor the reverse"
    );
    Ok(())
}

#[tokio::test]
async fn p2_a_keyring_that_stops_halfway_is_silent_and_not_locked() -> Result<()> {
    let desktop = Desktop::bare().await?;
    let _fake = Fake::start(&desktop.address(), Shape { stalls: true, ..Shape::default() }).await?;
    let dir = dir()?;
    let asked = Instant::now();
    let limits = (Duration::from_millis(700), Duration::from_secs(30));
    let vault =
        Vault::open(VaultConfig { timeout: limits.0, unlock: limits.1, ..desktop.config(&dir) }).await?;
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "a step's time, not a person's: {:?}",
        asked.elapsed()
    );
    memory_only(&vault, "did not answer within");
    Ok(())
}

#[tokio::test]
async fn p2_the_collection_of_the_login_serves_where_none_is_the_default() -> Result<()> {
    let desktop = Desktop::bare().await?;
    let fake = Fake::start(&desktop.address(), Shape { alias: "login", ..Shape::default() }).await?;
    let (one, two) = (dir()?, dir()?);
    let vault = Vault::open(desktop.config(&one)).await?;
    assert_eq!((vault.state(), fake.items().len()), (VaultState::Keyring, 1));
    // Items keep the names they always had: with others an upgrade would lose what is there.
    let names = fake.items().remove(0);
    assert_eq!(names.get("application").map(String::as_str), Some("sallyport"));
    assert_eq!((names.len(), names.get("vault").map(String::len)), (2, Some(32)));

    fake.change(|shape| shape.alias = "neither");
    memory_only(&Vault::open(desktop.config(&two)).await?, "has no collection");
    Ok(())
}
