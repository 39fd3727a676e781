//! Where the clusters are weak, at the window of who looks after the hub.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON};
use anyhow::Result;
use sallyport_fleet::window::key;

impl Play<'_> {
    pub(super) async fn weak(&mut self) -> Result<()> {
        self.timeline.part("where clusters are weak");
        self.fleet.plant().await?;
        self.timeline.step("somebody gives standing rights in both clusters that nobody should have");
        self.lee.view("Posture").await?;
        let window = &self.lee.window;
        window.sees("#posture", PRODUCTION, SOON).await?;
        window.press(&['s']).await?;
        window.sees("dialog", "posture", SOON).await?;
        window.press(&[key::ENTER]).await?;
        let row = format!("[data-posture='{PRODUCTION}']");
        window.sees(&row, "critical", LATER).await?;
        window.sees(&row, "done", LATER).await?;
        self.timeline.step("ines scanned them: a session each, which read, left and was proven closed");
        window.click("[data-weakness]", "oidc:payments-dev").await?;
        window.sees("aside", "Path", SOON).await?;
        self.timeline.step("how a group of developers comes to everything, and what to cut");
        self.lee_shows("posture").await
    }
}
