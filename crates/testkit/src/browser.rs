//! Two browsers for the sign-in page: one that only reads forms, for tests that need speed, and Chromium.

// The paths are spelled out since this file is also compiled into the sign-in tests under another parent.
#[path = "browser/form.rs"]
mod form;

pub use form::{FormBrowser, Landing, Person};

use anyhow::Result;

/// Something that opens a sign-in page and goes through it as a person would.
pub trait Browser: Send + Sync {
    /// Opens `url`, signs in, and follows the way back to the application.
    ///
    /// # Errors
    /// When the page is not one a person could use, or the sign-in is refused there.
    fn open<'a>(&'a self, url: &'a str) -> futures::future::BoxFuture<'a, Result<()>>;
}
