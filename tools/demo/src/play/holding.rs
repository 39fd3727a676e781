//! A hold on somebody, and its end.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON, STAGE};
use anyhow::Result;
use sallyport_fleet::window::key;

impl Play<'_> {
    pub(super) async fn held(&mut self) -> Result<()> {
        self.timeline.part("lee holds dana");
        self.dana.view("Sessions").await?;
        self.dana.window.click("[role=tablist] [role=tab].stage", "operate").await?;
        self.dana.in_session(STAGE, "operate").await?;
        self.lee.requests("Team").await?;
        self.lee.pick(&["operate", STAGE, "open, ends in"]).await?;
        self.lee.keys(&['h'], "dialog h2", "Hold").await?;
        self.lee.window.type_into("#hold-why", "Laptop lost at the station").await?;
        self.lee.window.sees("dialog .what", "of theirs in your teams end", SOON).await?;
        self.timeline.step("H: what a hold on dana would end is said before");
        self.lee_shows("hold").await?;
        self.lee.keys(&[key::ENTER], "dialog h2", "for 1 h?").await?;
        self.lee_shows("hold-confirm").await?;
        self.lee.answers("dialog").await?;
        self.timeline.step("Enter, Enter: dana is held");
        self.dana.window.sees("[role=alert]", "You are held", LATER).await?;
        self.dana.window.rights_gone(STAGE, LATER).await?;
        self.timeline.step("dana reads who holds, why and until when; what was open is cut");
        self.dana.window.proven(STAGE, LATER).await?;
        self.timeline.step("and proven closed");
        self.dana.has_read().await?;
        self.dana_shows("held").await?;
        self.lee.requests("Held").await?;
        self.lee.window.sees("#holds .row", "dana", SOON).await?;
        self.lee_shows("holds").await?;
        self.lee.window.click("aside footer button", "Remove the hold").await?;
        self.lee.keys(&[key::ENTER], ".empty", "Nothing is held").await?;
        self.dana.sees_no("[role=alert]", "You are held").await?;
        self.timeline.step("the hold is removed, and dana's banner is gone");
        self.dana.puts_away().await?;
        self.dana.choose(PRODUCTION).await?;
        self.dana.profile("debug-prod").await?;
        self.dana.clicks(("aside form button", "Open debug-prod"), ".truth", PRODUCTION).await?;
        self.dana.in_session(PRODUCTION, "debug-prod").await?;
        self.timeline.step("dana opens production again");
        Ok(())
    }
}
