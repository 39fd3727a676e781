use super::error::AppError;
use futures::future::BoxFuture;
use sallyport_ipc::{Event, Goal, Shown};

/// What the use cases need of whatever they run in: the desktop's window, or a story without one.
pub trait Host: Send + Sync + 'static {
    /// Opens the person's browser. Only called because they acted (promise P4).
    ///
    /// # Errors
    /// When none could be started.
    fn open_browser(&self, url: &str) -> Result<(), AppError>;

    /// Tells the window.
    fn tell(&self, event: Event);

    /// Ends the program; everything was flushed or reported.
    fn exit(&self);

    /// Whether the person looks at the window: it has the keyboard's focus.
    fn is_looked_at(&self) -> bool {
        false
    }

    /// Where notifications are shown; `None` where there is no such place.
    fn notifier(&self) -> Option<&dyn Notifier> {
        None
    }
}

/// A desktop nobody looks at.
#[cfg(test)]
pub(crate) struct Nobody;

#[cfg(test)]
impl Host for Nobody {
    fn open_browser(&self, _: &str) -> Result<(), AppError> {
        Err(AppError::failed("there is no browser here"))
    }
    fn tell(&self, _: Event) {}
    fn exit(&self) {}
}

/// Shows notifications on the person's desktop, outside the window. It may be slow, absent or gone: whoever calls sets a
/// deadline, and drops what takes longer.
pub trait Notifier: Send + Sync {
    /// Whether it could show one now.
    ///
    /// # Errors
    /// Why not, as half a sentence for people.
    fn ready(&self) -> BoxFuture<'_, Result<(), String>>;

    /// Shows one. A click on it brings the window up and tells it [`Event::Go`].
    ///
    /// # Errors
    /// Why it was not shown, as half a sentence for people.
    fn show(&self, notification: Notification) -> BoxFuture<'_, Result<(), String>>;
}

/// What is shown. Its texts are plain: whoever shows them where markup is read escapes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// One line.
    pub title: Shown,
    /// A sentence or two; may be empty.
    pub body: Shown,
    /// Where a click leads.
    pub goal: Goal,
    /// Whether it takes the place of the last one of which the same was true: it says the same anew.
    pub replaces: bool,
}

/// Takes a terminal's bytes; false once nobody listens any more.
pub type Output = Box<dyn Fn(Vec<u8>) -> bool + Send + Sync + 'static>;
