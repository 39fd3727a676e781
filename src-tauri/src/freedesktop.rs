//! Notifications as Linux desktops show them: `org.freedesktop.Notifications` on the session bus (Desktop Notifications
//! Specification 1.3). One connection, made when it is first needed and anew when it is lost.
//!
//! A click is a number that the service says; where it leads is known here and nowhere on the bus.

use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use sallyport_app::{Notification, Notifier};
use sallyport_ipc::Goal;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use zbus::zvariant::Value;
use zbus::{Message, Proxy};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const APP: &str = "Sallyport";
/// The key of what a click on a notification itself does.
const CLICK: &str = "default";
/// Of how many a click is understood: the newest.
const KEPT: usize = 64;
/// The most characters of what bus or service say.
const WORDS: usize = 200;

type Clicked = Arc<dyn Fn(Goal) + Send + Sync>;

/// The desktop's notification service.
pub(crate) struct Freedesktop {
    /// `None`: the session's own bus.
    address: Option<String>,
    clicked: Clicked,
    link: Mutex<Option<Arc<Link>>>,
}

/// A connection, and what was shown over it.
struct Link {
    service: Proxy<'static>,
    shown: Arc<Mutex<OnScreen>>,
    listening: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Freedesktop {
    /// On the session's bus. `clicked` is told where a click leads.
    pub(crate) fn new(clicked: impl Fn(Goal) + Send + Sync + 'static) -> Self {
        Self { address: None, clicked: Arc::new(clicked), link: Mutex::default() }
    }

    async fn link(&self) -> Result<Arc<Link>, zbus::Error> {
        let mut link = self.link.lock().await;
        if let Some(link) = &*link {
            return Ok(link.clone());
        }
        let connection = match &self.address {
            None => zbus::Connection::session().await?,
            Some(address) => zbus::connection::Builder::address(address.as_str())?.build().await?,
        };
        let service = Proxy::new_owned(connection, NAME, PATH, NAME).await?;
        // The proxy lets through what the owner of the name says, and nobody else.
        let mut signals = service.receive_all_signals().await?;
        let shown: Arc<Mutex<OnScreen>> = Arc::default();
        let (clicked, heard) = (self.clicked.clone(), shown.clone());
        let listening = tokio::spawn(async move {
            while let Some(signal) = signals.next().await {
                // Waits while one is being shown, whose number may not be known yet.
                if let Some(goal) = heard.lock().await.hear(&signal) {
                    clicked(goal);
                }
            }
        });
        Ok(link.insert(Arc::new(Link { service, shown, listening })).clone())
    }

    /// Says in words why something failed. A connection that may be lost is made anew the next time.
    async fn failed(&self, error: zbus::Error) -> String {
        if !matches!(error, zbus::Error::MethodError(..)) {
            *self.link.lock().await = None;
        }
        words(&error)
    }

    async fn show_one(&self, notification: Notification) -> Result<(), zbus::Error> {
        let link = self.link().await?;
        let mut shown = link.shown.lock().await;
        // Asked each time: another service may have the name by now.
        let reads_markup = link.capabilities().await?.iter().any(|can| can == "body-markup");
        let body = if reads_markup { escaped(&notification.body) } else { notification.body.to_string() };
        let replaces = if notification.replaces { shown.replaced.unwrap_or(0) } else { 0 };
        let (actions, hints) = ([CLICK, "Show"], HashMap::from([("urgency", Value::U8(1))]));
        let title = notification.title.as_str();
        let asked = (APP, replaces, "", title, body.as_str(), &actions[..], hints, -1_i32);
        let id: u32 = link.service.call("Notify", &asked).await?;
        shown.keep(id, notification.goal, notification.replaces);
        Ok(())
    }
}

impl Link {
    async fn capabilities(&self) -> Result<Vec<String>, zbus::Error> {
        self.service.call("GetCapabilities", &()).await
    }
}

impl Notifier for Freedesktop {
    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        async move {
            let asked = async { self.link().await?.capabilities().await };
            match asked.await {
                Ok(_) => Ok(()),
                Err(error) => Err(self.failed(error).await),
            }
        }
        .boxed()
    }

    fn show(&self, notification: Notification) -> BoxFuture<'_, Result<(), String>> {
        async move {
            match self.show_one(notification).await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.failed(error).await),
            }
        }
        .boxed()
    }
}

/// Where clicks on what was shown lead.
#[derive(Default)]
struct OnScreen {
    goals: VecDeque<(u32, Goal)>,
    /// The one whose place the next of its kind takes.
    replaced: Option<u32>,
}

impl OnScreen {
    fn keep(&mut self, id: u32, goal: Goal, is_replaced: bool) {
        self.forget(id);
        self.goals.push_back((id, goal));
        if self.goals.len() > KEPT {
            self.goals.pop_front();
        }
        if is_replaced {
            self.replaced = Some(id);
        }
    }

    fn forget(&mut self, id: u32) -> Option<Goal> {
        if self.replaced == Some(id) {
            self.replaced = None;
        }
        let place = self.goals.iter().position(|(known, _)| *known == id)?;
        self.goals.remove(place).map(|(_, goal)| goal)
    }

    /// Where to go by what the service says; nowhere where it says something else, or speaks of what is not ours.
    fn hear(&mut self, signal: &Message) -> Option<Goal> {
        let (header, body) = (signal.header(), signal.body());
        match header.member()?.as_str() {
            "ActionInvoked" => {
                let (id, action): (u32, String) = body.deserialize().ok()?;
                if action == CLICK { self.forget(id) } else { None }
            }
            "NotificationClosed" => {
                let (id, _why): (u32, u32) = body.deserialize().ok()?;
                self.forget(id);
                None
            }
            _ => None,
        }
    }
}

/// Plain text where markup is read.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn words(error: &zbus::Error) -> String {
    let (what, detail) = match error {
        zbus::Error::MethodError(name, ..) if is_absent(name.as_str()) => {
            return "no notification service runs on this desktop".to_owned();
        }
        zbus::Error::MethodError(name, said, _) => (
            "the desktop's notification service refused it",
            said.clone().unwrap_or_else(|| name.to_string()),
        ),
        other => ("the session bus can't be reached", other.to_string()),
    };
    format!("{what}: {}", detail.chars().take(WORDS).collect::<String>())
}

/// Whether the bus says that nobody has the name, or that who should have it could not be started.
fn is_absent(error: &str) -> bool {
    let error = error.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or_default();
    matches!(error, "ServiceUnknown" | "NameHasNoOwner") || error.starts_with("Spawn.")
}

#[cfg(test)]
mod tests;
