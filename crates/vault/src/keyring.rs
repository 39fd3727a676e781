//! The desktop's keyring: the Secret Service of freedesktop.org over D-Bus.

use std::time::Duration;

use crate::file::{InstanceId, Key};

/// Which keyring to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// None: everything stays in memory.
    Off,
    /// The desktop's own: on Linux the Secret Service on the session bus.
    Os,
    /// The Secret Service on the bus at this D-Bus address.
    Bus(String),
}

/// How to reach the keyring, and for how long to wait.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) keyring: Keyring,
    pub(crate) timeout: Duration,
    pub(crate) unlock: Duration,
}

/// Why there is no key to be had: a sentence's end, for "… because <why>".
pub(crate) type Why = String;

impl Access {
    /// The key of vault `id`; `None` when the keyring works and has none.
    pub(crate) async fn load(&self, id: InstanceId) -> Result<Option<Key>, Why> {
        imp::run(self, id, imp::Act::Load).await
    }

    /// Stores the key of vault `id` and reads it back.
    pub(crate) async fn store(&self, id: InstanceId, key: &Key) -> Result<(), Why> {
        match imp::run(self, id, imp::Act::Store(key)).await? {
            Some(stored) if stored == *key => Ok(()),
            _ => Err("the keyring does not return what it was given".to_owned()),
        }
    }

    /// Removes the key of vault `id`, if it is there.
    pub(crate) async fn remove(&self, id: InstanceId) -> Result<(), Why> {
        imp::run(self, id, imp::Act::Remove).await.map(drop)
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::{collections::HashMap, future::Future, time::Duration};

    use secret_service::{Collection, EncryptionType, Item, SecretService};
    use zeroize::Zeroizing;

    use super::{Access, Keyring, Why};
    use crate::file::{InstanceId, Key};

    pub(super) enum Act<'k> {
        Load,
        Store(&'k Key),
        Remove,
    }

    /// One connection for one act: nothing is held open between them, so a keyring that restarts is no trouble.
    pub(super) async fn run(access: &Access, id: InstanceId, act: Act<'_>) -> Result<Option<Key>, Why> {
        let bus = match &access.keyring {
            Keyring::Off => return Err("the keyring is switched off".to_owned()),
            Keyring::Os => None,
            Keyring::Bus(address) => Some(address.as_str()),
        };
        let limit = access.timeout;
        let service = within(limit, "the keyring service", connect(bus)).await?;
        let collection = within(limit, "the keyring service", collection(&service)).await?;
        let open = async || collection.is_locked().await;
        unlock(access, "the keyring", open, collection.unlock()).await?;
        let kept = within(limit, "the keyring", kept(&collection, id, &act)).await?;
        // Some keyrings guard each item besides, and ask for each.
        let wanted = if let Act::Remove = act { kept.len() } else { 1 };
        for item in kept.iter().take(wanted) {
            unlock(access, "the key in the keyring", async || item.is_locked().await, item.unlock()).await?;
        }
        within(limit, "the keyring", perform(&kept, &act)).await
    }

    async fn connect(bus: Option<&str>) -> Result<SecretService<'static>, secret_service::Error> {
        let connection = match bus {
            None => zbus::Connection::session().await,
            Some(address) => match zbus::connection::Builder::address(address) {
                Ok(builder) => builder.build().await,
                Err(error) => Err(error),
            },
        };
        // The secret crosses the bus encrypted, so that a bus monitor does not see it.
        SecretService::connect_with_existing(EncryptionType::Dh, connection?).await
    }

    /// The default collection; some desktops have only the one that the login unlocks.
    async fn collection<'s>(service: &'s SecretService<'_>) -> Result<Collection<'s>, secret_service::Error> {
        match service.get_default_collection().await {
            Err(secret_service::Error::NoResult) => service.get_collection_by_alias("login").await,
            found => found,
        }
    }

    /// Asks the desktop to unlock what is locked, which may show a dialog; where nobody can answer it, time ends it.
    async fn unlock(
        access: &Access,
        what: &str,
        is_locked: impl AsyncFn() -> Result<bool, secret_service::Error>,
        unlock: impl Future<Output = Result<(), secret_service::Error>>,
    ) -> Result<(), Why> {
        let locked = || within(access.timeout, "the keyring service", is_locked());
        if !locked().await? {
            return Ok(());
        }
        let asked = within(access.unlock, "unlocking the keyring", unlock).await;
        match locked().await? {
            false => Ok(()),
            true => Err(match asked {
                Err(why) => format!("{what} is locked ({why})"),
                Ok(()) => format!("{what} is locked"),
            }),
        }
    }

    /// What the keyring has under our name, after storing what is to be stored.
    async fn kept<'c>(
        collection: &'c Collection<'_>,
        id: InstanceId,
        act: &Act<'_>,
    ) -> Result<Vec<Item<'c>>, secret_service::Error> {
        let id = id.text();
        let attributes = HashMap::from([("application", "sallyport"), ("vault", id.as_str())]);
        if let Act::Store(key) = act {
            let label = format!("Sallyport vault {}", &id[..8]);
            collection
                .create_item(&label, attributes.clone(), key.as_slice(), true, "application/octet-stream")
                .await?;
        }
        collection.search_items(attributes).await
    }

    async fn perform(items: &[Item<'_>], act: &Act<'_>) -> Result<Option<Key>, secret_service::Error> {
        if let Act::Remove = act {
            for item in items {
                item.delete().await?;
            }
            return Ok(None);
        }
        let Some(item) = items.first() else { return Ok(None) };
        let secret = Zeroizing::new(item.get_secret().await?);
        // Something else under our name is as good as no key.
        Ok(<[u8; 32]>::try_from(secret.as_slice()).ok().map(Zeroizing::new))
    }

    fn explain(error: &secret_service::Error) -> Why {
        use secret_service::Error as E;
        match error {
            E::Unavailable => "no keyring service answers on this desktop".to_owned(),
            E::Locked => "the keyring is locked".to_owned(),
            E::NoResult => "the keyring has no collection to keep it in".to_owned(),
            E::Prompt => "nobody unlocked it".to_owned(),
            // The bus itself, or the service on it: which of them matters to whoever repairs it.
            other => format!("no keyring service answers on this desktop: {other}"),
        }
    }

    async fn within<T>(
        limit: Duration,
        what: &str,
        work: impl Future<Output = Result<T, secret_service::Error>>,
    ) -> Result<T, Why> {
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(explain(&error)),
            Err(_) => Err(format!("{what} did not answer within {} s", limit.as_secs_f32())),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::{Access, Why};
    use crate::file::{InstanceId, Key};

    pub(super) enum Act<'k> {
        Load,
        Store(&'k Key),
        Remove,
    }

    pub(super) async fn run(_: &Access, _: InstanceId, _: Act<'_>) -> Result<Option<Key>, Why> {
        Err("this system's keyring is not supported yet".to_owned())
    }
}
