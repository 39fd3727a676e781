//! A yes to less than was asked for.

use super::stage::Play;
use super::waits::{SOON, STAGE};
use anyhow::Result;

impl Play<'_> {
    pub(super) async fn less(&mut self) -> Result<()> {
        self.timeline.part("yes, but less");
        self.dana.choose(STAGE).await?;
        self.dana.profile("operate").await?;
        let ask = ("aside form button", "Ask for operate");
        self.dana.clicks(ask, "section[aria-label^=Opening]", "Waiting for a person").await?;
        self.timeline.step(&format!("dana asks for operate on {STAGE}"));
        self.lee.requests("For me").await?;
        self.lee.pick(&["operate", STAGE, "yours to decide"]).await?;
        self.lee.keys(&['l'], "form[aria-label='Approve less']", "Less of").await?;
        self.lee.window.click("form[aria-label='Approve less'] label", "30 min").await?;
        self.lee.window.click("form[aria-label='Approve less'] label", "payments").await?;
        self.lee.window.sees("#less-gives", "You give", SOON).await?;
        self.timeline.step("L: half the time, and payments off");
        self.lee_shows("less").await?;
        self.lee.confirms("You said yes").await?;
        self.timeline.step("lee said yes to less");
        self.dana.in_session(STAGE, "operate").await?;
        self.dana.requests("Mine").await?;
        self.dana.pick(&["operate", STAGE]).await?;
        self.dana
            .window
            .sees("aside[aria-label='Selected request']", "less than was asked for", SOON)
            .await?;
        self.timeline.step("dana's session has what was given");
        self.dana_shows("given").await
    }
}
