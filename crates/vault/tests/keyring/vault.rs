use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use sallyport_model::{RequestUid, Secret};
use sallyport_vault::{Error, Item, Keyring, Vault, VaultState};
use tempfile::TempDir;

use crate::desktop::{Desktop, config};

pub(crate) const TOKEN: &str = "rt-7f3c-plain-text-of-a-refresh-token";

pub(crate) fn sign_in() -> Item {
    Item::SignIn { issuer: "https://id.example".to_owned(), client_id: "hub".to_owned() }
}

pub(crate) fn token() -> Secret<String> {
    Secret::new(TOKEN.to_owned())
}

pub(crate) fn dir() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("sallyport-vault-").tempdir()?)
}

/// Every file under `dir`, with its content.
pub(crate) fn contents(dir: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(contents(&path)?);
        } else {
            all.push((path.clone(), fs::read(&path)?));
        }
    }
    Ok(all)
}

fn is_in(secret: &str, dir: &Path) -> Result<bool> {
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    Ok(contents(dir)?.iter().any(|(_, bytes)| holds(bytes)))
}

pub(crate) fn memory_only(vault: &Vault, why: &str) {
    let VaultState::MemoryOnly { why: said } = vault.state() else { panic!("{:?}", vault.state()) };
    assert!(said.contains(why), "{said}");
}

#[tokio::test]
async fn p2_refresh_token_is_never_written_in_plain_text() -> Result<()> {
    let desktop = Desktop::with_keyring().await?;
    let dir = dir()?;
    let vault = Vault::open(desktop.config(&dir)).await?;
    assert_eq!((vault.state(), vault.mishap()), (VaultState::Keyring, None));
    vault.put_text(sign_in(), &token()).await?;
    assert!(!format!("{vault:?}").contains("rt-7f3c"));
    assert_eq!(fs::metadata(dir.path().join("vault"))?.permissions().mode() & 0o777, 0o600);
    assert!(!is_in(TOKEN, dir.path())? && !is_in(TOKEN, &desktop.keyring_files())?);
    drop(vault);

    let vault = Vault::open(desktop.config(&dir)).await?;
    assert_eq!(vault.get_text(&sign_in()).await.expect("kept").expose(), TOKEN);
    vault.remove(&sign_in()).await?;
    drop(vault);
    let vault = Vault::open(desktop.config(&dir)).await?;
    assert!(vault.get(&sign_in()).await.is_none());
    assert_eq!(contents(dir.path())?.len(), 1, "no temporary files are left");
    Ok(())
}

#[tokio::test]
async fn p2_without_a_keyring_secrets_stay_in_memory_and_the_vault_says_so() -> Result<()> {
    let bare = Desktop::bare().await?;
    let silent = dir()?;
    let listener = UnixListener::bind(silent.path().join("bus"))?; // accepts, and never says a word
    let silent_bus = format!("unix:path={}", silent.path().join("bus").display());
    let nowhere = "unix:path=/nonexistent/bus".to_owned();
    for (keyring, why) in [
        (Keyring::Off, "switched off"),
        (Keyring::Bus(nowhere), "no keyring service answers"),
        (Keyring::Bus("gibberish".to_owned()), "no keyring service answers"),
        (Keyring::Bus(bare.address()), "no keyring service answers"),
        (Keyring::Bus(silent_bus), "did not answer within"),
    ] {
        let dir = dir()?;
        let asked = Instant::now();
        let mut limited = config(&dir, keyring.clone());
        if why.contains("within") {
            limited.timeout = Duration::from_millis(700);
        }
        let vault = Vault::open(limited).await?;
        assert!(asked.elapsed() < Duration::from_secs(15), "{keyring:?}: {:?}", asked.elapsed());
        memory_only(&vault, why);
        vault.put_text(sign_in(), &token()).await?;
        assert_eq!(vault.get_text(&sign_in()).await.expect("held").expose(), TOKEN);
        assert!(contents(dir.path())?.is_empty(), "{keyring:?} wrote something");
    }
    drop(listener);
    Ok(())
}

#[tokio::test]
async fn p2_a_locked_keyring_neither_hangs_nor_harms_the_file() -> Result<()> {
    let mut desktop = Desktop::with_keyring().await?;
    let dir = dir()?;
    let vault = Vault::open(desktop.config(&dir)).await?;
    vault.put_text(sign_in(), &token()).await?;
    drop(vault);
    let before = contents(dir.path())?;

    desktop.stop_keyring()?;
    desktop.start_keyring(false).await?;
    let asked = Instant::now();
    let vault = Vault::open(desktop.config(&dir)).await?;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    memory_only(&vault, "locked");
    assert_eq!((vault.mishap(), vault.get(&sign_in()).await.is_none()), (None, true));
    vault.put_text(sign_in(), &Secret::new("another".to_owned())).await?;
    assert_eq!(contents(dir.path())?, before, "the file is as it was");
    drop(vault);

    desktop.stop_keyring()?;
    desktop.start_keyring(true).await?;
    let vault = Vault::open(desktop.config(&dir)).await?;
    assert_eq!(vault.get_text(&sign_in()).await.expect("kept").expose(), TOKEN);
    Ok(())
}

#[tokio::test]
async fn p2_data_directories_do_not_share_keys() -> Result<()> {
    let desktop = Desktop::with_keyring().await?;
    let (one, two) = (dir()?, dir()?);
    let first = Vault::open(desktop.config(&one)).await?;
    let second = Vault::open(desktop.config(&two)).await?;
    first.put_text(sign_in(), &token()).await?;
    assert!(second.get(&sign_in()).await.is_none());
    second.destroy().await?;
    assert!(contents(two.path())?.is_empty());
    drop(first);
    let first = Vault::open(desktop.config(&one)).await?;
    assert_eq!(first.get_text(&sign_in()).await.expect("kept").expose(), TOKEN);
    // What was destroyed took its key along: the file alone opens nothing.
    let copy = contents(one.path())?.remove(0).1;
    first.destroy().await?;
    fs::write(one.path().join("vault"), &copy)?;
    let robbed = Vault::open(desktop.config(&one)).await?;
    assert!(robbed.mishap().expect("a mishap").why.contains("not in the keyring"));
    assert!(robbed.get(&sign_in()).await.is_none());
    Ok(())
}

#[tokio::test]
async fn a_damaged_file_is_kept_aside_and_a_new_vault_works() -> Result<()> {
    let desktop = Desktop::with_keyring().await?;
    let dir = dir()?;
    let path = dir.path().join("vault");
    let vault = Vault::open(desktop.config(&dir)).await?;
    vault.put_text(sign_in(), &token()).await?;
    drop(vault);
    let good = fs::read(&path)?;
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    for (bad, why) in [
        (Vec::new(), "cut off"),
        (good[..30].to_vec(), "cut off"),
        (good[..good.len() - 1].to_vec(), "damaged"),
        (flipped(0), "not a vault"),
        (flipped(10), "not in the keyring"), // the instance id
        (flipped(good.len() / 2), "damaged"),
        (vec![0; 5 << 20], "larger than"),
        (
            b"{\"refresh_token\":\"from an old version in plain text\"} and so on and so forth".to_vec(),
            "not a vault",
        ),
    ] {
        fs::write(&path, &bad)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        let vault = Vault::open(desktop.config(&dir)).await?;
        assert_eq!(vault.state(), VaultState::Keyring);
        let mishap = vault.mishap().expect(why).clone();
        assert!(mishap.to_string().contains(why), "{mishap}");
        assert!(mishap.kept_as.extension().is_some_and(|end| end == "bad"));
        assert_eq!(fs::read(&mishap.kept_as)?, bad, "nothing is lost");
        vault.put_text(sign_in(), &token()).await?;
        drop(vault);
        let again = Vault::open(desktop.config(&dir)).await?;
        assert_eq!((again.mishap(), again.items().await), (None, vec![sign_in()]));
    }
    fs::write(&path, &good)?;
    let back = Vault::open(desktop.config(&dir)).await?;
    assert_eq!(back.get_text(&sign_in()).await.expect("its key was never removed").expose(), TOKEN);
    Ok(())
}

#[tokio::test]
async fn a_vault_of_a_newer_version_is_left_alone() -> Result<()> {
    let desktop = Desktop::with_keyring().await?;
    let dir = dir()?;
    let newer = [b"SALLYPV2".as_slice(), &[7; 100]].concat();
    fs::write(dir.path().join("vault"), &newer)?;
    let vault = Vault::open(desktop.config(&dir)).await?;
    memory_only(&vault, "newer version");
    vault.put_text(sign_in(), &token()).await?;
    assert_eq!(contents(dir.path())?, [(dir.path().join("vault"), newer)]);
    Ok(())
}

#[tokio::test]
async fn every_kind_of_item_survives_and_fifty_writers_lose_nothing() -> Result<()> {
    let desktop = Desktop::with_keyring().await?;
    let dir = dir()?;
    let vault = Arc::new(Vault::open(desktop.config(&dir)).await?);
    let mut wanted = vec![sign_in(), Item::HistoryKey, Item::HistoryHead];
    wanted.extend((0..50).map(|n| Item::RequestKey { request: RequestUid::new(format!("uid-{n:02}")) }));
    let writers: Vec<_> = wanted
        .iter()
        .cloned()
        .map(|item| {
            let vault = Arc::clone(&vault);
            tokio::spawn(async move { vault.put(item, Secret::new(vec![0, 159, 146, 150])).await })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    drop(vault);
    let vault = Vault::open(desktop.config(&dir)).await?;
    wanted.sort();
    assert_eq!(vault.items().await, wanted);
    assert_eq!(vault.get(&Item::HistoryKey).await.expect("bytes").expose(), &[0, 159, 146, 150]);
    assert!(vault.get_text(&Item::HistoryKey).await.is_none(), "these bytes are no text");
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_written_is_an_error_and_stays_in_memory() -> Result<()> {
    let desktop = Desktop::with_keyring().await?;
    let dir = dir()?;
    let vault = Vault::open(desktop.config(&dir)).await?;
    let huge = vault.put(sign_in(), Secret::new(vec![0; 100_000])).await.unwrap_err();
    assert!(matches!(huge, Error::TooLarge { .. }), "{huge}");
    assert!(vault.items().await.is_empty());
    let place = dir.path().to_owned();
    fs::remove_dir_all(&place)?;
    let refused = vault.put_text(sign_in(), &token()).await.unwrap_err();
    assert!(matches!(refused, Error::Io { .. }), "{refused}");
    assert_eq!(vault.get_text(&sign_in()).await.expect("held").expose(), TOKEN);
    fs::create_dir(&place)?;
    vault.put(Item::HistoryKey, Secret::new(vec![1])).await?;
    drop(vault);
    let vault = Vault::open(desktop.config(&dir)).await?;
    assert_eq!(vault.items().await.len(), 2, "the next change wrote both");
    Ok(())
}
