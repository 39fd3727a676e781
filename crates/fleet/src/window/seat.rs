//! Windows on one fleet, each at a desk of its own, as far as a person takes them before anything is looked at.

use super::{Desk, Window, key};
use crate::{Fleet, FleetOptions};
use anyhow::{Context as _, Result};
use sallyport_testkit::browser::{FormBrowser, Person, UrlCatcher};
use std::time::{Duration, Instant};

/// How long what happens on this machine may take.
pub const SOON: Duration = Duration::from_secs(45);
/// How long what clusters take part in may take.
pub const LATER: Duration = Duration::from_secs(60);

/// One fleet, and as many windows as are wanted.
pub struct Set {
    /// The fleet.
    pub fleet: Fleet,
}

impl Set {
    /// A fleet as it comes.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> Result<Self> {
        sallyport_testkit::plane::install_crypto();
        Ok(Self { fleet: Fleet::start(FleetOptions::default()).await? })
    }

    /// A fresh desk with the app's window at its first run.
    ///
    /// # Errors
    /// When the desk or the window does not start.
    pub async fn window(&self) -> Result<Seat> {
        let desk = Desk::start((1280, 800)).await?;
        let workspace = desk.path().join("workspace.json");
        std::fs::write(&workspace, self.fleet.workspace_file())?;
        let urls = UrlCatcher::new()?;
        let kubectl = self
            .fleet
            .target()
            .plane
            .assets()
            .kubectl()
            .parent()
            .context("kubectl is in a folder")?
            .to_owned();
        let (workspace, script, kubectl) = (
            workspace.display().to_string(),
            urls.script().display().to_string(),
            kubectl.display().to_string(),
        );
        let env = [
            ("SALLYPORT_DEMO", workspace.as_str()),
            ("SALLYPORT_KUBECTL_DIR", kubectl.as_str()),
            ("BROWSER", script.as_str()),
        ];
        let window = Window::open(&desk, &env).await?;
        Ok(Seat { window, urls, desk })
    }

    /// The cluster of this fleet.
    #[must_use]
    pub fn cluster(&self) -> &'static str {
        self.fleet.target().spec.name
    }

    /// A window with dana signed in, by way of the demo door.
    ///
    /// # Errors
    /// When she can't.
    pub async fn signed_in(&self) -> Result<Seat> {
        let seat = self.signed_in_as("dana").await?;
        seat.window.sees("#clusters .row", "one click", LATER).await?;
        Ok(seat)
    }

    /// A window with somebody signed in, by way of the demo door.
    ///
    /// # Errors
    /// When they can't.
    pub async fn signed_in_as(&self, sub: &str) -> Result<Seat> {
        let mut seat = self.window().await?;
        seat.window.click(".door", "Try the demo").await?;
        seat.window.click("button", "Sign in").await?;
        let url = seat.urls.next(SOON).await?;
        FormBrowser::new(self.fleet.idp.ca_pem(), Person::of(&self.fleet.idp, sub))?.sign_in(&url).await?;
        seat.window.sees("#clusters .row", self.cluster(), LATER).await?;
        Ok(seat)
    }

    /// Opens the cluster by Enter. Its profile wants a reason, so the first Enter asks for one and the second opens. Returns
    /// how long it took from there.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open(&self, window: &Window) -> Result<Duration> {
        window.click("#clusters .row", self.cluster()).await?;
        window.sees("aside form button", "", SOON).await?;
        window.press(&[key::ENTER]).await?;
        window.sees("aside [role=alert]", "wants a reason", SOON).await?;
        window
            .until("the field for it has the focus", "return document.activeElement?.id === 'why'", SOON)
            .await?;
        window.type_into("#why", "PAY-7").await?;
        let pressed = Instant::now();
        window.press(&[key::ENTER]).await?;
        window.sees(".truth", self.cluster(), LATER).await?;
        Ok(pressed.elapsed())
    }

    /// A window with a session open and a prompt in its terminal.
    ///
    /// # Errors
    /// When there is none.
    pub async fn in_session(&self) -> Result<Seat> {
        let seat = self.signed_in().await?;
        self.open(&seat.window).await?;
        let prompt = "return (document.querySelector('.xterm-rows')?.textContent ?? '').trim().length > 0";
        seat.window.until("a prompt", prompt, SOON).await?;
        Ok(seat)
    }
}

/// One window on its desk. The window first: it ends before its display.
pub struct Seat {
    /// The window.
    pub window: Window,
    /// What it opens in a browser.
    pub urls: UrlCatcher,
    /// What is around it.
    pub desk: Desk,
}
