//! More time in an open session, and what opens by itself.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON};
use anyhow::Result;
use sallyport_fleet::window::key;
use std::time::Duration;

/// More time is offered once as long again would end a minute later.
const OFFERED: Duration = Duration::from_secs(100);

impl Play<'_> {
    pub(super) async fn more_time(&mut self) -> Result<()> {
        self.timeline.part("more time");
        self.dana.view("Sessions").await?;
        self.dana.window.click("[role=tablist] [role=tab].prod", "operate").await?;
        self.dana.in_session(PRODUCTION, "operate").await?;
        self.dana.window.sees(".truth button", "More time", OFFERED).await?;
        self.timeline.skip();
        self.dana.keys(&[key::CONTROL, key::SHIFT, 'e'], ".more", "more time").await?;
        self.dana.window.sees(".more", "approval", SOON).await?;
        self.timeline.step("Ctrl Shift E: asked for as long again; the session goes on meanwhile");
        self.dana_shows("more-time").await?;
        self.lee.requests("For me").await?;
        self.lee.pick(&["operate", PRODUCTION, "yours to decide"]).await?;
        self.lee.keys(&['a'], "aside footer", "Press Enter to approve").await?;
        self.lee.confirms("You said yes").await?;
        self.timeline.step("lee said yes");
        self.dana.sees_no(".more", "").await?;
        self.dana.sees_no(".truth button", "More time").await?;
        self.dana.in_session(PRODUCTION, "operate").await?;
        self.timeline.step("the session goes on in the same tab");
        Ok(())
    }

    /// An autoApproval stands for all approvals.
    pub(super) async fn by_itself(&mut self) -> Result<()> {
        self.timeline.part("what opens by itself");
        self.dana.choose(PRODUCTION).await?;
        self.dana.profile("oncall").await?;
        self.dana.window.sees(".outlook", "It needs 1 approval", SOON).await?;
        self.timeline.step("for an hour in both namespaces oncall needs one approval, and the form says why");
        self.dana_shows("not-by-itself").await?;
        self.dana.window.click("aside form .names button", "checkout").await?;
        let half = "const e = document.getElementById('for'); const i = [...(e?.options ?? [])].findIndex((o) => o.text === '30 min');\
                    if (i < 0) return false; e.selectedIndex = i; e.dispatchEvent(new Event('change', { bubbles: true })); return true";
        self.dana.window.until("half an hour to choose", half, SOON).await?;
        self.dana.window.sees(".outlook", "Opens at once, by half-an-hour", SOON).await?;
        self.timeline.step("for half an hour in payments it opens at once");
        self.dana_shows("by-itself").await?;
        self.dana.clicks(("aside form button", "Open oncall"), ".truth", "oncall").await?;
        self.dana.in_session(PRODUCTION, "oncall").await?;
        self.dana.window.sees("aside[aria-label='Steps and calls']", "half-an-hour", LATER).await?;
        self.timeline.step("open; its steps name the autoApproval");
        self.dana_shows("session-by-itself").await
    }
}
