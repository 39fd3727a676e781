//! A desktop's notification service (Desktop Notifications Specification 1.3): it shows nothing, keeps what it was told,
//! and is clicked by the test.

use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

/// Its name on the bus.
pub const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// What it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The number it gave.
    pub id: u32,
    /// The number of the one whose place it takes; 0: none.
    pub replaces: u32,
    /// The app's name.
    pub app: String,
    /// The one line.
    pub title: String,
    /// The rest.
    pub body: String,
    /// Keys and words of what can be done with it, in turns.
    pub actions: Vec<String>,
}

/// How it answers.
#[derive(Clone, Debug)]
pub struct Manner {
    /// What it says it can do.
    pub capabilities: Vec<&'static str>,
    /// How long each answer takes.
    pub takes: Duration,
}

impl Default for Manner {
    /// As most desktops: it reads markup and can be clicked.
    fn default() -> Self {
        Self { capabilities: vec!["actions", "body", "body-markup"], takes: Duration::ZERO }
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Told>>>);

impl Kept {
    fn all(&self) -> MutexGuard<'_, Vec<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Service {
    kept: Kept,
    manner: Manner,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    async fn get_capabilities(&self) -> Vec<String> {
        tokio::time::sleep(self.manner.takes).await;
        self.manner.capabilities.iter().map(ToString::to_string).collect()
    }

    async fn get_server_information(&self) -> (String, String, String, String) {
        ["testkit", "sallyport", "1", "1.3"].map(str::to_owned).into()
    }

    async fn close_notification(&self, id: u32) {
        self.kept.all().retain(|told| told.id != id);
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    async fn notify(
        &self,
        app: String,
        replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        tokio::time::sleep(self.manner.takes).await;
        let mut kept = self.kept.all();
        let next = u32::try_from(kept.len()).unwrap_or(u32::MAX).saturating_add(1);
        let id = if replaces == 0 { next } else { replaces };
        kept.push(Told { id, replaces, app, title, body, actions });
        id
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}

/// A running service. Dropping it takes it off its bus.
pub struct NotificationService {
    connection: zbus::Connection,
    kept: Kept,
}

impl NotificationService {
    /// Starts it on the bus at `address`.
    ///
    /// # Errors
    /// When the bus can't be reached, or has such a service.
    pub async fn start(address: &str, manner: Manner) -> Result<Self> {
        let kept = Kept::default();
        let service = Service { kept: kept.clone(), manner };
        let connection = zbus::connection::Builder::address(address)?
            .serve_at(PATH, service)?
            .name(NAME)?
            .build()
            .await
            .context("put a notification service on the bus")?;
        Ok(Self { connection, kept })
    }

    /// Everything it was told.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.kept.all().clone()
    }

    /// Waits until it was told something like this.
    ///
    /// # Errors
    /// After `within`, with what it was told.
    pub async fn until_told(&self, within: Duration, like: impl Fn(&Told) -> bool) -> Result<Told> {
        let began = Instant::now();
        loop {
            if let Some(told) = self.told().into_iter().find(&like) {
                return Ok(told);
            }
            if began.elapsed() > within {
                bail!("no such notification within {within:?}; told: {:?}", self.told());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The person clicks it, which also closes it.
    ///
    /// # Errors
    /// When the bus is gone.
    pub async fn click(&self, id: u32) -> Result<()> {
        let emitter = self.emitter()?;
        Service::action_invoked(&emitter, id, "default").await?;
        Service::notification_closed(&emitter, id, 2).await.map_err(Into::into)
    }

    /// The person closes it.
    ///
    /// # Errors
    /// When the bus is gone.
    pub async fn close(&self, id: u32) -> Result<()> {
        Service::notification_closed(&self.emitter()?, id, 2).await.map_err(Into::into)
    }

    fn emitter(&self) -> Result<SignalEmitter<'_>> {
        Ok(SignalEmitter::new(&self.connection, PATH)?)
    }
}

/// Says to one peer that a notification was clicked, as any other program on the bus could.
///
/// # Errors
/// When the bus can't be reached.
pub async fn pretend_click(address: &str, to: &str, id: u32) -> Result<()> {
    let connection = zbus::connection::Builder::address(address)?.build().await?;
    connection.emit_signal(Some(to), PATH, NAME, "ActionInvoked", &(id, "default")).await.map_err(Into::into)
}
