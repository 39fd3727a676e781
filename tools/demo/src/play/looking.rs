//! ines, who looks after the hub, at lee's window after him.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON};
use anyhow::Result;

impl Play<'_> {
    pub(super) async fn looked_at(&mut self) -> Result<()> {
        self.timeline.part("who looks after the hub");
        self.lee.asks_to_sign_out().await?;
        self.lee.sign_out().await?;
        self.lee.in_browser(self.fleet, "ines").await?;
        self.lee.window.sees("main", "If you are Ines Park", SOON).await?;
        self.timeline.step("lee signed out; who signs in next at his window is asked whether they meant to");
        self.lee_shows("another-person").await?;
        self.lee.sign_in(self.fleet, "ines").await?;
        self.timeline.step("ines signed in");
        self.lee.view("Who can").await?;
        self.lee.window.sees("#reach .row", "", LATER).await?;
        self.timeline.step("who can ask for what, read from the hub with her own rights");
        self.lee.window.click("#reach .row", "payments-dev").await?;
        self.lee.window.sees("aside[aria-label=Selected] h2", "payments-dev", SOON).await?;
        self.lee_shows("who-can").await?;
        self.lee.window.click("section[aria-label='Who can'] [role=group] button", "Where").await?;
        self.lee
            .window
            .type_into("section[aria-label='Who can'] [data-find]", &format!("{PRODUCTION} operate"))
            .await?;
        self.lee.window.sees("aside[aria-label=Selected] h2", PRODUCTION, SOON).await?;
        self.lee.window.sees("aside[aria-label=Selected]", "May approve", SOON).await?;
        self.timeline.step("who can reach production as operate, and who says yes");
        self.lee_shows("who-can-where").await?;
        self.lee.window.resize(1920, 1080).await?;
        self.lee_shows("who-can-1920").await?;
        self.lee.requests("Team").await?;
        self.lee.window.sees("#requests .row", "debug-prod", SOON).await?;
        self.lee_shows("requests-1920").await?;
        self.lee.window.resize(1280, 800).await?;
        self.lee.view("Settings").await?;
        self.lee.window.sees("section[aria-label=Settings] table", "", SOON).await?;
        self.lee_shows("settings").await
    }
}
