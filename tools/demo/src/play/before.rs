//! The first run, and the way in.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

impl Play<'_> {
    pub(super) async fn way_in(&mut self) -> Result<()> {
        self.timeline.part("way in");
        self.dana.window.sees(".door", "Join a team", SOON).await?;
        self.dana.window.sees(".door", "Try the demo", SOON).await?;
        self.timeline.step("first run shows both doors");
        self.dana_shows("first-run").await?;
        self.dana.window.click(".door", "Try the demo").await?;
        self.dana.window.sees("button", "Sign in", SOON).await?;
        self.timeline.step("joined the demo's hub");
        self.dana_shows("signed-out").await?;
        self.dana.window.click("button", "Sign in").await?;
        let url = self.dana.urls.next(SOON).await?;
        self.dana.window.sees("[role=status]", "Continue in your browser", SOON).await?;
        self.timeline.step("the browser was asked to open the sign-in page");
        self.dana_shows("signing-in").await?;
        self.in_browser(&url, "dana").await?;
        self.dana.window.sees("#clusters .row", PRODUCTION, LATER).await?;
        self.dana.window.sees("#clusters .row", "one click", LATER).await?;
        self.timeline.step("signed in with password and one-time code; the clusters are listed");
        self.dana.choose(PRODUCTION).await?;
        self.dana.window.theme("dark").await?;
        self.timeline.skip();
        self.dana.window.click("nav button[title^=Theme]", "dark").await?;
        let light = "return document.documentElement.dataset.theme === 'light'";
        self.dana.window.until("the light theme", light, SOON).await?;
        self.timeline.step("the rail's button turned the window light");
        self.dana_shows("clusters").await
    }

    /// What a person does on the provider's pages.
    async fn in_browser(&mut self, url: &str, sub: &str) -> Result<()> {
        let account = self.fleet.idp.account(sub).clone();
        self.browser.go(url).await?;
        self.timeline.step("the sign-in page is open");
        self.browser.screenshot(&self.pictures.join("sign-in-page.png")).await?;
        self.timeline.skip();
        self.browser.fill("#username", &account.email).await?;
        self.browser.fill("#password", &account.password).await?;
        self.browser.submit("#submit").await?;
        self.timeline.step("password");
        self.browser.screenshot(&self.pictures.join("sign-in-code.png")).await?;
        let code = self.fleet.idp.spare_code(sub).await?;
        self.timeline.skip();
        self.browser.fill("#code", &code).await?;
        self.browser.submit("#submit").await?;
        self.back_at_app().await?;
        self.timeline.step("one-time code, and back at the app");
        self.browser.screenshot(&self.pictures.join("sign-in-done.png")).await?;
        self.timeline.skip();
        Ok(())
    }

    /// The provider's answer leads through a page of its own.
    async fn back_at_app(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            let landed = self.browser.url().await?;
            if landed.starts_with("http://127.0.0.1:") {
                return Ok(());
            }
            ensure!(began.elapsed() < SOON, "the browser did not come back to the app; it is at {landed}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
