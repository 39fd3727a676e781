//! One asks, the other says yes, and ends it later.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON};
use anyhow::{Result, ensure};
use sallyport_testkit::notifications::{Manner, NotificationService};

impl Play<'_> {
    pub(super) async fn asked_and_opened(&mut self) -> Result<()> {
        self.timeline.part("two people: dana asks, lee says yes");
        self.lee.window.click(".door", "Try the demo").await?;
        self.lee.sign_in(self.fleet, "lee").await?;
        self.timeline.step("lee signed in, in a window and a browser of his own");
        self.lee.requests("For me").await?;
        self.lee.window.sees(".empty", "Nobody waits for you", LATER).await?;
        self.lee_shows("inbox-empty").await?;
        let notifications =
            NotificationService::start(&self.lee.desk.bus_address(), Manner::default()).await?;
        self.lee.desk.look_away()?;
        self.dana.choose(PRODUCTION).await?;
        self.dana.profile("operate").await?;
        self.dana.window.sees(".outlook", "It needs 1 approval", SOON).await?;
        self.timeline.step("the form says before asking that operate needs one approval");
        self.dana_shows("asking").await?;
        let ask = ("aside form button", "Ask for operate");
        self.dana.clicks(ask, "section[aria-label^=Opening]", "Waiting for a person").await?;
        self.timeline.step("asked; it waits for a person");
        let told = notifications.until_told(LATER, |one| one.title.ends_with("asks you")).await?;
        ensure!(told.title.contains("dana") && told.body.contains(PRODUCTION), "{told:?}");
        ensure!(!told.body.contains("PAY-1182"), "a reason on a screen that may be locked: {told:?}");
        self.timeline.step("lee is told on his desktop, without the reason");
        self.dana_shows("waiting").await?;
        notifications.click(told.id).await?;
        self.lee.window.sees("#requests [aria-selected=true]", "operate", SOON).await?;
        self.lee.window.sees("aside[aria-label='Selected request']", "PAY-1182", SOON).await?;
        self.lee.window.sees("nav button b.wait", "1", SOON).await?;
        self.timeline.step("a click leads to the request; the rail counts it");
        self.lee_shows("inbox").await?;
        self.decided().await
    }

    async fn decided(&mut self) -> Result<()> {
        self.lee.keys(&['a'], "aside footer", "Press Enter to approve").await?;
        self.timeline.step("A: it is production, so it asks for Enter");
        self.lee_shows("inbox-approve").await?;
        self.lee.confirms("You said yes").await?;
        self.timeline.step("Enter: lee said yes");
        self.dana.in_session(PRODUCTION, "operate").await?;
        self.dana.window.sees("aside[aria-label='Steps and calls']", "lee", SOON).await?;
        self.timeline.step("dana's session opened; its steps name who said yes");
        self.dana.window.terminal_type("kubectl scale deploy/worker -n payments --replicas=3\n").await?;
        self.dana.window.terminal_shows("deployment.apps/worker scaled", LATER).await?;
        self.timeline.step("kubectl scale, which takes operate");
        self.dana.window.terminal_type("kubectl get pods -n payments --watch\n").await?;
        self.dana.window.sees("aside[aria-label='Steps and calls']", "watch", LATER).await?;
        self.timeline.step("a watch that stays open");
        self.dana_shows("session-approved").await?;
        self.dana.requests("Mine").await?;
        self.dana.window.sees("aside[aria-label='Selected request']", "Show its session", SOON).await?;
        self.dana_shows("mine").await
    }

    pub(super) async fn revoked(&mut self) -> Result<()> {
        self.timeline.part(&format!("lee ends what dana has open on {PRODUCTION}"));
        self.lee.requests("Team").await?;
        // What was extended closes a moment later, and looks open until then; a list that is read anew meanwhile has it not at
        // all, since what is closed is not in it.
        self.lee.pick_alone(&["operate", PRODUCTION, "open, ends in"]).await?;
        self.lee.keys(&['r'], "label[for=decision-reason]", "End").await?;
        self.lee.window.type_into("#decision-reason", "PAY-1182 is over; thank you").await?;
        self.timeline.step("R: ending what somebody has open wants a reason");
        self.lee_shows("team-end").await?;
        self.lee.confirms("You ended it").await?;
        self.timeline.step("lee ended it");
        self.dana.window.rights_gone(PRODUCTION, LATER).await?;
        self.timeline.step("dana's watch is cut, and a probe of the API server refused");
        let proof = self.dana.window.proven(PRODUCTION, LATER).await?;
        ensure!(proof.contains("Streams cut"), "the proof lacks the streams:\n{proof}");
        self.dana.window.sees("section[aria-label^=Closing]", "PAY-1182 is over", SOON).await?;
        self.timeline.step("proven; dana reads who ended it and why");
        self.dana_shows("revoked").await?;
        self.dana.window.click("section[aria-label^=Closing] button", "Done").await?;
        self.dana.has_read().await
    }
}
