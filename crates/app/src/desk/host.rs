use super::error::AppError;
use sallyport_ipc::Event;

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
}

/// Takes a terminal's bytes; false once nobody listens any more.
pub type Output = Box<dyn Fn(Vec<u8>) -> bool + Send + Sync + 'static>;
